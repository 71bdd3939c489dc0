#include "store/dvc/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/num.h"
#include "base/path.h"
#include "store/dvc/config_internal.h"
#include "store/dvc/config_schema.h"

#define EXPAND_DEPTH 10 /* of %(name)s in what %(name)s stands for, as ConfigObj */
#define EXPAND_MAX \
	1000 /* %(name)s of one value: ten times a thousand of them never end */

/* ---- files ---- */

int
config_read_file(struct config_file *f, struct err *err)
{
	struct stat st;
	struct buf text;
	int fd, rc;

	ini_free(f->ini);
	f->ini = NULL;
	f->mode = 0666;
	if (f->path == NULL)
		return 0;
	fd = open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd == -1 || fstat(fd, &st) != 0) {
		rc = err_sys(err, errno, "cannot read the settings in '%s'", f->path);
		if (fd != -1)
			(void)close(fd);
		return rc;
	}
	buf_init(&text, INI_MAX);
	f->mode = st.st_mode & 0777;
	if (!S_ISREG(st.st_mode))
		rc = err_set(err, ERR_INVALID, "'%s' is no regular file", f->path);
	else if (fsio_read_fd(fd, INI_MAX, &text, err) != 0)
		rc = err_wrap(err, "'%s'", f->path);
	else
		rc = ini_parse(f->path, text.p, text.n, &f->ini, err);
	buf_release(&text);
	(void)close(fd);
	return rc;
}

/* ---- %(name)s ---- */

struct expand {
	const struct ini *ini;
	const char *section;
	struct buf *out;
	unsigned left; /* how many more may be put in */
};

static const char *
look_up(const struct expand *x, const char *key)
{
	const char *const where[] = {x->section, "DEFAULT", NULL};
	const struct ini_value *v;

	for (size_t i = 0; i < 3; i++) {
		v = ini_get(x->ini, where[i], key);
		if (v != NULL && !v->list)
			return v->v[0];
	}
	return NULL;
}

/* Append ${text} with what it names put in.  Return 0; -1: a name without value, in circles, or
 * too long, or too many of them. */
static int
expand(struct expand *x, const char *text, unsigned depth)
{
	const char *open, *close, *value;
	char key[INI_NAME_MAX + 1];
	size_t n;

	for (;; text = close + 2) {
		open = strstr(text, "%(");
		close = open != NULL ? strchr(open, ')') : NULL;
		if (close == NULL) {
			buf_adds(x->out, text);
			return x->out->state == BUF_TOOBIG ? -1 : 0;
		}
		if (close[1] != 's') {
			buf_add(x->out, text, (size_t)(open + 2 - text));
			close = open;
			continue;
		}
		n = (size_t)(close - open) - 2;
		if (n > INI_NAME_MAX || depth == EXPAND_DEPTH || x->left == 0)
			return -1;
		x->left--;
		memcpy(key, open + 2, n);
		key[n] = '\0';
		value = look_up(x, key);
		if (value == NULL)
			return -1;
		buf_add(x->out, text, (size_t)(open - text));
		if (expand(x, value, depth + 1) != 0)
			return -1;
	}
}

/* ---- settings ---- */

bool
config_split_name(const char *text, const char **section, size_t *n, const char **name,
		  size_t *len)
{
	const char *quote, *last;

	text += strspn(text, " \t");
	quote = strchr(text, '"');
	last = strrchr(text, '"');
	if (quote == NULL || quote == last || last[1 + strspn(last + 1, " \t")] != '\0')
		return false;
	*section = text;
	*n = (size_t)(quote - text);
	while (*n > 0 && strchr(" \t", text[*n - 1]) != NULL)
		--*n;
	*name = quote + 1;
	*len = (size_t)(last - quote) - 1;
	for (size_t i = 0; i < 3; i++) {
		static const char *const kinds[] = {"remote", "machine", "db"};

		if (strlen(kinds[i]) == *n && strncasecmp(text, kinds[i], *n) == 0)
			return true;
	}
	return false;
}

