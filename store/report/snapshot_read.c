/* The files of a snapshot. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/report/snapshot.h"
#include "store/track/workspace.h"

#define DEPTH_MAX 64 /* of directories in one that is listed */

/* ---- what is tracked ---- */

static const struct track_out *
tracked(const struct snapshot *s, const char *path)
{
	const struct track_out *o = track_find(s->list, path);

	return o != NULL && o->cache && object_id_is_set(&o->id) ? o : NULL;
}

static int
not_cached(const struct snapshot *s, const struct track_out *o, struct err *err)
{
	return err_set(err, ERR_NOTFOUND,
		       "the cache does not have '%.300s' as it is in %.100s: 'dag fetch' "
		       "brings it",
		       o->path, s->name);
}

/* The list of a tracked directory, or NULL with the error. */
static const struct tree *
tree_of(struct snapshot *s, const struct track_out *o, struct err *err)
{
	struct tree *t = map_get(&s->trees, o->path);

	if (t != NULL)
		return t;
	t = arena_zalloc(s->arena, sizeof(*t));
	if (t == NULL || map_put(&s->trees, o->path, t) < 0) {
		(void)err_nomem(err);
		return NULL;
	}
	if (objects_tree(s->source->ws->cache, &o->id, t, err) == 0) {
		t->legacy = o->id.legacy;
		return t;
	}
	if (err != NULL && err->code == ERR_NOTFOUND)
		(void)not_cached(s, o, err);
	return NULL;
}

/* The object of a file that is tracked, alone or in a directory.  Return 0; 1 where it is the
 * directory itself; or -1. */
static int
tracked_id(struct snapshot *s, const struct track_out *o, const char *path,
	   struct object_id *id, struct err *err)
{
	const struct tree_entry *e;
	const struct tree *t;
	const char *in = path + strlen(o->path);

	if (!o->id.dir) {
		*id = o->id;
		return *in == '\0'
			   ? 0
			   : err_set(err, ERR_NOTFOUND, "there is no '%.300s'", path);
	}
	if (*in == '\0')
		return 1;
	t = tree_of(s, o, err);
	if (t == NULL)
		return -1;
	in++;
	e = tree_find(t, in, strlen(in));
	if (e == NULL)
		return err_set(err, ERR_NOTFOUND, "there is no '%.300s'", path);
	tree_entry_id(t, e, id);
	return 0;
}

static int
read_tracked(struct snapshot *s, const char *path, size_t max, struct buf *out,
	     struct err *err)
{
	const struct track_out *o = tracked(s, path);
	struct object_id id;
	int rc;

	if (o == NULL)
		return err_set(err, ERR_NOTFOUND, "there is no '%.300s'", path);
	rc = tracked_id(s, o, path, &id, err);
	if (rc > 0)
		return err_set(err, ERR_INVALID, "'%.300s' is a directory", path);
	if (rc < 0)
		return -1;
	if (objects_read(s->source->ws->cache, &id, max, out, err) == 0)
		return 0;
	return err != NULL && err->code == ERR_NOTFOUND ? not_cached(s, o, err) : -1;
}

/* ---- reading ---- */

int
snapshot_read(struct snapshot *s, const char *path, size_t max, struct buf *out,
	      struct err *err)
{
	struct err why = {0};
	const char *full;
	size_t before = out->n;
	int rc;

	if (path_climbs(path))
		return err_set(err, ERR_INVALID,
			       "'%.300s' lies outside of the repository", path);
	if (s->commit[0] == '\0') {
		rc = fsio_read(s->source->ws->root_fd, path, max, out, &why);
	} else {
		full = arena_printf(s->arena, "%s%s", s->prefix, path);
		if (full == NULL)
			return err_nomem(err);
		rc = repo_file(s->source->git, s->commit, full, max, out, &why);
	}
	if (rc == 0)
		return 0;
	buf_truncate(out, before);
	if (why.code == ERR_NOTFOUND)
		return read_tracked(s, path, max, out, err);
	if (err != NULL)
		*err = why;
	return -1;
}

bool
snapshot_has(struct snapshot *s, const char *path)
{
	struct buf none;
	struct err why = {0};
	struct stat st;
	const struct track_out *o = tracked(s, path);
	bool there;

	if (path_climbs(path))
		return false;
	if (o != NULL && (!o->id.dir || strcmp(o->path, path) == 0))
		return true;
	if (s->commit[0] == '\0' && fstatat(s->source->ws->root_fd, path, &st, 0) == 0)
		return true;
	buf_init(&none, 1);
	there = snapshot_read(s, path, 1, &none, &why) == 0 || why.code == ERR_LIMIT;
	buf_release(&none);
	return there;
}

