#include "store/remote/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/object_set.h"
#include "store/objects/objects.h"
#include "store/remote/remote.h"
#include "store/remote/transfer_internal.h"

/* ---- the report ---- */

uint64_t
transfer_failures(const struct transfer_report *r)
{
	uint64_t n = 0;

	for (int i = 0; i < TRANSFER_FATES; i++)
		n += i != TRANSFER_REPLACED ? r->fates[i] : 0;
	return n;
}

void
transfer_report_release(struct transfer_report *r)
{
	vec_foreach (&r->notes, struct transfer_note, note)
		free(note->path);
	vec_release(&r->notes);
	*r = (struct transfer_report){0};
}

static int
add_note(struct transfer *t, enum transfer_fate fate, const struct object_id *id,
	 const char *path, const struct err *why)
{
	struct transfer_note note = {.fate = fate, .id = *id, .err = *why};

	if (t->report->fates[fate]++ >= TRANSFER_NOTES_MAX)
		return 0;
	if (path != NULL) {
		note.path = strdup(path);
		if (note.path == NULL)
			return -1;
	}
	if (object_set_add(t->noted, id) >= 0 && vec_push(&t->report->notes, note) == 0)
		return 0;
	free(note.path);
	return -1;
}

int
transfer_note(struct transfer *t, enum transfer_fate fate, const struct object_id *id,
	      const char *path, const struct err *why, struct err *err)
{
	int r;

	(void)pthread_mutex_lock(&t->lock);
	r = add_note(t, fate, id, path, why);
	if (r == 0 && fate != TRANSFER_REPLACED && object_set_add(t->bad, id) < 0)
		r = -1;
	(void)pthread_mutex_unlock(&t->lock);
	return r == 0 ? 0 : err_nomem(err);
}

bool
transfer_fatal(const struct err *why)
{
	return why->code == ERR_FULL || why->code == ERR_NOMEM ||
	       why->code == ERR_CANCELLED;
}

void
transfer_damaged(struct transfer *t, const struct object_id *id, const struct err *cause,
		 struct err *why)
{
	struct buf path;

	buf_init(&path, 0);
	objects_path(t->opt->cache, id, &path);
	/* The cause may name the path itself. */
	(void)err_set(
	    why, ERR_CORRUPT,
	    "'%s' is damaged, and was not sent: %s; 'dag fetch --verify' gets it anew "
	    "from a remote that has it, or remove it and 'dag commit' its file again",
	    path.p, cause->msg);
	buf_release(&path);
}

int
transfer_trouble(struct transfer *t, const struct object_id *id, const struct err *why,
		 struct err *err)
{
	unsigned n;

	if (transfer_fatal(why)) {
		*err = *why;
		return -1;
	}
	(void)pthread_mutex_lock(&t->lock);
	n = ++t->trouble;
	(void)pthread_mutex_unlock(&t->lock);
	if (n < TRANSFER_TROUBLE_MAX)
		return transfer_note(t, TRANSFER_TROUBLE, id, NULL, why, err);
	*err = *why;
	return err_wrap(err, "the remote '%s' failed %d times in a row",
			t->opt->remote->name, TRANSFER_TROUBLE_MAX);
}

void
transfer_moved(struct transfer *t, uint64_t bytes)
{
	(void)pthread_mutex_lock(&t->lock);
	t->sent++;
	t->sent_bytes += bytes;
	t->trouble = 0;
	(void)pthread_mutex_unlock(&t->lock);
}

void
transfer_settled(struct transfer *t)
{
	t->report->objects += t->sent;
	t->report->bytes += t->sent_bytes;
	t->sent = t->sent_bytes = 0;
}

void
transfer_phase(struct transfer *t, const char *phase, uint64_t files, uint64_t bytes)
{
	struct meter *m = t->opt->meter;

	if (m == NULL)
		return;
	atomic_store_explicit(&m->files, 0, memory_order_relaxed);
	atomic_store_explicit(&m->bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&m->files_total, files, memory_order_relaxed);
	atomic_store_explicit(&m->bytes_total, bytes, memory_order_relaxed);
	meter_phase(m, phase);
}

/* ---- a transfer ---- */

int
transfer_init(struct transfer *t, const struct transfer_options *opt,
	      const struct transfer_want *v, size_t n, struct transfer_report *report,
	      struct err *err)
{
	*t = (struct transfer){.opt = opt, .v = v, .n = n, .report = report};
	(void)pthread_mutex_init(&t->lock, NULL);
	t->seen = object_set_new();
	t->bad = object_set_new();
	t->lacking = object_set_new();
	t->noted = object_set_new();
	if (t->seen != NULL && t->bad != NULL && t->lacking != NULL && t->noted != NULL)
		return 0;
	transfer_release(t);
	return err_nomem(err);
}

void
transfer_release(struct transfer *t)
{
	vec_release(&t->ids);
	vec_release(&t->flags);
	vec_release(&t->parts);
	vec_release(&t->todo);
	object_set_free(t->seen);
	object_set_free(t->bad);
	object_set_free(t->lacking);
	object_set_free(t->noted);
	(void)pthread_mutex_destroy(&t->lock);
}

int
transfer_call(const struct transfer_options *opt, const struct transfer_want *v, size_t n,
	      struct transfer_report *report, int (*fn)(struct transfer *, struct err *),
	      struct err *err)
{
	struct err why = {0};
	struct transfer t;
	int r;

	*report = (struct transfer_report){0};
	if (n == 0)
		return 0;
	r = transfer_init(&t, opt, v, n, report, &why);
	if (r == 0) {
		r = fn(&t, &why);
		transfer_name(&t);
		(void)batch_end(t.into, false, NULL);
		if (t.begun)
			opt->remote->ops->end(opt->remote);
		report->made = opt->remote->made && report->objects != 0;
		transfer_release(&t);
	}
	if (r != 0 && err != NULL)
		*err = why;
	return r;
}

/* ---- which wants ---- */

static bool
belongs(const struct transfer_want *w, const char *remote, const char *usual)
{
	const char *mine = w->remote != NULL ? w->remote : usual;

	return mine != NULL && strcmp(mine, remote) == 0;
}

size_t
transfer_select(struct transfer_want *v, size_t n, const char *remote, const char *usual,
		bool push)
{
	struct transfer_want tmp;
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		if (!belongs(&v[i], remote, usual) || (push && v[i].local))
			continue;
		tmp = v[to];
		v[to++] = v[i];
		v[i] = tmp;
	}
	return to;
}
