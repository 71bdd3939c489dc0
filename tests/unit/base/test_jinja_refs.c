/* Which names a template refers to, where, and whether somebody asks if they exist. */
#include "jinja_check.h"

/* "path@offset,offset" of every reference, "?" behind a guarded one, blanks between them. */
static void
note(void *ctx, const struct jinja_ref *r)
{
	struct buf *b = ctx;
	size_t i;

	if (b->n != 0)
		buf_addc(b, ' ');
	for (i = 0; i < r->npath; i++)
		buf_addf(b, "%s%s", i != 0 ? "." : "", r->path[i]);
	for (i = 0; i < r->npath; i++)
		buf_addf(b, "%c%zu", i != 0 ? ',' : '@', r->offset[i]);
	if (r->guarded)
		buf_addc(b, '?');
}

static void
refs_of(const char *src, bool expr, struct buf *out)
{
	struct arena *a = arena_new(0);
	struct jinja_error e;
	struct jinja *t;

	assert_non_null(a);
	if ((expr ? jinja_compile_expr : jinja_compile)(a, src, strlen(src), &t, &e) != 0)
		fail_msg("%s: %s", src, e.msg);
	jinja_refs(t, note, out);
	arena_free(a);
}

static void
check(const struct good *rows, size_t n, bool expr)
{
	struct buf got;
	size_t i, bad = 0;

	buf_init(&got, 0);
	for (i = 0; i < n; i++) {
		buf_clear(&got);
		refs_of(rows[i].src, expr, &got);
		if (strcmp(got.p, rows[i].text) != 0) {
			print_error("%s\n   gives: %s\n   not:   %s\n", rows[i].src,
				    got.p, rows[i].text);
			bad++;
		}
	}
	buf_release(&got);
	if (bad != 0)
		fail_msg("%zu wrong", bad);
}

static void
paths(void **state)
{
	static const struct good rows[] = {
	    {"1 + 2", ""},
	    {"a", "a@0"},
	    {"outputs.extract.rows", "outputs.extract.rows@0,8,16"},
	    {"outputs['extract'].rows > 0", "outputs.extract.rows@0,9,19"},
	    {"outputs[t].rows", "outputs@0 t@8"},
	    {"a.b[c.d].e[f]", "a.b@0,2 c.d@4,6 f@11"},
	    {"a[0].b", "a@0"},
	    {"a['x' 'y']", "a.xy@0,3"},
	    {"a[1:n]", "a@0 n@4"},
	    {"params.name.upper()", "params.name@0,7"},
	    {"params.items()", "params@0"},
	    {"(a).b", "a.b@1,4"},
	    {"'x'.join(a)", "a@9"},
	    {"[a, b.c] + (d,)", "a@1 b.c@4,6 d@12"},
	    {"{'k': a, b: 1}", "a@6 b@9"},
	    {"a | join(b, attribute=c)", "a@0 b@9 c@22"},
	    {"range(a)", "a@6"},
	    {"namespace(x=a).x", "a@12"},
	    {"b if a else c", "b@0 a@5 c@12"},
	    {"not a and -b ~ c < d in e", "a@4 b@11 c@15 d@19 e@24"},
	    {"a is divisibleby b", "a@0 b@17"},
	    {"\xc3\xa9 ~ a", "\xc3\xa9@0 a@5"},
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), true);
}

