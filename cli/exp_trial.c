/* One experiment of `dag exp run`: its work tree, what runs in it, and what is kept of it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/exp_run.h"

extern char **environ;

/* A directory of the work tree, malloc'ed; NULL without memory. */
static char *
below(const struct exp_one *one, const char *path)
{
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, one->trial.tree);
	if (*path != '\0')
		buf_addf(&b, "/%s", path);
	return buf_steal(&b);
}

/* ---- its work tree ---- */

/* A link to a directory elsewhere, which git has as such, must not lead our writing there. */
static int
check_place(const char *tree, const char *dir, const struct override *o, struct err *err)
{
	char *real = NULL;
	struct buf b;
	int rc = -1;

	buf_init(&b, 0);
	path_join(&b, dir, o->file);
	if (!buf_failed(&b) && strrchr(b.p, '/') != NULL)
		*strrchr(b.p, '/') = '\0';
	if (buf_failed(&b))
		(void)err_nomem(err);
	else if ((real = fsio_realpath(b.p, err)) != NULL)
		rc = path_is_below(real, tree)
			 ? 0
			 : err_set(err, ERR_INVALID,
				   "-S '%.200s': '%s' leads out of the repository",
				   o->word, o->file);
	buf_release(&b);
	free(real);
	return rc;
}

static int
change_params(struct exp_run *x, struct exp_one *one, const char *here, struct err *err)
{
	char *tree = fsio_realpath(one->trial.tree, err);
	int rc = tree != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < x->overrides.n; i++)
		rc = check_place(tree, here, &x->overrides.v[i], err);
	if (rc == 0)
		rc = override_files(&x->overrides, one->run, here, tree, err);
	free(tree);
	return rc;
}

/* What makes it a project of its own, with the settings of ours. */
static int
settle(struct exp_run *x, struct exp_one *one, struct err *err)
{
	char *project = below(one, x->project), *root = below(one, x->root),
	     *here = below(one, x->here);
	struct buf mark;
	int rc = -1;

	buf_init(&mark, 0);
	if (project != NULL)
		path_join(&mark, project, ".dag");
	if (project == NULL || root == NULL || here == NULL || buf_failed(&mark))
		(void)err_nomem(err);
	else if (fsio_mkdirs(AT_FDCWD, mark.p, 0777, err) == 0 &&
		 fsio_mkdirs(AT_FDCWD, here, 0777, err) == 0 &&
		 fsio_mkdirs(AT_FDCWD, one->trial.state, 0777, err) == 0 &&
		 trial_settings(&x->a.track, root, err) == 0)
		rc = change_params(x, one, here, err);
	buf_release(&mark);
	free(project);
	free(root);
	free(here);
	return rc;
}

/* What git does not bring. */
static int
bring(struct exp_run *x, struct exp_one *one, const atomic_bool *stop, struct err *err)
{
	char *root = below(one, x->root);
	int rc = root != NULL ? bring_pointers(&x->changed, root, err) : err_nomem(err);

	free(root);
	for (size_t i = 0; rc == 0 && i < x->copies.n; i++)
		rc = bring_copy(repo_top(x->k->git), one->trial.tree, x->copies.v[i],
				stop, err);
	return rc;
}

int
exp_trial_begin(struct exp_run *x, struct exp_one *one, const atomic_bool *stop,
		struct err *err)
{
	struct repo *apart = NULL;
	int rc;

	if (trial_begin(x->a.project.state, &one->trial, err) != 0)
		return -1;
	rc = repo_apart(x->k->git, x->start.trees.tree, x->head.id, one->trial.tree,
			&apart, err);
	repo_close(apart);
	return rc == 0 && bring(x, one, stop, err) == 0 ? settle(x, one, err) : -1;
}

/* ---- what runs in it ---- */

