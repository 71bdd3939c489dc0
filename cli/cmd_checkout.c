/*
 * dag checkout: the work tree is brought to what pointers say.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/artifact.h"
#include "cli/artifact_select.h"
#include "cli/checkout.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/git.h"
#include "store/objects/scan.h"
#include "store/track/checkout.h"
#include "store/track/links.h"

struct checkout_opts {
	struct artifact_opts common;
	bool force, relink, recursive, glob, deps, allow_missing, summary;
};

static const struct opt checkout_opts[] = {
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct checkout_opts, force),
     .doc = "Overwrite and remove also files whose content is nowhere else."},
    {.name = "relink",
     .kind = OPT_FLAG,
     .at = offsetof(struct checkout_opts, relink),
     .doc = "Link all files anew as cache.type says, also those that are right."},
    {.name = "allow-missing",
     .kind = OPT_FLAG,
     .at = offsetof(struct checkout_opts, allow_missing),
     .doc = "Take what the cache has; it is no failure that other objects are missing."},
    {.name = "summary",
     .kind = OPT_FLAG,
     .at = offsetof(struct checkout_opts, summary),
     .doc = "Show how many files changed instead of what did."},
    {.name = "recursive",
     .letter = 'R',
     .kind = OPT_FLAG,
     .at = offsetof(struct checkout_opts, recursive),
     .doc = "A TARGET that is a directory means all that is tracked in it."},
    ARTIFACT_WITH_DEPS(struct checkout_opts, deps),
    {.name = "glob",
     .kind = OPT_FLAG,
     .at = offsetof(struct checkout_opts, glob),
     .doc = "A TARGET is a pattern with * ? [ ] and **."},
    ARTIFACT_JOBS(struct checkout_opts, common),
    ARTIFACT_QUIET(struct checkout_opts, common),
    {.name = NULL}};

struct checkout {
	struct artifact a;
	const struct checkout_opts *o;
	struct artifact_target *targets;
	struct checkout_out *outs;
	size_t n;
	struct checkout_out *unused; /* what no pointer names any more */
	size_t nunused;
	struct links links;
	struct checkout_report report;
	int rc; /* 1: files would be lost */
};

/* ---- what no pointer names any more ---- */

static bool
is_named(const struct checkout *k, const char *path)
{
	return track_names(&k->a.list, path);
}

/* Whether what lies there is what we have put there, and nobody else's. */
static int
is_ours(struct checkout *k, const struct link_entry *e, struct err *err)
{
	struct err unused;
	struct scan s;
	bool same;
	int r;

	/* What cannot be looked at is left alone. */
	r = workspace_scan(&k->a.ws, e->path, e->id.legacy, &s, &unused);
	same = r == 0 && s.exists && object_id_equal(&s.id, &e->id);
	scan_release(&s);
	if (!same)
		return 0;
	r = artifact_git_tracks(&k->a, e->path, err);
	return r < 0 ? -1 : !r;
}

static int
remove_unused(struct checkout *k, struct err *err)
{
	static const struct checkout_options gently = {0};
	struct checkout_report report;
	int r = 0;

	k->unused = arena_array(k->a.arena, k->links.n + 1, sizeof(*k->unused));
	if (k->unused == NULL)
		return err_nomem(err);
	for (size_t i = k->links.n; r >= 0 && i > 0; i--) {
		const struct link_entry *e = &k->links.v[i - 1];
		struct checkout_out *out = &k->unused[k->nunused];

		if (is_named(k, e->path))
			continue;
		out->path = arena_strdup(k->a.arena, e->path);
		if (out->path == NULL)
			return err_nomem(err);
		out->id.legacy = e->id.legacy;
		out->gone = true;
		r = is_ours(k, e, err);
		if (r == 1) {
			r = checkout_outs(&k->a.ws, &gently, out, 1, &report, err);
			k->nunused += r == 0 && out->state == CHECKOUT_DELETED;
			checkout_report_release(&report);
		}
		if (r >= 0)
			r = links_set(&k->links, out->path, NULL, err);
	}
	return r < 0 ? -1 : 0;
}

