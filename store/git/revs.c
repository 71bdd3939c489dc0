/* Revisions: by name, and all that a scope means. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/git/lg.h"

#define SHALLOW_MAX ((size_t)64 << 20)
#define NAME_LIMIT  1200 /* of a branch or tag, with what we say around it */
#define STASH	    "refs/stash"
#define EXPS	    "refs/exps"

/* ---- one by name ---- */

int
lg_resolve(struct repo *r, const char *rev, char id[REPO_ID], struct err *err)
{
	git_object *any = NULL, *commit = NULL;
	int rc = git_revparse_single(&any, r->git, rev);

	if (rc == 0) {
		rc = git_object_peel(&commit, any, GIT_OBJECT_COMMIT);
		git_object_free(any);
		if (rc != 0)
			return err_set(err, ERR_INVALID,
				       "'%.255s' names no commit in the repository '%s'",
				       rev, r->name);
		lg_id(git_object_id(commit), id);
		git_object_free(commit);
		return 0;
	}
	/* So says libgit2, too, of what is no short id at all. */
	if (rc == GIT_EAMBIGUOUS && strlen(rev) < GIT_OID_MINPREFIXLEN)
		rc = GIT_ENOTFOUND;
	if (rc == GIT_EAMBIGUOUS)
		return err_set(err, ERR_INVALID,
			       "'%.255s' is short for more than one object in the "
			       "repository '%s': give more digits",
			       rev, r->name);
	if (rc == GIT_EINVALIDSPEC)
		return err_set(err, ERR_INVALID,
			       "'%.255s' is not how git names a revision", rev);
	if (rc == GIT_ENOTFOUND)
		return err_set(
		    err, ERR_NOTFOUND,
		    "there is no revision '%.255s' in the repository '%s'%s", rev,
		    r->name,
		    git_repository_is_shallow(r->git) > 0
			? ", which is a shallow clone: 'git fetch --unshallow' "
			  "gets the rest"
			: "");
	return lg_fail(err, rc, "cannot look for revision '%.255s'", rev);
}

/* ---- those of a scope ---- */

/* A commit that was found. */
struct known {
	git_oid oid;
	bool meant; /* else only looked through for what it reaches */
	VEC(const char *) names;
	size_t nth;	/* in the queue */
	int64_t time_s; /* once it was looked through */
};

struct search {
	struct repo *r;
	struct arena *arena;
	struct map all;	    /* of struct known, by the bytes of their ids */
	struct map shallow; /* ids whose parents were cut off */
	struct buf cut;	    /* what `shallow` points into */
	VEC(struct known *) queue;
	unsigned last; /* of the scope */
	bool walk;     /* what they reach is looked at too */
	bool meant;    /* those that are noted now are */
};

/* Note the commit, with one more name unless that is NULL. */
static struct known *
note(struct search *s, const git_oid *oid, const char *name, struct err *err)
{
	struct known *k = map_getn(&s->all, (const char *)oid->id, GIT_OID_RAWSZ);
	const char *copy = NULL;

	if (name != NULL && (copy = arena_strdup(s->arena, name)) == NULL)
		goto nomem;
	if (k == NULL) {
		k = arena_alloc(s->arena, sizeof(*k));
		if (k == NULL)
			goto nomem;
		*k = (struct known){.oid = *oid, .nth = s->queue.n};
		if (map_putn(&s->all, (const char *)k->oid.id, GIT_OID_RAWSZ, k) < 0 ||
		    (s->walk && vec_push(&s->queue, k) != 0))
			goto nomem;
	}
	k->meant = k->meant || s->meant;
	if (copy == NULL || vec_push(&k->names, copy) == 0)
		return k;
nomem:
	(void)err_nomem(err);
	return NULL;
}

static bool
is_cut(const struct search *s, const git_oid *oid)
{
	char id[REPO_ID];

	lg_id(oid, id);
	return map_hasn(&s->shallow, id, REPO_ID - 1);
}

/* ${oid} gets ${name}; of its first parents so many that there are ${last} in all are noted. */
static int
note_line(struct search *s, const git_oid *oid, const char *name, unsigned last,
	  struct err *err)
{
	git_commit *c = NULL;
	git_oid at = *oid;
	unsigned i;

