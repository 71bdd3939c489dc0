#ifndef DAG_STORE_META_H
#define DAG_STORE_META_H
/*
 * The metadata database `.dag/dag.db`: runs, tasks, attempts, outputs, events, definitions,
 * commands, path locks.  SQLite, WAL, synchronous=FULL, STRICT tables.
 *
 * Invariants:
 *  1. Every write is one BEGIN IMMEDIATE .. COMMIT under the gate (flock of write.lock).
 *  2. A batch that touches a run compares the run's epoch in the same transaction; a stale
 *     owner changes nothing.
 *  3. A row in path_lock belongs to an attempt that has not ended; it is written with the
 *     attempt's row and deleted with its end.
 *  4. Every change of state inserts one event row with its reason; event ids only grow.
 *  5. What a function reports as committed survives power loss.
 * A struct meta belongs to one thread; processes and threads that want their own open one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/state.h"

struct arena;
struct err;
struct meta;
struct project;

#define META_RUN_ID 37 /* UUIDv7 text, NUL included */

/* ---- opening ---- */

enum meta_mode {
	META_READ, /* fails with ERR_NOTFOUND where there is no database yet */
	META_WRITE /* makes or migrates it */
};

/**
 * meta_open(p, mode, out, err):
 * Open the project's database.  A newer one is ERR_NEWER, a damaged one ERR_CORRUPT, each
 * with the way out.  Return 0 with ${out} set, or -1.
 */
int meta_open(const struct project *, enum meta_mode, struct meta **, struct err *);

/**
 * meta_close(m):
 * Close; NULL allowed.
 */
void meta_close(struct meta *);

/**
 * meta_gate_notice(m, fn, ctx):
 * Have ${fn}(${ctx}, pid, state) called, by a helper thread, when the gate has been waited for
 * longer than 2 s (and every 2 s after), with its holder's pid (0: unknown) and /proc state
 * letter ('T': stopped).  Without it a line goes to stderr.
 */
void meta_gate_notice(struct meta *, void (*)(void *, pid_t, char), void *);

/**
 * meta_patience(m, us):
 * From now on a write waits for the gate for ${us} at most, and fails with ERR_BUSY then.
 */
void meta_patience(struct meta *, int64_t);

/**
 * meta_data_version(m):
 * Return a number that changes when another connection commits (PRAGMA data_version), or -1.
 */
int64_t meta_data_version(struct meta *);

/* ---- creating and taking runs ---- */

struct meta_task_new {
	const char *name;
	int32_t map; /* -1: not mapped */
	bool selected;
};

struct meta_run_new {
	const char *id; /* UUIDv7 */
	const char *dag;
	const char *kind; /* "manual"; later scheduled, backfill, triggered */
	int64_t logical_us;
	int64_t interval_start_us,
	    interval_end_us;	/* both the logical date for manual runs */
	const char *partition;	/* "" */
	const char *file;	/* of the DAG, relative to the root, or absolute */
	const char *def_hash;	/* dag->hash */
	const char *def_source; /* the file's text */
	size_t def_source_len;
	const char *params; /* JSON object of the run's values */
	const char
	    *options; /* JSON object: what `resume` must know (select, fail_fast ...) */
	int64_t created_us;  /* the instant in its id */
	int64_t deadline_us; /* wall time at which the run's timeout is up; 0: none */
	const struct meta_task_new *tasks;
	size_t ntasks;
};

/**
 * meta_run_create(m, r, boot_id, err):
 * Insert the definition (once per hash), the run (epoch 1) and its tasks, all waiting (those
 * not selected done and skipped).  For kinds other than manual (dag, kind, logical_us,
 * partition) is unique: ERR_EXISTS.  Return 0 or -1.
 */
int meta_run_create(struct meta *, const struct meta_run_new *, const char *,
		    struct err *);

/**
 * meta_run_take(m, run, boot_id, epoch, err):
 * Raise the run's epoch (the caller holds its owner lock) and set ${epoch}.  Return 0 or -1.
 */
int meta_run_take(struct meta *, const char *, const char *, int64_t *, struct err *);

