/*
 * dag exp run: stages run with other params, each time in a work tree of its own, and what comes
 * of it is kept as an experiment.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/libexec.h"
#include "base/path.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/exp_run.h"
#include "cli/load.h"
#include "cli/outbox.h"
#include "cli/run_stages.h"
#include "store/dvc/config.h"

/* ---- where ---- */

static int
find_places(struct exp_run *x, struct err *err)
{
	const struct exp_call *k = x->k;
	struct arena *a = x->a.arena;

	x->project = exp_below_top(k, a, x->a.project.root, err);
	if (x->project != NULL)
		x->root = exp_below_top(k, a, x->a.track.root, err);
	if (x->root != NULL)
		x->here = exp_here(k, a, err);
	return x->here != NULL ? 0 : -1;
}

/* ---- what is wrong with what was asked ---- */

static int
check_settings(struct exp_run *x, struct err *err)
{
	if (exp_check_base(x->k, &x->head, err) != 0)
		return -1;
	if (config_bool(x->a.track.config, "exp", "auto_push", false))
		cli_warn(x->k->c,
			 "exp.auto_push is set, but nothing is pushed here: 'dag "
			 "push' and 'git push' do it");
	if (!config_bool(x->a.track.config, "hydra", "enabled", false) ||
	    x->k->o->no_hydra)
		return 0;
	return err_set(err, ERR_INVALID,
		       "hydra.enabled is set, and what Hydra composes is not known here: "
		       "--no-hydra takes params.yaml as it is");
}

/* The file that an override is about, links on the way followed. */
static int
find_file(struct exp_run *x, const struct override *o, const char **out, struct err *err)
{
	const char *dir = x->k->c->dir, *top = repo_top(x->k->git);
	const char *name = path_basename(o->file);
	struct buf b;
	char *real = NULL;
	int rc = 0;

	buf_init(&b, 0);
	path_join(&b, dir != NULL ? dir : ".", o->file);
	buf_truncate(&b, b.n - strlen(name));
	buf_addc(&b, '.');
	if (buf_failed(&b))
		rc = err_nomem(err);
	else if ((real = fsio_realpath(b.p, err)) == NULL)
		rc = err_wrap(err, "-S '%.200s'", o->word);
	buf_clear(&b);
	if (rc == 0 && path_is_below(real, top))
		path_join(&b, real + strlen(top) + (real[strlen(top)] == '/'), name);
	if (rc == 0 && (b.n == 0 || path_is_below(b.p, ".git")))
		rc = err_set(err, ERR_INVALID,
			     "-S '%.200s': '%s' is not a file of this repository",
			     o->word, o->file);
	if (rc == 0 && (*out = arena_strdup(x->a.arena, b.p)) == NULL)
		rc = err_nomem(err);
	free(real);
	buf_release(&b);
	return rc;
}

static int
check_overrides(struct exp_run *x, struct err *err)
{
	const struct opt_strings *set = &x->k->o->set;
	const char *dir = x->k->c->dir;

	if (override_parse(x->a.arena, set->v, set->n, &x->overrides, err) != 0)
		return -1;
	x->params = arena_array(x->a.arena, x->overrides.n + 1, sizeof(*x->params));
	if (x->params == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < x->overrides.n; i++)
		if (find_file(x, &x->overrides.v[i], &x->params[i], err) != 0)
			return -1;
	return override_check(&x->overrides, dir != NULL ? dir : ".", err);
}

/* The words name stages that are there.  Return 0 or the exit code; mistakes are printed. */
static int
check_stages(struct exp_run *x)
{
	const struct exp_opts *o = x->k->o;
	const char **targets = arena_array(x->a.arena, x->k->n + 1, sizeof(*targets));
	struct stage_words w = {
	    .stages = true, .targets = targets, .n = x->k->n, .single = o->single};
	struct cli *c = x->k->c;
	struct err err = {0};
	struct loaded l;
	bool *selected;
	int rc;

	if (targets == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	for (size_t i = 0; i < x->k->n; i++)
		targets[i] = x->k->words[i];
	rc = stage_words_load(c, &w, &l);

	/* Other values may make other stages. */
	if (rc == 0 && o->set.n == 0 &&
	    stage_words_select(c, &w, &o->stages, &l, x->a.arena, &selected, &err) != 0)
		rc = cli_fail(c, &err);
	load_release(&l);
	return rc;
}

/* ---- which experiments ---- */

static bool
is_taken(void *ctx, const char *name)
{
	const struct exp_run *x = ctx;

	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i].name, name) == 0)
			return true;
	return exp_name_taken(x->k, x->head.id, name);
}

