#include "store/track/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/path.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_lock.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/track/add_internal.h"
#include "store/track/collect.h"
#include "store/track/problems.h"
#include "store/track/save.h"
#include "store/track/status.h"
#include "store/track/workspace.h"

struct importing {
	const struct workspace *ws;
	const struct import_options *o;
	struct import_item *it;
	struct arena *arena;
	struct checkout_report *report;
	struct adding add;
	struct add_job job;
	struct source_state state;
	struct saved saved;
	struct err *err;
};

static void
begin(struct importing *im, const struct workspace *ws, const struct import_options *o,
      struct import_item *it, struct arena *arena, struct checkout_report *report,
      struct err *err)
{
	*im = (struct importing){
	    .ws = ws, .o = o, .it = it, .arena = arena, .report = report, .err = err};
	im->job = (struct add_job){.item = &it->item, .first = &im->job};
	im->add = (struct adding){
	    .ws = ws, .o = &o->add, .jobs = &im->job, .n = 1, .arena = arena, .err = err};
}

static void
end(struct importing *im)
{
	saved_release(&im->saved);
	source_release(&im->it->source);
	if (im->job.own)
		dvc_file_free(im->job.file);
}

/* ---- the pointer ---- */

/* The pointer is about one source and one out. */
static int
set_dep(struct importing *im, const struct source_state *state)
{
	struct dvc_file *f = im->job.file;

	if (im->o->plain) {
		f->ndeps = 0;
		return 0;
	}
	if (f->ndeps != 1 ||
	    (f->deps[0].repo.url != NULL) != (im->it->source.kind == SOURCE_REPO)) {
		f->deps = arena_array(f->arena, 1, sizeof(*f->deps));
		if (f->deps == NULL)
			return err_nomem(im->err);
		f->ndeps = 1;
		dvc_out_none(f->deps);
	}
	source_record(&im->it->source, state, f->deps);
	return 0;
}

static int
write_pointer(struct importing *im)
{
	struct add_item *item = &im->it->item;
	struct dvc_file *f = im->job.file;
	bool known = object_id_is_set(&item->id);
	int r;

	dvc_out_set_object(add_out(&im->job), &item->id, known ? (int64_t)item->size : -1,
			   known && item->dir ? (int64_t)item->nfiles : -1, false);
	f->md5 = im->o->how == IMPORT_NO_EXEC || im->o->plain ? NULL : "to be computed";
	r = add_seal(&im->add, f);
	if (r == 0)
		r = dvc_file_write(f, im->ws->root_fd, &item->file_changed, im->err);
	if (r == 0 && item->file_changed)
		fault_point(TRACK_POINTED);
	return r;
}

/* ---- the data ---- */

static int
fetch(struct importing *im)
{
	struct add_item *item = &im->it->item;
	struct objects *to = im->o->how == IMPORT_TO_STORE ? im->o->store : im->ws->cache;

	if (source_fetch(&im->it->source, im->ws, to, im->arena, &im->state, &im->saved,
			 im->err) != 0)
		return -1;
	fault_point(TRACK_SAVED);
	item->id = im->saved.id;
	item->dir = im->saved.dir;
	item->size = im->saved.size;
	item->nfiles = im->saved.nfiles;
	item->hashed = im->saved.nfiles;
	return 0;
}

static void
add_all(struct problems *to, const struct problems *from)
{
	struct err why;

	for (size_t i = 0; i < from->n; i++) {
		(void)err_set(&why, from->v[i].code, "%s", from->v[i].text);
		problems_add(to, from->v[i].path, &why);
	}
	to->count += from->count - from->n;
}

/* Return 0; 1 if files are in the way or could not be made; -1. */
static int
check_out(struct importing *im, bool force)
{
	const struct checkout_options o = {.force = force};
	struct checkout_out *out = &im->it->files;
	struct checkout_report report;
	int r;

	*out = (struct checkout_out){.path = im->it->item.path, .id = im->it->item.id};
	r = checkout_outs(im->ws, &o, out, 1, &report, im->err);
	if (r == 0 && (report.missing.count > 0 || report.failed.count > 0))
		r = 1;
	add_all(&im->report->unsaved, &report.unsaved);
	add_all(&im->report->missing, &report.missing);
	add_all(&im->report->failed, &report.failed);
	checkout_report_release(&report);
	return r;
}

/* ---- a new one ---- */