static char *
lower(struct arena *a, const char *p, size_t n)
{
	char *s = arena_strndup(a, p, n);

	for (char *c = s; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return s;
}

struct merge {
	struct config *c;
	enum config_level level;
	struct err *err;
	const char *dir; /* of the file */
};

static int
say_place(struct merge *m, unsigned line)
{
	const char *path = m->c->files[m->level].path;

	/* What is about to be set stands in no line yet. */
	return line != 0 ? err_wrap(m->err, "%s:%u", path, line)
			 : err_wrap(m->err, "%s", path);
}

/* The value as one text, what it names put in. */
static int
put_value(struct merge *m, const char *section, const struct ini_value *v, unsigned line,
	  struct buf *out)
{
	struct expand x = {m->c->files[m->level].ini, section, out, EXPAND_MAX};

	for (size_t i = 0; i < v->n; i++) {
		buf_adds(out, i > 0 ? ", " : "");
		if (expand(&x, v->v[i], 0) != 0) {
			if (x.left == 0)
				(void)err_set(
				    m->err, ERR_LIMIT,
				    "the value has more than %d %%(name)s in it",
				    EXPAND_MAX);
			else
				(void)err_set(m->err, ERR_INVALID,
					      "a %%(name)s in the value names no value");
			return say_place(m, line);
		}
	}
	return buf_failed(out) ? err_nomem(m->err) : 0;
}

/* Find the option, and check its value. */
static int
check_item(struct merge *m, const struct config_item *it, const struct ini_value *v,
	   const char *raw, const struct config_option **o)
{
	if (config_find_option(it->section, it->key, o, m->err) == 0 &&
	    (*o == NULL || config_check_value(*o, raw, v->list, m->err) == 0))
		return 0;
	return m->c->unchecked ? 0 : say_place(m, it->line);
}

/* Fill the texts of an item whose section, name and key are there. */
static int
fill_item(struct merge *m, const char *section, const struct ini_value *v,
	  struct config_item *it)
{
	const struct config_option *o = NULL;
	struct buf raw, path;
	int rc;

	buf_init(&raw, 2 * INI_VALUE_MAX);
	buf_init(&path, 0);
	rc = put_value(m, section, v, it->line, &raw);
	if (rc == 0)
		rc = check_item(m, it, v, raw.p, &o);
	if (rc == 0) {
		it->raw = it->value = arena_strdup(m->c->arena, raw.p);
		if (o != NULL && o->type == CONFIG_PATH) {
			config_resolve(&path, raw.p, m->dir);
			it->value =
			    buf_failed(&path) ? NULL : arena_strdup(m->c->arena, path.p);
		}
		if (it->raw == NULL || it->value == NULL)
			rc = err_nomem(m->err);
	}
	buf_release(&path);
	buf_release(&raw);
	return rc;
}

/* The key of the index. */
static char *
index_key(struct arena *a, const char *section, const char *name, const char *key)
{
	return arena_printf(a, "%s\n%s\n%s", section, name != NULL ? name : "", key);
}

static int
add_item(void *ctx, const char *section, const char *key, const struct ini_value *v,
	 unsigned line)
{
	struct merge *m = ctx;
	struct config_item it = {.level = m->level, .line = line};
	const char *kind, *name;
	size_t n, len;
	bool named;

	if (section != NULL && strcmp(section, "DEFAULT") == 0)
		return 0; /* only what %(name)s may stand for */
	if (key == NULL)
		return 0;
	if (section == NULL) {
		(void)err_set(m->err, ERR_INVALID,
			      "'%.100s' stands in no section: put a line like [core] "
			      "above it",
			      key);
		return say_place(m, line);
	}
	named = config_split_name(section, &kind, &n, &name, &len);
	if (named) {
		it.section = lower(m->c->arena, kind, n);
		it.name = lower(m->c->arena, name, len);
	} else {
		it.section = lower(m->c->arena, section, strlen(section));
		if (it.section != NULL && config_section_has_names(it.section)) {
			(void)err_set(m->err, ERR_INVALID,
				      "a %s has a name: ['%s \"name\"']", it.section,
				      it.section);
			return say_place(m, line);
		}
	}
	it.key = lower(m->c->arena, key, strlen(key));
	if (it.section == NULL || it.key == NULL || (named && it.name == NULL))
		return err_nomem(m->err);
	it.secret = config_is_secret(it.key);
	if (fill_item(m, section, v, &it) != 0)
		return -1;
	return vec_push(&m->c->all, it) == 0 ? 0 : err_nomem(m->err);
}

/* Find the settings that hold. */
static int
make_index(struct config *c, struct err *err)
{
	char *key;

	vec_foreach (&c->all, struct config_item, it) {
		key = index_key(c->arena, it->section, it->name, it->key);
		if (key == NULL || map_put(&c->index, key, it) < 0)
			return err_nomem(err);
	}
	return 0;
}

/* Every remote has a url, and only options of its kind. */
static int
check_remote(struct config *c, const struct config_item *it, struct err *err)
{
	const struct config_item *url = config_item(c, "remote", it->name, "url");
	const struct config_option *o;
	struct buf scheme;
	int rc = 0;

	buf_init(&scheme, 0);
	if (url == NULL) {
		rc = err_set(err, ERR_INVALID, "remote '%.100s' has no url", it->name);
	} else {
		config_put_scheme(&scheme, url->raw);
		if (buf_failed(&scheme))
			rc = err_nomem(err);
		else if (!config_is_scheme(scheme.p))
			rc = err_set(err, ERR_INVALID,
				     "the url of remote '%.100s' is of an unknown kind, "
				     "%.100s://",
				     it->name, scheme.p);
		else if (config_find_option("remote", it->key, &o, err) != 0 ||
			 config_check_scheme(o, scheme.p, err) != 0)
			rc = -1;
	}
	buf_release(&scheme);
	return rc;
}

int
config_merge(struct config *c, enum config_level upto, struct err *err)
{
	struct merge m = {.c = c, .err = err};
	struct buf dir;
	int rc = 0;

	arena_free(c->arena);
	map_release(&c->index);
	c->all.n = 0;
	c->arena = arena_new(0);
	if (c->arena == NULL)
		return err_nomem(err);
	buf_init(&dir, 0);
	for (int l = 0; l <= (int)upto && l < CONFIG_LEVELS && rc == 0; l++) {
		if (c->files[l].ini == NULL)
			continue;
		m.level = (enum config_level)l;
		buf_clear(&dir);
		buf_adds(&dir, c->files[l].path);
		buf_truncate(&dir, (size_t)(strrchr(dir.p, '/') - dir.p));
		m.dir = dir.p;
		rc = buf_failed(&dir) ? err_nomem(err)
				      : ini_each(c->files[l].ini, add_item, &m);
	}
	buf_release(&dir);
	if (rc == 0)
		rc = make_index(c, err);
	map_foreach (&c->index, e) {
		const struct config_item *it = e->val;

		if (rc != 0 || c->unchecked || it->name == NULL ||
		    strcmp(it->section, "remote") != 0)
			continue;
		rc = check_remote(c, it, err);
		if (rc != 0 && it->line != 0)
			(void)err_wrap(err, "%s:%u", c->files[it->level].path, it->line);
	}
	return rc;
}

int
config_load(struct config *c, struct err *err)
{
	for (int l = 0; l < CONFIG_LEVELS; l++)
		if (config_read_file(&c->files[l], err) != 0)
			return -1;
	return config_merge(c, CONFIG_LEVELS, err);
}

/* ---- the whole ---- */

int
config_open(const struct config_options *o, struct config **out, struct err *err)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_nomem(err);
	c->dvc = o->dvc;
	c->unchecked = o->unchecked;
	c->lock = -1;
	if (o->dir != NULL && (c->dir = strdup(o->dir)) == NULL)
		(void)err_nomem(err);
	else if (config_paths(c, err) == 0 && config_load(c, err) == 0) {
		*out = c;
		return 0;
	}
	config_close(c);
	return -1;
}

