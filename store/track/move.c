#include "store/track/move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/suggest.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/gitignore.h"
#include "store/track/add_internal.h"
#include "store/track/collect.h"
#include "store/track/move_note.h"
#include "store/track/remove.h"
#include "store/track/workspace.h"

struct moving {
	const struct workspace *ws;
	const struct add_options *o;
	struct move_item *item;
	struct arena *arena;
	struct dvc_file *file;
	struct dvc_out *out;
	bool begun; /* the new pointer is there */
	struct err *err;
};

/* ---- what can be moved, and to where ---- */

static int
not_tracked(struct moving *m, const struct track_out *o)
{
	const struct track_list *l = m->o->list;
	const char *from = m->item->from;
	struct suggest s;

	if (o != NULL)
		return err_set(
		    m->err, ERR_INVALID,
		    "'%s' lies in '%s', which is tracked as one thing: move it "
		    "by hand, then 'dag commit %s'",
		    from, o->path, o->path);
	suggest_start(&s, from);
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->outs[i].file, from) == 0)
			return err_set(m->err, ERR_INVALID,
				       "'%s' is a pointer: name the data, '%s', and it "
				       "goes along",
				       from, l->outs[i].path);
		suggest_try(&s, l->outs[i].path);
	}
	if (suggest_best(&s) != NULL)
		return err_set(m->err, ERR_NOTFOUND,
			       "'%s' is not tracked (did you mean '%s'?)", from,
			       suggest_best(&s));
	return err_set(m->err, ERR_NOTFOUND, "'%s' is not tracked", from);
}

static int
find_out(struct moving *m)
{
	const struct track_out *o = track_find(m->o->list, m->item->from);

	if (o == NULL || strcmp(o->path, m->item->from) != 0)
		return not_tracked(m, o);
	if (o->stage != NULL)
		return err_set(m->err, ERR_INVALID,
			       "'%s' is an output of stage '%s' in '%s': rename it there",
			       o->path, o->stage, o->in->path);
	m->item->out = o;
	m->file = o->in->file;
	m->out = &m->file->outs[o->out - m->file->outs];
	return 0;
}

/* Whether the pointer has the data's name, and gets its new one. */
static bool
is_named_after(const struct track_out *o)
{
	const char *file = path_basename(o->file), *name = path_basename(o->path);
	size_t n = strlen(name);

	return strncmp(file, name, n) == 0 && strcmp(file + n, ".dvc") == 0;
}

