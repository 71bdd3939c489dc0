#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "shell_template.h"

/* The rendering must be refused and say ${why}. */
static void
refused_val(const char *tpl, struct jinja_val v, const char *why)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (shell_render(tpl, v, &out, &err) == 0)
		fail_msg("accepted: %s -> %s", tpl, out.p);
	if (strstr(err.msg, why) == NULL)
		fail_msg("template: %s\n message: %s\n lacks: %s", tpl, err.msg, why);
	assert_int_equal(err.code, ERR_INVALID);
	buf_release(&out);
}

static void
refused(const char *tpl, const char *v, const char *why)
{
	refused_val(tpl, jinja_str(v), why);
}

/* The rendering must give ${want}. */
static void
gives_val(const char *tpl, struct jinja_val v, const char *want)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (shell_render(tpl, v, &out, &err) != 0)
		fail_msg("template: %s\n refused: %s", tpl, err.msg);
	assert_string_equal(out.p, want);
	buf_release(&out);
}

static void
gives(const char *tpl, const char *v, const char *want)
{
	gives_val(tpl, jinja_str(v), want);
}

/* A harmless value must be accepted. */
static void
accepted(const char *tpl)
{
	struct buf out;
	struct err err = {0};

	buf_init(&out, 0);
	if (shell_render(tpl, jinja_str("7"), &out, &err) != 0)
		fail_msg("template: %s\n refused: %s", tpl, err.msg);
	buf_release(&out);
}

static void
test_plain_values(void **state)
{
	(void)state;
	gives("./x --date=@", "2026-11-22", "./x --date=2026-11-22");
	gives("./x @ \"a @\" 'b @' # @", "aZ9_./:@%+=,",
	      "./x aZ9_./:@%+=, \"a aZ9_./:@%+=,\""
	      " 'b aZ9_./:@%+=,' # aZ9_./:@%+=,");
	gives("x >@ 2>>\"@\" <@", "f", "x >f 2>>\"f\" <f");
	gives("x -@ a@b", "-5", "x --5 a-5b");
	gives("A=@ B=\"@\" x", "-5", "A=-5 B=\"-5\" x");
	gives_val("x @", jinja_bool(true), "x True");
	gives_val("x @", jinja_int(12), "x 12");
	refused_val("x @", jinja_none(), "None");
	refused_val("x @", jinja_int(-12), "option");
}

static void
test_every_character(void **state)
{
	static const char safe[] = "_./:@%+=,-";
	char v[4] = "a?a";
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			  (c >= 'A' && c <= 'Z') || strchr(safe, c) != NULL;
		static const char *const places[] = {
		    "x @", "x 'a@'", "x \"a@\"", "x # @", "x <<E\na@\nE\n", "x $(y @)"};
		size_t i;

		v[1] = (char)c;
		for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
			struct buf out;
			struct err err;

			buf_init(&out, 0);
			if ((shell_render(places[i], jinja_str(v), &out, &err) == 0) !=
			    ok)
				fail_msg("character %d in %s", c, places[i]);
			buf_release(&out);
		}
	}
	refused_val("x @", jinja_strn("a\0b", 3), "NUL");
	refused_val("x ^", jinja_strn("a\0b", 3), "NUL");
}

static void
test_empty(void **state)
{
	(void)state;
	refused("x @", "", "empty");
	refused("x \"@\"", "", "empty");
	refused("x --a=@", "", "empty");
	gives("x # @\n", "", "x # \n");
	gives("x <<E\na @\nE\n", "", "x <<E\na \nE\n");
	refused("x <<E\nE@\nE\n", "", "end the here-document");
	gives("x ^", "", "x ''");
}

