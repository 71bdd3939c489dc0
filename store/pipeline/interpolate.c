#include "store/pipeline/interpolate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"
#include "store/pipeline/context_internal.h"
#include "store/pipeline/pipeline.h"

/* One ${...} in a string. */
struct hole {
	size_t from, to;  /* all of it */
	const char *expr; /* between the braces */
	size_t len;
};

/* The first one from ${at} on.  It ends at the first brace, and on its line. */
static bool
find_hole(const char *s, size_t n, size_t at, struct hole *h)
{
	for (size_t i = at; i + 2 < n; i++) {
		size_t k = i + 2;

		if (s[i] != '$' || s[i + 1] != '{' || (i > 0 && s[i - 1] == '\\'))
			continue;
		while (k < n && s[k] != '}' && s[k] != '\n')
			k++;
		if (k < n && s[k] == '}') {
			*h = (struct hole){
			    .from = i, .to = k + 1, .expr = s + i + 2, .len = k - i - 2};
			return true;
		}
	}
	return false;
}

bool
interpolate_any(const char *s, size_t n)
{
	struct hole h;

	return find_hole(s, n, 0, &h);
}

/* ---- mistakes ---- */

static void say(const struct interpolation *, struct yaml_node *, const struct hole *,
		const char *, ...) __attribute__((format(printf, 4, 5)));

/* At the hole itself, as far as its place is known. */
static void
say(const struct interpolation *x, struct yaml_node *n, const struct hole *h,
    const char *fmt, ...)
{
	struct diag_pos pos = {
	    .file = x->r->file, .line = n->line, .col = n->col, .width = n->width};
	char msg[768];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	if (h != NULL && n->kind == YAML_STR) {
		yaml_where(x->text, n, h->from, &pos.line, &pos.col);
		pos.width = (uint32_t)(h->to - h->from);
	}
	diag_add(x->r->d, DIAG_ERROR, pos, "%s", msg);
}

static int
nomem(const struct interpolation *x)
{
	x->r->nomem = true;
	return -1;
}

/* A name, then .name and [name] in any order. */
static bool
is_expression(const char *s, size_t n)
{
	static const char marks[] = ".[]";
	bool closed = false;
	size_t i = 0;

	for (;;) {
		size_t from = i;

		while (i < n && memchr(marks, s[i], 3) == NULL)
			i++;
		/* Behind a bracket only blanks may stand. */
		if (closed) {
			for (size_t k = from; k < i; k++)
				if (memchr(" \t\r\n", s[k], 4) == NULL)
					return false;
		} else if (i == from) {
			return false;
		}
		if (i == n)
			return true;
		closed = false;
		if (s[i] == '[') {
			from = ++i;
			while (i < n && memchr(marks, s[i], 3) == NULL)
				i++;
			if (i == from || i == n || s[i] != ']')
				return false;
			closed = true;
		} else if (s[i] != '.') {
			return false;
		}
		i++;
	}
}

static int
check_holes(struct interpolation *x, struct yaml_node *n)
{
	struct hole h;
	int rc = 0;

	for (size_t at = 0; find_hole(n->str, n->len, at, &h); at = h.to)
		if (!is_expression(h.expr, h.len)) {
			say(x, n, &h,
			    "'%.*s' names no variable: ${name}, ${a.b}, ${list[0]} do; "
			    "\\${ is a plain ${",
			    (int)(h.to - h.from), n->str + h.from);
			rc = 1;
		}
	return rc;
}

int
interpolate_check(struct interpolation *x, struct yaml_node *n)
{
	int rc = 0;

	if (n->kind == YAML_STR)
		return check_holes(x, n);
	for (size_t i = 0; n->kind == YAML_SEQ && i < n->seq.n; i++)
		rc |= interpolate_check(x, n->seq.v[i]);
	for (size_t i = 0; n->kind == YAML_MAP && i < n->map.n; i++) {
		rc |= interpolate_check(x, n->map.v[i].key);
		rc |= interpolate_check(x, n->map.v[i].val);
	}
	return rc;
}

/* ---- putting in ---- */

static int
select_hole(struct interpolation *x, struct yaml_node *n, const struct hole *h,
	    struct variable **out)
{
	char why[512];

	*out = context_select(x->c, h->expr, h->len, why, sizeof why);
	if (*out != NULL)
		return x->stage && context_tell(x->c, *out) != 0 ? nomem(x) : 0;
	if (*why == '\0')
		return nomem(x);
	say(x, n, h, "%s", why);
	return 1;
}

int
interpolate_whole(struct interpolation *x, struct yaml_node *n, struct variable **out)
{
	struct hole h;

	if (n->kind != YAML_STR || !find_hole(n->str, n->len, 0, &h) || h.from != 0 ||
	    h.to != n->len)
		return 2;
	return select_hole(x, n, &h, out);
}

/* Whether it may stand where ${key} is. */
static int
check_value(struct interpolation *x, struct yaml_node *n, const struct hole *h,
	    const char *key, struct yaml_node *v)
{
	if (v->kind != YAML_MAP && v->kind != YAML_SEQ)
		return 0;
	if (key != NULL && v->kind == YAML_MAP && strcmp(key, "cmd") == 0) {
		if (h->from != 0 || h->to != n->len)
			return 0;
		say(x, n, h, "options without a command before them: 'train ${...}'");
		return 1;
	}
	if (key == NULL)
		return 0;
	say(x, n, h, "'%.*s' is %s, which cannot be put into '%s'", (int)h->len, h->expr,
	    yaml_kind_name(v->kind), key);
	return 1;
}

