/* What a killed checkout leaves: it is told apart, left alone while somebody may be at work, and
 * goes with the next who has the lock. */
#include "store/track/intent.h"

#include <time.h>

#include "store/objects/scan.h"
#include "store/track/collect.h"
#include "store/track/move_note.h"
#include "store/track/track.h"
#include "unit/base/fault.h"
#include "unit/store/store_test.h"

static struct err err;
static struct place pl;
static struct track t;

#define OTHERS ".AAAAAAAAAAAAAAAAAAAAAA.tmp" /* of no writer that we know */

static int
setup(void **state)
{
	struct track_options o = {.project = &pl.p};

	(void)state;
	(void)setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	place_make(&pl);
	ok(track_open(&o, &t, &err));
	make_dir(pl.dir, "d");
	make_dir(pl.dir, "d/s");
	make_dir(pl.dir, "e");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fsio_set_fault(NULL, NULL);
	track_close(&t);
	place_remove(&pl);
	return 0;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return fstatat(pl.p.root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A temporary of ours in the directory ("" or "d/"); its path. */
static const char *
leave(const char *dir)
{
	static char path[8][200];
	static unsigned turn;
	char *p = path[turn++ % 8], name[LINK_NAME + 1];

	link_temporary(t.cache, name);
	(void)snprintf(p, sizeof(path[0]), "%s%s", dir, name);
	spill(pl.dir, p, "half");
	return p;
}

static void
tell(const char *const *v)
{
	for (; *v != NULL; v++)
		ok(intent_add(&t.intent, *v, &err));
	ok(intent_tell(&t.intent, &err));
}

/* The writer is dead: his file stays. */
static void
die(void)
{
	atomic_store(&t.intent.told, false);
	intent_done(&t.intent);
}

static void
lock_once(void)
{
	ok(track_lock(&t, 0, NULL, NULL, NULL, &err));
	track_unlock(&t);
}

static void
test_goes(void **state)
{
	static const char *const told[] = {"d", "e/f", "new\nline\\n/g", "gone", NULL};
	const char *in[5], *not [4];
	size_t i;

	(void)state;
	make_dir(pl.dir, "new\nline\\n");
	make_dir(pl.dir, "other");
	make_dir(pl.dir, "e/sub");
	tell(told);
	assert_true(is_there(".dag/" INTENT_FILE));
	in[0] = leave("");
	in[1] = leave("d/");
	in[2] = leave("d/s/");
	in[3] = leave("e/");
	in[4] = leave("new\nline\\n/");
	not [0] = leave("other/"); /* not told */
	not [1] = leave("e/sub/"); /* below a directory in which a file was told */
	not [2] = "d/" OTHERS;
	not [3] = "d/s/data";
	spill(pl.dir, not [2], "somebody's");
	spill(pl.dir, not [3], "data");
	die();
	lock_once();
	for (i = 0; i < 5; i++)
		if (is_there(in[i]))
			fail_msg("%s is left", in[i]);
	for (i = 0; i < 4; i++)
		if (!is_there(not [i]))
			fail_msg("%s is gone", not [i]);
	assert_false(is_there(".dag/" INTENT_FILE));
	assert_string_equal(t.others, "");
}

/* A link that somebody has put there since leads out, and nothing there is ours. */
static void
test_leads_out(void **state)
{
	static const char *const told[] = {"d", "e/f", NULL};
	struct place far;
	char name[LINK_NAME + 1], path[200];

	(void)state;
	place_dir(&far, NULL);
	tell(told);
	link_temporary(t.cache, name);
	spill(far.dir, name, "half");
	assert_int_equal(unlinkat(pl.p.root_fd, "d/s", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(pl.p.root_fd, "d", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat(far.dir, pl.p.root_fd, "d"), 0);
	assert_int_equal(symlinkat(far.dir, pl.p.root_fd, "e/link"), 0);
	die();
	lock_once();
	(void)snprintf(path, sizeof(path), "%s/%s", far.dir, name);
	assert_int_equal(access(path, F_OK), 0);
	assert_false(is_there(".dag/" INTENT_FILE));
	place_remove(&far);
}

/* Cut anywhere, nothing had been made yet, and nothing is removed. */
static void
test_torn(void **state)
{
	static const char *const told[] = {"d", "e/f", NULL};
	const char *mine;
	char text[200], owner[LINK_OWNER + 1];
	size_t n;

	(void)state;
	tell(told);
	(void)snprintf(text, sizeof(text), "%s", slurp(pl.dir, ".dag/" INTENT_FILE));
	n = strlen(text);
	assert_int_equal(n, LINK_OWNER + strlen("\nd\ne/f\n.\n"));
	mine = leave("d/");
	die();
	while (n-- > 0) {
		text[n] = '\0';
		spill(pl.dir, ".dag/" INTENT_FILE, text);
		assert_true(intent_read(pl.p.state_fd, INTENT_FILE, owner));
		assert_string_equal(owner, "");
		lock_once();
		assert_true(is_there(mine));
		assert_false(is_there(".dag/" INTENT_FILE));
	}
	/* Neither for letters that are none, which would stand for any name. */
	spill(pl.dir, ".dag/" INTENT_FILE, "\nd\n.\n");
	lock_once();
	spill(pl.dir, ".dag/" INTENT_FILE, "AAAAAAAAAAA/\nd\n.\n");
	lock_once();
	assert_true(is_there(mine));
}

/* Who cannot be cleared up after stays known. */
static void
test_stays(void **state)
{
	static const char *const told[] = {"d", NULL};
	struct fault f = {.op = FSIO_UNLINK, .from = 1, .times = 1, .answer = EACCES};
	const char *mine;

	(void)state;
	tell(told);
	mine = leave("d/");
	die();
	fault_start(&f);
	lock_once();
	fsio_set_fault(NULL, NULL);
	assert_true(is_there(mine));
	assert_true(is_there(".dag/" INTENT_FILE));
	assert_int_equal(strlen(t.others), LINK_OWNER);
	lock_once();
	assert_false(is_there(mine));
}

/* Until then it is no data. */
static void
test_scan(void **state)
{
	static const char *const told[] = {"d", NULL};
	struct scan_options o = {.root_fd = pl.p.root_fd, .path = "d"};
	struct scan s;

	(void)state;
	tell(told);
	(void)leave("d/");
	(void)leave("d/s/");
	spill(pl.dir, "d/" OTHERS, "somebody's");
	spill(pl.dir, "d/a", "a");
	(void)intent_read(pl.p.state_fd, INTENT_FILE, t.others);
	assert_int_equal(strlen(t.others), LINK_OWNER);
	ok(scan_path(&o, &s, &err));
	assert_int_equal(s.nfiles, 4);
	scan_release(&s);
	o.others = t.others;
	ok(scan_path(&o, &s, &err));
	assert_int_equal(s.nfiles, 2);
	scan_release(&s);
	o.others = "";
	ok(scan_path(&o, &s, &err));
	assert_int_equal(s.nfiles, 4);
	scan_release(&s);
	die();
}

static void
test_done(void **state)
{
	static const char *const told[] = {"d", NULL};

	(void)state;
	intent_done(&t.intent); /* never told */
	tell(told);
	ok(intent_tell(&t.intent, &err));
	intent_done(&t.intent);
	assert_false(is_there(".dag/" INTENT_FILE));
	assert_int_equal(t.intent.n, 0);
	/* It is durable before anything is made. */
	struct fault f = {.op = FSIO_SYNC, .from = 1, .times = 1, .answer = EIO};
	fault_start(&f);
	fails(intent_tell(&t.intent, &err), ERR_SYS);
	fsio_set_fault(NULL, NULL);
	assert_false(is_there(".dag/" INTENT_FILE));
}

/* Of files that are replaced whole, what is old goes, with the lock. */
static void
test_temps(void **state)
{
	static const char *const names[] = {".dag-0123456789abcdef.tmp",  /* old */
					    ".dag-0123456789abcdee.tmp",  /* young */
					    ".dag-0123456789abcdeg.tmp",  /* no digit */
					    ".dag-0123456789abcde.tmp",	  /* too short */
					    ".dag-0123456789abcdef0.tmp", /* too long */
					    ".dag-0123456789abcdef.tmq"};
	struct timespec old[2] = {{.tv_sec = time(NULL) - FSIO_TEMP_AGE_S - 5},
				  {.tv_sec = time(NULL) - FSIO_TEMP_AGE_S - 5}};
	struct track_list l;
	char path[100];

	(void)state;
	for (unsigned dir = 0; dir < 3; dir++)
		for (unsigned i = 0; i < 6; i++) {
			(void)snprintf(path, sizeof(path), "%s%s",
				       (const char *[]){"", "d/", ".dag/"}[dir],
				       names[i]);
			spill(pl.dir, path, "x");
			if (i != 1)
				assert_int_equal(utimensat(pl.p.root_fd, path, old, 0),
						 0);
		}
	ok(track_collect(&t, NULL, NULL, &l, &err));
	track_list_free(&l);
	assert_true(is_there(".dag-0123456789abcdef.tmp"));
	ok(track_lock(&t, 0, NULL, NULL, NULL, &err));
	ok(track_collect(&t, NULL, NULL, &l, &err));
	track_list_free(&l);
	track_unlock(&t);
	for (unsigned dir = 0; dir < 3; dir++)
		for (unsigned i = 0; i < 6; i++) {
			(void)snprintf(path, sizeof(path), "%s%s",
				       (const char *[]){"", "d/", ".dag/"}[dir],
				       names[i]);
			if (is_there(path) != (i != 0))
				fail_msg("%s", path);
		}
}

static void
test_note(void **state)
{
	(void)state;
	assert_false(move_note_is(pl.p.state_fd, "moving", "a", "b"));
	ok(move_note_write(pl.p.state_fd, "moving", "a", "b/c", &err));
	assert_true(move_note_is(pl.p.state_fd, "moving", "a", "b/c"));
	assert_false(move_note_is(pl.p.state_fd, "moving", "a", "b"));
	assert_false(move_note_is(pl.p.state_fd, "moving", "b/c", "a"));
	assert_false(move_note_is(pl.p.state_fd, "moving", "a", "b/c/d"));
	move_note_drop(pl.p.state_fd, "moving");
	assert_false(move_note_is(pl.p.state_fd, "moving", "a", "b/c"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_goes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_leads_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_scan, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_done, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_temps, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_note, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
