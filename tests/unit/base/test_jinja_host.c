/* What the host sees and gives: names, mappings, the emit hook, values, times, texts. */
#include "jinja_check.h"

static const char context[] = "{\"x\": 3, \"s\": \"it's\", \"e\": \"\", \"l\": [\"a\", "
			      "1], \"n\": null, \"t\": true, \"f\": 1.5,"
			      " \"path\": \"data/raw/text.tar.gz\"}";

/* ---- the emit hook ---- */

/* Write what came from where, and refuse `ident`. */
static int
emit(void *ctx, const struct jinja_emit *e, struct buf *out, struct err *err)
{
	(void)ctx;
	if (e->filter != NULL && strcmp(e->filter, "ident") == 0)
		return err_set(err, ERR_INVALID, "'%s' is refused behind '%s'", e->filter,
			       out->p);
	buf_addf(out, "<%s@%zu+%zu:", e->filter != NULL ? e->filter : "-", e->offset,
		 e->len);
	if (e->val.kind == JINJA_UNDEFINED)
		buf_adds(out, "nothing");
	else
		jinja_put(out, e->val);
	buf_addc(out, '>');
	return 0;
}

static int
done(void *ctx, const struct buf *out, struct err *err)
{
	(void)ctx;
	if (strchr(out->p, '!') != NULL)
		return err_set(err, ERR_INVALID, "the text has a '!'");
	return 0;
}

static void
hooks(void **state)
{
	static const struct good rows[] = {
	    {"a{{ x }}b", "a<-@1+7:3>b"},
	    {"{{ x | sh }}", "<sh@0+12:3>"},
	    {"{{- x | upper | lower -}}", "<lower@0+25:3>"},
	    {"{{ (s | sh) }}", "<sh@0+14:it's>"},
	    {"{{ (s | upper) ~ 'a' }}", "<-@0+23:IT'Sa>"},
	    {"{{ s | e if x else s }}", "<-@0+23:it&#39;s>"},
	    {"{{ l }}", "<-@0+7:['a', 1]>"},
	    {"{{ none }}{{ 'a' if false }}", "<-@0+10:None><-@10+18:nothing>"},
	    {"{% for i in [1, 2] %}{{ i | d }}{% endfor %}", "<d@21+11:1><d@21+11:2>"},
	    /* A block is plain text until it is emitted itself. */
	    {"{% set q %}[{{ s }}]{% endset %}{{ q | sh }}", "<sh@32+12:[it's]>"},
	    /* A mapping of the host's arrives as a mapping. */
	    {"{{ H }}", "<-@0+7:{'alpha': 1, 'beta': 'two'}>"},
	};
	struct check c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_start(&c, context);
		c.ctx.emit = emit;
		if (check_render(&c, rows[i].src) != 0)
			fail_msg("%s: %s%s", rows[i].src, c.mistake.msg, c.err.msg);
		assert_string_equal(c.out.p, rows[i].text);
		check_end(&c);
	}
	check_start(&c, context);
	c.ctx.emit = emit;
	c.ctx.done = done;
	assert_int_equal(check_render(&c, "select * from {{ s | ident }} x"), -1);
	assert_string_equal(c.err.msg, "'ident' is refused behind 'select * from '");
	assert_int_equal(c.where.offset, 14);
	assert_int_equal(c.where.len, 15);
	assert_int_equal(c.out.n, 0);
	assert_int_equal(check_render(&c, "{{ x }}!"), -1);
	assert_string_equal(c.err.msg, "the text has a '!'");
	assert_int_equal(c.out.n, 0);
	assert_int_equal(check_render(&c, "{{ x }}"), 0);
	check_end(&c);
}

/* ---- names and mappings ---- */

