/*
 * Bytes on their way into a temporary, hashed as they pass.  What fits into one buffer is
 * hashed first and written only if it is new; what is larger is written as it comes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "store/meter.h"
#include "store/objects/batch_internal.h"
#include "store/objects/pump.h"
#include "store/objects/tree.h"

struct batch_stream {
	struct batch *b;
	struct object_id expect; /* zeroed: any */
	struct pending p;	 /* its id is what is known of it */
	struct digest d;
	size_t n;	/* bytes in d.buf that are neither hashed nor written */
	uint64_t total; /* bytes that are */
	int fd, base;	/* the temporary; -1: none yet */
	bool hashing;	/* the digest has begun */
};

/* ---- the temporary ---- */

static int
write_failed(struct batch_stream *s, struct err *err)
{
	return err_sys(err, errno, "cannot write to the store '%s'", s->b->o->dir);
}

static void
temp_drop(struct batch_stream *s)
{
	char rel[TEMP_REL_MAX];

	if (s->fd < 0)
		return;
	(void)close(s->fd);
	s->fd = -1;
	batch_temp_rel(&s->p, rel);
	(void)unlinkat(s->base, rel, 0);
}

/* Close it: what NFS could not write it says here. */
static int
temp_close(struct batch_stream *s, struct err *err)
{
	int r = close(s->fd);

	if (r == 0) {
		s->fd = -1;
		return 0;
	}
	(void)write_failed(s, err);
	temp_drop(s);
	return -1;
}

static int
temp_write(struct batch_stream *s, const void *p, size_t n, struct err *err)
{
	if (s->fd < 0)
		s->fd = batch_temp_open(s->b, &s->p, &s->base, err);
	if (s->fd < 0)
		return -1;
	return objects_write(s->fd, p, n) == 0 ? 0 : write_failed(s, err);
}

/* ---- the stream ---- */

static int
stream_init(struct batch_stream *s, struct batch *b, const struct object_id *expect,
	    struct err *err)
{
	*s = (struct batch_stream){.b = b, .fd = -1, .base = -1};
	if (batch_stopped(b, err) != 0)
		return -1;
	if (expect != NULL)
		s->expect = s->p.id = *expect;
	return objects_digest(b->o, &s->d, err);
}

static void
stream_release(struct batch_stream *s)
{
	struct object_id unused;

	temp_drop(s);
	if (s->hashing)
		(void)digest_end(&s->d, &unused);
	objects_digest_back(s->b->o, &s->d);
}

/* A full buffer that is not the last: into the temporary. */
static int
spill(struct batch_stream *s, struct err *err)
{
	if (batch_stopped(s->b, err) != 0)
		return -1;
	if (s->fd < 0)
		s->p.loose = !object_id_is_set(&s->expect);
	if (temp_write(s, s->d.buf, s->n, err) != 0)
		return -1;
	s->hashing = true;
	if (digest_chunk(&s->d, s->d.buf, s->n, s->expect.legacy) != 0)
		return err_nomem(err);
	s->total += s->n;
	meter_add(s->b->m, 0, s->n);
	s->n = 0;
	return 0;
}

/* The bytes are all there: are they what they should be? */
static int
settle_name(struct batch_stream *s, struct err *err)
{
	char want[OBJECT_HEX_MAX], have[OBJECT_HEX_MAX];
	struct object_id id = s->p.id;

	s->hashing = true;
	if (digest_chunk(&s->d, s->d.buf, s->n, s->expect.legacy) != 0 ||
	    digest_end(&s->d, &id) != 0)
		return err_nomem(err);
	s->hashing = false;
	if (object_id_is_set(&s->expect) && !object_id_equal(&id, &s->expect))
		return err_set(err, ERR_CORRUPT,
			       "the bytes of the object %s have the hash %.32s",
			       object_id_hex(&s->expect, want), object_id_hex(&id, have));
	s->p.id = id;
	return 0;
}

/* The end: name, and take over or drop. */
static int
stream_finish(struct batch_stream *s, struct err *err)
{
	int known;

	if (settle_name(s, err) != 0)
		return -1;
	known = batch_known(s->b, &s->p.id, s->total + s->n, err);
	if (known < 0)
		return -1;
	if (known == 0) {
		/* A small one is written only now, into its own directory. */
		if ((s->n != 0 || s->fd < 0) && temp_write(s, s->d.buf, s->n, err) != 0)
			return -1;
		if (temp_close(s, err) != 0 ||
		    batch_put(s->b, &s->p, s->total + s->n, err) != 0)
			return -1;
	}
	s->total += s->n;
	meter_add(s->b->m, 1, s->n);
	return 0;
}

/* ---- whole files ---- */

/* Piece by piece through one buffer; ${left} is what stat told. */
static int
copy_pieces(struct batch_stream *s, int fd, uint64_t left, struct err *err)
{
	for (;;) {
		if (digest_fill(fd, s->d.buf, DIGEST_CHUNK, left, &s->n) != 0)
			return err_sys(err, errno, "cannot read");
		left = digest_left(left, s->n);
		if (s->n < DIGEST_CHUNK)
			return 0;
		if (spill(s, err) != 0)
			return -1;
	}
}

