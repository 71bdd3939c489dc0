#include "scheduler/cache_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/utf8.h"
#include "scheduler/cache_pool.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/path_lock.h"
#include "store/meter.h"
#include "store/project.h"
#include "store/track/stage_glob.h"

#define NAP_NS 50000000

struct cache_hold {
	struct path_lock *lock;
	int dir_fd; /* that the file of the locks lies in; -1: it is the state directory */
};

/* ---- what is wanted ---- */

struct wants {
	struct arena *arena;
	const char *root, *dir;
	struct path_lock_want *v;
	size_t n;
};

static bool
is_utf8(const char *s)
{
	size_t n = strlen(s);
	uint32_t c;
	int len = 1;

	for (; n > 0 && len > 0; s += len, n -= (size_t)len)
		len = utf8_decode(s, n, &c);
	return len > 0;
}

/* What lies elsewhere, by an address, and what the file of the locks cannot name has none. */
static int
want(struct wants *w, const char *path, bool write, struct err *err)
{
	struct buf dir, joined, out;
	char *full = NULL;

	if (path == NULL)
		return err_nomem(err);
	if (strstr(path, "://") != NULL)
		return 0;
	buf_init(&dir, 0);
	buf_init(&joined, 0);
	buf_init(&out, 0);
	path_join(&dir, w->root, w->dir);
	path_join(&joined, dir.p, path);
	path_normalize(&out, joined.p);
	if (!buf_failed(&dir) && !buf_failed(&joined) && !buf_failed(&out))
		full = arena_strdup(w->arena, out.p);
	buf_release(&out);
	buf_release(&joined);
	buf_release(&dir);
	if (full == NULL)
		return err_nomem(err);
	if (is_utf8(full)) /* also the root's own path */
		w->v[w->n++] = (struct path_lock_want){.path = full, .write = write};
	return 0;
}

/* Of a glob the directory that all of it lies in. */
static const char *
place_of(struct arena *a, const struct dvc_yaml_dep *dep)
{
	return dep->glob ? arena_strndup(a, dep->path, stage_glob_base(dep->path))
			 : dep->path;
}

static int
find_wants(struct wants *w, const struct dvc_yaml_stage *s, struct err *err)
{
	int rc = 0;

	w->v = arena_array(w->arena, s->nouts + s->ndeps + 1, sizeof(*w->v));
	if (w->v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->nouts && rc == 0; i++)
		rc = want(w, s->outs[i].path, true, err);
	for (size_t i = 0; i < s->ndeps && rc == 0; i++)
		rc = want(w, place_of(w->arena, &s->deps[i]), false, err);
	return rc;
}

/* ---- taking ---- */

static int
open_dir(struct cache_seat *seat, struct cache_hold *h, struct err *err)
{
	h->dir_fd = -1;
	if (!seat->track.dvc)
		return 0;
	h->dir_fd =
	    openat(seat->track.root_fd, ".dvc/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return h->dir_fd != -1 ? 0 : err_sys(err, errno, "cannot open '.dvc/tmp'");
}

/* Who has the repository's lock sees nobody take a path; who waits for one does not have it, as
 * whoever has the path needs it to end. */
static int
try_once(struct cache_seat *seat, const struct stage_run *run, const struct wants *w,
	 struct cache_hold *h, struct err *err)
{
	struct buf cmd;
	struct path_lock_options o = {.meter = seat->ws.meter, .own = true};
	int rc;

	buf_init(&cmd, 0);
	buf_addf(&cmd, "dag run, %s", run->name);
	rc = buf_failed(&cmd) ? err_nomem(err) : cache_seat_lock(seat, err);
	if (rc == 0 && h->dir_fd == -1)
		rc = open_dir(seat, h, err);
	if (rc == 0) {
		o.tmp_fd = h->dir_fd != -1 ? h->dir_fd : seat->project->state_fd;
		o.cmd = cmd.p;
		rc = path_lock_take(&o, w->v, w->n, &h->lock, err);
	}
	cache_seat_unlock(seat);
	buf_release(&cmd);
	return rc;
}

int
cache_hold_take(struct cache_seat *seat, const struct stage_run *run,
		struct cache_hold **out, struct err *err)
{
	struct wants w = {
	    .arena = arena_new(0), .root = seat->track.root, .dir = run->dir};
	struct cache_hold *h = calloc(1, sizeof(*h));
	struct timespec nap = {.tv_nsec = NAP_NS};
	const char *waits = NULL;
	bool told = false;
	int rc;

	*out = NULL;
	if (h != NULL)
		h->dir_fd = -1;
	rc = h != NULL && w.arena != NULL ? find_wants(&w, run->stage, err)
					  : err_nomem(err);
	while (rc == 0 && w.n > 0 && (rc = try_once(seat, run, &w, h, err)) != 0) {
		if (err->code != ERR_BUSY || meter_cancelled(seat->ws.meter))
			break;
		if (!told && seat->arena != NULL)
			waits = arena_printf(seat->arena, CACHE_WAITS "as %s", err->msg);
		told = true;
		cache_seat_tell(seat, waits);
		(void)nanosleep(&nap, NULL);
		rc = 0;
	}
	cache_seat_tell(seat, NULL);
	arena_free(w.arena);
	if (rc == 0 && h->lock != NULL)
		*out = h;
	else
		cache_hold_drop(h);
	return rc;
}

void
cache_hold_drop(struct cache_hold *h)
{
	if (h == NULL)
		return;
	/* What cannot be given back is given up with the process. */
	(void)path_lock_drop(h->lock, NULL);
	if (h->dir_fd != -1)
		(void)close(h->dir_fd);
	free(h);
}
