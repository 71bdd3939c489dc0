/*
 * The shell's rule against the shells themselves.  Random templates are rendered with a
 * harmless value and with hostile ones.  Where the rule lets a hostile value in, the shell
 * must do exactly what it does with the harmless one, but for the value: the same commands
 * with the same arguments, the same messages, the same status.  Nothing here knows how the
 * scanner works.
 *
 *	t ARG...	records its arguments
 *	rd		records each line of its standard input
 *
 * DAG_FUZZ_RUNS=N runs N accepted renderings instead of a few thousand, DAG_FUZZ_SEED=N
 * begins elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fsio.h"
#include "shell_template.h"

#define RUNS	   1500 /* hostile renderings run per shell */
#define HARMLESS   "ZqZ7"
#define HARMLESS_N "31" /* where only digits may stand */

static const char prelude[] =
    "t() { r=; for a; do r=\"$r[$a]\"; done; printf '%s\\036' \"$r\" >>\"$L\"; }\n"
    "rd() { while IFS= read -r l; do t \"$l\"; done; }\n"
    "f() { t f \"$@\"; }\n"
    "ulimit -t 2\n";

static const char *const hostile[] = {
    "7",	"1",	    "3",	"2",	  "12",	     "a",
    "pwn",	"./pwn",    "../a/b",	"-rf",	  "--",	     "-",
    "=pwn",	"A=b",	    "PATH=/x",	"a,b",	  "a..b",    "a-z",
    "E",	"EOF",	    "END",	"esac",	  "do",	     "done",
    "fi",	"then",	    "in",	"+e",	  "%1",	     "@",
    ":",	".",	    ":h",	"a=b:c",  "_x",	     "2026-11-22T00:00:00Z",
    "",		" ",	    "a b",	";t x",	  "$(t x)",  "`t x`",
    "$E",	"${V}",	    "'",	"\"",	  "';t x;'", "\";t x;\"",
    "\\",	"\\'",	    "|t x",	"&& t x", "\nt x\n", "\nEOF\nt x",
    "\nE\nt x", ")",	    ");t x",	"}",	  "{",	     "*",
    "?",	"[a]",	    "~",	"~root",  "#",	     "# x",
    "!",	">x",	    "<x",	"(t x)",  "\t",	     "\x01",
    "\x7f",	"\x81\x88", "\xc3\xa4", "\xff'",  "a'b\"c",  "$((1))",
    "a\\\nb",	"'\\''",    "$'x'",	"-e",	  "t",	     "eval",
    "\r",
};

/* ---- random templates ---- */

static uint64_t rng;

static unsigned
pick(unsigned n)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(rng >> 33) % n;
}

#define ONE_OF(list) list[pick(sizeof(list) / sizeof(*(list)))]

static void put_list(struct buf *, int);

static void
put_piece(struct buf *b, int depth)
{
	static const char *const atoms[] = {
	    "a",
	    "b",
	    "@",
	    "@",
	    "@",
	    "^",
	    "-",
	    "x=",
	    "$V",
	    "${V}",
	    "$E",
	    "\"@\"",
	    "'@'",
	    "\"b @\"",
	    "\"\"",
	    "''",
	    "\\;",
	    "\\\\",
	    "\\'",
	    "\"$V\"",
	    "\"$E@\"",
	    "\"\\\"@\"",
	    "'\"@'",
	    "\"'@'\"",
	    "=",
	    ":",
	    "/",
	    ",",
	    "$((@))",
	    "\"$((@))\"",
	    "${U:-b}",
	    "\"${U:-b c}\"",
	    "~",
	    "{a,@}",
	    "[@]",
	    "#",
	    "$",
	    "\\\n",
	    "2",
	    "${E}@",
	    "${U:-'}'}",
	    "\\^",
	    "\\@",
	    "$V@",
	    "\"^\"",
	    "'^'",
	    "\"a ^\"",
	    "\"${U:-'}'}@\"",
	    "\"${U:-'\"'}@\"",
	    "\"$V@\"",
	    "@>/dev/null",
	    "$V^",
	    "${V@}",
	    "$'a'",
	    "\"a'b\"",
	    "'a\"b'",
	    "\\\"",
	    "!",
	    "%",
	    "+",
	};

	if (depth < 3 && pick(6) == 0) {
		static const char *const open[] = {"$(", "\"$(", "`", "\"`"};
		static const char *const close[] = {")", ")\"", "`", "`\""};
		unsigned i = pick(4);

		buf_adds(b, open[i]);
		put_list(b, depth + 1);
		buf_adds(b, close[i]);
		return;
	}
	buf_adds(b, ONE_OF(atoms));
}

