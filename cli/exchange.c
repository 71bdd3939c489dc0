#include "cli/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "store/dvc/config_remote.h"
#include "store/remote/remote.h"
#include "store/track/collect.h"
#include "store/track/collect_rev.h"
#include "store/track/track.h"

#define NOTES_SHOWN 50

/* ---- remotes ---- */

static int
open_remote(struct exchange *x, const struct config_remote *r, struct remote **out,
	    struct err *err)
{
	struct remote_spec spec = {.name = r->name,
				   .url = r->path,
				   .root = x->a.track.root,
				   .cache = x->a.track.cache_dir,
				   .shared = x->a.track.shared,
				   .version_aware = r->version_aware,
				   .worktree = r->worktree};

	if (config_remote_local(r, err) != 0)
		return -1;
	if (r->jobs > 0)
		spec.jobs =
		    r->jobs < REMOTE_JOBS_MAX ? (unsigned)r->jobs : REMOTE_JOBS_MAX;
	return remote_open(&spec, out, err);
}

int
exchange_with(struct exchange *x, const char *name, const struct transfer_want *v,
	      size_t n, struct meter *m, struct err *err)
{
	struct transfer_options opt = {
	    .cache = x->a.track.cache, .verify = x->o->verify, .meter = m};
	struct exchange_part part = {0};
	struct config_remote r;
	struct remote *remote = NULL;
	int rc;

	if (config_remote_find(x->a.track.config, name, &r, err) != 0)
		return -1;
	part.name = arena_strdup(x->a.arena, r.name);
	part.url = arena_strdup(x->a.arena, r.path != NULL ? r.path : r.url);
	if (part.name == NULL || part.url == NULL ||
	    vec_reserve(&x->parts, x->parts.n + 1) != 0)
		rc = err_nomem(err);
	else
		rc = open_remote(x, &r, &remote, err);
	if (rc == 0) {
		opt.remote = remote;
		if (x->o->common.jobs.set)
			opt.jobs = x->o->common.jobs.v < REMOTE_JOBS_MAX
				       ? (unsigned)x->o->common.jobs.v
				       : REMOTE_JOBS_MAX;
		rc = x->move(x, &opt, v, n, &part.report, err);
		x->parts.v[x->parts.n++] = part;
	}
	remote_close(remote);
	config_remote_release(&r);
	return rc;
}

const char *
exchange_usual(struct exchange *x)
{
	struct config_remote r;
	const char *name = NULL;

	if (config_remote_find(x->a.track.config, NULL, &r, NULL) == 0) {
		name = arena_strdup(x->a.arena, r.name);
		config_remote_release(&r);
	}
	return name;
}

int
exchange_each(struct exchange *x, struct meter *m, struct err *err)
{
	const char *usual = x->o->remote != NULL ? x->o->remote : exchange_usual(x),
		   *name;
	struct transfer_want *v = x->wants.v;
	size_t left = x->wants.n, n;

	/* Those of the usual one come first; that there is none is told only to who needs it. */
	n = usual != NULL ? transfer_select(v, left, usual, usual, x->push) : 0;
	if (usual != NULL || left == 0) {
		if (exchange_with(x, usual, v, n, m, err) != 0)
			return -1;
		v += n;
		left -= n;
	}
	while (x->o->remote == NULL && left > 0) {
		size_t i = 0;

		while (i < left && (x->push && v[i].local))
			i++;
		if (i == left)
			return 0;
		name = v[i].remote;
		n = name != NULL ? transfer_select(v, left, name, NULL, x->push) : left;
		if (exchange_with(x, name, v, n, m, err) != 0)
			return -1;
		v += n;
		left -= n;
	}
	return 0;
}

/* ---- telling ---- */

static void
put_notes(struct exchange *x, const struct exchange_part *p, size_t *shown)
{
	vec_foreach (&p->report.notes, struct transfer_note, note) {
		struct buf b;

		if (note->fate == TRANSFER_MISSING && x->o->allow_missing)
			continue;
		if ((*shown)++ >= NOTES_SHOWN)
			continue;
		buf_init(&b, 0);
		if (note->path != NULL && note->path[0] != '\0') {
			artifact_put_path(&x->a, note->path, &b);
			buf_adds(&b, ": ");
		}
		buf_adds(&b, note->err.msg);
		if (note->fate == TRANSFER_REPLACED && !x->o->common.quiet)
			cli_note(x->a.c, "%s", buf_failed(&b) ? note->err.msg : b.p);
		else if (note->fate != TRANSFER_REPLACED)
			cli_error(x->a.c, buf_failed(&b) ? note->err.msg : b.p);
		buf_release(&b);
	}
}

