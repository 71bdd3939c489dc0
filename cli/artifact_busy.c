#include "cli/artifact_busy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "cli/place.h"
#include "store/meta.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"

/* A path that an attempt holds. */
struct held {
	const char *path; /* absolute */
	const char *run, *task;
	int32_t map;
	uint32_t number;
	const char *dir; /* of the attempt; NULL: it is none that counts */
};

struct artifact_busy {
	struct arena *arena;
	const struct project *project;
	VEC(struct held) v;
	bool nomem;
};

static void
add_holder(void *ctx, const char *path, bool write, const char *run, const char *task,
	   int32_t map, uint32_t number)
{
	struct artifact_busy *b = ctx;
	struct held h = {.map = map, .number = number};
	struct buf joined, full;

	(void)write;
	buf_init(&joined, 0);
	buf_init(&full, 0);
	path_join(&joined, b->project->root, path);
	if (!buf_failed(&joined))
		path_normalize(&full, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&full))
		h.path = arena_strdup(b->arena, full.p);
	buf_release(&full);
	buf_release(&joined);
	h.run = arena_strdup(b->arena, run);
	h.task = arena_strdup(b->arena, task);
	if (h.path == NULL || h.run == NULL || h.task == NULL || vec_push(&b->v, h) != 0)
		b->nomem = true;
}

/* Whether it is one whose files are kept by locks while its owner lives: what it depends on stands
 * in its directory. */
static bool
is_kept(const struct project *p, const struct meta_attempt *at)
{
	const char *own = getenv("DAG_ATTEMPT_ID");
	struct buf path;
	bool is;

	if (at->dir == NULL || *at->dir == '\0' || at->state == TASK_DONE ||
	    (own != NULL && strcmp(own, at->id) == 0))
		return false;
	buf_init(&path, 0);
	buf_addf(&path, "%s/" ATTEMPT_INPUTS, at->dir);
	is = !buf_failed(&path) && faccessat(p->state_fd, path.p, F_OK, 0) == 0;
	buf_release(&path);
	return is;
}

/* The directories of the attempts of one run, for all that it holds from ${i} on. */
static int
find_dirs(struct artifact_busy *b, struct meta *m, size_t i, struct err *err)
{
	const char *run = b->v.v[i].run;
	struct meta_attempt *all;
	size_t n, k, j;

	if (meta_attempts(m, run, b->arena, &all, &n, err) != 0)
		return -1;
	for (k = i; k < b->v.n; k++) {
		struct held *h = &b->v.v[k];

		for (j = 0; j < n && strcmp(h->run, run) == 0; j++)
			if (all[j].number == h->number && all[j].map == h->map &&
			    strcmp(all[j].task, h->task) == 0 &&
			    is_kept(b->project, &all[j]))
				h->dir = all[j].dir;
	}
	return 0;
}

static int
find_held(struct artifact_busy *b, struct meta *m, struct err *err)
{
	size_t i;

	if (meta_path_holders(m, add_holder, b, err) != 0)
		return -1;
	if (b->nomem)
		return err_nomem(err);
	for (i = 0; i < b->v.n; i++)
		if ((i == 0 || strcmp(b->v.v[i].run, b->v.v[i - 1].run) != 0) &&
		    find_dirs(b, m, i, err) != 0)
			return -1;
	return 0;
}

static struct artifact_busy *
busy_new(const struct project *p, struct err *err)
{
	struct artifact_busy *b = calloc(1, sizeof(*b));
	struct err why = {0};
	struct meta *m;
	int rc = 0;

	if (b == NULL || (b->arena = arena_new(0)) == NULL) {
		free(b);
		(void)err_nomem(err);
		return NULL;
	}
	b->project = p;
	if (p->state_fd < 0 || meta_open(p, META_READ, &m, &why) != 0)
		return b;
	rc = find_held(b, m, &why);
	meta_close(m);
	if (rc == 0)
		return b;
	if (why.code == ERR_NOMEM) {
		artifact_busy_free(b);
		(void)err_nomem(err);
		return NULL;
	}
	b->v.n = 0;
	return b;
}

int
artifact_busy_claim(const struct project *p, struct artifact_busy **busy,
		    const char *path, struct err *err)
{
	struct place place = {.project = p};
	size_t i;

	if (*busy == NULL && (*busy = busy_new(p, err)) == NULL)
		return -1;
	for (i = 0; i < (*busy)->v.n; i++) {
		const struct held *h = &(*busy)->v.v[i];

		if (h->dir != NULL && path_overlap(h->path, path) &&
		    place_alive(&place, h->dir) == 1)
			return err_set(err, ERR_BUSY,
				       "'%.300s' is in use by task `%s` of run %s",
				       h->path, h->task, h->run);
	}
	return 0;
}

void
artifact_busy_free(struct artifact_busy *b)
{
	if (b == NULL)
		return;
	vec_release(&b->v);
	arena_free(b->arena);
	free(b);
}
