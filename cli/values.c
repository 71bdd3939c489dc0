/* What the values are: which revisions, which files, what is read of them. */
#include "cli/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "cli/cli.h"
#include "cli/values_int.h"
#include "store/git.h"
#include "store/track/collect_rev.h"

static const char WORKSPACE[] = "workspace"; /* DVC's word for the work tree */

/* ---- the words ---- */

static bool
many(const struct values_opts *o)
{
	return o->branches || o->tags || o->commits;
}

static int
understand(struct values *k)
{
	struct cli *c = k->a.c;
	const struct values_opts *o = k->o;
	const char *word = c->nargs > 0 ? c->args[0] : "show";

	k->words = c->args + (c->nargs > 0 ? 1 : 0);
	k->nwords = c->nargs > 0 ? c->nargs - 1 : 0;
	k->diff = strcmp(word, "diff") == 0;
	if (!k->diff && strcmp(word, "show") != 0)
		return cli_usage(c, "'%s' is nothing that %s can do: it is show or diff",
				 word, c->verb->name);
	if (o->json && o->md)
		return cli_usage(c, "--json and --md exclude each other");
	if (k->diff && many(o))
		return cli_usage(c,
				 "a diff is of two revisions: %s, %s and %s are for "
				 "'dag %s show'",
				 "--all-branches", "--all-tags", "--all-commits",
				 c->verb->name);
	if (!k->diff && (o->all || o->no_path || o->targets.n > 0))
		return cli_usage(c,
				 "--all, --no-path and --targets are for 'dag %s diff'",
				 c->verb->name);
	if (k->diff && k->nwords > 2)
		return cli_usage(c,
				 "it is: dag %s diff [REV [REV]]; files are named with "
				 "--targets",
				 c->verb->name);
	k->revs[0] = k->diff && k->nwords > 0 ? k->words[0] : "HEAD";
	k->revs[1] = k->diff && k->nwords > 1 ? k->words[1] : WORKSPACE;
	return EXIT_OK;
}

/* The files that are meant, seen from the root. */
static int
find_targets(struct values *k, struct err *err)
{
	const char *const *words =
	    k->diff ? k->o->targets.v : (const char *const *)k->words;

	k->ntargets = k->diff ? k->o->targets.n : k->nwords;
	k->targets = artifact_paths(&k->a, words, k->ntargets, err);
	return k->targets != NULL ? 0 : -1;
}

/* ---- the work ---- */

static int
read_state(struct values *k, struct values_state *s, const char *commit, struct err *err)
{
	const char *name = commit != NULL || s->name[0] != '\0' ? s->name : WORKSPACE;

	if (snapshot_open(&k->source, name, commit, &s->snapshot, err) != 0)
		return -1;
	return k->kind == VALUES_METRICS
		   ? tracked_metrics(&s->snapshot, k->targets, k->ntargets, &s->values,
				     err)
		   : tracked_params(&s->snapshot, k->targets, k->ntargets, k->o->deps,
				    &s->values, err);
}

/* What a commit of the past has wrong does not hide the others. */
static bool
passes(const struct values *k, const struct err *why)
{
	return !k->diff && (why->code == ERR_INVALID || why->code == ERR_LIMIT ||
			    why->code == ERR_NOTFOUND || why->code == ERR_EXISTS);
}

static int
add_state(struct values *k, const char *name, const char *commit, struct err *err)
{
	struct values_state *s = calloc(1, sizeof *s);
	struct err why = {0};

	if (s == NULL || vec_push(&k->states, s) != 0) {
		free(s);
		return err_nomem(err);
	}
	s->name = arena_strdup(k->a.arena, name);
	if (s->name == NULL)
		return err_nomem(err);
	meter_add(&k->a.meter, 1, 0);
	if (read_state(k, s, commit, &why) == 0)
		return 0;
	if (commit != NULL && passes(k, &why)) {
		s->failed = why;
		return 0;
	}
	*err = why;
	return -1;
}

static int
add_rev(struct values *k, const char *rev, struct err *err)
{
	char id[REPO_ID];

	if (strcmp(rev, WORKSPACE) == 0)
		return add_state(k, rev, NULL, err);
	return repo_resolve(k->source.git, rev, id, err) == 0 ? add_state(k, rev, id, err)
							      : -1;
}

static int
add_found(void *arg, const struct repo_rev *rev, struct err *err)
{
	struct values *k = arg;
	struct buf b;
	int rc;

	/* As DVC calls them. */
	buf_init(&b, 0);
	for (size_t i = 0; !k->o->commits && i < rev->nnames; i++)
		buf_addf(&b, "%s%s", i != 0 ? "," : "", rev->names[i]);
	if (k->o->commits)
		buf_adds(&b, rev->id);
	rc = buf_failed(&b) ? err_nomem(err) : add_state(k, b.p, rev->id, err);
	buf_release(&b);
	return rc;
}

