#include "unit/store/meta_test.h"

#include <grp.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "store/meta_internal.h"
#include "store/migrate.h"

/* Run SQL on the project's database as another program would. */
static sqlite3 *
foreign(struct place *pl, const char *sql)
{
	char path[256];
	sqlite3 *h;

	(void)snprintf(path, sizeof(path), "%s/dag.db", pl->p.state);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	if (sqlite3_exec(h, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(h));
	return h;
}

static void
test_open(void **state)
{
	struct place pl;
	struct stat st;
	struct meta *m, *r;
	char run[META_RUN_ID];
	struct meta_run row;
	struct arena *a = arena_new(0);
	int64_t version;

	(void)state;
	place_dir(&pl, NULL);
	ok(project_find(NULL, pl.dir, false, &pl.p, &err));
	fails(meta_open(&pl.p, META_READ, &m, &err), ERR_NOTFOUND);
	says("no runs yet");
	project_release(&pl.p);
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	fails(meta_open(&pl.p, META_READ, &m, &err), ERR_NOTFOUND);
	assert_null(slurp(pl.p.state, "dag.db")); /* a reader makes nothing */
	spill(pl.p.state, "dag.db", ""); /* made by a writer that did no more yet */
	fails(meta_open(&pl.p, META_READ, &m, &err), ERR_NOTFOUND);
	ok(unlinkat(pl.p.state_fd, "dag.db", 0));

	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	assert_int_equal(fstatat(pl.p.state_fd, "dag.db", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	ok(meta_open(&pl.p, META_READ, &r, &err));
	version = meta_data_version(r);
	assert_true(version >= 0);
	assert_int_equal(meta_data_version(r), version);
	make_run(m, "demo", run, 2);
	assert_true(meta_data_version(r) != version);
	ok(meta_run_get(r, run, a, &row, &err));
	ok(meta_check(r, false, &err));
	ok(meta_check(m, true, &err));
	meta_close(r);
	meta_close(m);
	meta_close(NULL);
	/* The last one leaves one file. */
	assert_int_not_equal(fstatat(pl.p.state_fd, "dag.db-wal", &st, 0), 0);
	ok(meta_open(&pl.p, META_READ, &r, &err));
	ok(meta_run_get(r, run, a, &row, &err));
	meta_close(r);
	arena_free(a);
	place_remove(&pl);
}

static void
test_newer_and_foreign(void **state)
{
	struct place pl;
	struct meta *m;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	meta_close(m);
	sqlite3_close(foreign(&pl, "PRAGMA user_version = 999"));
	fails(meta_open(&pl.p, META_WRITE, &m, &err), ERR_NEWER);
	says("newer dag");
	fails(meta_open(&pl.p, META_READ, &m, &err), ERR_NEWER);
	ok(unlinkat(pl.p.state_fd, "dag.db", 0));
	sqlite3_close(foreign(&pl, "CREATE TABLE somebodys (x)"));
	fails(meta_open(&pl.p, META_WRITE, &m, &err), ERR_CORRUPT);
	says("not one of dag");
	place_remove(&pl);
}

/* Overwrite ${n} bytes of the database at ${at}. */
static void
damage(struct place *pl, off_t at, size_t n)
{
	char rubbish[8192];
	int fd = openat(pl->p.state_fd, "dag.db", O_RDWR | O_CLOEXEC);

	memset(rubbish, 0xa5, sizeof(rubbish));
	assert_true(fd >= 0);
	assert_true(pwrite(fd, rubbish, n, at) == (ssize_t)n);
	close(fd);
}

static void
test_damaged(void **state)
{
	struct arena *a = arena_new(0);
	struct meta_run *runs;
	struct place pl;
	struct meta *m;
	char run[META_RUN_ID];
	size_t n;
	int i;

	(void)state;
	place_make(&pl);
	spill(pl.p.state, "dag.db",
	      "this is no database, but long enough to be looked at: "
	      "0123456789012345678901234567890123456789012345");
	fails(meta_open(&pl.p, META_WRITE, &m, &err), ERR_CORRUPT);
	says("move it away");
	fails(meta_open(&pl.p, META_READ, &m, &err), ERR_CORRUPT);
	ok(unlinkat(pl.p.state_fd, "dag.db", 0));

	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	for (i = 0; i < 200; i++)
		make_run(m, "demo", run, 5);
	meta_close(m);
	damage(&pl, 4096 * 6 + 100, 4096 * 2);
	if (meta_open(&pl.p, META_READ, &m, &err) == 0) {
		struct meta_run_filter all = {.state = -1, .result = -1, .limit = 1000};

		fails(meta_check(m, false, &err), ERR_CORRUPT);
		fails(meta_check(m, true, &err), ERR_CORRUPT);
		/* Whatever else: no crash. */
		(void)meta_runs(m, &all, a, &runs, &n, &err);
		meta_close(m);
	}
	damage(&pl, 0, 16);
	fails(meta_open(&pl.p, META_WRITE, &m, &err), ERR_CORRUPT);
	arena_free(a);
	place_remove(&pl);
}

/* A name of a state that this program does not know is told, not guessed. */
static void
test_unknown_names(void **state)
{
	struct arena *a = arena_new(0);
	struct meta_task *tasks;
	struct meta_run r;
	struct place pl;
	struct meta *m;
	char run[META_RUN_ID];
	size_t n;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_run(m, "demo", run, 2);
	ok(db_script(&m->db, "UPDATE task SET state = 'dreaming'", &err));
	fails(meta_tasks(m, run, a, &tasks, &n, &err), ERR_CORRUPT);
	says("dreaming");
	ok(db_script(&m->db, "UPDATE run SET state = 'done', result = 'odd'", &err));
	fails(meta_run_get(m, run, a, &r, &err), ERR_CORRUPT);
	meta_close(m);
	arena_free(a);
	place_remove(&pl);
}

/* Another program in a transaction: it is told after a while, and afterwards all is well. */
static void
test_foreign_lock(void **state)
{
	struct place pl;
	struct meta_op op;
	struct meta *m;
	sqlite3 *h;
	char run[META_RUN_ID];

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	(void)sqlite3_busy_timeout(m->db.h, 50);
	make_run(m, "demo", run, 2);
	h = foreign(&pl, "BEGIN IMMEDIATE");
	op = op_insert(run, "a", 1);
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_BUSY);
	says("another program");
	assert_int_equal(sqlite3_exec(h, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	commit(m, &op, 1);
	sqlite3_close(h);
	meta_close(m);
	place_remove(&pl);
}

/* ---- the state directory goes away ---- */

static void
test_replaced(void **state)
{
	char old[160], run[META_RUN_ID];
	struct place pl;
	struct meta_op op;
	struct meta *m, *other;
	int64_t id;

	(void)state;
	place_make(&pl);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_run(m, "demo", run, 3);
	op = op_insert(run, "a", 1);
	(void)snprintf(old, sizeof(old), "%s/old", pl.dir);
	assert_int_equal(rename(pl.p.state, old), 0); /* gone */
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_STALE);
	says("deleted or replaced");
	fails(meta_command_add(m, run, "cancel", "{}", &id, &err), ERR_STALE);
	assert_int_equal(mkdir(pl.p.state, 0700), 0); /* replaced */
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_STALE);
	project_release(&pl.p);
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	ok(meta_open(&pl.p, META_WRITE, &other, &err));
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_STALE);
	meta_close(other);
	(void)fsio_remove_tree(AT_FDCWD, pl.p.state, NULL);
	assert_int_equal(rename(old, pl.p.state), 0); /* back again */
	commit(m, &op, 1);
	(void)snprintf(old, sizeof(old), "%s/dag.db", pl.p.state);
	assert_int_equal(unlink(old), 0); /* only the file */
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_STALE);
	spill(pl.p.state, "dag.db", "");
	fails(meta_commit(m, &op, 1, NULL, &err), ERR_STALE);
	meta_close(m);
	place_remove(&pl);
}

