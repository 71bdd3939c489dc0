/*
 * From the edges that were found to the graph: both directions, order, levels, cycles.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "scheduler/dag_load.h"

#define NONE	   UINT32_MAX
#define SHOWN_MAX  16 /* names of a cycle that are printed */
#define CYCLES_MAX 100

struct graph {
	struct load *L;
	struct dag *g;
	uint32_t n;
	uint32_t *first; /* edges of task i: edges[first[i]] up to edges[first[i + 1]] */
	struct load_edge *edges;
	uint32_t *pending; /* upstreams not yet in order */
	uint32_t *heap;	   /* tasks that are free to be next; the lowest id on top */
	size_t heap_n;
	/* Tarjan's algorithm, with a stack of its own (`walk`) instead of recursion. */
	uint32_t *index, *low, *next; /* index 0: not seen */
	uint32_t *stack, *walk;
	uint32_t *component; /* a task of the component it belongs to; NONE: not known */
	uint32_t *cycle;     /* room for one, filled from its end */
	size_t stack_n, walk_n;
	uint32_t counter;
	size_t cycles, ordered;
};

/* ---- edges to arrays ---- */

/* Sort edges by one end, keeping the order of equal ones (a radix sort's pass). */
static int
sort_by(const struct load *L, bool to, const struct load_edge *in, struct load_edge *out)
{
	size_t n = L->dag->ntasks;
	uint32_t *at = calloc(n + 1, sizeof(*at));

	if (at == NULL)
		return -1;
	for (size_t i = 0; i < L->edges.n; i++)
		at[(to ? in[i].to : in[i].from) + 1]++;
	for (size_t i = 0; i < n; i++)
		at[i + 1] += at[i];
	for (size_t i = 0; i < L->edges.n; i++)
		out[at[to ? in[i].to : in[i].from]++] = in[i];
	free(at);
	return 0;
}

/* Sort by task, then by upstream; of equal edges keep the first found, which is a `needs`. */
static int
sort_edges(struct load *L)
{
	struct load_edge *tmp = malloc((L->edges.n + 1) * sizeof(*tmp));
	size_t kept = 0;
	int rc;

	if (tmp == NULL)
		return load_nomem(L);
	rc = sort_by(L, false, L->edges.v, tmp);
	if (rc == 0)
		rc = sort_by(L, true, tmp, L->edges.v);
	free(tmp);
	if (rc != 0)
		return load_nomem(L);
	for (size_t i = 0; i < L->edges.n; i++) {
		const struct load_edge *e = &L->edges.v[i];

		if (kept == 0 || e->from != L->edges.v[kept - 1].from ||
		    e->to != L->edges.v[kept - 1].to)
			L->edges.v[kept++] = *e;
	}
	L->edges.n = kept;
	return 0;
}

/* Fill up and down of all tasks from the sorted edges. */
static int
fill_arrays(struct load *L)
{
	struct dag *g = L->dag;
	uint32_t *up = arena_array(L->arena, L->edges.n, sizeof(*up)),
		 *down = arena_array(L->arena, L->edges.n, sizeof(*down));
	size_t i, at = 0;

	if (up == NULL || down == NULL)
		return load_nomem(L);
	for (i = 0; i < L->edges.n; i++) {
		g->tasks[L->edges.v[i].to].nup++;
		g->tasks[L->edges.v[i].from].ndown++;
	}
	for (i = 0; i < g->ntasks; i++) {
		g->tasks[i].down = down + at;
		at += g->tasks[i].ndown;
		g->tasks[i].ndown = 0;
	}
	for (i = at = 0; i < L->edges.n; i++) {
		const struct load_edge *e = &L->edges.v[i];
		struct dag_task *from = &g->tasks[e->from], *to = &g->tasks[e->to];

		up[i] = e->from;
		if (to->up == NULL)
			to->up = up + i;
		from->down[from->ndown++] = e->to;
	}
	return 0;
}

/* ---- order: the first task of the file that may come next ---- */

static void
heap_push(struct graph *s, uint32_t id)
{
	size_t i = s->heap_n++, up;

	for (; i > 0 && s->heap[up = (i - 1) / 2] > id; i = up)
		s->heap[i] = s->heap[up];
	s->heap[i] = id;
}

