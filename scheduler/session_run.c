/*
 * A run of the session: what its templates see, its way into the engine, its creation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/path.h"
#include "base/uuid.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/session_int.h"
#include "store/owner.h"
#include "tasks/schema/schema.h"

struct srun *
srun_new(struct session *s, const char *id, struct err *err)
{
	struct srun *r = calloc(1, sizeof(*r));
	size_t i, n = 0;

	if (r == NULL || (r->arena = arena_new(0)) == NULL) {
		free(r);
		err_nomem(err);
		return NULL;
	}
	r->s = s;
	r->owner_fd = -1;
	(void)snprintf(r->id, sizeof(r->id), "%s", id);
	for (i = 0; id[i] != '\0' && n < sizeof(r->trace) - 1; i++)
		if (id[i] != '-')
			r->trace[n++] = id[i];
	return r;
}

void
srun_free(struct srun *r)
{
	if (r == NULL)
		return;
	attempt_release_all(r);
	srun_let_go(r);
	map_release(&r->by_name);
	free(r->file);
	dag_free(r->own_dag);
	arena_free(r->arena);
	free(r);
}

/**
 * srun_let_go(r):
 * Give up the run's owner lock, if we have it.
 */
void
srun_let_go(struct srun *r)
{
	if (r->owner_fd != -1)
		owner_release(r->owner_fd);
	r->owner_fd = -1;
}

/**
 * srun_task(r, name):
 * Return the task of that name, or NULL.
 */
const struct dag_task *
srun_task(const struct srun *r, const char *name)
{
	return map_get(&r->by_name, name);
}

/* ---- what templates see ---- */

static int
output_get(void *ctx, uint32_t task, const char *key, const char **val, size_t *len)
{
	struct srun *r = ctx;

	return engine_outputs(r->s->engine, r->index, task, key, val, len);
}

static const char *
output_key(void *ctx, uint32_t task, size_t i)
{
	struct srun *r = ctx;

	return engine_output_key(r->s->engine, r->index, task, i);
}

static int64_t
prev_success(struct srun *r)
{
	struct meta_run_filter f = {.dag = r->dag->name,
				    .before = r->id,
				    .state = RUN_DONE,
				    .result = RUN_SUCCESS,
				    .limit = 1};
	struct meta_run *runs;
	size_t n;

	/* Where it cannot be read there is none: the value is None then, as on a first run. */
	if (meta_runs(r->s->meta, &f, r->arena, &runs, &n, NULL) != 0 || n == 0)
		return 0;
	return runs[0].logical_us;
}

/**
 * lock_path(a, input):
 * The path that is locked for ${input}: a glob stands for the directory above its first wildcard.
 * It lives in ${a}; NULL if memory runs out.
 */
const char *
lock_path(struct arena *a, const char *input)
{
	char *s = arena_strdup(a, input), *cut;

	if (s == NULL || !path_has_glob(s))
		return s;
	s[strcspn(s, "*?[")] = '\0';
	cut = strrchr(s, '/');
	if (cut == NULL)
		s[0] = '.', s[1] = '\0';
	else
		cut[cut == s] = '\0'; /* "/" stays */
	return s;
}

/* Paths of one task as rows. */
static int
lock_paths(struct srun *r, const struct dag_task *t, const struct render_paths *p,
	   struct engine_paths *out)
{
	struct meta_path *v =
	    arena_array(r->arena, p->ninputs + p->noutputs + p->ntargets + 1, sizeof(*v));
	size_t i, n = 0;

	if (v == NULL)
		return -1;
	for (i = 0; i < p->ninputs; i++) {
		const char *s = lock_path(r->arena, p->inputs[i]);

		if (s == NULL)
			return -1;
		v[n++] = (struct meta_path){.path = s};
	}
	for (i = 0; i < p->noutputs; i++)
		v[n++] = (struct meta_path){.path = p->outputs[i], .write = true};
	for (i = 0; i < p->ntargets && dag_brings(t); i++) {
		const char *s = dag_target_data(r->arena, p->targets[i]);

		if (s == NULL)
			return -1;
		v[n++] = (struct meta_path){.path = s, .write = true};
	}
	*out = (struct engine_paths){.v = v, .n = n};
	return 0;
}

/**
 * srun_values(r, params, err):
 * Fill what templates of the run see (its params from the JSON ${params}, or those it has
 * where NULL) and render the paths of all tasks.  Return 0 or -1.
 */
