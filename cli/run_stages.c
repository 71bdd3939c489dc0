#include "cli/run_stages.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/load.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/pipeline_select.h"
#include "scheduler/select.h"

/* ---- which of the two ---- */

/* The file in a word, "a/dvc.yaml" of "a/dvc.yaml:train"; its length, 0: it names none. */
static size_t
file_in(const char *word)
{
	static const char name[] = "dvc.yaml";
	size_t n = strlen(name);

	for (const char *p = strstr(word, name); p != NULL; p = strstr(p + 1, name))
		if ((p == word || p[-1] == '/') && (p[n] == '\0' || p[n] == ':'))
			return (size_t)(p - word) + n;
	n = strlen(word);
	return n > 4 && strcmp(word + n - 4, ".dvc") == 0 ? n : 0;
}

static const char *
here(const struct cli *c)
{
	return c->dir != NULL ? c->dir : ".";
}

/* Whether there is a dvc.yaml where the words are said. */
static bool
stages_here(const struct cli *c)
{
	struct buf b;
	bool there;

	buf_init(&b, 0);
	path_join(&b, here(c), "dvc.yaml");
	there = !buf_failed(&b) && access(b.p, F_OK) == 0;
	buf_release(&b);
	return there;
}

/* A name may be that of a DAG, which comes first, or of a stage. */
static bool
is_dag(const struct cli *c, const char *word)
{
	struct project p;
	char *path = NULL;
	int rc;

	if (project_find(NULL, c->dir, false, &p, NULL) != 0)
		return false;
	rc = find_named(&p, word, &path, NULL);
	free(path);
	project_release(&p);
	return rc == 0;
}

bool
stage_word_is(const struct cli *c, const char *word)
{
	size_t n = file_in(word);

	if (n > 0)
		return word[n] == ':';
	if (strpbrk(word, ":@") != NULL && strchr(word, '/') == NULL)
		return true;
	return !find_is_file(word) && stages_here(c) && !is_dag(c, word);
}

static bool
are_stages(const struct cli *c, const struct stage_opts *o, const struct stage_words *w)
{
	const char *word = w->n > 0 ? w->targets[0] : NULL;

	if (word == NULL)
		return o->all || stages_here(c);
	if (file_in(word) > 0 || o->recursive || o->all)
		return true;
	if (strpbrk(word, ":@") != NULL && strchr(word, '/') == NULL)
		return true;
	if (find_is_file(word))
		return false;
	return w->n > 1 || w->pipeline || w->single || o->downstream || o->glob ||
	       (stages_here(c) && !is_dag(c, word));
}

/* ---- taking apart ---- */

static void
add_target(struct stage_words *w, const char *word)
{
	if (*word != '\0')
		w->targets[w->n++] = word;
}

static void
take_params(struct stage_words *w, const struct opt_strings *params)
{
	for (size_t i = 0; i < params->n; i++) {
		if (strchr(params->v[i], '=') != NULL) {
			w->params.v[w->params.n++] = params->v[i];
			continue;
		}
		w->pipeline = true;
		add_target(w, params->v[i]);
	}
}

/* Whether a value of -s can only be a selector. */
static bool
is_selector(const char *s)
{
	return strpbrk(s, "+*?[, ") != NULL || *s == '@' || strncmp(s, "tag:", 4) == 0;
}

/* Whether only files are named, whole: of a selector it is the stages, then. */
static bool
names_files(const struct stage_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (file_in(w->targets[i]) != strlen(w->targets[i]))
			return false;
	return w->n > 0;
}

static void
take_selectors(struct stage_words *w, const struct selection_opts *sel)
{
	bool all = !w->stages || names_files(w);

	for (size_t i = 0; i < sel->select.n; i++) {
		const char *s = sel->select.v[i];

		if (*s != '\0' && (all || is_selector(s))) {
			w->sel.select.v[w->sel.select.n++] = s;
			continue;
		}
		w->single = true;
		add_target(w, s);
	}
	w->sel.exclude = sel->exclude;
}

/* A DAG takes one word, and none of repro's options. */
static int
check_dag(struct cli *c, const struct stage_opts *o, const struct opt_strings *params,
	  const struct stage_words *w)
{
	for (size_t i = 0; i < params->n; i++) {
		if (params->v[i][0] == '\0')
			return cli_usage(c, "option '--param' needs a value: --param "
					    "NAME=VALUE");
		if (strchr(params->v[i], '=') == NULL)
			return cli_usage(c, "option '--param' takes NAME=VALUE, not '%s'",
					 params->v[i]);
	}
	if (w->n == 0 && c->nargs > 0)
		return cli_usage(c, "'' is neither a file nor the name of a DAG ('dag "
				    "list' shows what there is)");
	if (w->n == 0)
		return cli_usage(c,
				 "'dag run' needs FILE|NAME: there is no dvc.yaml here");
	if (w->n > 1)
		return cli_usage(c, "one word too many for 'dag run': '%s'",
				 w->targets[1]);
	if (o->pipeline || o->downstream || o->glob)
		return cli_usage(
		    c, "option '--%s' is for stages of dvc.yaml, and '%s' is a DAG",
		    o->pipeline	    ? "pipeline"
		    : o->downstream ? "downstream"
				    : "glob",
		    w->targets[0]);
	return 0;
}

int
stage_words_take(struct cli *c, const struct stage_opts *o,
		 const struct opt_strings *params, const struct selection_opts *sel,
		 struct arena *a, struct stage_words *w)
{
	size_t room = c->nargs + params->n + sel->select.n + 1;
	struct err err = {0};

