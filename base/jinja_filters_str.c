/* Filters on strings. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"
#include "base/path.h"

#include <string.h>

#define REFERENCE_MAX 12 /* bytes of a character reference but its ';' */

/* ---- case, blanks, padding ---- */

static int
in_case(struct jinja_run *run, const struct jinja_args *a, enum jinja_case how,
	struct jinja_val *out)
{
	struct jinja_val s;

	if (jinja_self_str(run, a, &s) != 0)
		return -1;
	return jinja_case_str(run, s, how, out);
}

static int
filter_upper(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return in_case(run, a, JINJA_UPPER, out);
}

static int
filter_lower(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return in_case(run, a, JINJA_LOWER, out);
}

static int
filter_capitalize(struct jinja_run *run, const struct jinja_args *a,
		  struct jinja_val *out)
{
	return in_case(run, a, JINJA_CAPITALIZE, out);
}

static int
filter_title(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	return in_case(run, a, JINJA_TITLE, out);
}

static int
filter_trim(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s, chars;

	if (jinja_self_str(run, a, &s) != 0)
		return -1;
	if (!jinja_given(a, 0) || a->v[0].kind == JINJA_NONE)
		return jinja_strip(run, s, NULL, 3, out);
	if (jinja_arg_str(run, a, 0, "", &chars) != 0)
		return -1;
	return jinja_strip(run, s, &chars, 3, out);
}

static int
filter_center(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s;
	int64_t width;

	if (jinja_self_str(run, a, &s) != 0 || jinja_arg_int(run, a, 0, 80, &width) != 0)
		return -1;
	return jinja_pad(run, s, width, ' ', 0, out);
}

static int
filter_replace(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s, old, new;
	int64_t count = -1;

	if (jinja_self_str(run, a, &s) != 0 || jinja_to_str(run, a->v[0], &old) != 0 ||
	    jinja_to_str(run, a->v[1], &new) != 0)
		return -1;
	if (jinja_given(a, 2) && a->v[2].kind != JINJA_NONE &&
	    jinja_arg_int(run, a, 2, -1, &count) != 0)
		return -1;
	return jinja_replace(run, s, old, new, count, out);
}

static int
filter_format(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_list *l = jinja_make_list(run);
	struct jinja_dict *d = jinja_make_dict(run);
	struct jinja_val s;
	size_t i;

	if (l == NULL || d == NULL || jinja_self_str(run, a, &s) != 0)
		return -1;
	if (a->nrest != 0 && a->nkw != 0)
		return jinja_fail(run,
				  "a format takes values by place or by name, not both");
	for (i = 0; i < a->nrest; i++)
		if (jinja_push(run, l, a->rest[i]) != 0)
			return -1;
	for (i = 0; i < a->nkw; i++)
		if (jinja_put_member(run, d, jinja_str(a->kw[i].name), a->kw[i].val) != 0)
			return -1;
	l->flavour = JINJA_LIST_TUPLE;
	return jinja_printf(run, s, a->nkw != 0 ? jinja_dict_value(d) : jinja_list_val(l),
			    out);
}

/* ---- lines and words ---- */

/* Every line but the first, unless asked, behind ${width} blanks or a text. */
static int
filter_indent(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s, by = jinja_str("");
	bool first, blank, ends;
	struct jinja_list *l;
	int64_t width = 4;
	struct buf b;
	size_t i;

	if (jinja_self_str(run, a, &s) != 0 ||
	    jinja_arg_bool(run, a, 1, false, &first) != 0 ||
	    jinja_arg_bool(run, a, 2, false, &blank) != 0)
		return -1;
	if (jinja_given(a, 0) && a->v[0].kind == JINJA_STR)
		by = a->v[0];
	else if (jinja_arg_int(run, a, 0, 4, &width) != 0 ||
		 jinja_pad(run, by, width, ' ', -1, &by) != 0)
		return -1;
	if (jinja_split_lines(run, s, &l) != 0)
		return -1;
	jinja_buf(run, &b);
	for (i = 0; i < l->n && !buf_failed(&b); i++) {
		struct jinja_val line = l->v[i];

		if (i != 0)
			buf_addc(&b, '\n');
		if (i == 0 ? first : blank || line.s.n != 0)
			buf_add(&b, by.s.p, by.s.n);
		buf_add(&b, line.s.p, line.s.n);
	}
	/* A line end behind the last line begins an empty one. */
	ends = s.s.n == 0 || s.s.p[s.s.n - 1] == '\n' || s.s.p[s.s.n - 1] == '\r';
	if (ends && l->n != 0)
		buf_addc(&b, '\n');
	if (ends && (l->n == 0 ? first : blank))
		buf_add(&b, by.s.p, by.s.n);
	return jinja_take_buf(run, &b, out);
}

