#ifndef DAG_BASE_UTF8_H
#define DAG_BASE_UTF8_H
#include <stddef.h>
#include <stdint.h>

/**
 * utf8_decode(p, n, out):
 * Read the character at ${p}, where ${n} >= 1 bytes lie, into ${out}.  Return its length in
 * bytes (1 to 4); or minus the length (1 to 3) of the ill-formed bytes there, to be replaced
 * by one U+FFFD, with ${out} set to that character.  Overlong forms, surrogates and what
 * lies beyond U+10FFFF are ill-formed.
 */
int utf8_decode(const char *, size_t, uint32_t *);

/**
 * utf8_encode(c, to):
 * Write the character ${c}, at most U+10FFFF, to ${to}, which has room for 4 bytes.  Return
 * how many there are.
 */
size_t utf8_encode(uint32_t, char *);

#endif
