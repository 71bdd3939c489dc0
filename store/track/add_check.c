/*
 * What can be tracked, and where it is recorded.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_lock.h"
#include "store/track/add_internal.h"
#include "store/track/collect.h"
#include "store/track/workspace.h"

#define POINTER_SUFFIX ".dvc"

/* ---- what cannot be tracked ---- */

static bool
ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* The first component that is nobody's data, or NULL. */
static const char *
private_part(const char *path)
{
	static const char *const parts[] = {".git", ".dvc", ".dag", ".hg"};

	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (strlen(parts[i]) == n && memcmp(path, parts[i], n) == 0)
				return parts[i];
		path += n;
		path += *path == '/';
	}
	return NULL;
}

static int
check_name(const struct adding *a, const char *path)
{
	const char *name = path_basename(path), *part = private_part(path);

	if (strcmp(path, ".") == 0)
		return err_set(a->err, ERR_INVALID,
			       "the whole project cannot be tracked: name files and "
			       "directories in it");
	if (path_climbs(path))
		return err_set(
		    a->err, ERR_INVALID,
		    "'%s' lies outside of the project '%s': --out says where "
		    "to copy it to, and 'dag import-url' remembers where it is "
		    "from",
		    path, a->o->root);
	if (part != NULL)
		return err_set(a->err, ERR_INVALID, "'%s' lies in '%s', which is no data",
			       path, part);
	if (ends_with(name, POINTER_SUFFIX) || strcmp(name, "dvc.yaml") == 0 ||
	    strcmp(name, "dvc.lock") == 0)
		return err_set(a->err, ERR_INVALID,
			       "'%s' says what is tracked; it cannot be tracked itself",
			       path);
	if (strcmp(name, ".dvcignore") == 0 || strcmp(name, ".gitignore") == 0)
		return err_set(a->err, ERR_INVALID,
			       "'%s' says what is ignored; it belongs into git", path);
	return 0;
}

static int
check_git(const struct adding *a, const char *path)
{
	int r;

	if (a->o->git_tracks == NULL)
		return 0;
	r = a->o->git_tracks(a->o->git, path, a->err);
	if (r <= 0)
		return r;
	return err_set(a->err, ERR_EXISTS,
		       "git tracks '%s': stop that first, then add it:\n"
		       "git rm -r --cached '%s'\ngit commit -m 'stop tracking %s'",
		       path, path, path);
}

/* ---- which pointer it is ---- */

static int
check_below(const struct adding *a, const char *path)
{
	size_t n;
	const struct track_out *o = track_below(a->o->list, path, &n);

	if (n == 0)
		return 0;
	if (o->stage != NULL)
		return err_set(a->err, ERR_EXISTS,
			       "'%s' has '%s' in it, an output of stage '%s' in '%s'",
			       path, o->path, o->stage, o->file);
	return err_set(a->err, ERR_EXISTS,
		       "'%s' has '%s' in it, which is tracked by itself: to have both as "
		       "one, 'dag remove %s' and then add it again",
		       path, o->path, o->file);
}

static int
check_pairs(const struct adding *a, size_t i)
{
	const char *path = a->jobs[i].item->target;

	for (size_t k = 0; k < i; k++) {
		const char *other = a->jobs[k].item->target;

		if (strcmp(path, other) != 0 && path_overlap(path, other))
			return err_set(a->err, ERR_INVALID,
				       "'%s' and '%s' overlap: add the larger one", path,
				       other);
	}
	return 0;
}

struct dvc_out *
add_out(const struct add_job *j)
{
	return j->stage != NULL ? &j->stage->outs[j->out] : &j->file->outs[j->out];
}

/* The output of a stage. */
static int
open_stage(struct adding *a, struct add_job *j, const struct track_out *o)
{
	if (!a->o->commit)
		return err_set(a->err, ERR_EXISTS,
			       "'%s' is an output of stage '%s' in '%s': its content is "
			       "recorded by 'dag commit'",
			       o->path, o->stage, o->file);
	if (o->out == NULL)
		return err_set(
		    a->err, ERR_NOTFOUND,
		    "'%s' is an output of stage '%s' in '%s', which has never "
		    "run: there is nothing that its content could be recorded in",
		    o->path, o->stage, o->file);
	j->lock = o->in->lock;
	j->stage = dvc_lock_find(j->lock, o->stage);
	j->out = (size_t)(o->out - j->stage->outs);
	return 0;
}

/* The pointer of an out that is tracked. */
static int
open_known(struct adding *a, struct add_job *j, const struct track_out *o)
{
	j->item->path = o->path;
	j->item->file = o->file;
	j->into_cache = a->o->into_cache && o->cache;
	j->for_git = !o->cache;
	if (o->stage != NULL)
		return open_stage(a, j, o);
	j->file = o->in->file;
	j->out = (size_t)(o->out - j->file->outs);
	return 0;
}

/* A new pointer file beside the target. */
static int
open_new(struct adding *a, struct add_job *j)
{
	const char *path = j->item->target;
	struct stat st;

	j->item->path = path;
	j->item->file = arena_printf(a->arena, "%s%s", path, POINTER_SUFFIX);
	if (j->item->file == NULL)
		return err_nomem(a->err);
	if (fstatat(a->ws->root_fd, j->item->file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(a->err, ERR_EXISTS,
			       "'%s' is there already and says nothing of '%s'",
			       j->item->file, path);
	if (errno != ENOENT)
		return err_sys(a->err, errno, "cannot stat '%s'", j->item->file);
	j->own = true;
	j->file = dvc_file_new(j->item->file, a->err);
	if (j->file == NULL ||
	    dvc_file_add_out(j->file, path_basename(path), a->err) == NULL)
		return -1;
	j->out = 0;
	j->into_cache = a->o->into_cache;
	return 0;
}

int
add_check(struct adding *a, size_t i)
{
	struct add_job *j = &a->jobs[i];
	const char *path = j->item->target;
	const struct track_out *o;

	if (check_name(a, path) != 0 || check_pairs(a, i) != 0 ||
	    workspace_claim(a->ws, path, a->err) != 0)
		return -1;
	o = track_find(a->o->list, path);
	if (o == NULL && check_below(a, path) != 0)
		return -1;
	if (o != NULL && strcmp(o->path, path) != 0)
		j->inside = path + strlen(o->path) + 1;
	for (j->first = a->jobs; j->first != j; j->first++)
		if (strcmp(j->first->item->path, o != NULL ? o->path : path) == 0)
			break;
	if (j->first != j) {
		j->item->path = j->first->item->path;
		j->item->file = j->first->item->file;
		return 0;
	}
	if ((o != NULL ? open_known(a, j, o) : open_new(a, j)) != 0)
		return -1;
	return check_git(a, j->item->path);
}
