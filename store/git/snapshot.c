/*
 * What lies in a work tree as trees of git.  All is done with an index in memory, so that
 * neither the index of the work tree nor its lock is touched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/git/lg.h"

#define DEPTH_MAX 128 /* of directories below an extra path */

struct snapshot {
	struct repo *from, *into;
	git_odb *from_odb, *into_odb;
	git_index *index; /* of the work tree */
	git_index *made;  /* in memory */
	const atomic_bool *stop;
	struct err *err;
	bool failed; /* err says why */
};

static bool
is_stopped(struct snapshot *s)
{
	if (s->stop == NULL || !atomic_load_explicit(s->stop, memory_order_relaxed))
		return false;
	(void)err_set(s->err, ERR_CANCELLED, "stopped");
	s->failed = true;
	return true;
}

static int
fail(struct snapshot *s, int rc, const char *what, const char *path)
{
	s->failed = true;
	return lg_fail(s->err, rc, "cannot %s '%s' of the repository '%s'", what, path,
		       s->from->name);
}

/* ---- single files ---- */

/* Keep what lies at ${path} now. */
static int
take_file(struct snapshot *s, const char *path, const struct stat *st)
{
	const git_index_entry *old = git_index_get_bypath(s->made, path, 0);
	git_index_entry e = {.path = path};
	int rc;

	if (lg_refuse_filter(s->from, path, s->err) != 0) {
		s->failed = true;
		return -1;
	}
	rc = git_blob_create_from_workdir(&e.id, s->from->git, path);
	if (rc != 0)
		return fail(s, rc, "read", path);
	e.mode = S_ISLNK(st->st_mode)		? GIT_FILEMODE_LINK
		 : (st->st_mode & S_IXUSR) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE
						: GIT_FILEMODE_BLOB;
	/* Where core.fileMode is off the bit says nothing. */
	if (old != NULL && !S_ISLNK(st->st_mode) && S_ISREG(old->mode)) {
		git_config *config = NULL;
		int on = 1;

		if (git_repository_config_snapshot(&config, s->from->git) == 0)
			(void)git_config_get_bool(&on, config, "core.filemode");
		git_config_free(config);
		if (!on)
			e.mode = old->mode;
		git_error_clear();
	}
	rc = git_index_add(s->made, &e);
	return rc == 0 ? 0 : fail(s, rc, "take", path);
}

static int
look_at(struct snapshot *s, const char *path, struct stat *st)
{
	struct buf b;
	int errnum;

	buf_init(&b, 0);
	path_join(&b, s->from->top, path);
	errnum = buf_failed(&b) ? ENOMEM : lstat(b.p, st) != 0 ? errno : 0;
	buf_release(&b);
	return errnum;
}

