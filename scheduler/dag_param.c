/*
 * Declarations of params, and whether they agree with themselves.
 */
#include <errno.h>
#include <math.h>
#include <regex.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "scheduler/dag_load.h"

#define PATTERN_MAX  1000   /* bytes of a regular expression */
#define REPEATS_MAX  100000 /* product of its {n,m}: what the C library unrolls */
#define ENUM_MAX     1000
#define ARRAY_LENGTH 100000

static const char *const type_words[] = {"string",  "integer", "number",
					 "boolean", "array",   NULL};

/* ---- one value against a declaration ---- */

static bool
has_type(const struct yaml_node *n, enum param_type type)
{
	switch (type) {
	case PARAM_STRING:
		return n->kind == YAML_STR;
	case PARAM_INTEGER:
		return n->kind == YAML_INT;
	case PARAM_NUMBER:
		return n->kind == YAML_INT || (n->kind == YAML_FLOAT && isfinite(n->f));
	case PARAM_BOOLEAN:
		return n->kind == YAML_BOOL;
	case PARAM_ARRAY:
		return n->kind == YAML_SEQ;
	}
	return false;
}

static bool
check_type(struct load *L, const struct dag_param *p, const char *what,
	   const struct yaml_node *n)
{
	if (has_type(n, p->type))
		return true;
	diag_add(L->d, DIAG_ERROR, load_pos(L, n),
		 "%s of param '%s', which is %s %s, cannot be %s", what, p->name,
		 strchr("aeiou", *param_type_name(p->type)) != NULL ? "an" : "a",
		 param_type_name(p->type),
		 n->kind == YAML_FLOAT && !isfinite(n->f) ? "infinite"
							  : yaml_kind_name(n->kind));
	if (p->type == PARAM_STRING && load_is_scalar(n))
		diag_hint(L->d, "write \"%s\"", n->str);
	else if (p->type == PARAM_BOOLEAN && load_is_scalar(n))
		diag_hint(L->d, "write true or false, without quotes");
	else if (load_is_scalar(n) && n->kind == YAML_STR &&
		 num_f64(n->str, &(double){0}) == 0)
		diag_hint(L->d, "write %s without quotes", n->str);
	return false;
}

/* What minimum and maximum are about: a number, or a length in characters or items. */
static double
measure(const struct dag_param *p, const struct yaml_node *n)
{
	size_t count = 0;

	if (p->type == PARAM_ARRAY)
		return (double)n->seq.n;
	if (p->type != PARAM_STRING)
		return n->kind == YAML_INT ? (double)n->i : n->f;
	for (size_t i = 0; i < n->len; i++)
		count += ((unsigned char)n->str[i] & 0xc0) != 0x80;
	return (double)count;
}

static void
check_range(struct load *L, const struct dag_param *p)
{
	static const struct {
		const char *below, *above, *unit;
	} words[] = {
	    [PARAM_STRING] = {"is shorter than", "is longer than", " characters"},
	    [PARAM_INTEGER] = {"is below", "is above", ""},
	    [PARAM_NUMBER] = {"is below", "is above", ""},
	    [PARAM_BOOLEAN] = {"", "", ""},
	    [PARAM_ARRAY] = {"has fewer than", "has more than", " items"}};
	double v = measure(p, p->def);

	if (p->has_min && v < p->min)
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->def),
			 "the default of param '%s' %s its minimum, %.17g%s", p->name,
			 words[p->type].below, p->min, words[p->type].unit);
	else if (p->has_max && v > p->max)
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->def),
			 "the default of param '%s' %s its maximum, %.17g%s", p->name,
			 words[p->type].above, p->max, words[p->type].unit);
}

static bool
same_value(const struct yaml_node *a, const struct yaml_node *b)
{
	double x, y;

	if (a->kind == YAML_STR || b->kind == YAML_STR)
		return a->kind == b->kind && strcmp(a->str, b->str) == 0;
	if (a->kind == YAML_BOOL || b->kind == YAML_BOOL)
		return a->kind == b->kind && a->b == b->b;
	if (a->kind == YAML_INT && b->kind == YAML_INT)
		return a->i == b->i;
	x = a->kind == YAML_INT ? (double)a->i : a->f;
	y = b->kind == YAML_INT ? (double)b->i : b->f;
	return !(x < y) && !(x > y);
}