/* ---- nothing may be written ---- */

/* As nobody, in a state directory of ours that cannot be written. */
static void
read_as_nobody(struct place *pl, const char *run, bool crashed)
{
	struct arena *a = arena_new(0);
	struct meta_run r;
	struct meta *m;
	int rc;

	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		_exit(77);
	ok(project_find(NULL, pl->dir, false, &pl->p, &err));
	rc = meta_open(&pl->p, META_WRITE, &m, &err);
	if (rc == 0 || err.code != ERR_SYS)
		_exit(1);
	rc = meta_open(&pl->p, META_READ, &m, &err);
	if (crashed) /* a log that was left cannot be read without writing: said, not guessed */
		_exit(rc != 0 && err.code == ERR_SYS ? 10 : 2);
	if (rc != 0 || meta_run_get(m, run, a, &r, &err) != 0)
		_exit(3);
	_exit(strcmp(r.id, run) == 0 ? 10 : 4);
}

static void
own_by_nobody(struct place *pl)
{
	char path[256];

	assert_int_equal(fchmod(pl->p.state_fd, 0500), 0);
	assert_int_equal(fchown(pl->p.state_fd, 65534, 65534), 0);
	(void)snprintf(path, sizeof(path), "%s/dag.db", pl->p.state);
	assert_int_equal(chown(path, 65534, 65534), 0);
}

