#ifndef DAG_SCHEDULER_SESSION_INT_H
#define DAG_SCHEDULER_SESSION_INT_H
/*
 * What the files of the session share; nobody else includes it.
 *
 * One turn of the loop: callbacks of timers, pidfds, workers, signals and the writer thread
 * turn what happened into events and step the engine at once; then, before the loop sleeps,
 * session_pump carries out the engine's actions and hands the writer one batch if none is
 * under way.  Ends are shown to the observer only when their batch is durable.
 */
#include <stdatomic.h>
#include <uv.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "base/proc.h"
#include "base/vec.h"
#include "scheduler/dag.h"
#include "scheduler/engine.h"
#include "scheduler/executor.h"
#include "scheduler/render.h"
#include "scheduler/session.h"
#include "store/git.h"
#include "store/meta.h"
#include "store/meter.h"
#include "store/project.h"
#include "store/wake.h"
#include "tasks/proto/events.h"

#define LOOK_MS	      1000 /* the database and ownerless attempts are looked at this often */
#define LAZY_MS	      100 /* rows that do not hurry wait this long for company */
#define STOP_AGAIN_US INT64_C(5000) /* the writer thread is tidying up */
#define DRAW_MS	      100
#define AGAIN_MS      1000 /* a commit that could not be done is tried again after this */
#define PATIENCE_US   INT64_C(100000)	/* of the loop's own connection with the gate */
#define GATE_WARN_US  INT64_C(10000000) /* repeat "waiting for the database" this often */

/* What belongs to one attempt while it is under way here. */
struct attempt {
	uint32_t task, number;
	char id[META_RUN_ID];
	char *dir;		 /* relative to the state directory */
	bool stop;		 /* a worker of it should give up */
	struct meter meter;	 /* of its prepare or commit, where that takes time */
	char *inputs;		 /* what it depended on when it was to run, or NULL */
	struct cache_hold *hold; /* of what its program uses, or NULL */
	bool working;		 /* prepare or commit is in a worker thread */
	unsigned waited;	 /* looks at which that worker waited for somebody */
	uint64_t
	    waits; /* its place among those that wait for their start; 0: it does not */
	int dirfd; /* for its events; -1 */
	struct events events;
	double done, total;
	char *cmd, *cwd; /* for messages; NULL where adopted */
	struct attempt *next;
};

struct srun {
	struct session *s;
	uint32_t index; /* in the engine and in s->runs */
	char id[META_RUN_ID];
	char trace[33]; /* trace id of TRACEPARENT */
	int owner_fd;	/* -1: let go */
	int64_t epoch;
	struct arena *arena;
	const struct dag *dag;
	struct dag *own_dag; /* loaded here from the run's definition, or NULL */
	char *file;
	struct jinja_dict *params;
	struct run_values values;
	struct engine_paths *paths;
	struct render_paths *rpaths;
	struct engine_task_row *rows;
	struct ahead *ahead; /* of each task, what was known before it began; or NULL */
	const bool *again;   /* of a retry: the tasks to begin with, by id; or NULL */
	struct map by_name;  /* name -> its struct dag_task */
	const char **inherited; /* of our environment, what tasks get; made when needed */
	struct attempt *attempts;
	int64_t logical_us;
	int64_t made_us; /* of a new run: the instant in its id */
	bool resumed, retried, settle, fail_fast;
	struct dag_how how;
	const char *lock; /* the lock file beside the DAG file, where it has one */
	bool over;	  /* ended, settled or stale */
	bool began_shown;
	bool wants_git; /* what is checked out is to be recorded of it */
	enum run_result result;
	int64_t last_command; /* id of the last command carried out */
	bool wants_hold;      /* what it uses is to be written down */
	struct hold *hold;    /* that is under way; or NULL */
};

/* Whether anything can be started: see session_start.c. */
enum starts_phase { STARTS_FREE, STARTS_HELD, STARTS_READY, STARTS_PROBE };

struct starts {
	enum starts_phase phase;
	unsigned rounds;  /* times that it did not go well */
	unsigned bad;	  /* times in a row that dag-shim could not be executed */
	uint64_t last;	  /* the last place among those that wait */
	int64_t freed_us; /* when the last probe had gone well; 0 */
	bool told;
};

/* A look at what is checked out, by a worker; see session_git.c. */
struct git_look {
	uv_work_t req;
	struct session *s;
	const char *root;
	atomic_bool stop;
	bool busy;
	bool known;	      /* found without a worker, and not handed on yet */
	char commit[REPO_ID]; /* "": none, or not known */
	int dirty;
	struct err err;
};

struct session {
	const struct project *p;
	struct session_config cfg;
	struct meta *meta; /* of this thread: creating, taking, reading */
	struct meta_writer *writer;
	struct engine *engine;
	struct executor *local;
	VEC(struct srun *) runs;
	char boot[PROC_BOOT_ID_MAX];
	char *program; /* our own path; read when it is first needed */

	uv_loop_t loop;
	uv_async_t wrote; /* the writer thread has finished a batch */
	uv_prepare_t pump;
	uv_timer_t due;	 /* the engine's next deadline */
	uv_timer_t lazy; /* rows that do not hurry */
	uv_timer_t look; /* every second */
	uv_timer_t draw;
	uv_timer_t again; /* a batch that could not be committed */
	uv_timer_t hold;  /* of starts */
	uv_timer_t grace; /* for the look at git, at the end */
	uv_timer_t held;  /* when runs are worth writing down what they use */
	uv_poll_t woken;
	uv_signal_t sig[7];
	bool loop_open;
	unsigned workers; /* prepares and commits under way */

