#include "base/path.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/*
 * Patterns are matched component by component.  Both levels, components against "**" and
 * characters against "*", are the same problem: a star takes as little as it can, and when
 * the rest fails only the last star need take one more, because whatever an earlier star
 * could give up the last one can give up too.
 */

/* A run of text, here one component or what is left of it. */
struct text {
	const char *p;
	size_t n;
};

bool
path_has_glob(const char *path)
{
	for (; *path != '\0'; path++) {
		if (*path == '\\' && path[1] != '\0')
			path++;
		else if (*path == '*' || *path == '?' || *path == '[')
			return true;
	}
	return false;
}

/* Take one character off t; bytes that are no UTF-8 are characters of their own kind. */
static uint32_t
take(struct text *t)
{
	uint32_t cp;
	int len = utf8_decode(t->p, t->n, &cp);

	if (len < 0) {
		cp = 0x110000u + (unsigned char)*t->p;
		len = 1;
	}
	t->p += len;
	t->n -= (size_t)len;
	return cp;
}

/* One character of a bracket expression, maybe behind a backslash. */
static uint32_t
take_quoted(struct text *t)
{
	if (*t->p == '\\' && t->n > 1) {
		t->p++;
		t->n--;
	}
	return take(t);
}

/*
 * Match c against the bracket expression behind the "[" at *pattern: 1 or 0 with *pattern
 * behind its "]", or -1 if it has none.
 */
static int
match_bracket(struct text *pattern, uint32_t c)
{
	struct text t = {pattern->p + 1, pattern->n - 1};
	bool negated = t.n > 0 && (*t.p == '!' || *t.p == '^');
	bool found = false, first = true;
	uint32_t low, high;

	if (negated)
		(void)take(&t);
	while (t.n > 0 && (*t.p != ']' || first)) {
		first = false;
		low = high = take_quoted(&t);
		if (t.n > 1 && t.p[0] == '-' && t.p[1] != ']') {
			(void)take(&t);
			high = take_quoted(&t);
		}
		if (c >= low && c <= high)
			found = true;
	}
	if (t.n == 0)
		return -1;
	(void)take(&t);
	*pattern = t;
	return found != negated ? 1 : 0;
}

/* Match one character of s against one element of the pattern that is no star. */
static bool
match_one(struct text *pattern, struct text *s)
{
	uint32_t c = take(s);
	int r;

	switch (*pattern->p) {
	case '?':
		(void)take(pattern);
		return true;
	case '[':
		if ((r = match_bracket(pattern, c)) >= 0)
			return r == 1;
		return take(pattern) == c;
	default:
		return take_quoted(pattern) == c;
	}
}

static bool
match_component(struct text pattern, struct text s)
{
	struct text star_pattern = {0}, star_s = {0};

	while (s.n > 0) {
		struct text p = pattern, t = s;

		if (p.n > 0 && *p.p == '*') {
			(void)take(&pattern);
			star_pattern = pattern;
			star_s = s;
		} else if (p.n > 0 && match_one(&p, &t)) {
			pattern = p;
			s = t;
		} else if (star_pattern.p != NULL) {
			(void)take(&star_s); /* the last star takes one more */
			pattern = star_pattern;
			s = star_s;
		} else {
			return false;
		}
	}
	while (pattern.n > 0 && *pattern.p == '*')
		(void)take(&pattern);
	return pattern.n == 0;
}

/* The component at the start of a normalized path; p NULL behind the last. */
static struct text
first_component(const char *path)
{
	if (path == NULL || *path == '\0')
		return (struct text){0};
	return (struct text){path, strcspn(path, "/")};
}

/* What lies behind that component. */
static const char *
behind(const char *path, struct text c)
{
	return path[c.n] == '/' ? path + c.n + 1 : path + c.n;
}

static bool
is_stars(struct text t)
{
	return t.n == 2 && t.p[0] == '*' && t.p[1] == '*';
}

static bool
is_dotdot(struct text t)
{
	return t.n == 2 && t.p[0] == '.' && t.p[1] == '.';
}

/* Drop what both start with and is no name: "/", "..", and "." as a whole. */
static void
skip_start(const char **a, const char **b)
{
	*a += strcmp(*a, ".") == 0 ? 1 : 0;
	*b += strcmp(*b, ".") == 0 ? 1 : 0;
	if (**a == '/' && **b == '/') {
		++*a;
		++*b;
	}
	while (is_dotdot(first_component(*a)) && is_dotdot(first_component(*b))) {
		*a = behind(*a, first_component(*a));
		*b = behind(*b, first_component(*b));
	}
}

bool
path_glob_match(const char *pattern, const char *path)
{
	const char *star_pattern = NULL, *star_path = NULL;
	struct text p, s;

	skip_start(&pattern, &path);
	if (*pattern == '/' || *path == '/' || is_dotdot(first_component(path)))
		return false; /* ".." is no name that a star could match */
	while ((s = first_component(path)).p != NULL) {
		p = first_component(pattern);
		if (p.p != NULL && is_stars(p)) {
			pattern = star_pattern = behind(pattern, p);
			star_path = path;
		} else if (p.p != NULL && match_component(p, s)) {
			pattern = behind(pattern, p);
			path = behind(path, s);
		} else if (star_pattern != NULL) {
			star_path = behind(star_path, first_component(star_path));
			pattern = star_pattern;
			path = star_path;
		} else {
			return false;
		}
	}
	while ((p = first_component(pattern)).p != NULL && is_stars(p))
		pattern = behind(pattern, p);
	return p.p == NULL;
}

static bool
has_glob(struct text t)
{
	size_t i;

	for (i = 0; i < t.n; i++)
		if (strchr("*?[\\", t.p[i]) != NULL)
			return true;
	return false;
}

/* Whether one name could match both. */
static bool
could_meet(struct text a, struct text b)
{
	if (has_glob(a) && has_glob(b))
		return true;
	return match_component(a, b) || match_component(b, a);
}

bool
path_glob_overlap(const char *pattern, const char *path)
{
	struct text p, s;

	skip_start(&pattern, &path);
	for (;;) {
		p = first_component(pattern);
		s = first_component(path);
		/* At the end of either, it is the other or above it. */
		if (p.p == NULL || s.p == NULL || is_stars(p) || is_stars(s))
			return true;
		/* Where they start at different places the text alone does not tell. */
		if (p.n == 0 || s.n == 0 || is_dotdot(p) || is_dotdot(s))
			return true;
		if (!could_meet(p, s))
			return false;
		pattern = behind(pattern, p);
		path = behind(path, s);
	}
}
