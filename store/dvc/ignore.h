#ifndef DAG_STORE_DVC_IGNORE_H
#define DAG_STORE_DVC_IGNORE_H
/*
 * What is ignored in a tree: by .dvcignore files as DVC reads them, or by .gitignore files as
 * git does.  A file of rules lies in any directory and speaks of what is below it; the last
 * rule that matches decides, of two files the deeper one.  What lies in an ignored directory
 * is ignored, whatever is said of it.
 *
 * One syntax, two meanings.  To DVC a rule matches all that lies below what it matches, so that
 * "!dir" takes back everything in it; a rule for all that is in a directory (two stars behind
 * its name) matches the directory itself, too; white space around a rule does not count, and
 * "?" is a character.  To git it is a byte, and a rule matches what it matches.  Where DVC
 * differs by mistake git's meaning holds: a star and a slash at the top never match there, and
 * the name of a directory that has rules is taken for a pattern.
 *
 * DVC always ignores .hg/, .git and .dvc/; we .dag/ too; git .git.  A directory with a .dvc
 * of its own is another repository: ignored as well, which who walks sees from
 * ignore_enter.
 *
 * An ignore is never changed once made, so threads share it; a dir is handed from one to
 * another, counted.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct ignore;
struct ignore_dir;

#define IGNORE_FILE_MAX	 ((size_t)1 << 20) /* bytes of one file of rules */
#define IGNORE_RULES_MAX 10000		   /* rules of one file */
#define IGNORE_RULE_MAX	 4096		   /* bytes of one rule */
#define IGNORE_DEPTH_MAX 1000		   /* directories below each other */
#define IGNORE_PATH_MAX	 4096		   /* bytes of a path */

enum ignore_syntax { IGNORE_DVC, IGNORE_GIT };

/*
 * Where files of rules come from: append the file ${path} (relative to the top) to the buf and
 * return 1; 0 where there is none; -1 with the error.
 */
typedef int ignore_read_fn(void *, const char *, struct buf *, struct err *);

struct ignore_options {
	enum ignore_syntax syntax;
	int root_fd; /* of the top of the tree, borrowed; read from it if read is NULL */
	ignore_read_fn *read; /* e.g. of a revision; called by several threads */
	void *ctx;
	/* Rules for the whole tree that any file in it overrides (git's info/exclude and
	 * core.excludesFile), from the weakest; copied. */
	const struct ignore_extra {
		const char *name; /* for messages */
		const char *text;
		size_t n;
	} * extra;
	size_t nextra;
};

/**
 * ignore_new(options, out, err):
 * Make the rules of a tree.  The file at its top is read now.  Return 0 or -1.
 */
int ignore_new(const struct ignore_options *, struct ignore **, struct err *);

/**
 * ignore_free(ig):
 * Free it; every directory must have been left.  NULL is allowed.
 */
void ignore_free(struct ignore *);

/**
 * ignore_root(ig):
 * Return the top directory of ${ig}, one reference of the caller's.
 */
struct ignore_dir *ignore_root(struct ignore *);

/**
 * ignore_enter(dir, name, out, err):
 * Go into the directory ${name} of ${dir}, which is not ignored: read its file of rules.
 * Return 0 with a reference in ${out}; -1 with ${err} (a file of rules that cannot be read or
 * passes a limit, a path that is too deep or too long).
 */
int ignore_enter(struct ignore_dir *, const char *, struct ignore_dir **, struct err *);

/**
 * ignore_ref(dir), ignore_leave(dir):
 * Add, or give back, a reference; NULL is allowed.
 */
struct ignore_dir *ignore_ref(struct ignore_dir *);
void ignore_leave(struct ignore_dir *);

/**
 * ignore_match(dir, name, is_dir):
 * Return whether the entry ${name} of ${dir} is ignored.  Neither allocates nor fails; as
 * long as ${dir} is not ignored itself, this is the whole answer but for nested repositories.
 */
bool ignore_match(const struct ignore_dir *, const char *, bool);

/* Which rule it was. */
struct ignore_why {
	const char *file; /* relative to the top; NULL: a default */
	unsigned line;
	const char *rule; /* its text */
};

/**
 * ignore_match_why(dir, name, is_dir, why):
 * The same, with the rule that decided (also one with "!") in ${why}, rule NULL where none
 * did; what it points to lives as long as ${dir}.
 */
bool ignore_match_why(const struct ignore_dir *, const char *, bool, struct ignore_why *);

/**
 * ignore_check(ig, path, is_dir, err):
 * Return 1 if ${path}, normalized and relative to the top ("." is never ignored), or a
 * directory above it, is ignored; 0 if not; -1 with ${err}.  For single paths: who walks uses
 * ignore_enter and ignore_match.
 */
int ignore_check(struct ignore *, const char *, bool, struct err *);

/**
 * ignore_is_nested(root_fd, path):
 * Return whether the directory ${path}, relative to ${root_fd}, is the top of another DVC
 * repository (has an entry .dvc).
 */
bool ignore_is_nested(int, const char *);

#endif
