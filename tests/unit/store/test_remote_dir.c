/* Directories as remotes: which are taken, what they look like, what they refuse. */
#include <grp.h>

#include "unit/store/transfer_test.h"

static int
try_open(const struct remote_spec *spec, struct err *err)
{
	struct remote *r = NULL;
	int rc;

	err_clear(err);
	rc = remote_open(spec, &r, err);
	remote_close(r);
	return rc;
}

#define refuses(spec, expected, text)                     \
	do {                                              \
		fails(try_open(&(spec), &err), expected); \
		says(text);                               \
	} while (0)

static void
kinds_that_we_do_not_speak(void **state)
{
	static const char *const urls[] = {
	    "s3://bucket/x",  "gs://b",	       "azure://c/x", "ssh://host/dir",
	    "https://host/x", "webdavs://h/x", "remote://a/b"};
	struct remote_spec spec = {.name = "far"};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		spec.url = urls[i];
		refuses(spec, ERR_INVALID, "does not speak");
		says(urls[i]);
		says("'far'");
	}
	spec.url = "";
	refuses(spec, ERR_INVALID, "has no url");
	spec.url = NULL;
	refuses(spec, ERR_INVALID, "dag remote modify far url");
	spec.url = "relative/path";
	refuses(spec, ERR_INVALID, "no absolute path");
	spec.url = "/tmp/x";
	spec.jobs = REMOTE_JOBS_MAX;
	ok(try_open(&spec, &err));
	spec.jobs = REMOTE_JOBS_MAX + 1;
	refuses(spec, ERR_LIMIT, "64");
	spec.jobs = 0;
	spec.url = "file:///tmp/x";
	ok(try_open(&spec, &err));
	spec.version_aware = true;
	refuses(spec, ERR_INVALID, "version_aware");
	spec.worktree = true;
	refuses(spec, ERR_INVALID, "'far' is set to 'worktree'");
}

static void
the_cache_is_no_remote(void **state)
{
	struct remote_spec spec = {.name = "r"};
	char link[128], dotted[128];
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	spec.cache = y.cache_dir;
	spec.url = dotted;
	/* It is not even there yet. */
	(void)snprintf(dotted, sizeof(dotted), "%s/x/../cache/", y.dir);
	refuses(spec, ERR_INVALID, "is the cache itself");
	v = want(yard_file(&y, "x"), "x");
	(void)snprintf(link, sizeof(link), "%s/link", y.dir);
	assert_int_equal(symlink("cache", link), 0);
	spec.url = link;
	refuses(spec, ERR_INVALID, "is the cache itself");
	/* By its inside. */
	make_dir(y.dir, "rem");
	make_dir(y.dir, "rem/files");
	(void)snprintf(link, sizeof(link), "%s/rem/files/md5", y.dir);
	assert_int_equal(symlink("../../cache/files/md5", link), 0);
	fails(push(&y, &v, 1, &err), ERR_INVALID);
	says("is the cache itself");
	yard_remove(&y);
}

static void
what_is_no_directory(void **state)
{
	struct transfer_want v;
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	v = want(yard_file(&y, "x"), "x");
	spill(y.dir, "rem", "a file");
	fails(push(&y, &v, 1, &err), ERR_INVALID);
	says("'r' is no directory");
	says(y.remote_dir);
	yard_lose(&y, y.cache_dir);
	fails(fetch(&y, &v, 1, &err), ERR_INVALID);
	says("'r' is no directory");
	fails(transfer_status(&y.opt, &v, 1, NULL, NULL, &y.rep, &err), ERR_INVALID);
	assert_string_equal(slurp(y.dir, "rem"), "a file");
	assert_int_equal(unlink(y.remote_dir), 0);
	/* Its parent is one: made neither. */
	spill(y.dir, "rem", "a file");
	(void)snprintf(y.remote_dir, sizeof(y.remote_dir), "%s/rem/deep", y.dir);
	yard_open(&y);
	v = want(yard_file(&y, "x"), "x");
	assert_int_equal(push(&y, &v, 1, &err), -1);
	says("rem/deep");
	yard_remove(&y);
}

static void
modes(void **state)
{
	static const struct {
		mode_t umask;
		bool shared;
		mode_t dir;
	} cases[] = {{022, false, 0755}, {077, false, 0700}, {077, true, 02775}};
	struct transfer_want v;
	struct err err = {0};
	struct stat st;
	struct yard y;
	mode_t old;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct remote_spec spec = {.name = "r", .shared = cases[i].shared};

		yard_make(&y);
		v = want(yard_file(&y, "foo"), "x");
		old = umask(cases[i].umask);
		remote_close(y.r);
		spec.url = y.remote_dir;
		ok(remote_open(&spec, &y.r, &err));
		y.opt.remote = y.r;
		ok(push(&y, &v, 1, &err));
		(void)umask(old);
		assert_int_equal(stat(at(y.remote_dir, &v.id), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0444);
		assert_int_equal(stat(y.remote_dir, &st), 0);
		assert_int_equal(st.st_mode & 07777, cases[i].dir);
		yard_remove(&y);
	}
}

