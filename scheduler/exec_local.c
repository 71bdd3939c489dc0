/*
 * The executor of this machine: one dag-shim per attempt, watched by a pidfd.  The shim
 * outlives us; what we keep here is only who watches what.
 *
 * Whether an attempt lives is told by the lock on its `alive` file alone.  A pid serves for
 * signals, and only through a pidfd of exactly that process.  Where the kernel has no pidfds
 * the lock is tried ten times a second instead.
 */
#include "scheduler/executor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/libexec.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/vec.h"
#include "scheduler/exec_cgroup.h"
#include "scheduler/exec_spawn.h"
#include "scheduler/sweep.h"
#include "store/project.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/shim_info.h"

#define LOCK_POLL_MS  100
#define RETRY_SOON_US INT64_C(1000000)

/* One attempt that we watch. */
struct watched {
	struct local *x;
	struct engine_ref ref;
	char *dir;  /* relative to the state directory */
	char *id;   /* DAG_ATTEMPT_ID */
	char *boot; /* boot id of its row */
	bool began; /* it had a process, by its row */
	bool ours;  /* its shim is our child, or was */
	bool leave_children;
	bool ending; /* its watcher is being closed */
	pid_t pid;   /* of the shim, our child; 0: it is not, or was reaped */
	int status;  /* of wait, once it was reaped */
	bool known;  /* who an adopted shim is: */
	struct proc_id who;
	int pidfd;	  /* -1: none */
	int want;	  /* signal to send as soon as the pid is known, or 0 */
	uv_poll_t poll;	  /* on the pidfd */
	uv_timer_t timer; /* on the lock, without a pidfd; else for the first report */
	int open;	  /* handles not closed yet */
};

struct local {
	struct executor base;
	const struct project *p;
	uv_loop_t *loop;
	struct exec_reports to;
	char *shim;
	char boot[PROC_BOOT_ID_MAX];
	struct exec_cgroups cgroups;
	int null_fd;
	VEC(struct watched *) all;
};

static struct local *
self(struct executor *x)
{
	return (struct local *)x;
}

static struct watched *
find(struct local *x, struct engine_ref ref)
{
	vec_foreach (&x->all, struct watched *, w) {
		if ((*w)->ref.run == ref.run && (*w)->ref.task == ref.task &&
		    (*w)->ref.number == ref.number)
			return *w;
	}
	return NULL;
}

static void
forget(struct watched *w)
{
	struct local *x = w->x;
	size_t i;

	for (i = 0; i < x->all.n; i++)
		if (x->all.v[i] == w) {
			x->all.v[i] = x->all.v[--x->all.n];
			break;
		}
}

static void
on_closed(uv_handle_t *h)
{
	struct watched *w = h->data;

	if (--w->open > 0)
		return;
	if (w->pidfd != -1)
		(void)close(w->pidfd);
	free(w->dir);
	free(w->id);
	free(w->boot);
	free(w);
}

