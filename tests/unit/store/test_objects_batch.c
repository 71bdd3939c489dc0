/* Batches: what gets into a store, when it is visible, and what is left when it goes wrong. */
#include "store/objects/batch.h"

#include <pthread.h>

#include "base/clock.h"
#include "store/meter.h"
#include "store/objects/tree.h"
#include "unit/base/fault.h"
#include "unit/store/objects_test.h"

#define FOO "acbd18db4cc2f85cedef654fccc4a4d8" /* md5 of "foo" */

static void
copies(void **state)
{
	struct object_id id, want = id_of(FOO);
	struct err err = {0};
	struct batch *b;
	struct stat st;
	uint64_t size = 3;
	struct shop s;
	int fd;

	(void)state;
	shop_make(&s);
	shop_put(&s, "foo", "foo", 3);
	ok(batch_begin(s.o, NULL, &b, &err));
	/* Nothing is made before the first write. */
	assert_int_equal(faccessat(s.fd, "cache", F_OK, 0), -1);
	fd = shop_file(&s, "foo");
	ok(batch_copy(b, fd, NULL, &id, &size, &err));
	(void)close(fd);
	assert_true(object_id_equal(&id, &want));
	assert_int_equal(size, 3);
	assert_int_equal(objects_has(s.o, &id, &err), 0); /* not yet */
	assert_int_equal(shop_files(s.fd, "cache", true), 1);
	ok(batch_flush(b, &err));
	assert_int_equal(objects_has(s.o, &id, &err), 1);
	ok(batch_end(b, true, &err));
	shop_holds(&s, "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8", "foo", 3);
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	assert_int_equal(
	    fstatat(s.fd, "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8", &st, 0),
	    0);
	assert_int_equal(st.st_mode & 07777, 0444);
	shop_remove(&s);
}

static void
lists_of_directories(void **state)
{
	static const uint8_t foo[16] = {0xac, 0xbd, 0x18, 0xdb, 0x4c, 0xc2, 0xf8, 0x5c,
					0xed, 0xef, 0x65, 0x4f, 0xcc, 0xc4, 0xa4, 0xd8};
	static const uint8_t bar[16] = {0x37, 0xb5, 0x1d, 0x19, 0x4a, 0x75, 0x13, 0xe4,
					0x5b, 0x56, 0xf6, 0x52, 0x4f, 0x2d, 0x51, 0xf2};
	struct object_id id, other, want = id_of("5ea40360f5b4ec688df672a4db9c17d1.dir");
	struct tree t = {0}, back = {0};
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(tree_add(&t, "foo", 3, foo, 3, &err));
	ok(tree_add(&t, "bar", 3, bar, 3, &err));
	ok(tree_sort(&t, &err));
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_tree(b, &t, &id, NULL, &err));
	assert_true(object_id_equal(&id, &want));
	ok(tree_id(&t, &other, NULL, &err));
	assert_true(object_id_equal(&other, &want));
	ok(batch_end(b, true, &err));
	ok(objects_tree(s.o, &id, &back, &err));
	assert_int_equal(back.n, 2);
	assert_string_equal(back.v[0].path, "bar");
	assert_memory_equal(back.v[1].md5, foo, 16);
	tree_release(&t);
	tree_release(&back);
	shop_remove(&s);
}

/* ---- what is new, and what is not ---- */

static void
knows_what_is_there(void **state)
{
	struct object_id id, again;
	uint64_t objects, bytes;
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	ok(batch_bytes(b, "foo", 3, false, &again, &err)); /* pending */
	assert_true(object_id_equal(&id, &again));
	ok(batch_bytes(b, "foo", 3, true, &again, &err)); /* another object */
	assert_true(again.dir);
	ok(batch_bytes(b, "", 0, false, &id, &err));
	assert_int_equal(shop_files(s.fd, "cache", true), 3);
	ok(batch_end(b, true, &err));
	assert_int_equal(shop_files(s.fd, "cache", false), 3);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	ok(batch_bytes(b, "bar", 3, false, &id, &err));
	batch_written(b, &objects, &bytes);
	assert_int_equal(objects, 1);
	assert_int_equal(bytes, 3);
	/* Given up: what was there stays, what was new goes. */
	ok(batch_end(b, false, &err));
	assert_int_equal(shop_files(s.fd, "cache", false), 3);
	shop_remove(&s);
}

