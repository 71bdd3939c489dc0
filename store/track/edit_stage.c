#include "store/track/edit_stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/relpath.h"
#include "store/dvc/yaml_doc.h"
#include "store/track/edit_value.h"

/* ---- places ---- */

void
edit_place(const char *root, const char *dir, const char *path, struct buf *out)
{
	struct buf full, abs;
	const char *rest;

	if (strstr(path, "://") != NULL) {
		buf_adds(out, path);
		return;
	}
	buf_init(&full, 0);
	buf_init(&abs, 0);
	if (*path != '/' && *dir != '/')
		buf_addf(&full, "%s/%s/%s", root, dir, path);
	else
		path_join(&full, dir, path);
	path_normalize(&abs, full.p);
	if (buf_failed(&full) || buf_failed(&abs)) {
		out->state = BUF_NOMEM;
	} else if (path_is_below(abs.p, root)) {
		rest = abs.p + strlen(root);
		rest += *rest == '/';
		buf_adds(out, *rest != '\0' ? rest : ".");
	} else {
		buf_add(out, abs.p, abs.n);
	}
	buf_release(&abs);
	buf_release(&full);
}

/* The directory of a file. */
static void
put_dir(struct buf *b, const char *file)
{
	size_t n = (size_t)(path_basename(file) - file);

	if (n > 1)
		buf_add(b, file, n - 1);
	else
		buf_addc(b, '.');
}

void
edit_wdir(const char *root, const char *file, const struct dvc_yaml_stage *s,
	  struct buf *out)
{
	struct buf dir;

	buf_init(&dir, 0);
	put_dir(&dir, file);
	edit_place(root, dir.p, s->wdir != NULL ? s->wdir : ".", out);
	if (buf_failed(&dir))
		out->state = BUF_NOMEM;
	buf_release(&dir);
}

/* ---- the document ---- */

static int
open_doc(const struct edit_file *f, struct yaml_doc **doc, struct err *err)
{
	if (f->text != NULL)
		return yaml_doc_parse(f->name, f->text, f->len, doc, err);
	*doc = yaml_doc_new();
	return *doc != NULL ? 0 : err_nomem(err);
}

/* The mapping of all stages, made where there is none. */
static struct yaml_val *
stages_of(const struct edit_file *f, struct yaml_doc *doc, struct err *err)
{
	struct yaml_val *root = yaml_doc_root(doc), *v;

	if (!yaml_val_is_map(root)) {
		(void)err_set(err, ERR_INVALID, "%s must be a mapping", f->name);
		return NULL;
	}
	v = yaml_val_get(root, "stages");
	if (v == NULL || !yaml_val_is_map(v)) {
		if (v != NULL && !yaml_val_is_false(v)) {
			(void)err_set(err, ERR_INVALID, "%s: 'stages' must be a mapping",
				      f->name);
			return NULL;
		}
		v = yaml_val_map(doc);
		yaml_val_put(doc, root, "stages", v);
	}
	if (v == NULL)
		(void)err_nomem(err);
	return v;
}

/* What is written must be read as a dvc.yaml with that stage in it. */
static int
check_text(const struct edit_file *f, const char *name, const struct buf *text,
	   struct err *err)
{
	struct dvc_yaml *y = NULL;
	int rc = dvc_yaml_parse(f->name, text->p, text->n, NULL, &y, err);

	if (rc == 0 && dvc_yaml_stage(y, name) == NULL)
		rc = err_set(err, ERR_INVALID,
			     "%s is left alone: stage '%s' would be read as something "
			     "else",
			     f->name, name);
	dvc_yaml_free(y);
	return rc;
}

/* Let the stage hold that value. */
static int
put_stage(const struct edit_file *f, struct yaml_doc *doc, const char *name,
	  struct yaml_val *v, struct err *err)
{
	struct yaml_val *stages = stages_of(f, doc, err), *have;

	if (stages == NULL)
		return -1;
	have = yaml_val_get(stages, name);
	if (have != NULL && yaml_val_is_map(have))
		return yaml_val_apply(doc, have, v, err);
	yaml_val_put(doc, stages, name, v);
	return 0;
}

static int
write_doc(const struct edit_file *f, struct yaml_doc *doc, const char *name,
	  struct buf *out, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, DVC_YAML_MAX);
	rc = yaml_doc_dump(doc, &text, err);
	if (rc == 0)
		rc = check_text(f, name, &text, err);
	if (rc == 0) {
		buf_add(out, text.p, text.n);
		rc = buf_failed(out) ? err_nomem(err) : 0;
	}
	buf_release(&text);
	return rc;
}

