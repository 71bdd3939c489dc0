#include "store/track/untracked.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
#include "store/dvc/gitignore.h"
#include "store/dvc/ignore.h"
#include "store/git.h"
#include "store/track/track.h"

struct search {
	struct repo *git;
	struct arena *arena;
	struct untracked *out;
	struct buf path; /* as git sees it */
	size_t root;	 /* so many bytes of it are above our root */
	struct err *err;
};

static int walk(struct search *, int, struct ignore_dir *);

static int
take_file(struct search *s)
{
	int r = repo_tracks(s->git, s->path.p, s->err);
	const char *path;

	if (r != 0)
		return r < 0 ? -1 : 0;
	if (s->out->n >= UNTRACKED_MAX)
		return err_set(s->err, ERR_LIMIT,
			       "there are more than %zu files that git does not track",
			       UNTRACKED_MAX);
	path = arena_strdup(s->arena, s->path.p + s->root);
	return path != NULL && vec_push(s->out, path) == 0 ? 0 : err_nomem(s->err);
}

static int
take_dir(struct search *s, int fd, struct ignore_dir *dir, const char *name)
{
	int sub = fsio_open(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), r;
	struct ignore_dir *in = NULL;
	struct stat st;

	/* What cannot be looked into is not forgotten by anybody we could tell. */
	if (sub < 0)
		return 0;
	if (fstatat(sub, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0) {
		(void)close(sub);
		return 0;
	}
	r = ignore_enter(dir, name, &in, s->err);
	if (r == 0)
		r = walk(s, sub, in);
	else
		(void)close(sub);
	ignore_leave(in);
	return r < 0 ? -1 : 0;
}

static int
take_entry(struct search *s, int fd, struct ignore_dir *dir, const struct dirent *e)
{
	size_t n = s->path.n;
	bool is_dir = fsio_entry_type(fd, e) == S_IFDIR;
	int r;

	if (ignore_match(dir, e->d_name, is_dir))
		return 0;
	buf_addf(&s->path, "%s%s", n > 0 && s->path.p[n - 1] != '/' ? "/" : "",
		 e->d_name);
	if (buf_failed(&s->path))
		return err_nomem(s->err);
	r = is_dir ? take_dir(s, fd, dir, e->d_name) : take_file(s);
	buf_truncate(&s->path, n);
	return r;
}

/* Closes ${fd}. */
static int
walk(struct search *s, int fd, struct ignore_dir *dir)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		(void)close(fd);
		return err_sys(s->err, errno, "cannot read '%s'", s->path.p);
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = take_entry(s, dirfd(d), dir, e);
	(void)closedir(d);
	return r;
}

/* The rules that hold in our root, which may lie below the top of git's tree. */
static int
enter_root(const char *below, struct ignore *rules, struct ignore_dir **out,
	   struct err *err)
{
	struct ignore_dir *next;
	char name[NAME_MAX + 1];
	size_t n;

	*out = ignore_root(rules);
	for (; *below != '\0'; below += n, below += *below == '/') {
		n = strcspn(below, "/");
		if (n >= sizeof(name))
			return err_set(err, ERR_LIMIT, "'%s' is too long", below);
		memcpy(name, below, n);
		name[n] = '\0';
		if (ignore_enter(*out, name, &next, err) < 0)
			return -1;
		ignore_leave(*out);
		*out = next;
	}
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
untracked_find(const struct track *t, struct repo *git, struct arena *arena,
	       struct untracked *out, struct err *err)
{
	struct search s = {.git = git, .arena = arena, .out = out, .err = err};
	const char *top = repo_top(git), *below;
	struct ignore_dir *dir = NULL;
	int fd, r;

	*out = (struct untracked){0};
	if (top == NULL || t->gitignore == NULL || !path_is_below(t->root, top))
		return 0;
	below = t->root + strlen(top);
	below += *below == '/';
	buf_init(&s.path, 0);
	buf_addf(&s.path, "%s%s", below, *below != '\0' ? "/" : "");
	s.root = s.path.n;
	r = enter_root(below, gitignore_rules(t->gitignore), &dir, err);
	fd = r == 0 ? fsio_open(t->root_fd, ".", O_RDONLY | O_DIRECTORY, 0) : -1;
	if (r == 0)
		r = fd < 0 ? err_sys(err, errno, "cannot read '%s'", t->root)
			   : walk(&s, fd, dir);
	ignore_leave(dir);
	buf_release(&s.path);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_path); /* NOLINT */
	return r;
}

void
untracked_free(struct untracked *u)
{
	vec_free(u->v);
	*u = (struct untracked){0};
}
