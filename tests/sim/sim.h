#ifndef DAG_TESTS_SIM_H
#define DAG_TESTS_SIM_H
/*
 * A seeded world around the pure engine: random DAGs, a fake database with the same guard, a
 * fake clock, fake processes that outlive their owner, crashes between any two effects.  The
 * oracle (oracle.c) judges from the durable rows alone and shares no code with the engine.
 */
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/engine.h"

#define SIM_TASKS_MAX	 200
#define SIM_RUNS_MAX	 3
#define SIM_PATHS_MAX	 12
#define SIM_ATTEMPTS_MAX 64 /* of one task */

enum proc_state {
	PROC_NONE, /* never started */
	PROC_RUNNING,
	PROC_EXITED,  /* its record is there */
	PROC_VANISHED /* shim and all killed: nobody knows */
};

/* One attempt in the world and in the database. */
struct sim_attempt {
	bool row; /* inserted, durable */
	bool ended;
	enum task_result result;
	enum proc_state proc;
	int64_t ends_us; /* when a running one ends by itself */
	int status;	 /* then */
	bool stop;	 /* TERM was sent */
	int64_t wake_us;
};

struct sim_task {
	/* durable row */
	enum task_state state;
	enum task_result result;
	uint32_t attempt, tries;
	int64_t next_try_us;
	/* the world */
	struct sim_attempt attempts[SIM_ATTEMPTS_MAX];
	bool when;	      /* value of its `when` */
	bool broken;	      /* its template cannot be rendered */
	unsigned fails;	      /* how many of its first attempts fail */
	unsigned round_start; /* attempts before the last retry of the run */
};

struct sim_run {
	char id[META_RUN_ID];
	bool exists, done;
	enum run_result result;
	int64_t epoch;
	struct sim_task *tasks;
	struct engine_paths *paths;
	bool cancelled; /* a cancel was sent */
	bool fail_fast;
	bool owned;
	uint32_t index; /* in the engine */
};

struct sim {
	uint64_t rng, seed;
	struct dag dag;
	struct sim_run runs[SIM_RUNS_MAX];
	unsigned nruns;
	struct engine *e;
	struct now now;
	unsigned jobs;
	bool verbose;
	uint64_t steps, crashes, starts;
	/* a batch under way */
	bool flying;
	uint64_t next_id;
};

uint64_t sim_rand(struct sim *, uint64_t);
_Noreturn void sim_fail(struct sim *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* gen.c */
void sim_make(struct sim *, unsigned);
void sim_release(struct sim *);

/* oracle.c */
void oracle_start(struct sim *, struct sim_run *, uint32_t, uint32_t);
void oracle_commit(struct sim *, struct sim_run *, const struct meta_op *);
void oracle_end(struct sim *, struct sim_run *);
bool oracle_paths_clash(const struct engine_paths *, const struct engine_paths *);

#endif
