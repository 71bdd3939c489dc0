/*
 * Runs of earlier owners: resumed, retried, cancelled, or only settled (session_settle.c).  The owner's lock
 * comes first, then the rows are read and the epoch raised: nobody else writes them from then
 * on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/fault.h"
#include "base/suggest.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/select.h"
#include "scheduler/session_int.h"
#include "store/owner.h"
#include "tasks/schema/schema.h"

#define ODD_MAX 8 /* tasks that are named in a message */

static int
busy(struct session *s, const char *run, struct err *err)
{
	struct owner_info o;

	if (owner_look(s->p, run, &o, NULL) != 0 || !o.held)
		return err_set(err, ERR_BUSY, "run %s has an owner already", run);
	if (o.state == 'T')
		return err_set(err, ERR_BUSY,
			       "run %s is owned by process %ld, which is stopped: `kill "
			       "-CONT %ld` lets it "
			       "go on",
			       run, (long)o.pid, (long)o.pid);
	if (o.pid == 0) /* it has just been taken */
		return err_set(
		    err, ERR_BUSY,
		    "run %s is owned by another process, which is at work on it", run);
	return err_set(err, ERR_BUSY,
		       "run %s is owned by process %ld, which is at work on it", run,
		       (long)o.pid);
}

static int
load_definition(struct srun *r, const struct meta_run *m, struct err *err)
{
	struct diag *d = diag_new();
	const char *text;
	size_t len;
	int rc;

	if (d == NULL)
		return err_nomem(err);
	rc = meta_definition(r->s->meta, m->def_hash, r->arena, &text, &len, err);
	if (rc == 0)
		rc = definition_read(r->s->p->root, m->file, text, len, d, &r->own_dag,
				     err);
	diag_free(d);
	if (rc == 0 && r->own_dag == NULL)
		rc = err_set(err, ERR_CORRUPT,
			     "the definition of run %s is no longer a valid DAG for "
			     "this version of dag",
			     r->id);
	if (rc != 0)
		return -1;
	r->dag = r->own_dag;
	return 0;
}

/* The names in one list that are not in the other, as "`a`, `b` WHAT"; at most a few. */
struct odd {
	struct buf b;
	size_t n;
};

static void
odd_add(struct odd *o, const char *name, const char *what)
{
	if (o->n++ < ODD_MAX)
		buf_addf(&o->b, "%s`%s` is %s", o->n > 1 ? ", " : "", name, what);
	else if (o->n == ODD_MAX + 1)
		buf_adds(&o->b, " ...");
}

/* A run goes on by another definition only with the same tasks. */
static int
take_latest(struct srun *r, const struct meta_run *m, const struct dag *g,
	    struct err *err)
{
	struct meta_task *tasks;
	struct map names = {0};
	struct odd odd = {.n = 0};
	size_t i, n;
	int rc = 0;

	r->dag = g;
	if (strcmp(g->name, m->dag) != 0)
		return err_set(err, ERR_INVALID,
			       "%s is the DAG %s now, run %s is one of %s; 'dag run %s' "
			       "starts a new run",
			       g->file, g->name, r->id, m->dag, g->name);
	if (meta_tasks(r->s->meta, r->id, r->arena, &tasks, &n, err) != 0)
		return -1;
	buf_init(&odd.b, 0);
	for (i = 0; i < n && rc == 0; i++) {
		rc = map_put(&names, tasks[i].name, &tasks[i]) < 0 ? err_nomem(err) : 0;
		if (dag_task_find(g, tasks[i].name) == NULL)
			odd_add(&odd, tasks[i].name, "gone");
	}
	for (i = 0; i < g->ntasks; i++)
		if (map_get(&names, g->tasks[i].name) == NULL)
			odd_add(&odd, g->tasks[i].name, "new");
	if (rc == 0 && odd.n > 0)
		rc = err_set(err, ERR_INVALID,
			     "the tasks of %s are not those of run %s any more: %s; "
			     "'dag run %s' starts a new run",
			     g->file, r->id, odd.b.p, g->name);
	buf_release(&odd.b);
	map_release(&names);
	return rc;
}

