#include "store/objects/index_row.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"

#define HEAD	   INDEX_ROW_HEAD
#define ENTRY	   ((size_t)50) /* without the name */
#define AT_BOOT	   16
#define AT_COUNT   32
#define AT_VERSION 36
#define AT_SPLIT   37
#define AT_ZERO	   38
#define SPLIT_MAX  12

#define DIGEST 16

/* A slot: the number of an entry + 1, with some bits of its name's hash above. */
#define TAG_SHIFT 20
#define SLOT_MASK ((1u << TAG_SHIFT) - 1)
#define ROW_MAX	  (SLOT_MASK - 1) /* entries */

static void
put_64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static uint64_t
get_64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static void
put_32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static uint32_t
get_32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* ---- the state of a file ---- */

static int64_t
stamp_ns(const struct timespec *ts)
{
	/* Unsigned, as a time that does not fit wraps around. */
	return (int64_t)((uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec);
}

void
index_stat_of(const struct stat *st, const struct stat *link, struct index_stat *out)
{
	uint64_t mix[6];

	*out = (struct index_stat){.size = (uint64_t)st->st_size,
				   .mtime_ns = stamp_ns(&st->st_mtim),
				   .ctime_ns = stamp_ns(&st->st_ctim),
				   .ino = (uint64_t)st->st_ino};
	if (link == NULL)
		return;
	mix[0] = out->ino;
	mix[1] = (uint64_t)st->st_dev;
	mix[2] = (uint64_t)link->st_ino;
	mix[3] = (uint64_t)stamp_ns(&link->st_mtim);
	mix[4] = (uint64_t)stamp_ns(&link->st_ctim);
	mix[5] = (uint64_t)link->st_size;
	out->ino = hash_64(mix, sizeof(mix));
}

bool
index_stat_equal(const struct index_stat *a, const struct index_stat *b)
{
	return a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns && a->ino == b->ino;
}

uint64_t
index_name_hash(const char *name, size_t len)
{
	return hash_64(name, len);
}

/* ---- entries ---- */

void
index_row_get(const struct index_row *row, size_t at, struct index_entry *e)
{
	const uint8_t *p = row->p + at;

	e->flags = p[0];
	e->len = p[1];
	memcpy(e->md5, p + 2, sizeof(e->md5));
	e->st.size = get_64(p + 18);
	e->st.mtime_ns = (int64_t)get_64(p + 26);
	e->st.ctime_ns = (int64_t)get_64(p + 34);
	e->st.ino = get_64(p + 42);
	e->name = (const char *)p + ENTRY;
}

void
index_row_set(struct index_row *row, size_t at, const struct index_entry *e)
{
	uint8_t *p = row->p + at;

	p[0] = (uint8_t)e->flags;
	memcpy(p + 2, e->md5, sizeof(e->md5));
	put_64(p + 18, e->st.size);
	put_64(p + 26, (uint64_t)e->st.mtime_ns);
	put_64(p + 34, (uint64_t)e->st.ctime_ns);
	put_64(p + 42, e->st.ino);
}

bool
index_row_next(const struct index_row *row, size_t *at, struct index_entry *e)
{
	size_t here = *at == 0 ? HEAD : *at;

	if (row->p == NULL || here >= row->len)
		return false;
	index_row_get(row, here, e);
	*at = here + ENTRY + e->len;
	return true;
}

/* ---- making ---- */

static int
grow(struct index_row *row, size_t need)
{
	size_t cap = row->cap < 512 ? 512 : row->cap;
	uint8_t *p;

	while (cap < need)
		cap += cap / 2;
	p = realloc(row->p, cap);
	if (p == NULL)
		return -1;
	row->p = p;
	row->cap = cap;
	return 0;
}

int
index_row_init(struct index_row *row, const uint8_t boot[INDEX_BOOT], unsigned split)
{
	*row = (struct index_row){0};
	if (grow(row, HEAD) != 0)
		return -1;
	memset(row->p, 0, HEAD);
	memcpy(row->p + AT_BOOT, boot, INDEX_BOOT);
	row->p[AT_VERSION] = INDEX_VERSION;
	row->p[AT_SPLIT] = (uint8_t)split;
	row->len = HEAD;
	return 0;
}

int
index_row_add(struct index_row *row, const struct index_entry *e)
{
	size_t at = row->len, need = at + ENTRY + e->len;

	if (row->n >= ROW_MAX || (need > row->cap && grow(row, need) != 0))
		return -1;
	row->p[at + 1] = (uint8_t)e->len;
	memcpy(row->p + at + ENTRY, e->name, e->len);
	index_row_set(row, at, e);
	row->len = need;
	row->n++;
	return 0;
}

/* ---- the table of names ---- */

static uint32_t *
slot_of(const struct index_row *row, const char *name, size_t len, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 40) << TAG_SHIFT;
	uint32_t i = (uint32_t)hash & row->mask;

	for (;; i = (i + 1) & row->mask) {
		uint32_t s = row->slots[i];
		const uint8_t *p;

		if (s == 0)
			return &row->slots[i];
		if ((s & ~SLOT_MASK) != tag)
			continue;
		p = row->p + row->at[(s & SLOT_MASK) - 1];
		if (p[1] == len && memcmp(p + ENTRY, name, len) == 0)
			return &row->slots[i];
	}
}

