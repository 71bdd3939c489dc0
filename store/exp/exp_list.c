/* Which experiments there are. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "store/exp/exp.h"
#include "store/git_write.h"

#define AMBIGUOUS_SHOWN 5
#define HEX		"0123456789abcdef"

struct reading {
	struct repo *r;
	struct arena *arena;
	VEC(struct exp) v;
};

/* Take the reference apart.  Return whether it is an experiment's. */
static bool
parse_ref(const char *ref, char baseline[REPO_ID], const char **name)
{
	const char *p = ref + strlen(EXP_REFS);

	if (strncmp(ref, EXP_REFS, strlen(EXP_REFS)) != 0 || strspn(p, HEX) != 2 ||
	    p[2] != '/' || strspn(p + 3, HEX) != REPO_ID - 3 || p[REPO_ID] != '/' ||
	    p[REPO_ID + 1] == '\0' || strchr(p + REPO_ID + 1, '/') != NULL)
		return false;
	memcpy(baseline, p, 2);
	memcpy(baseline + 2, p + 3, REPO_ID - 3);
	baseline[REPO_ID - 1] = '\0';
	*name = p + REPO_ID + 1;
	return true;
}

static int
take(void *ctx, const struct repo_ref *ref, struct err *err)
{
	struct reading *k = ctx;
	struct repo_commit c;
	struct exp e = {.ref = NULL};
	const char *name;

	if (!parse_ref(ref->name, e.baseline, &name))
		return 0;
	if (k->v.n >= EXPS_MAX)
		return err_set(err, ERR_LIMIT, "there are more than %d experiments",
			       EXPS_MAX);
	if (repo_commit(k->r, ref->id, &c, err) != 0)
		return -1;
	memcpy(e.id, ref->id, sizeof(e.id));
	e.time_s = c.time_s;
	e.ref = arena_strdup(k->arena, ref->name);
	if (e.ref == NULL || vec_push(&k->v, e) != 0)
		return err_nomem(err);
	(void)parse_ref(e.ref, e.baseline, &k->v.v[k->v.n - 1].name);
	return 0;
}

static int
in_order(const void *a, const void *b)
{
	const struct exp *x = a, *y = b;
	int order = strcmp(x->baseline, y->baseline);

	if (order != 0)
		return order;
	if (x->time_s != y->time_s)
		return x->time_s > y->time_s ? -1 : 1;
	/* As DVC has it: of one second the greater id first. */
	order = strcmp(y->id, x->id);
	return order != 0 ? order : strcmp(x->name, y->name);
}

int
exp_list_read(struct repo *r, struct exp_list *out, struct err *err)
{
	struct reading k = {.r = r};
	int rc;

	*out = (struct exp_list){.arena = arena_new(0)};
	if (out->arena == NULL)
		return err_nomem(err);
	k.arena = out->arena;
	rc = repo_refs(r, EXP_REFS, take, &k, err);
	if (rc == 0 && k.v.n > 0) {
		out->v = arena_array(out->arena, k.v.n, sizeof(*out->v));
		if (out->v == NULL) {
			rc = err_nomem(err);
		} else {
			qsort(k.v.v, k.v.n, sizeof(*k.v.v), in_order);
			memcpy(out->v, k.v.v, k.v.n * sizeof(*k.v.v));
			out->n = k.v.n;
		}
	}
	vec_release(&k.v);
	return rc;
}

void
exp_list_free(struct exp_list *l)
{
	arena_free(l->arena);
	*l = (struct exp_list){.arena = NULL};
}

static int
by_baseline(const void *key, const void *elem)
{
	return strcmp(key, ((const struct exp *)elem)->baseline);
}

const struct exp *
exp_of(const struct exp_list *l, const char *baseline, size_t *n)
{
	size_t first = vec_first(l->v, l->n, sizeof(*l->v), baseline, by_baseline), end;

	for (end = first; end < l->n && strcmp(l->v[end].baseline, baseline) == 0;)
		end++;
	*n = end - first;
	return l->v + first;
}

/* ---- by name ---- */

static int
is_none(const struct exp_list *l, const char *word, struct err *err)
{
	struct suggest s;

	suggest_start(&s, word);
	for (size_t i = 0; i < l->n; i++)
		suggest_try(&s, l->v[i].name);
	if (suggest_best(&s) != NULL)
		return err_set(err, ERR_NOTFOUND,
			       "there is no experiment '%.255s': did you mean '%s'?",
			       word, suggest_best(&s));
	return err_set(err, ERR_NOTFOUND,
		       "there is no experiment '%.255s': 'dag exp list -A' shows all",
		       word);
}

