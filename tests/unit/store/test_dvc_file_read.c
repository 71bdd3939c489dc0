/* .dvc files as data: what is in them, and every mistake named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/dvc/dvc_file.h"

#define HEX "b7be0a921c3d398700f1cf88c883ba91"

static struct dvc_file *
good(const char *name, const char *text)
{
	struct dvc_file *f;
	struct err err = {0};

	if (dvc_file_parse(name, text, strlen(text), NULL, &f, &err) != 0)
		fail_msg("%s: %s", text, err.msg);
	return f;
}

static void
refused(const char *text, const char *why)
{
	struct dvc_file *f;
	struct err err = {0};

	assert_int_equal(dvc_file_parse("dir/a.dvc", text, strlen(text), NULL, &f, &err),
			 -1);
	assert_null(f);
	if (strstr(err.msg, why) == NULL)
		fail_msg("%s\nsays '%s', not '%s'", text, err.msg, why);
}

static void
reads_what_add_writes(void **state)
{
	struct dvc_file *f = good("dir/d.dvc", "outs:\n- md5: " HEX ".dir\n  size: 8\n"
					       "  nfiles: 4\n  hash: md5\n  path: d\n");
	char hex[OBJECT_HEX_MAX];

	(void)state;
	assert_int_equal(f->nouts, 1);
	assert_int_equal(f->ndeps, 0);
	assert_string_equal(object_id_hex(&f->outs[0].meta.md5, hex), HEX ".dir");
	assert_false(f->outs[0].meta.md5.legacy);
	assert_int_equal(f->outs[0].meta.size, 8);
	assert_int_equal(f->outs[0].meta.nfiles, 4);
	assert_string_equal(f->outs[0].path, "d");
	assert_string_equal(f->outs[0].full, "dir/d");
	assert_true(f->outs[0].cache && f->outs[0].push && !f->outs[0].persist);
	dvc_file_free(f);
}

static void
reads_every_key(void **state)
{
	static const char text[] =
	    "desc: about it\nmd5: " HEX
	    "\nwdir: sub/..\nfrozen: true\nalways_changed: true\n"
	    "meta: {a: [1, x]}\n"
	    "deps:\n- path: data/x\n  repo: {url: 'git@host:r', rev: main, rev_lock: "
	    "abc,\n"
	    "    config: {core: {remote: r}}, remote: myremote}\n"
	    "- db: {connection: c, query: select 1, file_format: csv}\n"
	    "- path: s3://bucket/key\n  etag: AbC\n  checksum: 1234\n  fs_config: {a: "
	    "b}\n"
	    "outs:\n- path: x\n  md5: 12345678901234567890123456789012\n  size: 0\n"
	    "  isexec: true\n  desc: d\n  type: model\n  labels: [l1, l2]\n  meta: 5\n"
	    "  cache: false\n  persist: true\n  remote: r2\n  push: false\n"
	    "  cloud: {r2: {etag: e, version_id: v}}\n"
	    "- path: y\n  hash: md5\n  files:\n  - relpath: a/b\n    md5: " HEX "\n"
	    "    size: 3\n    cloud: {r: {version_id: w}}\n";
	struct dvc_file *f = good("dir/d.dvc", text);

	(void)state;
	assert_string_equal(f->desc, "about it");
	assert_string_equal(f->md5, HEX);
	assert_true(f->frozen && f->always_changed);
	assert_int_equal(f->meta->kind, YAML_MAP);
	assert_int_equal(f->ndeps, 3);
	assert_string_equal(f->deps[0].repo.rev_lock, "abc");
	assert_int_equal(f->deps[0].repo.config->kind, YAML_MAP);
	assert_string_equal(f->deps[0].repo.remote->str, "myremote");
	assert_int_equal(f->deps[1].where, DVC_NOWHERE);
	assert_string_equal(f->deps[1].db.query, "select 1");
	assert_int_equal(f->deps[2].where, DVC_URL);
	assert_string_equal(f->deps[2].meta.etag, "AbC");
	assert_string_equal(f->deps[2].meta.checksum, "1234");
	assert_int_equal(f->nouts, 2);
	assert_string_equal(f->outs[0].full, "dir/x");
	assert_true(object_id_is_set(&f->outs[0].meta.md5));
	assert_true(f->outs[0].meta.md5.legacy);
	assert_int_equal(f->outs[0].meta.size, 0);
	assert_true(f->outs[0].meta.isexec && f->outs[0].persist);
	assert_false(f->outs[0].cache || f->outs[0].push);
	assert_int_equal(f->outs[0].labels->seq.n, 2);
	assert_string_equal(f->outs[0].cloud.meta.version_id, "v");
	assert_false(object_id_is_set(&f->outs[1].meta.md5));
	assert_int_equal(f->outs[1].nfiles, 1);
	assert_string_equal(f->outs[1].files[0].relpath, "a/b");
	assert_false(f->outs[1].files[0].meta.md5.legacy);
	assert_string_equal(f->outs[1].files[0].cloud.remote, "r");
	dvc_file_free(f);
}

static void
knows_where_paths_lead(void **state)
{
	struct dvc_file *f;

	(void)state;
	f = good("a/b/x.dvc", "wdir: ../c\ndeps:\n- path: ../../up\n- path: /etc/x\n"
			      "- path: ../../../out\nouts:\n- path: ./d//e/\n"
			      "- path: ../../../far\n  cache: false\n");
	assert_string_equal(f->deps[0].full, "up");
	assert_int_equal(f->deps[1].where, DVC_OUTSIDE);
	assert_null(f->deps[1].full);
	assert_int_equal(f->deps[2].where, DVC_OUTSIDE);
	assert_string_equal(f->outs[0].full, "a/c/d/e");
	assert_int_equal(f->outs[1].where, DVC_OUTSIDE);
	dvc_file_free(f);
	f = good("x.dvc", "# nothing but this\n");
	assert_int_equal(f->nouts, 0);
	dvc_file_free(f);
	f = good("x.dvc", "outs:\ndeps:\nwdir:\n");
	assert_int_equal(f->nouts, 0);
	dvc_file_free(f);
}

static void
refuses_by_name(void **state)
{
	(void)state;
	refused("outs: [\n", "dir/a.dvc:");
	refused("- a\n", "a .dvc file must be a mapping, not a list");
	refused("outz: []\n", "dir/a.dvc:1:1: error: unknown key 'outz' of a .dvc file");
	refused("cmd: ls\n", "'cmd' stands in dvc.yaml");
	refused("outs: 5\n", "'outs' must be a list, not an integer");
	refused("outs: [5]\n", "an entry of outs must be a mapping");
	refused("outs:\n- md5: " HEX "\n", "an entry of outs needs 'path'");
	refused("deps:\n- md5: " HEX "\n", "an entry of deps needs 'path'");
	refused("outs:\n- path: ''\n", "must not be empty");
	refused("outs:\n- path: 5\n", "'path' must be a string, not an integer");
	refused("outs:\n- path: /abs\n", "'/abs' lies outside of the repository");
	refused("outs:\n- path: ../../x\n", "'../../x' lies outside of the repository");
	refused("outs:\n- path: s3://b/k\n", "lies outside of the repository");
	refused("wdir: ../..\n", "'wdir' leads out of the repository");
	refused("wdir: 3\n", "'wdir' must be the path");
	refused("outs:\n- path: a\n- path: b/../a\n", "dir/a.dvc:3:9: error: 'dir/a' is "
						      "tracked twice");
	refused("outs:\n- path: a\n  md5: abc\n", "'abc' is no hash");
	refused("outs:\n- path: a\n  md5: [a]\n", "'md5' must be a hash, not a list");
	refused("outs:\n- path: a\n  hash: sha256\n", "'hash' must be md5");
	refused("outs:\n- path: a\n  size: -1\n", "'size' must not be negative");
	refused("outs:\n- path: a\n  size: big\n", "'size' must be an integer");
	refused("outs:\n- path: a\n  cache: 1\n", "'cache' must be true or false");
	refused("outs:\n- path: a\n  labels: x\n", "'labels' must be a list of strings");
	refused("outs:\n- path: a\n  labels: [1]\n",
		"'labels' must be a list of strings");
	refused("outs:\n- path: a\n  fs_config: 1\n", "'fs_config' must be a mapping");
	refused("outs:\n- path: a\n  metric: true\n", "unknown key 'metric'");
	refused("outs:\n- path: a\n  repo: {url: u}\n", "unknown key 'repo'");
	refused("outs:\n- path: a\n  files: 1\n", "'files' must be a list");
	refused("outs:\n- path: a\n  files: [{md5: " HEX "}]\n", "needs 'relpath'");
	refused("outs:\n- path: a\n  files: [{relpath: ../x}]\n", "is no name of a file");
	refused("outs:\n- path: a\n  files: [{relpath: ''}]\n", "is no name of a file");
	refused("outs:\n- path: a\n  files: [{relpath: /x}]\n", "is no name of a file");
	refused("outs:\n- path: a\n  cloud: {a: {}, b: {}}\n", "'cloud' must be");
	refused("deps:\n- path: a\n  cache: true\n", "unknown key 'cache'");
	refused("deps:\n- path: a\n  repo: {rev: r}\n", "'repo' needs 'url'");
	refused("deps:\n- path: a\n  repo: {url: u, config: 3}\n",
		"'config' must be a string or a mapping");
	refused("desc: \"a\\0b\"\n", "NUL");
}

static void
tells_all_mistakes(void **state)
{
	static const char text[] = "frozn: true\nouts:\n- path: ''\n  sise: 3\n";
	struct diag *d = diag_new();
	struct dvc_file *f;
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(dvc_file_parse("a.dvc", text, sizeof text - 1, d, &f, &err), -1);
	assert_int_equal(diag_errors(d), 3);
	diag_print(d, &out, false, 0);
	assert_non_null(strstr(out.p, "a.dvc:1:1: error: unknown key 'frozn'"));
	assert_non_null(strstr(out.p, "did you mean 'frozen'?"));
	assert_non_null(strstr(out.p, "a.dvc:3:9: error: a path must not be empty"));
	assert_non_null(strstr(out.p, "a.dvc:4:3: error: unknown key 'sise'"));
	assert_non_null(strstr(out.p, "did you mean 'size'?"));
	buf_release(&out);
	diag_free(d);
	dvc_file_free(f);
}

static void
keeps_to_its_limits(void **state)
{
	struct buf text;
	struct dvc_file *f;
	struct err err;

	(void)state;
	for (size_t n = DVC_PATH_MAX; n <= DVC_PATH_MAX + 1; n++) {
		buf_init(&text, 0);
		buf_adds(&text, "outs:\n- path: ");
		for (size_t i = 0; i < n; i++)
			buf_addc(&text, 'a');
		buf_addc(&text, '\n');
		assert_int_equal(dvc_file_parse("a.dvc", text.p, text.n, NULL, &f, &err),
				 n <= DVC_PATH_MAX ? 0 : -1);
		dvc_file_free(f);
		buf_release(&text);
	}
	for (size_t n = DVC_ENTRIES_MAX; n <= DVC_ENTRIES_MAX + 1; n++) {
		buf_init(&text, 0);
		buf_adds(&text, "deps:\n- path: x\nouts:\n");
		for (size_t i = 0; i < n - 1; i++)
			buf_addf(&text, "- path: a%zu\n", i);
		assert_int_equal(dvc_file_parse("a.dvc", text.p, text.n, NULL, &f, &err),
				 n <= DVC_ENTRIES_MAX ? 0 : -1);
		if (n > DVC_ENTRIES_MAX)
			assert_non_null(strstr(err.msg, "100,000 entries"));
		dvc_file_free(f);
		buf_release(&text);
	}
}

/* The list of a cloud-versioned directory, and a file at its limit and beyond. */
static void
keeps_to_more_limits(void **state)
{
	struct buf text;
	struct dvc_file *f;
	struct err err;

	(void)state;
	for (size_t n = DVC_FILE_MAX; n <= DVC_FILE_MAX + 1; n++) {
		buf_init(&text, 0);
		buf_adds(&text, "outs:\n- path: x\n");
		while (text.n < n)
			buf_addc(&text, text.n % 64 == 0 ? '\n' : '#');
		text.p[17] = '#';
		for (size_t i = 17; i < n; i++)
			if (text.p[i - 1] == '\n')
				text.p[i] = '#';
		assert_int_equal(dvc_file_parse("a.dvc", text.p, text.n, NULL, &f, &err),
				 n <= DVC_FILE_MAX ? 0 : -1);
		if (n > DVC_FILE_MAX)
			assert_int_equal(err.code, ERR_LIMIT);
		dvc_file_free(f);
		buf_release(&text);
	}
}

static void
reads_from_a_file(void **state)
{
	char dir[] = TEST_BUILD "/dvcfileXXXXXX", path[256];
	struct dvc_file *f;
	struct err err;
	int dfd;
	FILE *w;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dfd >= 0);
	assert_int_equal(dvc_file_read(dfd, "a.dvc", NULL, &f, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	snprintf(path, sizeof path, "%s/a.dvc", dir);
	w = fopen(path, "we");
	assert_non_null(w);
	fputs("outs:\n- path: a\n", w);
	fclose(w);
	assert_int_equal(dvc_file_read(dfd, "a.dvc", NULL, &f, &err), 0);
	assert_string_equal(f->outs[0].full, "a");
	dvc_file_free(f);
	assert_int_equal(unlinkat(dfd, "a.dvc", 0), 0);
	close(dfd);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_add_writes),
	    cmocka_unit_test(reads_every_key),
	    cmocka_unit_test(knows_where_paths_lead),
	    cmocka_unit_test(refuses_by_name),
	    cmocka_unit_test(tells_all_mistakes),
	    cmocka_unit_test(keeps_to_its_limits),
	    cmocka_unit_test(keeps_to_more_limits),
	    cmocka_unit_test(reads_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
