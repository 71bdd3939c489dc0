#include "store/dvc/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/ignore_rules.h"
#include "store/dvc/wildmatch.h"

struct ignore {
	struct ignore_options o; /* extra is not kept */
	const char *file;	 /* the name of a file of rules */
	struct ignore_dir *root;
};

/*
 * Rules are numbered through the files in force, weakest first; the one with the highest
 * number that matches decides.  `below` and `below_dir` remember, for DVC's meaning, the last
 * rule that matched this directory or one above it and so matches all that is in it: rules
 * without and with those that speak of directories only.
 */
struct ignore_dir {
	atomic_uint refs;
	struct ignore *ig;
	struct ignore_dir *parent;	   /* counted; NULL at the top */
	const struct ignore_dir *rules_in; /* the nearest with rules, itself or above */
	struct rules *rules;		   /* of its own file; NULL: none */
	int64_t first;			   /* number of its first rule */
	int64_t count;			   /* of all rules up to its last */
	int64_t below, below_dir;	   /* -1: none */
	bool below_negated, below_dir_negated;
	unsigned depth;
	size_t len;  /* of path */
	char path[]; /* relative to the top, "" there */
};

static const char *const defaults_dvc[] = {".hg/", ".git/", ".git", ".dvc/", ".dag/"};
static const char *const defaults_git[] = {".git"};

/* ---- reading ---- */

static int
read_from_disk(const struct ignore *ig, const char *path, struct buf *out,
	       struct err *err)
{
	struct stat st;
	int fd, rc;

	fd = openat(ig->o.root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd == -1 || fstat(fd, &st) != 0) {
		rc = err_sys(err, errno, "cannot read '%s'", path);
	} else if (!S_ISREG(st.st_mode)) {
		rc = 0; /* git and DVC pass over a directory of that name */
	} else {
		rc = fsio_read_fd(fd, IGNORE_FILE_MAX, out, err);
		rc = rc == 0 ? 1 : err_wrap(err, "'%s'", path);
	}
	if (fd != -1)
		(void)close(fd);
	return rc;
}

/* Read the file of rules of ${d}, unless the rules so far ignore it itself. */
static int
read_rules(struct ignore_dir *d, struct err *err)
{
	struct ignore *ig = d->ig;
	struct buf path, text;
	int rc;

	if (ig->o.syntax == IGNORE_DVC && ignore_match(d, ig->file, false))
		return 0;
	buf_init(&path, 0);
	buf_init(&text, IGNORE_FILE_MAX);
	path_join(&path, d->path, ig->file);
	if (buf_failed(&path))
		rc = err_nomem(err);
	else if (ig->o.read != NULL)
		rc = ig->o.read(ig->o.ctx, path.p, &text, err);
	else
		rc = read_from_disk(ig, path.p, &text, err);
	if (rc == 1 && d->rules == NULL)
		d->rules = rules_new();
	if (rc == 1)
		rc = d->rules == NULL ? err_nomem(err)
				      : rules_add(d->rules, path.p, text.p, text.n,
						  ig->o.syntax == IGNORE_DVC, err);
	buf_release(&text);
	buf_release(&path);
	return rc < 0 ? -1 : 0;
}

/* What was read counts from now on. */
static void
take_rules(struct ignore_dir *d)
{
	if (d->rules != NULL && rules_count(d->rules) != 0) {
		d->rules_in = d;
		d->count = d->first + (int64_t)rules_count(d->rules);
	}
}

/* ---- matching ---- */

/* What is asked about: an entry of a directory. */
struct entry {
	const struct ignore_dir *dir;
	const char *name;
	size_t len;
	bool is_dir;
	bool utf8;
	const char *path; /* relative to the top; NULL: not put together yet */
	size_t path_len;
};

/* The path relative to ${base}; NULL: too long to be one of a file. */
static const char *
relative_to(struct entry *e, const struct ignore_dir *base, size_t *n)
{
	/* Not on the stack, which would be cleared for each entry. */
	static _Thread_local char text[IGNORE_PATH_MAX + 1];
	const struct ignore_dir *d = e->dir;
	size_t cut = base->len != 0 ? base->len + 1 : 0, at = 0;

	if (e->path == NULL) {
		if (d->len + 1 + e->len > IGNORE_PATH_MAX)
			return NULL;
		memcpy(text, d->path, d->len);
		at = d->len;
		if (at != 0)
			text[at++] = '/';
		memcpy(text + at, e->name, e->len);
		e->path = text;
		e->path_len = at + e->len;
	}
	*n = e->path_len - cut;
	return e->path + cut;
}

