#include "store/track/edit_add.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/utf8.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/gitignore.h"
#include "store/track/collect.h"
#include "store/track/edit_graph.h"
#include "store/track/edit_stage.h"
#include "store/track/workspace.h"

struct adding {
	struct edit_add *a;
	struct arena *arena;
	const char *wdir; /* of the stage, from the root */
	const struct dvc_yaml_stage *old;
	const char **own; /* outputs for .gitignore, relative to the root */
	size_t nown;
	size_t entered; /* of those: .gitignore was written for */
	struct err *err;
};

/* ---- words ---- */

static bool
is_utf8(const char *s)
{
	size_t n = strlen(s);
	uint32_t c;

	for (int len; n > 0; s += len, n -= (size_t)len) {
		len = utf8_decode(s, n, &c);
		if (len <= 0)
			return false;
	}
	return true;
}

int
edit_stage_name(const char *name, struct err *err)
{
	static const char bad[] = "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~";

	if (*name == '\0')
		return err_set(err, ERR_INVALID, "the name of a stage is empty");
	if (strlen(name) > DVC_LOCK_NAME_MAX)
		return err_set(err, ERR_LIMIT,
			       "the name of a stage has more than %d bytes",
			       DVC_LOCK_NAME_MAX);
	if (name[strcspn(name, bad)] != '\0')
		return err_set(err, ERR_INVALID,
			       "'%s' cannot be the name of a stage: of punctuation only "
			       "'-' and '_' may be in it",
			       name);
	if (!is_utf8(name))
		return err_set(err, ERR_INVALID, "'%s' is not UTF-8", name);
	return 0;
}

/* What files that track something are called is no data. */
static int
check_word(struct adding *k, const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return err_set(k->err, ERR_INVALID, "a path of stage '%s' is empty",
			       k->a->stage.name);
	if (n > DVC_PATH_MAX)
		return err_set(k->err, ERR_LIMIT, "a path of stage '%s' is too long",
			       k->a->stage.name);
	if (!is_utf8(path))
		return err_set(k->err, ERR_INVALID, "'%s' is not UTF-8", path);
	if ((n >= 4 && strcmp(path + n - 4, ".dvc") == 0) ||
	    strcmp(path_basename(path), "dvc.yaml") == 0)
		return err_set(k->err, ERR_INVALID,
			       "'%s' says what is tracked: stages neither need nor make "
			       "such files",
			       path);
	return 0;
}

static int
check_words(struct adding *k)
{
	const struct dvc_yaml_stage *s = &k->a->stage;

	for (size_t i = 0; i < s->ncmd; i++)
		if (*s->cmd[i] == '\0' || !is_utf8(s->cmd[i]))
			return err_set(k->err, ERR_INVALID, "the command %s",
				       *s->cmd[i] == '\0' ? "is empty" : "is not UTF-8");
	if (k->a->desc != NULL && !is_utf8(k->a->desc))
		return err_set(k->err, ERR_INVALID, "the description is not UTF-8");
	for (size_t i = 0; i < s->ndeps; i++)
		if (check_word(k, s->deps[i].path) != 0)
			return -1;
	for (size_t i = 0; i < s->nparams; i++) {
		if (check_word(k, s->params[i].file) != 0)
			return -1;
		for (size_t p = 0; p < s->params[i].n; p++)
			if (!is_utf8(s->params[i].keys[p]))
				return err_set(k->err, ERR_INVALID, "'%s' is not UTF-8",
					       s->params[i].keys[p]);
	}
	for (size_t i = 0; i < s->nouts; i++)
		if (check_word(k, s->outs[i].path) != 0)
			return -1;
	return 0;
}

/* ---- places ---- */

static const char *
place(struct adding *k, const char *dir, const char *path)
{
	const char *text;
	struct buf b;

	buf_init(&b, 0);
	edit_place(k->a->root, dir, path, &b);
	text = buf_failed(&b) ? NULL : arena_strdup(k->arena, b.p);
	buf_release(&b);
	return text;
}

static int
check_wdir(struct adding *k)
{
	struct stat st;
	struct buf b;

	buf_init(&b, 0);
	edit_wdir(k->a->root, k->a->file, &k->a->stage, &b);
	k->wdir = buf_failed(&b) ? NULL : arena_strdup(k->arena, b.p);
	buf_release(&b);
	if (k->wdir == NULL)
		return err_nomem(k->err);
	if (*k->wdir == '/')
		return err_set(k->err, ERR_INVALID,
			       "the stage's working directory '%s' is outside of the "
			       "repository",
			       k->wdir);
	if (fstatat(k->a->ws->root_fd, k->wdir, &st, 0) != 0)
		return err_sys(k->err, errno, "the stage's working directory '%s'",
			       k->wdir);
	if (!S_ISDIR(st.st_mode))
		return err_set(k->err, ERR_INVALID,
			       "the stage's working directory '%s' is none", k->wdir);
	return 0;
}

