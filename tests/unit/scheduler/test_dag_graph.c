/*
 * The graph against a second opinion: random files whose edges, cycles, order and uses of
 * outputs are worked out by brute force here.
 */
#include "unit/scheduler/load_fixture.h"

#define TASKS 9
#define SEEDS 400

static uint64_t rng;

static unsigned
pick(unsigned n)
{
	rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(rng >> 33) % n;
}

struct model {
	char input[TASKS][16];	/* "" none */
	char output[TASKS][16]; /* distinct top directories: no two meet */
	bool needs[TASKS][TASKS];
	int uses[TASKS]; /* whose outputs the task uses; -1 none */
	bool edge[TASKS][TASKS];
	bool reach[TASKS][TASKS];
};

/* Whether one path is the other or lies below it, by components. */
static bool
overlap(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), least = n < m ? n : m;

	return strncmp(a, b, least) == 0 &&
	       (n == m || (n > m ? a[m] == '/' : b[n] == '/'));
}

static void
make_model(struct model *m, bool cyclic)
{
	memset(m, 0, sizeof(*m));
	for (unsigned i = 0; i < TASKS; i++) {
		if (pick(3) != 0)
			(void)snprintf(m->output[i], sizeof(m->output[i]),
				       pick(2) ? "d%u" : "d%u/x/y", i);
		m->uses[i] = pick(2) ? (int)pick(TASKS) : -1;
		for (unsigned j = 0; j < TASKS; j++)
			m->needs[i][j] = i != j && pick(8) == 0 && (cyclic || j < i);
	}
	for (unsigned i = 0; i < TASKS; i++) {
		static const char *const forms[] = {"d%u", "d%u/x", "d%u/x/y/z",
						    "d%u/xx"};
		unsigned of = pick(TASKS);

		if (of == i || (!cyclic && of > i) || pick(3) == 0)
			continue;
		(void)snprintf(m->input[i], sizeof(m->input[i]), "d%u", of);
		if (pick(2))
			(void)snprintf(m->input[i], sizeof(m->input[i]), "d%u%s", of,
				       forms[1 + pick(3)] + 3);
	}
	for (unsigned i = 0; i < TASKS; i++)
		for (unsigned j = 0; j < TASKS; j++)
			m->edge[j][i] = i != j && (m->needs[i][j] ||
						   (m->input[i][0] != '\0' &&
						    m->output[j][0] != '\0' &&
						    overlap(m->input[i], m->output[j])));
	memcpy(m->reach, m->edge, sizeof(m->reach));
	for (unsigned k = 0; k < TASKS; k++)
		for (unsigned i = 0; i < TASKS; i++)
			for (unsigned j = 0; j < TASKS; j++)
				m->reach[i][j] |= m->reach[i][k] && m->reach[k][j];
}

static void
write_model(const struct model *m, struct buf *b)
{
	buf_adds(b, "tasks:\n");
	for (unsigned i = 0; i < TASKS; i++) {
		buf_addf(b, "  t%u:\n    run: x", i);
		if (m->uses[i] >= 0)
			buf_addf(b, " {{ outputs.t%d.k }}", m->uses[i]);
		buf_adds(b, "\n    needs: [");
		for (unsigned j = 0; j < TASKS; j++)
			if (m->needs[i][j])
				buf_addf(b, "t%u,", j);
		buf_adds(b, "]\n");
		if (m->input[i][0] != '\0')
			buf_addf(b, "    inputs: [%s]\n", m->input[i]);
		if (m->output[i][0] != '\0')
			buf_addf(b, "    outputs: [%s]\n", m->output[i]);
	}
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

/* The order takes the first task of the file whose upstreams have had their turn. */
static void
check_order(const struct model *m, const struct dag *g)
{
	bool done[TASKS] = {false};

	for (unsigned n = 0; n < TASKS; n++) {
		unsigned next = 0;

		for (; next < TASKS; next++) {
			bool ready = !done[next];

			for (unsigned j = 0; j < TASKS; j++)
				ready = ready && (!m->edge[j][next] || done[j]);
			if (ready)
				break;
		}
		assert_int_equal(g->order[n], next);
		done[next] = true;
	}
}

static void
compare(const struct model *m, const struct loaded *l)
{
	size_t cycles = 0, bad_uses = 0;

	for (unsigned i = 0; i < TASKS; i++) {
		bool first = m->reach[i][i];

		for (unsigned j = 0; j < i; j++)
			first = first && !(m->reach[i][j] && m->reach[j][i]);
		cycles += first;
		if (m->uses[i] >= 0 && (m->uses[i] == (int)i || !m->reach[m->uses[i]][i]))
			bad_uses++;
	}
	if (count(l->said.p, "tasks wait for each other") != cycles ||
	    count(l->said.p, "does not come before") +
		    count(l->said.p, "its own outputs") !=
		bad_uses)
		fail_msg("%zu cycles and %zu bad uses, said: %s", cycles, bad_uses,
			 l->said.p);
	assert_int_equal(l->dag == NULL, cycles + bad_uses > 0);
	if (l->dag == NULL)
		return;
	check_order(m, l->dag);
	for (unsigned i = 0; i < TASKS; i++) {
		bool up[TASKS] = {false};

		for (size_t j = 0; j < l->dag->tasks[i].nup; j++)
			up[l->dag->tasks[i].up[j]] = true;
		for (unsigned j = 0; j < TASKS; j++)
			assert_int_equal(up[j], m->edge[j][i]);
	}
}

static void
random_files(void **state)
{
	struct model m;
	struct buf b;

	(void)state;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		struct loaded l;

		rng = seed;
		make_model(&m, seed % 2 == 1);
		buf_init(&b, 0);
		write_model(&m, &b);
		l = load_text_of(b.p);
		compare(&m, &l);
		unload(&l);
		buf_release(&b);
	}
}

/* Every printed cycle is one: its steps are edges. */
static void
printed_cycles_are_cycles(void **state)
{
	struct model m;
	struct buf b;

	(void)state;
	for (unsigned seed = 1; seed < SEEDS; seed += 2) {
		struct loaded l;
		const char *s;

		rng = seed;
		make_model(&m, true);
		buf_init(&b, 0);
		write_model(&m, &b);
		l = load_text_of(b.p);
		for (s = l.said.p; (s = strstr(s, "each other: t")) != NULL;) {
			unsigned first, from, to;
			int n;

			assert_int_equal(sscanf(s, "each other: t%u%n", &first, &n), 1);
			s += n;
			for (from = first; sscanf(s, " -> t%u%n", &to, &n) == 1; s += n) {
				assert_true(from < TASKS && to < TASKS &&
					    m.edge[from][to]);
				from = to;
			}
			assert_int_equal(from, first);
		}
		unload(&l);
		buf_release(&b);
	}
}

/* Ties are broken by the order of the file. */
static void
order_is_that_of_the_file_where_it_can_be(void **state)
{
	static const char *const want[] = {"b", "d", "a", "c", "e"};
	struct loaded l =
	    loads("tasks:\n  a: {run: x, needs: d}\n  b: {run: x}\n"
		  "  c: {run: x, needs: [a]}\n  d: {run: x}\n  e: {run: x}\n");

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(l.dag->tasks[l.dag->order[i]].name, want[i]);
	assert_int_equal(l.dag->levels, 3);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_files),
	    cmocka_unit_test(printed_cycles_are_cycles),
	    cmocka_unit_test(order_is_that_of_the_file_where_it_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
