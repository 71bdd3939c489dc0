#include "store/dvc/config_remote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/suggest.h"
#include "store/dvc/config_internal.h"
#include "store/dvc/config_schema.h"

#define NAME_MAX_REMOTE 255
#define REFS_MAX	8 /* of remote://other/ that name one another */

/* The name in lower case, as all names are.  Return 0 or -1. */
static int
lower_name(const char *name, char out[NAME_MAX_REMOTE + 1], struct err *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_REMOTE || strpbrk(name, "\"\n\r\t") != NULL)
		return err_set(err, ERR_INVALID,
			       "'%.100s' is no name for a remote: 1 to %d bytes without "
			       "quotes, tabs and line ends",
			       name, NAME_MAX_REMOTE);
	for (size_t i = 0; i <= n; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a')
							  : name[i];
	return 0;
}

static const struct config_item *
url_of(const struct config *c, const char *name)
{
	return config_item(c, "remote", name, "url");
}

/* ---- finding ---- */

struct names {
	struct suggest s;
	struct buf list;
};

static int
take_name(void *ctx, const char *name, const struct config_item *url, bool is_default)
{
	struct names *n = ctx;

	(void)url;
	(void)is_default;
	suggest_try(&n->s, name);
	buf_addf(&n->list, "%s%s", n->list.n > 0 ? ", " : "", name);
	return 0;
}

static int
not_found(const struct config *c, const char *name, struct err *err)
{
	struct names n;
	const char *best;

	suggest_start(&n.s, name);
	buf_init(&n.list, 400);
	(void)config_remote_each(c, CONFIG_LEVELS, take_name, &n);
	best = suggest_best(&n.s);
	if (best != NULL)
		(void)err_set(err, ERR_NOTFOUND,
			      "there is no remote '%.100s'; did you mean '%.100s'?", name,
			      best);
	else if (n.list.n > 0)
		(void)err_set(err, ERR_NOTFOUND,
			      "there is no remote '%.100s'; there are: %s", name,
			      n.list.p);
	else
		(void)err_set(err, ERR_NOTFOUND,
			      "there is no remote '%.100s': make one with `dag remote "
			      "add %.100s URL`",
			      name, name);
	buf_release(&n.list);
	return -1;
}

/* Append what ${url} stands for, which may name another remote. */
static int
follow(const struct config *c, const char *url, unsigned depth, struct buf *out,
       struct err *err)
{
	char name[NAME_MAX_REMOTE + 1], lowered[NAME_MAX_REMOTE + 1];
	const struct config_item *base;
	size_t n;

	if (strncasecmp(url, "remote://", 9) != 0) {
		buf_adds(out, url);
		return 0;
	}
	url += 9;
	n = strcspn(url, "/");
	if (n == 0 || n > NAME_MAX_REMOTE)
		return err_set(err, ERR_INVALID,
			       "a url remote://NAME/path names no remote");
	memcpy(name, url, n);
	name[n] = '\0';
	if (lower_name(name, lowered, err) != 0)
		return -1;
	base = url_of(c, lowered);
	if (base == NULL)
		return not_found(c, name, err);
	if (depth == REFS_MAX)
		return err_set(err, ERR_INVALID,
			       "the remotes' urls name one another in a circle, at "
			       "remote://%s",
			       lowered);
	if (follow(c, base->value, depth + 1, out, err) != 0)
		return -1;
	url += n + strspn(url + n, "/");
	if (*url != '\0') {
		if (out->n > 0 && out->p[out->n - 1] != '/')
			buf_addc(out, '/');
		buf_adds(out, url);
	}
	return 0;
}

/* The option of the remote or, if its url names another, of that. */
static const char *
option(const struct config *c, const char *name, const char *key)
{
	char base[NAME_MAX_REMOTE + 1], lowered[NAME_MAX_REMOTE + 1];
	const struct config_item *it, *url;
	size_t n;

	for (unsigned i = 0; i <= REFS_MAX; i++) {
		it = config_item(c, "remote", name, key);
		if (it != NULL)
			return it->value;
		url = url_of(c, name);
		if (url == NULL || strncasecmp(url->value, "remote://", 9) != 0)
			return NULL;
		n = strcspn(url->value + 9, "/");
		if (n > NAME_MAX_REMOTE)
			return NULL;
		memcpy(base, url->value + 9, n);
		base[n] = '\0';
		if (lower_name(base, lowered, NULL) != 0)
			return NULL;
		memcpy(base, lowered, sizeof(base));
		name = base;
	}
	return NULL;
}

