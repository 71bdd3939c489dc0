#ifndef DAG_TESTS_SIM_MUTANTS_H
#define DAG_TESTS_SIM_MUTANTS_H
/*
 * The planted defects of scheduler/engine_probe.h.  A judge that overlooks one of them would
 * overlook such a mistake of ours.
 */
#include "crew.h"

/**
 * mutants_count(), mutants_name(n):
 * How many there are (0 in a build whose engine has none), and what number ${n} is called.
 */
unsigned mutants_count(void);
const char *mutants_name(unsigned);

/**
 * mutants_play(job):
 * Look for each of them in the worlds of ${job}, or for ${job->mutant} only, and print which
 * seed and which check found it.  Return 0, or 1 if one was not found.
 */
int mutants_play(const struct crew_job *);

#endif