	VEC(struct engine_ref) changed; /* to be shown */
	int64_t data_version;		/* when locks were last looked at */
	int64_t submit_version;		/* when the batch under way was handed over */
	bool flying;			/* the writer has a batch */
	bool lazy_due;
	bool commit_stuck;
	struct err stuck; /* why */
	struct starts starts;
	struct git_look git;
	bool git_told;
	struct session_cache *cache; /* NULL: no task of a run needs it */
	struct waiter waiter;
	bool look_due; /* somebody woke us */
	int64_t gate_told_us;
	unsigned interrupts; /* INT and TERM so far */
	int signal;	     /* the first of them */
	int64_t rest_us; /* since when nothing works any more and a commit is stuck; 0 */
	int64_t kill_us; /* when the second came */
	bool hangup, want_stop; /* HUP; Ctrl-Z */
	bool broken;		/* cannot go on: err says why */
	bool failed;		/* a run did not succeed */
	struct err err;
};

/* session.c */
void session_break(struct session *, const struct err *);
int session_event(struct session *, const struct engine_event *);
void session_say(struct session *, enum session_notice, const char *, ...)
    __attribute__((format(printf, 3, 4)));
bool session_over(const struct session *);
struct now session_now(struct session *);

/* session_commit.c */
void session_submit(struct session *);
void session_wrote(uv_async_t *);
void session_show_changes(struct session *);
void session_state_gone(struct session *, const struct err *);

/* session_whole.c */
int inputs_whole(struct srun *, const struct dag_task *, struct err *);

/* session_attempt.c */
void session_act(struct session *, const struct engine_action *);
struct attempt *attempt_find(struct srun *, uint32_t, uint32_t);
struct attempt *attempt_of(struct srun *, struct engine_ref);
struct attempt *attempt_add(struct srun *, uint32_t, uint32_t, const char *,
			    const char *);
void attempt_drop(struct srun *, struct attempt *);
void attempt_stop_work(struct attempt *);
void attempt_release_all(struct srun *);
extern const struct exec_reports session_reports;

/* session_start.c */
void session_start(struct session *, struct engine_ref);
void session_start_none(struct session *, struct engine_ref);
int64_t session_start_trouble(struct session *, struct engine_ref, const char *);

/* session_env.c */
int env_build(struct srun *, const struct dag_task *, const struct attempt *,
	      const struct render_task *, struct arena *, struct shim_spec *,
	      struct err *);
int env_secrets_check(const struct dag *, const bool *, const char *, struct err *);
struct mask *env_mask(struct srun *, const struct dag_task *, size_t *, struct err *);

/* session_run.c */
const char *lock_path(struct arena *, const char *);
int srun_values(struct srun *, const char *, struct err *);
enum engine_decision session_decide(void *, void *, uint32_t, char *, size_t);
void session_wait_times(void *, void *, uint32_t, int64_t *, int64_t *);
struct srun *srun_new(struct session *, const char *, struct err *);
const struct dag_task *srun_task(const struct srun *, const char *);
void srun_free(struct srun *);
void srun_let_go(struct srun *);
void session_show_began(struct srun *);
int srun_add(struct srun *, const struct engine_run_spec *, struct err *);

/* session_options.c */
char *options_put(const struct session_request *);
int options_read(struct srun *, const char *, struct err *);

/* session_git.c */
void session_git(struct session *);
void session_git_known(struct session *);
bool session_git_waits(struct session *);
void session_git_stop(struct session *);

/* session_cache.c */
struct cache_ask;
struct cache_job;
bool session_cache_ask(struct srun *, const struct dag_task *, struct cache_ask *);
int session_cache_run(struct srun *, struct err *);
int session_cache_job(struct srun *, struct attempt *, struct cache_job **, struct err *);
void session_cache_note(struct session *, const char *);
bool session_cache_waits(struct session *);
void session_cache_stop(struct session *);
void session_cache_free(struct session *);

/* session_ahead.c */
void session_ahead(struct srun *);
const struct engine_event *session_known(void *, void *, uint32_t);

/* session_held.c */
void session_hold(struct srun *);
void session_hold_end(struct srun *);

/* session_take.c */
struct take {
	bool retry, cancel, settle;
	const char *from; /* of a retry: what it begins with, as selectors, or NULL */
	const struct dag *dag; /* of a retry: the definition from now on, or NULL */
};
int session_take(struct session *, const char *, const struct take *, struct err *);

/* session_settle.c */
bool session_has_ended(struct session *, const struct meta_attempt *);
void session_settle_holders(struct session *);

/* session_signal.c */
int session_signals(struct session *, struct err *);
bool session_gate_shut(struct session *);
void session_give_up(struct session *);

/* session_look.c */
void session_look_start(struct session *);
void session_look(struct session *);
void session_commands(struct session *);
void session_poll_events(struct session *);

/* outputs_work.c */
int prepare_start(struct srun *, struct attempt *, struct err *);
int commit_start(struct srun *, struct attempt *, struct err *);

#endif
