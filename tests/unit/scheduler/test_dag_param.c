/* Declarations of params: short and long form, and whether they agree with themselves. */
#include "base/yaml.h"
#include "unit/scheduler/load_fixture.h"

static const struct dag_param *
param(const struct loaded *l, const char *name)
{
	for (size_t i = 0; i < l->dag->nparams; i++)
		if (strcmp(l->dag->params[i].name, name) == 0)
			return &l->dag->params[i];
	fail_msg("no param %s", name);
	return NULL;
}

static void
short_and_long_forms(void **state)
{
	struct loaded l =
	    loads("params:\n"
		  "  s: x\n  i: 3\n  f: 1.5\n  b: true\n  a: [1, x]\n"
		  "  str: {type: string, default: '3', minimum: 1, maximum: 3, "
		  "pattern: '[0-9]+', description: what}\n"
		  "  num: {type: number, default: 3, enum: [3, 4.5]}\n"
		  "  must: {type: integer}\n"
		  "  may: {type: integer, required: false}\n"
		  "  from_enum: {enum: [1, 2]}\n"
		  "  bare: {description: any text}\n"
		  "  arr: {type: array, default: [], maximum: 2}\n"
		  "tasks: {t: {run: x}}\n");

	(void)state;
	assert_int_equal(param(&l, "s")->type, PARAM_STRING);
	assert_int_equal(param(&l, "i")->type, PARAM_INTEGER);
	assert_int_equal(param(&l, "f")->type, PARAM_NUMBER);
	assert_int_equal(param(&l, "b")->type, PARAM_BOOLEAN);
	assert_int_equal(param(&l, "a")->type, PARAM_ARRAY);
	assert_false(param(&l, "s")->has_type);
	assert_true(param(&l, "str")->has_type);
	assert_true(param(&l, "str")->has_min && param(&l, "str")->has_max);
	assert_string_equal(param(&l, "str")->pattern, "[0-9]+");
	assert_string_equal(param(&l, "str")->description, "what");
	assert_int_equal(param(&l, "num")->nenums, 2);
	assert_false(param(&l, "num")->required);
	assert_true(param(&l, "must")->required); /* nobody else gives it a value */
	assert_false(param(&l, "may")->required);
	assert_int_equal(param(&l, "from_enum")->type, PARAM_INTEGER);
	assert_int_equal(param(&l, "bare")->type, PARAM_STRING);
	assert_int_equal(param(&l, "arr")->def->seq.n, 0);
	unload(&l);
}

