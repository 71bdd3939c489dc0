#ifndef TEST_RENDER_FIXTURE_H
#define TEST_RENDER_FIXTURE_H
/* A run of a DAG file that is about to be rendered, for the tests of scheduler/render*.c. */
#include "base/arena.h"
#include "base/err.h"
#include "base/jinja.h"
#include "base/timefmt.h"
#include "dag_fixture.h"
#include "scheduler/render.h"

/* A run of one DAG, with params from the command line and outputs "TASK.KEY" -> value. */
struct fixture {
	struct dag *g;
	struct arena *a;
	struct run_values v;
	struct render_task task;
	struct render_paths paths;
	char msg[1100];
};

static const struct {
	const char *task, *key, *val;
} outputs[] = {{"extract", "rows", "10"},
	       {"extract", "name", "a b"},
	       {"extract", "json", "[1, 2]"},
	       {"extract", "no", "false"}};

/* The task `skipped` has not ended well; all others have. */
static inline int
output_get(void *ctx, uint32_t task, const char *key, const char **val, size_t *len)
{
	const struct dag *g = ctx;
	const char *name = g->tasks[task].name;
	size_t i;

	if (strcmp(name, "skipped") == 0)
		return -1;
	for (i = 0; i < sizeof(outputs) / sizeof(*outputs); i++)
		if (strcmp(outputs[i].task, name) == 0 &&
		    strcmp(outputs[i].key, key) == 0) {
			*val = outputs[i].val;
			*len = strlen(*val);
			return 1;
		}
	return 0;
}

static inline const char *
output_key(void *ctx, uint32_t task, size_t i)
{
	const struct dag *g = ctx;

	return strcmp(g->tasks[task].name, "extract") == 0 && i < 4 ? outputs[i].key
								    : NULL;
}

static inline void
start(struct fixture *f, const char *text, const struct param_arg *args, size_t nargs)
{
	struct jinja_dict *params;
	struct err err;

	memset(f, 0, sizeof(*f));
	f->g = fixture_dag(text);
	f->a = arena_new(0);
	assert_int_equal(params_resolve(f->g, f->a, args, nargs, NULL, &params, &err), 0);
	f->v = (struct run_values){
	    .dag = f->g,
	    .params = params,
	    .run_id = "0192-abc",
	    .outputs = {.ctx = f->g, .get = output_get, .key = output_key}};
	assert_int_equal(time_parse("2026-11-22T02:00:00Z", &f->v.logical_us), 0);
	f->v.interval_start_us = f->v.logical_us;
	f->v.interval_end_us = f->v.logical_us + 86400 * INT64_C(1000000);
}

static inline void
stop(struct fixture *f)
{
	arena_free(f->a);
	dag_free(f->g);
}

static inline void
says(const char *msg, const char *want)
{
	if (strstr(msg, want) == NULL)
		fail_msg("message: %s\nlacks: %s", msg, want);
}

#endif
