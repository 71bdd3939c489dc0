/* The life of an attempt's row: inserted if its paths are free, updated, ended. */
#include <string.h>

#include "base/err.h"
#include "store/meta_internal.h"

/* An attempt's row, as far as changes depend on it. */
struct attempt_row {
	int64_t aid;
	enum task_state state;
	enum task_result result;
	pid_t pid; /* 0: it had no process yet */
};

static int
read_attempt(struct meta *m, int64_t rid, const struct meta_op *op,
	     struct attempt_row *out, struct err *err)
{
	static const char sql[] =
	    "SELECT aid, state, result, pid FROM attempt "
	    "WHERE run = ?1 AND task = ?2 AND map = ?3 AND number = ?4";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_int(&q, op->number);
	rc = query_step(&q, err);
	if (rc > 0) {
		out->aid = query_get_int(&q);
		rc = meta_get_task_state(&q, &out->state, &out->result, err);
		out->pid = (pid_t)query_get_int(&q);
	} else if (rc == 0) {
		rc = err_set(
		    err, ERR_SYS,
		    "run %s has no attempt %u of task %s (map %d) in the database",
		    op->run, (unsigned)op->number, op->task, (int)op->map);
	}
	query_end(&q);
	return rc;
}

static struct meta_note
note_of(const struct batch_run *run, const struct meta_op *op, const char *event)
{
	return (struct meta_note){.at_us = op->at_us,
				  .rid = run->rid,
				  .task = op->task,
				  .map = op->map,
				  .number = op->number,
				  .event = event,
				  .reason = op->reason};
}

/* ---- insert ---- */

static int
insert_attempt(struct meta *m, int64_t rid, const struct meta_op *op, int64_t *aid,
	       struct err *err)
{
	static const char sql[] =
	    "INSERT INTO attempt (run, task, map, number, id, epoch, boot_id, executor, "
	    "dir, state, reason, created_us, wake_us, handle, result, started_us, "
	    "ended_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
	    "RETURNING aid";
	bool known = op->kind == META_OP_ATTEMPT_KNOWN;
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_int(&q, op->number);
	query_put_text(&q, op->attempt_id);
	query_put_int(&q, op->epoch);
	query_put_text(&q, op->boot_id);
	query_put_text(&q, op->executor);
	query_put_text(&q, op->dir);
	query_put_text(&q, task_state_name(known ? TASK_DONE : TASK_PREPARING));
	query_put_text(&q, op->reason);
	query_put_int(&q, op->at_us);
	query_put_int(&q, op->wake_us);
	query_put_text(&q, op->handle);
	query_put_text(&q, task_result_name(known ? op->task_result : RESULT_NONE));
	query_put_int(&q, known ? op->started_us : 0);
	query_put_int(&q, known ? op->ended_us : 0);
	rc = query_step(&q, err);
	if (rc > 0)
		*aid = query_get_int(&q);
	query_end(&q);
	return rc > 0 ? 0 : -1;
}

static int
insert_locks(struct meta *m, int64_t aid, const struct meta_op *op, struct err *err)
{
	static const char sql[] = "INSERT INTO path_lock (write, path, aid) "
				  "VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
	struct query q;
	size_t i;

	for (i = 0; i < op->npaths; i++) {
		if (query_start(&q, &m->db, sql, err) != 0)
			return -1;
		query_put_int(&q, op->paths[i].write);
		query_put_text(&q, op->paths[i].path);
		query_put_int(&q, aid);
		if (query_run(&q, err) < 0)
			return -1;
	}
	return 0;
}

static int
task_begins(struct meta *m, int64_t rid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "UPDATE task SET state = ?4, result = ?12, attempt = ?5, tries = ?6, "
	    "next_try_us = ?7, ended_us = ?9, reason = ?10, "
	    "started_us = CASE WHEN ?8 <> 0 THEN ?8 WHEN started_us <> 0 THEN started_us "
	    "ELSE ?11 END "
	    "WHERE run = ?1 AND name = ?2 AND map = ?3 AND attempt < ?5";
	bool known = op->kind == META_OP_ATTEMPT_KNOWN;
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_text(&q, task_state_name(known ? TASK_DONE : TASK_PREPARING));
	query_put_int(&q, op->number);
	query_put_int(&q, op->tries);
	query_put_int(&q, op->next_try_us);
	query_put_int(&q, op->started_us);
	query_put_int(&q, op->ended_us);
	query_put_text(&q, op->reason);
	query_put_int(&q, op->at_us);
	query_put_text(&q, task_result_name(known ? op->task_result : RESULT_NONE));
	rc = query_run(&q, err);
	if (rc == 0)
		return err_set(
		    err, ERR_SYS,
		    "run %s has no task %s (map %d) in the database, or an attempt "
		    "%u of it already",
		    op->run, op->task, (int)op->map, (unsigned)op->number);
	return rc < 0 ? -1 : 0;
}

