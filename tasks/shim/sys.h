#ifndef DAG_TASKS_SHIM_SYS_H
#define DAG_TASKS_SHIM_SYS_H
/*
 * System calls without the C library, for dag-shim only: each returns a result or a negative
 * errno, and none touches thread state, so that they are safe in a child that shares our
 * memory.
 *
 * Why no C library: its start-up asks the processor for its features by some sixty CPUID
 * instructions, each of which traps in a virtual machine.  Measured in one (Firecracker, nested):
 * an empty static program of glibc costs 610 us to run, without it 170 us, and this is paid
 * for every attempt.  Elsewhere than on x86-64, or with DAG_SHIM_LIBC, the
 * same code is built upon glibc's syscall(2), and start.c is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "the system calls below are those of 64-bit Linux");

/**
 * sys6(nr, a, b, c, d, e, f):
 * Make system call ${nr}.  Return its result or a negative errno.
 *
 * The others are the calls of section 2 of the manual under their names: sys_openat sys_close
 * sys_read sys_ftruncate sys_fcntl sys_ioctl sys_dup3 sys_pipe2 sys_chdir sys_umask sys_execve
 * sys_getpid sys_getppid sys_setpgid sys_kill sys_pidfd_open sys_wait4 sys_getrusage sys_ppoll
 * sys_clock_gettime; with fewer arguments: sys_pwrite (resumes nothing), sys_getdents (64),
 * sys_close_range and sys_prctl and sys_pidfd_send_signal (no flags), sys_access (by the
 * effective path from the current directory), sys_rmdir, sys_exit (of the whole process), sys_sleep
 * (monotonic).  What differs is said where it stands.
 */
#if defined(__x86_64__) && !defined(SHIM_LIBC)
static inline long
sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
static inline long
sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = syscall(nr, a, b, c, d, e, f);

	return ret < 0 ? -errno : ret;
}
#endif

static inline long
sys_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return sys6(SYS_openat, dirfd, (long)path, flags, (long)mode, 0, 0);
}

