/*
 * That a store has all files of a list is true until a name in it goes, and the directory
 * that it was in has other times then.  So 256 looks tell what else takes one for each file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "store/objects/index_internal.h"
#include "store/objects/object_id.h"
#include "store/objects/objects.h"

#define PREFIXES 256

/* ---- a look ---- */

/* One directory; false if it cannot be known. */
static bool
look_at(int base, unsigned i, struct index_stat *out)
{
	struct stat st;
	char name[3];

	(void)snprintf(name, sizeof(name), "%02x", i);
	*out = (struct index_stat){0};
	if (fstatat(base, name, &st, 0) == 0)
		index_stat_of(&st, NULL, out);
	else if (errno != ENOENT)
		return false;
	out->size = 0; /* says nothing */
	return true;
}

static void
look(const char *store, bool legacy, struct index_view *view)
{
	struct index_stat v[PREFIXES];
	int64_t since = clock_stamp_ns(), tick;
	struct hash *h = hash_new(HASH_SHA256);
	uint8_t raw[HASH_MAX];
	struct buf path;
	int base;

	*view = (struct index_view){.known = true, .old = true};
	buf_init(&path, 0);
	buf_addf(&path, "%s%s", store, legacy ? "" : "/files/md5");
	base = fsio_open(AT_FDCWD, path.p, O_RDONLY | O_DIRECTORY, 0);
	tick = base < 0 ? 0 : index_tick(base);
	for (unsigned i = 0; base >= 0 && view->known && i < PREFIXES; i++) {
		view->known = look_at(base, i, &v[i]);
		if ((index_flags(&v[i], since, tick) & INDEX_RACY) != 0)
			view->old = false;
	}
	if (base >= 0)
		(void)close(base);
	if (base < 0 || h == NULL || buf_failed(&path) ||
	    hash_update(h, v, sizeof(v)) != 0 || hash_raw(h, raw) != 0)
		view->known = false;
	else
		memcpy(view->digest, raw, sizeof(view->digest));
	hash_free(h);
	buf_release(&path);
}

/* ---- what is remembered ---- */

/* The key: where the list lies. */
static bool
key_of(const struct objects *o, const struct object_id *id, struct buf *path)
{
	buf_init(path, 0);
	objects_path(o, id, path);
	return !buf_failed(path);
}

bool
index_whole(struct index *ix, const struct objects *o, const struct object_id *id,
	    struct index_view *view)
{
	struct index_key key = {.part = (uint32_t)INDEX_PART_TREE};
	struct index_loaded l = {0};
	struct index_tree t;
	struct index_raw *raw;
	struct index_path *at;
	struct buf path;
	bool whole = false;

	*view = (struct index_view){0};
	if (ix == NULL || !id->dir)
		return false;
	look(objects_dir(o), id->legacy, view);
	if (!view->known)
		return false;
	if (key_of(o, id, &path) && index_load(ix, path.p, &l, NULL) == 0) {
		key.path = path.p;
		key.len = path.n;
		at = index_loaded_find(&l, path.p, path.n);
		for (raw = at != NULL ? at->raws : NULL; raw != NULL; raw = raw->next)
			if (raw->part == INDEX_PART_TREE &&
			    index_tree_unpack(&key, raw->p, raw->n, &t))
				whole = memcmp(t.key, view->digest, sizeof(t.key)) == 0 &&
					memcmp(t.md5, id->md5, sizeof(t.md5)) == 0;
		index_loaded_release(&l);
	}
	buf_release(&path);
	return whole;
}

void
index_note_whole(struct index *ix, const struct objects *o, const struct object_id *id,
		 const struct index_view *view)
{
	struct index_key key = {.part = (uint32_t)INDEX_PART_TREE};
	struct index_tree t;
	uint8_t packed[INDEX_TREE];
	struct buf path;

	if (ix == NULL || !view->known || !view->old)
		return;
	memcpy(t.key, view->digest, sizeof(t.key));
	memcpy(t.md5, id->md5, sizeof(t.md5));
	if (key_of(o, id, &path)) {
		key.path = path.p;
		key.len = path.n;
		if (index_tree_pack(&key, &t, packed) == 0) {
			struct index_write w = {.path = path.p,
						.len = path.n,
						.part = INDEX_PART_TREE,
						.p = packed,
						.n = sizeof(packed)};

			index_store(ix, &w, 1);
		}
	}
	buf_release(&path);
}
