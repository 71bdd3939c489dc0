#include "store/track/track.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "base/path.h"
#include "store/dvc/config.h"
#include "store/dvc/gitignore.h"
#include "store/dvc/ignore.h"
#include "store/dvc/path_lock.h"
#include "store/dvc/work_lock.h"
#include "store/objects/index.h"
#include "store/objects/objects.h"
#include "store/project.h"

/* ---- where it is ---- */

/* 1, 0 or -1. */
static int
exists(const char *dir, const char *name, bool is_dir, struct err *err)
{
	struct stat st;
	struct buf b;
	int is;

	buf_init(&b, 0);
	path_join(&b, dir, name);
	is = buf_failed(&b) ? err_nomem(err) : fsio_there(b.p, &st, err);
	buf_release(&b);
	return is == 1 ? S_ISDIR(st.st_mode) == is_dir : is;
}

/* Cut ${path} to the nearest directory upwards that has settings of either kind.  1; 0: there is
 * none; or -1. */
static int
ascend(char *path, bool *dvc, struct err *err)
{
	char *slash;
	int is;

	for (;;) {
		is = exists(path, ".dvc", true, err);
		*dvc = is == 1;
		if (is == 0)
			is = exists(path, ".dag/config", false, err);
		if (is != 0)
			return is;
		slash = strrchr(path, '/');
		if (slash == NULL || path[1] == '\0')
			return 0;
		slash[slash == path ? 1 : 0] = '\0';
	}
}

/* Where no settings are: the top of a git work tree that lies between the two. */
static int
find_apart(struct track *t, const char *where, struct err *err)
{
	char *dir = strdup(where), *slash;
	int is = 0;

	if (dir == NULL)
		return err_nomem(err);
	while (strlen(dir) > strlen(t->project->root)) {
		is = exists(dir, ".git", true, err);
		if (is == 0)
			is = exists(dir, ".git", false, err);
		if (is == 1) {
			t->apart = dir;
			return 0;
		}
		if (is < 0)
			break;
		slash = strrchr(dir, '/');
		if (slash == NULL || slash == dir)
			break;
		*slash = '\0';
	}
	free(dir);
	return is < 0 ? -1 : 0;
}

static int
find_root(struct track *t, const char *where, struct err *err)
{
	char *found = strdup(where != NULL ? where : t->project->root);
	int is;

	if (found == NULL)
		return err_nomem(err);
	is = ascend(found, &t->dvc, err);
	if (is <= 0)
		free(found);
	if (is < 0)
		return -1;
	if (is == 0) {
		found = strdup(t->project->root);
		if (found == NULL)
			return err_nomem(err);
		if (where != NULL && find_apart(t, where, err) != 0) {
			free(found);
			return -1;
		}
	}
	t->root = found;
	t->root_fd = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->root_fd == -1)
		return err_sys(err, errno, "cannot open '%s'", t->root);
	return 0;
}

/* Set ${out} to a path below the root. */
static int
below_root(const struct track *t, const char *name, char **out, struct err *err)
{
	struct buf b;

	buf_init(&b, 0);
	path_join(&b, t->root, name);
	*out = buf_steal(&b);
	return *out != NULL ? 0 : err_nomem(err);
}

/* ---- what the settings say ---- */

/* cache.type: names with commas between, which the settings were checked for. */
static int
read_links(struct track *t, struct err *err)
{
	const char *s = config_str(t->config, "cache", "type", "");
	char name[16];
	size_t n;

	for (; *s != '\0'; s += n) {
		s += strspn(s, ", \t");
		n = strcspn(s, ", \t");
		if (n == 0)
			continue;
		if (n >= sizeof(name) || t->nlinks == LINK_TYPES)
			return err_set(err, ERR_INVALID,
				       "cache.type names too many types of links");
		memcpy(name, s, n);
		name[n] = '\0';
		if (link_type_parse(name, &t->links[t->nlinks++]) != 0)
			return err_set(err, ERR_INVALID,
				       "cache.type: '%s' is no type of link", name);
	}
	return 0;
}

static int
open_cache(struct track *t, struct err *err)
{
	const char *dir = config_str(t->config, "cache", "dir", NULL);
	struct objects_options o = {.shared = t->shared};

	if (dir != NULL) {
		t->cache_dir = strdup(dir);
		if (t->cache_dir == NULL)
			return err_nomem(err);
	} else if (below_root(t, t->dvc ? ".dvc/cache" : ".dag/cache", &t->cache_dir,
			      err) != 0) {
		return -1;
	}
	o.dir = t->cache_dir;
	return objects_open(&o, &t->cache, err);
}

static int
open_config(struct track *t, bool unchecked, struct err *err)
{
	struct config_options o = {.dvc = t->dvc, .unchecked = unchecked};

	if (below_root(t, t->dvc ? ".dvc" : ".dag", &t->dir, err) != 0)
		return -1;
	o.dir = t->dir;
	if (config_open(&o, &t->config, err) != 0)
		return -1;
	t->shared = strcmp(config_str(t->config, "cache", "shared", ""), "group") == 0;
	t->autostage = config_bool(t->config, "core", "autostage", false);
	if (read_links(t, err) == 0)
		return 0;
	if (!unchecked)
		return -1;
	err_clear(err);
	t->nlinks = 0;
	return 0;
}

static int
open_ignores(struct track *t, struct err *err)
{
	struct ignore_options o = {.syntax = IGNORE_DVC, .root_fd = t->root_fd};

	if (ignore_new(&o, &t->ignore, err) != 0)
		return -1;
	if (config_bool(t->config, "core", "no_scm", false))
		return 0;
	return gitignore_open(t->root, &t->gitignore, err);
}