const char *
config_remote_option(const struct config *c, const struct config_remote *r,
		     const char *key)
{
	return option(c, r->name, key);
}

static bool
is_true(const char *v)
{
	return v != NULL && strcasecmp(v, "true") == 0;
}

/* Fill what the url tells. */
static int
fill_url(const struct config *c, struct config_remote *r, struct err *err)
{
	struct buf url, scheme;
	int rc;

	buf_init(&url, 0);
	buf_init(&scheme, 0);
	rc = follow(c, url_of(c, r->name)->value, 0, &url, err);
	config_put_scheme(&scheme, url.p);
	if (rc == 0 && (buf_failed(&url) || buf_failed(&scheme)))
		rc = err_nomem(err);
	if (rc == 0) {
		memcpy(r->scheme, scheme.p,
		       scheme.n < sizeof(r->scheme) ? scheme.n : sizeof(r->scheme) - 1);
		if (scheme.n == 0)
			r->path =
			    strdup(strncmp(url.p, "file://", 7) == 0 ? url.p + 7 : url.p);
		r->url = buf_steal(&url);
		if (r->url == NULL || (scheme.n == 0 && r->path == NULL))
			rc = err_nomem(err);
	}
	buf_release(&scheme);
	buf_release(&url);
	return rc;
}

int
config_remote_find(const struct config *c, const char *name, struct config_remote *r,
		   struct err *err)
{
	const struct config_item *def = config_item(c, "core", NULL, "remote"), *url;
	char lowered[NAME_MAX_REMOTE + 1];
	const char *jobs;

	*r = (struct config_remote){0};
	if (name == NULL && def == NULL)
		return err_set(
		    err, ERR_NOTFOUND,
		    "no remote is set: make one with `dag remote add --default "
		    "NAME URL`, or name one with --remote");
	if (name == NULL)
		name = def->value;
	if (lower_name(name, lowered, err) != 0)
		return -1;
	url = url_of(c, lowered);
	if (url == NULL)
		return not_found(c, name, err);
	r->name = url->name;
	r->written = url->raw;
	r->level = url->level;
	r->is_default = def != NULL && strcasecmp(def->value, lowered) == 0;
	jobs = option(c, r->name, "jobs");
	if (jobs == NULL || num_i64(jobs + strspn(jobs, " +"), &r->jobs) != 0)
		r->jobs = 0;
	r->verify = is_true(option(c, r->name, "verify"));
	r->worktree = is_true(option(c, r->name, "worktree"));
	r->version_aware = r->worktree || is_true(option(c, r->name, "version_aware"));
	if (fill_url(c, r, err) == 0)
		return 0;
	config_remote_release(r);
	return err_wrap(err, "remote '%s'", lowered);
}

void
config_remote_release(struct config_remote *r)
{
	free(r->url);
	free(r->path);
	r->url = r->path = NULL;
}

int
config_remote_local(const struct config_remote *r, struct err *err)
{
	struct buf url;

	if (r->path != NULL && !r->version_aware)
		return 0;
	if (r->path != NULL)
		return err_set(
		    err, ERR_INVALID,
		    "remote '%s' keeps files under their own names (%s), which "
		    "this version does not support yet",
		    r->name, r->worktree ? "worktree" : "version_aware");
	buf_init(&url, 400);
	config_put_url(&url, r->url);
	(void)err_set(err, ERR_INVALID,
		      "remote '%s' (%s) is of a kind that is not supported yet by this "
		      "version: %s",
		      r->name, url.p, r->scheme);
	buf_release(&url);
	return -1;
}

struct each {
	const struct config *c;
	const struct config_item *def;
	config_remote_fn *fn;
	void *ctx;
};

