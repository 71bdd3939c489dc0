/*
 * The values of keys: what they may be, and what is said where they are not.
 */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "scheduler/dag_load.h"

bool
load_is_scalar(const struct yaml_node *n)
{
	return n->str != NULL && n->kind != YAML_NULL;
}

bool
load_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_NULL;
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool
load_is_name(const char *s, size_t len)
{
	if (len == 0 || len > DAG_NAME_MAX || !is_name_start(*s))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_name_start(s[i]) && !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return false;
	return true;
}

bool
load_check_name(struct load *L, const char *what, const struct yaml_node *n)
{
	if (n->str != NULL && load_is_name(n->str, n->len))
		return true;
	if (n->str == NULL)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the name of a %s is a word, not %s", what,
			 yaml_kind_name(n->kind));
	else if (n->len > DAG_NAME_MAX)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the name of a %s has at most %d characters; this one has %zu",
			 what, DAG_NAME_MAX, n->len);
	else {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "'%s' cannot be the name of a %s", n->str, what);
		diag_hint(
		    L->d,
		    "a name has letters, digits, _ and -, and begins with a letter or _");
	}
	return false;
}

/* ---- wrong types ---- */

static bool
is_word_of(const char *s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasecmp(s, *words) == 0)
			return true;
	return false;
}

static void
hint_fix(struct load *L, const char *takes, const struct yaml_node *val)
{
	static const char *const yes[] = {"yes", "on", "y", "true", NULL};
	static const char *const no[] = {"no", "off", "n", "false", NULL};
	int64_t i;
	double f;

	if (load_is_null(val)) {
		diag_hint(L->d, "write a value behind the ':', or remove the key");
		return;
	}
	if (val->kind != YAML_STR)
		return;
	if (strcmp(takes, "true or false") == 0 && is_word_of(val->str, yes))
		diag_hint(L->d, "write true");
	else if (strcmp(takes, "true or false") == 0 && is_word_of(val->str, no))
		diag_hint(L->d, "write false");
	else if ((strcmp(takes, "an integer") == 0 && num_i64(val->str, &i) == 0) ||
		 (strcmp(takes, "a number") == 0 && num_f64(val->str, &f) == 0))
		diag_hint(L->d, "write %s without quotes", val->str);
}

void
load_wrong_type(struct load *L, const char *key, const char *takes,
		const struct yaml_node *val)
{
	diag_add(L->d, DIAG_ERROR, load_pos(L, val), "`%s` takes %s, not %s", key, takes,
		 yaml_kind_name(val->kind));
	hint_fix(L, takes, val);
}

static void
wrong_type(struct load *L, const struct key_spec *spec, const struct yaml_node *val)
{
	load_wrong_type(L, spec->name, schema_key_type_text(spec->type), val);
}

/* ---- one value ---- */

bool
load_text(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	  const char **out)
{
	if (!load_is_scalar(val)) {
		wrong_type(L, spec, val);
		return false;
	}
	*out = val->str;
	return true;
}

bool
load_bool(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	  bool *out)
{
	if (val->kind != YAML_BOOL) {
		wrong_type(L, spec, val);
		return false;
	}
	*out = val->b;
	return true;
}

bool
load_int(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	 int64_t *out)
{
	if (val->kind != YAML_INT) {
		wrong_type(L, spec, val);
		return false;
	}
	if (val->i < spec->min || val->i > spec->max) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, val),
			 "`%s` is %lld to %lld, not %s", spec->name, spec->min, spec->max,
			 val->str);
		return false;
	}
	*out = val->i;
	return true;
}

/* As num_duration. */
static int
read_duration(const struct yaml_node *val, int64_t *us)
{
	if (val->kind != YAML_INT && val->kind != YAML_FLOAT && val->kind != YAML_STR)
		return -1;
	return num_duration(val->str, us);
}

void
load_no_duration(struct load *L, const struct yaml_node *val)
{
	diag_add(L->d, DIAG_ERROR, load_pos(L, val), "'%s' is no duration", val->str);
	diag_hint(L->d, "write 90s, 5m, 1h30m or 2d; a bare number is seconds");
}

void
load_long_duration(struct load *L, const struct key_spec *spec,
		   const struct yaml_node *val, int64_t most)
{
	struct buf b;

	buf_init(&b, 0);
	num_put_duration(&b, most);
	diag_add(L->d, DIAG_ERROR, load_pos(L, val), "`%s` is at most %s", spec->name,
		 b.p);
	buf_release(&b);
}

