#ifndef DAG_TASKS_SHIM_SHIM_H
#define DAG_TASKS_SHIM_SHIM_H
/*
 * dag-shim: stays beside one attempt from its start to its end, whatever happens to dag.
 * Reading order: main.c (contract and order of the acts), life.c (the loop), spawn.c,
 * capture.c, tree.c, memory.c, finish.c, start.c.  One thread, no allocation, nothing printed;
 * all memory is static, and most of it is never touched.  There is not even a C library
 * (sys.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tasks/proto/mask.h"
#include "tasks/proto/record.h"
#include "tasks/proto/shim_spec.h"

#define NEVER INT64_MAX

/**
 * shim_main(argc, argv):
 * The program.  Return an enum shim_exit.
 */
int shim_main(int, char **);

/**
 * shim_mono_us(), shim_wall_us():
 * The clocks, in microseconds.
 */
int64_t shim_mono_us(void);
int64_t shim_wall_us(void);

#ifdef DAG_TEST_DOORS
/**
 * shim_fault_init(envp):
 * Take the points at which to die from our environment (base/fault.h).
 */
void shim_fault_init(char **);
#endif

/* ---- spawn.c: starting the task ---- */

struct spawn {
	const struct shim_spec_view *spec;
	int dirfd;    /* the attempt's directory */
	int out;      /* becomes its stdout and stderr */
	mode_t umask; /* the owner's, which the task gets */
	int cgroup;   /* the directory of the task's cgroup, or -1 */
	pid_t pid;    /* of the task */
	/* Written by the child, to be read once it has been waited for. */
	volatile int step; /* enum exit_step at which it failed, or NONE */
	volatile int sys;
	volatile bool joined; /* the task is in the cgroup */
};

/**
 * spawn_start(s):
 * Start the task described by ${s}, which must stay where it is.  Return 0 and its pid, or
 * -1 with step and sys.  Whether it could be executed is known when it ends.
 */
int spawn_start(struct spawn *);

/* ---- capture.c: the log ---- */

#define CAPTURE_READ ((size_t)64 << 10)

struct capture {
	int dirfd;
	int fd;	 /* read end of the pipe, or -1 after its end */
	int log; /* files, or -1 */
	int tail;
	uint64_t head;	   /* bytes that go to `log` */
	uint64_t capacity; /* of the ring */
	uint64_t step;	   /* most bytes of one write into the ring */
	uint64_t total;	   /* bytes of the stream */
	uint64_t at;	   /* of these, stored */
	uint64_t failed_at;
	int error;  /* errno of the last write that failed */
	int failed; /* errno that stopped storing */
	const struct mask *mask;
	struct mask_stream stream;
	size_t held; /* bytes in `in` that could be the start of a secret */
	char in[MASK_HOLD_MAX + CAPTURE_READ];
	char out[MASK_OUT_MAX(MASK_HOLD_MAX + CAPTURE_READ)];
};

/**
 * capture_init(c, dirfd, fd, limit, mask):
 * Keep at most ${limit} bytes of what comes out of pipe ${fd}, masked by ${mask} (may be
 * NULL), in the directory ${dirfd}.
 */
void capture_init(struct capture *, int, int, uint64_t, const struct mask *);

/**
 * capture_read(c, max):
 * Take at most ${max} bytes that are in the pipe now.  Return how many came, 0 if none.  At
 * the pipe's end c->fd is closed and -1.
 */
size_t capture_read(struct capture *, size_t);

/**
 * capture_end(c, all):
 * Take what the pipe holds (with ${all} until it is empty; else only what it holds at this
 * moment, since somebody may go on writing), then close pipe and files.
 */
void capture_end(struct capture *, bool);

/**
 * capture_feed(c, p, n):
 * Take ${n} <= CAPTURE_READ bytes as if they had come from the pipe.
 */
void capture_feed(struct capture *, const char *, size_t);

/* ---- tree.c: the processes below us ---- */

struct tree_proc {
	pid_t pid;
	pid_t ppid;
	pid_t pgrp;
	pid_t session;
	uint64_t start;
	uint64_t rss; /* pages */
	char state;
	bool below; /* of our tree */
};