int
srun_values(struct srun *r, const char *params, struct err *err)
{
	size_t i, n = r->dag->ntasks;

	if (params != NULL &&
	    params_resolve(r->dag, r->arena, NULL, 0, params, &r->params, err) != 0)
		return -1;
	r->values.dag = r->dag;
	r->values.params = r->params;
	r->values.run_id = r->id;
	r->values.prev_success_us = prev_success(r);
	r->values.outputs =
	    (struct render_outputs){.ctx = r, .get = output_get, .key = output_key};
	r->paths = arena_array(r->arena, n + 1, sizeof(*r->paths));
	r->rpaths = arena_array(r->arena, n + 1, sizeof(*r->rpaths));
	r->rows = arena_array(r->arena, n + 1, sizeof(*r->rows));
	if (r->paths == NULL || r->rpaths == NULL || r->rows == NULL)
		return err_nomem(err);
	for (i = 0; i < n; i++) {
		struct dag_task *t = &r->dag->tasks[i];

		if (map_put(&r->by_name, t->name, t) < 0)
			return err_nomem(err);
		if (render_paths(&r->values, &r->dag->tasks[i], r->arena, &r->rpaths[i],
				 err) != 0)
			return -1;
		if (lock_paths(r, t, &r->rpaths[i], &r->paths[i]) != 0)
			return err_nomem(err);
	}
	return 0;
}

enum engine_decision
session_decide(void *ctx, void *run_ctx, uint32_t task, char *reason, size_t size)
{
	struct srun *r = run_ctx;
	const struct dag_task *t = &r->dag->tasks[task];
	struct arena *a = arena_new(0);
	struct render_task out;
	struct err err = {0};
	bool yes = true;
	int rc;

	(void)ctx;
	if (a == NULL) {
		(void)snprintf(reason, size, "out of memory");
		return DECIDE_FAIL;
	}
	rc = render_when(&r->values, t, a, &yes, &err);
	if (rc == 0 && yes)
		rc = render_task(&r->values, t, a, &out, &err);
	arena_free(a);
	if (rc != 0) {
		(void)snprintf(reason, size, "%s", err.msg);
		return DECIDE_FAIL;
	}
	if (yes)
		return DECIDE_RUN;
	(void)snprintf(reason, size, "`when` is false: %s",
		       t->when_src != NULL ? t->when_src : "");
	return DECIDE_SKIP;
}

void
session_wait_times(void *ctx, void *run_ctx, uint32_t task, int64_t *dur, int64_t *until)
{
	struct srun *r = run_ctx;
	struct arena *a = arena_new(0);
	struct render_task out;

	(void)ctx;
	*dur = *until = -1;
	if (a != NULL &&
	    render_task(&r->values, &r->dag->tasks[task], a, &out, NULL) == 0) {
		*dur = out.wait_us;
		*until = out.wait_until_us;
	}
	arena_free(a);
}

/* ---- into the engine ---- */

/**
 * srun_add(r, spec, err):
 * Give the run, whose values and rows are filled, to the engine and the session.  Return 0 or
 * -1; ${r} is the caller's to free as long as it is not the last of s->runs.
 */
int
srun_add(struct srun *r, const struct engine_run_spec *given, struct err *err)
{
	struct session *s = r->s;
	struct engine_run_spec spec = *given;
	uint32_t index;

	spec.ctx = r;
	spec.dag = r->dag;
	spec.id = r->id;
	spec.epoch = r->epoch;
	spec.paths = r->paths;
	spec.rows = r->rows;
	spec.settle = r->settle;
	spec.fail_fast = r->fail_fast;
	/* The engine asks about the run's tasks while it is added: its number is the next. */
	r->index = (uint32_t)s->runs.n;
	if (vec_push(&s->runs, r) != 0)
		return err_nomem(err);
	if (engine_add(s->engine, session_now(s), &spec, &index) != 0)
		return err_nomem(err);
	return 0;
}

/**
 * session_show_began(r):
 * Tell the observer, once, that the run is durable and about to work.
 */
void
session_show_began(struct srun *r)
{
	const struct session_observer *o = r->s->cfg.observer;
	struct session_run v;

	if (r->began_shown || o->run_began == NULL)
		return;
	r->began_shown = true;
	session_run_view(r->s, r->index, &v);
	o->run_began(o->ctx, &v);
}

/* ---- a new run ---- */

