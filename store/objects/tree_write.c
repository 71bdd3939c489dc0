#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "store/objects/object_id.h"
#include "store/objects/tree.h"

#define PIECE ((size_t)16 << 10)

/* Text on its way to the sink; the first answer that is not 0 stays. */
struct writer {
	int (*sink)(void *, const void *, size_t);
	void *arg;
	int rc;
	size_t n;
	char buf[PIECE];
};

static void
flush(struct writer *w)
{
	if (w->rc == 0 && w->n != 0)
		w->rc = w->sink(w->arg, w->buf, w->n);
	w->n = 0;
}

static void
put(struct writer *w, const char *p, size_t n)
{
	if (n > PIECE - w->n)
		flush(w);
	memcpy(w->buf + w->n, p, n); /* no piece of ours is longer than PIECE */
	w->n += n;
}

#define PUT(w, literal) put((w), "" literal "", sizeof(literal) - 1)

static void
put_hex(struct writer *w, uint32_t v, int digits)
{
	static const char hex[] = "0123456789abcdef";
	char out[8];

	for (int i = digits - 1; i >= 0; i--, v >>= 4)
		out[i] = hex[v & 15];
	put(w, out, (size_t)digits);
}

static void
put_unit(struct writer *w, uint32_t unit)
{
	PUT(w, "\\u");
	put_hex(w, unit, 4);
}

/* One character that cannot stand for itself. */
static void
put_escaped(struct writer *w, uint32_t c)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
	const char *at = c < 0x80 && c != 0 ? strchr(from, (int)c) : NULL;
	char pair[2] = {'\\', 0};

	if (at != NULL) {
		pair[1] = to[at - from];
		put(w, pair, sizeof(pair));
	} else if (c > 0xffff) {
		put_unit(w, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else {
		put_unit(w, c);
	}
}

static void
put_path(struct writer *w, const char *p, size_t n)
{
	size_t plain;
	uint32_t c;
	int len;

	while (n > 0) {
		for (plain = 0; plain < n && p[plain] >= ' ' && p[plain] <= '~' &&
				p[plain] != '"' && p[plain] != '\\';)
			plain++;
		put(w, p, plain);
		p += plain;
		n -= plain;
		if (n == 0)
			break;
		len = utf8_decode(p, n, &c);
		put_escaped(w, c);
		len = len < 0 ? -len : len;
		p += len;
		n -= (size_t)len;
	}
}

int
tree_write(const struct tree *t, int (*sink)(void *, const void *, size_t), void *arg)
{
	struct writer w = {.sink = sink, .arg = arg};

	PUT(&w, "[");
	for (size_t i = 0; w.rc == 0 && i < t->n; i++) {
		const struct tree_entry *e = &t->v[i];

		if (i != 0)
			PUT(&w, ", ");
		PUT(&w, "{\"md5\": \"");
		for (size_t k = 0; k < sizeof(e->md5); k++)
			put_hex(&w, e->md5[k], 2);
		PUT(&w, "\", \"relpath\": \"");
		put_path(&w, e->path, e->len);
		PUT(&w, "\"}");
	}
	PUT(&w, "]");
	flush(&w);
	return w.rc;
}

struct counted {
	struct hash *hash;
	uint64_t bytes;
};

static int
count(void *arg, const void *p, size_t n)
{
	struct counted *c = arg;

	c->bytes += n;
	return hash_update(c->hash, p, n);
}

int
tree_id(const struct tree *t, struct object_id *id, uint64_t *bytes, struct err *err)
{
	struct counted c = {.hash = hash_new(HASH_MD5)};
	uint8_t raw[HASH_MAX];
	int r = -1;

	if (c.hash != NULL && tree_write(t, count, &c) == 0 &&
	    hash_raw(c.hash, raw) == 0) {
		*id = (struct object_id){.dir = true, .legacy = t->legacy};
		memcpy(id->md5, raw, sizeof(id->md5));
		if (bytes != NULL)
			*bytes = c.bytes;
		r = 0;
	}
	hash_free(c.hash);
	return r == 0 ? 0 : err_nomem(err);
}
