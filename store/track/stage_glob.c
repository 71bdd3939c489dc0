#include "store/track/stage_glob.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "store/objects/scan.h"
#include "store/track/workspace.h"

size_t
stage_glob_base(const char *pattern)
{
	size_t n = strcspn(pattern, "*?[\\");

	while (n > 0 && pattern[n - 1] != '/')
		n--;
	if (n < 2 || pattern[0] == '/' || strncmp(pattern, "../", 3) == 0)
		return 0;
	return n - 1;
}

/* ---- what is left out ---- */

/* What all directories of a scan share. */
struct shape {
	const struct scan_ignore *rules; /* without a top there are none */
	const char *pattern;
	char *
	    above; /* what a directory must match whose files may; NULL: that does not tell */
	const char *last; /* and what those files' names must */
};

/* A directory of the scan: where it is, and what its own rules know of it. */
struct at {
	const struct shape *shape;
	void *inner;
	bool whole; /* it matches, with all below it */
	bool names; /* it matches shape->above */
	size_t len;
	char path[];
};

static bool
is_tools(const char *name)
{
	return strcmp(name, ".git") == 0 || strcmp(name, ".dag") == 0 ||
	       strcmp(name, ".dvc") == 0;
}

static struct at *
at_new(const struct shape *shape, const struct at *above, const char *name, size_t len)
{
	size_t start = above != NULL ? above->len + 1 : 0;
	struct at *a = malloc(sizeof(*a) + start + len + 1);

	if (a == NULL)
		return NULL;
	*a = (struct at){.shape = shape, .len = start + len};
	if (above != NULL) {
		memcpy(a->path, above->path, above->len);
		a->path[above->len] = '/';
	}
	memcpy(a->path + start, name, len);
	a->path[a->len] = '\0';
	a->whole =
	    (above != NULL && above->whole) || path_glob_match(shape->pattern, a->path);
	a->names = shape->above != NULL && path_glob_match(shape->above, a->path);
	return a;
}

static int
enter(void *dir, const char *name, void **out, struct err *err)
{
	struct at *above = dir, *a;
	const struct shape *shape = above->shape;
	int r = 0;

	if (is_tools(name))
		return 1;
	a = at_new(shape, above, name, strlen(name));
	if (a == NULL)
		return err_nomem(err);
	if (!a->whole && !path_glob_overlap(shape->pattern, a->path))
		r = 1;
	else if (shape->rules->top != NULL)
		r = shape->rules->enter(above->inner, name, &a->inner, err);
	if (r != 0) {
		free(a);
		return r;
	}
	*out = a;
	return 0;
}

static void
leave(void *dir)
{
	struct at *a = dir;

	if (a->inner != NULL)
		a->shape->rules->leave(a->inner);
	free(a);
}

/* A file in it. */
static bool
is_meant(const struct at *a, const char *name)
{
	char path[SCAN_PATH_MAX + 1];
	size_t n;

	if (a->whole)
		return true;
	if (a->shape->above != NULL)
		return a->names && path_glob_match(a->shape->last, name);
	n = strlen(name);
	if (a->len + 1 + n > SCAN_PATH_MAX)
		return true; /* which the scan refuses */
	memcpy(path, a->path, a->len);
	path[a->len] = '/';
	memcpy(path + a->len + 1, name, n + 1);
	return path_glob_match(a->shape->pattern, path);
}

static bool
match(const void *dir, const char *name, bool is_dir)
{
	const struct at *a = dir;

	if (a->inner != NULL && a->shape->rules->match(a->inner, name, is_dir))
		return true;
	return !is_dir && !is_meant(a, name);
}

/* Components match one by one, but for a "**". */
static int
shape_make(struct shape *s)
{
	const char *last = path_basename(s->pattern);

	if (strcmp(last, "**") == 0)
		return 0;
	s->last = last;
	s->above = strndup(s->pattern, (size_t)(last - s->pattern) - 1);
	return s->above != NULL ? 0 : -1;
}

/* ---- the scan ---- */

/* In the index it has a part of its own, below no directory that is scanned as a whole. */
#define KEY ":glob/"

static int
scan(const struct workspace *ws, const char *base, const char *key, struct scan *s,
     struct err *err)
{
	struct shape shape = {.pattern = key + strlen(KEY)};
	struct scan_ignore rules = {.enter = enter, .leave = leave, .match = match};
	struct scan_options o = {.root_fd = ws->root_fd,
				 .path = base,
				 .key = key,
				 .index = ws->index,
				 .cache = ws->cache,
				 .workers = ws->workers,
				 .read_max = ws->read_max,
				 .others = ws->others,
				 .broken_ok = true,
				 .ignore = &rules,
				 .meter = ws->meter};
	struct workspace_ignore ignore;
	struct at *top = NULL;
	int r = workspace_ignore(ws, base, &ignore, err);

	shape.rules = &ignore.scan;
	if (r == 0 && (shape_make(&shape) != 0 ||
		       (top = at_new(&shape, NULL, base, strlen(base))) == NULL))
		r = err_nomem(err);
	if (r == 0) {
		top->inner = ignore.scan.top;
		rules.top = top;
		r = scan_path(&o, s, err);
	}
	free(top);
	free(shape.above);
	workspace_ignore_release(&ignore);
	return r;
}

int
stage_glob_scan(const struct workspace *ws, const char *pattern, struct scan *s,
		struct err *err)
{
	char *base = strndup(pattern, stage_glob_base(pattern)), *key = NULL;
	struct workspace all = *ws;
	struct err why = {0};
	int r = -1;

	*s = (struct scan){0};
	if (base != NULL)
		key = malloc(sizeof(KEY) + strlen(pattern));
	if (key == NULL) {
		(void)err_nomem(&why);
	} else {
		memcpy(key, KEY, strlen(KEY));
		memcpy(key + strlen(KEY), pattern, strlen(pattern) + 1);
		r = scan(ws, base, key, s, &why);
	}
	if (r != 0 && why.code == ERR_INVALID && s->state == NULL) {
		all.ignore = NULL;
		r = scan(&all, base, key, s, &why);
	}
	free(key);
	free(base);
	if (r != 0 && err != NULL)
		*err = why;
	return r;
}
