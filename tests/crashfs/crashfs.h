#ifndef TESTS_CRASHFS_H
#define TESTS_CRASHFS_H
/*
 * A file system that loses its power.
 *
 * record.c stands between the program (with SQLite) and the kernel and writes down what is
 * done to the files of one directory: writes, truncations, names made, removed and changed,
 * syncs of files and of the directory, and what was acknowledged in between.  It stands below
 * SQLite's own VFS, so that what that VFS does (whether it syncs the directory of a new log) is
 * under test and not modelled.  Locks and the shared memory beside the database are not files
 * to a power loss and are left out.
 *
 * disk.c knows what may be on the disk if the power goes at a point of that log: what was
 * synced for sure; of the rest any part, in any order, torn at sectors.
 *
 * work.c and batch.c play a script of calls of the store and remember what the database held
 * after each acknowledged one.  check.c opens such a disk as the store does and judges it.  files.c
 * does the same for files that are replaced whole.  main.c goes through every point of every
 * log.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRASH_NAME 32 /* bytes of a file's name */

/* Our own mistake, or the machine's. */
_Noreturn void die(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Memory or death. */
void *must_alloc(size_t);
void *must_grow(void *, size_t);

/* A sequence that depends on ${seed} only. */
uint64_t rng_next(uint64_t *seed);
unsigned rng_below(uint64_t *seed, unsigned n);

/* ---- the log ---- */

enum crash_kind {
	CRASH_WRITE,
	CRASH_TRUNCATE,
	CRASH_SYNC,
	CRASH_CREATE,
	CRASH_UNLINK,
	CRASH_RENAME,
	CRASH_SYNC_DIR,
	CRASH_ACK, /* the caller was told that it is done */
	CRASH_KINDS
};

struct crash_op {
	enum crash_kind kind;
	unsigned file;	/* not its name, which may change */
	size_t at, len; /* truncate: len is the new size */
	uint8_t *data;
	char name[CRASH_NAME], to[CRASH_NAME];
};

struct crash_log {
	struct crash_op *v;
	size_t n, cap;
	unsigned nfiles, nbase; /* the first nbase were there before, durable */
	struct crash_base {
		char name[CRASH_NAME];
		uint8_t *p;
		size_t n;
	} * base;
	size_t acks;
};

/* Write down from now on what is done to the directory ${dirfd}; or no more, and die if the
 * log does not add up to what the directory holds. */
void record_start(struct crash_log *, int dirfd);
void record_stop(void);

/* What the shim's code calls in place of syscall(2); always six arguments. */
long witness_syscall(long, ...);

/* The call that ran has been acknowledged. */
void record_ack(void);

void crash_log_free(struct crash_log *);

/* ---- the disk ---- */

enum crash_fate {
	FATE_KEPT,    /* all of it is there: nobody but the program died */
	FATE_LOST,    /* nothing but what was synced */
	FATE_LAST,    /* all is there but sectors of the last write */
	FATE_SOME,    /* each write as a whole, or not */
	FATE_SECTORS, /* each sector of each write, or not */
	FATE_ZEROS,   /* the same, and sizes have run ahead: zeros in their place */
	FATE_JUNK,    /* the same, and what lies behind the durable end is noise */
	FATES
};

struct crash_how {
	enum crash_fate data, names;
	unsigned sector;
	uint64_t seed;
	/* Negative controls: this kind of sync says that it is done, and does nothing. */
	bool file_sync_lies, dir_sync_lies;
};

struct crash_disk;
struct crash_image {
	unsigned n;
	struct {
		char name[CRASH_NAME];
		uint8_t *p; /* of the disk; until its next image */
		size_t n;
	} files[16];
	uint64_t hash;
};

/* The disk at the beginning of ${log}; the next operation of the log happens; what may be
 * found on it if the power goes now. */
struct crash_disk *disk_new(const struct crash_log *, const struct crash_how *lies);
void disk_step(struct crash_disk *);
size_t disk_acked(const struct crash_disk *);
void disk_image(struct crash_disk *, const struct crash_how *, struct crash_image *);
void disk_free(struct crash_disk *);

/* Make the directory hold the image and nothing else; ${dirfd}. */
void image_write(const struct crash_image *, int dirfd);

/* ---- the work ---- */

struct meta;
struct project;

/* Make an empty directory in memory and write its path.  The project of a directory that is
 * its own state directory; nothing is probed.  Closing removes the directory. */
void place_make(char *dir, size_t room);
void place_open(struct project *, const char *dir);
void place_close(struct project *);

struct crash_states {
	uint64_t *v; /* digest of the database after the ith acknowledged call */
	size_t n;
};

struct crash_work {
	const char *name;
	const char *script; /* work.c */
	uint64_t seed;
	/* Negative controls. */
	bool normal; /* PRAGMA synchronous = NORMAL */
	bool halves; /* the end of a run and its event in two transactions */
};

/* Play the script in ${p}, an empty place, and log it. */
void work_play(const struct crash_work *, const struct project *, struct crash_log *,
	       struct crash_states *);

/* A script of ${n} letters. */
void work_random(uint64_t seed, char *out, size_t n);

/* ---- judging ---- */

/* The digest of all rows of the database. */
uint64_t check_digest(struct meta *);

/* What the database must never hold; 0 or the reason in ${why}. */
int check_invariants(struct meta *, char *why, size_t room);

/* Open ${p} and close it: the recovery alone. */
void check_recover(const struct project *);

/*
 * Recover ${p} as the store does, twice.  What is found must be the state after ${acked}
 * calls, or after one more.  ${thorough}: a reader comes first, and work goes on after.  0 or
 * the reason.
 */
int check_place(const struct project *, const struct crash_states *, size_t acked,
		bool thorough, char *why, size_t room);

/* ---- whole files ---- */

/* Check base/fsio.h and the exit record; 0 if all is as promised. */
int files_check(unsigned seeds);

#endif
