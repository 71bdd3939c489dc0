/*
 * dag status: what differs between pointers, work tree and cache.
 */
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/textwidth.h"
#include "cli/artifact.h"
#include "cli/artifact_select.h"
#include "cli/cli.h"
#include "cli/exchange.h"
#include "cli/opts.h"
#include "cli/status_cloud.h"
#include "cli/status_data.h"
#include "cli/status_far.h"
#include "cli/status_rows.h"
#include "cli/verbs.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/import.h"
#include "store/track/stage_status.h"
#include "store/track/status.h"

struct status_opts {
	struct artifact_opts common;
	bool json, recursive, glob, deps, data, granular, unchanged, untracked;
	struct exchange_opts far; /* of --cloud */
	bool cloud, not_in_remote;
};

static const struct opt status_opts[] = {
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, json),
     .doc = "Write one JSON object, as DVC does."},
    {.name = "cloud",
     .letter = 'c',
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, cloud),
     .doc = "Tell instead what the cache has and the remote has not, and the other way "
	    "round."},
    {.name = "remote",
     .letter = 'r',
     .kind = OPT_STRING,
     .at = offsetof(struct status_opts, far.remote),
     .arg = "REMOTE",
     .doc =
	 "With --cloud or --not-in-remote: the remote (default: the default one of 'dag "
	 "remote')."},
    {.name = "all-branches",
     .letter = 'a',
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, far.branches),
     .doc = "With --cloud: also what the pointers of all local branches name."},
    {.name = "all-tags",
     .letter = 'T',
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, far.tags),
     .doc = "With --cloud: also what those of all tags name."},
    {.name = "all-commits",
     .letter = 'A',
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, far.commits),
     .doc = "With --cloud: also what those of all commits name."},
    {.name = "data",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, data),
     .doc = "Tell instead what the cache does not have, what changed since the last "
	    "commit of git, and what since the pointers were written; as DVC's 'data "
	    "status'."},
    {.name = "granular",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, granular),
     .doc = "The same, file by file."},
    {.name = "unchanged",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, unchanged),
     .doc = "With these two also what is the same."},
    {.name = "untracked-files",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, untracked),
     .doc = "With these two also files that neither git nor dag knows."},
    {.name = "not-in-remote",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, not_in_remote),
     .doc = "With these two also what the remote does not have."},
    {.name = "recursive",
     .letter = 'R',
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, recursive),
     .doc = "A TARGET that is a directory means all that is tracked in it."},
    ARTIFACT_WITH_DEPS(struct status_opts, deps),
    {.name = "glob",
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, glob),
     .doc = "A TARGET is a pattern with * ? [ ] and **."},
    ARTIFACT_JOBS(struct status_opts, common),
    {.name = "quiet",
     .letter = 'q',
     .kind = OPT_FLAG,
     .at = offsetof(struct status_opts, common.quiet),
     .doc = "Say nothing; exit with 1 if something differs."},
    {.name = NULL}};

/* The source of an import that may be looked at. */
struct dep {
	const char *path;  /* NULL: there is none, or it is what was recorded */
	const char *state; /* DVC's word */
	bool inside;	   /* it is a path of the project */
	struct err err;	   /* why nobody knows */
};

struct status {
	struct artifact a;
	const struct status_opts *o;
	struct artifact_target *targets;
	struct status_out *outs; /* one for each target, and */
	struct dep *deps;
	const char **keys; /* where it is recorded, as seen from here */
	size_t n;
	struct stage_status *stages;
	size_t nstages;
	struct status_rows rows; /* what differs */
	struct status_data_opts data_opts;
	struct status_data data;
	struct far_paths far;
};

/* "d.dvc", or for the stage of a dvc.yaml "train", "sub/dvc.yaml:train". */
static const char *
key_of(struct status *k, const char *file, const char *stage)
{
	const char *key = NULL;
	struct buf b;

	buf_init(&b, 0);
	artifact_put_seen(&k->a, file, &b);
	if (stage != NULL && strcmp(b.p, "dvc.yaml") == 0)
		buf_clear(&b);
	else if (stage != NULL)
		buf_addc(&b, ':');
	if (stage != NULL)
		buf_adds(&b, stage);
	if (!buf_failed(&b))
		key = arena_strdup(k->a.arena, b.p);
	buf_release(&b);
	return key;
}

static int
prepare(struct status *k, struct err *err)
{
	if (artifact_select_outs(&k->a,
				 artifact_how(k->o->recursive, k->o->glob, k->o->deps),
				 &k->targets, &k->outs, &k->n, err) != 0)
		return -1;
	k->keys = arena_array(k->a.arena, k->n + 1, sizeof(*k->keys));
	k->deps = arena_array(k->a.arena, k->n + 1, sizeof(*k->deps));
	if (k->keys == NULL || k->deps == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < k->n; i++) {
		const struct track_out *o = k->targets[i].out;

		k->keys[i] = key_of(k, o->in->yaml != NULL ? o->in->yaml->name : o->file,
				    o->stage);
		if (k->keys[i] == NULL)
			return err_nomem(err);
	}
	return 0;
}

