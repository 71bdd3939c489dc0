/*
 * The index: what is known is kept and what is gone is dropped, also where several processes
 * write it; with it a scan finds what it finds without.
 */
#include "unit/store/index_test.h"

#include <sys/wait.h>

#include "store/objects/batch.h"
#include "store/objects/link.h"

/* ---- several processes ---- */

static void
child(struct desk *d, const char *id, int n)
{
	char got[OBJECT_HEX_MAX], name[32];
	int i;

	/* What the parent has open is not ours. */
	d->ix = NULL;
	for (i = 0; i < 20; i++) {
		if (index_open(d->db, &d->ix, &d->err) != 0)
			_exit(1);
		d->o.index = d->ix;
		if (desk_try(d, "t") != 0 ||
		    strcmp(object_id_hex(&d->scan.id, got), id) != 0)
			_exit(2);
		/* Something of its own that makes it write. */
		(void)snprintf(name, sizeof(name), "own%d", n);
		desk_put(d, name, "hello\n");
		if (desk_try(d, name) != 0 ||
		    strcmp(object_id_hex(&d->scan.id, got), HELLO) != 0)
			_exit(3);
		index_close(d->ix);
	}
	_exit(0);
}

static void
test_several_processes(void **state)
{
	char id[OBJECT_HEX_MAX];
	pid_t pid[4];
	struct desk d;
	int i, status;

	(void)state;
	start(&d, id);
	index_close(d.ix);
	d.ix = NULL;
	(void)unlinkat(d.shop.fd, "index.db", 0);
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			child(&d, id, i);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	desk_reopen(&d);
	desk_counts(&d, "t", 3, 0);
	assert_int_equal(number(&d, "SELECT count(*) FROM dir WHERE path LIKE 'own%'"),
			 4);
	desk_remove(&d);
}

/* ---- what is kept ---- */

static void
test_rows_come_and_go(void **state)
{
	char id[OBJECT_HEX_MAX];
	struct desk d;

	(void)state;
	start(&d, id);
	assert_int_equal(number(&d, "SELECT count(*) FROM dir"), 3);
	desk_dir(&d, "t/s/deep");
	desk_put(&d, "t/s/deep/x", "x");
	desk_dir(&d, "t-not");
	desk_put(&d, "t-not/x", "x");
	desk_scan(&d, "t-not");
	desk_scan(&d, "t");
	index_flush(d.ix);
	assert_int_equal(number(&d, "SELECT count(*) FROM dir"), 6);
	assert_int_equal(fsio_remove_tree(d.shop.fd, "t/s", NULL), 0);
	desk_counts(&d, "t", 2, 0);
	index_flush(d.ix);
	assert_int_equal(number(&d, "SELECT count(*) FROM dir WHERE path LIKE 't/%'"), 0);
	assert_int_equal(fsio_remove_tree(d.shop.fd, "t", NULL), 0);
	desk_scan(&d, "t");
	assert_false(d.scan.exists);
	index_flush(d.ix);
	assert_int_equal(number(&d, "SELECT count(*) FROM dir"), 2);
	index_forget(d.ix, "t-not");
	assert_int_equal(number(&d, "SELECT count(*) FROM dir"), 0);
	desk_remove(&d);
}

