/*
 * Selectors over one DAG, each line of the input one argument, against a reading of their
 * own: names and plus signs, then a walk from every task along each edge.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"

#define TASKS_MAX 16
#define EXPRS_MAX 16

static const char dag_text[] = "tasks:\n"
			       "  a: {run: x, tags: [raw, t]}\n"
			       "  b: {run: x, needs: [a]}\n"
			       "  c: {run: x, needs: [a], tags: [t]}\n"
			       "  d: {run: x, needs: [b, c]}\n"
			       "  e: {run: x, needs: [d], tags: [end, a]}\n"
			       "  f: {run: x}\n"
			       "  g: {run: x, needs: [f]}\n"
			       "  h_1: {run: x, needs: [g, d]}\n"
			       "  long-name: {run: x, tags: [end]}\n"
			       "  tag: {run: x, needs: [long-name]}\n";

static struct dag *
the_dag(void)
{
	static struct dag *g;
	struct diag *d;

	if (g != NULL)
		return g;
	d = fuzz_need(diag_new());
	CHECK(diag_file(d, "x.yaml", dag_text, sizeof(dag_text) - 1) == 0);
	CHECK(dag_load(d, 0, "x.yaml", dag_text, sizeof(dag_text) - 1, NULL, &g) == 0);
	CHECK(g->ntasks <= TASKS_MAX);
	diag_free(d);
	return g;
}

static void
walk(const struct dag *g, uint32_t id, bool up, bool down, bool *set)
{
	const struct dag_task *t = &g->tasks[id];

	set[id] = true;
	for (size_t i = 0; up && i < t->nup; i++)
		walk(g, t->up[i], true, false, set);
	for (size_t i = 0; down && i < t->ndown; i++)
		walk(g, t->down[i], false, true, set);
}

static bool
has_tag(const struct dag_task *t, const char *tag)
{
	for (size_t i = 0; i < t->ntags; i++)
		if (strcmp(t->tags[i], tag) == 0)
			return true;
	return false;
}

/* One word.  false if it names nothing. */
static bool
select_word(const struct dag *g, char *word, bool *set)
{
	bool up = word[0] == '+', down, any = false, tag;
	size_t n;

	word += up;
	n = strlen(word);
	down = n > 0 && word[n - 1] == '+';
	word[n - down] = '\0';
	tag = strncmp(word, "tag:", 4) == 0;
	for (uint32_t i = 0; i < g->ntasks; i++)
		if (tag ? has_tag(&g->tasks[i], word + 4)
			: strcmp(g->tasks[i].name, word) == 0) {
			walk(g, i, up, down, set);
			any = true;
		}
	return any;
}

/* What the arguments select; false if they are wrong. */
static bool
reference(const struct dag *g, const char *const *v, size_t n, bool *set)
{
	bool good = true;
	size_t words = 0;
	char *copy, *save, *word;

	for (size_t i = 0; i < n; i++) {
		copy = fuzz_need(strdup(v[i]));
		for (word = strtok_r(copy, ", \t\n", &save); word != NULL;
		     word = strtok_r(NULL, ", \t\n", &save), words++)
			good = select_word(g, word, set) && good;
		free(copy);
	}
	for (uint32_t i = 0; n == 0 && i < g->ntasks; i++)
		set[i] = true;
	return good && (n == 0 || words > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct dag *g = the_dag();
	char *text = fuzz_string(data, n), *p = text;
	bool want[TASKS_MAX] = {false}, got[TASKS_MAX] = {false};
	const char *v[EXPRS_MAX];
	struct err err = {0};
	size_t count = 0;
	int rc;

	while (*p != '\0' && count < EXPRS_MAX) {
		v[count++] = p;
		p += strcspn(p, "\n");
		if (*p != '\0')
			*p++ = '\0';
	}
	rc = select_tasks(g, v, count, got, &err);
	CHECK((rc == 0) == reference(g, v, count, want));
	if (rc == 0)
		CHECK(memcmp(want, got, sizeof(want)) == 0);
	else
		CHECK(err.msg[0] != '\0' &&
		      (err.code == ERR_INVALID || err.code == ERR_NOTFOUND));
	free(text);
	return 0;
}
