#ifndef DAG_STORE_OBJECTS_INDEX_DIR_H
#define DAG_STORE_OBJECTS_INDEX_DIR_H
/*
 * All rows of one directory.  One of a few thousand files is one row; a larger one is split
 * by the hashes of the names into 2, 4, 8 ... rows, so that a change of one file writes one
 * of them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/index_row.h"

/* How full a row of several should be, and how full it may get before all are split anew. */
#define INDEX_ROW_FILES	    8192
#define INDEX_ROW_FILES_MAX 32768

/* A row as it was stored. */
struct index_raw {
	struct index_raw *next;
	uint8_t *p; /* malloc'ed; NULL: taken */
	size_t n;
	int64_t part;
};

struct index_dir {
	const char *path; /* the key, borrowed */
	size_t len;
	struct index_row *rows; /* 1 << split of them; NULL: none */
	unsigned split;
	bool whole;	    /* no row is missing */
	bool stored;	    /* there are rows, good or bad ones */
	unsigned old_split; /* of the good ones; beyond any where there are none */
};

/* New entries, in rows that are neither split nor indexed, and freed when used. */
struct index_chunk {
	struct index_chunk *next;
	struct index_row row;
};

/**
 * index_dir_open(d, path, len, raws):
 * Make ready what is stored of the directory ${path}, taking the bytes of ${raws} (NULL:
 * nothing is).  Rows that are damaged or do not fit together are left out.  Return 0, or -1
 * if memory ran out.
 */
int index_dir_open(struct index_dir *, const char *, size_t, struct index_raw *);

/**
 * index_dir_release(d):
 * Free what it holds; a zeroed one holds nothing.
 */
void index_dir_release(struct index_dir *);

/**
 * index_dir_find(d, name, len, e, row):
 * Read the entry of that name.  Return its number in ${row}, or UINT32_MAX.
 */
uint32_t index_dir_find(const struct index_dir *, const char *, size_t,
			struct index_entry *, struct index_row **);

struct index_merge {
	const uint8_t *boot; /* this one's id */
	int64_t now_ns;	     /* by clock_stamp_ns */
	bool keep;	     /* entries that were not seen stay, unless replaced */
	struct index_chunk
	    *chunks; /* new entries; of one that is there twice the first counts */
};

/**
 * index_dir_merge(d, m):
 * Keep the entries that were seen, add the new ones, split anew if need be.  Rows that are
 * not what is stored any more are marked as changed.  Frees the chunks.  Return 0, or -1 if
 * memory ran out.
 */
int index_dir_merge(struct index_dir *, struct index_merge *);

/**
 * index_dir_seal(d):
 * Make the changed rows what is to be stored.  Return 0, or -1 if memory ran out.
 */
int index_dir_seal(struct index_dir *);

/**
 * index_chunks_free(c):
 * Free a list of chunks.
 */
void index_chunks_free(struct index_chunk *);

/**
 * index_is_young(st, now_ns):
 * Return whether bytes with these times may not have reached the disk.
 */
bool index_is_young(const struct index_stat *, int64_t);

#endif
