#include "cli/changes.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/textwidth.h"
#include "store/objects/object_id.h"
#include "store/track/changes.h"

#define SHORT_HASH 8 /* of a hash that is shown to people */

/* The groups in the order in which they are shown. */
enum group { GROUP_ADDED, GROUP_DELETED, GROUP_RENAMED, GROUP_MODIFIED, GROUP_MISSING };
#define NGROUPS 5

static const struct {
	const char *name, *title, *ansi;
	enum change_kind kind;
} groups[NGROUPS] = {
    [GROUP_ADDED] = {"added", "Added", "32", CHANGE_ADDED},
    [GROUP_DELETED] = {"deleted", "Deleted", "31", CHANGE_DELETED},
    [GROUP_RENAMED] = {"renamed", "Renamed", "32", CHANGE_RENAMED},
    [GROUP_MODIFIED] = {"modified", "Modified", "33", CHANGE_MODIFIED},
    [GROUP_MISSING] = {"not in cache", "Not in cache", "33", CHANGE_KINDS},
};

static bool
is_in(const struct change *c, enum group g)
{
	return g == GROUP_MISSING ? c->missing : c->kind == groups[g].kind;
}

/* The next change of the group from *i on, or NULL. */
static const struct change *
next_of(const struct changes *c, enum group g, size_t *i)
{
	while (*i < c->n) {
		const struct change *one = &c->v[(*i)++];

		if (is_in(one, g))
			return one;
	}
	return NULL;
}

static bool
has(const struct changes *c, enum group g)
{
	size_t i = 0;

	return next_of(c, g, &i) != NULL;
}

static enum group
last_group(const struct changes_show *show)
{
	return show->missing ? GROUP_MISSING : GROUP_MODIFIED;
}

bool
changes_any(const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].kind != CHANGE_UNCHANGED)
			return true;
	return false;
}

/* ---- for people ---- */

void
changes_put_path(struct buf *b, const char *path, bool dir)
{
	text_put(b, path, strlen(path));
	if (dir)
		buf_addc(b, '/');
}

/* What became another thing is named by a diff as what it was, by a status as what it is. */
static bool
is_of_old(enum group g, bool diff)
{
	return g == GROUP_MISSING || (g == GROUP_MODIFIED && diff);
}

static void
put_names(struct buf *b, const struct change *c, enum group g, bool diff)
{
	if (g == GROUP_RENAMED) {
		changes_put_path(b, c->old_path, c->old_dir);
		buf_adds(b, " -> ");
	}
	changes_put_path(b, g == GROUP_MISSING ? c->old_path : c->path,
			 is_of_old(g, diff) ? c->old_dir : c->dir);
}

static void
put_short(struct buf *b, const struct object_id *id)
{
	char hex[OBJECT_HEX_MAX];

	buf_add(b, object_id_hex(id, hex), SHORT_HASH);
}

static void
put_hash(struct buf *b, const struct change *c, enum group g)
{
	if (g == GROUP_ADDED) {
		put_short(b, &c->new);
	} else {
		put_short(b, &c->old);
		if (g == GROUP_MODIFIED) {
			buf_adds(b, "..");
			put_short(b, &c->new);
		}
	}
}

/* Return how many files it has. */
static size_t
put_group(struct buf *b, const struct changes *c, enum group g,
	  const struct changes_show *show)
{
	const struct change *one;
	size_t i = 0, files = 0;

	if (!has(c, g))
		return 0;
	if (show->color)
		buf_addf(b, "\033[%sm%s\033[0m:\n", groups[g].ansi, groups[g].title);
	else
		buf_addf(b, "%s:\n", groups[g].title);
	while ((one = next_of(c, g, &i)) != NULL) {
		buf_adds(b, "    ");
		if (show->hashes) {
			put_hash(b, one, g);
			buf_adds(b, "  ");
		}
		put_names(b, one, g, true);
		buf_addc(b, '\n');
		files += !one->dir;
	}
	buf_addc(b, '\n');
	return files;
}

