/*
 * dag runs: the list.  Whatever its options ask for, a page costs what it shows: pages go on
 * behind a run, never over what has been skipped.
 */
#include "cli/runs_list.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/runjson.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/dag.h"

#define RUNS_DEFAULT 20
#define PAGE	     500

static const enum run_result results[] = {RUN_SUCCESS, RUN_FAILED, RUN_CANCELLED};

void
runs_put_span(struct buf *b, int64_t from, int64_t to)
{
	if (to == 0)
		to = clock_now().wall_us;
	if (from == 0)
		buf_addc(b, '-');
	else
		num_put_duration(b, to > from ? to - from : 0);
}

void
runs_put_times(struct table *t, int64_t from, int64_t to)
{
	struct buf b;

	buf_init(&b, 0);
	text_when(&b, from);
	table_cell(t, b.p);
	buf_clear(&b);
	runs_put_span(&b, from, to);
	table_cell(t, b.p);
	buf_release(&b);
}

void
runs_put_status(struct table *t, const char *status)
{
	table_cell(t, status);
	table_style(t, status_ansi(status));
}

void
runs_list_release(struct look *l)
{
	while (l->nknown > 0)
		dag_free(l->known[--l->nknown].dag);
}

static bool
wanted(struct look *l, const struct meta_run *run)
{
	bool ownerless;

	if (l->o->state < 0 || l->o->state == STATE_DONE)
		return true;
	ownerless = strcmp(status_of_run(l->place.project, run), "interrupted") == 0;
	return ownerless == (l->o->state == STATE_INTERRUPTED);
}

/* Call fn for each run that the options ask for. */
static int
each_run(struct look *l,
	 int (*fn)(struct look *, void *, struct meta_run *, struct err *), void *ctx,
	 struct err *err)
{
	struct meta_run_filter f = {.dag = l->o->dag,
				    .state = -1,
				    .result = -1,
				    .since_us = l->since_us,
				    .until_us = l->until_us};
	size_t left = l->o->limit.set ? (size_t)l->o->limit.v : RUNS_DEFAULT, n, i;
	struct meta_run *page, last;

	if (l->o->state >= 0)
		f.state = l->o->state == STATE_DONE ? RUN_DONE : RUN_RUNNING;
	if (l->o->result >= 0)
		f.result = results[l->o->result];
	if (l->o->after != NULL) {
		if (place_run(&l->place, l->o->after, &last, err) != 0)
			return -1;
		f.before = last.id;
	}
	do {
		/* One more than is shown tells whether there is another page. */
		f.limit = left + 1 < PAGE ? left + 1 : PAGE;
		if (meta_runs(l->place.meta, &f, l->place.arena, &page, &n, err) != 0)
			return -1;
		for (i = 0; i < n; i++) {
			if (!wanted(l, &page[i]))
				continue;
			if (left-- == 0)
				return 0;
			if (fn(l, ctx, &page[i], err) != 0)
				return -1;
			memcpy(l->next, page[i].id, sizeof(l->next));
		}
		if (n > 0)
			f.before = page[n - 1].id;
	} while (n == f.limit);
	l->next[0] = '\0';
	return 0;
}

/* Load what the run began with, once for each definition. */
static int
definition_of(struct look *l, const struct meta_run *run, struct dag **out,
	      struct err *err)
{
	size_t i;

	for (i = 0; i < l->nknown; i++)
		if (strcmp(l->known[i].hash, run->def_hash) == 0) {
			*out = l->known[i].dag;
			return 0;
		}
	if (l->nknown == KNOWN_MAX)
		runs_list_release(l);
	if (place_definition(&l->place, run, out, err) != 0)
		return -1;
	(void)snprintf(l->known[l->nknown].hash, sizeof(l->known[0].hash), "%s",
		       run->def_hash);
	l->known[l->nknown++].dag = *out;
	return 0;
}

/* Count the failures that were allowed, which are none of the run's. */
static int
count_allowed(struct look *l, const struct meta_run *run, uint32_t *n, struct err *err)
{
	const struct dag_task *model;
	struct meta_task *tasks;
	struct arena *a;
	struct dag *g;
	size_t i, ntasks;
	int rc;

	*n = run->counts[RESULT_FAILED] + run->counts[RESULT_LOST];
	if (*n == 0 || (run->state == RUN_DONE && run->result == RUN_SUCCESS))
		return 0;
	*n = 0;
	if (definition_of(l, run, &g, err) != 0)
		return -1;
	for (i = 0; g != NULL && i < g->ntasks && !g->tasks[i].allow_failure; i++)
		;
	if (g == NULL || i == g->ntasks)
		return 0;
	if ((a = arena_new(0)) == NULL)
		return err_nomem(err);
	rc = meta_tasks(l->place.meta, run->id, a, &tasks, &ntasks, err);
	for (i = 0; rc == 0 && i < ntasks; i++) {
		model = dag_task_find(g, tasks[i].name);
		*n +=
		    model != NULL && model->allow_failure &&
		    (tasks[i].result == RESULT_FAILED || tasks[i].result == RESULT_LOST);
	}
	arena_free(a);
	return rc;
}

