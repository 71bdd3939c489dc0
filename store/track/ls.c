#include "store/track/ls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/dvc/ignore.h"
#include "store/meter.h"
#include "store/objects/tree.h"
#include "store/track/elsewhere.h"

#define MODE_KIND 0170000U
#define MODE_DIR  0040000U
#define MODE_FILE 0100000U
#define MODE_LINK 0120000U
#define MODE_EXEC 0111U

/* One name of a directory. */
struct node {
	const char *name;
	bool file; /* git or the work tree has it */
	bool tracked, out;
	bool dir, exec, link;
	int64_t size;
	struct object_id id;
};

struct nodes {
	struct node **v; /* by name */
	size_t n;
};

struct ls {
	struct elsewhere *e;
	const struct ls_options *o;
	struct arena *arena;
	struct ls_list *out;
	struct err *err;
};

/* A directory while its names are gathered. */
struct gather {
	struct ls *ls;
	const char *dir;  /* "." is the root */
	const char *full; /* in the commit: "" or "a/b/" */
	struct map names;
};

/* ---- one directory ---- */

static struct node *
node_of(struct gather *g, const char *name, size_t n)
{
	struct node *node = map_getn(&g->names, name, n);

	if (node != NULL)
		return node;
	node = arena_zalloc(g->ls->arena, sizeof(*node));
	if (node != NULL)
		node->name = arena_strndup(g->ls->arena, name, n);
	if (node == NULL || node->name == NULL ||
	    map_putn(&g->names, node->name, n, node) < 0) {
		(void)err_nomem(g->ls->err);
		return NULL;
	}
	node->size = -1;
	return node;
}

static const char *
join(struct ls *ls, const char *dir, const char *name)
{
	const char *path = strcmp(dir, ".") == 0
			       ? arena_strdup(ls->arena, name)
			       : arena_printf(ls->arena, "%s/%s", dir, name);

	if (path == NULL)
		(void)err_nomem(ls->err);
	return path;
}

/* The work tree's. */
static int
look_at(struct gather *g, int fd, const char *name)
{
	const char *path = join(g->ls, g->dir, name);
	struct stat st, target;
	struct node *node;
	int r;

	if (path == NULL)
		return -1;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0; /* it has just gone */
	r = ignore_check(g->ls->e->track.ignore, path, S_ISDIR(st.st_mode), g->ls->err);
	if (r != 0)
		return r < 0 ? -1 : 0;
	node = node_of(g, name, strlen(name));
	if (node == NULL)
		return -1;
	node->file = true;
	node->dir = S_ISDIR(st.st_mode);
	node->exec = S_ISREG(st.st_mode) && (st.st_mode & MODE_EXEC) != 0;
	node->size = st.st_size;
	node->link = S_ISLNK(st.st_mode);
	if (node->link)
		node->size = fstatat(fd, name, &target, 0) == 0 ? target.st_size : 0;
	return 0;
}

