/* The store itself: what is there, what is right, lists, and who may write how. */
#include "store/objects/objects.h"

#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/object_set.h"
#include "store/objects/tree.h"
#include "unit/store/objects_test.h"

#define FOO	 "acbd18db4cc2f85cedef654fccc4a4d8"
#define FOO_NAME "files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8"

static struct object_id
put_bytes(struct shop *s, const char *p, size_t n)
{
	struct err err = {0};
	struct object_id id;
	struct batch *b;

	ok(batch_begin(s->o, NULL, &b, &err));
	ok(batch_bytes(b, p, n, false, &id, &err));
	ok(batch_end(b, true, &err));
	return id;
}

/* Other bytes in an object, as a bad disk or a careless hand would leave. */
static void
damage(struct shop *s, const char *name, const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "cache/%s", name);
	assert_int_equal(unlinkat(s->fd, path, 0), 0);
	shop_put(s, path, text, strlen(text));
}

static void
names(void **state)
{
	struct object_id id = id_of(FOO), old = id, dir = id;
	struct shop s;
	struct buf b;
	char want[160];

	(void)state;
	shop_make(&s);
	old.legacy = dir.dir = true;
	buf_init(&b, 0);
	objects_name(&id, &b);
	assert_string_equal(b.p, FOO_NAME);
	buf_clear(&b);
	objects_name(&old, &b);
	assert_string_equal(b.p, "ac/bd18db4cc2f85cedef654fccc4a4d8");
	buf_clear(&b);
	objects_path(s.o, &dir, &b);
	(void)snprintf(want, sizeof(want), "%s/cache/" FOO_NAME ".dir", s.dir);
	assert_string_equal(b.p, want);
	buf_release(&b);
	shop_remove(&s);
}

static void
nothing_there(void **state)
{
	struct object_id id = id_of(FOO);
	struct object_set *set = object_set_new();
	struct tree t = {0};
	struct err err = {0};
	uint8_t missing = 0;
	struct shop s;
	struct buf b;

	(void)state;
	shop_make(&s);
	buf_init(&b, 0);
	assert_int_equal(objects_has(s.o, &id, &err), 0);
	assert_int_equal(objects_fd(s.o, &id, &err), -1);
	assert_int_equal(err.code, ERR_NOTFOUND);
	says(FOO_NAME);
	fails(objects_read(s.o, &id, 10, &b, &err), ERR_NOTFOUND);
	fails(objects_tree(s.o, &id, &t, &err), ERR_NOTFOUND);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_ABSENT);
	assert_int_equal(objects_check(s.o, &id, false, NULL, &err), OBJECT_ABSENT);
	assert_int_equal(objects_remove(s.o, &id, &err), 0);
	ok(objects_list(s.o, false, set, NULL, &err));
	ok(objects_list(s.o, true, set, NULL, &err));
	assert_int_equal(object_set_count(set), 0);
	ok(objects_missing(s.o, &id, 1, &missing, NULL, &err));
	assert_int_equal(missing, 1);
	ok(objects_sweep(s.o, NULL, INT64_MAX, NULL, &err));
	ok(objects_sync(s.o, &err));
	assert_int_equal(faccessat(s.fd, "cache", F_OK, 0), -1);
	object_set_free(set);
	buf_release(&b);
	shop_remove(&s);
}

