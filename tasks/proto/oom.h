#ifndef DAG_TASKS_PROTO_OOM_H
#define DAG_TASKS_PROTO_OOM_H
/*
 * Has the kernel killed something for want of memory?  It counts these kills in /proc/vmstat
 * (Linux 4.13): no change between two looks proves that it has not.
 */
#include <stddef.h>
#include <stdint.h>

/**
 * oom_kills():
 * Return the kernel's count of processes killed for want of memory since boot; -1 if it does
 * not tell.  Costs some 25 us.  Compiled into the shim: no allocation, no stdio.
 */
int64_t oom_kills(void);

/**
 * oom_kills_parse(p, n):
 * Find the count in the ${n} bytes of /proc/vmstat; -1 if it is not there.
 */
int64_t oom_kills_parse(const char *, size_t);

#endif
