/* What is tracked in the work tree: a walk that opens each directory once. */
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
#include "base/map.h"
#include "base/path.h"
#include "store/dvc/config.h"
#include "store/dvc/gitignore.h"
#include "store/dvc/ignore.h"
#include "store/meter.h"
#include "store/track/collect_internal.h"
#include "store/track/task_lock.h"
#include "store/track/track.h"

struct walk {
	struct track *t;
	struct collector c;
	struct map outs; /* paths of the outs so far: their insides are not looked at */
	struct meter *meter;
	struct buf path; /* of the directory, relative to the root; "" is the root */
	struct err *err;
};

/* The rules in force in a directory; git is NULL where they do not count. */
struct rules {
	struct ignore_dir *dvc, *git;
};

static int
read_file(void *ctx, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct track *t = ctx;
	struct err why = {0};

	if (fsio_read(t->root_fd, path, max, out, &why) == 0)
		return 1;
	if (why.code == ERR_NOTFOUND)
		return 0; /* removed meanwhile */
	if (err != NULL)
		*err = why;
	return -1;
}

/* ---- one directory ---- */

/* What is of interest in it. */
struct found {
	VEC(char *) dirs;
	VEC(char *) pointers;
	bool nested; /* it has a .dvc of its own */
	struct arena *arena;
};

static void
found_release(struct found *f)
{
	vec_release(&f->dirs);
	vec_release(&f->pointers);
	arena_free(f->arena);
}

static int
look_at(struct walk *w, struct found *f, int fd, const struct dirent *e,
	const struct rules *r)
{
	bool dir = fsio_entry_type(fd, e) == S_IFDIR;
	char *name;

	/* What is replaced whole here is replaced with the lock, or in no time. */
	if (w->t->lock >= 0 && fsio_clear_temp(fd, e->d_name))
		return 0;
	if (strcmp(e->d_name, ".dvc") == 0 && w->path.n > 0)
		f->nested = true;
	if (!dir && !collector_is_pointer(e->d_name) &&
	    !(w->t->results && task_lock_is(e->d_name)))
		return 0;
	if (ignore_match(r->dvc, e->d_name, dir) ||
	    (r->git != NULL && ignore_match(r->git, e->d_name, dir)))
		return 0;
	name = arena_strdup(f->arena, e->d_name);
	if (name == NULL ||
	    (dir ? vec_push(&f->dirs, name) : vec_push(&f->pointers, name)) != 0)
		return err_nomem(w->err);
	return 0;
}

static bool
is_closed(const struct walk *w)
{
	return faccessat(w->t->root_fd, w->path.p, R_OK | X_OK, AT_EACCESS) != 0 &&
	       errno == EACCES;
}

/* What may not be read is passed over, and said to be so. */
static int
note_closed(struct walk *w)
{
	if (w->c.closed == NULL)
		w->c.closed = arena_strdup(w->c.arena, w->path.p);
	return w->c.closed != NULL ? 0 : err_nomem(w->err);
}

static int
cannot(struct walk *w)
{
	return err_sys(w->err, errno, "cannot read the directory '%s'",
		       w->path.n > 0 ? w->path.p : ".");
}

/* Find what is in the directory; 1: it is gone, or closed to us. */
static int
read_dir(struct walk *w, const struct rules *r, struct found *f)
{
	int fd = openat(w->t->root_fd, w->path.n > 0 ? w->path.p : ".",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int rc = 0;

	if (d == NULL) {
		if (fd != -1)
			(void)close(fd);
		if (w->path.n > 0 && errno == EACCES)
			return note_closed(w) == 0 ? 1 : -1;
		return w->path.n > 0 &&
			       (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
			   ? 1
			   : cannot(w);
	}
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = look_at(w, f, dirfd(d), e, r);
	if (rc == 0 && errno != 0)
		rc = cannot(w);
	(void)closedir(d);
	return rc;
}

static int
name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort(char **v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), name_cmp);
}

/* ---- going down ---- */

static void
rules_leave(struct rules *r)
{
	ignore_leave(r->dvc);
	ignore_leave(r->git);
}

static int
rules_enter(const struct rules *r, const char *name, struct rules *in, struct err *err)
{
	*in = (struct rules){NULL, NULL};
	if (ignore_enter(r->dvc, name, &in->dvc, err) != 0)
		return -1;
	if (r->git == NULL || ignore_enter(r->git, name, &in->git, err) == 0)
		return 0;
	rules_leave(in);
	return -1;
}

static int
push_name(struct walk *w, const char *name)
{
	if (w->path.n > 0)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, name);
	return buf_failed(&w->path) ? err_nomem(w->err) : 0;
}

