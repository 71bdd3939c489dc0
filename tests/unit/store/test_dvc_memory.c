/* .dvc files and dvc.lock where memory runs out: nothing is half read, nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/run_cache.h"
#include "unit/memory.h"

#define HEX "b7be0a921c3d398700f1cf88c883ba91"

static const char file_text[] =
    "# head\n\ndesc: \"d\"  # eol\nmd5: " HEX "\nwdir: .\nfrozen: true\ndeps:\n"
    "- path: data/x\n  repo: {url: u, rev_lock: abc, config: {core: {remote: r}}}\n"
    "- checksum: abc\n  path: https://h/x\n- db: {query: q}\n"
    "outs:\n  - path: ./x  # here\n    # and here\n    md5: " HEX ".dir\n"
    "    desc: >-\n      folded\n      text\n\n    meta: {a: [1, 0x1F, 1.50e3, ~], b: &x "
    "y}\n"
    "    labels: [a, b]\n  - path: y\n    hash: md5\n    files:\n    - relpath: b\n"
    "      md5: " HEX "\n      cloud: {r: {etag: e}}\nmeta: |\n  literal\n# end\n";

static const char lock_text[] =
    "schema: '2.0'\nstages:\n  a:\n    cmd: x  # c\n    params:\n      p: {lr: 1e-05}\n"
    "    outs:\n    - path: o\n      hash: md5\n      md5: " HEX
    "\n  b@1:\n    cmd: [x]\n"
    "    deps:\n    - path: o\n      md5: " HEX "\n";

static const char yaml_text[] =
    "stages:\n  a: {cmd: x, wdir: s, outs: [{o: {remote: r, desc: d}}]}\n"
    "  b: {foreach: [1], do: {cmd: x, plots: ['${x}']}}\n";

struct ctx {
	struct buf out;
	char md5[DVC_MD5_MAX];
};

static void
clean(void *p)
{
	struct ctx *c = p;

	buf_release(&c->out);
	buf_init(&c->out, 0);
}

static int
file_there_and_back(void *p, struct err *e)
{
	struct ctx *c = p;
	struct dvc_file *f = NULL;
	struct dvc_out *out;
	struct object_id id = {.md5 = {1}};
	int rc =
	    dvc_file_parse("dir/a.dvc", file_text, sizeof file_text - 1, NULL, &f, e);

	if (rc == 0 && (out = dvc_file_add_out(f, "new", e)) != NULL)
		dvc_out_set_object(out, &id, 1, -1, true);
	else
		rc = -1;
	if (rc == 0)
		rc = dvc_file_set_name(f, "other/b.dvc", e);
	if (rc == 0)
		rc = dvc_file_dump(f, &c->out, e);
	if (rc == 0)
		rc = dvc_file_stage_md5(f, c->md5, e);
	dvc_file_free(f);
	return rc;
}

static void
file_is_whole(void *p, int rc)
{
	struct ctx *c = p;

	if (rc != 0)
		return;
	assert_non_null(strstr(c->out.p, "  path: ../dir/new\n"));
	assert_non_null(strstr(c->out.p, "# end\n"));
}

static int
lock_there_and_back(void *p, struct err *e)
{
	struct ctx *c = p;
	struct dvc_lock *lock = NULL;
	struct dvc_yaml *y = NULL;
	int rc =
	    dvc_lock_parse("dvc.lock", lock_text, sizeof lock_text - 1, NULL, &lock, e);

	if (rc == 0)
		rc = dvc_yaml_parse("dvc.yaml", yaml_text, sizeof yaml_text - 1, NULL, &y,
				    e);
	if (rc == 0)
		rc = dvc_yaml_apply(y, lock, e);
	if (rc == 0) {
		lock->stages[0].changed = lock->stages[1].changed = true;
		rc = dvc_lock_dump(lock, &c->out, e);
	}
	dvc_yaml_free(y);
	dvc_lock_free(lock);
	return rc;
}

static void
lock_is_whole(void *p, int rc)
{
	struct ctx *c = p;

	if (rc == 0)
		assert_non_null(strstr(c->out.p, "  b@1:\n    cmd:\n    - x\n"));
}

static int
check_run(void *p, struct err *e)
{
	/* The names of this file, as DVC makes them. */
	static const struct run_name name = {
	    "7617b94b5324c14f17f9ef5e6f4142ba396b091d1dbad28af61e4b1343d9535d",
	    "bb5b78dbc1ae150c23110da1182e9831e9a7fcc8afbb94d170f35ee5fcb6cf50"};
	static const char text[] = "cmd: c\ndeps:\n- path: d\n  md5: " HEX
				   "\nouts:\n- path: o\n  md5: " HEX "\n";

	(void)p;
	return run_check(&name, text, sizeof text - 1, e);
}

static void
nothing(void *p, int rc)
{
	(void)p;
	(void)rc;
}

static void
memory_runs_out(void **state)
{
	struct ctx ctx = {0};
	const struct memory_call calls[] = {
	    {"a .dvc file", clean, file_there_and_back, file_is_whole, &ctx, 0},
	    {"dvc.lock", clean, lock_there_and_back, lock_is_whole, &ctx, 0},
	    {"a run", clean, check_run, nothing, &ctx, 0},
	};

	(void)state;
	buf_init(&ctx.out, 0);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		assert_true(memory_fail_each(&calls[i]) > 50);
	buf_release(&ctx.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
