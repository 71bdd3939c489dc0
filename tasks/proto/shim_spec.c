/*
 * The owner's side of the spec: checking it and packing it into a memfd.
 */
#include "tasks/proto/shim_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "base/proc.h"
#include "tasks/proto/mask.h"
#include "tasks/proto/oom.h"
#include "tasks/proto/shim_info.h"
#include "tasks/proto/shim_spec_wire.h"

/* What the kernel puts beside the strings: program name twice, platform, random bytes. */
#define EXEC_SLACK (size_t)(4096 + 4096)

static size_t
count(const char *const *v)
{
	size_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	return n;
}

/* The kernel's rule for the total of strings and pointers (exec(2), "Limits on size"). */
static size_t
exec_limit(void)
{
	const size_t least = (size_t)128 << 10, most = (size_t)6 << 20;
	struct rlimit rl;
	size_t n = most;

	if (getrlimit(RLIMIT_STACK, &rl) == 0 && rl.rlim_cur / 4 < n)
		n = (size_t)rl.rlim_cur / 4;
	if (n < least)
		n = least;
	return n - EXEC_SLACK;
}

static int
check_strings(const struct shim_spec *s, struct err *err)
{
	size_t total = 0, limit = exec_limit(), i, n;

	for (i = 0; s->argv[i] != NULL; i++) {
		n = strlen(s->argv[i]) + 1;
		if (n > SHIM_STRING_MAX)
			return err_set(
			    err, ERR_LIMIT,
			    "argument %zu of the command has %zu bytes, but the "
			    "kernel takes at most %zu; put the text into a file",
			    i, n - 1, SHIM_STRING_MAX - 1);
		total += n + sizeof(char *);
	}
	for (i = 0; s->envp != NULL && s->envp[i] != NULL; i++) {
		n = strlen(s->envp[i]) + 1;
		if (n > SHIM_STRING_MAX)
			return err_set(
			    err, ERR_LIMIT,
			    "environment variable '%.*s' has %zu bytes with its "
			    "name, but the kernel takes at most %zu; put the "
			    "value into a file",
			    (int)strcspn(s->envp[i], "=") > 200
				? 200
				: (int)strcspn(s->envp[i], "="),
			    s->envp[i], n - 1, SHIM_STRING_MAX - 1);
		total += n + sizeof(char *);
	}
	if (total > limit)
		return err_set(err, ERR_LIMIT,
			       "command and environment have %zu bytes together, but the "
			       "kernel takes at most %zu here (a quarter of the stack's "
			       "limit, see 'ulimit -s'); put values into files",
			       total, limit);
	return 0;
}

/* What can stand in a line of key=value, so that the shim file is always readable. */
static int
check_id(const char *id, struct err *err)
{
	size_t n = id != NULL ? strlen(id) : 0;

	if (n == 0 || n > SHIM_ID_MAX)
		return err_set(err, ERR_INVALID,
			       "an attempt id has 1 to %d characters, not %zu",
			       SHIM_ID_MAX, n);
	for (size_t i = 0; i < n; i++)
		if (id[i] <= ' ' || id[i] > '~')
			return err_set(err, ERR_INVALID,
				       "the attempt id has a character other than "
				       "printable ASCII");
	return 0;
}

static int
check_time(const char *what, int64_t us, struct err *err)
{
	if (us < 0 || us > SHIM_TIME_MAX)
		return err_set(err, ERR_INVALID, "the %s is not between 0 and 36500 days",
			       what);
	return 0;
}

int
shim_spec_check(const struct shim_spec *s, struct err *err)
{
	if (s->argv == NULL || s->argv[0] == NULL || s->argv[0][0] == '\0')
		return err_set(err, ERR_INVALID, "the command is empty");
	if (s->cwd == NULL || s->cwd[0] != '/')
		return err_set(err, ERR_INVALID,
			       "the working directory is not an absolute path");
	if (strlen(s->cwd) >= 4096)
		return err_set(err, ERR_LIMIT,
			       "the path of the working directory is longer than 4095 "
			       "bytes");
	if (s->memory < 0)
		return err_set(err, ERR_INVALID, "the limit of memory is below 0");
	if (s->cgroup != NULL &&
	    (s->cgroup[0] != '/' || strlen(s->cgroup) >= SHIM_CGROUP_MAX ||
	     s->cgroup_kind == SHIM_CGROUP_NONE))
		return err_set(err, ERR_INVALID,
			       "the cgroup is not an absolute path of at most %d bytes",
			       SHIM_CGROUP_MAX - 1);
	if (check_id(s->attempt_id, err) != 0 ||
	    check_time("timeout", s->timeout_us, err) != 0 ||
	    check_time("grace", s->grace_us, err) != 0 || check_strings(s, err) != 0)
		return -1;
	if (s->log_limit < SHIM_LOG_MIN || s->log_limit > SHIM_LOG_MAX)
		return err_set(err, ERR_LIMIT,
			       "the log limit is not between 1 KiB and 1 TiB");
	if (s->nsecrets > MASK_SECRETS_MAX)
		return err_set(err, ERR_LIMIT,
			       "the task has %zu secrets, but at most %d can be masked",
			       s->nsecrets, MASK_SECRETS_MAX);
	for (size_t i = 0; i < s->nsecrets; i++)
		if (mask_check(s->secrets[i].p, s->secrets[i].n, err) != 0)
			return err_wrap(err, "secret %zu", i + 1);
	return 0;
}

/*
 * The count of OOM kills before the start.  Reading it for each of a thousand tasks a second
 * would cost 25 us each, so a count is used for a second: it only makes the time in which a
 * kill would be laid at the task's door that much longer.
 */