/* The task stays ready, with the reason why. */
static int
blocked(struct meta *m, const struct batch_run *run, const struct meta_op *op,
	struct err *err)
{
	static const char sql[] = "UPDATE task SET state = ?4, result = '', reason = ?5 "
				  "WHERE run = ?1 AND name = ?2 AND map = ?3";
	struct meta_note note = note_of(run, op, task_state_name(TASK_READY));
	struct task_row row;
	struct query q;

	if (meta_task_row(m, run->rid, op, op->blocked_by, &row, err) != 0)
		return -1;
	if (row.state == TASK_READY && row.same_reason)
		return 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, run->rid, op);
	query_put_text(&q, task_state_name(TASK_READY));
	query_put_text(&q, op->blocked_by);
	if (query_run(&q, err) < 0)
		return -1;
	note.number = row.attempt;
	note.reason = op->blocked_by;
	return meta_event_add(m, &note, err);
}

int
meta_op_attempt_insert(struct meta *m, struct batch_run *run, struct meta_op *op,
		       struct err *err)
{
	struct meta_note note = note_of(run, op, task_state_name(TASK_PREPARING));
	int64_t aid;
	int rc;

	rc = meta_guard(m, op, err);
	if (rc != 0)
		return rc < 0 ? -1 : blocked(m, run, op, err);
	/* The task first: its row also says whether there is one. */
	if (task_begins(m, run->rid, op, err) != 0 ||
	    insert_attempt(m, run->rid, op, &aid, err) != 0 ||
	    insert_locks(m, aid, op, err) != 0)
		return -1;
	return meta_event_add(m, &note, err);
}

/* ---- update ---- */

/* The task's row follows the state of its latest attempt. */
static int
task_follows(struct meta *m, int64_t rid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "UPDATE task SET state = ?5 WHERE run = ?1 AND name = ?2 AND map = ?3 "
	    "AND attempt = ?4 AND result = ''";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	meta_put_task(&q, rid, op);
	query_put_int(&q, op->number);
	query_put_text(&q, task_state_name(op->task_state));
	return query_run(&q, err) < 0 ? -1 : 0;
}

int
meta_op_attempt_update(struct meta *m, struct batch_run *run, const struct meta_op *op,
		       struct err *err)
{
	static const char sql[] =
	    "UPDATE attempt SET state = ?2, handle = coalesce(?3, handle), "
	    "pid = CASE WHEN ?4 <> 0 THEN ?4 ELSE pid END, "
	    "started_us = CASE WHEN ?5 <> 0 THEN ?5 ELSE started_us END, "
	    "why = coalesce(?6, why) WHERE aid = ?1";
	struct meta_note note = note_of(run, op, task_state_name(op->task_state));
	struct attempt_row row;
	struct query q;
	bool changed;

	if (read_attempt(m, run->rid, op, &row, err) != 0)
		return -1;
	if (row.result != RESULT_NONE)
		return 0; /* it has ended in the meantime */
	/* TASK_WAITING, which no attempt is in: only the other columns. */
	changed = op->task_state != TASK_WAITING && op->task_state != row.state;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, row.aid);
	query_put_text(&q, task_state_name(changed ? op->task_state : row.state));
	query_put_text(&q, op->handle);
	query_put_int(&q, op->pid);
	query_put_int(&q, op->started_us);
	query_put_text(&q, op->why);
	if (query_run(&q, err) < 0)
		return -1;
	if (!changed)
		return 0;
	if (task_follows(m, run->rid, op, err) != 0)
		return -1;
	return meta_event_add(m, &note, err);
}

/* ---- end ---- */

static int
end_row(struct meta *m, int64_t aid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "UPDATE attempt SET state = ?2, result = ?3, cause = ?4, reason = ?5, "
	    "exit_status = ?6, exit_signal = ?7, ended_us = ?8, user_us = ?9, sys_us = "
	    "?10, "
	    "maxrss_kib = ?11, log_bytes = ?12, survivors = ?13, oom = ?14, "
	    "started_us = CASE WHEN ?15 <> 0 THEN ?15 ELSE started_us END, "
	    "pid = CASE WHEN ?16 <> 0 THEN ?16 ELSE pid END, mem_peak_kib = ?17 "
	    "WHERE aid = ?1";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, aid);
	query_put_text(&q, task_state_name(TASK_DONE));
	query_put_text(&q, task_result_name(op->task_result));
	query_put_text(&q, op->cause);
	query_put_text(&q, op->reason);
	query_put_int(&q, op->exit_status);
	query_put_int(&q, op->exit_signal);
	query_put_int(&q, op->ended_us != 0 ? op->ended_us : op->at_us);
	query_put_int(&q, op->user_us);
	query_put_int(&q, op->sys_us);
	query_put_int(&q, op->maxrss_kib);
	query_put_int(&q, op->log_bytes);
	query_put_int(&q, op->survivors);
	query_put_text(&q, op->oom);
	query_put_int(&q, op->started_us);
	query_put_int(&q, op->pid);
	query_put_int(&q, op->mem_peak_kib);
	return query_run(&q, err) < 0 ? -1 : 0;
}

