#include "store/pipeline/json_value.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/num.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "store/dvc/yaml_doc_int.h"
#include "store/pipeline/value.h"

#define FEW 12 /* members that are compared one by one */

struct reader {
	struct arena *a;
	const char *text;
	size_t len, at;
	unsigned depth;
	const char *why; /* the mistake, or NULL: memory ran out */
	struct buf word; /* the string that is read */
	/* What the collections that are being read hold so far. */
	VEC(struct yaml_pair) stack;
};

static int read_value(struct reader *, struct yaml_node **);

static int
wrong(struct reader *r, const char *why)
{
	r->why = why;
	return 1;
}

static void
skip_blanks(struct reader *r)
{
	while (r->at < r->len && memchr(" \t\n\r", r->text[r->at], 4) != NULL)
		r->at++;
}

/* The next character that is no blank, or 0. */
static char
peek(struct reader *r)
{
	skip_blanks(r);
	return (char)(r->at < r->len ? r->text[r->at] : 0);
}

/* ---- strings ---- */

static int
hex4(struct reader *r, uint32_t *out)
{
	uint32_t c = 0;

	if (r->len - r->at < 4)
		return wrong(r, "\\u stands before four hexadecimal digits");
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		char low = r->text[r->at];
		const char *d;

		if (low >= 'A' && low <= 'F')
			low = (char)(low + ('a' - 'A'));
		d = low != '\0' ? strchr(digits, low) : NULL;
		if (d == NULL)
			return wrong(r, "\\u stands before four hexadecimal digits");
		c = c * 16 + (uint32_t)(d - digits);
		r->at++;
	}
	*out = c;
	return 0;
}

static int
read_unicode(struct reader *r)
{
	uint32_t c, low;
	char to[4];
	int rc = hex4(r, &c);

	if (rc != 0)
		return rc;
	if (c >= 0xD800 && c < 0xDC00 && r->len - r->at >= 2 && r->text[r->at] == '\\' &&
	    r->text[r->at + 1] == 'u') {
		r->at += 2;
		rc = hex4(r, &low);
		if (rc != 0)
			return rc;
		if (low >= 0xDC00 && low < 0xE000)
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	}
	if (c >= 0xD800 && c < 0xE000)
		return wrong(r, "half a surrogate pair is no character");
	buf_add(&r->word, to, utf8_encode(c, to));
	return 0;
}

static int
read_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p;
	char c;

	if (r->at == r->len)
		return wrong(r, "the string does not end");
	c = r->text[r->at++];
	if (c == 'u')
		return read_unicode(r);
	p = c != '\0' ? strchr(from, c) : NULL;
	if (p == NULL)
		return wrong(r, "no such escape: \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
	buf_addc(&r->word, to[p - from]);
	return 0;
}

/* Behind the opening quote. */
static int
read_word(struct reader *r)
{
	uint32_t cp;
	int rc = 0;

	buf_clear(&r->word);
	while (rc == 0) {
		unsigned char c;
		int n;

		if (r->at == r->len)
			return wrong(r, "the string does not end");
		c = (unsigned char)r->text[r->at];
		if (c == '"') {
			r->at++;
			break;
		}
		if (c < 0x20)
			return wrong(
			    r, "a control character in a string is written \\u00..");
		if (c == '\\') {
			r->at++;
			rc = read_escape(r);
			continue;
		}
		n = utf8_decode(r->text + r->at, r->len - r->at, &cp);
		if (n < 0)
			return wrong(r, "this is no UTF-8");
		buf_add(&r->word, r->text + r->at, (size_t)n);
		r->at += (size_t)n;
	}
	return rc != 0 ? rc : buf_failed(&r->word) ? -1 : 0;
}

static int
read_string(struct reader *r, struct yaml_node **out)
{
	int rc = read_word(r);

	if (rc != 0)
		return rc;
	*out = value_str(r->a, r->word.p, r->word.n, NULL);
	return *out != NULL ? 0 : -1;
}

