/*
 * The judge.  A database is right after a power loss if it is, row for row, what it was after
 * the last acknowledged call, or after the one that was under way: nothing acknowledged is
 * missing, and there is no half of anything.  It is opened by the store's own code, which is
 * also all the recovery there is.
 *
 * The invariants do not look at what was expected, so that they also find a half that the
 * work itself took for whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/uuid.h"
#include "crashfs.h"
#include "store/meta_internal.h"
#include "store/project.h"

/* ---- digests ---- */

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ (h >> 31);
}

static uint64_t
digest_rows(sqlite3 *h, const char *sql, uint64_t d)
{
	sqlite3_stmt *stmt;
	const char *text;
	int col, n, i, rc;

	if (sqlite3_prepare_v2(h, sql, -1, &stmt, NULL) != SQLITE_OK)
		return mix(d, 7); /* as if the table were empty */
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		for (col = 0; col < sqlite3_column_count(stmt); col++) {
			d = mix(d, (uint64_t)sqlite3_column_type(stmt, col));
			text = (const char *)sqlite3_column_text(stmt, col);
			n = sqlite3_column_bytes(stmt, col);
			for (i = 0; i < n; i++)
				d = (d ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
		}
	(void)sqlite3_finalize(stmt);
	return mix(d, rc == SQLITE_DONE ? 7 : (uint64_t)rc);
}

/* Every row as the first schema has it, and what later ones brought: a database is the same
 * before and after its migration.  What is not there yet is as if it were empty. */
uint64_t
check_digest(struct meta *m)
{
	static const char *const rows[] = {
	    "definition",
	    "dag",
	    "watermark",
	    "(SELECT rid, id, tail, dag, kind, logical_us, interval_start_us, "
	    "interval_end_us, partition, file, def_hash, params, options, state, result, "
	    "reason, epoch, boot_id, created_us, started_us, ended_us, deadline_us FROM "
	    "run)",
	    "(SELECT rid, git_commit, git_dirty FROM run WHERE git_commit IS NOT NULL)",
	    "task",
	    "(SELECT aid, run, task, map, number, id, epoch, boot_id, executor, handle, "
	    "dir, state, result, cause, reason, pid, exit_status, exit_signal, "
	    "created_us, "
	    "started_us, ended_us, wake_us, user_us, sys_us, maxrss_kib, log_bytes, "
	    "survivors, oom FROM attempt)",
	    "(SELECT aid, mem_peak_kib FROM attempt WHERE mem_peak_kib <> 0)",
	    "path_lock",
	    "output",
	    "torn",
	    "produced",
	    "event",
	    "command",
	    "sqlite_sequence",
	};
	char sql[512];
	uint64_t d = 1;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s", rows[i]);
		d = digest_rows(m->db.h, sql, d);
	}
	return d;
}

/* ---- invariants ---- */

/* Each counts what must not be. */
static const struct {
	const char *says, *sql;
} invariants[] = {
    {"a run stands where no event brought it",
     "SELECT count(*) FROM run r WHERE CASE WHEN result = '' THEN state ELSE result END "
     "IS NOT (SELECT event FROM event e WHERE e.run = r.rid AND task IS NULL "
     "ORDER BY id DESC LIMIT 1)"},
    {"an attempt began without an event",
     "SELECT count(*) FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM event e WHERE "
     "e.run = a.run AND e.task = a.task AND e.number = a.number AND event = "
     "'preparing')"},
    {"an attempt ended without an event",
     "SELECT count(*) FROM attempt a WHERE result <> '' AND NOT EXISTS (SELECT 1 FROM "
     "event e WHERE e.run = a.run AND e.task = a.task AND e.number = a.number "
     "AND event = a.result)"},
    {"a path lock outlives its attempt",
     "SELECT count(*) FROM path_lock JOIN attempt USING (aid) WHERE result <> ''"},
    {"two path locks overlap",
     "SELECT count(*) FROM path_lock a JOIN path_lock b ON a.aid < b.aid "
     "AND (a.write OR b.write) AND (a.path = b.path "
     "OR substr(a.path, 1, length(b.path) + 1) = b.path || '/' "
     "OR substr(b.path, 1, length(a.path) + 1) = a.path || '/')"},
    {"an attempt is of an epoch that has not begun",
     "SELECT count(*) FROM attempt a JOIN run r ON r.rid = a.run WHERE a.epoch > "
     "r.epoch"},
    {"a task does not know its latest attempt",
     "SELECT count(*) FROM task t WHERE attempt <> (SELECT ifnull(max(number), 0) FROM "
     "attempt a WHERE a.run = t.run AND a.task = t.name AND a.map = t.map)"},
    {"an attempt that did not end well has outputs",
     "SELECT count(*) FROM output JOIN attempt USING (aid) WHERE result <> 'success'"},
    {"a task that is done has an attempt that lives",
     "SELECT count(*) FROM task t JOIN attempt a ON a.run = t.run AND a.task = t.name "
     "AND a.map = t.map WHERE t.state = 'done' AND a.result = ''"},
    {"an event has an id that is still to come",
     "SELECT count(*) FROM event WHERE id > (SELECT seq FROM sqlite_sequence "
     "WHERE name = 'event')"},
};

