/* The way to the module git: it is loaded when there is a repository to open. */
#include "store/git.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/git_table.h"

static struct module module = MODULE("git", GIT_TABLE_VERSION);

/* Set before the first struct repo is given out, and the same ever after. */
const struct git_table *
git_table(void)
{
	return (const struct git_table *)module.table;
}

static bool
has(const char *dir, const char *name)
{
	struct stat st;
	struct buf b;
	bool there;

	buf_init(&b, 0);
	path_join(&b, dir, name);
	/* What cannot be known counts as there: who opens it will tell. */
	there = buf_failed(&b) || fsio_there(b.p, &st, NULL) != 0 || lstat(b.p, &st) == 0;
	buf_release(&b);
	return there;
}

bool
repo_above(char *path)
{
	char *slash;

	for (;;) {
		if (has(path, ".git") || (has(path, "HEAD") && has(path, "objects")))
			return true;
		slash = strrchr(path, '/');
		if (slash == NULL || path[1] == '\0')
			return false;
		slash[slash == path] = '\0';
	}
}

bool
repo_near(const char *dir)
{
	char *path = strdup(dir);
	bool near = path == NULL || repo_above(path);

	free(path);
	return near;
}

int
repo_open(const char *dir, struct repo **out, struct err *err)
{
	const struct git_table *git;
	char *real, *top;
	int rc = -1;

	*out = NULL;
	if ((real = fsio_realpath(dir, err)) == NULL)
		return -1;
	if ((top = strdup(real)) == NULL)
		(void)err_nomem(err);
	else if (!repo_above(top))
		rc = 0;
	else if ((git = module_load(&module, err)) != NULL)
		rc = git->open(real, top, out, err);
	free(top);
	free(real);
	return rc;
}

int
repo_clone(const char *url, const char *dir, const struct repo_progress *progress,
	   struct repo **out, struct err *err)
{
	const struct git_table *git = module_load(&module, err);

	*out = NULL;
	return git != NULL ? git->clone(url, dir, progress, out, err) : -1;
}

bool
repo_is_url(const char *s)
{
	const char *colon = strchr(s, ':'), *slash = strchr(s, '/');

	if (colon == NULL || colon == s || s[0] == '.' || s[0] == '-')
		return false;
	return strncmp(colon, "://", 3) == 0 || slash == NULL || colon < slash;
}

void
repo_close(struct repo *r)
{
	if (r != NULL)
		git_table()->close(r);
}

const char *
repo_top(const struct repo *r)
{
	return git_table()->top(r);
}

const char *
repo_git_dir(const struct repo *r)
{
	return git_table()->git_dir(r);
}

int
repo_head(struct repo *r, struct repo_head *out, struct err *err)
{
	return git_table()->what_head(r, out, err);
}

int
repo_dirty(struct repo *r, bool untracked, const atomic_bool *stop, struct err *err)
{
	return git_table()->dirty(r, untracked, stop, NULL, err);
}

int
repo_change(struct repo *r, const atomic_bool *stop, struct repo_change *out,
	    struct err *err)
{
	return git_table()->dirty(r, false, stop, out, err);
}

int
repo_stage(struct repo *r, const char *const *paths, size_t n, size_t *staged,
	   struct err *err)
{
	return git_table()->stage(r, paths, n, staged, err);
}

int
repo_tracks(struct repo *r, const char *path, struct err *err)
{
	return git_table()->tracks(r, path, err);
}

int
repo_submodule(struct repo *r, const char *path, struct err *err)
{
	return git_table()->submodule(r, path, err);
}

int
repo_ignores(struct repo *r, const char *path, struct err *err)
{
	return git_table()->ignores(r, path, err);
}

int
repo_resolve(struct repo *r, const char *rev, char id[REPO_ID], struct err *err)
{
	return git_table()->resolve(r, rev, id, err);
}

int
repo_revs(struct repo *r, const struct repo_scope *scope,
	  int (*fn)(void *, const struct repo_rev *, struct err *), void *ctx,
	  struct err *err)
{
	return git_table()->revs(r, scope, fn, ctx, err);
}

int
repo_trees(struct repo *r, int (*fn)(void *, const struct repo_tree *, struct err *),
	   void *ctx, struct err *err)
{
	return git_table()->trees(r, fn, ctx, err);
}

int
repo_walk(struct repo *r, const char *commit, const struct repo_visitor *v,
	  struct err *err)
{
	return git_table()->walk(r, commit, v, err);
}

int
repo_blob(struct repo *r, const char *id, size_t max, struct buf *out, struct err *err)
{
	return git_table()->blob(r, id, max, out, err);
}

int
repo_file(struct repo *r, const char *commit, const char *path, size_t max,
	  struct buf *out, struct err *err)
{
	return git_table()->file(r, commit, path, max, out, err);
}

int
repo_hooks(struct repo *r, struct repo_hook out[REPO_HOOKS], struct buf *dir,
	   struct err *err)
{
	return git_table()->hooks(r, out, dir, err);
}
