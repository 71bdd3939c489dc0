/*
 * Opening a repository, and refusing those that libgit2 would misread: it knows nothing of
 * other object formats and other stores of references, and would take such a repository for an
 * empty or a damaged one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "store/git/lg.h"

/* Extensions that libgit2 is told to let pass: the harmless ones, and those that `judge` looks
 * at itself, for a better answer than "unsupported extension". */
static const char *extensions[] = {
    "noop",	  "partialclone",   "preciousobjects",	 "objectformat",
    "refstorage", "worktreeconfig", "compatobjectformat"};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int started;

static void
start(void)
{
	lg_certs_later(true);
	started = git_libgit2_init();
	lg_certs_later(false);
	/* libssh2 lets OpenSSL keep something for this thread, which would leak if the thread
	 * is one of a pool that outlives OpenSSL. */
	OPENSSL_thread_stop();
	if (started < 0)
		return;
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	(void)git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions,
			       sizeof(extensions) / sizeof(extensions[0]));
	/* An index whose blobs a power loss takes away is a broken repository. */
	(void)git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
}

int
lg_start(struct err *err)
{
	(void)pthread_once(&once, start);
	return started >= 0 ? 0 : lg_fail(err, started, "libgit2 does not start");
}

/* ---- what its configuration says ---- */

struct judge {
	struct repo *r;
	struct err *err;
};

static int
refuse(const struct judge *j, const char *what, const char *way_out)
{
	(void)err_set(j->err, ERR_INVALID,
		      "the repository '%s' %s, which this version of dag cannot read%s",
		      j->r->name, what, way_out);
	return GIT_EUSER;
}

static int
judge_extension(const struct judge *j, const char *name, const char *value)
{
	if (strcmp(name, "objectformat") == 0 && strcasecmp(value, "sha1") != 0)
		return refuse(j,
			      strcasecmp(value, "sha256") == 0
				  ? "has SHA-256 ids (extensions.objectFormat)"
				  : "has an object format of its own "
				    "(extensions.objectFormat)",
			      ": use one with SHA-1 ids");
	if (strcmp(name, "refstorage") == 0 && strcasecmp(value, "files") != 0)
		return refuse(j,
			      strcasecmp(value, "reftable") == 0
				  ? "keeps its references in a reftable "
				    "(extensions.refStorage)"
				  : "keeps its references in a way of its own "
				    "(extensions.refStorage)",
			      ": 'git refs migrate --ref-format=files' turns them into "
			      "files");
	if (strcmp(name, "compatobjectformat") == 0)
		return refuse(j,
			      "has a second object format "
			      "(extensions.compatObjectFormat)",
			      "");
	if (strcmp(name, "partialclone") == 0)
		j->r->partial = true;
	return 0;
}

/* A promisor remote need not be told by an extension. */
static int
judge_entry(const struct judge *j, const char *name, const char *value)
{
	const char *dot = strrchr(name, '.');

	if (strncmp(name, "extensions.", strlen("extensions.")) == 0)
		return judge_extension(j, name + strlen("extensions."), value);
	if (strncmp(name, "remote.", strlen("remote.")) == 0 && dot != NULL &&
	    strcmp(dot, ".promisor") == 0 && strcasecmp(value, "false") != 0)
		j->r->partial = true;
	return 0;
}

/* By hand: git_config_foreach_match leaks 20 KiB for each entry that does not match. */
static int
judge_all(const struct judge *j, git_config *config)
{
	git_config_iterator *it = NULL;
	git_config_entry *e;
	int rc = git_config_iterator_new(&it, config);

	while (rc == 0 && (rc = git_config_next(&e, it)) == 0)
		rc = judge_entry(j, e->name, e->value != NULL ? e->value : "");
	git_config_iterator_free(it);
	return rc == GIT_ITEROVER ? 0 : rc;
}

/* With extensions.worktreeConfig a second file counts, which libgit2 does not read. */
static int
judge_second(const struct judge *j, git_config *config)
{
	git_config *second = NULL;
	git_buf value = {0};
	struct buf path;
	int on = 0, rc = 0;

	if (git_config_get_bool(&on, config, "extensions.worktreeconfig") != 0 || !on)
		return 0;
	buf_init(&path, 0);
	path_join(&path, j->r->dir, "config.worktree");
	if (!buf_failed(&path) && git_config_open_ondisk(&second, path.p) == 0) {
		if (git_config_get_string_buf(&value, second, "core.worktree") == 0)
			rc = refuse(j, "has core.worktree in its config.worktree", "");
		git_buf_dispose(&value);
		if (rc == 0 && git_config_get_bool(&on, second, "core.bare") == 0 && on &&
		    j->r->top != NULL)
			rc = refuse(j, "has core.bare in its config.worktree", "");
	}
	git_config_free(second);
	buf_release(&path);
	return rc;
}