static int
filter_truncate(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s, end;
	int64_t length, leeway;
	size_t len, nend, cut;
	bool killwords;
	struct buf b;

	if (jinja_self_str(run, a, &s) != 0 ||
	    jinja_arg_int(run, a, 0, 255, &length) != 0 ||
	    jinja_arg_bool(run, a, 1, false, &killwords) != 0 ||
	    jinja_arg_str(run, a, 2, "...", &end) != 0)
		return -1;
	leeway = 5;
	if (jinja_given(a, 3) && a->v[3].kind != JINJA_NONE &&
	    jinja_arg_int(run, a, 3, 5, &leeway) != 0)
		return -1;
	len = jinja_u8_len(s.s.p, s.s.n);
	nend = jinja_u8_len(end.s.p, end.s.n);
	if (length < 0 || (uint64_t)length < nend || leeway < 0)
		return jinja_fail(run,
				  "a text cannot be cut to fewer characters than its end "
				  "mark has");
	if (len <= (uint64_t)length || len - (uint64_t)length <= (uint64_t)leeway) {
		*out = s;
		return jinja_cost(run, s.s.n);
	}
	cut = jinja_u8_skip(s.s.p, s.s.n, (size_t)length - nend);
	if (!killwords) {
		const char *blank = memrchr(s.s.p, ' ', cut);

		if (blank != NULL)
			cut = (size_t)(blank - s.s.p);
	}
	jinja_buf(run, &b);
	buf_add(&b, s.s.p, cut);
	buf_add(&b, end.s.p, end.s.n);
	return jinja_take_buf(run, &b, out);
}

static int
filter_wordcount(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s;
	bool in_word = false, word;
	int64_t n = 0;
	size_t i, adv;
	uint32_t c;

	if (jinja_self_str(run, a, &s) != 0 || jinja_cost(run, s.s.n) != 0)
		return -1;
	for (i = 0; i < s.s.n; i += adv) {
		c = jinja_u8_next(s.s.p + i, s.s.n - i, &adv);
		word = c == '_' || (c >= '0' && c <= '9') || jinja_u8_letter(c);
		n += word && !in_word;
		in_word = word;
	}
	*out = jinja_int(n);
	return 0;
}

/* ---- markup and addresses ---- */

static int
filter_escape(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	static const char from[] = "&<>\"'";
	static const char *const to[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
	struct jinja_val s;
	const char *at;
	struct buf b;
	size_t i;

	if (jinja_self_str(run, a, &s) != 0)
		return -1;
	jinja_buf(run, &b);
	for (i = 0; i < s.s.n && !buf_failed(&b); i++) {
		at = s.s.p[i] != '\0' ? strchr(from, s.s.p[i]) : NULL;
		if (at != NULL)
			buf_adds(&b, to[at - from]);
		else
			buf_addc(&b, s.s.p[i]);
	}
	return jinja_take_buf(run, &b, out);
}

/* The character of the number behind "&#": digits, or x and hexadecimal ones; 0 if it is none. */
static uint32_t
numbered(const char *p, const char *end)
{
	unsigned base = p < end && (*p | 0x20) == 'x' ? 16 : 10, d;
	uint32_t c = 0;

	for (p += base == 16; p < end; p++) {
		d = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0')
		    : (*p | 0x20) >= 'a' && (*p | 0x20) <= 'f'
			? (unsigned)((*p | 0x20) - 'a') + 10
			: base;
		if (d >= base || (c = c * base + d) > 0x10ffff)
			return 0;
	}
	return c >= 0xd800 && c <= 0xdfff ? 0 : c;
}

/* A character reference at ${p}: numbers and the five of XML, and nbsp.  Return its length,
 * or 0 with ${c} untouched if it is none. */
static size_t
reference(const char *p, size_t n, uint32_t *c)
{
	static const struct {
		const char *name;
		uint32_t c;
	} named[] = {{"&amp;", '&'},  {"&lt;", '<'},	{"&gt;", '>'},
		     {"&quot;", '"'}, {"&apos;", '\''}, {"&nbsp;", 0xa0}};
	uint32_t number;
	size_t i, len;

	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		len = strlen(named[i].name);
		if (len <= n && memcmp(p, named[i].name, len) == 0) {
			*c = named[i].c;
			return len;
		}
	}
	for (len = 2; len < n && len < REFERENCE_MAX && p[len] != ';'; len++)
		;
	if (len >= n || p[len] != ';' || p[1] != '#')
		return 0;
	number = numbered(p + 2, p + len);
	if (number == 0)
		return 0;
	*c = number;
	return len + 1;
}