static void
put_simple(struct buf *b, int depth)
{
	static const char *const start[] = {"t",
					    "t",
					    "t",
					    "f",
					    "A=@ t",
					    "A='@' t",
					    "A=$V t",
					    "2>&1 t",
					    ">/dev/null t",
					    "$E t",
					    "$E",
					    "$E ${U}",
					    "command t",
					    "t -- ^",
					    "printf %s",
					    "export A=@; t",
					    "! t",
					    "eval t",
					    "@",
					    "^"};
	unsigned n = pick(4) + 1, i, m;

	buf_adds(b, ONE_OF(start));
	while (n-- > 0) {
		buf_addc(b, ' ');
		for (i = 0, m = pick(3) + 1; i < m; i++)
			put_piece(b, depth);
	}
	if (pick(8) == 0)
		buf_adds(b, " >/dev/null");
	if (pick(8) == 0)
		buf_adds(b, " # it's \"@ (");
}

static void
put_heredoc(struct buf *b)
{
	static const char *const kinds[][2] = {
	    {"E", "E"}, {"'E'", "E"}, {"EOF", "EOF"}, {"\\E", "E"}, {"\"EOF\"", "EOF"},
	};
	static const char *const lines[] = {"@",    "a @",     "E@",	  "@OF",   "\t@",
					    "'@",   "\"@\"",   "$V @",	  "a \\",  "",
					    "EO\\", "\\$ @",   "$(t b)@", "${E}@", "# @",
					    "$@",   "`t c` @", "\\@",	  " E",	   "^"};
	unsigned k = pick(5), n = pick(4) + 1;
	bool tabs = pick(3) == 0;

	buf_addf(b, "rd <<%s%s", tabs ? "-" : "", kinds[k][0]);
	if (pick(3) == 0)
		buf_adds(b, " | t @");
	while (n-- > 0)
		buf_addf(b, "\n%s", ONE_OF(lines));
	buf_addf(b, "\n%s%s\n", tabs && pick(2) != 0 ? "\t" : "", kinds[k][1]);
}

static void
put_command(struct buf *b, int depth)
{
	static const char *const open[] = {"( ",
					   "{ ",
					   "if t; then ",
					   "if @; then t; else ",
					   "for i in a @; do ",
					   "f2() { ",
					   "case @ in qq) t;; *) ",
					   "case qq in @) t;; (qq|b) ",
					   "while ",
					   "for i in ^; do ",
					   "case b in a) t;; esac; { ",
					   "if [ @ = qq ]; then "};
	static const char *const close[] = {" )",      "; }",	  "; fi",
					    "; fi",    "; done",  "; }; f2 @",
					    ";; esac", ";; esac", "; false; do :; done",
					    "; done",  "; }",	  "; fi"};
	unsigned i;

	if (depth >= 3 || pick(3) != 0) {
		put_simple(b, depth);
		return;
	}
	if (pick(4) == 0 && depth == 0) {
		put_heredoc(b);
		return;
	}
	i = pick(12);
	buf_adds(b, open[i]);
	put_list(b, depth + 1);
	buf_adds(b, close[i]);
}

static void
put_list(struct buf *b, int depth)
{
	static const char *const seps[] = {"; ", "\n", " && ", " || ", " | ", ";\n"};

	put_command(b, depth);
	while (pick(3) == 0) {
		buf_adds(b, ONE_OF(seps));
		put_command(b, depth);
	}
}

