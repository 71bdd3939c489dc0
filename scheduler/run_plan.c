#include "scheduler/run_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "scheduler/cache_job.h"
#include "scheduler/cache_lock.h"
#include "scheduler/cache_pool.h"
#include "scheduler/outputs_files.h"
#include "store/meta.h"
#include "store/project.h"

/* The task that is looked at. */
struct look {
	struct run_plan *p;
	const struct dag_task *t;
	struct plan_task *k;
	/* Whose outputs it reads that nobody knows yet, and one of them; NULL: all is known. */
	const struct dag_task *maker;
	const char *path;
	struct err *err;
};

static const bool never;

static int
say(struct look *l, enum plan_state state, const char *why)
{
	if (why == NULL)
		return err_nomem(l->err);
	l->k->state = state;
	l->k->why = why;
	return 0;
}

static bool
is_cached(const struct run_plan_ask *ask, const struct dag_task *t)
{
	return t->stage != NULL || (t->cached && !ask->how.no_cache);
}

/* ---- those before it ---- */

/* The next task that it follows, from the ${i}-th on, which is part of the run; or NULL. */
static const struct dag_task *
next_up(const struct look *l, size_t *i)
{
	const struct run_plan_ask *ask = &l->p->ask;

	while (*i < l->t->nup) {
		uint32_t id = l->t->up[(*i)++];

		if (ask->selected[id])
			return &ask->dag->tasks[id];
	}
	return NULL;
}

static bool
is_open(enum plan_state s)
{
	return s == PLAN_RUN || s == PLAN_MAY;
}

/* What ${u} makes of ${path}: 0: nothing new; 1: the object ${id}; 2: nobody knows. */
static int
made_by(struct look *l, const struct dag_task *u, const char *path, struct object_id *id)
{
	const struct plan_task *k = &l->p->tasks[u->id];
	const struct render_paths *p = &k->paths;

	if (!is_open(k->state) && k->outs == NULL)
		return 0;
	for (size_t i = 0; i < p->noutputs; i++) {
		if (!path_overlap(p->outputs[i], path))
			continue;
		if (is_open(k->state) || strcmp(p->outputs[i], path) != 0 ||
		    !object_id_is_set(&k->outs[i]))
			return 2;
		*id = k->outs[i];
		return 1;
	}
	for (size_t i = 0; dag_brings(u) && i < p->ntargets; i++) {
		const char *data = dag_target_data(l->p->arena, p->targets[i]);

		if (data == NULL || path_overlap(data, path))
			return 2;
	}
	return dag_brings(u) && p->ntargets == 0 ? 2 : 0;
}

/* As struct stage_run's `coming`. */
static int
coming(void *arg, const char *path, struct object_id *id)
{
	struct look *l = arg;
	const struct dag_task *u;
	size_t i = 0;
	int is;

	while ((u = next_up(l, &i)) != NULL) {
		is = made_by(l, u, path, id);
		if (is == 2 && l->maker == NULL) {
			l->maker = u;
			l->path = arena_strdup(l->p->arena, path);
		}
		if (is != 0)
			return is;
	}
	return 0;
}

/* A glob stands for what lies below the directory before its first wildcard. */
static int
coming_input(struct look *l, const char *path)
{
	struct object_id id;
	char *dir, *cut;
	int is;

	if (!path_has_glob(path))
		return coming(l, path, &id);
	dir = arena_strdup(l->p->arena, path);
	if (dir == NULL)
		return 2;
	dir[strcspn(dir, "*?[")] = '\0';
	cut = strrchr(dir, '/');
	if (cut == NULL)
		dir[0] = '.', dir[1] = '\0';
	else
		cut[cut == dir] = '\0';
	is = coming(l, dir, &id);
	return is == 1 ? 2 : is;
}

/* ---- values ---- */

static const struct plan_task *
ended(void *ctx, uint32_t task)
{
	struct run_plan *p = ctx;
	const struct plan_task *k = &p->tasks[task];

	return p->ask.selected[task] && k->values_known ? k : NULL;
}

static int
output_get(void *ctx, uint32_t task, const char *key, const char **val, size_t *len)
{
	const struct plan_task *k = ended(ctx, task);

	if (k == NULL)
		return -1;
	for (size_t i = 0; i < k->nvalues; i++)
		if (strcmp(k->values[i].key, key) == 0) {
			*val = k->values[i].val;
			*len = k->values[i].len;
			return 1;
		}
	return 0;
}

