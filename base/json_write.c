#include "base/json.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "base/utf8.h"

void
json_init(struct json_writer *w, struct buf *out, int indent)
{
	memset(w, 0, sizeof(*w));
	w->out = out;
	w->indent = indent;
	w->first[0] = true;
}

static void
new_line(struct json_writer *w)
{
	if (w->indent > 0)
		buf_addf(w->out, "\n%*s", w->depth * w->indent, "");
}

/* The comma before a member that is not the first, and its line. */
static void
member(struct json_writer *w)
{
	if (!w->first[w->depth])
		buf_addc(w->out, ',');
	w->first[w->depth] = false;
	new_line(w);
}

/* What goes before a value: nothing after a key, else it is a member of an array. */
static void
value(struct json_writer *w)
{
	if (w->depth == 0) {
		assert(w->first[0]); /* one value at the top */
		w->first[0] = false;
	} else if (w->object[w->depth]) {
		assert(w->have_key);
		w->have_key = false;
	} else {
		member(w);
	}
}

static void
begin(struct json_writer *w, bool object)
{
	value(w);
	assert(w->depth < JSON_DEPTH_MAX);
	buf_addc(w->out, object ? '{' : '[');
	w->depth++;
	w->first[w->depth] = true;
	w->object[w->depth] = object;
}

void
json_begin_object(struct json_writer *w)
{
	begin(w, true);
}

void
json_begin_array(struct json_writer *w)
{
	begin(w, false);
}

void
json_end(struct json_writer *w)
{
	bool object = w->object[w->depth], empty = w->first[w->depth];

	assert(w->depth > 0 && !w->have_key);
	w->depth--;
	if (!empty)
		new_line(w);
	buf_addc(w->out, object ? '}' : ']');
}

/* Append the escape of an ASCII character that may not stand for itself. */
static void
put_escape(struct buf *b, char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c != '\0' ? strchr(plain, c) : NULL;

	if (at != NULL) {
		buf_addc(b, '\\');
		buf_addc(b, letters[at - plain]);
	} else {
		buf_addf(b, "\\u%04x", (unsigned)(unsigned char)c);
	}
}

static void
put_string(struct buf *b, const char *s, size_t n)
{
	const char *run = s, *end = s + n; /* run: what is not written yet */
	uint32_t cp;
	int len;

	buf_addc(b, '"');
	while (s < end) {
		len = utf8_decode(s, (size_t)(end - s), &cp);
		if (len > 0 && cp >= 0x20 && cp != '"' && cp != '\\') {
			s += len;
			continue;
		}
		buf_add(b, run, (size_t)(s - run));
		if (len > 0)
			put_escape(b, *s);
		else
			buf_adds(b, "\xef\xbf\xbd");
		s += len > 0 ? len : -len;
		run = s;
	}
	buf_add(b, run, (size_t)(s - run));
	buf_addc(b, '"');
}

void
json_key(struct json_writer *w, const char *key)
{
	assert(w->depth > 0 && w->object[w->depth] && !w->have_key);
	member(w);
	put_string(w->out, key, strlen(key));
	buf_adds(w->out, w->indent > 0 ? ": " : ":");
	w->have_key = true;
}

void
json_strn(struct json_writer *w, const char *s, size_t n)
{
	value(w);
	put_string(w->out, s, n);
}

void
json_str(struct json_writer *w, const char *s)
{
	if (s == NULL)
		json_put_null(w);
	else
		json_strn(w, s, strlen(s));
}

void
json_int(struct json_writer *w, int64_t v)
{
	value(w);
	buf_addf(w->out, "%lld", (long long)v);
}

/*
 * The fewest digits that read back.  Up to 15 always survive a normal double, so there 15
 * digits without trailing zeros are the shortest; fewer are tried only for subnormals.
 */
static void
shortest(char *out, size_t size, double v)
{
	double back;
	int digits;

	for (digits = fabs(v) < 2.2250738585072014e-308 ? 1 : 15; digits <= 17;
	     digits++) {
		(void)snprintf(out, size, "%.*g", digits, v);
		if (num_f64(out, &back) == 0 && back == v)
			return;
	}
}

void
json_double(struct json_writer *w, double v)
{
	char text[32], *e;
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0), old;

	if (!isfinite(v) || c_locale == (locale_t)0) {
		json_put_null(w);
		return;
	}
	value(w);
	old = uselocale(c_locale);
	shortest(text, sizeof(text), v);
	(void)uselocale(old);
	/* "1e+06" is "1e6". */
	if ((e = strchr(text, 'e')) == NULL) {
		buf_adds(w->out, text);
		return;
	}
	e++;
	buf_add(w->out, text, (size_t)(e - text));
	if (*e == '-')
		buf_addc(w->out, '-');
	buf_adds(w->out, e + strspn(e, "+-0"));
}

void
json_bool(struct json_writer *w, bool v)
{
	value(w);
	buf_adds(w->out, v ? "true" : "false");
}

void
json_put_null(struct json_writer *w)
{
	value(w);
	buf_adds(w->out, "null");
}

void
json_raw(struct json_writer *w, const char *p, size_t n)
{
	value(w);
	buf_add(w->out, p, n);
}

void
json_time(struct json_writer *w, int64_t us)
{
	char text[TIMEFMT_MAX];

	if (us == 0)
		json_put_null(w);
	else
		json_str(w, time_rfc3339_us(text, us));
}

void
json_kv_str(struct json_writer *w, const char *key, const char *v)
{
	json_key(w, key);
	json_str(w, v);
}

void
json_kv_int(struct json_writer *w, const char *key, int64_t v)
{
	json_key(w, key);
	json_int(w, v);
}

void
json_kv_bool(struct json_writer *w, const char *key, bool v)
{
	json_key(w, key);
	json_bool(w, v);
}

void
json_kv_time(struct json_writer *w, const char *key, int64_t v)
{
	json_key(w, key);
	json_time(w, v);
}
