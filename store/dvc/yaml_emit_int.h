#ifndef DAG_STORE_DVC_YAML_EMIT_INT_H
#define DAG_STORE_DVC_YAML_EMIT_INT_H
/*
 * The emitter: its state, shared between what writes the structure and what writes scalars.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/dvc/yaml_doc_int.h"

#define YAML_WIDTH 80

/* What a collection puts on the stack: the indentation before it, and whether it is a list. */
struct emit_level {
	int indent; /* -1: none yet */
	bool seq;
};

struct emit {
	struct buf *out;
	struct arena *a;
	struct err *err;
	int column;
	int indent;	 /* -1: none yet */
	bool whitespace; /* the last character was one */
	bool indention;	 /* so far there is nothing but indentation and "-" on the line */
	bool no_newline; /* the next line break is left out */
	bool open_ended; /* ends with a block that keeps its empty lines */
	struct emit_level levels[2 * YAML_DOC_DEPTH_MAX + 8];
	size_t nlevels;
	char flow[2 * YAML_DOC_DEPTH_MAX + 8]; /* the open brackets: [ { or a blank */
	size_t nflow;
	bool in_seq;	 /* the value is an entry of a list */
	bool in_map;	 /* ... of a mapping */
	bool simple_key; /* ... a key on one line */
	bool nomem;	 /* something could not be told for want of memory */
	unsigned ids;	 /* made-up anchors so far */
	unsigned epoch;
};

/* What hangs at a value where it is written. */
struct emit_comment {
	bool there;
	struct yaml_comment *post;
	struct yaml_comments *pre;
	struct yaml_comments *end;
};

/**
 * emit_line_break(e), emit_indent(e):
 * Go to the next line; to the indentation, on a new line where this one has text.
 */
void emit_line_break(struct emit *);
void emit_indent(struct emit *);

/**
 * emit_text(e, p, n, columns):
 * Write ${n} bytes that are ${columns} wide.
 */
void emit_text(struct emit *, const char *, size_t, int);

/**
 * emit_mark(e, text, blank, whitespace, indention):
 * Write an indicator, after a blank if it needs one; whether it counts as white space and as
 * indentation for what follows.
 */
void emit_mark(struct emit *, const char *, bool, bool, bool);

/**
 * emit_comment(e, c, pre):
 * Write a comment at its column: before something, or behind it.
 */
void emit_comment(struct emit *, const struct yaml_comment *, bool);

/**
 * emit_scalar(e, v, comment):
 * Write the scalar ${v} in the style that fits.  Return 0 or -1.
 */
int emit_scalar(struct emit *, const struct yaml_val *, struct emit_comment *);

/**
 * emit_is_simple(e, v):
 * Return whether the scalar ${v} can be a key before a ":" on its line.
 */
bool emit_is_simple(struct emit *, const struct yaml_val *);

#endif
