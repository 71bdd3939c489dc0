#include "cli/status.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "store/meta.h"
#include "store/owner.h"

const char *
status_of_run(const struct project *p, const struct meta_run *run)
{
	struct owner_info info;

	if (run->state == RUN_DONE)
		return run_result_name(run->result);
	/* Where the lock cannot be looked at, the row is all that is known. */
	if (owner_look(p, run->id, &info, NULL) == 0 && !info.held)
		return "interrupted";
	return "running";
}

int64_t
status_run_began(const struct meta_run *run)
{
	return run->started_us != 0 ? run->started_us : run->created_us;
}

void
status_attempt_span(const struct meta_attempt *at, int64_t *from, int64_t *to)
{
	*from = at->started_us != 0 ? at->started_us : at->created_us;
	*to = at->ended_us;
}

const char *
status_of_task(enum task_state state, enum task_result result, bool selected)
{
	if (!selected)
		return "deselected";
	if (state != TASK_DONE)
		return task_state_name(state);
	return result == RESULT_CACHED ? "unchanged" : task_result_name(result);
}

const char *
status_for_people(enum task_state state, enum task_result result, bool selected,
		  bool allowed)
{
	if (allowed && selected && state == TASK_DONE) {
		if (result == RESULT_FAILED)
			return "failed (allowed)";
		if (result == RESULT_LOST)
			return "lost (allowed)";
	}
	return status_of_task(state, result, selected);
}

const char *
status_ansi(const char *status)
{
	static const struct {
		const char *status, *ansi;
	} colors[] = {
	    {"success", "32"},	       {"unchanged", "32"},
	    {"running", "36"},	       {"preparing", "36"},
	    {"starting", "36"},	       {"committing", "36"},
	    {"failed", "31"},	       {"lost", "31"},
	    {"upstream_failed", "33"}, {"cancelled", "33"},
	    {"interrupted", "33"},     {"up_for_retry", "33"},
	    {"skipped", "2"},	       {"deselected", "2"},
	    {"waiting", "2"},	       {"failed (allowed)", "33"},
	    {"lost (allowed)", "33"},
	};
	size_t i;

	for (i = 0; status != NULL && i < sizeof(colors) / sizeof(colors[0]); i++)
		if (strcmp(colors[i].status, status) == 0)
			return colors[i].ansi;
	return NULL;
}

/* Text of the database that is JSON, or null. */
static void
kv_raw(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	if (text == NULL || *text == '\0')
		json_put_null(w);
	else
		json_raw(w, text, strlen(text));
}

static void
kv_elapsed(struct json_writer *w, int64_t from, int64_t to)
{
	json_key(w, "duration_s");
	if (from == 0 || to < from)
		json_put_null(w);
	else
		json_double(w, (double)(to - from) / 1e6);
}

void
status_run_members(struct json_writer *w, const struct meta_run *r, const char *status)
{
	json_kv_str(w, "run", r->id);
	json_kv_str(w, "dag", r->dag);
	json_kv_str(w, "status", status);
	json_kv_str(w, "state", run_state_name(r->state));
	json_kv_str(w, "result",
		    r->state == RUN_DONE ? run_result_name(r->result) : NULL);
	json_kv_str(w, "reason", r->reason);
	json_kv_str(w, "kind", r->kind);
	json_kv_str(w, "partition", r->partition);
	json_kv_str(w, "file", r->file);
	json_kv_str(w, "definition", r->def_hash);
	kv_raw(w, "params", r->params);
	kv_raw(w, "options", r->options);
	json_kv_time(w, "logical_date", r->logical_us);
	json_kv_time(w, "data_interval_start", r->interval_start_us);
	json_kv_time(w, "data_interval_end", r->interval_end_us);
	json_kv_time(w, "created_at", r->created_us);
	json_kv_time(w, "started_at", r->started_us);
	json_kv_time(w, "ended_at", r->ended_us);
	kv_elapsed(w, r->started_us, r->ended_us);
	json_kv_time(w, "deadline", r->deadline_us);
	json_kv_int(w, "epoch", r->epoch);
	json_kv_str(w, "git_commit", r->git_commit);
	if (r->git_dirty >= 0)
		json_kv_bool(w, "git_dirty", r->git_dirty != 0);
	else
		json_kv_str(w, "git_dirty", NULL);
}

void
status_put_commit(struct buf *b, const struct meta_run *r)
{
	buf_addf(b, "%.12s", r->git_commit != NULL ? r->git_commit : "");
	if (r->git_commit != NULL && r->git_dirty > 0)
		buf_adds(b, " + changes");
}

void
status_task_json(struct json_writer *w, const struct meta_task *t)
{
	json_begin_object(w);
	status_task_members(w, t);
	json_end(w);
}

void
status_task_members(struct json_writer *w, const struct meta_task *t)
{
	json_kv_str(w, "task", t->name);
	json_kv_int(w, "map", t->map);
	json_kv_str(w, "status", status_of_task(t->state, t->result, t->selected));
	json_kv_bool(w, "selected", t->selected);
	json_kv_str(w, "state", task_state_name(t->state));
	json_kv_str(w, "result",
		    t->state == TASK_DONE ? task_result_name(t->result) : NULL);
	json_kv_str(w, "reason", t->reason);
	json_kv_int(w, "attempt", t->attempt);
	json_kv_int(w, "tries", t->tries);
	json_kv_time(w, "next_try_at", t->next_try_us);
	json_kv_time(w, "started_at", t->started_us);
	json_kv_time(w, "ended_at", t->ended_us);
	kv_elapsed(w, t->started_us, t->ended_us);
}

void
status_attempt_json(struct json_writer *w, const struct meta_attempt *a)
{
	json_begin_object(w);
	json_kv_str(w, "task", a->task);
	json_kv_int(w, "map", a->map);
	json_kv_int(w, "attempt", a->number);
	json_kv_str(w, "id", a->id);
	json_kv_str(w, "status", status_of_task(a->state, a->result, true));
	json_kv_str(w, "state", task_state_name(a->state));
	json_kv_str(w, "result",
		    a->state == TASK_DONE ? task_result_name(a->result) : NULL);
	json_kv_str(w, "cause", a->cause);
	json_kv_str(w, "reason", a->reason);
	json_kv_str(w, "executor", a->executor);
	json_kv_int(w, "pid", a->pid);
	json_kv_str(w, "dir", a->dir);
	json_key(w, "exit_status");
	if (a->state == TASK_DONE && a->exit_status >= 0)
		json_int(w, a->exit_status);
	else
		json_put_null(w);
	json_key(w, "exit_signal");
	if (a->exit_signal > 0)
		json_int(w, a->exit_signal);
	else
		json_put_null(w);
	json_kv_time(w, "created_at", a->created_us);
	json_kv_time(w, "started_at", a->started_us);
	json_kv_time(w, "ended_at", a->ended_us);
	kv_elapsed(w, a->started_us, a->ended_us);
	json_kv_time(w, "wake_at", a->wake_us);
	json_kv_int(w, "user_us", a->user_us);
	json_kv_int(w, "sys_us", a->sys_us);
	json_kv_int(w, "maxrss_kib", a->maxrss_kib);
	json_kv_int(w, "mem_peak_kib", a->mem_peak_kib);
	json_kv_int(w, "log_bytes", a->log_bytes);
	json_kv_int(w, "survivors", a->survivors);
	json_kv_str(w, "oom", a->oom);
	json_kv_str(w, "boot_id", a->boot_id);
	json_kv_int(w, "epoch", a->epoch);
	json_end(w);
}
