/*
 * Layers, and the order of their nodes: lines cross as little as some sweeps with barycentres
 * and swaps of neighbours can get.
 */
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "cli/graph_int.h"

#define SWEEPS	    16
#define PAIRS_MAX   600 /* edges of one channel whose crossings are counted */
#define SWAPS_MAX   200 /* nodes up to which swaps are tried */
#define SWAP_ROUNDS 8

/* ---- layers ---- */

/* How many columns the real nodes of each layer fill. */
struct fill {
	unsigned *used;
	unsigned limit; /* 0: none */
	int gap;
};

static bool
fits(const struct fill *f, uint32_t layer, unsigned w)
{
	return f->limit == 0 || f->used[layer] == 0 ||
	       f->used[layer] + w + (unsigned)f->gap <= f->limit;
}

static void
fill_in(struct fill *f, struct gnode *v, uint32_t layer)
{
	v->layer = layer;
	f->used[layer] += v->w + (unsigned)f->gap;
}

/* Each node as high as it can be; then what needs nothing as low as it can be, so that its
 * line is short. */
static int
assign(struct lay *l, unsigned limit)
{
	struct fill f = {arena_array(l->a, 2 * (size_t)l->n + 2, sizeof(unsigned)), limit,
			 l->gap};
	uint32_t i, j, layer;

	if (f.used == NULL)
		return -1;
	for (i = 0; i < l->n; i++) {
		struct gnode *v = &l->v[i];

		for (layer = 0, j = 0; j < v->nup; j++)
			if (l->v[v->up[j]].layer >= layer)
				layer = l->v[v->up[j]].layer + 1;
		while (!fits(&f, layer, v->w))
			layer++;
		fill_in(&f, v, layer);
	}
	for (i = l->n; i-- > 0;) {
		struct gnode *v = &l->v[i];
		uint32_t low = NONE;

		for (j = 0; v->nup == 0 && j < v->ndown; j++)
			if (l->v[v->down[j]].layer - 1 < low)
				low = l->v[v->down[j]].layer - 1;
		if (low == NONE || low == v->layer)
			continue;
		f.used[v->layer] -= v->w + (unsigned)f.gap;
		while (low > v->layer && !fits(&f, low, v->w))
			low--;
		fill_in(&f, v, low);
	}
	return 0;
}

/* Number the layers that are used without holes. */
static int
close_up(struct lay *l)
{
	uint32_t *to = arena_array(l->a, 2 * (size_t)l->n + 2, sizeof(*to)), i;

	if (to == NULL)
		return -1;
	for (i = 0; i < l->n; i++)
		to[l->v[i].layer] = 1;
	l->layers = 0;
	for (i = 0; i < 2 * l->n + 2; i++)
		to[i] = to[i] != 0 ? l->layers++ : NONE;
	for (i = 0; i < l->n; i++)
		l->v[i].layer = to[l->v[i].layer];
	return 0;
}

/* ---- bundles and the lines that pass ---- */

static int
find_bundles(struct lay *l)
{
	struct map seen = {0};
	uint32_t i;
	int rc = 0;

	l->b = arena_array(l->a, l->n + 1, sizeof(*l->b));
	if (l->b == NULL)
		return -1;
	for (i = 0; i < l->n && rc == 0; i++) {
		struct gnode *v = &l->v[i];
		struct bundle *b;

		v->bundle = v->below = NONE;
		if (v->ndown == 0)
			continue;
		b = map_getn(&seen, (const char *)v->down, v->ndown * sizeof(*v->down));
		if (b == NULL) {
			b = &l->b[l->nb++];
			b->from = arena_array(l->a, l->n, sizeof(*b->from));
			b->to = v->down;
			b->nto = v->ndown;
			if (b->from == NULL ||
			    map_putn(&seen, (const char *)v->down,
				     v->ndown * sizeof(*v->down), b) < 0)
				rc = -1;
		}
		v->bundle = (uint32_t)(b - l->b);
		if (rc == 0)
			b->from[b->nfrom++] = i;
	}
	map_release(&seen);
	return rc;
}

