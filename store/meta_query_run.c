/* Reading runs: one, the one a user names, pages of them. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/meta_internal.h"

#define RUN_ID_LEN (META_RUN_ID - 1)
#define END_MIN	   6	 /* characters of a run id's end that may name it */
#define PAGE_MAX   10000 /* runs of one page */

#define COLUMNS                                                                      \
	"SELECT id, dag, kind, partition, file, def_hash, params, options, reason, " \
	"logical_us, interval_start_us, interval_end_us, created_us, started_us, "   \
	"ended_us, deadline_us, state, result, epoch, git_commit, "                  \
	"coalesce(git_dirty, -1) FROM run "

#define WITHIN                          \
	"WHERE rid < ?1 AND rid >= ?5 " \
	"AND (?5 = 0 OR created_us >= ?6) AND (?7 = 0 OR created_us < ?7) "
#define PAGE "ORDER BY rid DESC LIMIT ?4"

int
meta_get_run_state(struct query *q, enum run_state *state, enum run_result *result,
		   struct err *err)
{
	const char *s = query_get_text(q, NULL);
	int st = run_state_of(s), re;

	if (st < 0)
		return err_set(err, ERR_CORRUPT, "'%.64s' is no state of a run", s);
	s = query_get_text(q, NULL);
	re = run_result_of(s);
	if (re < 0)
		return err_set(err, ERR_CORRUPT, "'%.64s' is no result of a run", s);
	*state = (enum run_state)st;
	*result = (enum run_result)re;
	return 0;
}

/* Read the row of COLUMNS. */
static int
get_run(struct query *q, struct arena *a, struct meta_run *r, struct err *err)
{
	bool failed = false;

	memset(r, 0, sizeof(*r));
	(void)snprintf(r->id, sizeof(r->id), "%s", query_get_text(q, NULL));
	r->dag = query_get_dup(q, a, &failed);
	r->kind = query_get_dup(q, a, &failed);
	r->partition = query_get_dup(q, a, &failed);
	r->file = query_get_dup(q, a, &failed);
	r->def_hash = query_get_dup(q, a, &failed);
	r->params = query_get_dup(q, a, &failed);
	r->options = query_get_dup(q, a, &failed);
	r->reason = query_get_dup(q, a, &failed);
	r->logical_us = query_get_int(q);
	r->interval_start_us = query_get_int(q);
	r->interval_end_us = query_get_int(q);
	r->created_us = query_get_int(q);
	r->started_us = query_get_int(q);
	r->ended_us = query_get_int(q);
	r->deadline_us = query_get_int(q);
	if (meta_get_run_state(q, &r->state, &r->result, err) != 0)
		return -1;
	r->epoch = query_get_int(q);
	r->git_commit = query_get_dup(q, a, &failed);
	r->git_dirty = (int)query_get_int(q);
	return failed ? err_nomem(err) : 0;
}

/* Read the one row of ${q} and end it: 1, 0 or -1. */
static int
get_one(struct query *q, struct arena *a, struct meta_run *out, struct err *err)
{
	int rc = query_step(q, err);

	if (rc > 0 && get_run(q, a, out, err) != 0)
		rc = -1;
	query_end(q);
	return rc;
}

static int
by_id(struct meta *m, const char *id, struct arena *a, struct meta_run *out,
      struct err *err)
{
	struct query q;

	if (query_start(&q, &m->db, COLUMNS "WHERE id = ?", err) != 0)
		return -1;
	query_put_text(&q, id);
	return get_one(&q, a, out, err);
}

int
meta_run_get(struct meta *m, const char *id, struct arena *a, struct meta_run *out,
	     struct err *err)
{
	int rc = by_id(m, id, a, out, err);

	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no run %.64s", id);
	return rc < 0 ? -1 : 0;
}

/* ---- naming ---- */

/* The latest run, of the DAG ${dag} or (NULL) of all: 1, 0 or -1. */
static int
latest(struct meta *m, const char *dag, struct arena *a, struct meta_run *out,
       struct err *err)
{
	struct query q;

	if (dag == NULL)
		return query_start(&q, &m->db, COLUMNS "ORDER BY rid DESC LIMIT 1",
				   err) == 0
			   ? get_one(&q, a, out, err)
			   : -1;
	if (query_start(&q, &m->db, COLUMNS "WHERE dag = ? ORDER BY rid DESC LIMIT 1",
			err) != 0)
		return -1;
	query_put_text(&q, dag);
	return get_one(&q, a, out, err);
}