static int
read_rows(struct srun *r, struct err *err)
{
	struct meta_task *tasks;
	size_t i, n;

	if (meta_tasks(r->s->meta, r->id, r->arena, &tasks, &n, err) != 0)
		return -1;
	for (i = 0; i < n; i++) {
		const struct dag_task *t = srun_task(r, tasks[i].name);

		if (t == NULL)
			return err_set(err, ERR_CORRUPT,
				       "run %s has a task `%s` that its DAG has not",
				       r->id, tasks[i].name);
		r->rows[t->id] =
		    (struct engine_task_row){.state = tasks[i].state,
					     .result = tasks[i].result,
					     .attempt = tasks[i].attempt,
					     .tries = tasks[i].tries,
					     .next_try_us = tasks[i].next_try_us,
					     .started_us = tasks[i].started_us,
					     .ended_us = tasks[i].ended_us,
					     .reason = tasks[i].reason,
					     .selected = tasks[i].selected};
	}
	return 0;
}

static struct exec_adopt
adopt_of(struct srun *r, const struct dag_task *t, const struct meta_attempt *m)
{
	return (struct exec_adopt){
	    .ref = {.run = r->index, .task = t->id, .number = m->number},
	    .dir = m->dir,
	    .attempt_id = m->id,
	    .boot_id = m->boot_id,
	    .this_boot = r->s->boot,
	    .began = m->pid != 0,
	    .leave_children = t->leave_children};
}

struct live {
	struct meta_attempt *v;
	size_t n;
};

/* Which of its attempts have not ended by their rows.  A run that is only settled leaves
 * those alone whose process lives: they are for whoever resumes it. */
static int
find_live(struct srun *r, struct live *live, struct err *err)
{
	struct meta_attempt *all;
	size_t i, n;

	live->n = 0;
	if (meta_attempts(r->s->meta, r->id, r->arena, &all, &n, err) != 0)
		return -1;
	if ((live->v = arena_array(r->arena, n + 1, sizeof(*live->v))) == NULL)
		return err_nomem(err);
	for (i = 0; i < n; i++) {
		const struct dag_task *t = srun_task(r, all[i].task);

		if (t == NULL || all[i].state == TASK_DONE ||
		    (r->settle && !session_has_ended(r->s, &all[i])))
			continue;
		r->rows[t->id].live = true;
		r->rows[t->id].attempt = all[i].number;
		r->rows[t->id].started_us =
		    all[i].started_us != 0 ? all[i].started_us : all[i].created_us;
		r->rows[t->id].wake_us = all[i].wake_us;
		live->v[live->n++] = all[i];
	}
	return 0;
}

/* Outputs on their way from the database to the engine, one task after the other. */
struct values {
	struct srun *r;
	struct arena *arena;
	const struct dag_task *task; /* whose values are collected, or NULL */
	VEC(struct meta_kv) kv;
	int rc;
};

static void
values_flush(struct values *v)
{
	struct srun *r = v->r;

	if (v->task != NULL && v->rc == 0)
		v->rc = engine_set_outputs(r->s->engine, r->index, v->task->id, v->kv.v,
					   v->kv.n);
	v->kv.n = 0;
}

static void
values_add(void *ctx, const char *task, int32_t map, const struct meta_kv *kv)
{
	struct values *v = ctx;
	struct meta_kv copy = {.key = arena_strdup(v->arena, kv->key),
			       .val = arena_strndup(v->arena, kv->val, kv->len),
			       .len = kv->len};

	(void)map;
	if (v->task == NULL || strcmp(v->task->name, task) != 0) {
		values_flush(v);
		v->task = srun_task(v->r, task);
	}
	if (copy.key == NULL || copy.val == NULL || vec_push(&v->kv, copy) != 0)
		v->rc = -1;
}

/* Templates need the outputs of what has ended; nothing is decided before they are there. */
static int
read_outputs(struct srun *r, struct err *err)
{
	struct values v = {.r = r, .arena = arena_new(0)};
	int rc;

	if (v.arena == NULL)
		return err_nomem(err);
	rc = meta_outputs(r->s->meta, r->id, values_add, &v, err);
	values_flush(&v);
	if (rc == 0 && v.rc != 0)
		rc = err_nomem(err);
	vec_release(&v.kv);
	arena_free(v.arena);
	return rc;
}

/* Watch what lives; the executor reports what has ended. */
static int
adopt_all(struct srun *r, const struct live *live, struct err *err)
{
	size_t i;

	for (i = 0; i < live->n; i++) {
		const struct meta_attempt *m = &live->v[i];
		const struct dag_task *t = srun_task(r, m->task);
		struct exec_adopt a = adopt_of(r, t, m);

		if (t->type->kind == TASK_ENGINE)
			continue;
		if (attempt_add(r, t->id, m->number, m->id, m->dir) == NULL)
			return err_nomem(err);
		if (r->s->local->ops->adopt(r->s->local, &a, err) != 0)
			return -1;
	}
	return 0;
}

