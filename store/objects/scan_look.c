/*
 * One name: what it is, what stands against it, what the index knows of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "store/meter.h"
#include "store/objects/scan_internal.h"

#define PATH_SHOWN ((size_t)512) /* bytes of a path in a message */

enum look
scan_look(int dirfd, const char *name, struct stat *st, struct index_stat *state)
{
	struct stat link;

	if (fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? LOOK_NONE : LOOK_FAILED;
	if (S_ISREG(st->st_mode)) {
		index_stat_of(st, NULL, state);
		return LOOK_FILE;
	}
	if (S_ISDIR(st->st_mode))
		return LOOK_DIR;
	if (!S_ISLNK(st->st_mode))
		return LOOK_ODD;
	link = *st;
	if (fstatat(dirfd, name, st, 0) != 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR
			   ? LOOK_BROKEN
			   : LOOK_FAILED;
	if (S_ISDIR(st->st_mode))
		return LOOK_DIRLINK;
	if (!S_ISREG(st->st_mode))
		return LOOK_ODD;
	index_stat_of(st, &link, state);
	return LOOK_LINK;
}

/* ---- failures ---- */

void
scan_fail(struct scan_state *s, const struct err *err)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!s->failed) {
		s->fatal = *err;
		s->failed = true;
	}
	(void)pthread_mutex_unlock(&s->lock);
	pool_stop(&s->pool);
}

/* The path of a name. */
static void
put_path(struct buf *b, const struct scan_dir *dir, const char *name)
{
	buf_adds(b, dir->path);
	if (dir->leaf == NULL && name != NULL)
		buf_addf(b, "/%s", name);
}

/* For people: of a path that would not leave room for the message the ends. */
static void
put_short(struct buf *b, const struct buf *path)
{
	size_t head = PATH_SHOWN / 2, tail = path->n - PATH_SHOWN / 2;

	if (path->n <= PATH_SHOWN) {
		buf_add(b, path->p, path->n);
		return;
	}
	while (head > 0 && ((unsigned char)path->p[head] & 0xc0) == 0x80)
		head--;
	while (tail < path->n && ((unsigned char)path->p[tail] & 0xc0) == 0x80)
		tail++;
	buf_add(b, path->p, head);
	buf_adds(b, "...");
	buf_add(b, path->p + tail, path->n - tail);
}

static void
add_problem(struct scan_state *s, struct buf *path, const struct err *e)
{
	struct scan_problem p = {.code = (int)e->code};
	struct scan *scan = s->scan;
	struct scan_problem *v;

	(void)pthread_mutex_lock(&s->lock);
	scan->nproblems_all++;
	if (scan->nproblems < SCAN_PROBLEMS_MAX) {
		p.path = buf_steal(path);
		p.what = strdup(e->msg);
		v = realloc(scan->problems, (scan->nproblems + 1) * sizeof(*v));
		if (v != NULL)
			scan->problems = v;
		if (v != NULL && p.path != NULL && p.what != NULL) {
			v[scan->nproblems++] = p;
		} else {
			free(p.path);
			free(p.what);
		}
	}
	(void)pthread_mutex_unlock(&s->lock);
}

void
scan_problem(struct scan_state *s, const struct scan_dir *dir, const char *name,
	     enum err_code code, int errnum, const char *what)
{
	struct buf path, text;
	struct err e = {0};

	buf_init(&path, 0);
	buf_init(&text, 0);
	put_path(&path, dir, name);
	put_short(&text, &path);
	if (errnum != 0) {
		(void)err_sys(&e, errnum, "cannot read '%s'", text.p);
		if (e.code != ERR_NOMEM && code != ERR_NONE)
			e.code = code;
	} else {
		(void)err_set(&e, code, "'%s' %s", text.p, what);
	}
	add_problem(s, &path, &e);
	buf_release(&path);
	buf_release(&text);
}

void
scan_look_problem(struct scan_state *s, const struct scan_dir *dir, const char *name,
		  enum look what)
{
	int sys = errno;

	if (what == LOOK_FAILED)
		scan_problem(s, dir, name, ERR_SYS, sys, "");
	else if (what == LOOK_BROKEN)
		scan_problem(s, dir, name, ERR_INVALID, 0,
			     "is a symbolic link that leads nowhere: remove it, or make "
			     "what it leads to");
	else
		scan_problem(s, dir, name, ERR_INVALID, 0,
			     "is neither a file nor a directory (a fifo, a socket or a "
			     "device): it cannot be tracked, move it away");
}

/* ---- names ---- */

