#include "store/pipeline/toml.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "store/pipeline/toml_internal.h"
#include "store/pipeline/value.h"

/* ---- the text ---- */

int
toml_say(struct toml *t, const char *where, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	/* A word that memory ran out for is no mistake of the file. */
	if (buf_failed(&t->word)) {
		t->nomem = true;
		return -1;
	}
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	if (!t->failed)
		diag_add(t->d, DIAG_ERROR,
			 diag_place(t->file, t->text, (size_t)(t->end - t->text),
				    (size_t)(where - t->text)),
			 "%s", msg);
	t->failed = true;
	return -1;
}

static int
nomem(struct toml *t)
{
	t->nomem = true;
	return -1;
}

void
toml_blanks(struct toml *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t'))
		t->p++;
}

bool
toml_newline(struct toml *t)
{
	if (t->p < t->end && *t->p == '\n')
		t->p++;
	else if (t->end - t->p >= 2 && t->p[0] == '\r' && t->p[1] == '\n')
		t->p += 2;
	else
		return false;
	return true;
}

int
toml_comment(struct toml *t)
{
	if (t->p == t->end || *t->p != '#')
		return 0;
	for (; t->p < t->end && *t->p != '\n'; t->p++)
		if (((unsigned char)*t->p < 0x20 && *t->p != '\t' &&
		     (*t->p != '\r' || t->p + 1 == t->end || t->p[1] != '\n')) ||
		    *t->p == 0x7F)
			return toml_say(t, t->p, "a control character in a comment");
	return 0;
}

/* ---- tables ---- */

static struct toml_value *
new_value(struct toml *t, enum toml_kind kind, enum toml_maker maker)
{
	struct toml_value *v = arena_zalloc(t->a, sizeof *v);

	if (v == NULL || vec_push(&t->all, v) != 0) {
		t->nomem = true;
		return NULL;
	}
	v->kind = kind;
	v->maker = maker;
	return v;
}

static int
put(struct toml *t, struct toml_value *table, const char *key, struct toml_value *v)
{
	const char *copy = arena_strdup(t->a, key);

	if (v == NULL || copy == NULL || map_put(&table->members, copy, v) < 0)
		return nomem(t);
	return 0;
}

/* Read one part of a key into t->word. */
static int
key_part(struct toml *t)
{
	const char *from = t->p;

	if (t->p < t->end && (*t->p == '"' || *t->p == '\'')) {
		if (toml_string(t, false) != 0)
			return -1;
		if (strlen(t->word.p) != t->word.n)
			return toml_say(t, from, "a key cannot have a NUL in it");
		return 0;
	}
	buf_clear(&t->word);
	while (t->p < t->end && ((*t->p >= '0' && *t->p <= '9') ||
				 ((*t->p | 32) >= 'a' && (*t->p | 32) <= 'z') ||
				 *t->p == '_' || *t->p == '-'))
		buf_addc(&t->word, *t->p++);
	if (t->word.n == 0)
		return toml_say(
		    t, from,
		    "a key is missing here: letters, digits, _ and -, or quoted");
	return 0;
}

/* The last one of [[a]], or the table itself. */
static struct toml_value *
innermost(struct toml_value *v)
{
	return v->kind == TOML_ARRAY && v->tables ? v->elems.v[v->elems.n - 1] : v;
}

/* Go one step of a dotted key down; what is not there yet is made by ${maker}. */
static int
step(struct toml *t, struct toml_value **at, enum toml_maker maker, const char *where)
{
	struct toml_value *v = map_get(&(*at)->members, t->word.p);

	if (v == NULL) {
		v = new_value(t, TOML_TABLE, maker);
		if (put(t, *at, t->word.p, v) != 0)
			return -1;
	} else if (maker == TOML_IMPLIED) {
		v = innermost(v);
	}
	if (v->kind != TOML_TABLE || v->maker == TOML_INLINE ||
	    (maker == TOML_DOTTED && v->maker != TOML_DOTTED))
		return toml_say(t, where, "'%.100s' is defined already", t->word.p);
	*at = v;
	return 0;
}

/* Read a dotted key; *${at} becomes the table of its last part, which stays in t->word. */
static int
dotted_key(struct toml *t, struct toml_value **at, enum toml_maker maker)
{
	for (unsigned depth = 0;; depth++) {
		const char *where = t->p;

		if (depth == TOML_DEPTH_MAX)
			return toml_say(t, t->p, "more than %d levels", TOML_DEPTH_MAX);
		if (key_part(t) != 0)
			return -1;
		toml_blanks(t);
		if (t->p == t->end || *t->p != '.')
			return 0;
		if (step(t, at, maker, where) != 0)
			return -1;
		t->p++;
		toml_blanks(t);
	}
}