/* The nodes of lines that pass layers, behind the real ones. */
static int
add_passing(struct lay *l)
{
	uint32_t i, j, more = 0;
	struct gnode *v;

	for (i = 0; i < l->nb; i++) {
		struct bundle *b = &l->b[i];

		b->first = l->layers;
		for (j = 0; j < b->nfrom; j++)
			if (l->v[b->from[j]].layer < b->first)
				b->first = l->v[b->from[j]].layer;
		for (j = 0; j < b->nto; j++)
			if (l->v[b->to[j]].layer > b->last)
				b->last = l->v[b->to[j]].layer;
		more += b->last - b->first - 1;
	}
	l->real = l->n;
	v = arena_array(l->a, (size_t)l->n + more + 1, sizeof(*v));
	if (v == NULL)
		return -1;
	memcpy(v, l->v, l->n * sizeof(*v));
	l->v = v;
	for (i = 0; i < l->nb; i++) {
		struct bundle *b = &l->b[i];

		b->pass = arena_array(l->a, b->last - b->first, sizeof(*b->pass));
		if (b->pass == NULL)
			return -1;
		for (j = b->first + 1; j < b->last; j++) {
			b->pass[j - b->first - 1] = l->n;
			v[l->n++] = (struct gnode){
			    .layer = j, .bundle = i, .below = NONE, .w = 1, .h = 1};
		}
	}
	return 0;
}

/* ---- nets ---- */

/* The net of bundle b in channel c; its nodes learn of it. */
static int
add_net(struct lay *l, struct bundle *b, uint32_t c)
{
	struct channel *ch = &l->ch[c];
	uint32_t id = ch->n++, i;
	struct net *n = &ch->net[id];

	n->top = arena_array(l->a, b->nfrom + 1, sizeof(*n->top));
	n->bottom = arena_array(l->a, b->nto + 1, sizeof(*n->bottom));
	if (n->top == NULL || n->bottom == NULL)
		return -1;
	for (i = 0; i < b->nfrom; i++)
		if (l->v[b->from[i]].layer == c)
			n->top[n->ntop++] = b->from[i];
	if (c > b->first)
		n->top[n->ntop++] = b->pass[c - b->first - 1];
	for (i = 0; i < b->nto; i++)
		if (l->v[b->to[i]].layer == c + 1)
			n->bottom[n->nbottom++] = b->to[i];
	if (c + 1 < b->last)
		n->bottom[n->nbottom++] = b->pass[c - b->first];
	for (i = 0; i < n->ntop; i++)
		l->v[n->top[i]].below = id;
	for (i = 0; i < n->nbottom; i++) {
		struct gnode *v = &l->v[n->bottom[i]];

		v->above[v->nabove++] = id;
	}
	return 0;
}

static int
add_nets(struct lay *l)
{
	uint32_t *count = arena_array(l->a, l->layers + 1, sizeof(*count)), i, c;

	l->ch = arena_array(l->a, l->layers + 1, sizeof(*l->ch));
	if (count == NULL || l->ch == NULL)
		return -1;
	for (i = 0; i < l->nb; i++)
		for (c = l->b[i].first; c < l->b[i].last; c++)
			count[c]++;
	for (c = 0; c < l->layers; c++) {
		l->ch[c].net = arena_array(l->a, count[c] + 1, sizeof(struct net));
		if (l->ch[c].net == NULL)
			return -1;
	}
	for (i = 0; i < l->n; i++) {
		struct gnode *v = &l->v[i];

		v->above = arena_array(l->a, v->nup + 1, sizeof(*v->above));
		v->port = arena_array(l->a, v->nup + 1, sizeof(*v->port));
		if (v->above == NULL || v->port == NULL)
			return -1;
	}
	for (i = 0; i < l->nb; i++)
		for (c = l->b[i].first; c < l->b[i].last; c++)
			if (add_net(l, &l->b[i], c) != 0)
				return -1;
	/* Room for the lines that arrive: every other column. */
	for (i = 0; i < l->n; i++)
		if (l->v[i].nabove > 1 && l->v[i].w < 2 * l->v[i].nabove - 1)
			l->v[i].w = 2 * l->v[i].nabove + 3;
	return 0;
}

