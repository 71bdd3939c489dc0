#include "scheduler/cache_far.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "scheduler/cache_pool.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/collect.h"
#include "store/track/far.h"
#include "store/track/stage_glob.h"

int
cache_far_fetch(void *arg, const struct object_id *v, size_t n, struct err *err)
{
	const struct cache_seat *seat = arg;

	return far_fetch(&seat->track, NULL, v, n, seat->ws.meter, err);
}

int
cache_far_upstream(void *arg, const char *path, struct object_id *id)
{
	const struct track_list *l = cache_seat_list(arg, NULL);

	return l != NULL ? far_find(l, path, id) : 0;
}

static int
bring(struct cache_seat *seat, const struct track_list *l, const char *path,
      struct err *err)
{
	struct stat st;
	int rc;

	if (*path == '/' ||
	    fstatat(seat->track.root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (cache_seat_lock(seat, err) != 0)
		return -1;
	rc = far_bring(&seat->track, &seat->ws, l, path, seat->ws.meter, err);
	cache_seat_unlock(seat);
	return rc;
}

int
cache_far_deps(struct cache_seat *seat, const struct stage_run *run, struct err *err)
{
	const struct track_list *l = cache_seat_list(seat, err);
	int come = 0, rc = l != NULL ? 0 : -1;
	struct buf joined, full;

	buf_init(&joined, 0);
	buf_init(&full, 0);
	for (size_t i = 0; i < run->stage->ndeps && rc >= 0; i++) {
		const struct dvc_yaml_dep *dep = &run->stage->deps[i];

		buf_clear(&joined);
		buf_clear(&full);
		path_join(&joined, run->dir, dep->path);
		if (dep->glob)
			buf_truncate(&joined, stage_glob_base(joined.p));
		if (!buf_failed(&joined))
			path_normalize(&full, joined.p);
		rc = buf_failed(&joined) || buf_failed(&full)
			 ? err_nomem(err)
			 : bring(seat, l, full.p, err);
		come = come || rc == 1;
	}
	buf_release(&full);
	buf_release(&joined);
	return rc < 0 ? -1 : come;
}
