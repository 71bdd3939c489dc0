#ifndef DAG_STORE_OBJECTS_LINK_H
#define DAG_STORE_OBJECTS_LINK_H
/*
 * Objects put into the work tree: as a file that shares the object's blocks (reflink), as a
 * copy, as a hard link to the object, as a symbolic link to it.  The first two are files of
 * the user's own, 0666 cut by the umask; the last two are the object itself, 0444.
 *
 * An empty file is never a hard link: there may be more of them than an inode can have names.
 * Where a link cannot be had for one file (too many names, another file system, no such
 * thing), it is copied.  An executable is never a hard or symbolic link, as the object would become
 * executable with it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct object_id;
struct objects;
struct stat;

enum link_type { LINK_REFLINK, LINK_COPY, LINK_HARDLINK, LINK_SYMLINK };
#define LINK_TYPES 4

/**
 * link_type_name(type), link_type_parse(name, type):
 * The names of cache.type: "reflink", "copy", "hardlink", "symlink".  parse returns 0, or -1
 * for another word.
 */
const char *link_type_name(enum link_type);
int link_type_parse(const char *, enum link_type *);

/**
 * link_probe(o, root_fd, v, n, works, err):
 * Find the first of the ${n} types at ${v} that works between the store and the directory
 * ${root_fd}, by trying it with a file of a few bytes.  Without any (n = 0) they are reflink
 * and copy.  Return 0, or -1: ERR_INVALID if none works, ERR_NOMEM and
 * ERR_FULL before another is taken for want of memory or room.
 */
int link_probe(struct objects *, int, const enum link_type *, size_t, enum link_type *,
	       struct err *);

/**
 * link_works(o, root_fd, type, err):
 * Try one type.  Return 1 if it works, 0 with the reason in ${err} if not, -1 if it could not
 * be tried.
 */
int link_works(struct objects *, int, enum link_type, struct err *);

/* What is to be put somewhere, and how. */
struct link_what {
	const struct object_id *id;
	enum link_type type;
	bool exec;     /* for single files that DVC notes as executable */
	bool verified; /* the caller knows that the object has its hash */
	/* clock_stamp_ns() before; 0: none.  A file of the user's own gets an mtime of just
	 * before it, so that any later write shows (index.h). */
	int64_t since_ns;
	/* Asked with ${arg} before something that has the name is replaced, when all else is
	 * done: -1 with the error leaves it as it is.  NULL: it may be anything. */
	int (*may_replace)(void *, struct err *);
	void *arg;
};

/**
 * link_at(o, what, dirfd, name, out, err):
 * Make ${name}, one component, in the open directory ${dirfd} the object, replacing a file or
 * link atomically.  A copy is verified while it is made, the others before unless the caller
 * has done that.  ${out} (may be NULL) is its stat(2) afterwards (of the link itself, where
 * it is one).  Nothing is synced.  Return 0, or -1 with what was there untouched:
 * ERR_NOTFOUND and ERR_CORRUPT name the object and the way out.
 */
int link_at(struct objects *, const struct link_what *, int, const char *, struct stat *,
	    struct err *);

/**
 * link_checkout(o, what, root_fd, path, out, err):
 * The same at ${path} below ${root_fd}, with the missing directories on the way made (0777
 * cut by the umask).  No link leads out of the root: ERR_INVALID.
 */
int link_checkout(struct objects *, const struct link_what *, int, const char *,
		  struct stat *, struct err *);

#define LINK_OWNER 12 /* letters */

/**
 * link_owner(o, owner):
 * Write down what all names have in common that link_at gives, with this ${o}, to what it has
 * not finished: LINK_OWNER letters and a NUL.
 */
void link_owner(struct objects *, char[LINK_OWNER + 1]);

/**
 * link_is_temporary(path, n, owner):
 * Return whether the last part of ${path}, of ${n} bytes, is such a name, with ${owner} or, if
 * that is NULL, anybody's, also DVC's: in the work tree only somebody who was killed leaves one.
 */
bool link_is_temporary(const char *, size_t, const char *);

/**
 * link_temporary(o, name):
 * Choose such a name: LINK_NAME bytes and a NUL.
 */
#define LINK_NAME 27
void link_temporary(struct objects *, char[LINK_NAME + 1]);

#endif
