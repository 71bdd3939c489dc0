/*
 * What a run may use of the cache is written down when it begins, so that `dag gc` leaves it
 * alone until the run has ended.  A worker thread reads the pointers, so that the run's start
 * does not wait.  A run that is over within HOLD_MS needs none of it: nobody changes a pointer
 * and lets a gc take what it named in so little time, and what is young stays anyway.
 */
#include <stdlib.h>

#include "base/log.h"
#include "scheduler/session_int.h"
#include "scheduler/tracked.h"
#include "store/meter.h"
#include "store/track/held.h"

#define HOLD_MS 50

struct hold {
	uv_work_t req;
	struct srun *r;
	struct meter meter;
	struct err err;
};

static void
work(uv_work_t *req)
{
	struct hold *h = req->data;

	(void)tracked_hold(h->r->s->p, h->r->id, &h->meter, &h->err);
}

static void
done(uv_work_t *req, int status)
{
	struct hold *h = req->data;
	struct srun *r = h->r;

	(void)status;
	/* Pointers with mistakes are for the verbs to tell that work on data. */
	if (h->err.code != ERR_NONE && h->err.code != ERR_CANCELLED)
		log_debug("what run %s uses is not known: %s", r->id, h->err.msg);
	r->s->workers--;
	r->hold = NULL;
	if (r->result != RUN_NONE)
		held_drop(r->s->p->state_fd, r->id);
	free(h);
}

static void
start(struct srun *r)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return;
	h->r = r;
	h->req.data = h;
	if (uv_queue_work(&r->s->loop, &h->req, work, done) != 0) {
		free(h);
		return;
	}
	r->hold = h;
	r->s->workers++;
}

static void
on_due(uv_timer_t *t)
{
	struct session *s = t->data;
	size_t i;

	for (i = 0; i < s->runs.n; i++) {
		struct srun *r = s->runs.v[i];

		if (r->wants_hold && !r->over)
			start(r);
		r->wants_hold = false;
	}
}

/**
 * session_hold(r):
 * Have it written down soon what the run uses, unless that is known from when it began first.
 */
void
session_hold(struct srun *r)
{
	struct session *s = r->s;

	if (!tracked_any(s->p) || held_there(s->p->state_fd, r->id))
		return;
	r->wants_hold = true;
	uv_update_time(
	    &s->loop); /* what is known ahead may have taken longer than that */
	if (!uv_is_active((uv_handle_t *)&s->held))
		(void)uv_timer_start(&s->held, on_due, HOLD_MS, 0);
}

/**
 * session_hold_end(r):
 * The run has ended, and uses nothing any more.
 */
void
session_hold_end(struct srun *r)
{
	if (r->hold != NULL)
		atomic_store(&r->hold->meter.cancel, true);
	else
		held_drop(r->s->p->state_fd, r->id);
}