bool
load_duration(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	      int64_t *out)
{
	int64_t us;
	int rc;

	if (!load_is_scalar(val) || val->kind == YAML_BOOL) {
		wrong_type(L, spec, val);
		return false;
	}
	rc = read_duration(val, &us);
	if (rc < 0) {
		load_no_duration(L, val);
		return false;
	}
	if (rc > 0 || us < spec->min || us > spec->max) {
		load_long_duration(L, spec, val, spec->max);
		return false;
	}
	*out = us;
	return true;
}

bool
load_backoff(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	     double *out)
{
	double f = val->kind == YAML_INT ? (double)val->i : 0;

	if (val->kind == YAML_BOOL) {
		*out = val->b ? 2 : 1;
		return true;
	}
	if (val->kind == YAML_FLOAT)
		f = val->f;
	else if (val->kind != YAML_INT) {
		wrong_type(L, spec, val);
		return false;
	}
	if (!(f >= (double)spec->min && f <= (double)spec->max)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, val),
			 "`%s` is %lld to %lld, not %s", spec->name, spec->min, spec->max,
			 val->str);
		diag_hint(L->d,
			  "it is the factor from one delay to the next; 2 doubles it");
		return false;
	}
	*out = f;
	return true;
}

bool
load_enum(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	  size_t *out)
{
	const char *near;

	if (!load_is_scalar(val)) {
		wrong_type(L, spec, val);
		return false;
	}
	for (size_t i = 0; spec->values[i] != NULL; i++) {
		if (strcmp(spec->values[i], val->str) == 0) {
			*out = i;
			return true;
		}
	}
	diag_add(L->d, DIAG_ERROR, load_pos(L, val), "`%s` knows no '%s'", spec->name,
		 val->str);
	near = load_like_value(val->str, spec->values);
	if (near != NULL)
		load_did_you_mean(L, near);
	else {
		struct buf all;

		buf_init(&all, 0);
		for (size_t i = 0; spec->values[i] != NULL; i++)
			buf_addf(&all, " %s", spec->values[i]);
		diag_hint(L->d, "it knows%s", all.p);
		buf_release(&all);
	}
	return false;
}

/* ---- lists ---- */

struct yaml_node *const *
load_items(struct load *L, const struct key_spec *spec, struct yaml_node *const *val,
	   size_t *n)
{
	*n = 0;
	if (load_is_null(*val))
		return val;
	if ((*val)->kind == YAML_MAP) {
		wrong_type(L, spec, *val);
		if (spec->type == KEY_NAMES || spec->type == KEY_PATHS)
			diag_hint(L->d, "write a list: [a, b]");
		return NULL;
	}
	if ((*val)->kind == YAML_SEQ) {
		*n = (*val)->seq.n;
		return (*val)->seq.n > 0 ? (*val)->seq.v : val;
	}
	*n = 1;
	return val;
}

static bool
check_tag(struct load *L, const struct yaml_node *n)
{
	if (!load_is_scalar(n)) {
		load_wrong_type(L, "tags", "words", n);
		return false;
	}
	if (n->len > 0 && n->len <= DAG_NAME_MAX && strpbrk(n->str, " \t\r\n,+") == NULL)
		return true;
	if (n->len > DAG_NAME_MAX)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "a tag has at most %d characters", DAG_NAME_MAX);
	else
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "a tag is one word without commas and plus signs");
	return false;
}

int
load_tags(struct load *L, const struct key_spec *spec, struct yaml_node *const *val,
	  const char ***tags, size_t *ntags)
{
	struct yaml_node *const *items;
	size_t n, i, j, kept = 0;
	const char **v;

	items = load_items(L, spec, val, &n);
	if (items == NULL)
		return 0;
	if (n > 100) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, *val),
			 "there are %zu tags; at most 100", n);
		return 0;
	}
	v = arena_array(L->arena, n + 1, sizeof(*v));
	if (v == NULL)
		return load_nomem(L);
	for (i = 0; i < n; i++) {
		if (!check_tag(L, items[i]))
			continue;
		for (j = 0; j < kept && strcmp(v[j], items[i]->str) != 0; j++)
			;
		if (j == kept)
			v[kept++] = items[i]->str;
	}
	*tags = v;
	*ntags = kept;
	return 0;
}
