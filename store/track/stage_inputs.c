/*
 * What goes into a stage: dependencies, params, the command; as they are, and how that differs
 * from its entry in the lock.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_out.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value.h"
#include "store/track/stage_glob.h"
#include "store/track/stage_look.h"

#define DEFAULT_PARAMS "params.yaml"

struct inputs {
	struct stage_look *l;
	const struct stage_run *run;
	const struct dvc_lock_stage *was; /* NULL: it has never run */
	bool lenient;
	struct arena *a;
	struct err *err;
	struct stage_inputs *out;
	VEC(struct stage_reason) v;
	struct map locked; /* path -> the lock's dependency, once one was looked for */
	const struct yaml_node *was_params; /* settled; never NULL */
	VEC(struct yaml_pair) files;	    /* of params, with what they say now */
};

static const struct yaml_node nothing = {.kind = YAML_MAP};

static int
add(struct inputs *in, struct stage_reason r)
{
	return vec_push(&in->v, r) == 0 ? 0 : err_nomem(in->err);
}

/* The first thing that is not there: a file, or ${key} in it. */
static int
lack(struct inputs *in, const char *path, const char *key)
{
	if (in->out->lacks != NULL)
		return 0;
	in->out->lacks = key != NULL
			     ? arena_printf(in->a, "'%s' is missing from '%s'", key, path)
			     : arena_printf(in->a, "'%s' does not exist", path);
	return in->out->lacks != NULL ? 0 : err_nomem(in->err);
}

static int
lack_param(struct inputs *in, const char *path, const char *key)
{
	in->out->lacks_param = in->out->lacks_param || in->out->lacks == NULL;
	return lack(in, path, key);
}

/* ---- dependencies ---- */

static int
compare_dep(struct inputs *in, const struct stage_file *f)
{
	struct stage_reason r = {.kind = STAGE_DEP,
				 .state = STAGE_MODIFIED,
				 .path = f->full,
				 .was = STAGE_SIDE_UNKNOWN,
				 .is = STAGE_SIDE_UNKNOWN};

	if (f->same)
		return 0;
	if (f->was != NULL) {
		r.was.id = f->was_id;
		r.was.size = f->was->meta.size;
		r.was.nfiles = f->was->meta.nfiles;
		r.meanwhile = !object_id_is_set(&f->was_id);
	}
	r.is.id = f->id;
	r.is.size = f->size;
	r.is.nfiles = f->nfiles;
	if (!f->there) {
		r.state = STAGE_DELETED;
		if (lack(in, f->full, NULL) != 0)
			return -1;
	}
	return add(in, r);
}

/* Its entry in the lock, which mostly is in the same place. */
static int
find_was(struct inputs *in, struct stage_file *f, size_t near)
{
	const struct dvc_lock_stage *was = in->was;

	if (near < was->ndeps && was->deps[near].path != NULL &&
	    strcmp(was->deps[near].path, f->path) == 0) {
		stage_file_was(f, &was->deps[near]);
		return 0;
	}
	for (size_t i = in->locked.n; i < was->ndeps; i++)
		if (was->deps[i].path != NULL &&
		    map_put(&in->locked, was->deps[i].path, &was->deps[i]) < 0)
			return err_nomem(in->err);
	stage_file_was(f, map_get(&in->locked, f->path));
	return 0;
}

/* What somebody will have made of it.  Return whether that is so. */
static bool
take_coming(struct inputs *in, struct stage_file *f)
{
	const char *path = f->full;
	struct object_id id;
	int is = 0;

	if (in->run->coming == NULL)
		return false;
	if (f->glob)
		path = arena_strndup(in->a, path, stage_glob_base(path));
	is = path != NULL ? in->run->coming(in->run->coming_arg, path, &id) : 2;
	if (f->glob && is == 1)
		is = 2;
	if (is == 0)
		return false;
	f->id = is == 1 ? id : f->was_id;
	f->there = object_id_is_set(&f->id);
	f->same = is == 2 || object_id_equal(&f->id, &f->was_id);
	f->size = f->same && f->was != NULL ? f->was->meta.size : -1;
	f->nfiles = f->same && f->was != NULL ? f->was->meta.nfiles : -1;
	return true;
}

