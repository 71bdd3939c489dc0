#ifndef DAG_CLI_ARTIFACT_H
#define DAG_CLI_ARTIFACT_H
/*
 * What the verbs about tracked data share: the project with its settings, cache and index, the
 * pointers that there are, work in a thread of its own that tells how far it is, and paths as
 * they are typed and shown.
 */
#include <stdbool.h>
#include <stddef.h>

#include "cli/opts.h"
#include "cli/watch.h"
#include "store/meter.h"
#include "store/objects/link.h"
#include "store/objects/object_id.h"
#include "store/project.h"
#include "store/track/workspace.h"

struct add_item;
struct arena;
struct buf;
struct cli;
struct config;
struct diag;
struct err;
struct gitignore;
struct problems;
struct repo;

#define ARTIFACT_JOBS_MAX 256

/* Options of all of them; rows of their tables point into it. */
struct artifact_opts {
	struct opt_uint jobs;
	bool quiet;
};

/* Rows for the tables of verbs whose struct has a member ${m} of struct artifact_opts. */
#define ARTIFACT_JOBS(type, m)                                          \
	{                                                               \
		.name = "jobs", .letter = 'j', .kind = OPT_UINT,        \
		.at = offsetof(type, m.jobs), .arg = "N", .min = 1,     \
		.max = ARTIFACT_JOBS_MAX,                               \
		.doc = "Work on N files at a time (default: the CPUs)." \
	}
#define ARTIFACT_QUIET(type, m)                                                          \
	{                                                                                \
		.name = "quiet", .letter = 'q', .kind = OPT_FLAG,                        \
		.at = offsetof(type, m.quiet), .doc = "Say nothing but what went wrong." \
	}

/* An out that is tracked, as its pointer says. */
struct artifact_out {
	const char *path;     /* relative to the root */
	const char *file;     /* that it stands in, relative to the root */
	const char *stage;    /* of a dvc.yaml, or NULL: a .dvc file */
	struct object_id id;  /* not set: none is recorded */
	int64_t size, nfiles; /* -1: not recorded */
	bool exec, cache, persist, push, frozen;
};

struct artifact {
	struct cli *c;
	struct arena *arena;
	struct project project;
	bool dvc; /* there is a .dvc */
	struct config *config;
	struct gitignore *gitignore; /* NULL: no git work tree */
	struct repo *git;	     /* opened when needed */
	bool git_looked;
	struct diag *diag;
	struct workspace ws;
	enum link_type links[LINK_TYPES];
	struct meter meter;
	const struct artifact_opts *o;
	char *cwd;		   /* relative to the root; NULL: we are not in it */
	struct artifact_out *outs; /* sorted by path */
	size_t nouts;
	int signal; /* that ended the work */
};

/**
 * artifact_open(c, o, write, a, err):
 * Open the project and read all pointers; with ${write} the state directory is made where there
 * is none.  Return 0 or -1; close ${a} in both cases.
 */
int artifact_open(struct cli *, const struct artifact_opts *, bool, struct artifact *,
		  struct err *);

/**
 * artifact_close(a):
 * Let everything go.
 */
void artifact_close(struct artifact *);

/**
 * artifact_work(a, fn, arg, err):
 * Do the work ${fn}(${arg}, meter, err) with its progress shown.  Return what it returned.
 */
int artifact_work(struct artifact *, watch_fn *, void *, struct err *);

/**
 * artifact_fail(a, err):
 * Say what went wrong: mistakes in files with their lines.  Return the exit code.
 */
int artifact_fail(struct artifact *, const struct err *);

/**
 * artifact_problems(a, p):
 * Say what went wrong with single files.
 */
void artifact_problems(struct artifact *, const struct problems *);

/**
 * artifact_path(a, word, err):
 * Return the path that ${word} names, relative to the root, normalized; one outside of it as
 * it is, absolute.  NULL with ${err} on failure.
 */
const char *artifact_path(struct artifact *, const char *, struct err *);

/**
 * artifact_put_path(a, path, b):
 * Append ${path}, relative to the root, as seen from where the verb was called, harmless on a
 * terminal.
 */
void artifact_put_path(const struct artifact *, const char *, struct buf *);

/**
 * artifact_git(a, out, err):
 * The git repository of the project; *${out} is NULL where there is none.  Return 0 or -1.
 */
int artifact_git(struct artifact *, struct repo **, struct err *);

/**
 * artifact_git_tracks(a, path, err):
 * Tell whether git's index has ${path}, relative to the root, or something below it.  Return 1,
 * 0 or -1.
 */
int artifact_git_tracks(struct artifact *, const char *, struct err *);

/**
 * artifact_remember(a, items, n, err):
 * Remember that the work tree has what was recorded (store/track/links.h).  Return 0 or -1.
 */
int artifact_remember(struct artifact *, const struct add_item *, size_t, struct err *);

/**
 * artifact_stage(a, paths, n):
 * Of ${n} files that were written (relative to the root): put them into git's index where
 * core.autostage says so, else tell how.
 */
int artifact_stage(struct artifact *, const char *const *, size_t, struct err *);

#endif
