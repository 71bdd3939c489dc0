#ifndef DAG_STORE_DVC_CONFIG_REMOTE_H
#define DAG_STORE_DVC_CONFIG_REMOTE_H
/*
 * Remotes in the settings: sections ['remote "name"'] and core.remote, the default.  What
 * changes them takes a level; names are lower case.
 */
#include <stdbool.h>
#include <stdint.h>

#include "store/dvc/config.h"

/* A remote as it is used.  The texts live until the settings are changed or closed, but
 * `path` and `url`, which config_remote_release frees. */
struct config_remote {
	const char *name;
	const char *written; /* its url as it is written */
	char *url;	     /* "remote://other/sub" is what that stands for */
	char *path;	     /* of the directory, absolute; NULL: it is no local one */
	char scheme[16];     /* "", "s3", "ssh" ... */
	int64_t jobs;	     /* 0: not set */
	bool verify;
	bool worktree, version_aware; /* objects lie there under their own names */
	enum config_level level;      /* where its url stands */
	bool is_default;
};

/**
 * config_remote_find(c, name, out, err):
 * Find the remote ${name}, or with NULL the default one.  Return 0, or -1: ERR_NOTFOUND with
 * what there is and how to make one.
 */
int config_remote_find(const struct config *, const char *, struct config_remote *,
		       struct err *);

/**
 * config_remote_release(r):
 * Free what ${r} holds.
 */
void config_remote_release(struct config_remote *);

/**
 * config_remote_option(c, r, key):
 * Return an option of the remote, also one it has from the remote that its url names; NULL: it
 * is not set.
 */
const char *config_remote_option(const struct config *, const struct config_remote *,
				 const char *);

/**
 * config_remote_local(r, err):
 * Return 0 if this version can use the remote; else -1 with ERR_INVALID, which names its kind.
 */
int config_remote_local(const struct config_remote *, struct err *);

/**
 * config_remote_each(c, level, fn, ctx):
 * Call ${fn}(${ctx}, name, url item, is_default) for each remote that has a url at the level
 * (CONFIG_LEVELS: at any), in the order of the files.  Non-zero ends it and is returned.
 */
typedef int config_remote_fn(void *, const char *, const struct config_item *, bool);
int config_remote_each(const struct config *, enum config_level, config_remote_fn *,
		       void *);

/**
 * config_remote_add(c, level, name, url, force, make_default, err):
 * Add a remote; with ${force} one of that name in the file is replaced with all its options.
 * Return 0 or -1 (ERR_EXISTS).
 */
int config_remote_add(struct config *, enum config_level, const char *, const char *,
		      bool, bool, struct err *);

/**
 * config_remote_modify(c, level, name, key, value, err):
 * Set an option of a remote; NULL takes it out (one that is not set is fine).
 */
int config_remote_modify(struct config *, enum config_level, const char *, const char *,
			 const char *, struct err *);

/**
 * config_remote_default(c, level, name, err):
 * Make the remote the default; NULL: let there be none at this level.
 */
int config_remote_default(struct config *, enum config_level, const char *, struct err *);

/**
 * config_remote_rename(c, level, name, to, err), config_remote_remove(c, level, name, err):
 * Rename a remote of this file, or take it out, and with it core.remote in this file and those
 * of stronger levels.
 */
int config_remote_rename(struct config *, enum config_level, const char *, const char *,
			 struct err *);
int config_remote_remove(struct config *, enum config_level, const char *, struct err *);

#endif
