#ifndef DAG_STORE_OBJECTS_INDEX_ROW_H
#define DAG_STORE_OBJECTS_INDEX_ROW_H
/*
 * What the index knows of the files of one directory, packed into one run of bytes as it is
 * stored (little endian):
 *
 *	0	16	the first half of SHA-256 over where the row belongs and all that follows
 *	16	16	the boot that wrote it (zeros: not known)
 *	32	4	how many entries
 *	36	1	INDEX_VERSION
 *	37	1	the logarithm of the number of rows that the directory is split into
 *	38	2	zero
 *	40		the entries, in no order: flags 1, length of the name 1, md5 16, size 8,
 *			mtime 8, ctime 8, inode 8, the name
 *
 * To change the layout: change INDEX_VERSION; rows of another one are thrown away.
 *
 * Invariants of a stored row
 * 1. An entry without INDEX_RACY states a fact: a file with these times, this size and inode
 *    had, whenever it had them, the bytes with this hash.
 * 2. With INDEX_RACY it may have had others too, written within the same tick of the clock:
 *    nobody believes it.
 * 3. With INDEX_YOUNG the fact holds in the boot that wrote the row: the bytes may not have
 *    reached the disk, and a power loss brings back others under the same times.
 * 4. A name is there once, is UTF-8 and lies in the row that its hash points to.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;

#define INDEX_VERSION  1
#define INDEX_NAME_MAX 255
#define INDEX_BOOT     16
#define INDEX_ROW_HEAD ((size_t)40) /* where the first entry lies */

enum {
	INDEX_LINK =
	    1 << 0, /* a symbolic link to a file: the stat is of what it leads to */
	INDEX_RACY = 1 << 1,   /* see above */
	INDEX_YOUNG = 1 << 2,  /* see above */
	INDEX_LEGACY = 1 << 3, /* the hash is that of DVC 2 */
	INDEX_STORED = INDEX_LINK | INDEX_RACY | INDEX_YOUNG | INDEX_LEGACY,
	/* Of rows in memory only. */
	INDEX_HASH = 1 << 4, /* the hash is still to be made */
	INDEX_COPY = 1 << 5, /* its object is still to be made */
	INDEX_GONE = 1 << 6  /* no file any more */
};

/* What tells one state of a file from another.  Times beyond the year 2262 wrap around. */
struct index_stat {
	uint64_t size;
	int64_t mtime_ns, ctime_ns;
	uint64_t ino; /* of a link: a mix of its own times and inode and its target's */
};

struct index_entry {
	const char *name; /* not terminated; borrowed */
	size_t len;
	unsigned flags;
	uint8_t md5[16];
	struct index_stat st;
};

struct index_row {
	uint8_t *p; /* as stored, malloc'ed */
	size_t len, cap;
	uint32_t n;
	uint32_t *at;	 /* where each entry lies; NULL: not opened */
	uint32_t *slots; /* a hash table of them */
	uint32_t mask;
	uint8_t *seen; /* one byte an entry, for who compares; zeroed */
	bool touched;  /* to be written anew, though its files are the same */
	bool changed;  /* it is not what is stored */
};

/* Where a row belongs. */
struct index_key {
	const char *path;
	size_t len;
	uint32_t part;
};

/**
 * index_stat_of(st, link, out):
 * Take from ${st} what counts; ${link} is the lstat(2) where it is reached by a symbolic
 * link, else NULL.
 */
void index_stat_of(const struct stat *, const struct stat *, struct index_stat *);

/**
 * index_stat_equal(a, b):
 * Return whether both are the same state of a file.
 */
bool index_stat_equal(const struct index_stat *, const struct index_stat *);

/**
 * index_name_hash(name, len):
 * The hash that decides in which row of a directory a name lies.
 */
uint64_t index_name_hash(const char *, size_t);

/**
 * index_row_init(row, boot, split):
 * Begin a new row: one of 1 << ${split}.  Return 0, or -1 if memory ran out.
 */
int index_row_init(struct index_row *, const uint8_t[INDEX_BOOT], unsigned);

/**
 * index_row_add(row, e):
 * Append an entry; its name is not looked for.  Return 0, or -1 if memory ran out.
 */
int index_row_add(struct index_row *, const struct index_entry *);

/**
 * index_row_index(row):
 * Make what index_row_find and seen need.  Of two entries with one name the second gets
 * INDEX_GONE.  Return 0; 1 if the entries do not fill the row; -1 if memory ran out.
 */
int index_row_index(struct index_row *);

/**
 * index_row_unindex(row):
 * Free that again.
 */
void index_row_unindex(struct index_row *);

/**
 * index_row_seal(row, key):
 * Drop the entries that are gone or have no hash, and set the checksum.  What
 * index_row_index made is freed.  Return 0, or -1 if memory ran out.
 */
int index_row_seal(struct index_row *, const struct index_key *);

/**
 * index_row_open(row, p, n, key):
 * Take over the ${n} malloc'ed bytes at ${p}, as stored under ${key}, and index them.  Return
 * 0; 1 if they are not a row of ours, or not of this key (they are freed then); -1 if memory
 * ran out (freed as well).
 */
int index_row_open(struct index_row *, uint8_t *, size_t, const struct index_key *);

/**
 * index_row_release(row):
 * Free what it holds; a zeroed one holds nothing.
 */
void index_row_release(struct index_row *);

/**
 * index_row_find(row, name, len, hash):
 * Return the number of the entry with that name, or UINT32_MAX.
 */
uint32_t index_row_find(const struct index_row *, const char *, size_t, uint64_t);

/**
 * index_row_get(row, at, e), index_row_set(row, at, e):
 * Read the entry at ${at} bytes (the name points into the row), and overwrite all of it but
 * the name.
 */
void index_row_get(const struct index_row *, size_t, struct index_entry *);
void index_row_set(struct index_row *, size_t, const struct index_entry *);

/**
 * index_row_next(row, at, e):
 * Read the entry at ${at} (0: the first) and set ${at} to the next.  Return false behind the
 * last.
 */
bool index_row_next(const struct index_row *, size_t *, struct index_entry *);

/**
 * index_row_boot(row), index_row_split(row), index_row_digest(row):
 * What its head says.
 */
const uint8_t *index_row_boot(const struct index_row *);
unsigned index_row_split(const struct index_row *);
const uint8_t *index_row_digest(const struct index_row *);

/*
 * Beside the rows of a directory whose tree has a name as an object: what it is called, as
 * long as the rows of all directories in it have the digests that `key` was made from.
 */
struct index_tree {
	uint8_t key[16], md5[16];
};
#define INDEX_TREE ((size_t)48)

/**
 * index_tree_pack(key, t, out), index_tree_unpack(key, p, n, t):
 * As stored, with a checksum.  pack returns 0, or -1 if memory ran out; unpack whether it is
 * sound.
 */
int index_tree_pack(const struct index_key *, const struct index_tree *,
		    uint8_t[INDEX_TREE]);
bool index_tree_unpack(const struct index_key *, uint8_t *, size_t, struct index_tree *);

#endif
