#include "store/exp/trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/uuid.h"
#include "base/vec.h"

#define GUARD  "guard"
#define LOCK   "lock"
#define FAILED "failed"
#define GONE   "gone-"
#define DAY_S  86400

#define OPEN_MAX_DIRS 16

typedef VEC(char *) name_list;

static void
free_names(name_list *l)
{
	vec_foreach (l, char *, name)
		free(*name);
	vec_release(l);
}

/* "a/b/c", malloc'ed; NULL: no memory. */
static char *
join(const char *a, const char *b, const char *c)
{
	struct buf out;

	buf_init(&out, 0);
	path_join(&out, a, b);
	if (c != NULL)
		buf_addf(&out, "/%s", c);
	return buf_steal(&out);
}

/* Take the guard's lock, where there is a directory of trials.  Return its descriptor; -1, with
 * ERR_NOTFOUND if there is no such directory. */
static int
take_guard(const char *dir, struct err *err)
{
	char *path = join(dir, GUARD, NULL);
	struct stat st;
	int fd = -1;

	if (path == NULL)
		(void)err_nomem(err);
	else if (fsio_there(dir, &st, err) == 0)
		(void)err_set(err, ERR_NOTFOUND, "there are no trials");
	else
		fd = fsio_lock(AT_FDCWD, path, LOCK_WAIT, true, err);
	free(path);
	return fd;
}

static int
read_names(const char *dir, name_list *out, struct err *err)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int rc = 0;

	if (d == NULL)
		return err_sys(err, errno, "cannot read the directory '%s'", dir);
	while (rc == 0 && (e = readdir(d)) != NULL) {
		char *name;

		if (e->d_name[0] == '.')
			continue;
		name = strdup(e->d_name);
		if (name == NULL || vec_push(out, name) != 0) {
			free(name);
			rc = err_nomem(err);
		}
	}
	(void)closedir(d);
	return rc;
}

static bool
is_trial(const char *name)
{
	return strcmp(name, GUARD) != 0 && strcmp(name, FAILED) != 0 &&
	       strncmp(name, GONE, strlen(GONE)) != 0;
}

/* Whether somebody works there; with the guard's lock held.  What cannot be looked at is taken
 * for alive. */
static bool
is_alive(const char *dir, const char *name)
{
	char *path = join(dir, name, LOCK);
	struct err why = {0};
	int fd;

	if (path == NULL)
		return true;
	fd = fsio_lock(AT_FDCWD, path, LOCK_TRY, true, &why);
	free(path);
	if (fd >= 0)
		(void)close(fd);
	return fd < 0;
}

/* ---- removing ---- */

/* Out of everybody's sight first, in one step. */
static void
put_away(const char *dir, const char *name)
{
	char *from = join(dir, name, NULL), *to = NULL;
	struct buf gone;

	buf_init(&gone, 0);
	buf_addf(&gone, GONE "%s", name);
	if (!buf_failed(&gone))
		to = join(dir, gone.p, NULL);
	if (from != NULL && to != NULL)
		(void)fsio_rename(AT_FDCWD, from, AT_FDCWD, to);
	buf_release(&gone);
	free(from);
	free(to);
}

static int
unlock_dir(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_D || type == FTW_DNR)
		(void)chmod(path, 0700);
	return 0;
}

/* Stages may leave directories that nobody may write to. */
static void
remove_gone(const char *dir, const char *name)
{
	char *path = join(dir, name, NULL);
	struct err unused;

	if (path != NULL && fsio_remove_tree(AT_FDCWD, path, &unused) != 0) {
		(void)nftw(path, unlock_dir, OPEN_MAX_DIRS, FTW_PHYS | FTW_MOUNT);
		(void)fsio_remove_tree(AT_FDCWD, path, &unused);
	}
	free(path);
}

static void
sweep_logs(const char *dir)
{
	char *failed = join(dir, FAILED, NULL);
	time_t old =
	    (time_t)(clock_now().wall_us / 1000000) - (time_t)TRIAL_LOGS_DAYS * DAY_S;
	name_list names = {0};
	struct err unused;
	struct stat st;

	if (failed != NULL && access(failed, F_OK) == 0 &&
	    read_names(failed, &names, &unused) == 0)
		vec_foreach (&names, char *, name) {
			char *path = join(failed, *name, NULL);

			if (path != NULL && lstat(path, &st) == 0 && st.st_mtime < old)
				(void)unlink(path);
			free(path);
		}
	free_names(&names);
	free(failed);
}

int
trials_sweep(const char *state, struct err *err)
{
	char *dir = join(state, TRIALS_DIR, NULL);
	name_list names = {0};
	struct err why = {0};
	int guard, rc = 0;

	if (dir == NULL)
		return err_nomem(err);
	guard = take_guard(dir, &why);
	if (guard < 0) {
		free(dir);
		if (why.code == ERR_NOTFOUND)
			return 0;
		*err = why;
		return -1;
	}
	rc = read_names(dir, &names, err);
	if (rc == 0)
		vec_foreach (&names, char *, name)
			if (is_trial(*name) && !is_alive(dir, *name))
				put_away(dir, *name);
	(void)close(guard);
	free_names(&names);
	/* That may take its time, and keeps nobody out. */
	names = (name_list){0};
	if (rc == 0)
		rc = read_names(dir, &names, err);
	if (rc == 0)
		vec_foreach (&names, char *, name)
			if (strncmp(*name, GONE, strlen(GONE)) == 0)
				remove_gone(dir, *name);
	free_names(&names);
	sweep_logs(dir);
	free(dir);
	return rc;
}