/* What a diff from index to work tree tells. */
static int
take_delta(const git_diff_delta *d, float progress, void *ctx)
{
	const char *path = d->old_file.path;
	struct snapshot *s = ctx;
	const git_index_entry *e;
	struct stat st;
	int errnum, rc;

	(void)progress;
	if (is_stopped(s))
		return GIT_EUSER;
	if (d->status == GIT_DELTA_CONFLICTED) {
		s->failed = true;
		(void)err_set(s->err, ERR_INVALID,
			      "'%s' is unmerged: end the merge first", path);
		return GIT_EUSER;
	}
	if (d->old_file.mode == GIT_FILEMODE_COMMIT)
		return 0; /* a submodule stays what the index says */
	errnum = look_at(s, path, &st);
	if (errnum == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
		return take_file(s, path, &st) == 0 ? 0 : GIT_EUSER;
	if (errnum != 0 && errnum != ENOENT && errnum != ENOTDIR) {
		s->failed = true;
		(void)err_sys(s->err, errnum, "cannot read '%s'", path);
		return GIT_EUSER;
	}
	e = git_index_get_bypath(s->index, path, 0);
	if (e != NULL && (e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0)
		return 0; /* a sparse checkout leaves it out */
	rc = git_index_remove(s->made, path, 0);
	if (rc != 0 && rc != GIT_ENOTFOUND) {
		(void)fail(s, rc, "leave out", path);
		return GIT_EUSER;
	}
	return 0;
}

/* ---- what is not tracked ---- */

static int take_any(struct snapshot *, const char *, unsigned);

static int
take_dir(struct snapshot *s, const char *path, unsigned depth)
{
	struct dirent *d;
	struct buf b;
	DIR *dir = NULL;
	int rc = 0, fd;

	if (depth > DEPTH_MAX) {
		s->failed = true;
		return err_set(s->err, ERR_LIMIT, "'%s' lies deeper than %d directories",
			       path, DEPTH_MAX);
	}
	buf_init(&b, 0);
	path_join(&b, s->from->top, path);
	fd = buf_failed(&b) ? -1
			    : open(b.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
		rc = err_sys(s->err, fd < 0 && buf_failed(&b) ? ENOMEM : errno,
			     "cannot read the directory '%s'", path);
		s->failed = true;
		if (fd >= 0)
			(void)close(fd);
	}
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_clear(&b);
		path_join(&b, path, d->d_name);
		if (buf_failed(&b)) {
			s->failed = true;
			rc = err_nomem(s->err);
		} else {
			rc = take_any(s, b.p, depth + 1);
		}
	}
	if (dir != NULL)
		(void)closedir(dir);
	buf_release(&b);
	return rc;
}

static int
take_any(struct snapshot *s, const char *path, unsigned depth)
{
	struct stat st;
	int errnum;

	if (is_stopped(s))
		return -1;
	/* A submodule stays what the index says. */
	errnum = lg_in_submodule(s->index, path);
	if (errnum != 0) {
		s->failed = errnum < 0;
		return errnum < 0 ? err_nomem(s->err) : 0;
	}
	errnum = look_at(s, path, &st);
	if (errnum == ENOENT || errnum == ENOTDIR)
		return 0; /* taken out already, if it was tracked */
	if (errnum != 0) {
		s->failed = true;
		return err_sys(s->err, errnum, "cannot read '%s'", path);
	}
	if (S_ISDIR(st.st_mode))
		return take_dir(s, path, depth);
	return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? take_file(s, path, &st) : 0;
}

/* ---- trees ---- */

/* An object that commands kept beside, where only their repository has it. */
static int
bring(struct snapshot *s, const git_index_entry *e)
{
	git_odb_object *o = NULL;
	git_oid oid;
	int rc;

	if (e->mode == GIT_FILEMODE_COMMIT || git_odb_exists(s->into_odb, &e->id))
		return 0;
	rc = git_odb_read(&o, s->from_odb, &e->id);
	if (rc == 0)
		rc = git_odb_write(&oid, s->into_odb, git_odb_object_data(o),
				   git_odb_object_size(o), git_odb_object_type(o));
	git_odb_object_free(o);
	return rc == 0 ? 0 : fail(s, rc, "keep", e->path);
}

static int
write_tree(struct snapshot *s, char out[REPO_ID])
{
	git_oid oid;
	int rc;

	for (size_t i = 0; s->from != s->into && i < git_index_entrycount(s->made); i++)
		if (bring(s, git_index_get_byindex(s->made, i)) != 0)
			return -1;
	rc = git_index_write_tree_to(&oid, s->made, s->into->git);
	if (rc != 0)
		return fail(s, rc, "write a tree of", "the files");
	lg_id(&oid, out);
	return 0;
}

/* Begin with what the index has. */
static int
copy_index(struct snapshot *s)
{
	size_t n = git_index_entrycount(s->index);
	int rc = git_index_new(&s->made);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		git_index_entry e = *git_index_get_byindex(s->index, i);

		if ((e.flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) != 0)
			continue;
		if (git_index_entry_stage(&e) != 0) {
			s->failed = true;
			return err_set(s->err, ERR_INVALID,
				       "'%s' is unmerged: end the merge first", e.path);
		}
		e.flags_extended = 0;
		rc = git_index_add(s->made, &e);
	}
	return rc == 0 ? 0 : fail(s, rc, "copy", "the index");
}

static int
begin(struct snapshot *s)
{
	int rc;

	if (lg_wants_tree(s->from, "nothing lies in it", s->err) != 0 ||
	    lg_index(s->from, &s->index, s->err) != 0) {
		s->failed = true;
		return -1;
	}
	rc = git_repository_odb(&s->from_odb, s->from->git);
	if (rc == 0)
		rc = git_repository_odb(&s->into_odb, s->into->git);
	return rc == 0 ? copy_index(s) : fail(s, rc, "read", "the objects");
}

