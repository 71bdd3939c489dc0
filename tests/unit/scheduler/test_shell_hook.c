/* What the rule makes of a value where it may stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "shell_fixture.h"

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
	    cmocka_unit_test(test_plain_values), cmocka_unit_test(test_every_character),
	    cmocka_unit_test(test_empty),	 cmocka_unit_test(test_options),
	    cmocka_unit_test(test_quoting),	 cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_messages),	 cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
