#include "store/dvc/ini.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/ini_internal.h"

#define DEPTH_MAX 8 /* of "[[": any more is no section */

/* ---- lines ---- */

struct parser {
	struct ini *ini;
	const char *file;
	const char *p, *end; /* what is not read yet */
	unsigned line;	     /* number of the one that is read */
	struct err *err;
	const char *section; /* NULL before the first */
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A run of text. */
struct span {
	const char *p;
	size_t n;
};

static struct span
strip(struct span s)
{
	while (s.n > 0 && is_space(*s.p)) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static int
say(struct parser *ps, enum err_code code, unsigned line, const char *what)
{
	return err_set(ps->err, code, "%s:%u: %s", ps->file, line, what);
}

/* Take a line off, without its end; *raw is with it. */
static int
next_line(struct parser *ps, struct span *line, struct span *raw)
{
	size_t left = (size_t)(ps->end - ps->p);
	const char *eol = memchr(ps->p, '\n', left);

	raw->p = line->p = ps->p;
	raw->n = eol != NULL ? (size_t)(eol - ps->p) + 1 : left;
	line->n = raw->n - (eol != NULL ? 1 : 0);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	ps->p += raw->n;
	ps->line++;
	if (line->n > INI_LINE_MAX)
		return say(ps, ERR_LIMIT, ps->line, "the line is longer than 8192 bytes");
	if (ps->line > INI_LINES_MAX)
		return say(ps, ERR_LIMIT, ps->line, "there are more than 5000 lines");
	return 0;
}

/* Append an item; ${raw} must run to ps->p. */
static int
add_item(struct parser *ps, struct ini_item item, const char *raw)
{
	item.raw = raw;
	item.len = (size_t)(ps->p - raw);
	return vec_push(&ps->ini->v, item) == 0 ? 0 : err_nomem(ps->err);
}

/* ---- sections ---- */

/* Is this "]" so many times, then nothing but a comment? */
static bool
section_ends(struct span s, size_t depth)
{
	size_t n = 0;

	while (s.n > 0 && n <= depth && (*s.p == ']' || is_space(*s.p))) {
		n += *s.p == ']' ? 1 : 0;
		s.p++;
		s.n--;
	}
	return n == depth && (s.n == 0 || *s.p == '#');
}

/* The name of a section, quotes taken off: p NULL where the line, which is stripped, is none. */
static struct span
section_name(struct span s, size_t *depth)
{
	struct span name = {0};
	char quote;
	size_t i;

	*depth = 0;
	while (s.n > 0 && (*s.p == '[' || (*depth > 0 && is_space(*s.p)))) {
		*depth += *s.p == '[' ? 1 : 0;
		s.p++;
		s.n--;
	}
	if (*depth == 0 || *depth > DEPTH_MAX || s.n == 0)
		return name;
	quote = *s.p == '"' || *s.p == '\'' ? *s.p : '\0';
	/* The nearest end behind which the rest fits. */
	for (i = quote != '\0' ? 2 : 1; i < s.n; i++) {
		if (quote != '\0' ? s.p[i - 1] != quote : s.p[i] != ']')
			continue;
		if (!section_ends((struct span){s.p + i, s.n - i}, *depth))
			continue;
		name = (struct span){s.p, i};
		if (quote != '\0')
			name = (struct span){s.p + 1, i - 2};
		break;
	}
	if (name.p != NULL && strip(name).n == 0)
		name.p = NULL;
	return quote != '\0' || name.p == NULL ? name : strip(name);
}

static int
add_section(struct parser *ps, struct span name, size_t depth, const char *raw)
{
	struct ini_item item = {.kind = INI_SECTION, .line = ps->line};

	if (depth > 1)
		return say(ps, ERR_INVALID, ps->line,
			   "a section within a section has no use here");
	item.name = arena_strndup(ps->ini->arena, name.p, name.n);
	if (item.name == NULL)
		return err_nomem(ps->err);
	if (ini_has_section(ps->ini, item.name))
		return say(ps, ERR_INVALID, ps->line,
			   "this section is there already, further up");
	ps->section = item.name;
	return add_item(ps, item, raw);
}

/* ---- keys ---- */

/* Take "key =" off ${s}: the key without quotes, p NULL where there is none. */
static struct span
take_key(struct span *s)
{
	struct span t = strip(*s), key = {0};
	const char *eq, *q;

	if (t.n == 0 || *t.p == '=')
		return key;
	if (*t.p == '"' || *t.p == '\'') {
		for (q = t.p + 1; q < t.p + t.n; q++) {
			if (*q != *t.p)
				continue;
			eq = q + 1;
			while (eq < t.p + t.n && is_space(*eq))
				eq++;
			if (eq < t.p + t.n && *eq == '=') {
				key = (struct span){t.p + 1, (size_t)(q - t.p) - 1};
				break;
			}
		}
		if (key.p == NULL)
			return key;
	} else {
		eq = memchr(t.p, '=', t.n);
		if (eq == NULL)
			return key;
		key = strip((struct span){t.p, (size_t)(eq - t.p)});
	}
	s->n -= (size_t)(eq + 1 - s->p);
	s->p = eq + 1;
	return key;
}

/* The end of a value in three quotes: the first of them behind which the line ends.  NULL:
 * there is none; *any tells whether there are three quotes at all. */
static const char *
find_triple(struct span s, const char *quotes, bool *any)
{
	const char *end = s.p + s.n, *q = s.p;
	struct span rest;

	*any = false;
	while ((q = memmem(q, (size_t)(end - q), quotes, 3)) != NULL) {
		*any = true;
		rest = strip((struct span){q + 3, (size_t)(end - q) - 3});
		if (rest.n == 0 || *rest.p == '#')
			return q;
		q++;
	}
	return NULL;
}

/* Append the lines of a value in three quotes, from behind the first of them. */
static int
read_lines(struct parser *ps, struct span s, const char *quotes, struct buf *text)
{
	unsigned first = ps->line;
	const char *end;
	struct span raw;
	bool any;

	while ((end = find_triple(s, quotes, &any)) == NULL) {
		if (any)
			return say(ps, ERR_INVALID, ps->line,
				   "there is text behind the value's three quotes");
		if (ps->p == ps->end)
			return say(ps, ERR_INVALID, first,
				   "the value has no three quotes at its end");
		buf_add(text, s.p, s.n);
		buf_addc(text, '\n');
		if (next_line(ps, &s, &raw) != 0)
			return -1;
	}
	buf_add(text, s.p, (size_t)(end - s.p));
	if (text->state == BUF_TOOBIG)
		return say(ps, ERR_LIMIT, first, "the value is longer than 64 KiB");
	if (memchr(text->p, '\0', text->n) != NULL)
		return say(ps, ERR_INVALID, first, "there is a NUL in the value");
	return buf_failed(text) ? err_nomem(ps->err) : 0;
}

static int
read_triple(struct parser *ps, struct span s, struct ini_value *out)
{
	char quotes[4] = {*s.p, *s.p, *s.p, '\0'};
	const char **v = arena_alloc(ps->ini->arena, sizeof(*v));
	struct buf text;
	int rc;

	if (v == NULL)
		return err_nomem(ps->err);
	buf_init(&text, INI_VALUE_MAX);
	rc = read_lines(ps, (struct span){s.p + 3, s.n - 3}, quotes, &text);
	if (rc == 0) {
		*v = arena_strndup(ps->ini->arena, text.p, text.n);
		rc = *v != NULL ? 0 : err_nomem(ps->err);
	}
	*out = (struct ini_value){.v = v, .n = 1};
	buf_release(&text);
	return rc;
}

static int
read_value(struct parser *ps, struct span s, struct ini_value *out)
{
	int rc;

	/* Blanks at the end of a line belong to a value that goes on. */
	while (s.n > 0 && is_space(*s.p)) {
		s.p++;
		s.n--;
	}
	if (s.n >= 3 && (*s.p == '"' || *s.p == '\'') && s.p[1] == *s.p && s.p[2] == *s.p)
		return read_triple(ps, s, out);
	rc = ini_parse_value(ps->ini->arena, s.p, s.n, out);
	if (rc == -1)
		return say(ps, ERR_INVALID, ps->line,
			   "the value cannot be read: put it in quotes");
	if (rc == -3)
		return say(ps, ERR_LIMIT, ps->line, "the value has more than 1000 items");
	return rc == 0 ? 0 : err_nomem(ps->err);
}

static int
add_key(struct parser *ps, struct span s, const char *raw)
{
	struct ini_item item = {.kind = INI_KEY, .line = ps->line};
	struct span key = take_key(&s);

	if (key.p == NULL)
		return say(ps, ERR_INVALID, ps->line,
			   "this is neither a [section] nor a key with its value");
	item.name = arena_strndup(ps->ini->arena, key.p, key.n);
	if (item.name == NULL)
		return err_nomem(ps->err);
	if (ini_get(ps->ini, ps->section, item.name) != NULL)
		return err_set(ps->err, ERR_INVALID,
			       "%s:%u: '%.100s' has a value already, further up",
			       ps->file, ps->line, item.name);
	if (read_value(ps, s, &item.value) != 0)
		return -1;
	return add_item(ps, item, raw);
}

/* ---- the file ---- */

static int
parse_line(struct parser *ps)
{
	struct span line = {0}, raw = {0}, s, name;
	size_t depth;

	if (next_line(ps, &line, &raw) != 0)
		return -1;
	if (memchr(line.p, '\0', line.n) != NULL)
		return say(ps, ERR_INVALID, ps->line, "there is a NUL in the line");
	s = strip(line);
	if (s.n == 0 || *s.p == '#')
		return add_item(ps, (struct ini_item){.kind = INI_TEXT, .line = ps->line},
				raw.p);
	name = section_name(s, &depth);
	return name.p != NULL ? add_section(ps, name, depth, raw.p)
			      : add_key(ps, line, raw.p);
}

static int
parse(struct parser *ps, const char *name, const char *p, size_t n)
{
	char *copy;

	if (n > INI_MAX)
		return err_set(ps->err, ERR_LIMIT,
			       "'%s' is larger than the limit of 256 KiB", name);
	copy = arena_strndup(ps->ini->arena, p, n);
	if (copy == NULL)
		return err_nomem(ps->err);
	memcpy(copy, p, n); /* also behind a NUL, which is refused with its line */
	ps->p = copy;
	ps->end = copy + n;
	if (n >= 3 && memcmp(copy, "\xef\xbb\xbf", 3) == 0)
		ps->p += 3;
	while (ps->p < ps->end)
		if (parse_line(ps) != 0)
			return -1;
	return 0;
}

/* Did ConfigObj write it? */
static int
find_canonical(struct ini *ini, const char *p, size_t n)
{
	struct buf b;
	bool nomem;

	buf_init(&b, 2 * INI_MAX);
	ini->canonical =
	    n == 0 || (ini_canonical(ini, &b) == 0 && b.n == n && memcmp(b.p, p, n) == 0);
	nomem = b.state == BUF_NOMEM;
	buf_release(&b);
	return nomem ? -1 : 0;
}

int
ini_parse(const char *name, const char *p, size_t n, struct ini **out, struct err *err)
{
	struct ini *ini = calloc(1, sizeof(*ini));
	struct parser ps = {.ini = ini, .file = name, .err = err};

	if (ini == NULL)
		return err_nomem(err);
	ini->arena = arena_new(0);
	if (ini->arena == NULL) {
		free(ini);
		return err_nomem(err);
	}
	if (parse(&ps, name, p, n) != 0) {
		ini_free(ini);
		return -1;
	}
	if (find_canonical(ini, p, n) != 0) {
		ini_free(ini);
		return err_nomem(err);
	}
	*out = ini;
	return 0;
}

void
ini_free(struct ini *ini)
{
	if (ini == NULL)
		return;
	vec_release(&ini->v);
	arena_free(ini->arena);
	free(ini);
}

int
ini_each(const struct ini *ini, ini_fn *fn, void *ctx)
{
	const char *section = NULL;
	int rc;

	vec_foreach (&ini->v, const struct ini_item, it) {
		if (it->kind == INI_TEXT)
			continue;
		if (it->kind == INI_SECTION)
			section = it->name;
		rc = it->kind == INI_SECTION
			 ? fn(ctx, section, NULL, NULL, it->line)
			 : fn(ctx, section, it->name, &it->value, it->line);
		if (rc != 0)
			return rc;
	}
	return 0;
}

const struct ini_value *
ini_get(const struct ini *ini, const char *section, const char *key)
{
	bool in = section == NULL;

	vec_foreach (&ini->v, const struct ini_item, it) {
		if (it->kind == INI_SECTION)
			in = section != NULL && strcasecmp(it->name, section) == 0;
		else if (it->kind == INI_KEY && in && strcasecmp(it->name, key) == 0)
			return &it->value;
	}
	return NULL;
}

bool
ini_has_section(const struct ini *ini, const char *section)
{
	vec_foreach (&ini->v, const struct ini_item, it)
		if (it->kind == INI_SECTION && strcasecmp(it->name, section) == 0)
			return true;
	return false;
}
