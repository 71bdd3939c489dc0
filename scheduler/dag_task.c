/*
 * The tasks of the file: which keys they have, and what each sets in the model.
 */
#include <string.h>

#include "base/suggest.h"
#include "scheduler/dag_load.h"

/* Read one key of a task; a mistake is said, and the key then keeps its default. */
typedef int (*key_reader)(struct load *, struct dag_task *, const struct key_spec *,
			  const struct yaml_pair *);

struct task_field {
	const char *key;
	size_t at;	 /* of the plain value in struct dag_task, which has its type */
	key_reader read; /* or what reads it */
	const struct key_spec *spec;
};

/* ---- readers ---- */

static int
read_trigger(struct load *L, struct dag_task *t, const struct key_spec *spec,
	     const struct yaml_pair *p)
{
	size_t i;

	/* Names of Airflow 2 that Airflow itself replaced. */
	if (p->val->str != NULL && (strcmp(p->val->str, "dummy") == 0 ||
				    strcmp(p->val->str, "none_failed_or_skipped") == 0)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->val), "`trigger` knows no '%s'",
			 p->val->str);
		load_did_you_mean(L, *p->val->str == 'd' ? "always"
							 : "none_failed_min_one_success");
		return 0;
	}
	/* The table's words stand in the order of the enum, which a test asserts. */
	if (load_enum(L, spec, p->val, &i))
		t->trigger = (enum trigger_rule)i;
	return 0;
}

static int
read_workdir(struct load *L, struct dag_task *t, const struct key_spec *spec,
	     const struct yaml_pair *p)
{
	const struct dag_task *task = t != &L->defaults ? t : NULL;

	if (!load_is_scalar(p->val) || p->val->len == 0) {
		load_wrong_type(L, spec->name, "a path", p->val);
		return 0;
	}
	if (strcmp(p->val->str, "~") == 0 || strncmp(p->val->str, "~/", 2) == 0) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->val),
			 "'~' is not your home here");
		diag_hint(L->d, "write the whole path");
		return 0;
	}
	return load_template(L, p->val, USE_TASK, task, &t->workdir);
}

static int
read_when(struct load *L, struct dag_task *t, const struct key_spec *spec,
	  const struct yaml_pair *p)
{
	return load_expr(L, spec, p->val, t);
}

static int
read_tags(struct load *L, struct dag_task *t, const struct key_spec *spec,
	  const struct yaml_pair *p)
{
	return load_tags(L, spec, &p->val, &t->tags, &t->ntags);
}

static int
read_env(struct load *L, struct dag_task *t, const struct key_spec *spec,
	 const struct yaml_pair *p)
{
	return load_env(L, spec, p->val, USE_TASK, t, &t->env, &t->nenv);
}

static int
read_inputs(struct load *L, struct dag_task *t, const struct key_spec *spec,
	    const struct yaml_pair *p)
{
	return load_paths(L, t, spec, p, &t->inputs, &t->ninputs);
}

static int
read_outputs(struct load *L, struct dag_task *t, const struct key_spec *spec,
	     const struct yaml_pair *p)
{
	return load_paths(L, t, spec, p, &t->outputs, &t->noutputs);
}

static int
read_code(struct load *L, struct dag_task *t, const struct key_spec *spec,
	  const struct yaml_pair *p)
{
	return load_paths(L, t, spec, p, &t->code, &t->ncode);
}

static int
read_cache(struct load *L, struct dag_task *t, const struct key_spec *spec,
	   const struct yaml_pair *p)
{
	bool on;

	if (load_bool(L, spec, p->val, &on))
		t->cache = on ? CACHE_YES : CACHE_NO;
	return 0;
}

#define AT(member) offsetof(struct dag_task, member)

