#include "store/dvc/ignore_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/dvc/ignore.h"
#include "store/dvc/wildmatch.h"

struct rules {
	VEC(struct rule) v;
	struct arena *arena;
};

struct rules *
rules_new(void)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->arena = arena_new(0);
	if (r->arena == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	vec_release(&r->v);
	arena_free(r->arena);
	free(r);
}

size_t
rules_count(const struct rules *r)
{
	return r->v.n;
}

const struct rule *
rules_at(const struct rules *r, size_t i)
{
	return &r->v.v[i];
}

/* ---- one rule ---- */

/* Blanks at the end do not count, but for one behind a backslash. */
static size_t
trim_git(const char *p, size_t n)
{
	size_t i, keep = 0;

	for (i = 0; i < n; i++)
		if (p[i] == '\\' && i + 1 < n)
			keep = ++i + 1;
		else if (p[i] != ' ')
			keep = i + 1;
	return keep;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static void
trim_dvc(const char **p, size_t *n)
{
	while (*n > 0 && is_space((*p)[*n - 1]))
		--*n;
	while (*n > 0 && is_space(**p)) {
		++*p;
		--*n;
	}
}

static bool
ends_with(const struct rule *r, const char *tail)
{
	size_t n = strlen(tail);

	return r->n >= n && memcmp(r->p + r->n - n, tail, n) == 0;
}

/* Two stars and a slash in front of a name mean what the name alone means. */
static void
drop_stars(struct rule *r)
{
	if (r->n > 3 && memcmp(r->p, "**/", 3) == 0 &&
	    memchr(r->p + 3, '/', r->n - 3) == NULL) {
		r->p += 3;
		r->n -= 3;
		r->flags |= RULE_NAME;
	}
}

/* What can be matched without looking at a pattern. */
static void
classify(struct rule *r, bool dvc)
{
	r->literal = wildmatch_literal(r->p, r->n);
	if ((r->flags & RULE_NAME) == 0) {
		if (dvc && ends_with(r, "/**"))
			r->flags |= RULE_INSIDE;
	} else if (r->literal == r->n) {
		r->flags |= RULE_LITERAL;
	} else if (r->p[0] == '*' && wildmatch_literal(r->p + 1, r->n - 1) == r->n - 1) {
		r->flags |= RULE_SUFFIX;
		r->p++;
		r->n--;
	}
}

/* Make a rule of the pattern; false: it can never match. */
static bool
parse_rule(struct rule *r, const char *p, size_t n, bool dvc)
{
	if (n > 0 && *p == '!') {
		r->flags |= RULE_NEGATED;
		p++;
		n--;
	}
	if (n > 0 && p[n - 1] == '/') {
		r->flags |= RULE_DIR;
		n--;
	}
	if (memchr(p, '/', n) == NULL)
		r->flags |= RULE_NAME;
	if (n > 0 && *p == '/') {
		p++;
		n--;
	}
	if (n == 0 || p[n - 1] == '/')
		return false;
	r->p = p;
	r->n = n;
	if (!wildmatch_valid(p, n))
		return false;
	while (ends_with(r, "/**/**"))
		r->n -= 3;
	if ((r->flags & RULE_NAME) == 0)
		drop_stars(r);
	classify(r, dvc);
	return true;
}

/* ---- a file ---- */

static int
add_line(struct rules *rules, const char *file, unsigned line, const char *p, size_t n,
	 bool dvc, struct err *err)
{
	struct rule r = {.file = file, .line = line};
	const char *nul = memchr(p, '\0', n);

	if (nul != NULL)
		n = (size_t)(nul - p);
	if (dvc)
		trim_dvc(&p, &n);
	if (n == 0 || *p == '#')
		return 0;
	n = trim_git(p, n);
	if (n > IGNORE_RULE_MAX)
		return err_set(err, ERR_LIMIT,
			       "%s:%u: the rule is longer than the limit of %d bytes",
			       file, line, IGNORE_RULE_MAX);
	r.text = arena_strndup(rules->arena, p, n);
	if (r.text == NULL)
		return err_nomem(err);
	if (!parse_rule(&r, r.text, n, dvc))
		return 0;
	if (rules->v.n >= IGNORE_RULES_MAX)
		return err_set(err, ERR_LIMIT, "%s:%u: there are more than %d rules",
			       file, line, IGNORE_RULES_MAX);
	return vec_push(&rules->v, r) == 0 ? 0 : err_nomem(err);
}

int
rules_add(struct rules *rules, const char *file, const char *text, size_t n, bool dvc,
	  struct err *err)
{
	const char *end = text + n, *eol;
	unsigned line = 0;
	size_t len;

	if (file != NULL && (file = arena_strdup(rules->arena, file)) == NULL)
		return err_nomem(err);
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (; text < end; text = eol < end ? eol + 1 : end) {
		eol = memchr(text, '\n', (size_t)(end - text));
		if (eol == NULL)
			eol = end;
		len = (size_t)(eol - text);
		if (len > 0 && text[len - 1] == '\r')
			len--;
		if (add_line(rules, file, ++line, text, len, dvc, err) != 0)
			return -1;
	}
	return 0;
}