static int
are_many(const struct exp_list *l, const char *word, struct err *err)
{
	struct buf b;
	size_t n = 0;

	buf_init(&b, 0);
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, word) == 0 && n++ < AMBIGUOUS_SHOWN)
			buf_addf(&b, "%s%s", n > 1 ? ", " : "", l->v[i].ref);
	if (n > AMBIGUOUS_SHOWN)
		buf_adds(&b, ", ...");
	(void)err_set(err, ERR_INVALID,
		      "%zu experiments are called '%.255s': name one by its whole "
		      "reference: %s",
		      n, word, b.p);
	buf_release(&b);
	return -1;
}

int
exp_find(struct repo *r, const struct exp_list *l, const char *word,
	 const struct exp **out, struct err *err)
{
	const struct exp *found = NULL, *here = NULL;
	struct repo_head head;
	size_t n = 0;

	*out = NULL;
	if (repo_head(r, &head, err) != 0)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		const struct exp *e = &l->v[i];

		if (strcmp(e->ref, word) == 0) {
			*out = e;
			return 0;
		}
		if (strcmp(e->name, word) != 0)
			continue;
		found = e;
		n++;
		if (strcmp(e->baseline, head.id) == 0)
			here = e;
	}
	if (n == 0)
		return is_none(l, word, err);
	if (n > 1 && here == NULL)
		return are_many(l, word, err);
	*out = n > 1 ? here : found;
	return 0;
}

int
exp_resolve(struct repo *r, const struct exp_list *l, const char *word, char id[REPO_ID],
	    struct err *err)
{
	const struct exp *e;
	struct err none = {0};

	if (repo_resolve(r, word, id, err) == 0)
		return 0;
	if (err->code != ERR_NOTFOUND && err->code != ERR_INVALID)
		return -1;
	if (exp_find(r, l, word, &e, &none) != 0) {
		if (none.code != ERR_NOTFOUND || strstr(none.msg, "did you mean") != NULL)
			*err = none;
		return -1;
	}
	err_clear(err);
	memcpy(id, e->id, REPO_ID);
	return 0;
}

void
exp_ref(const char *baseline, const char *name, struct buf *b)
{
	buf_addf(b, EXP_REFS "%.2s/%s/%s", baseline, baseline + 2, name);
}

/* ---- names of commits ---- */

struct exp_names {
	struct arena *arena;
	struct map tags, branches; /* id -> name; of several the first */
	struct repo_head head;
};

static int
take_name(void *ctx, const struct repo_ref *ref, struct err *err)
{
	static const char tags[] = "refs/tags/", branches[] = "refs/heads/";
	struct exp_names *n = ctx;
	bool tag = strncmp(ref->name, tags, sizeof(tags) - 1) == 0;
	struct map *m = tag ? &n->tags : &n->branches;
	const char *id;
	char *name;

	if (!tag && strncmp(ref->name, branches, sizeof(branches) - 1) != 0)
		return 0;
	if (map_get(m, ref->id) != NULL)
		return 0;
	name = arena_strdup(n->arena,
			    ref->name + (tag ? sizeof(tags) : sizeof(branches)) - 1);
	id = arena_strdup(n->arena, ref->id);
	if (name == NULL || id == NULL || map_put(m, id, name) < 0)
		return err_nomem(err);
	return 0;
}

int
exp_names_read(struct repo *r, struct exp_names **out, struct err *err)
{
	struct exp_names *n = calloc(1, sizeof(*n));
	int rc;

	*out = n;
	if (n == NULL || (n->arena = arena_new(0)) == NULL)
		return err_nomem(err);
	rc = repo_head(r, &n->head, err);
	if (rc == 0)
		rc = repo_refs(r, "refs/tags/", take_name, n, err);
	if (rc == 0)
		rc = repo_refs(r, "refs/heads/", take_name, n, err);
	return rc;
}

void
exp_names_free(struct exp_names *n)
{
	if (n == NULL)
		return;
	if (n->arena != NULL) {
		map_release(&n->tags);
		map_release(&n->branches);
	}
	arena_free(n->arena);
	free(n);
}

const char *
exp_names_of(const struct exp_names *n, const char *id)
{
	const char *name;

	if (n->head.branch[0] != '\0' && strcmp(n->head.id, id) == 0)
		return n->head.branch;
	name = map_get(&n->tags, id);
	return name != NULL ? name : map_get(&n->branches, id);
}
