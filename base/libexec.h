#ifndef DAG_BASE_LIBEXEC_H
#define DAG_BASE_LIBEXEC_H
struct err;

/**
 * libexec_path(name, mode, err):
 * Return the path of what we were installed with under ${name}, malloc'ed: libexec/dag/NAME
 * beside the directory of this program's real path (in test builds $DAG_LIBEXEC/NAME first).
 * ${mode} is what access(2) must allow: X_OK for a program, R_OK for a library.  NULL with
 * ${err} naming where it was sought.
 */
char *libexec_path(const char *, int, struct err *);

/**
 * libexec_program(err):
 * Return the absolute path of this program itself, malloc'ed.  Where its file has been replaced
 * since it was started (an update), that is the path of the new one.  NULL on failure.
 */
char *libexec_program(struct err *);

#endif
