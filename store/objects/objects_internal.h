#ifndef DAG_STORE_OBJECTS_INTERNAL_H
#define DAG_STORE_OBJECTS_INTERNAL_H
/*
 * The inside of a store, for store/objects/ only.  Files are named relative to one of two
 * descriptors, of the store's directory (legacy objects) and of its files/md5: the kernel
 * finds "ab/cdef" from there as fast as "cdef" from a descriptor for each of 256 directories.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/objects/digest.h"
#include "store/objects/object_id.h"
#include "store/objects/objects.h"

#define OBJECT_MODE 0444
#define REL_MAX	    (OBJECT_HEX_MAX + 1) /* "ab/cdef...", NUL */
#define TEMP_BYTES  16
#define TEMP_LEN    27 /* ".", 22 letters, ".tmp" */
/* The first bytes, of LINK_OWNER letters, are the same for all of one store that is open. */
#define TEMP_OWNER_BYTES 9
#define TEMP_REL_MAX	 (3 + TEMP_LEN + 1)

#define POOL_MAX 16 /* digests that are kept for the next user */

struct objects {
	char *dir;
	bool shared, readonly;
	mode_t umask;
	pthread_mutex_t lock;  /* of all below */
	_Atomic int root, md5; /* descriptors, -1: not opened yet; read without it */
	struct digest pool[POOL_MAX];
	size_t npool;
	struct object_set *made; /* what batches have written; NULL: nothing yet */
	int64_t made_ns;	 /* clock_stamp_ns() when the last of them had ended */
	uint8_t seed[TEMP_BYTES];
	_Atomic uint64_t temps; /* names of temporaries made so far */
};

/* "ab/cdef..." of an id. */
void object_rel(const struct object_id *, char[REL_MAX]);

/**
 * objects_base(o, legacy, create):
 * Return the descriptor that legacy or other objects are named from, which stays the store's;
 * -1 with errno, ENOENT where the store is not there.
 */
int objects_base(struct objects *, bool, bool);

/**
 * objects_make_dirs(o, path, durable):
 * Make the directory of that absolute path, which is written to and restored, with its parents;
 * with ${durable} those that are new are.  Return 0, or -1 with errno.
 */
int objects_make_dirs(const struct objects *, char *, bool);

/**
 * objects_make_prefix(o, base, rel):
 * Make the directory "ab" that ${rel} begins with.  Return 1 if it is new, 0 if it was there,
 * or -1 with errno.
 */
int objects_make_prefix(const struct objects *, int, const char *);

/**
 * objects_writable(o, err):
 * Return 0, or -1 for a store that was opened for reading only.
 */
int objects_writable(const struct objects *, struct err *);

/**
 * objects_each_name(base, path, fn, arg):
 * Call ${fn}(${arg}, descriptor, name) for each name in the directory until it returns non-zero;
 * one that is not there has none.  Return 0, or -1: with errno, or because ${fn} said so.
 */
int objects_each_name(int, const char *, int (*)(void *, int, const char *), void *);

/**
 * objects_prefix_name(prefix, out):
 * Write the name of the directory of objects whose first byte is ${prefix}: "ab".
 */
void objects_prefix_name(unsigned, char[3]);

/**
 * objects_digest(o, d, err), objects_digest_back(o, d):
 * Take a digest for this thread, ready to begin; give it back as it is.
 */
int objects_digest(struct objects *, struct digest *, struct err *);
void objects_digest_back(struct objects *, struct digest *);

/**
 * objects_note_made(o, names):
 * Remember that *${names} were written and are there; the set may be taken over, and is NULL
 * then.
 */
void objects_note_made(struct objects *, struct object_set **);

/**
 * objects_temp(o, temp), temp_name(temp, out):
 * Choose a new name for a temporary; write it out.
 */
void objects_temp(struct objects *, uint8_t[TEMP_BYTES]);
void temp_name(const uint8_t[TEMP_BYTES], char[TEMP_LEN + 1]);

/**
 * objects_temp_open(o, base, prefix, mode, temp):
 * Make a temporary with a new name, in the directory ${prefix} ("" or "ab/") of ${base}.
 * Return its descriptor, or -1 with errno.
 */
int objects_temp_open(struct objects *, int, const char *, mode_t, uint8_t[TEMP_BYTES]);

/**
 * objects_write(fd, p, n):
 * fsio_write_all by pieces of 128 KiB: for larger ones the kernel looks for larger pages to
 * keep them in, and takes up to four times as long.
 */
int objects_write(int, const void *, size_t);

/**
 * temp_is_name(name):
 * Return whether ${name} is one that a temporary has, of ours or of DVC's.
 */
bool temp_is_name(const char *);

/**
 * objects_wrong(o, id, found, err):
 * Say in ${err} that the bytes of the object ${id} have the hash ${found}.  Return -1.
 */
int objects_wrong(const struct objects *, const struct object_id *,
		  const struct object_id *, struct err *);

/**
 * objects_fault(o, id, errnum, what, err):
 * Say that ${what} ("cannot read") failed with the object.  Return -1.
 */
int objects_fault(const struct objects *, const struct object_id *, int, const char *,
		  struct err *);

#endif
