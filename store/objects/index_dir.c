#include "store/objects/index_dir.h"

#include <stdlib.h>
#include <string.h>

#define SPLIT_MAX  12
#define SPLIT_NONE (SPLIT_MAX + 1)

/* The kernel writes what is dirty for 30 s, looking every 5 s; four times that. */
#define YOUNG_NS ((int64_t)120 * 1000000000)

bool
index_is_young(const struct index_stat *st, int64_t now_ns)
{
	return st->ctime_ns > now_ns - YOUNG_NS;
}

static size_t
part_of(uint64_t hash, unsigned split)
{
	return split == 0 ? 0 : (size_t)(hash >> (64 - split));
}

static size_t
rows_of(const struct index_dir *d)
{
	return d->rows == NULL ? 0 : (size_t)1 << d->split;
}

/* ---- what is stored ---- */

static int
open_raw(struct index_dir *d, struct index_raw *raw)
{
	struct index_key key = {d->path, d->len, (uint32_t)raw->part};
	struct index_row row;
	uint8_t *p = raw->p;
	int r;

	raw->p = NULL;
	r = index_row_open(&row, p, raw->n, &key);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (d->rows == NULL) {
		d->split = index_row_split(&row);
		d->rows = calloc((size_t)1 << d->split, sizeof(*d->rows));
		if (d->rows == NULL) {
			index_row_release(&row);
			return -1;
		}
	}
	if (index_row_split(&row) != d->split || key.part >= rows_of(d) ||
	    d->rows[key.part].p != NULL)
		index_row_release(&row);
	else
		d->rows[key.part] = row;
	return 0;
}

int
index_dir_open(struct index_dir *d, const char *path, size_t len, struct index_raw *raws)
{
	struct index_raw *raw;
	size_t i;

	*d = (struct index_dir){.path = path, .len = len, .old_split = SPLIT_NONE};
	for (raw = raws; raw != NULL; raw = raw->next) {
		if (raw->p == NULL || raw->part < 0)
			continue;
		d->stored = true;
		if (open_raw(d, raw) != 0) {
			index_dir_release(d);
			return -1;
		}
	}
	d->whole = true;
	for (i = 0; i < rows_of(d); i++)
		if (d->rows[i].p == NULL)
			d->whole = false;
	if (d->rows != NULL)
		d->old_split = d->split;
	return 0;
}

void
index_dir_release(struct index_dir *d)
{
	size_t i;

	for (i = 0; i < rows_of(d); i++)
		index_row_release(&d->rows[i]);
	free(d->rows);
	*d = (struct index_dir){0};
}

void
index_chunks_free(struct index_chunk *c)
{
	while (c != NULL) {
		struct index_chunk *next = c->next;

		index_row_release(&c->row);
		free(c);
		c = next;
	}
}

uint32_t
index_dir_find(const struct index_dir *d, const char *name, size_t len,
	       struct index_entry *e, struct index_row **row)
{
	uint64_t hash;
	uint32_t i;

	if (d->rows == NULL)
		return UINT32_MAX;
	hash = index_name_hash(name, len);
	*row = &d->rows[part_of(hash, d->split)];
	i = index_row_find(*row, name, len, hash);
	if (i != UINT32_MAX)
		index_row_get(*row, (*row)->at[i], e);
	return i;
}

/* ---- merging ---- */

struct merging {
	struct index_dir *d;
	struct index_merge *m;
	struct index_row *rows; /* the new ones; not begun: the old one stays */
	unsigned split;
};

/* The marks of old entries: not seen (0), seen (1), or another one comes instead. */
#define REPLACED 2

static bool
stays(const struct merging *g, const struct index_row *row, uint32_t i)
{
	struct index_entry e;

	if (row->seen[i] != 0 || !g->m->keep)
		return row->seen[i] == 1;
	index_row_get(row, row->at[i], &e);
	return (e.flags & INDEX_YOUNG) == 0 ||
	       memcmp(index_row_boot(row), g->m->boot, INDEX_BOOT) == 0;
}

static uint32_t
count_staying(const struct merging *g, const struct index_row *row)
{
	uint32_t i, n = 0;

	for (i = 0; i < row->n; i++)
		n += stays(g, row, i);
	return n;
}

/* How many files there will be, the old ones that go being marked. */
static size_t
count_all(struct merging *g)
{
	struct index_entry e, old;
	struct index_chunk *c;
	struct index_row *row;
	size_t total = 0, at, i;

	for (c = g->m->chunks; c != NULL; c = c->next) {
		total += c->row.n;
		for (at = 0; index_row_next(&c->row, &at, &e);) {
			uint32_t k = index_dir_find(g->d, e.name, e.len, &old, &row);

			if (k != UINT32_MAX)
				row->seen[k] = REPLACED;
		}
	}
	for (i = 0; i < rows_of(g->d); i++)
		total += count_staying(g, &g->d->rows[i]);
	return total;
}

