#include "cli/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "scheduler/dag.h"
#include "store/project.h"

#define UPS_MAX 3 /* a path with more ".." is shown absolute */

/* One search under way. */
struct search {
	struct dag_files *out;
	const char *base; /* absolute path of the directory that rel counts from */
	char *cwd;	  /* NULL: nobody knows */
	size_t seen;	  /* YAML files looked at */
	struct err *err;
};

bool
find_is_yaml(const char *name)
{
	size_t n = strlen(name);

	return (n > 5 && strcmp(name + n - 5, ".yaml") == 0) ||
	       (n > 4 && strcmp(name + n - 4, ".yml") == 0);
}

bool
find_is_file(const char *word)
{
	return strchr(word, '/') != NULL || find_is_yaml(word);
}

void
find_release(struct dag_files *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].rel);
		free(f->v[i].name);
	}
	vec_release(f);
}

/* The scalar at p, up to its end of line: plain, or in quotes without escapes. */
static char *
glance_scalar(const char *p, const char *end)
{
	const char *q, *nl = memchr(p, '\n', (size_t)(end - p));

	if (nl != NULL)
		end = nl;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && (*p == '"' || *p == '\'')) {
		q = memchr(p + 1, *p, (size_t)(end - p - 1));
		return q != NULL ? strndup(p + 1, (size_t)(q - p - 1)) : NULL;
	}
	for (q = p; q < end && *q != '\r'; q++)
		if (*q == '#' && q > p && (q[-1] == ' ' || q[-1] == '\t'))
			break;
	while (q > p && (q[-1] == ' ' || q[-1] == '\t'))
		q--;
	return q > p ? strndup(p, (size_t)(q - p)) : NULL;
}

/* A mapping in braces has no lines to look at: parse it. */
static char *
flow_name(const char *text, size_t len)
{
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *root = NULL;
	const struct yaml_node *node;
	char *name = NULL;

	if (a != NULL && d != NULL && yaml_parse(a, d, 0, text, len, &root) == 0) {
		node = yaml_get(root, "dag");
		if (node != NULL && node->str != NULL)
			name = strdup(node->str);
	}
	diag_free(d);
	arena_free(a);
	return name;
}

/* Whether the text starts with a brace, comments and blank lines aside. */
static bool
is_flow(const char *p, const char *end)
{
	if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (p < end) {
		if (*p == '{')
			return true;
		if (strchr("#%-\r\n ", *p) == NULL)
			return false;
		if (*p == '#' || *p == '%' || *p == '-') {
			p = memchr(p, '\n', (size_t)(end - p));
			if (p == NULL)
				return false;
		}
		p++;
	}
	return false;
}

/* Whether the line at p starts with the key, plain or in quotes; the bytes it takes. */
static size_t
key_len(const char *p, const char *end, const char *key)
{
	size_t n = strlen(key), quote = *p == '"' || *p == '\'';

	if ((size_t)(end - p) <= n + 2 * quote + 1 || memcmp(p + quote, key, n) != 0)
		return 0;
	if (quote && p[n + 1] != *p)
		return 0;
	n += 2 * quote;
	return p[n] == ':' && strchr(" \t\r\n", p[n + 1]) != NULL ? n + 1 : 0;
}

char *
find_glance_key(const char *text, size_t len, const char *key)
{
	const char *p = text, *end = text + len;
	size_t n;

	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (; p != NULL && p < end; p = memchr(p, '\n', (size_t)(end - p))) {
		if (*p == '\n' && ++p == end)
			break;
		n = key_len(p, end, key);
		if (n > 0)
			return glance_scalar(p + n, end);
	}
	return NULL;
}

char *
find_glance_name(const char *text, size_t len, const char *path)
{
	const char *base = path_basename(path);
	char *name;

	name = is_flow(text, text + len) ? flow_name(text, len)
					 : find_glance_key(text, len, "dag");
	return name != NULL ? name : strndup(base, path_stem_len(base));
}