static const char *
output_key(void *ctx, uint32_t task, size_t i)
{
	const struct plan_task *k = ended(ctx, task);

	return k != NULL && i < k->nvalues ? k->values[i].key : NULL;
}

/* One before it whose values nobody knows; NULL: all are known. */
static const struct dag_task *
open_up(const struct look *l)
{
	const struct dag_task *u;
	size_t i = 0;

	while ((u = next_up(l, &i)) != NULL)
		if (is_open(l->p->tasks[u->id].state))
			return u;
	return NULL;
}

/* Return 0; 1 where it depends on what is not known, or cannot be. */
static int
render(struct look *l)
{
	struct plan_task *k = l->k;
	const struct dag_task *u = open_up(l);
	struct arena *a = l->p->arena;
	struct err err = {0};

	if (render_paths(&l->p->values, l->t, a, &k->paths, NULL) != 0)
		k->paths = (struct render_paths){0};
	k->when_known = render_when(&l->p->values, l->t, a, &k->when, &err) == 0;
	if (k->when_known)
		k->rendered = render_task(&l->p->values, l->t, a, &k->task, &err) == 0;
	else
		k->rendered = render_task(&l->p->values, l->t, a, &k->task, NULL) == 0;
	if (k->when_known && (k->rendered || !k->when))
		return 0;
	/* It runs whatever they are. */
	if (u != NULL && k->when_known && !is_cached(&l->p->ask, l->t))
		return 0;
	if (u == NULL)
		return say(l, PLAN_FAIL, arena_strdup(a, err.msg)) != 0 ? -1 : 1;
	if (!k->when_known) {
		k->may_skip = true;
		return say(l, PLAN_MAY,
			   arena_printf(a, "its `when` is known when `%s` has ended",
					u->name)) != 0
			   ? -1
			   : 1;
	}
	return say(l, PLAN_MAY, arena_printf(a, "it uses values of `%s`", u->name)) != 0
		   ? -1
		   : 1;
}

/* ---- triggers ---- */

static bool
needs_success(enum trigger_rule rule)
{
	return rule == TRIGGER_ALL_SUCCESS || rule == TRIGGER_NONE_FAILED ||
	       rule == TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS;
}

static bool
is_skipped_after(enum trigger_rule rule)
{
	return rule == TRIGGER_ALL_SUCCESS || rule == TRIGGER_NONE_SKIPPED;
}

/* Rules by which a task runs because something has failed, or was skipped. */
static bool
looks_at_failures(enum trigger_rule rule)
{
	return rule == TRIGGER_ALL_FAILED || rule == TRIGGER_ONE_FAILED ||
	       rule == TRIGGER_ALL_SKIPPED;
}

/* What becomes of it because of those before it.  Return 1 if that is all there is to say. */
static int
follow(struct look *l)
{
	enum trigger_rule rule = l->t->trigger;
	struct arena *a = l->p->arena;
	const struct dag_task *u;
	const char *why = NULL;
	size_t i = 0;

	while ((u = next_up(l, &i)) != NULL) {
		const struct plan_task *k = &l->p->tasks[u->id];

		if (k->state == PLAN_FAIL && needs_success(rule) && !u->allow_failure) {
			why =
			    arena_printf(a, "it follows `%s`, which cannot run", u->name);
			return say(l, PLAN_FAIL, why) != 0 ? -1 : 1;
		}
		if (k->state == PLAN_SKIP && is_skipped_after(rule)) {
			why =
			    arena_printf(a, "it follows `%s`, which is skipped", u->name);
			return say(l, PLAN_SKIP, why) != 0 ? -1 : 1;
		}
		l->k->may_skip =
		    l->k->may_skip || (k->may_skip && is_skipped_after(rule));
	}
	return 0;
}

/* ---- one that is not cached ---- */

static const char *
why_always(const struct run_plan_ask *ask, const struct dag_task *t)
{
	if (ask->how.no_cache && t->cached)
		return "--no-cache: nothing counts as unchanged";
	if (t->noutputs == 0)
		return "it has no outputs, so it runs always";
	if (t->cache == CACHE_NO)
		return "it is not cached, so it runs always";
	return "its `trigger` looks at failures, so it runs always";
}

static int
plan_uncached(struct look *l)
{
	const struct dag_task *t = l->t;

	if (t->nup > 0 && looks_at_failures(t->trigger))
		return say(l, PLAN_MAY,
			   arena_printf(l->p->arena, "its `trigger` is %s",
					trigger_rule_name(t->trigger)));
	return say(l, PLAN_RUN, why_always(&l->p->ask, t));
}

/* ---- one that is ---- */

