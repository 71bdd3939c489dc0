/*
 * `resources` of a task: what it may use of the machine.
 */
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/suggest.h"
#include "scheduler/dag_load.h"

static const struct key_spec *
resource(const char *name)
{
	const struct key_spec *k = schema_resource_keys();

	while (k->name != NULL && strcmp(k->name, name) != 0)
		k++;
	return k->name != NULL ? k : NULL;
}

static void
unknown(struct load *L, const struct yaml_node *key)
{
	static const char *const processors[] = {"cpus", "cores", "threads", NULL};
	const struct key_spec *k;
	const char *near;
	struct suggest s;

	diag_add(L->d, DIAG_ERROR, load_pos(L, key), "`resources` has no key '%s'",
		 key->str);
	suggest_start(&s, key->str);
	for (k = schema_resource_keys(); k->name != NULL; k++)
		if (k->status != KEY_LATER)
			suggest_try(&s, k->name);
	near = suggest_best(&s);
	if (strcmp(key->str, "mem") == 0 || strcmp(key->str, "ram") == 0)
		near = "memory";
	for (size_t i = 0; processors[i] != NULL; i++)
		if (strcmp(key->str, processors[i]) == 0)
			near = "cpu";
	if (near != NULL)
		load_did_you_mean(L, near);
	else
		diag_hint(L->d, "it takes `memory`");
}

/* A size within the limits of its key. */
static void
read_size(struct load *L, const struct key_spec *spec, const struct yaml_node *val,
	  int64_t *out)
{
	struct buf least, most;
	uint64_t bytes;

	if (!load_is_scalar(val) || val->kind == YAML_BOOL) {
		load_wrong_type(L, spec->name, schema_key_type_text(spec->type), val);
		return;
	}
	if (num_size(val->str, &bytes) != 0) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, val), "'%s' is no size", val->str);
		diag_hint(L->d,
			  "write 512MiB, 2G or 1.5GiB; templates cannot stand here");
		return;
	}
	if (bytes >= (uint64_t)spec->min && bytes <= (uint64_t)spec->max) {
		*out = (int64_t)bytes;
		return;
	}
	buf_init(&least, 0);
	buf_init(&most, 0);
	num_put_size(&least, (uint64_t)spec->min);
	num_put_size(&most, (uint64_t)spec->max);
	if (buf_failed(&least) || buf_failed(&most))
		(void)load_nomem(L);
	else
		diag_add(L->d, DIAG_ERROR, load_pos(L, val), "`%s` is %s to %s, not %s",
			 spec->name, least.p, most.p, val->str);
	buf_release(&least);
	buf_release(&most);
	if (bytes < (uint64_t)spec->min)
		diag_hint(L->d,
			  "a bare number is bytes; no program starts with that little");
}

int
load_resources(struct load *L, struct dag_task *t, const struct key_spec *spec,
	       const struct yaml_pair *p)
{
	const struct key_spec *k;
	size_t i;

	if (p->val->kind != YAML_MAP) {
		load_wrong_type(L, spec->name, schema_key_type_text(spec->type), p->val);
		diag_hint(L->d, "write resources: {memory: 2G}");
		return 0;
	}
	for (i = 0; i < p->val->map.n; i++) {
		const struct yaml_pair *r = &p->val->map.v[i];

		if ((k = resource(r->key->str)) == NULL)
			unknown(L, r->key);
		else if (load_known_key(L, k, r->key))
			read_size(L, k, r->val, &t->memory);
	}
	return 0;
}
