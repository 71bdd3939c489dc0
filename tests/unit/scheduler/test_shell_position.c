/* Where the rule lets a value stand, and where not whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "shell_fixture.h"

/* Where a value would choose the program. */
static const char *const command_positions[] = {
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

static void
test_command_positions(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(command_positions) / sizeof(*command_positions); i++)
		refused(command_positions[i], "ls", "would choose the program");
}

/* Where it would not. */
static const char *const argument_positions[] = {
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

static void
test_no_command_positions(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(argument_positions) / sizeof(*argument_positions); i++)
		accepted(argument_positions[i]);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_command_positions),
	    cmocka_unit_test(test_no_command_positions),
	    cmocka_unit_test(test_never),
	    cmocka_unit_test(test_text_behind),
	    cmocka_unit_test(test_heredocs),
	    cmocka_unit_test(test_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