	if (note(s, &at, name, err) == NULL)
		return -1;
	for (i = 1; i < last && !is_cut(s, &at); i++) {
		if (lg_commit(s->r, &at, "a commit", &c, err) != 0)
			return -1;
		if (git_commit_parentcount(c) == 0)
			i = last;
		else
			at = *git_commit_parent_id(c, 0);
		git_commit_free(c);
		if (i < last && note(s, &at, NULL, err) == NULL)
			return -1;
	}
	return 0;
}

/* The commit that a reference leads to.  Return 1; 0 where it is none (a symbolic one that
 * leads nowhere, a tag of a file); or -1. */
static int
peel(struct search *s, git_reference *ref, git_oid *oid, struct err *err)
{
	git_reference *direct = NULL;
	git_object *o = NULL;
	int rc = git_reference_resolve(&direct, ref);

	if (rc == GIT_ENOTFOUND && git_reference_type(ref) == GIT_REFERENCE_SYMBOLIC)
		return 0;
	if (rc == 0)
		rc = git_reference_peel(&o, direct, GIT_OBJECT_COMMIT);
	git_reference_free(direct);
	if (rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC)
		return 0;
	if (rc != 0)
		return lg_fail(err, rc, "cannot follow '%s' in the repository '%s'",
			       git_reference_name(ref), s->r->name);
	*oid = *git_object_id(o);
	git_object_free(o);
	return 1;
}

typedef int note_ref_fn(struct search *, git_reference *, const git_oid *, struct err *);

/* Call ${fn} for what each reference below ${dir} leads to. */
static int
each_ref(struct search *s, const char *dir, note_ref_fn *fn, struct err *err)
{
	git_reference_iterator *it = NULL;
	git_reference *ref;
	char glob[64];
	git_oid oid;
	int rc, one = 0;

	if (lg_refs_readable(s->r, dir, err) != 0)
		return -1;
	(void)snprintf(glob, sizeof(glob), "%s/*", dir);
	rc = git_reference_iterator_glob_new(&it, s->r->git, glob);
	while (rc == 0 && (rc = git_reference_next(&ref, it)) == 0) {
		one = peel(s, ref, &oid, err);
		if (one > 0)
			one = fn(s, ref, &oid, err);
		git_reference_free(ref);
		if (one < 0)
			break;
	}
	git_reference_iterator_free(it);
	if (one < 0)
		return -1;
	return rc == GIT_ITEROVER
		   ? 0
		   : lg_fail(err, rc,
			     "cannot list the references of the repository "
			     "'%s'",
			     s->r->name);
}

static int
note_named(struct search *s, git_reference *ref, const git_oid *oid, struct err *err)
{
	return note_line(s, oid, git_reference_shorthand(ref), s->last, err);
}

static int
note_nameless(struct search *s, git_reference *ref, const git_oid *oid, struct err *err)
{
	(void)ref;
	return note(s, oid, NULL, err) != NULL ? 0 : -1;
}

/* A stash is a commit whose second parent holds what was staged, and whose third the files that
 * were not tracked. */
static int
note_stash(struct search *s, const git_oid *oid, size_t n, struct err *err)
{
	char name[64];
	git_commit *c = NULL;
	unsigned i;
	int rc;

	if (lg_commit(s->r, oid, "a stash", &c, err) != 0)
		return -1;
	(void)snprintf(name, sizeof(name), "stash@{%zu}", n);
	rc = note(s, oid, name, err) != NULL ? 0 : -1;
	for (i = 1; rc == 0 && i < git_commit_parentcount(c); i++) {
		(void)snprintf(name, sizeof(name), "stash@{%zu}^%u", n, i + 1);
		rc = note(s, git_commit_parent_id(c, i), name, err) != NULL ? 0 : -1;
	}
	git_commit_free(c);
	return rc;
}

static int
note_stashes(struct search *s, struct err *err)
{
	git_reflog *log = NULL;
	git_oid oid;
	size_t i, n;
	int rc = git_reference_name_to_id(&oid, s->r->git, STASH);

	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = git_reflog_read(&log, s->r->git, STASH);
	if (rc != 0)
		return lg_fail(err, rc, "cannot read the stashes of the repository '%s'",
			       s->r->name);
	n = git_reflog_entrycount(log);
	/* Without its log the newest is all that is known. */
	rc = n == 0 ? note_stash(s, &oid, 0, err) : 0;
	for (i = 0; rc == 0 && i < n; i++)
		rc = note_stash(
		    s, git_reflog_entry_id_new(git_reflog_entry_byindex(log, i)), i, err);
	git_reflog_free(log);
	return rc;
}

