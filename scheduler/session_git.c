/*
 * What is checked out when a run begins: the commit, and whether tracked files have changes.  A
 * worker thread looks, so that nothing waits for it: the run's start neither for libgit2 to be
 * loaded nor for the work tree to be looked through.  What it found rides to the database with
 * the next row that does not.
 *
 *	IDLE -> BUSY   [session_git]   a run is to begin, in a git work tree
 *	BUSY -> IDLE   [found]         the runs that wanted it get EV_GIT
 *
 * A session whose runs are over waits GRACE_MS for it; what is not known then stays unknown.  A
 * repository that cannot be read is no failure of the run: it is told once.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/session_int.h"

#define GRACE_MS 100

static void
look(uv_work_t *req)
{
	struct git_look *g = req->data;
	struct repo_head head;
	struct repo *r = NULL;
	int dirty;

	if (repo_open(g->root, &r, &g->err) != 0 || r == NULL)
		return;
	if (repo_head(r, &head, &g->err) == 0 && head.id[0] != '\0') {
		memcpy(g->commit, head.id, sizeof(g->commit));
		if (repo_top(r) != NULL) {
			dirty = repo_dirty(r, false, &g->stop, &g->err);
			g->dirty = dirty < 0 ? -1 : dirty;
		}
	}
	repo_close(r);
}

static bool
all_over(const struct session *s)
{
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		if (!s->runs.v[i]->over)
			return false;
	return true;
}

static void
complain(struct session *s)
{
	const struct git_look *g = &s->git;

	if (g->err.code == ERR_NONE || g->err.code == ERR_CANCELLED)
		return;
	if (!s->git_told)
		session_say(
		    s, NOTICE_WARN, "%s; so %s of this run is not recorded", g->err.msg,
		    g->commit[0] == '\0' ? "the git commit"
					 : "whether git saw changes at the start");
	s->git_told = true;
}

static void
found(uv_work_t *req, int status)
{
	struct git_look *g = req->data;
	struct session *s = g->s;
	struct engine_event ev = {
	    .kind = EV_GIT, .git_commit = g->commit, .git_dirty = g->dirty};
	size_t i;

	(void)status;
	g->busy = false;
	complain(s);
	for (i = 0; i < s->runs.n; i++) {
		if (!s->runs.v[i]->wants_git)
			continue;
		s->runs.v[i]->wants_git = false;
		ev.ref.run = (uint32_t)i;
		if (g->commit[0] != '\0')
			(void)session_event(s, &ev);
	}
	if (all_over(s))
		s->lazy_due = true; /* no other row will come */
}

/**
 * session_git(s):
 * Begin to look for what is checked out, unless that is under way.  The runs that want it when
 * it is found get it.
 */
void
session_git(struct session *s)
{
	struct git_look *g = &s->git;

	if (g->busy || !repo_near(s->p->root))
		return;
	*g = (struct git_look){.s = s, .root = s->p->root, .dirty = -1};
	g->req.data = g;
	g->busy = uv_queue_work(&s->loop, &g->req, look, found) == 0;
}

static void
on_grace(uv_timer_t *t)
{
	session_git_stop(t->data);
}

/**
 * session_git_waits(s):
 * Return whether the session, of which nothing else is left to do, goes on until it is known
 * what was checked out.
 */
bool
session_git_waits(struct session *s)
{
	if (!s->git.busy)
		return false;
	if (!uv_is_active((uv_handle_t *)&s->grace) &&
	    !atomic_load_explicit(&s->git.stop, memory_order_relaxed))
		(void)uv_timer_start(&s->grace, on_grace, GRACE_MS, 0);
	return true;
}

/**
 * session_git_stop(s):
 * Let the worker give up, if there is one.
 */
void
session_git_stop(struct session *s)
{
	atomic_store_explicit(&s->git.stop, true, memory_order_relaxed);
}
