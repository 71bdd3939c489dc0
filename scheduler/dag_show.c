/*
 * The graph for programs: JSON and Graphviz dot; and whether a text is a DAG file at all.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "scheduler/dag.h"
#include "tasks/schema/schema.h"

static void
put_strings(struct json_writer *w, const char *key, const char *const *v, size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		json_str(w, v[i]);
	json_end(w);
}

static void
put_texts(struct json_writer *w, const char *key, const struct dag_text *v, size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		json_strn(w, v[i].src, v[i].len);
	json_end(w);
}

static void
put_task(const struct dag *g, struct json_writer *w, const struct dag_task *t)
{
	json_begin_object(w);
	json_kv_str(w, "name", t->name);
	json_kv_str(w, "description", t->description);
	json_kv_str(w, "type", t->type->name);
	json_kv_int(w, "level", t->level);
	json_key(w, "needs");
	json_begin_array(w);
	for (size_t i = 0; i < t->nup; i++)
		json_str(w, g->tasks[t->up[i]].name);
	json_end(w);
	put_texts(w, "inputs", t->inputs, t->ninputs);
	put_texts(w, "outputs", t->outputs, t->noutputs);
	json_kv_str(w, "when", t->when_src);
	json_kv_str(w, "trigger", trigger_rule_name(t->trigger));
	put_strings(w, "tags", t->tags, t->ntags);
	json_end(w);
}

void
dag_show_json(const struct dag *g, struct json_writer *w)
{
	json_begin_object(w);
	json_kv_str(w, "dag", g->name);
	json_kv_str(w, "file", g->file);
	json_kv_str(w, "description", g->description);
	json_kv_str(w, "hash", g->hash);
	put_strings(w, "tags", g->tags, g->ntags);
	json_key(w, "params");
	json_begin_array(w);
	for (size_t i = 0; i < g->nparams; i++) {
		json_begin_object(w);
		json_kv_str(w, "name", g->params[i].name);
		json_kv_str(w, "type", param_type_name(g->params[i].type));
		json_kv_bool(w, "required", g->params[i].required);
		json_kv_str(w, "description", g->params[i].description);
		json_end(w);
	}
	json_end(w);
	json_kv_int(w, "levels", g->levels);
	json_key(w, "tasks");
	json_begin_array(w);
	for (size_t i = 0; i < g->ntasks; i++)
		put_task(g, w, &g->tasks[g->order[i]]);
	json_end(w);
	json_end(w);
}

void
dag_show_dot(const struct dag *g, struct buf *out)
{
	/* Names need no escapes: letters, digits, _ and -. */
	buf_addf(out, "digraph \"%s\" {\n\trankdir=LR;\n\tnode [shape=box];\n", g->name);
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		buf_addf(out, "\t\"%s\"%s;\n", t->name,
			 t->type->kind == TASK_ENGINE ? " [style=rounded]" : "");
	}
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		for (size_t j = 0; j < t->nup; j++)
			buf_addf(out, "\t\"%s\" -> \"%s\";\n", g->tasks[t->up[j]].name,
				 t->name);
	}
	buf_adds(out, "}\n");
}

/* ---- at a glance ---- */

/* Whether `tasks` stands at s as a key. */
static bool
is_tasks_key(const char *s, size_t n)
{
	char quote = n > 0 && (*s == '"' || *s == '\'') ? *s : '\0';
	size_t at = quote != '\0' ? 1 : 0;

	if (n < at + 6 || memcmp(s + at, "tasks", 5) != 0)
		return false;
	at += 5;
	if (quote != '\0' && s[at++] != quote)
		return false;
	while (at < n && (s[at] == ' ' || s[at] == '\t'))
		at++;
	return at < n && s[at] == ':' &&
	       (quote != '\0' || at + 1 == n || strchr(" \t\r\n", s[at + 1]) != NULL);
}

/* In a mapping written with braces: a key right behind the first brace or a comma. */
static bool
has_tasks_inside(const char *s, size_t n)
{
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '{' || s[i] == '[')
			depth++;
		else if (s[i] == '}' || s[i] == ']')
			depth--;
		if (depth != 1 || (s[i] != '{' && s[i] != ','))
			continue;
		while (i + 1 < n && strchr(" \t\r\n", s[i + 1]) != NULL)
			i++;
		if (is_tasks_key(s + i + 1, n - i - 1))
			return true;
	}
	return false;
}

bool
dag_looks_like(const char *text, size_t len)
{
	const char *s = text, *end = text + len, *eol;
	bool begun = false;

	if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	for (; s < end; s = eol + 1) {
		eol = memchr(s, '\n', (size_t)(end - s));
		if (eol == NULL)
			eol = end;
		if (is_tasks_key(s, (size_t)(end - s)))
			return true;
		if (!begun && *s == '{')
			return has_tasks_inside(s, (size_t)(end - s));
		/* What comes before the mapping: empty lines, comments, directives, "---". */
		begun = begun || (s < eol && strchr("#%-\r ", *s) == NULL);
	}
	return false;
}
