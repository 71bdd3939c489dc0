#ifndef DAG_TASKS_PROTO_ATTEMPT_DIR_H
#define DAG_TASKS_PROTO_ATTEMPT_DIR_H
/*
 * The directory of an attempt, .dag/runs/RUN/TASK.MAP.ATTEMPT/, mode 0700: what is in it and
 * how it is called.  Files are 0600 whatever the umask.
 */
#include <stdint.h>

struct buf;

#define ATTEMPT_ALIVE	 "alive"   /* locked (flock) by the shim as long as it lives */
#define ATTEMPT_SHIM	 "shim"	   /* who the shim is (shim_info.h) */
#define ATTEMPT_STARTED	 "started" /* empty; the last act before the program is executed */
#define ATTEMPT_EXIT	 "exit"	   /* how it ended (record.h) */
#define ATTEMPT_EXIT_TMP "exit.tmp"  /* room kept for `exit` while the task runs */
#define ATTEMPT_LOG	 "log"	     /* stdout and stderr, first half (logfile.h) */
#define ATTEMPT_LOG_TAIL "log.tail"  /* the same, ring of the last half */
#define ATTEMPT_OUTPUTS	 "outputs"   /* $DAG_OUTPUT (outputs.h) */
#define ATTEMPT_EVENTS	 "events"    /* $DAG_EVENTS (events.h) */
#define ATTEMPT_SPEC	 "spec.json" /* rendered task of hosted types */
#define ATTEMPT_SCRIPT	 "script"    /* a script too long for an argument */
#define ATTEMPT_INPUTS	 "inputs"    /* what it depends on, by content (stage_run.h) */
#define ATTEMPT_CGROUP	 "cgroup"    /* path of the cgroup that limits its memory */

#define ATTEMPT_SCRIPT_INLINE ((size_t)96 << 10) /* a longer script goes to a file */
#define ATTEMPT_MAP_NONE      (-1)		 /* map index of an unmapped task */

/**
 * attempt_dir_put(b, task, map, attempt):
 * Append the name of the directory of attempt ${attempt} of ${task}, map index ${map} (-1:
 * unmapped): "<task, %-encoded>.<map>.<attempt>".
 */
void attempt_dir_put(struct buf *, const char *, int64_t, int64_t);

/**
 * attempt_dir_parse(name, map, attempt):
 * Read ${map} and ${attempt} back from a directory's ${name}.  Return the length of the
 * encoded task's name in front of them, or -1 if ${name} is not such a name.
 */
int attempt_dir_parse(const char *, int64_t *, int64_t *);

#endif