static void
replaces_only_what_is_wrong(void **state)
{
	static const char name[] = "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8";
	struct object_id id = id_of(FOO);
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	ok(batch_flush(b, &err));
	assert_int_equal(unlinkat(s.fd, name, 0), 0);
	shop_put(&s, name, "fou", 3);
	ok(batch_end(b, true, &err));
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	ok(batch_flush(b, &err));
	shop_holds(&s, name, "fou", 3); /* nobody said that it is wrong */
	ok(batch_replace(b, &id, &err));
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	ok(batch_end(b, true, &err));
	shop_holds(&s, name, "foo", 3);
	shop_remove(&s);
}

/* What another size gives away is not taken for what is there already. */
static void
replaces_what_is_cut(void **state)
{
	static const char *const cut[] = {"", "fo", "fooo"};
	const char *path = "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8";
	struct object_id id;
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		ok(batch_begin(s.o, NULL, &b, &err));
		ok(batch_bytes(b, "foo", 3, false, &id, &err));
		ok(batch_end(b, true, &err));
		shop_holds(&s, path, "foo", 3);
		assert_int_equal(fchmodat(s.fd, path, 0644, 0), 0);
		shop_put(&s, path, cut[i], strlen(cut[i]));
	}
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	ok(batch_end(b, true, &err));
	shop_holds(&s, path, "foo", 3);
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	shop_remove(&s);
}

/* The kernel's stamps are at times ahead of the clock that they are said to be of. */
static int64_t
present(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
make_known(struct shop *s, const char *text, struct object_id *id)
{
	struct err err = {0};
	struct batch *b;

	ok(batch_begin(s->o, NULL, &b, &err));
	ok(batch_bytes(b, text, strlen(text), false, id, &err));
	assert_false(objects_made(s->o, id)); /* it has no name yet */
	ok(batch_end(b, true, &err));
	assert_true(objects_made(s->o, id));
}

/* What this process has hashed and written need not be hashed again; all else does. */
static void
knows_what_it_made(void **state)
{
	struct object_id foo, bar, baz, was;
	struct err err = {0};
	struct batch *b;
	struct buf path;
	struct shop s;

	(void)state;
	clock_set_fake_stamp(present, NULL);
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "was", 3, false, &was, &err));
	ok(batch_end(b, true, &err));
	objects_close(s.o);
	shop_open(&s, false, false);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "was", 3, false, &was, &err));
	ok(batch_end(b, true, &err));
	make_known(&s, "foo", &foo);
	assert_false(objects_made(s.o, &was));
	make_known(&s, "bar", &bar);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "baz", 3, false, &baz, &err));
	ok(batch_end(b, false, &err));
	assert_true(objects_made(s.o, &foo));
	assert_true(objects_made(s.o, &bar));
	assert_false(objects_made(s.o, &baz));
	/* Touched since, or gone. */
	(void)usleep(20000);
	buf_init(&path, 0);
	objects_path(s.o, &foo, &path);
	assert_int_equal(chmod(path.p, 0644), 0);
	buf_release(&path);
	assert_false(objects_made(s.o, &foo));
	ok(objects_remove(s.o, &bar, &err) == 1 ? 0 : -1);
	assert_false(objects_made(s.o, &bar));
	foo.dir = true;
	assert_false(objects_made(s.o, &foo));
	shop_remove(&s);
	clock_set_fake_stamp(NULL, NULL);
}

static void
wants_what_is_expected(void **state)
{
	struct object_id want = id_of(FOO), id, old = want;
	struct batch_stream *st;
	struct err err = {0};
	struct batch *b;
	struct shop s;
	uint64_t size;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_stream_begin(b, &want, &st, &err));
	ok(batch_stream_write(st, "f", 1, &err));
	ok(batch_stream_write(st, "", 0, &err));
	ok(batch_stream_write(st, "ox", 2, &err));
	fails(batch_stream_end(st, &id, &size, &err), ERR_CORRUPT);
	says(FOO);
	assert_int_equal(shop_files(s.fd, ".", false), 0);
	ok(batch_stream_begin(b, &want, &st, &err));
	ok(batch_stream_write(st, "f", 1, &err));
	ok(batch_stream_write(st, "oo", 2, &err));
	ok(batch_stream_end(st, &id, &size, &err));
	assert_true(object_id_equal(&id, &want));
	assert_int_equal(size, 3);
	/* A legacy name: its own place, CRLF as LF. */
	old.legacy = true;
	ok(batch_stream_begin(b, &old, &st, &err));
	ok(batch_stream_write(st, "foo", 3, &err));
	ok(batch_stream_end(st, &id, NULL, &err));
	assert_int_equal(object_id_parse("dd8c6a395b5dd36c56d23275028f526c", true, &old),
			 0);
	ok(batch_stream_begin(b, &old, &st, &err));
	ok(batch_stream_write(st, "a\r", 2, &err));
	ok(batch_stream_write(st, "\nb\n", 3, &err));
	ok(batch_stream_end(st, NULL, NULL, &err));
	ok(batch_stream_begin(b, NULL, &st, &err));
	ok(batch_stream_write(st, "dropped", 7, &err));
	batch_stream_drop(st);
	ok(batch_end(b, true, &err));
	shop_holds(&s, "cache/ac/bd18db4cc2f85cedef654fccc4a4d8", "foo", 3);
	shop_holds(&s, "cache/dd/8c6a395b5dd36c56d23275028f526c", "a\r\nb\n", 5);
	assert_int_equal(shop_files(s.fd, "cache", false), 3);
	shop_remove(&s);
}

