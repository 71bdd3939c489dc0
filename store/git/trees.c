/*
 * The work trees of a repository and their HEADs, as git's own files tell them:
 *
 *	COMMON/HEAD			of the main one
 *	COMMON/worktrees/NAME/HEAD	of a linked one
 *	COMMON/worktrees/NAME/gitdir	where its `.git` lies, a file that leads back here
 *
 * libgit2 knows only of those whose directory is still there; what a work tree that was moved
 * away has checked out is in use all the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/git/lg.h"

#define SMALL_FILE ((size_t)8192)

/* Read a small file of one line.  Return 0, or -1 where it is not there or cannot be read. */
static int
read_line(const char *dir, const char *name, struct buf *out)
{
	struct buf path;
	char *end;
	int rc;

	buf_init(&path, 0);
	path_join(&path, dir, name);
	rc = buf_failed(&path) ? -1 : fsio_read(AT_FDCWD, path.p, SMALL_FILE, out, NULL);
	buf_release(&path);
	if (rc == 0 && (end = strchr(out->p, '\n')) != NULL)
		buf_truncate(out, (size_t)(end - out->p));
	return rc;
}

static void
read_head(const struct repo *r, const char *dir, char id[REPO_ID])
{
	struct buf line;
	git_oid oid;

	id[0] = '\0';
	buf_init(&line, 0);
	if (read_line(dir, "HEAD", &line) == 0) {
		if (strncmp(line.p, "ref: ", 5) == 0) {
			if (git_reference_name_to_id(&oid, r->git, line.p + 5) == 0)
				lg_id(&oid, id);
		} else if (git_oid_fromstr(&oid, line.p) == 0) {
			lg_id(&oid, id);
		}
	}
	buf_release(&line);
	git_error_clear();
}

typedef int visit(void *, const struct repo_tree *, struct err *);

static int
main_tree(struct repo *r, visit *fn, void *ctx, struct err *err)
{
	struct repo_tree t = {.name = ""};
	git_repository *git = NULL;
	struct buf top;
	int rc;

	read_head(r, r->common, t.head);
	if (strcmp(r->dir, r->common) == 0) {
		t.top = r->top;
		return fn(ctx, &t, err);
	}
	rc = git_repository_open(&git, r->common);
	if (rc != 0)
		return lg_fail(err, rc, "cannot open the repository '%s'", r->common);
	buf_init(&top, 0);
	if (git_repository_workdir(git) != NULL)
		path_normalize(&top, git_repository_workdir(git));
	git_repository_free(git);
	t.top = top.n > 0 ? top.p : NULL;
	rc = buf_failed(&top) ? err_nomem(err) : fn(ctx, &t, err);
	buf_release(&top);
	return rc;
}

/* The directory in which the `.git` lies that ${dir}/gitdir names; relative paths start at
 * ${dir}. */
static int
find_top(const char *dir, struct buf *top)
{
	struct buf line, path;
	char *slash;
	int rc;

	buf_init(&line, 0);
	buf_init(&path, 0);
	rc = read_line(dir, "gitdir", &line);
	if (rc == 0) {
		path_join(&path, dir, line.p);
		path_normalize(top, path.p);
		slash = strrchr(top->p, '/');
		if (slash != NULL && slash != top->p)
			buf_truncate(top, (size_t)(slash - top->p));
		rc = buf_failed(&path) || buf_failed(top) ? -1 : 0;
	}
	buf_release(&line);
	buf_release(&path);
	return rc;
}

static int
linked_tree(struct repo *r, const char *dir, const char *name, visit *fn, void *ctx,
	    struct err *err)
{
	struct repo_tree t = {.name = name};
	struct buf own, top;
	int rc = 0;

	buf_init(&own, 0);
	buf_init(&top, 0);
	path_join(&own, dir, name);
	if (buf_failed(&own)) {
		rc = err_nomem(err);
	} else if (find_top(own.p, &top) == 0) {
		read_head(r, own.p, t.head);
		t.top = top.p;
		rc = fn(ctx, &t, err);
	}
	buf_release(&own);
	buf_release(&top);
	return rc;
}

int
lg_trees(struct repo *r, visit *fn, void *ctx, struct err *err)
{
	struct dirent *e;
	struct buf dir;
	DIR *d = NULL;
	int rc = main_tree(r, fn, ctx, err);

	if (rc != 0)
		return rc;
	buf_init(&dir, 0);
	path_join(&dir, r->common, "worktrees");
	if (buf_failed(&dir))
		rc = err_nomem(err);
	else if ((d = opendir(dir.p)) == NULL && errno != ENOENT)
		rc = err_sys(err, errno, "cannot read '%s'", dir.p);
	while (rc == 0 && d != NULL) {
		errno = 0;
		e = readdir(d);
		if (e == NULL && errno != 0)
			rc = err_sys(err, errno, "cannot read '%s'", dir.p);
		if (e == NULL)
			break;
		if (e->d_name[0] != '.')
			rc = linked_tree(r, dir.p, e->d_name, fn, ctx, err);
	}
	if (d != NULL)
		(void)closedir(d);
	buf_release(&dir);
	return rc;
}
