#ifndef DAG_BASE_MAP_H
#define DAG_BASE_MAP_H
/*
 * A hash map from byte strings to pointers that remembers the order of insertion, so that
 * whatever is printed or hashed from it is the same in every run.  Our own rather than a
 * header-only package: those at hand (uthash, khash) iterate in hash order or put their
 * links into every struct; this is 150 lines and its seed is random, so nobody can choose
 * keys that collide.  Keys are not copied: they must outlive the map.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	const char *key;
	size_t len;
	void *val;
	uint64_t hash;
};

struct map {
	struct map_entry *v; /* entries in order of insertion */
	size_t n;
	size_t cap;
	uint32_t *slots; /* index + 1 into v; 0 is free */
	size_t nslots;	 /* a power of two, or 0 */
};

/* A zeroed map is empty. */

/**
 * map_release(m):
 * Free the table of ${m} (not the values) and make it empty.
 */
void map_release(struct map *);

/**
 * map_getn(m, key, len), map_get(m, key):
 * Return the value stored under the key, or NULL.
 */
void *map_getn(const struct map *, const char *, size_t);
void *map_get(const struct map *, const char *);

/**
 * map_hasn(m, key, len):
 * Return whether the key is there, whatever its value.
 */
bool map_hasn(const struct map *, const char *, size_t);

/**
 * map_putn(m, key, len, val), map_put(m, key, val):
 * Store ${val} under the key, replacing a value that was there (whose place in the order is
 * kept).  Return 0; 1 if it replaced one; -1 if memory ran out and nothing changed.
 */
int map_putn(struct map *, const char *, size_t, void *);
int map_put(struct map *, const char *, void *);

#define map_foreach(m, it)                                                        \
	for (struct map_entry *it = (m)->v,                                       \
			      *it##_end = (m)->n != 0 ? (m)->v + (m)->n : (m)->v; \
	     it != it##_end; it++)

#endif
