/* Files of commits, written into this work tree, or into one elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/git/lg.h"

#define INFO_MAX ((size_t)1 << 20)

int
lg_put_diff(struct repo *r, git_tree *tree, git_diff **diff)
{
	git_diff_options opts;
	git_reference *head = NULL;
	git_object *old = NULL;
	int rc = git_repository_head(&head, r->git);

	if (rc == 0)
		rc = git_reference_peel(&old, head, GIT_OBJECT_TREE);
	else if (rc == GIT_EUNBORNBRANCH)
		rc = 0;
	git_reference_free(head);
	if (rc != 0)
		return rc;
	(void)git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	opts.flags = GIT_DIFF_INCLUDE_UNMODIFIED | GIT_DIFF_INCLUDE_TYPECHANGE |
		     GIT_DIFF_SKIP_BINARY_CHECK;
	rc = git_diff_tree_to_tree(diff, r->git, (git_tree *)old, tree, &opts);
	git_object_free(old);
	return rc;
}

bool
lg_is_unseen(const git_index_entry *e)
{
	return (e->flags & GIT_INDEX_ENTRY_VALID) != 0 ||
	       (e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0;
}

bool
lg_is_kept_as(const git_index_entry *e, const git_diff_delta *d)
{
	return d->status != GIT_DELTA_DELETED && e->mode == d->new_file.mode &&
	       git_oid_equal(&e->id, &d->new_file.id);
}

int
lg_barrier(const struct repo *r, const char *path, struct buf *part, struct stat *st,
	   struct err *err)
{
	struct buf full;
	int found = 0;

	buf_init(&full, 0);
	for (const char *p = strchr(path, '/'); p != NULL && found == 0;
	     p = strchr(p + 1, '/')) {
		buf_clear(part);
		buf_clear(&full);
		buf_add(part, path, (size_t)(p - path));
		if (!buf_failed(part))
			path_join(&full, r->top, part->p);
		if (buf_failed(part) || buf_failed(&full))
			found = err_nomem(err);
		else if (lstat(full.p, st) != 0)
			break;
		else
			found = !S_ISDIR(st->st_mode);
	}
	buf_release(&full);
	return found;
}

/* Whether the path is to be made what the commit has there.  1, 0 or -1. */
static int
is_put(struct repo *r, git_index *index, const git_diff_delta *d, struct err *err)
{
	const char *path = d->new_file.path;
	const git_index_entry *e = git_index_get_bypath(index, path, 0);
	bool gone = d->status == GIT_DELTA_DELETED;
	struct buf b;
	struct stat st;
	int rc;

	if (!gone && d->new_file.mode == GIT_FILEMODE_COMMIT)
		return 0;
	if (!gone && e != NULL && lg_is_unseen(e) && lg_is_kept_as(e, d))
		return 0;
	if (!gone)
		return 1;
	/* What git does not track any more is the user's alone; so is what has taken its place. */
	if (e == NULL)
		return 0;
	buf_init(&b, 0);
	rc = lg_barrier(r, path, &b, &st, err);
	if (rc == 0) {
		buf_clear(&b);
		path_join(&b, r->top, path);
		rc = buf_failed(&b) ? err_nomem(err)
				    : lstat(b.p, &st) == 0 && !S_ISDIR(st.st_mode);
	} else if (rc == 1) {
		rc = 0;
	}
	buf_release(&b);
	return rc;
}

/* Of all paths of HEAD and of ${tree}: what else is staged is nobody's but the user's. */
static int
paths_of(struct repo *r, git_diff *diff, git_strarray *out, struct err *err)
{
	size_t n = git_diff_num_deltas(diff);
	git_index *index = NULL;
	int rc = lg_index(r, &index, err);

	if (rc == 0 && (out->strings = calloc(n + 1, sizeof(*out->strings))) == NULL)
		rc = err_nomem(err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);

		if ((rc = is_put(r, index, d, err)) != 1)
			continue;
		rc = 0;
		if ((out->strings[out->count] = strdup(d->new_file.path)) == NULL)
			rc = err_nomem(err);
		else
			out->count++;
	}
	git_index_free(index);
	return rc;
}

