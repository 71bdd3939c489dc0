/*
 * Output values of tasks: kept in memory for the templates of those that follow, and carried
 * to the database in the transaction of the success.
 */
#include "scheduler/engine_int.h"

#include <stdlib.h>
#include <string.h>

/**
 * outputs_keep(t, kv, n):
 * Keep copies of the ${n} values as the outputs of ${t}, in place of those it had.  Return 0
 * or -1.
 */
int
outputs_keep(struct inst *t, const struct meta_kv *kv, size_t n)
{
	size_t i, bytes = 0;
	struct kept *o;
	char *p;

	if (MUTANT(OUTPUTS_STALE) && t->outputs != NULL)
		return 0;
	free(t->outputs);
	t->outputs = NULL;
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		bytes += strlen(kv[i].key) + 1 + kv[i].len + 1;
	if ((o = malloc(sizeof(*o) + n * sizeof(o->kv[0]) + bytes)) == NULL)
		return -1;
	o->n = n;
	p = (char *)&o->kv[n];
	for (i = 0; i < n; i++) {
		size_t klen = strlen(kv[i].key) + 1;

		o->kv[i].key = memcpy(p, kv[i].key, klen);
		p += klen;
		o->kv[i].val = memcpy(p, kv[i].val, kv[i].len);
		o->kv[i].len = kv[i].len;
		p[kv[i].len] = '\0';
		p += kv[i].len + 1;
	}
	t->outputs = o;
	return 0;
}

int
engine_set_outputs(struct engine *e, uint32_t run, uint32_t task,
		   const struct meta_kv *kv, size_t n)
{
	return outputs_keep(&e->runs.v[run]->insts[task], kv, n);
}

static int
stage_batch(struct step *s, struct meta_op *op)
{
	const struct meta_stage *from = s->ev->stage;

	if (from == NULL || MUTANT(ENTRY_LOST))
		return 0;
	op->stage = (struct meta_stage){.lock = op_str(s->e, from->lock),
					.name = op_str(s->e, from->name),
					.entry = op_str(s->e, from->entry),
					.hash = op_str(s->e, from->hash)};
	return s->e->nomem ? -1 : 0;
}

/**
 * outputs_batch(s, op):
 * Have ${op} carry the task's outputs, the paths it produced and what its lock file shall say,
 * copied into the batch's own memory.  Return 0 or -1.
 */
int
outputs_batch(struct step *s, struct meta_op *op)
{
	struct arena *a = s->e->pending.arena;
	const struct kept *o = s->t->outputs;
	struct meta_path *paths;
	struct meta_kv *kv;
	size_t i;

	if (o != NULL) {
		if ((kv = arena_array(a, o->n, sizeof(*kv))) == NULL)
			return -1;
		for (i = 0; i < o->n; i++) {
			kv[i] = o->kv[i];
			kv[i].key = arena_strdup(a, o->kv[i].key);
			kv[i].val = arena_strndup(a, o->kv[i].val, o->kv[i].len);
			if (kv[i].key == NULL || kv[i].val == NULL)
				return -1;
		}
		op->outputs = kv;
		op->noutputs = o->n;
	}
	if ((paths = arena_array(a, s->ev->nproduced + 1, sizeof(*paths))) == NULL)
		return -1;
	for (i = 0; i < s->ev->nproduced; i++) {
		paths[i] = s->ev->produced[i];
		if ((paths[i].path = arena_strdup(a, paths[i].path)) == NULL)
			return -1;
	}
	op->produced = paths;
	op->nproduced = s->ev->nproduced;
	return stage_batch(s, op);
}

int
engine_outputs(const struct engine *e, uint32_t run, uint32_t task, const char *key,
	       const char **val, size_t *len)
{
	const struct inst *t = &e->runs.v[run]->insts[task];
	size_t i;

	if (t->state != TASK_DONE ||
	    (t->result != RESULT_SUCCESS && t->result != RESULT_CACHED))
		return -1;
	for (i = 0; t->outputs != NULL && i < t->outputs->n; i++) {
		if (strcmp(t->outputs->kv[i].key, key) != 0)
			continue;
		*val = t->outputs->kv[i].val;
		*len = t->outputs->kv[i].len;
		return 1;
	}
	return 0;
}

const char *
engine_output_key(const struct engine *e, uint32_t run, uint32_t task, size_t i)
{
	const struct kept *o = e->runs.v[run]->insts[task].outputs;

	return o != NULL && i < o->n ? o->kv[i].key : NULL;
}
