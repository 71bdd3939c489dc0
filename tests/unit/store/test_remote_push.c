/* What gets onto a remote, and what does not. */
#include <time.h>

#include "unit/store/transfer_test.h"

static void
sends_files_and_lists(void **state)
{
	struct transfer_want v[3];
	struct err err = {0};
	struct stat st;
	struct yard y;

	(void)state;
	yard_make(&y);
	v[0] = want(yard_list(&y, "a", 0, 20), "a");
	v[1] = want(yard_list(&y, "a", 10, 20), "b"); /* 10 of its files are a's too */
	v[2] = want(yard_file(&y, "single"), "c");
	ok(push(&y, v, 3, &err));
	assert_int_equal(y.rep.objects, 30 + 2 + 1);
	assert_int_equal(y.rep.there, 0);
	assert_int_equal(transfer_failures(&y.rep), 0);
	assert_true(y.rep.made);
	assert_int_equal(objects_in(y.remote_dir), 33);
	for (int i = 0; i < 3; i++)
		assert_true(whole(y.remote_dir, &v[i].id));
	assert_int_equal(stat(at(y.remote_dir, &v[2].id), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);

	yard_open(&y);
	ok(push(&y, v, 3, &err));
	assert_int_equal(y.rep.objects, 0);
	assert_int_equal(y.rep.there, 33);
	assert_false(y.rep.made);
	ok(push(&y, v, 0, &err));
	yard_remove(&y);
}

/* Make a file that looks as what a killed push leaves, and was last changed so long ago. */
static void
leave(const char *dir, const char *name, time_t ago)
{
	struct timespec t[2] = {{.tv_sec = time(NULL) - ago},
				{.tv_sec = time(NULL) - ago}};
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)mkdir(dir, 0755);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

static bool
is_there(const char *dir, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* What a killed push left goes with one that sends something beside it, if it is old. */
static void
leftovers_go(void **state)
{
	static const char *const all[] = {".abcdefghijklmnopqrstuv.tmp",
					  ".abcdefghijklmnopqrstuw.tmp",
					  ".abcdefghijklmnopqrstu.tmp", "notes.tmp"};
	char beside[256], apart[256], base[128];
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_file(&y, "single"), "c");
	(void)snprintf(beside, sizeof(beside), "%s", at(y.remote_dir, &v.id));
	*strrchr(beside, '/') = '\0';
	(void)snprintf(base, sizeof(base), "%s/files/md5", y.remote_dir);
	(void)snprintf(apart, sizeof(apart), "%s/%02x", base, v.id.md5[0] ^ 1);
	ok(push(&y, &v, 1, &err));
	lose(y.remote_dir, &v.id);
	for (int i = 0; i < 4; i++) {
		time_t ago = REMOTE_LEFTOVER_S + (i == 1 ? -60 : 60);

		leave(beside, all[i], ago);
		leave(apart, all[i], ago);
		leave(base, all[i], ago);
	}
	yard_open(&y);
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(is_there(beside, all[i]), i != 0);
		assert_int_equal(is_there(base, all[i]), i != 0);
		assert_true(is_there(apart, all[i]));
	}
	leave(beside, all[0], 2 * REMOTE_LEFTOVER_S);
	ok(push(&y, &v, 1, &err));
	assert_true(is_there(beside, all[0])); /* nothing was sent */
	ok(y.r->ops->sweep(y.r, true, time(NULL) - REMOTE_LEFTOVER_S, &err));
	assert_false(is_there(beside, all[0]) || is_there(apart, all[0]));
	for (int i = 1; i < 4; i++)
		assert_true(is_there(apart, all[i]));
	yard_remove(&y);
}

/* A list on the remote says nothing about its files. */
static void
a_remote_whose_list_lies_is_repaired(void **state)
{
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_list(&y, "a", 0, 50), "a");
	ok(push(&y, &v, 1, &err));
	for (size_t i = 0; i < 50; i += 3) {
		struct object_id id = entry(&y, &v.id, i);

		lose(y.remote_dir, &id);
	}
	assert_false(whole(y.remote_dir, &v.id));
	yard_open(&y);
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 17);
	assert_true(whole(y.remote_dir, &v.id));
	yard_remove(&y);
}

