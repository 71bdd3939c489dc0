#ifndef DAG_STORE_EXP_TRIAL_H
#define DAG_STORE_EXP_TRIAL_H
/*
 * Trials: experiments under way, each in a directory of its own in the state directory, where
 * nothing of the user's can be touched:
 *
 *	exp/guard		locked while directories are made, or those of the dead looked for
 *	exp/<id>/lock		locked as long as somebody works there: who runs the trial, and what
 *				he has started
 *	exp/<id>/tree/		a work tree of git (repo_apart)
 *	exp/<id>/state/		the state directories of what runs in it ($DAG_STATE)
 *	exp/<id>/log		all that was said
 *	exp/gone-<id>/		is being removed
 *	exp/failed/<name>.log	what one said that failed
 *
 * Who is killed leaves a directory whose lock nobody holds: the next one removes it.
 */
#include <stddef.h>

struct err;
struct track;

#define TRIALS_DIR	"exp"
#define TRIAL_LOGS_DAYS 30 /* logs of those that failed are kept */

struct trial {
	char *dir, *tree, *state, *log; /* absolute paths; NULL: it was not made */
	int lock;			/* close-on-exec; -1: not held */
};

/**
 * trials_sweep(state, err):
 * Remove what trials of dead processes left in the state directory ${state}, an absolute path.
 * What cannot be removed stays for the next time.  Return 0, or -1 if it cannot be read.
 */
int trials_sweep(const char *, struct err *);

/**
 * trial_begin(state, out, err):
 * Make the directory of a new trial and lock it; `tree` and `log` are not made.  Return 0 or -1,
 * with nothing left.
 */
int trial_begin(const char *, struct trial *, struct err *);

/**
 * trial_end(t, name):
 * Remove it.  With ${name}, that of its experiment, its log is kept as one that failed.
 * What cannot be removed is left to trials_sweep.  A zeroed one with lock -1 is fine.
 */
void trial_end(struct trial *, const char *);

/**
 * trial_kept_log(state, name):
 * Return the path under which trial_end keeps the log of ${name}, malloc'ed; NULL without memory.
 */
char *trial_kept_log(const char *, const char *);

/**
 * trials_each(state, fn, ctx, err):
 * Call ${fn}(${ctx}, tree, ${err}) for the work tree of each trial that somebody works on.  A
 * trial that ends meanwhile is no error, whatever ${fn} says.  Return 0 or -1.
 */
int trials_each(const char *, int (*)(void *, const char *, struct err *), void *,
		struct err *);

/**
 * trial_settings(from, root, err):
 * Give the repository at ${root}, an absolute path in the tree, the settings of ${from}: those
 * that git does not have too, paths absolute, and the same cache.  Return 0 or -1.
 */
int trial_settings(const struct track *, const char *, struct err *);

#endif
