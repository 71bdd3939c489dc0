#include "store/objects/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/objects/objects_internal.h"
#include "store/objects/pump.h"

#define FILE_MODE   0666
#define EXEC_BIT    0100 /* DVC gives it to the owner only */
#define RANGE_BYTES ((size_t)1 << 30)

/* One object on its way to one place. */
struct placing {
	struct objects *o;
	const struct link_what *what;
	int dirfd;
	const char *name;
	const char *shown; /* in messages */
	char temp[TEMP_LEN + 1];
	struct err *err;
};

/* ---- errors ---- */

/* What the user can do about an object that is not there or damaged. */
static int
add_way_out(struct err *err)
{
	size_t n;

	if (err == NULL || (err->code != ERR_NOTFOUND && err->code != ERR_CORRUPT))
		return -1;
	n = strlen(err->msg);
	(void)snprintf(err->msg + n, sizeof(err->msg) - n, "; get the object with '%s'",
		       err->code == ERR_CORRUPT ? "dag pull --verify" : "dag pull");
	return -1;
}

static int
place_failed(const struct placing *p)
{
	return err_sys(p->err, errno, "cannot write '%s'", p->shown);
}

/* Whether the errno says that this cannot be done here, as against that it went wrong. */
static bool
is_refusal(int errnum)
{
	switch (errnum) {
	case EMLINK:
	case EXDEV:
	case EPERM:
	case EOPNOTSUPP:
	case ENOSYS:
	case ENOTTY:
	case EINVAL:
	case EAGAIN:
		return true;
	default:
		return false;
	}
}

/* ---- files of the user's own ---- */

static int
temp_open(struct placing *p)
{
	mode_t mode = (FILE_MODE & ~p->o->umask) | (p->what->exec ? EXEC_BIT : 0);
	uint8_t temp[TEMP_BYTES];
	int fd;

	fd = objects_temp_open(p->o, p->dirfd, "", mode, temp);
	if (fd < 0)
		return place_failed(p);
	temp_name(temp, p->temp);
	if ((mode & p->o->umask) != 0 && fchmod(fd, mode) != 0) {
		(void)place_failed(p);
		(void)close(fd);
		(void)unlinkat(p->dirfd, p->temp, 0);
		return -1;
	}
	fault_point(LINK_TEMP);
	return fd;
}

/* The mtime that whoever writes the file later cannot leave. */
static int
set_mtime(const struct placing *p, int fd)
{
	int64_t ns = p->what->since_ns - 1;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {ns / 1000000000, ns % 1000000000}};

	return p->what->since_ns == 0 || futimens(fd, times) == 0 ? 0 : place_failed(p);
}

/* The temporary takes the place of what has the name.  What that is, is looked at now: to make
 * a large file takes long. */
static int
temp_rename(struct placing *p)
{
	if (p->what->may_replace != NULL &&
	    p->what->may_replace(p->what->arg, p->err) != 0)
		return -1;
	return fsio_rename(p->dirfd, p->temp, p->dirfd, p->name) == 0 ? 0
								      : place_failed(p);
}

/* The temporary gets its name, or goes. */
static int
temp_end(struct placing *p, int fd, int r)
{
	if (r == 0)
		r = set_mtime(p, fd);
	if (close(fd) != 0 && r == 0)
		r = place_failed(p);
	if (r == 0)
		fault_point(LINK_WRITTEN);
	if (r == 0)
		r = temp_rename(p);
	if (r != 0)
		(void)unlinkat(p->dirfd, p->temp, 0);
	return r;
}

/* Whether what was fed is the object; the hash it has instead into ${found}. */
static int
is_object(struct placing *p, struct digest *d, struct object_id *found)
{
	*found = *p->what->id;
	if (digest_end(d, found) != 0)
		return err_nomem(p->err);
	return object_id_equal(found, p->what->id);
}

static int
wrong_object(struct placing *p, const struct object_id *found)
{
	(void)objects_wrong(p->o, p->what->id, found, p->err);
	return add_way_out(p->err);
}

/*
 * The first piece.  A read that gives less than was asked for is the end of the file, mostly:
 * where the hash says that, there is no other to be waited for.  Return 1 if the object is
 * whole and right, 0 if there is more than a piece, which is hashed, or -1.
 */
static int
first_piece(struct placing *p, struct digest *d, int from, size_t *n)
{
	struct object_id found;
	ssize_t got;
	int r;

	for (*n = 0;;) {
		got = fsio_read_some(from, d->buf + *n, DIGEST_CHUNK - *n);
		if (got < 0)
			return objects_fault(p->o, p->what->id, errno, "cannot read",
					     p->err);
		*n += (size_t)got;
		if (digest_chunk(d, d->buf, *n, p->what->id->legacy) != 0)
			return err_nomem(p->err);
		if (*n == DIGEST_CHUNK)
			return 0;
		r = is_object(p, d, &found);
		if (r != 0)
			return r;
		if (got == 0)
			return wrong_object(p, &found);
	}
}

