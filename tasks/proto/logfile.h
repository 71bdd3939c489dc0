#ifndef DAG_TASKS_PROTO_LOGFILE_H
#define DAG_TASKS_PROTO_LOGFILE_H
/*
 * The log of an attempt: stdout and stderr in one stream of bytes, after masking.  An offset
 * is always one of that stream.  Of a limit of L bytes `log` holds the first H = L / 2 as
 * they are; what follows goes round in `log.tail`, which starts with
 *
 *	offset	size
 *	0	8	"DAGTAIL1"
 *	8	8	H: offset of the first byte that went into the ring
 *	16	8	C = L - H: capacity of the ring in bytes
 *	24	8	S: the most bytes that one step of the writer overwrites before it
 *			raises W
 *	32	8	W: bytes put into the ring so far
 *	40	4	1: closed, nothing is being written any more; else 0
 *	44	4	0
 *	48	8	checksum of bytes 0-47
 *	56	8	0
 *	64		the ring: the byte at stream offset o >= H lies at 64 + (o - H) % C
 *
 * all little endian.  A byte o is in the ring if H + W - C <= o < H + W; while it is not
 * closed the oldest S bytes of a full ring may be in the middle of being overwritten and do
 * not count.  A reader looks at the header before and after it reads bytes and keeps only
 * what counts by both.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define LOG_TAIL_MAGIC	"DAGTAIL1"
#define LOG_TAIL_HEADER 64
#define LOG_TAIL_STEP	((uint64_t)64 << 10)

struct log_tail {
	uint64_t head;
	uint64_t capacity;
	uint64_t step;
	uint64_t written;
	bool closed;
};

/**
 * log_tail_encode(t, out), log_tail_decode(t, p):
 * Write or read a header.  decode returns 0, or -1 if it is not a whole one.  Compiled into
 * the shim: no allocation, no stdio.
 */
void log_tail_encode(const struct log_tail *, unsigned char out[LOG_TAIL_HEADER]);
int log_tail_decode(struct log_tail *, const unsigned char p[LOG_TAIL_HEADER]);

struct log_chunk {
	uint64_t gap;	 /* bytes between the offset asked for and the first one read */
	uint64_t offset; /* of the first byte read: asked offset + gap */
	size_t n;	 /* bytes read; 0: there is nothing (more) for now */
	uint64_t end;	 /* where the log ends for now */
};

/**
 * log_read(dirfd, offset, p, cap, chunk, err):
 * Read at most ${cap} bytes of the log of the attempt directory ${dirfd} from stream offset
 * ${offset} on into ${p}.  Bytes that are not kept any more are a gap, told in ${chunk}; the
 * next offset is chunk->offset + chunk->n.  No log is an empty one.  Return 0 or -1.
 */
int log_read(int, uint64_t, char *, size_t, struct log_chunk *, struct err *);

#endif
