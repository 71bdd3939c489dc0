#include "store/exp/keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/exp/keep_internal.h"
#include "store/meter.h"
#include "store/project.h"
#include "store/report/snapshot.h"
#include "store/track/collect.h"
#include "store/track/track.h"
#include "store/track/workspace.h"

#define DEPTH_MAX 128 /* of directories */

struct keep {
	const struct keep_options *o;
	struct project project;
	struct track track;
	struct track_list list;
	struct workspace ws;
	struct snapshot_source source;
	struct snapshot snapshot;
	struct arena *arena;
	struct meter meter;
	const char *prefix; /* of the root below git's top: "" or "a/b/" */
	struct kept_paths paths;
	bool dep; /* what stages need is looked at */
	struct err *err;
};

/* ---- which paths ---- */

/* Whether it is data, or in some: the cache has that. */
static bool
is_data(const struct keep *k, const char *path)
{
	const struct track_out *o = track_find(&k->list, path);

	return o != NULL && o->cache;
}

static int
push(struct keep *k, struct kept_paths *to, struct arena *a, const char *path)
{
	const char *full = arena_printf(a, "%s%s", k->prefix, path);

	return full != NULL && vec_push(to, full) == 0 ? 0 : err_nomem(k->err);
}

/* Of git: a question about ${path} of its top.  1, 0 or -1. */
static int
ask_git(struct keep *k, const char *path, bool dir,
	int (*question)(struct repo *, const char *, struct err *))
{
	struct buf full;
	int is;

	buf_init(&full, 0);
	buf_addf(&full, "%s%s%s", k->prefix, path, dir ? "/" : "");
	is = buf_failed(&full) ? err_nomem(k->err) : question(k->o->from, full.p, k->err);
	buf_release(&full);
	return is;
}

static int add_any(struct keep *, const char *, unsigned);

static int
add_dir(struct keep *k, const char *path, unsigned depth)
{
	const struct dirent *d;
	struct buf b;
	DIR *dir = NULL;
	int rc = 0, fd;

	if (depth > DEPTH_MAX)
		return err_set(k->err, ERR_LIMIT, "'%s' lies deeper than %d directories",
			       path, DEPTH_MAX);
	fd =
	    fsio_open_nolinks(k->track.root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
		rc = err_sys(k->err, errno, "cannot read the directory '%s'", path);
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	buf_init(&b, 0);
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    strcmp(d->d_name, ".git") == 0)
			continue;
		buf_clear(&b);
		path_join(&b, path, d->d_name);
		rc = buf_failed(&b) ? err_nomem(k->err) : add_any(k, b.p, depth + 1);
	}
	buf_release(&b);
	(void)closedir(dir);
	return rc;
}

