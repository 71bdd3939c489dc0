#include "tasks/proto/shim_spec.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tasks/proto/mask.h"
#include "tasks/proto/oom.h"
#include "tasks/proto/shim_info.h"
#include "tasks/proto/shim_spec_wire.h"
#include "unit/tasks/fixture.h"

static const char *const argv_[] = {"sh", "-c", "echo \"$X\"", "", NULL};
static const char *const envp_[] = {"X=1", "PATH=/bin", NULL};

static struct shim_spec
sample(void)
{
	struct shim_spec s = {.argv = argv_,
			      .envp = envp_,
			      .cwd = "/tmp",
			      .attempt_id = "id-1",
			      .timeout_us = 5,
			      .grace_us = SHIM_GRACE_US,
			      .log_limit = SHIM_LOG_DEFAULT};

	return s;
}

/* A private, writable mapping of the memfd, as the shim has it. */
static char *
map_fd(int fd, size_t *size)
{
	struct stat st;
	char *p;

	assert_int_equal(fstat(fd, &st), 0);
	*size = (size_t)st.st_size;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_true(p != MAP_FAILED);
	return p;
}

static void
test_round_trip(void **state)
{
	static const struct shim_secret secrets[] = {{"hunter2!hunter2!", 16}};
	struct shim_spec s = sample();
	struct shim_spec_view v;
	struct err err = {0};
	size_t size;
	char *p;
	int fd;

	(void)state;
	s.secrets = secrets;
	s.nsecrets = 1;
	s.leave_children = s.with_owner = true;
	s.memory = 64 << 20;
	s.cgroup = "/sys/fs/cgroup/dag-id-1";
	s.cgroup_kind = SHIM_CGROUP_V1;
	fd = shim_spec_memfd(&s, &err);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	/* sealed */
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	p = map_fd(fd, &size);
	assert_int_equal(shim_spec_open(p, size, &v), 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(v.argv[i], argv_[i]);
	assert_null(v.argv[4]);
	v.argv[-1] = p; /* there is room */
	assert_string_equal(v.envp[1], "PATH=/bin");
	assert_null(v.envp[2]);
	assert_string_equal(v.cwd, "/tmp");
	assert_string_equal(v.attempt_id, "id-1");
	assert_int_equal(strlen(v.boot_id), 36);
	assert_int_equal(v.timeout_us, 5);
	assert_int_equal(v.grace_us, SHIM_GRACE_US);
	assert_true(v.leave_children && v.pidns != 0 && v.log_limit == SHIM_LOG_DEFAULT);
	assert_int_equal(v.owner, getpid());
	assert_non_null(v.mask);
	assert_int_equal(v.memory, 64 << 20);
	assert_string_equal(v.cgroup, "/sys/fs/cgroup/dag-id-1");
	assert_int_equal(v.cgroup_kind, SHIM_CGROUP_V1);
	assert_int_equal(v.page, sysconf(_SC_PAGESIZE));
	(void)munmap(p, size);
	(void)close(fd);
}

static void
test_empty_environment(void **state)
{
	struct shim_spec s = sample();
	struct shim_spec_view v;
	struct err err = {0};
	size_t size;
	char *p;
	int fd;

	(void)state;
	s.envp = NULL;
	fd = shim_spec_memfd(&s, &err);
	assert_true(fd >= 0);
	p = map_fd(fd, &size);
	assert_int_equal(shim_spec_open(p, size, &v), 0);
	assert_null(v.envp[0]);
	assert_null(v.mask);
	assert_null(v.cgroup);
	assert_true(v.memory == 0 && v.page > 0);
	assert_false(v.leave_children);
	assert_int_equal(v.owner, 0);
	(void)munmap(p, size);
	(void)close(fd);
}

static void
refuse(const struct shim_spec *s, enum err_code code, const char *say)
{
	struct err err = {0};

	if (shim_spec_check(s, &err) != -1)
		fail_msg("not refused: %s", say);
	if (strstr(err.msg, say) == NULL)
		fail_msg("says: %s", err.msg);
	assert_int_equal(err.code, code);
	assert_int_equal(shim_spec_memfd(s, &err), -1);
}

static void
test_refused(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const empty[] = {"", NULL};
	static const struct shim_secret small[] = {{"hunter2", 7}};
	struct shim_spec s = sample();
	char id[SHIM_ID_MAX + 2];

	(void)state;
	s.argv = none;
	refuse(&s, ERR_INVALID, "command is empty");
	s.argv = empty;
	refuse(&s, ERR_INVALID, "command is empty");
	s = sample();
	s.cwd = "tmp";
	refuse(&s, ERR_INVALID, "absolute");
	s = sample();
	s.attempt_id = "";
	refuse(&s, ERR_INVALID, "attempt id");
	s.attempt_id = "a b";
	refuse(&s, ERR_INVALID, "attempt id");
	memset(id, 'x', sizeof(id));
	id[SHIM_ID_MAX + 1] = '\0';
	s.attempt_id = id;
	refuse(&s, ERR_INVALID, "attempt id");
	id[SHIM_ID_MAX] = '\0';
	assert_int_equal(shim_spec_check(&s, NULL), 0);
	s = sample();
	s.timeout_us = -1;
	refuse(&s, ERR_INVALID, "timeout");
	s = sample();
	s.grace_us = SHIM_TIME_MAX + 1;
	refuse(&s, ERR_INVALID, "grace");
	s.grace_us = SHIM_TIME_MAX;
	assert_int_equal(shim_spec_check(&s, NULL), 0);
	s.log_limit = SHIM_LOG_MIN - 1;
	refuse(&s, ERR_LIMIT, "log limit");
	s.log_limit = SHIM_LOG_MIN;
	assert_int_equal(shim_spec_check(&s, NULL), 0);
	s.log_limit = SHIM_LOG_MAX + 1;
	refuse(&s, ERR_LIMIT, "log limit");
	s = sample();
	s.secrets = small;
	s.nsecrets = 1;
	refuse(&s, ERR_LIMIT, "secret 1");
	s.nsecrets = MASK_SECRETS_MAX + 1;
	refuse(&s, ERR_LIMIT, "65 secrets");
}

static char *
big(const char *front, size_t n)
{
	char *p = malloc(n + 1);

	assert_non_null(p);
	memset(p, 'x', n);
	memcpy(p, front, strlen(front));
	p[n] = '\0';
	return p;
}

static void
test_one_string(void **state)
{
	char *over = big("HUGE=", SHIM_STRING_MAX),
	     *at = big("HUGE=", SHIM_STRING_MAX - 1);
	const char *env[] = {"A=1", over, NULL}, *argv[] = {"echo", "x", over, NULL};
	struct shim_spec s = sample();

	(void)state;
	s.envp = env;
	refuse(&s, ERR_LIMIT, "variable 'HUGE' has 131072 bytes");
	env[1] = at;
	assert_int_equal(shim_spec_check(&s, NULL), 0);
	s = sample();
	s.argv = argv;
	refuse(&s, ERR_LIMIT, "argument 2 of the command");
	argv[2] = at;
	assert_int_equal(shim_spec_check(&s, NULL), 0);
	free(over);
	free(at);
}

static void
test_total(void **state)
{
	enum { N = 40 };
	char *strings[N];
	const char *env[N + 1];
	struct shim_spec s = sample();
	struct rlimit old, rl;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		strings[i] = big("A=", 100000);
		env[i] = strings[i];
	}
	s.envp = env;
	assert_int_equal(getrlimit(RLIMIT_STACK, &old), 0);
	rl = old;
	rl.rlim_cur = (rlim_t)4 << 20; /* 1 MiB for both */
	assert_int_equal(setrlimit(RLIMIT_STACK, &rl), 0);
	env[10] = NULL;
	assert_int_equal(shim_spec_check(&s, NULL), 0);
	env[10] = strings[10];
	env[11] = NULL;
	refuse(&s, ERR_LIMIT, "bytes together");
	assert_int_equal(setrlimit(RLIMIT_STACK, &old), 0);
	for (size_t i = 0; i < N; i++)
		free(strings[i]);
}

