#ifndef DAG_STORE_PIPELINE_VALUE_TEXT_H
#define DAG_STORE_PIPELINE_VALUE_TEXT_H
/* Values (store/pipeline/value.h) as texts: as Python shows them, and as JSON. */
#include <stdbool.h>

struct arena;
struct buf;
struct yaml_node;

/**
 * value_put_repr(v, b), value_put_plain(v, b):
 * Append what Python's repr() or str() gives for the value; NULL is None.
 */
void value_put_repr(const struct yaml_node *, struct buf *);
void value_put_plain(const struct yaml_node *, struct buf *);

/**
 * value_put_json(v, b):
 * Append the value as JSON on one line, with the NaN and Infinity of Python's json; NULL is
 * null.
 */
void value_put_json(const struct yaml_node *, struct buf *);

/**
 * value_number(v, out):
 * Tell whether ${v} is a number or a truth value, and which.
 */
bool value_number(const struct yaml_node *, double *);

/**
 * value_float(a, f):
 * Make a number; NULL if memory runs out.
 */
struct yaml_node *value_float(struct arena *, double);

/**
 * value_round(a, v, digits):
 * Return the float ${v} rounded to so many digits behind the point, as Python's round() does
 * it; anything else as it is.  NULL if memory runs out.
 */
const struct yaml_node *value_round(struct arena *, const struct yaml_node *, unsigned);

/**
 * value_minus(a, x, y, out):
 * Put ${x} - ${y} into ${out}, NULL where they are not both numbers.  Return 0, or -1 if memory runs out.
 */
int value_minus(struct arena *, const struct yaml_node *, const struct yaml_node *,
		struct yaml_node **);

#endif
