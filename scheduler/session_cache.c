/*
 * The session's side of tasks that do not run where nothing has changed: the repositories that
 * workers use, and the lock files, which are written at most once a second, at the end, and when
 * a run begins that finds something left to be written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/path.h"
#include "scheduler/cache_job.h"
#include "scheduler/cache_lock.h"
#include "scheduler/cache_pool.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/session_int.h"

#define WRITE_MS 1000

/* One lock file, and the worker that writes it. */
struct lock_job {
	uv_work_t req;
	struct session *s;
	struct cache_lock *lock;
	struct meter meter;
	bool dirty, busy;
	struct err err;
};

struct session_cache {
	struct cache_pool *pool;
	VEC(struct lock_job *) jobs;
	uv_timer_t timer;
	bool told; /* that a lock file cannot be written */
};

/* ---- writing ---- */

static void
write_lock(uv_work_t *req)
{
	struct lock_job *j = req->data;
	struct cache_seat *seat = NULL;
	struct cache_pool *pool = j->s->cache->pool;

	if (cache_pool_take(pool, &j->meter, &seat, &j->err) == 0)
		(void)cache_lock_flush(j->lock, seat, &j->err);
	cache_pool_remember(pool, seat);
	cache_pool_give(pool, seat);
}

static void
lock_written(uv_work_t *req, int status)
{
	struct lock_job *j = req->data;
	struct session *s = j->s;

	(void)status;
	j->busy = false;
	s->workers--;
	if (j->err.code == ERR_NONE || j->err.code == ERR_CANCELLED)
		return;
	if (!s->cache->told)
		session_say(s, NOTICE_WARN,
			    "%s; what it should say is kept, and written by the next run",
			    j->err.msg);
	s->cache->told = true;
}

static void
write_dirty(struct session *s, bool all)
{
	/* What was brought back, as its lock says, is for any of them to remember. */
	bool noted = all && cache_pool_noted(s->cache->pool);

	for (size_t i = 0; i < s->cache->jobs.n; i++) {
		struct lock_job *j = s->cache->jobs.v[i];

		if ((!j->dirty && !noted) || j->busy)
			continue;
		j->dirty = noted = false;
		j->err = (struct err){0};
		j->req.data = j;
		if (uv_queue_work(&s->loop, &j->req, write_lock, lock_written) != 0)
			continue;
		j->busy = true;
		s->workers++;
	}
}

static void
on_time(uv_timer_t *t)
{
	write_dirty(t->data, false);
}

/**
 * session_cache_note(s, lock):
 * It is durable that the lock file shall say something new.
 */
void
session_cache_note(struct session *s, const char *lock)
{
	struct session_cache *c = s->cache;

	for (size_t i = 0; c != NULL && i < c->jobs.n; i++)
		if (strcmp(c->jobs.v[i]->lock->path, lock) == 0)
			c->jobs.v[i]->dirty = true;
	if (c != NULL && !uv_is_active((uv_handle_t *)&c->timer))
		(void)uv_timer_start(&c->timer, on_time, WRITE_MS, 0);
}

/**
 * session_cache_waits(s):
 * Of a session that has nothing else to do: write what is left, and return whether that is still
 * under way.
 */
bool
session_cache_waits(struct session *s)
{
	bool busy = false;

	if (s->cache == NULL)
		return false;
	write_dirty(s, true);
	for (size_t i = 0; i < s->cache->jobs.n; i++)
		busy = busy || s->cache->jobs.v[i]->busy;
	return busy;
}

/**
 * session_cache_stop(s):
 * Workers that write lock files give up: what they would write is kept.
 */
void
session_cache_stop(struct session *s)
{
	for (size_t i = 0; s->cache != NULL && i < s->cache->jobs.n; i++)
		atomic_store(&s->cache->jobs.v[i]->meter.cancel, true);
}

/**
 * session_cache_free(s):
 * When no worker is left.
 */
void
session_cache_free(struct session *s)
{
	struct session_cache *c = s->cache;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->jobs.n; i++) {
		cache_lock_free(c->jobs.v[i]->lock);
		free(c->jobs.v[i]);
	}
	vec_release(&c->jobs);
	cache_pool_free(c->pool);
	free(c);
	s->cache = NULL;
}

/* ---- a run ---- */

static int
open_cache(struct session *s, struct err *err)
{
	if (s->cache != NULL)
		return 0;
	s->cache = calloc(1, sizeof(*s->cache));
	if (s->cache == NULL)
		return err_nomem(err);
	(void)uv_timer_init(&s->loop, &s->cache->timer);
	s->cache->timer.data = s;
	s->cache->pool = cache_pool_new(s->p, false);
	return s->cache->pool != NULL ? 0 : err_nomem(err);
}

