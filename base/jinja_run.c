/* What every part of a rendering needs: mistakes with their place, limits, new values. */
#include "base/jinja_run.h"
#include "base/arena.h"
#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Steps count nodes; work on bytes counts as one step for so many of them. */
#define BYTES_PER_STEP 64

void
jinja_at(struct jinja_run *run, uint32_t off, uint32_t len)
{
	run->at.off = off;
	run->at.len = len;
}

int
jinja_fail_as_is(struct jinja_run *run)
{
	if (run->where != NULL) {
		run->where->offset = run->at.off;
		run->where->len = run->at.len;
	}
	return -1;
}

static int
fail(struct jinja_run *run, enum err_code code, const char *fmt, va_list ap)
{
	char msg[sizeof(run->err->msg)];

	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	(void)err_set(run->err, code, "%s", msg);
	return jinja_fail_as_is(run);
}

int
jinja_fail(struct jinja_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fail(run, ERR_INVALID, fmt, ap);
	va_end(ap);
	return -1;
}

int
jinja_fail_limit(struct jinja_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fail(run, ERR_LIMIT, fmt, ap);
	va_end(ap);
	return -1;
}

int
jinja_fail_nomem(struct jinja_run *run)
{
	(void)err_nomem(run->err);
	return jinja_fail_as_is(run);
}

int
jinja_step(struct jinja_run *run, uint64_t n)
{
	if (n > run->steps_max || run->steps > run->steps_max - n)
		return jinja_fail_limit(run,
					"the template takes more than %" PRIu64 " steps",
					run->steps_max);
	run->steps += n;
	return 0;
}

int
jinja_cost(struct jinja_run *run, size_t n)
{
	return jinja_step(run, n / BYTES_PER_STEP);
}

/* A key is compared with those on its way through the tree. */
int
jinja_cost_key(struct jinja_run *run, struct jinja_val key)
{
	return key.kind == JINJA_STR ? jinja_cost(run, key.s.n * 4) : 0;
}

int
jinja_check_buf(struct jinja_run *run, const struct buf *b)
{
	if (!buf_failed(b))
		return 0;
	if (b->state == BUF_NOMEM)
		return jinja_fail_nomem(run);
	return jinja_fail_limit(run, "the text is longer than %zu bytes",
				run->output_max);
}

/* ---- values ---- */

char *
jinja_make_room(struct jinja_run *run, size_t n)
{
	char *p;

	if (n > run->output_max) {
		(void)jinja_fail_limit(run, "the text is longer than %zu bytes",
				       run->output_max);
		return NULL;
	}
	if (jinja_cost(run, n) != 0)
		return NULL;
	p = arena_alloc(run->arena, n + 1);
	if (p == NULL)
		(void)jinja_fail_nomem(run);
	else
		p[n] = '\0';
	return p;
}

int
jinja_make_str(struct jinja_run *run, const char *p, size_t n, struct jinja_val *out)
{
	char *to = jinja_make_room(run, n);

	if (to == NULL)
		return -1;
	if (n != 0)
		memcpy(to, p, n);
	*out = jinja_strn(to, n);
	return 0;
}

void
jinja_buf(struct jinja_run *run, struct buf *b)
{
	buf_init(b, run->output_max);
}

int
jinja_take_buf(struct jinja_run *run, struct buf *b, struct jinja_val *out)
{
	int rc = jinja_check_buf(run, b);

	if (rc == 0)
		rc = jinja_make_str(run, b->p, b->n, out);
	buf_release(b);
	return rc;
}

struct jinja_list *
jinja_make_list(struct jinja_run *run)
{
	struct jinja_list *l = jinja_list_new(run->arena);

	if (l == NULL)
		(void)jinja_fail_nomem(run);
	return l;
}

struct jinja_dict *
jinja_make_dict(struct jinja_run *run)
{
	struct jinja_dict *d = jinja_dict_new(run->arena);

	if (d == NULL)
		(void)jinja_fail_nomem(run);
	return d;
}

static int
check_depth(struct jinja_run *run, struct jinja_val v)
{
	if (jinja_val_depth(v) >= JINJA_DEPTH_MAX)
		return jinja_fail_limit(run,
					"lists and mappings are nested more than %d deep",
					JINJA_DEPTH_MAX);
	return 0;
}

int
jinja_push(struct jinja_run *run, struct jinja_list *l, struct jinja_val v)
{
	if (jinja_step(run, 1) != 0 || check_depth(run, v) != 0)
		return -1;
	return jinja_list_push(run->arena, l, v) == 0 ? 0 : jinja_fail_nomem(run);
}

int
jinja_put_member(struct jinja_run *run, struct jinja_dict *d, struct jinja_val key,
		 struct jinja_val v)
{
	if (!jinja_is_key(key))
		return jinja_fail(run, "%s cannot be the key of a mapping",
				  jinja_kind_name(key));
	if (jinja_step(run, 1) != 0 || jinja_cost_key(run, key) != 0 ||
	    (!d->is_namespace && check_depth(run, v) != 0))
		return -1;
	return jinja_dict_set(run->arena, d, key, v) == 0 ? 0 : jinja_fail_nomem(run);
}
