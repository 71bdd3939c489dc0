#ifndef DAG_CLI_IMPORTS_H
#define DAG_CLI_IMPORTS_H
/*
 * What import, import-url and update have in common: how it goes, and what is told of it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "cli/artifact.h"
#include "store/track/import.h"

struct objects;

/* Rows for the tables of verbs whose struct has a member ${m} of struct imports_opts. */
/* clang-format off */
#define IMPORTS_OPTS(type, m)                                                     \
	{                                                                         \
		.name = "no-download", .kind = OPT_FLAG,                          \
		.at = offsetof(type, m.no_download),                              \
		.doc = "Only record what the source is like now; 'dag update' "   \
		       "gets the data."                                           \
	},                                                                        \
	{                                                                         \
		.name = "to-remote", .kind = OPT_FLAG,                            \
		.at = offsetof(type, m.to_remote),                                \
		.doc = "Put the data on the remote, not into cache and work tree."\
	},                                                                        \
	{                                                                         \
		.name = "remote", .letter = 'r', .kind = OPT_STRING,              \
		.at = offsetof(type, m.remote), .arg = "REMOTE",                  \
		.doc = "The remote of --to-remote (default: the default one)."    \
	},                                                                        \
	{                                                                         \
		.name = "force", .letter = 'f', .kind = OPT_FLAG,                 \
		.at = offsetof(type, m.force),                                    \
		.doc = "Replace what is there, also what is nowhere else."        \
	}
/* clang-format on */

struct imports_opts {
	struct artifact_opts common;
	bool no_download, to_remote, force;
	const char *remote;
};

struct imports {
	struct artifact a;
	const struct imports_opts *o;
	struct import_options work;
	struct objects *store; /* of --to-remote */
	struct checkout_report report;
	bool unsaved; /* files would be lost, so that nothing was done with them */
	bool failed;  /* not all is as it should be */
};

/**
 * imports_begin(x, c, o, err), imports_end(x):
 * Open what is needed; check the options against each other.  Return 0 or -1; end in both cases.
 */
int imports_begin(struct imports *, struct cli *, const struct imports_opts *,
		  struct err *);
void imports_end(struct imports *);

/**
 * imports_target(x, url, word, item, err):
 * Find out where data of ${url} shall be: at ${word}, under its name if that is a directory, or for
 * NULL under its name here.  Return 0 or -1.
 */
int imports_target(struct imports *, const char *, const char *, struct import_item *,
		   struct err *);

/**
 * imports_place(x, url, word, item, err):
 * The same, and find out what ${url} means, by address.  Return 0 or -1.
 */
int imports_place(struct imports *, const char *, const char *, struct import_item *,
		  struct err *);

/**
 * imports_prepare(x, err):
 * In the work's thread, once it has begun: what import_new and import_update want, in x->work.
 */
int imports_prepare(struct imports *, struct err *);

/**
 * imports_after(x, r, item, err):
 * Take note of what came of one of them, ${r}.  Return 0, or -1 where that ended it.
 */
int imports_after(struct imports *, int, const struct import_item *, struct err *);

/**
 * imports_new(x, no_exec, item, err):
 * In the work's thread: bring ${item} in, or with ${no_exec} only write its pointer.  Return 0 or
 * -1.
 */
int imports_new(struct imports *, bool, struct import_item *, struct err *);

/**
 * imports_tell(x, items, n, err):
 * Tell of ${n} items, and stage what was written.  Return the exit code.
 */
int imports_tell(struct imports *, const struct import_item *, size_t, struct err *);

/**
 * imports_store(a, remote, out, err):
 * Open the store of a remote that is a directory (NULL: the default one), to write to.  Return
 * 0 or -1.
 */
int imports_store(struct artifact *, const char *, struct objects **, struct err *);

#endif
