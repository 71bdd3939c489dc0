/*
 * Single facts: of files that were put into the work tree, and of objects of a cache that were
 * found right.
 */
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "store/objects/index_internal.h"
#include "store/objects/object_id.h"

/* Notes that are held in memory. */
#define NOTED_MAX ((size_t)32 << 20)

#define SECOND_NS ((int64_t)1000000000)

/* Where somebody else's clock stamps, it may be off by so much. */
#define FOREIGN_TICK_NS (60 * SECOND_NS)

/* An old file system stamps whole seconds, FAT every second one. */
#define COARSE_TICK_NS (2 * SECOND_NS)

/* ---- raciness ---- */

static int64_t
tick_of(const struct statfs *fs)
{
	/* Those that the kernel stamps itself; not all of them are in linux/magic.h. */
	static const uint32_t local[] = {
	    EXT4_SUPER_MAGIC,
	    XFS_SUPER_MAGIC,
	    BTRFS_SUPER_MAGIC,
	    TMPFS_MAGIC,
	    RAMFS_MAGIC,
	    F2FS_SUPER_MAGIC,
	    OVERLAYFS_SUPER_MAGIC,
	    SQUASHFS_MAGIC,
	    REISERFS_SUPER_MAGIC,
	    NILFS_SUPER_MAGIC,
	    0x2fc12fc1, /* ZFS */
	    0xca451a4e, /* bcachefs */
	    0x3153464a, /* JFS */
	};

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if ((uint32_t)fs->f_type == local[i])
			return INDEX_TICK_NS;
	return FOREIGN_TICK_NS;
}

int64_t
index_tick(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 ? tick_of(&fs) : FOREIGN_TICK_NS;
}

int64_t
index_tick_at(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 ? tick_of(&fs) : FOREIGN_TICK_NS;
}

/* Whether a write after since could leave this stamp. */
static bool
is_racy(int64_t stamp_ns, int64_t since_ns, int64_t tick_ns)
{
	if (stamp_ns % SECOND_NS == 0 && tick_ns < COARSE_TICK_NS)
		tick_ns = COARSE_TICK_NS;
	return stamp_ns > since_ns - tick_ns;
}

unsigned
index_flags(const struct index_stat *st, int64_t since_ns, int64_t tick_ns)
{
	unsigned flags = 0;

	/* A ctime of the future is a clock that was put back. */
	if (is_racy(st->ctime_ns, since_ns, tick_ns))
		flags |= INDEX_RACY;
	/* Where ctime is the time of creation; an mtime of the future was set by hand, and
	 * a write would not leave it. */
	if (is_racy(st->mtime_ns, since_ns, tick_ns) &&
	    st->mtime_ns < since_ns + FOREIGN_TICK_NS)
		flags |= INDEX_RACY;
	if (index_is_young(st, since_ns))
		flags |= INDEX_YOUNG;
	return flags;
}

unsigned
index_flags_made(const struct index_stat *st, int64_t since_ns, int64_t tick_ns)
{
	bool exact = st->mtime_ns % SECOND_NS != 0 && tick_ns <= INDEX_TICK_NS;
	unsigned flags = index_is_young(st, since_ns) ? INDEX_YOUNG : 0;

	/* Where stamps are cut to seconds, or are another machine's, they say too little. */
	if (exact ? st->mtime_ns >= since_ns : is_racy(st->mtime_ns, since_ns, tick_ns))
		flags |= INDEX_RACY;
	return flags;
}

/* ---- notes ---- */

static void
free_noted(struct index_noted *at)
{
	index_dir_release(&at->dir);
	index_chunks_free(at->news);
	free(at->path);
	free(at);
}

void
index_drop_noted(struct index *ix)
{
	map_foreach (&ix->noted, it)
		free_noted(it->val);
	map_release(&ix->noted);
	ix->noted_bytes = 0;
}

static struct index_noted *
noted_of(struct index *ix, const char *dir)
{
	struct index_noted *at = map_get(&ix->noted, dir);

	if (at != NULL)
		return at;
	at = calloc(1, sizeof(*at));
	if (at == NULL || (at->path = strdup(dir)) == NULL ||
	    map_put(&ix->noted, at->path, at) < 0) {
		if (at != NULL)
			free_noted(at);
		return NULL;
	}
	return at;
}

