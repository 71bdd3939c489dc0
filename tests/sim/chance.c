/*
 * Luck.  What a world is made of, and the interleaving of a turn, come from sequences that are
 * seeded anew each turn; what becomes of an attempt depends on the seed and on which attempt it
 * is, and nothing else.  So a world from which something is left out stays much the same, and
 * can be cut down to what is needed for a failure.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t
mix2(uint64_t a, uint64_t b)
{
	return mix(a ^ mix(b));
}

static uint64_t
luck(const struct sim *s)
{
	return s->cut != NULL ? s->cut->luck << 32 : 0;
}

/**
 * sim_rand(s, n), sim_once_in(s, n):
 * The next number of the sequence, below ${n} (0: of all); whether it is the one in ${n}.
 */
uint64_t
sim_rand(struct sim *s, uint64_t n)
{
	uint64_t x = mix(s->rng++);

	return n == 0 ? x : x % n;
}

bool
sim_once_in(struct sim *s, uint64_t n)
{
	return sim_rand(s, n) == 0;
}

/**
 * sim_reseed(s), sim_reseed_as(s, step):
 * A turn begins: its sequence depends on nothing that came before.  It is as that of another
 * turn was by the seed alone.
 */
void
sim_reseed(struct sim *s)
{
	s->rng = mix2(s->seed ^ luck(s), s->totals.steps);
}

void
sim_reseed_as(struct sim *s, uint64_t step)
{
	s->rng = mix2(s->seed, step);
}

/* Which attempt this is, whatever was left out beside it. */
static uint64_t
identity(const struct sim *s, const struct sim_run *r, uint32_t task, uint32_t number)
{
	return ((uint64_t)r->made << 40) | ((uint64_t)s->ids[task] << 20) | number;
}

/**
 * sim_fate(s, r, task, number, what):
 * A number that belongs to an attempt; ${what} tells several apart.
 */
uint64_t
sim_fate(const struct sim *s, const struct sim_run *r, uint32_t task, uint32_t number,
	 unsigned what)
{
	return mix2(mix2(s->seed, what), identity(s, r, task, number));
}

static const char *const fault_names[FAULTS] = {
    [FAULT_CRASH] = "crash",
    [FAULT_CRASH_COMMIT] = "crash after a commit",
    [FAULT_CRASH_CANCEL] = "crash during a cancel",
    [FAULT_LOSE] = "run lost to another owner",
    [FAULT_CANCEL] = "cancel",
    [FAULT_CANCEL_AGAIN] = "second cancel",
    [FAULT_RETRY] = "retry under way",
    [FAULT_RETRY_END] = "retry of an end that is on its way",
    [FAULT_CLOCK] = "clock set",
    [FAULT_LATE_REPORT] = "late report",
    [FAULT_FULL] = "disk full",
    [FAULT_SPAWN] = "failed spawn",
    [FAULT_UNBORN] = "shim gave up",
    [FAULT_VANISH] = "shim killed",
    [FAULT_ABSENT] = "outputs absent",
    [FAULT_PREPARE] = "input absent",
    [FAULT_CACHED] = "cached",
    [FAULT_KNOWN] = "known",
    [FAULT_SETTLE] = "settled by another",
};

const char *
sim_fault_name(enum fault f)
{
	return fault_names[f];
}

static bool
silenced(const struct sim_cut *cut, enum fault kind, uint64_t key)
{
	uint32_t i;

	if (cut == NULL)
		return false;
	if (cut->fault[kind])
		return true;
	for (i = 0; i < cut->nsilent; i++)
		if (cut->silent[i] == key)
			return true;
	return false;
}

/**
 * sim_happens(s, kind):
 * Note a fault.
 */
void
sim_happens(struct sim *s, enum fault kind)
{
	s->totals.faults[kind]++;
	sim_say(s, "FAULT: %s", fault_names[kind]);
}

static bool
fault(struct sim *s, enum fault kind, uint64_t n, uint64_t key)
{
	if (n == 0 || key % n != 0 || silenced(s->cut, kind, key))
		return false;
	if (s->fired != NULL && s->fired->n < SIM_FIRED_MAX)
		s->fired->keys[s->fired->n++] = key;
	sim_happens(s, kind);
	return true;
}

/**
 * sim_fault(s, kind, n, what):
 * Does this go wrong in this turn?  Once in ${n} times (0: never); ${what} tells several apart.
 */
bool
sim_fault(struct sim *s, enum fault kind, uint64_t n, uint64_t what)
{
	uint64_t turn = mix2(s->seed ^ luck(s), s->totals.steps);

	return fault(s, kind, n, mix2(mix2(turn, 1000 + kind), what));
}

/**
 * sim_fault_of(s, kind, n, r, task, number):
 * Does this go wrong with an attempt?
 */
bool
sim_fault_of(struct sim *s, enum fault kind, uint64_t n, const struct sim_run *r,
	     uint32_t task, uint32_t number)
{
	uint64_t key = mix2(s->seed, 2000 + kind);

	return fault(s, kind, n, mix2(key, identity(s, r, task, number)));
}

/* ---- words ---- */

static struct sim_failure *report;

/**
 * sim_report_to(f):
 * Have the failure that ends this process written to ${f} before.
 */
void
sim_report_to(struct sim_failure *f)
{
	report = f;
}

void
sim_failed(struct sim *s, const char *check, unsigned line, const char *fmt, ...)
{
	struct sim_failure f = {.seed = s->seed, .line = line};
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(f.check, sizeof(f.check), "%s", check);
	(void)snprintf(f.text, sizeof(f.text), "step %llu: %s",
		       (unsigned long long)s->totals.steps, text);
	sim_say(s, "WRONG: %s", text);
	(void)fflush(stdout);
	if (report != NULL)
		*report = f;
	_Exit(3); /* no list of leaks: the world is in the middle of something */
}

/**
 * sim_say(s, fmt, ...):
 * A line of the world's history, if it is told.
 */
void
sim_say(const struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->tell)
		return;
	(void)printf("%5llu %9.3f s  ", (unsigned long long)s->totals.steps,
		     (double)s->now.mono_us / 1e6 - 5);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
}

void *
sim_alloc(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p == NULL)
		abort();
	return p;
}
