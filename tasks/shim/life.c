/*
 * The life of a started task:
 *
 *	running --timeout or SIGTERM--> TERM to the tree --grace--> KILL, in rounds
 *	running --SIGQUIT--> KILL, in rounds
 *	main process ended, nothing below us: done
 *	main process ended, something left: settle (100 ms, for what is just ending, as the
 *	    tee of a `cmd > >(tee x)`), count it, TERM --grace--> KILL, in rounds, for 10 s
 *
 * Everything a task starts stays below us: we are the subreaper, so what loses its parent
 * becomes our child, whatever session or group it has moved to.  Hence "no children" means
 * that the whole tree is gone, and costs one system call.
 *
 * Timeouts count monotonic time (a suspended laptop's sleep is not the task's) and are the
 * poll's own, which needs no timer descriptor.
 *
 * A task that uses more memory than it may is killed at once (memory.c).
 */
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

#define SETTLE_US    ((int64_t)100000)
#define GIVE_UP_US   ((int64_t)10000000)
#define ROUND_MIN_US ((int64_t)5000)
#define ROUND_MAX_US ((int64_t)1000000)

static int64_t
clock_us(clockid_t id)
{
	struct timespec t;

	(void)sys_clock_gettime(id, &t); /* these clocks are always there */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
shim_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t
shim_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

/*
 * Signal the whole tree: the task's own group at once, since nothing can escape from that,
 * then whoever has left it, one by one.  With leave_children only the group.
 */
static void
signal_tree(const struct life *l, int sig)
{
	const struct tree_proc *p;
	int n;

	if (l->main_alive)
		(void)sys_kill(-l->main,
			       sig); /* no such group: it moved away, see below */
	if (l->spec->leave_children)
		return;
	n = tree_scan(l->self, &p);
	for (int i = 0; i < n; i++)
		if (!l->main_alive || p[i].pgrp != l->main)
			tree_signal(&p[i], sig);
}

static void
kill_round(struct life *l, int64_t now)
{
	signal_tree(l, SIGKILL);
	l->round_at = now + l->round_us;
	l->round_us = l->round_us * 2 < ROUND_MAX_US ? l->round_us * 2 : ROUND_MAX_US;
}

static void
begin_kill(struct life *l, int64_t now)
{
	if (l->killing)
		return;
	l->killing = true;
	l->kill_at = l->timeout_at = NEVER;
	l->rec.killed = l->main_alive;
	if (!l->main_alive)
		l->give_up_at = now + GIVE_UP_US;
	l->round_us = ROUND_MIN_US;
	kill_round(l, now);
}

static void
begin_term(struct life *l, int64_t now)
{
	if (l->term_sent || l->killing)
		return;
	l->term_sent = true;
	l->timeout_at = NEVER;
	signal_tree(l, SIGTERM);
	if (l->spec->grace_us == 0) {
		begin_kill(l, now);
		return;
	}
	/* What is stopped could not act on it. */
	signal_tree(l, SIGCONT);
	l->kill_at = now + l->spec->grace_us;
}

static void
main_ended(struct life *l, int status)
{
	int64_t now = shim_mono_us();

	fault_point(SHIM_EXITED);
	l->main_alive = false;
	l->wstatus = status;
	l->rec.end_us = shim_wall_us();
	l->rec.dur_us = now - l->start_mono;
	l->timeout_at = NEVER;
	l->settle_at = now + SETTLE_US;
	if (l->killing)
		l->give_up_at = now + GIVE_UP_US;
}

static void
reap(struct life *l)
{
	int status;
	pid_t pid;

	while ((pid = (pid_t)sys_wait4(-1, &status, WNOHANG | __WALL)) != 0) {
		if (pid == l->main && l->main_alive)
			main_ended(l, status);
		if (pid < 0 && pid != -EINTR) {
			l->childless = true; /* ECHILD: the tree is gone */
			return;
		}
	}
	l->childless = false;
}

/*
 * Take what has been sent to us.  A request that comes when the task has ended does not
 * change how it ended; SIGQUIT then only hastens the sweep.
 */
static void
take_signals(struct life *l)
{
	struct signalfd_siginfo s[16];
	int64_t now = shim_mono_us();
	long n = sys_read(l->sigfd, s, sizeof(s));

	for (long i = 0; i < n / (long)sizeof(s[0]); i++) {
		if (s[i].ssi_signo == SIGTERM && l->main_alive) {
			if (l->rec.stop == EXIT_STOP_NONE)
				l->rec.stop = EXIT_STOP_TERM;
			begin_term(l, now);
		} else if (s[i].ssi_signo == SIGQUIT) {
			if (l->main_alive)
				l->rec.stop = EXIT_STOP_KILL;
			begin_kill(l, now);
		}
	}
	/* Signals of one kind are one: SIGCHLD says only that there is something. */
	reap(l);
}

bool
life_stop_pending(struct life *l)
{
	struct signalfd_siginfo s;

	while (sys_read(l->sigfd, &s, sizeof(s)) == (long)sizeof(s)) {
		if (s.ssi_signo == SIGQUIT)
			l->rec.stop = EXIT_STOP_KILL;
		else if (s.ssi_signo == SIGTERM && l->rec.stop == EXIT_STOP_NONE)
			l->rec.stop = EXIT_STOP_TERM;
	}
	return l->rec.stop != EXIT_STOP_NONE;
}

/* The main process has ended a moment ago and not everything with it. */
static void
settled(struct life *l, int64_t now)
{
	const struct tree_proc *p;
	int n = tree_scan(l->self, &p);

	l->settle_at = NEVER;
	l->rec.survivors = n < 0 ? 1 : n; /* without /proc: some child is there */
	begin_term(l, now);
}

static void
give_up(struct life *l)
{
	const struct tree_proc *p;
	int n = tree_scan(l->self, &p);

	l->rec.unkilled = n < 0 ? 1 : n;
	l->gave_up = true;
}

static void
deadlines(struct life *l)
{
	int64_t now = shim_mono_us();

	if (now >= l->timeout_at && l->main_alive) {
		l->rec.timed_out = true;
		begin_term(l, now);
	}
	if (now >= l->mem->at && l->main_alive && !l->killing &&
	    memory_look(l->mem, l->self, now))
		begin_kill(l, now);
	if (now >= l->settle_at)
		settled(l, now);
	if (now >= l->kill_at)
		begin_kill(l, now);
	if (l->killing && now >= l->round_at)
		kill_round(l, now);
	if (now >= l->give_up_at)
		give_up(l);
}

static int64_t
next_deadline(const struct life *l)
{
	const int64_t at[] = {
	    l->timeout_at, l->settle_at,
	    l->kill_at,	   l->killing ? l->round_at : NEVER,
	    l->give_up_at, l->main_alive && !l->killing ? l->mem->at : NEVER};
	int64_t min = NEVER;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] < min)
			min = at[i];
	return min;
}

