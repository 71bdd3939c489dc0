/*
 * Making the DAG of a repository's pipelines, from its files or from a run's definition.
 */
#include "scheduler/pipeline_dag.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/path.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "scheduler/dag.h"
#include "scheduler/pipeline_int.h"
#include "store/dvc/dvc_yaml.h"
#include "store/project.h"
#include "store/track/track.h"

#define PIPELINE_NAME "dvc.yaml" /* of the DAG: there is one of them in a repository */
#define ARENA_MAX     ((size_t)2 << 30)

struct sources {
	VEC(struct stage_source) v;
};

/* ---- what there is ---- */

/* A directory before those in it. */
static int
file_cmp(const void *a, const void *b)
{
	const char *x = (*(struct track_file *const *)a)->path,
		   *y = (*(struct track_file *const *)b)->path;
	size_t nx = (size_t)(path_basename(x) - x), ny = (size_t)(path_basename(y) - y),
	       i = 0;

	while (i < nx && i < ny && x[i] == y[i])
		i++;
	if (i == nx || i == ny)
		return (nx > ny) - (nx < ny);
	if (x[i] == '/' || y[i] == '/')
		return x[i] == '/' ? -1 : 1;
	return (unsigned char)x[i] < (unsigned char)y[i] ? -1 : 1;
}

/* The stages of all files, in the order in which a walk finds them. */
static int
gather(struct track_file *const *files, size_t n, struct sources *out, struct err *err)
{
	struct track_file **sorted = calloc(n + 1, sizeof(*sorted));
	size_t count = 0, i, k;
	int rc = sorted != NULL ? 0 : err_nomem(err);

	for (i = 0; rc == 0 && i < n; i++)
		if (files[i]->yaml != NULL)
			sorted[count++] = files[i];
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), file_cmp);
	for (i = 0; rc == 0 && i < count; i++)
		for (k = 0; rc == 0 && k < sorted[i]->yaml->nstages; k++) {
			struct stage_source s = {sorted[i]->yaml,
						 &sorted[i]->yaml->stages[k]};

			if (out->v.n == DAG_TASKS_MAX)
				rc = err_set(err, ERR_LIMIT,
					     "there are more than %d stages",
					     DAG_TASKS_MAX);
			else if (vec_push(&out->v, s) != 0)
				rc = err_nomem(err);
		}
	free(sorted);
	if (rc == 0 && out->v.n == 0)
		rc = err_set(err, ERR_NOTFOUND,
			     "there is no stage in a dvc.yaml of this repository");
	return rc;
}

struct diag_pos
pipeline_pos(struct pipeline_make *m, size_t i, uint32_t line, uint32_t col)
{
	const struct dvc_yaml *y = m->sources != NULL ? m->sources[i].yaml : NULL;

	if (y == NULL)
		return (struct diag_pos){.file = -1};
	if (m->shown != y) {
		m->shown = y;
		m->file = diag_file(m->d, y->name, y->text, strlen(y->text));
	}
	return (struct diag_pos){.file = m->file, .line = line, .col = col, .width = 1};
}

static struct diag_pos
stage_pos(struct pipeline_make *m, size_t i)
{
	const struct dvc_yaml_stage *s = m->sources[i].stage;

	return pipeline_pos(m, i, s->line, s->col);
}

/* What cannot be run as it stands there. */
static void
check_stages(struct pipeline_make *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct dvc_yaml_stage *s = m->sources[i].stage;

		if (m->sources[i].yaml->unresolved) {
			diag_add(m->d, DIAG_ERROR, stage_pos(m, i),
				 s->many ? "the stages of '%s' are not known: its params "
					   "are of a Python file, which dag does not read"
					 : "what stage '%s' runs is not known: params of "
					   "a Python file are used, which dag does not "
					   "read",
				 s->name);
			diag_hint(m->d, "write them as YAML, JSON or TOML");
		} else if (s->ncmd == 0) {
			diag_add(m->d, DIAG_ERROR, stage_pos(m, i),
				 "stage '%s' has no `cmd`", s->name);
		}
	}
}

/* ---- from a definition ---- */

static int
check_names(struct pipeline_make *m)
{
	struct map names = {0};
	int rc = 0;

	for (size_t i = 0; i < m->dag->ntasks && rc == 0; i++)
		rc = map_put(&names, m->dag->tasks[i].name, m);
	map_release(&names);
	if (rc < 0)
		return err_nomem(m->err);
	return rc > 0 ? err_set(m->err, ERR_CORRUPT,
				"two stages of the definition have the same name")
		      : 0;
}

