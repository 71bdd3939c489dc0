/*
 * Tasks for which nothing has changed, found before their run begins: each would otherwise wait
 * for its upstreams, for a slot, its locks and two commits, only to learn that nothing is to be
 * done.  They are looked at in order, without locks, which is as good as having looked just before
 * somebody else went on: what a lock file says of a file is compared with the file.
 *
 * Only what can be known at once counts.  A task whose upstreams may still run, whose files would
 * have to be read, which is missing something, or about which there is a mistake to be told, goes
 * its usual way; and when it has taken LOOKING_US, so does the rest.
 */
#include <string.h>

#include "base/fault.h"
#include "scheduler/cache_job.h"
#include "scheduler/outputs_files.h"
#include "scheduler/session_int.h"

#define LOOKING_US INT64_C(500000)

struct ahead {
	bool known;
	struct engine_event ev;
	struct meta_stage result;
};

/* Whether all that it follows, of what runs at all, is known. */
static bool
follows_known(const struct srun *r, const struct dag_task *t)
{
	for (size_t i = 0; i < t->nup; i++)
		if (r->rows[t->up[i]].selected && !r->ahead[t->up[i]].known)
			return false;
	return true;
}

/* The paths that it made once, as the database has them. */
static int
put_produced(struct srun *r, const struct dag_task *t, struct ahead *k, struct err *err)
{
	const struct render_paths *p = &r->rpaths[t->id];
	struct meta_path *v = arena_array(r->arena, p->noutputs + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < p->noutputs; i++) {
		v[i].path = p->outputs[i];
		if (output_there(r->s->p, v[i].path, &v[i].write, err) != 0)
			return -1;
	}
	k->ev.produced = v;
	k->ev.nproduced = p->noutputs;
	return 0;
}

static int
put_values(struct srun *r, const struct cache_job *j, struct ahead *k, struct err *err)
{
	struct meta_kv *v = arena_array(r->arena, j->nvalues + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < j->nvalues; i++) {
		v[i] = j->values[i];
		v[i].key = arena_strdup(r->arena, v[i].key);
		v[i].val = arena_strndup(r->arena, v[i].val, v[i].len);
		if (v[i].key == NULL || v[i].val == NULL)
			return err_nomem(err);
	}
	k->ev.outputs = v;
	k->ev.noutputs = j->nvalues;
	return 0;
}

static int
put_result(struct srun *r, const struct cache_job *j, struct ahead *k, struct err *err)
{
	k->ev = (struct engine_event){.kind = EV_PREPARED,
				      .prepared = PREPARED_CACHED,
				      .reason = arena_strdup(r->arena, j->reason),
				      .stage = &k->result};
	/* The lock file is right; the names in it live as long as the run. */
	k->result = (struct meta_stage){.lock = j->result.lock, .name = j->result.name};
	if (j->result.hash != NULL &&
	    (k->result.hash = arena_strdup(r->arena, j->result.hash)) == NULL)
		return err_nomem(err);
	if (k->ev.reason == NULL)
		return err_nomem(err);
	if (put_values(r, j, k, err) != 0)
		return -1;
	return put_produced(r, j->ask.task, k, err);
}

/* Failures are nobody's news here: whoever decides later meets them again. */
static void
look_at(struct srun *r, const struct dag_task *t)
{
	struct cache_job *j = NULL;
	struct meter meter = {0};
	struct cache_ask ask;
	struct err err = {0};
	bool stop = false;

	if (t->trigger != TRIGGER_ALL_SUCCESS || !follows_known(r, t) ||
	    !session_cache_ask(r, t, &ask))
		return;
	ask.meter = &meter;
	ask.stop = &stop;
	if (cache_job_new(&ask, &j, &err) == 0 && cache_job_known(j, &err) == 1)
		r->ahead[t->id].known = put_result(r, j, &r->ahead[t->id], &err) == 0;
	cache_job_free(j);
}

/**
 * session_ahead(r):
 * Look at the tasks of a new run, which the engine has and has not begun, and let it begin.
 */
void
session_ahead(struct srun *r)
{
	struct engine_event begin = {.kind = EV_TICK};
	const struct dag *g = r->dag;
	int64_t begun_us = session_now(r->s).mono_us;

	/* What is to be fetched takes its time. */
	if (r->s->cache == NULL || r->how.force || r->how.allow_missing || r->how.pull)
		return;
	r->ahead = arena_array(r->arena, g->ntasks + 1, sizeof(*r->ahead));
	if (r->ahead == NULL)
		return;
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		if (r->rows[t->id].selected)
			look_at(r, t);
		if (session_now(r->s).mono_us - begun_us > LOOKING_US)
			break;
	}
	fault_point(LOOKED_AHEAD);
	/* At once: what is known now need not be true of a task that is retried later. */
	(void)session_event(r->s, &begin);
	r->ahead = NULL;
}

/* The engine asks: is the result of this task, whose turn it is, known? */
const struct engine_event *
session_known(void *ctx, void *run_ctx, uint32_t task)
{
	const struct srun *r = run_ctx;

	(void)ctx;
	return r->ahead != NULL && r->ahead[task].known ? &r->ahead[task].ev : NULL;
}
