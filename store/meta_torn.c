/*
 * Paths that may hold half of something: an attempt that writes them began and did not end
 * well.  While an attempt lives its lock keeps others away; what stands here is for the time
 * after it.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/meta_internal.h"

/* Did the program of the attempt run, and not to a good end?  What could not be set up never
 * ran, and neither did what was cancelled before it had a process. */
static bool
tears(const struct meta_op *op, pid_t pid)
{
	switch (op->task_result) {
	case RESULT_FAILED:
		return op->cause == NULL || strcmp(op->cause, "setup") != 0;
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
	    "DELETE FROM torn WHERE path IN "
	    "(SELECT path FROM path_lock WHERE aid = ? AND write = 1)";
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

int
meta_torn(struct meta *m, const char *path, struct meta_torn *out, struct err *err)
{
	struct query q;
	int rc;

	if (query_start(&q, &m->db, "SELECT run, task, result FROM torn WHERE path = ?",
			err) != 0)
		return -1;
	query_put_text(&q, path);
	rc = query_step(&q, err);
	if (rc > 0) {
		(void)snprintf(out->run, sizeof(out->run), "%s",
			       query_get_text(&q, NULL));
		(void)snprintf(out->task, sizeof(out->task), "%s",
			       query_get_text(&q, NULL));
		out->result = (enum task_result)task_result_of(query_get_text(&q, NULL));
	}
	query_end(&q);
	return rc;
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
