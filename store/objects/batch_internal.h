#ifndef DAG_STORE_OBJECTS_BATCH_INTERNAL_H
#define DAG_STORE_OBJECTS_BATCH_INTERNAL_H
/*
 * The inside of a batch, for store/objects/batch*.c only.
 *
 *	written		bytes under a temporary name		[batch_write.c]
 *	-> synced	they are durable, nobody sees them	[batch_flush.c]
 *	-> named	everybody sees them
 *	-> durable	the directories are synced too
 *
 * Nothing is named before it is synced.  A thread of the batch's own syncs and names what has
 * become many while others go on to write; they wait for it when they are two loads ahead.
 * The sync of the directories is put off to the flush, as nobody was promised anything before
 * that.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "store/objects/batch.h"
#include "store/objects/objects_internal.h"

struct pending {
	struct object_id id;
	uint8_t temp[TEMP_BYTES];
	bool
	    loose; /* the temporary lies beside the directories, not in the object's own */
};

struct pendings {
	VEC(struct pending) v;
};

struct batch {
	struct objects *o;
	struct meter *m;
	pthread_mutex_t lock; /* of all below */
	struct pendings now;  /* written, not yet synced */
	uint64_t now_bytes;
	size_t nsynced;		/* of now, from its begin */
	struct pendings load;	/* for the thread to take; empty: there is none */
	pthread_cond_t changed; /* of load, busy and quit */
	bool busy;		/* the thread has taken a load */
	bool quit, threaded;
	pthread_t thread;
	uint8_t fresh[32]; /* first bytes whose directory this batch has made: all in it
			    * is ours, or as good */
	_Atomic bool no_reflink;  /* not from where the files come */
	struct object_set *names; /* all that was ever pending here */
	struct object_set *wrong; /* the store's own are to be replaced; NULL: none */
	/* Named, or found there so young that its writer may not have synced it; more than
	 * BATCH_FSYNC_MAX of them are not remembered one by one. */
	struct young {
		struct object_id id;
		bool foreign; /* its bytes are to be synced too */
	} young[BATCH_FSYNC_MAX];
	size_t nyoung;
	uint64_t objects, bytes; /* new to the store */
	bool failed;
	struct err why;
};

/**
 * batch_fail(b, err):
 * Give the batch up for what ${err} says (the first time counts).  Return -1.
 */
int batch_fail(struct batch *, struct err *);

/**
 * batch_check(b, err), batch_stopped(b, err):
 * Return 0, or -1 with why the batch was given up; the latter also where the meter says that
 * it shall stop.
 */
int batch_check(struct batch *, struct err *);
int batch_stopped(struct batch *, struct err *);

/**
 * batch_note(b, id, foreign):
 * Remember that the name of an object is to be made durable.
 */
void batch_note(struct batch *, const struct object_id *, bool);

/**
 * batch_known(b, id, size, err):
 * Return 1 if the ${size} bytes with the name ${id} need not be written (the store or the batch
 * has them), 0 if they are to be, -1 if it cannot be known.  What has the name and another size
 * is damaged, and is to be replaced.
 */
int batch_known(struct batch *, const struct object_id *, uint64_t, struct err *);

/**
 * batch_put(b, p, bytes, err):
 * Take over a temporary that holds all its bytes; the pending ones are named if they have
 * become many.  Return 0, or -1 with the temporary gone.
 */
int batch_put(struct batch *, const struct pending *, uint64_t, struct err *);

/**
 * batch_load(b):
 * With the lock held: hand what is pending to the thread, which is started if there is none.
 */
void batch_load(struct batch *);

/**
 * batch_temp_rel(p, out):
 * Where the temporary of ${p} lies, relative to the base of its id.
 */
void batch_temp_rel(const struct pending *, char[TEMP_REL_MAX]);

/**
 * batch_temp_open(b, p, base, err):
 * Make the file of a temporary with a new name; the mode is that of an object.  Return its
 * descriptor, with the ${base} that it is relative to, or -1.
 */
int batch_temp_open(struct batch *, struct pending *, int *, struct err *);

#endif
