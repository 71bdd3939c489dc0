/*
 * dag commit: what has changed in tracked data is recorded.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "cli/artifact.h"
#include "cli/artifact_select.h"
#include "cli/cli.h"
#include "cli/commit.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/add.h"
#include "store/track/commit_stages.h"
#include "store/track/links.h"
#include "store/track/problems.h"
#include "store/track/stage_run.h"
#include "store/track/status.h"

#define PATHS_SHOWN 50

struct commit_opts {
	struct artifact_opts common;
	bool force, recursive, glob, deps, no_relink;
};

static const struct opt commit_opts[] = {
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct commit_opts, force),
     .doc = "Record what has changed without asking."},
    {.name = "recursive",
     .letter = 'R',
     .kind = OPT_FLAG,
     .at = offsetof(struct commit_opts, recursive),
     .doc = "A TARGET that is a directory means all that is tracked in it."},
    {.name = "no-relink",
     .kind = OPT_FLAG,
     .at = offsetof(struct commit_opts, no_relink),
     .doc = "Leave the files as they are, even where cache.type asks for links."},
    ARTIFACT_WITH_DEPS(struct commit_opts, deps),
    {.name = "glob",
     .kind = OPT_FLAG,
     .at = offsetof(struct commit_opts, glob),
     .doc = "A TARGET is a pattern with * ? [ ] and **."},
    ARTIFACT_JOBS(struct commit_opts, common),
    ARTIFACT_QUIET(struct commit_opts, common),
    {.name = NULL}};

struct commit {
	struct artifact a;
	const struct commit_opts *o;
	struct artifact_target *targets;
	struct status_out *outs; /* of each target */
	size_t n;
	struct stage_look *stage_look;
	struct commit_stage *stages; /* that are to be recorded whole */
	size_t nstages;
	struct add_item *items; /* what else is to be recorded */
	size_t nitems, nchanged;
	struct problems problems, gone;
	struct links notes; /* what lies in the work tree of the outputs of stages */
	bool asked;	    /* the changes are known, and may be recorded */
};

/* ---- what is to be done ---- */

/* What a target means as a path: the out, or the part of it. */
static const char *
path_of(struct commit *k, const struct artifact_target *t)
{
	return t->only == NULL ? t->out->path
			       : arena_printf(k->a.arena, "%s/%s", t->out->path, t->only);
}

/* ---- stages ---- */

static bool
is_of(const struct artifact_target *t, const struct track_file *f,
      const struct dvc_yaml_stage *s)
{
	return t->only == NULL && t->out->in == f && t->out->stage != NULL &&
	       strcmp(t->out->stage, s->name) == 0;
}

/* Whether the stage is meant, and all it makes is there. */
static bool
is_meant(const struct commit *k, const struct track_file *f,
	 const struct dvc_yaml_stage *s)
{
	bool meant =
	    (k->a.c->nargs == 0 && !k->o->deps) || artifact_names(&k->a, f, s->name);

	if (s->many || s->ncmd == 0 || f->yaml->unresolved)
		return false;
	for (size_t i = 0; i < k->n; i++) {
		if (!is_of(&k->targets[i], f, s))
			continue;
		if (!k->outs[i].there)
			return false;
		meant = true;
	}
	return meant;
}

static int
add_stages(struct commit *k, struct err *err)
{
	struct track_file **files = k->a.list.files;
	size_t room = 1;

	for (size_t i = 0; i < k->a.list.nfiles; i++)
		room += files[i]->yaml != NULL ? files[i]->yaml->nstages : 0;
	k->stages = arena_array(k->a.arena, room, sizeof(*k->stages));
	if (k->stages == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < k->a.list.nfiles; i++)
		for (size_t n = 0; files[i]->yaml != NULL && n < files[i]->yaml->nstages;
		     n++) {
			const struct dvc_yaml_stage *s = &files[i]->yaml->stages[n];

			if (is_meant(k, files[i], s))
				k->stages[k->nstages++] =
				    (struct commit_stage){.in = files[i], .stage = s};
		}
	return 0;
}

/* Remember the outputs of stages. */
static int
remember(struct links *l, void *arg, struct err *err)
{
	const struct commit *k = arg;
	int r = 0;

	for (size_t i = 0; i < k->notes.n && r == 0; i++)
		r = links_set(l, k->notes.v[i].path, &k->notes.v[i].id, err);
	return r;
}

/* An output of a stage that lies there now. */
static int
note(void *arg, const char *path, const struct object_id *id, struct err *err)
{
	return links_set(&((struct commit *)arg)->notes, path, id, err);
}

static int
git_tracks(void *arg, const char *path, struct err *err)
{
	return artifact_git_tracks(arg, path, err);
}

