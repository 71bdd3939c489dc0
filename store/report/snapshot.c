#include "store/report/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/dvc/dvc_yaml.h"
#include "store/objects/tree.h"
#include "store/pipeline/pipeline.h"
#include "store/track/collect_rev.h"

/* ---- pipelines ---- */

static int
read_file(void *arg, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct err why = {0};

	if (snapshot_read(arg, path, max, out, &why) == 0)
		return 1;
	if (why.code == ERR_NOTFOUND)
		return 0;
	if (err != NULL)
		*err = why;
	return -1;
}

static int
note_use(void *arg, const char *file, const char *key, const struct yaml_node *value)
{
	struct snapshot *s = arg;
	struct snapshot_use u = {.file = file, .value = value};
	size_t n = strlen(file);
	struct buf both;
	int rc = 0;

	buf_init(&both, 0);
	buf_addf(&both, "%s\n%s", file, key);
	if (buf_failed(&both)) {
		rc = -1;
	} else if (map_get(&s->used, both.p) == NULL) {
		const char *copy = arena_strndup(s->arena, both.p, both.n);

		u.key = copy != NULL ? copy + n + 1 : NULL;
		if (copy == NULL || map_put(&s->used, copy, s) < 0 ||
		    vec_push(&s->uses, u) != 0)
			rc = -1;
	}
	buf_release(&both);
	return rc;
}

/* Params in Python cannot be put in for templates: then it is taken as it is written. */
static int
read_pipeline(struct snapshot *s, const struct dvc_yaml *y, struct err *err)
{
	bool python = false;
	struct pipeline_files files = {
	    .read = read_file, .arg = s, .python = &python, .used = note_use};
	struct snapshot_pipeline p = {.dir = y->dir};
	struct err why = {0};
	size_t uses = s->uses.n, len = strlen(y->text);
	int rc = pipeline_parse(&files, y->name, y->text, len, NULL, &p.yaml, &why);

	if (rc != 0 && python) {
		s->uses.n = uses;
		rc = dvc_yaml_parse(y->name, y->text, len, NULL, &p.yaml, &why);
	}
	if (rc == 0 && vec_push(&s->pipelines, p) != 0) {
		dvc_yaml_free(p.yaml);
		return err_nomem(err);
	}
	if (rc != 0 && err != NULL)
		*err = why;
	return rc;
}

static int
by_dir(const void *a, const void *b)
{
	const struct track_file *const *x = a, *const *y = b;
	bool xtop = strcmp((*x)->yaml->dir, ".") == 0,
	     ytop = strcmp((*y)->yaml->dir, ".") == 0;

	return xtop != ytop ? (xtop ? -1 : 1) : strcmp((*x)->yaml->dir, (*y)->yaml->dir);
}

/* Those of a directory before those below it. */
static int
read_pipelines(struct snapshot *s, struct err *err)
{
	struct track_file **v =
	    arena_array(s->arena, s->list->nfiles + 1, sizeof(struct track_file *));
	size_t n = 0;
	int rc = 0;

	if (v == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->list->nfiles; i++)
		if (s->list->files[i]->yaml != NULL)
			v[n++] = s->list->files[i];
	qsort(v, n, sizeof(*v), by_dir);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = read_pipeline(s, v[i]->yaml, err);
	return rc;
}

/* ---- the whole ---- */

static int
find_prefix(struct snapshot *s, struct err *err)
{
	const char *top = s->source->git != NULL ? repo_top(s->source->git) : NULL;
	const char *below;

	s->prefix = "";
	if (top == NULL || !path_is_below(s->source->root, top))
		return 0;
	below = s->source->root + strlen(top);
	below += *below == '/';
	if (*below != '\0')
		s->prefix = arena_printf(s->arena, "%s/", below);
	return s->prefix != NULL ? 0 : err_nomem(err);
}

int
snapshot_open(const struct snapshot_source *source, const char *name, const char *commit,
	      struct snapshot *s, struct err *err)
{
	*s = (struct snapshot){.source = source, .list = source->work};
	s->arena = arena_new(0);
	if (s->arena == NULL || (s->name = arena_strdup(s->arena, name)) == NULL ||
	    find_prefix(s, err) != 0)
		return err_nomem(err);
	if (commit != NULL) {
		memcpy(s->commit, commit, strnlen(commit, REPO_ID - 1));
		if (track_collect_rev(source->revs, commit, source->meter, NULL, &s->own,
				      err) != 0)
			return -1;
		s->list = &s->own;
	}
	return read_pipelines(s, err) == 0 ? 0 : err_wrap(err, "%.200s", name);
}

void
snapshot_close(struct snapshot *s)
{
	vec_foreach (&s->pipelines, struct snapshot_pipeline, p)
		dvc_yaml_free(p->yaml);
	vec_release(&s->pipelines);
	vec_release(&s->uses);
	map_release(&s->used);
	map_foreach (&s->trees, e)
		tree_release(e->val);
	map_release(&s->trees);
	track_list_free(&s->own);
	arena_free(s->arena);
	*s = (struct snapshot){0};
}

const char *
snapshot_path(struct snapshot *s, const char *dir, const char *path, struct err *err)
{
	const char *full = NULL;
	struct buf joined, out;

	buf_init(&joined, 0);
	buf_init(&out, 0);
	path_join(&joined, dir, path);
	path_normalize(&out, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&out))
		full = arena_strdup(s->arena, out.p);
	buf_release(&out);
	buf_release(&joined);
	if (full == NULL)
		(void)err_nomem(err);
	return full;
}
