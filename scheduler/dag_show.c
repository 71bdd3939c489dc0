/*
 * The graph for programs: JSON, Graphviz dot, Mermaid; and whether a text is a DAG file at all.
 */
#include "scheduler/dag_show.h"

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
dag_show_tasks_json(const struct dag *g, const bool *selected, struct json_writer *w)
{
	json_begin_array(w);
	for (size_t i = 0; i < g->ntasks; i++)
		if (selected == NULL || selected[g->order[i]])
			put_task(g, w, &g->tasks[g->order[i]]);
	json_end(w);
}

void
dag_show_json(const struct dag *g, const bool *selected, struct json_writer *w)
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
	dag_show_tasks_json(g, selected, w);
	json_end(w);
}

/* Call fn for each edge that is shown, in topological order of the task that needs. */
static void
each_edge(const struct dag *g, const bool *selected, struct buf *out,
	  void (*fn)(struct buf *, const struct dag_task *, const struct dag_task *))
{
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		if (selected != NULL && !selected[t->id])
			continue;
		for (size_t j = 0; j < t->nup; j++)
			if (selected == NULL || selected[t->up[j]])
				fn(out, &g->tasks[t->up[j]], t);
	}
}

/* Names of tasks need no escapes; paths may. */
static void
dot_name(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

static void
dot_edge(struct buf *out, const struct dag_task *from, const struct dag_task *to)
{
	buf_addc(out, '\t');
	dot_name(out, from->name);
	buf_adds(out, " -> ");
	dot_name(out, to->name);
	buf_adds(out, ";\n");
}

void
dag_show_dot(const struct dag *g, const bool *selected, struct buf *out)
{
	buf_addf(out, "digraph \"%s\" {\n\trankdir=LR;\n\tnode [shape=box];\n", g->name);
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		if (selected != NULL && !selected[t->id])
			continue;
		buf_addc(out, '\t');
		dot_name(out, t->name);
		buf_adds(out,
			 t->type->kind == TASK_ENGINE ? " [style=rounded];\n" : ";\n");
	}
	each_edge(g, selected, out, dot_edge);
	buf_adds(out, "}\n");
}

/* ---- Mermaid ---- */

/* Text inside a quoted label: '"' would end it, '#' begins an entity, and what could be read
 * as HTML or Markdown is written as one. */
static void
mermaid_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("\"#&<>`\\", *s) != NULL || (unsigned char)*s < ' ')
			buf_addf(out, "#%u;", (unsigned)(unsigned char)*s);
		else
			buf_addc(out, *s);
	}
}

static void
mermaid_edge(struct buf *out, const struct dag_task *from, const struct dag_task *to)
{
	buf_addf(out, "    t%u --> t%u\n", from->id, to->id);
}

void
dag_show_mermaid(const struct dag *g, const bool *selected, struct buf *out)
{
	buf_adds(out, "flowchart LR\n");
	for (size_t i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];
		bool engine = t->type->kind == TASK_ENGINE;

		if (selected != NULL && !selected[t->id])
			continue;
		buf_addf(out, "    t%u%s\"", t->id, engine ? "([" : "[");
		mermaid_text(out, t->name);
		buf_addf(out, "\"%s\n", engine ? "])" : "]");
	}
	each_edge(g, selected, out, mermaid_edge);
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
	size_t indent = 0, blanks; /* of the mapping's keys; before this line's text */
	bool begun = false;

	if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	for (; s < end; s = eol + 1) {
		eol = memchr(s, '\n', (size_t)(end - s));
		if (eol == NULL)
			eol = end;
		for (blanks = 0; s < eol && *s == ' '; blanks++)
			s++;
		if (s < eol && !begun && *s == '{')
			return has_tasks_inside(s, (size_t)(end - s));
		if (s < eol && !begun && *s == '-' && (s + 1 == eol || s[1] == ' '))
			return false; /* a list */
		/* What comes before the mapping: empty lines, comments, directives, "---". */
		if (s == eol || (!begun && strchr("#%-\r\t", *s) != NULL))
			continue;
		if (!begun)
			indent = blanks;
		begun = true;
		if (blanks == indent && is_tasks_key(s, (size_t)(end - s)))
			return true;
	}
	return false;
}
