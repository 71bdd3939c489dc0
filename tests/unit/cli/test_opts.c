#include "cli/opts.h"

#include "unit/cli/fixture.h"

struct values {
	bool flag, verbose;
	const char *name;
	struct opt_strings many;
	struct opt_uint count;
	int when;
};

static const char *const whens[] = {"auto", "always", "never", NULL};

#define AT(m) offsetof(struct values, m)

static const struct opt table[] = {
    {.name = "flag", .letter = 'f', .kind = OPT_FLAG, .at = AT(flag), .doc = "f"},
    {.name = "verbose", .letter = 'v', .kind = OPT_FLAG, .at = AT(verbose), .doc = "v"},
    {.name = "name", .kind = OPT_STRING, .at = AT(name), .arg = "NAME", .doc = "n"},
    {.name = "many",
     .letter = 'm',
     .kind = OPT_STRINGS,
     .at = AT(many),
     .arg = "X",
     .doc = "m"},
    {.name = "count",
     .letter = 'n',
     .kind = OPT_UINT,
     .at = AT(count),
     .arg = "N",
     .min = 1,
     .max = 100,
     .doc = "c"},
    {.name = "when",
     .kind = OPT_CHOICE,
     .at = AT(when),
     .arg = "WHEN",
     .choices = whens,
     .doc = "w"},
    {.name = "hidden", .kind = OPT_FLAG, .at = AT(flag)},
    {.name = NULL}};

struct parsed {
	struct values v;
	struct opts_target target;
	char *argv[OPTS_REPEAT_MAX * 2 + 16];
	char store[OPTS_REPEAT_MAX * 2 + 16][32];
	size_t n;
	struct err err;
	int rc;
};

/* Parse words divided by blanks. */
static struct parsed *
parse(const char *line, bool whole)
{
	struct parsed *p = calloc(1, sizeof(*p));
	const char *end;
	size_t i = 0;

	assert_non_null(p);
	while (*line != '\0') {
		end = strchr(line, ' ');
		if (end == NULL)
			end = line + strlen(line);
		(void)snprintf(p->store[i], sizeof(p->store[i]), "%.*s",
			       (int)(end - line), line);
		p->argv[i] = p->store[i];
		i++;
		line = *end == ' ' ? end + 1 : end;
	}
	p->target = (struct opts_target){table, &p->v, 0};
	opts_init(&p->target);
	p->rc = opts_parse(&p->target, 1, whole, p->argv, &p->n, &p->err);
	return p;
}

static void
done(struct parsed *p)
{
	opts_release(&p->target);
	free(p);
}

static void
test_forms(void **state)
{
	static const char *const lines[] = {
	    "a --count=7 -fv --name x b --many=1 -m2 -m 3 --when never -- -c",
	    "-fvn7 a b --name=x -m1 -m2 --many 3 --when=never -- -c",
	    "--flag --verbose a b -n 7 --name x --many 1 -m2 -m3 --when never -- -c",
	};
	struct parsed *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		p = parse(lines[i], true);
		assert_int_equal(p->rc, 0);
		assert_true(p->v.flag && p->v.verbose);
		assert_true(p->v.count.set);
		assert_int_equal(p->v.count.v, 7);
		assert_string_equal(p->v.name, "x");
		assert_int_equal(p->v.many.n, 3);
		assert_string_equal(p->v.many.v[0], "1");
		assert_string_equal(p->v.many.v[2], "3");
		assert_int_equal(p->v.when, 2);
		assert_int_equal(p->n, 3);
		assert_string_equal(p->argv[0], "a");
		assert_string_equal(p->argv[1], "b");
		assert_string_equal(p->argv[2], "-c");
		assert_null(p->argv[3]);
		done(p);
	}
}

static void
test_nothing_given(void **state)
{
	struct parsed *p = parse("", true);

	(void)state;
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->n, 0);
	assert_false(p->v.flag);
	assert_null(p->v.name);
	assert_false(p->v.count.set);
	assert_int_equal(p->v.when, -1);
	done(p);
}

