/*
 * dag plots: what dvc.yaml says is to be drawn, of one or several revisions, as a page.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json.h"
#include "base/path.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/git.h"
#include "store/pipeline/value_text.h"
#include "store/report/plots.h"
#include "store/report/plots_page.h"
#include "store/report/snapshot.h"
#include "store/track/collect_rev.h"

#define REVS_MAX 50 /* that are drawn together */

static const char WORKSPACE[] = "workspace"; /* DVC's word for the work tree */

struct plots_opts {
	struct artifact_opts common;
	struct opt_strings targets;
	const char *out, *x, *y, *title, *x_label, *y_label, *template;
	bool json, split, no_header;
};

struct drawing {
	struct artifact a;
	const struct plots_opts *o;
	bool diff;
	const char *const *words; /* the targets */
	size_t nwords;
	char *const *revs;
	size_t nrevs;
	struct snapshot_source source;
	VEC(struct snapshot *) snapshots;
	struct plots plots;
	struct buf page;
};

/* ---- the words ---- */

static int
understand(struct drawing *k)
{
	struct cli *c = k->a.c;
	const char *word = c->nargs > 0 ? c->args[0] : "show";
	char **rest = c->args + (c->nargs > 0 ? 1 : 0);
	size_t n = c->nargs > 0 ? c->nargs - 1 : 0;

	k->diff = strcmp(word, "diff") == 0;
	if (!k->diff && strcmp(word, "show") != 0)
		return cli_usage(
		    c, "'%s' is nothing that plots can do: it is show or diff", word);
	if (!k->diff && k->o->targets.n > 0)
		return cli_usage(c, "--targets is for 'dag plots diff'");
	if (k->o->split && !k->o->json)
		return cli_usage(c, "--split is for --json");
	if (k->o->json && k->o->out != NULL)
		return cli_usage(c, "--json and --out exclude each other");
	if (k->o->template != NULL && !plots_template_known(k->o->template))
		return cli_usage(c,
				 "there is no template '%s': linear, scatter, "
				 "bar_horizontal, bar_horizontal_sorted, confusion, "
				 "confusion_normalized",
				 k->o->template);
	if (k->diff && n > REVS_MAX)
		return cli_usage(c, "at most %d revisions can be drawn together",
				 REVS_MAX);
	k->words = k->diff ? k->o->targets.v : (const char *const *)rest;
	k->nwords = k->diff ? k->o->targets.n : n;
	k->revs = rest;
	k->nrevs = k->diff ? n : 0;
	return EXIT_OK;
}

/* ---- the work ---- */

static int
add_snapshot(struct drawing *k, const char *name, const char *commit, struct err *err)
{
	struct snapshot *s;

	vec_foreach (&k->snapshots, struct snapshot *const, it)
		if (strcmp((*it)->name, name) == 0)
			return 0;
	s = calloc(1, sizeof *s);
	if (s == NULL || vec_push(&k->snapshots, s) != 0) {
		free(s);
		return err_nomem(err);
	}
	return snapshot_open(&k->source, name, commit, s, err);
}

static int
add_rev(struct drawing *k, const char *rev, struct err *err)
{
	char id[REPO_ID];

	if (strcmp(rev, WORKSPACE) == 0)
		return add_snapshot(k, rev, NULL, err);
	return repo_resolve(k->source.git, rev, id, err) == 0
		   ? add_snapshot(k, rev, id, err)
		   : -1;
}

static int
open_git(struct drawing *k, struct err *err)
{
	struct repo *git = NULL;

	if (artifact_git(&k->a, &git, err) != 0)
		return -1;
	if (git == NULL)
		return err_set(err, ERR_NOTFOUND,
			       "there is no git repository here, and so no revision to "
			       "read");
	k->source.git = git;
	return track_revs_open(&k->a.track, git, &k->source.revs, err);
}

/* The work tree before the others, as DVC has it; alone where nothing is committed yet. */
static int
open_revs(struct drawing *k, struct err *err)
{
	struct repo_head head;
	bool work = k->nrevs < 2;
	int rc = 0;

	if (k->diff && open_git(k, err) != 0)
		return -1;
	for (size_t i = 0; i < k->nrevs; i++)
		work = work || strcmp(k->revs[i], WORKSPACE) == 0;
	if (work)
		rc = add_snapshot(k, WORKSPACE, NULL, err);
	for (size_t i = 0; i < k->nrevs && rc == 0; i++)
		rc = add_rev(k, k->revs[i], err);
	if (rc != 0 || !k->diff || k->nrevs != 0)
		return rc;
	if (repo_head(k->source.git, &head, err) != 0)
		return -1;
	return head.id[0] != '\0' ? add_snapshot(k, "HEAD", head.id, err) : 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct drawing *k = arg;
	struct plots_options o = {.words = k->words,
				  .ntargets = k->nwords,
				  .template = k->o->template,
				  .x = k->o->x,
				  .y = k->o->y,
				  .title = k->o->title,
				  .x_label = k->o->x_label,
				  .y_label = k->o->y_label,
				  .no_header = k->o->no_header,
				  .meter = m};

	k->source = (struct snapshot_source){.ws = &k->a.ws,
					     .root = k->a.track.root,
					     .work = &k->a.list,
					     .meter = m,
					     .diag = diag_new()};
	if (k->source.diag == NULL)
		return err_nomem(err);
	meter_begin(m, "reading plots");
	o.paths = artifact_paths(&k->a, k->words, k->nwords, err);
	if (o.paths == NULL || open_revs(k, err) != 0 ||
	    plots_read(&o, k->snapshots.v, k->snapshots.n, &k->plots, err) != 0)
		return -1;
	return k->o->json || k->plots.v.n == 0 ? 0 : plots_page(&k->plots, &k->page, err);
}

