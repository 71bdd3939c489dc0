#ifndef DAG_STORE_PIPELINE_PIPELINE_H
#define DAG_STORE_PIPELINE_PIPELINE_H
/*
 * dvc.yaml as its stages are run: variables put in for ${...}, foreach and matrix stages
 * made into the stages they stand for.
 *
 *	text -> tree [base/yaml] -> the same without templates [expand] -> struct dvc_yaml
 */
#include <stdbool.h>
#include <stddef.h>

#include "store/pipeline/value.h"

struct buf;
struct diag;
struct dvc_yaml;
struct err;

#define PIPELINE_STAGES_MAX 100000	       /* stages that one file stands for */
#define PIPELINE_NODES_MAX  4000000	       /* values that they are made of */
#define PIPELINE_BYTES_MAX  ((size_t)64 << 20) /* bytes of text made for them */
#define PIPELINE_PARAMS_MAX ((size_t)16 << 20) /* bytes of a file of params */

/* Where the files that `vars` names come from. */
struct pipeline_files {
	/* Append the file ${path}, relative to the root, of at most ${max} bytes to ${out} and
	 * return 1; 0 where there is none; -1 with the error. */
	int (*read)(void *, const char *, size_t, struct buf *, struct err *);
	void *arg;
	struct value_options options;
	bool
	    *python; /* set where a file of params is refused for being Python; or NULL */
	/* Told of each value of a file that the templates of a stage put in, a scalar or a list:
	 * the file, the key in it ("a.b", "list.0"), the value.  Return 0, or -1 if memory ran
	 * out.  NULL: nobody is told. */
	int (*used)(void *, const char *, const char *, const struct yaml_node *);
};

/**
 * pipeline_parse(files, name, text, len, d, out, err):
 * Read the dvc.yaml ${text}, which is called ${name} as seen from the root.  Mistakes, and
 * who frees what, are as with dvc_yaml_parse; those in files of params are told in their
 * own places.  Stages made by foreach or matrix have their whole name, and their group's.
 * Return 0, or -1.
 */
int pipeline_parse(const struct pipeline_files *, const char *, const char *, size_t,
		   struct diag *, struct dvc_yaml **, struct err *);

#endif
