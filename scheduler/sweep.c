#include "scheduler/sweep.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/proc.h"
#include "scheduler/cgroup.h"
#include "scheduler/exec_spawn.h"
#include "tasks/proto/shim_info.h"

#define TERM_MS 400  /* what is left gets this long to go by itself */
#define KILL_MS 5000 /* after KILL a process may hang in the kernel this long */
#define LOOK_MS 20
#define ENTRY	"DAG_ATTEMPT_ID="

struct sweep {
	uv_work_t work;
	struct engine_ref ref;
	char entry[64 + 16]; /* DAG_ATTEMPT_ID=... */
	pid_t session;
	int dirfd;    /* of the attempt, or -1 */
	bool nothing; /* to do */
	char why[512];
	void (*done)(void *, struct engine_ref, const char *);
	void *ctx;
	bool stop; /* atomic: give up */
	struct sweep *next;
};

static struct sweep *sweeps; /* under way; of the loop's thread */

struct hit {
	int sig;
	pid_t self;
};

static void
hit_one(void *ctx, pid_t pid)
{
	struct hit *h = ctx;

	if (pid != h->self)
		(void)kill(pid, h->sig);
}

static void
nap(void)
{
	struct timespec ts = {.tv_nsec = LOOK_MS * 1000000L};

	(void)nanosleep(&ts, NULL);
}

static bool
stopped(const struct sweep *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_RELAXED);
}

/* Signal what is left until nothing is, or the time is up. */
static int
clear(struct sweep *s, int sig, int ms)
{
	struct hit h = {.sig = sig, .self = getpid()};
	int left = 0;

	for (; ms > 0 && !stopped(s); ms -= LOOK_MS) {
		left = proc_find(s->session, s->entry, hit_one, &h);
		if (left <= 0)
			return 0;
		if (sig == SIGTERM)
			h.sig =
			    SIGCONT; /* TERM once; a stopped one must wake up to take it */
		nap();
	}
	return left;
}

/* The shim would have removed it. */
static void
forget_cgroup(const struct sweep *s)
{
	if (s->dirfd != -1)
		cgroup_forget(s->dirfd, s->entry + strlen(ENTRY));
}

static void
work(uv_work_t *req)
{
	struct sweep *s = req->data;
	size_t n;
	int left;

	if (s->nothing || clear(s, SIGTERM, TERM_MS) == 0) {
		forget_cgroup(s);
		return;
	}
	left = clear(s, SIGKILL, KILL_MS);
	forget_cgroup(s);
	n = strlen(s->why);
	if (left > 0)
		(void)snprintf(s->why + n, sizeof(s->why) - n,
			       "; %d of its processes do not die", left);
}

static void
sweep_free(struct sweep *s)
{
	if (s->dirfd != -1)
		(void)close(s->dirfd);
	free(s);
}

static void
after(uv_work_t *req, int status)
{
	struct sweep *s = req->data, **at = &sweeps;

	(void)status;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (!stopped(s))
		s->done(s->ctx, s->ref, s->why);
	sweep_free(s);
}

/* The session of the dead shim, or 0 where its number may belong to somebody else by now: a
 * number is not given out again while any process has it as its session, so only a living
 * process of that pid that is not the shim is a reason for doubt. */
static pid_t
session_of(int dirfd, const struct exec_adopt *a)
{
	struct shim_info info;
	uint64_t start, ns;

	if (dirfd != -1 && shim_info_read(dirfd, &info, NULL) == 1 &&
	    strcmp(info.boot, a->this_boot) == 0 && proc_pidns(&ns) == 0 &&
	    ns == info.pidns &&
	    (proc_start_time(info.pid, &start) != 0 || start == info.start))
		return info.session;
	return 0;
}

int
sweep_start(struct uv_loop_s *loop, const struct project *p, const struct exec_adopt *a,
	    const char *why, void (*done)(void *, struct engine_ref, const char *),
	    void *ctx)
{
	struct sweep *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -1;
	s->ref = a->ref;
	s->done = done;
	s->ctx = ctx;
	s->dirfd = exec_open_dir(p, a->dir);
	s->session = session_of(s->dirfd, a);
	s->nothing = a->leave_children || strcmp(a->boot_id, a->this_boot) != 0;
	(void)snprintf(s->entry, sizeof(s->entry), ENTRY "%s", a->attempt_id);
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	s->work.data = s;
	if (uv_queue_work(loop, &s->work, work, after) != 0) {
		sweep_free(s);
		return -1;
	}
	s->next = sweeps;
	sweeps = s;
	return 0;
}

void
sweep_stop(void)
{
	struct sweep *s;

	for (s = sweeps; s != NULL; s = s->next)
		__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

unsigned
sweep_active(void)
{
	const struct sweep *s;
	unsigned n = 0;

	for (s = sweeps; s != NULL; s = s->next)
		n++;
	return n;
}
