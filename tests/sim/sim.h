#ifndef DAG_TESTS_SIM_H
#define DAG_TESTS_SIM_H
/*
 * A seeded world around the pure engine: random DAGs, a fake database with the same guard, two
 * fake clocks, fake processes that outlive their owner, workers, owners that crash between any
 * two effects, lose their runs, come back, settle, retry and cancel.
 *
 *	gen.c     random DAGs and worlds
 *	db.c      the database: rows, the guard, epochs
 *	world.c   processes and workers; the engine's actions carried out
 *	owner.c   runs taken, lost, settled, cancelled, retried; crashes
 *	oracle.c  the judge of what is durable; shares no code with the engine
 *	watch.c   the judge of what the engine decides in a step
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "scheduler/engine.h"

#define SIM_TASKS_MAX	 200
#define SIM_RUNS_MAX	 3
#define SIM_UNTIL_US	 INT64_C(1700000003000000) /* of half of the waits */
#define SIM_ATTEMPTS_MAX 96			   /* of one task */

enum proc_state {
	PROC_NONE,	/* never started */
	PROC_RUNNING,	/* the shim lives */
	PROC_STILLBORN, /* the shim gave up before the program */
	PROC_EXITED,	/* its record is there */
	PROC_VANISHED	/* shim and all killed: nobody knows */
};

/* One attempt in the world and in the database. */
struct sim_attempt {
	bool row; /* inserted, durable */
	bool ended;
	bool watched;	/* its owner hears of its end */
	bool adopted;	/* its owner did not start it, and may have more than its slots */
	bool unseen;	/* taken over, and not reported yet */
	bool unstarted; /* started, and that is not reported yet */
	bool dies_unborn;  /* it will be stillborn */
	bool to_settle;	   /* ended when its run was taken to be settled */
	bool stop, killed; /* signals sent */
	bool kept;	   /* it ended well before a cancel was durable */
	uint8_t proc;	   /* enum proc_state */
	uint8_t result;
	uint8_t cause;	  /* enum fail_cause: what its owner is told that it failed for */
	uint8_t must;	  /* the result it must end with; RESULT_NONE: open */
	int8_t status;	  /* of a running one, then */
	uint64_t row_at;  /* number of the commit that inserted it */
	int64_t ends_us;  /* mono: when a running one ends by itself */
	int64_t begun_us; /* wall: it was proposed */
	int64_t wake_us;
};

struct sim_task {
	/* durable row */
	enum task_state state;
	enum task_result result;
	uint32_t attempt, tries;
	int64_t next_try_us;
	uint64_t done_at; /* number of the commit */
	/* the world */
	struct sim_attempt attempts[SIM_ATTEMPTS_MAX];
	bool selected;
	bool when;	   /* value of its `when` */
	bool broken;	   /* its template cannot be rendered */
	bool delayed;	   /* a failed start is tried again later */
	unsigned fails;	   /* how many of its first attempts fail */
	unsigned round;	   /* attempts before the last retry of the run */
	int64_t fail_us;   /* mono: the failure of its last try was told */
	uint64_t fail_own; /* to this owner */
	int64_t again_us;  /* mono: not before this may a failed start be tried again */
	/* before the step, for watch.c */
	bool was_live;
};

struct sim_run {
	char id[META_RUN_ID];
	bool exists, done;
	enum run_result result;
	char reason[128];
	int64_t epoch;
	int64_t deadline_us, deadline_mono; /* 0: none */
	int64_t row_deadline_us;	    /* durable */
	int64_t old_deadline_us;	    /* of the end before the last retry */
	struct sim_task *tasks;
	struct engine_paths *paths;
	bool fail_fast;
	unsigned retries; /* how often it was retried */
	bool look_past;	  /* by --from: failures may stay */
	/* a cancel: sent, durable, and told to be durable */
	bool cancelled, cancel_durable, cancel_known;
	bool *expect; /* tasks that the retry must reset, or NULL */
	/* its owner */
	bool owned, settling;
	uint64_t own;	  /* number of its owner */
	int64_t taken_us; /* mono: since when */
	uint32_t index;	  /* in the engine */
};

enum work_kind { WORK_PREPARE, WORK_COMMIT };

/* A worker of the owner. */
struct work {
	enum work_kind kind;
	struct engine_ref ref;
	struct sim_run *r;
	bool stop;
	int64_t at_us; /* mono */
};

/* What happened in a world, or in many. */
struct sim_totals {
	uint64_t steps, crashes, starts, retries, settles, stales, jumps;
};

/* What a judge found. */
struct sim_failure {
	uint64_t seed;
	char check[40]; /* the judge's function */
	char text[400];
};

struct sim {
	uint64_t rng, seed;
	struct dag dag;
	uint32_t *pos; /* of each task in the topological order */
	struct sim_run runs[SIM_RUNS_MAX];
	unsigned nruns;
	struct engine *e;
	struct now now;
	bool jumped; /* the wall clock was set since the last crash */
	unsigned jobs;
	int64_t memory; /* of the machine; 0: nobody counts */
	VEC(struct work) works;
	bool flying, full, freed;
	bool unnoticed; /* a run was lost, and the engine has not heard of it */
	bool wake;	/* a lock was freed by somebody else */
	uint64_t commits, owners, next_id;
	unsigned idle; /* turns in a row in which nothing happened */
	struct sim_totals totals;
};

uint64_t sim_rand(struct sim *, uint64_t);
bool sim_once_in(struct sim *, uint64_t);
_Noreturn void sim_failed(struct sim *, const char *, const char *, ...)
    __attribute__((format(printf, 3, 4)));
#define sim_fail(s, ...) sim_failed((s), __func__, __VA_ARGS__)
void sim_report_to(struct sim_failure *);
void sim_totals_add(struct sim_totals *, const struct sim_totals *);

/* gen.c */
void sim_make(struct sim *, unsigned);
void sim_release(struct sim *);
void *sim_alloc(size_t, size_t);

/* sim.c */
void sim_step(struct sim *, const struct engine_event *);
void sim_jump(struct sim *);
void sim_play(uint64_t, unsigned, struct sim_totals *);

/* mutants.c */
void sim_mutant(unsigned);

/* db.c */
struct sim_run *db_run(struct sim *, const char *);
uint32_t db_task(struct sim *, const char *);
void db_commit(struct sim *);

/* world.c */
void world_act(struct sim *, const struct engine_action *);
void world_drain(struct sim *);
void world_processes(struct sim *);
void world_works(struct sim *);
void world_report(struct sim *, struct sim_run *, uint32_t, uint32_t);
int64_t world_next(struct sim *);

/* owner.c */
struct engine *owner_engine(struct sim *);
void owner_take(struct sim *, struct sim_run *);
void owner_crash(struct sim *);
void owner_idle(struct sim *);
void owner_lose(struct sim *, struct sim_run *);
void owner_cancel(struct sim *, struct sim_run *);
void owner_retry_live(struct sim *, struct sim_run *);
void owner_found(struct sim *);

/* oracle.c */
void oracle_start(struct sim *, struct sim_run *, uint32_t, uint32_t);
void oracle_commit(struct sim *, struct sim_run *, const struct meta_op *);
void oracle_reset(struct sim *, struct sim_run *);
void oracle_end(struct sim *, struct sim_run *);
void oracle_marks(const struct sim *, const struct sim_run *, int32_t, bool *);
bool oracle_paths_clash(const struct engine_paths *, const struct engine_paths *);

/* watch.c */
void watch_before(struct sim *);
void watch_after(struct sim *);

#endif
