/*
 * Undefined values.  One is made wherever a name, member or element does not exist, and
 * keeps what was sought; the sentence about it, with its suggestion, is made only where
 * somebody needs the value, since `is defined` and `default` ask often.
 */
#include "base/arena.h"
#include "base/jinja_run.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

/* The longest piece of the source that a message repeats. */
#define WHAT_MAX 60

static const char left_out[] = "";

int
jinja_make_left_out(struct jinja_val *out)
{
	*out = (struct jinja_val){.kind = JINJA_UNDEFINED, .s = {left_out, 0}};
	return 0;
}

bool
jinja_is_left_out(struct jinja_val v)
{
	return v.kind == JINJA_UNDEFINED && v.s.p == left_out;
}

/* A reason, found again by the address of the value's name, which is its own. */
static struct jinja_why *
new_why(struct jinja_run *run, struct jinja_val *out)
{
	struct jinja_why *why = arena_zalloc(run->arena, sizeof(*why));

	if (why == NULL) {
		(void)jinja_fail_nomem(run);
		return NULL;
	}
	why->off = run->at.off;
	why->len = run->at.len;
	why->next = run->whys;
	run->whys = why;
	*out = (struct jinja_val){.kind = JINJA_UNDEFINED, .s = {why->name, 0}};
	return why;
}

int
jinja_undefined_text(struct jinja_run *run, struct jinja_val *out, const char *text)
{
	struct jinja_why *why = new_why(run, out);

	if (why == NULL)
		return -1;
	why->text = arena_strdup(run->arena, text);
	return why->text != NULL ? 0 : jinja_fail_nomem(run);
}

int
jinja_undefined_name(struct jinja_run *run, struct jinja_val *out, const char *name)
{
	struct jinja_why *why = new_why(run, out);

	if (why == NULL)
		return -1;
	why->index = jinja_str(name);
	why->is_name = true;
	return 0;
}

int
jinja_undefined_member(struct jinja_run *run, struct jinja_val *out,
		       struct jinja_val base, struct jinja_val index,
		       const struct jinja_expr *x)
{
	struct jinja_why *why = new_why(run, out);

	if (why == NULL)
		return -1;
	why->base = base;
	why->index = index;
	why->x = x;
	return 0;
}

/* ---- the sentences ---- */

static void say(char *to, size_t size, const char *near, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
say(char *to, size_t size, const char *near, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, size, fmt, ap);
	va_end(ap);
	if (near != NULL && n > 0 && (size_t)n < size)
		(void)snprintf(to + n, size - (size_t)n, "; did you mean '%s'?", near);
}

static void
explain_name(const struct jinja_run *run, const struct jinja_why *why, char *to,
	     size_t size)
{
	const struct jinja_frame *f;
	const char *name;
	struct suggest sg;
	size_t i;

	suggest_start(&sg, why->index.s.p);
	for (f = run->frame; f != NULL; f = f->up)
		for (i = 1; f->vars != NULL && i <= f->vars->n; i++)
			suggest_try(&sg, f->vars->v[i].key.s.p);
	for (i = 0; run->c->name != NULL && (name = run->c->name(run->c->ctx, i)) != NULL;
	     i++)
		suggest_try(&sg, name);
	say(to, size, suggest_best(&sg), "'%s' is undefined", why->index.s.p);
}

/* The member of ${base} whose name is nearest to the one sought. */
static const char *
nearest(struct jinja_val base, const char *name)
{
	const char *member;
	struct suggest sg;
	size_t i;

	suggest_start(&sg, name);
	if (base.kind == JINJA_DICT) {
		for (i = 1; i <= base.dict->n; i++)
			if (base.dict->v[i].key.kind == JINJA_STR)
				suggest_try(&sg, base.dict->v[i].key.s.p);
	} else if (base.kind == JINJA_HOST && base.host->name != NULL) {
		for (i = 0; (member = base.host->name(base.host->ctx, i)) != NULL; i++)
			suggest_try(&sg, member);
	} else if (base.kind == JINJA_TIME) {
		for (i = 0; jinja_time_members[i] != NULL; i++)
			suggest_try(&sg, jinja_time_members[i]);
	}
	return suggest_best(&sg);
}

static bool
is_method_of(struct jinja_val base, const char *name)
{
	const struct jinja_fn *table = jinja_methods_of(base);

	return table != NULL && jinja_find_fn(table, name) != NULL;
}

/* The base as the source has it, or as its host calls it. */
static void
base_text(const struct jinja_run *run, const struct jinja_why *why, char *to, size_t size)
{
	const char *p = why->x != NULL ? run->t->src + why->x->off : NULL;
	size_t n = why->x != NULL ? why->x->len : 0;

	if (why->base.kind == JINJA_HOST && why->base.host->what != NULL)
		(void)snprintf(to, size, "%s", why->base.host->what);
	else if (p == NULL || n > WHAT_MAX || memchr(p, '\n', n) != NULL)
		(void)snprintf(to, size, "the value");
	else
		(void)snprintf(to, size, "'%.*s'", (int)n, p);
}

static void
explain_member(const struct jinja_run *run, const struct jinja_why *why, char *to,
	       size_t size)
{
	const char *name = why->index.kind == JINJA_STR ? why->index.s.p : NULL;
	const char *near = name != NULL ? nearest(why->base, name) : NULL;
	bool mapping = why->base.kind == JINJA_DICT || why->base.kind == JINJA_HOST;
	char base[WHAT_MAX + 80];
	struct jinja_val v = why->base;

	base_text(run, why, base, sizeof(base));
	if (name != NULL && near == NULL && is_method_of(v, name))
		say(to, size, NULL, "'%s' is a method: write %s()", name, name);
	else if (name != NULL && mapping)
		say(to, size, near, "%s has no '%s'", base, name);
	else if (name != NULL)
		say(to, size, near, "%s is %s and has no '%s'", base, jinja_kind_name(v),
		    name);
	else if (why->index.kind == JINJA_INT && v.kind == JINJA_DICT)
		say(to, size, NULL, "%s has no key %lld", base, (long long)why->index.i);
	else if (why->index.kind == JINJA_INT &&
		 (v.kind == JINJA_LIST || v.kind == JINJA_STR))
		say(to, size, NULL, "%s has no element %lld: its length is %zu", base,
		    (long long)why->index.i,
		    v.kind == JINJA_LIST ? v.list->n : jinja_u8_len(v.s.p, v.s.n));
	else if (mapping)
		say(to, size, NULL, "%s has no such key", base);
	else
		say(to, size, NULL, "%s is %s and has no element by %s", base,
		    jinja_kind_name(v), jinja_kind_name(why->index));
}

int
jinja_fail_undefined(struct jinja_run *run, struct jinja_val v)
{
	const struct jinja_why *why = run->whys;
	char text[sizeof(run->err->msg)] = "";

	if (jinja_is_left_out(v))
		return jinja_fail(
		    run, "there is no value: the condition is false, and there is "
			 "no 'else'");
	while (why != NULL && why->name != v.s.p)
		why = why->next;
	if (why == NULL)
		return jinja_fail(run, "'%s' is undefined", v.s.p != NULL ? v.s.p : "");
	jinja_at(run, why->off, why->len);
	if (why->text != NULL)
		return jinja_fail(run, "%s", why->text);
	if (why->is_name)
		explain_name(run, why, text, sizeof(text));
	else
		explain_member(run, why, text, sizeof(text));
	return jinja_fail(run, "%s", text);
}

int
jinja_need(struct jinja_run *run, struct jinja_val v)
{
	return v.kind == JINJA_UNDEFINED ? jinja_fail_undefined(run, v) : 0;
}
