/*
 * What a task of a type that is a verb of `dag` does (push, pull): what is meant by it, and how.
 */
#include <string.h>

#include "base/path.h"
#include "scheduler/dag_load.h"

bool
dag_brings(const struct dag_task *t)
{
	return t->type->kind == TASK_VERB && strcmp(t->type->name, "pull") == 0;
}

const char *
dag_target_data(struct arena *a, const char *path)
{
	static const char pointer[] = ".dvc";
	const char *base = path_basename(path);
	size_t len = strlen(base), n = sizeof(pointer) - 1;

	if (len <= n || strcmp(base + len - n, pointer) != 0)
		return path;
	return arena_strndup(a, path, (size_t)(base - path) + len - n);
}

int
load_targets(struct load *L, struct dag_task *t, const struct key_spec *spec,
	     const struct yaml_pair *p)
{
	/* What was to be a few must not become all. */
	if (load_is_null(p->val) || (p->val->kind == YAML_SEQ && p->val->seq.n == 0)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->val),
			 "`targets` names nothing");
		diag_hint(L->d, "for all that is tracked leave it out");
		return 0;
	}
	return load_paths(L, t, spec, p, &t->targets, &t->ntargets);
}

int
load_remote(struct load *L, struct dag_task *t, const struct key_spec *spec,
	    const struct yaml_pair *p)
{
	if (!load_is_scalar(p->val) || p->val->len == 0) {
		load_wrong_type(L, spec->name, "the name of a remote", p->val);
		return 0;
	}
	return load_template(L, p->val, USE_TASK, t, &t->remote);
}

/* Keys of every task that a verb has no use for, and what there is instead. */
static const char *const useless[][2] = {
    {"outputs", "`targets` says what it is about"},
    {"workdir", "it works in the project's root, which its `targets` are relative to"},
    {"shell", NULL},
    {"persist", NULL},
    {"leave_children", NULL},
    {"cache", "what is there already costs it nothing"},
    {"code", NULL},
    {"frozen", NULL},
};

bool
load_verb_key(struct load *L, const struct dag_task *t, const struct yaml_node *key)
{
	for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		if (strcmp(useless[i][0], key->str) != 0)
			continue;
		diag_add(L->d, DIAG_ERROR, load_pos(L, key),
			 "`%s` has no effect in a task of type %s", key->str,
			 t->type->name);
		if (useless[i][1] != NULL)
			diag_hint(L->d, "%s", useless[i][1]);
		return false;
	}
	return true;
}

void
load_check_verb(struct dag_task *t)
{
	/* Of `defaults` these are for others. */
	t->workdir = dag_usual.workdir;
	t->shell = dag_usual.shell;
	t->shell_is_posix = dag_usual.shell_is_posix;
	t->persist = dag_usual.persist;
	t->leave_children = dag_usual.leave_children;
	t->cache = dag_usual.cache;
	t->code = NULL;
	t->ncode = 0;
}
