#ifndef DAG_SCHEDULER_GC_H
#define DAG_SCHEDULER_GC_H
/*
 * `dag gc --runs`: old runs with their logs, and what interrupted work has left behind.
 *
 * A run is deleted under its owner lock, first its rows, then its directory.  Killed in
 * between, its directory has no row, and the next gc takes it as an orphan.  An orphan is left
 * alone for its first ten minutes (a run that is starting makes its directory before its row),
 * while its owner lock is held, and while any attempt in it lives.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/meta_gc.h"

struct err;
struct project;

struct gc_counts {
	uint64_t runs, run_bytes; /* gone, and the room of their directories */
	uint64_t busy;		  /* old ones that somebody owns now */
	uint64_t orphans, orphan_bytes;
	uint64_t definitions;
	uint64_t leftovers; /* other files and cgroups of processes that were killed */
};

/* What of one DAG goes. */
struct gc_dag {
	const char *name;
	uint64_t runs, bytes;
	int64_t oldest_us, newest_us; /* ends of the first and last of them */
};

struct gc {
	const struct project *p;
	struct meta *m; /* opened for writing, unless it is a dry run */
	struct meta_gc_rule rule;
	bool dry_run; /* count only */
	void *ctx;
	void (*dag)(void *, const struct gc_dag *); /* a DAG is done; may be NULL */
	void (*progress)(void *, const struct gc_counts *); /* often; may be NULL */
	struct gc_counts counts;
};

/**
 * gc_runs(g, err):
 * Do it; what was done is in g->counts, also after a failure.  Only one gc at a time works in
 * a project: ERR_BUSY.  Return 0 or -1.
 */
int gc_runs(struct gc *, struct err *);

/**
 * gc_orphans(g, err):
 * The part of it that looks for directories without a row.
 */
int gc_orphans(struct gc *, struct err *);

#endif
