#ifndef DAG_TASKS_PROTO_KVLINE_H
#define DAG_TASKS_PROTO_KVLINE_H
/*
 * One line of key=value that begins with its version and ends with its checksum, the form of
 * the `exit` and `shim` files:
 *
 *	v=1 key=value key=value sum=<16 hex digits>\n
 *
 * Keys and values hold neither blanks nor newlines.  Compiled into the shim: no allocation,
 * no stdio.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KVLINE_SUM_LEN (5 + 16 + 1) /* " sum=", digits, newline */

/**
 * kvline_sum(p, n):
 * Return the checksum (FNV-1a, 64 bits) of ${n} bytes.  Every step of it is a bijection of
 * the state, so one changed byte always changes the result.
 */
uint64_t kvline_sum(const void *, size_t);

/* A line being written into caller's memory; what does not fit is cut off and `full` set. */
struct kvline {
	char *p;
	size_t n;
	size_t cap;
	bool full;
};

/**
 * kvline_begin(k, p, cap, version):
 * Start a line in the ${cap} bytes at ${p}.
 */
void kvline_begin(struct kvline *, char *, size_t, int);

/**
 * kvline_int(k, key, v), kvline_word(k, key, s):
 * Append a pair.
 */
void kvline_int(struct kvline *, const char *, int64_t);
void kvline_u64(struct kvline *, const char *, uint64_t);
void kvline_word(struct kvline *, const char *, const char *);

/**
 * kvline_end(k):
 * Append checksum and newline.  Return the line's length, or 0 if it did not fit.
 */
size_t kvline_end(struct kvline *);

/* A pair of a line being read; neither part is NUL-terminated. */
struct kvpair {
	const char *key;
	size_t nkey;
	const char *val;
	size_t nval;
};

struct kvreader {
	const char *p;
	const char *end;
	int64_t version;
};

/**
 * kvline_open(r, p, n):
 * Start to read the ${n} bytes at ${p}.  Return 0; or -1 if they are not exactly one whole
 * line with a right checksum and a version of at least 1 in front.
 */
int kvline_open(struct kvreader *, const char *, size_t);

/**
 * kvline_next(r, kv):
 * Read the next pair.  Return 1; 0 at the end; -1 if what follows is no pair.
 */
int kvline_next(struct kvreader *, struct kvpair *);

/**
 * kvpair_is(kv, key), kvpair_int(kv, out), kvpair_u64(kv, out):
 * Compare the key; read the value as a decimal integer, returning 0 or -1.
 */
bool kvpair_is(const struct kvpair *, const char *);
int kvpair_int(const struct kvpair *, int64_t *);
int kvpair_u64(const struct kvpair *, uint64_t *);

#endif
