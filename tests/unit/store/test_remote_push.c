/* What gets onto a remote, and what does not. */
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
	    cmocka_unit_test(a_remote_whose_list_lies_is_repaired),
	    cmocka_unit_test(a_file_that_is_nowhere_holds_its_list_back),
	    cmocka_unit_test(a_damaged_object_of_the_cache_is_not_sent),
	    cmocka_unit_test(lists_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
