/* Values found by their keys, and compared. */
#include <string.h>

#include "base/num.h"
#include "base/yaml.h"
#include "store/dvc/yaml_doc_int.h"
#include "store/pipeline/value.h"

/* ---- comparing ---- */

static bool
is_number(const struct yaml_node *v)
{
	return v->kind == YAML_BOOL || v->kind == YAML_INT || v->kind == YAML_FLOAT;
}

static bool
numbers_equal(const struct yaml_node *a, const struct yaml_node *b)
{
	static const enum yaml_val_kind kinds[] = {
	    [YAML_BOOL] = YV_BOOL, [YAML_INT] = YV_INT, [YAML_FLOAT] = YV_FLOAT};
	const struct yaml_val x = {.kind = kinds[a->kind], .text = a->str, .len = a->len},
			      y = {.kind = kinds[b->kind], .text = b->str, .len = b->len};

	return ydoc_number_equal(&x, &y);
}

static bool
keys_equal(const struct yaml_node *a, const struct yaml_node *b)
{
	if (is_number(a) && is_number(b))
		return numbers_equal(a, b);
	return a->kind == b->kind && a->len == b->len &&
	       memcmp(a->str, b->str, a->len) == 0;
}

static const struct yaml_node *
member(const struct yaml_node *map, const struct yaml_node *key, size_t near)
{
	/* Most often it stands where it stands in the other one. */
	if (near < map->map.n && keys_equal(map->map.v[near].key, key))
		return map->map.v[near].val;
	for (size_t i = 0; i < map->map.n; i++)
		if (keys_equal(map->map.v[i].key, key))
			return map->map.v[i].val;
	return NULL;
}

/* Within a collection Python calls a thing equal to itself, and there is one NaN. */
static bool
parts_equal(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind == YAML_FLOAT && b->kind == YAML_FLOAT &&
	    strcmp(a->str, ".nan") == 0 && strcmp(b->str, ".nan") == 0)
		return true;
	return value_equal(a, b);
}

bool
value_equal(const struct yaml_node *a, const struct yaml_node *b)
{
	const struct yaml_node *v;

	if (a == b)
		return true;
	if (is_number(a) && is_number(b))
		return numbers_equal(a, b);
	if (a->kind != b->kind)
		return false;
	if (a->kind == YAML_STR)
		return a->len == b->len && memcmp(a->str, b->str, a->len) == 0;
	if (a->kind == YAML_SEQ && a->seq.n != b->seq.n)
		return false;
	if (a->kind == YAML_MAP && a->map.n != b->map.n)
		return false;
	for (size_t i = 0; a->kind == YAML_SEQ && i < a->seq.n; i++)
		if (!parts_equal(a->seq.v[i], b->seq.v[i]))
			return false;
	for (size_t i = 0; a->kind == YAML_MAP && i < a->map.n; i++)
		if ((v = member(b, a->map.v[i].key, i)) == NULL ||
		    !parts_equal(a->map.v[i].val, v))
			return false;
	return true;
}

/* ---- finding ---- */

static const struct yaml_node *
step(const struct yaml_node *v, const char *part, size_t n)
{
	char text[24];
	int64_t i;

	if (v->kind == YAML_MAP) {
		for (size_t k = 0; k < v->map.n; k++)
			if (v->map.v[k].key->len == n &&
			    memcmp(v->map.v[k].key->str, part, n) == 0)
				return v->map.v[k].val;
		return NULL;
	}
	if (v->kind != YAML_SEQ || n >= sizeof text)
		return NULL;
	memcpy(text, part, n);
	text[n] = '\0';
	if (num_i64(text, &i) != 0)
		return NULL;
	if (i < 0)
		i += (int64_t)v->seq.n;
	return i >= 0 && (uint64_t)i < v->seq.n ? v->seq.v[i] : NULL;
}

const struct yaml_node *
value_find(const struct yaml_node *v, const char *key)
{
	key += *key == '.';
	while (v != NULL) {
		size_t n = strcspn(key, ".");

		v = step(v, key, n);
		if (key[n] == '\0')
			break;
		key += n + 1;
	}
	return v;
}
