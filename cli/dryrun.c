#include "cli/dryrun.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/render.h"
#include "scheduler/run_plan.h"
#include "store/dvc/dvc_yaml.h"
#include "tasks/schema/schema.h"

/* A text with each line behind "     | ". */
static void
put_lines(struct buf *b, const char *p, size_t n)
{
	const char *nl;
	size_t len;

	while (n > 0 && p[n - 1] == '\n')
		n--;
	while (n > 0) {
		nl = memchr(p, '\n', n);
		len = nl != NULL ? (size_t)(nl - p) : n;
		buf_addf(b, "     | %.*s\n", (int)len, p);
		p += len;
		n -= len;
		if (n > 0) {
			p++;
			n--;
		}
	}
}

/* One word as a shell would have to be told. */
static void
put_word(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:@%+=,-";
	const char *p;

	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		buf_adds(b, word);
		return;
	}
	buf_addc(b, '\'');
	for (p = word; *p != '\0'; p++) {
		if (*p == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *p);
	}
	buf_addc(b, '\'');
}

static void
put_command(struct buf *b, const struct dag_task *t, const struct plan_task *k)
{
	struct buf line;
	size_t i, n = 0;

	if (!k->rendered) {
		for (i = 0; i < t->nrun; i++)
			put_lines(b, t->run[i].src, t->run[i].len);
		if (t->nrun > 0)
			buf_adds(b,
				 "     (rendered when the tasks it names have ended)\n");
		return;
	}
	if (k->task.argv == NULL)
		return;
	if (t->stage != NULL && t->stage->pipeline) {
		for (i = 0; i < t->stage->stage->ncmd; i++)
			put_lines(b, t->stage->stage->cmd[i],
				  strlen(t->stage->stage->cmd[i]));
		return;
	}
	while (k->task.argv[n] != NULL)
		n++;
	if (!t->run_is_argv && t->nrun > 0) {
		put_lines(b, k->task.argv[n - 1], strlen(k->task.argv[n - 1]));
		return;
	}
	buf_init(&line, 0);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&line, ' ');
		put_word(&line, k->task.argv[i]);
	}
	put_lines(b, line.p, line.n);
	buf_release(&line);
}

static void
put_wait(struct buf *b, const struct plan_task *k)
{
	if (!k->rendered)
		return;
	if (k->task.wait_us >= 0 && k->task.argv == NULL) {
		buf_adds(b, "     waits for ");
		num_put_duration(b, k->task.wait_us);
		buf_addc(b, '\n');
	} else if (k->task.wait_until_us >= 0 && k->task.argv == NULL) {
		buf_adds(b, "     waits until ");
		text_when(b, k->task.wait_until_us);
		buf_addc(b, '\n');
	}
}

static void
put_list(struct buf *b, const char *label, const char **v, size_t n)
{
	size_t i;

	if (n == 0)
		return;
	buf_addf(b, "     %s ", label);
	for (i = 0; i < n; i++)
		buf_addf(b, "%s%s", i > 0 ? ", " : "", v[i]);
	buf_addc(b, '\n');
}

/* What becomes of a task. */
static const char *const said[] = {
    [PLAN_RUN] = "would run",	 [PLAN_MAY] = "may run",   [PLAN_UNCHANGED] = "unchanged",
    [PLAN_RESTORE] = "restored", [PLAN_FROZEN] = "frozen", [PLAN_SKIP] = "skipped",
    [PLAN_FAIL] = "cannot run",
};

static void
put_task(const struct dryrun *d, const struct dag_task *t, const struct plan_task *k,
	 size_t number)
{
	struct buf *b = &d->c->out;
	bool first = true, runs = k->state == PLAN_RUN || k->state == PLAN_MAY;
	size_t i;

	buf_addf(b, "%3zu  %s (%s)", number, t->name, t->type->name);
	for (i = 0; i < t->nup; i++) {
		if (!d->selected[t->up[i]])
			continue;
		buf_addf(b, "%s%s", first ? " after " : ", ",
			 d->dag->tasks[t->up[i]].name);
		first = false;
	}
	buf_addf(b, "\n     %s: %s\n", said[k->state], k->why);
	if (t->when_src != NULL && !k->when_known)
		buf_addf(b, "     only when %s\n", t->when_src);
	if (!runs)
		return;
	put_list(b, "reads", k->paths.inputs, k->paths.ninputs);
	put_list(b, "writes", k->paths.outputs, k->paths.noutputs);
	put_wait(b, k);
	put_command(b, t, k);
}