static void
verifies(void **state)
{
	struct err err = {0};
	struct object_id id;
	struct tree t = {0};
	struct shop s;
	struct buf b;

	(void)state;
	shop_make(&s);
	buf_init(&b, 0);
	id = put_bytes(&s, "foo", 3);
	ok(objects_read(s.o, &id, 3, &b, &err));
	assert_string_equal(b.p, "foo");
	fails(objects_read(s.o, &id, 2, &b, &err), ERR_LIMIT);
	says(FOO_NAME);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	damage(&s, FOO_NAME, "fou");
	fails(objects_read(s.o, &id, 3, &b, &err), ERR_CORRUPT);
	says(FOO_NAME);
	says("is damaged");
	assert_string_equal(b.p, "foo");
	fails(objects_tree(s.o, &id, &t, &err), ERR_CORRUPT);
	err_clear(&err);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_WRONG);
	says(FOO_NAME);
	assert_int_equal(objects_check(s.o, &id, false, NULL, &err), OBJECT_RIGHT);
	assert_int_equal(objects_remove(s.o, &id, &err), 1);
	assert_int_equal(objects_remove(s.o, &id, &err), 0);
	/* A directory in the place of an object is none. */
	assert_int_equal(mkdirat(s.fd, "cache/" FOO_NAME, 0755), 0);
	assert_int_equal(objects_has(s.o, &id, &err), 0);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_WRONG);
	/* A fifo must not keep us waiting. */
	assert_int_equal(unlinkat(s.fd, "cache/" FOO_NAME, AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(s.fd, "cache/" FOO_NAME, 0644), 0);
	assert_int_equal(objects_has(s.o, &id, &err), 0);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_WRONG);
	buf_release(&b);
	shop_remove(&s);
}

/* A list that is right by its hash, but no list; one that is damaged; one of two pieces. */
static void
reads_lists(void **state)
{
	struct object_id id = id_of(FOO);
	struct tree t = {0}, back = {0};
	struct err err = {0};
	struct batch *b;
	char path[64], name[128];
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "[1]", 3, true, &id, &err));
	ok(batch_flush(b, &err));
	fails(objects_tree(s.o, &id, &back, &err), ERR_INVALID);
	says("byte 1: expected '{'");
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(path, sizeof(path), "%05d", i);
		ok(tree_add(&t, path, 5, id.md5, 1, &err));
	}
	ok(batch_tree(b, &t, &id, NULL, &err));
	ok(batch_end(b, true, &err));
	ok(objects_tree(s.o, &id, &back, &err));
	assert_int_equal(back.n, 20000);
	tree_release(&back);
	tree_release(&t);
	/* Cut in its first piece: the damage counts, not that it is no list. */
	struct buf p;

	buf_init(&p, 0);
	objects_name(&id, &p);
	(void)snprintf(name, sizeof(name), "%s", p.p);
	damage(&s, name, "[{\"md5\": ");
	fails(objects_tree(s.o, &id, &back, &err), ERR_CORRUPT);
	buf_release(&p);
	shop_remove(&s);
}

static void
lists(void **state)
{
	struct object_id ids[300], id;
	uint8_t missing[301];
	struct object_set *set = object_set_new();
	struct meter m = {0};
	struct err err = {0};
	struct batch *b;
	char text[16];
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	for (int i = 0; i < 300; i++) {
		int n = snprintf(text, sizeof(text), "%d", i);

		ok(batch_bytes(b, text, (size_t)n, i % 2 != 0, &ids[i], &err));
	}
	ok(batch_end(b, true, &err));
	/* What is no object: temporaries, capitals, other lengths, beside the directories. */
	shop_put(&s, "cache/files/md5/readme", "", 0);
	for (int i = 0; i < 256; i++) {
		char dir[32];

		(void)snprintf(dir, sizeof(dir), "cache/files/md5/%02x", i);
		(void)mkdirat(s.fd, dir, 0755);
	}
	shop_put(&s, "cache/files/md5/00/.AAAAAAAAAAAAAAAAAAAAAA.tmp", "x", 1);
	shop_put(&s, "cache/files/md5/00/ABCDEF0123456789abcdef01234567", "x", 1);
	shop_put(&s, "cache/files/md5/00/0123456789abcdef0123456789abc", "x", 1);
	shop_put(&s, "cache/files/md5/00/0123456789abcdef0123456789abcdef.dir.dir", "x",
		 1);
	ok(objects_list(s.o, false, set, &m, &err));
	assert_int_equal(object_set_count(set), 300);
	assert_int_equal(m.files, 300);
	for (int i = 0; i < 300; i++)
		assert_true(object_set_has(set, &ids[i]));
	/* By a look at each, and by the list. */
	id = ids[7];
	assert_int_equal(objects_remove(s.o, &id, &err), 1);
	memset(missing, 7, sizeof(missing));
	ok(objects_missing(s.o, ids, 10, missing, NULL, &err));
	for (int i = 0; i < 10; i++)
		assert_int_equal(missing[i], i == 7);
	ok(objects_missing(s.o, ids, 300, missing, NULL, &err));
	for (int i = 0; i < 300; i++)
		assert_int_equal(missing[i], i == 7);
	assert_int_equal(missing[300], 7);
	m.cancel = true;
	fails(objects_list(s.o, false, set, &m, &err), ERR_CANCELLED);
	fails(objects_missing(s.o, ids, 3, missing, &m, &err), ERR_CANCELLED);
	object_set_free(set);
	shop_remove(&s);
}

