#ifndef DAG_CLI_GRAPH_INT_H
#define DAG_CLI_GRAPH_INT_H
/*
 * What the files of the drawing share.
 *
 * Layers hang below one another.  A *bundle* is a set of nodes with all the nodes that each of
 * them feeds: one line, which whoever enters it follows to all its ends.  Between two layers
 * lies a *channel*; the part of a bundle in it is a *net*, with tops and bottoms.  Through
 * layers that a bundle only passes it has a node without names.
 *
 * Memory is an arena's; functions return 0, 1 where it cannot be drawn so, -1 if memory runs
 * out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct dag;
struct graph_style;

#define NONE	       UINT32_MAX
#define GRAPH_ROWS_MAX 24 /* tracks of one channel: more cannot be followed by eye */

/* The tasks that are drawn, in topological order, with the edges that are not implied. */
struct base {
	uint32_t n;
	const char **name;
	uint32_t **up, **down; /* sorted */
	uint32_t *nup, *ndown;
	size_t implied;
};

/* How to try. */
struct graph_try {
	bool group;	  /* put tasks alike into boxes */
	unsigned share;	  /* a box may take the width divided by this */
	unsigned percent; /* of the width that tasks of one layer may fill; 0: no limit */
	unsigned name;	  /* longest name, 0: no limit */
	unsigned gap;	  /* columns between neighbours */
};

struct gnode {
	const char **name; /* as it is shown */
	uint32_t nnames;   /* 1; more: a box; 0: a line passes */
	uint32_t more;	   /* names of the box that are left out */
	uint32_t columns;  /* of the box */
	unsigned w, h;
	uint32_t *up, *down;
	uint32_t nup, ndown;
	uint32_t part; /* component */
	uint32_t layer, pos;
	uint32_t bundle; /* that it feeds, or is a piece of */
	uint32_t below;	 /* net, or NONE */
	uint32_t *above; /* nets */
	int *port;	 /* column where each arrives */
	uint32_t nabove;
	int center; /* column; where its net below leaves */
};

struct bundle {
	uint32_t *from, *to; /* nodes */
	uint32_t nfrom, nto;
	uint32_t first, last; /* layers */
	uint32_t *pass;	      /* node in layer first + 1 + i */
};

struct net {
	uint32_t *top, *bottom; /* nodes */
	uint32_t ntop, nbottom;
	int lo, hi; /* columns */
	uint32_t row;
};

struct channel {
	struct net *net;
	uint32_t n;
	uint32_t rows;
};

/* One connected part of the graph. */
struct lay {
	struct arena *a;
	int width;
	int gap;
	struct gnode *v;
	uint32_t n, real; /* nodes; those from `real` on are lines that pass */
	struct bundle *b;
	uint32_t nb;
	uint32_t layers;
	uint32_t **at; /* nodes of each layer from left to right */
	uint32_t *nat;
	struct channel *ch; /* below each layer but the last */
};

/* graph_make.c: what is drawn */
int base_make(struct arena *, const struct dag *, const bool *, struct base *);
int nodes_make(struct arena *, const struct base *, const struct graph_try *, unsigned,
	       bool, struct gnode **, uint32_t *, uint32_t *);

/* graph_layer.c: who stands in which layer, and in which order */
int layers_make(struct lay *, unsigned);
int layers_order(struct lay *);

/* graph_place.c: columns of nodes and ports, rows of lines */
int place_columns(struct lay *);
int place_rows(struct lay *);

/* graph_draw.c: characters */
int draw_part(struct lay *, const struct graph_style *, struct buf *);

#endif