/* A definition that a run goes on with. */
struct meta_redefine {
	const char *hash, *source;
	size_t len;
	const char *reason; /* for the event */
	int64_t at_us;
};

/**
 * meta_run_retake(m, run, def, boot_id, epoch, err):
 * As meta_run_take; in the same transaction the run becomes one of the definition ${def},
 * which is kept, and the event `redefined` is written.  Return 0 or -1.
 */
int meta_run_retake(struct meta *, const char *, const struct meta_redefine *,
		    const char *, int64_t *, struct err *);

/* ---- the owner's batches ---- */

/* One path that an attempt reads or writes, relative to the root (or absolute), normalized; a
 * glob is given as the directory above its first wildcard. */
struct meta_path {
	const char *path;
	bool write;
};

struct meta_kv {
	const char *key;
	const char *val;
	size_t len;
};

/* A result that is kept by content, as the lock file of its stage has it. */
struct meta_stage {
	const char
	    *lock; /* the lock file, seen from the root; NULL: it is not to be written */
	const char *name; /* of the stage in it */
	const char *entry;
	const char
	    *hash; /* SHA-256 of the entry that the result has, changed or not; or NULL */
};

enum meta_op_kind {
	META_OP_RUN,		/* change the run's state, result, reason, times */
	META_OP_TASK,		/* the task's row becomes what the operation says */
	META_OP_ATTEMPT_INSERT, /* guarded: admitted or blocked */
	META_OP_ATTEMPT_KNOWN, /* one whose result was there: begun and ended, and its task */
	META_OP_ATTEMPT_UPDATE, /* state, pid, handle, start */
	META_OP_ATTEMPT_END, /* result, exit facts; its path locks go; outputs of a success */
	META_OP_COMMAND_DONE, /* a command was carried out or refused */
	META_OP_EVENT,	      /* an event that is no change of state */
	META_OP_GIT	      /* what was checked out when the run began; no event */
};

/* Strings are borrowed until the batch is committed. */
struct meta_op {
	enum meta_op_kind kind;
	const char *run;
	int64_t epoch; /* of the run, as its owner knows it */
	const char *task;
	int32_t map;
	uint32_t number; /* of the attempt, from 1 */
	int64_t at_us;
	const char *reason; /* for the row and its event; may be NULL */

	enum run_state run_state;
	enum run_result run_result;
	int64_t deadline_us; /* META_OP_RUN: new deadline, 0 none */

	/* META_OP_TASK; META_OP_ATTEMPT_INSERT sets the task to preparing with these,
	 * META_OP_ATTEMPT_KNOWN to done */
	enum task_state task_state;
	enum task_result task_result; /* also of META_OP_ATTEMPT_END */
	uint32_t tries;	     /* attempts that count against retries in this round */
	int64_t next_try_us; /* wall; 0 none */
	int64_t started_us, ended_us; /* 0: not yet */

	/* META_OP_ATTEMPT_INSERT */
	const char *attempt_id; /* UUIDv7, DAG_ATTEMPT_ID */
	const char *boot_id;
	const char *executor; /* "local", "engine" */
	const char *dir;      /* relative to the state directory */
	int64_t wake_us;      /* engine-kind: when it is due; else 0 */
	const struct meta_path *paths;
	size_t npaths;

	/* META_OP_ATTEMPT_UPDATE */
	const char *handle; /* the executor's opaque words; NULL: unchanged */
	pid_t pid;	    /* 0: unchanged */
	const char *why;    /* it runs; NULL: unchanged */

	/* META_OP_ATTEMPT_END */
	const char *cause; /* exit, signal, timeout ... or NULL */
	bool
	    whole; /* where it exits by itself, what it writes is whole, however it ends */
	int exit_status; /* -1: none */
	int exit_signal; /* 0: none */
	int64_t user_us, sys_us, maxrss_kib, log_bytes;
	int64_t mem_peak_kib; /* of all processes together; 0: not measured */
	uint32_t survivors;
	const char *oom;	       /* "yes" "no" "unknown" or NULL */
	const struct meta_kv *outputs; /* DAG_OUTPUT values, with a success */
	size_t noutputs;
	const struct meta_path
	    *produced; /* declared outputs that now exist; write = directory */
	size_t nproduced;
	struct meta_stage stage; /* with a success */