static unsigned
choose_split(const struct merging *g, size_t total)
{
	unsigned split;

	if (g->d->rows != NULL) {
		split = g->d->split;
		if (total >> split <= INDEX_ROW_FILES_MAX &&
		    (split == 0 || total >> split >= INDEX_ROW_FILES / 8))
			return split;
	}
	for (split = 0; split < SPLIT_MAX && total >> split > INDEX_ROW_FILES; split++)
		;
	return split;
}

static struct index_row *
new_row(struct merging *g, size_t part)
{
	struct index_row *row = &g->rows[part];

	if (row->p == NULL && index_row_init(row, g->m->boot, g->split) != 0)
		return NULL;
	return row;
}

/* Which rows are to be made anew: where something comes or goes, or all. */
static int
begin_rows(struct merging *g)
{
	struct index_entry e;
	struct index_chunk *c;
	size_t i, at, n = (size_t)1 << g->split;
	bool all = g->d->rows == NULL || g->split != g->d->split;

	g->rows = calloc(n, sizeof(*g->rows));
	if (g->rows == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		struct index_row *old = all ? NULL : &g->d->rows[i];

		if ((old == NULL || old->p == NULL || old->touched ||
		     count_staying(g, old) != old->n) &&
		    new_row(g, i) == NULL)
			return -1;
	}
	for (c = g->m->chunks; c != NULL; c = c->next)
		for (at = 0; index_row_next(&c->row, &at, &e);)
			if (new_row(g, part_of(index_name_hash(e.name, e.len),
					       g->split)) == NULL)
				return -1;
	return 0;
}

static int
add_old(struct merging *g, const struct index_row *old)
{
	struct index_entry e;
	uint32_t i;

	for (i = 0; i < old->n; i++) {
		struct index_row *row;

		if (!stays(g, old, i))
			continue;
		index_row_get(old, old->at[i], &e);
		row = &g->rows[part_of(index_name_hash(e.name, e.len), g->split)];
		if (row->p == NULL)
			return 0; /* the old one stays as it is */
		if (!index_is_young(&e.st, g->m->now_ns))
			e.flags &= ~(unsigned)INDEX_YOUNG;
		if (index_row_add(row, &e) != 0)
			return -1;
	}
	return 0;
}

static int
fill_rows(struct merging *g)
{
	struct index_chunk *c;
	struct index_entry e;
	size_t i, at;

	for (i = 0; i < rows_of(g->d); i++)
		if (add_old(g, &g->d->rows[i]) != 0)
			return -1;
	while ((c = g->m->chunks) != NULL) {
		for (at = 0; index_row_next(&c->row, &at, &e);)
			if (index_row_add(&g->rows[part_of(index_name_hash(e.name, e.len),
							   g->split)],
					  &e) != 0)
				return -1;
		g->m->chunks = c->next;
		c->next = NULL;
		index_chunks_free(c);
	}
	for (i = 0; i < (size_t)1 << g->split; i++) {
		/* To find the names that are there twice. */
		if (g->rows[i].p != NULL && index_row_index(&g->rows[i]) != 0)
			return -1;
		index_row_unindex(&g->rows[i]);
		g->rows[i].changed = g->rows[i].p != NULL;
	}
	return 0;
}

/* Put the new rows into the places of the old ones. */
static void
take_rows(struct merging *g)
{
	struct index_dir *d = g->d;
	size_t i, n = (size_t)1 << g->split;
	bool same = d->rows != NULL && d->split == g->split;

	for (i = 0; same && i < n; i++)
		if (g->rows[i].p == NULL) {
			g->rows[i] = d->rows[i];
			d->rows[i] = (struct index_row){0};
		}
	for (i = 0; i < rows_of(d); i++)
		index_row_release(&d->rows[i]);
	free(d->rows);
	d->rows = g->rows;
	d->split = g->split;
	d->whole = true;
}

static bool
nothing_new(const struct merging *g)
{
	size_t i;

	if (g->m->chunks != NULL || !g->d->whole)
		return false;
	for (i = 0; i < rows_of(g->d); i++)
		if (g->d->rows[i].touched ||
		    count_staying(g, &g->d->rows[i]) != g->d->rows[i].n)
			return false;
	return true;
}

int
index_dir_merge(struct index_dir *d, struct index_merge *m)
{
	struct merging g = {.d = d, .m = m};
	size_t i;

	if (nothing_new(&g))
		return 0;
	g.split = choose_split(&g, count_all(&g));
	if (begin_rows(&g) == 0 && fill_rows(&g) == 0) {
		take_rows(&g);
		return 0;
	}
	for (i = 0; g.rows != NULL && i < (size_t)1 << g.split; i++)
		index_row_release(&g.rows[i]);
	free(g.rows);
	index_chunks_free(m->chunks);
	m->chunks = NULL;
	return -1;
}

int
index_dir_seal(struct index_dir *d)
{
	struct index_key key = {d->path, d->len, 0};
	size_t i;

	for (i = 0; i < rows_of(d); i++) {
		key.part = (uint32_t)i;
		if (d->rows[i].changed && index_row_seal(&d->rows[i], &key) != 0)
			return -1;
	}
	return 0;
}
