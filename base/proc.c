#include "base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"

#define STAT_MAX   1024 /* of /proc/PID/stat: some 50 numbers and a name of 16 bytes */
#define STATUS_MAX 2048 /* of /proc/PID/status, whose Uid is the ninth line */
#define READ_MAX   4096

/* Read the start of a file of /proc as text.  Return 0, or -1 with errno. */
static int
read_text(int dir, const char *path, char *out, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), saved;
	ssize_t got = 0;
	size_t n = 0;

	if (fd < 0)
		return -1;
	while (n < size - 1 && (got = read(fd, out + n, size - 1 - n)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	saved = errno;
	(void)close(fd);
	out[n] = '\0';
	errno = saved;
	return got < 0 ? -1 : 0;
}

int
proc_boot_id(char out[PROC_BOOT_ID_MAX])
{
	if (read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", out,
		      PROC_BOOT_ID_MAX) != 0)
		return -1;
	out[strcspn(out, "\n")] = '\0';
	if (strlen(out) == 36)
		return 0;
	errno = EIO;
	return -1;
}

/* What we use of /proc/PID/stat. */
struct stat_line {
	char state;
	pid_t session;
	uint64_t start;
};

/* Field n (from 3 on) of the text behind the name; cut off at its end. */
static const char *
stat_field(char *rest, int n)
{
	char *end;

	for (; n > 3; n--) {
		if ((rest = strchr(rest, ' ')) == NULL)
			return "";
		rest++;
	}
	if ((end = strchr(rest, ' ')) != NULL)
		*end = '\0';
	return rest;
}

static int
read_stat(int dir, const char *path, struct stat_line *out)
{
	char line[STAT_MAX], *rest;
	int64_t session;
	int r;

	if (read_text(dir, path, line, sizeof(line)) != 0)
		return -1;
	/* The name may hold anything, ")" and blanks too: what counts is behind the last. */
	rest = strrchr(line, ')');
	errno = EIO;
	if (rest == NULL || rest[1] != ' ' || rest[2] == '\0')
		return -1;
	rest += 2;
	out->state = rest[0];
	/* From the back, as each field is cut off. */
	r = num_u64(stat_field(rest, 22), &out->start);
	if (r != 0 || num_i64(stat_field(rest, 6), &session) != 0)
		return -1;
	out->session = (pid_t)session;
	return 0;
}

static int
stat_of(pid_t pid, struct stat_line *out)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	return read_stat(AT_FDCWD, path, out);
}

int
proc_start_time(pid_t pid, uint64_t *out)
{
	struct stat_line s;

	if (stat_of(pid, &s) != 0)
		return -1;
	*out = s.start;
	return 0;
}

int
proc_session(pid_t pid, pid_t *out)
{
	struct stat_line s;

	if (stat_of(pid, &s) != 0)
		return -1;
	*out = s.session;
	return 0;
}

char
proc_state(pid_t pid)
{
	struct stat_line s;

	return stat_of(pid, &s) == 0 ? s.state : '\0';
}

int
proc_pidns(uint64_t *out)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) != 0)
		return -1;
	*out = (uint64_t)st.st_ino;
	return 0;
}

int
proc_self(struct proc_id *out)
{
	out->pid = getpid();
	return proc_start_time(out->pid, &out->start) != 0 ||
		       proc_pidns(&out->pidns) != 0 || proc_boot_id(out->boot) != 0
		   ? -1
		   : 0;
}

/* Whether id is of this boot and pid namespace and its process there; else errno. */
static int
check_id(const struct proc_id *id)
{
	char boot[PROC_BOOT_ID_MAX];
	uint64_t pidns, start;

	if (proc_boot_id(boot) != 0 || proc_pidns(&pidns) != 0)
		return -1;
	if (id->pid > 0 && strcmp(boot, id->boot) == 0 && pidns == id->pidns &&
	    proc_start_time(id->pid, &start) == 0 && start == id->start)
		return 0;
	errno = ESRCH;
	return -1;
}