static int
look_dep(struct inputs *in, size_t i)
{
	struct stage_inputs *out = in->out;
	struct stage_file *f = &out->deps[out->ndeps];
	const char *path = in->run->stage->deps[i].path;
	int r = stage_file_find(in->l, in->a, in->run->dir, path, f, in->err);

	if (r > 0)
		return in->lenient
			   ? 0
			   : err_set(in->err, ERR_INVALID,
				     "'%s' depends on '%s', an address: only files and "
				     "directories can be looked at ('dag import-url' "
				     "makes one of it)",
				     in->run->name, path);
	if (r != 0)
		return -1;
	/* With what is recorded of it in it, it would never be what is recorded. */
	if (!f->inside && path_is_below(in->l->o.root, f->full))
		return in->lenient
			   ? 0
			   : err_set(
				 in->err, ERR_INVALID,
				 "'%s' depends on '%s', in which all of the "
				 "repository lies, with the records of its runs: name "
				 "what it needs of it",
				 in->run->name, path);
	f->glob = in->run->stage->deps[i].glob && f->inside;
	if (in->was != NULL && find_was(in, f, i) != 0)
		return -1;
	if (!take_coming(in, f) && stage_file_scan(in->l, f, in->err) != 0)
		return -1;
	out->ndeps++;
	return compare_dep(in, f);
}

static int
drop_dep(struct inputs *in, const struct dvc_out *was)
{
	struct stage_reason why = {.kind = STAGE_DEP,
				   .state = STAGE_DELETED,
				   .was = STAGE_SIDE_UNKNOWN,
				   .is = STAGE_SIDE_UNKNOWN};
	struct stage_file f;
	int r = stage_file_find(in->l, in->a, in->run->dir, was->path, &f, in->err);

	if (r != 0)
		return r < 0 ? -1 : 0;
	/* A glob may meet it when it is its turn. */
	if (in->run->coming != NULL &&
	    in->run->coming(in->run->coming_arg, f.full, &why.is.id) != 0)
		return 0;
	why.path = f.full;
	why.dropped = true;
	why.was.id = was->meta.md5;
	why.was.size = was->meta.size;
	why.was.nfiles = was->meta.nfiles;
	return add(in, why);
}

/* It was one of those that are one by now. */
static bool
is_of_glob(const struct inputs *in, const char *path)
{
	const struct stage_inputs *out = in->out;

	for (size_t i = 0; i < out->ndeps; i++)
		if (out->deps[i].glob && path_glob_match(out->deps[i].path, path))
			return true;
	return false;
}

/* What a task of a DAG file has no more counts as well. */
static int
find_dropped_deps(struct inputs *in)
{
	const struct dvc_lock_stage *was = in->was;
	struct map now = {0};
	int r = 0;

	for (size_t i = 0; was != NULL && i < in->out->ndeps && r == 0; i++)
		if (map_put(&now, in->out->deps[i].path, &in->out->deps[i]) < 0)
			r = err_nomem(in->err);
	for (size_t i = 0; was != NULL && i < was->ndeps && r == 0; i++)
		if (was->deps[i].path != NULL &&
		    !map_hasn(&now, was->deps[i].path, strlen(was->deps[i].path)) &&
		    !is_of_glob(in, was->deps[i].path))
			r = drop_dep(in, &was->deps[i]);
	map_release(&now);
	return r;
}

/* ---- params ---- */

static const char *
spell(struct inputs *in, const struct yaml_node *v)
{
	struct buf b;
	const char *text = NULL;

	if (v == NULL || v->kind == YAML_MAP || v->kind == YAML_SEQ)
		return NULL;
	buf_init(&b, 0);
	value_put_text(v, &b);
	if (!buf_failed(&b))
		text = arena_strndup(in->a, b.p, b.n);
	buf_release(&b);
	return text;
}

