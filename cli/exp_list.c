/* dag exp list, remove, rename, branch: what references alone tell, and do. */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/exp.h"
#include "store/git_write.h"

#define SHORT_ID 7

/* ---- which are meant ---- */

struct meant {
	const struct exp_call *k;
	struct map of; /* the baselines */
	VEC(const struct exp *) v;
};

static int
add_of(void *ctx, const struct repo_rev *rev, struct err *err)
{
	struct meant *m = ctx;
	size_t n;
	const struct exp *e = exp_of(&m->k->list, rev->id, &n);

	for (size_t i = 0; i < n; i++)
		if (vec_push(&m->v, &e[i]) != 0)
			return err_nomem(err);
	return 0;
}

/* Those of all baselines, of the revisions, or of HEAD. */
static int
find_meant(struct exp_call *k, struct meant *m)
{
	static const char *const head[] = {"HEAD"};
	struct repo_scope scope = {.revs = k->o->revs.n > 0 ? k->o->revs.v : head,
				   .nrevs = k->o->revs.n > 0 ? k->o->revs.n : 1,
				   .last = k->last};
	struct repo_head at;

	m->k = k;
	for (size_t i = 0; k->o->commits && i < k->list.n; i++)
		if (vec_push(&m->v, &k->list.v[i]) != 0)
			return err_nomem(&k->err);
	if (k->o->commits)
		return 0;
	/* Nothing was made from a branch without a commit. */
	if (repo_head(k->git, &at, &k->err) != 0)
		return -1;
	if (at.id[0] == '\0' && k->o->revs.n == 0)
		return 0;
	return repo_revs(k->git, &scope, add_of, m, &k->err);
}

/* ---- list ---- */

static void
put_text(struct exp_call *k, const struct exp_names *names, const struct meant *m)
{
	struct buf *b = &k->c->out;
	const char *name;

	for (size_t i = 0; i < m->v.n; i++) {
		const struct exp *e = m->v.v[i];

		if (k->o->name_only || k->o->sha_only) {
			buf_addf(b, "%s\n", k->o->name_only ? e->name : e->id);
			continue;
		}
		if (i == 0 || strcmp(m->v.v[i - 1]->baseline, e->baseline) != 0) {
			name = exp_names_of(names, e->baseline);
			if (name != NULL)
				buf_addf(b, "%s:\n", name);
			else
				buf_addf(b, "%.*s:\n", SHORT_ID, e->baseline);
		}
		buf_addf(b, "\t%.*s [%s]\n", SHORT_ID, e->id, e->name);
	}
}

static void
put_json(struct exp_call *k, const struct exp_names *names, const struct meant *m)
{
	struct json_writer w;

	json_init(&w, &k->c->out, 2);
	json_begin_array(&w);
	for (size_t i = 0; i < m->v.n; i++) {
		const struct exp *e = m->v.v[i];
		const char *name = exp_names_of(names, e->baseline);

		json_begin_object(&w);
		json_kv_str(&w, "name", e->name);
		json_kv_str(&w, "rev", e->id);
		json_kv_str(&w, "ref", e->ref);
		json_kv_str(&w, "baseline", e->baseline);
		json_key(&w, "baseline_name");
		if (name != NULL)
			json_str(&w, name);
		else
			json_put_null(&w);
		json_end(&w);
	}
	json_end(&w);
	buf_addc(&k->c->out, '\n');
}

int
exp_list_verb(struct exp_call *k)
{
	struct meant m = {.k = NULL};
	struct exp_names *names = NULL;
	int code = EXIT_OK;

	if (k->o->name_only + k->o->sha_only + k->o->json > 1)
		return cli_usage(k->c, "only one of --name-only, --sha-only and --json");
	if (exp_names_read(k->git, &names, &k->err) != 0 || find_meant(k, &m) != 0)
		code = cli_fail(k->c, &k->err);
	else if (k->o->json)
		put_json(k, names, &m);
	else
		put_text(k, names, &m);
	exp_names_free(names);
	vec_release(&m.v);
	return code;
}

/* ---- remove ---- */

static int
remove_one(struct exp_call *k, const struct exp *e, const char *applied)
{
	if (repo_ref_remove(k->git, e->ref, &k->err) != 0)
		return -1;
	if (strcmp(applied, e->id) == 0 &&
	    repo_ref_remove(k->git, EXP_APPLIED, &k->err) != 0)
		return -1;
	if (!k->o->common.quiet)
		buf_addf(&k->c->out, "removed %s\n", e->name);
	return 0;
}

static int
note_applied(void *ctx, const struct repo_ref *ref, struct err *err)
{
	(void)err;
	if (strcmp(ref->name, EXP_APPLIED) == 0)
		memcpy(ctx, ref->id, REPO_ID);
	return 0;
}

