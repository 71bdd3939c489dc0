/*
 * dag-shim ATTEMPT_DIR, started by dag as shim_spec.h says.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "base/fault.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/shim_info.h"
#include "tasks/shim/shim.h"
#include "tasks/shim/sys.h"

static struct capture capture;
static struct shim_spec_view spec;
static struct spawn spawn;
static struct memory memory;
static struct life life;

/* Nothing of the owner's stays open, and nothing of ours reaches the task. */
static int
close_others(void)
{
	if (sys_close_range(SHIM_FD_SPEC + 1, ~0U) != 0)
		for (int fd = SHIM_FD_SPEC + 1; fd < 1024; fd++)
			(void)sys_close(fd); /* most are not open */
	if (sys_fcntl(SHIM_FD_ALIVE, F_SETFD, FD_CLOEXEC) != 0 ||
	    sys_fcntl(SHIM_FD_SPEC, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	return 0;
}

/*
 * All signals are blocked and three are read from a descriptor; the others wait for ever,
 * which is as good as ignoring them and leaves nothing to be undone for the task.
 */
static int
take_over_signals(void)
{
	(void)sys_sigmask(~(uint64_t)0); /* cannot fail */
	/* glibc's posix_spawn leaves the two signals of its threads ignored. */
	(void)sys_sigdefault(32); /* cannot fail */
	(void)sys_sigdefault(33); /* cannot fail */
	return (int)sys_signalfd(SIG_BIT(SIGCHLD) | SIG_BIT(SIGTERM) | SIG_BIT(SIGQUIT),
				 SFD_CLOEXEC | SFD_NONBLOCK);
}

static int
map_spec(void)
{
	long size = sys_size(SHIM_FD_SPEC), at;

	if (size <= 0)
		return SHIM_EXIT_USAGE;
	if ((at = sys_map(SHIM_FD_SPEC, (size_t)size)) < 0 && at > -4096)
		return SHIM_EXIT_FILES;
	if (shim_spec_open((char *)at, (size_t)size, &spec) != 0)
		return SHIM_EXIT_USAGE;
	(void)sys_close(SHIM_FD_SPEC); /* mapped */
	return SHIM_EXIT_OK;
}

/* Where nobody would take the task over, the owner's end is a stop, also one before this. */
static int
follow_owner(void)
{
	if (spec.owner == 0)
		return 0;
	if (sys_prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -1;
	return sys_getppid() == (pid_t)spec.owner ? 0
						  : (int)sys_kill(sys_getpid(), SIGTERM);
}

/* The first act: who we are. */
static int
write_shim_file(int dirfd)
{
	struct shim_info i = {.protocol = SHIM_PROTOCOL, .pidns = spec.pidns};
	struct tree_proc me;
	char line[SHIM_INFO_MAX];
	size_t n;
	long done;
	int fd;

	if (tree_self(&me) != 0 || strlen(spec.boot_id) >= sizeof(i.boot) ||
	    strlen(spec.attempt_id) >= sizeof(i.attempt_id))
		return -1;
	i.pid = me.pid;
	i.start = me.start;
	i.session = me.session;
	memcpy(i.boot, spec.boot_id, strlen(spec.boot_id));
	memcpy(i.attempt_id, spec.attempt_id, strlen(spec.attempt_id));
	n = shim_info_encode(&i, line);
	fd = (int)sys_openat(dirfd, ATTEMPT_SHIM,
			     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	/* One write, and a checksum: a reader in between sees a short line as none. */
	done = sys_pwrite(fd, line, n, 0);
	(void)sys_close(fd); /* durable it need not be */
	return n > 0 && done == (long)n ? 0 : -1;
}

/* Start the task with its output going into a pipe.  Return 0, or -1 with the step. */
static int
start(int dirfd, mode_t mask)
{
	int p[2];
	long r;

	if (life_stop_pending(&life)) {
		spawn.step = EXIT_STEP_STOP;
		return -1;
	}
	if ((r = sys_pipe2(p, O_CLOEXEC)) != 0 ||
	    (r = sys_fcntl(p[0], F_SETFL, O_NONBLOCK)) != 0 ||
	    (r = sys_prctl(PR_SET_CHILD_SUBREAPER, 1)) != 0) {
		spawn.step = EXIT_STEP_PIPE;
		spawn.sys = (int)-r;
		return -1;
	}
	capture_init(&capture, dirfd, p[0], spec.log_limit, spec.mask);
	spawn.spec = &spec;
	spawn.dirfd = dirfd;
	spawn.out = p[1];
	spawn.umask = mask;
	memory_open(&memory, &spec);
	spawn.cgroup = memory.cgroup;
	memory.joined = &spawn.joined;
	life.rec.start_us = shim_wall_us();
	life.start_mono = shim_mono_us();
	if (spawn_start(&spawn) != 0)
		return -1;
	(void)sys_close(p[1]); /* the task has its own */
	return 0;
}

static void
fill_record(struct exit_record *r)
{
	if (spawn.step != EXIT_STEP_NONE) {
		r->step = (enum exit_step)spawn.step;
		r->sys = spawn.sys;
		r->status = -1;
		r->signal = 0;
	}
	r->log_bytes = (int64_t)capture.total;
	r->log_stored =
	    (int64_t)(capture.failed != 0 ? capture.failed_at : capture.total);
	r->log_failed = capture.failed;
	finish_oom(r, spec.oom_kills, memory_close(&memory, r));
}

int
shim_main(int argc, char **argv)
{
	int dirfd, recfd, rc;
	mode_t mask;

	fault_point(SHIM_BEGIN);
	if (argc != 2 || argv[1][0] != '/' || close_others() != 0)
		return SHIM_EXIT_USAGE;
	if ((life.sigfd = take_over_signals()) < 0)
		return SHIM_EXIT_FILES;
	dirfd = (int)sys_openat(AT_FDCWD, argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dirfd < 0)
		return SHIM_EXIT_FILES;
	if ((rc = map_spec()) != SHIM_EXIT_OK)
		return rc;
	if (follow_owner() != 0)
		return SHIM_EXIT_FILES;
	mask = sys_umask(077);
	fault_point(SHIM_UNNAMED);
	if (write_shim_file(dirfd) != 0)
		return SHIM_EXIT_FILES;
	fault_point(SHIM_NAMED);
	if ((recfd = finish_prepare(dirfd)) < 0)
		return SHIM_EXIT_FILES;
	fault_point(SHIM_READY);
	life.spec = &spec;
	life.cap = &capture;
	life.mem = &memory;
	memory.cgroup = -1;
	memory.spec = &spec;
	life.self = sys_getpid();
	if (start(dirfd, mask) == 0) {
		life.main = spawn.pid;
		fault_point(SHIM_SPAWNED);
		life_run(&life);
		fault_point(SHIM_SWEPT);
	} else {
		life.rec.end_us = shim_wall_us();
		if (life.rec.start_us == 0)
			life.rec.start_us = life.rec.end_us;
	}
	fill_record(&life.rec);
	return finish_write(dirfd, recfd, &life.rec) == 0 ? SHIM_EXIT_OK
							  : SHIM_EXIT_RECORD;
}
