#ifndef DAG_STORE_META_INTERNAL_H
#define DAG_STORE_META_INTERNAL_H
/* What the meta_*.c files share. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/db.h"
#include "store/gate.h"
#include "store/meta.h"

#define META_TAIL 12 /* hex digits of a run id's end that are looked up by index */

struct meta {
	struct db db;
	struct gate gate;
	enum meta_mode mode;
	char *root;  /* of the project */
	char *state; /* path of the state directory */
	int state_fd;
	struct meta_file {
		dev_t dev;
		ino_t ino;
	} dir, file; /* of the state directory and of dag.db as they were opened */
};

/**
 * meta_begin(m, err), meta_end(m, err), meta_abort(m):
 * One write: take the gate and begin; check that the state directory is still the one that
 * was opened, commit and leave; or roll back and leave.  A failed begin or end has left.
 */
int meta_begin(struct meta *, struct err *);
int meta_end(struct meta *, struct err *);
void meta_abort(struct meta *);

/* A run as the batch that touches it sees it. */
struct batch_run {
	int64_t rid;
	int64_t epoch;
	enum run_state state;
	enum run_result result;
	bool stale;
};

/* One event row. */
struct meta_note {
	int64_t at_us, rid;
	const char *task; /* NULL: of the run */
	int32_t map;
	uint32_t number;
	const char *event, *reason, *detail;
};

/**
 * meta_event_add(m, note, err):
 * Insert one event row.  Return 0 or -1.
 */
int meta_event_add(struct meta *, const struct meta_note *, struct err *);

/**
 * meta_find_rid(m, run, rid, err):
 * The number of the run of that full id.  Return 0, or -1 (ERR_NOTFOUND).
 */
int meta_find_rid(struct meta *, const char *, int64_t *, struct err *);

/**
 * meta_op_*(m, run, op, err):
 * Carry out one operation of a batch.  Return 0 or -1.
 */
int meta_op_run(struct meta *, struct batch_run *, const struct meta_op *, struct err *);
int meta_op_task(struct meta *, struct batch_run *, const struct meta_op *, struct err *);
int meta_op_command_done(struct meta *, struct batch_run *, const struct meta_op *,
			 struct err *);
int meta_op_event(struct meta *, struct batch_run *, const struct meta_op *,
		  struct err *);
int meta_op_git(struct meta *, struct batch_run *, const struct meta_op *, struct err *);
int meta_op_attempt_known(struct meta *, struct batch_run *, const struct meta_op *,
			  struct err *);
int meta_op_attempt_insert(struct meta *, struct batch_run *, struct meta_op *,
			   struct err *);
int meta_op_attempt_update(struct meta *, struct batch_run *, const struct meta_op *,
			   struct err *);
int meta_op_attempt_end(struct meta *, struct batch_run *, const struct meta_op *,
			struct err *);

/**
 * meta_stage_keep(m, run, op, err):
 * Of an attempt that ended well: keep what the lock file shall say, and what was published with
 * the result.  Return 0 or -1.
 */
int meta_stage_keep(struct meta *, struct batch_run *, const struct meta_op *,
		    struct err *);

/**
 * meta_put_task(q, rid, op):
 * The next three parameters: the run, the name and the index of the task that ${op} is about.
 */
void meta_put_task(struct query *, int64_t, const struct meta_op *);

/* A task's row, as far as changes depend on it. */
struct task_row {
	enum task_state state;
	enum task_result result;
	uint32_t attempt;
	bool same_reason; /* as the one asked about */
};

/**
 * meta_task_row(m, rid, op, reason, out, err):
 * Read the row of the task that ${op} is about; ${reason} is what its reason is compared
 * with.  Return 0, or -1 (also if there is none).
 */
int meta_task_row(struct meta *, int64_t, const struct meta_op *, const char *,
		  struct task_row *, struct err *);

/**
 * meta_guard(m, op, err):
 * Look for a path lock that overlaps a path of ${op}.  Return 1 with op->blocked,
 * blocked_by and blocked_run set, 0 if there is none, -1.
 */
int meta_guard(struct meta *, struct meta_op *, struct err *);

/**
 * meta_torn_note(m, aid, pid, op, err):
 * The attempt ${aid}, whose process is ${pid} (0: none), ends as ${op} says: note whether the
 * paths that it writes are whole.  Its path locks must still be there.  Return 0 or -1.
 */
int meta_torn_note(struct meta *, int64_t, pid_t, const struct meta_op *, struct err *);

/**
 * meta_tail_of(id, out):
 * Write the last META_TAIL hex digits of ${id} backwards.
 */
void meta_tail_of(const char *, char out[META_TAIL + 1]);

/**
 * meta_get_rows(q, a, size, get, out, n, err):
 * Read all rows of ${q}, each of ${size} bytes by ${get}, which finds them zeroed, into an array
 * in ${a}, whose pointer is put where ${out} points; end the query.  Return 0 or -1.
 */
int meta_get_rows(struct query *, struct arena *, size_t,
		  int (*)(struct query *, struct arena *, void *, struct err *), void *,
		  size_t *, struct err *);

/**
 * meta_get_run_state(q, state, result, err), meta_get_task_state(q, state, result, err),
 * meta_get_task_result(q, result, err):
 * Read the names of store/state.h from the next two columns, or one; an unknown one is
 * ERR_CORRUPT.
 */
int meta_get_run_state(struct query *, enum run_state *, enum run_result *, struct err *);
int meta_get_task_state(struct query *, enum task_state *, enum task_result *,
			struct err *);
int meta_get_task_result(struct query *, enum task_result *, struct err *);

#endif
