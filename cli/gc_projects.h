#ifndef DAG_CLI_GC_PROJECTS_H
#define DAG_CLI_GC_PROJECTS_H
/*
 * Other repositories that share this one's cache or remote: what they use stays too.
 */
#include <stddef.h>

struct err;
struct exchange;
struct meter;
struct object_set;
struct repo_scope;

/**
 * gc_projects(x, dirs, n, scope, links, m, err):
 * Add to the wants of ${x} what is tracked in the repositories of ${n} directories: in their
 * work trees, by their runs that have not ended, and in the revisions of ${scope} without those
 * given by name, which are this repository's; to ${links} what links in their work trees lead
 * to.  They are read as they are now, without their locks.  Return 0, or -1: a directory that
 * does not belong to a repository, or one that cannot be read whole, is named.
 */
int gc_projects(struct exchange *, const char *const *, size_t, const struct repo_scope *,
		struct object_set *, struct meter *, struct err *);

#endif