/* `run` and all behind it are keys of their types. */
static struct task_field const fields[] = {
    {.key = "description", .at = AT(description)},
    {.key = "needs", .read = load_needs},
    {.key = "inputs", .read = read_inputs},
    {.key = "outputs", .read = read_outputs},
    {.key = "params", .read = load_task_params},
    {.key = "env", .read = read_env},
    {.key = "workdir", .read = read_workdir},
    {.key = "shell", .read = load_shell},
    {.key = "when", .read = read_when},
    {.key = "trigger", .read = read_trigger},
    {.key = "retries", .at = AT(retries)},
    {.key = "retry_delay", .at = AT(retry_delay_us)},
    {.key = "retry_backoff", .at = AT(retry_backoff)},
    {.key = "retry_max_delay", .at = AT(retry_max_delay_us)},
    {.key = "retry_on", .read = load_retry_on},
    {.key = "timeout", .at = AT(timeout_us)},
    {.key = "grace", .at = AT(grace_us)},
    {.key = "allow_failure", .at = AT(allow_failure)},
    {.key = "priority", .at = AT(priority)},
    {.key = "resources", .read = load_resources},
    {.key = "persist", .at = AT(persist)},
    {.key = "leave_children", .at = AT(leave_children)},
    {.key = "tags", .read = read_tags},
    {.key = "cache", .read = read_cache},
    {.key = "code", .read = read_code},
    {.key = "frozen", .at = AT(frozen)},
    {.key = "run", .read = load_run},
    {.key = "for", .read = load_wait_for},
    {.key = "until", .read = load_wait_until},
    {.key = "targets", .read = load_targets},
    {.key = "remote", .read = load_remote},
    {.key = "jobs", .at = AT(jobs)},
    {.key = "recursive", .at = AT(recursive)},
    {.key = "verify", .at = AT(verify)},
    {.key = "force", .at = AT(force)},
    {.key = "allow_missing", .at = AT(allow_missing)},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* ---- one task ---- */

int
load_fields_init(struct load *L)
{
	struct task_field *v = arena_array(L->arena, FIELDS, sizeof(*v));

	if (v == NULL)
		return load_nomem(L);
	memcpy(v, fields, sizeof(fields));
	for (size_t i = 0; i < FIELDS; i++) {
		v[i].spec = schema_key(NULL, v[i].key);
		if (map_put(&L->fields, v[i].key, &v[i]) < 0)
			return load_nomem(L);
	}
	return 0;
}

/* Read a value that needs no reader of its own. */
static void
read_plain(struct load *L, struct dag_task *t, const struct key_spec *spec, size_t at,
	   const struct yaml_node *val)
{
	char *target = (char *)t + at;
	int64_t i;
	int32_t narrow;

	if (spec->type == KEY_TEXT)
		(void)load_text(L, spec, val, (const char **)(void *)target);
	else if (spec->type == KEY_BOOL)
		(void)load_bool(L, spec, val, (bool *)target);
	else if (spec->type == KEY_DURATION)
		(void)load_duration(L, spec, val, (int64_t *)(void *)target);
	else if (spec->type == KEY_NUMBER)
		(void)load_backoff(L, spec, val, (double *)(void *)target);
	else if (load_int(L, spec, val, &i)) {
		narrow = (int32_t)i; /* the table's limits are within 32 bits */
		memcpy(target, &narrow, sizeof(narrow));
	}
}

static int
read_field(struct load *L, struct dag_task *t, const struct key_spec *spec,
	   const struct yaml_pair *p)
{
	const struct task_field *f = map_getn(&L->fields, p->key->str, p->key->len);

	if (f == NULL) /* accepted without effect */
		return 0;
	if (f->read != NULL)
		return f->read(L, t, spec, p);
	read_plain(L, t, spec, f->at, p->val);
	return 0;
}

/* What runs no program has no use for these. */
static bool
needs_program(const char *key)
{
	static const char *const keys[] = {
	    "inputs", "outputs",	"env",	     "workdir", "shell", "persist",
	    "grace",  "leave_children", "resources", "cache",	"code",	 "frozen"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static const struct key_spec *
find_spec(const struct load *L, const struct task_type *type, const char *key, size_t len)
{
	const struct task_field *f = map_getn(&L->fields, key, len);

	/* The map answers for what is most frequent; `run` and the like are their types' own. */
	if (f != NULL && f->spec != NULL)
		return f->spec;
	return schema_key(type, key);
}

static bool
is_type_key(const struct task_type *type, const struct key_spec *spec)
{
	for (const struct key_spec *k = type->keys; k->name != NULL; k++)
		if (k == spec)
			return true;
	return false;
}

static int
load_key(struct load *L, struct dag_task *t, const struct yaml_pair *p)
{
	const struct key_spec *spec = find_spec(L, t->type, p->key->str, p->key->len);

	if (spec == NULL) {
		load_unknown_key(L, p->key, true, t->type);
		return 0;
	}
	/* The keys of a type that is not built are refused with it, not one by one. */
	if (t->type->status == KEY_LATER && is_type_key(t->type, spec))
		return 0;
	if (!load_known_key(L, spec, p->key))
		return 0;
	if (t->type->kind == TASK_ENGINE && t->type->status != KEY_LATER &&
	    needs_program(spec->name)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->key),
			 "`%s` has no effect in a task of type %s, which runs no program",
			 spec->name, t->type->name);
		return 0;
	}
	if (t->type->kind == TASK_VERB && !load_verb_key(L, t, p->key))
		return 0;
	return read_field(L, t, spec, p);
}

static const char *
like_type(const char *word)
{
	const struct task_type *types;
	struct suggest s;
	size_t n;

	types = schema_types(&n);
	suggest_start(&s, word);
	for (size_t i = 0; i < n; i++)
		suggest_try(&s, types[i].name);
	return suggest_best(&s);
}

/* The type that `type` names; NULL if it is none, said. */
static const struct task_type *
named_type(struct load *L, const struct yaml_node *n)
{
	const struct task_type *type = n->str != NULL ? schema_type(n->str) : NULL;
	const char *near;

	if (type != NULL && type->status == KEY_LATER) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "type '%s' is not built yet",
			 type->name);
		diag_hint(L->d,
			  "this version of dag has the types shell, wait, push and pull");
	}
	if (type != NULL)
		return type;
	if (!load_is_scalar(n)) {
		load_wrong_type(L, "type", "the name of a type", n);
		return NULL;
	}
	diag_add(L->d, DIAG_ERROR, load_pos(L, n), "there is no type '%s'", n->str);
	near = like_type(n->str);
	if (near != NULL)
		load_did_you_mean(L, near);
	else if (strcmp(n->str, "bash") == 0 || strcmp(n->str, "command") == 0 ||
		 strcmp(n->str, "script") == 0 || strcmp(n->str, "exec") == 0)
		load_did_you_mean(L, "shell");
	else
		diag_hint(L->d, "'dag help types' lists them");
	return NULL;
}

