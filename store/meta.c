#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "store/meta_internal.h"
#include "store/migrate.h"
#include "store/project.h"

#define DB_NAME "dag.db"

/* ---- opening ---- */

static struct meta_file
file_of(const struct stat *st)
{
	return (struct meta_file){.dev = st->st_dev, .ino = st->st_ino};
}

static bool
same(const struct meta_file *f, const struct stat *st)
{
	return f->dev == st->st_dev && f->ino == st->st_ino;
}

/* Make the empty file ourselves: for its mode, and to have its name durable before the first
 * commit is acknowledged. */
static int
make_file(struct meta *m, struct err *err)
{
	int fd =
	    openat(m->state_fd, DB_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_sys(err, errno, "cannot make '%s/" DB_NAME "'", m->state);
	close(fd);
	fault_point(DB_MADE);
	return fsio_sync_dir(m->state_fd, ".", err);
}

/* Remember which files these are. */
static int
remember(struct meta *m, struct err *err)
{
	struct stat st;
	int moved = 0;

	if (fstat(m->state_fd, &st) != 0)
		return err_sys(err, errno, "cannot look at '%s'", m->state);
	m->dir = file_of(&st);
	if (fstatat(m->state_fd, DB_NAME, &st, 0) != 0)
		return err_sys(err, errno, "cannot look at '%s'", m->db.path);
	m->file = file_of(&st);
	/* That was the name; SQLite knows whether its file is the one of that name. */
	(void)sqlite3_file_control(m->db.h, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved)
		return err_set(err, ERR_STALE, "'%s' was replaced while it was opened",
			       m->db.path);
	return 0;
}

/* Bring a new or old database to our schema; of all processes one at a time. */
static int
upgrade(struct meta *m, struct err *err)
{
	int rc;

	if (gate_lock(&m->gate, err) != 0)
		return -1;
	rc = db_use_wal(&m->db, err);
	if (rc == 0)
		rc = migrate_run(&m->db, store_migrations, store_nmigrations, err);
	gate_unlock(&m->gate);
	return rc;
}

static int
not_yet(const char *root, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, "there are no runs yet in '%s'", root);
}

/* Whether the database is a still one: a reader cannot write beside it (a read-only file
 * system), and no log of a writer lies there. */
static bool
is_still(const struct meta *m)
{
	struct stat st;

	return m->mode == META_READ &&
	       faccessat(m->state_fd, ".", W_OK, AT_EACCESS) != 0 &&
	       (fstatat(m->state_fd, DB_NAME "-wal", &st, 0) != 0 || st.st_size == 0);
}

static int
open_file(struct meta *m, struct err *err)
{
	enum db_mode mode = m->mode == META_WRITE ? DB_WRITE : DB_READ;
	char *path = NULL;
	int rc = 0;

	if (asprintf(&path, "%s/" DB_NAME, m->state) < 0)
		return err_nomem(err);
	if (mode == DB_WRITE)
		rc = make_file(m, err);
	else if (faccessat(m->state_fd, DB_NAME, F_OK, 0) != 0 && errno == ENOENT)
		rc = not_yet(m->root, err);
	else if (is_still(m))
		mode = DB_STILL;
	if (rc == 0)
		rc = db_open(&m->db, path, mode, err);
	free(path);
	return rc;
}

static int
open_database(struct meta *m, struct err *err)
{
	bool write = m->mode == META_WRITE;
	int version;

	if (open_file(m, err) != 0 ||
	    migrate_version(&m->db, store_nmigrations, &version, err) != 0)
		return -1;
	if (version == store_nmigrations)
		return remember(m, err);
	if (!write && version == 0)
		return not_yet(m->root, err);
	if (!write)
		return 1; /* to be opened for writing once */
	return upgrade(m, err) == 0 ? remember(m, err) : -1;
}

/* The making of the database was interrupted, by a kill or a power loss, before it had its
 * write-ahead log: the journal of that time must be rolled back, which a reader may not. */
static bool
is_half_made(const struct meta *m)
{
	return m->mode == META_READ &&
	       faccessat(m->state_fd, DB_NAME "-journal", F_OK, 0) == 0;
}

static struct meta *
meta_new(const struct project *p, enum meta_mode mode, struct err *err)
{
	struct meta *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	m->mode = mode;
	m->state_fd = fcntl(p->state_fd, F_DUPFD_CLOEXEC, 0);
	m->root = strdup(p->root);
	m->state = strdup(p->state);
	if (m->state_fd >= 0 && m->root != NULL && m->state != NULL)
		return m;
	(void)err_sys(err, m->state_fd < 0 ? errno : ENOMEM, "cannot open '%s'",
		      p->state);
	meta_close(m);
	return NULL;
}

/* A reader met an older schema: bring it up as a writer would. */
static int
upgrade_for_reader(const struct project *p, struct err *err)
{
	struct meta *m;

	if (meta_open(p, META_WRITE, &m, err) != 0)
		return -1;
	meta_close(m);
	return 0;
}

int
meta_open(const struct project *p, enum meta_mode mode, struct meta **out,
	  struct err *err)
{
	struct meta *m;
	int rc, tries;

