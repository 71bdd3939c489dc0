/*
 * Smaller worlds by trial: what can be left out, in halves, quarters and so on, until nothing
 * more can.  What "the same way" means: the same line of the same judge.
 */
#include "shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shrinker {
	struct crew_job job;
	struct sim_failure want;
	struct sim_cut best; /* it still goes wrong */
	struct crew_one one; /* as it did then */
	unsigned tries;
};

/* Is ${cut} as good?  Then it is the best from now on. */
static bool
attempt(struct shrinker *k, const struct sim_cut *cut)
{
	struct crew_one *one = malloc(sizeof(*one));
	bool same;

	if (one == NULL)
		abort();
	k->tries++;
	same = crew_alone(&k->job, cut, false, one) &&
	       strcmp(one->failure.check, k->want.check) == 0 &&
	       one->failure.line == k->want.line;
	if (same) {
		k->best = *cut;
		k->one = *one;
	}
	free(one);
	return same;
}

/* Planned troubles come so much earlier: as much as the world has become shorter. */
static void
hasten(struct sim_cut *cut, uint64_t percent)
{
	uint32_t i;

	for (i = 0; i < cut->ntroubles; i++)
		cut->troubles[i].at = cut->troubles[i].at * percent / 100;
}

/* The same with other luck, too: what is left out shifts all that comes later. */
static bool
attempt_hard(struct shrinker *k, const struct sim_cut *cut)
{
	static const struct {
		uint64_t luck, percent;
	} ways[] = {{0, 100}, {0, 50}, {0, 75}, {0, 90}, {1, 100}, {2, 100},
		    {3, 100}, {1, 50}, {2, 75}, {3, 30}, {4, 50},  {5, 10}};
	struct sim_cut *c = malloc(sizeof(*c));
	bool good = false;
	size_t i;

	if (c == NULL)
		abort();
	for (i = 0; !good && i < sizeof(ways) / sizeof(ways[0]); i++) {
		*c = *cut;
		c->luck += ways[i].luck;
		hasten(c, ways[i].percent);
		good = attempt(k, c);
	}
	free(c);
	return good;
}

/* Something that a cut may leave out: element ${i} of a set; false: it is out already. */
typedef bool leave_out(const struct shrinker *, struct sim_cut *, uint32_t);

/* Leave out as many of the ${n} elements as may be: in halves first.  Return whether any was. */
static bool
reduce(struct shrinker *k, uint32_t n, leave_out *f, bool hard)
{
	struct sim_cut *cut = malloc(sizeof(*cut));
	uint32_t size = n, at, i;
	bool any = false;

	if (cut == NULL)
		abort();
	for (; size > 0; size /= 2)
		for (at = 0; at < n; at += size) {
			bool some = false;

			*cut = k->best;
			for (i = at; i < at + size && i < n; i++)
				some |= f(k, cut, i);
			if (some)
				any |= hard ? attempt_hard(k, cut) : attempt(k, cut);
		}
	free(cut);
	return any;
}

static bool
mark(uint32_t *set, uint32_t bit)
{
	if (*set & bit)
		return false;
	*set |= bit;
	return true;
}

static bool
out_task(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	(void)k;
	return mark(&cut->task[i], CUT_GONE);
}

static bool
out_run(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	(void)k;
	return mark(&cut->run[i], CUT_GONE);
}

static bool
out_kind(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	bool was = cut->fault[i];

	(void)k;
	cut->fault[i] = true;
	return !was;
}

static bool
out_all_key(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	(void)k;
	return mark(&cut->all, 1u << i);
}

/* Elements of all tasks, or runs, by key. */
static bool
out_task_key(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	uint32_t task = i % SIM_TASKS_MAX, bit = CUT_UPS << i / SIM_TASKS_MAX;

	(void)k;
	return !(cut->task[task] & CUT_GONE) && mark(&cut->task[task], bit);
}

static bool
out_run_key(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	(void)k;
	return mark(&cut->run[i % SIM_RUNS_MAX], CUT_FAIL_FAST << i / SIM_RUNS_MAX);
}