static int
each_url(void *ctx, const struct config_item *it)
{
	struct each *e = ctx;

	if (it->name == NULL || strcmp(it->section, "remote") != 0 ||
	    strcmp(it->key, "url") != 0)
		return 0;
	return e->fn(e->ctx, it->name, it,
		     e->def != NULL && strcasecmp(e->def->value, it->name) == 0);
}

int
config_remote_each(const struct config *c, enum config_level level, config_remote_fn *fn,
		   void *ctx)
{
	struct each e = {c, config_item(c, "core", NULL, "remote"), fn, ctx};

	return config_each(c, level, each_url, &e);
}

/* ---- changing ---- */

/* A change of the file of one level. */
struct change {
	struct config *c;
	enum config_level level;
	char name[NAME_MAX_REMOTE + 1];
	struct buf section; /* as it is written in the file, or is to be */
	struct ini *ini;
};

static int
change_begin(struct change *ch, struct config *c, enum config_level level,
	     const char *name, struct err *err)
{
	ch->c = c;
	ch->level = level;
	ch->ini = NULL;
	buf_init(&ch->section, 0);
	if (lower_name(name, ch->name, err) != 0 || config_edit_begin(c, level, err) != 0)
		return -1;
	ch->ini = c->files[level].ini;
	return config_section_name(ch->ini, "remote", ch->name, &ch->section, err);
}

static int
change_end(struct change *ch, int rc, struct err *err)
{
	rc = config_edit_end(ch->c, ch->level, rc, err);
	buf_release(&ch->section);
	return rc;
}

/* Does any level have the remote?  Whether its url is seen from here is checked at the end. */
static bool
is_known(const struct change *ch)
{
	struct buf b;
	bool known = ini_has_section(ch->ini, ch->section.p);

	buf_init(&b, 0);
	for (int l = 0; l < CONFIG_LEVELS && !known; l++) {
		buf_clear(&b);
		if (ch->c->files[l].ini != NULL &&
		    config_section_name(ch->c->files[l].ini, "remote", ch->name, &b,
					NULL) == 0)
			known = ini_has_section(ch->c->files[l].ini, b.p);
	}
	buf_release(&b);
	return known;
}

int
config_remote_add(struct config *c, enum config_level level, const char *name,
		  const char *url, bool force, bool make_default, struct err *err)
{
	struct change ch;
	struct buf path, dir;
	int rc = change_begin(&ch, c, level, name, err);

	buf_init(&path, 0);
	buf_init(&dir, 0);
	if (rc == 0 && ini_has_section(ch.ini, ch.section.p)) {
		if (!force)
			rc = err_set(err, ERR_EXISTS,
				     "there is a remote '%s' already: change it with "
				     "`dag remote modify`, or replace it with --force",
				     ch.name);
		else
			ini_clear(ch.ini, ch.section.p);
	}
	if (rc == 0) {
		buf_add(
		    &dir, c->files[level].path,
		    (size_t)(strrchr(c->files[level].path, '/') - c->files[level].path));
		rc = buf_failed(&dir) ? err_nomem(err)
				      : config_relate(&path, url, dir.p, err);
	}
	if (rc == 0)
		rc = ini_set(ch.ini, ch.section.p, "url", path.p, err);
	if (rc == 0 && make_default)
		rc = ini_set(ch.ini, "core", "remote", ch.name, err);
	buf_release(&dir);
	buf_release(&path);
	return change_end(&ch, rc, err);
}

/* Does any level say where the remote is? */
static bool
has_url(const struct change *ch)
{
	struct buf b;
	bool has = false;

	buf_init(&b, 0);
	for (int l = 0; l < CONFIG_LEVELS && !has; l++) {
		buf_clear(&b);
		has = ch->c->files[l].ini != NULL &&
		      config_section_name(ch->c->files[l].ini, "remote", ch->name, &b,
					  NULL) == 0 &&
		      ini_get(ch->c->files[l].ini, b.p, "url") != NULL;
	}
	buf_release(&b);
	return has;
}

