#include "tasks/proto/mask.h"

#include "base/buf.h"
#include "tasks/proto/mask_wire.h"
#include "tasks/proto/shim_spec.h"
#include "unit/tasks/fixture.h"

static struct mask *
mask_of(const char *const *texts, size_t n, size_t *size)
{
	struct shim_secret s[MASK_SECRETS_MAX];
	struct err err = {0};
	struct mask *m;

	for (size_t i = 0; i < n; i++)
		s[i] = (struct shim_secret){texts[i], strlen(texts[i])};
	m = mask_new(s, n, size, &err);
	if (m == NULL)
		fail_msg("%s", err.msg);
	assert_true(mask_valid(m, *size));
	return m;
}

/* Feed in pieces of at most ${piece} bytes, as the shim does. */
static void
stream(const struct mask *m, const char *p, size_t n, size_t piece, struct buf *out)
{
	struct mask_stream s = {0};
	char *in = malloc(n + 1), *to = malloc(MASK_OUT_MAX(n));
	size_t held = 0, len, used;

	assert_true(in != NULL && to != NULL);
	while (n > 0) {
		size_t k = n < piece ? n : piece;

		memcpy(in + held, p, k);
		p += k;
		n -= k;
		held += k;
		used = mask_step(m, &s, in, held, n == 0, to, &len);
		assert_true(len <= MASK_OUT_MAX(held));
		buf_add(out, to, len);
		held -= used;
		assert_true(held <= MASK_HOLD_MAX);
		memmove(in, in + used, held);
	}
	assert_int_equal(held, 0);
	free(in);
	free(to);
}

static void
check(const char *const *secrets, size_t nsecrets, const char *text, const char *want)
{
	size_t size, n = strlen(text);
	struct mask *m = mask_of(secrets, nsecrets, &size);
	struct buf b;

	buf_init(&b, 0);
	mask_apply(m, text, n, &b);
	assert_string_equal(b.p, want);
	for (size_t piece = 1; piece <= n; piece++) {
		buf_clear(&b);
		stream(m, text, n, piece, &b);
		assert_string_equal(b.p, want);
	}
	buf_release(&b);
	mask_free(m, size);
}

static void
test_plain(void **state)
{
	static const char *const one[] = {"hunter2!"};
	static const char *const nested[] = {"password", "password-is-long", "word-is-"};
	static const char *const self[] = {"abababab"};

	(void)state;
	check(one, 1, "", "");
	check(one, 1, "x", "x");
	check(one, 1, "hunter2!", "***");
	check(one, 1, "hunter2", "hunter2");
	check(one, 1, "xhunter2!y", "x***y");
	check(one, 1, "hunter2!hunter2!", "******");
	check(one, 1, "hunter2hunter2!hunter2", "hunter2***hunter2");
	/* The longest wins; where it is not whole, the shorter does. */
	check(nested, 3, "a password-is-long b", "a *** b");
	check(nested, 3, "a password-is-lon b", "a ***lon b");
	check(nested, 3, "a password-is- b", "a *** b");
	check(nested, 3, "password", "***");
	/* What overlaps is one, and nothing of either shows. */
	check(self, 1, "xababababababx", "x***x");
	check(self, 1, "xabababaxabababab", "xabababax***");
}

static void
test_base64(void **state)
{
	static const char *const s[] = {"sekretsekret"};
	static const char *const odd[] = {"0123456789"};
	static const char *const url[] = {"\xfb\xff\xfe\xfb\xff\xfe\xfb\xff\xfe"};

	(void)state;
	/* printf %s X | base64, for X = S, aS, abS, SZ, a:Sbc */
	check(s, 1, "c2VrcmV0c2VrcmV0", "***");
	check(s, 1, "YXNla3JldHNla3JldA==", "YX***A==");
	check(s, 1, "YWJzZWtyZXRzZWtyZXQ=", "YWJ***Q=");
	check(s, 1, "c2VrcmV0c2VrcmV0Wg==", "***Wg==");
	/* Alone its last character and padding go too. */
	check(odd, 1, "MDEyMzQ1Njc4OQ==", "***");
	check(odd, 1, "MDEyMzQ1Njc4OQ", "***");
	check(odd, 1, "MDEyMzQ1Njc4OTo=", "***To=");
	check(url, 1, "+//++//++//+", "***");
	check(url, 1, "-__--__--__-", "***");
}

/* Our own forms, bit by bit from an encoding of the whole. */
static size_t
encode(const unsigned char *p, size_t n, char *out)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t o = 0;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? (uint32_t)p[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			out[o++] = set[v >> (18 - 6 * k) & 63];
	}
	return o;
}

/* Wherever a secret is encoded, what is left of it is less than 8 bits on each side. */
static void
test_base64_anywhere(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (int round = 0; round < 300; round++) {
		unsigned char text[200], enc[300];
		char secret[41];
		const char *const list[] = {secret};
		size_t len = 8 + next_random(&seed) % 30,
		       before = next_random(&seed) % 50;
		size_t total = before + len + next_random(&seed) % 50, n, size, left;
		struct mask *m;
		struct buf b;

		for (size_t i = 0; i < total; i++)
			text[i] = (unsigned char)(1 + next_random(&seed) % 255);
		memcpy(secret, text + before, len);
		secret[len] = '\0';
		n = encode(text, total, (char *)enc);
		m = mask_of(list, 1, &size);
		buf_init(&b, 0);
		stream(m, (char *)enc, n, 1 + next_random(&seed) % 40, &b);
		assert_non_null(strstr(b.p, MASK_TEXT));
		left = b.n - 3;
		/* At most one character on each side, besides what holds none of it. */
		assert_true(left * 6 <= (total - len) * 8 + 5 + 2 * 6 + 16);
		buf_release(&b);
		mask_free(m, size);
	}
}

