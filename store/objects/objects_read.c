/*
 * The bytes of objects, never believed before they have the hash that is their name.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/meter.h"
#include "store/objects/objects_internal.h"
#include "store/objects/tree.h"

/* An object that is being read. */
struct source {
	struct objects *o;
	const struct object_id *id;
	struct digest d;
	struct err *err;
	int fd;
	bool ended;
};

static int
source_open(struct source *s)
{
	if (objects_digest(s->o, &s->d, s->err) != 0)
		return -1;
	s->fd = objects_fd(s->o, s->id, s->err);
	if (s->fd >= 0)
		return 0;
	objects_digest_back(s->o, &s->d);
	return -1;
}

/* The next piece, hashed; 0 at the end, where the hash has been compared; -1. */
static ssize_t
source_next(struct source *s)
{
	struct object_id found = {0};
	size_t n;

	if (s->ended)
		return 0;
	if (digest_fill(s->fd, s->d.buf, DIGEST_CHUNK, UINT64_MAX, &n) != 0)
		return objects_fault(s->o, s->id, errno, "cannot read", s->err);
	if (digest_chunk(&s->d, s->d.buf, n, s->id->legacy) != 0)
		return err_nomem(s->err);
	if (n == DIGEST_CHUNK)
		return (ssize_t)n;
	s->ended = true;
	if (digest_end(&s->d, &found) != 0)
		return err_nomem(s->err);
	if (memcmp(found.md5, s->id->md5, sizeof(found.md5)) != 0)
		return objects_wrong(s->o, s->id, &found, s->err);
	return (ssize_t)n;
}

static void
source_close(struct source *s)
{
	struct object_id unused;

	if (!s->ended)
		(void)digest_end(&s->d, &unused);
	objects_digest_back(s->o, &s->d);
	(void)close(s->fd);
}

int
objects_read(struct objects *o, const struct object_id *id, size_t max, struct buf *out,
	     struct err *err)
{
	struct source s = {.o = o, .id = id, .err = err};
	size_t start = out->n;
	ssize_t n;

	if (source_open(&s) != 0)
		return -1;
	while ((n = source_next(&s)) > 0) {
		if ((size_t)n > max - (out->n - start)) {
			struct buf path;

			buf_init(&path, 0);
			objects_path(o, id, &path);
			(void)err_set(err, ERR_LIMIT,
				      "'%s' is larger than the limit of %zu bytes",
				      path.p, max);
			buf_release(&path);
			n = -1;
			break;
		}
		buf_add(out, s.d.buf, (size_t)n);
	}
	source_close(&s);
	if (n == 0 && buf_failed(out))
		n = err_nomem(err);
	if (n != 0)
		buf_truncate(out, start);
	return n == 0 ? 0 : -1;
}

static ssize_t
fill_tree(void *arg, const uint8_t **p)
{
	struct source *s = arg;

	*p = s->d.buf;
	return source_next(s);
}

int
objects_tree(struct objects *o, const struct object_id *id, struct tree *t,
	     struct err *err)
{
	struct source s = {.o = o, .id = id, .err = err};
	struct buf path;
	ssize_t rest = 0;
	int r;

	if (source_open(&s) != 0)
		return -1;
	buf_init(&path, 0);
	buf_addc(&path, '\'');
	objects_path(o, id, &path);
	buf_addc(&path, '\'');
	t->legacy = id->legacy;
	r = tree_read(path.p, fill_tree, &s, t, err);
	/* Damaged bytes are no list either: what counts then is the damage. */
	if (r != 0 && !s.ended && (err == NULL || err->code == ERR_INVALID))
		do
			rest = source_next(&s);
		while (rest > 0);
	source_close(&s);
	buf_release(&path);
	return r;
}

int
objects_check(struct objects *o, const struct object_id *id, bool rehash, struct meter *m,
	      struct err *err)
{
	struct object_id found = {0};
	struct err why = {0};
	struct digest d;
	uint64_t size = UINT64_MAX;
	int fd, r;

	if (!rehash) {
		r = objects_has(o, id, err);
		return r < 0 ? -1 : r == 1 ? OBJECT_RIGHT : OBJECT_ABSENT;
	}
	if (objects_digest(o, &d, err) != 0)
		return -1;
	fd = objects_fd(o, id, &why);
	if (fd < 0) {
		r = why.code == ERR_NOTFOUND ? OBJECT_ABSENT : -1;
	} else if (digest_fd(&d, fd, id->legacy, &size, m, &found, &why) != 0) {
		/* A directory in its place is no object; other failures may pass. */
		r = why.sys == EISDIR ? OBJECT_WRONG : -1;
		if (why.code != ERR_CANCELLED && why.code != ERR_NOMEM)
			(void)objects_fault(o, id, why.sys, "cannot read", &why);
	} else {
		r = memcmp(found.md5, id->md5, sizeof(found.md5)) == 0 ? OBJECT_RIGHT
								       : OBJECT_WRONG;
		if (r == OBJECT_WRONG)
			(void)objects_wrong(o, id, &found, &why);
	}
	if (fd >= 0)
		(void)close(fd);
	objects_digest_back(o, &d);
	if (err != NULL && r != OBJECT_RIGHT)
		*err = why;
	return r;
}
