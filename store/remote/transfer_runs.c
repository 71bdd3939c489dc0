/*
 * The run cache between the cache and a remote.
 */
#include <string.h>

#include "base/buf.h"
#include "store/dvc/run_cache.h"
#include "store/meter.h"
#include "store/objects/objects.h"
#include "store/objects/runs.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"

struct move {
	const struct transfer_options *opt;
	bool push;
	struct transfer_report *report;
	struct buf text;
};

/* ---- both sides ---- */

static int
list_side(struct move *v, bool far, struct run_names *names, struct err *err)
{
	struct remote *r = v->opt->remote;

	return far ? r->ops->runs(r, names, err) : runs_list(v->opt->cache, names, err);
}

/* Read one of a side.  Return 0; 1 with ${why} if it is damaged; -1. */
static int
read_side(struct move *v, bool far, const struct run_name *name, struct err *why)
{
	struct remote *r = v->opt->remote;
	int rc;

	buf_clear(&v->text);
	rc = far ? r->ops->run_read(r, name, &v->text, why)
		 : runs_read(v->opt->cache, name, &v->text, why);
	if (rc == 0 && run_check(name, v->text.p, v->text.n, why) != 0)
		rc = why->code == ERR_CORRUPT ? 1 : -1;
	return rc;
}

static int
write_side(struct move *v, bool far, const struct run_name *name, struct err *err)
{
	struct remote *r = v->opt->remote;

	return far ? r->ops->run_write(r, name, v->text.p, v->text.n, err)
		   : runs_write(v->opt->cache, name, v->text.p, v->text.n, err);
}

/* ---- one ---- */

/* Something about one that does not stop the others; what would, does. */
static int
note_run(struct move *v, enum transfer_fate fate, bool far, const struct run_name *name,
	 const struct err *why, struct err *err)
{
	struct transfer_note note = {.fate = fate};
	char path[RUN_PATH_MAX];

	if (transfer_fatal(why)) {
		*err = *why;
		return -1;
	}
	if (v->report->fates[fate]++ >= TRANSFER_NOTES_MAX)
		return 0;
	runs_path(name, path);
	(void)err_set(&note.err, why->code, "'%s/%s'%s: %s",
		      far ? v->opt->remote->url : objects_dir(v->opt->cache), path,
		      fate == TRANSFER_REPLACED	 ? " was damaged, and was replaced"
		      : fate == TRANSFER_TROUBLE ? ""
						 : " is damaged, and stays where it is",
		      why->msg);
	return vec_push(&v->report->notes, note) == 0 ? 0 : err_nomem(err);
}

static int
move_run(struct move *v, const struct run_name *name, bool there, struct err *err)
{
	bool to = v->push, from = !v->push;
	struct err damage = {0}, why = {0};
	int rc = 1;

	if (there) {
		rc = read_side(v, to, name, &damage);
		if (rc == 0) {
			v->report->checked++;
			return 0;
		}
	}
	if (rc >= 0)
		rc = read_side(v, from, name, &why);
	else
		why = damage;
	if (rc > 0)
		return note_run(v, from ? TRANSFER_WRONG_REMOTE : TRANSFER_WRONG_CACHE,
				from, name, &why, err);
	if (rc == 0)
		rc = write_side(v, to, name, &why);
	if (rc != 0)
		return note_run(v, TRANSFER_TROUBLE, to, name, &why, err);
	v->report->objects++;
	v->report->bytes += v->text.n;
	return there ? note_run(v, TRANSFER_REPLACED, to, name, &damage, err) : 0;
}

/* ---- all ---- */

static int
move_all(struct move *v, const struct run_names *from, const struct run_names *to,
	 struct err *err)
{
	size_t at = 0;

	meter_begin(v->opt->meter,
		    v->push ? "sending the run cache" : "fetching the run cache");
	meter_expect(v->opt->meter, from->v.n, 0);
	for (size_t i = 0; i < from->v.n; i++) {
		const struct run_name *name = &from->v.v[i];
		bool there;

		while (at < to->v.n && memcmp(&to->v.v[at], name, sizeof(*name)) < 0)
			at++;
		there = at < to->v.n && memcmp(&to->v.v[at], name, sizeof(*name)) == 0;
		v->report->there += there;
		if (meter_cancelled(v->opt->meter))
			return err_set(err, ERR_CANCELLED, "stopped on request");
		if ((!there || v->opt->verify) && move_run(v, name, there, err) != 0)
			return -1;
		meter_add(v->opt->meter, 1, 0);
	}
	return 0;
}

int
transfer_runs(const struct transfer_options *opt, bool push,
	      struct transfer_report *report, struct err *err)
{
	struct move v = {.opt = opt, .push = push, .report = report};
	struct run_names from = {0}, to = {0};
	struct remote *r = opt->remote;
	int rc;

	*report = (struct transfer_report){0};
	if (r->ops->runs == NULL)
		return err_set(err, ERR_INVALID,
			       "the remote '%s' ('%s') cannot keep a run cache: leave "
			       "--run-cache out, or name another with --remote",
			       r->name, r->url);
	if (r->ops->begin(r, push ? REMOTE_WRITE : REMOTE_READ, opt->meter, err) != 0)
		return -1;
	buf_init(&v.text, RUN_FILE_MAX);
	rc = list_side(&v, !push, &from, err);
	if (rc == 0)
		rc = list_side(&v, push, &to, err);
	if (rc == 0)
		rc = move_all(&v, &from, &to, err);
	report->made = push && r->made && report->objects != 0;
	r->ops->end(r);
	buf_release(&v.text);
	vec_release(&from.v);
	vec_release(&to.v);
	return rc;
}