static int64_t
oom_baseline(void)
{
	static _Thread_local int64_t count = -1, read_at = INT64_MIN;
	int64_t now = clock_now().mono_us;
	struct buf b;

	if (read_at == INT64_MIN || now - read_at >= US_PER_SEC || now < read_at) {
		buf_init(&b, OOM_FILE_MAX);
		count = -1; /* where the kernel does not tell, the record says unknown */
		if (fsio_read(AT_FDCWD, OOM_FILE, OOM_FILE_MAX, &b, NULL) == 0)
			count = oom_kills_parse(b.p, b.n);
		buf_release(&b);
		read_at = now;
	}
	return count;
}

/* Who we are does not change: read once, by each thread that starts attempts. */
static int
read_self(const char **boot, uint64_t *pidns, struct err *err)
{
	static _Thread_local char boot_id[PROC_BOOT_ID_MAX];
	static _Thread_local uint64_t ns;

	if (boot_id[0] == '\0' && (proc_pidns(&ns) != 0 || proc_boot_id(boot_id) != 0)) {
		boot_id[0] = '\0';
		return err_set(
		    err, ERR_SYS,
		    "cannot read the boot id and the pid namespace from /proc");
	}
	*boot = boot_id;
	*pidns = ns;
	return 0;
}

/* The spec being put together: slots and strings go to fixed places, one after another. */
struct pack {
	char *p;
	size_t strings; /* where the next string goes */
};

static uint64_t
put_string(struct pack *k, const char *s)
{
	uint64_t at = k->strings;
	size_t n = strlen(s) + 1;

	memcpy(k->p + at, s, n);
	k->strings += n;
	return at;
}

static void
put_array(struct pack *k, uint64_t slots, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uintptr_t at = (uintptr_t)put_string(k, v[i]);

		memcpy(k->p + slots + i * sizeof(at), &at, sizeof(at));
	}
}

/* Pack into ${out}, malloc'ed, of ${size} bytes. */
static int
pack(const struct shim_spec *s, const struct mask *mask, size_t mask_size, char **out,
     size_t *size, struct err *err)
{
	size_t argc = count(s->argv), envc = count(s->envp), bytes;
	struct spec_wire w = {.protocol = SHIM_PROTOCOL, .argc = argc, .envc = envc};
	struct pack k;
	const char *boot;

	if (read_self(&boot, &w.pidns, err) != 0)
		return -1;
	w.argv = sizeof(w);
	w.envp = w.argv + (argc + 2) * sizeof(uintptr_t);
	bytes = (size_t)w.envp + (envc + 1) * sizeof(uintptr_t);
	if (mask != NULL) {
		w.mask = bytes = (bytes + 7) & ~(size_t)7;
		w.mask_size = mask_size;
		bytes += mask_size;
	}
	k.strings = bytes;
	for (size_t i = 0; i < argc; i++)
		bytes += strlen(s->argv[i]) + 1;
	for (size_t i = 0; i < envc; i++)
		bytes += strlen(s->envp[i]) + 1;
	bytes += strlen(s->cwd) + strlen(s->attempt_id) + strlen(boot) + 3;
	if (s->cgroup != NULL)
		bytes += strlen(s->cgroup) + 1;
	if ((k.p = calloc(1, bytes)) == NULL)
		return err_nomem(err);
	memcpy(w.magic, SPEC_MAGIC, sizeof(w.magic));
	w.size = bytes;
	put_array(&k, w.argv + sizeof(uintptr_t), s->argv, argc);
	put_array(&k, w.envp, s->envp, envc);
	w.cwd = put_string(&k, s->cwd);
	w.attempt_id = put_string(&k, s->attempt_id);
	w.boot_id = put_string(&k, boot);
	w.oom_kills = oom_baseline();
	w.timeout_us = s->timeout_us;
	w.grace_us = s->grace_us;
	w.log_limit = s->log_limit;
	w.leave_children = s->leave_children;
	w.owner = s->with_owner ? getpid() : 0;
	w.memory = s->memory;
	w.page = (uint64_t)sysconf(_SC_PAGESIZE);
	if (s->cgroup != NULL) {
		w.cgroup = put_string(&k, s->cgroup);
		w.cgroup_kind = s->cgroup_kind;
	}
	if (mask != NULL)
		memcpy(k.p + w.mask, mask, mask_size);
	memcpy(k.p, &w, sizeof(w));
	*out = k.p;
	*size = bytes;
	return 0;
}

static int
sealed_memfd(const char *p, size_t n, struct err *err)
{
	int fd = memfd_create("dag-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING), e;

	if (fd < 0)
		return err_sys(err, errno, "cannot make a memory file for the task");
	if (fsio_write_all(fd, p, n) != 0 ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
		e = errno;
		(void)close(fd); /* it is given up */
		return err_sys(err, e, "cannot fill the memory file for the task");
	}
	return fd;
}

int
shim_spec_memfd(const struct shim_spec *s, struct err *err)
{
	struct mask *mask = NULL;
	size_t mask_size = 0, size = 0;
	char *p = NULL;
	int fd = -1;

	if (shim_spec_check(s, err) != 0)
		return -1;
	if (s->nsecrets > 0 &&
	    (mask = mask_new(s->secrets, s->nsecrets, &mask_size, err)) == NULL)
		return -1;
	if (pack(s, mask, mask_size, &p, &size, err) == 0) {
		fd = sealed_memfd(p, size, err);
		explicit_bzero(p, size); /* the environment may hold secrets */
		free(p);
	}
	mask_free(mask, mask_size);
	return fd;
}
