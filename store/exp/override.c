/* What -S says, and what it makes of a tree of values. */
#include "store/exp/override.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "base/path.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/value.h"

#define DEFAULT_FILE "params.yaml"

struct parse {
	struct arena *a;
	struct override *o;
	struct err *err;
	VEC(const char *) v;
};

static int
bad(struct parse *p, const char *why)
{
	return err_set(p->err, ERR_INVALID, "-S '%.200s': %s", p->o->word, why);
}

/* ---- values ---- */

static int
add_value(struct parse *p, const char *text, size_t n)
{
	const char *copy;

	while (n > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		n--;
	}
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	if (p->v.n >= OVERRIDE_VALUES_MAX)
		return err_set(p->err, ERR_LIMIT, "-S '%.200s' has more than %d values",
			       p->o->word, OVERRIDE_VALUES_MAX);
	copy = arena_strndup(p->a, text, n);
	return copy != NULL && vec_push(&p->v, copy) == 0 ? 0 : err_nomem(p->err);
}

/* Return where the part of a list that begins at ${s} ends: at a comma, or at the end; NULL
 * where brackets or quotes do not end. */
static const char *
part_end(const char *s, const char *end)
{
	const char *from = s;
	unsigned depth = 0;
	char quote = '\0';

	for (; s < end; s++) {
		if (quote != '\0') {
			if (*s == '\\' && quote == '"' && s + 1 < end)
				s++;
			else if (*s == quote)
				quote = '\0';
		} else if (*s == '"' || *s == '\'') {
			/* Within a word it is only a character. */
			if (s == from || strchr("[{(,: \t", s[-1]) != NULL)
				quote = *s;
		} else if (*s == '[' || *s == '{' || *s == '(') {
			depth++;
		} else if (*s == ']' || *s == '}' || *s == ')') {
			if (depth-- == 0)
				return NULL;
		} else if (*s == ',' && depth == 0) {
			return s;
		}
	}
	return depth == 0 && quote == '\0' ? s : NULL;
}

static int
add_parts(struct parse *p, const char *s, const char *end)
{
	for (;;) {
		const char *stop = part_end(s, end);

		if (stop == NULL)
			return bad(p, "a bracket or a quote does not end");
		if (add_value(p, s, (size_t)(stop - s)) != 0)
			return -1;
		if (stop == end)
			return 0;
		s = stop + 1;
	}
}

/* range(stop), range(start,stop), range(start,stop,step), of integers. */
static int
add_range(struct parse *p, const char *s, const char *end)
{
	int64_t v[3] = {0, 0, 1}, i;
	size_t first = p->v.n, n;
	char text[32];

	if (add_parts(p, s, end) != 0)
		return -1;
	n = p->v.n - first;
	for (size_t k = 0; k < n && n <= 3; k++)
		if (num_i64(p->v.v[first + k], &v[n == 1 ? 1 : k]) != 0 ||
		    v[n == 1 ? 1 : k] > INT32_MAX || v[n == 1 ? 1 : k] < INT32_MIN)
			n = 4;
	if (n > 3 || v[2] == 0)
		return bad(p, "range() takes one to three whole numbers: range(START, "
			      "STOP, STEP)");
	p->v.n = first;
	for (i = v[0]; v[2] > 0 ? i < v[1] : i > v[1]; i += v[2]) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)i);
		if (add_value(p, text, strlen(text)) != 0)
			return -1;
	}
	return p->v.n > first ? 0 : bad(p, "there is no number in that range");
}

/* Several values, or one. */
static int
parse_values(struct parse *p, const char *s)
{
	static const char *const others[] = {
	    "interval(", "glob(",  "sort(", "shuffle(", "tag(",	    "extend_list(",
	    "int(",	 "float(", "str(",  "bool(",	"json_str("};
	const char *end = s + strlen(s);
	bool closed = end > s && end[-1] == ')';

	if (strncmp(s, "choice(", 7) == 0 && closed)
		return add_parts(p, s + 7, end - 1);
	if (strncmp(s, "range(", 6) == 0 && closed)
		return add_range(p, s + 6, end - 1);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(s, others[i], strlen(others[i])) == 0 && closed) {
			(void)err_set(p->err, ERR_INVALID,
				      "-S '%.200s': '%.*s()' is not known here: name the "
				      "values, separated by commas",
				      p->o->word, (int)strlen(others[i]) - 1, others[i]);
			return -1;
		}
	return add_parts(p, s, end);
}

/* ---- keys ---- */

