/*
 * dag gc: make room.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/gc_data.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/gc.h"

#define TELL_US	      INT64_C(200000)
#define TELL_PLAIN_US INT64_C(10000000) /* where there is no terminal */
#define NAMES_WIDTH   40

struct gc_opts {
	struct gc_data_opts data;
	const char *keep, *dag;
	bool runs, last_too, dry_run, dry_too, json;
};

#define DATA_FLAG(nm, let, member, text)                                   \
	{                                                                  \
		.name = (nm), .letter = (let), .kind = OPT_FLAG,           \
		.at = offsetof(struct gc_opts, data.member), .doc = (text) \
	}

static const struct opt gc_opts[] = {
    DATA_FLAG(
	"workspace", 'w', workspace,
	"Remove data that nothing names any more: neither a pointer of the work tree, "
	"nor one of a local branch, a tag, a stash or the HEAD of another work tree."),
    DATA_FLAG("all-branches", 'a', x.branches,
	      "The same, in words that DVC has: branches are protected in any case."),
    DATA_FLAG("all-tags", 'T', x.tags, "The same, as for branches."),
    DATA_FLAG("all-commits", 'A', x.commits,
	      "The same, but what any commit names stays."),
    {.name = "rev",
     .kind = OPT_STRINGS,
     .at = offsetof(struct gc_opts, data.revs),
     .arg = "REV",
     .doc = "The same, but what this revision names stays too. May be repeated."},
    {.name = "num",
     .letter = 'n',
     .kind = OPT_UINT,
     .at = offsetof(struct gc_opts, data.num),
     .arg = "N",
     .min = 1,
     .max = 1000000,
     .doc = "Of each --rev, branch and tag the last N commits (default: 1)."},
    {.name = "date",
     .kind = OPT_STRING,
     .at = offsetof(struct gc_opts, data.date),
     .arg = "DATE",
     .doc = "The same, but what any commit since that day names stays (2026-11-22, its "
	    "beginning here; or an instant as 2026-11-22T06:00:00Z)."},
    DATA_FLAG("all-experiments", 0, exps,
	      "The same, but what DVC's experiments name stays."),
    {.name = "projects",
     .letter = 'p',
     .kind = OPT_STRINGS,
     .at = offsetof(struct gc_opts, data.projects),
     .arg = "DIR",
     .doc = "What the repository at DIR uses stays too: for a cache or a remote that "
	    "several share. May be repeated."},
    DATA_FLAG("cloud", 'c', cloud, "Remove it from the remote too."),
    {.name = "remote",
     .letter = 'r',
     .kind = OPT_STRING,
     .at = offsetof(struct gc_opts, data.x.remote),
     .arg = "REMOTE",
     .doc = "That remote (default: the default one of 'dag remote')."},
    DATA_FLAG("not-in-remote", 0, not_in_remote,
	      "Remove from the cache also what is used, where the remote has it."),
    {.name = "grace",
     .kind = OPT_STRING,
     .at = offsetof(struct gc_opts, data.grace),
     .arg = "AGE",
     .doc = "Leave data that is younger than this (default: 1h; 0: none)."},
    DATA_FLAG("skip-failed", 0, skip_failed, NULL),
    ARTIFACT_JOBS(struct gc_opts, data.x.common),
    DATA_FLAG("force", 'f', force, "Do not ask."),
    DATA_FLAG("quiet", 'q', x.common.quiet, "Of data: say nothing but what went wrong."),
    {.name = "runs",
     .kind = OPT_FLAG,
     .at = offsetof(struct gc_opts, runs),
     .doc = "Delete old runs: their rows, logs and attempts; and what killed processes "
	    "have left behind."},
    {.name = "keep",
     .kind = OPT_STRING,
     .at = offsetof(struct gc_opts, keep),
     .arg = "AGE|N",
     .doc = "What is not old: runs that ended less than AGE ago (30d, 12h), or the N "
	    "newest runs of each DAG."},
    {.name = "dag",
     .kind = OPT_STRING,
     .at = offsetof(struct gc_opts, dag),
     .arg = "NAME",
     .doc = "Only runs of this DAG."},
    {.name = "last-too",
     .kind = OPT_FLAG,
     .at = offsetof(struct gc_opts, last_too),
     .doc = "Also the latest run of a DAG and its latest success, which are kept "
	    "otherwise."},
    {.name = "dry-run",
     .kind = OPT_FLAG,
     .at = offsetof(struct gc_opts, dry_run),
     .doc = "Show what would go and how much room it takes; delete nothing."},
    {.name = "dry",
     .kind = OPT_FLAG,
     .at = offsetof(struct gc_opts, dry_too),
     .doc = "The same as --dry-run."},
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct gc_opts, json),
     .doc = "Write one JSON object with what went."},
    {.name = NULL}};

