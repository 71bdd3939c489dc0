#include "store/pipeline/value_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"
#include "base/textwidth.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "store/dvc/yaml_doc_int.h"
#include "store/pipeline/value.h"

/* ---- as Python shows them ---- */

static void
put_quoted(const char *p, size_t n, struct buf *b)
{
	char quote = memchr(p, '\'', n) != NULL && memchr(p, '"', n) == NULL ? '"' : '\'';
	uint32_t c;

	buf_addc(b, quote);
	for (size_t i = 0; i < n;) {
		int len = utf8_decode(p + i, n - i, &c);
		size_t step = (size_t)(len > 0 ? len : -len);

		if (c == (unsigned char)quote || c == '\\')
			buf_addf(b, "\\%c", (int)c);
		else if (c == '\n' || c == '\r' || c == '\t')
			buf_addf(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
		else if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD)
			buf_addf(b, "\\x%02x", (unsigned)c);
		else if (text_harmful(c) && c < 0x10000)
			buf_addf(b, "\\u%04x", (unsigned)c);
		else
			buf_add(b, p + i, step);
		i += step;
	}
	buf_addc(b, quote);
}

static void
put_scalar(const struct yaml_node *v, struct buf *b)
{
	if (v->kind == YAML_BOOL)
		buf_adds(b, v->b ? "True" : "False");
	else
		value_put_text(v, b);
}

void
value_put_repr(const struct yaml_node *v, struct buf *b)
{
	if (v == NULL) {
		buf_adds(b, "None");
	} else if (v->kind == YAML_SEQ) {
		buf_addc(b, '[');
		for (size_t i = 0; i < v->seq.n; i++) {
			buf_adds(b, i != 0 ? ", " : "");
			value_put_repr(v->seq.v[i], b);
		}
		buf_addc(b, ']');
	} else if (v->kind == YAML_MAP) {
		buf_addc(b, '{');
		for (size_t i = 0; i < v->map.n; i++) {
			buf_adds(b, i != 0 ? ", " : "");
			value_put_repr(v->map.v[i].key, b);
			buf_adds(b, ": ");
			value_put_repr(v->map.v[i].val, b);
		}
		buf_addc(b, '}');
	} else if (v->kind == YAML_STR) {
		put_quoted(v->str, v->len, b);
	} else {
		put_scalar(v, b);
	}
}

void
value_put_plain(const struct yaml_node *v, struct buf *b)
{
	if (v != NULL && v->kind == YAML_STR)
		buf_add(b, v->str, v->len);
	else
		value_put_repr(v, b);
}

/* ---- JSON ---- */

static void
put_string(const char *p, size_t n, struct buf *b)
{
	struct json_writer w;

	json_init(&w, b, 0);
	json_strn(&w, p, n);
}

static void
put_json_scalar(const struct yaml_node *v, struct buf *b)
{
	if (v->kind == YAML_NULL)
		buf_adds(b, "null");
	else if (v->kind == YAML_FLOAT && isnan(v->f))
		buf_adds(b, "NaN");
	else if (v->kind == YAML_FLOAT && isinf(v->f))
		buf_adds(b, v->f < 0 ? "-Infinity" : "Infinity");
	else
		buf_add(b, v->str, v->len);
}

static void
put_json_key(const struct yaml_node *k, struct buf *b)
{
	if (k->kind == YAML_STR) {
		put_string(k->str, k->len, b);
		return;
	}
	buf_addc(b, '"');
	put_json_scalar(k, b);
	buf_addc(b, '"');
}

void
value_put_json(const struct yaml_node *v, struct buf *b)
{
	if (v == NULL) {
		buf_adds(b, "null");
	} else if (v->kind == YAML_SEQ) {
		buf_addc(b, '[');
		for (size_t i = 0; i < v->seq.n; i++) {
			buf_adds(b, i != 0 ? ", " : "");
			value_put_json(v->seq.v[i], b);
		}
		buf_addc(b, ']');
	} else if (v->kind == YAML_MAP) {
		buf_addc(b, '{');
		for (size_t i = 0; i < v->map.n; i++) {
			buf_adds(b, i != 0 ? ", " : "");
			put_json_key(v->map.v[i].key, b);
			buf_adds(b, ": ");
			value_put_json(v->map.v[i].val, b);
		}
		buf_addc(b, '}');
	} else if (v->kind == YAML_STR) {
		put_string(v->str, v->len, b);
	} else {
		put_json_scalar(v, b);
	}
}

