/*
 * Random DAGs and worlds.  A world is made whole from its seed; then what a cut leaves out of it
 * is taken away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "tasks/schema/schema.h"

static const struct task_type exec_type = {.name = "shell", .kind = TASK_EXEC};
static const struct task_type wait_type = {.name = "wait", .kind = TASK_ENGINE};

/* A task in one run. */
struct made_inst {
	bool selected, when, broken;
	unsigned fails;
	size_t npaths;
	const char *paths[2];
};

struct made_task {
	struct dag_task t;
	int64_t wait_us;
	struct made_inst in[SIM_RUNS_MAX];
};

/* The world before the cut. */
struct made {
	uint32_t n;
	struct made_task tasks[SIM_TASKS_MAX];
	bool edge[SIM_TASKS_MAX][SIM_TASKS_MAX]; /* of the later to the earlier */
};

static uint32_t
cut_of(const struct sim *s, uint32_t id)
{
	return s->cut != NULL ? s->cut->task[id] : 0;
}

static uint32_t
cut_all(const struct sim *s)
{
	return s->cut != NULL ? s->cut->all : 0;
}

/* ---- all of it ---- */

static void
make_inst(struct sim *s, const struct dag_task *t, struct made_inst *in, bool choosy,
	  unsigned failing)
{
	static const char *const pool[] = {"a", "a/b", "a/b/c", "d", "e", "e/f"};
	size_t i, n;

	in->selected = !choosy || !sim_once_in(s, 4);
	in->when = !sim_once_in(s, 8);
	in->broken = sim_once_in(s, 40);
	in->fails = sim_once_in(s, failing) ? (unsigned)sim_rand(s, 4) : 0;
	n = t->ninputs + t->noutputs > 0 && sim_once_in(s, 3) ? 1 + sim_rand(s, 2) : 0;
	for (i = 0; i < n; i++)
		in->paths[i] = pool[sim_rand(s, 6)];
	in->npaths = n;
}

static void
make_task(struct sim *s, struct made_task *m, unsigned odd_rules)
{
	struct dag_task *t = &m->t;

	t->type = sim_once_in(s, 12) ? &wait_type : &exec_type;
	t->trigger = sim_once_in(s, odd_rules)
			 ? (enum trigger_rule)sim_rand(s, TRIGGER_RULES)
			 : TRIGGER_ALL_SUCCESS;
	t->retries = (uint32_t)sim_rand(s, sim_once_in(s, 8) ? 6 : 3);
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
	m->wait_us = sim_once_in(s, 2) ? -1 : (int64_t)sim_rand(s, 3000000);
}

enum shape { SHAPE_RANDOM, SHAPE_CHAIN, SHAPE_LAYERS, SHAPE_FAN, SHAPES };

static void
make_edges(struct sim *s, struct made *m)
{
	enum shape shape =
	    sim_once_in(s, 2) ? SHAPE_RANDOM : (enum shape)sim_rand(s, SHAPES);
	uint32_t i, k, density = 1 + (uint32_t)sim_rand(s, 4);
	uint32_t width = 2 + (uint32_t)sim_rand(s, 6);

	for (i = 1; i < m->n; i++)
		for (k = 0; k < i; k++)
			switch (shape) {
			case SHAPE_RANDOM:
			case SHAPES:
				m->edge[i][k] = sim_rand(s, i + 2) < density;
				break;
			case SHAPE_CHAIN:
				m->edge[i][k] = k + 1 == i || sim_once_in(s, 50);
				break;
			case SHAPE_LAYERS:
				m->edge[i][k] =
				    k / width + 1 == i / width && sim_once_in(s, 2);
				break;
			case SHAPE_FAN:
				m->edge[i][k] = k == 0 || i + 1 == m->n;
				break;
			}
}

static uint32_t
size_of_world(struct sim *s, unsigned max)
{
	static const unsigned sizes[] = {4, 8, 8, 12, 20, 40, 90, SIM_TASKS_MAX};
	unsigned size = sizes[sim_rand(s, 8)];

	return 1 + (uint32_t)sim_rand(s, size < max ? size : max);
}

static void
make_all(struct sim *s, struct made *m, unsigned max)
{
	unsigned odd_rules = 1 + (unsigned)sim_rand(s, 4);
	unsigned failing = 2 + (unsigned)sim_rand(s, 4);
	uint32_t i, k;

	m->n = size_of_world(s, max);
	for (i = 0; i < m->n; i++)
		make_task(s, &m->tasks[i], odd_rules);
	make_edges(s, m);
	for (k = 0; k < SIM_RUNS_MAX; k++) {
		bool choosy = sim_once_in(s, 5);

		for (i = 0; i < m->n; i++)
			make_inst(s, &m->tasks[i].t, &m->tasks[i].in[k], choosy, failing);
	}
}

/* ---- what is left of it ---- */

