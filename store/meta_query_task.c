/* Reading what belongs to a run: tasks, attempts, outputs, events; and definitions, produced
 * paths, path locks. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/meta_internal.h"

#define EVENTS_MAX 100000 /* of one call */

int
meta_get_task_result(struct query *q, enum task_result *result, struct err *err)
{
	const char *s = query_get_text(q, NULL);
	int re = task_result_of(s);

	if (re < 0)
		return err_set(err, ERR_CORRUPT, "'%.64s' is no result of a task", s);
	*result = (enum task_result)re;
	return 0;
}

int
meta_get_task_state(struct query *q, enum task_state *state, enum task_result *result,
		    struct err *err)
{
	const char *s = query_get_text(q, NULL);
	int st = task_state_of(s);

	if (st < 0)
		return err_set(err, ERR_CORRUPT, "'%.64s' is no state of a task", s);
	*state = (enum task_state)st;
	return meta_get_task_result(q, result, err);
}

/* The array grows in the heap, as the number of rows is not known before. */
int
meta_get_rows(struct query *q, struct arena *a, size_t size,
	      int (*get)(struct query *, struct arena *, void *, struct err *), void *out,
	      size_t *n, struct err *err)
{
	char *grown = NULL, *copy;
	size_t cap = 0;
	void *p;
	int rc;

	*n = 0;
	while ((rc = query_step(q, err)) > 0) {
		p = vec_grow(grown, &cap, *n + 1, size);
		if (p == NULL) {
			rc = err_nomem(err);
			break;
		}
		grown = p;
		memset(grown + *n * size, 0, size);
		if (get(q, a, grown + *n * size, err) != 0) {
			rc = -1;
			break;
		}
		++*n;
	}
	query_end(q);
	copy = rc == 0 ? arena_array(a, *n + 1, size) : NULL;
	if (rc == 0 && copy == NULL)
		rc = err_nomem(err);
	if (rc == 0 && *n != 0)
		memcpy(copy, grown, *n * size);
	memcpy(out, &copy, sizeof(copy));
	vec_free(grown);
	return rc;
}

/* ---- tasks ---- */

static int
get_task(struct query *q, struct arena *a, void *out, struct err *err)
{
	struct meta_task *t = out;
	bool failed = false;

	t->name = query_get_dup(q, a, &failed);
	t->map = (int32_t)query_get_int(q);
	t->selected = query_get_int(q) != 0;
	if (meta_get_task_state(q, &t->state, &t->result, err) != 0)
		return -1;
	t->attempt = (uint32_t)query_get_int(q);
	t->tries = (uint32_t)query_get_int(q);
	t->next_try_us = query_get_int(q);
	t->started_us = query_get_int(q);
	t->ended_us = query_get_int(q);
	t->reason = query_get_dup(q, a, &failed);
	return failed ? err_nomem(err) : 0;
}

