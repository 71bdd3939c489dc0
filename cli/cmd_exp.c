/*
 * dag exp: runs with other params than the commit's, kept beside the branches.
 */
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/exp.h"
#include "cli/exp_run.h"
#include "cli/opts.h"
#include "cli/values.h"
#include "cli/verbs.h"
#include "store/git.h"

#define WORDS_MAX 1000

/* What an option is for. */
enum {
	LIST = 1,
	REMOVE = 2,
	RENAME = 4,
	BRANCH = 8,
	APPLY = 16,
	SHOW = 32,
	DIFF = 64,
	RUN = 128,
	SAVE = 256,
};

#define AT(m) .at = offsetof(struct exp_opts, m)

static const char *const orders[] = {"asc", "desc", NULL};

static const struct opt exp_opts[] = {
    {.name = "set-param",
     .letter = 'S',
     .kind = OPT_STRINGS,
     AT(set),
     .arg = "KEY=VALUE",
     .doc = "With run: with this value of a param of params.yaml (FILE:KEY=VALUE: of "
	    "another "
	    "file); +KEY=VALUE adds one, ~KEY removes one. Several values, KEY=A,B,C or "
	    "KEY=range(1,4), are an experiment each. May be repeated."},
    {.name = "jobs",
     .letter = 'j',
     .kind = OPT_UINT,
     AT(common.jobs),
     .arg = "N",
     .min = 1,
     .max = EXP_JOBS_MAX,
     .doc = "With run: at most N experiments at a time (default: 1)."},
    {.name = "message",
     .letter = 'm',
     .kind = OPT_STRING,
     AT(message),
     .arg = "TEXT",
     .doc = "With run and save: the message of the commit."},
    {.name = "copy-paths",
     .kind = OPT_STRINGS,
     AT(copy),
     .arg = "PATH",
     .doc =
	 "With run: this file or directory, which git does not track, is there too. May "
	 "be repeated."},
    {.name = "include-untracked",
     .letter = 'I',
     .kind = OPT_STRINGS,
     AT(include),
     .arg = "PATH",
     .doc =
	 "With save: this file or directory, which git does not track, is in it too. May "
	 "be repeated."},
    {.name = "single-item",
     .letter = 's',
     .kind = OPT_FLAG,
     AT(single),
     .doc = "With run: the stages that are named alone, not what they follow."},
    {.name = "pull",
     .kind = OPT_FLAG,
     AT(pull),
     .doc = "With run: fetch what is missing from the remote."},
    {.name = "allow-missing",
     .kind = OPT_FLAG,
     AT(allow_missing),
     .doc = "With run: data that is not there counts as unchanged."},
    {.name = "no-run-cache",
     .kind = OPT_FLAG,
     AT(no_run_cache),
     .doc = "With run: do not look for results of earlier runs."},
    {.name = "no-hydra",
     .kind = OPT_FLAG,
     AT(no_hydra),
     .doc = "With run: take params.yaml as it is, whatever hydra.enabled says."},
    {.name = "temp", .kind = OPT_FLAG, AT(temp)},
    STAGE_OPTS(struct exp_opts, stages),
    {.name = "rev",
     .kind = OPT_STRINGS,
     AT(revs),
     .arg = "REV",
     .doc = "The experiments made from this revision (default: HEAD). May be repeated."},
    {.name = "num",
     .kind = OPT_UINT,
     AT(last),
     .arg = "N",
     .min = 1,
     .max = EXP_LAST_MAX,
     .doc = "Of each --rev the last N commits (default: 1). -n N is the same."},
    {.name = "all-commits",
     .letter = 'A',
     .kind = OPT_FLAG,
     AT(commits),
     .doc = "All experiments, whatever they were made from."},
    {.name = "all-branches",
     .letter = 'a',
     .kind = OPT_FLAG,
     AT(branches),
     .doc = "With show: also those made from the tips of all branches."},
    {.name = "all-tags",
     .letter = 'T',
     .kind = OPT_FLAG,
     AT(tags),
     .doc = "With show: also those made from all tags."},
    {.name = "name-only",
     .kind = OPT_FLAG,
     AT(name_only),
     .doc = "With list: write names alone."},
    {.name = "sha-only",
     .kind = OPT_FLAG,
     AT(sha_only),
     .doc = "With list: write the ids of the commits alone."},
    {.name = "json",
     .kind = OPT_FLAG,
     AT(json),
     .doc = "Write JSON, where DVC does in its shape."},
    {.name = "md", .kind = OPT_FLAG, AT(md), .doc = "Write a Markdown table."},
    {.name = "csv",
     .kind = OPT_FLAG,
     AT(csv),
     .doc = "With show: write comma-separated values, unrounded."},
    {.name = "precision",
     .kind = OPT_UINT,
     AT(precision),
     .arg = "N",
     .min = 1,
     .max = VALUES_PRECISION_MAX,
     .doc = "Round to N significant digits in tables (default: 5)."},
    {.name = "param-deps",
     .kind = OPT_FLAG,
     AT(deps),
     .doc = "Of params only those that stages depend on."},
    {.name = "all",
     .kind = OPT_FLAG,
     AT(all),
     .doc = "With diff: also what is the same."},
    {.name = "no-path",
     .kind = OPT_FLAG,
     AT(no_path),
     .doc = "With diff: do not show the files' paths."},
    {.name = "only-changed",
     .kind = OPT_FLAG,
     AT(only_changed),
     .doc = "With show: only columns with different values."},
    {.name = "drop",
     .kind = OPT_STRINGS,
     AT(drop),
     .arg = "REGEX",
     .doc =
	 "With show: without the columns whose names begin with a match of this extended "
	 "regular expression. May be repeated."},
    {.name = "sort-by",
     .kind = OPT_STRING,
     AT(sort_by),
     .arg = "NAME",
     .doc =
	 "With show: sort the experiments of a commit by this metric or param, NAME or "
	 "FILE:NAME (default: the newest first)."},
    {.name = "sort-order",
     .kind = OPT_CHOICE,
     AT(sort_order),
     .arg = "ORDER",
     .choices = orders,
     .doc = "With --sort-by: asc (default) or desc."},
    {.name = "sha",
     .kind = OPT_FLAG,
     AT(sha),
     .doc = "With show: ids of commits in the place of branches and tags."},
    {.name = "hide-workspace",
     .kind = OPT_FLAG,
     AT(hide_workspace),
     .doc = "With show: without the work tree."},
    {.name = "no-pager",
     .kind = OPT_FLAG,
     AT(nothing),
     .doc = "Changes nothing: there is no pager."},
    {.name = "keep",
     .kind = OPT_FLAG,
     AT(keep),
     .doc = "With remove: all others go, those that are meant stay. With show: columns "
	    "whose names begin with a match of one of the extended regular expressions "
	    "behind it are shown in spite of --drop and --only-changed."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     AT(force),
     .doc = "With apply: give up changed data that the cache does not have; with rename: "
	    "replace one that has the name; with run: this, and run also what has not "
	    "changed."},
    {.name = "name",
     .letter = 'n',
     .kind = OPT_STRING,
     AT(name),
     .arg = "NAME",
     .doc = "Call the experiment so (default: two words drawn by lot)."},
    ARTIFACT_QUIET(struct exp_opts, common),
    {.name = NULL}};

