#ifndef DAG_STORE_DVC_IGNORE_RULES_H
#define DAG_STORE_DVC_IGNORE_RULES_H
/*
 * The rules of one directory, made ready for matching.  For ignore.c.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct rules;

enum rule_flag {
	RULE_NEGATED = 1, /* "!": takes back */
	RULE_DIR = 2,	  /* ends with a slash: directories only */
	RULE_NAME = 4,	  /* has no slash: speaks of the last component */
	RULE_LITERAL = 8, /* ... and is plain text */
	RULE_SUFFIX = 16, /* ... and is plain text behind a star, which p leaves out */
	RULE_INSIDE =
	    32 /* DVC: ends with two stars, and means the directory itself too */
};

struct rule {
	const char *p; /* the pattern, without "!" and the slashes at its ends */
	size_t n;
	size_t literal; /* so many bytes of it are plain text */
	uint8_t flags;
	unsigned line;
	const char *file; /* NULL: a default */
	const char *text; /* as it was written */
};

/**
 * rules_new(), rules_free(r):
 * Make an empty list, or return NULL; free one (NULL is allowed).
 */
struct rules *rules_new(void);
void rules_free(struct rules *);

/**
 * rules_add(r, file, text, n, dvc, err):
 * Append the rules in the ${n} bytes of the file ${file} (NULL: a default), read as DVC or as
 * git reads them.  Return 0 or -1 (a limit, named with file and line; memory).
 */
int rules_add(struct rules *, const char *, const char *, size_t, bool, struct err *);

/**
 * rules_count(r), rules_at(r, i):
 * Return how many there are; and the one with the number ${i}.
 */
size_t rules_count(const struct rules *);
const struct rule *rules_at(const struct rules *, size_t);

#endif
