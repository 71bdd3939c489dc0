#include "store/pipeline/value.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/num.h"
#include "base/yaml.h"
#include "store/dvc/yaml_num_text.h"

/* ---- settling ---- */

struct settle {
	struct arena *a;
	struct diag *d;
	int file;
};

static void
say(const struct settle *s, const struct yaml_node *n, const char *what, const char *hint)
{
	struct diag_pos pos = {
	    .file = s->file, .line = n->line, .col = n->col, .width = n->width};

	if (s->d == NULL)
		return;
	diag_add(s->d, DIAG_ERROR, pos, "%s", what);
	diag_hint(s->d, "%s", hint);
}

static int
put(const struct settle *s, struct yaml_node *n, enum yaml_kind kind, const char *text,
    size_t len)
{
	n->kind = kind;
	if (n->len == len && memcmp(n->str, text, len) == 0)
		return 0;
	n->str = arena_strndup(s->a, text, len);
	n->len = len;
	return n->str != NULL ? 0 : -1;
}

static int
settle_int(const struct settle *s, struct yaml_node *n)
{
	struct num_text t;

	num_text_init(&t);
	if (n->len > YAML_NUMBER_MAX || !ydoc_int_decimal(&t, n->str, n->len)) {
		say(s, n, "a number that cannot be read", "quote it if it is a text");
		return 0;
	}
	if (num_i64(t.p, &n->i) != 0)
		n->i = t.p[0] == '-' ? INT64_MIN : INT64_MAX;
	return put(s, n, YAML_INT, t.p, t.n);
}

static int
settle_float(const struct settle *s, struct yaml_node *n)
{
	char clean[YAML_NUMBER_MAX + 1], text[YAML_FLOAT_MAX];
	size_t k = 0;

	if (n->len > YAML_NUMBER_MAX) {
		say(s, n, "a number that cannot be read", "quote it if it is a text");
		return 0;
	}
	for (size_t i = 0; i < n->len; i++)
		if (n->str[i] != '_')
			clean[k++] = n->str[i];
	clean[k] = '\0';
	/* .inf, -.INF, .NaN: without the point Python's float() knows them. */
	if (k > 1 &&
	    strchr("iInN", clean[clean[0] == '.' ? 1
				 : k > 2	 ? 2
						 : 0]) != NULL &&
	    (clean[0] == '.' || clean[1] == '.'))
		memmove(clean + (clean[0] != '.'), clean + (clean[0] != '.') + 1,
			k - (clean[0] != '.'));
	if (num_float(clean, &n->f) != 0) {
		say(s, n, "a number that cannot be read", "quote it if it is a text");
		return 0;
	}
	ydoc_float_repr(n->f, text);
	return put(s, n, YAML_FLOAT, text, strlen(text));
}

/* Whether a tag made a string of what looks like something else. */
static bool
is_tagged(struct yaml_node *n, enum yaml_val_kind looks)
{
	double f;

	if (n->kind != YAML_STR)
		return false;
	return looks == YV_NULL || looks == YV_BOOL ||
	       ((looks == YV_INT || looks == YV_FLOAT) && num_float(n->str, &f) == 0);
}

static int
settle_scalar(const struct settle *s, struct yaml_node *n)
{
	enum yaml_val_kind kind = ydoc_resolve(n->str, n->len);

	if (is_tagged(n, kind))
		return 0;
	if (kind == YV_NULL)
		return put(s, n, YAML_NULL, "", 0);
	if (kind == YV_INT)
		return settle_int(s, n);
	if (kind == YV_FLOAT)
		return settle_float(s, n);
	if (kind == YV_BOOL) {
		n->b = n->str[0] == 't' || n->str[0] == 'T';
		return put(s, n, YAML_BOOL, n->b ? "true" : "false", n->b ? 4 : 5);
	}
	if (kind == YV_DATE)
		say(s, n, "a date or a time cannot be a value",
		    "quote it, to make it a text");
	n->kind = YAML_STR;
	return 0;
}

static int
settle(const struct settle *s, struct yaml_node *n)
{
	int rc = 0;

	if (n->kind == YAML_MAP) {
		for (size_t i = 0; i < n->map.n && rc == 0; i++)
			rc = settle(s, n->map.v[i].val);
		for (size_t i = 0; i < n->map.n && rc == 0; i++)
			rc = settle(s, n->map.v[i].key);
	} else if (n->kind == YAML_SEQ) {
		for (size_t i = 0; i < n->seq.n && rc == 0; i++)
			rc = settle(s, n->seq.v[i]);
	} else if (n->style == YAML_STYLE_PLAIN) {
		rc = settle_scalar(s, n);
	}
	return rc;
}

int
value_settle(struct arena *a, struct yaml_node *n, struct diag *d, int file)
{
	struct settle s = {.a = a, .d = d, .file = file};

	return settle(&s, n);
}

bool
value_is_date(const struct yaml_node *v)
{
	return v->kind == YAML_STR && v->style == YAML_STYLE_PLAIN &&
	       ydoc_resolve(v->str, v->len) == YV_DATE;
}

/* ---- making ---- */

static struct yaml_node *
make(struct arena *a, enum yaml_kind kind, enum yaml_style style,
     const struct yaml_node *at)
{
	struct yaml_node *n = arena_zalloc(a, sizeof *n);

	if (n == NULL)
		return NULL;
	if (at != NULL)
		*n = *at;
	n->kind = kind;
	n->style = style;
	n->str = NULL;
	n->len = 0;
	return n;
}

struct yaml_node *
value_str(struct arena *a, const char *p, size_t len, const struct yaml_node *at)
{
	struct yaml_node *n = make(a, YAML_STR, YAML_STYLE_DOUBLE, at);

	if (n == NULL || (n->str = arena_strndup(a, p, len)) == NULL)
		return NULL;
	n->len = len;
	return n;
}

