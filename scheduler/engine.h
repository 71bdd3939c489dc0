#ifndef DAG_SCHEDULER_ENGINE_H
#define DAG_SCHEDULER_ENGINE_H
/*
 * The engine: engine_step(state, now, event) -> actions.  No clock, no I/O, no libuv, no
 * randomness but what its configuration hands in; tests/sim drives it with a fake world.
 *
 * What it wants done comes in two kinds.  Rows for the database are collected into a batch;
 * the rim takes the batch when none is in flight, commits it, and reports back.  Actions are
 * fetched one by one: *prepare* and *start* appear only after the commit that holds their
 * attempt's row (and the successes they follow from), *stop*, *kill* and *commit* at once.
 *
 * Life of a task (enum task_state; PROPOSED is in memory only, the row says `waiting`):
 *
 *   WAITING ----------> DONE        [on_upstream: rule says skipped / upstream_failed,
 *      |                             `when` is false, a template fails, its result is known]
 *      v [on_upstream: rule satisfied]
 *   READY <-----------+  waits for a slot, or (blocked) for a path lock
 *      | [admit]      | [on_verdict: blocked]
 *   PROPOSED ---------+  its attempt's row is in a batch
 *      | [on_verdict: admitted]
 *   PREPARING --------> DONE        [on_prepared: cached, failed]
 *      | [on_prepared: run]          (a task that has nothing to prepare passes at once)
 *   STARTING ---------> READY       [on_void: the program never ran; no retry consumed]
 *      | [on_started]
 *   RUNNING ----------> UP_FOR_RETRY or DONE   [on_exited, on_lost]
 *      |        +-----> READY       [on_void: only its shim ran]
 *      | [on_exited: status 0]
 *   COMMITTING -------> DONE, UP_FOR_RETRY     [on_outputs]
 *   UP_FOR_RETRY -----> READY       [on_retry_due]
 *
 * Invariants (engine_check):
 *  1. slots == tasks of kind exec/host in PROPOSED..COMMITTING; never above jobs; per run
 *     never above its max_active_tasks.  The memory that those with a claim on it have is not
 *     above the machine's, unless it is one task alone that claims more.
 *  2. The upstream counters of a task are those of its selected upstreams that are DONE.
 *  3. A READY task is in its run's ready heap or is blocked; no other task is.
 *  4. A run ends exactly when all its tasks are DONE.
 *  5. Nothing is proposed for a run that is stopping, settling or dropped.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "scheduler/dag.h"
#include "store/meta.h"

struct engine;
struct engine_run_spec;

/* What the engine asks about a task whose upstreams have let it through. */
enum engine_decision {
	DECIDE_RUN,
	DECIDE_SKIP, /* `when` is false */
	DECIDE_FAIL  /* a template cannot be rendered; the reason says which */
};

struct engine_config {
	void *ctx;
	unsigned jobs;	/* slots */
	int64_t memory; /* bytes that tasks with `resources` share; 0: nobody counts */
	uint64_t seed;	/* of the jitter */
	const char *boot_id;
	/* Pure: evaluate `when`, render what the attempt will run and keep it for its start.  The
	 * reason goes into ${reason}. */
	enum engine_decision (*decide)(void *ctx, void *run_ctx, uint32_t task,
				       char *reason, size_t size);
	/* After DECIDE_RUN: the result that the task is known to have without an attempt that does
	 * anything, as an EV_PREPARED that is PREPARED_CACHED (only reason, outputs, produced and
	 * stage count; borrowed until the step ends), or NULL.  May be NULL. */
	const struct engine_event *(*known)(void *ctx, void *run_ctx, uint32_t task);
	/* For a wait: the duration and the instant rendered by decide, -1 where absent. */
	void (*wait_times)(void *ctx, void *run_ctx, uint32_t task, int64_t *for_us,
			   int64_t *until_us);
	/* A fresh UUIDv7. */
	int (*new_id)(void *ctx, char out[META_RUN_ID]);
	/* A task's state as the table on the screen wants it; NULL: not wanted. */
	void (*changed)(void *ctx, uint32_t run, uint32_t task);
};

/* What the database says of a task when its run is added. */
struct engine_task_row {
	enum task_state state;
	enum task_result result;
	enum fail_cause cause;
	uint32_t attempt, tries;
	int64_t next_try_us;
	int64_t started_us, ended_us;
	const char *reason;
	bool selected;
	bool
	    live; /* its latest attempt has not ended: the rim reports what became of it */
	int64_t wake_us; /* of a live engine-kind attempt */
};

