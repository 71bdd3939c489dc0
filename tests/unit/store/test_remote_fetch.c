/* What gets into the cache, and what does not. */
#include "unit/store/transfer_test.h"

/* A remote with two directories and a file; the cache is lost. */
static void
filled(struct yard *y, struct transfer_want v[3])
{
	struct err err = {0};

	yard_make(y);
	v[0] = want(yard_list(y, "a", 0, 20), "a");
	v[1] = want(yard_list(y, "a", 10, 20), "b");
	v[2] = want(yard_file(y, "single"), "c");
	ok(push(y, v, 3, &err));
	yard_lose(y, y->cache_dir);
}

static void
gets_files_and_lists(void **state)
{
	struct transfer_want v[3];
	struct err err = {0};
	struct stat st;
	struct yard y;

	(void)state;
	filled(&y, v);
	ok(fetch(&y, v, 3, &err));
	assert_int_equal(y.rep.objects, 33);
	assert_int_equal(y.rep.there, 0);
	for (int i = 0; i < 3; i++)
		assert_true(whole(y.cache_dir, &v[i].id));
	assert_int_equal(stat(at(y.cache_dir, &v[2].id), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(objects_in(y.cache_dir), 33);
	ok(fetch(&y, v, 3, &err));
	assert_int_equal(y.rep.objects, 0);
	assert_int_equal(y.rep.there, 33);

	/* What is all there needs no remote. */
	yard_lose(&y, y.remote_dir);
	ok(fetch(&y, v, 3, &err));
	yard_lose(&y, y.cache_dir);
	fails(fetch(&y, v, 3, &err), ERR_NOTFOUND);
	says(y.remote_dir);
	says("'r'");
	assert_int_equal(faccessat(AT_FDCWD, y.remote_dir, F_OK, 0), -1);
	yard_remove(&y);
}

static void
a_wrong_object_of_the_remote_is_not_taken(void **state)
{
	struct transfer_want v[3];
	struct object_id bad;
	struct err err = {0};
	struct yard y;

	(void)state;
	filled(&y, v);
	ok(fetch(&y, &v[0], 1, &err));
	bad = entry(&y, &v[0].id, 0);
	yard_lose(&y, y.cache_dir);
	damage(y.remote_dir, &bad);
	ok(fetch(&y, v, 3, &err));
	note_says(TRANSFER_WRONG_REMOTE, at(y.remote_dir, &bad));
	assert_memory_equal(note_of(&y, TRANSFER_WRONG_REMOTE)->path, "a/sub", 5);
	assert_int_equal(transfer_failures(&y.rep), 1);
	assert_int_equal(y.rep.objects, 32);
	assert_false(has(y.cache_dir, &bad));
	assert_true(has(y.remote_dir, &bad));
	assert_int_equal(temporaries(y.cache_dir), 0);
	sound(y.cache_dir, false);

	/* A list that is wrong: its files are not known, the others' are. */
	yard_lose(&y, y.cache_dir);
	damage(y.remote_dir, &v[0].id);
	ok(fetch(&y, v, 3, &err));
	note_says(TRANSFER_WRONG_REMOTE, at(y.remote_dir, &v[0].id));
	assert_string_equal(note_of(&y, TRANSFER_WRONG_REMOTE)->path, "a");
	assert_false(has(y.cache_dir, &v[0].id));
	assert_true(whole(y.cache_dir, &v[1].id));
	assert_true(whole(y.cache_dir, &v[2].id));
	yard_remove(&y);
}

static void
what_the_remote_lacks_is_named(void **state)
{
	struct transfer_want v[3];
	struct err err = {0};
	struct yard y;

	(void)state;
	filled(&y, v);
	lose(y.remote_dir, &v[2].id);
	lose(y.remote_dir, &v[0].id);
	ok(fetch(&y, v, 3, &err));
	assert_int_equal(y.rep.fates[TRANSFER_MISSING], 2);
	assert_int_equal(transfer_failures(&y.rep), 2);
	assert_true(whole(y.cache_dir, &v[1].id));
	vec_foreach (&y.rep.notes, const struct transfer_note, n)
		assert_non_null(strstr(n->err.msg, at(y.remote_dir, &n->id)));
	yard_remove(&y);
}

static void
damage_in_the_cache(void **state)
{
	struct transfer_want v[3];
	struct object_id bad;
	struct err err = {0};
	struct yard y;

	(void)state;
	filled(&y, v);
	ok(fetch(&y, v, 3, &err));
	bad = entry(&y, &v[1].id, 7);
	damage(y.cache_dir, &bad);
	/* Nobody looks at the bytes of files that are there... */
	ok(fetch(&y, v, 3, &err));
	assert_int_equal(transfer_failures(&y.rep), 0);
	assert_false(whole(y.cache_dir, &v[1].id));
	/* ...unless told to; */
	y.opt.verify = true;
	ok(fetch(&y, v, 3, &err));
	assert_int_equal(transfer_failures(&y.rep), 0);
	note_says(TRANSFER_REPLACED, at(y.cache_dir, &bad));
	assert_int_equal(y.rep.objects, 1);
	assert_int_equal(y.rep.checked, 32);
	assert_true(whole(y.cache_dir, &v[1].id));
	/* what cannot be had anew stays as it is, and is named. */
	damage(y.cache_dir, &bad);
	lose(y.remote_dir, &bad);
	ok(fetch(&y, v, 3, &err));
	assert_int_equal(y.rep.fates[TRANSFER_MISSING], 1);
	note_says(TRANSFER_WRONG_CACHE, at(y.cache_dir, &bad));
	assert_true(has(y.cache_dir, &bad));
	/* Lists are read anyway. */
	y.opt.verify = false;
	damage(y.cache_dir, &v[0].id);
	ok(fetch(&y, v, 3, &err));
	note_says(TRANSFER_REPLACED, at(y.cache_dir, &v[0].id));
	assert_int_equal(transfer_failures(&y.rep), 0);
	yard_remove(&y);
}

static void
push_verifies_the_remote(void **state)
{
	struct transfer_want v[3];
	struct object_id bad, lost;
	struct err err = {0};
	struct yard y;

	(void)state;
	filled(&y, v);
	ok(fetch(&y, v, 3, &err));
	bad = entry(&y, &v[1].id, 7);
	damage(y.remote_dir, &bad);
	damage(y.remote_dir, &v[0].id);
	ok(push(&y, v, 3, &err));
	assert_int_equal(y.rep.objects, 0); /* nobody looked */
	y.opt.verify = true;
	ok(push(&y, v, 3, &err));
	assert_int_equal(y.rep.fates[TRANSFER_REPLACED], 2);
	assert_int_equal(transfer_failures(&y.rep), 0);
	assert_int_equal(y.rep.objects, 2);
	assert_int_equal(y.rep.checked, 31);
	for (int i = 0; i < 3; i++)
		assert_true(whole(y.remote_dir, &v[i].id));
	assert_int_equal(temporaries(y.remote_dir), 0);

	/* Damaged there, and here as well or not at all. */
	damage(y.remote_dir, &bad);
	damage(y.cache_dir, &bad);
	lost = v[2].id;
	damage(y.remote_dir, &lost);
	lose(y.cache_dir, &lost);
	ok(push(&y, v, 3, &err));
	assert_int_equal(y.rep.fates[TRANSFER_WRONG_REMOTE], 2);
	assert_int_equal(y.rep.fates[TRANSFER_WRONG_CACHE], 1);
	assert_int_equal(y.rep.objects, 0);
	assert_true(has(y.remote_dir, &bad));
	assert_true(has(y.remote_dir, &lost));
	yard_remove(&y);
}

/* ---- a part of a directory ---- */

static void
parts_of_directories(void **state)
{
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_list(&y, "a", 0, 20), "a");
	v.under = "sub1";
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 7); /* no list: the rest is not there */
	assert_int_equal(transfer_failures(&y.rep), 0);
	assert_false(has(y.remote_dir, &v.id));
	v.under = NULL;
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 14);
	lose(y.remote_dir, &v.id);
	v.under = "sub0/f0";
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 1); /* now the list may go */
	assert_true(whole(y.remote_dir, &v.id));

	yard_lose(&y, y.cache_dir);
	ok(fetch(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 2);
	v.under = "sub2";
	ok(fetch(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 6);
	v.under = "sub";
	ok(fetch(&y, &v, 1, &err));
	note_says(TRANSFER_MISSING, "'sub' is not in the list of 'a'");
	yard_remove(&y);
}

/* ---- where things are ---- */

struct told {
	int states[4], lists;
	int stop_at;
};

static int
count(void *arg, const struct transfer_want *w, const char *path,
      const struct object_id *id, enum transfer_state state)
{
	struct told *t = arg;

	(void)id;
	t->states[state]++;
	t->lists += path == NULL && w->id.dir;
	return t->stop_at != 0 && --t->stop_at == 0 ? 7 : 0;
}

static void
tells_where_things_are(void **state)
{
	struct object_id gone, here, there;
	struct transfer_want v[3];
	struct err err = {0};
	struct told t = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v[0] = want(yard_list(&y, "a", 0, 20), "a");
	v[1] = want(yard_file(&y, "single"), "c");
	/* No remote yet: all is new, and none is made. */
	ok(transfer_status(&y.opt, v, 2, count, &t, &y.rep, &err));
	assert_int_equal(t.states[TRANSFER_NEW], 22);
	assert_int_equal(t.lists, 1);
	assert_int_equal(access(y.remote_dir, F_OK), -1);
	ok(push(&y, v, 1, &err));
	gone = entry(&y, &v[0].id, 0);
	here = entry(&y, &v[0].id, 1);
	there = entry(&y, &v[0].id, 2);
	lose(y.cache_dir, &gone);
	lose(y.remote_dir, &gone);
	lose(y.remote_dir, &here);
	lose(y.cache_dir, &there);
	t = (struct told){0};
	ok(transfer_status(&y.opt, v, 2, count, &t, &y.rep, &err));
	assert_int_equal(t.states[TRANSFER_OK], 18);
	assert_int_equal(t.states[TRANSFER_NEW], 2);
	assert_int_equal(t.states[TRANSFER_DELETED], 1);
	assert_int_equal(t.states[TRANSFER_ABSENT], 1);
	/* Without a cache the remote's list tells. */
	yard_lose(&y, y.cache_dir);
	t = (struct told){0};
	ok(transfer_status(&y.opt, v, 2, count, &t, &y.rep, &err));
	assert_int_equal(t.states[TRANSFER_DELETED], 19);
	assert_int_equal(t.states[TRANSFER_ABSENT], 3);
	assert_int_equal(access(y.cache_dir, F_OK), -1);
	t = (struct told){.stop_at = 3};
	assert_int_equal(transfer_status(&y.opt, v, 2, count, &t, &y.rep, &err), 7);
	yard_remove(&y);
}

/* ---- DVC 2 ---- */

static void
legacy_objects_keep_their_place(void **state)
{
	static const char list[] =
	    "[{\"md5\": \"d3b07384d113edec49eaa6238ad5ff00\", \"relpath\": \"x\"}]";
	static const char x[] = "d3/b07384d113edec49eaa6238ad5ff00";
	static const char d[] = "62/63d08de58abb6c1239ac0ecb7ab6bb.dir";
	struct transfer_want v;
	struct err err = {0};
	char path[64];
	struct yard y;

	(void)state;
	yard_make(&y);
	make_dir(y.dir, "cache");
	make_dir(y.dir, "cache/d3");
	make_dir(y.dir, "cache/62");
	(void)snprintf(path, sizeof(path), "cache/%s", x);
	spill(y.dir, path, "foo\r\n"); /* it has the legacy hash of "foo\n" */
	(void)snprintf(path, sizeof(path), "cache/%s", d);
	spill(y.dir, path, list);
	v = want(id_of("6263d08de58abb6c1239ac0ecb7ab6bb.dir"), "old");
	v.id.legacy = true;
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.objects, 2);
	assert_int_equal(objects_in(y.remote_dir), 2);
	assert_string_equal(slurp(y.remote_dir, x), "foo\r\n");
	assert_string_equal(slurp(y.remote_dir, d), list);
	yard_lose(&y, y.cache_dir);
	ok(fetch(&y, &v, 1, &err));
	assert_int_equal(objects_in(y.cache_dir), 2);
	assert_string_equal(slurp(y.cache_dir, x), "foo\r\n");
	y.opt.verify = true;
	ok(push(&y, &v, 1, &err));
	assert_int_equal(y.rep.checked, 2);
	yard_remove(&y);
}