/* Somebody keeps the bytes elsewhere. */
static void
linked_objects(void **state)
{
	struct object_id id = id_of(FOO);
	struct err err = {0};
	struct shop s;

	(void)state;
	shop_make(&s);
	(void)put_bytes(&s, "bar", 3);
	assert_int_equal(mkdirat(s.fd, "cache/files/md5/ac", 0755), 0);
	shop_put(&s, "elsewhere", "foo", 3);
	assert_int_equal(symlinkat("../../../../elsewhere", s.fd, "cache/" FOO_NAME), 0);
	assert_int_equal(objects_has(s.o, &id, &err), 1);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	assert_int_equal(unlinkat(s.fd, "elsewhere", 0), 0);
	assert_int_equal(objects_has(s.o, &id, &err), 0);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_ABSENT);
	assert_int_equal(objects_remove(s.o, &id, &err), 1);
	shop_remove(&s);
}

static void
legacy(void **state)
{
	/* "a\r\nb\n" by DVC 2 is "a\nb\n"; a NUL makes it binary. */
	static const char text[] = "a\r\nb\n", binary[] = "\0a\r\n";
	struct object_id id, dir = {.legacy = true};
	struct object_set *set = object_set_new();
	struct err err = {0};
	struct shop s;

	(void)state;
	shop_make(&s);
	assert_int_equal(object_id_parse("dd8c6a395b5dd36c56d23275028f526c", true, &id),
			 0);
	assert_int_equal(mkdirat(s.fd, "cache", 0755), 0);
	assert_int_equal(mkdirat(s.fd, "cache/dd", 0755), 0);
	shop_put(&s, "cache/dd/8c6a395b5dd36c56d23275028f526c", text, sizeof(text) - 1);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	shop_put(&s, "cache/dd/8c6a395b5dd36c56d23275028f526c", binary,
		 sizeof(binary) - 1);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_WRONG);
	ok(objects_list(s.o, true, set, NULL, &err));
	assert_int_equal(object_set_count(set), 1);
	assert_true(object_set_has(set, &id));
	ok(objects_list(s.o, false, set, NULL, &err));
	assert_int_equal(object_set_count(set), 1);
	id.legacy = false;
	assert_int_equal(objects_has(s.o, &id, &err), 0);
	(void)dir;
	object_set_free(set);
	shop_remove(&s);
}

