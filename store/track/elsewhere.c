#include "store/track/elsewhere.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "base/path.h"
#include "store/dvc/config_remote.h"
#include "store/dvc/ignore.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/remote_dir.h"
#include "store/remote/transfer.h"
#include "store/track/collect_rev.h"

#define CONFIG_MAX ((size_t)1 << 20)

/* ---- opening ---- */

static void
show(void *ctx, uint64_t objects, uint64_t all, uint64_t bytes)
{
	struct meter *m = ctx;

	atomic_store_explicit(&m->files, objects, memory_order_relaxed);
	atomic_store_explicit(&m->files_total, all, memory_order_relaxed);
	atomic_store_explicit(&m->bytes, bytes, memory_order_relaxed);
}

static int
make_tmp(struct elsewhere *e, struct err *err)
{
	const char *dir = getenv("TMPDIR");
	struct buf b;

	buf_init(&b, 0);
	path_join(&b, dir != NULL && *dir == '/' ? dir : "/tmp", "dag-clone-XXXXXX");
	e->tmp = buf_steal(&b);
	if (e->tmp == NULL)
		return err_nomem(err);
	if (mkdtemp(e->tmp) == NULL) {
		(void)err_sys(err, errno, "cannot make '%s'", e->tmp);
		free(e->tmp);
		e->tmp = NULL;
		return -1;
	}
	return 0;
}

static int
fetch_clone(struct elsewhere *e, struct err *err)
{
	struct meter *m = e->o->meter;
	const struct repo_progress p = {.ctx = m,
					.show = m != NULL ? show : NULL,
					.stop = m != NULL ? &m->cancel : NULL};
	const char *dir = arena_printf(e->arena, "%s/git", e->tmp);

	if (dir == NULL)
		return err_nomem(err);
	meter_begin(m, "fetching the repository");
	return repo_clone(e->o->url, dir, &p, &e->git, err);
}

/* The settings as they are in the commit, where the root of what has no work tree shall be. */
static int
put_config(struct elsewhere *e, const char *name, struct err *err)
{
	const char *dir = arena_printf(e->arena, "%s/%.4s", e->tmp, name);
	const char *path = arena_printf(e->arena, "%s/%s", e->tmp, name);
	struct buf text;
	int r;

	if (dir == NULL || path == NULL)
		return err_nomem(err);
	buf_init(&text, 0);
	r = repo_file(e->git, e->commit, name, CONFIG_MAX, &text, err);
	if (r == 0)
		r = fsio_mkdirs(AT_FDCWD, dir, 0700, err);
	if (r == 0)
		r = fsio_replace(AT_FDCWD, path, text.p, text.n, 0600, err);
	buf_release(&text);
	if (r != 0 && err->code == ERR_NOTFOUND) {
		err_clear(err);
		return 0;
	}
	return r;
}

/* A repository without a work tree gets a root in a temporary directory. */
static int
open_bare(struct elsewhere *e, struct err *err)
{
	if (repo_resolve(e->git, e->o->rev != NULL ? e->o->rev : "HEAD", e->commit,
			 err) != 0)
		return -1;
	e->at_commit = true;
	e->prefix = "";
	e->project.root = strdup(e->tmp);
	if (e->project.root == NULL)
		return err_nomem(err);
	return put_config(e, ".dvc/config", err) == 0 ? put_config(e, ".dag/config", err)
						      : -1;
}

static bool
is_marked(const char *dir)
{
	static const char *const marks[] = {"/.dvc", "/.dag"};
	struct stat st;
	struct buf b;
	bool is = false;

	buf_init(&b, 0);
	for (size_t i = 0; i < 2 && !is; i++) {
		buf_clear(&b);
		buf_adds(&b, dir);
		buf_adds(&b, marks[i]);
		is = !buf_failed(&b) && stat(b.p, &st) == 0 && S_ISDIR(st.st_mode);
	}
	buf_release(&b);
	return is;
}