	/* META_OP_COMMAND_DONE */
	int64_t command;

	/* META_OP_EVENT */
	const char *event;  /* name: "slow_gate", "metric" ... */
	const char *detail; /* JSON or NULL */

	/* META_OP_GIT */
	const char *git_commit;
	int git_dirty; /* 1, 0, or -1: not known */

	/* Filled by the commit: not done, because the run has another owner now. */
	bool stale;
	/* Filled by the commit for META_OP_ATTEMPT_INSERT. */
	bool blocked;
	char blocked_by[256]; /* "`data/x.csv` is in use by task b of run 0193..." */
	char blocked_run[META_RUN_ID]; /* whose attempt holds it */
};

/**
 * meta_commit(m, ops, n, stale, err):
 * Carry out the ${n} operations in one transaction.  An attempt whose paths overlap a path
 * lock (a write with anything, a read with a write; equal, above or below) is not inserted:
 * blocked is set, its task becomes ready with that reason, and the rest goes on.  Each change
 * of state writes one event, also where an attempt's operation and its task's say the same
 * (rules in meta_commit.c).  META_OP_ATTEMPT_UPDATE lets the task's row follow the attempt's
 * state; META_OP_ATTEMPT_END leaves it to META_OP_TASK.  META_OP_ATTEMPT_KNOWN has the fields of
 * an insert and of an end, asks for no path, and ends its task as well.  If an epoch does not match (or the
 * run is gone), nothing of that run is done, all its operations are marked `stale` and
 * *${stale} (may be NULL) points at the first wrong one; the other runs' operations are
 * committed all the same.  Return 0 once everything is durable; -1 with ERR_FULL or ERR_BUSY (no space, or a
 * program without the gate holds the database: nothing done, try again), ERR_STALE (the state
 * directory was deleted or replaced), or another error (nothing done, give up).
 */
int meta_commit(struct meta *, struct meta_op *, size_t, const struct meta_op **,
		struct err *);

/* ---- commands from other processes ---- */

struct meta_command {
	int64_t id;
	char run[META_RUN_ID];
	const char *verb; /* "cancel", "kill", "retry" */
	const char *args; /* JSON object */
	int64_t at_us;
	pid_t by_pid;
	bool done;
	const char *answer; /* what the owner said, or NULL */
};

/**
 * meta_command_add(m, run, verb, args, id, err):
 * Leave a command for the run's owner.  Return 0 with its ${id}, or -1.
 */
int meta_command_add(struct meta *, const char *, const char *, const char *, int64_t *,
		     struct err *);

/**
 * meta_commands(m, run, a, out, n, err):
 * The commands of ${run} that are not done yet, oldest first, in arena ${a}.  Return 0 or -1.
 */
int meta_commands(struct meta *, const char *, struct arena *, struct meta_command **,
		  size_t *, struct err *);

/**
 * meta_command_get(m, id, a, out, err):
 * One command, done or not.  Return 0, or -1 (ERR_NOTFOUND).
 */
int meta_command_get(struct meta *, int64_t, struct arena *, struct meta_command *,
		     struct err *);

/* ---- reading ---- */

struct meta_run {
	char id[META_RUN_ID];
	const char *dag, *kind, *partition, *file, *def_hash, *params, *options, *reason;
	int64_t logical_us, interval_start_us, interval_end_us;
	int64_t created_us, started_us, ended_us, deadline_us;
	enum run_state state;
	enum run_result result;
	int64_t epoch;
	const char *git_commit; /* checked out when it began; NULL: none, or not known */
	int git_dirty;		/* tracked files had changes: 1, 0, or -1 not known */
	uint32_t counts[TASK_RESULTS]; /* tasks by result; filled by meta_run_counts */
	uint32_t ntasks, nrunning;
};

struct meta_task {
	const char *name;
	int32_t map;
	bool selected;
	enum task_state state;
	enum task_result result;
	uint32_t attempt; /* number of the latest; 0: none */
	uint32_t tries;
	int64_t next_try_us, started_us, ended_us;
	const char *reason;
};

