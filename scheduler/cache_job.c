#include "scheduler/cache_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/path.h"
#include "scheduler/cache_far.h"
#include "scheduler/cache_hold.h"
#include "scheduler/cache_pool.h"
#include "scheduler/render.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/run_cache.h"
#include "store/project.h"

#define REASONS_MAX   3			  /* told one by one */
#define LOOK_READ_MAX ((uint64_t)1 << 20) /* bytes of a path that a look may read */

static const char values_unknown[] = "the values that it published are not known here";

static bool
pipeline(const struct cache_job *j)
{
	return j->ask.task->stage != NULL;
}

static int
make(struct cache_job *j, struct err *err)
{
	const struct dag_stage *stage = j->ask.task->stage;

	j->how = (struct stage_how){.force = j->ask.how.force || j->ask.force,
				    .no_run_cache = j->ask.how.no_run_cache,
				    .no_commit = j->ask.how.no_commit,
				    .allow_missing = j->ask.how.allow_missing,
				    .synced = true};
	j->how.upstream = cache_far_upstream;
	if (j->ask.how.pull && j->ask.coming == NULL)
		j->how.fetch = cache_far_fetch;
	else if (j->ask.how.pull) /* only asked: it would come */
		j->how.allow_missing = true;
	if (stage != NULL) {
		j->run = (struct stage_run){
		    .name = stage->name, .dir = stage->dir, .stage = stage->stage};
		j->result.lock = stage->lock;
		j->result.name = stage->name;
		return 0;
	}
	if (cache_task_make(j->ask.values, j->ask.task, j->ask.paths, j->arena, &j->own,
			    err) != 0)
		return -1;
	j->run = (struct stage_run){.name = j->ask.task->name,
				    .stage = &j->own.stage,
				    .extra = j->own.extra,
				    .native = true};
	j->result.lock = j->ask.lock;
	j->result.name = j->ask.task->name;
	return 0;
}

int
cache_job_new(const struct cache_ask *ask, struct cache_job **out, struct err *err)
{
	struct cache_job *j = calloc(1, sizeof(*j));

	if (j == NULL || (j->arena = arena_new(0)) == NULL) {
		free(j);
		return err_nomem(err);
	}
	j->ask = *ask;
	if (make(j, err) != 0) {
		cache_job_free(j);
		return -1;
	}
	*out = j;
	return 0;
}

void
cache_job_free(struct cache_job *j)
{
	if (j == NULL)
		return;
	cache_hold_drop(j->hold);
	arena_free(j->arena);
	free(j);
}

/* ---- what is known ---- */

/* A seat, the dependencies of a DAG file's task, and what the lock file has of it.  What was
 * spoilt while the task ran is told when it is to be written: work that is done is not lost. */
static int
sit_down(struct cache_job *j, bool done, struct cache_seat **seat,
	 const struct dvc_lock_stage **locked, struct err *err)
{
	struct dvc_lock *lock = NULL;

	if (cache_pool_take(j->ask.pool, j->ask.meter, seat, err) != 0)
		return -1;
	j->how.arg = *seat;
	(*seat)->arena = j->arena;
	if (cache_seat_locked(*seat, j->result.lock, pipeline(j), &lock, err) != 0) {
		if (!done || err->code == ERR_NOMEM)
			return -1;
		err_clear(err);
		lock = NULL;
	}
	*locked = lock != NULL ? dvc_lock_find(lock, j->result.name) : NULL;
	if (pipeline(j))
		return 0;
	j->run.dir = (*seat)->below;
	return cache_task_deps(j->ask.project->root_fd, j->ask.stop, j->arena, *locked,
			       &j->own, err);
}

/* What the lock says that the task depended on: nothing has changed. */
static int
locked_inputs(struct cache_job *j, const struct dvc_lock_stage *locked, const char **out,
	      struct err *err)
{
	struct dvc_lock_stage s = *locked;
	struct buf b;
	int rc;

	s.outs = NULL;
	s.nouts = 0;
	buf_init(&b, DVC_LOCK_MAX);
	rc = run_entry(&s, &b, NULL, err);
	if (rc == 0 && (*out = arena_strndup(j->arena, b.p, b.n)) == NULL)
		rc = err_nomem(err);
	buf_release(&b);
	return rc;
}

