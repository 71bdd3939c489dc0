#ifndef DAG_STORE_UNICODE_H
#define DAG_STORE_UNICODE_H
/*
 * Names as file systems see them that take several for one, by utf8proc, which lies in a module
 * that is loaded with the first name that is not ASCII alone.
 */
#include <stddef.h>

struct buf;
struct err;

/* What makes two names one. */
enum {
	UNICODE_CASE = 1 << 0, /* capitals are small letters; a sharp s is two of them */
	UNICODE_FORM =
	    1 << 1 /* an accent is one wherever it stands; what is not seen is not */
};

/**
 * unicode_fold(p, n, how, out, err):
 * Append to ${out} what all names that are one with these ${n} bytes of UTF-8 have in common.
 * Return 0 or -1: the module cannot be loaded, memory, or ${out} is full.
 */
int unicode_fold(const char *, size_t, unsigned, struct buf *, struct err *);

#endif