/* ${now} and ${was}: NULL where there is none. */
static int
compare_param(struct inputs *in, const char *path, const char *key,
	      const struct yaml_node *now, const struct yaml_node *was)
{
	struct stage_reason r = {.kind = STAGE_PARAM,
				 .state = STAGE_MODIFIED,
				 .path = path,
				 .key = key,
				 .was = STAGE_SIDE_UNKNOWN,
				 .is = STAGE_SIDE_UNKNOWN};

	if (now == NULL)
		r.state = STAGE_DELETED;
	else if (was == NULL)
		r.state = STAGE_NEW;
	else if (value_equal(now, was))
		return 0;
	/* The lock may go before the reason does. */
	r.path = arena_strdup(in->a, path);
	r.key = arena_strdup(in->a, key);
	if (r.path == NULL || r.key == NULL)
		return err_nomem(in->err);
	r.was.text = spell(in, was);
	r.is.text = spell(in, now);
	return add(in, r);
}

/* What it has, then what it had. */
static int
compare_map(struct inputs *in, const char *path, const struct yaml_node *now,
	    const struct yaml_node *was)
{
	int r = 0;

	for (size_t i = 0; i < now->map.n && r == 0; i++) {
		const char *key = now->map.v[i].key->str;

		r = compare_param(in, path, key, now->map.v[i].val, yaml_get(was, key));
	}
	for (size_t i = 0; i < was->map.n && r == 0; i++) {
		const char *key = was->map.v[i].key->str;

		if (yaml_get(now, key) == NULL)
			r = compare_param(in, path, key, NULL, was->map.v[i].val);
	}
	return r;
}

static int
by_key(const void *a, const void *b)
{
	const struct yaml_pair *x = a, *y = b;

	return strcmp(x->key->str, y->key->str);
}

/* What the file says of the keys that are asked for, as the lock has it: sorted by them. */
static struct yaml_node *
chosen(struct inputs *in, const struct dvc_yaml_params *p, const struct yaml_node *now)
{
	bool all = p->whole && now->kind == YAML_MAP;
	size_t n = all ? now->map.n : p->n;
	struct yaml_node *v = value_map(in->a, n, NULL);

	if (v == NULL)
		return NULL;
	v->map.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct yaml_pair *to = &v->map.v[v->map.n];

		if (all) {
			*to = now->map.v[i];
		} else {
			const struct yaml_node *found = value_find(now, p->keys[i]);

			if (found == NULL)
				continue;
			to->key = value_str(in->a, p->keys[i], strlen(p->keys[i]), NULL);
			to->val = (struct yaml_node *)(uintptr_t)found;
			if (to->key == NULL)
				return NULL;
		}
		v->map.n++;
	}
	qsort(v->map.v, v->map.n, sizeof(*v->map.v), by_key);
	return v;
}

/* A date can stand in the file, but not in the lock. */
static int
check_dates(struct inputs *in, const char *path, const struct yaml_node *v)
{
	int r = 0;

	if (value_is_date(v))
		return err_set(in->err, ERR_INVALID,
			       "%s:%u:%u: error: a date or a time cannot be a value: "
			       "quote it, to make it a text",
			       path, v->line, v->col);
	for (size_t i = 0; v->kind == YAML_SEQ && i < v->seq.n && r == 0; i++)
		r = check_dates(in, path, v->seq.v[i]);
	for (size_t i = 0; v->kind == YAML_MAP && i < v->map.n && r == 0; i++) {
		r = check_dates(in, path, v->map.v[i].key);
		if (r == 0)
			r = check_dates(in, path, v->map.v[i].val);
	}
	return r;
}

