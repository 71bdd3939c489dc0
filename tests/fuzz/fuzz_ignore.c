/*
 * Rules of .dvcignore and .gitignore: the input is one file at the top.  Whatever it says,
 * both ways to ask agree, what lies in an ignored directory is ignored, and rules that are
 * added at the end decide.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "store/dvc/ignore.h"

static const char *const paths[] = {
    "a",	"b/",	     "a/b",  "a/b/c/",	"a/b/c/d.o", ".hidden",	 "x y",
    "d/e/f/g/", "d/e/f.txt", "foo/", "foo/bar", "[a]",	     "\xc3\xa9", "!a",
};
#define NPATHS (sizeof(paths) / sizeof(paths[0]))

static int
read_rules(void *ctx, const char *path, struct buf *out, struct err *err)
{
	const struct buf *rules = ctx;

	(void)err;
	if (strcmp(path, ".dvcignore") != 0 && strcmp(path, ".gitignore") != 0)
		return 0;
	buf_add(out, rules->p, rules->n);
	CHECK(!buf_failed(out));
	return 1;
}

/* One path, component by component. */
static int
ask(struct ignore *ig, const char *path)
{
	struct ignore_dir *d = ignore_root(ig), *child;
	struct err err = {0};
	struct ignore_why why;
	char copy[64], *name, *slash;
	bool is, above = false;

	CHECK(strlen(path) < sizeof(copy));
	memcpy(copy, path, strlen(path) + 1);
	for (name = copy; name != NULL && *name != '\0' && !above; name = slash) {
		slash = strchr(name, '/');
		if (slash != NULL)
			*slash++ = '\0';
		is = ignore_match(d, name, slash != NULL);
		CHECK(is == ignore_match_why(d, name, slash != NULL, &why));
		CHECK(!is || why.rule != NULL);
		CHECK(why.rule == NULL || is == (why.rule[0] != '!'));
		above = is;
		if (!is && slash != NULL) {
			CHECK(ignore_enter(d, name, &child, &err) == 0);
			ignore_leave(d);
			d = child;
		}
	}
	ignore_leave(d);
	return above;
}

static void
check_paths(struct ignore *ig, int said[NPATHS])
{
	struct err err = {0};
	char path[64];
	bool dir;
	size_t n;

	for (size_t i = 0; i < NPATHS; i++) {
		n = strlen(paths[i]);
		dir = paths[i][n - 1] == '/';
		memcpy(path, paths[i], n + 1);
		path[dir ? n - 1 : n] = '\0';
		said[i] = ignore_check(ig, path, dir, &err);
		CHECK(said[i] == 0 || said[i] == 1);
		CHECK(said[i] == ask(ig, paths[i]));
		if (said[i] == 1 && dir) {
			memcpy(path + strlen(path), "/in", 4);
			CHECK(ignore_check(ig, path, false, &err) == 1);
		}
	}
}

static void
check_syntax(const uint8_t *data, size_t n, enum ignore_syntax syntax)
{
	struct ignore_options o = {.syntax = syntax, .root_fd = -1, .read = read_rules};
	int said[NPATHS], again[NPATHS];
	struct err err = {0};
	struct ignore *ig;
	struct buf rules;

	buf_init(&rules, 0);
	buf_add(&rules, data, n);
	o.ctx = &rules;
	if (ignore_new(&o, &ig, &err) != 0) {
		CHECK(err.code == ERR_LIMIT);
		buf_release(&rules);
		return;
	}
	check_paths(ig, said);
	ignore_free(ig);
	/* What speaks of something else changes nothing; a last word is the last word. */
	buf_adds(&rules, "\n/other/than/these\n!/and/than/those\n");
	CHECK(ignore_new(&o, &ig, &err) == 0);
	check_paths(ig, again);
	CHECK(memcmp(said, again, sizeof(said)) == 0);
	ignore_free(ig);
	buf_adds(&rules, "*\n");
	CHECK(ignore_new(&o, &ig, &err) == 0);
	check_paths(ig, again);
	for (size_t i = 0; i < NPATHS; i++)
		CHECK(again[i] == 1);
	ignore_free(ig);
	buf_adds(&rules, "!*\n");
	CHECK(ignore_new(&o, &ig, &err) == 0);
	check_paths(ig, again);
	for (size_t i = 0; i < NPATHS; i++)
		CHECK(again[i] == 0);
	ignore_free(ig);
	buf_release(&rules);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > IGNORE_RULES_MAX) /* so that some more may follow */
		return 0;
	check_syntax(data, n, IGNORE_DVC);
	check_syntax(data, n, IGNORE_GIT);
	return 0;
}