static int
is_there(struct importing *im, const char *path)
{
	struct stat st;

	if (fstatat(im->ws->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_sys(im->err, errno, "cannot stat '%s'", path);
}

/* Data of the project that is tracked where it lies, and only goes to a remote. */
static bool
is_own(const struct importing *im)
{
	return im->o->plain && im->o->how == IMPORT_TO_STORE &&
	       im->it->source.inside != NULL &&
	       strcmp(im->it->source.inside, im->it->item.target) == 0;
}

/* Whether a pointer is about the same source. */
static bool
is_begun(const struct importing *im, const struct dvc_out *dep)
{
	const struct source *s = &im->it->source;

	if (dep->path == NULL || (dep->repo.url != NULL) != (s->kind == SOURCE_REPO))
		return false;
	if (s->kind != SOURCE_REPO)
		return strcmp(dep->path, s->url) == 0;
	return strcmp(dep->path, s->path) == 0 &&
	       strcmp(dep->repo.url, s->repo_url) == 0 &&
	       (s->rev == NULL ||
		(dep->repo.rev != NULL && strcmp(dep->repo.rev, s->rev) == 0));
}

/* What was recorded before: this import, begun, or something that ${force} gives up. */
static int
check_known(struct importing *im)
{
	const struct add_item *item = &im->it->item;
	const struct dvc_file *f = im->job.file;

	if (im->job.stage != NULL)
		return err_set(im->err, ERR_EXISTS,
			       "'%s' is an output of stage '%s' in '%s'", item->target,
			       im->job.stage->name, item->file);
	if (im->job.inside != NULL)
		return err_set(
		    im->err, ERR_EXISTS,
		    "'%s' lies in '%s', which is tracked: import to another path",
		    item->target, item->path);
	if (f->nouts != 1)
		return err_set(im->err, ERR_EXISTS,
			       "'%s' is one of %zu paths in '%s': 'dag remove' it first",
			       item->target, f->nouts, item->file);
	if (im->o->force || is_own(im) || (f->ndeps == 1 && is_begun(im, &f->deps[0])))
		return 0;
	return err_set(
	    im->err, ERR_EXISTS,
	    "'%s' is tracked already, by '%s': --force replaces it, 'dag update' "
	    "looks at its source again",
	    item->target, item->file);
}

static int
check_new(struct importing *im)
{
	struct workspace_ignore ignore;
	const char *target = im->it->item.target, *dir;
	struct stat st;
	int r;

	if (path_climbs(target))
		return err_set(im->err, ERR_INVALID,
			       "'%s' lies outside of the project '%s': data is imported "
			       "into it",
			       target, im->o->add.root);
	if (add_check(&im->add, 0) != 0 || (!im->job.own && check_known(im) != 0))
		return -1;
	r = is_own(im) ? 0 : is_there(im, target);
	if (r > 0 && !im->o->force)
		r = err_set(im->err, ERR_EXISTS,
			    im->job.own
				? "'%s' is there already: --force replaces it"
				: "'%s' is there already: --force replaces it, 'dag "
				  "checkout' completes it",
			    target);
	if (r < 0)
		return -1;
	if (im->it->source.kind == SOURCE_PATH && !is_own(im)) {
		const char *full =
		    arena_printf(im->arena, "%s/%s", im->o->add.root, target);

		if (full == NULL)
			return err_nomem(im->err);
		if (path_overlap(full, im->it->source.path))
			return err_set(im->err, ERR_INVALID,
				       "'%s' and its source '%s' are one, or one lies in "
				       "the other",
				       target, im->it->source.path);
	}
	dir = path_basename(target) == target
		  ? "."
		  : arena_strndup(im->arena, target,
				  (size_t)(path_basename(target) - target) - 1);
	if (dir == NULL)
		return err_nomem(im->err);
	if (fstatat(im->ws->root_fd, dir, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(im->err, errno, "cannot import to '%s'", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(im->err, ERR_INVALID, "'%s' is no directory", dir);
	r = workspace_ignore(im->ws, target, &ignore, im->err);
	workspace_ignore_release(&ignore);
	return r;
}

static int
get_new(struct importing *im)
{
	switch (im->o->how) {
	case IMPORT_NO_EXEC:
		return set_dep(im, NULL);
	case IMPORT_NO_DOWNLOAD:
		if (source_look(&im->it->source, im->ws, im->arena, &im->state,
				im->err) != 0)
			return -1;
		break;
	case IMPORT_WHOLE:
	case IMPORT_TO_STORE:
		if (fetch(im) != 0)
			return -1;
		break;
	}
	return set_dep(im, &im->state);
}

int
import_new(const struct workspace *ws, const struct import_options *o,
	   struct import_item *it, struct arena *arena, struct checkout_report *report,
	   struct err *err)
{
	struct importing im;
	struct err unused;
	int r;

	begin(&im, ws, o, it, arena, report, err != NULL ? err : &unused);
	r = check_new(&im) == 0 && get_new(&im) == 0 ? 0 : -1;
	if (r == 0)
		r = add_ignore(&im.add, &im.job);
	if (r == 0) {
		im.job.file->frozen = !o->plain;
		r = write_pointer(&im);
	}
	if (r == 0 && o->how == IMPORT_WHOLE)
		r = check_out(&im, o->force);
	end(&im);
	return r;
}

/* ---- one that is there ---- */

bool
import_has_source(const struct track_out *o)
{
	const struct dvc_file *f = o->in != NULL ? o->in->file : NULL;

	return f != NULL && f->ndeps == 1 && f->nouts == 1 && !f->deps[0].db.present;
}

bool
import_of_repo(const struct track_out *o)
{
	return import_has_source(o) && o->in->file->deps[0].repo.url != NULL;
}

int64_t
import_restore(const struct workspace *ws, const char *root, const struct track_out *o,
	       struct arena *arena, struct err *err)
{
	const struct dvc_file *f = o->in->file;
	struct source_state state;
	struct saved saved = {0};
	struct source s;
	int64_t n = -1;
	int r;

	r = source_of_dep(arena, root, f->full_wdir, &f->deps[0], &s, err);
	s.locked = s.lock != NULL;
	if (r == 0 && s.kind == SOURCE_HTTP) {
		r = source_look(&s, ws, arena, &state, err);
		if (r == 0 && !source_same(&state, &f->deps[0]))
			r = 1;
	}
	if (r == 0)
		r = source_fetch(&s, ws, ws->cache, arena, &state, &saved, err);
	if (r == 0 && (saved.id.dir != o->id.dir ||
		       memcmp(saved.id.md5, o->id.md5, sizeof(o->id.md5)) != 0))
		r = 1;
	if (r == 0)
		n = (int64_t)saved.nfiles;
	else if (r == 1)
		(void)err_set(
		    err, ERR_FAILED,
		    "its source '%s' is not what was recorded any more: 'dag update' "
		    "takes what is there now",
		    s.name);
	saved_release(&saved);
	source_release(&s);
	return n;
}

/* Whether the cache has all of it. */
static int
is_cached(struct importing *im)
{
	struct status_out s = {
	    .path = im->it->out->path, .id = im->it->out->id, .cache = true};

	if (!object_id_is_set(&s.id))
		return 0;
	if (status_outs(im->ws, &s, 1, im->err) != 0)
		return -1;
	return s.state != OUT_NOT_IN_CACHE;
}

/* The source is what it was: only what is missing here is made again. */
static int
complete(struct importing *im)
{
	const struct track_out *o = im->it->out;
	struct add_item *item = &im->it->item;
	int r = is_cached(im);

	item->id = o->id;
	item->dir = o->id.dir;
	item->size = o->size > 0 ? (uint64_t)o->size : 0;
	item->nfiles = o->nfiles > 0 ? (uint64_t)o->nfiles : 1;
	if (r < 0)
		return -1;
	if (r == 0 && fetch(im) != 0)
		return -1;
	r = check_out(im, im->o->force);
	if (r != 0 || object_id_equal(&item->id, &o->id))
		return r;
	return set_dep(im, &im->state) == 0 ? write_pointer(im) : -1;
}

static int
renew(struct importing *im)
{
	int r = 0;

	if (im->o->how != IMPORT_NO_DOWNLOAD)
		r = fetch(im);
	if (r == 0 && im->o->how == IMPORT_WHOLE)
		r = check_out(im, im->o->force);
	if (r != 0)
		return r;
	if (set_dep(im, &im->state) != 0 || add_ignore(&im->add, &im->job) != 0)
		return -1;
	return write_pointer(im);
}

int
import_update(const struct workspace *ws, const struct import_options *o,
	      struct import_item *it, struct arena *arena, struct checkout_report *report,
	      struct err *err)
{
	struct importing im;
	struct err unused;
	struct dvc_file *f = it->out->in->file;
	int r;

	begin(&im, ws, o, it, arena, report, err != NULL ? err : &unused);
	it->item.target = it->item.path = it->out->path;
	it->item.file = it->out->file;
	im.job.file = f;
	im.job.for_git = !it->out->cache;
	r = source_of_dep(arena, o->add.root, f->full_wdir, &f->deps[0], &it->source,
			  im.err);
	if (r == 0 && o->rev != NULL) {
		it->source.rev = arena_strdup(f->arena, o->rev);
		if (it->source.rev == NULL)
			r = err_nomem(im.err);
	}
	if (r == 0)
		r = source_look(&it->source, ws, arena, &im.state, im.err);
	if (r == 0) {
		it->same = source_same(&im.state, &f->deps[0]);
		if (!it->same)
			r = renew(&im);
		else if (o->how == IMPORT_WHOLE)
			r = complete(&im);
	}
	if (r == -1)
		(void)err_wrap(im.err, "'%s' is left as it is", it->out->path);
	end(&im);
	return r;
}
