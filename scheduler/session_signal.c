/*
 * Signals.  INT and TERM: launch nothing, stop what works, end the runs cancelled; the second
 * one kills.  HUP: let go, attempts live on, runs can be resumed.  Ctrl-Z: stop only when no
 * commit holds the gate.
 */
#include <signal.h>
#include <string.h>

#include "scheduler/session_int.h"

static void
stop_all(struct session *s, int signum)
{
	struct engine_event ev = {.kind = EV_CANCEL};
	struct engine_run_view v;
	uint32_t i, live = 0;

	s->interrupts++;
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
