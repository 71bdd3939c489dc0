#ifndef DAG_BASE_UUID_H
#define DAG_BASE_UUID_H
#include <stdint.h>

#define UUID_TEXT 37

/**
 * uuid7(out, wall_us):
 * Write a version-7 UUID of the instant ${wall_us}: texts sort by time, also within one
 * millisecond of one process.  Return 0, or -1 if there is no randomness.
 */
int uuid7(char out[UUID_TEXT], int64_t);

#endif
