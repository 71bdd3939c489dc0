#ifndef DAG_STORE_DVC_WILDMATCH_H
#define DAG_STORE_DVC_WILDMATCH_H
/*
 * The patterns of .gitignore and .dvcignore, as git matches them: * and ? and [...] never a
 * slash, ** as a whole component any number of components (the last one at least one), a
 * backslash makes the next character plain, [[:alpha:]] and its kin.  Time is at most the
 * product of the two lengths, whatever the stars.
 */
#include <stdbool.h>
#include <stddef.h>

/**
 * wildmatch_valid(pattern, n):
 * Return whether the ${n} bytes can match anything: a "[" without its "]", an unknown
 * [:class:] or a backslash at the end never does.
 */
bool wildmatch_valid(const char *, size_t);

/**
 * wildmatch_literal(pattern, n):
 * Return how many bytes from the start are plain text without a special character.
 */
size_t wildmatch_literal(const char *, size_t);

/**
 * wildmatch(pattern, pn, text, tn, utf8):
 * Return whether the valid ${pattern} matches the relative path ${text} (no slash at either
 * end) as a whole.  With ${utf8} ? and [...] take a UTF-8 character where there is one,
 * else always a byte, as git.
 */
bool wildmatch(const char *, size_t, const char *, size_t, bool);

#endif
