/*
 * dag diff: what differs between two revisions, or a revision and the work tree.
 */
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/artifact.h"
#include "cli/changes.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/git.h"
#include "store/track/changes.h"
#include "store/track/collect_rev.h"
#include "store/track/compare.h"

struct diff_opts {
	struct artifact_opts common;
	struct opt_strings targets;
	bool json, md, show_hash, hide_missing;
};

static const struct opt diff_opts[] = {
    {.name = "targets",
     .kind = OPT_STRINGS,
     .at = offsetof(struct diff_opts, targets),
     .arg = "PATH",
     .doc = "Only what is at or below PATH; may be given again."},
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct diff_opts, json),
     .doc = "Write one JSON object, as DVC does."},
    {.name = "md",
     .kind = OPT_FLAG,
     .at = offsetof(struct diff_opts, md),
     .doc = "Write a Markdown table."},
    {.name = "show-hash",
     .kind = OPT_FLAG,
     .at = offsetof(struct diff_opts, show_hash),
     .doc = "Show the hashes, too."},
    {.name = "hide-missing",
     .kind = OPT_FLAG,
     .at = offsetof(struct diff_opts, hide_missing),
     .doc = "Do not tell what the cache does not have."},
    ARTIFACT_JOBS(struct diff_opts, common),
    {.name = NULL}};

struct diff {
	struct artifact a;
	const struct diff_opts *o;
	const char **targets;
	struct track_revs *revs;
	struct track_list old, new; /* of revisions */
	struct changes changes;
};

/* ---- the work ---- */

static int
read_rev(struct diff *k, struct repo *git, const char *rev, struct track_list *out,
	 struct err *err)
{
	char id[REPO_ID];

	if (repo_resolve(git, rev, id, err) != 0)
		return -1;
	return track_collect_rev(k->revs, id, &k->a.meter, k->a.diag, out, err);
}

/* Each target must be something on one of the sides. */
static int
check_targets(struct diff *k, const struct track_list *new, struct err *err)
{
	const struct track_list *lists[] = {&k->old, new};

	for (size_t i = 0; i < k->o->targets.n; i++) {
		bool any = false;

		for (size_t s = 0; s < 2; s++)
			for (size_t n = 0; n < lists[s]->n; n++)
				any = any ||
				      path_overlap(lists[s]->outs[n].path, k->targets[i]);
		if (!any)
			return err_set(err, ERR_NOTFOUND,
				       "'%s' is tracked on neither side",
				       k->o->targets.v[i]);
	}
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct diff *k = arg;
	struct cli *c = k->a.c;
	struct compare_options o = {.granular = true,
				    .missing = c->nargs < 2,
				    .targets = k->targets,
				    .ntargets = k->o->targets.n};
	struct repo *git;
	struct repo_head head;

	(void)m;
	if (artifact_git(&k->a, &git, err) != 0)
		return -1;
	if (git == NULL)
		return err_set(err, ERR_NOTFOUND,
			       "there is no git repository here, and so no revision to "
			       "compare with");
	/* Without a commit there is nothing that could differ. */
	if (repo_head(git, &head, err) != 0)
		return -1;
	if (head.id[0] == '\0' && c->nargs == 0)
		return 0;
	if (track_revs_open(&k->a.track, git, &k->revs, err) != 0 ||
	    read_rev(k, git, c->nargs > 0 ? c->args[0] : "HEAD", &k->old, err) != 0)
		return -1;
	if (c->nargs < 2)
		return check_targets(k, &k->a.list, err) != 0
			   ? -1
			   : compare_work(&k->a.ws, &k->old, &k->a.list, &o, &k->changes,
					  err);
	if (read_rev(k, git, c->args[1], &k->new, err) != 0 ||
	    check_targets(k, &k->new, err) != 0)
		return -1;
	return compare_lists(&k->a.ws, &k->old, &k->new, &o, &k->changes, err);
}

static int
find_targets(struct diff *k, struct err *err)
{
	k->targets = artifact_paths(&k->a, k->o->targets.v, k->o->targets.n, err);
	return k->targets != NULL ? 0 : -1;
}

static void
tell(struct diff *k)
{
	struct changes_show show = {.color = cli_color(k->a.c, 1),
				    .hashes = k->o->show_hash,
				    .missing = k->a.c->nargs < 2 && !k->o->hide_missing};
	struct json_writer w;

	if (k->o->json) {
		json_init(&w, &k->a.c->out, 2);
		changes_json_diff(&w, &k->changes, &show);
		buf_addc(&k->a.c->out, '\n');
	} else if (k->o->md) {
		changes_put_markdown(&k->a.c->out, &k->changes, &show);
	} else {
		changes_put_diff(&k->a.c->out, &k->changes, &show);
	}
}

static int
diff_verb(struct cli *c, const void *opts)
{
	struct diff k = {.o = opts};
	struct err err = {0};
	int code = EXIT_OK;

	if (k.o->json && k.o->md)
		return cli_usage(c, "--json and --md exclude each other");
	if (artifact_open_all(c, &k.o->common, false, &k.a, &err) == 0 &&
	    find_targets(&k, &err) == 0 && artifact_work(&k.a, work, &k, &err) == 0)
		tell(&k);
	else
		code = artifact_fail(&k.a, &err);
	changes_release(&k.changes);
	track_list_free(&k.old);
	track_list_free(&k.new);
	track_revs_close(k.revs);
	artifact_close(&k.a);
	return code;
}

const struct verb verb_diff = {
    .name = "diff",
    .group = GROUP_DATA,
    .summary = "data that differs between revisions, or from one",
    .args = "[REV [REV]]",
    .max = 2,
    .doc =
	"Tell which tracked data was added, deleted, renamed or modified between the two "
	"revisions of git, or between the first (HEAD where none is given) and the work "
	"tree, file by file; and in that case also what the cache does not have. Changes "
	"nothing.",
    .examples = "dag diff\tsince the last commit\n"
		"dag diff main HEAD --json\tbetween two branches\n"
		"dag diff v1.0 --targets data/raw\twhat became of one directory",
    .opts = diff_opts,
    .size = sizeof(struct diff_opts),
    .run = diff_verb,
};
