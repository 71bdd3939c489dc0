#ifndef DAG_STORE_DVC_DVC_FILE_H
#define DAG_STORE_DVC_DVC_FILE_H
/*
 * A .dvc file: what is tracked beside it, by content.  Read into a struct, changed there,
 * written back onto the text that was read, so that comments and layout stay as DVC would
 * leave them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/dvc/dvc_out.h"

struct arena;
struct diag;
struct err;
struct yaml_node;

#define DVC_FILE_MAX ((size_t)16 << 20) /* bytes of one file */

struct dvc_file {
	struct arena *arena; /* everything below lives in it */
	const char *name;    /* the file's path, seen from the repository's root */
	const char *text;    /* what it held; NULL: a new file */
	size_t len;

	const char *desc;
	const char *md5;  /* of the stage, of imports; NULL: none */
	const char *wdir; /* as written; NULL: the directory of the file */
	bool frozen;
	bool always_changed;
	const struct yaml_node *meta; /* anything, or NULL: kept as it is */
	struct dvc_out *deps;
	size_t ndeps;
	struct dvc_out *outs;
	size_t nouts;
};

/**
 * dvc_file_parse(name, text, len, d, out, err):
 * Read the ${len} bytes ${text} of the .dvc file ${name} (its path seen from the
 * repository's root; both are copied).  All mistakes go to ${d} (which may be NULL), the
 * first one to ${err} too, as "name:line:col: error: ..."; mistakes are what DVC refuses too, and what it would trip over later: unknown keys, values of a
 * wrong kind, hashes that are none, paths that are empty or too long, two outs of one path,
 * outs that lie outside of the repository and are to be cached.  Return 0, or -1 with
 * ERR_INVALID, ERR_LIMIT or ERR_NOMEM.  ${out} is to be freed by dvc_file_free either way:
 * after a failure it is NULL, or holds the lines that ${d} shows and must outlive it.
 */
int dvc_file_parse(const char *, const char *, size_t, struct diag *, struct dvc_file **,
		   struct err *);

/**
 * dvc_file_read(dirfd, name, d, out, err):
 * The same from the file ${name} below ${dirfd}, the root of the repository.  ERR_NOTFOUND
 * where there is none.
 */
int dvc_file_read(int, const char *, struct diag *, struct dvc_file **, struct err *);

/**
 * dvc_file_new(name, err):
 * Return an empty file for ${name}, or NULL.
 */
struct dvc_file *dvc_file_new(const char *, struct err *);

/**
 * dvc_file_free(f):
 * Free it with everything in it; NULL is allowed.
 */
void dvc_file_free(struct dvc_file *);

#endif
