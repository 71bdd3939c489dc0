/* What is in a commit: its tree, walked without recursion, and its files. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/git/lg.h"

#define PATH_LIMIT 4095 /* bytes: what a work tree on Linux can have, and our depth */

/* A directory that is being read. */
struct level {
	git_tree *tree;
	size_t next; /* entry */
	size_t len;  /* of the path up to here, its slash included */
};

struct walk {
	struct repo *r;
	const struct repo_visitor *v;
	struct buf path;
	VEC(struct level) levels;
};

static int
commit_tree(struct repo *r, const char *id, git_tree **out, struct err *err)
{
	git_commit *commit = NULL;
	git_oid oid;
	int rc;

	if (lg_oid(id, &oid, err) != 0 ||
	    lg_commit(r, &oid, "the commit", &commit, err) != 0)
		return -1;
	rc = git_commit_tree(out, commit);
	if (rc != 0)
		(void)lg_lost(r, git_commit_tree_id(commit), "a commit's tree", rc, err);
	git_commit_free(commit);
	return rc == 0 ? 0 : -1;
}

static int
push(struct walk *w, git_tree *tree, struct err *err)
{
	struct level l = {.tree = tree, .len = w->path.n};

	if (vec_push(&w->levels, l) == 0)
		return 0;
	git_tree_free(tree);
	return err_nomem(err);
}

/* Put the entry's name behind the path of its directory. */
static int
put_name(struct walk *w, size_t len, const char *name, struct err *err)
{
	buf_truncate(&w->path, len);
	if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strcasecmp(name, ".git") == 0)
		return err_set(err, ERR_CORRUPT,
			       "a tree in the repository '%s' holds the name '%.255s' in "
			       "'%.255s', which no work tree can have",
			       w->r->name, name, w->path.p);
	buf_adds(&w->path, name);
	if (w->path.n > PATH_LIMIT)
		return err_set(err, ERR_LIMIT,
			       "a path in the repository '%s' is longer than %d bytes: "
			       "'%.128s...'",
			       w->r->name, PATH_LIMIT, w->path.p);
	return buf_failed(&w->path) ? err_nomem(err) : 0;
}

/* The size that an object's header tells; a submodule's commit is not here. */
static int64_t
size_of(struct repo *r, const git_oid *oid)
{
	git_odb *odb = NULL;
	git_object_t type;
	size_t size = 0;
	bool known = git_repository_odb(&odb, r->git) == 0 &&
		     git_odb_read_header(&size, &type, odb, oid) == 0;

	git_odb_free(odb);
	return known ? (int64_t)size : -1;
}

static int
enter(struct walk *w, const git_tree_entry *e, const struct repo_entry *entry,
      struct err *err)
{
	int rc = w->v->dir != NULL ? w->v->dir(w->v->ctx, entry, err) : 1;
	git_tree *tree = NULL;

	if (rc <= 0)
		return rc;
	rc = git_tree_lookup(&tree, w->r->git, git_tree_entry_id(e));
	if (rc != 0)
		return lg_lost(w->r, git_tree_entry_id(e), entry->path, rc, err);
	buf_addc(&w->path, '/');
	if (buf_failed(&w->path)) {
		git_tree_free(tree);
		return err_nomem(err);
	}
	return push(w, tree, err);
}

/* The next entry of the innermost directory, or its end. */
static int
step(struct walk *w, struct err *err)
{
	struct level *l = &w->levels.v[w->levels.n - 1];
	const git_tree_entry *e = git_tree_entry_byindex(l->tree, l->next++);
	struct repo_entry entry;
	char id[REPO_ID];

	if (e == NULL) {
		git_tree_free(l->tree);
		w->levels.n--;
		return 0;
	}
	if (put_name(w, l->len, git_tree_entry_name(e), err) != 0)
		return -1;
	lg_id(git_tree_entry_id(e), id);
	entry = (struct repo_entry){.path = w->path.p,
				    .id = id,
				    .mode = (uint32_t)git_tree_entry_filemode(e),
				    .size = -1};
	if (w->v->sizes_of != NULL && strlen(w->v->sizes_of) == l->len &&
	    strncmp(w->v->sizes_of, w->path.p, l->len) == 0)
		entry.size = size_of(w->r, git_tree_entry_id(e));
	if (git_tree_entry_type(e) == GIT_OBJECT_TREE)
		return enter(w, e, &entry, err);
	return w->v->file != NULL ? w->v->file(w->v->ctx, &entry, err) : 0;
}

