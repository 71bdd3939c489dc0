#ifndef DAG_BASE_HASH_H
#define DAG_BASE_HASH_H
/*
 * Content hashes by OpenSSL.  Hex texts are lower case.
 */
#include <stddef.h>
#include <stdint.h>

struct err;
struct hash;

enum hash_kind { HASH_MD5, HASH_SHA256 };
#define HASH_MAX     32
#define HASH_HEX_MAX (2 * HASH_MAX + 1)

/**
 * hash_new(kind), hash_update(h, p, n), hash_hex(h, out), hash_free(h):
 * A running hash: make (NULL: no memory or kind), feed, finish into hex text (which resets
 * it for the next use), free (NULL allowed).  update and hex return 0 or -1.
 */
struct hash *hash_new(enum hash_kind);
int hash_update(struct hash *, const void *, size_t);
int hash_hex(struct hash *, char out[HASH_HEX_MAX]);
void hash_free(struct hash *);

/**
 * hash_raw(h, out):
 * As hash_hex, but the bytes of the hash themselves (MD5 has 16, SHA-256 has 32).
 */
int hash_raw(struct hash *, uint8_t out[HASH_MAX]);

/**
 * hash_bytes(kind, p, n, out):
 * Hash ${n} bytes in one go.  Return 0 or -1.
 */
int hash_bytes(enum hash_kind, const void *, size_t, char out[HASH_HEX_MAX]);

/**
 * hash_64(p, n):
 * Return a fixed, unkeyed 64-bit hash (FNV-1a with a mix), the same on every machine; for
 * names, not for security.
 */
uint64_t hash_64(const void *, size_t);

#endif
