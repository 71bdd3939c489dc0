/*
 * The witness.  Symbols of the program come before those of libraries, so what stands here is
 * called in place of libc's, also by SQLite.  Nothing is ever synced for real: nobody pulls
 * the plug of this machine, and the log knows.
 *
 * Names are found by looking into the directory at each step, so that a file is seen however it
 * was made.  At the end the log must add up to what lies in the directory: what went by unseen
 * is found out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crashfs.h"

#define NAMES_MAX 16

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct crash_log *rec; /* NULL: nothing is written down */
static int dir_fd = -1;
static struct stat dir_st;
static struct name {
	char name[CRASH_NAME];
	ino_t ino;
	unsigned file;
	bool seen;
} names[NAMES_MAX];
static unsigned nnames;

/* ---- the log ---- */

static struct crash_op *
put(enum crash_kind kind, unsigned file)
{
	struct crash_op *op;

	if (rec->n == rec->cap) {
		rec->cap = rec->cap != 0 ? 2 * rec->cap : 256;
		rec->v = must_grow(rec->v, rec->cap * sizeof(*rec->v));
	}
	op = &rec->v[rec->n++];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->file = file;
	return op;
}

static void
put_name(enum crash_kind kind, unsigned file, const char *name, const char *to)
{
	struct crash_op *op = put(kind, file);

	(void)snprintf(op->name, sizeof(op->name), "%s", name);
	(void)snprintf(op->to, sizeof(op->to), "%s", to);
}

static void
put_write(unsigned file, const void *p, size_t n, size_t at)
{
	struct crash_op *op = put(CRASH_WRITE, file);

	op->at = at;
	op->len = n;
	op->data = must_alloc(n);
	memcpy(op->data, p, n);
}

void
crash_log_free(struct crash_log *log)
{
	size_t i;

	for (i = 0; i < log->n; i++)
		free(log->v[i].data);
	for (i = 0; i < log->nbase; i++)
		free(log->base[i].p);
	free(log->v);
	free(log->base);
	memset(log, 0, sizeof(*log));
}

/* ---- names ---- */

/* What a power loss leaves nothing of: memory, locks. */
static bool
is_left_out(const char *name)
{
	size_t n = strlen(name);

	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, "write.lock") == 0 ||
	       (n > 4 && strcmp(name + n - 4, "-shm") == 0);
}