/* ---- numbers and words ---- */

static size_t
digits(const struct reader *r, size_t at)
{
	size_t n = 0;

	while (at + n < r->len && r->text[at + n] >= '0' && r->text[at + n] <= '9')
		n++;
	return n;
}

/* Where the number ends; whole: it has neither a point nor an exponent. */
static size_t
number_end(const struct reader *r, bool *whole)
{
	size_t at = r->at + (r->text[r->at] == '-'), n = digits(r, at);

	*whole = true;
	if (n == 0)
		return r->at;
	/* A zero in front stands alone. */
	at += r->text[at] == '0' ? 1 : n;
	if (at + 1 < r->len && r->text[at] == '.' && (n = digits(r, at + 1)) != 0) {
		*whole = false;
		at += 1 + n;
	}
	if (at + 1 < r->len && (r->text[at] | 0x20) == 'e') {
		size_t sign = memchr("+-", r->text[at + 1], 2) != NULL ? 1 : 0;

		if ((n = digits(r, at + 1 + sign)) != 0) {
			*whole = false;
			at += 1 + sign + n;
		}
	}
	return at;
}

static struct yaml_node *
plain(struct reader *r, enum yaml_kind kind, const char *text)
{
	struct yaml_node *n = value_str(r->a, text, strlen(text), NULL);

	if (n != NULL) {
		n->style = YAML_STYLE_PLAIN;
		n->kind = kind;
	}
	return n;
}

static int
put_float(struct reader *r, double f, struct yaml_node **out)
{
	char text[YAML_FLOAT_MAX];

	ydoc_float_repr(f, text);
	*out = plain(r, YAML_FLOAT, text);
	if (*out == NULL)
		return -1;
	(*out)->f = f;
	return 0;
}

static int
read_number(struct reader *r, struct yaml_node **out)
{
	char text[YAML_NUMBER_MAX + 1];
	bool whole;
	size_t end = number_end(r, &whole), n = end - r->at;
	double f;

	if (n == 0)
		return wrong(r, "this is no value");
	if (n > YAML_NUMBER_MAX)
		return wrong(r, "a number may have 400 characters");
	memcpy(text, r->text + r->at, n);
	text[n] = '\0';
	r->at = end;
	if (!whole)
		return num_float(text, &f) == 0 ? put_float(r, f, out)
						: wrong(r, "this is no number");
	*out = plain(r, YAML_INT, strcmp(text, "-0") == 0 ? "0" : text);
	if (*out == NULL)
		return -1;
	if (num_i64((*out)->str, &(*out)->i) != 0)
		(*out)->i = text[0] == '-' ? INT64_MIN : INT64_MAX;
	return 0;
}

static bool
take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->len - r->at < n || memcmp(r->text + r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static int
read_scalar(struct reader *r, struct yaml_node **out)
{
	static const struct {
		const char *word;
		enum yaml_kind kind;
		const char *text;
	} words[] = {{"null", YAML_NULL, ""},
		     {"true", YAML_BOOL, "true"},
		     {"false", YAML_BOOL, "false"}};
	static const struct {
		const char *word, *text;
	} floats[] = {{"NaN", "nan"}, {"Infinity", "inf"}, {"-Infinity", "-inf"}};
	double f = 0;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!take_word(r, words[i].word))
			continue;
		*out = plain(r, words[i].kind, words[i].text);
		if (*out == NULL)
			return -1;
		if (words[i].kind == YAML_BOOL)
			(*out)->b = words[i].text[0] == 't';
		return 0;
	}
	for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++)
		if (take_word(r, floats[i].word))
			return num_float(floats[i].text, &f) == 0 ? put_float(r, f, out)
								  : -1;
	return read_number(r, out);
}

/* ---- collections ---- */

