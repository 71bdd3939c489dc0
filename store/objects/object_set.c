#include "store/objects/object_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store/objects/object_id.h"

#define BUCKETS	  256
#define KEY_BYTES (OBJECT_ID_BYTES - 1) /* the first byte is the bucket's */
#define SLOTS_MIN 8

enum { SLOT_USED = 1, SLOT_DIR = 2, SLOT_LEGACY = 4 };

struct slot {
	uint8_t key[KEY_BYTES];
	uint8_t flags; /* 0: free */
};

struct bucket {
	struct slot *v;
	size_t n, cap;
};

struct object_set {
	uint64_t seed; /* ids come from files that anybody may have written */
	struct bucket buckets[BUCKETS];
};

struct object_set *
object_set_new(void)
{
	struct object_set *s = calloc(1, sizeof(*s));

	if (s != NULL && getrandom(&s->seed, sizeof(s->seed), 0) != sizeof(s->seed))
		s->seed = (uintptr_t)s;
	if (s != NULL)
		s->seed |= 1;
	return s;
}

void
object_set_free(struct object_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		free(s->buckets[i].v);
	free(s);
}

void
object_set_clear(struct object_set *s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct bucket *b = &s->buckets[i];

		if (b->n != 0)
			memset(b->v, 0, b->cap * sizeof(*b->v));
		b->n = 0;
	}
}

/* Where the search for a key begins. */
static size_t
home(const struct object_set *s, const struct bucket *b, const struct slot *key)
{
	uint64_t lo, hi, h;

	memcpy(&lo, key, sizeof(lo));
	memcpy(&hi, (const char *)key + sizeof(lo), sizeof(hi));
	h = (lo ^ s->seed) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 32) ^ hi) * s->seed;
	h ^= h >> 29;
	return (size_t)(((h & UINT32_MAX) * (uint64_t)b->cap) >> 32);
}

/* The slot that holds the key, or the free one where it belongs. */
static struct slot *
find(const struct object_set *s, const struct bucket *b, const struct slot *key)
{
	size_t i = home(s, b, key);

	while (b->v[i].flags != 0 && memcmp(&b->v[i], key, sizeof(*key)) != 0)
		i = i + 1 < b->cap ? i + 1 : 0;
	return &b->v[i];
}

/* Keep at most 6 of 7 slots in use; grow by half. */
static int
grow(const struct object_set *s, struct bucket *b)
{
	struct bucket more = {.n = b->n, .cap = b->cap + b->cap / 2};

	if (b->n < b->cap / 7 * 6)
		return 0;
	if (more.cap < SLOTS_MIN)
		more.cap = SLOTS_MIN;
	more.v = calloc(more.cap, sizeof(*more.v));
	if (more.v == NULL)
		return -1;
	for (size_t i = 0; i < b->cap; i++)
		if (b->v[i].flags != 0)
			*find(s, &more, &b->v[i]) = b->v[i];
	free(b->v);
	*b = more;
	return 0;
}

static struct slot
slot_of(const struct object_id *id)
{
	struct slot key = {.flags = SLOT_USED};

	memcpy(key.key, id->md5 + 1, KEY_BYTES);
	key.flags = (uint8_t)(SLOT_USED | (id->dir ? SLOT_DIR : 0) |
			      (id->legacy ? SLOT_LEGACY : 0));
	return key;
}

int
object_set_add(struct object_set *s, const struct object_id *id)
{
	struct bucket *b = &s->buckets[id->md5[0]];
	struct slot key = slot_of(id), *at;

	if (grow(s, b) != 0)
		return -1;
	at = find(s, b, &key);
	if (at->flags != 0)
		return 0;
	*at = key;
	b->n++;
	return 1;
}

bool
object_set_has(const struct object_set *s, const struct object_id *id)
{
	const struct bucket *b = &s->buckets[id->md5[0]];
	struct slot key = slot_of(id);

	return b->n != 0 && find(s, b, &key)->flags != 0;
}

size_t
object_set_count(const struct object_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		n += s->buckets[i].n;
	return n;
}

bool
object_set_next(const struct object_set *s, struct object_set_cursor *c,
		struct object_id *id)
{
	for (; c->bucket < BUCKETS; c->bucket++, c->slot = 0) {
		const struct bucket *b = &s->buckets[c->bucket];

		while (c->slot < b->cap) {
			const struct slot *at = &b->v[c->slot++];

			if (at->flags == 0)
				continue;
			id->md5[0] = (uint8_t)c->bucket;
			memcpy(id->md5 + 1, at->key, KEY_BYTES);
			id->dir = (at->flags & SLOT_DIR) != 0;
			id->legacy = (at->flags & SLOT_LEGACY) != 0;
			return true;
		}
	}
	return false;
}
