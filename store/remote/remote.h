#ifndef DAG_STORE_REMOTE_REMOTE_H
#define DAG_STORE_REMOTE_REMOTE_H
/*
 * A remote: a place elsewhere that keeps objects under the names they have in the cache.  What
 * it is made of (a directory, a bucket) is behind a table of functions; what it says about its
 * objects is believed only as far as "there is something of this name": bytes that come from
 * it are verified by who asked for them (transfer.h).
 *
 * Files that are not objects (DVC's run cache, store/objects/runs.h) are few and small: they have
 * functions of their own, by name and whole.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct meter;
struct object_id;
struct object_set;
struct remote;
struct run_name;
struct run_names;

#define REMOTE_JOBS_MAX 64
#define REMOTE_LEFTOVER_S \
	((int64_t)24 * 3600) /* nobody takes that long to name an object */

enum remote_use { REMOTE_READ, REMOTE_WRITE };

/* All block, and all but begin, flush, end and close may be called by several threads at
 * once.  They return 0 or -1 unless said otherwise; errors name the remote or the path. */
struct remote_ops {
	/* Get ready for what follows, up to end; the meter lives as long.  To read from one
	 * that is not there is ERR_NOTFOUND, to write makes it with the first object. */
	int (*begin)(struct remote *, enum remote_use, struct meter *, struct err *);
	/* Set there[i] to whether there is an object v[i]: all are listed, or each is asked
	 * for, whichever is cheaper. */
	int (*exists)(struct remote *, const struct object_id *v, size_t n,
		      uint8_t *there, struct meter *, struct err *);
	/* Add the names of all objects of DVC 3, or the legacy ones, to the set. */
	int (*list)(struct remote *, bool legacy, struct object_set *, struct meter *,
		    struct err *);
	/* Hand the bytes of an object to the sink in pieces, unverified.  ERR_NOTFOUND if there
	 * is none; where the sink returns other than 0, stop and return -1 without an error. */
	int (*get)(struct remote *, const struct object_id *,
		   int (*sink)(void *, const void *, size_t), void *, struct err *);
	/* Send the file open as ${fd}, from its offset to its end, ${size} bytes by what
	 * stat(2) told; counted in the meter as it goes.  The bytes are hashed meanwhile: with
	 * another hash than the name's, ERR_CORRUPT, and nothing arrives.  With ${replace} an
	 * object that is there is replaced, else it stays.  Nothing is visible for sure, nor
	 * durable, before the flush. */
	int (*put)(struct remote *, const struct object_id *, int fd, uint64_t size,
		   bool replace, struct err *);
	/* Remove an object; one that is not there is fine. */
	int (*remove)(struct remote *, const struct object_id *, struct err *);
	/* What was put is visible and durable, what was removed stays removed. */
	int (*flush)(struct remote *, struct err *);
	/* Remove what writers left that were killed, if it is of a form that only they leave
	 * and was last changed before that many seconds since the epoch: all of it, or only
	 * where something was put since begin.  Who writes may be at another machine, so that
	 * age is all that tells (REMOTE_LEFTOVER_S).  NULL: nothing is ever left. */
	int (*sweep)(struct remote *, bool all, int64_t before_s, struct err *);
	/* The run cache: as runs_list, runs_read and runs_write.  NULL: it keeps none. */
	int (*runs)(struct remote *, struct run_names *, struct err *);
	int (*run_read)(struct remote *, const struct run_name *, struct buf *,
			struct err *);
	int (*run_write)(struct remote *, const struct run_name *, const void *, size_t,
			 struct err *);
	/* Forget what was put and not flushed. */
	void (*end)(struct remote *);
	/* Append where the object lies, for people: a path, a URL. */
	void (*where)(struct remote *, const struct object_id *, struct buf *);
	void (*close)(struct remote *);
};

struct remote {
	const struct remote_ops *ops;
	char *name;    /* as the configuration has it */
	char *url;     /* where it is */
	unsigned jobs; /* how many calls at once serve it best */
	bool in_tree;  /* it lies in the work tree, and would be lost with it */
	bool made;     /* it was not there when this use of it began */
};

/* What the configuration says of one. */
struct remote_spec {
	const char *name;
	const char *url; /* an absolute path, a file:// URL; others are refused by kind */
	const char *root;  /* of the work tree; NULL: none */
	const char *cache; /* the cache's directory, which no remote may be; NULL: none */
	unsigned jobs;	   /* 0: not said */
	bool shared;	   /* directories are made for the group, as cache.shared=group */
	bool version_aware, worktree;
};

/**
 * remote_open(spec, out, err), remote_close(r):
 * Open a remote; it need not exist.  Closing NULL is allowed.  Return 0, or -1 naming the
 * remote: ERR_INVALID for one whose files keep their names (version_aware, worktree), for a
 * kind of URL that we do not speak, and for the cache itself.
 */
int remote_open(const struct remote_spec *, struct remote **, struct err *);
void remote_close(struct remote *);

#endif