static bool
wants_data(const struct status_opts *o)
{
	return o->data || o->granular;
}

/* Its targets are paths, which need not be there any more. */
static int
find_data_targets(struct status *k, struct err *err)
{
	struct cli *c = k->a.c;
	struct status_data *d = &k->data;

	k->data_opts = (struct status_data_opts){.granular = k->o->granular,
						 .unchanged = k->o->unchanged,
						 .untracked = k->o->untracked,
						 .json = k->o->json};
	d->o = &k->data_opts;
	d->targets = artifact_paths(&k->a, (const char *const *)c->args, c->nargs, err);
	d->ntargets = c->nargs;
	return d->targets != NULL ? 0 : -1;
}

/* The source of an import that is not frozen is looked at; what was imported from another
 * repository is as it was at its commit. */
static int
look_at_source(struct status *k, const struct track_out *o, struct dep *dep,
	       struct err *err)
{
	const struct dvc_file *f;
	struct source_state state;
	struct source s;
	int r;

	if (o->frozen || !import_has_source(o) || import_of_repo(o))
		return 0;
	f = o->in->file;
	r = source_of_dep(k->a.arena, k->a.track.root, f->full_wdir, &f->deps[0], &s,
			  &dep->err);
	if (r == 0)
		r = source_look(&s, &k->a.ws, k->a.arena, &state, &dep->err);
	if (r == 0 && source_same(&state, &f->deps[0]))
		return 0;
	dep->state = r == 0 ? "modified" : "deleted";
	if (r != 0 && (dep->err.code == ERR_CANCELLED || dep->err.code == ERR_NOMEM)) {
		*err = dep->err;
		return -1;
	}
	if (r == 0 || dep->err.code == ERR_NOTFOUND) {
		err_clear(&dep->err);
		dep->inside = s.inside != NULL;
		dep->path = dep->inside ? s.inside : f->deps[0].path;
	}
	return 0;
}

static int
look_at_sources(struct status *k, struct err *err)
{
	for (size_t i = 0; i < k->n; i++)
		if (look_at_source(k, k->targets[i].out, &k->deps[i], err) != 0)
			return -1;
	return 0;
}

/* ---- what differs, that of one file or stage together ---- */

static int
add_target(struct status *k, size_t i)
{
	const struct dep *dep = &k->deps[i];
	const char *state = out_state_name(k->outs[i].state);
	struct status_row *row;

	if (state == NULL && dep->path == NULL)
		return 0;
	row = status_row(&k->rows, k->keys[i]);
	if (row == NULL)
		return -1;
	if (dep->path != NULL &&
	    status_add_dep(&k->rows, row,
			   &(struct status_change){.path = dep->path,
						   .elsewhere = !dep->inside,
						   .state = dep->state}) != 0)
		return -1;
	if (state == NULL)
		return 0;
	return status_add_out(
	    &k->rows, row,
	    &(struct status_change){.path = k->outs[i].path, .state = state});
}

/* Whether the stage is meant: without targets all are. */
static bool
is_meant(const struct status *k, const struct stage_status *s)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->targets[i].out->in == s->in && k->targets[i].out->stage != NULL &&
		    strcmp(k->targets[i].out->stage, s->stage->name) == 0)
			return true;
	return k->a.c->nargs == 0 || artifact_names(&k->a, s->in, s->stage->name);
}

static int
add_stage(struct status *k, const struct stage_status *s)
{
	const char *key = key_of(k, s->in->yaml->name, s->stage->name);
	struct status_row *row = key != NULL ? status_row(&k->rows, key) : NULL;
	int r = row != NULL ? 0 : -1;

	if (r != 0)
		return -1;
	row->command = s->command;
	row->always = s->always;
	for (size_t i = 0; i < s->n && r == 0; i++)
		r = status_add_dep(&k->rows, row,
				   &(struct status_change){
				       .path = s->changes[i].path,
				       .elsewhere = s->changes[i].path[0] == '/',
				       .param = s->changes[i].key,
				       .state = stage_change_name(s->changes[i].state)});
	return r;
}