static void
check_in_enum(struct load *L, const struct dag_param *p, const struct yaml_node *n)
{
	struct suggest s;

	for (size_t i = 0; i < p->nenums; i++)
		if (same_value(p->enums[i], n))
			return;
	diag_add(L->d, DIAG_ERROR, load_pos(L, n),
		 "the default '%s' of param '%s' is none of its `enum`", n->str, p->name);
	suggest_start(&s, n->str);
	for (size_t i = 0; i < p->nenums; i++)
		suggest_try(&s, p->enums[i]->str);
	load_did_you_mean(L, suggest_best(&s));
}

/* ---- patterns ---- */

/* The product of the upper bounds of all {n,m}, at most REPEATS_MAX + 1. */
static uint64_t
repeats(const char *s)
{
	uint64_t product = 1, n, most;

	for (; (s = strchr(s, '{')) != NULL; s++) {
		for (most = 1, n = 0, s++; (*s >= '0' && *s <= '9') || *s == ','; s++) {
			n = *s == ',' ? 0 : n * 10 + (uint64_t)(*s - '0');
			n = n > REPEATS_MAX ? REPEATS_MAX + 1 : n;
			most = n > most ? n : most;
		}
		product *= most;
		if (product > REPEATS_MAX)
			return REPEATS_MAX + 1;
		if (*s == '\0')
			break;
	}
	return product;
}

/* Compile it as it is matched: whole.  0 and *re to be freed, or -1, said. */
static int
compile_pattern(struct load *L, const struct yaml_node *n, regex_t *re)
{
	char text[128];
	struct buf whole;
	int rc;

	if (n->len > PATTERN_MAX || repeats(n->str) > REPEATS_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "the pattern is too %s",
			 n->len > PATTERN_MAX
			     ? "long: at most 1000 bytes"
			     : "large: its repetitions multiply to over 100000");
		return -1;
	}
	buf_init(&whole, 0);
	buf_addf(&whole, "^(%s)$", n->str);
	if (buf_failed(&whole)) {
		buf_release(&whole);
		return load_nomem(L);
	}
	rc = regcomp(re, whole.p, REG_EXTENDED | REG_NOSUB);
	buf_release(&whole);
	if (rc == 0)
		return 0;
	if (rc == REG_ESPACE)
		return load_nomem(L);
	(void)regerror(rc, re, text, sizeof(text));
	diag_add(L->d, DIAG_ERROR, load_pos(L, n), "the pattern cannot be read: %s",
		 text);
	diag_hint(L->d,
		  "it is a POSIX extended regular expression: [0-9]+ instead of \\d+");
	return -1;
}

static void
check_pattern(struct load *L, const struct dag_param *p, const struct yaml_node *pattern)
{
	regex_t re;
	int rc = 0;

	if (p->type != PARAM_STRING) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, pattern),
			 "`pattern` is for strings; param '%s' is %s %s", p->name,
			 strchr("aeiou", *param_type_name(p->type)) != NULL ? "an" : "a",
			 param_type_name(p->type));
		return;
	}
	if (compile_pattern(L, pattern, &re) != 0)
		return;
	errno = 0;
	if (p->def != NULL && p->def->kind == YAML_STR)
		rc = regexec(&re, p->def->str, 0, NULL, 0);
	/* glibc does not tell it from a text that does not match. */
	if (rc != 0 && errno == ENOMEM)
		(void)load_nomem(L);
	else if (rc != 0)
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->def),
			 "the default '%s' of param '%s' does not match its pattern",
			 p->def->str, p->name);
	regfree(&re);
}

/* ---- the keys of a declaration ---- */

struct declaration {
	const struct yaml_node *type, *def, *enums, *minimum, *maximum, *pattern,
	    *required, *description;
};

static const struct {
	const char *key;
	size_t at;
} keys[] = {{"type", offsetof(struct declaration, type)},
	    {"default", offsetof(struct declaration, def)},
	    {"enum", offsetof(struct declaration, enums)},
	    {"minimum", offsetof(struct declaration, minimum)},
	    {"maximum", offsetof(struct declaration, maximum)},
	    {"pattern", offsetof(struct declaration, pattern)},
	    {"required", offsetof(struct declaration, required)},
	    {"description", offsetof(struct declaration, description)}};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void
