/*
 * Loading a DAG file: the phases in their order.  See dag_load.h.
 */
#include "scheduler/dag.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/path.h"
#include "scheduler/dag_load.h"

#define ARENA_MAX \
	((size_t)2 << 30)   /* of one model: far above what the file's limit needs */
#define SUGGESTIONS 5000000 /* names looked at for "did you mean", in one file */

/* ---- the DAG's own keys ---- */

/* The file's name without directory and extension, where there is no `dag`. */
static int
name_from_file(struct load *L)
{
	const char *base = path_basename(L->name);
	size_t len = path_stem_len(base);
	char *name = arena_strndup(L->arena, base, len);

	if (name == NULL)
		return load_nomem(L);
	L->dag->name = name;
	if (load_is_name(name, len))
		return 0;
	diag_add(L->d, DIAG_ERROR, load_file_pos(L),
		 "the file's name cannot be the name of the DAG: '%s'", name);
	for (char *p = name; *p != '\0'; p++)
		if (!load_is_name(p, 1) &&
		    (p == name || (*p != '-' && (*p < '0' || *p > '9'))))
			*p = '_';
	diag_hint(L->d, "give it one in the file: dag: %.*s", DAG_NAME_MAX, name);
	return 0;
}

static int
read_key(struct load *L, const struct yaml_pair *p)
{
	const struct key_spec *spec = schema_dag_key(p->key->str);
	struct dag *g = L->dag;
	int64_t v;

	if (spec == NULL) {
		load_unknown_key(L, p->key, false, NULL);
		return 0;
	}
	if (!load_known_key(L, spec, p->key))
		return 0;
	if (strcmp(spec->name, "dag") == 0) {
		if (load_check_name(L, "DAG", p->val))
			g->name = p->val->str;
	} else if (strcmp(spec->name, "description") == 0)
		(void)load_text(L, spec, p->val, &g->description);
	else if (strcmp(spec->name, "timeout") == 0)
		(void)load_duration(L, spec, p->val, &g->timeout_us);
	else if (strcmp(spec->name, "max_active_tasks") == 0) {
		if (load_int(L, spec, p->val, &v))
			g->max_active_tasks = (uint32_t)v;
	} else if (strcmp(spec->name, "tags") == 0)
		return load_tags(L, spec, &p->val, &g->tags, &g->ntags);
	return 0; /* the mappings have phases of their own */
}

static int
read_keys(struct load *L)
{
	for (size_t i = 0; i < L->root->map.n; i++)
		if (read_key(L, &L->root->map.v[i]) != 0)
			return -1;
	if (yaml_get(L->root, "dag") == NULL)
		return name_from_file(L);
	return 0;
}

/* No `tasks` at all, unless under a name that other tools use, which has been pointed at. */
static void
no_tasks(struct load *L)
{
	for (size_t i = 0; i < L->root->map.n; i++) {
		const char *ours = schema_foreign_key(L->root->map.v[i].key->str, false);

		if (ours != NULL && strcmp(ours, "tasks") == 0)
			return;
	}
	diag_add(L->d, DIAG_ERROR, load_file_pos(L), "the file has no `tasks`");
	diag_hint(L->d, "add them: tasks: {hello: {run: echo hello}}");
}

/* Names must be known before anything refers to them: tasks and params, then the rest. */
static int
read_mappings(struct load *L)
{
	const struct yaml_node *params = yaml_get(L->root, "params"),
			       *env = yaml_get(L->root, "env"),
			       *tasks = yaml_get(L->root, "tasks");

	if (tasks == NULL)
		no_tasks(L);
	else if (load_task_names(L, tasks) != 0)
		return -1;
	if (params != NULL && load_params(L, params) != 0)
		return -1;
	if (env != NULL && load_env(L, schema_dag_key("env"), env, USE_DAG, NULL,
				    &L->dag->env, &L->dag->nenv) != 0)
		return -1;
	if (load_check_secrets(L, NULL) != 0 || load_fields_init(L) != 0)
		return -1;
	return load_defaults(L, yaml_get(L->root, "defaults")) != 0 ? -1 : load_tasks(L);
}

static bool
check_root(struct load *L)
{
	if (L->root->kind == YAML_MAP)
		return true;
	if (L->root->kind == YAML_NULL)
		diag_add(L->d, DIAG_ERROR, load_file_pos(L), "the file is empty");
	else
		diag_add(L->d, DIAG_ERROR, load_pos(L, L->root),
			 "a DAG file is a mapping of keys, not %s",
			 yaml_kind_name(L->root->kind));
	diag_hint(L->d, "begin with: tasks: {hello: {run: echo hello}}");
	return false;
}

/* ---- the whole ---- */

static int
hash_model(struct load *L)
{
	struct json_writer w;
	struct buf text;
	int rc;

	buf_init(&text, SIZE_MAX);
	json_init(&w, &text, 0);
	dag_canonical(L->dag, &w);
	rc = buf_failed(&text) ? -1
			       : hash_bytes(HASH_SHA256, text.p, text.n, L->dag->hash);
	buf_release(&text);
	return rc != 0 ? load_nomem(L) : 0;
}

