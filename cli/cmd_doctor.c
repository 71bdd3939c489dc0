/*
 * dag doctor: does everything that dag stands on work here?
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "scheduler/libexec.h"

#include <jansson.h>
#include <linux/openat2.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <uv.h>
#include <yaml.h>

#define NOFILE_WANTED 1024
#define FREE_WANTED   ((unsigned long long)100 << 20)

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

enum grade { GRADE_OK, GRADE_WARN, GRADE_BAD };

struct finding {
	const char *what;
	enum grade grade;
	char *text;
};

struct doctor {
	struct cli *c;
	const struct doctor_opts *o;
	struct place place;
	VEC(struct finding) findings;
	bool failed; /* out of memory */
};

static void say(struct doctor *, const char *, enum grade, const char *, ...)
    __attribute__((format(printf, 4, 5)));

static void
say(struct doctor *d, const char *what, enum grade grade, const char *fmt, ...)
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

	say(d, "dag", GRADE_OK, "%s", DAG_VERSION);
	say(d, "libraries", GRADE_OK, "SQLite %s, libuv %s, libyaml %s, jansson %s, %s",
	    sqlite3_libversion(), uv_version_string(), yaml_get_version_string(),
	    jansson_version_str(), OpenSSL_version(OPENSSL_VERSION));
	if (sqlite3_libversion_number() < 3037000)
		say(d, "SQLite", GRADE_BAD, "3.37 or later is needed");
	if (uname(&u) == 0)
		say(d, "system", GRADE_OK, "%s %s on %s", u.sysname, u.release,
		    u.machine);
}

static void
look_helper(struct doctor *d)
{
	struct err err;
	char *path = libexec_path("dag-shim", &err);

	if (path == NULL)
		say(d, "dag-shim", GRADE_BAD, "%s", err.msg);
	else if (access(path, X_OK) != 0)
		say(d, "dag-shim", GRADE_BAD, "'%s' cannot be executed: %s", path,
		    strerror(errno));
	else
		say(d, "dag-shim", GRADE_OK, "%s", path);
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
		say(d, "pidfd", GRADE_OK, "the kernel has it");
	else
		say(d, "pidfd", GRADE_WARN,
		    "not here (%s): ends of processes are noticed by signals and locks",
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	fd = (int)syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));
	if (fd >= 0)
		say(d, "openat2", GRADE_OK, "the kernel has it");
	else
		say(d, "openat2", GRADE_WARN,
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
		say(d, name, GRADE_WARN, "%s: %s", b.p, why);
	else
		say(d, name, GRADE_OK, "%s", b.p);
	buf_release(&b);
}

static void
look_limits(struct doctor *d)
{
	cpu_set_t set;
	int cpus = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = CPU_COUNT(&set);
	say(d, "processors", GRADE_OK, "%d: what -j is by default", cpus);
	look_limit(d, "open files", RLIMIT_NOFILE, NOFILE_WANTED,
		   "few for many tasks at a time; 'ulimit -n' raises it");
	look_limit(d, "processes", RLIMIT_NPROC, 1000,
		   "few for many tasks at a time; 'ulimit -u' raises it");
}

/* ---- the project ---- */

static void
look_files(struct doctor *d, int dirfd, const char *what, const char *path)
{
	struct fs_probe p;
	struct err err;
	struct buf b;

	if (project_probe(dirfd, &p, &err) != 0) {
		say(d, what, GRADE_BAD, "%s: %s", path, err.msg);
		return;
	}
	buf_init(&b, 0);
	num_put_size(&b, p.free_bytes);
	if (!p.locks || !p.mmap || !p.dirsync || p.network)
		say(d, what, p.locks && p.mmap && p.dirsync ? GRADE_WARN : GRADE_BAD,
		    "%s: %s:%s%s%s%s; DAG_STATE=DIR moves the state to a local disk",
		    path, p.type, p.network ? " a network file system" : "",
		    p.locks ? "" : " no locks", p.mmap ? "" : " no shared mappings",
		    p.dirsync ? "" : " no fsync of directories");
	else if (p.free_bytes < FREE_WANTED)
		say(d, what, GRADE_WARN, "%s: %s, only %s free", path, p.type, b.p);
	else
		say(d, what, GRADE_OK, "%s: %s, locks, mappings and fsync work, %s free",
		    path, p.type, b.p);
	buf_release(&b);
}

static void
look_runs(struct doctor *d)
{
	struct meta_run *runs;
	struct err err;
	size_t i, n;

	if (place_interrupted(&d->place, &runs, &n, &err) != 0) {
		say(d, "runs", GRADE_BAD, "%s", err.msg);
		return;
	}
	if (n == 0)
		say(d, "runs", GRADE_OK, "none is interrupted");
	for (i = 0; i < n; i++)
		say(d, "runs", GRADE_WARN, "run %s of %s was interrupted: dag resume %s",
		    text_short_id(runs[i].id), runs[i].dag, text_short_id(runs[i].id));
}

static void
look_project(struct doctor *d)
{
	struct err err = {0};

	if (place_open(d->c, &d->place, &err) != 0) {
		say(d, d->place.arena == NULL ? "project" : "database", GRADE_BAD, "%s",
		    err.msg);
		return;
	}
	say(d, "project", GRADE_OK, "%s", d->place.project->root);
	if (d->place.project->state_fd < 0) {
		look_files(d, d->place.project->root_fd, "files", d->place.project->root);
		say(d, "database", GRADE_OK, "nothing has been run here yet");
		return;
	}
	look_files(d, d->place.project->state_fd, "state", d->place.project->state);
	if (d->place.meta == NULL) {
		say(d, "database", GRADE_OK, "nothing has been run here yet");
		return;
	}
	if (meta_check(d->place.meta, d->o->full, &err) != 0)
		say(d, "database", GRADE_BAD, "%s", err.msg);
	else
		say(d, "database", GRADE_OK, "%s/dag.db is sound%s",
		    d->place.project->state, d->o->full ? " (checked whole)" : "");
	look_runs(d);
}

/* ---- telling ---- */

static const char *const grade_names[] = {"ok", "warning", "bad"};
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
			buf_addf(&d->c->out, "\033[%sm%-7s\033[0m ", grade_ansi[f->grade],
				 grade_names[f->grade]);
		else
			buf_addf(&d->c->out, "%-7s ", grade_names[f->grade]);
		buf_addf(&d->c->out, "%s\n", f->text);
	}
	text_wrap(&d->c->out, 0, cli_width(STDOUT_FILENO));
}

static int
doctor_run(struct cli *c, const void *opts)
{
	struct doctor d = {.c = c, .o = opts};
	enum grade worst = GRADE_OK;
	struct err err;

	look_versions(&d);
	look_helper(&d);
	look_kernel(&d);
	look_limits(&d);
	look_project(&d);
	if (d.o->json)
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
	if (d.failed) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	return worst == GRADE_BAD ? EXIT_DAG : EXIT_OK;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .group = GROUP_REST,
    .summary = "check that everything dag stands on works here",
    .args = "",
    .doc =
	"Tell versions, find the helper program, try what the file system and the kernel "
	"can do, look at limits, check the database, and name interrupted runs. Nothing "
	"is "
	"changed.\n"
	"\n"
	"Exit status 3 if something is bad; a warning is none.",
    .opts = doctor_opts,
    .size = sizeof(struct doctor_opts),
    .run = doctor_run,
};
