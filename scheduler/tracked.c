#include "scheduler/tracked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/path.h"
#include "store/project.h"
#include "store/track/checkout.h"
#include "store/track/collect.h"
#include "store/track/held.h"
#include "store/track/remove.h"
#include "store/track/track.h"
#include "store/track/workspace.h"

#define LOCK_LOOK_US INT64_C(200000) /* of the lock, between two looks at `stop` */
#define LOCK_LOOKS   300

/* The repository, with all that is tracked in it; what tasks have made only where it is asked
 * for, as they may overwrite it. */
struct tracked {
	struct track track;
	struct track_list list;
};

static int
tracked_open(const struct project *p, bool results, struct tracked *t, struct meter *m,
	     struct err *err)
{
	struct track_options o = {.project = p};

	*t = (struct tracked){.track = {.root_fd = -1, .lock = -1}};
	if (track_open(&o, &t->track, err) != 0)
		return -1;
	t->track.results = results;
	return track_collect(&t->track, m, NULL, &t->list, err);
}

static void
tracked_close(struct tracked *t)
{
	track_list_free(&t->list);
	track_close(&t->track);
}

/* ---- inputs ---- */

/* The first out that is not there and where something could match the glob. */
static const struct track_out *
find_glob(const struct project *p, const struct track_list *l, const char *pattern)
{
	struct stat st;

	for (size_t i = 0; i < l->n; i++)
		if (path_glob_overlap(pattern, l->outs[i].path) &&
		    fstatat(p->root_fd, l->outs[i].path, &st, 0) != 0 && errno == ENOENT)
			return &l->outs[i];
	return NULL;
}

void
tracked_missing(const struct project *p, const char *path, struct err *err)
{
	static const char way[] =
	    "or a task of type pull that comes before this one (targets: [...])";
	bool glob = path_has_glob(path);
	const struct track_out *o;
	struct tracked t;
	struct err why;

	if (tracked_open(p, true, &t, NULL, &why) == 0) {
		o = glob ? find_glob(p, &t.list, path) : track_find(&t.list, path);
		if (o != NULL && !object_id_is_set(&o->id))
			o = NULL;
		if (o != NULL && glob)
			(void)err_set(
			    err, ERR_NOTFOUND,
			    "no file matches the input `%s`, as `%s`, which is "
			    "tracked (%s), is not here: 'dag pull %s' brings it, "
			    "%s",
			    path, o->path, o->file, o->path, way);
		else if (o != NULL)
			(void)err_set(
			    err, ERR_NOTFOUND,
			    "its input `%s` is tracked (%s), but not here: 'dag "
			    "pull %s' brings it, %s",
			    path, o->file, path, way);
	}
	tracked_close(&t);
}

/* ---- outputs ---- */

bool
tracked_covers(const struct project *p, const char *path)
{
	struct tracked t;
	struct err why;
	bool yes = true;
	size_t n;

	if (tracked_open(p, false, &t, NULL, &why) == 0)
		yes = track_find(&t.list, path) != NULL ||
		      (track_below(&t.list, path, &n) != NULL && n > 0);
	tracked_close(&t);
	return yes;
}

/* The repository's lock, as somebody may be writing there; not without end. */
static int
take_lock(struct track *t, const bool *stop, struct err *err)
{
	for (unsigned i = 0; i < LOCK_LOOKS; i++) {
		if (track_lock(t, LOCK_LOOK_US, NULL, NULL, NULL, err) == 0)
			return 0;
		if (err->code != ERR_BUSY)
			return -1;
		if (__atomic_load_n(stop, __ATOMIC_RELAXED))
			return err_set(err, ERR_CANCELLED, "stopped");
	}
	return -1;
}

static int
remove_out(struct tracked *t, const struct track_out *o, const bool *stop,
	   struct err *err)
{
	struct workspace ws = {.root_fd = t->track.root_fd,
			       .cache = t->track.cache,
			       .ignore = t->track.ignore,
			       .links = t->track.links,
			       .nlinks = t->track.nlinks,
			       .intent = &t->track.intent};
	struct checkout_report report = {0};
	const struct problems *lost;
	int rc;

	if (track_index(&t->track, &ws.index, err) != 0 ||
	    take_lock(&t->track, stop, err) != 0)
		return -1;
	rc = remove_data(&ws, &o, 1, false, &report, err);
	lost = report.unsaved.count > 0 ? &report.unsaved : &report.failed;
	if (rc >= 0 && lost->count > 0)
		rc = err_set(err, ERR_INVALID,
			     "its output `%s` is tracked (%s) and is not removed, as the "
			     "cache does not have `%s`%s: 'dag add %s' keeps it, or move "
			     "it away",
			     o->path, o->file, lost->n > 0 ? lost->v[0].path : "?",
			     lost->count > 1 ? " and more" : "", o->path);
	checkout_report_release(&report);
	return rc < 0 ? -1 : 0;
}

int
tracked_remove(const struct project *p, const char *path, const bool *stop,
	       struct err *err)
{
	const struct track_out *o;
	struct tracked t;
	struct stat st;
	int rc;

	rc = tracked_open(p, false, &t, NULL, err);
	if (rc == 0) {
		o = track_find(&t.list, path);
		if (o != NULL && strcmp(o->path, path) == 0 && o->cache)
			rc = remove_out(&t, o, stop, err) == 0 ? 1 : -1;
	}
	tracked_close(&t);
	if (rc == 1 && (unlinkat(p->root_fd, path, AT_REMOVEDIR) != 0 &&
			fstatat(p->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0))
		rc = 0;
	return rc;
}

/* ---- runs ---- */

bool
tracked_any(const struct project *p)
{
	static const char *const signs[] = {".dvc", ".dag/cache", ".dag/config"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (faccessat(p->root_fd, signs[i], F_OK, 0) == 0)
			return true;
	return false;
}

int
tracked_hold(const struct project *p, const char *run, struct meter *m, struct err *err)
{
	struct tracked t;
	int rc = tracked_open(p, true, &t, m, err);

	if (rc == 0)
		rc = held_write(p->state_fd, run, &t.list, err);
	tracked_close(&t);
	return rc;
}
