#ifndef DAG_STORE_PIPELINE_VALUE_H
#define DAG_STORE_PIPELINE_VALUE_H
/*
 * Values as DVC has them, which is as Python has them: trees of base/yaml.h whose scalars
 * are read by ruamel.yaml's rules (1_000 is an integer, 0o17 is 15) and spelt as Python
 * spells them, whatever file they come from.
 *
 * Of a settled scalar `str` is its text: digits of an integer of any size, what repr() gives
 * for a float (.inf and .nan as YAML has them), true and false, "" of null.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;
struct diag;
struct yaml_node;

/**
 * value_settle(a, node, d, file):
 * Settle all plain scalars in the tree ${node}, in place; texts are made in ${a}.  Dates and
 * times, which no value can be, go to ${d} (NULL: nobody is told) for its file number ${file}, and so do
 * numbers that Python would refuse.  Return 0, or -1 if memory runs out.
 */
int value_settle(struct arena *, struct yaml_node *, struct diag *, int);

/**
 * value_is_date(v):
 * Return whether ${v} is a date, or one with a time, that was read as a string.
 */
bool value_is_date(const struct yaml_node *);

/**
 * value_str(a, p, n, at):
 * Make a string that stands where ${at} stands (NULL: nowhere); NULL if memory runs out.
 */
struct yaml_node *value_str(struct arena *, const char *, size_t,
			    const struct yaml_node *);

/**
 * value_list(a, n, at), value_map(a, n, at):
 * Make a list of ${n} elements, a mapping of ${n} members, all still NULL; NULL if memory
 * runs out.
 */
struct yaml_node *value_list(struct arena *, size_t, const struct yaml_node *);
struct yaml_node *value_map(struct arena *, size_t, const struct yaml_node *);

/**
 * value_copy(a, v):
 * Copy the tree ${v}, but for the texts in it, so that it can be settled; NULL if memory runs out.
 */
struct yaml_node *value_copy(struct arena *, const struct yaml_node *);

/**
 * value_put_text(v, b):
 * Append the scalar ${v} as it is written within a string: None, true, 1e-05, inf.
 */
void value_put_text(const struct yaml_node *, struct buf *);

/**
 * value_equal(a, b):
 * Return whether Python calls the two equal: 1, 1.0 and true are, the order of a mapping's
 * members does not count; NaN is nothing's equal but within a list or a mapping.
 */
bool value_equal(const struct yaml_node *, const struct yaml_node *);

/**
 * value_find(v, key):
 * Return what the dotted ${key} leads to from ${v} ("train.layers.0"; -1 is the last element of a
 * list), or NULL.
 */
const struct yaml_node *value_find(const struct yaml_node *, const char *);

/* How a mapping in a command becomes options: DVC's parsing.bool and parsing.list. */
struct value_options {
	bool no_flags;	  /* false is --no-NAME, not left out */
	bool append_list; /* --NAME before each element, not only before the first */
};

/**
 * value_put_options(v, how, b, bad):
 * Append the mapping ${v} as options of a command: --a.b 1 --flag --list x y, strings quoted
 * for the shell.  Return 0; 1 with ${bad} set to the list that holds another collection.
 */
int value_put_options(struct yaml_node *, const struct value_options *, struct buf *,
		      struct yaml_node **);

#endif