/* The part of a key that begins at *${s}, which is moved behind it. */
static const char *
key_part(struct parse *p, const char **s, const char *end)
{
	bool bracket = **s == '[';
	const char *from = *s + bracket, *stop = from;
	const char *part;

	while (stop < end && *stop != ']' && (bracket || (*stop != '.' && *stop != '[')))
		stop++;
	if (stop == from || (bracket ? stop == end : (stop < end && *stop == ']'))) {
		(void)bad(p, "a key is parts between dots, or in brackets, none of them "
			     "empty: a.b.0, a.b[0]");
		return NULL;
	}
	*s = stop + bracket;
	part = arena_strndup(p->a, from, (size_t)(stop - from));
	if (part == NULL)
		(void)err_nomem(p->err);
	return part;
}

static int
parse_key(struct parse *p, const char *s, size_t n)
{
	const char *end = s + n, *part;

	p->o->key = arena_strndup(p->a, s, n);
	p->o->path = arena_array(p->a, OVERRIDE_KEY_MAX, sizeof(*p->o->path));
	if (p->o->key == NULL || p->o->path == NULL)
		return err_nomem(p->err);
	if (n == 0)
		return bad(p, "there is no key");
	for (;;) {
		if (p->o->npath >= OVERRIDE_KEY_MAX)
			return err_set(p->err, ERR_LIMIT,
				       "-S '%.200s': the key has more than %d parts",
				       p->o->word, OVERRIDE_KEY_MAX);
		if ((part = key_part(p, &s, end)) == NULL)
			return -1;
		p->o->path[p->o->npath++] = part;
		if (s == end)
			return 0;
		if (*s == '.')
			s++;
		else if (*s != '[')
			return bad(p, "a dot is missing in the key");
		if (s == end)
			return bad(p, "the key ends with a dot");
	}
}

/* ---- one override ---- */

static enum override_kind
parse_kind(const char **s)
{
	if ((*s)[0] == '~') {
		*s += 1;
		return OVERRIDE_REMOVE;
	}
	if ((*s)[0] == '+' && (*s)[1] == '+') {
		*s += 2;
		return OVERRIDE_FORCE;
	}
	if ((*s)[0] == '+') {
		*s += 1;
		return OVERRIDE_ADD;
	}
	return OVERRIDE_SET;
}

static int
parse_file(struct parse *p, const char **s)
{
	const char *equals = strchr(*s, '='), *colon = strchr(*s, ':');
	const char *file;

	p->o->file = DEFAULT_FILE;
	if (colon == NULL || (equals != NULL && colon > equals))
		return 0;
	file = arena_strndup(p->a, *s, (size_t)(colon - *s));
	if (file == NULL)
		return err_nomem(p->err);
	if (file[0] == '\0')
		return bad(p, "there is no file before the colon");
	if (params_is_python(file))
		return bad(p, "params in Python files cannot be changed here");
	p->o->file = file;
	*s = colon + 1;
	return 0;
}

static int
parse_one(struct parse *p)
{
	const char *s = p->o->word, *equals;
	uint32_t code;
	int len;

	if (strlen(s) > OVERRIDE_TEXT_MAX)
		return err_set(p->err, ERR_LIMIT, "-S '%.40s...' is longer than %d bytes",
			       s, OVERRIDE_TEXT_MAX);
	for (size_t i = 0, n = strlen(s); i < n; i += (size_t)len)
		if ((len = utf8_decode(s + i, n - i, &code)) < 1)
			return bad(p, "it is no UTF-8");
	if (parse_file(p, &s) != 0)
		return -1;
	p->o->kind = parse_kind(&s);
	equals = strchr(s, '=');
	if (equals == NULL && p->o->kind != OVERRIDE_REMOVE)
		return bad(p, "it is KEY=VALUE, +KEY=VALUE or ~KEY, with FILE: before it "
			      "for another file than " DEFAULT_FILE);
	if (equals != NULL && p->o->kind == OVERRIDE_REMOVE)
		return bad(p, "what is removed has no value");
	if (parse_key(p, s, equals != NULL ? (size_t)(equals - s) : strlen(s)) != 0 ||
	    (equals != NULL && parse_values(p, equals + 1) != 0))
		return -1;
	p->o->n = p->v.n;
	p->o->values = arena_array(p->a, p->v.n + 1, sizeof(*p->o->values));
	if (p->o->values == NULL)
		return err_nomem(p->err);
	if (p->v.n > 0)
		memcpy(p->o->values, p->v.v, p->v.n * sizeof(*p->v.v));
	return 0;
}

int
override_parse(struct arena *a, const char *const *words, size_t n,
	       struct override_list *out, struct err *err)
{
	struct parse p = {.a = a, .err = err};
	int rc = 0;

