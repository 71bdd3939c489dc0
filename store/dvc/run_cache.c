#include "store/dvc/run_cache.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"

/* Return 1 if ${v} has that hash, 0, or -1 without memory. */
static int
has_hash(const struct yaml_doc *doc, const struct yaml_val *v, const char *hex)
{
	static const char *const drop[] = {"size", "nfiles", NULL};
	char got[HASH_HEX_MAX];
	struct buf json;
	int rc;

	buf_init(&json, 0);
	yaml_val_json(v, drop, &json);
	if (buf_failed(&json) || yaml_doc_failed(doc) ||
	    hash_bytes(HASH_SHA256, json.p, json.n, got) != 0)
		rc = -1;
	else
		rc = strcmp(got, hex) == 0;
	buf_release(&json);
	return rc;
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
