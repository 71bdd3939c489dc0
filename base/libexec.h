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

#endif