/**
 * tree_parse(p, n, out):
 * Read the text of a /proc/PID/stat.  Return 0, or -1 if it is none.
 */
int tree_parse(const char *, size_t, struct tree_proc *);

/**
 * tree_self(out):
 * Read our own line of it.  Return 0 or -1.
 */
int tree_self(struct tree_proc *);

/**
 * tree_scan(self, out):
 * List the living processes below ${self} (its descendants, and those of its session if it
 * leads one), zombies left out: ${out} points to them until the next call.  Return how many,
 * or -1 if /proc cannot be read.
 */
int tree_scan(pid_t, const struct tree_proc **);

#define TREE_PATH 40

/**
 * tree_path(pid, file, out):
 * Write "/proc/PID" and ${file} ("/stat", at most 20 bytes) behind it.  Return the length of
 * what stands before ${file}.
 */
size_t tree_path(pid_t, const char *, char out[TREE_PATH]);

/**
 * tree_signal(proc, sig):
 * Send ${sig} to exactly that process.  Nothing happens if it is gone.
 */
void tree_signal(const struct tree_proc *, int);

/* ---- memory.c: the limit of its memory ---- */

struct memory {
	const struct shim_spec_view *spec;
	int cgroup;		     /* its directory, or -1 */
	const volatile bool *joined; /* the task is in it: the kernel holds the limit */
	int64_t peak;		     /* bytes, as far as we have seen */
	int64_t at; /* when to look again, monotonic; NEVER without a limit */
	bool over;
};

/**
 * memory_open(m, spec):
 * Begin: find the attempt's cgroup, if it has one.
 */
void memory_open(struct memory *, const struct shim_spec_view *);

/**
 * memory_look(m, self, now):
 * Look how much the tree below ${self} uses, and set when to look again.  Return whether it is
 * more than it may.
 */
bool memory_look(struct memory *, pid_t, int64_t);

/**
 * memory_close(m, rec):
 * Put what is known into ${rec} once the tree is gone, and remove the cgroup.  Return how many
 * processes of the cgroup the kernel has killed for want of memory, or -1 if nobody knows.
 */
int64_t memory_close(struct memory *, struct exit_record *);

/**
 * memory_pss(text, n):
 * The bytes that the ${n} bytes of a /proc/PID/smaps_rollup give as its share of the memory; -1
 * if they do not.
 */
int64_t memory_pss(const char *, size_t);

/* ---- life.c: from start to end ---- */

struct life {
	const struct shim_spec_view *spec;
	struct capture *cap;
	struct memory *mem;
	int sigfd;
	pid_t self;
	pid_t main; /* the task's process, leader of its group */
	bool main_alive;
	bool childless; /* nothing at all is left below us */
	bool term_sent;
	bool killing;
	bool gave_up;
	int wstatus;
	int64_t start_mono;
	int64_t timeout_at; /* monotonic deadlines, NEVER if unset */
	int64_t settle_at;
	int64_t kill_at;
	int64_t round_at; /* next round of KILL */
	int64_t round_us; /* pause before it */
	int64_t give_up_at;
	struct exit_record rec;
};

/**
 * life_stop_pending(l):
 * Return whether a stop has come already; if so it is noted in the record.
 */
bool life_stop_pending(struct life *);

/**
 * life_run(l):
 * See the started task ${l}->main to its end and sweep what it leaves.
 */
void life_run(struct life *);

/* ---- finish.c: the record ---- */

/**
 * finish_prepare(dirfd):
 * Make the file that will become the record, with room for it.  Return its descriptor, or
 * below 0: -ENOENT if the directory is gone.
 */
int finish_prepare(int);

/**
 * finish_oom(rec, before, own):
 * Say in ${rec} whether the task was killed for want of memory, given the kernel's count of
 * such kills before the start, and ${own}, those in the task's cgroup (-1: unknown).
 */
void finish_oom(struct exit_record *, int64_t, int64_t);

/**
 * finish_write(dirfd, fd, rec):
 * Write ${rec} into the prepared file and give it its name, trying again for a minute.
 * Return 0 or -1.
 */
int finish_write(int, int, const struct exit_record *);

#endif