/* Keep those of which something has changed, all by force. */
static int
look_at_stages(struct commit *k, struct err *err)
{
	struct stage_look_options o = {.ws = &k->a.ws,
				       .root = k->a.track.root,
				       .gitignore = k->a.track.gitignore,
				       .git_tracks = git_tracks,
				       .git = &k->a,
				       .diag = k->a.diag,
				       .note = note,
				       .note_arg = k};
	size_t kept = 0;

	if (add_stages(k, err) != 0)
		return -1;
	if (k->nstages == 0)
		return 0;
	if (stage_look_open(&o, &k->stage_look, err) != 0 ||
	    commit_stages_look(k->stage_look, k->stages, k->nstages, k->a.arena, err) !=
		0)
		return -1;
	for (size_t i = 0; i < k->nstages; i++)
		if (k->stages[i].changed || k->o->force)
			k->stages[kept++] = k->stages[i];
	k->nstages = kept;
	return 0;
}

static bool
is_recorded(const struct commit *k, const struct artifact_target *t)
{
	for (size_t i = 0; i < k->nstages; i++)
		if (is_of(t, k->stages[i].in, k->stages[i].stage))
			return true;
	return false;
}

/* ---- paths ---- */

static int
look(struct commit *k, struct err *err)
{
	if (artifact_select_outs(&k->a,
				 artifact_how(k->o->recursive, k->o->glob, k->o->deps),
				 &k->targets, &k->outs, &k->n, err) != 0)
		return -1;
	k->items = arena_array(k->a.arena, k->n + 1, sizeof(*k->items));
	if (k->items == NULL)
		return err_nomem(err);
	if (status_outs(&k->a.ws, k->outs, k->n, err) != 0)
		return -1;
	return look_at_stages(k, err);
}

static int
choose(struct commit *k, struct err *err)
{
	struct err why = {0};

	for (size_t i = 0; i < k->nstages; i++)
		k->nchanged += k->stages[i].changed;
	for (size_t i = 0; i < k->n; i++) {
		const struct status_out *o = &k->outs[i];

		if (is_recorded(k, &k->targets[i]))
			continue;

		if (!o->there) {
			(void)err_set(&why, ERR_NOTFOUND, "'%s' does not exist", o->path);
			problems_add(&k->gone, o->path, &why);
			continue;
		}
		/* By force also what is only executable, or not, now. */
		if (o->state == OUT_RIGHT && !k->o->force)
			continue;
		k->nchanged += o->changed;
		k->items[k->nitems].target = path_of(k, &k->targets[i]);
		if (k->items[k->nitems++].target == NULL)
			return err_nomem(err);
	}
	return 0;
}

static int
record(struct commit *k, struct err *err)
{
	struct add_options o = {.root = k->a.track.root,
				.list = &k->a.list,
				.commit = true,
				.into_cache = true,
				.relink = !k->o->no_relink,
				.gitignore = k->a.track.gitignore};

	struct stage_how how = {.commit = true, .no_relink = k->o->no_relink};

	meter_begin(&k->a.meter, "hashing");
	if (k->nstages > 0 && commit_stages(k->stage_look, &how, k->a.track.root_fd,
					    k->stages, k->nstages, k->a.arena, err) != 0)
		return -1;
	if (k->notes.n > 0 && artifact_edit_links(&k->a, remember, k, err) != 0)
		return -1;
	if (k->nitems == 0)
		return 0;
	if (add_paths(&k->a.ws, &o, k->items, k->nitems, k->a.arena, &k->problems, err) !=
	    0)
		return -1;
	return artifact_remember(&k->a, k->items, k->nitems, err);
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct commit *k = arg;

	(void)m;
	if (!k->asked && (look(k, err) != 0 || choose(k, err) != 0))
		return -1;
	/* The lock is kept while somebody thinks: what is recorded is what was asked about. */
	if (k->nchanged > 0 && !k->o->force && !k->asked)
		return 0;
	return record(k, err);
}

/* ---- asking ---- */

static void
put_changed(struct commit *k, struct buf *b)
{
	size_t shown = 0;

	for (size_t i = 0; i < k->nstages; i++)
		if (k->stages[i].changed && shown++ < PATHS_SHOWN)
			buf_addf(b, "\nstage '%s' of %s", k->stages[i].stage->name,
				 k->stages[i].in->yaml->name);
	for (size_t i = 0; i < k->n; i++) {
		if (!k->outs[i].there || !k->outs[i].changed ||
		    is_recorded(k, &k->targets[i]))
			continue;
		if (shown++ >= PATHS_SHOWN)
			continue;
		buf_addc(b, '\n');
		artifact_put_path(&k->a, k->outs[i].path, b);
	}
	if (shown > PATHS_SHOWN)
		buf_addf(b, "\n... and %zu more", shown - PATHS_SHOWN);
}

