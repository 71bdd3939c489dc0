#include "cli/gc_data.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "cli/cli.h"
#include "store/git.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/remote/remote.h"
#include "store/track/sweep.h"

#define GRACE_DEFAULT "1h"

struct gc {
	struct exchange x; /* first: exchange_with hands it back */
	const struct gc_data_opts *o;
	bool dry;
	const char *grace;
	int64_t before_s;
	struct repo_scope scope;
	struct sweep_found cache, remote;
	bool cache_done, remote_done;
	struct buf paths; /* of --dry */
	size_t unknown;	  /* lists that are nowhere */
};

/* ---- the work ---- */

static void
put_paths(struct gc *g, const struct sweep_side *s, const struct sweep_found *f)
{
	struct buf path;

	buf_init(&path, 0);
	for (size_t i = 0; g->dry && !g->x.o->common.quiet && i < f->v.n; i++) {
		buf_clear(&path);
		if (s->cache != NULL)
			objects_path(s->cache, &f->v.v[i], &path);
		else
			s->remote->ops->where(s->remote, &f->v.v[i], &path);
		if (buf_failed(&path))
			break;
		buf_adds(&g->paths, "would remove ");
		text_put(&g->paths, path.p, path.n);
		buf_addc(&g->paths, '\n');
	}
	buf_release(&path);
}

/* Of what is used, what the remote has not got. */
static int
without_remote(struct remote *r, const struct object_set *used, struct object_set *out,
	       struct meter *m, struct err *err)
{
	struct object_set *there = object_set_new();
	struct object_set_cursor at = {0};
	struct object_id id;
	int rc = there != NULL ? 0 : err_nomem(err);

	if (rc == 0)
		rc = r->ops->begin(r, REMOTE_READ, m, err);
	if (rc == 0) {
		rc = r->ops->list(r, false, there, m, err);
		if (rc == 0)
			rc = r->ops->list(r, true, there, m, err);
		r->ops->end(r);
	}
	while (rc == 0 && object_set_next(used, &at, &id))
		if (!object_set_has(there, &id) && object_set_add(out, &id) < 0)
			rc = err_nomem(err);
	object_set_free(there);
	return rc;
}

static int
gc_cache(struct gc *g, struct remote *r, const struct object_set *used, struct meter *m,
	 struct err *err)
{
	struct sweep_side s = {.cache = g->x.a.track.cache};
	struct object_set *less = NULL;
	int rc = 0;

	if (g->o->not_in_remote) {
		less = object_set_new();
		rc =
		    less != NULL ? without_remote(r, used, less, m, err) : err_nomem(err);
	}
	if (rc == 0)
		rc = sweep_find(&s, less != NULL ? less : used, g->before_s, &g->cache, m,
				err);
	if (rc == 0)
		put_paths(g, &s, &g->cache);
	if (rc == 0 && !g->dry)
		rc = sweep_remove(&s, &g->cache, m, err);
	if (rc == 0 && !g->dry)
		rc = objects_sweep(s.cache, g->before_s, NULL, err);
	g->cache_done = rc == 0;
	object_set_free(less);
	return rc;
}

static int
gc_remote(struct gc *g, struct remote *r, const struct object_set *used, struct meter *m,
	  struct err *err)
{
	struct sweep_side s = {.remote = r};
	int rc = r->ops->begin(r, g->dry ? REMOTE_READ : REMOTE_WRITE, m, err);

	if (rc != 0)
		return -1;
	rc = sweep_find(&s, used, g->before_s, &g->remote, m, err);
	if (rc == 0)
		put_paths(g, &s, &g->remote);
	if (rc == 0 && !g->dry)
		rc = sweep_remove(&s, &g->remote, m, err);
	r->ops->end(r);
	g->remote_done = rc == 0;
	return rc;
}

static int
both(struct exchange *x, const struct transfer_options *opt,
     const struct transfer_want *v, size_t n, struct transfer_report *report,
     struct err *err)
{
	struct gc *g = (struct gc *)x;
	struct object_set *used = object_set_new();
	int rc = used != NULL ? 0 : err_nomem(err);

	(void)report;
	if (rc == 0)
		rc = sweep_used(opt->cache, opt->remote, v, n, used, &g->unknown,
				opt->meter, err);
	if (rc == 0)
		rc = gc_cache(g, opt->remote, used, opt->meter, err);
	if (rc == 0 && g->o->cloud)
		rc = gc_remote(g, opt->remote, used, opt->meter, err);
	object_set_free(used);
	return rc;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct gc *g = arg;
	struct exchange *x = &g->x;
	struct transfer_options opt = {.cache = x->a.track.cache, .meter = m};

