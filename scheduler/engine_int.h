#ifndef DAG_SCHEDULER_ENGINE_INT_H
#define DAG_SCHEDULER_ENGINE_INT_H
/*
 * What the engine's files share; nobody else includes it.  The diagram and the invariants
 * stand in engine.h.
 */
#include "base/arena.h"
#include "base/vec.h"
#include "scheduler/engine.h"
#include "scheduler/engine_probe.h"

/* States of a task in memory: those of the rows, and PROPOSED. */
#define INST_PROPOSED ((uint8_t)TASK_STATES)
#define INST_STATES   (TASK_STATES + 1)

#define HEAP_NONE UINT32_MAX

/* One task of one run; mapped tasks will have one per index. */
struct inst {
	uint8_t state; /* enum task_state or INST_PROPOSED */
	uint8_t result;
	uint8_t cause;
	bool selected;
	bool blocked;	 /* READY, but waits for a path lock or its due time */
	bool live;	 /* counted in run->live: PROPOSED..COMMITTING */
	bool slot;	 /* holds one */
	bool elsewhere;	 /* only settled: its attempt lives, the next owner's */
	bool stopping;	 /* stop or kill was sent, or will be answered at the verdict */
	bool killed;	 /* kill was sent */
	bool by_wall;	 /* its due time follows the wall clock (`wait: until`) */
	uint32_t number; /* of the latest attempt */
	uint32_t tries;	 /* attempts of this round that count against retries */
	uint32_t heap_at;
	uint32_t up, up_done, up_success, up_failed, up_allowed, up_upstream, up_skipped;
	int64_t due_mono;    /* 0: none */
	int64_t due_wall;    /* of by_wall */
	int64_t next_try_us; /* wall, as stored */
	int64_t started_us, ended_us, started_mono, ended_mono;
	char *reason;		  /* malloc'ed, or NULL */
	char id[META_RUN_ID];	  /* of the latest attempt proposed here */
	struct engine_exit *exit; /* facts kept from EV_EXITED to the attempt's end */
	struct kept *outputs;	  /* of a task that ended well, or NULL */
};

struct kept {
	size_t n;
	struct meta_kv kv[]; /* keys and values in the same allocation */
};

struct heap {
	uint32_t *v; /* task ids; room for all tasks, made once */
	uint32_t n;
};

struct erun {
	struct engine_run_spec spec;
	const struct dag *dag;
	struct inst *insts;
	uint32_t *pos;	       /* place of each task in the topological order */
	struct heap ready;     /* tasks that need a slot */
	struct heap ready_mem; /* tasks that need a slot and have a claim on memory */
	struct heap ready0;    /* tasks of the engine itself, which need none */
	uint32_t ndone;
	uint32_t active; /* slots held */
	int64_t memory;	 /* claimed by those who hold them */
	uint32_t live;
	uint32_t nblocked; /* READY and blocked */
	uint32_t nops;	   /* its operations that are not durable yet */
	/* META_OP_RUN operations are numbered, so that the commit of an older one is not taken
	 * for that of the cancel or the end. */
	uint32_t run_ops, cancel_op, end_op;
	bool fresh;    /* added, and not looked at yet */
	bool stopping; /* launches nothing more */
	bool cancelling;
	bool cancel_durable; /* the cancel's event is committed */
	bool timed_out;
	bool ended; /* its end is in a batch */
	bool gone;  /* end durable, settled, or stale: nothing of it is looked at again */
	enum run_result result;
	char *reason;
	int64_t started_us, ended_us, started_mono, ended_mono;
	int64_t due_mono; /* of its timeout; 0: none */
};

/* Entry of the timer heap; stale ones are recognised by the task's due_mono. */
struct timer {
	int64_t due;
	uint32_t run, task;
};

struct batch {
	struct arena *arena; /* strings of the operations */
	VEC(struct meta_op) ops;
	VEC(struct engine_ref) refs; /* one per operation */
	bool urgent;
	bool frees_paths; /* ends an attempt that may have held path locks */
};

struct engine {
	struct engine_config cfg;
	VEC(struct erun *) runs;
	unsigned slots;
	int64_t memory; /* claimed by tasks that hold a slot */
	bool full;	/* the disk is: launch nothing until a commit passes */
	bool dead;	/* memory ran out */
	bool nomem;	/* the same, noticed where no error can be returned */
	bool flying;
	struct batch pending, flight;
	VEC(struct engine_action) actions;
	size_t actions_at;
	VEC(struct engine_ref)
	done; /* tasks whose end their downstreams have not heard of */
	size_t done_at;
	VEC(struct timer) timers; /* a binary heap */
	VEC(struct engine_ref) wall_waits;
	uint64_t rng;
};

