#include "store/project.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/project_internal.h"

#define PROBE_BYTES 4096
#define PROBE_NAME  40
#define PROBE_SYNCS 5

/*
 * File systems by the number in statfs.  A network file system is refused without asking:
 * its locks and mappings may work on this machine and still not be seen by another.  The
 * others that are not plain local ones (FUSE, 9p: desktop containers, sandboxes, virtual
 * machines) are tried out each time, as it depends on the server behind them.
 */
static const struct fs_kind {
	unsigned long magic;
	const char *name;
	enum fs_trust trust;
} kinds[] = {
    {EXT4_SUPER_MAGIC, "ext4", FS_LOCAL},
    {XFS_SUPER_MAGIC, "xfs", FS_LOCAL},
    {BTRFS_SUPER_MAGIC, "btrfs", FS_LOCAL},
    {F2FS_SUPER_MAGIC, "f2fs", FS_LOCAL},
    {TMPFS_MAGIC, "tmpfs", FS_LOCAL},
    {OVERLAYFS_SUPER_MAGIC, "overlayfs", FS_LOCAL},
    {0x2fc12fc1, "zfs", FS_LOCAL},
    {0xca451a4e, "bcachefs", FS_LOCAL},
    {0x3153464a, "jfs", FS_LOCAL},
    {NFS_SUPER_MAGIC, "nfs", FS_NETWORK},
    {SMB_SUPER_MAGIC, "smb", FS_NETWORK},
    {CIFS_SUPER_MAGIC, "cifs", FS_NETWORK},
    {SMB2_SUPER_MAGIC, "smb2", FS_NETWORK},
    {AFS_SUPER_MAGIC, "afs", FS_NETWORK},
    {AFS_FS_MAGIC, "afs", FS_NETWORK},
    {CODA_SUPER_MAGIC, "coda", FS_NETWORK},
    {CEPH_SUPER_MAGIC, "ceph", FS_NETWORK},
    {NCP_SUPER_MAGIC, "ncp", FS_NETWORK},
    {0x0bd00bd0, "lustre", FS_NETWORK},
    {0x47504653, "gpfs", FS_NETWORK},
    {0x19830326, "beegfs", FS_NETWORK},
    {0x01161970, "gfs2", FS_NETWORK},
    {OCFS2_SUPER_MAGIC, "ocfs2", FS_NETWORK},
    {FUSE_SUPER_MAGIC, "fuse", FS_DOUBTFUL},
    {V9FS_MAGIC, "9p", FS_DOUBTFUL},
};

/* A door for tests: what lies in $DAG_FS_NETWORK, or below, is said to be on a network. */
static bool
is_said_network(int dirfd)
{
#ifdef DAG_TEST_DOORS
	const char *dir = getenv("DAG_FS_NETWORK");
	char link[40], path[4096];
	ssize_t n;

	if (dir == NULL)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return path_is_below(path, dir) || strcmp(path, dir) == 0;
#else
	(void)dirfd;
	return false;
#endif
}

int
project_fs(int dirfd, char type[FS_TYPE_MAX], enum fs_trust *trust,
	   unsigned long long *free_bytes, struct err *err)
{
	struct statfs st;
	unsigned long magic;
	size_t i;

	if (fstatfs(dirfd, &st) != 0)
		return err_sys(err, errno, "cannot tell the type of the file system");
	magic = (unsigned long)st.f_type & 0xffffffffUL;
	if (is_said_network(dirfd))
		magic = NFS_SUPER_MAGIC;
	*free_bytes = (unsigned long long)st.f_bavail * (unsigned long long)st.f_bsize;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].magic == magic) {
			(void)snprintf(type, FS_TYPE_MAX, "%s", kinds[i].name);
			*trust = kinds[i].trust;
			return 0;
		}
	}
	(void)snprintf(type, FS_TYPE_MAX, "0x%lx", magic);
	*trust = FS_DOUBTFUL;
	return 0;
}

/* Two opens of one file must not both get its exclusive lock, and the second must get it once
 * the first has let go. */