/* Take from the whole task what the cut leaves out. */
static void
plain(struct made_task *m, uint32_t cut)
{
	struct made_inst *in;

	if (cut & CUT_WAIT)
		m->t.type = &exec_type;
	if (cut & CUT_TRIGGER)
		m->t.trigger = TRIGGER_ALL_SUCCESS;
	if (cut & CUT_RETRIES)
		m->t.retries = 0;
	if (cut & CUT_FILES)
		m->t.ninputs = m->t.noutputs = 0;
	if (cut & CUT_RANK) {
		m->t.priority = 0;
		m->t.allow_failure = false;
	}
	for (in = m->in; in < m->in + SIM_RUNS_MAX; in++) {
		if (cut & CUT_PATHS)
			in->npaths = 0;
		if (cut & CUT_FAILS)
			in->fails = 0;
		if (cut & CUT_CHOICE) {
			in->selected = in->when = true;
			in->broken = false;
		}
	}
}

static void
copy_tasks(struct sim *s, struct made *m)
{
	struct dag *g = &s->dag;
	uint32_t i, k, to, n = m->n;

	g->tasks = sim_alloc(n, sizeof(*g->tasks));
	s->ids = sim_alloc(n, sizeof(*s->ids));
	s->wait_us = sim_alloc(n, sizeof(*s->wait_us));
	for (i = 0; i < n; i++) {
		struct dag_task *t = &g->tasks[g->ntasks];
		char *name;

		if (cut_of(s, i) & CUT_GONE)
			continue;
		plain(&m->tasks[i], cut_of(s, i));
		*t = m->tasks[i].t;
		if (cut_all(s) & CUT_MEMORY)
			t->memory = 0;
		t->id = (uint32_t)g->ntasks;
		t->name = name = sim_alloc(16, 1);
		(void)snprintf(name, 16, "t%u", i);
		t->up = sim_alloc(n, sizeof(uint32_t));
		t->down = sim_alloc(n, sizeof(uint32_t));
		s->wait_us[g->ntasks] = m->tasks[i].wait_us;
		s->ids[g->ntasks++] = i;
	}
	for (to = 1; to < g->ntasks; to++)
		for (k = 0; k < to; k++) {
			struct dag_task *t = &g->tasks[to], *u = &g->tasks[k];

			if (!m->edge[s->ids[to]][s->ids[k]] ||
			    (cut_of(s, s->ids[to]) & CUT_UPS))
				continue;
			t->up[t->nup++] = k;
			u->down[u->ndown++] = to;
		}
}

/* Any order in which upstreams come first. */
static void
make_order(struct sim *s, bool swap)
{
	struct dag *g = &s->dag;
	uint32_t n = (uint32_t)g->ntasks, i;

	g->order = sim_alloc(n, sizeof(*g->order));
	s->pos = sim_alloc(n, sizeof(*s->pos));
	for (i = 0; i < n; i++)
		g->order[i] = i;
	for (i = 0; swap && i + 1 < n; i++) {
		uint32_t a = g->order[i], b = g->order[i + 1];
		bool edge = false;

		for (size_t k = 0; k < g->tasks[b].nup; k++)
			edge |= g->tasks[b].up[k] == a;
		if (!edge && sim_fate(s, s->runs, a, b, 1) % 2 == 0) {
			g->order[i] = b;
			g->order[i + 1] = a;
		}
	}
	for (i = 0; i < n; i++)
		s->pos[g->order[i]] = i;
}

static void
make_run(struct sim *s, const struct made *m, uint32_t index)
{
	struct sim_run *r = &s->runs[s->nruns];
	uint32_t n = (uint32_t)s->dag.ntasks, i, k;

	r->tasks = sim_alloc(n, sizeof(*r->tasks));
	r->paths = sim_alloc(n, sizeof(*r->paths));
	r->made = index;
	(void)snprintf(r->id, sizeof(r->id), "run-%u", index);
	for (i = 0; i < n; i++) {
		struct sim_task *t = &r->tasks[i];
		const struct made_inst *in = &m->tasks[s->ids[i]].in[index];
		struct meta_path *p = NULL;

		t->selected = in->selected;
		if (!t->selected) {
			t->state = TASK_DONE;
			t->result = RESULT_SKIPPED;
		}
		t->when = in->when;
		t->broken = in->broken;
		t->fails = in->fails;
		if (s->dag.tasks[i].type == &wait_type || in->npaths == 0)
			continue;
		p = sim_alloc(in->npaths, sizeof(*p));
		for (k = 0; k < in->npaths; k++) {
			p[k].path = in->paths[k];
			p[k].write = s->dag.tasks[i].noutputs > 0;
		}
		r->paths[i] = (struct engine_paths){.v = p, .n = in->npaths};
	}
}

/**
 * sim_make(s, max):
 * A world with one DAG of at most ${max} tasks and up to three runs of it.
 */
