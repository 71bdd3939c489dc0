#include "store/track/targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "store/dvc/dvc_yaml.h"
#include "store/project.h"
#include "store/track/collect.h"
#include "store/track/collect_internal.h"
#include "store/track/task_lock.h"
#include "store/track/track.h"

struct finder {
	const struct track *t;
	const struct track_list *l;
	const struct track_select *o;
	struct arena *arena;
	struct track_targets *to;
	const char
	    *here; /* the current directory, relative to the root; "." is the root */
	struct err *err;
};

int
track_relative(const struct track *t, const char *word, struct buf *out, struct err *err)
{
	struct project p = {.root = t->root, .root_fd = t->root_fd, .state_fd = -1};

	return project_relative(&p, word, out, err);
}

static int
add(struct finder *f, const struct track_out *out, const char *inside)
{
	struct track_target target = {out, inside};

	return vec_push(f->to, target) == 0 ? 0 : err_nomem(f->err);
}

/* ---- pointer files and stages ---- */

/* Is the file of that path (dvc.lock, or the DAG file of a lock, too) the one that the out stands
 * in? */
static bool
stands_in(const struct track_out *o, const char *path)
{
	struct buf lock;
	bool is = strcmp(o->in->path, path) == 0 || strcmp(o->file, path) == 0;

	if (is || !o->task || !task_lock_dag_is(path))
		return is;
	buf_init(&lock, 0);
	task_lock_beside(path, &lock);
	is = !buf_failed(&lock) && strcmp(lock.p, o->file) == 0;
	buf_release(&lock);
	return is;
}

/* The stage, or one that foreach or matrix made of it. */
static bool
is_stage(const char *name, const char *stage)
{
	size_t n = strlen(stage);

	return strncmp(name, stage, n) == 0 && (name[n] == '\0' || name[n] == '@');
}

/* What stands in a dvc.yaml: all stages, or one.  Return whether there are any; -1. */
static int
add_named(struct finder *f, const struct track_file *in, const char *stage)
{
	int found = 0;

	for (size_t i = 0; in->yaml != NULL && i < in->yaml->nstages; i++) {
		struct track_named named = {in, &in->yaml->stages[i]};

		if (stage != NULL && !is_stage(named.stage->name, stage))
			continue;
		if (vec_push(&f->to->stages, named) != 0)
			return err_nomem(f->err);
		found = 1;
	}
	return found;
}

/* The outs of a pointer file, or of one stage in it.  Return whether there is such; -1. */
static int
add_file(struct finder *f, const char *path, const char *stage)
{
	int found = 0;

	for (size_t i = 0; i < f->l->nfiles && found == 0; i++)
		if (strcmp(f->l->files[i]->path, path) == 0)
			found = add_named(f, f->l->files[i], stage);
	if (found < 0)
		return -1;

	for (size_t i = 0; i < f->l->n; i++) {
		const struct track_out *o = &f->l->outs[i];

		if (!stands_in(o, path) ||
		    (stage != NULL && (o->stage == NULL || !is_stage(o->stage, stage))))
			continue;
		if (add(f, o, NULL) != 0)
			return -1;
		found = 1;
	}
	return found;
}

/* A file that is there but tracks nothing is named rightly. */
static bool
is_file(const struct finder *f, const char *path)
{
	for (size_t i = 0; i < f->l->nfiles; i++)
		if (strcmp(f->l->files[i]->path, path) == 0)
			return true;
	return false;
}

/* The dvc.yaml in the directory where we are. */
static const char *
yaml_here(const struct finder *f)
{
	return strcmp(f->here, ".") == 0 ? "dvc.yaml"
					 : arena_printf(f->arena, "%s/dvc.yaml", f->here);
}

/* The path of a word; NULL with the error. */
static const char *
path_of(struct finder *f, const char *word)
{
	const char *path = NULL;
	struct buf b;

	buf_init(&b, 0);
	if (track_relative(f->t, word, &b, f->err) == 0) {
		path = arena_strdup(f->arena, b.p);
		if (path == NULL)
			(void)err_nomem(f->err);
	}
	buf_release(&b);
	return path;
}

/* "dvc.yaml:train", ":train", "train".  1: found; 0: it is none of these; -1. */
static int
add_stage(struct finder *f, const char *word)
{
	const char *colon = strrchr(word, ':'), *path = yaml_here(f);

	if (colon != NULL && colon != word) {
		word = arena_strndup(f->arena, word, (size_t)(colon - word));
		path = word != NULL ? path_of(f, word) : NULL;
		if (path == NULL)
			return word != NULL ? -1 : err_nomem(f->err);
	}
	if (path == NULL)
		return err_nomem(f->err);
	return add_file(f, path, colon != NULL ? colon + 1 : word);
}

/* ---- paths ---- */

/* An out, or what lies in one. */
static int
add_path(struct finder *f, const char *path)
{
	const struct track_out *o = track_find(f->l, path);
	const char *inside;

	if (o == NULL)
		return 0;
	inside = path + strlen(o->path);
	if (*inside == '\0')
		return add(f, o, NULL) == 0 ? 1 : -1;
	if (object_id_is_set(&o->id) && !o->id.dir)
		return err_set(f->err, ERR_INVALID,
			       "'%s' lies in '%s', which is tracked as a file", path,
			       o->path);
	inside = arena_strdup(f->arena, inside + 1);
	if (inside == NULL)
		return err_nomem(f->err);
	return add(f, o, inside) == 0 ? 1 : -1;
}