static void
put_soup(struct buf *b)
{
	static const char *const tokens[] = {
	    "t ",	   " ",		  ";",	     "\n",	  "\"",	   "'",
	    "$(",	   ")",		  "`",	     "@",	  "@",	   "@",
	    "^",	   "#",		  "$((",     "))",	  "${E:-", "}",
	    "-",	   "=",		  "A=",	     "$E",	  "~",	   " && ",
	    " | ",	   "(",		  "{ ",	     "; }",	  "f() ",  "\\",
	    "\\\n",	   "if t; then ", "; fi",    "for i in ", "; do ", "; done",
	    "case qq in ", ") ",	  ";; esac", "rd <<E\n",  "\nE\n", "rd <<-E\n",
	    "rd <<'E'\n",  "E",		  "[",	     "]",	  ",",	   "!",
	    "t a",	   "$",		  "\t",	     "t \"",	  "t $(t "};
	unsigned n = pick(14) + 3;

	while (n-- > 0)
		buf_adds(b, ONE_OF(tokens));
}

static void
mutate(struct buf *b)
{
	static const char chars[] = "\"'`$\\@^ \n;#(){}E|=~[]!-";
	size_t at = pick((unsigned)b->n);

	if (pick(2) == 0)
		memmove(b->p + at, b->p + at + 1, b->n-- - at);
	else
		b->p[at] = chars[pick(sizeof(chars) - 1)];
}

/* Nothing that runs for ever, in the background, or writes files. */
static bool
is_tame(const char *p)
{
	const char *q;

	for (q = p; *q != '\0'; q++) {
		if (*q == '&' && q[1] != '&' && (q == p || q[-1] != '&') &&
		    strncmp(q - (q > p), ">&1", 3) != 0)
			return false;
		if (*q == '>' &&
		    (strncmp(q, ">/dev/null", 10) != 0 ||
		     strchr(" \n;)", q[10]) == NULL) &&
		    strncmp(q, ">&1", 3) != 0)
			return false;
		if (*q == '<' && q[1] != '<' && (q == p || q[-1] != '<'))
			return false;
		if (*q == '(' && q > p) {
			const char *r = q - 1;

			while (r > p && (*r == ' ' || *r == '\n' || *r == '\\' ||
					 *r == '"' || *r == '\''))
				r--;
			if ((*r == 't' || *r == 'd' || *r == 'f') && r[0] != '$' &&
			    strncmp(r, "f() {", 5) != 0)
				return false;
		}
	}
	/* A process id and a format are different in every run and for every value. */
	q = strstr(p, "printf");
	if (strstr(p, "$$") != NULL || strstr(p, "${$") != NULL ||
	    strstr(p, "$\\\n$") != NULL ||
	    (q != NULL && strncmp(q, "printf %s ", 10) != 0))
		return false;
	return strstr(p, "f() f") == NULL && strstr(p, "while") == NULL
		   ? true
		   : strstr(p, "false; do :; done") != NULL;
}

static void
make_template(struct buf *b)
{
	do {
		buf_clear(b);
		if (pick(3) == 0)
			put_soup(b);
		else
			put_list(b, 0);
		if (b->n > 0 && pick(3) == 0)
			mutate(b);
	} while (b->n == 0 || !is_tame(b->p) || strpbrk(b->p, "@^") == NULL);
}

/* ---- running ---- */

struct outcome {
	struct buf log, err;
	int status;
};

static char dir[] = "/tmp/dag-oracle-XXXXXX";
static char log_path[64], err_path[64], log_env[80];

