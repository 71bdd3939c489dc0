#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "cli/cli.h"
#include "cli/meterline.h"
#include "cli/outbox.h"
#include "cli/progress_event.h"
#include "store/meter.h"
#include "store/thread.h"

#define FIRST_US     INT64_C(300000) /* what is over by then shows nothing */
#define DRAW_US	     INT64_C(100000)
#define PLAIN_US     INT64_C(10000000) /* where there is no terminal */
#define PICTURES_MAX ((size_t)64 << 10)
#define LAST_WAIT_MS 200 /* for a terminal that takes nothing */
#define ERASE	     "\r\033[K"
#define NEVER	     INT64_MAX

struct watch {
	struct cli *c;
	struct meter *meter;
	watch_fn *fn;
	void *arg;
	struct err *err;
	int rc, done_fd; /* of the thread */

	int signal_fd, signal;
	sigset_t signals, before;
	bool terminal, shown;
	int64_t next_us; /* when the line is drawn */
	struct meterline line;
	struct outbox *out;
	struct progress_event event;
};

static void *
thread_main(void *arg)
{
	struct watch *w = arg;
	static const uint64_t one = 1;

	w->rc = w->fn(w->arg, w->meter, w->err);
	(void)fsio_write_all(w->done_fd, &one, sizeof(one));
	return NULL;
}

/* ---- the line ---- */

/* Onto the terminal, unless it has not even taken the last picture. */
static void
put_terminal(struct watch *w, const struct buf *b)
{
	struct err err;

	if (w->out == NULL)
		w->out = outbox_new(STDERR_FILENO, PICTURES_MAX, &err);
	if (w->out == NULL || buf_failed(b) || outbox_pending(w->out) > 0)
		return;
	w->shown = outbox_put(w->out, b->p, b->n) == 0;
}

static void
draw(struct watch *w, int64_t now_us)
{
	struct buf b;
	unsigned width;

	meterline_look(&w->line, w->meter, now_us);
	if (now_us < w->next_us)
		return;
	buf_init(&b, 0);
	if (w->terminal) {
		w->next_us = now_us + DRAW_US;
		width = cli_width(STDERR_FILENO);
		buf_adds(&b, ERASE);
		/* The last column stays free: some terminals go to the next line behind it. */
		meterline_put(&w->line, width > 1 ? width - 1 : CLI_WIDTH - 1, &b);
		put_terminal(w, &b);
	} else {
		w->next_us = now_us + PLAIN_US;
		meterline_put(&w->line, 0, &b);
		cli_note(w->c, "%s", b.p);
	}
	buf_release(&b);
}

/* Take the line away, so that something else can stand there. */
static void
erase(struct watch *w)
{
	bool clean = true;

	if (w->out != NULL)
		clean = outbox_drain(w->out, LAST_WAIT_MS) == 0;
	if (w->shown && clean)
		(void)fsio_write_all(STDERR_FILENO, ERASE, sizeof(ERASE) - 1);
	w->shown = false;
}

/* ---- signals ---- */

/* Those that somebody wants us to ignore (nohup, a script's background) stay so. */
static int
open_signals(struct watch *w, struct err *err)
{
	static const int heard[] = {SIGINT, SIGTERM};
	struct sigaction sa;

	(void)sigemptyset(&w->signals);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		if (sigaction(heard[i], NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
			(void)sigaddset(&w->signals, heard[i]);
	(void)pthread_sigmask(SIG_BLOCK, &w->signals, &w->before);
	w->signal_fd = signalfd(-1, &w->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signal_fd >= 0 ? 0 : err_sys(err, errno, "cannot listen for signals");
}

static void
hear(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	erase(w);
	/* Everything is safe against a crash, so leaving at once is safe, too. */
	if (w->signal != 0)
		_exit(128 + (int)info.ssi_signo);
	w->signal = (int)info.ssi_signo;
	atomic_store(&w->meter->cancel, true);
	cli_note(w->c, "stopping; what is done is kept, and the same command goes on "
		       "with the rest");
}

/* ---- waiting ---- */

static int
wait_ms(const struct watch *w, int64_t now_us)
{
	int64_t ms;

	if (w->next_us == NEVER)
		return w->event.fd == -1 ? -1 : 1000;
	/* Without a terminal the rate is to be known all the same. */
	ms = (w->next_us - now_us + 999) / 1000;
	return ms < 0 ? 0 : ms > 1000 ? 1000 : (int)ms;
}

static void
wait_end(struct watch *w)
{
	struct pollfd fds[] = {{.fd = w->done_fd, .events = POLLIN},
			       {.fd = w->signal_fd, .events = POLLIN}};
	int64_t now_us;

	for (;;) {
		now_us = clock_now().mono_us;
		if (poll(fds, 2, wait_ms(w, now_us)) < 0 && errno != EINTR)
			break;
		if ((fds[0].revents & POLLIN) != 0)
			break;
		if ((fds[1].revents & POLLIN) != 0)
			hear(w);
		if (w->next_us != NEVER)
			draw(w, clock_now().mono_us);
		progress_event_put(&w->event, w->meter, clock_now().mono_us);
	}
	erase(w);
}

static int
run(struct watch *w, bool quiet)
{
	int64_t now_us = clock_now().mono_us;
	pthread_t thread;
	int rc;

	w->terminal = cli_is_terminal(STDERR_FILENO);
	w->next_us = quiet ? NEVER : now_us + (w->terminal ? FIRST_US : PLAIN_US);
	if (!quiet)
		meterline_look(&w->line, w->meter, now_us);
	rc = thread_start(&thread, thread_main, w);
	if (rc != 0)
		return err_sys(w->err, rc, "cannot start a thread");
	progress_event_open(&w->event, now_us);
	wait_end(w);
	progress_event_close(&w->event);
	(void)pthread_join(thread, NULL);
	return w->rc;
}

int
watch_work(struct cli *c, bool quiet, struct meter *m, watch_fn *fn, void *arg,
	   int *signal, struct err *err)
{
	struct watch w = {.c = c, .meter = m, .fn = fn, .arg = arg, .err = err};
	int rc = -1;

	w.done_fd = eventfd(0, EFD_CLOEXEC);
	if (w.done_fd < 0)
		return err_sys(err, errno, "cannot start a thread");
	if (open_signals(&w, err) == 0)
		rc = run(&w, quiet);
	outbox_free(w.out);
	if (w.signal_fd >= 0)
		(void)close(w.signal_fd);
	(void)close(w.done_fd);
	(void)pthread_sigmask(SIG_SETMASK, &w.before, NULL);
	*signal = w.signal;
	return rc;
}
