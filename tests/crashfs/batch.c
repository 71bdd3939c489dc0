/* The owner's batches. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "work.h"

static const char *const path_names[] = {"data",     "data/raw", "data/raw/x.csv",
					 "data/out", "model",	 "model/a.bin",
					 "report",   "mail.txt"};

void
batch_ended(void *ctx)
{
	struct player *w = ctx;

	record_ack(); /* before the thread goes on to tidy up */
	(void)pthread_mutex_lock(&w->mutex);
	w->ended = true;
	(void)pthread_cond_signal(&w->cond);
	(void)pthread_mutex_unlock(&w->mutex);
}

static void
commit_by_thread(struct player *w)
{
	struct err err = {0};
	int rc = -1;

	w->ended = false;
	meta_writer_submit(w->writer, w->ops, w->nops);
	(void)pthread_mutex_lock(&w->mutex);
	while (!w->ended)
		(void)pthread_cond_wait(&w->cond, &w->mutex);
	(void)pthread_mutex_unlock(&w->mutex);
	if (meta_writer_result(w->writer, &rc, NULL, &err) != 1)
		die("the writer has no result");
	work_must(rc, &err);
	while (!meta_writer_resting(w->writer))
		(void)usleep(100);
	work_remember(w);
}

static void
commit(struct player *w)
{
	struct err err = {0};

	if (w->nops == 0)
		return;
	if (w->writer != NULL) {
		commit_by_thread(w);
	} else {
		work_must(meta_commit(w->m, w->ops, w->nops, NULL, &err), &err);
		work_acknowledged(w);
	}
	w->nops = 0;
}

static struct meta_op *
op(struct player *w, struct played_run *r, enum meta_op_kind kind, unsigned task)
{
	struct meta_op *o = &w->ops[w->nops++];

	if (w->nops > BATCH_MAX)
		die("a batch too long");
	memset(o, 0, sizeof(*o));
	o->kind = kind;
	o->run = r->id;
	o->epoch = r->epoch;
	o->task = work_tasks[task];
	o->map = -1;
	o->number = r->tasks[task].number;
	o->at_us = w->now += 1000;
	return o;
}

/* A task of ${r} whose attempt lives, or that has none; TASKS: there is none. */
static unsigned
some_task(struct player *w, const struct played_run *r, bool lives)
{
	unsigned i, from = work_below(w, TASKS);

	for (i = 0; i < TASKS; i++)
		if (r->tasks[(from + i) % TASKS].lives == lives)
			return (from + i) % TASKS;
	return TASKS;
}

static struct meta_op *
add_insert(struct player *w, struct played_run *r, unsigned task)
{
	struct meta_op *o = op(w, r, META_OP_ATTEMPT_INSERT, task);
	struct meta_path *paths = w->paths[w->nops - 1];
	unsigned i, n = work_below(w, PATHS);

	o->number++;
	o->attempt_id = "0193b7c4-0000-7000-8000-000000000000";
	o->boot_id = BOOT;
	o->executor = "local";
	o->dir = "runs/x/a.-1.1";
	for (i = 0; i < n; i++) {
		paths[i].path =
		    path_names[work_below(w, sizeof(path_names) / sizeof(path_names[0]))];
		paths[i].write = work_below(w, 2) != 0;
	}
	o->paths = paths;
	o->npaths = n;
	return o;
}

static void
add_end(struct player *w, struct played_run *r, unsigned task)
{
	static const enum task_result results[] = {
	    RESULT_SUCCESS, RESULT_SUCCESS, RESULT_FAILED, RESULT_LOST, RESULT_CANCELLED};
	enum task_result result = results[work_below(w, 5)];
	struct meta_op *o = op(w, r, META_OP_ATTEMPT_END, task);
	struct meta_kv *kv = w->outputs[w->nops - 1];

	o->task_result = result;
	o->cause = "exit";
	o->exit_status = result == RESULT_SUCCESS ? 0 : 1;
	o->pid = 7;
	o->mem_peak_kib = work_below(w, 2) * 1000;
	if (result == RESULT_SUCCESS) {
		kv[0] = (struct meta_kv){.key = "rows", .val = "17", .len = 2};
		kv[1] = (struct meta_kv){.key = "text", .val = w->text};
		kv[1].len = strlen(w->text) / 4;
		o->outputs = kv;
		o->noutputs = 2;
		w->paths[w->nops - 1][0] =
		    (struct meta_path){.path = path_names[task], .write = false};
		o->produced = w->paths[w->nops - 1];
		o->nproduced = 1;
	}
	r->tasks[task].lives = false;
	o = op(w, r, META_OP_TASK, task);
	o->task_state = TASK_DONE;
	o->task_result = result;
	o->ended_us = w->now;
	o->reason = result == RESULT_LOST ? "nobody knows" : NULL;
}

