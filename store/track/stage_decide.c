/*
 * What is to be done about a stage.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/run_cache.h"
#include "store/objects/runs.h"
#include "store/track/stage_entry.h"
#include "store/track/stage_look.h"
#include "store/track/stage_outs.h"
#include "store/track/status.h"

struct decide {
	struct stage_look *l;
	const struct stage_run *run;
	const struct dvc_lock_stage *was;
	const struct stage_how *how;
	struct arena *a;
	struct err *err;
	struct stage_decision *out;
	struct stage_inputs in;
	struct dvc_lock_stage entry; /* of the inputs */
	struct stage_file *outs;
	size_t nouts;
	VEC(struct stage_reason) v;
};

/* ---- reasons ---- */

static int
add(struct decide *d, struct stage_reason r)
{
	return vec_push(&d->v, r) == 0 ? 0 : err_nomem(d->err);
}

static int
add_kind(struct decide *d, enum stage_reason_kind kind)
{
	return add(d, (struct stage_reason){.kind = kind,
					    .state = STAGE_MODIFIED,
					    .was = STAGE_SIDE_UNKNOWN,
					    .is = STAGE_SIDE_UNKNOWN});
}

/* Commands of a list, line by line. */
static const char *
join(struct arena *a, size_t n, const char *(*at)(const void *, size_t), const void *v)
{
	struct buf b;
	const char *text;

	buf_init(&b, 0);
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i > 0 ? "\n" : "", at(v, i));
	text = buf_failed(&b) ? NULL : arena_strndup(a, b.p, b.n);
	buf_release(&b);
	return text;
}

static const char *
own_line(const void *v, size_t i)
{
	return ((const struct dvc_yaml_stage *)v)->cmd[i];
}

static const char *
locked_line(const void *v, size_t i)
{
	const struct yaml_node *n = v;

	if (n->kind == YAML_SEQ)
		n = n->seq.v[i];
	return n->str != NULL ? n->str : "";
}

static int
add_command(struct decide *d)
{
	const struct yaml_node *was = d->was->cmd;
	struct stage_reason r = {.kind = STAGE_COMMAND,
				 .state = STAGE_MODIFIED,
				 .was = STAGE_SIDE_UNKNOWN,
				 .is = STAGE_SIDE_UNKNOWN};

	r.was.text = join(d->a, was->kind == YAML_SEQ ? was->seq.n : 1, locked_line, was);
	r.is.text = join(d->a, d->run->stage->ncmd, own_line, d->run->stage);
	return r.was.text != NULL && r.is.text != NULL ? add(d, r) : err_nomem(d->err);
}

/* What is not there may be right, unless who makes it has made another. */
static bool
is_allowed(struct decide *d, const struct stage_reason *r)
{
	const struct stage_how *how = d->how;
	struct object_id made;

	/* What can be fetched is, once somebody needs it. */
	if (!(how->allow_missing || how->fetch != NULL) || r->kind != STAGE_DEP ||
	    r->state != STAGE_DELETED || d->was == NULL || !object_id_is_set(&r->was.id))
		return false;
	return how->upstream == NULL || how->upstream(how->arg, r->path, &made) != 1 ||
	       object_id_equal(&made, &r->was.id);
}

/* ---- what goes in ---- */

static int
look_inputs(struct decide *d)
{
	const struct dvc_yaml_stage *s = d->run->stage;
	bool always = d->run->native ? s->always_changed : stage_is_always(s);
	int r = 0;

	if (d->how->force)
		r = add_kind(d, STAGE_FORCED);
	else if (d->was == NULL || d->was->cmd == NULL)
		r = add_kind(d, STAGE_NEVER_RAN);
	else if (!stage_command_same(s, d->was->cmd))
		r = add_command(d);
	if (r == 0 && always && !d->how->force)
		r = add_kind(d, STAGE_ALWAYS);
	if (r == 0)
		r = stage_inputs_look(d->l, d->run, d->was, false, d->a, &d->in, d->err);
	for (size_t i = 0; r == 0 && !d->how->force && d->was != NULL && i < d->in.n; i++)
		if (!is_allowed(d, &d->in.v[i]))
			r = add(d, d->in.v[i]);
	return r;
}

/* ---- what comes out ---- */

