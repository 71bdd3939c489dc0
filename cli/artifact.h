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
#include "store/project.h"
#include "store/track/collect.h"
#include "store/track/targets.h"
#include "store/track/track.h"
#include "store/track/workspace.h"

struct add_item;
struct arena;
struct artifact_busy;
struct buf;
struct cli;
struct diag;
struct err;
struct links;
struct problems;
struct repo;

#define ARTIFACT_JOBS_MAX 256

/* Options of all of them; rows of their tables point into it. */
struct artifact_opts {
	struct opt_uint jobs;
	bool quiet;
	bool look; /* make nothing, not even the state directory that the index lies in */
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

struct artifact {
	struct cli *c;
	const struct artifact_opts *o;
	bool write;
	struct arena *arena;
	struct diag *diag;
	struct project project;
	struct track track;	       /* the repository */
	struct track_list list;	       /* what is tracked, once the work has begun */
	VEC(struct track_named) named; /* stages that artifact_select() was told of */
	struct workspace ws; /* the same in the shape in which the work takes it */
	struct meter meter;
	struct repo *git; /* opened when needed */
	bool git_looked;
	struct artifact_busy
	    *busy;    /* attempts that are at work; looked for when needed */
	char *cwd;    /* relative to the root; NULL: we are not in it */
	watch_fn *fn; /* the work */
	void *arg;
	int signal; /* that ended it */
};

/**
 * artifact_open(c, o, write, a, err):
 * Open the project and the repository; with ${write} the state directory is made where there
 * is none.  Return 0 or -1; close ${a} in both cases.
 */
int artifact_open(struct cli *, const struct artifact_opts *, bool, struct artifact *,
		  struct err *);

/**
 * artifact_open_all(c, o, write, a, err):
 * The same, where what tasks of DAG files have made is tracked, too (store/track/collect.h).
 */
int artifact_open_all(struct cli *, const struct artifact_opts *, bool, struct artifact *,
		      struct err *);

/**
 * artifact_close(a):
 * Let everything go.
 */
void artifact_close(struct artifact *);

/**
 * artifact_work(a, fn, arg, err):
 * In a thread, with its progress shown: take the repository's lock if something is to be
 * written, read what is tracked into a->list, and call ${fn}(${arg}, meter, err).  Return what
 * it returned, or -1.
 */
int artifact_work(struct artifact *, watch_fn *, void *, struct err *);

/**
 * artifact_again(a, fn, arg, err):
 * The same once more, with what is locked and read already.
 */
int artifact_again(struct artifact *, watch_fn *, void *, struct err *);

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
 * artifact_list(a, p, what):
 * Say ${what} went wrong, with the files that it is about below it.
 */
void artifact_list(struct artifact *, const struct problems *, const char *);

/**
 * artifact_path(a, word, err):
 * Return the path that ${word} names, relative to the root, normalized; one outside of it as
 * it is, absolute.  A link at its end is not followed.  NULL with ${err} on failure.
 */
const char *artifact_path(struct artifact *, const char *, struct err *);

/**
 * artifact_paths(a, words, n, err):
 * The same for ${n} words; an array in the arena.  NULL with ${err} on failure.
 */
const char **artifact_paths(struct artifact *, const char *const *, size_t, struct err *);

/**
 * artifact_put_seen(a, path, b), artifact_put_path(a, path, b):
 * Append ${path}, relative to the root, as seen from where the verb was called: byte for byte,
 * for programs; harmless on a terminal, for people.
 */
void artifact_put_seen(const struct artifact *, const char *, struct buf *);
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
 * artifact_put_item(a, item):
 * Print a line about data that was recorded.
 */
void artifact_put_item(struct artifact *, const struct add_item *);

/**
 * artifact_links(a, l, err):
 * What this work tree has got or given; as links_load.
 */
int artifact_links(struct artifact *, struct links *, struct err *);

/**
 * artifact_edit_links(a, fn, arg, err):
 * Read them, let ${fn}(links, ${arg}, err) change them, write them.  Return 0 or -1.
 */
typedef int artifact_links_fn(struct links *, void *, struct err *);
int artifact_edit_links(struct artifact *, artifact_links_fn *, void *, struct err *);

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