	if (exchange_wants(x, m, err) != 0)
		return -1;
	if (g->o->cloud || g->o->not_in_remote)
		return exchange_with(x, g->o->x.remote, x->wants.v, x->wants.n, m, err);
	return both(x, &opt, x->wants.v, x->wants.n, NULL, err);
}

/* ---- before and after ---- */

bool
gc_data_asked(const struct gc_data_opts *o)
{
	return o->workspace || o->x.branches || o->x.tags || o->x.commits ||
	       o->revs.n > 0;
}

static int
check_opts(struct gc *g, struct cli *c)
{
	const struct gc_data_opts *o = g->o;
	int64_t us;

	g->grace = o->grace != NULL ? o->grace : GRACE_DEFAULT;
	if (strcmp(g->grace, "0") == 0)
		us = -INT64_C(1000000);
	else if (num_duration(g->grace, &us) < 0)
		return cli_usage(c, "--grace: '%s' is no age (30m, 2d)", g->grace);
	g->before_s = (clock_now().wall_us - us) / 1000000;
	if (o->num.set && o->revs.n == 0 && !o->x.branches)
		return cli_usage(c,
				 "--num has a meaning with --rev or --all-branches only");
	if (o->x.remote != NULL && !o->cloud && !o->not_in_remote)
		return cli_usage(c, "--remote has a meaning with --cloud or "
				    "--not-in-remote only");
	/* Whatever is asked: what branches, tags, stashes and work trees name stays. */
	g->scope = (struct repo_scope){.revs = o->revs.v,
				       .nrevs = o->revs.n,
				       .branches = true,
				       .tags = true,
				       .stashes = true,
				       .heads = true,
				       .commits = o->x.commits,
				       .last = o->num.set ? (unsigned)o->num.v : 0};
	return EXIT_OK;
}

/* Return whether it may be done. */
static bool
confirmed(struct gc *g, struct cli *c, int *code)
{
	char answer[16] = "";

	if (g->dry || g->o->force)
		return true;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
		*code = cli_usage(c, "this removes data for good: --dry shows what, "
				     "--force does it where nobody can be asked");
		return false;
	}
	(void)dprintf(STDERR_FILENO,
		      "remove everything from the cache%s that nothing uses? [y/N] ",
		      g->o->cloud ? " and from the remote" : "");
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	cli_note(c, "nothing was removed");
	*code = EXIT_WORK;
	return false;
}

static void
put_side(struct gc *g, const char *where, const struct sweep_found *f)
{
	struct buf *b = &g->x.a.c->out;

	if (g->x.o->common.quiet)
		return;
	if (f->v.n == 0) {
		buf_addf(b, "nothing to remove from the %s\n", where);
	} else {
		buf_addf(b, "%s %zu object%s, ", g->dry ? "would remove" : "removed",
			 f->v.n, f->v.n == 1 ? "" : "s");
		num_put_size(b, f->bytes);
		buf_addf(b, ", from the %s\n", where);
	}
	if (f->young > 0)
		cli_note(g->x.a.c,
			 "%zu object%s that nothing uses stay%s in the %s, being younger "
			 "than %s (--grace)",
			 f->young, f->young == 1 ? "" : "s", f->young == 1 ? "s" : "",
			 where, g->grace);
}

static void
tell(struct gc *g)
{
	if (g->paths.n > 0)
		buf_add(&g->x.a.c->out, g->paths.p, g->paths.n);
	if (g->unknown > 0 && !g->x.o->common.quiet)
		cli_note(g->x.a.c,
			 "the lists of %zu director%s that are used are not here, so "
			 "their files are not known: 'dag fetch -A' gets them",
			 g->unknown, g->unknown == 1 ? "y" : "ies");
	if (g->cache_done)
		put_side(g, "cache", &g->cache);
	if (g->remote_done)
		put_side(g, "remote", &g->remote);
}

int
gc_data(struct cli *c, const struct gc_data_opts *o, bool dry)
{
	struct gc g = {.o = o, .dry = dry};
	struct err err = {0};
	int code;

	g.x = (struct exchange){
	    .o = &o->x, .push = true, .move = both, .scope = &g.scope, .all = true};
	if ((code = check_opts(&g, c)) != EXIT_OK || !confirmed(&g, c, &code))
		return code;
	buf_init(&g.paths, (size_t)1 << 30);
	if (artifact_open(c, &o->x.common, !dry, &g.x.a, &err) == 0 &&
	    artifact_work(&g.x.a, work, &g, &err) == 0) {
		tell(&g);
	} else {
		tell(&g);
		code = artifact_fail(&g.x.a, &err);
	}
	buf_release(&g.paths);
	sweep_release(&g.cache);
	sweep_release(&g.remote);
	exchange_release(&g.x);
	return code;
}
