#ifndef DAG_STORE_OBJECTS_INDEX_H
#define DAG_STORE_OBJECTS_INDEX_H
/*
 * The index: which hash a file had that looked as it looks now, so that nothing is read twice.
 * One SQLite file (`index.db` in the state directory) with a row for each directory
 * (index_row.h): those of the work tree by their paths relative to the root, those of a cache
 * whose objects were found right by their absolute paths.  A file that is tracked by itself
 * has a row of its own, under its own path, with one entry of no name.
 *
 * It is a cache of facts, each with a checksum, and may be deleted at any time:
 * 1. What it says is right or it says nothing.  What cannot be read, is damaged or of another
 *    version is thrown away without a word and made anew.
 * 2. What cannot be written (a disk that is full, a project that is read-only, another
 *    process that does not let go) is left out.  Nothing fails because of the index but for
 *    memory.
 * 3. Two processes that write at once lose, at the worst, what one of them knew.
 *
 * What is believed.  A file is the one that the index knows if size, mtime, ctime and inode are
 * equal (git's rule).  The kernel stamps with a clock that ticks: two writes within one tick
 * leave the same times, so what was hashed less than a tick (INDEX_TICK_NS; more where file
 * systems have clocks of their own) after its ctime is kept as racy and hashed again.  As no
 * call can set ctime, this holds for files whose mtime is set back, too.  What was written
 * shortly before a power loss may come back with old bytes and new times, so a fact about a
 * file of the last two minutes holds only in the same boot.  What escapes: bytes written
 * through a shared mapping after the kernel stamped the file for it.
 *
 * An index may be used by several threads at once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/index_dir.h"

struct arena;
struct err;
struct index;
struct object_id;
struct objects;

/**
 * index_open(path, out, err):
 * Open the index in the file ${path} (its directory must exist for it to be kept).  Return
 * 0; -1 only if memory ran out.
 */
int index_open(const char *, struct index **, struct err *);

/**
 * index_open_still(path, out, err):
 * The same for who may write nothing: what is noted is forgotten, what is damaged stays.
 */
int index_open_still(const char *, struct index **, struct err *);

/**
 * index_close(ix):
 * Write what was noted, close and free.  NULL is allowed.
 */
void index_close(struct index *);

/**
 * index_trouble(ix):
 * Return why the index cannot be read or written, as a sentence for a diagnosis, or NULL.
 */
const char *index_trouble(const struct index *);

/**
 * index_boot(ix):
 * Return this boot's id, INDEX_BOOT bytes.
 */
const uint8_t *index_boot(const struct index *);

/* ---- single facts ---- */

/*
 * What was found out about a file.  One that was made under another name, got an mtime before
 * since_ns (link_what.since_ns) and then its name is known though its ctime is new: whoever
 * writes it leaves an mtime of since_ns or later.
 */
struct index_fact {
	struct index_stat st;
	const struct object_id *id;
	bool link;	  /* reached by a symbolic link */
	bool made;	  /* put there by who tells it, see below */
	int64_t since_ns; /* clock_stamp_ns before its bytes were looked at */
	int64_t tick_ns;  /* how finely its file system stamps: index_tick */
};

/**
 * index_known(ix, dir, name, st, id):
 * Return true with the hash in ${id} (of a file, not of a list) if a file ${name} of the directory ${dir} is known to
 * have looked like ${st}.
 */
bool index_known(struct index *, const char *, const char *, const struct index_stat *,
		 struct object_id *);

/**
 * index_note(ix, dir, name, fact):
 * Remember it: it is known after index_flush.
 */
void index_note(struct index *, const char *, const char *, const struct index_fact *);

/* ---- whole directories in a store ---- */

/* To ask costs so many looks: for a list of fewer files look at those. */
#define INDEX_WHOLE_MIN 256

/* What the directories of a store looked like. */
struct index_view {
	uint8_t digest[16];
	bool old; /* none of them has changed within this tick: it can be remembered */
	bool known;
};

/**
 * index_whole(ix, o, id, view):
 * Return whether the store ${o} is known to have all files of the list ${id}: it was found to,
 * and no name has come or gone since.  What it looks like is put into ${view}.
 */
bool index_whole(struct index *, const struct objects *, const struct object_id *,
		 struct index_view *);

/**
 * index_note_whole(ix, o, id, view):
 * Remember that it has all of them, found out after index_whole gave the view.
 */
void index_note_whole(struct index *, const struct objects *, const struct object_id *,
		      const struct index_view *);

/**
 * index_flush(ix):
 * Write what was noted.
 */
void index_flush(struct index *);

/**
 * index_forget(ix, path):
 * Drop what is known of ${path} and all below it.
 */
void index_forget(struct index *, const char *);

/* ---- raciness ---- */

#define INDEX_TICK_NS \
	((int64_t)20 * 1000000) /* two ticks of the slowest kernel's clock */

/**
 * index_tick(fd), index_tick_at(path):
 * How many nanoseconds may lie between two stamps that are the same, on the file system of
 * ${fd}, or of the file ${path}: a tick of the kernel's, or a minute where another machine's
 * clock stamps or nothing is known.
 */
int64_t index_tick(int);
int64_t index_tick_at(const char *);

/**
 * index_flags(st, since_ns, tick_ns):
 * INDEX_RACY and INDEX_YOUNG as they hold for bytes that were looked at since then.
 */
unsigned index_flags(const struct index_stat *, int64_t, int64_t);

/**
 * index_flags_made(st, since_ns, tick_ns):
 * The same for a file that was made since then.
 */
unsigned index_flags_made(const struct index_stat *, int64_t, int64_t);

/* ---- whole directories, for scan.h ---- */

/* What is stored of a path and all below it. */
struct index_loaded {
	struct arena *arena;
	struct index_path *first, *last;
	struct index_path **slots; /* by path */
	size_t n, mask;
};

struct index_path {
	struct index_path *next;
	const char *path;
	size_t len;
	struct index_raw *raws;
	bool used; /* for who loads: the path is still there */
};

/**
 * index_load(ix, path, out, err), index_loaded_find(l, path, len), index_loaded_release(l):
 * Read all stored rows of ${path} and below it (${ix} may be NULL: none), find one path, free.
 * load returns 0, or -1 if memory ran out.
 */
int index_load(struct index *, const char *, struct index_loaded *, struct err *);
struct index_path *index_loaded_find(const struct index_loaded *, const char *, size_t);
void index_loaded_release(struct index_loaded *);

/* The part that holds the name of a tree; to delete all, and all but that. */
#define INDEX_PART_TREE (-1)
#define INDEX_PART_ALL	(-2)
#define INDEX_PART_ROWS (-3)

struct index_write {
	const char *path;
	size_t len;
	int64_t part;
	const void *p; /* NULL: delete */
	size_t n;
};

struct index_writes {
	struct index_write *v;
	size_t n, cap;
};

/**
 * index_dir_writes(d, out):
 * Append what has to be written of the sealed ${d}, whose memory it points to.  Return 0, or
 * -1 if memory ran out.
 */
int index_dir_writes(const struct index_dir *, struct index_writes *);

/**
 * index_store(ix, v, n):
 * Write ${n} rows together (small ones a little later, with others).
 */
void index_store(struct index *, const struct index_write *, size_t);

#endif
