#ifndef DAG_STORE_TRACK_IMPORT_H
#define DAG_STORE_TRACK_IMPORT_H
/*
 * Data brought in from elsewhere, and tracked with the place that it came from.
 *
 * Invariants
 * 1. Nothing in the project is changed before all of the data has come and is durable.
 * 2. A new import is recorded before its files are made, an updated one after: killed in
 *    between, the first is completed by `checkout` or the same call, the second by the same call.
 * 3. Files that nobody else has are neither overwritten nor removed without ${force}.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/track/add.h"
#include "store/track/checkout.h"
#include "store/track/source.h"

struct arena;
struct err;
struct objects;
struct track_out;
struct workspace;

enum import_how {
	IMPORT_WHOLE,
	IMPORT_NO_EXEC,	    /* only the pointer; the source is not even looked at */
	IMPORT_NO_DOWNLOAD, /* the pointer, with what the source is like */
	IMPORT_TO_STORE	    /* the data goes to ${store}, not into cache and work tree */
};

struct import_options {
	struct add_options add;
	enum import_how how;
	bool force;
	const char *rev; /* of import_update: what is wanted of a repository */
	bool
	    plain; /* of import_new: the source is not recorded, as of data that was added */
	struct objects *store; /* of IMPORT_TO_STORE */
};

struct import_item {
	struct add_item item;	     /* what is recorded; target is given */
	struct source source;	     /* of import_new */
	const struct track_out *out; /* of import_update: what is brought up to date */
	bool same;		     /* the source is what it was when it was recorded */
	struct checkout_out files;   /* what became of the files */
};

/**
 * import_new(ws, options, item, arena, report, err):
 * Import item->source as item->item.target.  ${report}, initialized, has the files that were in
 * the way.  Return 0; 1 if the files could not all be made (they are recorded); or -1, and then
 * nothing was changed: ERR_EXISTS where something is there already, unless ${force} is set.
 */
int import_new(const struct workspace *, const struct import_options *,
	       struct import_item *, struct arena *, struct checkout_report *,
	       struct err *);

/**
 * import_update(ws, options, item, arena, report, err):
 * Look at the source of an import again, and record and fetch what is there now if it differs;
 * where only files are missing here, they are made again.  Return 0; 1 if files would be lost
 * or could not be made (and nothing is recorded); or -1.
 */
int import_update(const struct workspace *, const struct import_options *,
		  struct import_item *, struct arena *, struct checkout_report *,
		  struct err *);

/**
 * import_restore(ws, root, out, arena, err):
 * Get the data of an import that neither cache nor remote have from its source into the cache, if
 * it is there as it was recorded.  The project stays as it is.  Return how many files came, or -1.
 */
int64_t import_restore(const struct workspace *, const char *, const struct track_out *,
		       struct arena *, struct err *);

/**
 * import_has_source(o), import_of_repo(o):
 * Return whether the out's pointer names a source that can be looked at again, and whether that is
 * another repository.
 */
bool import_has_source(const struct track_out *);
bool import_of_repo(const struct track_out *);

#endif