static int
look_outs(struct decide *d)
{
	int r = 0;

	for (size_t i = 0; i < d->nouts && r == 0; i++) {
		struct stage_reason why;

		r = stage_out_compare(d->l, &d->outs[i], &why, d->err);
		if (r <= 0)
			continue;
		r = 0;
		if (d->how->allow_missing &&
		    (why.state == STAGE_DELETED || why.kind == STAGE_OUT_UNCACHED))
			continue;
		r = add(d, why);
	}
	return r;
}

/* Whether the cache has what the entry ${v} says of all outs; fetched, if there is a way.  1, 0
 * or -1. */
static int
has_outs(struct decide *d, const struct dvc_out *v, size_t n)
{
	struct object_id *ids = arena_array(d->a, d->nouts + 1, sizeof(*ids));
	size_t missing = 0;
	int r;

	if (ids == NULL)
		return err_nomem(d->err);
	for (size_t i = 0; i < d->nouts; i++) {
		const struct dvc_out *o = stage_out_find(v, n, d->outs[i].path, i);

		if (o == NULL)
			return 0;
		ids[missing] = stage_entry_id(&d->outs[i], o);
		/* A task's directory that is more than its list cannot be made from that. */
		if (!object_id_is_set(&ids[missing]) ||
		    (d->run->native && ids[missing].dir && o->meta.isexec))
			return 0;
		r = status_cached(d->l->o.ws, &ids[missing], d->err);
		if (r < 0)
			return -1;
		missing += r == 0;
	}
	if (missing == 0)
		return 1;
	if (d->how->fetch == NULL)
		return 0;
	if (d->how->fetch(d->how->arg, ids, missing, d->err) != 0)
		return -1;
	r = 1;
	for (size_t i = 0; i < missing && r == 1; i++)
		r = status_cached(d->l->o.ws, &ids[i], d->err);
	return r;
}

/* ---- where a result may come from ---- */

static int
set_result(struct decide *d, enum stage_verdict verdict, const char *text)
{
	d->out->verdict = verdict;
	d->out->result = text;
	return 0;
}

/* The lock is right but for the outputs. */
static int
try_lock(struct decide *d)
{
	struct dvc_lock_stage s = d->entry;
	const char *text;
	int r = has_outs(d, d->was->outs, d->was->nouts);

	if (r != 1)
		return r;
	s.outs = arena_array(d->a, d->nouts + 1, sizeof(*s.outs));
	if (s.outs == NULL)
		return err_nomem(d->err);
	for (size_t i = 0; i < d->nouts; i++) {
		s.outs[i] = *d->outs[i].was;
		s.outs[i].where = DVC_IN_REPO;
		s.outs[i].hash = d->outs[i].was_id.legacy ? NULL : "md5";
	}
	s.nouts = d->nouts;
	if (stage_entry_text(d->a, &s, NULL, &text, d->err) != 0)
		return -1;
	return set_result(d, STAGE_RESTORE, text);
}

/* One earlier run: 1 if it can be had, 0 or -1. */
static int
try_run(struct decide *d, const struct run_name *name)
{
	struct dvc_lock_stage s;
	struct err why = {0};
	struct buf b;
	const char *text = NULL;
	int r;

	buf_init(&b, RUN_FILE_MAX);
	r = runs_read(d->l->o.ws->cache, name, &b, &why);
	/* One that is damaged is none. */
	if (r == 0)
		r = run_check(name, b.p, b.n, &why);
	if (r == 0 && (text = arena_strndup(d->a, b.p, b.n)) == NULL)
		r = err_nomem(&why);
	if (r == 0)
		r = dvc_lock_entry_parse(d->a, NULL, d->run->name, d->run->dir, b.p, b.n,
					 &s, &why);
	buf_release(&b);
	if (r != 0) {
		if (why.code != ERR_NOMEM && why.code != ERR_CANCELLED)
			return 0;
		return err_nomem(d->err);
	}
	r = has_outs(d, s.outs, s.nouts);
	if (r == 1)
		(void)set_result(d, STAGE_FROM_RUN_CACHE, text);
	return r;
}

static int
try_run_cache(struct decide *d)
{
	const char **paths = arena_array(d->a, d->nouts + 1, sizeof(*paths));
	struct run_names names = {0};
	char key[RUN_NAME_MAX];
	int r = 0;

	if (paths == NULL)
		return err_nomem(d->err);
	for (size_t i = 0; i < d->nouts; i++)
		paths[i] = d->outs[i].path;
	if (run_key(&d->entry, paths, d->nouts, key, d->err) != 0)
		return -1;
	r = runs_of(d->l->o.ws->cache, key, &names, d->err);
	for (size_t i = 0; i < names.v.n && r == 0; i++)
		r = try_run(d, &names.v.v[i]);
	vec_release(&names.v);
	return r < 0 ? -1 : 0;
}

