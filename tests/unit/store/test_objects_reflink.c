/*
 * Objects that share their blocks with files of the work tree: on an XFS that is mounted from a
 * file, where root can do that.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "store/objects/batch.h"
#include "store/objects/link.h"
#include "unit/base/fault.h"
#include "unit/store/objects_test.h"

#define BIG (((size_t)9 << 20) + 5)

static char top[] = "/tmp/dag-xfs-XXXXXX";
static char where[64]; /* the mount; "": there is none */

static int
mount_xfs(void **state)
{
	char command[512];

	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(where, sizeof(where), "%s/mnt", top);
	(void)snprintf(
	    command, sizeof(command),
	    "{ truncate -s 400M %s/image && mkfs.xfs -q -m reflink=1 %s/image && "
	    "mkdir %s && mount -o loop %s/image %s; } >/dev/null 2>&1",
	    top, top, where, top, where);
	if (geteuid() != 0 || system(command) != 0) {
		print_message("skipped: no XFS can be mounted from a file here\n");
		where[0] = '\0';
	}
	return 0;
}

static int
unmount_xfs(void **state)
{
	(void)state;
	if (where[0] != '\0' && umount2(where, 0) != 0 && umount2(where, MNT_DETACH) != 0)
		return -1;
	(void)fsio_remove_tree(AT_FDCWD, top, NULL);
	return 0;
}

/* Whether all of the file's bytes are shared with another. */
static bool
is_shared(int fd)
{
	enum { EXTENTS = 64 };
	size_t size = sizeof(struct fiemap) + EXTENTS * sizeof(struct fiemap_extent);
	struct fiemap *m = calloc(1, size);
	bool shared;

	assert_non_null(m);
	m->fm_length = FIEMAP_MAX_OFFSET;
	m->fm_flags = FIEMAP_FLAG_SYNC;
	m->fm_extent_count = EXTENTS;
	assert_int_equal(ioctl(fd, FS_IOC_FIEMAP, m), 0);
	shared = m->fm_mapped_extents > 0;
	for (unsigned i = 0; i < m->fm_mapped_extents; i++)
		if ((m->fm_extents[i].fe_flags & FIEMAP_EXTENT_SHARED) == 0)
			shared = false;
	free(m);
	return shared;
}

static uint8_t *
bytes(void)
{
	uint8_t *p = malloc(BIG);

	assert_non_null(p);
	for (size_t i = 0; i < BIG; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 9));
	return p;
}

static void
add_file(struct shop *s, const char *name, struct object_id *id)
{
	struct err err = {0};
	struct batch *b;
	struct stat st;
	uint64_t size;
	int fd = shop_file(s, name);

	assert_int_equal(fstat(fd, &st), 0);
	size = (uint64_t)st.st_size;
	ok(batch_begin(s->o, NULL, &b, &err));
	ok(batch_copy(b, fd, NULL, id, &size, &err));
	assert_int_equal(size, st.st_size);
	ok(batch_end(b, true, &err));
	(void)close(fd);
}

static void
adds_by_blocks(void **state)
{
	struct err err = {0};
	struct object_id id, again;
	uint8_t *p;
	struct shop s;
	int fd;

	(void)state;
	if (where[0] == '\0')
		return;
	p = bytes();
	shop_make_in(&s, where);
	shop_put(&s, "big", p, BIG);
	add_file(&s, "big", &id);
	fd = objects_fd(s.o, &id, &err);
	assert_true(fd >= 0);
	assert_true(is_shared(fd));
	(void)close(fd);
	/* What is written into the file afterwards is not in the object. */
	fd = openat(s.fd, "big", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "xyz", 3, 100), 3);
	(void)close(fd);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	add_file(&s, "big", &again);
	assert_false(object_id_equal(&id, &again));
	assert_int_equal(objects_check(s.o, &again, true, NULL, &err), OBJECT_RIGHT);
	free(p);
	shop_remove(&s);
}

static void
checks_out_by_blocks(void **state)
{
	struct link_what what = {.type = LINK_REFLINK};
	struct err err = {0};
	enum link_type works;
	struct object_id id;
	mode_t before = umask(027);
	struct stat st;
	struct buf path;
	uint8_t *p;
	struct shop s;
	int fd;

	(void)state;
	if (where[0] == '\0')
		return;
	p = bytes();
	shop_make_in(&s, where);
	ok(link_probe(s.o, s.fd, NULL, 0, &works, &err));
	assert_int_equal(works, LINK_REFLINK);
	shop_put(&s, "big", p, BIG);
	add_file(&s, "big", &id);
	assert_int_equal(unlinkat(s.fd, "big", 0), 0);
	what.id = &id;
	for (int verified = 0; verified <= 1; verified++) {
		what.verified = verified != 0;
		ok(link_checkout(s.o, &what, s.fd, "d/big", &st, &err));
		assert_int_equal(st.st_mode, S_IFREG | 0640);
		assert_int_equal(st.st_nlink, 1);
		shop_holds(&s, "d/big", p, BIG);
		fd = shop_file(&s, "d/big");
		assert_true(is_shared(fd));
		(void)close(fd);
	}
	/* A damaged object is found before. */
	buf_init(&path, 0);
	objects_path(s.o, &id, &path);
	assert_int_equal(chmod(path.p, 0644), 0);
	assert_int_equal(truncate(path.p, 5), 0);
	what.verified = false;
	fails(link_checkout(s.o, &what, s.fd, "d/big", NULL, &err), ERR_CORRUPT);
	shop_holds(&s, "d/big", p, BIG);
	buf_release(&path);
	free(p);
	shop_remove(&s);
	(void)umask(before);
}

/* Refused once: the batch goes on by copying. */
static void
copies_where_it_must(void **state)
{
	struct fault f = {.op = FSIO_REFLINK, .from = 1, .times = 9, .answer = EXDEV};
	struct err err = {0};
	struct object_id id;
	uint8_t *p;
	struct shop s;

	(void)state;
	if (where[0] == '\0')
		return;
	p = bytes();
	shop_make_in(&s, where);
	shop_put(&s, "big", p, BIG);
	fault_start(&f);
	add_file(&s, "big", &id);
	fault_end();
	assert_int_equal(f.seen, 1);
	assert_int_equal(objects_check(s.o, &id, true, NULL, &err), OBJECT_RIGHT);
	free(p);
	shop_remove(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(adds_by_blocks),
	    cmocka_unit_test(checks_out_by_blocks),
	    cmocka_unit_test(copies_where_it_must),
	};

	return cmocka_run_group_tests(tests, mount_xfs, unmount_xfs);
}
