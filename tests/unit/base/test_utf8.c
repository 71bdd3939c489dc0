#include "base/utf8.h"

#include "unit/base/fixture.h"

/* Every code point encoded here by hand reads back; no prefix of one does. */
static void
test_all_characters(void **state)
{
	char s[4];
	uint32_t cp, got;
	int len, cut;

	(void)state;
	for (cp = 0; cp <= 0x10ffff; cp++) {
		if (cp < 0x80) {
			len = 1;
			s[0] = (char)cp;
		} else {
			len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
			s[0] = (char)((0xf00 >> len & 0xf0) | cp >> 6 * (len - 1));
			for (cut = 1; cut < len; cut++)
				s[cut] =
				    (char)(0x80 | (cp >> 6 * (len - 1 - cut) & 0x3f));
		}
		if (cp >= 0xd800 && cp <= 0xdfff) {
			assert_int_equal(utf8_decode(s, 3, &got), -1);
			assert_int_equal(got, 0xfffd);
			continue;
		}
		if (utf8_decode(s, (size_t)len, &got) != len || got != cp)
			fail_msg("U+%04X", (unsigned)cp);
		for (cut = 1; cut < len; cut++)
			assert_int_equal(utf8_decode(s, (size_t)cut, &got), -cut);
	}
}

static void
test_ill_formed(void **state)
{
	static const struct {
		const char *bytes;
		int len;
	} cases[] = {
	    {"\x80", -1},
	    {"\xbf\x80", -1},
	    {"\xc0\x80", -1},
	    {"\xc1\xbf", -1},
	    {"\xc3(", -1},
	    {"\xe0\x9f\xbf", -1},
	    {"\xe2\x82(", -2},
	    {"\xed\xa0\x80", -1},
	    {"\xf0\x8f\xbf\xbf", -1},
	    {"\xf0\x9f\x98", -3},
	    {"\xf4\x90\x80\x80", -1},
	    {"\xf5\x80\x80\x80", -1},
	    {"\xff", -1},
	    {"\xfe", -1},
	};
	uint32_t got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    utf8_decode(cases[i].bytes, strlen(cases[i].bytes), &got),
		    cases[i].len);
		assert_int_equal(got, 0xfffd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_characters),
	    cmocka_unit_test(test_ill_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