static int
fill_layers(struct lay *l)
{
	uint32_t i;

	l->at = arena_array(l->a, l->layers + 1, sizeof(*l->at));
	l->nat = arena_array(l->a, l->layers + 1, sizeof(*l->nat));
	if (l->at == NULL || l->nat == NULL)
		return -1;
	for (i = 0; i < l->n; i++)
		l->nat[l->v[i].layer]++;
	for (i = 0; i < l->layers; i++) {
		l->at[i] = arena_array(l->a, l->nat[i] + 1, sizeof(**l->at));
		if (l->at[i] == NULL)
			return -1;
		l->nat[i] = 0;
	}
	for (i = 0; i < l->n; i++) {
		struct gnode *v = &l->v[i];

		v->pos = l->nat[v->layer];
		l->at[v->layer][l->nat[v->layer]++] = i;
	}
	return 0;
}

int
layers_make(struct lay *l, unsigned limit)
{
	return assign(l, limit) != 0 || close_up(l) != 0 || find_bundles(l) != 0 ||
		       add_passing(l) != 0 || add_nets(l) != 0 || fill_layers(l) != 0
		   ? -1
		   : 0;
}

/* ---- order ---- */

/* Where the node would like to be, by its neighbours on one side: in 1/1000 of places. */
static int64_t
wish(const struct lay *l, const struct gnode *v, bool by_above)
{
	int64_t sum = 0, n = 0;
	uint32_t i, j;

	for (i = 0; by_above && i < v->nabove; i++) {
		const struct net *net = &l->ch[v->layer - 1].net[v->above[i]];

		for (j = 0; j < net->ntop; j++, n++)
			sum += l->v[net->top[j]].pos;
	}
	if (!by_above && v->below != NONE) {
		const struct net *net = &l->ch[v->layer].net[v->below];

		for (j = 0; j < net->nbottom; j++, n++)
			sum += l->v[net->bottom[j]].pos;
	}
	return n > 0 ? sum * 1000 / n : -1;
}

/* Sort a layer by its wishes; who has none stays where it is. */
static void
sort_layer(struct lay *l, uint32_t layer, bool by_above, int64_t *key)
{
	uint32_t *at = l->at[layer], n = l->nat[layer], i, k, x;
	int64_t last = 0, w;

	for (i = 0; i < n; i++) {
		w = wish(l, &l->v[at[i]], by_above);
		key[at[i]] = last = w >= 0 ? w : last;
	}
	for (i = 1; i < n; i++) {
		x = at[i];
		for (k = i; k > 0 && key[at[k - 1]] > key[x]; k--)
			at[k] = at[k - 1];
		at[k] = x;
	}
	for (i = 0; i < n; i++)
		l->v[at[i]].pos = i;
}

/* The edges of all channels as pairs of nodes. */
struct pairs {
	uint32_t (**v)[2]; /* of each channel */
	uint32_t *n;
};

static int
list_pairs(const struct lay *l, struct pairs *p)
{
	uint32_t c, k, i, j, n;

	p->v = arena_array(l->a, l->layers + 1, sizeof(*p->v));
	p->n = arena_array(l->a, l->layers + 1, sizeof(*p->n));
	if (p->v == NULL || p->n == NULL)
		return -1;
	for (c = 0; c < l->layers; c++) {
		const struct channel *ch = &l->ch[c];

		for (n = 0, k = 0; k < ch->n && n <= PAIRS_MAX; k++)
			n += ch->net[k].ntop * ch->net[k].nbottom;
		/* Too many to count: the sweeps alone must do. */
		if (n > PAIRS_MAX)
			continue;
		p->v[c] = arena_array(l->a, n + 1, sizeof(**p->v));
		if (p->v[c] == NULL)
			return -1;
		for (k = 0; k < ch->n; k++)
			for (i = 0; i < ch->net[k].ntop; i++)
				for (j = 0; j < ch->net[k].nbottom; j++) {
					uint32_t *pair = p->v[c][p->n[c]++];

					pair[0] = ch->net[k].top[i];
					pair[1] = ch->net[k].bottom[j];
				}
	}
	return 0;
}

