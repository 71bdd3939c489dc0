#include "cli/imports.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/cli.h"
#include "store/dvc/config_remote.h"
#include "store/objects/objects.h"
#include "store/remote/remote.h"
#include "store/track/problems.h"

/* ---- the remote ---- */

int
imports_store(struct artifact *a, const char *name, struct objects **out, struct err *err)
{
	struct objects_options o = {.shared = a->track.shared};
	struct remote *remote = NULL;
	struct remote_spec spec;
	struct config_remote r;
	int rc;

	if (config_remote_find(a->track.config, name, &r, err) != 0)
		return -1;
	spec = (struct remote_spec){.name = r.name,
				    .url = r.path,
				    .root = a->track.root,
				    .cache = a->track.cache_dir,
				    .shared = a->track.shared,
				    .version_aware = r.version_aware,
				    .worktree = r.worktree};
	rc = config_remote_local(&r, err);
	if (rc == 0)
		rc = remote_open(&spec, &remote, err); /* what it refuses is refused */
	remote_close(remote);
	o.dir = r.path;
	if (rc == 0)
		rc = objects_open(&o, out, err);
	config_remote_release(&r);
	return rc;
}

/* ---- from where, to where ---- */

/* The path that is asked for, or the source's own name; in a directory under that. */
static int
find_target(struct artifact *a, const char *url, const char *word, struct import_item *it,
	    struct err *err)
{
	const char *leaf, *target = artifact_path(a, word, err);
	struct stat st;

	if (target == NULL)
		return -1;
	if (!path_climbs(target) &&
	    fstatat(a->track.root_fd, target, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode)) {
		leaf = source_leaf(a->arena, url, err);
		if (leaf == NULL)
			return -1;
		target = strcmp(target, ".") == 0
			     ? leaf
			     : arena_printf(a->arena, "%s/%s", target, leaf);
		if (target == NULL)
			return err_nomem(err);
	}
	it->item.target = target;
	return 0;
}

int
imports_target(struct imports *x, const char *url, const char *word,
	       struct import_item *it, struct err *err)
{
	struct artifact *a = &x->a;
	const char *leaf;

	if (word != NULL)
		return find_target(a, url, word, it, err);
	leaf = source_leaf(a->arena, url, err);
	it->item.target = leaf != NULL ? artifact_path(a, leaf, err) : NULL;
	return it->item.target != NULL ? 0 : -1;
}

int
imports_place(struct imports *x, const char *url, const char *word,
	      struct import_item *it, struct err *err)
{
	struct artifact *a = &x->a;
	const char *name, *wdir = ".";

	if (imports_target(x, url, word, it, err) != 0)
		return -1;
	name = path_basename(it->item.target);
	if (name != it->item.target) {
		wdir = arena_strndup(a->arena, it->item.target,
				     (size_t)(name - it->item.target) - 1);
		if (wdir == NULL)
			return err_nomem(err);
	}
	return source_of_word(a->arena, a->track.root, wdir, url, &it->source, err);
}

/* ---- the work ---- */

static int
git_tracks(void *arg, const char *path, struct err *err)
{
	return artifact_git_tracks(arg, path, err);
}

static int
check(const struct imports_opts *o, struct err *err)
{
	if (o->to_remote && o->no_download)
		return err_set(
		    err, ERR_INVALID,
		    "--no-download and --to-remote do not go together: one gets "
		    "no data, the other puts it on the remote");
	if (o->remote != NULL && !o->to_remote)
		return err_set(
		    err, ERR_INVALID,
		    "--remote says where --to-remote puts the data, and goes with "
		    "it only");
	return 0;
}

int
imports_begin(struct imports *x, struct cli *c, const struct imports_opts *o,
	      struct err *err)
{
	*x = (struct imports){.o = o};
	problems_init(&x->report.unsaved);
	problems_init(&x->report.missing);
	problems_init(&x->report.failed);
	if (artifact_open(c, &o->common, true, &x->a, err) != 0)
		return -1;
	return check(o, err);
}

