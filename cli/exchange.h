#ifndef DAG_CLI_EXCHANGE_H
#define DAG_CLI_EXCHANGE_H
/*
 * What push, fetch and pull have in common: options, which objects are meant, the remotes they
 * belong to, and what is told in the end.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "cli/artifact.h"
#include "cli/artifact_select.h"
#include "cli/opts.h"
#include "store/remote/transfer.h"
#include "store/track/collect.h"

struct repo_scope;
struct track_revs;

struct exchange_opts {
	struct artifact_opts common;
	const char *remote;
	bool branches, tags, commits, recursive, glob, deps, runs, verify;
	bool allow_missing; /* what is nowhere is no failure */
};

/* Rows for the tables of verbs whose struct has a member ${m} of struct exchange_opts. */
/* clang-format off */
#define EXCHANGE_FLAG(type, m, nm, let, field, text)                              \
	{                                                                         \
		.name = (nm), .letter = (let), .kind = OPT_FLAG,                  \
		.at = offsetof(type, m.field), .doc = (text)                      \
	}
#define EXCHANGE_OPTS(type, m)                                                    \
	{                                                                         \
		.name = "remote", .letter = 'r', .kind = OPT_STRING,              \
		.at = offsetof(type, m.remote), .arg = "REMOTE",                  \
		.doc = "The remote (default: the default one of 'dag remote')."   \
	},                                                                        \
	EXCHANGE_FLAG(type, m, "all-branches", 'a', branches,                     \
	    "Also what the pointers of all local branches name."),                \
	EXCHANGE_FLAG(type, m, "all-tags", 'T', tags,                             \
	    "Also what those of all tags name."),                                 \
	EXCHANGE_FLAG(type, m, "all-commits", 'A', commits,                       \
	    "Also what those of all commits name."),                              \
	EXCHANGE_FLAG(type, m, "recursive", 'R', recursive,                       \
	    "A TARGET that is a directory means all that is tracked in it."),     \
	ARTIFACT_WITH_DEPS(type, m.deps),                                         \
	EXCHANGE_FLAG(type, m, "run-cache", 0, runs,                              \
	    "Also DVC's run cache: what 'dvc repro' has run, to be taken again."), \
	EXCHANGE_FLAG(type, m, "glob", 0, glob,                                   \
	    "A TARGET is a pattern with * ? [ ] and **.")
/* clang-format on */

/* What was done with one remote. */
struct exchange_part {
	const char *name;
	const char *url;
	struct transfer_report report;
};

struct exchange {
	struct artifact a;
	const struct exchange_opts *o;
	bool push;
	VEC(struct transfer_want) wants;
	VEC(struct exchange_part) parts;
	bool sources; /* imports come from their sources, where nobody else has them: */
	VEC(const struct track_out *) imports;
	const struct repo_scope *scope; /* NULL: as the options say */
	bool all;			/* also what is never pushed */
	bool words_apart;		/* all is meant, the words are something else */
	unsigned how;			/* ARTIFACT_POINTERS */
	struct track_revs *revs;
	struct track_list broken; /* that of a commit with mistakes, for their messages */
	size_t unrecorded;	  /* outs without a hash */
	const char *first;	  /* of them */
	const char *undone;	  /* an import without its data */
	/* Done with each remote; transfer_push, transfer_fetch or what looks like them. */
	int (*move)(struct exchange *, const struct transfer_options *,
		    const struct transfer_want *, size_t, struct transfer_report *,
		    struct err *);
};

/**
 * exchange_verb(c, o, push):
 * Push, or fetch, what the words of the command line mean, and tell how it went.  Return the
 * exit code.
 */
int exchange_verb(struct cli *, const struct exchange_opts *, bool);

/**
 * exchange_wants(x, m, err):
 * Find what the words of the command line mean, in the work tree and in the revisions that the
 * options name, once the list of what is tracked has been read.  Return 0 or -1.
 */
int exchange_wants(struct exchange *, struct meter *, struct err *);

/**
 * exchange_each(x, m, err):
 * Open each remote that a want belongs to and do with it what x->move does.  Return 0 or -1.
 */
int exchange_each(struct exchange *, struct meter *, struct err *);

/**
 * exchange_with(x, name, v, n, m, err):
 * Open the remote ${name} (NULL: the default one) and do with it, for ${n} wants, what x->move
 * does.  Return 0 or -1.
 */
int exchange_with(struct exchange *, const char *, const struct transfer_want *, size_t,
		  struct meter *, struct err *);

/**
 * exchange_damage(x):
 * After a look at both sides: name the lists that are damaged, so that their files are not known.
 * Return the exit code.
 */
int exchange_damage(struct exchange *);

/**
 * exchange_usual(x):
 * Return the name of the default remote; NULL: there is none.
 */
const char *exchange_usual(struct exchange *);

/**
 * exchange_sources(x, m, err):
 * Get what is missing of x->imports: from a remote if one has it, else from its source.  Return 0
 * or -1; what single ones failed with is in the report.
 */
int exchange_sources(struct exchange *, struct meter *, struct err *);

/**
 * exchange_release(x):
 * Free what ${x} holds.
 */
void exchange_release(struct exchange *);

#endif
