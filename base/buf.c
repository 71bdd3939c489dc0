#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char empty[1]; /* what p points to before the first allocation; never written */

void
buf_init(struct buf *b, size_t max)
{
	b->p = empty;
	b->n = 0;
	b->cap = 0;
	b->max = max == 0 ? BUF_MAX_DEFAULT : max;
	if (b->max == SIZE_MAX)
		b->max--; /* the NUL is counted too when memory is asked for */
	b->state = BUF_OK;
}

void
buf_release(struct buf *b)
{
	if (b->cap != 0)
		free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->state = BUF_OK;
	if (b->cap != 0)
		b->p[0] = '\0';
}

char *
buf_steal(struct buf *b)
{
	char *p;

	if (buf_failed(b))
		return NULL;
	if (b->cap == 0)
		return calloc(1, 1);
	p = b->p;
	buf_init(b, b->max);
	return p;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t need, cap;
	char *p;

	if (buf_failed(b))
		return NULL;
	if (n > b->max || b->n > b->max - n) {
		b->state = BUF_TOOBIG;
		return NULL;
	}
	need = b->n + n + 1;
	if (need > b->cap) {
		cap = b->cap != 0 ? b->cap : 64;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		p = realloc(b->cap != 0 ? b->p : NULL, cap);
		if (p == NULL) {
			b->state = BUF_NOMEM;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
		b->p[b->n] = '\0';
	}
	return b->p + b->n;
}

void
buf_commit(struct buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to;

	if (n == 0 || (to = buf_reserve(b, n)) == NULL)
		return;
	memcpy(to, p, n);
	buf_commit(b, n);
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256], *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0) {
		b->state = BUF_NOMEM;
	} else if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
	} else if ((to = buf_reserve(b, (size_t)n)) != NULL) {
		/* buf_reserve leaves room for the NUL. */
		(void)vsnprintf(to, (size_t)n + 1, fmt, again);
		buf_commit(b, (size_t)n);
	}
	va_end(again);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_truncate(struct buf *b, size_t n)
{
	if (n < b->n) {
		b->n = n;
		b->p[n] = '\0';
	}
}
