/*
 * Names that are one where capitals and small letters are.
 */
#include <locale.h>
#include <string.h>
#include <wctype.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/utf8.h"
#include "store/objects/tree.h"

struct folding {
	struct arena *arena; /* of the folded names */
	struct map names;    /* folded: the path that was so first */
	locale_t locale;
	struct err *err;
};

/* A character as small letter of its capital, so that all its forms become one. */
static uint32_t
fold(const struct folding *f, uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	if (f->locale == (locale_t)0)
		return c;
	return (uint32_t)towlower_l(towupper_l((wint_t)c, f->locale), f->locale);
}

/* The first ${len} bytes of a path, folded, in the arena. */
static const char *
folded(struct folding *f, const char *path, size_t len, size_t *n)
{
	char text[4 * TREE_PATH_MAX + 4], *copy;
	size_t at = 0;
	uint32_t c;

	*n = 0;
	while (at < len) {
		int k = utf8_decode(path + at, len - at, &c);

		at += (size_t)(k < 0 ? -k : k);
		*n += utf8_encode(fold(f, c), text + *n);
	}
	copy = arena_strndup(f->arena, text, *n);
	if (copy == NULL)
		(void)err_nomem(f->err);
	return copy;
}

/* A directory, or a file with its whole path: is another one folded to the same? */
static int
add_name(struct folding *f, const struct tree_entry *e, size_t len)
{
	const char *key, *other;
	char *original;
	size_t n;

	key = folded(f, e->path, len, &n);
	original = arena_strndup(f->arena, e->path, len);
	if (key == NULL || original == NULL)
		return err_nomem(f->err);
	other = map_getn(&f->names, key, n);
	if (other == NULL)
		return map_putn(&f->names, key, n, original) < 0 ? err_nomem(f->err) : 0;
	if (strcmp(other, original) == 0)
		return 0;
	(void)err_set(
	    f->err, ERR_INVALID,
	    "'%s' and '%s' differ only by capitals and small letters, which this "
	    "file system takes for one",
	    other, original);
	return 1;
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
tree_collision(const struct tree *t, struct err *err)
{
	struct folding f = {.arena = arena_new(0), .err = err};
	int r = 0;

	if (f.arena == NULL)
		return err_nomem(err);
	/* Without it letters beyond ASCII are told apart. */
	f.locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	for (size_t i = 0; r == 0 && i < t->n; i++)
		r = add_entry(&f, i > 0 ? &t->v[i - 1] : NULL, &t->v[i]);
	if (f.locale != (locale_t)0)
		freelocale(f.locale);
	map_release(&f.names);
	arena_free(f.arena);
	return r;
}
