#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "scheduler/dag_paths.h"
#include "scheduler/render_int.h"
#include "scheduler/shell_hook.h"

/*
 * All templates of a run at once, as far as they do not wait for outputs of tasks, and how
 * the rendered paths of different tasks meet.  A task is rendered in an arena of its own that
 * is freed at once; only paths stay.
 */

struct need {
	uint32_t producer, task;
	const char *path;
	const struct dag_text *input, *output;
};

struct check {
	const struct run_values *v;
	const bool *selected; /* NULL: all */
	struct diag *d;
	int file;
	struct arena *paths;
	VEC(struct path_use) uses; /* tag: the struct dag_text */
	VEC(struct need) needs;	   /* inputs made by a task that is no direct upstream */
	bool dag_env_done;
	bool nomem;
	/* of the task at hand */
	const struct dag_task *t;
	bool env_waits; /* a variable of it waits for outputs */
};

static bool
is_selected(const struct check *c, uint32_t task)
{
	return c->selected == NULL || c->selected[task];
}

/* ---- messages ---- */

static struct diag_pos
pos_of(const struct check *c, const struct yaml_node *node, size_t offset, size_t len)
{
	struct diag_pos pos = {.file = c->file};
	size_t i;

	if (node == NULL)
		return pos;
	yaml_where(c->v->dag->text, node, offset, &pos.line, &pos.col);
	for (i = offset; i < node->len && i - offset < len && node->str[i] != '\n'; i++)
		pos.width += ((unsigned char)node->str[i] & 0xc0) != 0x80;
	if (pos.width == 0)
		pos.width = 1;
	return pos;
}

static struct diag_pos
pos_of_text(const struct check *c, const struct dag_text *text)
{
	return pos_of(c, text->node, 0, text->len);
}

static void
report(struct check *c, const struct render *r, const struct err *err)
{
	const char *ways = NULL, *p;

	if (err->code == ERR_NOMEM) {
		c->nomem = true;
		return;
	}
	/* The value may hold the very words: the last ones are ours. */
	for (p = err->msg; (p = strstr(p, SHELL_WAYS_OUT)) != NULL; p++)
		ways = p;
	for (p = err->msg; r->way != NULL && (p = strstr(p, r->way)) != NULL; p++)
		ways = p - 2;
	diag_add(
	    c->d, DIAG_ERROR, pos_of(c, r->node, r->where.offset, r->where.len), "%.*s",
	    (int)(ways != NULL ? (size_t)(ways - err->msg) : strlen(err->msg)), err->msg);
	if (ways != NULL)
		diag_hint(c->d, "%s", ways + 2); /* without its "; " */
}

/* ---- what a template refers to ---- */

struct refs {
	struct check *c;
	const struct yaml_node *node;
	bool outputs, env;
};

static void
on_ref(void *ctx, const struct jinja_ref *ref)
{
	struct refs *f = ctx;
	const struct dag_task *producer;

	f->env |= strcmp(ref->path[0], "env") == 0;
	if (strcmp(ref->path[0], "outputs") != 0)
		return;
	f->outputs = true;
	if (ref->npath < 2 || ref->guarded || f->node == NULL)
		return;
	producer = dag_task_find(f->c->v->dag, ref->path[1]);
	if (producer == NULL || is_selected(f->c, producer->id))
		return;
	diag_add(f->c->d, DIAG_ERROR,
		 pos_of(f->c, f->node, ref->offset[1], strlen(ref->path[1])),
		 "task '%s' is not selected, so it has no outputs in this run",
		 ref->path[1]);
	diag_hint(f->c->d, "select it too: +%s", f->c->t->name);
}

/* Whether the template can be rendered only when other tasks have ended. */
static bool
waits(struct check *c, const struct jinja *tpl)
{
	struct refs f = {.c = c};

	if (tpl == NULL)
		return false;
	jinja_refs(tpl, on_ref, &f);
	return f.outputs || (f.env && c->env_waits);
}

static void
check_selected(struct check *c, const struct jinja *tpl, const struct yaml_node *node)
{
	struct refs f = {.c = c, .node = node};

	if (tpl != NULL)
		jinja_refs(tpl, on_ref, &f);
}

static void
check_all_selected(struct check *c)
{
	const struct dag_task *t = c->t;
	size_t i;

	for (i = 0; i < t->nrun; i++)
		check_selected(c, t->run[i].tpl, t->run[i].node);
	for (i = 0; i < t->nenv; i++)
		check_selected(c, t->env[i].val.tpl, t->env[i].val.node);
	check_selected(c, t->workdir.tpl, t->workdir.node);
	check_selected(c, t->remote.tpl, t->remote.node);
	check_selected(c, t->wait_for.tpl, t->wait_for.node);
	check_selected(c, t->wait_until.tpl, t->wait_until.node);
	check_selected(c, t->when, t->when_node);
}