static void
test_stops_at_word(void **state)
{
	struct parsed *p = parse("-f --name x verb --unknown", false);

	(void)state;
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->n, 3);
	assert_string_equal(p->argv[p->n], "verb");
	done(p);
	/* A lone dash is a word; a value may look like an option. */
	p = parse("--name --flag -", true);
	assert_int_equal(p->rc, 0);
	assert_string_equal(p->v.name, "--flag");
	assert_false(p->v.flag);
	assert_int_equal(p->n, 1);
	done(p);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
	    {"--falg", "unknown option '--falg' (did you mean '--flag'?)"},
	    {"--zzz", "unknown option '--zzz'"},
	    {"--hiden", "unknown option '--hiden'"},
	    {"--fla", "unknown option '--fla' (did you mean '--flag'?)"},
	    {"--=x", "unknown option '--'"},
	    {"-x", "unknown option '-x'"},
	    {"-fx", "unknown option '-x'"},
	    {"--flag=yes", "option '--flag' takes no value"},
	    {"--flag --flag", "option '--flag' is given twice"},
	    {"-ff", "option '--flag' is given twice"},
	    {"--name a --name a", "option '--name' is given twice"},
	    {"--name", "option '--name' needs a value: --name NAME"},
	    {"-m", "option '--many' needs a value: --many X"},
	    {"-n x", "option '--count' takes a whole number, not 'x'"},
	    {"-n -1", "option '--count' takes a whole number, not '-1'"},
	    {"-n 0", "option '--count' takes a number from 1 to 100, not 0"},
	    {"-n 101", "option '--count' takes a number from 1 to 100, not 101"},
	    {"-n 99999999999999999999",
	     "option '--count' takes a whole number, not '99999999999999999999'"},
	    {"--when alway", "option '--when' takes auto, always or never (did you mean "
			     "'always'?), not 'alway'"},
	    {"--when=", "option '--when' takes auto, always or never, not ''"},
	};
	struct parsed *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = parse(cases[i].line, true);
		assert_int_equal(p->rc, -1);
		assert_int_equal(p->err.code, ERR_INVALID);
		assert_string_equal(p->err.msg, cases[i].message);
		done(p);
	}
}

static void
test_numbers_at_their_limits(void **state)
{
	struct parsed *p;

	(void)state;
	p = parse("-n 1", true);
	assert_int_equal(p->rc, 0);
	done(p);
	p = parse("-n100", true);
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->v.count.v, 100);
	done(p);
}

static void
test_repeats_at_their_limit(void **state)
{
	struct parsed *p;
	struct buf b;
	int extra, i;

	(void)state;
	for (extra = 0; extra <= 1; extra++) {
		buf_init(&b, 0);
		for (i = 0; i < OPTS_REPEAT_MAX + extra; i++)
			buf_adds(&b, i > 0 ? " -mx" : "-mx");
		p = parse(b.p, true);
		assert_int_equal(p->rc, -extra);
		if (extra)
			assert_int_equal(p->err.code, ERR_LIMIT);
		else
			assert_int_equal(p->v.many.n, OPTS_REPEAT_MAX);
		done(p);
		buf_release(&b);
	}
}

static void
test_two_tables(void **state)
{
	struct values a = {0}, b = {0};
	struct opts_target t[2] = {{table, &a, 0}, {table, &b, 0}};
	static const struct opt other[] = {{.name = "other",
					    .letter = 'o',
					    .kind = OPT_FLAG,
					    .at = AT(flag),
					    .doc = "o"},
					   {.name = NULL}};
	char w1[] = "--other", w2[] = "-f";
	char *argv[] = {w1, w2, NULL};
	struct err err;
	size_t n;

	(void)state;
	t[1].table = other;
	assert_int_equal(opts_parse(t, 2, true, argv, &n, &err), 0);
	assert_true(a.flag);
	assert_true(b.flag);
	assert_int_equal(n, 0);
}

/* What stands behind the second word is nobody's option, if the first one is that word. */
static void
test_command(void **state)
{
	char words[6][8] = {"-f", "add", "-v", "run", "-x", "--name"};
	const char *commands[] = {"add", "list", NULL};
	struct err err;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct values v = {0};
		struct opts_target t = {table, &v, 0};
		char *argv[7] = {NULL};
		int rc;

		for (size_t k = 0; k < 6; k++)
			argv[k] = words[k];
		rc = opts_parse_command(&t, 1, commands[i], argv, &n, &err);
		assert_true(v.flag && v.verbose);
		assert_int_equal(rc, i == 0 ? 0 : -1);
		if (i != 0)
			continue;
		assert_int_equal(n, 4);
		assert_string_equal(argv[0], "add");
		assert_string_equal(argv[1], "run");
		assert_string_equal(argv[2], "-x");
		assert_string_equal(argv[3], "--name");
		assert_null(argv[4]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_nothing_given),
	    cmocka_unit_test(test_stops_at_word),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_numbers_at_their_limits),
	    cmocka_unit_test(test_repeats_at_their_limit),
	    cmocka_unit_test(test_two_tables),
	    cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests_name("cli.opts", tests, NULL, NULL);
}
