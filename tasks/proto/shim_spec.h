#ifndef DAG_TASKS_PROTO_SHIM_SPEC_H
#define DAG_TASKS_PROTO_SHIM_SPEC_H
/*
 * What the owner of an attempt tells the shim, and how it starts one.
 *
 * Contract of the start.  The owner makes the attempt's directory (0700; by chmod, since a
 * umask may take even that) and in it `alive`,
 * which it opens and locks (flock LOCK_EX) itself, so that there is no instant at which a
 * started attempt is unlocked.  Then it executes dag-shim (posix_spawn) with
 *
 *	argv	{"dag-shim", ABSOLUTE_PATH_OF_ATTEMPT_DIR, NULL}
 *	envp	empty; the task's environment is in the spec
 *	fd 0	/dev/null, open for reading
 *	fd 1, 2	/dev/null, open for writing (the shim never prints)
 *	fd 3	the locked `alive`: the owner closes its own copy after the spawn, so the
 *		shim is the only holder; the task never gets it
 *	fd 4	the memfd of shim_spec_memfd()
 *	nothing else; descriptors above 4 are closed by the shim
 *	a new session (POSIX_SPAWN_SETSID); every signal at its default disposition
 *	(POSIX_SPAWN_SETSIGDEF) and, best, all signals blocked (POSIX_SPAWN_SETSIGMASK with a
 *	full set): then a stop that is sent before the shim is ready is not lost.  The shim
 *	sets a mask of its own and gives the task an empty one.
 *
 * umask and resource limits are the owner's and pass through to the task.
 *
 * Signals to the shim, by pid (not to its group):
 *	SIGTERM	 stop: TERM (and CONT) to the task's tree, KILL after the grace; a second one
 *		 changes nothing
 *	SIGQUIT	 KILL the tree now
 *	others (HUP, INT, PIPE ...) are ignored; SIGKILL to the shim kills the task by its
 *	parent death signal, but not what it has moved away: sweep, then `lost`.
 *
 * The shim's own exit status says only how far it came (enum shim_exit); how the task ended
 * is in the record.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct mask;

#define SHIM_PROTOCOL	 3
#define SHIM_FD_ALIVE	 3
#define SHIM_FD_SPEC	 4
#define SHIM_LOG_DEFAULT ((uint64_t)64 << 20)
#define SHIM_LOG_MIN	 ((uint64_t)1 << 10)
#define SHIM_LOG_MAX	 ((uint64_t)1 << 40)
#define SHIM_GRACE_US	 ((int64_t)10000000)
#define SHIM_TIME_MAX	 ((int64_t)36500 * 86400 * 1000000) /* of timeout and grace */
#define SHIM_CGROUP_MAX	 3800 /* bytes of its path; the shim adds the names of files */
#define SHIM_STRING_MAX	 ((size_t)128 << 10) /* one argument or NAME=VALUE with its NUL */

enum shim_exit {
	SHIM_EXIT_OK = 0,    /* the `exit` record is written */
	SHIM_EXIT_USAGE = 2, /* the contract above is broken; nothing was started */
	SHIM_EXIT_FILES = 3, /* cannot write its files; nothing was started: try again */
	SHIM_EXIT_RECORD = 4 /* the task has ended but the record cannot be written */
};

/* Whose files a cgroup has. */
enum shim_cgroup { SHIM_CGROUP_NONE, SHIM_CGROUP_V2, SHIM_CGROUP_V1 };

struct shim_secret {
	const char *p; /* bytes; need no NUL */
	size_t n;
};

struct shim_spec {
	/*
	 * The program: argv[0] with a slash is a path (a relative one counts from cwd), else
	 * it is sought in the PATH of envp.  A file without a #! line is run by /bin/sh.  A
	 * script above ATTEMPT_SCRIPT_INLINE is the owner's business: it writes it to
	 * ATTEMPT_SCRIPT and puts the path into argv.
	 */
	const char *const *argv; /* NULL-terminated, at least one */
	const char *const *envp; /* NULL-terminated NAME=VALUE; NULL: empty */
	const char *cwd;	 /* absolute */
	const char *attempt_id;	 /* the DAG_ATTEMPT_ID, for the shim file */
	int64_t timeout_us;	 /* 0: none */
	int64_t grace_us;	 /* between TERM and KILL; 0: KILL follows at once */
	uint64_t log_limit;	 /* bytes of log kept; SHIM_LOG_DEFAULT */
	bool leave_children;	 /* do not sweep what the task leaves behind */
	bool with_owner; /* the end of this process is a stop: nobody would adopt it */
	int64_t memory;	 /* bytes that the task's tree may use; 0: no limit */
	const char
	    *cgroup; /* absolute; has that limit, and is this attempt's; NULL: none */
	enum shim_cgroup cgroup_kind;
	const struct shim_secret *secrets; /* to be masked in the log (mask.h) */
	size_t nsecrets;
};

/**
 * shim_spec_check(s, err):
 * Check ${s} against the limits: strings of argv and envp (named in the message), their
 * total against the kernel's limit for this process, secrets, times, log limit, cwd.
 * Return 0 or -1 (ERR_LIMIT, ERR_INVALID).
 */
int shim_spec_check(const struct shim_spec *, struct err *);

/**
 * shim_spec_memfd(s, err):
 * Check ${s} and return a sealed, close-on-exec memfd that holds it, owned by the caller;
 * its offset does not matter, the shim maps it.  -1 on failure.
 */
int shim_spec_memfd(const struct shim_spec *, struct err *);

/* What the shim sees: pointers into its private mapping of the memfd. */
struct shim_spec_view {
	char *
	    *argv; /* argv[-1] is writable too: room for the /bin/sh of a plain script */
	char **envp;
	const char *cwd;
	const char *attempt_id;
	const char *boot_id; /* of the owner, which runs on the same kernel */
	uint64_t pidns;
	int64_t oom_kills; /* the kernel's count before the start, or -1 */
	int64_t timeout_us;
	int64_t grace_us;
	uint64_t log_limit;
	bool leave_children;
	int64_t owner;	    /* pid whose end is a stop; 0: none */
	int64_t memory;	    /* 0: no limit */
	const char *cgroup; /* NULL: the limit is held by looking */
	enum shim_cgroup cgroup_kind;
	uint64_t page;		 /* bytes of a page of memory */
	const struct mask *mask; /* NULL: no secrets */
};

/**
 * shim_spec_open(p, size, view):
 * Point ${view} into the ${size} bytes at ${p}: a private mapping of the memfd, in which
 * offsets are turned into pointers in place.  Allocates nothing.  Return 0, or -1 if they
 * are not a whole spec of our protocol version.
 */
int shim_spec_open(char *, size_t, struct shim_spec_view *);

#endif
