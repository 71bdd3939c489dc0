#ifndef DAG_STORE_TRACK_STAGE_GLOB_H
#define DAG_STORE_TRACK_STAGE_GLOB_H
/*
 * All that a glob stands for as one dependency: a directory, whose list has just that of the
 * directory above the glob's first wildcard which matches, or lies below what does.  So what
 * thousands of files cost is what the directory would.
 */
#include <stddef.h>

struct err;
struct scan;
struct workspace;

/**
 * stage_glob_base(pattern):
 * Return how many bytes of ${pattern} (normalized) name the directory above its first wildcard; 0
 * where there is none by name, or it leads out.
 */
size_t stage_glob_base(const char *);

/**
 * stage_glob_scan(ws, pattern, scan, err):
 * As workspace_scan of that directory (there must be one by name), with all left out that does not
 * match, and what tools keep for themselves.  Where it lies in what is ignored no rules are asked.
 */
int stage_glob_scan(const struct workspace *, const char *, struct scan *, struct err *);

#endif
