#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fsio.h"
#include "base/num.h"
#include "base/proc.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/table.h"
#include "scheduler/gc.h"
#include "store/owner.h"

#define FREE_WANTED   ((unsigned long long)100 << 20)
#define INODES_WANTED 10000
#define SYNC_SLOW_US  INT64_C(50000)
#define WAL_WANTED    ((uint64_t)256 << 20)
#define CLOCK_SLACK   INT64_C(60000000)
#define GATE_WAIT_MS  1000 /* a commit takes less */
#define LIVE_MAX      1000

/* ---- files ---- */

static void
look_room(struct doctor *d, const char *what, const char *path, const struct fs_probe *p)
{
	struct buf b;

	buf_init(&b, 0);
	num_put_size(&b, p->free_bytes);
	if (p->free_bytes < FREE_WANTED)
		doctor_say(d, what, GRADE_WARN,
			   "%s: %s, only %s free: make room ('dag gc --runs --keep 30d' "
			   "deletes old runs)",
			   path, p->type, b.p);
	else if (p->inodes > 0 && p->free_inodes < INODES_WANTED)
		doctor_say(d, what, GRADE_WARN,
			   "%s: %s, only %llu files more can be made: delete some ('dag "
			   "gc --runs --keep 30d' deletes old runs)",
			   path, p->type, p->free_inodes);
	else
		doctor_say(d, what, GRADE_OK,
			   "%s: %s, locks, mappings and fsync work, %s free", path,
			   p->type, b.p);
	buf_release(&b);
}

/* Return whether one can go on looking. */
static bool
look_files(struct doctor *d, int dirfd, const char *what, const char *path)
{
	struct fs_probe p;
	struct err err = {0};

	if (project_probe(dirfd, &p, &err) != 0) {
		doctor_say(d, what, GRADE_FAIL,
			   "%s: %s; DAG_STATE=DIR moves the state to another directory",
			   path, err.msg);
		return false;
	}
	if (!p.locks || !p.mmap || !p.dirsync || p.network) {
		doctor_say(d, what,
			   p.locks && p.mmap && p.dirsync ? GRADE_WARN : GRADE_FAIL,
			   "%s: %s:%s%s%s%s; DAG_STATE=DIR moves the state to a local "
			   "disk",
			   path, p.type, p.network ? " a network file system" : "",
			   p.locks ? "" : " no locks", p.mmap ? "" : " no mappings",
			   p.dirsync ? "" : " no fsync of directories");
		return true;
	}
	look_room(d, what, path, &p);
	return true;
}

static void
look_sync(struct doctor *d, int dirfd)
{
	struct err err = {0};
	struct buf b;
	int64_t us;

	if (project_sync_cost(dirfd, &us, &err) != 0) {
		doctor_say(d, "commits", GRADE_FAIL, "%s", err.msg);
		return;
	}
	buf_init(&b, 0);
	num_put_duration(&b, us);
	if (us > SYNC_SLOW_US)
		doctor_say(d, "commits", GRADE_WARN,
			   "an fsync takes %s, and each step of a run waits for one; "
			   "DAG_STATE=DIR moves the state to a faster disk",
			   b.p);
	else
		doctor_say(d, "commits", GRADE_OK, "an fsync takes %s", b.p);
	buf_release(&b);
}

/* ---- the database ---- */

static void
look_sizes(struct doctor *d)
{
	struct meta_sizes s;
	struct err err = {0};
	struct buf b;

	if (meta_sizes(d->place.meta, &s, &err) != 0) {
		doctor_say(d, "history", GRADE_FAIL, "%s", err.msg);
		return;
	}
	buf_init(&b, 0);
	buf_addf(&b, "schema %d, %llu run%s, ", s.schema, (unsigned long long)s.runs,
		 s.runs == 1 ? "" : "s");
	num_put_size(&b, s.bytes);
	if (s.unused > 0) {
		buf_adds(&b, " (");
		num_put_size(&b, s.unused);
		buf_adds(&b, " free for new ones)");
	}
	buf_adds(&b, ", WAL ");
	num_put_size(&b, s.wal_bytes);
	if (s.wal_bytes > WAL_WANTED)
		doctor_say(d, "history", GRADE_WARN,
			   "%s: some process has been reading for long, so it cannot "
			   "become smaller; look who has it open ('fuser %s/dag.db')",
			   b.p, d->project.state);
	else
		doctor_say(d, "history", GRADE_OK, "%s", b.p);
	if (s.newest_us > clock_now().wall_us + CLOCK_SLACK) {
		buf_clear(&b);
		num_put_duration(&b, s.newest_us - clock_now().wall_us);
		doctor_say(
		    d, "clock", GRADE_WARN,
		    "it is %s behind the newest run: set it (the order of runs does "
		    "not depend on it, ages do)",
		    b.p);
	}
	buf_release(&b);
}

static bool
look_database(struct doctor *d)
{
	struct err err = {0};

	if (meta_check(d->place.meta, d->full, &err) != 0) {
		doctor_say(d, "database", GRADE_FAIL, "%s", err.msg);
		return false;
	}
	doctor_say(d, "database", GRADE_OK, "%s/dag.db is sound%s", d->project.state,
		   d->full ? " (checked whole)" : "");
	look_sizes(d);
	return true;
}