static void
run(const char *shell, const char *text, struct outcome *o)
{
	char *argv[] = {(char *)(uintptr_t)shell, (char *)(uintptr_t) "-c", NULL, NULL};
	char *envp[] = {log_env, (char *)(uintptr_t) "PATH=/nowhere",
			(char *)(uintptr_t) "V=v", (char *)(uintptr_t) "E=", NULL};
	posix_spawn_file_actions_t fa;
	struct buf script;
	struct err err;
	pid_t pid;

	buf_init(&script, 0);
	buf_addf(&script, "%s%s", prelude, text);
	argv[2] = script.p;
	(void)unlink(log_path);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 2, err_path, O_WRONLY | O_CREAT | O_TRUNC,
					 0600);
	posix_spawn_file_actions_addchdir_np(&fa, dir);
	assert_int_equal(posix_spawn(&pid, shell, &fa, NULL, argv, envp), 0);
	assert_int_equal(waitpid(pid, &o->status, 0), pid);
	posix_spawn_file_actions_destroy(&fa);
	buf_release(&script);
	buf_init(&o->log, 0);
	buf_init(&o->err, 0);
	(void)fsio_read(AT_FDCWD, log_path, 1 << 20, &o->log, &err);
	(void)fsio_read(AT_FDCWD, err_path, 1 << 20, &o->err, &err);
}

static void
outcome_release(struct outcome *o)
{
	buf_release(&o->log);
	buf_release(&o->err);
}