static int
keep_file(struct inputs *in, const char *path, struct yaml_node *v)
{
	struct yaml_pair p = {.key = value_str(in->a, path, strlen(path), NULL),
			      .val = v};

	if (p.key == NULL || v == NULL || vec_push(&in->files, p) != 0)
		return err_nomem(in->err);
	return 0;
}

/* Nothing can be said of its keys. */
static int
compare_file(struct inputs *in, const struct stage_file *f, enum stage_change_state state)
{
	return add(in, (struct stage_reason){.kind = STAGE_PARAM,
					     .state = state,
					     .path = f->full,
					     .was = STAGE_SIDE_UNKNOWN,
					     .is = STAGE_SIDE_UNKNOWN});
}

static int
compare_keys(struct inputs *in, const struct stage_file *f,
	     const struct dvc_yaml_params *p, const struct yaml_node *now,
	     const struct yaml_node *was)
{
	int r = 0;

	if (p->whole)
		return compare_map(in, f->full, now->kind == YAML_MAP ? now : &nothing,
				   was);
	for (size_t i = 0; i < p->n && r == 0; i++)
		r = compare_param(in, f->full, p->keys[i], value_find(now, p->keys[i]),
				  yaml_get(was, p->keys[i]));
	return r;
}

static int
look_file(struct inputs *in, const struct dvc_yaml_params *p)
{
	const struct yaml_node *now, *was;
	struct yaml_node *asked;
	struct stage_file f;
	int r = stage_file_find(in->l, in->a, in->run->dir, p->file, &f, in->err);

	if (r < 0)
		return -1;
	/* What cannot be read cannot be compared. */
	if (r > 0 || (in->lenient && params_is_python(f.full)))
		return in->lenient ? 0
				   : err_set(in->err, ERR_INVALID,
					     "'%s' has params at an address, '%s', "
					     "which is not read",
					     in->run->name, p->file);
	if (stage_params_read(in->l, f.full, &now, in->err) != 0)
		return -1;
	if (now == NULL)
		return compare_file(in, &f, STAGE_DELETED) == 0
			   ? lack_param(in, f.full, NULL)
			   : -1;
	if (!in->lenient && now->kind != YAML_MAP)
		return err_set(in->err, ERR_INVALID, "%s must be a mapping, not %s",
			       f.full, yaml_kind_name(now->kind));
	for (size_t i = 0; i < p->n && r == 0; i++)
		if (value_find(now, p->keys[i]) == NULL)
			r = lack_param(in, f.full, p->keys[i]);
	asked = r == 0 ? chosen(in, p, now) : NULL;
	if (asked != NULL && !in->lenient && check_dates(in, f.full, asked) != 0)
		return -1;
	if (r == 0)
		r = keep_file(in, f.path, asked);
	in->out->unhashable =
	    in->out->unhashable || (p->whole && now->kind == YAML_MAP && now->map.n == 0);
	was = yaml_get(in->was_params, f.path);
	if (r != 0)
		return -1;
	return was == NULL || was->kind != YAML_MAP ? compare_file(in, &f, STAGE_NEW)
						    : compare_keys(in, &f, p, now, was);
}

static int
look_extra(struct inputs *in)
{
	const struct yaml_node *x = in->run->extra, *was;
	int r = 0;

	for (size_t i = 0; x != NULL && i < x->map.n && r == 0; i++) {
		const char *file = x->map.v[i].key->str;

		was = yaml_get(in->was_params, file);
		r = keep_file(in, file, x->map.v[i].val);
		if (r == 0)
			r = compare_map(in, file, x->map.v[i].val,
					was != NULL && was->kind == YAML_MAP ? was
									     : &nothing);
	}
	return r;
}

/* Of a DAG file: what the lock has and nobody asks for any more. */
static int
find_dropped_files(struct inputs *in)
{
	const struct yaml_node *was = in->was_params;
	int r = 0;

	for (size_t i = 0; i < was->map.n && r == 0; i++) {
		size_t k = 0;

		while (k < in->files.n &&
		       strcmp(in->files.v[k].key->str, was->map.v[i].key->str) != 0)
			k++;
		if (k == in->files.n && was->map.v[i].val->kind == YAML_MAP)
			r = compare_map(in, was->map.v[i].key->str, &nothing,
					was->map.v[i].val);
	}
	return r;
}

