#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/timefmt.h"
#include "scheduler/render_int.h"

/*
 * What the names in templates mean: the values of DESIGN's list, looked up when asked, so
 * that a template pays only for what it uses.
 */

/* ---- outputs ---- */

/* A mapping with what its functions need; it lives in the arena of the rendering. */
struct member_host {
	struct jinja_host host;
	struct render *r;
	const struct dag_task *task;
};

static int
output_get(void *ctx, struct arena *a, const char *key, struct jinja_val *out,
	   struct err *err)
{
	const struct member_host *m = ctx;
	const struct render_outputs *o = &m->r->v->outputs;
	const char *val = NULL, *copy;
	size_t len = 0;
	int rc = o->get != NULL ? o->get(o->ctx, m->task->id, key, &val, &len) : -1;

	if (rc < 0) {
		(void)err_set(err, ERR_INVALID,
			      "outputs of `%s` are undefined: it has not ended well (it "
			      "failed, was skipped or did not run)",
			      m->task->name);
		return 0;
	}
	if (rc == 0)
		return 0;
	if ((copy = arena_strndup(a, val, len)) == NULL)
		return err_nomem(err);
	*out = jinja_strn(copy, len);
	return 1;
}

static const char *
output_name(void *ctx, size_t i)
{
	const struct member_host *m = ctx;
	const struct render_outputs *o = &m->r->v->outputs;

	return o->key != NULL ? o->key(o->ctx, m->task->id, i) : NULL;
}

static int
make_host(struct arena *a, struct render *r, const struct member_host *tpl,
	  struct jinja_val *out, struct err *err)
{
	struct member_host *m = arena_alloc(a, sizeof(*m));

	if (m == NULL)
		return err_nomem(err);
	*m = *tpl;
	m->r = r;
	m->host.ctx = m;
	*out = jinja_host(&m->host);
	return 1;
}

static int
outputs_get(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	    struct err *err)
{
	const struct member_host *m = ctx;
	struct member_host tpl = {.host = {.get = output_get, .name = output_name}};

	tpl.task = dag_task_find(m->r->v->dag, name);
	if (tpl.task == NULL)
		return 0;
	tpl.host.what = arena_printf(a, "outputs.%s", name);
	return make_host(a, m->r, &tpl, out, err);
}

static const char *
outputs_name(void *ctx, size_t i)
{
	const struct member_host *m = ctx;
	const struct dag *g = m->r->v->dag;

	return i < g->ntasks ? g->tasks[i].name : NULL;
}

/* ---- env ---- */

/* The variable that `env.name` means: the task's own, else the DAG's; a variable that names
 * itself means the one that it hides. */
static const struct dag_env *
find_env(const struct render *r, const char *name)
{
	const struct dag *g = r->v->dag;
	size_t i;

	for (i = r->t != NULL ? r->t->nenv : 0; i-- > 0;)
		if (strcmp(r->t->env[i].name, name) == 0 && &r->t->env[i] != r->in_env)
			return &r->t->env[i];
	for (i = g->nenv; i-- > 0;)
		if (strcmp(g->env[i].name, name) == 0)
			return &g->env[i];
	return NULL;
}

static int
env_get(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	struct err *err)
{
	const struct member_host *m = ctx;
	const struct dag_env *e = find_env(m->r, name);
	const char *val;

	(void)a;
	if (e == NULL)
		return 0;
	if (e->kind != ENV_TEXT)
		return err_set(
		    err, ERR_INVALID,
		    "env.%s is a secret and does not pass through templates; use "
		    "\"$%s\" in the command",
		    name, name);
	if (render_env_value(m->r, e, &val, err) != 0)
		return err_wrap(err, "env.%s", name);
	*out = jinja_str(val);
	return 1;
}

static const char *
env_name(void *ctx, size_t i)
{
	const struct member_host *m = ctx;
	const struct dag *g = m->r->v->dag;
	size_t n = m->r->t != NULL ? m->r->t->nenv : 0;

	if (i < n)
		return m->r->t->env[i].name;
	return i - n < g->nenv ? g->env[i - n].name : NULL;
}

/* ---- roots ---- */

