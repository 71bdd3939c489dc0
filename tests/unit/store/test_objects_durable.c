/*
 * What survives: every call of a batch fails once, the process dies at every step, and the
 * order of syncs and renames is watched.  An object that can be seen is right and durable.
 */
#include <sys/wait.h>

#include "base/fault.h"
#include "store/objects/batch.h"
#include "store/objects/object_set.h"
#include "store/objects/tree.h"
#include "unit/base/fault.h"
#include "unit/store/objects_test.h"

#define BIG (((size_t)1 << 20) + 77)

/* ---- the work: small objects, two that are larger than a buffer, a list ---- */

static bool stepwise; /* the flush by its steps, the first more than once */

static int
work(struct objects *o, unsigned small, struct err *err)
{
	static uint8_t big[BIG];
	struct tree t = {0};
	struct object_id id;
	struct batch *b;
	char text[32];
	int r;

	if (batch_begin(o, NULL, &b, err) != 0)
		return -1;
	r = 0;
	for (unsigned i = 0; r == 0 && i < small; i++) {
		int n = snprintf(text, sizeof(text), "file %u", i);

		r = batch_bytes(b, text, (size_t)n, false, &id, err);
		if (r == 0)
			r = tree_add(&t, text, (size_t)n, id.md5, n, err);
		if (r == 0 && stepwise && i == 1)
			r = batch_sync(b, err);
	}
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		memset(big, (int)i + 1, sizeof(big));
		r = batch_bytes(b, big, sizeof(big), false, &id, err);
	}
	if (r == 0)
		r = tree_sort(&t, err);
	if (r == 0)
		r = batch_tree(b, &t, &id, NULL, err);
	tree_release(&t);
	if (r == 0 && stepwise)
		r = batch_sync(b, err) != 0 || batch_name(b, err) != 0 ? -1 : 0;
	if (batch_end(b, r == 0, err) != 0)
		r = -1;
	return r;
}

/* Every object that has a name is right.  Return how many. */
static size_t
all_right(struct shop *s)
{
	struct object_set *set = object_set_new();
	struct object_set_cursor c = {0};
	struct err err = {0};
	struct object_id id;
	size_t n = 0;

	assert_non_null(set);
	ok(objects_list(s->o, false, set, NULL, &err));
	for (; object_set_next(set, &c, &id); n++)
		assert_int_equal(objects_check(s->o, &id, true, NULL, &err),
				 OBJECT_RIGHT);
	object_set_free(set);
	return n;
}

/* In memory where there is room: it is the calls that count, not the disk. */
static void
fast_shop(struct shop *s)
{
	shop_make_in(s, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

/* ---- every call fails once ---- */

static void
fail_each(unsigned small, enum fsio_op op, int answer)
{
	struct err err = {0};
	struct shop s;
	int n, r;

	for (n = 1;; n++) {
		struct fault f = {.op = op, .from = n, .times = 1};

		f.answer = answer;
		fast_shop(&s);
		fault_start(&f);
		err_clear(&err);
		r = work(s.o, small, &err);
		fault_end();
		(void)all_right(&s);
		assert_int_equal(shop_files(s.fd, ".", true), 0);
		if (f.seen < n)
			break;
		if (answer < 0) {
			assert_int_equal(r, 0); /* a short write is no failure */
		} else {
			assert_int_equal(r, -1);
			assert_true(err.msg[0] != '\0');
			assert_int_equal(err.code, answer == ENOSPC ? ERR_FULL : ERR_SYS);
		}
		/* The next call completes it. */
		objects_close(s.o);
		shop_open(&s, false, false);
		ok(work(s.o, small, &err));
		assert_int_equal(all_right(&s), small + 3);
		shop_remove(&s);
	}
	assert_int_equal(r, 0);
	assert_int_equal(all_right(&s), small + 3);
	shop_remove(&s);
	assert_true(n > 2);
}

static void
every_call_fails_once(void **state)
{
	stepwise = *state != NULL;
	fail_each(3, FSIO_OPEN, EIO);
	fail_each(3, FSIO_WRITE, ENOSPC);
	fail_each(3, FSIO_WRITE, -5);
	fail_each(3, FSIO_SYNC, EIO);
	fail_each(3, FSIO_RENAME, EIO);
	fail_each(3, FSIO_MKDIR, EACCES);
	fail_each(20, FSIO_SYNC, EIO);
	fail_each(20, FSIO_RENAME, ENOSPC);
	stepwise = false;
}

/* After a failed sync nothing is tried again: the kernel may have dropped the bytes. */
static void
a_failed_sync_is_final(void **state)
{
	struct fault f = {.op = FSIO_SYNC, .from = 1, .times = 1, .answer = EIO};
	struct object_id id;
	struct err err = {0};
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(work(s.o, 1, &err));
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "new", 3, false, &id, &err));
	fault_start(&f);
	fails(batch_flush(b, &err), ERR_SYS);
	says("durable");
	fails(batch_flush(b, &err), ERR_SYS);
	says("durable");
	fails(batch_bytes(b, "other", 5, false, &id, &err), ERR_SYS);
	says("durable");
	assert_int_equal(f.seen, 1);
	fault_end();
	fails(batch_end(b, true, &err), ERR_SYS);
	assert_int_equal(all_right(&s), 4);
	assert_int_equal(shop_files(s.fd, ".", true), 0);
	shop_remove(&s);
}