/* ---- larger than a buffer ---- */

#define BIG ((size_t)5 << 19) /* two and a half buffers */

static uint8_t *
big_bytes(size_t n)
{
	uint8_t *p = malloc(n);
	uint64_t x = 1;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(x >> 56);
	}
	return p;
}

static void
big_of(size_t n)
{
	uint64_t sizes[] = {n, BATCH_SIZE_UNKNOWN, 0, n - 1, n + 1};
	struct object_id ids[5], other;
	uint8_t *p = big_bytes(n);
	struct err err = {0};
	struct batch *b;
	struct meter m = {0};
	struct shop s;
	uint64_t size;
	char name[96];

	shop_make(&s);
	shop_put(&s, "big", p, n);
	ok(batch_begin(s.o, &m, &b, &err));
	for (size_t i = 0; i < 5; i++) {
		int fd = shop_file(&s, "big");

		size = sizes[i]; /* the file may be another than stat told */
		ok(batch_copy(b, fd, i == 1 ? &ids[0] : NULL, &ids[i], &size, &err));
		(void)close(fd);
		assert_int_equal(size, n);
		assert_true(object_id_equal(&ids[i], &ids[0]));
	}
	assert_int_equal(m.files, 5);
	assert_int_equal(m.bytes, 5 * n);
	assert_int_equal(shop_files(s.fd, "cache", true), 1);
	other = ids[0];
	other.md5[3] ^= 1;
	{
		int fd = shop_file(&s, "big");

		size = n;
		fails(batch_copy(b, fd, &other, &ids[1], &size, &err), ERR_CORRUPT);
		(void)close(fd);
	}
	ok(batch_end(b, true, &err));
	assert_int_equal(objects_check(s.o, &ids[0], true, NULL, &err), OBJECT_RIGHT);
	struct buf rel;

	buf_init(&rel, 0);
	objects_name(&ids[0], &rel);
	(void)snprintf(name, sizeof(name), "cache/%s", rel.p);
	buf_release(&rel);
	shop_holds(&s, name, p, n);
	assert_int_equal(shop_files(s.fd, "cache", false), 1);
	free(p);
	shop_remove(&s);
}

static void
big_files(void **state)
{
	(void)state;
	big_of(BIG);
	big_of((size_t)1 << 20);
	big_of(((size_t)1 << 20) - 1);
	big_of(((size_t)1 << 20) + 1);
	big_of((size_t)2 << 20);
	big_of((size_t)8 << 20); /* by two threads */
	big_of(((size_t)20 << 20) + 12345);
}

/* A file of holes stays one, and what stands between them is kept. */
static void
sparse_files(void **state)
{
	static const off_t at[] = {0, 5 << 20, (20 << 20) - 3, (40 << 20) + 7};
	struct object_id id;
	struct err err = {0};
	struct batch *b;
	struct stat st;
	struct buf path;
	struct shop s;
	uint64_t size = (64 << 20) + 5;
	char got[4] = "";
	int fd;

	(void)state;
	shop_make(&s);
	shop_put(&s, "sparse", "", 0);
	fd = openat(s.fd, "sparse", O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pwrite(fd, "abc", 3, at[i]), 3);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_copy(b, fd, NULL, &id, &size, &err));
	assert_int_equal(size, (64 << 20) + 5);
	ok(batch_end(b, true, &err));
	(void)close(fd);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	buf_init(&path, 0);
	objects_path(s.o, &id, &path);
	fd = open(path.p, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_true(st.st_blocks < (8 << 20) / 512);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pread(fd, got, 3, at[i]), 3);
		assert_string_equal(got, "abc");
	}
	(void)close(fd);
	buf_release(&path);
	shop_remove(&s);
}