void
sim_make(struct sim *s, unsigned max)
{
	static const unsigned troubles[] = {40, 100, 250, 1000};
	struct made *m = sim_alloc(1, sizeof(*m));
	unsigned nruns, i;
	bool swap;

	s->rng = s->seed;
	s->now.wall_us = 1700000000000000;
	s->now.mono_us = 5000000;
	s->dag.name = "sim";
	s->memory = sim_once_in(s, 3) ? 1 + (int64_t)sim_rand(s, 10) : 0;
	make_all(s, m, max);
	copy_tasks(s, m);
	swap = sim_once_in(s, 2);
	make_order(s, swap && !(cut_all(s) & CUT_ORDER));
	s->dag.max_active_tasks = sim_once_in(s, 4) ? 1 + (uint32_t)sim_rand(s, 4) : 0;
	s->dag.timeout_us = sim_once_in(s, 6) ? 1 + (int64_t)sim_rand(s, 20000000) : 0;
	s->trouble = troubles[sim_rand(s, 4)];
	s->nowners = s->made_owners = 1 + (unsigned)sim_rand(s, SIM_OWNERS_MAX);
	s->slow = !sim_once_in(s, 8) && !(cut_all(s) & CUT_HASTE);
	nruns = s->made_runs = 1 + (unsigned)sim_rand(s, SIM_RUNS_MAX);
	if (cut_all(s) & CUT_MAX_ACTIVE)
		s->dag.max_active_tasks = 0;
	if (cut_all(s) & CUT_MEMORY)
		s->memory = 0;
	if (cut_all(s) & CUT_TIMEOUT)
		s->dag.timeout_us = 0;
	if (cut_all(s) & CUT_OWNERS)
		s->nowners = 1;
	for (i = 0; i < nruns; i++) {
		uint32_t cut = s->cut != NULL ? s->cut->run[i] : 0;
		struct sim_run *r = &s->runs[s->nruns];

		r->fail_fast = sim_once_in(s, 6) && !(cut & CUT_FAIL_FAST);
		r->rounds = (unsigned)sim_rand(s, SIM_ROUNDS_MAX);
		if (cut & CUT_AGAIN)
			r->rounds = 0;
		if (cut & CUT_GONE)
			continue;
		make_run(s, m, i);
		s->nruns++;
	}
	free(m);
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
	for (i = 0; i < SIM_OWNERS_MAX; i++) {
		engine_free(s->owners[i].e);
		vec_release(&s->owners[i].works);
	}
	free(s->dag.tasks);
	free(s->dag.order);
	free(s->pos);
	free(s->ids);
	free(s->wait_us);
}

/* ---- shown ---- */

static void
show_task(const struct sim *s, uint32_t i)
{
	const struct dag_task *t = &s->dag.tasks[i];
	uint32_t k, p;

	(void)printf("  %-5s", t->name);
	if (t->type == &wait_type && s->wait_us[i] < 0)
		(void)printf(" waits until +3 s");
	else if (t->type == &wait_type)
		(void)printf(" waits for %.3f s", (double)s->wait_us[i] / 1e6);
	for (k = 0; k < t->nup; k++)
		(void)printf("%s%s", k == 0 ? " after " : ", ",
			     s->dag.tasks[t->up[k]].name);
	if (t->trigger != TRIGGER_ALL_SUCCESS)
		(void)printf(" trigger %s", trigger_rule_name(t->trigger));
	if (t->retries > 0)
		(void)printf(" retries %u (delay %lld s x %.1f, on 0x%x)", t->retries,
			     (long long)(t->retry_delay_us / 1000000), t->retry_backoff,
			     t->retry_on);
	if (t->ninputs + t->noutputs > 0)
		(void)printf(" with files");
	if (t->allow_failure)
		(void)printf(" allow_failure");
	if (t->priority != 0)
		(void)printf(" priority %d", t->priority);
	for (k = 0; k < s->nruns; k++) {
		const struct sim_task *in = &s->runs[k].tasks[i];
		const struct engine_paths *paths = &s->runs[k].paths[i];

		(void)printf("; %s:%s%s%s", s->runs[k].id,
			     in->selected ? "" : " not selected",
			     in->when ? "" : " when false", in->broken ? " broken" : "");
		if (in->fails > 0)
			(void)printf(" fails %u times", in->fails);
		for (p = 0; p < paths->n; p++)
			(void)printf(" %s %s", paths->v[p].write ? "writes" : "reads",
				     paths->v[p].path);
	}
	(void)printf("\n");
}

/**
 * sim_show(s):
 * Print what the world is made of.
 */
void
sim_show(const struct sim *s)
{
	uint32_t i;

	(void)printf("world of seed %llu: %zu tasks, %u runs, at most %u owners",
		     (unsigned long long)s->seed, s->dag.ntasks, s->nruns, s->nowners);
	if (s->dag.max_active_tasks != 0)
		(void)printf(", max_active_tasks %u", s->dag.max_active_tasks);
	if (s->dag.timeout_us != 0)
		(void)printf(", timeout %.3f s", (double)s->dag.timeout_us / 1e6);
	for (i = 0; i < s->nruns; i++)
		if (s->runs[i].fail_fast)
			(void)printf(", %s with --fail-fast", s->runs[i].id);
	(void)printf("\n");
	for (i = 0; i < s->dag.ntasks; i++)
		show_task(s, i);
}
