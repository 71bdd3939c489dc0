#ifndef DAG_BASE_ARENA_H
#define DAG_BASE_ARENA_H
/*
 * Memory of one parse, one plan, one request: allocated piece by piece, freed whole.
 * Pieces are aligned for any type and are not cleared unless the call says so.
 */
#include <stdarg.h>
#include <stddef.h>

struct arena;

/**
 * arena_new(limit):
 * Return a new arena that refuses to hold more than ${limit} bytes (0: no limit), or NULL.
 */
struct arena *arena_new(size_t);

/**
 * arena_free(a):
 * Free the arena ${a} and everything in it; NULL is allowed.
 */
void arena_free(struct arena *);

/**
 * arena_alloc(a, n), arena_zalloc(a, n), arena_array(a, count, size):
 * Return ${n} bytes (or ${count} times ${size}, overflow checked; the last two are zeroed)
 * that live as long as ${a}; NULL if memory or the arena's limit runs out.
 */
void *arena_alloc(struct arena *, size_t) __attribute__((malloc));
void *arena_zalloc(struct arena *, size_t) __attribute__((malloc));
void *arena_array(struct arena *, size_t, size_t) __attribute__((malloc));

/**
 * arena_strndup(a, p, n), arena_strdup(a, s), arena_printf(a, fmt, ...):
 * Return a NUL-terminated copy (or formatted text) in ${a}, or NULL.
 */
char *arena_strndup(struct arena *, const char *, size_t);
char *arena_strdup(struct arena *, const char *);
char *arena_printf(struct arena *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * arena_used(a):
 * Return the bytes handed out so far.
 */
size_t arena_used(const struct arena *);

#endif