/* ---- one ---- */

static void
release(struct trial *t)
{
	if (t->lock >= 0)
		(void)close(t->lock);
	free(t->dir);
	free(t->tree);
	free(t->state);
	free(t->log);
	*t = (struct trial){.lock = -1};
}

static int
make(const char *dir, struct trial *t, struct err *err)
{
	char *lock = NULL;
	int rc = -1;

	t->tree = join(t->dir, "tree", NULL);
	t->state = join(t->dir, "state", NULL);
	t->log = join(t->dir, "log", NULL);
	lock = join(t->dir, LOCK, NULL);
	if (t->tree == NULL || t->state == NULL || t->log == NULL || lock == NULL)
		(void)err_nomem(err);
	else if (mkdir(t->dir, 0777) != 0)
		(void)err_sys(err, errno, "cannot make a directory in '%s'", dir);
	else if ((t->lock = fsio_lock(AT_FDCWD, lock, LOCK_TRY, true, err)) < 0)
		(void)rmdir(t->dir);
	else
		rc = 0;
	free(lock);
	return rc;
}

int
trial_begin(const char *state, struct trial *out, struct err *err)
{
	char *dir = join(state, TRIALS_DIR, NULL), id[UUID_TEXT];
	int guard = -1, rc = -1;

	*out = (struct trial){.lock = -1};
	if (dir == NULL)
		return err_nomem(err);
	if (uuid7(id, clock_now().wall_us) != 0)
		(void)err_set(err, ERR_SYS, "there is no randomness");
	else if (fsio_mkdirs(AT_FDCWD, dir, 0777, err) == 0)
		guard = take_guard(dir, err);
	if (guard >= 0) {
		out->dir = join(dir, id, NULL);
		rc = out->dir != NULL ? make(dir, out, err) : err_nomem(err);
		(void)close(guard);
	}
	if (rc != 0)
		release(out);
	free(dir);
	return rc;
}

char *
trial_kept_log(const char *state, const char *name)
{
	struct buf b;

	buf_init(&b, 0);
	path_join(&b, state, TRIALS_DIR "/" FAILED "/");
	buf_addf(&b, "%s.log", name);
	return buf_steal(&b);
}

/* Nobody misses a log that cannot be kept. */
static void
keep_log(const struct trial *t, const char *dir, const char *name)
{
	char *failed = join(dir, FAILED, NULL), *to = NULL;
	struct buf file;
	struct err unused;

	buf_init(&file, 0);
	buf_addf(&file, "%s.log", name);
	if (failed != NULL && !buf_failed(&file))
		to = join(failed, file.p, NULL);
	if (to != NULL && fsio_mkdirs(AT_FDCWD, failed, 0777, &unused) == 0)
		(void)fsio_rename(AT_FDCWD, t->log, AT_FDCWD, to);
	buf_release(&file);
	free(failed);
	free(to);
}

void
trial_end(struct trial *t, const char *name)
{
	const char *id = t->dir != NULL ? path_basename(t->dir) : NULL;
	char *dir = id != NULL ? strndup(t->dir, (size_t)(id - t->dir) - 1) : NULL;

	if (dir != NULL) {
		struct buf gone;

		if (name != NULL)
			keep_log(t, dir, name);
		buf_init(&gone, 0);
		buf_addf(&gone, GONE "%s", id);
		put_away(dir, id);
		if (!buf_failed(&gone))
			remove_gone(dir, gone.p);
		buf_release(&gone);
	}
	free(dir);
	release(t);
}

/* ---- all of them ---- */

int
trials_each(const char *state, int (*fn)(void *, const char *, struct err *), void *ctx,
	    struct err *err)
{
	char *dir = join(state, TRIALS_DIR, NULL);
	name_list names = {0};
	struct err why = {0};
	int guard, rc = 0;

	if (dir == NULL)
		return err_nomem(err);
	guard = take_guard(dir, &why);
	if (guard >= 0)
		rc = read_names(dir, &names, err);
	for (size_t i = 0; guard >= 0 && i < names.n; i++)
		if (is_trial(names.v[i]) && !is_alive(dir, names.v[i]))
			names.v[i][0] = '\0';
	if (guard >= 0)
		(void)close(guard);
	else if (why.code != ERR_NOTFOUND) {
		*err = why;
		rc = -1;
	}
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		char *tree;

		if (names.v[i][0] == '\0' || !is_trial(names.v[i]))
			continue;
		tree = join(dir, names.v[i], "tree");
		if (tree == NULL)
			rc = err_nomem(err);
		else if (access(tree, F_OK) == 0 && fn(ctx, tree, &why) != 0 &&
			 access(tree, F_OK) == 0) {
			*err = why;
			rc = -1;
		}
		free(tree);
	}
	free_names(&names);
	free(dir);
	return rc;
}
