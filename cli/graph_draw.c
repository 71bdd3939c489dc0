/*
 * From places to characters.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/graph.h"
#include "cli/graph_int.h"

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };

struct cell {
	uint8_t lines;
	bool over;	 /* lines of two nets cross: the vertical one runs through */
	uint32_t net;	 /* whose they are, plus 1 */
	const char *ink; /* a character of a name, n bytes; NULL: none */
	uint8_t n;
};

struct canvas {
	struct cell *cell;
	uint32_t rows;
	int columns;
};

static struct cell *
cell_at(struct canvas *k, uint32_t row, int column)
{
	return &k->cell[(size_t)row * (size_t)k->columns + (size_t)column];
}

static void
line(struct canvas *k, uint32_t row, int column, unsigned lines, uint32_t net)
{
	struct cell *c = cell_at(k, row, column);

	c->over = c->over || (c->lines != 0 && c->net != net + 1);
	c->lines = (uint8_t)(c->lines | lines);
	c->net = net + 1;
}

static void
text(struct canvas *k, uint32_t row, int column, const char *s)
{
	while (*s != '\0' && column < k->columns) {
		struct cell *c = cell_at(k, row, column++);

		c->ink = s++;
		while (((unsigned char)*s & 0xc0) == 0x80)
			s++;
		c->n = (uint8_t)(s - c->ink);
	}
}

