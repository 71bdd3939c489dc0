/*
 * By what DVC calls an experiment that has no other message: the SHA-256 of its stages' entries
 * in dvc.lock, as Python's JSON.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/dvc/dvc_dump.h"
#include "store/dvc/dvc_lock.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"
#include "store/exp/keep_internal.h"
#include "store/git.h"
#include "store/track/collect.h"

static struct yaml_val *
entry_of(struct yaml_doc *doc, const struct dvc_lock_stage *s)
{
	struct yaml_val *v = yaml_val_map(doc);

	if (v != NULL)
		dvc_lock_put_entry(doc, v, s);
	return v;
}

static int
put_json(struct yaml_doc *doc, const struct dvc_lock_stage *s, struct buf *out)
{
	struct yaml_val *v = entry_of(doc, s);

	if (v == NULL || yaml_doc_failed(doc))
		return -1;
	yaml_val_json(v, NULL, out);
	return buf_failed(out) ? -1 : 0;
}

/* 1, 0, or -1 without memory. */
static int
is_same(struct yaml_doc *doc, const struct dvc_lock_stage *a,
	const struct dvc_lock_stage *b)
{
	struct buf x, y;
	int same = -1;

	buf_init(&x, 0);
	buf_init(&y, 0);
	if (put_json(doc, a, &x) == 0 && put_json(doc, b, &y) == 0)
		same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	buf_release(&x);
	buf_release(&y);
	return same;
}

/* What the commit has in the place of ${new}; NULL: nothing that could be read. */
static int
read_old(const struct dvc_lock *new, struct repo *git, const char *base,
	 const char *prefix, struct dvc_lock **out, struct err *err)
{
	struct buf path, text;
	struct err why = {0};
	int rc = 0;

	*out = NULL;
	if (base == NULL)
		return 0;
	buf_init(&path, 0);
	buf_init(&text, DVC_LOCK_MAX);
	buf_addf(&path, "%s%s", prefix, new->name);
	if (buf_failed(&path))
		rc = err_nomem(err);
	else if (repo_file(git, base, path.p, DVC_LOCK_MAX, &text, &why) == 0)
		(void)dvc_lock_parse(new->name, text.p, text.n, NULL, out, &why);
	if (rc == 0 && why.code == ERR_NOMEM)
		rc = err_nomem(err);
	buf_release(&path);
	buf_release(&text);
	return rc;
}

static int
add_lock(struct yaml_doc *doc, const struct dvc_lock *new, struct repo *git,
	 const char *base, const char *prefix, struct err *err)
{
	struct dvc_lock *old;
	int rc = read_old(new, git, base, prefix, &old, err);

	for (size_t i = 0; rc == 0 && i < new->nstages; i++) {
		const struct dvc_lock_stage *s = &new->stages[i];
		const struct dvc_lock_stage *was =
		    old != NULL ? dvc_lock_find(old, s->name) : NULL;
		int same = was != NULL ? is_same(doc, s, was) : 0;

		if (same < 0)
			rc = err_nomem(err);
		else if (same == 0 && !s->unlisted)
			yaml_val_put(doc, yaml_doc_root(doc), s->name, entry_of(doc, s));
	}
	dvc_lock_free(old);
	return rc;
}

int
keep_hash(const struct track_list *l, struct repo *git, const char *base,
	  const char *prefix, char hex[HASH_HEX_MAX], struct err *err)
{
	struct yaml_doc *doc = yaml_doc_new();
	struct buf json;
	int rc = doc != NULL ? 0 : err_nomem(err);

	for (size_t i = 0; rc == 0 && i < l->nfiles; i++)
		if (l->files[i]->lock != NULL)
			rc = add_lock(doc, l->files[i]->lock, git, base, prefix, err);
	buf_init(&json, 0);
	if (rc == 0) {
		yaml_val_json(yaml_doc_root(doc), NULL, &json);
		if (yaml_doc_failed(doc) || buf_failed(&json) ||
		    hash_bytes(HASH_SHA256, json.p, json.n, hex) != 0)
			rc = err_nomem(err);
	}
	buf_release(&json);
	yaml_doc_free(doc);
	return rc;
}
