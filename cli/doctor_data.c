#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "store/dvc/config.h"
#include "store/objects/link.h"
#include "store/objects/objects.h"
#include "store/track/track.h"

/* ---- settings ---- */

static int
count(void *ctx, const struct config_item *it)
{
	(void)it;
	++*(size_t *)ctx;
	return 0;
}

/* The files that say something, the strongest last. */
static void
look_settings(struct doctor *d, const struct track *t)
{
	struct buf b;

	buf_init(&b, 0);
	for (unsigned i = 0; i < CONFIG_LEVELS; i++) {
		const char *path = config_path(t->config, (enum config_level)i);
		size_t n = 0;

		(void)config_each(t->config, (enum config_level)i, count, &n);
		if (path != NULL && n > 0)
			buf_addf(&b, "%s%s (%zu)", b.n > 0 ? ", " : "", path, n);
	}
	doctor_say(d, "settings", GRADE_OK, "%s",
		   b.n > 0 ? b.p : "none: all is as it comes");
	buf_release(&b);
}

/* ---- the cache ---- */

/* A directory that is where the cache is, or is to be: what lies above it if it is not there
 * yet.  Return a descriptor, its path in ${path}; -1 with errno. */
static int
open_place(const struct track *t, struct buf *path)
{
	int fd;

	buf_adds(path, t->cache_dir);
	while (!buf_failed(path)) {
		char *slash;

		fd = open(path->p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT || path->n <= 1)
			return fd;
		slash = strrchr(path->p, '/');
		buf_truncate(path, slash == path->p ? 1 : (size_t)(slash - path->p));
	}
	errno = ENOMEM;
	return -1;
}

static void
say_cache(struct doctor *d, const struct track *t, const char *place, int fd)
{
	bool there = strcmp(place, t->cache_dir) == 0;
	struct fs_probe p = {.type = "?"};
	struct err err = {0};
	struct buf b;

	if (project_probe(fd, &p, &err) != 0) {
		doctor_say(d, "cache", GRADE_WARN,
			   "%s: %s; 'dag config cache.dir DIR' takes another directory",
			   t->cache_dir, err.msg);
		return;
	}
	buf_init(&b, 0);
	num_put_size(&b, p.free_bytes);
	doctor_say(d, "cache", GRADE_OK, "%s: %s, %s free%s%s", t->cache_dir, p.type, b.p,
		   t->shared ? ", shared with the group" : "",
		   there ? "" : "; the first 'dag add' makes it");
	buf_release(&b);
}

/* ---- links ---- */

static void
say_links(struct doctor *d, const struct track *t, struct objects *o)
{
	enum link_type used;
	struct err err = {0};
	struct buf b;

	buf_init(&b, 0);
	for (unsigned i = 0; i < LINK_TYPES; i++) {
		struct err why = {0};
		int r = link_works(o, t->root_fd, (enum link_type)i, &why);

		if (r < 0) {
			doctor_say(d, "links", GRADE_WARN, "%s", why.msg);
			buf_release(&b);
			return;
		}
		buf_addf(&b, "%s%s%s", b.n > 0 ? ", " : "", r > 0 ? "" : "no ",
			 link_type_name((enum link_type)i));
	}
	if (link_probe(o, t->root_fd, t->links, t->nlinks, &used, &err) != 0)
		doctor_say(d, "links", GRADE_FAIL, "%s; cache.type: %s", b.p, err.msg);
	else
		doctor_say(d, "links", GRADE_OK, "%s; 'dag checkout' makes a %s%s", b.p,
			   link_type_name(used), t->nlinks > 0 ? " (cache.type)" : "");
	buf_release(&b);
}

/* Tried in the cache, or where it will be in a directory that goes again. */
static void
look_links(struct doctor *d, const struct track *t, const char *place)
{
	struct objects_options opt = {.dir = t->cache_dir};
	struct objects *o = NULL;
	struct err err = {0};
	char name[FSIO_TEMP_SIZE];
	struct buf made;

	buf_init(&made, 0);
	if (strcmp(place, t->cache_dir) != 0) {
		if (fsio_temp_name(name) == 0)
			path_join(&made, place, name);
		if (made.n == 0 || buf_failed(&made) || mkdir(made.p, 0700) != 0) {
			doctor_say(d, "links", GRADE_WARN, "cannot try them in '%s': %s",
				   place, strerror(errno));
			buf_release(&made);
			return;
		}
		opt.dir = made.p;
	}
	if (objects_open(&opt, &o, &err) != 0)
		doctor_say(d, "links", GRADE_WARN, "%s", err.msg);
	else
		say_links(d, t, o);
	objects_close(o);
	if (made.n > 0)
		(void)fsio_remove_tree(AT_FDCWD, made.p, NULL);
	buf_release(&made);
}

void
doctor_data(struct doctor *d)
{
	struct track_options opt = {.project = &d->project};
	struct err err = {0};
	struct track t;
	struct buf place;
	char *cwd = d->c->dir == NULL ? fsio_realpath(".", NULL) : NULL;
	int fd;

	buf_init(&place, 0);
	/* As for the verbs: a repository in the project is meant by who is in it. */
	if (cwd != NULL && path_is_below(cwd, d->project.root))
		opt.where = cwd;
	if (track_open(&opt, &t, &err) != 0) {
		doctor_say(d, "settings", GRADE_FAIL, "%s", err.msg);
		goto out;
	}
	look_settings(d, &t);
	fd = open_place(&t, &place);
	if (fd < 0) {
		doctor_say(d, "cache", GRADE_FAIL, "cannot open '%s': %s", t.cache_dir,
			   strerror(errno));
		goto out;
	}
	say_cache(d, &t, place.p, fd);
	(void)close(fd);
	look_links(d, &t, place.p);
out:
	free(cwd);
	buf_release(&place);
	track_close(&t);
}