uint32_t
index_row_find(const struct index_row *row, const char *name, size_t len, uint64_t hash)
{
	uint32_t s;

	if (row->n == 0)
		return UINT32_MAX;
	s = *slot_of(row, name, len, hash);
	return s == 0 ? UINT32_MAX : (s & SLOT_MASK) - 1;
}

/* One allocation: where they lie, the slots, the marks. */
static int
alloc_table(struct index_row *row)
{
	size_t slots = 8;
	uint8_t *p;

	while (slots < (size_t)row->n + row->n / 2)
		slots *= 2;
	p = calloc(1, ((size_t)row->n + slots) * sizeof(uint32_t) + row->n);
	if (p == NULL)
		return -1;
	row->at = (uint32_t *)(void *)p;
	row->slots = row->at + row->n;
	row->seen = (uint8_t *)(row->slots + slots);
	row->mask = (uint32_t)slots - 1;
	return 0;
}

int
index_row_index(struct index_row *row)
{
	size_t at = HEAD;
	uint32_t i;

	if (alloc_table(row) != 0)
		return -1;
	for (i = 0; i < row->n; i++) {
		const char *name;
		uint64_t hash;
		uint32_t *slot;
		size_t len;

		if (row->len - at < ENTRY || row->len - at - ENTRY < row->p[at + 1]) {
			index_row_unindex(row);
			return 1;
		}
		name = (const char *)row->p + at + ENTRY;
		len = row->p[at + 1];
		hash = index_name_hash(name, len);
		row->at[i] = (uint32_t)at;
		slot = slot_of(row, name, len, hash);
		if (*slot != 0)
			row->p[at] |= INDEX_GONE;
		else
			*slot = (uint32_t)(hash >> 40) << TAG_SHIFT | (i + 1);
		at += ENTRY + len;
	}
	if (at == row->len)
		return 0;
	index_row_unindex(row);
	return 1;
}

void
index_row_unindex(struct index_row *row)
{
	free(row->at);
	row->at = row->slots = NULL;
	row->seen = NULL;
}

/* ---- storing ---- */

/* The checksum that the row should have, where it belongs. */
static int
checksum(const struct index_row *row, const struct index_key *key, uint8_t out[HASH_MAX])
{
	struct hash *h = hash_new(HASH_SHA256);
	uint8_t part[4];
	int r = -1;

	put_32(part, key->part);
	if (h != NULL && hash_update(h, key->path, key->len) == 0 &&
	    hash_update(h, part, sizeof(part)) == 0 &&
	    hash_update(h, row->p + DIGEST, row->len - DIGEST) == 0)
		r = hash_raw(h, out);
	hash_free(h);
	return r;
}