static uint64_t
count_crossings(const struct lay *l, const struct pairs *p)
{
	uint64_t sum = 0;
	uint32_t c, i, j;

	for (c = 0; c + 1 < l->layers; c++)
		for (i = 0; i < p->n[c]; i++) {
			uint32_t top = l->v[p->v[c][i][0]].pos,
				 bottom = l->v[p->v[c][i][1]].pos;

			for (j = 0; j < i; j++) {
				uint32_t t = l->v[p->v[c][j][0]].pos,
					 b = l->v[p->v[c][j][1]].pos;

				sum += (t < top && b > bottom) || (t > top && b < bottom);
			}
		}
	return sum;
}

/* The places of a node's neighbours on one side. */
static uint32_t
neighbours(const struct lay *l, const struct gnode *v, bool above, uint32_t *out)
{
	uint32_t n = 0, i, j;

	for (i = 0; above && i < v->nabove; i++) {
		const struct net *net = &l->ch[v->layer - 1].net[v->above[i]];

		for (j = 0; j < net->ntop; j++)
			out[n++] = l->v[net->top[j]].pos;
	}
	if (!above && v->below != NONE) {
		const struct net *net = &l->ch[v->layer].net[v->below];

		for (j = 0; j < net->nbottom; j++)
			out[n++] = l->v[net->bottom[j]].pos;
	}
	return n;
}

/* How many crossings less there are with v to the left of u, who are neighbours the other way
 * round. */
static int64_t
gain(const struct lay *l, const struct gnode *u, const struct gnode *v, uint32_t *room)
{
	int64_t gained = 0;
	uint32_t side, i, j, nu, nv, *of_v;

	for (side = 0; side < 2; side++) {
		nu = neighbours(l, u, side == 0, room);
		of_v = room + nu;
		nv = neighbours(l, v, side == 0, of_v);
		for (i = 0; i < nu; i++)
			for (j = 0; j < nv; j++)
				gained += (room[i] > of_v[j]) - (room[i] < of_v[j]);
	}
	return gained;
}

static void
swap_neighbours(struct lay *l, uint32_t *room)
{
	bool better = true;
	uint32_t round, c, i;

	for (round = 0; better && round < SWAP_ROUNDS; round++) {
		better = false;
		for (c = 0; c < l->layers; c++)
			for (i = 0; i + 1 < l->nat[c]; i++) {
				uint32_t *at = l->at[c], x = at[i];

				if (gain(l, &l->v[x], &l->v[at[i + 1]], room) <= 0)
					continue;
				at[i] = at[i + 1];
				at[i + 1] = x;
				l->v[at[i]].pos = i;
				l->v[x].pos = i + 1;
				better = true;
			}
	}
}

static void
keep(const struct lay *l, uint32_t *best)
{
	uint32_t i;

	for (i = 0; i < l->n; i++)
		best[i] = l->v[i].pos;
}

static void
restore(struct lay *l, const uint32_t *best)
{
	uint32_t i;

	for (i = 0; i < l->n; i++) {
		l->v[i].pos = best[i];
		l->at[l->v[i].layer][best[i]] = i;
	}
}

int
layers_order(struct lay *l)
{
	uint32_t *best = arena_array(l->a, l->n + 1, sizeof(*best));
	uint32_t *room = arena_array(l->a, 2 * (size_t)l->n + 2, sizeof(*room)), sweep, c;
	int64_t *key = arena_array(l->a, l->n + 1, sizeof(*key));
	uint64_t crossed, least = UINT64_MAX;
	struct pairs p;

	if (best == NULL || key == NULL || room == NULL || list_pairs(l, &p) != 0)
		return -1;
	for (sweep = 0; sweep < SWEEPS && least > 0; sweep++) {
		for (c = 1; sweep % 2 == 0 && c < l->layers; c++)
			sort_layer(l, c, true, key);
		for (c = l->layers - 1; sweep % 2 == 1 && c-- > 0;)
			sort_layer(l, c, false, key);
		if (l->n <= SWAPS_MAX)
			swap_neighbours(l, room);
		crossed = count_crossings(l, &p);
		if (crossed < least) {
			least = crossed;
			keep(l, best);
		}
	}
	restore(l, best);
	return 0;
}
