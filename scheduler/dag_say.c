/*
 * Messages of the DAG loader: places, suggestions, unknown keys.
 */
#include <string.h>

#include "scheduler/dag_load.h"

int
load_nomem(struct load *L)
{
	if (!L->nomem)
		diag_add(L->d, DIAG_ERROR, load_file_pos(L), "out of memory");
	L->nomem = true;
	return -1;
}

struct diag_pos
load_file_pos(const struct load *L)
{
	return (struct diag_pos){L->file, 0, 0, 0};
}

struct diag_pos
load_pos(const struct load *L, const struct yaml_node *n)
{
	return (struct diag_pos){L->file, n->line, n->col, n->width};
}

/* Characters in len bytes at p. */
static uint32_t
characters(const char *p, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)p[i] & 0xc0) != 0x80;
	return n > 0 ? n : 1;
}

struct diag_pos
load_pos_in(const struct load *L, const struct yaml_node *n, size_t offset, size_t len)
{
	struct diag_pos pos = {.file = L->file};

	/* To find it the scalar is walked from its start; for what is not shown, not even that. */
	if (diag_count(L->d) >= 2 * DIAG_MAX)
		return load_pos(L, n);
	yaml_where(L->text, n, offset, &pos.line, &pos.col);
	if (offset > n->len)
		offset = n->len;
	if (len > n->len - offset)
		len = n->len - offset;
	pos.width = characters(n->str + offset, len);
	return pos;
}

/* ---- suggestions ---- */

void
load_did_you_mean(struct load *L, const char *word)
{
	if (word != NULL)
		diag_hint(L->d, "did you mean '%s'?", word);
}

/* Try all keys of a map, as long as there is budget: a file of a thousand wrong names among
 * a hundred thousand must not take minutes. */
static const char *
like_key(struct load *L, const struct map *m, const char *word)
{
	struct suggest s;

	if (m->n > L->suggestions)
		return NULL;
	L->suggestions -= m->n;
	suggest_start(&s, word);
	map_foreach (m, it)
		suggest_try(&s, it->key);
	return suggest_best(&s);
}

const char *
load_like_task(struct load *L, const char *word)
{
	return like_key(L, &L->tasks, word);
}

const char *
load_like_param(struct load *L, const char *word)
{
	return like_key(L, &L->params, word);
}

const char *
load_like_value(const char *word, const char *const *values)
{
	struct suggest s;

	suggest_start(&s, word);
	for (; *values != NULL; values++)
		suggest_try(&s, *values);
	return suggest_best(&s);
}

/* ---- keys ---- */

bool
load_known_key(struct load *L, const struct key_spec *spec, const struct yaml_node *key)
{
	if (spec->status != KEY_LATER)
		return true;
	diag_add(L->d, DIAG_ERROR, load_pos(L, key), "`%s` is not built yet", spec->name);
	diag_hint(L->d, "this version of dag knows the key but cannot do it; remove it");
	return false;
}

static void
try_keys(struct suggest *s, const struct key_spec *keys)
{
	for (; keys->name != NULL; keys++)
		if (keys->status != KEY_LATER)
			suggest_try(s, keys->name);
}

/* A type that has this key, other than ${not}; a built one before others. */
static const struct task_type *
type_with(const char *key, const struct task_type * not )
{
	const struct task_type *types, *found = NULL;
	size_t n;

	types = schema_types(&n);
	for (size_t i = 0; i < n; i++) {
		if (&types[i] == not )
			continue;
		for (const struct key_spec *k = types[i].keys; k->name != NULL; k++)
			if (strcmp(k->name, key) == 0 && found == NULL)
				found = &types[i];
	}
	return found;
}

static void
hint_task_key(struct load *L, const char *word, const struct task_type *type)
{
	const struct task_type *other = type_with(word, type);
	const char *ours = schema_foreign_key(word, true);
	struct suggest s;

	if (ours != NULL) {
		load_did_you_mean(L, ours);
		return;
	}
	if (schema_dag_key(word) != NULL) {
		diag_hint(L->d, "it is a key of the DAG, not of a task");
		return;
	}
	if (other != NULL) {
		diag_hint(L->d, "it is a key of tasks of type %s", other->name);
		return;
	}
	suggest_start(&s, word);
	if (type != NULL)
		try_keys(&s, type->keys);
	try_keys(&s, schema_task_keys());
	load_did_you_mean(L, suggest_best(&s));
}

static void
hint_dag_key(struct load *L, const char *word)
{
	const char *ours = schema_foreign_key(word, false);
	struct suggest s;

	if (ours != NULL) {
		load_did_you_mean(L, ours);
		return;
	}
	if (schema_key(NULL, word) != NULL || type_with(word, NULL) != NULL) {
		diag_hint(L->d, "it is a key of tasks; is it indented enough?");
		return;
	}
	suggest_start(&s, word);
	try_keys(&s, schema_dag_keys());
	load_did_you_mean(L, suggest_best(&s));
}

void
load_unknown_key(struct load *L, const struct yaml_node *key, bool task,
		 const struct task_type *type)
{
	diag_add(L->d, DIAG_ERROR, load_pos(L, key), "unknown key '%s'", key->str);
	if (task)
		hint_task_key(L, key->str, type);
	else
		hint_dag_key(L, key->str);
}
