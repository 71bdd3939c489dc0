/*
 * The writer thread: a connection of its own and at most one batch.
 *
 *	IDLE -> BUSY   [meta_writer_submit]
 *	BUSY -> ENDED  [work]                done() is called
 *	ENDED -> IDLE  [meta_writer_result]
 *
 * When nothing waits it keeps the WAL in shape: checkpoints it once it is long and the thread
 * has been idle for a moment, or at once when it is very long; and lets the file exist ahead
 * of its use (db.h).
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/meta_internal.h"
#include "store/thread.h"

#define IDLE_US		250000	 /* without a batch, before a checkpoint is due */
#define IDLE_AGAIN_US	10000000 /* after one that a reader kept from its end */
#define JOIN_US		20000	 /* between two looks at a thread that should end */
#define FRAMES_LONG	1000	 /* 4 MiB: checkpoint when idle */
#define FRAMES_TOO_LONG 4000	 /* 16 MiB: checkpoint between two batches */
#define FRAMES_MAX	8000	 /* 32 MiB: and keep the others out meanwhile */

#define WAL_FIRST ((int64_t)1 << 20)   /* what exists of the WAL at the start, */
#define WAL_MAX	  ((int64_t)16 << 20)  /* and at most; it doubles between */
#define WAL_AHEAD ((int64_t)256 << 10) /* what must be left for the next batches */

enum writer_state { WRITER_IDLE, WRITER_BUSY, WRITER_ENDED };

struct meta_writer {
	struct meta *m;
	pthread_t thread;
	void (*done)(void *);
	void *ctx;
	int64_t wal_bytes; /* that exist; this and the next are the thread's own */
	int64_t rest_us;   /* to be idle before the next checkpoint */

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;
	enum writer_state state;
	bool stop;
	bool gone;    /* it touches nothing any more */
	bool resting; /* the thread waits and holds nothing */
	struct meta_op *ops;
	size_t n;
	int rc;
	const struct meta_op *stale;
	struct err err;
};

/* ---- the WAL ---- */

static void
extend_wal(struct meta_writer *w)
{
	struct meta *m = w->m;
	int64_t used = (int64_t)m->db.wal_frames * DB_FRAME, want = w->wal_bytes;

	if (want == 0)
		want = WAL_FIRST;
	while (want < WAL_MAX && want < used + WAL_AHEAD)
		want *= 2;
	/* It may wait: with the gate taken others write, and make the file longer. */
	if (want == w->wal_bytes || !gate_try(&m->gate))
		return;
	db_extend_wal(&m->db, want);
	gate_unlock(&m->gate);
	w->wal_bytes = want;
}

static void
checkpoint(struct meta_writer *w)
{
	struct meta *m = w->m;
	int left = 0;

	(void)db_checkpoint(&m->db, &left);
	if (left == 0 || m->db.wal_frames < FRAMES_MAX || m->db.dead)
		return;
	/* Others wrote meanwhile, so the WAL could not start over.  With the gate nobody
	 * does. */
	if (gate_lock(&m->gate, NULL) != 0)
		return;
	(void)db_checkpoint(&m->db, NULL);
	gate_unlock(&m->gate);
}

/* ---- the thread ---- */

/* Wait for a batch, or until it is time to tidy up; the mutex is held.  Return whether there
 * is a batch. */
static bool
wait_for_batch(struct meta_writer *w)
{
	int64_t due = clock_now().mono_us + w->rest_us;
	bool more = true;

	w->resting = true;
	while (more && w->state != WRITER_BUSY && !w->stop) {
		if (w->m->db.wal_frames < FRAMES_LONG)
			(void)pthread_cond_wait(&w->cond, &w->mutex);
		else
			more = thread_cond_wait(&w->cond, &w->mutex, due) == 0;
	}
	w->resting = false;
	return w->state == WRITER_BUSY;
}

/* Commit the batch; the mutex is held, but not meanwhile. */
static void
work(struct meta_writer *w)
{
	(void)pthread_mutex_unlock(&w->mutex);
	w->rest_us = IDLE_US;
	err_clear(&w->err);
	w->rc = meta_commit(w->m, w->ops, w->n, &w->stale, &w->err);
	(void)pthread_mutex_lock(&w->mutex);
	w->state = WRITER_ENDED;
	(void)pthread_mutex_unlock(&w->mutex);
	w->done(w->ctx);
	if (w->m->db.wal_frames >= FRAMES_TOO_LONG)
		checkpoint(w);
	extend_wal(w);
	(void)pthread_mutex_lock(&w->mutex);
}

