/*
 * The guard of an attempt's insertion: do its paths overlap those of a living one?
 *
 * Locks stand in one tree ordered by (write, path).  A path overlaps a lock that is equal,
 * above or below.  Those above are few and are asked for one by one: `a/b/c` has `.`, `a`,
 * `a/b`.  Those below are one range: from `a/` to `a0`, as `0` follows `/`.  So each look
 * takes a few searches, however many locks there are.
 *
 * Relative paths lie in the project's root; an absolute path may be above it (an input `/data`
 * of a project in /data/p).  Then all relative paths are below that one, and it is above each
 * of them.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "store/meta_internal.h"

/* Who holds the lock that was found. */
struct holder {
	int64_t aid;
	struct buf path;
};

/* Take the row of a lock, if there is one: 1, 0 or -1. */
static int
take_holder(struct query *q, struct holder *h, struct err *err)
{
	int rc = query_step(q, err);

	if (rc > 0) {
		h->aid = query_get_int(q);
		buf_adds(&h->path, query_get_text(q, NULL));
		if (buf_failed(&h->path))
			rc = err_nomem(err);
	}
	query_end(q);
	return rc;
}

static int
look_at(struct meta *m, bool write, const char *path, size_t len, struct holder *h,
	struct err *err)
{
	static const char sql[] =
	    "SELECT aid, path FROM path_lock WHERE write = ? AND path = ? LIMIT 1";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, write);
	query_put_textn(&q, path, len);
	return take_holder(&q, h, err);
}

/* Look between ${from} and ${to} (NULL: to the end). */
static int
look_between(struct meta *m, bool write, const char *from, const char *to,
	     struct holder *h, struct err *err)
{
	static const char sql[] = "SELECT aid, path FROM path_lock "
				  "WHERE write = ? AND path >= ? AND path < ? LIMIT 1";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, write);
	query_put_text(&q, from);
	if (to != NULL)
		query_put_text(&q, to);
	else
		query_put_above(&q);
	return take_holder(&q, h, err);
}

/* Look at each directory above ${path}: of an absolute one from "/", of a relative one from
 * its first component. */
static int
look_at_parents(struct meta *m, bool write, const char *path, struct holder *h,
		struct err *err)
{
	const char *slash;
	int rc = 0;

	for (slash = strchr(path, '/'); rc == 0 && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		if (slash == path && path[1] == '\0')
			break; /* "/" has none above */
		rc = look_at(m, write, path, slash == path ? 1 : (size_t)(slash - path),
			     h, err);
	}
	return rc;
}

static int
look_above(struct meta *m, bool write, const char *path, struct holder *h,
	   struct err *err)
{
	int rc;

	if (path[0] == '/')
		return look_at_parents(m, write, path, h, err);
	rc = strcmp(path, ".") != 0 ? look_at(m, write, ".", 1, h, err) : 0;
	if (rc == 0)
		rc = look_at_parents(m, write, path, h, err);
	if (rc == 0)
		rc = look_at(m, write, m->root, strlen(m->root), h, err);
	return rc == 0 ? look_at_parents(m, write, m->root, h, err) : rc;
}

/* Look at all relative paths: those that do not begin with a slash. */
static int
look_in_root(struct meta *m, bool write, struct holder *h, struct err *err)
{
	int rc = look_between(m, write, "", "/", h, err);

	return rc == 0 ? look_between(m, write, "0", NULL, h, err) : rc;
}

static int
look_below(struct meta *m, bool write, const char *path, struct holder *h,
	   struct err *err)
{
	struct buf from, to;
	int rc;

	if (strcmp(path, ".") == 0)
		return look_in_root(m, write, h, err);
	buf_init(&from, 0);
	buf_init(&to, 0);
	buf_adds(&from, path);
	if (strcmp(path, "/") != 0)
		buf_addc(&from, '/');
	buf_add(&to, from.p, from.n - 1);
	buf_addc(&to, '/' + 1);
	if (buf_failed(&from) || buf_failed(&to))
		rc = err_nomem(err);
	else
		rc = look_between(m, write, from.p, to.p, h, err);
	if (rc == 0 && path[0] == '/' && path_is_below(m->root, path))
		rc = look_in_root(m, write, h, err);
	buf_release(&from);
	buf_release(&to);
	return rc;
}

/* Look for a lock of the kind ${write} that overlaps ${path}. */
static int
look(struct meta *m, bool write, const char *path, struct holder *h, struct err *err)
{
	int rc = look_at(m, write, path, strlen(path), h, err);

	if (rc == 0)
		rc = look_above(m, write, path, h, err);
	return rc == 0 ? look_below(m, write, path, h, err) : rc;
}

/* Say who it is, in room for 255 bytes: a long path loses its beginning. */
static void
describe(struct meta_op *op, const char *path, const char *task, int32_t map)
{
	const char *run_end = op->blocked_run + (strlen(op->blocked_run) > META_TAIL
						     ? strlen(op->blocked_run) - META_TAIL
						     : 0);
	char who[208], index[16] = "";
	size_t room, n = strlen(path);

	if (map >= 0)
		(void)snprintf(index, sizeof(index), "[%d]", (int)map);
	(void)snprintf(who, sizeof(who), "is in use by task %.128s%s of run %s", task,
		       index, run_end);
	room = sizeof(op->blocked_by) - strlen(who) - sizeof("`...` ");
	if (n <= room) {
		(void)snprintf(op->blocked_by, sizeof(op->blocked_by), "`%s` %s", path,
			       who);
		return;
	}
	path += n - room;
	while (((unsigned char)*path & 0xc0) == 0x80) /* not within a character */
		path++;
	(void)snprintf(op->blocked_by, sizeof(op->blocked_by), "`...%s` %s", path, who);
}

static int
name_holder(struct meta *m, struct meta_op *op, const struct holder *h, struct err *err)
{
	static const char sql[] = "SELECT r.id, a.task, a.map FROM attempt a "
				  "JOIN run r ON r.rid = a.run WHERE a.aid = ?";
	const char *task;
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, h->aid);
	rc = query_step(&q, err);
	if (rc > 0) {
		(void)snprintf(op->blocked_run, sizeof(op->blocked_run), "%s",
			       query_get_text(&q, NULL));
		task = query_get_text(&q, NULL);
		describe(op, h->path.p, task, (int32_t)query_get_int(&q));
		op->blocked = true;
	} else if (rc == 0) {
		rc =
		    err_set(err, ERR_CORRUPT,
			    "the path lock of `%.128s` belongs to no attempt", h->path.p);
	}
	query_end(&q);
	return rc;
}

int
meta_guard(struct meta *m, struct meta_op *op, struct err *err)
{
	struct holder h = {0};
	size_t i;
	int rc = 0;

	buf_init(&h.path, 0);
	for (i = 0; rc == 0 && i < op->npaths; i++) {
		rc = look(m, true, op->paths[i].path, &h, err);
		if (rc == 0 && op->paths[i].write)
			rc = look(m, false, op->paths[i].path, &h, err);
	}
	if (rc > 0)
		rc = name_holder(m, op, &h, err);
	buf_release(&h.path);
	return rc;
}
