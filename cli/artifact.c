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
#include "base/fsio.h"
#include "base/num.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "base/vec.h"
#include "cli/artifact_busy.h"
#include "cli/cli.h"
#include "store/git.h"
#include "store/track/add.h"
#include "store/track/links.h"
#include "store/track/problems.h"

#define PROBLEMS_SHOWN 20
#define PATHS_SHOWN    50
#define LOCK_WAIT_US   INT64_C(3600000000) /* for others to end */

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
find_project(struct artifact *a, struct err *err)
{
	struct project made;

	if (project_find(NULL, a->c->dir, a->write, &a->project, err) != 0)
		return -1;
	if (a->project.state_fd >= 0 || a->o->look || !has_dvc(&a->project))
		return 0;
	if (project_find(NULL, a->c->dir, true, &made, err) != 0) {
		err_clear(err);
		return 0;
	}
	project_release(&a->project);
	a->project = made;
	return 0;
}

/* Where we are, seen from the root. */
static int
find_cwd(struct artifact *a, const char *cwd, struct err *err)
{
	const char *rel;

	if (!path_is_below(cwd, a->track.root))
		return 0;
	rel = cwd + strlen(a->track.root);
	a->cwd = arena_strdup(a->arena, *rel == '/' ? rel + 1 : rel);
	return a->cwd != NULL ? 0 : err_nomem(err);
}

static int
claim(void *arg, const char *path, struct err *err)
{
	struct artifact *a = arg;
	struct buf full;
	int r = track_claim(&a->track, path, err);

	if (r != 0)
		return -1;
	buf_init(&full, 0);
	path_join(&full, a->track.root, path);
	r = buf_failed(&full) ? err_nomem(err)
			      : artifact_busy_claim(&a->project, &a->busy, full.p, err);
	buf_release(&full);
	return r;
}

static int
open_track(struct artifact *a, struct err *err)
{
	struct track_options o = {.project = &a->project};
	struct track *t = &a->track;
	char *cwd = fsio_realpath(".", err);
	int r;

	if (cwd == NULL)
		return -1;
	/* A repository in the project is the one that is meant, if we are in it. */
	if (a->c->dir == NULL && path_is_below(cwd, a->project.root))
		o.where = cwd;
	r = track_open(&o, t, err);
	if (r == 0)
		r = find_cwd(a, cwd, err);
	free(cwd);
	if (r == 0)
		r = track_index(t, &a->ws.index, err);
	a->ws.root_fd = t->root_fd;
	a->ws.cache = t->cache;
	a->ws.ignore = t->ignore;
	a->ws.links = t->links;
	a->ws.nlinks = t->nlinks;
	a->ws.intent = &t->intent;
	a->ws.claim = claim;
	a->ws.claim_arg = a;
	a->ws.others = t->others;
	/* Who writes does that with the lock that he takes anyway. */
	if (r == 0 && !a->write && !a->o->look)
		track_tidy(t);
	return r;
}

int
artifact_open(struct cli *c, const struct artifact_opts *o, bool write,
	      struct artifact *a, struct err *err)
{
	*a = (struct artifact){.c = c, .o = o, .write = write};
	a->project.root_fd = a->project.state_fd = -1;
	a->track.root_fd = a->track.lock = -1;
	a->arena = arena_new(0);
	a->diag = diag_new();
	if (a->arena == NULL || a->diag == NULL)
		return err_nomem(err);
	a->ws.workers = o->jobs.set ? (unsigned)o->jobs.v : 0;
	a->ws.meter = &a->meter;
	return find_project(a, err) == 0 ? open_track(a, err) : -1;
}

int
artifact_open_all(struct cli *c, const struct artifact_opts *o, bool write,
		  struct artifact *a, struct err *err)
{
	int r = artifact_open(c, o, write, a, err);

	a->track.results = true;
	return r;
}