static int
put_value(struct interpolation *x, struct yaml_node *n, const struct hole *h,
	  const char *key, struct buf *b)
{
	struct variable *var;
	struct yaml_node *v, *bad;
	int rc = select_hole(x, n, h, &var);

	if (rc != 0)
		return rc;
	v = variable_value(x->c, var);
	if (v == NULL)
		return nomem(x);
	if ((rc = check_value(x, n, h, key != NULL ? key : "a text", v)) != 0)
		return rc;
	if (v->kind == YAML_MAP &&
	    value_put_options(v, &x->c->files->options, b, &bad) != 0) {
		say(x, n, h,
		    "a list in '%.*s' holds lists or mappings: they are no options",
		    (int)h->len, h->expr);
		return 1;
	}
	if (v->kind != YAML_MAP)
		value_put_text(v, b);
	return 0;
}

/* Append what lies between two holes. */
static void
put_plain(const char *s, size_t n, struct buf *b)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\\' || i + 2 >= n || s[i + 1] != '$' || s[i + 2] != '{')
			buf_addc(b, s[i]);
}

static int
count(struct interpolation *x, struct yaml_node *n, size_t nodes, size_t bytes)
{
	x->nodes += nodes;
	x->bytes += bytes;
	if (x->nodes <= PIPELINE_NODES_MAX && x->bytes <= PIPELINE_BYTES_MAX)
		return 0;
	say(x, n, NULL, "the stages become too large: over 4,000,000 values or 64 MiB");
	return 1;
}

/* A scalar that stands where the template stood. */
static int
place(struct interpolation *x, struct yaml_node *at, struct yaml_node *v,
      struct yaml_node **out)
{
	struct yaml_node *n;

	if (v->kind == YAML_MAP || v->kind == YAML_SEQ) {
		*out = v;
		return 0;
	}
	n = arena_alloc(x->r->a, sizeof *n);
	if (n == NULL)
		return nomem(x);
	*n = *v;
	n->line = at->line;
	n->col = at->col;
	n->width = at->width;
	n->src = at->src;
	n->src_end = at->src_end;
	*out = n;
	return count(x, at, 1, 0);
}

static int
put_holes(struct interpolation *x, struct yaml_node *n, const char *key,
	  struct yaml_node **out)
{
	struct hole h;
	struct buf b;
	size_t at = 0;
	int rc = 0;

	buf_init(&b, PIPELINE_BYTES_MAX);
	while (rc == 0 && find_hole(n->str, n->len, at, &h)) {
		put_plain(n->str + at, h.from - at, &b);
		rc = put_value(x, n, &h, key, &b);
		at = h.to;
	}
	put_plain(n->str + at, n->len - at, &b);
	if (rc == 0)
		rc = count(x, n, 1, b.state == BUF_TOOBIG ? b.max + 1 : b.n);
	if (rc == 0 &&
	    (buf_failed(&b) || (*out = value_str(x->r->a, b.p, b.n, n)) == NULL))
		rc = nomem(x);
	buf_release(&b);
	return rc;
}

static int
put_string(struct interpolation *x, struct yaml_node *n, const char *key,
	   struct yaml_node **out)
{
	struct variable *var;
	struct yaml_node *v;
	struct hole h;
	int rc;

	if (memchr(n->str, '$', n->len) == NULL) {
		*out = n;
		return 0;
	}
	rc = interpolate_whole(x, n, &var);
	if (rc == 2)
		return put_holes(x, n, key, out);
	if (rc != 0)
		return rc;
	v = variable_value(x->c, var);
	if (v == NULL)
		return nomem(x);
	(void)find_hole(n->str, n->len, 0, &h);
	rc = check_value(x, n, &h, key, v);
	return rc == 0 ? place(x, n, v, out) : rc;
}

static int
put_list(struct interpolation *x, struct yaml_node *n, const char *key,
	 struct yaml_node **out)
{
	struct yaml_node *list = value_list(x->r->a, n->seq.n, n);
	int rc = list != NULL ? count(x, n, n->seq.n, 0) : nomem(x);

	for (size_t i = 0; i < n->seq.n && rc == 0; i++)
		rc = interpolate(x, n->seq.v[i], key, &list->seq.v[i]);
	*out = list;
	return rc;
}

static int
put_map(struct interpolation *x, struct yaml_node *n, const char *key,
	struct yaml_node **out)
{
	struct yaml_node *map = value_map(x->r->a, n->map.n, n);
	int rc = map != NULL ? count(x, n, n->map.n, 0) : nomem(x);

	for (size_t i = 0; i < n->map.n && rc == 0; i++) {
		rc = interpolate(x, n->map.v[i].key, "a key", &map->map.v[i].key);
		if (rc == 0)
			rc = interpolate(x, n->map.v[i].val, key, &map->map.v[i].val);
	}
	*out = map;
	return rc;
}

int
interpolate(struct interpolation *x, struct yaml_node *n, const char *key,
	    struct yaml_node **out)
{
	if (n->kind == YAML_STR)
		return put_string(x, n, key, out);
	if (n->kind == YAML_SEQ)
		return put_list(x, n, key, out);
	if (n->kind == YAML_MAP)
		return put_map(x, n, key, out);
	*out = n;
	return 0;
}
