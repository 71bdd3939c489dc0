/*
 * Names that are one where capitals and small letters are, or the ways to write an accent.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "store/objects/tree.h"
#include "store/unicode.h"

struct folding {
	struct arena *arena; /* of the folded names */
	struct map names;    /* folded: the path that was so first */
	unsigned how;	     /* of UNICODE_... */
	struct err *err;
};

/* Set ${out} to the first ${len} bytes of a path, folded, in the arena. */
static int
folded(struct folding *f, const char *path, size_t len, unsigned how, const char **out,
       size_t *n)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	r = unicode_fold(path, len, how, &b, f->err);
	*n = b.n;
	*out = r == 0 ? arena_strndup(f->arena, b.n > 0 ? b.p : "", b.n) : NULL;
	buf_release(&b);
	if (r == 0 && *out == NULL)
		r = err_nomem(f->err);
	return r;
}

/* Why the two are one: told is the lesser reason. */
static int
say_collision(struct folding *f, const char *a, const char *b)
{
	const char *x, *y;
	size_t n, m;
	bool form = false;

	if ((f->how & UNICODE_FORM) != 0) {
		if (folded(f, a, strlen(a), UNICODE_FORM, &x, &n) != 0 ||
		    folded(f, b, strlen(b), UNICODE_FORM, &y, &m) != 0)
			return -1;
		form = n == m && memcmp(x, y, n) == 0;
	}
	(void)err_set(f->err, ERR_INVALID,
		      "'%s' and '%s' differ only by %s, which this file system takes for "
		      "one",
		      a, b,
		      form ? "how Unicode writes their accents (NFC, NFD)"
			   : "capitals and small letters");
	return 1;
}

/* A directory, or a file with its whole path: is another one folded to the same? */
static int
add_name(struct folding *f, const struct tree_entry *e, size_t len)
{
	const char *key, *other;
	char *original;
	size_t n;

	if (folded(f, e->path, len, f->how, &key, &n) != 0)
		return -1;
	original = arena_strndup(f->arena, e->path, len);
	if (original == NULL)
		return err_nomem(f->err);
	other = map_getn(&f->names, key, n);
	if (other == NULL)
		return map_putn(&f->names, key, n, original) < 0 ? err_nomem(f->err) : 0;
	if (strcmp(other, original) == 0)
		return 0;
	return say_collision(f, other, original);
}

/* All directories on the way to an entry that the one before it has not shared, and itself. */
static int
add_entry(struct folding *f, const struct tree_entry *before, const struct tree_entry *e)
{
	size_t shared = 0;
	int r = 0;

	while (before != NULL && shared < e->len && shared < before->len &&
	       e->path[shared] == before->path[shared])
		shared++;
	for (size_t i = shared; r == 0 && i < e->len; i++)
		if (e->path[i] == '/')
			r = add_name(f, e, i);
	return r == 0 ? add_name(f, e, e->len) : r;
}

int
tree_collision(const struct tree *t, unsigned how, struct err *err)
{
	struct folding f = {.arena = arena_new(0), .how = how, .err = err};
	int r = 0;

	if (f.arena == NULL)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < t->n; i++)
		r = add_entry(&f, i > 0 ? &t->v[i - 1] : NULL, &t->v[i]);
	map_release(&f.names);
	arena_free(f.arena);
	return r;
}