/* ---- the order ---- */

enum step { MADE, SYNCED, SYNCED_ALL, NAMED, SYNCED_DIR };

struct trace {
	struct {
		enum step step;
		char name[64];
	} v[512];
	size_t n;
};

static void
note(struct trace *t, enum step step, const char *name)
{
	assert_true(t->n < sizeof(t->v) / sizeof(t->v[0]));
	t->v[t->n].step = step;
	(void)snprintf(t->v[t->n++].name, sizeof(t->v[0].name), "%s", name);
}

static bool
is_temp(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static bool
seen(const struct trace *t, enum step step, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].step == step && strcmp(t->v[i].name, name) == 0)
			return true;
	return false;
}

static int
watch(void *ctx, enum fsio_op op, const char *path)
{
	struct trace *t = ctx;

	if (op == FSIO_OPEN && is_temp(path) && !seen(t, MADE, path))
		note(t, MADE, path);
	else if (op == FSIO_SYNC && is_temp(path))
		note(t, SYNCED, path);
	else if (op == FSIO_SYNC && path[0] == '/')
		note(t, SYNCED_ALL, path);
	else if (op == FSIO_SYNC)
		note(t, SYNCED_DIR, path);
	else if (op == FSIO_RENAME && !seen(t, NAMED, path))
		note(t, NAMED, path); /* the first may find no directory */
	return 0;
}

/*
 * The law: when one is named, all that were made before have been synced (a batch names all or
 * none, so that is what it does); when all is over, so has each directory that got a name, or
 * everything.  Return NULL, or what breaks it.
 */
static const char *
law(const struct trace *t)
{
	size_t unsynced = 0, i;

	for (i = 0; i < t->n; i++) {
		switch (t->v[i].step) {
		case MADE:
			unsynced++;
			break;
		case SYNCED:
			unsynced--;
			break;
		case SYNCED_ALL:
			unsynced = 0;
			break;
		case NAMED:
			if (unsynced != 0)
				return "named before it was synced";
			break;
		case SYNCED_DIR:
		default:
			break;
		}
	}
	for (i = 0; i < t->n; i++) {
		char dir[3] = {t->v[i].name[0], t->v[i].name[1], '\0'};
		struct trace rest = {0};

		if (t->v[i].step != NAMED)
			continue;
		for (size_t k = i; k < t->n; k++)
			if (t->v[k].step == SYNCED_ALL || t->v[k].step == SYNCED_DIR)
				note(&rest, t->v[k].step, t->v[k].name);
		for (size_t k = 0; k < rest.n; k++)
			if (rest.v[k].step == SYNCED_ALL)
				goto durable;
		if (!seen(&rest, SYNCED_DIR, dir) || !seen(&rest, SYNCED_DIR, "."))
			return "a name that is not durable";
durable:;
	}
	return NULL;
}

static void
make_prefixes(struct shop *s)
{
	char dir[64];

	(void)mkdirat(s->fd, "cache", 0755);
	(void)mkdirat(s->fd, "cache/files", 0755);
	(void)mkdirat(s->fd, "cache/files/md5", 0755);
	for (int i = 0; i < 256; i++) {
		(void)snprintf(dir, sizeof(dir), "cache/files/md5/%02x", i);
		assert_int_equal(mkdirat(s->fd, dir, 0755), 0);
	}
}

