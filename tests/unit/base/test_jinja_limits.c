/* Every limit of the engine, at the limit and one past it, and memory that runs out. */
#include "jinja_check.h"

static const char context[] = "{\"x\": 1, \"l\": [3, 1, 2], \"a\": {}, \"z\": [0]}";

/* ${n} times ${open}, then ${inner}, then ${n} times ${close}, between ${before} and ${after}. */
static void
nest(struct buf *b, const char *before, const char *open, const char *inner,
     const char *close, const char *after, int n)
{
	int i;

	buf_clear(b);
	buf_adds(b, before);
	for (i = 0; i < n; i++)
		buf_adds(b, open);
	buf_adds(b, inner);
	for (i = 0; i < n; i++)
		buf_adds(b, close);
	buf_adds(b, after);
	assert_false(buf_failed(b));
}

static void
source_size(void **state)
{
	struct check c;
	struct buf src;

	(void)state;
	buf_init(&src, JINJA_SRC_MAX + 2);
	check_start(&c, context);
	nest(&src, "", "x", "", "", "", (int)JINJA_SRC_MAX);
	assert_int_equal(check_render(&c, src.p), 0);
	assert_int_equal(c.out.n, JINJA_SRC_MAX);
	check_end(&c);
	check_start(&c, context);
	buf_addc(&src, 'x');
	assert_int_equal(check_render(&c, src.p), -1);
	assert_string_equal(c.mistake.msg, "the template is longer than 1048576 bytes");
	assert_int_equal(c.mistake.offset, JINJA_SRC_MAX);
	check_end(&c);
	buf_release(&src);
}

static void
nesting(void **state)
{
	/* How deep each may be: 64, less what stands around or inside it. */
	static const struct {
		const char *before, *open, *inner, *close, *after;
		int max;
	} kinds[] = {
	    {"{{ ", "(", "1", ")", " }}", 64},
	    {"{{ ", "[", "1", "]", " }}", 64},
	    {"{{ ", "(", "1", ",)", " }}", 64},
	    {"{{ ", "{1:", "1", "}", " }}", 64},
	    {"{{ ", "not ", "1", "", " }}", 64},
	    {"{{ ", "- ", "1", "", " }}", 64},
	    {"{{ ", "1 if 0 else ", "1", "", " }}", 64},
	    {"{{ ", "1 + (", "1", ")", " }}", 64},
	    {"{{ ", "z[", "0", "]", " }}", 64},
	    {"{{ ", "dict(a=", "1", ").a", " }}", 32},
	    {"{{ 1", " | string", "", "", " }}", 64},
	    {"{{ a", ".b", "", "", " is undefined }}", 63},
	    {"", "{% if true %}", "x", "{% endif %}", "", 64},
	    {"", "{% if true %}x{% else %}", "x", "{% endif %}", "", 64},
	    {"", "{% for i in 'a' %}", "x", "{% endfor %}", "", 64},
	    {"", "{% set q %}", "x", "{% endset %}", "", 64},
	    {"", "{% if true %}", "{{ -1 }}", "{% endif %}", "", 63},
	};
	struct check c;
	struct buf src;
	size_t i;

	(void)state;
	buf_init(&src, 0);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		check_start(&c, context);
		nest(&src, kinds[i].before, kinds[i].open, kinds[i].inner, kinds[i].close,
		     kinds[i].after, kinds[i].max);
		if (check_render(&c, src.p) != 0)
			fail_msg("%s: %s%s", src.p, c.mistake.msg, c.err.msg);
		check_end(&c);
		check_start(&c, context);
		nest(&src, kinds[i].before, kinds[i].open, kinds[i].inner, kinds[i].close,
		     kinds[i].after, kinds[i].max + 1);
		assert_int_equal(check_render(&c, src.p), -1);
		if (strcmp(c.mistake.msg, "nested more than 64 deep") != 0)
			fail_msg("%s: %s", src.p, c.mistake.msg);
		assert_true(c.mistake.offset < src.n);
		check_end(&c);
	}
	buf_release(&src);
}

