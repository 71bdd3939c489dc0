/* What a path stands for: links to directories, all of the repository, more than a list can say. */
#include "store/track/stage_look.h"
#include "unit/store/stage_test.h"

/* A link to a directory is what lies there, in the repository or outside of it, and so is what lies
 * behind one; another directory of the same size is another content. */
static void
test_links(void **state)
{
	char outside[] = "/tmp/stage-XXXXXX", file[64];
	struct err err = {0};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(outside));
	(void)snprintf(file, sizeof(file), "%s/f", outside);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "1", 1), 1);
	(void)close(fd);
	assert_int_equal(mkdirat(shop.fd, "a", 0755), 0);
	assert_int_equal(mkdirat(shop.fd, "b", 0755), 0);
	put("a/f", "1");
	put("b/f", "2");
	put("out", "o");
	assert_int_equal(symlinkat("a", shop.fd, "in"), 0);
	assert_int_equal(symlinkat(outside, shop.fd, "far"), 0);
	for (int i = 0; i < 2; i++) {
		stage(i == 0 ? "    cmd: c\n    deps: [in, far]\n    outs: [out]\n"
			     : "    cmd: c\n    deps: [in/f, far/f]\n    outs: [out]\n");
		locked = NULL;
		(void)done();
		is("unchanged");
		drop("in");
		assert_int_equal(symlinkat("b", shop.fd, "in"), 0);
		assert_int_equal(decide().v[0].state, STAGE_MODIFIED);
		assert_string_equal(decide().v[0].path, i == 0 ? "in" : "in/f");
		drop("in");
		assert_int_equal(symlinkat("a", shop.fd, "in"), 0);
		is("unchanged");
		drop("far");
		assert_int_equal(symlinkat("b", shop.fd, "far"), 0);
		assert_string_equal(decide().v[0].path, i == 0 ? "far" : "far/f");
		drop("far");
		is(i == 0 ? "run\n'far' is missing" : "run\n'far/f' is missing");
		assert_int_equal(symlinkat(outside, shop.fd, "far"), 0);
	}
	/* Not of what it makes: that would be removed, and brought back, elsewhere. */
	stage("    cmd: c\n    deps: [a]\n    outs: [in]\n");
	locked = NULL;
	fails(
	    stage_done(look, &run, NULL, &how, NULL, arena, &(const char *){NULL}, &err),
	    ERR_INVALID);
	(void)unlink(file);
	(void)rmdir(outside);
}

/* Also where the path leads out, and what is known is not read again. */
static void
test_links_outside(void **state)
{
	static const char *const deps[] = {"link", "link/s", "link/s/b", "OUT",
					   "OUT/s/b"};
	char top[] = "/tmp/stage-XXXXXX", text[160], path[64];
	struct err err = {0};
	struct shop at;

	(void)state;
	assert_non_null(mkdtemp(top));
	for (int outside = 0; outside < 2; outside++) {
		int fd = outside ? open(top, O_RDONLY | O_DIRECTORY) : dup(shop.fd);

		at = (struct shop){.fd = fd};
		ok(fsio_mkdirs(fd, "real/s", 0755, &err));
		(void)snprintf(path, sizeof(path), "%s/real", outside ? top : ".");
		(void)unlinkat(shop.fd, "link", 0);
		assert_int_equal(symlinkat(path, shop.fd, "link"), 0);
		if (outside)
			assert_int_equal(symlinkat("real", fd, "other"), 0);
		for (size_t i = 0; i < sizeof(deps) / sizeof(deps[0]); i++) {
			bool out = strncmp(deps[i], "OUT", 3) == 0;

			if (out && !outside)
				continue;
			shop_put(&at, "real/a", "some", 4);
			shop_put(&at, "real/s/b", "more", 4);
			(void)snprintf(
			    text, sizeof(text), "    cmd: a\n    deps: ['%s%s%s']\n",
			    out ? top : "", out ? "/other" : "", deps[i] + (out ? 3 : 0));
			stage(text);
			locked = NULL;
			(void)done();
			usleep(40000);
			(void)decide();
			index_flush(ix);
			ws.read_max = 1;
			is("unchanged");
			ws.read_max = 0;
			shop_put(&at, "real/s/b", "other", 5);
			assert_int_equal(decide().verdict, STAGE_RUN);
		}
		(void)close(fd);
	}
	ok(fsio_remove_tree(AT_FDCWD, top, &err));
}

/* The repository itself, or what it lies in. */
static void
test_all_of_it(void **state)
{
	static const char *const deps[] = {".", "..", "/", "sub/.."};
	struct stage_decision d;
	struct stage_inputs in;
	struct err err = {0};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(deps) / sizeof(deps[0]); i++) {
		(void)snprintf(text, sizeof(text), "    cmd: c\n    deps: ['%s']\n",
			       deps[i]);
		stage(text);
		fails(stage_decide(look, &run, NULL, &how, arena, &d, &err), ERR_INVALID);
		assert_non_null(strstr(err.msg, deps[i]));
		err_clear(&err);
		ok(stage_inputs_look(look, &run, NULL, true, arena, &in, &err));
		assert_int_equal(in.n, 0);
	}
}

/* A directory that is more than its list is not made from that, and stays as the task made it. */
static void
test_unlisted(void **state)
{
	static const enum link_type hard[] = {LINK_HARDLINK};
	struct stat st;

	(void)state;
	ws.links = hard;
	run.native = true;
	put("in", "1");
	stage("    cmd: c\n    deps: [in]\n    outs: [d]\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mkdirat(shop.fd, "d", 0755), 0);
		put("d/f", "#!");
		if (i == 0)
			assert_int_equal(fchmodat(shop.fd, "d/f", 0755, 0), 0);
		else if (i == 1)
			assert_int_equal(symlinkat(".", shop.fd, "d/l"), 0);
		locked = NULL;
		how.no_run_cache = true;
		assert_int_equal(strstr(done(), "  isexec: true\n") != NULL, i < 2);
		how.no_run_cache = false;
		is("unchanged");
		assert_int_equal(fstatat(shop.fd, "d/f", &st, 0), 0);
		assert_int_equal(st.st_nlink, i < 2 ? 1 : 2);
		assert_int_equal(st.st_mode & 0777, i == 0 ? 0755 : i < 2 ? 0644 : 0444);
		drop("d");
		assert_int_equal(decide().verdict, i < 2 ? STAGE_RUN : STAGE_RESTORE);
		locked = NULL;
		assert_int_equal(decide().verdict,
				 i < 2 ? STAGE_RUN : STAGE_FROM_RUN_CACHE);
	}
	/* A stage of dvc.yaml is as DVC has it. */
	run.native = false;
	assert_int_equal(mkdirat(shop.fd, "d", 0755), 0);
	put("d/f", "#?");
	assert_int_equal(fchmodat(shop.fd, "d/f", 0755, 0), 0);
	locked = NULL;
	how.no_run_cache = true;
	assert_null(strstr(done(), "isexec"));
	drop("d");
	assert_int_equal(decide().verdict, STAGE_RESTORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_links, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_links_outside, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_all_of_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unlisted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
