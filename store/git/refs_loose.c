/*
 * References that are files of their own, below COMMON/refs: libgit2 passes over those that it
 * cannot read, and whoever wants to know all that is named would not hear of it.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/git/lg.h"

struct look {
	struct repo *r;
	struct buf path; /* of the directory or file that is looked at */
	size_t top;	 /* bytes of it before "refs/..." */
};

static int
cannot(const struct look *l, struct err *err)
{
	return err_sys(err, errno, "cannot read '%s'", l->path.p);
}

/* One file.  What has no name of a reference is none, for git as well. */
static int
look_at_ref(struct look *l, struct err *err)
{
	const char *name = l->path.p + l->top;
	git_reference *ref = NULL;
	int valid = 0, rc;

	if (git_reference_name_is_valid(&valid, name) != 0 || valid == 0)
		return 0;
	rc = git_reference_lookup(&ref, l->r->git, name);
	git_reference_free(ref);
	if (rc == 0 || rc == GIT_ENOTFOUND) /* removed meanwhile */
		return 0;
	return lg_fail(err, rc,
		       "cannot read the reference '%.255s' of the repository '%s'", name,
		       l->r->name);
}

static int look_into(struct look *, struct err *);

static int
look_at(struct look *l, const struct dirent *e, struct err *err)
{
	size_t n = l->path.n;
	struct stat st;
	int rc;

	buf_addc(&l->path, '/');
	buf_adds(&l->path, e->d_name);
	if (buf_failed(&l->path))
		rc = err_nomem(err);
	else if (e->d_type == DT_REG)
		rc = look_at_ref(l, err);
	else if (stat(l->path.p, &st) != 0)
		rc = errno == ENOENT ? 0 : cannot(l, err);
	else
		rc = S_ISDIR(st.st_mode) ? look_into(l, err) : look_at_ref(l, err);
	buf_truncate(&l->path, n);
	return rc;
}

/* The depth is limited by the length of a path. */
static int
look_into(struct look *l, struct err *err)
{
	DIR *d = opendir(l->path.p);
	const struct dirent *e;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : cannot(l, err);
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			rc = look_at(l, e, err);
	if (rc == 0 && errno != 0)
		rc = cannot(l, err);
	(void)closedir(d);
	return rc;
}

int
lg_refs_readable(struct repo *r, const char *dir, struct err *err)
{
	struct look l = {.r = r};
	int rc;

	buf_init(&l.path, 0);
	buf_addf(&l.path, "%s/", r->common);
	l.top = l.path.n;
	buf_adds(&l.path, dir);
	rc = buf_failed(&l.path) ? err_nomem(err) : look_into(&l, err);
	buf_release(&l.path);
	return rc;
}
