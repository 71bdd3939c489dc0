/*
 * Results that are kept by content: what lock files shall say of them, until the files do, and
 * the values that were published with them.
 */
#include "base/arena.h"
#include "base/err.h"
#include "store/meta_internal.h"

#define PUBLISHED_MAX 100 /* results of one task whose values are kept: the newest */

static int
keep_entry(struct meta *m, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO lock_entry (lock, name, entry, run, at_us) "
	    "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET entry = excluded.entry, "
	    "run = excluded.run, at_us = excluded.at_us";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, op->stage.lock);
	query_put_text(&q, op->stage.name);
	query_put_text(&q, op->stage.entry);
	query_put_text(&q, op->run);
	query_put_int(&q, op->at_us);
	return query_run(&q, err) < 0 ? -1 : 0;
}

static int
forget_old(struct meta *m, int64_t rid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM published WHERE dag = (SELECT dag FROM run WHERE rid = ?1) "
	    "AND task = ?2 AND entry NOT IN (SELECT entry FROM published WHERE "
	    "dag = (SELECT dag FROM run WHERE rid = ?1) AND task = ?2 "
	    "GROUP BY entry ORDER BY max(at_us) DESC LIMIT ?3)";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	query_put_text(&q, op->task);
	query_put_int(&q, PUBLISHED_MAX);
	return query_run(&q, err) < 0 ? -1 : 0;
}

static int
forget_same(struct meta *m, int64_t rid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "DELETE FROM published WHERE dag = (SELECT dag FROM run WHERE rid = ?1) "
	    "AND task = ?2 AND entry = ?3";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	query_put_text(&q, op->task);
	query_put_text(&q, op->stage.hash);
	return query_run(&q, err) < 0 ? -1 : 0;
}

static int
keep_value(struct meta *m, int64_t rid, const struct meta_op *op,
	   const struct meta_kv *kv, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO published (dag, task, entry, key, val, at_us) "
	    "SELECT dag, ?2, ?3, ?4, ?5, ?6 FROM run WHERE rid = ?1 "
	    "ON CONFLICT DO UPDATE SET val = excluded.val";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	query_put_text(&q, op->task);
	query_put_text(&q, op->stage.hash);
	query_put_text(&q, kv->key);
	query_put_textn(&q, kv->val, kv->len);
	query_put_int(&q, op->at_us);
	return query_run(&q, err) < 0 ? -1 : 0;
}

int
meta_stage_keep(struct meta *m, struct batch_run *run, const struct meta_op *op,
		struct err *err)
{
	if (op->stage.lock != NULL && op->stage.entry != NULL &&
	    keep_entry(m, op, err) != 0)
		return -1;
	if (op->stage.hash == NULL)
		return 0;
	/* One that ran and published nothing has no values, whatever an earlier one had. */
	if ((op->noutputs > 0 || op->task_result == RESULT_SUCCESS) &&
	    forget_same(m, run->rid, op, err) != 0)
		return -1;
	if (op->noutputs == 0)
		return 0;
	for (size_t i = 0; i < op->noutputs; i++)
		if (keep_value(m, run->rid, op, &op->outputs[i], err) != 0)
			return -1;
	return forget_old(m, run->rid, op, err);
}

static int
forget_entry(struct meta *m, const struct meta_stage *stage, struct err *err)
{
	/* Somebody may have left another one since. */
	static const char sql[] =
	    "DELETE FROM lock_entry WHERE lock = ? AND name = ? AND entry = ?";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, stage->lock);
	query_put_text(&q, stage->name);
	query_put_text(&q, stage->entry);
	return query_run(&q, err) < 0 ? -1 : 0;
}

int
meta_lock_written(struct meta *m, const struct meta_stage *v, size_t n, struct err *err)
{
	if (meta_begin(m, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (forget_entry(m, &v[i], err) != 0) {
			meta_abort(m);
			return -1;
		}
	return meta_end(m, err);
}

/* ---- reading ---- */

static int
get_entry(struct query *q, struct arena *a, void *out, struct err *err)
{
	struct meta_stage *s = out;
	bool failed = false;

	s->lock = query_get_dup(q, a, &failed);
	s->name = query_get_dup(q, a, &failed);
	s->entry = query_get_dup(q, a, &failed);
	return failed ? err_nomem(err) : 0;
}

int
meta_lock_entries(struct meta *m, const char *lock, struct arena *a,
		  struct meta_stage **out, size_t *n, struct err *err)
{
	static const char sql[] =
	    "SELECT lock, name, entry FROM lock_entry "
	    "WHERE ?1 IS NULL OR lock = ?1 ORDER BY lock, at_us, name";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, lock);
	return meta_get_rows(&q, a, sizeof(**out), get_entry, out, n, err);
}

static int
get_value(struct query *q, struct arena *a, void *out, struct err *err)
{
	struct meta_kv *kv = out;
	bool failed = false;
	const char *p;

	kv->key = query_get_dup(q, a, &failed);
	p = query_get_text(q, &kv->len);
	kv->val = arena_strndup(a, p != NULL ? p : "", kv->len);
	return failed || kv->val == NULL ? err_nomem(err) : 0;
}

int
meta_published(struct meta *m, const char *dag, const char *task, const char *hash,
	       struct arena *a, struct meta_kv **out, size_t *n, struct err *err)
{
	static const char sql[] = "SELECT key, val FROM published "
				  "WHERE dag = ? AND task = ? AND entry = ? ORDER BY key";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, dag);
	query_put_text(&q, task);
	query_put_text(&q, hash);
	return meta_get_rows(&q, a, sizeof(**out), get_value, out, n, err);
}