static void
json_list(struct json_writer *w, const char *key, const char **v, size_t n)
{
	size_t i;

	json_key(w, key);
	json_begin_array(w);
	for (i = 0; i < n; i++)
		json_str(w, v[i]);
	json_end(w);
}

static void
json_side(struct json_writer *w, const char *key, const struct stage_side *s)
{
	char hex[OBJECT_HEX_MAX];

	json_key(w, key);
	if (!object_id_is_set(&s->id) && s->text == NULL) {
		json_put_null(w);
		return;
	}
	json_begin_object(w);
	if (object_id_is_set(&s->id))
		json_kv_str(w, "md5", object_id_hex(&s->id, hex));
	if (s->size >= 0)
		json_kv_int(w, "size", s->size);
	if (s->lines >= 0)
		json_kv_int(w, "lines", s->lines);
	if (s->nfiles >= 0)
		json_kv_int(w, "nfiles", s->nfiles);
	if (s->text != NULL)
		json_kv_str(w, "text", s->text);
	json_end(w);
}

/* In what a task differs from its last result. */
static void
json_changes(struct json_writer *w, const struct plan_task *k)
{
	json_key(w, "changes");
	json_begin_array(w);
	for (size_t i = 0; i < k->n; i++) {
		const struct stage_reason *r = &k->v[i];

		json_begin_object(w);
		json_kv_str(w, "kind", stage_reason_kind_name(r->kind));
		json_kv_str(w, "path", r->path);
		json_kv_str(w, "key", r->key);
		json_kv_str(w, "change", stage_change_name(r->state));
		json_side(w, "was", &r->was);
		json_side(w, "is", &r->is);
		json_end(w);
	}
	json_end(w);
}

static void
json_task(const struct dryrun *d, const struct dag_task *t, const struct plan_task *k,
	  struct json_writer *w)
{
	size_t i, n = 0;

	json_begin_object(w);
	json_kv_str(w, "task", t->name);
	json_kv_str(w, "type", t->type->name);
	json_key(w, "needs");
	json_begin_array(w);
	for (i = 0; i < t->nup; i++)
		if (d->selected[t->up[i]])
			json_str(w, d->dag->tasks[t->up[i]].name);
	json_end(w);
	json_kv_str(w, "state", plan_state_name(k->state));
	json_kv_str(w, "why", k->why);
	json_changes(w, k);
	json_kv_str(w, "when", t->when_src);
	json_key(w, "when_value");
	if (k->when_known)
		json_bool(w, k->when);
	else
		json_put_null(w);
	json_list(w, "inputs", k->paths.inputs, k->paths.ninputs);
	json_list(w, "outputs", k->paths.outputs, k->paths.noutputs);
	json_kv_str(w, "workdir", k->rendered ? k->task.workdir : NULL);
	if (k->rendered && k->task.argv != NULL) {
		while (k->task.argv[n] != NULL)
			n++;
		json_list(w, "argv", k->task.argv, n);
	} else {
		json_kv_str(w, "argv", NULL);
	}
	json_end(w);
}

static void
json_head(const struct dryrun *d, struct json_writer *w)
{
	struct buf params;

	json_begin_object(w);
	json_kv_str(w, "dag", d->dag->name);
	json_kv_str(w, "file", d->dag->file);
	json_kv_time(w, "logical_date", d->logical_us);
	buf_init(&params, 0);
	params_json(d->params, &params);
	json_key(w, "params");
	json_raw(w, params.p, params.n);
	buf_release(&params);
	json_key(w, "tasks");
	json_begin_array(w);
}