/* Whether a difference stays whatever those before it make. */
static bool
is_certain(struct look *l, const struct stage_reason *r)
{
	struct object_id id;

	return r->kind != STAGE_PARAM || r->path == NULL || r->path[0] == ':' ||
	       coming(l, r->path, &id) == 0;
}

static enum plan_state
state_of(enum stage_verdict v)
{
	switch (v) {
	case STAGE_RUN:
		return PLAN_RUN;
	case STAGE_UNCHANGED:
		return PLAN_UNCHANGED;
	case STAGE_RESTORE:
	case STAGE_FROM_RUN_CACHE:
		return PLAN_RESTORE;
	case STAGE_FROZEN:
		return PLAN_FROZEN;
	}
	return PLAN_RUN;
}

static int
say_reader(struct look *l)
{
	const struct dag_task *u = l->maker;

	return say(l, PLAN_MAY,
		   l->path == NULL
		       ? NULL
		       : arena_printf(l->p->arena, "it reads '%s', which `%s` makes",
				      l->path, u->name));
}

/* What there is of its outputs is its result: all of them must be there. */
static int
plan_frozen(struct look *l, const struct cache_look *c)
{
	const struct dag_how *how = &l->p->ask.how;
	const struct render_paths *p = &l->k->paths;
	struct err err;

	for (size_t i = 0; !how->pull && !how->allow_missing && i < p->noutputs; i++)
		if (input_present(l->p->ask.project, p->outputs[i], &never, &err) != 0)
			return say(l, PLAN_FAIL,
				   arena_printf(l->p->arena,
						"it is frozen, and its output '%s' does "
						"not exist",
						p->outputs[i]));
	return say(l, PLAN_FROZEN, c->n > 0 ? c->why : "it is frozen");
}

static int
take_look(struct look *l, const struct cache_look *c)
{
	struct plan_task *k = l->k;
	bool certain = false;

	k->v = c->v;
	k->n = c->n;
	if (l->t->frozen || (l->t->stage != NULL && l->t->stage->stage->frozen))
		return plan_frozen(l, c);
	for (size_t i = 0; i < c->n && !certain; i++)
		certain = is_certain(l, &c->v[i]);
	if (l->maker != NULL && !(certain && c->verdict == STAGE_RUN))
		return say_reader(l);
	if (l->maker == NULL && c->verdict == STAGE_RUN && c->lacks != NULL)
		return say(l, PLAN_FAIL, c->lacks);
	k->outs = c->outs;
	k->values = c->values;
	k->nvalues = c->nvalues;
	k->values_known = c->verdict != STAGE_RUN;
	return say(l, state_of(c->verdict), c->why);
}

static int
new_job(struct look *l, struct err *err)
{
	struct run_plan *p = l->p;
	struct cache_ask ask = {.pool = p->pool,
				.project = p->ask.project,
				.dag = p->ask.dag->name,
				.task = l->t,
				.values = &p->values,
				.paths = &l->k->paths,
				.lock = p->lock,
				.how = p->ask.how,
				.stop = &never,
				.coming = coming,
				.coming_arg = l};
	const struct dag_task *u;
	size_t i = 0;

	while (p->ask.how.force_downstream && (u = next_up(l, &i)) != NULL)
		ask.force = ask.force || p->tasks[u->id].state == PLAN_RUN;
	return cache_job_new(&ask, &l->k->job, err);
}

static int
plan_cached(struct look *l)
{
	struct err err = {0};
	struct cache_look c;

	for (size_t i = 0; i < l->k->paths.ninputs; i++)
		(void)coming_input(l, l->k->paths.inputs[i]);
	for (size_t i = 0; i < l->k->paths.ncode; i++)
		(void)coming_input(l, l->k->paths.code[i]);
	if (new_job(l, &err) == 0 && cache_job_look(l->k->job, l->p->meta, &c, &err) == 0)
		return take_look(l, &c);
	if (err.code == ERR_NOMEM || err.code == ERR_CANCELLED) {
		*l->err = err;
		return -1;
	}
	/* A file that is yet to come may be in the way. */
	if (l->maker != NULL)
		return say_reader(l);
	return say(l, PLAN_FAIL, arena_strdup(l->p->arena, err.msg));
}

/* ---- any ---- */

/* Its inputs must be there when it is its turn; where they may be missing, when it is to ${run}.  1
 * where one is not. */