static bool
is_outside(const char *path)
{
	return *path == '/' || strcmp(path, ".") == 0 || strstr(path, "://") != NULL;
}

static int
check_out(struct adding *k, const struct dvc_yaml_out *o)
{
	const char *path = place(k, k->wdir, o->path);
	struct workspace_ignore ignore;
	int r;

	if (path == NULL)
		return err_nomem(k->err);
	if (is_outside(path)) {
		if (!o->cache && strcmp(path, ".") != 0)
			return 0;
		return err_set(k->err, ERR_INVALID,
			       "'%s' is outside of the repository, so the cache cannot "
			       "keep it",
			       o->path);
	}
	r = workspace_ignore(k->a->ws, path, &ignore, k->err);
	workspace_ignore_release(&ignore);
	if (r != 0 || !o->cache || k->a->gitignore == NULL)
		return r;
	k->own[k->nown++] = path;
	r = k->a->git_tracks(k->a->git, path, k->err);
	if (r <= 0)
		return r;
	return err_set(k->err, ERR_EXISTS,
		       "git tracks '%s': stop that first, then add the stage:\n"
		       "git rm -r --cached '%s'\ngit commit -m 'stop tracking %s'",
		       path, path, path);
}

/* ---- what is there ---- */

static int
check_file(struct adding *k)
{
	const char *full = place(k, ".", k->a->file);
	struct workspace_ignore ignore;
	int r;

	full = full != NULL ? arena_printf(k->arena, "%s/%s", k->a->root, full) : NULL;
	if (full == NULL)
		return err_nomem(k->err);
	r = workspace_ignore(k->a->ws, k->a->file, &ignore, k->err);
	workspace_ignore_release(&ignore);
	if (r == 0 && k->a->gitignore != NULL)
		r = gitignore_check(k->a->gitignore, full, false, k->err);
	if (r == 1)
		return err_set(k->err, ERR_INVALID,
			       "git ignores '%s', so stages cannot be in it", k->a->file);
	return r;
}

/* What makes or needs nothing may still be wrong. */
static int
check_others(struct adding *k)
{
	for (size_t i = 0; i < k->a->list->nfiles; i++) {
		const struct track_file *f = k->a->list->files[i];

		for (size_t p = 0; f->yaml != NULL && p < f->yaml->nstages; p++)
			if (f->yaml->stages[p].ncmd == 0)
				return err_set(k->err, ERR_INVALID,
					       "stage '%s' of '%s' has no cmd",
					       f->yaml->stages[p].name, f->path);
	}
	return 0;
}

static int
find_old(struct adding *k)
{
	const char *name = k->a->stage.name;

	for (size_t i = 0; i < k->a->list->nfiles; i++) {
		const struct track_file *f = k->a->list->files[i];

		for (size_t p = 0; f->yaml != NULL && p < f->yaml->nstages; p++) {
			const struct dvc_yaml_stage *s = &f->yaml->stages[p];
			bool group = s->group != NULL && strcmp(s->group, name) == 0;

			if (strcmp(f->path, k->a->file) != 0 ||
			    (!group && strcmp(s->name, name) != 0))
				continue;
			k->a->replaced = true;
			k->old = group || s->many ? k->old : s;
		}
	}
	if (k->a->replaced && !k->a->force)
		return err_set(k->err, ERR_EXISTS,
			       "'%s' has a stage '%s' already: --force replaces it",
			       k->a->file, name);
	return 0;
}

static int
check_all(struct adding *k)
{
	const struct dvc_yaml_stage *s = &k->a->stage;

	if (edit_stage_name(s->name, k->err) != 0 || check_words(k) != 0 ||
	    check_file(k) != 0 || check_wdir(k) != 0)
		return -1;
	for (size_t i = 0; i < s->nouts; i++)
		if (check_out(k, &s->outs[i]) != 0)
			return -1;
	if (check_others(k) != 0 || find_old(k) != 0)
		return -1;
	return edit_check(k->a->list, k->a->root, k->a->file, s, k->err);
}

/* ---- the work ---- */

