#include "store/meta_gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "store/meta_internal.h"

#define WAL_FRAMES  2000 /* let into the database when it has so many */
#define DEFINITIONS 500

/* ---- which ---- */

static int
one_int(struct meta *m, const char *sql, const char *dag, int64_t offset, int64_t *out,
	struct err *err)
{
	struct query q;
	int rc;

	*out = 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, dag);
	if (offset >= 0)
		query_put_int(&q, offset);
	rc = query_step(&q, err);
	if (rc > 0)
		*out = query_get_int(&q);
	query_end(&q);
	return rc < 0 ? -1 : 0;
}

/* The newest run of the DAG that a rule by number lets go; 0: none. */
static int
by_number(struct meta *m, const char *dag, uint64_t newest, int64_t *rid, struct err *err)
{
	static const char sql[] =
	    "SELECT rid FROM run WHERE dag = ? ORDER BY rid DESC LIMIT 1 OFFSET ?";

	return one_int(m, sql, dag, newest > INT64_MAX ? INT64_MAX : (int64_t)newest, rid,
		       err);
}

/* Learn which runs of the DAG are kept whatever their age. */
static int
begin_dag(struct meta *m, const struct meta_gc_rule *rule, struct meta_gc_walk *w,
	  struct err *err)
{
	static const char latest[] = "SELECT max(rid) FROM run WHERE dag = ?";
	static const char success[] =
	    "SELECT max(rid) FROM run WHERE dag = ? AND result = 'success'";

	w->rid = w->latest = w->success = 0;
	w->oldest_kept = INT64_MAX;
	if (!rule->last_too && (one_int(m, latest, w->dag, -1, &w->latest, err) != 0 ||
				one_int(m, success, w->dag, -1, &w->success, err) != 0))
		return -1;
	if (!rule->by_number)
		return 0;
	if (by_number(m, w->dag, rule->newest, &w->oldest_kept, err) != 0)
		return -1;
	w->oldest_kept++;
	return 0;
}

/* Go on to the next DAG: 1, 0 at the end, -1. */
static int
next_dag(struct meta *m, const struct meta_gc_rule *rule, struct meta_gc_walk *w,
	 struct err *err)
{
	static const char sql[] =
	    "SELECT dag FROM run WHERE dag > ? ORDER BY dag LIMIT 1";
	struct query q;
	char *dag = NULL;
	int rc = 1;

	if (rule->dag != NULL) {
		rc = !w->begun;
		dag = rc > 0 ? strdup(rule->dag) : NULL;
	} else {
		if (query_start(&q, &m->db, sql, err) != 0)
			return -1;
		query_put_text(&q, w->dag != NULL ? w->dag : "");
		rc = query_step(&q, err);
		if (rc > 0)
			dag = strdup(query_get_text(&q, NULL));
		query_end(&q);
	}
	w->begun = true;
	if (rc <= 0)
		return rc;
	if (dag == NULL)
		return err_nomem(err);
	free(w->dag);
	w->dag = dag;
	return begin_dag(m, rule, w, err) != 0 ? -1 : 1;
}

static int
of_dag(struct meta *m, const struct meta_gc_rule *rule, struct meta_gc_walk *w,
       struct meta_gc_run *out, size_t max, size_t *n, struct err *err)
{
	static const char sql[] =
	    "SELECT rid, epoch, max(ended_us, created_us), id FROM run "
	    "WHERE dag = ?1 AND rid > ?2 AND rid < ?3 AND state = 'done' "
	    "AND max(ended_us, created_us) < ?4 AND rid NOT IN (?5, ?6) "
	    "ORDER BY rid LIMIT ?7";
	struct query q;
	int rc;

	*n = 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, w->dag);
	query_put_int(&q, w->rid);
	query_put_int(&q, w->oldest_kept);
	query_put_int(&q, rule->by_number ? INT64_MAX : rule->ended_us);
	query_put_int(&q, w->latest);
	query_put_int(&q, w->success);
	query_put_int(&q, (int64_t)max);
	while ((rc = query_step(&q, err)) > 0) {
		struct meta_gc_run *r = &out[(*n)++];

		r->rid = w->rid = query_get_int(&q);
		r->epoch = query_get_int(&q);
		r->ended_us = query_get_int(&q);
		(void)snprintf(r->id, sizeof(r->id), "%s", query_get_text(&q, NULL));
		r->gone = false;
	}
	query_end(&q);
	return rc;
}

int
meta_gc_next(struct meta *m, const struct meta_gc_rule *rule, struct meta_gc_walk *w,
	     struct meta_gc_run *out, size_t max, size_t *n, struct err *err)
{
	int rc;

	for (*n = 0; !w->end;) {
		if (w->dag != NULL) {
			if (of_dag(m, rule, w, out, max, n, err) != 0)
				return -1;
			if (*n > 0)
				return 0;
		}
		rc = next_dag(m, rule, w, err);
		if (rc < 0)
			return -1;
		w->end = rc == 0;
	}
	return 0;
}

void
meta_gc_walk_release(struct meta_gc_walk *w)
{
	free(w->dag);
	w->dag = NULL;
}

/* ---- deleting ---- */

/* Is it still what was found: ended, and by the same owner?  1, 0 or -1. */
static int
still_done(struct meta *m, const struct meta_gc_run *r, struct err *err)
{
	static const char sql[] =
	    "SELECT 1 FROM run WHERE rid = ? AND epoch = ? AND id = ? AND state = 'done'";
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, r->rid);
	query_put_int(&q, r->epoch);
	query_put_text(&q, r->id);
	rc = query_step(&q, err);
	query_end(&q);
	return rc;
}

