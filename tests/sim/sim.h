#ifndef DAG_TESTS_SIM_H
#define DAG_TESTS_SIM_H
/*
 * A seeded world around the pure engine: random DAGs, a fake database with the same guard, two
 * fake clocks, fake processes that outlive their owners, workers, and several owners at once
 * that crash between any two effects, lose their runs to each other, come back, settle, retry
 * and cancel.
 *
 *	chance.c  luck: everything that is random, by seed and identity; faults; history
 *	gen.c     random DAGs and worlds, and what is left of them after a cut
 *	db.c      the database: rows, the guard, epochs
 *	world.c   processes and workers; the engine's actions carried out
 *	owner.c   runs taken, settled, retried; what an engine asks
 *	trouble.c crashes, losses, cancels, clocks that are set
 *	turn.c    one thing after another
 *	oracle.c  the judge of starts and rows; shares no code with the engine
 *	judge.c   the judge of ends, of tasks and of runs
 *	watch.c   the judge of what an engine decides in a step
 *	crew.c    many worlds on all cores;  cover.c, mutants.c, shrink.c  what is made of them
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "scheduler/engine.h"

#define SIM_TASKS_MAX	 200
#define SIM_RUNS_MAX	 3
#define SIM_OWNERS_MAX	 3
#define SIM_ROUNDS_MAX	 3
#define SIM_UNTIL_US	 INT64_C(1700000003000000) /* of the waits for an instant */
#define SIM_ATTEMPTS_MAX 96			   /* of one task */
#define SIM_TROUBLES_MAX 500			   /* of a world that is cut down */
#define SIM_FIRED_MAX	 2000 /* faults of a world that is cut down */

/* What goes wrong in a world; each can be left out of it. */
enum fault {
	FAULT_CRASH,
	FAULT_CRASH_COMMIT, /* right after a commit, which its owner never hears of */
	FAULT_CRASH_CANCEL, /* while a run of its is being cancelled */
	FAULT_LOSE,
	FAULT_CANCEL,
	FAULT_CANCEL_AGAIN,
	FAULT_RETRY,
	FAULT_RETRY_END, /* while the end is on its way */
	FAULT_CLOCK,
	FAULT_LATE_REPORT,
	FAULT_FULL,
	FAULT_SPAWN,
	FAULT_UNBORN,
	FAULT_VANISH,
	FAULT_ABSENT, /* outputs */
	FAULT_PREPARE,
	FAULT_CACHED,
	FAULT_KNOWN, /* cached, and known without an attempt */
	FAULT_SETTLE,
	FAULTS
};

/* What is left out of a world: of each task, of each run, of all. */
#define CUT_GONE     0x01u
#define CUT_UPS	     0x02u /* it has no upstreams */
#define CUT_TRIGGER  0x04u
#define CUT_RETRIES  0x08u
#define CUT_PATHS    0x10u
#define CUT_FILES    0x20u /* no inputs and outputs: no prepare */
#define CUT_CHOICE   0x40u /* selected, its `when` true, its templates whole */
#define CUT_FAILS    0x80u
#define CUT_RANK     0x100u /* priority, allow_failure */
#define CUT_WAIT     0x200u /* a process instead */
#define CUT_TASK_END 0x400u

#define CUT_FAIL_FAST 0x02u
#define CUT_AGAIN     0x04u /* it is not retried after its end */
#define CUT_RUN_END   0x08u

#define CUT_MAX_ACTIVE 0x01u
#define CUT_TIMEOUT    0x02u
#define CUT_ORDER      0x04u
#define CUT_OWNERS     0x08u /* one at a time */
#define CUT_HASTE      0x10u /* everything takes no time */
#define CUT_MEMORY     0x20u
#define CUT_ALL_END    0x40u

/* A trouble that is to come at a turn, as it would have come at another. */
struct sim_trouble {
	uint64_t at, was;
};