static int
columns_of(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* ---- nodes ---- */

static void
border(struct canvas *k, uint32_t row, int from, int to, unsigned corner)
{
	int x;

	for (x = from; x <= to; x++)
		line(k, row, x,
		     x == from ? RIGHT | corner
		     : x == to ? LEFT | corner
			       : LEFT | RIGHT,
		     NONE - 1);
}

/* In the border of a box that does not show all: how many there are. */
static int
put_title(struct lay *l, struct canvas *k, const struct gnode *v, uint32_t row, int from)
{
	const char *s = arena_printf(l->a, " %u tasks ", v->nnames + v->more);

	if (s == NULL)
		return -1;
	if (v->nabove == 0 || from + 2 + columns_of(s) < v->port[0])
		text(k, row, from + 1, s);
	return 0;
}

static int
put_box(struct lay *l, struct canvas *k, const struct gnode *v, uint32_t row, int from)
{
	int to = from + (int)v->w - 1, step = ((int)v->w - 2) / (int)v->columns;
	const char *more;
	uint32_t i;

	border(k, row, from, to, DOWN);
	border(k, row + v->h - 1, from, to, UP);
	for (i = 1; i + 1 < v->h; i++) {
		line(k, row + i, from, UP | DOWN, NONE - 1);
		line(k, row + i, to, UP | DOWN, NONE - 1);
	}
	for (i = 0; i < v->nnames; i++)
		text(k, row + 1 + i / v->columns, from + 2 + (int)(i % v->columns) * step,
		     v->name[i]);
	if (v->more > 0) {
		more = arena_printf(l->a, "+ %u more", v->more);
		if (more == NULL)
			return -1;
		text(k, row + 1 + i / v->columns, from + 2 + (int)(i % v->columns) * step,
		     more);
	}
	for (i = 0; i < v->nabove; i++)
		line(k, row, v->port[i], UP, NONE - 1);
	if (v->below != NONE)
		line(k, row + v->h - 1, v->center, DOWN, NONE - 1);
	return v->more > 0 ? put_title(l, k, v, row, from) : 0;
}

static int
put_node(struct lay *l, struct canvas *k, const struct gnode *v, uint32_t row,
	 uint32_t height)
{
	int from = v->center - ((int)v->w - 1) / 2, room;
	uint32_t i;

	if (v->nnames > 1 && put_box(l, k, v, row, from) != 0)
		return -1;
	if (v->nnames == 1) {
		/* It is wider than its name where many lines arrive. */
		room = (int)v->w - columns_of(v->name[0]);
		text(k, row, from + (room + 1) / 2, v->name[0]);
		if (room > 0) {
			text(k, row, from, "[");
			text(k, row, from + (int)v->w - 1, "]");
		}
	}
	for (i = v->nnames == 0 ? 0 : v->h; i < height && v->below != NONE; i++)
		line(k, row + i, v->center, UP | DOWN, v->bundle);
	return 0;
}

/* ---- lines ---- */

static void
drop(struct canvas *k, uint32_t from, uint32_t to, int column, uint32_t bundle)
{
	for (; from < to; from++)
		line(k, from, column, UP | DOWN, bundle);
}

static void
put_net(struct lay *l, struct canvas *k, const struct net *n, uint32_t row,
	uint32_t height)
{
	uint32_t bundle = l->v[n->top[0]].bundle, at = row + n->row, i, j;
	int x;

	for (x = n->lo; x <= n->hi && n->lo < n->hi; x++)
		line(k, at, x, (x > n->lo ? LEFT : 0u) | (x < n->hi ? RIGHT : 0u),
		     bundle);
	for (i = 0; i < n->ntop; i++) {
		drop(k, row, at, l->v[n->top[i]].center, bundle);
		line(k, at, l->v[n->top[i]].center, UP, bundle);
	}
	for (i = 0; i < n->nbottom; i++) {
		const struct gnode *v = &l->v[n->bottom[i]];

		for (j = 0; j < v->nabove; j++) {
			if (&l->ch[v->layer - 1].net[v->above[j]] != n)
				continue;
			line(k, at, v->port[j], DOWN, bundle);
			drop(k, at + 1, row + height, v->port[j], bundle);
		}
	}
}

/* ---- characters ---- */

static const char *
glyph(const struct cell *c, bool utf8)
{
	static const char *const lines[16] = {" ",	"\u2502", "\u2502", "\u2502",
					      "\u2500", "\u2518", "\u2510", "\u2524",
					      "\u2500", "\u2514", "\u250c", "\u251c",
					      "\u2500", "\u2534", "\u252c", "\u253c"};
	unsigned n = c->over ? UP | DOWN : c->lines;

	if (utf8)
		return lines[n];
	return n == 0			   ? " "
	       : (n & (LEFT | RIGHT)) == 0 ? "|"
	       : (n & (UP | DOWN)) == 0	   ? "-"
					   : "+";
}

static void
put_row(struct canvas *k, uint32_t row, const struct graph_style *st, struct buf *out)
{
	int x, end = k->columns;
	bool dim = false;

	while (end > 0 && cell_at(k, row, end - 1)->lines == 0 &&
	       cell_at(k, row, end - 1)->ink == NULL)
		end--;
	buf_adds(out, end > 0 ? "  " : "");
	for (x = 0; x < end; x++) {
		const struct cell *c = cell_at(k, row, x);
		bool thin = c->ink == NULL && c->lines != 0;

		if (st->color && thin != dim)
			buf_adds(out, thin ? "\033[2m" : "\033[0m");
		dim = thin;
		if (c->ink != NULL)
			buf_add(out, c->ink, c->n);
		else
			buf_adds(out, glyph(c, st->utf8));
	}
	buf_adds(out, st->color && dim ? "\033[0m\n" : "\n");
}

int
draw_part(struct lay *l, const struct graph_style *st, struct buf *out)
{
	uint32_t *height = arena_array(l->a, l->layers + 1, sizeof(*height)), c, i, row;
	struct canvas k = {.columns = l->width};

	if (height == NULL)
		return -1;
	for (i = 0; i < l->n; i++)
		if (l->v[i].h > height[l->v[i].layer])
			height[l->v[i].layer] = l->v[i].h;
	for (c = 0; c < l->layers; c++) {
		/* A line is there even where it only goes straight down. */
		if (c + 1 < l->layers && l->ch[c].rows == 0)
			l->ch[c].rows = 1;
		k.rows += height[c] + (c + 1 < l->layers ? l->ch[c].rows : 0);
	}
	k.cell =
	    arena_array(l->a, (size_t)k.rows * (size_t)k.columns + 1, sizeof(*k.cell));
	if (k.cell == NULL)
		return -1;
	for (c = 0, row = 0; c < l->layers; c++) {
		for (i = 0; i < l->nat[c]; i++)
			if (put_node(l, &k, &l->v[l->at[c][i]], row, height[c]) != 0)
				return -1;
		row += height[c];
		if (c + 1 == l->layers)
			break;
		for (i = 0; i < l->ch[c].n; i++)
			put_net(l, &k, &l->ch[c].net[i], row, l->ch[c].rows);
		row += l->ch[c].rows;
	}
	for (row = 0; row < k.rows; row++)
		put_row(&k, row, st, out);
	return 0;
}
