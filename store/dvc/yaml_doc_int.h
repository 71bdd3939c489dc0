#ifndef DAG_STORE_DVC_YAML_DOC_INT_H
#define DAG_STORE_DVC_YAML_DOC_INT_H
/*
 * What the parts of yaml_doc share.  Texts are UTF-8; columns and widths count characters.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

struct arena;
struct buf;
struct err;

#define YAML_DOC_DEPTH_MAX 64

/* A comment with the lines behind it: "# text\n", "\n\n  # text\n" ... */
struct yaml_comment {
	const char *text;
	size_t len;
	uint32_t line;
	int32_t
	    col; /* of its first line; without meaning where it starts with a newline */
	unsigned done; /* the epoch in which it was written in front of a collection */
};

struct yaml_comments {
	struct yaml_comment **v;
	size_t n;
	size_t cap;
};

/*
 * The comments that hang at a token, later at a value.  They are handed on from token to
 * token (from "-" to what stands behind it ...), shared, so this is always a pointer.
 */
struct yaml_slots {
	struct yaml_comment *post; /* behind it on its line, and the lines below */
	struct yaml_comments
	    *pre; /* lines before it; there and empty differs from NULL */
	struct yaml_comments *end; /* lines before the end of a collection */
	bool handed; /* from a ":" with a comment: has no place for an end */
};

enum yaml_val_kind {
	YV_NULL,
	YV_BOOL,
	YV_INT,
	YV_FLOAT,
	YV_STR,
	YV_DATE,
	YV_SEQ,
	YV_MAP
};
enum yaml_val_style { YV_PLAIN, YV_LITERAL, YV_FOLDED };
enum yaml_val_flow { YV_FLOW_UNSET, YV_BLOCK, YV_FLOW };

/* The comments of one entry of a collection; key_* of a sequence's too. */
struct yaml_item_slots {
	bool there;
	struct yaml_comment *key_post;
	struct yaml_comments *key_pre;
	struct yaml_comment *val_post;
	struct yaml_comments *val_pre;
};

struct yaml_item {
	struct yaml_val *key; /* of a mapping */
	struct yaml_val *val;
	struct yaml_item_slots slots;
};

struct yaml_val {
	enum yaml_val_kind kind;
	enum yaml_val_style style;
	enum yaml_val_flow flow;
	bool kept;	  /* a string that keeps its style when it gets another text */
	const char *text; /* scalars: the value of a string, a number as it is written */
	size_t len;
	const char *source; /* a number as it was read, which may not be equal */
	const char *anchor; /* its name, or NULL */
	bool anchor_always; /* written even if nothing refers to it */
	uint32_t *folds;    /* YV_FOLDED: where its lines were broken, in characters */
	size_t nfolds;
	struct yaml_item *items;
	size_t n, cap;
	/* The collection's own comments; has_slots tells that there are any. */
	bool has_slots;
	struct yaml_slots slots;
	struct yaml_slots *raw; /* while it is read */
	bool attached;		/* its comments have moved */
	/* While it is written for the epoch-th time. */
	unsigned epoch;
	unsigned visits;
	bool written;
	unsigned number;	     /* of a made-up anchor, 0: none yet */
	const struct yaml_val *twin; /* what it was found to be equal to last */
};

struct yaml_doc {
	struct arena *a;
	struct yaml_val *root;
	const char *name; /* of the file, for messages */
	bool nomem;
	unsigned epoch; /* how often it was written */
};

/* Tokens, as libyaml's scanner finds them. */
enum yaml_tok_kind {
	YT_STREAM_START,
	YT_STREAM_END,
	YT_DOC_START,
	YT_DOC_END,
	YT_SEQ_START,
	YT_MAP_START,
	YT_BLOCK_END,
	YT_FLOW_SEQ_START,
	YT_FLOW_SEQ_END,
	YT_FLOW_MAP_START,
	YT_FLOW_MAP_END,
	YT_BLOCK_ENTRY,
	YT_FLOW_ENTRY,
	YT_KEY,
	YT_VALUE,
	YT_ALIAS,
	YT_ANCHOR,
	YT_SCALAR
};

struct yaml_tok {
	enum yaml_tok_kind kind;
	bool plain; /* a scalar without quotes that is no block */
	enum yaml_val_style style;
	const char *text; /* of scalars, anchors, aliases */
	size_t len;
	uint32_t *folds;
	size_t nfolds;
	size_t start, end; /* in characters of the source */
	uint32_t line, col, end_line, end_col;
	struct yaml_slots *slots;
	struct yaml_comments after; /* comments between it and the next token */
};

struct yaml_toks {
	VEC(struct yaml_tok) t;
	const char *name; /* of the file, for messages */
};

/**
 * ydoc_scan(a, name, text, n, out, err):
 * Cut the text into tokens, with the comments behind each.  Return 0 or -1.
 */
