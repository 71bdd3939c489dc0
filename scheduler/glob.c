#include "scheduler/glob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "scheduler/dag_paths.h"

#define DEPTH_MAX 64

struct walk {
	const char *pattern;
	const bool *stop;
	struct arena *arena;
	struct glob_paths *out;
	bool *many;
	size_t before; /* paths that were in `out` */
	size_t dirs;   /* that matched */
	struct buf at; /* of the directory being read */
};

static int walk(struct walk *, int, int, struct err *);

static int
keep(struct walk *w, bool is_dir, struct err *err)
{
	const char *copy;

	w->dirs += is_dir;
	if (w->many != NULL &&
	    (w->out->v.n - w->before == GLOB_EACH_MAX || w->dirs > GLOB_DIRS_MAX)) {
		*w->many = true;
		return 0;
	}
	copy = arena_strdup(w->arena, w->at.p);
	if (w->out->v.n - w->before == GLOB_PATHS_MAX)
		return err_set(err, ERR_LIMIT,
			       "more than %d files match `%s`; name the directory that "
			       "holds them",
			       GLOB_PATHS_MAX, w->pattern);
	if (copy == NULL || vec_push(&w->out->v, copy) != 0)
		return err_nomem(err);
	return 0;
}

/* What was removed meanwhile, or may not be read, has nothing for us. */
static int
walk_into(struct walk *w, int dirfd, const char *name, int depth, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd != -1)
		return walk(w, fd, depth, err);
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return err_sys(err, errno, "cannot look for what matches `%s`",
			       w->pattern);
	return 0;
}

static int
look_at(struct walk *w, int dirfd, const struct dirent *e, int depth, struct err *err)
{
	size_t len = w->at.n;
	int rc = 0;

	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return 0;
	if (len > 0 && w->at.p[len - 1] != '/')
		buf_addc(&w->at, '/');
	buf_adds(&w->at, e->d_name);
	if (buf_failed(&w->at))
		rc = err_nomem(err);
	else if (path_tool_dir(w->at.p) != NULL)
		rc = 0;
	else if (path_glob_match(w->pattern, w->at.p))
		rc = keep(w, e->d_type == DT_DIR, err);
	else if ((e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) && depth < DEPTH_MAX)
		rc = walk_into(w, dirfd, e->d_name, depth + 1, err);
	buf_truncate(&w->at, len);
	return rc;
}

/* Look through the directory, which is closed. */
static int
walk(struct walk *w, int dirfd, int depth, struct err *err)
{
	DIR *d = fdopendir(dirfd);
	struct dirent *e;
	int rc = 0;

	if (d == NULL) {
		(void)err_sys(err, errno, "cannot look for what matches `%s`",
			      w->pattern);
		(void)close(dirfd);
		return -1;
	}
	while (rc == 0 && (w->many == NULL || !*w->many) && (e = readdir(d)) != NULL) {
		if (__atomic_load_n(w->stop, __ATOMIC_RELAXED))
			rc = err_set(err, ERR_CANCELLED, "it was stopped");
		else
			rc = look_at(w, dirfd, e, depth, err);
	}
	(void)closedir(d);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
glob_expand(int root_fd, const char *pattern, const bool *stop, struct arena *a,
	    struct glob_paths *out, bool *many, struct err *err)
{
	struct walk w = {.pattern = pattern,
			 .stop = stop,
			 .arena = a,
			 .out = out,
			 .many = many,
			 .before = out->v.n};
	size_t cut = strcspn(pattern, "*?[");
	int fd, rc = 0;

	if (many != NULL)
		*many = false;
	while (cut > 0 && pattern[cut - 1] != '/')
		cut--;
	buf_init(&w.at, 0);
	buf_add(&w.at, pattern, cut > 1 ? cut - 1 : cut);
	if (buf_failed(&w.at)) {
		buf_release(&w.at);
		return err_nomem(err);
	}
	fd = openat(root_fd, w.at.n > 0 ? w.at.p : ".",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		rc = walk(&w, fd, 0, err);
	else if (errno != ENOENT && errno != ENOTDIR)
		rc = err_sys(err, errno, "cannot look for what matches `%s`", pattern);
	buf_release(&w.at);
	if (many != NULL && *many)
		out->v.n = w.before;
	if (rc == 0 && out->v.n > w.before)
		qsort(out->v.v + w.before, out->v.n - w.before, sizeof(*out->v.v),
		      by_name);
	return rc;
}