static int
release_locks(struct meta *m, int64_t aid, struct err *err)
{
	struct query q;

	if (query_start(&q, &m->db, "DELETE FROM path_lock WHERE aid = ?", err) != 0)
		return -1;
	query_put_int(&q, aid);
	return query_run(&q, err) < 0 ? -1 : 0;
}

static int
insert_outputs(struct meta *m, int64_t aid, const struct meta_op *op, struct err *err)
{
	/* Of one key the last value counts, as in the file they come from. */
	static const char sql[] = "INSERT INTO output (aid, key, val) VALUES (?, ?, ?) "
				  "ON CONFLICT DO UPDATE SET val = excluded.val";
	struct query q;
	size_t i;

	for (i = 0; i < op->noutputs; i++) {
		if (query_start(&q, &m->db, sql, err) != 0)
			return -1;
		query_put_int(&q, aid);
		query_put_text(&q, op->outputs[i].key);
		query_put_textn(&q, op->outputs[i].val, op->outputs[i].len);
		if (query_run(&q, err) < 0)
			return -1;
	}
	return 0;
}

static int
insert_produced(struct meta *m, int64_t rid, const struct meta_op *op, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO produced (dag, task, path, is_dir, run, at_us) "
	    "SELECT dag, ?2, ?3, ?4, id, ?5 FROM run WHERE rid = ?1 "
	    "ON CONFLICT DO UPDATE SET is_dir = excluded.is_dir, run = excluded.run, "
	    "at_us = excluded.at_us";
	struct query q;
	size_t i;

	for (i = 0; i < op->nproduced; i++) {
		if (query_start(&q, &m->db, sql, err) != 0)
			return -1;
		query_put_int(&q, rid);
		query_put_text(&q, op->task);
		query_put_text(&q, op->produced[i].path);
		query_put_int(&q, op->produced[i].write);
		query_put_int(&q, op->at_us);
		if (query_run(&q, err) < 0)
			return -1;
	}
	return 0;
}

int
meta_op_attempt_end(struct meta *m, struct batch_run *run, const struct meta_op *op,
		    struct err *err)
{
	bool well = op->task_result == RESULT_SUCCESS || op->task_result == RESULT_CACHED;
	struct meta_note note = note_of(run, op, task_result_name(op->task_result));
	struct attempt_row row;
	struct task_row task;

	if (read_attempt(m, run->rid, op, &row, err) != 0)
		return -1;
	if (row.result != RESULT_NONE)
		return err_set(err, ERR_SYS,
			       "attempt %u of task %s of run %s has ended already (%s)",
			       (unsigned)op->number, op->task, op->run,
			       task_result_name(row.result));
	if (end_row(m, row.aid, op, err) != 0 ||
	    meta_torn_note(m, row.aid, row.pid, op, err) != 0 ||
	    release_locks(m, row.aid, err) != 0)
		return -1;
	if (well && (insert_outputs(m, row.aid, op, err) != 0 ||
		     insert_produced(m, run->rid, op, err) != 0 ||
		     meta_stage_keep(m, run, op, err) != 0))
		return -1;
	if (meta_task_row(m, run->rid, op, NULL, &task, err) != 0)
		return -1;
	if (task.attempt == op->number && task.result == op->task_result)
		return 0;
	if (note.reason == NULL)
		note.reason = op->cause;
	return meta_event_add(m, &note, err);
}

/* ---- a result that was there ---- */

int
meta_op_attempt_known(struct meta *m, struct batch_run *run, const struct meta_op *op,
		      struct err *err)
{
	struct meta_note note = note_of(run, op, task_result_name(op->task_result));
	int64_t aid;

	if (task_begins(m, run->rid, op, err) != 0 ||
	    insert_attempt(m, run->rid, op, &aid, err) != 0 ||
	    insert_outputs(m, aid, op, err) != 0 ||
	    insert_produced(m, run->rid, op, err) != 0 ||
	    meta_stage_keep(m, run, op, err) != 0)
		return -1;
	return meta_event_add(m, &note, err);
}