static void
sweeps(void **state)
{
	static const char *const temps[] = {
	    "cache/files/md5/.AAAAAAAAAAAAAAAAAAAAA_.tmp",
	    "cache/files/md5/ac/.aZ09-_AAAAAAAAAAAAAAAA.tmp",
	    "cache/ac/.BAAAAAAAAAAAAAAAAAAAAA.tmp",
	};
	static const char *const others[] = {
	    "cache/files/md5/ac/.AAAAAAAAAAAAAAAAAAAAA.tmp", /* 21 */
	    "cache/files/md5/ac/.AAAAAAAAAAAAAAAAAAAAAAA.tmp",
	    "cache/files/md5/ac/.AAAAAAAAAAAAAAAAAAAAA+.tmp",
	    "cache/files/md5/ac/xAAAAAAAAAAAAAAAAAAAAAA.tmp",
	    "cache/files/md5/ac/.AAAAAAAAAAAAAAAAAAAAAA.tmq",
	};
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct err err = {0};
	struct shop s;
	size_t n, i;

	(void)state;
	shop_make(&s);
	(void)put_bytes(&s, "foo", 3);
	assert_int_equal(mkdirat(s.fd, "cache/ac", 0755), 0);
	for (i = 0; i < 3; i++)
		shop_put(&s, temps[i], "x", 1);
	for (i = 0; i < 5; i++) {
		shop_put(&s, others[i], "x", 1);
		assert_int_equal(utimensat(s.fd, others[i], old, 0), 0);
	}
	assert_int_equal(utimensat(s.fd, temps[0], old, 0), 0);
	assert_int_equal(utimensat(s.fd, temps[2], old, 0), 0);
	ok(objects_sweep(s.o, NULL, 1000, &n, &err));
	assert_int_equal(n, 0);
	ok(objects_sweep(s.o, NULL, 1001, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(faccessat(s.fd, temps[1], F_OK, 0), 0);
	ok(objects_sweep(s.o, NULL, INT64_MAX, &n, &err));
	assert_int_equal(n, 1);
	for (i = 0; i < 5; i++)
		assert_int_equal(faccessat(s.fd, others[i], F_OK, 0), 0);
	shop_remove(&s);
}

static mode_t
mode_of(struct shop *s, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void
modes(void **state)
{
	mode_t before = umask(077);
	struct shop s;

	(void)state;
	shop_make(&s);
	(void)put_bytes(&s, "foo", 3);
	assert_int_equal(mode_of(&s, "cache/" FOO_NAME), 0444);
	assert_int_equal(mode_of(&s, "cache/files/md5/ac"), 0700);
	assert_int_equal(mode_of(&s, "cache/files"), 0700);
	shop_remove(&s);
	shop_make(&s);
	objects_close(s.o);
	shop_open(&s, true, false);
	(void)put_bytes(&s, "foo", 3);
	assert_int_equal(mode_of(&s, "cache/" FOO_NAME), 0444);
	assert_int_equal(mode_of(&s, "cache/files/md5/ac"), 02775);
	assert_int_equal(mode_of(&s, "cache/files/md5"), 02775);
	assert_int_equal(mode_of(&s, "cache/files"), 02775);
	assert_int_equal(mode_of(&s, "cache"), 02775);
	shop_remove(&s);
	(void)umask(before);
}

static void
only_reads(void **state)
{
	struct err err = {0};
	struct object_id id;
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	id = put_bytes(&s, "foo", 3);
	objects_close(s.o);
	shop_open(&s, false, true);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	fails(batch_begin(s.o, NULL, &b, &err), ERR_INVALID);
	says("for reading only");
	fails(objects_remove(s.o, &id, &err), ERR_INVALID);
	fails(objects_sweep(s.o, NULL, 1, NULL, &err), ERR_INVALID);
	shop_remove(&s);
}

static void
asks_for_a_whole_path(void **state)
{
	struct objects_options opt = {.dir = "cache"};
	struct err err = {0};
	struct objects *o;

	(void)state;
	fails(objects_open(&opt, &o, &err), ERR_INVALID);
	opt.dir = "/a//b/./c/../d/";
	ok(objects_open(&opt, &o, &err));
	assert_string_equal(objects_dir(o), "/a/b/d");
	objects_close(o);
	objects_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(nothing_there),
	    cmocka_unit_test(verifies),
	    cmocka_unit_test(reads_lists),
	    cmocka_unit_test(linked_objects),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(legacy),
	    cmocka_unit_test(sweeps),
	    cmocka_unit_test(modes),
	    cmocka_unit_test(only_reads),
	    cmocka_unit_test(asks_for_a_whole_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