/* Delete up to *${left} rows of the run, and count them down.  Return 0 or -1. */
static int
shed(struct meta *m, const char *sql, int64_t rid, uint64_t *left, struct err *err)
{
	struct query q;
	int n;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	query_put_int(&q, (int64_t)*left);
	if ((n = query_run(&q, err)) < 0)
		return -1;
	*left -= (uint64_t)n < *left ? (uint64_t)n : *left;
	return 0;
}

/* One run as far as there are rows left: 1 if it is dealt with, 0 if more is to be done. */
static int
delete_run(struct meta *m, struct meta_gc_run *r, uint64_t *left, struct err *err)
{
	static const char events[] = "DELETE FROM event WHERE id IN "
				     "(SELECT id FROM event WHERE run = ? LIMIT ?)";
	static const char attempts[] = "DELETE FROM attempt WHERE aid IN "
				       "(SELECT aid FROM attempt WHERE run = ? LIMIT ?)";
	static const char run[] = "DELETE FROM run WHERE rid = ?";
	struct query q;
	int rc;

	if ((rc = still_done(m, r, err)) <= 0)
		return rc < 0 ? -1 : 1;
	if (shed(m, events, r->rid, left, err) != 0)
		return -1;
	if (*left == 0)
		return 0;
	if (shed(m, attempts, r->rid, left, err) != 0)
		return -1;
	if (*left == 0)
		return 0;
	if (query_start(&q, &m->db, run, err) != 0)
		return -1;
	query_put_int(&q, r->rid);
	if (query_run(&q, err) < 0)
		return -1;
	--*left;
	r->gone = true;
	return 1;
}

int
meta_gc_delete(struct meta *m, struct meta_gc_run *runs, size_t n, uint64_t rows,
	       size_t *done, struct err *err)
{
	int rc = 1;
	size_t i;

	*done = 0;
	if (meta_begin(m, err) != 0)
		return -1;
	for (i = 0; i < n && rc > 0 && rows > 0; i++) {
		rc = delete_run(m, &runs[i], &rows, err);
		*done += rc > 0;
	}
	if (rc >= 0 && meta_end(m, err) == 0)
		return 0;
	if (rc < 0)
		meta_abort(m);
	for (i = 0; i < n; i++)
		runs[i].gone = false;
	*done = 0;
	return -1;
}

int
meta_gc_definitions(struct meta *m, char after[65], uint64_t *removed, struct err *err)
{
	static const char last[] =
	    "SELECT max(hash), count(*) FROM (SELECT hash FROM definition "
	    "WHERE hash > ? ORDER BY hash LIMIT ?)";
	static const char sql[] =
	    "DELETE FROM definition WHERE hash > ?1 AND hash <= ?2 AND "
	    "NOT EXISTS (SELECT 1 FROM run WHERE def_hash = definition.hash)";
	char to[65] = "";
	struct query q;
	int64_t n = 0;
	int rc;

	if (query_start(&q, &m->db, last, err) != 0)
		return -1;
	query_put_text(&q, after);
	query_put_int(&q, DEFINITIONS);
	rc = query_step(&q, err);
	if (rc > 0) {
		(void)snprintf(to, sizeof(to), "%s", query_get_text(&q, NULL));
		n = query_get_int(&q);
	}
	query_end(&q);
	if (rc < 0 || n == 0)
		return rc < 0 ? -1 : 0;
	if (meta_begin(m, err) != 0)
		return -1;
	rc = query_start(&q, &m->db, sql, err);
	if (rc == 0) {
		query_put_text(&q, after);
		query_put_text(&q, to);
		rc = query_run(&q, err);
	}
	if (rc < 0) {
		meta_abort(m);
		return -1;
	}
	if (meta_end(m, err) != 0)
		return -1;
	*removed += (uint64_t)rc;
	memcpy(after, to, sizeof(to));
	return n == DEFINITIONS;
}

void
meta_gc_rest(struct meta *m)
{
	if (m->db.wal_frames >= WAL_FRAMES)
		(void)db_checkpoint(&m->db, NULL); /* a failure costs only its size */
}

int
meta_sizes(struct meta *m, struct meta_sizes *out, struct err *err)
{
	static const char *const sql[] = {"PRAGMA page_size",
					  "PRAGMA page_count",
					  "PRAGMA freelist_count",
					  "PRAGMA user_version",
					  "SELECT count(*) FROM run",
					  "SELECT max(id) FROM event",
					  "SELECT created_us FROM run ORDER BY rid DESC "
					  "LIMIT 1"};
	int64_t v[sizeof(sql) / sizeof(sql[0])] = {0};
	struct query q;
	struct stat st;
	int rc;

	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		if (query_start(&q, &m->db, sql[i], err) != 0)
			return -1;
		rc = query_step(&q, err);
		if (rc > 0)
			v[i] = query_get_int(&q);
		query_end(&q);
		if (rc < 0)
			return -1;
	}
	*out = (struct meta_sizes){.bytes = (uint64_t)(v[0] * v[1]),
				   .unused = (uint64_t)(v[0] * v[2]),
				   .schema = (int)v[3],
				   .runs = (uint64_t)v[4],
				   .events = (uint64_t)v[5],
				   .newest_us = v[6]};
	if (fstatat(m->state_fd, "dag.db-wal", &st, 0) == 0)
		out->wal_bytes = (uint64_t)st.st_size;
	return 0;
}
