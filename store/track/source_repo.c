/* Data of other repositories, as `dvc import` records it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/config.h"
#include "store/dvc/dvc_out.h"
#include "store/dvc/relpath.h"
#include "store/meter.h"
#include "store/track/elsewhere.h"
#include "store/track/get.h"
#include "store/track/problems.h"
#include "store/track/save.h"
#include "store/track/source_internal.h"
#include "store/track/workspace.h"

/* One that was opened; it stays so until the source is released. */
struct source_repo {
	struct elsewhere_options o;
	struct elsewhere e;
};

/* ---- what a pointer says ---- */

/* A path is seen from the root. */
static const char *
find_url(struct arena *a, const char *root, const char *url, struct err *err)
{
	const char *found = NULL;
	struct buf joined, norm;

	if (repo_is_url(url) || *url == '/')
		return url;
	buf_init(&joined, 0);
	buf_init(&norm, 0);
	path_join(&joined, root, url);
	path_normalize(&norm, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&norm))
		found = arena_strdup(a, norm.p);
	if (found == NULL)
		(void)err_nomem(err);
	buf_release(&joined);
	buf_release(&norm);
	return found;
}

/* What both ways to name one have in common. */
static int
set_repo(struct arena *a, const char *root, const char *url, const char *path,
	 struct source *out, struct err *err)
{
	struct buf name, norm;
	int r = -1;

	buf_init(&name, 0);
	buf_init(&norm, 0);
	config_put_url(&name, url);
	path_normalize(&norm, path);
	out->kind = SOURCE_REPO;
	out->repo_url = url;
	out->url = find_url(a, root, url, err);
	out->name = arena_printf(a, "%s (%s)", norm.p, name.p);
	out->path = arena_strdup(a, norm.p);
	if (buf_failed(&name) || buf_failed(&norm) || out->name == NULL ||
	    out->path == NULL)
		(void)err_nomem(err);
	else if (path_climbs(out->path))
		(void)err_set(err, ERR_INVALID, "'%s' leads out of its repository",
			      out->path);
	else if (out->url != NULL)
		r = 0;
	buf_release(&name);
	buf_release(&norm);
	return r;
}

int
source_repo_of_dep(struct arena *a, const char *root, const struct dvc_out *dep,
		   struct source *out, struct err *err)
{
	const struct dvc_repo *r = &dep->repo;

	if (r->config != NULL || (r->remote != NULL && r->remote->kind != YAML_STR))
		return err_set(
		    err, ERR_INVALID,
		    "it is recorded with settings of its own for '%s', which this "
		    "version does not know: 'dvc update' does",
		    r->url);
	out->rev = r->rev;
	out->lock = r->rev_lock;
	out->remote = r->remote != NULL ? r->remote->str : NULL;
	return set_repo(a, root, r->url, dep->path != NULL ? dep->path : ".", out, err);
}

/* A path that is seen from here is recorded as seen from the root. */
static const char *
recorded_url(struct arena *a, const char *root, const char *url, struct err *err)
{
	struct buf joined, norm, rel;
	const char *seen = NULL;
	char *cwd;

	if (repo_is_url(url) || *url == '/')
		return url;
	cwd = fsio_realpath(".", err);
	if (cwd == NULL)
		return NULL;
	buf_init(&joined, 0);
	buf_init(&norm, 0);
	buf_init(&rel, 0);
	path_join(&joined, cwd, url);
	path_normalize(&norm, joined.p);
	dvc_relpath(&rel, root + 1, norm.p + (norm.n > 0));
	if (!buf_failed(&joined) && !buf_failed(&norm) && !buf_failed(&rel))
		seen = arena_strdup(a, rel.p);
	if (seen == NULL)
		(void)err_nomem(err);
	buf_release(&joined);
	buf_release(&norm);
	buf_release(&rel);
	free(cwd);
	return seen;
}

