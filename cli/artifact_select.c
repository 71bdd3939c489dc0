#include "cli/artifact_select.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "cli/artifact.h"

struct selecting {
	struct artifact *a;
	VEC(struct artifact_target) v;
	struct err *err;
};

static int
push(struct selecting *s, const struct track_out *o, const char *only)
{
	struct artifact_target t = {.out = o, .only = only};

	return vec_push(&s->v, t) == 0 ? 0 : err_nomem(s->err);
}

static int
not_found(struct selecting *s, const char *word)
{
	struct suggest sg;

	suggest_start(&sg, word);
	for (size_t i = 0; i < s->a->list.n; i++) {
		suggest_try(&sg, s->a->list.outs[i].path);
		suggest_try(&sg, s->a->list.outs[i].file);
	}
	if (suggest_best(&sg) != NULL)
		return err_set(s->err, ERR_NOTFOUND,
			       "'%s' is not tracked (did you mean '%s'?)", word,
			       suggest_best(&sg));
	return err_set(s->err, ERR_NOTFOUND, "'%s' is not tracked", word);
}

static int
select_word(struct selecting *s, const char *word, bool recursive)
{
	const char *path = artifact_path(s->a, word, s->err);
	size_t before = s->v.n;
	int r = path != NULL ? 0 : -1;

	for (size_t i = 0; r == 0 && i < s->a->list.n; i++) {
		const struct track_out *o = &s->a->list.outs[i];
		size_t n = strlen(o->path);

		if (strcmp(o->path, path) == 0 || strcmp(o->file, path) == 0 ||
		    (recursive && path_is_below(o->path, path)))
			r = push(s, o, NULL);
		else if (path_is_below(path, o->path))
			r = push(s, o, path + n + 1);
	}
	if (r == 0 && s->v.n == before)
		r = not_found(s, path);
	return r;
}

/* The whole before its parts. */
static int
compare(const void *a, const void *b)
{
	const struct artifact_target *x = a, *y = b;
	int r = strcmp(x->out->path, y->out->path);

	if (r != 0 || x->only == y->only)
		return r;
	if (x->only == NULL || y->only == NULL)
		return x->only == NULL ? -1 : 1;
	return strcmp(x->only, y->only);
}

/* What another target holds goes. */
static void
unite(struct selecting *s)
{
	size_t to = 0;

	if (s->v.n > 1)
		qsort(s->v.v, s->v.n, sizeof(*s->v.v), compare);
	for (size_t i = 0; i < s->v.n; i++) {
		const struct artifact_target *t = &s->v.v[i];
		bool held = false;

		for (size_t k = to; k > 0 && !held && s->v.v[k - 1].out == t->out; k--)
			held = s->v.v[k - 1].only == NULL ||
			       path_is_below(t->only, s->v.v[k - 1].only);
		if (!held)
			s->v.v[to++] = *t;
	}
	s->v.n = to;
}

int
artifact_select(struct artifact *a, char *const *words, size_t n, bool recursive,
		struct artifact_target **out, size_t *nout, struct err *err)
{
	struct selecting s = {.a = a, .err = err};
	int r = 0;

	for (size_t i = 0; r == 0 && n == 0 && i < a->list.n; i++)
		r = push(&s, &a->list.outs[i], NULL);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = select_word(&s, words[i], recursive);
	if (r == 0) {
		unite(&s);
		*nout = s.v.n;
		*out = arena_array(a->arena, s.v.n + 1, sizeof(**out));
		if (*out == NULL)
			r = err_nomem(err);
		else if (s.v.n > 0)
			memcpy(*out, s.v.v, s.v.n * sizeof(**out));
	}
	vec_release(&s.v);
	return r;
}