static void
state_free(struct values_state *s)
{
	tracked_values_release(&s->values);
	snapshot_close(&s->snapshot);
	free(s);
}

/* What the branch that is checked out has need not be shown twice. */
static int
hide_work(struct values *k, struct err *err)
{
	struct repo_head head;

	if (repo_head(k->source.git, &head, err) != 0)
		return -1;
	for (size_t i = 1; i < k->states.n; i++) {
		struct values_state *s = k->states.v[i];

		if (head.branch[0] == '\0' || strcmp(s->name, head.branch) != 0 ||
		    s->failed.code != ERR_NONE ||
		    !tracked_values_equal(&k->states.v[0]->values, &s->values))
			continue;
		state_free(k->states.v[0]);
		memmove(k->states.v, k->states.v + 1,
			(k->states.n - 1) * sizeof(*k->states.v));
		k->states.n--;
		break;
	}
	return 0;
}

static int
show(struct values *k, struct err *err)
{
	struct repo_scope scope = {.branches = k->o->branches && !k->o->commits,
				   .tags = k->o->tags && !k->o->commits,
				   .history = k->o->commits};

	if (!many(k->o))
		return add_state(k, "", NULL, err);
	if (add_state(k, WORKSPACE, NULL, err) != 0 ||
	    repo_revs(k->source.git, &scope, add_found, k, err) != 0)
		return -1;
	return hide_work(k, err);
}

static int
compare(struct values *k, struct err *err)
{
	if (add_rev(k, k->revs[0], err) != 0 || add_rev(k, k->revs[1], err) != 0)
		return -1;
	return values_diff(k->a.arena, &k->states.v[0]->values, &k->states.v[1]->values,
			   k->o->all, &k->changes, err);
}

static bool
is_absent(const struct values_state *s, const char *path)
{
	vec_foreach (&s->values.files, const struct tracked_file, f)
		if (strcmp(f->path, path) == 0)
			return f->code == ERR_NOTFOUND;
	return s->failed.code != ERR_NONE;
}

/* Each target must be there at one time. */
static int
check_targets(struct values *k, struct err *err)
{
	for (size_t i = 0; i < k->ntargets; i++) {
		size_t absent = 0;

		vec_foreach (&k->states, struct values_state *const, s)
			absent += is_absent(*s, k->targets[i]);
		if (absent != 0 && absent == k->states.n)
			return err_set(err, ERR_NOTFOUND, "there is no file '%s'",
				       k->diff ? k->o->targets.v[i] : k->words[i]);
	}
	return 0;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct values *k = arg;
	struct repo *git = NULL;
	struct repo_head head;

	k->source = (struct snapshot_source){.ws = &k->a.ws,
					     .root = k->a.track.root,
					     .work = &k->a.list,
					     .meter = m,
					     .diag = diag_new()};
	if (k->source.diag == NULL)
		return err_nomem(err);
	meter_begin(m, "reading values");
	if (k->diff || many(k->o)) {
		if (artifact_git(&k->a, &git, err) != 0)
			return -1;
		if (git == NULL)
			return err_set(err, ERR_NOTFOUND,
				       "there is no git repository here, and so no "
				       "revision to read");
		k->source.git = git;
		/* Without a commit there is nothing that could differ. */
		if (repo_head(git, &head, err) != 0)
			return -1;
		if (head.id[0] == '\0' && k->diff && k->nwords == 0)
			return 0;
		if (track_revs_open(&k->a.track, git, &k->source.revs, err) != 0)
			return -1;
	}
	if ((k->diff ? compare : show)(k, err) != 0)
		return -1;
	return check_targets(k, err);
}

/* ---- the verb ---- */

static void
release(struct values *k)
{
	diag_free(k->source.diag);
	values_diff_release(&k->changes);
	vec_foreach (&k->states, struct values_state *, s)
		state_free(*s);
	vec_release(&k->states);
	track_revs_close(k->source.revs);
	artifact_close(&k->a);
}

int
values_verb(struct cli *c, const struct values_opts *o, enum values_kind kind)
{
	struct values k = {.o = o, .kind = kind};
	struct err err = {0};
	bool bad = false;
	int code;

	k.a.c = c;
	if ((code = understand(&k)) != EXIT_OK)
		return code;
	if (artifact_open_all(c, &o->common, false, &k.a, &err) == 0 &&
	    find_targets(&k, &err) == 0 && artifact_work(&k.a, work, &k, &err) == 0) {
		if (values_put(&k) != 0) {
			(void)err_nomem(&err);
			code = cli_fail(c, &err);
		}
		(void)cli_flush(c);
		values_warn(&k, &bad);
		if (bad && code == EXIT_OK && !many(o))
			code = EXIT_WORK;
	} else {
		code = artifact_fail(&k.a, &err);
	}
	release(&k);
	return code;
}
