/*
 * Signals.  INT and TERM: launch nothing, stop what works, end the runs cancelled; the second
 * one kills.  Where their end cannot be recorded, the session leaves without (exit 3).  HUP: let go, attempts live on, runs can be resumed.  Ctrl-Z: stop only when no
 * commit holds the gate.
 */
#include <signal.h>
#include <string.h>

#include "scheduler/session_int.h"
#include "scheduler/sweep.h"

#define GIVE_UP_US INT64_C(5000000) /* a commit may come right when all work has ended */
#define KILLED_US  INT64_C(2000000) /* what was killed may take to end */

/**
 * session_gate_shut(s):
 * Return whether the batch under way waits for the gate, and has for a while.
 */
bool
session_gate_shut(struct session *s)
{
	pid_t pid;
	char state;

	return s->flying && meta_writer_gate(s->writer, &pid, &state);
}

static bool
stuck(struct session *s)
{
	return (s->commit_stuck && !s->flying) || session_gate_shut(s);
}

/* Is it time to leave?  Not while anything works that was asked to end. */
static bool
waited_enough(struct session *s)
{
	int64_t now = session_now(s).mono_us;
	bool works =
	    s->local->ops->count(s->local) > 0 || s->workers > 0 || sweep_active() > 0;

	if (s->interrupts > 2)
		return true;
	if (s->interrupts == 2)
		return !works || now - s->kill_us >= KILLED_US;
	if (works || s->rest_us == 0)
		s->rest_us = works ? 0 : now;
	return !works && now - s->rest_us >= GIVE_UP_US;
}

/**
 * session_give_up(s):
 * INT or TERM has come.  Where the database cannot be written (a full disk, a gate that a
 * stopped process holds) the runs cannot end; the tasks can.  Then leave: what has ended is
 * found by whoever resumes the runs.
 */
void
session_give_up(struct session *s)
{
	struct err err;
	pid_t pid = 0;
	char state;

	if (s->broken || !stuck(s) || !waited_enough(s))
		return;
	if (s->flying && meta_writer_gate(s->writer, &pid, &state))
		(void)err_set(&s->stuck, ERR_BUSY,
			      "process %ld keeps the database from being written%s",
			      (long)pid, state == 'T' ? " and is stopped" : "");
	(void)err_set(&err, s->stuck.code,
		      "%s; so it is not recorded that the tasks were stopped: 'dag "
		      "resume' goes on with the run, 'dag cancel' ends it",
		      s->stuck.msg);
	session_break(s, &err);
}

static void
stop_all(struct session *s, int signum)
{
	struct engine_event ev = {.kind = EV_CANCEL};
	struct engine_run_view v;
	uint32_t i, live = 0;

	s->interrupts++;
	if (s->interrupts == 2)
		s->kill_us = session_now(s).mono_us;
	if (s->signal == 0)
		s->signal = signum;
	ev.kill = s->interrupts > 1;
	ev.reason = signum == SIGINT ? "interrupted (Ctrl-C)" : "terminated (SIGTERM)";
	for (i = 0; i < s->runs.n; i++) {
		if (s->runs.v[i]->over || s->runs.v[i]->settle)
			continue;
		ev.ref.run = i;
		if (session_event(s, &ev) != 0)
			return;
		engine_run_view(s->engine, i, &v);
		live += v.live;
	}
	if (s->interrupts == 1 && live > 0)
		session_say(s, NOTICE_SIGNAL, "stopping %u task%s (once more to kill)",
			    live, live == 1 ? "" : "s");
	else if (s->interrupts == 2 && live > 0)
		session_say(s, NOTICE_SIGNAL, "killing %u task%s", live,
			    live == 1 ? "" : "s");
	else if (s->interrupts == 1 && stuck(s))
		session_say(s, NOTICE_SIGNAL,
			    "the database cannot be written; leaving in a few seconds "
			    "(once more: now)");
}

static void
on_signal(uv_signal_t *h, int signum)
{
	struct session *s = h->data;

	switch (signum) {
	case SIGINT:
	case SIGTERM:
		stop_all(s, signum);
		break;
	case SIGHUP:
		s->hangup = true;
		break;
	case SIGTSTP:
		s->want_stop = true;
		break;
	case SIGCONT:
	case SIGWINCH:
		if (s->cfg.observer->resized != NULL)
			s->cfg.observer->resized(s->cfg.observer->ctx, signum == SIGCONT);
		break;
	default:
		break;
	}
}

int
session_signals(struct session *s, struct err *err)
{
	static const int want[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH};
	struct sigaction old;
	size_t i;
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		/* nohup: who started us chose that we outlive the terminal. */
		if (want[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		if ((rc = uv_signal_init(&s->loop, &s->sig[i])) != 0 ||
		    (rc = uv_signal_start(&s->sig[i], on_signal, want[i])) != 0)
			return err_set(err, ERR_SYS, "cannot watch for signals: %s",
				       uv_strerror(rc));
		s->sig[i].data = s;
	}
	return 0;
}