/* Whether ${ref} could be the end of a run's id; ${low} gets it in lower case. */
static bool
could_be_end(const char *ref, char low[META_RUN_ID])
{
	size_t n = strlen(ref), i;

	if (n < END_MIN || n > RUN_ID_LEN)
		return false;
	for (i = 0; i <= n; i++)
		low[i] = (char)tolower((unsigned char)ref[i]);
	return strspn(low, "0123456789abcdef-") == n;
}

/* Find the runs whose id ends in ${end}.  Return how many there are (counted to 3), their ids
 * appended to ${ids}; or -1. */
static int
by_end(struct meta *m, const char *end, struct buf *ids, char first[META_RUN_ID],
       struct err *err)
{
	static const char sql[] = "SELECT id FROM run WHERE tail >= ?1 AND tail < ?2 "
				  "AND substr(id, -?3) = ?4 ORDER BY tail LIMIT 3";
	char from[META_TAIL + 1], to[META_TAIL + 2];
	int rc, n = 0;
	struct query q;

	meta_tail_of(end, from);
	(void)snprintf(to, sizeof(to), "%sg", from); /* behind all hex digits */
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, from);
	query_put_text(&q, to);
	query_put_int(&q, (int64_t)strlen(end));
	query_put_text(&q, end);
	while ((rc = query_step(&q, err)) > 0) {
		const char *id = query_get_text(&q, NULL);

		if (n++ == 0)
			(void)snprintf(first, META_RUN_ID, "%s", id);
		buf_addf(ids, "%s%s", ids->n != 0 ? ", " : "", id);
	}
	query_end(&q);
	return rc < 0 ? -1 : n;
}

static int
unknown(const char *ref, struct err *err)
{
	size_t n = strlen(ref);

	if (n > 0 && n < END_MIN && strspn(ref, "0123456789abcdefABCDEF-") == n)
		return err_set(
		    err, ERR_NOTFOUND,
		    "no run is called '%s': the end of a run's id needs at least "
		    "%d characters",
		    ref, END_MIN);
	return err_set(
	    err, ERR_NOTFOUND,
	    "no run is called '%.200s': give a run's id, at least %d characters "
	    "of its end, a DAG's name, or 'last'",
	    ref, END_MIN);
}

/* Resolve an end of an id or a DAG's name. */
static int
by_end_or_dag(struct meta *m, const char *ref, struct arena *a, struct meta_run *out,
	      struct err *err)
{
	char low[META_RUN_ID], first[META_RUN_ID] = "";
	int n = 0, of_dag;
	struct buf ids;

	buf_init(&ids, 0);
	if (could_be_end(ref, low))
		n = by_end(m, low, &ids, first, err);
	of_dag = n >= 0 ? latest(m, ref, a, out, err) : -1;
	if (n > 1 || (n == 1 && of_dag > 0))
		(void)err_set(err, ERR_INVALID,
			      "'%s' may mean several runs (%s%s%s): give more of the id",
			      ref, ids.p, n > 2 ? " ..." : "",
			      of_dag > 0 ? ", and the latest of the DAG of that name"
					 : "");
	buf_release(&ids);
	if (n < 0 || of_dag < 0 || n > 1 || (n == 1 && of_dag > 0))
		return -1;
	if (n == 1)
		return meta_run_get(m, first, a, out, err);
	return of_dag > 0 ? 0 : unknown(ref, err);
}

int
meta_run_resolve(struct meta *m, const char *ref, struct arena *a, struct meta_run *out,
		 struct err *err)
{
	int rc;

	if (strcmp(ref, "last") == 0) {
		rc = latest(m, NULL, a, out, err);
		if (rc == 0)
			return err_set(err, ERR_NOTFOUND, "there are no runs yet");
		return rc < 0 ? -1 : 0;
	}
	if (strlen(ref) == RUN_ID_LEN) {
		char low[META_RUN_ID];

		if (could_be_end(ref, low)) {
			rc = by_id(m, low, a, out, err);
			if (rc != 0)
				return rc < 0 ? -1 : 0;
		}
	}
	return by_end_or_dag(m, ref, a, out, err);
}

/* ---- pages ---- */

/* The number of the run ${id}, so that a page may go on below it; if it has been removed
 * since, the number of the newest run before it in time. */
static int
page_start(struct meta *m, const char *id, int64_t *below, struct err *err)
{
	static const char sql[] = "SELECT rid + (id < ?1) FROM run WHERE id <= ?1 "
				  "ORDER BY id DESC LIMIT 1";
	struct query q;
	int rc;

	*below = INT64_MAX;
	if (id == NULL)
		return 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, id);
	rc = query_step(&q, err);
	*below = rc > 0 ? query_get_int(&q) : 0;
	query_end(&q);
	return rc < 0 ? -1 : 0;
}

