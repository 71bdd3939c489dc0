#include "store/track/verified.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/objects/index.h"
#include "store/objects/object_id.h"
#include "store/objects/objects.h"

/* An object as the index knows it: a name in a directory. */
struct place {
	struct buf path;
	const char *name; /* in path, which is cut before it */
	struct index_stat st;
	int64_t since_ns;
	bool there;
};

static void
look(struct objects *cache, const struct object_id *id, struct place *p)
{
	struct stat st;
	char *slash;

	*p = (struct place){.since_ns = clock_stamp_ns()};
	buf_init(&p->path, PATH_MAX);
	objects_path(cache, id, &p->path);
	if (buf_failed(&p->path) || fstatat(AT_FDCWD, p->path.p, &st, 0) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	index_stat_of(&st, NULL, &p->st);
	slash = strrchr(p->path.p, '/');
	*slash = '\0';
	p->name = slash + 1;
	p->there = true;
}

static bool
is_known(struct index *ix, const struct place *p, const struct object_id *id)
{
	struct object_id found;

	return p->there && ix != NULL &&
	       index_known(ix, p->path.p, p->name, &p->st, &found) &&
	       memcmp(found.md5, id->md5, sizeof(found.md5)) == 0 &&
	       found.legacy == id->legacy;
}

bool
verified_known(struct objects *cache, struct index *ix, const struct object_id *id)
{
	struct place p;
	bool known;

	if (objects_made(cache, id))
		return true;
	if (ix == NULL)
		return false;
	look(cache, id, &p);
	known = is_known(ix, &p, id);
	buf_release(&p.path);
	return known;
}

int
verified_check(struct objects *cache, struct index *ix, const struct object_id *id,
	       struct meter *m, struct err *err)
{
	struct place p;
	int r;

	look(cache, id, &p);
	if (is_known(ix, &p, id)) {
		buf_release(&p.path);
		return 1;
	}
	r = objects_check(cache, id, true, m, err);
	if (r == OBJECT_RIGHT && p.there && ix != NULL) {
		struct index_fact f = {.st = p.st,
				       .id = id,
				       .since_ns = p.since_ns,
				       .tick_ns = index_tick_at(p.path.p)};

		index_note(ix, p.path.p, p.name, &f);
	}
	if (r == OBJECT_ABSENT)
		(void)err_set(err, ERR_NOTFOUND, "the cache does not have it");
	buf_release(&p.path);
	return r < 0 ? -1 : r == OBJECT_RIGHT;
}