/* Values that were published belong to what the task depended on. */
static int
name_values(struct cache_job *j, const char *inputs, struct err *err)
{
	char hex[HASH_HEX_MAX];

	j->inputs = inputs;
	if (inputs == NULL)
		return 0;
	if (hash_bytes(HASH_SHA256, inputs, strlen(inputs), hex) != 0 ||
	    (j->result.hash = arena_strdup(j->arena, hex)) == NULL)
		return err_nomem(err);
	return 0;
}

/* Where nothing has changed it depends on what the lock says. */
static int
name_result(struct cache_job *j, const struct dvc_lock_stage *locked,
	    struct stage_decision *d, struct err *err)
{
	if (d->inputs == NULL && locked != NULL && !pipeline(j) &&
	    locked_inputs(j, locked, &d->inputs, err) != 0)
		return -1;
	return name_values(j, d->inputs, err);
}

/* 1 where the task must run, as others use values of it that nobody knows. */
static int
find_values(struct cache_job *j, struct cache_seat *seat, struct err *err)
{
	struct meta *m = cache_seat_meta(seat, err);

	if (m == NULL || meta_published(m, j->ask.dag, j->ask.task->name, j->result.hash,
					j->arena, &j->values, &j->nvalues, err) != 0)
		return -1;
	if (j->nvalues > 0 || !j->ask.task->read)
		return 0;
	j->reason = values_unknown;
	return 1;
}

/* ---- words ---- */

static int
say_reasons(struct cache_job *j, struct cache_seat *seat, struct stage_decision *d,
	    struct err *err)
{
	size_t n = d->n > REASONS_MAX ? REASONS_MAX : d->n;
	struct buf b;

	stage_reasons_detail(seat->look, d->v, n, j->arena);
	buf_init(&b, 0);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_adds(&b, "; ");
		stage_reason_put(&b, &d->v[i]);
	}
	if (d->n > n)
		buf_addf(&b, "; and %zu more", d->n - n);
	j->reason = buf_failed(&b) ? NULL : arena_strdup(j->arena, b.n > 0 ? b.p : "");
	buf_release(&b);
	return j->reason != NULL ? 0 : err_nomem(err);
}

/* ${done}: it is about what was done, not what would be. */
static const char *
why_not(const struct stage_decision *d, bool done)
{
	switch (d->verdict) {
	case STAGE_RUN:
	case STAGE_UNCHANGED:
		return "nothing has changed";
	case STAGE_RESTORE:
		if (d->result == NULL)
			return done ? "nothing has changed; its outputs, which the cache "
				      "did not have, are in it now"
				    : "nothing has changed; its outputs, which the cache "
				      "does not have, go into it";
		return done ? "nothing has changed; its outputs were brought back from "
			      "the cache"
			    : "nothing has changed; its outputs come back from the cache";
	case STAGE_FROM_RUN_CACHE:
		return done
			   ? "it was run before as it is now; its outputs were brought "
			     "back from the cache"
			   : "it was run before as it is now; its outputs come back from "
			     "the cache";
	case STAGE_FROZEN:
		return "it is frozen";
	}
	return "";
}

/* ---- before ---- */

/* 1 where the cache has not got it after all. */
static int
restore(struct cache_job *j, struct cache_seat *seat, const struct dvc_lock_stage *locked,
	const struct stage_decision *d, struct err *err)
{
	int rc;

	if (d->verdict == STAGE_UNCHANGED)
		return 0;
	j->restored = true;
	/* Without a result what is there is right, and goes into the cache. */
	if (d->result != NULL && j->ask.clear != NULL &&
	    j->ask.clear(j->ask.clear_arg, err) != 0)
		return -1;
	if (cache_seat_lock(seat, err) != 0)
		return -1;
	rc = stage_restore(seat->look, &j->run, locked, &j->how, d, j->arena,
			   &j->result.entry, err);
	cache_seat_unlock(seat);
	fault_point(RESTORED);
	if (rc == 1)
		j->reason = "its outputs could not be brought back from the cache";
	return rc;
}

static int
decide(struct cache_job *j, struct cache_seat *seat, const struct dvc_lock_stage *locked,
       struct err *err)
{
	struct stage_decision d;
	int rc;

