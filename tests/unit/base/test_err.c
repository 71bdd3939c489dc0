#include "base/err.h"

#include <errno.h>

#include "base/utf8.h"
#include "unit/base/fixture.h"

static void
test_set_and_wrap(void **state)
{
	struct err e;

	(void)state;
	err_clear(&e);
	assert_int_equal(e.code, ERR_NONE);
	assert_int_equal(err_set(&e, ERR_LIMIT, "'%s' is too long", "x"), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_string_equal(e.msg, "'x' is too long");
	assert_int_equal(err_wrap(&e, "task %d", 7), -1);
	assert_string_equal(e.msg, "task 7: 'x' is too long");
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(err_nomem(&e), -1);
	assert_int_equal(e.code, ERR_NOMEM);
	assert_int_equal(err_nomem(NULL), -1);
	assert_int_equal(err_set(NULL, ERR_SYS, "nobody listens"), -1);
	assert_int_equal(err_sys(NULL, EIO, "nobody listens"), -1);
	assert_int_equal(err_wrap(NULL, "nobody listens"), -1);
	err_clear(NULL);
}

static void
test_errno_to_code(void **state)
{
	static const struct {
		int errnum;
		enum err_code code;
	} cases[] = {
	    {ENOMEM, ERR_NOMEM},  {ENOSPC, ERR_FULL},	  {EDQUOT, ERR_FULL},
	    {EFBIG, ERR_FULL},	  {ENOENT, ERR_NOTFOUND}, {ENOTDIR, ERR_NOTFOUND},
	    {EEXIST, ERR_EXISTS}, {EIO, ERR_SYS},	  {EACCES, ERR_SYS},
	};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(err_sys(&e, cases[i].errnum, "cannot"), -1);
		assert_int_equal(e.code, cases[i].code);
		assert_int_equal(e.sys, cases[i].errnum);
	}
	(void)err_sys(&e, ENOENT, "cannot open '%s'", "x.yaml");
	assert_string_equal(e.msg, "cannot open 'x.yaml': No such file or directory");
	(void)err_wrap(&e, "run 1");
	assert_int_equal(e.sys, ENOENT);
	(void)err_set(&e, ERR_INVALID, "new");
	assert_int_equal(e.sys, 0);
}

static void
assert_whole_characters(const char *s)
{
	size_t n = strlen(s);
	uint32_t cp;
	int len;

	for (; n > 0; n -= (size_t)len, s += len) {
		len = utf8_decode(s, n, &cp);
		assert_true(len > 0);
	}
}

/* Characters of 1 to 4 bytes, at every offset from the end of the buffer. */
static void
test_cut_at_characters(void **state)
{
	static const char *const chars[] = {"x", "\xc3\xa9", "\xe2\x82\xac",
					    "\xf0\x9f\x98\x80"};
	char text[1200];
	struct err e;
	size_t c, pad, n;

	(void)state;
	for (c = 0; c < 4; c++) {
		for (pad = 0; pad < 4; pad++) {
			memset(text, 'p', pad);
			for (n = pad; n + 5 < sizeof(text); n += strlen(chars[c]))
				memcpy(text + n, chars[c], strlen(chars[c]));
			text[n] = '\0';
			(void)err_set(&e, ERR_INVALID, "%s", text);
			assert_whole_characters(e.msg);
			assert_true(strlen(e.msg) > sizeof(e.msg) - 6);
			(void)err_sys(&e, EIO, "%s", text);
			assert_whole_characters(e.msg);
			(void)err_set(&e, ERR_INVALID, "%.996s", text + pad);
			(void)err_wrap(&e, "context of so many letters %zu", pad);
			assert_whole_characters(e.msg);
			assert_memory_equal(e.msg, "context ", 8);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set_and_wrap),
	    cmocka_unit_test(test_errno_to_code),
	    cmocka_unit_test(test_cut_at_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
