#include "cli/artifact_select.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "store/dvc/dvc_yaml.h"
#include "store/track/status.h"
#include "store/track/targets.h"
#include "store/track/upstream.h"

int
artifact_select(struct artifact *a, char *const *words, size_t n, unsigned how,
		struct artifact_target **out, size_t *nout, struct err *err)
{
	struct track_select s = {.words = (const char *const *)words,
				 .n = n,
				 .recursive = (how & ARTIFACT_RECURSIVE) != 0,
				 .glob = (how & ARTIFACT_GLOB) != 0,
				 .pointers = (how & ARTIFACT_POINTERS) != 0};
	struct track_targets found = {0};
	int r = track_targets(&a->track, &a->list, &s, a->arena, &found, err);

	*nout = 0;
	*out = NULL;
	if (r == 0 && (how & ARTIFACT_DEPS) != 0)
		r = track_upstream(&a->list, &found, err);
	if (r == 0) {
		*out = arena_array(a->arena, found.n + 1, sizeof(**out));
		if (*out == NULL)
			r = err_nomem(err);
	}
	for (size_t i = 0; r == 0 && i < found.n; i++)
		(*out)[(*nout)++] = (struct artifact_target){.out = found.v[i].out,
							     .only = found.v[i].inside};
	for (size_t i = 0; r == 0 && i < found.stages.n; i++)
		if (vec_push(&a->named, found.stages.v[i]) != 0)
			r = err_nomem(err);
	track_targets_free(&found);
	return r;
}

bool
artifact_names(const struct artifact *a, const struct track_file *in, const char *name)
{
	for (size_t i = 0; i < a->named.n; i++)
		if (a->named.v[i].in == in &&
		    strcmp(a->named.v[i].stage->name, name) == 0)
			return true;
	return false;
}

unsigned
artifact_in_run(void)
{
	return getenv("DAG_ATTEMPT_ID") != NULL ? ARTIFACT_POINTERS : 0U;
}

int
artifact_select_outs(struct artifact *a, unsigned how, struct artifact_target **targets,
		     struct status_out **outs, size_t *n, struct err *err)
{
	if (artifact_select(a, a->c->args, a->c->nargs, how, targets, n, err) != 0)
		return -1;
	*outs = arena_array(a->arena, *n + 1, sizeof(**outs));
	if (*outs == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < *n; i++) {
		const struct track_out *o = (*targets)[i].out;

		(*outs)[i] =
		    (struct status_out){.path = o->path, .id = o->id, .cache = o->cache};
	}
	return 0;
}
