#include "cli/artifact_glob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/vec.h"

struct globbing {
	const char *pattern; /* normalized */
	size_t depth;	     /* of its components; SIZE_MAX: "**" is among them */
	struct arena *arena;
	struct buf path;
	VEC(const char *) found;
	struct err *err;
};

static bool
ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

static bool
is_never_meant(const char *name)
{
	static const char *const names[] = {".git",	".dvc",	      ".dag",
					    ".hg",	".gitignore", ".dvcignore",
					    "dvc.yaml", "dvc.lock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return ends_with(name, ".dvc");
}

static size_t
depth_of(const char *path)
{
	size_t n = 1;

	for (; *path != '\0'; path++)
		n += *path == '/';
	return n;
}

static int walk(struct globbing *, int, const char *);

static int
take_entry(struct globbing *g, int fd, const char *name)
{
	size_t n = g->path.n;
	const char *path;
	struct stat st;
	int r = 0;

	/* A hidden file is meant only by who writes a dot. */
	if (name[0] == '.' && g->pattern[0] != '.' && strstr(g->pattern, "/.") == NULL)
		return 0;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_never_meant(name) ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	buf_addf(&g->path, "%s%s", n > 0 ? "/" : "", name);
	if (buf_failed(&g->path))
		return err_nomem(g->err);
	if (path_glob_match(g->pattern, g->path.p)) {
		path = arena_strdup(g->arena, g->path.p);
		if (path == NULL || vec_push(&g->found, path) != 0)
			r = err_nomem(g->err);
		else if (g->found.n > ARTIFACT_GLOB_MAX)
			r = err_set(g->err, ERR_LIMIT,
				    "'%s' means more than %zu paths: name the "
				    "directories that they are in",
				    g->pattern, ARTIFACT_GLOB_MAX);
	} else if (S_ISDIR(st.st_mode) && depth_of(g->path.p) < g->depth) {
		r = walk(g, fd, name);
	}
	buf_truncate(&g->path, n);
	return r;
}

static int
walk(struct globbing *g, int at, const char *name)
{
	int fd = fsio_open(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), r = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		r = take_entry(g, dirfd(d), e->d_name);
	(void)closedir(d);
	return r;
}

/* Where the walk begins: the components before the first with a pattern. */
static int
begin(struct globbing *g)
{
	const char *slash = g->pattern, *next;
	char part[PATH_MAX];

	for (next = g->pattern; (next = strchr(next, '/')) != NULL; next++) {
		if ((size_t)(next - g->pattern) >= sizeof(part))
			return err_set(g->err, ERR_LIMIT, "the pattern is too long");
		memcpy(part, g->pattern, (size_t)(next - g->pattern));
		part[next - g->pattern] = '\0';
		if (path_has_glob(part))
			break;
		slash = next;
	}
	buf_add(&g->path, g->pattern, (size_t)(slash - g->pattern));
	return walk(g, AT_FDCWD, g->path.n > 0 ? g->path.p : ".");
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
artifact_glob(const char *pattern, struct arena *arena, const char ***out, size_t *n,
	      struct err *err)
{
	struct globbing g = {.arena = arena, .err = err};
	struct buf norm;
	int r;

	*out = NULL;
	*n = 0;
	buf_init(&norm, 0);
	buf_init(&g.path, PATH_MAX);
	path_normalize(&norm, pattern);
	g.pattern = norm.p;
	g.depth = strstr(norm.p, "**") != NULL ? SIZE_MAX : depth_of(norm.p);
	r = buf_failed(&norm) ? err_nomem(err) : begin(&g);
	if (r == 0 && g.found.n == 0)
		r = err_set(err, ERR_NOTFOUND, "nothing is called '%s'", pattern);
	if (r == 0) {
		*out = arena_array(arena, g.found.n, sizeof(**out));
		r = *out != NULL ? 0 : err_nomem(err);
	}
	if (r == 0) {
		*n = g.found.n;
		memcpy(*out, g.found.v, *n * sizeof(**out));
		qsort(*out, *n, sizeof(**out), compare); /* NOLINT */
	}
	vec_release(&g.found);
	buf_release(&g.path);
	buf_release(&norm);
	return r;
}
