/*
 * The members of a mapping: each key once, and the merge key.
 */
#include <string.h>

#include "base/arena.h"
#include "base/yaml_impl.h"

static bool
same_key(const struct yaml_node *a, const struct yaml_node *b)
{
	return a->len == b->len && memcmp(a->str, b->str, a->len) == 0;
}

static bool
is_merge(const struct yaml_node *key)
{
	return key->style == YAML_STYLE_PLAIN && key->len == 2 &&
	       memcmp(key->str, "<<", 2) == 0;
}

static void
duplicate(struct yaml_reader *r, const struct yaml_node *again,
	  const struct yaml_node *first)
{
	r->mistakes = true;
	diag_add(r->d, DIAG_ERROR, yaml_node_pos(r, again), "the key '%s' is given twice",
		 again->str);
	diag_add(r->d, DIAG_NOTE, yaml_node_pos(r, first), "first given here");
}

#define FEW_KEYS 12 /* compared one by one */

/* Keep the first of equal keys among the pairs from base on. */
static int
drop_duplicates(struct yaml_reader *r, size_t base)
{
	size_t n = r->pairs.n - base, kept = 0, i, j;
	struct yaml_pair *v = n != 0 ? r->pairs.v + base : NULL;
	struct map seen = {0};

	for (i = 0; i < n; i++) {
		struct yaml_node *first = NULL;

		if (n > FEW_KEYS)
			first = map_getn(&seen, v[i].key->str, v[i].key->len);
		else
			for (j = 0; j < kept && first == NULL; j++)
				if (same_key(v[j].key, v[i].key))
					first = v[j].key;
		if (first != NULL) {
			duplicate(r, v[i].key, first);
			continue;
		}
		if (n > FEW_KEYS &&
		    map_putn(&seen, v[i].key->str, v[i].key->len, v[i].key) < 0) {
			map_release(&seen);
			return yaml_nomem(r);
		}
		v[kept++] = v[i];
	}
	r->pairs.n = base + kept;
	map_release(&seen);
	return 0;
}

/* Put the pairs over those that are there; a key that is there keeps its place. */
static int
put_over(struct yaml_reader *r, struct map *into, struct yaml_pair *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (map_putn(into, v[i].key->str, v[i].key->len, &v[i]) < 0)
			return yaml_nomem(r);
	return 0;
}

/* What `<<` names; of a list the first wins. */
static int
put_merged(struct yaml_reader *r, struct map *into, const struct yaml_node *val)
{
	size_t i;

	if (val->kind == YAML_MAP)
		return put_over(r, into, val->map.v, val->map.n);
	for (i = 0; val->kind == YAML_SEQ && i < val->seq.n; i++)
		if (val->seq.v[i]->kind != YAML_MAP)
			break;
	if (val->kind == YAML_SEQ && i == val->seq.n) {
		while (i-- > 0)
			if (put_over(r, into, val->seq.v[i]->map.v,
				     val->seq.v[i]->map.n) != 0)
				return -1;
		return 0;
	}
	r->mistakes = true;
	diag_add(r->d, DIAG_ERROR, yaml_node_pos(r, val),
		 "'<<' takes a mapping or a list of mappings, not %s",
		 yaml_kind_name(val->kind == YAML_SEQ ? val->seq.v[i]->kind : val->kind));
	diag_hint(r->d, "name one by its anchor: <<: *name");
	return 0;
}

/*
 * `<<: *base` (YAML 1.1's merge key): the mapping's own keys win, then those of the mappings
 * merged.  What is merged stands first, in the order that PyYAML and ruamel.yaml load it.
 */
static int
merge(struct yaml_reader *r, size_t base, const struct yaml_node *val)
{
	struct map all = {0};
	size_t n = r->pairs.n - base;
	struct yaml_pair *own = arena_array(r->arena, n + 1, sizeof *own);
	int rc = own != NULL ? put_merged(r, &all, val) : yaml_nomem(r);

	if (rc == 0 && n != 0)
		memcpy(own, r->pairs.v + base, n * sizeof *own);
	if (rc == 0)
		rc = put_over(r, &all, own, n);
	r->pairs.n = base;
	map_foreach (&all, e)
		if (rc == 0 && vec_push(&r->pairs, *(struct yaml_pair *)e->val) != 0)
			rc = yaml_nomem(r);
	map_release(&all);
	return rc;
}

static int
apply_merge(struct yaml_reader *r, size_t base)
{
	const struct yaml_node *val = NULL;
	size_t i;

	for (i = base; i < r->pairs.n; i++)
		if (is_merge(r->pairs.v[i].key))
			break;
	if (i == r->pairs.n)
		return 0;
	val = r->pairs.v[i].val;
	memmove(r->pairs.v + i, r->pairs.v + i + 1,
		(r->pairs.n - i - 1) * sizeof(*r->pairs.v));
	r->pairs.n--;
	return merge(r, base, val);
}

void
yaml_bad_key(struct yaml_reader *r, const struct yaml_node *map,
	     const struct yaml_node *key)
{
	struct diag_pos pos = yaml_node_pos(r, key);

	r->mistakes = true;
	/* `x: {{ y }}` is to YAML a mapping whose key is a mapping. */
	if (map->style == YAML_STYLE_FLOW && key->kind == YAML_MAP &&
	    key->style == YAML_STYLE_FLOW && key->src == map->src + 1) {
		pos.col--;
		pos.width += 2;
		diag_add(r->d, DIAG_ERROR, pos,
			 "a value that starts with {{ must be quoted");
		diag_hint(r->d, "write \"{{ ... }}\"");
	} else
		diag_add(r->d, DIAG_ERROR, pos, "a key must be a plain word, not %s",
			 yaml_kind_name(key->kind));
}

int
yaml_finish_map(struct yaml_reader *r, struct yaml_node *n, size_t base)
{
	if (drop_duplicates(r, base) != 0 || apply_merge(r, base) != 0)
		return -1;
	n->map.n = r->pairs.n - base;
	n->map.v = arena_array(r->arena, n->map.n, sizeof(*n->map.v));
	if (n->map.v == NULL)
		return yaml_nomem(r);
	if (n->map.n > 0)
		memcpy(n->map.v, r->pairs.v + base, n->map.n * sizeof(*n->map.v));
	/* The caret of a block mapping underlines its first key. */
	if (n->style == YAML_STYLE_BLOCK && n->map.n > 0 &&
	    n->map.v[0].key->line == n->line)
		n->width = n->map.v[0].key->width;
	r->pairs.n = base;
	return 0;
}
