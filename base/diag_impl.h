#ifndef DAG_BASE_DIAG_IMPL_H
#define DAG_BASE_DIAG_IMPL_H
/* What diag.c, diag_print.c and diag_json.c share. */
#include "base/diag.h"
#include "base/vec.h"

struct diag_source {
	char *name;
	const char *text; /* NULL: no lines are shown */
	size_t len;
	size_t *lines; /* offset of each line's first byte, once asked for */
	size_t nlines;
};

struct diag_message {
	enum diag_severity severity;
	struct diag_pos pos;
	char *text;
	char *hint; /* or NULL */
	size_t seq; /* order of recording */
};

struct diag {
	VEC(struct diag_source) files;
	VEC(struct diag_message) messages;
	size_t errors, count; /* recorded, kept or not */
	bool kept; /* whether the last message was kept, for its notes and hint */
	bool nomem;
};

/* One message with its notes, ready to be shown. */
struct diag_group {
	const struct diag_message *head;
	const struct diag_message *const *notes;
	size_t nnotes;
};

/**
 * diag_severity_name(severity):
 * Return what messages of ${severity} begin with.
 */
const char *diag_severity_name(enum diag_severity);

/**
 * diag_sorted(d, notes, groups, n):
 * Return the messages in the order of diag_print without repetitions: ${groups} and the
 * ${notes} they point into are malloc'ed.  0, or -1 if memory runs out.
 */
int diag_sorted(const struct diag *, const struct diag_message ***, struct diag_group **,
		size_t *);

#endif
