/* Files of web servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/path.h"
#include "store/http.h"
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/objects.h"
#include "store/track/save.h"
#include "store/track/source_internal.h"
#include "store/track/workspace.h"

#define PAUSE_MS 100 /* before the second try; twice that before the third */

struct download {
	struct batch *batch;
	struct batch_stream *stream;
	struct objects *store;
	uint64_t bytes;
};

/* ---- what stands for a hash ---- */

/* As Python's repr() has it. */
static void
put_repr(struct buf *b, const char *s)
{
	char quote = strchr(s, '\'') != NULL && strchr(s, '"') == NULL ? '"' : '\'';

	buf_addc(b, quote);
	for (; *s != '\0'; s++) {
		if (*s == quote || *s == '\\')
			buf_addc(b, '\\');
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			buf_addf(b, "\\x%02x", (unsigned char)*s);
		else
			buf_addc(b, *s);
	}
	buf_addc(b, quote);
}

static void
put_item(struct buf *b, const char *key, const char *value)
{
	if (*value == '\0')
		return;
	put_repr(b, key);
	buf_adds(b, ": ");
	put_repr(b, value);
	buf_adds(b, ", ");
}

/* 16 bytes as one decimal number. */
static void
put_decimal(struct buf *b, const uint8_t md5[16])
{
	uint8_t v[16];
	char digits[40];
	size_t n = sizeof(digits);

	memcpy(v, md5, sizeof(v));
	do {
		unsigned rest = 0;
		bool more = false;

		for (size_t i = 0; i < sizeof(v); i++) {
			unsigned x = rest * 256 + v[i];

			v[i] = (uint8_t)(x / 10);
			rest = x % 10;
			more = more || v[i] != 0;
		}
		digits[--n] = (char)('0' + rest);
		if (!more)
			break;
	} while (n > 0);
	buf_add(b, digits + n, sizeof(digits) - n);
}

/*
 * DVC asks a server that names no version of a file for all else it says of it, and takes a
 * hash of that, so that a pointer reads the same whoever wrote it.
 */
static const char *
stand_in(struct arena *arena, const char *url, const struct http_answer *a)
{
	struct object_id id;
	struct buf b, out;
	char hex[HASH_HEX_MAX];
	const char *text = NULL;

	buf_init(&b, 0);
	buf_init(&out, 0);
	buf_adds(&b, "({");
	put_item(&b, "name", url);
	if (a->size >= 0)
		buf_addf(&b, "'size': %lld, ", (long long)a->size);
	else
		buf_adds(&b, "'size': None, ");
	put_item(&b, "mimetype", a->type);
	if (a->no_ranges)
		buf_adds(&b, "'partial': False, ");
	put_item(&b, "url", a->url);
	put_item(&b, "Digest", a->digest);
	put_item(&b, "Last-Modified", a->modified);
	buf_adds(&b, "'type': 'file'},)");
	if (!buf_failed(&b) && hash_bytes(HASH_MD5, b.p, b.n, hex) == 0 &&
	    object_id_parse(hex, false, &id) == 0) {
		put_decimal(&out, id.md5);
		if (!buf_failed(&out))
			text = arena_strndup(arena, out.p, out.n);
	}
	buf_release(&b);
	buf_release(&out);
	return text;
}

static int
take(const struct source *s, struct arena *arena, const struct http_answer *a,
     struct source_state *out, struct err *err)
{
	*out = (struct source_state){.size = a->size, .nfiles = -1};
	if (a->etag[0] != '\0')
		out->checksum = arena_strdup(arena, a->etag);
	else if (a->md5[0] != '\0')
		out->checksum = arena_strdup(arena, a->md5);
	else
		out->checksum = stand_in(arena, s->url, a);
	return out->checksum != NULL ? 0 : err_nomem(err);
}

/* ---- asking ---- */

