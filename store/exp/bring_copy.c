/* Files that only the user's work tree has. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/exp/bring.h"

#define DEPTH_MAX 128
#define CHUNK	  ((size_t)1 << 20) /* bytes between two looks at whether to stop */

struct copy {
	const char *from, *to;
	const atomic_bool *stop;
	struct err *err;
};

static bool
is_stopped(const struct copy *c)
{
	return c->stop != NULL && atomic_load_explicit(c->stop, memory_order_relaxed);
}

/* Where the kernel cannot do it between the two. */
static ssize_t
copy_some(int in, int out)
{
	static char room[1 << 16];
	ssize_t n = fsio_read_some(in, room, sizeof(room));

	return n > 0 && fsio_write_all(out, room, (size_t)n) != 0 ? -1 : n;
}

/* With shared blocks, or else in the kernel, or else by hand. */
static int
copy_bytes(struct copy *c, int in, int out, const char *path)
{
	bool by_hand = false;
	ssize_t n;

	if (fsio_reflink(in, out) == 0)
		return 0;
	do {
		if (is_stopped(c))
			return err_set(c->err, ERR_CANCELLED, "stopped");
		n = by_hand ? copy_some(in, out)
			    : copy_file_range(in, NULL, out, NULL, CHUNK, 0);
		if (n < 0 && !by_hand &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
		     errno == EOPNOTSUPP)) {
			by_hand = true;
			n = 1;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0 ? 0 : err_sys(c->err, errno, "cannot copy '%s'", path);
}

static int
copy_file(struct copy *c, const char *src, const char *dst, mode_t mode)
{
	int in = open(src, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1;
	int rc = -1;

	if (in < 0) {
		(void)err_sys(c->err, errno, "cannot open '%s'", src);
	} else if ((out = open(dst, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			       mode & 0777)) < 0) {
		rc =
		    errno == EEXIST ? 0 : err_sys(c->err, errno, "cannot make '%s'", dst);
	} else {
		rc = copy_bytes(c, in, out, src);
	}
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return rc;
}

static int
copy_link(struct copy *c, const char *src, const char *dst)
{
	char target[PATH_MAX];
	ssize_t n = readlink(src, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(c->err, errno, "cannot read the link '%s'", src);
	target[n] = '\0';
	if (symlink(target, dst) != 0 && errno != EEXIST)
		return err_sys(c->err, errno, "cannot make '%s'", dst);
	return 0;
}

static int copy_any(struct copy *, const char *, unsigned);

static int
copy_dir(struct copy *c, const char *src, const char *dst, const char *path,
	 unsigned depth)
{
	const struct dirent *d;
	struct buf b;
	DIR *dir;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return err_set(c->err, ERR_LIMIT, "'%s' lies deeper than %d directories",
			       src, DEPTH_MAX);
	if (mkdir(dst, 0777) != 0 && errno != EEXIST)
		return err_sys(c->err, errno, "cannot make '%s'", dst);
	if ((dir = opendir(src)) == NULL)
		return err_sys(c->err, errno, "cannot read the directory '%s'", src);
	buf_init(&b, 0);
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_clear(&b);
		path_join(&b, path, d->d_name);
		rc = buf_failed(&b) ? err_nomem(c->err) : copy_any(c, b.p, depth + 1);
	}
	buf_release(&b);
	(void)closedir(dir);
	return rc;
}

static int
copy_any(struct copy *c, const char *path, unsigned depth)
{
	struct buf src, dst;
	struct stat st;
	int rc = 0;

	if (is_stopped(c))
		return err_set(c->err, ERR_CANCELLED, "stopped");
	buf_init(&src, 0);
	buf_init(&dst, 0);
	path_join(&src, c->from, path);
	path_join(&dst, c->to, path);
	if (buf_failed(&src) || buf_failed(&dst))
		rc = err_nomem(c->err);
	else if (lstat(src.p, &st) != 0)
		rc = err_sys(c->err, errno, "cannot look at '%s'", src.p);
	else if (S_ISDIR(st.st_mode))
		rc = copy_dir(c, src.p, dst.p, path, depth);
	else if (S_ISLNK(st.st_mode))
		rc = copy_link(c, src.p, dst.p);
	else if (S_ISREG(st.st_mode))
		rc = copy_file(c, src.p, dst.p, st.st_mode);
	buf_release(&src);
	buf_release(&dst);
	return rc;
}

int
bring_copy(const char *from, const char *to, const char *path, const atomic_bool *stop,
	   struct err *err)
{
	struct copy c = {.from = from, .to = to, .stop = stop, .err = err};
	const char *slash = strrchr(path, '/');
	struct buf parent;
	int rc = 0;

	buf_init(&parent, 0);
	path_join(&parent, to, "");
	if (slash != NULL)
		buf_add(&parent, path, (size_t)(slash - path));
	if (buf_failed(&parent))
		rc = err_nomem(err);
	else
		rc = fsio_mkdirs(AT_FDCWD, parent.p, 0777, err);
	buf_release(&parent);
	return rc == 0 ? copy_any(&c, path, 0) : -1;
}