/* Read what is stored; false if memory ran out. */
static bool
load_noted(struct index *ix, struct index_noted *at)
{
	struct index_loaded l;
	struct index_path *p;
	int r;

	if (at->loaded)
		return true;
	if (index_read_rows(ix, at->path, false, &l, NULL) != 0)
		return false;
	p = index_loaded_find(&l, at->path, strlen(at->path));
	r = index_dir_open(&at->dir, at->path, strlen(at->path),
			   p != NULL ? p->raws : NULL);
	index_loaded_release(&l);
	at->loaded = r == 0;
	return at->loaded;
}

/* Whether an entry that was found says the truth about this boot's files. */
static bool
is_fact(const struct index *ix, const struct index_row *row, const struct index_entry *e)
{
	static const uint8_t unknown[INDEX_BOOT];

	if ((e->flags & INDEX_RACY) != 0)
		return false;
	return (e->flags & INDEX_YOUNG) == 0 ||
	       (memcmp(index_row_boot(row), ix->boot, INDEX_BOOT) == 0 &&
		memcmp(ix->boot, unknown, INDEX_BOOT) != 0);
}

bool
index_known(struct index *ix, const char *dir, const char *name,
	    const struct index_stat *st, struct object_id *id)
{
	struct index_noted *at;
	struct index_entry e;
	struct index_row *row;
	bool known = false;

	if (ix == NULL || strlen(name) > INDEX_NAME_MAX)
		return false;
	(void)pthread_mutex_lock(&ix->lock);
	at = noted_of(ix, dir);
	if (at != NULL && load_noted(ix, at) &&
	    index_dir_find(&at->dir, name, strlen(name), &e, &row) != UINT32_MAX &&
	    index_stat_equal(&e.st, st) && is_fact(ix, row, &e)) {
		*id = (struct object_id){.legacy = (e.flags & INDEX_LEGACY) != 0};
		memcpy(id->md5, e.md5, sizeof(id->md5));
		known = true;
	}
	(void)pthread_mutex_unlock(&ix->lock);
	return known;
}

static void
add_note(struct index_noted *at, const struct index_entry *e, const uint8_t *boot)
{
	if (at->news == NULL) {
		at->news = calloc(1, sizeof(*at->news));
		if (at->news == NULL)
			return;
		if (index_row_init(&at->news->row, boot, 0) != 0) {
			free(at->news);
			at->news = NULL;
			return;
		}
	}
	/* Without memory it is not noted. */
	(void)index_row_add(&at->news->row, e);
}

void
index_note(struct index *ix, const char *dir, const char *name,
	   const struct index_fact *fact)
{
	struct index_entry e = {.name = name, .len = strlen(name), .st = fact->st};
	struct index_noted *at;

	if (ix == NULL || e.len > INDEX_NAME_MAX)
		return;
	memcpy(e.md5, fact->id->md5, sizeof(e.md5));
	e.flags = fact->made ? index_flags_made(&fact->st, fact->since_ns, fact->tick_ns)
			     : index_flags(&fact->st, fact->since_ns, fact->tick_ns);
	e.flags |= fact->link ? INDEX_LINK : 0;
	e.flags |= fact->id->legacy ? INDEX_LEGACY : 0;
	(void)pthread_mutex_lock(&ix->lock);
	at = ix->writable ? noted_of(ix, dir) : NULL;
	if (at != NULL) {
		add_note(at, &e, ix->boot);
		ix->noted_bytes += sizeof(e) + e.len;
	}
	if (ix->noted_bytes > NOTED_MAX)
		index_write_noted(ix);
	(void)pthread_mutex_unlock(&ix->lock);
}

/* Merge the notes of one directory with what is stored now, and write that. */
static void
write_one(struct index *ix, struct index_noted *at, int64_t now_ns)
{
	struct index_merge m = {
	    .boot = ix->boot, .now_ns = now_ns, .keep = true, .chunks = at->news};
	struct index_writes w = {0};

	at->news = NULL;
	index_dir_release(&at->dir);
	at->loaded = false;
	if (!load_noted(ix, at)) {
		index_chunks_free(m.chunks);
		return;
	}
	if (index_dir_merge(&at->dir, &m) == 0 && index_dir_seal(&at->dir) == 0 &&
	    index_dir_writes(&at->dir, &w) == 0)
		index_write_rows(ix, w.v, w.n);
	vec_release(&w);
}

void
index_write_noted(struct index *ix)
{
	int64_t now = clock_stamp_ns();

	map_foreach (&ix->noted, it) {
		struct index_noted *at = it->val;

		if (at->news != NULL)
			write_one(ix, at, now);
	}
	index_drop_noted(ix);
}
