#include "store/track/add.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/map.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/gitignore.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/track/add_internal.h"
#include "store/track/problems.h"
#include "store/track/save.h"
#include "store/track/status.h"
#include "store/track/workspace.h"

/* ---- a part of a directory ---- */

static int
copy_entries(struct tree *to, const struct tree *from, const char *dir, const char *but,
	     struct err *err)
{
	char path[TREE_PATH_MAX + 1];
	size_t but_len = but != NULL ? strlen(but) : 0;

	for (size_t i = 0; i < from->n; i++) {
		const struct tree_entry *e = &from->v[i];
		const char *name = e->path;
		size_t len = e->len;

		if (but != NULL && len >= but_len && memcmp(name, but, but_len) == 0 &&
		    (len == but_len || name[but_len] == '/'))
			continue;
		if (dir != NULL) {
			len += strlen(dir) + 1;
			if (len >= sizeof(path))
				return err_set(err, ERR_LIMIT,
					       "a path below '%s' is too long", dir);
			(void)snprintf(path, sizeof(path), "%s/%s", dir, e->path);
			name = path;
		}
		if (tree_add(to, name, len, e->md5, e->size, err) != 0)
			return -1;
	}
	return 0;
}

/* The list of the directory as it was, with what is added in the place of what was there. */
static int
merge_trees(struct adding *a, struct add_job *j, const struct tree *old,
	    struct tree *whole)
{
	int r = copy_entries(whole, old, NULL, j->inside, a->err);

	if (r == 0 && !j->there && whole->n == old->n)
		return err_set(a->err, ERR_NOTFOUND, "'%s' does not exist",
			       j->item->target);
	if (r == 0 && j->there && j->saved.dir)
		r = copy_entries(whole, &j->saved.tree, j->inside, NULL, a->err);
	else if (r == 0 && j->there)
		r = tree_add(whole, j->inside, strlen(j->inside), j->saved.id.md5,
			     (int64_t)j->saved.size, a->err);
	return r == 0 ? tree_sort(whole, a->err) : -1;
}

/* The list that the first part is merged into. */
static int
open_old(struct adding *a, struct add_job *j)
{
	struct add_job *f = j->first;
	struct dvc_out *out = add_out(f);
	const struct object_id *id = &out->meta.md5;

	if (f->merged)
		return 0;
	if (!object_id_is_set(id) || !id->dir || id->legacy)
		return err_set(a->err, ERR_INVALID,
			       "'%s' is not recorded as a directory of DVC 3, so that "
			       "nothing can be added to it: 'dag add %s' adds it whole",
			       j->item->path, j->item->path);
	if (objects_tree(a->ws->cache, id, &f->tree, a->err) != 0)
		return err_wrap(a->err, "'%s' cannot become part of '%s'",
				j->item->target, j->item->path);
	f->merged = true;
	f->size = out->meta.size;
	return 0;
}

static int
merge(struct adding *a, struct add_job *j)
{
	struct add_job *f = j->first;
	struct tree whole = {0};
	size_t first, below = 0;
	int r = open_old(a, j);

	if (r == 0)
		r = merge_trees(a, j, &f->tree, &whole);
	if (r != 0) {
		tree_release(&whole);
		return -1;
	}
	/* DVC knows the size where nothing was taken out. */
	tree_below(&f->tree, j->inside, strlen(j->inside), &first, &below);
	if (below == 0 && tree_find(&f->tree, j->inside, strlen(j->inside)) == NULL &&
	    f->size > 0 && j->there)
		f->size += (int64_t)j->saved.size;
	else
		f->size = -1;
	tree_release(&f->tree);
	f->tree = whole;
	return 0;
}

/* All parts are in it. */
static int
end_merge(struct adding *a, struct save *s, struct add_job *f)
{
	struct dvc_out *out = add_out(f);

	if (save_tree(s, &f->tree, f->into_cache, &f->item->id, a->err) != 0)
		return -1;
	if (object_id_equal(&f->item->id, &out->meta.md5))
		f->size = out->meta.size;
	f->item->dir = true;
	f->item->nfiles = f->tree.n;
	f->item->size = f->size > 0 ? (uint64_t)f->size : 0;
	return 0;
}

/* ---- data ---- */

/* What DVC 2 recorded stays as it is as long as its content does, as DVC 3 has it. */
static int
keep_legacy(struct adding *a, struct add_job *j)
{
	const struct dvc_meta *was = &add_out(j->first)->meta;
	struct status_out o = {
	    .path = j->item->target, .id = was->md5, .cache = j->first->into_cache};

	if (j->inside != NULL || !was->md5.legacy || !object_id_is_set(&was->md5))
		return 0;
	if (status_outs(a->ws, &o, 1, a->err) != 0)
		return -1;
	if (o.state != OUT_RIGHT)
		return 0;
	j->keep = true;
	j->item->id = was->md5;
	j->item->dir = was->md5.dir;
	j->item->nfiles = was->nfiles > 0 ? (uint64_t)was->nfiles : 0;
	j->item->size = was->size > 0 ? (uint64_t)was->size : 0;
	return 0;
}

static int
save_job(struct adding *a, struct save *s, struct add_job *j)
{
	struct add_item *item = j->item;

	if (keep_legacy(a, j) != 0)
		return -1;
	if (j->keep)
		return 0;
	j->there =
	    save_path(s, item->target, j->first->into_cache, &j->saved, a->err) == 0;
	item->hashed = j->saved.hashed;
	if (!j->there && (j->inside == NULL || a->err->code != ERR_NOTFOUND))
		return -1;
	if (j->inside != NULL)
		return merge(a, j);
	item->id = j->saved.id;
	item->dir = j->saved.dir;
	item->nfiles = j->saved.nfiles;
	item->size = j->saved.size;
	j->size = (int64_t)j->saved.size;
	return 0;
}

