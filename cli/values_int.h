#ifndef DAG_CLI_VALUES_INT_H
#define DAG_CLI_VALUES_INT_H
/* For cli/values*.c. */
#include "base/err.h"
#include "base/vec.h"
#include "cli/values.h"
#include "store/report/snapshot.h"
#include "store/report/tracked_values.h"
#include "store/report/values_diff.h"

struct json_writer;

/* The repository at one time. */
struct values_state {
	const char *name; /* "" is the work tree, where nothing else is asked for */
	struct snapshot snapshot;
	struct tracked_values values;
	struct err failed; /* of a commit that cannot be read; ERR_NONE: it can */
};

struct values {
	struct artifact a;
	const struct values_opts *o;
	enum values_kind kind;
	bool diff;
	char **words; /* behind show or diff */
	size_t nwords;
	const char *revs[2]; /* of diff, as they were given */
	const char **targets;
	size_t ntargets;
	struct snapshot_source source;
	VEC(struct values_state *) states;
	struct values_diff changes;
};

/**
 * values_put(k):
 * Print what was found.  Return 0, or -1 if memory ran out.
 */
int values_put(struct values *);

/**
 * values_json_diff(k, w), values_json_file(w, f):
 * Write what has changed, or what a file holds (its problem, if there is one), as DVC does.
 */
void values_json_diff(struct values *, struct json_writer *);
void values_json_file(struct json_writer *, const struct tracked_file *);

/**
 * values_warn(k, bad):
 * Say what could not be read; *${bad} tells whether a file has mistakes.
 */
void values_warn(struct values *, bool *);

#endif
