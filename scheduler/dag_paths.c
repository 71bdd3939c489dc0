#include "scheduler/dag_paths.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"

#define SLASH '\x01' /* sorts before everything a path may hold */

bool
path_has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

const char *
path_tool_dir(const char *path)
{
	static const char *const names[] = {".git", ".dag", ".dvc"};
	size_t len;

	for (; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (len == strlen(names[i]) && strncmp(path, names[i], len) == 0)
				return names[i];
	}
	return NULL;
}

/* ---- which meet ---- */

/* A use with the text it is sorted by. */
struct item {
	const char *key; /* the path with SLASH for '/', "" for the root */
	size_t len;
	const struct path_use *use;
};

/* Equal paths: items [first, end) of the sorted array, outputs first. */
struct group {
	size_t first, inputs, end; /* inputs: where they begin */
};

struct sweep {
	struct arena *arena;
	const struct path_events *events;
	struct err *err;
	struct item *v;
	size_t n;
	struct group *stack; /* the groups above the current one */
	size_t depth;
	uint64_t work;
};

/* Whether a path that climbs or is absolute holds the root: "..", "../..", "/". */
static bool
holds_root(const char *path)
{
	if (strcmp(path, "/") == 0 || strcmp(path, ".") == 0)
		return true;
	while (strncmp(path, "../", 3) == 0)
		path += 3;
	return strcmp(path, "..") == 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	if (c != 0)
		return c;
	c = (int)y->use->output - (int)x->use->output; /* outputs first */
	return c != 0 ? c
		      : (int)x->use->shared - (int)y->use->shared; /* shared ones last */
}

/* Make the key of one path; false if it meets nothing. */
static bool
make_key(struct sweep *s, const struct path_use *use, struct item *item)
{
	char *key;

	item->use = use;
	item->key = "";
	item->len = 0;
	if (holds_root(use->path))
		return true;
	if (path_climbs(use->path))
		return false;
	item->len = strlen(use->path);
	key = arena_strndup(s->arena, use->path, item->len);
	item->key = key;
	for (; key != NULL && *key != '\0'; key++)
		if (*key == '/')
			*key = SLASH;
	return true;
}

static bool
is_above(const struct item *a, const struct item *b)
{
	return a->len == 0 || (a->len < b->len && b->key[a->len] == SLASH &&
			       memcmp(a->key, b->key, a->len) == 0);
}

/* ---- equal and nested paths ---- */

static int
meet_all(struct sweep *s, size_t out, size_t out_end, size_t in, size_t in_end)
{
	int rc;

	for (size_t i = out; i < out_end; i++)
		for (size_t j = in; j < in_end; j++)
			if ((rc = s->events->meet(s->events->ctx, s->v[i].use,
						  s->v[j].use)) != 0)
				return rc;
	return 0;
}

static int
clash_all(struct sweep *s, size_t a, size_t a_end, size_t b, size_t b_end)
{
	int rc;

	for (size_t i = a; i < a_end; i++)
		for (size_t j = b; j < b_end; j++)
			if (!s->v[i].use->shared && !s->v[j].use->shared &&
			    (rc = s->events->clash(s->events->ctx, s->v[i].use,
						   s->v[j].use)) != 0)
				return rc;
	return 0;
}

/* What the members of one group have to do with each other: the first output clashes with
 * all others, which is enough to name each of them. */
static int
within(struct sweep *s, const struct group *g)
{
	int rc = meet_all(s, g->first, g->inputs, g->inputs, g->end);

	if (rc == 0 && g->inputs - g->first > 1)
		rc = clash_all(s, g->first, g->first + 1, g->first + 1, g->inputs);
	return rc;
}

static int
nested(struct sweep *s, const struct group *upper, const struct group *g)
{
	int rc = meet_all(s, upper->first, upper->inputs, g->inputs, g->end);

	if (rc == 0)
		rc = meet_all(s, g->first, g->inputs, upper->inputs, upper->end);
	if (rc == 0 && upper->first < upper->inputs && g->first < g->inputs)
		rc = clash_all(s, upper->first, upper->first + 1, g->first, g->inputs);
	return rc;
}

static struct group
group_at(const struct sweep *s, size_t first)
{
	struct group g = {.first = first, .end = first + 1};

	while (g.end < s->n && strcmp(s->v[g.end].key, s->v[first].key) == 0)
		g.end++;
	for (g.inputs = first; g.inputs < g.end && s->v[g.inputs].use->output; g.inputs++)
		;
	return g;
}

static int
sweep_plain(struct sweep *s)
{
	struct group g;
	int rc;

	for (size_t i = 0; i < s->n; i = g.end) {
		g = group_at(s, i);
		while (s->depth > 0 &&
		       !is_above(&s->v[s->stack[s->depth - 1].first], &s->v[i]))
			s->depth--;
		if ((rc = within(s, &g)) != 0)
			return rc;
		for (size_t j = 0; j < s->depth; j++)
			if ((rc = nested(s, &s->stack[j], &g)) != 0)
				return rc;
		s->stack[s->depth++] = g;
	}
	return 0;
}

/* ---- globs ---- */

static int
against_key(const void *key, const void *item)
{
	return strcmp(key, ((const struct item *)item)->key);
}