static bool
has(const struct meant *m, const struct exp *e)
{
	for (size_t i = 0; i < m->v.n; i++)
		if (m->v.v[i] == e)
			return true;
	return false;
}

/* All of the words are found before the first one goes. */
static int
find_words(struct exp_call *k, struct meant *m)
{
	const struct exp *e;

	for (size_t i = 0; i < k->n; i++) {
		if (exp_find(k->git, &k->list, k->words[i], &e, &k->err) != 0)
			return -1;
		if (!has(m, e) && vec_push(&m->v, e) != 0)
			return err_nomem(&k->err);
	}
	return 0;
}

static int
remove_meant(struct exp_call *k, const struct meant *m)
{
	char applied[REPO_ID] = "";
	size_t gone = 0;

	if (repo_refs(k->git, EXP_APPLIED, note_applied, applied, &k->err) != 0)
		return -1;
	for (size_t i = 0; i < k->list.n; i++)
		if (has(m, &k->list.v[i]) != k->o->keep) {
			if (remove_one(k, &k->list.v[i], applied) != 0)
				return -1;
			gone++;
		}
	if (gone == 0 && !k->o->common.quiet)
		buf_adds(&k->c->out, "no experiment to remove\n");
	return 0;
}

int
exp_remove_verb(struct exp_call *k)
{
	struct meant m = {.k = NULL};
	int rc;

	if ((k->n > 0) + (k->o->revs.n > 0) + k->o->commits != 1)
		return cli_usage(k->c, "name experiments, or those of --rev REV, or all "
				       "by --all-commits");
	rc = k->n > 0 ? find_words(k, &m) : find_meant(k, &m);
	if (rc == 0)
		rc = remove_meant(k, &m);
	vec_release(&m.v);
	return rc == 0 ? EXIT_OK : cli_fail(k->c, &k->err);
}

/* ---- rename, branch ---- */

int
exp_rename_verb(struct exp_call *k)
{
	const char *name = k->words[1];
	const struct exp *e;
	struct buf ref;
	int rc = -1;

	buf_init(&ref, 0);
	if (exp_find(k->git, &k->list, k->words[0], &e, &k->err) != 0 ||
	    exp_name_check(k->git, name, &k->err) != 0)
		goto out;
	exp_ref(e->baseline, name, &ref);
	if (buf_failed(&ref)) {
		(void)err_nomem(&k->err);
		goto out;
	}
	if (strcmp(e->name, name) == 0) {
		rc = 0;
		goto out;
	}
	/* The new one first: an experiment has two names rather than none. */
	rc = repo_ref_set(k->git, ref.p, e->id, k->o->force ? NULL : "", &k->err);
	if (rc != 0 && k->err.code == ERR_EXISTS)
		(void)err_set(&k->err, ERR_EXISTS,
			      "there is an experiment '%s' already: --force replaces it",
			      name);
	if (rc == 0)
		rc = repo_ref_remove(k->git, e->ref, &k->err);
	if (rc == 0 && !k->o->common.quiet)
		buf_addf(&k->c->out, "%s is %s now\n", e->name, name);
out:
	buf_release(&ref);
	return rc == 0 ? EXIT_OK : cli_fail(k->c, &k->err);
}

/* As a reference it would do, but no command could name it, or would name HEAD any more. */
static bool
is_branch_name(const char *name)
{
	return name[0] != '-' && strcmp(name, "HEAD") != 0;
}

int
exp_branch_verb(struct exp_call *k)
{
	const struct exp *e;
	struct buf ref;
	int rc = -1;

	buf_init(&ref, 0);
	buf_adds(&ref, "refs/heads/");
	if (exp_find(k->git, &k->list, k->words[0], &e, &k->err) != 0)
		goto out;
	if (k->n > 1)
		buf_adds(&ref, k->words[1]);
	else
		buf_addf(&ref, "%s-branch", e->name);
	if (buf_failed(&ref))
		(void)err_nomem(&k->err);
	else if (!is_branch_name(ref.p + strlen("refs/heads/")))
		(void)err_set(&k->err, ERR_INVALID,
			      "git takes no branch that is called '%.255s'",
			      ref.p + strlen("refs/heads/"));
	else
		rc = repo_ref_set(k->git, ref.p, e->id, "", &k->err);
	if (rc == 0 && !k->o->common.quiet)
		buf_addf(&k->c->out,
			 "the branch %s begins with %s: 'git switch %s' goes there\n",
			 ref.p + strlen("refs/heads/"), e->name,
			 ref.p + strlen("refs/heads/"));
out:
	buf_release(&ref);
	return rc == 0 ? EXIT_OK : cli_fail(k->c, &k->err);
}
