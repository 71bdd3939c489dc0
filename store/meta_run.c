/* Creating a run, taking one over. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/timefmt.h"
#include "store/meta_internal.h"

#define RUN_ID_LEN (META_RUN_ID - 1)

void
meta_tail_of(const char *id, char out[META_TAIL + 1])
{
	size_t n = strlen(id), i;

	for (i = 0; i < META_TAIL && i < n; i++)
		out[i] = id[n - 1 - i];
	out[i] = '\0';
}

int
meta_find_rid(struct meta *m, const char *run, int64_t *rid, struct err *err)
{
	struct query q;
	int rc;

	if (query_start(&q, &m->db, "SELECT rid FROM run WHERE id = ?", err) != 0)
		return -1;
	query_put_text(&q, run);
	rc = query_step(&q, err);
	if (rc > 0)
		*rid = query_get_int(&q);
	query_end(&q);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no run %.64s", run);
	return rc < 0 ? -1 : 0;
}

/* Of scheduled, backfilled and triggered runs there is one for each instant and partition. */
static int
refuse_second(struct meta *m, const struct meta_run_new *r, struct err *err)
{
	static const char sql[] =
	    "SELECT id FROM run WHERE dag = ?1 AND kind = ?2 AND logical_us = ?3 "
	    "AND partition = ?4 AND kind <> 'manual'";
	char when[TIMEFMT_MAX];
	struct query q;
	int rc;

	if (strcmp(r->kind, "manual") == 0)
		return 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, r->dag);
	query_put_text(&q, r->kind);
	query_put_int(&q, r->logical_us);
	query_put_text(&q, r->partition);
	rc = query_step(&q, err);
	if (rc > 0)
		rc = err_set(err, ERR_EXISTS, "DAG %s has a %s run of %s%s%s already: %s",
			     r->dag, r->kind, time_rfc3339(when, r->logical_us),
			     r->partition[0] != '\0' ? ", partition " : "", r->partition,
			     query_get_text(&q, NULL));
	query_end(&q);
	return rc;
}

static int
insert_definition(struct meta *m, const char *hash, const char *source, size_t len,
		  int64_t at_us, struct err *err)
{
	static const char sql[] = "INSERT INTO definition (hash, source, created_us) "
				  "VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
	struct query q;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, hash);
	query_put_textn(&q, source, len);
	query_put_int(&q, at_us);
	return query_run(&q, err) < 0 ? -1 : 0;
}

static int
insert_run(struct meta *m, const struct meta_run_new *r, const char *boot_id,
	   int64_t *rid, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO run (id, tail, dag, kind, logical_us, interval_start_us, "
	    "interval_end_us, partition, file, def_hash, params, options, state, epoch, "
	    "boot_id, created_us, deadline_us) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?) RETURNING rid";
	char tail[META_TAIL + 1];
	struct query q;
	int rc;

	meta_tail_of(r->id, tail);
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, r->id);
	query_put_text(&q, tail);
	query_put_text(&q, r->dag);
	query_put_text(&q, r->kind);
	query_put_int(&q, r->logical_us);
	query_put_int(&q, r->interval_start_us);
	query_put_int(&q, r->interval_end_us);
	query_put_text(&q, r->partition);
	query_put_text(&q, r->file);
	query_put_text(&q, r->def_hash);
	query_put_text(&q, r->params);
	query_put_text(&q, r->options);
	query_put_text(&q, run_state_name(RUN_RUNNING));
	query_put_text(&q, boot_id);
	query_put_int(&q, r->created_us);
	query_put_int(&q, r->deadline_us);
	rc = query_step(&q, err);
	if (rc > 0)
		*rid = query_get_int(&q);
	query_end(&q);
	return rc > 0 ? 0 : -1;
}

static int
insert_tasks(struct meta *m, const struct meta_run_new *r, int64_t rid, struct err *err)
{
	static const char sql[] =
	    "INSERT INTO task (run, name, map, ord, selected, state, result, reason) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
	const struct meta_task_new *t;
	struct query q;
	size_t i;

	for (i = 0; i < r->ntasks; i++) {
		t = &r->tasks[i];
		if (query_start(&q, &m->db, sql, err) != 0)
			return -1;
		query_put_int(&q, rid);
		query_put_text(&q, t->name);
		query_put_int(&q, t->map);
		query_put_int(&q, (int64_t)i);
		query_put_int(&q, t->selected);
		query_put_text(&q,
			       task_state_name(t->selected ? TASK_WAITING : TASK_DONE));
		query_put_text(
		    &q, task_result_name(t->selected ? RESULT_NONE : RESULT_SKIPPED));
		query_put_text(&q, t->selected ? NULL : "not selected");
		if (query_run(&q, err) < 0)
			return -1;
	}
	return 0;
}

static int
create(struct meta *m, const struct meta_run_new *r, const char *boot_id, struct err *err)
{
	struct meta_note note = {.at_us = r->created_us,
				 .map = -1,
				 .event = run_state_name(RUN_RUNNING),
				 .reason = "created"};

	if (refuse_second(m, r, err) != 0 ||
	    insert_definition(m, r->def_hash, r->def_source, r->def_source_len,
			      r->created_us, err) != 0 ||
	    insert_run(m, r, boot_id, &note.rid, err) != 0 ||
	    insert_tasks(m, r, note.rid, err) != 0)
		return -1;
	return meta_event_add(m, &note, err);
}

int
meta_run_create(struct meta *m, const struct meta_run_new *r, const char *boot_id,
		struct err *err)
{
	assert(strlen(r->id) == RUN_ID_LEN);
	if (meta_begin(m, err) != 0)
		return -1;
	if (create(m, r, boot_id, err) == 0)
		return meta_end(m, err);
	meta_abort(m);
	return -1;
}

static int
raise_epoch(struct meta *m, const char *run, const char *boot_id, int64_t *epoch,
	    struct err *err)
{
	static const char sql[] = "UPDATE run SET epoch = epoch + 1, boot_id = ?2 "
				  "WHERE id = ?1 RETURNING epoch";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, run);
	query_put_text(&q, boot_id);
	rc = query_step(&q, err);
	if (rc > 0)
		*epoch = query_get_int(&q);
	query_end(&q);
	if (rc == 0)
		(void)err_set(err, ERR_NOTFOUND, "there is no run %.64s", run);
	return rc > 0 ? 0 : -1;
}

static int
redefine(struct meta *m, const char *run, const struct meta_redefine *d, struct err *err)
{
	static const char sql[] = "UPDATE run SET def_hash = ?2 WHERE id = ?1";
	struct meta_note note = {
	    .at_us = d->at_us, .map = -1, .event = "redefined", .reason = d->reason};
	struct query q;

	if (insert_definition(m, d->hash, d->source, d->len, d->at_us, err) != 0 ||
	    meta_find_rid(m, run, &note.rid, err) != 0 ||
	    query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, run);
	query_put_text(&q, d->hash);
	return query_run(&q, err) < 0 ? -1 : meta_event_add(m, &note, err);
}

int
meta_run_retake(struct meta *m, const char *run, const struct meta_redefine *def,
		const char *boot_id, int64_t *epoch, struct err *err)
{
	if (meta_begin(m, err) != 0)
		return -1;
	if (raise_epoch(m, run, boot_id, epoch, err) == 0 &&
	    (def == NULL || redefine(m, run, def, err) == 0))
		return meta_end(m, err);
	meta_abort(m);
	return -1;
}

int
meta_run_take(struct meta *m, const char *run, const char *boot_id, int64_t *epoch,
	      struct err *err)
{
	return meta_run_retake(m, run, NULL, boot_id, epoch, err);
}
