#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "scheduler/dag.h"
#include "unit/memory.h"

/* Memory that runs out while a DAG file is loaded: YAML, keys, templates, graph, messages. */

/* Something of everything. */
static const char good[] =
    "dag: all\n"
    "description: |\n"
    "  two\n"
    "  lines\n"
    "tags: [nightly, b]\n"
    "timeout: 2h\n"
    "params:\n"
    "  n: {type: integer, default: 5, minimum: 1, maximum: 10}\n"
    "  s: {type: string, pattern: '[a-z]+', default: abc}\n"
    "  l: {type: array, default: [1, x]}\n"
    "  e: {type: string, enum: [dev, prod], default: dev}\n"
    "env: {A: 'x{{ params.n }}', T: '${env:TOKEN}'}\n"
    "defaults: {retries: 1, retry_delay: 1m}\n"
    "tasks:\n"
    "  one: &base\n"
    "    run: |\n"
    "      cat <<EOF\n"
    "      {{ params.s }} \"$A\" $(date) {{ ds }}\n"
    "      EOF\n"
    "    outputs: ['data/{{ ds }}/', model.bin]\n"
    "  two:\n"
    "    run: [x, '{% for i in params.l %}{{ i | sh }}{% endfor %}', "
    "'{{ outputs.one.rows | int + 1 }}']\n"
    "    needs: [one]\n"
    "    inputs: [model.bin]\n"
    "    env: {B: '{{ env.A }}'}\n"
    "    when: \"params.n > 3 and params.e == 'dev'\"\n"
    "    tags: [t]\n"
    "    timeout: 1m\n"
    "  three: {type: wait, for: 1s, needs: [two]}\n"
    "  four: {run: 'x {{ params.n }}', needs: [one, three], trigger: all_done}\n";

/* As many kinds of mistakes. */
static const char bad[] = "dag: 'not a name'\n"
			  "params:\n"
			  "  n: {type: integr, default: x}\n"
			  "tasks:\n"
			  "  a: {run: 'x {{ parms.n }}', needs: [b], retires: 3}\n"
			  "  b: {run: 'x {{ outputs.a.x', needs: [a, zz]}\n"
			  "  c: {run: 'x', timeout: 3 fortnights, outputs: [o, o/p]}\n"
			  "  d: {run: 'x', needs: [d], outputs: [../up]}\n"
			  "  d: {run: '{{ params.n }} x'}\n";

struct loading {
	const char *text;
	bool refused; /* mistakes are told */
	struct buf said;
	char *want; /* what is said when memory lasts */
	char hash[65];
	struct dag *g;
};

static int
load(void *ctx, struct err *err)
{
	struct loading *l = ctx;
	struct diag *d = diag_new();
	int rc, file;

	if (d == NULL)
		return err_nomem(err);
	file = diag_file(d, "x.yaml", l->text, strlen(l->text));
	if (file < 0) {
		diag_free(d);
		return err_nomem(err);
	}
	rc = dag_load(d, file, "x.yaml", l->text, strlen(l->text), "x.yaml", &l->g);
	assert_int_equal(rc == 0, l->g != NULL);
	assert_int_equal(rc == 0, diag_errors(d) == 0);
	diag_print(d, &l->said, false, 0);
	diag_free(d);
	if (buf_failed(&l->said))
		return err_nomem(err);
	if (strstr(l->said.p, "out of memory") != NULL)
		return err_set(err, ERR_NOMEM, "out of memory");
	return rc == 0 || l->refused ? 0 : err_set(err, ERR_INVALID, "%s", l->said.p);
}

static void
before(void *ctx)
{
	struct loading *l = ctx;

	buf_init(&l->said, 0);
	l->g = NULL;
}

/* What counts of what is said: the quoted lines and the suggestions may be left out. */
static void
errors_of(const char *said, struct buf *out)
{
	const char *end;

	buf_init(out, 0);
	for (; *said != '\0'; said = *end != '\0' ? end + 1 : end) {
		end = said + strcspn(said, "\n");
		if (strncmp(said, "x.yaml:", 7) == 0)
			buf_add(out, said, (size_t)(end - said) + 1);
	}
	buf_addc(out, '\n');
}

static void
after(void *ctx, int rc)
{
	struct loading *l = ctx;
	struct buf said;

	errors_of(l->said.p != NULL ? l->said.p : "", &said);
	if (rc == 0 && l->want == NULL) {
		l->want = strdup(said.p);
		if (l->g != NULL)
			memcpy(l->hash, l->g->hash, sizeof(l->hash));
	} else if (rc == 0) {
		assert_string_equal(said.p, l->want);
		assert_int_equal(l->g == NULL, l->refused);
		if (l->g != NULL) {
			assert_string_equal(l->g->hash, l->hash);
			dag_check_model(l->g);
		}
	}
	dag_free(l->g);
	buf_release(&said);
	buf_release(&l->said);
}

static void
try_loading(const char *what, const char *text, bool refused)
{
	struct loading l = {.text = text, .refused = refused};
	struct memory_call c = {
	    .what = what, .before = before, .run = load, .after = after, .ctx = &l};

	assert_true(memory_fail_each(&c) > 30);
	if (refused)
		assert_non_null(strstr(l.want, "retires"));
	free(l.want);
}

static void
test_good_file(void **state)
{
	(void)state;
	try_loading("loading a file", good, false);
}

static void
test_bad_file(void **state)
{
	(void)state;
	try_loading("loading a file of mistakes", bad, true);
}

static void
test_no_yaml(void **state)
{
	struct loading l = {.text = "tasks: {a: [}\n", .refused = true};
	struct memory_call c = {.what = "loading what is no YAML",
				.before = before,
				.run = load,
				.after = after,
				.ctx = &l};

	(void)state;
	(void)memory_fail_each(&c);
	free(l.want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_file),
	    cmocka_unit_test(test_bad_file),
	    cmocka_unit_test(test_no_yaml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
