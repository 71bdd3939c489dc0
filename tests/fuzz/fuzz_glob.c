/*
 * Globs, a line of a pattern and one of a path: those of DAG files and of .gitignore, each against
 * a second reading that tries everything.
 */
#include <stdbool.h>

#include "base/path.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "store/dvc/wildmatch.h"

#define LONG 40 /* what the second reading takes: it is slow */

/* Only *, ?, ** and plain characters. */
static bool
slow(const char *p, const char *s, bool start)
{
	if (*p == '\0')
		return *s == '\0';
	if (start && p[0] == '*' && p[1] == '*' && p[2] == '/') {
		for (;; s++) {
			if (slow(p + 3, s, true))
				return true;
			if ((s = strchr(s, '/')) == NULL)
				return false;
		}
	}
	if (*p == '*') {
		for (;; s++) {
			if (slow(p + 1, s, false))
				return true;
			if (*s == '\0' || *s == '/')
				return false;
		}
	}
	if (*s == '\0' || (*p == '?' ? *s == '/' : *p != *s))
		return false;
	return slow(p + 1, s + 1, *p == '/');
}

/* Whether both mean the same by all that the second reading knows. */
static bool
is_plain(const char *pattern, const char *path)
{
	size_t n = strlen(pattern);

	if (n > LONG || strlen(path) > LONG || strpbrk(pattern, "[\\") != NULL)
		return false;
	for (const char *p = path; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return false;
	/* Two stars that are no component, and those at the end, are special to each. */
	for (const char *p = pattern; (p = strstr(p, "**")) != NULL; p += 3)
		if ((p != pattern && p[-1] != '/') || p[2] != '/')
			return false;
	return true;
}

/* As the globs of DAG files are given: normalized. */
static bool
is_path(const char *s)
{
	for (;; s++) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && *s == '.') ||
		    (n == 2 && memcmp(s, "..", 2) == 0))
			return false;
		if (*(s += n) == '\0')
			return true;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = fuzz_string(data, n), *path = strchr(text, '\n');
	size_t np, ns;
	bool ours, git;

	if (path != NULL) {
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		np = strlen(text);
		ns = strlen(path);
		ours = path_glob_match(text, path);
		if (is_path(path) && is_path(text)) {
			if (strpbrk(text, "*?[\\") == NULL)
				CHECK(ours == (strcmp(text, path) == 0));
			if (is_plain(text, path))
				CHECK(ours == slow(text, path, true));
		}
		CHECK(wildmatch_literal(text, np) <= np);
		if (is_path(path) && wildmatch_valid(text, np)) {
			git = wildmatch(text, np, path, ns, true);
			if (wildmatch_literal(text, np) == np)
				CHECK(git == (strcmp(text, path) == 0));
			if (is_plain(text, path))
				CHECK(git == slow(text, path, true));
		}
	}
	free(text);
	return 0;
}
