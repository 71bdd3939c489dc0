#ifndef DAG_STORE_TRACK_STAGE_RUN_H
#define DAG_STORE_TRACK_STAGE_RUN_H
/*
 * Commands that are not run again while nothing they depend on has changed: the stages of
 * dvc.yaml, and tasks with outputs.  Whether one is to be run; its outputs brought back from
 * the cache; what it made taken into the cache.
 *
 *	stage_decide	looks only: hashes what it depends on, by the index
 *	stage_restore	does what was decided, where that is not to run it
 *	... or the command runs, and then
 *	stage_done	its outputs go into the cache
 *
 * An *entry* is what the lock file has of one stage, as text: "cmd: ...\ndeps:\n- path: ...",
 * which is also what a file of the run cache holds.
 *
 * Invariants
 * 1. When an entry is given out its objects are durable in the cache, .gitignore names the
 *    paths, and the run cache knows it, until the power fails: a lost run is run again.
 * 2. Killed anywhere, each step can be done again, and nothing half done is taken for a result.
 * 3. What comes out of the cache is hashed on the way.
 * 4. An entry says what the command depended on when it was decided, not what that became
 *    while it ran.  Of a stage of dvc.yaml also what has only appeared in a directory, as DVC has
 *    it.  What became another meanwhile has no content in it, and the run cache does not get it:
 *    the command runs again, also where somebody has taken the edit back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"
#include "store/track/stage_status.h"

struct arena;
struct buf;
struct diag;
struct dvc_lock_stage;
struct dvc_yaml_stage;
struct err;
struct gitignore;
struct stage_look;
struct workspace;
struct yaml_node;

/* ---- what is asked about ---- */

/* What is to be run.  All of it is borrowed. */
struct stage_run {
	const char *name; /* for messages */
	const char
	    *dir; /* where its paths begin, seen from the root; "." (its wdir counts
			   * no more) */
	const struct dvc_yaml_stage *stage;
	/* Settled (store/pipeline/value.h) params that no file has: pseudo-file (":params") ->
	 * key -> value; NULL: none. */
	const struct yaml_node *extra;
	/* Of a DAG file: also runs without dependencies are found in the run cache, and what
	 * the lock knows and the task no longer has is a change. */
	bool native;
	/* Where it is only asked what would be, before its turn: what the dependency (seen from the
	 * root) will be then.  0: what it is now; 1: the id; 2: nobody knows yet, and it counts as
	 * unchanged.  NULL: its turn is now. */
	int (*coming)(void *, const char *, struct object_id *);
	void *coming_arg;
};

struct stage_how {
	bool force;
	bool no_run_cache; /* is not looked at; what is run is noted there */
	bool no_commit;	   /* outputs are hashed, and not taken into the cache */
	bool no_relink;	   /* they are left as the command made them */
	bool synced;	   /* the caller syncs the directories that they lie in */
	/* Nothing was run, what is there is recorded: the run cache takes also what git is to
	 * keep. */
	bool commit;
	bool
	    allow_missing; /* what is not there, and is not known to have changed, is right */
	/* Bring objects (of a list, all it names) into the cache; NULL: what is not there is
	 * missing.  It looks for what there is: 0, or -1 where the work ends. */
	int (*fetch)(void *, const struct object_id *, size_t, struct err *);
	/* With allow_missing: what the stage that makes the path ${path} (seen from the root)
	 * has recorded of it.  1, or 0 where none makes it.  May be NULL. */
	int (*upstream)(void *, const char *, struct object_id *);
	void *arg;
};

/* ---- what is found ---- */

enum stage_verdict {
	STAGE_RUN,
	STAGE_UNCHANGED, /* nothing is to be done */
	STAGE_RESTORE,	 /* only outputs are missing or wrong, and the cache has them */
	STAGE_FROM_RUN_CACHE, /* it was run once as it is now, and the cache has the outputs */
	STAGE_FROZEN	      /* what is there of its outputs is its result */
};

enum stage_reason_kind {
	STAGE_NEVER_RAN,
	STAGE_FORCED,
	STAGE_ALWAYS, /* it says so, or has neither dependencies nor outputs */
	STAGE_COMMAND,
	STAGE_DEP,
	STAGE_PARAM,
	STAGE_OUT,
	STAGE_OUT_UNCACHED, /* the output is right, and not in the cache */
	STAGE_UNCACHEABLE /* of an output: it is to stay (persist), so none is brought back */
};

/* What was, and what is. */
struct stage_side {
	struct object_id id;  /* not set: not known */
	int64_t size, nfiles; /* -1: not known */
	int64_t lines;	      /* -1: not counted */
	const char *text;     /* of a param, of a command: as it is written; or NULL */
};

#define STAGE_SIDE_UNKNOWN ((struct stage_side){.size = -1, .nfiles = -1, .lines = -1})

struct stage_reason {
	enum stage_reason_kind kind;
	enum stage_change_state state;
	const char *path; /* relative to the root, or absolute; of a param: of its file */
	const char *key;  /* of a param; NULL: all of the file */
	bool dropped;	  /* deleted, as the stage no longer names it */
	bool meanwhile;	  /* it became another one while the stage ran */
	struct stage_side was, is;
	const char
	    *files; /* of a directory: "a.csv new, b.csv changed and 2 more"; or NULL */
};

