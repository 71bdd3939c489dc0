#ifndef DAG_TESTS_FUZZ_H
#define DAG_TESTS_FUZZ_H
/*
 * What the fuzz targets share.  A target is one file with LLVMFuzzerTestOneInput, which
 * returns 0 and stops the program where a property does not hold.  It is built twice: by the
 * preset `fuzz` with libFuzzer, and in every other build with replay.c, which runs the inputs
 * of a directory.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"

struct diag;

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) ((cond) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #cond))

_Noreturn static inline void
fuzz_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* What must not be NULL. */
static inline void *
fuzz_need(void *p)
{
	CHECK(p != NULL);
	return p;
}

/* The input as a string, cut at its first NUL; the caller frees it. */
static inline char *
fuzz_string(const uint8_t *data, size_t n)
{
	return fuzz_need(strndup((const char *)data, n));
}

/* The input as text of exactly ${n} bytes without a NUL behind it, so that reading beyond it
 * is seen; the caller frees it. */
static inline char *
fuzz_text(const uint8_t *data, size_t n)
{
	char *p = fuzz_need(malloc(n != 0 ? n : 1));

	if (n != 0)
		memcpy(p, data, n);
	return p;
}

/**
 * fuzz_dir():
 * Return a descriptor of a directory of this process, which is removed at its end.
 */
int fuzz_dir(void);

/**
 * fuzz_put(name, p, n):
 * Make the file ${name} in that directory, or replace it.
 */
void fuzz_put(const char *, const void *, size_t);

/**
 * fuzz_lines(p, n):
 * Return how many lines the ${n} bytes of a file have, as diag counts them.
 */
size_t fuzz_lines(const char *, size_t);

/**
 * fuzz_check_diag(d, text, n):
 * Every message of ${d} stands inside its file, the ${n} bytes at ${text}; printed, it is
 * bounded and holds nothing that a terminal would obey; for editors, it is JSON.
 */
void fuzz_check_diag(struct diag *, const char *, size_t);

#endif