/* By row: for which actions. */
static const struct {
	const char *name;
	unsigned actions;
} meant[] = {
    {"rev", LIST | REMOVE | SHOW},
    {"num", LIST | REMOVE | SHOW},
    {"all-commits", LIST | REMOVE | SHOW},
    {"all-branches", SHOW},
    {"all-tags", SHOW},
    {"name-only", LIST},
    {"sha-only", LIST},
    {"json", LIST | SHOW | DIFF | RUN | SAVE},
    {"md", SHOW | DIFF},
    {"csv", SHOW},
    {"precision", SHOW | DIFF},
    {"param-deps", SHOW | DIFF},
    {"all", DIFF},
    {"no-path", DIFF},
    {"only-changed", SHOW},
    {"drop", SHOW},
    {"sort-by", SHOW},
    {"sort-order", SHOW},
    {"sha", SHOW},
    {"hide-workspace", SHOW},
    {"no-pager", SHOW},
    {"keep", REMOVE | SHOW},
    {"force", APPLY | RENAME | RUN | SAVE},
    {"name", LIST | REMOVE | SHOW | RUN | SAVE},
    {"set-param", RUN},
    {"jobs", RUN},
    {"message", RUN | SAVE},
    {"copy-paths", RUN},
    {"include-untracked", SAVE},
    {"single-item", RUN},
    {"pull", RUN},
    {"allow-missing", RUN},
    {"no-run-cache", RUN},
    {"no-hydra", RUN},
    {"temp", RUN},
    {"pipeline", RUN},
    {"all-pipelines", RUN},
    {"recursive", RUN | SAVE},
    {"downstream", RUN},
    {"glob", RUN},
    {"keep-going", RUN},
    {"quiet", ~0u},
};

