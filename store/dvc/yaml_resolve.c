/*
 * What a plain scalar is, by the patterns of ruamel.yaml for YAML 1.2.  They decide which
 * strings must be quoted, too: those that would be read as something else.
 */
#include <string.h>

#include "store/dvc/yaml_doc_int.h"

#define DIGITS "0123456789"

static bool
is_word(const char *s, size_t n, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == n && memcmp(*words, s, n) == 0)
			return true;
	return false;
}

/* Behind as many characters of ${set} as there are. */
static const char *
run(const char *s, const char *end, const char *set)
{
	while (s < end && *s != '\0' && strchr(set, *s) != NULL)
		s++;
	return s;
}

static const char *
sign(const char *s, const char *end)
{
	return s < end && (*s == '-' || *s == '+') ? s + 1 : s;
}

/* [eE][-+]?[0-9]+ up to the end; ${signed_only}: the sign must be there. */
static bool
is_exponent(const char *s, const char *end, bool signed_only)
{
	const char *digits;

	if (s == end || (*s != 'e' && *s != 'E'))
		return false;
	digits = sign(s + 1, end);
	if (signed_only && digits == s + 1)
		return false;
	return digits < end && run(digits, end, DIGITS) == end;
}

static bool
is_float(const char *s, const char *end)
{
	static const char *const infs[] = {".inf", ".Inf", ".INF", NULL};
	static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
	const char *p = sign(s, end), *q;

	if (is_word(p, (size_t)(end - p), infs) || is_word(s, (size_t)(end - s), nans))
		return true;
	if (p < end && *p == '.') {
		q = run(p + 1, end, DIGITS "_");
		return q > p + 1 && (q == end || is_exponent(q, end, true));
	}
	if (p == end || strchr(DIGITS, *p) == NULL)
		return false;
	q = run(p, end, DIGITS "_");
	if (q == end)
		return false;
	if (*q != '.')
		return is_exponent(q, end, false);
	q = run(q + 1, end, DIGITS "_");
	return q == end || is_exponent(q, end, false);
}

static bool
is_based(const char *s, const char *end, const char *set)
{
	return s < end && run(s, end, set) == end;
}

static bool
is_int(const char *s, const char *end)
{
	const char *p = sign(s, end);

	if (is_based(p, end, DIGITS "_"))
		return true;
	if (end - p < 3 || *p != '0')
		return false;
	if (p[1] == 'b')
		return is_based(p + 2, end, "01_");
	if (p[1] == 'o')
		return is_based(p + 2, end, "01234567_");
	return p[1] == 'x' && is_based(p + 2, end, DIGITS "abcdefABCDEF_");
}

/* Takes from ${least} to ${most} digits; NULL if there are fewer. */
static const char *
digits(const char *s, const char *end, int least, int most)
{
	int n = 0;

	while (s != NULL && s < end && n < most && *s >= '0' && *s <= '9') {
		s++;
		n++;
	}
	return n >= least ? s : NULL;
}

static const char *
one(const char *s, const char *end, char c)
{
	return s != NULL && s < end && *s == c ? s + 1 : NULL;
}

/* Behind the zone of a time: blanks, then Z or [-+]H[H][:MM]; ${s} if there is none. */
static const char *
zone(const char *s, const char *end)
{
	const char *p = run(s, end, " \t"), *q;

	if (p < end && *p == 'Z')
		return p + 1;
	if (p == sign(p, end))
		return s;
	p = digits(p + 1, end, 1, 2);
	if (p == NULL)
		return s;
	q = digits(one(p, end, ':'), end, 2, 2);
	return q != NULL ? q : p;
}

static bool
is_timestamp(const char *s, const char *end)
{
	const char *day = one(digits(s, end, 4, 4), end, '-'), *p, *t;

	p = digits(one(digits(day, end, 2, 2), end, '-'), end, 2, 2);
	if (p == end)
		return true;
	p = digits(one(digits(day, end, 1, 2), end, '-'), end, 1, 2);
	if (p == NULL || p == end)
		return false;
	t = *p == 'T' || *p == 't' ? p + 1 : run(p, end, " \t");
	if (t == p)
		return false;
	p = digits(one(digits(t, end, 1, 2), end, ':'), end, 2, 2);
	p = digits(one(p, end, ':'), end, 2, 2);
	if (p == NULL)
		return false;
	if (p < end && *p == '.')
		p = run(p + 1, end, DIGITS);
	return p == end || zone(p, end) == end;
}

enum yaml_val_kind
ydoc_resolve(const char *s, size_t n)
{
	static const char *const bools[] = {"true",  "True",  "TRUE", "false",
					    "False", "FALSE", NULL};
	static const char *const nulls[] = {"~", "null", "Null", "NULL", NULL};
	const char *end = s + n;

	if (n == 0 || is_word(s, n, nulls))
		return YV_NULL;
	if (is_word(s, n, bools))
		return YV_BOOL;
	if (n == 1 && *s == '=')
		return YV_SEQ;
	if (n == 2 && memcmp(s, "<<", 2) == 0)
		return YV_MAP;
	if (strchr("-+.0123456789", *s) == NULL)
		return YV_STR;
	if (is_float(s, end))
		return YV_FLOAT;
	if (*s != '.' && is_int(s, end))
		return YV_INT;
	return is_timestamp(s, end) ? YV_DATE : YV_STR;
}
