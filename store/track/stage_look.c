#include "store/track/stage_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_out.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/relpath.h"
#include "store/git.h"
#include "store/objects/index.h"
#include "store/pipeline/params_file.h"
#include "store/pipeline/pipeline.h"
#include "store/track/stage_glob.h"

/* ---- opening ---- */

int
stage_look_init(struct stage_look *l, const struct stage_look_options *o, struct err *err)
{
	*l = (struct stage_look){.o = *o,
				 .all = {.root_fd = -1,
					 .workers = o->ws->workers,
					 .meter = o->ws->meter,
					 .others = o->ws->others},
				 .arena = o->arena != NULL ? o->arena : arena_new(0)};
	return l->arena != NULL ? 0 : err_nomem(err);
}

void
stage_look_release(struct stage_look *l)
{
	if (l->all.root_fd >= 0)
		(void)close(l->all.root_fd);
	repo_close(l->git);
	map_release(&l->params);
	if (l->o.arena == NULL)
		arena_free(l->arena);
}

int
stage_look_open(const struct stage_look_options *o, struct stage_look **out,
		struct err *err)
{
	*out = malloc(sizeof(**out));
	if (*out == NULL)
		return err_nomem(err);
	if (stage_look_init(*out, o, err) == 0)
		return 0;
	free(*out);
	*out = NULL;
	return -1;
}

void
stage_look_close(struct stage_look *l)
{
	if (l == NULL)
		return;
	stage_look_release(l);
	free(l);
}

/* ---- paths ---- */

/* As the lock has it: DVC writes what is inside of the repository as seen from the stage. */
static const char *
lock_path(struct arena *a, const char *dir, const char *path, const struct stage_file *f)
{
	struct buf b;
	const char *p;

	if (*path != '/' || !f->inside)
		return arena_strdup(a, path);
	buf_init(&b, 0);
	dvc_relpath(&b, dir, f->full);
	p = buf_failed(&b) ? NULL : arena_strndup(a, b.p, b.n);
	buf_release(&b);
	return p;
}

int
stage_file_find(const struct stage_look *l, struct arena *a, const char *dir,
		const char *path, struct stage_file *f, struct err *err)
{
	const char *root = l->o.root;
	struct buf from, joined, full;
	size_t n = strlen(root);

	*f = (struct stage_file){.path = path};
	if (strstr(path, "://") != NULL)
		return 1;
	buf_init(&from, 0);
	buf_init(&joined, 0);
	buf_init(&full, 0);
	buf_addf(&from, "%s/%s", root, dir);
	path_join(&joined, from.p, path);
	path_normalize(&full, joined.p);
	if (!buf_failed(&from) && !buf_failed(&joined) && !buf_failed(&full)) {
		f->inside = strncmp(full.p, root, n) == 0 && full.p[n] == '/';
		f->full = arena_strdup(a, f->inside ? full.p + n + 1 : full.p);
	}
	buf_release(&full);
	buf_release(&joined);
	buf_release(&from);
	if (f->full != NULL)
		f->path = lock_path(a, dir, path, f);
	return f->full != NULL && f->path != NULL ? 0 : err_nomem(err);
}

void
stage_file_was(struct stage_file *f, const struct dvc_out *was)
{
	f->was = was;
	if (was == NULL)
		return;
	f->was_id = was->meta.md5;
	/* Where a lock's paths lead is not known to who read it alone. */
	f->was_id.legacy = f->inside && was->hash == NULL && object_id_is_set(&f->was_id);
}

/* ---- files ---- */

static bool
is_ignored(const struct stage_look *l, const char *path)
{
	struct workspace_ignore ignore;
	struct err err;
	int r = workspace_ignore(l->o.ws, path, &ignore, &err);

	workspace_ignore_release(&ignore);
	return r != 0 && err.code == ERR_INVALID;
}

bool
stage_file_ignored(const struct stage_look *l, const struct stage_file *f)
{
	return f->inside && is_ignored(l, f->full);
}

int
stage_look_all(struct stage_look *l, struct err *err)
{
	/* Whoever looks may be another than before. */
	l->all.meter = l->o.ws->meter;
	l->all.read_max = l->o.ws->read_max;
	if (l->all.root_fd >= 0)
		return 0;
	l->all.root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return l->all.root_fd >= 0 ? 0 : err_sys(err, errno, "cannot open '/'");
}

