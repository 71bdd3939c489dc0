#ifndef DAG_SCHEDULER_EXEC_SPAWN_H
#define DAG_SCHEDULER_EXEC_SPAWN_H
/*
 * The start of a dag-shim as the contract in tasks/proto/shim_spec.h wants it: the attempt's
 * directory with its lock, the spec in a memfd, the process.  Descriptors that are returned are
 * close-on-exec, owned by the caller, and above those that the shim finds its own at.
 */
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct project;
struct shim_spec;

/**
 * exec_spec_fd(spec, err):
 * Return a descriptor of a memfd that holds ${spec}, or -1.
 */
int exec_spec_fd(const struct shim_spec *, struct err *);

/**
 * exec_open_dir(p, dir):
 * Open the attempt's directory ${dir}, relative to the state directory.  Return a descriptor, or -1
 * with errno.
 */
int exec_open_dir(const struct project *, const char *);

/**
 * exec_make_dir(path, err):
 * Make the attempt's directory ${path} (0700) and in it the file `alive`, locked.  Return the
 * descriptor that holds the lock, or -1.
 */
int exec_make_dir(const char *, struct err *);

/**
 * exec_put_inputs(path, text, err):
 * Leave in the attempt's directory ${path} what it depends on.  Return 0 or -1.
 */
int exec_put_inputs(const char *, const char *, struct err *);

/**
 * exec_get_inputs(dirfd):
 * Return what was left there, malloc'ed, or NULL: nothing, or not whole after a power loss.
 */
char *exec_get_inputs(int);

/**
 * exec_spawn_shim(shim, path, null_fd, alive, spec, pid):
 * Start the program ${shim} for the attempt in ${path}, with the descriptors of /dev/null, the
 * lock and the spec.  Return 0 with ${pid} set, or an errno.
 */
int exec_spawn_shim(const char *, const char *, int, int, int, pid_t *);

/**
 * exec_is_broken(errnum):
 * Whether a spawn that failed so is not mended by another try: the program is missing or
 * cannot be executed.
 */
bool exec_is_broken(int);

/**
 * exec_no_files(state, dir, why):
 * The shim of the attempt in ${dir} (below ${state}) could not write its files, and nothing was
 * started: say why in ${why}, as far as can be found out, and remove what it has written.
 */
void exec_no_files(const char *, const char *, struct err *);

#endif