/* What did not change is not written. */
static void
test_unchanged_writes_nothing(void **state)
{
	char id[OBJECT_HEX_MAX];
	struct stat before, after;
	struct buf row, again;
	struct desk d;

	(void)state;
	start(&d, id);
	script(&d, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(stat(d.db, &before), 0);
	desk_counts(&d, "t", 3, 0);
	desk_reopen(&d);
	desk_counts(&d, "t", 3, 0);
	index_flush(d.ix);
	assert_int_equal(fstatat(d.shop.fd, "index.db-wal", &after, 0), 0);
	assert_int_equal(after.st_size, 0);
	assert_int_equal(stat(d.db, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	/* Of several rows of a directory only that of the changed file. */
	get_row(&d, "t", 0, &row);
	desk_put(&d, "t/s/c", "C");
	desk_scan(&d, "t");
	index_flush(d.ix);
	get_row(&d, "t", 0, &again);
	assert_memory_equal(row.p, again.p, row.n);
	buf_release(&row);
	buf_release(&again);
	desk_remove(&d);
}

/* ---- single facts ---- */

static void
stat_of(struct desk *d, const char *path, struct stat *st, struct index_stat *state)
{
	assert_int_equal(fstatat(d->shop.fd, path, st, 0), 0);
	index_stat_of(st, NULL, state);
}

static void
test_notes(void **state)
{
	struct object_id hello = id_of(HELLO), got;
	struct index_fact fact = {.id = &hello, .tick_ns = INDEX_TICK_NS};
	char id[OBJECT_HEX_MAX];
	struct stat st;
	struct desk d;

	(void)state;
	start(&d, id);
	/* What was put into the tree is known by the next scan. */
	desk_put(&d, "t/new", "hello\n");
	stat_of(&d, "t/new", &st, &fact.st);
	fact.since_ns = clock_stamp_ns();
	index_note(d.ix, "t", "new", &fact);
	desk_counts(&d, "t", 4, 0);
	desk_reopen(&d);
	assert_true(index_known(d.ix, "t", "new", &fact.st, &got));
	assert_true(object_id_equal(&got, &hello));
	assert_false(index_known(d.ix, "t", "old", &fact.st, &got));
	assert_false(index_known(d.ix, "u", "new", &fact.st, &got));
	/* Another one instead; the others stay. */
	desk_put(&d, "t/new", "hallo, hallo\n");
	stat_of(&d, "t/new", &st, &fact.st);
	assert_false(index_known(d.ix, "t", "new", &fact.st, &got));
	index_note(d.ix, "t", "new", &fact);
	index_flush(d.ix);
	assert_true(index_known(d.ix, "t", "new", &fact.st, &got));
	stat_of(&d, "t/b", &st, &fact.st);
	assert_true(index_known(d.ix, "t", "b", &fact.st, &got));
	/* Within the tick nothing is believed. */
	stat_of(&d, "t/a", &st, &fact.st);
	fact.since_ns = fact.st.ctime_ns + 1;
	index_note(d.ix, "t", "a", &fact);
	index_flush(d.ix);
	assert_false(index_known(d.ix, "t", "a", &fact.st, &got));
	desk_counts(&d, "t", 3, 1);
	desk_remove(&d);
}

/* Put an object into the tree and tell the index. */
static void
place(struct desk *d, const char *name, const struct object_id *id)
{
	struct link_what what = {
	    .id = id, .type = LINK_COPY, .since_ns = clock_stamp_ns()};
	struct index_fact fact = {.id = id, .made = true, .since_ns = what.since_ns};
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "t/%s", name);
	assert_int_equal(link_checkout(d->shop.o, &what, d->shop.fd, path, &st, &d->err),
			 0);
	index_stat_of(&st, NULL, &fact.st);
	assert_int_equal(fact.st.mtime_ns, what.since_ns - 1);
	fact.tick_ns = index_tick(d->shop.fd);
	index_note(d->ix, "t", name, &fact);
}

/* What was just put there is known; what somebody writes right after is not taken for it, not
 * even where the clock of ctime has not ticked. */
static void
test_placed(void **state)
{
	struct object_id hello;
	struct batch *b;
	struct desk d;
	char name[8], path[16];
	int i, fd;

	(void)state;
	desk_make(&d);
	clock_set_fake_stamp(NULL, NULL);
	assert_int_equal(batch_begin(d.shop.o, NULL, &b, &d.err), 0);
	assert_int_equal(batch_bytes(b, "hello\n", 6, false, &hello, &d.err), 0);
	assert_int_equal(batch_end(b, true, &d.err), 0);
	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		place(&d, name, &hello);
	}
	desk_counts(&d, "t", 100, 0);
	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		(void)snprintf(path, sizeof(path), "t/%d", i);
		place(&d, name, &hello);
		fd = openat(d.shop.fd, path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, "hallo\n", 6, 0), 6);
		(void)close(fd);
	}
	desk_counts(&d, "t", 0, 100);
	desk_remove(&d);
}

/* What a made file's mtime must be for it to be known. */
static void
test_made_flags(void **state)
{
	int64_t s = 1000000000, at = 1700000000 * s + 5;
	struct index_stat st = {.ctime_ns = at, .mtime_ns = at - 1};

	(void)state;
	assert_false(index_flags_made(&st, at, INDEX_TICK_NS) & INDEX_RACY);
	st.mtime_ns = at;
	assert_true(index_flags_made(&st, at, INDEX_TICK_NS) & INDEX_RACY);
	/* Cut to seconds, or another machine's. */
	st.mtime_ns = at - 5;
	assert_true(index_flags_made(&st, at, INDEX_TICK_NS) & INDEX_RACY);
	st.mtime_ns = at - 1;
	assert_true(index_flags_made(&st, at, 60 * s) & INDEX_RACY);
	st.mtime_ns = at - 61 * s;
	assert_false(index_flags_made(&st, at, 60 * s) & INDEX_RACY);
}

