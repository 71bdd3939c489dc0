/*
 * The reader of the list of a directory.  A general reader of JSON would make a dozen
 * allocations for each of a million files; this one knows the shape, holds one string at a
 * time, and asks for the text piece by piece.
 */
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "store/objects/object_id.h"
#include "store/objects/tree.h"

#define DEPTH_MAX 64 /* of values that we skip */
#define KEY_MAX	  16
#define END	  (-1) /* of the text, or the source failed */

struct reader {
	ssize_t (*fill)(void *, const uint8_t **);
	void *arg;
	const uint8_t *p, *end;
	uint64_t before; /* bytes of the pieces before this one */
	const uint8_t *start;
	bool failed; /* err is filled */
	const char *name;
	struct err *err;
	char path[TREE_PATH_MAX + 1];
};

static int
fail(struct reader *r, const char *what)
{
	if (!r->failed)
		(void)err_set(
		    r->err, ERR_INVALID, "%s is no list of files: byte %llu: %s", r->name,
		    (unsigned long long)(r->before + (uint64_t)(r->p - r->start)), what);
	r->failed = true;
	return -1;
}

/* A limit, or a path that cannot be: the place before what is said already. */
static int
fail_at(struct reader *r)
{
	r->failed = true;
	return err_wrap(r->err, "%s: byte %llu", r->name,
			(unsigned long long)(r->before + (uint64_t)(r->p - r->start)));
}

/* The byte that comes next, or END. */
static int
peek_slow(struct reader *r)
{
	ssize_t n;

	if (r->failed)
		return END;
	r->before += (uint64_t)(r->end - r->start);
	r->start = r->p = r->end = NULL;
	n = r->fill(r->arg, &r->p);
	if (n <= 0) {
		r->failed = n < 0;
		r->p = NULL;
		return END;
	}
	r->start = r->p;
	r->end = r->p + n;
	if (r->before + (uint64_t)n > TREE_BYTES_MAX) {
		(void)err_set(r->err, ERR_LIMIT, "%s is larger than the limit of %zu MiB",
			      r->name, TREE_BYTES_MAX >> 20);
		r->failed = true;
		return END;
	}
	return *r->p;
}

static inline int
peek(struct reader *r)
{
	return r->p != r->end ? *r->p : peek_slow(r);
}

static int
peek_token(struct reader *r)
{
	int c = peek(r);

	while (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
		r->p++;
		c = peek(r);
	}
	return c;
}

static int
expect(struct reader *r, int want, const char *what)
{
	if (peek_token(r) != want)
		return fail(r, what);
	r->p++;
	return 0;
}

/* ---- strings ---- */

/* A string's bytes: up to max of them are kept, all are counted. */
struct text {
	char *p;
	size_t max, n;
};

static void
keep(struct text *t, uint32_t byte)
{
	if (t->n < t->max)
		t->p[t->n] = (char)(uint8_t)byte;
	t->n++;
}

static void
keep_char(struct text *t, uint32_t c)
{
	char bytes[4];
	size_t n = utf8_encode(c, bytes);

	for (size_t i = 0; i < n; i++)
		keep(t, (unsigned char)bytes[i]);
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u. */
static int
read_unit(struct reader *r, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int v = hex_digit(peek(r));

		if (v < 0)
			return fail(r, "expected four hex digits");
		*unit = *unit << 4 | (uint32_t)v;
		r->p++;
	}
	return 0;
}