/* The first item at or behind a key. */
static size_t
first_at(const struct sweep *s, const char *key)
{
	return vec_first(s->v, s->n, sizeof(*s->v), key, against_key);
}

/* Whether "**" is one of the pattern's components. */
static bool
has_stars(const char *pattern)
{
	for (const char *p = pattern; (p = strstr(p, "**")) != NULL; p += 2)
		if ((p == pattern || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

/* Whether the pattern matches the path or a directory above it. */
static bool
matches_at_or_above(const char *pattern, const char *path)
{
	char part[PATH_BYTES_MAX + 1];
	size_t n = strlen(path);

	for (memcpy(part, path, n + 1); n > 0; part[n] = '\0') {
		if (path_glob_match(pattern, part))
			return true;
		while (n > 0 && part[--n] != '/')
			;
	}
	return false;
}

/*
 * Whether a glob and an output meet.  Through "**" anything could lie in an output that is a
 * directory; one whose name has an extension is taken for a file, or `**` in one task would
 * put it behind all others.
 */
static bool
glob_meets(const char *pattern, size_t fixed, const char *output)
{
	if (!path_glob_overlap(pattern, output))
		return false;
	if (!has_stars(pattern) || strchr(path_basename(output), '.') == NULL)
		return true;
	if (strncmp(output, pattern, strlen(output)) == 0 && strlen(output) <= fixed)
		return true;
	return matches_at_or_above(pattern, output);
}

static int
try_glob(struct sweep *s, const struct path_use *glob, size_t fixed,
	 const struct item *item)
{
	if (++s->work > PATH_GLOB_WORK)
		return err_set(
		    s->err, ERR_LIMIT,
		    "the globs of inputs would have to be compared with outputs more "
		    "than %d times",
		    PATH_GLOB_WORK);
	if (!glob_meets(glob->path, fixed, item->use->path))
		return 0;
	return s->events->meet(s->events->ctx, item->use, glob);
}

/* Compare a glob with the outputs above the directory that it starts from (the first `fixed`
 * bytes), and below it. */
static int
sweep_glob(struct sweep *s, const struct path_use *glob)
{
	char key[PATH_BYTES_MAX + 1];
	size_t fixed = 0, n, i;
	int rc;

	/* The whole components before the first one with a glob character. */
	for (i = 0; glob->path[i] != '\0' && strchr("*?[\\", glob->path[i]) == NULL; i++)
		if (glob->path[i] == '/')
			fixed = i;
	for (i = 0; i < fixed; i++)
		key[i] = glob->path[i] == '/' ? SLASH : glob->path[i];
	key[fixed] = '\0';
	/* Below the directory, itself included. */
	for (i = first_at(s, key); i < s->n; i++) {
		if (strncmp(s->v[i].key, key, fixed) != 0)
			break;
		if (fixed > 0 && s->v[i].key[fixed] != '\0' &&
		    s->v[i].key[fixed] != SLASH)
			break;
		if ((rc = try_glob(s, glob, fixed, &s->v[i])) != 0)
			return rc;
	}
	/* Above it. */
	for (n = fixed; n > 0;) {
		while (n > 0 && key[n - 1] != SLASH)
			n--;
		n -= n > 0;
		key[n] = '\0';
		for (i = first_at(s, key); i < s->n && strcmp(s->v[i].key, key) == 0; i++)
			if ((rc = try_glob(s, glob, fixed, &s->v[i])) != 0)
				return rc;
	}
	return 0;
}

static int
sweep_globs(struct sweep *s, const struct path_use *uses, size_t n)
{
	size_t i, outputs = 0;
	int rc;

	for (i = 0; i < s->n; i++) /* inputs have had their turn */
		if (s->v[i].use->output)
			s->v[outputs++] = s->v[i];
	s->n = outputs;
	for (i = 0; i < n; i++)
		if (!uses[i].output && path_has_glob(uses[i].path) &&
		    !path_climbs(uses[i].path) && (rc = sweep_glob(s, &uses[i])) != 0)
			return rc;
	return 0;
}

/* ---- the whole ---- */

static int
run(struct sweep *s, const struct path_use *uses, size_t n)
{
	size_t i;
	int rc;

	s->v = arena_array(s->arena, n + 1, sizeof(*s->v));
	s->stack = arena_array(s->arena, n + 1, sizeof(*s->stack));
	if (s->v == NULL || s->stack == NULL)
		return err_nomem(s->err);
	for (i = 0; i < n; i++) {
		if (!uses[i].output && path_has_glob(uses[i].path))
			continue;
		if (!make_key(s, &uses[i], &s->v[s->n]))
			continue;
		if (s->v[s->n++].key == NULL)
			return err_nomem(s->err);
	}
	qsort(s->v, s->n, sizeof(*s->v), by_key);
	if ((rc = sweep_plain(s)) != 0)
		return rc;
	return sweep_globs(s, uses, n);
}

int
path_sweep(const struct path_use *uses, size_t n, const struct path_events *events,
	   struct err *err)
{
	struct sweep s = {.events = events, .err = err, .arena = arena_new(0)};
	int rc;

	if (s.arena == NULL)
		return err_nomem(err);
	rc = run(&s, uses, n);
	arena_free(s.arena);
	return rc;
}