struct meta_attempt {
	char id[META_RUN_ID];
	const char *task;
	int32_t map;
	uint32_t number;
	int64_t epoch;
	const char *boot_id, *executor, *handle, *dir;
	enum task_state state;
	enum task_result result;
	const char *cause, *reason, *oom;
	const char *why; /* it ran, of a task that does not always; or NULL */
	pid_t pid;
	int exit_status, exit_signal;
	int64_t created_us, started_us, ended_us, wake_us;
	int64_t user_us, sys_us, maxrss_kib, mem_peak_kib, log_bytes;
	uint32_t survivors;
};

struct meta_event {
	int64_t id, at_us;
	char run[META_RUN_ID];
	const char *task; /* NULL: of the run */
	int32_t map;
	uint32_t number;
	const char *event; /* the new state or result, or the name of META_OP_EVENT */
	const char *reason;
	const char *detail;
};

/**
 * meta_run_get(m, id, a, out, err):
 * The run of that full id.  Return 0, or -1 (ERR_NOTFOUND).
 */
int meta_run_get(struct meta *, const char *, struct arena *, struct meta_run *,
		 struct err *);

/**
 * meta_run_resolve(m, ref, a, out, err):
 * The run that ${ref} names: a full id, a unique end of one of at least 6 characters, `last`,
 * or a DAG's name (its latest).  Unknown and ambiguous ones are errors that say so.
 */
int meta_run_resolve(struct meta *, const char *, struct arena *, struct meta_run *,
		     struct err *);

struct meta_run_filter {
	const char *dag; /* NULL: any */
	const char *
	    before; /* a run id: only older ones (the next page); NULL: from the newest */
	int state;  /* enum run_state, or -1 */
	int result; /* enum run_result, or -1 */
	int64_t since_us, until_us; /* made from then on, before then; 0: any time */
	size_t limit;
};

/**
 * meta_runs(m, filter, a, out, n, err):
 * Runs, newest first.  Cost follows the page, not the history: a run's id begins with the time
 * when it was made, so times are sought there.  Return 0 or -1.
 */
int meta_runs(struct meta *, const struct meta_run_filter *, struct arena *,
	      struct meta_run **, size_t *, struct err *);

/**
 * meta_run_counts(m, run, err):
 * Fill counts, ntasks and nrunning of ${run}.  Return 0 or -1.
 */
int meta_run_counts(struct meta *, struct meta_run *, struct err *);

/**
 * meta_tasks(m, run, a, out, n, err), meta_attempts(m, run, a, out, n, err):
 * The tasks of a run in the order they were created with; its attempts by task and number.
 */
int meta_tasks(struct meta *, const char *, struct arena *, struct meta_task **, size_t *,
	       struct err *);
int meta_attempts(struct meta *, const char *, struct arena *, struct meta_attempt **,
		  size_t *, struct err *);

/**
 * meta_outputs(m, run, fn, ctx, err):
 * Call ${fn} for each output value of the run's tasks that are done well: the values of the
 * task's latest attempt.  A task that was reset has none.  ${fn} must not use ${m}.
 */
int meta_outputs(struct meta *, const char *,
		 void (*)(void *, const char *task, int32_t map, const struct meta_kv *),
		 void *, struct err *);

/**
 * meta_events(m, run, after, limit, a, out, n, err):
 * Events of the run (NULL: of all runs) with ids above ${after}, oldest first.
 */
int meta_events(struct meta *, const char *, int64_t, size_t, struct arena *,
		struct meta_event **, size_t *, struct err *);

/**
 * meta_definition(m, hash, a, source, len, err):
 * The text of the DAG file that a run started with.  Return 0, or -1 (ERR_NOTFOUND).
 */
int meta_definition(struct meta *, const char *, struct arena *, const char **, size_t *,
		    struct err *);

/**
 * meta_produced(m, dag, task, path, is_dir, err):
 * Return 1 if a committed attempt of that task recorded ${path} as its output (${is_dir} says
 * whether as a directory), 0 if not, -1.
 */
int meta_produced(struct meta *, const char *, const char *, const char *, bool *,
		  struct err *);

