/*
 * The owner's side of the two one-line files: reading them by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/proc.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/record.h"
#include "tasks/proto/shim_info.h"

/*
 * Read at most ${cap} bytes of the file.  A file that is longer is not what we look for, and
 * the decoders refuse ${cap} bytes that do not end in a newline.  Return 1, 0 if there is no
 * file, -1.
 */
static int
slurp(int dirfd, const char *name, char *p, size_t cap, size_t *len, struct err *err)
{
	ssize_t n = 0;
	size_t have = 0;
	int fd;

	fd = openat(dirfd, name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, errno, "cannot open '%s'", name);
	while (have < cap) {
		n = read(fd, p + have, cap - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (n < 0) {
		(void)err_sys(err, errno, "cannot read '%s'", name);
		(void)close(fd); /* nothing was written through it */
		return -1;
	}
	(void)close(fd); /* nothing was written through it */
	*len = have;
	return 1;
}

int
exit_record_read(int dirfd, struct exit_record *r, struct err *err)
{
	char line[EXIT_RECORD_MAX + 1];
	size_t n = 0;
	int rc;

	memset(r, 0, sizeof(*r));
	if ((rc = slurp(dirfd, ATTEMPT_EXIT, line, sizeof(line), &n, err)) != 1)
		return rc;
	switch (exit_record_decode(r, line, n)) {
	case RECORD_VALID:
		return 1;
	case RECORD_NEWER:
		return err_set(
		    err, ERR_NEWER,
		    "the exit record of the attempt was written by a newer dag; "
		    "install that version again to read it");
	case RECORD_ABSENT:
	default:
		return 0;
	}
}

int
shim_info_read(int dirfd, struct shim_info *i, struct err *err)
{
	char line[SHIM_INFO_MAX + 1];
	size_t n = 0;
	int rc;

	memset(i, 0, sizeof(*i));
	if ((rc = slurp(dirfd, ATTEMPT_SHIM, line, sizeof(line), &n, err)) != 1)
		return rc;
	return shim_info_decode(i, line, n) == 0 ? 1 : 0;
}

void
shim_info_id(const struct shim_info *i, struct proc_id *id)
{
	memset(id, 0, sizeof(*id));
	id->pid = i->pid;
	id->start = i->start;
	id->pidns = i->pidns;
	_Static_assert(sizeof(id->boot) >= sizeof(i->boot), "a boot id fits");
	memcpy(id->boot, i->boot, sizeof(i->boot));
}
