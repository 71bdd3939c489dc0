#include "store/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/proc.h"
#include "store/thread.h"

#define TRY_NS	  2000000L /* between two tries of somebody with patience */
#define PID_WIDTH 12	   /* always the same bytes, so that a full disk can take them */

static void
say_on_stderr(void *ctx, pid_t pid, char state)
{
	char line[160];
	int n;

	(void)ctx;
	if (pid == 0)
		n = snprintf(
		    line, sizeof(line),
		    "dag: waiting for another process to finish writing (it holds the "
		    "database's write.lock)\n");
	else
		n = snprintf(
		    line, sizeof(line),
		    "dag: waiting for process %ld to finish writing%s\n", (long)pid,
		    state == 'T' ? "; it is stopped (continue it, or kill it)" : "");
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

int
gate_open(struct gate *g, int state_fd, const char *state, struct err *err)
{
	memset(g, 0, sizeof(*g));
	g->notice = say_on_stderr;
	if (asprintf(&g->path, "%s/write.lock", state) < 0) {
		g->path = NULL;
		g->fd = -1;
		return err_nomem(err);
	}
	g->fd = openat(state_fd, "write.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (g->fd < 0) {
		(void)err_sys(err, errno, "cannot open '%s'", g->path);
		free(g->path);
		g->path = NULL;
		return -1;
	}
	(void)pthread_mutex_init(&g->mutex, NULL);
	(void)thread_cond_init(&g->cond);
	return 0;
}

void
gate_close(struct gate *g)
{
	if (g->path == NULL)
		return;
	if (g->helped) {
		(void)pthread_mutex_lock(&g->mutex);
		g->stop = true;
		(void)pthread_cond_signal(&g->cond);
		(void)pthread_mutex_unlock(&g->mutex);
		(void)pthread_join(g->helper, NULL);
	}
	(void)pthread_cond_destroy(&g->cond);
	(void)pthread_mutex_destroy(&g->mutex);
	close(g->fd);
	free(g->path);
	memset(g, 0, sizeof(*g));
}

/* ---- who holds it ---- */

static pid_t
holder(const struct gate *g)
{
	char text[PID_WIDTH + 1];
	ssize_t n = pread(g->fd, text, PID_WIDTH, 0);
	uint64_t pid;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, " \n")] = '\0';
	return num_u64(text, &pid) == 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static void
write_holder(struct gate *g)
{
	char text[PID_WIDTH + 1];

	if (holder(g) == getpid())
		return;
	/* Only for people: failing (a full disk) must not keep us from writing, which may be
	 * what makes room. */
	(void)snprintf(text, sizeof(text), "%-*ld\n", PID_WIDTH - 1, (long)getpid());
	(void)!pwrite(g->fd, text, PID_WIDTH, 0);
}

bool
gate_waiting(struct gate *g, pid_t *pid, char *state)
{
	int64_t since;

	(void)pthread_mutex_lock(&g->mutex);
	since = g->since;
	(void)pthread_mutex_unlock(&g->mutex);
	if (since == 0 || clock_now().mono_us - since < GATE_NOTICE_US)
		return false;
	*pid = holder(g);
	*state = *pid != 0 ? proc_state(*pid) : '\0';
	return true;
}

/* ---- the helper ---- */

static void *
help(void *arg)
{
	struct gate *g = arg;
	int64_t told = 0; /* when the last notice of this wait was given */
	int64_t since = 0, now;
	void (*notice)(void *, pid_t, char);
	void *ctx;
	pid_t pid;

	(void)pthread_mutex_lock(&g->mutex);
	while (!g->stop) {
		if (g->since == 0) {
			(void)pthread_cond_wait(&g->cond, &g->mutex);
			continue;
		}
		if (g->since != since)
			told = since = g->since;
		now = clock_now().mono_us;
		if (now - told < GATE_NOTICE_US) {
			(void)thread_cond_wait(&g->cond, &g->mutex,
					       told + GATE_NOTICE_US);
			continue;
		}
		told = now;
		notice = g->notice;
		ctx = g->ctx;
		(void)pthread_mutex_unlock(&g->mutex);
		pid = holder(g);
		notice(ctx, pid, pid != 0 ? proc_state(pid) : '\0');
		(void)pthread_mutex_lock(&g->mutex);
	}
	(void)pthread_mutex_unlock(&g->mutex);
	return NULL;
}

