#include "scheduler/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "tasks/proto/attempt_dir.h"

#define TEXT_MAX    ((size_t)1 << 20)
#define PREFIX	    "dag-"
#define ID_LEN	    36
#define RMDIR_TRIES 50
#define TIDY_AGE_S  60 /* a younger one may be about to be entered */

/* ---- small files ---- */

/* Append the text of a file: false if there is none. */
static bool
read_file(const char *dir, const char *name, struct buf *b)
{
	struct buf path;
	bool ok;

	buf_init(&path, 0);
	buf_addf(&path, "%s/%s", dir, name);
	ok = !buf_failed(&path) && fsio_read(AT_FDCWD, path.p, TEXT_MAX, b, NULL) == 0 &&
	     !buf_failed(b);
	buf_release(&path);
	return ok;
}

static bool
has_word(const char *dir, const char *name, const char *word)
{
	size_t n = strlen(word), len;
	const char *p;
	bool found = false;
	struct buf b;

	buf_init(&b, 0);
	if (read_file(dir, name, &b))
		for (p = b.p; *p != '\0' && !found; p += len + (p[len] != '\0')) {
			len = strcspn(p, " \n");
			found = len == n && memcmp(p, word, n) == 0;
		}
	buf_release(&b);
	return found;
}

/* The number that the file holds; -1: none ("max", or no such file). */
static int64_t
read_number(const char *dir, const char *name)
{
	int64_t v = -1;
	struct buf b;

	buf_init(&b, 0);
	if (read_file(dir, name, &b)) {
		b.p[strcspn(b.p, " \n")] = '\0';
		if (num_i64(b.p, &v) != 0)
			v = -1;
	}
	buf_release(&b);
	return v;
}

static int
write_number(const char *dir, const char *name, int64_t v)
{
	char text[32];
	struct buf path;
	int fd, n = snprintf(text, sizeof(text), "%lld", (long long)v), rc = -1, e;

	buf_init(&path, 0);
	buf_addf(&path, "%s/%s", dir, name);
	errno = ENOMEM;
	fd = buf_failed(&path) ? -1 : open(path.p, O_WRONLY | O_CLOEXEC);
	e = errno;
	buf_release(&path);
	if (fd != -1) {
		rc = write(fd, text, (size_t)n) == n ? 0 : -1;
		e = errno;
		(void)close(fd);
	}
	errno = e;
	return rc;
}

static bool
writable(const char *dir, const char *name)
{
	struct buf path;
	bool ok;

	buf_init(&path, 0);
	buf_addf(&path, "%s/%s", dir, name);
	ok = !buf_failed(&path) && access(path.p, W_OK) == 0;
	buf_release(&path);
	return ok;
}

/* ---- which cgroup is ours ---- */

/* Append our path in version 2, or in the hierarchy of memory of version 1. */
static bool
own_path(const char *self, bool v2, struct buf *out)
{
	const char *p = self, *line, *end, *names, *path;
	bool found = false;

	for (; *p != '\0' && !found; p = *end != '\0' ? end + 1 : end) {
		line = p;
		end = strchrnul(line, '\n');
		names = memchr(line, ':', (size_t)(end - line));
		path = names != NULL ? memchr(names + 1, ':', (size_t)(end - names - 1))
				     : NULL;
		if (path == NULL)
			continue;
		if (v2) {
			found = line[0] == '0' && line + 1 == names && names + 1 == path;
		} else {
			for (const char *q = names; q < path && !found;
			     q = q + 1 + strcspn(q + 1, ",:"))
				found = strncmp(q + 1, "memory", 6) == 0 &&
					(q[7] == ',' || q[7] == ':');
		}
		if (found)
			buf_add(out, path + 1, (size_t)(end - path - 1));
	}
	return found && !buf_failed(out);
}

