#include "store/dvc/wildmatch.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* A run of text: what is left of a pattern or a path, or one component of it. */
struct run {
	const char *p;
	size_t n;
	bool utf8;
};

/* ---- one character ---- */

static void
skip(struct run *r, size_t n)
{
	r->p += n;
	r->n -= n;
}

/* Take a character off r.  Bytes that are no UTF-8 are characters of their own kind. */
static uint32_t
take(struct run *r)
{
	uint32_t c = (unsigned char)*r->p;
	int len = 1;

	if (r->utf8 && c >= 0x80) {
		len = utf8_decode(r->p, r->n, &c);
		if (len < 0) {
			c = 0x110000u + (unsigned char)*r->p;
			len = 1;
		}
	}
	skip(r, (size_t)len);
	return c;
}

/* ---- bracket expressions ---- */

static const struct {
	const char *name;
	int (*is)(int);
} classes[] = {
    {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
    {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
    {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* Is c in the class of this name?  -1: there is no such class. */
static int
in_class(const char *name, size_t n, uint32_t c)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0)
			return c < 0x80 && classes[i].is((int)c) != 0;
	return -1;
}

/*
 * At "[:" behind r: take "[:name:]" off and tell whether c is in it.  -1: unknown or without
 * end; -2: no class at all, the "[" is one of the set.
 */
static int
take_class(struct run *r, uint32_t c)
{
	const char *name = r->p + 2, *end = memchr(name, ']', r->n - 2);
	size_t n;
	int in;

	if (end == NULL)
		return -1;
	if (end == name || end[-1] != ':')
		return -2;
	n = (size_t)(end - name) - 1;
	in = in_class(name, n, c);
	skip(r, n + 4);
	return in;
}

/* A character of a set, maybe behind a backslash; false at the end of the pattern. */
static bool
take_quoted(struct run *r, uint32_t *c)
{
	if (r->n > 0 && *r->p == '\\')
		skip(r, 1);
	if (r->n == 0)
		return false;
	*c = take(r);
	return true;
}

/* Behind "low-" of a range: take its end. */
static int
take_range(struct run *r, uint32_t low, uint32_t c)
{
	uint32_t high;

	skip(r, 1);
	if (!take_quoted(r, &high))
		return -1;
	return c >= low && c <= high;
}

/*
 * Match c against the set at *pattern, which begins with "[": 1 or 0 with *pattern behind its
 * "]", or -1 where it can never match.
 */
static int
match_set(struct run *pattern, uint32_t c)
{
	struct run r = *pattern;
	bool negated, found = false, first = true, have_low = false;
	uint32_t low = 0;
	int in;

	skip(&r, 1);
	negated = r.n > 0 && (*r.p == '!' || *r.p == '^');
	skip(&r, negated ? 1 : 0);
	for (; r.n > 0 && (*r.p != ']' || first); first = false) {
		in = -2;
		if (*r.p == '-' && have_low && r.n > 1 && r.p[1] != ']') {
			in = take_range(&r, low, c);
			have_low = false;
		} else if (*r.p == '[' && r.n > 1 && r.p[1] == ':' &&
			   (in = take_class(&r, c)) != -2) {
			have_low = false;
		}
		if (in == -1)
			return -1;
		if (in == -2) {
			if (!take_quoted(&r, &low))
				return -1;
			have_low = true;
			in = low == c;
		}
		found = found || in == 1;
	}
	if (r.n == 0)
		return -1;
	skip(&r, 1);
	*pattern = r;
	return found != negated;
}

/* ---- one component ---- */

/* Match one character of s against the element of the pattern, which is no star. */
static bool
match_one(struct run *pattern, struct run *s)
{
	uint32_t c, want;

	if (*pattern->p == '[') {
		c = take(s);
		return match_set(pattern, c) == 1;
	}
	if (*pattern->p == '?') {
		skip(pattern, 1);
		(void)take(s);
		return true;
	}
	if (!take_quoted(pattern, &want))
		return false;
	return take(s) == want;
}

/*
 * A star takes as little as it can; when the rest fails only the last star need take more,
 * because what an earlier one could give up the last one can give up too.
 */
static bool
match_component(struct run pattern, struct run s)
{
	struct run star_pattern = {0}, star_s = {0};

	while (s.n > 0) {
		struct run p = pattern, t = s;

		if (p.n > 0 && *p.p == '*') {
			skip(&pattern, 1);
			star_pattern = pattern;
			star_s = s;
		} else if (p.n > 0 && match_one(&p, &t)) {
			pattern = p;
			s = t;
		} else if (star_pattern.p != NULL) {
			(void)take(&star_s);
			pattern = star_pattern;
			s = star_s;
		} else {
			return false;
		}
	}
	while (pattern.n > 0 && *pattern.p == '*')
		skip(&pattern, 1);
	return pattern.n == 0;
}

/* ---- whole paths ---- */

/*
 * Cut the first component off *rest, with the slash behind it; ${last} tells whether there
 * was none.  In a pattern a slash may hide behind a backslash, and one in a set is no border.
 */
static struct run
cut_component(struct run *rest, bool pattern, bool *last)
{
	struct run c = *rest, r = *rest;
	size_t slash = 1;

	while (r.n > 0 && *r.p != '/') {
		if (pattern && *r.p == '\\' && r.n > 1) {
			if (r.p[1] == '/') {
				slash = 2;
				break;
			}
			skip(&r, 2);
		} else if (!pattern || *r.p != '[' || match_set(&r, 0) < 0) {
			skip(&r, 1);
		}
	}
	*last = r.n == 0;
	c.n -= r.n;
	skip(&r, *last ? 0 : slash);
	*rest = r;
	return c;
}

static bool
is_stars(struct run c)
{
	return c.n == 2 && c.p[0] == '*' && c.p[1] == '*';
}

/* The same idea as for characters: only the last "**" need take one component more. */
bool
wildmatch(const char *pattern, size_t pn, const char *text, size_t tn, bool utf8)
{
	struct run p = {pattern, pn, utf8}, s = {text, tn, utf8}, c, name, after;
	struct run star_p = {0}, star_s = {0};
	bool p_end = pn == 0, s_end = tn == 0, last, name_last = false;
	bool star_end = false;

	while (!s_end) {
		after = p;
		last = true;
		c = p_end ? (struct run){0} : cut_component(&after, true, &last);
		if (!p_end && is_stars(c)) {
			if (last)
				return true; /* at least one component is left */
			p = star_p = after;
			star_s = s;
			star_end = false;
			continue;
		}
		name = s;
		if (!p_end) {
			name = cut_component(&s, false, &name_last);
			if (match_component(c, name)) {
				p = after;
				p_end = last;
				s_end = name_last;
				continue;
			}
		}
		if (star_p.p == NULL || star_end)
			return false;
		(void)cut_component(&star_s, false, &star_end);
		p = star_p;
		p_end = false;
		s = star_s;
		s_end = star_end;
	}
	return p_end;
}

bool
wildmatch_valid(const char *pattern, size_t n)
{
	struct run r = {pattern, n, false};

	while (r.n > 0) {
		if (*r.p == '[') {
			if (match_set(&r, 0) < 0)
				return false;
		} else if (*r.p == '\\') {
			if (r.n == 1)
				return false;
			skip(&r, 2);
		} else {
			skip(&r, 1);
		}
	}
	return n > 0;
}

size_t
wildmatch_literal(const char *pattern, size_t n)
{
	size_t i;

	for (i = 0; i < n && strchr("*?[\\", pattern[i]) == NULL; i++)
		continue;
	return i;
}