static int
create(struct srun *r, const struct session_request *q, struct err *err)
{
	struct session *s = r->s;
	const struct dag *g = q->dag;
	struct now now = session_now(s);
	struct meta_task_new *tasks =
	    arena_array(r->arena, g->ntasks + 1, sizeof(*tasks));
	struct buf params;
	char *options;
	size_t i;
	int rc;

	if (tasks == NULL)
		return err_nomem(err);
	for (i = 0; i < g->ntasks; i++) {
		tasks[i] = (struct meta_task_new){.name = g->tasks[i].name,
						  .map = -1,
						  .selected = q->selected == NULL ||
							      q->selected[i]};
		r->rows[i].selected = tasks[i].selected;
		if (!tasks[i].selected) {
			r->rows[i].state = TASK_DONE;
			r->rows[i].result = RESULT_SKIPPED;
			r->rows[i].reason = "not selected";
		}
	}
	buf_init(&params, 0);
	params_json(r->params, &params);
	options = options_put(q);
	if (options == NULL || buf_failed(&params)) {
		rc = err_nomem(err);
	} else {
		struct meta_run_new n = {
		    .id = r->id,
		    .dag = g->name,
		    .kind = "manual",
		    .logical_us = r->logical_us,
		    .interval_start_us = r->logical_us,
		    .interval_end_us = r->logical_us,
		    .partition = "",
		    .file = q->file,
		    .def_hash = g->hash,
		    .def_source = g->text,
		    .def_source_len = g->len,
		    .params = params.p,
		    .options = options,
		    .created_us = r->made_us,
		    .deadline_us = g->timeout_us > 0 ? now.wall_us + g->timeout_us : 0,
		    .tasks = tasks,
		    .ntasks = g->ntasks};
		struct engine_run_spec spec = {.started_us = now.wall_us,
					       .deadline_us = n.deadline_us};

		rc = meta_run_create(s->meta, &n, s->boot, err);
		fault_point(CREATED);
		r->epoch = 1;
		if (rc == 0)
			rc = srun_add(r, &spec, err);
	}
	free(options);
	buf_release(&params);
	return rc;
}

/*
 * A lock file says what a plain run makes: one about another day, or with params of its own, does
 * not write it.
 */
static bool
is_special(const struct session_request *q)
{
	struct arena *a = arena_new(0);
	struct jinja_dict *usual;
	struct buf own, plain;
	bool special = true;

	buf_init(&own, 0);
	buf_init(&plain, 0);
	if (a != NULL && params_resolve(q->dag, a, NULL, 0, NULL, &usual, NULL) == 0) {
		params_json(q->params, &own);
		params_json(usual, &plain);
		special = buf_failed(&own) || buf_failed(&plain) || own.n != plain.n ||
			  memcmp(own.p, plain.p, own.n) != 0;
	}
	buf_release(&own);
	buf_release(&plain);
	arena_free(a);
	return special || q->logical_us != 0;
}

int
session_run(struct session *s, const struct session_request *asked, char *id,
	    struct err *err)
{
	struct session_request own = *asked, *q = &own;
	int64_t made_us = session_now(s).wall_us;
	char new_id[META_RUN_ID];
	struct srun *r;

	if (uuid7(new_id, made_us) != 0)
		return err_set(err, ERR_SYS, "cannot make a run id: no randomness");
	own.how.no_lock = own.how.no_lock || (!pipeline_is(q->dag) && is_special(q));
	if (env_secrets_check(q->dag, q->selected, s->p->root, err) != 0 ||
	    (r = srun_new(s, new_id, err)) == NULL)
		return -1;
	r->made_us = made_us; /* runs are sought by time in their ids */
	r->dag = q->dag;
	r->params = (struct jinja_dict *)(uintptr_t)q->params;
	r->fail_fast = q->fail_fast;
	r->how = q->how;
	r->logical_us = q->logical_us != 0 ? q->logical_us : session_now(s).wall_us;
	r->values.logical_us = r->values.interval_start_us = r->values.interval_end_us =
	    r->logical_us;
	r->file = strdup(q->file);
	r->wants_git = true;
	session_git(s);
	if ((r->file == NULL && err_nomem(err) != 0) || srun_values(r, NULL, err) != 0 ||
	    session_cache_run(r, err) != 0 ||
	    (r->owner_fd = owner_take(s->p, new_id, err)) == -1 ||
	    create(r, q, err) != 0) {
		/* Once it is in s->runs it is the session's to free. */
		if (s->runs.n == 0 || s->runs.v[s->runs.n - 1] != r)
			srun_free(r);
		return -1;
	}
	memcpy(id, new_id, sizeof(new_id));
	session_ahead(r);
	session_git_known(s);
	session_hold(r);
	session_show_began(r);
	return 0;
}