static int
save_all(struct adding *a)
{
	struct save *s;
	int r = save_begin(a->ws, &s, a->err);

	for (size_t i = 0; r == 0 && i < a->n; i++)
		r = save_job(a, s, &a->jobs[i]);
	for (size_t i = 0; r == 0 && i < a->n; i++)
		if (a->jobs[i].merged)
			r = end_merge(a, s, &a->jobs[i]);
	if (r != 0) {
		/* What is copied by now is of use to the next try, unless it is damaged. */
		(void)save_end(s, a->err->code == ERR_CANCELLED, NULL);
		return -1;
	}
	r = save_end(s, true, a->err);
	fault_point(TRACK_SAVED);
	return r;
}

static int
relink(struct adding *a, struct add_job *j)
{
	if (!a->o->relink || !j->first->into_cache || !j->there)
		return 0;
	return save_relink(a->ws, j->item->target, &j->saved, a->problems, a->err);
}

/* ---- names ---- */

/* Git must not see the data; where it does not already, .gitignore says so. */
int
add_ignore(struct adding *a, struct add_job *j)
{
	const char *path = j->item->path, *slash = strrchr(path, '/');
	int r;

	if (a->o->gitignore == NULL || j->for_git)
		return 0;
	r = gitignore_cover(a->o->gitignore, a->ws->root_fd, a->o->root, path,
			    j->item->dir, a->err);
	if (r <= 0)
		return r;
	j->item->gitignore =
	    arena_printf(a->arena, "%.*s.gitignore",
			 slash != NULL ? (int)(slash - path) + 1 : 0, path);
	fault_point(TRACK_IGNORED);
	return j->item->gitignore != NULL ? 0 : err_nomem(a->err);
}

/* Imports carry a hash of what their file says. */
int
add_seal(struct adding *a, struct dvc_file *f)
{
	char md5[DVC_MD5_MAX];

	if (f->md5 == NULL)
		return 0;
	if (dvc_file_stage_md5(f, md5, a->err) != 0)
		return -1;
	f->md5 = arena_strdup(f->arena, md5);
	return f->md5 != NULL ? 0 : err_nomem(a->err);
}

/* What is known of the out now. */
static void
set_entry(struct add_job *j)
{
	const struct add_item *item = j->item;
	struct dvc_out *out = add_out(j);
	struct dvc_meta was = out->meta;

	dvc_out_set_object(out, &item->id, j->size,
			   item->dir ? (int64_t)item->nfiles : -1,
			   j->inside == NULL && !item->dir && j->saved.exec);
	j->differs = !object_id_equal(&was.md5, &out->meta.md5) ||
		     was.size != out->meta.size || was.nfiles != out->meta.nfiles ||
		     was.isexec != out->meta.isexec;
	if (j->stage != NULL)
		j->stage->changed = true;
}

/* The file of all outs from the last one on. */
static int
write_pointer(struct adding *a, struct add_job *last)
{
	bool changed = false, any = false;
	int r;

	if (last->stage != NULL) {
		r = dvc_lock_write(last->lock, a->ws->root_fd, &changed, a->err);
	} else {
		r = add_seal(a, last->file);
		if (r == 0)
			r = dvc_file_write(last->file, a->ws->root_fd, &changed, a->err);
	}
	if (r != 0)
		return -1;
	if (changed)
		fault_point(TRACK_POINTED);
	for (struct add_job *j = last; j != NULL; j = j->before) {
		j->item->file_changed = changed && j->differs;
		any = any || j->differs;
	}
	/* It was written for another reason, and somebody has to tell. */
	last->item->file_changed = last->item->file_changed || (changed && !any);
	return 0;
}

/* Each file is written once: a dvc.lock may have thousands of outs. */
static int
point_all(struct adding *a)
{
	struct map files = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		struct add_job *j = &a->jobs[i];

		if (j->first != j || j->keep)
			continue;
		set_entry(j);
		j->before = map_get(&files, j->item->file);
		if (map_put(&files, j->item->file, j) < 0)
			r = err_nomem(a->err);
	}
	map_foreach (&files, e)
		if (r == 0)
			r = write_pointer(a, e->val);
	map_release(&files);
	return r;
}

static int
record(struct adding *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n; i++)
		if (a->jobs[i].first == &a->jobs[i])
			r = add_ignore(a, &a->jobs[i]);
	if (r == 0)
		r = point_all(a);
	for (size_t i = 0; r == 0 && i < a->n; i++) {
		struct add_job *j = &a->jobs[i];
		const char *target = j->item->target;

		if (j->first != j)
			*j->item = *j->first->item;
		j->item->target = target;
	}
	return r;
}

int
add_paths(const struct workspace *ws, const struct add_options *o, struct add_item *items,
	  size_t n, struct arena *arena, struct problems *problems, struct err *err)
{
	struct err unused;
	struct adding a = {.ws = ws,
			   .o = o,
			   .n = n,
			   .arena = arena,
			   .problems = problems,
			   .err = err != NULL ? err : &unused};
	int r = 0;

	a.jobs = calloc(n + 1, sizeof(*a.jobs));
	if (a.jobs == NULL)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		a.jobs[i].item = &items[i];
		r = add_check(&a, i);
	}
	if (r == 0)
		r = save_all(&a);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = relink(&a, &a.jobs[i]);
	if (r == 0)
		r = record(&a);
	for (size_t i = 0; i < n; i++) {
		saved_release(&a.jobs[i].saved);
		tree_release(&a.jobs[i].tree);
		if (a.jobs[i].own)
			dvc_file_free(a.jobs[i].file);
	}
	free(a.jobs);
	return r;
}