struct line {
	char *name;
	struct gc_dag d;
};

struct collect {
	struct cli *c;
	const struct gc_opts *o;
	struct place place;
	struct gc gc;
	VEC(struct line) lines;
	int64_t told_us; /* of the progress */
	bool terminal, shown, failed;
};

/* ---- while it works ---- */

static void
on_dag(void *ctx, const struct gc_dag *d)
{
	struct collect *k = ctx;
	struct line l = {.name = strdup(d->name), .d = *d};

	if (l.name == NULL || vec_push(&k->lines, l) != 0) {
		free(l.name);
		k->failed = true;
	}
}

static void
on_progress(void *ctx, const struct gc_counts *n)
{
	struct collect *k = ctx;
	int64_t now = clock_now().mono_us;
	struct buf b;

	if (k->o->json || now - k->told_us < (k->terminal ? TELL_US : TELL_PLAIN_US))
		return;
	k->told_us = now;
	buf_init(&b, 0);
	buf_addf(&b, "%llu run%s", (unsigned long long)n->runs, n->runs == 1 ? "" : "s");
	if (n->run_bytes + n->orphan_bytes > 0) {
		buf_adds(&b, ", ");
		num_put_size(&b, n->run_bytes + n->orphan_bytes);
	}
	if (!buf_failed(&b) && k->terminal) {
		(void)dprintf(STDERR_FILENO, "\r\033[K%s %s", b.p,
			      k->gc.dry_run ? "found" : "deleted");
		k->shown = true;
	} else if (!buf_failed(&b)) {
		cli_note(k->c, "%s %s so far", b.p, k->gc.dry_run ? "found" : "deleted");
	}
	buf_release(&b);
}

static void
end_progress(struct collect *k)
{
	if (k->shown)
		(void)dprintf(STDERR_FILENO, "\r\033[K");
	k->shown = false;
}

/* ---- telling ---- */

