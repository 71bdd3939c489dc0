#include "store/objects/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "store/meter.h"

#define TEXT_PROBE 512 /* bytes that say whether a chunk is text */

int
digest_init(struct digest *d, struct err *err)
{
	d->hash = hash_new(HASH_MD5);
	d->buf = malloc(DIGEST_CHUNK);
	if (d->hash != NULL && d->buf != NULL)
		return 0;
	digest_release(d);
	return err_nomem(err);
}

void
digest_release(struct digest *d)
{
	hash_free(d->hash);
	free(d->buf);
	*d = (struct digest){0};
}

/* Printable are \n\r\t\f\b, too. */
bool
digest_is_text(const uint8_t *p, size_t n)
{
	size_t odd = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (c == 0)
			return false;
		if ((c < 0x20 || c > 0x7e) && c != '\n' && c != '\r' && c != '\t' &&
		    c != '\f' && c != '\b')
			odd++;
	}
	return odd * 10 <= n * 3;
}

/* Feed all but each CR that stands before LF. */
static int
feed_unix(struct digest *d, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n, *at = p, *cr;

	while ((cr = memchr(at, '\r', (size_t)(end - at))) != NULL) {
		at = cr + 1;
		if (at == end || *at != '\n')
			continue;
		if (hash_update(d->hash, p, (size_t)(cr - p)) != 0)
			return -1;
		p = at;
	}
	return hash_update(d->hash, p, (size_t)(end - p));
}

int
digest_chunk(struct digest *d, const uint8_t *p, size_t n, bool legacy)
{
	if (legacy && digest_is_text(p, n < TEXT_PROBE ? n : TEXT_PROBE))
		return feed_unix(d, p, n);
	return hash_update(d->hash, p, n);
}

int
digest_end(struct digest *d, struct object_id *id)
{
	uint8_t raw[HASH_MAX];

	if (hash_raw(d->hash, raw) != 0)
		return -1;
	memcpy(id->md5, raw, OBJECT_ID_BYTES);
	return 0;
}

int
digest_fill(int fd, uint8_t *p, size_t max, uint64_t size, size_t *n)
{
	ssize_t got;

	*n = 0;
	do {
		got = fsio_read_some(fd, p + *n, max - *n);
		if (got < 0)
			return -1;
		*n += (size_t)got;
	} while (got != 0 && *n < max && *n < size);
	return 0;
}

uint64_t
digest_left(uint64_t left, size_t n)
{
	if (left == UINT64_MAX)
		return UINT64_MAX;
	return n < left ? left - n : 0;
}

int
digest_feed(struct digest *d, int fd, bool legacy, uint64_t *size, struct meter *m,
	    struct err *err)
{
	uint64_t left = *size, all = 0;
	size_t n;

	do {
		if (meter_cancelled(m))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		if (digest_fill(fd, d->buf, DIGEST_CHUNK, left, &n) != 0)
			return err_sys(err, errno, "cannot read");
		if (digest_chunk(d, d->buf, n, legacy) != 0)
			return err_nomem(err);
		all += n;
		left = digest_left(left, n);
		meter_add(m, 0, n);
	} while (n == DIGEST_CHUNK);
	*size = all;
	return 0;
}

int
digest_fd(struct digest *d, int fd, bool legacy, uint64_t *size, struct meter *m,
	  struct object_id *id, struct err *err)
{
	struct object_id unused;

	if (digest_feed(d, fd, legacy, size, m, err) != 0) {
		(void)digest_end(d, &unused); /* the next file begins anew */
		return -1;
	}
	return digest_end(d, id) == 0 ? 0 : err_nomem(err);
}