/* Before what is not named goes: whether the rest will be refused.  1, 0 or -1. */
static int
look_ahead(struct checkout *k, struct checkout_options o)
{
	struct err unused;
	bool any = false;
	int r;

	for (size_t i = 0; i < k->links.n && !any; i++)
		any = !is_named(k, k->links.v[i].path);
	if (!any)
		return 0;
	o.dry = true;
	r = checkout_outs(&k->a.ws, &o, k->outs, k->n, &k->report, &unused);
	if (r == 1)
		return 1;
	/* What fails may do so for what stands in the way, and will go. */
	checkout_report_release(&k->report);
	return 0;
}

/* ---- the work ---- */

static int
remember(struct checkout *k, struct err *err)
{
	for (size_t i = 0; k->rc == 0 && i < k->n; i++) {
		const struct checkout_out *o = &k->outs[i];

		if ((o->state == CHECKOUT_SAME || o->state == CHECKOUT_ADDED ||
		     o->state == CHECKOUT_MODIFIED) &&
		    o->only == NULL && links_set(&k->links, o->path, &o->id, err) != 0)
			return -1;
	}
	return links_save(&k->links, err);
}

static int
prepare(struct checkout *k, struct err *err)
{
	size_t to = 0;

	if (artifact_select(&k->a, k->a.c->args, k->a.c->nargs,
			    artifact_in_run() |
				artifact_how(k->o->recursive, k->o->glob, k->o->deps),
			    &k->targets, &k->n, err) != 0)
		return -1;
	k->outs = arena_array(k->a.arena, k->n + 1, sizeof(*k->outs));
	if (k->outs == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < k->n; i++) {
		const struct track_out *o = k->targets[i].out;

		if (!o->cache)
			continue;
		k->outs[to++] = (struct checkout_out){.path = o->path,
						      .id = o->id,
						      .exec = o->exec,
						      .only = k->targets[i].only};
	}
	k->n = to;
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct checkout *k = arg;
	struct checkout_options o = {.force = k->o->force,
				     .relink = k->o->relink,
				     .allow_missing = k->o->allow_missing};

	(void)m;
	if (prepare(k, err) != 0 || artifact_links(&k->a, &k->links, err) != 0)
		return -1;
	if (k->a.c->nargs == 0) {
		k->rc = look_ahead(k, o);
		if (k->rc != 0)
			return 0;
		if (remove_unused(k, err) != 0)
			return -1;
	}
	k->rc = checkout_outs(&k->a.ws, &o, k->outs, k->n, &k->report, err);
	if (k->rc < 0)
		return -1;
	return remember(k, err);
}

/* ---- telling ---- */

static const struct {
	enum checkout_state state;
	char letter;
	const char *ansi, *word;
} kinds[] = {
    {CHECKOUT_MODIFIED, 'M', "33", "modified"},
    {CHECKOUT_ADDED, 'A', "32", "added"},
    {CHECKOUT_DELETED, 'D', "31", "deleted"},
};

/* Directories first, then files. */
static void
put_kind(struct checkout *k, size_t kind, const struct checkout_out *v, size_t n)
{
	struct buf *b = &k->a.c->out;
	bool color = cli_color(k->a.c, 1);

	for (int dirs = 1; dirs >= 0; dirs--)
		for (size_t i = 0; i < n; i++) {
			if (v[i].state != kinds[kind].state || v[i].dir != (dirs == 1))
				continue;
			/* Two parts of one. */
			if (i > 0 && v[i - 1].state == v[i].state &&
			    strcmp(v[i - 1].path, v[i].path) == 0)
				continue;
			if (color)
				buf_addf(b, "\033[%sm%c\033[0m\t", kinds[kind].ansi,
					 kinds[kind].letter);
			else
				buf_addf(b, "%c\t", kinds[kind].letter);
			artifact_put_path(&k->a, v[i].path, b);
			buf_adds(b, v[i].dir ? "/\n" : "\n");
		}
}

