#include "store/dvc/run_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/dvc/dvc_dump.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"

/* Return 0, or -1 without memory. */
static int
hash_val(const struct yaml_doc *doc, const struct yaml_val *v, char hex[HASH_HEX_MAX])
{
	static const char *const drop[] = {"size", "nfiles", NULL};
	struct buf json;
	int rc = -1;

	buf_init(&json, 0);
	if (!yaml_doc_failed(doc))
		yaml_val_json(v, drop, &json);
	if (!buf_failed(&json) && !yaml_doc_failed(doc))
		rc = hash_bytes(HASH_SHA256, json.p, json.n, hex);
	buf_release(&json);
	return rc;
}

/* Return 1 if ${v} has that hash, 0, or -1 without memory. */
static int
has_hash(const struct yaml_doc *doc, const struct yaml_val *v, const char *hex)
{
	char got[HASH_HEX_MAX];

	return hash_val(doc, v, got) == 0 ? strcmp(got, hex) == 0 : -1;
}

/* Of the outputs only their paths. */
static void
strip_outs(struct yaml_doc *doc, struct yaml_val *root)
{
	const struct yaml_val *outs = yaml_val_get(root, "outs");
	struct yaml_val *paths = yaml_val_seq(doc);

	for (size_t i = 0; i < yaml_val_count(outs); i++) {
		const char *path =
		    yaml_val_text(yaml_val_get(yaml_val_at(outs, i), "path"));

		yaml_val_add(doc, paths, yaml_val_str(doc, path != NULL ? path : ""));
	}
	yaml_val_put(doc, root, "outs", paths);
}

int
run_check(const struct run_name *name, const char *text, size_t n, struct err *err)
{
	struct yaml_doc *doc = NULL;
	struct err why;
	int rc;

	if (yaml_doc_parse("run", text, n, &doc, &why) != 0) {
		if (why.code == ERR_NOMEM)
			return err_nomem(err);
		return err_set(err, ERR_CORRUPT, "it cannot be read: %s", why.msg);
	}
	rc = yaml_doc_root(doc)->kind == YV_MAP
		 ? has_hash(doc, yaml_doc_root(doc), name->value)
		 : 0;
	if (rc == 0)
		err_set(err, ERR_CORRUPT, "what it says has another hash");
	if (rc == 1) {
		strip_outs(doc, yaml_doc_root(doc));
		rc = has_hash(doc, yaml_doc_root(doc), name->key);
		if (rc == 0)
			err_set(err, ERR_CORRUPT, "it is of another run than %s",
				name->key);
	}
	if (rc < 0)
		err_nomem(err);
	yaml_doc_free(doc);
	return rc == 1 ? 0 : -1;
}

int
run_entry(const struct dvc_lock_stage *stage, struct buf *out, struct run_name *name,
	  struct err *err)
{
	struct yaml_doc *doc = yaml_doc_new();
	int rc;

	if (doc == NULL)
		return err_nomem(err);
	dvc_lock_put_entry(doc, yaml_doc_root(doc), stage);
	rc = yaml_doc_dump(doc, out, err);
	if (rc == 0 && name != NULL) {
		rc = hash_val(doc, yaml_doc_root(doc), name->value);
		strip_outs(doc, yaml_doc_root(doc));
		if (rc == 0)
			rc = hash_val(doc, yaml_doc_root(doc), name->key);
		if (rc != 0)
			err_nomem(err);
	}
	yaml_doc_free(doc);
	return rc;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
run_key(const struct dvc_lock_stage *stage, const char *const *paths, size_t n, char *key,
	struct err *err)
{
	struct dvc_lock_stage inputs = *stage;
	struct yaml_doc *doc = yaml_doc_new();
	const char **sorted = calloc(n + 1, sizeof *sorted);
	struct yaml_val *list;
	int rc = -1;

	inputs.nouts = 0;
	if (doc != NULL && sorted != NULL) {
		memcpy(sorted, paths, n * sizeof *sorted);
		qsort(sorted, n, sizeof *sorted, by_text);
		dvc_lock_put_entry(doc, yaml_doc_root(doc), &inputs);
		list = yaml_val_seq(doc);
		for (size_t i = 0; i < n; i++)
			yaml_val_add(doc, list, yaml_val_str(doc, sorted[i]));
		yaml_val_put(doc, yaml_doc_root(doc), "outs", list);
		rc = hash_val(doc, yaml_doc_root(doc), key);
	}
	free(sorted);
	yaml_doc_free(doc);
	return rc == 0 ? 0 : err_nomem(err);
}
