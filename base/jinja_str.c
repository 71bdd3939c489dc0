/* What filters and methods do with strings, by characters. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <string.h>

static void
put_char(struct buf *b, uint32_t c)
{
	char text[4];

	buf_add(b, text, jinja_u8_put(text, c));
}

/* Where the words of JINJA_TITLE begin. */
static bool
begins_word(uint32_t c)
{
	return jinja_u8_space(c) || c == '-' || c == '(' || c == '{' || c == '[' ||
	       c == '<';
}

int
jinja_case_str(struct jinja_run *run, struct jinja_val s, enum jinja_case how,
	       struct jinja_val *out)
{
	bool first = true; /* of the string, or of a word */
	uint32_t c, up, low;
	struct buf b;
	size_t i, adv;

	jinja_buf(run, &b);
	for (i = 0; i < s.s.n && !buf_failed(&b); i += adv) {
		c = jinja_u8_next(s.s.p + i, s.s.n - i, &adv);
		up = jinja_u8_upper(c);
		low = jinja_u8_lower(c);
		if (how == JINJA_SWAPCASE)
			put_char(&b, low != c ? low : up);
		else if (how == JINJA_UPPER || (how != JINJA_LOWER && first))
			put_char(&b, up);
		else
			put_char(&b, low);
		first = (how == JINJA_TITLE && begins_word(c)) ||
			(how == JINJA_TITLE_PYTHON && !jinja_u8_letter(c));
	}
	return jinja_take_buf(run, &b, out);
}

static bool
among(uint32_t c, const struct jinja_val *chars)
{
	size_t i, adv;

	if (chars == NULL)
		return jinja_u8_space(c);
	for (i = 0; i < chars->s.n; i += adv)
		if (jinja_u8_next(chars->s.p + i, chars->s.n - i, &adv) == c)
			return true;
	return false;
}

/* Where the last character of p[0, n) begins. */
static size_t
last_char(const char *p, size_t n)
{
	size_t back, adv;

	for (back = 1; back < 4 && back < n; back++) {
		if (((unsigned char)p[n - back] & 0xc0) != 0x80) {
			(void)jinja_u8_next(p + n - back, back, &adv);
			return adv == back ? n - back : n - 1;
		}
	}
	(void)jinja_u8_next(p + n - back, back, &adv);
	return adv == back ? n - back : n - 1;
}

int
jinja_strip(struct jinja_run *run, struct jinja_val s, const struct jinja_val *chars,
	    unsigned sides, struct jinja_val *out)
{
	const char *p = s.s.p;
	size_t n = s.s.n, adv, at;

	/* Each character is compared with each of chars. */
	if (chars != NULL && jinja_cost(run, n) != 0)
		return -1;
	while ((sides & 1) != 0 && n > 0 && among(jinja_u8_next(p, n, &adv), chars)) {
		if (chars != NULL && jinja_cost(run, chars->s.n) != 0)
			return -1;
		p += adv;
		n -= adv;
	}
	while ((sides & 2) != 0 && n > 0) {
		at = last_char(p, n);
		if (!among(jinja_u8_next(p + at, n - at, &adv), chars))
			break;
		if (chars != NULL && jinja_cost(run, chars->s.n) != 0)
			return -1;
		n = at;
	}
	return jinja_make_str(run, p, n, out);
}

int
jinja_replace(struct jinja_run *run, struct jinja_val s, struct jinja_val old,
	      struct jinja_val new, int64_t count, struct jinja_val *out)
{
	const char *p = s.s.p, *end = s.s.p + s.s.n, *at;
	struct buf b;
	size_t adv;

	jinja_buf(run, &b);
	while (count != 0 && !buf_failed(&b)) {
		if (old.s.n == 0) { /* before every character and at the end */
			buf_add(&b, new.s.p, new.s.n);
			if (p == end)
				break;
			(void)jinja_u8_next(p, (size_t)(end - p), &adv);
			buf_add(&b, p, adv);
			p += adv;
		} else {
			at = memmem(p, (size_t)(end - p), old.s.p, old.s.n);
			if (at == NULL)
				break;
			buf_add(&b, p, (size_t)(at - p));
			buf_add(&b, new.s.p, new.s.n);
			p = at + old.s.n;
		}
		count -= count > 0;
	}
	buf_add(&b, p, (size_t)(end - p));
	if (jinja_cost(run, s.s.n) != 0) {
		buf_release(&b);
		return -1;
	}
	return jinja_take_buf(run, &b, out);
}

static void
put_fill(struct buf *b, uint32_t fill, uint64_t n)
{
	for (; n > 0 && !buf_failed(b); n--)
		put_char(b, fill);
}

int
jinja_pad(struct jinja_run *run, struct jinja_val s, int64_t width, uint32_t fill,
	  int side, struct jinja_val *out)
{
	size_t len = jinja_u8_len(s.s.p, s.s.n);
	uint64_t room, left;
	struct buf b;

	if (jinja_cost(run, s.s.n) != 0)
		return -1;
	if (width <= 0 || (uint64_t)width <= len) {
		*out = s;
		return 0;
	}
	room = (uint64_t)width - len;
	if (room > run->output_max)
		return jinja_fail_limit(run, "the text is longer than %zu bytes",
					run->output_max);
	/* Python gives the odd blank of a centred text to the left if the width is odd. */
	left = side > 0 ? room : side < 0 ? 0 : room / 2 + (room & (uint64_t)width & 1);
	jinja_buf(run, &b);
	put_fill(&b, fill, left);
	buf_add(&b, s.s.p, s.s.n);
	put_fill(&b, fill, room - left);
	return jinja_take_buf(run, &b, out);
}

/* Lines end as Python's splitlines has it; \r\n is one end. */
static bool
ends_line(uint32_t c)
{
	return (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 ||
	       c == 0x2028 || c == 0x2029;
}

int
jinja_split_lines(struct jinja_run *run, struct jinja_val s, struct jinja_list **out)
{
	struct jinja_list *l = jinja_make_list(run);
	size_t start = 0, i = 0, adv;
	struct jinja_val line;
	uint32_t c;

	if (l == NULL)
		return -1;
	while (i < s.s.n) {
		c = jinja_u8_next(s.s.p + i, s.s.n - i, &adv);
		if (!ends_line(c)) {
			i += adv;
			continue;
		}
		if (jinja_make_str(run, s.s.p + start, i - start, &line) != 0 ||
		    jinja_push(run, l, line) != 0)
			return -1;
		i += adv;
		if (c == '\r' && i < s.s.n && s.s.p[i] == '\n')
			i++;
		start = i;
	}
	if (start < s.s.n && (jinja_make_str(run, s.s.p + start, i - start, &line) != 0 ||
			      jinja_push(run, l, line) != 0))
		return -1;
	*out = l;
	return 0;
}

int
jinja_join(struct jinja_run *run, const struct jinja_list *l, struct jinja_val sep,
	   struct jinja_val *out)
{
	struct jinja_val v;
	struct buf b;
	size_t i;
	int rc = 0;

	jinja_buf(run, &b);
	for (i = 0; i < l->n && rc == 0; i++) {
		if (i != 0)
			buf_add(&b, sep.s.p, sep.s.n);
		rc = jinja_settle(run, l->v[i], &v);
		if (rc == 0) {
			jinja_put(&b, v);
			rc = jinja_check_buf(run, &b);
		}
	}
	if (rc != 0) {
		buf_release(&b);
		return -1;
	}
	return jinja_take_buf(run, &b, out);
}
