#ifndef DAG_STORE_OBJECTS_SCAN_INTERNAL_H
#define DAG_STORE_OBJECTS_SCAN_INTERNAL_H
/*
 * For store/objects/scan*.c only.
 *
 * A scan is two passes over a pool of workers.  The first walks: a task is a directory to be
 * read, or a slice of the names of one to be looked at.  When the last slice of a directory is
 * done its rows are what is there now, with the entries marked that are not known.  The second
 * reads: a task is some marked entries of one row.  What the index is told comes at the end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "store/objects/digest.h"
#include "store/objects/index.h"
#include "store/objects/scan.h"

struct arena;

/* ---- the pool ---- */

struct task {
	struct task *next;
	unsigned kind; /* enum task_kind */
};

enum task_kind { TASK_DIR, TASK_SLICE, TASK_READ };

struct worker {
	struct scan_state *s;
	struct arena *arena;  /* of what lives as long as the scan */
	struct digest digest; /* made when first needed */
	uint8_t *dents;	      /* what getdents64 fills */
	/* The second pass: the directory that is open, and how a file system stamps. */
	struct scan_dir *at;
	int fd;
	dev_t dev;
	int64_t tick_ns; /* 0: not known yet */
	pthread_t thread;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct task *tasks; /* the last one first */
	unsigned waiting, busy;
	unsigned started, max;
	bool stop;
	void (*run)(struct worker *, struct task *);
	struct worker workers[SCAN_WORKERS_MAX]; /* [0] is the caller */
};

/**
 * pool_run(p, run):
 * Do all tasks, and those they push, in this thread and others that are started as tasks
 * wait.
 */
void pool_run(struct pool *, void (*)(struct worker *, struct task *));

/**
 * pool_push(p, t):
 * Add a task, to be done before those that are there.
 */
void pool_push(struct pool *, struct task *);

/**
 * pool_stop(p):
 * Let no more tasks begin.
 */
void pool_stop(struct pool *);

/* ---- a scan ---- */

struct scan_dir {
	struct task task;
	struct scan_dir *next; /* of all, in the order they were found */
	const char *path;      /* relative to the root */
	const char *key;       /* in the index */
	size_t len, keylen;
	const char
	    *leaf; /* a file that is scanned by itself: its name; the key is its own */
	unsigned depth; /* components below the scanned directory */
	int fd;		/* open while anybody reads or looks */
	_Atomic unsigned refs;
	struct index_path *stored; /* NULL: nothing is */
	struct index_dir known;	   /* what is stored, then what is there */
	struct index_chunk *news;  /* under the lock of the scan */
	void *ignore;
};

/* Names of one directory. */
#define SLICE_NAMES 256
#define SLICE_BYTES 8192

struct slice {
	struct task task;
	struct scan_dir *dir;
	unsigned n;
	size_t used;
	char
	    names[SLICE_BYTES]; /* d_type and the name with its NUL, one behind another */
};

/* Some marked entries of one row. */
struct reading {
	struct task task;
	struct scan_dir *dir;
	struct index_row *row;
	size_t at;  /* the first */
	unsigned n; /* of marked ones */
};

struct scan_state {
	struct scan_options o;
	struct scan *scan;
	struct pool pool;
	struct index_loaded stored;
	int64_t now_ns; /* when it began */
	uint8_t boot[INDEX_BOOT];
	pthread_mutex_t lock;
	struct scan_dir *dirs; /* the last found first */
	struct scan_dir *top;
	struct err fatal; /* why it all ends */
	_Atomic bool failed, unlisted;
	_Atomic uint64_t files, known, hashed;
};

/* ---- looking at one name ---- */

enum look {
	LOOK_FILE,
	LOOK_LINK,
	LOOK_DIR,
	LOOK_DIRLINK,
	LOOK_NONE,
	LOOK_BROKEN,
	LOOK_ODD,
	LOOK_FAILED
};

/**
 * scan_look(dirfd, name, st, state):
 * Find out what ${name} is; for a file, or a link to one, its ${st} and ${state}.
 * LOOK_FAILED leaves errno.
 */
enum look scan_look(int, const char *, struct stat *, struct index_stat *);

/* Whether anybody may execute it. */
static inline bool
scan_is_exec(const struct stat *st)
{
	return (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

/* ---- failures ---- */

/**
 * scan_fail(s, err):
 * End the scan.
 */
void scan_fail(struct scan_state *, const struct err *);

/**
 * scan_problem(s, dir, name, code, errnum, what):
 * Remember that something about ${name} (NULL: the directory itself) stands against the scan:
 * that it cannot be read because of ${errnum}, or if that is 0 the text, which follows its path.
 */
void scan_problem(struct scan_state *, const struct scan_dir *, const char *,
		  enum err_code, int, const char *) __attribute__((nonnull(1, 2, 6)));

/**
 * scan_look_problem(s, dir, name, what):
 * The same for what scan_look says.
 */
void scan_look_problem(struct scan_state *, const struct scan_dir *, const char *,
		       enum look);

/* ---- the passes ---- */

/**
 * scan_dir_new(w, path, len, depth):
 * Make a directory, whose ${path} lives as long as the scan.  Return it, or NULL with the
 * scan failed.
 */
struct scan_dir *scan_dir_new(struct worker *, const char *, size_t, unsigned);

/**
 * scan_dir_begin(s, dir):
 * Open what the index knows of it.  Return 0, or -1 with the scan failed.
 */
int scan_dir_begin(struct scan_state *, struct scan_dir *);

/**
 * scan_name_ok(s, dir, name, len):
 * Return whether the name can be in a list; a problem says why not.
 */
bool scan_name_ok(struct scan_state *, struct scan_dir *, const char *, size_t);

/**
 * scan_file_add(s, dir, name, len, what, st, state, chunk):
 * Take a file for known, or add it to ${chunk}.  Return 0, or -1 with the scan failed.
 */
struct slice_counts {
	uint64_t files, known;
};
int scan_file_add(struct scan_state *, struct scan_dir *, const char *, size_t, enum look,
		  const struct stat *, const struct index_stat *, struct index_chunk **,
		  struct slice_counts *);

/**
 * scan_dir_done(s, dir):
 * Give one reference back; the last makes the rows.
 */
void scan_dir_done(struct scan_state *, struct scan_dir *);

/**
 * scan_walk(w, t), scan_read(w, t):
 * The tasks of the first and the second pass.
 */
void scan_walk(struct worker *, struct task *);
void scan_read(struct worker *, struct task *);

/**
 * scan_plan(s):
 * Make the tasks of the second pass.  Return 0, or -1 with the scan failed.
 */
int scan_plan(struct scan_state *);

/**
 * scan_finish(s, err):
 * Seal the rows, sum up, name the tree, tell the index.  Return 0 or -1.
 */
int scan_finish(struct scan_state *, struct err *);

#endif