static int
read_unicode(struct reader *r, struct text *t)
{
	uint32_t c, low;

	if (read_unit(r, &c) != 0)
		return -1;
	if (c >= 0xdc00 && c <= 0xdfff)
		return fail(r, "half of a surrogate pair");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (peek(r) != '\\')
			return fail(r, "half of a surrogate pair");
		r->p++;
		if (peek(r) != 'u')
			return fail(r, "half of a surrogate pair");
		r->p++;
		if (read_unit(r, &low) != 0)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(r, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	keep_char(t, c);
	return 0;
}

static int
read_escape(struct reader *r, struct text *t)
{
	static const char from[] = "\"\\/nrtbf", to[] = "\"\\/\n\r\t\b\f";
	int c = peek(r);
	const char *at = c > 0 ? strchr(from, c) : NULL;

	if (c == 'u') {
		r->p++;
		return read_unicode(r, t);
	}
	if (at == NULL)
		return fail(r, "there is no such escape");
	r->p++;
	keep(t, (uint8_t)to[at - from]);
	return 0;
}

/* A character beyond ASCII that stands for itself. */
static int
read_raw(struct reader *r, struct text *t)
{
	char bytes[4];
	uint32_t c;
	int n = 0;

	do {
		bytes[n++] = (char)(uint8_t)peek(r);
		r->p++;
	} while (n < 4 && peek(r) >= 0x80 && peek(r) < 0xc0);
	if (utf8_decode(bytes, (size_t)n, &c) != n)
		return fail(r, "a string is not UTF-8");
	keep_char(t, c);
	return 0;
}

static int
read_string(struct reader *r, struct text *t)
{
	int c;

	t->n = 0;
	if (expect(r, '"', "expected a string") != 0)
		return -1;
	while ((c = peek(r)) != '"') {
		if (c == END)
			return fail(r, "the string has no end");
		if (c < 0x20)
			return fail(r, "a control character in a string");
		if (c >= 0x80) {
			if (read_raw(r, t) != 0)
				return -1;
			continue;
		}
		r->p++;
		if (c != '\\')
			keep(t, (uint32_t)c);
		else if (read_escape(r, t) != 0)
			return -1;
	}
	r->p++;
	return 0;
}

/* ---- values that do not matter ---- */

static int
skip_string(struct reader *r)
{
	struct text none = {0};

	return read_string(r, &none);
}

static size_t
skip_digits(struct reader *r)
{
	size_t n = 0;

	for (; peek(r) >= '0' && peek(r) <= '9'; n++)
		r->p++;
	return n;
}

/* A number; those that are whole and fit are given back, others are -1. */
static int
read_number(struct reader *r, int64_t *value)
{
	bool negative = peek(r) == '-';
	uint64_t v = 0;
	size_t n = 0;

	r->p += negative;
	*value = -1;
	if (peek(r) == '0') {
		r->p++;
		n = 1;
	}
	for (; (v != 0 || n == 0) && peek(r) >= '0' && peek(r) <= '9'; n++) {
		v = v < INT64_MAX / 16 ? v * 10 + (uint64_t)(*r->p - '0') : INT64_MAX;
		r->p++;
	}
	if (n == 0)
		return fail(r, "expected a value");
	if (peek(r) == '.') {
		negative = true;
		r->p++;
		if (skip_digits(r) == 0)
			return fail(r, "expected a digit");
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		negative = true;
		r->p++;
		if (peek(r) == '+' || peek(r) == '-')
			r->p++;
		if (skip_digits(r) == 0)
			return fail(r, "expected a digit");
	}
	if (!negative && v < INT64_MAX)
		*value = (int64_t)v;
	return 0;
}

static int
skip_word(struct reader *r)
{
	static const char *const words[] = {"true", "false", "null"};
	int c = peek(r);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *w = words[i];

		if (*w != c)
			continue;
		for (; *w != '\0'; w++) {
			if (peek(r) != *w)
				return fail(r, "expected a value");
			r->p++;
		}
		return 0;
	}
	return fail(r, "expected a value");
}

static int skip_value(struct reader *, unsigned);

static int
skip_members(struct reader *r, unsigned depth, int close)
{
	r->p++;
	if (depth == DEPTH_MAX)
		return fail(r, "nested too deeply");
	if (peek_token(r) == close) {
		r->p++;
		return 0;
	}
	for (;;) {
		if (close == '}' &&
		    (skip_string(r) != 0 || expect(r, ':', "expected ':'") != 0))
			return -1;
		if (skip_value(r, depth + 1) != 0)
			return -1;
		if (peek_token(r) == close)
			break;
		if (expect(r, ',', "expected ','") != 0)
			return -1;
	}
	r->p++;
	return 0;
}

static int
skip_value(struct reader *r, unsigned depth)
{
	int c = peek_token(r);
	int64_t unused;

	if (c == '"')
		return skip_string(r);
	if (c == '{')
		return skip_members(r, depth, '}');
	if (c == '[')
		return skip_members(r, depth, ']');
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r, &unused);
	return skip_word(r);
}

/* ---- the list ---- */

struct file {
	struct text path;
	uint8_t md5[16];
	int64_t size;
	bool has_path, has_md5;
};

