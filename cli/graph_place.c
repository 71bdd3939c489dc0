/*
 * Columns and rows.  A layer's nodes go where their neighbours are, as near as their order and
 * the width allow: a least-squares fit under these limits, from above and from below in turns.
 * Then lines get the columns where they arrive, and nets the rows of their channel.
 */
#include "base/arena.h"
#include "cli/graph_int.h"

#define ROUNDS	 30
#define STRAIGHT 8 /* the last rounds look both ways */

static int
left_of(const struct gnode *v)
{
	return ((int)v->w - 1) / 2;
}

static int
right_of(const struct gnode *v)
{
	return (int)v->w - 1 - left_of(v);
}

/* ---- columns ---- */

/* Least columns between the centers of neighbours. */
static int
apart(const struct lay *l, const struct gnode *u, const struct gnode *v)
{
	return right_of(u) + l->gap + 1 + left_of(v);
}

/* A run of nodes that stand as close as they may. */
struct block {
	double sum, weight; /* of the wishes, less the columns to the first center */
	uint32_t n;
};

static double
mean_of(const struct lay *l, const uint32_t *ids, uint32_t n)
{
	double sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		sum += l->v[ids[i]].center;
	return n > 0 ? sum / n : 0;
}

/* Where the node would like its center to be, by those above (side 0), below (1) or both (2).
 * In the end a line that passes wants above all to be straight. */
static double
wish(const struct lay *l, const struct gnode *v, int side, double *weight)
{
	const struct net *net, *net_above = NULL;
	double above = 0, below = 0;
	bool has_below = side > 0 && v->below != NONE;
	uint32_t i, n = side == 1 ? 0 : v->nabove;

	for (i = 0; i < n; i++) {
		net_above = &l->ch[v->layer - 1].net[v->above[i]];
		above += mean_of(l, net_above->top, net_above->ntop) / n;
	}
	if (has_below) {
		net = &l->ch[v->layer].net[v->below];
		below = mean_of(l, net->bottom, net->nbottom);
	}
	*weight = v->nnames == 0 ? 4 : 1;
	if (v->nnames == 0 && side == 2) {
		const struct bundle *b = &l->b[v->bundle];

		*weight = 8;
		return mean_of(l, b->pass, b->last - b->first - 1);
	}
	/* A link of a chain hangs straight below the one before. */
	if (n == 1 && side == 2 && net_above->ntop == 1 && net_above->nbottom == 1) {
		*weight = 2;
		return above;
	}
	if (n > 0 && has_below)
		return (above + below) / 2;
	if (n == 0 && !has_below) {
		*weight = 0.01;
		return v->center;
	}
	return n > 0 ? above : below;
}

/* Move the nodes of a layer to their wishes: pool neighbours that would collide. */
static void
fit_layer(struct lay *l, uint32_t layer, int side, struct block *block)
{
	const uint32_t *at = l->at[layer];
	uint32_t n = l->nat[layer], i, k, nb = 0, id;
	int offset = 0, low, high, x;
	double w, y;

	for (i = 0; i < n; i++) {
		struct gnode *v = &l->v[at[i]];

		offset += i > 0 ? apart(l, &l->v[at[i - 1]], v) : 0;
		y = wish(l, v, side, &w) - offset;
		block[nb++] = (struct block){y * w, w, 1};
		while (nb > 1 && block[nb - 2].sum / block[nb - 2].weight >
				     block[nb - 1].sum / block[nb - 1].weight) {
			block[nb - 2].sum += block[nb - 1].sum;
			block[nb - 2].weight += block[nb - 1].weight;
			block[nb - 2].n += block[nb - 1].n;
			nb--;
		}
	}
	low = left_of(&l->v[at[0]]);
	high = l->width - 1 - right_of(&l->v[at[n - 1]]) - offset;
	for (offset = 0, id = 0, k = 0; k < nb; k++) {
		y = block[k].sum / block[k].weight;
		x = (int)(y < 0 ? y - 0.5 : y + 0.5);
		x = x < low ? low : x > high ? high : x;
		for (i = 0; i < block[k].n; i++, id++) {
			offset += id > 0 ? apart(l, &l->v[at[id - 1]], &l->v[at[id]]) : 0;
			l->v[at[id]].center = x + offset;
		}
	}
}

/* Pack the layers to the left: where everything starts, and whether it fits at all. */
static bool
pack(struct lay *l)
{
	uint32_t c, i;

	for (c = 0; c < l->layers; c++) {
		int x = 0;

		for (i = 0; i < l->nat[c]; i++) {
			struct gnode *v = &l->v[l->at[c][i]];

			x = i == 0 ? left_of(v) : x + apart(l, &l->v[l->at[c][i - 1]], v);
			v->center = x;
			if (x + right_of(v) >= l->width)
				return false;
		}
	}
	return true;
}

