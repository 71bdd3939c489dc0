#ifndef DAG_TESTS_SIM_SHRINK_H
#define DAG_TESTS_SIM_SHRINK_H
/*
 * A world that goes wrong is cut down: tasks, runs, keys and faults are left out of it as long as
 * it goes wrong in the same way.
 */
#include "crew.h"

/**
 * shrink(job):
 * Cut down the world of ${job->from}; print what is left and its history.  Return 1; 0 if
 * nothing is wrong with it.
 */
int shrink(const struct crew_job *);

#endif