int
check_invariants(struct meta *m, char *why, size_t room)
{
	sqlite3_stmt *stmt;
	sqlite3_int64 n;
	size_t i;

	for (i = 0; i < sizeof(invariants) / sizeof(invariants[0]); i++) {
		n = -1;
		if (sqlite3_prepare_v2(m->db.h, invariants[i].sql, -1, &stmt, NULL) !=
		    SQLITE_OK)
			die("%s: %s", invariants[i].says, sqlite3_errmsg(m->db.h));
		if (sqlite3_step(stmt) == SQLITE_ROW)
			n = sqlite3_column_int64(stmt, 0);
		(void)sqlite3_finalize(stmt);
		if (n != 0) {
			(void)snprintf(why, room, "%s", invariants[i].says);
			return -1;
		}
	}
	return 0;
}

/* The schema is whole, however it came to be. */
static int
check_schema(struct meta *m, char *why, size_t room)
{
	static uint64_t schema;
	uint64_t d = digest_rows(m->db.h,
				 "SELECT type, name, tbl_name, sql FROM sqlite_schema "
				 "ORDER BY name",
				 1);

	d = digest_rows(m->db.h,
			"SELECT 1 FROM pragma_user_version WHERE user_version = 2", d);
	if (schema == 0)
		schema = d;
	if (d == schema)
		return 0;
	(void)snprintf(why, room, "the schema is not whole");
	return -1;
}

/* ---- a place ---- */

static int
say(char *why, size_t room, const char *what, const struct err *err)
{
	(void)snprintf(why, room, "%s: %s", what, err->msg);
	return -1;
}

/* Which acknowledged call is this the state after?  -1: none. */
static long
find_state(const struct crash_states *states, uint64_t digest)
{
	size_t i;

	for (i = states->n; i > 0; i--)
		if (states->v[i - 1] == digest)
			return (long)i - 1;
	return -1;
}

static int
check_state(const struct crash_states *states, size_t acked, uint64_t digest, char *why,
	    size_t room)
{
	long at;

	if (digest == states->v[acked] ||
	    (acked + 1 < states->n && digest == states->v[acked + 1]))
		return 0;
	at = find_state(states, digest);
	if (at < 0)
		(void)snprintf(why, room,
			       "half of something: no state is this one, %zu were "
			       "acknowledged",
			       acked);
	else
		(void)snprintf(why, room,
			       "lost: the state after call %ld, %zu were acknowledged",
			       at, acked);
	return -1;
}

/* Of a state that is known the work itself has looked at the invariants. */
static int
check_open(struct meta *m, const struct crash_states *states, size_t acked, bool thorough,
	   uint64_t *digest, char *why, size_t room)
{
	struct err err = {0};
	int rc;

	if (meta_check(m, true, &err) != 0)
		return say(why, room, "integrity check", &err);
	*digest = check_digest(m);
	rc = check_state(states, acked, *digest, why, room);
	if (rc != 0 || thorough)
		rc |= check_schema(m, why, room) | check_invariants(m, why, room);
	return rc;
}