static int
judge(struct repo *r, struct err *err)
{
	struct judge j = {.r = r, .err = err};
	git_config *config = NULL;
	int rc = git_repository_config_snapshot(&config, r->git);

	if (rc == 0)
		rc = judge_all(&j, config);
	if (rc == 0)
		rc = judge_second(&j, config);
	git_config_free(config);
	git_error_clear();
	if (rc == 0 || rc == GIT_EUSER)
		return rc == 0 ? 0 : -1;
	return lg_fail(err, rc, "cannot read the configuration of the repository '%s'",
		       r->name);
}

/* ---- opening ---- */

void
lg_close(struct repo *r)
{
	if (r == NULL)
		return;
	git_repository_free(r->git);
	free(r->top);
	free(r->dir);
	free(r->common);
	free(r);
}

/* A copy without the slash at the end that libgit2 puts there. */
static char *
plain(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return strndup(path, n);
}

/* The user's settings are in the file that $GIT_CONFIG_GLOBAL names, if it is set: libgit2 does
 * not know of it. */
static int
take_global(git_repository *git)
{
	const char *file = getenv("GIT_CONFIG_GLOBAL");
	git_config *config = NULL;
	int rc;

	if (file == NULL)
		return 0;
	rc = git_repository_config(&config, git);
	if (rc == 0)
		rc =
		    git_config_add_file_ondisk(config, *file != '\0' ? file : "/dev/null",
					       GIT_CONFIG_LEVEL_GLOBAL, git, 1);
	if (rc == 0)
		rc = git_config_add_file_ondisk(config, "/dev/null", GIT_CONFIG_LEVEL_XDG,
						git, 1);
	git_config_free(config);
	return rc;
}

int
lg_adopt(git_repository *git, struct repo **out, struct err *err)
{
	struct repo *r = calloc(1, sizeof(*r));
	const char *top = git_repository_workdir(git);
	int rc;

	if (r == NULL) {
		git_repository_free(git);
		return err_nomem(err);
	}
	r->git = git;
	r->top = top != NULL ? plain(top) : NULL;
	r->dir = plain(git_repository_path(git));
	r->common = plain(git_repository_commondir(git));
	r->name = r->top != NULL ? r->top : r->dir;
	if (r->dir == NULL || r->common == NULL || (top != NULL && r->top == NULL))
		(void)err_nomem(err);
	else if ((rc = take_global(git)) != 0)
		(void)lg_fail(err, rc, "cannot read the settings of '%s'", r->name);
	else if (judge(r, err) == 0) {
		*out = r;
		return 0;
	}
	lg_close(r);
	return -1;
}

bool
lg_is_owner(int rc)
{
	const git_error *e = git_error_last();

	/* Where nobody has set safe.directory, libgit2 1.5 fails with that it is not set. */
	return rc == GIT_EOWNER ||
	       (rc == GIT_ENOTFOUND && e != NULL && e->klass == GIT_ERROR_CONFIG);
}

/* Nothing was found although there is something at ${top}: git goes on upwards from a directory
 * `.git` that is none of its own, and stops at a file that leads nowhere. */
static int
not_found(const char *dir, const char *top, struct err *err)
{
	git_buf found = {0};
	struct stat st;
	struct buf b;
	int rc = 0;

	buf_init(&b, 0);
	path_join(&b, top, ".git");
	if (buf_failed(&b))
		rc = err_nomem(err);
	else if (lstat(b.p, &st) == 0 && !S_ISDIR(st.st_mode))
		rc = err_set(err, ERR_INVALID,
			     "'%s' leads to no git repository: 'git worktree repair' or "
			     "'git submodule update --init' may mend it",
			     b.p);
	else if (git_repository_discover(&found, dir, 0, NULL) == 0)
		rc = err_set(err, ERR_INVALID,
			     "cannot open the git repository '%s', which is there",
			     found.ptr);
	git_buf_dispose(&found);
	buf_release(&b);
	return rc;
}

int
lg_open(const char *dir, const char *top, struct repo **out, struct err *err)
{
	git_repository *git = NULL;
	int rc;

	*out = NULL;
	if (lg_start(err) != 0)
		return -1;
	rc = git_repository_open_ext(&git, dir, 0, NULL);
	if (rc != 0 && lg_is_owner(rc))
		return err_set(
		    err, ERR_INVALID,
		    "the repository '%s' belongs to another user; if you trust "
		    "it: git config --global --add safe.directory %s",
		    top, top);
	if (rc == GIT_ENOTFOUND)
		return not_found(dir, top, err);
	if (rc != 0) {
		(void)lg_fail(err, rc, "cannot open the git repository '%s'", top);
		if (err != NULL && err->code == ERR_SYS)
			err->code = ERR_INVALID; /* what libgit2 does not know */
		return -1;
	}
	return lg_adopt(git, out, err);
}
