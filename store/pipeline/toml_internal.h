#ifndef DAG_STORE_PIPELINE_TOML_INTERNAL_H
#define DAG_STORE_PIPELINE_TOML_INTERNAL_H
/* For store/pipeline/toml*.c. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

struct arena;
struct diag;
struct yaml_node;

enum toml_kind { TOML_SCALAR, TOML_ARRAY, TOML_TABLE };

/* Who made a table decides who may add to it. */
enum toml_maker {
	TOML_IMPLIED, /* the a of [a.b]: may still have its own header */
	TOML_HEADER,
	TOML_DOTTED, /* the a of a.b = 1: only more of these */
	TOML_INLINE  /* nobody */
};

struct toml_value {
	enum toml_kind kind;
	enum toml_maker maker; /* of a table */
	bool tables;	       /* an array made by [[...]] */
	struct yaml_node *scalar;
	struct map members; /* of a table: key -> struct toml_value */
	VEC(struct toml_value *) elems;
};

struct toml {
	struct arena *a;
	struct diag *d;
	int file;
	const char *text, *p, *end;
	bool dates;  /* are strings, not mistakes */
	bool failed; /* a mistake was told */
	bool nomem;
	unsigned depth;
	VEC(struct toml_value *) all; /* to be released */
	struct buf word;	      /* the last string or key that was read */
};

/**
 * toml_say(t, at, fmt, ...):
 * Tell the first mistake, which is at ${at}.  Return -1.
 */
int toml_say(struct toml *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * toml_blanks(t), toml_comment(t):
 * Go over blanks and tabs; over a comment too, if one is there: 0, or -1 for characters that
 * may not be in it.
 */
void toml_blanks(struct toml *);
int toml_comment(struct toml *);

/**
 * toml_newline(t):
 * Go over a line break; false if there is none.
 */
bool toml_newline(struct toml *);

/**
 * toml_string(t, lines):
 * Read the string that begins here into t->word; ${lines}: it may be of several lines.
 * Return 0 or -1.
 */
int toml_string(struct toml *, bool);

/**
 * toml_scalar(t, out):
 * Read a string, a number or a word.  Return 0 or -1.
 */
int toml_scalar(struct toml *, struct yaml_node **);

#endif
