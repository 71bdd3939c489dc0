/*
 * Selectors, as dbt's users know them.  Blanks and several arguments add up, a comma is an
 * intersection.
 *
 *	word     := selector { "," selector }
 *	selector := [ "@" | [ DEPTH ] "+" ] [ "tag:" ] PATTERN [ "+" [ DEPTH ] ]
 *
 * What a selector names is marked first, with how far it reaches each way; then one walk
 * along the topological order and one against it carry the marks on.  All words without a
 * comma share one pair of walks, so the cost is that of the graph, however many there are.
 */
#include "scheduler/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "base/path.h"
#include "base/suggest.h"
#include "scheduler/dag.h"

#define NAME_MAX_BYTES (4 * DAG_NAME_MAX)
#define WHOLE	       UINT32_MAX /* reach: as far as the graph goes */

/* One selector, taken apart.  Depths are counted in edges; 0: not that way. */
struct selector {
	const char *text; /* as it was given, for messages */
	char pattern[NAME_MAX_BYTES + 1];
	bool tag, around;
	uint32_t up, down;
};

/* Tasks that are hit, and how far each reaches. */
struct reach {
	bool *hit, *around;
	uint32_t *up, *down;
	bool spreads; /* some task reaches further than itself */
};

struct selection {
	const struct dag *g;
	bool *selected;	    /* what comes out */
	bool *meet;	    /* the intersection under way */
	struct reach plain; /* of all words without a comma */
	struct reach one;   /* of one selector of an intersection */
	size_t count;
	struct err *err;
};

/* ---- reading ---- */

/* The digits at p, at most n of them, as a depth; a number that no graph has is all of it. */
static uint32_t
depth_of(const char *p, size_t n)
{
	char digits[24];
	uint64_t v;

	for (; n > 1 && *p == '0'; n--)
		p++;
	if (n >= sizeof(digits))
		return WHOLE;
	memcpy(digits, p, n);
	digits[n] = '\0';
	return num_u64(digits, &v) == 0 && v < WHOLE ? (uint32_t)v : WHOLE;
}

static int
malformed(const char *text, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "'%.200s' is no selector: it is TASK or tag:TAG with +, 2+ or @ "
		       "before and + or +2 behind ('dag help select')",
		       text);
}

/* Take the word apart; one that is a task's name as it stands is just that. */
static int
read_selector(const struct dag *g, const char *word, struct selector *s, struct err *err)
{
	const char *p = word;
	size_t n = strlen(word), k;

	*s = (struct selector){.text = word};
	if (n > NAME_MAX_BYTES + 64)
		return malformed(word, err);
	if (n <= NAME_MAX_BYTES && dag_task_find(g, word) != NULL) {
		memcpy(s->pattern, word, n + 1);
		return 0;
	}
	k = strspn(p, "0123456789");
	if (*p == '@') {
		s->around = true;
		p++;
	} else if (p[k] == '+') {
		s->up = k > 0 ? depth_of(p, k) : WHOLE;
		p += k + 1;
	}
	n = strlen(p);
	for (k = n; k > 0 && p[k - 1] >= '0' && p[k - 1] <= '9'; k--)
		;
	if (k > 0 && p[k - 1] == '+') {
		s->down = k < n ? depth_of(p + k, n - k) : WHOLE;
		n = k - 1;
	}
	if (s->around && s->down > 0)
		return err_set(
		    err, ERR_INVALID,
		    "'%.200s' is no selector: @ takes all that follow already, "
		    "so there is no + behind it",
		    word);
	if (n > 4 && memcmp(p, "tag:", 4) == 0) {
		s->tag = true;
		p += 4;
		n -= 4;
	}
	if (n == 0 || n > NAME_MAX_BYTES || *p == '@' || memchr(p, '+', n) != NULL)
		return malformed(word, err);
	memcpy(s->pattern, p, n);
	return 0;
}

/* ---- what it names ---- */

static bool
has_tag(const struct dag_task *t, const char *pattern)
{
	size_t i;

	for (i = 0; i < t->ntags; i++)
		if (strcmp(t->tags[i], pattern) == 0 ||
		    path_glob_match(pattern, t->tags[i]))
			return true;
	return false;
}