static void
test_unwritable(void **state)
{
	struct place pl;
	struct meta *m;
	char run[META_RUN_ID], odd[128];
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	place_dir(&pl, NULL);
	assert_int_equal(chmod(pl.dir, 0755), 0);
	(void)snprintf(odd, sizeof(odd), "%s/a?b#c%%41", pl.dir); /* as an URI, too */
	assert_int_equal(mkdir(odd, 0755), 0);
	(void)snprintf(pl.dir + strlen(pl.dir), 20, "/a?b#c%%41");
	ok(project_find(NULL, pl.dir, true, &pl.p, &err));
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_run(m, "demo", run, 2);
	meta_close(m);
	own_by_nobody(&pl);
	pid = fork();
	if (pid == 0)
		read_as_nobody(&pl, run, false);
	assert_int_equal(child_status(pid), 10);
	pid = fork();
	if (pid == 0) { /* leaves its log behind */
		ok(meta_open(&pl.p, META_WRITE, &m, &err));
		make_run(m, "demo", run, 2);
		_exit(0);
	}
	assert_int_equal(child_status(pid), 0);
	ok(unlinkat(pl.p.state_fd, "dag.db-shm", 0));
	pid = fork();
	if (pid == 0)
		read_as_nobody(&pl, run, true);
	assert_int_equal(child_status(pid), 10);
	*strrchr(pl.dir, '/') = '\0';
	place_remove(&pl);
}

/* ---- no space ---- */

/* Try to create runs until the disk is full; return how many there are. */
static int
fill(struct meta *m)
{
	struct meta_task_new tasks[200];
	char names[200][16], id[META_RUN_ID];
	struct meta_run_new r = {.id = id,
				 .dag = "fill",
				 .kind = "manual",
				 .partition = "",
				 .file = "x",
				 .def_hash = "h",
				 .def_source = "",
				 .params = "{}",
				 .options = "{}",
				 .tasks = tasks,
				 .ntasks = 200};
	int i, n;

	for (i = 0; i < 200; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "task%d", i);
		tasks[i] = (struct meta_task_new){names[i], -1, true};
	}
	for (n = 0; n < 1000; n++) {
		assert_int_equal(uuid7(id, tick()), 0);
		err_clear(&err);
		if (meta_run_create(m, &r, BOOT, &err) != 0)
			return n;
	}
	fail_msg("the disk never became full");
	return n;
}

static size_t
count_runs(struct meta *m)
{
	struct meta_run_filter all = {.state = -1, .result = -1, .limit = 10000};
	struct arena *a = arena_new(0);
	struct meta_run *v;
	size_t n;

	ok(meta_runs(m, &all, a, &v, &n, &err));
	arena_free(a);
	return n;
}

