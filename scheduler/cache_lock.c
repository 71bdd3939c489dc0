#include "scheduler/cache_lock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/path.h"
#include "scheduler/cache_pool.h"
#include "store/dvc/dvc_lock.h"
#include "store/meta.h"

struct cache_lock *
cache_lock_new(const char *path, bool pipeline)
{
	struct cache_lock *l = calloc(1, sizeof(*l));

	if (l == NULL || (l->path = strdup(path)) == NULL) {
		free(l);
		return NULL;
	}
	l->pipeline = pipeline;
	return l;
}

void
cache_lock_free(struct cache_lock *l)
{
	if (l == NULL)
		return;
	map_foreach (&l->added, e)
		free((char *)(uintptr_t)e->key);
	map_release(&l->added);
	map_release(&l->rank);
	free(l->path);
	free(l);
}

int
cache_lock_order(struct cache_lock *l, const char *name)
{
	uintptr_t number = l->rank.n + 1;

	if (map_get(&l->rank, name) != NULL)
		return 0;
	return map_put(&l->rank, name, (void *)number) < 0 ? -1 : 0;
}

static uintptr_t
rank_of(const struct cache_lock *l, const char *name)
{
	return (uintptr_t)map_get(&l->rank, name);
}

/*
 * Where a stage that is new stands: behind all that were there, and among those that this
 * session has added as if they had been run one after the other.
 */
static const char *
place_of(const struct cache_lock *l, const struct dvc_lock *lock, const char *name)
{
	uintptr_t own = rank_of(l, name);

	for (size_t i = 0; own != 0 && i < lock->nstages; i++) {
		const char *other = lock->stages[i].name;

		if (map_hasn(&l->added, other, strlen(other)) && rank_of(l, other) > own)
			return other;
	}
	return NULL;
}

static int
put(struct cache_lock *l, struct dvc_lock *lock, const struct meta_stage *s,
    struct err *err)
{
	bool is_new = dvc_lock_find(lock, s->name) == NULL;
	char *name;

	if (dvc_lock_put(lock, s->name, s->entry, place_of(l, lock, s->name), err) != 0)
		return -1;
	if (!is_new)
		return 0;
	name = strdup(s->name);
	if (name == NULL || map_put(&l->added, name, NULL) != 0) {
		free(name);
		return name == NULL ? err_nomem(err) : 0;
	}
	return 0;
}

/* As it is on the disk now; an empty one where there is none. */
static int
read_file(int dirfd, const char *base, struct dvc_lock **out, struct err *err)
{
	int rc = dvc_lock_read(dirfd, base, NULL, out, err);

	if (rc == 0 || err->code != ERR_NOTFOUND)
		return rc;
	err_clear(err);
	dvc_lock_free(*out);
	return dvc_lock_parse(base, "", 0, NULL, out, err);
}

static int
write_file(struct cache_lock *l, struct cache_seat *seat, const struct meta_stage *v,
	   size_t n, struct err *err)
{
	struct dvc_lock *lock = NULL;
	const char *base;
	int fd = lock_file_open(seat, l->path, l->pipeline, &base, err), rc;

	if (fd == -1)
		return -1;
	rc = read_file(fd, base, &lock, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put(l, lock, &v[i], err);
	fault_point(LOCK_MADE);
	if (rc == 0)
		rc = dvc_lock_write(lock, fd, NULL, err);
	fault_point(LOCK_WRITTEN);
	dvc_lock_free(lock);
	(void)close(fd);
	return rc;
}

/* What is to be written may have become another one while somebody else had the lock: it is
 * asked for with the lock held. */
static int
flush(struct cache_lock *l, struct cache_seat *seat, struct arena *a, struct err *err)
{
	struct meta *m = cache_seat_meta(seat, err);
	struct meta_stage *v;
	size_t n;
	int rc;

	if (m == NULL || meta_lock_entries(m, l->path, a, &v, &n, err) != 0)
		return -1;
	if (n == 0)
		return 0;
	if (cache_seat_lock(seat, err) != 0)
		return -1;
	rc = meta_lock_entries(m, l->path, a, &v, &n, err);
	if (rc == 0 && n > 0)
		rc = write_file(l, seat, v, n, err);
	cache_seat_unlock(seat);
	if (rc == 0 && n > 0)
		rc = meta_lock_written(m, v, n, err);
	return rc;
}

const char *
cache_lock_beside(struct arena *a, const char *file)
{
	const char *base = path_basename(file);
	size_t dir = (size_t)(base - file);

	return arena_printf(a, "%.*s%.*s.dag.lock", (int)dir, file,
			    (int)path_stem_len(base), base);
}

int
cache_lock_flush(struct cache_lock *l, struct cache_seat *seat, struct err *err)
{
	struct arena *a = arena_new(0);
	int rc = a != NULL ? flush(l, seat, a, err) : err_nomem(err);

	arena_free(a);
	return rc != 0 ? err_wrap(err, "%s cannot be written", l->path) : 0;
}
