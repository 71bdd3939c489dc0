#include "cli/status_far.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/exchange.h"
#include "store/track/collect.h"

struct far {
	struct exchange x; /* first: exchange_each hands it back */
	bool granular;
	const char **targets; /* relative to the root */
	size_t ntargets;
	struct far_paths *out;
	bool lacks; /* a file of the directory that is being told */
	struct err why;
};

static bool
is_meant(const struct far *f, const char *path)
{
	for (size_t i = 0; i < f->ntargets; i++)
		if (path_is_below(path, f->targets[i]))
			return true;
	return f->ntargets == 0;
}

static int
take(void *arg, const struct transfer_want *w, const char *path,
     const struct object_id *id, enum transfer_state state)
{
	struct far *f = arg;
	bool there = state == TRANSFER_OK || state == TRANSFER_DELETED;
	struct far_path p = {.dir = path == NULL && w->id.dir};

	(void)id;
	if (path != NULL)
		f->lacks = f->lacks || !there;
	else if (
	    f->lacks) /* the list of a directory is worth nothing without its files */
		there = f->lacks = false;
	if (there || (path != NULL && !f->granular))
		return 0;
	p.path = path != NULL ? arena_printf(f->out->arena, "%s/%s", w->path, path)
			      : arena_strdup(f->out->arena, w->path);
	if (p.path == NULL)
		return err_nomem(&f->why);
	if (!is_meant(f, p.path))
		return 0;
	return vec_push(&f->out->v, p) == 0 ? 0 : err_nomem(&f->why);
}

static int
look(struct exchange *x, const struct transfer_options *opt,
     const struct transfer_want *v, size_t n, struct transfer_report *report,
     struct err *err)
{
	struct far *f = (struct far *)x;
	int rc = transfer_status(opt, v, n, take, f, report, err);

	if (f->why.code != ERR_NONE)
		*err = f->why;
	return rc;
}

/* Of all that is tracked, what a target lies in or has in it. */
static void
drop_others(struct far *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->x.wants.n; i++) {
		bool in = is_meant(f, f->x.wants.v[i].path);

		for (size_t k = 0; k < f->ntargets && !in; k++)
			in = path_is_below(f->targets[k], f->x.wants.v[i].path);
		if (in)
			f->x.wants.v[n++] = f->x.wants.v[i];
	}
	f->x.wants.n = n;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct far *f = arg;
	struct artifact *a = &f->x.a;

	f->ntargets = a->c->nargs;
	f->targets = artifact_paths(a, (const char *const *)a->c->args, a->c->nargs, err);
	if (f->targets == NULL)
		return -1;
	if (exchange_wants(&f->x, m, err) != 0)
		return -1;
	drop_others(f);
	return exchange_each(&f->x, m, err);
}

static int
by_path(const void *a, const void *b)
{
	const struct far_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int
status_far(struct cli *c, const struct exchange_opts *o, bool granular,
	   struct far_paths *out)
{
	struct far f = {.x = {.o = o, .push = true, .words_apart = true, .move = look},
			.granular = granular,
			.out = out};
	struct err err = {0};
	int code = EXIT_OK;

	*out = (struct far_paths){.arena = arena_new(0)};
	if (out->arena == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	if (artifact_open_all(c, &o->common, false, &f.x.a, &err) != 0 ||
	    artifact_work(&f.x.a, work, &f, &err) != 0)
		code = artifact_fail(&f.x.a, &err);
	else
		code = exchange_damage(&f.x);
	if (out->v.n > 1)
		qsort(out->v.v, out->v.n, sizeof(*out->v.v), by_path);
	exchange_release(&f.x);
	return code;
}

void
far_paths_release(struct far_paths *f)
{
	vec_release(&f->v);
	arena_free(f->arena);
	*f = (struct far_paths){0};
}