/* ---- values ---- */

static int value(struct toml *, struct toml_value **);

static int
key_value(struct toml *t, struct toml_value *table)
{
	const char *from = t->p;
	struct toml_value *v;
	char *key;
	int rc = dotted_key(t, &table, TOML_DOTTED);

	if (rc != 0)
		return rc;
	if (map_get(&table->members, t->word.p) != NULL)
		return toml_say(t, from, "'%.100s' is defined already", t->word.p);
	if (t->p == t->end || *t->p != '=')
		return toml_say(t, t->p, "'=' is missing behind the key");
	t->p++;
	toml_blanks(t);
	key = arena_strndup(t->a, t->word.p, t->word.n);
	if (key == NULL)
		return nomem(t);
	rc = value(t, &v);
	return rc == 0 ? put(t, table, key, v) : rc;
}

/* Blanks, comments and line breaks between the elements of an array. */
static int
between(struct toml *t)
{
	do {
		toml_blanks(t);
		if (toml_comment(t) != 0)
			return -1;
	} while (toml_newline(t));
	return 0;
}

static int
array(struct toml *t, struct toml_value *v)
{
	const char *from = t->p++;
	struct toml_value *e;

	for (;;) {
		if (between(t) != 0)
			return -1;
		if (t->p < t->end && *t->p == ']')
			break;
		if (t->p == t->end)
			return toml_say(t, from, "this array does not end");
		if (value(t, &e) != 0)
			return -1;
		if (vec_push(&v->elems, e) != 0)
			return nomem(t);
		if (between(t) != 0)
			return -1;
		if (t->p < t->end && *t->p == ',')
			t->p++;
		else if (t->p == t->end || *t->p != ']')
			return toml_say(t, t->p, "',' or ']' is missing in this array");
	}
	t->p++;
	return 0;
}

static int
inline_table(struct toml *t, struct toml_value *v)
{
	t->p++;
	toml_blanks(t);
	if (t->p < t->end && *t->p == '}') {
		t->p++;
		return 0;
	}
	for (;;) {
		if (key_value(t, v) != 0)
			return -1;
		toml_blanks(t);
		if (t->p < t->end && *t->p == '}')
			break;
		if (t->p == t->end || *t->p != ',')
			return toml_say(
			    t, t->p,
			    "',' or '}' is missing in this table, which stands "
			    "on one line");
		t->p++;
		toml_blanks(t);
	}
	t->p++;
	return 0;
}

static int
value(struct toml *t, struct toml_value **out)
{
	char c = t->p < t->end ? *t->p : '\0';
	struct toml_value *v = new_value(t,
					 c == '['   ? TOML_ARRAY
					 : c == '{' ? TOML_TABLE
						    : TOML_SCALAR,
					 TOML_DOTTED);
	int rc;

	if (v == NULL)
		return -1;
	if (++t->depth > TOML_DEPTH_MAX)
		return toml_say(t, t->p, "more than %d levels", TOML_DEPTH_MAX);
	if (c == '[')
		rc = array(t, v);
	else if (c == '{')
		rc = inline_table(t, v);
	else
		rc = toml_scalar(t, &v->scalar);
	t->depth--;
	v->maker = TOML_INLINE;
	*out = v;
	return rc;
}

/* ---- lines ---- */

static int
one_table(struct toml *t, struct toml_value *in, const char *from,
	  struct toml_value **out)
{
	struct toml_value *v = map_get(&in->members, t->word.p);

	if (v != NULL && (v->kind != TOML_TABLE || v->maker != TOML_IMPLIED))
		return toml_say(t, from, "'%.100s' is defined already", t->word.p);
	if (v == NULL) {
		v = new_value(t, TOML_TABLE, TOML_HEADER);
		if (put(t, in, t->word.p, v) != 0)
			return -1;
	}
	v->maker = TOML_HEADER;
	*out = v;
	return 0;
}

static int
next_table(struct toml *t, struct toml_value *in, const char *from,
	   struct toml_value **out)
{
	struct toml_value *v = map_get(&in->members, t->word.p);

