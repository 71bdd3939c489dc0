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
#include "shell_random.h"
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
