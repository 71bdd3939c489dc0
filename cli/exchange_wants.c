/*
 * Which objects the words of a command line mean.
 */
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/artifact_select.h"
#include "cli/cli.h"
#include "cli/exchange.h"
#include "store/dvc/dvc_file.h"
#include "store/git.h"
#include "store/objects/object_set.h"
#include "store/track/collect.h"
#include "store/track/collect_rev.h"
#include "store/track/import.h"
#include "store/track/targets.h"
#include "store/track/upstream.h"

struct word {
	const char *path;		/* relative to the root */
	const char *stage, *stage_file; /* the same as the name of a stage */
};

struct revs {
	struct exchange *x;
	struct word *words;
	size_t nwords;
	struct object_set *seen; /* whole outs for the usual remote */
	struct meter *m;
};

/* What `dvc import` brought comes from its repository again, and is never pushed. */
static bool
is_elsewhere(const struct track_out *o)
{
	const struct dvc_file *f = o->in != NULL ? o->in->file : NULL;

	for (size_t i = 0; f != NULL && i < f->ndeps; i++)
		if (f->deps[i].repo.url != NULL)
			return true;
	return false;
}

static int
want(struct exchange *x, const struct track_out *o, const char *only, bool copy,
     struct err *err)
{
	/* What a task has made is not only in the work tree: it can be made again. */
	struct transfer_want w = {.id = o->id,
				  .path = o->path,
				  .under = only,
				  .size = o->size,
				  .remote = o->remote,
				  .local = !o->push,
				  .in_tree = !copy && !o->task};

	if (!o->cache)
		return 0;
	if (x->sources && !copy && import_has_source(o)) {
		if (!object_id_is_set(&o->id)) {
			x->undone = o->path;
			return 0;
		}
		return vec_push(&x->imports, o) == 0 ? 0 : err_nomem(err);
	}
	if (is_elsewhere(o) && !x->all)
		return 0;
	if (!object_id_is_set(&o->id)) {
		if (x->unrecorded++ == 0)
			x->first = arena_strdup(x->a.arena, o->path);
		return 0;
	}
	if (copy) {
		w.path = arena_strdup(x->a.arena, o->path);
		w.under = only != NULL ? arena_strdup(x->a.arena, only) : NULL;
		w.remote = o->remote != NULL ? arena_strdup(x->a.arena, o->remote) : NULL;
		if (w.path == NULL || (only != NULL && w.under == NULL) ||
		    (o->remote != NULL && w.remote == NULL))
			return err_nomem(err);
	}
	return vec_push(&x->wants, w) == 0 ? 0 : err_nomem(err);
}

/* ---- the work tree ---- */

