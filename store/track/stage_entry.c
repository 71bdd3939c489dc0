#include "store/track/stage_entry.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/run_cache.h"
#include "store/pipeline/value.h"
#include "store/track/stage_look.h"

static struct yaml_node *
command(struct arena *a, const struct dvc_yaml_stage *s)
{
	struct yaml_node *v;

	if (!s->cmd_list)
		return s->ncmd == 1 ? value_str(a, s->cmd[0], strlen(s->cmd[0]), NULL)
				    : value_str(a, "", 0, NULL);
	v = value_list(a, s->ncmd, NULL);
	for (size_t i = 0; v != NULL && i < s->ncmd; i++)
		if ((v->seq.v[i] = value_str(a, s->cmd[i], strlen(s->cmd[i]), NULL)) ==
		    NULL)
			return NULL;
	return v;
}

void
stage_entry_put(struct dvc_out *o, const struct stage_file *f)
{
	if (!f->there && f->was != NULL) {
		*o = *f->was;
	} else {
		dvc_out_none(o);
		o->hash = f->there && f->id.legacy ? NULL : "md5";
		if (f->there)
			dvc_out_set_object(o, &f->id, f->size, f->nfiles, f->exec);
	}
	o->path = f->path;
	o->where = f->inside ? DVC_IN_REPO : DVC_OUTSIDE;
}

struct object_id
stage_entry_id(const struct stage_file *f, const struct dvc_out *o)
{
	struct object_id id = o->meta.md5;

	id.legacy = f->inside && o->hash == NULL && object_id_is_set(&id);
	return id;
}

int
stage_entry_inputs(struct arena *a, const struct stage_run *run,
		   const struct stage_inputs *in, struct dvc_lock_stage *out,
		   struct err *err)
{
	*out = (struct dvc_lock_stage){
	    .name = run->name,
	    .cmd = command(a, run->stage),
	    .deps = arena_array(a, in->ndeps + 1, sizeof(*out->deps)),
	    .params = in->params,
	    .settled = true};
	if (out->cmd == NULL || out->deps == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < in->ndeps; i++)
		stage_entry_put(&out->deps[out->ndeps++], &in->deps[i]);
	return 0;
}

int
stage_entry_text(struct arena *a, const struct dvc_lock_stage *s, struct run_name *name,
		 const char **text, struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, DVC_LOCK_MAX);
	r = run_entry(s, &b, name, err);
	if (r == 0 && (*text = arena_strndup(a, b.p, b.n)) == NULL)
		r = err_nomem(err);
	buf_release(&b);
	return r == 0 ? 0 : err_wrap(err, "'%s' cannot be recorded", s->name);
}

bool
stage_is_hashable(const struct stage_run *run, const struct dvc_lock_stage *e,
		  const struct stage_file *outs, size_t n)
{
	const struct dvc_yaml_stage *s = run->stage;

	if (s->always_changed || s->ncmd == 0 || n == 0 ||
	    (!s->cmd_list && *s->cmd[0] == '\0'))
		return false;
	if (e->ndeps == 0 && e->params == NULL && !run->native)
		return false;
	/* For DVC a file of params with none in it has no hash. */
	for (size_t i = 0; !run->native && e->params != NULL && i < e->params->map.n; i++)
		if (e->params->map.v[i].val->map.n == 0)
			return false;
	for (size_t i = 0; i < n; i++)
		if (!outs[i].inside || outs[i].out->persist)
			return false;
	return true;
}