/* ---- one task ---- */

static void
check_run_text(struct check *c, struct render *r)
{
	struct render_task out = {0};
	struct err err = {0};
	bool some = waits(c, c->t->remote.tpl);
	const char *text;
	size_t i;

	for (i = 0; i < c->t->nrun; i++)
		some |= waits(c, c->t->run[i].tpl);
	if (!some) {
		if (render_run(r, &out, &err) != 0)
			report(c, r, &err);
		return;
	}
	for (i = 0; i < c->t->nrun && c->t->run_is_argv; i++)
		if (!waits(c, c->t->run[i].tpl) &&
		    render_text(r, &c->t->run[i], "run", RENDER_TEXT, &text, &err) != 0)
			report(c, r, &err);
}

static void
check_env(struct check *c, struct render *r, const struct dag_env *env, size_t n)
{
	struct err err = {0};
	const char *val;
	size_t i;

	for (i = 0; i < n; i++)
		if (env[i].kind == ENV_TEXT && !waits(c, env[i].val.tpl) &&
		    render_env_value(r, &env[i], &val, &err) != 0)
			report(c, r, &err);
}

static void
check_rest(struct check *c, struct render *r)
{
	struct render_task out = {0};
	struct err err = {0};
	bool yes;

	if (!waits(c, c->t->workdir.tpl) && render_workdir(r, &out, &err) != 0)
		report(c, r, &err);
	if (!waits(c, c->t->wait_for.tpl) && !waits(c, c->t->wait_until.tpl) &&
	    render_wait(r, &out, &err) != 0)
		report(c, r, &err);
	if (!waits(c, c->t->when) && render_condition(r, &yes, &err) != 0)
		report(c, r, &err);
}

static void
keep_paths(struct check *c, const struct dag_text *texts, const char **paths, size_t n,
	   bool output)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bool target = texts == c->t->targets;
		const char *path = arena_strdup(c->paths, paths[i]);
		struct path_use use = {.task = c->t->id,
				       .output = output,
				       .shared = output && target,
				       .tag = &texts[i]};

		if (path != NULL)
			use.path = target ? dag_target_data(c->paths, path) : path;
		if (use.path == NULL || vec_push(&c->uses, use) != 0)
			c->nomem = true;
	}
}

static void
check_paths(struct check *c, struct render *r)
{
	struct render_paths out = {0};
	struct err err = {0};

	if (render_inputs_outputs(r, &out, &err) != 0) {
		report(c, r, &err);
		return;
	}
	keep_paths(c, c->t->inputs, out.inputs, out.ninputs, false);
	keep_paths(c, c->t->outputs, out.outputs, out.noutputs, true);
	keep_paths(c, c->t->targets, out.targets, out.ntargets, dag_brings(c->t));
}

static void
check_task(struct check *c, const struct dag_task *t)
{
	struct arena *a = arena_new(0);
	struct render r;
	size_t i;

	if (a == NULL) {
		c->nomem = true;
		return;
	}
	c->t = t;
	c->env_waits = false;
	for (i = 0; i < t->nenv; i++)
		if (waits(c, t->env[i].val.tpl))
			c->env_waits = true;
	render_init(&r, c->v, t, a);
	check_all_selected(c);
	check_paths(c, &r);
	check_run_text(c, &r);
	check_env(c, &r, t->env, t->nenv);
	if (!c->dag_env_done)
		check_env(c, &r, c->v->dag->env, c->v->dag->nenv);
	c->dag_env_done = true;
	check_rest(c, &r);
	arena_free(a);
}

/* ---- how paths meet ---- */

static const char *
name_of(const struct check *c, uint32_t task)
{
	return c->v->dag->tasks[task].name;
}

static int
on_clash(void *ctx, const struct path_use *a, const struct path_use *b)
{
	struct check *c = ctx;
	const struct dag_text *upper = a->tag, *lower = b->tag;

	if (a->task == b->task)
		diag_add(
		    c->d, DIAG_ERROR, pos_of_text(c, lower),
		    "the output '%s' is or lies in another output of the same task, '%s'",
		    b->path, a->path);
	else
		diag_add(
		    c->d, DIAG_ERROR, pos_of_text(c, lower),
		    "the output '%s' of task '%s' overlaps '%s', which task '%s' makes",
		    b->path, name_of(c, b->task), a->path, name_of(c, a->task));
	diag_add(c->d, DIAG_NOTE, pos_of_text(c, upper), "the other one is here");
	return 0;
}