/* What lies in the repository; what one depends on may be ignored, as far as it is named. */
static int
scan_inside(struct stage_look *l, const struct stage_file *f, const char *path,
	    bool legacy, struct scan *s, struct err *err)
{
	struct workspace other = *l->o.ws;
	int r = workspace_scan(l->o.ws, path, legacy, s, err);

	if (r == 0 || err->code != ERR_INVALID || f->out != NULL || !is_ignored(l, path))
		return r;
	scan_release(s);
	other.ignore = NULL;
	return workspace_scan(&other, path, legacy, s, err);
}

/* The path is absolute, and so the index has it. */
static int
scan_outside(struct stage_look *l, const char *path, bool legacy, struct scan *s,
	     struct err *err)
{
	struct scan_options o = {.path = path + 1,
				 .key = path,
				 .index = l->o.ws->index,
				 .workers = l->all.workers,
				 .legacy = legacy,
				 .others = l->all.others,
				 .broken_ok = true};

	if (stage_look_all(l, err) != 0)
		return -1;
	o.root_fd = l->all.root_fd;
	o.read_max = l->all.read_max;
	o.meter = l->all.meter;
	return scan_path(&o, s, err);
}

/*
 * What one depends on may be a link to a directory, or lie behind one: it is what is there, where it
 * really is.  Return 1 where that is no other place.
 */
static int
scan_behind(struct stage_look *l, const struct stage_file *f, bool legacy, struct scan *s,
	    struct err *err)
{
	size_t n = strlen(l->o.root);
	char *real = NULL;
	struct buf full;
	int r = 1;

	buf_init(&full, 0);
	if (f->inside)
		buf_addf(&full, "%s/", l->o.root);
	buf_adds(&full, f->full);
	errno = ENOMEM;
	if (!buf_failed(&full))
		real = realpath(full.p, NULL);
	if (real == NULL && errno == ENOMEM) {
		r = err_nomem(err);
	} else if (real != NULL && strcmp(real, full.p) != 0) {
		scan_release(s);
		err_clear(err);
		r = strncmp(real, l->o.root, n) == 0 && real[n] == '/'
			? scan_inside(l, f, real + n + 1, legacy, s, err)
			: scan_outside(l, real, legacy, s, err);
	}
	free(real);
	buf_release(&full);
	return r;
}

static int
scan(struct stage_look *l, const struct stage_file *f, bool legacy, struct scan *s,
     struct err *err)
{
	struct err why = {0};
	int r, behind;

	*s = (struct scan){0};
	if (f->glob)
		return stage_glob_scan(l->o.ws, f->full, s, err);
	r = f->inside ? scan_inside(l, f, f->full, legacy, s, &why)
		      : scan_outside(l, f->full, legacy, s, &why);
	if (r != 0 && why.code == ERR_INVALID && f->out == NULL) {
		behind = scan_behind(l, f, legacy, s, &why);
		r = behind == 1 ? r : behind;
	}
	if (r != 0 && err != NULL)
		*err = why;
	return r;
}

static void
put_found(struct stage_file *f, const struct scan *s)
{
	bool there = s->exists && (!f->glob || s->is_dir);

	f->there = there;
	f->same =
	    there && object_id_is_set(&f->was_id) && object_id_equal(&s->id, &f->was_id);
	f->id = s->id;
	f->size = there ? (int64_t)s->size : -1;
	f->nfiles = there && s->is_dir ? (int64_t)s->nfiles : -1;
	f->exec = s->exec && !s->is_dir;
}

int
stage_file_tree(struct stage_look *l, struct stage_file *f, struct tree *t,
		struct err *err)
{
	struct scan s;
	int r = scan(l, f, false, &s, err);

	if (r == 0)
		put_found(f, &s);
	if (r == 0 && s.exists && s.is_dir)
		r = scan_tree(&s, t, err);
	scan_release(&s);
	return r;
}

