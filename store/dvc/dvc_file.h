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
struct buf;
struct diag;
struct err;
struct yaml_node;

#define DVC_FILE_MAX ((size_t)16 << 20) /* bytes of one file */

struct dvc_file {
	struct arena *arena;   /* everything below lives in it */
	const char *name;      /* the file's path, seen from the repository's root */
	const char *dir;       /* where it lies, "." at the root */
	const char *full_wdir; /* what its paths are seen from, seen from the root */
	const char *text;      /* what it held; NULL: a new file */
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
 * dvc_file_add_out(f, path, err):
 * Append an entry of outs, flags at their defaults, nothing known of it, for ${path} seen
 * from the file's directory (its wdir).  Return it, or NULL: ERR_INVALID where the path is
 * empty, too long or outside of the repository, ERR_EXISTS where it is there, ERR_LIMIT.
 * Entries handed out before move: ask the array again.
 */
struct dvc_out *dvc_file_add_out(struct dvc_file *, const char *, struct err *);

/**
 * dvc_file_set_path(f, out, path, err):
 * Let the entry ${out} be about ${path} seen from the file's wdir.  Return 0 or -1 as
 * dvc_file_add_out does.
 */
int dvc_file_set_path(struct dvc_file *, struct dvc_out *, const char *, struct err *);

/**
 * dvc_file_set_name(f, name, err):
 * Let the file be ${name}, seen from the repository's root, with its wdir in its directory.
 * Entries stay where they are: their paths will be written as seen from there.  Return 0 or
 * -1.
 */
int dvc_file_set_name(struct dvc_file *, const char *, struct err *);

/**
 * dvc_file_dump(f, out, err):
 * Append the file to ${out} as DVC writes it: onto the text that was read, or fresh.  Return
 * 0, or -1: memory, or the text has something in it that cannot be kept as DVC would
 * (store/dvc/yaml_doc.h), ERR_INVALID, "name:line:col: ...".
 */
int dvc_file_dump(const struct dvc_file *, struct buf *, struct err *);

/**
 * dvc_file_write(f, dirfd, changed, err):
 * Write the file below ${dirfd}, the root of the repository, whole and durably, if its text
 * is another than the one that was read; ${changed} (may be NULL) tells.  Return 0 or -1.
 */
int dvc_file_write(const struct dvc_file *, int, bool *, struct err *);

/**
 * dvc_file_stage_md5(f, out, err):
 * Compute the MD5 that imports carry at their top, of what the file says; 32 digits and a
 * NUL.  Plain added data has none: the caller asks only for imports.  Return 0 or -1.
 */
#define DVC_MD5_MAX 33
int dvc_file_stage_md5(const struct dvc_file *, char[DVC_MD5_MAX], struct err *);

/**
 * dvc_file_free(f):
 * Free it with everything in it; NULL is allowed.
 */
void dvc_file_free(struct dvc_file *);

#endif
