#ifndef DAG_TASKS_PROTO_SHIM_INFO_H
#define DAG_TASKS_PROTO_SHIM_INFO_H
/*
 * The `shim` file: who the shim of an attempt is, its first act.  One line of key=value with
 * version and checksum, as the exit record; the same rules for changing it.  Whether the shim
 * lives is told by the lock on `alive`, never by this file: it serves for signals and for
 * sweeping the session after a crash.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct proc_id;

#define SHIM_INFO_VERSION 1
#define SHIM_INFO_MAX	  512
#define SHIM_ID_MAX	  200 /* bytes of an attempt id */

struct shim_info {
	int protocol; /* of the task protocol, SHIM_PROTOCOL */
	pid_t pid;
	uint64_t start; /* field 22 of /proc/PID/stat */
	uint64_t pidns; /* inode of its pid namespace */
	pid_t session;	/* its session, in which the task starts */
	char boot[40];	/* boot id */
	char attempt_id[SHIM_ID_MAX + 1];
};

/**
 * shim_info_encode(i, out):
 * Write the line of ${i} to ${out}; return its length.
 */
size_t shim_info_encode(const struct shim_info *, char out[SHIM_INFO_MAX]);

/**
 * shim_info_decode(i, p, n):
 * Read the ${n} bytes of a `shim` file.  Return 0, or -1 if they are not one whole line that
 * we can read.
 */
int shim_info_decode(struct shim_info *, const char *, size_t);

/**
 * shim_info_read(dirfd, i, err):
 * Read the `shim` file of the attempt directory ${dirfd}.  Return 1; 0 if it is absent or
 * not whole; -1 if it cannot be read.
 */
int shim_info_read(int, struct shim_info *, struct err *);

/**
 * shim_info_id(i, id):
 * Put the identity of the shim into ${id}, for proc_pidfd and proc_signal.
 */
void shim_info_id(const struct shim_info *, struct proc_id *);

#endif
