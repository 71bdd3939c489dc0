#ifndef DAG_BASE_FSIO_SYS_H
#define DAG_BASE_FSIO_SYS_H
/*
 * The system calls of fsio, each with its fault point.  For base/fsio_*.c only.
 */
#include <stddef.h>
#include <sys/types.h>

#include "base/fsio.h"

/**
 * sys_fault(op, path):
 * Ask the fault hook.  Return what it allows: -1 with errno set for a failure, 0 for no
 * objection, n for at most n bytes.
 */
int sys_fault(enum fsio_op, const char *);

/**
 * sys_open(dirfd, path, flags, mode):
 * openat, close-on-exec, repeated on EINTR.
 */
int sys_open(int, const char *, int, mode_t);

/**
 * sys_close(fd):
 * Close ${fd}, keeping errno.
 */
void sys_close(int);

/**
 * sys_sync(fd, path):
 * fsync, counted.  Interrupted by a signal it starts again: nothing was lost then.
 */
int sys_sync(int, const char *);

/**
 * sys_open_to_sync(dirfd, path, flags):
 * sys_open for sys_sync, with ${flags} besides: a file that may only be written is opened so,
 * as any descriptor syncs.
 */
int sys_open_to_sync(int, const char *, int);

/**
 * sys_write_all(fd, path, p, n):
 * As fsio_write_all; ${path} is for the fault hook.
 */
int sys_write_all(int, const char *, const void *, size_t);

/**
 * sys_unlink(dirfd, path, flags):
 * unlinkat.
 */
int sys_unlink(int, const char *, int);

/**
 * sys_open_parent(dirfd, path, name):
 * Open the directory that ${path} lies in and set ${name} to the last component (a part of
 * ${path}).  Return a descriptor, or -1 with errno.
 */
int sys_open_parent(int, const char *, const char **);

/**
 * sys_open_same_mount(dirfd, name):
 * Open the directory ${name} (one component, no link) in ${dirfd} for reading.  Return a
 * descriptor, or -1 with errno (EXDEV: something is mounted there).
 */
int sys_open_same_mount(int, const char *);

#endif