static int
find_rows(struct status *k, struct err *err)
{
	int r = 0;

	k->rows.arena = k->a.arena;
	for (size_t i = 0; r == 0 && i < k->n; i++)
		r = add_target(k, i);
	for (size_t i = 0; r == 0 && i < k->nstages; i++)
		if (is_meant(k, &k->stages[i]))
			r = add_stage(k, &k->stages[i]);
	return r == 0 ? 0 : err_nomem(err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct status *k = arg;

	(void)m;
	if (wants_data(k->o))
		return status_data_work(&k->a, &k->data, err);
	if (prepare(k, err) != 0)
		return -1;
	if (status_outs(&k->a.ws, k->outs, k->n, err) != 0 ||
	    look_at_sources(k, err) != 0 ||
	    stage_status(&k->a.ws, k->a.track.root, k->a.list.files, k->a.list.nfiles,
			 k->a.arena, k->a.diag, &k->stages, &k->nstages, err) != 0)
		return -1;
	return find_rows(k, err);
}

/* ---- telling ---- */

static int
tell(struct status *k)
{
	bool any = false;

	if (wants_data(k->o)) {
		any = status_data_tell(&k->a, &k->data);
		return k->o->common.quiet && any ? EXIT_WORK : EXIT_OK;
	}
	any = k->rows.by_key.n > 0;
	for (size_t i = 0; i < k->n; i++)
		if (k->deps[i].err.code != ERR_NONE)
			cli_warn(k->a.c, "the source of '%s' cannot be looked at: %s",
				 k->targets[i].out->path, k->deps[i].err.msg);
	if (k->o->json)
		status_rows_json(&k->a, &k->rows);
	else if (!k->o->common.quiet && any)
		status_rows_text(&k->a, &k->rows);
	else if (!k->o->common.quiet)
		buf_adds(&k->a.c->out,
			 k->a.list.n > 0 ? "all tracked data is up to date\n"
					 : "nothing is tracked in this project yet: dag "
					   "add PATH\n");
	return k->o->common.quiet && any ? EXIT_WORK : EXIT_OK;
}

/* The options that both have, in the other's words. */
static int
run_cloud(struct cli *c, const struct status_opts *o)
{
	struct exchange_opts x = o->far;

	if (!o->cloud)
		return cli_usage(c, "--remote, --all-branches, --all-tags and "
				    "--all-commits go with --cloud (--remote also with "
				    "--not-in-remote)");
	if (wants_data(o) || o->not_in_remote)
		return cli_usage(c, "--cloud does not go with --data or --granular");
	x.common = o->common;
	x.recursive = o->recursive;
	x.glob = o->glob;
	x.deps = o->deps;
	return status_cloud(c, &x, o->json);
}

static int
find_far(struct status *k, struct cli *c)
{
	struct exchange_opts x = k->o->far;
	int code;

	x.common = k->o->common;
	code = status_far(c, &x, k->o->granular, &k->far);
	if (code != EXIT_OK)
		far_paths_release(&k->far);
	k->data.far = &k->far;
	return code;
}

static int
status_verb(struct cli *c, const void *opts)
{
	struct status k = {.o = opts};
	const struct exchange_opts *far = &k.o->far;
	struct err err = {0};
	int code;

	if (k.o->cloud || (far->remote != NULL && !k.o->not_in_remote) || far->branches ||
	    far->tags || far->commits)
		return run_cloud(c, k.o);
	if ((k.o->unchanged || k.o->untracked || k.o->not_in_remote) && !wants_data(k.o))
		return cli_usage(c, "--unchanged, --untracked-files and --not-in-remote "
				    "go with --data or --granular");
	if (k.o->not_in_remote && (code = find_far(&k, c)) != EXIT_OK)
		return code;
	if (artifact_open_all(c, &k.o->common, false, &k.a, &err) == 0 &&
	    find_data_targets(&k, &err) == 0 && artifact_work(&k.a, work, &k, &err) == 0)
		code = tell(&k);
	else
		code = artifact_fail(&k.a, &err);
	status_rows_release(&k.rows);
	status_data_free(&k.data);
	far_paths_release(&k.far);
	artifact_close(&k.a);
	return code;
}

const struct verb verb_status = {
    .name = "status",
    .group = GROUP_DATA,
    .summary = "what differs between pointers, files and cache",
    .args = "[TARGET...]",
    .max = (unsigned)-1,
    .doc =
	"Tell for all that is tracked (or each TARGET: a pointer file, a tracked path, a "
	"path in one) whether the work tree has what the pointer says, and the cache "
	"too; of the stages of a dvc.yaml also whether dependencies, params and the "
	"command are those of the last run. "
	"What was hashed before and has not changed is not read again. Changes nothing, "
	"and waits for nobody.",
    .examples = "dag status\tall that differs\n"
		"dag status -q || dag commit -f\tfor scripts\n"
		"dag status --granular\tsince the last commit, file by file\n"
		"dag status --cloud\twhat a push would send\n"
		"dag status --json data\tone directory, as JSON",
    .opts = status_opts,
    .size = sizeof(struct status_opts),
    .run = status_verb,
};