static int
load_phases(struct load *L, size_t errors_before)
{
	if (!check_root(L))
		return -1;
	if (read_keys(L) != 0 || read_mappings(L) != 0 || load_path_edges(L) != 0 ||
	    load_graph(L) != 0)
		return -1;
	if (load_check_uses(L) != 0)
		return -1;
	if (diag_errors(L->d) != errors_before)
		return -1;
	return hash_model(L);
}

static int
load_tree(struct load *L, const char *text, size_t len)
{
	struct dag *g = L->dag;
	char *copy = arena_strndup(L->arena, text, len),
	     *name = arena_strdup(L->arena, L->name);
	struct yaml_node *root;

	if (copy == NULL || name == NULL)
		return load_nomem(L);
	g->text = L->text = copy;
	g->len = len;
	g->file = name;
	if (yaml_parse(L->arena, L->d, L->file, copy, len, &root) < 0)
		return -1;
	L->root = root;
	return 0;
}

int
dag_load_in(struct arena *a, struct diag *d, int file, const char *name, const char *text,
	    size_t len, const char *root_rel, struct dag **out)
{
	struct load L = {.arena = a,
			 .d = d,
			 .file = file,
			 .name = name,
			 .root_rel = root_rel,
			 .suggestions = SUGGESTIONS};
	size_t errors_before = diag_errors(d);
	int rc;

	*out = NULL;
	L.dag = arena_zalloc(a, sizeof(*L.dag));
	if (L.dag == NULL)
		rc = load_nomem(&L);
	else {
		L.dag->arena = a;
		rc = load_tree(&L, text, len);
	}
	if (rc == 0)
		rc = load_phases(&L, errors_before);
	map_release(&L.fields);
	map_release(&L.tasks);
	map_release(&L.params);
	vec_release(&L.edges);
	vec_release(&L.uses);
	if (rc != 0 || diag_errors(d) != errors_before) {
		arena_free(a);
		return -1;
	}
	*out = L.dag;
	return 0;
}

int
dag_load(struct diag *d, int file, const char *name, const char *text, size_t len,
	 const char *root_rel, struct dag **out)
{
	struct arena *a = arena_new(ARENA_MAX);

	if (a == NULL) {
		*out = NULL;
		diag_add(d, DIAG_ERROR, (struct diag_pos){.file = file}, "out of memory");
		return -1;
	}
	return dag_load_in(a, d, file, name, text, len, root_rel, out);
}

void
dag_free(struct dag *g)
{
	if (g != NULL)
		arena_free(g->arena);
}

const struct dag_task *
dag_task_find(const struct dag *g, const char *name)
{
	for (size_t i = 0; i < g->ntasks; i++)
		if (strcmp(g->tasks[i].name, name) == 0)
			return &g->tasks[i];
	return NULL;
}

bool
dag_task_needs(const struct dag_task *t, uint32_t id)
{
	size_t low = 0, high = t->nup, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t->up[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->nup && t->up[low] == id;
}

/* ---- invariants ---- */

static void
check_edges(const struct dag *g, const struct dag_task *t)
{
	uint32_t level = 0;

	for (size_t i = 0; i < t->nup; i++) {
		const struct dag_task *u = &g->tasks[t->up[i]];
		bool seen = false;

		assert(t->up[i] < g->ntasks && t->up[i] != t->id);
		assert(i == 0 || t->up[i - 1] < t->up[i]);
		for (size_t j = 0; j < u->ndown; j++)
			seen = seen || u->down[j] == t->id;
		assert(seen);
		level = u->level + 1 > level ? u->level + 1 : level;
	}
	for (size_t i = 1; i < t->ndown; i++)
		assert(t->down[i - 1] < t->down[i]);
	assert(t->level == level);
	(void)level;
}

void
dag_check_model(const struct dag *g)
{
	size_t up = 0, down = 0, levels = 0;
	struct arena *a = arena_new(0);
	uint32_t *place;

	assert(a != NULL);
	place = arena_array(a, g->ntasks, sizeof(*place));
	assert(place != NULL && g->ntasks > 0);
	for (size_t i = 0; i < g->ntasks; i++) {
		assert(g->order[i] < g->ntasks && place[g->order[i]] == 0);
		place[g->order[i]] = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[i];

		assert(t->id == i && t->type != NULL && t->name != NULL);
		check_edges(g, t);
		for (size_t j = 0; j < t->nup; j++)
			assert(place[t->up[j]] < place[i]);
		up += t->nup;
		down += t->ndown;
		levels = t->level + 1 > levels ? t->level + 1 : levels;
	}
	assert(up == down && levels == g->levels && strlen(g->hash) == 64);
	(void)up;
	(void)down;
	arena_free(a);
}