int
place_columns(struct lay *l)
{
	struct block *block = arena_array(l->a, l->n + 1, sizeof(*block));
	uint32_t round, c, i;
	int least = l->width;

	if (block == NULL)
		return -1;
	if (!pack(l))
		return 1;
	for (round = 0; round < ROUNDS; round++) {
		int side = round + STRAIGHT < ROUNDS ? (int)(round % 2) : 2;

		for (c = 0; side != 1 && c < l->layers; c++)
			fit_layer(l, c, side, block);
		for (c = l->layers; side == 1 && c-- > 0;)
			fit_layer(l, c, side, block);
	}
	for (i = 0; i < l->n; i++)
		if (l->v[i].center - left_of(&l->v[i]) < least)
			least = l->v[i].center - left_of(&l->v[i]);
	for (i = 0; i < l->n; i++)
		l->v[i].center -= least;
	return 0;
}

/* ---- where lines arrive ---- */

/* Whether a line of another net leaves downwards in that column. */
static bool
taken(const struct lay *l, const uint32_t *leaves, int column, uint32_t net)
{
	return column < 0 || column >= l->width ||
	       (leaves[column] != NONE && leaves[column] != net);
}

/* Move a line that passes aside, if its neighbours leave room. */
static void
nudge_line(struct lay *l, struct gnode *v, const uint32_t *leaves)
{
	static const int steps[] = {0, 1, -1, 2, -2};
	const uint32_t *at = l->at[v->layer];
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int x = v->center + steps[i];

		if (taken(l, leaves, x, v->above[0]))
			continue;
		if (v->pos > 0) {
			const struct gnode *u = &l->v[at[v->pos - 1]];

			if (x - (u->center + right_of(u)) < 2)
				continue;
		}
		if (v->pos + 1 < l->nat[v->layer]) {
			const struct gnode *u = &l->v[at[v->pos + 1]];

			if (u->center - left_of(u) - x < 2)
				continue;
		}
		v->center = x;
		break;
	}
	v->port[0] = v->center;
}

/* Sort the nets that arrive by where they come from. */
static void
sort_arrivals(const struct lay *l, struct gnode *v)
{
	const struct channel *ch = &l->ch[v->layer - 1];
	uint32_t i, k, x;

	for (i = 1; i < v->nabove; i++) {
		double from;

		x = v->above[i];
		from = mean_of(l, ch->net[x].top, ch->net[x].ntop);
		for (k = i; k > 0; k--) {
			const struct net *other = &ch->net[v->above[k - 1]];

			if (mean_of(l, other->top, other->ntop) <= from)
				break;
			v->above[k] = v->above[k - 1];
		}
		v->above[k] = x;
	}
}

/* How good a column is for a line that arrives, less is better: not where another goes down,
 * near where it should be, not close beside another, best of all straight below its only top. */
static int
port_cost(const struct lay *l, const struct net *net, uint32_t id, const uint32_t *leaves,
	  int x, int want)
{
	int cost = x < want ? want - x : x - want;

	if (taken(l, leaves, x, id))
		return cost + 1000;
	if (net->ntop == 1 && l->v[net->top[0]].center == x)
		return 0;
	return 2 + cost + 2 * taken(l, leaves, x - 1, id) +
	       2 * taken(l, leaves, x + 1, id);
}

static void
put_ports(struct lay *l, struct gnode *v, const uint32_t *leaves)
{
	const struct channel *ch = &l->ch[v->layer - 1];
	int low = v->center - left_of(v), high, x, cost, least;
	uint32_t i;

	sort_arrivals(l, v);
	for (i = 0; i < v->nabove; i++, low += 2) {
		/* Two columns for each, as far as that goes. */
		high = v->center + right_of(v) - 2 * (int)(v->nabove - 1 - i);
		for (least = INT32_MAX, x = low; x <= high; x++) {
			cost = port_cost(l, &ch->net[v->above[i]], v->above[i], leaves, x,
					 v->center - (int)(v->nabove - 1) + 2 * (int)i);
			if (cost < least) {
				least = cost;
				v->port[i] = x;
			}
		}
		low = v->port[i];
	}
}

/* ---- rows ---- */

static bool
has(const struct lay *l, const struct net *n, bool top, int lo, int hi)
{
	const struct gnode *v;
	uint32_t i, k;

	for (i = 0; top && i < n->ntop; i++)
		if (l->v[n->top[i]].center >= lo && l->v[n->top[i]].center <= hi)
			return true;
	for (i = 0; !top && i < n->nbottom; i++) {
		v = &l->v[n->bottom[i]];
		for (k = 0; k < v->nabove; k++)
			if (&l->ch[v->layer - 1].net[v->above[k]] == n &&
			    v->port[k] >= lo && v->port[k] <= hi)
				return true;
	}
	return false;
}

/* How many ends of the net lie between two columns. */
static unsigned
count_between(const struct lay *l, const struct net *n, bool top, int lo, int hi)
{
	const struct gnode *v;
	unsigned sum = 0;
	uint32_t i, k;

	for (i = 0; top && i < n->ntop; i++)
		sum += l->v[n->top[i]].center > lo && l->v[n->top[i]].center < hi;
	for (i = 0; !top && i < n->nbottom; i++) {
		v = &l->v[n->bottom[i]];
		for (k = 0; k < v->nabove; k++)
			sum += &l->ch[v->layer - 1].net[v->above[k]] == n &&
			       v->port[k] > lo && v->port[k] < hi;
	}
	return sum;
}