static const struct action {
	const char *name, *args;
	unsigned bit;
	size_t min, max; /* words behind it */
	int (*run)(struct exp_call *);
} actions[] = {
    {"run", " [STAGE...]", RUN, 0, WORDS_MAX, exp_run_verb},
    {"save", " [TARGET...]", SAVE, 0, WORDS_MAX, exp_save_verb},
    {"list", "", LIST, 0, 0, exp_list_verb},
    {"show", " [--keep REGEX...]", SHOW, 0, WORDS_MAX, exp_show_verb},
    {"diff", " [A [B]]", DIFF, 0, 2, exp_diff_verb},
    {"apply", " EXPERIMENT", APPLY, 1, 1, exp_apply_verb},
    {"remove", " [EXPERIMENT...]", REMOVE, 0, WORDS_MAX, exp_remove_verb},
    {"rename", " EXPERIMENT NEW", RENAME, 2, 2, exp_rename_verb},
    {"branch", " EXPERIMENT [BRANCH]", BRANCH, 1, 2, exp_branch_verb},
    {"ls", "", LIST, 0, 0, exp_list_verb},
    {"rm", " [EXPERIMENT...]", REMOVE, 0, WORDS_MAX, exp_remove_verb},
};

const char *
exp_action(size_t i, const char **args)
{
	if (i >= sizeof(actions) / sizeof(actions[0]))
		return NULL;
	*args = actions[i].args + (actions[i].args[0] == ' ');
	return actions[i].name;
}

int
exp_begin(struct exp_call *k)
{
	if (project_find(NULL, k->c->dir, false, &k->project, &k->err) != 0 ||
	    repo_open(k->project.root, &k->git, &k->err) != 0)
		return -1;
	if (k->git == NULL)
		return err_set(&k->err, ERR_NOTFOUND,
			       "there is no git repository here, and experiments are "
			       "commits of one: 'git init' makes it");
	return exp_list_read(k->git, &k->list, &k->err);
}

static bool
is_given(const struct opt *o, const struct exp_opts *v)
{
	const char *at = (const char *)v + o->at;
	const struct opt_strings *strings = (const void *)at;
	const struct opt_uint *number = (const void *)at;
	const char *const *string = (const void *)at;

	switch (o->kind) {
	case OPT_FLAG:
		return *(const bool *)(const void *)at;
	case OPT_STRING:
		return *string != NULL;
	case OPT_STRINGS:
		return strings->n > 0;
	case OPT_UINT:
		return number->set;
	case OPT_CHOICE:
		return *(const int *)(const void *)at >= 0;
	default:
		return false;
	}
}

/* Every option that is given has a meaning for the action. */
static int
check_options(struct exp_call *k, const struct action *a)
{
	for (size_t i = 0; exp_opts[i].name != NULL; i++) {
		unsigned allowed = 0;

		for (size_t j = 0; j < sizeof(meant) / sizeof(meant[0]); j++)
			if (strcmp(meant[j].name, exp_opts[i].name) == 0)
				allowed = meant[j].actions;
		if ((allowed & a->bit) == 0 && is_given(&exp_opts[i], k->o))
			return cli_usage(k->c, "--%s has no meaning for 'dag exp %s'",
					 exp_opts[i].name, a->name);
	}
	return EXIT_OK;
}

/* -n is a name where there is one to give, and else how many commits. */
static int
find_last(struct exp_call *k, const struct action *a)
{
	int64_t n;

	k->last = k->o->last.set ? (unsigned)k->o->last.v : 1;
	if ((a->bit & (LIST | REMOVE | SHOW)) == 0 || k->o->name == NULL)
		return EXIT_OK;
	if (num_i64(k->o->name, &n) != 0 || n < 1 || n > EXP_LAST_MAX)
		return cli_usage(k->c, "'-n %s' is no number of commits from 1 to %d",
				 k->o->name, EXP_LAST_MAX);
	k->last = (unsigned)n;
	return EXIT_OK;
}