/* Copy the text without what stands from ${open} to ${close}; one that is not closed stays. */
static void
put_without(struct buf *b, const char *p, size_t n, const char *open, const char *close)
{
	const char *end = p + n, *from, *to = NULL;

	while ((from = memmem(p, (size_t)(end - p), open, strlen(open))) != NULL &&
	       (to = memmem(from, (size_t)(end - from), close, strlen(close))) != NULL) {
		buf_add(b, p, (size_t)(from - p));
		p = to + strlen(close);
	}
	buf_add(b, p, (size_t)(end - p));
}

/* Each run of blanks one blank, none at the ends; references as characters. */
static void
put_collapsed(struct buf *b, const char *p, size_t n)
{
	const char *end = p + n, *next;
	bool blank = false;
	char text[4];
	size_t adv;
	uint32_t c;

	for (; p < end && !buf_failed(b); p = next) {
		c = jinja_u8_next(p, (size_t)(end - p), &adv);
		next = p + adv;
		if (jinja_u8_space(c)) {
			blank = b->n != 0;
			continue;
		}
		if (c == '&' && (adv = reference(p, (size_t)(end - p), &c)) != 0)
			next = p + adv;
		if (blank)
			buf_addc(b, ' ');
		blank = false;
		buf_add(b, text, jinja_u8_put(text, c));
	}
}

static int
filter_striptags(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct buf plain, tagless, b;
	struct jinja_val s;
	int rc;

	if (jinja_self_str(run, a, &s) != 0)
		return -1;
	jinja_buf(run, &plain);
	jinja_buf(run, &tagless);
	jinja_buf(run, &b);
	put_without(&plain, s.s.p, s.s.n, "<!--", "-->");
	put_without(&tagless, plain.p, plain.n, "<", ">");
	put_collapsed(&b, tagless.p, tagless.n);
	rc = jinja_check_buf(run, &plain) != 0 ? -1 : jinja_check_buf(run, &tagless);
	buf_release(&plain);
	buf_release(&tagless);
	if (rc == 0)
		return jinja_take_buf(run, &b, out);
	buf_release(&b);
	return -1;
}

/* Percent-encode; of a query also '/', and a blank as '+'. */
static void
put_quoted(struct buf *b, struct jinja_val s, bool query)
{
	size_t i;

	for (i = 0; i < s.s.n && !buf_failed(b); i++) {
		unsigned char c = (unsigned char)s.s.p[i];

		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (c != 0 && strchr("_.-~", c) != NULL) || (c == '/' && !query))
			buf_addc(b, (char)c);
		else if (c == ' ' && query)
			buf_addc(b, '+');
		else
			buf_addf(b, "%%%02X", c);
	}
}

/* One `key=value` of a query. */
static int
put_pair(struct jinja_run *run, struct buf *b, const struct jinja_list *pair, bool first)
{
	struct jinja_val key, v;

	if (jinja_to_str(run, pair->v[0], &key) != 0 ||
	    jinja_to_str(run, pair->v[1], &v) != 0)
		return -1;
	if (!first)
		buf_addc(b, '&');
	put_quoted(b, key, true);
	buf_addc(b, '=');
	put_quoted(b, v, true);
	return 0;
}

