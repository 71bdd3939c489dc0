#ifndef DAG_TASKS_PROTO_OUTPUTS_H
#define DAG_TASKS_PROTO_OUTPUTS_H
/*
 * The `outputs` file, which a task writes through $DAG_OUTPUT: lines of KEY=VALUE, and
 *
 *	KEY<<END
 *	any number of lines
 *	END
 *
 * as in GitHub's output files (the value is the lines between, without the last newline; END
 * is any non-empty word or text).  Empty lines are skipped, a last line needs no newline, a
 * key given twice has its last value.  Text is UTF-8 without NUL.
 */
#include <stddef.h>

struct err;

#define OUTPUTS_VALUE_MAX ((size_t)64 << 10) /* bytes of a value */
#define OUTPUTS_FILE_MAX  ((size_t)1 << 20)  /* bytes of the file */
#define OUTPUTS_KEY_MAX	  128 /* bytes of a key: [A-Za-z_][A-Za-z0-9_-]{0,127} */

struct output {
	const char *key;   /* NUL-terminated */
	const char *value; /* NUL-terminated, holds no other NUL */
	size_t len;	   /* of the value */
};

struct outputs {
	struct output *v; /* in the order in which the keys first appeared */
	size_t n;
	char *text; /* what they point into */
};

/**
 * outputs_parse(o, p, n, err):
 * Read the ${n} bytes of an outputs file into ${o}, to be released with outputs_release.
 * Return 0; or -1, ${o} empty, with "outputs:LINE: what is wrong" in ${err}.
 */
int outputs_parse(struct outputs *, const char *, size_t, struct err *);

/**
 * outputs_read(dirfd, o, err):
 * Read the `outputs` file of the attempt directory ${dirfd}; none is no outputs.  Return 0
 * or -1.
 */
int outputs_read(int, struct outputs *, struct err *);

/**
 * outputs_get(o, key):
 * Return the output called ${key}, or NULL.
 */
const struct output *outputs_get(const struct outputs *, const char *);

/**
 * outputs_release(o):
 * Free what ${o} holds and make it empty.
 */
void outputs_release(struct outputs *);

#endif