/* An experiment is refs/exps/BA/SELINE.../NAME: its own commits are those above the baseline. */
static int
note_exp(struct search *s, git_reference *ref, const git_oid *oid, struct err *err)
{
	const char *name = git_reference_name(ref) + strlen(EXPS "/");
	char base[REPO_ID] = "", id[REPO_ID];
	git_commit *c = NULL;
	git_oid at = *oid;
	bool end = false;

	if (strcspn(name, "/") == 2 && strcspn(name + 3, "/") == REPO_ID - 3)
		(void)snprintf(base, sizeof(base), "%.2s%.38s", name, name + 3);
	if (note(s, &at, git_reference_name(ref), err) == NULL)
		return -1;
	while (base[0] != '\0' && !end && !is_cut(s, &at)) {
		if (lg_commit(s->r, &at, "a commit", &c, err) != 0)
			return -1;
		end = git_commit_parentcount(c) == 0;
		if (!end)
			at = *git_commit_parent_id(c, 0);
		git_commit_free(c);
		lg_id(&at, id);
		end = end || strcmp(id, base) == 0;
		if (!end && note(s, &at, NULL, err) == NULL)
			return -1;
	}
	return 0;
}

static int
note_head(void *ctx, const struct repo_tree *t, struct err *err)
{
	struct search *s = ctx;
	const char *dir = path_basename(s->r->dir);
	char name[NAME_LIMIT];
	git_oid oid;

	if (t->head[0] == '\0')
		return 0;
	if (strcmp(s->r->dir, s->r->common) == 0 ? t->name[0] == '\0'
						 : strcmp(t->name, dir) == 0)
		(void)snprintf(name, sizeof(name), "HEAD");
	else if (t->name[0] == '\0')
		(void)snprintf(name, sizeof(name), "HEAD of the main work tree");
	else
		(void)snprintf(name, sizeof(name), "HEAD of work tree %s", t->name);
	if (lg_oid(t->head, &oid, err) != 0 || note(s, &oid, name, err) == NULL)
		return -1;
	return 0;
}

static int
note_head_nameless(void *ctx, const struct repo_tree *t, struct err *err)
{
	git_oid oid;

	if (t->head[0] == '\0')
		return 0;
	if (lg_oid(t->head, &oid, err) != 0 || note(ctx, &oid, NULL, err) == NULL)
		return -1;
	return 0;
}

