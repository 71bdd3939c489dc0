#include "store/track/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/pipeline/pipeline.h"
#include "store/track/collect_internal.h"
#include "store/track/task_lock.h"

_Static_assert(DVC_YAML_MAX == DVC_FILE_MAX, "one limit for all pointer files");

/* ---- one file ---- */

bool
collector_is_pointer(const char *name)
{
	size_t n = strlen(name);

	return (n > 4 && strcmp(name + n - 4, ".dvc") == 0) ||
	       strcmp(name, "dvc.yaml") == 0;
}

struct track_file *
collector_file(struct collector *c, const char *path, struct err *err)
{
	struct track_file *f;

	if (c->files.n == TRACK_FILES_MAX) {
		(void)err_set(err, ERR_LIMIT,
			      "there are more than %d files that say what is tracked",
			      TRACK_FILES_MAX);
		return NULL;
	}
	f = arena_zalloc(c->arena, sizeof(*f));
	if (f == NULL || (f->path = arena_strdup(c->arena, path)) == NULL ||
	    vec_push(&c->files, f) != 0) {
		(void)err_nomem(err);
		return NULL;
	}
	return f;
}

int
collector_note(struct collector *c, const struct err *why, struct err *err)
{
	if (why->code != ERR_INVALID && why->code != ERR_LIMIT &&
	    why->code != ERR_EXISTS) {
		if (err != NULL)
			*err = *why;
		return -1;
	}
	if (!c->failed && c->first != NULL)
		*c->first = *why;
	c->failed = true;
	return 0;
}

int
collector_push(struct collector *c, const struct track_out *o, struct err *err)
{
	if (c->outs.n == TRACK_OUTS_MAX)
		return err_set(err, ERR_LIMIT, "there are more than %d outs",
			       TRACK_OUTS_MAX);
	return vec_push(&c->outs, *o) == 0 ? 0 : err_nomem(err);
}

struct track_out
collector_entry(const struct track_file *in, const char *file, const struct dvc_out *o)
{
	return (struct track_out){.path = o->full,
				  .file = file,
				  .id = o->meta.md5,
				  .size = o->meta.size,
				  .nfiles = o->meta.nfiles,
				  .exec = o->meta.isexec,
				  .cache = o->cache,
				  .persist = o->persist,
				  .push = o->push,
				  .remote = o->remote,
				  .line = o->line,
				  .col = o->col,
				  .in = in,
				  .out = o};
}

/* ---- .dvc files ---- */

static int
take_dvc(struct collector *c, struct track_file *f, const struct buf *text,
	 struct err *err)
{
	struct err why = {0};
	struct track_out out;

