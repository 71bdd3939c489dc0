#ifndef DAG_CLI_EXP_RUN_H
#define DAG_CLI_EXP_RUN_H
/*
 * Inside `dag exp run`: what is to be run [exp_run.c], the work tree of each experiment and what
 * is kept of it [exp_trial.c], several of them at once [exp_trials.c], shown [exp_board.c].  Places
 * and names [exp_place.c] are the same for `dag exp save` [exp_save.c].
 */
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/artifact.h"
#include "cli/exp.h"
#include "store/exp/bring.h"
#include "store/exp/keep.h"
#include "store/exp/override.h"
#include "store/exp/trial.h"
#include "store/git_write.h"

#define EXP_JOBS_MAX 256

struct outbox;

enum exp_step {
	EXP_WAITS,
	EXP_CHECKOUT, /* data comes into its work tree */
	EXP_RUNS,
	EXP_SAVED,
	EXP_FAILED,
	EXP_STOPPED
};

/* One experiment. */
struct exp_one {
	const char *name;
	const char *what; /* "lr=0.1"; "" */
	size_t run;	  /* of the overrides */
	enum exp_step step;
	struct trial trial;
	pid_t pid; /* 0: nothing runs */
	int64_t began_us, ended_us;
	char id[REPO_ID]; /* of its commit */
	struct err err;	  /* why it failed, if dag itself did */
};

struct exp_run {
	struct exp_call *k;
	struct artifact a;
	struct repo_head head;
	struct override_list overrides;
	struct kept start; /* what all of them begin with */
	struct bring changed;
	const char **params; /* the overrides' files, seen from git's top */
	struct kept_paths copies;
	/* Seen from git's top, "" there: of the project, of the tracked data, where we are. */
	const char *project, *root, *here;
	char *program;
	char **checkout, **run; /* command lines */
	struct exp_one *v;
	size_t n, next, running, saved, failed;
	unsigned jobs;
	/* What is on the screen. */
	struct outbox *out;
	unsigned rows;
	bool terminal;
};

/**
 * exp_below_top(k, a, path, err), exp_here(k, a, err):
 * Return in ${a} the absolute, canonical ${path}, or the directory that we are in, as seen from
 * git's top, "" there; NULL with ${err} where it lies elsewhere.
 */
const char *exp_below_top(const struct exp_call *, struct arena *, const char *,
			  struct err *);
const char *exp_here(const struct exp_call *, struct arena *, struct err *);

/**
 * exp_path(k, a, word, option, err):
 * Return in ${a} the path ${word}, the value of ${option}, as seen from git's top: of something
 * that is there.  NULL with ${err}.
 */
const char *exp_path(const struct exp_call *, struct arena *, const char *, const char *,
		     struct err *);

/**
 * exp_check_base(k, head, err):
 * Find the commit that experiments are made from now, and whether they can be.  Return 0 or -1.
 */
int exp_check_base(const struct exp_call *, struct repo_head *, struct err *);

/**
 * exp_trial_begin(x, one, stop, err):
 * Make the work tree of an experiment.  Return 0 or -1; what there is then is for trial_end.
 */
int exp_trial_begin(struct exp_run *, struct exp_one *, const atomic_bool *,
		    struct err *);

/**
 * exp_trial_spawn(x, one, argv, err):
 * Start ${argv} in it, in a process group of its own, which gets SIGTERM when we die; all that it
 * says goes to its log.  Return 0 or -1.
 */
int exp_trial_spawn(struct exp_run *, struct exp_one *, char **, struct err *);

/**
 * exp_trial_keep(x, one, stop, err):
 * Make an experiment of what there is in its work tree now.  Return 0 or -1.
 */
int exp_trial_keep(struct exp_run *, struct exp_one *, const atomic_bool *, struct err *);

/**
 * exp_keep_ref(git, baseline, name, id, force, err):
 * Let the experiment ${name} of ${baseline} be the commit ${id}: with ${force} in the place of one
 * that has the name.  One that holds the same files stays.  Return 0 or -1 (ERR_EXISTS).
 */
int exp_keep_ref(struct repo *, const char *, const char *, const char *, bool,
		 struct err *);

/**
 * exp_name_taken(k, baseline, name):
 * Return whether an experiment of the baseline has that name.
 */
bool exp_name_taken(const struct exp_call *, const char *, const char *);

/**
 * exp_trials_run(x):
 * Run them all.  Return the signal that ended it before, or 0.
 */
int exp_trials_run(struct exp_run *);

/**
 * exp_board_tell(x):
 * At the end: which there are now; as JSON also which there are not.
 */
void exp_board_tell(struct exp_run *);

/**
 * exp_board_event(x, one), exp_board_draw(x), exp_board_end(x):
 * Tell what became of one; draw those that run, on a terminal; take the picture away.
 */
void exp_board_event(struct exp_run *, struct exp_one *);
void exp_board_draw(struct exp_run *);
void exp_board_end(struct exp_run *);

#endif
