/* Objects in the work tree: each kind of link, what it falls back to, and what is refused. */
#include "store/objects/link.h"

#include <sys/mount.h>

#include "store/objects/batch.h"
#include "unit/base/fault.h"
#include "unit/store/objects_test.h"

#define FOO_NAME "cache/files/md5/ac/bd18db4cc2f85cedef654fccc4a4d8"

struct yard {
	struct shop s;
	struct object_id foo, empty, big;
	uint8_t *bytes; /* of the big one */
	int root;	/* where the files go: s.dir/tree */
};

#define BIG (((size_t)2 << 20) + 5)

static void
yard_make(struct yard *y)
{
	struct err err = {0};
	struct batch *b;

	shop_make(&y->s);
	y->bytes = malloc(BIG);
	assert_non_null(y->bytes);
	for (size_t i = 0; i < BIG; i++)
		y->bytes[i] = (uint8_t)(i * 7 + (i >> 12));
	ok(batch_begin(y->s.o, NULL, &b, &err));
	ok(batch_bytes(b, "foo", 3, false, &y->foo, &err));
	ok(batch_bytes(b, "", 0, false, &y->empty, &err));
	ok(batch_bytes(b, y->bytes, BIG, false, &y->big, &err));
	ok(batch_end(b, true, &err));
	assert_int_equal(mkdirat(y->s.fd, "tree", 0777), 0);
	y->root = openat(y->s.fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(y->root >= 0);
}

static void
yard_remove(struct yard *y)
{
	free(y->bytes);
	(void)close(y->root);
	shop_remove(&y->s);
}

static int
put(struct yard *y, const struct object_id *id, enum link_type type, const char *path,
    struct stat *st, struct err *err)
{
	struct link_what what = {.id = id, .type = type};

	return link_checkout(y->s.o, &what, y->root, path, st, err);
}

static ino_t
inode_of(struct yard *y, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(y->s.fd, path, &st, 0), 0);
	return st.st_ino;
}

static void
copies(void **state)
{
	struct err err = {0};
	struct yard y;
	struct stat st;
	mode_t before = umask(027);

	(void)state;
	yard_make(&y);
	ok(put(&y, &y.foo, LINK_COPY, "a/b/foo", &st, &err));
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_nlink, 1);
	shop_holds(&y.s, "tree/a/b/foo", "foo", 3);
	ok(put(&y, &y.empty, LINK_COPY, "a/empty", NULL, &err));
	shop_holds(&y.s, "tree/a/empty", "", 0);
	/* What was there is replaced, a link itself and not what it leads to. */
	ok(put(&y, &y.big, LINK_COPY, "a/b/foo", NULL, &err));
	shop_holds(&y.s, "tree/a/b/foo", y.bytes, BIG);
	assert_int_equal(symlinkat("foo", y.root, "a/b/link"), 0);
	ok(put(&y, &y.foo, LINK_COPY, "a/b/link", NULL, &err));
	shop_holds(&y.s, "tree/a/b/foo", y.bytes, BIG);
	shop_holds(&y.s, "tree/a/b/link", "foo", 3);
	assert_int_equal(shop_files(y.root, ".", true), 0);
	yard_remove(&y);
	(void)umask(before);
}

static void
executables(void **state)
{
	static const enum link_type types[] = {LINK_COPY, LINK_HARDLINK, LINK_SYMLINK,
					       LINK_REFLINK};
	static const struct {
		mode_t umask, want;
	} cases[] = {{022, 0744}, {077, 0700}, {0177, 0700}};
	struct err err = {0};
	struct yard y;
	struct stat st;

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		mode_t before = umask(cases[c].umask & 077);

		yard_make(&y);
		objects_close(y.s.o);
		(void)umask(cases[c].umask);
		shop_open(&y.s, false, false);
		for (size_t i = 0; i < 4; i++) {
			struct link_what what = {
			    .id = &y.foo, .type = types[i], .exec = true};

			ok(link_at(y.s.o, &what, y.root, "x", &st, &err));
			assert_int_equal(st.st_mode, S_IFREG | cases[c].want);
			assert_int_equal(fstatat(y.s.fd, FOO_NAME, &st, 0), 0);
			assert_int_equal(st.st_mode & 07777, 0444);
			assert_int_equal(st.st_nlink, 1);
		}
		(void)umask(before);
		yard_remove(&y);
	}
}

