/* What a dvc.lock's stages and paths come from in dvc.yaml. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"

/* Where the template at ${s} ends; NULL: there is none. */
static const char *
template_end(const char *s)
{
	const char *end;

	if (s[0] != '$' || s[1] != '{')
		return NULL;
	end = strchr(s, '}');
	return end != NULL ? end + 1 : NULL;
}

static bool
has_template(const char *s)
{
	for (; *s != '\0'; s++)
		if (s[0] == '\\' && s[1] == '$')
			s++;
		else if (template_end(s) != NULL)
			return true;
	return false;
}

/* Can the templates of ${pattern} be filled so that it is ${s}? */
static bool
matches(const char *pattern, const char *s)
{
	const char *again = NULL, *from = NULL, *end;

	while (*s != '\0' || *pattern != '\0') {
		const char *literal = pattern;

		if ((end = template_end(pattern)) != NULL) {
			again = pattern = end;
			from = s;
			continue;
		}
		if (literal[0] == '\\' && literal[1] == '$' && literal[2] == '{')
			literal++;
		if (*s != '\0' && *literal == *s) {
			pattern = literal + 1;
			s++;
			continue;
		}
		/* The last template takes one character more. */
		if (again == NULL || *from == '\0')
			return false;
		pattern = again;
		s = ++from;
	}
	return true;
}

