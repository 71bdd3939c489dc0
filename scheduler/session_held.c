/*
 * What a run may use of the cache is written down when it begins, so that `dag gc` leaves it
 * alone until the run has ended.  A worker thread reads the pointers, so that the run's start
 * does not wait; of one that is over by then nothing is written.
 */
#include <stdlib.h>

#include "base/log.h"
#include "scheduler/session_int.h"
#include "scheduler/tracked.h"
#include "store/meter.h"
#include "store/track/held.h"

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

/**
 * session_hold(r):
 * Begin to write down what the run uses, unless that is known from when it began first.
 */
void
session_hold(struct srun *r)
{
	const struct project *p = r->s->p;
	struct hold *h;

	if (!tracked_any(p) || held_there(p->state_fd, r->id))
		return;
	h = calloc(1, sizeof(*h));
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
