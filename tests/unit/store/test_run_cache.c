/*
 * DVC's run cache: files that DVC 3.67.1 wrote, with the names it gave them; how they are told
 * from others; which are found in a store.
 */
#include "unit/store/objects_test.h"

#include "base/arena.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/run_cache.h"
#include "store/objects/runs.h"
#include "store/pipeline/value.h"
#include "unit/store/run_entries.h"

static const struct run_name run = {
    "932970767329e45ff3666bf2228e3e58f33e858264ce59e687d3dd70e75cd052",
    "78aa748e03d16e1c958924f3126fe1401b1aef1306d0d2ab4c6d926f306abbb6"};

static const char text[] =
    "cmd:\n- cat mid/a > model\n- echo '{\"a\":1}' > m.json\n"
    "deps:\n- path: mid\n  hash: md5\n  md5: 87c93bc2aa2ec75803d5f6357557605f.dir\n"
    "  size: 8\n  nfiles: 2\n"
    "params:\n  params.yaml:\n    big: 12345678901234567890\n    eps: 1e-08\n"
    "    list:\n    - 1\n    - 2.5\n    - \n    - true\n    - x\n    lr: 0.001\n"
    "    name: \xc3\xbcmlaut\n"
    "outs:\n- path: m.json\n  hash: md5\n  md5: 4588ff3797b78d819d858fa3bdd82b09\n"
    "  size: 8\n"
    "- path: model\n  hash: md5\n  md5: 2306b4377429730ee03a806cff76e92b\n  size: 4\n";

static int
check(const struct run_name *name, const char *from, const char *to, struct err *err)
{
	struct buf b;
	const char *at = from != NULL ? strstr(text, from) : NULL;
	int rc;

	buf_init(&b, 0);
	if (at != NULL) {
		buf_add(&b, text, (size_t)(at - text));
		buf_adds(&b, to);
		buf_adds(&b, at + strlen(from));
	} else {
		buf_adds(&b, from != NULL ? to : text);
	}
	rc = run_check(name, b.p, b.n, err);
	buf_release(&b);
	return rc;
}

static void
test_check(void **state)
{
	struct run_name other = run;
	struct err err = {0};

	(void)state;
	ok(check(&run, NULL, NULL, &err));
	/* Sizes do not count; order, comments and layout neither. */
	ok(check(&run, "nfiles: 2", "nfiles: 3", &err));
	ok(check(&run, "eps: 1e-08", "eps: 1e-08 # small", &err));
	fails(check(&run, "lr: 0.001", "lr: 0.002", &err), ERR_CORRUPT);
	says("what it says has another hash");
	fails(check(&run, "md5: 2306", "md5: 2307", &err), ERR_CORRUPT);
	fails(check(&run, "mid\n", "mod\n", &err), ERR_CORRUPT);
	other.key[0] = '8';
	fails(check(&other, NULL, NULL, &err), ERR_CORRUPT);
	says("it is of another run than 8329707");
	fails(check(&run, "!", "", &err), ERR_CORRUPT);
	fails(check(&run, "!", "- a\n- b\n", &err), ERR_CORRUPT);
	fails(check(&run, "!", "a: [", &err), ERR_CORRUPT);
	says("it cannot be read: run:");
}

/* Written anew what was read is the same to the byte, has the names that DVC gave it, and the key
 * of a run that is still to come is that of what came. */
static void
check_entry(size_t i, const struct dvc_lock_stage *s)
{
	const char *paths[8];
	struct run_name name;
	char key[RUN_NAME_MAX];
	struct err err = {0};
	struct buf b;

	buf_init(&b, 0);
	ok(run_entry(s, &b, &name, &err));
	assert_string_equal(b.p, dvc_entries[i].text);
	assert_string_equal(name.key, dvc_entries[i].key);
	assert_string_equal(name.value, dvc_entries[i].value);
	if (run_check(&name, b.p, b.n, &err) != 0)
		fail_msg("%s: %s", err.msg, b.p);
	for (size_t k = 0; k < s->nouts; k++)
		paths[s->nouts - 1 - k] = s->outs[k].path;
	ok(run_key(s, paths, s->nouts, key, &err));
	assert_string_equal(key, dvc_entries[i].key);
	buf_release(&b);
}

