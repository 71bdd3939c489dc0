#ifndef DAG_SCHEDULER_LIBEXEC_H
#define DAG_SCHEDULER_LIBEXEC_H
struct err;

/**
 * libexec_path(name, err):
 * Return the path of our helper program ${name}, malloc'ed: libexec/dag/NAME beside the
 * directory of this program's real path (in test builds $DAG_LIBEXEC/NAME first).  NULL with
 * ${err} naming where it was sought.
 */
char *libexec_path(const char *, struct err *);

#endif
