#ifndef DAG_STORE_REMOTE_TRANSFER_H
#define DAG_STORE_REMOTE_TRANSFER_H
/*
 * Objects between the cache and a remote.
 *
 * Rules
 * 1. Nothing is believed because of its name: what is sent is hashed while it goes, what comes
 *    is hashed before it gets a name in the cache.  Damaged bytes go nowhere, and the damaged
 *    object is named with its path; the remote's stays where it is.
 * 2. The list of a directory is sent when each of its files is known to be on the remote,
 *    durably: by a look at the remote in this call, or because this call sent it.  That the
 *    list lies there says nothing about its files: where some miss they are sent.
 * 3. One object that cannot be had does not stop the others.  What ends the call (-1) is what
 *    every object would meet: a full disk, a lost remote, the wish of the user.
 * 4. Whatever ends a call, the next one finds nothing half there and does the rest.
 *
 * A directory's list of 1,000,000 files takes some 50 MB while it is worked on, plus the list
 * itself.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "store/objects/object_id.h"

struct meter;
struct objects;
struct remote;

/* How many failures a report describes; it counts them all. */
#define TRANSFER_NOTES_MAX 100
/* So many failures of the remote in a row mean that it is the remote, not the objects. */
#define TRANSFER_TROUBLE_MAX 16

/* What shall be on the other side: a file, or a directory with all that its list names. */
struct transfer_want {
	struct object_id id;
	const char *path; /* of the out, for messages */
	const char
	    *under;   /* of a directory only this file or directory in it; NULL: all */
	int64_t size; /* bytes in all; -1: not known */
	const char *remote; /* the remote that the out names; NULL: the usual one */
	bool local;	    /* "push: false": it is not pushed */
	bool in_tree; /* a pointer of a work tree names it, in which it is at path */
};

struct transfer_options {
	struct objects *cache;
	struct remote *remote;
	unsigned jobs; /* how many objects at once; 0: what serves the remote */
	bool verify;   /* what is there already is hashed, and replaced if damaged */
	struct meter *meter; /* its counters begin anew with each phase */
};

/* What happened to an object that is worth a word. */
enum transfer_fate {
	TRANSFER_MISSING,      /* it is on neither side */
	TRANSFER_WRONG_CACHE,  /* damaged in the cache */
	TRANSFER_WRONG_REMOTE, /* damaged on the remote */
	TRANSFER_TROUBLE,      /* it could not be read or written */
	TRANSFER_HELD,	       /* a list that was not sent, for its files */
	TRANSFER_REPLACED,     /* damaged where it was, and replaced: no failure */
	TRANSFER_FATES
};

struct transfer_note {
	enum transfer_fate fate;
	struct object_id id;
	char *path;	/* a path of the work tree that has it; NULL: none is known */
	struct err err; /* what and where, and the way out */
};

struct transfer_report {
	uint64_t objects, bytes; /* moved: durable on the other side */
	uint64_t there;		 /* were there already */
	uint64_t checked;	 /* of them hashed and found right (verify) */
	uint64_t fates[TRANSFER_FATES];
	bool made;			 /* the remote's directory was made */
	VEC(struct transfer_note) notes; /* the first TRANSFER_NOTES_MAX of each fate */
};

/**
 * transfer_push(opt, v, n, report, err), transfer_fetch(opt, v, n, report, err):
 * Bring what the ${n} wants need from the cache to the remote, or from the remote into the
 * cache.  ${report} (zeroed) tells what happened, also after -1; it is to be released.
 * Return 0 if the call went through, with every single failure in the report
 * (transfer_failures), or -1 with what ended it.
 */
int transfer_push(const struct transfer_options *, const struct transfer_want *, size_t,
		  struct transfer_report *, struct err *);
int transfer_fetch(const struct transfer_options *, const struct transfer_want *, size_t,
		   struct transfer_report *, struct err *);

/**
 * transfer_runs(opt, push, report, err):
 * Bring the run cache to the remote, or from there, as far as it is not there: each file is
 * read whole and moved only if it is what its names say.  With opt->verify what is there is read
 * too, and replaced if it is not.  As transfer_push.
 */
int transfer_runs(const struct transfer_options *, bool, struct transfer_report *,
		  struct err *);

/**
 * transfer_failures(report):
 * Return how many objects are not where they should be, or are damaged.
 */
uint64_t transfer_failures(const struct transfer_report *);

/**
 * transfer_report_release(report):
 * Free what ${report} holds and zero it.
 */
void transfer_report_release(struct transfer_report *);

/* Where an object is. */
enum transfer_state {
	TRANSFER_OK,	  /* on both sides */
	TRANSFER_NEW,	  /* in the cache only */
	TRANSFER_DELETED, /* on the remote only */
	TRANSFER_ABSENT	  /* on neither */
};

/**
 * transfer_status_fn(arg, want, path, id, state):
 * Called for each want with ${path} NULL and, for a directory, before that for each of its
 * files with its path in the directory.  Return 0; anything else ends the call with that.
 */
typedef int transfer_status_fn(void *, const struct transfer_want *, const char *,
			       const struct object_id *, enum transfer_state);

/**
 * transfer_status(opt, v, n, fn, arg, report, err):
 * Tell where the objects of the wants are, by one look at each side; nothing is read but the
 * lists.  A remote whose directory does not exist has nothing.  Return 0, what ${fn} returned,
 * or -1.
 */
int transfer_status(const struct transfer_options *, const struct transfer_want *, size_t,
		    transfer_status_fn *, void *, struct transfer_report *, struct err *);

/**
 * transfer_select(v, n, remote, usual, push):
 * Move the wants that belong to the remote ${remote} to the front of ${v} and return how many
 * they are: those that name it, and if it is the ${usual} one those that name none; without
 * those that are not pushed, if it is for a ${push}.
 */
size_t transfer_select(struct transfer_want *, size_t, const char *, const char *, bool);

#endif
