#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/ini_internal.h"

#define INDENT	     "    "
#define LINE_MAX_SET 6000 /* so that a line with its key is within INI_LINE_MAX */

/* ---- text as ConfigObj writes it ---- */

static bool
is_edge(char c)
{
	return strchr(" \r\n\v\t'\"", c) != NULL;
}

/* The quotes that a text needs; NULL: it cannot be written. */
static const char *
quotes_for(const char *s, bool several_lines)
{
	size_t n = strlen(s);
	bool single = strchr(s, '\'') != NULL, both = single && strchr(s, '"') != NULL;

	if (n == 0)
		return "\"";
	if (several_lines && (both || strchr(s, '\n') != NULL)) {
		if (strstr(s, "'''") == NULL)
			return "'''";
		return strstr(s, "\"\"\"") == NULL ? "\"\"\"" : NULL;
	}
	if (strchr(s, '\n') != NULL)
		return NULL;
	if (!is_edge(s[0]) && !is_edge(s[n - 1]) && strpbrk(s, ",#") == NULL)
		return "";
	if (both)
		return NULL;
	return strchr(s, '"') != NULL ? "'" : "\"";
}

static int
put_quoted(struct buf *out, const char *s, bool several_lines)
{
	const char *q = quotes_for(s, several_lines);

	if (q == NULL)
		return -1;
	buf_addf(out, "%s%s%s", q, s, q);
	return 0;
}

int
ini_put_section(struct buf *out, const char *name)
{
	buf_addc(out, '[');
	if (put_quoted(out, name, false) != 0)
		return -1;
	buf_adds(out, "]\n");
	return 0;
}

int
ini_put_key(struct buf *out, const char *indent, const char *key,
	    const struct ini_value *v)
{
	size_t i;

	buf_adds(out, indent);
	if (put_quoted(out, key, false) != 0)
		return -1;
	buf_adds(out, " = ");
	if (!v->list) {
		if (put_quoted(out, v->v[0], true) != 0)
			return -1;
	} else {
		for (i = 0; i < v->n; i++) {
			buf_adds(out, i > 0 ? ", " : "");
			if (put_quoted(out, v->v[i], false) != 0)
				return -1;
		}
		buf_adds(out, v->n < 2 ? "," : "");
	}
	buf_addc(out, '\n');
	return 0;
}

/* In which part of the file DVC writes a section: those with names are the last. */
static int
rank(const char *name)
{
	static const char *const kinds[] = {"remote", "machine", "db"};
	size_t n = strlen(name), len;

	for (int i = 0; i < 3; i++) {
		len = strlen(kinds[i]);
		if (n > len + 2 && strncasecmp(name, kinds[i], len) == 0 &&
		    strchr(" \"", name[len]) != NULL && name[n - 1] == '"')
			return i + 1;
	}
	return 0;
}

int
ini_canonical(const struct ini *ini, struct buf *out)
{
	int now = -1, rc = 0;
	size_t start = out->n;

	for (int r = 0; r <= 3; r++, now = -1)
		vec_foreach (&ini->v, const struct ini_item, it) {
			if (it->kind == INI_SECTION) {
				now = rank(it->name);
				if (now == r)
					rc = ini_put_section(out, it->name);
			} else if (it->kind == INI_KEY && now == r) {
				rc = ini_put_key(out, INDENT, it->name, &it->value);
			} else if (it->kind == INI_KEY && now == -1 && r == 0) {
				rc = ini_put_key(out, "", it->name, &it->value);
			}
			if (rc != 0)
				return -1;
		}
	if (out->n == start)
		buf_addc(out, '\n');
	return 0;
}

void
ini_write(const struct ini *ini, struct buf *out)
{
	size_t start = out->n;

	if (ini->canonical && ini_canonical(ini, out) == 0)
		return;
	buf_truncate(out, start);
	vec_foreach (&ini->v, const struct ini_item, it) {
		/* A last line without an end is the last no more. */
		if (out->n > start && out->p[out->n - 1] != '\n')
			buf_addc(out, '\n');
		buf_add(out, it->raw, it->len);
	}
}

/* ---- edits ---- */

int
ini_lower(struct ini *ini, struct err *err)
{
	char *name;

	for (size_t i = 0; ini->canonical && i < ini->v.n; i++) {
		if (ini->v.v[i].kind == INI_TEXT)
			continue;
		name = arena_strdup(ini->arena, ini->v.v[i].name);
		if (name == NULL)
			return err_nomem(err);
		ini->v.v[i].name = name;
		for (; *name != '\0'; name++)
			if (*name >= 'A' && *name <= 'Z')
				*name = (char)(*name - 'A' + 'a');
	}
	return 0;
}