static bool
out_fault(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	uint32_t n;

	if (i >= k->one.fired.n)
		return false;
	for (n = 0; n < cut->nsilent; n++)
		if (cut->silent[n] == k->one.fired.keys[i])
			return false;
	if (cut->nsilent == SIM_FIRED_MAX)
		return false;
	cut->silent[cut->nsilent++] = k->one.fired.keys[i];
	return true;
}

static bool
out_trouble(const struct shrinker *k, struct sim_cut *cut, uint32_t i)
{
	/* Those behind it have moved up by as many as went before. */
	uint32_t at = i - (k->best.ntroubles - cut->ntroubles);

	if (i >= k->best.ntroubles || at >= cut->ntroubles)
		return false;
	memmove(&cut->troubles[at], &cut->troubles[at + 1],
		(cut->ntroubles - at - 1) * sizeof(cut->troubles[0]));
	cut->ntroubles--;
	return true;
}

/* Troubles come as a list from now on, so that they can be moved. */
static void
plan(struct shrinker *k)
{
	struct sim_cut *cut = malloc(sizeof(*cut));
	uint32_t i;

	if (cut == NULL)
		abort();
	*cut = k->best;
	cut->planned = true;
	cut->ntroubles = k->one.fired.ntroubles;
	for (i = 0; i < cut->ntroubles; i++)
		cut->troubles[i].at = cut->troubles[i].was = k->one.fired.troubles[i];
	(void)attempt(k, cut);
	free(cut);
}

/* Each trouble as early as it may be. */
static bool
earlier(struct shrinker *k)
{
	struct sim_cut *cut = malloc(sizeof(*cut));
	bool any = false;
	uint64_t less;
	uint32_t i, n;

	if (cut == NULL)
		abort();
	for (i = 0; i < k->best.ntroubles; i++)
		for (less = k->best.troubles[i].at; less > 0; less /= 2) {
			*cut = k->best;
			for (n = i; n < cut->ntroubles; n++)
				cut->troubles[n].at -= less < cut->troubles[n].at
							   ? less
							   : cut->troubles[n].at;
			any |= attempt(k, cut);
		}
	free(cut);
	return any;
}

static uint32_t
bits(uint32_t first, uint32_t end)
{
	uint32_t n = 0;

	for (; first < end; first <<= 1)
		n++;
	return n;
}

static void
cut_down(struct shrinker *k)
{
	unsigned round;
	bool any = true;

	plan(k);
	for (round = 0; any && round < 6; round++) {
		any = reduce(k, SIM_TASKS_MAX, out_task, true);
		any |= reduce(k, SIM_RUNS_MAX, out_run, true);
		any |= reduce(k, k->best.ntroubles, out_trouble, true);
		any |= reduce(k, FAULTS, out_kind, true);
		any |= reduce(k, k->one.fired.n, out_fault, false);
		any |= reduce(k, bits(CUT_MAX_ACTIVE, CUT_ALL_END), out_all_key, true);
		any |= reduce(k, SIM_RUNS_MAX * bits(CUT_FAIL_FAST, CUT_RUN_END),
			      out_run_key, false);
		any |= reduce(k, SIM_TASKS_MAX * bits(CUT_UPS, CUT_TASK_END),
			      out_task_key, false);
		any |= earlier(k);
	}
}

int
shrink(const struct crew_job *job)
{
	struct shrinker *k = calloc(1, sizeof(*k));
	struct crew_one first;

	if (k == NULL)
		abort();
	k->job = *job;
	if (!crew_alone(job, &k->best, false, &k->one)) {
		(void)printf("sim: nothing is wrong with seed %llu\n",
			     (unsigned long long)job->from);
		free(k);
		return 0;
	}
	first = k->one;
	k->want = k->one.failure;
	cut_down(k);
	(void)crew_alone(job, &k->best, true, &k->one);
	(void)printf("sim: seed %llu: %s:%u: %s\n", (unsigned long long)job->from,
		     k->want.check, k->want.line, k->one.failure.text);
	(void)printf("sim: cut down in %u tries from %u faults to %u; was: %s\n",
		     k->tries, first.fired.n + first.fired.ntroubles,
		     k->one.fired.n + k->one.fired.ntroubles, first.failure.text);
	free(k);
	return 1;
}