void
artifact_close(struct artifact *a)
{
	repo_close(a->git);
	artifact_busy_free(a->busy);
	track_close(&a->track);
	diag_free(a->diag);
	vec_release(&a->named);
	track_list_free(&a->list);
	arena_free(a->arena);
	project_release(&a->project);
}

/* ---- work ---- */

static void
tell_waiting(void *arg, const char *whom)
{
	struct artifact *a = arg;
	const char *text = arena_printf(a->arena, "waiting for %s", whom);

	if (text != NULL)
		meter_phase(&a->meter, text);
}

static int
locked_work(void *arg, struct meter *m, struct err *err)
{
	struct artifact *a = arg;

	if (a->write && track_lock(&a->track, LOCK_WAIT_US, m, tell_waiting, a, err) != 0)
		return -1;
	meter_begin(m, "reading what is tracked");
	if (track_collect(&a->track, m, a->diag, &a->list, err) != 0)
		return -1;
	return a->fn(a->arg, m, err);
}

int
artifact_work(struct artifact *a, watch_fn *fn, void *arg, struct err *err)
{
	int rc;

	a->fn = fn;
	a->arg = arg;
	rc = watch_work(a->c, a->o->quiet, &a->meter, locked_work, a, &a->signal, err);
	/* As DVC does; but somebody may wait for what lies there. */
	if (rc == 0 && a->list.closed != NULL)
		cli_warn(a->c, "'%s' may not be read: what is tracked in it is left out",
			 a->list.closed);
	return rc;
}

int
artifact_again(struct artifact *a, watch_fn *fn, void *arg, struct err *err)
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

void
artifact_list(struct artifact *a, const struct problems *p, const char *what)
{
	struct buf b;
	size_t i;

	buf_init(&b, 0);
	buf_adds(&b, what);
	for (i = 0; i < p->n && i < PATHS_SHOWN; i++) {
		buf_addc(&b, '\n');
		artifact_put_path(a, p->v[i].path, &b);
	}
	cli_error(a->c, b.p);
	buf_release(&b);
	if (p->count > i)
		cli_note(a->c, "... and %zu more", p->count - i);
}

void
artifact_put_item(struct artifact *a, const struct add_item *it)
{
	struct buf *b = &a->c->out;

	artifact_put_path(a, it->target, b);
	if (strcmp(it->path, it->target) != 0) {
		buf_adds(b, "  in ");
		artifact_put_path(a, it->path, b);
	}
	if (it->dir)
		buf_addf(b, "/  %llu file%s", (unsigned long long)it->nfiles,
			 it->nfiles == 1 ? "" : "s");
	if (it->size > 0 || !it->dir) {
		buf_adds(b, it->dir ? ", " : "  ");
		num_put_size(b, it->size);
	}
	buf_adds(b, it->file_changed ? "\n" : ", unchanged\n");
}

int
artifact_links(struct artifact *a, struct links *l, struct err *err)
{
	const char *name;
	struct buf b;

	/* A repository in the project has a memory of its own. */
	buf_init(&b, 0);
	track_own_name(&a->track, LINKS_FILE, &b);
	name = buf_failed(&b) ? NULL : arena_strdup(a->arena, b.p);
	buf_release(&b);
	if (name == NULL)
		return err_nomem(err);
	return links_load(a->project.state_fd, name, l, err);
}

int
artifact_edit_links(struct artifact *a, artifact_links_fn *fn, void *arg, struct err *err)
{
	struct links l;
	int r = artifact_links(a, &l, err);

	if (r == 0)
		r = fn(&l, arg, err);
	if (r == 0)
		r = links_save(&l, err);
	links_release(&l);
	return r;
}

struct recorded {
	const struct add_item *v;
	size_t n;
};

static int
note_items(struct links *l, void *arg, struct err *err)
{
	const struct recorded *items = arg;
	int r = 0;

	for (size_t i = 0; r == 0 && i < items->n; i++)
		r = links_set(l, items->v[i].path, &items->v[i].id, err);
	return r;
}

int
artifact_remember(struct artifact *a, const struct add_item *items, size_t n,
		  struct err *err)
{
	struct recorded recorded = {items, n};