/* ---- directories ---- */

struct listing {
	struct snapshot *s;
	const char *below; /* seen from git's top, without a slash at the end */
	bool dir;	   /* it is one */
	VEC(const char *) found;
	struct map known; /* the same */
	struct err *err;
};

static int
add(struct listing *l, const char *path)
{
	const char *copy;

	if (map_get(&l->known, path) != NULL)
		return 0;
	if (l->found.n == SNAPSHOT_FILES_MAX)
		return err_set(l->err, ERR_LIMIT,
			       "the directory has more than %d files: name those that "
			       "are meant",
			       SNAPSHOT_FILES_MAX);
	copy = arena_strdup(l->s->arena, path);
	return copy != NULL && vec_push(&l->found, copy) == 0 &&
		       map_put(&l->known, copy, l) >= 0
		   ? 0
		   : err_nomem(l->err);
}

static int
list_work(struct listing *l, const char *path, unsigned depth)
{
	int fd =
	    openat(l->s->source->ws->root_fd, path,
		   O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth != 0 ? O_NOFOLLOW : 0));
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int rc = 0;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		if (errno == ENOTDIR || errno == ENOENT || errno == ELOOP)
			return depth == 0 ? 0 : add(l, path);
		return err_sys(l->err, errno, "cannot read the directory '%.300s'", path);
	}
	l->dir = true;
	if (depth == DEPTH_MAX)
		rc = err_set(l->err, ERR_LIMIT, "'%.300s' lies more than %d levels deep",
			     path, DEPTH_MAX);
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL) {
		const char *name;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		name = arena_printf(l->s->arena, "%s/%s", path, e->d_name);
		rc = name == NULL	   ? err_nomem(l->err)
		     : e->d_type == DT_REG ? add(l, name)
					   : list_work(l, name, depth + 1);
	}
	(void)closedir(d);
	return rc;
}

static int
visit_dir(void *arg, const struct repo_entry *e, struct err *err)
{
	const struct listing *l = arg;

	(void)err;
	return path_overlap(e->path, l->below);
}

static int
visit_file(void *arg, const struct repo_entry *e, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	if (!path_is_below(e->path, l->below) || strcmp(e->path, l->below) == 0 ||
	    e->mode == 0160000)
		return 0;
	l->dir = true;
	return add(l, e->path + strlen(l->s->prefix));
}

static int
list_commit(struct listing *l, const char *path)
{
	struct repo_visitor v = {.ctx = l, .dir = visit_dir, .file = visit_file};

	l->below = arena_printf(l->s->arena, "%s%s", l->s->prefix, path);
	if (l->below == NULL)
		return err_nomem(l->err);
	return repo_walk(l->s->source->git, l->s->commit, &v, l->err) < 0 ? -1 : 0;
}

/* What a tracked directory has according to its pointer: what is not there is read from the
 * cache. */
static int
list_tracked(struct listing *l, const char *path)
{
	const struct track_out *o = tracked(l->s, path);
	const struct tree *t;
	const char *in;
	size_t first, n;
	int rc = 0;

	if (o == NULL || !o->id.dir)
		return 0;
	t = tree_of(l->s, o, l->err);
	if (t == NULL)
		return -1;
	in = path + strlen(o->path);
	in += *in == '/';
	tree_below(t, in, strlen(in), &first, &n);
	l->dir = l->dir || n != 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		const char *full =
		    arena_printf(l->s->arena, "%s/%s", o->path, t->v[first + i].path);

		rc = full != NULL ? add(l, full) : err_nomem(l->err);
	}
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
snapshot_list(struct snapshot *s, const char *path,
	      int (*fn)(void *, const char *, struct err *), void *arg, struct err *err)
{
	struct listing l = {.s = s, .err = err};
	int rc = 0;

	if (!path_climbs(path))
		rc =
		    s->commit[0] == '\0' ? list_work(&l, path, 0) : list_commit(&l, path);
	if (rc == 0 && !path_climbs(path))
		rc = list_tracked(&l, path);
	if (rc == 0 && !l.dir)
		rc = fn(arg, path, err);
	if (l.found.n > 1)
		qsort(l.found.v, l.found.n, sizeof(*l.found.v), by_name);
	for (size_t i = 0; i < l.found.n && rc == 0; i++)
		rc = meter_cancelled(s->source->meter)
			 ? err_set(err, ERR_CANCELLED, "stopped")
			 : fn(arg, l.found.v[i], err);
	vec_release(&l.found);
	map_release(&l.known);
	return rc;
}