static void
span(const struct lay *l, struct net *n)
{
	uint32_t i, k;

	n->lo = l->width;
	n->hi = -1;
	for (i = 0; i < n->ntop; i++) {
		int x = l->v[n->top[i]].center;

		n->lo = x < n->lo ? x : n->lo;
		n->hi = x > n->hi ? x : n->hi;
	}
	for (i = 0; i < n->nbottom; i++) {
		const struct gnode *v = &l->v[n->bottom[i]];

		for (k = 0; k < v->nabove; k++) {
			if (&l->ch[v->layer - 1].net[v->above[k]] != n)
				continue;
			n->lo = v->port[k] < n->lo ? v->port[k] : n->lo;
			n->hi = v->port[k] > n->hi ? v->port[k] : n->hi;
		}
	}
}

/* Whether a must lie above b: a column where a comes from above and b goes below. */
static bool
must(const struct lay *l, const struct net *a, const struct net *b)
{
	uint32_t i;

	for (i = 0; i < a->ntop; i++) {
		int x = l->v[a->top[i]].center;

		if (has(l, b, false, x, x))
			return true;
	}
	return false;
}

static bool
meet(const struct net *a, const struct net *b)
{
	return a->lo <= b->hi + 1 && b->lo <= a->hi + 1;
}

/* Whether fewer lines cross with a above b than the other way round. */
static bool
better(const struct lay *l, const struct net *a, const struct net *b)
{
	return count_between(l, b, true, a->lo, a->hi) +
		   count_between(l, a, false, b->lo, b->hi) <
	       count_between(l, a, true, b->lo, b->hi) +
		   count_between(l, b, false, a->lo, a->hi);
}

/* Give each net its row, in an order in which none comes before one that must, and as few as
 * can be before one that should lie above it.  1: they would have to lie above each other. */
static int
rows_of(struct lay *l, struct channel *ch)
{
	uint32_t n = ch->n, done, i, k, next, wanted, least;
	uint8_t *above = arena_array(l->a, (size_t)n * n + 1, 1); /* 2 must, 1 should */
	bool *placed = arena_array(l->a, n + 1, sizeof(*placed));

	if (above == NULL || placed == NULL)
		return -1;
	for (i = 0; i < n; i++)
		span(l, &ch->net[i]);
	for (i = 0; i < n; i++)
		for (k = 0; k < n; k++)
			if (i != k && meet(&ch->net[i], &ch->net[k]))
				above[i * n + k] =
				    must(l, &ch->net[i], &ch->net[k])
					? 2
					: better(l, &ch->net[i], &ch->net[k]);
	for (done = 0; done < n; done++) {
		for (next = least = NONE, i = 0; i < n; i++) {
			for (wanted = 0, k = 0; k < n && wanted != NONE; k++)
				if (!placed[k] && above[k * n + i] == 2)
					wanted = NONE;
				else if (!placed[k])
					wanted += above[k * n + i];
			if (!placed[i] && wanted < least) {
				least = wanted;
				next = i;
			}
		}
		if (next == NONE)
			return 1;
		placed[next] = true;
		ch->net[next].row = 0;
		if (ch->net[next].lo == ch->net[next].hi)
			continue;
		for (k = 0; k < n; k++)
			if (k != next && placed[k] && meet(&ch->net[k], &ch->net[next]) &&
			    ch->net[k].lo < ch->net[k].hi &&
			    ch->net[k].row >= ch->net[next].row)
				ch->net[next].row = ch->net[k].row + 1;
		if (ch->net[next].row >= ch->rows)
			ch->rows = ch->net[next].row + 1;
	}
	return ch->rows > GRAPH_ROWS_MAX ? 1 : 0;
}

int
place_rows(struct lay *l)
{
	uint32_t *leaves = arena_array(l->a, (size_t)l->width + 1, sizeof(*leaves)), c, i;
	int rc;

	if (leaves == NULL)
		return -1;
	for (c = 0; c + 1 < l->layers; c++) {
		for (i = 0; i < (uint32_t)l->width; i++)
			leaves[i] = NONE;
		for (i = 0; i < l->nat[c]; i++) {
			const struct gnode *v = &l->v[l->at[c][i]];

			if (v->below != NONE)
				leaves[v->center] = v->below;
		}
		for (i = 0; i < l->nat[c + 1]; i++) {
			struct gnode *v = &l->v[l->at[c + 1][i]];

			if (v->nabove == 0)
				continue;
			if (v->nnames == 0)
				nudge_line(l, v, leaves);
			else
				put_ports(l, v, leaves);
		}
		if ((rc = rows_of(l, &l->ch[c])) != 0)
			return rc;
	}
	return 0;
}
