/*
 * What is checked out when a run begins: the commit, and whether tracked files have changes.  A
 * worker thread looks, so that nothing waits for it: the run's start neither for libgit2 to be
 * loaded nor for the work tree to be looked through.  What it found rides to the database with
 * the next row that does not.
 *
 *	IDLE -> KNOWN  [session_git]        a run is to begin in a git work tree that looks as it
 *					    did last time (git_seen.h), and has few files
 *	KNOWN -> IDLE  [session_git_known]  the run is there and gets EV_GIT
 *	IDLE -> BUSY   [session_git]        it does not, or has many
 *	BUSY -> IDLE   [found]              the runs that wanted it get EV_GIT
 *
 * A session whose runs are over waits GRACE_MS for it; what is not known then stays unknown.  A
 * repository that cannot be read is no failure of the run: it is told once.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/session_int.h"
#include "store/git_seen.h"

#define GRACE_MS  100
#define INDEX_NOW ((size_t)32 << 10) /* bytes of an index that costs less than a thread */

/* Whether all is as it was last time. */
static bool
remember(struct git_look *g, size_t max)
{
	struct git_seen seen;

	if (git_seen_look(g->root, g->s->p->state_fd, max, &g->stop, &seen) == 0)
		return false;
	memcpy(g->commit, seen.commit, sizeof(g->commit));
	g->dirty = seen.dirty;
	return true;
}

/* By libgit2, which has to be loaded. */
static void
look_anew(struct git_look *g, struct repo *r)
{
	struct git_seen_state *state;
	struct repo_change change;
	struct repo_head head;
	struct git_seen seen;

	state = git_seen_begin(g->root, repo_top(r), repo_git_dir(r));
	if (repo_head(r, &head, &g->err) == 0 && head.id[0] != '\0') {
		memcpy(g->commit, head.id, sizeof(g->commit));
		memcpy(seen.commit, head.id, sizeof(seen.commit));
		if (repo_top(r) != NULL)
			g->dirty = repo_change(r, &g->stop, &change, &g->err);
	}
	seen.dirty = g->dirty == 1;
	git_seen_end(state, g->s->p->state_fd, g->dirty >= 0 ? &seen : NULL, &change);
}

static void
look(uv_work_t *req)
{
	struct git_look *g = req->data;
	struct repo *r = NULL;

	if (remember(g, SIZE_MAX) || repo_open(g->root, &r, &g->err) != 0 || r == NULL)
		return;
	look_anew(g, r);
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

/* Hand it to the runs that want it. */
static void
hand_on(struct session *s)
{
	const struct git_look *g = &s->git;
	struct engine_event ev = {
	    .kind = EV_GIT, .git_commit = g->commit, .git_dirty = g->dirty};
	size_t i;

	for (i = 0; i < s->runs.n; i++) {
		if (!s->runs.v[i]->wants_git)
			continue;
		s->runs.v[i]->wants_git = false;
		ev.ref.run = (uint32_t)i;
		if (g->commit[0] != '\0')
			(void)session_event(s, &ev);
	}
}

static void
found(uv_work_t *req, int status)
{
	struct git_look *g = req->data;
	struct session *s = g->s;

	(void)status;
	g->busy = false;
	complain(s);
	hand_on(s);
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
	g->known = remember(g, INDEX_NOW);
	if (g->known)
		return;
	g->busy = uv_queue_work(&s->loop, &g->req, look, found) == 0;
}

/**
 * session_git_known(s):
 * The run that session_git was called for is there: if it is known what is checked out, it gets
 * it.
 */
void
session_git_known(struct session *s)
{
	if (!s->git.known)
		return;
	s->git.known = false;
	hand_on(s);
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
