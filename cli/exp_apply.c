/* dag exp apply: an experiment's files and data in the work tree. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/artifact.h"
#include "cli/checkout.h"
#include "cli/cli.h"
#include "cli/exp.h"
#include "store/git_write.h"
#include "store/track/checkout.h"
#include "store/track/collect_rev.h"

#define SHORT_ID    7
#define SUBJECT_MAX 1024

struct apply {
	struct artifact a;
	struct exp_call *k;
	char id[REPO_ID]; /* what is applied */
	struct track_revs *revs;
	struct track_list list; /* of it */
	struct checkout_report report;
	int lost;	/* 1: data would be */
	bool saved;	/* what was in the work tree */
	bool untracked; /* that, too */
};

/* ---- before anything is changed ---- */

/* Whether data would be lost. */
static int
look_at_data(struct apply *p, struct err *err)
{
	const struct checkout_options how = {.allow_missing = true, .dry = true};
	struct checkout_out *outs;
	size_t n = 0;

	if (track_revs_open(&p->a.track, p->k->git, &p->revs, err) != 0 ||
	    track_collect_rev(p->revs, p->id, &p->a.meter, p->a.diag, &p->list, err) != 0)
		return -1;
	outs = arena_array(p->a.arena, p->list.n + 1, sizeof(*outs));
	if (outs == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < p->list.n; i++) {
		const struct track_out *o = &p->list.outs[i];

		if (o->cache)
			outs[n++] = (struct checkout_out){
			    .path = o->path, .id = o->id, .exec = o->exec};
	}
	p->lost = checkout_outs(&p->a.ws, &how, outs, n, &p->report, err);
	return p->lost < 0 ? -1 : 0;
}

/* A commit like those that `git stash` makes, which `git stash apply` takes. */
static int
save(struct apply *p, const struct repo_head *head, const struct repo_snapshot *s,
     const char *untracked, struct err *err)
{
	struct repo *git = p->k->git;
	char ids[3][REPO_ID], all[REPO_ID], text[SUBJECT_MAX];
	const char *parents[] = {ids[0], ids[1], ids[2]};
	const char *branch = head->branch[0] != '\0' ? head->branch : "(no branch)";
	struct repo_commit c;

	memcpy(ids[0], head->id, sizeof(ids[0]));
	if (repo_commit(git, head->id, &c, err) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "index on %.500s: %.*s %s\n", branch, SHORT_ID,
		       head->id, c.subject);
	if (repo_commit_make(git, s->index, parents, 1, text, ids[1], err) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "untracked files on %.500s: %.*s %s\n", branch,
		       SHORT_ID, head->id, c.subject);
	if (untracked[0] != '\0' &&
	    repo_commit_make(git, untracked, NULL, 0, text, ids[2], err) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "On %.500s: dvc-exp-apply:%s:%s:%s\n", branch,
		       head->id, p->id, p->k->words[0]);
	if (repo_commit_make(git, s->tree, parents, untracked[0] != '\0' ? 3 : 2, text,
			     all, err) != 0 ||
	    repo_ref_set(git, EXP_STASH, all, NULL, err) != 0)
		return -1;
	p->saved = true;
	p->untracked = untracked[0] != '\0';
	return 0;
}

static int
keep_what_is(struct apply *p, struct err *err)
{
	struct repo *git = p->k->git;
	struct repo_snapshot s;
	struct repo_commit c;
	struct repo_head head;
	char untracked[REPO_ID];
	size_t n;

	if (repo_head(git, &head, err) != 0)
		return -1;
	if (head.id[0] == '\0')
		return err_set(err, ERR_INVALID,
			       "the branch '%s' has no commit yet to apply it to",
			       head.branch);
	if (repo_commit(git, head.id, &c, err) != 0 ||
	    repo_snapshot(git, git, NULL, 0, &p->a.meter.cancel, &s, err) != 0 ||
	    repo_in_way(git, p->id, untracked, &n, err) != 0)
		return -1;
	if (strcmp(s.tree, c.tree) == 0 && strcmp(s.index, c.tree) == 0 && n == 0)
		return repo_ref_remove(git, EXP_STASH, err);
	return save(p, &head, &s, untracked, err) != 0
		   ? -1
		   : repo_ref_set(git, EXP_HEAD_WAS, head.id, NULL, err);
}

/* ---- the work ---- */

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct apply *p = arg;

	(void)m;
	if (exp_resolve(p->k->git, &p->k->list, p->k->words[0], p->id, err) != 0)
		return -1;
	if (!p->k->o->force && look_at_data(p, err) != 0)
		return -1;
	if (p->lost == 1)
		return 0;
	if (keep_what_is(p, err) != 0 || repo_put(p->k->git, p->id, err) != 0)
		return -1;
	return repo_ref_set(p->k->git, EXP_APPLIED, p->id, NULL, err);
}

static int
tell(struct apply *p)
{
	if (p->lost == 1) {
		artifact_list(
		    &p->a, &p->report.unsaved,
		    "nothing was changed, as these files would be lost: the cache "
		    "does not have them ('dag commit' or 'dag add' records them, "
		    "--force gives them up)");
		return EXIT_WORK;
	}
	if (p->k->o->common.quiet)
		return EXIT_OK;
	buf_addf(&p->k->c->out, "the work tree is what it is in '%s' now\n",
		 p->k->words[0]);
	if (p->saved)
		buf_addf(&p->k->c->out,
			 "what was changed before is kept: 'git restore -s " EXP_STASH
			 " :/' brings it back%s\n",
			 p->untracked ? ", 'git restore --overlay -s " EXP_STASH
					"^3 :/' what git does not track"
				      : "");
	return EXIT_OK;
}

int
exp_apply_verb(struct exp_call *k)
{
	struct apply p = {.k = k};
	struct err err = {0};
	int code;

	problems_init(&p.report.unsaved);
	problems_init(&p.report.missing);
	problems_init(&p.report.failed);
	if (artifact_open(k->c, &k->o->common, true, &p.a, &err) == 0 &&
	    artifact_work(&p.a, work, &p, &err) == 0)
		code = tell(&p);
	else
		code = artifact_fail(&p.a, &err);
	checkout_report_release(&p.report);
	track_list_free(&p.list);
	track_revs_close(p.revs);
	artifact_close(&p.a);
	if (code != EXIT_OK)
		return code;
	return checkout_all(k->c, k->o->force, k->o->common.quiet);
}
