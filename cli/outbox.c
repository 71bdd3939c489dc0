#include "cli/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/thread.h"

#define CHUNK \
	((size_t)64 << 10) /* written at once: a picture of the live table, as a rule */

/*
 * Everything below ${lock}.  The thread writes from ${now}, which is its own while ${busy};
 * others append to ${next}, and the two change places when ${now} is written.
 */
struct outbox {
	int fd;
	size_t max;
	pthread_mutex_t lock;
	pthread_cond_t more;  /* there is something to write, or nothing will come */
	pthread_cond_t moved; /* something was written, or writing has failed */
	pthread_t thread;
	struct buf now, next;
	size_t written; /* of now */
	bool busy, quit;
	bool abandoned; /* nobody reads, as far as can be told */
	bool orphan;	/* the thread's own: nobody else knows it any more */
	int error;
};

static size_t
pending(const struct outbox *o)
{
	return o->next.n + (o->busy ? o->now.n - o->written : 0);
}

/* Write the next bytes of o->now, without the lock. */
static void
write_some(struct outbox *o)
{
	size_t n = o->now.n - o->written;
	ssize_t got;

	(void)pthread_mutex_unlock(&o->lock);
	do
		got = write(o->fd, o->now.p + o->written, n < CHUNK ? n : CHUNK);
	while (got < 0 && errno == EINTR);
	(void)pthread_mutex_lock(&o->lock);
	if (got < 0)
		o->error = errno;
	else
		o->written += (size_t)got;
	(void)pthread_cond_broadcast(&o->moved);
}

static void
destroy(struct outbox *o)
{
	buf_release(&o->now);
	buf_release(&o->next);
	(void)pthread_mutex_destroy(&o->lock);
	(void)pthread_cond_destroy(&o->more);
	(void)pthread_cond_destroy(&o->moved);
	free(o);
}

static void *
work(void *arg)
{
	struct outbox *o = arg;
	struct buf swap;
	bool orphan;

	(void)pthread_mutex_lock(&o->lock);
	for (;;) {
		while (o->next.n == 0 && !o->quit)
			(void)pthread_cond_wait(&o->more, &o->lock);
		if (o->next.n == 0)
			break;
		swap = o->now;
		o->now = o->next;
		o->next = swap;
		o->written = 0;
		o->busy = true;
		while (o->error == 0 && o->written < o->now.n)
			write_some(o);
		buf_clear(&o->now);
		if (o->error != 0)
			buf_clear(&o->next);
		o->written = 0;
		o->busy = false;
		(void)pthread_cond_broadcast(&o->moved);
	}
	orphan = o->orphan;
	(void)pthread_mutex_unlock(&o->lock);
	if (orphan)
		destroy(o);
	return NULL;
}

static int
open_locks(struct outbox *o)
{
	int rc;

	if ((rc = pthread_mutex_init(&o->lock, NULL)) == 0 &&
	    (rc = pthread_cond_init(&o->more, NULL)) == 0)
		rc = thread_cond_init(&o->moved);
	return rc;
}

struct outbox *
outbox_new(int fd, size_t max, struct err *err)
{
	struct outbox *o = calloc(1, sizeof(*o));
	int rc;

	if (o == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	o->fd = fd;
	o->max = max;
	buf_init(&o->now, max);
	buf_init(&o->next, max);
	if ((rc = open_locks(o)) == 0 && (rc = thread_start(&o->thread, work, o)) == 0)
		return o;
	(void)err_sys(err, rc, "cannot start the thread that writes the output");
	free(o);
	return NULL;
}

int
outbox_put(struct outbox *o, const char *p, size_t n)
{
	int error;

	(void)pthread_mutex_lock(&o->lock);
	error = o->error;
	if (error == 0 && pending(o) + n > o->max)
		error = ENOBUFS;
	if (error == 0) {
		size_t before = o->next.n;

		buf_add(&o->next, p, n);
		if (buf_failed(&o->next)) {
			buf_truncate(&o->next, before);
			error = ENOMEM;
		}
		(void)pthread_cond_signal(&o->more);
	}
	(void)pthread_mutex_unlock(&o->lock);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

size_t
outbox_pending(struct outbox *o)
{
	size_t n;

	(void)pthread_mutex_lock(&o->lock);
	n = pending(o);
	(void)pthread_mutex_unlock(&o->lock);
	return n;
}

/* Wait for the thread to have written something more; 0 or ETIMEDOUT. */
static int
wait_moved(struct outbox *o, int quiet_ms)
{
	if (quiet_ms < 0)
		return pthread_cond_wait(&o->moved, &o->lock);
	return thread_cond_wait(&o->moved, &o->lock,
				clock_now().mono_us + (int64_t)quiet_ms * 1000);
}

int
outbox_drain(struct outbox *o, int quiet_ms)
{
	int error = 0;

	(void)pthread_mutex_lock(&o->lock);
	while (pending(o) > 0 && o->error == 0 && error == 0)
		error = wait_moved(o, quiet_ms);
	o->abandoned = error != 0;
	if (o->error != 0)
		error = o->error;
	(void)pthread_mutex_unlock(&o->lock);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

void
outbox_free(struct outbox *o)
{
	pthread_t thread;
	bool orphan;

	if (o == NULL)
		return;
	(void)pthread_mutex_lock(&o->lock);
	thread = o->thread;
	o->quit = true;
	/* It may hang in a write for ever, with what it writes. */
	orphan = o->orphan = o->abandoned && pending(o) > 0;
	(void)pthread_cond_signal(&o->more);
	(void)pthread_mutex_unlock(&o->lock);
	if (orphan) {
		(void)pthread_detach(thread);
		return;
	}
	(void)pthread_join(thread, NULL);
	destroy(o);
}