/* A directory of this machine. */
static int
open_path(struct elsewhere *e, char **where, struct err *err)
{
	const char *top;

	*where = fsio_realpath(e->o->url, err);
	if (*where == NULL)
		return err->code == ERR_NOTFOUND
			   ? err_set(err, ERR_NOTFOUND, "there is no repository at '%s'",
				     e->o->url)
			   : -1;
	if (repo_open(*where, &e->git, err) != 0)
		return -1;
	top = e->git != NULL ? repo_top(e->git) : NULL;
	if (e->git != NULL && top == NULL)
		return make_tmp(e, err) == 0 ? open_bare(e, err) : -1;
	if (top == NULL && !is_marked(*where))
		return err_set(
		    err, ERR_NOTFOUND,
		    "there is no repository at '%s': no .git, .dvc or .dag lies "
		    "there",
		    e->o->url);
	e->project.root = strdup(top != NULL ? top : *where);
	if (e->project.root == NULL)
		return err_nomem(err);
	if (e->o->rev == NULL)
		return 0;
	if (e->git == NULL)
		return err_set(err, ERR_INVALID,
			       "'%s' is in no git repository, so it has no revision '%s'",
			       e->o->url, e->o->rev);
	e->at_commit = true;
	return repo_resolve(e->git, e->o->rev, e->commit, err);
}

static int
open_track(struct elsewhere *e, const char *where, struct err *err)
{
	struct track_options o = {.project = &e->project, .where = where};
	const char *top = e->git != NULL ? repo_top(e->git) : NULL;

	if (track_open(&o, &e->track, err) != 0)
		return -1;
	e->track.results = true;
	if (top != NULL && path_is_below(e->track.root, top)) {
		const char *below = e->track.root + strlen(top);

		below += *below == '/';
		e->prefix = *below == '\0' ? "" : arena_printf(e->arena, "%s/", below);
	}
	return e->prefix != NULL ? 0 : err_nomem(err);
}

/* A file of rules as it is in the commit. */
static int
read_rules(void *ctx, const char *path, struct buf *out, struct err *err)
{
	struct elsewhere *e = ctx;
	const char *full = arena_printf(e->arena, "%s%s", e->prefix, path);

	if (full == NULL)
		return err_nomem(err);
	if (repo_file(e->git, e->commit, full, IGNORE_FILE_MAX, out, err) == 0)
		return 1;
	if (err->code != ERR_NOTFOUND && err->code != ERR_INVALID)
		return -1;
	err_clear(err);
	return 0;
}

static int
collect(struct elsewhere *e, struct err *err)
{
	const struct ignore_options rules = {
	    .syntax = IGNORE_DVC, .root_fd = -1, .read = read_rules, .ctx = e};

	meter_begin(e->o->meter, "reading what is tracked there");
	if (!e->at_commit)
		return track_collect(&e->track, e->o->meter, e->o->diag, &e->list, err);
	if (ignore_new(&rules, &e->ignore, err) != 0)
		return -1;
	if (track_revs_open(&e->track, e->git, &e->revs, err) != 0)
		return -1;
	return track_collect_rev(e->revs, e->commit, e->o->meter, e->o->diag, &e->list,
				 err);
}

int
elsewhere_open(const struct elsewhere_options *o, struct elsewhere *e, struct err *err)
{
	char *where = NULL;
	int r;

	*e = (struct elsewhere){.o = o, .prefix = ""};
	e->project.root_fd = e->project.state_fd = -1;
	e->track.root_fd = e->track.lock = -1;
	e->arena = arena_new(0);
	if (e->arena == NULL)
		return err_nomem(err);
	if (repo_is_url(o->url)) {
		r = make_tmp(e, err);
		if (r == 0)
			r = fetch_clone(e, err);
		if (r == 0)
			r = open_bare(e, err);
	} else {
		r = open_path(e, &where, err);
	}
	if (r == 0)
		r = open_track(e, e->tmp != NULL ? e->tmp : where, err);
	if (r == 0)
		r = collect(e, err);
	free(where);
	return r;
}

void
elsewhere_close(struct elsewhere *e)
{
	map_foreach (&e->trees, it) {
		tree_release(it->val);
		free(it->val);
	}
	map_release(&e->trees);
	ignore_free(e->ignore);
	track_list_free(&e->list);
	track_revs_close(e->revs);
	track_close(&e->track);
	repo_close(e->git);
	free(e->project.root);
	if (e->tmp != NULL)
		(void)fsio_remove_tree(AT_FDCWD, e->tmp, NULL);
	free(e->tmp);
	arena_free(e->arena);
	*e = (struct elsewhere){0};
	e->track.root_fd = e->track.lock = -1;
}

/* ---- objects ---- */

int
elsewhere_remote(struct elsewhere *e, const char *name, struct remote **out,
		 struct err *err)
{
	struct config_remote r;
	struct remote_spec spec;
	int rc;

