/*
 * From a DAG to the nodes of its drawing: the edges that others imply are left out, tasks that
 * are alike may be put into one box, and what is not connected becomes parts of its own.
 */
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "cli/graph.h"
#include "cli/graph_int.h"
#include "scheduler/dag.h"

#define GROUP_MIN    3 /* tasks alike that are worth a box */
#define BOX_ROWS_MAX 6
#define MORE_WIDTH   11 /* "+ 1999 more" */

/* ---- the edges that count ---- */

static bool
bit(const uint64_t *row, uint32_t i)
{
	return (row[i / 64] >> (i % 64) & 1) != 0;
}

/* Keep of the edges to task i those that no chain of others implies. */
static int
reduce(struct arena *a, struct base *b, uint64_t *reach, size_t words, uint32_t i,
       const uint32_t *ups, uint32_t nups)
{
	uint64_t *row = reach + i * words;
	uint32_t j, k;

	for (j = 0; j < nups; j++)
		for (k = 0; k < words; k++)
			row[k] |= reach[ups[j] * words + k];
	b->up[i] = arena_array(a, nups + 1, sizeof(**b->up));
	if (b->up[i] == NULL)
		return -1;
	for (j = 0; j < nups; j++)
		if (bit(row, ups[j]))
			b->implied++;
		else
			b->up[i][b->nup[i]++] = ups[j];
	for (j = 0; j < nups; j++)
		row[ups[j] / 64] |= UINT64_C(1) << (ups[j] % 64);
	return 0;
}

static int
fill_down(struct arena *a, struct base *b)
{
	uint32_t i, j;

	for (i = 0; i < b->n; i++)
		for (j = 0; j < b->nup[i]; j++)
			b->ndown[b->up[i][j]]++;
	for (i = 0; i < b->n; i++) {
		b->down[i] = arena_array(a, b->ndown[i] + 1, sizeof(**b->down));
		if (b->down[i] == NULL)
			return -1;
		b->ndown[i] = 0;
	}
	for (i = 0; i < b->n; i++)
		for (j = 0; j < b->nup[i]; j++) {
			uint32_t u = b->up[i][j];

			b->down[u][b->ndown[u]++] = i;
		}
	return 0;
}

