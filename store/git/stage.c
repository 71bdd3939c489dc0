/*
 * The index: what is tracked, what is ignored, and staging.
 *
 * libgit2 reads the index, changes its copy and takes the lock only to write, so what another
 * git staged in between would be lost.  We take index.lock first, as git does, then read; what
 * we make of it is written beside (index.dag) and renamed into place while we hold the lock.
 *
 *	index.lock	ours from before the reading to after the renaming
 *	index.dag	a copy of index, staged into by libgit2, then renamed to index
 *	index.dag.lock	libgit2's, while it writes that
 *
 * Killed in between, all stay: the next git names the first, as it does after a killed git.
 * Whoever holds that may remove the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <git2/sys/repository.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/git/lg.h"

#define LOCK_WAIT_MS 3000
#define LOCK_STEP_MS 20
#define INDEX_MAX    ((size_t)4 << 30)

/* ---- looking ---- */

/* Whether git left the checksum at the end of the index out, as it may since 2.40. */
static bool
is_unsummed(const struct repo *r)
{
	static const char none[GIT_OID_RAWSZ];
	char last[GIT_OID_RAWSZ] = "x";
	struct buf path;
	int fd = -1;

	buf_init(&path, 0);
	path_join(&path, r->dir, "index");
	if (!buf_failed(&path))
		fd = open(path.p, O_RDONLY | O_CLOEXEC);
	buf_release(&path);
	if (fd < 0)
		return false;
	if (lseek(fd, -GIT_OID_RAWSZ, SEEK_END) >= 0)
		(void)!read(fd, last, sizeof(last));
	(void)close(fd);
	return memcmp(last, none, sizeof(last)) == 0;
}

/* Say why libgit2 cannot read the index. */
static int
unreadable(const struct repo *r, int rc, struct err *err)
{
	if (is_unsummed(r))
		return err_set(
		    err, ERR_INVALID,
		    "the index of the repository '%s' has no checksum (index.skipHash, "
		    "feature.manyFiles), which this version of dag cannot read: 'git "
		    "config index.skipHash false' and 'git update-index "
		    "--force-write-index' give it one",
		    r->name);
	return lg_fail(
	    err, rc,
	    "cannot read the index of the repository '%s' (a split or sparse one "
	    "is made plain by 'git update-index --no-split-index', 'git "
	    "sparse-checkout init --no-sparse-index')",
	    r->name);
}

int
lg_index(struct repo *r, git_index **out, struct err *err)
{
	int rc = git_repository_index(out, r->git);

	if (rc == 0)
		rc = git_index_read(*out, 0);
	if (rc == 0)
		return 0;
	git_index_free(*out);
	*out = NULL;
	return unreadable(r, rc, err);
}

int
lg_tracks(struct repo *r, const char *path, struct err *err)
{
	git_index *index = NULL;
	struct buf below;
	int found = 0;
	size_t at;

	if (lg_wants_tree(r, "nothing can be asked of its index", err) != 0 ||
	    lg_index(r, &index, err) != 0)
		return -1;
	buf_init(&below, 0);
	buf_adds(&below, path);
	buf_addc(&below, '/');
	if (buf_failed(&below))
		found = err_nomem(err);
	else if (strcmp(path, ".") == 0)
		found = git_index_entrycount(index) > 0;
	else
		found = git_index_find(&at, index, path) == 0 ||
			git_index_find_prefix(&at, index, below.p) == 0;
	buf_release(&below);
	git_index_free(index);
	git_error_clear();
	return found;
}

int
lg_in_submodule(git_index *index, const char *path)
{
	const git_index_entry *e;
	struct buf part;
	int found = 0;
	size_t n;

	buf_init(&part, 0);
	for (const char *p = path; found == 0; p += n + 1) {
		n = strcspn(p, "/");
		buf_clear(&part);
		buf_add(&part, path, (size_t)(p - path) + n);
		if (buf_failed(&part))
			found = -1;
		else if ((e = git_index_get_bypath(index, part.p, 0)) != NULL)
			found = e->mode == GIT_FILEMODE_COMMIT;
		if (p[n] == '\0')
			break;
	}
	buf_release(&part);
	git_error_clear();
	return found;
}

