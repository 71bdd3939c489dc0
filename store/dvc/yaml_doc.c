#include "store/dvc/yaml_doc.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/dvc/yaml_doc_int.h"

struct yaml_doc *
yaml_doc_new(void)
{
	struct arena *a = arena_new(0);
	struct yaml_doc *doc = a != NULL ? arena_zalloc(a, sizeof *doc) : NULL;

	if (doc != NULL) {
		doc->a = a;
		doc->name = "the file";
		doc->root = ydoc_val_new(doc, YV_MAP);
	}
	if (doc == NULL || doc->root == NULL) {
		arena_free(a);
		return NULL;
	}
	return doc;
}

void
yaml_doc_free(struct yaml_doc *doc)
{
	if (doc != NULL)
		arena_free(doc->a);
}

struct yaml_val *
yaml_doc_root(struct yaml_doc *doc)
{
	return doc->root;
}

bool
yaml_doc_failed(const struct yaml_doc *doc)
{
	return doc->nomem;
}

int
yaml_doc_parse(const char *name, const char *text, size_t n, struct yaml_doc **out,
	       struct err *err)
{
	struct err local = {0};
	struct yaml_doc *doc = yaml_doc_new();
	struct yaml_toks toks = {0};
	int rc;

	*out = NULL;
	if (doc == NULL)
		return err_nomem(err);
	doc->name = arena_strdup(doc->a, name);
	if (doc->name == NULL)
		rc = err_nomem(&local);
	else if (n > YAML_DOC_MAX)
		rc = err_set(&local, ERR_LIMIT, "%s holds more than 16 MiB", name);
	else
		rc = ydoc_scan(doc->a, name, text, n, &toks, &local);
	if (rc == 0)
		rc = ydoc_tree(doc, &toks, &local);
	vec_release(&toks.t);
	if (rc != 0) {
		yaml_doc_free(doc);
		if (err != NULL)
			*err = local;
		return -1;
	}
	*out = doc;
	return 0;
}

/*
 * DVC's writer has faults of its own (a comment behind a folded text that ends with a blank
 * becomes part of it; some numbers lose their last digit): what they would change is not
 * written.
 */
static int
check(struct yaml_doc *doc, const char *text, size_t n, struct err *err)
{
	const struct yaml_val *key = NULL;
	struct yaml_doc *back;
	int rc = 0;

	if (yaml_doc_parse(doc->name, text, n, &back, err) != 0)
		return err_wrap(err, "what DVC would write here could not be read back");
	if (ydoc_differs(doc->root, back->root, &key))
		rc = err_set(err, ERR_INVALID,
			     "%s: what DVC would write here would change '%.100s'",
			     doc->name, key != NULL ? key->text : "it");
	yaml_doc_free(back);
	return rc;
}

int
yaml_doc_dump(struct yaml_doc *doc, struct buf *out, struct err *err)
{
	size_t start = out->n;

	if (doc->nomem)
		return err_nomem(err);
	if (ydoc_emit(doc, out, err) != 0)
		return -1;
	if (buf_failed(out))
		return out->state == BUF_TOOBIG
			   ? err_set(err, ERR_LIMIT, "%s would become too large",
				     doc->name)
			   : err_nomem(err);
	return check(doc, out->p + start, out->n - start, err);
}