static void
hit(struct reach *r, uint32_t id, const struct selector *s)
{
	r->hit[id] = true;
	r->around[id] |= s->around;
	if (s->up > r->up[id])
		r->up[id] = s->up;
	if (s->down > r->down[id])
		r->down[id] = s->down;
	r->spreads = r->spreads || s->around || s->up > 0 || s->down > 0;
}

static int
unknown(const struct dag *g, const struct selector *s, struct err *err)
{
	const char *what = s->tag ? "tag" : "task", *best;
	struct suggest near;
	size_t i, j;

	if (path_has_glob(s->pattern))
		return err_set(err, ERR_NOTFOUND, "no %s of %s matches '%s'", what,
			       g->name, s->pattern);
	suggest_start(&near, s->pattern);
	for (i = 0; i < g->ntasks; i++) {
		const struct dag_task *t = &g->tasks[i];

		if (!s->tag)
			suggest_try(&near, t->name);
		for (j = 0; s->tag && j < t->ntags; j++)
			suggest_try(&near, t->tags[j]);
	}
	best = suggest_best(&near);
	if (best != NULL)
		return err_set(err, ERR_NOTFOUND,
			       "%s '%s' does not exist in %s; did you mean '%s'?", what,
			       s->pattern, g->name, best);
	return err_set(err, ERR_NOTFOUND, "%s '%s' does not exist in %s%s%s%s", what,
		       s->pattern, g->name, s->tag ? "" : " ('dag show ",
		       s->tag ? "" : g->name, s->tag ? "" : "' lists its tasks)");
}

/* Mark in ${r} what the word names. */
static int
mark(struct selection *sel, const char *word, struct reach *r)
{
	const struct dag *g = sel->g;
	const struct dag_task *t;
	struct selector s;
	bool any = false;
	size_t i;

	if (sel->count++ == SELECTORS_MAX)
		return err_set(sel->err, ERR_LIMIT, "there are more than %d selectors",
			       SELECTORS_MAX);
	if (read_selector(g, word, &s, sel->err) != 0)
		return -1;
	if (!s.tag && !path_has_glob(s.pattern)) {
		t = dag_task_find(g, s.pattern);
		if (t == NULL)
			return unknown(g, &s, sel->err);
		hit(r, t->id, &s);
		return 0;
	}
	for (i = 0; i < g->ntasks; i++)
		if (s.tag ? has_tag(&g->tasks[i], s.pattern)
			  : path_glob_match(s.pattern, g->tasks[i].name)) {
			hit(r, (uint32_t)i, &s);
			any = true;
		}
	return any ? 0 : unknown(g, &s, sel->err);
}

/* ---- how far it reaches ---- */

static uint32_t
less(uint32_t depth)
{
	return depth == WHOLE ? WHOLE : depth - 1;
}

/* Carry the marks on until hit has all that is selected. */
static void
spread(const struct dag *g, struct reach *r)
{
	const struct dag_task *t;
	size_t i, j;

	if (!r->spreads)
		return;
	for (i = 0; i < g->ntasks; i++) {
		t = &g->tasks[g->order[i]];
		for (j = 0; r->around[t->id] && j < t->ndown; j++)
			r->around[t->down[j]] = true;
		for (j = 0; r->down[t->id] > 0 && j < t->ndown; j++) {
			uint32_t d = t->down[j];

			r->hit[d] = true;
			if (less(r->down[t->id]) > r->down[d])
				r->down[d] = less(r->down[t->id]);
		}
	}
	for (i = g->ntasks; i-- > 0;) {
		t = &g->tasks[g->order[i]];
		if (r->around[t->id]) {
			r->hit[t->id] = true;
			r->up[t->id] = WHOLE;
		}
		for (j = 0; r->up[t->id] > 0 && j < t->nup; j++) {
			uint32_t u = t->up[j];

			r->hit[u] = true;
			if (less(r->up[t->id]) > r->up[u])
				r->up[u] = less(r->up[t->id]);
		}
	}
}

static void
reach_clear(struct reach *r, size_t n)
{
	memset(r->hit, 0, n * sizeof(*r->hit));
	memset(r->around, 0, n * sizeof(*r->around));
	memset(r->up, 0, n * sizeof(*r->up));
	memset(r->down, 0, n * sizeof(*r->down));
	r->spreads = false;
}

/* ---- words ---- */