/* ---- what comes out ---- */

static int
put_page(struct drawing *k, struct err *err)
{
	const char *out = k->o->out != NULL ? k->o->out : "dvc_plots";
	size_t n = strlen(out);
	bool file = n > 5 && strcmp(out + n - 5, ".html") == 0;
	struct buf path, dir;
	char *cwd = NULL;
	int rc = 0;

	buf_init(&path, 0);
	buf_init(&dir, 0);
	path_join(&path, out, file ? "" : "index.html");
	if (file)
		buf_truncate(&path, n);
	path_normalize(&dir, path.p);
	n = (size_t)(path_basename(dir.p) - dir.p);
	buf_clear(&path);
	buf_add(&path, dir.p, n > 1 ? n - 1 : n);
	if (buf_failed(&path) || buf_failed(&dir))
		rc = err_nomem(err);
	if (rc == 0 && n != 0)
		rc = fsio_mkdirs(AT_FDCWD, path.p, 0777, err);
	if (rc == 0)
		rc =
		    fsio_replace_lazily(AT_FDCWD, dir.p, k->page.p, k->page.n, 0666, err);
	if (rc == 0 && (cwd = fsio_realpath(dir.p, err)) == NULL)
		rc = -1;
	if (rc == 0)
		buf_addf(&k->a.c->out, "%s\n", cwd);
	free(cwd);
	buf_release(&dir);
	buf_release(&path);
	return rc;
}

static void
json_points(struct json_writer *w, const struct plot *plot)
{
	struct buf b;

	json_key(w, "<DVC_METRIC_DATA>");
	json_begin_array(w);
	vec_foreach (&plot->points, struct yaml_node *const, it) {
		buf_init(&b, 0);
		value_put_json(*it, &b);
		json_raw(w, b.p, b.n);
		if (buf_failed(&b))
			w->out->state = b.state;
		buf_release(&b);
	}
	json_end(w);
}

