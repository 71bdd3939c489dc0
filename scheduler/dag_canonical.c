/*
 * The canonical form of a model: JSON with every key that has an effect, in the order of the
 * alphabet.  What a task's keys are where nobody says otherwise stands once, under
 * "defaults", and a task has only what differs from that: the same model has one text, and
 * the text of ten thousand tasks stays short.  Tasks keep the file's order, which decides
 * between tasks of one priority; `description`, `schedule` and `notify` have no effect.
 */
#include <string.h>

#include "base/json.h"
#include "base/yaml.h"
#include "scheduler/dag_load.h"
#include "tasks/schema/schema.h"

static void
put_text(struct json_writer *w, const struct dag_text *t)
{
	if (t->src == NULL)
		json_put_null(w);
	else
		json_strn(w, t->src, t->len);
}

static void
put_texts(struct json_writer *w, const char *key, const struct dag_text *v, size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		put_text(w, &v[i]);
	json_end(w);
}

static void
put_strings(struct json_writer *w, const char *key, const char *const *v, size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
	json_end(w);
}

void
canonical_value(struct json_writer *w, const struct yaml_node *n)
{
	size_t i;

	switch (n->kind) {
	case YAML_NULL:
		json_put_null(w);
		break;
	case YAML_BOOL:
		json_bool(w, n->b);
		break;
	case YAML_INT:
		json_int(w, n->i);
		break;
	case YAML_FLOAT:
		json_double(w, n->f);
		break;
	case YAML_STR:
		json_strn(w, n->str, n->len);
		break;
	case YAML_SEQ:
		json_begin_array(w);
		for (i = 0; i < n->seq.n; i++)
			canonical_value(w, n->seq.v[i]);
		json_end(w);
		break;
	case YAML_MAP:
		json_begin_object(w);
		for (i = 0; i < n->map.n; i++) {
			json_key(w, n->map.v[i].key->str);
			canonical_value(w, n->map.v[i].val);
		}
		json_end(w);
		break;
	}
}

/* As written: the order of variables decides which wins nowhere, but is seen by programs. */
static void
put_env(struct json_writer *w, const struct dag_env *v, size_t n)
{
	static const char *const sources[] = {
	    [ENV_TEXT] = "value", [ENV_FROM_ENV] = "env", [ENV_FROM_FILE] = "file"};

	json_key(w, "env");
	json_begin_array(w);
	for (size_t i = 0; i < n; i++) {
		json_begin_object(w);
		json_kv_str(w, "name", v[i].name);
		json_key(w, sources[v[i].kind]);
		if (v[i].kind == ENV_TEXT)
			put_text(w, &v[i].val);
		else
			json_str(w, v[i].ref);
		json_end(w);
	}
	json_end(w);
}

static void
put_param(struct json_writer *w, const struct dag_param *p)
{
	json_begin_object(w);
	json_key(w, "default");
	if (p->def != NULL)
		canonical_value(w, p->def);
	else
		json_put_null(w);
	json_key(w, "enum");
	json_begin_array(w);
	for (size_t i = 0; i < p->nenums; i++)
		canonical_value(w, p->enums[i]);
	json_end(w);
	json_key(w, "maximum");
	if (p->has_max)
		json_double(w, p->max);
	else
		json_put_null(w);
	json_key(w, "minimum");
	if (p->has_min)
		json_double(w, p->min);
	else
		json_put_null(w);
	json_kv_str(w, "name", p->name);
	json_kv_str(w, "pattern", p->pattern);
	json_kv_bool(w, "required", p->required);
	json_kv_str(w, "type", param_type_name(p->type));
	json_end(w);
}

static void
put_names(const struct dag *g, struct json_writer *w, const char *key,
	  const uint32_t *ids, size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		json_str(w, g->tasks[ids[i]].name);
	json_end(w);
}

/* Keys with plain values: written for `dag_usual` itself (the defaults) and where t differs. */

static void
put_int(struct json_writer *w, const struct dag_task *t, const char *key, int64_t v,
	int64_t d)
{
	if (t == &dag_usual || v != d)
		json_kv_int(w, key, v);
}

static void
put_bool(struct json_writer *w, const struct dag_task *t, const char *key, bool v)
{
	if (t == &dag_usual || v)
		json_kv_bool(w, key, v);
}

static void
put_retries(struct json_writer *w, const struct dag_task *t)
{
	put_int(w, t, "retries", t->retries, dag_usual.retries);
	if (t == &dag_usual || t->retry_backoff < 1 || t->retry_backoff > 1) {
		json_key(w, "retry_backoff");
		json_double(w, t->retry_backoff);
	}
	put_int(w, t, "retry_delay", t->retry_delay_us, dag_usual.retry_delay_us);
	put_int(w, t, "retry_max_delay", t->retry_max_delay_us,
		dag_usual.retry_max_delay_us);
	if (t != &dag_usual && t->retry_on == dag_usual.retry_on)
		return;
	json_key(w, "retry_on");
	json_begin_array(w);
	for (int cause = CAUSE_EXIT; cause < CAUSE_MAX; cause++)
		if (t->retry_on & (1u << cause))
			json_str(w, fail_cause_name((enum fail_cause)cause));
	json_end(w);
}

