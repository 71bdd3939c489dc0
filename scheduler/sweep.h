#ifndef DAG_SCHEDULER_SWEEP_H
#define DAG_SCHEDULER_SWEEP_H
/*
 * After a shim was killed, what its task left running: processes of the shim's session, and
 * every own process whose environment carries the attempt's id (children that made a session
 * of their own survive the parent death signal).  They get TERM, then KILL; only when none is
 * left may the attempt be called lost and another begin.
 */
#include "scheduler/executor.h"

/**
 * sweep_start(loop, p, a, why, done, ctx):
 * Sweep what is left of attempt ${a} in a worker thread, then call ${done}(${ctx}, ref, why)
 * in the loop.  Nothing is swept of an attempt of another boot, or with leave_children.
 * Return 0, or -1 if memory runs out.
 */
int sweep_start(struct uv_loop_s *, const struct project *, const struct exec_adopt *,
		const char *, void (*)(void *, struct engine_ref, const char *), void *);

/**
 * sweep_stop():
 * Have all sweeps under way end soon, without a report: what is left stays left, for whoever
 * takes the run over.
 */
void sweep_stop(void);

/**
 * sweep_active():
 * Return how many sweeps have not reported yet.
 */
unsigned sweep_active(void);

#endif
