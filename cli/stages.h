#ifndef DAG_CLI_STAGES_H
#define DAG_CLI_STAGES_H
/* Words that name stages of dvc.yaml files, as DVC reads them. */
#include <stdbool.h>

struct artifact;
struct err;
struct track_file;

struct stage_word {
	const char *file; /* relative to the root */
	const char *name; /* NULL: the word names the file alone */
	bool bare;	  /* there was no file in it, so that it may be something else */
};

/**
 * stages_here(a, err):
 * Return the path of the dvc.yaml in the directory where we are, relative to the root; NULL
 * with the error, also where we are not in the repository.
 */
const char *stages_here(struct artifact *, struct err *);

/**
 * stages_word(a, word, out, err):
 * Take "FILE:STAGE", "FILE", ":STAGE" or "STAGE" apart; a word is a FILE if it is called
 * dvc.yaml or ends in .dvc.  Return 0 or -1.
 */
int stages_word(struct artifact *, const char *, struct stage_word *, struct err *);

/**
 * stages_file(a, path):
 * Return the file ${path} among those that say what is tracked, or NULL.
 */
const struct track_file *stages_file(const struct artifact *, const char *);

/**
 * stages_has(f, name):
 * Return whether ${f} is a dvc.yaml with a stage ${name}: as it is run, or as it is written.
 */
bool stages_has(const struct track_file *, const char *);

/**
 * stages_none(a, w, err):
 * Say that there is no such stage or file, with what may be meant.  Return -1.
 */
int stages_none(struct artifact *, const struct stage_word *, struct err *);

#endif
