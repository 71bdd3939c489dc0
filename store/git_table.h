#ifndef DAG_STORE_GIT_TABLE_H
#define DAG_STORE_GIT_TABLE_H
/*
 * What the module git exports: the functions of store/git.h, without their loading.  Any change
 * raises GIT_TABLE_VERSION.
 */
#include "store/git.h"
#include "store/git_write.h"
#include "store/module.h"

#define GIT_TABLE_VERSION 5

struct git_table {
	struct module_head head;
	int (*open)(const char *, const char *, struct repo **, struct err *);
	void (*close)(struct repo *);
	const char *(*top)(const struct repo *);
	const char *(*git_dir)(const struct repo *);
	int (*what_head)(struct repo *, struct repo_head *, struct err *);
	int (*dirty)(struct repo *, bool, const atomic_bool *, struct repo_change *,
		     struct err *);
	int (*stage)(struct repo *, const char *const *, size_t, size_t *, struct err *);
	int (*tracks)(struct repo *, const char *, struct err *);
	int (*submodule)(struct repo *, const char *, struct err *);
	int (*ignores)(struct repo *, const char *, struct err *);
	int (*resolve)(struct repo *, const char *, char id[REPO_ID], struct err *);
	int (*revs)(struct repo *, const struct repo_scope *,
		    int (*)(void *, const struct repo_rev *, struct err *), void *,
		    struct err *);
	int (*trees)(struct repo *,
		     int (*)(void *, const struct repo_tree *, struct err *), void *,
		     struct err *);
	int (*walk)(struct repo *, const char *, const struct repo_visitor *,
		    struct err *);
	int (*blob)(struct repo *, const char *, size_t, struct buf *, struct err *);
	int (*file)(struct repo *, const char *, const char *, size_t, struct buf *,
		    struct err *);
	int (*clone)(const char *, const char *, const struct repo_progress *,
		     struct repo **, struct err *);
	int (*hooks)(struct repo *, struct repo_hook out[REPO_HOOKS], struct buf *,
		     struct err *);
	/* store/git_write.h */
	int (*refs)(struct repo *, const char *,
		    int (*)(void *, const struct repo_ref *, struct err *), void *,
		    struct err *);
	int (*ref_set)(struct repo *, const char *, const char *, const char *,
		       struct err *);
	int (*ref_remove)(struct repo *, const char *, struct err *);
	bool (*ref_valid)(const struct repo *, const char *);
	int (*commit)(struct repo *, const char *, struct repo_commit *, struct err *);
	int (*author)(struct repo *, struct err *);
	int (*commit_make)(struct repo *, const char *, const char *const *, size_t,
			   const char *, char id[REPO_ID], struct err *);
	bool (*tree_same)(struct repo *, const char *, const char *);
	int (*snapshot)(struct repo *, struct repo *, const char *const *, size_t,
			const atomic_bool *, struct repo_snapshot *, struct err *);
	int (*in_way)(struct repo *, const char *, char tree[REPO_ID], size_t *,
		      struct err *);
	int (*put)(struct repo *, const char *, struct err *);
	int (*apart)(struct repo *, const char *, const char *, const char *,
		     struct repo **, struct err *);
};

/**
 * git_table():
 * The module's table, once a repository was opened.
 */
const struct git_table *git_table(void);

#endif