static int
filter_urlencode(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val v = a->self;
	const struct jinja_list *l;
	struct buf b;
	size_t i;
	int rc = 0;

	if (v.kind == JINJA_DICT || v.kind == JINJA_HOST) {
		if (jinja_call_method(run, v, "items", &(struct jinja_actual){0}, &v) !=
		    0)
			return -1;
	} else if (v.kind != JINJA_LIST) {
		if (jinja_self_str(run, a, &v) != 0)
			return -1;
		jinja_buf(run, &b);
		put_quoted(&b, v, false);
		return jinja_take_buf(run, &b, out);
	}
	l = v.list;
	jinja_buf(run, &b);
	for (i = 0; i < l->n && rc == 0; i++) {
		if (l->v[i].kind != JINJA_LIST || l->v[i].list->n != 2)
			rc = jinja_fail(run, "a query is made of pairs, not of %s",
					jinja_kind_name(l->v[i]));
		else
			rc = put_pair(run, &b, l->v[i].list, i == 0);
	}
	if (rc == 0)
		return jinja_take_buf(run, &b, out);
	buf_release(&b);
	return -1;
}

/* ---- paths, as basename(1) and dirname(1) have them ---- */

/* A path without the slashes at its end, of which the root keeps one. */
static size_t
without_slashes(const char *p, size_t n)
{
	while (n > 1 && p[n - 1] == '/')
		n--;
	return n;
}

/* Where the last component begins. */
static size_t
last_component(const char *p, size_t n)
{
	const char *slash = n > 1 ? memrchr(p, '/', n) : NULL;

	return slash != NULL ? (size_t)(slash - p) + 1 : 0;
}

static int
filter_basename(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s;
	size_t n, at;

	if (jinja_self_str(run, a, &s) != 0)
		return -1;
	n = without_slashes(s.s.p, s.s.n);
	at = last_component(s.s.p, n);
	return jinja_make_str(run, s.s.p + at, n - at, out);
}

/* The last component without its last suffix. */
static int
filter_stem(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	if (filter_basename(run, a, out) != 0)
		return -1;
	return jinja_make_str(run, out->s.p, path_stem_len(out->s.p), out);
}

static int
filter_dirname(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct jinja_val s;
	size_t n, at;

	if (jinja_self_str(run, a, &s) != 0)
		return -1;
	n = without_slashes(s.s.p, s.s.n);
	at = last_component(s.s.p, n);
	if (n == 1 && s.s.p[0] == '/')
		return jinja_make_str(run, "/", 1, out);
	if (at == 0)
		return jinja_make_str(run, ".", 1, out);
	return jinja_make_str(run, s.s.p, without_slashes(s.s.p, at), out);
}

const struct jinja_fn jinja_filters_str[] = {
    {"basename", filter_basename, "", 0, 0},
    {"capitalize", filter_capitalize, "", 0, 0},
    {"center", filter_center, "width", 0, 0},
    {"dirname", filter_dirname, "", 0, 0},
    {"e", filter_escape, "", 0, 0},
    {"escape", filter_escape, "", 0, 0},
    {"format", filter_format, "", 0, JINJA_FN_REST | JINJA_FN_KEYWORDS},
    {"indent", filter_indent, "width first blank", 0, 0},
    {"lower", filter_lower, "", 0, 0},
    {"replace", filter_replace, "old new count", 2, 0},
    {"stem", filter_stem, "", 0, 0},
    {"striptags", filter_striptags, "", 0, 0},
    {"title", filter_title, "", 0, 0},
    {"trim", filter_trim, "chars", 0, 0},
    {"truncate", filter_truncate, "length killwords end leeway", 0, 0},
    {"upper", filter_upper, "", 0, 0},
    {"urlencode", filter_urlencode, "", 0, 0},
    {"wordcount", filter_wordcount, "", 0, 0},
    {"wordwrap", jinja_wordwrap, "width break_long_words wrapstring break_on_hyphens", 0,
     0},
    {NULL, NULL, NULL, 0, 0},
};