void
imports_end(struct imports *x)
{
	checkout_report_release(&x->report);
	objects_close(x->store);
	artifact_close(&x->a);
}

int
imports_prepare(struct imports *x, struct err *err)
{
	x->work = (struct import_options){.add = {.root = x->a.track.root,
						  .list = &x->a.list,
						  .into_cache = true,
						  .gitignore = x->a.track.gitignore,
						  .git_tracks = git_tracks,
						  .git = &x->a},
					  .how = x->o->to_remote     ? IMPORT_TO_STORE
						 : x->o->no_download ? IMPORT_NO_DOWNLOAD
								     : IMPORT_WHOLE,
					  .force = x->o->force};
	if (!x->o->to_remote)
		return 0;
	if (imports_store(&x->a, x->o->remote, &x->store, err) != 0)
		return -1;
	x->work.store = x->store;
	return 0;
}

int
imports_after(struct imports *x, int r, const struct import_item *it, struct err *err)
{
	if (r < 0)
		return -1;
	if (r > 0) {
		x->failed = true;
		x->unsaved = x->unsaved || x->report.unsaved.count > 0;
		return 0;
	}
	if (x->work.how != IMPORT_WHOLE || !object_id_is_set(&it->item.id))
		return 0;
	return artifact_remember(&x->a, &it->item, 1, err);
}

/* ---- telling ---- */

static void
put_item(struct imports *x, const struct import_item *it)
{
	struct buf *b = &x->a.c->out;
	enum checkout_state s = it->files.state;

	if (it->item.path == NULL)
		return;
	if (object_id_is_set(&it->item.id) && it->item.file_changed) {
		artifact_put_item(&x->a, &it->item);
		return;
	}
	artifact_put_path(&x->a, it->item.path, b);
	if (it->item.file_changed)
		buf_adds(b, "  recorded in ");
	else if (x->work.how == IMPORT_WHOLE &&
		 (s == CHECKOUT_ADDED || s == CHECKOUT_MODIFIED))
		buf_adds(b, ", unchanged, made again");
	else
		buf_adds(b, ", unchanged");
	if (it->item.file_changed)
		artifact_put_path(&x->a, it->item.file, b);
	buf_addc(b, '\n');
}

static int
stage(struct imports *x, const struct import_item *items, size_t n, struct err *err)
{
	const char **v = arena_array(x->a.arena, 2 * n + 1, sizeof(*v));
	size_t k = 0;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (items[i].item.file_changed)
			v[k++] = items[i].item.file;
		if (items[i].item.gitignore != NULL)
			v[k++] = items[i].item.gitignore;
	}
	return artifact_stage(&x->a, v, k, err);
}

int
imports_new(struct imports *x, bool no_exec, struct import_item *item, struct err *err)
{
	if (imports_prepare(x, err) != 0)
		return -1;
	if (no_exec)
		x->work.how = IMPORT_NO_EXEC;
	return imports_after(
	    x, import_new(&x->a.ws, &x->work, item, x->a.arena, &x->report, err), item,
	    err);
}

int
imports_tell(struct imports *x, const struct import_item *items, size_t n,
	     struct err *err)
{
	for (size_t i = 0; i < n && !x->o->common.quiet; i++)
		put_item(x, &items[i]);
	if (x->report.unsaved.count > 0)
		artifact_list(
		    &x->a, &x->report.unsaved,
		    "these files would be lost, as the cache does not have them: "
		    "what they belong to was left as it is ('dag commit' records "
		    "them, --force gives them up)");
	if (x->report.missing.count > 0)
		artifact_list(&x->a, &x->report.missing,
			      "the cache does not have what these need ('dag pull' gets "
			      "it)");
	if (x->report.failed.count > 0)
		artifact_problems(&x->a, &x->report.failed);
	if (stage(x, items, n, err) != 0)
		return artifact_fail(&x->a, err);
	return x->failed ? EXIT_WORK : EXIT_OK;
}
