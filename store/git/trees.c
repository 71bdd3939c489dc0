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

/* Read a small file of one line.  Return 1; 0 where there is none; or -1. */
static int
read_line(const char *dir, const char *name, struct buf *out, struct err *err)
{
	struct err why = {0};
	struct buf path;
	size_t n;
	int rc;

	buf_init(&path, 0);
	path_join(&path, dir, name);
	rc = buf_failed(&path) ? err_nomem(&why)
			       : fsio_read(AT_FDCWD, path.p, SMALL_FILE, out, &why);
	buf_release(&path);
	for (n = rc == 0 ? strcspn(out->p, "\n") : 0; n > 0 && out->p[n - 1] == ' '; n--)
		;
	if (rc == 0)
		buf_truncate(out, n);
	if (rc == 0 || why.code == ERR_NOTFOUND)
		return rc == 0;
	if (err != NULL)
		*err = why;
	return -1;
}

/* What a HEAD says: a branch, which may be unborn, or a commit.  While git makes a work tree
 * there is none, or one of zeros. */
static int
read_head(const struct repo *r, const char *dir, char id[REPO_ID], struct err *err)
{
	const char *ref;
	struct buf line;
	git_oid oid;
	int rc;

	id[0] = '\0';
	buf_init(&line, 0);
	rc = read_line(dir, "HEAD", &line, err);
	if (rc == 1 && strncmp(line.p, "ref:", 4) == 0) {
		ref = line.p + 4 + strspn(line.p + 4, " \t");
		rc = git_reference_name_to_id(&oid, r->git, ref);
		if (rc == 0)
			lg_id(&oid, id);
		else if (rc == GIT_ENOTFOUND)
			rc = 0;
		else
			rc = lg_fail(err, rc, "cannot follow '%s/HEAD' to '%.255s'", dir,
				     ref);
	} else if (rc == 1 && strlen(line.p) == REPO_ID - 1 &&
		   git_oid_fromstr(&oid, line.p) == 0) {
		rc = 0;
		if (!git_oid_is_zero(&oid))
			lg_id(&oid, id);
	} else if (rc == 1) {
		rc = err_set(err, ERR_CORRUPT,
			     "'%s/HEAD' names neither a branch nor a commit", dir);
	}
	buf_release(&line);
	git_error_clear();
	return rc;
}

typedef int visit(void *, const struct repo_tree *, struct err *);

static int
main_tree(struct repo *r, visit *fn, void *ctx, struct err *err)
{
	struct repo_tree t = {.name = ""};
	git_repository *git = NULL;
	struct buf top;
	int rc;

	if (read_head(r, r->common, t.head, err) != 0)
		return -1;
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
 * ${dir}.  Nothing is appended where there is no such file. */
static int
find_top(const char *dir, struct buf *top, struct err *err)
{
	struct buf line, path;
	char *slash;
	int rc;

	buf_init(&line, 0);
	buf_init(&path, 0);
	rc = read_line(dir, "gitdir", &line, err);
	if (rc == 1) {
		path_join(&path, dir, line.p);
		path_normalize(top, path.p);
		slash = strrchr(top->p, '/');
		if (slash != NULL && slash != top->p)
			buf_truncate(top, (size_t)(slash - top->p));
		rc = buf_failed(&path) || buf_failed(top) ? err_nomem(err) : 0;
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
	int rc;

	buf_init(&own, 0);
	buf_init(&top, 0);
	path_join(&own, dir, name);
	rc = buf_failed(&own) ? err_nomem(err) : find_top(own.p, &top, err);
	if (rc == 0)
		rc = read_head(r, own.p, t.head, err);
	t.top = top.n > 0 ? top.p : NULL;
	if (rc == 0)
		rc = fn(ctx, &t, err);
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