/**
 * meta_lock_entries(m, lock, a, out, n, err):
 * What the lock file ${lock} shall say and may not say yet (NULL: of all lock files), by name, in
 * arena ${a}.  Return 0 or -1.
 */
int meta_lock_entries(struct meta *, const char *, struct arena *, struct meta_stage **,
		      size_t *, struct err *);

/**
 * meta_lock_written(m, stages, n, err):
 * The lock files say, durably, what these ${n} say: that is no longer to be written.  Return 0 or
 * -1.
 */
int meta_lock_written(struct meta *, const struct meta_stage *, size_t, struct err *);

/**
 * meta_published(m, dag, task, hash, a, out, n, err):
 * The values that the task published with the result ${hash}, in arena ${a}; none: none are
 * known.  Return 0 or -1.
 */
int meta_published(struct meta *, const char *, const char *, const char *,
		   struct arena *, struct meta_kv **, size_t *, struct err *);

/* A path that was last written by an attempt whose program ran and did not end well. */
struct meta_torn {
	const char *path; /* relative to the root */
	const char *run, *task;
	enum task_result result;
	int64_t at_us; /* wall, when that attempt was recorded to have ended */
};

/**
 * meta_torn(m, path, fn, ctx, err):
 * Call ${fn}(${ctx}, torn, ${err}) for each path half written that is ${path}, above it or below
 * it, until it returns non-zero; what is given to it is good for that call.  Return what it
 * returned, or 0; -1 also if the database cannot be read.
 */
int meta_torn(struct meta *, const char *,
	      int (*)(void *, const struct meta_torn *, struct err *), void *,
	      struct err *);

/**
 * meta_left(m, dag, task, path, err):
 * Tell whether what lies at ${path} is surely what an attempt of ${task} of ${dag} left that
 * ran and did not end well: 1, 0 or -1.
 */
int meta_left(struct meta *, const char *, const char *, const char *, struct err *);

/**
 * meta_path_holders(m, fn, ctx, err):
 * Call ${fn} for each path lock: for `dag explain` and for finding ownerless holders.
 * ${fn} must not use ${m}.
 */
int meta_path_holders(struct meta *,
		      void (*)(void *, const char *path, bool write, const char *run,
			       const char *task, int32_t map, uint32_t number),
		      void *, struct err *);

/**
 * meta_check(m, full, err):
 * Verify the database (quick_check, or integrity_check and foreign keys with ${full}).
 * Return 0, or -1 with ERR_CORRUPT.
 */
int meta_check(struct meta *, bool, struct err *);

/* ---- the writer thread ---- */

struct meta_writer;

/**
 * meta_writer_start(p, done, ctx, out, err):
 * Start a thread with a connection of its own that commits one batch at a time.  ${done} is
 * called in that thread when a batch has ended (it only wakes the loop).  Return 0 or -1.
 */
int meta_writer_start(const struct project *, void (*)(void *), void *,
		      struct meta_writer **, struct err *);

/**
 * meta_writer_submit(w, ops, n):
 * Hand a batch over; it and its strings stay the writer's until meta_writer_result.  At most
 * one may be under way (asserted).
 */
void meta_writer_submit(struct meta_writer *, struct meta_op *, size_t);

/**
 * meta_writer_result(w, rc, stale, err):
 * Fetch the end of the batch: 1 with the values of meta_commit, or 0 if it is still under
 * way (or none was handed over).
 */
int meta_writer_result(struct meta_writer *, int *, const struct meta_op **,
		       struct err *);

/**
 * meta_writer_resting(w):
 * Return whether there is no batch and the thread is not tidying up either: neither the gate
 * nor a lock of the database is held, so the process may be stopped (Ctrl-Z).
 */
bool meta_writer_resting(struct meta_writer *);

/**
 * meta_writer_gate(w, pid, state):
 * Tell whether the writer has been waiting for the gate for more than 2 s, and for whom.
 */
bool meta_writer_gate(struct meta_writer *, pid_t *, char *);

/**
 * meta_writer_stop(w):
 * Wait for the batch under way, end the thread, close its connection.  NULL allowed.
 */
void meta_writer_stop(struct meta_writer *);

#endif