	if (stage_decide(seat->look, &j->run, locked, &j->how, j->arena, &d, err) != 0)
		return -1;
	if (d.verdict == STAGE_RUN && d.lacks != NULL && j->how.fetch != NULL) {
		rc = cache_far_deps(seat, &j->run, err);
		if (rc < 0 || (rc > 0 && stage_decide(seat->look, &j->run, locked,
						      &j->how, j->arena, &d, err) != 0))
			return -1;
	}
	/* Whether inputs are there is looked at when it starts. */
	if (d.verdict == STAGE_RUN && d.lacks_param)
		return err_set(err, ERR_NOTFOUND, "%s", d.lacks);
	if (name_result(j, locked, &d, err) != 0)
		return -1;
	fault_point(DECIDED);
	if (d.verdict == STAGE_RUN)
		return say_reasons(j, seat, &d, err);
	if (j->result.hash != NULL && !pipeline(j) &&
	    (rc = find_values(j, seat, err)) != 0)
		return rc > 0 ? 0 : -1;
	rc = restore(j, seat, locked, &d, err);
	if (rc != 0)
		return rc > 0 ? 0 : -1;
	j->reason = why_not(&d, true);
	if (!j->ask.write_lock)
		j->result.entry = NULL;
	return 1;
}

/* As decide, without the rest of it where there is one. */
static int
known(struct cache_job *j, struct cache_seat *seat, const struct dvc_lock_stage *locked,
      struct err *err)
{
	struct stage_decision d;
	int rc;

	if (locked == NULL)
		return 0;
	if (stage_decide(seat->look, &j->run, locked, &j->how, j->arena, &d, err) != 0)
		return -1;
	if (d.verdict != STAGE_UNCHANGED)
		return 0;
	if (name_result(j, locked, &d, err) != 0)
		return -1;
	if (j->result.hash != NULL && !pipeline(j) &&
	    (rc = find_values(j, seat, err)) != 0)
		return rc > 0 ? 0 : -1;
	j->reason = why_not(&d, true);
	return 1;
}

int
cache_job_known(struct cache_job *j, struct err *err)
{
	const struct dvc_lock_stage *locked = NULL;
	struct cache_seat *seat = NULL;
	int rc;

	rc = sit_down(j, false, &seat, &locked, err);
	if (rc == 0) {
		seat->ws.read_max = LOOK_READ_MAX;
		rc = known(j, seat, locked, err);
		seat->ws.read_max = 0;
	}
	cache_pool_give(j->ask.pool, seat);
	return rc;
}

int
cache_job_decide(struct cache_job *j, struct err *err)
{
	const struct dvc_lock_stage *locked = NULL;
	struct cache_seat *seat = NULL;
	int rc;

	rc = sit_down(j, false, &seat, &locked, err);
	if (rc == 0)
		rc = decide(j, seat, locked, err);
	if (rc == 0 && cache_hold_take(seat, &j->run, &j->hold, err) != 0)
		rc = -1;
	cache_pool_give(j->ask.pool, seat);
	return rc;
}

/* ---- only asked ---- */

static int
ask_coming(void *arg, const char *path, struct object_id *id)
{
	struct cache_job *j = arg;
	const char *below = j->below;
	size_t n = strlen(below);

	if (*path == '/' || n == 0 || strcmp(below, ".") == 0)
		return j->ask.coming(j->ask.coming_arg, path, id);
	return strncmp(path, below, n) == 0 && path[n] == '/'
		   ? j->ask.coming(j->ask.coming_arg, path + n + 1, id)
		   : 0;
}

/* What the lock file shall say, if that is not in it yet. */
static int
find_unwritten(struct cache_job *j, struct meta *m, const struct dvc_lock_stage **locked,
	       struct err *err)
{
	struct meta_stage *v = NULL;
	struct dvc_lock_stage *s;
	size_t n = 0, i;

	if (m == NULL || j->result.lock == NULL)
		return 0;
	/* An older database has none. */
	if (meta_lock_entries(m, j->result.lock, j->arena, &v, &n, NULL) != 0)
		return 0;
	for (i = 0; i < n; i++)
		if (strcmp(v[i].name, j->result.name) == 0)
			break;
	if (i == n)
		return 0;
	s = arena_zalloc(j->arena, sizeof(*s));
	if (s == NULL)
		return err_nomem(err);
	*locked = s;
	return dvc_lock_entry_parse(j->arena, NULL, j->run.name, j->run.dir, v[i].entry,
				    strlen(v[i].entry), s, err);
}

