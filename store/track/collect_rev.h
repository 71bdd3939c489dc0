#ifndef DAG_STORE_TRACK_COLLECT_REV_H
#define DAG_STORE_TRACK_COLLECT_REV_H
/*
 * What is tracked in revisions, read from git without checking anything out.  Many revisions
 * share most of their files: what was read for one is not read again for the next, and
 * directories without anything tracked in them are not entered again.
 */
#include "store/track/collect.h"

struct track_revs;

#define TRACK_REVS_KEEP ((size_t)32 << 20) /* bytes of pointer files that are kept */

/**
 * track_revs_open(t, git, out, err):
 * Begin; ${t} and ${git} (the repository that the root lies in, or a bare one, whose top is taken
 * for the root) are borrowed.  Return 0, or -1: ERR_INVALID where the root lies outside of git's
 * work tree.
 */
int track_revs_open(struct track *, struct repo *, struct track_revs **, struct err *);

/**
 * track_revs_close(r):
 * Free ${r}, after all lists that came of it.  NULL is allowed.
 */
void track_revs_close(struct track_revs *);

/**
 * track_collect_rev(r, commit, meter, d, out, err):
 * As track_collect, of the commit with that full id, whose first digits stand before the
 * message, and behind those in ${d}.  What git ignores has no say here, and outs in one another are no mistake.
 */
int track_collect_rev(struct track_revs *, const char *, struct meter *, struct diag *,
		      struct track_list *, struct err *);

#endif
