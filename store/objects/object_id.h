#ifndef DAG_STORE_OBJECTS_OBJECT_ID_H
#define DAG_STORE_OBJECTS_OBJECT_ID_H
/*
 * The name of an object: the MD5 of its bytes, whether it is the list of a directory (DVC
 * writes ".dir" behind the hash), and whether DVC 2 made the name (over text with CRLF taken
 * for LF, kept in another place of the cache).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBJECT_ID_BYTES 16
#define OBJECT_HEX_MAX	(2 * OBJECT_ID_BYTES + 4 + 1) /* hex, ".dir", NUL */

struct object_id {
	uint8_t md5[OBJECT_ID_BYTES];
	bool dir;    /* the list of a directory */
	bool legacy; /* made by DVC 2 ("md5-dos2unix") */
};

/* A zeroed object_id is no name at all: no bytes have that hash that anybody knows of. */

/**
 * object_id_parse(text, legacy, out):
 * Read 32 hex digits with or without ".dir" behind them; capitals are taken for small
 * letters.  Return 0, or -1 with ${out} untouched: another length, another letter, or the
 * hash that stands for no name.
 */
int object_id_parse(const char *, bool, struct object_id *);

/**
 * object_id_of_path(path, out):
 * Read which object of a store ${path} leads to, by its end: ".../ab/cdef...".  It cannot tell
 * DVC 3's from those of DVC 2, and takes it for one of DVC 3.  Return 0, or -1 as object_id_parse.
 */
int object_id_of_path(const char *, struct object_id *);

/**
 * object_id_hex(id, out):
 * Write the name in small letters, with ".dir" for a directory.  Return ${out}.
 */
char *object_id_hex(const struct object_id *, char[OBJECT_HEX_MAX]);

/**
 * object_id_cmp(a, b):
 * Order by hash, then files before directories, then names of DVC 3 before those of DVC 2:
 * < 0, 0 or > 0.
 */
int object_id_cmp(const struct object_id *, const struct object_id *);

/**
 * object_id_equal(a, b):
 * Return whether the two name the same object in the same place.
 */
bool object_id_equal(const struct object_id *, const struct object_id *);

/**
 * object_id_is_set(id):
 * Return whether ${id} is a name: false for a zeroed one.
 */
bool object_id_is_set(const struct object_id *);

#endif
