/* What runs write down of the data that they use. */
#include "store/track/held.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/objects/object_id.h"
#include "store/track/collect.h"

#define RUN	  "01a20718-5051-725c-99a5-e4bb79afa231"
#define FILE_NAME "runs/" RUN "/" HELD_FILE

static char root[] = "/tmp/test_held.XXXXXX";
static int state_fd;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	state_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return state_fd < 0 || mkdirat(state_fd, "runs", 0700) != 0 ||
	       mkdirat(state_fd, "runs/" RUN, 0700) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(state_fd);
	return fsio_remove_tree(AT_FDCWD, root, NULL);
}

static struct track_out
out_of(const char *path, const char *hex, bool legacy)
{
	struct track_out o = {.path = path, .cache = true, .size = -1};

	if (hex != NULL)
		assert_int_equal(object_id_parse(hex, legacy, &o.id), 0);
	return o;
}

static int
put(void *ctx, const struct object_id *id, const char *path, struct err *err)
{
	char hex[OBJECT_HEX_MAX];
	struct buf *b = ctx;

	(void)err;
	buf_addf(b, "%s%s %s;", id->legacy ? "~" : "", object_id_hex(id, hex), path);
	return strcmp(path, "stop") == 0 ? 7 : 0;
}

static int
read_all(struct buf *b, struct err *err)
{
	buf_init(b, 0);
	*err = (struct err){0};
	return held_read(state_fd, RUN, put, b, err);
}

static const char one[] = "0123456789abcdef0123456789abcdef",
		  two[] = "00112233445566778899aabbccddeeff.dir";

static void
write_some(void)
{
	struct track_out v[] = {out_of("a b", one, false), out_of("d\ne\tf", two, false),
				out_of("legacy", two, true), out_of("none", NULL, false),
				out_of("not cached", one, false)};
	struct track_list l = {.outs = v, .n = sizeof(v) / sizeof(v[0])};
	struct err err = {0};

	v[4].cache = false;
	assert_int_equal(held_write(state_fd, RUN, &l, &err), 0);
}

static void
what_is_written_is_read(void **state)
{
	struct track_list none = {0};
	struct err err;
	struct buf b;

	(void)state;
	assert_int_equal(held_there(state_fd, RUN), 0);
	assert_int_equal(read_all(&b, &err), 1);
	buf_release(&b);
	write_some();
	assert_int_equal(held_there(state_fd, RUN), 1);
	assert_int_equal(read_all(&b, &err), 0);
	assert_string_equal(b.p, "0123456789abcdef0123456789abcdef a b;"
				 "00112233445566778899aabbccddeeff.dir d?e?f;"
				 "~00112233445566778899aabbccddeeff.dir legacy;");
	buf_release(&b);
	/* Nothing is tracked: that is known, too. */
	assert_int_equal(held_write(state_fd, RUN, &none, &err), 0);
	assert_int_equal(read_all(&b, &err), 0);
	assert_int_equal(b.n, 0);
	buf_release(&b);
	held_drop(state_fd, RUN);
	held_drop(state_fd, RUN);
	assert_int_equal(held_there(state_fd, RUN), 0);
	/* A run that has no directory. */
	assert_int_equal(held_write(state_fd, "nobody", &none, &err), -1);
	assert_non_null(strstr(err.msg, "nobody"));
}

static void
put_file(const char *p, size_t n)
{
	int fd =
	    openat(state_fd, FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, p, n), 0);
	(void)close(fd);
}

/* Cut anywhere, it counts for nothing as a whole. */
static void
cut_is_none(void **state)
{
	struct buf text, b;
	struct err err = {0};

	(void)state;
	write_some();
	buf_init(&text, 0);
	assert_int_equal(fsio_read(state_fd, FILE_NAME, 4096, &text, &err), 0);
	for (size_t n = 0; n < text.n; n++) {
		put_file(text.p, n);
		assert_int_equal(read_all(&b, &err), 1);
		assert_int_equal(b.n, 0);
		buf_release(&b);
	}
	/* As after a power loss: the length, but no bytes. */
	memset(text.p, 0, text.n);
	put_file(text.p, text.n);
	assert_int_equal(read_all(&b, &err), 1);
	buf_release(&b);
	buf_release(&text);
}

static void
nonsense(void **state)
{
	static const char *const texts[] = {
	    "x y\n. 1\n", "0123456789abcdef0123456789abcdef\n. 1\n", "\n. 1\n",
	    "~~0123456789abcdef0123456789abcdef a\n. 1\n",
	    "0123456789abcdef0123456789abcdef.dirx a\n. 1\n"};
	struct err err;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_file(texts[i], strlen(texts[i]));
		assert_int_equal(read_all(&b, &err), -1);
		assert_int_equal(err.code, ERR_CORRUPT);
		assert_non_null(strstr(err.msg, RUN));
		buf_release(&b);
	}
	/* Who is told may end it. */
	put_file("0123456789abcdef0123456789abcdef stop\n"
		 "0123456789abcdef0123456789abcdef more\n. 2\n",
		 80);
	assert_int_equal(read_all(&b, &err), 7);
	assert_string_equal(b.p, "0123456789abcdef0123456789abcdef stop;");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(cut_is_none),
	    cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
