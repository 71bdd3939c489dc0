#include "store/pipeline/pipeline.h"

#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"
#include "store/dvc/dvc_yaml_internal.h"
#include "store/pipeline/expand.h"

struct pipeline {
	struct dvc_yaml_how how; /* first */
	const struct pipeline_files *files;
};

/* "train" of "train@fold1", if that was a foreach or a matrix. */
static const char *
group_of(struct dvc_read *r, const struct yaml_node *written, const char *name)
{
	const char *at = strrchr(name, '@');
	const char *group = at != NULL && yaml_get(written, name) == NULL
				? arena_strndup(r->a, name, (size_t)(at - name))
				: NULL;

	if (at != NULL && group == NULL && yaml_get(written, name) == NULL)
		r->nomem = true;
	return group;
}

/*
 * The file is looked at twice: as it is written, so that mistakes in a template are told
 * once and where nothing is made of it too, and as it is meant.
 */
static void
take(struct dvc_read *r, const struct yaml_node *top, void *into)
{
	struct pipeline *p = into;
	struct dvc_yaml *y = p->how.y;
	size_t before = diag_errors(r->d);
	struct yaml_node written = *top, *plain;

	dvc_yaml_take(r, top, y);
	if (r->nomem || diag_errors(r->d) != before)
		return;
	if (expand(r, y->text, p->files, &written, &plain) != 0)
		return;
	r->entries = 0;
	dvc_yaml_take(r, plain, y);
	for (size_t i = 0; i < y->nstages; i++)
		y->stages[i].group =
		    group_of(r, yaml_get(top, "stages"), y->stages[i].name);
}

int
pipeline_parse(const struct pipeline_files *files, const char *name, const char *text,
	       size_t len, struct diag *d, struct dvc_yaml **out, struct err *err)
{
	struct pipeline p = {.how = {.take = take}, .files = files};

	return dvc_yaml_make(name, text, len, d, &p.how, out, err);
}
