#include "store/track/intent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/vec.h"

#define END	  "."
#define DEPTH_MAX 1024 /* of directories; a scan goes less deep */

void
intent_init(struct intent *t, int state_fd, const char *name, struct objects *o)
{
	*t = (struct intent){.state_fd = state_fd, .name = name, .objects = o};
	(void)pthread_mutex_init(&t->lock, NULL);
}

static void
forget(struct intent *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	t->n = 0;
}

void
intent_release(struct intent *t)
{
	if (t->objects == NULL)
		return; /* never begun */
	forget(t);
	vec_free(t->v);
	(void)pthread_mutex_destroy(&t->lock);
	*t = (struct intent){.state_fd = -1};
}

int
intent_add(struct intent *t, const char *path, struct err *err)
{
	char *copy = strdup(path);

	if (copy != NULL && vec_push(t, copy) == 0)
		return 0;
	free(copy);
	return err_nomem(err);
}

/* ---- telling ---- */

static void
put_path(struct buf *b, const char *path)
{
	path_put_line(b, path);
	buf_addc(b, '\n');
}

/* What has no end was never acted upon, so that no rename is needed. */
static int
write_file(struct intent *t, const struct buf *b, struct err *err)
{
	int fd = fsio_open(t->state_fd, t->name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int r = -1;

	if (fd < 0)
		return err_sys(err, errno, "cannot write '%s'", t->name);
	if (fsio_write_all(fd, b->p, b->n) != 0 || fsio_sync(fd, t->name) != 0)
		(void)err_sys(err, errno, "cannot write '%s'", t->name);
	else
		r = fsio_sync_dir(t->state_fd, ".", err);
	(void)close(fd);
	if (r != 0)
		(void)fsio_unlink(t->state_fd, t->name);
	return r;
}

static int
tell(struct intent *t, struct err *err)
{
	char owner[LINK_OWNER + 1];
	struct buf b;
	int r;

	link_owner(t->objects, owner);
	buf_init(&b, INTENT_MAX);
	buf_addf(&b, "%s\n", owner);
	for (size_t i = 0; i < t->n; i++)
		put_path(&b, t->v[i]);
	buf_adds(&b, END "\n");
	if (b.state == BUF_NOMEM)
		r = err_nomem(err);
	else if (buf_failed(&b))
		r = err_set(err, ERR_LIMIT,
			    "the paths to be written are too many to be told");
	else
		r = write_file(t, &b, err);
	buf_release(&b);
	if (r == 0)
		fault_point(CHECKOUT_TOLD);
	return r;
}

int
intent_tell(struct intent *t, struct err *err)
{
	int r = 0;

	if (t == NULL || t->state_fd < 0 || atomic_load(&t->told))
		return 0;
	(void)pthread_mutex_lock(&t->lock);
	if (!atomic_load(&t->told)) {
		r = tell(t, err);
		atomic_store(&t->told, r == 0);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

void
intent_done(struct intent *t)
{
	if (t == NULL)
		return;
	forget(t);
	if (!atomic_exchange(&t->told, false))
		return;
	fault_point(CHECKOUT_DONE);
	(void)fsio_unlink(t->state_fd, t->name);
}

/* ---- reading ---- */

static bool
is_owner(const char *line)
{
	char name[LINK_NAME + 1] = ".AAAAAAAAAAAAAAAAAAAAAA.tmp";

	if (strlen(line) != LINK_OWNER)
		return false;
	memcpy(name + 1, line, LINK_OWNER);
	return link_is_temporary(name, LINK_NAME, NULL);
}

/* The text, if it is whole: lines end with NUL, the last is ".". */
static bool
load(int state_fd, const char *name, struct buf *b)
{
	struct err why = {0};
	size_t n = strlen("\n" END "\n");

	if (fsio_read(state_fd, name, INTENT_MAX, b, &why) != 0 || b->n < n ||
	    memcmp(b->p + b->n - n, "\n" END "\n", n) != 0)
		return false;
	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] == '\n')
			b->p[i] = '\0';
	return is_owner(b->p);
}

bool
intent_read(int state_fd, const char *name, char owner[LINK_OWNER + 1])
{
	struct stat st;
	struct buf b;

	owner[0] = '\0';
	if (state_fd < 0 || fstatat(state_fd, name, &st, 0) != 0)
		return false;
	buf_init(&b, INTENT_MAX);
	if (load(state_fd, name, &b))
		memcpy(owner, b.p, LINK_OWNER + 1);
	buf_release(&b);
	return true;
}

/* ---- clearing ---- */

struct clearing {
	const char *owner;
	bool failed;
};

/* Closes ${fd}, of a directory; ${depth} 0: not what is below it. */
static void
clear_dir(struct clearing *c, int fd, unsigned depth)
{
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	int sub;

	if (d == NULL) {
		(void)close(fd);
		c->failed = true;
		return;
	}
	while ((e = readdir(d)) != NULL) {
		const char *name = e->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (fsio_entry_type(fd, e) == S_IFDIR) {
			sub = depth > 0
				  ? fsio_open(fd, name,
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
				  : -1;
			if (sub >= 0)
				clear_dir(c, sub, depth - 1);
		} else if (link_is_temporary(name, strlen(name), c->owner) &&
			   fsio_unlink(fd, name) != 0 && errno != ENOENT) {
			c->failed = true;
		}
	}
	(void)closedir(d);
}

/* What is not there has nothing in it. */
static void
clear_at(struct clearing *c, int root_fd, const char *path, unsigned depth)
{
	int fd = fsio_open_beneath(root_fd, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		clear_dir(c, fd, depth);
	else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EXDEV)
		c->failed = true;
}

/* One path: all below it, if it is a directory, and what lies beside it. */
static void
clear_path(struct clearing *c, int root_fd, char *path, struct buf *last)
{
	size_t n;

	path_take_line(path);
	clear_at(c, root_fd, path, DEPTH_MAX);
	n = (size_t)(path_basename(path) - path);
	if (last->n == n && (n == 0 || memcmp(last->p, path, n) == 0))
		return; /* as for the one before, or the root, where we have been */
	buf_clear(last);
	buf_add(last, path, n);
	path[n] = '\0';
	clear_at(c, root_fd, path, 0);
}

void
intent_clear(int root_fd, int state_fd, const char *name)
{
	char owner[LINK_OWNER + 1];
	struct clearing c = {.owner = owner};
	struct buf b, last;
	char *line;

	if (!intent_read(state_fd, name, owner))
		return;
	buf_init(&b, INTENT_MAX);
	buf_init(&last, 0);
	if (owner[0] != '\0' && load(state_fd, name, &b)) {
		clear_at(&c, root_fd, ".", 0);
		for (line = b.p + LINK_OWNER + 1; strcmp(line, END) != 0;
		     line += strlen(line) + 1) {
			char *path = strdup(line);

			if (path != NULL)
				clear_path(&c, root_fd, path, &last);
			c.failed = c.failed || path == NULL;
			free(path);
		}
	}
	buf_release(&last);
	buf_release(&b);
	if (!c.failed)
		(void)fsio_unlink(state_fd, name);
}
