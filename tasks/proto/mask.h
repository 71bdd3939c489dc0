#ifndef DAG_TASKS_PROTO_MASK_H
#define DAG_TASKS_PROTO_MASK_H
/*
 * Masking of secrets in streams of bytes: every occurrence of a secret, as it is or in base64
 * (standard and URL alphabets, each of the three alignments), becomes "***".  Where matches
 * overlap, all they cover is one "***".
 *
 * Not seen: base64 broken into lines inside the secret, other encodings, a secret printed in
 * parts.  Of a base64 form only the characters that depend on nothing but the secret can be
 * known: up to one character on each side, which carries at most 4 bits of it, stays.
 *
 * A `struct mask` is one flat block without pointers, compiled by the owner and carried to
 * the shim inside the spec; matching (mask_stream) allocates nothing.
 */
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct mask;
struct shim_secret;

#define MASK_SECRETS_MAX 64
#define MASK_SECRET_MIN	 8
#define MASK_SECRET_MAX	 4096
#define MASK_TEXT	 "***"
#define MASK_HOLD_MAX	 5500 /* bytes of the longest form of the longest secret, and more */

/**
 * mask_check(p, n, err):
 * Check the ${n} bytes of a secret against the limits.  The message never holds any of it.
 * Return 0 or -1 (ERR_LIMIT).
 */
int mask_check(const char *, size_t, struct err *);

/**
 * mask_new(secrets, n, size, err):
 * Compile ${n} secrets (equal ones count once) into a block of ${size} bytes, owned by the
 * caller, to be freed with mask_free.  NULL on failure.
 */
struct mask *mask_new(const struct shim_secret *, size_t, size_t *, struct err *);

/**
 * mask_free(m, size):
 * Wipe and free a block of mask_new.
 */
void mask_free(struct mask *, size_t);

/**
 * mask_valid(m, size):
 * Return whether the ${size} bytes at ${m} (8-byte aligned) are a block that can be matched
 * without leaving it.
 */
int mask_valid(const struct mask *, size_t);

/* The state of one stream.  Zeroed at its start. */
struct mask_stream {
	uint64_t covered; /* bytes from the front of the next input that a match covers */
};

/**
 * mask_step(m, s, in, n, eof, out, nout):
 * Mask as much of the ${n} bytes at ${in} as can be decided, into ${out}, which has room for
 * MASK_OUT_MAX(${n}) bytes; set ${nout}.  Return how many bytes of ${in} were used up: the
 * rest (at most MASK_HOLD_MAX) could be the start of a secret and must be at the front of
 * the next input.  With ${eof} everything is used up.
 */
size_t mask_step(const struct mask *, struct mask_stream *, const char *, size_t, int,
		 char *, size_t *);

#define MASK_OUT_MAX(n) ((n) + 3)

/**
 * mask_apply(m, p, n, out):
 * Append the ${n} bytes, masked, to ${out}; as they are if ${m} is NULL.  For what is not a
 * stream: events, outputs, messages.
 */
void mask_apply(const struct mask *, const char *, size_t, struct buf *);

#endif
