#ifndef TESTS_TRANSFER_TEST_H
#define TESTS_TRANSFER_TEST_H
/* What the tests of store/remote share: a directory with a cache and a remote in it. */
#include "store/meter.h"
#include "store/objects/batch.h"
#include "store/objects/object_set.h"
#include "store/objects/tree.h"
#include "store/remote/remote.h"
#include "store/remote/transfer.h"
#include "unit/store/objects_test.h"

struct yard {
	char dir[64];
	char cache_dir[80], remote_dir[80];
	struct objects *cache;
	struct remote *r;
	struct meter m;
	struct transfer_options opt;
	struct transfer_report rep;
};

static inline struct objects *
yard_store(const char *dir)
{
	struct objects_options opt = {.dir = dir};
	struct objects *o;
	struct err err = {0};

	ok(objects_open(&opt, &o, &err));
	return o;
}

/* Open both sides as another process would. */
static inline void
yard_open(struct yard *y)
{
	struct remote_spec spec = {
	    .name = "r", .url = y->remote_dir, .cache = y->cache_dir};
	struct err err = {0};

	remote_close(y->r);
	objects_close(y->cache);
	y->cache = yard_store(y->cache_dir);
	ok(remote_open(&spec, &y->r, &err));
	y->opt.cache = y->cache;
	y->opt.remote = y->r;
	y->opt.meter = &y->m;
}

static inline void
yard_make(struct yard *y)
{
	*y = (struct yard){0};
	/* On a disk each sync waits for what all other tests write. */
	(void)snprintf(y->dir, sizeof(y->dir), "%s/dag-remote-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(y->dir));
	(void)snprintf(y->cache_dir, sizeof(y->cache_dir), "%s/cache", y->dir);
	(void)snprintf(y->remote_dir, sizeof(y->remote_dir), "%s/rem", y->dir);
	yard_open(y);
}

static inline void
yard_remove(struct yard *y)
{
	transfer_report_release(&y->rep);
	remote_close(y->r);
	objects_close(y->cache);
	fsio_set_fault(NULL, NULL);
	(void)fsio_remove_tree(AT_FDCWD, y->dir, NULL);
}

/* Lose one side. */
static inline void
yard_lose(struct yard *y, const char *dir)
{
	struct err err = {0};

	ok(fsio_remove_tree(AT_FDCWD, dir, &err));
	yard_open(y);
}

static inline struct object_id
yard_file(struct yard *y, const char *text)
{
	struct object_id id;
	struct err err = {0};
	struct batch *b;

	ok(batch_begin(y->cache, NULL, &b, &err));
	ok(batch_bytes(b, text, strlen(text), false, &id, &err));
	ok(batch_end(b, true, &err));
	return id;
}

/* A directory of the files f0, f1, ... whose texts are "<word> <from + i>\n". */
static inline struct object_id
yard_list(struct yard *y, const char *word, int from, int n)
{
	char path[32], text[64];
	struct object_id id;
	struct tree t = {0};
	struct err err = {0};
	struct batch *b;

	ok(batch_begin(y->cache, NULL, &b, &err));
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "sub%d/f%d", i % 3, i);
		(void)snprintf(text, sizeof(text), "%s %d\n", word, from + i);
		ok(batch_bytes(b, text, strlen(text), false, &id, &err));
		ok(tree_add(&t, path, strlen(path), id.md5, (int64_t)strlen(text), &err));
	}
	ok(tree_sort(&t, &err));
	ok(batch_tree(b, &t, &id, NULL, &err));
	ok(batch_end(b, true, &err));
	tree_release(&t);
	return id;
}

static inline struct transfer_want
want(struct object_id id, const char *path)
{
	return (struct transfer_want){.id = id, .path = path, .size = -1};
}

/* The path of an object of one side, in a static buffer. */
static inline const char *
at(const char *dir, const struct object_id *id)
{
	static char path[2][256];
	static unsigned turn;
	struct buf b;

	buf_init(&b, 0);
	objects_name(id, &b);
	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, b.p);
	buf_release(&b);
	return path[turn];
}