enum root {
	ROOT_PARAMS,
	ROOT_OUTPUTS,
	ROOT_ENV,
	ROOT_LOGICAL_DATE,
	ROOT_DS,
	ROOT_DS_NODASH,
	ROOT_TS,
	ROOT_INTERVAL_START,
	ROOT_INTERVAL_END,
	ROOT_PREV_SUCCESS,
	ROOT_RUN_ID,
	ROOT_DAG,
	ROOT_TASK,
	ROOTS
};

const char *const render_roots[] = {
    [ROOT_PARAMS] = "params",
    [ROOT_OUTPUTS] = "outputs",
    [ROOT_ENV] = "env",
    [ROOT_LOGICAL_DATE] = "logical_date",
    [ROOT_DS] = "ds",
    [ROOT_DS_NODASH] = "ds_nodash",
    [ROOT_TS] = "ts",
    [ROOT_INTERVAL_START] = "data_interval_start",
    [ROOT_INTERVAL_END] = "data_interval_end",
    [ROOT_PREV_SUCCESS] = "prev_success_date",
    [ROOT_RUN_ID] = "run_id",
    [ROOT_DAG] = "dag",
    [ROOT_TASK] = "task",
    [ROOTS] = NULL,
};

const char *
render_root(void *ctx, size_t i)
{
	(void)ctx;
	return i < ROOTS ? render_roots[i] : NULL;
}

static int
text_value(struct arena *a, const char *text, struct jinja_val *out, struct err *err)
{
	const char *copy = arena_strdup(a, text);

	if (copy == NULL)
		return err_nomem(err);
	*out = jinja_str(copy);
	return 1;
}

static int
params_value(struct arena *a, const struct run_values *v, struct jinja_val *out,
	     struct err *err)
{
	/* A jinja_val has no way to say that nobody will change the mapping. */
	struct jinja_dict *d = (struct jinja_dict *)(uintptr_t)v->params;

	if (d == NULL && (d = jinja_dict_new(a)) == NULL)
		return err_nomem(err);
	*out = (struct jinja_val){.kind = JINJA_DICT, .dict = d};
	return 1;
}

static int
root_value(struct render *r, struct arena *a, enum root root, struct jinja_val *out,
	   struct err *err)
{
	static const struct member_host outputs = {.host = {.get = outputs_get,
							    .name = outputs_name,
							    .what = "outputs"}},
					env = {.host = {.get = env_get,
							.name = env_name,
							.what = "env"}};
	const struct run_values *v = r->v;
	char text[TIMEFMT_MAX];

	switch (root) {
	case ROOT_PARAMS:
		return params_value(a, v, out, err);
	case ROOT_OUTPUTS:
		return make_host(a, r, &outputs, out, err);
	case ROOT_ENV:
		return make_host(a, r, &env, out, err);
	case ROOT_LOGICAL_DATE:
		*out = jinja_time(v->logical_us);
		break;
	case ROOT_DS:
		return text_value(a, time_ds(text, v->logical_us), out, err);
	case ROOT_DS_NODASH:
		return text_value(a, time_ds_nodash(text, v->logical_us), out, err);
	case ROOT_TS:
		return text_value(a, time_rfc3339(text, v->logical_us), out, err);
	case ROOT_INTERVAL_START:
		*out = jinja_time(v->interval_start_us);
		break;
	case ROOT_INTERVAL_END:
		*out = jinja_time(v->interval_end_us);
		break;
	case ROOT_PREV_SUCCESS:
		*out = v->prev_success_us != 0 ? jinja_time(v->prev_success_us)
					       : jinja_none();
		break;
	case ROOT_RUN_ID:
		*out = jinja_str(v->run_id);
		break;
	case ROOT_DAG:
		*out = jinja_str(v->dag->name);
		break;
	case ROOT_TASK:
		*out = jinja_str(r->t->name);
		break;
	case ROOTS:
		return 0;
	}
	return 1;
}

int
render_lookup(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	      struct err *err)
{
	size_t i;

	for (i = 0; i < ROOTS; i++)
		if (strcmp(render_roots[i], name) == 0)
			return root_value(ctx, a, (enum root)i, out, err);
	return 0;
}
