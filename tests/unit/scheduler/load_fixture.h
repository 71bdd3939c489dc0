#ifndef DAG_TESTS_LOAD_FIXTURE_H
#define DAG_TESTS_LOAD_FIXTURE_H
/* A DAG file loaded, with what was said about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/diag.h"
#include "scheduler/dag.h"

struct loaded {
	struct diag *diag;
	struct dag *dag; /* NULL if there were errors */
	struct buf said;
};

static inline struct loaded
load_named(const char *name, const char *text, size_t len)
{
	struct loaded l = {.diag = diag_new()};
	int rc;

	assert_non_null(l.diag);
	assert_int_equal(diag_file(l.diag, name, text, len), 0);
	rc = dag_load(l.diag, 0, name, text, len, name, &l.dag);
	assert_int_equal(rc, l.dag != NULL ? 0 : -1);
	assert_int_equal(l.dag == NULL, diag_errors(l.diag) != 0);
	buf_init(&l.said, 0);
	diag_print(l.diag, &l.said, false, 0);
	if (l.dag != NULL)
		dag_check_model(l.dag);
	return l;
}

static inline struct loaded
load_text_of(const char *text)
{
	return load_named("x.yaml", text, strlen(text));
}

static inline void
unload(struct loaded *l)
{
	buf_release(&l->said);
	diag_free(l->diag);
	dag_free(l->dag);
}

/* A file that must load without a word. */
static inline struct loaded
loads(const char *text)
{
	struct loaded l = load_text_of(text);

	if (l.dag == NULL || l.said.n != 0)
		fail_msg("said: %s\nof: %s", l.said.p, text);
	return l;
}

/* A file that must be refused with exactly this first line, and `more` somewhere in what is
 * said (NULL: anything), and that many errors (0: any number). */
static inline void
refuses_n(const char *text, size_t errors, const char *message, const char *more)
{
	struct loaded l = load_text_of(text);
	size_t n = strlen(message);

	if (l.dag != NULL || strncmp(l.said.p, message, n) != 0 || l.said.p[n] != '\n')
		fail_msg("said: %s\nwanted: %s\nof: %s", l.said.p, message, text);
	if (more != NULL && strstr(l.said.p, more) == NULL)
		fail_msg("said: %s\nwanted also: %s", l.said.p, more);
	if (errors != 0 && diag_errors(l.diag) != errors)
		fail_msg("%zu errors: %s", diag_errors(l.diag), l.said.p);
	unload(&l);
}

static inline void
refuses(const char *text, const char *message, const char *more)
{
	refuses_n(text, 1, message, more);
}

/* The keys of a single task `t`, each on its line from column 5 of line 3 on. */
static inline void
task_refuses(const char *keys, const char *message, const char *more)
{
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "tasks:\n  t:\n    %s\n", keys);
	refuses(b.p, message, more);
	buf_release(&b);
}

static inline const struct dag_task *
task(const struct loaded *l, const char *name)
{
	const struct dag_task *t = dag_task_find(l->dag, name);

	assert_non_null(t);
	return t;
}

/* A file of the test data; the caller frees the text. */
static inline char *
read_data(const char *path, size_t *len)
{
	char full[1024], *text;
	FILE *f;
	long n;

	(void)snprintf(full, sizeof(full), "%s/%s", TEST_DATA, path);
	f = fopen(full, "rb");
	if (f == NULL)
		fail_msg("cannot open %s", full);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	assert_true(n >= 0);
	rewind(f);
	text = malloc((size_t)n + 1);
	assert_non_null(text);
	*len = fread(text, 1, (size_t)n, f);
	assert_int_equal(*len, n);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

/* Compare with a golden file; DAG_UPDATE_GOLDEN=1 writes it instead, to be looked at in the
 * diff of the commit. */
static inline void
golden(const char *path, const char *got)
{
	const char *update = getenv("DAG_UPDATE_GOLDEN");
	char full[1024], *want;
	size_t len;

	if (update != NULL && *update == '1') {
		FILE *f;

		(void)snprintf(full, sizeof(full), "%s/%s", TEST_DATA, path);
		f = fopen(full, "wb");
		assert_non_null(f);
		assert_int_equal(fwrite(got, 1, strlen(got), f), strlen(got));
		assert_int_equal(fclose(f), 0);
		return;
	}
	want = read_data(path, &len);
	if (strcmp(want, got) != 0) {
		size_t i = 0, line = 1;

		for (; want[i] == got[i]; i++)
			line += want[i] == '\n';
		fail_msg("%s differs in line %zu; it is now:\n%s", path, line, got);
	}
	free(want);
}

#endif
