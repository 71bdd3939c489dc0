/*
 * From written to durable: sync, rename, sync the directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fsio.h"
#include "store/objects/batch_internal.h"
#include "store/objects/object_set.h"
#include "store/thread.h"

/* Remove temporaries that will get no name. */
static void
drop(struct batch *b, struct pendings *list, size_t from)
{
	char rel[TEMP_REL_MAX];

	for (size_t i = from; i < list->v.n; i++) {
		const struct pending *p = &list->v.v[i];

		batch_temp_rel(p, rel);
		/* One that stays costs room until the next sweep, nothing else. */
		(void)unlinkat(objects_base(b->o, p->id.legacy, false), rel, 0);
	}
	vec_release(&list->v);
}

static int
sync_failed(struct batch *b, struct err *err)
{
	struct err why = {0};

	(void)err_sys(&why, errno, "cannot make the objects in '%s' durable", b->o->dir);
	if (err != NULL)
		*err = why;
	return batch_fail(b, &why);
}

/* Sync one file or directory by its name. */
static int
sync_name(int base, const char *rel, int flags)
{
	int fd = fsio_open(base, rel, O_RDONLY | flags, 0), r;

	if (fd < 0)
		return -1;
	r = fsio_sync(fd, rel);
	if (r != 0 && errno == EINVAL && (flags & O_DIRECTORY) != 0)
		r = 0; /* a file system that needs none */
	if (r != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	(void)close(fd);
	return 0;
}

/* The whole file system that holds the store. */
static int
sync_all(struct batch *b)
{
	bool legacy = objects_base(b->o, false, false) < 0;
	int base = objects_base(b->o, legacy, false);

	return base < 0 ? 0 : fsio_sync_fs(base, b->o->dir);
}

/* Those one by one: the writing of all begins before the first is waited for. */
static int
sync_each(struct batch *b, const struct pending *v, size_t n)
{
	int fds[BATCH_FSYNC_MAX], r = 0, saved;
	char rel[TEMP_REL_MAX];
	size_t i, opened = 0;

	for (; opened < n; opened++) {
		batch_temp_rel(&v[opened], rel);
		fds[opened] = fsio_open(objects_base(b->o, v[opened].id.legacy, false),
					rel, O_RDONLY, 0);
		if (fds[opened] < 0)
			break;
		if (n > 1)
			fsio_write_soon(fds[opened]);
	}
	if (opened < n)
		r = -1;
	for (i = 0; i < opened && r == 0; i++) {
		batch_temp_rel(&v[i], rel);
		r = fsio_sync(fds[i], rel);
	}
	saved = errno;
	for (i = 0; i < opened; i++)
		(void)close(fds[i]);
	errno = saved;
	return r;
}

/* First step: the bytes, of those that are not yet. */
static int
sync_bytes(struct batch *b, const struct pendings *list, size_t done)
{
	size_t n = list->v.n - done;

	if (n == 0)
		return 0;
	return n > BATCH_FSYNC_MAX ? sync_all(b) : sync_each(b, list->v.v + done, n);
}

/* Second step: the name of one. */
static int
name_one(struct batch *b, const struct pending *p)
{
	int base = objects_base(b->o, p->id.legacy, false);
	char temp[TEMP_REL_MAX], rel[REL_MAX];

	batch_temp_rel(p, temp);
	object_rel(&p->id, rel);
	if (fsio_rename(base, temp, base, rel) == 0)
		return 0;
	if (errno != ENOENT || !p->loose || objects_make_prefix(b->o, base, rel) < 0)
		return -1;
	return fsio_rename(base, temp, base, rel);
}

/* Both steps for a list, of which the first ${synced} need only the second, and which is freed; on
 * failure the batch is given up. */
static int
name_all(struct batch *b, struct pendings *list, size_t synced, struct err *err)
{
	struct err why = {0};
	size_t i = 0;

	if (batch_check(b, err) != 0) {
		drop(b, list, 0);
		return -1;
	}
	if (sync_bytes(b, list, synced) != 0) {
		(void)sync_failed(b, err);
		drop(b, list, 0);
		return -1;
	}
	fault_point(OBJECTS_SYNCED);
	for (; i < list->v.n && name_one(b, &list->v.v[i]) == 0; i++)
		fault_point(OBJECT_NAMED);
	if (i < list->v.n) {
		(void)objects_fault(b->o, &list->v.v[i].id, errno, "cannot make", &why);
		if (err != NULL)
			*err = why;
		drop(b, list, i);
		return batch_fail(b, &why);
	}
	for (i = 0; i < list->v.n; i++)
		batch_note(b, &list->v.v[i].id, false);
	vec_release(&list->v);
	return 0;
}

static bool
same_dir(const struct object_id *a, const struct object_id *b)
{
	return a->legacy == b->legacy && a->md5[0] == b->md5[0];
}

/* The directory of the i-th, and the one above, unless one before it is the same. */
static int
sync_dirs_of(struct batch *b, size_t i)
{
	const struct object_id *id = &b->young[i].id;
	int base = objects_base(b->o, id->legacy, false);
	bool dir = false, above = false;
	char rel[REL_MAX];

	for (size_t k = 0; k < i; k++) {
		dir = dir || same_dir(&b->young[k].id, id);
		above = above || b->young[k].id.legacy == id->legacy;
	}
	object_rel(id, rel);
	rel[2] = '\0';
	if (!dir && sync_name(base, rel, O_DIRECTORY) != 0)
		return -1;
	return above ? 0 : sync_name(base, ".", O_DIRECTORY);
}

/* Third step: the names, and what others wrote just now. */
static int
sync_names(struct batch *b)
{
	size_t n = b->nyoung;
	char rel[REL_MAX];

	b->nyoung = 0;
	if (n > BATCH_FSYNC_MAX)
		return sync_all(b);
	for (size_t i = 0; i < n; i++) {
		const struct object_id *id = &b->young[i].id;

		object_rel(id, rel);
		if (b->young[i].foreign &&
		    sync_name(objects_base(b->o, id->legacy, false), rel, 0) != 0 &&
		    errno != ENOENT)
			return -1;
		if (sync_dirs_of(b, i) != 0)
			return -1;
	}
	return 0;
}

/* ---- the thread ---- */

static void *
name_loads(void *arg)
{
	struct batch *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	for (;;) {
		struct pendings list = b->load;

		if (list.v.n == 0 && b->quit)
			break;
		if (list.v.n == 0) {
			(void)pthread_cond_wait(&b->changed, &b->lock);
			continue;
		}
		b->load = (struct pendings){0};
		b->busy = true;
		(void)pthread_cond_broadcast(&b->changed);
		(void)pthread_mutex_unlock(&b->lock);
		(void)name_all(b, &list, 0, NULL); /* the batch knows how it ended */
		(void)pthread_mutex_lock(&b->lock);
		b->busy = false;
		(void)pthread_cond_broadcast(&b->changed);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

void
batch_load(struct batch *b)
{
	while (b->load.v.n != 0 && !b->failed)
		(void)pthread_cond_wait(&b->changed, &b->lock);
	/* Others may have handed it over meanwhile; what was lost goes with the batch. */
	if (b->load.v.n != 0 || b->now.v.n == 0 || b->failed)
		return;
	if (!b->threaded)
		b->threaded = thread_start(&b->thread, name_loads, b) == 0;
	if (!b->threaded)
		return; /* then all of it waits for the flush */
	b->load = b->now;
	b->now = (struct pendings){0};
	b->now_bytes = 0;
	b->nsynced = 0;
	(void)pthread_cond_broadcast(&b->changed);
}

/* Let the thread come to its end. */
static void
finish_loads(struct batch *b)
{
	if (!b->threaded)
		return;
	(void)pthread_mutex_lock(&b->lock);
	b->quit = true;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
	(void)pthread_join(b->thread, NULL);
	b->threaded = b->quit = false;
}

int
batch_sync(struct batch *b, struct err *err)
{
	finish_loads(b);
	if (batch_check(b, err) != 0)
		return -1;
	if (sync_bytes(b, &b->now, b->nsynced) != 0)
		return sync_failed(b, err);
	b->nsynced = b->now.v.n;
	return 0;
}

int
batch_name(struct batch *b, struct err *err)
{
	size_t synced = b->nsynced;
	struct pendings list;

	finish_loads(b);
	list = b->now;
	b->now = (struct pendings){0};
	b->now_bytes = 0;
	b->nsynced = 0;
	if (list.v.n != 0 && name_all(b, &list, synced, err) != 0)
		return -1;
	return batch_check(b, err);
}

int
batch_flush(struct batch *b, struct err *err)
{
	if (batch_name(b, err) != 0)
		return -1;
	if (b->nyoung != 0 && sync_names(b) != 0)
		return sync_failed(b, err);
	fault_point(OBJECTS_DURABLE);
	return 0;
}

int
batch_end(struct batch *b, bool keep, struct err *err)
{
	int r = 0;

	if (b == NULL)
		return 0;
	if (keep)
		r = batch_flush(b, err);
	finish_loads(b);
	drop(b, &b->now, 0);
	if (keep && r == 0)
		objects_note_made(b->o, &b->names);
	object_set_free(b->names);
	object_set_free(b->wrong);
	(void)pthread_cond_destroy(&b->changed);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
	return r;
}
