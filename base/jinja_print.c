/* Values as text: as Python prints them, and as JSON. */
#include "base/buf.h"
#include "base/jinja_run.h"
#include "base/num.h"
#include "base/timefmt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_value(struct buf *, struct jinja_val, bool repr, unsigned depth);

/*
 * The shortest digits that read back as the same number, laid out as Python's repr does:
 * with an exponent below 1e-4 and from 1e16 on, else with at least one decimal.
 */
void
jinja_put_float(struct buf *b, double f)
{
	char text[40], digits[24];
	int prec, n = 0, exp, i;
	int64_t e = 0;
	const char *p;
	double back;

	if (!isfinite(f)) {
		buf_adds(b, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
		return;
	}
	for (prec = 0; prec < 17; prec++) {
		(void)snprintf(text, sizeof(text), "%.*e", prec, f);
		if (num_f64(text, &back) == 0 && back == f)
			break;
	}
	for (p = text; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	(void)num_i64(p + 1, &e); /* printf's exponent is a number */
	exp = (int)e;
	if (text[0] == '-')
		buf_addc(b, '-');
	if (exp < -4 || exp >= 16) {
		buf_addc(b, digits[0]);
		if (n > 1) {
			buf_addc(b, '.');
			buf_add(b, digits + 1, (size_t)n - 1);
		}
		buf_addf(b, "e%c%02d", exp < 0 ? '-' : '+', abs(exp));
		return;
	}
	if (exp < 0)
		buf_adds(b, "0.");
	for (i = exp; i < -1; i++)
		buf_addc(b, '0');
	for (i = 0; i < n || i <= exp; i++) {
		buf_addc(b, i < n ? digits[i] : '0');
		if (exp >= 0 && i == exp) {
			buf_addc(b, '.');
			if (i + 1 >= n)
				buf_addc(b, '0');
		}
	}
}

/* A time between quotes; '\0': without. */
static void
put_time(struct buf *b, int64_t us, char quote)
{
	char text[TIMEFMT_MAX];

	if (quote != '\0')
		buf_addc(b, quote);
	buf_adds(b,
		 us % 1000000 != 0 ? time_rfc3339_us(text, us) : time_rfc3339(text, us));
	if (quote != '\0')
		buf_addc(b, quote);
}

/* Characters that Python's repr writes as escapes. */
static bool
unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad ||
	       (c > 0x80 && jinja_u8_space(c)) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       (c >= 0xd800 && c <= 0xf8ff) || c == 0xfeff || c >= 0xf0000;
}

static void
put_str_repr(struct buf *b, const char *p, size_t n)
{
	char quote = memchr(p, '\'', n) != NULL && memchr(p, '"', n) == NULL ? '"' : '\'';
	size_t i, adv;
	uint32_t c;

	buf_addc(b, quote);
	for (i = 0; i < n; i += adv) {
		c = jinja_u8_next(p + i, n - i, &adv);
		if (c == (unsigned char)quote || c == '\\')
			buf_addf(b, "\\%c", (int)c);
		else if (c == '\n' || c == '\r' || c == '\t')
			buf_adds(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		else if (!unprintable(c))
			buf_add(b, p + i, adv);
		else if (c < 0x100)
			buf_addf(b, "\\x%02x", c);
		else
			buf_addf(b, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
	}
	buf_addc(b, quote);
}

static void
put_range(struct buf *b, const struct jinja_list *l)
{
	buf_addf(b, "range(%lld, %lld", (long long)l->start, (long long)l->end);
	if (l->step != 1)
		buf_addf(b, ", %lld", (long long)l->step);
	buf_addc(b, ')');
}

static void
put_list(struct buf *b, const struct jinja_list *l, unsigned depth)
{
	static const char *const open[] = {
	    [JINJA_LIST_PLAIN] = "[",
	    [JINJA_LIST_TUPLE] = "(",
	    [JINJA_LIST_RANGE] = "",
	    [JINJA_LIST_KEYS] = "dict_keys([",
	    [JINJA_LIST_VALUES] = "dict_values([",
	    [JINJA_LIST_PAIRS] = "dict_items([",
	};
	size_t i;

	if (l->flavour == JINJA_LIST_RANGE) {
		put_range(b, l);
		return;
	}
	buf_adds(b, open[l->flavour]);
	for (i = 0; i < l->n && !buf_failed(b); i++) {
		if (i != 0)
			buf_adds(b, ", ");
		put_value(b, l->v[i], true, depth + 1);
	}
	if (l->flavour == JINJA_LIST_TUPLE)
		buf_adds(b, l->n == 1 ? ",)" : ")");
	else
		buf_adds(b, l->flavour == JINJA_LIST_PLAIN ? "]" : "])");
}

static void
put_dict(struct buf *b, const struct jinja_dict *d, unsigned depth)
{
	size_t i;

	if (d->is_namespace) {
		/* It may hold itself, so inside another value it is not looked into. */
		buf_adds(b, "<Namespace");
		if (depth != 0) {
			buf_addc(b, '>');
			return;
		}
		buf_addc(b, ' ');
	}
	buf_addc(b, '{');
	for (i = 1; i <= d->n && !buf_failed(b); i++) {
		if (i != 1)
			buf_adds(b, ", ");
		put_value(b, d->v[i].key, true, depth + 1);
		buf_adds(b, ": ");
		put_value(b, d->v[i].val, true, depth + 1);
	}
	buf_adds(b, d->is_namespace ? "}>" : "}");
}

/* Lists and dicts are at most JINJA_DEPTH_MAX deep, or could not have been made. */
static void
put_value(struct buf *b, struct jinja_val v, bool repr, unsigned depth)
{
	switch (v.kind) {
	case JINJA_UNDEFINED:
		break;
	case JINJA_NONE:
		buf_adds(b, "None");
		break;
	case JINJA_BOOL:
		buf_adds(b, v.b ? "True" : "False");
		break;
	case JINJA_INT:
		buf_addf(b, "%lld", (long long)v.i);
		break;
	case JINJA_FLOAT:
		jinja_put_float(b, v.f);
		break;
	case JINJA_STR:
		if (repr)
			put_str_repr(b, v.s.p, v.s.n);
		else
			buf_add(b, v.s.p, v.s.n);
		break;
	case JINJA_LIST:
		put_list(b, v.list, depth);
		break;
	case JINJA_DICT:
		put_dict(b, v.dict, depth);
		break;
	case JINJA_TIME:
		put_time(b, v.i, repr ? '\'' : '\0');
		break;
	case JINJA_HOST:
		buf_addf(b, "<%s>", v.host->what != NULL ? v.host->what : "mapping");
		break;
	}
}

void
jinja_put(struct buf *b, struct jinja_val v)
{
	put_value(b, v, false, 0);
}

void
jinja_put_repr(struct buf *b, struct jinja_val v)
{
	put_value(b, v, true, 0);
}

/* ---- JSON ---- */

struct json_style {
	unsigned flags;
	int indent; /* blanks per level, or -1: all on one line */
};

static void put_json(struct buf *, struct jinja_val, const struct json_style *, int);

static void
put_unicode_escape(struct buf *b, uint32_t c)
{
	if (c < 0x10000) {
		buf_addf(b, "\\u%04x", c);
	} else {
		c -= 0x10000;
		buf_addf(b, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
	}
}

static void
put_json_str(struct buf *b, const char *p, size_t n, unsigned flags)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at;
	size_t i, adv;
	uint32_t c;

	buf_addc(b, '"');
	for (i = 0; i < n; i += adv) {
		c = jinja_u8_next(p + i, n - i, &adv);
		if (c > 0xdc00 && c <= 0xdcff)
			c = 0xfffd; /* a byte that is no UTF-8 */
		at = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
		if (at != NULL)
			buf_addf(b, "\\%c", to[at - from]);
		else if (c < 0x20 || ((flags & JINJA_JSON_ASCII) != 0 && c > 0x7e) ||
			 ((flags & JINJA_JSON_HTML) != 0 && c < 0x80 &&
			  strchr("<>&'", (int)c) != NULL))
			put_unicode_escape(b, c);
		else if (c == 0xfffd)
			buf_adds(b, "\xef\xbf\xbd");
		else
			buf_add(b, p + i, adv);
	}
	buf_addc(b, '"');
}

static void
put_comma(struct buf *b, const struct json_style *st, int depth, bool first)
{
	if (!first)
		buf_adds(b, (st->flags & JINJA_JSON_SPACED) != 0 && st->indent < 0 ? ", "
										   : ",");
	if (st->indent >= 0) {
		buf_addc(b, '\n');
		buf_addf(b, "%*s", depth * st->indent, "");
	}
}

static void
put_json_list(struct buf *b, const struct jinja_list *l, const struct json_style *st,
	      int depth)
{
	size_t i;

	buf_addc(b, '[');
	for (i = 0; i < l->n && !buf_failed(b); i++) {
		put_comma(b, st, depth + 1, i == 0);
		put_json(b, l->v[i], st, depth + 1);
	}
	if (l->n != 0)
		put_comma(b, st, depth, true);
	buf_addc(b, ']');
}

static void
put_json_key(struct buf *b, struct jinja_val key, unsigned flags)
{
	struct buf text;

	if (key.kind == JINJA_STR) {
		put_json_str(b, key.s.p, key.s.n, flags);
		return;
	}
	buf_init(&text, 0);
	put_json(&text, key, &(struct json_style){flags, -1}, 0);
	if (text.p[0] == '"') {
		buf_add(b, text.p, text.n);
	} else {
		buf_addc(b, '"');
		buf_add(b, text.p, text.n);
		buf_addc(b, '"');
	}
	buf_release(&text);
}

/* The members in the order of the tree, which is that of the keys. */
static void
put_json_sorted(struct buf *b, const struct jinja_dict *d, uint32_t at,
		const struct json_style *st, int depth, bool *first)
{
	if (at == 0 || buf_failed(b))
		return;
	put_json_sorted(b, d, d->v[at].left, st, depth, first);
	put_comma(b, st, depth + 1, *first);
	*first = false;
	put_json_key(b, d->v[at].key, st->flags);
	buf_adds(b, (st->flags & JINJA_JSON_SPACED) != 0 ? ": " : ":");
	put_json(b, d->v[at].val, st, depth + 1);
	put_json_sorted(b, d, d->v[at].right, st, depth, first);
}

static void
put_json_dict(struct buf *b, const struct jinja_dict *d, const struct json_style *st,
	      int depth)
{
	bool first = true;
	size_t i;

	buf_addc(b, '{');
	if ((st->flags & JINJA_JSON_SORTED) != 0)
		put_json_sorted(b, d, d->root, st, depth, &first);
	for (i = 1; (st->flags & JINJA_JSON_SORTED) == 0 && i <= d->n && !buf_failed(b);
	     i++) {
		put_comma(b, st, depth + 1, i == 1);
		put_json_key(b, d->v[i].key, st->flags);
		buf_adds(b, (st->flags & JINJA_JSON_SPACED) != 0 ? ": " : ":");
		put_json(b, d->v[i].val, st, depth + 1);
	}
	if (d->n != 0)
		put_comma(b, st, depth, true);
	buf_addc(b, '}');
}

static void
put_json(struct buf *b, struct jinja_val v, const struct json_style *st, int depth)
{
	if (v.kind == JINJA_BOOL)
		buf_adds(b, v.b ? "true" : "false");
	else if (v.kind == JINJA_INT || (v.kind == JINJA_FLOAT && isfinite(v.f)))
		put_value(b, v, false, 0);
	else if (v.kind == JINJA_STR)
		put_json_str(b, v.s.p, v.s.n, st->flags);
	else if (v.kind == JINJA_LIST)
		put_json_list(b, v.list, st, depth);
	else if (v.kind == JINJA_DICT && (!v.dict->is_namespace || depth == 0))
		put_json_dict(b, v.dict, st, depth);
	else if (v.kind == JINJA_TIME)
		put_time(b, v.i, '"');
	else
		buf_adds(b, "null");
}

void
jinja_put_json_with(struct buf *b, struct jinja_val v, unsigned flags, int indent)
{
	put_json(b, v, &(struct json_style){flags, indent}, 0);
}

void
jinja_put_json(struct buf *b, struct jinja_val v)
{
	jinja_put_json_with(b, v, 0, -1);
}
