/* Where an experiment is made from, and what is said of it on the command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/exp_run.h"

const char *
exp_below_top(const struct exp_call *k, struct arena *a, const char *path,
	      struct err *err)
{
	const char *top = repo_top(k->git), *rel;

	if (top == NULL || !path_is_below(path, top)) {
		(void)err_set(err, ERR_INVALID,
			      "'%s' is not in the work tree of a git repository", path);
		return NULL;
	}
	rel = path + strlen(top);
	rel = arena_strdup(a, *rel == '/' ? rel + 1 : rel);
	if (rel == NULL)
		(void)err_nomem(err);
	return rel;
}

const char *
exp_here(const struct exp_call *k, struct arena *a, struct err *err)
{
	char *here = fsio_realpath(k->c->dir != NULL ? k->c->dir : ".", err);
	const char *rel = here != NULL ? exp_below_top(k, a, here, err) : NULL;

	free(here);
	return rel;
}

int
exp_check_base(const struct exp_call *k, struct repo_head *head, struct err *err)
{
	if (repo_head(k->git, head, err) != 0)
		return -1;
	if (head->id[0] == '\0')
		return err_set(err, ERR_INVALID,
			       "there is no commit yet that an experiment could be made "
			       "from: 'git commit' first");
	return repo_author(k->git, err);
}

/* Whether there is something at ${full}, which git itself does not use. */
static int
check_path(const struct exp_call *k, const char *option, const char *word,
	   const char *full, struct err *err)
{
	struct buf b;
	struct stat st;
	int rc = 0;

	if (word[0] == '/' || path_climbs(full) || strcmp(full, ".") == 0 ||
	    path_is_below(full, ".git"))
		return err_set(err, ERR_INVALID,
			       "%s '%.200s' is no path below this directory or another "
			       "one of the repository",
			       option, word);
	buf_init(&b, 0);
	path_join(&b, repo_top(k->git), full);
	if (buf_failed(&b))
		rc = err_nomem(err);
	else if (lstat(b.p, &st) != 0)
		rc = err_sys(err, errno, "%s '%.200s'", option, word);
	buf_release(&b);
	return rc;
}

const char *
exp_path(const struct exp_call *k, struct arena *a, const char *word, const char *option,
	 struct err *err)
{
	const char *here = exp_here(k, a, err), *out = NULL;
	struct buf joined, full;

	if (here == NULL)
		return NULL;
	buf_init(&joined, 0);
	buf_init(&full, 0);
	path_join(&joined, here, word);
	path_normalize(&full, joined.p);
	if (buf_failed(&joined) || buf_failed(&full))
		(void)err_nomem(err);
	else if (check_path(k, option, word, full.p, err) == 0 &&
		 (out = arena_strdup(a, full.p)) == NULL)
		(void)err_nomem(err);
	buf_release(&joined);
	buf_release(&full);
	return out;
}