void
config_close(struct config *c)
{
	if (c == NULL)
		return;
	for (int l = 0; l < CONFIG_LEVELS; l++) {
		ini_free(c->files[l].ini);
		free(c->files[l].path);
	}
	vec_release(&c->all);
	map_release(&c->index);
	arena_free(c->arena);
	if (c->lock >= 0)
		(void)close(c->lock);
	free(c->dir);
	free(c);
}

const char *
config_path(const struct config *c, enum config_level level)
{
	return c->files[level].path;
}

const struct config_item *
config_item(const struct config *c, const char *section, const char *name,
	    const char *key)
{
	char text[3 * INI_NAME_MAX];
	size_t n[3] = {strlen(section), name != NULL ? strlen(name) : 0, strlen(key)};
	char *p = text;

	if (n[0] + n[1] + n[2] + 2 > sizeof(text))
		return NULL;
	p = (char *)mempcpy(p, section, n[0]);
	*p++ = '\n';
	if (name != NULL)
		p = (char *)mempcpy(p, name, n[1]);
	*p++ = '\n';
	p = (char *)mempcpy(p, key, n[2]);
	return map_getn(&c->index, text, (size_t)(p - text));
}

const char *
config_str(const struct config *c, const char *section, const char *key, const char *def)
{
	const struct config_item *it = config_item(c, section, NULL, key);

	return it != NULL ? it->value : def;
}

bool
config_bool(const struct config *c, const char *section, const char *key, bool def)
{
	const char *v = config_str(c, section, key, NULL);

	return v != NULL ? strcasecmp(v, "true") == 0 : def;
}

int64_t
config_int(const struct config *c, const char *section, const char *key, int64_t def)
{
	const char *v = config_str(c, section, key, NULL);
	int64_t n;

	if (v == NULL || num_i64(v + strspn(v, " +\t"), &n) != 0)
		return def;
	return n;
}

int
config_each(const struct config *c, enum config_level level, config_fn *fn, void *ctx)
{
	int rc = 0;

	if (level != CONFIG_LEVELS) {
		vec_foreach (&c->all, const struct config_item, it)
			if (it->level == level && (rc = fn(ctx, it)) != 0)
				return rc;
		return 0;
	}
	map_foreach (&c->index, e)
		if ((rc = fn(ctx, e->val)) != 0)
			return rc;
	return 0;
}
