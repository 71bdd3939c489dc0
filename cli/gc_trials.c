/* What experiments under way use of the cache. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/gc_held.h"
#include "store/exp/trial.h"
#include "store/git.h"
#include "store/project.h"
#include "store/remote/transfer.h"
#include "store/track/collect.h"
#include "store/track/track.h"

#include <string.h>

struct trials {
	const struct gc_held *h;
	const char *rel; /* of the repository's root below git's top; "" there */
};

static int
add_outs(const struct gc_held *h, const struct track_list *l, const char *tree,
	 struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct track_out *o = &l->outs[i];
		struct transfer_want w = {.id = o->id, .size = o->size};

		if (!o->cache || !object_id_is_set(&o->id))
			continue;
		w.path = arena_printf(h->arena, "%s/%s", tree, o->path);
		if (w.path == NULL)
			return err_nomem(err);
		if (h->add(h->ctx, &w, err) != 0)
			return -1;
	}
	return 0;
}

static int
of_tree(void *ctx, const char *tree, struct err *err)
{
	struct trials *s = ctx;
	struct project p = {.root_fd = -1, .state_fd = -1};
	struct track t = {.root_fd = -1, .lock = -1};
	struct track_options o = {.project = &p};
	struct track_list list = {0};
	struct buf root;
	int rc;

	buf_init(&root, 0);
	path_join(&root, tree, s->rel);
	rc = buf_failed(&root) ? err_nomem(err)
			       : project_find(NULL, root.p, false, &p, err);
	if (rc == 0)
		rc = track_open(&o, &t, err);
	if (rc == 0)
		rc = track_collect(&t, s->h->meter, NULL, &list, err);
	if (rc == 0)
		rc = add_outs(s->h, &list, tree, err);
	track_list_free(&list);
	track_close(&t);
	project_release(&p);
	buf_release(&root);
	return rc == 0 ? 0 : err_wrap(err, "an experiment under way");
}

int
gc_trials(const struct gc_held *h, bool sweep, struct err *err)
{
	const char *top = h->git != NULL ? repo_top(h->git) : NULL;
	const char *root = h->track->root;
	struct trials s = {.h = h};

	if (h->project->state_fd == -1)
		return 0;
	if (sweep && trials_sweep(h->project->state, err) != 0)
		return -1;
	if (top == NULL || !path_is_below(root, top))
		return 0;
	s.rel = root + strlen(top);
	s.rel += *s.rel == '/';
	return trials_each(h->project->state, of_tree, &s, err);
}
