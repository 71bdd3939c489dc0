/*
 * Drawing a DAG: one way after the other is tried until the drawing fits.
 */
#include "cli/graph.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/graph_int.h"
#include "scheduler/dag.h"

#define INDENT	  2
#define NODES_MAX 400 /* that anybody would follow */

/* From what shows most to what shows least. */
static const struct graph_try tries[] = {
    {.share = 1, .gap = 3},
    {.share = 1, .gap = 2},
    {.group = true, .share = 1, .gap = 3},
    {.group = true, .share = 2, .gap = 2},
    {.group = true, .share = 3, .gap = 2},
    {.group = true, .share = 4, .gap = 2},
    {.share = 1, .percent = 100, .gap = 2},
    {.share = 1, .percent = 80, .gap = 2},
    {.share = 1, .percent = 65, .gap = 2},
    {.group = true, .share = 2, .percent = 80, .gap = 2},
    {.group = true, .share = 3, .percent = 65, .gap = 2},
    {.group = true, .share = 3, .percent = 50, .gap = 2},
    {.group = true, .share = 3, .percent = 50, .name = 24, .gap = 2},
    {.group = true, .share = 4, .percent = 50, .name = 16, .gap = 2},
    {.group = true, .share = 4, .percent = 35, .name = 12, .gap = 2},
};

#define NTRIES (sizeof(tries) / sizeof(tries[0]))

/* One connected part: its nodes, numbered anew. */
static int
make_part(struct arena *a, const struct gnode *all, uint32_t n, uint32_t part,
	  struct lay *l)
{
	uint32_t *to = arena_array(a, n + 1, sizeof(*to)), i, j;

	l->v = arena_array(a, n + 1, sizeof(*l->v));
	if (to == NULL || l->v == NULL)
		return -1;
	for (i = 0; i < n; i++)
		if (all[i].part == part) {
			to[i] = l->n;
			l->v[l->n++] = all[i];
		}
	for (i = 0; i < l->n; i++) {
		for (j = 0; j < l->v[i].nup; j++)
			l->v[i].up[j] = to[l->v[i].up[j]];
		for (j = 0; j < l->v[i].ndown; j++)
			l->v[i].down[j] = to[l->v[i].down[j]];
	}
	return 0;
}

static int
put_part(struct arena *a, const struct gnode *all, uint32_t n, uint32_t part,
	 const struct graph_try *how, const struct graph_style *st, struct buf *out)
{
	struct lay l = {.a = a, .width = (int)st->width - INDENT, .gap = (int)how->gap};
	int rc;

	if (make_part(a, all, n, part, &l) != 0 ||
	    layers_make(&l, how->percent * (unsigned)l.width / 100) != 0 ||
	    layers_order(&l) != 0)
		return -1;
	if ((rc = place_columns(&l)) != 0 || (rc = place_rows(&l)) != 0)
		return rc;
	return draw_part(&l, st, out);
}

static int
try_one(const struct base *b, const struct graph_try *how, const struct graph_style *st,
	struct buf *out, struct graph_facts *facts)
{
	struct arena *a = arena_new(0);
	uint32_t n, parts, i, boxes = 0, names = 0;
	struct gnode *v;
	size_t start = out->n;
	int rc;

	if (a == NULL)
		return -1;
	rc = nodes_make(a, b, how, st->width - INDENT, st->utf8, &v, &n, &parts);
	for (i = 0; rc == 0 && i < n; i++) {
		boxes += v[i].nnames > 1;
		names += v[i].nnames == 1;
	}
	if (rc == 0 && (names + boxes > NODES_MAX || (how->group && boxes == 0)))
		rc = 1;
	for (i = 0; rc == 0 && i < parts; i++) {
		if (i > 0)
			buf_addc(out, '\n');
		rc = put_part(a, v, n, i, how, st, out);
	}
	if (rc != 0)
		buf_truncate(out, start);
	facts->boxed = boxes > 0;
	arena_free(a);
	return rc;
}

int
graph_put(const struct dag *g, const bool *selected, const struct graph_style *style,
	  struct buf *out, struct graph_facts *facts, struct err *err)
{
	struct graph_style st = *style;
	struct arena *a = arena_new(0);
	struct base b;
	size_t i;
	int rc;

	*facts = (struct graph_facts){0};
	if (st.width > CLI_WIDTH_MAX)
		st.width = CLI_WIDTH_MAX;
	rc = a == NULL ? -1 : base_make(a, g, selected, &b);
	if (rc == 0) {
		facts->implied = b.implied;
		rc = 1;
		for (i = 0; rc == 1 && i < NTRIES && st.width >= GRAPH_WIDTH_MIN; i++)
			rc = try_one(&b, &tries[i], &st, out, facts);
	}
	arena_free(a);
	return rc < 0 ? err_nomem(err) : rc;
}
