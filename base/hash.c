#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct hash {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
	bool begun; /* the context is ready for bytes */
};

/* Fetched once: a lookup by name per file would cost more than hashing a small one. */
static EVP_MD *mds[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	mds[HASH_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
	mds[HASH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static const EVP_MD *
md_of(enum hash_kind kind)
{
	(void)pthread_once(&once, fetch);
	return kind == HASH_MD5 || kind == HASH_SHA256 ? mds[kind] : NULL;
}

/* A context that could not be made ready may not be asked for anything: it would crash. */
static int
begin(struct hash *h)
{
	if (!h->begun)
		h->begun = EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1;
	return h->begun ? 0 : -1;
}

struct hash *
hash_new(enum hash_kind kind)
{
	const EVP_MD *md = md_of(kind);
	struct hash *h;

	if (md == NULL || (h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->md = md;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || begin(h) != 0) {
		hash_free(h);
		return NULL;
	}
	return h;
}

void
hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

int
hash_update(struct hash *h, const void *p, size_t n)
{
	return begin(h) == 0 && EVP_DigestUpdate(h->ctx, p, n) == 1 ? 0 : -1;
}

static void
put_hex(char *out, const unsigned char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	for (; n > 0; n--, p++) {
		*out++ = hex[*p >> 4];
		*out++ = hex[*p & 0xf];
	}
	*out = '\0';
}

/* Take the hash and begin anew; what cannot begin now does when it is next used. */
static int
finish(struct hash *h, unsigned char raw[EVP_MAX_MD_SIZE], unsigned *n)
{
	if (begin(h) != 0)
		return -1;
	h->begun = false;
	if (EVP_DigestFinal_ex(h->ctx, raw, n) != 1 || *n > HASH_MAX)
		return -1;
	(void)begin(h);
	return 0;
}

int
hash_raw(struct hash *h, uint8_t out[HASH_MAX])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (finish(h, raw, &n) != 0)
		return -1;
	memcpy(out, raw, n);
	return 0;
}

int
hash_hex(struct hash *h, char out[HASH_HEX_MAX])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (finish(h, raw, &n) != 0)
		return -1;
	put_hex(out, raw, n);
	return 0;
}

int
hash_bytes(enum hash_kind kind, const void *p, size_t n, char out[HASH_HEX_MAX])
{
	const EVP_MD *md = md_of(kind);
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (md == NULL || EVP_Digest(p, n, raw, &len, md, NULL) != 1 || len > HASH_MAX)
		return -1;
	put_hex(out, raw, len);
	return 0;
}

uint64_t
hash_64(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = 0xcbf29ce484222325u;

	for (; n > 0; n--, s++)
		h = (h ^ *s) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}
