#ifndef DAG_STORE_TRACK_FAR_H
#define DAG_STORE_TRACK_FAR_H
/*
 * What a run needs and is not here, from the remote: objects, earlier runs, data that pointers
 * and lock files name.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct meter;
struct object_id;
struct track;
struct track_list;
struct workspace;

/**
 * far_fetch(t, remote, v, n, m, err):
 * Bring ${n} objects, of a list all it names, from the remote of that name (NULL: the default one)
 * into the cache.  What is not there, or damaged there, does not come, nor anything where there is
 * no such remote: whoever asked looks for what there is.  Return 0; or -1 where the work ends.
 */
int far_fetch(const struct track *, const char *, const struct object_id *, size_t,
	      struct meter *, struct err *);

/**
 * far_runs(t, m, err):
 * Bring the run cache of the default remote here.  Return 0; or -1: ERR_NOTFOUND where there is no
 * default remote.
 */
int far_runs(const struct track *, struct meter *, struct err *);

/**
 * far_find(l, path, id):
 * As struct stage_how's `upstream`: what is recorded of the out at ${path}.
 */
int far_find(const struct track_list *, const char *, struct object_id *);

/**
 * far_bring(t, ws, l, path, m, err):
 * With the repository's lock held: let ${path}, which is not there, be what ${l} says, as far as it
 * can be had.  Return 1 if it is there now, 0 if not, -1.
 */
int far_bring(const struct track *, const struct workspace *, const struct track_list *,
	      const char *, struct meter *, struct err *);

#endif