static struct name *
find_name(const char *name)
{
	unsigned i;

	for (i = 0; i < nnames; i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

static struct name *
find_ino(ino_t ino)
{
	unsigned i;

	for (i = 0; i < nnames; i++)
		if (names[i].ino == ino)
			return &names[i];
	return NULL;
}

static void
forget(struct name *e)
{
	*e = names[--nnames];
}

static struct name *
add_name(const char *name, ino_t ino)
{
	struct name *e;

	if (nnames == NAMES_MAX || strlen(name) >= CRASH_NAME)
		die("too many names, or too long a one: %s", name);
	e = &names[nnames++];
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	e->ino = ino;
	e->file = rec->nfiles++;
	e->seen = true;
	return e;
}

static uint8_t *
slurp(const char *name, size_t *n)
{
	struct stat st;
	uint8_t *p;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		die("cannot open %s: %s", name, strerror(errno));
	*n = (size_t)st.st_size;
	p = must_alloc(*n + 1);
	if (pread(fd, p, *n, 0) != (ssize_t)*n)
		die("cannot read %s", name);
	close(fd);
	return p;
}

/* A name that was not there when we last looked. */
static void
meet(const char *name, const struct stat *st)
{
	struct name *e = find_name(name);
	uint8_t *p;
	size_t n;

	if (e != NULL && e->ino == st->st_ino) {
		e->seen = true;
		return;
	}
	if (e != NULL) {
		put_name(CRASH_UNLINK, e->file, name, "");
		forget(e);
	}
	e = add_name(name, st->st_ino);
	put_name(CRASH_CREATE, e->file, name, "");
	p = slurp(name, &n);
	if (n != 0) /* written before its name was seen */
		put_write(e->file, p, n, 0);
	free(p);
}

/* Look into the directory, and at each regular file in it. */
static void
look(void (*fn)(const char *, const struct stat *))
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	struct stat st;

	if (d == NULL)
		die("cannot look into the directory: %s", strerror(errno));
	while ((de = readdir(d)) != NULL)
		if (!is_left_out(de->d_name) &&
		    fstatat(dir_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			fn(de->d_name, &st);
	(void)closedir(d);
}

/* Write down which names came and went. */
static void
scan(void)
{
	unsigned i;

	for (i = 0; i < nnames; i++)
		names[i].seen = false;
	look(meet);
	for (i = nnames; i > 0; i--)
		if (!names[i - 1].seen) {
			put_name(CRASH_UNLINK, names[i - 1].file, names[i - 1].name, "");
			forget(&names[i - 1]);
		}
}

/* The file behind ${fd}, if it is one of ours. */
static struct name *
file_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_dev != dir_st.st_dev)
		return NULL;
	return find_ino(st.st_ino);
}

/* ---- starting, ending ---- */

static void
take_base(const char *name, const struct stat *st)
{
	struct name *e = add_name(name, st->st_ino);
	struct crash_base *b;

	rec->base = must_grow(rec->base, (rec->nbase + 1) * sizeof(*rec->base));
	b = &rec->base[rec->nbase++];
	(void)snprintf(b->name, sizeof(b->name), "%s", e->name);
	b->p = slurp(name, &b->n);
}

void
record_start(struct crash_log *log, int dirfd)
{
	memset(log, 0, sizeof(*log));
	(void)pthread_mutex_lock(&mutex);
	rec = log;
	dir_fd = dirfd;
	nnames = 0;
	if (fstat(dirfd, &dir_st) != 0)
		die("no directory");
	look(take_base);
	(void)pthread_mutex_unlock(&mutex);
}

static struct crash_image *final;

static void
compare(const char *name, const struct stat *st)
{
	unsigned i;
	uint8_t *p;
	size_t n;

	(void)st;
	for (i = 0; i < final->n && strcmp(final->files[i].name, name) != 0; i++)
		;
	if (i == final->n)
		die("%s was not seen being made", name);
	p = slurp(name, &n);
	if (n != final->files[i].n || memcmp(p, final->files[i].p, n) != 0)
		die("not everything that was done to %s was seen", name);
	free(p);
	final->files[i].name[0] = '\0';
}

void
record_stop(void)
{
	const struct crash_how kept = {
	    .data = FATE_KEPT, .names = FATE_KEPT, .sector = 512};
	struct crash_image image;
	struct crash_disk *disk;
	size_t i;

	(void)pthread_mutex_lock(&mutex);
	scan();
	disk = disk_new(rec, &kept);
	for (i = 0; i < rec->n; i++)
		disk_step(disk);
	disk_image(disk, &kept, &image);
	final = &image;
	look(compare);
	for (i = 0; i < image.n; i++)
		if (image.files[i].name[0] != '\0')
			die("%s was not seen going away", image.files[i].name);
	disk_free(disk);
	rec = NULL;
	(void)pthread_mutex_unlock(&mutex);
}

void
record_ack(void)
{
	(void)pthread_mutex_lock(&mutex);
	if (rec != NULL) {
		scan();
		(void)put(CRASH_ACK, 0);
		rec->acks++;
	}
	(void)pthread_mutex_unlock(&mutex);
}

/* ---- in place of libc ---- */

static void
enter(void)
{
	(void)pthread_mutex_lock(&mutex);
	if (rec != NULL)
		scan();
}

static ssize_t
leave(ssize_t r)
{
	int saved = errno;

	(void)pthread_mutex_unlock(&mutex);
	errno = saved;
	return r;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	struct name *e;
	ssize_t r;

	enter();
	r = syscall(SYS_pwrite64, fd, p, n, at);
	if (rec != NULL && r > 0 && (e = file_of(fd)) != NULL)
		put_write(e->file, p, (size_t)r, (size_t)at);
	return leave(r);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	struct name *e;
	off_t at;
	ssize_t r;

	if (rec == NULL) /* messages */
		return syscall(SYS_write, fd, p, n);
	enter();
	e = rec != NULL ? file_of(fd) : NULL;
	at = e != NULL ? lseek(fd, 0, SEEK_CUR) : 0;
	r = syscall(SYS_write, fd, p, n);
	if (e != NULL && r > 0)
		put_write(e->file, p, (size_t)r, (size_t)at);
	return leave(r);
}

int
ftruncate(int fd, off_t size)
{
	struct name *e;
	long r;

	enter();
	r = syscall(SYS_ftruncate, fd, size);
	if (rec != NULL && r == 0 && (e = file_of(fd)) != NULL)
		put(CRASH_TRUNCATE, e->file)->len = (size_t)size;
	return (int)leave(r);
}

static int
sync_fd(int fd)
{
	struct name *e;
	struct stat st;

	enter();
	if (rec != NULL && (e = file_of(fd)) != NULL)
		(void)put(CRASH_SYNC, e->file);
	else if (rec != NULL && fstat(fd, &st) == 0 && st.st_dev == dir_st.st_dev &&
		 st.st_ino == dir_st.st_ino)
		(void)put(CRASH_SYNC_DIR, 0);
	return (int)leave(0);
}

int
fsync(int fd)
{
	return sync_fd(fd);
}

int
fdatasync(int fd)
{
	return sync_fd(fd);
}

int
unlinkat(int at, const char *path, int flags)
{
	long r;

	enter();
	r = syscall(SYS_unlinkat, at, path, flags);
	if (rec != NULL)
		scan();
	return (int)leave(r);
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

/* One step to a power loss: the old name and the new one, never both or none. */
int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	const char *last = strrchr(from, '/'), *last_to = strrchr(to, '/');
	struct name *e, *old;
	long r;

	enter();
	r = syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
	last = last != NULL ? last + 1 : from;
	last_to = last_to != NULL ? last_to + 1 : to;
	if (rec != NULL && r == 0 && find_name(last) != NULL) {
		old = find_name(last_to);
		if (old != NULL)
			forget(old);
		e = find_name(last);
		put_name(CRASH_RENAME, e->file, last, last_to);
		(void)snprintf(e->name, sizeof(e->name), "%s", last_to);
		scan();
	}
	return (int)leave(r);
}

int
rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

long
witness_syscall(long nr, ...)
{
	long v[6];
	va_list ap;
	int i;

	va_start(ap, nr);
	for (i = 0; i < 6; i++)
		v[i] = va_arg(ap, long);
	va_end(ap);
	switch (nr) {
	case SYS_pwrite64:
		return pwrite((int)v[0], (const void *)v[1], (size_t)v[2], v[3]);
	case SYS_ftruncate:
		return ftruncate((int)v[0], v[1]);
	case SYS_renameat2:
		return renameat((int)v[0], (const char *)v[1], (int)v[2],
				(const char *)v[3]);
	default:
		return syscall(nr, v[0], v[1], v[2], v[3], v[4], v[5]);
	}
}