static void
mappings(void **state)
{
	static const struct good rows[] = {
	    {"{{ H.alpha }} {{ H['beta'] }} {{ H.get('beta') }} {{ H.get('gamma', 7) }}",
	     "1 two two 7"},
	    {"{{ H | length }} {{ H | list }} {{ 'alpha' in H }} {{ 'x' in H }}",
	     "2 ['alpha', 'beta'] True False"},
	    {"{% for k, v in H.items() %}{{ k }}={{ v }};{% endfor %}",
	     "alpha=1;beta=two;"},
	    {"{{ H.keys() | list }} {{ H.values() | list }} {{ H | "
	     "dictsort(reverse=true) }}",
	     "['alpha', 'beta'] [1, 'two'] [('beta', 'two'), ('alpha', 1)]"},
	    {"{{ H | tojson }} {{ H == {'beta': 'two', 'alpha': 1} }} {{ [H] }} {{ "
	     "dict(H, c=1) }}",
	     "{\"alpha\": 1, \"beta\": \"two\"} True [{'alpha': 1, 'beta': 'two'}] "
	     "{'alpha': 1, 'beta': 'two', 'c': 1}"},
	    {"{{ H is mapping }} {{ H is defined }} {{ H.later is defined }} {{ 'y' if H "
	     "}}",
	     "True True False y"},
	    {"{{ H.later | default('no') }} {{ H.later.x.y | d('no') }} {{ no.x[0] | "
	     "d(1) }}",
	     "no no 1"},
	};
	static const struct wrong bad[] = {
	    {"{{ H.later }}", false, 5, 5, "H.later is known when the task has run"},
	    {"{{ H.later.x }}", false, 5, 5, "H.later is known when the task has run"},
	    {"{{ H.alpa }}", false, 5, 4, "H has no 'alpa'; did you mean 'alpha'?"},
	    {"{{ H.alpha.x }}", false, 11, 1, "'H.alpha' is an integer and has no 'x'"},
	    {"{{ H.broken | default(1) }}", false, 5, 6, "the disk is gone"},
	    {"{{ fails | default(1) }}", false, 3, 5, "cannot look up 'fails'"},
	    {"{{ pth }}", false, 3, 3, "'pth' is undefined; did you mean 'path'?"},
	};

	(void)state;
	GOOD(rows);
	WRONG(bad);
}

/* ---- what is Jinja2's no more: times, paths, JSON ---- */

