#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "scheduler/render_int.h"
#include "tasks/schema/schema.h"

/*
 * The command line of a task whose type is a verb of ours: options first, then "--" and the
 * targets, so that no value is taken for an option.
 */

#define OPTIONS_MAX 8

/* "--remote=NAME", if there is one. */
static int
remote_option(struct render *r, const char **v, size_t *n, struct err *err)
{
	const struct dag_text *text = &r->t->remote;
	const char *name;

	if (text->src == NULL)
		return 0;
	if (render_text(r, text, "remote", RENDER_TEXT, &name, err) != 0)
		return -1;
	if (*name == '\0') {
		(void)err_set(err, ERR_INVALID, "the remote's name is empty");
		r->node = text->node;
		r->key = "remote";
		r->where = (struct jinja_where){0, text->len};
		return -1;
	}
	v[*n] = arena_printf(r->a, "--remote=%s", name);
	return v[(*n)++] != NULL ? 0 : err_nomem(err);
}

static int
options(struct render *r, const char **v, size_t *n, struct err *err)
{
	const struct dag_task *t = r->t;

	if (remote_option(r, v, n, err) != 0)
		return -1;
	if (t->jobs > 0 &&
	    (v[(*n)++] = arena_printf(r->a, "--jobs=%u", (unsigned)t->jobs)) == NULL)
		return err_nomem(err);
	if (t->recursive)
		v[(*n)++] = "--recursive";
	if (t->verify)
		v[(*n)++] = "--verify";
	if (t->force)
		v[(*n)++] = "--force";
	if (t->allow_missing)
		v[(*n)++] = "--allow-missing";
	return 0;
}

int
render_verb(struct render *r, struct render_task *out, struct err *err)
{
	const char **targets, **v;
	size_t ntargets, n = 0;

	if (render_targets(r, &targets, &ntargets, err) != 0)
		return -1;
	v = arena_array(r->a, ntargets + OPTIONS_MAX + 4, sizeof(*v));
	if (v == NULL)
		return err_nomem(err);
	v[n++] = "dag";
	v[n++] = r->t->type->name;
	if (options(r, v, &n, err) != 0)
		return -1;
	if (ntargets > 0)
		v[n++] = "--";
	memcpy(v + n, targets, ntargets * sizeof(*v));
	v[n + ntargets] = NULL;
	out->argv = v;
	return 0;
}
