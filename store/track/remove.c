#include "store/track/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/gitignore.h"
#include "store/objects/tree.h"
#include "store/track/checkout.h"
#include "store/track/collect.h"
#include "store/track/save.h"
#include "store/track/workspace.h"

int
remove_data(const struct workspace *ws, const struct track_out *const *outs, size_t n,
	    bool force, struct checkout_report *report, struct err *err)
{
	struct checkout_options o = {.force = force};
	struct checkout_out *v = calloc(n + 1, sizeof(*v));
	int r;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		v[i].path = outs[i]->path;
		v[i].id.legacy = outs[i]->id.legacy;
		v[i].gone = true;
	}
	r = checkout_outs(ws, &o, v, n, report, err);
	free(v);
	return r;
}

/* ---- links ---- */

/* A name of its own, and no other name, is all that a file of the user's has. */
static bool
is_link(int root_fd, const char *path)
{
	struct stat st;

	return fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink > 1));
}

/* Whether there may be links at what could not be looked at as a whole. */
static bool
may_have_links(int root_fd, const char *path)
{
	struct stat st;

	return fstatat(root_fd, path, &st, 0) == 0 &&
	       (S_ISDIR(st.st_mode) || is_link(root_fd, path));
}

/* Leave in the list what is a link. */
static int
keep_links(int root_fd, const char *dir, struct tree *t, struct err *err)
{
	struct buf path;
	size_t to = 0;
	int r = 0;

	buf_init(&path, 0);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		buf_clear(&path);
		buf_addf(&path, "%s/", dir);
		buf_add(&path, t->v[i].path, t->v[i].len);
		if (buf_failed(&path))
			r = err_nomem(err);
		else if (is_link(root_fd, path.p))
			t->v[to++] = t->v[i];
	}
	t->n = r == 0 ? to : t->n;
	buf_release(&path);
	return r;
}

int
remove_links(const struct workspace *ws, const struct track_out *out,
	     struct problems *problems, struct err *err)
{
	static const enum link_type copy[] = {LINK_COPY};
	struct workspace copying = *ws;
	struct saved saved = {0};
	struct save *s = NULL;
	bool any = false;
	int r;

	copying.found = NULL;
	copying.links = copy;
	copying.nlinks = 1;
	r = save_begin(&copying, &s, err);
	if (r != 0)
		return -1;
	r = save_path(s, out->path, false, &saved, err);
	if (r != 0 &&
	    (err->code == ERR_NOTFOUND ||
	     (err->code == ERR_INVALID && !may_have_links(ws->root_fd, out->path)))) {
		err_clear(err);
		(void)save_end(s, false, NULL);
		saved_release(&saved);
		return 0;
	}
	if (r == 0 && saved.dir) {
		r = keep_links(ws->root_fd, out->path, &saved.tree, err);
		any = saved.tree.n > 0;
	} else if (r == 0) {
		any = is_link(ws->root_fd, out->path);
	}
	(void)save_end(s, false, NULL);
	if (r == 0 && any)
		r = save_relink(&copying, out->path, &saved, problems, err);
	saved_release(&saved);
	return r;
}

/* ---- what names it ---- */

int
remove_pointer(int root_fd, const char *file, const struct track_out *const *outs,
	       size_t n, bool git, struct err *err)
{
	size_t dir = (size_t)(path_basename(file) - file);
	struct buf b;
	int r = 0;

	for (size_t i = 0; git && i < n; i++)
		if (gitignore_remove(root_fd, outs[i]->path, err) < 0)
			return -1;
	if (fsio_unlink(root_fd, file) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", file);
	fault_point(TRACK_DROPPED);
	buf_init(&b, 0);
	buf_add(&b, file, dir);
	buf_adds(&b, ".");
	r = buf_failed(&b) ? err_nomem(err) : fsio_sync_dir(root_fd, b.p, err);
	buf_release(&b);
	return r;
}
