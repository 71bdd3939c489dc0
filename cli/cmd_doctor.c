/*
 * dag doctor: does everything that dag stands on work here?
 */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/libexec.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/timefmt.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/cgroup.h"

#include <jansson.h>
#include <linux/openat2.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <uv.h>
#include <yaml.h>

#define NOFILE_WANTED  1024
#define CLOCK_BUILT_US INT64_C(1767225600000000) /* 2026-01-01 */

struct doctor_opts {
	bool full, json;
};

static const struct opt doctor_opts[] = {
    {.name = "full",
     .kind = OPT_FLAG,
     .at = offsetof(struct doctor_opts, full),
     .doc =
	 "Check the database whole, not only its structure; takes long on a large one."},
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct doctor_opts, json),
     .doc = "Write a JSON array of all findings."},
    {.name = NULL}};

void
doctor_say(struct doctor *d, const char *what, enum grade grade, const char *fmt, ...)
{
	struct finding f = {what, grade, NULL};
	struct buf b;
	va_list ap;

	buf_init(&b, 0);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	f.text = buf_steal(&b);
	buf_release(&b);
	if (f.text == NULL || vec_push(&d->findings, f) != 0) {
		free(f.text);
		d->failed = true;
	}
}

/* ---- the program and the machine ---- */

static void
look_versions(struct doctor *d)
{
	struct utsname u;

	doctor_say(d, "dag", GRADE_OK, "%s", DAG_VERSION);
	doctor_say(d, "libraries", GRADE_OK,
		   "SQLite %s, libuv %s, libyaml %s, jansson %s, %s",
		   sqlite3_libversion(), uv_version_string(), yaml_get_version_string(),
		   jansson_version_str(), OpenSSL_version(OPENSSL_VERSION));
	if (sqlite3_libversion_number() < 3037000)
		doctor_say(d, "SQLite", GRADE_FAIL, "3.37 or later is needed");
	if (uname(&u) == 0)
		doctor_say(d, "system", GRADE_OK, "%s %s on %s", u.sysname, u.release,
			   u.machine);
}

static void
look_helper(struct doctor *d)
{
	struct err err;
	char *path = libexec_path("dag-shim", X_OK, &err);

	if (path == NULL)
		doctor_say(d, "dag-shim", GRADE_FAIL, "%s", err.msg);
	else if (access(path, X_OK) != 0)
		doctor_say(d, "dag-shim", GRADE_FAIL, "'%s' cannot be executed: %s", path,
			   strerror(errno));
	else
		doctor_say(d, "dag-shim", GRADE_OK, "%s", path);
	free(path);
}

