#include <string.h>

#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

/*
 * /proc is read whole rather than by task/TID/children: that file needs a kernel option and
 * may leave out the siblings of a process that ends meanwhile.  Most attempts leave nothing
 * behind, and then nothing is read at all.
 */

#define PROCS_MAX 65536

static struct tree_proc procs[PROCS_MAX];
static char dents[32768] __attribute__((aligned(16)));

/*
 * The next number; -1 if there is none, or nothing behind it (the text is cut).  Negative
 * ones (tpgid) read as 0.
 */
static int
number(const char **p, const char *end, uint64_t *out)
{
	uint64_t v = 0;
	bool neg = false;

	while (*p < end && **p == ' ')
		(*p)++;
	if (*p < end && **p == '-') {
		neg = true;
		(*p)++;
	}
	if (*p == end || **p < '0' || **p > '9')
		return -1;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		v = v * 10 + (uint64_t)(**p - '0');
	*out = neg ? 0 : v;
	return *p < end ? 0 : -1;
}

int
tree_parse(const char *text, size_t n, struct tree_proc *out)
{
	const char *p = text, *end = text + n, *name = memrchr(text, ')', n);
	uint64_t v[24] = {0}; /* by the field numbers of proc(5), less one */

	if (name == NULL || end - name < 4 || number(&p, end, &v[0]) != 0)
		return -1;
	p = name + 2; /* the name in front may hold anything, even ") R 1" */
	out->state = *p++;
	for (size_t i = 3; i < 24; i++)
		if (number(&p, end, &v[i]) != 0)
			return -1;
	out->pid = (pid_t)v[0];
	out->ppid = (pid_t)v[3];
	out->pgrp = (pid_t)v[4];
	out->session = (pid_t)v[5];
	out->start = v[21];
	out->rss = v[23];
	out->below = false;
	return 0;
}

static int
read_stat(int procfd, const char *path, struct tree_proc *out)
{
	char text[1024];
	long n;
	int fd = (int)sys_openat(procfd, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	n = sys_read(fd, text, sizeof(text));
	(void)sys_close(fd); /* only read */
	return n <= 0 ? -1 : tree_parse(text, (size_t)n, out);
}

int
tree_self(struct tree_proc *out)
{
	return read_stat(AT_FDCWD, "/proc/self/stat", out);
}

/* The layout of getdents64(2). */
struct dent {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* "/stat" behind the number ${name}. */
static int
stat_path(const char *name, char out[32])
{
	size_t n = strlen(name);

	if (n == 0 || n > 10 || name[0] < '1' || name[0] > '9')
		return -1;
	memcpy(out, name, n);
	memcpy(out + n, "/stat", 6);
	return 0;
}

/* Add a process; the list stays sorted by pid, which is the order of /proc. */
static size_t
add(size_t n, const struct tree_proc *p)
{
	size_t i = n;

	while (i > 0 && procs[i - 1].pid > p->pid) {
		procs[i] = procs[i - 1];
		i--;
	}
	procs[i] = *p;
	return n + 1;
}

/* All processes there are, as far as the table goes.  Return how many, or -1. */
static int
list_all(void)
{
	int fd =
	    (int)sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	size_t n = 0;
	long got;

	if (fd < 0)
		return -1;
	while ((got = sys_getdents(fd, dents, sizeof(dents))) > 0) {
		for (long at = 0; at < got;) {
			const struct dent *d =
			    (const struct dent *)(const void *)(dents + at);
			struct tree_proc p;
			char path[32];

			at += d->len;
			if (n < PROCS_MAX && stat_path(d->name, path) == 0 &&
			    read_stat(fd, path, &p) == 0)
				n = add(n, &p);
		}
	}
	(void)sys_close(fd); /* only read */
	return got < 0 ? -1 : (int)n;
}

static bool
is_below(pid_t pid, size_t n)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (procs[mid].pid == pid)
			return procs[mid].below;
		if (procs[mid].pid < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

int
tree_scan(pid_t self, const struct tree_proc **out)
{
	int all = list_all();
	size_t n = all < 0 ? 0 : (size_t)all, kept = 0;
	bool more = true;

	*out = procs;
	if (all < 0)
		return -1;
	/* Children mostly follow their parents, so that one or two passes find them all. */
	while (more) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			struct tree_proc *p = &procs[i];

			if (p->below || p->pid == self)
				continue;
			if (p->ppid == self || p->session == self || is_below(p->ppid, n))
				p->below = more = true;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (procs[i].below && procs[i].state != 'Z' && procs[i].state != 'X')
			procs[kept++] = procs[i];
	return (int)kept;
}

size_t
tree_path(pid_t pid, const char *file, char out[TREE_PATH])
{
	char digits[10];
	size_t at = sizeof(digits), n;

	for (; pid > 0 && at > 0; pid /= 10)
		digits[--at] = (char)('0' + pid % 10);
	n = sizeof(digits) - at;
	memcpy(out, "/proc/", 6);
	memcpy(out + 6, digits + at, n);
	memcpy(out + 6 + n, file, strlen(file) + 1);
	return 6 + n;
}

void
tree_signal(const struct tree_proc *p, int sig)
{
	struct tree_proc now;
	char path[TREE_PATH];
	int fd = (int)sys_pidfd_open(p->pid);

	/*
	 * The pid could have passed to another process since the scan: what the pidfd holds
	 * is ours only if the start time is still the same.
	 */
	(void)tree_path(p->pid, "/stat", path);
	if (read_stat(AT_FDCWD, path, &now) == 0 && now.start == p->start) {
		if (fd >= 0)
			(void)sys_pidfd_send_signal(fd, sig); /* gone */
		else
			(void)sys_kill(p->pid, sig); /* gone, or not ours to signal */
	}
	if (fd >= 0)
		(void)sys_close(fd); /* holds nothing */
}