void
batch_begin(struct player *w, bool hand_over)
{
	struct played_run *r = work_run(w);
	unsigned ends, begins;
	struct meta_op *o;

	if (r == NULL)
		return;
	begins = some_task(w, r, false);
	ends = some_task(w, r, true);
	if (hand_over && ends < TASKS)
		add_end(w, r, ends);
	if (begins == TASKS) {
		commit(w);
		return;
	}
	o = add_insert(w, r, begins);
	commit(w);
	if (!o->blocked) {
		r->tasks[begins].number++;
		r->tasks[begins].lives = true;
	}
}

static void
on_living(struct player *w, bool end)
{
	struct played_run *r = work_run(w);
	unsigned task = r != NULL ? some_task(w, r, true) : TASKS;
	struct meta_op *o;

	if (task == TASKS)
		return;
	if (end) {
		add_end(w, r, task);
	} else {
		o = op(w, r, META_OP_ATTEMPT_UPDATE, task);
		o->task_state = TASK_RUNNING;
		o->pid = 4711;
		o->handle = "{\"pid\":4711}";
	}
	commit(w);
}

void
batch_update(struct player *w)
{
	on_living(w, false);
}

void
batch_end(struct player *w)
{
	on_living(w, true);
}

void
batch_event(struct player *w)
{
	struct played_run *r = work_run(w);
	struct meta_op *o;

	if (r == NULL)
		return;
	o = op(w, r, META_OP_EVENT, work_below(w, TASKS));
	o->event = "metric";
	o->detail = work_text(w);
	commit(w);
}

/* The negative control: the row, and then its event, each durable by itself. */
static void
end_in_halves(struct player *w, const struct played_run *r)
{
	char sql[400];
	struct err err = {0};

	(void)snprintf(
	    sql, sizeof(sql),
	    "BEGIN IMMEDIATE; UPDATE run SET state = 'done', result = 'success' "
	    "WHERE id = '%s'; COMMIT; BEGIN IMMEDIATE; INSERT INTO event (at_us, "
	    "run, map, number, event) SELECT 1, rid, -1, 0, 'success' FROM run "
	    "WHERE id = '%s'; COMMIT",
	    r->id, r->id);
	work_must(db_script(&w->m->db, sql, &err), &err);
	work_acknowledged(w);
}

void
batch_end_run(struct player *w)
{
	struct played_run *r = work_run(w);
	struct meta_op *o;
	unsigned i;

	if (r == NULL || w->nruns < 2)
		return;
	for (i = 0; i < TASKS; i++)
		if (r->tasks[i].lives)
			add_end(w, r, i);
	r->done = true;
	if (w->work->halves) {
		commit(w);
		end_in_halves(w, r);
		return;
	}
	o = op(w, r, META_OP_RUN, 0);
	o->run_state = RUN_DONE;
	o->run_result = work_below(w, 2) != 0 ? RUN_SUCCESS : RUN_FAILED;
	o->ended_us = w->now;
	commit(w);
}

/* Who owned a run before says something of it. */
void
batch_stale(struct player *w)
{
	struct played_run *r = work_run(w);
	struct meta_op *o;

	if (r == NULL)
		return;
	o = op(w, r, META_OP_RUN, 0);
	o->epoch--;
	o->run_state = RUN_DONE;
	o->run_result = RUN_CANCELLED;
	commit(w);
	if (!o->stale)
		die("a stale batch was carried out");
}

void
batch_answer(struct player *w)
{
	struct played_run *r = work_run(w);
	struct meta_op *o;

	if (r == NULL || r->command == 0)
		return;
	o = op(w, r, META_OP_COMMAND_DONE, 0);
	o->command = r->command;
	o->reason = "done";
	r->command = 0;
	commit(w);
}
