/*
 * Which kinds of links can be had between a store and a work tree: by trying.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/objects/link.h"
#include "store/objects/objects_internal.h"

static const char *const names[LINK_TYPES] = {
    [LINK_REFLINK] = "reflink",
    [LINK_COPY] = "copy",
    [LINK_HARDLINK] = "hardlink",
    [LINK_SYMLINK] = "symlink",
};

const char *
link_type_name(enum link_type type)
{
	return names[type];
}

int
link_type_parse(const char *name, enum link_type *type)
{
	for (unsigned i = 0; i < LINK_TYPES; i++)
		if (strcmp(name, names[i]) == 0) {
			*type = (enum link_type)i;
			return 0;
		}
	return -1;
}

/* A file of the store's and a name in the work tree, both temporary. */
struct trial {
	int base, fd;
	char from[TEMP_LEN + 1], to[FSIO_TEMP_SIZE]; /* swept with others */
};

static int
trial_begin(struct objects *o, struct trial *t, struct err *err)
{
	uint8_t temp[TEMP_BYTES];

	t->fd = -1;
	t->base = objects_base(o, false, true);
	if (t->base < 0)
		return err_sys(err, errno, "cannot make the store '%s'", o->dir);
	objects_temp(o, temp);
	temp_name(temp, t->from);
	if (fsio_temp_name(t->to) != 0)
		return err_sys(err, errno, "cannot get random numbers");
	t->fd = fsio_open(t->base, t->from, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (t->fd >= 0 && fsio_write_all(t->fd, "test", 4) == 0)
		return 0;
	(void)err_sys(err, errno, "cannot write to the store '%s'", o->dir);
	if (t->fd >= 0) {
		(void)close(t->fd);
		(void)unlinkat(t->base, t->from, 0);
	}
	return -1;
}

static int
try_reflink(const struct trial *t, int root_fd)
{
	int to = fsio_open(root_fd, t->to, O_WRONLY | O_CREAT | O_EXCL, 0600), r, saved;

	if (to < 0)
		return -1;
	r = fsio_reflink(t->fd, to);
	saved = errno;
	(void)close(to);
	errno = saved;
	return r;
}

static int
try_symlink(struct objects *o, const struct trial *t, int root_fd)
{
	struct stat st;
	struct buf path;
	int r;

	buf_init(&path, 0);
	buf_addf(&path, "%s/files/md5/%s", o->dir, t->from);
	errno = ENOMEM;
	r = buf_failed(&path) ? -1 : fsio_symlink(path.p, root_fd, t->to);
	buf_release(&path);
	/* It must lead to the file, too. */
	return r == 0 ? fstatat(root_fd, t->to, &st, 0) : -1;
}

static int
try_type(struct objects *o, const struct trial *t, int root_fd, enum link_type type)
{
	switch (type) {
	case LINK_REFLINK:
		return try_reflink(t, root_fd);
	case LINK_HARDLINK:
		return fsio_hardlink(t->base, t->from, root_fd, t->to);
	case LINK_SYMLINK:
		return try_symlink(o, t, root_fd);
	case LINK_COPY:
	default:
		return 0;
	}
}

/* What tells nothing about the kind of link: any other would have met it too. */
static bool
is_shortage(const struct err *why)
{
	return why->code == ERR_NOMEM || why->code == ERR_FULL;
}

int
link_works(struct objects *o, int root_fd, enum link_type type, struct err *err)
{
	struct err why = {0};
	struct trial t;
	int r;

	if (type == LINK_COPY)
		return 1;
	if (objects_writable(o, err) != 0 || trial_begin(o, &t, err) != 0)
		return -1;
	r = try_type(o, &t, root_fd, type);
	if (r != 0)
		(void)err_sys(&why, errno, "no %s from '%s'", names[type], o->dir);
	(void)close(t.fd);
	(void)unlinkat(t.base, t.from, 0);
	(void)unlinkat(root_fd, t.to, 0);
	if (r == 0)
		return 1;
	if (err != NULL)
		*err = why;
	return is_shortage(&why) ? -1 : 0;
}

int
link_probe(struct objects *o, int root_fd, const enum link_type *v, size_t n,
	   enum link_type *works, struct err *err)
{
	static const enum link_type usual[] = {LINK_REFLINK, LINK_COPY};
	struct err why = {0};
	int r = 0;

	if (n == 0) {
		v = usual;
		n = sizeof(usual) / sizeof(usual[0]);
	}
	for (size_t i = 0; i < n && r != 1 && !(r < 0 && is_shortage(&why)); i++) {
		r = link_works(o, root_fd, v[i], &why);
		*works = v[i];
	}
	if (r == 1)
		return 0;
	if (r < 0) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	return err_set(
	    err, ERR_INVALID,
	    "none of the link types of cache.type works here (%s); add 'copy' to it",
	    why.msg);
}