/* The rest of an object that is known to be right, by the kernel.  Return 0, -1, or 1: not
 * possible here. */
static int
copy_unseen(struct placing *p, int from, int to)
{
	ssize_t n;

	do {
		n = copy_file_range(from, NULL, to, NULL, RANGE_BYTES, 0);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0)
		return 0;
	return is_refusal(errno) ? 1 : place_failed(p);
}

/* What is larger than one piece, of which the first is in the buffer. */
static int
copy_rest(struct placing *p, struct digest *d, int from, int to)
{
	uint64_t size = UINT64_MAX;
	struct object_id found;
	int r;

	if (objects_write(to, d->buf, DIGEST_CHUNK) != 0)
		return place_failed(p);
	if (p->what->verified && (r = copy_unseen(p, from, to)) != 1)
		return digest_end(d, &found) == 0 ? r : err_nomem(p->err);
	r = pump(d, from, to, p->what->id->legacy, NULL, &size, p->err);
	if (r == PUMP_READ)
		return objects_fault(p->o, p->what->id, errno, "cannot read", p->err);
	if (r == PUMP_WRITE)
		return place_failed(p);
	if (r == 0)
		r = is_object(p, d, &found);
	return r == 0 ? wrong_object(p, &found) : r < 0 ? -1 : 0;
}

/* Hash while copying: a small object is known to be right before anything is made. */
static int
copy_object(struct placing *p, struct digest *d, int from)
{
	int to, r, whole;
	size_t n;

	whole = first_piece(p, d, from, &n);
	if (whole < 0)
		return -1;
	to = temp_open(p);
	if (to < 0)
		return -1;
	if (whole == 0)
		r = copy_rest(p, d, from, to);
	else
		r = objects_write(to, d->buf, n) == 0 ? 0 : place_failed(p);
	return temp_end(p, to, r);
}

static int
place_copy(struct placing *p)
{
	struct object_id unused;
	struct digest d;
	int from, r;

	if (objects_digest(p->o, &d, p->err) != 0)
		return -1;
	from = objects_fd(p->o, p->what->id, p->err);
	if (from < 0) {
		objects_digest_back(p->o, &d);
		return add_way_out(p->err);
	}
	r = copy_object(p, &d, from);
	if (r != 0)
		(void)digest_end(&d, &unused);
	(void)close(from);
	objects_digest_back(p->o, &d);
	return r;
}

/* 0, -1, or 1: not possible here. */
static int
place_reflink(struct placing *p)
{
	int from = objects_fd(p->o, p->what->id, p->err), to, r = 0;

	if (from < 0)
		return add_way_out(p->err);
	to = temp_open(p);
	if (to < 0) {
		(void)close(from);
		return -1;
	}
	if (fsio_reflink(from, to) != 0) {
		r = is_refusal(errno) ? 1 : place_failed(p);
	}
	(void)close(from);
	return temp_end(p, to, r);
}

/* ---- the object itself ---- */

static int
link_once(struct placing *p, const char *to)
{
	const struct object_id *id = p->what->id;
	char rel[REL_MAX];
	struct buf path;
	int r;

	if (p->what->type == LINK_HARDLINK) {
		object_rel(id, rel);
		return fsio_hardlink(objects_base(p->o, id->legacy, false), rel, p->dirfd,
				     to);
	}
	buf_init(&path, PATH_MAX);
	objects_path(p->o, id, &path);
	if (buf_failed(&path)) {
		errno = path.state == BUF_NOMEM ? ENOMEM : ENAMETOOLONG;
		r = -1;
	} else {
		r = fsio_symlink(path.p, p->dirfd, to);
	}
	buf_release(&path);
	return r;
}

/* 0, -1, or 1: not possible here. */
static int
place_link(struct placing *p)
{
	uint8_t temp[TEMP_BYTES];
	int r = objects_has(p->o, p->what->id, p->err);

	if (r < 0)
		return -1;
	if (r == 0) {
		(void)objects_fault(p->o, p->what->id, ENOENT, "cannot open", p->err);
		return add_way_out(p->err);
	}
	r = link_once(p, p->name);
	if (r != 0 && errno == EEXIST) {
		objects_temp(p->o, temp);
		temp_name(temp, p->temp);
		r = link_once(p, p->temp);
		if (r == 0) {
			fault_point(LINK_TEMP);
			r = temp_rename(p);
			/* Two names of one file: rename leaves both. */
			(void)unlinkat(p->dirfd, p->temp, 0);
			return r;
		}
	}
	if (r == 0)
		return 0;
	return is_refusal(errno) ? 1 : place_failed(p);
}

/* ---- what a killed process leaves ---- */

void
link_temporary(struct objects *o, char name[LINK_NAME + 1])
{
	uint8_t temp[TEMP_BYTES];

	_Static_assert(LINK_NAME == TEMP_LEN, "one length");
	objects_temp(o, temp);
	temp_name(temp, name);
}