static int
end_list(struct reader *r, size_t from, struct yaml_node **out)
{
	size_t n = r->stack.n - from;

	*out = value_list(r->a, n, NULL);
	if (*out == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		(*out)->seq.v[i] = r->stack.v[from + i].val;
	r->stack.n = from;
	return 0;
}

/* Of equal names the first keeps its place and gets the last one's value. */
static int
end_map(struct reader *r, size_t from, struct yaml_node **out)
{
	size_t n = r->stack.n - from, kept = 0;
	struct map seen = {0};
	int rc = 0;

	*out = value_map(r->a, n, NULL);
	if (*out == NULL)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct yaml_pair p = r->stack.v[from + i], *was = NULL;

		for (size_t k = 0; n <= FEW && k < kept && was == NULL; k++)
			if ((*out)->map.v[k].key->len == p.key->len &&
			    memcmp((*out)->map.v[k].key->str, p.key->str, p.key->len) ==
				0)
				was = &(*out)->map.v[k];
		if (n > FEW)
			was = map_getn(&seen, p.key->str, p.key->len);
		if (was != NULL) {
			was->val = p.val;
			continue;
		}
		(*out)->map.v[kept] = p;
		if (n > FEW &&
		    map_putn(&seen, p.key->str, p.key->len, &(*out)->map.v[kept]) < 0)
			rc = -1;
		kept++;
	}
	map_release(&seen);
	(*out)->map.n = kept;
	r->stack.n = from;
	return rc;
}

static int
read_key(struct reader *r, struct yaml_node **out)
{
	int rc;

	if (peek(r) != '"')
		return wrong(r, "a name in quotes is missing");
	r->at++;
	rc = read_string(r, out);
	if (rc == 0 && peek(r) != ':')
		rc = wrong(r, "':' is missing behind the name");
	r->at += rc == 0 ? 1 : 0;
	return rc;
}

static int
read_collection(struct reader *r, bool map, struct yaml_node **out)
{
	size_t from = r->stack.n;
	char end = map ? '}' : ']';
	int rc = 0;

	if (r->depth == JSON_VALUE_DEPTH_MAX)
		return wrong(r, "this is nested more than 64 levels deep");
	r->depth++;
	r->at++;
	while (rc == 0 && (r->stack.n != from || peek(r) != end)) {
		struct yaml_pair p = {NULL, NULL};

		if (map)
			rc = read_key(r, &p.key);
		if (rc == 0)
			rc = read_value(r, &p.val);
		if (rc == 0 && vec_push(&r->stack, p) != 0)
			rc = -1;
		if (rc != 0 || peek(r) == end)
			break;
		if (peek(r) != ',')
			rc = wrong(r, map ? "',' or '}' is missing"
					  : "',' or ']' is missing");
		else
			r->at++;
	}
	if (rc != 0)
		return rc;
	r->at++;
	r->depth--;
	return map ? end_map(r, from, out) : end_list(r, from, out);
}

static int
read_value(struct reader *r, struct yaml_node **out)
{
	char c = peek(r);

	if (r->at == r->len)
		return wrong(r, "a value is missing");
	if (c == '{' || c == '[')
		return read_collection(r, c == '{', out);
	if (c == '"') {
		r->at++;
		return read_string(r, out);
	}
	return read_scalar(r, out);
}

/* ---- the file ---- */

static int
tell(const struct reader *r, struct diag *d, const char *name)
{
	int file = diag_file(d, name, r->text, r->len);

	if (file < 0)
		return -1;
	diag_add(d, DIAG_ERROR, diag_place(file, r->text, r->len, r->at), "%s", r->why);
	return 1;
}

int
json_value_parse(struct arena *a, struct diag *d, const char *name, const char *text,
		 size_t len, struct yaml_node **out)
{
	struct reader r = {.a = a, .text = text, .len = len};
	int rc;

	buf_init(&r.word, len + 1);
	rc = read_value(&r, out);
	if (rc == 0 && (skip_blanks(&r), r.at != r.len))
		rc = wrong(&r, "something stands behind the value");
	vec_release(&r.stack);
	buf_release(&r.word);
	return rc > 0 ? tell(&r, d, name) : rc;
}
