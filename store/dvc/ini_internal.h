#ifndef DAG_STORE_DVC_INI_INTERNAL_H
#define DAG_STORE_DVC_INI_INTERNAL_H
/* For store/dvc/ini*.c. */
#include "base/vec.h"
#include "store/dvc/ini.h"

struct arena;

enum ini_kind { INI_TEXT, INI_SECTION, INI_KEY }; /* TEXT: comments, empty lines */

/* A line of the file, or the several of a value in three quotes. */
struct ini_item {
	enum ini_kind kind;
	const char *raw; /* with its end */
	size_t len;
	const char *name; /* of the section or key */
	struct ini_value value;
	unsigned line;
};

struct ini {
	struct arena *arena;
	VEC(struct ini_item) v;
	bool canonical; /* as ConfigObj wrote it: nothing but sections and keys */
};

/**
 * ini_parse_value(arena, p, n, out):
 * Read what stands behind "=" on one line.  Return 0; -1: it is none; -2: no memory; -3: a
 * limit.
 */
int ini_parse_value(struct arena *, const char *, size_t, struct ini_value *);

/**
 * ini_put_section(out, name), ini_put_key(out, indent, key, value):
 * Append the line as ConfigObj writes it.  Return 0, or -1 where it cannot.
 */
int ini_put_section(struct buf *, const char *);
int ini_put_key(struct buf *, const char *, const char *, const struct ini_value *);

/**
 * ini_canonical(ini, out):
 * Append the text that ConfigObj would write.  Return 0, or -1 where it cannot.
 */
int ini_canonical(const struct ini *, struct buf *);

#endif
