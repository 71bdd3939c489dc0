#include "store/track/source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/config.h"
#include "store/dvc/dvc_out.h"
#include "store/dvc/relpath.h"
#include "store/track/source_internal.h"

#define EMPTY "the address of the data is empty"

/* ---- addresses ---- */

/* The length of SCHEME in SCHEME://..., or 0. */
static size_t
scheme_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return n > 1 && strncmp(s + n, "://", 3) == 0 ? n : 0;
}

static bool
is_scheme(const char *s, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(s, name, n) == 0;
}

static int
refuse_scheme(const char *word, size_t n, struct err *err)
{
	static const struct {
		const char *name, *why;
	} known[] = {
	    {"s3", "the S3 remotes"},
	    {"gs", "the Google Cloud remotes"},
	    {"gcs", "the Google Cloud remotes"},
	    {"azure", "the Azure remotes"},
	    {"ssh", "the SSH remotes"},
	    {"sftp", "the SSH remotes"},
	    {"hdfs", "the HDFS remotes"},
	    {"webhdfs", "the HDFS remotes"},
	    {"webdav", "the WebDAV remotes"},
	    {"webdavs", "the WebDAV remotes"},
	    {"oss", "the OSS remotes"},
	    {"gdrive", "the Google Drive remotes"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is_scheme(word, n, known[i].name))
			return err_set(
			    err, ERR_INVALID,
			    "%s:// cannot be imported from yet: that comes with "
			    "%s; until then fetch the data by other means and "
			    "'dag add' it",
			    known[i].name, known[i].why);
	if (is_scheme(word, n, "remote"))
		return err_set(
		    err, ERR_INVALID,
		    "remote:// cannot be imported from yet: give the path that "
		    "the remote's url names ('dag remote list' shows it)");
	return err_set(err, ERR_INVALID,
		       "'%.*s://' is no kind of address that data can be imported from: "
		       "a path, file://, http:// and https:// are",
		       (int)(n < 40 ? n : 40), word);
}

static int
hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The path of a file: URL, behind its "//". */
static int
decode(const char *s, struct buf *out, struct err *err)
{
	const char *p = strncmp(s, "localhost/", 10) == 0 ? s + 9 : s;

	if (*p != '/')
		return err_set(
		    err, ERR_INVALID,
		    "'file://%s' names another machine: file:///PATH is a path of "
		    "this one",
		    s);
	for (; *p != '\0'; p++) {
		if (*p != '%') {
			buf_addc(out, *p);
			continue;
		}
		if (hex(p[1]) < 0 || hex(p[2]) < 0 || (p[1] == '0' && p[2] == '0'))
			return err_set(
			    err, ERR_INVALID,
			    "'file://%s' has a %% that no byte's two digits follow", s);
		buf_addc(out, (char)(hex(p[1]) * 16 + hex(p[2])));
		p += 2;
	}
	return 0;
}

static int
set_http(struct arena *a, const char *url, struct source *out, struct err *err)
{
	struct buf b;

	if (strlen(url) > DVC_PATH_MAX)
		return err_set(err, ERR_LIMIT,
			       "an address has at most %d bytes, '%.64s...' has %zu",
			       DVC_PATH_MAX, url, strlen(url));
	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(
			    err, ERR_INVALID,
			    "'%s' has a blank or a control character in it: an "
			    "address spells those %%20 and the like",
			    url);
	buf_init(&b, 0);
	config_put_url(&b, url);
	out->kind = SOURCE_HTTP;
	out->url = arena_strdup(a, url);
	out->name = arena_strndup(a, b.p, b.n);
	if (buf_failed(&b) || out->url == NULL || out->name == NULL)
		(void)err_nomem(err);
	buf_release(&b);
	return out->url != NULL && out->name != NULL ? 0 : -1;
}

/* ${path}, seen from ${dir}, absolute; recorded as ${as}, or as seen from ${wdir} if it is NULL
 * or the path lies in the project. */
static int
set_path(struct arena *a, const char *root, const char *wdir, const char *dir,
	 const char *path, bool absolute, struct source *out, struct err *err)
{
	struct buf joined, norm, rel, base;
	int r = -1;

	buf_init(&joined, 0);
	buf_init(&norm, 0);
	buf_init(&rel, 0);
	buf_init(&base, 0);
	path_join(&joined, dir, path);
	path_normalize(&norm, joined.p);
	path_join(&base, root, strcmp(wdir, ".") == 0 ? "" : wdir);
	if (base.n > 1 && base.p[base.n - 1] == '/')
		buf_truncate(&base, base.n - 1);
	dvc_relpath(&rel, base.p + 1, norm.p + (norm.n > 0));
	out->kind = SOURCE_PATH;
	out->path = out->name = arena_strndup(a, norm.p, norm.n);
	out->inside = NULL;
	if (path_is_below(norm.p, root) && norm.n > strlen(root))
		out->inside = out->path + strlen(root) + (root[1] != '\0');
	out->url =
	    absolute && out->inside == NULL ? out->path : arena_strndup(a, rel.p, rel.n);
	if (buf_failed(&joined) || buf_failed(&norm) || buf_failed(&rel) ||
	    buf_failed(&base) || out->path == NULL || out->url == NULL)
		(void)err_nomem(err);
	else if (norm.n > DVC_PATH_MAX || strlen(out->url) > DVC_PATH_MAX)
		(void)err_set(err, ERR_LIMIT,
			      "the path '%.64s...' has more than %d bytes", norm.p,
			      DVC_PATH_MAX);
	else if (strcmp(norm.p, "/") == 0)
		(void)err_set(err, ERR_INVALID, "'/' is no data: name what is in it");
	else
		r = 0;
	buf_release(&joined);
	buf_release(&norm);
	buf_release(&rel);
	buf_release(&base);
	return r;
}

static int
set_file_url(struct arena *a, const char *root, const char *wdir, const char *word,
	     struct source *out, struct err *err)
{
	struct buf path;
	int r;

	buf_init(&path, 0);
	r = decode(word + strlen("file://"), &path, err);
	if (r == 0 && buf_failed(&path))
		r = err_nomem(err);
	if (r == 0)
		r = set_path(a, root, wdir, "/", path.p, true, out, err);
	buf_release(&path);
	return r;
}

int
source_of_word(struct arena *a, const char *root, const char *wdir, const char *word,
	       struct source *out, struct err *err)
{
	size_t n = scheme_len(word);
	char *cwd;
	int r;

	*out = (struct source){0};
	if (*word == '\0')
		return err_set(err, ERR_INVALID, EMPTY);
	if (is_scheme(word, n, "http") || is_scheme(word, n, "https"))
		return set_http(a, word, out, err);
	if (is_scheme(word, n, "file"))
		return set_file_url(a, root, wdir, word, out, err);
	if (n > 0)
		return refuse_scheme(word, n, err);
	cwd = fsio_realpath(".", err);
	if (cwd == NULL)
		return -1;
	r = set_path(a, root, wdir, cwd, word, *word == '/', out, err);
	free(cwd);
	return r;
}

int
source_of_dep(struct arena *a, const char *root, const char *wdir,
	      const struct dvc_out *dep, struct source *out, struct err *err)
{
	const char *url = dep->path;
	size_t n = url != NULL ? scheme_len(url) : 0;
	const char *dir;

	*out = (struct source){0};
	if (dep->repo.url != NULL)
		return source_repo_of_dep(a, root, dep, out, err);
	if (url == NULL)
		return err_set(
		    err, ERR_INVALID,
		    "it was imported from a database, which this version cannot "
		    "ask");
	if (is_scheme(url, n, "http") || is_scheme(url, n, "https"))
		return set_http(a, url, out, err);
	if (n > 0)
		return refuse_scheme(url, n, err);
	dir = strcmp(wdir, ".") == 0 ? root : arena_printf(a, "%s/%s", root, wdir);
	if (dir == NULL)
		return err_nomem(err);
	if (set_path(a, root, wdir, dir, url, *url == '/', out, err) != 0)
		return -1;
	out->url = url;
	return 0;
}

const char *
source_leaf(struct arena *a, const char *word, struct err *err)
{
	size_t n = scheme_len(word), end = strlen(word);
	const char *path = word, *name = NULL;
	struct buf norm;

	if (*word == '\0') {
		(void)err_set(err, ERR_INVALID, EMPTY);
		return NULL;
	}
	if (n > 0) {
		path = word + n + 3;
		path += strcspn(path, "/?#");
		end = strcspn(path, "?#");
	}
	buf_init(&norm, 0);
	path = arena_strndup(a, path, end);
	if (path != NULL && is_scheme(word, n, "file")) {
		struct buf plain;

		buf_init(&plain, 0);
		if (decode(path, &plain, NULL) == 0 && !buf_failed(&plain))
			path = arena_strndup(a, plain.p, plain.n);
		buf_release(&plain);
	}
	if (path != NULL)
		path_normalize(&norm, path);
	if (path == NULL || buf_failed(&norm))
		(void)err_nomem(err);
	else if (strcmp(path_basename(norm.p), ".") == 0 ||
		 strcmp(path_basename(norm.p), "..") == 0 ||
		 *path_basename(norm.p) == '\0')
		(void)err_set(
		    err, ERR_INVALID,
		    "'%.200s' says no name for the data: give one as the second "
		    "word",
		    word);
	else if ((name = arena_strdup(a, path_basename(norm.p))) == NULL)
		(void)err_nomem(err);
	buf_release(&norm);
	return name;
}

/* ---- what a pointer says of it ---- */

static const char *
dep_checksum(const struct dvc_out *dep)
{
	return dep->meta.checksum != NULL ? dep->meta.checksum : dep->meta.etag;
}

bool
source_same(const struct source_state *s, const struct dvc_out *dep)
{
	const char *was = dep_checksum(dep);

	if (s->rev_lock != NULL)
		return dep->repo.rev_lock != NULL &&
		       strcmp(dep->repo.rev_lock, s->rev_lock) == 0;
	if (s->checksum != NULL)
		return was != NULL && strcmp(was, s->checksum) == 0;
	return object_id_is_set(&dep->meta.md5) &&
	       memcmp(dep->meta.md5.md5, s->id.md5, sizeof(s->id.md5)) == 0 &&
	       dep->meta.md5.dir == s->id.dir;
}

void
source_record(const struct source *s, const struct source_state *st, struct dvc_out *dep)
{
	const char *path = dep->path;

	if (s->kind == SOURCE_REPO) {
		if (dep->repo.url == NULL) {
			dvc_out_none(dep);
			dep->path = s->path;
			dep->repo.url = s->repo_url;
		}
		dep->repo.rev = s->rev;
		if (st != NULL)
			dep->repo.rev_lock = st->rev_lock;
		return;
	}
	if (path == NULL || strcmp(path, s->url) != 0)
		path = s->url;
	dvc_meta_none(&dep->meta);
	dvc_meta_none(&dep->cloud.meta);
	dep->files = NULL;
	dep->nfiles = 0;
	dep->hash = "md5";
	dep->path = path;
	dep->where = s->kind == SOURCE_HTTP ? DVC_URL
		     : s->inside != NULL    ? DVC_IN_REPO
					    : DVC_OUTSIDE;
	dep->full = s->inside;
	if (st == NULL)
		return;
	dep->meta.checksum = st->checksum;
	if (st->checksum == NULL)
		dep->meta.md5 = st->id;
	dep->meta.size = st->size;
	dep->meta.nfiles = st->dir ? st->nfiles : -1;
	dep->meta.isexec = !st->dir && st->exec;
}