/* Without `type`: shell where there is a `run`; else say which type may be meant. */
static const struct task_type *
implied_type(struct load *L, const struct dag_task *t)
{
	const struct task_type *shell = schema_type("shell"), *types;
	const struct yaml_node *map = t->node;
	struct suggest near_run;
	size_t n;

	if (yaml_get(map, "run") != NULL)
		return shell;
	/* A misspelt `run` is said where it stands. */
	for (size_t i = 0; i < map->map.n; i++) {
		const char *ours = schema_foreign_key(map->map.v[i].key->str, true);

		if (ours != NULL && strcmp(ours, "run") == 0)
			return shell;
		suggest_start(&near_run, map->map.v[i].key->str);
		suggest_try(&near_run, "run");
		if (schema_key(shell, map->map.v[i].key->str) == NULL &&
		    suggest_best(&near_run) != NULL)
			return shell;
	}
	diag_add(L->d, DIAG_ERROR, load_pos(L, t->name_node),
		 "task '%s' has neither `run` nor `type`", t->name);
	types = schema_types(&n);
	for (size_t i = 0; i < n; i++) {
		for (const struct key_spec *k = types[i].keys; k->name != NULL; k++) {
			if (yaml_get(map, k->name) != NULL) {
				diag_hint(L->d, "is it type: %s?", types[i].name);
				return &types[i];
			}
		}
	}
	diag_hint(L->d, "give it a command: run: ./program");
	return NULL;
}