/* Count the tasks of a run and the failures among them that were allowed. */
static int
count_tasks(struct look *l, struct meta_run *run, uint32_t *allowed, struct err *err)
{
	if (meta_run_counts(l->place.meta, run, err) != 0)
		return -1;
	return count_allowed(l, run, allowed, err);
}

static int
one_json(struct look *l, void *ctx, struct meta_run *run, struct err *err)
{
	struct json_writer *w = ctx;
	uint32_t allowed;

	if (count_tasks(l, run, &allowed, err) != 0)
		return -1;
	json_init(w, &l->c->out, 0);
	json_begin_object(w);
	status_run_members(w, run, status_of_run(l->place.project, run));
	runjson_counts(w, run);
	json_kv_int(w, "failures_allowed", allowed);
	json_end(w);
	buf_addc(&l->c->out, '\n');
	return cli_flush_some(l->c) == 0
		   ? 0
		   : err_sys(err, l->c->out_errno, "cannot write to standard output");
}

/* "9 of 12 ok, 1 failed, 2 running"; what may fail is not called failed. */
static void
put_counts(struct buf *b, const struct meta_run *run, uint32_t allowed)
{
	static const struct {
		enum task_result result;
		const char *word;
	} words[] = {
	    {RESULT_FAILED, "failed"},
	    {RESULT_LOST, "lost"},
	    {RESULT_UPSTREAM_FAILED, "upstream failed"},
	    {RESULT_CANCELLED, "cancelled"},
	    {RESULT_SKIPPED, "skipped"},
	};
	uint32_t ok = run->counts[RESULT_SUCCESS] + run->counts[RESULT_CACHED], n,
		 left = allowed;
	size_t i;

	buf_addf(b, "%u of %u ok", ok, run->ntasks);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		n = run->counts[words[i].result];
		if (words[i].result == RESULT_FAILED || words[i].result == RESULT_LOST) {
			uint32_t off = left < n ? left : n;

			n -= off;
			left -= off;
		}
		if (n > 0)
			buf_addf(b, ", %u %s", n, words[i].word);
	}
	if (allowed > 0)
		buf_addf(b, ", %u allowed to fail", allowed);
	if (run->nrunning > 0)
		buf_addf(b, ", %u running", run->nrunning);
}

static int
one_row(struct look *l, void *ctx, struct meta_run *run, struct err *err)
{
	struct table *t = ctx;
	uint32_t allowed;
	struct buf b;

	if (count_tasks(l, run, &allowed, err) != 0)
		return -1;
	table_cell(t, text_short_id(run->id));
	table_cell(t, run->dag);
	runs_put_status(t, status_of_run(l->place.project, run));
	runs_put_times(t, status_run_began(run), run->ended_us);
	buf_init(&b, 0);
	put_counts(&b, run, allowed);
	table_cell(t, b.p);
	buf_release(&b);
	return 0;
}

int
runs_list_json(struct look *l, struct err *err)
{
	struct json_writer w;

	return l->place.meta != NULL ? each_run(l, one_json, &w, err) : 0;
}

int
runs_list_table(struct look *l, struct err *err)
{
	static const char *const titles[] = {"RUN",	"DAG",	    "STATUS",
					     "STARTED", "DURATION", "TASKS"};
	struct table *t;
	int rc;

	if (l->place.meta == NULL) {
		cli_note(l->c, "nothing has been run in project '%s' yet",
			 l->place.project->root);
		return 0;
	}
	t = table_new(titles, 6);
	if (t == NULL)
		return err_nomem(err);
	table_keep(t, 2);
	rc = each_run(l, one_row, t, err);
	if (rc == 0 && table_print(t, &l->c->out, cli_width(1), cli_color(l->c, 1)) != 0)
		rc = err_nomem(err);
	table_free(t);
	if (rc == 0 && l->next[0] != '\0')
		cli_note(l->c, "there are more: the next page with --after %s", l->next);
	if (rc == 0)
		place_note_interrupted(l->c, &l->place, NULL);
	return rc;
}