static uint32_t
heap_pop(struct graph *s)
{
	uint32_t top = s->heap[0], last = s->heap[--s->heap_n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < s->heap_n) {
		if (child + 1 < s->heap_n && s->heap[child + 1] < s->heap[child])
			child++;
		if (s->heap[child] >= last)
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return top;
}

/* Return how many tasks could be ordered: all, unless there is a cycle. */
static size_t
put_in_order(struct graph *s)
{
	struct dag *g = s->g;
	size_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		s->pending[i] = (uint32_t)g->tasks[i].nup;
		if (s->pending[i] == 0)
			heap_push(s, i);
	}
	while (s->heap_n > 0) {
		struct dag_task *t = &g->tasks[heap_pop(s)];

		g->order[n++] = t->id;
		if (t->level + 1 > g->levels)
			g->levels = t->level + 1;
		for (size_t i = 0; i < t->ndown; i++) {
			struct dag_task *d = &g->tasks[t->down[i]];

			if (d->level < t->level + 1)
				d->level = t->level + 1;
			if (--s->pending[d->id] == 0)
				heap_push(s, d->id);
		}
	}
	return n;
}

/* ---- cycles ---- */

static const struct load_edge *
edge_between(const struct graph *s, uint32_t from, uint32_t to)
{
	for (uint32_t i = s->first[to]; i < s->first[to + 1]; i++)
		if (s->edges[i].from == from)
			return &s->edges[i];
	return NULL;
}

/* Names of the cycle path[0] -> path[1] ... -> path[0], the middle left out if it is long. */
static void
put_cycle(struct buf *b, const struct graph *s, const uint32_t *path, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (n > SHOWN_MAX && i == SHOWN_MAX / 2) {
			buf_addf(b, "... (%zu more) -> ", n - SHOWN_MAX);
			i = n - SHOWN_MAX / 2;
		}
		buf_addf(b, "%s -> ", s->g->tasks[path[i]].name);
	}
	buf_adds(b, s->g->tasks[path[0]].name);
}

static void
note_path_edges(const struct graph *s, const uint32_t *path, size_t n)
{
	struct load *L = s->L;
	size_t noted = 0;

	for (size_t i = 0; i < n && noted < SHOWN_MAX; i++) {
		const struct load_edge *e = edge_between(s, path[i], path[(i + 1) % n]);

		if (e == NULL || e->kind != EDGE_PATH)
			continue;
		diag_add(L->d, DIAG_NOTE, load_pos(L, e->why),
			 "'%s' comes before '%s' because it makes this input",
			 s->g->tasks[e->from].name, s->g->tasks[e->to].name);
		noted++;
	}
}

static void
say_cycle(const struct graph *s, const uint32_t *path, size_t n)
{
	const struct load_edge *at = NULL, *e;
	struct load *L = s->L;
	struct buf text;

	/* At a `needs` of it, the last in the file: that is what somebody added. */
	for (size_t i = 0; i < n; i++) {
		e = edge_between(s, path[i], path[(i + 1) % n]);
		if (e == NULL)
			continue;
		if (at == NULL || (e->kind < at->kind) ||
		    (e->kind == at->kind && e->why->src > at->why->src))
			at = e;
	}
	buf_init(&text, 0);
	put_cycle(&text, s, path, n);
	if (at == NULL || buf_failed(&text))
		(void)load_nomem(L);
	else {
		diag_add(L->d, DIAG_ERROR, load_pos(L, at->why),
			 "tasks wait for each other: %s", text.p);
		diag_hint(L->d, "let one of them not need the other, by `needs` or by a "
				"file that it reads");
		note_path_edges(s, path, n);
	}
	buf_release(&text);
}

/*
 * The shortest cycle through the first task of a component: breadth first from it along
 * `down`, inside the component, until it comes round.
 */
static void
find_cycle(struct graph *s, uint32_t start)
{
	uint32_t *queue = s->heap, *from = s->pending;
	size_t head = 0, tail = 0, n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		from[i] = NONE;
	queue[tail++] = start;
	while (head < tail) {
		const struct dag_task *t = &s->g->tasks[queue[head++]];

		for (size_t i = 0; i < t->ndown; i++) {
			uint32_t d = t->down[i];

			if (s->component[d] != s->component[start] || from[d] != NONE)
				continue;
			from[d] = t->id;
			if (d == start)
				goto found;
			queue[tail++] = d;
		}
	}
	return;
found:
	/* Backwards along `from`; s->cycle gets the cycle in the order of the edges. */
	for (uint32_t d = from[start]; d != start; d = from[d])
		s->cycle[s->n - ++n] = d;
	s->cycle[s->n - ++n] = start;
	say_cycle(s, s->cycle + s->n - n, n);
}