static void
put_json(struct collect *k)
{
	const struct gc_counts *n = &k->gc.counts;
	struct json_writer w;

	json_init(&w, &k->c->out, 2);
	json_begin_object(&w);
	json_kv_bool(&w, "dry_run", k->gc.dry_run);
	json_kv_int(&w, "runs", (int64_t)n->runs);
	json_kv_int(&w, "bytes", (int64_t)(n->run_bytes + n->orphan_bytes));
	json_kv_int(&w, "busy", (int64_t)n->busy);
	json_kv_int(&w, "orphans", (int64_t)n->orphans);
	json_kv_int(&w, "definitions", (int64_t)n->definitions);
	json_kv_int(&w, "leftovers", (int64_t)n->leftovers);
	json_key(&w, "dags");
	json_begin_array(&w);
	vec_foreach (&k->lines, struct line, l) {
		json_begin_object(&w);
		json_kv_str(&w, "dag", l->name);
		json_kv_int(&w, "runs", (int64_t)l->d.runs);
		json_kv_int(&w, "bytes", (int64_t)l->d.bytes);
		json_kv_time(&w, "from", l->d.oldest_us);
		json_kv_time(&w, "to", l->d.newest_us);
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_addc(&k->c->out, '\n');
}

static void
put_line(struct collect *k, const struct line *l)
{
	struct buf *b = &k->c->out;

	(void)text_fit(b, l->name, NAMES_WIDTH);
	buf_addf(b, ": %llu run%s", (unsigned long long)l->d.runs,
		 l->d.runs == 1 ? "" : "s");
	if (l->d.bytes > 0) {
		buf_adds(b, ", ");
		num_put_size(b, l->d.bytes);
	}
	buf_adds(b, ", ended ");
	text_when(b, l->d.oldest_us);
	if (l->d.newest_us != l->d.oldest_us) {
		buf_adds(b, " to ");
		text_when(b, l->d.newest_us);
	}
	buf_addc(b, '\n');
}

static void
put_rest(struct collect *k)
{
	const struct gc_counts *n = &k->gc.counts;
	struct buf *b = &k->c->out;

	if (n->orphans > 0) {
		buf_addf(b, "%llu director%s of runs that are not in the database, ",
			 (unsigned long long)n->orphans, n->orphans == 1 ? "y" : "ies");
		num_put_size(b, n->orphan_bytes);
		buf_addc(b, '\n');
	}
	if (n->definitions > 0)
		buf_addf(b, "%llu definition%s that no run uses\n",
			 (unsigned long long)n->definitions,
			 n->definitions == 1 ? "" : "s");
	if (n->leftovers > 0)
		buf_addf(b, "%llu leftover%s of killed processes\n",
			 (unsigned long long)n->leftovers, n->leftovers == 1 ? "" : "s");
}

static void
put_text(struct collect *k)
{
	const struct gc_counts *n = &k->gc.counts;
	struct meta_sizes size;
	struct buf *b = &k->c->out;

	vec_foreach (&k->lines, struct line, l)
		put_line(k, l);
	put_rest(k);
	if (n->runs + n->orphans + n->definitions + n->leftovers == 0) {
		buf_adds(b, "nothing to delete\n");
	} else {
		buf_adds(b, k->gc.dry_run ? "would delete " : "deleted ");
		buf_addf(b, "%llu run%s; ", (unsigned long long)n->runs,
			 n->runs == 1 ? "" : "s");
		num_put_size(b, n->run_bytes + n->orphan_bytes);
		buf_adds(b, k->gc.dry_run ? " on the disk\n" : " of the disk are free\n");
	}
	if (n->busy > 0)
		cli_note(k->c, "%llu old run%s left alone: somebody owns %s now",
			 (unsigned long long)n->busy, n->busy == 1 ? " was" : "s were",
			 n->busy == 1 ? "it" : "them");
	if (n->runs == 0 || k->gc.dry_run ||
	    meta_sizes(k->place.meta, &size, NULL) != 0 || size.unused == 0)
		return;
	buf_adds(b, "the database keeps ");
	num_put_size(b, size.bytes);
	buf_adds(b, ", of which ");
	num_put_size(b, size.unused);
	buf_adds(b, " are free for new runs\n");
}

/* ---- the rule ---- */

/* "1000" is a number of runs, anything else an age. */
static int
read_keep(struct collect *k)
{
	const char *s = k->o->keep;
	struct meta_gc_rule *r = &k->gc.rule;
	int64_t us;

	if (s[0] != '\0' && s[strspn(s, "0123456789")] == '\0') {
		r->by_number = true;
		return num_u64(s, &r->newest);
	}
	if (num_duration(s, &us) < 0)
		return -1;
	r->ended_us = clock_now().wall_us - us; /* too long a one keeps all */
	return 0;
}

static int
check_opts(struct collect *k)
{
	const struct gc_opts *o = k->o;
	const char *stray = gc_data_stray(&o->data);

	if (gc_data_asked(&o->data) && o->runs)
		return cli_usage(k->c, "runs and data are two calls: 'dag gc --runs' "
				       "knows nothing of --workspace and the like");
	if (gc_data_asked(&o->data))
		return cli_usage(k->c, "--keep, --dag and --last-too have a meaning with "
				       "--runs only; of data --grace says what is young");
	if (stray != NULL)
		return cli_usage(k->c,
				 "--%s has a meaning for data only: say what of it stays "
				 "(--workspace, --all-commits, --date ...)",
				 stray);
	if (!o->runs)
		return cli_usage(k->c,
				 "say what is to go: dag gc --runs --keep 30d for old "
				 "runs, dag gc --workspace for data that nothing "
				 "names");
	if (o->keep == NULL)
		return cli_usage(k->c,
				 "say what is to be kept: --keep 30d, or --keep 1000 for "
				 "so many runs of each DAG");
	if (read_keep(k) != 0)
		return cli_usage(k->c,
				 "'%s' is neither an age (30d, 12h) nor a number of runs",
				 o->keep);
	return EXIT_OK;
}

static int
known_dag(struct collect *k, struct err *err)
{
	struct meta_run_filter f = {
	    .dag = k->o->dag, .state = -1, .result = -1, .limit = 1};
	struct meta_run *v;
	size_t n;

	if (k->o->dag == NULL)
		return 0;
	if (meta_runs(k->place.meta, &f, k->place.arena, &v, &n, err) != 0)
		return -1;
	return n > 0 ? 0 : err_set(err, ERR_NOTFOUND, "DAG '%s' has no runs", k->o->dag);
}

static int
work(struct collect *k, struct err *err)
{
	int rc = k->gc.dry_run ? place_open(k->c, &k->place, err)
			       : place_open_write(k->c, &k->place, err);

	if (rc != 0)
		return -1;
	if (k->place.meta == NULL)
		return err_set(err, ERR_NOTFOUND,
			       "nothing has been run in project '%s' yet",
			       k->place.project->root);
	if (known_dag(k, err) != 0)
		return -1;
	if (!k->gc.dry_run)
		place_note_interrupted(k->c, &k->place, NULL);
	k->gc.p = k->place.project;
	k->gc.m = k->place.meta;
	rc = gc_runs(&k->gc, err);
	end_progress(k);
	return rc;
}

static int
gc_verb(struct cli *c, const void *opts)
{
	const struct gc_opts *o = opts;
	struct collect k = {.c = c, .o = o};
	struct err err = {0};
	int rc;

	k.gc = (struct gc){.rule = {.dag = o->dag, .last_too = o->last_too},
			   .dry_run = o->dry_run || o->dry_too,
			   .ctx = &k,
			   .dag = on_dag,
			   .progress = on_progress};
	k.terminal = isatty(STDERR_FILENO) == 1;
	k.told_us = clock_now().mono_us;
	if (gc_data_asked(&o->data) && !o->runs && o->keep == NULL && o->dag == NULL &&
	    !o->last_too)
		return gc_data(c, &o->data, o->dry_run || o->dry_too, o->json);
	if ((rc = check_opts(&k)) != EXIT_OK)
		return rc;
	if (work(&k, &err) != 0)
		rc = cli_fail(c, &err);
	else if (k.failed) {
		(void)err_nomem(&err);
		rc = cli_fail(c, &err);
	}
	if (rc == EXIT_OK && o->json)
		put_json(&k);
	else if (rc == EXIT_OK)
		put_text(&k);
	vec_foreach (&k.lines, struct line, l)
		free(l->name);
	vec_release(&k.lines);
	place_close(&k.place);
	return rc;
}

const struct verb verb_gc = {
    .name = "gc",
    .group = GROUP_REST,
    .summary = "delete old runs, and data that nothing names any more",
    .args = "",
    .doc =
	"Delete runs that have ended and are older than --keep says, with their logs and "
	"the directories of their attempts. Never one that runs or was interrupted, nor "
	"(without --last-too) the latest run of a DAG or its latest success. The files "
	"that tasks have made are not touched.\n"
	"\n"
	"Without --dag also: directories of runs that are not in the database, "
	"definitions that no run uses any more, and leftovers of killed processes.\n"
	"\n"
	"Others can go on working meanwhile. Where it is interrupted the next gc goes "
	"on. The database does not become smaller; what is free in it is used again.\n"
	"\n"
	"With --workspace, --all-branches, --all-tags, --all-commits, --rev, --date or "
	"--all-experiments instead: "
	"remove data from the cache, and with --cloud from the remote, that nothing "
	"names "
	"any more. What the pointers of the work tree, of local branches, tags, stashes "
	"and of the HEADs of other work trees name always stays, as does what runs use "
	"that have not ended, what links in the work tree lead to, and what is younger "
	"than --grace. A damaged list ends it "
	"before anything is removed, as does what cannot be read, and a directory of the "
	"work "
	"tree whose list is nowhere. A remote may "
	"serve others, whose commits are not here: --projects names those that are on "
	"this "
	"machine.\n"
	"\n"
	"With --json, of data: \"dry_run\", \"cache\" and \"remote\" (null without "
	"--cloud), "
	"each with \"objects\" and \"bytes\" that went (or would), their \"paths\", how "
	"many "
	"are \"used\" and how many unused ones stay, being \"young\"; and \"unknown\", "
	"the "
	"directories whose lists are nowhere.",
    .examples = "dag gc --runs --keep 30d --dry-run\tshow what is older than 30 days\n"
		"dag gc --runs --keep 1000\tkeep the 1000 newest runs of each DAG\n"
		"dag gc -w --dry\tdata that nothing names",
    .opts = gc_opts,
    .size = sizeof(struct gc_opts),
    .run = gc_verb,
};