static void
test_command_positions(void **state)
{
	static const char *const at[] = {
	    "@",
	    "  @ x",
	    "a; @",
	    "a\n@",
	    "a | @",
	    "a || @",
	    "a && @",
	    "a & @",
	    "(@)",
	    "( @ )",
	    "{ @; }",
	    "! @",
	    "if @; then a; fi",
	    "if a; then @; fi",
	    "if a; then b; else @; fi",
	    "if a; then b; elif @; then c; fi",
	    "while @; do a; done",
	    "until a; do @; done",
	    "for i in a; do @; done",
	    "case a in b) @;; esac",
	    "case a in b) c;; d) @;; esac",
	    "case a in (b|c) @;; esac",
	    "f() { @; }",
	    "f () @",
	    "function f { @; }",
	    "function f() { @; }",
	    "A=1 @",
	    "A=1 B='x' @",
	    ">f @",
	    "2>&1 @",
	    "A=1 >f @",
	    "x $(@)",
	    "x `@`",
	    "x \"$(@)\"",
	    "x \"`@`\"",
	    "\"@\"",
	    "'@'",
	    "\"\"@",
	    "./@",
	    "a@",
	    "@/run",
	    "a \\\n; @",
	    "exec @",
	    "command @",
	    "command -p @",
	    "builtin @",
	    ". @",
	    "source @",
	    "time @",
	    "time -p @",
	    "env @",
	    "env A=1 -i @",
	    "sudo -n @",
	    "nohup @",
	    "timeout 5 @",
	    "nice -n 5 @",
	    "xargs @",
	    "$X @",
	    "$X $Y @",
	    "`x` @",
	    "${X} @",
	    "$(x) @",
	    "x &> f @",
	    "x { @",
	    "x } @",
	    "x } always { @",
	    "fi @",
	    "if [[ a ]] { @; }",
	    "if (a) @",
	    "for x do @; done",
	    "A[1]=2 @",
	    "a |& @",
	    "\\\n@",
	    "if \\\n @",
	    "x <<E; @\nE\n",
	    "x <<E\nE\n@",
	    "x # b\n@",
	    "x '\n'; @",
	    "time ( @ )",
	    "coproc @",
	    "$'a'; @",
	    "x <(@)",
	    "[ a ] && @",
	    "select i in a; do @; done",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(*at); i++)
		refused(at[i], "ls", "would choose the program");
}

static void
test_no_command_positions(void **state)
{
	static const char *const at[] = {
	    "x @",
	    "x; y @",
	    "x | y @",
	    "if x @; then y @; fi",
	    "for i in @ @; do x @; done",
	    "case @ in @) x @;; (a|@) y;; *) z @;; esac; x @",
	    "case a in\n  a)\n x @\n ;;\n b) y ;&\n c) x @ ;;& d) x;; esac\nx @",
	    "f() { x @; }; f @",
	    "A=1 x @",
	    "x >f @",
	    "x 2>&1 @",
	    "exec x @",
	    "env -i A=1 x @",
	    "sudo -u root x @",
	    "\"$X\" @",
	    "$X y @",
	    "[ @ = 7 ] && x @",
	    "[[ @ == 7 && $x =~ ^(a|b)$ ]] && x @",
	    "x \"$(y @)\" @",
	    "x \"`y @`\" @",
	    "x \"$(y \"$(z \"@\")\")\" @",
	    "x $((1 + @)) @",
	    "x \"$((1 + @))\" @",
	    "x ${A:-b} @",
	    "x \"${A:-b c}\" @ ${A#*/}@",
	    "x <<E @\n$(y) @ ${z} \"'\nE\nx @",
	    "x <<-E\n\t@\n\tE\nx @",
	    "x <<'E'\n$( @\nE\nx @",
	    "x <<A <<B\n@\nA\n@\nB\nx @",
	    "x <<\\E\n$( @\nE\nx @",
	    "x <<<@ @",
	    "(x @)\n( (x @) )\nx @",
	    "(( a < 1 ))\nx @",
	    "for ((i=0; i<3; i++)); do x @; done",
	    "x # it's a \"comment (\ny @",
	    "x a#b'c' @",
	    "x $# $? $$ @",
	    "x 'it'\\''s' @",
	    "x \\\" @ \\' @ \\\\ @",
	    "A=(a @ b)\nx @",
	    "A=@; x @",
	    "export A=@ B=\"@\"",
	    "x --a=@ --b='@' -c\"@\"",
	    "x < <(y @)",
	    "printf '%s\\n' @",
	    "exit @",
	    "set -e\nset -o pipefail\nx @",
	    "while read -r l; do x \"$l\" @; done <@",
	    "{ x @; } >@ 2>&1",
	    "x $'a\\n' @",
	    "grep \"a$\\|b$\" @",
	    "x {} \\; @",
	    "x \"$HOST:@\" \"${HOST}:@\"",
	    "trap 'rm x' EXIT\nx @",
	    "read -r a <f\nx @",
	    "eval \"$x\"; x @",
	    "a && b || c @",
	    "x @\\\n @",
	    "A=$(y @) B=\"`y @`\" C=$((@))",
	    "for i in $(y @); do x >$(y @); done; case $(y @) in $(y @)) ;; esac",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(*at); i++)
		accepted(at[i]);
}