int
lg_submodule(struct repo *r, const char *path, struct err *err)
{
	git_index *index = NULL;
	int found;

	if (lg_wants_tree(r, "it has no submodules", err) != 0 ||
	    lg_index(r, &index, err) != 0)
		return -1;
	found = lg_in_submodule(index, path);
	git_index_free(index);
	return found < 0 ? err_nomem(err) : found;
}

int
lg_ignores(struct repo *r, const char *path, struct err *err)
{
	int ignored = 0, rc;

	if (lg_wants_tree(r, "it ignores nothing", err) != 0)
		return -1;
	if ((rc = git_ignore_path_is_ignored(&ignored, r->git, path)) != 0)
		return lg_fail(err, rc, "cannot tell whether git ignores '%s'", path);
	return ignored != 0;
}

/* ---- the lock ---- */

/* The files of one staging; the names live in one buffer each. */
struct staging {
	struct buf index, lock, copy, half;
	bool locked;
};

static int
take_lock(struct staging *s, struct err *err)
{
	struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	int fd, waited;

	for (waited = 0;; waited += LOCK_STEP_MS) {
		fd = open(s->lock.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			s->locked = true;
			(void)close(fd); /* nothing was written */
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(err, errno, "cannot make '%s'", s->lock.p);
		if (waited >= LOCK_WAIT_MS)
			return err_set(err, ERR_BUSY,
				       "another git holds '%s'; if none runs any more, "
				       "remove that file",
				       s->lock.p);
		(void)nanosleep(&step, NULL);
	}
}

/* Copy the index, with its time: git takes an entry that is not older than the index for one
 * that may have changed unseen. */
static int
copy_index(struct staging *s, struct err *err)
{
	struct timespec times[2];
	struct stat st;
	struct buf bytes;
	int fd, rc = -1;

	(void)unlink(s->copy.p);
	(void)unlink(s->half.p);
	if (stat(s->index.p, &st) != 0)
		return errno == ENOENT
			   ? 0
			   : err_sys(err, errno, "cannot read '%s'", s->index.p);
	buf_init(&bytes, INDEX_MAX);
	if (fsio_read(AT_FDCWD, s->index.p, INDEX_MAX, &bytes, err) != 0) {
		buf_release(&bytes);
		return -1;
	}
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	fd = open(s->copy.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 0777);
	if (fd >= 0 && fsio_write_all(fd, bytes.p, bytes.n) == 0 &&
	    futimens(fd, times) == 0)
		rc = 0;
	else
		(void)err_sys(err, errno, "cannot write '%s'", s->copy.p);
	if (fd >= 0)
		(void)close(fd);
	buf_release(&bytes);
	return rc;
}

static void
end_staging(struct staging *s)
{
	if (s->locked) {
		(void)unlink(s->copy.p);
		(void)unlink(s->lock.p);
	}
	buf_release(&s->index);
	buf_release(&s->lock);
	buf_release(&s->copy);
	buf_release(&s->half);
}

static int
begin_staging(struct repo *r, struct staging *s, struct err *err)
{
	buf_init(&s->index, 0);
	buf_init(&s->lock, 0);
	buf_init(&s->copy, 0);
	buf_init(&s->half, 0);
	s->locked = false;
	path_join(&s->index, r->dir, "index");
	path_join(&s->lock, r->dir, "index.lock");
	path_join(&s->copy, r->dir, "index.dag");
	path_join(&s->half, r->dir, "index.dag.lock");
	if (buf_failed(&s->index) || buf_failed(&s->lock) || buf_failed(&s->copy) ||
	    buf_failed(&s->half))
		return err_nomem(err);
	return take_lock(s, err) != 0 ? -1 : copy_index(s, err);
}

/* ---- staging ---- */

int
lg_refuse_filter(struct repo *r, const char *path, struct err *err)
{
	const char *value = NULL;
	int rc = git_attr_get(&value, r->git, 0, path, "filter");

	if (rc != 0)
		return lg_fail(err, rc, "cannot read git's attributes of '%s'", path);
	if (git_attr_value(value) != GIT_ATTR_VALUE_STRING)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "'%s' has git's attribute filter=%.64s, a program that only git runs: "
	    "stage it with 'git add'",
	    path, value);
}