	*out = NULL;
	if (p->state_fd < 0)
		return not_yet(p->root, err);
	for (tries = 0; tries < 2; tries++) {
		m = meta_new(p, mode, err);
		if (m == NULL)
			return -1;
		rc = mode == META_WRITE ? gate_open(&m->gate, m->state_fd, m->state, err)
					: 0;
		if (rc == 0)
			rc = open_database(m, err);
		if (rc == 0) {
			*out = m;
			return 0;
		}
		if (rc < 0 && tries == 0 && is_half_made(m))
			rc = 1;
		meta_close(m);
		if (rc < 0 || upgrade_for_reader(p, err) != 0)
			return -1;
	}
	return err_set(err, ERR_SYS, "the schema of '%s/" DB_NAME "' keeps changing",
		       p->state);
}

void
meta_close(struct meta *m)
{
	if (m == NULL)
		return;
	if (m->db.h != NULL) {
		/* If others have it open, closing does not empty the WAL. */
		if (m->mode == META_WRITE && m->db.wal_frames > 0 && !m->db.dead)
			(void)db_checkpoint(&m->db, NULL);
		db_close(&m->db);
	}
	gate_close(&m->gate);
	if (m->state_fd >= 0)
		close(m->state_fd);
	free(m->root);
	free(m->state);
	free(m);
}

void
meta_gate_notice(struct meta *m, void (*fn)(void *, pid_t, char), void *ctx)
{
	if (m->mode == META_WRITE)
		gate_notice(&m->gate, fn, ctx);
}

void
meta_patience(struct meta *m, int64_t us)
{
	gate_patience(&m->gate, us);
}

int64_t
meta_data_version(struct meta *m)
{
	int64_t version = -1;
	struct query q;

	if (query_start(&q, &m->db, "PRAGMA data_version", NULL) != 0)
		return -1;
	if (query_step(&q, NULL) > 0)
		version = query_get_int(&q);
	query_end(&q);
	return version;
}

/* ---- writing ---- */

/* Our file may have been unlinked under us; then a commit would be durable for nobody. */
static int
check_place(const struct meta *m, struct err *err)
{
	struct stat dir, file;

	if (stat(m->state, &dir) == 0 && same(&m->dir, &dir) &&
	    stat(m->db.path, &file) == 0 && same(&m->file, &file))
		return 0;
	return err_set(
	    err, ERR_STALE,
	    "the state directory '%s' was deleted or replaced while it was in use",
	    m->state);
}

int
meta_begin(struct meta *m, struct err *err)
{
	assert(m->mode == META_WRITE);
	if (gate_lock(&m->gate, err) != 0)
		return -1;
	if (check_place(m, err) == 0 && db_begin(&m->db, err) == 0) {
		fault_point(BEGIN);
		return 0;
	}
	gate_unlock(&m->gate);
	return -1;
}

int
meta_end(struct meta *m, struct err *err)
{
	fault_point(COMMIT_BEFORE);
	/* Looked at again: what is committed now is acknowledged. */
	if (check_place(m, err) == 0 && db_commit(&m->db, err) == 0) {
		fault_point(COMMIT_AFTER);
		gate_unlock(&m->gate);
		return 0;
	}
	meta_abort(m);
	return -1;
}

void
meta_abort(struct meta *m)
{
	db_rollback(&m->db);
	gate_unlock(&m->gate);
}

/* ---- checking ---- */

/* A page that could not be read is told in a row too, with SQLite's code: SQLITE_OK, if the
 * row tells of no such thing. */
static int
code_in(const char *text)
{
	static const char mark[] = "error code=";
	const char *at = strstr(text, mark);
	int rc = 0;

	for (at = at != NULL ? at + sizeof(mark) - 1 : ""; *at >= '0' && *at <= '9'; at++)
		rc = rc < 100000 ? rc * 10 + (*at - '0') : rc;
	return (rc & 0xff) == SQLITE_CORRUPT ? SQLITE_OK : rc;
}

/* Run a check that gives rows for what is wrong; ${fine} is the row of a sound database. */
static int
check_rows(struct meta *m, const char *sql, const char *fine, struct err *err)
{
	const char *text;
	struct query q;
	int rc;

	if (query_start(&q, &m->db, sql, err) != 0)
		return -1;
	rc = query_step(&q, err);
	if (rc > 0) {
		text = query_get_text(&q, NULL);
		if (code_in(text) != SQLITE_OK)
			rc = db_fail(&m->db, code_in(text), err);
		else if (fine == NULL || strcmp(text, fine) != 0)
			rc = err_set(
			    err, ERR_CORRUPT,
			    "the database '%s' is damaged (%s): restore it from a "
			    "backup, or move it away to start with an empty history",
			    m->db.path, text);
	}
	query_end(&q);
	return rc < 0 ? -1 : 0;
}

int
meta_check(struct meta *m, bool full, struct err *err)
{
	if (!full)
		return check_rows(m, "PRAGMA quick_check(1)", "ok", err);
	if (check_rows(m, "PRAGMA integrity_check(1)", "ok", err) != 0)
		return -1;
	return check_rows(m, "PRAGMA foreign_key_check", NULL, err);
}
