/* The `loop` of a {% for %}: a mapping whose members follow the round. */
#include "base/arena.h"
#include "base/jinja_run.h"

#include <string.h>

struct jinja_loop {
	struct jinja_host host;
	const struct jinja_list *items;
	size_t i;
};

static const char *const names[] = {
    "index",	"index0",    "first",	 "last",     "length",
    "revindex", "revindex0", "previtem", "nextitem", NULL,
};

static const char *
loop_name(void *ctx, size_t i)
{
	(void)ctx;
	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static int
loop_get(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	 struct err *err)
{
	const struct jinja_loop *l = ctx;
	size_t n = l->items->n;

	(void)a;
	if (strcmp(name, "index") == 0) {
		*out = jinja_int((int64_t)l->i + 1);
	} else if (strcmp(name, "index0") == 0) {
		*out = jinja_int((int64_t)l->i);
	} else if (strcmp(name, "first") == 0) {
		*out = jinja_bool(l->i == 0);
	} else if (strcmp(name, "last") == 0) {
		*out = jinja_bool(l->i + 1 == n);
	} else if (strcmp(name, "length") == 0) {
		*out = jinja_int((int64_t)n);
	} else if (strcmp(name, "revindex") == 0) {
		*out = jinja_int((int64_t)(n - l->i));
	} else if (strcmp(name, "revindex0") == 0) {
		*out = jinja_int((int64_t)(n - l->i) - 1);
	} else if (strcmp(name, "previtem") == 0) {
		if (l->i == 0) {
			(void)err_set(err, ERR_NOTFOUND,
				      "loop.previtem is undefined in the first round");
			return 0;
		}
		*out = l->items->v[l->i - 1];
	} else if (strcmp(name, "nextitem") == 0) {
		if (l->i + 1 == n) {
			(void)err_set(err, ERR_NOTFOUND,
				      "loop.nextitem is undefined in the last round");
			return 0;
		}
		*out = l->items->v[l->i + 1];
	} else {
		if (strcmp(name, "cycle") == 0)
			(void)err_set(err, ERR_NOTFOUND,
				      "'cycle' is a method: write loop.cycle(...)");
		return 0;
	}
	return 1;
}

struct jinja_loop *
jinja_loop_new(struct jinja_run *run, const struct jinja_list *items)
{
	struct jinja_loop *l = arena_zalloc(run->arena, sizeof(*l));

	if (l == NULL) {
		(void)jinja_fail_nomem(run);
		return NULL;
	}
	l->host = (struct jinja_host){
	    .ctx = l, .get = loop_get, .name = loop_name, .what = "loop"};
	l->items = items;
	return l;
}

struct jinja_val
jinja_loop_val(struct jinja_loop *l)
{
	return jinja_host(&l->host);
}

void
jinja_loop_at(struct jinja_loop *l, size_t i)
{
	l->i = i;
}

struct jinja_loop *
jinja_loop_of(struct jinja_val v)
{
	return v.kind == JINJA_HOST && v.host->get == loop_get ? v.host->ctx : NULL;
}

static int
loop_cycle(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	const struct jinja_loop *l = jinja_loop_of(a->self);

	if (a->nrest == 0)
		return jinja_fail(run, "loop.cycle needs values to choose from");
	*out = a->rest[l->i % a->nrest];
	return 0;
}

const struct jinja_fn jinja_loop_methods[] = {
    {"cycle", loop_cycle, "", 0, JINJA_FN_REST},
    {NULL, NULL, NULL, 0, 0},
};