int
exchange_damage(struct exchange *x)
{
	int code = EXIT_OK;

	vec_foreach (&x->parts, struct exchange_part, p) {
		vec_foreach (&p->report.notes, struct transfer_note, note) {
			if (note->fate == TRANSFER_MISSING)
				continue;
			cli_error(x->a.c, note->err.msg);
			code = EXIT_WORK;
		}
	}
	return code;
}

static void
put_counts(struct exchange *x, bool ended, uint64_t objects, uint64_t failures)
{
	struct buf *b = &x->a.c->out;

	if (objects > 0)
		buf_addf(b, "%llu file%s %s\n", (unsigned long long)objects,
			 objects == 1 ? "" : "s", x->push ? "pushed" : "fetched");
	else if (!ended && failures == 0)
		buf_adds(b, "Everything is up to date.\n");
}

/* Return the exit code. */
static int
tell(struct exchange *x, bool ended)
{
	uint64_t objects = 0, failures = 0, checked = 0;
	size_t shown = 0, notes = 0;

	vec_foreach (&x->parts, struct exchange_part, p) {
		if (p->report.made && x->push && !x->o->common.quiet)
			cli_note(x->a.c, "made '%s' for the remote '%s'", p->url,
				 p->name);
		put_notes(x, p, &shown);
		notes += (size_t)p->report.fates[TRANSFER_REPLACED];
		objects += p->report.objects;
		failures += transfer_failures(&p->report);
		if (x->o->allow_missing)
			failures -= p->report.fates[TRANSFER_MISSING];
		checked += p->report.checked;
	}
	notes += (size_t)failures;
	if (notes > NOTES_SHOWN)
		cli_note(x->a.c, "... and %zu more", notes - NOTES_SHOWN);
	if (!x->o->common.quiet && x->o->verify && checked > 0)
		buf_addf(&x->a.c->out, "%llu file%s verified\n",
			 (unsigned long long)checked, checked == 1 ? "" : "s");
	if (!x->o->common.quiet)
		put_counts(x, ended, objects, failures);
	if (x->unrecorded > 0 && x->first != NULL)
		cli_warn(x->a.c,
			 x->unrecorded == 1
			     ? "no hash is recorded for '%s': 'dag commit' records it"
			     : "no hash is recorded for '%s' and others: 'dag commit' "
			       "records them",
			 x->first);
	if (x->undone != NULL)
		cli_warn(x->a.c,
			 "'%s' was imported without its data: 'dag update' gets it",
			 x->undone);
	return failures > 0 ? EXIT_WORK : EXIT_OK;
}

/* ---- the verb ---- */

static int
move(struct exchange *x, const struct transfer_options *opt,
     const struct transfer_want *v, size_t n, struct transfer_report *report,
     struct err *err)
{
	return x->push ? transfer_push(opt, v, n, report, err)
		       : transfer_fetch(opt, v, n, report, err);
}

static int
move_runs(struct exchange *x, const struct transfer_options *opt,
	  const struct transfer_want *v, size_t n, struct transfer_report *report,
	  struct err *err)
{
	(void)v;
	(void)n;
	return transfer_runs(opt, x->push, report, err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct exchange *x = arg;

	if (exchange_wants(x, m, err) != 0)
		return -1;
	/* Nobody needs a remote who has nothing but imports. */
	if ((x->wants.n > 0 || x->imports.n == 0) && exchange_each(x, m, err) != 0)
		return -1;
	if (exchange_sources(x, m, err) != 0)
		return -1;
	if (!x->o->runs)
		return 0;
	/* After the data: a run is worth something only with what it has made. */
	x->move = move_runs;
	return exchange_with(x, x->o->remote, NULL, 0, m, err);
}

void
exchange_release(struct exchange *x)
{
	vec_foreach (&x->parts, struct exchange_part, p)
		transfer_report_release(&p->report);
	vec_release(&x->parts);
	vec_release(&x->wants);
	vec_release(&x->imports);
	artifact_close(&x->a);
	track_list_free(&x->broken);
	track_revs_close(x->revs);
}

int
exchange_verb(struct cli *c, const struct exchange_opts *o, bool push)
{
	struct exchange x = {.o = o,
			     .push = push,
			     .sources = !push,
			     .how = artifact_in_run(),
			     .move = move};
	struct err err = {0};
	int code;

	if (artifact_open_all(c, &o->common, !push, &x.a, &err) != 0) {
		code = artifact_fail(&x.a, &err);
	} else if (artifact_work(&x.a, work, &x, &err) == 0) {
		code = tell(&x, false);
	} else {
		(void)tell(&x, true);
		code = artifact_fail(&x.a, &err);
	}
	exchange_release(&x);
	return code;
}