struct sim_cut {
	uint64_t luck; /* of the interleaving */
	bool planned;  /* these troubles come, and no others */
	uint32_t ntroubles;
	struct sim_trouble troubles[SIM_TROUBLES_MAX];
	uint32_t all, task[SIM_TASKS_MAX], run[SIM_RUNS_MAX];
	bool fault[FAULTS];
	uint32_t nsilent;
	uint64_t silent[SIM_FIRED_MAX]; /* single faults */
};

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
	bool prepared;	   /* its owner was told so, and may start it */
	bool committed;	   /* its owner was told that its outputs are durable */
	bool why;	   /* it is durable why it runs */
	int64_t why_by;	   /* the epoch whose owner was told why; 0: none */
	bool kept;	   /* it ended well before a cancel was durable */
	uint8_t proc;	   /* enum proc_state */
	uint8_t result;
	uint8_t cause; /* enum fail_cause: what its owner is told that it failed for */
	uint8_t must;  /* the result it must end with; RESULT_NONE: open */
	/* of a running one, then */
	int8_t status, signal;
	bool timed_out, no_exec;
	uint64_t stale_by; /* an ownership that was lost: its process still watches it */
	uint64_t row_at;   /* number of the commit that inserted it */
	int64_t ends_us;   /* mono: when a running one ends by itself */
	int64_t begun_us;  /* wall: it was proposed */
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
	bool let_through;  /* it was under way when its run was retried */
	unsigned fails;	   /* how many of its first attempts fail */
	unsigned round;	   /* attempts before the last retry of the run */
	int64_t fail_us;   /* mono: the failure of its last try was told */
	uint64_t fail_own; /* to this ownership */
	int64_t again_us;  /* mono: not before this may a failed start be tried again */
	/* before the step, for watch.c */
	bool was_live;
};

struct sim_owner;

/* What an end of a run must follow from, beside its tasks. */
struct sim_end {
	bool cancelled, late;
	int64_t deadline_us;
};

struct sim_run {
	char id[META_RUN_ID];
	unsigned made; /* its number in the world before the cut */
	bool exists, done;
	enum run_result result;
	char reason[128];
	int64_t epoch;
	int64_t deadline_us, deadline_mono; /* 0: none */
	int64_t row_deadline_us;	    /* durable */
	struct sim_task *tasks;
	struct engine_paths *paths;
	bool fail_fast;
	unsigned retries, rounds; /* how often it was retried, and is to be */
	bool look_past;		  /* failures may stay: --from, or a retry under way */
	bool *expect;		  /* tasks that the retry must reset, or NULL */
	/* Its end is asked for: sent, durable, and told to be durable; by its timeout. */
	bool cancelled, cancel_durable, cancel_known, late;
	uint64_t cancel_step; /* 0: durable, or none */
	bool asked;	      /* one of these, in this round */
	/* Ends from which it was retried while they were on their way, the oldest first; and the
	 * one that is durable just now. */
	struct sim_end ends[SIM_ROUNDS_MAX], end;
	unsigned nends;
	/* its owner */
	struct sim_owner *o; /* NULL: none */
	bool settling;
	bool was_ended;	  /* before the step */
	bool fresh;	  /* its owner has not looked at it yet */
	uint64_t own;	  /* number of this ownership */
	int64_t taken_us; /* mono: since when */
	uint32_t index;	  /* in the engine */
};

enum work_kind { WORK_PREPARE, WORK_COMMIT };

/* A worker of an owner. */
struct work {
	enum work_kind kind;
	struct engine_ref ref;
	struct sim_run *r;
	bool stop;
	int64_t at_us; /* mono */
};

/* A process that owns runs. */
struct sim_owner {
	struct sim *s;
	struct engine *e; /* NULL: no such process */
	uint64_t number;
	unsigned jobs;
	VEC(struct work) works;
	bool flying, full, freed;
	uint64_t taken_step; /* when the batch in flight was taken */
	bool wake;	     /* a lock was freed by somebody else */
	/* runs that it lost and still takes for its own */
	bool stale[SIM_RUNS_MAX];
	unsigned told[SIM_RUNS_MAX]; /* so often */
	uint64_t stale_own[SIM_RUNS_MAX];
	uint32_t stale_index[SIM_RUNS_MAX];
};

/* What happened in a world, or in many. */
struct sim_totals {
	uint64_t worlds, tasks, steps, crashes, starts, retries, settles, stales, jumps;
	uint64_t cancels, faults[FAULTS];
};

/* What a judge found. */
struct sim_failure {
	uint64_t seed;
	char check[48]; /* the judge's function */
	unsigned line;
	char text[400];
};

/* Faults that fired in a world. */
struct sim_fired {
	uint32_t n;
	uint64_t keys[SIM_FIRED_MAX];
	uint32_t ntroubles;
	uint64_t troubles[SIM_TROUBLES_MAX]; /* the turns in which they came */
};

