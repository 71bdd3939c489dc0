#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/pipeline_select.h"

#define STAGE(file, name, deps, outs, more)                                          \
	"{\"file\":\"" file "\",\"name\":\"" name "\",\"cmd\":\"x\",\"deps\":[" deps \
	"],\"outs\":[" outs "]" more "}"
#define OUT(path) "{\"path\":\"" path "\"}"

/*
 *	prep --> fit@a --> eval		other	sub/dvc.yaml: show (of eval's), lone
 *	     \-> fit@b --/
 */
static const char text[] =
    "{\"pipeline\":1,\"stages\":[" STAGE("dvc.yaml", "eval", "\"a\",\"b\"", OUT("m"), "") "," STAGE("dvc.yaml", "fit@a", "\"p\"", OUT("a"), ",\"group\":\"fit\"") "," STAGE(
	"dvc.yaml", "fit@b", "\"p\"", OUT("b"),
	",\"group\":\"fit\"") "," STAGE("dvc.yaml", "prep", "\"raw/x.csv\"", OUT("p"),
					"") "," STAGE("dvc.yaml", "other",
						      "\"raw/y.csv\"", OUT("o"),
						      "") "," STAGE("sub/dvc.yaml",
								    "show", "\"../m\"",
								    OUT("s"),
								    "") "," STAGE("sub/"
										  "dvc."
										  "yaml",
										  "lone",
										  "",
										  OUT("l"),
										  "") "," STAGE("sub/deep/dvc.yaml",
												"x:y@z/w",
												"",
												"",
												",\"frozen\":true") "]}";

static struct dag *g;

static int
setup(void **state)
{
	static const struct pipeline_place place = {.root = "/repo"};
	struct err err = {0};

	(void)state;
	return pipeline_dag_read(&place, text, sizeof(text) - 1, &g, &err);
}

static int
teardown(void **state)
{
	(void)state;
	dag_free(g);
	return 0;
}

/* Words, and switches that are letters: s p P d R g. */
struct row {
	const char *dir, *switches;
	const char *words[3];
	const char
	    *want; /* names in the order of the files; or "! " and the error's begin */
};

static const struct row rows[] = {
    {".", "", {NULL}, "eval fit@a fit@b prep other"},
    {".", "", {"dvc.yaml"}, "eval fit@a fit@b prep other"},
    {".", "", {"eval"}, "eval fit@a fit@b prep"},
    {".", "", {"fit"}, "fit@a fit@b prep"},
    {".", "", {"fit@b"}, "fit@b prep"},
    {".", "", {":fit@b"}, "fit@b prep"},
    {".", "", {"dvc.yaml:prep", "other"}, "prep other"},
    {".", "", {"sub/dvc.yaml:show"}, "eval fit@a fit@b prep sub/dvc.yaml:show"},
    {".", "", {"sub/dvc.yaml:lone"}, "sub/dvc.yaml:lone"},
    {"sub", "", {"lone"}, "sub/dvc.yaml:lone"},
    {"sub", "", {NULL}, "eval fit@a fit@b prep sub/dvc.yaml:show sub/dvc.yaml:lone"},
    {"sub", "", {"../dvc.yaml:prep"}, "prep"},
    {"sub", "", {"/repo/dvc.yaml:prep"}, "prep"},
    {"/elsewhere", "", {"../repo/dvc.yaml:prep"}, "prep"},
    {"sub/deep", "", {":x:y@z/w"}, "! there is no 'sub/deep/:x'"},
    {"sub/deep", "", {"dvc.yaml:x@z/w:q"}, "! sub/deep/dvc.yaml has no stage 'x@z/w:q'"},
    {".", "s", {"eval"}, "eval"},
    {".", "s", {"fit"}, "fit@a fit@b"},
    {".", "d", {"fit@a"}, "eval fit@a sub/dvc.yaml:show"},
    {".", "p", {"fit@a"}, "eval fit@a fit@b prep sub/dvc.yaml:show"},
    {".", "p", {"other"}, "other"},
    {".", "ps", {"other"}, "other"},
    {".",
     "P",
     {"nope"},
     "eval fit@a fit@b prep other sub/dvc.yaml:show sub/dvc.yaml:lone "
     "sub/deep/dvc.yaml:x:y@z/w"},
    {".", "Rs", {"sub"}, "sub/dvc.yaml:show sub/dvc.yaml:lone sub/deep/dvc.yaml:x:y@z/w"},
    {".", "R", {"sub/deep"}, "sub/deep/dvc.yaml:x:y@z/w"},
    {"sub", "R", {"./deep"}, "sub/deep/dvc.yaml:x:y@z/w"},
    {".", "R", {"prep"}, "prep"},
    {".", "g", {"fit*"}, "fit@a fit@b prep"},
    {".", "g", {"*e[rp]*"}, "prep other"},
    {".", "g", {"sub/dvc.yaml:l*"}, "sub/dvc.yaml:lone"},
    {".", "g", {"z*"}, "! dvc.yaml has no stage 'z*'"},
    {".", "", {"raw/x.csv.dvc"}, ""},
    {".", "", {"raw/x.csv.dvc", "prep"}, "prep"},
    {".", "", {"evl"}, "! dvc.yaml has no stage 'evl' (did you mean 'eval'?)"},
    {".", "", {"no/dvc.yaml"}, "! there is no 'no/dvc.yaml' with stages"},
    {".", "", {"no/dvc.yaml:x"}, "! there is no 'no/dvc.yaml' with stages"},
    {"..", "", {"prep"}, "! there is no '../dvc.yaml'"},
    {".", "", {"dvc.lock:prep"}, "! 'dvc.lock:prep' is what a run has recorded"},
};