static void
end(struct snapshot *s)
{
	git_index_free(s->made);
	git_index_free(s->index);
	git_odb_free(s->from_odb);
	git_odb_free(s->into_odb);
}

static int
take_changes(struct snapshot *s)
{
	git_diff_options opts;
	git_diff *diff = NULL;
	int rc;

	(void)git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	opts.flags = GIT_DIFF_SKIP_BINARY_CHECK | GIT_DIFF_INCLUDE_TYPECHANGE;
	opts.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
	rc = git_diff_index_to_workdir(&diff, s->from->git, s->index, &opts);
	for (size_t i = 0; rc == 0 && i < git_diff_num_deltas(diff); i++)
		rc = take_delta(git_diff_get_delta(diff, i), 0, s);
	git_diff_free(diff);
	if (rc != 0 && !s->failed)
		return fail(s, rc, "look for changes in", "the work tree");
	return rc == 0 ? 0 : -1;
}

/* Files that git was told not to look at are what they are, too. */
static int
take_unseen(struct snapshot *s)
{
	size_t n = git_index_entrycount(s->index);
	struct stat st;
	git_oid oid;

	for (size_t i = 0; i < n; i++) {
		const git_index_entry *e = git_index_get_byindex(s->index, i);

		if (!lg_is_unseen(e) || e->mode == GIT_FILEMODE_COMMIT ||
		    look_at(s, e->path, &st) != 0 ||
		    (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
			continue;
		if (S_ISREG(st.st_mode) && S_ISREG(e->mode) &&
		    git_repository_hashfile(&oid, s->from->git, e->path, GIT_OBJECT_BLOB,
					    NULL) == 0 &&
		    git_oid_equal(&oid, &e->id))
			continue;
		if (is_stopped(s) || take_file(s, e->path, &st) != 0)
			return -1;
	}
	return 0;
}

int
lg_snapshot(struct repo *from, struct repo *into, const char *const *extra, size_t n,
	    const atomic_bool *stop, struct repo_snapshot *out, struct err *err)
{
	struct snapshot s = {.from = from, .into = into, .stop = stop, .err = err};
	int rc = begin(&s);

	if (rc == 0)
		rc = write_tree(&s, out->index);
	if (rc == 0)
		rc = take_changes(&s);
	if (rc == 0)
		rc = take_unseen(&s);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take_any(&s, extra[i], 0);
	if (rc == 0)
		rc = write_tree(&s, out->tree);
	end(&s);
	return rc;
}

/* ---- what is in the way of a commit ---- */

struct way {
	struct snapshot s;
	size_t n;
};

static int
refuse(struct way *w, const char *what, const char *path, const char *why)
{
	w->s.failed = true;
	return err_set(w->s.err, ERR_EXISTS, "%s '%s' is %s", what, path, why);
}

/* Whether what lies there is what git last heard of it, or what it is to be. */
static bool
is_as_known(struct way *w, const git_index_entry *e, const git_diff_delta *d,
	    const struct stat *st)
{
	git_oid oid;

	return S_ISREG(st->st_mode) && S_ISREG(e->mode) &&
	       git_repository_hashfile(&oid, w->s.from->git, e->path, GIT_OBJECT_BLOB,
				       NULL) == 0 &&
	       (git_oid_equal(&oid, &e->id) ||
		(d->status != GIT_DELTA_DELETED && git_oid_equal(&oid, &d->new_file.id)));
}

/* One that git tracks is in the snapshot with its changes, unless git was told not to look. */
static int
look_at_tracked(struct way *w, const git_index_entry *e, const git_diff_delta *d,
		const struct stat *st)
{
	if (!lg_is_unseen(e) || lg_is_kept_as(e, d) || is_as_known(w, e, d, st))
		return 0;
	return refuse(w, "the file", e->path,
		      "one whose changes git does not look at, and they would be lost: "
		      "'git update-index --no-assume-unchanged --no-skip-worktree' lets "
		      "it see them");
}

static int
look_at_untracked(struct way *w, const git_diff_delta *d, const struct stat *st)
{
	const char *path = d->new_file.path;
	git_oid oid;

	if (d->status == GIT_DELTA_DELETED ||
	    (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode)))
		return 0;
	if (S_ISREG(st->st_mode) &&
	    git_repository_hashfile(&oid, w->s.from->git, path, GIT_OBJECT_BLOB, NULL) ==
		0 &&
	    git_oid_equal(&oid, &d->new_file.id))
		return 0;
	w->n++;
	return take_file(&w->s, path, st);
}

/* Whether HEAD has a file or link there, as the work tree: then it is removed first. */
static bool
is_of_head(struct way *w, const char *path, bool link)
{
	git_tree_entry *entry = NULL;
	git_object *tree = NULL;
	bool is = false;

	if (git_revparse_single(&tree, w->s.from->git, "HEAD^{tree}") == 0 &&
	    git_tree_entry_bypath(&entry, (git_tree *)tree, path) == 0)
		is = git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
		     (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK) == link;
	git_tree_entry_free(entry);
	git_object_free(tree);
	git_error_clear();
	return is;
}

/* A part of the path is there and is no directory.  What git tracks makes room. */
static int
look_at_barrier(struct way *w, const char *part, const struct stat *st)
{
	const git_index_entry *e = git_index_get_bypath(w->s.index, part, 0);
	bool link = S_ISLNK(st->st_mode);

	if (e != NULL && !lg_is_unseen(e) && (e->mode == GIT_FILEMODE_LINK) == link &&
	    is_of_head(w, part, link))
		return 0;
	return refuse(w, link ? "the link" : "the file", part,
		      "where a directory is to be: move it away");
}

static int
in_way(struct way *w, const git_diff_delta *d)
{
	const char *path = d->new_file.path;
	bool gone = d->status == GIT_DELTA_DELETED;
	const git_index_entry *e;
	struct stat st;
	struct buf part;
	int rc;

	if (!gone && d->new_file.mode == GIT_FILEMODE_COMMIT)
		return 0;
	buf_init(&part, 0);
	rc = lg_barrier(w->s.from, path, &part, &st, w->s.err);
	if (rc < 0)
		w->s.failed = true;
	if (rc == 1)
		rc = gone ? 0 : look_at_barrier(w, part.p, &st);
	else if (rc == 0 && look_at(&w->s, path, &st) == 0) {
		e = git_index_get_bypath(w->s.index, path, 0);
		if (!gone && S_ISDIR(st.st_mode))
			rc = refuse(w, "the directory", path,
				    "where a file is to be: move it away");
		else
			rc = e != NULL ? look_at_tracked(w, e, d, &st)
				       : look_at_untracked(w, d, &st);
	}
	buf_release(&part);
	return rc;
}

int
lg_in_way(struct repo *r, const char *commit, char tree_id[REPO_ID], size_t *n,
	  struct err *err)
{
	struct way w = {.s = {.from = r, .into = r, .err = err}};
	git_commit *c = NULL;
	git_tree *tree = NULL;
	git_diff *diff = NULL;
	git_oid oid;
	int rc = begin(&w.s);

	tree_id[0] = '\0';
	*n = 0;
	if (rc == 0)
		rc = lg_oid(commit, &oid, err);
	if (rc == 0)
		rc = lg_commit(r, &oid, "a commit", &c, err);
	if (rc == 0 && (rc = git_commit_tree(&tree, c)) != 0)
		rc = lg_lost(r, git_commit_tree_id(c), "a tree", rc, err);
	if (rc == 0 && (rc = git_index_clear(w.s.made)) != 0)
		rc = fail(&w.s, rc, "forget", "the index");
	if (rc == 0 && (rc = lg_put_diff(r, tree, &diff)) != 0)
		rc = fail(&w.s, rc, "read a tree of", "a commit");
	for (size_t i = 0; rc == 0 && i < git_diff_num_deltas(diff); i++)
		rc = in_way(&w, git_diff_get_delta(diff, i));
	if (rc == 0 && w.n > 0)
		rc = write_tree(&w.s, tree_id);
	*n = w.n;
	git_diff_free(diff);
	git_tree_free(tree);
	git_commit_free(c);
	end(&w.s);
	return rc == 0 ? 0 : -1;
}