/* Who writes, and does it go on? */
static void
look_gate(struct doctor *d)
{
	int fd = openat(d->project.state_fd, "write.lock", O_RDONLY | O_CLOEXEC), ms;
	const struct timespec nap = {.tv_nsec = 20000000};
	char text[32] = "", state;
	uint64_t pid = 0;

	if (fd == -1)
		return;
	for (ms = 0; ms < GATE_WAIT_MS && flock(fd, LOCK_SH | LOCK_NB) != 0; ms += 20)
		(void)nanosleep(&nap, NULL);
	if (ms >= GATE_WAIT_MS) {
		if (pread(fd, text, sizeof(text) - 1, 0) > 0)
			text[strcspn(text, " \n")] = '\0';
		(void)num_u64(text, &pid);
		state = pid > 0 && pid < INT32_MAX ? proc_state((pid_t)pid) : 0;
		if (state == 'T' || state == 't')
			doctor_say(d, "writing", GRADE_FAIL,
				   "process %llu is stopped while it writes, and nobody "
				   "else can: 'kill -CONT %llu' lets it go on",
				   (unsigned long long)pid, (unsigned long long)pid);
		else
			doctor_say(d, "writing", GRADE_WARN,
				   "process %llu has been writing for a second: the disk "
				   "is slow, or it hangs",
				   (unsigned long long)pid);
	} else {
		doctor_say(d, "writing", GRADE_OK, "the lock of writers is free");
	}
	(void)close(fd);
}

/* ---- runs ---- */

static void
look_owner(struct doctor *d, const struct meta_run *r, size_t *live)
{
	struct owner_info who;

	if (owner_look(&d->project, r->id, &who, NULL) != 0 || !who.held)
		return;
	++*live;
	if (who.state == 'T' || who.state == 't')
		doctor_say(d, "runs", GRADE_WARN,
			   "run %s of %s belongs to process %ld, which is stopped: its "
			   "tasks go on, but nothing new starts until 'kill -CONT %ld' "
			   "('fg' in its terminal)",
			   text_short_id(r->id), r->dag, (long)who.pid, (long)who.pid);
}

static void
look_runs(struct doctor *d)
{
	struct meta_run_filter f = {
	    .state = RUN_RUNNING, .result = -1, .limit = LIVE_MAX};
	struct meta_run *runs;
	struct err err = {0};
	size_t i, n, live = 0;

	if (meta_runs(d->place.meta, &f, d->place.arena, &runs, &n, &err) != 0) {
		doctor_say(d, "runs", GRADE_FAIL, "%s", err.msg);
		return;
	}
	for (i = 0; i < n; i++)
		look_owner(d, &runs[i], &live);
	if (place_interrupted(&d->place, &runs, &n, &err) != 0) {
		doctor_say(d, "runs", GRADE_FAIL, "%s", err.msg);
		return;
	}
	for (i = 0; i < n; i++)
		doctor_say(
		    d, "runs", GRADE_WARN, "run %s of %s was interrupted: dag resume %s",
		    text_short_id(runs[i].id), runs[i].dag, text_short_id(runs[i].id));
	if (n == 0)
		doctor_say(d, "runs", GRADE_OK, "%zu at work, none is interrupted", live);
}

static void
look_orphans(struct doctor *d)
{
	struct gc g = {.p = &d->project, .m = d->place.meta, .dry_run = true};
	struct err err = {0};
	struct buf b;

	if (gc_orphans(&g, &err) != 0) {
		doctor_say(d, "orphans", GRADE_FAIL, "%s", err.msg);
		return;
	}
	if (g.counts.orphans == 0) {
		doctor_say(d, "orphans", GRADE_OK, "none");
		return;
	}
	buf_init(&b, 0);
	num_put_size(&b, g.counts.orphan_bytes);
	doctor_say(d, "orphans", GRADE_WARN,
		   "%llu director%s in %s/runs belong%s to no run (%s): 'dag gc --runs "
		   "--keep 1000000' deletes them",
		   (unsigned long long)g.counts.orphans,
		   g.counts.orphans == 1 ? "y" : "ies", d->project.state,
		   g.counts.orphans == 1 ? "s" : "", b.p);
	buf_release(&b);
}

/* ---- git ---- */

static void
look_git(struct doctor *d)
{
	bool tree = faccessat(d->project.root_fd, ".git", F_OK, 0) == 0;

	if (!tree)
		doctor_say(d, "git", GRADE_OK,
			   "the project is not the top of a work tree");
	else if (d->project.state_fd != -1 &&
		 faccessat(d->project.state_fd, ".gitignore", F_OK, 0) != 0)
		doctor_say(d, "git", GRADE_WARN,
			   "'%s/.gitignore' is missing, so git sees the state: write a "
			   "line with * into it",
			   d->project.state);
	else
		doctor_say(d, "git", GRADE_OK,
			   "the project is a work tree, and the state is ignored by it");
}

void
doctor_project(struct doctor *d)
{
	struct err err = {0};
	bool files = true;

	if (project_find(NULL, d->c->dir, false, &d->project, &err) != 0) {
		doctor_say(d, "project", GRADE_FAIL, "%s", err.msg);
		return;
	}
	doctor_say(d, "project", GRADE_OK, "%s", d->project.root);
	look_git(d);
	doctor_data(d);
	if (d->project.state_fd < 0) {
		if (look_files(d, d->project.root_fd, "files", d->project.root))
			look_sync(d, d->project.root_fd);
		doctor_say(d, "database", GRADE_OK, "nothing has been run here yet");
		return;
	}
	files = look_files(d, d->project.state_fd, "state", d->project.state);
	if (files)
		look_sync(d, d->project.state_fd);
	if (place_open_at(&d->project, &d->place, &err) != 0) {
		doctor_say(d, "database", GRADE_FAIL, "%s", err.msg);
		return;
	}
	if (d->place.meta == NULL) {
		doctor_say(d, "database", GRADE_OK, "nothing has been run here yet");
		return;
	}
	look_gate(d);
	if (!look_database(d))
		return;
	look_runs(d);
	look_orphans(d);
}