static int
gather_dir(struct gather *g)
{
	struct ls *ls = g->ls;
	int fd = openat(ls->e->track.root_fd, g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	int r = 0;

	if (d == NULL) {
		r = errno == ENOENT || errno == ENOTDIR
			? 0
			: err_sys(ls->err, errno, "cannot read the directory '%s'",
				  g->dir);
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (r == 0 && (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = look_at(g, fd, de->d_name);
	(void)closedir(d);
	return r;
}

/* A commit's. */
static int
on_entry(struct gather *g, const struct repo_entry *en)
{
	const char *name = en->path + strlen(g->full), *path = join(g->ls, g->dir, name);
	uint32_t kind = en->mode & MODE_KIND;
	struct node *node;
	int r;

	if (path == NULL)
		return -1;
	r = ignore_check(g->ls->e->ignore, path, kind == MODE_DIR, g->ls->err);
	if (r != 0)
		return r < 0 ? -1 : 0;
	node = node_of(g, name, strlen(name));
	if (node == NULL)
		return -1;
	node->file = true;
	node->dir = kind == MODE_DIR;
	node->link = kind == MODE_LINK;
	node->exec = kind == MODE_FILE && (en->mode & MODE_EXEC) != 0;
	node->size = en->size;
	return 0;
}

/* Whether an entry lies in the directory itself. */
static bool
is_in(const struct gather *g, const struct repo_entry *en)
{
	size_t n = strlen(g->full);

	return strncmp(en->path, g->full, n) == 0 && strchr(en->path + n, '/') == NULL;
}

static int
visit_dir(void *ctx, const struct repo_entry *en, struct err *err)
{
	struct gather *g = ctx;
	size_t n = strlen(en->path);

	(void)err;
	if (is_in(g, en))
		return on_entry(g, en);
	return strncmp(g->full, en->path, n) == 0 && g->full[n] == '/';
}

static int
visit_file(void *ctx, const struct repo_entry *en, struct err *err)
{
	struct gather *g = ctx;

	(void)err;
	return is_in(g, en) ? on_entry(g, en) : 0;
}

static int
gather_commit(struct gather *g)
{
	struct elsewhere *e = g->ls->e;
	struct repo_visitor v = {.ctx = g, .dir = visit_dir, .file = visit_file};

	g->full = strcmp(g->dir, ".") == 0
		      ? e->prefix
		      : arena_printf(g->ls->arena, "%s%s/", e->prefix, g->dir);
	if (g->full == NULL)
		return err_nomem(g->ls->err);
	v.sizes_of = g->full;
	return repo_walk(e->git, e->commit, &v, g->ls->err) == 0 ? 0 : -1;
}

/* ---- what is tracked ---- */

static int
add_out(struct gather *g, const struct track_out *o)
{
	const char *rest =
	    strcmp(g->dir, ".") == 0 ? o->path : o->path + strlen(g->dir) + 1;
	size_t n = strcspn(rest, "/");
	struct node *node = node_of(g, rest, n);

	if (node == NULL)
		return -1;
	node->tracked = true;
	if (rest[n] != '\0') { /* on the way to it */
		node->dir = true;
		return 0;
	}
	node->out = true;
	node->id = o->id;
	if (node->file)
		return 0;
	node->dir = o->id.dir;
	node->size = object_id_is_set(&o->id) ? o->size : 0;
	return 0;
}

/* What lies in a tracked directory. */
static int
gather_tree(struct gather *g, const struct track_out *o)
{
	const struct tree *t = elsewhere_tree(g->ls->e, o, g->ls->err);
	const char *inside =
	    strcmp(o->path, g->dir) == 0 ? "" : g->dir + strlen(o->path) + 1;
	size_t first, n, skip = *inside != '\0' ? strlen(inside) + 1 : 0;

	if (t == NULL)
		return -1;
	tree_below(t, inside, strlen(inside), &first, &n);
	for (size_t i = first; i < first + n; i++) {
		const char *rest = t->v[i].path + skip;
		size_t len = strcspn(rest, "/");
		struct node *node = node_of(g, rest, len);

		if (node == NULL)
			return -1;
		node->tracked = node->out = true;
		if (rest[len] != '\0')
			node->dir = true;
		else
			tree_entry_id(t, &t->v[i], &node->id);
	}
	return 0;
}

static int
gather_tracked(struct gather *g)
{
	const struct track_list *l = &g->ls->e->list;
	const struct track_out *o = track_find(l, g->dir);
	size_t n;

	if (o != NULL)
		return o->id.dir ? gather_tree(g, o) : 0;
	o = track_below(l, g->dir, &n);
	for (size_t i = 0; i < n; i++)
		if (o[i].cache && add_out(g, &o[i]) != 0)
			return -1;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* All names of the directory ${dir}, or those of what is ${tracked} alone. */
static int
children(struct ls *ls, const char *dir, bool tracked, struct nodes *out)
{
	struct gather g = {.ls = ls, .dir = dir};
	int r = 0;

	*out = (struct nodes){0};
	if (meter_cancelled(ls->e->o->meter))
		return err_set(ls->err, ERR_CANCELLED, "stopped");
	if (!tracked)
		r = ls->e->at_commit ? gather_commit(&g) : gather_dir(&g);
	if (r == 0)
		r = gather_tracked(&g);
	if (r == 0) {
		out->v = arena_array(ls->arena, g.names.n + 1, sizeof(struct node *));
		if (out->v == NULL)
			r = err_nomem(ls->err);
	}
	if (r == 0) {
		map_foreach (&g.names, it)
			out->v[out->n++] = it->val;
		if (out->n > 1)
			qsort(out->v, out->n, sizeof(struct node *), by_name);
	}
	map_release(&g.names);
	return r;
}

/* ---- the list ---- */

static int
emit(struct ls *ls, const struct node *node, const char *path, unsigned depth)
{
	struct ls_list *l = ls->out;

	if (l->n == l->cap) {
		size_t cap = l->cap != 0 ? 2 * l->cap : 256;
		struct ls_entry *v = arena_array(ls->arena, cap, sizeof(*v));

		if (v == NULL)
			return err_nomem(ls->err);
		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct ls_entry){.path = path,
					 .name = node->name,
					 .depth = depth,
					 .isout = node->out,
					 .isdir = node->dir,
					 .isexec = node->exec,
					 .file = node->file,
					 .link = node->link,
					 .size = node->size,
					 .id = node->id};
	return 0;
}

static int
list(struct ls *ls, const char *dir, const char *shown, unsigned depth)
{
	struct nodes c;

	if (children(ls, dir, ls->o->dvc_only, &c) != 0)
		return -1;
	for (size_t i = 0; i < c.n; i++) {
		const struct node *node = c.v[i];
		const char *path = join(ls, dir, node->name);
		const char *seen = join(ls, shown, node->name);
		bool deeper = node->dir && depth < ls->o->depth;

		if (path == NULL || seen == NULL)
			return -1;
		if ((!deeper || ls->o->dirs) && emit(ls, node, seen, depth) != 0)
			return -1;
		if (deeper && depth == LS_DEPTH_MAX - 1)
			return err_set(ls->err, ERR_LIMIT,
				       "'%s' lies deeper than %d directories", path,
				       LS_DEPTH_MAX);
		if (deeper && list(ls, path, seen, depth + 1) != 0)
			return -1;
	}
	return 0;
}

/* The node of the path itself. */
static int
find(struct ls *ls, struct node **out)
{
	struct node *root;
	const char *path = ls->o->path, *name = path_basename(path);
	const char *dir = name == path
			      ? "."
			      : arena_strndup(ls->arena, path, (size_t)(name - path) - 1);
	struct stat st;
	struct nodes c;

	if (dir == NULL)
		return err_nomem(ls->err);
	if (strcmp(path, ".") == 0) {
		root = arena_zalloc(ls->arena, sizeof(*root));
		if (root == NULL)
			return err_nomem(ls->err);
		root->name = ".";
		root->file = root->dir = true;
		root->size = !ls->e->at_commit && fstat(ls->e->track.root_fd, &st) == 0
				 ? st.st_size
				 : -1;
		*out = root;
		return 0;
	}
	if (children(ls, dir, false, &c) != 0)
		return -1;
	for (size_t i = 0; i < c.n; i++)
		if (strcmp(c.v[i]->name, name) == 0) {
			*out = c.v[i];
			return 0;
		}
	return err_set(ls->err, ERR_NOTFOUND, "there is no '%s' in '%s'", path,
		       ls->e->o->url);
}

/* A link of the work tree to a directory is listed as that. */
static bool
is_listed(const struct ls *ls, const struct node *node)
{
	struct stat st;

	return node->dir || (!ls->e->at_commit && node->file &&
			     fstatat(ls->e->track.root_fd, ls->o->path, &st, 0) == 0 &&
			     S_ISDIR(st.st_mode));
}

int
ls_list(struct elsewhere *e, const struct ls_options *o, struct arena *arena,
	struct ls_list *out, struct err *err)
{
	struct err unused;
	struct ls ls = {.e = e,
			.o = o,
			.arena = arena,
			.out = out,
			.err = err != NULL ? err : &unused};
	struct node *node = NULL;
	bool listed;

	*out = (struct ls_list){0};
	meter_begin(e->o->meter, "listing");
	if (find(&ls, &node) != 0)
		return -1;
	listed = o->depth > 0 && is_listed(&ls, node);
	if ((!listed || o->dirs) && emit(&ls, node, node->name, 0) != 0)
		return -1;
	return listed ? list(&ls, o->path, ".", 1) : 0;
}