static void
test_options(void **state)
{
	static const char *const at[] = {"x @",
					 "x \"@\"",
					 "x '@'",
					 "x \"\"@",
					 "x ${A}@",
					 "x @ y",
					 "x -- @",
					 "x ''\"@\"",
					 "x $(y)@",
					 "x $(y @)",
					 "case @ in a) ;; esac"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(*at); i++)
		refused(at[i], "-rf", "option");
	gives("x a@ --b=@", "-rf", "x a-rf --b=-rf");
	refused("x ^", "-rf", "write -- before it");
	gives("x -- ^", "-rf", "x -- '-rf'");
	refused("x -- a; x ^", "-rf", "option");
	gives("x --a=^ a^", "-rf", "x --a='-rf' a'-rf'");
	gives("for i in ^; do :; done; x >^", "-rf",
	      "for i in '-rf'; do :; done; x >'-rf'");
	refused("x ''^", "-rf", "option");
}

static void
test_never(void **state)
{
	static const char *const at[][2] = {
	    {"x \\@", "backslash"},
	    {"x \"\\@\"", "backslash"},
	    {"x $@", "behind a '$'"},
	    {"x \"a$@\"", "behind a '$'"},
	    {"x $A@", "${NAME}"},
	    {"x \"$A@\"", "${NAME}"},
	    {"x $1@", "${NAME}"},
	    {"x $?@", "${NAME}"},
	    {"x $A\\\n@", "${NAME}"},
	    {"x ${A@}", "${...}"},
	    {"x ${A:-@}", "${...}"},
	    {"x \"${A:-@}\"", "${...}"},
	    {"x ${A:-'@'}", "${...}"},
	    {"x ${A:-$(y @)}", "${...}"},
	    {"x $'@'", "$'...'"},
	    {"((@))", "((...))"},
	    {"x $[1+@]", "'$['"},
	    {"for @ in a; do b; done", "name of a variable"},
	    {"for i @ a; do b; done", "'in'"},
	    {"function @ { a; }", "function"},
	    {"case a @ b) c;; esac", "'in'"},
	    {"x <<@\na\n7\n", "delimiter"},
	    {"x <<E@\na\nE7\n", "delimiter"},
	    {"x >&@", "file descriptor"},
	    {"x 2>&@", "file descriptor"},
	    {"x 2>&1@", "file descriptor"},
	    {"eval @", "'eval'"},
	    {"eval \"x @\"", "'eval'"},
	    {"command eval x @", "'eval'"},
	    {"\\eval x @", "'eval'"},
	    {"e'v'al x @", "'eval'"},
	    {"trap @ EXIT", "'trap'"},
	    {"read @", "'read'"},
	    {"unset @", "'unset'"},
	    {"declare A=@", "'declare'"},
	    {"let @", "'let'"},
	    {"export @", "'export'"},
	    {"export A@", "'export'"},
	    {"local -n A=@", "'local'"},
	    {"printf -v @ x", "'printf'"},
	    {"[ -v @ ]", "'['"},
	    {"[[ -v @ ]]", "'[['"},
	    {"x ~@", "'~'"},
	    {"A=~@", "'~'"},
	    {"PATH=a:~@", "'~'"},
	    {"x =@", "zsh"},
	    {"x <<E\n$(y @)\nE\n", "here-document"},
	    {"x <<E\n${y:-@}\nE\n", "here-document"},
	    {"x $(( $(y @) ))", "$((...))"},
	    {"x \"`y \"@\"`\"", "where the shells differ"},
	    {"x `y \\`z @\\``", "where the shells differ"},
	    {"x \"${A:-'}'}\" @", "where the shells differ"},
	    {"x *(a) @", "where the shells differ"},
	    {"x $(y) ) @", "where the shells differ"},
	    {"$(( (a) (b) ) ); x @", "where the shells differ"},
	    {"(( a << 2 )); x @", "where the shells differ"},
	    {"{fd}>f @", "where the shells differ"},
	    {"x $(y <<E)\nz\nE\nx @", "where the shells differ"},
	    {"x $'a\\'' @", "where the shells differ"},
	    {"$X A=@", "assignment or a command"},
	    {"$(y @)", "choose the program"},
	    {"\"`y @`\" x", "choose the program"},
	    {"A=1 $((@))", "choose the program"},
	    {"eval \"$(y @)\"", "'eval'"},
	    {"eval x $(y \"$(z @)\")", "'eval'"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(*at); i++)
		refused(at[i][0], "7", at[i][1]);
}

/* What stands behind a value can change what it is. */
static void
test_text_behind(void **state)
{
	(void)state;
	refused("x @>f", "2", "file descriptor");
	refused("x 1@<f", "2", "file descriptor");
	gives("x @>f", "a2", "x a2>f");
	gives("x '@'>f", "2", "x '2'>f");
	gives("x ^>f", "2", "x '2'>f");
	refused("x @(y)", "a", "parentheses");
	refused("x $((@) )", "1", "shells read differently");
	refused("x $((@); y)", "1", "shells read differently");
	refused("[ @ -eq 1 ]", "PATH", "number");
	gives("[ @ -eq 1 ]", "12", "[ 12 -eq 1 ]");
	refused("[[ 1 -gt @ ]]", "a", "digits");
	refused("[[ a == @ && 1 -le 3 ]]", "a", "number");
	refused("case x in @) y;; esac", "esac", "esac");
	refused("x '@", "a", "never closed");
	refused("x $(y @", "a", "never closed");
	refused("x <<E\n@\n", "a", "never closed");
	refused("case a in b) x @", "a", "never closed");
	refused("x @\\", "a", "never closed");
}

static void
test_heredocs(void **state)
{
	(void)state;
	refused("x <<E\n@\nE\n", "E", "end the here-document");
	refused("x <<END\nE@\nEND\n", "ND", "end the here-document");
	refused("x <<-E\n\t\t@\nE\n", "E", "end the here-document");
	refused("x <<'E'\n@\nE\n", "E", "end the here-document");
	gives("x <<E\n@ \nE", "E", "x <<E\nE \nE");
	gives("x <<'E F'\n@\nE F\n", "E", "x <<'E F'\nE\nE F\n");
	refused("x <<END\nE\\\n@\nEND\n", "ND", "where the shells differ");
	refused("x <<E\na \\\nE\nx @\nE\n", "a", "where the shells differ");
	refused("x <<E ^\na\nE\n", "a\nb", "newline in quotes");
	gives("x <<E ^\na\nE\n", "ab", "x <<E 'ab'\na\nE\n");
	refused("x <<E '\n'\nE\nx @", "ab", "where the shells differ");
}

static void
test_arithmetic(void **state)
{
	static const char *const at[] = {"x $((@))", "x \"$((1 + @))\"", "exit @",
					 "x [@]",    "x \"$a[@]\"",	 "[ 1 -lt @ ]",
					 "x a[1@"};
	static const char *const bad[] = {"a", "1a", "PATH=0", "1,2", "1.5"};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(*at); i++) {
		accepted(at[i]);
		for (j = 0; j < sizeof(bad) / sizeof(*bad); j++)
			refused(at[i], bad[j], "only digits");
	}
	refused("x {a,@}", "b,c", "several words");
	refused("x {1..@}", "2..3", "several words");
	refused("x $E{a,}@", "b", "several words");
	gives("x {a,\"@\",'@',^}", "b,c", "x {a,\"b,c\",'b,c','b,c'}");
	refused("x @", "=ls", "zsh");
	refused("x \"$HOST:@\"", "h", "modifier");
}