static void
guards(void **state)
{
	static const struct good rows[] = {
	    {"a | default(1)", "a@0?"},
	    {"a.b.c | d(e)", "a.b.c@0,2,4? e@10"},
	    {"(a.b) | default(0)", "a.b@1,3?"},
	    {"a[b].c | default(0)", "a@0? b@2"},
	    {"a | upper | default(0)", "a@0"},
	    {"(a + b) | default(0)", "a@1 b@5"},
	    {"a | default(b) | default(1)", "a@0? b@12?"},
	    {"a | default(b)", "a@0? b@12"},
	    {"a is defined", "a@0?"},
	    {"a.b is not defined", "a.b@0,2?"},
	    {"a is undefined", "a@0?"},
	    {"a is none", "a@0"},
	    {"a is defined and a > 1", "a@0? a@17?"},
	    {"a is not defined or a.b", "a@0? a.b@20,22?"},
	    {"a.b is defined and a.c", "a.b@0,2? a.c@19,21"},
	    {"a.b is defined and a.b.c", "a.b@0,2? a.b.c@19,21,23?"},
	    {"a > 1 and a is defined", "a@0 a@10?"},
	    {"a if a is defined else b", "a@0? a@5? b@23"},
	    {"(a is defined) and b and a", "a@1? b@19 a@25?"},
	    {"(a is defined and a) or a", "a@1? a@18? a@24?"},
	    {"[a is defined, a]", "a@1? a@15"},
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), true);
}

static void
statements(void **state)
{
	static const struct good rows[] = {
	    {"no tags", ""},
	    {"{# {{ a }} #}{% raw %}{{ b }}{% endraw %}", ""},
	    {"{{ a }}{% if b %}{{ c }}{% elif d %}{% else %}{{ e }}{% endif %}",
	     "a@3 b@13 c@20 d@32 e@49"},
	    {"{{ x }}{% set x = y %}{{ x }}", "x@3 y@18"},
	    {"{% set x = x %}{{ x }}", "x@11"},
	    {"{% set a, b = c %}{{ a }}{{ b }}", "c@14"},
	    {"{% for i in l if i > n %}{{ i }}{{ loop.index }}{% endfor %}{{ i }}{{ loop "
	     "}}",
	     "l@12 n@21 i@63 loop@70"},
	    {"{% for i, (j, k) in l %}{{ i ~ j ~ k }}{% else %}{{ i }}{% endfor %}",
	     "l@20 i@52"},
	    {"{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "l@12 x@53"},
	    {"{% for i in loop %}{% endfor %}", "loop@12"},
	    {"{% if a %}{% set x = 1 %}{% endif %}{{ x }}", "a@6"},
	    {"{% set x | default(y) %}{{ z }}{% set w = 1 %}{% endset %}{{ x }}{{ w }}",
	     "z@27 y@19 w@68"},
	    {"{% set ns = namespace(a=b) %}{% set ns.a = c %}{{ ns.a }}", "b@24 c@43"},
	    {"{% if a is defined %}{{ a.b }}{% else %}{{ a }}{% endif %}{{ a }}",
	     "a@6? a.b@24,26? a@43? a@61"},
	    {"{% if a is not defined %}x{% elif a.b %}y{% endif %}", "a@6? a.b@34,36?"},
	};

	(void)state;
	check(rows, sizeof(rows) / sizeof(rows[0]), false);
}

/* Sources made to be slow to search: they must not be. */
static void
large(void **state)
{
	struct buf src, got;
	int i;

	(void)state;
	buf_init(&src, 0);
	buf_init(&got, 0);
	for (i = 0; i < 30000; i++)
		buf_addf(&src, "{%% set v%d = v%d %%}", i + 1, i);
	buf_adds(&src, "{% if a0 is defined %}");
	for (i = 1; i < 10000; i++)
		buf_addf(&src, "{%% elif a%d is defined %%}", i);
	buf_adds(&src, "{{ a5000.b }}{% endif %}");
	refs_of(src.p, false, &got);
	assert_memory_equal(got.p, "v0@12 a0@", 9);
	assert_non_null(strstr(got.p, "a5000.b@"));
	assert_int_equal(got.p[got.n - 1], '?');
	buf_release(&src);
	buf_release(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths),
	    cmocka_unit_test(guards),
	    cmocka_unit_test(statements),
	    cmocka_unit_test(large),
	};

	return cmocka_run_group_tests_name("jinja_refs", tests, NULL, NULL);
}