static int
by_file(const void *a, const void *b)
{
	const struct yaml_pair *x = a, *y = b;
	bool p = strcmp(x->key->str, DEFAULT_PARAMS) == 0,
	     q = strcmp(y->key->str, DEFAULT_PARAMS) == 0;

	return p != q ? (int)q - (int)p : strcmp(x->key->str, y->key->str);
}

static int
look_params(struct inputs *in)
{
	const struct dvc_yaml_stage *s = in->run->stage;
	const struct yaml_node *was = in->was != NULL ? in->was->params : NULL;
	struct yaml_node *copy, *all;
	int r = 0;

	in->was_params = &nothing;
	if (was != NULL && was->map.n != 0) {
		/* The lock may be others', too. */
		copy = value_copy(in->a, was);
		if (copy == NULL || value_settle(in->a, copy, NULL, 0) != 0)
			return err_nomem(in->err);
		in->was_params = copy;
	}
	for (size_t i = 0; i < s->nparams && r == 0; i++)
		r = look_file(in, &s->params[i]);
	if (r == 0)
		r = look_extra(in);
	if (r == 0 && in->run->native)
		r = find_dropped_files(in);
	if (r != 0 || in->files.n == 0)
		return r;
	qsort(in->files.v, in->files.n, sizeof(*in->files.v), by_file);
	all = value_map(in->a, in->files.n, NULL);
	if (all == NULL)
		return err_nomem(in->err);
	memcpy(all->map.v, in->files.v, in->files.n * sizeof(*in->files.v));
	in->out->params = all;
	return 0;
}

/* ---- all ---- */

int
stage_inputs_look(struct stage_look *l, const struct stage_run *run,
		  const struct dvc_lock_stage *locked, bool lenient, struct arena *a,
		  struct stage_inputs *out, struct err *err)
{
	const struct dvc_yaml_stage *s = run->stage;
	struct inputs in = {.l = l,
			    .run = run,
			    .was = locked,
			    .lenient = lenient,
			    .a = a,
			    .err = err,
			    .out = out};
	int r = 0;

	*out = (struct stage_inputs){
	    .deps = arena_array(a, s->ndeps + 1, sizeof(*out->deps))};
	if (out->deps == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->ndeps && r == 0; i++)
		r = look_dep(&in, i);
	if (r == 0 && run->native)
		r = find_dropped_deps(&in);
	if (r == 0)
		r = look_params(&in);
	if (r == 0 && in.v.n != 0) {
		out->v = arena_array(a, in.v.n, sizeof(*out->v));
		out->n = in.v.n;
		if (out->v != NULL)
			memcpy(out->v, in.v.v, in.v.n * sizeof(*out->v));
		else
			r = err_nomem(err);
	}
	vec_release(&in.v);
	vec_release(&in.files);
	map_release(&in.locked);
	return r;
}

bool
stage_command_same(const struct dvc_yaml_stage *s, const struct yaml_node *was)
{
	if (!s->cmd_list)
		return was->kind == YAML_STR && s->ncmd == 1 &&
		       strcmp(was->str, s->cmd[0]) == 0;
	if (was->kind != YAML_SEQ || was->seq.n != s->ncmd)
		return false;
	for (size_t i = 0; i < s->ncmd; i++)
		if (was->seq.v[i]->kind != YAML_STR ||
		    strcmp(was->seq.v[i]->str, s->cmd[i]) != 0)
			return false;
	return true;
}

bool
stage_is_always(const struct dvc_yaml_stage *s)
{
	return s->always_changed || (s->ndeps == 0 && s->nparams == 0 && s->nouts == 0);
}