/* A file that git does not have yet, or all such below a directory. */
static int
add_any(struct keep *k, const char *path, unsigned depth)
{
	bool wanted = k->dep && k->o->ignored != NULL, dir;
	struct stat st;
	int is;

	if (is_data(k, path) ||
	    fstatat(k->track.root_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	dir = S_ISDIR(st.st_mode);
	if (!dir && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return 0;
	if (!dir && (is = ask_git(k, path, false, repo_tracks)) != 0)
		return is < 0 ? -1 : 0;
	if ((is = ask_git(k, path, false, repo_submodule)) < 0)
		return -1;
	/* Of a submodule git keeps a commit: its files are data that is elsewhere. */
	if (is == 1 && dir)
		return wanted ? add_dir(k, path, depth) : 0;
	if (is == 0 && (is = ask_git(k, path, dir, repo_ignores)) < 0)
		return -1;
	if (is == 1)
		return wanted ? push(k, k->o->ignored, k->o->arena, path) : 0;
	return dir ? add_dir(k, path, depth) : push(k, &k->paths, k->arena, path);
}

/* ${path}, seen from ${dir}: a file, or all below a directory. */
static int
add(struct keep *k, const char *dir, const char *path)
{
	const char *seen;

	if (*path == '\0' || strstr(path, "://") != NULL)
		return 0;
	seen = snapshot_path(&k->snapshot, dir, path, k->err);
	if (seen == NULL)
		return -1;
	return path_climbs(seen) ? 0 : add_any(k, seen, 0);
}

/* Names of files: a text, or those of a list. */
static int
add_names(struct keep *k, const char *dir, const struct yaml_node *v)
{
	int rc = 0;

	if (v == NULL)
		return 0;
	if (v->kind == YAML_STR)
		return add(k, dir, v->str);
	for (size_t i = 0; v->kind == YAML_SEQ && rc == 0 && i < v->seq.n; i++)
		rc = add_names(k, dir, v->seq.v[i]);
	for (size_t i = 0; v->kind == YAML_MAP && rc == 0 && i < v->map.n; i++)
		rc = add(k, dir, v->map.v[i].key->str);
	return rc;
}

/* A plot is of the file that it is called after, or of those of its y and x. */
static int
add_plot(struct keep *k, const char *dir, const char *id, const struct yaml_node *props)
{
	const struct yaml_node *y =
	    props != NULL && props->kind == YAML_MAP ? yaml_get(props, "y") : NULL;
	const struct yaml_node *x = y != NULL ? yaml_get(props, "x") : NULL;

	if (y == NULL || y->kind != YAML_MAP)
		return add(k, dir, id);
	if (add_names(k, dir, y) != 0)
		return -1;
	return x != NULL && x->kind == YAML_MAP ? add_names(k, dir, x) : 0;
}

static int
add_plots(struct keep *k, const char *dir, const struct yaml_node *v)
{
	int rc = 0;

	for (size_t i = 0; v != NULL && v->kind == YAML_SEQ && rc == 0 && i < v->seq.n;
	     i++)
		rc = v->seq.v[i]->kind == YAML_STR ? add(k, dir, v->seq.v[i]->str)
						   : add_plots(k, dir, v->seq.v[i]);
	for (size_t i = 0; v != NULL && v->kind == YAML_MAP && rc == 0 && i < v->map.n;
	     i++)
		rc = add_plot(k, dir, v->map.v[i].key->str, v->map.v[i].val);
	return rc;
}

static int
add_stage(struct keep *k, const char *dir, const struct dvc_yaml_stage *s)
{
	const char *in =
	    snapshot_path(&k->snapshot, dir, s->wdir != NULL ? s->wdir : ".", k->err);
	struct buf b;
	int rc = in != NULL ? 0 : -1;

	k->dep = true;
	for (size_t i = 0; rc == 0 && i < s->ndeps; i++)
		rc = add(k, in, s->deps[i].path);
	for (size_t i = 0; rc == 0 && i < s->nparams; i++)
		rc = add(k, in, s->params[i].file);
	k->dep = false;
	buf_init(&b, 0);
	for (size_t i = 0; rc == 0 && i < s->nouts; i++) {
		const char *slash = strrchr(s->outs[i].path, '/');

		if (!s->outs[i].cache) {
			rc = add(k, in, s->outs[i].path);
			continue;
		}
		buf_clear(&b);
		if (slash != NULL)
			buf_add(&b, s->outs[i].path,
				(size_t)(slash - s->outs[i].path) + 1);
		buf_adds(&b, ".gitignore");
		rc = buf_failed(&b) ? err_nomem(k->err) : add(k, in, b.p);
	}
	buf_release(&b);
	return rc;
}

static int
add_pipelines(struct keep *k)
{
	int rc = 0;

	vec_foreach (&k->snapshot.pipelines, struct snapshot_pipeline, p) {
		for (size_t i = 0; rc == 0 && i < p->yaml->nstages; i++)
			rc = add_stage(k, p->dir, &p->yaml->stages[i]);
		if (rc == 0)
			rc = add_names(k, p->dir, p->yaml->params);
		if (rc == 0)
			rc = add_names(k, p->dir, p->yaml->metrics);
		if (rc == 0)
			rc = add_plots(k, p->dir, p->yaml->plots);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static const char *
dir_of(struct keep *k, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? "."
			     : arena_strndup(k->arena, path, (size_t)(slash - path));
}

/* What stages have made is known by their lock: without it an experiment has lost that. */
static int
check_lock(struct keep *k, const char *dir)
{
	const char *lock = snapshot_path(&k->snapshot, dir, "dvc.lock", k->err);
	int is = lock != NULL ? ask_git(k, lock, false, repo_tracks) : -1;

	if (is == 0 && (is = ask_git(k, lock, false, repo_ignores)) == 1)
		return err_set(k->err, ERR_INVALID,
			       "'%s' is ignored by git, and an experiment keeps in it "
			       "what stages have made: take it out of .gitignore",
			       lock);
	return is < 0 ? -1 : 0;
}

static int
add_pointers(struct keep *k)
{
	for (size_t i = 0; i < k->list.nfiles; i++) {
		const struct track_file *f = k->list.files[i];
		const char *dir = dir_of(k, f->path);

		if (dir == NULL)
			return err_nomem(k->err);
		if (add(k, ".", f->path) != 0 || add(k, dir, ".gitignore") != 0)
			return -1;
		if (f->yaml != NULL && f->yaml->nstages > 0 && check_lock(k, dir) != 0)
			return -1;
		if (f->yaml != NULL &&
		    (add(k, dir, "dvc.lock") != 0 || add(k, dir, "dvc.yaml") != 0))
			return -1;
	}
	return add(k, ".", ".dvcignore");
}

/* ---- reading ---- */

static int
find_prefix(struct keep *k)
{
	const char *top = repo_top(k->o->from);
	const char *root = k->track.root;

	if (top == NULL || !path_is_below(root, top))
		return err_set(k->err, ERR_INVALID,
			       "'%s' is not in the work tree of its git repository",
			       root);
	root += strlen(top);
	root += *root == '/';
	k->prefix = *root == '\0' ? "" : arena_printf(k->arena, "%s/", root);
	return k->prefix != NULL ? 0 : err_nomem(k->err);
}

static int
begin(struct keep *k)
{
	struct track_options o = {.project = &k->project};
	struct track *t = &k->track;

	k->project.root_fd = k->project.state_fd = -1;
	t->root_fd = t->lock = -1;
	k->arena = arena_new(0);
	if (k->arena == NULL)
		return err_nomem(k->err);
	if (project_find(NULL, k->o->root, false, &k->project, k->err) != 0 ||
	    track_open(&o, t, k->err) != 0 || find_prefix(k) != 0 ||
	    track_collect(t, &k->meter, NULL, &k->list, k->err) != 0)
		return -1;
	k->ws = (struct workspace){.root_fd = t->root_fd,
				   .cache = t->cache,
				   .ignore = t->ignore,
				   .links = t->links,
				   .nlinks = t->nlinks,
				   .meter = &k->meter};
	k->source = (struct snapshot_source){.ws = &k->ws,
					     .root = t->root,
					     .work = &k->list,
					     .git = NULL,
					     .meter = &k->meter,
					     .diag = diag_new()};
	if (k->source.diag == NULL)
		return err_nomem(k->err);
	return snapshot_open(&k->source, "workspace", NULL, &k->snapshot, k->err);
}

static void
end(struct keep *k)
{
	diag_free(k->source.diag);
	snapshot_close(&k->snapshot);
	vec_release(&k->paths);
	track_list_free(&k->list);
	track_close(&k->track);
	project_release(&k->project);
	arena_free(k->arena);
}

int
keep_tree(const struct keep_options *o, struct kept *out, struct err *err)
{
	struct keep k = {.o = o, .err = err};
	int rc = begin(&k);

	if (rc == 0)
		rc = add_pointers(&k);
	if (rc == 0)
		rc = add_pipelines(&k);
	for (size_t i = 0; rc == 0 && i < o->n; i++)
		rc = vec_push(&k.paths, o->more[i]) == 0 ? 0 : err_nomem(err);
	if (rc == 0)
		rc = repo_snapshot(o->from, o->into, k.paths.v, k.paths.n, o->stop,
				   &out->trees, err);
	if (rc == 0)
		rc = keep_hash(&k.list, o->into, o->all ? NULL : o->base, k.prefix,
			       out->hash, err);
	end(&k);
	return rc == 0 ? 0 : -1;
}

int
keep_commit(struct repo *into, const struct kept *k, const char *base,
	    const char *message, char id[REPO_ID], struct err *err)
{
	char text[sizeof("dvc: commit experiment ") + HASH_HEX_MAX];

	(void)snprintf(text, sizeof(text), "dvc: commit experiment %s", k->hash);
	return repo_commit_make(into, k->trees.tree, &base, 1,
				message != NULL ? message : text, id, err);
}