/* The next field of a line of mountinfo, in which blanks are written as \040. */
static void
put_field(const char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\' && i + 3 < n) {
			buf_addc(out, (char)((p[i + 1] - '0') * 64 +
					     (p[i + 2] - '0') * 8 + (p[i + 3] - '0')));
			i += 3;
		} else {
			buf_addc(out, p[i]);
		}
	}
}

#define FIELDS 40

/* Append what a line of mountinfo says, if it is the hierarchy sought. */
static bool
take_mount(const char *line, size_t len, bool v2, struct buf *root, struct buf *point)
{
	const char *field[FIELDS], *super;
	size_t size[FIELDS], n = 0, dash = 0;

	for (size_t at = 0; at < len && n < FIELDS; n++) {
		field[n] = line + at;
		size[n] = strcspn(field[n], " \n");
		at += size[n] + 1;
		if (n >= 6 && dash == 0 && size[n] == 1 && *field[n] == '-')
			dash = n;
	}
	if (dash == 0 || dash + 3 >= n)
		return false;
	if (v2 && (size[dash + 1] != 7 || memcmp(field[dash + 1], "cgroup2", 7) != 0))
		return false;
	if (!v2) {
		if (size[dash + 1] != 6 || memcmp(field[dash + 1], "cgroup", 6) != 0)
			return false;
		super = field[dash + 3];
		while (strncmp(super, "memory", 6) != 0 ||
		       strchr(", \n", super[6]) == NULL) {
			super += strcspn(super, ", \n");
			if (*super != ',')
				return false;
			super++;
		}
	}
	put_field(field[3], size[3], root);
	put_field(field[4], size[4], point);
	return !buf_failed(root) && !buf_failed(point);
}

static bool
find_mount(const char *mounts, bool v2, struct buf *root, struct buf *point)
{
	const char *end;

	for (const char *p = mounts; *p != '\0'; p = *end != '\0' ? end + 1 : end) {
		end = strchrnul(p, '\n');
		if (take_mount(p, (size_t)(end - p), v2, root, point))
			return true;
	}
	return false;
}

/* Append the directories of our own cgroup and of the hierarchy's top. */
static bool
own_dir(const char *self, const char *mounts, bool v2, struct buf *dir, struct buf *top)
{
	struct buf path, root;
	const char *rest;
	size_t n;
	bool ok = false;

	buf_init(&path, 0);
	buf_init(&root, 0);
	if (own_path(self, v2, &path) && find_mount(mounts, v2, &root, top)) {
		n = strcmp(root.p, "/") == 0 ? 0 : root.n;
		/* A mount may begin below the hierarchy's root; ours may lie outside of it. */
		ok = strncmp(path.p, root.p, n) == 0 &&
		     (path.p[n] == '/' || path.p[n] == '\0') &&
		     strncmp(path.p, "/..", 3) != 0;
		rest = path.p + (ok ? n : 0);
		buf_addf(dir, "%s%s", top->p, strcmp(rest, "/") == 0 ? "" : rest);
	}
	buf_release(&path);
	buf_release(&root);
	return ok && !buf_failed(dir) && !buf_failed(top);
}

/* ---- the place ---- */

static void
none(struct cgroup_place *p, const char *why)
{
	cgroup_place_release(p);
	p->kind = SHIM_CGROUP_NONE;
	(void)snprintf(p->why, sizeof(p->why), "%.*s", (int)sizeof(p->why) - 1, why);
}

