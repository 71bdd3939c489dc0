#include "scheduler/exec_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "store/dvc/dvc_lock.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/record.h"
#include "tasks/proto/shim_spec.h"

#define FD_ABOVE 16 /* where descriptors wait that will be dup2'ed to 3 and 4 */

int
exec_spec_fd(const struct shim_spec *spec, struct err *err)
{
	int fd = shim_spec_memfd(spec, err), high;

	if (fd == -1)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FD_ABOVE);
	if (high == -1)
		err_sys(err, errno, "cannot duplicate a descriptor");
	(void)close(fd);
	return high;
}

int
exec_open_dir(const struct project *p, const char *dir)
{
	struct buf path;
	int fd;

	buf_init(&path, 0);
	buf_addf(&path, "%s/%s", p->state, dir);
	errno = ENOMEM;
	fd = buf_failed(&path) ? -1 : open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_release(&path);
	return fd;
}

int
exec_make_dir(const char *path, struct err *err)
{
	int dirfd = -1, fd = -1, high;

	if (fsio_mkdirs(AT_FDCWD, path, 0700, err) != 0)
		return -1;
	/* A umask can take bits even from our own directory. */
	(void)chmod(path, 0700);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd == -1)
		return err_sys(err, errno, "cannot open '%s'", path);
	fd = fsio_lock(dirfd, ATTEMPT_ALIVE, LOCK_TRY, true, err);
	(void)close(dirfd);
	if (fd == -1)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FD_ABOVE);
	if (high == -1)
		err_sys(err, errno, "cannot duplicate a descriptor");
	(void)close(fd);
	return high;
}

int
exec_put_inputs(const char *path, const char *text, struct err *err)
{
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (dirfd == -1)
		return err_sys(err, errno, "cannot open '%s'", path);
	rc = fsio_replace_lazily(dirfd, ATTEMPT_INPUTS, text, strlen(text), 0600, err);
	(void)close(dirfd);
	return rc;
}

char *
exec_get_inputs(int dirfd)
{
	struct err unused;
	struct buf b;
	char *text = NULL;

	buf_init(&b, DVC_LOCK_MAX);
	if (fsio_read(dirfd, ATTEMPT_INPUTS, DVC_LOCK_MAX, &b, &unused) == 0 && b.n > 0 &&
	    b.p[b.n - 1] == '\n' && memchr(b.p, '\0', b.n) == NULL)
		text = buf_steal(&b);
	buf_release(&b);
	return text;
}

/* Do as the shim does; return an errno, or 0 where it goes well now.  What it has written takes
 * room and serves nobody; the directory and its lock stay, by which it is known that the
 * attempt never ran. */
static int
try_write(const char *path)
{
	static const char room[EXIT_RECORD_MAX];
	int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1, sys = 0;

	if (dirfd != -1)
		fd = openat(dirfd, ".room", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0600);
	if (fd == -1 || fsio_write_all(fd, room, sizeof(room)) != 0)
		sys = errno;
	if (fd != -1) {
		(void)close(fd);
		(void)unlinkat(dirfd, ".room", 0);
	}
	if (dirfd != -1) {
		(void)unlinkat(dirfd, ATTEMPT_SHIM, 0);
		(void)unlinkat(dirfd, ATTEMPT_EXIT_TMP, 0);
		(void)close(dirfd);
	}
	return sys;
}

void
exec_no_files(const char *state, const char *dir, struct err *why)
{
	struct buf path;
	int sys = 0;

	buf_init(&path, 0);
	buf_addf(&path, "%s/%s", state, dir);
	if (!buf_failed(&path))
		sys = try_write(path.p);
	if (sys != 0)
		(void)err_sys(why, sys, "cannot write into '%s'", path.p);
	else
		(void)err_set(why, ERR_SYS,
			      "dag-shim could not write into the attempt's directory");
	buf_release(&path);
}

bool
exec_is_broken(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES ||
	       errnum == ENOEXEC || errnum == EPERM || errnum == ELOOP ||
	       errnum == EISDIR || errnum == ELIBBAD;
}

static int
spawn_attr(posix_spawnattr_t *attr)
{
	sigset_t all;

	if (posix_spawnattr_init(attr) != 0)
		return -1;
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigdefault(attr, &all);
	(void)posix_spawnattr_setsigmask(attr, &all);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
						 POSIX_SPAWN_SETSIGMASK);
	return 0;
}

/* posix_spawn, never fork: the parent may be big (40 times the cost at 256 MiB). */
int
exec_spawn_shim(const char *shim, const char *path, int null_fd, int alive, int spec,
		pid_t *pid)
{
	const int from[] = {null_fd, null_fd, null_fd, alive, spec};
	char arg0[] = "dag-shim", *dir = strdup(path);
	char *argv[] = {arg0, dir, NULL}, *envp[] = {fault_entry(), NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc = ENOMEM;

	if (dir == NULL)
		return rc;
	if (posix_spawn_file_actions_init(&fa) != 0)
		goto out_dir;
	if (spawn_attr(&attr) != 0)
		goto out_actions;
	rc = 0;
	for (int i = 0; i < 5 && rc == 0; i++)
		rc = posix_spawn_file_actions_adddup2(&fa, from[i], i);
	if (rc == 0)
		rc = posix_spawn(pid, shim, &fa, &attr, argv, envp);
	(void)posix_spawnattr_destroy(&attr);
out_actions:
	(void)posix_spawn_file_actions_destroy(&fa);
out_dir:
	free(dir);
	return rc;
}
