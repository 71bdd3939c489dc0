#ifndef DAG_STORE_OBJECTS_RUNS_H
#define DAG_STORE_OBJECTS_RUNS_H
/*
 * The files of a store that are no objects: DVC's run cache, runs/KE/KEY/VALUE, where both names
 * are SHA-256 (store/dvc/run_cache.h tells of what).  They are small, and taken whole.
 */
#include <stddef.h>

#include "base/vec.h"

struct buf;
struct err;
struct objects;

#define RUN_DIR	     "runs"
#define RUN_NAME_MAX 65			/* bytes of a name, NUL included */
#define RUN_PATH_MAX 140		/* of "runs/KE/KEY/VALUE", NUL included */
#define RUN_FILE_MAX ((size_t)16 << 20) /* bytes of one file */
#define RUNS_MAX     1000000		/* files in a store */

struct run_name {
	char key[RUN_NAME_MAX];
	char value[RUN_NAME_MAX];
};

struct run_names {
	VEC(struct run_name) v;
};

/**
 * runs_list(o, names, err):
 * Append the names of all files, sorted, to the empty ${names}; other files are left out.  A
 * store that is not there has none.  Return 0, or -1: ERR_LIMIT for more than RUNS_MAX.
 */
int runs_list(struct objects *, struct run_names *, struct err *);

/**
 * runs_of(o, key, names, err):
 * Append the names of all files of ${key}, the newest first, to the empty ${names}.  Return 0 or
 * -1 as runs_list.
 */
int runs_of(struct objects *, const char *, struct run_names *, struct err *);

/**
 * runs_path(name, out):
 * Write "runs/KE/KEY/VALUE".
 */
void runs_path(const struct run_name *, char out[RUN_PATH_MAX]);

/**
 * runs_read(o, name, out, err), runs_write(o, name, p, n, err):
 * Append the bytes of a file, as they are, to ${out}; make a file hold these, durably, whatever
 * was there.  Return 0 or -1.
 */
int runs_read(struct objects *, const struct run_name *, struct buf *, struct err *);
int runs_write(struct objects *, const struct run_name *, const void *, size_t,
	       struct err *);

/**
 * runs_note(o, name, p, n, err):
 * As runs_write, but a power loss may take the file away again; then the command is run once more.
 * What lies within RUN_PAGE bytes is not even synced: it is there whole, or empty, or zeros, and such
 * is no run to whom it is read by.
 */
#define RUN_PAGE 4096
int runs_note(struct objects *, const struct run_name *, const void *, size_t,
	      struct err *);

#endif
