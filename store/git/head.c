/* What is checked out, and whether something was changed since. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/git/lg.h"

#define HEADS "refs/heads/"

static void
put_branch(const char *ref, struct repo_head *out)
{
	if (strncmp(ref, HEADS, strlen(HEADS)) == 0)
		ref += strlen(HEADS);
	(void)snprintf(out->branch, sizeof(out->branch), "%s", ref);
}

/* HEAD names a branch that has no commit yet. */
static int
unborn(struct repo *r, struct repo_head *out, struct err *err)
{
	git_reference *ref = NULL;
	const char *target;
	int rc = git_reference_lookup(&ref, r->git, "HEAD");

	if (rc != 0)
		return lg_fail(err, rc, "cannot read HEAD of the repository '%s'",
			       r->name);
	if ((target = git_reference_symbolic_target(ref)) != NULL)
		put_branch(target, out);
	git_reference_free(ref);
	return 0;
}

int
lg_head(struct repo *r, struct repo_head *out, struct err *err)
{
	git_reference *ref = NULL;
	int rc = git_repository_head(&ref, r->git);

	*out = (struct repo_head){0};
	if (rc == GIT_EUNBORNBRANCH)
		return unborn(r, out, err);
	if (rc != 0)
		return lg_fail(err, rc, "cannot read HEAD of the repository '%s'",
			       r->name);
	lg_id(git_reference_target(ref), out->id);
	if (strcmp(git_reference_name(ref), "HEAD") != 0)
		put_branch(git_reference_name(ref), out);
	git_reference_free(ref);
	return 0;
}

/* ---- changes ---- */

struct search {
	const atomic_bool *stop;
	git_index *index;
	struct repo_change *change; /* may be NULL */
	bool found, stopped;
};

static int
on_change(const git_diff *diff, const git_diff_delta *delta, const char *pathspec,
	  void *ctx)
{
	struct search *s = ctx;

	const git_index_entry *e;

	(void)diff;
	(void)pathspec;
	if (delta->status == GIT_DELTA_DELETED) {
		/* libgit2 does not see that a sparse checkout leaves it out. */
		e = git_index_get_bypath(s->index, delta->old_file.path, 0);
		if (e != NULL && (e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0)
			return 1;
	}
	s->found = true;
	if (s->change != NULL && strlen(delta->old_file.path) < sizeof(s->change->path))
		(void)snprintf(s->change->path, sizeof(s->change->path), "%s",
			       delta->old_file.path);
	return GIT_EUSER;
}

static int
on_file(const git_diff *diff, const char *old, const char *new, void *ctx)
{
	struct search *s = ctx;

	(void)diff;
	(void)old;
	(void)new;
	if (s->stop == NULL || !atomic_load_explicit(s->stop, memory_order_relaxed))
		return 0;
	s->stopped = true;
	return GIT_EUSER;
}

/* The tree of HEAD; NULL where the branch is unborn. */
static int
head_tree(struct repo *r, git_tree **out, struct err *err)
{
	git_commit *commit = NULL;
	struct repo_head head;
	git_oid oid;
	int rc;

	*out = NULL;
	if (lg_head(r, &head, err) != 0)
		return -1;
	if (head.id[0] == '\0')
		return 0;
	if (lg_oid(head.id, &oid, err) != 0 ||
	    lg_commit(r, &oid, "the commit of HEAD", &commit, err) != 0)
		return -1;
	rc = git_commit_tree(out, commit);
	if (rc != 0)
		(void)lg_lost(r, git_commit_tree_id(commit), "the tree of HEAD", rc, err);
	git_commit_free(commit);
	return rc == 0 ? 0 : -1;
}

int
lg_dirty(struct repo *r, bool untracked, const atomic_bool *stop,
	 struct repo_change *change, struct err *err)
{
	git_diff_options opts;
	struct search s = {.stop = stop, .change = change};
	git_diff *diff = NULL;
	git_tree *tree = NULL;
	int rc;

	if (change != NULL) {
		change->path[0] = '\0';
		change->staged = true;
	}
	if (lg_wants_tree(r, "nothing in it can have changed", err) != 0 ||
	    lg_index(r, &s.index, err) != 0)
		return -1;
	if (head_tree(r, &tree, err) != 0) {
		git_index_free(s.index);
		return -1;
	}
	(void)git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	opts.flags = GIT_DIFF_SKIP_BINARY_CHECK;
	opts.ignore_submodules = GIT_SUBMODULE_IGNORE_UNTRACKED;
	opts.notify_cb = on_change;
	opts.progress_cb = on_file;
	opts.payload = &s;
	rc = git_diff_tree_to_index(&diff, r->git, tree, s.index, &opts);
	git_diff_free(diff);
	git_tree_free(tree);
	if (rc == 0) {
		diff = NULL;
		if (change != NULL)
			change->staged = false;
		if (untracked)
			/* In directories too: an empty one is none. */
			opts.flags |=
			    GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS;
		rc = git_diff_index_to_workdir(&diff, r->git, s.index, &opts);
		git_diff_free(diff);
	}
	git_index_free(s.index);
	if (s.stopped)
		return err_set(err, ERR_CANCELLED, "stopped");
	if (s.found)
		return 1;
	return rc == 0 ? 0 : lg_fail(err, rc, "cannot look for changes in '%s'", r->name);
}
