#include "cli/artifact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "cli/artifact_collect.h"
#include "cli/cli.h"
#include "store/dvc/config.h"
#include "store/dvc/gitignore.h"
#include "store/dvc/ignore.h"
#include "store/git.h"
#include "store/objects/index.h"
#include "store/objects/objects.h"
#include "store/track/add.h"
#include "store/track/links.h"
#include "store/track/problems.h"

#define PROBLEMS_SHOWN 20

/* ---- opening ---- */

static bool
has_dvc(const struct project *p)
{
	struct stat st;

	return fstatat(p->root_fd, ".dvc", &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* In a repository of DVC's there is no state directory at first; the index wants one, but
 * nobody is denied an answer for want of it. */
static int
find_project(struct artifact *a, bool write, struct err *err)
{
	struct project made;

	if (project_find(NULL, a->c->dir, write, &a->project, err) != 0)
		return -1;
	a->dvc = has_dvc(&a->project);
	if (a->project.state_fd >= 0 || !a->dvc)
		return 0;
	if (project_find(NULL, a->c->dir, true, &made, err) != 0) {
		err_clear(err);
		return 0;
	}
	project_release(&a->project);
	a->project = made;
	return 0;
}

static int
open_config(struct artifact *a, struct err *err)
{
	struct config_options o = {.dvc = a->dvc};

	o.dir = a->dvc ? arena_printf(a->arena, "%s/.dvc", a->project.root)
		       : a->project.state;
	if (o.dir == NULL)
		return err_nomem(err);
	return config_open(&o, &a->config, err);
}

/* cache.type: names with commas between them. */
static int
read_links(struct artifact *a, struct err *err)
{
	const char *s = config_str(a->config, "cache", "type", "");
	char name[16];
	size_t n;

	for (s += strspn(s, ", "); *s != '\0'; s += n, s += strspn(s, ", ")) {
		n = strcspn(s, ", ");
		if (n < sizeof(name) && a->ws.nlinks < LINK_TYPES) {
			memcpy(name, s, n);
			name[n] = '\0';
			if (link_type_parse(name, &a->links[a->ws.nlinks]) == 0) {
				a->ws.nlinks++;
				continue;
			}
		}
		return err_set(err, ERR_INVALID,
			       "cache.type: '%s' is no kind of link; there are reflink, "
			       "copy, hardlink and symlink",
			       s);
	}
	a->ws.links = a->links;
	return 0;
}

static int
open_cache(struct artifact *a, struct err *err)
{
	const char *dir = config_str(a->config, "cache", "dir", NULL);
	struct objects_options o = {0};

	if (dir == NULL)
		dir = a->dvc ? arena_printf(a->arena, "%s/.dvc/cache", a->project.root)
			     : arena_printf(a->arena, "%s/cache", a->project.state);
	if (dir == NULL)
		return err_nomem(err);
	o.dir = dir;
	o.shared = strcmp(config_str(a->config, "cache", "shared", ""), "group") == 0;
	return objects_open(&o, &a->ws.cache, err);
}

static int
open_index(struct artifact *a, struct err *err)
{
	const char *path;

	if (a->project.state_fd < 0)
		return 0;
	path = arena_printf(a->arena, "%s/index.db", a->project.state);
	if (path == NULL)
		return err_nomem(err);
	return index_open(path, &a->ws.index, err);
}

static int
open_ignores(struct artifact *a, struct err *err)
{
	struct ignore_options o = {.syntax = IGNORE_DVC, .root_fd = a->project.root_fd};

	if (ignore_new(&o, &a->ws.ignore, err) != 0)
		return -1;
	return gitignore_open(a->project.root, &a->gitignore, err);
}

/* Where we are, seen from the root. */
static int
find_cwd(struct artifact *a, struct err *err)
{
	char *cwd = getcwd(NULL, 0);
	size_t n = strlen(a->project.root);

	if (cwd == NULL)
		return 0;
	if (path_is_below(cwd, a->project.root)) {
		const char *rel = cwd + n;

		a->cwd = arena_strdup(a->arena, *rel == '/' ? rel + 1 : rel);
		if (a->cwd == NULL) {
			free(cwd);
			return err_nomem(err);
		}
	}
	free(cwd);
	return 0;
}

int
artifact_open(struct cli *c, const struct artifact_opts *o, bool write,
	      struct artifact *a, struct err *err)
{
	*a = (struct artifact){.c = c, .o = o};
	a->project.root_fd = a->project.state_fd = -1;
	a->arena = arena_new(0);
	a->diag = diag_new();
	if (a->arena == NULL || a->diag == NULL)
		return err_nomem(err);
	if (find_project(a, write, err) != 0 || open_config(a, err) != 0 ||
	    read_links(a, err) != 0 || open_cache(a, err) != 0 ||
	    open_index(a, err) != 0 || open_ignores(a, err) != 0 || find_cwd(a, err) != 0)
		return -1;
	a->ws.root_fd = a->project.root_fd;
	a->ws.workers = o->jobs.set ? (unsigned)o->jobs.v : 0;
	a->ws.meter = &a->meter;
	return artifact_collect(a, err);
}

void
artifact_close(struct artifact *a)
{
	free(a->outs);
	index_close(a->ws.index);
	ignore_free(a->ws.ignore);
	gitignore_close(a->gitignore);
	repo_close(a->git);
	objects_close(a->ws.cache);
	config_close(a->config);
	diag_free(a->diag);
	arena_free(a->arena);
	project_release(&a->project);
}

/* ---- work ---- */

int
artifact_work(struct artifact *a, watch_fn *fn, void *arg, struct err *err)
{
	return watch_work(a->c, a->o->quiet, &a->meter, fn, arg, &a->signal, err);
}

int
artifact_fail(struct artifact *a, const struct err *err)
{
	if (err->code == ERR_CANCELLED && a->signal != 0)
		return 128 + a->signal;
	if (a->diag != NULL && diag_errors(a->diag) > 0) {
		cli_diag(a->c, a->diag);
		return cli_exit_code(err->code);
	}
	return cli_fail(a->c, err);
}

void
artifact_problems(struct artifact *a, const struct problems *p)
{
	struct err err;
	size_t i;

	for (i = 0; i < p->n && i < PROBLEMS_SHOWN; i++) {
		(void)err_set(&err, p->v[i].code, "%s", p->v[i].text);
		(void)cli_fail(a->c, &err);
	}
	if (p->count > i)
		cli_note(a->c, "... and %zu more", p->count - i);
}

int
artifact_remember(struct artifact *a, const struct add_item *items, size_t n,
		  struct err *err)
{
	struct links l;
	int r = links_load(a->project.state_fd, &l, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = links_set(&l, items[i].path, &items[i].id, err);
	if (r == 0)
		r = links_save(&l, err);
	links_release(&l);
	return r;
}

/* ---- paths ---- */

const char *
artifact_path(struct artifact *a, const char *word, struct err *err)
{
	struct buf b;
	const char *path = NULL;

	buf_init(&b, 0);
	if (project_relative(&a->project, word, &b, err) == 0) {
		path = buf_failed(&b) ? NULL : arena_strdup(a->arena, b.p);
		if (path == NULL)
			(void)err_nomem(err);
	}
	buf_release(&b);
	return path;
}

void
artifact_put_path(const struct artifact *a, const char *path, struct buf *b)
{
	const char *from = a->cwd != NULL ? a->cwd : "";
	size_t n;

	if (a->cwd == NULL) {
		text_put(b, a->project.root, strlen(a->project.root));
		buf_addc(b, '/');
	}
	/* What both begin with; then up, then down. */
	while (*from != '\0') {
		n = strcspn(from, "/");
		if (strncmp(path, from, n) != 0 || (path[n] != '/' && path[n] != '\0'))
			break;
		path += n + (path[n] == '/');
		from += n + (from[n] == '/');
	}
	for (; *from != '\0'; from += *from == '/') {
		buf_adds(b, "../");
		from += strcspn(from, "/");
	}
	if (*path == '\0')
		buf_adds(b, b->n > 0 && b->p[b->n - 1] == '/' ? "" : ".");
	text_put(b, path, strlen(path));
}

/* ---- git ---- */

int
artifact_git(struct artifact *a, struct repo **out, struct err *err)
{
	if (!a->git_looked && repo_open(a->project.root, &a->git, err) != 0)
		return -1;
	a->git_looked = true;
	*out = a->git;
	return 0;
}

/* ${path} as seen from the top of git's work tree, in the arena; NULL without error if the
 * project is not in it. */
static int
below_top(struct artifact *a, struct repo *git, const char *path, const char **out,
	  struct err *err)
{
	const char *top = git != NULL ? repo_top(git) : NULL, *below;

	*out = NULL;
	if (top == NULL || !path_is_below(a->project.root, top))
		return 0;
	below = a->project.root + strlen(top);
	below += *below == '/';
	*out = *below == '\0' ? path : arena_printf(a->arena, "%s/%s", below, path);
	return *out != NULL ? 0 : err_nomem(err);
}

int
artifact_git_tracks(struct artifact *a, const char *path, struct err *err)
{
	struct repo *git;
	const char *seen;

	if (a->gitignore == NULL)
		return 0;
	if (artifact_git(a, &git, err) != 0 || below_top(a, git, path, &seen, err) != 0)
		return -1;
	return seen == NULL ? 0 : repo_tracks(git, seen, err);
}

/* A word for a shell. */
static void
put_quoted(struct buf *b, const char *word)
{
	if (*word != '\0' &&
	    word[strcspn(word, " \t\n'\"\\$`!*?[](){}<>|&;~#")] == '\0') {
		buf_adds(b, word);
		return;
	}
	buf_addc(b, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *word);
	}
	buf_addc(b, '\'');
}

static void
tell_stage(struct artifact *a, const char *const *paths, size_t n)
{
	struct buf *b = &a->c->out, word;

	if (a->o->quiet || a->gitignore == NULL)
		return;
	buf_init(&word, 0);
	buf_adds(b, "to track this with git:  git add");
	for (size_t i = 0; i < n; i++) {
		buf_clear(&word);
		artifact_put_path(a, paths[i], &word);
		buf_addc(b, ' ');
		put_quoted(b, word.p);
	}
	buf_addc(b, '\n');
	buf_release(&word);
}

static int
stage(struct artifact *a, struct repo *git, const char *const *paths, size_t n,
      struct err *err)
{
	const char **v = arena_array(a->arena, n + 1, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (below_top(a, git, paths[i], &v[i], err) != 0)
			return -1;
		if (v[i] == NULL)
			return 0;
	}
	return repo_stage(git, v, n, NULL, err);
}

int
artifact_stage(struct artifact *a, const char *const *paths, size_t n, struct err *err)
{
	struct repo *git;

	if (n == 0 || a->gitignore == NULL)
		return 0;
	if (!config_bool(a->config, "core", "autostage", false)) {
		tell_stage(a, paths, n);
		return 0;
	}
	if (artifact_git(a, &git, err) != 0)
		return -1;
	return stage(a, git, paths, n, err);
}