/* Where the section begins, and where what follows it does; false: there is none. */
static bool
find_section(const struct ini *ini, const char *name, size_t *from, size_t *to)
{
	size_t i = 0;

	while (i < ini->v.n && (ini->v.v[i].kind != INI_SECTION ||
				strcasecmp(ini->v.v[i].name, name) != 0))
		i++;
	if (i == ini->v.n)
		return false;
	*from = i;
	for (i++; i < ini->v.n && ini->v.v[i].kind != INI_SECTION; i++)
		continue;
	*to = i;
	return true;
}

static void
drop(struct ini *ini, size_t from, size_t to)
{
	memmove(ini->v.v + from, ini->v.v + to, (ini->v.n - to) * sizeof(*ini->v.v));
	ini->v.n -= to - from;
}

/* Put an item before the one at ${at}; there must be room. */
static void
insert(struct ini *ini, size_t at, struct ini_item item)
{
	memmove(ini->v.v + at + 1, ini->v.v + at, (ini->v.n - at) * sizeof(*ini->v.v));
	ini->v.v[at] = item;
	ini->v.n++;
}

/* Can ConfigObj, and Python's splitting of lines, read it again? */
static int
check_text(const char *what, const char *s, bool several_lines, struct err *err)
{
	const unsigned char *p;
	size_t n;

	if (strlen(s) > INI_VALUE_MAX)
		return err_set(err, ERR_LIMIT, "the %s is longer than 64 KiB", what);
	for (p = (const unsigned char *)s; *p != '\0'; p++)
		if ((*p < ' ' && *p != '\t' && !(several_lines && *p == '\n')) ||
		    *p == 0x7f || (*p == 0xc2 && p[1] == 0x85) ||
		    (*p == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9)))
			return err_set(err, ERR_INVALID, "the %s has a control character",
				       what);
	if (quotes_for(s, several_lines) == NULL)
		return err_set(err, ERR_INVALID,
			       "the %s has quotes of both kinds that cannot be written",
			       what);
	for (n = 0; *s != '\0'; s += n + (s[n] == '\n' ? 1 : 0)) {
		n = strcspn(s, "\n");
		if (n > (several_lines ? LINE_MAX_SET : INI_NAME_MAX))
			return err_set(err, ERR_LIMIT,
				       "a line of the %s is longer than %d bytes", what,
				       several_lines ? LINE_MAX_SET : INI_NAME_MAX);
	}
	return 0;
}

/* The blanks before the keys of a section, or ConfigObj's. */
static const char *
indent_of(struct ini *ini, size_t from, size_t to)
{
	size_t n = 0;

	while (from < to && ini->v.v[from].kind != INI_KEY)
		from++;
	if (from == to)
		return INDENT;
	while (n < ini->v.v[from].len && strchr(" \t", ini->v.v[from].raw[n]) != NULL)
		n++;
	return arena_strndup(ini->arena, ini->v.v[from].raw, n);
}

/* Make the item of a key's line. */
static int
make_key(struct ini *ini, const char *indent, const char *key, const char *value,
	 struct ini_item *item, struct err *err)
{
	const char **v = arena_alloc(ini->arena, sizeof(*v));
	struct buf b;
	int rc = -1;

	buf_init(&b, 0);
	*item = (struct ini_item){.kind = INI_KEY};
	item->name = arena_strdup(ini->arena, key);
	if (v != NULL)
		*v = arena_strdup(ini->arena, value);
	item->value = (struct ini_value){.v = v, .n = 1};
	if (v != NULL && *v != NULL && item->name != NULL && indent != NULL) {
		rc = ini_put_key(&b, indent, key, &item->value);
		item->len = b.n;
		item->raw = arena_strndup(ini->arena, b.p, b.n);
		if (item->raw == NULL || buf_failed(&b))
			rc = -1;
	}
	buf_release(&b);
	return rc == 0 ? 0 : err_nomem(err); /* that it can be written is known */
}

