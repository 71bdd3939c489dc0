/*
 * What more can be told of a dependency that changed: how many lines it has and had, which files
 * of a directory differ.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "store/git.h"
#include "store/objects/digest.h"
#include "store/objects/objects.h"
#include "store/objects/scan.h"
#include "store/objects/tree.h"
#include "store/track/stage_look.h"
#include "store/track/workspace.h"

#define LINES_MAX   ((size_t)4 << 20) /* bytes of a file whose lines are counted */
#define TEXT_PROBE  512		      /* bytes that tell whether there are any */
#define FILES_SHOWN 2

#define COMMITS_MAX 8 /* HEAD and those before it in which the content is looked for */

struct detail {
	struct stage_look *l;
	struct arena *a;
};

/* ---- lines ---- */

/* -1: it is no text. */
static int64_t
count_lines(const struct buf *b)
{
	int64_t n = 0;

	if (!digest_is_text((const uint8_t *)b->p, b->n < TEXT_PROBE ? b->n : TEXT_PROBE))
		return -1;
	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n + (b->n > 0 && b->p[b->n - 1] != '\n');
}

/* Nothing else than what the reason is about. */
static bool
is_it(const struct buf *b, const struct object_id *id)
{
	char got[HASH_HEX_MAX], want[OBJECT_HEX_MAX];

	return hash_bytes(HASH_MD5, b->p, b->n, got) == 0 &&
	       strcmp(got, object_id_hex(id, want)) == 0;
}

/* The repository stays open with the look, which is one thread's at a time. */
static bool
open_git(struct stage_look *l)
{
	struct err err;

	if (l->git == NULL && !l->no_git &&
	    (repo_open(l->o.root, &l->git, &err) != 0 || l->git == NULL)) {
		l->git = NULL;
		l->no_git = true;
	}
	return l->git != NULL;
}

/* The path as git has it: the project may lie in a directory of the repository. */
static bool
put_git_path(const struct detail *d, const char *path, struct buf *full)
{
	const char *root = d->l->o.root, *top = repo_top(d->l->git);
	size_t n = top != NULL ? strlen(top) : 0;

	if (n == 0 || strncmp(root, top, n) != 0 || (root[n] != '/' && root[n] != '\0'))
		return false;
	if (root[n] == '/')
		buf_addf(full, "%s/", root + n + 1);
	buf_adds(full, path);
	return !buf_failed(full);
}

/* A content that is sought in git. */
struct sought {
	struct detail *d;
	const char *path;
	const struct object_id *id;
	struct buf *out;
};

/* 1 where this commit has it. */
static int
look_in_commit(void *arg, const struct repo_rev *rev, struct err *err)
{
	struct sought *s = arg;

	buf_clear(s->out);
	if (repo_file(s->d->l->git, rev->id, s->path, LINES_MAX, s->out, err) != 0)
		return 0;
	return is_it(s->out, s->id);
}

/* As one of git's last commits has it. */
static bool
read_git(struct detail *d, const char *path, const struct object_id *id, struct buf *b)
{
	static const char *const head[] = {"HEAD"};
	struct repo_scope scope = {.revs = head, .nrevs = 1, .last = COMMITS_MAX};
	struct sought s = {.d = d, .id = id, .out = b};
	struct buf full;
	struct err err;
	bool found;

	if (*path == '/' || !open_git(d->l))
		return false;
	buf_init(&full, 0);
	found = put_git_path(d, path, &full);
	s.path = full.p;
	found = found && repo_revs(d->l->git, &scope, look_in_commit, &s, &err) == 1;
	buf_release(&full);
	return found;
}

static int64_t
lines_before(struct detail *d, const struct stage_reason *r)
{
	const struct object_id *id = &r->was.id;
	struct err err;
	struct buf b;
	int64_t n = -1;

	buf_init(&b, LINES_MAX);
	if (objects_has(d->l->o.ws->cache, id, &err) == 1 &&
	    objects_read(d->l->o.ws->cache, id, LINES_MAX, &b, &err) == 0) {
		n = count_lines(&b);
	} else {
		buf_clear(&b);
		if (read_git(d, r->path, id, &b))
			n = count_lines(&b);
	}
	buf_release(&b);
	return n;
}

static int64_t
lines_now(struct detail *d, const struct stage_reason *r)
{
	struct err err;
	struct buf b;
	int64_t n = -1;

	buf_init(&b, LINES_MAX);
	if (fsio_read(d->l->o.ws->root_fd, r->path, LINES_MAX, &b, &err) == 0 &&
	    is_it(&b, &r->is.id))
		n = count_lines(&b);
	buf_release(&b);
	return n;
}

static void
count_both(struct detail *d, struct stage_reason *r)
{
	if (r->was.id.legacy || r->was.size > (int64_t)LINES_MAX ||
	    r->is.size > (int64_t)LINES_MAX)
		return;
	r->is.lines = lines_now(d, r);
	if (r->is.lines >= 0)
		r->was.lines = lines_before(d, r);
}

/* ---- directories ---- */

struct differing {
	struct buf text;
	size_t n;
};

static void
note(struct differing *f, const struct tree_entry *e, const char *how)
{
	if (f->n++ < FILES_SHOWN)
		buf_addf(&f->text, "%s%s %s", f->n > 1 ? ", " : "", e->path, how);
}

static void
compare(struct differing *f, const struct tree *was, const struct tree *now)
{
	size_t i = 0, k = 0;

	while (i < was->n || k < now->n) {
		int c = i == was->n   ? 1
			: k == now->n ? -1
				      : strcmp(was->v[i].path, now->v[k].path);

		if (c < 0)
			note(f, &was->v[i++], "gone");
		else if (c > 0)
			note(f, &now->v[k++], "new");
		else if (memcmp(was->v[i++].md5, now->v[k++].md5, sizeof(now->v->md5)) !=
			 0)
			note(f, &now->v[k - 1], "changed");
	}
	if (f->n > FILES_SHOWN)
		buf_addf(&f->text, " and %zu more", f->n - FILES_SHOWN);
}

static void
compare_dirs(struct detail *d, struct stage_reason *r)
{
	struct differing f = {0};
	struct tree was = {0}, now = {0};
	struct scan s = {0};
	struct err err;

	if (*r->path == '/' || r->was.id.legacy ||
	    objects_has(d->l->o.ws->cache, &r->was.id, &err) != 1)
		return;
	buf_init(&f.text, 0);
	if (objects_tree(d->l->o.ws->cache, &r->was.id, &was, &err) == 0 &&
	    workspace_scan(d->l->o.ws, r->path, false, &s, &err) == 0 && s.is_dir &&
	    scan_tree(&s, &now, &err) == 0)
		compare(&f, &was, &now);
	if (f.n > 0 && !buf_failed(&f.text))
		r->files = arena_strndup(d->a, f.text.p, f.text.n);
	scan_release(&s);
	tree_release(&was);
	tree_release(&now);
	buf_release(&f.text);
}

void
stage_reasons_detail(struct stage_look *l, struct stage_reason *v, size_t n,
		     struct arena *a)
{
	struct detail d = {.l = l, .a = a};

	for (size_t i = 0; i < n; i++) {
		struct stage_reason *r = &v[i];

		if (r->kind != STAGE_DEP || r->state != STAGE_MODIFIED ||
		    !object_id_is_set(&r->was.id) || !object_id_is_set(&r->is.id))
			continue;
		if (r->was.id.dir && r->is.id.dir)
			compare_dirs(&d, r);
		else if (!r->was.id.dir && !r->is.id.dir)
			count_both(&d, r);
	}
}