/* Reads and writes of the two threads fail, each once. */
static void
large_files_that_fail(void **state)
{
	static const enum fsio_op ops[] = {FSIO_READ, FSIO_WRITE};
	size_t n = ((size_t)9 << 20) + 1;
	uint8_t *p = big_bytes(n);
	struct object_id id;
	struct err err = {0};
	struct batch *b;
	struct shop s;
	uint64_t size;
	int fd;

	(void)state;
	shop_make(&s);
	shop_put(&s, "big", p, n);
	fd = shop_file(&s, "big");
	for (size_t o = 0; o < 2; o++)
		for (int at = 1; at < 80; at += 13) {
			struct fault f = {.op = ops[o], .from = at, .times = 1};

			f.answer = EIO;
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			ok(batch_begin(s.o, NULL, &b, &err));
			size = n;
			fault_start(&f);
			if (batch_copy(b, fd, NULL, &id, &size, &err) != 0) {
				fault_end();
				says(o == 0 ? "cannot read"
					    : "cannot write to the store");
			} else {
				fault_end();
				assert_true(f.seen < at);
			}
			ok(batch_end(b, false, &err));
			assert_int_equal(shop_files(s.fd, "cache", false), 0);
		}
	(void)close(fd);
	free(p);
	shop_remove(&s);
}

static void
stops_on_request(void **state)
{
	uint8_t *p = big_bytes(BIG);
	struct meter m = {.cancel = true};
	struct object_id id;
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, &m, &b, &err));
	fails(batch_bytes(b, p, BIG, false, &id, &err), ERR_CANCELLED);
	m.cancel = false;
	ok(batch_bytes(b, "foo", 3, false, &id, &err));
	/* What is whole is kept: the next call need not do it again. */
	m.cancel = true;
	ok(batch_end(b, true, &err));
	assert_int_equal(objects_has(s.o, &id, &err), 1);
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	free(p);
	shop_remove(&s);
}

/* ---- many at once ---- */

struct crowd {
	struct batch *b;
	unsigned first, n;
};

static void *
add_many(void *arg)
{
	struct crowd *c = arg;
	struct err err = {0};
	struct object_id id;
	char text[32];

	for (unsigned i = c->first; i < c->first + c->n; i++) {
		int n = snprintf(text, sizeof(text), "object %u", i);

		if (batch_bytes(c->b, text, (size_t)n, false, &id, &err) != 0)
			return strdup(err.msg);
	}
	return NULL;
}

static void
many_threads(void **state)
{
	enum { EACH = 5000, OVERLAP = 1000 };
	struct crowd crowd[4];
	pthread_t threads[4];
	struct err err = {0};
	struct batch *b;
	struct shop s;
	uint64_t before;

	(void)state;
	shop_make(&s);
	ok(batch_begin(s.o, NULL, &b, &err));
	before = fsio_syncs();
	for (unsigned i = 0; i < 4; i++) {
		crowd[i] =
		    (struct crowd){.b = b, .first = i * (EACH - OVERLAP), .n = EACH};
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, &crowd[i]),
				 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		void *what;

		(void)pthread_join(threads[i], &what);
		if (what != NULL)
			fail_msg("%s", (char *)what);
	}
	/* The first two times 8,192 have names by now. */
	ok(batch_end(b, true, &err));
	assert_int_equal(shop_files(s.fd, "cache", true), 0);
	assert_int_equal(shop_files(s.fd, "cache", false), 3 * (EACH - OVERLAP) + EACH);
	/* The directories' own, one for each 8,192, one for the rest, one for the names. */
	assert_in_range(fsio_syncs() - before, 3, 8);
	shop_remove(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies),
	    cmocka_unit_test(lists_of_directories),
	    cmocka_unit_test(knows_what_is_there),
	    cmocka_unit_test(replaces_only_what_is_wrong),
	    cmocka_unit_test(replaces_what_is_cut),
	    cmocka_unit_test(knows_what_it_made),
	    cmocka_unit_test(wants_what_is_expected),
	    cmocka_unit_test(big_files),
	    cmocka_unit_test(sparse_files),
	    cmocka_unit_test(large_files_that_fail),
	    cmocka_unit_test(stops_on_request),
	    cmocka_unit_test(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