static int
find_action(struct exp_call *k, const struct action **out)
{
	const char *word = k->c->args[0];
	int rc;

	k->words = k->c->args + 1;
	k->n = k->c->nargs - 1;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *a = &actions[i];

		if (strcmp(a->name, word) != 0)
			continue;
		/* Of show they are what --keep is about. */
		if (k->n < a->min || k->n > a->max ||
		    (a->bit == SHOW && k->o->keep != (k->n > 0)))
			return cli_usage(k->c, "it is: dag exp %s%s", word, a->args);
		*out = a;
		rc = check_options(k, a);
		return rc != EXIT_OK ? rc : find_last(k, a);
	}
	return cli_usage(
	    k->c,
	    "'%s' is nothing that exp can do: it is one of run, save, list, show, diff, "
	    "apply, remove, rename and branch",
	    word);
}

static int
exp_verb(struct cli *c, const void *opts)
{
	struct exp_call k = {.c = c, .o = opts};
	const struct action *a = NULL;
	int rc;

	k.project.root_fd = k.project.state_fd = -1;
	if ((rc = find_action(&k, &a)) != EXIT_OK)
		return rc;
	rc = exp_begin(&k) == 0 ? a->run(&k) : cli_fail(c, &k.err);
	exp_list_free(&k.list);
	repo_close(k.git);
	project_release(&k.project);
	return rc;
}

const struct verb verb_exp = {
    .name = "exp",
    .group = GROUP_DATA,
    .summary = "experiments: run, compare, apply and remove them",
    .args = "ACTION [WORD...]",
    .min = 1,
    .max = WORDS_MAX + 1,
    .doc =
	"  dag exp run [-S KEY=VALUE...]     run stages, with other params\n"
	"  dag exp save                      the work tree as it is, as an experiment\n"
	"  dag exp list                      those made from HEAD\n"
	"  dag exp show                      the same as a table of metrics and params\n"
	"  dag exp diff [A [B]]              what differs between two experiments or\n"
	"                                    revisions (default: HEAD, the work tree)\n"
	"  dag exp apply EXPERIMENT          bring its files into the work tree\n"
	"  dag exp remove EXPERIMENT...      forget them; or --rev, --all-commits\n"
	"  dag exp rename EXPERIMENT NEW     another name\n"
	"  dag exp branch EXPERIMENT [NAME]  a branch of git that begins with it\n"
	"\n"
	"An experiment is a commit upon the one that it was made from, its baseline, "
	"with "
	"the params, dvc.lock and metrics of one run. It is on no branch: a reference "
	"below refs/exps leads to it, as DVC has it, so that each of the two shows the "
	"other's. EXPERIMENT is its name, or that whole reference where several have the "
	"name.\n"
	"\n"
	"run makes each experiment in a work tree of its own, which begins as the files "
	"that "
	"git tracks, or stages are made of, are now, changes and all; it runs the stages "
	"that are named (default: those of the dvc.yaml here) as 'dag run' does, and "
	"keeps "
	"what came of it. Files, index and HEAD here are not touched. An experiment that "
	"fails is not kept: its last words are shown, and its log stays. Ctrl-C stops "
	"those "
	"that run; what they have left is removed, at the latest by the next 'dag exp "
	"run'.\n"
	"\n"
	"save records what has changed, as 'dag commit' does, and keeps the files that "
	"are here "
	"as run keeps those that came of it.\n"
	"\n"
	"apply makes the tracked files what they are in the experiment, and the data "
	"what "
	"their pointers say; index and HEAD stay. What was changed before is kept: 'git "
	"restore -s refs/exps/apply/stash :/' brings it back, and 'git reflog show "
	"refs/exps/apply/stash' lists those before it. Nothing is changed where "
	"data would "
	"be lost that the cache does not have. remove leaves the data in the cache, for "
	"'dag gc'.",
    .examples = "dag exp run -S lr=0.1\twith another rate\n"
		"dag exp run -S lr=0.1,0.2 -j 2\ttwo, at once\n"
		"dag exp list\twhat was tried on this commit\n"
		"dag exp show --only-changed --sort-by acc\twhich was the best\n"
		"dag exp diff calm-otter\tthat one and the work tree\n"
		"dag exp apply calm-otter\tgo on with that one\n"
		"dag exp remove -A\tforget all of them",
    .opts = exp_opts,
    .size = sizeof(struct exp_opts),
    .run = exp_verb,
};