int
meta_tasks(struct meta *m, const char *run, struct arena *a, struct meta_task **out,
	   size_t *n, struct err *err)
{
	static const char sql[] =
	    "SELECT name, map, selected, state, result, attempt, tries, next_try_us, "
	    "started_us, ended_us, reason FROM task WHERE run = ? ORDER BY ord";
	struct query q;
	int64_t rid;

	if (meta_find_rid(m, run, &rid, err) != 0 ||
	    query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	return meta_get_rows(&q, a, sizeof(**out), get_task, out, n, err);
}

/* ---- attempts ---- */

static int
get_attempt(struct query *q, struct arena *a, void *out, struct err *err)
{
	struct meta_attempt *t = out;
	bool failed = false;

	(void)snprintf(t->id, sizeof(t->id), "%s", query_get_text(q, NULL));
	t->task = query_get_dup(q, a, &failed);
	t->map = (int32_t)query_get_int(q);
	t->number = (uint32_t)query_get_int(q);
	t->epoch = query_get_int(q);
	t->boot_id = query_get_dup(q, a, &failed);
	t->executor = query_get_dup(q, a, &failed);
	t->handle = query_get_dup(q, a, &failed);
	t->dir = query_get_dup(q, a, &failed);
	if (meta_get_task_state(q, &t->state, &t->result, err) != 0)
		return -1;
	t->cause = query_get_dup(q, a, &failed);
	t->reason = query_get_dup(q, a, &failed);
	t->oom = query_get_dup(q, a, &failed);
	t->pid = (pid_t)query_get_int(q);
	t->exit_status = (int)query_get_int(q);
	t->exit_signal = (int)query_get_int(q);
	t->created_us = query_get_int(q);
	t->started_us = query_get_int(q);
	t->ended_us = query_get_int(q);
	t->wake_us = query_get_int(q);
	t->user_us = query_get_int(q);
	t->sys_us = query_get_int(q);
	t->maxrss_kib = query_get_int(q);
	t->log_bytes = query_get_int(q);
	t->survivors = (uint32_t)query_get_int(q);
	t->mem_peak_kib = query_get_int(q);
	t->why = query_get_dup(q, a, &failed);
	return failed ? err_nomem(err) : 0;
}

int
meta_attempts(struct meta *m, const char *run, struct arena *a, struct meta_attempt **out,
	      size_t *n, struct err *err)
{
	static const char sql[] =
	    "SELECT id, task, map, number, epoch, boot_id, executor, handle, dir, state, "
	    "result, cause, reason, oom, pid, exit_status, exit_signal, created_us, "
	    "started_us, ended_us, wake_us, user_us, sys_us, maxrss_kib, log_bytes, "
	    "survivors, mem_peak_kib, why "
	    "FROM attempt WHERE run = ? ORDER BY task, map, number";
	struct query q;
	int64_t rid;

	if (meta_find_rid(m, run, &rid, err) != 0 ||
	    query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	return meta_get_rows(&q, a, sizeof(**out), get_attempt, out, n, err);
}

/* ---- outputs ---- */

int
meta_outputs(struct meta *m, const char *run,
	     void (*fn)(void *, const char *, int32_t, const struct meta_kv *), void *ctx,
	     struct err *err)
{
	/* Values belong to the attempt that published them; those of the task are those of
	 * its latest, and only as long as the task counts as done well: a task that is reset
	 * has none. */
	static const char sql[] =
	    "SELECT t.name, t.map, o.key, o.val FROM task t "
	    "JOIN attempt a ON a.run = t.run AND a.task = t.name AND a.map = t.map "
	    "AND a.number = t.attempt JOIN output o ON o.aid = a.aid "
	    "WHERE t.run = ? AND t.result IN ('success', 'cached') "
	    "ORDER BY t.name, t.map, o.key";
	struct meta_kv kv;
	const char *task;
	struct query q;
	int64_t rid;
	int32_t map;
	int rc;

	if (meta_find_rid(m, run, &rid, err) != 0 ||
	    query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	while ((rc = query_step(&q, err)) > 0) {
		task = query_get_text(&q, NULL);
		map = (int32_t)query_get_int(&q);
		kv.key = query_get_text(&q, NULL);
		kv.val = query_get_text(&q, &kv.len);
		fn(ctx, task, map, &kv);
	}
	query_end(&q);
	return rc;
}

/* ---- events ---- */

static int
get_event(struct query *q, struct arena *a, void *out, struct err *err)
{
	struct meta_event *e = out;
	bool failed = false;

	e->id = query_get_int(q);
	e->at_us = query_get_int(q);
	(void)snprintf(e->run, sizeof(e->run), "%s", query_get_text(q, NULL));
	e->task = query_get_dup(q, a, &failed);
	e->map = (int32_t)query_get_int(q);
	e->number = (uint32_t)query_get_int(q);
	e->event = query_get_dup(q, a, &failed);
	e->reason = query_get_dup(q, a, &failed);
	e->detail = query_get_dup(q, a, &failed);
	return failed ? err_nomem(err) : 0;
}

int
meta_events(struct meta *m, const char *run, int64_t after, size_t limit, struct arena *a,
	    struct meta_event **out, size_t *n, struct err *err)
{
	static const char all[] =
	    "SELECT e.id, e.at_us, r.id, e.task, e.map, e.number, e.event, e.reason, "
	    "e.detail FROM event e JOIN run r ON r.rid = e.run "
	    "WHERE e.id > ?1 ORDER BY e.id LIMIT ?2";
	static const char of_run[] =
	    "SELECT e.id, e.at_us, r.id, e.task, e.map, e.number, e.event, e.reason, "
	    "e.detail FROM event e JOIN run r ON r.rid = e.run "
	    "WHERE e.id > ?1 AND e.run = ?3 ORDER BY e.id LIMIT ?2";
	struct query q;
	int64_t rid = 0;

	if (run != NULL && meta_find_rid(m, run, &rid, err) != 0)
		return -1;
	if (query_start(&q, &m->db, run != NULL ? of_run : all, err) != 0)
		return -1;
	query_put_int(&q, after);
	query_put_int(&q, (int64_t)(limit < EVENTS_MAX ? limit : EVENTS_MAX));
	if (run != NULL)
		query_put_int(&q, rid);
	return meta_get_rows(&q, a, sizeof(**out), get_event, out, n, err);
}

/* ---- the rest ---- */

int
meta_definition(struct meta *m, const char *hash, struct arena *a, const char **source,
		size_t *len, struct err *err)
{
	struct query q;
	const char *p;
	int rc;

	*source = NULL;
	if (query_start(&q, &m->db, "SELECT source FROM definition WHERE hash = ?",
			err) != 0)
		return -1;
	query_put_text(&q, hash);
	rc = query_step(&q, err);
	if (rc > 0) {
		p = query_get_text(&q, len);
		*source = arena_strndup(a, p, *len);
		if (*source == NULL)
			rc = err_nomem(err);
	} else if (rc == 0) {
		rc = err_set(err, ERR_NOTFOUND, "there is no definition %.64s", hash);
	}
	query_end(&q);
	return rc < 0 ? -1 : 0;
}

int
meta_produced(struct meta *m, const char *dag, const char *task, const char *path,
	      bool *is_dir, struct err *err)
{
	static const char sql[] =
	    "SELECT is_dir FROM produced WHERE dag = ? AND task = ? AND path = ?";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, dag);
	query_put_text(&q, task);
	query_put_text(&q, path);
	rc = query_step(&q, err);
	if (rc > 0)
		*is_dir = query_get_int(&q) != 0;
	query_end(&q);
	return rc;
}

int
meta_path_holders(struct meta *m,
		  void (*fn)(void *, const char *, bool, const char *, const char *,
			     int32_t, uint32_t),
		  void *ctx, struct err *err)
{
	static const char sql[] =
	    "SELECT l.path, l.write, r.id, a.task, a.map, a.number FROM path_lock l "
	    "JOIN attempt a ON a.aid = l.aid JOIN run r ON r.rid = a.run";
	const char *path, *run, *task;
	struct query q;
	int32_t map;
	bool write;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	while ((rc = query_step(&q, err)) > 0) {
		path = query_get_text(&q, NULL);
		write = query_get_int(&q) != 0;
		run = query_get_text(&q, NULL);
		task = query_get_text(&q, NULL);
		map = (int32_t)query_get_int(&q);
		fn(ctx, path, write, run, task, map, (uint32_t)query_get_int(&q));
	}
	query_end(&q);
	return rc;
}