static bool
locks_work(int a, int b)
{
	return flock(a, LOCK_EX | LOCK_NB) == 0 && flock(b, LOCK_EX | LOCK_NB) != 0 &&
	       errno == EWOULDBLOCK && flock(a, LOCK_UN) == 0 &&
	       flock(b, LOCK_EX | LOCK_NB) == 0;
}

/* What is stored through one shared mapping must be seen through another open's mapping and
 * by read(2). */
static bool
mmap_works(int a, int b)
{
	static const char word[] = "seen";
	char got[sizeof(word)] = "";
	char *pa, *pb;
	bool ok = false;

	pa = mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	if (pa == MAP_FAILED)
		return false;
	pb = mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0);
	if (pb != MAP_FAILED) {
		memcpy(pa, word, sizeof(word));
		ok = memcmp(pb, word, sizeof(word)) == 0 &&
		     pread(b, got, sizeof(got), 0) == (ssize_t)sizeof(got) &&
		     memcmp(got, word, sizeof(word)) == 0;
		(void)munmap(pb, PROBE_BYTES);
	}
	(void)munmap(pa, PROBE_BYTES);
	return ok;
}

/* Try locks and mappings on the new file ${a} called ${name}. */
static int
try_file(int dirfd, const char *name, int a, struct fs_probe *out, struct err *err)
{
	static const char zeros[PROBE_BYTES];
	int b;

	/* Allocate by write(2): a store into a mapped hole of a full disk is a SIGBUS. */
	if (fsio_write_all(a, zeros, sizeof(zeros)) != 0)
		return err_sys(err, errno, "cannot write a file to try the file system");
	b = openat(dirfd, name, O_RDWR | O_CLOEXEC);
	if (b < 0)
		return err_sys(err, errno, "cannot open a file to try the file system");
	out->locks = locks_work(a, b);
	out->mmap = mmap_works(a, b);
	close(b);
	return 0;
}

/* Make a file of a new ${name}. */
static int
make_probe(int dirfd, char name[PROBE_NAME], struct err *err)
{
	unsigned long long salt = 0;
	int fd;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt = (unsigned long long)getpid();
	(void)snprintf(name, PROBE_NAME, ".probe-%016llx", salt);
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 ? fd
		       : err_sys(err, errno, "cannot make a file to try the file system");
}

int
project_probe(int dirfd, struct fs_probe *out, struct err *err)
{
	char name[PROBE_NAME];
	enum fs_trust trust;
	struct statfs st;
	int fd, rc;

	memset(out, 0, sizeof(*out));
	if (project_fs(dirfd, out->type, &trust, &out->free_bytes, err) != 0)
		return -1;
	out->network = trust == FS_NETWORK;
	if (fstatfs(dirfd, &st) == 0) {
		out->inodes = st.f_files;
		out->free_inodes = st.f_ffree;
	}
	if ((fd = make_probe(dirfd, name, err)) < 0)
		return -1;
	rc = try_file(dirfd, name, fd, out, err);
	(void)unlinkat(dirfd, name, 0);
	close(fd);
	out->dirsync = fsync(dirfd) == 0;
	return rc;
}

static int
by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
project_sync_cost(int dirfd, int64_t *us, struct err *err)
{
	static const char block[PROBE_BYTES] = "x";
	int64_t took[PROBE_SYNCS], from;
	char name[PROBE_NAME];
	int fd, i, rc = 0;

	if ((fd = make_probe(dirfd, name, err)) < 0)
		return -1;
	for (i = 0; i < PROBE_SYNCS && rc == 0; i++) {
		from = clock_now().mono_us;
		if (pwrite(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block) ||
		    fdatasync(fd) != 0)
			rc = err_sys(err, errno, "cannot make a file durable");
		took[i] = clock_now().mono_us - from;
	}
	(void)unlinkat(dirfd, name, 0);
	close(fd);
	if (rc == 0) {
		qsort(took, PROBE_SYNCS, sizeof(took[0]), by_size);
		*us = took[PROBE_SYNCS / 2];
	}
	return rc;
}
