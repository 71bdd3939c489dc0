/* Hooks that call `dag` where git changes, commits or pushes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/git/lg.h"

#define HOOK_MAX ((size_t)1 << 20)
#define MARK	 "# written by `dag init --hooks`, which may write it anew\n"
#define START	 "#!/bin/sh\n" MARK

/* In a rebase each step is a checkout: the data follows when it has ended. */
static const struct {
	const char *name;
	const char *line; /* what calls dag, for a hook of somebody else */
	const char *text;
} hooks[REPO_HOOKS] = {
    {"post-checkout", "[ \"$3\" = 0 ] || dag checkout",
     START "# $1 and $2: HEAD before and after; $3: 1 for a branch, 0 for files\n"
	   "[ \"$3\" = 1 ] && [ \"$1\" != \"$2\" ] || exit 0\n"
	   "dir=$(git rev-parse --git-dir) || exit 0\n"
	   "[ ! -d \"$dir/rebase-merge\" ] && [ ! -d \"$dir/rebase-apply\" ] || exit 0\n"
	   "exec dag checkout\n"},
    {"pre-commit", "dag status", START "exec dag status\n"},
    {"pre-push", "dag push", START "exec dag push\n"},
};

/* ---- where ---- */

/* A setting of all repositories of a user is no place for hooks of one. */
static int
hooks_path(struct repo *r, git_config *config, struct buf *dir, struct err *err)
{
	git_config_entry *e = NULL;
	git_buf path = {0};
	int rc = git_config_get_entry(&e, config, "core.hookspath");

	if (rc == GIT_ENOTFOUND) {
		path_join(dir, r->common, "hooks");
		return 0;
	}
	if (rc == 0 && e->level < GIT_CONFIG_LEVEL_LOCAL) {
		rc = err_set(err, ERR_EXISTS,
			     "core.hooksPath is '%s' for all repositories of this user: "
			     "give this one its own ('git config core.hooksPath "
			     ".git/hooks'), or call dag in the hooks there",
			     e->value);
		git_config_entry_free(e);
		return rc;
	}
	git_config_entry_free(e);
	if (rc == 0)
		rc = git_config_get_path(&path, config, "core.hookspath");
	if (rc == 0)
		path_join(dir, r->top != NULL ? r->top : r->dir, path.ptr);
	git_buf_dispose(&path);
	return rc == 0 ? 0 : lg_fail(err, rc, "cannot read git's core.hooksPath");
}

static int
find_dir(struct repo *r, struct buf *dir, struct err *err)
{
	git_config *config = NULL;
	struct buf second;
	int rc = git_repository_config(&config, r->git);

	if (rc != 0)
		return lg_fail(err, rc, "cannot read the configuration of '%s'", r->name);
	/* libgit2 does not read this file, git may. */
	buf_init(&second, 0);
	path_join(&second, r->dir, "config.worktree");
	if (!buf_failed(&second))
		(void)git_config_add_file_ondisk(config, second.p, GIT_CONFIG_LEVEL_APP,
						 r->git, 0);
	buf_release(&second);
	rc = hooks_path(r, config, dir, err);
	git_config_free(config);
	if (rc == 0 && buf_failed(dir))
		rc = err_nomem(err);
	return rc;
}

/* ---- what ---- */

/* How hook ${i} in ${dir} stands, before anything is written. */
static int
look(const char *dir, size_t i, enum repo_hook_state *state, struct err *err)
{
	struct buf path, text;
	struct stat st;
	int rc = 0;

	buf_init(&path, 0);
	buf_init(&text, 0);
	path_join(&path, dir, hooks[i].name);
	*state = HOOK_MADE;
	if (buf_failed(&path)) {
		rc = err_nomem(err);
	} else if (lstat(path.p, &st) != 0) {
		if (errno != ENOENT)
			rc = err_sys(err, errno, "cannot look at the hook '%s'", path.p);
	} else if (fsio_read(AT_FDCWD, path.p, HOOK_MAX, &text, NULL) != 0 ||
		   strstr(text.p, MARK) == NULL) {
		rc = err_set(err, ERR_EXISTS,
			     "'%s' is a hook that dag did not write: add this line to it "
			     "by hand: %s",
			     path.p, hooks[i].line);
	} else if (strcmp(text.p, hooks[i].text) == 0 && (st.st_mode & S_IXUSR) != 0) {
		*state = HOOK_WAS_THERE;
	} else {
		*state = HOOK_UPDATED;
	}
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int
put(const char *dir, size_t i, struct err *err)
{
	struct buf path;
	int rc;

	buf_init(&path, 0);
	path_join(&path, dir, hooks[i].name);
	if (buf_failed(&path))
		rc = err_nomem(err);
	else
		rc = fsio_replace(AT_FDCWD, path.p, hooks[i].text, strlen(hooks[i].text),
				  0777, err);
	buf_release(&path);
	return rc;
}

int
lg_hooks(struct repo *r, struct repo_hook out[REPO_HOOKS], struct buf *dir,
	 struct err *err)
{
	size_t i;

	if (find_dir(r, dir, err) != 0)
		return -1;
	for (i = 0; i < REPO_HOOKS; i++) {
		out[i].name = hooks[i].name;
		if (look(dir->p, i, &out[i].state, err) != 0)
			return -1;
	}
	if (fsio_mkdirs(AT_FDCWD, dir->p, 0777, err) != 0)
		return -1;
	for (i = 0; i < REPO_HOOKS; i++)
		if (out[i].state != HOOK_WAS_THERE && put(dir->p, i, err) != 0)
			return -1;
	return 0;
}
