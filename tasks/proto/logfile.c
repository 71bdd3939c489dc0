/*
 * Reading a log that may be written at the same time.
 */
#include "tasks/proto/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "tasks/proto/attempt_dir.h"

#define TRIES 64 /* looks at a ring that is being written faster than we read */

static int
open_log(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot open '%s'", name);
	return fd < 0 ? -2 : fd;
}

/* pread until ${n} bytes or the end.  Return what was read, or -1 with errno. */
static ssize_t
read_at(int fd, void *p, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = pread(fd, (char *)p + have, n - have, (off_t)(at + have));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

/* Look at the header until it is whole.  Return 1, 0 if there is none yet, -1. */
static int
look(int fd, struct log_tail *t, struct err *err)
{
	unsigned char raw[LOG_TAIL_HEADER];

	for (int i = 0; i < TRIES; i++) {
		ssize_t n = read_at(fd, raw, sizeof(raw), 0);

		if (n < 0)
			return err_sys(err, errno, "cannot read '%s'", ATTEMPT_LOG_TAIL);
		if (n < (ssize_t)sizeof(raw))
			return 0;
		if (log_tail_decode(t, raw) == 0)
			return 1;
	}
	return err_set(err, ERR_CORRUPT, "the header of '%s' is damaged",
		       ATTEMPT_LOG_TAIL);
}

/* The first stream offset that can be read from the ring. */
static uint64_t
first_kept(const struct log_tail *t)
{
	uint64_t lost = t->written + (t->closed ? 0 : t->step);

	lost = lost > t->capacity ? lost - t->capacity : 0;
	return t->head + (lost < t->written ? lost : t->written);
}

static ssize_t
read_ring(int fd, const struct log_tail *t, uint64_t offset, char *p, size_t n)
{
	uint64_t at = (offset - t->head) % t->capacity;
	size_t part = n < t->capacity - at ? n : (size_t)(t->capacity - at);
	ssize_t a, b = 0;

	a = read_at(fd, p, part, LOG_TAIL_HEADER + at);
	if (a == (ssize_t)part && part < n)
		b = read_at(fd, p + part, n - part, LOG_TAIL_HEADER);
	return a < 0 || b < 0 ? -1 : a + b;
}

/*
 * From the ring: read, look again, and keep what is good by both looks.  When the writer
 * laps us, the next try starts in the middle of what is kept, so that it has half the
 * ring's time.
 */
static int
read_tail(int fd, uint64_t offset, char *p, size_t cap, struct log_chunk *c,
	  struct err *err)
{
	struct log_tail t;
	int rc;

	if ((rc = look(fd, &t, err)) != 1)
		return rc;
	for (int i = 0; i < TRIES; i++) {
		uint64_t from = first_kept(&t), end = t.head + t.written, kept;
		size_t n;
		ssize_t got;

		c->end = end;
		if (offset >= end)
			return 0;
		if (offset > from)
			from = offset;
		else if (i > 0)
			from += (end - from) / 2;
		n = end - from < cap ? (size_t)(end - from) : cap;
		if ((got = read_ring(fd, &t, from, p, n)) < 0)
			return err_sys(err, errno, "cannot read '%s'", ATTEMPT_LOG_TAIL);
		if ((rc = look(fd, &t, err)) != 1)
			return rc;
		kept = first_kept(&t);
		if (from >= kept && got > 0) {
			c->gap = from - offset;
			c->offset = from;
			c->n = (size_t)got;
			return 0;
		}
	}
	/* Lapped every time: nothing now, the caller comes again. */
	return 0;
}

static int
read_head(int fd, uint64_t offset, char *p, size_t cap, struct log_chunk *c,
	  struct err *err)
{
	struct stat st;
	ssize_t got = 0;

	if (fstat(fd, &st) != 0)
		return err_sys(err, errno, "cannot read '%s'", ATTEMPT_LOG);
	if (offset < (uint64_t)st.st_size)
		got = read_at(fd, p, cap, offset);
	if (got < 0)
		return err_sys(err, errno, "cannot read '%s'", ATTEMPT_LOG);
	c->n = (size_t)got;
	c->end = (uint64_t)st.st_size;
	if (offset + c->n > c->end)
		c->end = offset + c->n;
	return 0;
}

int
log_read(int dirfd, uint64_t offset, char *p, size_t cap, struct log_chunk *c,
	 struct err *err)
{
	struct log_tail t;
	int fd, rc;

	*c = (struct log_chunk){.offset = offset};
	if (offset > INT64_MAX / 4)
		return err_set(err, ERR_INVALID, "no log reaches that offset");
	if ((fd = open_log(dirfd, ATTEMPT_LOG, err)) < 0)
		return fd == -2 ? 0 : -1;
	rc = read_head(fd, offset, p, cap, c, err);
	(void)close(fd); /* only read */
	if (rc != 0)
		return rc;
	if ((fd = open_log(dirfd, ATTEMPT_LOG_TAIL, err)) < 0)
		return fd == -2 ? 0 : -1;
	if (c->n == 0)
		rc = read_tail(fd, offset, p, cap, c, err);
	else if ((rc = look(fd, &t, err)) == 1)
		c->end = t.head + t.written;
	(void)close(fd); /* only read */
	return rc < 0 ? -1 : 0;
}