static int
add(struct repo *r, git_index *index, const char *path, struct err *err)
{
	int ignored = 0, rc;

	if (git_index_get_bypath(index, path, 0) == NULL) {
		rc = git_ignore_path_is_ignored(&ignored, r->git, path);
		if (rc != 0)
			return lg_fail(err, rc, "cannot tell whether git ignores '%s'",
				       path);
		if (ignored)
			return 0;
	}
	if (lg_refuse_filter(r, path, err) != 0)
		return -1;
	rc = git_index_add_bypath(index, path);
	return rc == 0 ? 1 : lg_fail(err, rc, "cannot stage '%s'", path);
}

/* Return 1, 0 if there was nothing to do, or -1. */
static int
stage_one(struct repo *r, git_index *index, const char *path, struct err *err)
{
	struct stat st;
	struct buf b;
	size_t at;
	int rc, errnum;

	buf_init(&b, 0);
	path_join(&b, r->top, path);
	errnum = buf_failed(&b) ? ENOMEM : lstat(b.p, &st) != 0 ? errno : 0;
	buf_release(&b);
	if (errnum == 0 && S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "cannot stage '%s': it is a directory",
			       path);
	if (errnum == 0)
		return add(r, index, path, err);
	if (errnum != ENOENT && errnum != ENOTDIR)
		return err_sys(err, errnum, "cannot stage '%s'", path);
	if (git_index_find(&at, index, path) != 0)
		return 0;
	rc = git_index_remove_bypath(index, path);
	return rc == 0 ? 1 : lg_fail(err, rc, "cannot take '%s' from the index", path);
}

static int
stage_all(struct repo *r, git_index *index, const char *const *paths, size_t n,
	  size_t *staged, struct err *err)
{
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		rc = stage_one(r, index, paths[i], err);
		if (rc < 0)
			return -1;
		*staged += (size_t)rc;
	}
	rc = git_index_write(index);
	return rc == 0 ? 0 : lg_fail(err, rc, "cannot write the index of '%s'", r->name);
}

/* The lock is ours: stage into the copy, and put it into the index's place. */
static int
stage_locked(struct repo *r, struct staging *s, const char *const *paths, size_t n,
	     size_t *staged, struct err *err)
{
	git_index *index = NULL, *old = NULL;
	int rc = git_repository_index(&old, r->git);

	if (rc == 0)
		rc = git_index_open(&index, s->copy.p);
	if (rc != 0)
		(void)unreadable(r, rc, err);
	else if ((rc = git_repository_set_index(r->git, index)) != 0)
		(void)lg_fail(err, rc, "cannot stage in '%s'", r->name);
	else
		rc = stage_all(r, index, paths, n, staged, err);
	if (rc == 0 && *staged > 0 && rename(s->copy.p, s->index.p) != 0)
		rc = err_sys(err, errno, "cannot replace '%s'", s->index.p);
	if (old != NULL)
		(void)git_repository_set_index(r->git, old);
	git_index_free(index);
	git_index_free(old);
	return rc == 0 ? 0 : -1;
}

int
lg_stage(struct repo *r, const char *const *paths, size_t n, size_t *staged,
	 struct err *err)
{
	struct staging s;
	size_t done = 0;
	int rc;

	if (staged != NULL)
		*staged = 0;
	if (lg_wants_tree(r, "nothing can be staged", err) != 0)
		return -1;
	if (n == 0)
		return 0;
	rc = begin_staging(r, &s, err);
	if (rc == 0)
		rc = stage_locked(r, &s, paths, n, &done, err);
	end_staging(&s);
	if (rc == 0 && staged != NULL)
		*staged = done;
	return rc;
}