int ydoc_scan(struct arena *, const char *, const char *, size_t, struct yaml_toks *,
	      struct err *);

/**
 * ydoc_block(s):
 * Read the block scalar at the last token of ${s} again, from the source: where its lines
 * are broken, and the blank lines and comments behind it.  Return 0 or -1.
 */
struct ydoc_source;
int ydoc_block(struct ydoc_source *);

/**
 * ydoc_grow(a, v, n, cap, size):
 * Make room for one more than ${n} elements of ${size} bytes in the array ${v} of ${cap}: it
 * moves within the arena.  Return it, or NULL if memory runs out.
 */
void *ydoc_grow(struct arena *, void *, size_t, size_t *, size_t);

/**
 * ydoc_add_comment(a, list, c):
 * Append.  Return 0 or -1.
 */
int ydoc_add_comment(struct arena *, struct yaml_comments *, struct yaml_comment *);

/* A source that is scanned, and where we stand in it. */
struct ydoc_source {
	struct arena *a;
	const char *name;
	uint32_t *c; /* its characters, and a 0 behind them */
	size_t n;
	size_t i;
	uint32_t line, col; /* of i, from 0 */
	int32_t *indents;   /* of the open block collections */
	size_t nindents, flow;
	size_t last;   /* the last token that has characters */
	bool gap_read; /* what lies behind it was read */
	struct yaml_toks *toks;
	struct err *err;
};

/**
 * ydoc_step(s), ydoc_comment(s, out), ydoc_copy(s, from, to):
 * Go over one character; find the next comment or run of empty lines before the next token:
 * 1 with ${out} set, 0 if there is none, -1 if memory runs out; copy characters as UTF-8
 * into the arena, or NULL.
 */
void ydoc_step(struct ydoc_source *);
int ydoc_comment(struct ydoc_source *, struct yaml_comment **);
char *ydoc_copy(struct ydoc_source *, size_t, size_t);

/**
 * ydoc_refuse(name, line, col, err, what):
 * Say that line ${line}, column ${col} (from 0) has ${what}.  Return -1.
 */
int ydoc_refuse(const char *, uint32_t, uint32_t, struct err *, const char *);

/**
 * ydoc_tree(doc, toks, err):
 * Build the root of ${doc} from the tokens.  Return 0 or -1.
 */
int ydoc_tree(struct yaml_doc *, struct yaml_toks *, struct err *);

/**
 * ydoc_attach(root, name, err):
 * Move the comments of all values below ${root} to the entries that hold them.  Return 0 or
 * -1: keys that cannot be kept.
 */
int ydoc_attach(struct yaml_val *, const char *, struct err *);

/**
 * ydoc_val_new(doc, kind):
 * Make a value of the document, or NULL, which the document remembers.
 */
struct yaml_val *ydoc_val_new(struct yaml_doc *, enum yaml_val_kind);

/**
 * ydoc_item_find(map, key):
 * Return the entry whose key is the string ${key}, or NULL.
 */
struct yaml_item *ydoc_item_find(const struct yaml_val *, const char *);

/**
 * ydoc_emit(doc, out, err):
 * Append the document to ${out}, whose own failures are not looked at.  Return 0 or -1.
 */
int ydoc_emit(struct yaml_doc *, struct buf *, struct err *);

/**
 * ydoc_differs(a, b, key):
 * Return whether the two values differ, and in ${key} the last key on the way there.
 */
bool ydoc_differs(struct yaml_val *, const struct yaml_val *, const struct yaml_val **);

/**
 * ydoc_resolve(text, n):
 * Return the kind of the plain scalar: what YAML 1.2 as ruamel.yaml reads it takes it for.
 * YV_DATE stands for all timestamps, YV_MAP for "<<", YV_SEQ for "=".
 */
enum yaml_val_kind ydoc_resolve(const char *, size_t);

/**
 * ydoc_number_text(a, v, out):
 * Find out what the emitter writes for the number ${v} that was read, whose spelling is
 * respected (underscores, 0x, width, exponent).  Return 0 with ${out} in the arena; 1 if DVC
 * itself could not write it; -1 if memory runs out.
 */
int ydoc_number_text(struct arena *, const struct yaml_val *, const char **);

/**
 * ydoc_float_repr(f, out):
 * Write ${f} as Python's repr does: the shortest text that reads back.
 */
#define YAML_FLOAT_MAX	32
#define YAML_NUMBER_MAX 400 /* characters of a number that is read */
void ydoc_float_repr(double, char[YAML_FLOAT_MAX]);

/**
 * ydoc_number_equal(a, b):
 * Return whether two of YV_BOOL, YV_INT and YV_FLOAT are equal as Python compares them.
 */
bool ydoc_number_equal(const struct yaml_val *, const struct yaml_val *);

#endif