/* Stop watching; the memory goes with the last handle. */
static void
unwatch(struct watched *w)
{
	if (w->ending)
		return;
	w->ending = true;
	forget(w);
	if (w->open == 2)
		uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void
put_dir(const struct local *x, const char *dir, struct buf *out)
{
	buf_adds(out, x->p->state);
	buf_addc(out, '/');
	buf_adds(out, dir);
}

/* ---- how it ended ---- */

static struct exec_adopt
adopt_of(const struct watched *w)
{
	return (struct exec_adopt){.ref = w->ref,
				   .dir = w->dir,
				   .attempt_id = w->id,
				   .boot_id = w->boot,
				   .this_boot = w->x->boot,
				   .began = w->began,
				   .leave_children = w->leave_children};
}

static void
on_swept(void *ctx, struct engine_ref ref, const char *why)
{
	struct local *x = ctx;

	fault_point(SWEPT);
	x->to.lost(x->to.ctx, ref, why);
}

/* Once its process has ended, the pid may be anybody's. */
static void
reap(struct watched *w)
{
	if (w->pid > 0 && waitpid(w->pid, &w->status, WNOHANG) == w->pid)
		w->pid = 0;
}

/* How our shim says it left: enum shim_exit, or -1 where it did not or was not ours. */
static int
shim_exit_of(const struct watched *w)
{
	return w->ours && w->pid == 0 && WIFEXITED(w->status) ? WEXITSTATUS(w->status)
							      : -1;
}

static void
report_record(struct watched *w, const struct exit_record *rec)
{
	const struct exec_reports *to = &w->x->to;
	struct engine_ref ref = w->ref;

	unwatch(w);
	if (rec->step == EXIT_STEP_FORK || rec->step == EXIT_STEP_PIPE)
		to->voided(to->ctx, ref, "the system is out of processes or memory",
			   RETRY_SOON_US);
	else
		to->exited(to->ctx, ref, rec);
}

/* The program never ran. */
static void
report_void(struct watched *w, const char *why)
{
	const struct exec_reports *to = &w->x->to;
	struct exit_record rec = {.status = -1, .step = EXIT_STEP_SETUP, .sys = EPROTO};
	struct engine_ref ref = w->ref;
	int left = shim_exit_of(w);
	struct err files = {0};

	exec_cgroup_forget(w->x->p, w->dir, w->id);
	if (left == SHIM_EXIT_FILES)
		exec_no_files(w->x->p->state, w->dir, &files);
	unwatch(w);
	if (left == SHIM_EXIT_USAGE) /* it would say so again and again */
		to->exited(to->ctx, ref, &rec);
	else if (left == SHIM_EXIT_FILES)
		to->voided(to->ctx, ref, files.msg, RETRY_SOON_US);
	else
		to->voided(to->ctx, ref, why, left > 0 ? RETRY_SOON_US : 0);
}

/* Report only when nothing of it works any more. */
static void
report_lost(struct watched *w, const char *why)
{
	struct local *x = w->x;
	struct exec_adopt a = adopt_of(w);

	if (shim_exit_of(w) == SHIM_EXIT_RECORD)
		why =
		    "it ended, but its record could not be written, so nobody knows how";
	if (sweep_start(x->loop, x->p, &a, why, on_swept, x) != 0)
		x->to.lost(x->to.ctx, w->ref, why);
	unwatch(w);
}

static void on_gone(uv_timer_t *);

/* The shim is gone: say how its attempt ended. */
static void
report_end(struct watched *w)
{
	struct exec_adopt a = adopt_of(w);
	struct exit_record rec;
	struct err err = {0};

	fault_point(GONE);
	reap(w);
	/* Ours had a process; by its own word it may have done nothing with it. */
	if (w->ours && shim_exit_of(w) != SHIM_EXIT_USAGE &&
	    shim_exit_of(w) != SHIM_EXIT_FILES)
		a.began = true;
	switch (exec_local_fate(w->x->p, &a, &rec, &err)) {
	case FATE_ALIVE:  /* a fork of it may hold the lock for an instant */
	case FATE_UNSURE: /* we are out of descriptors, say */
		(void)uv_timer_start(&w->timer, on_gone, LOCK_POLL_MS, 0);
		break;
	case FATE_EXITED:
		report_record(w, &rec);
		break;
	case FATE_VOID:
		report_void(w, err.msg);
		break;
	case FATE_LOST:
		report_lost(w, err.msg);
		break;
	}
}

static void
on_gone(uv_timer_t *h)
{
	report_end(h->data);
}

/* Does it live, as far as can be told? */
static bool
lives(const struct watched *w)
{
	struct exec_adopt a = adopt_of(w);
	struct exit_record rec;
	enum exec_fate fate = exec_local_fate(w->x->p, &a, &rec, NULL);

	return fate == FATE_ALIVE || fate == FATE_UNSURE;
}

static void
on_pidfd(uv_poll_t *h, int status, int events)
{
	struct watched *w = h->data;

	(void)status;
	(void)events;
	(void)uv_poll_stop(h);
	report_end(w);
}

static void watch_pid(struct watched *);

/* Without a pidfd (yet): is the lock still held; is the shim's identity there by now? */
static void
on_look(uv_timer_t *h)
{
	struct watched *w = h->data;

	if (!lives(w)) {
		report_end(w);
		return;
	}
	watch_pid(w);
	if (w->pidfd == -1)
		(void)uv_timer_start(h, on_look, LOCK_POLL_MS, 0);
}

/* ---- watching ---- */

static struct watched *
watch_new(struct local *x, struct engine_ref ref, const char *dir, const char *id,
	  const char *boot)
{
	struct watched *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->x = x;
	w->ref = ref;
	w->pidfd = -1;
	w->dir = strdup(dir);
	w->id = strdup(id);
	w->boot = strdup(boot);
	if (w->dir == NULL || w->id == NULL || w->boot == NULL ||
	    vec_push(&x->all, w) != 0) {
		free(w->dir);
		free(w->id);
		free(w->boot);
		free(w);
		return NULL;
	}
	(void)uv_timer_init(x->loop, &w->timer);
	w->timer.data = w;
	w->open = 1;
	return w;
}

/* Learn who the shim is, from its file, and watch it by a pidfd. */
static void
watch_pid(struct watched *w)
{
	struct shim_info info;
	int dirfd;

	if (w->pidfd == -1 && w->pid == 0 && !w->known) {
		dirfd = exec_open_dir(w->x->p, w->dir);
		if (dirfd == -1)
			return;
		if (shim_info_read(dirfd, &info, NULL) == 1) {
			shim_info_id(&info, &w->who);
			w->known = true;
			w->pidfd = proc_pidfd(&w->who);
			if (w->want != 0) {
				(void)proc_signal(&w->who, w->want);
				(void)proc_signal(&w->who, SIGCONT);
			}
		}
		(void)close(dirfd);
	}
	if (w->pidfd == -1)
		return;
	if (uv_poll_init(w->x->loop, &w->poll, w->pidfd) != 0) {
		(void)close(w->pidfd);
		w->pidfd = -1;
		return;
	}
	w->poll.data = w;
	w->open = 2;
	(void)uv_poll_start(&w->poll, UV_READABLE, on_pidfd);
}

static void
signal_shim(const struct watched *w, int sig)
{
	if (w->pidfd != -1)
		(void)syscall(SYS_pidfd_send_signal, w->pidfd, sig, NULL, 0);
	else if (w->pid > 0)
		(void)kill(w->pid, sig); /* not reaped yet, so the pid is still its own */
	else
		(void)proc_signal(&w->who, sig);
}

static void
send_signal(struct executor *base, struct engine_ref ref, int sig)
{
	struct watched *w = find(self(base), ref);

	if (w == NULL)
		return;
	if (w->pidfd == -1 && w->pid == 0 && !w->known) {
		w->want = sig;
		return;
	}
	signal_shim(w, sig);
	signal_shim(w, SIGCONT); /* a stopped one would not hear it */
}

static void
local_stop(struct executor *base, struct engine_ref ref)
{
	send_signal(base, ref, SIGTERM);
}

static void
local_kill(struct executor *base, struct engine_ref ref)
{
	send_signal(base, ref, SIGQUIT);
}

/* ---- starting ---- */

/* Report the start from the loop, not from inside start(). */
static void
on_first(uv_timer_t *h)
{
	struct watched *w = h->data;

	fault_point(STARTED_TOLD);
	w->x->to.started(w->x->to.ctx, w->ref, w->known ? w->who.pid : w->pid, w->dir);
	if (w->ending)
		return;
	if (w->pidfd == -1)
		(void)uv_timer_start(h, on_look, LOCK_POLL_MS, 0);
}

static int
local_start(struct executor *base, const struct exec_request *q, struct err *err)
{
	struct local *x = self(base);
	struct shim_spec s = q->spec;
	struct watched *w = NULL;
	int alive = -1, spec = -1, rc, ret = -1;
	struct buf dir, cgroup;
	pid_t pid = 0;

	buf_init(&dir, 0);
	buf_init(&cgroup, 0);
	put_dir(x, q->dir, &dir);
	exec_cgroup_put(&x->cgroups, &s, &cgroup);
	if (buf_failed(&dir) || buf_failed(&cgroup)) {
		err_nomem(err);
		goto out;
	}
	if (cgroup.n > 0 && cgroup.n < SHIM_CGROUP_MAX) {
		s.cgroup = cgroup.p;
		s.cgroup_kind = x->cgroups.place.kind;
	}
	if ((spec = exec_spec_fd(&s, err)) == -1)
		goto out;
	fault_point(SPEC_MADE);
	if ((alive = exec_make_dir(dir.p, err)) == -1)
		goto out;
	fault_point(ALIVE_LOCKED);
	if (q->inputs != NULL && exec_put_inputs(dir.p, q->inputs, err) != 0)
		goto out;
	if (s.cgroup != NULL)
		exec_cgroup_make(&x->cgroups, dir.p, s.cgroup, s.memory);
	if ((w = watch_new(x, q->ref, q->dir, q->spec.attempt_id, x->boot)) == NULL) {
		err_nomem(err);
		goto out;
	}
	w->leave_children = q->spec.leave_children;
	if ((rc = exec_spawn_shim(x->shim, dir.p, x->null_fd, alive, spec, &pid)) != 0) {
		err_sys(err, rc, "cannot start '%s'", x->shim);
		if (exec_is_broken(rc) && err != NULL)
			err->code = ERR_CORRUPT;
		exec_cgroup_forget(x->p, q->dir, s.attempt_id);
		unwatch(w);
		goto out;
	}
	fault_point(SPAWNED);
	w->pid = pid;
	w->ours = true;
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (w->pidfd != -1)
		(void)fcntl(w->pidfd, F_SETFD, FD_CLOEXEC);
	watch_pid(w);
	(void)uv_timer_start(&w->timer, on_first, 0, 0);
	ret = 0;
out:
	if (alive != -1)
		(void)close(alive);
	if (spec != -1)
		(void)close(spec);
	buf_release(&dir);
	buf_release(&cgroup);
	return ret;
}

/* ---- adopting ---- */

static void
on_adopted(uv_timer_t *h)
{
	struct watched *w = h->data;

	if (!lives(w)) {
		report_end(w);
		return;
	}
	watch_pid(w);
	on_first(h);
}

static int
local_adopt(struct executor *base, const struct exec_adopt *a, struct err *err)
{
	struct watched *w =
	    watch_new(self(base), a->ref, a->dir, a->attempt_id, a->boot_id);

	if (w == NULL)
		return err_nomem(err);
	w->began = a->began;
	w->leave_children = a->leave_children;
	(void)uv_timer_start(&w->timer, on_adopted, 0, 0);
	return 0;
}

static size_t
local_count(const struct executor *base)
{
	return ((const struct local *)base)->all.n;
}

static void
local_close(struct executor *base)
{
	struct local *x = self(base);

	while (x->all.n > 0)
		unwatch(x->all.v[x->all.n - 1]);
	vec_release(&x->all);
	if (x->null_fd != -1)
		(void)close(x->null_fd);
	cgroup_place_release(&x->cgroups.place);
	free(x->shim);
	free(x);
}

static const struct executor_ops local_ops = {
    .start = local_start,
    .stop = local_stop,
    .kill = local_kill,
    .adopt = local_adopt,
    .count = local_count,
    .close = local_close,
};

struct executor *
exec_local_new(const struct project *p, struct uv_loop_s *loop,
	       const struct exec_reports *reports, struct err *err)
{
	struct local *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		err_nomem(err);
		return NULL;
	}
	x->base.ops = &local_ops;
	x->base.name = "local";
	x->p = p;
	x->loop = loop;
	x->to = *reports;
	x->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (x->null_fd == -1)
		err_sys(err, errno, "cannot open '/dev/null'");
	if (x->null_fd == -1 || (x->shim = libexec_path("dag-shim", X_OK, err)) == NULL ||
	    (proc_boot_id(x->boot) != 0 &&
	     err_set(err, ERR_SYS, "cannot read the boot id of this machine") != 0)) {
		local_close(&x->base);
		return NULL;
	}
	return &x->base;
}