static void
put_run(struct json_writer *w, const struct dag_task *t)
{
	if (t->run_is_argv)
		put_texts(w, "run", t->run, t->nrun);
	else if (t->nrun == 1) {
		json_key(w, "run");
		put_text(w, &t->run[0]);
	}
}

static void
put_shell(struct json_writer *w, const struct dag_task *t)
{
	static const char *const sh[] = {"/bin/sh", "-e", "-c", NULL};
	const char *const *v = t == &dag_usual ? sh : t->shell;
	size_t n = 0;

	if (v == NULL || t->run_is_argv)
		return;
	while (v[n] != NULL)
		n++;
	put_strings(w, "shell", v, n);
}

static void
put_optional(struct json_writer *w, const char *key, const struct dag_text *t)
{
	if (t->src == NULL)
		return;
	json_key(w, key);
	put_text(w, t);
}

static void
put_task(const struct dag *g, struct json_writer *w, const struct dag_task *t)
{
	json_begin_object(w);
	put_bool(w, t, "allow_failure", t->allow_failure);
	if (t->allow_missing)
		json_kv_bool(w, "allow_missing", true);
	put_bool(w, t, "cached", t->cached);
	if (t->ncode > 0)
		put_texts(w, "code", t->code, t->ncode);
	if (t->nenv > 0)
		put_env(w, t->env, t->nenv);
	put_optional(w, "for", &t->wait_for);
	if (t->force)
		json_kv_bool(w, "force", true);
	if (t->frozen)
		json_kv_bool(w, "frozen", true);
	put_int(w, t, "grace", t->grace_us, dag_usual.grace_us);
	if (t->ninputs > 0)
		put_texts(w, "inputs", t->inputs, t->ninputs);
	if (t->jobs > 0)
		json_kv_int(w, "jobs", t->jobs);
	put_bool(w, t, "leave_children", t->leave_children);
	put_int(w, t, "memory", t->memory, dag_usual.memory);
	if (t->name != NULL)
		json_kv_str(w, "name", t->name);
	if (t->nup > 0)
		put_names(g, w, "needs", t->up, t->nup);
	if (t->noutputs > 0)
		put_texts(w, "outputs", t->outputs, t->noutputs);
	if (t->nparams > 0)
		put_strings(w, "params", t->params, t->nparams);
	put_bool(w, t, "persist", t->persist);
	put_int(w, t, "priority", t->priority, dag_usual.priority);
	if (t->recursive)
		json_kv_bool(w, "recursive", true);
	put_optional(w, "remote", &t->remote);
	put_retries(w, t);
	put_run(w, t);
	put_shell(w, t);
	if (t->ntags > 0)
		put_strings(w, "tags", t->tags, t->ntags);
	if (t->ntargets > 0)
		put_texts(w, "targets", t->targets, t->ntargets);
	put_int(w, t, "timeout", t->timeout_us, dag_usual.timeout_us);
	if (t == &dag_usual || t->trigger != dag_usual.trigger)
		json_kv_str(w, "trigger", trigger_rule_name(t->trigger));
	if (t->type != NULL)
		json_kv_str(w, "type", t->type->name);
	put_optional(w, "until", &t->wait_until);
	if (t->verify)
		json_kv_bool(w, "verify", true);
	if (t->when_src != NULL)
		json_kv_str(w, "when", t->when_src);
	put_optional(w, "workdir", &t->workdir);
	json_end(w);
}

void
dag_canonical_task(const struct dag *g, const struct dag_task *t, struct json_writer *w)
{
	put_task(g, w, t);
}

void
dag_canonical(const struct dag *g, struct json_writer *w)
{
	json_begin_object(w);
	json_kv_str(w, "dag", g->name);
	json_key(w, "defaults");
	put_task(g, w, &dag_usual);
	put_env(w, g->env, g->nenv);
	json_kv_int(w, "max_active_tasks", g->max_active_tasks);
	json_key(w, "params");
	json_begin_array(w);
	for (size_t i = 0; i < g->nparams; i++)
		put_param(w, &g->params[i]);
	json_end(w);
	put_strings(w, "tags", g->tags, g->ntags);
	json_key(w, "tasks");
	json_begin_array(w);
	for (size_t i = 0; i < g->ntasks; i++)
		put_task(g, w, &g->tasks[i]);
	json_end(w);
	json_kv_int(w, "timeout", g->timeout_us);
	json_end(w);
}