/* ---- numbers ---- */

bool
value_number(const struct yaml_node *v, double *out)
{
	if (v == NULL)
		return false;
	if (v->kind == YAML_BOOL)
		*out = v->b ? 1 : 0;
	else if (v->kind == YAML_FLOAT)
		*out = v->f;
	else if (v->kind != YAML_INT || num_float(v->str, out) != 0)
		return false;
	return true;
}

static struct yaml_node *
number(struct arena *a, enum yaml_kind kind, const char *text)
{
	struct yaml_node *n = value_str(a, text, strlen(text), NULL);

	if (n != NULL) {
		n->kind = kind;
		n->style = YAML_STYLE_PLAIN;
	}
	return n;
}

struct yaml_node *
value_float(struct arena *a, double f)
{
	char text[YAML_FLOAT_MAX];
	struct yaml_node *n;

	ydoc_float_repr(f, text);
	n = number(a, YAML_FLOAT, text);
	if (n != NULL)
		n->f = f;
	return n;
}

const struct yaml_node *
value_round(struct arena *a, const struct yaml_node *v, unsigned digits)
{
	char text[512]; /* 309 digits before the point, no more than 100 behind it */
	double f;

	if (v->kind != YAML_FLOAT || !isfinite(v->f) || digits > 100)
		return v;
	(void)snprintf(text, sizeof text, "%.*f", (int)digits, v->f);
	return num_f64(text, &f) == 0 ? value_float(a, f) : v;
}

/* The digits of an integer, or of a truth value; *${minus} is its sign. */
static const char *
magnitude(const struct yaml_node *v, bool *minus)
{
	*minus = v->kind == YAML_INT && v->str[0] == '-';
	if (v->kind == YAML_BOOL)
		return v->b ? "1" : "0";
	return v->str + (*minus ? 1 : 0);
}

/* The i-th digit from the right. */
static int
digit(const char *s, size_t n, size_t i)
{
	return i < n ? s[n - 1 - i] - '0' : 0;
}

/* Put s + t, or s - t where s is not less, as digits. */
static void
add_digits(const char *s, const char *t, bool minus, char *out)
{
	size_t n = strlen(s), m = strlen(t), len = (n > m ? n : m) + 1, lead;
	int carry = 0;

	out[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		int d = digit(s, n, i) + (minus ? -1 : 1) * digit(t, m, i) + carry;

		carry = d > 9 ? 1 : d < 0 ? -1 : 0;
		out[len - 1 - i] = (char)('0' + d - 10 * carry);
	}
	lead = strspn(out, "0");
	if (lead == len)
		lead--;
	memmove(out, out + lead, len + 1 - lead);
}

/* Integers have any size. */
static struct yaml_node *
int_minus(struct arena *a, const struct yaml_node *x, const struct yaml_node *y)
{
	bool p, q;
	const char *s = magnitude(x, &p), *t = magnitude(y, &q);
	size_t n = strlen(s), m = strlen(t);
	bool less = n != m ? n < m : strcmp(s, t) < 0, minus = p;
	struct yaml_node *out;
	char *text = arena_alloc(a, (n > m ? n : m) + 3);
	int64_t i;

	if (text == NULL)
		return NULL;
	text[0] = '-';
	if (p != q) {
		add_digits(s, t, false, text + 1);
	} else if (less) {
		add_digits(t, s, true, text + 1);
		minus = !minus;
	} else {
		add_digits(s, t, true, text + 1);
	}
	out = number(a, YAML_INT, text + (minus && strcmp(text + 1, "0") != 0 ? 0 : 1));
	if (out != NULL)
		out->i = num_i64(out->str, &i) == 0 ? i
			 : out->str[0] == '-'	    ? INT64_MIN
						    : INT64_MAX;
	return out;
}

int
value_minus(struct arena *a, const struct yaml_node *x, const struct yaml_node *y,
	    struct yaml_node **out)
{
	double f, g;

	*out = NULL;
	if (!value_number(x, &f) || !value_number(y, &g))
		return 0;
	*out = x->kind == YAML_FLOAT || y->kind == YAML_FLOAT ? value_float(a, f - g)
							      : int_minus(a, x, y);
	return *out != NULL ? 0 : -1;
}