static void
remotes_in_the_work_tree(void **state)
{
	struct remote_spec spec = {
	    .name = "r", .root = "/tmp/tree", .url = "/tmp/tree/rem"};
	struct remote *r;
	struct err err = {0};

	(void)state;
	ok(remote_open(&spec, &r, &err));
	assert_true(r->in_tree);
	assert_string_equal(r->url, "/tmp/tree/rem");
	remote_close(r);
	spec.url = "/tmp/tree2";
	ok(remote_open(&spec, &r, &err));
	assert_false(r->in_tree);
	assert_true(r->jobs >= 2 && r->jobs <= REMOTE_JOBS_MAX);
	remote_close(r);
	remote_close(NULL);
}

/* ---- the functions by themselves ---- */

static int
take(void *arg, const void *p, size_t n)
{
	struct buf *b = arg;

	buf_add(b, p, n);
	return b->max == 1 ? 1 : 0; /* it has had enough */
}

static void
the_table(void **state)
{
	struct object_id ids[2], id;
	uint8_t there[2];
	struct object_set *set = object_set_new();
	struct err err = {0};
	struct buf b;
	struct yard y;
	int fd;

	(void)state;
	yard_make(&y);
	ids[0] = yard_file(&y, "foo");
	ids[1] = yard_file(&y, "bar");
	buf_init(&b, 0);
	ok(y.r->ops->begin(y.r, REMOTE_WRITE, NULL, &err));
	assert_true(y.r->made);
	fd = objects_fd(y.cache, &ids[0], &err);
	/* Under another name it does not arrive. */
	fails(y.r->ops->put(y.r, &ids[1], fd, 3, false, &err), ERR_CORRUPT);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	ok(y.r->ops->put(y.r, &ids[0], fd, 3, false, &err));
	(void)close(fd);
	ok(y.r->ops->flush(y.r, &err));
	ok(y.r->ops->exists(y.r, ids, 2, there, NULL, &err));
	assert_int_equal(there[0], 1);
	assert_int_equal(there[1], 0);
	ok(y.r->ops->list(y.r, false, set, NULL, &err));
	assert_int_equal(object_set_count(set), 1);
	assert_true(object_set_has(set, &ids[0]));
	ok(y.r->ops->get(y.r, &ids[0], take, &b, &err));
	assert_string_equal(b.p, "foo");
	fails(y.r->ops->get(y.r, &ids[1], take, &b, &err), ERR_NOTFOUND);
	says(at(y.remote_dir, &ids[1]));
	b.max = 1;
	assert_int_equal(y.r->ops->get(y.r, &ids[0], take, &b, &err), -1);
	buf_release(&b);
	buf_init(&b, 0);
	y.r->ops->where(y.r, &ids[0], &b);
	assert_string_equal(b.p, at(y.remote_dir, &ids[0]));
	ok(y.r->ops->remove(y.r, &ids[0], &err));
	ok(y.r->ops->remove(y.r, &ids[0], &err));
	ok(y.r->ops->flush(y.r, &err));
	ok(y.r->ops->exists(y.r, ids, 1, there, NULL, &err));
	assert_int_equal(there[0], 0);
	/* What is not flushed is forgotten. */
	fd = objects_fd(y.cache, &ids[0], &err);
	ok(y.r->ops->put(y.r, &ids[0], fd, 3, false, &err));
	(void)close(fd);
	y.r->ops->end(y.r);
	assert_int_equal(objects_in(y.remote_dir), 0);
	id = ids[0];
	assert_false(has(y.remote_dir, &id));
	ok(y.r->ops->begin(y.r, REMOTE_READ, NULL, &err));
	assert_false(y.r->made);
	y.r->ops->end(y.r);
	buf_release(&b);
	object_set_free(set);
	yard_remove(&y);
}