/* How the ids of runs begin that are made in the millisecond of ${us}. */
static void
id_of_time(int64_t us, char out[META_RUN_ID])
{
	uint64_t ms = us > 0 ? (uint64_t)us / 1000 : 0;

	(void)snprintf(out, META_RUN_ID, "%08" PRIx64 "-%04" PRIx64,
		       ms >> 16 & 0xffffffff, ms & 0xffff);
}

/* The numbers between which the runs of the filter lie: from ${from}, below ${below}. */
static int
page_times(struct meta *m, const struct meta_run_filter *f, int64_t *from, int64_t *below,
	   struct err *err)
{
	static const char *const sql[] = {
	    "SELECT rid FROM run WHERE id >= ? ORDER BY id LIMIT 1",
	    "SELECT rid + 1 FROM run WHERE id < ? ORDER BY id DESC LIMIT 1"};
	const int64_t times[] = {f->since_us, f->until_us + 999};
	int64_t rid[] = {INT64_MAX, 0};
	char id[META_RUN_ID];
	struct query q;
	int i, rc;

	*from = 0;
	for (i = 0; i < 2; i++) {
		if ((i == 0 ? f->since_us : f->until_us) == 0)
			continue;
		id_of_time(times[i], id);
		if (query_start(&q, &m->db, sql[i], err) != 0)
			return -1;
		query_put_text(&q, id);
		rc = query_step(&q, err);
		if (rc > 0)
			rid[i] = query_get_int(&q);
		query_end(&q);
		if (rc < 0)
			return -1;
		if (i == 0)
			*from = rid[0];
		else if (rid[1] < *below)
			*below = rid[1];
	}
	return 0;
}

/* One text for each way to the page, as each has its own index.  A run is done exactly when it
 * has a result, so a state is asked for as a result, too. */
static const char *
page_sql(bool dag, bool result)
{
	if (dag && result)
		return COLUMNS WITHIN "AND dag = ?2 AND result = ?3 " PAGE;
	if (dag)
		return COLUMNS WITHIN "AND dag = ?2 AND (?3 OR result <> '') " PAGE;
	if (result)
		return COLUMNS WITHIN "AND ?2 IS NULL AND result = ?3 " PAGE;
	return COLUMNS WITHIN "AND ?2 IS NULL AND (?3 OR result <> '') " PAGE;
}

int
meta_runs(struct meta *m, const struct meta_run_filter *f, struct arena *a,
	  struct meta_run **out, size_t *n, struct err *err)
{
	size_t limit = f->limit < PAGE_MAX ? f->limit : PAGE_MAX;
	bool running = f->state == RUN_RUNNING;
	int result = running ? RUN_NONE : f->result;
	int64_t below, from;
	struct query q;
	int rc;

	*n = 0;
	*out = arena_array(a, limit + 1, sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	if (running && f->result > RUN_NONE)
		return 0; /* no running run has one */
	if (page_start(m, f->before, &below, err) != 0 ||
	    page_times(m, f, &from, &below, err) != 0 ||
	    query_start(&q, &m->db, page_sql(f->dag != NULL, result >= 0), err) != 0)
		return -1;
	query_put_int(&q, below);
	query_put_text(&q, f->dag);
	if (result >= 0)
		query_put_text(&q, run_result_name((enum run_result)result));
	else
		query_put_int(&q, f->state != RUN_DONE);
	query_put_int(&q, (int64_t)limit);
	query_put_int(&q, from);
	query_put_int(&q, f->since_us);
	query_put_int(&q, f->until_us);
	while ((rc = query_step(&q, err)) > 0) {
		if (get_run(&q, a, &(*out)[*n], err) != 0) {
			rc = -1;
			break;
		}
		++*n;
	}
	query_end(&q);
	return rc;
}

/* ---- counting the tasks of one ---- */

int
meta_run_counts(struct meta *m, struct meta_run *run, struct err *err)
{
	static const char sql[] =
	    "SELECT t.state, t.result, count(*) FROM run r JOIN task t ON t.run = r.rid "
	    "WHERE r.id = ? GROUP BY t.state, t.result";
	enum task_result result;
	enum task_state state;
	struct query q;
	uint32_t count;
	int rc;

	memset(run->counts, 0, sizeof(run->counts));
	run->ntasks = run->nrunning = 0;
	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_text(&q, run->id);
	while ((rc = query_step(&q, err)) > 0) {
		if (meta_get_task_state(&q, &state, &result, err) != 0) {
			rc = -1;
			break;
		}
		count = (uint32_t)query_get_int(&q);
		run->counts[result] += count;
		run->ntasks += count;
		if (task_state_is_live(state))
			run->nrunning += count;
	}
	query_end(&q);
	return rc;
}