static bool
is_utf8(const char *p, size_t n)
{
	uint32_t c;

	while (n > 0) {
		int k = utf8_decode(p, n, &c);

		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

bool
scan_name_ok(struct scan_state *s, struct scan_dir *dir, const char *name, size_t len)
{
	if (!is_utf8(name, len)) {
		scan_problem(
		    s, dir, name, ERR_INVALID, 0,
		    "has a name that is not UTF-8, which the list of a directory "
		    "cannot hold: rename it");
		return false;
	}
	/* The path of a file by itself was looked at before. */
	if (dir->leaf == NULL && dir->len + 1 + len > SCAN_PATH_MAX) {
		scan_problem(s, dir, name, ERR_LIMIT, 0,
			     "has a path of more than 4095 bytes: rename it, or a "
			     "directory above it");
		return false;
	}
	if (dir->depth >= SCAN_DEPTH_MAX) {
		scan_problem(s, dir, name, ERR_LIMIT, 0,
			     "lies more than 1000 directories deep");
		return false;
	}
	return true;
}

/* Whether it can be read, asked of the kernel only where the mode leaves it open. */
static bool
is_readable(struct scan_dir *dir, const char *name, const struct stat *st)
{
	const mode_t all = S_IRUSR | S_IRGRP | S_IROTH;

	return (st->st_mode & all) == all ||
	       faccessat(dir->fd, name, R_OK, AT_EACCESS) == 0 || errno == ENOENT;
}

/* ---- what the index knows ---- */

static bool
is_known(struct scan_state *s, const struct index_row *row, const struct index_entry *e)
{
	static const uint8_t unknown[INDEX_BOOT];
	const uint8_t *boot;

	if ((e->flags & INDEX_RACY) != 0)
		return false;
	if ((e->flags & INDEX_YOUNG) == 0)
		return true;
	boot = index_row_boot(row);
	return memcmp(boot, s->boot, INDEX_BOOT) == 0 &&
	       memcmp(boot, unknown, INDEX_BOOT) != 0;
}

/* Whether the file is known as it is; marks it as seen. */
static bool
take_known(struct scan_state *s, struct scan_dir *dir, const char *name, size_t len,
	   unsigned flags, const struct index_stat *state)
{
	struct index_entry e;
	struct index_row *row;
	uint32_t i = index_dir_find(&dir->known, name, len, &e, &row);

	if (i == UINT32_MAX || !index_stat_equal(&e.st, state) ||
	    (e.flags & (INDEX_LINK | INDEX_LEGACY)) != flags || !is_known(s, row, &e))
		return false;
	/* Others set neighbouring bytes now; and a directory that changes may tell one name
	 * twice. */
	__atomic_store_n(&row->seen[i], 1, __ATOMIC_RELAXED);
	if ((e.flags & INDEX_YOUNG) != 0 && !index_is_young(state, s->now_ns))
		__atomic_store_n(&row->touched, true, __ATOMIC_RELAXED);
	return true;
}

static int
add_new(struct scan_state *s, const struct index_entry *e, struct index_chunk **chunk)
{
	struct err err = {0};
	struct index_chunk *c = *chunk;

	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c != NULL && index_row_init(&c->row, s->boot, 0) != 0) {
			free(c);
			c = NULL;
		}
		*chunk = c;
	}
	if (c != NULL && index_row_add(&c->row, e) == 0)
		return 0;
	(void)err_nomem(&err);
	scan_fail(s, &err);
	return -1;
}

int
scan_file_add(struct scan_state *s, struct scan_dir *dir, const char *name, size_t len,
	      enum look what, const struct stat *st, const struct index_stat *state,
	      struct index_chunk **chunk, struct slice_counts *counts)
{
	/* In its own row a file has no name. */
	struct index_entry e = {.name = name, .len = dir->leaf == NULL ? len : 0};

	e.flags =
	    (what == LOOK_LINK ? INDEX_LINK : 0u) | (s->o.legacy ? INDEX_LEGACY : 0u);
	counts->files++;
	if (take_known(s, dir, e.name, e.len, e.flags, state)) {
		counts->known++;
		return 0;
	}
	if (!scan_name_ok(s, dir, name, len))
		return 0;
	if (len > INDEX_NAME_MAX) {
		scan_problem(s, dir, name, ERR_LIMIT, 0,
			     "has a name of more than 255 bytes: rename it");
		return 0;
	}
	if (!is_readable(dir, name, st)) {
		scan_problem(s, dir, name, ERR_SYS, errno, "");
		return 0;
	}
	e.flags |= INDEX_HASH;
	e.st = *state;
	return add_new(s, &e, chunk);
}
