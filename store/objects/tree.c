#include "store/objects/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "store/objects/object_id.h"

#define SHOWN_MAX 120

void
tree_release(struct tree *t)
{
	arena_free(t->arena);
	vec_free(t->v);
	*t = (struct tree){0};
}

/* A path as it may stand in a message: short, without control characters or broken UTF-8. */
static const char *
shown(const char *p, size_t n, char out[SHOWN_MAX + 8])
{
	size_t at = 0, to = 0;
	uint32_t c;

	while (at < n && to < SHOWN_MAX) {
		int len = utf8_decode(p + at, n - at, &c);

		if (len < 0 || c < 0x20 || c == 0x7f) {
			out[to++] = '?';
			at += (size_t)(len < 0 ? -len : len);
			continue;
		}
		memcpy(out + to, p + at, (size_t)len);
		to += (size_t)len;
		at += (size_t)len;
	}
	if (at < n) {
		memcpy(out + to, "...", 3);
		to += 3;
	}
	out[to] = '\0';
	return out;
}

static bool
is_utf8(const char *p, size_t n)
{
	uint32_t c;
	int len;

	for (; n > 0; p += len, n -= (size_t)len) {
		/* Mostly ASCII. */
		len = (*p & 0x80) == 0 ? 1 : utf8_decode(p, n, &c);
		if (len < 0)
			return false;
	}
	return true;
}

/* Why a list cannot hold the path, or NULL. */
static const char *
path_fault(const char *p, size_t n)
{
	const char *end = p + n, *slash;
	size_t depth = 0, len;

	if (n == 0)
		return "it is empty";
	if (memchr(p, '\0', n) != NULL)
		return "it has a NUL";
	if (*p == '/')
		return "it is absolute";
	for (; p <= end; p = slash + 1) {
		slash = memchr(p, '/', (size_t)(end - p));
		if (slash == NULL)
			slash = end;
		len = (size_t)(slash - p);
		if (len == 0)
			return "it has an empty component";
		if ((len == 1 && *p == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return "it has a component '.' or '..'";
		if (++depth > TREE_DEPTH_MAX)
			return "it is too deep";
	}
	return is_utf8(end - n, n) ? NULL : "it is not UTF-8";
}

int
tree_add(struct tree *t, const char *path, size_t len, const uint8_t md5[16],
	 int64_t size, struct err *err)
{
	struct tree_entry e = {.size = size, .len = (uint32_t)len};
	char name[SHOWN_MAX + 8];
	const char *why;

	if (len > TREE_PATH_MAX)
		return err_set(err, ERR_LIMIT, "the path '%s' is longer than %d bytes",
			       shown(path, len, name), TREE_PATH_MAX);
	why = path_fault(path, len);
	if (why != NULL)
		return err_set(err, ERR_INVALID, "a list of files cannot hold '%s': %s",
			       shown(path, len, name), why);
	if (t->n >= TREE_FILES_MAX)
		return err_set(err, ERR_LIMIT, "there are more than %zu files",
			       TREE_FILES_MAX);
	if (t->arena == NULL && (t->arena = arena_new(0)) == NULL)
		return err_nomem(err);
	e.path = arena_strndup(t->arena, path, len);
	if (e.path == NULL)
		return err_nomem(err);
	memcpy(e.md5, md5, sizeof(e.md5));
	return vec_push(t, e) == 0 ? 0 : err_nomem(err);
}

/* ---- order ---- */

static int
compare(const char *a, size_t na, const char *b, size_t nb)
{
	int r = memcmp(a, b, na < nb ? na : nb);

	return r != 0 ? r : (na > nb) - (na < nb);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return compare(x->path, x->len, y->path, y->len);
}

/* The bytes that two paths have in common. */
static size_t
common(const struct tree_entry *a, const struct tree_entry *b)
{
	size_t i = 0;

	while (i < a->len && i < b->len && a->path[i] == b->path[i])
		i++;
	return i;
}

/* No directory on the way to entry i is a file; those of the entry before are known. */
static int
check_parents(const struct tree *t, size_t i, struct err *err)
{
	const struct tree_entry *e = &t->v[i];
	const char *at = e->path + (i != 0 ? common(e, e - 1) : 0), *slash;
	char name[SHOWN_MAX + 8];

	while ((slash = strchr(at, '/')) != NULL) {
		size_t len = (size_t)(slash - e->path);

		if (tree_find(t, e->path, len) != NULL)
			return err_set(err, ERR_INVALID,
				       "'%s' is a file and a directory at once",
				       shown(e->path, len, name));
		at = slash + 1;
	}
	return 0;
}

int
tree_sort(struct tree *t, struct err *err)
{
	char name[SHOWN_MAX + 8];
	bool sorted = true;
	size_t i;

	for (i = 1; sorted && i < t->n; i++)
		sorted = compare_entries(&t->v[i - 1], &t->v[i]) < 0;
	if (!sorted)
		qsort(t->v, t->n, sizeof(*t->v), compare_entries);
	for (i = 0; i < t->n; i++) {
		if (i != 0 && compare_entries(&t->v[i - 1], &t->v[i]) == 0)
			return err_set(err, ERR_INVALID, "'%s' is there twice",
				       shown(t->v[i].path, t->v[i].len, name));
		if (check_parents(t, i, err) != 0)
			return -1;
	}
	return 0;
}

const struct tree_entry *
tree_find(const struct tree *t, const char *path, size_t len)
{
	const struct tree_entry key = {.path = path, .len = (uint32_t)len};

	return t->n > 0 && len <= TREE_PATH_MAX
		   ? bsearch(&key, t->v, t->n, sizeof(*t->v), compare_entries)
		   : NULL;
}

void
tree_below(const struct tree *t, const char *path, size_t len, size_t *first, size_t *n)
{
	size_t lo = 0, hi = t->n, mid;

	*first = *n = 0;
	if (len == 0) {
		*n = t->n;
		return;
	}
	if (len >= TREE_PATH_MAX)
		return;
	/* Below "a" is what begins with "a/": from there to the first that does not. */
	while (lo < hi) {
		const struct tree_entry *e;
		int r;

		mid = lo + (hi - lo) / 2;
		e = &t->v[mid];
		r = compare(e->path, e->len < len ? e->len : len, path, len);
		if (r < 0 || (r == 0 && (e->len == len || (uint8_t)e->path[len] < '/')))
			lo = mid + 1;
		else
			hi = mid;
	}
	*first = lo;
	for (hi = t->n; lo < hi;) {
		const struct tree_entry *e;

		mid = lo + (hi - lo) / 2;
		e = &t->v[mid];
		if (e->len > len && e->path[len] == '/' &&
		    memcmp(e->path, path, len) == 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*n = lo - *first;
}

void
tree_entry_id(const struct tree *t, const struct tree_entry *e, struct object_id *id)
{
	*id = (struct object_id){.legacy = t->legacy};
	memcpy(id->md5, e->md5, sizeof(id->md5));
}