int
lg_walk(struct repo *r, const char *commit, const struct repo_visitor *v, struct err *err)
{
	struct walk w = {.r = r, .v = v};
	git_tree *root = NULL;
	int rc;

	if (commit_tree(r, commit, &root, err) != 0)
		return -1;
	buf_init(&w.path, 0);
	rc = push(&w, root, err);
	while (rc == 0 && w.levels.n > 0)
		rc = step(&w, err);
	while (w.levels.n > 0)
		git_tree_free(w.levels.v[--w.levels.n].tree);
	vec_release(&w.levels);
	buf_release(&w.path);
	return rc;
}

/* ---- files ---- */

/* The blob's size is in its header: one that is too big is not read. */
static int
read_blob(struct repo *r, const git_oid *oid, const char *what, size_t max,
	  struct buf *out, struct err *err)
{
	git_object_t type;
	git_blob *blob = NULL;
	git_odb *odb = NULL;
	size_t size;
	int rc = git_repository_odb(&odb, r->git);

	if (rc == 0)
		rc = git_odb_read_header(&size, &type, odb, oid);
	git_odb_free(odb);
	if (rc == 0 && type == GIT_OBJECT_BLOB && size > max)
		return err_set(err, ERR_LIMIT,
			       "%s in the repository '%s' has %zu bytes; the most here "
			       "is %zu",
			       what, r->name, size, max);
	if (rc == 0)
		rc = git_blob_lookup(&blob, r->git, oid);
	if (rc != 0)
		return lg_lost(r, oid, what, rc, err);
	buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	if (out->state == BUF_TOOBIG)
		return err_set(err, ERR_LIMIT,
			       "%s in the repository '%s' is too big (%zu bytes)", what,
			       r->name, size);
	return buf_failed(out) ? err_nomem(err) : 0;
}

int
lg_blob(struct repo *r, const char *id, size_t max, struct buf *out, struct err *err)
{
	git_oid oid;

	if (lg_oid(id, &oid, err) != 0)
		return -1;
	return read_blob(r, &oid, "a file's content", max, out, err);
}

/* Find ${path} below ${tree}, which is freed.  A directory that is not in a partial clone is
 * not the same as one that never was. */
static int
find(struct repo *r, git_tree *tree, const char *path, git_oid *oid, git_object_t *type,
     struct err *err)
{
	const git_tree_entry *e;
	const char *slash;
	char name[PATH_LIMIT + 1];
	size_t n;
	int rc;

	for (;; path = slash + 1) {
		slash = strchrnul(path, '/');
		n = (size_t)(slash - path);
		if (n > PATH_LIMIT)
			n = PATH_LIMIT;
		memcpy(name, path, n);
		name[n] = '\0';
		e = git_tree_entry_byname(tree, name);
		if (e != NULL) {
			*oid = *git_tree_entry_id(e);
			*type = git_tree_entry_type(e);
		}
		git_tree_free(tree);
		if (e == NULL || (*slash != '\0' && *type != GIT_OBJECT_TREE))
			return 0;
		if (*slash == '\0')
			return 1;
		rc = git_tree_lookup(&tree, r->git, oid);
		if (rc != 0)
			return lg_lost(r, oid, name, rc, err);
	}
}

int
lg_file(struct repo *r, const char *commit, const char *path, size_t max, struct buf *out,
	struct err *err)
{
	git_object_t type = GIT_OBJECT_INVALID;
	git_tree *root = NULL;
	git_oid oid = {{0}};
	int rc;

	if (commit_tree(r, commit, &root, err) != 0 ||
	    (rc = find(r, root, path, &oid, &type, err)) < 0)
		return -1;
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no '%s' in commit %.12s",
			       path, commit);
	if (type != GIT_OBJECT_BLOB)
		return err_set(err, ERR_INVALID, "'%s' is no file in commit %.12s", path,
			       commit);
	return read_blob(r, &oid, path, max, out, err);
}
