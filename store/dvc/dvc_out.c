#include "store/dvc/dvc_out.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define AT(member)   offsetof(struct dvc_out, member)

void
dvc_meta_none(struct dvc_meta *m)
{
	*m = (struct dvc_meta){.size = -1, .nfiles = -1};
}

void
dvc_out_none(struct dvc_out *out)
{
	*out = (struct dvc_out){.where = DVC_NOWHERE, .cache = true, .push = true};
	dvc_meta_none(&out->meta);
	dvc_meta_none(&out->cloud.meta);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
dvc_out_same(const struct dvc_out *a, size_t n, const struct dvc_out *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (a[i].where != b[i].where || !same_text(a[i].full, b[i].full) ||
		    !object_id_equal(&a[i].meta.md5, &b[i].meta.md5) ||
		    a[i].nfiles != b[i].nfiles)
			return false;
	return true;
}

void
dvc_out_set_object(struct dvc_out *out, const struct object_id *id, int64_t size,
		   int64_t nfiles, bool isexec)
{
	dvc_meta_none(&out->meta);
	dvc_meta_none(&out->cloud.meta);
	out->cloud.remote = NULL;
	out->files = NULL;
	out->nfiles = 0;
	out->meta.md5 = *id;
	out->hash = id->legacy ? NULL : "md5";
	out->meta.size = size;
	out->meta.nfiles = nfiles;
	out->meta.isexec = isexec;
}

/* What is known of an object, at the start of a struct that holds it. */
#define META_KEYS(base)                                                                 \
	{"md5", DVC_OBJECT, (base) + offsetof(struct dvc_meta, md5), NULL},             \
	    {"checksum", DVC_WORD, (base) + offsetof(struct dvc_meta, checksum), NULL}, \
	    {"etag", DVC_WORD, (base) + offsetof(struct dvc_meta, etag), NULL},         \
	    {"size", DVC_COUNT, (base) + offsetof(struct dvc_meta, size), NULL},        \
	    {"nfiles", DVC_COUNT, (base) + offsetof(struct dvc_meta, nfiles), NULL},    \
	    {"isexec", DVC_BOOL, (base) + offsetof(struct dvc_meta, isexec), NULL},     \
	{                                                                               \
		"version_id", DVC_STR, (base) + offsetof(struct dvc_meta, version_id),  \
		    NULL                                                                \
	}

static const struct dvc_key cloud_keys[] = {META_KEYS(0)};

static void
take_cloud(struct dvc_read *r, const struct yaml_node *v, struct dvc_cloud *cloud)
{
	if (v->kind != YAML_MAP || v->map.n > 1) {
		dvc_read_say(r, v, "'cloud' must be a mapping of one remote's name");
		return;
	}
	if (v->map.n == 0)
		return;
	cloud->remote = v->map.v[0].key->str;
	dvc_read_map(r, v->map.v[0].val, "an object in the cloud", cloud_keys,
		     COUNT(cloud_keys), &cloud->meta);
}

static void
take_out_cloud(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	take_cloud(r, v, &((struct dvc_out *)into)->cloud);
}

static void
take_file_cloud(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	take_cloud(r, v, &((struct dvc_file_entry *)into)->cloud);
}

static const struct dvc_key file_keys[] = {
    META_KEYS(offsetof(struct dvc_file_entry, meta)),
    {"relpath", DVC_STR, offsetof(struct dvc_file_entry, relpath), NULL},
    {"cloud", DVC_BY, 0, take_file_cloud},
};

/* A name in the list is one below the entry's own path. */
static void
check_relpath(struct dvc_read *r, const struct yaml_node *node, struct dvc_file_entry *f)
{
	const struct yaml_node *at = yaml_get(node, "relpath");
	struct buf norm;

	if (f->relpath == NULL) {
		f->relpath = "";
		if (at == NULL)
			dvc_read_say(r, node, "an entry of files needs 'relpath'");
		return;
	}
	buf_init(&norm, 0);
	path_normalize(&norm, f->relpath);
	if (buf_failed(&norm))
		r->nomem = true;
	else if (path_climbs(norm.p) || strcmp(norm.p, ".") == 0 || norm.n > DVC_PATH_MAX)
		dvc_read_say(r, at, "'%.200s' is no name of a file inside", f->relpath);
	buf_release(&norm);
}

static void
take_files(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_out *out = into;

	if (v->kind != YAML_SEQ) {
		dvc_read_say(r, v, "'files' must be a list");
		return;
	}
	if (v->seq.n > DVC_FILES_MAX) {
		dvc_read_say(r, v, "'files' must not hold more than 1,000,000 names");
		return;
	}
	/* One more, so that an empty list is not a missing one. */
	out->files = arena_array(r->a, v->seq.n + 1, sizeof *out->files);
	if (out->files == NULL) {
		r->nomem = true;
		return;
	}
	for (size_t i = 0; i < v->seq.n; i++) {
		struct dvc_file_entry *f = &out->files[i];

		dvc_meta_none(&f->meta);
		dvc_meta_none(&f->cloud.meta);
		dvc_read_map(r, v->seq.v[i], "an entry of files", file_keys,
			     COUNT(file_keys), f);
		if (v->seq.v[i]->kind == YAML_MAP)
			check_relpath(r, v->seq.v[i], f);
	}
	out->nfiles = v->seq.n;
}

static void
take_hash(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	if (v->kind != YAML_STR || strcmp(v->str, "md5") != 0)
		dvc_read_say(r, v, "'hash' must be md5: no other is known to DVC 3");
	else
		((struct dvc_out *)into)->hash = "md5";
}

static const struct dvc_key repo_keys[] = {
    {"url", DVC_STR, offsetof(struct dvc_repo, url), NULL},
    {"rev", DVC_STR, offsetof(struct dvc_repo, rev), NULL},
    {"rev_lock", DVC_STR, offsetof(struct dvc_repo, rev_lock), NULL},
    {"config", DVC_STR_MAP, offsetof(struct dvc_repo, config), NULL},
    {"remote", DVC_STR_MAP, offsetof(struct dvc_repo, remote), NULL},
};

static void
take_repo(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_out *out = into;

	dvc_read_map(r, v, "'repo'", repo_keys, COUNT(repo_keys), &out->repo);
	if (v->kind == YAML_MAP && yaml_get(v, "url") == NULL)
		dvc_read_say(r, v, "'repo' needs 'url'");
}

static const struct dvc_key db_keys[] = {
    {"connection", DVC_STR, offsetof(struct dvc_db, connection), NULL},
    {"query", DVC_STR, offsetof(struct dvc_db, query), NULL},
    {"table", DVC_STR, offsetof(struct dvc_db, table), NULL},
    {"file_format", DVC_STR, offsetof(struct dvc_db, file_format), NULL},
};

static void
take_db(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_out *out = into;

	out->db.present = true;
	dvc_read_map(r, v, "'db'", db_keys, COUNT(db_keys), &out->db);
}

/* What stands in every list of entries. */
#define ENTRY_KEYS                                                                \
	META_KEYS(AT(meta)), {"path", DVC_STR, AT(path), NULL},                   \
	    {"hash", DVC_BY, 0, take_hash}, {"cloud", DVC_BY, 0, take_out_cloud}, \
	{                                                                         \
		"files", DVC_BY, 0, take_files                                    \
	}

static const struct dvc_key out_keys[] = {
    ENTRY_KEYS,
    {"fs_config", DVC_MAP, AT(fs_config), NULL},
    {"desc", DVC_STR, AT(desc), NULL},
    {"type", DVC_STR, AT(type), NULL},
    {"labels", DVC_STRS, AT(labels), NULL},
    {"meta", DVC_ANY, AT(meta_node), NULL},
    {"cache", DVC_BOOL, AT(cache), NULL},
    {"persist", DVC_BOOL, AT(persist), NULL},
    {"remote", DVC_STR, AT(remote), NULL},
    {"push", DVC_BOOL, AT(push), NULL},
};

static const struct dvc_key dep_keys[] = {
    ENTRY_KEYS,
    {"fs_config", DVC_MAP, AT(fs_config), NULL},
    {"persist", DVC_BOOL, AT(persist), NULL},
    {"repo", DVC_BY, 0, take_repo},
    {"db", DVC_BY, 0, take_db},
};

static const struct dvc_key lock_keys[] = {
    ENTRY_KEYS,
    {"dataset", DVC_MAP, AT(dataset), NULL},
};

static const struct {
	const char *what;
	const struct dvc_key *keys;
	size_t n;
} lists[] = {
    [DVC_FILE_OUTS] = {"an entry of outs", out_keys, COUNT(out_keys)},
    [DVC_FILE_DEPS] = {"an entry of deps", dep_keys, COUNT(dep_keys)},
    [DVC_LOCK_OUTS] = {"an entry of outs", lock_keys, COUNT(lock_keys)},
    [DVC_LOCK_DEPS] = {"an entry of deps", lock_keys, COUNT(lock_keys)},
};

void
dvc_out_tell_legacy(struct dvc_out *out)
{
	bool legacy = out->hash == NULL && out->where == DVC_IN_REPO;

	out->meta.md5.legacy = legacy && object_id_is_set(&out->meta.md5);
	for (size_t i = 0; i < out->nfiles; i++) {
		struct object_id *id = &out->files[i].meta.md5;

		id->legacy = legacy && object_id_is_set(id);
	}
}

static void
check_place(struct dvc_read *r, const struct yaml_node *node, enum dvc_list list,
	    const char *wdir, struct dvc_out *out)
{
	const struct yaml_node *at = yaml_get(node, "path");
	int where = DVC_NOWHERE;

	if (out->path == NULL) {
		if (at == NULL && !(list == DVC_FILE_DEPS && out->db.present))
			dvc_read_say(r, node, "%s needs 'path'", lists[list].what);
		return;
	}
	if (dvc_read_where(r, at, wdir, out->path, &out->full, &where) != 0)
		return;
	out->where = (enum dvc_where)where;
	if (list == DVC_FILE_OUTS && where != DVC_IN_REPO && out->cache)
		dvc_read_say(r, at,
			     "'%.200s' lies outside of the repository: only what is "
			     "inside can be cached",
			     out->path);
}

void
dvc_read_entries(struct dvc_read *r, const struct yaml_node *node, enum dvc_list list,
		 const char *wdir, struct dvc_out **out, size_t *n)
{
	*out = NULL;
	*n = 0;
	if (node->kind == YAML_NULL)
		return;
	if (node->kind != YAML_SEQ) {
		dvc_read_say(r, node, "'%s' must be a list, not %s",
			     lists[list].what + strlen("an entry of "),
			     yaml_kind_name(node->kind));
		return;
	}
	if (node->seq.n > DVC_ENTRIES_MAX - r->entries) {
		dvc_read_say(r, node, "one file must not hold more than 100,000 entries");
		return;
	}
	r->entries += node->seq.n;
	*out = arena_array(r->a, node->seq.n + 1, sizeof **out);
	if (*out == NULL) {
		r->nomem = true;
		return;
	}
	for (size_t i = 0; i < node->seq.n; i++) {
		const struct yaml_node *v = node->seq.v[i];
		struct dvc_out *o = &(*out)[i];

		dvc_out_none(o);
		o->line = v->line;
		o->col = v->col;
		dvc_read_map(r, v, lists[list].what, lists[list].keys, lists[list].n, o);
		if (v->kind != YAML_MAP)
			continue;
		check_place(r, v, list, wdir, o);
		dvc_out_tell_legacy(o);
	}
	*n = node->seq.n;
}