	if (v != NULL && !v->tables)
		return toml_say(t, from, "'%.100s' is defined already", t->word.p);
	if (v == NULL) {
		v = new_value(t, TOML_ARRAY, TOML_HEADER);
		if (put(t, in, t->word.p, v) != 0)
			return -1;
		v->tables = true;
	}
	*out = new_value(t, TOML_TABLE, TOML_HEADER);
	if (*out == NULL || vec_push(&v->elems, *out) != 0)
		return nomem(t);
	return 0;
}

/* [a.b] or [[a.b]] */
static int
header(struct toml *t, struct toml_value *root, struct toml_value **out)
{
	const char *from = t->p;
	bool many = t->end - t->p >= 2 && t->p[1] == '[';
	struct toml_value *in = root;

	t->p += many ? 2 : 1;
	toml_blanks(t);
	if (dotted_key(t, &in, TOML_IMPLIED) != 0)
		return -1;
	if (t->p == t->end || *t->p != ']' ||
	    (many && (t->end - t->p < 2 || t->p[1] != ']')))
		return toml_say(t, t->p, "'%s' is missing", many ? "]]" : "]");
	t->p += many ? 2 : 1;
	return many ? next_table(t, in, from, out) : one_table(t, in, from, out);
}

static int
lines(struct toml *t, struct toml_value *root)
{
	struct toml_value *table = root;

	while (t->p < t->end) {
		toml_blanks(t);
		if (t->p < t->end && *t->p == '[') {
			if (header(t, root, &table) != 0)
				return -1;
		} else if (t->p < t->end && strchr("#\r\n", *t->p) == NULL &&
			   key_value(t, table) != 0) {
			return -1;
		}
		toml_blanks(t);
		if (toml_comment(t) != 0)
			return -1;
		if (t->p < t->end && !toml_newline(t))
			return toml_say(t, t->p, "the line should end here");
	}
	return 0;
}

/* ---- the result ---- */

static struct yaml_node *
made(struct toml *t, const struct toml_value *v)
{
	struct yaml_node *n;
	size_t i = 0;

	if (v->kind == TOML_SCALAR)
		return v->scalar;
	n = v->kind == TOML_ARRAY ? value_list(t->a, v->elems.n, NULL)
				  : value_map(t->a, v->members.n, NULL);
	for (i = 0; n != NULL && v->kind == TOML_ARRAY && i < v->elems.n; i++)
		if ((n->seq.v[i] = made(t, v->elems.v[i])) == NULL)
			return NULL;
	if (n == NULL || v->kind == TOML_ARRAY)
		return n;
	map_foreach (&v->members, e) {
		n->map.v[i].key = value_str(t->a, e->key, e->len, NULL);
		n->map.v[i].val = made(t, e->val);
		if (n->map.v[i].key == NULL || n->map.v[i].val == NULL)
			return NULL;
		i++;
	}
	return n;
}

static int
check_utf8(struct toml *t)
{
	uint32_t c;

	for (const char *p = t->p; p < t->end;) {
		int n = utf8_decode(p, (size_t)(t->end - p), &c);

		if (n <= 0 || c == 0)
			return toml_say(t, p,
					c == 0 && n > 0 ? "a NUL in the file"
							: "this is not UTF-8");
		p += n;
	}
	return 0;
}

int
toml_parse(struct arena *a, struct diag *d, const char *name, const char *text,
	   size_t len, bool dates, struct yaml_node **out)
{
	struct toml t = {
	    .a = a, .d = d, .dates = dates, .text = text, .p = text, .end = text + len};
	struct toml_value *root;
	int rc;

	t.file = diag_file(d, name, text, len);
	if (t.file < 0)
		return -1;
	buf_init(&t.word, 0);
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		t.p += 3;
	root = new_value(&t, TOML_TABLE, TOML_HEADER);
	rc = root != NULL ? check_utf8(&t) : -1;
	if (rc == 0)
		rc = lines(&t, root);
	if (rc == 0 && !buf_failed(&t.word) && !t.nomem)
		*out = made(&t, root);
	if (rc == 0 && (*out == NULL || buf_failed(&t.word)))
		t.nomem = true;
	for (size_t i = 0; i < t.all.n; i++) {
		map_release(&t.all.v[i]->members);
		vec_release(&t.all.v[i]->elems);
	}
	vec_release(&t.all);
	buf_release(&t.word);
	return t.nomem ? -1 : rc == 0 ? 0 : 1;
}
