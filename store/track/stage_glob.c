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

/* A directory of the scan: where it is, and what its own rules know of it. */
struct at {
	const struct scan_ignore *rules; /* without a top there are none */
	const char *pattern;
	void *inner;
	bool whole; /* it matches, with all below it */
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
at_new(const struct scan_ignore *rules, const char *pattern, const struct at *above,
       const char *name, size_t len)
{
	size_t start = above != NULL ? above->len + 1 : 0;
	struct at *a = malloc(sizeof(*a) + start + len + 1);

	if (a == NULL)
		return NULL;
	*a = (struct at){.rules = rules, .pattern = pattern, .len = start + len};
	if (above != NULL) {
		memcpy(a->path, above->path, above->len);
		a->path[above->len] = '/';
	}
	memcpy(a->path + start, name, len);
	a->path[a->len] = '\0';
	a->whole = (above != NULL && above->whole) || path_glob_match(pattern, a->path);
	return a;
}

static int
enter(void *dir, const char *name, void **out, struct err *err)
{
	struct at *above = dir, *a;
	int r = 0;

	if (is_tools(name))
		return 1;
	a = at_new(above->rules, above->pattern, above, name, strlen(name));
	if (a == NULL)
		return err_nomem(err);
	if (!a->whole && !path_glob_overlap(a->pattern, a->path))
		r = 1;
	else if (a->rules->top != NULL)
		r = a->rules->enter(above->inner, name, &a->inner, err);
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
		a->rules->leave(a->inner);
	free(a);
}

static bool
match(const void *dir, const char *name, bool is_dir)
{
	const struct at *a = dir;
	char path[SCAN_PATH_MAX + 1];
	size_t n = strlen(name);

	if (a->inner != NULL && a->rules->match(a->inner, name, is_dir))
		return true;
	if (a->whole || is_dir)
		return false;
	/* What is too long is refused by the scan. */
	if (a->len + 1 + n > SCAN_PATH_MAX)
		return false;
	memcpy(path, a->path, a->len);
	path[a->len] = '/';
	memcpy(path + a->len + 1, name, n + 1);
	return !path_glob_match(a->pattern, path);
}

/* ---- the scan ---- */

/* In the index it has a part of its own, below no directory that is scanned as a whole. */
#define KEY ":glob/"

static int
scan(const struct workspace *ws, const char *base, const char *key, struct scan *s,
     struct err *err)
{
	const char *pattern = key + strlen(KEY);
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

	if (r == 0) {
		top = at_new(&ignore.scan, pattern, NULL, base, strlen(base));
		r = top != NULL ? 0 : err_nomem(err);
	}
	if (r == 0) {
		top->inner = ignore.scan.top;
		rules.top = top;
		r = scan_path(&o, s, err);
	}
	free(top);
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