static int
is_there(struct moving *m, const char *path)
{
	struct stat st;

	if (fstatat(m->ws->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_sys(m->err, errno, "cannot stat '%s'", path);
}

/* The pointer that this call made before it was killed: the same content, of which the data
 * is in one of the two places. */
static bool
was_begun(const struct moving *m, int from, int to)
{
	const struct move_item *it = m->item;
	const struct track_out *o = track_find(m->o->list, it->to);

	return o != NULL && strcmp(o->path, it->to) == 0 &&
	       strcmp(o->file, it->file) == 0 && o->in->file->nouts == 1 &&
	       object_id_is_set(&o->id) && object_id_equal(&o->id, &it->out->id) &&
	       from != to;
}

/* Whatever speaks against adding something of that name. */
static int
check_name(struct moving *m)
{
	struct add_item item = {.target = m->item->to};
	struct add_job job = {.item = &item};
	struct adding a = {.ws = m->ws,
			   .o = m->o,
			   .jobs = &job,
			   .n = 1,
			   .arena = m->arena,
			   .err = m->err};
	struct workspace_ignore ig;
	int r = add_check(&a, 0);

	if (r == 0 && !job.own)
		r = err_set(m->err, ERR_EXISTS, "'%s' %s '%s', which is tracked",
			    item.target, job.inside != NULL ? "lies in" : "is",
			    item.path);
	if (job.own)
		dvc_file_free(job.file);
	if (r != 0)
		return -1;
	r = workspace_ignore(m->ws, m->item->to, &ig, m->err);
	workspace_ignore_release(&ig);
	return r;
}

static int
check_place(struct moving *m)
{
	struct move_item *it = m->item;
	const char *name = path_basename(it->to);
	struct stat st;
	const char *dir =
	    name == it->to ? "."
			   : arena_strndup(m->arena, it->to, (size_t)(name - it->to) - 1);
	int from = is_there(m, it->from), to = is_there(m, it->to), fd;

	if (dir == NULL)
		return err_nomem(m->err);
	if (from < 0 || to < 0 || workspace_claim(m->ws, it->from, m->err) != 0)
		return -1;
	it->missing = from == 0;
	if (strcmp(it->from, it->to) == 0)
		return err_set(m->err, ERR_EXISTS, "'%s' has that name", it->from);
	m->begun = it->old_file != NULL && was_begun(m, from, to);
	if (m->begun || (it->again && it->old_file == NULL && it->missing && to == 1))
		return 0;
	if (to == 1)
		return err_set(m->err, ERR_EXISTS, "'%s' is there already", it->to);
	if (check_name(m) != 0)
		return -1;
	fd = fsio_open_nolinks(m->ws->root_fd, dir, O_RDONLY | O_DIRECTORY);
	if (fd == -1)
		return err_sys(m->err, errno, "cannot move to '%s'", dir);
	if (from == 1 && fstat(fd, &st) == 0) {
		dev_t there = st.st_dev;

		if (fstatat(m->ws->root_fd, it->from, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_dev != there)
			from =
			    err_set(m->err, ERR_INVALID,
				    "'%s' lies on another file system than '%s': copy "
				    "it, 'dag add' the copy, and 'dag remove --outs' it",
				    dir, it->from);
	}
	(void)close(fd);
	return from < 0 ? -1 : 0;
}

/* ---- the pointer ---- */

/* ${path} seen from the directory ${dir}, both seen from the root. */
static const char *
seen_from(struct arena *a, const char *dir, const char *path)
{
	struct buf b;
	char *copy = NULL;
	size_t n;

	if (strcmp(dir, ".") == 0)
		dir = "";
	while (*dir != '\0') {
		n = strcspn(dir, "/");
		if (strncmp(path, dir, n) != 0 || path[n] != '/')
			break;
		path += n + 1;
		dir += n + (dir[n] == '/');
	}
	buf_init(&b, 0);
	for (; *dir != '\0'; dir += *dir == '/') {
		buf_adds(&b, "../");
		dir += strcspn(dir, "/");
	}
	buf_adds(&b, path);
	if (!buf_failed(&b))
		copy = arena_strdup(a, b.p);
	buf_release(&b);
	return copy;
}

/* Data that lies outside is seen from where the pointer is; ${was} is where that was. */
static int
see_deps(struct moving *m, const char *was)
{
	struct dvc_file *f = m->file;
	struct buf from, path;
	int r = 0;

	buf_init(&from, 0);
	buf_init(&path, 0);
	for (size_t i = 0; r == 0 && i < f->ndeps; i++) {
		struct dvc_out *dep = &f->deps[i];

		if (dep->where != DVC_OUTSIDE || dep->repo.url != NULL ||
		    *dep->path == '/')
			continue;
		buf_clear(&from);
		buf_clear(&path);
		buf_addf(&from, "%s/%s", was, dep->path);
		path_normalize(&path, from.p);
		dep->path = buf_failed(&path) || buf_failed(&from)
				? NULL
				: seen_from(f->arena, f->full_wdir, path.p);
		if (dep->path == NULL)
			r = err_nomem(m->err);
	}
	buf_release(&from);
	buf_release(&path);
	return r;
}

static int
name_pointer(struct moving *m)
{
	struct dvc_file *f = m->file;
	const char *was = f->full_wdir;
	char md5[DVC_MD5_MAX];
	const char *path;

	if (m->item->old_file != NULL && dvc_file_set_name(f, m->item->file, m->err) != 0)
		return -1;
	if (see_deps(m, was) != 0)
		return -1;
	path = seen_from(f->arena, f->full_wdir, m->item->to);
	if (path == NULL)
		return err_nomem(m->err);
	if (dvc_file_set_path(f, m->out, path, m->err) != 0)
		return -1;
	if (f->md5 == NULL)
		return 0;
	if (dvc_file_stage_md5(f, md5, m->err) != 0)
		return -1;
	f->md5 = arena_strdup(f->arena, md5);
	return f->md5 != NULL ? 0 : err_nomem(m->err);
}

static int
write_pointer(struct moving *m)
{
	struct buf b;
	bool changed = false;
	int r;

	if (m->begun)
		return 0;
	r = name_pointer(m);
	if (r == 0)
		r = dvc_file_write(m->file, m->ws->root_fd, &changed, m->err);
	/* The text may be the same in another directory. */
	if (r == 0 && !changed && m->item->old_file != NULL) {
		buf_init(&b, 0);
		r = dvc_file_dump(m->file, &b, m->err);
		if (r == 0)
			r = fsio_replace(m->ws->root_fd, m->item->file, b.p, b.n, 0666,
					 m->err);
		buf_release(&b);
	}
	if (r == 0)
		fault_point(TRACK_POINTED);
	return r;
}

/* ---- the work ---- */

static int
rename_data(struct moving *m)
{
	const struct move_item *it = m->item;
	int fd = m->ws->root_fd;

	if (it->missing)
		return 0; /* or has been renamed */
	if (renameat2(fd, it->from, fd, it->to, RENAME_NOREPLACE) == 0 ||
	    (errno == EINVAL && is_there(m, it->to) == 0 &&
	     fsio_rename(fd, it->from, fd, it->to) == 0)) {
		fault_point(TRACK_MOVED);
		return 0;
	}
	return err_sys(m->err, errno, "cannot move '%s' to '%s'", it->from, it->to);
}

static int
ignore(struct moving *m)
{
	const struct move_item *it = m->item;
	const char *full;
	struct stat st;
	bool dir = it->out->id.dir;
	int r;

	if (m->o->gitignore == NULL)
		return 0;
	full = arena_printf(m->arena, "%s/%s", m->o->root, it->to);
	if (full == NULL)
		return err_nomem(m->err);
	if (fstatat(m->ws->root_fd, it->from, &st, AT_SYMLINK_NOFOLLOW) == 0)
		dir = S_ISDIR(st.st_mode);
	r = gitignore_check(m->o->gitignore, full, dir, m->err);
	if (r == 0) {
		r = gitignore_add(m->ws->root_fd, it->to, m->err);
		m->item->ignored = r > 0;
		if (r > 0)
			fault_point(TRACK_IGNORED);
	}
	return r < 0 ? -1 : 0;
}

static int
drop_old(struct moving *m)
{
	struct move_item *it = m->item;
	bool git = m->o->gitignore != NULL;
	int r;

	if (git) {
		r = gitignore_remove(m->ws->root_fd, it->from, m->err);
		if (r < 0)
			return -1;
		it->unignored = r > 0;
	}
	return it->old_file == NULL
		   ? 0
		   : remove_pointer(m->ws->root_fd, it->old_file, NULL, 0, false, m->err);
}

/* The pointer names the data where it is now, and no other one does. */
static bool
is_all_but_done(struct moving *m)
{
	const struct track_out *was = track_find(m->o->list, m->item->from);
	const struct track_out *is = track_find(m->o->list, m->item->to);

	if ((was != NULL && strcmp(was->path, m->item->from) == 0) || is == NULL ||
	    strcmp(is->path, m->item->to) != 0 || is_there(m, m->item->from) != 0)
		return false;
	m->item->out = is;
	m->item->file = is->file;
	m->item->missing = is_there(m, m->item->to) == 0;
	return true;
}

int
move_path(const struct workspace *ws, const struct add_options *o, struct move_item *item,
	  struct arena *arena, struct err *err)
{
	struct err unused;
	struct moving m = {.ws = ws,
			   .o = o,
			   .item = item,
			   .arena = arena,
			   .err = err != NULL ? err : &unused};
	const struct track_out *out;

	if (item->again && is_all_but_done(&m))
		return drop_old(&m);
	if (find_out(&m) != 0)
		return -1;
	out = item->out;
	item->file = out->file;
	if (is_named_after(out)) {
		if (m.file->nouts > 1)
			return err_set(m.err, ERR_INVALID,
				       "'%s' is named after '%s' but has %zu paths: "
				       "rename that file first",
				       out->file, out->path, m.file->nouts);
		item->old_file = out->file;
		item->file = arena_printf(arena, "%s.dvc", item->to);
		if (item->file == NULL)
			return err_nomem(m.err);
	}
	if (check_place(&m) != 0)
		return -1;
	if (item->note != NULL &&
	    move_note_write(item->state_fd, item->note, item->from, item->to, m.err) != 0)
		return -1;
	if (ignore(&m) != 0)
		return -1;
	/* A pointer that stays where it is names the data when it is there. */
	if (item->old_file != NULL) {
		if (write_pointer(&m) != 0 || rename_data(&m) != 0)
			return -1;
	} else if (rename_data(&m) != 0 || write_pointer(&m) != 0) {
		return -1;
	}
	return drop_old(&m);
}
