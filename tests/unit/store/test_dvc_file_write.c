/* .dvc files written: fresh, onto what stood there, and the MD5 of imports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/dvc_dump.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/yaml_doc.h"

#define HEX "b7be0a921c3d398700f1cf88c883ba91"

static struct dvc_file *
read_file(const char *name, const char *text)
{
	struct dvc_file *f;
	struct err err = {0};

	if (dvc_file_parse(name, text, strlen(text), NULL, &f, &err) != 0)
		fail_msg("%s: %s", text, err.msg);
	return f;
}

static void
dumps(const struct dvc_file *f, const char *want)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (dvc_file_dump(f, &out, &err) != 0)
		fail_msg("%s", err.msg);
	assert_string_equal(out.p, want);
	buf_release(&out);
}

static void
set(struct dvc_out *out, const char *hex, int64_t size, int64_t nfiles, bool isexec)
{
	struct object_id id;

	assert_int_equal(object_id_parse(hex, false, &id), 0);
	dvc_out_set_object(out, &id, size, nfiles, isexec);
}

static void
writes_what_add_writes(void **state)
{
	struct dvc_file *f = dvc_file_new("sub/d.dvc", NULL);
	struct dvc_out *out;
	struct err err;

	(void)state;
	assert_non_null(f);
	out = dvc_file_add_out(f, "d", &err);
	assert_non_null(out);
	assert_string_equal(out->full, "sub/d");
	set(out, HEX ".dir", 8, 4, false);
	dumps(f, "outs:\n- md5: " HEX ".dir\n  size: 8\n  nfiles: 4\n  hash: md5\n"
		 "  path: d\n");
	assert_null(dvc_file_add_out(f, "./d", &err));
	assert_int_equal(err.code, ERR_EXISTS);
	assert_null(dvc_file_add_out(f, "../../d", &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_null(dvc_file_add_out(f, "", &err));
	out = dvc_file_add_out(f, "e: x", &err);
	assert_non_null(out);
	set(out, "12345678901234567890123456789012", 0, -1, true);
	out->cache = false;
	out->push = false;
	out->remote = "r";
	dumps(f, "outs:\n- md5: " HEX ".dir\n  size: 8\n  nfiles: 4\n  hash: md5\n"
		 "  path: d\n- md5: '12345678901234567890123456789012'\n  size: 0\n"
		 "  isexec: true\n  hash: md5\n  path: 'e: x'\n  cache: false\n"
		 "  remote: r\n  push: false\n");
	dvc_file_free(f);
}

static void
keeps_what_people_wrote(void **state)
{
	static const char text[] = "# about this data\n"
				   "desc: \"the data\"   # short\n"
				   "outs:\n"
				   "  - path: ./d/\n"
				   "    # by hand\n"
				   "    md5: " HEX ".dir\n"
				   "    nfiles: 4\n"
				   "    size: 8   # bytes\n"
				   "    hash: md5\n"
				   "    cache: true\n"
				   "meta:\n"
				   "  owner: {name: me, n: 0x1F}\n"
				   "# end\n";
	struct dvc_file *f = read_file("d.dvc", text);

	(void)state;
	set(&f->outs[0], "c7be0a921c3d398700f1cf88c883ba91.dir", 9, 5, false);
	dumps(f, "# about this data\n"
		 "desc: the data     # short\n"
		 "outs:\n"
		 "- path: d\n"
		 "    # by hand\n"
		 "  md5: c7be0a921c3d398700f1cf88c883ba91.dir\n"
		 "  nfiles: 5\n"
		 "  size: 9     # bytes\n"
		 "  hash: md5\n"
		 "meta:\n"
		 "  owner: {name: me, n: 0x1F}\n"
		 "# end\n");
	dvc_file_free(f);
}

static void
takes_dvc_2_over(void **state)
{
	struct dvc_file *f = read_file("d.dvc", "outs:\n- md5: " HEX "\n  path: d\n");

	(void)state;
	assert_true(f->outs[0].meta.md5.legacy);
	dumps(f, "outs:\n- md5: " HEX "\n  path: d\n");
	set(&f->outs[0], HEX, 3, -1, false);
	dumps(f, "outs:\n- md5: " HEX "\n  path: d\n  size: 3\n  hash: md5\n");
	dvc_file_free(f);
	f = read_file("d.dvc", "outs:\n- path: d\n");
	dumps(f, "outs:\n- path: d\n  md5:\n");
	dvc_file_free(f);
}

static void
keeps_imports(void **state)
{
	static const char text[] =
	    "md5: 3175b95326104b77b325ed4cf3d02c53\nfrozen: true\ndeps:\n"
	    "- md5: 6520213d3695a344f306efffa2523807\n  size: 3\n  isexec: true\n"
	    "  hash: md5\n  path: /etc/hostname\nouts:\n"
	    "- md5: 6520213d3695a344f306efffa2523807\n  size: 3\n  hash: md5\n  path: "
	    "imp\n";
	static const char repo[] =
	    "md5: " HEX "\nfrozen: true\ndeps:\n- path: data/x\n  repo:\n"
	    "    url: git@host:r\n    rev: main\n    rev_lock: 0123abc\n    config:\n"
	    "      a: 1\nouts:\n- md5: " HEX "\n  size: 3\n  hash: md5\n  path: x\n";
	static const char cloud[] =
	    "deps:\n- etag: AbC\n  size: 3\n  hash: md5\n  path: s3://b/k\n"
	    "  fs_config:\n    version_aware: true\nouts:\n- hash: md5\n  path: x\n"
	    "  files:\n  - relpath: a/b\n    md5: " HEX
	    "\n    size: 3\n    isexec: true\n"
	    "    cloud:\n      r:\n        etag: e\n        version_id: v\n";
	struct dvc_file *f = read_file("imp.dvc", text);
	char md5[DVC_MD5_MAX];

	(void)state;
	dumps(f, text);
	assert_int_equal(dvc_file_stage_md5(f, md5, NULL), 0);
	assert_string_equal(md5, f->md5);
	dvc_file_free(f);
	f = read_file("imp.dvc", repo);
	dumps(f, repo);
	dvc_file_free(f);
	f = read_file("imp.dvc", cloud);
	dumps(f, cloud);
	dvc_file_free(f);
	/* Annotations do not count. */
	f = read_file("x.dvc",
		      "desc: foo\nmeta: {key1: v}\nouts:\n"
		      "- md5: d3b07384d113edec49eaa6238ad5ff00\n  size: 4\n  hash: md5\n"
		      "  path: foo\n  desc: d\n  type: t\n  labels: [a, b]\n"
		      "  meta: {b: c}\n");
	assert_int_equal(dvc_file_stage_md5(f, md5, NULL), 0);
	assert_string_equal(md5, "cde267b60ef5a00e9a35cc1999ab83a3");
	dvc_file_free(f);
}

