/* .dvc files changed and written. */
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/dvc_dump.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/yaml_doc.h"

/* The path seen from the root, in the arena; NULL: it is none that an out may have. */
static const char *
full_path(struct dvc_file *f, const char *path, struct err *err)
{
	const char *full = NULL;
	struct buf joined, norm;

	buf_init(&joined, 0);
	buf_init(&norm, 0);
	path_join(&joined, f->full_wdir, path);
	path_normalize(&norm, joined.p);
	if (buf_failed(&joined) || buf_failed(&norm))
		err_nomem(err);
	else if (*path == '\0' || strlen(path) > DVC_PATH_MAX || norm.n > DVC_PATH_MAX)
		err_set(err, ERR_INVALID,
			"a path must have 1 to %d bytes: '%.100s' has not", DVC_PATH_MAX,
			path);
	else if (path_climbs(norm.p) || strcmp(norm.p, ".") == 0)
		err_set(err, ERR_INVALID,
			"'%.200s' does not lie inside of the repository", path);
	else if ((full = arena_strndup(f->arena, norm.p, norm.n)) == NULL)
		err_nomem(err);
	buf_release(&joined);
	buf_release(&norm);
	return full;
}

int
dvc_file_set_path(struct dvc_file *f, struct dvc_out *out, const char *path,
		  struct err *err)
{
	const char *full = full_path(f, path, err);
	char *copy;

	if (full == NULL)
		return -1;
	for (size_t i = 0; i < f->nouts; i++)
		if (&f->outs[i] != out && f->outs[i].full != NULL &&
		    strcmp(f->outs[i].full, full) == 0)
			return err_set(err, ERR_EXISTS, "%s tracks '%.200s' already",
				       f->name, full);
	copy = arena_strdup(f->arena, path);
	if (copy == NULL)
		return err_nomem(err);
	out->path = copy;
	out->full = full;
	out->where = DVC_IN_REPO;
	return 0;
}

struct dvc_out *
dvc_file_add_out(struct dvc_file *f, const char *path, struct err *err)
{
	struct dvc_out out, *more;

	if (f->nouts + f->ndeps >= DVC_ENTRIES_MAX) {
		err_set(err, ERR_LIMIT, "%s must not hold more than %d entries", f->name,
			DVC_ENTRIES_MAX);
		return NULL;
	}
	dvc_out_none(&out);
	out.hash = "md5";
	if (dvc_file_set_path(f, &out, path, err) != 0)
		return NULL;
	more = arena_array(f->arena, f->nouts + 1, sizeof *more);
	if (more == NULL) {
		err_nomem(err);
		return NULL;
	}
	if (f->nouts != 0)
		memcpy(more, f->outs, f->nouts * sizeof *more);
	f->outs = more;
	f->outs[f->nouts] = out;
	return &f->outs[f->nouts++];
}

static void
put_text(struct yaml_doc *doc, struct yaml_val *top, const char *key, const char *s)
{
	if (s != NULL && *s != '\0')
		yaml_val_put(doc, top, key, yaml_val_str(doc, s));
}

static void
put_wdir(struct yaml_doc *doc, struct yaml_val *top, const struct dvc_file *f)
{
	struct buf b;

	buf_init(&b, 0);
	dvc_relpath(&b, f->dir, f->full_wdir);
	if (buf_failed(&b))
		yaml_val_put(doc, top, "wdir", NULL);
	else if (strcmp(b.p, ".") != 0)
		yaml_val_put(doc, top, "wdir", yaml_val_strn(doc, b.p, b.n));
	buf_release(&b);
}

static void
put_entries(struct yaml_doc *doc, struct yaml_val *top, const struct dvc_file *f,
	    bool outs)
{
	struct yaml_val *list = yaml_val_seq(doc);
	size_t n = outs ? f->nouts : f->ndeps;

	for (size_t i = 0; i < n; i++)
		yaml_val_add(doc, list,
			     outs ? dvc_dump_out(doc, &f->outs[i], f->full_wdir)
				  : dvc_dump_dep(doc, &f->deps[i], f->full_wdir));
	if (n != 0)
		yaml_val_put(doc, top, outs ? "outs" : "deps", list);
}

/* All that the file says, in DVC's order. */
static struct yaml_val *
state_of(struct yaml_doc *doc, const struct dvc_file *f)
{
	struct yaml_val *top = yaml_val_map(doc), *meta = NULL;

	put_text(doc, top, "desc", f->desc);
	put_text(doc, top, "md5", f->md5);
	put_wdir(doc, top, f);
	if (f->frozen)
		yaml_val_put(doc, top, "frozen", yaml_val_bool(doc, true));
	put_entries(doc, top, f, false);
	put_entries(doc, top, f, true);
	if (f->always_changed)
		yaml_val_put(doc, top, "always_changed", yaml_val_bool(doc, true));
	if (f->meta != NULL)
		meta = yaml_val_from(doc, f->meta);
	if (f->meta != NULL && !(meta != NULL && yaml_val_is_false(meta)))
		yaml_val_put(doc, top, "meta", meta);
	return top;
}

int
dvc_file_dump(const struct dvc_file *f, struct buf *out, struct err *err)
{
	struct yaml_doc *doc = NULL;
	int rc;

	if (f->text != NULL)
		rc = yaml_doc_parse(f->name, f->text, f->len, &doc, err);
	else
		rc = (doc = yaml_doc_new()) != NULL ? 0 : err_nomem(err);
	if (rc == 0)
		rc = yaml_doc_apply(doc, state_of(doc, f), err);
	if (rc == 0)
		rc = yaml_doc_dump(doc, out, err);
	yaml_doc_free(doc);
	return rc;
}

/* The mode that the file has, or that of a new one. */
static mode_t
mode_of(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == 0 ? st.st_mode & 0777 : 0666;
}

/* Nothing is written that would not be read back as what it is to say. */
static int
check_text(const struct dvc_file *f, const struct buf *text, struct err *err)
{
	struct dvc_file *back = NULL;
	bool same = dvc_file_parse(f->name, text->p, text->n, NULL, &back, err) == 0 &&
		    dvc_out_same(f->outs, f->nouts, back->outs, back->nouts);

	if (back != NULL && !same)
		err_set(err, ERR_INVALID,
			"%s is left alone: what was to be written would be read as "
			"something else",
			f->name);
	dvc_file_free(back);
	return same ? 0 : -1;
}

int
dvc_file_write(const struct dvc_file *f, int dirfd, bool *changed, struct err *err)
{
	bool differs = false;
	struct buf text;
	int rc;

	buf_init(&text, DVC_FILE_MAX);
	rc = dvc_file_dump(f, &text, err);
	if (rc == 0)
		differs = f->text == NULL || text.n != f->len ||
			  memcmp(text.p, f->text, text.n) != 0;
	if (differs)
		rc = check_text(f, &text, err);
	if (differs && rc == 0)
		rc = fsio_replace(dirfd, f->name, text.p, text.n, mode_of(dirfd, f->name),
				  err);
	buf_release(&text);
	if (rc == 0 && changed != NULL)
		*changed = differs;
	return rc;
}

int
dvc_file_stage_md5(const struct dvc_file *f, char out[DVC_MD5_MAX], struct err *err)
{
	struct yaml_doc *doc = yaml_doc_new();
	struct yaml_val *state = doc != NULL ? state_of(doc, f) : NULL;
	int rc;

	if (state == NULL || yaml_doc_failed(doc))
		rc = err_nomem(err);
	else
		rc = dvc_dump_stage_md5(state, out, err);
	yaml_doc_free(doc);
	return rc;
}
