#include "store/track/held.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/objects/object_id.h"
#include "store/track/collect.h"

#define HELD_MAX  ((size_t)1 << 30) /* bytes: a million of outs */
#define HELD_NAME 128		    /* "runs/", an id, "/", a name */

/* ---- writing ---- */

static void
put_line(struct buf *b, const struct track_out *o)
{
	char hex[OBJECT_HEX_MAX];
	size_t at;

	buf_addf(b, "%s%s ", o->id.legacy ? "~" : "", object_id_hex(&o->id, hex));
	at = b->n;
	buf_adds(b, o->path);
	for (; at < b->n && !buf_failed(b); at++)
		if ((unsigned char)b->p[at] < 0x20)
			b->p[at] = '?';
	buf_addc(b, '\n');
}

static void
file_name(const char *run, char out[HELD_NAME])
{
	(void)snprintf(out, HELD_NAME, "runs/%s/" HELD_FILE, run);
}

static size_t
put_outs(struct buf *b, const struct track_out *v, size_t n)
{
	size_t put = 0;

	for (size_t i = 0; i < n; i++) {
		if (!v[i].cache || !object_id_is_set(&v[i].id))
			continue;
		put_line(b, &v[i]);
		put++;
	}
	return put;
}

int
held_write(int state_fd, const char *run, const struct track_list *l, struct err *err)
{
	char name[HELD_NAME];
	struct buf b;
	size_t n;
	int rc;

	buf_init(&b, HELD_MAX);
	n = put_outs(&b, l->outs, l->n);
	n += put_outs(&b, l->also, l->nalso);
	buf_addf(&b, ". %zu\n", n);
	file_name(run, name);
	rc = buf_failed(&b) ? err_nomem(err)
			    : fsio_replace_lazily(state_fd, name, b.p, b.n, 0600, err);
	buf_release(&b);
	return rc;
}

int
held_there(int state_fd, const char *run)
{
	char name[HELD_NAME];

	file_name(run, name);
	return faccessat(state_fd, name, F_OK, 0) == 0;
}

void
held_drop(int state_fd, const char *run)
{
	char name[HELD_NAME];

	file_name(run, name);
	(void)unlinkat(state_fd, name, 0);
}

/* ---- reading ---- */

/* A line "[~]HASH PATH", NUL-terminated; false if it is none. */
static bool
parse_line(char *line, struct object_id *id, const char **path)
{
	char *blank = strchr(line, ' ');
	bool legacy = *line == '~';

	if (blank == NULL)
		return false;
	*blank = '\0';
	*path = blank + 1;
	return object_id_parse(line + legacy, legacy, id) == 0;
}

/* Cut the text into lines, NUL-terminated, and count them; -1 if it is not whole. */
static long
cut_lines(char *p, size_t n)
{
	char *end = p + n, *nl, *last = NULL, want[32];
	long lines = 0;

	if (n == 0 || end[-1] != '\n' || memchr(p, '\0', n) != NULL)
		return -1;
	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		*nl = '\0';
		last = p;
		lines++;
	}
	(void)snprintf(want, sizeof(want), ". %ld", lines - 1);
	return strcmp(last, want) == 0 ? lines - 1 : -1;
}

int
held_read(int state_fd, const char *run,
	  int (*fn)(void *, const struct object_id *, const char *, struct err *),
	  void *ctx, struct err *err)
{
	char name[HELD_NAME], *p;
	struct object_id id;
	const char *path;
	struct buf b;
	long n = -1;
	int rc;

	file_name(run, name);
	buf_init(&b, HELD_MAX);
	rc = fsio_read(state_fd, name, HELD_MAX, &b, err);
	if (rc == 0)
		n = cut_lines(b.p, b.n);
	else if (err->code == ERR_NOTFOUND)
		rc = 0;
	p = b.p;
	for (long i = 0; rc == 0 && i < n; i++) {
		size_t len = strlen(p);

		if (!parse_line(p, &id, &path)) {
			rc =
			    err_set(err, ERR_CORRUPT,
				    "'%s' does not say what run %s uses: 'dag resume' or "
				    "'dag cancel' ends the run",
				    name, run);
			break;
		}
		rc = fn(ctx, &id, path, err);
		p += len + 1;
	}
	buf_release(&b);
	return rc != 0 ? rc : n < 0;
}