/* Whatever the bytes are, opening them never leads outside (ASan watches a heap copy). */
static void
test_damaged(void **state)
{
	static const struct shim_secret secrets[] = {{"hunter2!hunter2!", 16}};
	struct shim_spec s = sample();
	struct shim_spec_view v;
	size_t size, good = 0;
	char *p, *copy;
	int fd;

	(void)state;
	s.secrets = secrets;
	s.nsecrets = 1;
	assert_true((fd = shim_spec_memfd(&s, NULL)) >= 0);
	p = map_fd(fd, &size);
	copy = malloc(size);
	assert_non_null(copy);
	for (size_t n = 0; n < size; n += 7) {
		memcpy(copy, p, size);
		assert_int_equal(shim_spec_open(copy, n, &v), -1);
	}
	for (size_t i = 0; i < sizeof(struct spec_wire) + 100; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, p, size);
			copy[i] = (char)(copy[i] ^ (1 << bit));
			if (shim_spec_open(copy, size, &v) != 0)
				continue;
			good++;
			for (char **a = v.argv; *a != NULL; a++)
				assert_true(*a + strlen(*a) < copy + size);
			for (char **a = v.envp; *a != NULL; a++)
				assert_true(*a + strlen(*a) < copy + size);
			assert_true(v.cwd + strlen(v.cwd) < copy + size);
		}
	assert_true(good > 0); /* a changed timeout is still a spec */
	free(copy);
	(void)munmap(p, size);
	(void)close(fd);
}

static void
test_oom_count(void **state)
{
	static const char text[] = "pgfault 5\noom_kill_x 3\noom_kill 42\nzz 1\n";

	(void)state;
	assert_int_equal(oom_kills_parse(text, sizeof(text) - 1), 42);
	assert_int_equal(oom_kills_parse(text, 30), -1); /* its line is cut */
	assert_int_equal(oom_kills_parse("oom_kill x\n", 11), -1);
	assert_int_equal(oom_kills_parse("oom_kill 99999999999999999999\n", 30), -1);
	assert_int_equal(oom_kills_parse("", 0), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_empty_environment),
	    cmocka_unit_test(test_refused),    cmocka_unit_test(test_one_string),
	    cmocka_unit_test(test_total),      cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_oom_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
