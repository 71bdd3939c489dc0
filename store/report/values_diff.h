#ifndef DAG_STORE_REPORT_VALUES_DIFF_H
#define DAG_STORE_REPORT_VALUES_DIFF_H
/*
 * Values with mappings laid flat, "train.lr", and what differs between two sets of them.
 * Lists are compared and shown as Python's text of them, as DVC does it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

struct arena;
struct err;
struct tracked_values;
struct yaml_node;

#define FLAT_DEPTH_MAX 128

struct flat_value {
	const char *key; /* "" of a value that is no mapping */
	const struct yaml_node *value;
};

struct flat_values {
	VEC(struct flat_value) v; /* in the order of the file, or sorted by key */
};

/**
 * flat_values(a, v, out, err):
 * Lay ${v} flat into the empty ${out}, which flat_values_release frees; texts are made in ${a}.
 * Mappings without members leave nothing behind.  Return 0 or -1.
 */
int flat_values(struct arena *, const struct yaml_node *, struct flat_values *,
		struct err *);
void flat_values_release(struct flat_values *);

/* One value on both sides; NULL: it is not there. */
struct value_change {
	const char *path, *key;
	const struct yaml_node *old, *new;
	const struct yaml_node *diff; /* new - old, NULL where there is no such thing */
};

struct values_diff {
	VEC(struct value_change) v; /* by path, then by key */
};

/**
 * values_diff(a, old, new, all, out, err):
 * Put into the empty ${out} what differs between ${old} and ${new}; with ${all} also what is
 * the same.  What could not be read counts as not there.  Return 0 or -1; ${out} is to be freed
 * by values_diff_release in both cases.
 */
int values_diff(struct arena *, const struct tracked_values *,
		const struct tracked_values *, bool, struct values_diff *, struct err *);
void values_diff_release(struct values_diff *);

#endif
