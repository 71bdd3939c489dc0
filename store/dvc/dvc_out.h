#ifndef DAG_STORE_DVC_DVC_OUT_H
#define DAG_STORE_DVC_DVC_OUT_H
/*
 * One entry of `outs` or `deps`: what lies at a path, by content.  The same in .dvc files,
 * where flags stand beside it, and in dvc.lock, where they stand in dvc.yaml.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/objects/object_id.h"

struct yaml_node;

#define DVC_PATH_MAX	4095	/* bytes of one path */
#define DVC_ENTRIES_MAX 100000	/* deps and outs of one file */
#define DVC_FILES_MAX	1000000 /* names in the `files` of one entry */

/* Where a path leads. */
enum dvc_where {
	DVC_IN_REPO, /* `full` is it, seen from the repository's root */
	DVC_OUTSIDE, /* absolute, or climbing out of the repository */
	DVC_URL,     /* s3://..., remote://..., ds://... */
	DVC_NOWHERE  /* an entry without path: a query of import-db */
};

/* What is known of one object; absent texts are NULL, absent numbers -1. */
struct dvc_meta {
	struct object_id md5; /* object_id_is_set() tells whether it was there */
	const char *etag;
	const char *checksum;
	const char *version_id;
	int64_t size;
	int64_t nfiles;
	bool isexec;
};

/* Where a cloud-versioned object lies: one remote's name and what it calls the object. */
struct dvc_cloud {
	const char *remote; /* NULL: nowhere */
	struct dvc_meta meta;
};

/* One name in the list that stands in for a .dir object with cloud versioning. */
struct dvc_file_entry {
	const char *relpath;
	struct dvc_meta meta;
	struct dvc_cloud cloud;
};

/* The project that an entry of deps was imported from (`dvc import`). */
struct dvc_repo {
	const char *url; /* NULL: there is none */
	const char *rev;
	const char *rev_lock;
	const struct yaml_node *config; /* a string or a mapping */
	const struct yaml_node *remote; /* a string or a mapping */
};

/* The query that an entry of deps was imported by (`dvc import-db`). */
struct dvc_db {
	bool present;
	const char *connection;
	const char *query;
	const char *table;
	const char *file_format;
};

struct dvc_out {
	const char *path; /* as it is written, NULL where DVC_NOWHERE */
	enum dvc_where where;
	const char *full; /* seen from the repository's root; where DVC_IN_REPO */
	struct dvc_meta meta;
	const char *hash; /* "md5", or NULL: named by DVC 2, so meta.md5.legacy is set */
	struct dvc_cloud cloud;
	struct dvc_file_entry *files; /* NULL: not there */
	size_t nfiles;

	/* Flags: in .dvc files; of dvc.lock's entries they come from dvc.yaml. */
	bool cache; /* true by default */
	bool persist;
	bool push; /* true by default */
	const char *remote;
	const char *desc;
	const char *type;
	const struct yaml_node *labels;	   /* a list of strings, or NULL */
	const struct yaml_node *meta_node; /* anything, or NULL: kept as it is */
	const struct yaml_node *fs_config; /* a mapping, or NULL */

	/* Of deps only. */
	struct dvc_repo repo;
	struct dvc_db db;
	const struct yaml_node *dataset; /* of dvc.lock: a mapping, or NULL */

	bool unlisted; /* of dvc.lock: dvc.yaml no longer names it */

	uint32_t line, col; /* where the entry stands; 0: it is new */
};

/**
 * dvc_meta_none(m), dvc_out_none(out):
 * Make ${m} know nothing, ${out} an entry without path and all flags at their defaults.
 */
void dvc_meta_none(struct dvc_meta *);
void dvc_out_none(struct dvc_out *);

/**
 * dvc_out_tell_legacy(out):
 * Mark the objects of ${out} as named by DVC 2, or not: in the repository, those without
 * `hash` beside them are.
 */
void dvc_out_tell_legacy(struct dvc_out *);

/**
 * dvc_out_same(a, n, b, m):
 * Return whether two lists of entries are about the same objects in the same places.
 */
bool dvc_out_same(const struct dvc_out *, size_t, const struct dvc_out *, size_t);

/**
 * dvc_out_set_object(out, id, size, nfiles, isexec):
 * Say what lies there, as DVC 3 does (its hash is MD5, unless ${id} is legacy); -1 for a
 * size or number of files that is not known.  A list of `files` is dropped.
 */
void dvc_out_set_object(struct dvc_out *, const struct object_id *, int64_t, int64_t,
			bool);

#endif
