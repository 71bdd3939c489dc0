#ifndef DAG_CLI_ARTIFACT_GLOB_H
#define DAG_CLI_ARTIFACT_GLOB_H
/*
 * Files of the work tree by patterns, for what is not tracked yet.
 */
#include <stddef.h>

struct arena;
struct err;

#define ARTIFACT_GLOB_MAX ((size_t)100000) /* paths that one pattern may mean */

/**
 * artifact_glob(pattern, arena, out, n, err):
 * Find the files and directories, seen from the current one, that ${pattern} (with * ? [ ] and
 * **) means; what lies in one that is found is not looked at.  Pointers, what belongs to git or
 * dag, and links to directories are never meant.  ${out} is an array in the arena, sorted.
 * Return 0, or -1: ERR_NOTFOUND if there is none.
 */
int artifact_glob(const char *, struct arena *, const char ***, size_t *, struct err *);

#endif