/* Wait for a signal, output or a deadline. */
static void
wait_some(struct life *l)
{
	struct pollfd p[2] = {{.fd = l->sigfd, .events = POLLIN},
			      {.fd = l->cap->fd, .events = POLLIN}};
	int64_t until = next_deadline(l), left;
	struct timespec t, *timeout = NULL;

	if (until != NEVER) {
		left = until - shim_mono_us();
		left = left > 0 ? left : 0;
		t.tv_sec = left / 1000000;
		t.tv_nsec = left % 1000000 * 1000;
		timeout = &t;
	}
	if (sys_ppoll(p, 2, timeout) <= 0)
		return;
	if (p[1].revents != 0)
		(void)capture_read(l->cap, CAPTURE_READ); /* however much there is */
	if (p[0].revents != 0)
		take_signals(l);
}

static bool
done(const struct life *l)
{
	return !l->main_alive && (l->childless || l->spec->leave_children || l->gave_up);
}

static void
fill_usage(struct exit_record *r)
{
	struct rusage u;

	/* All that we have waited for: the task, what it waited for, the swept. */
	if (sys_getrusage(RUSAGE_CHILDREN, &u) != 0)
		return;
	r->user_us = (int64_t)u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec;
	r->sys_us = (int64_t)u.ru_stime.tv_sec * 1000000 + u.ru_stime.tv_usec;
	r->maxrss_kib = u.ru_maxrss;
	r->minflt = u.ru_minflt;
	r->majflt = u.ru_majflt;
	r->inblock = u.ru_inblock;
	r->oublock = u.ru_oublock;
	r->nvcsw = u.ru_nvcsw;
	r->nivcsw = u.ru_nivcsw;
}

void
life_run(struct life *l)
{
	l->main_alive = true;
	l->settle_at = l->kill_at = l->round_at = l->give_up_at = NEVER;
	l->timeout_at = NEVER;
	if (l->spec->timeout_us > 0)
		l->timeout_at = l->start_mono + l->spec->timeout_us;
	while (!done(l)) {
		wait_some(l);
		deadlines(l);
	}
	l->rec.status = -1;
	if (WIFEXITED(l->wstatus))
		l->rec.status = WEXITSTATUS(l->wstatus);
	else
		l->rec.signal = WTERMSIG(l->wstatus);
	l->rec.core = WIFSIGNALED(l->wstatus) && WCOREDUMP(l->wstatus);
	fill_usage(&l->rec);
	capture_end(l->cap, l->childless);
}