/* Open, judge, close. */
static int
visit(const struct project *p, enum meta_mode mode, const struct crash_states *states,
      size_t acked, bool thorough, uint64_t *digest, char *why, size_t room)
{
	struct err err = {0};
	struct meta *m;
	int rc;

	if (meta_open(p, mode, &m, &err) != 0) {
		if (mode == META_READ && err.code == ERR_NOTFOUND && acked == 0) {
			*digest = states->v[0];
			return 0;
		}
		return say(why, room, "does not open", &err);
	}
	rc = check_open(m, states, acked, thorough, digest, why, room);
	meta_close(m);
	return rc;
}

static uint8_t *
read_all(int dirfd, const char *name, size_t *n)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *p;

	*n = 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		die("cannot read %s: %s", name, strerror(errno));
	p = must_alloc((size_t)st.st_size + 1);
	if (pread(fd, p, (size_t)st.st_size, 0) != st.st_size)
		die("cannot read %s", name);
	*n = (size_t)st.st_size;
	close(fd);
	return p;
}

/* A second recovery finds nothing to do: not a byte changes. */
static int
check_again(const struct project *p, char *why, size_t room)
{
	uint8_t *before, *after;
	size_t n, n_after;
	struct err err = {0};
	struct meta *m;
	int rc = 0;

	if (faccessat(p->state_fd, "dag.db-wal", F_OK, 0) == 0) {
		(void)snprintf(why, room, "closing leaves a log behind");
		return -1;
	}
	before = read_all(p->state_fd, "dag.db", &n);
	if (meta_open(p, META_WRITE, &m, &err) != 0) {
		free(before);
		return say(why, room, "does not open a second time", &err);
	}
	meta_close(m);
	after = read_all(p->state_fd, "dag.db", &n_after);
	if (n != n_after || memcmp(before, after, n) != 0 ||
	    faccessat(p->state_fd, "dag.db-wal", F_OK, 0) == 0) {
		(void)snprintf(why, room, "a second recovery changes something");
		rc = -1;
	}
	free(before);
	free(after);
	return rc;
}

/* Work goes on: one more run, which is there when we look again. */
static int
check_goes_on(const struct project *p, char *why, size_t room)
{
	static const struct meta_task_new task = {
	    .name = "a", .map = -1, .selected = true};
	char id[UUID_TEXT];
	struct meta_run_new r = {.id = id,
				 .dag = "after",
				 .kind = "manual",
				 .partition = "",
				 .file = "after.yaml",
				 .def_hash = "after",
				 .def_source = "x",
				 .def_source_len = 1,
				 .params = "{}",
				 .options = "{}",
				 .created_us = 1,
				 .tasks = &task,
				 .ntasks = 1};
	struct err err = {0};
	uint64_t digest = 0, again = 1;
	struct meta *m;
	int rc, i;

	if (uuid7(id, 1) != 0)
		die("no randomness");
	for (i = 0; i < 2; i++) {
		if (meta_open(p, META_WRITE, &m, &err) != 0)
			return say(why, room, "does not open again", &err);
		rc = i == 0 ? meta_run_create(m, &r, "boot", &err) : 0;
		*(i == 0 ? &digest : &again) = check_digest(m);
		meta_close(m);
		if (rc != 0)
			return say(why, room, "cannot go on", &err);
	}
	if (digest == again)
		return 0;
	(void)snprintf(why, room, "what came after the recovery is lost");
	return -1;
}

void
check_recover(const struct project *p)
{
	struct err err = {0};
	struct meta *m;

	if (meta_open(p, META_WRITE, &m, &err) != 0)
		die("a recovery that went well fails the second time: %s", err.msg);
	meta_close(m);
}

int
check_place(const struct project *p, const struct crash_states *states, size_t acked,
	    bool thorough, char *why, size_t room)
{
	uint64_t digest, read;

	if (thorough && visit(p, META_READ, states, acked, true, &read, why, room) != 0)
		return -1;
	if (visit(p, META_WRITE, states, acked, thorough, &digest, why, room) != 0)
		return -1;
	if (thorough && digest != read && read != states->v[0]) {
		(void)snprintf(why, room, "a reader saw another state than the writer");
		return -1;
	}
	if (check_again(p, why, room) != 0)
		return -1;
	return thorough ? check_goes_on(p, why, room) : 0;
}
