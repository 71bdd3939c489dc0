/*
 * The session: engine, loop, writer thread and executor put together.  See session_int.h for
 * what one turn of the loop does.
 */
#include "scheduler/session.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/uuid.h"
#include "scheduler/cgroup.h"
#include "scheduler/session_int.h"
#include "scheduler/sweep.h"
#include "store/owner.h"

#define DESCRIPTORS_MIN 24 /* for the loop, the database, the locks, one attempt */

struct now
session_now(struct session *s)
{
	(void)s;
	return clock_now();
}

/**
 * session_say(s, notice, fmt, ...):
 * Give the observer a line for the user.
 */
void
session_say(struct session *s, enum session_notice n, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	if (s->cfg.observer->notice == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	s->cfg.observer->notice(s->cfg.observer->ctx, n, line);
}

/**
 * session_break(s, err):
 * The session cannot go on; the first reason counts.  What runs lives on.
 */
void
session_break(struct session *s, const struct err *err)
{
	if (!s->broken) {
		s->broken = true;
		s->err = *err;
	}
	uv_stop(&s->loop);
}

/**
 * session_event(s, ev):
 * Step the engine.  Return 0, or -1 when the session is broken.
 */
int
session_event(struct session *s, const struct engine_event *ev)
{
	struct err err;

	if (s->broken)
		return -1;
	if (engine_step(s->engine, session_now(s), ev) == 0)
		return 0;
	err_nomem(&err);
	session_break(s, &err);
	return -1;
}

static int
new_id(void *ctx, char out[META_RUN_ID])
{
	(void)ctx;
	return uuid7(out, clock_now().wall_us);
}

static void
task_changed(void *ctx, uint32_t run, uint32_t task)
{
	struct session *s = ctx;
	struct engine_ref ref = {.run = run, .task = task};
	const struct engine_ref *last =
	    s->changed.n > 0 ? &s->changed.v[s->changed.n - 1] : NULL;

	/* It is looked at later: twice would show the same. */
	if (last != NULL && last->run == run && last->task == task)
		return;
	/* Only for the screen: without memory it is drawn a little later. */
	(void)vec_push(&s->changed, ref);
}

static void
arm(uv_timer_t *t, int64_t us, uv_timer_cb cb)
{
	uint64_t ms = us <= 0 ? 0 : ((uint64_t)us + 999) / 1000;

	(void)uv_timer_start(t, cb, ms, 0);
}

static void
on_due(uv_timer_t *t)
{
	struct engine_event ev = {.kind = EV_TICK};

	fault_point(DUE);
	(void)session_event(t->data, &ev);
}

static void
on_lazy(uv_timer_t *t)
{
	struct session *s = t->data;

	s->lazy_due = true;
}

/**
 * session_over(s):
 * Return whether nothing is left to do: all runs are over and everything is written.
 */
bool
session_over(const struct session *s)
{
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		if (!s->runs.v[i]->over)
			return false;
	return !s->flying && !engine_pending(s->engine);
}

static void
pump_actions(struct session *s)
{
	struct engine_action a;

	while (!s->broken && engine_action(s->engine, &a))
		session_act(s, &a);
}

/* Ctrl-Z: others must not wait for a gate that a stopped process holds. */
static void
stop_here(struct session *s)
{
	if (s->flying)
		return;
	if (!meta_writer_resting(s->writer)) {
		arm(&s->lazy, STOP_AGAIN_US, on_lazy);
		return;
	}
	s->want_stop = false;
	(void)raise(SIGSTOP);
}

/* Before the loop sleeps: act, write, arm the timers. */
static void
on_pump(uv_prepare_t *p)
{
	struct session *s = p->data;
	int64_t due;

	/* After HUP nothing is started or stopped any more; the batch under way ends, unless
	 * somebody keeps it from beginning. */
	if (s->hangup) {
		if (!s->flying || session_gate_shut(s))
			uv_stop(&s->loop);
		return;
	}
	pump_actions(s);
	session_show_changes(s);
	if (s->look_due)
		session_look(s);
	if (s->broken)
		return;
	if (!s->flying && engine_pending(s->engine)) {
		if (engine_urgent(s->engine) || s->lazy_due)
			session_submit(s);
		else if (!uv_is_active((uv_handle_t *)&s->lazy))
			arm(&s->lazy, LAZY_MS * 1000, on_lazy);
	}
	due = engine_deadline(s->engine, session_now(s));
	if (due < 0)
		(void)uv_timer_stop(&s->due);
	else
		arm(&s->due, due, on_due);
	if (s->want_stop)
		stop_here(s);
	if (session_over(s) && !session_cache_waits(s) && !session_git_waits(s))
		uv_stop(&s->loop);
	else if (s->interrupts > 0)
		session_give_up(s);
}

static void
on_draw(uv_timer_t *t)
{
	struct session *s = t->data;

	session_poll_events(s);
	if (s->cfg.observer->tick != NULL)
		s->cfg.observer->tick(s->cfg.observer->ctx);
}

static unsigned
cpus(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned)n : 1;
}

static void
on_written(void *ctx)
{
	struct session *s = ctx;

	(void)uv_async_send(&s->wrote);
}

static int
open_engine(struct session *s, struct err *err)
{
	struct engine_config cfg = {.ctx = s,
				    .jobs = s->cfg.jobs,
				    .memory = cgroup_machine_memory(),
				    .boot_id = s->boot,
				    .decide = session_decide,
				    .known = session_known,
				    .wait_times = session_wait_times,
				    .new_id = new_id,
				    .changed = task_changed};

	cfg.seed = (uint64_t)clock_now().mono_us ^ ((uint64_t)getpid() << 32);
	if ((s->engine = engine_new(&cfg)) == NULL)
		return err_nomem(err);
	return 0;
}

