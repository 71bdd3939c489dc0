#include "cli/status_rows.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/textwidth.h"
#include "cli/artifact.h"
#include "cli/cli.h"

/* ---- collecting ---- */

struct status_row *
status_row(struct status_rows *rows, const char *key)
{
	struct status_row *row = map_get(&rows->by_key, key);

	if (row != NULL)
		return row;
	row = arena_zalloc(rows->arena, sizeof *row);
	if (row == NULL || map_put(&rows->by_key, key, row) < 0)
		return NULL;
	row->key = key;
	row->deps_end = &row->deps;
	row->outs_end = &row->outs;
	return row;
}

void
status_rows_release(struct status_rows *rows)
{
	map_release(&rows->by_key);
}

static int
add(struct status_rows *rows, struct status_change ***end, const struct status_change *c)
{
	struct status_change *copy = arena_alloc(rows->arena, sizeof *copy);

	if (copy == NULL)
		return -1;
	*copy = *c;
	copy->next = NULL;
	**end = copy;
	*end = &copy->next;
	return 0;
}

int
status_add_dep(struct status_rows *rows, struct status_row *row,
	       const struct status_change *c)
{
	return add(rows, &row->deps_end, c);
}

int
status_add_out(struct status_rows *rows, struct status_row *row,
	       const struct status_change *c)
{
	return add(rows, &row->outs_end, c);
}

/* ---- telling ---- */

/* The path for people or for programs; in the buffer, which is emptied first. */
static const char *
shown(const struct artifact *a, const struct status_change *c, bool people, struct buf *b)
{
	buf_clear(b);
	if (c->elsewhere && people)
		text_put(b, c->path, strlen(c->path));
	else if (c->elsewhere)
		buf_adds(b, c->path);
	else if (people)
		artifact_put_path(a, c->path, b);
	else
		artifact_put_seen(a, c->path, b);
	return buf_failed(b) ? "" : b->p;
}

static void
put_line(struct buf *b, unsigned tabs, const char *state, const char *what)
{
	while (tabs-- > 0)
		buf_addc(b, '\t');
	buf_addf(b, "%s:%*s", state, (int)(19 - strlen(state)), "");
	buf_adds(b, what);
	buf_addc(b, '\n');
}

/* Whether it is a param of the file that the one before is of. */
static bool
goes_on(const struct status_change *before, const struct status_change *c)
{
	return before != NULL && before->param != NULL && c->param != NULL &&
	       strcmp(before->path, c->path) == 0;
}

static void
put_changes(struct artifact *a, const char *what, const struct status_change *c)
{
	const struct status_change *before = NULL;
	struct buf *b = &a->c->out, text;

	if (c == NULL)
		return;
	buf_init(&text, 0);
	buf_addf(b, "\t%s:\n", what);
	for (; c != NULL; before = c, c = c->next) {
		if (c->param == NULL) {
			put_line(b, 2, c->state, shown(a, c, true, &text));
			continue;
		}
		if (!goes_on(before, c))
			buf_addf(b, "\t\t%s:\n", shown(a, c, true, &text));
		buf_clear(&text);
		text_put(&text, c->param, strlen(c->param));
		put_line(b, 3, c->state, text.p);
	}
	buf_release(&text);
}

void
status_rows_text(struct artifact *a, const struct status_rows *rows)
{
	struct buf *b = &a->c->out;

	map_foreach (&rows->by_key, e) {
		const struct status_row *row = e->val;

		text_put(b, row->key, strlen(row->key));
		buf_adds(b, ":\n");
		put_changes(a, "changed deps", row->deps);
		put_changes(a, "changed outs", row->outs);
		if (row->always)
			buf_adds(b, "\talways changed\n");
		if (row->command)
			buf_adds(b, "\tchanged command\n");
	}
}

static void
json_changes(struct artifact *a, struct json_writer *w, const char *what,
	     const struct status_change *c)
{
	const struct status_change *before = NULL;
	struct buf path;

	if (c == NULL)
		return;
	buf_init(&path, 0);
	json_begin_object(w);
	json_key(w, what);
	json_begin_object(w);
	for (; c != NULL; before = c, c = c->next) {
		if (c->param == NULL) {
			json_kv_str(w, shown(a, c, false, &path), c->state);
			continue;
		}
		if (!goes_on(before, c)) {
			json_key(w, shown(a, c, false, &path));
			json_begin_object(w);
		}
		json_kv_str(w, c->param, c->state);
		if (c->next == NULL || !goes_on(c, c->next))
			json_end(w);
	}
	json_end(w);
	json_end(w);
	buf_release(&path);
}

void
status_rows_json(struct artifact *a, const struct status_rows *rows)
{
	struct json_writer w;

	json_init(&w, &a->c->out, 2);
	json_begin_object(&w);
	map_foreach (&rows->by_key, e) {
		const struct status_row *row = e->val;

		json_key(&w, row->key);
		json_begin_array(&w);
		json_changes(a, &w, "changed deps", row->deps);
		json_changes(a, &w, "changed outs", row->outs);
		if (row->always)
			json_str(&w, "always changed");
		if (row->command)
			json_str(&w, "changed command");
		json_end(&w);
	}
	json_end(&w);
	buf_addc(&a->c->out, '\n');
}
