/*
 * Random DAGs and worlds.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

uint64_t
sim_rand(struct sim *s, uint64_t n)
{
	uint64_t x = s->rng += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	return n == 0 ? x : x % n;
}

bool
sim_once_in(struct sim *s, uint64_t n)
{
	return sim_rand(s, n) == 0;
}

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
sim_failed(struct sim *s, const char *check, const char *fmt, ...)
{
	struct sim_failure f = {.seed = s->seed};
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(f.check, sizeof(f.check), "%s", check);
	(void)snprintf(f.text, sizeof(f.text), "step %llu: %s",
		       (unsigned long long)s->totals.steps, text);
	if (report != NULL)
		*report = f;
	_Exit(3); /* no list of leaks: the world is in the middle of something */
}

static const struct task_type exec_type = {.name = "shell", .kind = TASK_EXEC};
static const struct task_type wait_type = {.name = "wait", .kind = TASK_ENGINE};

void *
sim_alloc(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p == NULL)
		abort();
	return p;
}

static enum trigger_rule
random_rule(struct sim *s)
{
	return !sim_once_in(s, 3) ? TRIGGER_ALL_SUCCESS
				  : (enum trigger_rule)sim_rand(s, TRIGGER_RULES);
}

static void
make_task(struct sim *s, struct dag_task *t, uint32_t id, char *name)
{
	(void)snprintf(name, 16, "t%u", id);
	t->id = id;
	t->name = name;
	t->type = sim_once_in(s, 12) ? &wait_type : &exec_type;
	t->trigger = random_rule(s);
	t->retries = (uint32_t)sim_rand(s, 3);
	t->retry_delay_us = (int64_t)sim_rand(s, 5) * 1000000;
	t->retry_backoff = sim_once_in(s, 2) ? 1 : 2.5;
	t->retry_max_delay_us = 8000000;
	t->retry_on = sim_once_in(s, 4) ? (unsigned)sim_rand(s, 1u << CAUSE_MAX) & ~1u
					: RETRY_ON_DEFAULT;
	t->allow_failure = sim_once_in(s, 8);
	t->priority = (int32_t)sim_rand(s, 3);
	if (s->memory > 0 && t->type == &exec_type && sim_once_in(s, 2))
		t->memory = 1 + (int64_t)sim_rand(s, 6);
	if (t->type == &exec_type) {
		t->ninputs = sim_rand(s, 2);
		t->noutputs = sim_rand(s, 2);
	}
}

static void
add_edges(struct sim *s, struct dag *g)
{
	size_t n = g->ntasks, i, k;
	unsigned density = 1 + (unsigned)sim_rand(s, 4);

	for (i = 0; i < n; i++) {
		g->tasks[i].up = sim_alloc(n, sizeof(uint32_t));
		g->tasks[i].down = sim_alloc(n, sizeof(uint32_t));
	}
	for (i = 1; i < n; i++)
		for (k = 0; k < i; k++)
			if (sim_rand(s, i + 2) < density) {
				struct dag_task *t = &g->tasks[i], *u = &g->tasks[k];

				t->up[t->nup++] = (uint32_t)k;
				u->down[u->ndown++] = (uint32_t)i;
			}
}

/* Any order in which upstreams come first: each task as late as its downstreams let it be, or
 * as it was made. */
static void
make_order(struct sim *s, struct dag *g)
{
	size_t i, n = g->ntasks;
	bool swap = sim_once_in(s, 2);

	for (i = 0; i < n; i++)
		g->order[i] = (uint32_t)i;
	for (i = 0; swap && i + 1 < n; i++) {
		uint32_t a = g->order[i], b = g->order[i + 1];
		bool edge = false;

		for (size_t k = 0; k < g->tasks[b].nup; k++)
			edge |= g->tasks[b].up[k] == a;
		if (!edge && sim_once_in(s, 2)) {
			g->order[i] = b;
			g->order[i + 1] = a;
		}
	}
	for (i = 0; i < n; i++)
		s->pos[g->order[i]] = (uint32_t)i;
}