static int
look_for_inputs(struct look *l, bool run)
{
	const struct dag_how *how = &l->p->ask.how;
	const struct dag_task *t = l->t;
	const struct render_paths *p = &l->k->paths;
	struct err err;

	if (t->frozen || (t->stage != NULL && t->stage->stage->frozen) || how->pull ||
	    run != how->allow_missing)
		return 0;
	for (size_t i = 0; i < p->ninputs; i++) {
		if (coming_input(l, p->inputs[i]) != 0)
			continue;
		if (input_present(l->p->ask.project, p->inputs[i], &never, &err) != 0)
			return say(l, PLAN_FAIL, arena_strdup(l->p->arena, err.msg)) != 0
				   ? -1
				   : 1;
	}
	return 0;
}

static int
plan_task(struct run_plan *p, const struct dag_task *t, struct err *err)
{
	struct look l = {.p = p, .t = t, .k = &p->tasks[t->id], .err = err};
	int rc = render(&l);

	if (rc < 0)
		return -1;
	if (l.k->when_known && !l.k->when)
		return say(&l, PLAN_SKIP,
			   arena_printf(p->arena, "`when` is false: %s",
					t->when_src != NULL ? t->when_src : ""));
	rc = rc == 0 || l.k->state == PLAN_MAY ? follow(&l) : 1;
	if (rc == 0 && l.k->why == NULL)
		rc = look_for_inputs(&l, false);
	if (rc != 0 || l.k->why != NULL)
		return rc < 0 ? -1 : 0;
	rc = is_cached(&p->ask, t) ? plan_cached(&l) : plan_uncached(&l);
	if (rc == 0 && l.k->state == PLAN_RUN && look_for_inputs(&l, true) < 0)
		rc = -1;
	if (rc == 0 && l.k->state == PLAN_RUN && l.k->may_skip) {
		l.k->state = PLAN_MAY;
		l.k->why = "it follows a task that may be skipped";
	}
	return rc;
}

/* ---- the whole ---- */

/* The database, where there is one that can be read. */
static void
open_meta(struct run_plan *p)
{
	struct meta_run_filter f = {.dag = p->ask.dag->name,
				    .state = RUN_DONE,
				    .result = RUN_SUCCESS,
				    .limit = 1};
	struct meta_run *runs;
	size_t n;

	if (p->ask.project->state_fd < 0 ||
	    meta_open(p->ask.project, META_READ, &p->meta, NULL) != 0) {
		p->meta = NULL;
		return;
	}
	if (meta_runs(p->meta, &f, p->arena, &runs, &n, NULL) == 0 && n > 0)
		p->values.prev_success_us = runs[0].logical_us;
}

static int
plan(struct run_plan *p, struct err *err)
{
	const struct dag *g = p->ask.dag;

	p->tasks = arena_array(p->arena, g->ntasks + 1, sizeof(*p->tasks));
	p->pool = cache_pool_new(p->ask.project, true);
	p->lock = cache_lock_beside(p->arena, p->ask.file);
	if (p->tasks == NULL || p->pool == NULL || p->lock == NULL)
		return err_nomem(err);
	p->values = (struct run_values){.dag = g,
					.params = p->ask.params,
					.run_id = "00000000-0000-7000-8000-000000000000",
					.logical_us = p->ask.logical_us,
					.interval_start_us = p->ask.logical_us,
					.interval_end_us = p->ask.logical_us,
					.outputs = {p, output_get, output_key}};
	open_meta(p);
	for (size_t i = 0; i < g->ntasks; i++)
		if (p->ask.selected[g->order[i]] &&
		    plan_task(p, &g->tasks[g->order[i]], err) != 0)
			return -1;
	return 0;
}

int
run_plan_make(const struct run_plan_ask *ask, struct run_plan **out, struct err *err)
{
	struct run_plan *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL || (p->arena = arena_new(0)) == NULL) {
		free(p);
		return err_nomem(err);
	}
	p->ask = *ask;
	if (plan(p, err) != 0) {
		run_plan_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void
run_plan_free(struct run_plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; p->tasks != NULL && i < p->ask.dag->ntasks; i++)
		cache_job_free(p->tasks[i].job);
	cache_pool_free(p->pool);
	meta_close(p->meta);
	arena_free(p->arena);
	free(p);
}

const char *
plan_state_name(enum plan_state s)
{
	static const char *const names[] = {
	    [PLAN_RUN] = "run",
	    [PLAN_MAY] = "may_run",
	    [PLAN_UNCHANGED] = "unchanged",
	    [PLAN_RESTORE] = "restored",
	    [PLAN_FROZEN] = "frozen",
	    [PLAN_SKIP] = "skipped",
	    [PLAN_FAIL] = "fails",
	};

	return names[s];
}