static void
test_quoting(void **state)
{
	(void)state;
	gives("x ^", "it's; $(a) `b` \"c\" \\", "x 'it'\\''s; $(a) `b` \"c\" \\'");
	gives("^ a", "/bin/my prog", "'/bin/my prog' a");
	gives("A=^ x --a=^b ^", "p q", "A='p q' x --a='p q'b 'p q'");
	gives("case ^ in ^) x;; esac", "*", "case '*' in '*') x;; esac");
	gives("(x ^); { x ^; }", "a b", "(x 'a b'); { x 'a b'; }");
	refused("x '^'", "a", "single quotes");
	refused("x \"^\"", "a", "double quotes");
	refused("x `y ^`", "a", "backticks");
	refused("x $(y ^)", "a", "$(...)");
	refused("x \"$(y ^)\"", "a", "$(...)");
	refused("x <(y ^)", "a", "$(...)");
	refused("x # ^", "a\nb", "comment");
	refused("x <<E\n^\nE\n", "a", "here-document");
	refused("A=(^)", "a", "NAME=(...)");
	refused("x $((^))", "1", "$((...))");
	refused("x \\^", "a", "backslash");
	refused("x $^", "a", "'$'");
	refused("eval ^", "a", "'eval'");
	refused("read ^", "a[$(b)]", "'read'");
	refused("[ ^ -eq 1 ]", "a[$(b)]", "number");
	refused("exit ^", "a[$(b)]", "digits");
	refused_val("x ^", jinja_none(), "None");
}