static void
make_run(struct sim *s, struct sim_run *r, unsigned index)
{
	size_t n = s->dag.ntasks, i;
	static const char *const pool[] = {"a", "a/b", "a/b/c", "d", "e", "e/f"};
	bool choosy = sim_once_in(s, 5);

	(void)snprintf(r->id, sizeof(r->id), "run-%u", index);
	r->tasks = sim_alloc(n, sizeof(*r->tasks));
	r->paths = sim_alloc(n, sizeof(*r->paths));
	r->fail_fast = sim_once_in(s, 6);
	if (s->dag.timeout_us > 0)
		r->row_deadline_us = s->now.wall_us + s->dag.timeout_us;
	for (i = 0; i < n; i++) {
		struct sim_task *t = &r->tasks[i];
		const struct dag_task *m = &s->dag.tasks[i];

		t->selected = !choosy || !sim_once_in(s, 4);
		if (!t->selected) {
			t->state = TASK_DONE;
			t->result = RESULT_SKIPPED;
		}
		t->when = !sim_once_in(s, 8);
		t->broken = sim_once_in(s, 40);
		t->fails = sim_once_in(s, 3) ? (unsigned)sim_rand(s, 4) : 0;
		if (m->ninputs + m->noutputs > 0 && sim_once_in(s, 3)) {
			struct meta_path *p = sim_alloc(1, sizeof(*p));

			p->path = pool[sim_rand(s, 6)];
			p->write = m->noutputs > 0;
			r->paths[i] = (struct engine_paths){.v = p, .n = 1};
		}
	}
}

/**
 * sim_make(s, max):
 * A world with one DAG of at most ${max} tasks and up to three runs of it.
 */
void
sim_make(struct sim *s, unsigned max)
{
	struct dag *g = &s->dag;
	size_t i;

	s->now.wall_us = 1700000000000000;
	s->now.mono_us = 5000000;
	g->name = "sim";
	g->ntasks = 1 + sim_rand(s, sim_once_in(s, 4) ? max : 12);
	g->tasks = sim_alloc(g->ntasks, sizeof(*g->tasks));
	g->order = sim_alloc(g->ntasks, sizeof(*g->order));
	s->pos = sim_alloc(g->ntasks, sizeof(*s->pos));
	g->max_active_tasks = sim_once_in(s, 4) ? 1 + (uint32_t)sim_rand(s, 4) : 0;
	if (sim_once_in(s, 6))
		g->timeout_us = 1 + (int64_t)sim_rand(s, 20000000);
	s->memory = sim_once_in(s, 3) ? 1 + (int64_t)sim_rand(s, 10) : 0;
	for (i = 0; i < g->ntasks; i++)
		make_task(s, &g->tasks[i], (uint32_t)i, sim_alloc(16, 1));
	add_edges(s, g);
	make_order(s, g);
	s->jobs = 1 + (unsigned)sim_rand(s, 6);
	s->nruns = 1 + (unsigned)sim_rand(s, SIM_RUNS_MAX);
	for (i = 0; i < s->nruns; i++)
		make_run(s, &s->runs[i], (unsigned)i);
}

static void
drop(const void *p)
{
	free((void *)(uintptr_t)p);
}

void
sim_release(struct sim *s)
{
	size_t i, k;

	for (k = 0; k < s->nruns; k++) {
		for (i = 0; i < s->dag.ntasks; i++)
			drop(s->runs[k].paths[i].v);
		free(s->runs[k].paths);
		free(s->runs[k].tasks);
		free(s->runs[k].expect);
	}
	for (i = 0; i < s->dag.ntasks; i++) {
		drop(s->dag.tasks[i].name);
		free(s->dag.tasks[i].up);
		free(s->dag.tasks[i].down);
	}
	free(s->dag.tasks);
	free(s->dag.order);
	free(s->pos);
	vec_release(&s->works);
}
