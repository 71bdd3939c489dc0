/* Paths of this machine, and what all kinds begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/objects.h"
#include "store/objects/scan.h"
#include "store/track/save.h"
#include "store/track/source_internal.h"
#include "store/track/workspace.h"

/* The directory that ${path}, canonical, lies in, opened. */
static int
open_parent(const char *path, struct err *err)
{
	const char *name = path_basename(path);
	char *dir = strndup(path, name - path > 1 ? (size_t)(name - path) - 1 : 1);
	int fd = dir != NULL ? fsio_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0) : -1;

	if (dir == NULL)
		(void)err_nomem(err);
	else if (fd < 0)
		(void)err_sys(err, errno, "cannot open '%s'", dir);
	free(dir);
	return fd;
}

static int
missing(const struct source *s, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "'%s' does not exist", s->name);
}

/* Scan it, wherever its links lead; with ${batch} into ${store}. */
static int
scan(const struct source *s, const struct workspace *ws, struct objects *store,
     struct batch *batch, struct scan *sc, struct err *err)
{
	struct workspace_ignore ignore = {0};
	char *real = fsio_realpath(s->path, err);
	struct scan_options o = {.index = ws->index,
				 .into = batch,
				 .cache = store,
				 .workers = ws->workers,
				 .meter = ws->meter};
	int fd, r = 0;

	if (real == NULL)
		return err != NULL && err->code == ERR_NOTFOUND ? missing(s, err) : -1;
	fd = open_parent(real, err);
	if (fd >= 0 && s->inside != NULL) {
		r = workspace_ignore(ws, s->inside, &ignore, err);
		if (ignore.scan.top != NULL)
			o.ignore = &ignore.scan;
	}
	o.root_fd = fd;
	o.path = path_basename(real);
	o.key = s->inside != NULL && strcmp(real, s->path) == 0 ? s->inside : real;
	if (fd < 0)
		r = -1;
	if (r == 0)
		r = scan_path(&o, sc, err);
	if (r == 0 && !sc->exists)
		r = missing(s, err);
	workspace_ignore_release(&ignore);
	if (fd >= 0)
		(void)close(fd);
	free(real);
	return r;
}

static void
take(const struct scan *sc, struct source_state *out)
{
	*out = (struct source_state){.dir = sc->is_dir,
				     .exec = sc->exec,
				     .id = sc->id,
				     .size = (int64_t)sc->size,
				     .nfiles = sc->is_dir ? (int64_t)sc->nfiles : -1};
}

int
source_look(struct source *s, const struct workspace *ws, struct arena *arena,
	    struct source_state *out, struct err *err)
{
	struct scan sc = {0};
	int r;

	if (s->kind == SOURCE_HTTP)
		return source_http_look(s, ws, arena, out, err);
	if (s->kind == SOURCE_REPO)
		return source_repo_look(s, ws, arena, out, err);
	meter_begin(ws->meter, "looking at the source");
	r = scan(s, ws, NULL, NULL, &sc, err);
	if (r == 0)
		take(&sc, out);
	scan_release(&sc);
	return r;
}

static int
fetch_path(const struct source *s, const struct workspace *ws, struct objects *store,
	   struct source_state *state, struct saved *saved, struct err *err)
{
	struct scan sc = {0};
	struct batch *b = NULL;
	int r;

	meter_begin(ws->meter, "copying");
	r = batch_begin(store, ws->meter, &b, err);
	if (r == 0)
		r = scan(s, ws, store, b, &sc, err);
	if (r == 0) {
		take(&sc, state);
		saved->dir = sc.is_dir;
		saved->exec = sc.exec;
		saved->id = sc.id;
		saved->size = sc.size;
		saved->nfiles = sc.nfiles;
	}
	if (r == 0 && sc.is_dir)
		r = scan_tree(&sc, &saved->tree, err);
	if (r == 0 && sc.is_dir)
		r = batch_tree(b, &saved->tree, &saved->id, NULL, err);
	scan_release(&sc);
	if (b != NULL && batch_end(b, r == 0, r == 0 ? err : NULL) != 0)
		r = -1;
	return r;
}

int
source_fetch(struct source *s, const struct workspace *ws, struct objects *store,
	     struct arena *arena, struct source_state *state, struct saved *saved,
	     struct err *err)
{
	*saved = (struct saved){.since_ns = clock_stamp_ns()};
	if (s->kind == SOURCE_HTTP)
		return source_http_fetch(s, ws, store, arena, state, saved, err);
	if (s->kind == SOURCE_REPO)
		return source_repo_fetch(s, ws, store, arena, state, saved, err);
	return fetch_path(s, ws, store, state, saved, err);
}