static void
test_entries(void **state)
{
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(dvc_entries) / sizeof(*dvc_entries); i++) {
		const char *from = dvc_entries[i].text;
		struct arena *a = arena_new(0);
		struct dvc_lock_stage s;
		struct yaml_node params;

		assert_non_null(a);
		ok(dvc_lock_entry_parse(a, NULL, "s", ".", from, strlen(from), &s, &err));
		check_entry(i, &s);
		/* Values that were made settle to the same text. */
		if (s.params != NULL) {
			params = *s.params;
			ok(value_settle(a, &params, NULL, 0));
			s.params = &params;
			s.settled = true;
			check_entry(i, &s);
		}
		arena_free(a);
	}
}

static void
test_store(void **state)
{
	struct objects_options opt = {.shared = true};
	struct run_names names = {0};
	struct run_name second = run;
	char dir[64] = "/tmp/dag-runs-XXXXXX", path[RUN_PATH_MAX], sub[100], file[300];
	struct objects *o;
	static char large[RUN_PAGE + 1];
	struct stat st;
	struct buf b;
	struct err err = {0};
	uint64_t syncs;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(sub, sizeof(sub), "%s/a/cache", dir);
	opt.dir = sub;
	ok(objects_open(&opt, &o, &err));
	ok(runs_list(o, &names, &err));
	assert_int_equal(names.v.n, 0);
	(void)umask(077);
	second.value[0] = '0';
	ok(runs_write(o, &run, text, strlen(text), &err));
	ok(runs_write(o, &second, "x", 1, &err));
	/* The bytes of one that could be cut are synced before they have their name, and that is
	 * all. */
	syncs = fsio_syncs();
	ok(runs_note(o, &run, large, RUN_PAGE + 1, &err));
	assert_int_equal(fsio_syncs() - syncs, 1);
	ok(runs_note(o, &run, large, RUN_PAGE, &err));
	ok(runs_note(o, &run, text, strlen(text), &err));
	assert_int_equal(fsio_syncs() - syncs, 1);
	(void)umask(022);
	runs_path(&run, path);
	assert_string_equal(path,
			    "runs/93/932970767329e45ff3666bf2228e3e58f33e858264ce59e"
			    "687d3dd70e75cd052/78aa748e03d16e1c958924f3126fe1401b1a"
			    "ef1306d0d2ab4c6d926f306abbb6");
	/* Others are left out: names that are none, a key below another prefix. */
	spill(sub, "runs/x", "");
	spill(sub, "runs/93/x", "");
	(void)snprintf(path, sizeof(path), "runs/93/%s/.dag-tmp", run.key);
	spill(sub, path, "");
	(void)snprintf(file, sizeof(file), "%s/runs/94", sub);
	assert_int_equal(mkdir(file, 0755), 0);
	ok(runs_list(o, &names, &err));
	assert_int_equal(names.v.n, 2);
	assert_memory_equal(&names.v.v[0], &second, sizeof(second));
	assert_memory_equal(&names.v.v[1], &run, sizeof(run));
	buf_init(&b, RUN_FILE_MAX);
	ok(runs_read(o, &run, &b, &err));
	assert_string_equal(b.p, text);
	/* What is read is limited. */
	(void)snprintf(file, sizeof(file), "%s/runs/93/%s", sub, second.key);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 02775); /* a group shares it */
	runs_path(&second, path);
	(void)snprintf(file, sizeof(file), "%s/%s", sub, path);
	buf_release(&b);
	buf_init(&b, 2 * RUN_FILE_MAX);
	assert_int_equal(truncate(file, (off_t)RUN_FILE_MAX), 0);
	ok(runs_read(o, &second, &b, &err));
	buf_clear(&b);
	assert_int_equal(truncate(file, (off_t)RUN_FILE_MAX + 1), 0);
	fails(runs_read(o, &second, &b, &err), ERR_LIMIT);
	assert_int_equal(unlink(file), 0);
	fails(runs_read(o, &second, &b, &err), ERR_NOTFOUND);
	buf_release(&b);
	vec_release(&names.v);
	objects_close(o);
	ok(fsio_remove_tree(AT_FDCWD, dir, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
