#ifndef DAG_TASKS_PROTO_RECORD_H
#define DAG_TASKS_PROTO_RECORD_H
/*
 * The `exit` record: how an attempt ended, in one line of key=value that starts with the
 * version and ends with a checksum:
 *
 *	v=1 status=0 timed_out=0 stop=none ... sum=0123456789abcdef\n
 *
 * Changing it: a new key needs nothing (an older dag ignores it, a newer one takes its
 * zero value where it is missing); only a key whose meaning changes, or one that a reader
 * may not ignore, raises v, and the decoder keeps reading every older v.
 * The code here is compiled into the shim too: no allocation, no stdio.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define EXIT_RECORD_VERSION 1
#define EXIT_RECORD_MAX	    1024 /* bytes of the line with its newline */

/* What the shim was doing when the start of the program failed. */
enum exit_step {
	EXIT_STEP_NONE = 0, /* it was started */
	EXIT_STEP_STOP,	    /* a stop request came before the start; sys is 0 */
	EXIT_STEP_PIPE,	    /* pipe or signalfd of the shim */
	EXIT_STEP_FORK,	    /* EAGAIN, ENOMEM: worth another try */
	EXIT_STEP_SETUP,    /* process group, descriptors, parent death signal */
	EXIT_STEP_CHDIR,    /* the working directory */
	EXIT_STEP_STARTED,  /* writing the `started` marker */
	EXIT_STEP_EXEC,	    /* ENOENT: command not found; EACCES: not executable */
	EXIT_STEP_SCRIPT,   /* the file is there, the interpreter of its #! line is not */
	EXIT_STEP_MAX
};

enum exit_stop {
	EXIT_STOP_NONE = 0,
	EXIT_STOP_TERM, /* SIGTERM to the shim: TERM, grace, KILL */
	EXIT_STOP_KILL	/* SIGQUIT to the shim: KILL at once */
};

enum exit_oom { EXIT_OOM_UNKNOWN = 0, EXIT_OOM_NO, EXIT_OOM_YES };

/* Who held the attempt to its memory. */
enum exit_mem {
	EXIT_MEM_NONE = 0, /* nobody: it had no limit */
	EXIT_MEM_SAMPLED,  /* the shim, by looking at its processes from time to time */
	EXIT_MEM_CGROUP	   /* the kernel, by a cgroup of its own */
};

struct exit_record {
	int version; /* as read; the encoder always writes EXIT_RECORD_VERSION */
	int status;  /* exit status 0-255, or -1: killed by `signal` or not started */
	int signal;  /* signal that ended it, or 0 */
	bool core;   /* it dumped core */
	enum exit_step step; /* not NONE: the program was never executed */
	int sys;	     /* errno of that step */
	bool timed_out;	     /* its timeout passed while it ran */
	enum exit_stop stop; /* a request that came while it ran */
	bool killed;	  /* the shim sent KILL to it (grace passed, or stop is KILL) */
	int64_t start_us; /* wall clock, since the epoch */
	int64_t end_us;
	int64_t dur_us; /* between them, by the monotonic clock */
	/* Resources of the task and everything below it that has ended. */
	int64_t user_us;
	int64_t sys_us;
	int64_t maxrss_kib; /* of the largest single process */
	int64_t minflt;
	int64_t majflt;
	int64_t inblock;
	int64_t oublock;
	int64_t nvcsw;
	int64_t nivcsw;
	int64_t survivors; /* processes left when it ended, which got TERM */
	int64_t unkilled;  /* of these, still there after KILL */
	int64_t log_bytes; /* all bytes of output, after masking */
	int64_t
	    log_stored; /* offset at which storing stopped; = log_bytes if it did not */
	int log_failed; /* errno that stopped it (ENOSPC ...), or 0 */
	enum exit_oom
	    oom; /* killed for want of memory: its own limit's or the machine's */
	enum exit_mem mem;    /* the limit of `resources` */
	int64_t mem_limit;    /* its bytes */
	int64_t mem_peak_kib; /* the most that the whole tree used; 0: not measured */
	bool mem_over; /* it went beyond its limit, and has failed however it ended */
};

enum record_state { RECORD_VALID = 0, RECORD_ABSENT, RECORD_NEWER };

/**
 * exit_record_encode(r, out):
 * Write the line of ${r}, with its newline, to ${out}.  Return its length.
 */
size_t exit_record_encode(const struct exit_record *, char out[EXIT_RECORD_MAX]);

/**
 * exit_record_decode(r, p, n):
 * Read the ${n} bytes of an `exit` file into ${r}.  Return RECORD_VALID; RECORD_ABSENT if
 * they are not one whole record (short, damaged, anything behind it), RECORD_NEWER if it is
 * whole and its version is above ours; ${r} is zeroed in both cases.
 */
enum record_state exit_record_decode(struct exit_record *, const char *, size_t);

/**
 * exit_record_read(dirfd, r, err):
 * Read the `exit` file of the attempt directory ${dirfd}.  Return 1 and ${r}; 0 if it is
 * absent (no file, or not a whole record); -1 if it cannot be read (ERR_NEWER: by a newer
 * dag's shim).
 */
int exit_record_read(int, struct exit_record *, struct err *);

/**
 * exit_step_name(step), exit_stop_name(stop), exit_oom_name(oom), exit_mem_name(mem):
 * Return the word that stands for it in the record.
 */
const char *exit_step_name(enum exit_step);
const char *exit_stop_name(enum exit_stop);
const char *exit_oom_name(enum exit_oom);
const char *exit_mem_name(enum exit_mem);

#endif
