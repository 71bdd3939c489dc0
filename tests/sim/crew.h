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

/**
 * crew_play(job, out):
 * Play the worlds of ${job->from} to ${job->to}, or until one goes wrong.
 */
void crew_play(const struct crew_job *, struct crew_result *);

#endif
