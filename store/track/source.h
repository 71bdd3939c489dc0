#ifndef DAG_STORE_TRACK_SOURCE_H
#define DAG_STORE_TRACK_SOURCE_H
/*
 * Where imported data comes from: a path of this machine, a file of a web server, or a path in
 * another repository.  What it is like now, whether that is what a pointer has recorded of it,
 * and its bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct arena;
struct dvc_out;
struct err;
struct objects;
struct saved;
struct source_repo;
struct workspace;

#define SOURCE_TRIES 3 /* of a transfer that fails in passing */

enum source_kind { SOURCE_PATH, SOURCE_HTTP, SOURCE_REPO };

/* Texts live in the arena that they were made in. */
struct source {
	enum source_kind kind;
	const char *name; /* for messages, passwords hidden */
	const char *url;  /* as a pointer records it */
	const char *path; /* of SOURCE_PATH: absolute, normalized */
	const char
	    *inside; /* ... relative to the root, where it lies in there; or NULL */

	/* Of SOURCE_REPO, where url is the repository's, and path is seen from its root. */
	const char *repo_url;	  /* as a pointer records it */
	const char *rev;	  /* what is wanted of it; NULL: its HEAD */
	const char *lock;	  /* the commit that is recorded */
	bool locked;		  /* that commit is wanted */
	const char *remote;	  /* of its remotes, or NULL: the default one */
	struct source_repo *repo; /* opened, or NULL */
};

/* What is there. */
struct source_state {
	bool dir, exec;
	struct object_id id;  /* of SOURCE_PATH */
	const char *rev_lock; /* of SOURCE_REPO: the commit */
	const char *checksum; /* of SOURCE_HTTP: its ETag, or what stands for it */
	int64_t size, nfiles; /* -1: not known, no directory */
};

/**
 * source_of_word(arena, root, wdir, word, out, err):
 * Understand a ${word} of the command line, seen from the current directory, for a pointer whose
 * paths are seen from ${wdir} (relative to ${root}, the project's canonical path).  Return 0, or
 * -1: ERR_INVALID for a kind of address that this version does not speak, which it names.
 */
int source_of_word(struct arena *, const char *, const char *, const char *,
		   struct source *, struct err *);

/**
 * source_of_dep(arena, root, wdir, dep, out, err):
 * The same of what a pointer has recorded.
 */
int source_of_dep(struct arena *, const char *, const char *, const struct dvc_out *,
		  struct source *, struct err *);

/**
 * source_of_repo(arena, root, url, path, rev, out, err):
 * ${path} in the repository ${url}, a word of the command line, at its revision ${rev} (NULL: its
 * HEAD).  Return 0 or -1.
 */
int source_of_repo(struct arena *, const char *, const char *, const char *, const char *,
		   struct source *, struct err *);

/**
 * source_leaf(arena, word, err):
 * The name that data from ${word} has by itself, in the arena; NULL with ${err} where it has
 * none.
 */
const char *source_leaf(struct arena *, const char *, struct err *);

/**
 * source_look(s, ws, arena, out, err):
 * Find out what is there; paths are hashed (what the index knows is not read again), of web
 * servers only the headers are asked for, of a repository only the commit is found.  Return 0, or -1: ERR_NOTFOUND where nothing is.
 */
int source_look(struct source *, const struct workspace *, struct arena *,
		struct source_state *, struct err *);

/**
 * source_fetch(s, ws, store, arena, state, saved, err):
 * Copy what is there into ${store}, hashed on its way and durable when this returns; ${state}
 * is what the source was like, ${saved} (to be freed by saved_release in any case) what has come.
 * A file that is cut short is not stored; what fails in passing is tried SOURCE_TRIES times.
 * Return 0 or -1.
 */
int source_fetch(struct source *, const struct workspace *, struct objects *,
		 struct arena *, struct source_state *, struct saved *, struct err *);

/**
 * source_same(state, dep):
 * Return whether ${dep} records what was found.
 */
bool source_same(const struct source_state *, const struct dvc_out *);

/**
 * source_record(s, state, dep):
 * Let ${dep} record it; ${state} NULL: only where it lies.
 */
void source_record(const struct source *, const struct source_state *, struct dvc_out *);

/**
 * source_release(s):
 * Close what was opened for it.
 */
void source_release(struct source *);

#endif
