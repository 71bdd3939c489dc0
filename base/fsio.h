#ifndef DAG_BASE_FSIO_H
#define DAG_BASE_FSIO_H
/*
 * The door to files: everything durable is written through here.  Functions with a `dirfd`
 * take AT_FDCWD as openat does; every descriptor is close-on-exec.  An fsync error is never
 * retried: what it covered is lost, and the caller gives its store up.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct buf;
struct dirent;
struct err;

/**
 * fsio_read(dirfd, path, max, out, err):
 * Append the whole regular file to ${out}, at most ${max} bytes; more is ERR_LIMIT, naming
 * the limit.  Return 0 or -1.
 */
int fsio_read(int, const char *, size_t, struct buf *, struct err *);

/**
 * fsio_read_fd(fd, max, out, err):
 * The same from an open descriptor, from its current offset to its end.
 */
int fsio_read_fd(int, size_t, struct buf *, struct err *);

/**
 * fsio_write_all(fd, p, n):
 * Write all ${n} bytes, resuming short writes and EINTR.  Return 0, or -1 with errno.
 */
int fsio_write_all(int, const void *, size_t);

/**
 * fsio_replace(dirfd, path, p, n, mode, err):
 * Make ${path} hold exactly ${n} bytes, atomically and durably: temporary file beside it
 * (O_EXCL), write, fsync, rename, fsync of the directory.  ${mode} is cut by the umask; a
 * link at ${path} is replaced, not followed.  On failure the old file is untouched and the
 * temporary gone; but if it is the last fsync that fails, the new file is in place and only
 * its surviving a power loss unknown.  Return 0 or -1.
 */
int fsio_replace(int, const char *, const void *, size_t, mode_t, struct err *);

/**
 * fsio_replace_lazily(dirfd, path, p, n, mode, err):
 * The same without any sync, for what can be made again: nobody ever reads half of it, but
 * after a power loss it may be anything.
 */
int fsio_replace_lazily(int, const char *, const void *, size_t, mode_t, struct err *);

/**
 * fsio_replace_whole(dirfd, path, p, n, mode, err):
 * The same with the bytes synced, and not their name: a power loss leaves the old file or the new,
 * either of them whole.
 */
int fsio_replace_whole(int, const char *, const void *, size_t, mode_t, struct err *);

#define FSIO_TEMP_SIZE	26 /* ".dag-", 16 digits, ".tmp", NUL */
#define FSIO_TEMP_AGE_S 60 /* nobody takes that long from a temporary to its rename */

/**
 * fsio_temp_name(name), fsio_is_temp(name):
 * Choose a name as fsio_replace's temporaries have; return 0, or -1 with errno.  Tell whether
 * ${name} is one.
 */
int fsio_temp_name(char[FSIO_TEMP_SIZE]);
bool fsio_is_temp(const char *);

/* A file on its way to its name; zeroed there is none. */
struct fsio_new {
	char *name; /* where it shall be, in dir; NULL: none */
	int dir, fd;
	char temp[FSIO_TEMP_SIZE];
};

/**
 * fsio_new_write(dirfd, path, p, n, mode, f, err), fsio_new_sync(f, path, err),
 * fsio_new_name(f, path, err), fsio_new_drop(f):
 * fsio_replace_whole by steps, for who has several files: where all are written before the first
 * is synced, and all synced before the first gets its name, a disk is waited for once and not once
 * for each.  ${path} is for messages where it is not opened.  drop removes what has no name yet,
 * and is called in any case.  Return 0 or -1.
 */
int fsio_new_write(int, const char *, const void *, size_t, mode_t, struct fsio_new *,
		   struct err *);
int fsio_new_sync(struct fsio_new *, const char *, struct err *);
int fsio_new_name(struct fsio_new *, const char *, struct err *);
void fsio_new_drop(struct fsio_new *);

/**
 * fsio_clear_temp(dirfd, name), fsio_clear_temps(dirfd, dir):
 * Remove ${name}, one component, if it is a temporary of a writer that was killed: of that
 * name, and not touched for FSIO_TEMP_AGE_S seconds.  Return whether it was removed.  The same
 * for all that lie in the directory ${dir}; what cannot be removed stays.
 */
bool fsio_clear_temp(int, const char *);
void fsio_clear_temps(int, const char *);

/**
 * fsio_mkdirs(dirfd, path, mode, err):
 * Make the directory and all missing parents; existing ones are fine.  Return 0 or -1.
 */
int fsio_mkdirs(int, const char *, mode_t, struct err *);

/**
 * fsio_sync_dir(dirfd, path, err), fsio_sync_file(dirfd, path, err):
 * fsync a directory or a file by name.  A file system that has no fsync of directories
 * (EINVAL) is taken to need none.  Return 0 or -1.
 */
int fsio_sync_dir(int, const char *, struct err *);
int fsio_sync_file(int, const char *, struct err *);

/**
 * fsio_sync_tree(dirfd, path, stop, err):
 * fsync ${path}: a regular file, or a directory with everything below it, never following
 * links; other kinds of files (sockets, devices, fifos) are refused by name.  ${stop} (may
 * be NULL) is looked at between files: true ends with ERR_CANCELLED.  Return 0 or -1.
 */
int fsio_sync_tree(int, const char *, const bool *, struct err *);

/**
 * fsio_remove_tree(dirfd, path, err):
 * Remove a file, a link (not what it points to, a slash behind it or not) or a directory
 * with everything below it, never crossing into another file system or mount.  A missing
 * path is fine; "", "/" and a last component "." or ".." are refused.  Return 0 or -1, what
 * could not be removed named in ${err}.
 */