static void
open_timers(struct session *s)
{
	uv_timer_t *all[] = {&s->due,	&s->lazy, &s->look,  &s->draw,
			     &s->again, &s->hold, &s->grace, &s->held};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)uv_timer_init(&s->loop, all[i]);
		all[i]->data = s;
	}
	(void)uv_prepare_init(&s->loop, &s->pump);
	s->pump.data = s;
}

static int
open_loop(struct session *s, struct err *err)
{
	int rc = uv_loop_init(&s->loop);

	if (rc != 0)
		return err_set(err, ERR_SYS, "cannot make an event loop: %s",
			       uv_strerror(rc));
	s->loop_open = true;
	open_timers(s);
	if ((rc = uv_async_init(&s->loop, &s->wrote, session_wrote)) != 0)
		return err_set(err, ERR_SYS, "cannot make an event: %s", uv_strerror(rc));
	s->wrote.data = s;
	session_look_start(s);
	(void)uv_prepare_start(&s->pump, on_pump);
	if (s->cfg.observer->tick != NULL)
		(void)uv_timer_start(&s->draw, on_draw, DRAW_MS, DRAW_MS);
	return 0;
}

/*
 * libuv ends the process when descriptors run out while it makes its first loop, and below
 * these a run does not get far: better to say it at once.
 */
static int
check_descriptors(const struct project *p, struct err *err)
{
	int fds[DESCRIPTORS_MIN], n = 0, rc = 0;
	struct rlimit most = {0};

	while (n < DESCRIPTORS_MIN &&
	       (fds[n] = fcntl(p->root_fd, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	if (n < DESCRIPTORS_MIN) {
		(void)getrlimit(RLIMIT_NOFILE, &most);
		rc = err_set(
		    err, ERR_SYS,
		    "too few files may be open: dag needs %d more than it has, of "
		    "%llu; raise the limit: ulimit -n 1024",
		    DESCRIPTORS_MIN - n, (unsigned long long)most.rlim_cur);
	}
	while (n > 0)
		(void)close(fds[--n]);
	return rc;
}

int
session_open(const struct project *p, const struct session_config *cfg,
	     struct session **out, struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct exec_reports reports = session_reports;

	if (s == NULL)
		return err_nomem(err);
	s->p = p;
	s->waiter = (struct waiter){.fd = -1, .dir = -1};
	s->cfg = *cfg;
	if (s->cfg.jobs == 0)
		s->cfg.jobs = cpus();
	reports.ctx = s;
	if (check_descriptors(p, err) != 0) {
		session_close(s);
		return -1;
	}
	if (proc_boot_id(s->boot) != 0) {
		err_set(err, ERR_SYS, "cannot read the boot id of this machine");
	} else if (meta_open(p, META_WRITE, &s->meta, err) == 0 &&
		   open_engine(s, err) == 0 && open_loop(s, err) == 0 &&
		   (s->local = exec_local_new(p, &s->loop, &reports, err)) != NULL &&
		   meta_writer_start(p, on_written, s, &s->writer, err) == 0) {
		s->data_version = meta_data_version(s->meta);
		*out = s;
		return 0;
	}
	session_close(s);
	return -1;
}

/* The exit code when the loop has ended. */
static int
exit_code(struct session *s, struct err *err)
{
	if (s->broken) {
		*err = s->err;
		return 3;
	}
	if (s->hangup)
		return 129;
	if (s->interrupts > 0)
		return 128 + s->signal;
	return s->failed ? 1 : 0;
}

int
session_loop(struct session *s, struct err *err)
{
	struct engine_event begin = {.kind = EV_TICK};

	/* Until now a signal just ended the process, which may have waited for the database. */
	if (session_signals(s, &s->err) != 0)
		s->broken = true;
	/* From now on nobody but the writer thread may wait long. */
	meta_patience(s->meta, PATIENCE_US);
	(void)session_event(s, &begin);
	while (!s->broken &&
	       (!session_over(s) || session_cache_waits(s) || session_git_waits(s))) {
		(void)uv_run(&s->loop, UV_RUN_DEFAULT);
		if (s->hangup)
			break;
	}
	if (s->cfg.observer->tick != NULL)
		s->cfg.observer->tick(s->cfg.observer->ctx);
	return exit_code(s, err);
}

static void
close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

/* Workers under way see their stop flags and end; their callbacks must run. */
static void
stop_workers(struct session *s)
{
	size_t i;

	for (i = 0; i < s->runs.n; i++)
		for (struct attempt *a = s->runs.v[i]->attempts; a != NULL; a = a->next)
			attempt_stop_work(a);
	session_cache_stop(s);
	session_git_stop(s);
	sweep_stop();
}

static void
close_loop(struct session *s)
{
	/* Handles first: nothing but the workers may call back from now on. */
	uv_walk(&s->loop, close_walk, NULL);
	do
		(void)uv_run(&s->loop, UV_RUN_ONCE);
	while (s->workers > 0 || s->git.busy || sweep_active() > 0);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&s->loop) != 0)
		log_warn("the event loop was closed with handles open");
}

void
session_close(struct session *s)
{
	size_t i;

	if (s == NULL)
		return;
	meta_writer_stop(s->writer);
	s->broken = true;
	stop_workers(s); /* before the executor goes, which sweeps report to */
	if (s->local != NULL)
		s->local->ops->close(s->local);
	if (s->loop_open)
		close_loop(s);
	wake_close(&s->waiter);
	session_cache_free(s);
	engine_free(s->engine);
	for (i = 0; i < s->runs.n; i++)
		srun_free(s->runs.v[i]);
	vec_release(&s->runs);
	vec_release(&s->changed);
	meta_close(s->meta);
	free(s->program);
	free(s);
}
