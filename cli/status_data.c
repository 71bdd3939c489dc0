#include "cli/status_data.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "base/vec.h"
#include "cli/artifact.h"
#include "cli/changes.h"
#include "cli/cli.h"
#include "cli/status_far.h"
#include "store/git.h"
#include "store/track/collect_rev.h"
#include "store/track/compare.h"

/* ---- finding out ---- */

/* What the last commit tracks; nothing before the first one. */
static int
read_head(struct artifact *a, struct status_data *d, struct repo *git, struct err *err)
{
	struct repo_head head;

	if (repo_head(git, &head, err) != 0)
		return -1;
	d->no_commit = head.id[0] == '\0';
	if (d->no_commit)
		return 0;
	if (track_revs_open(&a->track, git, &d->revs, err) != 0)
		return -1;
	return track_collect_rev(d->revs, head.id, &a->meter, a->diag, &d->head, err);
}

static int
find_committed(struct artifact *a, struct status_data *d, struct err *err)
{
	struct compare_options o = {.granular = d->o->granular,
				    .unchanged = d->o->unchanged,
				    .by_hash = true,
				    .targets = d->targets,
				    .ntargets = d->ntargets};
	struct repo *git;

	if (artifact_git(a, &git, err) != 0)
		return -1;
	d->has_git = git != NULL;
	if (git == NULL)
		return 0;
	if (read_head(a, d, git, err) != 0 ||
	    compare_lists(&a->ws, &d->head, &a->list, &o, &d->committed, err) != 0)
		return -1;
	return d->o->untracked
		   ? untracked_find(&a->track, git, a->arena, &d->untracked, err)
		   : 0;
}

int
status_data_work(struct artifact *a, struct status_data *d, struct err *err)
{
	struct compare_options o = {.granular = d->o->granular,
				    .unchanged = d->o->unchanged,
				    .by_hash = true,
				    .missing = true,
				    .targets = d->targets,
				    .ntargets = d->ntargets};

	if (compare_work(&a->ws, &a->list, &a->list, &o, &d->uncommitted, err) != 0)
		return -1;
	return find_committed(a, d, err);
}

void
status_data_free(struct status_data *d)
{
	changes_release(&d->committed);
	changes_release(&d->uncommitted);
	untracked_free(&d->untracked);
	track_list_free(&d->head);
	track_revs_close(d->revs);
}

/* ---- parts of it ---- */

/* Lists are sorted by where things were. */
static int
by_old_path(const void *like, const void *element)
{
	const struct change *a = like, *b = element;

	return change_compare_paths(a->path, a->dir, b->old_path, b->dir);
}

static bool
is_unchanged(const struct changes *c, const struct change *like)
{
	size_t i = vec_first(c->v, c->n, sizeof(*c->v), like, by_old_path);

	for (; i < c->n && by_old_path(like, &c->v[i]) == 0; i++)
		if (c->v[i].kind == CHANGE_UNCHANGED)
			return true;
	return false;
}

/* A list that the commit has too may be known by the files alone; they are its own then. */
static bool
is_in_unchanged(const struct changes *c, const struct change *file)
{
	char dir[PATH_MAX];
	struct change above = {.path = dir, .dir = true};
	size_t n = strlen(file->path);

	if (n >= sizeof(dir))
		return false;
	memcpy(dir, file->path, n + 1);
	for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
		*slash = '\0';
		if (is_unchanged(c, &above))
			return true;
	}
	return false;
}

/* The next that is the same in the commit, the pointers and the work tree. */
static const struct change *
next_unchanged(const struct status_data *d, size_t *i)
{
	while (*i < d->uncommitted.n) {
		const struct change *c = &d->uncommitted.v[(*i)++];

		if (c->kind == CHANGE_UNCHANGED && !c->missing_only &&
		    (!d->has_git || is_unchanged(&d->committed, c) ||
		     is_in_unchanged(&d->committed, c)))
			return c;
	}
	return NULL;
}

static const struct change *
next_missing(const struct status_data *d, size_t *i)
{
	while (*i < d->uncommitted.n) {
		const struct change *c = &d->uncommitted.v[(*i)++];

		if (c->missing)
			return c;
	}
	return NULL;
}

static const char *
next_untracked(const struct status_data *d, size_t *i)
{
	while (*i < d->untracked.n) {
		const char *path = d->untracked.v[(*i)++];
		bool wanted = d->ntargets == 0;

		for (size_t t = 0; t < d->ntargets && !wanted; t++)
			wanted = path_is_below(path, d->targets[t]);
		if (wanted)
			return path;
	}
	return NULL;
}

/* ---- for people ---- */

struct printing {
	struct artifact *a;
	struct status_data *d;
	struct buf *b;
	bool color, any;
};

static void
put_title(struct printing *p, const char *title, const char *hint, const char *second)
{
	if (p->any)
		buf_addc(p->b, '\n');
	p->any = true;
	buf_addf(p->b, "%s:\n", title);
	if (hint != NULL)
		buf_addf(p->b, "  (%s)\n", hint);
	if (second != NULL)
		buf_addf(p->b, "  (%s)\n", second);
}

