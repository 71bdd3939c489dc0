/*
 * All pointer files of the work tree.
 */
#include "cli/artifact_collect.h"

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
#include "base/vec.h"
#include "cli/artifact.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/ignore.h"

struct walk {
	struct artifact *a;
	struct buf path;
	VEC(struct artifact_out) outs;
	struct err *err;
};

static bool
ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n > k && strcmp(s + n - k, suffix) == 0;
}

static int
take_file(struct walk *w, const char *path)
{
	struct artifact *a = w->a;
	struct dvc_file *f;
	int r = dvc_file_read(a->project.root_fd, path, a->diag, &f, w->err);

	for (size_t i = 0; r == 0 && i < f->nouts; i++) {
		const struct dvc_out *o = &f->outs[i];
		struct artifact_out out = {.id = o->meta.md5,
					   .size = o->meta.size,
					   .nfiles = o->meta.nfiles,
					   .exec = o->meta.isexec,
					   .cache = o->cache,
					   .persist = o->persist,
					   .push = o->push,
					   .frozen = f->frozen};

		if (o->where != DVC_IN_REPO)
			continue;
		out.path = arena_strdup(a->arena, o->full);
		out.file = arena_strdup(a->arena, path);
		if (out.path == NULL || out.file == NULL || vec_push(&w->outs, out) != 0)
			r = err_nomem(w->err);
	}
	if (r == 0)
		dvc_file_free(f);
	return r;
}

static int walk(struct walk *, int, struct ignore_dir *);

static int
take_entry(struct walk *w, int fd, struct ignore_dir *dir, const struct dirent *e)
{
	size_t n = w->path.n;
	struct ignore_dir *in;
	bool is_dir = e->d_type == DT_DIR;
	int r = 0, sub;

	if (ignore_match(dir, e->d_name, is_dir))
		return 0;
	buf_addf(&w->path, "%s%s", n > 0 ? "/" : "", e->d_name);
	if (is_dir) {
		r = ignore_enter(dir, e->d_name, &in, w->err);
		sub = r == 0 ? fsio_open(fd, e->d_name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
			     : -1;
		if (sub >= 0 && !ignore_is_nested(sub, "."))
			r = walk(w, sub, in);
		else if (sub >= 0)
			(void)close(sub);
		if (in != NULL && r <= 0)
			ignore_leave(in);
	} else if (ends_with(e->d_name, ".dvc")) {
		r = take_file(w, w->path.p);
	}
	buf_truncate(&w->path, n);
	return r;
}

static int
walk(struct walk *w, int fd, struct ignore_dir *dir)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		(void)close(fd);
		return err_sys(w->err, errno, "cannot read '%s'", w->path.p);
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = take_entry(w, dirfd(d), dir, e);
	(void)closedir(d);
	return r;
}

static int
by_path(const void *a, const void *b)
{
	const struct artifact_out *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int
artifact_collect(struct artifact *a, struct err *err)
{
	struct walk w = {.a = a, .err = err};
	struct ignore_dir *root = ignore_root(a->ws.ignore);
	int fd = fsio_open(a->project.root_fd, ".", O_RDONLY | O_DIRECTORY, 0), r;

	buf_init(&w.path, 0);
	r = fd < 0 ? err_sys(err, errno, "cannot open the project") : walk(&w, fd, root);
	ignore_leave(root);
	buf_release(&w.path);
	if (w.outs.n > 1)
		qsort(w.outs.v, w.outs.n, sizeof(*w.outs.v), by_path);
	a->outs = w.outs.v;
	a->nouts = w.outs.n;
	return r;
}
