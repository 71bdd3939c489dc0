/*
 * Selectors over one DAG, each line of the input one argument, against a second reading of
 * them: every selector walks the graph by itself, edge by edge.
 */
#include <fnmatch.h>
#include <stdbool.h>

#include "fuzz.h"
#include "scheduler/dag.h"
#include "scheduler/select.h"

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
walk(const struct dag *g, uint32_t id, long up, long down, bool *set)
{
	const struct dag_task *t = &g->tasks[id];

	set[id] = true;
	for (size_t i = 0; up > 0 && i < t->nup; i++)
		walk(g, t->up[i], up - 1, 0, set);
	for (size_t i = 0; down > 0 && i < t->ndown; i++)
		walk(g, t->down[i], 0, down - 1, set);
}

static bool
is_named(const struct dag_task *t, const char *pattern, bool tag)
{
	if (!tag)
		return fnmatch(pattern, t->name, 0) == 0;
	for (size_t i = 0; i < t->ntags; i++)
		if (fnmatch(pattern, t->tags[i], 0) == 0)
			return true;
	return false;
}

/* A depth: its digits, or none for all of the graph. */
static long
depth(const char *p, size_t n)
{
	long v = 0;

	if (n == 0)
		return TASKS_MAX;
	for (size_t i = 0; i < n && v <= TASKS_MAX; i++)
		v = v * 10 + p[i] - '0';
	return v <= TASKS_MAX ? v : TASKS_MAX;
}

/* What stands around the name is cut off it. */
static bool
take_apart(char **word, bool *around, long *up, long *down)
{
	size_t digits = strspn(*word, "0123456789");
	char *plus;

	*around = **word == '@';
	*up = *down = 0;
	if (*around) {
		(*word)++;
	} else if ((*word)[digits] == '+') {
		*up = depth(*word, digits);
		*word += digits + 1;
	}
	plus = strrchr(*word, '+');
	if (plus != NULL && strspn(plus + 1, "0123456789") == strlen(plus + 1)) {
		*down = depth(plus + 1, strlen(plus + 1));
		*plus = '\0';
	}
	return !(*around && *down > 0) && **word != '\0' && **word != '@' &&
	       strchr(*word, '+') == NULL;
}

/* One selector.  false if it is none, or names nothing. */
static bool
select_one(const struct dag *g, char *word, bool *set)
{
	bool around = false, tag, any = false, below[TASKS_MAX];
	long up = 0, down = 0;

	if (!take_apart(&word, &around, &up, &down))
		return false;
	tag = strncmp(word, "tag:", 4) == 0 && word[4] != '\0';
	word += tag ? 4 : 0;
	for (uint32_t i = 0; i < g->ntasks; i++) {
		if (!is_named(&g->tasks[i], word, tag))
			continue;
		any = true;
		walk(g, i, up, down, set);
		memset(below, 0, sizeof(below));
		if (around)
			walk(g, i, 0, TASKS_MAX, below);
		for (uint32_t k = 0; k < g->ntasks; k++)
			if (below[k])
				walk(g, k, TASKS_MAX, 0, set);
	}
	return any;
}

/* One word: selectors between commas, each of which must select a task. */
static bool
select_word(const struct dag *g, char *word, bool *set)
{
	bool all[TASKS_MAX], one[TASKS_MAX], any = false;
	char *comma;

	memset(all, 1, sizeof(all));
	for (; word != NULL; word = comma) {
		comma = strchr(word, ',');
		if (comma != NULL)
			*comma++ = '\0';
		memset(one, 0, sizeof(one));
		if (!select_one(g, word, one))
			return false;
		for (size_t i = 0; i < TASKS_MAX; i++)
			all[i] = all[i] && one[i];
	}
	for (size_t i = 0; i < TASKS_MAX; i++) {
		set[i] = set[i] || all[i];
		any = any || all[i];
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
		for (word = strtok_r(copy, " \t\n", &save); word != NULL;
		     word = strtok_r(NULL, " \t\n", &save), words++)
			good = select_word(g, word, set) && good;
		free(copy);
	}
	for (uint32_t i = 0; n == 0 && i < g->ntasks; i++)
		set[i] = true;
	return good && (n == 0 || words > 0);
}

/* What is excluded is gone, and something is left. */
static void
check_exclude(const struct dag *g, const char *const *v, size_t n, const bool *out)
{
	bool left[TASKS_MAX] = {false}, any = false;
	struct err err;
	int rc;

	CHECK(select_tasks(g, NULL, 0, left, &err) == 0);
	rc = select_exclude(g, v, n, left, &err);
	for (uint32_t i = 0; n > 0 && i < g->ntasks; i++) {
		CHECK(left[i] == !out[i]);
		any = any || left[i];
	}
	CHECK((rc == 0) == (n == 0 || any));
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
	bool plain;
	int rc;

	/* In slashes, brackets and backslashes libc's patterns are others than ours. */
	plain = n < 500 && strpbrk(text, "/[\\") == NULL;
	while (*p != '\0' && count < EXPRS_MAX) {
		v[count++] = p;
		p += strcspn(p, "\n");
		if (*p != '\0')
			*p++ = '\0';
	}
	rc = select_tasks(g, v, count, got, &err);
	if (plain)
		CHECK((rc == 0) == reference(g, v, count, want));
	if (rc == 0) {
		CHECK(!plain || memcmp(want, got, sizeof(want)) == 0);
		check_exclude(g, v, count, got);
	} else
		CHECK(err.msg[0] != '\0' &&
		      (err.code == ERR_INVALID || err.code == ERR_NOTFOUND));
	free(text);
	return 0;
}