/* What is long is no deeper than what is short. */
static void
width(void **state)
{
	static const char *const links[] = {" + 1",  " ~ 1", " and 1",
					    " or 0", " < 2", ""};
	struct check c;
	struct buf src;
	size_t i;

	(void)state;
	buf_init(&src, 0);
	for (i = 0; i < 5; i++) {
		check_start(&c, context);
		nest(&src, "{{ 1", links[i], "", "", " }}", 20000);
		if (check_render(&c, src.p) != 0)
			fail_msg("%s: %s%s", links[i], c.mistake.msg, c.err.msg);
		check_end(&c);
	}
	check_start(&c, context);
	nest(&src, "{% if 0 %}", "{% elif 0 %}", "{% else %}y", "", "{% endif %}", 20000);
	assert_int_equal(check_render(&c, src.p), 0);
	assert_string_equal(c.out.p, "y");
	check_end(&c);
	buf_release(&src);
}

static int
render_with_steps(const char *src, uint64_t steps)
{
	struct check c;
	int rc;

	check_start(&c, context);
	c.ctx.steps_max = steps;
	rc = check_render(&c, src);
	if (rc != 0) {
		assert_int_equal(c.err.code, ERR_LIMIT);
		assert_non_null(strstr(c.err.msg, "steps"));
		assert_string_equal(c.out.p, "");
	}
	check_end(&c);
	return rc;
}

static void
steps(void **state)
{
	struct check c;
	uint64_t n;

	(void)state;
	/* The statement and the constant. */
	assert_int_equal(render_with_steps("{{ 1 }}", 2), 0);
	assert_int_equal(render_with_steps("{{ 1 }}", 1), -1);
	/* Each round is counted, whatever its body. */
	for (n = 1; render_with_steps("{% for i in range(100) %}{% endfor %}", n) != 0;
	     n++)
		;
	assert_in_range(n, 200, 230);
	assert_int_equal(
	    render_with_steps("{% for i in range(100) %}{% endfor %}", n - 1), -1);
	/* Without a number of the caller's. */
	check_start(&c, context);
	assert_int_equal(check_render(&c, "{{ range(999994) | length }}"), 0);
	check_end(&c);
	check_start(&c, context);
	assert_int_equal(check_render(&c, "{{ range(999995) | length }}"), -1);
	assert_int_equal(c.err.code, ERR_LIMIT);
	check_end(&c);
}

/* Work on bytes is work: by their nodes alone all of these would pass. */
static void
bytes_are_steps(void **state)
{
	static const char *const srcs[] = {
	    "{% for i in range(1000) %}{% set t = s | upper %}{% endfor %}",
	    "{% for i in range(1000) %}{% if 'y' in s %}{% endif %}{% endfor %}",
	    "{% for i in range(1000) %}{% if s == r %}{% endif %}{% endfor %}",
	    "{% for i in range(1000) %}{% if s | length %}{% endif %}{% endfor %}",
	    "{% for i in range(1000) %}{% set t = s[1:] %}{% endfor %}",
	    "{% for i in range(1000) %}{% set t = s ~ i %}{% endfor %}",
	    "{% set t = s.rsplit(s[9:] ~ 'y') %}",
	};
	char src[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(srcs) / sizeof(srcs[0]); i++) {
		(void)snprintf(
		    src, sizeof(src),
		    "{%% set s = 'x' * 100000 %%}{%% set r = 'x' * 100000 %%}%s",
		    srcs[i]);
		if (render_with_steps(src, 30000) == 0)
			fail_msg("%s", srcs[i]);
	}
	/* Comparing each with each is counted too. */
	assert_int_equal(
	    render_with_steps("{{ range(99) | batch(1) | unique | length }}", 20000), 0);
	assert_int_equal(
	    render_with_steps("{{ range(999) | batch(1) | unique | length }}", 20000),
	    -1);
}

static int
render_with_output(const char *src, size_t max, size_t *got)
{
	struct check c;
	int rc;

	check_start(&c, context);
	c.ctx.output_max = max;
	rc = check_render(&c, src);
	*got = c.out.n;
	if (rc != 0) {
		assert_int_equal(c.err.code, ERR_LIMIT);
		assert_non_null(strstr(c.err.msg, "the text is longer than"));
	}
	check_end(&c);
	return rc;
}

