#include "cli/gc_held.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/place.h"
#include "store/git.h"
#include "store/meta.h"
#include "store/project.h"
#include "store/remote/transfer.h"
#include "store/track/collect.h"
#include "store/track/collect_rev.h"
#include "store/track/held.h"
#include "store/track/track.h"

#define PAGE 256

static int
add(void *ctx, const struct object_id *id, const char *path, struct err *err)
{
	const struct gc_held *h = ctx;
	struct transfer_want w = {.id = *id, .size = -1};

	w.path = arena_strdup(h->arena, path);
	return w.path != NULL ? h->add(h->ctx, &w, err) : err_nomem(err);
}

static int
add_outs(const struct gc_held *h, const struct track_out *v, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (v[i].cache && object_id_is_set(&v[i].id))
			rc = add((void *)(uintptr_t)h, &v[i].id, v[i].path, err);
	return rc;
}

static int
of_commit(const struct gc_held *h, const char *commit, struct err *err)
{
	struct track_revs *revs = NULL;
	struct track_list list = {0};
	char id[REPO_ID];
	struct err why;
	int rc;

	/* Git may have forgotten it. */
	if (h->git == NULL || repo_resolve(h->git, commit, id, &why) != 0)
		return 0;
	rc = track_revs_open(h->track, h->git, &revs, err);
	if (rc == 0)
		rc = track_collect_rev(revs, id, h->meter, NULL, &list, err);
	if (rc == 0)
		rc = add_outs(h, list.outs, list.n, err);
	if (rc == 0)
		rc = add_outs(h, list.also, list.nalso, err);
	track_list_free(&list);
	track_revs_close(revs);
	return rc;
}

static int
of_runs(const struct gc_held *h, struct place *pl, struct err *err)
{
	struct meta_run_filter f = {.state = RUN_RUNNING, .result = -1, .limit = PAGE};
	struct meta_run *page;
	size_t n = 0;
	int rc;

	do {
		rc = meta_runs(pl->meta, &f, pl->arena, &page, &n, err);
		for (size_t i = 0; rc == 0 && i < n; i++) {
			rc = held_read(h->project->state_fd, page[i].id, add,
				       (void *)(uintptr_t)h, err);
			if (rc == 1)
				rc = page[i].git_commit != NULL
					 ? of_commit(h, page[i].git_commit, err)
					 : 0;
		}
		if (rc == 0 && n > 0)
			f.before = page[n - 1].id;
	} while (rc == 0 && n == PAGE);
	return rc;
}

int
gc_held(const struct gc_held *h, struct err *err)
{
	struct place pl;
	int rc = 0;

	/* Runs know the project's root, not a repository below it. */
	if (h->project->state_fd == -1 || strcmp(h->project->root, h->track->root) != 0)
		return 0;
	rc = place_open_at(h->project, &pl, err);
	if (rc == 0 && pl.meta != NULL)
		rc = of_runs(h, &pl, err);
	place_close(&pl);
	return rc;
}