	return artifact_edit_links(a, note_items, &recorded, err);
}

/* ---- paths ---- */

/* The directory that a word lies in is looked up, its last component taken as it is. */
static int
put_path(struct artifact *a, char *word, struct buf *out, struct err *err)
{
	struct project root = {.root = a->track.root};
	char *name;

	for (size_t n = strlen(word); n > 1 && word[n - 1] == '/'; n--)
		word[n - 1] = '\0';
	name = strrchr(word, '/');
	name = name != NULL ? name + 1 : word;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return project_relative(&root, word, out, err);
	name = arena_strdup(a->arena, name);
	if (name == NULL)
		return err_nomem(err);
	if (strchr(word, '/') == NULL)
		memcpy(word, ".", 2); /* a name has at least one byte */
	else
		strrchr(word, '/')[strrchr(word, '/') == word] = '\0';
	if (project_relative(&root, word, out, err) != 0)
		return -1;
	if (strcmp(out->p, ".") == 0)
		buf_clear(out);
	else if (out->p[out->n - 1] != '/')
		buf_addc(out, '/');
	buf_adds(out, name);
	return buf_failed(out) ? err_nomem(err) : 0;
}

const char *
artifact_path(struct artifact *a, const char *word, struct err *err)
{
	char *copy = arena_strdup(a->arena, word);
	struct buf b;
	const char *path = NULL;

	if (copy == NULL) {
		(void)err_nomem(err);
		return NULL;
	}
	if (*copy == '\0') {
		(void)err_set(err, ERR_INVALID, "a path is empty");
		return NULL;
	}
	buf_init(&b, 0);
	if (put_path(a, copy, &b, err) == 0) {
		path = arena_strdup(a->arena, b.p);
		if (path == NULL)
			(void)err_nomem(err);
	}
	buf_release(&b);
	return path;
}

const char **
artifact_paths(struct artifact *a, const char *const *words, size_t n, struct err *err)
{
	const char **v = arena_array(a->arena, n + 1, sizeof(*v));

	if (v == NULL)
		(void)err_nomem(err);
	for (size_t i = 0; v != NULL && i < n; i++) {
		v[i] = artifact_path(a, words[i], err);
		if (v[i] == NULL)
			v = NULL;
	}
	return v;
}

void
artifact_put_seen(const struct artifact *a, const char *path, struct buf *b)
{
	const char *from = a->cwd != NULL ? a->cwd : "";
	size_t n;

	if (a->cwd == NULL) {
		buf_adds(b, a->track.root);
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
	buf_adds(b, path);
}

void
artifact_put_path(const struct artifact *a, const char *path, struct buf *b)
{
	struct buf seen;

	buf_init(&seen, 0);
	artifact_put_seen(a, path, &seen);
	if (buf_failed(&seen))
		b->state = seen.state;
	else
		text_put(b, seen.p, seen.n);
	buf_release(&seen);
}

/* ---- git ---- */

int
artifact_git(struct artifact *a, struct repo **out, struct err *err)
{
	if (!a->git_looked && repo_open(a->track.root, &a->git, err) != 0)
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
	if (top == NULL || !path_is_below(a->track.root, top))
		return 0;
	below = a->track.root + strlen(top);
	below += *below == '/';
	*out = *below == '\0' ? path : arena_printf(a->arena, "%s/%s", below, path);
	return *out != NULL ? 0 : err_nomem(err);
}

int
artifact_git_tracks(struct artifact *a, const char *path, struct err *err)
{
	struct repo *git;
	const char *seen;

	if (a->track.gitignore == NULL)
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

	if (a->o->quiet || a->track.gitignore == NULL)
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

	if (n == 0 || a->track.gitignore == NULL)
		return 0;
	if (!a->track.autostage) {
		tell_stage(a, paths, n);
		return 0;
	}
	if (artifact_git(a, &git, err) != 0)
		return -1;
	return stage(a, git, paths, n, err);
}