static void
json_plot(struct json_writer *w, const struct plot *plot)
{
	json_key(w, plot->id);
	json_begin_array(w);
	vec_foreach (&plot->images, const struct plot_image, it) {
		json_begin_object(w);
		json_kv_str(w, "type", "image");
		json_key(w, "revisions");
		json_begin_array(w);
		json_str(w, it->rev);
		json_end(w);
		json_kv_str(w, "path", it->path);
		json_end(w);
	}
	if (plot->points.n != 0) {
		json_begin_object(w);
		json_kv_str(w, "type", "vega");
		json_key(w, "revisions");
		json_begin_array(w);
		vec_foreach (&plot->revs, const char *const, it)
			json_str(w, *it);
		json_end(w);
		json_key(w, "anchor_definitions");
		json_begin_object(w);
		json_kv_str(w, "<DVC_METRIC_TITLE>",
			    plot->title != NULL ? plot->title : plot->id);
		json_kv_str(w, "<DVC_METRIC_X_LABEL>", plot->x_label);
		json_kv_str(w, "<DVC_METRIC_Y_LABEL>", plot->y_label);
		json_points(w, plot);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

static int
put_json(struct drawing *k)
{
	struct buf *out = &k->a.c->out;
	bool any = false;
	struct json_writer w;

	json_init(&w, out, 0);
	json_begin_object(&w);
	vec_foreach (&k->plots.v, struct plot *const, it)
		vec_foreach (&(*it)->problems, const struct plot_problem, p) {
			if (!any) {
				json_key(&w, "errors");
				json_begin_array(&w);
				any = true;
			}
			json_begin_object(&w);
			json_kv_str(&w, "name", (*it)->id);
			json_kv_str(&w, "rev", p->rev);
			if (p->source != NULL)
				json_kv_str(&w, "source", p->source);
			json_kv_str(&w, "type",
				    p->code == ERR_NOTFOUND ? "FileNotFoundError"
							    : "DvcException");
			json_kv_str(&w, "msg", p->why);
			json_end(&w);
		}
	if (any)
		json_end(&w);
	if (k->plots.v.n != 0) {
		json_key(&w, "data");
		json_begin_object(&w);
		vec_foreach (&k->plots.v, struct plot *const, it)
			json_plot(&w, *it);
		json_end(&w);
	}
	json_end(&w);
	buf_addc(out, '\n');
	return buf_failed(out) ? -1 : 0;
}

/* Return whether something has mistakes. */
static bool
warn(struct drawing *k)
{
	bool bad = false;

	if (diag_errors(k->source.diag) != 0)
		cli_diag(k->a.c, k->source.diag);
	vec_foreach (&k->plots.v, struct plot *const, it)
		vec_foreach (&(*it)->problems, const struct plot_problem, p) {
			struct buf b;

			buf_init(&b, 0);
			artifact_put_path(&k->a,
					  p->source != NULL ? p->source : (*it)->id, &b);
			bad = bad || p->code != ERR_NOTFOUND;
			cli_warn(k->a.c, "%s of %s is left out: %s", b.p, p->rev, p->why);
			buf_release(&b);
		}
	if (k->plots.v.n == 0 && !k->o->json)
		cli_note(k->a.c, "dvc.yaml names no plots, and no file was given");
	return bad;
}

/* ---- the verb ---- */

static void
release(struct drawing *k)
{
	plots_release(&k->plots);
	vec_foreach (&k->snapshots, struct snapshot *const, it) {
		snapshot_close(*it);
		free(*it);
	}
	vec_release(&k->snapshots);
	buf_release(&k->page);
	diag_free(k->source.diag);
	track_revs_close(k->source.revs);
	artifact_close(&k->a);
}

static int
plots_verb(struct cli *c, const void *opts)
{
	struct drawing k = {.o = opts};
	struct err err = {0};
	int code, rc = 0;

	k.a.c = c;
	buf_init(&k.page, PLOTS_PAGE_MAX);
	if ((code = understand(&k)) != EXIT_OK)
		return code;
	if (artifact_open_all(c, &k.o->common, false, &k.a, &err) != 0 ||
	    artifact_work(&k.a, work, &k, &err) != 0) {
		code = artifact_fail(&k.a, &err);
	} else {
		if (k.o->json)
			rc = put_json(&k) == 0 ? 0 : err_nomem(&err);
		else if (k.plots.v.n != 0)
			rc = put_page(&k, &err);
		if (rc != 0)
			code = cli_fail(c, &err);
		(void)cli_flush(c);
		if (warn(&k) && code == EXIT_OK)
			code = EXIT_WORK;
	}
	release(&k);
	return code;
}

#define TEXT_OPT(NAME, LETTER, MEMBER, ARG, DOC)                                      \
	{                                                                             \
		.name = (NAME), .letter = (LETTER), .kind = OPT_STRING,               \
		.at = offsetof(struct plots_opts, MEMBER), .arg = (ARG), .doc = (DOC) \
	}
#define FLAG_OPT(NAME, MEMBER, DOC)                                     \
	{                                                               \
		.name = (NAME), .kind = OPT_FLAG,                       \
		.at = offsetof(struct plots_opts, MEMBER), .doc = (DOC) \
	}

static const struct opt plots_opts[] = {
    {.name = "targets",
     .kind = OPT_STRINGS,
     .at = offsetof(struct plots_opts, targets),
     .arg = "PLOT",
     .doc = "Of diff: only these plots or files; may be given again."},
    TEXT_OPT("out", 'o', out, "DIR|FILE",
	     "Write DIR/index.html, or FILE if its name ends in .html (default: "
	     "dvc_plots/index.html)."),
    TEXT_OPT("template", 't', template, "NAME",
	     "How to draw: linear, scatter, bar_horizontal, bar_horizontal_sorted, "
	     "confusion, confusion_normalized."),
    TEXT_OPT("x-axis", 'x', x, "FIELD", "What is drawn along x."),
    TEXT_OPT("y-axis", 'y', y, "FIELD", "What is drawn along y."),
    TEXT_OPT("title", 0, title, "TEXT", "The title."),
    TEXT_OPT("x-label", 0, x_label, "TEXT", "What stands at the x axis."),
    TEXT_OPT("y-label", 0, y_label, "TEXT", "What stands at the y axis."),
    FLAG_OPT("no-header", no_header, "The first line of CSV and TSV is data."),
    FLAG_OPT("json", json, "Write the points as JSON, and no page."),
    FLAG_OPT("split", split, "With --json: as it is without it."),
    {.name = NULL}};

const struct verb verb_plots = {
    .name = "plots",
    .group = GROUP_DATA,
    .summary = "draw what runs have written, of one or several revisions",
    .args = "[show [PLOT|FILE...] | diff [REV...]]",
    .max = 10000,
    .doc =
	"  dag plots show [PLOT|FILE...]  of the work tree\n"
	"  dag plots diff [REV...]        of revisions of git: one, or none (HEAD),\n"
	"                                 together with the work tree\n"
	"\n"
	"Plots are files that dvc.yaml names under `plots`, of a stage or by themselves: "
	"CSV, TSV, JSON, YAML and pictures. They become one HTML page that needs no "
	"network and no other file, whose path is printed. A file that is not there is "
	"named on standard error and left out; one with mistakes makes the exit status "
	"1.",
    .examples = "dag plots show\tdvc_plots/index.html\n"
		"dag plots diff main -o report.html\tthis branch and main\n"
		"dag plots show loss.csv -x epoch -y loss\tany file",
    .opts = plots_opts,
    .size = sizeof(struct plots_opts),
    .run = plots_verb,
};
