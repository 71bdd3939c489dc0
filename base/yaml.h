#ifndef DAG_BASE_YAML_H
#define DAG_BASE_YAML_H
/*
 * YAML into a tree whose nodes know where they stand.  By libyaml's event interface (its
 * own tree loader is quadratic on deep nesting), with YAML 1.2 core scalars (no "yes", "on",
 * sexagesimals or dates), duplicate keys refused, and limits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct diag;

#define YAML_BYTES_MAX ((size_t)16 << 20) /* of one file */
#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 2000000 /* aliases counted as often as they are used */
#define YAML_ALIAS_MAX 10000   /* alias nodes in one file */

enum yaml_kind {
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
	YAML_STR,
	YAML_SEQ,
	YAML_MAP
};

enum yaml_style {
	YAML_STYLE_PLAIN,
	YAML_STYLE_SINGLE,
	YAML_STYLE_DOUBLE,
	YAML_STYLE_LITERAL, /* | */
	YAML_STYLE_FOLDED,  /* > */
	YAML_STYLE_FLOW,    /* [..] {..} */
	YAML_STYLE_BLOCK
};

struct yaml_node {
	enum yaml_kind kind;
	enum yaml_style style;
	uint32_t line, col; /* of its first character, from 1, columns in characters */
	uint32_t width;	    /* characters on that line that belong to it, at least 1 */
	const char *str; /* scalars: the text, NUL-terminated; maps and sequences: NULL */
	size_t len;
	size_t src; /* byte offset of its first character in the file */
	size_t src_end;
	union {
		bool b;
		int64_t i;
		double f;
		struct {
			struct yaml_node **v;
			size_t n;
		} seq;
		struct {
			struct yaml_pair *v;
			size_t n;
		} map;
	};
};

struct yaml_pair {
	struct yaml_node
	    *key; /* always a scalar; its text is what keys are compared by */
	struct yaml_node *val;
};

/**
 * yaml_parse(a, d, file, text, len, out):
 * Parse the one document in ${text} into a tree in arena ${a} (which ${text} must outlive).
 * An empty document gives a YAML_NULL node.  Mistakes (syntax, encoding other than UTF-8,
 * NUL bytes, duplicate keys, complex keys, unknown or recursive anchors, custom tags, a
 * second document, limits) go to ${d} for its file number ${file}.  A byte order mark is
 * skipped.  Return 0 with ${out} set if there were none; 1 if there were mistakes that leave
 * a usable tree (duplicate keys: the first one counts), ${out} set; -1 if there is no tree.
 */
int yaml_parse(struct arena *, struct diag *, int, const char *, size_t,
	       struct yaml_node **);

/**
 * yaml_get(map, key):
 * Return the value under ${key}, or NULL (also if ${map} is no map).
 */
struct yaml_node *yaml_get(const struct yaml_node *, const char *);

/**
 * yaml_where(text, node, offset, line, col):
 * Tell where byte ${offset} of the scalar ${node}'s value stands in the file ${text}: exact
 * for plain, quoted and literal scalars of one or more lines without line folding, the
 * nearest known place before it otherwise.
 */
void yaml_where(const char *, const struct yaml_node *, size_t, uint32_t *, uint32_t *);

/**
 * yaml_kind_name(kind):
 * Return "a string", "an integer", "a list", "a mapping" ... for messages.
 */
const char *yaml_kind_name(enum yaml_kind);

#endif
