/*
 * The workers, and the look at what a remote has.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"
#include "store/thread.h"

/* ---- workers ---- */

struct crew {
	struct transfer *t;
	transfer_fn *fn;
	_Atomic size_t next; /* of t->todo */
	_Atomic bool ended;
	pthread_mutex_t lock; /* of err */
	struct err err;	      /* of the first that ended it */
};

static void
crew_end(struct crew *c, const struct err *why)
{
	(void)pthread_mutex_lock(&c->lock);
	if (!c->ended)
		c->err = *why;
	c->ended = true;
	(void)pthread_mutex_unlock(&c->lock);
}

static void *
work(void *arg)
{
	struct crew *c = arg;
	struct worker w = {.t = c->t};
	struct err err = {0};
	size_t i;

	while (!c->ended && (i = atomic_fetch_add(&c->next, 1)) < c->t->todo.n) {
		if (meter_cancelled(c->t->opt->meter)) {
			(void)err_set(&err, ERR_CANCELLED, "stopped on request");
			crew_end(c, &err);
		} else if (c->fn(&w, c->t->todo.v[i], &err) != 0) {
			crew_end(c, &err);
		}
	}
	digest_release(&w.d);
	return NULL;
}

static unsigned
crew_size(const struct transfer *t)
{
	unsigned n = t->opt->jobs != 0 ? t->opt->jobs : t->opt->remote->jobs;

	if (n > REMOTE_JOBS_MAX)
		n = REMOTE_JOBS_MAX;
	return n <= t->todo.n ? n : (unsigned)t->todo.n;
}

static int
by_id(const void *a, const void *b, void *arg)
{
	const struct transfer *t = arg;
	const size_t *x = a, *y = b;

	return object_id_cmp(&t->ids.v[*x], &t->ids.v[*y]);
}

int
transfer_each(struct transfer *t, transfer_fn *fn, struct err *err)
{
	struct crew c = {.t = t, .fn = fn};
	pthread_t others[REMOTE_JOBS_MAX];
	unsigned n = crew_size(t), started = 0;

	(void)pthread_mutex_init(&c.lock, NULL);
	/* One directory of a store after the other is less work for a file system. */
	if (t->todo.n != 0)
		qsort_r(t->todo.v, t->todo.n, sizeof(*t->todo.v), by_id, t);
	/* Fewer threads than wished for do it too. */
	while (started + 1 < n && thread_start(&others[started], work, &c) == 0)
		started++;
	(void)work(&c);
	while (started > 0)
		(void)pthread_join(others[--started], NULL);
	(void)pthread_mutex_destroy(&c.lock);
	if (!c.ended)
		return 0;
	*err = c.err;
	return -1;
}

/* ---- what the remote has ---- */

void
transfer_where(struct transfer *t, const struct object_id *id, struct buf *out)
{
	struct remote *r = t->opt->remote;

	buf_addc(out, '\'');
	r->ops->where(r, id, out);
	buf_addc(out, '\'');
}

struct hashing {
	struct worker *w;
	const struct object_id *id;
	size_t n; /* bytes in the buffer */
	bool failed;
};

static void
hash_some(struct hashing *h)
{
	if (digest_chunk(&h->w->d, h->w->d.buf, h->n, h->id->legacy) != 0)
		h->failed = true;
	meter_add(h->w->t->opt->meter, 0, h->n);
	h->n = 0;
}

/* Whole chunks, as the legacy hash asks for. */
static int
hash_sink(void *arg, const void *p, size_t n)
{
	struct hashing *h = arg;
	const uint8_t *from = p;

	for (size_t some; n > 0; from += some, n -= some) {
		if (h->n == DIGEST_CHUNK)
			hash_some(h);
		if (h->failed || meter_cancelled(h->w->t->opt->meter))
			return -1;
		some = DIGEST_CHUNK - h->n < n ? DIGEST_CHUNK - h->n : n;
		memcpy(h->w->d.buf + h->n, from, some);
		h->n += some;
	}
	return 0;
}

static int
wrong(struct transfer *t, const struct object_id *id, const struct object_id *found,
      struct err *err)
{
	char hex[OBJECT_HEX_MAX];
	struct buf where;

	buf_init(&where, 0);
	transfer_where(t, id, &where);
	(void)err_set(err, ERR_CORRUPT, "%s is damaged: its bytes have the hash %.32s",
		      where.p, object_id_hex(found, hex));
	buf_release(&where);
	return OBJECT_WRONG;
}

int
transfer_check(struct worker *w, const struct object_id *id, struct err *err)
{
	struct remote *r = w->t->opt->remote;
	struct hashing h = {.w = w, .id = id};
	struct object_id found = {0};
	struct err why = {0};
	int got;

	if (w->d.hash == NULL && digest_init(&w->d, err) != 0)
		return -1;
	got = r->ops->get(r, id, hash_sink, &h, &why);
	if (got == 0)
		hash_some(&h);
	if (digest_end(&w->d, &found) != 0 || h.failed)
		return err_nomem(err);
	if (got == 0)
		return memcmp(found.md5, id->md5, sizeof(found.md5)) == 0
			   ? OBJECT_RIGHT
			   : wrong(w->t, id, &found, err);
	if (why.code == ERR_NOTFOUND)
		return OBJECT_ABSENT;
	if (meter_cancelled(w->t->opt->meter))
		return err_set(err, ERR_CANCELLED, "stopped on request");
	*err = why;
	return -1;
}
