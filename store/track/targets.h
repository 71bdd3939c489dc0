#ifndef DAG_STORE_TRACK_TARGETS_H
#define DAG_STORE_TRACK_TARGETS_H
/*
 * What words of the command line mean, among all that is tracked:
 *
 *	data.dvc, dvc.yaml	a pointer file: all its outs (dvc.lock is taken for dvc.yaml)
 *	data, data/a/b		an out, or what lies in one
 *	dvc.yaml:train, train	the outs of a stage, or of all stages that foreach or matrix make
 *				of one; without a file, of the dvc.yaml here
 *	p.yaml, p.yaml:fit	what the tasks of a DAG file have made (p.dag.lock, too)
 *	dir			with `recursive`: the outs of all pointer files below it
 *	'*.csv'			with `glob`: all outs, pointer files and stages here of such names
 *
 * A path is as seen from where the verb was called; that of an out comes before a stage of the
 * same name, as in DVC.  Nothing has to exist in the work tree.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

struct arena;
struct dvc_yaml_stage;
struct err;
struct track;
struct track_file;
struct track_list;
struct track_out;

struct track_select {
	const char *const *words; /* none: all there is */
	size_t n;
	bool recursive;
	bool glob;
	bool pointers; /* without words: not what tasks of DAG files have made */
};

struct track_target {
	const struct track_out *out;
	const char *inside; /* of a directory: relative to it; NULL: all of it */
};

/* A stage that is meant itself, or with its file, whether or not it has outs. */
struct track_named {
	const struct track_file *in;
	const struct dvc_yaml_stage *stage;
};

struct track_targets {
	struct track_target
	    *v; /* by path; of one out all of it, or parts that are apart */
	size_t n, cap;
	VEC(struct track_named) stages; /* some perhaps twice; without words none */
};

/**
 * track_targets(t, l, select, arena, out, err):
 * Find what is meant, into the empty ${out}, which track_targets_free frees; texts live in
 * ${arena}.  Return 0, or -1: ERR_NOTFOUND for a word that names nothing, with what may be
 * meant; ERR_INVALID for a path outside of the repository or inside of a file.
 */
int track_targets(const struct track *, const struct track_list *,
		  const struct track_select *, struct arena *, struct track_targets *,
		  struct err *);

/**
 * track_targets_sort(v):
 * Sort ${v} as track_targets leaves it, and drop what stands in it twice.
 */
void track_targets_sort(struct track_targets *);

/**
 * track_targets_free(v):
 * Free what ${v} holds.
 */
void track_targets_free(struct track_targets *);

/**
 * track_relative(t, word, out, err):
 * Append the path that ${word} names, seen from the current directory, relative to the root and
 * normalized; an absolute path where it lies outside.  Return 0 or -1.
 */
struct buf;
int track_relative(const struct track *, const char *, struct buf *, struct err *);

#endif
