#ifndef DAG_STORE_DVC_INI_H
#define DAG_STORE_DVC_INI_H
/*
 * The INI files of DVC's configuration, read and written as ConfigObj does: [section],
 * ['remote "name"'], key = value, values in quotes, in three quotes over several lines, lists
 * with commas, comments behind a "#".  A file that ConfigObj wrote is written as it would write
 * it; in any other an edit changes its own lines only and leaves comments, order and
 * indentation.
 *
 * Left out: sections in sections ([[name]]), which DVC's settings have no use for.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct ini;

#define INI_MAX	      ((size_t)256 << 10) /* bytes of a file */
#define INI_LINE_MAX  8192		  /* bytes of a line */
#define INI_LINES_MAX 5000
#define INI_ITEMS_MAX 1000  /* values of a list */
#define INI_VALUE_MAX 65536 /* bytes of a value */
#define INI_NAME_MAX  1000  /* of the name of a section or key */

struct ini_value {
	const char *const *v; /* the items */
	size_t n;
	bool list; /* it has commas; else n is 1 */
};

/**
 * ini_parse(name, p, n, out, err):
 * Read the ${n} bytes of the file ${name} (for messages: "name:line: ...", which never show a
 * value).  Return 0; or -1: ERR_INVALID, ERR_LIMIT, ERR_NOMEM.
 */
int ini_parse(const char *, const char *, size_t, struct ini **, struct err *);

/**
 * ini_free(ini):
 * Free it; NULL is allowed.
 */
void ini_free(struct ini *);

/**
 * ini_each(ini, fn, ctx):
 * Call ${fn}(${ctx}, section, key, value, line) for each section (key NULL) and each of its
 * keys, in the order of the file, until one returns non-zero; return that, or 0.  Keys before
 * the first section have section NULL.
 */
typedef int ini_fn(void *, const char *, const char *, const struct ini_value *,
		   unsigned);
int ini_each(const struct ini *, ini_fn *, void *);

/**
 * ini_get(ini, section, key):
 * Return the value, or NULL.  Names are compared as DVC does, without regard to the case of
 * ASCII letters.
 */
const struct ini_value *ini_get(const struct ini *, const char *, const char *);
bool ini_has_section(const struct ini *, const char *);

/**
 * ini_set(ini, section, key, value, err):
 * Set one value; the section is made where it is missing: one with a name in quotes at the
 * end, any other before those.  Return 0, or -1: ERR_INVALID for what ConfigObj cannot write
 * (both kinds of three quotes, control characters), ERR_LIMIT, ERR_NOMEM; then ${ini} is
 * unchanged.
 */
int ini_set(struct ini *, const char *, const char *, const char *, struct err *);

/**
 * ini_unset(ini, section, key):
 * Take the value out, and the section with it if it is empty then.  Return whether it was
 * there.
 */
bool ini_unset(struct ini *, const char *, const char *);

/**
 * ini_clear(ini, section), ini_remove(ini, section), ini_rename(ini, section, name, err):
 * Take all keys out of a section.  Take all of it out; return whether it was there.  Give it
 * another name; its place in a
 * file that ConfigObj wrote is then the last.  Return 0 or -1.
 */
void ini_clear(struct ini *, const char *);
bool ini_remove(struct ini *, const char *);
int ini_rename(struct ini *, const char *, const char *, struct err *);

/**
 * ini_lower(ini, err):
 * Make the names of sections and keys lower case in a file that ConfigObj wrote, as DVC does
 * whenever it writes one.  Return 0 or -1.
 */
int ini_lower(struct ini *, struct err *);

/**
 * ini_write(ini, out):
 * Append the file's text to ${out}.
 */
void ini_write(const struct ini *, struct buf *);

#endif
