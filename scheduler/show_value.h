#ifndef DAG_SCHEDULER_SHOW_VALUE_H
#define DAG_SCHEDULER_SHOW_VALUE_H
#include <stddef.h>

struct buf;

/**
 * show_value(b, p, n):
 * Append ${n} bytes of unknown origin between single quotes for a message: at most 48
 * characters and about 170 bytes, what a terminal would obey as \n, \t or \xNN.
 */
void show_value(struct buf *, const char *, size_t);

#endif
