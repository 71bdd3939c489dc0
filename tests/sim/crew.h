#ifndef DAG_TESTS_SIM_CREW_H
#define DAG_TESTS_SIM_CREW_H
/*
 * Many worlds on all cores: forked workers draw seeds in order and play each.  A world that goes
 * wrong ends its worker; whoever is in the middle of an earlier seed finishes it, so that the
 * first failing seed is always the same one.
 */
#include "cover.h"
#include "sim.h"

struct crew_job {
	uint64_t from, to;
	unsigned jobs;
	unsigned tasks;	 /* at most */
	unsigned mutant; /* 0: none */
};

struct crew_result {
	struct sim_failure failure; /* of the first seed that went wrong; seed 0: none */
	struct sim_totals totals;
	struct cover cover;
};

/* One world by itself. */
struct crew_one {
	struct sim_failure failure;
	struct sim_fired fired;
	struct sim_totals totals; /* of a world that comes to its end */
};

/**
 * crew_play(job, out):
 * Play the worlds of ${job->from} to ${job->to}, or until one goes wrong.
 */
void crew_play(const struct crew_job *, struct crew_result *);

/**
 * crew_alone(job, cut, tell, out):
 * Play the world of ${job->from}, less what ${cut} leaves out, in a process of its own; print its
 * history if ${tell}.  Return whether it goes wrong.
 */
bool crew_alone(const struct crew_job *, const struct sim_cut *, bool, struct crew_one *);

#endif
