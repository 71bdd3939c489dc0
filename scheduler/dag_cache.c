/*
 * Which tasks do not run again while nothing has changed.
 */
#include "scheduler/dag_load.h"

/* Rules by which a task runs because of what became of others, not of what they made. */
static bool
looks_at_failures(enum trigger_rule rule)
{
	return rule != TRIGGER_ALL_SUCCESS && rule != TRIGGER_NONE_FAILED &&
	       rule != TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS;
}

static void
no_effect(struct load *L, const struct dag_task *t, const char *key, const char *why,
	  const char *way)
{
	const struct yaml_node *val = yaml_get(t->node, key);

	diag_add(L->d, DIAG_ERROR, load_pos(L, val != NULL ? val : t->name_node), "%s",
		 why);
	diag_hint(L->d, "%s", way);
}

void
load_check_cache(struct load *L, struct dag_task *t)
{
	bool fails = looks_at_failures(t->trigger);

	t->cached = t->cache == CACHE_YES ||
		    (t->cache == CACHE_UNSAID && t->noutputs > 0 && !fails);
	if (t->frozen) {
		if (t->noutputs == 0)
			no_effect(L, t, "frozen",
				  "a frozen task has `outputs`, which are its result",
				  "remove `frozen`, or name what it has made");
		else if (t->cache == CACHE_NO || fails)
			no_effect(L, t, "frozen",
				  "a frozen task is a cached one, and this one is not",
				  "remove `frozen`, or what keeps it from being cached");
	}
	if (t->cache == CACHE_YES && fails && yaml_get(t->node, "cache") != NULL)
		no_effect(L, t, "cache",
			  "a task whose `trigger` looks at failures cannot be cached",
			  "remove `cache` or `trigger`");
	if (fails)
		t->cached = false;
}