static int
read_md5(struct reader *r, struct file *f)
{
	char hex[2 * OBJECT_ID_BYTES + 1] = "";
	struct text t = {.p = hex, .max = sizeof(hex) - 1};
	struct object_id id;

	if (f->has_md5)
		return fail(r, "a second \"md5\" of one file");
	if (read_string(r, &t) != 0)
		return -1;
	if (t.n != t.max || object_id_parse(hex, false, &id) != 0)
		return fail(r, "the md5 of a file is 32 hex digits");
	memcpy(f->md5, id.md5, sizeof(f->md5));
	f->has_md5 = true;
	return 0;
}

static int
read_relpath(struct reader *r, struct file *f)
{
	if (f->has_path)
		return fail(r, "a second \"relpath\" of one file");
	if (read_string(r, &f->path) != 0)
		return -1;
	f->has_path = true;
	return 0;
}

static int
read_size(struct reader *r, struct file *f)
{
	int c = peek_token(r);

	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r, &f->size);
	return skip_value(r, 0);
}

static bool
is_key(const struct text *key, const char *name)
{
	return key->n == strlen(name) && memcmp(key->p, name, key->n) == 0;
}

static int
read_member(struct reader *r, struct file *f)
{
	char name[KEY_MAX];
	struct text key = {.p = name, .max = sizeof(name)};

	if (read_string(r, &key) != 0 || expect(r, ':', "expected ':'") != 0)
		return -1;
	if (is_key(&key, "md5"))
		return read_md5(r, f);
	if (is_key(&key, "relpath"))
		return read_relpath(r, f);
	if (is_key(&key, "size"))
		return read_size(r, f);
	return skip_value(r, 0);
}

static int
read_file(struct reader *r, struct tree *t)
{
	struct file f = {.path = {.p = r->path, .max = sizeof(r->path)},
			 .size = TREE_SIZE_UNKNOWN};

	if (expect(r, '{', "expected '{'") != 0)
		return -1;
	while (peek_token(r) != '}') {
		if (read_member(r, &f) != 0)
			return -1;
		if (peek_token(r) == '}')
			break;
		if (expect(r, ',', "expected ',' or '}'") != 0)
			return -1;
		if (peek_token(r) != '"')
			return fail(r, "expected a string");
	}
	if (!f.has_path || !f.has_md5)
		return fail(r, "a file without \"md5\" or \"relpath\"");
	r->p++;
	/* A path that is too long was cut one byte behind the limit, which add says. */
	if (f.path.n > f.path.max)
		f.path.n = f.path.max;
	if (tree_add(t, r->path, f.path.n, f.md5, f.size, r->err) != 0)
		return fail_at(r);
	return 0;
}

static int
read_list(struct reader *r, struct tree *t)
{
	if (expect(r, '[', "expected '['") != 0)
		return -1;
	if (peek_token(r) == ']') {
		r->p++;
	} else {
		for (;;) {
			if (read_file(r, t) != 0)
				return -1;
			if (peek_token(r) == ']')
				break;
			if (expect(r, ',', "expected ',' or ']'") != 0)
				return -1;
		}
		r->p++;
	}
	if (peek_token(r) != END)
		return fail(r, "expected the end");
	return r->failed ? -1 : 0;
}

int
tree_read(const char *name, ssize_t (*fill)(void *, const uint8_t **), void *arg,
	  struct tree *t, struct err *err)
{
	struct reader r = {.fill = fill, .arg = arg, .name = name, .err = err};
	bool legacy = t->legacy;

	if (read_list(&r, t) == 0) {
		if (tree_sort(t, err) == 0)
			return 0;
		(void)err_wrap(err, "%s", name);
	}
	tree_release(t);
	t->legacy = legacy;
	return -1;
}

struct whole {
	const uint8_t *p;
	size_t n;
};

static ssize_t
fill_whole(void *arg, const uint8_t **p)
{
	struct whole *w = arg;
	size_t n = w->n;

	*p = w->p;
	w->n = 0;
	return (ssize_t)n;
}

int
tree_parse(const char *name, const void *p, size_t n, struct tree *t, struct err *err)
{
	struct whole w = {.p = p, .n = n};

	return tree_read(name, fill_whole, &w, t, err);
}
