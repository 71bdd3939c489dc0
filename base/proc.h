#ifndef DAG_BASE_PROC_H
#define DAG_BASE_PROC_H
/*
 * Identity of processes on this machine.  A pid alone means nothing: it is reused.  A pid
 * with its start time, in one pid namespace, of one boot, names one process for good.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_BOOT_ID_MAX 40

struct proc_id {
	pid_t pid;
	uint64_t start; /* field 22 of /proc/PID/stat, clock ticks since boot */
	uint64_t pidns; /* inode of the pid namespace */
	char boot[PROC_BOOT_ID_MAX];
};

/**
 * proc_boot_id(out):
 * Write this boot's id (36 characters) into ${out}.  Return 0 or -1.
 */
int proc_boot_id(char out[PROC_BOOT_ID_MAX]);

/**
 * proc_start_time(pid, out), proc_pidns(out), proc_session(pid, out):
 * Tell the start time of ${pid}, the inode of our pid namespace, the session of ${pid}.
 * Return 0, or -1 where the process is gone or /proc does not tell.
 */
int proc_start_time(pid_t, uint64_t *);
int proc_pidns(uint64_t *);
int proc_session(pid_t, pid_t *);

/**
 * proc_self(out):
 * Fill ${out} with the identity of this process.  Return 0 or -1.
 */
int proc_self(struct proc_id *);

/**
 * proc_state(pid):
 * Return the state letter of /proc/PID/stat ('R', 'S', 'T' stopped, 'Z' ...), or 0 if gone.
 */
char proc_state(pid_t);

/**
 * proc_pidfd(id):
 * Return a pidfd of exactly the process ${id} names; -1 with errno ESRCH if that process is
 * gone (or is of another boot or namespace), ENOSYS where the kernel has no pidfds.
 */
int proc_pidfd(const struct proc_id *);

/**
 * proc_signal(id, sig):
 * Send ${sig} to exactly that process.  Return 0, or -1 with errno.
 */
int proc_signal(const struct proc_id *, int);

/**
 * proc_find(session, env_entry, fn, ctx):
 * Call ${fn}(${ctx}, pid) for each process of this user, zombies and ourselves left out,
 * that belongs to session ${session} (0: none) or whose environment holds exactly the entry
 * ${env_entry} ("DAG_ATTEMPT_ID=..."; NULL: none): the environment it was started with,
 * not what it changed since.  Return how many there were, or -1.
 */
int proc_find(pid_t, const char *, void (*)(void *, pid_t), void *);

#endif