void
link_owner(struct objects *o, char owner[LINK_OWNER + 1])
{
	char name[TEMP_LEN + 1];

	_Static_assert(LINK_OWNER * 6 == TEMP_OWNER_BYTES * 8, "whole letters");
	temp_name(o->seed, name);
	memcpy(owner, name + 1, LINK_OWNER);
	owner[LINK_OWNER] = '\0';
}

bool
link_is_temporary(const char *path, size_t n, const char *owner)
{
	char name[TEMP_LEN + 1];

	if (n < TEMP_LEN || (n > TEMP_LEN && path[n - TEMP_LEN - 1] != '/'))
		return false;
	memcpy(name, path + n - TEMP_LEN, TEMP_LEN);
	name[TEMP_LEN] = '\0';
	return temp_is_name(name) &&
	       (owner == NULL || memcmp(name + 1, owner, LINK_OWNER) == 0);
}

/* ---- any ---- */

/* The one empty object, by its name. */
static bool
is_empty(const struct object_id *id)
{
	static const uint8_t md5[OBJECT_ID_BYTES] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00,
						     0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98,
						     0xec, 0xf8, 0x42, 0x7e};

	return memcmp(id->md5, md5, sizeof(md5)) == 0;
}

static enum link_type
type_for(const struct link_what *w)
{
	if (w->exec && (w->type == LINK_HARDLINK || w->type == LINK_SYMLINK))
		return LINK_REFLINK;
	return w->type == LINK_HARDLINK && is_empty(w->id) ? LINK_COPY : w->type;
}

static int
verify(struct objects *o, const struct link_what *w, struct err *err)
{
	int r = objects_check(o, w->id, true, NULL, err);

	if (r == OBJECT_ABSENT)
		(void)objects_fault(o, w->id, ENOENT, "cannot open", err);
	return r == OBJECT_RIGHT ? 0 : add_way_out(err);
}

static int
place(struct objects *o, const struct link_what *what, int dirfd, const char *name,
      const char *shown, struct stat *out, struct err *err)
{
	struct link_what w = *what;
	struct placing p = {.o = o, .what = &w, .dirfd = dirfd, .err = err};
	int r = 1;

	p.name = name;
	p.shown = shown;
	w.type = type_for(what);
	if (w.type != LINK_COPY && !w.verified && verify(o, &w, err) != 0)
		return -1;
	if (w.type == LINK_REFLINK)
		r = place_reflink(&p);
	else if (w.type != LINK_COPY)
		r = place_link(&p);
	if (r == 1)
		r = place_copy(&p);
	if (r != 0)
		return -1;
	fault_point(LINKED);
	if (out != NULL && fstatat(dirfd, name, out, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(err, errno, "cannot stat '%s'", shown);
	return 0;
}

int
link_at(struct objects *o, const struct link_what *what, int dirfd, const char *name,
	struct stat *out, struct err *err)
{
	return place(o, what, dirfd, name, name, out, err);
}

/* ---- below a root ---- */

static int
parent_failed(const char *path, struct err *err)
{
	if (errno == EXDEV)
		return err_set(err, ERR_INVALID,
			       "'%s' leads out of the project by a link on its way",
			       path);
	return err_sys(err, errno, "cannot open the directory of '%s'", path);
}

/* Open the directory, made with what is missing above it. */
static int
open_parent(int root_fd, char *dir)
{
	int flags = O_PATH | O_DIRECTORY, fd = fsio_open_beneath(root_fd, dir, flags, 0);
	char *slash;
	int above;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	slash = strrchr(dir, '/');
	if (slash != NULL) {
		*slash = '\0';
		above = open_parent(root_fd, dir);
		*slash = '/';
	} else {
		above = fsio_open_beneath(root_fd, ".", flags, 0);
	}
	if (above < 0)
		return -1;
	if (fsio_mkdir(above, slash != NULL ? slash + 1 : dir, 0777) != 0 &&
	    errno != EEXIST) {
		int saved = errno;

		(void)close(above);
		errno = saved;
		return -1;
	}
	(void)close(above);
	return fsio_open_beneath(root_fd, dir, flags, 0);
}

int
link_checkout(struct objects *o, const struct link_what *what, int root_fd,
	      const char *path, struct stat *out, struct err *err)
{
	const char *name = path_basename(path);
	size_t n = (size_t)(name - path);
	char dir[PATH_MAX];
	int fd, r;

	if (n >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return parent_failed(path, err);
	}
	if (n == 0)
		return place(o, what, root_fd, path, path, out, err);
	memcpy(dir, path, n);
	dir[n > 1 ? n - 1 : n] = '\0';
	fd = open_parent(root_fd, dir);
	if (fd < 0)
		return parent_failed(path, err);
	r = place(o, what, fd, name, path, out, err);
	(void)close(fd);
	return r;
}