static int
pause_ms(struct meter *m, unsigned ms, struct err *err)
{
	for (; ms > 0 && !meter_cancelled(m); ms -= ms < 50 ? ms : 50)
		(void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	return meter_cancelled(m) ? err_set(err, ERR_CANCELLED, "stopped") : 0;
}

static int
ask(const struct source *s, const struct workspace *ws, struct http_answer *a,
    struct err *err)
{
	struct http_request rq = {.url = s->url, .name = s->name, .meter = ws->meter};

	meter_begin(ws->meter, "asking the server");
	for (unsigned i = 1;; i++) {
		if (http_ask(&rq, a, err) == 0)
			return 0;
		if (!a->again || i == SOURCE_TRIES ||
		    pause_ms(ws->meter, i * PAUSE_MS, err) != 0)
			return -1;
	}
}

int
source_http_look(const struct source *s, const struct workspace *ws, struct arena *arena,
		 struct source_state *out, struct err *err)
{
	struct http_answer a;

	return ask(s, ws, &a, err) == 0 ? take(s, arena, &a, out, err) : -1;
}

/* ---- fetching ---- */

/* Whether there is room for ${size} bytes: better said now than when the disk is full. */
static int
check_room(const struct objects *store, int64_t size, struct err *err)
{
	char *dir = strdup(objects_dir(store)), *slash;
	struct statvfs fs;
	uint64_t room;
	struct buf a, b;
	int r;

	if (dir == NULL)
		return err_nomem(err);
	while ((r = statvfs(dir, &fs)) != 0 && (slash = strrchr(dir, '/')) != NULL &&
	       dir[1] != '\0')
		slash[slash == dir] = '\0';
	free(dir);
	if (r != 0 ||
	    __builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &room) ||
	    (uint64_t)size <= room)
		return 0;
	buf_init(&a, 0);
	buf_init(&b, 0);
	num_put_size(&a, (uint64_t)size);
	num_put_size(&b, room);
	(void)err_set(err, ERR_FULL, "the file has %s, and %s are free where '%s' lies",
		      a.p, b.p, objects_dir(store));
	buf_release(&a);
	buf_release(&b);
	return -1;
}

static int
on_begin(void *arg, int64_t size, struct err *err)
{
	const struct download *d = arg;

	return size > 0 ? check_room(d->store, size, err) : 0;
}

static int
on_bytes(void *arg, const void *p, size_t n, struct err *err)
{
	struct download *d = arg;

	d->bytes += n;
	return batch_stream_write(d->stream, p, n, err);
}

/* One try: 0, -1, or 1 where another may do better. */
static int
download(const struct source *s, const struct workspace *ws, struct download *d,
	 const struct http_answer *asked, struct http_answer *got, struct saved *saved,
	 struct err *err)
{
	struct http_request rq = {.url = s->url,
				  .name = s->name,
				  .meter = ws->meter,
				  .sink = on_bytes,
				  .begin = on_begin,
				  .arg = d};
	int r;

	meter_begin(ws->meter, "downloading");
	meter_expect(ws->meter, 1, 0);
	d->bytes = 0;
	if (batch_stream_begin(d->batch, NULL, &d->stream, err) != 0)
		return -1;
	r = http_get(&rq, got, err);
	/* Where the answer itself does not say how long it is, that may be known still. */
	if (r == 0 && got->size < 0 && asked->size >= 0 &&
	    strcmp(got->etag, asked->etag) == 0 && d->bytes != (uint64_t)asked->size) {
		got->again = true;
		r = err_set(err, ERR_FAILED,
			    "'%s' was cut short: %llu of its %lld bytes came", s->name,
			    (unsigned long long)d->bytes, (long long)asked->size);
	}
	if (r != 0) {
		batch_stream_drop(d->stream);
		return got->again ? 1 : -1;
	}
	return batch_stream_end(d->stream, &saved->id, &saved->size, err);
}

/* The file that was asked about is the one that came. */
static bool
is_same(const struct http_answer *a, const struct http_answer *b)
{
	return strcmp(a->etag, b->etag) == 0 && strcmp(a->md5, b->md5) == 0 &&
	       strcmp(a->modified, b->modified) == 0;
}

static int
fetch(const struct source *s, const struct workspace *ws, struct arena *arena,
      struct download *d, struct source_state *state, struct saved *saved,
      struct err *err)
{
	struct http_answer asked, got;
	int r;

	for (unsigned i = 1;; i++) {
		if (ask(s, ws, &asked, err) != 0 ||
		    (asked.size > 0 && check_room(d->store, asked.size, err) != 0))
			return -1;
		r = download(s, ws, d, &asked, &got, saved, err);
		if (r == 0 && is_same(&asked, &got))
			break;
		if (r == 0)
			(void)err_set(err, ERR_FAILED,
				      "'%s' changes while it is fetched: try again later",
				      s->name);
		if (r < 0 || i == SOURCE_TRIES)
			return -1;
		if (pause_ms(ws->meter, i * PAUSE_MS, err) != 0)
			return -1;
	}
	meter_add(ws->meter, 1, 0);
	return take(s, arena, &asked, state, err);
}

int
source_http_fetch(const struct source *s, const struct workspace *ws,
		  struct objects *store, struct arena *arena, struct source_state *state,
		  struct saved *saved, struct err *err)
{
	struct download d = {.store = store};
	int r = batch_begin(store, ws->meter, &d.batch, err);

	saved->nfiles = 1;
	if (r == 0)
		r = fetch(s, ws, arena, &d, state, saved, err);
	if (d.batch != NULL && batch_end(d.batch, r == 0, r == 0 ? err : NULL) != 0)
		r = -1;
	return r;
}