/* Make the temporary share the blocks of the file.  Return 0, -1, or 1: not possible. */
static int
copy_blocks(struct batch_stream *s, int fd, struct err *err)
{
	if (s->b->no_reflink || lseek(fd, 0, SEEK_CUR) != 0)
		return 1;
	if (fsio_reflink(fd, s->fd) != 0) {
		s->b->no_reflink = true;
		return 1;
	}
	/* What is hashed is what we have now: the file itself may change. */
	s->hashing = true;
	s->total = UINT64_MAX;
	if (digest_feed(&s->d, s->fd, s->expect.legacy, &s->total, s->b->m, err) == 0)
		return 0;
	return err_wrap(err, "the store '%s'", s->b->o->dir);
}

/* By two threads, or by its blocks. */
static int
copy_large(struct batch_stream *s, int fd, uint64_t size, struct err *err)
{
	int r;

	s->p.loose = !object_id_is_set(&s->expect);
	s->fd = batch_temp_open(s->b, &s->p, &s->base, err);
	if (s->fd < 0)
		return -1;
	r = copy_blocks(s, fd, err);
	if (r != 1)
		return r;
	s->hashing = true;
	s->total = size;
	r = pump(&s->d, fd, s->fd, s->expect.legacy, s->b->m, &s->total, err);
	if (r == PUMP_WRITE)
		return write_failed(s, err);
	return r == PUMP_READ ? err_sys(err, errno, "cannot read") : r;
}

int
batch_copy(struct batch *b, int fd, const struct object_id *expect, struct object_id *id,
	   uint64_t *size, struct err *err)
{
	struct batch_stream s;
	int r;

	if (stream_init(&s, b, expect, err) != 0)
		return -1;
	if (*size >= PUMP_MIN && *size != BATCH_SIZE_UNKNOWN)
		r = copy_large(&s, fd, *size, err);
	else
		r = copy_pieces(&s, fd, *size, err);
	if (r == 0)
		r = stream_finish(&s, err);
	if (r == 0) {
		*size = s.total;
		*id = s.p.id;
	}
	stream_release(&s);
	return r;
}

/* ---- bytes that come in pieces ---- */

int
batch_stream_begin(struct batch *b, const struct object_id *expect,
		   struct batch_stream **out, struct err *err)
{
	struct batch_stream *s = malloc(sizeof(*s));

	if (s == NULL)
		return err_nomem(err);
	if (stream_init(s, b, expect, err) != 0) {
		free(s);
		return -1;
	}
	*out = s;
	return 0;
}

int
batch_stream_write(struct batch_stream *s, const void *p, size_t n, struct err *err)
{
	const uint8_t *from = p;
	size_t some;

	while (n > 0) {
		if (s->n == DIGEST_CHUNK && spill(s, err) != 0)
			return -1;
		some = DIGEST_CHUNK - s->n < n ? DIGEST_CHUNK - s->n : n;
		memcpy(s->d.buf + s->n, from, some);
		s->n += some;
		from += some;
		n -= some;
	}
	return 0;
}

int
batch_stream_end(struct batch_stream *s, struct object_id *id, uint64_t *size,
		 struct err *err)
{
	int r = batch_stopped(s->b, err);

	if (r == 0)
		r = stream_finish(s, err);
	if (r == 0 && id != NULL)
		*id = s->p.id;
	if (r == 0 && size != NULL)
		*size = s->total;
	batch_stream_drop(s);
	return r;
}

void
batch_stream_drop(struct batch_stream *s)
{
	stream_release(s);
	free(s);
}

/* ---- bytes that are in memory, and lists ---- */

struct sink {
	struct batch_stream s;
	struct err *err;
};

static int
sink_write(void *arg, const void *p, size_t n)
{
	struct sink *k = arg;

	return batch_stream_write(&k->s, p, n, k->err);
}

static int
sink_end(struct sink *k, int r, struct object_id *id, uint64_t *size)
{
	if (r == 0)
		r = stream_finish(&k->s, k->err);
	if (r == 0)
		*id = k->s.p.id;
	if (r == 0 && size != NULL)
		*size = k->s.total;
	stream_release(&k->s);
	return r;
}

int
batch_bytes(struct batch *b, const void *p, size_t n, bool dir, struct object_id *id,
	    struct err *err)
{
	struct sink k = {.err = err};

	if (stream_init(&k.s, b, NULL, err) != 0)
		return -1;
	k.s.p.id.dir = dir;
	return sink_end(&k, sink_write(&k, p, n), id, NULL);
}

int
batch_tree(struct batch *b, const struct tree *t, struct object_id *id, uint64_t *bytes,
	   struct err *err)
{
	struct sink k = {.err = err};

	if (stream_init(&k.s, b, NULL, err) != 0)
		return -1;
	k.s.p.id.dir = true;
	return sink_end(&k, tree_write(t, sink_write, &k), id, bytes);
}