static void
test_lists(void **state)
{
	struct arena *a = arena_new(0);
	struct jinja_list *l = jinja_list_new(a), *empty = jinja_list_new(a);
	struct jinja_val v = {.kind = JINJA_LIST, .list = l};
	struct jinja_val none = {.kind = JINJA_LIST, .list = empty};

	(void)state;
	jinja_list_push(a, l, jinja_str("a b"));
	jinja_list_push(a, l, jinja_str("2"));
	gives_val("x ^", v, "x 'a b' '2'");
	gives_val("x ^>f", v, "x 'a b' '2'>f");
	gives_val("^", v, "'a b' '2'");
	gives_val("(x ^)", v, "(x 'a b' '2')");
	gives_val("x ^ ^;", v, "x 'a b' '2' 'a b' '2';");
	gives_val("for i in ^; do :; done", v, "for i in 'a b' '2'; do :; done");
	gives_val("x ^", none, "x ");
	refused_val("x @", v, "a list");
	refused_val("x a^", v, "stand alone");
	refused_val("x ''^", v, "stand alone");
	refused_val("x ^b", v, "join");
	refused_val("x ^^", v, "join");
	refused_val("x ^@", v, "join");
	refused_val("A=^ x", v, "stand alone");
	refused_val("x >^", v, "stand alone");
	refused_val("case ^ in a) ;; esac", v, "stand alone");
	refused_val("^ x", none, "empty list");
	jinja_list_push(a, l, jinja_str("-f"));
	refused_val("x ^", v, "option");
	refused_val("^", v, "option");
	gives_val("x -- ^", v, "x -- 'a b' '2' '-f'");
	jinja_list_push(a, l, jinja_none());
	refused_val("x -- ^", v, "None");
	arena_free(a);
}

/* Messages name the value so that it cannot do harm, and the ways out. */
static void
test_messages(void **state)
{
	char longer[2000];

	(void)state;
	refused("x @", "a;b", "'a;b'");
	refused("x @", "\x1b[31m\n", "'\\x1b[31m\\n'");
	refused("x @", "\xc2\x9b", "\\xc2\\x9b");
	refused("x @", "\xff", "\\xff");
	refused("x @", "\xc3\xa4", "'\xc3\xa4'");
	refused("x @", "a;b", "env: {NAME: '{{ ... }}'}");
	refused("x @", "a;b", "{{ ... | sh }}");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	longer[1000] = ';';
	refused("x @", longer, "aaa...'");
	/* however much of it must be escaped, the ways out are there */
	memset(longer, '\x01', sizeof(longer) - 1);
	refused("x @", longer, "{{ ... | sh }}");
	for (size_t i = 0; i + 4 < sizeof(longer); i += 4)
		memcpy(longer + i, "\xf3\xa0\x80\x81", 4);
	refused("x @", longer, "{{ ... | sh }}");
}

static void
test_limits(void **state)
{
	char deep[200];
	size_t i;

	(void)state;
	for (i = 0; i < 64; i++)
		deep[i] = '(';
	deep[63] = '\0';
	for (i = 1; i < 63; i += 2)
		deep[i] = ' ';
	/* 32 levels */
	(void)snprintf(deep + 63, sizeof(deep) - 63, "x @");
	refused(deep, "a", "never closed");
	refused(
	    "x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x "
	    "$(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x "
	    "$(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x "
	    "$(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x $(x @",
	    "a", "63 levels");
	refused("x <<A <<B <<C <<D <<E <<F <<G <<H <<I\n@", "a", "too many");
	accepted("x <<A <<B <<C <<D <<E <<F <<G <<H\nA\nB\nC\nD\nE\nF\nG\nH\nx @");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain_values),
	    cmocka_unit_test(test_every_character),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_command_positions),
	    cmocka_unit_test(test_no_command_positions),
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_never),
	    cmocka_unit_test(test_text_behind),
	    cmocka_unit_test(test_heredocs),
	    cmocka_unit_test(test_arithmetic),
	    cmocka_unit_test(test_quoting),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
