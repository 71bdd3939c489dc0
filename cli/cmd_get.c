/*
 * dag get: a file or directory of another repository is copied to here.
 */
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/other.h"
#include "cli/verbs.h"
#include "store/track/get.h"
#include "store/track/problems.h"

#define NOTES_SHOWN 20

struct get_opts {
	struct other_opts x;
	const char *out;
	bool force, show_url;
};

static const struct opt get_opts[] = {
    {.name = "out",
     .letter = 'o',
     .kind = OPT_STRING,
     .at = offsetof(struct get_opts, out),
     .arg = "PATH",
     .doc = "Where it shall be, or the directory that it goes into (default: its name, "
	    "here)."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct get_opts, force),
     .doc = "Replace what is there."},
    {.name = "show-url",
     .kind = OPT_FLAG,
     .at = offsetof(struct get_opts, show_url),
     .doc = "Only print where its remote has the data."},
    OTHER_OPTS(struct get_opts, x),
    ARTIFACT_JOBS(struct get_opts, x.common),
    ARTIFACT_QUIET(struct get_opts, x.common),
    {.name = NULL}};

struct get {
	struct other x;
	const struct get_opts *o;
	struct get_options what;
	struct get_report report;
	struct buf url;
	int rc;
};

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct get *k = arg;

	(void)m;
	if (elsewhere_open(&k->x.where, &k->x.e, err) != 0)
		return -1;
	if (k->o->show_url)
		return get_url(&k->x.e, k->what.path, &k->url, err);
	k->rc = get_path(&k->x.e, &k->what, k->x.arena, &k->report, err);
	return k->rc < 0 ? -1 : 0;
}

/* Where it shall be. */
static int
find_target(struct get *k, struct err *err)
{
	const char *name = path_basename(k->what.path), *out = k->o->out;
	struct buf b;
	struct stat st;

	if (out != NULL && *out == '\0')
		return err_set(err, ERR_INVALID, "--out is empty");
	if (strcmp(name, ".") == 0 && out == NULL && !k->o->show_url)
		return err_set(
		    err, ERR_INVALID,
		    "the whole repository has no name: say with --out where it "
		    "shall be");
	buf_init(&b, 0);
	if (out == NULL) {
		buf_adds(&b, name);
	} else if (stat(out, &st) == 0 && S_ISDIR(st.st_mode) && strcmp(name, ".") != 0) {
		path_join(&b, out, name);
	} else {
		path_normalize(&b, out);
	}
	k->what.to = buf_failed(&b) ? NULL : arena_strdup(k->x.arena, b.p);
	buf_release(&b);
	return k->what.to != NULL ? 0 : err_nomem(err);
}

static int
tell(struct get *k)
{
	const struct problems *p = &k->report.checkout.failed;
	size_t shown = 0;
	struct err err;

	if (k->o->show_url) {
		text_put(&k->x.c->out, k->url.p, k->url.n);
		buf_addc(&k->x.c->out, '\n');
		return EXIT_OK;
	}
	vec_foreach (&k->report.transfer.notes, struct transfer_note, note)
		if (shown++ < NOTES_SHOWN) {
			(void)err_set(&err, note->err.code, "%s%s%s",
				      note->path != NULL ? note->path : "",
				      note->path != NULL && *note->path != '\0' ? ": "
										: "",
				      note->err.msg);
			(void)cli_fail(k->x.c, &err);
		}
	for (size_t i = 0; i < p->n && i < NOTES_SHOWN; i++) {
		(void)err_set(&err, p->v[i].code, "%s", p->v[i].text);
		(void)cli_fail(k->x.c, &err);
	}
	if (k->rc != 0 && shown == 0 && p->n == 0)
		cli_error(k->x.c, "not all of it could be had: nothing was made");
	return k->rc == 0 ? EXIT_OK : EXIT_WORK;
}

static int
get_verb(struct cli *c, const void *opts)
{
	struct get k = {.o = opts};
	struct err err = {0};
	int rc, code;

	buf_init(&k.url, 0);
	problems_init(&k.report.checkout.unsaved);
	problems_init(&k.report.checkout.missing);
	problems_init(&k.report.checkout.failed);
	rc = other_begin(&k.x, c, &k.o->x, &err);
	if (rc == 0)
		rc = other_path(&k.x, c->args[1], &k.what.path, &err);
	if (rc == 0)
		rc = find_target(&k, &err);
	k.what.force = k.o->force;
	k.what.workers = k.x.where.jobs;
	if (rc == 0)
		rc = other_work(&k.x, work, &k, &err);
	code = rc == 0 ? tell(&k) : other_fail(&k.x, &err);
	checkout_report_release(&k.report.checkout);
	transfer_report_release(&k.report.transfer);
	buf_release(&k.url);
	other_end(&k.x);
	return code;
}

const struct verb verb_get = {
    .name = "get",
    .group = GROUP_DATA,
    .summary = "copy a file or directory of another repository to here",
    .args = "URL PATH",
    .min = 2,
    .max = 2,
    .doc = "Copy PATH of the repository at URL (as 'dag ls' lists it) to here, or to "
	   "--out: what "
	   "git has as well as data that is tracked by content, which comes from the "
	   "repository's cache if that is of this machine, else from its remote. No "
	   "project is "
	   "needed here, and what came is not tracked: 'dag import-url' does that.\n"
	   "\n"
	   "All data is hashed on its way. It is there whole under its name, or not at "
	   "all; what "
	   "is there already is refused.",
    .examples = "dag get https://example.com/team/data.git models/best.onnx\tone file\n"
		"dag get --rev v1.0 ../other data/raw -o raw-v1\ta directory as it was\n"
		"dag get --show-url ../other data/raw/a.csv\twhere its remote has it",
    .opts = get_opts,
    .size = sizeof(struct get_opts),
    .run = get_verb,
};
