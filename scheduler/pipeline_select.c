#include "scheduler/pipeline_select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "scheduler/pipeline_int.h"
#include "store/track/collect.h"

struct pick {
	const struct dag *g;
	const struct pipeline_want *want;
	struct arena *a;
	bool *named; /* by a word */
	struct err *err;
};

/* A word taken apart. */
struct target {
	const char *word;
	const char *path; /* of the file, seen from the root */
	const char *name; /* of the stage; NULL: all of the file */
};

/* ---- words ---- */

static bool
is_pointer(const char *path)
{
	size_t n = strlen(path);

	return strcmp(path_basename(path), "dvc.yaml") == 0 ||
	       (n > 4 && strcmp(path + n - 4, ".dvc") == 0);
}

static const char *
from_root(struct pick *p, const char *path)
{
	const char *root = p->want->root, *out = NULL;
	size_t n = strlen(root);
	struct buf joined, normal;

	buf_init(&joined, 0);
	buf_init(&normal, 0);
	path_join(&joined, p->want->dir, path);
	if (!buf_failed(&joined))
		path_normalize(&normal, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&normal))
		out = arena_strdup(p->a,
				   strncmp(normal.p, root, n) == 0 && normal.p[n] == '/'
				       ? normal.p + n + 1
				       : normal.p);
	buf_release(&normal);
	buf_release(&joined);
	return out;
}

/*
 * "a/dvc.yaml:train@x:y": what is behind the first @ belongs to the name, whatever is in it; a
 * name has neither slash nor colon before it.  With --glob the last colon divides.
 */
static int
take_apart(struct pick *p, const char *word, struct target *t)
{
	size_t at = p->want->glob ? strlen(word) : strcspn(word, "@"), n = at;
	const char *path = "dvc.yaml";

	*t = (struct target){.word = word};
	while (n > 0 && word[n - 1] != ':' && (p->want->glob || word[n - 1] != '/'))
		n--;
	if (n > 0 && word[n - 1] == ':') {
		t->name = word[n] != '\0' ? word + n : NULL;
		if (n > 1)
			path = arena_strndup(p->a, word, n - 1);
	} else if (!p->want->glob && word[at] == '\0' && is_pointer(word)) {
		path = word;
	} else {
		t->name = word;
	}
	t->path = path != NULL ? from_root(p, path) : NULL;
	if (t->path == NULL)
		return err_nomem(p->err);
	if (strcmp(path_basename(t->path), "dvc.lock") == 0)
		return err_set(p->err, ERR_NOTFOUND,
			       "'%s' is what a run has recorded: the stages are in "
			       "dvc.yaml",
			       word);
	return 0;
}

static int
no_such(struct pick *p, const struct target *t, bool file)
{
	struct suggest s;
	const char *best;

	suggest_start(&s, t->name != NULL ? t->name : t->word);
	for (size_t i = 0; i < p->g->ntasks; i++) {
		const struct pipeline_stage *st = pipeline_stage_of(&p->g->tasks[i]);

		if (strcmp(st->file, t->path) == 0)
			suggest_try(&s, st->stage.name);
	}
	best = suggest_best(&s);
	if (!file)
		return err_set(p->err, ERR_NOTFOUND,
			       "there is no '%s' with stages in it, for '%s'", t->path,
			       t->word);
	if (best != NULL)
		return err_set(p->err, ERR_NOTFOUND,
			       "%s has no stage '%s' (did you mean '%s'?)", t->path,
			       t->name, best);
	return err_set(p->err, ERR_NOTFOUND, "%s has no stage '%s'", t->path, t->name);
}

static bool
fits(const struct pick *p, const struct pipeline_stage *st, const char *name)
{
	if (name == NULL)
		return true;
	if (p->want->glob)
		return fnmatch(name, st->stage.name, FNM_NOESCAPE) == 0;
	return strcmp(st->stage.name, name) == 0 ||
	       (st->stage.group != NULL && strcmp(st->stage.group, name) == 0);
}

/* All stages of the files in a directory; whether there are any. */
static bool
pick_dir(struct pick *p, const char *dir)
{
	bool any = false;

	for (size_t i = 0; i < p->g->ntasks; i++)
		if (path_is_below(pipeline_stage_of(&p->g->tasks[i])->file, dir))
			p->named[i] = any = true;
	return any;
}

/* The .dvc file that tracks what the dependency means, or NULL. */
static const char *
tracked_by(const struct pick *p, const char *path)
{
	const struct track_out *o = track_find(p->want->tracked, path);
	size_t n;

	if (o == NULL)
		o = track_below(p->want->tracked, path, &n);
	return o != NULL && o->stage == NULL ? o->file : NULL;
}

/* What a .dvc file tracks no stage makes; those that depend on it follow it, and hang together
 * with it. */