static bool
has_limits(const char *dir)
{
	static const char *const files[] = {"memory.max", "memory.high", "pids.max",
					    "memory.swap.max"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (read_number(dir, files[i]) >= 0)
			return true;
	return read_number(dir, "cpu.max") >= 0;
}

static void
choose_v2(struct cgroup_place *p, struct buf *dir, const struct buf *top)
{
	char *slash;

	if (!has_word(dir->p, "cgroup.controllers", "memory")) {
		none(p, "the memory controller of cgroup v2 is not enabled for us");
		return;
	}
	p->kind = SHIM_CGROUP_V2;
	if (has_word(dir->p, "cgroup.subtree_control", "memory"))
		return; /* the root, whose processes do not hinder */
	if (dir->n <= top->n || (slash = strrchr(dir->p + top->n, '/')) == NULL) {
		none(p, "the memory controller is not in cgroup.subtree_control");
		return;
	}
	if (has_limits(dir->p)) {
		none(p, "the cgroup that dag runs in has limits of its own, from which "
			"attempts may not escape");
		return;
	}
	*slash = '\0';
	if (!has_word(dir->p, "cgroup.subtree_control", "memory"))
		none(p, "the memory controller is not in cgroup.subtree_control");
}

void
cgroup_place_choose(const char *self, const char *mounts, struct cgroup_place *p)
{
	struct buf dir, top;

	memset(p, 0, sizeof(*p));
	(void)snprintf(p->why, sizeof(p->why), "no cgroup hierarchy is mounted");
	buf_init(&dir, 0);
	buf_init(&top, 0);
	if (own_dir(self, mounts, true, &dir, &top))
		choose_v2(p, &dir, &top);
	if (p->kind == SHIM_CGROUP_NONE) {
		buf_clear(&dir);
		buf_clear(&top);
		if (own_dir(self, mounts, false, &dir, &top))
			p->kind = SHIM_CGROUP_V1;
	}
	if (p->kind != SHIM_CGROUP_NONE && (p->dir = buf_steal(&dir)) == NULL)
		none(p, "out of memory");
	buf_release(&dir);
	buf_release(&top);
}

/* Make one with a limit, and look whether a process could be put into it. */
static void
try_out(struct cgroup_place *p)
{
	struct err err = {0};
	struct buf path;

	buf_init(&path, 0);
	buf_addf(&path, "%s/" PREFIX "probe-%ld", p->dir, (long)getpid());
	if (buf_failed(&path)) {
		none(p, "out of memory");
	} else if (p->kind == SHIM_CGROUP_V2 && !writable(p->dir, "cgroup.procs")) {
		none(p, "the cgroup above ours is not delegated to this user");
	} else if (cgroup_make(p, path.p, (int64_t)64 << 20, &err) != 0) {
		none(p, err.msg);
	} else {
		if (!writable(path.p, "cgroup.procs"))
			none(p, "cgroups can be made, but not entered");
		(void)rmdir(path.p);
	}
	buf_release(&path);
}

void
cgroup_place_find(struct cgroup_place *p)
{
	struct buf self, mounts;

	memset(p, 0, sizeof(*p));
	buf_init(&self, 0);
	buf_init(&mounts, 0);
#ifdef DAG_TEST_DOORS
	const char *door = getenv("DAG_CGROUP");

	if (door != NULL && strcmp(door, "none") == 0) {
		none(p, "DAG_CGROUP says so");
		return;
	}
#endif
	if (!read_file("/proc/self", "cgroup", &self) ||
	    !read_file("/proc/self", "mountinfo", &mounts))
		none(p, "this kernel has no cgroups");
	else
		cgroup_place_choose(self.p, mounts.p, p);
	if (p->kind != SHIM_CGROUP_NONE)
		try_out(p);
	buf_release(&self);
	buf_release(&mounts);
}

void
cgroup_place_release(struct cgroup_place *p)
{
	free(p->dir);
	p->dir = NULL;
}

/* ---- one attempt's ---- */

void
cgroup_path(const struct cgroup_place *p, const char *id, struct buf *out)
{
	buf_addf(out, "%s/" PREFIX "%s", p->dir, id);
}

int
cgroup_make(const struct cgroup_place *p, const char *path, int64_t memory,
	    struct err *err)
{
	const char *limit =
	    p->kind == SHIM_CGROUP_V2 ? "memory.max" : "memory.limit_in_bytes";

	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the cgroup '%s'", path);
	if (write_number(path, limit, memory) != 0) {
		(void)err_sys(err, errno, "cannot set the limit of the cgroup '%s'",
			      path);
		(void)rmdir(path);
		return -1;
	}
	/* What follows makes it tighter, where the kernel has it. */
	if (p->kind == SHIM_CGROUP_V2) {
		(void)write_number(path, "memory.swap.max", 0);
		(void)write_number(path, "memory.oom.group", 1);
	} else {
		(void)write_number(path, "memory.memsw.limit_in_bytes", memory);
		(void)write_number(path, "memory.swappiness", 0);
	}
	return 0;
}

int
cgroup_remember(int dirfd, const char *path, struct err *err)
{
	int fd = openat(dirfd, ATTEMPT_CGROUP, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600),
	    rc = 0;

	/* Not made durable: after a power loss there are no cgroups. */
	if (fd == -1)
		return err_sys(err, errno, "cannot make the attempt's file '%s'",
			       ATTEMPT_CGROUP);
	if (fsio_write_all(fd, path, strlen(path)) != 0)
		rc = err_sys(err, errno, "cannot write the attempt's file '%s'",
			     ATTEMPT_CGROUP);
	(void)close(fd);
	return rc;
}

void
cgroup_forget(int dirfd, const char *id)
{
	const struct timespec nap = {.tv_nsec = 10000000};
	struct buf path;
	const char *name;

	buf_init(&path, 0);
	if (fsio_read(dirfd, ATTEMPT_CGROUP, SHIM_CGROUP_MAX, &path, NULL) == 0 &&
	    !buf_failed(&path) && path.p[0] == '/' &&
	    strncmp(name = strrchr(path.p, '/') + 1, PREFIX, strlen(PREFIX)) == 0 &&
	    strcmp(name + strlen(PREFIX), id) == 0)
		for (int i = 0; i < RMDIR_TRIES && rmdir(path.p) != 0 && errno == EBUSY;
		     i++)
			(void)nanosleep(&nap, NULL);
	buf_release(&path);
}

unsigned
cgroup_tidy(const struct cgroup_place *p)
{
	time_t now = time(NULL);
	struct dirent *e;
	struct stat st;
	unsigned n = 0;
	DIR *d;

	if (p->kind == SHIM_CGROUP_NONE || (d = opendir(p->dir)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		    strlen(e->d_name) == strlen(PREFIX) + ID_LEN &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now - st.st_mtime > TIDY_AGE_S &&
		    unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == 0)
			n++;
	(void)closedir(d);
	return n;
}

/* ---- the machine ---- */

/* The lowest of ${have} and the limits of the cgroup ${dir} and those above it. */
static int64_t
lowest_limit(struct buf *dir, const struct buf *top, const char *file, int64_t have)
{
	char *slash;
	int64_t v;

	for (;;) {
		v = read_number(dir->p, file);
		if (v > 0 && (have == 0 || v < have))
			have = v;
		slash = strrchr(dir->p, '/');
		if (strlen(dir->p) <= top->n || slash == NULL)
			return have;
		*slash = '\0';
	}
}

int64_t
cgroup_machine_memory(void)
{
	struct buf self, mounts, dir, top;
	struct sysinfo si;
	int64_t have = 0;

	if (sysinfo(&si) == 0)
		have = (int64_t)si.totalram * si.mem_unit;
	buf_init(&self, 0);
	buf_init(&mounts, 0);
	buf_init(&dir, 0);
	buf_init(&top, 0);
	if (read_file("/proc/self", "cgroup", &self) &&
	    read_file("/proc/self", "mountinfo", &mounts)) {
		if (own_dir(self.p, mounts.p, true, &dir, &top))
			have = lowest_limit(&dir, &top, "memory.max", have);
		buf_clear(&dir);
		buf_clear(&top);
		if (own_dir(self.p, mounts.p, false, &dir, &top))
			have = lowest_limit(&dir, &top, "memory.limit_in_bytes", have);
	}
	buf_release(&self);
	buf_release(&mounts);
	buf_release(&dir);
	buf_release(&top);
	return have;
}
