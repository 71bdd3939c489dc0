#ifndef DAG_STORE_EXP_OVERRIDE_H
#define DAG_STORE_EXP_OVERRIDE_H
/*
 * Values of params that are changed for an experiment, as `dvc exp run -S` has them:
 *
 *	[FILE:]train.lr=0.1		what is there becomes that
 *	[FILE:]+train.new=0.1		it is added
 *	[FILE:]++train.lr=0.1		one or the other
 *	[FILE:]~train.lr		it is removed
 *	lr=0.1,0.2  choice(a,b)  range(1,4)  several values: an experiment for each
 *
 * FILE is params.yaml where none is named; YAML, JSON or TOML by its name.  Elements of lists
 * are a.0 or a[0].  A value is what YAML takes it for.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;
struct err;
struct yaml_node;

#define OVERRIDE_VALUES_MAX 1000  /* of one */
#define OVERRIDE_RUNS_MAX   1000  /* experiments of one command */
#define OVERRIDE_KEY_MAX    64	  /* parts of a key */
#define OVERRIDE_TEXT_MAX   65536 /* bytes of one */

enum override_kind { OVERRIDE_SET, OVERRIDE_ADD, OVERRIDE_FORCE, OVERRIDE_REMOVE };

struct override {
	const char *word; /* as it was given */
	const char *file; /* relative to where it is seen from */
	enum override_kind kind;
	const char *key;   /* as it was given */
	const char **path; /* its parts */
	size_t npath;
	const char **values; /* texts; none: OVERRIDE_REMOVE */
	size_t n;
};

struct override_list {
	struct override *v;
	size_t n;
	size_t runs; /* how many experiments they make: at least 1 */
};

/**
 * override_parse(a, words, n, out, err):
 * Read ${n} words; all is in the arena.  Return 0, or -1 with ERR_INVALID or ERR_LIMIT.
 */
int override_parse(struct arena *, const char *const *, size_t, struct override_list *,
		   struct err *);

/**
 * override_choose(l, run, i):
 * Return which of its values the override ${i} has in experiment ${run}, from 0.
 */
size_t override_choose(const struct override_list *, size_t, size_t);

/**
 * override_apply(a, o, value, top, err):
 * Change the tree ${top} of a file: ${value} is one of o->values, NULL where it has none.
 * Return 0, or -1: ERR_NOTFOUND where there is nothing to change, ERR_EXISTS where there is
 * something already.
 */
int override_apply(struct arena *, const struct override *, const char *,
		   struct yaml_node **, struct err *);

/**
 * override_files(l, run, dir, top, err):
 * Write all the changes of experiment ${run} into the files below the directory ${dir}.  A file
 * is written once, when all of its changes could be made; one that is a link is written where it
 * leads to, if that is below the canonical directory ${top}, and else takes the place of the link.
 * Return 0 or -1.
 */
int override_files(const struct override_list *, size_t, const char *, const char *,
		   struct err *);

/**
 * override_check(l, dir, err):
 * Return 0 if each of the values could be written into the files below ${dir}, or -1.  Nothing is
 * changed.
 */
int override_check(const struct override_list *, const char *, struct err *);

/**
 * override_put(l, run, b):
 * Append what makes experiment ${run} another one than the rest: "lr=0.1 seed=2"; of one alone
 * all that is changed.
 */
void override_put(const struct override_list *, size_t, struct buf *);

#endif
