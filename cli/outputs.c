#include "cli/outputs.h"

#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/yaml.h"
#include "cli/find.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"
#include "store/project.h"

/* Whether DAGs are looked for there: in dags/ with its folders, and in the root. */
static bool
may_be_dag(const char *path)
{
	return find_is_yaml(path) &&
	       (strchr(path, '/') == NULL || strncmp(path, "dags/", 5) == 0);
}

static bool
is_dag(const struct project *p, const char *path)
{
	struct buf text;
	bool is = false;
	int fd;

	if (!may_be_dag(path))
		return false;
	/* What is not there, no regular file, or not to be read is none that could be lost. */
	fd = fsio_open_beneath(p->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	buf_init(&text, 0);
	if (fsio_read_fd(fd, YAML_BYTES_MAX, &text, NULL) == 0)
		is = dag_looks_like(text.p, text.n);
	buf_release(&text);
	(void)close(fd);
	return is;
}

static void
check_output(const struct project *p, const struct dag_text *text, const char *path,
	     struct diag *d, int file)
{
	struct diag_pos pos = {.file = file};

	if (!is_dag(p, path))
		return;
	if (text->node != NULL) {
		pos.line = text->node->line;
		pos.col = text->node->col;
		pos.width = text->node->width;
	}
	diag_add(d, DIAG_ERROR, pos, "the output '%s' is a DAG file", path);
	diag_hint(d, "outputs are deleted before each attempt; choose another place");
}

static void
check_task(const struct project *p, const struct run_values *v, const struct dag_task *t,
	   struct arena *a, struct diag *d, int file)
{
	struct render_paths paths = {0};
	struct err err = {0};
	struct buf b;
	size_t i;

	if (v->params != NULL && render_paths(v, t, a, &paths, &err) != 0)
		return; /* told by who has checked before */
	buf_init(&b, 0);
	for (i = 0; i < t->noutputs; i++) {
		buf_clear(&b);
		if (v->params != NULL)
			buf_adds(&b, paths.outputs[i]);
		else if (t->outputs[i].tpl == NULL)
			path_normalize(&b, t->outputs[i].src);
		if (!buf_failed(&b) && b.n > 0)
			check_output(p, &t->outputs[i], b.p, d, file);
	}
	buf_release(&b);
}

void
outputs_check(const struct project *p, const struct run_values *v, const bool *selected,
	      struct diag *d, int file)
{
	struct arena *a = arena_new(0);
	size_t i;

	for (i = 0; a != NULL && i < v->dag->ntasks; i++)
		if (v->dag->tasks[i].noutputs > 0 && (selected == NULL || selected[i]))
			check_task(p, v, &v->dag->tasks[i], a, d, file);
	arena_free(a);
}
