#ifndef DAG_SCHEDULER_OUTPUTS_LINKS_H
#define DAG_SCHEDULER_OUTPUTS_LINKS_H
/*
 * Outputs that stay in place and that a checkout has made links into a cache: who wrote them
 * would write the objects, which many share.
 */
#include <stdbool.h>

struct err;
struct project;

/**
 * output_unshare(p, dirfd, name, path, stop, err):
 * Of the output ${path} of the project ${p}, which is ${name} in the open directory ${dirfd}:
 * put copies, durable and writable, in the place of the file itself, or of the files below it,
 * that are links into a cache: symbolic ones by where they lead; other names of a file if it is
 * read-only, as objects are, or if a pointer names the path.  Other links of the user's are left
 * alone.  ${stop} set: give up.  Return 0 or -1.
 */
int output_unshare(const struct project *, int, const char *, const char *, const bool *,
		   struct err *);

#endif