int fsio_remove_tree(int, const char *, struct err *);

/**
 * fsio_entry_type(dirfd, e):
 * Return what ${e} is that readdir(3) told of the directory ${dirfd}, S_IFDIR and the like, links
 * not followed; 0 if it cannot be known.
 */
mode_t fsio_entry_type(int, const struct dirent *);

/**
 * fsio_open_beneath(dirfd, path, flags, mode):
 * Open ${path} below ${dirfd} so that no "..", absolute path or link leads out of it
 * (openat2 RESOLVE_BENEATH, or a walk by components where the kernel has none).  A link to
 * an absolute path leads out, wherever that is.  ${mode} counts only with O_CREAT.  Return a
 * descriptor, or -1 with errno (EXDEV: it would lead out).
 */
int fsio_open_beneath(int, const char *, int, mode_t);

/**
 * fsio_open_nolinks(dirfd, path, flags):
 * Open ${path}, normalized, below ${dirfd} through directories alone: a link on the way or at
 * its end is ELOOP.  Return a descriptor, or -1 with errno.
 */
int fsio_open_nolinks(int, const char *, int);

/**
 * fsio_realpath(path, err):
 * Return the canonical absolute path of ${path}, malloc'ed, or NULL.
 */
char *fsio_realpath(const char *, struct err *);

/*
 * Advisory whole-file locks by flock(2): they die with the last descriptor that shares the
 * open file, never with a name.
 */
enum lock_mode { LOCK_WAIT, LOCK_TRY };

/**
 * fsio_lock(dirfd, path, mode, create, err):
 * Open (and with ${create} make, 0600) the file and take its exclusive lock.  Return the
 * descriptor that holds it; -1 with ERR_BUSY where LOCK_TRY found it held; -1 otherwise.
 * The file that is locked is the one that had the name when the lock was given: one that was
 * replaced or removed while we waited is let go and the new one taken.
 */
int fsio_lock(int, const char *, enum lock_mode, bool, struct err *);

/**
 * fsio_there(path, st, err):
 * Is there something at ${path}, which may be a link to it?  Return 1 with *${st}; 0: no; or -1 where
 * that cannot be known.
 */
struct stat;
int fsio_there(const char *, struct stat *, struct err *);

/**
 * fsio_lock_dir(dirfd, path, err):
 * Take the exclusive lock of the directory, waiting for it: a file would have to be left lying
 * there.  Return the descriptor that holds it, or -1.  A file system that can lock no directory
 * (NFS) keeps nobody out.
 */
int fsio_lock_dir(int, const char *, struct err *);

/*
 * Single system calls for who orders many of them himself, each with its fault point and
 * repeated on EINTR.  They return -1 with errno.
 */

/**
 * fsio_open(dirfd, path, flags, mode):
 * openat, close-on-exec.
 */
int fsio_open(int, const char *, int, mode_t);

/**
 * fsio_read_some(fd, p, n):
 * read(2): what there is, at most ${n} bytes; 0 at the end.
 */
ssize_t fsio_read_some(int, void *, size_t);

/**
 * fsio_sync(fd, path), fsio_sync_fs(fd, path):
 * fsync, and syncfs of the file system that ${fd} is on; ${path} is for the fault hook.
 */
int fsio_sync(int, const char *);
int fsio_sync_fs(int, const char *);

/**
 * fsio_write_soon(fd):
 * Let the kernel begin to write what the file open as ${fd} holds: the sync that follows, or that
 * of another file, then finds it done.  Makes nothing durable.
 */
void fsio_write_soon(int);

/**
 * fsio_rename(dirfd, from, to_dirfd, to), fsio_unlink(dirfd, path),
 * fsio_mkdir(dirfd, path, mode):
 * renameat, unlinkat and mkdirat.
 */
int fsio_rename(int, const char *, int, const char *);
int fsio_unlink(int, const char *);
int fsio_mkdir(int, const char *, mode_t);

/**
 * fsio_hardlink(dirfd, from, to_dirfd, to), fsio_symlink(target, dirfd, path):
 * linkat, of what ${from} leads to if it is a symbolic link, and symlinkat.
 */
int fsio_hardlink(int, const char *, int, const char *);
int fsio_symlink(const char *, int, const char *);

/**
 * fsio_name_open(fd, dirfd, path):
 * Give the file that was opened with O_TMPFILE its name; one that has it is not replaced
 * (EEXIST).
 */
int fsio_name_open(int, int, const char *);

/**
 * fsio_reflink(from, to):
 * Make the file open as ${to} share all the blocks of the one open as ${from}: EOPNOTSUPP,
 * EXDEV, EINVAL or ENOTTY where that cannot be done.
 */
int fsio_reflink(int, int);

/**
 * fsio_syncs():
 * Return how many fsync, fdatasync and syncfs calls went through here; tests assert
 * durability by it.
 */
uint64_t fsio_syncs(void);

/*
 * Faults for tests: before each call of the named kind the hook is asked with the path, or
 * "" where only a descriptor is known.  A positive answer is the errno that the call fails
 * with, 0 lets it through; -n lets a read or write move at most n bytes.
 */
enum fsio_op {
	FSIO_OPEN,
	FSIO_OPENAT2, /* of fsio_open_beneath; ENOSYS makes it walk */
	FSIO_READ,
	FSIO_WRITE,
	FSIO_SYNC,
	FSIO_RENAME,
	FSIO_UNLINK,
	FSIO_MKDIR,
	FSIO_LOCK,
	FSIO_LINK, /* hard and symbolic links, names for open files */
	FSIO_REFLINK
};
void fsio_set_fault(int (*)(void *, enum fsio_op, const char *), void *);

#endif
