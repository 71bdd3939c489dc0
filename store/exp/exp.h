#ifndef DAG_STORE_EXP_EXP_H
#define DAG_STORE_EXP_EXP_H
/*
 * Experiments, as DVC keeps them: commits that only references of their own lead to,
 *
 *	refs/exps/<2 digits of the baseline's id>/<the other 38>/<name>
 *
 * each made from the commit that it is compared with, its baseline.  Other references below
 * refs/exps are DVC's tools (exec, apply, stash ...) and no experiments.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/git.h"

struct arena;
struct buf;
struct err;
struct repo;

#define EXP_NAME_MAX 200 /* bytes of a name */
#define EXPS_MAX     100000
#define EXP_REFS     "refs/exps/"
#define EXP_APPLIED  EXP_REFS "exec/EXEC_APPLY" /* what was applied last */
#define EXP_HEAD_WAS EXP_REFS "apply/ORIG_HEAD" /* upon what */
#define EXP_STASH    EXP_REFS "apply/stash"	/* what was in the work tree before */

struct exp {
	const char *ref, *name;
	char id[REPO_ID], baseline[REPO_ID];
	int64_t time_s; /* of its commit */
};

struct exp_list {
	struct arena *arena;
	struct exp *v; /* by baseline, of one the newest first */
	size_t n;
};

/**
 * exp_list_read(r, out, err):
 * Read all experiments.  Return 0 or -1; ${out} is to be freed by exp_list_free in both cases.
 */
int exp_list_read(struct repo *, struct exp_list *, struct err *);

/**
 * exp_list_free(l):
 * Free what ${l} holds.  A zeroed one is fine.
 */
void exp_list_free(struct exp_list *);

/**
 * exp_of(l, baseline, n):
 * Return the first of the ${n} experiments of the baseline of that full id.
 */
const struct exp *exp_of(const struct exp_list *, const char *, size_t *);

/**
 * exp_find(r, l, word, out, err):
 * Find the experiment that ${word} names: its name, or its whole reference.  Where several
 * have the name, that of HEAD is meant.  Return 0, or -1: ERR_NOTFOUND, with one that is named
 * much like it; ERR_INVALID where several could be meant.
 */
int exp_find(struct repo *, const struct exp_list *, const char *, const struct exp **,
	     struct err *);

/**
 * exp_resolve(r, l, word, id, err):
 * Write the id of the commit that ${word} names, a revision of git or else an experiment, into
 * ${id}.  Return 0 or -1.
 */
int exp_resolve(struct repo *, const struct exp_list *, const char *, char id[REPO_ID],
		struct err *);

/**
 * exp_ref(baseline, name, b):
 * Append the reference of the experiment ${name} of that baseline.
 */
void exp_ref(const char *, const char *, struct buf *);

/**
 * exp_name_check(r, name, err):
 * Return 0 if an experiment can be called ${name}, or -1 with ERR_INVALID or ERR_LIMIT.
 */
int exp_name_check(const struct repo *, const char *, struct err *);

/**
 * exp_name_draw(taken, ctx, b, err):
 * Append a name of two words, drawn by lot, that ${taken}(${ctx}, name) says is free.  Return 0 or
 * -1.
 */
int exp_name_draw(bool (*)(void *, const char *), void *, struct buf *, struct err *);

/* ---- names of commits ---- */

struct exp_names;

/**
 * exp_names_read(r, out, err), exp_names_free(n):
 * Read by what branches and tags commits are known.  Return 0 or -1.
 */
int exp_names_read(struct repo *, struct exp_names **, struct err *);
void exp_names_free(struct exp_names *);

/**
 * exp_names_of(n, id):
 * Return the name of the commit: the branch that is checked out, a tag, a branch; else NULL.
 */
const char *exp_names_of(const struct exp_names *, const char *);

#endif
