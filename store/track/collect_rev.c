#include "store/track/collect_rev.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "store/dvc/ignore.h"
#include "store/git.h"
#include "store/meter.h"
#include "store/track/collect_internal.h"
#include "store/track/task_lock.h"
#include "store/track/track.h"

#define BARE_MAX 500000 /* directories that are remembered to have nothing in them */

/* A file that was read, with what came of it. */
struct kept {
	char *key; /* its path and the ids of its blobs */
	struct collector c;
	struct err first;
};

struct track_revs {
	struct track *t;
	struct repo *git;
	char *prefix;	     /* of the root below git's top, "" or "a/b" */
	struct arena *arena; /* of the keys of bare */
	struct map bare;     /* ids of directories */
	struct map kept;     /* key -> struct kept */
	size_t bytes;	     /* of the texts that are kept */
};

/* A directory that the walk is in. */
struct above {
	const char *path, *id;
	bool bare; /* nothing of interest was found so far */
};

/* One commit while it is looked at. */
struct walk {
	struct track_revs *r;
	struct arena *arena;
	struct map blobs;	    /* path -> id of what is of interest */
	struct map nested;	    /* directories that are repositories of their own */
	VEC(const char *) pointers; /* paths */
	VEC(struct above) above;
	struct meter *meter;
	size_t read; /* bytes of the blobs of the file that is being read */
};

/* ---- the walk over a commit ---- */

/* The path as seen from the root; NULL: it does not lie in it. */
static const char *
below(const struct walk *w, const char *path)
{
	size_t n = strlen(w->r->prefix);

	if (n == 0)
		return path;
	return strncmp(path, w->r->prefix, n) == 0 && path[n] == '/' ? path + n + 1
								     : NULL;
}

/* Leave the directories that ${path} does not lie in; those without anything of interest need
 * not be looked at again. */
static int
leave_to(struct walk *w, const char *path, struct err *err)
{
	struct above *top;
	const char *id;

	while (w->above.n > 0) {
		top = &w->above.v[w->above.n - 1];
		if (path != NULL && path_is_below(path, top->path))
			return 0;
		w->above.n--;
		if (!top->bare || w->r->bare.n >= BARE_MAX)
			continue;
		id = arena_strdup(w->r->arena, top->id);
		if (id == NULL || map_put(&w->r->bare, id, w->r) < 0)
			return err_nomem(err);
	}
	return 0;
}

/* Something of interest lies here. */
static void
mark(struct walk *w)
{
	vec_foreach (&w->above, struct above, it)
		it->bare = false;
}

/* Take down that the directory which ${path} (".../.dvc") lies in is another repository. */
static int
note_nested(struct walk *w, const char *path, struct err *err)
{
	size_t n = (size_t)(path_basename(path) - path);
	char *dir;

	mark(w);
	if (n == 0)
		return 0; /* our own */
	dir = arena_strndup(w->arena, path, n - 1);
	return dir != NULL && map_put(&w->nested, dir, w) >= 0 ? 0 : err_nomem(err);
}

static int
visit_dir(void *ctx, const struct repo_entry *e, struct err *err)
{
	struct walk *w = ctx;
	const char *path = below(w, e->path), *name = path_basename(e->path);
	struct above a = {.bare = true};

	if (meter_cancelled(w->meter))
		return err_set(err, ERR_CANCELLED, "stopped");
	if (path == NULL)
		return path_is_below(w->r->prefix, e->path);
	if (leave_to(w, path, err) != 0)
		return -1;
	if (strcmp(name, ".dvc") == 0)
		return note_nested(w, path, err);
	if (strcmp(name, ".dag") == 0 || strcmp(name, ".hg") == 0 ||
	    map_hasn(&w->r->bare, e->id, strlen(e->id)))
		return 0;
	a.path = arena_strdup(w->arena, path);
	a.id = arena_strdup(w->arena, e->id);
	if (a.path == NULL || a.id == NULL || vec_push(&w->above, a) != 0)
		return err_nomem(err);
	return 1;
}

/* A DAG file whose lock was seen; it comes first ("p.dag.lock", "p.yaml").  1, 0 or -1. */
static int
has_lock(struct walk *w, const char *path)
{
	int has;
	struct buf b;

	if (!w->r->t->results || !task_lock_dag_is(path))
		return 0;
	buf_init(&b, 0);
	task_lock_beside(path, &b);
	has = buf_failed(&b) ? -1 : map_hasn(&w->blobs, b.p, b.n);
	buf_release(&b);
	return has;
}