static void
put_line(struct printing *p, const char *path, bool dir, const char *ansi)
{
	buf_adds(p->b, "        ");
	if (p->color && ansi != NULL)
		buf_addf(p->b, "\033[%sm", ansi);
	changes_put_path(p->b, path, dir);
	buf_adds(p->b, p->color && ansi != NULL ? "\033[0m\n" : "\n");
}

static void
put_missing(struct printing *p)
{
	const struct change *c;
	bool first = true;

	for (size_t i = 0; (c = next_missing(p->d, &i)) != NULL; first = false) {
		if (first)
			put_title(p, "Not in cache", "'dag fetch PATH' gets it", NULL);
		put_line(p, c->old_path, c->dir, "31");
	}
}

static void
put_far(struct printing *p)
{
	const struct far_paths *f = p->d->far;

	if (f == NULL || f->v.n == 0)
		return;
	put_title(p, "Not in remote", "'dag push PATH' sends it", NULL);
	for (size_t i = 0; i < f->v.n; i++)
		put_line(p, f->v.v[i].path, f->v.v[i].dir, "31");
}

static void
put_rest(struct printing *p)
{
	const struct change *c;
	const char *path;
	bool first = true;

	for (size_t i = 0; (path = next_untracked(p->d, &i)) != NULL; first = false) {
		if (first)
			put_title(p, "Untracked files",
				  "'git add PATH' or 'dag add PATH' tracks them", NULL);
		put_line(p, path, false, "36");
	}
	first = true;
	for (size_t i = 0; p->d->o->unchanged && (c = next_unchanged(p->d, &i)) != NULL;
	     first = false) {
		if (first)
			put_title(p, "Unchanged", NULL, NULL);
		put_line(p, c->path, c->dir, NULL);
	}
}

static void
put_text(struct printing *p)
{
	const struct status_data *d = p->d;

	put_missing(p);
	put_far(p);
	if (changes_any(&d->committed)) {
		put_title(p, "Changes of pointers since the last commit",
			  "'git commit' of the pointer files records them", NULL);
		changes_put_list(p->b, &d->committed, p->color ? "32" : NULL);
	}
	if (changes_any(&d->uncommitted)) {
		put_title(p, "Changes of data since its pointers were written",
			  "'dag commit PATH' records them",
			  "'dag checkout PATH' discards them");
		changes_put_list(p->b, &d->uncommitted, p->color ? "33" : NULL);
	}
	put_rest(p);
	if (!p->any)
		buf_adds(p->b, d->no_commit ? "no changes in a git repository without "
					      "commits\n"
					    : "no changes\n");
}

/* ---- JSON ---- */

/* A key with a list, begun with the first of its members. */
static void
list_member(struct json_writer *w, const char *key, bool *open, const char *path,
	    bool dir)
{
	if (!*open) {
		json_key(w, key);
		json_begin_array(w);
	}
	*open = true;
	changes_json_path(w, path, dir);
}

static void
put_json(struct printing *p)
{
	const struct status_data *d = p->d;
	const struct change *c;
	struct json_writer w;
	bool missing = false, far = false, untracked = false, unchanged = false;
	const char *path;

	json_init(&w, p->b, 2);
	json_begin_object(&w);
	for (size_t i = 0; (c = next_missing(d, &i)) != NULL;)
		list_member(&w, "not_in_cache", &missing, c->old_path, c->dir);
	if (missing)
		json_end(&w);
	for (size_t i = 0; d->far != NULL && i < d->far->v.n; i++)
		list_member(&w, "not_in_remote", &far, d->far->v.v[i].path,
			    d->far->v.v[i].dir);
	if (far)
		json_end(&w);
	if (changes_any(&d->committed)) {
		json_key(&w, "committed");
		changes_json_kinds(&w, &d->committed);
	}
	if (changes_any(&d->uncommitted)) {
		json_key(&w, "uncommitted");
		changes_json_kinds(&w, &d->uncommitted);
	}
	for (size_t i = 0; (path = next_untracked(d, &i)) != NULL;)
		list_member(&w, "untracked", &untracked, path, false);
	if (untracked)
		json_end(&w);
	for (size_t i = 0; d->o->unchanged && (c = next_unchanged(d, &i)) != NULL;)
		list_member(&w, "unchanged", &unchanged, c->path, c->dir);
	if (unchanged)
		json_end(&w);
	json_end(&w);
	buf_addc(p->b, '\n');
}

bool
status_data_tell(struct artifact *a, struct status_data *d)
{
	struct printing p = {
	    .a = a, .d = d, .b = &a->c->out, .color = cli_color(a->c, 1)};
	size_t i = 0;

	if (d->o->json)
		put_json(&p);
	else if (!a->o->quiet)
		put_text(&p);
	return changes_any(&d->committed) || changes_any(&d->uncommitted) ||
	       next_missing(d, &i) != NULL || (d->far != NULL && d->far->v.n > 0);
}