/* What the keys say together. */
static int
check_task(struct load *L, struct dag_task *t)
{
	if (t->type->status == KEY_LATER)
		return 0;
	if (t->type->kind == TASK_EXEC) {
		load_check_command(L, t);
		load_check_cache(L, t);
	} else if (t->type->kind == TASK_VERB)
		load_check_verb(t);
	else
		load_check_wait(L, t);
	return load_check_secrets(L, t);
}

/* A workdir that comes from `defaults` is held against this task's edges. */
static int
inherit(struct load *L, const struct dag_task *t)
{
	if (t->workdir.tpl == NULL || t->workdir.node != L->defaults.workdir.node ||
	    t->type->kind == TASK_ENGINE || t->type->kind == TASK_VERB)
		return 0;
	return load_check_inherited(L, &t->workdir, t);
}

static int
load_task(struct load *L, struct dag_task *t)
{
	const struct yaml_node *type = yaml_get(t->node, "type");

	t->type = type != NULL ? named_type(L, type) : implied_type(L, t);
	if (t->type == NULL) {
		/* Its own keys cannot be told from mistakes; what it needs still counts. */
		const struct yaml_node *needs = yaml_get(t->node, "needs");

		t->type = schema_type("shell");
		for (size_t i = 0; needs != NULL && i < t->node->map.n; i++)
			if (t->node->map.v[i].val == needs &&
			    load_key(L, t, &t->node->map.v[i]) != 0)
				return -1;
		return 0;
	}
	for (size_t i = 0; i < t->node->map.n; i++) {
		const struct yaml_pair *p = &t->node->map.v[i];

		if (strcmp(p->key->str, "type") != 0 && load_key(L, t, p) != 0)
			return -1;
	}
	return inherit(L, t) != 0 ? -1 : check_task(L, t);
}

/* ---- defaults ---- */

const struct dag_task dag_usual = {.trigger = TRIGGER_ALL_SUCCESS,
				   .retry_delay_us = DAG_RETRY_DELAY_US,
				   .retry_backoff = 1,
				   .retry_max_delay_us = DAG_RETRY_MAX_DELAY_US,
				   .retry_on = RETRY_ON_DEFAULT,
				   .grace_us = DAG_GRACE_US,
				   .shell_is_posix = true};

static int
load_default(struct load *L, const struct yaml_pair *p)
{
	const struct key_spec *spec = schema_key(schema_type("shell"), p->key->str);

	if (spec == NULL) {
		load_unknown_key(L, p->key, true, NULL);
		return 0;
	}
	if (!load_known_key(L, spec, p->key))
		return 0;
	if (!spec->defaultable) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->key),
			 "`%s` cannot stand under `defaults`", spec->name);
		if (strcmp(spec->name, "env") == 0)
			diag_hint(L->d, "the `env` of the DAG is for all tasks");
		else
			diag_hint(L->d, "give it to each task that has it");
		return 0;
	}
	return read_field(L, &L->defaults, spec, p);
}

int
load_defaults(struct load *L, const struct yaml_node *map)
{
	L->defaults = dag_usual;
	if (map == NULL || load_is_null(map))
		return 0;
	if (map->kind != YAML_MAP) {
		load_wrong_type(L, "defaults", schema_key_type_text(KEY_DEFAULTS), map);
		return 0;
	}
	for (size_t i = 0; i < map->map.n; i++)
		if (load_default(L, &map->map.v[i]) != 0)
			return -1;
	return 0;
}

