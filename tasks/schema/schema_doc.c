/*
 * The tables of docs/dag-file.md.
 */
#include "base/buf.h"
#include "base/num.h"
#include "tasks/schema/schema.h"

static void
put_values(struct buf *out, const struct key_spec *key)
{
	if (key->values == NULL)
		return;
	buf_adds(out, " One of");
	for (const char *const *v = key->values; *v != NULL; v++)
		buf_addf(out, " `%s`", *v);
	buf_addc(out, '.');
}

static void
put_limits(struct buf *out, const struct key_spec *key)
{
	if (key->max <= key->min)
		return;
	if (key->type == KEY_INT || key->type == KEY_NUMBER)
		buf_addf(out, " %lld to %lld.", key->min, key->max);
	else if (key->type == KEY_DURATION)
		buf_addf(out, " At most %lldd.", key->max / (86400 * US_PER_SEC));
	else if (key->type == KEY_SIZE) {
		buf_addc(out, ' ');
		num_put_size(out, (uint64_t)key->min);
		buf_adds(out, " to ");
		num_put_size(out, (uint64_t)key->max);
		buf_addc(out, '.');
	}
}

static void
put_key(struct buf *out, const struct key_spec *key)
{
	buf_addf(out, "| `%s` | %s | ", key->name, schema_key_type_text(key->type));
	if (key->required)
		buf_adds(out, "required");
	else if (key->def != NULL)
		buf_adds(out, key->def);
	buf_addf(out, " | %s", key->doc);
	put_values(out, key);
	put_limits(out, key);
	if (key->status == KEY_ACCEPTED)
		buf_adds(out, " Accepted, without effect yet.");
	buf_adds(out, " |\n");
}

/* The keys that a file may use today; those of later versions are listed by name. */
static void
put_keys(struct buf *out, const struct key_spec *keys)
{
	const struct key_spec *k;
	bool later = false;

	buf_adds(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
	for (k = keys; k->name != NULL; k++)
		if (k->status != KEY_LATER)
			put_key(out, k);
	for (k = keys; k->name != NULL; k++) {
		if (k->status != KEY_LATER)
			continue;
		buf_adds(out, later ? " "
				    : "\nKnown, and refused by name because they are not "
				      "built yet: ");
		buf_addf(out, "`%s`", k->name);
		later = true;
	}
	if (later)
		buf_adds(out, ".\n");
	buf_addc(out, '\n');
}

static void
put_defaultable(struct buf *out)
{
	const struct key_spec *k;

	buf_adds(out, "Under `defaults` may stand:");
	for (k = schema_task_keys(); k->name != NULL; k++)
		if (k->defaultable && k->status != KEY_LATER)
			buf_addf(out, " `%s`", k->name);
	buf_adds(out, ".\n\n");
}

static void
put_type(struct buf *out, const struct task_type *t)
{
	buf_addf(out, "### `%s`\n\n%s %s\n\n", t->name, t->summary, t->doc);
	put_keys(out, t->keys);
}

void
schema_write_markdown(struct buf *out)
{
	const struct task_type *types;
	size_t i, n;

	buf_adds(out, "## Keys of a DAG\n\n");
	put_keys(out, schema_dag_keys());
	buf_adds(out, "## Keys of every task\n\n");
	put_keys(out, schema_task_keys());
	put_defaultable(out);
	buf_adds(out, "### Keys of `resources`\n\n");
	put_keys(out, schema_resource_keys());
	buf_adds(out, "## Types of tasks\n\n");
	types = schema_types(&n);
	for (i = 0; i < n; i++)
		if (types[i].status != KEY_LATER)
			put_type(out, &types[i]);
	buf_adds(
	    out,
	    "### Types that are not built yet\n\n| type | what it does |\n|---|---|\n");
	for (i = 0; i < n; i++)
		if (types[i].status == KEY_LATER)
			buf_addf(out, "| `%s` | %s |\n", types[i].name, types[i].summary);
}