static int
visit_file(void *ctx, const struct repo_entry *e, struct err *err)
{
	struct walk *w = ctx;
	const char *path = below(w, e->path), *name = path_basename(e->path);
	bool pointer;
	int dag;
	char *id;

	if (path == NULL)
		return 0;
	if (leave_to(w, path, err) != 0)
		return -1;
	if (strcmp(name, ".dvc") == 0)
		return note_nested(w, path, err);
	pointer = collector_is_pointer(name) || (w->r->t->results && task_lock_is(name));
	if (!pointer && strcmp(name, "dvc.lock") != 0 &&
	    strcmp(name, ".dvcignore") != 0) {
		dag = has_lock(w, path);
		if (dag <= 0)
			return dag < 0 ? err_nomem(err) : 0;
	}
	if (e->mode != 0100644 && e->mode != 0100755)
		return 0;
	mark(w);
	path = arena_strdup(w->arena, path);
	id = arena_strdup(w->arena, e->id);
	if (path == NULL || id == NULL || map_put(&w->blobs, path, id) < 0 ||
	    (pointer && vec_push(&w->pointers, path) != 0))
		return err_nomem(err);
	return 0;
}

/* ---- reading ---- */

static int
read_blob(void *ctx, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct walk *w = ctx;
	const char *id = map_get(&w->blobs, path);
	size_t start = out->n;

	if (id == NULL)
		return 0;
	if (repo_blob(w->r->git, id, max, out, err) != 0)
		return err_wrap(err, "'%s'", path);
	w->read += out->n - start;
	return 1;
}

static int
read_rules(void *ctx, const char *path, struct buf *out, struct err *err)
{
	return read_blob(ctx, path, IGNORE_FILE_MAX, out, err);
}

/* A file is the same if it and the dvc.lock beside it are, or of a lock the DAG file. */
static char *
kept_key(struct walk *w, const char *path)
{
	size_t dir = (size_t)(path_basename(path) - path);
	const char *id = map_get(&w->blobs, path), *lock = NULL;
	struct buf b;
	char *key;

	buf_init(&b, 0);
	if (strcmp(path + dir, "dvc.yaml") == 0) {
		buf_addf(&b, "%.*sdvc.lock", (int)dir, path);
		lock = buf_failed(&b) ? NULL : map_get(&w->blobs, b.p);
		buf_clear(&b);
	}
	buf_addf(&b, "%s\n%s\n%s", path, id != NULL ? id : "", lock != NULL ? lock : "");
	for (size_t i = 0; task_lock_is(path) && i < TASK_LOCK_DAGS; i++) {
		struct buf dag;

		buf_init(&dag, 0);
		task_lock_dag(path, i, &dag);
		id = buf_failed(&dag) ? NULL : map_get(&w->blobs, dag.p);
		buf_addf(&b, "\n%s", id != NULL ? id : "");
		if (buf_failed(&dag))
			b.state = dag.state;
		buf_release(&dag);
	}
	key = buf_steal(&b);
	buf_release(&b);
	return key;
}

static void
kept_free(struct kept *k)
{
	struct track_list l = {0};

	if (k == NULL)
		return;
	(void)collector_finish(&k->c, false, &l, NULL);
	for (size_t i = 0; i < l.nfiles; i++)
		l.files[i]->shared = false;
	track_list_free(&l);
	free(k->key);
	free(k);
}

/* Read a pointer file with nothing else in the collector. */
static struct kept *
read_kept(struct walk *w, char *key, const char *path, struct diag *d, struct err *err)
{
	struct kept *k = calloc(1, sizeof(*k));
	size_t from;

	if (k == NULL || (k->c.arena = arena_new(0)) == NULL) {
		(void)err_nomem(err);
		free(key);
		free(k);
		return NULL;
	}
	k->key = key;
	k->c.read = read_blob;
	k->c.ctx = w;
	k->c.track = w->r->t;
	k->c.diag = d;
	k->c.first = &k->first;
	w->read = 0;
	if (collector_take(&k->c, path, &from, err) != 0) {
		kept_free(k);
		return NULL;
	}
	k->c.ctx = NULL;
	k->c.diag = NULL;
	return k;
}

/* Put what a file says into the list of this revision. */
static int
take_kept(struct collector *c, const struct kept *k, struct err *err)
{
	vec_foreach (&k->c.files, struct track_file *const, f)
		if (vec_push(&c->files, *f) != 0)
			return err_nomem(err);
	vec_foreach (&k->c.outs, const struct track_out, o) {
		if (c->outs.n == TRACK_OUTS_MAX)
			return err_set(err, ERR_LIMIT, "there are more than %d outs",
				       TRACK_OUTS_MAX);
		if (vec_push(&c->outs, *o) != 0)
			return err_nomem(err);
	}
	if (k->c.failed && !c->failed)
		*c->first = k->first;
	c->failed = c->failed || k->c.failed;
	return 0;
}

/* A pointer file of this revision.  With ${d} its messages show its lines, so that it must not
 * be one that is kept. */
static int
take_pointer(struct walk *w, struct collector *c, const char *path, struct err *err)
{
	struct track_revs *r = w->r;
	struct kept *k;
	size_t from;
	char *key;
	int rc;

	if (c->diag != NULL || r->bytes >= TRACK_REVS_KEEP)
		return collector_take(c, path, &from, err);
	key = kept_key(w, path);
	if (key == NULL)
		return err_nomem(err);
	k = map_get(&r->kept, key);
	if (k != NULL) {
		free(key);
		return take_kept(c, k, err);
	}
	k = read_kept(w, key, path, NULL, err);
	if (k == NULL)
		return -1;
	if (k->c.read_more) { /* the key does not tell of those files */
		kept_free(k);
		return collector_take(c, path, &from, err);
	}
	if (map_put(&r->kept, k->key, k) < 0) {
		kept_free(k);
		return err_nomem(err);
	}
	vec_foreach (&k->c.files, struct track_file *, f)
		(*f)->shared = true;
	r->bytes += w->read;
	rc = take_kept(c, k, err);
	return rc;
}

