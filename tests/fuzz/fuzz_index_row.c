/*
 * A row of the index.  The input is a row without its checksum: with the right one it is
 * refused, or every entry is found by its name, and sealed again it is the same; with any
 * other byte it is refused.  Merged with itself as new entries it holds the same names.
 */
#include "base/hash.h"
#include "fuzz.h"
#include "store/objects/index_dir.h"

static const struct index_key key = {"some/dir", 8, 0};
static const uint8_t boot[INDEX_BOOT] = "this boot";

/* The row with its checksum, malloc'ed. */
static uint8_t *
whole(const uint8_t *data, size_t n)
{
	static const uint8_t part[4];
	struct hash *h = fuzz_need(hash_new(HASH_SHA256));
	uint8_t *p = fuzz_need(malloc(n + 16)), sum[HASH_MAX];

	if (n != 0)
		memcpy(p + 16, data, n);
	CHECK(hash_update(h, key.path, key.len) == 0 && hash_update(h, part, 4) == 0 &&
	      hash_update(h, data, n) == 0 && hash_raw(h, sum) == 0);
	memcpy(p, sum, 16);
	hash_free(h);
	return p;
}

static uint8_t *
copy(const uint8_t *p, size_t n)
{
	uint8_t *c = fuzz_need(malloc(n));

	memcpy(c, p, n);
	return c;
}

static void
check_entries(const struct index_row *row)
{
	struct index_entry e;
	uint32_t n = 0;
	size_t at = 0;

	while (index_row_next(row, &at, &e)) {
		CHECK((e.flags & ~(unsigned)INDEX_STORED) == 0);
		CHECK(e.len <= INDEX_NAME_MAX);
		CHECK(index_row_find(row, e.name, e.len,
				     index_name_hash(e.name, e.len)) == n);
		n++;
	}
	CHECK(n == row->n && (n == 0 || at == row->len));
}

/* One byte wrong, or one too few. */
static void
check_refused(const uint8_t *p, size_t n, size_t at)
{
	struct index_row row;
	uint8_t *c = copy(p, n);

	c[at] ^= 0x10;
	CHECK(index_row_open(&row, c, n, &key) == 1);
	CHECK(index_row_open(&row, copy(p, n), n - 1, &key) == 1);
}

static struct index_chunk *
chunk_of(const struct index_row *row)
{
	struct index_chunk *c = fuzz_need(calloc(1, sizeof(*c)));
	struct index_entry e;
	size_t at = 0;

	CHECK(index_row_init(&c->row, boot, 0) == 0);
	while (index_row_next(row, &at, &e)) {
		e.st.size++;
		CHECK(index_row_add(&c->row, &e) == 0);
	}
	return c;
}

static void
check_merged(const struct index_row *row, const uint8_t *p)
{
	struct index_merge m = {.boot = boot, .now_ns = 1, .keep = true};
	struct index_raw raw = {.p = copy(p, row->len), .n = row->len};
	struct index_entry e, found;
	struct index_dir d;
	size_t at = 0, i, n = 0;

	CHECK(index_dir_open(&d, key.path, key.len, &raw) == 0 && d.stored);
	m.chunks = chunk_of(row);
	CHECK(index_dir_merge(&d, &m) == 0 && m.chunks == NULL);
	CHECK(index_dir_seal(&d) == 0);
	for (i = 0; i < (size_t)1 << d.split; i++) {
		struct index_key k = {key.path, key.len, (uint32_t)i};
		struct index_row back;

		n += d.rows[i].n;
		CHECK(index_row_open(&back, copy(d.rows[i].p, d.rows[i].len),
				     d.rows[i].len, &k) == 0);
		index_row_release(&d.rows[i]);
		d.rows[i] = back;
	}
	CHECK(n == row->n);
	while (index_row_next(row, &at, &e)) {
		struct index_row *in;

		CHECK(index_dir_find(&d, e.name, e.len, &found, &in) != UINT32_MAX);
		CHECK(found.st.size == e.st.size + 1);
	}
	index_dir_release(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *p = whole(data, n);
	struct index_row row;
	int rc = index_row_open(&row, copy(p, n + 16), n + 16, &key);

	CHECK(rc == 0 || rc == 1);
	if (rc == 0) {
		check_entries(&row);
		check_refused(p, n + 16, n == 0 ? 0 : data[0] % (n + 16));
		if (index_row_split(&row) == 0)
			check_merged(&row, p);
		CHECK(index_row_seal(&row, &key) == 0);
		CHECK(row.len == n + 16 && memcmp(row.p, p, row.len) == 0);
	}
	index_row_release(&row);
	free(p);
	return 0;
}
