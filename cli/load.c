#include "cli/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/outputs.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"

/* Read and check; takes ${rel} over. */
static int
load(struct diag *d, const char *path, char *rel, struct source *s, struct err *err)
{
	*s = (struct source){.file = -1, .rel = rel};
	buf_init(&s->text, 0);
	if (fsio_read(AT_FDCWD, path, YAML_BYTES_MAX, &s->text, err) != 0)
		return -1;
	s->path = strdup(path);
	if (s->path == NULL || s->rel == NULL)
		return err_nomem(err);
	s->file = diag_file(d, s->path, s->text.p, s->text.n);
	if (s->file < 0)
		return err_nomem(err);
	(void)dag_load(d, s->file, s->path, s->text.p, s->text.n,
		       path_climbs(s->rel) ? NULL : s->rel, &s->dag);
	return 0;
}

bool
load_is_pipeline(const char *path)
{
	return strcmp(path_basename(path), "dvc.yaml") == 0;
}

/* The DAG of the repository that the file lies in; takes ${rel} over. */
static int
load_pipeline(struct diag *d, const struct project *p, const char *path, char *rel,
	      struct source *s, struct err *err)
{
	struct buf where;
	int rc = 0;

	*s = (struct source){.file = -1, .rel = rel, .path = strdup(path)};
	buf_init(&s->text, 0);
	buf_init(&where, 0);
	if (s->path == NULL || rel == NULL)
		rc = err_nomem(err);
	if (rc == 0) {
		path_join(&where, p->root, rel);
		buf_truncate(&where, where.n - strlen("/dvc.yaml"));
		rc = buf_failed(&where)
			 ? err_nomem(err)
			 : pipeline_open(p, where.p, false, d, &s->pipeline, err);
	}
	s->dag = s->pipeline.dag;
	s->pipeline.dag = NULL;
	buf_release(&where);
	return rc;
}

int
load_source(struct diag *d, const struct project *p, const char *path, struct source *s,
	    struct err *err)
{
	struct buf rel;
	char *copy;

	*s = (struct source){.file = -1};
	buf_init(&rel, 0);
	buf_init(&s->text, 0);
	if (project_relative(p, path, &rel, err) != 0) {
		buf_release(&rel);
		return -1;
	}
	copy = buf_steal(&rel);
	buf_release(&rel);
	return load_is_pipeline(path) ? load_pipeline(d, p, path, copy, s, err)
				      : load(d, path, copy, s, err);
}

int
load_found(struct diag *d, const struct dag_file *f, struct source *s, struct err *err)
{
	return load(d, f->path, strdup(f->rel), s, err);
}

void
load_source_release(struct source *s)
{
	dag_free(s->dag);
	pipeline_close(&s->pipeline);
	buf_release(&s->text);
	free(s->path);
	free(s->rel);
	*s = (struct source){.file = -1};
}

/* Find project and path of the DAG that the word names. */
static int
find_word(struct cli *c, const char *word, struct loaded *l, char **path, struct err *err)
{
	bool file = find_is_file(word);

	*path = NULL;
	if (file && access(word, F_OK) != 0) {
		if (errno == ENOENT)
			return err_set(
			    err, ERR_NOTFOUND,
			    "cannot open '%s': No such file or directory ('dag "
			    "list' shows the DAGs of this project)",
			    word);
		return err_sys(err, errno, "cannot open '%s'", word);
	}
	if (project_find(file ? word : NULL, c->dir, false, &l->project, err) != 0)
		return -1;
	if (!file)
		return find_named(&l->project, word, path, err);
	*path = strdup(word);
	return *path != NULL ? 0 : err_nomem(err);
}

int
load_word(struct cli *c, const char *word, struct loaded *l)
{
	struct err err = {0};
	char *path;
	int rc;

	*l = (struct loaded){.project = {.root_fd = -1, .state_fd = -1}};
	buf_init(&l->source.text, 0);
	if (find_word(c, word, l, &path, &err) != 0)
		return cli_fail(c, &err);
	l->diag = diag_new();
	if (l->diag == NULL)
		rc = err_nomem(&err);
	else
		rc = load_source(l->diag, &l->project, path, &l->source, &err);
	free(path);
	if (rc != 0)
		return cli_fail(c, &err);
	if (diag_count(l->diag) > 0)
		cli_diag(c, l->diag);
	return l->source.dag != NULL ? 0 : EXIT_USAGE;
}

int
load_check_run(struct cli *c, const struct project *p, const struct run_values *v,
	       const bool *selected, struct diag **d, struct source *s)
{
	struct err err = {0};

	/* Stages have no templates left: all that may be wrong with them was told. */
	if (pipeline_is(v->dag))
		return 0;
	diag_free(*d);
	*d = diag_new();
	if (*d == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	s->file = diag_file(*d, s->path, s->text.p, s->text.n);
	if (render_check_run(v, selected, *d, s->file) == 0)
		outputs_check(p, v, selected, *d, s->file);
	if (diag_errors(*d) == 0)
		return 0;
	cli_diag(c, *d);
	return EXIT_USAGE;
}

int
load_own(struct cli *c, struct loaded *l, struct err *err)
{
	struct project p;
	const char *hint = l->source.path;

	/* Also where it is there: only now must it be writable, and its file system be tried. */
	if (project_find(hint, c->dir, true, &p, err) != 0)
		return -1;
	project_release(&l->project);
	l->project = p;
	return 0;
}

void
load_release(struct loaded *l)
{
	load_source_release(&l->source);
	diag_free(l->diag);
	project_release(&l->project);
}
