#include "store/dvc/dvc_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/yaml.h"
#include "store/dvc/dvc_out.h"

void
dvc_read_say(struct dvc_read *r, const struct yaml_node *n, const char *fmt, ...)
{
	struct diag_pos pos = {
	    .file = r->file, .line = n->line, .col = n->col, .width = n->width};
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	diag_add(r->d, DIAG_ERROR, pos, "%s", msg);
}

static void
unknown_key(struct dvc_read *r, const struct yaml_node *key, const char *what,
	    const struct dvc_key *keys, size_t n)
{
	struct suggest s;

	dvc_read_say(r, key, "unknown key '%.100s' of %s", key->str, what);
	suggest_start(&s, key->str);
	for (size_t i = 0; i < n; i++)
		suggest_try(&s, keys[i].name);
	if (suggest_best(&s) != NULL)
		diag_hint(r->d, "did you mean '%s'?", suggest_best(&s));
}

static void
wrong_kind(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	   const char *must)
{
	dvc_read_say(r, v, "'%s' must be %s, not %s", key->name, must,
		     yaml_kind_name(v->kind));
}

/* A text without NUL inside: every text of these files is a name or goes into one. */
static const char *
text_of(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v)
{
	if (strlen(v->str) == v->len)
		return v->str;
	dvc_read_say(r, v, "'%s' has a NUL in it", key->name);
	return NULL;
}

static void
take_word(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	  const char **to)
{
	if (v->kind == YAML_NULL || (v->kind == YAML_STR && v->len == 0))
		return;
	if (v->kind != YAML_STR && v->kind != YAML_INT)
		wrong_kind(r, key, v, "a string");
	else
		*to = text_of(r, key, v);
}

/* A hash of digits alone, or with an e among them, is written without quotes by hand. */
static void
take_object(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	    struct object_id *to)
{
	if (v->kind == YAML_NULL || (v->kind == YAML_STR && v->len == 0))
		return;
	if (v->kind == YAML_SEQ || v->kind == YAML_MAP || v->kind == YAML_BOOL)
		wrong_kind(r, key, v, "a hash");
	else if (strlen(v->str) != v->len || object_id_parse(v->str, false, to) != 0)
		dvc_read_say(r, v,
			     "'%.80s' is no hash: 32 hexadecimal digits, for a directory "
			     "with .dir behind them",
			     v->str);
}

static void
take_strings(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	     const struct yaml_node **to)
{
	if (v->kind != YAML_SEQ) {
		wrong_kind(r, key, v, "a list of strings");
		return;
	}
	for (size_t i = 0; i < v->seq.n; i++)
		if (v->seq.v[i]->kind != YAML_STR) {
			wrong_kind(r, key, v->seq.v[i], "a list of strings");
			return;
		}
	*to = v;
}

static void
take_string(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	    const char **to)
{
	if (v->kind != YAML_STR)
		wrong_kind(r, key, v, "a string");
	else
		*to = text_of(r, key, v);
}

static void
take_bool(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	  bool *to)
{
	if (v->kind != YAML_BOOL)
		wrong_kind(r, key, v, "true or false");
	else
		*to = v->b;
}

static void
take_count(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v,
	   int64_t *to)
{
	if (v->kind != YAML_INT)
		wrong_kind(r, key, v, "an integer");
	else if (v->i < 0)
		dvc_read_say(r, v, "'%s' must not be negative", key->name);
	else
		*to = v->i;
}

static void
take(struct dvc_read *r, const struct dvc_key *key, const struct yaml_node *v, void *into)
{
	void *to = (char *)into + key->offset;

	switch (key->type) {
	case DVC_STR:
		take_string(r, key, v, to);
		break;
	case DVC_BOOL:
		take_bool(r, key, v, to);
		break;
	case DVC_COUNT:
		take_count(r, key, v, to);
		break;
	case DVC_WORD:
		take_word(r, key, v, to);
		break;
	case DVC_ANY:
		*(const struct yaml_node **)to = v;
		break;
	case DVC_MAP:
		if (v->kind != YAML_MAP)
			wrong_kind(r, key, v, "a mapping");
		else
			*(const struct yaml_node **)to = v;
		break;
	case DVC_STRS:
		take_strings(r, key, v, to);
		break;
	case DVC_STR_MAP:
		if (v->kind != YAML_MAP && v->kind != YAML_STR)
			wrong_kind(r, key, v, "a string or a mapping");
		else
			*(const struct yaml_node **)to = v;
		break;
	case DVC_OBJECT:
		take_object(r, key, v, to);
		break;
	case DVC_BY:
		key->take(r, v, into);
		break;
	}
}