void
changes_put_diff(struct buf *b, const struct changes *c, const struct changes_show *show)
{
	const char *between = "files summary: ";
	size_t files[NGROUPS] = {0};

	for (unsigned g = 0; g <= (unsigned)last_group(show); g++)
		files[g] = put_group(b, c, (enum group)g, show);
	for (unsigned g = 0; g < NGROUPS; g++) {
		if (files[g] == 0)
			continue;
		buf_addf(b, "%s%zu %s", between, files[g], groups[g].name);
		between = ", ";
	}
	if (between[0] == ',')
		buf_addc(b, '\n');
}

void
changes_put_list(struct buf *b, const struct changes *c, const char *ansi)
{
	static const enum group order[] = {GROUP_MODIFIED, GROUP_ADDED, GROUP_DELETED,
					   GROUP_RENAMED};
	const struct change *one;
	size_t i;

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		i = 0;
		while ((one = next_of(c, order[k], &i)) != NULL) {
			buf_addf(b, "        %s%s%s%s: ", ansi != NULL ? "\033[" : "",
				 ansi != NULL ? ansi : "", ansi != NULL ? "m" : "",
				 groups[order[k]].name);
			put_names(b, one, order[k], false);
			buf_adds(b, ansi != NULL ? "\033[0m\n" : "\n");
		}
	}
	for (i = 0; i < c->n; i++) {
		if (c->v[i].kind != CHANGE_UNKNOWN)
			continue;
		buf_adds(b, "        unknown: ");
		changes_put_path(b, c->v[i].path, c->v[i].dir);
		buf_addc(b, '\n');
	}
}

/* ---- Markdown ---- */

/* The cells of one row, in the order of the columns. */
enum { COLUMN_STATUS, COLUMN_HASH, COLUMN_PATH, COLUMNS };

static void
put_cell(struct buf *b, const struct change *c, enum group g, int column)
{
	static const char *const titles[COLUMNS] = {"Status", "Hash", "Path"};

	if (c == NULL)
		buf_adds(b, titles[column]);
	else if (column == COLUMN_STATUS)
		buf_adds(b, groups[g].name);
	else if (column == COLUMN_HASH)
		put_hash(b, c, g);
	else
		put_names(b, c, g, true);
}

static void
put_row(struct buf *b, const struct change *c, enum group g,
	const struct changes_show *show, const unsigned *widths)
{
	size_t from;
	unsigned used;

	for (int i = 0; i < COLUMNS; i++) {
		if (i == COLUMN_HASH && !show->hashes)
			continue;
		buf_adds(b, "| ");
		from = b->n;
		put_cell(b, c, g, i);
		used = text_columns(b->p + from, b->n - from);
		buf_addf(b, "%*s", (int)(widths[i] - used) + 1, "");
	}
	buf_adds(b, "|\n");
}

static void
measure(const struct change *one, enum group g, unsigned *widths)
{
	struct buf b;
	unsigned n;

	buf_init(&b, 0);
	for (int i = 0; i < COLUMNS; i++) {
		buf_clear(&b);
		put_cell(&b, one, g, i);
		n = text_columns(b.p, b.n);
		if (n > widths[i])
			widths[i] = n;
	}
	buf_release(&b);
}

void
changes_put_markdown(struct buf *b, const struct changes *c,
		     const struct changes_show *show)
{
	unsigned widths[COLUMNS] = {0}, last = (unsigned)last_group(show);
	const struct change *one;
	size_t i;

	measure(NULL, GROUP_ADDED, widths);
	for (unsigned g = 0; g <= last; g++)
		for (i = 0; (one = next_of(c, (enum group)g, &i)) != NULL;)
			measure(one, (enum group)g, widths);
	put_row(b, NULL, GROUP_ADDED, show, widths);
	for (int k = 0; k < COLUMNS; k++) {
		if (k == COLUMN_HASH && !show->hashes)
			continue;
		buf_addc(b, '|');
		for (unsigned n = 0; n < widths[k] + 2; n++)
			buf_addc(b, '-');
	}
	buf_adds(b, "|\n");
	for (unsigned g = 0; g <= last; g++)
		for (i = 0; (one = next_of(c, (enum group)g, &i)) != NULL;)
			put_row(b, one, (enum group)g, show, widths);
	buf_addc(b, '\n');
}

