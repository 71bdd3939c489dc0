/*
 * dag freeze and dag unfreeze: stages that are not run again, imports that are not updated.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/stages.h"
#include "cli/verbs.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/edit_stage.h"
#include "store/track/problems.h"

#include <fcntl.h>
#include <sys/stat.h>

struct freeze_opts {
	struct artifact_opts common;
};

static const struct opt freeze_opts[] = {ARTIFACT_QUIET(struct freeze_opts, common),
					 {.name = NULL}};

struct freezing {
	struct artifact a;
	bool frozen;
	const char **words; /* those that it was done for */
	const char **files; /* their files, none twice */
	size_t n, nfiles;
	struct problems problems;
};

/* ---- the work ---- */

static int
freeze_stage(struct freezing *k, const struct stage_word *w, struct err *err)
{
	struct edit_file f = {.root = k->a.track.root, .name = w->file};
	struct buf before, after;
	struct stat st;
	int rc;

	buf_init(&before, DVC_YAML_MAX);
	buf_init(&after, DVC_YAML_MAX);
	rc = fsio_read(k->a.track.root_fd, w->file, before.max, &before, err);
	f.text = before.p;
	f.len = before.n;
	if (rc == 0)
		rc = edit_freeze(&f, w->name, k->frozen, &after, err);
	if (rc == 0 && fstatat(k->a.track.root_fd, w->file, &st, 0) != 0)
		rc = err_set(err, ERR_NOTFOUND, "'%s' does not exist", w->file);
	if (rc == 0 && (after.n != before.n || memcmp(after.p, before.p, after.n) != 0))
		rc = fsio_replace(k->a.track.root_fd, w->file, after.p, after.n,
				  st.st_mode & 0777, err);
	buf_release(&after);
	buf_release(&before);
	return rc;
}

/* The .dvc file that a word names, itself or by what it tracks. */
static const struct track_file *
pointer_of(struct freezing *k, const char *word, const struct stage_word *w,
	   struct err *err)
{
	const struct track_file *f = w->name == NULL ? stages_file(&k->a, w->file) : NULL;
	const struct track_out *o = NULL;
	const char *path;

	if (f != NULL || !w->bare)
		return f;
	path = artifact_path(&k->a, word, err);
	if (path != NULL)
		o = track_find(&k->a.list, path);
	return o != NULL && strcmp(o->path, path) == 0 ? o->in : NULL;
}

static int
freeze_word(struct freezing *k, const char *word, const char **file, struct err *err)
{
	const struct track_file *f;
	struct stage_word w;

	if (stages_word(&k->a, word, &w, err) != 0)
		return -1;
	*file = w.file;
	if (w.name != NULL && stages_has(stages_file(&k->a, w.file), w.name))
		return freeze_stage(k, &w, err);
	f = pointer_of(k, word, &w, err);
	if (f == NULL || f->file == NULL) {
		if (err->code == ERR_NOMEM)
			return -1;
		err_clear(err);
		if (f != NULL && w.name == NULL)
			return err_set(err, ERR_INVALID,
				       "'%s' has many stages: name one as '%s:STAGE'",
				       word, word);
		return stages_none(&k->a, &w, err);
	}
	*file = f->path;
	f->file->frozen = k->frozen;
	return dvc_file_write(f->file, k->a.track.root_fd, NULL, err);
}

static void
note(struct freezing *k, const char *word, const char *file)
{
	size_t at = 0;

	k->words[k->n++] = word;
	while (at < k->nfiles && strcmp(k->files[at], file) != 0)
		at++;
	if (at == k->nfiles)
		k->files[k->nfiles++] = file;
}

/* What cannot be done for one is done for the others. */
static int
work(void *arg, struct meter *m, struct err *err)
{
	struct freezing *k = arg;
	struct cli *c = k->a.c;
	const char *file = NULL;

	(void)m;
	k->words = arena_array(k->a.arena, c->nargs + 1, sizeof(*k->words));
	k->files = arena_array(k->a.arena, c->nargs + 1, sizeof(*k->files));
	if (k->words == NULL || k->files == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < c->nargs; i++) {
		struct err why = {0};

		if (freeze_word(k, c->args[i], &file, &why) == 0)
			note(k, c->args[i], file);
		else
			problems_add(&k->problems, "", &why);
	}
	return 0;
}

/* ---- the call ---- */

static int
freeze(struct cli *c, const struct freeze_opts *o, bool frozen)
{
	struct freezing k = {.frozen = frozen};
	struct err err = {0};
	int rc, code = EXIT_OK;

	problems_init(&k.problems);
	rc = artifact_open(c, &o->common, true, &k.a, &err);
	if (rc == 0)
		rc = artifact_work(&k.a, work, &k, &err);
	for (size_t i = 0; rc == 0 && i < k.n && !o->common.quiet; i++)
		buf_addf(&c->out, "%s  %s\n", k.words[i],
			 frozen ? "frozen" : "not frozen any more");
	if (rc == 0)
		rc = artifact_stage(&k.a, k.files, k.nfiles, &err);
	if (rc != 0)
		code = artifact_fail(&k.a, &err);
	if (k.problems.count > 0) {
		artifact_problems(&k.a, &k.problems);
		code = code != EXIT_OK	  ? code
		       : k.problems.n > 0 ? cli_exit_code(k.problems.v[0].code)
					  : EXIT_DAG;
	}
	problems_release(&k.problems);
	artifact_close(&k.a);
	return code;
}

static int
freeze_verb(struct cli *c, const void *opts)
{
	return freeze(c, opts, true);
}

static int
unfreeze_verb(struct cli *c, const void *opts)
{
	return freeze(c, opts, false);
}

const struct verb verb_freeze = {
    .name = "freeze",
    .group = GROUP_DATA,
    .summary = "let stages be as they are, whatever changes",
    .args = "STAGE...",
    .min = 1,
    .max = (unsigned)-1,
    .doc =
	"Write 'frozen: true' at each STAGE: a stage of dvc.yaml here, one of another "
	"file as FILE:STAGE, or a .dvc file. A frozen stage is not run again when what "
	"it needs has changed; an import that is frozen is not looked up. Comments and "
	"layout of the file stay. Stages that foreach, matrix or templates made are "
	"changed in the file itself.",
    .examples = "dag freeze train\ta stage of dvc.yaml\n"
		"dag freeze ../dvc.yaml:train data.csv.dvc\ttwo others",
    .opts = freeze_opts,
    .size = sizeof(struct freeze_opts),
    .run = freeze_verb,
};

const struct verb verb_unfreeze = {
    .name = "unfreeze",
    .group = GROUP_DATA,
    .summary = "let stages follow changes again",
    .args = "STAGE...",
    .min = 1,
    .max = (unsigned)-1,
    .doc = "Take 'frozen' away again from each STAGE, named as for 'dag freeze'.",
    .examples = "dag unfreeze train\ta stage of dvc.yaml",
    .opts = freeze_opts,
    .size = sizeof(struct freeze_opts),
    .run = unfreeze_verb,
};