struct sim {
	uint64_t seed, rng;
	const struct sim_cut *cut; /* or NULL */
	struct sim_fired *fired;   /* or NULL */
	bool tell;		   /* print what happens */
	bool defect;		   /* one is planted in the engine */
	struct dag dag;
	uint32_t *ids;	  /* of each task, in the world before the cut */
	int64_t *wait_us; /* of a wait; -1: until SIM_UNTIL_US */
	uint32_t *pos;	  /* of each task in the topological order */
	unsigned trouble; /* one turn in so many brings some */
	unsigned nfull;	  /* commits in a row for which the disk stays full */
	bool slow;	  /* tasks take their time */
	struct sim_run runs[SIM_RUNS_MAX];
	unsigned nruns, made_runs;
	struct sim_owner owners[SIM_OWNERS_MAX];
	unsigned nowners, made_owners;
	struct now now;
	int64_t memory; /* of the machine; 0: nobody counts */
	bool jumped;	/* the wall clock was set since the last takeover */
	uint64_t commits, ownerships, processes, next_id;
	unsigned idle;	       /* turns in a row in which nothing happened */
	uint32_t next_trouble; /* of the planned ones */
	struct sim_totals totals;
};

/* chance.c */
uint64_t sim_rand(struct sim *, uint64_t);
bool sim_once_in(struct sim *, uint64_t);
void sim_reseed(struct sim *);
void sim_reseed_as(struct sim *, uint64_t);
uint64_t sim_fate(const struct sim *, const struct sim_run *, uint32_t, uint32_t,
		  unsigned);
void sim_happens(struct sim *, enum fault);
bool sim_fault(struct sim *, enum fault, uint64_t, uint64_t);
bool sim_fault_of(struct sim *, enum fault, uint64_t, const struct sim_run *, uint32_t,
		  uint32_t);
const char *sim_fault_name(enum fault);
_Noreturn void sim_failed(struct sim *, const char *, unsigned, const char *, ...)
    __attribute__((format(printf, 4, 5)));
#define sim_fail(s, ...) sim_failed((s), __func__, __LINE__, __VA_ARGS__)
void sim_report_to(struct sim_failure *);
void sim_say(const struct sim *, const char *, ...) __attribute__((format(printf, 2, 3)));
void *sim_alloc(size_t, size_t);

/* gen.c */
void sim_make(struct sim *, unsigned);
void sim_release(struct sim *);
void sim_show(const struct sim *);

/* turn.c */
void sim_step(struct sim *, struct sim_owner *, const struct engine_event *);
void sim_totals_add(struct sim_totals *, const struct sim_totals *);
void sim_play(struct sim *, unsigned);

/* mutants.c */
void sim_mutant(unsigned);

/* db.c */
struct sim_run *db_run(struct sim *, const char *);
uint32_t db_task(struct sim *, const char *);
void db_commit(struct sim *, struct sim_owner *);

/* world.c */
void world_act(struct sim *, struct sim_owner *, const struct engine_action *);
void world_drain(struct sim *, struct sim_owner *);
void world_processes(struct sim *);
void world_works(struct sim *);
void world_report(struct sim *, struct sim_run *, uint32_t, uint32_t);
int64_t world_next(struct sim *);

/* owner.c */
void owner_take(struct sim *, struct sim_owner *, struct sim_run *);
void owner_idle(struct sim *);
void owner_found(struct sim *);
struct sim_owner *owner_for(struct sim *, const struct sim_run *);

/* trouble.c */
void owner_crash(struct sim *, struct sim_owner *);
void owner_notice(struct sim *);
bool trouble(struct sim *);

/* oracle.c */
void oracle_prepare(struct sim *, struct sim_run *, uint32_t, uint32_t);
void oracle_start(struct sim *, struct sim_run *, uint32_t, uint32_t);
void oracle_commit(struct sim *, struct sim_run *, const struct meta_op *);
void oracle_row(struct sim *, struct sim_run *, uint32_t);
bool oracle_may_run(const struct sim *, const struct sim_run *, uint32_t);
unsigned oracle_passive(const struct sim *, const struct sim_run *, uint32_t);
unsigned oracle_tries(const struct sim_task *);
bool oracle_failure(const struct sim *, const struct sim_run *, uint32_t);
bool oracle_paths_clash(const struct engine_paths *, const struct engine_paths *);

/* judge.c */
void judge_end(struct sim *, struct sim_run *, uint32_t, int64_t);
void judge_reset(struct sim *, struct sim_run *);
void judge_run(struct sim *, struct sim_run *);
void judge_marks(const struct sim *, const struct sim_run *, int32_t, bool *);

/* watch.c */
void watch_before(struct sim *, struct sim_owner *);
void watch_after(struct sim *, struct sim_owner *);

#endif
