#include "store/dvc/dvc_dump.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/yaml.h"
#include "store/dvc/dvc_out.h"
#include "store/dvc/yaml_doc.h"

void
dvc_relpath(struct buf *b, const char *from, const char *to)
{
	size_t same = 0, i;
	bool any = false;

	if (strcmp(from, ".") == 0)
		from = "";
	if (strcmp(to, ".") == 0)
		to = "";
	/* The directories that both have. */
	for (i = 0;; i++) {
		bool end = from[i] == '\0' || from[i] == '/';

		if (end && (to[i] == '\0' || to[i] == '/'))
			same = i;
		if (from[i] == '\0' || from[i] != to[i])
			break;
	}
	for (i = same; from[i] != '\0'; i++)
		if (from[i] != '/' && (i == 0 || from[i - 1] == '/')) {
			buf_adds(b, any ? "/.." : "..");
			any = true;
		}
	to += same + (to[same] == '/');
	if (*to != '\0')
		buf_addf(b, "%s%s", any ? "/" : "", to);
	else if (!any)
		buf_addc(b, '.');
}

static void
put_str(struct yaml_doc *doc, struct yaml_val *map, const char *key, const char *s)
{
	if (s != NULL && *s != '\0')
		yaml_val_put(doc, map, key, yaml_val_str(doc, s));
}

static void
put_true(struct yaml_doc *doc, struct yaml_val *map, const char *key, bool b)
{
	if (b)
		yaml_val_put(doc, map, key, yaml_val_bool(doc, true));
}

static void
put_count(struct yaml_doc *doc, struct yaml_val *map, const char *key, int64_t i)
{
	if (i >= 0)
		yaml_val_put(doc, map, key, yaml_val_int(doc, i));
}

static void
put_node(struct yaml_doc *doc, struct yaml_val *map, const char *key,
	 const struct yaml_node *n)
{
	if (n != NULL)
		yaml_val_put(doc, map, key, yaml_val_from(doc, n));
}

/* What Python takes for false is left out. */
static bool
is_something(const struct yaml_node *n)
{
	if (n == NULL)
		return false;
	switch (n->kind) {
	case YAML_NULL:
		return false;
	case YAML_BOOL:
		return n->b;
	case YAML_INT:
		return n->i != 0;
	case YAML_FLOAT:
		return n->f < 0 || n->f > 0 || n->f != n->f;
	case YAML_STR:
		return n->len != 0;
	case YAML_SEQ:
		return n->seq.n != 0;
	case YAML_MAP:
		return n->map.n != 0;
	}
	return false;
}

static void
put_md5(struct yaml_doc *doc, struct yaml_val *map, const struct object_id *id)
{
	char hex[OBJECT_HEX_MAX];

	if (object_id_is_set(id))
		put_str(doc, map, "md5", object_id_hex(id, hex));
}

/* A remote's own names stand together under it. */
static void
put_cloud(struct yaml_doc *doc, struct yaml_val *map, const struct dvc_cloud *cloud)
{
	const struct dvc_meta *m = &cloud->meta;
	struct yaml_val *names, *one;

	if (cloud->remote == NULL ||
	    (m->etag == NULL && m->checksum == NULL && m->version_id == NULL))
		return;
	names = yaml_val_map(doc);
	put_str(doc, names, "etag", m->etag);
	put_str(doc, names, "checksum", m->checksum);
	put_str(doc, names, "version_id", m->version_id);
	one = yaml_val_map(doc);
	yaml_val_put(doc, one, cloud->remote, names);
	yaml_val_put(doc, map, "cloud", one);
}

/* The hash comes first, whichever it is, then what else is known. */
static void
put_meta(struct yaml_doc *doc, struct yaml_val *map, const struct dvc_meta *m,
	 const struct dvc_cloud *cloud, bool url)
{
	if (url && m->etag != NULL)
		put_str(doc, map, "etag", m->etag);
	else if (url && m->checksum != NULL)
		put_str(doc, map, "checksum", m->checksum);
	else
		put_md5(doc, map, &m->md5);
	put_count(doc, map, "size", m->size);
	put_count(doc, map, "nfiles", m->nfiles);
	put_true(doc, map, "isexec", m->isexec);
	put_str(doc, map, "version_id", m->version_id);
	put_str(doc, map, "etag", m->etag);
	put_str(doc, map, "checksum", m->checksum);
	put_md5(doc, map, &m->md5);
	put_cloud(doc, map, cloud);
}

static int
by_relpath(const void *a, const void *b)
{
	const struct dvc_file_entry *const *x = a, *const *y = b;

	return strcmp((*x)->relpath, (*y)->relpath);
}

static void
put_files(struct yaml_doc *doc, struct yaml_val *map, const struct dvc_out *out)
{
	const struct dvc_file_entry **sorted = calloc(out->nfiles + 1, sizeof *sorted);
	struct yaml_val *list = sorted != NULL ? yaml_val_seq(doc) : NULL;

	for (size_t i = 0; sorted != NULL && i < out->nfiles; i++)
		sorted[i] = &out->files[i];
	if (sorted != NULL)
		qsort(sorted, out->nfiles, sizeof *sorted, by_relpath);
	for (size_t i = 0; sorted != NULL && i < out->nfiles; i++) {
		const struct dvc_file_entry *f = sorted[i];
		struct yaml_val *v = yaml_val_map(doc);

		put_str(doc, v, "relpath", f->relpath);
		put_meta(doc, v, &f->meta, &f->cloud, false);
		yaml_val_add(doc, list, v);
	}
	free(sorted);
	yaml_val_put(doc, map, "files", list);
}

static bool
is_legacy(const struct dvc_out *out)
{
	return out->where == DVC_IN_REPO && out->hash == NULL;
}