static void
our_filters(void **state)
{
	static const struct good rows[] = {
	    {"{{ T }} {{ [T] }} {{ T | tojson }}",
	     "2026-01-02T03:04:05Z ['2026-01-02T03:04:05Z'] \"2026-01-02T03:04:05Z\""},
	    {"{{ T | ds }} {{ T | ds_nodash }} {{ T | ts }} {{ T | ts_nodash }}",
	     "2026-01-02 20260102 2026-01-02T03:04:05Z 20260102T030405"},
	    {"{{ T | date('%d.%m.%y %H:%M') }} {{ T | date }} {{ '2026-11-22' | date('%j "
	     "%a') }}",
	     "02.01.26 03:04 2026-01-02 326 Sun"},
	    {"{{ T.year }}-{{ T.month }}-{{ T.day }} {{ T.hour }}:{{ T.minute }}:{{ "
	     "T.second }}",
	     "2026-1-2 3:4:5"},
	    {"{{ T.strftime('%Y %-m %-d %B %b %A %a %p %I %Z %z %s %e %F %T %D %R %u %w "
	     "%%') }}",
	     "2026 1 2 January Jan Friday Fri AM 03 UTC +0000 1767323045  2 2026-01-02 "
	     "03:04:05 01/02/26 03:04 5 5 %"},
	    {"{{ T.strftime('%U %W %V %G %j %C %y %f %n%t%h %x|%X|%c') }}",
	     "00 00 01 2026 002 20 26 000000 \n\tJan 01/02/26|03:04:05|Fri Jan  2 "
	     "03:04:05 2026"},
	    {"{{ '2027-01-01' | date('%G-W%V-%u') }} {{ '2024-12-30' | date('%G %V %U "
	     "%W') }}",
	     "2026-W53-5 2025 01 52 53"},
	    {"{{ '1969-12-31T23:59:59.5Z' | date('%F %T.%f %a %s') }}",
	     "1969-12-31 23:59:59.500000 Wed -1"},
	    {"{{ T.isoformat() }} {{ T.timestamp() }} {{ T.weekday() }} {{ "
	     "T.isoweekday() }}",
	     "2026-01-02T03:04:05+00:00 1767323045.0 4 5"},
	    {"{{ '{:%Y/%m}'.format(T) }} {{ T == T }} {{ T < T }} {{ T <= T }} {{ 'y' if "
	     "T }}",
	     "2026/01 True False True y"},
	    {"{{ path | basename }} {{ path | stem }} {{ path | basename | stem | stem "
	     "}} "
	     "{{ path | dirname }}",
	     "text.tar.gz text.tar text data/raw"},
	    {"{{ 'a/' | basename }} {{ '/' | basename }} {{ '' | basename }}| {{ 'a' | "
	     "dirname }} "
	     "{{ '/a' | dirname }} {{ '/' | dirname }} {{ 'a//b//' | dirname }} {{ '//' "
	     "| dirname }}",
	     "a / | . / / a /"},
	    {"{{ '.bashrc' | stem }} {{ 'a.' | stem }} {{ '..' | stem }} {{ 'a.b/c' | "
	     "stem }}",
	     ".bashrc a. .. c"},
	    {"{{ '{\"a\": [1, 2.5, null, true, \"x\"]}' | fromjson }} {{ '3' | fromjson "
	     "+ 1 }}",
	     "{'a': [1, 2.5, None, True, 'x']} 4"},
	    {"{{ s | sh }} {{ l | sh }} {{ s | ident }}", "it's ['a', 1] it's"},
	    /* Letters beyond ASCII where one becomes one. */
	    {"{{ "
	     "'\xc3\xa9\xc3\xbf\xc4\x8d\xc5\xbe\xce\xb1\xcf\x82\xce\xac\xd0\xb6\xd1\x91' "
	     "| upper }}",
	     "\xc3\x89\xc5\xb8\xc4\x8c\xc5\xbd\xce\x91\xce\xa3\xce\x86\xd0\x96\xd0\x81"},
	    {"{{ "
	     "'\xc3\x89\xc5\xb8\xc4\x8c\xc5\xbd\xce\x91\xce\xa3\xce\x86\xd0\x96\xd0\x81' "
	     "| lower }}",
	     "\xc3\xa9\xc3\xbf\xc4\x8d\xc5\xbe\xce\xb1\xcf\x83\xce\xac\xd0\xb6\xd1\x91"},
	    {"{{ '\xc3\x9f' | upper }}", "\xc3\x9f"},
	    /* Lists where Jinja2 has generators, keys before methods. */
	    {"{{ l | map('string') }} {{ l | select('string') | length }}",
	     "['a', '1'] 1"},
	    {"{{ {'items': 1}.items }} {{ {'items': 1}.items() | list }}",
	     "1 [('items', 1)]"},
	    /* A chain of undefined values is asked about as a whole. */
	    {"{{ a.b.c is defined }} {{ a.b['c'].d | default('x') }} {{ a | d(b) | d(2) "
	     "}}",
	     "False x 2"},
	    {"{{ [] | first | default('none') }} {{ l[5] | default('no') }}", "none no"},
	    /* Line ends and the newline at the end stay. */
	    {"a\r\n{{ x }}\r\n", "a\r\n3\r\n"},
	    {"\n\n", "\n\n"},
	    {"{ {x} }} %} #} {", "{ {x} }} %} #} {"},
	    {"\xff{{ '\xfe' | length }}{{ '\xfe\x80' | reverse }}", "\xff"
								    "1\x80\xfe"},
	};

	(void)state;
	GOOD(rows);
}

