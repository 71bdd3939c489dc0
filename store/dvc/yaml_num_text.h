#ifndef DAG_STORE_DVC_YAML_NUM_TEXT_H
#define DAG_STORE_DVC_YAML_NUM_TEXT_H
/* The text of a number while it is made, without memory that could run out. */
#include <stdbool.h>
#include <stddef.h>

#include "store/dvc/yaml_doc_int.h"

/*
 * A number's text on the way: no number that is read has more than YAML_NUMBER_MAX
 * characters, so none that is written has more than this.
 */
struct num_text {
	char p[8 * YAML_NUMBER_MAX];
	size_t n;
	bool full;
};

/**
 * num_text_init(t), num_text_full(t), num_text_cut(t, n):
 * Make it empty; tell whether something did not fit; cut it to ${n} bytes.
 */
void num_text_init(struct num_text *);
bool num_text_full(const struct num_text *);
void num_text_cut(struct num_text *, size_t);

/**
 * num_text_add(t, p, n), num_text_adds(t, s), num_text_addc(t, c), num_text_addf(t, fmt, ...):
 * Append.
 */
void num_text_add(struct num_text *, const char *, size_t);
void num_text_adds(struct num_text *, const char *);
void num_text_addc(struct num_text *, char);
void num_text_addf(struct num_text *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * ydoc_float_text(t, s, n):
 * Spell the float ${s} of ${n} characters that was read.  False: DVC itself could not.
 */
bool ydoc_float_text(struct num_text *, const char *, size_t);

/**
 * ydoc_int_decimal(t, s, n):
 * Spell the integer ${s} of ${n} characters, at most YAML_NUMBER_MAX, in decimal digits.
 * False: it has no digits.
 */
bool ydoc_int_decimal(struct num_text *, const char *, size_t);

#endif