static void
hardlinks(void **state)
{
	struct err err = {0};
	struct yard y;
	struct stat st;

	(void)state;
	yard_make(&y);
	ok(put(&y, &y.foo, LINK_HARDLINK, "foo", &st, &err));
	assert_int_equal(st.st_ino, inode_of(&y, FOO_NAME));
	assert_int_equal(st.st_mode, S_IFREG | 0444);
	/* Again: a rename between two names of one file does nothing. */
	ok(put(&y, &y.foo, LINK_HARDLINK, "foo", &st, &err));
	assert_int_equal(st.st_nlink, 2);
	ok(put(&y, &y.big, LINK_HARDLINK, "foo", &st, &err));
	assert_int_equal(st.st_size, BIG);
	/* Empty files are many, and an inode has only so many names. */
	ok(put(&y, &y.empty, LINK_HARDLINK, "empty", &st, &err));
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 0200, 0200);
	assert_int_equal(shop_files(y.root, ".", true), 0);
	yard_remove(&y);
}

static void
symlinks(void **state)
{
	struct err err = {0};
	char target[128] = "", want[128];
	struct yard y;
	struct stat st;

	(void)state;
	yard_make(&y);
	(void)snprintf(want, sizeof(want), "%s/" FOO_NAME, y.s.dir);
	ok(put(&y, &y.foo, LINK_SYMLINK, "d/foo", &st, &err));
	assert_true(S_ISLNK(st.st_mode));
	assert_true(readlinkat(y.root, "d/foo", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, want);
	shop_holds(&y.s, "tree/d/foo", "foo", 3);
	shop_put(&y.s, "tree/plain", "mine", 4);
	ok(put(&y, &y.foo, LINK_SYMLINK, "plain", &st, &err));
	assert_true(S_ISLNK(st.st_mode));
	ok(put(&y, &y.empty, LINK_SYMLINK, "empty", &st, &err));
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(shop_files(y.root, ".", true), 0);
	yard_remove(&y);
}

/* What the file system says to the link, and what becomes of it. */
static void
falls_back(void **state)
{
	static const struct {
		enum link_type type;
		enum fsio_op op;
		int answer;
		bool copied;
	} cases[] = {
	    {LINK_HARDLINK, FSIO_LINK, EMLINK, true},
	    {LINK_HARDLINK, FSIO_LINK, EXDEV, true},
	    {LINK_HARDLINK, FSIO_LINK, EPERM, true},
	    {LINK_HARDLINK, FSIO_LINK, EIO, false},
	    {LINK_SYMLINK, FSIO_LINK, EPERM, true},
	    {LINK_SYMLINK, FSIO_LINK, ENOSPC, false},
	    {LINK_REFLINK, FSIO_REFLINK, EOPNOTSUPP, true},
	    {LINK_REFLINK, FSIO_REFLINK, EXDEV, true},
	    {LINK_REFLINK, FSIO_REFLINK, EINVAL, true},
	    {LINK_REFLINK, FSIO_REFLINK, ENOTTY, true},
	    {LINK_REFLINK, FSIO_REFLINK, EIO, false},
	    {LINK_REFLINK, FSIO_REFLINK, ENOSPC, false},
	};
	struct err err = {0};
	struct yard y;
	struct stat st;

	(void)state;
	yard_make(&y);
	shop_put(&y.s, "tree/d", "old", 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = {.op = cases[i].op, .from = 1, .times = 9};

		f.answer = cases[i].answer;
		fault_start(&f);
		if (cases[i].copied) {
			ok(put(&y, &y.foo, cases[i].type, "new", &st, &err));
			assert_int_equal(st.st_mode, S_IFREG | 0644);
			assert_int_equal(unlinkat(y.root, "new", 0), 0);
		} else {
			fails(put(&y, &y.foo, cases[i].type, "d", &st, &err),
			      cases[i].answer == ENOSPC ? ERR_FULL : ERR_SYS);
			says("'d'");
			shop_holds(&y.s, "tree/d", "old", 3);
		}
		fault_end();
		assert_int_equal(shop_files(y.root, ".", true), 0);
	}
	yard_remove(&y);
}

/* Every call on the way fails once: what was there stays, and nothing lies about. */
static void
fails_whole(void **state)
{
	static const enum fsio_op ops[] = {FSIO_OPEN, FSIO_READ, FSIO_WRITE, FSIO_RENAME};
	static const enum link_type types[] = {LINK_COPY, LINK_REFLINK, LINK_HARDLINK,
					       LINK_SYMLINK};
	struct err err = {0};
	struct yard y;
	int failed = 0;

	(void)state;
	yard_make(&y);
	shop_put(&y.s, "tree/d", "old", 3);
	for (size_t t = 0; t < 4; t++)
		for (size_t o = 0; o < 4; o++)
			for (int n = 1;; n++) {
				struct fault f = {.op = ops[o], .from = n, .times = 1};
				int r;

				f.answer = EIO;
				fault_start(&f);
				r = put(&y, &y.big, types[t], "d", NULL, &err);
				fault_end();
				assert_int_equal(shop_files(y.root, ".", true), 0);
				if (f.seen < n) {
					assert_int_equal(r, 0);
					assert_int_equal(unlinkat(y.root, "d", 0), 0);
					shop_put(&y.s, "tree/d", "old", 3);
					break;
				}
				assert_int_equal(r, -1);
				shop_holds(&y.s, "tree/d", "old", 3);
				failed++;
			}
	assert_in_range(failed, 20, 100);
	yard_remove(&y);
}

/* Reads that give little at a time, as some file systems do. */
static void
short_reads(void **state)
{
	struct fault f = {.op = FSIO_READ, .from = 1, .times = 5, .answer = -1};
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	fault_start(&f);
	ok(put(&y, &y.foo, LINK_COPY, "foo", NULL, &err));
	assert_in_range(f.seen, 3, 4);
	fault_start(&f);
	ok(put(&y, &y.big, LINK_COPY, "big", NULL, &err));
	fault_end();
	shop_holds(&y.s, "tree/foo", "foo", 3);
	shop_holds(&y.s, "tree/big", y.bytes, BIG);
	yard_remove(&y);
}

static void
missing_and_damaged(void **state)
{
	static const enum link_type types[] = {LINK_COPY, LINK_REFLINK, LINK_HARDLINK,
					       LINK_SYMLINK};
	struct err err = {0};
	struct object_id gone;
	struct yard y;

	(void)state;
	yard_make(&y);
	gone = y.foo;
	gone.md5[0] ^= 1;
	assert_int_equal(unlinkat(y.s.fd, FOO_NAME, 0), 0);
	shop_put(&y.s, FOO_NAME, "fou", 3);
	shop_put(&y.s, "tree/d", "old", 3);
	for (size_t i = 0; i < 4; i++) {
		struct link_what what = {.id = &gone, .type = types[i], .verified = true};

		fails(put(&y, &gone, types[i], "d", NULL, &err), ERR_NOTFOUND);
		says("cache/files/md5/ad/bd18");
		says("dag pull");
		fails(link_at(y.s.o, &what, y.root, "d", NULL, &err), ERR_NOTFOUND);
		says("dag pull");
		fails(put(&y, &y.foo, types[i], "d", NULL, &err), ERR_CORRUPT);
		says(FOO_NAME);
		says("is damaged");
		says("dag pull");
		shop_holds(&y.s, "tree/d", "old", 3);
	}
	/* The large one is found out at its end only. */
	struct buf name;

	buf_init(&name, 0);
	objects_path(y.s.o, &y.big, &name);
	assert_int_equal(chmod(name.p, 0644), 0);
	assert_int_equal(truncate(name.p, BIG - 1), 0);
	fails(put(&y, &y.big, LINK_COPY, "d", NULL, &err), ERR_CORRUPT);
	shop_holds(&y.s, "tree/d", "old", 3);
	assert_int_equal(shop_files(y.root, ".", true), 0);
	buf_release(&name);
	yard_remove(&y);
}

static void
stays_below_the_root(void **state)
{
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	assert_int_equal(mkdirat(y.s.fd, "outside", 0777), 0);
	assert_int_equal(symlinkat("../outside", y.root, "out"), 0);
	fails(put(&y, &y.foo, LINK_COPY, "out/foo", NULL, &err), ERR_INVALID);
	says("leads out");
	fails(put(&y, &y.foo, LINK_COPY, "out/new/foo", NULL, &err), ERR_INVALID);
	fails(put(&y, &y.foo, LINK_COPY, "../outside/foo", NULL, &err), ERR_INVALID);
	fails(put(&y, &y.foo, LINK_COPY, "/tmp/foo", NULL, &err), ERR_INVALID);
	assert_int_equal(shop_files(y.s.fd, "outside", false), 0);
	/* A link that stays inside is a way like others. */
	assert_int_equal(mkdirat(y.root, "in", 0777), 0);
	assert_int_equal(symlinkat("in", y.root, "way"), 0);
	ok(put(&y, &y.foo, LINK_COPY, "way/foo", NULL, &err));
	shop_holds(&y.s, "tree/in/foo", "foo", 3);
	/* A file where a directory should be, and the other way round. */
	fails(put(&y, &y.foo, LINK_COPY, "in/foo/bar", NULL, &err), ERR_NOTFOUND);
	fails(put(&y, &y.foo, LINK_COPY, "in", NULL, &err), ERR_SYS);
	says("'in'");
	assert_int_equal(shop_files(y.root, ".", true), 0);
	yard_remove(&y);
}

static void
probes(void **state)
{
	static const enum link_type wanted[] = {LINK_HARDLINK, LINK_SYMLINK, LINK_COPY};
	struct fault f = {.op = FSIO_LINK, .from = 1, .times = 1, .answer = EXDEV};
	struct err err = {0};
	enum link_type works;
	struct yard y;

	(void)state;
	yard_make(&y);
	ok(link_probe(y.s.o, y.root, wanted, 3, &works, &err));
	assert_int_equal(works, LINK_HARDLINK);
	fault_start(&f);
	ok(link_probe(y.s.o, y.root, wanted, 3, &works, &err));
	assert_int_equal(works, LINK_SYMLINK);
	f.times = 2;
	fault_start(&f);
	ok(link_probe(y.s.o, y.root, wanted, 3, &works, &err));
	assert_int_equal(works, LINK_COPY);
	fault_start(&f);
	fails(link_probe(y.s.o, y.root, wanted, 2, &works, &err), ERR_INVALID);
	says("cache.type");
	f.op = FSIO_REFLINK;
	fault_start(&f);
	ok(link_probe(y.s.o, y.root, NULL, 0, &works, &err));
	assert_int_equal(works, LINK_COPY);
	/* Without memory or room nothing is known of a type, and none is taken instead. */
	f.times = 9;
	f.answer = ENOMEM;
	fault_start(&f);
	assert_int_equal(link_works(y.s.o, y.root, LINK_REFLINK, &err), -1);
	fails(link_probe(y.s.o, y.root, NULL, 0, &works, &err), ERR_NOMEM);
	f.answer = ENOSPC;
	fault_start(&f);
	fails(link_probe(y.s.o, y.root, NULL, 0, &works, &err), ERR_FULL);
	fault_end();
	assert_int_equal(link_works(y.s.o, y.root, LINK_HARDLINK, &err), 1);
	assert_int_equal(shop_files(y.root, ".", false), 0);
	assert_int_equal(shop_files(y.s.fd, "cache", true), 0);
	assert_int_equal(link_type_parse("symlink", &works), 0);
	assert_int_equal(works, LINK_SYMLINK);
	assert_string_equal(link_type_name(works), "symlink");
	assert_int_equal(link_type_parse("Copy", &works), -1);
	yard_remove(&y);
}

/* The cache on another file system than the work tree. */
static void
another_file_system(void **state)
{
	struct err err = {0};
	struct stat here, there;
	enum link_type works;
	char dir[] = "/dev/shm/dag-objects-XXXXXX";
	struct yard y;

	(void)state;
	if (stat("/tmp", &here) != 0 || stat("/dev/shm", &there) != 0 ||
	    here.st_dev == there.st_dev || mkdtemp(dir) == NULL) {
		print_message("skipped: /dev/shm is no file system of its own\n");
		return;
	}
	yard_make(&y);
	(void)close(y.root);
	y.root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(link_works(y.s.o, y.root, LINK_HARDLINK, &err), 0);
	assert_int_equal(link_works(y.s.o, y.root, LINK_REFLINK, &err), 0);
	assert_int_equal(link_works(y.s.o, y.root, LINK_SYMLINK, &err), 1);
	ok(link_probe(y.s.o, y.root, NULL, 0, &works, &err));
	assert_int_equal(works, LINK_COPY);
	for (unsigned t = 0; t < LINK_TYPES; t++) {
		struct stat st;

		ok(put(&y, &y.big, (enum link_type)t, "big", &st, &err));
		assert_int_equal(S_ISLNK(st.st_mode), t == LINK_SYMLINK);
	}
	(void)fsio_remove_tree(AT_FDCWD, dir, NULL);
	yard_remove(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies),
	    cmocka_unit_test(executables),
	    cmocka_unit_test(hardlinks),
	    cmocka_unit_test(symlinks),
	    cmocka_unit_test(falls_back),
	    cmocka_unit_test(fails_whole),
	    cmocka_unit_test(short_reads),
	    cmocka_unit_test(missing_and_damaged),
	    cmocka_unit_test(stays_below_the_root),
	    cmocka_unit_test(probes),
	    cmocka_unit_test(another_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