/* ---- JSON ---- */

void
changes_json_path(struct json_writer *w, const char *path, bool dir)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, path);
	if (dir)
		buf_addc(&b, '/');
	if (buf_failed(&b))
		w->out->state = b.state;
	else
		json_strn(w, b.p, b.n);
	buf_release(&b);
}

static void
json_id(struct json_writer *w, const struct object_id *id)
{
	char hex[OBJECT_HEX_MAX];

	json_str(w, object_id_is_set(id) ? object_id_hex(id, hex) : NULL);
}

static void
json_names(struct json_writer *w, const struct change *c, enum group g, bool diff)
{
	if (g != GROUP_RENAMED) {
		changes_json_path(w, g == GROUP_MISSING ? c->old_path : c->path,
				  is_of_old(g, diff) ? c->old_dir : c->dir);
		return;
	}
	json_begin_object(w);
	json_key(w, "old");
	changes_json_path(w, c->old_path, c->old_dir);
	json_key(w, "new");
	changes_json_path(w, c->path, c->dir);
	json_end(w);
}

static void
json_hash(struct json_writer *w, const struct change *c, enum group g)
{
	if (g != GROUP_MODIFIED) {
		json_id(w, g == GROUP_ADDED ? &c->new : &c->old);
		return;
	}
	json_begin_object(w);
	json_key(w, "old");
	json_id(w, &c->old);
	json_key(w, "new");
	json_id(w, &c->new);
	json_end(w);
}

void
changes_json_diff(struct json_writer *w, const struct changes *c,
		  const struct changes_show *show)
{
	static const enum group order[] = {GROUP_ADDED, GROUP_DELETED, GROUP_MODIFIED,
					   GROUP_RENAMED, GROUP_MISSING};
	size_t n = sizeof(order) / sizeof(order[0]) - !show->missing;
	const struct change *one;
	bool any = false;

	for (size_t k = 0; k < n; k++)
		any = any || has(c, order[k]);
	json_begin_object(w);
	for (size_t k = 0; any && k < n; k++) {
		json_key(w, groups[order[k]].name);
		json_begin_array(w);
		for (size_t i = 0; (one = next_of(c, order[k], &i)) != NULL;) {
			json_begin_object(w);
			json_key(w, "path");
			json_names(w, one, order[k], true);
			if (show->hashes) {
				json_key(w, "hash");
				json_hash(w, one, order[k]);
			}
			json_end(w);
		}
		json_end(w);
	}
	json_end(w);
}

void
changes_json_kinds(struct json_writer *w, const struct changes *c)
{
	static const enum group order[] = {GROUP_MODIFIED, GROUP_ADDED, GROUP_DELETED,
					   GROUP_RENAMED};
	const struct change *one;
	bool any = false;

	json_begin_object(w);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		if (!has(c, order[k]))
			continue;
		json_key(w, groups[order[k]].name);
		json_begin_array(w);
		for (size_t i = 0; (one = next_of(c, order[k], &i)) != NULL;)
			json_names(w, one, order[k], false);
		json_end(w);
	}
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].kind != CHANGE_UNKNOWN)
			continue;
		if (!any) {
			json_key(w, "unknown");
			json_begin_array(w);
		}
		any = true;
		changes_json_path(w, c->v[i].path, c->v[i].dir);
	}
	if (any)
		json_end(w);
	json_end(w);
}
