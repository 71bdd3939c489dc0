/*
 * Diagnostics for editors.
 */
#include <stdlib.h>

#include "base/diag_impl.h"
#include "base/json.h"

static void
put_members(const struct diag *d, struct json_writer *w, const struct diag_message *m)
{
	const char *file = NULL;

	if (m->pos.file >= 0 && (size_t)m->pos.file < d->files.n)
		file = d->files.v[m->pos.file].name;
	json_kv_str(w, "file", file);
	json_kv_int(w, "line", m->pos.line);
	json_kv_int(w, "column", m->pos.col);
	json_kv_int(w, "width", m->pos.width);
	json_kv_str(w, "severity", diag_severity_name(m->severity));
	json_kv_str(w, "message", m->text);
	json_kv_str(w, "hint", m->hint);
}

static void
put_group(const struct diag *d, struct json_writer *w, const struct diag_group *g)
{
	json_begin_object(w);
	put_members(d, w, g->head);
	json_key(w, "notes");
	json_begin_array(w);
	for (size_t i = 0; i < g->nnotes; i++) {
		json_begin_object(w);
		put_members(d, w, g->notes[i]);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void
put_nomem(struct json_writer *w)
{
	json_begin_object(w);
	json_kv_str(w, "file", NULL);
	json_kv_int(w, "line", 0);
	json_kv_int(w, "column", 0);
	json_kv_int(w, "width", 0);
	json_kv_str(w, "severity", "error");
	json_kv_str(w, "message", "out of memory");
	json_kv_str(w, "hint", NULL);
	json_key(w, "notes");
	json_begin_array(w);
	json_end(w);
	json_end(w);
}

void
diag_json(struct diag *d, struct json_writer *w)
{
	const struct diag_message **notes = NULL;
	struct diag_group *groups = NULL;
	size_t i, n = 0;
	bool nomem = d->nomem;

	json_begin_array(w);
	if (diag_sorted(d, &notes, &groups, &n) != 0)
		nomem = true;
	for (i = 0; i < n; i++)
		put_group(d, w, &groups[i]);
	if (nomem)
		put_nomem(w);
	json_end(w);
	free(notes);
	free(groups);
}