static void
output(void **state)
{
	static const char *const tens[] = {
	    "0123456789",
	    "{{ '0123456789' }}",
	    "{% for i in range(10) %}{{ i }}{% endfor %}",
	    "{{ 'x' * 10 }}",
	    "{{ 'x' | center(10) }}",
	    "{{ '%10d' % 1 }}",
	    "{{ '{:10}'.format(1) }}",
	    "{{ 1234567890 }}",
	    "{% set q %}0123456789{% endset %}{{ q }}",
	    "{{ [1, 2, 34] }}",
	    "{{ 'a' | indent(9, true) }}",
	    "{{ '01' ~ '23' ~ '456789' }}",
	    "{{ 'aaaaa' | replace('a', 'bb') }}",
	    "{{ ['aa', 'bb', 'cc'] | join(', ') }}",
	    "{{ '<<' | e }}{{ 'ab' }}",
	    "{{ {'a': 'b'} | tojson }}",
	};
	size_t i, got;

	(void)state;
	for (i = 0; i < sizeof(tens) / sizeof(tens[0]); i++) {
		if (render_with_output(tens[i], 10, &got) != 0 || got != 10)
			fail_msg("%s: %zu bytes", tens[i], got);
		if (render_with_output(tens[i], 9, &got) == 0 || got != 0)
			fail_msg("%s: %zu bytes", tens[i], got);
	}
	assert_int_equal(render_with_output("{{ 'x' * 16777216 }}", 0, &got), 0);
	assert_int_equal(got, JINJA_OUTPUT_MAX);
	assert_int_equal(render_with_output("{{ 'x' * 16777217 }}", 0, &got), -1);
	assert_int_equal(render_with_output("{{ 'x' * 16777216 }}x", 0, &got), -1);
}

/* What stands in the caller's buffer stays, and its own maximum holds too. */
static void
callers_buffer(void **state)
{
	struct check c;

	(void)state;
	check_start(&c, context);
	buf_release(&c.out);
	buf_init(&c.out, 8);
	buf_adds(&c.out, "abc");
	assert_int_equal(check_render(&c, "{{ 12345 }}"), 0);
	assert_string_equal(c.out.p, "abc12345");
	buf_truncate(&c.out, 3);
	assert_int_equal(check_render(&c, "12{{ 3456 }}"), -1);
	assert_string_equal(c.err.msg, "the text is longer than 5 bytes");
	assert_string_equal(c.out.p, "abc");
	assert_false(buf_failed(&c.out));
	assert_int_equal(c.out.max, 8);
	assert_int_equal(c.where.offset, 2);
	assert_int_equal(c.where.len, 10);
	check_end(&c);
}

/* Values are nested as deep as templates; a namespace may even hold itself. */
static void
values(void **state)
{
	struct check c;
	char src[200];
	int n;

	(void)state;
	for (n = 64; n <= 65; n++) {
		check_start(&c, context);
		(void)snprintf(src, sizeof(src),
			       "{%% set ns = namespace(v=0) %%}{%% for i in range(%d) %%}"
			       "{%% set ns.v = [ns.v] %%}{%% endfor %%}{{ ns.v }}",
			       n);
		assert_int_equal(check_render(&c, src), n == 64 ? 0 : -1);
		if (n == 65)
			assert_string_equal(
			    c.err.msg, "lists and mappings are nested more than 64 deep");
		check_end(&c);
	}
	check_start(&c, context);
	assert_int_equal(check_render(&c,
				      "{% set ns = namespace() %}{% set ns.a = [ns] %}"
				      "{% set ns.b = ns %}{{ ns }} {{ ns == ns }}"),
			 0);
	assert_string_equal(c.out.p,
			    "<Namespace {'a': [<Namespace>], 'b': <Namespace>}> True");
	check_end(&c);
}

/* A list that holds the same list twice, and so on: small to hold, huge to go through. */
static void
doubling(void **state)
{
	static const char make[] = "{% set ns = namespace(v=[1], w=[1]) %}"
				   "{% for i in range(60) %}{% set ns.v = [ns.v, ns.v] %}"
				   "{% set ns.w = [ns.w, ns.w] %}{% endfor %}";
	static const char *const uses[] = {"{{ ns.v }}",
					   "{{ ns.v == ns.w }}",
					   "{{ ns.v < ns.w }}",
					   "{{ ns.v | tojson }}",
					   "{{ ns.v | string }}",
					   "{{ ns.v in [ns.w] }}",
					   "{{ [ns.v, ns.w] | unique }}",
					   "{{ '%s' % [ns.v] }}",
					   "{{ [ns.v] | join }}"};
	struct check c;
	char src[400];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		check_start(&c, context);
		(void)snprintf(src, sizeof(src), "%s%s", make, uses[i]);
		assert_int_equal(check_render(&c, src), -1);
		if (c.err.code != ERR_LIMIT)
			fail_msg("%s: %s", uses[i], c.err.msg);
		check_end(&c);
	}
}

