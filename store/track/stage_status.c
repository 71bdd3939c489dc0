#include "store/track/stage_status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/pipeline.h"
#include "store/pipeline/value.h"
#include "store/track/collect.h"
#include "store/track/status.h"
#include "store/track/workspace.h"

/* A dependency that is to be looked at, and whose it is. */
struct dep {
	size_t stage; /* of found */
	size_t at;    /* of its changes */
};

struct look {
	const struct workspace *ws;
	const char *root;
	struct arena *a;
	struct diag *d;
	struct err *err;
	VEC(struct stage_status) found;
	VEC(struct status_out) outs; /* the dependencies, and */
	VEC(struct dep) deps;	     /* whose they are */
	struct map params;	     /* path -> tree of the file */
};

static const struct yaml_node no_file; /* what stands for one that is not there */

/* ---- paths ---- */

/* Relative to the root where it lies below it, else absolute; NULL: a URL, or no memory, which
 * err tells. */
static const char *
full_path(struct look *l, const struct dvc_yaml *y, const struct dvc_yaml_stage *s,
	  const char *path, bool *url)
{
	const char *full = NULL;
	struct buf dir, joined, out;
	size_t n = strlen(l->root);

	*url = strstr(path, "://") != NULL;
	if (*url)
		return NULL;
	buf_init(&dir, 0);
	buf_init(&joined, 0);
	buf_init(&out, 0);
	buf_adds(&dir, l->root);
	buf_addf(&dir, "/%s/%s", y->dir, s->wdir != NULL ? s->wdir : ".");
	path_join(&joined, dir.p, path);
	path_normalize(&out, joined.p);
	if (!buf_failed(&dir) && !buf_failed(&joined) && !buf_failed(&out))
		full =
		    arena_strdup(l->a, strncmp(out.p, l->root, n) == 0 && out.p[n] == '/'
					   ? out.p + n + 1
					   : out.p);
	buf_release(&out);
	buf_release(&joined);
	buf_release(&dir);
	if (full == NULL)
		(void)err_nomem(l->err);
	return full;
}

/* ---- one stage ---- */

static int
add_change(struct look *l, struct stage_status *s, size_t *cap, struct stage_change c)
{
	if (s->n == *cap) {
		size_t more = *cap == 0 ? 8 : 2 * *cap;
		struct stage_change *v = arena_array(l->a, more, sizeof *v);

		if (v == NULL)
			return err_nomem(l->err);
		if (s->n != 0)
			memcpy(v, s->changes, s->n * sizeof *v);
		s->changes = v;
		*cap = more;
	}
	s->changes[s->n++] = c;
	return 0;
}

static const struct dvc_out *
locked_dep(const struct dvc_lock_stage *ls, const char *path, size_t near)
{
	if (ls == NULL)
		return NULL;
	if (near < ls->ndeps && ls->deps[near].path != NULL &&
	    strcmp(ls->deps[near].path, path) == 0)
		return &ls->deps[near];
	for (size_t i = 0; i < ls->ndeps; i++)
		if (ls->deps[i].path != NULL && strcmp(ls->deps[i].path, path) == 0)
			return &ls->deps[i];
	return NULL;
}

/* Its place among the changes is kept; how it is is seen of all of them at once. */
static int
note_dep(struct look *l, struct stage_status *s, size_t *cap, const char *path,
	 const struct dvc_out *was)
{
	struct dep d = {.stage = l->found.n, .at = s->n};
	struct status_out o = {.path = path};

	if (was != NULL)
		o.id = was->meta.md5;
	if (add_change(l, s, cap, (struct stage_change){.path = path}) != 0)
		return -1;
	if (vec_push(&l->outs, o) != 0 || vec_push(&l->deps, d) != 0)
		return err_nomem(l->err);
	return 0;
}

static int
note_deps(struct look *l, struct stage_status *s, size_t *cap,
	  const struct dvc_lock_stage *ls)
{
	for (size_t i = 0; i < s->stage->ndeps; i++) {
		const char *path = s->stage->deps[i].path, *full;
		bool url;

		full = full_path(l, s->in->yaml, s->stage, path, &url);
		if (url)
			continue;
		if (full == NULL ||
		    note_dep(l, s, cap, full, locked_dep(ls, path, i)) != 0)
			return -1;
	}
	return 0;
}

