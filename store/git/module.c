/* The table that is all this module exports, and what it says about failures. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/git/lg.h"

#define TEXT_MAX 512

void
lg_id(const git_oid *oid, char out[REPO_ID])
{
	(void)git_oid_tostr(out, REPO_ID, oid);
}

int
lg_oid(const char *id, git_oid *out, struct err *err)
{
	if (strlen(id) != REPO_ID - 1 || git_oid_fromstr(out, id) != 0)
		return err_set(err, ERR_INVALID, "'%.64s' is no full git id", id);
	return 0;
}

static enum err_code
code_of(int rc, const git_error *e)
{
	if (e != NULL && e->klass == GIT_ERROR_NOMEMORY)
		return ERR_NOMEM;
	if (rc == GIT_ENOTFOUND || rc == GIT_EUNBORNBRANCH)
		return ERR_NOTFOUND;
	if (rc == GIT_EAMBIGUOUS || rc == GIT_EINVALIDSPEC || rc == GIT_EINVALID ||
	    rc == GIT_EBAREREPO || rc == GIT_EOWNER)
		return ERR_INVALID;
	if (rc == GIT_ELOCKED)
		return ERR_BUSY;
	if (rc == GIT_EMISMATCH)
		return ERR_CORRUPT;
	return ERR_SYS;
}

int
lg_fail(struct err *err, int rc, const char *fmt, ...)
{
	const git_error *e = git_error_last();
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, code_of(rc, e), "%s: %s", text,
		       e != NULL && e->message != NULL ? e->message
						       : "libgit2 gives no reason");
}

int
lg_lost(const struct repo *r, const git_oid *oid, const char *what, int rc,
	struct err *err)
{
	char id[REPO_ID];

	lg_id(oid, id);
	if (rc != GIT_ENOTFOUND)
		return lg_fail(err, rc, "cannot read %s (%s) in the repository '%s'",
			       what, id, r->name);
	if (r->partial)
		return err_set(
		    err, ERR_NOTFOUND,
		    "%s (%s) is not in the partial clone '%s': "
		    "'git fetch --refetch --no-filter' there gets all it lacks",
		    what, id, r->name);
	if (git_repository_is_shallow(r->git) > 0)
		return err_set(err, ERR_NOTFOUND,
			       "%s (%s) is not in the shallow clone '%s': "
			       "'git fetch --unshallow' there gets all it lacks",
			       what, id, r->name);
	return err_set(err, ERR_CORRUPT,
		       "%s (%s) is missing in the repository '%s': 'git fsck' there "
		       "tells what else is",
		       what, id, r->name);
}

int
lg_wants_tree(const struct repo *r, const char *what, struct err *err)
{
	if (r->top != NULL)
		return 0;
	return err_set(err, ERR_INVALID,
		       "the repository '%s' is bare: it has no work tree, so %s", r->name,
		       what);
}

int
lg_commit(const struct repo *r, const git_oid *oid, const char *what, git_commit **out,
	  struct err *err)
{
	int rc = git_commit_lookup(out, r->git, oid);

	return rc == 0 ? 0 : lg_lost(r, oid, what, rc, err);
}

static const char *
top_of(const struct repo *r)
{
	return r->top;
}

static const char *
dir_of(const struct repo *r)
{
	return r->dir;
}

extern const struct git_table dag_module;

__attribute__((visibility("default"))) const struct git_table dag_module = {
    .head = {"git", GIT_TABLE_VERSION},
    .open = lg_open,
    .close = lg_close,
    .top = top_of,
    .git_dir = dir_of,
    .what_head = lg_head,
    .dirty = lg_dirty,
    .stage = lg_stage,
    .tracks = lg_tracks,
    .submodule = lg_submodule,
    .ignores = lg_ignores,
    .resolve = lg_resolve,
    .revs = lg_revs,
    .trees = lg_trees,
    .walk = lg_walk,
    .blob = lg_blob,
    .file = lg_file,
    .clone = lg_clone,
    .hooks = lg_hooks,
    .refs = lg_refs,
    .ref_set = lg_ref_set,
    .ref_remove = lg_ref_remove,
    .ref_valid = lg_ref_valid,
    .commit = lg_commit_look,
    .author = lg_author,
    .commit_make = lg_commit_make,
    .tree_same = lg_tree_same,
    .snapshot = lg_snapshot,
    .in_way = lg_in_way,
    .put = lg_put,
    .apart = lg_apart,
};
