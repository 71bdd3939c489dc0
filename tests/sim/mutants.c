/*
 * The table of planted defects.
 */
#include "mutants.h"

#include <stdio.h>

#include "scheduler/engine_probe.h"

#ifdef DAG_SIM

unsigned engine_mutant;

static const char *const names[] = {"",
#define X(name, what) #name,
				    ENGINE_MUTANTS(X)
#undef X
};

static const char *const breaks[] = {"",
#define X(name, what) what,
				     ENGINE_MUTANTS(X)
#undef X
};

void
sim_mutant(unsigned n)
{
	engine_mutant = n;
}

unsigned
mutants_count(void)
{
	return MUTANTS - 1;
}

#else

static const char *const names[] = {""}, *const breaks[] = {""};

void
sim_mutant(unsigned n)
{
	(void)n;
}

unsigned
mutants_count(void)
{
	return 0;
}

#endif

const char *
mutants_name(unsigned n)
{
	return names[n];
}

int
mutants_play(const struct crew_job *job)
{
	unsigned n, missed = 0;
	struct crew_result r;
	struct crew_one clean;
	struct crew_job one;

	(void)printf("%3s %-17s %5s  %-18s %s\n", "no", "mutant", "seeds", "found by",
		     "what it breaks");
	for (n = 1; n <= mutants_count(); n++) {
		if (job->mutant != 0 && n != job->mutant)
			continue;
		one = *job;
		one.mutant = n;
		crew_play(&one, &r);
		one.mutant = 0;
		one.from = r.failure.seed;
		if (r.failure.seed != 0 && crew_alone(&one, NULL, false, &clean)) {
			(void)printf(
			    "sim: seed %llu goes wrong without a defect: %s: %s\n",
			    (unsigned long long)r.failure.seed, clean.failure.check,
			    clean.failure.text);
			return 1;
		}
		if (r.failure.seed == 0)
			(void)printf("%3u %-17s %5s  %-18s %s\n", n, names[n], "-",
				     "NOT FOUND", breaks[n]);
		else
			(void)printf("%3u %-17s %5llu  %-18s %s\n", n, names[n],
				     (unsigned long long)(r.failure.seed - job->from + 1),
				     r.failure.check, breaks[n]);
		if (job->mutant != 0)
			(void)printf("%s\n", r.failure.text);
		(void)fflush(stdout);
		missed += r.failure.seed == 0;
	}
	(void)printf("sim: %u of %u planted defects not found within %llu seeds\n",
		     missed, job->mutant != 0 ? 1 : mutants_count(),
		     (unsigned long long)(job->to - job->from + 1));
	return missed > 0;
}