static int
of_tree(struct exchange *x, struct err *err)
{
	struct artifact_target *v;
	size_t n;

	const struct track_list *l = &x->a.list;
	size_t words = x->words_apart ? 0 : x->a.c->nargs;

	if (artifact_select(&x->a, x->a.c->args, words,
			    x->how |
				artifact_how(x->o->recursive, x->o->glob, x->o->deps),
			    &v, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (want(x, v[i].out, v[i].only, false, err) != 0)
			return -1;
	/* Whoever has the path: to the tasks these are results. */
	for (size_t i = 0; words == 0 && x->how == 0 && i < l->nalso; i++)
		if (want(x, &l->also[i], NULL, false, err) != 0)
			return -1;
	return 0;
}

/* ---- revisions ---- */

/* Whether the word means the out, and which part of it. */
static bool
is_meant(const struct revs *r, const struct word *w, const struct track_out *o,
	 const char **only)
{
	*only = NULL;
	if ((o->stage != NULL && strcmp(o->stage, w->stage) == 0 &&
	     strcmp(o->in->path, w->stage_file) == 0) ||
	    strcmp(o->path, w->path) == 0 || strcmp(o->file, w->path) == 0 ||
	    (r->x->o->recursive && path_is_below(o->path, w->path)))
		return true;
	if (!path_is_below(w->path, o->path))
		return false;
	*only = w->path + strlen(o->path) + 1;
	return true;
}

/* What the words mean of an out: all of it, or one or more parts. */
static int
add_meant(const struct revs *r, const struct track_out *o, struct track_targets *v,
	  struct err *err)
{
	struct track_target t = {.out = o};

	if (o->task && r->nwords == 0 && r->x->how != 0)
		return 0;
	if (r->nwords == 0 && vec_push(v, t) != 0)
		return err_nomem(err);
	for (size_t i = 0; i < r->nwords; i++)
		if (is_meant(r, &r->words[i], o, &t.inside) && vec_push(v, t) != 0)
			return err_nomem(err);
	return 0;
}

/* Those of the list that the words mean. */
static int
find_meant(const struct revs *r, const struct track_list *list, struct track_targets *v,
	   struct err *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (add_meant(r, &list->outs[i], v, err) != 0)
			return -1;
	for (size_t i = 0; i < list->nalso; i++)
		if (add_meant(r, &list->also[i], v, err) != 0)
			return -1;
	return r->x->o->deps ? track_upstream(list, v, err) : 0;
}

static int
want_meant(struct revs *r, const struct track_target *t, struct err *err)
{
	const struct track_out *o = t->out;
	int new = 1;

	if (!object_id_is_set(&o->id))
		return 0;
	if (t->inside == NULL && o->remote == NULL && o->push)
		new = object_set_add(r->seen, &o->id);
	if (new <= 0)
		return new < 0 ? err_nomem(err) : 0;
	return want(r->x, o, t->inside, true, err);
}

static int
of_commit(void *ctx, const struct repo_rev *rev, struct err *err)
{
	struct revs *r = ctx;
	struct track_list list = {0};
	struct track_targets meant = {0};
	int rc;

	rc = track_collect_rev(r->x->revs, rev->id, r->m, r->x->a.diag, &list, err);
	if (rc == 0)
		rc = find_meant(r, &list, &meant, err);
	for (size_t i = 0; rc == 0 && i < meant.n; i++)
		rc = want_meant(r, &meant.v[i], err);
	track_targets_free(&meant);
	if (rc == 0)
		track_list_free(&list);
	else
		r->x->broken = list;
	return rc;
}

/* "dvc.yaml:train", ":train", "train". */
static int
find_word(struct artifact *a, const char *text, struct word *w, struct err *err)
{
	const char *colon = strrchr(text, ':'), *file = "dvc.yaml";

	w->path = artifact_path(a, text, err);
	w->stage = colon != NULL ? colon + 1 : text;
	if (colon != NULL && colon != text)
		file = arena_strndup(a->arena, text, (size_t)(colon - text));
	if (file == NULL)
		return err_nomem(err);
	w->stage_file = w->path != NULL ? artifact_path(a, file, err) : NULL;
	return w->stage_file != NULL ? 0 : -1;
}

static int
find_words(struct revs *r, struct err *err)
{
	struct artifact *a = &r->x->a;

	r->words = arena_array(a->arena, a->c->nargs + 1, sizeof(*r->words));
	if (r->words == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < a->c->nargs; i++)
		if (find_word(a, a->c->args[i], &r->words[r->nwords++], err) != 0)
			return -1;
	return 0;
}

static int
of_revs(struct exchange *x, struct meter *m, struct err *err)
{
	const struct exchange_opts *o = x->o;
	struct repo_scope scope = {
	    .branches = o->branches, .tags = o->tags, .commits = o->commits};
	struct revs r = {.x = x, .m = m};
	struct repo *git;
	int rc;

	if (o->glob && x->a.c->nargs > 0)
		return err_set(err, ERR_INVALID,
			       "--glob means files of the work tree: it does not go with "
			       "branches, tags and commits");
	if (artifact_git(&x->a, &git, err) != 0)
		return -1;
	if (git == NULL && x->scope != NULL && x->scope->nrevs == 0)
		return 0;
	if (git == NULL)
		return err_set(err, ERR_INVALID,
			       "there is no git repository here, so there are no "
			       "branches, tags or commits");
	r.seen = object_set_new();
	rc = r.seen == NULL ? err_nomem(err) : find_words(&r, err);
	meter_begin(m, "reading what commits track");
	if (rc == 0)
		rc = track_revs_open(&x->a.track, git, &x->revs, err);
	if (rc == 0)
		rc = repo_revs(git, x->scope != NULL ? x->scope : &scope, of_commit, &r,
			       err);
	object_set_free(r.seen);
	return rc;
}

int
exchange_wants(struct exchange *x, struct meter *m, struct err *err)
{
	if (of_tree(x, err) != 0)
		return -1;
	if (!x->o->branches && !x->o->tags && !x->o->commits && x->scope == NULL)
		return 0;
	return of_revs(x, m, err);
}