static int
name_one(struct exp_run *x, size_t i, struct buf *b, struct err *err)
{
	const char *name = x->k->o->name;

	if (name == NULL)
		return exp_name_draw(is_taken, x, b, err);
	buf_adds(b, name);
	if (x->overrides.runs > 1)
		buf_addf(b, "-%zu", i + 1);
	if (buf_failed(b))
		return err_nomem(err);
	if (exp_name_check(x->k->git, b->p, err) != 0)
		return -1;
	if (!x->k->o->force && exp_name_taken(x->k, x->head.id, b->p))
		return err_set(err, ERR_EXISTS,
			       "there is an experiment '%s' already: --force runs "
			       "everything anew and replaces it",
			       b->p);
	return 0;
}

static int
make_list(struct exp_run *x, struct err *err)
{
	struct buf b;
	int rc = 0;

	x->v = arena_array(x->a.arena, x->overrides.runs, sizeof(*x->v));
	if (x->v == NULL)
		return err_nomem(err);
	buf_init(&b, 0);
	while (rc == 0 && x->n < x->overrides.runs) {
		struct exp_one *one = &x->v[x->n];

		*one = (struct exp_one){.run = x->n, .trial = {.lock = -1}};
		buf_clear(&b);
		rc = name_one(x, x->n, &b, err);
		if (rc == 0 && (one->name = arena_strdup(x->a.arena, b.p)) == NULL)
			rc = err_nomem(err);
		buf_clear(&b);
		override_put(&x->overrides, x->n, &b);
		one->what = buf_failed(&b)
				? NULL
				: arena_strndup(x->a.arena, b.n > 0 ? b.p : "", b.n);
		if (rc == 0 && one->what == NULL)
			rc = err_nomem(err);
		if (rc == 0)
			x->n++;
	}
	buf_release(&b);
	return rc;
}

/* ---- command lines ---- */

typedef VEC(char *) word_list;

/* A word that could not be made, for want of memory, is NULL. */
static int
add_word(struct exp_run *x, word_list *l, const char *word)
{
	char *copy = word != NULL ? arena_strdup(x->a.arena, word) : NULL;

	return copy != NULL && vec_push(l, copy) == 0 ? 0 : -1;
}

static int
end_words(word_list *l)
{
	return vec_push(l, NULL) == 0 ? 0 : -1;
}

/* A word that is no file is a stage, and no DAG of that name. */
static int
add_target(struct exp_run *x, word_list *l, const char *word)
{
	size_t n = strlen(word);
	bool plain = strchr(word, ':') == NULL && !x->k->o->stages.recursive &&
		     strcmp(path_basename(word), "dvc.yaml") != 0 &&
		     !(n > 4 && strcmp(word + n - 4, ".dvc") == 0);

	return add_word(x, l,
			plain ? arena_printf(x->a.arena, "dvc.yaml:%s", word) : word);
}

static int
add_flags(struct exp_run *x, word_list *l)
{
	const struct exp_opts *o = x->k->o;
	const struct {
		bool on;
		const char *word;
	} flags[] = {{o->force, "--force"},
		     {o->pull, "--pull"},
		     {o->allow_missing, "--allow-missing"},
		     {o->no_run_cache, "--no-run-cache"},
		     {o->stages.pipeline, "--pipeline"},
		     {o->stages.all, "--all-pipelines"},
		     {o->stages.recursive, "--recursive"},
		     {o->stages.downstream, "--downstream"},
		     {o->stages.glob, "--glob"},
		     {o->stages.keep_going, "--keep-going"}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].on && add_word(x, l, flags[i].word) != 0)
			return -1;
	return 0;
}

/* Those that run at once share the processors. */
static const char *
jobs_of_one(struct exp_run *x)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long each = cpus > 0 ? cpus / (long)x->jobs : 1;

	return arena_printf(x->a.arena, "%ld", each > 1 ? each : 1);
}

/* The data that the named stages are made of; all of it where other words say which. */
static int
make_checkout(struct exp_run *x, word_list *l)
{
	static const char *const words[] = {"dag", "checkout", "--allow-missing", "-q"};
	const struct stage_opts *o = &x->k->o->stages;
	size_t n = x->k->n;
	int rc = 0;

	if (o->pipeline || o->all || o->recursive || o->downstream || o->glob)
		n = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(words) / sizeof(words[0]); i++)
		rc = add_word(x, l, words[i]);
	if (rc == 0 && n > 0)
		rc = add_word(x, l, "--with-deps");
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_target(x, l, x->k->words[i]);
	return rc == 0 ? end_words(l) : -1;
}