/* Events of one task: columns of the table in engine_task.c. */
enum task_event {
	TE_ADMITTED,
	TE_BLOCKED,
	TE_PREPARED,
	TE_STARTED,
	TE_VOID,
	TE_EXITED,
	TE_LOST,
	TE_OUTPUTS,
	TE_DUE,
	TE_CANCEL, /* the run stops: end what has not started, stop what has */
	TE_EVENTS
};

/* One task at one moment, as the functions of the table get it. */
struct step {
	struct engine *e;
	struct erun *r;
	struct inst *t;
	uint32_t run, task;
	struct now now;
	const struct engine_event *ev; /* NULL for events of the engine's own */
};

/* engine_task.c */
int task_event(struct engine *, uint32_t, uint32_t, enum task_event, struct now,
	       const struct engine_event *);
int task_reset(struct engine *, uint32_t, uint32_t, struct now);
bool task_event_legal(uint8_t, enum task_event);
struct step step_of(struct engine *, uint32_t, uint32_t, struct now,
		    const struct engine_event *);

/* engine_attempt.c */
void task_changed(struct step *);
void task_hold(struct engine *, uint32_t, uint32_t);
void task_let_go(struct step *);
void task_leave_ready(struct step *);
int task_finish(struct step *, enum task_result, enum fail_cause, const char *, ...)
    __attribute__((format(printf, 4, 5)));
int task_over(struct step *, enum task_result, enum fail_cause, const char *);
int attempt_end(struct step *, enum task_result, enum fail_cause, const char *);
int64_t retry_delay_max(const struct dag_task *, uint32_t);
int attempt_fail(struct step *, enum fail_cause, const char *);
int attempt_fail_exit(struct step *, const struct engine_exit *);
int attempt_cancelled(struct step *);
int attempt_keep_exit(struct step *);
int set_reason(char **, const char *, ...) __attribute__((format(printf, 2, 3)));

/* engine_outputs.c */
int outputs_keep(struct inst *, const struct meta_kv *, size_t);
int outputs_batch(struct step *, struct meta_op *);

/* engine_trigger.c */
enum trigger_verdict { TRIGGER_WAIT, TRIGGER_RUN, TRIGGER_SKIP, TRIGGER_UPSTREAM_FAILED };
enum trigger_verdict trigger_eval(enum trigger_rule, const struct inst *);
void trigger_count(struct inst *, const struct inst *, bool);

/* engine_admit.c */
void heap_push(struct erun *, struct heap *, uint32_t);
void heap_remove(struct erun *, struct heap *, uint32_t);
void admit_ready(struct engine *, uint32_t, uint32_t);
int admit_known(struct step *);
int admit_all(struct engine *, struct now);
void admit_wake(struct engine *);
struct heap *heap_of(struct erun *, uint32_t);

/* engine_batch.c */
struct meta_op *op_new(struct engine *, uint32_t, uint32_t, enum meta_op_kind,
		       struct now);
const char *op_str(struct engine *, const char *);
int op_task(struct engine *, uint32_t, uint32_t, struct now, bool);
int op_run(struct engine *, uint32_t, struct now, enum run_state, const char *);
int batch_committed(struct engine *, struct now);
int act(struct engine *, enum engine_action_kind, uint32_t, uint32_t, uint32_t);
void batch_release(struct batch *);

/* engine_run.c */
int run_cancel(struct engine *, uint32_t, struct now, const char *, bool);
int run_stop_launching(struct engine *, uint32_t, struct now, const char *);
int run_retry(struct engine *, uint32_t, struct now, int32_t, const bool *);
int run_check_end(struct engine *, uint32_t, struct now);
int run_upstream_done(struct engine *, struct now);
int run_evaluate(struct engine *, uint32_t, uint32_t, struct now);
int run_begin(struct engine *, uint32_t, struct now);
int run_time_up(struct engine *, uint32_t, struct now);

/* engine_timer.c */
int timer_set(struct engine *, uint32_t, uint32_t, int64_t);
int wait_begin(struct engine *, uint32_t, uint32_t, struct now);
int timers_run(struct engine *, struct now);

#endif
