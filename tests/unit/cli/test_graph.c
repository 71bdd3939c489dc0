/*
 * Drawings, read again: from each name its lines are followed, and the tasks they lead to must
 * be those that its edges name, without those that others imply.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/graph.h"
#include "unit/scheduler/dag_fixture.h"

#define N_MAX	 60
#define ROWS_MAX 600
#define COLS_MAX 420

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };

static uint64_t seed;

static unsigned
rnd(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

/* ---- a graph ---- */

struct world {
	unsigned n;
	bool edge[N_MAX][N_MAX]; /* from i to j, i < j */
	struct dag *dag;
};

static void
name_of(struct buf *b, unsigned i)
{
	/* names of all lengths */
	buf_addf(b, "t%02u%.*s", i, (int)((i * 7) % 13), "_abcdefghijkl");
}

static void
load(struct world *w)
{
	struct buf b;
	unsigned i, j;

	buf_init(&b, 0);
	buf_adds(&b, "tasks:\n");
	for (j = 0; j < w->n; j++) {
		buf_adds(&b, "  ");
		name_of(&b, j);
		buf_adds(&b, ": {run: x, needs: [");
		for (i = 0; i < j; i++)
			if (w->edge[i][j]) {
				name_of(&b, i);
				buf_adds(&b, ", ");
			}
		buf_adds(&b, "]}\n");
	}
	w->dag = fixture_dag(b.p);
	buf_release(&b);
}

static void
make_random(struct world *w)
{
	unsigned i, j, density, near;

	memset(w, 0, sizeof(*w));
	w->n = 2 + rnd(rnd(4) == 0 ? N_MAX - 2 : 20);
	density = 1 + rnd(40);
	near = 2 + rnd(w->n);
	for (i = 0; i < w->n; i++)
		for (j = i + 1; j < w->n; j++)
			w->edge[i][j] = j - i <= near && rnd(100) < density;
	load(w);
}

/* Take away what others imply. */
static size_t
reduce(struct world *w)
{
	static bool path[N_MAX][N_MAX];
	unsigned i, j, k;
	size_t n = 0;

	memcpy(path, w->edge, sizeof(path));
	for (k = 0; k < w->n; k++)
		for (i = 0; i < w->n; i++)
			for (j = 0; j < w->n; j++)
				path[i][j] = path[i][j] || (path[i][k] && path[k][j]);
	for (i = 0; i < w->n; i++)
		for (j = 0; j < w->n; j++)
			for (k = 0; k < w->n && w->edge[i][j]; k++)
				if (path[i][k] && path[k][j]) {
					w->edge[i][j] = false;
					n++;
				}
	return n;
}

/* ---- reading a drawing ---- */

struct picture {
	int rows, cols; /* the widest row */
	uint32_t c[ROWS_MAX][COLS_MAX];
	int node[ROWS_MAX][COLS_MAX];	   /* -1: none */
	unsigned seen[ROWS_MAX][COLS_MAX]; /* by which walk */
	int y[N_MAX], from[N_MAX], to[N_MAX];
};