static int
make_run(struct exp_run *x, word_list *l)
{
	static const char *const words[] = {"dag", "run", "--progress", "plain", "-j"};
	const struct exp_call *k = x->k;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(words) / sizeof(words[0]); i++)
		rc = add_word(x, l, words[i]);
	if (rc == 0)
		rc = add_word(x, l, jobs_of_one(x));
	if (rc == 0)
		rc = add_flags(x, l);
	for (size_t i = 0; rc == 0 && i < k->n; i++) {
		if (k->o->single)
			rc = add_word(x, l, "-s");
		if (rc == 0)
			rc = add_target(x, l, k->words[i]);
	}
	if (rc == 0 && k->n == 0 && !k->o->stages.all) {
		if (k->o->single)
			rc = add_word(x, l, "-s");
		if (rc == 0)
			rc = add_target(x, l, "dvc.yaml");
	}
	return rc == 0 ? end_words(l) : -1;
}

static int
make_commands(struct exp_run *x, struct err *err)
{
	word_list checkout = {0}, run = {0};
	int rc = make_checkout(x, &checkout);

	if (rc == 0)
		rc = make_run(x, &run);
	x->checkout = checkout.v;
	x->run = run.v;
	return rc == 0 ? 0 : err_nomem(err);
}

/* ---- the work ---- */

static int
find_copies(struct exp_run *x, struct err *err)
{
	const struct opt_strings *words = &x->k->o->copy;

	for (size_t i = 0; i < words->n; i++) {
		const char *path =
		    exp_path(x->k, x->a.arena, words->v[i], "--copy-paths", err);

		if (path == NULL)
			return -1;
		if (vec_push(&x->copies, path) != 0)
			return err_nomem(err);
	}
	return 0;
}

static int
prepare(void *arg, struct meter *m, struct err *err)
{
	struct exp_run *x = arg;
	struct keep_options o = {.from = x->k->git,
				 .into = x->k->git,
				 .root = x->a.track.root,
				 /* Also those that git does not have yet. */
				 .more = x->params,
				 .n = x->overrides.n,
				 .ignored = &x->copies,
				 .arena = x->a.arena,
				 .base = x->head.id,
				 .stop = &m->cancel};
	int rc;

	meter_begin(m, "reading the work tree");
	if (trials_sweep(x->a.project.state, err) != 0)
		return -1;
	rc = keep_tree(&o, &x->start, err);
	meter_begin(m, "hashing");
	if (rc == 0)
		rc = bring_changed(&x->a.ws, &x->a.list, x->a.arena, &x->changed, err);
	/* From here on others may change what they like. */
	track_unlock(&x->a.track);
	return rc;
}

/* Return 0 or the exit code; mistakes are printed. */
static int
check(struct exp_run *x)
{
	struct err err = {0};
	int rc;

	if (find_places(x, &err) != 0 || check_settings(x, &err) != 0)
		return cli_fail(x->k->c, &err);
	if ((rc = check_stages(x)) != 0)
		return rc;
	if (check_overrides(x, &err) != 0 || find_copies(x, &err) != 0 ||
	    make_list(x, &err) != 0)
		return cli_fail(x->k->c, &err);
	x->jobs = x->k->o->common.jobs.set ? (unsigned)x->k->o->common.jobs.v : 1;
	if (x->jobs > x->n)
		x->jobs = (unsigned)x->n;
	if (make_commands(x, &err) != 0 || (x->program = libexec_program(&err)) == NULL)
		return cli_fail(x->k->c, &err);
	return 0;
}

static int
run_all(struct exp_run *x)
{
	int signal = exp_trials_run(x);

	exp_board_tell(x);
	if (signal != 0)
		return 128 + signal;
	return x->saved == x->n ? EXIT_OK : EXIT_WORK;
}

int
exp_run_verb(struct exp_call *k)
{
	struct exp_run x = {.k = k, .terminal = cli_is_terminal(STDERR_FILENO)};
	struct err err = {0};
	int rc;

	if (artifact_open(k->c, &k->o->common, true, &x.a, &err) != 0)
		rc = artifact_fail(&x.a, &err);
	else if ((rc = check(&x)) == 0)
		rc = artifact_work(&x.a, prepare, &x, &err) != 0
			 ? artifact_fail(&x.a, &err)
			 : run_all(&x);
	vec_release(&x.copies);
	outbox_free(x.out);
	free(x.program);
	free(x.checkout);
	free(x.run);
	artifact_close(&x.a);
	return rc;
}
