/*
 * dag remove: data is tracked no more.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/suggest.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/remove_stages.h"
#include "cli/verbs.h"
#include "store/dvc/dvc_file.h"
#include "store/track/checkout.h"
#include "store/track/links.h"
#include "store/track/problems.h"
#include "store/track/remove.h"

#define PATHS_SHOWN 50

struct remove_opts {
	struct artifact_opts common;
	bool outs, force;
};

static const struct opt remove_opts[] = {
    {.name = "outs",
     .kind = OPT_FLAG,
     .at = offsetof(struct remove_opts, outs),
     .doc = "Remove the data from the work tree, too; the cache keeps it."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct remove_opts, force),
     .doc = "With --outs: remove also data whose content is nowhere else."},
    ARTIFACT_JOBS(struct remove_opts, common),
    ARTIFACT_QUIET(struct remove_opts, common),
    {.name = NULL}};

struct untrack {
	struct artifact a;
	const struct remove_opts *o;
	const char **files;	       /* the pointers that go, none twice */
	const struct track_out **outs; /* what they have, those of one together */
	size_t *ends;		       /* of each file: where its outs end */
	const char **changed;	       /* files that were written or removed */
	size_t n, nouts, nchanged;
	struct remove_stages stages; /* their outs are behind those of the files */
	struct checkout_report report;
	struct problems unlinked;
	int rc; /* 1: files would be lost */
};

/* ---- what is meant ---- */

static int
not_found(struct untrack *k, const char *path, struct err *err)
{
	struct suggest s;

	suggest_start(&s, path);
	for (size_t i = 0; i < k->a.list.n; i++) {
		suggest_try(&s, k->a.list.outs[i].path);
		suggest_try(&s, k->a.list.outs[i].file);
	}
	if (suggest_best(&s) != NULL)
		return err_set(err, ERR_NOTFOUND,
			       "'%s' is not tracked (did you mean '%s'?)", path,
			       suggest_best(&s));
	return err_set(err, ERR_NOTFOUND, "'%s' is not tracked", path);
}

/* The pointer file that a path names, itself or by what it tracks. */
static const struct track_file *
file_of(struct untrack *k, const char *path, struct err *err)
{
	const struct track_out *o = track_find(&k->a.list, path);

	for (size_t i = 0; i < k->a.list.nfiles; i++)
		if (strcmp(k->a.list.files[i]->path, path) == 0 &&
		    k->a.list.files[i]->file != NULL)
			return k->a.list.files[i];
	if (o == NULL || strcmp(o->path, path) != 0) {
		if (o != NULL)
			(void)err_set(err, ERR_INVALID,
				      "'%s' lies in '%s', which is tracked as one thing: "
				      "delete it, then 'dag commit %s'",
				      path, o->path, o->path);
		else
			(void)not_found(k, path, err);
		return NULL;
	}
	if (o->in->file == NULL) {
		(void)err_set(err, ERR_INVALID,
			      "'%s' is an output of stage '%s' in '%s': take it out of "
			      "that file, or 'dag remove %s:%s' with all of the stage",
			      path, o->stage, o->in->path, o->in->path, o->stage);
		return NULL;
	}
	if (o->in->file->nouts > 1) {
		(void)err_set(err, ERR_INVALID,
			      "'%s' is one of %zu paths in '%s': 'dag remove %s' is for "
			      "all of them",
			      path, o->in->file->nouts, o->file, o->file);
		return NULL;
	}
	return o->in;
}

/* The pointer goes, with all that it has. */
static void
take_file(struct untrack *k, const struct track_file *f)
{
	size_t at = 0;

	while (at < k->n && strcmp(k->files[at], f->path) != 0)
		at++;
	if (at < k->n)
		return;
	for (size_t p = 0; p < k->a.list.n; p++)
		if (k->a.list.outs[p].in == f)
			k->outs[k->nouts++] = &k->a.list.outs[p];
	k->files[k->n] = f->path;
	k->ends[k->n++] = k->nouts;
}

/* A word is a stage, or else a path. */
static int
find_words(struct untrack *k, struct err *err)
{
	struct artifact *a = &k->a;
	size_t n = a->c->nargs;

	k->files = arena_array(a->arena, n + 1, sizeof(*k->files));
	k->ends = arena_array(a->arena, n + 1, sizeof(*k->ends));
	k->outs = arena_array(a->arena, a->list.n + 1, sizeof(*k->outs));
	k->changed = arena_array(a->arena, 3 * n + a->list.n + 1, sizeof(*k->changed));
	if (k->files == NULL || k->ends == NULL || k->outs == NULL || k->changed == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct track_file *f;
		const char *path;
		int r = remove_stages_word(a, a->c->args[i], &k->stages, err);

		if (r < 0)
			return -1;
		if (r == 1)
			continue;
		path = artifact_path(a, a->c->args[i], err);
		f = path != NULL ? file_of(k, path, err) : NULL;
		if (f == NULL)
			return -1;
		take_file(k, f);
	}
	k->nouts += remove_stages_outs(a, &k->stages, k->outs + k->nouts);
	return remove_stages_begin(a, &k->stages, err);
}

/* ---- the work ---- */