int
source_of_repo(struct arena *a, const char *root, const char *url, const char *path,
	       const char *rev, struct source *out, struct err *err)
{
	const char *recorded;

	*out = (struct source){.rev = rev};
	if (*url == '\0' || *path == '\0')
		return err_set(err, ERR_INVALID, "%s is empty",
			       *url == '\0' ? "the address of the repository"
					    : "the path in the repository");
	recorded = recorded_url(a, root, url, err);
	if (recorded == NULL || set_repo(a, root, recorded, path, out, err) != 0)
		return -1;
	if (strcmp(out->path, ".") == 0)
		return err_set(
		    err, ERR_INVALID,
		    "a whole repository cannot be imported: name what is in it");
	return 0;
}

/* ---- what is there ---- */

static int
open_repo(struct source *s, const struct workspace *ws, struct err *err)
{
	struct source_repo *r;

	if (s->repo != NULL)
		return 0;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_nomem(err);
	r->o = (struct elsewhere_options){.url = s->url,
					  .rev = s->locked	  ? s->lock
						 : s->rev != NULL ? s->rev
								  : "HEAD",
					  .remote = s->remote,
					  .meter = ws->meter};
	if (elsewhere_open(&r->o, &r->e, err) != 0) {
		elsewhere_close(&r->e);
		free(r);
		return -1;
	}
	s->repo = r;
	return 0;
}

int
source_repo_look(struct source *s, const struct workspace *ws, struct arena *arena,
		 struct source_state *out, struct err *err)
{
	if (open_repo(s, ws, err) != 0)
		return -1;
	*out = (struct source_state){.size = -1, .nfiles = -1};
	out->rev_lock = arena_strdup(arena, s->repo->e.commit);
	return out->rev_lock != NULL ? 0 : err_nomem(err);
}

/* What went wrong with single objects, as one sentence. */
static int
say(const struct source *s, const struct get_report *report, struct err *err)
{
	const struct problems *p = &report->checkout.failed;

	if (report->transfer.notes.n > 0)
		return err_set(err, ERR_FAILED, "'%s' cannot be had: %s", s->name,
			       report->transfer.notes.v[0].err.msg);
	return err_set(err, ERR_FAILED, "'%s' cannot be had: %s", s->name,
		       p->n > 0 ? p->v[0].text : "objects of it are missing");
}

/* Got into a directory of ours, taken from there. */
static int
fetch(struct source *s, const struct workspace *ws, struct objects *store,
      struct arena *arena, const char *tmp, struct saved *saved, struct err *err)
{
	struct source local = {.kind = SOURCE_PATH, .name = s->name};
	struct get_options o = {.path = s->path, .workers = ws->workers};
	struct get_report report = {0};
	struct source_state state;
	int r;

	local.path = local.url = o.to = arena_printf(arena, "%s/data", tmp);
	if (o.to == NULL)
		return err_nomem(err);
	problems_init(&report.checkout.unsaved);
	problems_init(&report.checkout.missing);
	problems_init(&report.checkout.failed);
	r = get_path(&s->repo->e, &o, arena, &report, err);
	if (r == 1)
		r = say(s, &report, err);
	checkout_report_release(&report.checkout);
	transfer_report_release(&report.transfer);
	if (r == 0) {
		/* Not for the index, which would remember it for nothing. */
		struct workspace here = *ws;

		here.index = NULL;
		r = source_fetch(&local, &here, store, arena, &state, saved, err);
	}
	return r;
}

int
source_repo_fetch(struct source *s, const struct workspace *ws, struct objects *store,
		  struct arena *arena, struct source_state *state, struct saved *saved,
		  struct err *err)
{
	const char *dir = getenv("TMPDIR");
	char *tmp;
	int r;

	if (source_repo_look(s, ws, arena, state, err) != 0)
		return -1;
	tmp = arena_printf(arena, "%s/dag-import-XXXXXX",
			   dir != NULL && *dir == '/' ? dir : "/tmp");
	if (tmp == NULL)
		return err_nomem(err);
	if (mkdtemp(tmp) == NULL)
		return err_sys(err, errno, "cannot make '%s'", tmp);
	r = fetch(s, ws, store, arena, tmp, saved, err);
	(void)fsio_remove_tree(AT_FDCWD, tmp, NULL);
	return r;
}

void
source_release(struct source *s)
{
	if (s->repo != NULL)
		elsewhere_close(&s->repo->e);
	free(s->repo);
	s->repo = NULL;
}
