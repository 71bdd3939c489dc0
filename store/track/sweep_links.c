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
	const char *path; /* for messages */
	struct err *err;
};

static int
cannot(const struct search *s)
{
	return err_sys(s->err, errno, "cannot look for links in '%s'", s->path);
}

static int
take_link(const struct search *s, int fd, const char *name)
{
	char to[PATH_MAX];
	struct object_id id;
	ssize_t n = readlinkat(fd, name, to, sizeof(to) - 1);

	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : cannot(s);
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
		if (type != S_IFDIR || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		sub = fsio_open(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (sub >= 0 && depth == DEPTH_MAX) {
			(void)close(sub);
			errno = ENAMETOOLONG;
			rc = cannot(s);
		} else if (sub >= 0) {
			rc = take_dir(s, sub, depth + 1);
		} else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
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
	int fd = fsio_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		return take_dir(&s, fd, 0);
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : cannot(&s);
}
