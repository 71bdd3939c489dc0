/*
 * Prints what a dvc.yaml stands for, as JSON: {"NAME": {...stage...}, ...}, keys sorted.
 *
 *	pipeline_dump [-n] [-a] FILE       -n: parsing.bool = boolean_optional; -a: parsing.list =
 *	                                   append; files are seen from the working directory
 *
 * Mistakes go to stderr, exit status 1.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/yaml_doc.h"
#include "store/pipeline/pipeline.h"

static int
read_file(void *arg, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct err why = {0};

	(void)arg;
	if (fsio_read(AT_FDCWD, path, max, out, &why) == 0)
		return 1;
	if (why.code == ERR_NOTFOUND)
		return 0;
	*err = why;
	return -1;
}

static void
print(const struct dvc_yaml *y)
{
	struct yaml_doc *doc = yaml_doc_new();
	struct yaml_val *map = yaml_val_map(doc);
	struct buf out;

	buf_init(&out, 0);
	for (size_t i = 0; i < y->nstages; i++)
		yaml_val_put(doc, map, y->stages[i].name,
			     yaml_val_from(doc, y->stages[i].node));
	yaml_val_json(map, NULL, &out);
	for (size_t i = 0; i < y->nstages; i++)
		buf_addf(&out, "\n%s", y->stages[i].name);
	(void)puts(out.p);
	buf_release(&out);
	yaml_doc_free(doc);
}

int
main(int argc, char **argv)
{
	struct pipeline_files files = {.read = read_file};
	struct diag *d = diag_new();
	struct dvc_yaml *y = NULL;
	struct err err = {0};
	struct buf text;
	int i, rc;

	for (i = 1; i < argc - 1; i++) {
		files.options.no_flags = files.options.no_flags || argv[i][1] == 'n';
		files.options.append_list =
		    files.options.append_list || argv[i][1] == 'a';
	}
	buf_init(&text, 0);
	rc = fsio_read(AT_FDCWD, argv[i], DVC_YAML_MAX, &text, &err);
	if (rc == 0)
		rc = pipeline_parse(&files, argv[i], text.p, text.n, d, &y, &err);
	if (rc == 0) {
		print(y);
	} else {
		buf_clear(&text);
		diag_print(d, &text, false, 0);
		(void)fprintf(stderr, "%s%s\n", text.p, err.msg);
	}
	dvc_yaml_free(y);
	diag_free(d);
	buf_release(&text);
	return rc == 0 ? 0 : 1;
}