static int
on_meet(void *ctx, const struct path_use *output, const struct path_use *input)
{
	struct check *c = ctx;
	const struct dag_task *t = &c->v->dag->tasks[input->task];
	struct need need = {output->task, input->task, input->path, input->tag,
			    output->tag};

	if (output->task == input->task) {
		if (t->persist || output->shared)
			return 0;
		diag_add(c->d, DIAG_ERROR, pos_of_text(c, input->tag),
			 "task '%s' would delete its own input '%s' before each attempt",
			 t->name, input->path);
		diag_hint(c->d,
			  "if it changes the file in place, give the task persist: true");
		diag_add(c->d, DIAG_NOTE, pos_of_text(c, output->tag),
			 "it is an output here");
		return 0;
	}
	if (dag_task_needs(t, output->task))
		return 0;
	if (vec_push(&c->needs, need) == 0)
		return 0;
	c->nomem = true;
	return 1;
}

static int
by_producer(const void *a, const void *b)
{
	const struct need *x = a, *y = b;

	if (x->producer != y->producer)
		return x->producer < y->producer ? -1 : 1;
	return x->task < y->task ? -1 : x->task > y->task;
}

/*
 * Hold the needs [from, to), of at most 64 producers, against the graph: one bit for each
 * producer is carried down in topological order.
 */
static void
check_batch(struct check *c, const struct need *from, const struct need *to,
	    uint64_t *below)
{
	const struct dag *g = c->v->dag;
	uint64_t *own = below + g->ntasks;
	const struct need *n;
	unsigned bit = 0;
	size_t i, j;

	memset(below, 0, 2 * g->ntasks * sizeof(*below));
	for (n = from; n < to; n++) {
		bit += n > from && n->producer != n[-1].producer;
		own[n->producer] = UINT64_C(1) << bit;
	}
	for (i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		for (j = 0; j < t->nup; j++)
			below[t->id] |= below[t->up[j]] | own[t->up[j]];
	}
	for (n = from; n < to; n++) {
		if ((below[n->task] & own[n->producer]) != 0)
			continue;
		diag_add(
		    c->d, DIAG_ERROR, pos_of_text(c, n->input),
		    "the input '%s' of task '%s' is made by task '%s', which does not "
		    "come before it",
		    n->path, name_of(c, n->task), name_of(c, n->producer));
		diag_hint(c->d, "add it: needs: [%s]", name_of(c, n->producer));
		diag_add(c->d, DIAG_NOTE, pos_of_text(c, n->output),
			 "it is an output here");
	}
}

static void
check_needs(struct check *c)
{
	const struct need *from = c->needs.v, *n, *end;
	uint64_t *bits;
	unsigned producers = 1;

	if (c->needs.n == 0)
		return;
	end = from + c->needs.n;
	bits = calloc(c->v->dag->ntasks, 2 * sizeof(*bits));
	if (bits == NULL) {
		c->nomem = true;
		return;
	}
	qsort(c->needs.v, c->needs.n, sizeof(*c->needs.v), by_producer);
	for (n = from + 1; n < end; n++) {
		if (n->producer == n[-1].producer || ++producers <= 64)
			continue;
		check_batch(c, from, n, bits);
		from = n;
		producers = 1;
	}
	check_batch(c, from, end, bits);
	free(bits);
}

static void
check_meetings(struct check *c)
{
	struct path_events events = {c, on_meet, on_clash};
	struct err err = {0};

	if (path_sweep(c->uses.v, c->uses.n, &events, &err) < 0) {
		if (err.code == ERR_NOMEM)
			c->nomem = true;
		else
			diag_add(c->d, DIAG_ERROR, pos_of(c, NULL, 0, 0), "%s", err.msg);
	}
	check_needs(c);
}

/* ---- all tasks ---- */

static bool
has_path_template(const struct dag_task *t)
{
	size_t i;

	for (i = 0; i < t->ninputs; i++)
		if (t->inputs[i].tpl != NULL)
			return true;
	for (i = 0; i < t->noutputs; i++)
		if (t->outputs[i].tpl != NULL)
			return true;
	for (i = 0; i < t->ntargets; i++)
		if (t->targets[i].tpl != NULL)
			return true;
	return false;
}

int
render_check_run(const struct run_values *v, const bool *selected, struct diag *d,
		 int file)
{
	struct check c = {.v = v, .selected = selected, .d = d, .file = file};
	size_t before = diag_errors(d), i;
	bool paths = false;

	if ((c.paths = arena_new(0)) == NULL)
		c.nomem = true;
	for (i = 0; i < v->dag->ntasks && !c.nomem; i++) {
		if (!is_selected(&c, (uint32_t)i))
			continue;
		check_task(&c, &v->dag->tasks[i]);
		paths |= has_path_template(&v->dag->tasks[i]);
	}
	/* Without templates the loader has compared them. */
	if (paths && !c.nomem)
		check_meetings(&c);
	if (c.nomem)
		diag_add(d, DIAG_ERROR, pos_of(&c, NULL, 0, 0), "out of memory");
	vec_release(&c.uses);
	vec_release(&c.needs);
	arena_free(c.paths);
	return diag_errors(d) == before ? 0 : -1;
}