static void
a_file_that_is_nowhere_holds_its_list_back(void **state)
{
	struct transfer_want v[2];
	struct object_id gone;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v[0] = want(yard_list(&y, "a", 0, 20), "a");
	v[1] = want(yard_list(&y, "b", 0, 20), "b");
	gone = entry(&y, &v[0].id, 3);
	lose(y.cache_dir, &gone);
	ok(push(&y, v, 2, &err));
	assert_int_equal(transfer_failures(&y.rep), 2);
	note_says(TRANSFER_MISSING, "neither in the cache nor on the remote 'r'");
	assert_non_null(note_of(&y, TRANSFER_MISSING)->path);
	assert_memory_equal(note_of(&y, TRANSFER_MISSING)->path, "a/sub", 5);
	note_says(TRANSFER_HELD, "1 of its files");
	assert_string_equal(note_of(&y, TRANSFER_HELD)->path, "a");
	assert_false(has(y.remote_dir, &v[0].id));
	assert_int_equal(objects_in(y.remote_dir), 19 + 21);
	assert_true(whole(y.remote_dir, &v[1].id));

	/* It is enough that the remote has it. */
	(void)yard_list(&y, "a", 0, 20);
	ok(push(&y, v, 2, &err));
	assert_int_equal(y.rep.objects, 2);
	lose(y.cache_dir, &gone);
	lose(y.remote_dir, &v[0].id);
	ok(push(&y, v, 2, &err));
	assert_int_equal(y.rep.objects, 1);
	assert_int_equal(transfer_failures(&y.rep), 0);
	assert_true(whole(y.remote_dir, &v[0].id));
	yard_remove(&y);
}

static void
a_damaged_object_of_the_cache_is_not_sent(void **state)
{
	struct transfer_want v[2];
	struct object_id bad;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v[0] = want(yard_list(&y, "a", 0, 20), "data");
	v[1] = want(yard_file(&y, "single"), "c");
	bad = entry(&y, &v[0].id, 0);
	damage(y.cache_dir, &bad);
	damage(y.cache_dir, &v[1].id);
	ok(push(&y, v, 2, &err));
	assert_int_equal(y.rep.fates[TRANSFER_WRONG_CACHE], 2);
	assert_int_equal(y.rep.fates[TRANSFER_HELD], 1);
	assert_int_equal(y.rep.objects, 19);
	assert_false(has(y.remote_dir, &bad));
	assert_false(has(y.remote_dir, &v[1].id));
	assert_int_equal(temporaries(y.remote_dir), 0);
	sound(y.remote_dir, true);
	vec_foreach (&y.rep.notes, const struct transfer_note, n) {
		if (n->fate != TRANSFER_WRONG_CACHE)
			continue;
		assert_non_null(strstr(n->err.msg, at(y.cache_dir, &n->id)));
		assert_non_null(strstr(n->err.msg, "dag fetch --verify"));
		assert_non_null(n->path);
	}
	yard_remove(&y);
}

static void
lists_that_cannot_be_read(void **state)
{
	struct transfer_want v[2];
	struct object_id file;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v[0] = want(yard_list(&y, "a", 0, 5), "a");
	v[1] = want(yard_list(&y, "b", 0, 5), "b");
	damage(y.cache_dir, &v[0].id);
	ok(push(&y, v, 2, &err));
	note_says(TRANSFER_WRONG_CACHE, at(y.cache_dir, &v[0].id));
	assert_int_equal(transfer_failures(&y.rep), 1);
	assert_int_equal(objects_in(y.remote_dir), 6);

	lose(y.cache_dir, &v[0].id);
	ok(push(&y, v, 2, &err));
	note_says(TRANSFER_MISSING, "the list of the directory");
	assert_string_equal(note_of(&y, TRANSFER_MISSING)->path, "a");

	/* The remote's own list is as good, and what it lacks is sent. */
	(void)yard_list(&y, "a", 0, 5);
	file = entry(&y, &v[0].id, 2);
	ok(push(&y, v, 2, &err));
	lose(y.cache_dir, &v[0].id);
	lose(y.remote_dir, &file);
	ok(push(&y, v, 2, &err));
	assert_int_equal(transfer_failures(&y.rep), 0);
	assert_int_equal(y.rep.objects, 1);
	assert_true(whole(y.remote_dir, &v[0].id));

	/* So it is where a file of it is nowhere: that is what is said. */
	lose(y.cache_dir, &file);
	lose(y.remote_dir, &file);
	y.opt.verify = true;
	ok(push(&y, v, 2, &err));
	y.opt.verify = false;
	assert_int_equal(transfer_failures(&y.rep), 1);
	assert_true(object_id_equal(&note_of(&y, TRANSFER_MISSING)->id, &file));

	/* Damaged on both sides, or on the remote and nowhere else. */
	damage(y.remote_dir, &v[0].id);
	ok(push(&y, v, 2, &err));
	note_says(TRANSFER_WRONG_REMOTE, at(y.remote_dir, &v[0].id));
	assert_int_equal(transfer_failures(&y.rep), 1);
	yard_remove(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sends_files_and_lists),
	    cmocka_unit_test(leftovers_go),
	    cmocka_unit_test(a_remote_whose_list_lies_is_repaired),
	    cmocka_unit_test(a_file_that_is_nowhere_holds_its_list_back),
	    cmocka_unit_test(a_damaged_object_of_the_cache_is_not_sent),
	    cmocka_unit_test(lists_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