	*out = (struct override_list){.runs = 1};
	out->v = arena_array(a, n + 1, sizeof(*out->v));
	if (out->v == NULL)
		return err_nomem(err);
	for (out->n = 0; rc == 0 && out->n < n; out->n++) {
		p.o = &out->v[out->n];
		*p.o = (struct override){.word = words[out->n]};
		p.v.n = 0;
		rc = parse_one(&p);
		if (rc == 0 && p.o->n > 1)
			out->runs *= p.o->n;
		if (rc == 0 && out->runs > OVERRIDE_RUNS_MAX)
			rc = err_set(err, ERR_LIMIT,
				     "these values make more than %d experiments",
				     OVERRIDE_RUNS_MAX);
	}
	vec_release(&p.v);
	return rc;
}

size_t
override_choose(const struct override_list *l, size_t run, size_t i)
{
	/* The last one changes fastest. */
	for (size_t k = l->n; k-- > i + 1;)
		if (l->v[k].n > 1)
			run /= l->v[k].n;
	return l->v[i].n > 1 ? run % l->v[i].n : 0;
}

void
override_put(const struct override_list *l, size_t run, struct buf *b)
{
	size_t from = b->n;

	for (size_t i = 0; i < l->n; i++) {
		const struct override *o = &l->v[i];

		if (l->runs > 1 && o->n < 2)
			continue;
		if (b->n > from)
			buf_addc(b, ' ');
		if (strcmp(o->file, DEFAULT_FILE) != 0)
			buf_addf(b, "%s:", o->file);
		buf_addf(b, "%s%s", o->kind == OVERRIDE_REMOVE ? "~" : "", o->key);
		if (o->n > 0)
			buf_addf(b, "=%s", o->values[override_choose(l, run, i)]);
	}
}

/* ---- values in a tree ---- */

/* Whether the text is to be read as YAML: what is nothing there, as "a: b", is a text. */
static bool
is_yaml(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || strchr(s, '\n') != NULL)
		return false;
	if (strchr("[{\"'", s[0]) != NULL)
		return true;
	/* -1 is a number, - a text. */
	if (s[0] == '-')
		return n > 1 && strchr(".0123456789", s[1]) != NULL;
	return strchr("&*!|>%@`#?,]}", s[0]) == NULL && strstr(s, ": ") == NULL &&
	       strstr(s, " #") == NULL && s[n - 1] != ':';
}

#define FLOW_DEPTH_MAX 64

/* Append ${s} with a blank behind the colon of each key in braces: {x:1} is a mapping for DVC, and
 * one key for YAML.  A quote begins a text where a value or key begins. */
static void
put_flow(const char *s, struct buf *b)
{
	char in[FLOW_DEPTH_MAX] = "", quote = '\0', last = '\0';
	bool key = false;
	size_t depth = 0;

	for (; *s != '\0'; s++) {
		buf_addc(b, *s);
		if (quote != '\0') {
			if (quote == '"' && *s == '\\' && s[1] != '\0')
				buf_addc(b, *++s);
			else if (*s == quote)
				quote = '\0';
			last = *s;
			continue;
		}
		if ((*s == '"' || *s == '\'') && strchr("{[,:", last) != NULL)
			quote = *s;
		if ((*s == '{' || *s == '[') && depth < FLOW_DEPTH_MAX)
			in[depth++] = *s;
		else if ((*s == '}' || *s == ']') && depth > 0)
			depth--;
		else if (*s == ':' && key && s[1] != ' ')
			buf_addc(b, ' ');
		if (*s == ':' || *s == '[')
			key = false;
		else if (*s == '{' || *s == ',')
			key = depth > 0 && in[depth - 1] == '{';
		if (*s != ' ')
			last = *s;
	}
}

static struct yaml_node *
make_value(struct arena *a, const char *text, struct err *err)
{
	struct yaml_node *v = NULL;
	const char *line;
	struct diag *d;
	struct buf b;
	int rc;

	if (!is_yaml(text)) {
		if ((v = value_str(a, text, strlen(text), NULL)) == NULL)
			(void)err_nomem(err);
		return v;
	}
	buf_init(&b, 0);
	buf_adds(&b, "v: ");
	if (text[0] == '{' || text[0] == '[')
		put_flow(text, &b);
	else
		buf_adds(&b, text);
	line = buf_failed(&b) ? NULL : arena_strndup(a, b.p, b.n);
	buf_release(&b);
	d = diag_new();
	rc = line != NULL && d != NULL ? params_parse(a, d, "-S", line, strlen(line), &v)
				       : -1;
	diag_free(d);
	if (rc < 0)
		(void)err_nomem(err);
	else if (rc > 0 || v->kind != YAML_MAP || v->map.n != 1)
		(void)err_set(err, ERR_INVALID, "'%.200s' is not a value that YAML has",
			      text);
	else
		return v->map.v[0].val;
	return NULL;
}