/* All outputs are what the lock says; only the cache has not got them. */
static bool
is_uncached_only(const struct decide *d)
{
	for (size_t i = 0; i < d->v.n; i++)
		if (d->v.v[i].kind != STAGE_OUT_UNCACHED)
			return false;
	return true;
}

static int
find_result(struct decide *d, bool outs_only)
{
	bool hashable = stage_is_hashable(d->run, &d->entry, d->outs, d->nouts);
	int r = 0;

	if (outs_only && is_uncached_only(d))
		return set_result(d, STAGE_RESTORE, NULL);
	for (size_t i = 0; !hashable && outs_only && i < d->nouts && r == 0; i++)
		if (d->outs[i].out->persist) {
			struct stage_reason why = {.kind = STAGE_UNCACHEABLE,
						   .state = STAGE_MODIFIED,
						   .path = d->outs[i].full,
						   .was = STAGE_SIDE_UNKNOWN,
						   .is = STAGE_SIDE_UNKNOWN};
			r = add(d, why);
		}
	if (r == 0 && hashable && outs_only)
		r = try_lock(d);
	if (r == 0 && hashable && d->out->verdict == STAGE_RUN && !d->how->no_run_cache &&
	    !d->how->force)
		r = try_run_cache(d);
	return r;
}

/* ---- the verdict ---- */

static int
decide_frozen(struct decide *d)
{
	int r = 0;

	if (d->how->force)
		r = add_kind(d, STAGE_FORCED);
	else if (d->was == NULL || d->was->cmd == NULL)
		r = add_kind(d, STAGE_NEVER_RAN);
	else if (!stage_command_same(d->run->stage, d->was->cmd))
		r = add_command(d);
	if (r == 0 && d->v.n == 0)
		r = look_outs(d);
	d->out->verdict = d->v.n > 0 ? STAGE_FROZEN : STAGE_UNCHANGED;
	return r;
}

static int
decide(struct decide *d)
{
	bool outs_only;

	if (look_inputs(d) != 0)
		return -1;
	outs_only = d->v.n == 0;
	if (outs_only && look_outs(d) != 0)
		return -1;
	if (d->v.n == 0) {
		d->out->verdict = STAGE_UNCHANGED;
		return 0;
	}
	d->out->verdict = STAGE_RUN;
	/* What is known without them may be brought back without them. */
	d->out->lacks = d->in.lacks;
	d->out->lacks_param = d->in.lacks_param;
	if (d->in.lacks != NULL && !outs_only)
		return 0;
	if (stage_entry_inputs(d->a, d->run, &d->in, &d->entry, d->err) != 0 ||
	    stage_entry_text(d->a, &d->entry, NULL, &d->out->inputs, d->err) != 0)
		return -1;
	return find_result(d, outs_only);
}

int
stage_decide(struct stage_look *l, const struct stage_run *run,
	     const struct dvc_lock_stage *locked, const struct stage_how *how,
	     struct arena *a, struct stage_decision *out, struct err *err)
{
	struct decide d = {.l = l,
			   .run = run,
			   .was = locked,
			   .how = how,
			   .a = a,
			   .err = err,
			   .out = out};
	int r;

	*out = (struct stage_decision){0};
	r = stage_outs_find(l, run, locked, a, &d.outs, &d.nouts, err);
	if (r == 0)
		r = run->stage->frozen ? decide_frozen(&d) : decide(&d);
	if (r == 0 && d.v.n != 0) {
		out->v = arena_array(a, d.v.n, sizeof(*out->v));
		out->n = d.v.n;
		if (out->v != NULL)
			memcpy(out->v, d.v.v, d.v.n * sizeof(*out->v));
		else
			r = err_nomem(err);
	}
	vec_release(&d.v);
	return r;
}

const char *
stage_verdict_name(enum stage_verdict v)
{
	static const char *const names[] = {
	    [STAGE_RUN] = "run",	 [STAGE_UNCHANGED] = "unchanged",
	    [STAGE_RESTORE] = "restore", [STAGE_FROM_RUN_CACHE] = "run cache",
	    [STAGE_FROZEN] = "frozen",
	};

	return names[v];
}
