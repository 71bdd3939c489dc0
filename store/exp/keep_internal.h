#ifndef DAG_STORE_EXP_KEEP_INTERNAL_H
#define DAG_STORE_EXP_KEEP_INTERNAL_H
/* For store/exp/keep*.c. */
#include "base/hash.h"

struct err;
struct repo;
struct track_list;

/**
 * keep_hash(l, git, base, prefix, hex, err):
 * Write the hash of those entries of the dvc.lock files in ${l} that the commit ${base} does not
 * have so (NULL: of all); ${prefix} is the root below git's top, "" or with a slash at its end.  Return 0 or -1.
 */
int keep_hash(const struct track_list *, struct repo *, const char *, const char *,
	      char hex[HASH_HEX_MAX], struct err *);

#endif