static uint32_t
next_char(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	int n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : 3;
	uint32_t c = n == 1 ? *p : n == 2 ? *p & 0x1fu : *p & 0x0fu;

	for (int i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	*s += n;
	return c;
}

static void
read_grid(struct picture *p, const char *s)
{
	int y = 0, x = 0;

	memset(p, 0, sizeof(*p));
	memset(p->node, 0xff, sizeof(p->node));
	while (*s != '\0') {
		uint32_t c = next_char(&s);

		if (c == '\n') {
			y++;
			x = 0;
			assert_true(y < ROWS_MAX);
			continue;
		}
		assert_true(x < COLS_MAX);
		p->c[y][x++] = c;
		p->cols = x > p->cols ? x : p->cols;
	}
	p->rows = y;
}

static unsigned
lines_of(uint32_t c)
{
	switch (c) {
	case 0x2502:
		return UP | DOWN;
	case 0x2500:
		return LEFT | RIGHT;
	case 0x250c:
		return DOWN | RIGHT;
	case 0x2510:
		return DOWN | LEFT;
	case 0x2514:
		return UP | RIGHT;
	case 0x2518:
		return UP | LEFT;
	case 0x251c:
		return UP | DOWN | RIGHT;
	case 0x2524:
		return UP | DOWN | LEFT;
	case 0x252c:
		return DOWN | LEFT | RIGHT;
	case 0x2534:
		return UP | LEFT | RIGHT;
	case 0x253c:
		return UP | DOWN | LEFT | RIGHT;
	default:
		return 0;
	}
}

static bool
stands_at(const struct picture *p, int y, int x, const char *name)
{
	size_t n = strlen(name), i;

	if (x > 0 && p->c[y][x - 1] != ' ' && p->c[y][x - 1] != 0)
		return false;
	for (i = 0; i < n; i++)
		if (p->c[y][x + (int)i] != (uint32_t)(unsigned char)name[i])
			return false;
	return p->c[y][x + (int)n] == ' ' || p->c[y][x + (int)n] == 0;
}

/* Find all names, each once; one between brackets is as wide as these. */
static void
find_names(struct picture *p, unsigned n)
{
	struct buf b;
	unsigned i;
	int y, x;

	buf_init(&b, 0);
	for (i = 0; i < n; i++) {
		buf_clear(&b);
		name_of(&b, i);
		p->y[i] = -1;
		for (y = 0; y < p->rows; y++)
			for (x = 0; x < p->cols; x++) {
				int from = x, to = x + (int)b.n - 1;

				if (!stands_at(p, y, x, b.p))
					continue;
				assert_int_equal(p->y[i], -1);
				while (from > 0 && p->c[y][from - 1] == ' ')
					from--;
				while (p->c[y][to + 1] == ' ')
					to++;
				if (from > 0 && p->c[y][from - 1] == '[' &&
				    p->c[y][to + 1] == ']') {
					from--;
					to++;
				} else {
					from = x;
					to = x + (int)b.n - 1;
				}
				p->y[i] = y;
				p->from[i] = from;
				p->to[i] = to;
				for (; from <= to; from++)
					p->node[y][from] = (int)i;
			}
		if (p->y[i] == -1)
			fail_msg("%s is not there", b.p);
	}
	buf_release(&b);
}

static void walk(struct picture *, int, int, unsigned, bool *);

/* One step; horizontally a line runs on under those that cross it. */
static void
step(struct picture *p, int y, int x, unsigned way, unsigned mark, bool *hit)
{
	unsigned back = way == UP ? DOWN : way == DOWN ? UP : way == LEFT ? RIGHT : LEFT;
	int dy = way == UP ? -1 : way == DOWN, dx = way == LEFT ? -1 : way == RIGHT;

	do {
		y += dy;
		x += dx;
		assert_true(y >= 0 && y < p->rows && x >= 0 && x < p->cols);
	} while (dx != 0 && p->c[y][x] == 0x2502);
	if (p->node[y][x] >= 0 && dx == 0) {
		if (way == DOWN)
			hit[p->node[y][x]] = true;
		return;
	}
	if ((lines_of(p->c[y][x]) & back) == 0)
		fail_msg("a line ends in the void at row %d, column %d", y, x);
	walk(p, y, x, mark, hit);
}

static void
walk(struct picture *p, int y, int x, unsigned mark, bool *hit)
{
	unsigned way;

	if (p->seen[y][x] == mark)
		return;
	p->seen[y][x] = mark;
	for (way = UP; way <= RIGHT; way *= 2)
		if ((lines_of(p->c[y][x]) & way) != 0)
			step(p, y, x, way, mark, hit);
}

static void
check_edges(const struct world *w, struct picture *p)
{
	bool hit[N_MAX];
	unsigned i, j;
	int x;

	for (i = 0; i < w->n; i++) {
		memset(hit, 0, sizeof(hit));
		for (x = p->from[i]; x <= p->to[i]; x++)
			if ((lines_of(p->c[p->y[i] + 1][x]) & UP) != 0)
				walk(p, p->y[i] + 1, x, i + 1, hit);
		for (j = 0; j < w->n; j++)
			if (hit[j] != w->edge[i][j])
				fail_msg("t%02u %s t%02u", i,
					 hit[j] ? "seems to lead to" : "does not lead to",
					 j);
	}
}

/* ---- tests ---- */

static int
draw(const struct dag *g, unsigned width, bool utf8, struct buf *out,
     struct graph_facts *facts)
{
	struct graph_style st = {.width = width, .utf8 = utf8};
	struct err err = {0};
	int rc;

	buf_clear(out);
	rc = graph_put(g, NULL, &st, out, facts, &err);
	assert_true(rc >= 0);
	return rc;
}

static void
test_random(void **state)
{
	static const unsigned widths[] = {40, 80, 100, 160, 300};
	static struct picture p;
	struct graph_facts facts;
	unsigned round, i, drawn = 0, asked = 0;
	static struct world w;
	struct buf b;
	size_t implied;

	(void)state;
	buf_init(&b, 0);
	for (round = 1; round <= 250; round++) {
		seed = round;
		make_random(&w);
		implied = reduce(&w);
		for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
			asked++;
			if (draw(w.dag, widths[i], true, &b, &facts) != 0)
				continue;
			drawn++;
			assert_int_equal(facts.implied, implied);
			read_grid(&p, b.p);
			assert_true(p.cols <= (int)widths[i]);
			if (facts.boxed || strstr(b.p, "\u2026") != NULL)
				continue;
			find_names(&p, w.n);
			check_edges(&w, &p);
		}
		dag_free(w.dag);
	}
	buf_release(&b);
	/* what cannot be drawn is the exception */
	if (drawn * 10 < asked * 7 || getenv("SHOWN") != NULL)
		fail_msg("%u of %u drawn", drawn, asked);
}

