#ifndef TESTS_OBJECTS_TEST_H
#define TESTS_OBJECTS_TEST_H
/* What the tests of store/objects share: a directory with a store in it. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/objects/object_id.h"
#include "store/objects/objects.h"
#include "unit/store/store_test.h"

struct shop {
	char dir[64];
	int fd;
	struct objects *o; /* dir/cache */
};

static inline void
shop_open(struct shop *s, bool shared, bool readonly)
{
	struct objects_options opt = {.shared = shared, .readonly = readonly};
	struct err err = {0};
	char cache[80];

	(void)snprintf(cache, sizeof(cache), "%s/cache", s->dir);
	opt.dir = cache;
	ok(objects_open(&opt, &s->o, &err));
}

static inline void
shop_make_in(struct shop *s, const char *where)
{
	(void)snprintf(s->dir, sizeof(s->dir), "%s/dag-objects-XXXXXX", where);
	assert_non_null(mkdtemp(s->dir));
	s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->fd >= 0);
	shop_open(s, false, false);
}

static inline void
shop_make(struct shop *s)
{
	shop_make_in(s, "/tmp");
}

static inline void
shop_remove(struct shop *s)
{
	objects_close(s->o);
	(void)close(s->fd);
	fsio_set_fault(NULL, NULL);
	(void)fsio_remove_tree(AT_FDCWD, s->dir, NULL);
}

/* A file below the shop's directory. */
static inline void
shop_put(struct shop *s, const char *path, const void *p, size_t n)
{
	int fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, p, n), 0);
	(void)close(fd);
}

static inline int
shop_file(struct shop *s, const char *path)
{
	int fd = openat(s->fd, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static inline void
shop_holds(struct shop *s, const char *path, const void *p, size_t n)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(fsio_read(s->fd, path, 32 << 20, &b, NULL), 0);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.p, p, n);
	buf_release(&b);
}

/* Files in the tree below a directory that are temporaries, or all. */
static inline size_t
shop_files(int dirfd, const char *path, bool temps)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	size_t n = 0, len;
	struct stat st;
	DIR *d;

	if (fd < 0)
		return 0;
	d = fdopendir(fd);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		assert_int_equal(fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
		len = strlen(e->d_name);
		if (S_ISDIR(st.st_mode))
			n += shop_files(fd, e->d_name, temps);
		else if (!temps || (len > 4 && strcmp(e->d_name + len - 4, ".tmp") == 0))
			n++;
	}
	(void)closedir(d);
	return n;
}

static inline struct object_id
id_of(const char *hex)
{
	struct object_id id;

	assert_int_equal(object_id_parse(hex, false, &id), 0);
	return id;
}

#endif
