#include "store/track/stage_status.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/collect.h"
#include "store/track/stage_look.h"

struct look {
	struct stage_look stages;
	struct arena *a;
	struct err *err;
	VEC(struct stage_status) found;
};

/* Where the stage works, seen from the root. */
static const char *
dir_of(struct look *l, const struct dvc_yaml *y, const struct dvc_yaml_stage *s)
{
	struct buf joined, norm;
	const char *dir = NULL;

	buf_init(&joined, 0);
	buf_init(&norm, 0);
	path_join(&joined, y->dir, s->wdir != NULL ? s->wdir : ".");
	path_normalize(&norm, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&norm))
		dir = arena_strndup(l->a, norm.p, norm.n);
	buf_release(&norm);
	buf_release(&joined);
	return dir;
}

static int
take_changes(struct look *l, struct stage_status *st, const struct stage_inputs *in)
{
	st->changes = arena_array(l->a, in->n + 1, sizeof(*st->changes));
	if (st->changes == NULL)
		return err_nomem(l->err);
	for (size_t i = 0; i < in->n; i++)
		st->changes[st->n++] = (struct stage_change){
		    .path = in->v[i].path, .key = in->v[i].key, .state = in->v[i].state};
	return 0;
}

static int
note_stage(struct look *l, const struct track_file *f, const struct dvc_yaml_stage *s)
{
	struct stage_status st = {.in = f, .stage = s};
	struct stage_run run = {
	    .name = s->name, .dir = dir_of(l, f->yaml, s), .stage = s};
	const struct dvc_lock_stage *ls =
	    f->lock != NULL ? dvc_lock_find(f->lock, s->name) : NULL;
	struct stage_inputs in;

	if (run.dir == NULL)
		return err_nomem(l->err);
	st.always = stage_is_always(s);
	st.command = ls != NULL && ls->cmd != NULL && !stage_command_same(s, ls->cmd);
	if (!s->frozen &&
	    (stage_inputs_look(&l->stages, &run, ls, true, l->a, &in, l->err) != 0 ||
	     take_changes(l, &st, &in) != 0))
		return -1;
	if ((st.n != 0 || st.command || st.always) && vec_push(&l->found, st) != 0)
		return err_nomem(l->err);
	return 0;
}

int
stage_status(const struct workspace *ws, const char *root,
	     struct track_file *const *files, size_t nfiles, struct arena *a,
	     struct diag *d, struct stage_status **out, size_t *n, struct err *err)
{
	struct stage_look_options o = {.ws = ws, .root = root, .diag = d, .arena = a};
	struct look l = {.a = a, .err = err};
	int rc = stage_look_init(&l.stages, &o, err);

	*n = 0;
	if (rc != 0)
		return -1;
	for (size_t i = 0; i < nfiles && rc == 0; i++)
		for (size_t k = 0;
		     files[i]->yaml != NULL && k < files[i]->yaml->nstages && rc == 0;
		     k++)
			if (!files[i]->yaml->stages[k].many)
				rc = note_stage(&l, files[i], &files[i]->yaml->stages[k]);
	*out = rc == 0 ? arena_array(a, l.found.n + 1, sizeof **out) : NULL;
	if (rc == 0 && *out == NULL)
		rc = err_nomem(err);
	if (rc == 0 && l.found.n != 0)
		memcpy(*out, l.found.v, l.found.n * sizeof **out);
	if (rc == 0)
		*n = l.found.n;
	vec_release(&l.found);
	stage_look_release(&l.stages);
	return rc;
}

const char *
stage_change_name(enum stage_change_state state)
{
	static const char *const names[] = {NULL, "new", "deleted", "modified"};

	return names[state];
}