int
stage_file_scan(struct stage_look *l, struct stage_file *f, struct err *err)
{
	bool legacy = f->was_id.legacy;
	struct scan s;
	int r = scan(l, f, legacy, &s, err);

	if (r == 0 && s.exists && legacy) {
		s.id.legacy = true;
		/* What has changed is named as DVC 3 does. */
		if (!object_id_equal(&s.id, &f->was_id)) {
			scan_release(&s);
			r = scan(l, f, false, &s, err);
		}
	}
	if (r == 0)
		put_found(f, &s);
	scan_release(&s);
	return r;
}

/* ---- files of params ---- */

/* What a file held when it was read. */
struct kept_params {
	struct stat st;
	bool sure; /* whoever writes it leaves another look */
	const char *text;
	size_t len;
	const struct yaml_node *top; /* NULL: there is no file */
};

static bool
looks_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool
is_sure(const struct stat *st, int64_t since_ns, int fd)
{
	int64_t changed = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;

	return since_ns - changed > index_tick(fd);
}

/* The first mistake, as a sentence. */
static int
say_mistake(struct diag *d, const char *path, struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	diag_print(d, &b, false, 0);
	buf_truncate(&b, strcspn(b.p, "\n"));
	r = buf_failed(&b) || b.n == 0
		? err_set(err, ERR_INVALID, "%s has mistakes", path)
		: err_set(err, ERR_INVALID, "%s", b.p);
	buf_release(&b);
	return r;
}

static int
parse(struct stage_look *l, const char *path, const struct buf *text,
      struct kept_params *k, struct err *err)
{
	struct diag *own = l->o.diag == NULL ? diag_new() : NULL;
	struct diag *d = own != NULL ? own : l->o.diag;
	struct yaml_node *top = NULL;
	int r = -1;

	k->text = arena_strndup(l->arena, text->p, text->n);
	k->len = text->n;
	if (d != NULL && k->text != NULL)
		r = params_parse_dates(l->arena, d, path, k->text, k->len, &top);
	if (r < 0)
		r = err_nomem(err);
	else if (r > 0)
		r = own != NULL ? say_mistake(own, path, err)
				: err_set(err, ERR_INVALID, "%s has mistakes", path);
	k->top = top;
	diag_free(own);
	return r;
}

/* Read it, and parse it if it is another text than before. */
static int
read_params(struct stage_look *l, const char *path, struct kept_params *k,
	    struct err *err)
{
	int64_t since = clock_stamp_ns();
	struct kept_params now = {0};
	struct buf text;
	int fd, r;

	fd = openat(l->o.ws->root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		*k = now;
		return 0;
	}
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	buf_init(&text, PIPELINE_PARAMS_MAX);
	r = fstat(fd, &now.st) == 0 ? 0 : err_sys(err, errno, "cannot stat '%s'", path);
	if (r == 0 && !S_ISREG(now.st.st_mode))
		r = err_set(err, ERR_INVALID, "'%s' is no file that params can be in",
			    path);
	if (r == 0 && fsio_read_fd(fd, PIPELINE_PARAMS_MAX, &text, err) != 0)
		r = err_wrap(err, "'%s'", path);
	now.sure = is_sure(&now.st, since, fd);
	(void)close(fd);
	if (r == 0 && k->top != NULL && k->len == text.n &&
	    memcmp(k->text, text.p, text.n) == 0) {
		now.text = k->text;
		now.len = k->len;
		now.top = k->top;
	} else if (r == 0) {
		r = parse(l, path, &text, &now, err);
	}
	buf_release(&text);
	if (r == 0)
		*k = now;
	return r;
}

int
stage_params_read(struct stage_look *l, const char *path, const struct yaml_node **out,
		  struct err *err)
{
	struct kept_params *k = map_get(&l->params, path);
	struct stat st;

	if (k == NULL) {
		const char *key = arena_strdup(l->arena, path);

		k = arena_zalloc(l->arena, sizeof(*k));
		if (k == NULL || key == NULL || map_put(&l->params, key, k) < 0)
			return err_nomem(err);
	}
	if (!k->sure || fstatat(l->o.ws->root_fd, path, &st, 0) != 0 ||
	    !looks_same(&st, &k->st)) {
		if (read_params(l, path, k, err) != 0)
			return -1;
	}
	*out = k->top;
	return 0;
}