/* What is not ours any more, a checkout does not remove. */
static int
forget(struct links *l, void *arg, struct err *err)
{
	const struct untrack *k = arg;
	int r = 0;

	for (size_t i = 0; r == 0 && i < k->nouts; i++)
		r = links_set(l, k->outs[i]->path, NULL, err);
	return r;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct untrack *k = arg;
	bool git = k->a.track.gitignore != NULL;

	(void)m;
	if (find_words(k, err) != 0)
		return -1;
	if (k->o->outs)
		k->rc = remove_data(&k->a.ws, k->outs, k->nouts, k->o->force, &k->report,
				    err);
	for (size_t i = 0; k->rc == 0 && !k->o->outs && i < k->nouts; i++)
		if (k->outs[i]->cache)
			k->rc = remove_links(&k->a.ws, k->outs[i], &k->unlinked, err);
	if (k->rc != 0)
		return k->rc < 0 ? -1 : 0;
	/* The pointer of what could not be made to live without it stays. */
	if (k->report.failed.count + k->unlinked.count > 0)
		return 0;
	if (artifact_edit_links(&k->a, forget, k, err) != 0)
		return -1;
	for (size_t i = 0, from = 0; i < k->n; from = k->ends[i++])
		if (remove_pointer(k->a.track.root_fd, k->files[i], k->outs + from,
				   k->ends[i] - from, git, err) != 0)
			return -1;
	return remove_stages_end(&k->a, &k->stages, k->outs, k->nouts, err);
}

/* ---- telling ---- */

/* Pointers and .gitignore files go into git's index; without core.autostage that is the
 * user's, who sees them in git's status. */
static int
stage(struct untrack *k, struct err *err)
{
	size_t n = 0;

	if (!k->a.track.autostage)
		return 0;
	for (size_t i = 0; i < k->n; i++)
		k->changed[n++] = k->files[i];
	n += remove_stages_files(&k->stages, k->changed + n);
	for (size_t i = 0; i < k->nouts; i++) {
		const char *path = k->outs[i]->path;
		int dir = (int)(path_basename(path) - path);
		const char *file = arena_printf(k->a.arena, "%.*s.gitignore", dir, path);
		size_t at = 0;

		if (file == NULL)
			return err_nomem(err);
		while (at < n && strcmp(k->changed[at], file) != 0)
			at++;
		if (at == n)
			k->changed[n++] = file;
	}
	return artifact_stage(&k->a, k->changed, n, err);
}

static int
tell(struct untrack *k, struct err *err)
{
	struct buf b;

	if (k->rc == 1) {
		buf_init(&b, 0);
		buf_adds(&b,
			 "nothing was changed, as these files would be lost: the cache "
			 "does not have them ('dag commit' records them, --force gives "
			 "them up)");
		for (size_t i = 0; i < k->report.unsaved.n && i < PATHS_SHOWN; i++) {
			buf_addc(&b, '\n');
			artifact_put_path(&k->a, k->report.unsaved.v[i].path, &b);
		}
		cli_error(k->a.c, b.p);
		buf_release(&b);
		return EXIT_WORK;
	}
	if (k->report.failed.count + k->unlinked.count > 0) {
		artifact_problems(&k->a, &k->report.failed);
		artifact_problems(&k->a, &k->unlinked);
		cli_note(k->a.c, "all of it is tracked still");
		return EXIT_WORK;
	}
	for (size_t i = 0; i < k->nouts && !k->o->common.quiet; i++) {
		artifact_put_path(&k->a, k->outs[i]->path, &k->a.c->out);
		buf_adds(&k->a.c->out,
			 k->o->outs ? "  removed\n" : "  not tracked any more\n");
	}
	if (!k->o->common.quiet)
		remove_stages_tell(&k->a, &k->stages);
	return stage(k, err) == 0 ? EXIT_OK : -1;
}

static int
remove_verb(struct cli *c, const void *opts)
{
	struct untrack k = {.o = opts};
	struct err err = {0};
	int rc, code = EXIT_OK;

	if (k.o->force && !k.o->outs)
		return cli_usage(c, "--force has no meaning without --outs");
	problems_init(&k.report.unsaved);
	problems_init(&k.report.missing);
	problems_init(&k.report.failed);
	problems_init(&k.unlinked);
	rc = artifact_open(c, &k.o->common, true, &k.a, &err);
	if (rc == 0)
		rc = artifact_work(&k.a, work, &k, &err);
	if (rc == 0)
		rc = code = tell(&k, &err);
	if (rc < 0)
		code = artifact_fail(&k.a, &err);
	checkout_report_release(&k.report);
	problems_release(&k.unlinked);
	remove_stages_release(&k.stages);
	artifact_close(&k.a);
	return code;
}

const struct verb verb_remove = {
    .name = "remove",
    .group = GROUP_DATA,
    .summary = "track data no more, take stages out of dvc.yaml",
    .args = "STAGE|PATH...",
    .min = 1,
    .max = (unsigned)-1,
    .doc = "Remove the pointer of each PATH (a pointer file, or what it tracks) and its "
	   "entry in .gitignore. The data stays where it is, for git or nobody to keep; "
	   "files that are links into the cache become copies. With --outs the data goes "
	   "as well: only if the cache has it, or --force says so. The cache keeps "
	   "what it has.\n"
	   "\n"
	   "A STAGE is taken out of dvc.yaml and dvc.lock, its outputs out of "
	   ".gitignore. It "
	   "is one of dvc.yaml here, or FILE:STAGE; a dvc.yaml stands for all of its "
	   "stages.",
    .examples = "dag remove data/raw.dvc\tthe data stays\n"
		"dag remove --outs old.csv\tpointer and data\n"
		"dag remove train\ta stage; its outputs stay",
    .opts = remove_opts,
    .size = sizeof(struct remove_opts),
    .run = remove_verb,
};
