#ifndef DAG_STORE_OBJECTS_DIGEST_H
#define DAG_STORE_OBJECTS_DIGEST_H
/*
 * What a worker needs to name bytes: an MD5 context and a buffer of 1 MiB, made once and used
 * for file after file.  The legacy hash of DVC 2 takes each whole MiB of a file by itself: if
 * its first 512 bytes look like text, every CRLF in it counts as LF.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct err;
struct meter;

#define DIGEST_CHUNK ((size_t)1 << 20)

struct digest {
	struct hash *hash;
	uint8_t *buf; /* DIGEST_CHUNK bytes */
};

/**
 * digest_init(d, err), digest_release(d):
 * Make one ready; free what it holds (a zeroed one holds nothing).  Return 0 or -1.
 */
int digest_init(struct digest *, struct err *);
void digest_release(struct digest *);

/**
 * digest_chunk(d, p, n, legacy):
 * Feed bytes.  With ${legacy} each call must be a whole MiB of the file, and the last what is
 * left.  Return 0 or -1.
 */
int digest_chunk(struct digest *, const uint8_t *, size_t, bool);

/**
 * digest_end(d, id):
 * Write the hash into the md5 of ${id}, whose other members stay, and begin anew.  Return 0
 * or -1.
 */
int digest_end(struct digest *, struct object_id *);

/**
 * digest_fill(fd, p, max, size, n):
 * Read until ${max} bytes are there or the file ends, their count into ${n}.  When ${size}
 * bytes were read, the number that is left by what stat(2) told (UINT64_MAX: not known), or
 * more, that is taken for the end.  Return 0, or -1 with errno.
 */
int digest_fill(int, uint8_t *, size_t, uint64_t, size_t *);

/**
 * digest_left(left, n):
 * What is left of ${left} bytes (UINT64_MAX: not known) when ${n} were read: 0 is the end,
 * also where more was read than there should be, as a file that grows has no other.
 */
uint64_t digest_left(uint64_t, size_t);

/**
 * digest_feed(d, fd, legacy, size, meter, err):
 * Feed the file open as ${fd} from its offset to its end.  ${size} says how much that is by
 * what stat(2) told (UINT64_MAX: not known), and afterwards how much was read.  Return 0 or
 * -1 (ERR_CANCELLED by the meter).
 */
int digest_feed(struct digest *, int, bool, uint64_t *, struct meter *, struct err *);

/**
 * digest_fd(d, fd, legacy, size, meter, id, err):
 * The same, and its hash into ${id} as digest_end does; on failure too the digest begins anew.
 */
int digest_fd(struct digest *, int, bool, uint64_t *, struct meter *, struct object_id *,
	      struct err *);

/**
 * digest_is_text(p, n):
 * Return whether the first ${n} bytes of a file are text for DVC: no NUL in them, and at most 30 %
 * that is no printable ASCII.
 */
bool digest_is_text(const uint8_t *, size_t);

#endif