/* Selectors joined by commas: what all of them name.  The word is cut up. */
static int
intersect(struct selection *sel, char *word, const char *whole)
{
	size_t n = sel->g->ntasks, i;
	bool first = true, any = false;
	char *comma;

	for (; word != NULL; word = comma) {
		comma = strchr(word, ',');
		if (comma != NULL)
			*comma++ = '\0';
		if (*word == '\0')
			return err_set(sel->err, ERR_INVALID,
				       "'%.200s' has nothing beside a comma: x,y is what "
				       "both select, 'x y' what either does",
				       whole);
		reach_clear(&sel->one, n);
		if (mark(sel, word, &sel->one) != 0)
			return -1;
		spread(sel->g, &sel->one);
		for (i = 0; i < n; i++)
			sel->meet[i] = sel->one.hit[i] && (first || sel->meet[i]);
		first = false;
	}
	for (i = 0; i < n; i++) {
		sel->selected[i] |= sel->meet[i];
		any = any || sel->meet[i];
	}
	if (!any)
		return err_set(sel->err, ERR_NOTFOUND,
			       "'%.200s' selects nothing: no task of %s is in all of its "
			       "parts",
			       whole, sel->g->name);
	return 0;
}

static int
one_word(struct selection *sel, char *word)
{
	char *whole;
	int rc;

	if (strchr(word, ',') == NULL)
		return mark(sel, word, &sel->plain);
	whole = strdup(word);
	if (whole == NULL)
		return err_nomem(sel->err);
	rc = intersect(sel, word, whole);
	free(whole);
	return rc;
}

static int
all_words(struct selection *sel, const char *const *exprs, size_t n)
{
	char *copy, *word, *save = NULL;
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		if ((copy = strdup(exprs[i])) == NULL)
			return err_nomem(sel->err);
		for (word = strtok_r(copy, " \t\n", &save); word != NULL && rc == 0;
		     word = strtok_r(NULL, " \t\n", &save))
			rc = one_word(sel, word);
		free(copy);
	}
	if (rc == 0 && sel->count == 0)
		return err_set(
		    sel->err, ERR_INVALID,
		    "an empty selector selects nothing; leave it out for all tasks");
	if (rc != 0)
		return -1;
	spread(sel->g, &sel->plain);
	for (i = 0; i < sel->g->ntasks; i++)
		sel->selected[i] |= sel->plain.hit[i];
	return 0;
}

static bool
reach_alloc(struct reach *r, size_t n)
{
	r->hit = calloc(n, sizeof(*r->hit));
	r->around = calloc(n, sizeof(*r->around));
	r->up = calloc(n, sizeof(*r->up));
	r->down = calloc(n, sizeof(*r->down));
	return r->hit != NULL && r->around != NULL && r->up != NULL && r->down != NULL;
}

static void
reach_free(struct reach *r)
{
	free(r->hit);
	free(r->around);
	free(r->up);
	free(r->down);
}

int
select_tasks(const struct dag *g, const char *const *exprs, size_t n, bool *selected,
	     struct err *err)
{
	struct selection sel = {.g = g, .selected = selected, .err = err};
	int rc = -1;

	memset(selected, n == 0, g->ntasks * sizeof(*selected));
	if (n == 0)
		return 0;
	sel.meet = calloc(g->ntasks + 1, sizeof(*sel.meet));
	if (sel.meet == NULL || !reach_alloc(&sel.plain, g->ntasks + 1) ||
	    !reach_alloc(&sel.one, g->ntasks + 1))
		(void)err_nomem(err);
	else
		rc = all_words(&sel, exprs, n);
	free(sel.meet);
	reach_free(&sel.plain);
	reach_free(&sel.one);
	return rc;
}

int
select_exclude(const struct dag *g, const char *const *exprs, size_t n, bool *selected,
	       struct err *err)
{
	bool *out, left = false;
	size_t i;
	int rc;

	if (n == 0)
		return 0;
	out = calloc(g->ntasks + 1, sizeof(*out));
	if (out == NULL)
		return err_nomem(err);
	rc = select_tasks(g, exprs, n, out, err);
	for (i = 0; rc == 0 && i < g->ntasks; i++) {
		selected[i] = selected[i] && !out[i];
		left = left || selected[i];
	}
	free(out);
	if (rc == 0 && !left)
		return err_set(err, ERR_NOTFOUND,
			       "nothing is left to select in %s: all of it is excluded",
			       g->name);
	return rc;
}
