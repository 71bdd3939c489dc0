#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tasks/shim/shim.h"
#include "unit/tasks/fixture.h"

#define MIB ((int64_t)1 << 20)

static void
test_pss(void **state)
{
	static const char text[] =
	    "55d0-7ffe ---p 00000000 00:00 0    [rollup]\n"
	    "Rss:                4321 kB\nPss:                1234 kB\nPss_Anon: 9 kB\n";
	static const char none[] = "Rss: 1 kB\nPss_Anon: 9 kB\nPss: x kB\n";

	(void)state;
	assert_int_equal(memory_pss(text, sizeof(text) - 1), 1234 * 1024);
	for (size_t n = 0; n < 90; n++) /* its line is cut */
		assert_int_equal(memory_pss(text, n), -1);
	assert_int_equal(memory_pss(none, sizeof(none) - 1), -1);
	assert_int_equal(memory_pss("", 0), -1);
	assert_true(memory_pss("Pss: 99999999999999999999999 kB\n", 32) > 0);
}

/* A child with ${n} children of its own, all of which have ${mib} that they share, and ${own}
 * that they do not. */
static pid_t
family(int n, size_t mib, size_t own)
{
	int up[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(up), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *p = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(p, 1, mib << 20);
		(void)setsid(); /* our tree_scan finds it by its parent all the same */
		for (int i = 0; i <= n; i++)
			if (i == n || fork() == 0) {
				p = mmap(NULL, (own << 20) + 1, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				memset(p, 1, (own << 20) + 1);
				(void)!write(up[1], "x", 1);
				for (;;)
					(void)pause();
			}
	}
	for (int i = 0; i <= n; i++)
		assert_int_equal(read(up[0], &c, 1), 1);
	close(up[0]);
	close(up[1]);
	return pid;
}

static void
end(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1)
		;
	(void)usleep(100000); /* the others are init's to reap */
}

static bool
over(int64_t limit, int64_t *peak)
{
	struct shim_spec_view spec = {.memory = limit,
				      .page = (uint64_t)sysconf(_SC_PAGESIZE)};
	struct memory m = {0};
	int64_t now = shim_mono_us();
	bool is_over;

	memory_open(&m, &spec);
	assert_true(m.at > now && m.cgroup == -1);
	is_over = memory_look(&m, getpid(), now);
	assert_true(m.at >= now + 20000); /* neither at once nor never */
	assert_true(is_over || m.at < now + 60000000);
	*peak = m.peak;
	return is_over;
}

/* Shared pages count once, own ones all. */
static void
test_tree(void **state)
{
	int64_t peak;
	pid_t pid = family(4, 40, 0);

	(void)state;
	assert_false(over(100 * MIB, &peak)); /* their resident memory is 200 MiB */
	assert_true(peak > 40 * MIB && peak < 100 * MIB);
	assert_true(over(30 * MIB, &peak));
	end(pid);
	pid = family(4, 1, 30);
	assert_true(over(100 * MIB, &peak));
	assert_true(peak > 150 * MIB);
	assert_false(over(400 * MIB, &peak));
	end(pid);
}

/* Without a limit nothing is looked at, and nothing is said. */
static void
test_without(void **state)
{
	struct shim_spec_view spec = {.page = 4096};
	struct exit_record r = {.maxrss_kib = 7};
	struct memory m = {0};

	(void)state;
	memory_open(&m, &spec);
	assert_true(m.at == NEVER);
	assert_int_equal(memory_close(&m, &r), -1);
	assert_true(r.mem == EXIT_MEM_NONE && r.mem_peak_kib == 0 && !r.mem_over);
}

/* A cgroup that cannot be entered: it is held by looking, and said so. */
static void
test_not_joined(void **state)
{
	char dir[] = "/tmp/dag-memory-XXXXXX";
	struct shim_spec_view spec = {.memory = 1 << 30,
				      .page = 4096,
				      .cgroup = dir,
				      .cgroup_kind = SHIM_CGROUP_V2};
	struct exit_record r = {.maxrss_kib = 1 << 12};
	volatile bool joined = false;
	struct memory m = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	memory_open(&m, &spec);
	m.joined = &joined;
	assert_true(m.cgroup >= 0);
	assert_int_equal(memory_close(&m, &r), -1);
	assert_int_equal(r.mem, EXIT_MEM_SAMPLED);
	assert_int_equal(r.mem_peak_kib, 1 << 12); /* of its largest process at least */
	assert_int_equal(access(dir, F_OK), -1);   /* removed all the same */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pss),
	    cmocka_unit_test(test_tree),
	    cmocka_unit_test(test_without),
	    cmocka_unit_test(test_not_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
