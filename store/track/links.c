#include "store/track/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/vec.h"

static int
by_path(const void *path, const void *entry)
{
	return strcmp(path, ((const struct link_entry *)entry)->path);
}

int
links_set(struct links *l, const char *path, const struct object_id *id, struct err *err)
{
	size_t at = vec_first(l->v, l->n, sizeof(*l->v), path, by_path);
	struct link_entry e = {0};

	if (l->state_fd < 0)
		return 0;
	if (at < l->n && strcmp(l->v[at].path, path) == 0) {
		if (id != NULL && object_id_equal(&l->v[at].id, id))
			return 0;
		l->changed = true;
		if (id != NULL) {
			l->v[at].id = *id;
			return 0;
		}
		free(l->v[at].path);
		memmove(&l->v[at], &l->v[at + 1], (--l->n - at) * sizeof(*l->v));
		return 0;
	}
	if (id == NULL)
		return 0;
	e.id = *id;
	e.path = strdup(path);
	if (e.path == NULL || vec_push(l, e) != 0) {
		free(e.path);
		return err_nomem(err);
	}
	memmove(&l->v[at + 1], &l->v[at], (l->n - 1 - at) * sizeof(*l->v));
	l->v[at] = e;
	l->changed = true;
	return 0;
}

/* ---- the file ---- */

/* A line is the hash, with "-" behind it if DVC 2 made it, and the path; a newline in a path is
 * "\n", a backslash two. */
static void
put_line(struct buf *b, const struct link_entry *e)
{
	char hex[OBJECT_HEX_MAX];

	buf_adds(b, object_id_hex(&e->id, hex));
	buf_adds(b, e->id.legacy ? "- " : " ");
	path_put_line(b, e->path);
	buf_addc(b, '\n');
}

/* 0, also for a line that is none of ours; or -1. */
static int
take_line(struct links *l, char *line, struct err *err)
{
	char *path = strchr(line, ' ');
	struct object_id id;
	bool legacy;

	if (path == NULL)
		return 0;
	*path++ = '\0';
	legacy = path - 2 >= line && path[-2] == '-';
	if (legacy)
		path[-2] = '\0';
	if (*path == '\0' || object_id_parse(line, legacy, &id) != 0)
		return 0;
	path_take_line(path);
	return links_set(l, path, &id, err);
}

int
links_load(int state_fd, const char *name, struct links *l, struct err *err)
{
	struct err why = {0};
	struct buf b;
	char *line, *end;
	int r = 0;

	*l = (struct links){.state_fd = state_fd, .name = name};
	if (state_fd < 0)
		return 0;
	buf_init(&b, LINKS_MAX);
	if (fsio_read(state_fd, name, LINKS_MAX, &b, &why) != 0) {
		buf_release(&b);
		return why.code == ERR_NOMEM ? err_nomem(err) : 0;
	}
	for (line = b.p; r == 0 && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		r = take_line(l, line, err);
	}
	buf_release(&b);
	l->changed = false;
	return r;
}

int
links_save(struct links *l, struct err *err)
{
	struct buf b;
	int r = 0;

	if (!l->changed || l->state_fd < 0)
		return 0;
	buf_init(&b, LINKS_MAX);
	for (size_t i = 0; i < l->n; i++)
		put_line(&b, &l->v[i]);
	if (b.state == BUF_NOMEM)
		r = err_nomem(err);
	else if (buf_failed(&b))
		r = err_set(err, ERR_LIMIT, "more outs than can be remembered");
	else
		r = fsio_replace(l->state_fd, l->name, b.p, b.n, 0644, err);
	buf_release(&b);
	l->changed = r != 0;
	return r;
}

void
links_release(struct links *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	vec_free(l->v);
	*l = (struct links){.state_fd = -1};
}