/* ---- whitespace ---- */

static void
whitespace(void **state)
{
	/* Options, template, text: as Jinja2 3.1.6. */
	static const struct {
		bool trim, lstrip;
		const char *src, *text;
	} rows[] = {
	    {false, false, "a\n  {% if x %}\n  b\n  {% endif %}\nc\n",
	     "a\n  \n  b\n  \nc\n"},
	    {true, false, "a\n  {% if x %}\n  b\n  {% endif %}\nc\n", "a\n    b\n  c\n"},
	    {false, true, "a\n  {% if x %}\n  b\n  {% endif %}\nc\n", "a\n\n  b\n\nc\n"},
	    {true, true, "a\n  {% if x %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc\n"},
	    {true, true, "  {% if x %}\n {{ x }}\n  {% endif %}", " 3\n"},
	    {true, true, "  {%+ if x %}a{% endif +%}\nb", "  a\nb"},
	    {true, true, "  {# c #}\nb {# c #}\nd", "b d"},
	    {true, true, "a  {% if x %}b{% endif %}", "a  b"},
	    {true, true, "\n\n {%- if x %}\n\nb {% endif -%} \n c", "\nb c"},
	    {true, true, "{% if x %}\r\nb\r\n{% endif %}\r\nc", "b\r\nc"},
	    {false, true, "{{ x }}  {% if x %}b{% endif %}", "3  b"},
	    {true, true, "  {% raw %}\n  {{ x }}\n  {% endraw %}\nb", "\n  {{ x }}\nb"},
	    {true, true, "a\n  {{ x }}\n", "a\n  3\n"},
	};
	struct jinja_options opt;
	struct check c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_start(&c, context);
		opt = (struct jinja_options){rows[i].trim, rows[i].lstrip};
		assert_int_equal(jinja_compile_with(c.code, rows[i].src,
						    strlen(rows[i].src), &opt, &c.t,
						    &c.mistake),
				 0);
		assert_int_equal(jinja_render(c.t, &c.ctx, &c.out, NULL, &c.err), 0);
		if (strcmp(c.out.p, rows[i].text) != 0)
			fail_msg("row %zu gives %s", i, c.out.p);
		check_end(&c);
	}
}

/* ---- values ---- */

static int
eval(struct check *c, const char *src, bool expr, struct jinja_val *v)
{
	int rc = expr ? jinja_compile_expr(c->code, src, strlen(src), &c->t, &c->mistake)
		      : jinja_compile(c->code, src, strlen(src), &c->t, &c->mistake);

	return rc != 0 ? rc : jinja_eval(c->t, &c->ctx, v, &c->where, &c->err);
}

static void
evaluation(void **state)
{
	static const struct {
		const char *src;
		bool expr;
		enum jinja_kind kind;
		const char *text;
	} rows[] = {
	    {"x + 1", true, JINJA_INT, "4"},
	    {" x > 2 and\n t ", true, JINJA_BOOL, "True"},
	    {"[1, 'a']", true, JINJA_LIST, "[1, 'a']"},
	    {"n", true, JINJA_NONE, "None"},
	    {"H", true, JINJA_HOST, "<H>"},
	    {"T", true, JINJA_TIME, "2026-01-02T03:04:05Z"},
	    {"{{ x }}", false, JINJA_INT, "3"},
	    {"{{ f | sh }}", false, JINJA_FLOAT, "1.5"},
	    {"{{- x -}}", false, JINJA_INT, "3"},
	    {"{# c #}{{ l }}", false, JINJA_LIST, "['a', 1]"},
	    {" {{ x }}", false, JINJA_STR, " 3"},
	    {"{{ x }}\n", false, JINJA_STR, "3\n"},
	    {"{{ x }}{{ x }}", false, JINJA_STR, "33"},
	    {"{% if x %}{{ x }}{% endif %}", false, JINJA_STR, "3"},
	    {"text", false, JINJA_STR, "text"},
	    {"", false, JINJA_STR, ""},
	};
	struct jinja_val v;
	struct check c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_start(&c, context);
		if (eval(&c, rows[i].src, rows[i].expr, &v) != 0)
			fail_msg("%s: %s%s", rows[i].src, c.mistake.msg, c.err.msg);
		assert_int_equal(v.kind, rows[i].kind);
		jinja_put(&c.out, v);
		assert_string_equal(c.out.p, rows[i].text);
		check_end(&c);
	}
}

