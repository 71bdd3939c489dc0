#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/fsio_sys.h"
#include "base/path.h"
#include "base/vec.h"

#define SYNC_MEMORY \
	((size_t)256 << 20) /* for the names of directories still to be seen */
#define REMOVE_DEPTH 64	    /* descriptors held; what lies deeper is moved up */
#define SCANS_MAX    1000   /* of a directory that somebody keeps filling */

/* The next entry but "." and ".."; NULL with errno 0 at the end. */
static struct dirent *
next_entry(DIR *d)
{
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(d);
	} while (e != NULL &&
		 (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	return e;
}

/* The type bits of name in dir, links not followed; 0 with errno. */
static mode_t
type_of(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & S_IFMT
								 : 0;
}

mode_t
fsio_entry_type(int dir, const struct dirent *e)
{
	return e->d_type == DT_UNKNOWN ? type_of(dir, e->d_name)
				       : (mode_t)DTTOIF(e->d_type);
}

/* A directory stream that owns fd, which is closed on failure too. */
static DIR *
stream_of(int fd)
{
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL && fd >= 0)
		sys_close(fd);
	return d;
}

/*
 * Making a tree durable.  Directories found are put on a list and opened from the root of
 * the tree, so that two descriptors do however deep it is.
 */
struct sync {
	int root;
	const char *path; /* of the root, for messages */
	const bool *stop;
	struct arena *arena;
	VEC(const char *) dirs; /* relative to root */
	struct err *err;
};

static const char *
kind_name(mode_t type)
{
	switch (type) {
	case S_IFSOCK:
		return "a socket";
	case S_IFIFO:
		return "a fifo";
	case S_IFBLK:
	case S_IFCHR:
		return "a device";
	default:
		return "of an unknown kind";
	}
}

static int
sync_regular(struct sync *s, int dir, const char *dir_path, const char *name)
{
	int fd = sys_open_to_sync(dir, name, O_NOFOLLOW), r;

	if (fd < 0)
		return err_sys(s->err, errno, "cannot open '%s/%s/%s'", s->path, dir_path,
			       name);
	r = sys_sync(fd, name);
	if (r != 0)
		(void)err_sys(s->err, errno, "cannot sync '%s/%s/%s'", s->path, dir_path,
			      name);
	sys_close(fd);
	return r;
}

static int
sync_entry(struct sync *s, int dir, const char *dir_path, const struct dirent *e)
{
	mode_t type = fsio_entry_type(dir, e);
	const char *sub;

	if (s->stop != NULL && __atomic_load_n(s->stop, __ATOMIC_RELAXED))
		return err_set(s->err, ERR_CANCELLED, "syncing '%s' was cancelled",
			       s->path);
	switch (type) {
	case S_IFLNK:
		return 0; /* its text is in the directory or the inode, synced with it */
	case S_IFREG:
		return sync_regular(s, dir, dir_path, e->d_name);
	case S_IFDIR:
		sub = arena_printf(s->arena, "%s/%s", dir_path, e->d_name);
		if (sub == NULL || vec_push(&s->dirs, sub) != 0)
			return err_set(s->err, ERR_LIMIT,
				       "'%s' has too many directories to keep in memory",
				       s->path);
		return 0;
	case 0:
		return err_sys(s->err, errno, "cannot look at '%s/%s/%s'", s->path,
			       dir_path, e->d_name);
	default:
		return err_set(s->err, ERR_INVALID,
			       "cannot make '%s/%s/%s' durable: it is %s", s->path,
			       dir_path, e->d_name, kind_name(type));
	}
}

static int
sync_one_dir(struct sync *s, const char *path)
{
	DIR *d = stream_of(
	    fsio_open_beneath(s->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0));
	struct dirent *e;
	int r = 0;

	if (d == NULL)
		return err_sys(s->err, errno, "cannot open directory '%s/%s'", s->path,
			       path);
	while (r == 0 && (e = next_entry(d)) != NULL)
		r = sync_entry(s, dirfd(d), path, e);
	if (r == 0 && errno != 0)
		r = err_sys(s->err, errno, "cannot read directory '%s/%s'", s->path,
			    path);
	if (r == 0 && sys_sync(dirfd(d), path) != 0 && errno != EINVAL)
		r = err_sys(s->err, errno, "cannot sync directory '%s/%s'", s->path,
			    path);
	(void)closedir(d);
	return r;
}

