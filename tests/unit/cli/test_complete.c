/* What usage lines say may stand where, the shells must be able to complete. */
#include "cli/complete.h"

#include "cli/cli.h"
#include "cli/opts.h"
#include "unit/cli/fixture.h"

static void
check_alternatives(const char *where, const char *p, size_t n)
{
	char word[64];
	size_t len;

	for (; n > 0; p += len, n -= len) {
		len = strspn(p, "|[].");
		if (len > 0) {
			len = len < n ? len : n;
			continue;
		}
		len = strcspn(p, "|[]. ");
		len = len < n ? len : n;
		assert_true(len < sizeof(word));
		memcpy(word, p, len);
		word[len] = '\0';
		if (!complete_knows(word))
			fail_msg("%s: nothing is known about '%s'", where, word);
	}
}

static void
check_opts(const char *where, const struct opt *o)
{
	for (; o != NULL && o->name != NULL; o++)
		if (o->kind != OPT_FLAG && o->kind != OPT_CHOICE)
			check_alternatives(where, o->arg, strlen(o->arg));
}

static void
test_every_word_has_a_meaning(void **state)
{
	const struct verb *const *table;
	size_t i, n, len;
	const char *p;

	(void)state;
	table = verb_table(&n);
	for (i = 0; i < n; i++) {
		for (p = table[i]->args; *p != '\0'; p += len + (p[len] == ' ')) {
			len = strcspn(p, " ");
			check_alternatives(table[i]->name, p, len);
		}
		check_opts(table[i]->name, table[i]->opts);
	}
	check_opts("dag", cli_global_opts());
	assert_false(complete_knows("NONSENSE"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_word_has_a_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