static int
make_section(struct ini *ini, const char *name, struct ini_item *item, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, 0);
	*item = (struct ini_item){.kind = INI_SECTION};
	item->name = arena_strdup(ini->arena, name);
	rc = ini_put_section(&b, name);
	item->len = b.n;
	item->raw = arena_strndup(ini->arena, b.p, b.n);
	if (item->name == NULL || item->raw == NULL || buf_failed(&b))
		rc = -1;
	buf_release(&b);
	return rc == 0 ? 0 : err_nomem(err);
}

/* Where a new section of this name goes: behind all of its rank, with the comments above the
 * next one left with that. */
static size_t
place_for(const struct ini *ini, const char *name)
{
	size_t i;

	for (i = 0; i < ini->v.n; i++)
		if (ini->v.v[i].kind == INI_SECTION &&
		    rank(ini->v.v[i].name) > rank(name))
			break;
	if (i == ini->v.n)
		return i;
	while (i > 0 && ini->v.v[i - 1].kind == INI_TEXT)
		i--;
	return i;
}

int
ini_set(struct ini *ini, const char *section, const char *key, const char *value,
	struct err *err)
{
	struct ini_item header = {0}, item;
	size_t from = 0, to = 0, at;
	bool there = find_section(ini, section, &from, &to);

	if (check_text("name of the section", section, false, err) != 0 ||
	    check_text("name of the option", key, false, err) != 0 ||
	    check_text("value", value, true, err) != 0)
		return -1;
	if (vec_reserve(&ini->v, ini->v.n + 2) != 0)
		return err_nomem(err);
	if (!there && make_section(ini, section, &header, err) != 0)
		return -1;
	if (make_key(ini, indent_of(ini, from, to), key, value, &item, err) != 0)
		return -1;
	if (!there) {
		from = place_for(ini, section);
		insert(ini, from, header);
		to = from + 1;
	}
	at = from + 1;
	for (size_t i = from + 1; i < to; i++) {
		if (ini->v.v[i].kind != INI_KEY)
			continue;
		at = i + 1;
		if (strcasecmp(ini->v.v[i].name, key) == 0) {
			item.name = ini->v.v[i].name;
			ini->v.v[i] = item;
			return 0;
		}
	}
	insert(ini, at, item);
	return 0;
}

/* Are there nothing but the header and empty lines? */
static bool
is_empty(const struct ini *ini, size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++)
		if (ini->v.v[i].kind == INI_KEY ||
		    memchr(ini->v.v[i].raw, '#', ini->v.v[i].len) != NULL)
			return false;
	return true;
}

bool
ini_unset(struct ini *ini, const char *section, const char *key)
{
	size_t from, to, i;

	if (!find_section(ini, section, &from, &to))
		return false;
	for (i = from + 1; i < to; i++)
		if (ini->v.v[i].kind == INI_KEY && strcasecmp(ini->v.v[i].name, key) == 0)
			break;
	if (i == to)
		return false;
	drop(ini, i, i + 1);
	if (is_empty(ini, from, to - 1))
		drop(ini, from, from + 1);
	return true;
}

bool
ini_remove(struct ini *ini, const char *section)
{
	size_t from, to, last, i;

	if (!find_section(ini, section, &from, &to))
		return false;
	/* Comments behind its last key speak of what follows. */
	for (last = i = from; i < to; i++)
		if (ini->v.v[i].kind == INI_KEY)
			last = i;
	drop(ini, from, last + 1);
	return true;
}

void
ini_clear(struct ini *ini, const char *section)
{
	size_t from, to;

	if (!find_section(ini, section, &from, &to))
		return;
	while (to-- > from + 1)
		if (ini->v.v[to].kind == INI_KEY)
			drop(ini, to, to + 1);
}

int
ini_rename(struct ini *ini, const char *section, const char *name, struct err *err)
{
	struct ini_item header;
	size_t from, to, n;

	if (!find_section(ini, section, &from, &to))
		return err_set(err, ERR_NOTFOUND, "there is no section [%s]", section);
	n = to - from;
	if (check_text("name of the section", name, false, err) != 0)
		return -1;
	if (vec_reserve(&ini->v, ini->v.n + n) != 0)
		return err_nomem(err);
	if (make_section(ini, name, &header, err) != 0)
		return -1;
	ini->v.v[from] = header;
	if (ini->canonical) {
		/* DVC takes it out and puts it in again, which makes it the last. */
		memcpy(ini->v.v + ini->v.n, ini->v.v + from, n * sizeof(*ini->v.v));
		ini->v.n += n;
		drop(ini, from, to);
	}
	return 0;
}
