/*
 * dag unprotect: files of the work tree that are links to objects become files of their own.
 */
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "store/track/problems.h"
#include "store/track/save.h"

struct unprotect_opts {
	struct artifact_opts common;
};

static const struct opt unprotect_opts[] = {ARTIFACT_JOBS(struct unprotect_opts, common),
					    ARTIFACT_QUIET(struct unprotect_opts, common),
					    {.name = NULL}};

struct unprotect {
	struct artifact a;
	const char **paths;
	size_t n;
	struct problems problems;
};

/* A copy takes the place of whatever is a link, or one of several names, to the same bytes. */
static int
unprotect(struct unprotect *k, const char *path, struct err *err)
{
	static const enum link_type copy[] = {LINK_COPY};
	struct workspace ws = k->a.ws;
	struct saved saved;
	struct save *s;
	int r = save_begin(&ws, &s, err);

	if (r != 0)
		return -1;
	r = save_path(s, path, false, &saved, err);
	(void)save_end(s, false, NULL);
	ws.links = copy;
	ws.nlinks = 1;
	if (r == 0)
		r = save_relink(&ws, path, &saved, &k->problems, err);
	saved_release(&saved);
	return r;
}

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct unprotect *k = arg;

	for (size_t i = 0; i < k->n; i++) {
		meter_begin(m, "hashing");
		if (unprotect(k, k->paths[i], err) != 0)
			return -1;
	}
	return 0;
}

static int
find_paths(struct unprotect *k, struct err *err)
{
	struct cli *c = k->a.c;

	k->n = c->nargs;
	k->paths = artifact_paths(&k->a, (const char *const *)c->args, c->nargs, err);
	if (k->paths == NULL)
		return -1;
	for (size_t i = 0; i < k->n; i++)
		if (k->paths[i][0] == '/' || strcmp(k->paths[i], ".") == 0)
			return err_set(err, ERR_INVALID, "'%s' is no data of the project",
				       c->args[i]);
	return 0;
}

static int
unprotect_verb(struct cli *c, const void *opts)
{
	const struct unprotect_opts *o = opts;
	struct unprotect k = {.n = 0};
	struct err err = {0};
	int code = EXIT_OK;

	problems_init(&k.problems);
	if (artifact_open(c, &o->common, true, &k.a, &err) != 0 ||
	    find_paths(&k, &err) != 0 || artifact_work(&k.a, work, &k, &err) != 0)
		code = artifact_fail(&k.a, &err);
	if (code == EXIT_OK && k.problems.count > 0) {
		artifact_problems(&k.a, &k.problems);
		code = EXIT_WORK;
	}
	problems_release(&k.problems);
	artifact_close(&k.a);
	return code;
}

const struct verb verb_unprotect = {
    .name = "unprotect",
    .group = GROUP_DATA,
    .summary = "make links to the cache files of their own, to be edited",
    .args = "PATH...",
    .min = 1,
    .max = (unsigned)-1,
    .doc = "Where cache.type is hardlink or symlink the files of the work tree are the "
	   "objects of the cache, and read-only, so that nobody edits those. This puts a "
	   "copy in the place of each such file at PATH, or in the directory PATH. 'dag "
	   "checkout --relink' puts links back.",
    .examples = "dag unprotect data/raw/a.csv\tbefore it is edited\n"
		"dag unprotect data\ta whole directory",
    .opts = unprotect_opts,
    .size = sizeof(struct unprotect_opts),
    .run = unprotect_verb,
};
