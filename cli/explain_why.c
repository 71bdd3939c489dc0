/*
 * Why a task was not run: its condition with the values in it, or the chain of tasks that leads
 * to the first that did not end well.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/jinja.h"
#include "base/json.h"
#include "cli/explain.h"
#include "scheduler/dag.h"

#define CHAIN_MAX 8 /* tasks of a chain that are named */
#define VALUE_MAX 200

bool
explain_by_when(const struct meta_task *t)
{
	return t->state == TASK_DONE && t->result == RESULT_SKIPPED && t->selected &&
	       explain_given(t->reason) && strstr(t->reason, "`when` is false") != NULL;
}

struct values {
	struct explain *x;
	struct json_t *params;
	struct buf *b;
	size_t n;
	const char *task, *key; /* of the output that is sought */
};

static void
take_output(void *ctx, const char *task, int32_t map, const struct meta_kv *kv)
{
	struct values *v = ctx;

	(void)map;
	if (strcmp(task, v->task) == 0 && strcmp(kv->key, v->key) == 0)
		buf_addf(v->b, "%.*s", (int)(kv->len < VALUE_MAX ? kv->len : VALUE_MAX),
			 kv->val);
}

/* One name of a condition: ", and params.full is false". */
static void
put_value(void *ctx, const struct jinja_ref *ref)
{
	struct values *v = ctx;
	const struct json_t *val;
	struct err err;
	char *text;
	size_t at, begun;

	if (ref->npath == 2 && strcmp(ref->path[0], "params") == 0) {
		val = json_object_get(v->params, ref->path[1]);
		text = val != NULL ? json_dumps(val, JSON_ENCODE_ANY) : NULL;
		if (text == NULL)
			return;
		buf_addf(v->b, "%s params.%s is %s", v->n++ > 0 ? "," : ", and",
			 ref->path[1], text);
		free(text);
	} else if (ref->npath == 3 && strcmp(ref->path[0], "outputs") == 0) {
		v->task = ref->path[1];
		v->key = ref->path[2];
		at = v->b->n;
		buf_addf(v->b, "%s outputs.%s.%s is '", v->n > 0 ? "," : ", and", v->task,
			 v->key);
		begun = v->b->n;
		if (meta_outputs(v->x->place.meta, v->x->run.id, take_output, v, &err) !=
			0 ||
		    v->b->n == begun) {
			buf_truncate(v->b, at);
			return;
		}
		buf_addc(v->b, '\'');
		v->n++;
	}
}

static void
put_when(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct dag_task *m = explain_model(x, t);
	struct values v = {.x = x, .b = b};

	if (m == NULL || m->when == NULL || m->when_src == NULL) {
		buf_addf(b, "`%s` was skipped: %s.\n", t->name, t->reason);
		return;
	}
	buf_addf(b, "`%s` was skipped because its `when` is false: `%s`", t->name,
		 m->when_src);
	v.params = json_parse(x->run.params, strlen(x->run.params), NULL);
	jinja_refs(m->when, put_value, &v);
	json_decref(v.params);
	buf_adds(b, ".\n");
}

/* "which failed: exit status 2", of the last of a chain. */
static void
put_end_of_chain(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct dag_task *m = explain_model(x, t);

	if (t->result == RESULT_SKIPPED)
		buf_adds(b, "was skipped");
	else if (t->result == RESULT_UPSTREAM_FAILED)
		buf_adds(b, "could not run");
	else if (t->result == RESULT_CANCELLED)
		buf_adds(b, "was cancelled");
	else
		buf_adds(b, t->result == RESULT_LOST ? "was lost" : "failed");
	if (m != NULL && m->when_src != NULL && explain_by_when(t))
		buf_addf(b, " because its `when` is false: `%s`", m->when_src);
	else if (explain_given(t->reason))
		buf_addf(b, " (%s)", t->reason);
}

/* "`z` did not run: it needs `y`, which needs `x`, which failed (exit status 2)." */
static void
put_chain(struct explain *x, const struct meta_task *t, struct buf *b)
{
	const struct dag_task *m = explain_model(x, t);
	const struct meta_task *cause = explain_cause(x, t), *next;
	size_t n;

	buf_addf(b, "`%s` %s", t->name,
		 t->result == RESULT_SKIPPED ? "was skipped" : "did not run");
	if (cause == NULL) {
		if (explain_given(t->reason))
			buf_addf(b, ": %s", t->reason);
		buf_adds(b, ".\n");
		return;
	}
	buf_addf(b, ": it needs `%s`, which ", cause->name);
	for (n = 1; (next = explain_cause(x, cause)) != NULL; n++) {
		if (n < CHAIN_MAX)
			buf_addf(b, "needs `%s`, which ", next->name);
		cause = next;
	}
	if (n > CHAIN_MAX)
		buf_addf(b, "hangs, after %zu more, on `%s`, which ", n - CHAIN_MAX,
			 cause->name);
	put_end_of_chain(x, cause, b);
	buf_addc(b, '.');
	if (m != NULL && m->trigger != TRIGGER_ALL_SUCCESS)
		buf_addf(b, " Its trigger is %s.", trigger_rule_name(m->trigger));
	buf_addc(b, '\n');
}

void
explain_why(struct explain *x, const struct meta_task *t, struct buf *b)
{
	if (explain_by_when(t))
		put_when(x, t, b);
	else
		put_chain(x, t, b);
}