/* Read which commits are the last that a shallow clone has. */
static int
read_shallow(struct search *s, struct err *err)
{
	char *line, *save = NULL;
	struct buf path;
	int rc = 0;

	if (git_repository_is_shallow(s->r->git) <= 0)
		return 0;
	buf_init(&path, 0);
	path_join(&path, s->r->common, "shallow");
	if (buf_failed(&path))
		rc = err_nomem(err);
	else
		rc = fsio_read(AT_FDCWD, path.p, SHALLOW_MAX, &s->cut, err);
	buf_release(&path);
	if (rc != 0)
		return -1;
	for (line = strtok_r(s->cut.p, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strlen(line) == REPO_ID - 1 &&
		    map_putn(&s->shallow, line, REPO_ID - 1, s) < 0)
			return err_nomem(err);
	return 0;
}

/* Note all that the noted ones reach, and which of it is new enough to be meant. */
static int
note_reached(struct search *s, const struct repo_scope *scope, struct err *err)
{
	git_commit *c = NULL;
	struct known *k;
	unsigned i;
	size_t at;
	int rc = 0;

	for (at = 0; rc == 0 && at < s->queue.n; at++) {
		k = s->queue.v[at];
		if (scope->commits && is_cut(s, &k->oid))
			continue;
		if (lg_commit(s->r, &k->oid, "a commit", &c, err) != 0)
			return -1;
		k->time_s = git_commit_time(c);
		if (scope->dated && k->time_s >= scope->since_s)
			k->meant = true;
		for (i = 0;
		     rc == 0 && !is_cut(s, &k->oid) && i < git_commit_parentcount(c); i++)
			if (note(s, git_commit_parent_id(c, i), NULL, err) == NULL)
				rc = -1;
		git_commit_free(c);
	}
	return rc;
}

/* What people look back at: neither experiments nor stashes, whose commits are nobody's history. */
static int
note_history(struct search *s, const struct repo_scope *scope, struct err *err)
{
	struct repo_head head;
	git_oid oid;

	if (lg_head(s->r, &head, err) != 0)
		return -1;
	if (head.id[0] != '\0' &&
	    (lg_oid(head.id, &oid, err) != 0 || note(s, &oid, NULL, err) == NULL))
		return -1;
	if (each_ref(s, "refs/heads", note_nameless, err) != 0 ||
	    each_ref(s, "refs/remotes", note_nameless, err) != 0 ||
	    each_ref(s, "refs/tags", note_nameless, err) != 0)
		return -1;
	return note_reached(s, scope, err);
}

static int
note_scope(struct search *s, const struct repo_scope *scope, struct err *err)
{
	char id[REPO_ID];
	git_oid oid;
	size_t i;

	for (i = 0; i < scope->nrevs; i++)
		if (lg_resolve(s->r, scope->revs[i], id, err) != 0 ||
		    lg_oid(id, &oid, err) != 0 ||
		    note_line(s, &oid, scope->revs[i], scope->last, err) != 0)
			return -1;
	if (scope->history)
		return note_history(s, scope, err);
	if (scope->branches && each_ref(s, "refs/heads", note_named, err) != 0)
		return -1;
	if (scope->tags && each_ref(s, "refs/tags", note_named, err) != 0)
		return -1;
	if (scope->exps && each_ref(s, EXPS, note_exp, err) != 0)
		return -1;
	if (scope->stashes && note_stashes(s, err) != 0)
		return -1;
	if ((scope->heads || scope->commits) && lg_trees(s->r, note_head, s, err) != 0)
		return -1;
	if (!s->walk)
		return 0;
	s->meant = scope->commits;
	if (lg_trees(s->r, note_head_nameless, s, err) != 0 ||
	    each_ref(s, "refs", note_nameless, err) != 0)
		return -1;
	return note_reached(s, scope, err);
}

static int
by_time(const void *a, const void *b)
{
	const struct known *x = *(struct known *const *)a, *y = *(struct known *const *)b;

	if (x->time_s != y->time_s)
		return x->time_s > y->time_s ? -1 : 1;
	return (x->nth > y->nth) - (x->nth < y->nth);
}

static int
tell_history(struct search *s, int (*fn)(void *, const struct repo_rev *, struct err *),
	     void *ctx, struct err *err)
{
	struct repo_rev rev;
	char id[REPO_ID];
	int rc = 0;

	if (s->queue.n > 1)
		qsort(s->queue.v, s->queue.n, sizeof(*s->queue.v), by_time);
	for (size_t i = 0; i < s->queue.n && rc == 0; i++) {
		lg_id(&s->queue.v[i]->oid, id);
		rev = (struct repo_rev){.id = id};
		rc = fn(ctx, &rev, err);
	}
	return rc;
}

/* Tell of those with names, or of those without. */
static int
tell(struct search *s, bool named,
     int (*fn)(void *, const struct repo_rev *, struct err *), void *ctx, struct err *err)
{
	struct repo_rev rev;
	char id[REPO_ID];
	int rc = 0;

	map_foreach (&s->all, it) {
		const struct known *k = it->val;

		if (!k->meant || (k->names.n > 0) != named)
			continue;
		lg_id(&k->oid, id);
		rev = (struct repo_rev){
		    .id = id, .names = k->names.v, .nnames = k->names.n};
		rc = fn(ctx, &rev, err);
		if (rc != 0)
			break;
	}
	return rc;
}

int
lg_revs(struct repo *r, const struct repo_scope *scope,
	int (*fn)(void *, const struct repo_rev *, struct err *), void *ctx,
	struct err *err)
{
	struct search s = {.r = r,
			   .last = scope->last,
			   .walk = scope->commits || scope->dated || scope->history,
			   .meant = true};
	int rc = -1;

	buf_init(&s.cut, SHALLOW_MAX);
	s.arena = arena_new(0);
	if (s.arena == NULL)
		(void)err_nomem(err);
	else if (read_shallow(&s, err) == 0 && note_scope(&s, scope, err) == 0) {
		rc = scope->history ? tell_history(&s, fn, ctx, err)
				    : tell(&s, true, fn, ctx, err);
		if (rc == 0 && !scope->history)
			rc = tell(&s, false, fn, ctx, err);
	}
	map_foreach (&s.all, it) {
		struct known *k = it->val;

		vec_release(&k->names);
	}
	map_release(&s.all);
	map_release(&s.shallow);
	vec_release(&s.queue);
	buf_release(&s.cut);
	arena_free(s.arena);
	return rc;
}
