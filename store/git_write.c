/* The way to the module git, for store/git_write.h. */
#include "store/git_write.h"

#include "store/git_table.h"

int
repo_refs(struct repo *r, const char *prefix,
	  int (*fn)(void *, const struct repo_ref *, struct err *), void *ctx,
	  struct err *err)
{
	return git_table()->refs(r, prefix, fn, ctx, err);
}

int
repo_ref_set(struct repo *r, const char *name, const char *id, const char *was,
	     struct err *err)
{
	return git_table()->ref_set(r, name, id, was, err);
}

int
repo_ref_remove(struct repo *r, const char *name, struct err *err)
{
	return git_table()->ref_remove(r, name, err);
}

bool
repo_ref_valid(const struct repo *r, const char *name)
{
	return git_table()->ref_valid(r, name);
}

int
repo_commit(struct repo *r, const char *id, struct repo_commit *out, struct err *err)
{
	return git_table()->commit(r, id, out, err);
}

int
repo_author(struct repo *r, struct err *err)
{
	return git_table()->author(r, err);
}

int
repo_commit_make(struct repo *r, const char *tree, const char *const *parents, size_t n,
		 const char *message, char id[REPO_ID], struct err *err)
{
	return git_table()->commit_make(r, tree, parents, n, message, id, err);
}

bool
repo_tree_same(struct repo *r, const char *a, const char *b)
{
	return git_table()->tree_same(r, a, b);
}

int
repo_snapshot(struct repo *from, struct repo *into, const char *const *extra, size_t n,
	      const atomic_bool *stop, struct repo_snapshot *out, struct err *err)
{
	return git_table()->snapshot(from, into, extra, n, stop, out, err);
}

int
repo_in_way(struct repo *r, const char *commit, char tree[REPO_ID], size_t *n,
	    struct err *err)
{
	return git_table()->in_way(r, commit, tree, n, err);
}

int
repo_put(struct repo *r, const char *commit, struct err *err)
{
	return git_table()->put(r, commit, err);
}

int
repo_apart(struct repo *r, const char *tree, const char *head, const char *dir,
	   struct repo **out, struct err *err)
{
	return git_table()->apart(r, tree, head, dir, out, err);
}