	if (dvc_file_parse(f->path, text->p, text->n, c->diag, &f->file, &why) != 0)
		return collector_note(c, &why, err);
	for (size_t i = 0; i < f->file->nouts; i++) {
		if (f->file->outs[i].where != DVC_IN_REPO)
			continue;
		out = collector_entry(f, f->path, &f->file->outs[i]);
		out.frozen = f->file->frozen;
		out.import = f->file->ndeps > 0;
		if (collector_push(c, &out, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- dvc.yaml and dvc.lock ---- */

/* What a run has recorded: "STAGE\nPATH". */
static const char *
recorded_key(struct collector *c, const char *stage, const char *full)
{
	return arena_printf(c->arena, "%s\n%s", stage, full);
}

static int
note_recorded(struct collector *c, const struct dvc_lock *lock, struct map *recorded,
	      struct err *err)
{
	for (size_t i = 0; lock != NULL && i < lock->nstages; i++) {
		const struct dvc_lock_stage *s = &lock->stages[i];

		for (size_t k = 0; k < s->nouts; k++) {
			const char *key = s->outs[k].full != NULL
					      ? recorded_key(c, s->name, s->outs[k].full)
					      : "";

			if (key == NULL || map_put(recorded, key, c) < 0)
				return err_nomem(err);
		}
	}
	return 0;
}

/* An output that a stage is to have, and that no run has recorded. */
static int
take_unrun(struct collector *c, const struct track_file *f, const char *lock_path,
	   const struct map *recorded, const struct dvc_yaml_stage *s,
	   const struct dvc_yaml_out *o, struct err *err)
{
	const char *key;
	struct track_out out = {.file = lock_path,
				.stage = s->name,
				.size = -1,
				.nfiles = -1,
				.cache = o->cache,
				.persist = o->persist,
				.push = o->push,
				.frozen = s->frozen,
				.remote = o->remote,
				.in = f};
	struct buf full;
	int rc = 0;

	buf_init(&full, 0);
	if (dvc_yaml_full(f->yaml, s, o->path, &full)) {
		key = buf_failed(&full) ? NULL : recorded_key(c, s->name, full.p);
		if (key == NULL) {
			rc = err_nomem(err);
		} else if (map_get(recorded, key) == NULL) {
			out.path = arena_strdup(c->arena, full.p);
			rc = out.path != NULL ? collector_push(c, &out, err)
					      : err_nomem(err);
		}
	}
	buf_release(&full);
	return rc;
}

static int
take_outs(struct collector *c, const struct track_file *f, const char *lock_path,
	  struct err *err)
{
	struct map recorded = {0};
	struct track_out out;
	int rc = 0;

	for (size_t i = 0; f->lock != NULL && i < f->lock->nstages; i++) {
		const struct dvc_lock_stage *s = &f->lock->stages[i];

		for (size_t k = 0; !s->unlisted && k < s->nouts && rc == 0; k++) {
			if (s->outs[k].unlisted || s->outs[k].where != DVC_IN_REPO)
				continue;
			out = collector_entry(f, lock_path, &s->outs[k]);
			out.stage = s->name;
			out.frozen = s->frozen;
			rc = collector_push(c, &out, err);
		}
	}
	if (rc == 0)
		rc = note_recorded(c, f->lock, &recorded, err);
	for (size_t i = 0; i < f->yaml->nstages && rc == 0; i++) {
		const struct dvc_yaml_stage *s = &f->yaml->stages[i];

		for (size_t k = 0; !s->many && k < s->nouts && rc == 0; k++)
			rc = take_unrun(c, f, lock_path, &recorded, s, &s->outs[k], err);
	}
	map_release(&recorded);
	return rc;
}

/* Whether where its outputs are is a matter of templates. */
static bool
moves(const struct dvc_yaml *y)
{
	for (size_t i = 0; i < y->nstages; i++)
		if (y->stages[i].wdir != NULL && strstr(y->stages[i].wdir, "${") != NULL)
			return true;
	return false;
}

/* Whether it stands for other stages than are written in it. */
static bool
has_templates(const struct dvc_yaml *y)
{
	bool many = false;

	for (size_t i = 0; i < y->nstages; i++)
		many = many || y->stages[i].many;
	return many || strstr(y->text, "${") != NULL;
}

static int
read_params(void *arg, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct collector *c = arg;

	c->read_more = true;
	return c->read(c->ctx, path, max, out, err);
}

/*
 * What a stage of the past made stands in dvc.lock, whatever templates say; so dvc.yaml is
 * taken as it is written where it can be.  It has to be, too, where its params are Python.
 */
static int
read_yaml(struct collector *c, struct track_file *f, const struct buf *text,
	  struct err *why)
{
	bool python = false;
	struct pipeline_files files = {
	    .read = read_params, .arg = c, .options = c->options, .python = &python};
	struct dvc_yaml *plain;
	int rc = dvc_yaml_parse(f->path, text->p, text->n, NULL, &plain, why);
	bool put_in = rc == 0 && ((c->stages && has_templates(plain)) || moves(plain));

	if (put_in)
		rc = pipeline_parse(&files, f->path, text->p, text->n, NULL, &f->yaml,
				    why);
	if (rc == 0 && put_in) {
		dvc_yaml_free(plain);
		return 0;
	}
	if (rc == 0 || (python && put_in)) {
		f->yaml = plain;
		f->yaml->unresolved = put_in;
		return 0;
	}
	if (put_in)
		dvc_yaml_free(plain);
	/* Once more, for the messages with their lines. */
	if (c->diag == NULL)
		return -1;
	err_clear(why);
	return put_in ? pipeline_parse(&files, f->path, text->p, text->n, c->diag,
				       &f->yaml, why)
		      : dvc_yaml_parse(f->path, text->p, text->n, c->diag, &f->yaml, why);
}

static int
take_yaml(struct collector *c, struct track_file *f, const struct buf *text,
	  struct err *err)
{
	size_t dir = (size_t)(path_basename(f->path) - f->path);
	const char *lock_path = arena_printf(c->arena, "%.*sdvc.lock", (int)dir, f->path);
	struct err why = {0};
	struct buf lock;
	int rc;

	if (lock_path == NULL)
		return err_nomem(err);
	if (read_yaml(c, f, text, &why) != 0)
		return collector_note(c, &why, err);
	buf_init(&lock, DVC_LOCK_MAX);
	rc = c->read(c->ctx, lock_path, DVC_LOCK_MAX, &lock, err);
	if (rc == 1 &&
	    (dvc_lock_parse(lock_path, lock.p, lock.n, c->diag, &f->lock, &why) != 0 ||
	     dvc_yaml_apply(f->yaml, f->lock, &why) != 0))
		rc = collector_note(c, &why, err);
	else if (rc >= 0)
		rc = take_outs(c, f, lock_path, err);
	buf_release(&lock);
	return rc;
}

int
collector_take(struct collector *c, const char *path, size_t *from, struct err *err)
{
	bool yaml = strcmp(path_basename(path), "dvc.yaml") == 0;
	struct track_file *f;
	struct buf text;
	int rc;

	*from = c->outs.n;
	if (task_lock_is(path))
		return collector_take_lock(c, path, err);
	buf_init(&text, DVC_FILE_MAX);
	rc = c->read(c->ctx, path, text.max, &text, err);
	if (rc == 1) {
		f = collector_file(c, path, err);
		if (f == NULL)
			rc = -1;
		else
			rc = yaml ? take_yaml(c, f, &text, err)
				  : take_dvc(c, f, &text, err);
	}
	buf_release(&text);
	return rc;
}

/* ---- the list ---- */

int
track_path_cmp(const char *a, const char *b)
{
	unsigned char x, y;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	x = *a == '/' ? 1 : (unsigned char)*a;
	y = *b == '/' ? 1 : (unsigned char)*b;
	return (x > y) - (x < y);
}

static int
out_cmp(const void *a, const void *b)
{
	const struct track_out *x = a, *y = b;
	int r = track_path_cmp(x->path, y->path);

	return r != 0 ? r : track_path_cmp(x->file, y->file);
}

/* Where an out stands. */
static void
put_place(const struct track_out *o, struct buf *b)
{
	const char *file = o->line != 0 ? o->file : o->in->path;

	buf_adds(b, file);
	if (o->line != 0)
		buf_addf(b, ":%u", (unsigned)o->line);
	if (o->stage != NULL)
		buf_addf(b, " (stage '%.100s')", o->stage);
}

static int
say_overlap(struct collector *c, const struct track_out *a, const struct track_out *b)
{
	struct err why = {0};
	struct buf pa, pb;

	buf_init(&pa, 0);
	buf_init(&pb, 0);
	put_place(a, &pa);
	put_place(b, &pb);
	if (strcmp(a->path, b->path) == 0)
		(void)err_set(
		    &why, ERR_INVALID,
		    "'%.300s' is tracked twice, by %.200s and by %.200s: take one "
		    "of them out",
		    a->path, pa.p, pb.p);
	else
		(void)err_set(&why, ERR_INVALID,
			      "'%.300s' of %.200s lies in '%.300s', which %.200s tracks: "
			      "only one of them can be tracked",
			      b->path, pb.p, a->path, pa.p);
	if (c->diag != NULL)
		diag_add(c->diag, DIAG_ERROR, (struct diag_pos){.file = -1}, "%s",
			 why.msg);
	buf_release(&pb);
	buf_release(&pa);
	return collector_note(c, &why, NULL);
}

static void
find_overlaps(struct collector *c)
{
	const struct track_out *above = NULL;

	vec_foreach (&c->outs, const struct track_out, it) {
		if (above != NULL && path_is_below(it->path, above->path))
			(void)say_overlap(c, above, it);
		else
			above = it;
	}
}

int
collector_finish(struct collector *c, bool overlaps, struct track_list *list,
		 struct err *err)
{
	struct err why;

	if (c->outs.n > 1)
		qsort(c->outs.v, c->outs.n, sizeof(*c->outs.v), out_cmp);
	if (collector_settle(c, &why) != 0 && !c->failed) {
		if (c->first != NULL)
			*c->first = why;
		c->failed = true;
	}
	if (overlaps)
		find_overlaps(c);
	*list = (struct track_list){.arena = c->arena,
				    .outs = c->outs.v,
				    .n = c->outs.n,
				    .also = c->also.v,
				    .nalso = c->also.n,
				    .files = c->files.v,
				    .nfiles = c->files.n,
				    .closed = c->closed};
	(void)err;
	return c->failed ? -1 : 0;
}

void
track_file_release(struct track_file *f)
{
	dvc_file_free(f->file);
	dvc_lock_free(f->lock);
	dvc_yaml_free(f->yaml);
}

int
track_list_whole(const struct track_list *l, struct err *err)
{
	if (l->closed == NULL)
		return 0;
	return err_sys(err, EACCES,
		       "cannot tell what is tracked in the directory '%.300s': make it "
		       "readable, or a line of .dvcignore",
		       l->closed);
}

void
track_list_free(struct track_list *l)
{
	for (size_t i = 0; i < l->nfiles; i++)
		if (!l->files[i]->shared)
			track_file_release(l->files[i]);
	vec_free(l->files);
	vec_free(l->outs);
	vec_free(l->also);
	arena_free(l->arena);
	*l = (struct track_list){0};
}

static int
by_path(const void *path, const void *out)
{
	return track_path_cmp(path, ((const struct track_out *)out)->path);
}

/* The number of the first out that does not come before ${path}. */
static size_t
first_at(const struct track_list *l, const char *path)
{
	return vec_first(l->outs, l->n, sizeof(*l->outs), path, by_path);
}

const struct track_out *
track_find(const struct track_list *l, const char *path)
{
	size_t i = first_at(l, path);

	if (i < l->n && strcmp(l->outs[i].path, path) == 0)
		return &l->outs[i];
	/* No two lie in one another, so the one that it lies in is right before it. */
	if (i > 0 && path_is_below(path, l->outs[i - 1].path))
		return &l->outs[i - 1];
	return NULL;
}

bool
track_names(const struct track_list *l, const char *path)
{
	if (track_find(l, path) != NULL)
		return true;
	for (size_t i = 0; i < l->nalso; i++)
		if (path_is_below(path, l->also[i].path))
			return true;
	return false;
}

const struct track_out *
track_below(const struct track_list *l, const char *path, size_t *n)
{
	size_t from, to;

	if (strcmp(path, ".") == 0) {
		*n = l->n;
		return l->outs;
	}
	from = to = first_at(l, path);
	while (to < l->n && path_is_below(l->outs[to].path, path))
		to++;
	*n = to - from;
	return *n > 0 ? &l->outs[from] : NULL;
}
