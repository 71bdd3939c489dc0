#include "store/dvc/yaml_doc.h"

#include "base/arena.h"
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
	if (n > YAML_DOC_MAX)
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
