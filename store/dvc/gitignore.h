#ifndef DAG_STORE_DVC_GITIGNORE_H
#define DAG_STORE_DVC_GITIGNORE_H
/*
 * Entries of .gitignore for tracked data, as DVC writes them: "/name" in the file of the
 * directory that the data lies in.  And what git ignores, read without libgit2: .gitignore
 * files, info/exclude of the repository, core.excludesFile.
 */
#include <stdbool.h>

struct buf;
struct err;
struct gitignore;
struct ignore;

/**
 * gitignore_open(dir, out, err):
 * Read what git ignores in the work tree that the directory ${dir} (canonical) lies in.  *${out}
 * is NULL where it lies in none.  Return 0 or -1.
 */
int gitignore_open(const char *, struct gitignore **, struct err *);

/**
 * gitignore_close(g):
 * Free ${g}; NULL is allowed.
 */
void gitignore_close(struct gitignore *);

/**
 * gitignore_top(g), gitignore_rules(g):
 * Return the canonical path of the work tree's top; and the rules, for walks.
 */
const char *gitignore_top(const struct gitignore *);
struct ignore *gitignore_rules(struct gitignore *);

/**
 * gitignore_check(g, path, is_dir, err):
 * Return 1 if git ignores ${path}, an absolute path below the top, 0 if not (or if it lies
 * outside), -1 with ${err}.  Whether git tracks it does not count.
 */
int gitignore_check(struct gitignore *, const char *, bool, struct err *);

/**
 * gitignore_entry(out, name):
 * Append the line, without its end, that ignores exactly ${name}: "/" and the name with what
 * is special behind backslashes.
 */
void gitignore_entry(struct buf *, const char *);

/**
 * gitignore_add(root_fd, path, err):
 * Put the entry of ${path} (normalized, relative to ${root_fd}) into .gitignore beside it,
 * unless a line says just that; a last line without an end gets one.  Whether git ignores it
 * by another rule is the caller's to ask.  Return 1 if the file was written, 0 if it said so
 * already, -1 with ${err}.
 */
int gitignore_add(int, const char *, struct err *);

/**
 * gitignore_cover(g, root_fd, root, path, is_dir, err):
 * Let git ignore ${path}, relative to ${root}, the absolute path of ${root_fd}: where no rule does
 * already, .gitignore beside it gets one.  Return 1 if that was written, 0, or -1.
 */
int gitignore_cover(struct gitignore *, int, const char *, const char *, bool,
		    struct err *);

/*
 * The same for several paths, each file of them written once, by steps (fsio_new_write in
 * base/fsio.h): cover for each path, then write, sync, name, last; drop in any case.
 */
struct gitignore_file;
struct gitignore_lines {
	struct gitignore_file *first; /* zeroed: nothing is to be written */
};

/**
 * gitignore_lines_cover(l, g, root_fd, root, path, is_dir, err):
 * As gitignore_cover, with nothing written yet.
 */
int gitignore_lines_cover(struct gitignore_lines *, struct gitignore *, int, const char *,
			  const char *, bool, struct err *);

/**
 * gitignore_lines_write(l, root_fd, err), gitignore_lines_sync(l, err),
 * gitignore_lines_name(l, err), gitignore_lines_last(l, err), gitignore_lines_drop(l):
 * Write what is new beside the files, sync that, put it in their places, sync the names; free all,
 * and remove what has no name.  name returns 1 where there was something.  Return 0 or -1.
 */
int gitignore_lines_write(struct gitignore_lines *, int, struct err *);
int gitignore_lines_sync(struct gitignore_lines *, struct err *);
int gitignore_lines_name(struct gitignore_lines *, struct err *);
int gitignore_lines_last(struct gitignore_lines *, struct err *);
void gitignore_lines_drop(struct gitignore_lines *);

/**
 * gitignore_remove(root_fd, path, err):
 * Take the entry of ${path} out again, also one that DVC wrote without backslashes; a file
 * that is empty then is removed.  Return 1 if it was written, 2 if it was removed, 0 if there
 * was no such line, -1 with ${err}.
 */
int gitignore_remove(int, const char *, struct err *);

#endif
