#ifndef DAG_STORE_OBJECTS_TREE_H
#define DAG_STORE_OBJECTS_TREE_H
/*
 * The list of the files of a directory, as DVC keeps it in an object whose name ends with
 * ".dir": a JSON array of {"md5": ..., "relpath": ...}, sorted by the bytes of relpath.  What
 * we write is byte for byte what DVC writes; what we read may be spelt in any way that JSON
 * allows.
 *
 * A path is UTF-8 without NUL, relative, its components neither empty nor "." nor "..", and
 * none is at the same time a file and a directory with files in it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct arena;
struct buf;
struct err;
struct object_id;

#define TREE_BYTES_MAX ((size_t)512 << 20) /* of the JSON text */
#define TREE_FILES_MAX ((size_t)10000000)
#define TREE_PATH_MAX  4096
#define TREE_DEPTH_MAX 1000

#define TREE_SIZE_UNKNOWN (-1)

struct tree_entry {
	const char *path; /* in the tree's arena, NUL-terminated */
	int64_t size;	  /* bytes, or TREE_SIZE_UNKNOWN */
	uint8_t md5[16];
	uint32_t len; /* of path */
};

struct tree {
	struct arena *arena;
	struct tree_entry *v;
	size_t n, cap;
	bool legacy; /* the hashes are those of DVC 2; set by who knows */
};

/* A zeroed tree is empty. */

/**
 * tree_release(t):
 * Free what ${t} holds and make it empty.
 */
void tree_release(struct tree *);

/**
 * tree_add(t, path, len, md5, size, err):
 * Append a file; ${path} is copied.  Return 0, or -1: ERR_INVALID for a path that a list
 * cannot hold or that is too deep, ERR_LIMIT for one too long and for too many files.
 */
int tree_add(struct tree *, const char *, size_t, const uint8_t[16], int64_t,
	     struct err *);

/**
 * tree_sort(t, err):
 * Bring the entries into their order.  Return 0, or -1 (ERR_INVALID) naming a path that is
 * there twice, or as a file and as a directory.  All that follow ask for a sorted tree.
 */
int tree_sort(struct tree *, struct err *);

/**
 * tree_parse(name, p, n, t, err):
 * Read the text of a list into the empty ${t}, sorted.  Return 0, or -1 with ${t} empty:
 * ERR_INVALID, with ${name} and the byte where it stops to be one; ERR_LIMIT.
 */
int tree_parse(const char *, const void *, size_t, struct tree *, struct err *);

/**
 * tree_read(name, fill, arg, t, err):
 * The same from a source that is asked for piece after piece: ${fill}(arg, &p) sets p to the
 * bytes and returns their number, 0 at the end, -1 if it failed and has filled ${err}.
 */
int tree_read(const char *, ssize_t (*)(void *, const uint8_t **), void *, struct tree *,
	      struct err *);

/**
 * tree_write(t, sink, arg):
 * Hand the text of ${t} to ${sink} in pieces of at most 16 KiB.  Return 0, or what ${sink}
 * returned where that was not 0.
 */
int tree_write(const struct tree *, int (*)(void *, const void *, size_t), void *);

/**
 * tree_id(t, id, bytes, err):
 * The name that the list ${t} has as an object, and the length of its text (NULL: not
 * wanted).  Return 0 or -1.
 */
int tree_id(const struct tree *, struct object_id *, uint64_t *, struct err *);

/**
 * tree_find(t, path, len):
 * Return the entry of the file ${path}, or NULL.
 */
const struct tree_entry *tree_find(const struct tree *, const char *, size_t);

/**
 * tree_below(t, path, len, first, n):
 * Find the entries below the directory ${path} ("" is all): they are ${n} from index
 * ${first} on, with n = 0 where there is no such directory.
 */
void tree_below(const struct tree *, const char *, size_t, size_t *, size_t *);

/**
 * tree_entry_id(t, e, id):
 * Make the id of an entry's object.
 */
void tree_entry_id(const struct tree *, const struct tree_entry *, struct object_id *);

/**
 * tree_collision(t, how, err):
 * Whether two names of ${t}, of files or of directories, would be one on a file system that
 * does not tell apart what ${how} says, bits of store/unicode.h.  Return 0, or 1 with both named
 * in ${err} (ERR_INVALID), or -1.
 */
int tree_collision(const struct tree *, unsigned, struct err *);

#endif