/* Whether the changes may be recorded. */
static bool
ask(struct commit *k)
{
	struct buf b;
	char answer[16];
	ssize_t n;
	bool yes = false;

	buf_init(&b, 0);
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		buf_adds(&b, "these have changed:");
		put_changed(k, &b);
		cli_note(k->a.c, "%s", b.p);
		(void)fsio_write_all(STDERR_FILENO, "record them? [y/N] ", 19);
		n = read(STDIN_FILENO, answer, sizeof(answer));
		yes = n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
	} else {
		buf_adds(&b,
			 "these have changed, and nobody can be asked whether that is "
			 "to be recorded (--force records it):");
		put_changed(k, &b);
		cli_error(k->a.c, b.p);
	}
	buf_release(&b);
	return yes;
}

/* ---- telling ---- */

static int
stage(struct commit *k, struct err *err)
{
	const char **v = arena_array(k->a.arena, k->nitems + k->nstages + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < k->nstages; i++)
		if (k->stages[i].lock_changed)
			v[n++] = k->stages[i].lock;
	for (size_t i = 0; i < k->nitems; i++)
		if (k->items[i].file_changed &&
		    (n == 0 || strcmp(v[n - 1], k->items[i].file) != 0))
			v[n++] = k->items[i].file;
	return artifact_stage(&k->a, v, n, err);
}

static void
put_items(struct commit *k)
{
	bool any = k->gone.count > 0;

	if (k->o->common.quiet)
		return;
	for (size_t i = 0; i < k->nstages; i++) {
		if (!k->stages[i].recorded)
			continue;
		buf_addf(&k->a.c->out, "stage '%s'\n", k->stages[i].stage->name);
		any = true;
	}
	for (size_t i = 0; i < k->nitems; i++) {
		if (!k->items[i].file_changed && k->items[i].hashed == 0)
			continue;
		artifact_put_item(&k->a, &k->items[i]);
		any = true;
	}
	if (!any)
		buf_adds(&k->a.c->out, "nothing has changed\n");
}

static int
commit_verb(struct cli *c, const void *opts)
{
	struct commit k = {.o = opts, .notes = {.state_fd = -1}};
	struct err err = {0};
	int rc, code = EXIT_OK;

	problems_init(&k.problems);
	problems_init(&k.gone);
	rc = artifact_open(c, &k.o->common, true, &k.a, &err);
	k.notes.state_fd = k.a.project.state_fd;
	if (rc == 0)
		rc = artifact_work(&k.a, work, &k, &err);
	if (rc == 0 && k.nchanged > 0 && !k.o->force) {
		k.asked = ask(&k);
		if (!k.asked)
			code = EXIT_WORK;
		else
			rc = artifact_again(&k.a, work, &k, &err);
	}
	if (rc == 0 && code == EXIT_OK) {
		put_items(&k);
		rc = stage(&k, &err);
	}
	if (rc != 0)
		code = artifact_fail(&k.a, &err);
	if (code == EXIT_OK && k.problems.count + k.gone.count > 0) {
		artifact_problems(&k.a, &k.problems);
		artifact_problems(&k.a, &k.gone);
		code = EXIT_WORK;
	}
	stage_look_close(k.stage_look);
	links_release(&k.notes);
	problems_release(&k.problems);
	problems_release(&k.gone);
	artifact_close(&k.a);
	return code;
}

int
commit_targets(struct cli *c, char **words, size_t n, bool recursive)
{
	const struct commit_opts o = {.common = {.quiet = true},
				      .force = true,
				      .recursive = recursive,
				      .no_relink = true};
	char **args = c->args;
	size_t nargs = c->nargs;
	int code;

	c->args = words;
	c->nargs = n;
	code = commit_verb(c, &o);
	c->args = args;
	c->nargs = nargs;
	return code;
}

const struct verb verb_commit = {
    .name = "commit",
    .group = GROUP_DATA,
    .summary = "record what has changed in tracked data",
    .args = "[TARGET...]",
    .max = (unsigned)-1,
    .doc =
	"Take what all tracked paths (or each TARGET) have now into the cache, and bring "
	"their pointers up to date; of stages dvc.lock records what they depend on, too, "
	"as if they had "
	"just run. Where something "
	"has changed that is asked for first, unless --force says so; without a terminal "
	"it is refused. Data that is not there is named, and the rest is recorded.",
    .examples = "dag commit -f data/raw\trecord a directory anew\n"
		"dag commit\task about all that has changed",
    .opts = commit_opts,
    .size = sizeof(struct commit_opts),
    .run = commit_verb,
};