static void
test_disk_full(void **state)
{
	char dir[128], ballast[160];
	struct place pl;
	struct meta *m;
	char run[META_RUN_ID];
	int n;

	(void)state;
	place_dir(&pl, NULL);
	(void)snprintf(dir, sizeof(dir), "%s/small", pl.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	if (geteuid() != 0 || mount("none", dir, "tmpfs", 0, "size=3m") != 0) {
		place_remove(&pl);
		skip();
	}
	ok(project_find(NULL, dir, true, &pl.p, &err));
	(void)snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	make_run(m, "demo", run, 3);
	spill(dir, "ballast", "");
	assert_int_equal(truncate(ballast, 0), 0);
	n = fill(m);
	assert_int_equal(err.code, ERR_FULL);
	says("make room");
	assert_int_equal(count_runs(m), n + 1); /* the last one left nothing */
	fails(meta_run_take(m, "x", BOOT, &(int64_t){0}, &err), ERR_NOTFOUND);
	ok(meta_check(m, true, &err));
	/* Room again: the same connection goes on. */
	assert_int_equal(mount("none", dir, "tmpfs", MS_REMOUNT, "size=16m"), 0);
	make_run(m, "demo", run, 3);
	assert_int_equal(count_runs(m), n + 2);
	meta_close(m);
	ok(meta_open(&pl.p, META_READ, &m, &err));
	ok(meta_check(m, true, &err));
	assert_int_equal(count_runs(m), n + 2);
	meta_close(m);
	project_release(&pl.p);
	assert_int_equal(umount(dir), 0);
	place_remove(&pl);
}

/* The same by a limit on the size of files: EFBIG, as any user can have it. */
static void
test_file_size_limit(void **state)
{
	struct rlimit old, small;
	struct place pl;
	struct meta *m;
	char run[META_RUN_ID];
	int n;

	(void)state;
	place_make(&pl);
	(void)signal(SIGXFSZ, SIG_IGN);
	ok(meta_open(&pl.p, META_WRITE, &m, &err));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	n = fill(m);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	if (err.code != ERR_FULL)
		fail_msg("%s", err.msg);
	make_run(m, "demo", run, 3);
	assert_int_equal(count_runs(m), n + 1);
	ok(meta_check(m, true, &err));
	meta_close(m);
	place_remove(&pl);
}

/* ---- migrations ---- */

static const struct migration steps[] = {
    {"0001_a", "PRAGMA application_id = 0x64616764; CREATE TABLE a (x); "
	       "INSERT INTO a VALUES (1);"},
    {"0002_b", "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;"},
    {"0003_c", "CREATE TABLE c (x); INSERT INTO c SELECT y FROM a; SELECT wrong;"},
};

static void
test_migrations(void **state)
{
	struct place pl;
	char path[160];
	int version;
	struct db db;

	(void)state;
	place_make(&pl);
	(void)snprintf(path, sizeof(path), "%s/m.db", pl.dir);
	ok(db_open(&db, path, DB_WRITE, &err));
	ok(migrate_version(&db, 3, &version, &err));
	assert_int_equal(version, 0);
	ok(migrate_run(&db, steps, 1, &err));
	ok(migrate_version(&db, 3, &version, &err));
	assert_int_equal(version, 1);
	db_close(&db);
	ok(db_open(&db, path, DB_WRITE, &err));
	/* The third fails: the second stays, of the third there is nothing. */
	fails(migrate_run(&db, steps, 3, &err), ERR_SYS);
	says("0003_c");
	ok(migrate_version(&db, 3, &version, &err));
	assert_int_equal(version, 2);
	ok(db_script(&db, "SELECT y FROM a", &err));
	fails(db_script(&db, "SELECT x FROM c", &err), ERR_SYS);
	ok(migrate_run(&db, steps, 2, &err)); /* nothing to do */
	fails(migrate_run(&db, steps, 1, &err), ERR_NEWER);
	db_close(&db);
	place_remove(&pl);
}

/* The power went while the database was made: its first page is torn, and the journal says
 * that there was nothing before.  A reader may not roll that back, and must not stumble. */
static void
test_half_made(void **state)
{
	static const uint8_t journal[512] = {
	    0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, /* magic */
	    0,	  0,	0,    0,			    /* no page is in it */
	    1,	  2,	3,    4,			    /* nonce */
	    0,	  0,	0,    0, /* the database had no pages */
	    0,	  0,	2,    0, /* a sector of 512 */
	    0,	  0,	0x10, 0, /* a page of 4096 */
	};
	struct meta_run_filter all = {.state = -1, .result = -1, .limit = 10};
	struct arena *a = arena_new(0);
	struct meta_run *v;
	struct place pl;
	struct meta *r;
	char page[4096];
	size_t n = 7;

	(void)state;
	place_make(&pl);
	memset(page, 0x5a, sizeof(page));
	ok(fsio_replace(pl.p.state_fd, "dag.db", page, sizeof(page), 0600, &err));
	ok(fsio_replace(pl.p.state_fd, "dag.db-journal", journal, sizeof(journal), 0600,
			&err));
	ok(meta_open(&pl.p, META_READ, &r, &err));
	ok(meta_runs(r, &all, a, &v, &n, &err));
	assert_int_equal(n, 0);
	ok(meta_check(r, true, &err));
	meta_close(r);
	/* What no journal can mend is still told as what it is. */
	ok(fsio_replace(pl.p.state_fd, "dag.db", page, sizeof(page), 0600, &err));
	ok(fsio_replace(pl.p.state_fd, "dag.db-journal", "x", 1, 0600, &err));
	(void)unlinkat(pl.p.state_fd, "dag.db-wal", 0);
	fails(meta_open(&pl.p, META_READ, &r, &err), ERR_CORRUPT);
	arena_free(a);
	place_remove(&pl);
}

/* Many processes make the database at once; each finds it whole. */
static void
test_made_once(void **state)
{
	struct place pl;
	pid_t pids[8];
	struct meta *m;
	char run[META_RUN_ID];
	int i;

	(void)state;
	place_make(&pl);
	for (i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			if (meta_open(&pl.p, META_WRITE, &m, &err) != 0) {
				fprintf(stderr, "%s\n", err.msg);
				_exit(1);
			}
			make_run(m, "demo", run, 2);
			meta_close(m);
			_exit(0);
		}
	}
	for (i = 0; i < 8; i++)
		assert_int_equal(child_status(pids[i]), 0);
	ok(meta_open(&pl.p, META_READ, &m, &err));
	assert_int_equal(count_runs(m), 8);
	ok(meta_check(m, true, &err));
	meta_close(m);
	place_remove(&pl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_newer_and_foreign),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_unknown_names),
	    cmocka_unit_test(test_foreign_lock),
	    cmocka_unit_test(test_replaced),
	    cmocka_unit_test(test_unwritable),
	    cmocka_unit_test(test_disk_full),
	    cmocka_unit_test(test_file_size_limit),
	    cmocka_unit_test(test_migrations),
	    cmocka_unit_test(test_half_made),
	    cmocka_unit_test(test_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
