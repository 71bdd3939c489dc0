/*
 * Interrupted runs of the project, looked at by who does something else: what has ended of
 * them is recorded, nothing is launched, what lives is left alone.  The lock of a run is taken
 * only if there is something to record, so that a `dag resume` that comes meanwhile is not
 * told that the run is owned.
 */
#include <string.h>

#include "base/fault.h"
#include "scheduler/session_int.h"
#include "store/owner.h"

/* The end of a run's id, by which people name it. */
static const char *
tail(const char *id)
{
	size_t n = strlen(id);

	return n > 8 ? id + n - 8 : id;
}

#define RUNS_MAX  1000 /* interrupted runs looked at */
#define LINES_MAX 8    /* told one by one */

static bool
is_ours(const struct session *s, const char *run)
{
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		if (!s->runs.v[i]->over && strcmp(s->runs.v[i]->id, run) == 0)
			return true;
	return false;
}

static bool
has_owner(const struct session *s, const char *run)
{
	struct owner_info o;

	return is_ours(s, run) || (owner_look(s->p, run, &o, NULL) == 0 && o.held);
}

/**
 * session_has_ended(s, m):
 * Return whether the attempt, which is under way by its row, has ended for sure.
 */
bool
session_has_ended(struct session *s, const struct meta_attempt *m)
{
	struct exec_adopt at = {.dir = m->dir,
				.boot_id = m->boot_id,
				.this_boot = s->boot,
				.began = m->pid != 0};
	struct exit_record rec;
	enum exec_fate fate;

	if (strcmp(m->executor, "engine") == 0)
		return false;
	fate = exec_local_fate(s->p, &at, &rec, NULL);
	return fate != FATE_ALIVE && fate != FATE_UNSURE;
}

/* Has any attempt of the run ended that its row says is under way?  1, 0 or -1. */
static int
any_ended(struct session *s, const char *run, struct err *err)
{
	struct arena *a = arena_new(0);
	struct meta_attempt *v;
	size_t i, n;
	int rc = 0;

	if (a == NULL)
		return err_nomem(err);
	if (meta_attempts(s->meta, run, a, &v, &n, err) != 0)
		n = 0, rc = -1;
	for (i = 0; rc == 0 && i < n; i++)
		rc = v[i].state != TASK_DONE && session_has_ended(s, &v[i]);
	arena_free(a);
	return rc;
}

/* Record what has ended of an ownerless run.  Return 0 or -1. */
static int
settle(struct session *s, const char *run, struct err *err)
{
	struct take how = {.settle = true};
	int rc = any_ended(s, run, err);

	if (rc > 0) {
		fault_point(SETTLE);
		rc = session_take(s, run, &how, err);
	}
	if (rc < 0 && err->code == ERR_BUSY)
		rc = 0; /* somebody was faster */
	return rc < 0 ? -1 : 0;
}

/* Its own trouble is not that of the run that is to be started now. */
static int
settle_and_tell(struct session *s, const struct meta_run *run, bool say, struct err *err)
{
	struct err why = {0};

	if (settle(s, run->id, &why) != 0) {
		if (s->broken || why.code == ERR_STALE || why.code == ERR_NOMEM ||
		    why.code == ERR_FULL) {
			*err = why;
			return -1;
		}
		session_say(s, NOTICE_WARN, "run %s cannot be looked at: %s", run->id,
			    why.msg);
	}
	if (say)
		session_say(s, NOTICE_INFO, "run %s of %s was interrupted: dag resume %s",
			    tail(run->id), run->dag, tail(run->id));
	return 0;
}

int
session_settle(struct session *s, struct err *err)
{
	struct meta_run_filter f = {
	    .state = RUN_RUNNING, .result = -1, .limit = RUNS_MAX};
	struct arena *a = arena_new(0);
	size_t i, n, told = 0;
	struct meta_run *runs;
	int rc;

	if (a == NULL)
		return err_nomem(err);
	rc = meta_runs(s->meta, &f, a, &runs, &n, err);
	for (i = 0; rc == 0 && i < n; i++)
		if (!has_owner(s, runs[i].id))
			rc = settle_and_tell(s, &runs[i], told++ < LINES_MAX, err);
	if (rc == 0 && told > LINES_MAX)
		session_say(s, NOTICE_INFO,
			    "and %zu more runs were interrupted: dag runs --state "
			    "interrupted",
			    told - LINES_MAX);
	arena_free(a);
	return rc;
}

/* ---- for who waits for a path ---- */

struct holders {
	struct arena *arena;
	struct map runs; /* ids */
	bool nomem;
};

static void
add_holder(void *ctx, const char *path, bool write, const char *run, const char *task,
	   int32_t map, uint32_t number)
{
	struct holders *h = ctx;
	char *id;

	(void)path;
	(void)write;
	(void)task;
	(void)map;
	(void)number;
	if (map_hasn(&h->runs, run, strlen(run)))
		return;
	id = arena_strdup(h->arena, run);
	if (id == NULL || map_put(&h->runs, id, id) < 0)
		h->nomem = true;
}

/**
 * session_settle_holders(s):
 * Record what has ended of ownerless runs that hold paths.  Failing is no harm: it is tried
 * again in a second.
 */
void
session_settle_holders(struct session *s)
{
	struct holders h = {.arena = arena_new(0)};
	struct err err = {0};

	if (h.arena == NULL)
		return;
	if (meta_path_holders(s->meta, add_holder, &h, NULL) == 0 && !h.nomem)
		map_foreach (&h.runs, it)
			if (!s->broken && !has_owner(s, it->key))
				(void)settle(s, it->key, &err);
	map_release(&h.runs);
	arena_free(h.arena);
}
