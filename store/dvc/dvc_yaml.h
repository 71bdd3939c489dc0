#ifndef DAG_STORE_DVC_DVC_YAML_H
#define DAG_STORE_DVC_DVC_YAML_H
/*
 * dvc.yaml: which stages there are, where they work, what they depend on, and what their
 * outputs are and how they are kept.  Templates (${...}) stay what they
 * are: they match anything.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct diag;
struct dvc_lock;
struct err;
struct yaml_node;

#define DVC_YAML_MAX ((size_t)16 << 20) /* bytes of one file */

enum dvc_out_kind { DVC_OUT, DVC_METRIC, DVC_PLOT };

struct dvc_yaml_out {
	const char *path; /* as written; may have templates in it */
	enum dvc_out_kind kind;
	bool cache; /* true by default */
	bool persist;
	bool push; /* true by default */
	const char *remote;
	const char *desc;
	const char *type;
	const struct yaml_node *flags; /* all that is said of it, or NULL */
	uint32_t line, col;
};

/* Params of one file. */
struct dvc_yaml_params {
	const char *file;  /* as written, seen from the stage's working directory */
	const char **keys; /* "train.lr", in the order that is written */
	size_t n;
	bool whole; /* all of the file; no keys */
	uint32_t line, col;
};

struct dvc_yaml_dep {
	const char *path; /* as written */
	bool glob;	  /* of a DAG file: all that it matches is one (stage_glob.h) */
	uint32_t line, col;
};

struct dvc_yaml_stage {
	const char *name;
	bool many;	   /* by foreach or matrix: dvc.lock has "name@..." */
	const char *group; /* of one that was made by them: "name"; else NULL */
	const char *wdir;  /* as written, or NULL */
	bool frozen;
	bool always_changed;
	const char **cmd; /* one, or those of the list */
	size_t ncmd;
	bool cmd_list;
	struct dvc_yaml_dep *deps;
	size_t ndeps;
	struct dvc_yaml_params *params; /* one for each file */
	size_t nparams;
	struct dvc_yaml_out *outs;
	size_t nouts;
	const struct yaml_node *node; /* all of it */
	uint32_t line, col;
};

struct dvc_yaml {
	struct arena *arena; /* everything below lives in it */
	const char *name;    /* the file's path, seen from the repository's root */
	const char *dir;     /* where it lies, "." at the root */
	const char *text;
	struct dvc_yaml_stage *stages;
	size_t nstages;
	const struct yaml_node *artifacts; /* a mapping, or NULL */
	bool unresolved; /* it has templates that could not be put in: it is as written */
	/* Files that are reported from, beside those of the stages: anything, or NULL. */
	const struct yaml_node *params, *metrics, *plots;
};

/**
 * dvc_yaml_parse(name, text, len, d, out, err), dvc_yaml_read(dirfd, name, d, out, err):
 * Read the text, or the file ${name} below ${dirfd}.  Mistakes, and who frees what, are as
 * with dvc_file_parse.
 */
int dvc_yaml_parse(const char *, const char *, size_t, struct diag *, struct dvc_yaml **,
		   struct err *);
int dvc_yaml_read(int, const char *, struct diag *, struct dvc_yaml **, struct err *);

/**
 * dvc_yaml_free(y):
 * Free it with everything in it; NULL is allowed.
 */
void dvc_yaml_free(struct dvc_yaml *);

/**
 * dvc_yaml_stage(y, name), dvc_yaml_out(stage, path):
 * Return the stage that dvc.lock's stage ${name} comes from; the output that its ${path}
 * comes from: the one that is spelt so, else the first whose templates can make it so.  NULL
 * where there is none.
 */
const struct dvc_yaml_stage *dvc_yaml_stage(const struct dvc_yaml *, const char *);
const struct dvc_yaml_out *dvc_yaml_out(const struct dvc_yaml_stage *, const char *);

/**
 * dvc_yaml_full(y, stage, path, out):
 * Append ${path}, which the stage uses or makes, as seen from the repository's root, to ${out},
 * which may fail.  Return false where it is a template, a URL, absolute, or leads out.
 */
bool dvc_yaml_full(const struct dvc_yaml *, const struct dvc_yaml_stage *, const char *,
		   struct buf *);

/**
 * dvc_yaml_apply(y, lock, err):
 * Put into the stages and outputs of ${lock} what ${y} says of them: flags, and where they
 * lie, seen from the stages' working directories.  What ${y} does not have is marked
 * unlisted.  Return 0, or -1: memory; a working directory that is a template or leads out of
 * the repository.
 */
int dvc_yaml_apply(const struct dvc_yaml *, struct dvc_lock *, struct err *);

#endif