/* The paths of a task, as rows of its attempts. */
struct engine_paths {
	const struct meta_path *v;
	size_t n;
};

struct engine_run_spec {
	void *ctx; /* handed to decide */
	const struct dag *dag;
	const char *id;
	int64_t epoch;
	int64_t started_us;  /* 0: it starts now */
	int64_t deadline_us; /* wall; 0: none */
	bool fail_fast;
	bool settle; /* launch nothing; let what has ended reach its end */
	bool cancel; /* taken over to be cancelled, or while it was being cancelled */
	const char *cancel_reason; /* of one that is durable already; NULL: it is new */
	bool retry;   /* an ended run that begins anew: what did not succeed, or `from` */
	int32_t from; /* task id, or -1 */
	const bool *
	    again; /* of a retry: the tasks to begin with, by id, in place of `from`; or NULL */
	const struct engine_paths *paths;   /* one per task */
	const struct engine_task_row *rows; /* one per task */
};

/* The reason in the row of a run that has begun anew.  Any other reason of a run that is not
 * done is that of its cancel: whoever takes the run over goes on cancelling it. */
#define ENGINE_RETRY "retry"

/* The reason in the row of a run whose time is up: its verdict is `failed`, whoever ends it. */
#define ENGINE_TIMEOUT "the run's timeout is up"

/* One attempt, as events and actions name it. */
struct engine_ref {
	uint32_t run, task;
	uint32_t number;
};

/* How an attempt's process ended, from its exit record. */
struct engine_exit {
	int status;	  /* -1: by a signal */
	int signal;	  /* 0: none */
	const char *step; /* the step before exec that failed, or NULL */
	const char *text; /* words for it, or NULL */
	bool timed_out;
	bool mem_over;	  /* it used more memory than it may */
	int64_t ended_us; /* wall */
	int64_t user_us, sys_us, maxrss_kib, mem_peak_kib, log_bytes;
	uint32_t survivors;
	const char *oom;
};

enum engine_event_kind {
	EV_TICK,	/* time has passed */
	EV_COMMITTED,	/* the batch in flight is durable */
	EV_COMMIT_FULL, /* it is not: no space; the rim tries it again */
	EV_PREPARED,
	EV_STARTED, /* the shim runs */
	EV_VOID,    /* the process never ran: launch again, no retry consumed */
	EV_EXITED,
	EV_LOST,
	EV_OUTPUTS, /* declared outputs are checked and durable, or are not */
	EV_CANCEL,  /* stop the run; `kill`: now */
	EV_RETRY,   /* reset tasks of a run and go on */
	EV_WAKE,    /* path locks may have gone */
	EV_GIT,	    /* what is checked out is known: for the run's row */
	EV_KINDS
};

enum engine_prepared {
	PREPARED_RUN,	 /* `reason`: why, of one that does not always; or NULL */
	PREPARED_CACHED, /* nothing has changed; `reason` says how that is known */
	PREPARED_FAILED,
	PREPARED_CANCELLED
};

struct engine_event {
	enum engine_event_kind kind;
	struct engine_ref ref; /* of one attempt; `run` also of EV_CANCEL and EV_RETRY */
	const char *reason;    /* borrowed */

	enum engine_prepared prepared;
	pid_t pid;
	const char *handle;
	const struct engine_exit *exit;
	int64_t delay_us; /* EV_VOID: how long to wait before the next try */
	bool ok;	  /* EV_OUTPUTS */
	/* Of EV_OUTPUTS, and of EV_PREPARED where nothing had changed. */
	const struct meta_kv *outputs;
	size_t noutputs;
	const struct meta_path *produced;
	size_t nproduced;
	const struct meta_stage *stage; /* of the result, or NULL */
	const char *git_commit;		/* EV_GIT; with git_dirty as in struct meta_op */
	int git_dirty;
	bool kill;
	int32_t from; /* EV_RETRY: task id, or -1: what failed */
	int64_t
	    command; /* id of the command behind the event, to be marked done; 0: none */
	const char *answer;
};

enum engine_action_kind {
	ACT_PREPARE,
	ACT_START,
	ACT_STOP, /* TERM, grace, KILL: by the shim; or cancel the prepare */
	ACT_KILL,
	ACT_COMMIT,	 /* check outputs, make them durable */
	ACT_RUN_END,	 /* the run's end is durable: let it go */
	ACT_RUN_SETTLED, /* of a settling run: nothing of it is under way here */
	ACT_RUN_STALE	 /* somebody else owns it now: forget it, touch nothing */
};

