/* Links of the work tree that lead into a cache. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fsio.h"
#include "store/objects/object_id.h"
#include "store/track/sweep.h"

#define DEPTH_MAX 1024 /* of directories; a scan goes less deep */

struct search {
	struct object_set *used;
	const char *path; /* for messages; "" is the whole work tree */
	struct err *err;
};

static int
cannot(const struct search *s)
{
	return err_sys(s->err, errno, "cannot look for links in '%s'",
		       *s->path != '\0' ? s->path : ".");
}

/* What has nothing of the work tree in it, and may be large. */
static bool
is_apart(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strcmp(name, ".git") == 0 || strcmp(name, ".dvc") == 0 ||
	       strcmp(name, ".dag") == 0;
}

/* A directory that went away has no links.  Of the whole tree, what is closed to us is another's:
 * it has no results of our runs. */
static bool
is_harmless(const struct search *s, int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP ||
	       (error == EACCES && *s->path == '\0');
}

static int
take_link(const struct search *s, int fd, const char *name)
{
	char to[PATH_MAX];
	struct object_id id;
	ssize_t n = readlinkat(fd, name, to, sizeof(to) - 1);

	if (n < 0)
		return errno == EINVAL || is_harmless(s, errno) ? 0 : cannot(s);
	to[n] = '\0';
	return object_id_of_path(to, &id) == 0 ? sweep_use(s->used, &id, s->err) : 0;
}

/* Closes ${fd}, of a directory. */
static int
take_dir(const struct search *s, int fd, unsigned depth)
{
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	int sub, rc = 0;

	if (d == NULL) {
		(void)close(fd);
		return cannot(s);
	}
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL) {
		const char *name = e->d_name;
		mode_t type = fsio_entry_type(fd, e);

		if (type == S_IFLNK)
			rc = take_link(s, fd, name);
		if (type != S_IFDIR || is_apart(name))
			continue;
		sub = fsio_open(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (sub >= 0 && depth == DEPTH_MAX) {
			(void)close(sub);
			errno = ENAMETOOLONG;
			rc = cannot(s);
		} else if (sub >= 0) {
			rc = take_dir(s, sub, depth + 1);
		} else if (!is_harmless(s, errno)) {
			rc = cannot(s);
		}
	}
	if (rc == 0 && errno != 0)
		rc = cannot(s);
	(void)closedir(d);
	return rc;
}

int
sweep_links(int root_fd, const char *path, struct object_set *used, struct err *err)
{
	struct search s = {used, path, err};
	int fd =
	    fsio_open(root_fd, *path != '\0' ? path : ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		return take_dir(&s, fd, 0);
	return is_harmless(&s, errno) ? 0 : cannot(&s);
}