static void
put_summary(struct checkout *k)
{
	struct buf *b = &k->a.c->out;
	size_t files[3] = {0};
	const char *between = "";

	for (size_t i = 0; i < k->n; i++) {
		files[0] += k->outs[i].modified;
		files[1] += k->outs[i].added;
		files[2] += k->outs[i].deleted;
	}
	for (size_t i = 0; i < k->nunused; i++)
		files[2] += k->unused[i].deleted;
	for (size_t i = 0; i < 3; i++) {
		if (files[i] == 0)
			continue;
		buf_addf(b, "%s%zu file%s %s", between, files[i],
			 files[i] == 1 ? "" : "s", kinds[i].word);
		between = ", ";
	}
	buf_adds(b, *between == '\0' ? "no changes\n" : "\n");
}

static int
tell(struct checkout *k)
{
	int code = EXIT_OK;

	if (!k->o->common.quiet && k->o->summary)
		put_summary(k);
	for (size_t i = 0; !k->o->common.quiet && !k->o->summary &&
			   i < sizeof(kinds) / sizeof(kinds[0]);
	     i++) {
		put_kind(k, i, k->outs, k->n);
		put_kind(k, i, k->unused, k->nunused);
	}
	if (k->rc == 1) {
		artifact_list(
		    &k->a, &k->report.unsaved,
		    "nothing was changed, as these files would be lost: the cache "
		    "does not have them ('dag commit' or 'dag add' records them, "
		    "--force gives them up)");
		return EXIT_WORK;
	}
	if (k->report.missing.count > 0 && !k->o->allow_missing) {
		artifact_list(
		    &k->a, &k->report.missing,
		    "the cache does not have what these need ('dag pull' gets it); "
		    "what they belong to was left as it is");
		code = EXIT_WORK;
	}
	if (k->report.failed.count > 0) {
		artifact_problems(&k->a, &k->report.failed);
		code = EXIT_WORK;
	}
	return code;
}

static int
checkout_verb(struct cli *c, const void *opts)
{
	struct checkout k = {.o = opts};
	struct err err = {0};
	bool worked = false;
	int code;

	k.links.state_fd = -1;
	problems_init(&k.report.unsaved);
	problems_init(&k.report.missing);
	problems_init(&k.report.failed);
	if (artifact_open_all(c, &k.o->common, true, &k.a, &err) == 0) {
		worked = artifact_work(&k.a, work, &k, &err) == 0;
		/* What was done before it ended is told, too. */
		code = tell(&k);
		if (!worked)
			code = artifact_fail(&k.a, &err);
	} else {
		code = artifact_fail(&k.a, &err);
	}
	checkout_report_release(&k.report);
	links_release(&k.links);
	artifact_close(&k.a);
	return code;
}

int
checkout_all(struct cli *c, bool force, bool quiet)
{
	const struct checkout_opts o = {
	    .common = {.quiet = quiet}, .force = force, .allow_missing = true};
	size_t nargs = c->nargs;
	int code;

	c->nargs = 0;
	code = checkout_verb(c, &o);
	c->nargs = nargs;
	return code;
}

const struct verb verb_checkout = {
    .name = "checkout",
    .group = GROUP_DATA,
    .summary = "bring files to what the pointers say, from the cache",
    .args = "[TARGET...]",
    .max = (unsigned)-1,
    .doc =
	"Make, replace and remove files of the work tree, so that all that is tracked "
	"(or "
	"each TARGET: a pointer file, a tracked path, a path in one) is what its pointer "
	"says; after a switch of branches, for example. Without TARGET also what was "
	"tracked before, and is no longer, goes.\n"
	"\n"
	"Nothing is overwritten or removed unless its content is in the cache and found "
	"to "
	"be right there: if a file speaks against it, nothing is changed and all of them "
	"are named. Each file is replaced in one piece; interrupted, the same command "
	"goes "
	"on. Objects that are missing are named, and other data is checked out.",
    .examples = "git switch other && dag checkout\tdata of another branch\n"
		"dag checkout data/raw/a.csv\tone file of a directory\n"
		"dag checkout --relink\tafter cache.type was changed",
    .opts = checkout_opts,
    .size = sizeof(struct checkout_opts),
    .run = checkout_verb,
};