/* "2 would run, 1 is unchanged" */
static void
put_counts(struct buf *b, const struct run_plan *p)
{
	static const char *const one[] = {
	    [PLAN_RUN] = "would run",	       [PLAN_MAY] = "may run",
	    [PLAN_UNCHANGED] = "is unchanged", [PLAN_RESTORE] = "would be restored",
	    [PLAN_FROZEN] = "is frozen",       [PLAN_SKIP] = "would be skipped",
	    [PLAN_FAIL] = "cannot run",
	};
	static const char *const many[] = {
	    [PLAN_UNCHANGED] = "are unchanged",
	    [PLAN_FROZEN] = "are frozen",
	    [PLAN_FAIL] = NULL,
	};
	size_t n[PLAN_FAIL + 1] = {0};
	const char *comma = "";

	for (size_t i = 0; i < p->ask.dag->ntasks; i++)
		if (p->ask.selected[i])
			n[p->tasks[i].state]++;
	for (size_t i = 0; i <= PLAN_FAIL; i++) {
		if (n[i] == 0)
			continue;
		buf_addf(b, "%s%zu %s", comma, n[i],
			 n[i] > 1 && many[i] != NULL ? many[i] : one[i]);
		comma = ", ";
	}
}

static void
text_head(const struct dryrun *d, const struct run_plan *p)
{
	struct buf *b = &d->c->out;
	size_t i, n = 0;

	for (i = 0; i < d->dag->ntasks; i++)
		n += d->selected[i];
	buf_addf(b, "%s  %s: ", d->dag->name, d->dag->file);
	if (n < d->dag->ntasks)
		buf_addf(b, "%zu of %zu tasks, ", n, d->dag->ntasks);
	put_counts(b, p);
	buf_adds(b, "; about ");
	text_when(b, d->logical_us);
	buf_addc(b, '\n');
	if (d->dag->nparams > 0) {
		buf_adds(b, "params ");
		params_json(d->params, b);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

/* The tasks that would be run, in the order in which they would be run one by one; NULL if memory
 * runs out. */
static uint32_t *
in_order(const struct dryrun *d, size_t *n)
{
	const struct dag *g = d->dag;
	uint32_t *v = malloc((g->ntasks + 1) * sizeof(*v));

	*n = 0;
	if (v != NULL && pipeline_is(g)) {
		if (pipeline_dag_order(g, d->selected, v, n, NULL) == 0)
			return v;
		free(v);
		return NULL;
	}
	for (size_t i = 0; v != NULL && i < g->ntasks; i++)
		if (d->selected[g->order[i]])
			v[(*n)++] = g->order[i];
	return v;
}

static int
no_memory(const struct dryrun *d)
{
	struct err err;

	(void)err_nomem(&err);
	return cli_fail(d->c, &err);
}

static void
put_plan(const struct dryrun *d, const struct run_plan *p, const uint32_t *order,
	 size_t n)
{
	struct json_writer w;

	if (d->json) {
		json_init(&w, &d->c->out, 2);
		json_head(d, &w);
	} else {
		text_head(d, p);
	}
	for (size_t i = 0; i < n; i++) {
		const struct dag_task *t = &d->dag->tasks[order[i]];

		if (d->json)
			json_task(d, t, &p->tasks[t->id], &w);
		else
			put_task(d, t, &p->tasks[t->id], i + 1);
		if (!d->json)
			text_wrap(&d->c->out, 0, cli_width(STDOUT_FILENO));
		/* A failure is kept, and told at the end. */
		(void)cli_flush(d->c);
	}
	if (d->json) {
		json_end(&w);
		json_end(&w);
		buf_addc(&d->c->out, '\n');
	}
}

int
dryrun_put(const struct dryrun *d)
{
	struct run_plan_ask ask = {.project = d->project,
				   .dag = d->dag,
				   .file = d->file,
				   .params = d->params,
				   .selected = d->selected,
				   .logical_us = d->logical_us,
				   .how = d->how};
	struct run_plan *p = NULL;
	struct err err = {0};
	size_t n;
	uint32_t *order = in_order(d, &n);

	if (order == NULL)
		return no_memory(d);
	if (run_plan_make(&ask, &p, &err) != 0) {
		free(order);
		return cli_fail(d->c, &err);
	}
	put_plan(d, p, order, n);
	run_plan_free(p);
	free(order);
	return EXIT_OK;
}
