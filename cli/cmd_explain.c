/*
 * dag explain: why a task is as it is.
 */
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/num.h"
#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/cgroup.h"
#include "scheduler/dag.h"
#include "store/owner.h"

#define TASKS_MAX 50 /* told of a run; a single task can always be asked for */

struct explain {
	struct cli *c;
	struct place place;
	struct meta_run run;
	const char *status; /* of the run */
	struct meta_task *tasks;
	struct meta_attempt *attempts;
	size_t ntasks, nattempts;
	struct map by_name; /* task name -> struct meta_task */
	struct dag *dag;    /* the run's snapshot; NULL: it does not load any more */
	int64_t now_us;
};

static const struct meta_attempt *
latest_attempt(const struct explain *x, const struct meta_task *t)
{
	size_t i;

	for (i = x->nattempts; i > 0; i--)
		if (strcmp(x->attempts[i - 1].task, t->name) == 0 &&
		    x->attempts[i - 1].map == t->map)
			return &x->attempts[i - 1];
	return NULL;
}

static const char *
word_of(const struct explain *x, const struct meta_task *t)
{
	const struct dag_task *model =
	    x->dag != NULL ? dag_task_find(x->dag, t->name) : NULL;

	return status_for_people(t->state, t->result, t->selected,
				 model != NULL && model->allow_failure);
}

static void
put_since(struct explain *x, const char *before, int64_t us, const char *after)
{
	if (us == 0 || us > x->now_us)
		return;
	buf_adds(&x->c->out, before);
	num_put_duration(&x->c->out, x->now_us - us);
	buf_adds(&x->c->out, after);
}

static bool
has_reason(const char *reason)
{
	return reason != NULL && *reason != '\0';
}

/* One upstream: "    clean: running for 12s". */
static void
put_upstream(struct explain *x, const struct meta_task *t)
{
	buf_addf(&x->c->out, "    %s: %s", t->name, word_of(x, t));
	if (t->state == TASK_RUNNING)
		put_since(x, " for ", t->started_us, "");
	if (t->attempt > 1)
		buf_addf(&x->c->out, " (attempt %u)", t->attempt);
	if (has_reason(t->reason))
		buf_addf(&x->c->out, ", %s", t->reason);
	buf_addc(&x->c->out, '\n');
}

/* The upstreams that fit: those still to come, or those that have not ended well. */
static void
put_upstreams(struct explain *x, const struct dag_task *t, const char *title, bool open)
{
	const struct meta_task *up;
	bool titled = false;
	size_t i;

	for (i = 0; t != NULL && i < t->nup; i++) {
		up = map_get(&x->by_name, x->dag->tasks[t->up[i]].name);
		if (up == NULL || !up->selected || (up->state != TASK_DONE) != open)
			continue;
		if (!open &&
		    (up->result == RESULT_SUCCESS || up->result == RESULT_CACHED))
			continue;
		if (!titled)
			buf_addf(&x->c->out, "  %s:\n", title);
		titled = true;
		put_upstream(x, up);
	}
}

static void
put_running(struct explain *x, const struct meta_task *t)
{
	const struct meta_attempt *at = latest_attempt(x, t);
	int64_t from, to;

	if (at == NULL)
		return;
	buf_addf(&x->c->out, "  attempt %u", at->number);
	status_attempt_span(at, &from, &to);
	put_since(x, ", for ", from, "");
	if (at->pid > 0)
		buf_addf(&x->c->out, ", pid %ld", (long)at->pid);
	if (at->wake_us > 0) {
		buf_adds(&x->c->out, ", until ");
		text_when(&x->c->out, at->wake_us);
	}
	buf_addc(&x->c->out, '\n');
	if (strcmp(x->status, "interrupted") == 0 && at->executor != NULL &&
	    strcmp(at->executor, "engine") != 0)
		buf_addf(&x->c->out, "  its process %s\n",
			 place_alive(&x->place, at->dir) == 1
			     ? "is alive: 'dag resume' takes it over"
			     : "is gone: 'dag resume' finds out how it ended");
}

static void
put_retry(struct explain *x, const struct meta_task *t)
{
	const struct meta_attempt *at = latest_attempt(x, t);

	if (at != NULL && has_reason(at->reason))
		buf_addf(&x->c->out, "  attempt %u: %s\n", at->number, at->reason);
	buf_adds(&x->c->out, "  its next try is due ");
	if (t->next_try_us > x->now_us) {
		buf_adds(&x->c->out, "in ");
		num_put_duration(&x->c->out, t->next_try_us - x->now_us);
		buf_adds(&x->c->out, ", at ");
		text_when(&x->c->out, t->next_try_us);
	} else {
		buf_adds(&x->c->out, "now");
	}
	buf_addc(&x->c->out, '\n');
}