/* A declaration, what is said of it (columns counted from the p of "p: {...}"), a hint. */
static const char *const wrong[][3] = {
    {"{type: integer, default: '5'}",
     "1:29: error: the default of param 'p', which is an integer, cannot be a "
     "string",
     "write 5 without quotes"},
    {"{type: string, default: 5}",
     "1:28: error: the default of param 'p', which is a string, cannot be an "
     "integer",
     "write \"5\""},
    {"{type: boolean, default: 'yes'}",
     "1:29: error: the default of param 'p', which is a boolean, cannot be a "
     "string",
     "true or false"},
    {"{type: number, default: .inf}",
     "1:28: error: the default of param 'p', which is a number, cannot be "
     "infinite",
     NULL},
    {"{type: integer, default: 5, minimum: 6}",
     "1:29: error: the default of param 'p' is below its minimum, 6", NULL},
    {"{default: 5, maximum: 4.5}",
     "1:14: error: the default of param 'p' is above its maximum, 4.5", NULL},
    {"{default: abc, maximum: 2}",
     "1:14: error: the default of param 'p' is longer than its maximum, 2 "
     "characters",
     NULL},
    {"{default: [1], minimum: 2}",
     "1:14: error: the default of param 'p' has fewer than its minimum, 2 items", NULL},
    {"{minimum: 2, maximum: 1, type: integer}",
     "1:14: error: the minimum of param 'p' is above its maximum 1", NULL},
    {"{type: boolean, minimum: 1}", "1:29: error: `minimum` is not for booleans", NULL},
    {"{type: string, minimum: 1.5}",
     "1:28: error: `minimum` takes a length, not a number", NULL},
    {"{type: string, minimum: -1}",
     "1:28: error: `minimum` takes a length, not an integer", NULL},
    {"{type: integer, minimum: x}", "1:29: error: `minimum` takes a number, not a string",
     NULL},
    {"{type: string, pattern: '[a'}",
     "1:28: error: the pattern cannot be read: Unmatched [, [^, [:, [., or [=",
     "POSIX extended"},
    {"{type: integer, pattern: x}",
     "1:29: error: `pattern` is for strings; param 'p' is an integer", NULL},
    {"{default: abc, pattern: '[0-9]+'}",
     "1:14: error: the default 'abc' of param 'p' does not match its pattern", NULL},
    {"{default: 1a, pattern: '[0-9]+'}",
     "1:14: error: the default '1a' of param 'p' does not match its pattern", NULL},
    {"{default: abx, pattern: 'ab|c'}",
     "1:14: error: the default 'abx' of param 'p' does not match its pattern", NULL},
    {"{default: a1, pattern: '[0-9]+'}", /* it must match the whole */
     "1:14: error: the default 'a1' of param 'p' does not match its pattern", NULL},
    {"{pattern: '((a{100}){100}){100}'}",
     "1:14: error: the pattern is too large: its repetitions multiply to over "
     "100000",
     NULL},
    {"{enum: [a, b], default: c}",
     "1:28: error: the default 'c' of param 'p' is none of its `enum`", NULL},
    {"{enum: []}", "1:11: error: `enum` takes a list of 1 to 1000 values", NULL},
    {"{enum: x}", "1:11: error: `enum` takes a list of 1 to 1000 values", NULL},
    {"{type: integer, enum: [1, x]}",
     "1:30: error: an `enum` value of param 'p', which is an integer, cannot be "
     "a string",
     NULL},
    {"{type: array, enum: [1]}", "1:24: error: `enum` is not for arrays", NULL},
    {"{type: int}", "1:11: error: `type` knows no 'int'",
     "it knows string integer number boolean array"},
    {"{type: strin}", "1:11: error: `type` knows no 'strin'", "did you mean 'string'?"},
    {"{required: true, default: 1}",
     "1:15: error: param 'p' has a default, so it is never required", "remove"},
    {"{required: 1}", "1:15: error: `required` takes true or false, not an integer",
     NULL},
    {"{min: 1}", "1:5: error: unknown key 'min' of a param", "did you mean 'minimum'?"},
    {"{defualt: 1}", "1:5: error: unknown key 'defualt' of a param",
     "did you mean 'default'?"},
    {"{description: [x]}", "1:18: error: `description` takes a text, not a list", NULL},
    {"", "1:1: error: param 'p' has neither a default nor a type", "type: string"},
};

static void
contradictions(void **state)
{
	char text[256], message[256];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		unsigned line, col;
		int at;

		/* The p stands in 2:3. */
		assert_int_equal(sscanf(wrong[i][1], "%u:%u%n", &line, &col, &at), 2);
		(void)snprintf(text, sizeof(text),
			       "params:\n  p: %s\ntasks: {t: {run: x}}\n", wrong[i][0]);
		(void)snprintf(message, sizeof(message), "x.yaml:2:%u%s", col + 2,
			       wrong[i][1] + at);
		refuses(text, message, wrong[i][2]);
	}
}

static void
names_and_shape(void **state)
{
	struct loaded l;

	(void)state;
	refuses("params: {1x: 1}\ntasks: {t: {run: x}}\n",
		"x.yaml:1:10: error: '1x' cannot be the name of a param", NULL);
	refuses(
	    "params: [a]\ntasks: {t: {run: x}}\n",
	    "x.yaml:1:9: error: `params` takes a mapping of names to params, not a list",
	    NULL);
	/* A default that looks like a template is taken as it stands, with a warning. */
	l = load_text_of("params: {p: '{{ ds }}'}\ntasks: {t: {run: x}}\n");
	assert_non_null(l.dag);
	assert_non_null(
	    strstr(l.said.p, "x.yaml:1:13: warning: a default is no template"));
	unload(&l);
}

static void
their_number_is_limited(void **state)
{
	struct buf b;
	struct loaded l;

	(void)state;
	for (int n = DAG_PARAMS_MAX; n <= DAG_PARAMS_MAX + 1; n++) {
		buf_init(&b, 0);
		buf_adds(&b, "tasks: {t: {run: x}}\nparams:\n");
		for (int i = 0; i < n; i++)
			buf_addf(&b, "  p%d: 1\n", i);
		if (n == DAG_PARAMS_MAX) {
			l = loads(b.p);
			assert_int_equal(l.dag->nparams, DAG_PARAMS_MAX);
			unload(&l);
		} else
			refuses(b.p,
				"x.yaml:3:3: error: there are 1001 params; at most 1000",
				NULL);
		buf_release(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(short_and_long_forms),
	    cmocka_unit_test(contradictions),
	    cmocka_unit_test(names_and_shape),
	    cmocka_unit_test(their_number_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
