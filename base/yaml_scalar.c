/*
 * Scalars by the core schema of YAML 1.2: null, true, false, integers, floats; everything
 * else is a string ("yes", "on", 1:30, 2026-11-22).
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/yaml_impl.h"

static bool
one_of(const char *s, const char *a, const char *b, const char *c)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0 || strcmp(s, c) == 0;
}

static bool
is_null(const char *s)
{
	return *s == '\0' || strcmp(s, "~") == 0 || one_of(s, "null", "Null", "NULL");
}

static bool
is_bool(const char *s, bool *out)
{
	*out = one_of(s, "true", "True", "TRUE");
	return *out || one_of(s, "false", "False", "FALSE");
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* 0o17 and 0x1F; 1 if it is one, 0 if not, -1 if it is too large. */
static int
based_int(const char *s, int64_t *out)
{
	int base = s[1] == 'o' ? 8 : 16, digit;
	int64_t v = 0;

	if (s[0] != '0' || (s[1] != 'o' && s[1] != 'x') || s[2] == '\0')
		return 0;
	for (s += 2; *s != '\0'; s++) {
		digit = hex_digit(*s);
		if (digit >= base)
			return 0;
		if (v > (INT64_MAX - digit) / base)
			return -1;
		v = v * base + digit;
	}
	*out = v;
	return 1;
}

static bool
is_special_float(const char *s, double *out)
{
	bool negative = *s == '-';

	if (one_of(s, ".nan", ".NaN", ".NAN")) {
		*out = (double)NAN;
		return true;
	}
	if (*s == '-' || *s == '+')
		s++;
	if (!one_of(s, ".inf", ".Inf", ".INF"))
		return false;
	*out = negative ? -(double)INFINITY : (double)INFINITY;
	return true;
}

static bool
resolve_number(struct yaml_node *node)
{
	const char *s = node->str;
	int based;

	if (!is_digit(*s) && *s != '-' && *s != '+' && *s != '.')
		return false;
	if ((based = based_int(s, &node->i)) < 0)
		return false;
	if (based > 0 || num_i64(s, &node->i) == 0) {
		node->kind = YAML_INT;
		return true;
	}
	/* An integer beyond 64 bits is kept as a number; its text is still there. */
	if (num_decimal(s, &node->f) != 0 && !is_special_float(s, &node->f))
		return false;
	node->kind = YAML_FLOAT;
	return true;
}

void
yaml_resolve(struct yaml_node *node)
{
	const char *s = node->str;

	node->kind = YAML_STR;
	if (node->len > 400) /* no number that anybody wrote */
		return;
	if (is_null(s))
		node->kind = YAML_NULL;
	else if (is_bool(s, &node->b))
		node->kind = YAML_BOOL;
	else
		(void)resolve_number(node); /* or it stays a string */
}

int
yaml_resolve_as(struct yaml_node *node, const char *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	static const struct {
		const char *name;
		enum yaml_kind kind;
	} kinds[] = {{"null", YAML_NULL},
		     {"bool", YAML_BOOL},
		     {"int", YAML_INT},
		     {"float", YAML_FLOAT},
		     {"str", YAML_STR}};
	enum yaml_kind want;
	size_t i;

	if (strncmp(tag, prefix, sizeof(prefix) - 1) != 0)
		return -2;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(tag + sizeof(prefix) - 1, kinds[i].name) == 0)
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return -2;
	want = kinds[i].kind;
	node->kind = YAML_STR;
	if (want == YAML_STR)
		return 0;
	yaml_resolve(node);
	if (want == YAML_FLOAT && node->kind == YAML_INT) {
		node->f = (double)node->i;
		node->kind = YAML_FLOAT;
	}
	return node->kind == want ? 0 : -1;
}
