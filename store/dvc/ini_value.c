#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/dvc/ini_internal.h"

/*
 * A line's value is a list of items with a comma behind each, then maybe one more, then maybe a
 * comment.  An item is in quotes, or runs to the next comma or "#".  A quote that is followed by
 * neither comma, comment nor end is part of the text, so that the end of an item is tried from
 * the nearest on; `fails` remembers from where the rest cannot be read, which keeps that
 * quadratic.
 */
struct reader {
	struct arena *arena;
	const char *p;
	size_t n;
	uint8_t *fails; /* per place: no rest can begin here */
	const char **v;
	size_t count, cap;
	bool list, nomem, toomany;
};

/* An item that was begun, and where it ends as far as we know. */
struct item {
	size_t from, to;
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t
skip_space(const struct reader *r, size_t at)
{
	while (at < r->n && is_space(r->p[at]))
		at++;
	return at;
}

/* Is there nothing from here on but a comment? */
static bool
at_end(const struct reader *r, size_t at)
{
	at = skip_space(r, at);
	return at == r->n || r->p[at] == '#';
}

/* Take r->p[from, to) as an item; quotes around it go. */
static bool
push(struct reader *r, size_t from, size_t to)
{
	size_t cap = r->cap != 0 ? 2 * r->cap : 4;
	const char **v;

	if (r->count == INI_ITEMS_MAX) {
		r->toomany = true;
		return false;
	}
	if (r->count == r->cap) {
		v = arena_array(r->arena, cap, sizeof(*v));
		if (v == NULL) {
			r->nomem = true;
			return false;
		}
		if (r->count > 0)
			memcpy(v, r->v, r->count * sizeof(*v));
		r->v = v;
		r->cap = cap;
	}
	if (to > from + 1 && r->p[from] == r->p[to - 1] &&
	    (r->p[from] == '"' || r->p[from] == '\'')) {
		from++;
		to--;
	}
	r->v[r->count] = arena_strndup(r->arena, r->p + from, to - from);
	if (r->v[r->count] == NULL) {
		r->nomem = true;
		return false;
	}
	r->count++;
	return true;
}

/* The end of the item at ${from} that is nearest to ${to} or behind it; 0: there is none. */
static size_t
item_end(const struct reader *r, size_t from, size_t to)
{
	char first = r->p[from];
	const char *q;

	if (first == '"' || first == '\'') {
		to = to > from ? to : from + 1;
		q = to < r->n ? memchr(r->p + to, first, r->n - to) : NULL;
		return q != NULL ? (size_t)(q - r->p) + 1 : 0;
	}
	if (to > from) /* without quotes there is one end only */
		return 0;
	for (to = from; to < r->n && r->p[to] != ',' && r->p[to] != '#';)
		to++;
	while (to > from && is_space(r->p[to - 1]))
		to--;
	return to;
}

/*
 * Find the items from ${at}, where one begins, to the end, and return how many there are; 0: it
 * cannot be read.  Each turn finds the end of one item; when the rest cannot be read the item
 * before is given another end.
 */
static size_t
find_items(struct reader *r, size_t at, struct item v[INI_ITEMS_MAX + 1])
{
	size_t depth = 0, to;

	v[0] = (struct item){at, 0};
	for (;;) {
		at = v[depth].from;
		to = at < r->n && !r->fails[at] ? item_end(r, at, v[depth].to) : 0;
		if (to <= at) {
			/* Behind a comma there may be nothing. */
			r->list = depth > 0;
			if (depth > 0 && v[depth].to == 0 && at_end(r, at))
				return depth;
			r->fails[at] = 1;
			if (depth-- == 0)
				return 0;
			continue;
		}
		v[depth].to = to;
		r->list = depth > 0;
		if (at_end(r, to))
			return depth + 1;
		at = skip_space(r, to);
		if (r->p[at] != ',')
			continue;
		r->toomany = ++depth > INI_ITEMS_MAX;
		if (r->toomany)
			return 0;
		v[depth] = (struct item){skip_space(r, at + 1), 0};
	}
}

static int
read_items(struct reader *r, size_t at)
{
	struct item *v = malloc((INI_ITEMS_MAX + 1) * sizeof(*v));
	size_t n = 0;

	r->fails = calloc(r->n + 1, 1);
	if (r->fails == NULL || v == NULL)
		r->nomem = true;
	else
		n = find_items(r, at, v);
	for (size_t i = 0; i < n && push(r, v[i].from, v[i].to); i++)
		continue;
	free(r->fails);
	free(v);
	return r->nomem ? -2 : r->toomany ? -3 : n == 0 ? -1 : 0;
}

int
ini_parse_value(struct arena *arena, const char *p, size_t n, struct ini_value *out)
{
	struct reader r = {.arena = arena, .p = p, .n = n};
	size_t at = skip_space(&r, 0);
	int rc = 0;

	if (at_end(&r, at)) {
		rc = push(&r, at, at) ? 0 : -2;
	} else if (p[at] == ',') {
		r.list = true; /* a comma alone is the empty list */
		rc = at_end(&r, at + 1) ? 0 : -1;
	} else {
		rc = read_items(&r, at);
	}
	*out = (struct ini_value){.v = r.v, .n = r.count, .list = r.list};
	return rc;
}