/* Larger than any buffer on the way, and exactly of their sizes. */
static void
sizes(void **state)
{
	static const size_t all[] = {0,
				     1,
				     (256 << 10) - 1,
				     256 << 10,
				     (256 << 10) + 1,
				     1 << 20,
				     (1 << 20) + 1,
				     3 << 20};
	struct transfer_want v[8];
	struct err err = {0};
	struct batch *b;
	uint64_t total = 0;
	struct yard y;
	char *text = calloc(1, 3 << 20);

	(void)state;
	assert_non_null(text);
	yard_make(&y);
	for (size_t i = 0; i < 3 << 20; i++)
		text[i] = (char)(i * i >> 3);
	ok(batch_begin(y.cache, NULL, &b, &err));
	for (size_t i = 0; i < 8; i++) {
		struct object_id id;

		ok(batch_bytes(b, text, all[i], false, &id, &err));
		total += all[i];
		v[i] = want(id, "x");
	}
	ok(batch_end(b, true, &err));
	ok(push(&y, v, 8, &err));
	assert_int_equal(y.rep.bytes, total);
	for (size_t i = 0; i < 8; i++)
		assert_true(whole(y.remote_dir, &v[i].id));
	yard_lose(&y, y.cache_dir);
	ok(fetch(&y, v, 8, &err));
	for (size_t i = 0; i < 8; i++)
		assert_true(whole(y.cache_dir, &v[i].id));
	y.opt.verify = true;
	ok(push(&y, v, 8, &err));
	assert_int_equal(y.rep.checked, 8);
	free(text);
	yard_remove(&y);
}

/* ---- what belongs to somebody else ---- */

#define NOBODY 65534

/* In a child without rights: the exit status says which step was not as it should be. */
static int
as_nobody(struct yard *y, int (*fn)(struct yard *, const struct transfer_want *),
	  const struct transfer_want *v)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 ||
				       setuid(NOBODY) != 0))
			_exit(99);
		yard_open(y);
		_exit(fn(y, v));
	}
	return child_status(pid);
}

/* Is there one note of this fate, and does it say both? */
static bool
noted(const struct yard *y, enum transfer_fate fate, const char *a, const char *b)
{
	if (y->rep.fates[fate] != 1)
		return false;
	vec_foreach (&y->rep.notes, const struct transfer_note, n)
		if (n->fate == fate)
			return strstr(n->err.msg, a) != NULL &&
			       strstr(n->err.msg, b) != NULL;
	return false;
}

static int
push_to_others(struct yard *y, const struct transfer_want *v)
{
	struct err err = {0};

	/* One of the two prefixes is not ours. */
	if (push(y, v, 2, &err) != 0)
		return 1;
	if (!noted(y, TRANSFER_TROUBLE, "ermission denied", "'r'"))
		return 2;
	return y->rep.objects == 1 ? 0 : 3;
}

static int
push_to_nothing_of_ours(struct yard *y, const struct transfer_want *v)
{
	struct err err = {0};

	/* What is there already needs no rights. */
	if (push(y, v, 1, &err) != 0 || transfer_failures(&y->rep) != 0)
		return 1;
	if (fetch(y, v, 1, &err) != 0 || transfer_failures(&y->rep) != 0)
		return 2;
	return 0;
}

static int
closed_to_us(struct yard *y, const struct transfer_want *v)
{
	struct err err = {0};

	if (push(y, v, 1, &err) == 0 || strstr(err.msg, y->remote_dir) == NULL)
		return 1;
	if (strstr(err.msg, "ermission denied") == NULL)
		return 2;
	return temporaries(y->cache_dir) == 0 ? 0 : 3;
}

static void
remotes_of_others(void **state)
{
	struct transfer_want v[2];
	char prefix[256];
	struct err err = {0};
	struct yard y;

	(void)state;
	yard_make(&y);
	assert_int_equal(chmod(y.dir, 0777), 0);
	v[0] = want(yard_file(&y, "foo"), "x");
	v[1] = want(yard_file(&y, "bar"), "y");
	ok(push(&y, v, 2, &err));
	lose(y.remote_dir, &v[0].id);
	lose(y.remote_dir, &v[1].id);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(prefix, sizeof(prefix), "%s", at(y.remote_dir, &v[i].id));
		*strrchr(prefix, '/') = '\0';
		assert_int_equal(chmod(prefix, i == 0 ? 0555 : 0777), 0);
	}
	assert_int_equal(as_nobody(&y, push_to_others, v), 0);
	yard_open(&y);
	ok(push(&y, v, 2, &err));
	assert_true(whole(y.remote_dir, &v[0].id) && whole(y.remote_dir, &v[1].id));
	assert_int_equal(as_nobody(&y, push_to_nothing_of_ours, v), 0);
	assert_int_equal(chmod(y.remote_dir, 0700), 0);
	if (geteuid() == 0)
		assert_int_equal(as_nobody(&y, closed_to_us, v), 0);
	yard_remove(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_that_we_do_not_speak),
	    cmocka_unit_test(the_cache_is_no_remote),
	    cmocka_unit_test(what_is_no_directory),
	    cmocka_unit_test(modes),
	    cmocka_unit_test(remotes_in_the_work_tree),
	    cmocka_unit_test(the_table),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(remotes_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
