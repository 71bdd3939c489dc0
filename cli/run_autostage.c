#include "cli/run_autostage.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/map.h"
#include "base/path.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "scheduler/cache_lock.h"
#include "scheduler/dag.h"
#include "store/dvc/dvc_lock.h"
#include "store/project.h"
#include "store/track/track.h"

/* One that is bigger is none of these. */
#define FILE_MAX DVC_LOCK_MAX

struct begin {
	const struct track *t;
	struct arena *a;
	struct map seen; /* paths */
	struct run_autostage *out;
	size_t cap;
};

static void
hash_file(int root_fd, const char *path, char hash[HASH_HEX_MAX])
{
	struct err err;
	struct buf b;

	*hash = '\0';
	buf_init(&b, FILE_MAX);
	if (fsio_read(root_fd, path, FILE_MAX, &b, &err) == 0 &&
	    hash_bytes(HASH_MD5, b.p, b.n, hash) != 0)
		*hash = '\0';
	buf_release(&b);
}

/* ${dir}/${name}, seen from ${below} of the repository, once. */
static int
add(struct begin *g, const char *below, const char *dir, const char *name)
{
	struct autostage_file *f = &g->out->v[g->out->n];
	struct buf joined, full;
	int rc = -1;

	buf_init(&joined, 0);
	buf_init(&full, 0);
	buf_addf(&joined, "%s/%s/%s", *below != '\0' ? below : ".", dir, name);
	if (!buf_failed(&joined))
		path_normalize(&full, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&full)) {
		f->path = arena_strdup(g->a, full.p);
		rc = f->path != NULL ? map_put(&g->seen, f->path, g->out) : -1;
	}
	if (rc == 0) {
		hash_file(g->t->root_fd, f->path, f->hash);
		g->out->n++;
	}
	buf_release(&full);
	buf_release(&joined);
	return rc < 0 ? -1 : 0;
}

/* Where the paths of the DAG begin, seen from the repository. */
static const char *
below_root(const struct track *t, const struct project *p)
{
	size_t n = strlen(t->root);

	return path_is_below(p->root, t->root) ? p->root + n + (p->root[n] == '/') : "";
}

static int
add_task(struct begin *g, const struct project *p, const struct dag_task *t)
{
	const char *below = below_root(g->t, p);

	if (t->stage != NULL && add(g, "", ".", t->stage->lock) != 0)
		return -1;
	for (size_t i = 0; i < t->noutputs; i++) {
		const char *path = t->outputs[i].src, *base = path_basename(path);
		const char *dir =
		    base > path ? arena_strndup(g->a, path, (size_t)(base - path)) : ".";

		if (dir == NULL || add(g, below, dir, ".gitignore") != 0)
			return -1;
	}
	return 0;
}

static int
look(struct begin *g, const struct project *p, const struct dag *dag, const char *file,
     const bool *selected)
{
	const char *lock = cache_lock_beside(g->a, file);
	size_t room = 2;

	for (size_t i = 0; i < dag->ntasks; i++)
		room += dag->tasks[i].noutputs + 1;
	g->out->v = arena_array(g->a, room, sizeof(*g->out->v));
	if (g->out->v == NULL || lock == NULL)
		return -1;
	if (!(dag->ntasks > 0 && dag->tasks[0].stage != NULL) && *file != '/' &&
	    add(g, below_root(g->t, p), ".", lock) != 0)
		return -1;
	for (size_t i = 0; i < dag->ntasks; i++)
		if (selected[i] && add_task(g, p, &dag->tasks[i]) != 0)
			return -1;
	return 0;
}

int
run_autostage_begin(const struct project *p, const struct dag *dag, const char *file,
		    const bool *selected, struct arena *a, struct run_autostage *out,
		    struct err *err)
{
	struct track_options o = {.project = p, .still = true};
	struct track t = {.root_fd = -1, .lock = -1};
	struct begin g = {.t = &t, .a = a, .out = out};
	int rc;

	*out = (struct run_autostage){0};
	/* Settings that cannot be read are told by whoever needs them. */
	rc = track_open(&o, &t, err);
	if (rc != 0 && err->code != ERR_NOMEM) {
		err_clear(err);
		rc = 0;
	} else if (rc == 0 && t.autostage && t.gitignore != NULL &&
		   look(&g, p, dag, file, selected) != 0) {
		rc = err_nomem(err);
	}
	map_release(&g.seen);
	track_close(&t);
	return rc;
}

int
run_autostage_end(struct cli *c, const struct run_autostage *s)
{
	static const struct artifact_opts opts = {.quiet = true};
	char now[HASH_HEX_MAX];
	struct err err = {0};
	struct artifact a;
	const char **v;
	size_t n = 0;
	int rc, code = 0;

	if (s->n == 0)
		return 0;
	rc = artifact_open(c, &opts, false, &a, &err);
	v = rc == 0 ? arena_array(a.arena, s->n + 1, sizeof(*v)) : NULL;
	if (rc == 0 && v == NULL)
		rc = err_nomem(&err);
	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		hash_file(a.track.root_fd, s->v[i].path, now);
		if (strcmp(now, s->v[i].hash) != 0)
			v[n++] = s->v[i].path;
	}
	if (rc == 0)
		rc = artifact_stage(&a, v, n, &err);
	if (rc != 0)
		code = artifact_fail(&a, &err);
	artifact_close(&a);
	return code;
}