void
dvc_read_map(struct dvc_read *r, const struct yaml_node *node, const char *what,
	     const struct dvc_key *keys, size_t n, void *into)
{
	if (node->kind != YAML_MAP) {
		dvc_read_say(r, node, "%s must be a mapping, not %s", what,
			     yaml_kind_name(node->kind));
		return;
	}
	for (size_t i = 0; i < node->map.n; i++) {
		const struct yaml_node *key = node->map.v[i].key;
		size_t k = 0;

		while (k < n && strcmp(keys[k].name, key->str) != 0)
			k++;
		if (k == n)
			unknown_key(r, key, what, keys, n);
		else
			take(r, &keys[k], node->map.v[i].val, into);
	}
}

/* Is it SCHEME://...? */
static bool
is_url(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789+.-");

	return n > 1 && strncmp(s + n, "://", 3) == 0;
}

static const char *
bad_path(const char *s)
{
	if (*s == '\0')
		return "a path must not be empty";
	if (strlen(s) > DVC_PATH_MAX)
		return "a path must not be longer than 4,095 bytes";
	return NULL;
}

int
dvc_read_where(struct dvc_read *r, const struct yaml_node *node, const char *wdir,
	       const char *text, const char **full, int *where)
{
	const char *bad = bad_path(text);
	struct buf dir, joined, norm;

	*full = NULL;
	if (bad != NULL) {
		dvc_read_say(r, node, "%s", bad);
		return -1;
	}
	if (is_url(text)) {
		*where = DVC_URL;
		return 0;
	}
	buf_init(&dir, 0);
	buf_init(&joined, 0);
	buf_init(&norm, 0);
	path_join(&dir, r->dir, wdir != NULL ? wdir : "");
	path_join(&joined, dir.p, text);
	path_normalize(&norm, joined.p);
	*where = path_climbs(norm.p) ? DVC_OUTSIDE : DVC_IN_REPO;
	if (*where == DVC_IN_REPO)
		*full = arena_strdup(r->a, norm.p);
	if (buf_failed(&dir) || buf_failed(&joined) || buf_failed(&norm) ||
	    (*where == DVC_IN_REPO && *full == NULL))
		r->nomem = true;
	buf_release(&dir);
	buf_release(&joined);
	buf_release(&norm);
	return r->nomem ? -1 : 0;
}

const char *
dvc_read_dir(struct arena *a, const char *name)
{
	const char *slash = strrchr(name, '/');
	char *dir = arena_strndup(a, name, slash != NULL ? (size_t)(slash - name) : 0);
	struct buf norm;

	buf_init(&norm, 0);
	if (dir != NULL)
		path_normalize(&norm, dir);
	if (dir != NULL)
		dir = buf_failed(&norm) ? NULL : arena_strndup(a, norm.p, norm.n);
	buf_release(&norm);
	return dir;
}

/* The first mistake as a sentence: "FILE:L:C: error: ...".  The YAML reader has no other way to
 * say that memory ran out. */
static int
refuse(struct diag *d, struct err *err)
{
	static const char nomem[] = "error: out of memory";
	struct buf text;
	size_t n = sizeof(nomem) - 1;
	int rc;

	buf_init(&text, 0);
	diag_print(d, &text, false, 0);
	buf_truncate(&text, strcspn(text.p, "\n"));
	if (buf_failed(&text) || (text.n >= n && strcmp(text.p + text.n - n, nomem) == 0))
		rc = err_nomem(err);
	else
		rc = err_set(err, ERR_INVALID, "%s", text.p);
	buf_release(&text);
	return rc;
}

int
dvc_read_keep(struct dvc_read *r, const char *name, const char *text, size_t len,
	      size_t max, struct dvc_source *out, struct err *err)
{
	*out = (struct dvc_source){.name = arena_strdup(r->a, name),
				   .dir = dvc_read_dir(r->a, name)};
	r->dir = out->dir;
	if (len > max)
		return err_set(err, ERR_LIMIT, "%s holds more than 16 MiB", name);
	out->text = arena_strndup(r->a, text, len);
	return out->name != NULL && out->dir != NULL && out->text != NULL
		   ? 0
		   : err_nomem(err);
}

int
dvc_read_file(struct dvc_read *r, const char *name, const char *text, size_t len,
	      struct diag *d, struct err *err,
	      void (*take_top)(struct dvc_read *, const struct yaml_node *, void *),
	      void *into)
{
	struct diag *own = d == NULL ? diag_new() : NULL;
	struct yaml_node *top;
	size_t before;
	int rc = 0;

	r->d = d != NULL ? d : own;
	if (r->d == NULL || (r->file = diag_file(r->d, name, text, len)) < 0) {
		diag_free(own);
		return err_nomem(err);
	}
	before = diag_errors(r->d);
	if (yaml_parse(r->a, r->d, r->file, text, len, &top) >= 0)
		take_top(r, top, into);
	if (r->nomem)
		rc = err_nomem(err);
	else if (diag_errors(r->d) != before)
		rc = refuse(r->d, err);
	diag_free(own);
	return rc;
}