static bool
rule_matches(const struct rule *r, struct entry *e, const struct ignore_dir *base)
{
	const char *path;
	size_t n;

	if ((r->flags & RULE_DIR) != 0 && !e->is_dir)
		return false;
	if ((r->flags & RULE_LITERAL) != 0)
		return r->n == e->len && memcmp(r->p, e->name, r->n) == 0;
	if ((r->flags & RULE_SUFFIX) != 0)
		return r->n <= e->len && memcmp(r->p, e->name + e->len - r->n, r->n) == 0;
	if ((r->flags & RULE_NAME) != 0)
		return wildmatch(r->p, r->n, e->name, e->len, e->utf8);
	path = relative_to(e, base, &n);
	if (path == NULL)
		return false;
	if (r->literal > n || memcmp(r->p, path, r->literal) != 0)
		return e->is_dir && (r->flags & RULE_INSIDE) != 0 &&
		       wildmatch(r->p, r->n - 3, path, n, e->utf8);
	return wildmatch(r->p, r->n, path, n, e->utf8) ||
	       (e->is_dir && (r->flags & RULE_INSIDE) != 0 &&
		wildmatch(r->p, r->n - 3, path, n, e->utf8));
}

/*
 * The last rule with a number above ${floor} that matches, and its number; NULL: none.  With
 * ${any} only such that do not speak of directories alone.
 */
static const struct rule *
last_match(struct entry *e, int64_t floor, bool any, int64_t *number)
{
	const struct ignore_dir *d;
	const struct rule *r;
	size_t i;

	for (d = e->dir->rules_in; d != NULL && d->count - 1 > floor;
	     d = d->parent != NULL ? d->parent->rules_in : NULL)
		for (i = rules_count(d->rules); i-- > 0;) {
			if (d->first + (int64_t)i <= floor)
				return NULL;
			r = rules_at(d->rules, i);
			if (any && (r->flags & RULE_DIR) != 0)
				continue;
			if (rule_matches(r, e, d)) {
				*number = d->first + (int64_t)i;
				return r;
			}
		}
	return NULL;
}

static void
entry_init(struct entry *e, const struct ignore_dir *d, const char *name, bool is_dir)
{
	e->dir = d;
	e->name = name;
	e->len = strlen(name);
	e->is_dir = is_dir;
	e->utf8 = d->ig->o.syntax == IGNORE_DVC;
	e->path = NULL;
	e->path_len = 0;
}

bool
ignore_match(const struct ignore_dir *d, const char *name, bool is_dir)
{
	const struct rule *r;
	struct entry e;
	int64_t number;

	entry_init(&e, d, name, is_dir);
	r = last_match(&e, is_dir ? d->below_dir : d->below, false, &number);
	if (r != NULL)
		return (r->flags & RULE_NEGATED) == 0;
	if (is_dir)
		return d->below_dir >= 0 && !d->below_dir_negated;
	return d->below >= 0 && !d->below_negated;
}

/* The rule of this number. */
static const struct rule *
find_rule(const struct ignore_dir *d, int64_t number)
{
	for (d = d->rules_in; d != NULL;
	     d = d->parent != NULL ? d->parent->rules_in : NULL)
		if (number >= d->first && number < d->count)
			return rules_at(d->rules, (size_t)(number - d->first));
	return NULL;
}

bool
ignore_match_why(const struct ignore_dir *d, const char *name, bool is_dir,
		 struct ignore_why *why)
{
	int64_t number = is_dir ? d->below_dir : d->below;
	const struct rule *r;
	struct entry e;

	*why = (struct ignore_why){0};
	entry_init(&e, d, name, is_dir);
	r = last_match(&e, number, false, &number);
	if (r == NULL && number >= 0)
		r = find_rule(d, number);
	if (r == NULL)
		return false;
	why->file = r->file;
	why->line = r->line;
	why->rule = r->text;
	return (r->flags & RULE_NEGATED) == 0;
}

/* ---- directories ---- */

static struct ignore_dir *
dir_new(struct ignore *ig, struct ignore_dir *parent, const char *name, size_t len)
{
	size_t above = parent != NULL && parent->len != 0 ? parent->len + 1 : 0;
	struct ignore_dir *d = calloc(1, sizeof(*d) + above + len + 1);

	if (d == NULL)
		return NULL;
	atomic_init(&d->refs, 1);
	d->ig = ig;
	d->below = d->below_dir = -1;
	if (parent != NULL) {
		d->parent = ignore_ref(parent);
		d->rules_in = parent->rules_in;
		d->first = d->count = parent->count;
		d->depth = parent->depth + 1;
		memcpy(d->path, parent->path, parent->len);
		if (above != 0)
			d->path[parent->len] = '/';
	}
	memcpy(d->path + above, name, len);
	d->len = above + len;
	return d;
}

/* Find out which rules match the directory itself, and so all that is in it. */
static void
look_below(struct ignore_dir *d, const char *name)
{
	const struct ignore_dir *p = d->parent;
	const struct rule *r;
	struct entry e;

	d->below = p->below;
	d->below_negated = p->below_negated;
	d->below_dir = p->below_dir;
	d->below_dir_negated = p->below_dir_negated;
	entry_init(&e, p, name, true);
	r = last_match(&e, p->below_dir, false, &d->below_dir);
	if (r != NULL)
		d->below_dir_negated = (r->flags & RULE_NEGATED) != 0;
	r = last_match(&e, p->below, true, &d->below);
	if (r != NULL)
		d->below_negated = (r->flags & RULE_NEGATED) != 0;
}

