/*
 * Paths that may hold half of something: an attempt that writes them began and did not end
 * well.  While an attempt lives its lock keeps others away; what stands here is for the time
 * after it.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "store/meta_internal.h"

/* Did the program of the attempt run, and not to a good end?  What could not be set up never
 * ran, and neither did what was cancelled before it had a process. */
static bool
tears(const struct meta_op *op, pid_t pid)
{
	switch (op->task_result) {
	case RESULT_FAILED:
		return op->cause == NULL ||
		       (strcmp(op->cause, "setup") != 0 &&
			!(op->whole && strcmp(op->cause, "exit") == 0));
	case RESULT_LOST:
		return true;
	case RESULT_CANCELLED:
		return pid != 0 || op->pid != 0;
	case RESULT_NONE:
	case RESULT_SUCCESS:
	case RESULT_CACHED:
	case RESULT_SKIPPED:
	case RESULT_UPSTREAM_FAILED:
	case RESULT_VOID:
	case TASK_RESULTS:
		break;
	}
	return false;
}

int
meta_torn_note(struct meta *m, int64_t aid, pid_t pid, const struct meta_op *op,
	       struct err *err)
{
	static const char tear[] =
	    "INSERT OR REPLACE INTO torn (path, run, task, result, at_us) "
	    "SELECT path, ?2, ?3, ?4, ?5 FROM path_lock WHERE aid = ?1 AND write = 1";
	static const char mend[] =
	    "DELETE FROM torn WHERE path IN ("
	    "SELECT path FROM path_lock WHERE aid = ?1 AND write = 1 UNION ALL "
	    "SELECT t.path FROM path_lock l CROSS JOIN torn t "
	    "WHERE l.aid = ?1 AND l.write = 1 AND t.path >= l.path || '/' "
	    "AND t.path < l.path || '0')";
	bool well = op->task_result == RESULT_SUCCESS || op->task_result == RESULT_CACHED;
	struct query q;

	if (!well && !tears(op, pid))
		return 0;
	if (query_start(&q, &m->db, well ? mend : tear, err) != 0)
		return -1;
	query_put_int(&q, aid);
	if (!well) {
		query_put_text(&q, op->run);
		query_put_text(&q, op->task);
		query_put_text(&q, task_result_name(op->task_result));
		query_put_int(&q, op->at_us);
	}
	return query_run(&q, err) < 0 ? -1 : 0;
}

/* Hand the rows of a started query to ${fn} until it returns non-zero. */
static int
each_row(struct query *q, int (*fn)(void *, const struct meta_torn *, struct err *),
	 void *ctx, struct err *err)
{
	struct meta_torn t;
	int rc, stop = 0;

	while (stop == 0 && (rc = query_step(q, err)) > 0) {
		t.path = query_get_text(q, NULL);
		t.run = query_get_text(q, NULL);
		t.task = query_get_text(q, NULL);
		stop = meta_get_task_result(q, &t.result, err);
		t.at_us = query_get_int(q);
		if (stop == 0)
			stop = fn(ctx, &t, err);
	}
	query_end(q);
	return stop != 0 ? stop : rc;
}

#define COLUMNS "SELECT path, run, task, result, at_us FROM torn "

static int
torn_at(struct meta *m, const char *path, size_t len,
	int (*fn)(void *, const struct meta_torn *, struct err *), void *ctx,
	struct err *err)
{
	struct query q;

	if (query_start(&q, &m->db, COLUMNS "WHERE path = ?", err) != 0)
		return -1;
	query_put_textn(&q, path, len);
	return each_row(&q, fn, ctx, err);
}

static int
torn_below(struct meta *m, const char *path,
	   int (*fn)(void *, const struct meta_torn *, struct err *), void *ctx,
	   struct err *err)
{
	struct buf from, to;
	struct query q;
	int rc = -1;

	buf_init(&from, 0);
	buf_init(&to, 0);
	buf_addf(&from, "%s/", path);
	buf_addf(&to, "%s0", path); /* '0' follows '/' */
	if (buf_failed(&from) || buf_failed(&to))
		rc = err_nomem(err);
	else if (query_start(&q, &m->db, COLUMNS "WHERE path >= ? AND path < ?", err) ==
		 0) {
		query_put_text(&q, from.p);
		query_put_text(&q, to.p);
		rc = each_row(&q, fn, ctx, err);
	}
	buf_release(&from);
	buf_release(&to);
	return rc;
}

static int
torn_anywhere(struct meta *m, int (*fn)(void *, const struct meta_torn *, struct err *),
	      void *ctx, struct err *err)
{
	struct query q;

	if (query_start(&q, &m->db, COLUMNS, err) != 0)
		return -1;
	return each_row(&q, fn, ctx, err);
}

int
meta_torn(struct meta *m, const char *path,
	  int (*fn)(void *, const struct meta_torn *, struct err *), void *ctx,
	  struct err *err)
{
	const char *slash;
	int rc = 0;

	if (strcmp(path, ".") == 0 || path_is_below(m->root, path))
		return torn_anywhere(m, fn, ctx, err);
	if (path[0] == '/')
		return 0; /* elsewhere nothing is an output */
	for (slash = strchr(path, '/'); rc == 0 && slash != NULL;
	     slash = strchr(slash + 1, '/'))
		rc = torn_at(m, path, (size_t)(slash - path), fn, ctx, err);
	if (rc == 0)
		rc = torn_at(m, path, strlen(path), fn, ctx, err);
	return rc != 0 ? rc : torn_below(m, path, fn, ctx, err);
}

int
meta_left(struct meta *m, const char *dag, const char *task, const char *path,
	  struct err *err)
{
	/* It was cleared away before the program ran, and it did run: there was a process, or
	 * it failed by itself, or it left the marker of its start, without which it would be
	 * void, not lost.  Only of another boot nobody knows that. */
	static const char sql[] =
	    "SELECT 1 FROM torn t JOIN run r ON r.id = t.run "
	    "JOIN attempt a ON a.run = r.rid AND a.task = t.task "
	    "WHERE t.path = ?3 AND t.task = ?2 AND r.dag = ?1 AND (a.pid <> 0 "
	    "OR (a.result = 'failed' AND a.cause IS NOT 'setup') "
	    "OR (a.result = 'lost' AND a.boot_id = r.boot_id)) LIMIT 1";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, dag);
	query_put_text(&q, task);
	query_put_text(&q, path);
	rc = query_step(&q, err);
	query_end(&q);
	return rc;
}
