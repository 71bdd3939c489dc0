/*
 * Statements, whitespace and text: what Jinja2 3.1.6 with StrictUndefined and keep_trailing_newline gives for
 * the same templates.
 */
#include "jinja_check.h"

static const char context[] = CHECK_CONTEXT;

static const struct good rows[] = {
    {"{{ ['it\\'s', \"q\\\"\", 'both\\'\"', 'n\\n', '\\\\'] }}",
     "[\"it's\", 'q\"', 'both\\'\"', 'n\\n', '\\\\']"},
    {"{% if x is divisibleby 3 and x is odd %}y{% endif %}{{ not x is defined }} {{ not "
     "1 in [2] }} {{ 1 not in [2] }} {{ 'a' in 'abc' }} {{ 'a' in d }} {{ 'zz' not in d "
     "}} {{ x in l }}",
     "yFalse True True True True True True"},
    {"{{ 'a\\nb\\r\\nc'.splitlines() }}", "['a', 'b', 'c']"},
    {"{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ "
     "loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.cycle('a','b') }}{{ "
     "loop.previtem if not loop.first }}{{ loop.nextitem is defined }};{% endfor %}",
     "10TrueFalse332aTrue;21FalseFalse321b3True;32FalseTrue310a1False;"},
    {"{% for a, b in d.items() %}{{ a }}={{ b }},{% endfor %}{% for a, (b, c) in "
     "[(1,(2,3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for k in d %}{{ k }}{% endfor "
     "%}{% for c in 'ab' %}[{{ c }}]{% endfor %}{% for (a, b) in [(1,2)] %}{{ a+b }}{% "
     "endfor %}",
     "b=2,a=1,C=3,123baC[a][b]3"},
    {"{% for i in [] %}x{% else %}empty{% endfor %}{% for i in [1,2,3,4] if i is even "
     "%}{{ loop.index }}:{{ i }} {% endfor %}{% for i in [1] if i > 5 %}x{% else "
     "%}none{% endfor %}",
     "empty1:2 2:4 none"},
    {"{% for i in [1,2] %}{% for j in [1,2] %}{{ loop.index }}{{ i }}{{ j }} {% endfor "
     "%}{{ loop.index }}{% endfor %}",
     "111 212 1121 222 2"},
    {"{% set x = 1 %}{% for i in [1,2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}{% "
     "if true %}{% set x = 9 %}{% endif %}{{ x }}",
     "2319"},
    {"{% set ns = namespace(c=0) %}{% for i in l %}{% set ns.c = ns.c + i %}{% endfor "
     "%}{{ ns.c }} {{ ns }} {% set ns.z = 'q' %}{{ ns.z }}",
     "6 <Namespace {'c': 6}> q"},
    {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set a, b = b, a %}{{ a }}{{ b }}{% set q = "
     "1, 2 %}{{ q }}",
     "1221(1, 2)"},
    {"{% set z %}text {{ x }}{% endset %}[{{ z }}]{% set z | upper %}text{% endset %}[{{ "
     "z }}]{% set z | replace('t','T') | trim %} text {% endset %}[{{ z }}]",
     "[text 3][TEXT][TexT]"},
    {"{% if x == 1 %}a{% elif x == 3 %}b{% else %}c{% endif %}{% if e %}a{% elif n %}b{% "
     "else %}c{% endif %}{% if [] %}y{% endif %}",
     "bc"},
    {"{# comment #}a{#- x -#} b {#- y #} c", "ab c"},
    {"a {{- x -}} b  {%- if true -%}  c  {%- endif %}  d {{+ x }} {%+ if true +%} e {% "
     "endif %}",
     "a3bc  d 3  e "},
    {"{% raw %}{{ x }} {% if %}{% endraw %}|{%- raw -%}  {{ y }}  {%- endraw -%}  |",
     "{{ x }} {% if %}|{{ y }}|"},
    {"line\n{% if true %}\n  x\n{% endif %}\nend\n", "line\n\n  x\n\nend\n"},
    {"{{ \"multi\\nline\" }}{{ 'a' if x }}{{ 'b' if false else '' }}", "multi\nlinea"},
};

static void
as_jinja2(void **state)
{
	(void)state;
	GOOD(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_jinja2)};

	return cmocka_run_group_tests_name("jinja_statements", tests, NULL, NULL);
}