/* What the outputs will be that are brought back. */
static int
find_outs(struct cache_job *j, const char *entry, struct cache_look *out, struct err *err)
{
	const struct dvc_yaml_stage *stage = j->run.stage;
	struct object_id *ids = arena_array(j->arena, stage->nouts + 1, sizeof(*ids));
	struct dvc_lock_stage s;

	if (ids == NULL)
		return err_nomem(err);
	if (dvc_lock_entry_parse(j->arena, NULL, j->run.name, j->run.dir, entry,
				 strlen(entry), &s, err) != 0)
		return -1;
	for (size_t i = 0; i < stage->nouts; i++)
		for (size_t k = 0; k < s.nouts; k++)
			if (s.outs[k].path != NULL &&
			    strcmp(s.outs[k].path, stage->outs[i].path) == 0)
				ids[i] = s.outs[k].meta.md5;
	out->outs = ids;
	return 0;
}

/* What it published with that result, if a task may want it. */
static void
look_values(struct cache_job *j, struct meta *m, struct cache_look *out)
{
	struct meta_kv *kv = NULL;

	if (out->verdict == STAGE_RUN || pipeline(j) || j->result.hash == NULL)
		return;
	if (m != NULL && meta_published(m, j->ask.dag, j->ask.task->name, j->result.hash,
					j->arena, &kv, &out->nvalues, NULL) != 0)
		out->nvalues = 0;
	out->values = kv;
	if (out->nvalues > 0 || !j->ask.task->read)
		return;
	out->verdict = STAGE_RUN;
	out->why = values_unknown;
}

static int
look(struct cache_job *j, struct cache_seat *seat, struct meta *m,
     const struct dvc_lock_stage *locked, struct cache_look *out, struct err *err)
{
	struct stage_decision d;

	j->below = seat->below;
	if (j->ask.coming != NULL) {
		j->run.coming = ask_coming;
		j->run.coming_arg = j;
	}
	if (find_unwritten(j, m, &locked, err) != 0 ||
	    stage_decide(seat->look, &j->run, locked, &j->how, j->arena, &d, err) != 0)
		return -1;
	if (name_result(j, locked, &d, err) != 0)
		return -1;
	*out = (struct cache_look){.verdict = d.verdict,
				   .v = d.v,
				   .n = d.n,
				   .why = why_not(&d, false),
				   .lacks = d.lacks_param ? d.lacks : NULL};
	if (d.n > 0 && (d.verdict == STAGE_RUN || d.verdict == STAGE_FROZEN)) {
		if (say_reasons(j, seat, &d, err) != 0)
			return -1;
		out->why = j->reason;
	}
	if (d.result != NULL && find_outs(j, d.result, out, err) != 0)
		return -1;
	look_values(j, m, out);
	return 0;
}

int
cache_job_look(struct cache_job *j, struct meta *m, struct cache_look *out,
	       struct err *err)
{
	const struct dvc_lock_stage *locked = NULL;
	struct cache_seat *seat = NULL;
	int rc;

	rc = sit_down(j, false, &seat, &locked, err);
	if (rc == 0)
		rc = look(j, seat, m, locked, out, err);
	cache_pool_give(j->ask.pool, seat);
	return rc;
}

/* ---- after ---- */

/* What the task depended on, as it was kept: whoever decided may be gone, and an entry that does
 * not say what it was made from names no values that anybody asks for. */
static int
name_by_entry(struct cache_job *j, struct err *err)
{
	const char *entry = j->result.entry, *inputs;
	struct dvc_lock_stage s;

	if (dvc_lock_entry_parse(j->arena, NULL, j->run.name, j->run.dir, entry,
				 strlen(entry), &s, err) != 0 ||
	    locked_inputs(j, &s, &inputs, err) != 0)
		return -1;
	return name_values(j, inputs, err);
}

static int
keep(struct cache_job *j, struct cache_seat *seat, const struct dvc_lock_stage *locked,
     struct err *err)
{
	int rc;

	if (cache_seat_lock(seat, err) != 0)
		return -1;
	rc = stage_done(seat->look, &j->run, locked, &j->how, j->inputs, j->arena,
			&j->result.entry, err);
	cache_seat_unlock(seat);
	fault_point(RESULT_KEPT);
	if (rc == 0 && (j->inputs == NULL || !pipeline(j)))
		rc = name_by_entry(j, err);
	if (!j->ask.write_lock)
		j->result.entry = NULL;
	return rc;
}

int
cache_job_keep(struct cache_job *j, const char *inputs, struct err *err)
{
	const struct dvc_lock_stage *locked = NULL;
	struct cache_seat *seat = NULL;
	int rc;

	rc = sit_down(j, true, &seat, &locked, err);
	if (rc == 0)
		rc = name_values(j, inputs, err);
	if (rc == 0)
		rc = keep(j, seat, locked, err);
	cache_pool_give(j->ask.pool, seat);
	return rc;
}