/* An expression that stands alone. */
static void
bare_expressions(void **state)
{
	static const struct {
		const char *src;
		bool compile;
		size_t offset, len;
		const char *msg;
	} rows[] = {
	    {"", true, 0, 0, "an expression is missing at the end"},
	    {"  ", true, 2, 0, "an expression is missing at the end"},
	    {"x y", true, 2, 1, "expected the end of the expression, not 'y'"},
	    {"x, y", true, 1, 1, "expected the end of the expression, not ','"},
	    {"x }}", true, 2, 1, "expected the end of the expression, not '}'"},
	    {" {{ x }}", true, 1, 2, "an expression is written without '{{ }}'"},
	    {"x | sh", true, 4, 2,
	     "the filter 'sh' works only as the last one of a {{ }}"},
	    {"x = 1", true, 2, 1, "expected the end of the expression, not '='"},
	    {"y > 1", false, 0, 1, "'y' is undefined"},
	    {"'a' if false", false, 0, 12,
	     "there is no value: the condition is false, and there is no 'else'"},
	};
	struct jinja_val v;
	struct check c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_start(&c, "{\"x\": 3}");
		assert_int_equal(eval(&c, rows[i].src, true, &v), -1);
		assert_int_equal(c.mistake.msg[0] != '\0', rows[i].compile);
		assert_string_equal(rows[i].compile ? c.mistake.msg : c.err.msg,
				    rows[i].msg);
		assert_int_equal(rows[i].compile ? c.mistake.offset : c.where.offset,
				 rows[i].offset);
		assert_int_equal(rows[i].compile ? c.mistake.len : c.where.len,
				 rows[i].len);
		check_end(&c);
	}
}

static void
plain_and_single(void **state)
{
	static const struct {
		const char *src;
		bool plain, single;
	} rows[] = {
	    {"", true, false},		{"a { b } c", true, false},
	    {"{{ x }}", false, true},	{"{{ x }}b", false, false},
	    {"{# c #}", false, false},	{"{% raw %}a{% endraw %}", false, false},
	    {" {{- x }}", false, true}, {"{{ x }}{{ x }}", false, false},
	};
	struct check c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_start(&c, context);
		assert_int_equal(jinja_compile(c.code, rows[i].src, strlen(rows[i].src),
					       &c.t, &c.mistake),
				 0);
		assert_int_equal(jinja_is_plain(c.t), rows[i].plain);
		assert_int_equal(jinja_is_single(c.t), rows[i].single);
		check_end(&c);
	}
}

/* ---- again and again ---- */

struct nested {
	struct check *c;
	const struct jinja *t;
	int depth;
};

/* A name whose value is a rendering of the same template, some times over. */
static int
lookup_nested(void *ctx, struct arena *a, const char *name, struct jinja_val *out,
	      struct err *err)
{
	struct nested *n = ctx;
	struct jinja_ctx inner = n->c->ctx;
	int rc;

	if (strcmp(name, "again") != 0)
		return 0;
	*out = jinja_str("end");
	if (n->depth == 0)
		return 1;
	n->depth--;
	inner.arena = a;
	rc = jinja_eval(n->t, &inner, out, NULL, err);
	return rc == 0 ? 1 : -1;
}