static inline long
sys_close(int fd)
{
	return sys6(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline long
sys_read(int fd, void *p, size_t n)
{
	return sys6(SYS_read, fd, (long)p, (long)n, 0, 0, 0);
}

static inline long
sys_pwrite(int fd, const void *p, size_t n, uint64_t at)
{
	return sys6(SYS_pwrite64, fd, (long)p, (long)n, (long)at, 0, 0);
}

/* The file's size; moves its offset, which nobody uses. */
static inline long
sys_size(int fd)
{
	return sys6(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
}

static inline long
sys_ftruncate(int fd, size_t n)
{
	return sys6(SYS_ftruncate, fd, (long)n, 0, 0, 0, 0);
}

/* Both names in ${dirfd}. */
static inline long
sys_rename(int dirfd, const char *from, const char *to)
{
	return sys6(SYS_renameat2, dirfd, (long)from, dirfd, (long)to, 0, 0);
}

/* Remove the empty directory ${path}. */
static inline long
sys_rmdir(const char *path)
{
	return sys6(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0, 0);
}

static inline long
sys_getdents(int fd, void *p, size_t n)
{
	return sys6(SYS_getdents64, fd, (long)p, (long)n, 0, 0, 0);
}

static inline long
sys_fcntl(int fd, int cmd, long arg)
{
	return sys6(SYS_fcntl, fd, cmd, arg, 0, 0, 0);
}

static inline long
sys_ioctl(int fd, unsigned long cmd, void *arg)
{
	return sys6(SYS_ioctl, fd, (long)cmd, (long)arg, 0, 0, 0);
}

static inline long
sys_close_range(unsigned first, unsigned last)
{
	return sys6(SYS_close_range, (long)first, (long)last, 0, 0, 0, 0);
}

static inline long
sys_dup3(int from, int to, int flags)
{
	return sys6(SYS_dup3, from, to, flags, 0, 0, 0);
}

static inline long
sys_pipe2(int p[2], int flags)
{
	return sys6(SYS_pipe2, (long)p, flags, 0, 0, 0, 0);
}

static inline long
sys_access(const char *path, int mode)
{
	return sys6(SYS_faccessat, AT_FDCWD, (long)path, mode, 0, 0, 0);
}

static inline long
sys_chdir(const char *path)
{
	return sys6(SYS_chdir, (long)path, 0, 0, 0, 0, 0);
}

static inline mode_t
sys_umask(mode_t mask)
{
	return (mode_t)sys6(SYS_umask, (long)mask, 0, 0, 0, 0, 0);
}

static inline long
sys_execve(const char *path, char **argv, char **envp)
{
	return sys6(SYS_execve, (long)path, (long)argv, (long)envp, 0, 0, 0);
}

static inline void __attribute__((noreturn)) sys_exit(int status)
{
	for (;;)
		(void)sys6(SYS_exit_group, status, 0, 0, 0, 0, 0); /* does not return */
}

static inline pid_t
sys_getpid(void)
{
	return (pid_t)sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline pid_t
sys_getppid(void)
{
	return (pid_t)sys6(SYS_getppid, 0, 0, 0, 0, 0, 0);
}

static inline long
sys_setpgid(pid_t pid, pid_t group)
{
	return sys6(SYS_setpgid, pid, group, 0, 0, 0, 0);
}

static inline long
sys_prctl(int what, long arg)
{
	return sys6(SYS_prctl, what, arg, 0, 0, 0, 0);
}

static inline long
sys_kill(pid_t pid, int sig)
{
	return sys6(SYS_kill, pid, sig, 0, 0, 0, 0);
}

static inline long
sys_pidfd_open(pid_t pid)
{
	return sys6(SYS_pidfd_open, pid, 0, 0, 0, 0, 0);
}

static inline long
sys_pidfd_send_signal(int fd, int sig)
{
	return sys6(SYS_pidfd_send_signal, fd, sig, 0, 0, 0, 0);
}

static inline long
sys_wait4(pid_t pid, int *status, int flags)
{
	return sys6(SYS_wait4, pid, (long)status, flags, 0, 0, 0);
}

static inline long
sys_getrusage(int who, struct rusage *u)
{
	return sys6(SYS_getrusage, who, (long)u, 0, 0, 0, 0);
}

/* The kernel's signal sets are one word; signal N is bit N - 1. */
#define SIG_BIT(sig)   ((uint64_t)1 << ((sig)-1))
#define SIG_WORD_BYTES 8

/* Set the mask of blocked signals. */
static inline long
sys_sigmask(uint64_t set)
{
	return sys6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&set, 0, SIG_WORD_BYTES, 0, 0);
}

/* Give ${sig} back its default action. */
static inline long
sys_sigdefault(int sig)
{
	/* struct kernel_sigaction: handler, flags, restorer, mask (or in another order) */
	const uint64_t none[4] = {0, 0, 0, 0};

	return sys6(SYS_rt_sigaction, sig, (long)none, 0, SIG_WORD_BYTES, 0, 0);
}

/* A new descriptor of the signals in ${set}. */
static inline long
sys_signalfd(uint64_t set, int flags)
{
	return sys6(SYS_signalfd4, -1, (long)&set, SIG_WORD_BYTES, flags, 0, 0);
}

static inline long
sys_ppoll(struct pollfd *p, unsigned n, struct timespec *timeout)
{
	return sys6(SYS_ppoll, (long)p, (long)n, (long)timeout, 0, SIG_WORD_BYTES, 0);
}

static inline long
sys_clock_gettime(clockid_t id, struct timespec *t)
{
	return sys6(SYS_clock_gettime, id, (long)t, 0, 0, 0, 0);
}

static inline long
sys_sleep(const struct timespec *t)
{
	return sys6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)t, 0, 0, 0);
}

/* The file's first ${cap} bytes, or all there are: how many, or -errno. */
static inline long
sys_read_file(int dirfd, const char *path, char *p, size_t cap)
{
	int fd = (int)sys_openat(dirfd, path, O_RDONLY | O_CLOEXEC, 0);
	size_t have = 0;
	long n = 0;

	if (fd < 0)
		return fd;
	while (have < cap && (n = sys_read(fd, p + have, cap - have)) > 0)
		have += (size_t)n;
	(void)sys_close(fd); /* only read */
	return n < 0 ? n : (long)have;
}

/* The file's first ${n} bytes, in a private mapping that can be written to; or -errno. */
static inline long
sys_map(int fd, size_t n)
{
	return sys6(SYS_mmap, 0, (long)n, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
}

#endif
