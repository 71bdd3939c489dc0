/*
 * What is looked up for explanations.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/explain.h"
#include "scheduler/dag.h"

bool
explain_given(const char *text)
{
	return text != NULL && *text != '\0';
}

const struct dag_task *
explain_model(const struct explain *x, const struct meta_task *t)
{
	return x->dag != NULL ? dag_task_find(x->dag, t->name) : NULL;
}

const struct meta_attempt *
explain_attempt(const struct explain *x, const struct meta_task *t)
{
	const struct meta_attempt *at = map_get(&x->attempts_of, t->name), *last = NULL;

	for (; at != NULL && at < x->attempts + x->nattempts; at++) {
		if (strcmp(at->task, t->name) != 0)
			break;
		if (at->map == t->map)
			last = at;
	}
	return last;
}

size_t
explain_ups(const struct explain *x, const struct meta_task *t)
{
	const struct dag_task *m = explain_model(x, t);

	return m != NULL ? m->nup : 0;
}

const struct meta_task *
explain_up(const struct explain *x, const struct meta_task *t, size_t i)
{
	const struct dag_task *m = explain_model(x, t);

	if (m == NULL || i >= m->nup)
		return NULL;
	return map_get(&x->by_name, x->dag->tasks[m->up[i]].name);
}

bool
explain_open(const struct meta_task *t)
{
	return t->state != TASK_DONE;
}

bool
explain_good(const struct meta_task *t)
{
	return t->state == TASK_DONE &&
	       (t->result == RESULT_SUCCESS || t->result == RESULT_CACHED);
}

bool
explain_ended_badly(const struct meta_task *t)
{
	return t->state == TASK_DONE &&
	       (t->result == RESULT_FAILED || t->result == RESULT_LOST ||
		t->result == RESULT_CANCELLED);
}

/* How likely an upstream is to be the cause; 0: it is not. */
static int
blame(const struct explain *x, const struct meta_task *up, const struct meta_task *t)
{
	const struct dag_task *m = explain_model(x, up);
	bool allowed = m != NULL && m->allow_failure;

	if (up->state != TASK_DONE || explain_good(up) || !up->selected)
		return 0;
	if (t->result == RESULT_SKIPPED)
		return up->result == RESULT_SKIPPED ? 3 : 1;
	if (up->result == RESULT_SKIPPED || (allowed && up->result != RESULT_CANCELLED))
		return 1;
	return up->result == RESULT_UPSTREAM_FAILED ? 2 : 3;
}

const struct meta_task *
explain_cause(const struct explain *x, const struct meta_task *t)
{
	const struct meta_task *best = NULL, *up;
	size_t i, n = explain_ups(x, t);
	int most = 0, b;

	if (t->result != RESULT_UPSTREAM_FAILED && t->result != RESULT_SKIPPED)
		return NULL;
	if (explain_by_when(t))
		return NULL;
	for (i = 0; i < n; i++) {
		up = explain_up(x, t, i);
		b = up != NULL ? blame(x, up, t) : 0;
		if (b > most) {
			most = b;
			best = up;
		}
	}
	return best;
}

/* ---- path locks ---- */

/* "`PATH` is in use by task TASK of run END", as the guard writes it. */
static bool
read_blocked(const char *reason, struct explain_holder *h, char end[META_RUN_ID])
{
	static const char mid[] = "` is in use by task ", of[] = " of run ";
	const char *p, *q;

	if (reason == NULL || *reason != '`' || (p = strstr(reason, mid)) == NULL)
		return false;
	for (q = p, p += sizeof(mid) - 1; strstr(p, mid) != NULL;)
		q = strstr(p, mid), p = q + sizeof(mid) - 1;
	(void)snprintf(h->path, sizeof(h->path), "%.*s", (int)(q - reason - 1),
		       reason + 1);
	q = strstr(p, of);
	if (q == NULL)
		return false;
	(void)snprintf(h->task, sizeof(h->task), "%.*s", (int)(q - p), p);
	(void)snprintf(end, META_RUN_ID, "%s", q + sizeof(of) - 1);
	return true;
}

bool
explain_holder(struct explain *x, const struct meta_task *t, struct explain_holder *h)
{
	struct meta_attempt *all;
	char end[META_RUN_ID];
	struct err err;
	size_t i, n;

	*h = (struct explain_holder){0};
	if (t->state != TASK_READY || !read_blocked(t->reason, h, end))
		return false;
	if (meta_run_resolve(x->place.meta, end, x->place.arena, &h->run, &err) != 0 ||
	    meta_attempts(x->place.meta, h->run.id, x->place.arena, &all, &n, &err) != 0)
		return true;
	for (i = 0; i < n; i++)
		if (strcmp(all[i].task, h->task) == 0 && all[i].state != TASK_DONE)
			h->since_us = all[i].started_us != 0 ? all[i].started_us
							     : all[i].created_us;
	return true;
}