struct yaml_node *
value_list(struct arena *a, size_t count, const struct yaml_node *at)
{
	struct yaml_node *n = make(a, YAML_SEQ, YAML_STYLE_BLOCK, at);

	if (n == NULL ||
	    (n->seq.v = arena_array(a, count + 1, sizeof(struct yaml_node *))) == NULL)
		return NULL;
	n->seq.n = count;
	return n;
}

struct yaml_node *
value_map(struct arena *a, size_t count, const struct yaml_node *at)
{
	struct yaml_node *n = make(a, YAML_MAP, YAML_STYLE_BLOCK, at);

	if (n == NULL ||
	    (n->map.v = arena_array(a, count + 1, sizeof(struct yaml_pair))) == NULL)
		return NULL;
	n->map.n = count;
	return n;
}

struct yaml_node *
value_copy(struct arena *a, const struct yaml_node *v)
{
	struct yaml_node *n = arena_alloc(a, sizeof *n);

	if (n == NULL)
		return NULL;
	*n = *v;
	if (v->kind == YAML_SEQ) {
		n->seq.v = arena_array(a, v->seq.n + 1, sizeof *n->seq.v);
		for (size_t i = 0; n->seq.v != NULL && i < v->seq.n; i++)
			if ((n->seq.v[i] = value_copy(a, v->seq.v[i])) == NULL)
				return NULL;
		return n->seq.v != NULL ? n : NULL;
	}
	if (v->kind != YAML_MAP)
		return n;
	n->map.v = arena_array(a, v->map.n + 1, sizeof *n->map.v);
	for (size_t i = 0; n->map.v != NULL && i < v->map.n; i++) {
		n->map.v[i].key = value_copy(a, v->map.v[i].key);
		n->map.v[i].val = value_copy(a, v->map.v[i].val);
		if (n->map.v[i].key == NULL || n->map.v[i].val == NULL)
			return NULL;
	}
	return n->map.v != NULL ? n : NULL;
}

/* ---- spelling ---- */

void
value_put_text(const struct yaml_node *v, struct buf *b)
{
	if (v->kind == YAML_NULL)
		buf_adds(b, "None");
	else if (v->kind == YAML_FLOAT && strchr(".-", v->str[0]) != NULL &&
		 strchr(v->str, 'n') != NULL)
		/* .inf, -.inf, .nan */
		buf_addf(b, "%s%s", v->str[0] == '-' ? "-" : "",
			 v->str + (v->str[0] == '-' ? 2 : 1));
	else
		buf_add(b, v->str, v->len);
}

/* As shlex.quote(). */
static void
put_quoted(const char *s, size_t n, struct buf *b)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_@%+=:,./-";

	if (n != 0 && strspn(s, safe) == n) {
		buf_add(b, s, n);
		return;
	}
	buf_addc(b, '\'');
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\'')
			buf_adds(b, "'\"'\"'");
		else
			buf_addc(b, s[i]);
	buf_addc(b, '\'');
}

struct options {
	const struct value_options *how;
	struct buf *out;
	struct buf name; /* "a.b" */
	struct yaml_node *bad;
};

/* Options are parted by blanks, and the command does not end with one. */
static void
put_name(struct options *o, const char *dashes)
{
	buf_addf(o->out, "%s%s", dashes, o->name.p);
}

static void
put_element(struct options *o, struct yaml_node *v)
{
	if (v->kind == YAML_STR)
		put_quoted(v->str, v->len, o->out);
	else if (v->kind == YAML_BOOL)
		buf_adds(o->out, v->b ? "True" : "False");
	else
		value_put_text(v, o->out);
	buf_addc(o->out, ' ');
}

static void
put_list(struct options *o, struct yaml_node *v)
{
	for (size_t i = 0; i < v->seq.n; i++) {
		struct yaml_node *e = v->seq.v[i];

		if (e->kind == YAML_MAP || e->kind == YAML_SEQ) {
			o->bad = v;
			return;
		}
		if (i == 0 || o->how->append_list) {
			put_name(o, "--");
			buf_addc(o->out, ' ');
		}
		put_element(o, e);
	}
}

static void
put_option(struct options *o, struct yaml_node *v)
{
	if (v->kind == YAML_SEQ) {
		put_list(o, v);
		return;
	}
	if (v->kind == YAML_BOOL && !v->b && !o->how->no_flags)
		return;
	put_name(o, v->kind == YAML_BOOL && !v->b ? "--no-" : "--");
	buf_addc(o->out, ' ');
	if (v->kind != YAML_BOOL)
		put_element(o, v);
}

static void
put_members(struct options *o, struct yaml_node *map)
{
	size_t n = o->name.n;

	for (size_t i = 0; i < map->map.n && o->bad == NULL; i++) {
		struct yaml_node *k = map->map.v[i].key, *v = map->map.v[i].val;

		if (k->kind != YAML_STR)
			continue;
		if (n != 0)
			buf_addc(&o->name, '.');
		buf_add(&o->name, k->str, k->len);
		if (v->kind == YAML_MAP)
			put_members(o, v);
		else
			put_option(o, v);
		buf_truncate(&o->name, n);
	}
}

int
value_put_options(struct yaml_node *v, const struct value_options *how, struct buf *b,
		  struct yaml_node **bad)
{
	struct options o = {.how = how, .out = b};
	size_t before = b->n;

	buf_init(&o.name, 0);
	put_members(&o, v);
	if (buf_failed(&o.name))
		b->state = BUF_NOMEM;
	buf_release(&o.name);
	if (b->n > before && b->p[b->n - 1] == ' ')
		buf_truncate(b, b->n - 1);
	*bad = o.bad;
	return o.bad != NULL ? 1 : 0;
}