/* The outs of all pointer files below a directory. */
static int
add_below(struct finder *f, const char *dir)
{
	int found = 0;

	for (size_t i = 0; i < f->l->nfiles && found >= 0; i++)
		if (path_is_below(f->l->files[i]->path, dir))
			found |= add_named(f, f->l->files[i], NULL);
	if (found < 0)
		return -1;

	for (size_t i = 0; i < f->l->n; i++) {
		if (!path_is_below(f->l->outs[i].in->path, dir))
			continue;
		if (add(f, &f->l->outs[i], NULL) != 0)
			return -1;
		found = 1;
	}
	return found;
}

static int
add_matches(struct finder *f, const char *pattern, const char *word)
{
	int found = 0;

	for (size_t i = 0; i < f->l->n; i++) {
		const struct track_out *o = &f->l->outs[i];
		const char *yaml = yaml_here(f);

		if (yaml == NULL)
			return err_nomem(f->err);
		if (!path_glob_match(pattern, o->path) &&
		    !path_glob_match(pattern, o->in->path) &&
		    !path_glob_match(pattern, o->file) &&
		    (o->stage == NULL || strcmp(o->in->path, yaml) != 0 ||
		     !path_glob_match(word, o->stage)))
			continue;
		if (add(f, o, NULL) != 0)
			return -1;
		found = 1;
	}
	return found;
}

/* ---- words that name nothing ---- */

static int
unknown(struct finder *f, const char *word, const char *path)
{
	struct suggest s;
	const char *best;
	size_t n;

	if (path_is_below(path, ".") && track_below(f->l, path, &n) != NULL && n > 0)
		return err_set(
		    f->err, ERR_NOTFOUND,
		    "'%s' is not tracked itself, but has %zu tracked %s in it: "
		    "take all of them with --recursive",
		    word, n, n == 1 ? "path" : "paths");
	suggest_start(&s, path);
	for (size_t i = 0; i < f->l->n; i++) {
		suggest_try(&s, f->l->outs[i].path);
		suggest_try(&s, f->l->outs[i].in->path);
		if (f->l->outs[i].stage != NULL)
			suggest_try(&s, f->l->outs[i].stage);
	}
	best = suggest_best(&s);
	if (best != NULL)
		return err_set(f->err, ERR_NOTFOUND,
			       "'%s' names nothing that is tracked; did you mean '%s'?",
			       word, best);
	return err_set(f->err, ERR_NOTFOUND, "'%s' names nothing that is tracked", word);
}

/* ---- the whole ---- */

static int
add_word(struct finder *f, const char *word)
{
	const char *path = path_of(f, word);
	int rc;

	if (path == NULL)
		return -1;
	if (path_climbs(path))
		return err_set(f->err, ERR_INVALID,
			       "'%s' lies outside of the repository '%s'", word,
			       f->t->root);
	rc = add_file(f, path, NULL);
	if (rc == 0 && is_file(f, path))
		rc = 1;
	if (rc == 0 && f->o->recursive)
		rc = add_below(f, path);
	if (rc == 0)
		rc = add_path(f, path);
	if (rc == 0)
		rc = add_stage(f, word);
	if (rc == 0 && f->o->glob && path_has_glob(word))
		rc = add_matches(f, path, word);
	if (rc == 0)
		return unknown(f, word, path);
	return rc < 0 ? -1 : 0;
}

static int
target_cmp(const void *a, const void *b)
{
	const struct track_target *x = a, *y = b;
	int r = track_path_cmp(x->out->path, y->out->path);

	if (r != 0 || x->out != y->out)
		return r != 0 ? r : (x->out > y->out) - (x->out < y->out);
	if (x->inside == NULL || y->inside == NULL)
		return (x->inside != NULL) - (y->inside != NULL);
	return track_path_cmp(x->inside, y->inside);
}

/* Drop what another target has in it: it stands before. */
static void
drop_covered(struct track_targets *v)
{
	const struct track_target *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (last != NULL && last->out == v->v[i].out &&
		    (last->inside == NULL || path_is_below(v->v[i].inside, last->inside)))
			continue;
		v->v[n] = v->v[i];
		last = &v->v[n++];
	}
	v->n = n;
}

void
track_targets_sort(struct track_targets *v)
{
	if (v->n > 1)
		qsort(v->v, v->n, sizeof(*v->v), target_cmp);
	drop_covered(v);
}

int
track_targets(const struct track *t, const struct track_list *l,
	      const struct track_select *o, struct arena *arena,
	      struct track_targets *out, struct err *err)
{
	struct finder f = {.t = t, .l = l, .o = o, .arena = arena, .to = out, .err = err};
	int rc = 0;

	*out = (struct track_targets){0};
	for (size_t i = 0; o->n == 0 && i < l->n && rc == 0; i++)
		if (!o->pointers || !l->outs[i].task)
			rc = add(&f, &l->outs[i], NULL);
	if (o->n > 0) {
		f.here = path_of(&f, ".");
		rc = f.here != NULL ? 0 : -1;
	}
	for (size_t i = 0; i < o->n && rc == 0; i++)
		rc = add_word(&f, o->words[i]);
	if (rc != 0) {
		track_targets_free(out);
		return -1;
	}
	track_targets_sort(out);
	return 0;
}

void
track_targets_free(struct track_targets *v)
{
	vec_free(v->v);
	vec_release(&v->stages);
	*v = (struct track_targets){0};
}
