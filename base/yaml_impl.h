#ifndef DAG_BASE_YAML_IMPL_H
#define DAG_BASE_YAML_IMPL_H
/* What the files of the YAML reader share. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/diag.h"
#include "base/map.h"
#include "base/vec.h"
#include "base/yaml.h"

/*
 * The text and where its lines begin.  libyaml counts in characters and takes more characters
 * for line breaks than editors do, so places are looked up here by the index of a character.
 */
struct yaml_text {
	const char *p; /* behind a byte order mark */
	size_t n;
	size_t bom; /* bytes of the mark: what is added to an offset to get the file's */
	bool ascii; /* index and offset are the same */
	VEC(uint32_t) lines; /* index of each line's first character */
	VEC(uint32_t) steps; /* offset of every 64th character, unless ascii */
	size_t hint;	     /* the line asked for last */
};

/* A character's place. */
struct yaml_place {
	size_t off; /* from text.p */
	uint32_t line, col;
};

/**
 * yaml_text_init(t, d, file, text, len):
 * Check the encoding of ${text} and index it.  0; -1 with the mistake in ${d} (or memory gone,
 * also said there).
 */
int yaml_text_init(struct yaml_text *, struct diag *, int, const char *, size_t);
void yaml_text_release(struct yaml_text *);

/**
 * yaml_text_place(t, index):
 * Return where the character with that index stands; past the end: the end.
 */
struct yaml_place yaml_text_place(struct yaml_text *, size_t);

/**
 * yaml_text_width(t, from, to):
 * Return how many characters of [from, to) stand on the line of byte ${from}, blanks at the
 * line's end not counted, at least 1.
 */
uint32_t yaml_text_width(const struct yaml_text *, size_t, size_t);

/**
 * yaml_resolve(node):
 * Give the plain scalar ${node}, whose text is set, its kind and value by the core schema.
 */
void yaml_resolve(struct yaml_node *);

/**
 * yaml_resolve_as(node, tag):
 * Give the scalar ${node} the kind that a "tag:yaml.org,2002:..." tag asks for.  0; -1 if the
 * text does not fit; -2 if the tag is not one of the core schema.
 */
int yaml_resolve_as(struct yaml_node *, const char *);

/**
 * yaml_syntax_error(d, file, t, parser):
 * Say in ${d}, in words of ours, what libyaml found wrong.
 */
void yaml_syntax_error(struct diag *, int, struct yaml_text *, const yaml_parser_t *);

/* A node that aliases may repeat. */
struct yaml_anchor {
	struct yaml_node *node; /* NULL while the node is being read */
	size_t nodes;		/* in it, aliases expanded */
	int height;
};

/* The tree builder's state. */
struct yaml_reader {
	struct arena *arena;
	struct diag *d;
	int file;
	struct yaml_text text;
	yaml_parser_t parser;
	VEC(struct yaml_node *) stack;
	VEC(struct yaml_pair) pairs;
	struct map anchors;
	size_t nodes, aliases;
	int depth;
	int height; /* of the node read last */
	bool mistakes;
};

/**
 * yaml_bad_key(r, map, key):
 * Say that ${key} of ${map}, a list or mapping, is none.
 */
void yaml_bad_key(struct yaml_reader *, const struct yaml_node *,
		  const struct yaml_node *);

/**
 * yaml_finish_map(r, map, base):
 * Turn the pairs from ${base} on into the members of ${map}: duplicates refused, merge keys
 * applied.  0, or -1 if memory runs out (said).
 */
int yaml_finish_map(struct yaml_reader *, struct yaml_node *, size_t);

int yaml_nomem(struct yaml_reader *); /* says so and returns -1 */

/* Where a node stands, for messages. */
static inline struct diag_pos
yaml_node_pos(const struct yaml_reader *r, const struct yaml_node *n)
{
	return (struct diag_pos){r->file, n->line, n->col, n->width};
}

#endif
