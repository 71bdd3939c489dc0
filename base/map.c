#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t seed; /* set before main, so threads only read it */

__attribute__((constructor)) static void
choose_seed(void)
{
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&seed;
}

/* FNV-1a with a random start and a final mix: fast for short keys, not predictable. */
static uint64_t
hash(const char *key, size_t len)
{
	uint64_t h = seed ^ 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

void
map_release(struct map *m)
{
	free(m->v);
	free(m->slots);
	memset(m, 0, sizeof(*m));
}

/* The slot that holds the key, or the free slot where it would go. */
static size_t
find(const struct map *m, const char *key, size_t len, uint64_t h)
{
	size_t i = (size_t)h & (m->nslots - 1);

	for (;; i = (i + 1) & (m->nslots - 1)) {
		const struct map_entry *e;

		if (m->slots[i] == 0)
			return i;
		e = &m->v[m->slots[i] - 1];
		if (e->hash == h && e->len == len && memcmp(e->key, key, len) == 0)
			return i;
	}
}

static struct map_entry *
lookup(const struct map *m, const char *key, size_t len)
{
	size_t i;

	if (m->nslots == 0)
		return NULL;
	i = find(m, key, len, hash(key, len));
	return m->slots[i] != 0 ? &m->v[m->slots[i] - 1] : NULL;
}

void *
map_getn(const struct map *m, const char *key, size_t len)
{
	struct map_entry *e = lookup(m, key, len);

	return e != NULL ? e->val : NULL;
}

void *
map_get(const struct map *m, const char *key)
{
	return map_getn(m, key, strlen(key));
}

bool
map_hasn(const struct map *m, const char *key, size_t len)
{
	return lookup(m, key, len) != NULL;
}

/* Room for one more entry, the table at most half full. */
static int
grow(struct map *m)
{
	struct map_entry *v;
	uint32_t *slots;
	size_t i, n, cap;

	if (m->n == m->cap) {
		cap = m->cap != 0 ? m->cap * 2 : 8;
		if (cap > UINT32_MAX / 4 || (v = realloc(m->v, cap * sizeof(*v))) == NULL)
			return -1;
		m->v = v;
		m->cap = cap;
	}
	if ((m->n + 1) * 2 <= m->nslots)
		return 0;
	n = m->nslots != 0 ? m->nslots * 2 : 16;
	if ((slots = calloc(n, sizeof(*slots))) == NULL)
		return -1;
	free(m->slots);
	m->slots = slots;
	m->nslots = n;
	for (i = 0; i < m->n; i++) {
		size_t at = (size_t)m->v[i].hash & (n - 1);

		while (slots[at] != 0)
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

int
map_putn(struct map *m, const char *key, size_t len, void *val)
{
	struct map_entry *e = lookup(m, key, len);
	uint64_t h;

	if (e != NULL) {
		e->val = val;
		return 1;
	}
	if (grow(m) != 0)
		return -1;
	h = hash(key, len);
	m->slots[find(m, key, len, h)] = (uint32_t)m->n + 1;
	m->v[m->n++] = (struct map_entry){.key = key, .len = len, .val = val, .hash = h};
	return 0;
}

int
map_put(struct map *m, const char *key, void *val)
{
	return map_putn(m, key, strlen(key), val);
}
