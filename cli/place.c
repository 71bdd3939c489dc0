#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/status.h"
#include "cli/table.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_dag.h"
#include "store/owner.h"
#include "tasks/proto/attempt_dir.h"

#define PAGE	       256
#define NOTES_MAX      5 /* interrupted runs that are named one by one */
#define INTERRUPTS_MAX 10000

static void
clear(struct place *pl)
{
	*pl = (struct place){.own = {.root_fd = -1, .state_fd = -1}};
	pl->project = &pl->own;
}

/* The project is found: open its database. */
static int
open_meta(struct place *pl, enum meta_mode mode, struct err *err)
{
	pl->arena = arena_new(0);
	if (pl->arena == NULL)
		return err_nomem(err);
	if (pl->project->state_fd < 0)
		return 0;
	/* Opening for writing would make what is missing, so a look comes first. */
	if (meta_open(pl->project, META_READ, &pl->meta, err) != 0) {
		if (err->code != ERR_NOTFOUND)
			return -1;
		err_clear(err);
		return 0;
	}
	if (mode == META_READ)
		return 0;
	meta_close(pl->meta);
	pl->meta = NULL;
	return meta_open(pl->project, META_WRITE, &pl->meta, err);
}

static int
open_mode(struct cli *c, enum meta_mode mode, struct place *pl, struct err *err)
{
	clear(pl);
	if (project_find(NULL, c->dir, false, &pl->own, err) != 0)
		return -1;
	return open_meta(pl, mode, err);
}

int
place_open_at(const struct project *p, struct place *pl, struct err *err)
{
	clear(pl);
	pl->project = p;
	return open_meta(pl, META_READ, err);
}

void
place_put_dag(struct cli *c, const struct project *p, struct buf *b)
{
	char *cwd = getcwd(NULL, 0);

	buf_adds(b, "dag");
	if (c->dir != NULL || cwd == NULL || !path_is_below(cwd, p->root))
		buf_addf(b, " -C %s", p->root);
	free(cwd);
}

int
place_open(struct cli *c, struct place *pl, struct err *err)
{
	return open_mode(c, META_READ, pl, err);
}

static int
no_runs(const struct place *pl, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "nothing has been run in project '%s' yet",
		       pl->project->root);
}

int
place_open_write(struct cli *c, struct place *pl, struct err *err)
{
	if (open_mode(c, META_WRITE, pl, err) != 0)
		return -1;
	return pl->meta != NULL ? 0 : no_runs(pl, err);
}

void
place_close(struct place *pl)
{
	meta_close(pl->meta);
	arena_free(pl->arena);
	project_release(&pl->own);
	clear(pl);
}

int
place_run(struct place *pl, const char *ref, struct meta_run *out, struct err *err)
{
	if (pl->meta == NULL)
		return no_runs(pl, err);
	return meta_run_resolve(pl->meta, ref, pl->arena, out, err);
}

int
place_no_task(const struct meta_run *run, const struct meta_task *tasks, size_t n,
	      const char *name, struct err *err)
{
	struct suggest s;
	const char *best;
	size_t i;

	suggest_start(&s, name);
	for (i = 0; i < n; i++)
		suggest_try(&s, tasks[i].name);
	best = suggest_best(&s);
	return err_set(err, ERR_NOTFOUND, "run %s of %s has no task '%s'%s%s%s",
		       text_short_id(run->id), run->dag, name,
		       best != NULL ? " (did you mean '" : "; its tasks: dag runs ",
		       best != NULL ? best : text_short_id(run->id),
		       best != NULL ? "'?)" : "");
}

int
place_interrupted(struct place *pl, struct meta_run **out, size_t *n, struct err *err)
{
	struct meta_run_filter f = {.state = RUN_RUNNING, .result = -1, .limit = PAGE};
	VEC(struct meta_run) hits = {0};
	struct meta_run *page;
	size_t got, i;
	int rc = 0;

	*out = NULL;
	*n = 0;
	if (pl->meta == NULL)
		return 0;
	do {
		rc = meta_runs(pl->meta, &f, pl->arena, &page, &got, err);
		for (i = 0; rc == 0 && i < got; i++)
			if (strcmp(status_of_run(pl->project, &page[i]), "interrupted") ==
				0 &&
			    vec_push(&hits, page[i]) != 0)
				rc = err_nomem(err);
		if (rc == 0 && got > 0)
			f.before = page[got - 1].id;
	} while (rc == 0 && got == PAGE && hits.n < INTERRUPTS_MAX);
	if (rc == 0 && hits.n > 0) {
		*out = arena_array(pl->arena, hits.n, sizeof(**out));
		if (*out == NULL)
			rc = err_nomem(err);
	}
	for (i = 0; rc == 0 && i < hits.n; i++)
		(*out)[i] = hits.v[hits.n - 1 - i];
	if (rc == 0)
		*n = hits.n;
	vec_release(&hits);
	return rc;
}

void
place_note_interrupted(struct cli *c, struct place *pl, const struct meta_run *run)
{
	struct meta_run *runs;
	struct err err;
	size_t i, n;

	if (run != NULL) {
		cli_note(c, "run %s of %s was interrupted: dag resume %s",
			 text_short_id(run->id), run->dag, text_short_id(run->id));
		return;
	}
	/* It is only a hint: what the verb was asked for has been answered. */
	if (place_interrupted(pl, &runs, &n, &err) != 0)
		return;
	for (i = 0; i < n && i < NOTES_MAX; i++)
		place_note_interrupted(c, pl, &runs[i]);
	if (n > NOTES_MAX)
		cli_note(c,
			 "%zu more runs were interrupted: 'dag resume' takes all of them",
			 n - NOTES_MAX);
}

int
place_definition(struct place *pl, const struct meta_run *run, struct dag **out,
		 struct err *err)
{
	struct diag *d = diag_new();
	const char *text;
	size_t n;
	int rc;

	*out = NULL;
	if (d == NULL)
		return err_nomem(err);
	rc = meta_definition(pl->meta, run->def_hash, pl->arena, &text, &n, err);
	if (rc == 0)
		rc = definition_read(pl->project->root, run->file, text, n, d, out, err);
	diag_free(d);
	return rc;
}

int
place_attempt_dir(const struct place *pl, const char *dir, struct err *err)
{
	int fd;

	if (dir == NULL || *dir == '\0')
		return err_set(err, ERR_NOTFOUND,
			       "this attempt had no process, so it has no log");
	fd = openat(pl->project->state_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s/%s'", pl->project->state,
			       dir);
	return fd;
}

int
place_alive(const struct place *pl, const char *dir)
{
	int dirfd = place_attempt_dir(pl, dir, NULL), fd, rc = -1;

	if (dirfd < 0)
		return -1;
	fd = openat(dirfd, ATTEMPT_ALIVE, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = errno == ENOENT ? 0 : -1;
	} else {
		if (flock(fd, LOCK_SH | LOCK_NB) == 0)
			rc = 0;
		else if (errno == EWOULDBLOCK)
			rc = 1;
		(void)close(fd);
	}
	(void)close(dirfd);
	return rc;
}