/* ---- params ---- */

/* The file's tree, read once; &no_file where there is none; NULL with the error. */
static const struct yaml_node *
params_at(struct look *l, const char *path)
{
	const struct yaml_node *known = map_get(&l->params, path);
	struct yaml_node *top = NULL;
	struct err why = {0};
	struct buf text;
	const char *copy;
	int rc;

	if (known != NULL)
		return known;
	buf_init(&text, PIPELINE_PARAMS_MAX);
	rc = fsio_read(l->ws->root_fd, path, PIPELINE_PARAMS_MAX, &text, &why);
	copy = rc == 0 ? arena_strndup(l->a, text.p, text.n) : NULL;
	if (rc != 0 && why.code != ERR_NOTFOUND)
		*l->err = why;
	else if (rc == 0 && copy == NULL)
		(void)err_nomem(l->err);
	else if (rc != 0)
		known = &no_file;
	else if ((rc = params_parse(l->a, l->d, path, copy, text.n, &top)) == 0)
		known = top;
	else if (rc > 0)
		(void)err_set(l->err, ERR_INVALID, "%s has mistakes", path);
	else
		(void)err_nomem(l->err);
	buf_release(&text);
	if (known != NULL && map_put(&l->params, path, (void *)(uintptr_t)known) < 0) {
		(void)err_nomem(l->err);
		return NULL;
	}
	return known;
}

/* As the last run had it: the keys of dvc.lock have points in them. */
static const struct yaml_node *
locked_param(const struct yaml_node *was, const char *key)
{
	return was->kind == YAML_MAP ? yaml_get(was, key) : NULL;
}

static int
note_param(struct look *l, struct stage_status *s, size_t *cap, const char *path,
	   const char *key, const struct yaml_node *now, const struct yaml_node *was)
{
	struct stage_change c = {.path = path, .key = key};

	if (now == NULL)
		c.state = STAGE_DELETED;
	else if (was == NULL)
		c.state = STAGE_NEW;
	else if (!value_equal(now, was))
		c.state = STAGE_MODIFIED;
	else
		return 0;
	return add_change(l, s, cap, c);
}

/* All of a file: what it has, then what it had. */
static int
note_whole(struct look *l, struct stage_status *s, size_t *cap, const char *path,
	   const struct yaml_node *now, const struct yaml_node *was)
{
	int rc = 0;

	for (size_t i = 0; now->kind == YAML_MAP && i < now->map.n && rc == 0; i++)
		rc =
		    note_param(l, s, cap, path, now->map.v[i].key->str, now->map.v[i].val,
			       locked_param(was, now->map.v[i].key->str));
	for (size_t i = 0; was->kind == YAML_MAP && i < was->map.n && rc == 0; i++)
		if (yaml_get(now, was->map.v[i].key->str) == NULL)
			rc = note_param(l, s, cap, path, was->map.v[i].key->str, NULL,
					was->map.v[i].val);
	return rc;
}

static int
note_file(struct look *l, struct stage_status *s, size_t *cap,
	  const struct dvc_yaml_params *p, struct yaml_node *locked)
{
	struct yaml_node *was = locked != NULL ? yaml_get(locked, p->file) : NULL;
	const struct yaml_node *now;
	const char *path;
	bool url;
	int rc = 0;

	path = full_path(l, s->in->yaml, s->stage, p->file, &url);
	if (path == NULL)
		return url ? 0 : -1;
	/* What cannot be read cannot be compared. */
	if (params_is_python(path))
		return 0;
	now = params_at(l, path);
	if (now == NULL)
		return -1;
	if (now == &no_file || was == NULL)
		return add_change(l, s, cap,
				  (struct stage_change){.path = path,
							.state = now == &no_file
								     ? STAGE_DELETED
								     : STAGE_NEW});
	if (value_settle(l->a, was, NULL, 0) != 0)
		return err_nomem(l->err);
	if (p->whole)
		return note_whole(l, s, cap, path, now, was);
	for (size_t i = 0; i < p->n && rc == 0; i++)
		rc = note_param(l, s, cap, path, p->keys[i], value_find(now, p->keys[i]),
				locked_param(was, p->keys[i]));
	return rc;
}

/* ---- all ---- */

static bool
same_command(const struct dvc_yaml_stage *s, const struct yaml_node *was)
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

