#ifndef DAG_BASE_PATH_H
#define DAG_BASE_PATH_H
/*
 * Paths as text.  Nothing here looks at the file system.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/**
 * path_join(b, dir, name):
 * Append ${dir} "/" ${name} to ${b}; just ${name} where it is absolute or ${dir} is "" or
 * ".".
 */
void path_join(struct buf *, const char *, const char *);

/**
 * path_normalize(b, path):
 * Append ${path} with empty and "." components dropped and ".." resolved as text.  A
 * relative path that climbs above its start keeps its leading "..".  The empty result is
 * ".".  No trailing slash but of "/" itself.
 */
void path_normalize(struct buf *, const char *);

/**
 * path_is_below(path, dir):
 * Return whether normalized ${path} is normalized ${dir} or lies below it ("." holds every
 * relative path that does not climb).
 */
bool path_is_below(const char *, const char *);

/**
 * path_overlap(a, b):
 * Return whether one of two normalized paths is the other or lies below it.
 */
bool path_overlap(const char *, const char *);

/**
 * path_climbs(path):
 * Return whether normalized ${path} is absolute or starts with "..".
 */
bool path_climbs(const char *);

/**
 * path_basename(path):
 * Return the part of ${path} behind its last slash.
 */
const char *path_basename(const char *);

/**
 * path_stem_len(name):
 * Return the length of ${name} without its last extension ("a.tar.gz" -> 5, ".x" -> 2,
 * "a." -> 2).
 */
size_t path_stem_len(const char *);

/**
 * path_put_encoded(b, name):
 * Append ${name} as one path component: bytes outside [A-Za-z0-9_.@-] as %XX, a leading dot
 * too; a result over 200 bytes is cut to 183 (no %XX split) and gets "~" and 16 hex digits of a
 * hash of the whole name.  The empty name is "%00".
 */
void path_put_encoded(struct buf *, const char *);

/**
 * path_put_line(b, path), path_take_line(line):
 * Append ${path} as it stands in a file of lines: a newline as \n, a backslash as \\, without
 * the line's end.  Make such a line the path again, in place.
 */
void path_put_line(struct buf *, const char *);
void path_take_line(char *);

/**
 * path_has_glob(path):
 * Return whether ${path} has one of the glob characters * ? [ (a backslash before any
 * character makes it plain).
 */
bool path_has_glob(const char *);

/**
 * path_glob_match(pattern, path):
 * Return whether ${path} matches ${pattern}, both normalized: * and ? stop at slashes, **
 * as a whole component matches any number of components, a leading dot needs no special
 * care.  ? and [abc], [a-z], [!abc] match one UTF-8 character, or a byte that is none; a [
 * without its ] is plain.  Takes time of at most the product of the two lengths.
 */
bool path_glob_match(const char *, const char *);

/**
 * path_glob_overlap(pattern, path):
 * Return whether ${pattern} could name something that is ${path}, above it or below it;
 * ${path} may be a pattern too.  May say true for patterns that in truth never meet; never
 * says false wrongly.
 */
bool path_glob_overlap(const char *, const char *);

#endif
