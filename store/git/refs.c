/* References, read and written one by one. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/git/lg.h"

#define WAIT_MS 3000
#define STEP_MS 20

struct list {
	struct repo *r;
	struct arena *arena;
	VEC(struct repo_ref) refs;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct repo_ref *)a)->name,
		      ((const struct repo_ref *)b)->name);
}

/* Keep it if it leads to a commit. */
static int
keep(struct list *l, git_reference *ref, struct err *err)
{
	struct repo_ref kept = {.name = NULL};
	git_object *o = NULL;
	int rc = git_reference_peel(&o, ref, GIT_OBJECT_COMMIT);

	if (rc == GIT_EPEEL || rc == GIT_EINVALIDSPEC || rc == GIT_ENOTFOUND) {
		git_error_clear();
		return 0;
	}
	if (rc != 0)
		return lg_fail(err, rc, "cannot follow '%s' in the repository '%s'",
			       git_reference_name(ref), l->r->name);
	lg_id(git_object_id(o), kept.id);
	git_object_free(o);
	kept.name = arena_strdup(l->arena, git_reference_name(ref));
	if (kept.name == NULL || vec_push(&l->refs, kept) != 0)
		return err_nomem(err);
	return 0;
}

static int
collect(struct list *l, const char *prefix, struct err *err)
{
	git_reference_iterator *it = NULL;
	git_reference *ref = NULL;
	int rc = git_reference_iterator_new(&it, l->r->git), kept = 0;

	while (rc == 0 && (rc = git_reference_next(&ref, it)) == 0) {
		if (strncmp(git_reference_name(ref), prefix, strlen(prefix)) == 0)
			kept = keep(l, ref, err);
		git_reference_free(ref);
		if (kept != 0)
			break;
	}
	git_reference_iterator_free(it);
	if (kept != 0)
		return -1;
	return rc == GIT_ITEROVER
		   ? 0
		   : lg_fail(err, rc, "cannot read the references of the repository '%s'",
			     l->r->name);
}

int
lg_refs(struct repo *r, const char *prefix,
	int (*fn)(void *, const struct repo_ref *, struct err *), void *ctx,
	struct err *err)
{
	struct list l = {.r = r, .arena = arena_new(0)};
	int rc;

	if (l.arena == NULL)
		return err_nomem(err);
	rc = collect(&l, prefix, err);
	if (rc == 0 && l.refs.n > 0)
		qsort(l.refs.v, l.refs.n, sizeof(*l.refs.v), by_name);
	for (size_t i = 0; rc == 0 && i < l.refs.n; i++)
		rc = fn(ctx, &l.refs.v[i], err);
	vec_release(&l.refs);
	arena_free(l.arena);
	return rc;
}

/* Another git holds it, or has just removed the directory that it was to lie in. */
static bool
may_try_again(int rc, int waited)
{
	struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
	const git_error *e = git_error_last();

	if (waited >= WAIT_MS ||
	    (rc != GIT_ELOCKED && (rc != -1 || e == NULL || e->klass != GIT_ERROR_OS)))
		return false;
	(void)nanosleep(&step, NULL);
	return true;
}

/* A killed git leaves its locks: git names the file, and so do we. */
static int
fail(const struct repo *r, int rc, const char *what, const char *name, struct err *err)
{
	const git_error *e = git_error_last();

	if (rc == GIT_ELOCKED && e != NULL && e->message != NULL)
		return err_set(err, ERR_BUSY,
			       "cannot %s '%s' in the repository '%s': %s"
			       "if no git is at work there, one was killed: remove that "
			       "file",
			       what, name, r->name, e->message);
	return lg_fail(err, rc, "cannot %s '%s' in the repository '%s'", what, name,
		       r->name);
}

/* A stash has those before it in its log, as git's own has. */
static bool
is_stash(const char *name)
{
	const char *last = strrchr(name, '/');

	return last != NULL && strcmp(last, "/stash") == 0;
}

int
lg_ref_set(struct repo *r, const char *name, const char *id, const char *was,
	   struct err *err)
{
	git_reference *ref = NULL;
	git_oid to, old = {{0}};
	int rc, waited = 0;

	if (!lg_ref_valid(r, name))
		return err_set(err, ERR_INVALID, "'%.255s' is no name that git takes",
			       name);
	if (lg_oid(id, &to, err) != 0 ||
	    (was != NULL && was[0] != '\0' && lg_oid(was, &old, err) != 0))
		return -1;
	if (is_stash(name))
		(void)git_reference_ensure_log(r->git, name);
	do {
		rc = git_reference_create_matching(&ref, r->git, name, &to,
						   was == NULL || was[0] != '\0',
						   was != NULL ? &old : NULL, "dag");
		waited += STEP_MS;
	} while (rc != 0 && may_try_again(rc, waited));
	git_reference_free(ref);
	if (rc == GIT_EEXISTS || (rc == GIT_EMODIFIED && was != NULL && was[0] == '\0'))
		return err_set(err, ERR_EXISTS, "'%s' is already in the repository '%s'",
			       name, r->name);
	if (rc == GIT_EMODIFIED)
		return err_set(err, ERR_STALE,
			       "'%s' in the repository '%s' was changed meanwhile", name,
			       r->name);
	return rc == 0 ? 0 : fail(r, rc, "set", name, err);
}

int
lg_ref_remove(struct repo *r, const char *name, struct err *err)
{
	int rc, waited = 0;

	do {
		rc = git_reference_remove(r->git, name);
		waited += STEP_MS;
	} while (rc != 0 && rc != GIT_ENOTFOUND && may_try_again(rc, waited));
	if (rc == 0 || rc == GIT_ENOTFOUND)
		return 0;
	return fail(r, rc, "remove", name, err);
}

bool
lg_ref_valid(const struct repo *r, const char *name)
{
	int valid = 0;

	(void)r;
	return git_reference_name_is_valid(&valid, name) == 0 && valid != 0;
}