/* Shapes that everybody knows, to the letter. */
static void
test_shapes(void **state)
{
	static const struct {
		const char *yaml, *want;
		unsigned width;
		bool utf8;
	} cases[] = {
	    {"tasks: {one: {run: x}}\n", "  one\n", 80, true},
	    {"tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n"
	     "  c: {run: x, needs: [a, b]}\n",
	     "  a\n  \u2502\n  b\n  \u2502\n  c\n", 80, true},
	    {"tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n"
	     "  c: {run: x, needs: [a]}\n  d: {run: x, needs: [b, c]}\n",
	     "    a\n  \u250c\u2500\u2534\u2500\u2510\n  b   c\n"
	     "  \u2514\u2500\u252c\u2500\u2518\n    d\n",
	     80, true},
	    {"tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n"
	     "  c: {run: x, needs: [a]}\n  d: {run: x, needs: [b, c]}\n",
	     "    a\n  +-+-+\n  b   c\n  +-+-+\n    d\n", 80, false},
	    /* what stands alone stands side by side */
	    {"tasks:\n  a: {run: x}\n  b: {run: x, needs: [a]}\n  c: {run: x}\n"
	     "  d: {run: x}\n",
	     "  a\n  |\n  b\n\n  c   d\n", 80, false},
	    /* too wide for a row: a box */
	    {"tasks:\n  a: {run: x}\n  part_1: {run: x, needs: [a]}\n"
	     "  part_2: {run: x, needs: [a]}\n  part_3: {run: x, needs: [a]}\n"
	     "  part_4: {run: x, needs: [a]}\n  z: {run: x, needs: ['part_1', part_2, "
	     "part_3, part_4]}\n",
	     "          a\n          |\n  +-------+--------+\n"
	     "  | part_1  part_2 |\n  | part_3  part_4 |\n"
	     "  +-------+--------+\n          |\n          z\n",
	     26, false},
	};
	struct graph_facts facts;
	struct dag *g;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		g = fixture_dag(cases[i].yaml);
		assert_int_equal(draw(g, cases[i].width, cases[i].utf8, &b, &facts), 0);
		assert_string_equal(b.p, cases[i].want);
		dag_free(g);
	}
	buf_release(&b);
}

static void
test_limits(void **state)
{
	struct graph_facts facts;
	struct dag *g;
	struct buf b, yaml;
	unsigned i, n;

	(void)state;
	buf_init(&b, 0);
	buf_init(&yaml, 0);
	for (n = GRAPH_TASKS_MAX; n <= GRAPH_TASKS_MAX + 1; n++) {
		buf_clear(&yaml);
		buf_adds(&yaml, "tasks:\n  t0: {run: x}\n");
		for (i = 1; i < n; i++)
			buf_addf(&yaml, "  t%u: {run: x, needs: [t0]}\n", i);
		g = fixture_dag(yaml.p);
		/* one box, or too many */
		assert_int_equal(draw(g, 100, true, &b, &facts), n > GRAPH_TASKS_MAX);
		assert_int_equal(b.n == 0, n > GRAPH_TASKS_MAX);
		dag_free(g);
	}
	g = fixture_dag("tasks: {a: {run: x}}\n");
	assert_int_equal(draw(g, GRAPH_WIDTH_MIN, true, &b, &facts), 0);
	assert_int_equal(draw(g, GRAPH_WIDTH_MIN - 1, true, &b, &facts), 1);
	assert_int_equal(draw(g, 1000000, true, &b, &facts), 0);
	dag_free(g);
	buf_release(&yaml);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_shapes),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
