#include "cli/dryrun.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/render.h"
#include "store/dvc/dvc_yaml.h"
#include "tasks/schema/schema.h"

/* What is known of one task before anything has run. */
struct known {
	struct render_task task;
	struct render_paths paths;
	bool rendered; /* task is; else it depends on outputs */
	bool when_known, when;
};

/* No task has ended: outputs are undefined. */
static int
no_output(void *ctx, uint32_t task, const char *key, const char **val, size_t *len)
{
	(void)ctx;
	(void)task;
	(void)key;
	(void)val;
	(void)len;
	return -1;
}

static const char *
no_key(void *ctx, uint32_t task, size_t i)
{
	(void)ctx;
	(void)task;
	(void)i;
	return NULL;
}

static void
find_out(const struct dryrun *d, const struct dag_task *t, struct arena *a,
	 struct known *k)
{
	struct run_values v = {.dag = d->dag,
			       .params = d->params,
			       .run_id = "00000000-0000-7000-8000-000000000000",
			       .logical_us = d->logical_us,
			       .interval_start_us = d->logical_us,
			       .interval_end_us = d->logical_us,
			       .outputs = {NULL, no_output, no_key}};

	memset(k, 0, sizeof(*k));
	/* What does not depend on outputs has been checked: a failure means that it does. */
	k->rendered = render_task(&v, t, a, &k->task, NULL) == 0;
	if (render_paths(&v, t, a, &k->paths, NULL) != 0)
		memset(&k->paths, 0, sizeof(k->paths));
	k->when_known = render_when(&v, t, a, &k->when, NULL) == 0;
}

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
put_command(struct buf *b, const struct dag_task *t, const struct known *k)
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
put_wait(struct buf *b, const struct known *k)
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

static void
put_task(const struct dryrun *d, const struct dag_task *t, const struct known *k,
	 size_t number)
{
	struct buf *b = &d->c->out;
	bool first = true;
	size_t i;

	buf_addf(b, "%3zu  %s (%s)", number, t->name, t->type->name);
	for (i = 0; i < t->nup; i++) {
		if (!d->selected[t->up[i]])
			continue;
		buf_addf(b, "%s%s", first ? " after " : ", ",
			 d->dag->tasks[t->up[i]].name);
		first = false;
	}
	buf_addc(b, '\n');
	if (t->when_src != NULL && !k->when_known)
		buf_addf(b, "     only when %s\n", t->when_src);
	if (k->when_known && !k->when)
		buf_addf(b, "     skipped: `when` is false: %s\n", t->when_src);
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
json_task(const struct dryrun *d, const struct dag_task *t, const struct known *k,
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

static void
text_head(const struct dryrun *d)
{
	struct buf *b = &d->c->out;
	size_t i, n = 0;

	for (i = 0; i < d->dag->ntasks; i++)
		n += d->selected[i];
	buf_addf(b, "%s  %s: %zu of %zu task%s would be run, about ", d->dag->name,
		 d->dag->file, n, d->dag->ntasks, d->dag->ntasks == 1 ? "" : "s");
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
plan(const struct dryrun *d, size_t *n)
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

int
dryrun_put(const struct dryrun *d)
{
	struct json_writer w;
	struct known k;
	struct arena *a;
	size_t i, n;
	uint32_t *order = plan(d, &n);

	if (order == NULL)
		return no_memory(d);
	if (d->json) {
		json_init(&w, &d->c->out, 2);
		json_head(d, &w);
	} else {
		text_head(d);
	}
	for (i = 0; i < n; i++) {
		const struct dag_task *t = &d->dag->tasks[order[i]];

		a = arena_new(0);
		if (a == NULL) {
			free(order);
			return no_memory(d);
		}
		find_out(d, t, a, &k);
		if (d->json)
			json_task(d, t, &k, &w);
		else
			put_task(d, t, &k, i + 1);
		arena_free(a);
		if (!d->json)
			text_wrap(&d->c->out, 0, cli_width(STDOUT_FILENO));
		/* A failure is kept, and told at the end. */
		(void)cli_flush(d->c);
	}
	free(order);
	if (d->json) {
		json_end(&w);
		json_end(&w);
		buf_addc(&d->c->out, '\n');
	}
	return EXIT_OK;
}