	*w = (struct stage_words){.pipeline = o->pipeline,
				  .targets = arena_array(a, room, sizeof(*w->targets))};
	w->params.v = arena_array(a, room, sizeof(*w->params.v));
	w->sel.select.v = arena_array(a, room, sizeof(*w->sel.select.v));
	if (w->targets == NULL || w->params.v == NULL || w->sel.select.v == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	for (size_t i = 0; i < c->nargs; i++)
		add_target(w, c->args[i]);
	/* "-s" and nothing behind it speaks of stages, and so does a plain word without a DAG. */
	for (size_t i = 0; i < sel->select.n; i++)
		w->single = w->single || sel->select.v[i][0] == '\0' ||
			    (c->nargs == 0 && !is_selector(sel->select.v[i]));
	w->stages = (w->single && w->n == 0) || are_stages(c, o, w);
	if (w->stages || w->n == 0)
		take_params(w, params);
	w->stages = w->stages || (w->n > 0 && c->nargs == 0);
	w->single = false;
	take_selectors(w, sel);
	if (w->stages)
		return 0;
	w->params = *params;
	return check_dag(c, o, params, w);
}

/* ---- loading ---- */

/* The directory whose repository is meant: that of the first file that is named, or ours. */
static int
put_dir(const struct cli *c, const struct stage_words *w, struct buf *out,
	struct err *err)
{
	size_t n = 0, i;

	for (i = 0; i < w->n && n == 0; i++)
		n = file_in(w->targets[i]);
	if (n == 0) {
		buf_adds(out, here(c));
	} else {
		const char *word = w->targets[i - 1];

		if (*word == '/' || c->dir == NULL)
			buf_adds(out, *word == '/' ? "" : "./");
		else
			buf_addf(out, "%s/", c->dir);
		buf_add(out, word, n);
		while (out->n > 1 && out->p[out->n - 1] != '/')
			buf_truncate(out, out->n - 1);
	}
	return buf_failed(out) ? err_nomem(err) : 0;
}

static int
load(struct cli *c, const char *dir, struct loaded *l, struct err *err)
{
	struct buf where;
	char *real;
	int rc;

	real = realpath(dir, NULL);
	if (real == NULL)
		return err_set(err, ERR_NOTFOUND, "there is no directory '%s'", dir);
	buf_init(&where, 0);
	rc = project_find(real, c->dir, false, &l->project, err);
	if (rc == 0 && (l->diag = diag_new()) == NULL)
		rc = err_nomem(err);
	if (rc == 0)
		rc = pipeline_open(&l->project, real, false, l->diag, &l->source.pipeline,
				   err);
	buf_release(&where);
	free(real);
	if (rc != 0)
		return -1;
	l->source.dag = l->source.pipeline.dag;
	l->source.pipeline.dag = NULL;
	if (l->source.dag == NULL)
		return 0;
	l->source.rel = strdup(pipeline_file(&l->source.dag->tasks[0]));
	l->source.path = l->source.rel != NULL ? strdup(l->source.rel) : NULL;
	return l->source.path != NULL ? 0 : err_nomem(err);
}

int
stage_words_load(struct cli *c, const struct stage_words *w, struct loaded *l)
{
	struct err err = {0};
	struct buf dir;
	int rc;

	*l = (struct loaded){.project = {.root_fd = -1, .state_fd = -1},
			     .source = {.file = -1}};
	buf_init(&l->source.text, 0);
	buf_init(&dir, 0);
	rc = put_dir(c, w, &dir, &err);
	if (rc == 0)
		rc = load(c, dir.p, l, &err);
	buf_release(&dir);
	if (l->diag != NULL && diag_count(l->diag) > 0)
		cli_diag(c, l->diag);
	if (rc != 0)
		return cli_fail(c, &err);
	return l->source.dag != NULL ? 0 : EXIT_USAGE;
}

/* ---- selecting ---- */

static int
pick(const struct stage_words *w, const struct pipeline_want *want,
     const struct loaded *l, bool *selected, struct arena *a, struct err *err)
{
	const struct dag *g = l->source.dag;
	bool *more;

	/* Selectors say all where no stage is named. */
	if ((w->sel.select.n == 0 || !(w->n == 0 || names_files(w)) || want->all) &&
	    pipeline_select(g, want, selected, err) != 0)
		return -1;
	if (w->sel.select.n == 0)
		return 0;
	more = arena_array(a, g->ntasks + 1, sizeof(*more));
	if (more == NULL)
		return err_nomem(err);
	if (select_tasks(g, w->sel.select.v, w->sel.select.n, more, err) != 0)
		return -1;
	for (size_t i = 0; i < g->ntasks; i++)
		selected[i] = selected[i] || more[i];
	return 0;
}

int
stage_words_select(struct cli *c, const struct stage_words *w, const struct stage_opts *o,
		   const struct loaded *l, struct arena *a, bool **selected,
		   struct err *err)
{
	struct pipeline_want want = {.targets = w->targets,
				     .n = w->n,
				     .root = l->project.root,
				     .all = o->all,
				     .single = w->single,
				     .pipeline = w->pipeline,
				     .downstream = o->downstream,
				     .recursive = o->recursive,
				     .glob = o->glob,
				     .tracked = &l->source.pipeline.list};
	struct buf dir;
	int rc;

	*selected = arena_array(a, l->source.dag->ntasks + 1, sizeof(**selected));
	if (*selected == NULL)
		return err_nomem(err);
	buf_init(&dir, 0);
	rc = project_relative(&l->project, here(c), &dir, err);
	want.dir = dir.p;
	if (rc == 0)
		rc = pick(w, &want, l, *selected, a, err);
	buf_release(&dir);
	if (rc == 0 && w->sel.exclude.n > 0 &&
	    select_exclude(l->source.dag, w->sel.exclude.v, w->sel.exclude.n, *selected,
			   err) != 0)
		rc = err_wrap(err, "option '--exclude'");
	return rc;
}