static struct lock_job *
lock_job(struct session *s, const char *path, bool pipeline, struct err *err)
{
	struct session_cache *c = s->cache;
	struct lock_job *j;

	for (size_t i = 0; i < c->jobs.n; i++)
		if (strcmp(c->jobs.v[i]->lock->path, path) == 0)
			return c->jobs.v[i];
	j = calloc(1, sizeof(*j));
	if (j == NULL || (j->lock = cache_lock_new(path, pipeline)) == NULL ||
	    vec_push(&c->jobs, j) != 0) {
		if (j != NULL)
			cache_lock_free(j->lock);
		free(j);
		(void)err_nomem(err);
		return NULL;
	}
	j->s = s;
	return j;
}

static bool
is_cached(const struct srun *r, const struct dag_task *t)
{
	return t->stage != NULL || (t->cached && !r->how.no_cache);
}

static int
note_stage(struct srun *r, const struct dag_task *t, struct err *err)
{
	const struct dag_stage *stage = t->stage;
	struct lock_job *j;

	j = lock_job(r->s, stage != NULL ? stage->lock : r->lock, stage != NULL, err);
	if (j == NULL)
		return -1;
	if (cache_lock_order(j->lock, stage != NULL ? stage->name : t->name) != 0)
		return err_nomem(err);
	return 0;
}

/* What a process that is gone has left to be written is written before anybody asks the file. */
static int
write_left(struct session *s, struct arena *a, struct err *err)
{
	struct meta_stage *v;
	size_t n;

	if (meta_lock_entries(s->meta, NULL, a, &v, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < s->cache->jobs.n; k++)
			if (strcmp(s->cache->jobs.v[k]->lock->path, v[i].lock) == 0)
				s->cache->jobs.v[k]->dirty = true;
	for (size_t k = 0; k < s->cache->jobs.n; k++) {
		struct lock_job *j = s->cache->jobs.v[k];

		if (!j->dirty || j->busy)
			continue;
		j->dirty = false;
		write_lock(&(uv_work_t){.data = j});
		j->busy = true;
		s->workers++;
		lock_written(&(uv_work_t){.data = j}, 0);
	}
	return 0;
}

/**
 * session_cache_run(r, err):
 * The run, whose tasks and paths are known, is to begin: know its lock files.  Return 0 or -1.
 */
int
session_cache_run(struct srun *r, struct err *err)
{
	const struct dag *g = r->dag;
	size_t i;

	for (i = 0; i < g->ntasks; i++)
		if (is_cached(r, &g->tasks[i]))
			break;
	if (i == g->ntasks)
		return 0;
	if (open_cache(r->s, err) != 0)
		return -1;
	r->lock = cache_lock_beside(r->arena, r->file);
	if (r->lock == NULL)
		return err_nomem(err);
	for (i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		if (is_cached(r, t) && note_stage(r, t, err) != 0)
			return -1;
	}
	return write_left(r->s, r->arena, err);
}

/* ---- an attempt ---- */

/* DVC's --force-downstream: something that it follows has run. */
static bool
follows_change(const struct srun *r, const struct dag_task *t)
{
	struct engine_task_view v;

	for (size_t i = 0; i < t->nup; i++) {
		engine_task_view(r->s->engine, r->index, t->up[i], &v);
		if (v.result == RESULT_SUCCESS)
			return true;
	}
	return false;
}

/**
 * session_cache_ask(r, t, ask):
 * Fill what a job about task ${t} is to know, but its meter and who stops it.  Return whether
 * there can be one: false of a task that runs always.
 */
bool
session_cache_ask(struct srun *r, const struct dag_task *t, struct cache_ask *ask)
{
	if (!is_cached(r, t))
		return false;
	*ask = (struct cache_ask){.pool = r->s->cache->pool,
				  .project = r->s->p,
				  .dag = r->dag->name,
				  .task = t,
				  .values = &r->values,
				  .paths = &r->rpaths[t->id],
				  .lock = r->lock,
				  .write_lock = t->stage != NULL || !r->how.no_lock,
				  .how = r->how};
	return true;
}

/**
 * session_cache_job(r, a, out, err):
 * Make the job of an attempt; *${out} is NULL where its task runs always.  Return 0 or -1.
 */
int
session_cache_job(struct srun *r, struct attempt *a, struct cache_job **out,
		  struct err *err)
{
	const struct dag_task *t = &r->dag->tasks[a->task];
	struct cache_ask ask;

	*out = NULL;
	if (!session_cache_ask(r, t, &ask))
		return 0;
	ask.meter = &a->meter;
	ask.stop = &a->stop;
	ask.force = (r->again != NULL && r->again[t->id]) ||
		    (r->how.force_downstream && follows_change(r, t));
	return cache_job_new(&ask, out, err);
}