/* A store is whole as long as no name in it comes or goes. */
static void
test_whole(void **state)
{
	struct object_id list = id_of("5ea40360f5b4ec688df672a4db9c17d1.dir"),
			 other = list;
	struct object_id hello, more;
	struct index_view view;
	struct batch *b;
	struct desk d;

	(void)state;
	desk_make(&d);
	other.md5[0] ^= 1;
	assert_false(index_whole(d.ix, d.shop.o, &list, &view));
	assert_int_equal(batch_begin(d.shop.o, NULL, &b, &d.err), 0);
	assert_int_equal(batch_bytes(b, "hello\n", 6, false, &hello, &d.err), 0);
	assert_int_equal(batch_end(b, true, &d.err), 0);
	assert_false(index_whole(d.ix, d.shop.o, &list, &view));
	index_note_whole(d.ix, d.shop.o, &list, &view);
	assert_true(index_whole(d.ix, d.shop.o, &list, &view));
	assert_false(index_whole(d.ix, d.shop.o, &other, &view));
	desk_reopen(&d);
	assert_true(index_whole(d.ix, d.shop.o, &list, &view));
	/* One more, in a directory of its own and in one that is there; one less. */
	assert_int_equal(batch_begin(d.shop.o, NULL, &b, &d.err), 0);
	assert_int_equal(batch_bytes(b, "more", 4, false, &more, &d.err), 0);
	assert_int_equal(batch_end(b, true, &d.err), 0);
	assert_false(index_whole(d.ix, d.shop.o, &list, &view));
	index_note_whole(d.ix, d.shop.o, &list, &view);
	assert_true(index_whole(d.ix, d.shop.o, &list, &view));
	assert_int_equal(objects_remove(d.shop.o, &hello, &d.err), 1);
	assert_false(index_whole(d.ix, d.shop.o, &list, &view));
	/* Within the tick of a change it is not remembered. */
	clock_set_fake_stamp(NULL, NULL);
	assert_int_equal(objects_remove(d.shop.o, &more, &d.err), 1);
	assert_false(index_whole(d.ix, d.shop.o, &list, &view));
	index_note_whole(d.ix, d.shop.o, &list, &view);
	assert_false(index_whole(d.ix, d.shop.o, &list, &view));
	desk_remove(&d);
}

/* ---- a random walk ---- */

static unsigned long seed;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void
some_path(char out[64])
{
	static const char *const dirs[] = {"t", "t/a", "t/a/b", "t/c", "t/c-"};

	(void)snprintf(out, 64, "%s/%c", dirs[pick(5)], "xyzab"[pick(5)]);
}

static void
one_change(struct desk *d)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1 + pick(3)}};
	char one[64], two[64], text[32];
	int fd;

	some_path(one);
	some_path(two);
	switch (pick(9)) {
	case 0:
	case 1:
	case 2:
		fd = openat(d->shop.fd, one, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			return;
		(void)snprintf(text, sizeof(text), "%u", pick(50));
		assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
		(void)close(fd);
		return;
	case 3:
		(void)unlinkat(d->shop.fd, one, 0);
		return;
	case 4:
		(void)fsio_remove_tree(d->shop.fd, one, NULL);
		return;
	case 5:
		(void)mkdirat(d->shop.fd, one, 0755);
		return;
	case 6:
		(void)renameat(d->shop.fd, one, d->shop.fd, two);
		return;
	case 7:
		(void)utimensat(d->shop.fd, one, times, 0);
		return;
	default:
		(void)linkat(d->shop.fd, one, d->shop.fd, two, 0);
		return;
	}
}

/* After each of many changes a scan with the index finds what one without it finds. */
static void
test_random_walk(void **state)
{
	char with[OBJECT_HEX_MAX];
	uint64_t files, known = 0;
	struct index *ix;
	struct desk d;
	int i;

	(void)state;
	desk_make(&d);
	desk_dir(&d, "t");
	clock_set_fake_stamp(NULL, NULL);
	seed = 20261123;
	for (i = 0; i < 600; i++) {
		one_change(&d);
		ahead_ns = HOUR_NS;
		clock_set_fake_stamp(i % 5 == 0 ? NULL : stamp_ahead, NULL);
		desk_scan(&d, "t");
		(void)object_id_hex(&d.scan.id, with);
		files = d.scan.nfiles;
		known += d.scan.stats.known;
		ix = d.o.index;
		d.o.index = NULL;
		desk_scan(&d, "t");
		desk_is(&d, with);
		assert_int_equal(d.scan.nfiles, files);
		d.o.index = ix;
		if (pick(20) == 0)
			desk_reopen(&d);
	}
	assert_true(known > 1000);
	desk_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_several_processes),
	    cmocka_unit_test(test_rows_come_and_go),
	    cmocka_unit_test(test_unchanged_writes_nothing),
	    cmocka_unit_test(test_notes),
	    cmocka_unit_test(test_placed),
	    cmocka_unit_test(test_made_flags),
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_random_walk),
	};

	return cmocka_run_group_tests_name("objects_index", tests, NULL, NULL);
}
