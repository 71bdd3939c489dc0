#ifndef TESTS_STAGE_TEST_H
#define TESTS_STAGE_TEST_H
/*
 * What the tests of stages share: a place with a cache, one stage and what is recorded of it.
 */
#include "store/track/stage_run.h"

#include "base/arena.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/objects/index.h"
#include "store/track/workspace.h"
#include "unit/store/objects_test.h"

static struct shop shop;
static struct workspace ws;
static struct index *ix;
static struct arena *arena;
static struct stage_look *look;
static struct stage_how how;
static struct stage_run run;
static struct dvc_yaml *yaml;
static struct dvc_lock_stage lock, *locked;
static const enum link_type copy[] = {LINK_COPY};

#define OUT "cache/files/md5/83/34d449a4ae4c76bc21f5ee4dc9ee8d"

static inline void
put(const char *path, const char *text)
{
	shop_put(&shop, path, text, strlen(text));
}

static inline void
drop(const char *path)
{
	struct err err = {0};

	ok(fsio_remove_tree(shop.fd, path, &err));
}

/* An object of the cache. */
static inline void
lose(const char *path)
{
	assert_int_equal(unlinkat(shop.fd, path, 0), 0);
}

static inline bool
there(const char *path)
{
	return faccessat(shop.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void
stage(const char *text)
{
	struct err err = {0};
	struct buf b;

	dvc_yaml_free(yaml);
	buf_init(&b, 0);
	buf_addf(&b, "stages:\n  s:\n%s", text);
	ok(dvc_yaml_parse("dvc.yaml", b.p, b.n, NULL, &yaml, &err));
	buf_release(&b);
	run.stage = &yaml->stages[0];
}

static inline int
setup(void **state)
{
	struct err err = {0};
	struct stage_look_options o = {.ws = &ws};
	char path[96];

	(void)state;
	shop_make(&shop);
	assert_int_equal(mkdirat(shop.fd, "state", 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/state/index.db", shop.dir);
	ok(index_open(path, &ix, &err));
	ws = (struct workspace){.root_fd = shop.fd,
				.cache = shop.o,
				.index = ix,
				.links = copy,
				.nlinks = 1,
				.workers = 1};
	o.root = shop.dir;
	arena = arena_new(0);
	assert_non_null(arena);
	ok(stage_look_open(&o, &look, &err));
	how = (struct stage_how){0};
	run = (struct stage_run){.name = "s", .dir = "."};
	locked = NULL;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	stage_look_close(look);
	dvc_yaml_free(yaml);
	yaml = NULL;
	arena_free(arena);
	index_close(ix);
	shop_remove(&shop);
	return 0;
}

static inline void
lock_is(const char *text)
{
	struct err err = {0};

	ok(dvc_lock_entry_parse(arena, NULL, "s", run.dir, text, strlen(text), &lock,
				&err));
	locked = &lock;
}

static inline struct stage_decision
decide(void)
{
	struct stage_decision d;
	struct err err = {0};

	ok(stage_decide(look, &run, locked, &how, arena, &d, &err));
	return d;
}

/* The verdict and the reasons, a line each. */
static inline const char *
verdict(void)
{
	static char text[2000];
	struct stage_decision d = decide();
	struct buf b;

	buf_init(&b, 0);
	buf_adds(&b, stage_verdict_name(d.verdict));
	for (size_t i = 0; i < d.n; i++) {
		buf_addc(&b, '\n');
		stage_reason_put(&b, &d.v[i]);
	}
	(void)snprintf(text, sizeof(text), "%s", b.p);
	buf_release(&b);
	return text;
}

#define is(expected) assert_string_equal(verdict(), expected)

/* As if the command had run: what it made is recorded. */
static inline const char *
done(void)
{
	struct stage_decision d = decide();
	const char *entry;
	struct err err = {0};

	assert_int_equal(d.verdict, STAGE_RUN);
	assert_null(d.lacks);
	ok(stage_done(look, &run, locked, &how, d.inputs, arena, &entry, &err));
	lock_is(entry);
	return entry;
}

static inline const char *
restore(int expected)
{
	struct stage_decision d = decide();
	const char *entry;
	struct err err = {0};
	int r = stage_restore(look, &run, locked, &how, &d, arena, &entry, &err);

	if (r < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(r, expected);
	if (entry != NULL)
		lock_is(entry);
	return entry;
}

/* in.txt, params -> out.txt */
static inline void
simple(void)
{
	stage("    cmd: make it\n    deps: [in.txt]\n    params: [lr, net.size]\n"
	      "    outs: [out.txt]\n    metrics: [m.json: {cache: false}]\n");
	put("in.txt", "one\n");
	put("params.yaml", "lr: 0.1\nnet: {size: [1, 2]}\nother: x\n");
	put("out.txt", "made of one\n");
	put("m.json", "{}\n");
}

#endif