/* An absolute path as one relative to the current directory where that is near. */
static char *
show_path(const char *cwd, const char *path)
{
	size_t same = 0, i, ups = 0;
	struct buf b;
	char *out;

	if (cwd == NULL)
		return strdup(path);
	/* The common directories: up to a slash, or the end, of both. */
	for (i = 0;; i++) {
		bool cwd_end = cwd[i] == '\0' || cwd[i] == '/';
		bool path_end = path[i] == '/';

		if (cwd_end && path_end)
			same = i;
		if (cwd[i] == '\0' || path[i] == '\0' || cwd[i] != path[i])
			break;
	}
	for (i = same; cwd[i] != '\0'; i++)
		if (cwd[i] == '/' && cwd[i + 1] != '\0')
			ups++;
	buf_init(&b, 0);
	if (same == 0 || ups > UPS_MAX) {
		buf_adds(&b, path);
	} else {
		for (i = 0; i < ups; i++)
			buf_adds(&b, "../");
		buf_adds(&b, path + same + 1);
	}
	out = buf_steal(&b);
	buf_release(&b);
	return out;
}

/* Read one YAML file and keep it if it looks like a DAG. */
static int
look_at(struct search *s, int dirfd, const char *name, const char *rel)
{
	struct dag_file f = {0};
	struct buf text, path;
	int rc = 0;

	if (++s->seen > FIND_FILES_MAX)
		return err_set(s->err, ERR_LIMIT,
			       "more than %d YAML files below '%s': name the DAG's file",
			       FIND_FILES_MAX, s->base);
	buf_init(&text, 0);
	buf_init(&path, 0);
	/* What cannot be read cannot be meant by a name; naming the file tells why. */
	if (fsio_read(dirfd, name, YAML_BYTES_MAX, &text, NULL) != 0 ||
	    !dag_looks_like(text.p, text.n))
		goto out;
	path_join(&path, s->base, rel);
	f.path = show_path(s->cwd, path.p);
	f.rel = strdup(rel);
	f.name = find_glance_name(text.p, text.n, rel);
	if (buf_failed(&path) || f.path == NULL || f.rel == NULL || f.name == NULL ||
	    vec_push(s->out, f) != 0) {
		free(f.path);
		free(f.rel);
		free(f.name);
		rc = err_nomem(s->err);
	}
out:
	buf_release(&text);
	buf_release(&path);
	return rc;
}

enum kind { KIND_OTHER, KIND_DIR, KIND_YAML };

/* What an entry is to us.  Links to files are followed, links to directories are not: they
 * may go round in circles. */
static enum kind
entry_kind(int dirfd, const struct dirent *e)
{
	struct stat st;

	if (e->d_name[0] == '.')
		return KIND_OTHER;
	if (fsio_entry_type(dirfd, e) == S_IFDIR)
		return KIND_DIR;
	if (!find_is_yaml(e->d_name))
		return KIND_OTHER;
	if (e->d_type == DT_REG)
		return KIND_YAML;
	if (fstatat(dirfd, e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
		return KIND_YAML;
	return KIND_OTHER;
}

/* Search the directory ${fd}, which is closed, and with ${depth} > 0 its folders. */
static int
walk(struct search *s, int fd, const char *rel, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	struct buf sub;
	int rc = 0, next;

	if (dir == NULL) {
		(void)err_sys(s->err, errno, "cannot read directory '%s/%s'", s->base,
			      rel);
		(void)close(fd);
		return -1;
	}
	buf_init(&sub, 0);
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		enum kind kind = entry_kind(fd, e);

		buf_clear(&sub);
		path_join(&sub, rel, e->d_name);
		if (buf_failed(&sub)) {
			rc = err_nomem(s->err);
		} else if (kind == KIND_YAML) {
			rc = look_at(s, fd, e->d_name, sub.p);
		} else if (kind == KIND_DIR && depth > 0) {
			next = openat(fd, e->d_name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			/* A folder that we may not look into is none of ours. */
			if (next >= 0)
				rc = walk(s, next, sub.p, depth - 1);
		}
	}
	buf_release(&sub);
	(void)closedir(dir);
	return rc;
}

/* Search a directory by its name; one that is not there has nothing in it. */
static int
walk_at(struct search *s, int dirfd, const char *name, const char *rel, int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return walk(s, fd, rel, depth);
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_sys(s->err, errno, "cannot read directory '%s'", name);
}

static int
by_rel(const void *a, const void *b)
{
	const struct dag_file *x = a, *y = b;

	return strcmp(x->rel, y->rel);
}

static void
sort_files(struct dag_files *f)
{
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), by_rel);
}

