#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/suggest.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"

/*
 * Selectors.  All words are read first; then one walk against the topological order carries
 * `+x` to the upstreams and one along it carries `x+` to the downstreams, so the cost is
 * that of the graph, however many words there are.
 */

struct selection {
	const struct dag *g;
	bool *selected;
	bool *up, *down; /* take the upstreams, the downstreams of the task */
	size_t nwords;
};

static bool
has_tag(const struct dag_task *t, const char *tag, size_t len)
{
	size_t i;

	for (i = 0; i < t->ntags; i++)
		if (strlen(t->tags[i]) == len && memcmp(t->tags[i], tag, len) == 0)
			return true;
	return false;
}

static void
take(struct selection *s, uint32_t id, bool up, bool down)
{
	s->selected[id] = true;
	s->up[id] |= up;
	s->down[id] |= down;
}

static int
unknown(const struct selection *s, const char *what, const char *name, bool tag,
	struct err *err)
{
	struct suggest near;
	const char *best;
	size_t i, j;

	suggest_start(&near, name);
	for (i = 0; i < s->g->ntasks; i++) {
		const struct dag_task *t = &s->g->tasks[i];

		if (!tag)
			suggest_try(&near, t->name);
		for (j = 0; tag && j < t->ntags; j++)
			suggest_try(&near, t->tags[j]);
	}
	if ((best = suggest_best(&near)) != NULL)
		return err_set(err, ERR_NOTFOUND,
			       "%s '%s' does not exist in %s; did you mean '%s'?", what,
			       name, s->g->name, best);
	return err_set(err, ERR_NOTFOUND, "%s '%s' does not exist in %s", what, name,
		       s->g->name);
}

/* One word: [+] (task | tag:TAG) [+]. */
static int
select_word(struct selection *s, const char *word, struct err *err)
{
	const struct dag_task *t = dag_task_find(s->g, word);
	char name[4 * DAG_NAME_MAX + 1];
	bool up = false, down = false, any = false;
	size_t len = strlen(word), i;

	s->nwords++;
	if (t == NULL && len > 0 && word[0] == '+') {
		up = true;
		word++;
		len--;
	}
	if (t == NULL && len > 0 && word[len - 1] == '+') {
		down = true;
		len--;
	}
	if (len == 0 || len >= sizeof(name))
		return err_set(err, ERR_INVALID,
			       "a selector is TASK, +TASK, TASK+, +TASK+ or tag:TAG");
	memcpy(name, word, len);
	name[len] = '\0';
	if (t != NULL || (t = dag_task_find(s->g, name)) != NULL) {
		take(s, t->id, up, down);
		return 0;
	}
	if (strncmp(name, "tag:", 4) != 0)
		return unknown(s, "task", name, false, err);
	for (i = 0; i < s->g->ntasks; i++)
		if (has_tag(&s->g->tasks[i], name + 4, len - 4)) {
			take(s, (uint32_t)i, up, down);
			any = true;
		}
	return any ? 0 : unknown(s, "tag", name + 4, true, err);
}

static int
select_words(struct selection *s, const char *const *exprs, size_t n, struct err *err)
{
	char *copy, *word, *save = NULL;
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		if ((copy = strdup(exprs[i])) == NULL)
			return err_nomem(err);
		for (word = strtok_r(copy, ", \t\n", &save); word != NULL && rc == 0;
		     word = strtok_r(NULL, ", \t\n", &save))
			rc = select_word(s, word, err);
		free(copy);
	}
	if (rc == 0 && s->nwords == 0)
		return err_set(
		    err, ERR_INVALID,
		    "an empty selector selects nothing; leave it out for all tasks");
	return rc;
}

static void
spread(struct selection *s)
{
	const struct dag *g = s->g;
	size_t i, j;

	for (i = g->ntasks; i-- > 0;) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		for (j = 0; s->up[t->id] && j < t->nup; j++)
			take(s, t->up[j], true, false);
	}
	for (i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[g->order[i]];

		for (j = 0; s->down[t->id] && j < t->ndown; j++)
			take(s, t->down[j], false, true);
	}
}

int
select_tasks(const struct dag *g, const char *const *exprs, size_t n, bool *selected,
	     struct err *err)
{
	struct selection s = {.g = g, .selected = selected};
	int rc = -1;

	memset(selected, n == 0, g->ntasks * sizeof(*selected));
	if (n == 0)
		return 0;
	s.up = calloc(g->ntasks + 1, sizeof(*s.up));
	s.down = calloc(g->ntasks + 1, sizeof(*s.down));
	if (s.up == NULL || s.down == NULL)
		(void)err_nomem(err);
	else if ((rc = select_words(&s, exprs, n, err)) == 0)
		spread(&s);
	free(s.up);
	free(s.down);
	return rc;
}