int
ignore_enter(struct ignore_dir *parent, const char *name, struct ignore_dir **out,
	     struct err *err)
{
	size_t len = strlen(name);
	struct ignore_dir *d;

	if (parent->depth == IGNORE_DEPTH_MAX)
		return err_set(err, ERR_LIMIT,
			       "directories lie more than %d deep below '%.200s'",
			       IGNORE_DEPTH_MAX, parent->path);
	if (parent->len + 1 + len > IGNORE_PATH_MAX)
		return err_set(err, ERR_LIMIT,
			       "a path is longer than %d bytes below '%.200s'",
			       IGNORE_PATH_MAX, parent->path);
	d = dir_new(parent->ig, parent, name, len);
	if (d == NULL)
		return err_nomem(err);
	if (parent->ig->o.syntax == IGNORE_DVC)
		look_below(d, name);
	if (read_rules(d, err) != 0) {
		ignore_leave(d);
		return -1;
	}
	take_rules(d);
	*out = d;
	return 0;
}

struct ignore_dir *
ignore_ref(struct ignore_dir *d)
{
	if (d != NULL)
		(void)atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

void
ignore_leave(struct ignore_dir *d)
{
	struct ignore_dir *parent;

	while (d != NULL &&
	       atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) == 1) {
		parent = d->parent;
		rules_free(d->rules);
		free(d);
		d = parent;
	}
}

/* ---- the whole ---- */

static int
add_defaults(struct ignore_dir *root, const struct ignore_options *o, struct err *err)
{
	bool dvc = o->syntax == IGNORE_DVC;
	const char *const *v = dvc ? defaults_dvc : defaults_git;
	size_t i, n = dvc ? sizeof(defaults_dvc) / sizeof(defaults_dvc[0])
			  : sizeof(defaults_git) / sizeof(defaults_git[0]);

	root->rules = rules_new();
	if (root->rules == NULL)
		return err_nomem(err);
	for (i = 0; i < n; i++)
		if (rules_add(root->rules, NULL, v[i], strlen(v[i]), dvc, err) != 0)
			return -1;
	for (i = 0; i < o->nextra; i++)
		if (rules_add(root->rules, o->extra[i].name, o->extra[i].text,
			      o->extra[i].n, dvc, err) != 0)
			return -1;
	take_rules(root);
	return 0;
}

int
ignore_new(const struct ignore_options *o, struct ignore **out, struct err *err)
{
	struct ignore *ig = calloc(1, sizeof(*ig));

	if (ig == NULL)
		return err_nomem(err);
	ig->o = *o;
	ig->o.extra = NULL;
	ig->file = o->syntax == IGNORE_DVC ? ".dvcignore" : ".gitignore";
	ig->root = dir_new(ig, NULL, "", 0);
	if (ig->root == NULL) {
		free(ig);
		return err_nomem(err);
	}
	if (add_defaults(ig->root, o, err) != 0 || read_rules(ig->root, err) != 0) {
		ignore_free(ig);
		return -1;
	}
	take_rules(ig->root);
	*out = ig;
	return 0;
}

void
ignore_free(struct ignore *ig)
{
	if (ig == NULL)
		return;
	ignore_leave(ig->root);
	free(ig);
}

struct ignore_dir *
ignore_root(struct ignore *ig)
{
	return ignore_ref(ig->root);
}

int
ignore_check(struct ignore *ig, const char *path, bool is_dir, struct err *err)
{
	struct ignore_dir *d = ignore_root(ig), *child;
	char name[IGNORE_PATH_MAX + 1];
	size_t n;
	int rc = 0;

	if (strcmp(path, ".") == 0)
		path = "";
	while (rc == 0 && *path != '\0') {
		n = strcspn(path, "/");
		if (n > IGNORE_PATH_MAX) {
			rc = err_set(err, ERR_LIMIT, "a path is longer than %d bytes",
				     IGNORE_PATH_MAX);
			break;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		path += *path == '/' ? 1 : 0;
		rc = ignore_match(d, name, *path != '\0' || is_dir) ? 1 : 0;
		if (rc == 0 && *path != '\0') {
			rc = ignore_enter(d, name, &child, err);
			if (rc == 0) {
				ignore_leave(d);
				d = child;
			}
		}
	}
	ignore_leave(d);
	return rc;
}

bool
ignore_is_nested(int root_fd, const char *path)
{
	struct stat st;
	struct buf b;
	bool is;

	buf_init(&b, 0);
	path_join(&b, path, ".dvc");
	is = !buf_failed(&b) && fstatat(root_fd, b.p, &st, 0) == 0;
	buf_release(&b);
	return is;
}