unknown_key(struct load *L, const struct yaml_node *key)
{
	static const struct {
		const char *theirs, *ours;
	} foreign[] = {
	    {"min", "minimum"},	      {"max", "maximum"},	{"values", "enum"},
	    {"choices", "enum"},      {"options", "enum"},	{"value", "default"},
	    {"minLength", "minimum"}, {"maxLength", "maximum"}, {"regex", "pattern"},
	    {"title", "description"}, {"doc", "description"},	{"help", "description"},
	    {"minItems", "minimum"},  {"maxItems", "maximum"}};
	struct suggest s;

	diag_add(L->d, DIAG_ERROR, load_pos(L, key), "unknown key '%s' of a param",
		 key->str);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (strcmp(foreign[i].theirs, key->str) == 0) {
			load_did_you_mean(L, foreign[i].ours);
			return;
		}
	}
	suggest_start(&s, key->str);
	for (size_t i = 0; i < KEYS; i++)
		suggest_try(&s, keys[i].key);
	load_did_you_mean(L, suggest_best(&s));
}

static void
collect(struct load *L, const struct yaml_node *map, struct declaration *decl)
{
	for (size_t i = 0; i < map->map.n; i++) {
		size_t k = 0;

		while (k < KEYS && strcmp(keys[k].key, map->map.v[i].key->str) != 0)
			k++;
		if (k == KEYS)
			unknown_key(L, map->map.v[i].key);
		else
			memcpy((char *)decl + keys[k].at, &map->map.v[i].val,
			       sizeof(map->map.v[i].val));
	}
}

static enum param_type
infer(const struct yaml_node *n)
{
	if (n->kind == YAML_INT)
		return PARAM_INTEGER;
	if (n->kind == YAML_FLOAT)
		return PARAM_NUMBER;
	if (n->kind == YAML_BOOL)
		return PARAM_BOOLEAN;
	return n->kind == YAML_SEQ ? PARAM_ARRAY : PARAM_STRING;
}

/* The declared type, or the one of the default; false if it is wrong, said. */
static bool
read_type(struct load *L, const struct declaration *decl, struct dag_param *p)
{
	static const struct key_spec spec = {
	    .name = "type", .type = KEY_ENUM, .values = type_words};
	size_t i;

	if (decl->type != NULL) {
		if (!load_enum(L, &spec, decl->type, &i))
			return false;
		p->type = (enum param_type)i;
		p->has_type = true;
	} else if (p->def != NULL)
		p->type = infer(p->def);
	else if (decl->enums != NULL && decl->enums->kind == YAML_SEQ &&
		 decl->enums->seq.n > 0)
		p->type = infer(decl->enums->seq.v[0]);
	return true;
}

static int
read_enum(struct load *L, const struct yaml_node *n, struct dag_param *p)
{
	if (n->kind != YAML_SEQ || n->seq.n == 0 || n->seq.n > ENUM_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "`enum` takes a list of 1 to %d values", ENUM_MAX);
		return 0;
	}
	if (p->type == PARAM_ARRAY) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "`enum` is not for arrays");
		return 0;
	}
	p->enums = (const struct yaml_node *const *)n->seq.v;
	for (size_t i = 0; i < n->seq.n; i++)
		if (check_type(L, p, "an `enum` value", n->seq.v[i]))
			p->nenums = i + 1;
	if (p->nenums != n->seq.n)
		p->nenums = 0; /* said; the default is not held against half a list */
	return 0;
}

static bool
read_bound(struct load *L, const char *key, const struct yaml_node *n,
	   const struct dag_param *p, double *out)
{
	bool length = p->type == PARAM_STRING || p->type == PARAM_ARRAY;

	if (p->type == PARAM_BOOLEAN) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "`%s` is not for booleans",
			 key);
		return false;
	}
	if ((n->kind != YAML_INT && (length || n->kind != YAML_FLOAT)) ||
	    (n->kind == YAML_FLOAT && !isfinite(n->f)) || (length && n->i < 0)) {
		load_wrong_type(L, key, length ? "a length" : "a number", n);
		return false;
	}
	*out = n->kind == YAML_INT ? (double)n->i : n->f;
	return true;
}