static const char *
gitignore_of(struct adding *k, const char *path)
{
	int n = (int)(path_basename(path) - path);

	return arena_printf(k->arena, "%.*s.gitignore", n, path);
}

static int
note_changed(struct adding *k, const char *file)
{
	if (file == NULL)
		return err_nomem(k->err);
	for (size_t i = 0; i < k->a->nchanged; i++)
		if (strcmp(k->a->changed[i], file) == 0)
			return 0;
	k->a->changed[k->a->nchanged++] = file;
	return 0;
}

/* Git must not see what the cache keeps. */
static int
enter(struct adding *k, const char *path)
{
	const char *full = arena_printf(k->arena, "%s/%s", k->a->root, path);
	const char *name = path_basename(path);
	const char *dir = name > path + 1
			      ? arena_strndup(k->arena, path, (size_t)(name - path) - 1)
			      : ".";
	struct stat st;
	bool is_dir;
	int r;

	if (full == NULL || dir == NULL)
		return err_nomem(k->err);
	if (fstatat(k->a->ws->root_fd, dir, &st, 0) != 0) {
		k->a->homeless[k->a->nhomeless++] = path;
		return 0;
	}
	is_dir = fstatat(k->a->ws->root_fd, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
	r = gitignore_check(k->a->gitignore, full, is_dir, k->err);
	if (r != 0)
		return r < 0 ? -1 : 0;
	r = gitignore_add(k->a->ws->root_fd, path, k->err);
	if (r != 1)
		return r;
	k->own[k->entered++] = path;
	return note_changed(k, gitignore_of(k, path));
}

/* The file as it will be; its mode and whether it is there. */
static int
make_text(struct adding *k, struct buf *out, mode_t *mode)
{
	struct edit_file f = {.root = k->a->root, .name = k->a->file};
	struct err why = {0};
	struct stat st;
	struct buf text;
	int rc = 0;

	*mode = 0666;
	buf_init(&text, DVC_YAML_MAX);
	if (fstatat(k->a->ws->root_fd, k->a->file, &st, 0) == 0) {
		*mode = st.st_mode & 0777;
		rc = fsio_read(k->a->ws->root_fd, k->a->file, text.max, &text, k->err);
		f.text = text.p;
		f.len = text.n;
	} else if (errno != ENOENT) {
		rc = err_sys(k->err, errno, "cannot look at '%s'", k->a->file);
	}
	if (rc == 0)
		rc = edit_put_stage(&f, &k->a->stage, k->a->desc, k->old, out, &why);
	if (why.code != ERR_NONE)
		*k->err = why;
	buf_release(&text);
	return rc;
}

/* Where it could not be done, .gitignore is as before. */
static void
take_back(struct adding *k)
{
	for (size_t i = 0; i < k->entered; i++)
		(void)gitignore_remove(k->a->ws->root_fd, k->own[i], NULL);
	k->a->nchanged = 0;
}

/* A file that could not be made durable is there all the same. */
static bool
is_written(struct adding *k, const struct buf *text)
{
	struct buf now;
	bool is;

	buf_init(&now, DVC_YAML_MAX);
	is = fsio_read(k->a->ws->root_fd, k->a->file, now.max, &now, NULL) == 0 &&
	     now.n == text->n && memcmp(now.p, text->p, now.n) == 0;
	buf_release(&now);
	return is;
}

static int
write_all(struct adding *k)
{
	struct buf text;
	mode_t mode;
	int rc;

	buf_init(&text, DVC_YAML_MAX);
	rc = make_text(k, &text, &mode);
	for (size_t i = 0, n = k->nown; rc == 0 && i < n; i++)
		rc = enter(k, k->own[i]);
	if (rc == 0)
		rc = fsio_replace(k->a->ws->root_fd, k->a->file, text.p, text.n, mode,
				  k->err);
	if (rc == 0)
		rc = note_changed(k, k->a->file);
	else if (!is_written(k, &text))
		take_back(k);
	buf_release(&text);
	return rc;
}

int
edit_add(struct edit_add *a, struct arena *arena, struct err *err)
{
	struct adding k = {.a = a, .arena = arena, .err = err};
	size_t n = a->stage.nouts + 2;

	k.own = arena_array(arena, n, sizeof(*k.own));
	a->changed = arena_array(arena, n, sizeof(*a->changed));
	a->homeless = arena_array(arena, n, sizeof(*a->homeless));
	if (k.own == NULL || a->changed == NULL || a->homeless == NULL)
		return err_nomem(err);
	return check_all(&k) == 0 ? write_all(&k) : -1;
}