static const char *
picked(const struct row *r)
{
	static char out[1200];
	struct pipeline_want want = {.targets = r->words,
				     .root = "/repo",
				     .dir = r->dir,
				     .single = strchr(r->switches, 's') != NULL,
				     .pipeline = strchr(r->switches, 'p') != NULL,
				     .all = strchr(r->switches, 'P') != NULL,
				     .downstream = strchr(r->switches, 'd') != NULL,
				     .recursive = strchr(r->switches, 'R') != NULL,
				     .glob = strchr(r->switches, 'g') != NULL};
	struct err err = {0};
	bool selected[8];
	size_t n = 0;

	while (want.n < 3 && r->words[want.n] != NULL)
		want.n++;
	out[0] = '\0';
	if (pipeline_select(g, &want, selected, &err) != 0) {
		(void)snprintf(out, sizeof(out), "! %s", err.msg);
		return out;
	}
	for (size_t i = 0; i < g->ntasks; i++)
		if (selected[i])
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s",
					      n > 0 ? " " : "", g->tasks[i].name);
	return out;
}

static void
words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = picked(&rows[i]);

		if (rows[i].want[0] == '!'
			? strncmp(got, rows[i].want, strlen(rows[i].want)) != 0
			: strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s\nwanted %s", i, got, rows[i].want);
	}
}

static void
target_dvc(struct pipeline_want *want, const char *word, bool *selected)
{
	const char *const *was = want->targets;

	want->targets = &word;
	assert_int_equal(pipeline_select(g, want, selected, NULL), 0);
	want->targets = was;
}

/* Stages that read what one .dvc file tracks hang together. */
static void
shared_source(void **state)
{
	struct track_out out = {.path = "raw", .file = "raw.dvc"};
	struct track_file file = {.path = "raw.dvc"}, *files[] = {&file};
	const struct track_list tracked = {
	    .outs = &out, .n = 1, .files = files, .nfiles = 1};
	const char *const target = "prep";
	struct pipeline_want want = {.targets = &target,
				     .n = 1,
				     .root = "/repo",
				     .dir = ".",
				     .pipeline = true,
				     .tracked = &tracked};
	bool selected[8];

	(void)state;
	assert_int_equal(pipeline_select(g, &want, selected, NULL), 0);
	assert_true(selected[4]); /* other */
	assert_true(selected[5]);
	assert_false(selected[6]);
	/* By the name of the file: what depends on it, and goes on from there. */
	target_dvc(&want, "raw.dvc", selected);
	assert_true(selected[4]);
	assert_true(selected[5]);
	want.pipeline = false;
	want.downstream = true;
	target_dvc(&want, "raw.dvc", selected);
	assert_true(selected[3] && selected[4] && selected[5]);
	assert_false(selected[6]);
	want.downstream = false;
	target_dvc(&want, "raw.dvc", selected);
	assert_false(selected[3]);
	want.targets = (const char *const[]){"none.dvc"};
	assert_int_equal(pipeline_select(g, &want, selected, NULL), -1);
	want.targets = &target;
	want.pipeline = true;
	/* What a stage makes is no source. */
	out.stage = "s";
	assert_int_equal(pipeline_select(g, &want, selected, NULL), 0);
	assert_false(selected[4]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words),
	    cmocka_unit_test(shared_source),
	};

	return cmocka_run_group_tests_name("pipeline_select", tests, setup, teardown);
}