static int
put_tree(struct repo *r, const char *commit, git_tree *tree, struct err *err)
{
	git_checkout_options opts;
	git_diff *diff = NULL;
	int rc;

	(void)git_checkout_options_init(&opts, GIT_CHECKOUT_OPTIONS_VERSION);
	opts.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX |
				 GIT_CHECKOUT_DISABLE_PATHSPEC_MATCH;
	if ((rc = lg_put_diff(r, tree, &diff)) != 0)
		rc = lg_fail(err, rc, "cannot compare HEAD with %s", commit);
	else
		rc = paths_of(r, diff, &opts.paths, err);
	/* No paths would mean all. */
	if (rc == 0 && opts.paths.count > 0 &&
	    (rc = git_checkout_tree(r->git, (git_object *)tree, &opts)) != 0)
		rc = lg_fail(err, rc, "cannot write the files of %s into '%s'", commit,
			     r->name);
	for (size_t i = 0; i < opts.paths.count; i++)
		free(opts.paths.strings[i]);
	free(opts.paths.strings);
	git_diff_free(diff);
	return rc;
}

int
lg_put(struct repo *r, const char *commit, struct err *err)
{
	git_commit *c = NULL;
	git_tree *tree = NULL;
	git_oid oid;
	int rc;

	if (lg_wants_tree(r, "nothing can be written to it", err) != 0 ||
	    lg_oid(commit, &oid, err) != 0 ||
	    lg_commit(r, &oid, "a commit", &c, err) != 0)
		return -1;
	if ((rc = git_commit_tree(&tree, c)) != 0)
		rc = lg_lost(r, git_commit_tree_id(c), "a tree", rc, err);
	else
		rc = put_tree(r, commit, tree, err);
	git_tree_free(tree);
	git_commit_free(c);
	return rc == 0 ? 0 : -1;
}

/* ---- elsewhere ---- */

/* The objects of ${r} are those of the new repository, too. */
static int
borrow(struct repo *r, const char *dir, struct err *err)
{
	struct buf path, line;
	int rc;

	buf_init(&path, 0);
	buf_init(&line, 0);
	path_join(&path, dir, ".git/objects/info/alternates");
	path_join(&line, r->common, "objects");
	buf_addc(&line, '\n');
	if (buf_failed(&path) || buf_failed(&line))
		rc = err_nomem(err);
	else if (strchr(line.p, '\n') != line.p + line.n - 1)
		rc = err_set(err, ERR_INVALID,
			     "the path of the repository '%s' has a line break in it, so "
			     "its objects cannot be borrowed",
			     r->name);
	else
		rc = fsio_replace_lazily(AT_FDCWD, path.p, line.p, line.n, 0666, err);
	buf_release(&path);
	buf_release(&line);
	return rc;
}

/* info/exclude and info/attributes. */
static int
copy_info(struct repo *r, const char *dir, const char *name, struct err *err)
{
	struct buf from, to, text;
	struct err unused;
	int rc = 0;

	buf_init(&from, 0);
	buf_init(&to, 0);
	buf_init(&text, INFO_MAX);
	path_join(&from, r->common, name);
	path_join(&to, dir, ".git");
	buf_addf(&to, "/%s", name);
	if (buf_failed(&from) || buf_failed(&to))
		rc = err_nomem(err);
	else if (fsio_read(AT_FDCWD, from.p, INFO_MAX, &text, &unused) == 0)
		rc = fsio_replace_lazily(AT_FDCWD, to.p, text.p, text.n, 0666, err);
	buf_release(&from);
	buf_release(&to);
	buf_release(&text);
	return rc;
}

/* What is about this one repository and no other. */
static bool
is_own(const char *name)
{
	static const char *const own[] = {
	    "core.worktree", "core.bare", "core.repositoryformatversion",
	    "core.sparsecheckout", "core.sparsecheckoutcone"};
	static const char *const parts[] = {"extensions.", "include.", "includeif.",
					    "index."};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strncmp(name, parts[i], strlen(parts[i])) == 0)
			return true;
	return false;
}

