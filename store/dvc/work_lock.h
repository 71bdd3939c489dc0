#ifndef DAG_STORE_DVC_WORK_LOCK_H
#define DAG_STORE_DVC_WORK_LOCK_H
/*
 * The lock of a repository, as DVC takes it: flock(2) on .dvc/tmp/lock, with " PID\n" in it.
 * It keeps two commands from changing one repository at once, whichever of the two tools they
 * are of.  DVC gives up after 3 s; we wait as long as the caller says, and say for whom.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;
struct meter;

struct work_lock_options {
	int dir_fd;	  /* the file is seen from here */
	const char *path; /* ".dvc/tmp/lock"; its directory is made where it is missing */
	int64_t wait_us;  /* 0: do not wait */
	struct meter *meter; /* its `cancel` ends the waiting; may be NULL */
	/* Called once when there is somebody to wait for, with whom that is: "process 7 (dvc
	 * repro)"; may be NULL. */
	void (*waiting)(void *, const char *);
	void *ctx;
};

/**
 * work_lock_take(options, err):
 * Take the lock.  Return a descriptor that holds it; or -1: ERR_BUSY names who has it,
 * ERR_CANCELLED, or why the file cannot be opened.
 */
int work_lock_take(const struct work_lock_options *, struct err *);

/**
 * work_lock_drop(fd):
 * Give the lock back; -1 is allowed.
 */
void work_lock_drop(int);

#endif