static int
fill(struct srun *r, const struct meta_run *m, const struct take *how, struct live *live,
     struct err *err)
{
	r->logical_us = r->values.logical_us = m->logical_us;
	r->values.interval_start_us = m->interval_start_us;
	r->values.interval_end_us = m->interval_end_us;
	r->file = strdup(m->file);
	if (r->file == NULL)
		return err_nomem(err);
	if (options_read(r, m->options, err) != 0 ||
	    (how->dag != NULL ? take_latest(r, m, how->dag, err)
			      : load_definition(r, m, err)) != 0 ||
	    srun_values(r, m->params, err) != 0 || session_cache_run(r, err) != 0 ||
	    read_rows(r, err) != 0)
		return -1;
	r->index = (uint32_t)r->s->runs.n;
	return find_live(r, live, err);
}

static int
into_engine(struct srun *r, const struct meta_run *m, const struct take *how,
	    const struct live *live, struct err *err)
{
	struct session *s = r->s;
	struct engine_run_spec spec = {.started_us = m->started_us != 0 ? m->started_us
									: m->created_us,
				       .deadline_us = m->deadline_us,
				       .retry = how->retry,
				       .cancel = how->cancel,
				       .from = -1};

	if (how->retry) {
		/* A retried run gets its time anew. */
		spec.started_us = session_now(s).wall_us;
		spec.deadline_us =
		    r->dag->timeout_us > 0 ? spec.started_us + r->dag->timeout_us : 0;
	}
	spec.again = r->again;
	/* Its owner died while it was being cancelled: that goes on. */
	if (!how->retry && m->reason != NULL && m->reason[0] != '\0' &&
	    strcmp(m->reason, ENGINE_RETRY) != 0) {
		spec.cancel = true;
		spec.cancel_reason = m->reason;
	}
	if (srun_add(r, &spec, err) != 0 || read_outputs(r, err) != 0)
		return -1;
	return adopt_all(r, live, err);
}

/* Is there anything a retry would do? */
static bool
nothing_to_retry(const struct srun *r)
{
	size_t i;

	for (i = 0; i < r->dag->ntasks; i++) {
		enum task_result res = r->rows[i].result;

		if (r->rows[i].state != TASK_DONE)
			return false;
		if (r->rows[i].selected && res != RESULT_SUCCESS &&
		    res != RESULT_CACHED && res != RESULT_SKIPPED)
			return false;
	}
	return true;
}

/* Can the secrets be read that tasks which may still start will need?  Better told now than by
 * each of them. */
static int
secrets_there(struct srun *r, const struct take *how, struct err *err)
{
	bool *need = arena_array(r->arena, r->dag->ntasks + 1, sizeof(*need));
	size_t i;

	if (need == NULL)
		return err_nomem(err);
	for (i = 0; i < r->dag->ntasks; i++)
		need[i] =
		    r->rows[i].selected && (how->retry || r->rows[i].state != TASK_DONE);
	return env_secrets_check(r->dag, need, r->s->p->root, err);
}

static int
no_task(const struct srun *r, const char *name, struct err *err)
{
	struct suggest s;
	const char *best;
	size_t i;

	suggest_start(&s, name);
	for (i = 0; i < r->dag->ntasks; i++)
		suggest_try(&s, r->dag->tasks[i].name);
	best = suggest_best(&s);
	if (best == NULL)
		return err_set(err, ERR_NOTFOUND, "run %s of %s has no task '%s'", r->id,
			       r->dag->name, name);
	return err_set(err, ERR_NOTFOUND,
		       "run %s of %s has no task '%s' (did you mean '%s'?)", r->id,
		       r->dag->name, name, best);
}

