#include "store/objects/objects_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/proc.h"
#include "store/objects/object_set.h"

#define SUBDIR	     "files/md5"
#define MODE_SHARED  02775
#define OBJECT_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY) /* a fifo reads as empty */
#define TEMP_SUFFIX  ".tmp"
#define WRITE_PIECE  ((size_t)128 << 10)
#define TRIES_MAX    100 /* of names that are taken */

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- names ---- */

void
object_rel(const struct object_id *id, char out[REL_MAX])
{
	char hex[OBJECT_HEX_MAX];

	(void)object_id_hex(id, hex);
	memcpy(out, hex, 2);
	out[2] = '/';
	memcpy(out + 3, hex + 2, strlen(hex + 2) + 1);
}

void
objects_name(const struct object_id *id, struct buf *out)
{
	char rel[REL_MAX];

	object_rel(id, rel);
	if (!id->legacy)
		buf_adds(out, SUBDIR "/");
	buf_adds(out, rel);
}

void
objects_path(const struct objects *o, const struct object_id *id, struct buf *out)
{
	buf_adds(out, o->dir);
	buf_addc(out, '/');
	objects_name(id, out);
}

const char *
objects_dir(const struct objects *o)
{
	return o->dir;
}

/* Random for the store, counted for each: a call for randomness per object would be dear.  The
 * count is in the last bytes, so that the first letters are those of the store. */
void
objects_temp(struct objects *o, uint8_t temp[TEMP_BYTES])
{
	uint64_t n = atomic_fetch_add(&o->temps, 1);

	memcpy(temp, o->seed, TEMP_BYTES);
	for (size_t i = TEMP_BYTES; i > TEMP_OWNER_BYTES; n >>= 8) {
		n += temp[--i];
		temp[i] = (uint8_t)n;
	}
}

/* As Python's token_urlsafe(16) writes it: base64 by six bits, the last letter of two. */
void
temp_name(const uint8_t temp[TEMP_BYTES], char out[TEMP_LEN + 1])
{
	uint32_t bits = 0;
	unsigned have = 0;
	char *p = out;

	*p++ = '.';
	for (size_t i = 0; i < TEMP_BYTES; i++) {
		bits = bits << 8 | temp[i];
		for (have += 8; have >= 6; have -= 6)
			*p++ = letters[(bits >> (have - 6)) & 63];
	}
	*p++ = letters[(bits << (6 - have)) & 63];
	memcpy(p, TEMP_SUFFIX, sizeof(TEMP_SUFFIX));
}

