/* The experiments of `dag exp run`, several at once, until all have ended or we are stopped. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/exp_run.h"

#define TICK_MS 250 /* on a terminal */

/* What signals tell; there is one such loop in a process. */
static volatile sig_atomic_t last_signal, signals;
static atomic_bool stop;

static const int heard[] = {SIGINT, SIGTERM, SIGHUP};
#define NHEARD (sizeof(heard) / sizeof(heard[0]))

struct loop {
	struct exp_run *x;
	sigset_t blocked, before;
	struct sigaction old[NHEARD], old_child;
	sig_atomic_t passed_on; /* of the signals */
};

static void
on_signal(int sig)
{
	if (last_signal == 0)
		last_signal = sig;
	signals++;
	atomic_store_explicit(&stop, true, memory_order_relaxed);
}

static void
on_child(int sig)
{
	(void)sig; /* only wakes us */
}

/* Those that somebody wants us to ignore stay so. */
static void
listen_begin(struct loop *l)
{
	struct sigaction sa = {.sa_handler = on_signal};

	last_signal = signals = 0;
	atomic_store(&stop, false);
	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&l->blocked);
	(void)sigaddset(&l->blocked, SIGCHLD);
	for (size_t i = 0; i < NHEARD; i++) {
		(void)sigaction(heard[i], NULL, &l->old[i]);
		if (l->old[i].sa_handler == SIG_IGN)
			continue;
		(void)sigaction(heard[i], &sa, NULL);
		(void)sigaddset(&l->blocked, heard[i]);
	}
	sa.sa_handler = on_child;
	(void)sigaction(SIGCHLD, &sa, &l->old_child);
}

static void
listen_end(struct loop *l)
{
	for (size_t i = 0; i < NHEARD; i++)
		(void)sigaction(heard[i], &l->old[i], NULL);
	(void)sigaction(SIGCHLD, &l->old_child, NULL);
}

/* ---- one of them ---- */

/* It has come to its end. */
static void
settle(struct exp_run *x, struct exp_one *one, enum exp_step step)
{
	one->step = step;
	one->ended_us = clock_now().mono_us;
	x->running--;
	x->saved += step == EXP_SAVED;
	x->failed += step == EXP_FAILED;
	exp_board_event(x, one);
	trial_end(&one->trial, step == EXP_FAILED ? one->name : NULL);
}

static void
start(struct exp_run *x, struct exp_one *one)
{
	x->running++;
	one->began_us = clock_now().mono_us;
	one->step = EXP_CHECKOUT;
	exp_board_event(x, one);
	if (exp_trial_begin(x, one, &stop, &one->err) != 0 ||
	    exp_trial_spawn(x, one, x->checkout, &one->err) != 0)
		settle(x, one, atomic_load(&stop) ? EXP_STOPPED : EXP_FAILED);
}

/* What was started in it has ended. */
static void
go_on(struct exp_run *x, struct exp_one *one, int status)
{
	bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	one->pid = 0;
	if (atomic_load(&stop)) {
		settle(x, one, EXP_STOPPED);
	} else if (!well) {
		settle(x, one, EXP_FAILED);
	} else if (one->step == EXP_CHECKOUT) {
		one->step = EXP_RUNS;
		if (exp_trial_spawn(x, one, x->run, &one->err) != 0)
			settle(x, one, EXP_FAILED);
	} else if (exp_trial_keep(x, one, &stop, &one->err) == 0) {
		settle(x, one, EXP_SAVED);
	} else {
		settle(x, one, one->err.code == ERR_CANCELLED ? EXP_STOPPED : EXP_FAILED);
	}
}

/* Return whether something has ended. */
static bool
reap(struct exp_run *x)
{
	bool some = false;

	for (size_t i = 0; i < x->next; i++) {
		struct exp_one *one = &x->v[i];
		int status;

		if (one->pid == 0 || waitpid(one->pid, &status, WNOHANG) != one->pid)
			continue;
		some = true;
		go_on(x, one, status);
	}
	return some;
}

/* ---- all of them ---- */

/* Each signal once: the second one makes `dag run` kill its tasks. */
static void
pass_on(struct loop *l)
{
	struct exp_run *x = l->x;

	if (l->passed_on == signals)
		return;
	if (l->passed_on == 0) {
		exp_board_end(x);
		cli_note(x->k->c, "stopping %zu experiment%s; those that were saved stay",
			 x->running, x->running == 1 ? "" : "s");
	}
	l->passed_on = signals;
	for (size_t i = 0; i < x->next; i++)
		if (x->v[i].pid > 0)
			(void)kill(x->v[i].pid,
				   last_signal == SIGHUP ? SIGTERM : last_signal);
}

/* Whether something has ended that nobody has looked at. */
static bool
has_ended(void)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

/* Until something happens, or the picture is old.  Nothing gets lost between the look and the
 * sleep, as signals are blocked there; that of a child wakes us whatever we were started with. */
static void
wait_for_more(struct loop *l)
{
	struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
	sigset_t asleep;

	if (reap(l->x))
		return;
	(void)sigprocmask(SIG_BLOCK, &l->blocked, &l->before);
	asleep = l->before;
	(void)sigdelset(&asleep, SIGCHLD);
	if (!has_ended() && signals == l->passed_on)
		(void)ppoll(NULL, 0, l->x->terminal ? &tick : NULL, &asleep);
	(void)sigprocmask(SIG_SETMASK, &l->before, NULL);
}

int
exp_trials_run(struct exp_run *x)
{
	struct loop l = {.x = x};

	listen_begin(&l);
	for (;;) {
		pass_on(&l);
		while (!atomic_load(&stop) && x->running < x->jobs && x->next < x->n)
			start(x, &x->v[x->next++]);
		if (x->running == 0 && (x->next == x->n || atomic_load(&stop)))
			break;
		exp_board_draw(x);
		wait_for_more(&l);
	}
	exp_board_end(x);
	listen_end(&l);
	return (int)last_signal;
}