/* What a stage of dvc.yaml may say of how it is run. */
int
load_policy(struct load *L, struct dag_task *t, const struct yaml_node *map)
{
	static const char *const keys[] = {
	    "retries",	"retry_delay",	 "retry_backoff", "retry_max_delay",
	    "retry_on", "timeout",	 "grace",	  "priority",
	    "tags",	"allow_failure", "resources",	  "leave_children"};
	size_t n = sizeof(keys) / sizeof(keys[0]), k;

	if (map->kind != YAML_MAP) {
		load_wrong_type(L, "dag", schema_key_type_text(KEY_DEFAULTS), map);
		return 0;
	}
	if (L->fields.n == 0 && load_fields_init(L) != 0)
		return -1;
	for (size_t i = 0; i < map->map.n; i++) {
		const struct yaml_pair *p = &map->map.v[i];
		const struct key_spec *spec = schema_key(t->type, p->key->str);

		for (k = 0; k < n && strcmp(keys[k], p->key->str) != 0; k++)
			continue;
		if (k == n && spec != NULL)
			diag_add(L->d, DIAG_ERROR, load_pos(L, p->key),
				 "`%s` cannot stand in the `meta` of a stage",
				 p->key->str);
		else if (k == n)
			load_unknown_key(L, p->key, true, t->type);
		else if (load_known_key(L, spec, p->key) &&
			 read_field(L, t, spec, p) != 0)
			return -1;
	}
	return 0;
}

/* ---- all tasks ---- */

/* Give a task its name and number, if its mapping can be one. */
static int
name_task(struct load *L, const struct yaml_pair *p)
{
	struct dag_task *t = &L->dag->tasks[L->dag->ntasks];

	if (!load_check_name(L, "task", p->key))
		return 0;
	if (p->val->kind != YAML_MAP) {
		if (load_is_null(p->val))
			diag_add(L->d, DIAG_ERROR, load_pos(L, p->key),
				 "task '%s' is empty", p->key->str);
		else
			diag_add(L->d, DIAG_ERROR, load_pos(L, p->val),
				 "task '%s' is a mapping of keys, not %s", p->key->str,
				 yaml_kind_name(p->val->kind));
		diag_hint(L->d, "write %s: {run: ./program}", p->key->str);
	}
	t->id = (uint32_t)L->dag->ntasks;
	t->name = p->key->str;
	t->name_node = p->key;
	t->node = p->val;
	if (map_putn(&L->tasks, p->key->str, p->key->len, t) < 0)
		return load_nomem(L);
	L->dag->ntasks++;
	return 0;
}

static void
not_a_mapping(struct load *L, const struct yaml_node *n)
{
	if (n->kind == YAML_NULL || n->kind == YAML_MAP) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "there are no tasks");
		diag_hint(L->d, "write one below: hello: {run: echo hello}");
		return;
	}
	load_wrong_type(L, "tasks", schema_key_type_text(KEY_TASKS), n);
	if (n->kind == YAML_SEQ)
		diag_hint(L->d, "write each task as NAME: {run: ...}, without '- '");
}

int
load_task_names(struct load *L, const struct yaml_node *map)
{
	struct dag *g = L->dag;

	if (map->kind != YAML_MAP || map->map.n == 0) {
		not_a_mapping(L, map);
		return 0;
	}
	if (map->map.n > DAG_TASKS_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, map),
			 "there are %zu tasks; at most %d", map->map.n, DAG_TASKS_MAX);
		return -1;
	}
	g->tasks = arena_array(L->arena, map->map.n, sizeof(*g->tasks));
	if (g->tasks == NULL)
		return load_nomem(L);
	for (size_t i = 0; i < map->map.n; i++)
		if (name_task(L, &map->map.v[i]) != 0)
			return -1;
	return 0;
}

/* The defaults, under the name and number of the task. */
static void
take_defaults(const struct load *L, struct dag_task *t)
{
	const struct dag_task own = *t;

	*t = L->defaults;
	t->id = own.id;
	t->name = own.name;
	t->name_node = own.name_node;
	t->node = own.node;
}

int
load_tasks(struct load *L)
{
	for (size_t i = 0; i < L->dag->ntasks; i++) {
		struct dag_task *t = &L->dag->tasks[i];

		take_defaults(L, t);
		if (t->node->kind != YAML_MAP)
			t->type = schema_type("shell"); /* said that it is no task */
		else if (load_task(L, t) != 0)
			return -1;
	}
	return 0;
}