int
edit_put_stage(const struct edit_file *f, const struct dvc_yaml_stage *s,
	       const char *desc, const struct dvc_yaml_stage *old, struct buf *out,
	       struct err *err)
{
	struct edit_entry e = {
	    .root = f->root, .file = f->name, .stage = s, .desc = desc, .old = old};
	struct yaml_doc *doc = NULL;
	struct yaml_val *v = NULL;
	int rc = open_doc(f, &doc, err);

	if (rc == 0)
		rc = edit_value(doc, &e, &v, err);
	if (rc == 0)
		rc = put_stage(f, doc, s->name, v, err);
	if (rc == 0)
		rc = write_doc(f, doc, s->name, out, err);
	yaml_doc_free(doc);
	return rc;
}

/* ---- freezing ---- */

static bool
has_template(const struct yaml_node *n)
{
	if (n->kind == YAML_MAP) {
		for (size_t i = 0; i < n->map.n; i++)
			if (has_template(n->map.v[i].key) ||
			    has_template(n->map.v[i].val))
				return true;
		return false;
	}
	if (n->kind == YAML_SEQ) {
		for (size_t i = 0; i < n->seq.n; i++)
			if (has_template(n->seq.v[i]))
				return true;
		return false;
	}
	return n->str != NULL && strstr(n->str, "${") != NULL;
}

static const struct dvc_yaml_stage *
find_stage(const struct dvc_yaml *y, const char *name)
{
	for (size_t i = 0; i < y->nstages; i++)
		if (strcmp(y->stages[i].name, name) == 0)
			return &y->stages[i];
	return NULL;
}

bool
edit_is_template(const struct dvc_yaml *y, const char *name)
{
	const struct dvc_yaml_stage *s = find_stage(y, name);

	return s == NULL || s->many || yaml_get(s->node, "vars") != NULL ||
	       has_template(s->node);
}

static int
refuse_template(const struct edit_file *f, const char *name, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "stage '%s' is made of templates: change it in '%s' itself", name,
		       f->name);
}

int
edit_freeze(const struct edit_file *f, const char *name, bool frozen, struct buf *out,
	    struct err *err)
{
	const struct dvc_yaml_stage *found = NULL;
	struct dvc_yaml_stage s;
	struct dvc_yaml *y = NULL;
	int rc = dvc_yaml_parse(f->name, f->text, f->len, NULL, &y, err);

	if (rc == 0 && find_stage(y, name) == NULL && dvc_yaml_stage(y, name) == NULL)
		rc = err_set(err, ERR_NOTFOUND, "there is no stage '%s' in '%s'", name,
			     f->name);
	if (rc == 0 && edit_is_template(y, name))
		rc = refuse_template(f, name, err);
	if (rc == 0) {
		found = find_stage(y, name);
		s = *found;
		s.frozen = frozen;
		rc = edit_put_stage(f, &s, NULL, found, out, err);
	}
	dvc_yaml_free(y);
	return rc;
}

/* ---- taking out ---- */

/* Drop the stages.  Return whether any was there. */
static bool
drop(struct yaml_doc *doc, const char *const *names, size_t n)
{
	struct yaml_val *stages = yaml_val_get(yaml_doc_root(doc), "stages");
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (yaml_val_get(stages, names[i]) == NULL)
			continue;
		yaml_val_drop(stages, names[i]);
		any = true;
	}
	return any;
}

/* Whether anything is left; an empty mapping of stages goes.  "schema" says nothing by itself. */
static bool
is_left(struct yaml_doc *doc)
{
	struct yaml_val *root = yaml_doc_root(doc);

	if (yaml_val_count(yaml_val_get(root, "stages")) > 0)
		return true;
	yaml_val_drop(root, "stages");
	return yaml_val_count(root) > (yaml_val_get(root, "schema") != NULL ? 1 : 0);
}

int
edit_drop_stages(const struct edit_file *f, const char *const *names, size_t n,
		 struct buf *out, struct err *err)
{
	struct yaml_doc *doc = NULL;
	int rc = open_doc(f, &doc, err);

	if (rc == 0 && !drop(doc, names, n))
		rc = 2;
	if (rc == 0 && !is_left(doc))
		rc = 1;
	if (rc == 0)
		rc = yaml_doc_dump(doc, out, err);
	yaml_doc_free(doc);
	return rc;
}
