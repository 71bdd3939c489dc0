#include "base/suggest.h"

#include "unit/base/fixture.h"

static const char *
nearest(const char *word, const char *const *candidates)
{
	struct suggest s;

	for (suggest_start(&s, word); *candidates != NULL; candidates++)
		suggest_try(&s, *candidates);
	return suggest_best(&s);
}

static void
test_nearest(void **state)
{
	static const char *const keys[] = {
	    "type",	     "needs", "inputs",	     "outputs",	 "params",  "env",
	    "retries",	     "grace", "retry_delay", "retry_on", "timeout", "description",
	    "allow_failure", "when",  "trigger",     NULL};
	static const struct {
		const char *word, *best;
	} cases[] = {
	    {"retires", "retries"},
	    {"retry-delay", "retry_delay"},
	    {"Retries", "retries"},
	    {"RETRIES", "retries"},
	    {"need", "needs"},
	    {"input", "inputs"},
	    {"output", "outputs"},
	    {"tiemout", "timeout"},
	    {"wehn", "when"},
	    {"evn", "env"},
	    {"xyz", NULL},
	    {"", NULL},
	    {"a", NULL},
	    {"completely_else", NULL},
	    {"desciption", "description"},
	    {"allowfailure", "allow_failure"},
	    {"parms", "params"},
	    {"TYPE", "type"},
	    {"Type", "type"},
	};
	size_t i;
	const char *got;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = nearest(cases[i].word, keys);
		if (cases[i].best == NULL
			? got != NULL
			: got == NULL || strcmp(got, cases[i].best) != 0)
			fail_msg("%s: %s", cases[i].word, got != NULL ? got : "nothing");
	}
}

static void
test_order_and_distance(void **state)
{
	struct suggest s;

	(void)state;
	/* Of equals the first; a nearer one later wins; case is nearer than a letter. */
	assert_string_equal(nearest("abcd", (const char *const[]){"abcx", "abcy", NULL}),
			    "abcx");
	assert_string_equal(nearest("abcd", (const char *const[]){"abcx", "abcD", NULL}),
			    "abcD");
	suggest_start(&s, "abcd");
	suggest_try(&s, "abcD");
	assert_int_equal(s.best_distance, 1);
	suggest_start(&s, "abcd");
	suggest_try(&s, "acbd");
	assert_int_equal(s.best_distance, 2);
	/* A third of the longer word, at least one edit, but never the whole word. */
	assert_non_null(nearest("abcdef", (const char *const[]){"abcdxy", NULL}));
	assert_null(nearest("abcdef", (const char *const[]){"abcxyz", NULL}));
	assert_non_null(nearest("ab", (const char *const[]){"ax", NULL}));
	assert_null(nearest("a", (const char *const[]){"b", NULL}));
	assert_non_null(nearest("a", (const char *const[]){"ab", NULL}));
}

static void
test_long_words(void **state)
{
	char a[130], b[130];

	(void)state;
	memset(a, 'x', sizeof(a));
	a[128] = '\0';
	memcpy(b, a, sizeof(a));
	b[64] = 'y';
	assert_ptr_equal(nearest(a, (const char *const[]){b, NULL}), b);
	a[128] = b[128] = 'x';
	a[129] = b[129] = '\0';
	assert_null(nearest(a, (const char *const[]){b, NULL}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nearest),
	    cmocka_unit_test(test_order_and_distance),
	    cmocka_unit_test(test_long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