/* The same by brute force: every place, every form, the union of what they cover. */
static void
naive(const char *const *f, size_t nf, const char *p, size_t n, struct buf *out)
{
	size_t covered = 0;

	for (size_t i = 0; i < n; i++) {
		size_t best = 0;

		for (size_t k = 0; k < nf; k++) {
			size_t len = strlen(f[k]);

			if (len <= n - i && len > best && memcmp(f[k], p + i, len) == 0)
				best = len;
		}
		if (best > 0 && covered == 0)
			buf_adds(out, MASK_TEXT);
		if (best > covered)
			covered = best;
		if (covered > 0)
			covered--;
		else
			buf_addc(out, p[i]);
	}
}

/* Many secrets over two letters, so that they overlap in every way; random cuts. */
static void
test_against_brute_force(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 200; round++) {
		char secrets[6][24], text[401];
		const char *list[6];
		size_t ns = 1 + next_random(&seed) % 6, n = 1 + next_random(&seed) % 400,
		       size;
		struct buf want, got;
		struct mask *m;

		for (size_t i = 0; i < ns; i++) {
			size_t len = 8 + next_random(&seed) % 5;

			for (size_t k = 0; k < len; k++)
				secrets[i][k] = next_random(&seed) % 5 != 0 ? 'a' : 'b';
			secrets[i][len] = '\0';
			list[i] = secrets[i];
		}
		for (size_t i = 0; i < n; i++)
			text[i] = next_random(&seed) % 5 != 0 ? 'a' : 'b';
		m = mask_of(list, ns, &size);
		buf_init(&want, 0);
		buf_init(&got, 0);
		naive(list, ns, text, n, &want);
		stream(m, text, n, 1 + next_random(&seed) % 17, &got);
		assert_int_equal(want.n, got.n);
		assert_memory_equal(want.p, got.p, want.n);
		buf_release(&want);
		buf_release(&got);
		mask_free(m, size);
	}
}

static void
test_limits(void **state)
{
	static char big[MASK_SECRET_MAX + 1];
	static struct shim_secret many[MASK_SECRETS_MAX + 1];
	static char names[MASK_SECRETS_MAX + 1][24];
	struct err err = {0};
	size_t size;
	struct mask *m;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(mask_check(big, MASK_SECRET_MIN, &err), 0);
	assert_int_equal(mask_check(big, MASK_SECRET_MIN - 1, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_int_equal(mask_check(big, MASK_SECRET_MAX, &err), 0);
	assert_int_equal(mask_check(big, MASK_SECRET_MAX + 1, &err), -1);
	assert_null(strstr(err.msg, "xxx"));
	for (size_t i = 0; i <= MASK_SECRETS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "secret-number-%zu", i);
		many[i] = (struct shim_secret){names[i], strlen(names[i])};
	}
	m = mask_new(many, MASK_SECRETS_MAX, &size, &err);
	assert_non_null(m);
	mask_free(m, size);
	assert_null(mask_new(many, MASK_SECRETS_MAX + 1, &size, &err));
	assert_null(mask_new(many, 0, &size, &err));
}

/* 64 of the longest, alike but for their end: held back whole, and found. */
static void
test_largest(void **state)
{
	static char text[MASK_SECRETS_MAX][MASK_SECRET_MAX + 1];
	const char *list[MASK_SECRETS_MAX];
	struct buf in, out;
	size_t size;
	struct mask *m;

	(void)state;
	for (size_t i = 0; i < MASK_SECRETS_MAX; i++) {
		memset(text[i], 'a', MASK_SECRET_MAX);
		text[i][MASK_SECRET_MAX - 1] = (char)(' ' + i);
		list[i] = text[i];
	}
	m = mask_of(list, MASK_SECRETS_MAX, &size);
	buf_init(&in, 0);
	buf_init(&out, 0);
	for (int i = 0; i < 9000; i++)
		buf_addc(&in, 'a');
	buf_add(&in, text[7], MASK_SECRET_MAX);
	buf_adds(&in, "end");
	stream(m, in.p, in.n, 1000, &out);
	assert_int_equal(out.n, 9000 + 3 + 3);
	assert_string_equal(out.p + 9000, "***end");
	buf_release(&in);
	buf_release(&out);
	mask_free(m, size);
}

/* A damaged block is refused, or at least never leads outside of itself (ASan watches). */
static void
test_damaged_block(void **state)
{
	static const char *const list[] = {"hunter2!", "hunter3!", "sekretsekret"};
	static const char text[] =
	    "xx hunter2! hunter3! sekretsekret c2VrcmV0c2VrcmV0 xx";
	size_t size;
	struct mask *m = mask_of(list, 3, &size), *bad = malloc(size);
	struct buf out;

	(void)state;
	assert_non_null(bad);
	buf_init(&out, 0);
	for (size_t i = 0; i < size - 1; i += 4)
		assert_false(mask_valid(m, i));
	for (size_t i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			if (i >= 16 && i < offsetof(struct mask, nodes) - 8)
				continue; /* the pairs lead nowhere */
			memcpy(bad, m, size);
			((char *)bad)[i] = (char)(((char *)bad)[i] ^ (1 << bit));
			if (mask_valid(bad, size)) {
				buf_clear(&out);
				stream(bad, text, sizeof(text) - 1, 7, &out);
			}
		}
	free(bad);
	buf_release(&out);
	mask_free(m, size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_base64),
	    cmocka_unit_test(test_base64_anywhere),
	    cmocka_unit_test(test_against_brute_force),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_damaged_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
