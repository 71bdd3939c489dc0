/*
 * Candidates out of a repository of tracked data: what is tracked, and revisions.  What cannot
 * be read has none.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "store/dvc/dvc_yaml.h"
#include "store/git.h"

/* ---- what is tracked ---- */

/* Each path as it is seen from here. */
static void
add_outs(struct complete *cp, struct artifact *a)
{
	struct buf b;

	buf_init(&b, 0);
	for (size_t i = 0; i < a->list.n; i++) {
		const struct track_out *o = &a->list.outs[i];

		buf_clear(&b);
		artifact_put_path(a, o->path, &b);
		if (!buf_failed(&b))
			complete_add(cp, b.p, o->file);
	}
	buf_release(&b);
}

void
complete_targets(struct complete *cp)
{
	static const struct artifact_opts none = {.quiet = true, .look = true};
	struct artifact a;
	struct err err = {0};

	if (artifact_open_all(cp->c, &none, false, &a, &err) == 0 &&
	    track_collect(&a.track, NULL, NULL, &a.list, &err) == 0)
		add_outs(cp, &a);
	artifact_close(&a);
	/* What lies in a tracked directory can be had from the shell. */
	buf_adds(&cp->c->out, ":file\n");
}

/* ---- stages ---- */

/* "FILE:STAGE", those of the dvc.yaml here by their name alone. */
static void
add_stages(struct complete *cp, struct artifact *a, const struct track_file *f)
{
	struct buf b;

	buf_init(&b, 0);
	artifact_put_path(a, f->path, &b);
	if (f->yaml == NULL && f->file != NULL && !buf_failed(&b))
		complete_add(cp, b.p, "a .dvc file");
	if (strcmp(b.p, "dvc.yaml") == 0)
		buf_clear(&b);
	else
		buf_addc(&b, ':');
	for (size_t i = 0, n = b.n; f->yaml != NULL && i < f->yaml->nstages; i++) {
		buf_truncate(&b, n);
		buf_adds(&b, f->yaml->stages[i].name);
		if (!buf_failed(&b))
			complete_add(cp, b.p, f->path);
	}
	buf_release(&b);
}

void
complete_stages(struct complete *cp)
{
	static const struct artifact_opts none = {.quiet = true, .look = true};
	struct artifact a;
	struct err err = {0};

	if (artifact_open(cp->c, &none, false, &a, &err) == 0 &&
	    track_collect(&a.track, NULL, NULL, &a.list, &err) == 0)
		for (size_t i = 0; i < a.list.nfiles; i++)
			add_stages(cp, &a, a.list.files[i]);
	artifact_close(&a);
}

/* ---- revisions ---- */

static int
add_rev(void *arg, const struct repo_rev *rev, struct err *err)
{
	char short_id[8 + 1];

	(void)err;
	memcpy(short_id, rev->id, sizeof(short_id) - 1);
	short_id[sizeof(short_id) - 1] = '\0';
	for (size_t i = 0; i < rev->nnames; i++)
		complete_add(arg, rev->names[i], short_id);
	return 0;
}

void
complete_revisions(struct complete *cp)
{
	static const struct artifact_opts none = {.quiet = true, .look = true};
	const struct repo_scope scope = {.branches = true, .tags = true};
	struct artifact a;
	struct repo *git;
	struct err err = {0};

	complete_add(cp, "HEAD", "the last commit");
	if (artifact_open(cp->c, &none, false, &a, &err) == 0 &&
	    artifact_git(&a, &git, &err) == 0 && git != NULL)
		(void)repo_revs(git, &scope, add_rev, cp, &err);
	artifact_close(&a);
}