/* What would lead to the user's repository, and what we set ourselves. */
static bool
is_ours(const char *entry)
{
	static const char *const names[] = {
	    "DAG_STATE=",
	    "DAG_EVENTS=",
	    CLI_WITH_PARENT "=",
	    "DVC_EXP_NAME=",
	    "DVC_EXP_BASELINE_REV=",
	    "DVC_ROOT=", /* is that of the work tree */
	    "PWD=",
	    "GIT_DIR=",
	    "GIT_WORK_TREE=",
	    "GIT_INDEX_FILE=",
	    "GIT_COMMON_DIR=",
	    "GIT_PREFIX=",
	    "GIT_OBJECT_DIRECTORY=",
	    "GIT_ALTERNATE_OBJECT_DIRECTORIES=",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The environment, in ${a}; NULL without memory. */
static const char **
make_environ(struct exp_run *x, const struct exp_one *one, const char *cwd,
	     struct arena *a)
{
	size_t n = 0, k = 0;
	const char **v;

	while (environ[n] != NULL)
		n++;
	v = arena_array(a, n + 8, sizeof(*v));
	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!is_ours(environ[i]))
			v[k++] = environ[i];
	n = k;
	v[k++] = arena_printf(a, "DAG_STATE=%s", one->trial.state);
	v[k++] = arena_printf(a, CLI_WITH_PARENT "=%ld", (long)getpid());
	v[k++] = arena_printf(a, "DVC_EXP_NAME=%s", one->name);
	v[k++] = arena_printf(a, "DVC_EXP_BASELINE_REV=%s", x->head.id);
	v[k++] = arena_printf(a, "PWD=%s", cwd);
	for (size_t i = n; i < k; i++)
		if (v[i] == NULL)
			return NULL;
	v[k] = NULL;
	return v;
}

/* With posix_spawn's words: its directory, its log, and the lock, which stays taken as long as
 * one of them lives. */
static int
set_files(posix_spawn_file_actions_t *fa, const struct exp_one *one, const char *cwd)
{
	int rc = posix_spawn_file_actions_addchdir_np(fa, cwd);

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    fa, 1, one->trial.log, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(fa, 1, 2);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(fa, one->trial.lock,
						      one->trial.lock);
	return rc;
}

static int
spawn(const struct exp_run *x, struct exp_one *one, const char *cwd, char **argv,
      const char **env)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	(void)sigemptyset(&none);
	if ((rc = posix_spawn_file_actions_init(&fa)) != 0)
		return rc;
	if ((rc = posix_spawnattr_init(&attr)) != 0)
		goto out;
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(&attr,
				       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	rc = set_files(&fa, one, cwd);
	if (rc == 0)
		rc = posix_spawn(&one->pid, x->program, &fa, &attr, argv,
				 (char *const *)(uintptr_t)env);
	(void)posix_spawnattr_destroy(&attr);
out:
	(void)posix_spawn_file_actions_destroy(&fa);
	return rc;
}

int
exp_trial_spawn(struct exp_run *x, struct exp_one *one, char **argv, struct err *err)
{
	struct arena *a = arena_new(0);
	char *cwd = below(one, x->here);
	const char **env = NULL;
	int rc = ENOMEM;

	if (a != NULL && cwd != NULL)
		env = make_environ(x, one, cwd, a);
	if (env != NULL)
		rc = spawn(x, one, cwd, argv, env);
	if (rc != 0) {
		one->pid = 0;
		(void)err_sys(err, rc, "cannot start '%s'", x->program);
	}
	free(cwd);
	arena_free(a);
	return rc == 0 ? 0 : -1;
}

/* ---- what is kept of it ---- */

bool
exp_name_taken(const struct exp_call *k, const char *baseline, const char *name)
{
	size_t n;
	const struct exp *e = exp_of(&k->list, baseline, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(e[i].name, name) == 0)
			return true;
	return false;
}

int
exp_keep_ref(struct repo *git, const char *baseline, const char *name, const char *id,
	     bool force, struct err *err)
{
	char there[REPO_ID];
	struct err unused;
	struct buf ref;
	int rc;

	buf_init(&ref, 0);
	exp_ref(baseline, name, &ref);
	rc = buf_failed(&ref) ? err_nomem(err)
			      : repo_ref_set(git, ref.p, id, force ? NULL : "", err);
	if (rc != 0 && err->code == ERR_EXISTS) {
		if (repo_resolve(git, ref.p, there, &unused) == 0 &&
		    repo_tree_same(git, there, id)) {
			err_clear(err);
			rc = 0;
		} else {
			(void)err_set(err, ERR_EXISTS,
				      "there is an experiment '%s' already: --force "
				      "replaces it",
				      name);
		}
	}
	buf_release(&ref);
	return rc;
}

static bool
never(void *ctx, const char *name)
{
	const struct exp_run *x = ctx;

	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->v[i].name, name) == 0)
			return true;
	return exp_name_taken(x->k, x->head.id, name);
}

/* Somebody took the name meanwhile: work is not lost for that. */
static int
rename_it(struct exp_run *x, struct exp_one *one, struct err *err)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, 0);
	if (exp_name_draw(never, x, &b, err) == 0) {
		const char *name = arena_strdup(x->a.arena, b.p);

		if (name != NULL) {
			cli_note(x->k->c,
				 "somebody has made an experiment '%s' meanwhile: this "
				 "one is called '%s'",
				 one->name, name);
			one->name = name;
			rc = exp_keep_ref(x->k->git, x->head.id, name, one->id, false,
					  err);
		} else {
			(void)err_nomem(err);
		}
	}
	buf_release(&b);
	return rc;
}

int
exp_trial_keep(struct exp_run *x, struct exp_one *one, const atomic_bool *stop,
	       struct err *err)
{
	const struct exp_opts *opts = x->k->o;
	struct keep_options o = {
	    .into = x->k->git, .all = opts->force, .base = x->head.id, .stop = stop};
	char *root = below(one, x->root);
	struct repo *apart = NULL;
	struct kept kept;
	int rc = -1;

	if (root == NULL)
		return err_nomem(err);
	o.root = root;
	if (repo_open(one->trial.tree, &apart, err) == 0) {
		o.from = apart;
		rc = keep_tree(&o, &kept, err);
	}
	if (rc == 0)
		rc = keep_commit(x->k->git, &kept, x->head.id, opts->message, one->id,
				 err);
	if (rc == 0)
		rc = exp_keep_ref(x->k->git, x->head.id, one->name, one->id, opts->force,
				  err);
	if (rc != 0 && err->code == ERR_EXISTS)
		rc = rename_it(x, one, err);
	repo_close(apart);
	free(root);
	return rc;
}