static void
look_kernel(struct doctor *d)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	struct proc_id self;
	int fd;

	fd = proc_self(&self) == 0 ? proc_pidfd(&self) : -1;
	if (fd >= 0)
		doctor_say(d, "pidfd", GRADE_OK, "the kernel has it");
	else
		doctor_say(
		    d, "pidfd", GRADE_WARN,
		    "not here (%s): ends of processes are noticed by signals and locks",
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	fd = (int)syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));
	if (fd >= 0)
		doctor_say(d, "openat2", GRADE_OK, "the kernel has it");
	else
		doctor_say(d, "openat2", GRADE_WARN,
			   "not here (%s): paths are walked component by component",
			   strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

static void
put_limit(struct buf *b, rlim_t v)
{
	if (v == RLIM_INFINITY)
		buf_adds(b, "unlimited");
	else
		buf_addf(b, "%llu", (unsigned long long)v);
}

static void
look_limit(struct doctor *d, const char *name, int what, rlim_t wanted, const char *why)
{
	struct rlimit lim;
	struct buf b;

	if (getrlimit((__rlimit_resource_t)what, &lim) != 0)
		return;
	buf_init(&b, 0);
	put_limit(&b, lim.rlim_cur);
	buf_adds(&b, " (at most ");
	put_limit(&b, lim.rlim_max);
	buf_adds(&b, ")");
	if (lim.rlim_cur != RLIM_INFINITY && lim.rlim_cur < wanted)
		doctor_say(d, name, GRADE_WARN, "%s: %s", b.p, why);
	else
		doctor_say(d, name, GRADE_OK, "%s", b.p);
	buf_release(&b);
}

static void
look_limits(struct doctor *d)
{
	cpu_set_t set;
	int cpus = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = CPU_COUNT(&set);
	doctor_say(d, "processors", GRADE_OK, "%d: what -j is by default", cpus);
	look_limit(d, "open files", RLIMIT_NOFILE, NOFILE_WANTED,
		   "few for many tasks at a time; 'ulimit -n' raises it");
	look_limit(d, "processes", RLIMIT_NPROC, 1000,
		   "few for many tasks at a time; 'ulimit -u' raises it");
}

/* ---- memory, clock, terminal ---- */

static void
look_memory(struct doctor *d)
{
	struct cgroup_place place;
	struct buf b;

	buf_init(&b, 0);
	num_put_size(&b, (uint64_t)cgroup_machine_memory());
	cgroup_place_find(&place);
	if (place.kind == SHIM_CGROUP_NONE)
		doctor_say(d, "memory", GRADE_WARN,
			   "%s; the limits of tasks (resources) are held by looking from "
			   "time to time, not by the kernel: %s ('systemd-run --user "
			   "--scope dag run ...' may help)",
			   b.p, place.why);
	else
		doctor_say(d, "memory", GRADE_OK,
			   "%s; the limits of tasks (resources) are held by cgroup "
			   "version %d in %s",
			   b.p, place.kind == SHIM_CGROUP_V2 ? 2 : 1, place.dir);
	cgroup_place_release(&place);
	buf_release(&b);
}

static void
look_clock(struct doctor *d)
{
	struct now a = clock_now(), b = clock_now();
	char boot[PROC_BOOT_ID_MAX], when[TIMEFMT_MAX];
	struct buf up;

	if (proc_boot_id(boot) != 0) {
		doctor_say(d, "clock", GRADE_FAIL,
			   "the boot id cannot be read from /proc, and without it nobody "
			   "can tell what has survived a restart: mount /proc");
		return;
	}
	buf_init(&up, 0);
	num_put_duration(&up, a.mono_us);
	if (b.mono_us < a.mono_us)
		doctor_say(d, "clock", GRADE_FAIL, "the monotonic clock goes backwards");
	else if (a.wall_us < CLOCK_BUILT_US)
		doctor_say(d, "clock", GRADE_WARN,
			   "it says %s, which is before this program was made: set it",
			   time_rfc3339(when, a.wall_us));
	else
		doctor_say(d, "clock", GRADE_OK, "%s, up for %s, boot %.8s",
			   time_rfc3339(when, a.wall_us), up.p, boot);
	buf_release(&up);
}

static void
look_terminal(struct doctor *d)
{
	unsigned width = cli_width(STDERR_FILENO);
	const char *term = getenv("TERM");

	if (isatty(STDERR_FILENO) != 1)
		doctor_say(d, "terminal", GRADE_OK,
			   "none: 'dag run' prints a line for each change");
	else if (!cli_is_terminal(STDERR_FILENO))
		doctor_say(d, "terminal", GRADE_WARN,
			   "TERM is '%s', so 'dag run' prints a line for each change "
			   "instead of a live table: set TERM",
			   term != NULL ? term : "");
	else
		doctor_say(d, "terminal", GRADE_OK, "%s, %u columns, %s, %s", term, width,
			   cli_color(d->c, STDERR_FILENO) ? "colours" : "no colours",
			   strcmp(nl_langinfo(CODESET), "UTF-8") == 0
			       ? "UTF-8"
			       : "not UTF-8: set LANG for names beyond ASCII");
}

/* ---- telling ---- */

static const char *const grade_names[] = {"ok", "warn", "fail"};
static const char *const grade_ansi[] = {"32", "33", "31"};

static void
put_json(struct doctor *d)
{
	struct json_writer w;

	json_init(&w, &d->c->out, 2);
	json_begin_array(&w);
	vec_foreach (&d->findings, struct finding, f) {
		json_begin_object(&w);
		json_kv_str(&w, "what", f->what);
		json_kv_str(&w, "grade", grade_names[f->grade]);
		json_kv_str(&w, "text", f->text);
		json_end(&w);
	}
	json_end(&w);
	buf_addc(&d->c->out, '\n');
}

static void
put_text(struct doctor *d)
{
	bool color = cli_color(d->c, STDOUT_FILENO);

	vec_foreach (&d->findings, struct finding, f) {
		buf_addf(&d->c->out, "%-11s ", f->what);
		if (color)
			buf_addf(&d->c->out, "\033[%sm%-4s\033[0m ", grade_ansi[f->grade],
				 grade_names[f->grade]);
		else
			buf_addf(&d->c->out, "%-4s ", grade_names[f->grade]);
		buf_addf(&d->c->out, "%s\n", f->text);
	}
	text_wrap(&d->c->out, 0, cli_width(STDOUT_FILENO));
}

static int
doctor_run(struct cli *c, const void *opts)
{
	const struct doctor_opts *o = opts;
	struct doctor d = {
	    .c = c, .full = o->full, .project = {.root_fd = -1, .state_fd = -1}};
	enum grade worst = GRADE_OK;
	struct err err;

	look_versions(&d);
	look_helper(&d);
	look_kernel(&d);
	look_limits(&d);
	look_memory(&d);
	look_clock(&d);
	look_terminal(&d);
	doctor_project(&d);
	if (o->json)
		put_json(&d);
	else
		put_text(&d);
	vec_foreach (&d.findings, struct finding, f) {
		if (f->grade > worst)
			worst = f->grade;
		free(f->text);
	}
	vec_release(&d.findings);
	place_close(&d.place);
	project_release(&d.project);
	if (d.failed) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	return worst == GRADE_FAIL ? EXIT_WORK : EXIT_OK;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .group = GROUP_REST,
    .summary = "check that everything dag stands on works here",
    .args = "",
    .doc =
	"Tell versions, find the helper program, try what the kernel and the file system "
	"can do and what a commit costs, look at limits, memory, clock and terminal, "
	"check the database, and name runs that were interrupted or whose owner is "
	"stopped, and directories that belong to no run. Each line is ok, warn or fail "
	"and tells the way out. Nothing is changed.\n"
	"\n"
	"Exit status 1 if something fails; a warning is none.",
    .opts = doctor_opts,
    .size = sizeof(struct doctor_opts),
    .run = doctor_run,
};
