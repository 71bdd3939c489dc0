#ifndef TESTS_GIT_TEST_H
#define TESTS_GIT_TEST_H
/*
 * What the tests of git share: a directory of its own with a home in it, where the git program
 * makes real repositories.  Nobody's own configuration counts.
 */
#include "unit/store/store_test.h"

#include "base/path.h"
#include "store/git.h"

/* libgit2 1.5 forgets to free what each regular expression that does not match was given: it
 * looks at the configuration by such. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2-8";
}

static char git_place[64];

static inline int
git_setup(void **state)
{
	char home[128];

	(void)state;
	(void)snprintf(git_place, sizeof(git_place), "/tmp/dag-git-XXXXXX");
	assert_non_null(mkdtemp(git_place));
	(void)snprintf(home, sizeof(home), "%s/home", git_place);
	assert_int_equal(mkdir(home, 0755), 0);
	setenv("HOME", home, 1);
	setenv("XDG_CONFIG_HOME", home, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_AUTHOR_DATE", "1700000000 +0000", 1);
	setenv("GIT_COMMITTER_DATE", "1700000000 +0000", 1);
	unsetenv("GIT_DIR");
	unsetenv("SUDO_UID");
	spill(home, ".gitconfig",
	      "[user]\n\tname = A\n\temail = a@example.org\n[init]\n\tdefaultBranch = "
	      "main\n"
	      "[protocol \"file\"]\n\tallow = "
	      "always\n[advice]\n\tdetachedHead = false\n");
	return chdir(git_place);
}

static inline int
git_teardown(void **state)
{
	(void)state;
	(void)chdir("/");
	return fsio_remove_tree(AT_FDCWD, git_place, NULL);
}

/* Run shell commands in the place; they must succeed. */
static inline void __attribute__((format(printf, 1, 2))) sh(const char *fmt, ...)
{
	char text[4096], all[4200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(all, sizeof(all), "set -e; exec >/dev/null 2>sh.log; %s", text);
	if (system(all) != 0)
		fail_msg("'%s' failed: %s", text, slurp(git_place, "sh.log"));
}

/* What a command prints, without its newline. */
static inline const char *__attribute__((format(printf, 1, 2))) said(const char *fmt, ...)
{
	static char out[4096];
	char text[2048], all[2100];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(all, sizeof(all), "{ %s; } >said", text);
	assert_int_equal(system(all), 0);
	(void)snprintf(out, sizeof(out), "%s", slurp(git_place, "said"));
	out[strcspn(out, "\n")] = '\0';
	return out;
}

/* Open a repository that must be there. */
static inline struct repo *
opened(const char *dir)
{
	struct repo *r = NULL;
	struct err err = {0};

	ok(repo_open(dir, &r, &err));
	assert_non_null(r);
	return r;
}

/* Opening it must fail with these words. */
static inline void
refused(const char *dir, const char *words)
{
	struct repo *r = NULL;
	struct err err = {0};

	fails(repo_open(dir, &r, &err), ERR_INVALID);
	assert_null(r);
	says(words);
}

#endif
