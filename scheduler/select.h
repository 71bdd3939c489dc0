#ifndef DAG_SCHEDULER_SELECT_H
#define DAG_SCHEDULER_SELECT_H
/*
 * Selectors: words that name tasks of a DAG, in dbt's notation.
 */
#include <stdbool.h>
#include <stddef.h>

struct dag;
struct err;

#define SELECTORS_MAX 1000 /* in one call, those between commas counted one by one */

/**
 * select_tasks(g, exprs, n, selected, err):
 * Set ${selected}[id] for the union of the selectors: `x` (a task), `+x` (with all its
 * upstreams), `x+` (with all its downstreams), `+x+`, `2+x` and `x+1` (so many edges far),
 * `@x` (x, its downstreams, and all upstreams of those), `tag:t` in place of x; globs in names
 * and tags.  Words in one string divided by blanks add up, selectors joined by commas
 * intersect.  With ${n} 0 all are selected.  Errors: an unknown name (with a suggestion), a
 * glob or an intersection without a task, an empty selector (ERR_INVALID, ERR_NOTFOUND), more
 * than SELECTORS_MAX (ERR_LIMIT).  Return 0 or -1.
 */
int select_tasks(const struct dag *, const char *const *, size_t, bool *, struct err *);

/**
 * select_exclude(g, exprs, n, selected, err):
 * Take from ${selected}, filled by select_tasks, what the selectors name.  Errors as above (a
 * selector that names nothing would let run what its author wanted kept from running), and
 * ERR_NOTFOUND if nothing is left.  Return 0 or -1.
 */
int select_exclude(const struct dag *, const char *const *, size_t, bool *, struct err *);

#endif