/* ---- files in the state directory ---- */

void
track_own_name(const struct track *t, const char *name, struct buf *b)
{
	buf_adds(b, name);
	if (strcmp(t->root, t->project->root) != 0)
		buf_addf(b, "-%016llx",
			 (unsigned long long)hash_64(t->root, strlen(t->root)));
}

static int
open_intent(struct track *t, struct err *err)
{
	int state_fd = t->project->state_fd;
	struct buf b;

	buf_init(&b, 0);
	track_own_name(t, INTENT_FILE, &b);
	t->intent_name = buf_steal(&b);
	buf_release(&b);
	if (t->intent_name == NULL)
		return err_nomem(err);
	intent_init(&t->intent, state_fd, t->intent_name, t->cache);
	(void)intent_read(state_fd, t->intent_name, t->others);
	return 0;
}

/* Whoever left it is dead, as the lock is ours. */
static void
clear_left(struct track *t)
{
	int state_fd = t->project->state_fd;

	if (state_fd >= 0) {
		intent_clear(t->root_fd, state_fd, t->intent_name);
		(void)intent_read(state_fd, t->intent_name, t->others);
		fsio_clear_temps(state_fd, ".");
	}
	fsio_clear_temps(AT_FDCWD, t->dir);
}

/* ---- the whole ---- */

int
track_open(const struct track_options *o, struct track *t, struct err *err)
{
	*t = (struct track){
	    .project = o->project, .still = o->still, .root_fd = -1, .lock = -1};
	if (find_root(t, o->where, err) != 0 || open_config(t, o->unchecked, err) != 0 ||
	    open_cache(t, err) != 0 || open_ignores(t, err) != 0 ||
	    open_intent(t, err) != 0)
		return -1;
	return 0;
}

int
track_begins(const struct track *t, struct err *err)
{
	if (t->apart == NULL)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "'%s' is a git repository of its own, but no project: its data would "
	    "have cache and settings in '%s', which no clone of it has; 'dag -C %s "
	    "init' makes it a project (or '-C %s' takes the one above)",
	    t->apart, t->root, t->apart, t->root);
}

void
track_close(struct track *t)
{
	track_unlock(t);
	intent_release(&t->intent);
	free(t->intent_name);
	index_close(t->index);
	ignore_free(t->ignore);
	gitignore_close(t->gitignore);
	objects_close(t->cache);
	config_close(t->config);
	if (t->root_fd >= 0)
		(void)close(t->root_fd);
	free(t->apart);
	free(t->cache_dir);
	free(t->dir);
	free(t->root);
	*t = (struct track){.root_fd = -1, .lock = -1};
}

int
track_index(struct track *t, struct index **out, struct err *err)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, 0);
	if (t->index == NULL && t->project->state_fd >= 0) {
		path_join(&b, t->project->state, "");
		track_own_name(t, "index", &b);
		buf_adds(&b, ".db");
		if (buf_failed(&b))
			rc = err_nomem(err);
		else
			rc = t->still ? index_open_still(b.p, &t->index, err)
				      : index_open(b.p, &t->index, err);
	}
	buf_release(&b);
	*out = t->index;
	return rc;
}

int
track_lock(struct track *t, int64_t wait_us, struct meter *m, track_waiting_fn *waiting,
	   void *ctx, struct err *err)
{
	struct work_lock_options o = {
	    .wait_us = wait_us, .meter = m, .waiting = waiting, .ctx = ctx};

	if (t->dvc && config_bool(t->config, "core", "hardlink_lock", false))
		return err_set(err, ERR_INVALID,
			       "core.hardlink_lock is set, and that kind of lock is not "
			       "supported: on a file system with flock, `dag config "
			       "core.hardlink_lock false`");
	o.dir_fd = t->dvc ? t->root_fd : t->project->state_fd;
	o.path = t->dvc ? ".dvc/tmp/lock" : "artifacts.lock";
	if (o.dir_fd < 0)
		return err_set(err, ERR_NOTFOUND, "the project '%s' is not made yet",
			       t->root);
	t->lock = work_lock_take(&o, err);
	if (t->lock < 0)
		return -1;
	clear_left(t);
	return 0;
}

void
track_unlock(struct track *t)
{
	path_locks_free(t->path_locks);
	t->path_locks = NULL;
	work_lock_drop(t->lock);
	t->lock = -1;
}

int
track_claim(struct track *t, const char *path, struct err *err)
{
	struct buf b;
	int fd, r;

	if (t->path_locks == NULL) {
		fd = t->dvc ? openat(t->root_fd, ".dvc/tmp",
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			    : fcntl(t->project->state_fd, F_DUPFD_CLOEXEC, 0);
		if (fd == -1 && (errno == ENOENT || errno == EBADF))
			return 0;
		if (fd == -1)
			return err_sys(err, errno, "cannot open '%s'",
				       t->dvc ? ".dvc/tmp" : "the state directory");
		r = path_locks_read(fd, &t->path_locks, err);
		(void)close(fd);
		if (r != 0)
			return -1;
	}
	buf_init(&b, 0);
	path_join(&b, t->root, path);
	r = buf_failed(&b) ? err_nomem(err) : path_locks_check(t->path_locks, b.p, err);
	buf_release(&b);
	return r;
}

void
track_tidy(struct track *t)
{
	if (intent_read(t->project->state_fd, t->intent_name, t->others) &&
	    track_lock(t, 0, NULL, NULL, NULL, NULL) == 0)
		track_unlock(t);
}