struct stage_decision {
	enum stage_verdict verdict;
	struct stage_reason *v;
	size_t n;
	/* The entry's cmd, deps and params as they are, for stage_done. */
	const char *inputs;
	/* A dependency or a param is not there, as a sentence: it cannot be run; or NULL. */
	const char *lacks;
	bool lacks_param; /* it is a param, or a file of such */
	/* What is to be restored (an entry), or NULL; for stage_restore. */
	const char *result;
};

/* ---- looking ---- */

struct stage_look_options {
	const struct workspace *ws;
	const char *root;	     /* canonical absolute path */
	struct gitignore *gitignore; /* NULL: there is no git */
	/* Whether git tracks a path, relative to the root: then it cannot be an output in the
	 * cache.  NULL: it tracks nothing. */
	int (*git_tracks)(void *, const char *, struct err *);
	void *git;
	struct diag
	    *diag; /* for mistakes in files of params; NULL: the first is in the error */
	struct arena *arena; /* where those files are kept, for the diag; NULL: its own */
	/* Told of each output of a stage of dvc.yaml that lies there as the cache has it, once
	 * it does, for store/track/links.h; 0 or -1.  Outputs of tasks are not told: a run
	 * with a date leaves some that no lock names, and that are to stay.  NULL: nobody is. */
	int (*note)(void *, const char *, const struct object_id *, struct err *);
	void *note_arg;
};

/**
 * stage_look_open(options, out, err), stage_look_close(look):
 * Begin, for one thread, what is shared by all stages that it looks at: files of params are read
 * again only when they have changed.  NULL may be closed.  Return 0 or -1.
 */
int stage_look_open(const struct stage_look_options *, struct stage_look **,
		    struct err *);
void stage_look_close(struct stage_look *);

/**
 * stage_decide(look, run, locked, how, arena, out, err):
 * Find out what is to be done about ${run}, of which the lock has ${locked} (NULL: nothing); it is
 * only read.  Nothing is written but the index (and, by how->fetch, the cache).  No lock is
 * needed.  ${out} lives in ${arena}.  What is not there makes it STAGE_RUN with out->lacks, which
 * whoever runs it has to tell as an error.  Return 0; or -1: a file of params that has mistakes, an
 * address for a dependency (ERR_INVALID), ERR_CANCELLED, ...
 */
int stage_decide(struct stage_look *, const struct stage_run *,
		 const struct dvc_lock_stage *, const struct stage_how *, struct arena *,
		 struct stage_decision *, struct err *);

/**
 * stage_restore(look, run, locked, how, decision, arena, entry, err):
 * With the repository's lock held: do what was decided but STAGE_RUN.  *${entry} is what the lock
 * is to have, in ${arena}, or NULL where it is right.  Outputs that are other than they should be
 * are overwritten.  Return 0; 1 where the cache has not got the outputs after all, and the
 * command must run; or -1: ERR_NOTFOUND for an output that a frozen stage lacks, ...
 */
int stage_restore(struct stage_look *, const struct stage_run *,
		  const struct dvc_lock_stage *, const struct stage_how *,
		  const struct stage_decision *, struct arena *, const char **,
		  struct err *);

/**
 * stage_done(look, run, locked, how, inputs, arena, entry, err):
 * After the command has ended well, with the repository's lock held: take what it made into the
 * cache, link it from there, name it in .gitignore and put the run into the run cache.
 * ${inputs} is what stage_decide gave; NULL: what it depends on is looked at now.  *${entry} is
 * in ${arena}.  May be repeated.  Return 0; or -1: ERR_NOTFOUND for an output that is not there.
 */
int stage_done(struct stage_look *, const struct stage_run *,
	       const struct dvc_lock_stage *, const struct stage_how *, const char *,
	       struct arena *, const char **, struct err *);

/* ---- telling ---- */

/**
 * stage_reasons_detail(look, reasons, n, arena):
 * Find out more about what changed, to be told: how many lines files have and had, which files of
 * directories differ; from the cache, else from the last commits of git.  What is not known, or too
 * big to be read for it, is left out.
 */
void stage_reasons_detail(struct stage_look *, struct stage_reason *, size_t,
			  struct arena *);

/**
 * stage_reason_put(buf, reason):
 * Append the reason as one line: "'in.txt' changed: 3 lines -> 4, was 5ea4..., is 91c2...".
 */
void stage_reason_put(struct buf *, const struct stage_reason *);

/**
 * stage_reason_kind_name(kind):
 * Return "never_ran", "forced", "always", "command", "dep", "param", "out", "out_uncached" or
 * "uncacheable".
 */
const char *stage_reason_kind_name(enum stage_reason_kind);

/**
 * stage_verdict_name(verdict):
 * Return "run", "unchanged", "restore", "run cache", "frozen".
 */
const char *stage_verdict_name(enum stage_verdict);

#endif
