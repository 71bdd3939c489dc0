#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "scheduler/cgroup.h"

/* Where an attempt's cgroup may be made, on machines that this one is not: a hierarchy of
 * plain files stands for the kernel's. */

static char top[] = "/tmp/dag-cgroup-XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(top) == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	return fsio_remove_tree(AT_FDCWD, top, NULL);
}

static void
put(const char *path, const char *text)
{
	struct err err = {0};
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%s/%s", top, path);
	*strrchr(b.p, '/') = '\0';
	assert_int_equal(fsio_mkdirs(AT_FDCWD, b.p, 0755, &err), 0);
	b.p[strlen(b.p)] = '/';
	assert_int_equal(fsio_replace(AT_FDCWD, b.p, text, strlen(text), 0644, &err), 0);
	buf_release(&b);
}

/* What is chosen with the hierarchies of both versions mounted, the second one's from its
 * cgroup ${root}. */
static void
expect(const char *self, const char *root, enum shim_cgroup kind, const char *dir)
{
	struct cgroup_place p;
	struct buf mounts;

	buf_init(&mounts, 0);
	buf_addf(&mounts,
		 "22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw\n"
		 "34 31 0:31 / /nowhere rw - cgroup cgroup rw,memory_not,cpuset\n"
		 "35 31 0:32 / %s/v\\0401 rw,relatime - cgroup cgroup rw,cpu,memory\n"
		 "41 31 0:38 %s %s/v2 rw,relatime shared:1 master:2 - cgroup2 cg rw\n",
		 top, root, top);
	cgroup_place_choose(self, mounts.p, &p);
	if (p.kind != kind)
		fail_msg("%s: chose %d (%s)", self, (int)p.kind, p.why);
	if (dir == NULL) {
		assert_null(p.dir);
		assert_true(strlen(p.why) > 10);
	} else {
		assert_int_equal(strncmp(p.dir, top, strlen(top)), 0);
		assert_string_equal(p.dir + strlen(top), dir);
	}
	cgroup_place_release(&p);
	buf_release(&mounts);
}

static void
test_version_2(void **state)
{
	(void)state;
	put("v2/cgroup.controllers", "cpu memory pids\n");
	put("v2/cgroup.subtree_control", "cpu memory pids\n");
	/* Of the root, whose own processes do not hinder, a child. */
	expect("0::/\n", "/", SHIM_CGROUP_V2, "/v2");
	/* Elsewhere a sibling. */
	put("v2/app/cgroup.controllers", "cpu memory\n");
	put("v2/app/cgroup.subtree_control", "memory\n");
	put("v2/app/us/cgroup.controllers", "memory\n");
	put("v2/app/us/cgroup.subtree_control", "\n");
	put("v2/app/us/memory.max", "max\n");
	put("v2/app/us/cpu.max", "max 100000\n");
	expect("0::/app/us\n", "/", SHIM_CGROUP_V2, "/v2/app");
	expect("1:name=systemd:/\n0::/app/us\n", "/", SHIM_CGROUP_V2, "/v2/app");
	/* Seen from a mount that begins lower. */
	expect("0::/far/app/us\n", "/far", SHIM_CGROUP_V2, "/v2/app");
	/* Not out of a limit that somebody has set for us. */
	put("v2/app/us/memory.max", "1073741824\n");
	expect("0::/app/us\n", "/", SHIM_CGROUP_NONE, NULL);
	put("v2/app/us/memory.max", "max\n");
	put("v2/app/us/cpu.max", "50000 100000\n");
	expect("0::/app/us\n", "/", SHIM_CGROUP_NONE, NULL);
	put("v2/app/us/cpu.max", "max 100000\n");
	/* The controller is there, but not handed down. */
	put("v2/app/cgroup.subtree_control", "pids\n");
	expect("0::/app/us\n", "/", SHIM_CGROUP_NONE, NULL);
	put("v2/app/us/cgroup.controllers", "memory_x\n");
	expect("0::/app/us\n", "/", SHIM_CGROUP_NONE, NULL);
	/* A container's root is not the machine's: nothing can be a sibling of it. */
	put("v2/cgroup.subtree_control", "\n");
	expect("0::/\n", "/", SHIM_CGROUP_NONE, NULL);
	/* We are outside of what is mounted here. */
	expect("0::/../x\n", "/", SHIM_CGROUP_NONE, NULL);
	expect("0::/application\n", "/app", SHIM_CGROUP_NONE, NULL);
}

static void
test_version_1(void **state)
{
	(void)state;
	expect("4:memory:/box\n0::/gone\n", "/", SHIM_CGROUP_V1, "/v 1/box");
	expect("4:cpu,memory:/box\n", "/", SHIM_CGROUP_V1, "/v 1/box");
	expect("4:memory,cpu:/\n", "/", SHIM_CGROUP_V1, "/v 1");
	expect("4:memory_x:/box\n3:cpuset:/memory\n", "/", SHIM_CGROUP_NONE, NULL);
	expect("", "/", SHIM_CGROUP_NONE, NULL);
	expect("nonsense\n::\n0:\n", "/", SHIM_CGROUP_NONE, NULL);
}

/* Only what is the attempt's own is removed, whatever its directory says. */
static void
test_forget(void **state)
{
	struct err err = {0};
	struct buf path;
	int dirfd;

	(void)state;
	buf_init(&path, 0);
	put("attempt/x", "");
	put("cg/dag-id-1/x", "");
	put("cg/other/x", "");
	buf_addf(&path, "%s/attempt", top);
	dirfd = open(path.p, O_RDONLY | O_DIRECTORY);
	assert_true(dirfd >= 0);
	cgroup_forget(dirfd, "id-1"); /* nothing is written there */
	buf_clear(&path);
	buf_addf(&path, "%s/cg/dag-id-1/x", top);
	assert_int_equal(unlink(path.p), 0);
	*strrchr(path.p, '/') = '\0';
	assert_int_equal(cgroup_remember(dirfd, path.p, &err), 0);
	cgroup_forget(dirfd, "id-2");
	assert_int_equal(access(path.p, F_OK), 0);
	cgroup_forget(dirfd, "id-1");
	assert_int_equal(access(path.p, F_OK), -1);
	cgroup_forget(dirfd, "id-1"); /* again */
	(void)close(dirfd);
	buf_release(&path);
}

static void
test_machine(void **state)
{
	int64_t all = cgroup_machine_memory();

	(void)state;
	assert_true(all > (int64_t)64 << 20);
	assert_true(all <= sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_version_2),
	    cmocka_unit_test(test_version_1),
	    cmocka_unit_test(test_forget),
	    cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
