/* The operations of a batch that change runs, tasks and commands; see meta_commit.c for which
 * of them are events. */
#include <string.h>

#include "base/err.h"
#include "store/meta_internal.h"

int
meta_op_run(struct meta *m, struct batch_run *run, const struct meta_op *op,
	    struct err *err)
{
	static const char sql[] =
	    "UPDATE run SET state = ?2, result = ?3, reason = ?4, "
	    "started_us = CASE WHEN ?5 <> 0 THEN ?5 ELSE started_us END, "
	    "ended_us = ?6, deadline_us = ?7 WHERE rid = ?1";
	struct meta_note note = {
	    .at_us = op->at_us, .rid = run->rid, .reason = op->reason};
	bool changed = op->run_state != run->state || op->run_result != run->result;
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, run->rid);
	query_put_text(&q, run_state_name(op->run_state));
	query_put_text(&q, run_result_name(op->run_result));
	query_put_text(&q, op->reason);
	query_put_int(&q, op->started_us);
	query_put_int(&q, op->ended_us);
	query_put_int(&q, op->deadline_us);
	if (query_run(&q, err) < 0)
		return -1;
	run->state = op->run_state;
	run->result = op->run_result;
	if (!changed)
		return 0;
	note.event = op->run_state == RUN_DONE ? run_result_name(op->run_result)
					       : run_state_name(op->run_state);
	return meta_event_add(m, &note, err);
}

int
meta_op_git(struct meta *m, struct batch_run *run, const struct meta_op *op,
	    struct err *err)
{
	static const char sql[] =
	    "UPDATE run SET git_commit = ?2, git_dirty = nullif(?3, -1) WHERE rid = ?1";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, run->rid);
	query_put_text(&q, op->git_commit);
	query_put_int(&q, op->git_dirty);
	return query_run(&q, err) < 0 ? -1 : 0;
}

/* ---- tasks ---- */

static int
no_task(const struct meta_op *op, struct err *err)
{
	return err_set(err, ERR_SYS, "run %s has no task %s (map %d) in the database",
		       op->run, op->task, (int)op->map);
}

void
meta_put_task(struct query *q, int64_t rid, const struct meta_op *op)
{
	query_put_int(q, rid);
	query_put_text(q, op->task);
	query_put_int(q, op->map);
}

int
meta_task_row(struct meta *m, int64_t rid, const struct meta_op *op, const char *reason,
	      struct task_row *out, struct err *err)
{
	static const char sql[] = "SELECT state, result, attempt, reason IS ?4 FROM task "
				  "WHERE run = ?1 AND name = ?2 AND map = ?3";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_text(&q, reason);
	rc = query_step(&q, err);
	if (rc == 0)
		rc = no_task(op, err);
	if (rc > 0) {
		rc = meta_get_task_state(&q, &out->state, &out->result, err);
		out->attempt = (uint32_t)query_get_int(&q);
		out->same_reason = query_get_int(&q) != 0;
	}
	query_end(&q);
	return rc;
}

/* Tell whether the task's attempt ${number} has ended with ${result}: 1, 0 or -1. */
static int
attempt_said_so(struct meta *m, int64_t rid, const struct meta_op *op, uint32_t number,
		enum task_result result, struct err *err)
{
	static const char sql[] =
	    "SELECT 1 FROM attempt WHERE run = ?1 AND task = ?2 AND map = ?3 "
	    "AND number = ?4 AND result = ?5";
	struct query q;
	int rc;

	if (number == 0 || result == RESULT_NONE)
		return 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_int(&q, number);
	query_put_text(&q, task_result_name(result));
	rc = query_step(&q, err);
	query_end(&q);
	return rc;
}

static int
update_task(struct meta *m, int64_t rid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "UPDATE task SET state = ?4, result = ?5, tries = ?6, next_try_us = ?7, "
	    "started_us = ?8, ended_us = ?9, reason = ?10 "
	    "WHERE run = ?1 AND name = ?2 AND map = ?3";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_text(&q, task_state_name(op->task_state));
	query_put_text(&q, task_result_name(op->task_result));
	query_put_int(&q, op->tries);
	query_put_int(&q, op->next_try_us);
	query_put_int(&q, op->started_us);
	query_put_int(&q, op->ended_us);
	query_put_text(&q, op->reason);
	return query_run(&q, err) < 0 ? -1 : 0;
}

int
meta_op_task(struct meta *m, struct batch_run *run, const struct meta_op *op,
	     struct err *err)
{
	struct meta_note note = {.at_us = op->at_us,
				 .rid = run->rid,
				 .task = op->task,
				 .map = op->map,
				 .reason = op->reason};
	struct task_row row;
	int said = 0;

	if (meta_task_row(m, run->rid, op, op->reason, &row, err) != 0 ||
	    update_task(m, run->rid, op, err) != 0)
		return -1;
	if (row.state == op->task_state && row.result == op->task_result &&
	    (row.same_reason || op->reason == NULL))
		return 0;
	if (task_state_is_live(row.state))
		said =
		    attempt_said_so(m, run->rid, op, row.attempt, op->task_result, err);
	if (said != 0)
		return said < 0 ? -1 : 0;
	note.number = row.attempt;
	note.event = op->task_state == TASK_DONE ? task_result_name(op->task_result)
						 : task_state_name(op->task_state);
	return meta_event_add(m, &note, err);
}

/* ---- the rest ---- */

int
meta_op_command_done(struct meta *m, struct batch_run *run, const struct meta_op *op,
		     struct err *err)
{
	static const char sql[] =
	    "UPDATE command SET done = 1, done_us = ?3, answer = ?4 "
	    "WHERE id = ?1 AND run = ?2";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, op->command);
	query_put_int(&q, run->rid);
	query_put_int(&q, op->at_us);
	query_put_text(&q, op->reason);
	rc = query_run(&q, err);
	if (rc == 0)
		return err_set(err, ERR_SYS, "run %s has no command %lld in the database",
			       op->run, (long long)op->command);
	return rc < 0 ? -1 : 0;
}

int
meta_op_event(struct meta *m, struct batch_run *run, const struct meta_op *op,
	      struct err *err)
{
	struct meta_note note = {.at_us = op->at_us,
				 .rid = run->rid,
				 .task = op->task,
				 .map = op->map,
				 .number = op->number,
				 .event = op->event,
				 .reason = op->reason,
				 .detail = op->detail};

	return meta_event_add(m, &note, err);
}