static void
read_bounds(struct load *L, const struct declaration *decl, struct dag_param *p)
{
	if (decl->minimum != NULL)
		p->has_min = read_bound(L, "minimum", decl->minimum, p, &p->min);
	if (decl->maximum != NULL)
		p->has_max = read_bound(L, "maximum", decl->maximum, p, &p->max);
	if (p->has_min && p->has_max && p->min > p->max) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, decl->minimum),
			 "the minimum of param '%s' is above its maximum %s", p->name,
			 decl->maximum->str);
		p->has_min = p->has_max = false;
	}
}

static void
read_required(struct load *L, const struct declaration *decl, struct dag_param *p)
{
	static const struct key_spec spec = {.name = "required", .type = KEY_BOOL};

	/* Without a default a param must be given, unless the file says that it need not. */
	p->required = p->def == NULL;
	if (decl->required == NULL || !load_bool(L, &spec, decl->required, &p->required))
		return;
	if (p->required && p->def != NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, decl->required),
			 "param '%s' has a default, so it is never required", p->name);
		diag_hint(L->d, "remove `required` or `default`");
	}
}

/* Hold the default against everything else that is declared. */
static void
check_default(struct load *L, const struct dag_param *p)
{
	if (p->def == NULL || !check_type(L, p, "the default", p->def))
		return;
	if (p->def->kind == YAML_SEQ && p->def->seq.n > ARRAY_LENGTH)
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->def),
			 "an array has at most %d items", ARRAY_LENGTH);
	if (p->def->str != NULL &&
	    (strstr(p->def->str, "{{") != NULL || strstr(p->def->str, "{%") != NULL)) {
		diag_add(L->d, DIAG_WARNING, load_pos(L, p->def),
			 "a default is no template: this text is taken as it stands");
	}
	if (p->nenums > 0)
		check_in_enum(L, p, p->def);
	if (p->type != PARAM_BOOLEAN)
		check_range(L, p);
}

static int
read_param(struct load *L, const struct yaml_pair *pair, struct dag_param *p)
{
	static const struct key_spec description = {.name = "description",
						    .type = KEY_TEXT},
				     pattern = {.name = "pattern", .type = KEY_STRING};
	struct declaration decl = {0};

	p->name = pair->key->str;
	p->node = pair->val;
	if (pair->val->kind == YAML_MAP)
		collect(L, pair->val, &decl);
	else
		decl.def = pair->val;
	if (decl.def != NULL && !load_is_null(decl.def))
		p->def = decl.def;
	if (pair->val->kind == YAML_NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, pair->key),
			 "param '%s' has neither a default nor a type", p->name);
		diag_hint(L->d, "write %s: {type: string} or a default", p->name);
		return 0;
	}
	if (!read_type(L, &decl, p))
		return 0;
	read_bounds(L, &decl, p);
	if (decl.enums != NULL && read_enum(L, decl.enums, p) != 0)
		return -1;
	read_required(L, &decl, p);
	if (decl.description != NULL)
		(void)load_text(L, &description, decl.description,
				&p->description); /* said */
	check_default(L, p);
	if (decl.pattern != NULL && load_text(L, &pattern, decl.pattern, &p->pattern))
		check_pattern(L, p, decl.pattern);
	return L->nomem ? -1 : 0;
}

int
load_params(struct load *L, const struct yaml_node *map)
{
	struct dag *g = L->dag;

	if (load_is_null(map))
		return 0;
	if (map->kind != YAML_MAP) {
		load_wrong_type(L, "params", schema_key_type_text(KEY_PARAMS), map);
		diag_hint(L->d, "write params: {NAME: default}");
		return 0;
	}
	if (map->map.n > DAG_PARAMS_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, map),
			 "there are %zu params; at most %d", map->map.n, DAG_PARAMS_MAX);
		return 0;
	}
	g->params = arena_array(L->arena, map->map.n, sizeof(*g->params));
	if (g->params == NULL)
		return load_nomem(L);
	for (size_t i = 0; i < map->map.n; i++) {
		struct dag_param *p = &g->params[g->nparams];

		if (!load_check_name(L, "param", map->map.v[i].key))
			continue;
		if (read_param(L, &map->map.v[i], p) != 0)
			return -1;
		if (map_put(&L->params, p->name, p) < 0)
			return load_nomem(L);
		g->nparams++;
	}
	return 0;
}
