#ifndef DAG_BASE_JINJA_VALUE_H
#define DAG_BASE_JINJA_VALUE_H
/*
 * Inside the Jinja engine: what values are made of, and the same values as text, apart from
 * any rendering.  Only base/jinja_*.c includes this.
 */
#include "base/jinja.h"

/* ---- characters: jinja_text.c ---- */

/**
 * jinja_u8_next(p, n, adv):
 * Return the character at the beginning of the ${n} >= 1 bytes ${p} and set ${adv} to its
 * length in bytes.  A byte that is no UTF-8 is a character of its own: 0xdc00 plus its value.
 */
uint32_t jinja_u8_next(const char *, size_t, size_t *);

/**
 * jinja_u8_put(to, c):
 * Write a character that jinja_u8_next gave; ${to} has room for 4 bytes.  Return how many were
 * written.
 */
size_t jinja_u8_put(char *, uint32_t);

/**
 * jinja_u8_len(p, n), jinja_u8_skip(p, n, k):
 * Return the number of characters in ${n} bytes; the offset of the ${k}-th of them (from 0),
 * which is ${n} past the last.
 */
size_t jinja_u8_len(const char *, size_t);
size_t jinja_u8_skip(const char *, size_t, size_t);

/**
 * jinja_u8_upper(c), jinja_u8_lower(c):
 * Return the letter in the other case, ${c} itself where jinja_text.c knows none.
 */
uint32_t jinja_u8_upper(uint32_t);
uint32_t jinja_u8_lower(uint32_t);

/**
 * jinja_u8_space(c), jinja_u8_letter(c):
 * Return whether ${c} is whitespace to Python's str; a letter, as which nearly everything
 * beyond Latin-1 counts.
 */
bool jinja_u8_space(uint32_t);
bool jinja_u8_letter(uint32_t);

/* ---- values: jinja_value.c ---- */

enum jinja_flavour {
	JINJA_LIST_PLAIN,
	JINJA_LIST_TUPLE,
	JINJA_LIST_RANGE,
	JINJA_LIST_KEYS,
	JINJA_LIST_VALUES,
	JINJA_LIST_PAIRS
};

struct jinja_list {
	struct jinja_val *v;
	size_t n, cap;
	enum jinja_flavour flavour;
	unsigned depth;		  /* 1 + that of the deepest element */
	int64_t start, end, step; /* of a range, for printing */
};

/* Members in order of insertion, each also a node of a balanced tree by key (an AA tree:
 * levels, 0 is no node), so that no choice of keys makes lookups slow. */
struct jinja_member {
	struct jinja_val key, val;
	uint32_t left, right, level;
};

struct jinja_dict {
	struct jinja_member *v; /* v[0] is unused */
	size_t n, cap;		/* n counts members, v holds n + 1 */
	uint32_t root;
	bool is_namespace; /* the one thing that changes in place; never looked into */
	unsigned depth;
};

/**
 * jinja_kind_name(v):
 * Return the kind of ${v} in words for messages: "a string".
 */
const char *jinja_kind_name(struct jinja_val);

/**
 * jinja_val_depth(v):
 * Return how deep lists and dicts are nested in ${v}: 0 for others, 1 for one that holds none.
 */
unsigned jinja_val_depth(struct jinja_val);

/**
 * jinja_list_val(l), jinja_dict_value(d):
 * Return the list or dict as a value, which refers to it.
 */
struct jinja_val jinja_list_val(struct jinja_list *);
struct jinja_val jinja_dict_value(struct jinja_dict *);

/**
 * jinja_is_key(v):
 * Return whether ${v} may be the key of a dict: none, a number, a string or a time.
 */
bool jinja_is_key(struct jinja_val);

/**
 * jinja_key_cmp(a, b):
 * Compare two keys in one total order, in which numbers that are equal are one key and NaN
 * equals itself.  Return less than, equal to or greater than 0.
 */
int jinja_key_cmp(struct jinja_val, struct jinja_val);

/**
 * jinja_dict_find(d, key):
 * Return the value under ${key}, or NULL.  It moves when a member is added.
 */
struct jinja_val *jinja_dict_find(const struct jinja_dict *, struct jinja_val);

/**
 * jinja_dict_set(a, d, key, v):
 * Put ${v} under ${key}, in the place of what was there.  The depth is kept but not checked,
 * the key is not copied.  Return 0, or -1 without memory.
 */
int jinja_dict_set(struct arena *, struct jinja_dict *, struct jinja_val,
		   struct jinja_val);

/**
 * jinja_dict_clear(d):
 * Forget all members but keep the memory.  NULL is allowed.
 */
void jinja_dict_clear(struct jinja_dict *);

/**
 * jinja_is_num(v), jinja_as_double(v):
 * Return whether ${v} is a boolean, an integer or a float; such a value as a float.
 */
bool jinja_is_num(struct jinja_val);
double jinja_as_double(struct jinja_val);

/**
 * jinja_num_cmp(a, b):
 * Compare two numbers exactly.  Return -1, 0 or 1, or 2 if one of them is NaN.
 */
int jinja_num_cmp(struct jinja_val, struct jinja_val);

/* ---- printing: jinja_print.c ---- */

enum {
	JINJA_JSON_SPACED = 1,
	JINJA_JSON_SORTED = 2,
	JINJA_JSON_ASCII = 4,
	JINJA_JSON_HTML = 8
};

/**
 * jinja_put_repr(b, v):
 * Append ${v} as Python's repr() writes it: jinja_put, but strings in quotes.
 */
void jinja_put_repr(struct buf *, struct jinja_val);

/**
 * jinja_put_float(b, f):
 * Append the shortest digits that read back as ${f}, laid out as Python does.
 */
void jinja_put_float(struct buf *, double);

/**
 * jinja_put_json_with(b, v, flags, indent):
 * Append ${v} as JSON, by the JINJA_JSON_* ${flags}: blanks behind ',' and ':', keys sorted,
 * ASCII only, nothing that HTML reads; ${indent} blanks for each level, -1: all in one line.
 */
void jinja_put_json_with(struct buf *, struct jinja_val, unsigned, int indent);

#endif
