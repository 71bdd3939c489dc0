#ifndef DAG_STORE_TRACK_PARALLEL_H
#define DAG_STORE_TRACK_PARALLEL_H
/*
 * One piece of work done by several threads at once, the caller's among them.
 */
#define PARALLEL_MAX 64

/**
 * parallel_workers(wanted):
 * Return how many threads to work with: ${wanted}, or as many as there are processors where
 * that is 0; at most PARALLEL_MAX.
 */
unsigned parallel_workers(unsigned);

/**
 * parallel_run(workers, fn, arg):
 * Call ${fn}(${arg}, i) for each i below ${workers} (1 to PARALLEL_MAX), each in a thread, and
 * wait for all.  Where no more threads can be had the others must do: ${fn} shares the work
 * out by itself, and is called at least once.
 */
void parallel_run(unsigned, void (*)(void *, unsigned), void *);

#endif