	if (name == NULL)
		name = e->o->remote;
	if (config_remote_find(e->track.config, name, &r, err) != 0)
		return -1;
	spec = (struct remote_spec){.name = r.name,
				    .url = r.path,
				    .version_aware = r.version_aware,
				    .worktree = r.worktree};
	rc = config_remote_local(&r, err);
	if (rc == 0)
		rc = remote_open(&spec, out, err);
	config_remote_release(&r);
	return rc;
}

static int
add_bytes(void *b, const void *p, size_t n)
{
	buf_add(b, p, n);
	return buf_failed(b) ? -1 : 0;
}

/* The list, from the remote, verified. */
static int
remote_tree(struct elsewhere *e, const struct track_out *o, struct tree *t,
	    struct err *err)
{
	char hex[HASH_HEX_MAX], want[OBJECT_HEX_MAX];
	struct remote *remote = NULL;
	struct buf b;
	int r = elsewhere_remote(e, o->remote, &remote, err);

	buf_init(&b, TREE_BYTES_MAX);
	if (r == 0)
		r = remote->ops->begin(remote, REMOTE_READ, e->o->meter, err);
	if (r == 0) {
		r = remote->ops->get(remote, &o->id, add_bytes, &b, err);
		if (b.state == BUF_NOMEM)
			r = err_nomem(err);
		else if (buf_failed(&b))
			r = err_set(err, ERR_LIMIT, "the list of '%s' is too long",
				    o->path);
		remote->ops->end(remote);
	}
	if (r == 0 && hash_bytes(HASH_MD5, b.p, b.n, hex) != 0)
		r = err_nomem(err);
	if (r == 0 && strncmp(hex, object_id_hex(&o->id, want), strlen(hex)) != 0)
		r = err_set(err, ERR_CORRUPT,
			    "the list of '%s' is damaged on the remote '%s'", o->path,
			    remote->name);
	if (r == 0)
		r = tree_parse(o->path, b.p, b.n, t, err);
	buf_release(&b);
	remote_close(remote);
	return r;
}

const struct tree *
elsewhere_tree(struct elsewhere *e, const struct track_out *o, struct err *err)
{
	struct tree *t = map_get(&e->trees, o->path);
	int r;

	if (t != NULL)
		return t;
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	r = objects_tree(e->track.cache, &o->id, t, err);
	if (r != 0 && err->code == ERR_NOTFOUND)
		r = remote_tree(e, o, t, err);
	t->legacy = o->id.legacy;
	if (r == 0 && map_put(&e->trees, o->path, t) < 0)
		r = err_nomem(err);
	if (r == 0)
		return t;
	tree_release(t);
	free(t);
	(void)err_wrap(err, "the list of '%s' cannot be had", o->path);
	return NULL;
}

/* As if its cache were a remote, whose layout it has. */
static int
fetch_cache(struct elsewhere *e, struct transfer_options *opt, struct transfer_want *v,
	    size_t n, struct transfer_report *report, struct err *err)
{
	const struct remote_spec spec = {.name = "its cache", .url = e->track.cache_dir};
	struct remote *cache = NULL;
	int r = remote_dir_open(&spec, e->track.cache_dir, &cache, err);

	opt->remote = cache;
	if (r == 0)
		r = transfer_fetch(opt, v, n, report, err);
	remote_close(cache);
	return r;
}

int
elsewhere_fetch(struct elsewhere *e, struct objects *into, struct transfer_want *v,
		size_t n, struct transfer_report *report, struct err *err)
{
	struct transfer_options opt = {
	    .cache = into, .jobs = e->o->jobs, .meter = e->o->meter};
	struct transfer_report first = {0};
	struct remote *remote = NULL;
	struct stat st;
	int r = 0;

	if (stat(e->track.cache_dir, &st) == 0) {
		r = fetch_cache(e, &opt, v, n, &first, err);
		if (r != 0 || transfer_failures(&first) == 0 ||
		    elsewhere_remote(e, v[0].remote, &remote, NULL) != 0) {
			*report = first;
			return r;
		}
	} else if (elsewhere_remote(e, v[0].remote, &remote, err) != 0) {
		return -1;
	}
	opt.remote = remote;
	r = transfer_fetch(&opt, v, n, report, err);
	report->objects += first.objects;
	report->bytes += first.bytes;
	transfer_report_release(&first);
	remote_close(remote);
	return r;
}
