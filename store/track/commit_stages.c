#include "store/track/commit_stages.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/collect.h"
#include "store/track/stage_run.h"

/* ${path}, seen from where the dvc.yaml lies, as seen from the root; NULL without memory. */
static const char *
from_root(const struct dvc_yaml *y, const char *path, struct arena *a)
{
	struct buf joined, out;
	const char *full = NULL;

	buf_init(&joined, 0);
	buf_init(&out, 0);
	path_join(&joined, y->dir, path);
	path_normalize(&out, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&out))
		full = arena_strdup(a, out.p);
	buf_release(&out);
	buf_release(&joined);
	return full;
}

static int
prepare(struct commit_stage *c, struct stage_run *run, struct arena *a, struct err *err)
{
	const struct dvc_yaml *y = c->in->yaml;
	const char *wdir = c->stage->wdir;

	*run = (struct stage_run){.name = c->stage->name,
				  .stage = c->stage,
				  .dir = from_root(y, wdir != NULL ? wdir : ".", a)};
	if (c->lock == NULL)
		c->lock = from_root(y, "dvc.lock", a);
	return run->dir != NULL && c->lock != NULL ? 0 : err_nomem(err);
}

static const struct dvc_lock_stage *
locked(const struct commit_stage *c)
{
	return c->in->lock != NULL ? dvc_lock_find(c->in->lock, c->stage->name) : NULL;
}

/* What is to be asked about: not that the cache lacks something, or that it runs always. */
static bool
is_change(const struct stage_decision *d)
{
	for (size_t i = 0; i < d->n; i++)
		switch (d->v[i].kind) {
		case STAGE_NEVER_RAN:
		case STAGE_COMMAND:
		case STAGE_DEP:
		case STAGE_PARAM:
		case STAGE_OUT:
			return true;
		case STAGE_FORCED:
		case STAGE_ALWAYS:
		case STAGE_OUT_UNCACHED:
		case STAGE_UNCACHEABLE:
			break;
		}
	return false;
}

int
commit_stages_look(struct stage_look *look, struct commit_stage *v, size_t n,
		   struct arena *a, struct err *err)
{
	const struct stage_how how = {.no_run_cache = true};
	struct stage_decision d;
	struct stage_run run;

	for (size_t i = 0; i < n; i++) {
		if (prepare(&v[i], &run, a, err) != 0 ||
		    stage_decide(look, &run, locked(&v[i]), &how, a, &d, err) != 0)
			return -1;
		v[i].changed = is_change(&d);
	}
	return 0;
}

static int
record(struct stage_look *look, const struct stage_how *how, struct commit_stage *c,
       struct arena *a, struct err *err)
{
	struct stage_run run;
	const char *entry;

	if (prepare(c, &run, a, err) != 0)
		return -1;
	if (c->in->lock == NULL &&
	    dvc_lock_parse(c->lock, "", 0, NULL, &c->in->lock, err) != 0)
		return -1;
	if (stage_done(look, &run, locked(c), how, NULL, a, &entry, err) != 0 ||
	    dvc_lock_put(c->in->lock, c->stage->name, entry, NULL, err) != 0)
		return -1;
	c->recorded = true;
	return 0;
}

int
commit_stages(struct stage_look *look, const struct stage_how *how, int root_fd,
	      struct commit_stage *v, size_t n, struct arena *a, struct err *err)
{
	struct err why;
	int rc = 0, written;

	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = record(look, how, &v[i], a, err);
		if (rc == 0 && i + 1 < n && v[i + 1].in == v[i].in)
			continue;
		/* Those before one that fails are recorded all the same. */
		written = v[i].in->lock != NULL ? dvc_lock_write(v[i].in->lock, root_fd,
								 &v[i].lock_changed, &why)
						: 0;
		if (written != 0 && rc == 0) {
			*err = why;
			rc = -1;
		}
	}
	return rc;
}
