#ifndef DAG_STORE_TRACK_ELSEWHERE_H
#define DAG_STORE_TRACK_ELSEWHERE_H
/*
 * Another repository, for reading: one of this machine, as it lies there or at a revision, or one
 * that git fetches into a temporary directory.  Nothing in it is changed, no lock is taken.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "store/git.h"
#include "store/project.h"
#include "store/track/collect.h"
#include "store/track/track.h"

struct arena;
struct buf;
struct diag;
struct err;
struct ignore;
struct meter;
struct objects;
struct remote;
struct track_revs;
struct transfer_report;
struct transfer_want;
struct tree;

struct elsewhere_options {
	const char *url;    /* a path, or what git fetches from */
	const char *rev;    /* NULL: a path as it lies there, of others HEAD */
	const char *remote; /* that its objects come from; NULL: its default one */
	unsigned jobs;	    /* 0: what serves the remote */
	struct meter *meter;
	struct diag *diag;
};

struct elsewhere {
	const struct elsewhere_options *o;
	struct arena *arena;
	char *tmp; /* a directory of ours, or NULL */
	struct project project;
	struct track track;
	struct track_list list; /* what it tracks */
	struct track_revs *revs;
	struct repo *git; /* NULL: it is in none */
	bool at_commit;
	char commit[REPO_ID];
	const char *prefix;    /* of its root below git's top, "" or "a/b/" */
	struct ignore *ignore; /* .dvcignore of the commit */
	struct map trees;      /* of outs, by path, once they were asked for */
};

/**
 * elsewhere_open(o, out, err):
 * Open the repository and read what it tracks.  Return 0, or -1: ERR_NOTFOUND where there is
 * none; ${out} is to be closed either way, after ${o}->diag was printed.
 */
int elsewhere_open(const struct elsewhere_options *, struct elsewhere *, struct err *);

/**
 * elsewhere_close(e):
 * Let it go, with what was fetched for it.
 */
void elsewhere_close(struct elsewhere *);

/**
 * elsewhere_tree(e, out, err):
 * Return the list of a tracked directory, from its cache or its remote; it lives as long as
 * ${e}.  NULL with ${err}.
 */
const struct tree *elsewhere_tree(struct elsewhere *, const struct track_out *,
				  struct err *);

/**
 * elsewhere_remote(e, name, out, err):
 * Open the remote that its objects come from: ${name}, that of the options, or its default one.
 * Return 0 or -1.
 */
int elsewhere_remote(struct elsewhere *, const char *, struct remote **, struct err *);

/**
 * elsewhere_fetch(e, into, v, n, report, err):
 * Bring the objects of ${n} wants, which name no remote or one alone, into the store ${into}:
 * from its cache if that is of this machine, else from its remote.  Return and ${report} as
 * transfer_fetch.
 */
int elsewhere_fetch(struct elsewhere *, struct objects *, struct transfer_want *, size_t,
		    struct transfer_report *, struct err *);

#endif
