#ifndef DAG_TASKS_PROTO_OOM_H
#define DAG_TASKS_PROTO_OOM_H
/*
 * Has the kernel killed something for want of memory?  It counts these kills in /proc/vmstat
 * (Linux 4.13): no change between two looks proves that it has not.
 */
#include <stddef.h>
#include <stdint.h>

#define OOM_FILE     "/proc/vmstat"
#define OOM_FILE_MAX 16384

/**
 * oom_kills_parse(p, n):
 * Find the kernel's count of processes killed for want of memory since boot in the ${n} bytes
 * of OOM_FILE; -1 if it is not there.  Compiled into the shim: no allocation, no stdio.
 */
int64_t oom_kills_parse(const char *, size_t);

/**
 * oom_count_parse(p, n, key):
 * Find the number behind ${key}, which ends with a blank, at the start of a line of the ${n}
 * bytes (a cgroup's memory.events has lines of this form too); -1 if it is not there.
 * Compiled into the shim.
 */
int64_t oom_count_parse(const char *, size_t, const char *);

#endif