static void
keeps_the_order(void **state)
{
	static struct trace t;
	struct err err = {0};
	struct shop s;
	size_t named;

	(void)state;
	for (unsigned small = 3; small <= 77; small += 37) {
		stepwise = small == 77;
		t.n = 0;
		shop_make(&s);
		make_prefixes(&s); /* or the first temporary is tried twice */
		fsio_set_fault(watch, &t);
		ok(work(s.o, small, &err));
		fsio_set_fault(NULL, NULL);
		if (law(&t) != NULL)
			fail_msg("%s", law(&t));
		named = 0;
		for (size_t i = 0; i < t.n; i++)
			named += t.v[i].step == NAMED;
		assert_int_equal(named, small + 3);
		shop_remove(&s);
	}
	stepwise = false;
}

/* The law itself sees what is wrong. */
static void
the_law_can_be_broken(void **state)
{
	static struct trace t;

	(void)state;
	note(&t, MADE, "ab/.1.tmp");
	note(&t, NAMED, "ab/cd");
	note(&t, SYNCED, "ab/.1.tmp");
	assert_string_equal(law(&t), "named before it was synced");
	t.n = 0;
	note(&t, MADE, "ab/.1.tmp");
	note(&t, SYNCED, "ab/.1.tmp");
	note(&t, NAMED, "ab/cd");
	assert_string_equal(law(&t), "a name that is not durable");
	note(&t, SYNCED_DIR, "ab");
	assert_string_equal(law(&t), "a name that is not durable");
	note(&t, SYNCED_DIR, ".");
	assert_null(law(&t));
	note(&t, NAMED, "ab/ef");
	assert_string_equal(law(&t), "a name that is not durable");
}

/* What another process named just now is synced before we say that it is there. */
static void
trusts_no_young_object(void **state)
{
	static struct trace t;
	struct err err = {0};
	struct object_id id;
	struct batch *b;
	struct shop s;

	(void)state;
	shop_make(&s);
	ok(work(s.o, 1, &err));
	t.n = 0;
	fsio_set_fault(watch, &t);
	ok(batch_begin(s.o, NULL, &b, &err));
	ok(batch_bytes(b, "file 0", 6, false, &id, &err));
	ok(batch_end(b, true, &err));
	fsio_set_fault(NULL, NULL);
	assert_int_equal(t.n, 3); /* the object, its directory, the one above */
	shop_remove(&s);
}

/* ---- death ---- */

static bool
dies_at(struct shop *s, const char *point, unsigned nth, unsigned small)
{
	char setting[64];
	int status = 0;
	pid_t pid;

	(void)snprintf(setting, sizeof(setting), "%s:%u", point, nth);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = {0};

		(void)setenv(FAULT_ENV, setting, 1);
		_exit(work(s->o, small, &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void
a_death_leaves_nothing_wrong(void **state)
{
	static const char *const points[] = {"object-temp", "object-written",
					     "objects-synced", "object-named",
					     "objects-durable"};
	struct err err = {0};
	struct shop s;
	size_t swept;

	(void)state;
	for (size_t p = 0; p < sizeof(points) / sizeof(points[0]); p++) {
		unsigned deaths = 0;

		for (unsigned small = 2; small <= 18; small += 16)
			for (unsigned nth = 1;; nth++) {
				bool died;

				/* The names of temporaries begin alike in both. */
				fast_shop(&s);
				died = dies_at(&s, points[p], nth, small);
				deaths += died;
				(void)all_right(&s);
				ok(work(s.o, small, &err));
				assert_int_equal(all_right(&s), small + 3);
				/* What the dead left is recognised as such. */
				ok(objects_sweep(s.o, NULL, INT64_MAX, &swept, &err));
				assert_int_equal(shop_files(s.fd, "cache", false),
						 small + 3);
				assert_int_equal(shop_files(s.fd, "cache", true), 0);
				shop_remove(&s);
				if (!died)
					break;
			}
		assert_true(deaths >= 2);
	}
}

int
main(void)
{
	static bool yes = true;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_call_fails_once),
	    cmocka_unit_test_prestate(every_call_fails_once, &yes),
	    cmocka_unit_test(a_failed_sync_is_final),
	    cmocka_unit_test(keeps_the_order),
	    cmocka_unit_test(the_law_can_be_broken),
	    cmocka_unit_test(trusts_no_young_object),
	    cmocka_unit_test(a_death_leaves_nothing_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
