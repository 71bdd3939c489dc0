#ifndef DAG_STORE_PROJECT_INTERNAL_H
#define DAG_STORE_PROJECT_INTERNAL_H
/* What the project*.c files share. */
#include <stddef.h>

struct buf;
struct err;

#define FS_TYPE_MAX 32

enum fs_trust {
	FS_LOCAL,    /* a plain local file system */
	FS_DOUBTFUL, /* depends on what is behind it: try it */
	FS_NETWORK   /* refused */
};

/**
 * project_fs(dirfd, type, trust, free_bytes, err):
 * Tell the type of the file system of ${dirfd} by statfs alone.  Return 0 or -1.
 */
int project_fs(int, char type[FS_TYPE_MAX], enum fs_trust *, unsigned long long *,
	       struct err *);

/**
 * project_config(root, dot, state_dir, err):
 * Read the settings in ${dot}/config.yaml, if there are any: append the path of `state_dir`
 * (below ${root} where it is relative).  Return 0, or -1 with the first mistake.
 */
int project_config(const char *, const char *, struct buf *, struct err *);

/**
 * project_config_parse(name, text, n, root, state_dir, err):
 * The same for the ${n} bytes of a file called ${name} in messages.
 */
int project_config_parse(const char *, const char *, size_t, const char *, struct buf *,
			 struct err *);

#endif
