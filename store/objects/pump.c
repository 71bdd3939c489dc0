#include "store/objects/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/meter.h"
#include "store/objects/objects_internal.h"
#include "store/thread.h"

#define SLOTS	   16
#define SYNC_BYTES ((uint64_t)8 << 20) /* the disk is set to work after so many */

struct ring {
	uint8_t *mem; /* SLOTS chunks */
	size_t len[SLOTS];
	int to;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	uint64_t filled, emptied; /* chunks so far */
	bool ended;
	int errnum; /* the writer's */
};

static bool
is_zero(const uint8_t *p, size_t n)
{
	return n == DIGEST_CHUNK && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* One chunk, at the offset where the file ends so far. */
static int
write_chunk(int to, const uint8_t *p, size_t n)
{
	if (is_zero(p, n))
		return lseek(to, (off_t)n, SEEK_CUR) < 0 ? -1 : 0;
	return objects_write(to, p, n);
}

static void *
write_chunks(void *arg)
{
	struct ring *r = arg;
	uint64_t all = 0, synced = 0;
	size_t at, n;
	int errnum;

	(void)pthread_mutex_lock(&r->lock);
	for (;;) {
		if (r->filled == r->emptied && r->ended)
			break;
		if (r->filled == r->emptied) {
			(void)pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		at = r->emptied % SLOTS;
		n = r->len[at];
		(void)pthread_mutex_unlock(&r->lock);
		errnum = 0;
		if (r->errnum == 0 &&
		    write_chunk(r->to, r->mem + at * DIGEST_CHUNK, n) != 0)
			errnum = errno;
		all += n;
		if (all - synced >= SYNC_BYTES) {
			/* Only begun, so that the sync at the end finds little left. */
			(void)sync_file_range(r->to, (off_t)synced, (off_t)(all - synced),
					      SYNC_FILE_RANGE_WRITE);
			synced = all;
		}
		(void)pthread_mutex_lock(&r->lock);
		if (errnum != 0)
			r->errnum = errnum;
		r->emptied++;
		(void)pthread_cond_broadcast(&r->changed);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* Wait for a chunk that is free; the writer's errno. */
static int
next_chunk(struct ring *r, uint8_t **p)
{
	int errnum;

	(void)pthread_mutex_lock(&r->lock);
	while (r->filled - r->emptied == SLOTS)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	*p = r->mem + r->filled % SLOTS * DIGEST_CHUNK;
	errnum = r->errnum;
	(void)pthread_mutex_unlock(&r->lock);
	return errnum;
}

static void
put_chunk(struct ring *r, size_t n)
{
	(void)pthread_mutex_lock(&r->lock);
	r->len[r->filled++ % SLOTS] = n;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
}

static int
read_chunks(struct ring *r, struct digest *d, int from, bool legacy, struct meter *m,
	    uint64_t *size, struct err *err)
{
	uint64_t left = *size;
	uint8_t *p;
	size_t n;

	*size = 0;
	do {
		if (meter_cancelled(m))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		if (next_chunk(r, &p) != 0)
			return PUMP_WRITE;
		if (digest_fill(from, p, DIGEST_CHUNK, left, &n) != 0)
			return PUMP_READ;
		/* The writer has it while it is hashed: both only read. */
		put_chunk(r, n);
		if (digest_chunk(d, p, n, legacy) != 0)
			return err_nomem(err);
		*size += n;
		left = digest_left(left, n);
		meter_add(m, 0, n);
	} while (n == DIGEST_CHUNK);
	return 0;
}

/* Let the writer end, and see how it went. */
static int
ring_end(struct ring *r, pthread_t writer, int rc)
{
	int saved = errno;

	(void)pthread_mutex_lock(&r->lock);
	r->ended = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	(void)pthread_join(writer, NULL);
	errno = saved;
	/* It may end with a hole. */
	if (rc == 0 && r->errnum == 0 && ftruncate(r->to, lseek(r->to, 0, SEEK_CUR)) != 0)
		r->errnum = errno;
	if ((rc == 0 || rc == PUMP_WRITE) && r->errnum != 0) {
		errno = r->errnum;
		rc = PUMP_WRITE;
	}
	return rc;
}

int
pump(struct digest *d, int from, int to, bool legacy, struct meter *m, uint64_t *size,
     struct err *err)
{
	struct ring r = {.to = to};
	pthread_t writer;
	int rc;

	r.mem = malloc(SLOTS * DIGEST_CHUNK);
	if (r.mem == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&r.lock, NULL);
	(void)pthread_cond_init(&r.changed, NULL);
	rc = thread_start(&writer, write_chunks, &r);
	if (rc != 0) {
		rc = err_sys(err, rc, "cannot start a thread");
	} else {
		rc = read_chunks(&r, d, from, legacy, m, size, err);
		rc = ring_end(&r, writer, rc);
	}
	(void)pthread_cond_destroy(&r.changed);
	(void)pthread_mutex_destroy(&r.lock);
	free(r.mem);
	return rc;
}