int
index_row_seal(struct index_row *row, const struct index_key *key)
{
	uint8_t sum[HASH_MAX], *p;
	struct index_entry e;
	size_t from = 0, to = HEAD, here;
	uint32_t n = 0;

	index_row_unindex(row);
	for (here = HEAD; index_row_next(row, &from, &e); here = from) {
		if ((e.flags & (INDEX_GONE | INDEX_HASH)) != 0)
			continue;
		row->p[here] &= INDEX_STORED;
		memmove(row->p + to, row->p + here, from - here);
		to += from - here;
		n++;
	}
	row->len = to;
	row->n = n;
	put_32(row->p + AT_COUNT, n);
	p = realloc(row->p, row->len);
	if (p != NULL) {
		row->p = p;
		row->cap = row->len;
	}
	if (checksum(row, key, sum) != 0)
		return -1;
	memcpy(row->p, sum, DIGEST);
	return 0;
}

/* Whether each entry is one that a sealed row may hold. */
static bool
are_sound(const struct index_row *row)
{
	for (uint32_t i = 0; i < row->n; i++)
		if ((row->p[row->at[i]] & ~(unsigned)INDEX_STORED) != 0)
			return false;
	return true;
}

int
index_row_open(struct index_row *row, uint8_t *p, size_t n, const struct index_key *key)
{
	uint8_t sum[HASH_MAX];
	int r = 1;

	*row = (struct index_row){.p = p, .len = n, .cap = n};
	if (n < HEAD || n > UINT32_MAX || p[AT_VERSION] != INDEX_VERSION ||
	    p[AT_SPLIT] > SPLIT_MAX || p[AT_ZERO] != 0 || p[AT_ZERO + 1] != 0)
		goto bad;
	row->n = get_32(p + AT_COUNT);
	if (row->n > ROW_MAX || row->n > (n - HEAD) / ENTRY)
		goto bad;
	r = -1;
	if (checksum(row, key, sum) != 0)
		goto bad;
	r = 1;
	if (memcmp(sum, p, DIGEST) != 0)
		goto bad;
	r = index_row_index(row);
	if (r == 0 && are_sound(row))
		return 0;
	r = r == 0 ? 1 : r;
bad:
	index_row_release(row);
	return r;
}

void
index_row_release(struct index_row *row)
{
	index_row_unindex(row);
	free(row->p);
	*row = (struct index_row){0};
}

const uint8_t *
index_row_boot(const struct index_row *row)
{
	return row->p + AT_BOOT;
}

unsigned
index_row_split(const struct index_row *row)
{
	return row->p[AT_SPLIT];
}

const uint8_t *
index_row_digest(const struct index_row *row)
{
	return row->p;
}

/* ---- what a directory's tree was called ---- */

int
index_tree_pack(const struct index_key *key, const struct index_tree *t,
		uint8_t out[INDEX_TREE])
{
	struct index_row row = {.p = out, .len = INDEX_TREE};
	uint8_t sum[HASH_MAX];

	memcpy(out + DIGEST, t->key, DIGEST);
	memcpy(out + (size_t)2 * DIGEST, t->md5, DIGEST);
	if (checksum(&row, key, sum) != 0)
		return -1;
	memcpy(out, sum, DIGEST);
	return 0;
}

bool
index_tree_unpack(const struct index_key *key, uint8_t *p, size_t n, struct index_tree *t)
{
	struct index_row row = {.p = p, .len = n};
	uint8_t sum[HASH_MAX];

	if (n != INDEX_TREE || checksum(&row, key, sum) != 0 ||
	    memcmp(sum, p, DIGEST) != 0)
		return false;
	memcpy(t->key, p + DIGEST, DIGEST);
	memcpy(t->md5, p + (size_t)2 * DIGEST, DIGEST);
	return true;
}
