#include "store/track/get.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/track/elsewhere.h"
#include "store/track/ls.h"
#include "store/track/workspace.h"

#define STAGING	       "data" /* what is asked for, in the directory of ours */
#define PIECE	       65536
#define LINK_MAX_BYTES 4096

struct get {
	struct elsewhere *e;
	const struct get_options *o;
	struct arena *arena;
	struct get_report *report;
	char *dir; /* of ours, beside the target */
	int dir_fd;
	const char *made; /* in it, what becomes the target */
	struct checkout_out *outs;
	struct transfer_want *wants;
	size_t n;
	struct ls_list files;
	struct err *err;
};

/* ---- the place ---- */

static int
check_target(struct get *g)
{
	const char *name = path_basename(g->o->to);
	size_t n = strlen(name);
	struct stat st;

	if ((n > 4 && strcmp(name + n - 4, ".dvc") == 0) || strcmp(name, "dvc.yaml") == 0)
		return err_set(
		    g->err, ERR_INVALID,
		    "'%s' would be a pointer: name the data, or another path with "
		    "--out",
		    g->o->to);
	if (lstat(g->o->to, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : err_sys(g->err, errno, "cannot stat '%s'", g->o->to);
	if (g->o->force)
		return 0;
	return err_set(g->err, ERR_EXISTS, "'%s' is there already: --force replaces it",
		       g->o->to);
}

static int
make_dir(struct get *g)
{
	const char *name = path_basename(g->o->to);
	const char *parent = name == g->o->to ? "."
					      : arena_strndup(g->arena, g->o->to,
							      (size_t)(name - g->o->to));

	if (parent == NULL)
		return err_nomem(g->err);
	if (fsio_mkdirs(AT_FDCWD, parent, 0777, g->err) != 0)
		return -1;
	g->dir = arena_printf(g->arena, "%s/.dag-get-XXXXXX", parent);
	if (g->dir == NULL)
		return err_nomem(g->err);
	if (mkdtemp(g->dir) == NULL) {
		g->dir = NULL;
		return err_sys(g->err, errno, "cannot make a directory in '%s'", parent);
	}
	g->dir_fd = fsio_open(AT_FDCWD, g->dir, O_RDONLY | O_DIRECTORY, 0);
	return g->dir_fd >= 0 ? 0 : err_sys(g->err, errno, "cannot open '%s'", g->dir);
}

static int
put_in_place(struct get *g)
{
	const char *to = g->o->to;

	if (renameat2(g->dir_fd, g->made, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL && !g->o->force) {
		struct stat st;

		if (lstat(to, &st) == 0)
			errno = EEXIST;
		else if (fsio_rename(g->dir_fd, g->made, AT_FDCWD, to) == 0)
			return 0;
	}
	if (errno != EEXIST && errno != EINVAL)
		return err_sys(g->err, errno, "cannot make '%s'", to);
	if (!g->o->force)
		return err_set(g->err, ERR_EXISTS,
			       "'%s' is there now: --force replaces it", to);
	if (renameat2(g->dir_fd, g->made, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
		return 0; /* what was there goes with the directory of ours */
	if (fsio_rename(AT_FDCWD, to, g->dir_fd, "old") != 0 ||
	    fsio_rename(g->dir_fd, g->made, AT_FDCWD, to) != 0)
		return err_sys(g->err, errno, "cannot replace '%s'", to);
	return 0;
}

/* ---- files that git or the work tree has ---- */

static bool
is_pointer(const char *name)
{
	size_t n = strlen(name);

	return (n > 4 && strcmp(name + n - 4, ".dvc") == 0) ||
	       strcmp(name, "dvc.yaml") == 0 || strcmp(name, "dvc.lock") == 0 ||
	       strcmp(name, ".dvcignore") == 0;
}

static int
write_file(struct get *g, const char *to, const void *p, size_t n, bool exec)
{
	int fd = fsio_open(g->dir_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
			   exec ? 0777 : 0666);
	int r = 0;

	if (fd < 0)
		return err_sys(g->err, errno, "cannot make '%s'", g->o->to);
	if (fsio_write_all(fd, p, n) != 0)
		r = err_sys(g->err, errno, "cannot write '%s'", g->o->to);
	if (close(fd) != 0 && r == 0)
		r = err_sys(g->err, errno, "cannot write '%s'", g->o->to);
	return r;
}

/* The bytes of ${path} in the commit; ${link}: a link is followed as far as it stays inside. */
static int
read_blob(struct get *g, const char *path, bool link, struct buf *out)
{
	const char *full = arena_printf(g->arena, "%s%s", g->e->prefix, path), *name;
	struct buf joined, norm;
	int r;

	if (full == NULL)
		return err_nomem(g->err);
	r = repo_file(g->e->git, g->e->commit, full, GET_BLOB_MAX, out, g->err);
	if (r != 0 || !link)
		return r;
	buf_init(&joined, 0);
	buf_init(&norm, 0);
	name = path_basename(path);
	buf_add(&joined, path, (size_t)(name - path));
	if (out->p[0] == '/')
		buf_clear(&joined);
	buf_add(&joined, out->p, out->n);
	path_normalize(&norm, joined.p);
	if (buf_failed(&joined) || buf_failed(&norm))
		r = err_nomem(g->err);
	else if (path_climbs(norm.p))
		r = err_set(g->err, ERR_INVALID,
			    "'%s' is a link out of its repository, to '%s'", path,
			    out->p);
	buf_clear(out);
	if (r == 0)
		r = read_blob(g, norm.p, false, out);
	buf_release(&joined);
	buf_release(&norm);
	return r;
}

static int
copy_work(struct get *g, const char *from, const char *to, bool exec)
{
	int in = fsio_open_beneath(g->e->track.root_fd, from, O_RDONLY, 0), out = -1,
	    r = 0;
	char *piece = malloc(PIECE);
	ssize_t n = 0;

	if (piece == NULL)
		r = err_nomem(g->err);
	else if (in < 0)
		r = err_sys(g->err, errno, "cannot open '%s' in '%s'", from,
			    g->e->o->url);
	if (r == 0) {
		out = fsio_open(g->dir_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
				exec ? 0777 : 0666);
		if (out < 0)
			r = err_sys(g->err, errno, "cannot make '%s'", g->o->to);
	}
	while (r == 0 && (n = fsio_read_some(in, piece, PIECE)) > 0) {
		if (fsio_write_all(out, piece, (size_t)n) != 0)
			r = err_sys(g->err, errno, "cannot write '%s'", g->o->to);
		else if (meter_cancelled(g->e->o->meter))
			r = err_set(g->err, ERR_CANCELLED, "stopped");
		meter_add(g->e->o->meter, 0, (uint64_t)n);
	}
	if (n < 0)
		r = err_sys(g->err, errno, "cannot read '%s' in '%s'", from,
			    g->e->o->url);
	free(piece);
	if (in >= 0)
		(void)close(in);
	if (out >= 0 && close(out) != 0 && r == 0)
		r = err_sys(g->err, errno, "cannot write '%s'", g->o->to);
	return r;
}

/* One file; a link by itself is what it leads to, in a directory it stays one. */
static int
take_file(struct get *g, const struct ls_entry *en, const char *from, const char *to,
	  bool alone)
{
	char target[LINK_MAX_BYTES];
	struct buf b;
	ssize_t n;
	int r = 0;

	meter_add(g->e->o->meter, 1, 0);
	if (!g->e->at_commit && (alone || !en->link))
		return copy_work(g, from, to, en->isexec);
	buf_init(&b, GET_BLOB_MAX);
	if (g->e->at_commit) {
		r = read_blob(g, from, en->link && alone, &b);
	} else {
		n = readlinkat(g->e->track.root_fd, from, target, sizeof(target));
		if (n < 0)
			r = err_sys(g->err, errno, "cannot read the link '%s'", from);
		else
			buf_add(&b, target, (size_t)n);
	}
	if (r == 0 && en->link && !alone) {
		if (fsio_symlink(b.p, g->dir_fd, to) != 0)
			r = err_sys(g->err, errno, "cannot make the link '%s'", to);
	} else if (r == 0) {
		r = write_file(g, to, b.p, b.n, en->isexec);
	}
	buf_release(&b);
	return r;
}

static int
take_entry(struct get *g, const struct ls_entry *en)
{
	bool alone = en->depth == 0;
	const char *from = alone ? g->o->path
			   : strcmp(g->o->path, ".") == 0
			       ? en->path
			       : arena_printf(g->arena, "%s/%s", g->o->path, en->path);
	const char *to =
	    alone ? STAGING : arena_printf(g->arena, "%s/%s", STAGING, en->path);

	if (from == NULL || to == NULL)
		return err_nomem(g->err);
	if (en->isout)
		return 0;
	if (!alone && is_pointer(en->name))
		return 0;
	if (!en->isdir)
		return take_file(g, en, from, to, alone);
	if (fsio_mkdir(g->dir_fd, to, 0777) != 0)
		return err_sys(g->err, errno, "cannot make '%s'", g->o->to);
	return 0;
}

static int
list_files(struct get *g)
{
	const struct ls_options o = {
	    .path = g->o->path, .depth = LS_DEPTH_MAX, .dirs = true};

	return ls_list(g->e, &o, g->arena, &g->files, g->err);
}

static int
take_files(struct get *g)
{
	meter_begin(g->e->o->meter, "copying");
	for (size_t i = 0; i < g->files.n; i++)
		if (take_entry(g, &g->files.v[i]) != 0)
			return -1;
	return 0;
}

/* ---- what is tracked ---- */

static int
add_out(struct get *g, const struct track_out *o, const char *as, const char *only)
{
	if (!object_id_is_set(&o->id))
		return err_set(g->err, ERR_NOTFOUND,
			       "'%s' has no data yet: no hash is recorded in '%s'",
			       o->path, o->file);
	if (as == NULL)
		return err_nomem(g->err);
	g->outs[g->n] =
	    (struct checkout_out){.path = as, .id = o->id, .exec = o->exec, .only = only};
	g->wants[g->n++] = (struct transfer_want){.id = o->id,
						  .path = o->path,
						  .under = only,
						  .size = o->size,
						  .remote = o->remote};
	return 0;
}

/* Return 1 if the path is, or lies in, one out; 0 if those below it are found; -1. */
static int
find_outs(struct get *g)
{
	const struct track_list *l = &g->e->list;
	const struct track_out *one = track_find(l, g->o->path), *v;
	const struct tree *t;
	const char *only;
	size_t n = 0, first, below;

	if (one != NULL && !one->cache) /* git has it itself */
		one = NULL;
	v = one != NULL ? one : track_below(l, g->o->path, &n);
	g->outs = arena_array(g->arena, n + 1, sizeof(*g->outs));
	g->wants = arena_array(g->arena, n + 1, sizeof(*g->wants));
	if (g->outs == NULL || g->wants == NULL)
		return err_nomem(g->err);
	if (one == NULL) {
		size_t skip = strcmp(g->o->path, ".") == 0 ? 0 : strlen(g->o->path) + 1;

		for (size_t i = 0; i < n; i++)
			if (v[i].cache && object_id_is_set(&v[i].id) &&
			    add_out(g, &v[i],
				    arena_printf(g->arena, "%s/%s", STAGING,
						 v[i].path + skip),
				    NULL) != 0)
				return -1;
		return 0;
	}
	if (strcmp(one->path, g->o->path) == 0)
		return add_out(g, one, STAGING, NULL) == 0 ? 1 : -1;
	only = g->o->path + strlen(one->path) + 1;
	t = one->id.dir ? elsewhere_tree(g->e, one, g->err) : NULL;
	if (one->id.dir && t == NULL)
		return -1;
	if (t != NULL)
		tree_below(t, only, strlen(only), &first, &below);
	if (t == NULL || (tree_find(t, only, strlen(only)) == NULL && below == 0))
		return err_set(g->err, ERR_NOTFOUND, "there is no '%s' in '%s'", only,
			       one->path);
	g->made = arena_printf(g->arena, "%s/%s", STAGING, only);
	if (g->made == NULL)
		return err_nomem(g->err);
	return add_out(g, one, STAGING, only) == 0 ? 1 : -1;
}

/* Make the outs from a store: 0, 1 where objects are missing, -1.  Only copies are made: to find
 * out whether there are links writes into the store. */
static int
check_out(struct get *g, struct objects *store)
{
	static const enum link_type links[] = {LINK_COPY};
	const struct checkout_options o = {.force = true};
	const struct workspace ws = {.root_fd = g->dir_fd,
				     .cache = store,
				     .links = links,
				     .nlinks = 1,
				     .workers = g->o->workers,
				     .meter = g->e->o->meter};
	int r;

	checkout_report_release(&g->report->checkout);
	r = checkout_outs(&ws, &o, g->outs, g->n, &g->report->checkout, g->err);
	if (r == 0 && (g->report->checkout.missing.count > 0 ||
		       g->report->checkout.failed.count > 0))
		return 1;
	return r;
}

/* The objects come into a store in the directory of ours, verified. */
static int
fetch_outs(struct get *g)
{
	const char *dir = arena_printf(g->arena, "%s/objects", g->dir);
	struct objects_options o = {.dir = dir};
	struct objects *store = NULL;
	int r = 0;

	if (dir == NULL || (o.dir = fsio_realpath(g->dir, g->err)) == NULL)
		return err_nomem(g->err);
	dir = arena_printf(g->arena, "%s/objects", o.dir);
	free((char *)(uintptr_t)o.dir);
	o.dir = dir;
	r = dir != NULL ? objects_open(&o, &store, g->err) : err_nomem(g->err);
	/* Those of one remote after the other. */
	for (size_t i = 0; r == 0 && i < g->n;) {
		const char *name = g->wants[i].remote;
		size_t n =
		    name != NULL
			? transfer_select(g->wants + i, g->n - i, name, NULL, false)
			: transfer_select(g->wants + i, g->n - i, "", "", false);

		transfer_report_release(&g->report->transfer);
		r = elsewhere_fetch(g->e, store, g->wants + i, n, &g->report->transfer,
				    g->err);
		if (r == 0 && transfer_failures(&g->report->transfer) > 0)
			r = 1;
		i += n;
	}
	if (r == 0)
		r = check_out(g, store);
	objects_close(store);
	return r;
}

/* From the repository's own cache, if that is of this machine and has all of it. */
static int
take_outs(struct get *g)
{
	int r = 1;

	if (g->n == 0)
		return 0;
	if (g->e->tmp == NULL)
		r = check_out(g, g->e->track.cache);
	return r == 1 ? fetch_outs(g) : r;
}

/* ---- the whole ---- */

int
get_path(struct elsewhere *e, const struct get_options *o, struct arena *arena,
	 struct get_report *report, struct err *err)
{
	struct err unused;
	struct get g = {.e = e,
			.o = o,
			.arena = arena,
			.report = report,
			.dir_fd = -1,
			.made = STAGING,
			.err = err != NULL ? err : &unused};
	int r, one = -1;

	r = check_target(&g);
	if (r == 0) {
		one = find_outs(&g);
		r = one < 0 ? -1 : 0;
	}
	if (r == 0 && one == 0)
		r = list_files(&g);
	if (r == 0)
		r = make_dir(&g);
	if (r == 0)
		r = take_files(&g);
	if (r == 0)
		r = take_outs(&g);
	if (r == 0)
		r = put_in_place(&g);
	if (g.dir_fd >= 0)
		(void)close(g.dir_fd);
	if (g.dir != NULL)
		(void)fsio_remove_tree(AT_FDCWD, g.dir, NULL);
	return r;
}

int
get_url(struct elsewhere *e, const char *path, struct buf *out, struct err *err)
{
	const struct track_out *o = track_find(&e->list, path);
	struct remote *remote = NULL;
	const struct tree_entry *entry;
	const struct tree *t;
	struct object_id id;
	const char *inside;

	if (o == NULL || !object_id_is_set(&o->id))
		return err_set(
		    err, ERR_NOTFOUND,
		    "'%s' is not tracked by content in '%s', so no remote has it", path,
		    e->o->url);
	id = o->id;
	if (strcmp(o->path, path) != 0) {
		inside = path + strlen(o->path) + 1;
		t = id.dir ? elsewhere_tree(e, o, err) : NULL;
		if (id.dir && t == NULL)
			return -1;
		entry = t != NULL ? tree_find(t, inside, strlen(inside)) : NULL;
		if (entry == NULL)
			return err_set(err, ERR_NOTFOUND, "there is no file '%s' in '%s'",
				       inside, o->path);
		tree_entry_id(t, entry, &id);
	}
	if (elsewhere_remote(e, o->remote, &remote, err) != 0)
		return -1;
	remote->ops->where(remote, &id, out);
	remote_close(remote);
	return buf_failed(out) ? err_nomem(err) : 0;
}
