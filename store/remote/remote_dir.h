#ifndef DAG_STORE_REMOTE_REMOTE_DIR_H
#define DAG_STORE_REMOTE_REMOTE_DIR_H
/*
 * A remote that is a directory of this machine, or one that is mounted: laid out as a cache
 * is, and written as one (objects.h, batch.h).  Who owns it does not matter: what can be read
 * is verified, what cannot be written is an error that names it.
 */
#include "store/remote/remote.h"

/**
 * remote_dir_open(spec, dir, out, err):
 * Open the directory ${dir} (absolute) as the remote that ${spec} describes.  Return 0, or -1:
 * ERR_INVALID for the cache itself.
 */
int remote_dir_open(const struct remote_spec *, const char *, struct remote **,
		    struct err *);

#endif