int
proc_pidfd(const struct proc_id *id)
{
	int fd;

	if (check_id(id) != 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	if (fd < 0) {
		/* EPERM is a seccomp filter that does not know the call, EINVAL a thread. */
		if (errno == EPERM)
			errno = ENOSYS;
		else if (errno == EINVAL)
			errno = ESRCH;
		return -1;
	}
	/*
	 * The process was there with this start time before the open; if it is still there
	 * after it, the descriptor is of no other.
	 */
	if (check_id(id) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
proc_signal(const struct proc_id *id, int sig)
{
	int fd = proc_pidfd(id), r, saved;

	if (fd < 0) {
		/* Old kernels: between the look and the signal the pid may be reused, but
		 * only if all others were used up meanwhile. */
		if (errno != ENOSYS || check_id(id) != 0)
			return -1;
		return kill(id->pid, sig);
	}
	r = (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return r;
}

/* Whether the process whose folder of /proc is dir runs for our (real) user. */
static bool
is_ours(int dir)
{
	char text[STATUS_MAX], *at;
	uint64_t uid;

	if (read_text(dir, "status", text, sizeof(text)) != 0 ||
	    (at = strstr(text, "\nUid:\t")) == NULL)
		return false;
	at += strlen("\nUid:\t");
	at[strcspn(at, "\t")] = '\0';
	return num_u64(at, &uid) == 0 && uid == getuid();
}

/* How much of the entry the current string of an environment has matched. */
struct env_match {
	const char *entry;
	size_t len;
	size_t at; /* SIZE_MAX: this string is another */
};

/* Go on with n bytes of NUL-ended strings; whether one of them was the entry. */
static bool
feed(struct env_match *m, const char *p, size_t n)
{
	for (; n > 0; n--, p++) {
		if (*p == '\0') {
			if (m->at == m->len)
				return true;
			m->at = 0;
		} else if (m->at < m->len && m->entry[m->at] == *p) {
			m->at++;
		} else {
			m->at = SIZE_MAX;
		}
	}
	return false;
}

/*
 * Whether the environment that the process was started with holds the entry.  It is read in
 * pieces: only the kernel limits its size.
 */
static bool
has_env(int dir, const char *entry)
{
	struct env_match m = {.entry = entry, .len = strlen(entry)};
	char piece[READ_MAX];
	int fd = openat(dir, "environ", O_RDONLY | O_CLOEXEC);
	bool found = false;
	ssize_t got;

	if (fd < 0)
		return false;
	do {
		got = read(fd, piece, sizeof(piece));
		if (got > 0)
			found = feed(&m, piece, (size_t)got);
	} while (!found && (got > 0 || (got < 0 && errno == EINTR)));
	(void)close(fd);
	return found;
}

static bool
belongs(int dir, pid_t session, const char *env_entry)
{
	struct stat_line s;

	if (read_stat(dir, "stat", &s) != 0 || s.state == 'Z' || s.state == 'X')
		return false;
	if (session != 0 && s.session == session)
		return is_ours(dir);
	return env_entry != NULL && env_entry[0] != '\0' && has_env(dir, env_entry) &&
	       is_ours(dir);
}

int
proc_find(pid_t session, const char *env_entry, void (*fn)(void *, pid_t), void *ctx)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int64_t pid;
	int dir, n = 0;

	if (proc == NULL)
		return -1;
	while ((e = readdir(proc)) != NULL) {
		if (num_i64(e->d_name, &pid) != 0 || pid == getpid())
			continue;
		dir = openat(dirfd(proc), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue; /* gone meanwhile */
		if (belongs(dir, session, env_entry)) {
			fn(ctx, (pid_t)pid);
			n++;
		}
		(void)close(dir);
	}
	(void)closedir(proc);
	return n;
}
