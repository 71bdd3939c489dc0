/*
 * sim [--seeds FROM TO] [--tasks MAX] [--jobs N]
 *                           play worlds; exit 1 if one goes wrong
 * sim --mutants             look for every planted defect; exit 1 if one is not found
 * sim --mutant N            play with planted defect N; exit 1 if that goes unnoticed
 * sim --shrink SEED [--mutant N]
 *                           cut down the world that goes wrong, and print its history
 * sim --tell SEED [--mutant N]
 *                           print the history of a world
 * sim --coverage            print the table of states and events; exit 1 if a cell was not met
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "crew.h"
#include "mutants.h"
#include "shrink.h"

enum mode { MODE_PLAY, MODE_MUTANTS, MODE_COVERAGE, MODE_SHRINK, MODE_TELL };

static int
number(const char *text, unsigned *out)
{
	uint64_t v;

	if (text == NULL || num_u64(text, &v) != 0 || v > UINT32_MAX)
		return -1;
	*out = (unsigned)v;
	return 0;
}

static int
options(char **argv, struct crew_job *job, enum mode *mode)
{
	for (argv++; *argv != NULL; argv++) {
		if (strcmp(*argv, "--mutants") == 0) {
			*mode = MODE_MUTANTS;
		} else if (strcmp(*argv, "--coverage") == 0) {
			*mode = MODE_COVERAGE;
		} else if (strcmp(*argv, "--shrink") == 0 ||
			   strcmp(*argv, "--tell") == 0) {
			*mode = argv[0][2] == 's' ? MODE_SHRINK : MODE_TELL;
			if (*++argv == NULL || num_u64(*argv, &job->from) != 0)
				return -1;
		} else if (strcmp(*argv, "--seeds") == 0) {
			if (argv[1] == NULL || argv[2] == NULL ||
			    num_u64(argv[1], &job->from) != 0 ||
			    num_u64(argv[2], &job->to) != 0)
				return -1;
			argv += 2;
		} else if (strcmp(*argv, "--tasks") == 0) {
			if (number(*++argv, &job->tasks) != 0)
				return -1;
		} else if (strcmp(*argv, "--jobs") == 0) {
			if (number(*++argv, &job->jobs) != 0)
				return -1;
		} else if (strcmp(*argv, "--mutant") == 0) {
			if (number(*++argv, &job->mutant) != 0 || job->mutant == 0 ||
			    job->mutant > mutants_count())
				return -1;
			if (*mode == MODE_PLAY)
				*mode = MODE_MUTANTS;
		} else {
			return -1;
		}
	}
	return 0;
}

static int
play(const struct crew_job *job, bool coverage)
{
	struct crew_result r;
	const struct sim_totals *t = &r.totals;
	unsigned i, never = 0;

	crew_play(job, &r);
	if (r.failure.seed != 0) {
		(void)fprintf(stderr, "sim: seed %llu: %s:%u: %s; see --shrink %llu\n",
			      (unsigned long long)r.failure.seed, r.failure.check,
			      r.failure.line, r.failure.text,
			      (unsigned long long)r.failure.seed);
		return 1;
	}
	(void)printf(
	    "sim: %llu worlds, %llu tasks, %llu turns, %llu processes, %llu crashes, "
	    "%llu takeovers to settle, %llu runs retried, %llu lost to others, "
	    "%llu cancels, %llu clocks set: all right\n",
	    (unsigned long long)t->worlds, (unsigned long long)t->tasks,
	    (unsigned long long)t->steps, (unsigned long long)t->starts,
	    (unsigned long long)t->crashes, (unsigned long long)t->settles,
	    (unsigned long long)t->retries, (unsigned long long)t->stales,
	    (unsigned long long)t->cancels, (unsigned long long)t->jumps);
	for (i = 0; i < FAULTS; i++) {
		(void)printf("%s%s %llu", i == 0 ? "sim: faults: " : ", ",
			     sim_fault_name((enum fault)i),
			     (unsigned long long)t->faults[i]);
		never += t->faults[i] == 0;
	}
	(void)printf("\n");
	return coverage ? cover_print(&r.cover) | (never > 0) : 0;
}

int
main(int argc, char **argv)
{
	struct crew_job job = {.from = 1, .to = 10000, .tasks = 200, .jobs = 1};
	enum mode mode = MODE_PLAY;
	struct crew_one one;

	(void)argc;
	if (options(argv, &job, &mode) != 0) {
		(void)fprintf(stderr, "usage: sim [--seeds FROM TO] [--tasks MAX] "
				      "[--jobs N] [--mutants | --mutant N | "
				      "--coverage | --shrink SEED | --tell SEED]\n");
		return 2;
	}
	switch (mode) {
	case MODE_MUTANTS:
		return mutants_play(&job);
	case MODE_SHRINK:
		return shrink(&job);
	case MODE_TELL:
		return crew_alone(&job, NULL, true, &one);
	case MODE_PLAY:
	case MODE_COVERAGE:
		break;
	}
	return play(&job, mode == MODE_COVERAGE);
}