/* A component is complete: the tasks on the stack from v on.  Mark them by it.  Components
 * are complete after those upstream of them, so this makes an order too. */
static void
close_component(struct graph *s, uint32_t v)
{
	uint32_t w, lowest = NONE;
	size_t size = 0;

	do {
		w = s->stack[--s->stack_n];
		s->component[w] = v;
		s->g->order[s->ordered++] = w;
		lowest = w < lowest ? w : lowest;
		size++;
	} while (w != v);
	if (size > 1 && s->cycles++ < CYCLES_MAX)
		find_cycle(s, lowest);
}

/* One step of Tarjan's algorithm at v, whose next upstream edge is s->next[v]: the task to
 * go into, or NONE if v is done. */
static uint32_t
step(struct graph *s, uint32_t v)
{
	const struct dag_task *t = &s->g->tasks[v];

	while (s->next[v] < t->nup) {
		uint32_t w = t->up[s->next[v]];

		if (s->index[w] == 0)
			return w;
		/* Not in a component yet: w is on the stack, and v reaches what it reaches. */
		if (s->component[w] == NONE && s->low[w] < s->low[v])
			s->low[v] = s->low[w];
		s->next[v]++;
	}
	return NONE;
}

static void
enter(struct graph *s, uint32_t v)
{
	s->index[v] = s->low[v] = ++s->counter;
	s->stack[s->stack_n++] = v;
	s->walk[s->walk_n++] = v;
}

/* Say one cycle of each component that has one. */
static void
say_cycles(struct graph *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		s->component[i] = NONE;
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->index[i] != 0)
			continue;
		enter(s, i);
		while (s->walk_n > 0) {
			uint32_t v = s->walk[s->walk_n - 1], w = step(s, v);

			if (w != NONE) {
				enter(s, w);
				continue;
			}
			s->walk_n--;
			if (s->low[v] == s->index[v])
				close_component(s, v);
		}
	}
	if (s->cycles > CYCLES_MAX)
		diag_add(s->L->d, DIAG_NOTE, load_file_pos(s->L),
			 "there are %zu more groups of tasks that wait for each other",
			 s->cycles - CYCLES_MAX);
}

/* Where the edges of each task begin, for edge_between. */
static void
index_edges(struct graph *s)
{
	size_t at = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		s->first[i] = (uint32_t)at;
		at += s->g->tasks[i].nup;
	}
	s->first[s->n] = (uint32_t)at;
}

/* Which tasks wait for each other, for the phases that go on in spite of it. */
static int
keep_components(struct graph *s)
{
	uint32_t *v = arena_array(s->L->arena, s->n, sizeof(*v));

	if (v == NULL)
		return -1;
	memcpy(v, s->component, s->n * sizeof(*v));
	s->L->component = v;
	return 0;
}

int
load_graph(struct load *L)
{
	struct graph s = {.L = L, .g = L->dag, .n = (uint32_t)L->dag->ntasks};
	uint32_t *room,
	    **const parts[] = {&s.first, &s.pending, &s.heap, &s.index,	    &s.low,
			       &s.next,	 &s.stack,   &s.walk, &s.component, &s.cycle};
	size_t n = (size_t)s.n + 1, count = sizeof(parts) / sizeof(parts[0]);
	int rc = 0;

	if (sort_edges(L) != 0 || fill_arrays(L) != 0)
		return -1;
	s.edges = L->edges.v;
	L->dag->order = arena_array(L->arena, s.n, sizeof(*L->dag->order));
	room = calloc(n * count, sizeof(*room));
	if (room == NULL || L->dag->order == NULL) {
		free(room);
		return load_nomem(L);
	}
	for (size_t i = 0; i < count; i++)
		*parts[i] = room + i * n;
	index_edges(&s);
	if (put_in_order(&s) < s.n) {
		say_cycles(&s);
		rc = keep_components(&s);
	}
	free(room);
	if (rc != 0)
		return load_nomem(L);
	return L->nomem ? -1 : 0;
}