static int
build(struct pipeline_make *m, const char *text, size_t len)
{
	struct dag *g = arena_zalloc(m->arena, sizeof(*g));
	char *copy = arena_strndup(m->arena, text, len);

	if (g == NULL || copy == NULL)
		return err_nomem(m->err);
	*g = (struct dag){.arena = m->arena,
			  .name = PIPELINE_NAME,
			  .file = PIPELINE_NAME,
			  .text = copy,
			  .len = len};
	m->dag = g;
	if (hash_bytes(HASH_SHA256, text, len, g->hash) != 0)
		return err_nomem(m->err);
	if (pipeline_get(m, copy, len) != 0 || pipeline_tasks(m) != 0 ||
	    check_names(m) != 0)
		return -1;
	return pipeline_graph(m);
}

/* Return 0, or 1 if the diag has mistakes. */
static int
make(struct pipeline_make *m, const char *text, size_t len, struct dag **out)
{
	size_t before = diag_errors(m->d);
	int rc;

	*out = NULL;
	m->arena = arena_new(ARENA_MAX);
	rc = m->arena != NULL ? build(m, text, len) : err_nomem(m->err);
	if (rc == 0 && diag_errors(m->d) != before)
		rc = 1;
	if (rc == 0)
		*out = m->dag;
	else
		arena_free(m->arena);
	return rc;
}

int
pipeline_dag_make(const struct pipeline_place *place, struct track_file *const *files,
		  size_t n, struct diag *d, struct dag **out, struct err *err)
{
	struct pipeline_make m = {.place = place, .d = d, .err = err};
	size_t before = diag_errors(d);
	struct sources sources = {0};
	struct buf text;
	int rc;

	*out = NULL;
	buf_init(&text, 0);
	rc = gather(files, n, &sources, err);
	m.sources = sources.v.v;
	if (rc == 0)
		check_stages(&m, sources.v.n);
	if (rc == 0 && diag_errors(d) != before)
		rc = 1;
	if (rc == 0) {
		pipeline_put(sources.v.v, sources.v.n, &text);
		rc = buf_failed(&text) ? err_nomem(err) : make(&m, text.p, text.n, out);
	}
	buf_release(&text);
	vec_release(&sources.v);
	return rc;
}

int
pipeline_dag_read(const struct pipeline_place *place, const char *text, size_t len,
		  struct dag **out, struct err *err)
{
	struct diag *d = diag_new();
	struct pipeline_make m = {.place = place, .d = d, .err = err};
	int rc = d != NULL ? make(&m, text, len, out) : err_nomem(err);

	if (rc > 0)
		rc = err_set(err, ERR_CORRUPT,
			     "the stages of the definition do not fit "
			     "together");
	diag_free(d);
	return rc;
}

bool
pipeline_is(const struct dag *g)
{
	return g->ntasks > 0 && g->tasks[0].stage != NULL && g->tasks[0].stage->pipeline;
}

const char *
pipeline_file(const struct dag_task *t)
{
	return pipeline_stage_of(t)->file;
}

int
definition_read(const char *root, const char *name, const char *text, size_t len,
		struct diag *d, struct dag **out, struct err *err)
{
	struct pipeline_place place = pipeline_place_here(root);
	struct err why = {0};
	int file;

	*out = NULL;
	if (!pipeline_dag_is(text, len)) {
		file = diag_file(d, name, text, len);
		if (file == -1)
			return err_nomem(err);
		(void)dag_load(d, file, name, text, len, NULL, out);
		return 0;
	}
	if (pipeline_dag_read(&place, text, len, out, &why) != 0 && why.code == ERR_NOMEM)
		return err_nomem(err);
	return 0;
}

/* ---- a repository ---- */

static int
open_track(struct track *t, const struct project *project, const char *where,
	   struct err *err)
{
	struct track_options options = {.project = project, .where = where};

	if (track_open(&options, t, err) != 0)
		return -1;
	if (strcmp(t->root, project->root) == 0)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "the DVC repository %s lies in the project %s, which is another one: "
	    "'dag -C %s ...' works on its stages",
	    t->root, project->root, t->root);
}

int
pipeline_open(const struct project *project, const char *where, bool keep_frozen,
	      struct diag *d, struct pipeline *p, struct err *err)
{
	struct track t = {.root_fd = -1, .lock = -1};
	struct pipeline_place place;
	size_t before = diag_errors(d);
	int rc;

	*p = (struct pipeline){0};
	rc = open_track(&t, project, where, err);
	if (rc == 0)
		rc = track_collect(&t, NULL, d, &p->list, err);
	if (rc == 0) {
		place = pipeline_place_here(t.root);
		place.keep_frozen = keep_frozen;
		rc = pipeline_dag_make(&place, p->list.files, p->list.nfiles, d, &p->dag,
				       err);
	}
	track_close(&t);
	return rc < 0 && diag_errors(d) == before ? -1 : 0;
}

void
pipeline_close(struct pipeline *p)
{
	dag_free(p->dag);
	p->dag = NULL;
	track_list_free(&p->list);
}
