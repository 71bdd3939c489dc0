#ifndef DAG_BASE_BUF_H
#define DAG_BASE_BUF_H
/*
 * A growing run of bytes with a maximum and a sticky error: once an append fails (no memory,
 * or the maximum would be passed) every later append does nothing, so the caller appends
 * freely and checks buf_failed() once at the end.  `p` is always NUL-terminated (the NUL is
 * not counted in `n`) and never NULL, even before the first append.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p;
	size_t n;
	size_t cap;    /* 0: p is not ours (the static empty string) */
	size_t max;    /* largest n allowed */
	uint8_t state; /* enum buf_state */
};

enum buf_state { BUF_OK = 0, BUF_TOOBIG, BUF_NOMEM };

#define BUF_MAX_DEFAULT ((size_t)64 << 20)

/**
 * buf_init(b, max):
 * Make ${b} empty with a maximum of ${max} bytes (0: BUF_MAX_DEFAULT).  Allocates nothing.
 */
void buf_init(struct buf *, size_t);

/**
 * buf_release(b):
 * Free what ${b} holds and leave it empty and usable, its maximum kept.
 */
void buf_release(struct buf *);

/**
 * buf_clear(b):
 * Make ${b} empty and forget its error, keeping the memory.
 */
void buf_clear(struct buf *);

/**
 * buf_steal(b):
 * Return the bytes of ${b} as a malloc'ed NUL-terminated string now owned by the caller, and
 * leave ${b} empty; NULL if it has failed or memory runs out.
 */
char *buf_steal(struct buf *);

/**
 * buf_add(b, p, n), buf_adds(b, s), buf_addc(b, c), buf_addf(b, fmt, ...), buf_vaddf:
 * Append bytes, a string, one byte, or formatted text to ${b}.
 */
void buf_add(struct buf *, const void *, size_t);
void buf_adds(struct buf *, const char *);
void buf_addc(struct buf *, char);
void buf_addf(struct buf *, const char *, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *, const char *, va_list);

/**
 * buf_reserve(b, n):
 * Make room for ${n} more bytes and return where they go, or NULL with the error set.  The
 * caller writes at most ${n} of them and then adds what it wrote to b->n with buf_commit.
 */
char *buf_reserve(struct buf *, size_t);
void buf_commit(struct buf *, size_t);

/**
 * buf_truncate(b, n):
 * Cut ${b} to its first ${n} bytes; nothing if it is shorter.
 */
void buf_truncate(struct buf *, size_t);

/**
 * buf_failed(b):
 * Return whether an append to ${b} has failed since it was last cleared.
 */
static inline bool
buf_failed(const struct buf *b)
{
	return b->state != BUF_OK;
}

#endif