static int
take_pointer(struct walk *w, const char *name)
{
	size_t n = w->path.n, from = 0, i;
	int rc = push_name(w, name);

	if (rc == 0)
		rc = collector_take(&w->c, w->path.p, &from, w->err);
	/* What tasks make hides nothing: there may be pointers in it. */
	for (i = from; rc == 0 && i < w->c.outs.n; i++)
		if (!w->c.outs.v[i].task && map_put(&w->outs, w->c.outs.v[i].path, w) < 0)
			rc = err_nomem(w->err);
	meter_add(w->meter, 1, 0);
	buf_truncate(&w->path, n);
	return rc;
}

static int walk_dir(struct walk *, const struct rules *);

static int
go_into(struct walk *w, const struct rules *r, const char *name)
{
	size_t n = w->path.n;
	struct rules in;
	int rc = push_name(w, name);

	if (rc == 0 && !map_hasn(&w->outs, w->path.p, w->path.n)) {
		rc = rules_enter(r, name, &in, w->err);
		if (rc == 0) {
			rc = walk_dir(w, &in);
			rules_leave(&in);
		} else if (is_closed(w)) {
			err_clear(w->err);
			rc = note_closed(w);
		}
	}
	buf_truncate(&w->path, n);
	return rc;
}

/* Pointers first: what they track is not gone into.  The depth is limited by ignore_enter. */
static int
walk_dir(struct walk *w, const struct rules *r)
{
	struct found f = {.arena = arena_new(0)};
	int rc = f.arena != NULL ? 0 : err_nomem(w->err);

	if (rc == 0 && meter_cancelled(w->meter))
		rc = err_set(w->err, ERR_CANCELLED, "stopped");
	if (rc == 0)
		rc = read_dir(w, r, &f);
	if (rc == 0 && !f.nested) {
		sort(f.pointers.v, f.pointers.n);
		sort(f.dirs.v, f.dirs.n);
		for (size_t i = 0; rc == 0 && i < f.pointers.n; i++)
			rc = take_pointer(w, f.pointers.v[i]);
		for (size_t i = 0; rc == 0 && i < f.dirs.n; i++)
			rc = go_into(w, r, f.dirs.v[i]);
	}
	found_release(&f);
	return rc < 0 ? -1 : 0;
}

/* What git says in the root.  Where it ignores the root itself it has no say in it. */
static int
git_rules(struct track *t, struct ignore_dir **out, struct err *err)
{
	struct ignore_dir *d, *in;
	const char *path;
	char *copy, *name, *save = NULL;
	int rc;

	*out = NULL;
	if (t->gitignore == NULL)
		return 0;
	rc = gitignore_check(t->gitignore, t->root, true, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	path = t->root + strlen(gitignore_top(t->gitignore));
	copy = strdup(path);
	if (copy == NULL)
		return err_nomem(err);
	d = ignore_root(gitignore_rules(t->gitignore));
	for (name = strtok_r(copy, "/", &save); name != NULL && rc == 0;
	     name = strtok_r(NULL, "/", &save)) {
		rc = ignore_enter(d, name, &in, err);
		ignore_leave(d);
		d = rc == 0 ? in : NULL;
	}
	free(copy);
	*out = d;
	return rc;
}

int
track_collect(struct track *t, struct meter *m, struct diag *d, struct track_list *out,
	      struct err *err)
{
	struct walk w = {.t = t, .meter = m, .err = err};
	struct rules r = {NULL, NULL};
	struct err first = {0};
	int rc;

	*out = (struct track_list){0};
	w.c = (struct collector){.read = read_file,
				 .ctx = t,
				 .track = t,
				 .diag = d,
				 .first = &first,
				 .stages = true};
	w.c.options = (struct value_options){
	    .no_flags = strcmp(config_str(t->config, "parsing", "bool", ""),
			       "boolean_optional") == 0,
	    .append_list =
		strcmp(config_str(t->config, "parsing", "list", ""), "append") == 0};
	w.c.arena = arena_new(0);
	if (w.c.arena == NULL)
		return err_nomem(err);
	buf_init(&w.path, 0);
	meter_begin(m, "looking for what is tracked");
	rc = git_rules(t, &r.git, err);
	if (rc == 0) {
		r.dvc = ignore_root(t->ignore);
		rc = walk_dir(&w, &r);
	}
	rules_leave(&r);
	map_release(&w.outs);
	buf_release(&w.path);
	if (collector_finish(&w.c, rc == 0, out, err) != 0 && rc == 0) {
		if (err != NULL)
			*err = first;
		rc = -1;
	}
	return rc;
}
