/*
 * The `shim` file, and the lines of key=value underneath; the first byte is as in line.h.
 */
#include "base/proc.h"
#include "fuzz.h"
#include "line.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/shim_info.h"

/* The pairs of a line lie inside it, in order, and their numbers read as libc reads them. */
static void
check_pairs(const char *p, size_t n)
{
	const char *last = p;
	struct kvreader r;
	struct kvpair kv;
	int64_t i;
	uint64_t u;
	int rc;

	if (kvline_open(&r, p, n) != 0)
		return;
	CHECK(r.version >= 1);
	while ((rc = kvline_next(&r, &kv)) == 1) {
		char *val = fuzz_string((const uint8_t *)kv.val, kv.nval);

		CHECK(kv.key >= last && kv.nkey > 0);
		CHECK(kv.val == kv.key + kv.nkey + 1 && kv.val[-1] == '=');
		last = kv.val + kv.nval;
		CHECK(last <= p + n - KVLINE_SUM_LEN);
		CHECK(memchr(kv.val, ' ', kv.nval) == NULL);
		CHECK(memchr(kv.key, '=', kv.nkey) == NULL);
		if (kvpair_int(&kv, &i) == 0)
			CHECK(i == strtoll(val, NULL, 10));
		if (kvpair_u64(&kv, &u) == 0)
			CHECK(u == strtoull(val, NULL, 10));
		free(val);
	}
	CHECK(rc == 0 || rc == -1);
}

static void
check_whole(const struct shim_info *i, const char *p, size_t n)
{
	char out[SHIM_INFO_MAX], again[SHIM_INFO_MAX];
	struct shim_info back;
	struct proc_id id;
	char *copy = fuzz_text((const uint8_t *)p, n);
	size_t len = shim_info_encode(i, out);

	CHECK(len > 0 && len <= sizeof(out));
	CHECK(shim_info_decode(&back, out, len) == 0);
	CHECK(shim_info_encode(&back, again) == len && memcmp(out, again, len) == 0);
	shim_info_id(i, &id);
	for (size_t k = 0; k < n; k++) {
		char was = copy[k];

		copy[k] = (char)(was ^ (1 << (k % 8)));
		CHECK(shim_info_decode(&back, copy, n) == -1);
		copy[k] = was;
		CHECK(shim_info_decode(&back, copy, k) == -1);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct shim_info i, file;
	struct err err = {0};
	size_t len;
	char *p = fuzz_line(data, n, &len);
	int rc;

	check_pairs(p, len);
	rc = shim_info_decode(&i, p, len);
	CHECK(rc == 0 || rc == -1);
	if (rc == 0)
		check_whole(&i, p, len);
	if (len % 4 == 0) {
		fuzz_put(ATTEMPT_SHIM, p, len);
		CHECK(shim_info_read(fuzz_dir(), &file, &err) == (rc == 0));
	}
	free(p);
	return 0;
}
