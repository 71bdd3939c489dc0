#ifndef DAG_CLI_FIND_H
#define DAG_CLI_FIND_H
/*
 * Finding the DAG files of a project, by name or all of them.
 *
 * A word with a slash or ending in .yaml or .yml is a file.  Any other is a DAG's name, sought
 * in dags/ with its folders and among the root's own YAML files, as far as they have `tasks`;
 * where no DAG has that name but a file does, it is the file.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct project;

#define FIND_FILES_MAX 10000 /* YAML files looked at in one search */
#define FIND_DEPTH_MAX 32    /* folders below dags/ */

/* One DAG file at a glance. */
struct dag_file {
	char
	    *path; /* opens it, and is shown: relative to the current directory if near */
	char *rel; /* relative to the project's root */
	char *name; /* of the DAG: its `dag:` key, else the file's stem */
};

struct dag_files {
	struct dag_file *v; /* sorted by rel */
	size_t n, cap;
};

/**
 * find_is_yaml(path):
 * Return whether ${path} has a YAML ending behind a name.
 */
bool find_is_yaml(const char *);

/**
 * find_is_file(word):
 * Return whether ${word} can only mean a file: it has a slash or a YAML ending.
 */
bool find_is_file(const char *);

/**
 * find_all(p, out, err):
 * All DAG files of project ${p}.  Return 0 or -1; release ${out} in both cases.
 */
int find_all(const struct project *, struct dag_files *, struct err *);

/**
 * find_below(dir, out, err):
 * All DAG files in the directory ${dir} and its folders; rel is relative to ${dir}.
 */
int find_below(const char *, struct dag_files *, struct err *);

/**
 * find_named(p, name, out, err):
 * The path of the one DAG called ${name}, malloc'ed.  Return 0, or -1: none of that name
 * (ERR_NOTFOUND, with a suggestion), or several (ERR_INVALID, with their paths).
 */
int find_named(const struct project *, const char *, char **, struct err *);

/**
 * find_shown(path):
 * Return the absolute ${path} as it is shown, relative to the current directory where that is
 * near; it opens the same file.  Malloc'ed, NULL if memory runs out.
 */
char *find_shown(const char *);

/**
 * find_release(f):
 * Free what ${f} holds.
 */
void find_release(struct dag_files *);

/**
 * find_glance_name(text, len, path):
 * Return the name of the DAG whose file has the text ${text}: what its `dag:` key says at a
 * glance, else the stem of ${path}; malloc'ed, NULL if memory runs out.
 */
char *find_glance_name(const char *, size_t, const char *);

/**
 * find_glance_key(text, len, key):
 * Return the scalar that stands on the line of ${key}, a key of the top level, at a glance;
 * malloc'ed.  NULL if there is none, or if it takes a parser to tell.
 */
char *find_glance_key(const char *, size_t, const char *);

#endif