static int
note_stage(struct look *l, const struct track_file *f, const struct dvc_yaml_stage *s)
{
	struct stage_status st = {.in = f, .stage = s};
	const struct dvc_lock_stage *ls =
	    f->lock != NULL ? dvc_lock_find(f->lock, s->name) : NULL;
	struct yaml_node params = {0};
	size_t cap = 0;
	int rc = 0;

	st.always =
	    s->always_changed || (s->ndeps == 0 && s->nparams == 0 && s->nouts == 0);
	st.command = ls != NULL && ls->cmd != NULL && !same_command(s, ls->cmd);
	if (ls != NULL && ls->params != NULL)
		params = *ls->params;
	if (!s->frozen)
		rc = note_deps(l, &st, &cap, ls);
	for (size_t i = 0; !s->frozen && i < s->nparams && rc == 0; i++)
		rc = note_file(l, &st, &cap, &s->params[i],
			       ls != NULL && ls->params != NULL ? &params : NULL);
	if (rc == 0 && vec_push(&l->found, st) != 0)
		rc = err_nomem(l->err);
	return rc;
}

/* Those that lie elsewhere are looked at from the root of the file system, without index. */
static int
see_deps(struct look *l)
{
	struct workspace all = {.root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				.workers = l->ws->workers,
				.meter = l->ws->meter,
				.others = l->ws->others};
	size_t n = l->outs.n;
	int rc = all.root_fd >= 0 ? 0 : err_sys(l->err, errno, "cannot open '/'");

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct status_out *o = &l->outs.v[i], there = *o;

		if (o->path[0] != '/') {
			rc = status_outs(l->ws, o, 1, l->err);
			continue;
		}
		there.path = o->path + 1;
		rc = status_outs(&all, &there, 1, l->err);
		o->state = there.state;
	}
	if (all.root_fd >= 0)
		(void)close(all.root_fd);
	return rc;
}

/* Put what was seen to its place; what is the same is left out. */
static void
keep_changes(struct look *l, struct stage_status **out, size_t *nout)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->deps.n; i++) {
		static const enum stage_change_state states[] = {
		    [OUT_RIGHT] = STAGE_SAME,
		    [OUT_MODIFIED] = STAGE_MODIFIED,
		    [OUT_DELETED] = STAGE_DELETED,
		    [OUT_NOT_IN_CACHE] = STAGE_SAME};

		l->found.v[l->deps.v[i].stage].changes[l->deps.v[i].at].state =
		    states[l->outs.v[i].state];
	}
	for (size_t i = 0; i < l->found.n; i++) {
		struct stage_status s = l->found.v[i];
		size_t n = 0;

		for (size_t k = 0; k < s.n; k++)
			if (s.changes[k].state != STAGE_SAME)
				s.changes[n++] = s.changes[k];
		s.n = n;
		if (n != 0 || s.command || s.always)
			(*out)[kept++] = s;
	}
	*nout = kept;
}

int
stage_status(const struct workspace *ws, const char *root,
	     struct track_file *const *files, size_t nfiles, struct arena *a,
	     struct diag *d, struct stage_status **out, size_t *n, struct err *err)
{
	struct look l = {.ws = ws, .root = root, .a = a, .d = d, .err = err};
	int rc = 0;

	*n = 0;
	for (size_t i = 0; i < nfiles && rc == 0; i++)
		for (size_t k = 0;
		     files[i]->yaml != NULL && k < files[i]->yaml->nstages && rc == 0;
		     k++)
			if (!files[i]->yaml->stages[k].many)
				rc = note_stage(&l, files[i], &files[i]->yaml->stages[k]);
	if (rc == 0 && l.outs.n != 0)
		rc = see_deps(&l);
	*out = rc == 0 ? arena_array(a, l.found.n + 1, sizeof **out) : NULL;
	if (rc == 0 && *out == NULL)
		rc = err_nomem(err);
	if (rc == 0)
		keep_changes(&l, out, n);
	vec_release(&l.found);
	vec_release(&l.outs);
	vec_release(&l.deps);
	map_release(&l.params);
	return rc;
}

const char *
stage_change_name(enum stage_change_state state)
{
	static const char *const names[] = {NULL, "new", "deleted", "modified"};

	return names[state];
}