struct engine_action {
	enum engine_action_kind kind;
	struct engine_ref ref;
};

/**
 * engine_new(cfg), engine_free(e):
 * Make an engine without runs, or NULL; free it, NULL allowed.
 */
struct engine *engine_new(const struct engine_config *);
void engine_free(struct engine *);

/**
 * engine_add(e, now, spec, run):
 * Add a run; what ${spec} points to must stay until the engine is freed.  Its number goes to
 * ${run}.  Attempts that are `live` stand in STARTING until the rim reports EV_STARTED,
 * EV_EXITED, EV_VOID or EV_LOST.  Nothing is decided or launched before the next engine_step:
 * outputs that templates need (engine_set_outputs) and all other runs of a session can be added
 * first.  Return 0, or -1 if memory runs out.
 */
int engine_add(struct engine *, struct now, const struct engine_run_spec *, uint32_t *);

/**
 * engine_step(e, now, ev):
 * Apply one event.  An event that is not legal in its task's state (a late one of an older
 * attempt) is ignored.  Return 0; -1 if memory ran out, after which the engine must only be
 * freed: what it owns lives on and its runs can be resumed.
 */
int engine_step(struct engine *, struct now, const struct engine_event *);

/**
 * engine_take(e, n), engine_urgent(e), engine_pending(e), engine_taken(e, n):
 * The operations collected so far, for one commit; NULL if there are none or a batch is in
 * flight.  engine_pending tells whether there are any, engine_urgent whether one of them should
 * not wait for company.  After engine_take EV_COMMITTED must come before the next batch can be
 * taken; engine_taken returns the same operations again until then, engine_taken_refs the run
 * and task of each.
 */
struct meta_op *engine_take(struct engine *, size_t *);
bool engine_urgent(const struct engine *);
bool engine_pending(const struct engine *);
struct meta_op *engine_taken(struct engine *, size_t *);
const struct engine_ref *engine_taken_refs(const struct engine *);

/**
 * engine_action(e, out):
 * Fetch the next action; false if there is none.
 */
bool engine_action(struct engine *, struct engine_action *);

/**
 * engine_deadline(e, now):
 * Microseconds from ${now} until the engine wants EV_TICK; -1: never.
 */
int64_t engine_deadline(const struct engine *, struct now);

/* How a task stands. */
struct engine_task_view {
	enum task_state state;
	enum task_result result;
	enum fail_cause cause;
	uint32_t attempt, tries;
	int64_t started_us, ended_us;	  /* wall, of the latest attempt */
	int64_t started_mono, ended_mono; /* 0: not in this process */
	int64_t next_try_us;
	bool selected, blocked, live;
	const char *reason;
	const char *attempt_id; /* of the latest attempt proposed by this engine, or "" */
};
void engine_task_view(const struct engine *, uint32_t, uint32_t,
		      struct engine_task_view *);

struct engine_run_view {
	enum run_state state;
	enum run_result result;
	const char *reason;
	int64_t started_us, ended_us;
	int64_t started_mono, ended_mono;
	uint32_t live;	  /* attempts in PROPOSED..COMMITTING */
	uint32_t blocked; /* tasks that wait for a path lock (or after a failed start) */
	bool cancelling;
};
void engine_run_view(const struct engine *, uint32_t, struct engine_run_view *);

/**
 * engine_outputs(e, run, task, key, val, len), engine_output_key(e, run, task, i):
 * The output ${key} of a task, for rendering: 1 with the value; 0: it ended well without it;
 * -1: it has not ended well.  The i-th key, or NULL.
 */
int engine_outputs(const struct engine *, uint32_t, uint32_t, const char *, const char **,
		   size_t *);
const char *engine_output_key(const struct engine *, uint32_t, uint32_t, size_t);

/**
 * engine_set_outputs(e, run, task, kv, n):
 * Give a finished task the outputs that the database holds, copied (after engine_add and
 * before the next engine_step).  Return 0, or -1 if memory runs out.
 */
int engine_set_outputs(struct engine *, uint32_t, uint32_t, const struct meta_kv *,
		       size_t);

/**
 * engine_check(e):
 * Assert the invariants above.
 */
void engine_check(const struct engine *);

#endif