/* Change an object's bytes where it lies. */
static inline void
damage(const char *dir, const struct object_id *id)
{
	const char *path = at(dir, id);
	int fd;

	assert_int_equal(chmod(path, 0644), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "#", 1, 0), 1);
	(void)close(fd);
	assert_int_equal(chmod(path, 0444), 0);
}

static inline void
lose(const char *dir, const struct object_id *id)
{
	assert_int_equal(unlink(at(dir, id)), 0);
}

static inline bool
has(const char *dir, const struct object_id *id)
{
	return access(at(dir, id), F_OK) == 0;
}

/* The id of a file in a list. */
static inline struct object_id
entry(struct yard *y, const struct object_id *list, size_t i)
{
	struct object_id id;
	struct tree t = {0};
	struct err err = {0};

	ok(objects_tree(y->cache, list, &t, &err));
	assert_true(i < t.n);
	tree_entry_id(&t, &t.v[i], &id);
	tree_release(&t);
	return id;
}

/* Is all of it there, each object with the bytes of its name? */
static inline bool
whole(const char *dir, const struct object_id *id)
{
	struct objects *o = yard_store(dir);
	struct object_id file;
	struct tree t = {0};
	struct err err = {0};
	bool all = objects_check(o, id, true, NULL, &err) == OBJECT_RIGHT;

	if (all && id->dir) {
		ok(objects_tree(o, id, &t, &err));
		for (size_t i = 0; all && i < t.n; i++) {
			tree_entry_id(&t, &t.v[i], &file);
			all = objects_check(o, &file, true, NULL, &err) == OBJECT_RIGHT;
		}
		tree_release(&t);
	}
	objects_close(o);
	return all;
}

/* Is every object below a directory right, and every list there with all of its files? */
static inline void
sound(const char *dir, bool closed)
{
	struct object_set *set = object_set_new();
	struct object_set_cursor c = {0};
	struct objects *o = yard_store(dir);
	struct object_id id;
	struct err err = {0};

	ok(objects_list(o, false, set, NULL, &err));
	while (object_set_next(set, &c, &id)) {
		if (objects_check(o, &id, true, NULL, &err) != OBJECT_RIGHT)
			fail_msg("%s", err.msg);
		if (closed && id.dir && !whole(dir, &id))
			fail_msg("%s: a list without its files", at(dir, &id));
	}
	objects_close(o);
	object_set_free(set);
}

static inline size_t
temporaries(const char *dir)
{
	return shop_files(AT_FDCWD, dir, true);
}

static inline size_t
objects_in(const char *dir)
{
	return shop_files(AT_FDCWD, dir, false);
}

static inline int
push(struct yard *y, const struct transfer_want *v, size_t n, struct err *err)
{
	transfer_report_release(&y->rep);
	return transfer_push(&y->opt, v, n, &y->rep, err);
}

static inline int
fetch(struct yard *y, const struct transfer_want *v, size_t n, struct err *err)
{
	transfer_report_release(&y->rep);
	return transfer_fetch(&y->opt, v, n, &y->rep, err);
}

/* The only note of a kind. */
static inline const struct transfer_note *
note_of(const struct yard *y, enum transfer_fate fate)
{
	const struct transfer_note *found = NULL;

	assert_int_equal(y->rep.fates[fate], 1);
	vec_foreach (&y->rep.notes, const struct transfer_note, n)
		if (n->fate == fate)
			found = n;
	assert_non_null(found);
	return found;
}

#define note_says(fate, text)                                             \
	do {                                                              \
		if (strstr(note_of(&y, (fate))->err.msg, (text)) == NULL) \
			fail_msg("\"%s\" does not say \"%s\"",            \
				 note_of(&y, (fate))->err.msg, (text));   \
	} while (0)

#endif
