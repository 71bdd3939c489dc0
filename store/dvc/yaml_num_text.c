#include "store/dvc/yaml_num_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
num_text_init(struct num_text *t)
{
	t->n = 0;
	t->p[0] = '\0';
	t->full = false;
}

bool
num_text_full(const struct num_text *t)
{
	return t->full;
}

void
num_text_add(struct num_text *t, const char *p, size_t n)
{
	if (n >= sizeof t->p - t->n) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void
num_text_adds(struct num_text *t, const char *s)
{
	num_text_add(t, s, strlen(s));
}

void
num_text_addc(struct num_text *t, char c)
{
	num_text_add(t, &c, 1);
}

void
num_text_cut(struct num_text *t, size_t n)
{
	t->n = n;
	t->p[n] = '\0';
}

void
num_text_addf(struct num_text *t, const char *fmt, ...)
{
	size_t room = sizeof t->p - t->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		t->full = true;
		t->p[t->n] = '\0';
	} else {
		t->n += (size_t)n;
	}
}