/* DVC's own vectors (its tests/unit/stage/test_stage.py): what counts in the MD5 of a stage. */
static void
md5_of_stages(void **state)
{
	static const char ignored[] = "e9521a22111493406ea64a88cda63e0b";
	static const struct {
		const char *more, *md5;
	} cases[] = {
	    {"", ignored},
	    {"wdir: .\n", ignored},
	    {"meta: {author: Suor}\n", ignored},
	    {"wdir: ..\n", "2ceba15e87f6848aa756502c1e6d24e9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], md5[DVC_MD5_MAX];
		struct yaml_doc *doc;
		struct err err = {0};
		int n = snprintf(text, sizeof(text),
				 "md5: '123456'\ncmd: mycmd\nouts:\n- path: a\n"
				 "  md5: '123456789'\ndeps:\n- path: b\n"
				 "  md5: '987654321'\n%s",
				 cases[i].more);

		assert_int_equal(yaml_doc_parse("x.dvc", text, (size_t)n, &doc, &err), 0);
		assert_int_equal(dvc_dump_stage_md5(yaml_doc_root(doc), md5, &err), 0);
		assert_string_equal(md5, cases[i].md5);
		yaml_doc_free(doc);
	}
}

static void
moves(void **state)
{
	struct dvc_file *f =
	    read_file("a/b/x.dvc", "wdir: ../c\ndeps:\n- path: ../../up\n"
				   "  hash: md5\nouts:\n- path: d\n"
				   "  hash: md5\n");
	struct err err;

	(void)state;
	dumps(f, "wdir: ../c\ndeps:\n- path: ../../up\n  hash: md5\nouts:\n- path: d\n"
		 "  hash: md5\n");
	assert_int_equal(dvc_file_set_name(f, "e/y.dvc", &err), 0);
	dumps(f, "deps:\n- path: ../up\n  hash: md5\nouts:\n- path: ../a/c/d\n"
		 "  hash: md5\n");
	assert_int_equal(dvc_file_set_path(f, &f->outs[0], "y", &err), 0);
	dumps(f, "deps:\n- path: ../up\n  hash: md5\nouts:\n- path: y\n  hash: md5\n");
	dvc_file_free(f);
}

static void
writes_only_what_changed(void **state)
{
	char dir[] = TEST_BUILD "/dvcfileXXXXXX";
	struct dvc_file *f;
	struct stat st;
	struct err err;
	bool changed;
	uint64_t syncs;
	int dfd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f = dvc_file_new("d.dvc", &err);
	set(dvc_file_add_out(f, "d", &err), HEX, 8, -1, false);
	assert_int_equal(dvc_file_write(f, dfd, &changed, &err), 0);
	assert_true(changed);
	dvc_file_free(f);
	assert_int_equal(fchmodat(dfd, "d.dvc", 0600, 0), 0);
	assert_int_equal(dvc_file_read(dfd, "d.dvc", NULL, &f, &err), 0);
	syncs = fsio_syncs();
	assert_int_equal(dvc_file_write(f, dfd, &changed, &err), 0);
	assert_false(changed);
	assert_int_equal(fsio_syncs(), syncs);
	f->outs[0].meta.size = 9;
	assert_int_equal(dvc_file_write(f, dfd, &changed, &err), 0);
	assert_true(changed);
	assert_true(fsio_syncs() > syncs);
	assert_int_equal(fstatat(dfd, "d.dvc", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	dvc_file_free(f);
	assert_int_equal(dvc_file_read(dfd, "d.dvc", NULL, &f, &err), 0);
	assert_int_equal(f->outs[0].meta.size, 9);
	dvc_file_free(f);
	/* What cannot be kept is refused, and the file stays. */
	f = read_file("d.dvc", "outs:\n- path: d\n  size: !!int 3\n");
	f->outs[0].meta.size = 10;
	assert_int_equal(dvc_file_write(f, dfd, &changed, &err), -1);
	assert_non_null(strstr(err.msg, "d.dvc:3:9: a tag"));
	dvc_file_free(f);
	assert_int_equal(dvc_file_read(dfd, "d.dvc", NULL, &f, &err), 0);
	assert_int_equal(f->outs[0].meta.size, 9);
	dvc_file_free(f);
	assert_int_equal(unlinkat(dfd, "d.dvc", 0), 0);
	close(dfd);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_what_add_writes),
	    cmocka_unit_test(keeps_what_people_wrote),
	    cmocka_unit_test(takes_dvc_2_over),
	    cmocka_unit_test(keeps_imports),
	    cmocka_unit_test(md5_of_stages),
	    cmocka_unit_test(moves),
	    cmocka_unit_test(writes_only_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