static void
reentrant(void **state)
{
	static const char src[] = "{% set q = 1 %}{% for i in [1, 2] %}{{ i }}"
				  "{% if i == 1 %}<{{ again }}>{% endif %}{% endfor %}";
	struct nested n = {.depth = 3};
	struct check c;

	(void)state;
	check_start(&c, context);
	assert_int_equal(jinja_compile(c.code, src, strlen(src), &c.t, &c.mistake), 0);
	n.c = &c;
	n.t = c.t;
	c.ctx.ctx = &n;
	c.ctx.lookup = lookup_nested;
	c.ctx.name = NULL;
	assert_int_equal(jinja_render(c.t, &c.ctx, &c.out, NULL, &c.err), 0);
	assert_string_equal(c.out.p, "1<1<1<1<end>2>2>2>2");
	/* Nothing of it is left in the template. */
	buf_clear(&c.out);
	assert_int_equal(jinja_render(c.t, &c.ctx, &c.out, NULL, &c.err), 0);
	assert_string_equal(c.out.p, "1<end>2");
	check_end(&c);
}

/* A failed rendering leaves nothing behind; what follows is as if it had not been. */
static void
after_failure(void **state)
{
	static const char src[] = "{% set q %}{{ x }}{{ y }}{% endset %}{{ q }}";
	struct check c;

	(void)state;
	check_start(&c, context);
	assert_int_equal(check_render(&c, src), -1);
	assert_string_equal(c.err.msg, "'y' is undefined");
	assert_int_equal(check_render(&c, "{{ x }}"), 0);
	assert_string_equal(c.out.p, "3");
	/* Neither place nor error need be wanted. */
	assert_int_equal(jinja_compile(c.code, src, strlen(src), &c.t, &c.mistake), 0);
	assert_int_equal(jinja_render(c.t, &c.ctx, &c.out, NULL, NULL), -1);
	assert_string_equal(c.out.p, "3");
	check_end(&c);
}

static void
json_text(void **state)
{
	struct jinja_dict *d;
	struct jinja_list *l;
	struct check c;
	struct buf b;

	(void)state;
	check_start(&c, context);
	buf_init(&b, 0);
	d = jinja_dict_new(c.data);
	l = jinja_list_new(c.data);
	assert_int_equal(jinja_list_push(c.data, l, jinja_float(1.0 / 0.0)), 0);
	assert_int_equal(jinja_list_push(c.data, l, jinja_str("<\xc3\xa9'\x01\xff\"")),
			 0);
	assert_int_equal(jinja_list_push(c.data, l, jinja_time(CHECK_TIME + 1)), 0);
	assert_int_equal(jinja_dict_put(c.data, d, "z", jinja_int(-1)), 0);
	assert_int_equal(
	    jinja_dict_put(c.data, d, "a",
			   (struct jinja_val){.kind = JINJA_LIST, .list = l}),
	    0);
	assert_int_equal(jinja_dict_put(c.data, d, "z", jinja_none()), 0);
	assert_int_equal(jinja_dict_len(d), 2);
	jinja_put_json(&b, (struct jinja_val){.kind = JINJA_DICT, .dict = d});
	assert_string_equal(
	    b.p, "{\"z\":null,\"a\":[null,\"<\xc3\xa9'\\u0001\xef\xbf\xbd\\\"\","
		 "\"2026-01-02T03:04:05.000001Z\"]}");
	buf_release(&b);
	check_end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hooks),
	    cmocka_unit_test(mappings),
	    cmocka_unit_test(our_filters),
	    cmocka_unit_test(whitespace),
	    cmocka_unit_test(evaluation),
	    cmocka_unit_test(bare_expressions),
	    cmocka_unit_test(plain_and_single),
	    cmocka_unit_test(reentrant),
	    cmocka_unit_test(after_failure),
	    cmocka_unit_test(json_text),
	};

	return cmocka_run_group_tests_name("jinja_host", tests, NULL, NULL);
}