static void *
run(void *arg)
{
	struct meta_writer *w = arg;

	(void)pthread_mutex_lock(&w->mutex);
	for (;;) {
		if (wait_for_batch(w)) {
			work(w);
			continue;
		}
		if (w->stop)
			break;
		(void)pthread_mutex_unlock(&w->mutex);
		checkpoint(w);
		/* A reader is in the way: look again, but not all the time. */
		if (w->m->db.wal_frames >= FRAMES_LONG)
			w->rest_us = IDLE_AGAIN_US;
		(void)pthread_mutex_lock(&w->mutex);
	}
	w->gone = true;
	(void)pthread_cond_signal(&w->cond);
	(void)pthread_mutex_unlock(&w->mutex);
	return NULL;
}

/* ---- its users ---- */

static void
release(struct meta_writer *w)
{
	meta_close(w->m);
	(void)pthread_cond_destroy(&w->cond);
	(void)pthread_mutex_destroy(&w->mutex);
	free(w);
}

int
meta_writer_start(const struct project *p, void (*done)(void *), void *ctx,
		  struct meta_writer **out, struct err *err)
{
	struct meta_writer *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (w == NULL)
		return err_nomem(err);
	(void)pthread_mutex_init(&w->mutex, NULL);
	(void)thread_cond_init(&w->cond);
	w->rest_us = IDLE_US;
	w->done = done;
	w->ctx = ctx;
	if (meta_open(p, META_WRITE, &w->m, err) != 0) {
		release(w);
		return -1;
	}
	w->m->gate.no_helper = true; /* its loop asks meta_writer_gate */
	rc = thread_start(&w->thread, run, w);
	if (rc != 0) {
		release(w);
		return err_sys(err, rc, "cannot start the thread that writes");
	}
	*out = w;
	return 0;
}

void
meta_writer_submit(struct meta_writer *w, struct meta_op *ops, size_t n)
{
	(void)pthread_mutex_lock(&w->mutex);
	assert(w->state == WRITER_IDLE);
	w->ops = ops;
	w->n = n;
	w->state = WRITER_BUSY;
	(void)pthread_cond_signal(&w->cond);
	(void)pthread_mutex_unlock(&w->mutex);
}

int
meta_writer_result(struct meta_writer *w, int *rc, const struct meta_op **stale,
		   struct err *err)
{
	bool ended;

	(void)pthread_mutex_lock(&w->mutex);
	ended = w->state == WRITER_ENDED;
	if (ended) {
		w->state = WRITER_IDLE;
		*rc = w->rc;
		if (stale != NULL)
			*stale = w->stale;
		if (w->rc != 0 && err != NULL)
			*err = w->err;
	}
	(void)pthread_mutex_unlock(&w->mutex);
	return ended;
}

bool
meta_writer_resting(struct meta_writer *w)
{
	bool resting;

	(void)pthread_mutex_lock(&w->mutex);
	resting = w->resting && w->state == WRITER_IDLE;
	(void)pthread_mutex_unlock(&w->mutex);
	return resting;
}

bool
meta_writer_gate(struct meta_writer *w, pid_t *pid, char *state)
{
	return gate_waiting(&w->m->gate, pid, state);
}

/* A commit under way ends.  One that waits long for the gate, which a stopped process may hold
 * for ever, has not begun: it is given up. */
static void
wait_for_end(struct meta_writer *w)
{
	(void)pthread_mutex_lock(&w->mutex);
	while (!w->gone) {
		(void)pthread_mutex_unlock(&w->mutex);
		gate_give_up(&w->m->gate);
		(void)pthread_mutex_lock(&w->mutex);
		if (!w->gone)
			(void)thread_cond_wait(&w->cond, &w->mutex,
					       clock_now().mono_us + JOIN_US);
	}
	(void)pthread_mutex_unlock(&w->mutex);
	(void)pthread_join(w->thread, NULL);
}

void
meta_writer_stop(struct meta_writer *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->mutex);
	w->stop = true;
	(void)pthread_cond_signal(&w->cond);
	(void)pthread_mutex_unlock(&w->mutex);
	wait_for_end(w);
	release(w);
}