int
objects_temp_open(struct objects *o, int base, const char *prefix, mode_t mode,
		  uint8_t temp[TEMP_BYTES])
{
	char rel[TEMP_REL_MAX];
	size_t n = strlen(prefix);
	int fd, tries = 0;

	do {
		objects_temp(o, temp);
		memcpy(rel, prefix, n);
		temp_name(temp, rel + n);
		fd = fsio_open(base, rel, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	} while (fd < 0 && errno == EEXIST && ++tries < TRIES_MAX);
	return fd;
}

int
objects_write(int fd, const void *p, size_t n)
{
	const char *from = p;
	size_t some;

	for (; n > 0; from += some, n -= some) {
		some = n < WRITE_PIECE ? n : WRITE_PIECE;
		if (fsio_write_all(fd, from, some) != 0)
			return -1;
	}
	return 0;
}

bool
temp_is_name(const char *name)
{
	size_t n = strlen(name);

	return n == TEMP_LEN && name[0] == '.' &&
	       strspn(name + 1, letters) == TEMP_LEN - sizeof(TEMP_SUFFIX) &&
	       strcmp(name + n - 4, TEMP_SUFFIX) == 0;
}

/* ---- open, close ---- */

/* Asked of the kernel: to ask umask(2) is to set it, which other threads would see. */
static int
process_umask(mode_t *mask, struct err *err)
{
	struct err why = {0};
	const char *at = NULL;
	struct buf b;
	int r = 0;

	buf_init(&b, 0);
	if (fsio_read(AT_FDCWD, "/proc/self/status", 64 << 10, &b, &why) == 0)
		at = strstr(b.p, "\nUmask:");
	if (why.code == ERR_NOMEM) {
		r = err_nomem(err);
	} else if (at != NULL) {
		for (at += strlen("\nUmask:"); *at == '\t' || *at == ' ';)
			at++;
		for (*mask = 0; *at >= '0' && *at <= '7'; at++)
			*mask = (*mask << 3 | (mode_t)(*at - '0')) & 0777;
	} else {
		*mask = umask(0); /* no /proc here */
		(void)umask(*mask);
	}
	buf_release(&b);
	return r;
}

int
objects_open(const struct objects_options *opt, struct objects **out, struct err *err)
{
	struct objects *o;
	bool ready = false;
	struct buf dir;

	if (opt->dir[0] != '/')
		return err_set(err, ERR_INVALID, "the store '%s' is no absolute path",
			       opt->dir);
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return err_nomem(err);
	buf_init(&dir, 0);
	path_normalize(&dir, opt->dir);
	o->dir = buf_steal(&dir);
	buf_release(&dir);
	o->shared = opt->shared;
	o->readonly = opt->readonly;
	o->root = o->md5 = -1;
	if (o->dir == NULL)
		(void)err_nomem(err);
	else if (process_umask(&o->umask, err) != 0)
		;
	else if (getrandom(o->seed, sizeof(o->seed), 0) != (ssize_t)sizeof(o->seed))
		(void)err_sys(err, errno, "cannot get random numbers");
	else
		ready = true;
	if (!ready) {
		free(o->dir);
		free(o);
		return -1;
	}
	(void)pthread_mutex_init(&o->lock, NULL);
	*out = o;
	return 0;
}

void
objects_close(struct objects *o)
{
	if (o == NULL)
		return;
	while (o->npool > 0)
		digest_release(&o->pool[--o->npool]);
	if (o->root >= 0)
		(void)close(o->root);
	if (o->md5 >= 0)
		(void)close(o->md5);
	(void)pthread_mutex_destroy(&o->lock);
	object_set_free(o->made);
	free(o->dir);
	free(o);
}

int
objects_writable(const struct objects *o, struct err *err)
{
	if (!o->readonly)
		return 0;
	return err_set(err, ERR_INVALID, "the store '%s' is opened for reading only",
		       o->dir);
}

int
objects_digest(struct objects *o, struct digest *d, struct err *err)
{
	bool got;

	(void)pthread_mutex_lock(&o->lock);
	got = o->npool > 0;
	if (got)
		*d = o->pool[--o->npool];
	(void)pthread_mutex_unlock(&o->lock);
	return got ? 0 : digest_init(d, err);
}

void
objects_digest_back(struct objects *o, struct digest *d)
{
	(void)pthread_mutex_lock(&o->lock);
	if (o->npool < POOL_MAX) {
		o->pool[o->npool++] = *d;
		*d = (struct digest){0};
	}
	(void)pthread_mutex_unlock(&o->lock);
	digest_release(d);
}

/* ---- what was written ---- */

void
objects_note_made(struct objects *o, struct object_set **names)
{
	struct object_set_cursor at = {0};
	struct object_id id;

	(void)pthread_mutex_lock(&o->lock);
	o->made_ns = clock_stamp_ns();
	if (o->made == NULL) {
		o->made = *names;
		*names = NULL;
	} else {
		/* One that is not remembered is hashed once more, no worse. */
		while (object_set_next(*names, &at, &id))
			(void)object_set_add(o->made, &id);
	}
	(void)pthread_mutex_unlock(&o->lock);
}

bool
objects_made(struct objects *o, const struct object_id *id)
{
	char rel[REL_MAX];
	struct stat st;
	int64_t until;
	bool made;

	(void)pthread_mutex_lock(&o->lock);
	made = o->made != NULL && object_set_has(o->made, id);
	until = o->made_ns;
	(void)pthread_mutex_unlock(&o->lock);
	if (!made)
		return false;
	object_rel(id, rel);
	/* No call can set ctime. */
	return fstatat(objects_base(o, id->legacy, false), rel, &st,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) &&
	       (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec <= until;
}

/* ---- directories ---- */

/* mkdir; in a shared store new directories are the group's, whatever the umask. */
static int
make_dir(const struct objects *o, int dirfd, const char *path)
{
	if (fsio_mkdir(dirfd, path, o->shared ? MODE_SHARED & 0777 : 0777) != 0)
		return -1;
	/* A store without it works for us; DVC does not insist either. */
	if (o->shared)
		(void)!fchmodat(dirfd, path, MODE_SHARED, 0);
	return 0;
}

int
objects_make_dirs(const struct objects *o, char *path, bool durable)
{
	char *slash = strrchr(path, '/');
	int r = make_dir(o, AT_FDCWD, path);

	if (slash == NULL || slash == path)
		return r == 0 || errno == EEXIST ? 0 : -1;
	if (r != 0 && errno == ENOENT) {
		*slash = '\0';
		r = objects_make_dirs(o, path, durable);
		*slash = '/';
		if (r != 0)
			return -1;
		r = make_dir(o, AT_FDCWD, path);
	}
	if (r != 0)
		return errno == EEXIST ? 0 : -1;
	if (!durable)
		return 0;
	*slash = '\0';
	r = fsio_sync_dir(AT_FDCWD, path, NULL);
	*slash = '/';
	return r;
}

static int
open_base(const struct objects *o, bool legacy, bool create)
{
	struct buf path;
	int fd = -1;

	buf_init(&path, 0);
	buf_addf(&path, legacy ? "%s" : "%s/" SUBDIR, o->dir);
	if (buf_failed(&path)) {
		errno = ENOMEM;
		return -1;
	}
	fd = fsio_open(AT_FDCWD, path.p, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 && errno == ENOENT && create &&
	    objects_make_dirs(o, path.p, true) == 0)
		fd = fsio_open(AT_FDCWD, path.p, O_RDONLY | O_DIRECTORY, 0);
	buf_release(&path);
	return fd;
}

int
objects_base(struct objects *o, bool legacy, bool create)
{
	_Atomic int *at = legacy ? &o->root : &o->md5;
	int fd = *at;

	if (fd >= 0)
		return fd;
	(void)pthread_mutex_lock(&o->lock);
	fd = *at;
	if (fd < 0)
		*at = fd = open_base(o, legacy, create);
	(void)pthread_mutex_unlock(&o->lock);
	return fd;
}

int
objects_make_prefix(const struct objects *o, int base, const char *rel)
{
	char prefix[3] = {rel[0], rel[1], '\0'};

	if (make_dir(o, base, prefix) == 0)
		return 1;
	return errno == EEXIST ? 0 : -1;
}

/* ---- single objects ---- */

int
objects_fault(const struct objects *o, const struct object_id *id, int errnum,
	      const char *what, struct err *err)
{
	struct buf path;

	buf_init(&path, 0);
	objects_path(o, id, &path);
	(void)err_sys(err, errnum, "%s '%s'", what, path.p);
	buf_release(&path);
	return -1;
}

int
objects_wrong(const struct objects *o, const struct object_id *id,
	      const struct object_id *found, struct err *err)
{
	char hex[OBJECT_HEX_MAX];
	struct buf path;

	buf_init(&path, 0);
	objects_path(o, id, &path);
	(void)err_set(err, ERR_CORRUPT, "'%s' is damaged: its bytes have the hash %.32s",
		      path.p, object_id_hex(found, hex));
	buf_release(&path);
	return -1;
}

int
objects_has(struct objects *o, const struct object_id *id, struct err *err)
{
	int base = objects_base(o, id->legacy, false);
	char rel[REL_MAX];
	struct stat st;

	object_rel(id, rel);
	if (base >= 0 && fstatat(base, rel, &st, 0) == 0)
		return S_ISREG(st.st_mode);
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return objects_fault(o, id, errno, "cannot look for", err);
}

int
objects_fd(struct objects *o, const struct object_id *id, struct err *err)
{
	int base = objects_base(o, id->legacy, false), fd = -1;
	char rel[REL_MAX];

	object_rel(id, rel);
	if (base >= 0)
		fd = fsio_open(base, rel, OBJECT_FLAGS, 0);
	return fd >= 0 ? fd : objects_fault(o, id, errno, "cannot open", err);
}

int
objects_remove(struct objects *o, const struct object_id *id, struct err *err)
{
	int base;
	char rel[REL_MAX];

	if (objects_writable(o, err) != 0)
		return -1;
	base = objects_base(o, id->legacy, false);
	object_rel(id, rel);
	if (base >= 0 && fsio_unlink(base, rel) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR
		   ? 0
		   : objects_fault(o, id, errno, "cannot remove", err);
}

int
objects_sync(struct objects *o, struct err *err)
{
	for (int legacy = 0; legacy <= 1; legacy++) {
		int base = objects_base(o, legacy != 0, false);

		if (base < 0 && errno == ENOENT)
			continue;
		if (base < 0 || fsio_sync_fs(base, o->dir) != 0)
			return err_sys(err, errno, "cannot sync '%s'", o->dir);
	}
	return 0;
}