static struct yaml_pair *
member(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->map.n; i++)
		if (strcmp(map->map.v[i].key->str, key) == 0)
			return &map->map.v[i];
	return NULL;
}

/* The element of a list that ${part} names, or NULL. */
static struct yaml_node **
element(const struct yaml_node *list, const char *part)
{
	int64_t i;

	if (list->kind != YAML_SEQ || num_i64(part, &i) != 0)
		return NULL;
	if (i < 0)
		i += (int64_t)list->seq.n;
	return i >= 0 && (uint64_t)i < list->seq.n ? &list->seq.v[i] : NULL;
}

static int
add_member(struct arena *a, struct yaml_node *map, const char *key, struct yaml_node *val)
{
	struct yaml_node *name = value_str(a, key, strlen(key), NULL);
	struct yaml_pair *v = arena_array(a, map->map.n + 1, sizeof(*v));

	if (name == NULL || v == NULL || val == NULL)
		return -1;
	if (map->map.n > 0)
		memcpy(v, map->map.v, map->map.n * sizeof(*v));
	v[map->map.n].key = name;
	v[map->map.n].val = val;
	map->map.v = v;
	map->map.n++;
	return 0;
}

static int
is_missing(const struct override *o, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "-S '%.200s': there is no '%s' in '%s'%s",
		       o->word, o->key, o->file,
		       o->kind == OVERRIDE_SET ? ": +KEY=VALUE adds it" : "");
}

/* Find where the value of the last part but one is; mappings that are missing are made where
 * something is to be added. */
static int
descend(struct arena *a, const struct override *o, struct yaml_node **at,
	struct yaml_node ***out, struct err *err)
{
	bool add = o->kind == OVERRIDE_ADD || o->kind == OVERRIDE_FORCE;

	for (size_t i = 0; i + 1 < o->npath; i++) {
		struct yaml_pair *pair = member(*at, o->path[i]);
		struct yaml_node **e = element(*at, o->path[i]);

		if (pair == NULL && e == NULL && add && (*at)->kind == YAML_MAP) {
			if (add_member(a, *at, o->path[i], value_map(a, 0, NULL)) != 0)
				return err_nomem(err);
			pair = member(*at, o->path[i]);
		}
		if (pair == NULL && e == NULL)
			return is_missing(o, err);
		at = pair != NULL ? &pair->val : e;
	}
	*out = at;
	return 0;
}

static int
remove_at(const struct override *o, struct yaml_node *in, struct err *err)
{
	const char *last = o->path[o->npath - 1];
	struct yaml_pair *pair = member(in, last);
	struct yaml_node **e = element(in, last);
	size_t i;

	if (pair == NULL && e == NULL)
		return is_missing(o, err);
	if (pair != NULL) {
		i = (size_t)(pair - in->map.v);
		memmove(pair, pair + 1, (in->map.n - i - 1) * sizeof(*pair));
		in->map.n--;
	} else {
		i = (size_t)(e - in->seq.v);
		memmove(e, e + 1, (in->seq.n - i - 1) * sizeof(struct yaml_node *));
		in->seq.n--;
	}
	return 0;
}

int
override_apply(struct arena *a, const struct override *o, const char *value,
	       struct yaml_node **top, struct err *err)
{
	const char *last = o->path[o->npath - 1];
	struct yaml_node **in = NULL, **e, *made;
	struct yaml_pair *pair;

	if (descend(a, o, top, &in, err) != 0)
		return -1;
	if (o->kind == OVERRIDE_REMOVE)
		return remove_at(o, *in, err);
	pair = member(*in, last);
	e = element(*in, last);
	if (pair == NULL && e == NULL &&
	    (o->kind == OVERRIDE_SET || (*in)->kind != YAML_MAP))
		return is_missing(o, err);
	if ((pair != NULL || e != NULL) && o->kind == OVERRIDE_ADD)
		return err_set(err, ERR_EXISTS,
			       "-S '%.200s': there is a '%s' in '%s' already: KEY=VALUE "
			       "changes it, ++KEY=VALUE does either",
			       o->word, o->key, o->file);
	if ((made = make_value(a, value, err)) == NULL)
		return -1;
	if (pair != NULL)
		pair->val = made;
	else if (e != NULL)
		*e = made;
	else if (add_member(a, *in, last, made) != 0)
		return err_nomem(err);
	return 0;
}