const struct dvc_yaml_stage *
dvc_yaml_stage(const struct dvc_yaml *y, const char *name)
{
	for (size_t i = 0; i < y->nstages; i++) {
		const struct dvc_yaml_stage *s = &y->stages[i];
		size_t n = strlen(s->name);

		if (s->many ? strncmp(s->name, name, n) == 0 && name[n] == '@'
			    : strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

const struct dvc_yaml_out *
dvc_yaml_out(const struct dvc_yaml_stage *s, const char *path)
{
	for (size_t i = 0; i < s->nouts; i++)
		if (strcmp(s->outs[i].path, path) == 0)
			return &s->outs[i];
	for (size_t i = 0; i < s->nouts; i++)
		if (matches(s->outs[i].path, path))
			return &s->outs[i];
	return NULL;
}

bool
dvc_yaml_full(const struct dvc_yaml *y, const struct dvc_yaml_stage *s, const char *path,
	      struct buf *out)
{
	const char *wdir = s->wdir != NULL ? s->wdir : ".";
	struct buf a, b;

	if (strstr(path, "${") != NULL || strstr(wdir, "${") != NULL ||
	    strstr(path, "://") != NULL || path[0] == '/')
		return false;
	buf_init(&a, 0);
	buf_init(&b, 0);
	path_join(&a, y->dir, wdir);
	path_join(&b, a.p, path);
	path_normalize(out, b.p);
	if (buf_failed(&a) || buf_failed(&b))
		out->state = BUF_NOMEM;
	buf_release(&b);
	buf_release(&a);
	return buf_failed(out) || !path_climbs(out->p);
}

/* Where a path leads from the stage's working directory. */
static int
place(struct dvc_lock *lock, const char *wdir, struct dvc_out *out, struct err *err)
{
	struct buf joined, norm;
	int rc = 0;

	if (out->where == DVC_URL || out->path == NULL)
		return 0;
	buf_init(&joined, 0);
	buf_init(&norm, 0);
	path_join(&joined, wdir, out->path);
	path_normalize(&norm, joined.p);
	out->where = path_climbs(norm.p) ? DVC_OUTSIDE : DVC_IN_REPO;
	out->full = NULL;
	if (out->where == DVC_IN_REPO)
		out->full = arena_strndup(lock->arena, norm.p, norm.n);
	if (buf_failed(&joined) || buf_failed(&norm) ||
	    (out->where == DVC_IN_REPO && out->full == NULL))
		rc = err_nomem(err);
	dvc_out_tell_legacy(out);
	buf_release(&joined);
	buf_release(&norm);
	return rc;
}

static int
place_all(const struct dvc_yaml *y, const struct dvc_yaml_stage *def,
	  struct dvc_lock *lock, struct dvc_lock_stage *s, struct err *err)
{
	struct buf joined, wdir;
	int rc = 0;

	if (has_template(def->wdir))
		return err_set(
		    err, ERR_INVALID,
		    "%s:%u:%u: the wdir of stage '%.100s' is a template, which "
		    "cannot be followed yet",
		    y->name, def->line, def->col, def->name);
	buf_init(&joined, 0);
	buf_init(&wdir, 0);
	path_join(&joined, lock->dir, def->wdir);
	path_normalize(&wdir, joined.p);
	if (buf_failed(&joined) || buf_failed(&wdir))
		rc = err_nomem(err);
	else if (path_climbs(wdir.p))
		rc = err_set(err, ERR_INVALID,
			     "%s:%u:%u: the wdir of stage '%.100s' leads out of the "
			     "repository",
			     y->name, def->line, def->col, def->name);
	for (size_t i = 0; rc == 0 && i < s->ndeps; i++)
		rc = place(lock, wdir.p, &s->deps[i], err);
	for (size_t i = 0; rc == 0 && i < s->nouts; i++)
		rc = place(lock, wdir.p, &s->outs[i], err);
	buf_release(&joined);
	buf_release(&wdir);
	return rc;
}

int
dvc_lock_place(struct dvc_lock *lock, const char *dir, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < lock->nstages; i++) {
		struct dvc_lock_stage *s = &lock->stages[i];

		for (size_t k = 0; rc == 0 && k < s->ndeps; k++)
			rc = place(lock, dir, &s->deps[k], err);
		for (size_t k = 0; rc == 0 && k < s->nouts; k++)
			rc = place(lock, dir, &s->outs[k], err);
	}
	return rc;
}

static const char *
copy(struct dvc_lock *lock, const char *s, bool *nomem)
{
	const char *text = s != NULL ? arena_strdup(lock->arena, s) : NULL;

	*nomem = *nomem || (s != NULL && text == NULL);
	return text;
}

/* The stage behind a name of dvc.lock, by a table of dvc.yaml's. */
static const struct dvc_yaml_stage *
look_up(const struct map *names, const char *name)
{
	const struct dvc_yaml_stage *s = map_get(names, name);

	if (s != NULL && !s->many)
		return s;
	s = map_getn(names, name, strcspn(name, "@"));
	return s != NULL && s->many && strchr(name, '@') != NULL ? s : NULL;
}

static int
flag_all(const struct dvc_yaml_stage *def, struct dvc_lock *lock,
	 struct dvc_lock_stage *s, struct err *err)
{
	struct map paths = {0};
	bool nomem = false;

	for (size_t i = 0; def != NULL && i < def->nouts; i++)
		if (!map_hasn(&paths, def->outs[i].path, strlen(def->outs[i].path)))
			nomem |= map_put(&paths, def->outs[i].path, &def->outs[i]) < 0;
	for (size_t k = 0; k < s->nouts && !nomem; k++) {
		struct dvc_out *out = &s->outs[k];
		const struct dvc_yaml_out *o = map_get(&paths, out->path);

		if (o == NULL && def != NULL)
			o = dvc_yaml_out(def, out->path);
		out->unlisted = o == NULL;
		if (o == NULL)
			continue;
		out->cache = o->cache;
		out->persist = o->persist;
		out->push = o->push;
		out->remote = copy(lock, o->remote, &nomem);
		out->desc = copy(lock, o->desc, &nomem);
		out->type = copy(lock, o->type, &nomem);
	}
	map_release(&paths);
	return nomem ? err_nomem(err) : 0;
}

int
dvc_yaml_apply(const struct dvc_yaml *y, struct dvc_lock *lock, struct err *err)
{
	struct map names = {0};
	int rc = 0;

	for (size_t i = 0; i < y->nstages && rc == 0; i++)
		if (map_put(&names, y->stages[i].name, &y->stages[i]) < 0)
			rc = err_nomem(err);
	for (size_t i = 0; i < lock->nstages && rc == 0; i++) {
		struct dvc_lock_stage *s = &lock->stages[i];
		const struct dvc_yaml_stage *def = look_up(&names, s->name);

		s->unlisted = def == NULL;
		s->frozen = def != NULL && def->frozen;
		if (def != NULL && def->wdir != NULL)
			rc = place_all(y, def, lock, s, err);
		if (rc == 0)
			rc = flag_all(def, lock, s, err);
	}
	map_release(&names);
	return rc;
}
