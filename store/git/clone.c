/* Fetching a repository from elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fsio.h"
#include "store/git/lg.h"

struct fetch {
	const struct repo_progress *p;
	bool stopped, asked;
};

static int
on_progress(const git_indexer_progress *stats, void *ctx)
{
	struct fetch *f = ctx;

	if (f->p == NULL)
		return 0;
	if (f->p->show != NULL)
		f->p->show(f->p->ctx, stats->received_objects, stats->total_objects,
			   stats->received_bytes);
	if (f->p->stop == NULL || !atomic_load_explicit(f->p->stop, memory_order_relaxed))
		return 0;
	f->stopped = true;
	return GIT_EUSER;
}

/* The agent's keys, once; nobody is asked for a password. */
static int
on_credential(git_credential **out, const char *url, const char *user, unsigned types,
	      void *ctx)
{
	struct fetch *f = ctx;

	(void)url;
	if (f->asked)
		return GIT_EAUTH;
	if ((types & GIT_CREDENTIAL_USERNAME) != 0)
		return git_credential_username_new(out, user != NULL ? user : "git");
	f->asked = true;
	if ((types & GIT_CREDENTIAL_SSH_KEY) == 0)
		return GIT_EAUTH;
	return git_credential_ssh_key_from_agent(out, user != NULL ? user : "git");
}

/* HEAD becomes what theirs is: a branch, or a commit. */
static int
set_head(git_repository *git, git_remote *remote)
{
	const git_remote_head **heads = NULL;
	git_buf branch = {0};
	size_t n = 0;
	int rc = git_remote_default_branch(&branch, remote);

	if (rc == 0)
		rc = git_repository_set_head(git, branch.ptr);
	else if (rc == GIT_ENOTFOUND && git_remote_ls(&heads, &n, remote) == 0)
		rc = n > 0 && strcmp(heads[0]->name, "HEAD") == 0
			 ? git_repository_set_head_detached(git, &heads[0]->oid)
			 : 0;
	git_buf_dispose(&branch);
	return rc;
}

static int
fetch(git_repository *git, const char *url, struct fetch *f)
{
	static char branches[] = "+refs/heads/*:refs/heads/*",
		    tags[] = "+refs/tags/*:refs/tags/*";
	char *specs[] = {branches, tags};
	const git_strarray refspecs = {specs, 2};
	git_fetch_options opts;
	git_remote *remote = NULL;
	int rc = git_fetch_options_init(&opts, GIT_FETCH_OPTIONS_VERSION);

	if (rc == 0)
		rc = git_remote_create_anonymous(&remote, git, url);
	if (rc != 0)
		return rc;
	opts.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE; /* by their refspec */
	opts.update_fetchhead = 0;
	opts.proxy_opts.type = GIT_PROXY_AUTO;
	opts.callbacks.transfer_progress = on_progress;
	opts.callbacks.credentials = on_credential;
	opts.callbacks.payload = f;
	rc = git_remote_fetch(remote, &refspecs, &opts, NULL);
	if (rc == 0)
		rc = set_head(git, remote);
	git_remote_free(remote);
	return rc;
}

static int
say(const char *url, int rc, const struct fetch *f, struct err *err)
{
	if (f->stopped)
		return err_set(err, ERR_CANCELLED, "stopped");
	if (lg_is_owner(rc))
		return err_set(
		    err, ERR_INVALID,
		    "the repository '%s' belongs to another user; if you trust "
		    "it, make it a safe.directory of git",
		    url);
	if (rc == GIT_EAUTH)
		return err_set(
		    err, ERR_INVALID,
		    "the repository '%s' wants a login: clone it with git, and "
		    "give the path of the clone",
		    url);
	return lg_fail(err, rc, "cannot fetch the repository '%s'", url);
}

int
lg_clone(const char *url, const char *dir, const struct repo_progress *progress,
	 struct repo **out, struct err *err)
{
	struct fetch f = {.p = progress};
	git_repository *git = NULL;
	int rc;

	*out = NULL;
	if (lg_start(err) != 0 || lg_certs(err) != 0)
		return -1;
	if (mkdir(dir, 0777) != 0)
		return err_sys(err, errno, "cannot make '%s' for a clone", dir);
	rc = git_repository_init(&git, dir, 1);
	if (rc == 0)
		rc = fetch(git, url, &f);
	if (rc != 0) {
		(void)say(url, rc, &f, err);
		git_repository_free(git);
	} else if (lg_adopt(git, out, err) == 0) {
		return 0;
	}
	(void)fsio_remove_tree(AT_FDCWD, dir, NULL);
	return -1;
}
