#ifndef DAG_STORE_OBJECTS_INDEX_INTERNAL_H
#define DAG_STORE_OBJECTS_INDEX_INTERNAL_H
/*
 * For store/objects/index*.c only.
 */
#include <pthread.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "store/db.h"
#include "store/objects/index.h"

/* A directory that single facts were asked or noted about. */
struct index_noted {
	char *path;
	bool loaded;
	struct index_dir dir;	  /* what is stored, if loaded */
	struct index_chunk *news; /* one chunk, or NULL */
};

struct index {
	pthread_mutex_t lock;
	char *path;
	struct db db;
	bool open, writable;
	bool still; /* nothing is written */
	dev_t dev;  /* of the file that is open */
	ino_t ino;
	struct err trouble;
	uint8_t boot[INDEX_BOOT];
	VEC(struct index_write) pending; /* copies of ours */
	size_t pending_bytes;
	struct map noted; /* of struct index_noted by path */
	size_t noted_bytes;
};

/* The lock is held for all of these. */

/**
 * index_failed(ix, err):
 * An error of the database: what is damaged is thrown away and made anew, what is full is not
 * written to any more, anything else is left alone.
 */
void index_failed(struct index *, const struct err *);

/**
 * index_write_pending(ix):
 * Write the rows that wait.
 */
void index_write_pending(struct index *);

/**
 * index_write_rows(ix, v, n):
 * One transaction.
 */
void index_write_rows(struct index *, const struct index_write *, size_t);

/**
 * index_read_rows(ix, path, below, out, err):
 * The rows of ${path}, and with ${below} of all below it.  Return 0, or -1 if memory ran out.
 */
int index_read_rows(struct index *, const char *, bool, struct index_loaded *,
		    struct err *);

/**
 * index_write_noted(ix), index_drop_noted(ix):
 * Write what was noted; forget it.
 */
void index_write_noted(struct index *);
void index_drop_noted(struct index *);

#endif
