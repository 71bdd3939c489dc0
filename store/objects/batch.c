#include "store/objects/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "store/meter.h"
#include "store/objects/batch_internal.h"
#include "store/objects/object_set.h"

/* The kernel writes what is older than half a minute by itself. */
#define YOUNG_S 60

int
batch_begin(struct objects *o, struct meter *m, struct batch **out, struct err *err)
{
	struct batch *b;

	if (objects_writable(o, err) != 0)
		return -1;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return err_nomem(err);
	b->o = o;
	b->m = m;
	b->names = object_set_new();
	if (b->names == NULL) {
		free(b);
		return err_nomem(err);
	}
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->changed, NULL);
	*out = b;
	return 0;
}

int
batch_fail(struct batch *b, struct err *err)
{
	(void)pthread_mutex_lock(&b->lock);
	if (!b->failed && err != NULL)
		b->why = *err;
	b->failed = true;
	(void)pthread_mutex_unlock(&b->lock);
	return -1;
}

int
batch_check(struct batch *b, struct err *err)
{
	bool failed;

	(void)pthread_mutex_lock(&b->lock);
	failed = b->failed;
	if (failed && err != NULL)
		*err = b->why;
	(void)pthread_mutex_unlock(&b->lock);
	return failed ? -1 : 0;
}

int
batch_stopped(struct batch *b, struct err *err)
{
	if (meter_cancelled(b->m))
		return err_set(err, ERR_CANCELLED, "stopped on request");
	return batch_check(b, err);
}

int
batch_replace(struct batch *b, const struct object_id *id, struct err *err)
{
	int r = -1;

	(void)pthread_mutex_lock(&b->lock);
	if (b->wrong == NULL)
		b->wrong = object_set_new();
	if (b->wrong != NULL)
		r = object_set_add(b->wrong, id);
	(void)pthread_mutex_unlock(&b->lock);
	return r >= 0 ? 0 : err_nomem(err);
}

void
batch_written(struct batch *b, uint64_t *objects, uint64_t *bytes)
{
	(void)pthread_mutex_lock(&b->lock);
	*objects = b->objects;
	*bytes = b->bytes;
	(void)pthread_mutex_unlock(&b->lock);
}

/* ---- what is there already ---- */

void
batch_note(struct batch *b, const struct object_id *id, bool foreign)
{
	(void)pthread_mutex_lock(&b->lock);
	if (b->nyoung < BATCH_FSYNC_MAX)
		b->young[b->nyoung] = (struct young){.id = *id, .foreign = foreign};
	b->nyoung++;
	(void)pthread_mutex_unlock(&b->lock);
}

static bool
is_fresh(const struct batch *b, uint8_t first)
{
	return (b->fresh[first / 8] & 1u << first % 8) != 0;
}

/* Make the directory of an object. */
static int
make_prefix(struct batch *b, int base, const struct object_id *id, const char *rel)
{
	int r = objects_make_prefix(b->o, base, rel);

	if (r != 1 || id->legacy)
		return r < 0 ? -1 : 0;
	(void)pthread_mutex_lock(&b->lock);
	b->fresh[id->md5[0] / 8] |= (uint8_t)(1u << id->md5[0] % 8);
	(void)pthread_mutex_unlock(&b->lock);
	return 0;
}

int
batch_known(struct batch *b, const struct object_id *id, uint64_t size, struct err *err)
{
	bool pending, unknown;
	char rel[REL_MAX];
	struct stat st;
	int base;

	(void)pthread_mutex_lock(&b->lock);
	pending = object_set_has(b->names, id);
	unknown = (b->wrong != NULL && object_set_has(b->wrong, id)) ||
		  (!id->legacy && is_fresh(b, id->md5[0]));
	(void)pthread_mutex_unlock(&b->lock);
	if (pending)
		return 1;
	if (unknown)
		return 0;
	object_rel(id, rel);
	base = objects_base(b->o, id->legacy, false);
	if (base >= 0 && fstatat(base, rel, &st, 0) == 0) {
		if (!S_ISREG(st.st_mode))
			return objects_fault(b->o, id, EINVAL,
					     "there is no regular file at", err);
		/* To DVC 2 two texts are one that differ in how their lines end. */
		if (!id->legacy && (uint64_t)st.st_size != size)
			return 0;
		/* What was named just now its writer may not have synced. */
		if (st.st_ctim.tv_sec >= clock_now().wall_us / 1000000 - YOUNG_S)
			batch_note(b, id, true);
		return 1;
	}
	return errno == ENOENT ? 0
			       : objects_fault(b->o, id, errno, "cannot look for", err);
}

/* ---- temporaries ---- */

void
batch_temp_rel(const struct pending *p, char out[TEMP_REL_MAX])
{
	char rel[REL_MAX];

	if (!p->loose) {
		object_rel(&p->id, rel);
		memcpy(out, rel, 3);
		out += 3;
	}
	temp_name(p->temp, out);
}

int
batch_temp_open(struct batch *b, struct pending *p, int *base, struct err *err)
{
	char rel[TEMP_REL_MAX], prefix[REL_MAX] = "";
	int fd;

	*base = objects_base(b->o, p->id.legacy, true);
	if (*base < 0)
		return err_sys(err, errno, "cannot make the store '%s'", b->o->dir);
	if (!p->loose) {
		object_rel(&p->id, prefix);
		prefix[3] = '\0';
	}
	fd = objects_temp_open(b->o, *base, prefix, OBJECT_MODE, p->temp);
	if (fd < 0 && errno == ENOENT && prefix[0] != '\0' &&
	    make_prefix(b, *base, &p->id, prefix) == 0)
		fd = objects_temp_open(b->o, *base, prefix, OBJECT_MODE, p->temp);
	if (fd < 0)
		return err_sys(err, errno, "cannot write to the store '%s'", b->o->dir);
	if ((b->o->umask & OBJECT_MODE) != 0 && fchmod(fd, OBJECT_MODE) != 0) {
		(void)err_sys(err, errno, "cannot set the mode of an object of '%s'",
			      b->o->dir);
		(void)close(fd);
		batch_temp_rel(p, rel);
		(void)unlinkat(*base, rel, 0);
		return -1;
	}
	fault_point(OBJECT_TEMP);
	return fd;
}

int
batch_put(struct batch *b, const struct pending *p, uint64_t bytes, struct err *err)
{
	char rel[TEMP_REL_MAX];
	int r;

	fault_point(OBJECT_WRITTEN);
	(void)pthread_mutex_lock(&b->lock);
	r = b->failed ? -1 : vec_push(&b->now.v, *p);
	if (r == 0 && object_set_add(b->names, &p->id) < 0) {
		b->now.v.n--;
		r = -1;
	}
	if (r == 0) {
		b->now_bytes += bytes;
		b->objects++;
		b->bytes += bytes;
		if (b->now.v.n >= BATCH_OBJECTS_MAX || b->now_bytes >= BATCH_BYTES_MAX)
			batch_load(b);
	}
	(void)pthread_mutex_unlock(&b->lock);
	if (r == 0)
		return 0;
	batch_temp_rel(p, rel);
	(void)unlinkat(objects_base(b->o, p->id.legacy, false), rel, 0);
	return batch_check(b, err) != 0 ? -1 : err_nomem(err);
}