void
gate_notice(struct gate *g, void (*fn)(void *, pid_t, char), void *ctx)
{
	(void)pthread_mutex_lock(&g->mutex);
	g->notice = fn != NULL ? fn : say_on_stderr;
	g->ctx = ctx;
	(void)pthread_mutex_unlock(&g->mutex);
}

static void
waiting(struct gate *g, bool yes)
{
	(void)pthread_mutex_lock(&g->mutex);
	g->since = yes ? clock_now().mono_us : 0;
	g->waiter = pthread_self();
	if (yes)
		(void)pthread_cond_signal(&g->cond);
	(void)pthread_mutex_unlock(&g->mutex);
}

/* ---- waits that end early ---- */

static void
on_give_up(int sig)
{
	(void)sig; /* it is there to interrupt flock */
}

void
gate_give_up(struct gate *g)
{
	static const struct sigaction sa = {.sa_handler = on_give_up}; /* no SA_RESTART */

	(void)pthread_mutex_lock(&g->mutex);
	if (g->since != 0 && clock_now().mono_us - g->since >= GATE_NOTICE_US) {
		g->given_up = true;
		if (sigaction(SIGRTMIN, &sa, NULL) == 0)
			(void)pthread_kill(g->waiter, SIGRTMIN);
	}
	(void)pthread_mutex_unlock(&g->mutex);
}

void
gate_patience(struct gate *g, int64_t us)
{
	g->patience_us = us;
}

static bool
given_up(struct gate *g)
{
	bool yes;

	(void)pthread_mutex_lock(&g->mutex);
	yes = g->given_up;
	(void)pthread_mutex_unlock(&g->mutex);
	return yes;
}

static int
held(const struct gate *g, struct err *err)
{
	pid_t pid = holder(g);

	if (pid == 0)
		return err_set(err, ERR_BUSY, "another process holds '%s'", g->path);
	return err_set(err, ERR_BUSY, "process %ld holds '%s'%s", (long)pid, g->path,
		       proc_state(pid) == 'T' ? " and is stopped" : "");
}

/* ---- the lock ---- */

/* Queue; only the wait lets the signal of gate_give_up through. */
static int
queue(struct gate *g)
{
	sigset_t one;
	int rc, errnum;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, SIGRTMIN);
	/* Without the helper nobody is told; the wait itself is not in danger. */
	if (!g->helped && !g->no_helper)
		g->helped = thread_start(&g->helper, help, g) == 0;
	waiting(g, true);
	if (g->no_helper)
		(void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	do
		rc = flock(g->fd, LOCK_EX);
	while (rc != 0 && errno == EINTR && !given_up(g));
	errnum = errno;
	waiting(g, false);
	errno = errnum;
	return rc;
}

/* Try until it is free or the patience is over. */
static int
try_long(struct gate *g)
{
	static const struct timespec pause = {0, TRY_NS};
	int64_t end = clock_now().mono_us + g->patience_us;
	int rc;

	do
		(void)nanosleep(&pause, NULL);
	while ((rc = flock(g->fd, LOCK_EX | LOCK_NB)) != 0 && errno == EWOULDBLOCK &&
	       clock_now().mono_us < end);
	return rc;
}

int
gate_lock(struct gate *g, struct err *err)
{
	int rc = flock(g->fd, LOCK_EX | LOCK_NB);

	if (rc != 0 && errno == EWOULDBLOCK)
		rc = g->patience_us > 0 ? try_long(g) : queue(g);
	if (rc != 0 && (errno == EINTR || errno == EWOULDBLOCK))
		return held(g, err);
	if (rc != 0)
		return err_sys(err, errno, "cannot lock '%s'", g->path);
	write_holder(g);
	return 0;
}

bool
gate_try(struct gate *g)
{
	if (flock(g->fd, LOCK_EX | LOCK_NB) != 0)
		return false;
	write_holder(g);
	return true;
}

void
gate_unlock(struct gate *g)
{
	(void)flock(g->fd, LOCK_UN);
}
