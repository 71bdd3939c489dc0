/* The tables of keys and types: sound, and what docs/dag-file.md says of them is up to date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tasks/schema/schema.h"

#define PAGE  TEST_DATA "/../../docs/dag-file.md"
#define BEGIN "<!-- keys: begin -->\n"
#define END   "<!-- keys: end -->\n"

static void
check_keys(const struct key_spec *keys, bool tasks)
{
	for (const struct key_spec *k = keys; k->name != NULL; k++) {
		if (k->doc == NULL || k->doc[strlen(k->doc) - 1] != '.')
			fail_msg("the text of %s is no sentence", k->name);
		for (const struct key_spec *other = keys; other < k; other++)
			assert_string_not_equal(other->name, k->name);
		if ((k->type == KEY_ENUM || k->type == KEY_ENUMS) != (k->values != NULL))
			fail_msg("values of %s", k->name);
		if (k->type == KEY_INT && k->status == KEY_BUILT)
			assert_true(k->max > k->min);
		assert_true(tasks || !k->defaultable);
		/* A table's cell ends at a bar. */
		assert_null(strchr(k->doc, '|'));
		assert_non_null(schema_key_type_text(k->type));
	}
}

static void
tables_are_sound(void **state)
{
	const struct task_type *types;
	size_t n;

	(void)state;
	check_keys(schema_dag_keys(), false);
	check_keys(schema_task_keys(), true);
	types = schema_types(&n);
	for (size_t i = 0; i < n; i++) {
		check_keys(types[i].keys, true);
		assert_ptr_equal(schema_type(types[i].name), &types[i]);
		assert_non_null(types[i].summary);
		assert_int_equal(types[i].doc != NULL, types[i].status == KEY_BUILT);
		for (const struct key_spec *k = types[i].keys; k->name != NULL; k++) {
			/* A key of all tasks is no type's own. */
			assert_null(schema_key(NULL, k->name));
			assert_ptr_equal(schema_key(&types[i], k->name), k);
		}
	}
	assert_null(schema_type("shel"));
	assert_null(schema_key(NULL, "run"));
	assert_non_null(schema_key(schema_type("shell"), "needs"));
	assert_null(schema_dag_key("needs"));
}

/* What the plan lists is there, built or not. */
static void
every_key_and_type_of_the_plan_is_known(void **state)
{
	static const char *const task_keys[] = {"type",
						"needs",
						"inputs",
						"outputs",
						"params",
						"env",
						"workdir",
						"shell",
						"when",
						"trigger",
						"retries",
						"retry_delay",
						"retry_backoff",
						"retry_max_delay",
						"retry_on",
						"timeout",
						"grace",
						"allow_failure",
						"pool",
						"slots",
						"priority",
						"resources",
						"cache",
						"code",
						"persist",
						"for_each",
						"matrix",
						"max_active",
						"executor",
						"setup",
						"teardown",
						"on_failure",
						"notify",
						"depends_on_past",
						"leave_children",
						"description",
						"tags"};
	static const char *const dag_keys[] = {
	    "dag",	"description",	   "schedule", "params",	  "env",
	    "defaults", "timeout",	   "notify",   "max_active_runs", "tasks",
	    "tags",	"max_active_tasks"};
	static const char *const types[] = {"shell", "sql",	"batch",    "copy",
					    "cdc",   "stream",	"validate", "transform",
					    "train", "predict", "push",	    "pull",
					    "http",  "wait",	"dag",	    "approve"};
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(task_keys) / sizeof(task_keys[0]); i++)
		if (schema_key(NULL, task_keys[i]) == NULL)
			fail_msg("no key %s", task_keys[i]);
	for (size_t i = 0; i < sizeof(dag_keys) / sizeof(dag_keys[0]); i++)
		if (schema_dag_key(dag_keys[i]) == NULL)
			fail_msg("no key %s", dag_keys[i]);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (schema_type(types[i]) == NULL)
			fail_msg("no type %s", types[i]);
	(void)schema_types(&n);
	assert_int_equal(n, sizeof(types) / sizeof(types[0]));
}

/* No foreign name shadows one of ours, and each leads to a key that exists. */
static void
foreign_names_lead_to_keys(void **state)
{
	static const struct {
		const char *theirs, *ours;
		bool task;
	} cases[] = {{"depends_on", "needs", true},
		     {"command", "run", true},
		     {"steps", "tasks", false},
		     {"default_args", "defaults", false},
		     {"trigger_rule", "trigger", true}};
	const struct key_spec *k;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(schema_foreign_key(cases[i].theirs, cases[i].task),
				    cases[i].ours);
	assert_null(schema_foreign_key("steps", true));
	for (k = schema_task_keys(); k->name != NULL; k++)
		assert_null(schema_foreign_key(k->name, true));
	for (k = schema_dag_keys(); k->name != NULL; k++)
		assert_null(schema_foreign_key(k->name, false));
}

static char *
read_page(void)
{
	FILE *f = fopen(PAGE, "rb");
	char *text = calloc(1, 1 << 20);
	size_t n;

	assert_non_null(f);
	assert_non_null(text);
	n = fread(text, 1, (1 << 20) - 1, f);
	assert_true(n > 0);
	(void)fclose(f);
	return text;
}

static void
write_page(const char *head, size_t head_n, const char *tables)
{
	FILE *f = fopen(PAGE, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(head, 1, head_n, f), head_n);
	assert_int_equal(fwrite(tables, 1, strlen(tables), f), strlen(tables));
	assert_true(fputs(END, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
the_page_is_up_to_date(void **state)
{
	const char *update = getenv("DAG_UPDATE_GOLDEN"), *from, *to;
	char *page = read_page();
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	schema_write_markdown(&b);
	assert_false(buf_failed(&b));
	from = strstr(page, BEGIN);
	to = strstr(page, END);
	assert_true(from != NULL && to != NULL && from < to);
	from += strlen(BEGIN);
	if (update != NULL && *update == '1')
		write_page(page, (size_t)(from - page), b.p);
	else if ((size_t)(to - from) != b.n || memcmp(from, b.p, b.n) != 0)
		fail_msg("docs/dag-file.md is out of date: run this test with "
			 "DAG_UPDATE_GOLDEN=1");
	buf_release(&b);
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_are_sound),
	    cmocka_unit_test(every_key_and_type_of_the_plan_is_known),
	    cmocka_unit_test(foreign_names_lead_to_keys),
	    cmocka_unit_test(the_page_is_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