static int
pick_source(struct pick *p, const struct target *t)
{
	const struct track_list *l = p->want->tracked;
	bool there = l == NULL;

	for (size_t i = 0; l != NULL && i < l->nfiles; i++)
		there = there || strcmp(l->files[i]->path, t->path) == 0;
	if (!there)
		return err_set(p->err, ERR_NOTFOUND, "there is no '%s'", t->word);
	if (l == NULL || !(p->want->pipeline || p->want->downstream))
		return 0;
	for (size_t i = 0; i < p->g->ntasks; i++) {
		const struct pipeline_stage *st = pipeline_stage_of(&p->g->tasks[i]);

		for (size_t k = 0; !st->stage.frozen && k < st->nins; k++) {
			const char *file = tracked_by(p, st->ins[k]);

			if (file != NULL && strcmp(file, t->path) == 0)
				p->named[i] = true;
		}
	}
	return 0;
}

static int
pick_word(struct pick *p, const char *word)
{
	bool file = false, any = false;
	struct target t;
	const char *dir;

	if (p->want->recursive && !is_pointer(word)) {
		if ((dir = from_root(p, word)) == NULL)
			return err_nomem(p->err);
		if (pick_dir(p, dir))
			return 0;
	}
	if (take_apart(p, word, &t) != 0)
		return -1;
	for (size_t i = 0; i < p->g->ntasks; i++) {
		const struct pipeline_stage *st = pipeline_stage_of(&p->g->tasks[i]);

		if (strcmp(st->file, t.path) != 0)
			continue;
		file = true;
		if (fits(p, st, t.name))
			p->named[i] = any = true;
	}
	if (any)
		return 0;
	return t.name == NULL && strcmp(path_basename(t.path), "dvc.yaml") != 0
		   ? pick_source(p, &t)
		   : no_such(p, &t, file);
}

/* ---- what goes with them ---- */

/* Mark all that can be reached along `up`, `down` or both. */
static int
spread(struct pick *p, bool *selected, bool up, bool down)
{
	VEC(uint32_t) todo = {0};
	int rc = 0;

	for (uint32_t i = 0; i < p->g->ntasks && rc == 0; i++)
		if (selected[i])
			rc = vec_push(&todo, i);
	while (rc == 0 && todo.n > 0) {
		const struct dag_task *t = &p->g->tasks[todo.v[--todo.n]];
		size_t nup = up ? t->nup : 0, n = nup + (down ? t->ndown : 0);

		for (size_t k = 0; k < n && rc == 0; k++) {
			uint32_t id = k < nup ? t->up[k] : t->down[k - nup];

			if (selected[id])
				continue;
			selected[id] = true;
			rc = vec_push(&todo, id);
		}
	}
	vec_release(&todo);
	return rc == 0 ? 0 : err_nomem(p->err);
}

/* Stages hang together by files that they share; return whether more are selected than were. */
static int
spread_tracked(struct pick *p, bool *selected, bool *more)
{
	struct map files = {0};
	int rc = 0;

	*more = false;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < p->g->ntasks && rc >= 0; i++) {
			const struct pipeline_stage *st =
			    pipeline_stage_of(&p->g->tasks[i]);

			if ((pass == 0) != selected[i] || st->stage.frozen)
				continue;
			for (size_t k = 0; k < st->nins && rc >= 0; k++) {
				const char *file = tracked_by(p, st->ins[k]);

				if (file == NULL)
					continue;
				if (pass == 0)
					rc = map_put(&files, file, p);
				else if (map_get(&files, file) != NULL)
					selected[i] = *more = true;
			}
		}
	map_release(&files);
	return rc < 0 ? err_nomem(p->err) : 0;
}

static int
spread_pipeline(struct pick *p, bool *selected)
{
	bool more = true;

	while (more) {
		if (spread(p, selected, true, true) != 0)
			return -1;
		more = false;
		if (p->want->tracked != NULL && p->want->tracked->n > 0 &&
		    spread_tracked(p, selected, &more) != 0)
			return -1;
	}
	return 0;
}

int
pipeline_select(const struct dag *g, const struct pipeline_want *want, bool *selected,
		struct err *err)
{
	static const char *const usual = "dvc.yaml";
	struct pick p = {
	    .g = g, .want = want, .a = arena_new(0), .named = selected, .err = err};
	size_t n = want->n > 0 ? want->n : 1;
	int rc = p.a != NULL ? 0 : err_nomem(err);

	for (size_t i = 0; i < g->ntasks; i++)
		selected[i] = want->all;
	for (size_t i = 0; i < n && rc == 0 && !want->all; i++)
		rc = pick_word(&p, want->n > 0 ? want->targets[i] : usual);
	if (rc == 0 && want->pipeline && !want->all)
		rc = spread_pipeline(&p, selected);
	else if (rc == 0 && !want->single && !want->all)
		rc = spread(&p, selected, !want->downstream, want->downstream);
	arena_free(p.a);
	return rc;
}