static int64_t
memory_of(const struct explain *x, const struct meta_task *t)
{
	const struct dag_task *m = x->dag != NULL ? dag_task_find(x->dag, t->name) : NULL;

	return m != NULL ? m->memory : 0;
}

static void
put_ready(struct explain *x, const struct meta_task *t)
{
	int64_t claimed = 0;
	size_t busy = 0, i;

	for (i = 0; i < x->ntasks; i++)
		if (x->tasks[i].state >= TASK_PREPARING &&
		    x->tasks[i].state <= TASK_COMMITTING) {
			busy++;
			claimed += memory_of(x, &x->tasks[i]);
		}
	if (has_reason(t->reason))
		return;
	if (claimed > 0 && memory_of(x, t) > cgroup_machine_memory() - claimed) {
		buf_adds(&x->c->out,
			 "  all that it needs is done; it waits for memory: it may use ");
		num_put_size(&x->c->out, (uint64_t)memory_of(x, t));
		buf_adds(&x->c->out, ", those at work ");
		num_put_size(&x->c->out, (uint64_t)claimed);
		buf_adds(&x->c->out, ", and there are ");
		num_put_size(&x->c->out, (uint64_t)cgroup_machine_memory());
		buf_addc(&x->c->out, '\n');
		return;
	}
	buf_addf(&x->c->out,
		 "  all that it needs is done; it waits for a free slot: %zu task%s of "
		 "this run at work (-j, max_active_tasks)\n",
		 busy, busy == 1 ? " is" : "s are");
}

/* Of the whole tree where it was measured, else of its largest process. */
static void
put_memory(struct explain *x, const struct meta_attempt *at, const struct dag_task *model)
{
	int64_t kib = at->mem_peak_kib > 0 ? at->mem_peak_kib : at->maxrss_kib;

	if (kib <= 0)
		return;
	buf_adds(&x->c->out, ", at most ");
	num_put_size(&x->c->out, (uint64_t)kib * 1024);
	buf_adds(&x->c->out, " of memory");
	if (model == NULL || model->memory == 0)
		return;
	buf_adds(&x->c->out, " (it may use ");
	num_put_size(&x->c->out, (uint64_t)model->memory);
	buf_addc(&x->c->out, ')');
}

static void
put_ended(struct explain *x, const struct meta_task *t, const struct dag_task *model)
{
	const struct meta_attempt *at = latest_attempt(x, t);
	int64_t from, to;

	if (t->result == RESULT_UPSTREAM_FAILED || t->result == RESULT_SKIPPED)
		put_upstreams(x, model, "what it needs", false);
	if (at == NULL)
		return;
	buf_addf(&x->c->out, "  attempt %u of %u took ", at->number, t->attempt);
	status_attempt_span(at, &from, &to);
	num_put_duration(&x->c->out, to > from ? to - from : 0);
	put_memory(x, at, model);
	if (at->survivors > 0)
		buf_addf(&x->c->out, ", left %u process%s behind", at->survivors,
			 at->survivors == 1 ? "" : "es");
	buf_addc(&x->c->out, '\n');
	if (at->dir != NULL && *at->dir != '\0')
		buf_addf(&x->c->out, "  its log: dag logs %s %s\n",
			 text_short_id(x->run.id), t->name);
}

static void
explain_task(struct explain *x, const struct meta_task *t)
{
	const struct dag_task *model =
	    x->dag != NULL ? dag_task_find(x->dag, t->name) : NULL;

	buf_addf(&x->c->out, "%s: %s", t->name, word_of(x, t));
	if (has_reason(t->reason))
		buf_addf(&x->c->out, ", %s", t->reason);
	buf_addc(&x->c->out, '\n');
	switch (t->state) {
	case TASK_WAITING:
		put_upstreams(x, model, "it waits for", true);
		break;
	case TASK_READY:
		put_ready(x, t);
		break;
	case TASK_PREPARING:
	case TASK_STARTING:
	case TASK_RUNNING:
	case TASK_COMMITTING:
		put_running(x, t);
		break;
	case TASK_UP_FOR_RETRY:
		put_retry(x, t);
		break;
	case TASK_DONE:
		put_ended(x, t, model);
		break;
	case TASK_STATES:
		break;
	}
}