int
config_remote_modify(struct config *c, enum config_level level, const char *name,
		     const char *key, const char *value, struct err *err)
{
	struct change ch;
	int rc = change_begin(&ch, c, level, name, err);

	if (rc == 0 && !is_known(&ch))
		rc = not_found(c, name, err);
	if (rc == 0 && value == NULL)
		(void)ini_unset(ch.ini, ch.section.p, key);
	if (rc == 0 && value == NULL && !has_url(&ch))
		rc = err_set(err, ERR_INVALID,
			     "remote '%s' would have no url: use `dag remote remove`",
			     ch.name);
	if (rc == 0 && value != NULL)
		rc = config_set_option(c, level, "remote", ch.name, key, value, err);
	return change_end(&ch, rc, err);
}

int
config_remote_default(struct config *c, enum config_level level, const char *name,
		      struct err *err)
{
	struct change ch;
	int rc = change_begin(&ch, c, level, name != NULL ? name : "none", err);

	if (rc == 0 && name == NULL)
		(void)ini_unset(ch.ini, "core", "remote");
	if (rc == 0 && name != NULL && !is_known(&ch))
		rc = not_found(c, name, err);
	if (rc == 0 && name != NULL)
		rc = ini_set(ch.ini, "core", "remote", ch.name, err);
	return change_end(&ch, rc, err);
}

/* Is core.remote of this file the remote? */
static bool
is_default(const struct ini *ini, const char *name)
{
	const struct ini_value *v = ini != NULL ? ini_get(ini, "core", "remote") : NULL;

	return v != NULL && !v->list && strcasecmp(v->v[0], name) == 0;
}

/* Where core.remote of the level, or of a stronger one, is ${name}, make it ${to}, or take it
 * out.  Each file is one edit. */
static int
follow_default(struct config *c, enum config_level level, const char *name,
	       const char *to, struct err *err)
{
	int rc = 0;

	for (int l = (int)level; l < CONFIG_LEVELS && rc == 0; l++) {
		if (!is_default(c->files[l].ini, name))
			continue;
		rc = config_edit_begin(c, (enum config_level)l, err);
		if (rc == 0 && !is_default(c->files[l].ini, name))
			; /* somebody else was faster */
		else if (rc == 0 && to == NULL)
			(void)ini_unset(c->files[l].ini, "core", "remote");
		else if (rc == 0)
			rc = ini_set(c->files[l].ini, "core", "remote", to, err);
		rc = config_edit_end(c, (enum config_level)l, rc, err);
	}
	return rc;
}

int
config_remote_rename(struct config *c, enum config_level level, const char *name,
		     const char *to, struct err *err)
{
	char lowered[NAME_MAX_REMOTE + 1];
	struct change ch;
	struct buf section;
	int rc = change_begin(&ch, c, level, name, err);

	buf_init(&section, 0);
	if (rc == 0)
		rc = lower_name(to, lowered, err);
	if (rc == 0 && url_of(c, lowered) != NULL)
		rc = err_set(err, ERR_EXISTS, "there is a remote '%s' already", lowered);
	if (rc == 0 && !ini_has_section(ch.ini, ch.section.p))
		rc = not_found(c, name, err);
	if (rc == 0) {
		/* As it is given: DVC writes this one name so. */
		buf_addf(&section, "remote \"%s\"", to);
		rc = buf_failed(&section)
			 ? err_nomem(err)
			 : ini_rename(ch.ini, ch.section.p, section.p, err);
	}
	if (rc == 0 && is_default(ch.ini, ch.name))
		rc = ini_set(ch.ini, "core", "remote", to, err);
	buf_release(&section);
	rc = change_end(&ch, rc, err);
	return rc == 0 ? follow_default(c, level, ch.name, to, err) : rc;
}

int
config_remote_remove(struct config *c, enum config_level level, const char *name,
		     struct err *err)
{
	struct change ch;
	int rc = change_begin(&ch, c, level, name, err);

	if (rc == 0 && !ini_remove(ch.ini, ch.section.p))
		rc = not_found(c, name, err);
	if (rc == 0 && is_default(ch.ini, ch.name))
		(void)ini_unset(ch.ini, "core", "remote");
	rc = change_end(&ch, rc, err);
	return rc == 0 ? follow_default(c, level, ch.name, NULL, err) : rc;
}
