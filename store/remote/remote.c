#include "store/remote/remote.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "store/remote/remote_dir.h"

/* The length of the scheme that a URL begins with; 0: it is a path. */
static size_t
scheme_len(const char *url)
{
	size_t n = 0;

	while (isalnum((unsigned char)url[n]) ||
	       (n > 0 && strchr("+-.", url[n]) != NULL && url[n] != '\0'))
		n++;
	return strncmp(url + n, "://", 3) == 0 ? n : 0;
}

/* What DVC can do and we cannot: said before anything is read or written. */
static int
check_kind(const struct remote_spec *spec, struct err *err)
{
	if (!spec->version_aware && !spec->worktree)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "the remote '%s' is set to '%s': its files keep their own names there, "
	    "which dag does not read or write; use a remote without it",
	    spec->name, spec->worktree ? "worktree" : "version_aware");
}

int
remote_open(const struct remote_spec *spec, struct remote **out, struct err *err)
{
	const char *url = spec->url != NULL ? spec->url : "";
	size_t n = scheme_len(url);

	if (url[0] == '\0')
		return err_set(
		    err, ERR_INVALID,
		    "the remote '%s' has no url; 'dag remote modify %s url ...' "
		    "sets one",
		    spec->name, spec->name);
	if (spec->jobs > REMOTE_JOBS_MAX)
		return err_set(err, ERR_LIMIT,
			       "the remote '%s' asks for %u jobs: the limit is %d",
			       spec->name, spec->jobs, REMOTE_JOBS_MAX);
	if (check_kind(spec, err) != 0)
		return -1;
	if (n == strlen("file") && strncmp(url, "file", n) == 0) {
		url += n + strlen("://");
	} else if (n != 0) {
		return err_set(err, ERR_INVALID,
			       "the remote '%s' is '%s': dag does not speak %.*s yet; a "
			       "directory, also a mounted one, can be a remote",
			       spec->name, url, (int)n, url);
	}
	if (url[0] != '/')
		return err_set(err, ERR_INVALID,
			       "the url '%s' of the remote '%s' is no absolute path",
			       spec->url, spec->name);
	return remote_dir_open(spec, url, out, err);
}

void
remote_close(struct remote *r)
{
	if (r != NULL)
		r->ops->close(r);
}