/* Who owns the run, or why nobody does. */
static void
explain_run(struct explain *x)
{
	struct owner_info info;
	struct buf *b = &x->c->out;

	buf_addf(b, "run %s of %s: %s", x->run.id, x->run.dag, x->status);
	if (has_reason(x->run.reason))
		buf_addf(b, ", %s", x->run.reason);
	buf_addc(b, '\n');
	if (x->run.state == RUN_DONE)
		return;
	if (owner_look(x->place.project, x->run.id, &info, NULL) != 0 || !info.held) {
		buf_addf(b, "  nobody owns it: 'dag resume %s' goes on with it\n",
			 text_short_id(x->run.id));
		return;
	}
	buf_addf(b, "  owned by pid %ld%s\n", (long)info.pid,
		 info.state == 'T' ? ", which is stopped: 'kill -CONT' lets it go on"
				   : "");
	if (x->run.deadline_us > x->now_us) {
		buf_adds(b, "  its time is up in ");
		num_put_duration(b, x->run.deadline_us - x->now_us);
		buf_addc(b, '\n');
	}
}

static bool
worth_telling(const struct explain *x, const struct meta_task *t)
{
	if (t->state != TASK_DONE)
		return true;
	if (x->run.state != RUN_DONE && t->result == RESULT_UPSTREAM_FAILED)
		return false;
	return t->result != RESULT_SUCCESS && t->result != RESULT_CACHED && t->selected;
}

static int
unknown_task(struct explain *x, const char *name, struct err *err)
{
	struct suggest s;
	const char *best;
	size_t i;

	suggest_start(&s, name);
	for (i = 0; i < x->ntasks; i++)
		suggest_try(&s, x->tasks[i].name);
	best = suggest_best(&s);
	return err_set(err, ERR_NOTFOUND, "run %s of %s has no task '%s'%s%s%s",
		       text_short_id(x->run.id), x->run.dag, name,
		       best != NULL ? " (did you mean '" : "", best != NULL ? best : "",
		       best != NULL ? "'?)" : "");
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
	x->now_us = clock_now().wall_us;
	if (meta_tasks(x->place.meta, x->run.id, a, &x->tasks, &x->ntasks, err) != 0 ||
	    meta_attempts(x->place.meta, x->run.id, a, &x->attempts, &x->nattempts,
			  err) != 0)
		return -1;
	for (i = 0; i < x->ntasks; i++)
		if (map_put(&x->by_name, x->tasks[i].name, &x->tasks[i]) < 0)
			return err_nomem(err);
	/* Without it only the upstreams and what is allowed are missing. */
	return place_definition(&x->place, &x->run, &x->dag, err);
}

static int
explain(struct explain *x, struct err *err)
{
	const char *name = x->c->nargs > 1 ? x->c->args[1] : NULL;
	const struct meta_task *t;
	size_t i, told = 0, more = 0;

	if (gather(x, x->c->args[0], err) != 0)
		return -1;
	if (name != NULL) {
		t = map_get(&x->by_name, name);
		if (t == NULL)
			return unknown_task(x, name, err);
		explain_task(x, t);
		if (x->run.state != RUN_DONE)
			explain_run(x);
		return 0;
	}
	explain_run(x);
	for (i = 0; i < x->ntasks; i++) {
		if (!worth_telling(x, &x->tasks[i]))
			continue;
		if (told == TASKS_MAX) {
			more++;
			continue;
		}
		buf_addc(&x->c->out, '\n');
		explain_task(x, &x->tasks[i]);
		told++;
	}
	if (more > 0)
		buf_addf(&x->c->out, "\nand %zu more: dag runs %s\n", more,
			 text_short_id(x->run.id));
	if (told == 0)
		buf_adds(&x->c->out, "  all its tasks ended well\n");
	return 0;
}

static int
explain_verb(struct cli *c, const void *opts)
{
	struct explain x = {.c = c};
	struct err err = {0};
	int rc = EXIT_OK;

	(void)opts;
	if (place_open(c, &x.place, &err) != 0 || explain(&x, &err) != 0)
		rc = cli_fail(c, &err);
	text_wrap(&c->out, 0, cli_width(STDOUT_FILENO));
	map_release(&x.by_name);
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
    .doc = "Say how TASK stands and why: what it waits for and how that stands, which "
	   "task of "
	   "which run holds a path that it reads or writes, whether it waits for a slot, "
	   "when "
	   "it is tried again, or how it ended. Without TASK: the run, and all its tasks "
	   "that "
	   "have not ended well.",
    .examples = "dag explain last\twhat is going on\n"
		"dag explain last train\twhy does it not start\n",
    .run = explain_verb,
};