/* Which tasks a retry begins with: of a selector those that the run has selected. */
static int
find_again(struct srun *r, const char *from, struct err *err)
{
	bool *again = arena_array(r->arena, r->dag->ntasks + 1, sizeof(*again)),
	     any = false;
	const struct dag_task *t = srun_task(r, from);
	size_t i;

	if (again == NULL)
		return err_nomem(err);
	if (t == NULL && strpbrk(from, "+@*?[:, \t") == NULL)
		return no_task(r, from, err);
	if (t != NULL)
		again[t->id] = true;
	else if (select_tasks(r->dag, &from, 1, again, err) != 0)
		return -1;
	for (i = 0; i < r->dag->ntasks; i++) {
		again[i] = again[i] && r->rows[i].selected;
		any = any || again[i];
	}
	r->again = again;
	if (any)
		return 0;
	return err_set(err, ERR_INVALID,
		       "%s `%s` was not selected when run %s was started",
		       t != NULL ? "task" : "what is named by", from, r->id);
}

/* See whether there is anything to do before the run changes hands: 0 yes, 1 no, -1. */
static int
check(struct srun *r, const struct take *how, const struct live *live, struct err *err)
{
	if ((how->settle && live->n == 0) ||
	    (how->retry && how->from == NULL && nothing_to_retry(r)))
		return 1;
	if (how->from != NULL && find_again(r, how->from, err) != 0)
		return -1;
	return how->settle || how->cancel ? 0 : secrets_there(r, how, err);
}

/* The run changes hands, and perhaps its definition. */
static int
own(struct srun *r, const struct meta_run *m, const struct take *how, struct err *err)
{
	struct session *s = r->s;
	struct meta_redefine def;

	if (how->dag == NULL || strcmp(how->dag->hash, m->def_hash) == 0)
		return meta_run_take(s->meta, r->id, s->boot, &r->epoch, err);
	def = (struct meta_redefine){
	    .hash = how->dag->hash,
	    .source = how->dag->text,
	    .len = how->dag->len,
	    .at_us = session_now(s).wall_us,
	    .reason = arena_printf(r->arena, "retried by %s as it is now; it was %.12s",
				   m->file, m->def_hash)};
	if (def.reason == NULL)
		return err_nomem(err);
	return meta_run_retake(s->meta, r->id, &def, s->boot, &r->epoch, err);
}

/**
 * session_take(s, id, how, err):
 * Take the run ${id} over.  Return 0; 1 if there is nothing to do with it; -1.
 */
int
session_take(struct session *s, const char *id, const struct take *how, struct err *err)
{
	struct srun *r = srun_new(s, id, err);
	struct live live = {0};
	struct meta_run m;
	int rc = -1;

	if (r == NULL)
		return -1;
	r->settle = how->settle;
	r->resumed = !how->retry && !how->settle;
	r->retried = how->retry;
	if ((r->owner_fd = owner_take(s->p, id, err)) == -1) {
		if (err != NULL && err->code == ERR_BUSY)
			(void)busy(s, id, err);
		goto out;
	}
	if (meta_run_get(s->meta, id, r->arena, &m, err) != 0)
		goto out;
	if ((m.state == RUN_DONE) != how->retry) {
		rc = 1;
		goto out;
	}
	if (fill(r, &m, how, &live, err) != 0 || (rc = check(r, how, &live, err)) != 0)
		goto out;
	rc = -1;
	fault_point(TAKE_READ);
	if (own(r, &m, how, err) != 0)
		goto out;
	fault_point(TAKE_EPOCH);
	if (into_engine(r, &m, how, &live, err) != 0)
		goto out;
	fault_point(TAKE_ADOPTED);
	if (how->retry)
		fault_point(RETRY_TAKEN);
	if (!r->settle && !how->cancel)
		session_hold(r);
	if (!r->settle)
		session_show_began(r);
	return 0;
out:
	if (s->runs.n == 0 || s->runs.v[s->runs.n - 1] != r)
		srun_free(r);
	else /* the engine has it, and its attempts are not watched */
		session_break(s, err);
	return rc;
}

int
session_resume(struct session *s, const char *run, struct err *err)
{
	struct take how = {0};

	return session_take(s, run, &how, err);
}

int
session_retry(struct session *s, const char *run, const char *from, struct err *err)
{
	struct take how = {.retry = true, .from = from};

	return session_take(s, run, &how, err);
}

int
session_retry_latest(struct session *s, const char *run, const char *from,
		     const struct dag *dag, struct err *err)
{
	struct take how = {.retry = true, .from = from, .dag = dag};

	return session_take(s, run, &how, err);
}

int
session_cancel_ownerless(struct session *s, const char *run, struct err *err)
{
	struct take how = {.cancel = true};

	return session_take(s, run, &how, err);
}
