#include "store/track/far.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/dvc/config_remote.h"
#include "store/remote/remote.h"
#include "store/remote/transfer.h"
#include "store/track/checkout.h"
#include "store/track/collect.h"
#include "store/track/track.h"

/* The caller releases ${r}. */
static int
open_far(const struct track *t, const char *name, struct config_remote *r,
	 struct remote **out, struct err *err)
{
	struct remote_spec spec = {
	    .root = t->root, .cache = t->cache_dir, .shared = t->shared};

	*out = NULL;
	if (config_remote_find(t->config, name, r, err) != 0)
		return -1;
	spec.name = r->name;
	spec.url = r->path;
	spec.version_aware = r->version_aware;
	spec.worktree = r->worktree;
	if (r->jobs > 0)
		spec.jobs =
		    r->jobs < REMOTE_JOBS_MAX ? (unsigned)r->jobs : REMOTE_JOBS_MAX;
	if (config_remote_local(r, err) == 0 && remote_open(&spec, out, err) == 0)
		return 0;
	config_remote_release(r);
	return -1;
}

/* A remote that is not there has nothing; what ends everything ends this. */
static int
forgive(struct err *err)
{
	if (err->code != ERR_NOTFOUND)
		return -1;
	err_clear(err);
	return 0;
}

int
far_fetch(const struct track *t, const char *name, const struct object_id *v, size_t n,
	  struct meter *m, struct err *err)
{
	struct transfer_options opt = {.cache = t->cache, .meter = m};
	struct transfer_want *w = calloc(n + 1, sizeof(*w));
	struct transfer_report report = {0};
	struct config_remote r;
	int rc;

	if (w == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		w[i] = (struct transfer_want){.id = v[i], .path = "", .size = -1};
	rc = open_far(t, name, &r, &opt.remote, err);
	if (rc == 0) {
		rc = transfer_fetch(&opt, w, n, &report, err);
		transfer_report_release(&report);
		remote_close(opt.remote);
		config_remote_release(&r);
	}
	free(w);
	return rc == 0 ? 0 : forgive(err);
}

int
far_runs(const struct track *t, struct meter *m, struct err *err)
{
	struct transfer_options opt = {.cache = t->cache, .meter = m};
	struct transfer_report report = {0};
	struct config_remote r;
	int rc;

	if (open_far(t, NULL, &r, &opt.remote, err) != 0)
		return -1;
	rc = transfer_runs(&opt, false, &report, err);
	transfer_report_release(&report);
	remote_close(opt.remote);
	config_remote_release(&r);
	return rc;
}

int
far_find(const struct track_list *l, const char *path, struct object_id *id)
{
	const struct track_out *o = track_find(l, path);

	if (o == NULL || strcmp(o->path, path) != 0)
		return 0;
	*id = o->id;
	return 1;
}

int
far_bring(const struct track *t, const struct workspace *ws, const struct track_list *l,
	  const char *path, struct meter *m, struct err *err)
{
	const struct track_out *o = track_find(l, path);
	const struct checkout_options options = {.allow_missing = false};
	struct checkout_report report = {0};
	struct checkout_out c;
	int rc;

	if (o == NULL || !object_id_is_set(&o->id) || !o->cache)
		return 0;
	if (far_fetch(t, o->remote, &o->id, 1, m, err) != 0)
		return -1;
	c = (struct checkout_out){.path = o->path, .id = o->id, .exec = o->exec};
	if (strcmp(o->path, path) != 0)
		c.only = path + strlen(o->path) + 1;
	rc = checkout_outs(ws, &options, &c, 1, &report, err);
	checkout_report_release(&report);
	if (rc < 0)
		return -1;
	return rc == 0 && (c.state == CHECKOUT_ADDED || c.state == CHECKOUT_SAME ||
			   c.state == CHECKOUT_MODIFIED);
}
