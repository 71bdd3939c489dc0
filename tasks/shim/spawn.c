/*
 * The child shares our memory until it is executed (clone with CLONE_VM, on a stack of its
 * own): nothing is copied, which is worth 70 us against fork.  Unlike after vfork we go on
 * at once, so that timeout and stop hold even where chdir or exec hang on a dead file
 * server.  That is sound because there is no state of a thread to be shared (sys.h: not even
 * an errno), and the child writes only to the struct spawn and to memory of this file.
 */
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fault.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

static char stack[32768] __attribute__((aligned(16)));
static char candidate[8192]; /* a directory of PATH and the program's name */
static pid_t shim_pid;

static void fail(struct spawn *, enum exit_step, long) __attribute__((noreturn));
static void exec_search(struct spawn *, char **, char **) __attribute__((noreturn));
static void child(void *) __attribute__((noreturn));

/* Leave word of what failed and end. */
static void
fail(struct spawn *s, enum exit_step step, long ret)
{
	s->sys = (int)-ret;
	s->step = (int)step;
	sys_exit(127);
}

/* Where that is refused the limit is held by looking. */
static void
join_cgroup(struct spawn *s)
{
	long fd;

	if (s->cgroup < 0)
		return;
	fd = sys_openat(s->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC, 0);
	/* 0 means the process that writes it. */
	s->joined = fd >= 0 && sys_pwrite((int)fd, "0", 1, 0) == 1;
	if (fd >= 0)
		(void)sys_close((int)fd); /* written */
}

/* Everything but the program: what goes wrong here is told by its step. */
static void
set_up(struct spawn *s)
{
	long r;

	/* Parent death signal first, and a look whether the parent is dead already. */
	if ((r = sys_prctl(PR_SET_PDEATHSIG, SIGKILL)) < 0)
		fail(s, EXIT_STEP_SETUP, r);
	if (sys_getppid() != shim_pid)
		fail(s, EXIT_STEP_SETUP, -ESRCH);
	if ((r = sys_setpgid(0, 0)) < 0 || (r = sys_dup3(s->out, 1, 0)) < 0 ||
	    (r = sys_dup3(s->out, 2, 0)) < 0)
		fail(s, EXIT_STEP_SETUP, r);
	join_cgroup(s);
	if ((r = sys_chdir(s->spec->cwd)) < 0)
		fail(s, EXIT_STEP_CHDIR, r);
	/*
	 * The marker must be visible before the program runs, which it is once it is made;
	 * it need not be durable, since after a power loss every attempt is lost anyway.
	 */
	fault_point(SHIM_CHILD);
	r = sys_openat(s->dirfd, ATTEMPT_STARTED,
		       O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r < 0)
		fail(s, EXIT_STEP_STARTED, r);
	fault_point(SHIM_MARKED);
	(void)sys_umask(s->umask); /* cannot fail */
	(void)sys_sigmask(0);	   /* cannot fail */
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
	static char sh[] = "/bin/sh";
	long r = sys_execve(path, argv, envp);

	if (r != -ENOEXEC)
		return r;
	if (path != candidate) {
		if (strlen(path) >= sizeof(candidate))
			return -ENAMETOOLONG;
		memcpy(candidate, path, strlen(path) + 1);
	}
	argv[-1] = sh;
	argv[0] = candidate;
	(void)sys_execve(sh, argv - 1, envp);
	return -ENOEXEC;
}

/* ENOENT of a file that is there: the interpreter that its first line names is not. */
static enum exit_step
step_of(const char *path, long r)
{
	return r == -ENOENT && sys_access(path, X_OK) == 0 ? EXIT_STEP_SCRIPT
							   : EXIT_STEP_EXEC;
}

/* Put "${dir}/${name}" into the candidate; false if it is too long. */
static bool
make_candidate(const char *dir, size_t ndir, const char *name, size_t nname)
{
	if (ndir + 1 + nname + 1 > sizeof(candidate))
		return false;
	memcpy(candidate, dir, ndir);
	if (ndir > 0) /* an empty directory is the current one */
		candidate[ndir++] = '/';
	memcpy(candidate + ndir, name, nname + 1);
	return true;
}

/* As execvp(3), but by the PATH of the task: the first that can be executed. */
static void
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
			/* Not what lies in a directory of PATH that is closed to us. */
			denied =
			    denied || (r == -EACCES && sys_access(candidate, F_OK) == 0);
			if (step_of(candidate, r) == EXIT_STEP_SCRIPT)
				fail(s, EXIT_STEP_SCRIPT, r);
			if (r != -EACCES && r != -ENOENT && r != -ENOTDIR &&
			    r != -ENAMETOOLONG)
				fail(s, EXIT_STEP_EXEC, r);
		}
		if (*end == '\0')
			break;
	}
	fail(s, EXIT_STEP_EXEC, denied ? -EACCES : -ENOENT);
}

static void
child(void *arg)
{
	struct spawn *s = arg;
	char **argv = s->spec->argv, **envp = s->spec->envp;
	long r;

	set_up(s);
	if (strchr(argv[0], '/') == NULL)
		exec_search(s, argv, envp);
	r = execute(argv[0], argv, envp);
	fail(s, step_of(argv[0], r), r);
}

#if defined(__x86_64__) && !defined(SHIM_LIBC)
/* clone(2); the child begins on its stack by calling child(), which does not return. */
static pid_t
start_child(struct spawn *s)
{
	register struct spawn *arg __asm__("r12") = s;
	register void (*fn)(void *) __asm__("r13") = child;
	register long ctid __asm__("r10") = 0;
	register long tls __asm__("r8") = 0;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone), "D"((long)CLONE_VM | SIGCHLD),
			   "S"(stack + sizeof(stack)), "d"(0L), "r"(ctid), "r"(tls),
			   "r"(arg), "r"(fn)
			 : "rcx", "r11", "memory");
	return (pid_t)ret;
}
#else
static int
child_entry(void *arg)
{
	child(arg);
}

/* With the C library's errno between us, we stand still until the child is executed. */
static pid_t
start_child(struct spawn *s)
{
	pid_t pid = clone(child_entry, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | SIGCHLD, s);

	return pid < 0 ? -errno : pid;
}
#endif

int
spawn_start(struct spawn *s)
{
	s->step = EXIT_STEP_NONE;
	s->sys = 0;
	shim_pid = sys_getpid();
	s->pid = start_child(s);
	if (s->pid < 0) {
		s->step = EXIT_STEP_FORK;
		s->sys = -s->pid;
		return -1;
	}
	/* Done by both, so that it is done for either; fails once it has been executed. */
	(void)sys_setpgid(s->pid, s->pid);
	return 0;
}