/* ---- what counts ---- */

/* Does the path, or a directory above it, stand in the map? */
static bool
has_above(const struct map *m, const char *path)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		if (map_hasn(m, path, (size_t)(slash - path)))
			return true;
		slash++;
	}
	return false;
}

static int
take_pointers(struct walk *w, struct collector *c, struct err *err)
{
	struct ignore_options o = {
	    .syntax = IGNORE_DVC, .root_fd = -1, .read = read_rules, .ctx = w};
	struct ignore *ig;
	int rc = 0;

	if (ignore_new(&o, &ig, err) != 0)
		return -1;
	for (size_t i = 0; i < w->pointers.n && rc >= 0; i++) {
		if (has_above(&w->nested, w->pointers.v[i]))
			continue;
		rc = ignore_check(ig, w->pointers.v[i], false, err);
		if (rc == 0)
			rc = take_pointer(w, c, w->pointers.v[i], err);
	}
	ignore_free(ig);
	return rc < 0 ? -1 : 0;
}

/* Drop what files in the directory of an out say: in the work tree they are not looked at. */
static int
drop_inside(struct collector *c, struct err *err)
{
	struct map paths = {0};
	size_t n = 0;
	int rc = 0;

	vec_foreach (&c->outs, const struct track_out, o)
		if (rc == 0 && !o->task && map_put(&paths, o->path, c) < 0)
			rc = err_nomem(err);
	for (size_t i = 0; i < c->outs.n && rc == 0; i++)
		if (!has_above(&paths, c->outs.v[i].in->path))
			c->outs.v[n++] = c->outs.v[i];
	if (rc == 0)
		c->outs.n = n;
	map_release(&paths);
	return rc;
}

int
track_collect_rev(struct track_revs *r, const char *commit, struct meter *m,
		  struct diag *d, struct track_list *out, struct err *err)
{
	struct walk w = {.r = r, .meter = m};
	struct repo_visitor v = {.ctx = &w, .dir = visit_dir, .file = visit_file};
	struct collector c = {.read = read_blob, .ctx = &w, .track = r->t, .diag = d};
	size_t before = d != NULL ? diag_errors(d) : 0;
	struct err first = {0};
	int rc = 0;

	*out = (struct track_list){0};
	c.first = &first;
	c.arena = arena_new(0);
	w.arena = arena_new(0);
	if (c.arena == NULL || w.arena == NULL)
		rc = err_nomem(err);
	if (rc == 0)
		rc = repo_walk(r->git, commit, &v, err);
	if (rc == 0)
		rc = leave_to(&w, NULL, err);
	if (rc == 0)
		rc = take_pointers(&w, &c, err);
	if (rc == 0)
		rc = drop_inside(&c, err);
	vec_release(&w.pointers);
	vec_release(&w.above);
	map_release(&w.blobs);
	map_release(&w.nested);
	arena_free(w.arena);
	if (collector_finish(&c, false, out, err) != 0 && rc == 0) {
		if (err != NULL)
			*err = first;
		rc = -1;
	}
	if (rc == 0)
		return 0;
	/* Files of that name in the work tree may be right. */
	if (d != NULL && diag_errors(d) > before)
		diag_add(d, DIAG_NOTE, (struct diag_pos){.file = -1},
			 "that is in the commit %.10s", commit);
	return err_wrap(err, "%.10s", commit);
}

/* ---- the whole ---- */

int
track_revs_open(struct track *t, struct repo *git, struct track_revs **out,
		struct err *err)
{
	const char *top = repo_top(git), *prefix = "";
	struct track_revs *r;

	/* A bare repository has no work tree that the root could be a part of. */
	if (top != NULL && !path_is_below(t->root, top))
		return err_set(
		    err, ERR_INVALID,
		    "'%s' does not lie in the work tree of a git repository, so "
		    "there are no revisions",
		    t->root);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(err);
	if (top != NULL) {
		prefix = t->root + strlen(top);
		prefix += *prefix == '/' ? 1 : 0;
	}
	r->t = t;
	r->git = git;
	r->prefix = strdup(prefix);
	r->arena = arena_new(0);
	if (r->prefix == NULL || r->arena == NULL) {
		track_revs_close(r);
		return err_nomem(err);
	}
	*out = r;
	return 0;
}

void
track_revs_close(struct track_revs *r)
{
	if (r == NULL)
		return;
	map_foreach (&r->kept, e)
		kept_free(e->val);
	map_release(&r->kept);
	map_release(&r->bare);
	arena_free(r->arena);
	free(r->prefix);
	free(r);
}
