#include "base/hash.h"

#include "unit/base/fixture.h"

static const struct {
	enum hash_kind kind;
	const char *text, *hex;
} vectors[] = {
    {HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {HASH_SHA256, "abc",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
};

static void
test_vectors(void **state)
{
	char hex[HASH_HEX_MAX];
	struct hash *h;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t n = strlen(vectors[i].text);

		assert_int_equal(hash_bytes(vectors[i].kind, vectors[i].text, n, hex), 0);
		assert_string_equal(hex, vectors[i].hex);
		h = hash_new(vectors[i].kind);
		assert_non_null(h);
		/* Twice: the first hash_hex resets. */
		for (j = 0; j < 2 * n; j++) {
			assert_int_equal(hash_update(h, vectors[i].text + j % n, 1), 0);
			if (j + 1 == n)
				assert_int_equal(hash_hex(h, hex), 0);
		}
		assert_int_equal(hash_hex(h, hex), 0);
		assert_string_equal(hex, vectors[i].hex);
		hash_free(h);
	}
	hash_free(NULL);
	assert_null(hash_new((enum hash_kind)7));
	assert_int_equal(hash_bytes((enum hash_kind)7, "", 0, hex), -1);
}

/* A million "a" in pieces of every size. */
static void
test_pieces(void **state)
{
	char a[1000], hex[HASH_HEX_MAX];
	struct hash *h = hash_new(HASH_SHA256);
	size_t left = 1000000, n = 1;

	(void)state;
	assert_non_null(h);
	memset(a, 'a', sizeof(a));
	for (; left > 0; left -= n, n = n % 1000 + 1) {
		n = n < left ? n : left;
		assert_int_equal(hash_update(h, a, n), 0);
	}
	assert_int_equal(hash_hex(h, hex), 0);
	assert_string_equal(
	    hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	hash_free(h);
}

/* Names on disk are made from it: it may never change. */
static void
test_hash_64_is_fixed(void **state)
{
	(void)state;
	assert_true(hash_64("", 0) == 0xfdbdf6ac4fc52e7f);
	assert_true(hash_64("abc", 3) == 0x6f86e146a5fc0950);
	assert_true(hash_64("\0\377", 2) == 0x113845c591e989e0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_hash_64_is_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