static void
sort_ids(uint32_t *v, uint32_t n)
{
	uint32_t i, k, x;

	for (i = 1; i < n; i++) {
		x = v[i];
		for (k = i; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

int
base_make(struct arena *a, const struct dag *g, const bool *selected, struct base *b)
{
	uint32_t *at = arena_array(a, g->ntasks + 1, sizeof(*at)), *ups, nups, i, j;
	size_t words, k;
	uint64_t *reach;

	*b = (struct base){0};
	if (at == NULL)
		return -1;
	for (k = 0; k < g->ntasks; k++)
		at[g->order[k]] =
		    selected == NULL || selected[g->order[k]] ? b->n++ : NONE;
	if (b->n > GRAPH_TASKS_MAX)
		return 1;
	words = (b->n + 63) / 64;
	reach = arena_array(a, (size_t)b->n * words + 1, sizeof(*reach));
	ups = arena_array(a, b->n + 1, sizeof(*ups));
	b->name = arena_array(a, b->n + 1, sizeof(*b->name));
	b->up = arena_array(a, b->n + 1, sizeof(*b->up));
	b->down = arena_array(a, b->n + 1, sizeof(*b->down));
	b->nup = arena_array(a, b->n + 1, sizeof(*b->nup));
	b->ndown = arena_array(a, b->n + 1, sizeof(*b->ndown));
	if (reach == NULL || ups == NULL || b->name == NULL || b->up == NULL ||
	    b->down == NULL || b->nup == NULL || b->ndown == NULL)
		return -1;
	for (k = 0; k < g->ntasks; k++) {
		const struct dag_task *t = &g->tasks[g->order[k]];

		if ((i = at[t->id]) == NONE)
			continue;
		b->name[i] = t->name;
		for (nups = 0, j = 0; j < t->nup; j++)
			if (at[t->up[j]] != NONE)
				ups[nups++] = at[t->up[j]];
		sort_ids(ups, nups);
		if (reduce(a, b, reach, words, i, ups, nups) != 0)
			return -1;
	}
	return fill_down(a, b);
}

/* ---- who is alike ---- */

/* Append one list to a key, with its length, so that no two pairs of lists are the same. */
static size_t
put_key(uint32_t *key, size_t n, const uint32_t *list, uint32_t len)
{
	key[n] = len;
	memcpy(key + n + 1, list, len * sizeof(*list));
	return n + 1 + len;
}

/* first[i]: the first task that is alike; count[first]: how many there are. */
static int
classes(struct arena *a, const struct base *b, uint32_t *first, uint32_t *count)
{
	struct map seen = {0};
	uint32_t i, *key;
	int rc = 0;

	for (i = 0; i < b->n && rc == 0; i++) {
		size_t n = 0;
		uint32_t *known;

		key = arena_array(a, (size_t)b->nup[i] + b->ndown[i] + 2, sizeof(*key));
		if (key == NULL) {
			rc = -1;
			break;
		}
		n = put_key(key, n, b->up[i], b->nup[i]);
		n = put_key(key, n, b->down[i], b->ndown[i]);
		known = map_getn(&seen, (const char *)key, n * sizeof(*key));
		first[i] = known != NULL ? *known : i;
		count[first[i]]++;
		if (known == NULL &&
		    map_putn(&seen, (const char *)key, n * sizeof(*key), &first[i]) < 0)
			rc = -1;
	}
	map_release(&seen);
	return rc;
}

/* ---- nodes ---- */

/* The name, or its head and tail with dots between them. */
static const char *
shorten(struct arena *a, const char *name, unsigned most, bool utf8)
{
	const char *dots = utf8 ? "\u2026" : "..";
	unsigned n = (unsigned)strlen(name), mark = utf8 ? 1 : 2, head;

	if (most == 0 || n <= most)
		return name;
	head = (most - mark + 1) * 3 / 5;
	return arena_printf(a, "%.*s%s%s", (int)head, name, dots,
			    name + n - (most - mark - head));
}

/* Set the columns of a box that may be so wide; return its rows. */
static unsigned
box_rows(struct gnode *v, unsigned widest, unsigned room)
{
	unsigned rows;

	v->columns = room > widest + 4 ? (room - 2) / (widest + 2) : 1;
	if (v->columns > v->nnames)
		v->columns = v->nnames;
	rows = (v->nnames + v->columns - 1) / v->columns;
	v->columns = (v->nnames + rows - 1) / rows;
	return rows;
}

/* Size a node; a box is made about as wide as it may be, and its rows are evened out. */
static void
size_node(struct gnode *v, const struct graph_try *how, unsigned width)
{
	unsigned widest = 0, room, rows;
	uint32_t i, n;

	for (i = 0; i < v->nnames; i++) {
		n = (uint32_t)strlen(v->name[i]);
		if (how->name != 0 && n > how->name)
			n = how->name;
		if (n > widest)
			widest = n;
	}
	v->w = widest;
	v->h = 1;
	v->columns = 1;
	if (v->nnames == 1)
		return;
	room = width / how->share;
	rows = box_rows(v, widest, room);
	if (rows > BOX_ROWS_MAX) {
		/* The last place tells how many more there are. */
		widest = widest > MORE_WIDTH ? widest : MORE_WIDTH;
		(void)box_rows(v, widest, room);
		rows = BOX_ROWS_MAX;
		v->more = v->nnames - (rows * v->columns - 1);
		v->nnames = rows * v->columns - 1;
	}
	v->w = v->columns * (widest + 2) + 2;
	v->h = rows + 2;
}

/* The nodes of a list of tasks, without doubles. */
static uint32_t *
nodes_of(struct arena *a, const uint32_t *node, const uint32_t *tasks, uint32_t n,
	 uint32_t *nout)
{
	uint32_t *out = arena_array(a, n + 1, sizeof(*out)), i;

	*nout = 0;
	for (i = 0; out != NULL && i < n; i++)
		out[i] = node[tasks[i]];
	if (out == NULL)
		return NULL;
	sort_ids(out, n);
	for (i = 0; i < n; i++)
		if (*nout == 0 || out[*nout - 1] != out[i])
			out[(*nout)++] = out[i];
	return out;
}

/* Number the connected parts; return how many there are. */
static uint32_t
number_parts(struct gnode *v, uint32_t n)
{
	uint32_t i, j, parts = 0, low, alone = NONE;
	bool again = true;

	for (i = 0; i < n; i++) {
		v[i].part = i;
		/* Who has no neighbours stands beside the others that have none. */
		if (v[i].nup == 0 && v[i].ndown == 0) {
			alone = alone == NONE ? i : alone;
			v[i].part = alone;
		}
	}
	/* The lowest node of a part spreads along its edges; a few rounds do. */
	while (again) {
		again = false;
		for (i = 0; i < n; i++)
			for (j = 0; j < v[i].ndown; j++) {
				struct gnode *d = &v[v[i].down[j]];

				low = d->part < v[i].part ? d->part : v[i].part;
				again = again || d->part != v[i].part;
				d->part = v[i].part = low;
			}
	}
	for (i = 0; i < n; i++)
		v[i].part = v[i].part == i ? parts++ : v[v[i].part].part;
	return parts;
}

int
nodes_make(struct arena *a, const struct base *b, const struct graph_try *how,
	   unsigned width, bool utf8, struct gnode **out, uint32_t *nout, uint32_t *parts)
{
	uint32_t *first = arena_array(a, b->n + 1, sizeof(*first));
	uint32_t *count = arena_array(a, b->n + 1, sizeof(*count));
	uint32_t *node = arena_array(a, b->n + 1, sizeof(*node)), i, n = 0;
	struct gnode *v = arena_array(a, b->n + 1, sizeof(*v));

	if (first == NULL || count == NULL || node == NULL || v == NULL ||
	    classes(a, b, first, count) != 0)
		return -1;
	for (i = 0; i < b->n; i++) {
		bool box = how->group && count[first[i]] >= GROUP_MIN;
		struct gnode *x;

		node[i] = box && first[i] != i ? node[first[i]] : n++;
		x = &v[node[i]];
		if (x->name == NULL) {
			x->name = arena_array(a, box ? count[i] : 1, sizeof(*x->name));
			if (x->name == NULL)
				return -1;
		}
		x->name[x->nnames] = shorten(a, b->name[i], how->name, utf8);
		if (x->name[x->nnames++] == NULL)
			return -1;
	}
	for (i = 0; i < b->n; i++) {
		struct gnode *x = &v[node[i]];

		if (x->up != NULL)
			continue;
		x->up = nodes_of(a, node, b->up[i], b->nup[i], &x->nup);
		x->down = nodes_of(a, node, b->down[i], b->ndown[i], &x->ndown);
		if (x->up == NULL || x->down == NULL)
			return -1;
		size_node(x, how, width);
	}
	*out = v;
	*nout = n;
	*parts = number_parts(v, n);
	return 0;
}
