/*
 * Output comes through one pipe, so that stdout and stderr keep their order, and goes to
 * `log` and, past its half of the limit, round in `log.tail` (logfile.h says how).
 *
 * A secret may lie across two reads: what could be the start of one is held back, at most
 * MASK_HOLD_MAX bytes, until more bytes decide or the stream ends.  A pause does not decide:
 * the held bytes stay out of the log however long it lasts, since half a secret in the log
 * is a leak and a prompt that appears late is not.
 *
 * When storing fails (disk full, file size limit) the pipe is drained all the same, so that
 * the task never stands still because of its log; nothing more is stored, since a log with a
 * hole in its middle would look whole.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/logfile.h"
#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

void
capture_init(struct capture *c, int dirfd, int fd, uint64_t limit,
	     const struct mask *mask)
{
	c->dirfd = dirfd;
	c->fd = fd;
	c->log = c->tail = -1;
	c->head = limit / 2;
	c->capacity = limit - c->head;
	c->step = c->capacity / 4 < LOG_TAIL_STEP ? c->capacity / 4 : LOG_TAIL_STEP;
	c->mask = mask;
}

static int
make_file(struct capture *c, const char *name)
{
	int fd = (int)sys_openat(
	    c->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		c->error = -fd;
	return fd;
}

/* Return how many of the ${n} bytes went to ${at}; c->error says why not all. */
static size_t
write_at(struct capture *c, int fd, const char *p, size_t n, uint64_t at)
{
	size_t done = 0;

	while (done < n) {
		long r = sys_pwrite(fd, p + done, n - done, at + done);

		if (r == -EINTR)
			continue;
		if (r <= 0) {
			c->error = r < 0 ? (int)-r : EIO;
			break;
		}
		done += (size_t)r;
	}
	return done;
}

static int
put_header(struct capture *c, bool closed)
{
	struct log_tail t = {.head = c->head,
			     .capacity = c->capacity,
			     .step = c->step,
			     .written = c->at - c->head,
			     .closed = closed};
	unsigned char raw[LOG_TAIL_HEADER];

	log_tail_encode(&t, raw);
	return write_at(c, c->tail, (const char *)raw, sizeof(raw), 0) == sizeof(raw)
		   ? 0
		   : -1;
}

/* Put bytes at stream offset ${at} into the file and place where they belong. */
static size_t
put_at(struct capture *c, const char *p, size_t n, uint64_t at)
{
	size_t part = 0;
	uint64_t pos;

	if (at < c->head) {
		part = n < c->head - at ? n : (size_t)(c->head - at);
		part = write_at(c, c->log, p, part, at);
		if (part == n || at + part < c->head || c->tail < 0)
			return part;
		at = c->head;
	}
	while (part < n) {
		size_t len, done;

		pos = (at - c->head) % c->capacity;
		len =
		    n - part < c->capacity - pos ? n - part : (size_t)(c->capacity - pos);
		done = write_at(c, c->tail, p + part, len, LOG_TAIL_HEADER + pos);
		part += done;
		at += done;
		if (done < len)
			break;
	}
	return part;
}

static const char *
reason(int e)
{
	switch (e) {
	case ENOSPC:
		return "no space left on the device";
	case EDQUOT:
		return "the disk quota is exceeded";
	case EFBIG:
		return "the limit of a file's size is reached";
	case EIO:
		return "input/output error";
	default:
		return "it cannot be written";
	}
}

/*
 * Storing has failed.  Try to leave one line that says so: behind what is stored, or, as
 * there is hardly room for it, in place of the last bytes.
 */
static void
give_up(struct capture *c)
{
	static const char front[] = "\n[dag-shim: the log stops here: ";
	char line[128];
	size_t n = sizeof(front) - 1, why = strlen(reason(c->error)), done;

	c->failed = c->error;
	c->failed_at = c->at;
	if (c->log < 0)
		return;
	memcpy(line, front, n);
	memcpy(line + n, reason(c->failed), why);
	memcpy(line + n + why, "]\n", 2);
	n += why + 2;
	done = put_at(c, line, n, c->at);
	c->at += done;
	if (done < n && c->at >= n)
		(void)put_at(c, line, n, c->at - n); /* tried */
	if (c->tail >= 0)
		(void)put_header(c, false); /* tried */
}

/* One write of the ring's: the header is raised behind the bytes. */
static int
store_tail(struct capture *c, const char *p, size_t n)
{
	if (c->tail < 0 &&
	    ((c->tail = make_file(c, ATTEMPT_LOG_TAIL)) < 0 || put_header(c, false) != 0))
		return -1;
	while (n > 0) {
		size_t len = n < c->step ? n : (size_t)c->step;
		size_t done = put_at(c, p, len, c->at);

		c->at += done;
		if (done < len || put_header(c, false) != 0)
			return -1;
		p += len;
		n -= len;
	}
	return 0;
}

/* Store bytes of the stream, as they are. */
static void
store(struct capture *c, const char *p, size_t n)
{
	c->total += n;
	if (c->failed != 0 || n == 0)
		return;
	if (c->log < 0 && (c->log = make_file(c, ATTEMPT_LOG)) < 0) {
		give_up(c);
		return;
	}
	if (c->at < c->head) {
		size_t len = n < c->head - c->at ? n : (size_t)(c->head - c->at);
		size_t done = put_at(c, p, len, c->at);

		c->at += done;
		if (done < len) {
			give_up(c);
			return;
		}
		p += len;
		n -= len;
	}
	if (n > 0 && store_tail(c, p, n) != 0)
		give_up(c);
}

/* Mask and store the ${n} bytes in c->in; what is undecided moves to the front. */
static void
mask_and_store(struct capture *c, size_t n, bool eof)
{
	size_t len, used = mask_step(c->mask, &c->stream, c->in, n, eof, c->out, &len);

	store(c, c->out, len);
	c->held = n - used;
	memmove(c->in, c->in + used, c->held);
}

void
capture_feed(struct capture *c, const char *p, size_t n)
{
	if (c->mask == NULL) {
		store(c, p, n);
		return;
	}
	if (p != c->in + c->held)
		memcpy(c->in + c->held, p, n);
	mask_and_store(c, c->held + n, false);
}

size_t
capture_read(struct capture *c, size_t max)
{
	char *to = c->in + c->held;
	long n;

	if (c->fd < 0)
		return 0;
	n = sys_read(c->fd, to, max < CAPTURE_READ ? max : CAPTURE_READ);
	if (n > 0) {
		capture_feed(c, to, (size_t)n);
		return (size_t)n;
	}
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	(void)sys_close(c->fd); /* nobody writes any more */
	c->fd = -1;
	return 0;
}

void
capture_end(struct capture *c, bool all)
{
	int left = 0;
	size_t n;

	if (!all && (c->fd < 0 || sys_ioctl(c->fd, FIONREAD, &left) != 0))
		left = 0;
	while (c->fd >= 0 && (all || left > 0)) {
		if ((n = capture_read(c, all ? CAPTURE_READ : (size_t)left)) == 0)
			break;
		left -= (int)n;
	}
	if (c->mask != NULL && c->held > 0)
		mask_and_store(c, c->held, true);
	if (c->fd >= 0)
		(void)sys_close(c->fd); /* who still writes gets EPIPE */
	c->fd = -1;
	if (c->tail >= 0) {
		(void)put_header(c, true); /* a reader can do without */
		(void)sys_close(c->tail);  /* an error would have nobody to tell */
	}
	if (c->log >= 0)
		(void)sys_close(c->log); /* likewise */
	c->log = c->tail = -1;
}
