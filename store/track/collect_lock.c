/* What tasks of DAG files have made: their lock files. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/track/collect_internal.h"
#include "store/track/task_lock.h"
#include "store/track/track.h"

/* ---- one lock ---- */

/* What the DAG file says, so far as it can be read. */
static int
read_outline(struct collector *c, const char *lock, struct task_outline *o,
	     struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < TASK_LOCK_DAGS && rc == 0; i++) {
		struct err why = {0};
		struct buf path, text;

		buf_init(&path, 0);
		buf_init(&text, YAML_BYTES_MAX);
		task_lock_dag(lock, i, &path);
		if (buf_failed(&path)) {
			rc = err_nomem(err);
		} else if (c->read(c->ctx, path.p, YAML_BYTES_MAX, &text, &why) == 1) {
			if (task_outline_read(o, text.p, text.n) != 0)
				rc = err_nomem(err);
		} else if (why.code == ERR_NOMEM || why.code == ERR_CANCELLED) {
			*err = why;
			rc = -1;
		}
		buf_release(&text);
		buf_release(&path);
	}
	return rc;
}

/* The component of a path that nothing is written to, or NULL. */
static const char *
private_part(const char *path)
{
	static const char *const parts[] = {".git", ".dag", ".dvc"};

	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (strlen(parts[i]) == n && memcmp(path, parts[i], n) == 0)
				return parts[i];
		path += n;
		path += *path == '/';
	}
	return NULL;
}

static int
say_private(struct collector *c, const char *lock, const struct dvc_out *o,
	    const char *part, struct err *err)
{
	struct err why;

	(void)err_set(&why, ERR_INVALID,
		      "%s:%u:%u: '%.200s' lies in '%s', where no task has its outputs",
		      lock, o->line, o->col, o->full, part);
	if (c->diag != NULL)
		diag_add(c->diag, DIAG_ERROR, (struct diag_pos){.file = -1}, "%s",
			 why.msg);
	return collector_note(c, &why, err);
}

static int
take_out(struct collector *c, const struct track_file *f, const struct task_outline *o,
	 const char *task, const struct dvc_out *entry, struct err *err)
{
	struct track_out out = collector_entry(f, f->path, entry);
	const char *part;
	struct task_says says;
	int rc;

	if (entry->where != DVC_IN_REPO || !object_id_is_set(&out.id))
		return 0;
	rc = task_outline_find(o, task, entry->path, &says, err);
	if (rc <= 0)
		return rc;
	if (strcmp(out.path, ".") == 0)
		part = ".";
	else
		part = private_part(out.path);
	if (part != NULL)
		return say_private(c, f->path, entry, part, err);
	out.stage = task;
	out.task = true;
	out.persist = says.persist;
	out.frozen = says.frozen;
	return collector_push(c, &out, err);
}

static int
take_stages(struct collector *c, const struct track_file *f, const struct task_outline *o,
	    struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < f->lock->nstages && rc == 0; i++) {
		const struct dvc_lock_stage *s = &f->lock->stages[i];

		for (size_t k = 0; k < s->nouts && rc == 0; k++)
			rc = take_out(c, f, o, s->name, &s->outs[k], err);
	}
	return rc;
}

static int
take_text(struct collector *c, struct track_file *f, const char *base,
	  const struct buf *text, struct err *err)
{
	struct task_outline o = {.arena = c->arena};
	struct err why = {0};
	int rc;

	if (dvc_lock_parse(f->path, text->p, text->n, c->diag, &f->lock, &why) != 0)
		return collector_note(c, &why, err);
	rc = dvc_lock_place(f->lock, base, err);
	if (rc == 0)
		rc = read_outline(c, f->path, &o, err);
	if (rc == 0)
		rc = take_stages(c, f, &o, err);
	task_outline_release(&o);
	return rc;
}

int
collector_take_lock(struct collector *c, const char *path, struct err *err)
{
	const char *name = path_basename(path);
	const char *dir =
	    name > path ? arena_strndup(c->arena, path, (size_t)(name - path) - 1) : ".";
	struct track_file *f;
	struct buf base, text;
	int rc;

	if (dir == NULL)
		return err_nomem(err);
	buf_init(&base, 0);
	buf_init(&text, DVC_LOCK_MAX);
	rc = task_lock_base(c->track, dir, &base, err);
	if (rc == 1)
		rc = c->read(c->ctx, path, text.max, &text, err);
	if (rc == 1) {
		f = collector_file(c, path, err);
		rc = f != NULL ? take_text(c, f, base.p, &text, err) : -1;
	}
	buf_release(&text);
	buf_release(&base);
	return rc;
}

/* ---- who has a path ---- */

/* How many of the outs from ${i} on lie at the first one's path or below it. */
static size_t
group_of(const struct collector *c, size_t i)
{
	size_t n = 1;

	while (i + n < c->outs.n &&
	       path_is_below(c->outs.v[i + n].path, c->outs.v[i].path))
		n++;
	return n;
}

/* Whether all of them say the same of the same path. */
static bool
is_one(const struct track_out *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].task || strcmp(v[i].path, v[0].path) != 0 ||
		    !object_id_equal(&v[i].id, &v[0].id))
			return false;
	return true;
}

int
collector_settle(struct collector *c, struct err *err)
{
	size_t to = 0, n;
	int rc = 0;

	for (size_t i = 0; i < c->outs.n; i += n) {
		const struct track_out *v = &c->outs.v[i];

		n = group_of(c, i);
		if (is_one(v, n)) {
			c->outs.v[to++] = *v;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			if (!v[k].task)
				c->outs.v[to++] = v[k];
			else if (vec_push(&c->also, v[k]) != 0)
				rc = err_nomem(err);
	}
	c->outs.n = to;
	return rc;
}
