/*
 * The child shares our memory until it is executed (clone with CLONE_VM, on a stack of its
 * own): nothing is copied, which is worth 70 us against fork.  Unlike after vfork we go on
 * at once, so that timeout and stop hold even where chdir or exec hang on a dead file
 * server.  Its price: the C library's thread state is shared too, so the child calls nothing
 * of it; it makes bare system calls, which leave errno alone, and writes only to the struct
 * spawn and to memory of this file.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tasks/proto/attempt_dir.h"
#include "tasks/shim/shim.h"

#define SH "/bin/sh"

static char stack[32768] __attribute__((aligned(16)));
static char candidate[8192]; /* a directory of PATH and the program's name */
static pid_t shim_pid;

#if defined(__x86_64__)
static long
raw4(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}
#define SPAWN_FLAGS (CLONE_VM | SIGCHLD)
#elif defined(__aarch64__)
static long
raw4(long nr, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
}
#define SPAWN_FLAGS (CLONE_VM | SIGCHLD)
#else
/* Elsewhere we stand still until the child is executed, and errno is safe. */
static long
raw4(long nr, long a, long b, long c, long d)
{
	long ret = syscall(nr, a, b, c, d);

	return ret < 0 ? -errno : ret;
}
#define SPAWN_FLAGS (CLONE_VM | CLONE_VFORK | SIGCHLD)
#endif

static void __attribute__((noreturn)) fail(struct spawn *s, enum exit_step step, long ret)
{
	s->sys = (int)-ret;
	s->step = (int)step;
	for (;;)
		(void)raw4(SYS_exit_group, 127, 0, 0, 0); /* does not return */
}

/* Everything but the program: what goes wrong here is told by its step. */
static void
set_up(struct spawn *s)
{
	sigset_t none;
	long r;

	/* Parent death signal first, and a look whether the parent is dead already. */
	if ((r = raw4(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0)) < 0)
		fail(s, EXIT_STEP_SETUP, r);
	if (raw4(SYS_getppid, 0, 0, 0, 0) != shim_pid)
		fail(s, EXIT_STEP_SETUP, -ESRCH);
	if ((r = raw4(SYS_setpgid, 0, 0, 0, 0)) < 0 ||
	    (r = raw4(SYS_dup3, s->out, 1, 0, 0)) < 0 ||
	    (r = raw4(SYS_dup3, s->out, 2, 0, 0)) < 0)
		fail(s, EXIT_STEP_SETUP, r);
	(void)raw4(SYS_umask, (long)s->umask, 0, 0, 0); /* cannot fail */
	if ((r = raw4(SYS_chdir, (long)s->spec->cwd, 0, 0, 0)) < 0)
		fail(s, EXIT_STEP_CHDIR, r);
	/*
	 * The marker must be visible before the program runs, which it is once it is made;
	 * it need not be durable, since after a power loss every attempt is lost anyway.
	 */
	r = raw4(SYS_openat, s->dirfd, (long)ATTEMPT_STARTED,
		 O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r < 0)
		fail(s, EXIT_STEP_STARTED, r);
	memset(&none, 0, sizeof(none));
	(void)raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8); /* cannot fail */
}

/* The value of PATH in ${envp}, or the system's default. */
static const char *
search_path(char **envp)
{
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return "/usr/local/bin:/usr/bin:/bin";
}

/*
 * Execute ${path}.  Return the error; a file without a #! line is tried as a script of
 * /bin/sh, as every shell does, for which argv[-1] has room.
 */
static long
execute(const char *path, char **argv, char **envp)
{
	static char sh[] = SH;
	long r = raw4(SYS_execve, (long)path, (long)argv, (long)envp, 0);

	if (r != -ENOEXEC)
		return r;
	argv[-1] = sh;
	argv[0] = candidate;
	if (path != candidate) {
		if (strlen(path) >= sizeof(candidate))
			return -ENAMETOOLONG;
		memcpy(candidate, path, strlen(path) + 1);
	}
	(void)raw4(SYS_execve, (long)sh, (long)(argv - 1), (long)envp, 0);
	return -ENOEXEC;
}

/* ENOENT of a file that is there: the interpreter that its first line names is not. */
static void __attribute__((noreturn))
exec_failed(struct spawn *s, const char *path, long r)
{
	if (r == -ENOENT && raw4(SYS_faccessat, AT_FDCWD, (long)path, F_OK, 0) == 0)
		fail(s, EXIT_STEP_SCRIPT, r);
	fail(s, EXIT_STEP_EXEC, r);
}

/* Put "${dir}/${name}" into the candidate; false if it is too long. */
static bool
make_candidate(const char *dir, size_t ndir, const char *name, size_t nname)
{
	if (ndir + 1 + nname + 1 > sizeof(candidate))
		return false;
	memcpy(candidate, dir, ndir);
	if (ndir > 0)
		candidate[ndir++] = '/';
	memcpy(candidate + ndir, name, nname + 1);
	return true;
}

static void __attribute__((noreturn))
exec_search(struct spawn *s, char **argv, char **envp)
{
	const char *name = argv[0], *dir = search_path(envp), *end;
	size_t nname = strlen(name);
	bool denied = false;
	long r;

	for (;; dir = end + 1) {
		end = strchrnul(dir, ':');
		if (make_candidate(dir, (size_t)(end - dir), name, nname)) {
			r = execute(candidate, argv, envp);
			if (r == -EACCES)
				denied = true;
			else if (r != -ENOENT && r != -ENOTDIR && r != -ENAMETOOLONG)
				fail(s, EXIT_STEP_EXEC, r);
			else if (r == -ENOENT && raw4(SYS_faccessat, AT_FDCWD,
						      (long)candidate, X_OK, 0) == 0)
				fail(s, EXIT_STEP_SCRIPT, r);
		}
		if (*end == '\0')
			break;
	}
	fail(s, EXIT_STEP_EXEC, denied ? -EACCES : -ENOENT);
}

static int
child(void *arg)
{
	struct spawn *s = arg;
	char **argv = s->spec->argv, **envp = s->spec->envp;

	set_up(s);
	if (strchr(argv[0], '/') == NULL)
		exec_search(s, argv, envp);
	exec_failed(s, argv[0], execute(argv[0], argv, envp));
}

int
spawn_start(struct spawn *s)
{
	s->step = EXIT_STEP_NONE;
	s->sys = 0;
	shim_pid = getpid();
	s->pid = clone(child, stack + sizeof(stack), SPAWN_FLAGS, s);
	if (s->pid < 0) {
		s->step = EXIT_STEP_FORK;
		s->sys = errno;
		return -1;
	}
	/* Done by both, so that it is done for either; fails once it has been executed. */
	(void)setpgid(s->pid, s->pid);
	return 0;
}