/* ${text} with ${value} for every ${harmless}. */
static void
substitute(struct buf *text, const char *harmless, const char *value)
{
	struct buf out;
	size_t i, n = strlen(harmless);

	buf_init(&out, 0);
	for (i = 0; i < text->n;)
		if (text->n - i >= n && memcmp(text->p + i, harmless, n) == 0) {
			buf_adds(&out, value);
			i += n;
		} else {
			buf_addc(&out, text->p[i++]);
		}
	buf_release(text);
	*text = out;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Commands of a pipeline record in any order. */
static void
sort_records(struct buf *log)
{
	char *v[256], *p, *save = NULL;
	size_t n = 0, i;
	struct buf out;

	for (p = strtok_r(log->p, "\036", &save); p != NULL && n < 256;
	     p = strtok_r(NULL, "\036", &save))
		v[n++] = p;
	qsort(v, n, sizeof(*v), by_text);
	buf_init(&out, 0);
	for (i = 0; i < n; i++)
		buf_addf(&out, "%s\n", v[i]);
	buf_release(log);
	*log = out;
}

/* Whether the harmless value was taken for a command. */
static bool
chose_program(const struct outcome *o)
{
	char *line, *save = NULL, *copy = strdup(o->err.p);
	bool yes = false;

	assert_non_null(copy);
	for (line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strstr(line, "not found") != NULL &&
		    (strstr(line, HARMLESS) != NULL || strstr(line, HARMLESS_N) != NULL))
			yes = true;
	free(copy);
	return yes;
}

/* Whether the messages agree where they can: line numbers move with a newline in the value,
 * bash shows the text where it cannot parse it, and commands of a pipeline write at once. */
static bool
same_messages(const struct outcome *a, const struct outcome *b, const char *tpl,
	      const char *v)
{
	return strchr(v, '\n') != NULL || strchr(tpl, '|') != NULL ||
	       strstr(a->err.p, "syntax error") != NULL ||
	       strcmp(a->err.p, b->err.p) == 0;
}

static size_t failures;

static void
report(const char *what, const char *tpl, const char *v, const char *text,
       const struct outcome *want, const struct outcome *got)
{
	if (failures++ < 5)
		print_error("%s\n--- template:\n%s\n--- value: {%s}\n--- text:\n%s\n"
			    "--- want status %d:\n%s%s\n--- got status %d:\n%s%s\n",
			    what, tpl, v, text, want->status, want->log.p, want->err.p,
			    got->status, got->log.p, got->err.p);
}

/* As run, for texts that come again and again. */
static void
run_again(const char *shell, const char *text, struct outcome *o)
{
	static struct outcome last;
	static struct buf key;
	struct buf now;

	buf_init(&now, 0);
	buf_addf(&now, "%s %s", shell, text);
	if (key.p == NULL || strcmp(now.p, key.p) != 0) {
		if (key.p != NULL) {
			buf_release(&key);
			outcome_release(&last);
		}
		run(shell, text, &last);
		buf_init(&key, 0);
		buf_adds(&key, now.p);
	}
	buf_release(&now);
	buf_init(&o->log, 0);
	buf_init(&o->err, 0);
	buf_adds(&o->log, last.log.p);
	buf_adds(&o->err, last.err.p);
	o->status = last.status;
}

/* Try one hostile value.  Return whether it was let in, and run. */
static bool
try_value(const char *shell, const char *tpl, const char *v)
{
	bool digits = v[0] != '\0' && v[strspn(v, "0123456789")] == '\0';
	const char *harmless = digits ? HARMLESS_N : HARMLESS;
	struct outcome want, got;
	struct buf text, base;
	struct err err;
	bool in, chose;

	/* With nothing before them <<- strips the author's tabs. */
	if (v[0] == '\0' && strstr(tpl, "<<-") != NULL)
		return false;
	buf_init(&text, 0);
	buf_init(&base, 0);
	in = shell_render(tpl, jinja_str(v), &text, &err) == 0 &&
	     shell_render(tpl, jinja_str(harmless), &base, &err) == 0;
	if (in) {
		run_again(shell, base.p, &want);
		run(shell, text.p, &got);
		chose = chose_program(&want) || strstr(got.err.p, "job control") != NULL;
		if (chose && strchr(tpl, '^') == NULL)
			report("chose the program", tpl, harmless, base.p, &want, &got);
		substitute(&want.log, harmless, v);
		substitute(&want.err, harmless, v);
		sort_records(&want.log);
		sort_records(&got.log);
		/* With | sh the author may ask for the value to be the program. */
		if (!chose &&
		    (strcmp(want.log.p, got.log.p) != 0 || want.status != got.status ||
		     !same_messages(&want, &got, tpl, v)))
			report("differs", tpl, v, text.p, &want, &got);
		outcome_release(&want);
		outcome_release(&got);
	}
	buf_release(&text);
	buf_release(&base);
	return in;
}

static long
from_env(const char *name, long def)
{
	const char *s = getenv(name);

	return s != NULL ? strtol(s, NULL, 10) : def;
}

static void
test_shell(const char *shell, const char *name)
{
	long runs = from_env("DAG_FUZZ_RUNS", RUNS);
	long done = 0, templates = 0, refused = 0;
	struct buf tpl;

	if (access(shell, X_OK) != 0) {
		print_message("%s is not here\n", shell);
		skip();
	}
	rng = (uint64_t)from_env("DAG_FUZZ_SEED", 1) * 0x9e3779b97f4a7c15u + 1;
	failures = 0;
	buf_init(&tpl, 0);
	while (done < runs) {
		unsigned i, n = 6;

		make_template(&tpl);
		templates++;
		for (i = 0; i < n; i++)
			if (try_value(shell, tpl.p, ONE_OF(hostile)))
				done++;
			else
				refused++;
	}
	buf_release(&tpl);
	print_message("%s: %ld templates, %ld values let in and run, %ld refused\n", name,
		      templates, done, refused);
	assert_int_equal(failures, 0);
}

static void
test_sh(void **state)
{
	(void)state;
	test_shell("/bin/sh", "sh");
}

static void
test_bash(void **state)
{
	(void)state;
	test_shell("/bin/bash", "bash");
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(log_path, sizeof(log_path), "%s.log", dir);
	(void)snprintf(err_path, sizeof(err_path), "%s.err", dir);
	(void)snprintf(log_env, sizeof(log_env), "L=%s", log_path);
	return 0;
}

static int
teardown(void **state)
{
	struct err err;

	(void)state;
	(void)unlink(log_path);
	(void)unlink(err_path);
	return fsio_remove_tree(AT_FDCWD, dir, &err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sh),
	    cmocka_unit_test(test_bash),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