static int
sync_dirs(int at, const char *path, const bool *stop, struct err *err)
{
	struct sync s = {.path = path, .stop = stop, .err = err};
	size_t i;
	int r;

	s.root = sys_open(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (s.root < 0)
		return err_sys(err, errno, "cannot open directory '%s'", path);
	s.arena = arena_new(SYNC_MEMORY);
	r = s.arena == NULL || vec_push(&s.dirs, ".") != 0 ? err_nomem(err) : 0;
	for (i = 0; r == 0 && i < s.dirs.n; i++)
		r = sync_one_dir(&s, s.dirs.v[i]);
	vec_release(&s.dirs);
	arena_free(s.arena);
	sys_close(s.root);
	return r;
}

int
fsio_sync_tree(int at, const char *path, const bool *stop, struct err *err)
{
	switch (type_of(at, path)) {
	case 0:
		return err_sys(err, errno, "cannot look at '%s'", path);
	case S_IFLNK:
		return 0;
	case S_IFREG:
		return fsio_sync_file(at, path, err);
	case S_IFDIR:
		return sync_dirs(at, path, stop, err);
	default:
		return err_set(err, ERR_INVALID, "cannot make '%s' durable: it is %s",
			       path, kind_name(type_of(at, path)));
	}
}

/*
 * Removing a tree.  One descriptor is held per level; a directory at REMOVE_DEPTH is moved
 * to the top of the tree and removed from there, so any depth can be removed.
 */
struct removal {
	int top;	     /* the outermost directory */
	struct buf relative; /* where we are, for messages */
	const char *path;    /* of the whole */
	struct err *err;
};

/* Say that name, or with "" the directory where we are, cannot be removed. */
static int
removal_error(struct removal *r, const char *name, int errnum)
{
	const char *slash = name[0] != '\0' ? "/" : "";

	if (errnum == EXDEV || errnum == EBUSY)
		return err_set(r->err, ERR_SYS,
			       "cannot remove '%s%s%s%s': something is mounted there",
			       r->path, r->relative.p, slash, name);
	return err_sys(r->err, errnum, "cannot remove '%s%s%s%s'", r->path, r->relative.p,
		       slash, name);
}

static int remove_entry(struct removal *, int, const char *, unsigned);

/* Remove what is in the directory; how many entries that were, or -1. */
static long
remove_contents(struct removal *r, int dir, unsigned depth)
{
	DIR *d = stream_of(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	long n = 0;

	if (d == NULL)
		return removal_error(r, "", errno);
	while ((e = next_entry(d)) != NULL) {
		if (remove_entry(r, dir, e->d_name, depth) != 0)
			break;
		n++;
	}
	if (e != NULL)
		n = -1;
	else if (errno != 0)
		n = removal_error(r, "", errno);
	(void)closedir(d);
	return n;
}

/* Remove the directory name, open as dir; again while removing makes progress. */
static int
empty_and_remove(struct removal *r, int parent, const char *name, int dir, unsigned depth)
{
	int scans;
	long n;

	for (scans = 0; scans < SCANS_MAX; scans++) {
		n = remove_contents(r, dir, depth + 1);
		if (n < 0)
			return -1;
		if (sys_unlink(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if ((errno != ENOTEMPTY && errno != EEXIST) || n == 0)
			break;
	}
	return removal_error(r, "", errno);
}

static int
move_to_top(struct removal *r, int parent, const char *name)
{
	char temp[40];
	unsigned long long rnd;

	if (getrandom(&rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd))
		return removal_error(r, name, errno);
	(void)snprintf(temp, sizeof(temp), ".dag-%016llx.removed", rnd);
	return renameat(parent, name, r->top, temp) == 0 ? 0
							 : removal_error(r, name, errno);
}

static int
remove_dir(struct removal *r, int parent, const char *name, unsigned depth)
{
	const char *shown = depth == 0 ? "" : name; /* the path ends in it at the top */
	size_t here = r->relative.n;
	int dir, ret;

	if (sys_unlink(parent, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return errno == ENOENT ? 0 : removal_error(r, shown, errno);
	dir = sys_open_same_mount(parent, name);
	if (dir < 0)
		return removal_error(r, shown, errno);
	if (depth == REMOVE_DEPTH) {
		sys_close(dir);
		return move_to_top(r, parent, name);
	}
	if (depth == 0)
		r->top = dir;
	else
		buf_addf(&r->relative, "/%s", name);
	ret = empty_and_remove(r, parent, name, dir, depth);
	buf_truncate(&r->relative, here);
	sys_close(dir);
	return ret;
}

static int
remove_entry(struct removal *r, int dir, const char *name, unsigned depth)
{
	/* Of a directory the kernel says so, and removes nothing. */
	if (sys_unlink(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR || (errno == EPERM && type_of(dir, name) == S_IFDIR))
		return remove_dir(r, dir, name, depth);
	return removal_error(r, depth == 0 ? "" : name, errno);
}

int
fsio_remove_tree(int at, const char *path, struct err *err)
{
	struct removal r = {.path = path, .err = err};
	size_t n = strlen(path);
	const char *name;
	char copy[PATH_MAX];
	int parent, ret;

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= sizeof(copy))
		return err_sys(err, ENAMETOOLONG, "cannot remove '%s'", path);
	memcpy(copy, path, n);
	copy[n] = '\0';
	name = path_basename(copy);
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, ERR_INVALID, "will not remove '%s': give it a name",
			       path);
	parent = sys_open_parent(at, copy, &name);
	if (parent < 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : err_sys(err, errno, "cannot open the directory of '%s'",
				     path);
	buf_init(&r.relative, 0);
	ret = remove_entry(&r, parent, name, 0);
	buf_release(&r.relative);
	sys_close(parent);
	return ret;
}