static void
put_hash(struct yaml_doc *doc, struct yaml_val *map, const struct dvc_out *out)
{
	if (!is_legacy(out))
		put_str(doc, map, "hash", "md5");
}

static void
put_object(struct yaml_doc *doc, struct yaml_val *map, const struct dvc_out *out)
{
	/* DVC 2 wrote a null where there is no hash yet, and DVC 3 keeps to it. */
	if (is_legacy(out) && !object_id_is_set(&out->meta.md5))
		yaml_val_put(doc, map, "md5", yaml_val_null(doc));
	put_meta(doc, map, &out->meta, &out->cloud, out->where == DVC_URL);
}

static void
put_path(struct yaml_doc *doc, struct yaml_val *map, const struct dvc_out *out,
	 const char *wdir)
{
	struct buf b;

	if (out->where != DVC_IN_REPO) {
		put_str(doc, map, "path", out->path);
		return;
	}
	buf_init(&b, 0);
	dvc_relpath(&b, wdir, out->full);
	yaml_val_put(doc, map, "path",
		     buf_failed(&b) ? NULL : yaml_val_strn(doc, b.p, b.n));
	buf_release(&b);
}

/* What both kinds of entry begin with. */
static struct yaml_val *
dump_entry(struct yaml_doc *doc, const struct dvc_out *out, const char *wdir)
{
	struct yaml_val *v = yaml_val_map(doc);

	if (out->nfiles == 0)
		put_object(doc, v, out);
	put_hash(doc, v, out);
	put_path(doc, v, out, wdir);
	if (is_something(out->fs_config))
		put_node(doc, v, "fs_config", out->fs_config);
	return v;
}

struct yaml_val *
dvc_dump_out(struct yaml_doc *doc, const struct dvc_out *out, const char *wdir)
{
	struct yaml_val *v = dump_entry(doc, out, wdir);

	put_str(doc, v, "desc", out->desc);
	put_str(doc, v, "type", out->type);
	if (is_something(out->labels))
		put_node(doc, v, "labels", out->labels);
	if (is_something(out->meta_node))
		put_node(doc, v, "meta", out->meta_node);
	if (!out->cache)
		yaml_val_put(doc, v, "cache", yaml_val_bool(doc, false));
	put_true(doc, v, "persist", out->persist);
	put_str(doc, v, "remote", out->remote);
	if (!out->push)
		yaml_val_put(doc, v, "push", yaml_val_bool(doc, false));
	if (out->nfiles != 0)
		put_files(doc, v, out);
	return v;
}

static struct yaml_val *
dump_repo(struct yaml_doc *doc, const struct dvc_repo *repo)
{
	struct yaml_val *v = yaml_val_map(doc);

	yaml_val_put(doc, v, "url", yaml_val_str(doc, repo->url));
	put_str(doc, v, "rev", repo->rev);
	put_str(doc, v, "rev_lock", repo->rev_lock);
	if (is_something(repo->config))
		put_node(doc, v, "config", repo->config);
	if (is_something(repo->remote))
		put_node(doc, v, "remote", repo->remote);
	return v;
}

struct yaml_val *
dvc_dump_dep(struct yaml_doc *doc, const struct dvc_out *out, const char *wdir)
{
	struct yaml_val *v, *db;

	if (out->db.present) {
		v = yaml_val_map(doc);
		db = yaml_val_map(doc);
		put_str(doc, db, "query", out->db.query);
		put_str(doc, db, "connection", out->db.connection);
		put_str(doc, db, "file_format", out->db.file_format);
		put_str(doc, db, "table", out->db.table);
		if (yaml_val_count(db) != 0)
			yaml_val_put(doc, v, "db", db);
		return v;
	}
	if (out->repo.url != NULL) {
		v = yaml_val_map(doc);
		put_str(doc, v, "path", out->path);
		yaml_val_put(doc, v, "repo", dump_repo(doc, &out->repo));
		return v;
	}
	v = dump_entry(doc, out, wdir);
	if (out->nfiles != 0)
		put_files(doc, v, out);
	return v;
}

struct yaml_val *
dvc_dump_locked(struct yaml_doc *doc, const struct dvc_out *out)
{
	struct yaml_val *v = yaml_val_map(doc);

	put_str(doc, v, "path", out->path);
	if (out->dataset != NULL) {
		if (is_something(out->dataset))
			put_node(doc, v, "dataset", out->dataset);
		return v;
	}
	put_hash(doc, v, out);
	if (out->nfiles != 0)
		put_files(doc, v, out);
	else
		put_meta(doc, v, &out->meta, &out->cloud, out->where == DVC_URL);
	return v;
}

int
dvc_dump_stage_md5(struct yaml_val *state, char out[DVC_MD5_MAX], struct err *err)
{
	/* What does not make a stage another one. */
	static const char *const drop[] = {"desc",   "type",   "labels", "meta",
					   "locked", "frozen", "metric", "persist",
					   "isexec", "size",   "nfiles", NULL};
	const char *wdir = yaml_val_text(yaml_val_get(state, "wdir"));
	char hex[HASH_HEX_MAX];
	struct buf json;
	int rc = 0;

	buf_init(&json, 0);
	yaml_val_drop(state, "md5");
	if (wdir != NULL && strcmp(wdir, ".") == 0)
		yaml_val_drop(state, "wdir");
	yaml_val_json(state, drop, &json);
	if (buf_failed(&json) || hash_bytes(HASH_MD5, json.p, json.n, hex) != 0)
		rc = err_nomem(err);
	else
		memcpy(out, hex, DVC_MD5_MAX);
	buf_release(&json);
	return rc;
}
