#include "tasks/proto/kvline.h"

#include <string.h>

static const char sum_key[] = " sum=";

uint64_t
kvline_sum(const void *buf, size_t n)
{
	const unsigned char *p = buf;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static void
put(struct kvline *k, const char *s, size_t n)
{
	if (k->full || n > k->cap - k->n) {
		k->full = true;
		return;
	}
	memcpy(k->p + k->n, s, n);
	k->n += n;
}

static void
put_u64(struct kvline *k, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	put(k, digits + i, sizeof(digits) - i);
}

static void
put_key(struct kvline *k, const char *key)
{
	if (k->n > 0)
		put(k, " ", 1);
	put(k, key, strlen(key));
	put(k, "=", 1);
}

void
kvline_begin(struct kvline *k, char *p, size_t cap, int version)
{
	*k = (struct kvline){.p = p, .cap = cap};
	kvline_int(k, "v", version);
}

void
kvline_int(struct kvline *k, const char *key, int64_t v)
{
	put_key(k, key);
	if (v < 0)
		put(k, "-", 1);
	put_u64(k, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
kvline_u64(struct kvline *k, const char *key, uint64_t v)
{
	put_key(k, key);
	put_u64(k, v);
}

void
kvline_word(struct kvline *k, const char *key, const char *s)
{
	put_key(k, key);
	put(k, s, strlen(s));
}

static void
sum_text(uint64_t sum, char out[16])
{
	for (int i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[(sum >> (60 - 4 * i)) & 15];
}

size_t
kvline_end(struct kvline *k)
{
	char hex[16];

	sum_text(kvline_sum(k->p, k->n), hex);
	put(k, sum_key, sizeof(sum_key) - 1);
	put(k, hex, sizeof(hex));
	put(k, "\n", 1);
	return k->full ? 0 : k->n;
}

int
kvline_open(struct kvreader *r, const char *p, size_t n)
{
	char hex[16];
	struct kvpair kv;
	size_t body;

	if (n < KVLINE_SUM_LEN || p[n - 1] != '\n')
		return -1;
	body = n - KVLINE_SUM_LEN;
	if (memcmp(p + body, sum_key, sizeof(sum_key) - 1) != 0)
		return -1;
	/* Compared as text: an upper-case digit is a damaged one. */
	sum_text(kvline_sum(p, body), hex);
	if (memcmp(p + body + sizeof(sum_key) - 1, hex, sizeof(hex)) != 0)
		return -1;
	r->p = p;
	r->end = p + body;
	if (kvline_next(r, &kv) != 1 || !kvpair_is(&kv, "v") ||
	    kvpair_int(&kv, &r->version) != 0 || r->version < 1)
		return -1;
	return 0;
}

int
kvline_next(struct kvreader *r, struct kvpair *kv)
{
	const char *end, *eq;

	if (r->p == r->end)
		return 0;
	end = memchr(r->p, ' ', (size_t)(r->end - r->p));
	if (end == NULL)
		end = r->end;
	eq = memchr(r->p, '=', (size_t)(end - r->p));
	if (eq == NULL || eq == r->p || end + 1 == r->end)
		return -1;
	*kv = (struct kvpair){.key = r->p,
			      .nkey = (size_t)(eq - r->p),
			      .val = eq + 1,
			      .nval = (size_t)(end - eq - 1)};
	r->p = end == r->end ? end : end + 1;
	return 1;
}

bool
kvpair_is(const struct kvpair *kv, const char *key)
{
	return strlen(key) == kv->nkey && memcmp(key, kv->key, kv->nkey) == 0;
}

static int
digits(const char *p, size_t n, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(unsigned char)p[i] - '0';

		if (d > 9 || v > (max - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

int
kvpair_u64(const struct kvpair *kv, uint64_t *out)
{
	return digits(kv->val, kv->nval, UINT64_MAX, out);
}

int
kvpair_int(const struct kvpair *kv, int64_t *out)
{
	bool neg = kv->nval > 0 && kv->val[0] == '-';
	uint64_t max = (uint64_t)INT64_MAX + (neg ? 1 : 0), v;

	if (digits(kv->val + neg, kv->nval - neg, max, &v) != 0)
		return -1;
	*out = (int64_t)(neg ? 0 - v : v);
	return 0;
}