static const char everything[] =
    "{% set a, b = 1, 'two' %}{% set q | upper %}x{{ a }}{% endset %}{# c #}"
    "{% for k, v in {'a': [1, 2], 'b': (3,)}.items() if v %}{{ loop.index }}{{ k }}"
    "{{ v | map('string') | join('-') }}{% else %}none{% endfor %}"
    "{% if x is defined and nope is undefined %}{{ '%05.1f|%s' % (1.5, [b, q]) }}{% "
    "endif %}"
    "{{ '{:>6}'.format('a' ~ 1 ~ 'b' 'c') if x < 2 <= 3 }}{{ l | sort | reverse | list }}"
    "{{ dict(z=1, y=range(3)) | tojson }}{{ 'a,b'.split(',')[::-1] }}{{ a.b.c | "
    "d('dflt') }}"
    "{{ T.strftime('%Y') }}{{ H.alpha }}{{ H }}{{ '[1, {\"a\": null}]' | fromjson }}"
    "{{ l | select('odd') | map('round', 1) | list }}{{ 'text' | wordwrap(2) | indent }}";

/* At every size of the arena the engine either has enough or says so. */
static void
memory(void **state)
{
	size_t limit, failed = 0;
	struct check c;
	struct buf whole;

	(void)state;
	check_start(&c, context);
	if (check_render(&c, everything) != 0)
		fail_msg("%s%s", c.mistake.msg, c.err.msg);
	buf_init(&whole, 0);
	buf_add(&whole, c.out.p, c.out.n);
	check_end(&c);
	for (limit = 16; limit < 40000; limit += limit < 4000 ? 48 : 512) {
		check_start(&c, context);
		arena_free(c.code);
		c.code = arena_new(limit);
		if (check_render(&c, everything) == 0) {
			assert_string_equal(c.out.p, whole.p);
		} else {
			assert_string_equal(c.mistake.msg, "out of memory");
			failed++;
		}
		check_end(&c);
	}
	assert_in_range(failed, 60, 1000);
	for (limit = 16, failed = 0; limit < 16000; limit += 48) {
		struct arena *data = arena_new(limit);

		check_start(&c, context);
		c.ctx.arena = data;
		if (check_render(&c, everything) == 0) {
			assert_string_equal(c.out.p, whole.p);
		} else {
			assert_string_equal(c.err.msg, "out of memory");
			assert_int_equal(c.err.code, ERR_NOMEM);
			assert_int_equal(c.out.n, 0);
			failed++;
		}
		check_end(&c);
		arena_free(data);
	}
	assert_in_range(failed, 60, 330);
	buf_release(&whole);
}

/* Many names, many members: found by search, not one by one. */
static void
many_names(void **state)
{
	struct check c;
	struct buf src;
	int i;

	(void)state;
	buf_init(&src, 0);
	for (i = 0; i < 30000; i++)
		buf_addf(&src, "{%% set n%d=%d %%}", i, i);
	buf_adds(&src, "{{ n29999 }}");
	check_start(&c, context);
	if (check_render(&c, src.p) != 0)
		fail_msg("%s%s", c.mistake.msg, c.err.msg);
	assert_string_equal(c.out.p, "29999");
	check_end(&c);
	buf_release(&src);
	/* Keys in order, which would make an unbalanced tree a list. */
	check_start(&c, context);
	assert_int_equal(
	    check_render(&c, "{{ dict(range(100000) | batch(2)).get(99998) }}"), 0);
	assert_string_equal(c.out.p, "99999");
	check_end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(source_size),     cmocka_unit_test(nesting),
	    cmocka_unit_test(width),	       cmocka_unit_test(steps),
	    cmocka_unit_test(bytes_are_steps), cmocka_unit_test(output),
	    cmocka_unit_test(callers_buffer),  cmocka_unit_test(values),
	    cmocka_unit_test(doubling),	       cmocka_unit_test(memory),
	    cmocka_unit_test(many_names),
	};

	return cmocka_run_group_tests_name("jinja_limits", tests, NULL, NULL);
}