char *
find_shown(const char *path)
{
	char *cwd = getcwd(NULL, 0), *out = show_path(cwd, path);

	free(cwd);
	return out;
}

int
find_all(const struct project *p, struct dag_files *out, struct err *err)
{
	struct search s = {.out = out, .base = p->root, .err = err};
	int rc;

	*out = (struct dag_files){0};
	s.cwd = getcwd(NULL, 0);
	rc = walk_at(&s, p->root_fd, ".", "", 0);
	if (rc == 0)
		rc = walk_at(&s, p->root_fd, "dags", "dags", FIND_DEPTH_MAX);
	sort_files(out);
	free(s.cwd);
	return rc;
}

int
find_below(const char *dir, struct dag_files *out, struct err *err)
{
	struct search s = {.out = out, .err = err};
	char *base;
	int rc;

	*out = (struct dag_files){0};
	base = fsio_realpath(dir, err);
	if (base == NULL)
		return -1;
	s.base = base;
	s.cwd = getcwd(NULL, 0);
	rc = walk_at(&s, AT_FDCWD, base, "", FIND_DEPTH_MAX);
	sort_files(out);
	free(s.cwd);
	free(base);
	return rc;
}

static int
not_found(const struct project *p, const struct dag_files *all, const char *name,
	  struct err *err)
{
	struct suggest s;
	const char *best;
	char file[PATH_MAX];
	struct stat st;
	size_t i;
	int n;

	/* In a folder of a project, its files are not far from one's mind. */
	n = snprintf(file, sizeof(file), "%s.yaml", name);
	if (n > 5 && (size_t)n < sizeof(file) && stat(file, &st) == 0)
		return err_set(err, ERR_NOTFOUND,
			       "there is no DAG '%s' in project '%s', but there is the "
			       "file '%s': name it so",
			       name, p->root, file);
	if (all->n == 0)
		return err_set(
		    err, ERR_NOTFOUND,
		    "there is no DAG '%s': project '%s' has no DAG files in its root "
		    "or in dags/ ('dag init' makes a first one)",
		    name, p->root);
	suggest_start(&s, name);
	for (i = 0; i < all->n; i++)
		suggest_try(&s, all->v[i].name);
	best = suggest_best(&s);
	if (best != NULL)
		return err_set(err, ERR_NOTFOUND,
			       "there is no DAG '%s' (did you mean '%s'?)", name, best);
	return err_set(
	    err, ERR_NOTFOUND,
	    "there is no DAG '%s' in project '%s' ('dag list' shows what there is)", name,
	    p->root);
}

int
find_named(const struct project *p, const char *name, char **out, struct err *err)
{
	struct dag_files all;
	const struct dag_file *hit = NULL;
	size_t i;
	int rc = -1;

	*out = NULL;
	if (find_all(p, &all, err) != 0)
		goto out;
	for (i = 0; i < all.n; i++) {
		if (strcmp(all.v[i].name, name) != 0)
			continue;
		if (hit != NULL) {
			(void)err_set(
			    err, ERR_INVALID,
			    "two files define a DAG '%s': '%s' and '%s'; name the "
			    "file",
			    name, hit->path, all.v[i].path);
			goto out;
		}
		hit = &all.v[i];
	}
	if (hit == NULL) {
		struct stat st;

		rc = stat(name, &st) == 0 && S_ISREG(st.st_mode) ? 0 : -1;
		if (rc != 0)
			(void)not_found(p, &all, name, err);
	} else {
		rc = 0;
	}
	if (rc == 0) {
		*out = strdup(hit != NULL ? hit->path : name);
		if (*out == NULL)
			rc = err_nomem(err);
	}
out:
	find_release(&all);
	return rc;
}
