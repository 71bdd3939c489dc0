/*
 * The limit of a task's memory.  Best held by the kernel, in a cgroup that the owner has made
 * for the attempt: then nothing is missed, and we only look now and then whether it has killed
 * one process of several, to end the rest.  Otherwise we look ourselves at the resident memory
 * of the tree.  That misses what comes and goes between two looks, so how soon we look again
 * follows from what is left: memory does not fill faster than FILL_RATE.
 *
 * Pages that several processes share count once for each of them in that sum; before it leads
 * to a kill it is taken again from the kernel's own division of them (Pss), which costs more.
 */
#include <string.h>

#include "tasks/proto/oom.h"
#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

#define FILL_RATE   ((int64_t)2048) /* bytes in a microsecond: 2 GiB a second */
#define LOOK_MIN_US ((int64_t)20000)
#define LOOK_MAX_US ((int64_t)500000)
#define LOOK_SHARE  20 /* looking takes at most this part of our time */
#define CGROUP_US   ((int64_t)250000)
#define RMDIR_TRIES 50
#define TEXT_MAX    4096

void
memory_open(struct memory *m, const struct shim_spec_view *spec)
{
	m->spec = spec;
	m->cgroup = -1;
	m->at = spec->memory > 0 ? shim_mono_us() + LOOK_MIN_US : NEVER;
	if (spec->memory > 0 && spec->cgroup != NULL)
		m->cgroup = (int)sys_openat(AT_FDCWD, spec->cgroup,
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

static bool
in_cgroup(const struct memory *m)
{
	return m->cgroup >= 0 && m->joined != NULL && *m->joined;
}

/* The number behind ${key} (NULL: the file holds nothing else); -1 if it is not there. */
static int64_t
counter(const struct memory *m, const char *file, const char *key)
{
	char text[TEXT_MAX + 8];
	long n;
	int64_t v = 0;

	if ((n = sys_read_file(m->cgroup, file, text, TEXT_MAX)) <= 0)
		return -1;
	if (key != NULL)
		return oom_count_parse(text, (size_t)n, key);
	for (long i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++) {
		if (v > INT64_MAX / 10 - 1)
			return INT64_MAX;
		v = v * 10 + (text[i] - '0');
	}
	return text[0] >= '0' && text[0] <= '9' ? v : -1;
}

/* How many processes of the cgroup were killed for want of memory, whoever's. */
static int64_t
kills(const struct memory *m)
{
	return counter(m,
		       m->spec->cgroup_kind == SHIM_CGROUP_V2 ? "memory.events"
							      : "memory.oom_control",
		       "oom_kill ");
}

/* Was it the cgroup's own limit that was reached, and not that of the machine or of a cgroup
 * above? */
static bool
own_limit(const struct memory *m)
{
	int64_t n;

	/* Version 1 does not tell (its failcnt stays 0 since Linux 6.12): by the peak. */
	if (m->spec->cgroup_kind == SHIM_CGROUP_V1)
		return counter(m, "memory.max_usage_in_bytes", NULL) >=
		       m->spec->memory - m->spec->memory / 8;
	if ((n = counter(m, "memory.events.local", "oom ")) < 0)
		n = counter(m, "memory.events", "oom "); /* before Linux 5.2 */
	return n > 0;
}

int64_t
memory_pss(const char *text, size_t n)
{
	static const char key[] = "Pss:";
	const char *p = text, *end = text + n, *nl;
	int64_t kib = 0;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			return -1;
		if ((size_t)(nl - p) < sizeof(key) ||
		    memcmp(p, key, sizeof(key) - 1) != 0)
			continue;
		for (p += sizeof(key) - 1; p < nl && *p == ' '; p++)
			;
		if (p == nl || *p < '0' || *p > '9')
			return -1;
		for (; p < nl && *p >= '0' && *p <= '9' && kib < INT64_MAX / 20480; p++)
			kib = kib * 10 + (*p - '0');
		return kib * 1024;
	}
	return -1;
}

/* Is the process there whose directory is the first ${n} bytes of ${path}? */
static bool
is_there(char *path, size_t n)
{
	path[n] = '\0';
	return sys_access(path, F_OK) == 0;
}

/* What the process uses, what it shares divided among those that share it. */
static int64_t
share_of(const struct memory *m, const struct tree_proc *p)
{
	char text[TEXT_MAX], path[TREE_PATH];
	size_t len = tree_path(p->pid, "/smaps_rollup", path);
	int64_t pss;
	long n;

	n = sys_read_file(AT_FDCWD, path, text, sizeof(text));
	if (n == 0 || n == -ESRCH || (n == -ENOENT && !is_there(path, len)))
		return 0; /* it has ended since */
	pss = n > 0 ? memory_pss(text, (size_t)n) : -1;
	/* A program with rights of its own is not ours to read; an old kernel has no such file. */
	return pss >= 0 ? pss : (int64_t)(p->rss * m->spec->page);
}

/* All that the tree uses now; -1 if /proc cannot be read. */
static int64_t
tree_memory(const struct memory *m, pid_t self)
{
	const struct tree_proc *p;
	int64_t sum = 0;
	int n = tree_scan(self, &p);

	for (int i = 0; i < n; i++)
		sum += (int64_t)(p[i].rss * m->spec->page);
	if (n <= 1 || sum <= m->spec->memory)
		return n < 0 ? -1 : sum;
	sum = 0;
	for (int i = 0; i < n; i++)
		sum += share_of(m, &p[i]);
	return sum;
}

bool
memory_look(struct memory *m, pid_t self, int64_t now)
{
	int64_t used, pause, cost;

	if (in_cgroup(m)) {
		m->at = now + CGROUP_US;
		m->over = kills(m) > 0 && own_limit(m);
		return m->over;
	}
	used = tree_memory(m, self);
	cost = shim_mono_us() - now;
	if (used > m->peak)
		m->peak = used;
	m->over = used > m->spec->memory;
	pause = (m->spec->memory - used) / FILL_RATE;
	pause = pause < LOOK_MAX_US ? pause : LOOK_MAX_US;
	pause = pause > LOOK_MIN_US ? pause : LOOK_MIN_US;
	pause = pause > cost * LOOK_SHARE ? pause : cost * LOOK_SHARE;
	m->at = now + pause;
	return m->over;
}

/* The last process of it may be on its way out. */
static void
remove_cgroup(const char *path)
{
	const struct timespec nap = {.tv_nsec = 10000000};

	for (int i = 0; i < RMDIR_TRIES && sys_rmdir(path) == -EBUSY; i++)
		(void)sys_sleep(&nap); /* signals are blocked */
}

int64_t
memory_close(struct memory *m, struct exit_record *r)
{
	int64_t n = -1, peak;

	if (m->spec->memory <= 0)
		return -1;
	r->mem_limit = m->spec->memory;
	r->mem = in_cgroup(m) ? EXIT_MEM_CGROUP : EXIT_MEM_SAMPLED;
	r->mem_over = m->over;
	if (in_cgroup(m)) {
		n = kills(m);
		r->mem_over = m->over || (n > 0 && own_limit(m));
		peak = counter(m,
			       m->spec->cgroup_kind == SHIM_CGROUP_V2
				   ? "memory.peak"
				   : "memory.max_usage_in_bytes",
			       NULL);
		m->peak = peak > 0 ? peak : 0;
	} else if (m->peak / 1024 < r->maxrss_kib) {
		m->peak = r->maxrss_kib * 1024; /* it was higher when nobody looked */
	}
	r->mem_peak_kib = (m->peak + 1023) / 1024;
	if (m->cgroup >= 0)
		(void)sys_close(m->cgroup); /* only read */
	if (m->spec->cgroup != NULL)
		remove_cgroup(m->spec->cgroup);
	m->cgroup = -1;
	return n;
}
