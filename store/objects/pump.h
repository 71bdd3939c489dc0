#ifndef DAG_STORE_OBJECTS_PUMP_H
#define DAG_STORE_OBJECTS_PUMP_H
/*
 * Large files: read and hashed by one thread while another writes what was read.  The bytes
 * that are hashed are the bytes that are written, whatever becomes of the file meanwhile.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest;
struct err;
struct meter;

#define PUMP_MIN ((uint64_t)8 << 20) /* smaller ones are not worth a thread */

/**
 * pump(d, from, to, legacy, meter, size, err):
 * Copy from the offset of ${from} to its end into ${to}, at its end, feeding the digest on the
 * way; whole MiBs of zeros become holes.  ${size} says how much that is by what stat(2) told
 * (UINT64_MAX: not known), and afterwards how much it was.  Return 0; PUMP_READ
 * or PUMP_WRITE with errno; or -1 with ${err} (ERR_CANCELLED, ERR_NOMEM).  The caller ends the
 * digest.
 */
enum { PUMP_READ = 1, PUMP_WRITE };
int pump(struct digest *, int, int, bool, struct meter *, uint64_t *, struct err *);

#endif