/* `section.some sub.section.key` and its value, in a section of its own. */
static void
put_setting(struct buf *b, const char *name, const char *value)
{
	const char *first = strchr(name, '.'), *last = strrchr(name, '.');

	if (first == NULL)
		return;
	buf_addf(b, "[%.*s", (int)(first - name), name);
	if (last > first) {
		buf_adds(b, " \"");
		for (const char *p = first + 1; p < last; p++) {
			if (*p == '"' || *p == '\\')
				buf_addc(b, '\\');
			buf_addc(b, *p);
		}
		buf_addc(b, '"');
	}
	buf_addf(b, "]\n\t%s = \"", last + 1);
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			buf_adds(b, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *value);
	}
	buf_adds(b, "\"\n");
}

/* The settings of ${r} that are not those of the user in all repositories. */
static int
put_settings(struct repo *r, struct buf *b, struct err *err)
{
	git_config *all = NULL, *from = NULL;
	git_config_iterator *it = NULL;
	git_config_entry *e;
	int rc = git_repository_config(&all, r->git);

	if (rc == 0)
		rc = git_config_open_level(&from, all, GIT_CONFIG_LEVEL_LOCAL);
	if (rc == 0)
		rc = git_config_iterator_new(&it, from);
	while (rc == 0 && (rc = git_config_next(&e, it)) == 0)
		if (!is_own(e->name) && e->value != NULL)
			put_setting(b, e->name, e->value);
	git_config_iterator_free(it);
	git_config_free(from);
	git_config_free(all);
	return rc == GIT_ITEROVER
		   ? 0
		   : lg_fail(err, rc, "cannot read the settings of '%s'", r->name);
}

/* Ours stand behind what libgit2 has found out about the file system. */
static int
copy_config(struct repo *r, const char *dir, struct err *err)
{
	struct buf path, text;
	int rc;

	buf_init(&path, 0);
	buf_init(&text, 0);
	path_join(&path, dir, ".git/config");
	if (buf_failed(&path))
		rc = err_nomem(err);
	else
		rc = fsio_read(AT_FDCWD, path.p, INFO_MAX, &text, err);
	if (rc == 0)
		rc = put_settings(r, &text, err);
	if (rc == 0 && buf_failed(&text))
		rc = err_nomem(err);
	if (rc == 0)
		rc = fsio_replace_lazily(AT_FDCWD, path.p, text.p, text.n, 0666, err);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int
fill(git_repository *git, const char *tree_id, const char *head_id, const char *dir,
     struct err *err)
{
	git_checkout_options opts;
	git_tree *tree = NULL;
	git_oid oid, head;
	int rc;

	if (lg_oid(tree_id, &oid, err) != 0 || lg_oid(head_id, &head, err) != 0)
		return -1;
	(void)git_checkout_options_init(&opts, GIT_CHECKOUT_OPTIONS_VERSION);
	opts.checkout_strategy = GIT_CHECKOUT_FORCE;
	rc = git_repository_set_head_detached(git, &head);
	if (rc == 0)
		rc = git_tree_lookup(&tree, git, &oid);
	if (rc == 0)
		rc = git_checkout_tree(git, (git_object *)tree, &opts);
	git_tree_free(tree);
	return rc == 0 ? 0 : lg_fail(err, rc, "cannot make a work tree at '%s'", dir);
}

int
lg_apart(struct repo *r, const char *tree, const char *head, const char *dir,
	 struct repo **out, struct err *err)
{
	git_repository *git = NULL;
	int rc;

	*out = NULL;
	rc = git_repository_init(&git, dir, 0);
	git_repository_free(git);
	git = NULL;
	if (rc != 0)
		return lg_fail(err, rc, "cannot make a repository at '%s'", dir);
	if (borrow(r, dir, err) != 0 || copy_config(r, dir, err) != 0 ||
	    copy_info(r, dir, "info/exclude", err) != 0 ||
	    copy_info(r, dir, "info/attributes", err) != 0)
		return -1;
	if ((rc = git_repository_open(&git, dir)) != 0)
		return lg_fail(err, rc, "cannot open the repository at '%s'", dir);
	if (fill(git, tree, head, dir, err) != 0) {
		git_repository_free(git);
		return -1;
	}
	return lg_adopt(git, out, err);
}
