/*
 * dag explain: why a run or a task is as it is.
 */
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/opts.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"

struct explain_opts {
	bool json;
};

static const struct opt explain_opts[] = {
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct explain_opts, json),
     .doc = "Write the facts as a JSON object: the run with its owner and each task, or "
	    "the task, with what it waits for, who holds its path, and the sentences."},
    {.name = NULL}};

/* That a task has become ready is no row of its own: it waits for nothing any more. */
static void
find_ready(struct explain *x)
{
	const struct meta_task *up;
	size_t i, k, n;
	bool open;

	for (i = 0; i < x->ntasks; i++) {
		struct meta_task *t = &x->tasks[i];

		if (t->state != TASK_WAITING || explain_model(x, t) == NULL)
			continue;
		n = explain_ups(x, t);
		for (open = false, k = 0; k < n && !open; k++) {
			up = explain_up(x, t, k);
			open = up != NULL && up->selected && explain_open(up);
		}
		if (!open)
			t->state = TASK_READY;
	}
}

static int
gather(struct explain *x, const char *ref, struct err *err)
{
	struct arena *a;
	size_t i;

	if (place_run(&x->place, ref, &x->run, err) != 0)
		return -1;
	a = x->place.arena;
	x->status = status_of_run(x->place.project, &x->run);
	x->interrupted = strcmp(x->status, "interrupted") == 0;
	x->now_us = clock_now().wall_us;
	if (x->run.state != RUN_DONE &&
	    owner_look(x->place.project, x->run.id, &x->owner, NULL) != 0)
		x->owner.held = false;
	if (meta_tasks(x->place.meta, x->run.id, a, &x->tasks, &x->ntasks, err) != 0 ||
	    meta_attempts(x->place.meta, x->run.id, a, &x->attempts, &x->nattempts,
			  err) != 0)
		return -1;
	for (i = 0; i < x->ntasks; i++)
		if (map_put(&x->by_name, x->tasks[i].name, &x->tasks[i]) < 0)
			return err_nomem(err);
	for (i = x->nattempts; i-- > 0;)
		if (map_put(&x->attempts_of, x->attempts[i].task, &x->attempts[i]) < 0)
			return err_nomem(err);
	/* Without it only the upstreams and what is allowed are missing. */
	if (place_definition(&x->place, &x->run, &x->dag, err) != 0)
		return -1;
	find_ready(x);
	return 0;
}

/* ---- JSON ---- */

static void
put_waits(struct explain *x, struct json_writer *w, const struct meta_task *t)
{
	size_t i, n = explain_ups(x, t);
	const struct meta_task *up;

	json_key(w, "waits_for");
	json_begin_array(w);
	for (i = 0; explain_open(t) && i < n; i++)
		if ((up = explain_up(x, t, i)) != NULL && up->selected &&
		    explain_open(up))
			json_str(w, up->name);
	json_end(w);
	json_key(w, "because_of");
	json_begin_array(w);
	for (up = explain_cause(x, t); up != NULL; up = explain_cause(x, up))
		json_str(w, up->name);
	json_end(w);
}

static void
put_holder(struct explain *x, struct json_writer *w, const struct meta_task *t)
{
	struct explain_holder h;

	json_key(w, "blocked_by");
	if (!explain_holder(x, t, &h)) {
		json_put_null(w);
		return;
	}
	json_begin_object(w);
	json_kv_str(w, "path", h.path);
	json_kv_str(w, "task", h.task);
	json_kv_str(w, "run", h.run.dag != NULL ? h.run.id : NULL);
	json_kv_str(w, "dag", h.run.dag);
	json_kv_time(w, "since", h.since_us);
	json_end(w);
}

static void
put_text(struct json_writer *w, struct buf *text)
{
	json_key(w, "text");
	json_strn(w, text->n > 0 ? text->p : "", text->n);
	buf_release(text);
}

static void
put_task(struct explain *x, struct json_writer *w, const struct meta_task *t)
{
	struct buf text;

	json_begin_object(w);
	status_task_members(w, t);
	put_waits(x, w, t);
	put_holder(x, w, t);
	buf_init(&text, 0);
	explain_task(x, t, &text, false);
	put_text(w, &text);
	json_end(w);
}

static void
put_json(struct explain *x, const struct meta_task *t)
{
	struct json_writer w;
	struct buf text;
	size_t i;

	json_init(&w, &x->c->out, 2);
	if (t != NULL) {
		put_task(x, &w, t);
	} else {
		json_begin_object(&w);
		status_run_members(&w, &x->run, x->status);
		json_key(&w, "owner");
		if (x->owner.held) {
			json_begin_object(&w);
			json_kv_int(&w, "pid", x->owner.pid);
			json_kv_bool(&w, "stopped", x->owner.state == 'T');
			json_end(&w);
		} else {
			json_put_null(&w);
		}
		buf_init(&text, 0);
		explain_run(x, &text);
		put_text(&w, &text);
		json_key(&w, "tasks");
		json_begin_array(&w);
		for (i = 0; i < x->ntasks; i++)
			put_task(x, &w, &x->tasks[i]);
		json_end(&w);
		json_end(&w);
	}
	buf_addc(&x->c->out, '\n');
}

/* ---- the verb ---- */

static int
explain(struct explain *x, bool json, struct err *err)
{
	const char *name = x->c->nargs > 1 ? x->c->args[1] : NULL;
	const struct meta_task *t = NULL;
	struct buf *b = &x->c->out;

	if (gather(x, x->c->args[0], err) != 0)
		return -1;
	if (name != NULL && (t = map_get(&x->by_name, name)) == NULL)
		return place_no_task(&x->run, x->tasks, x->ntasks, name, err);
	if (json) {
		put_json(x, t);
		return 0;
	}
	if (t == NULL) {
		explain_run(x, b);
	} else {
		explain_task(x, t, b, true);
		if (x->run.state != RUN_DONE) {
			explain_owner(x, b);
		} else if (explain_ended_badly(t) ||
			   t->result == RESULT_UPSTREAM_FAILED) {
			explain_command(x, b, "retry", NULL);
			buf_adds(b, " runs it again, with what follows it.\n");
		}
	}
	text_wrap(b, 0, cli_width(STDOUT_FILENO));
	return 0;
}

static int
explain_verb(struct cli *c, const void *opts)
{
	const struct explain_opts *o = opts;
	struct explain x = {.c = c};
	struct err err = {0};
	int rc = EXIT_OK;

	if (place_open(c, &x.place, &err) != 0 || explain(&x, o->json, &err) != 0)
		rc = cli_fail(c, &err);
	map_release(&x.by_name);
	map_release(&x.attempts_of);
	dag_free(x.dag);
	place_close(&x.place);
	return rc;
}

const struct verb verb_explain = {
    .name = "explain",
    .group = GROUP_LOOK,
    .summary = "say why a run or a task is as it is",
    .args = "RUN [TASK]",
    .min = 1,
    .max = 2,
    .doc =
	"Say in sentences how TASK stands and why: what it waits for and how that "
	"stands, which task of which run holds a path that it reads or writes and since "
	"when, whether it waits for a slot, when it is tried again, why it was skipped, "
	"or how it ended, with the end of its log and the chain of tasks that led to "
	"it. Without TASK: the run, what came in its way, and what to do.",
    .examples = "dag explain last\twhat is going on\n"
		"dag explain last train\twhy does it not start\n",
    .opts = explain_opts,
    .size = sizeof(struct explain_opts),
    .run = explain_verb,
};