static void
wants_of_one_remote(void **state)
{
	struct transfer_want v[5] = {
	    {.path = "usual"},
	    {.path = "other", .remote = "b"},
	    {.path = "local", .local = true},
	    {.path = "named", .remote = "a"},
	    {.path = "other local", .remote = "b", .local = true},
	};

	(void)state;
	assert_int_equal(transfer_select(v, 5, "a", "a", true), 2);
	assert_string_equal(v[0].path, "usual");
	assert_string_equal(v[1].path, "named");
	assert_int_equal(transfer_select(v, 5, "a", "a", false), 3);
	assert_int_equal(transfer_select(v, 5, "b", "a", true), 1);
	assert_string_equal(v[0].path, "other");
	assert_int_equal(transfer_select(v, 5, "b", "a", false), 2);
	assert_int_equal(transfer_select(v, 5, "c", NULL, false), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gets_files_and_lists),
	    cmocka_unit_test(a_wrong_object_of_the_remote_is_not_taken),
	    cmocka_unit_test(what_the_remote_lacks_is_named),
	    cmocka_unit_test(damage_in_the_cache),
	    cmocka_unit_test(push_verifies_the_remote),
	    cmocka_unit_test(parts_of_directories),
	    cmocka_unit_test(tells_where_things_are),
	    cmocka_unit_test(legacy_objects_keep_their_place),
	    cmocka_unit_test(wants_of_one_remote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
