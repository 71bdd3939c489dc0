#include "cli/selection.h"

#include "base/arena.h"
#include "base/err.h"
#include "scheduler/dag.h"
#include "scheduler/select.h"

int
selection_make(const struct dag *g, const struct selection_opts *o, struct arena *a,
	       bool **selected, struct err *err)
{
	*selected = arena_array(a, g->ntasks + 1, sizeof(**selected));
	if (*selected == NULL)
		return err_nomem(err);
	if (select_tasks(g, o->select.v, o->select.n, *selected, err) != 0)
		return -1;
	/* What is wrong with --select is plain; of --exclude it is said whose mistake it is. */
	if (select_exclude(g, o->exclude.v, o->exclude.n, *selected, err) != 0)
		return err_wrap(err, "option '--exclude'");
	return 0;
}

bool
selection_given(const struct selection_opts *o)
{
	return o->select.n > 0 || o->exclude.n > 0;
}
