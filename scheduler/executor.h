#ifndef DAG_SCHEDULER_EXECUTOR_H
#define DAG_SCHEDULER_EXECUTOR_H
/*
 * Where attempts run.  An executor starts, stops, kills and adopts attempts and reports what
 * becomes of them; it keeps no state that a crash may lose: what it needs to find an attempt
 * again lies in the attempt's directory and in the opaque handle of its row.  The shim on
 * this machine is the first (exec_local).
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scheduler/engine.h"
#include "tasks/proto/record.h"
#include "tasks/proto/shim_spec.h"

struct err;
struct executor;
struct project;
struct uv_loop_s;

/* Reports, delivered from the loop, never from inside a call to the executor. */
struct exec_reports {
	void *ctx;
	void (*started)(void *, struct engine_ref, pid_t, const char *handle);
	void (*exited)(void *, struct engine_ref, const struct exit_record *);
	/* It never ran and may be launched again, after a delay. */
	void (*voided)(void *, struct engine_ref, const char *why, int64_t delay_us);
	/* Nobody can know how it ended; nothing of it is left. */
	void (*lost)(void *, struct engine_ref, const char *why);
};

struct exec_request {
	struct engine_ref ref;
	const char *dir;    /* of the attempt, relative to the state directory */
	const char *inputs; /* put there for whoever takes it over; or NULL */
	struct shim_spec spec;
};

struct exec_adopt {
	struct engine_ref ref;
	const char *dir;
	const char *attempt_id;
	const char *boot_id; /* of the attempt's row */
	const char *this_boot;
	bool began; /* it is known to have had a process: without files it is not void */
	bool leave_children;
};

/* What can be told of an attempt without its owner. */
enum exec_fate {
	FATE_ALIVE,
	FATE_EXITED, /* its record is there */
	FATE_VOID,   /* it never ran */
	FATE_LOST,
	FATE_UNSURE /* nothing can be told now (no descriptors, I/O errors): look again */
};

struct executor_ops {
	int (*start)(struct executor *, const struct exec_request *, struct err *);
	void (*stop)(struct executor *, struct engine_ref);
	void (*kill)(struct executor *, struct engine_ref);
	/* Take an attempt of an earlier owner over: report its end now or when it comes. */
	int (*adopt)(struct executor *, const struct exec_adopt *, struct err *);
	/* How many attempts are watched: started or adopted, and not reported to be over. */
	size_t (*count)(const struct executor *);
	/* Let go of everything without touching what runs. */
	void (*close)(struct executor *);
};

struct executor {
	const struct executor_ops *ops;
	const char *name;
};

/**
 * exec_local_new(p, loop, reports, err):
 * The executor that runs attempts on this machine by dag-shim.  start() returns -1 with
 * ERR_INVALID, ERR_LIMIT or ERR_NOTFOUND where the attempt cannot be started as it is, and
 * with any other code where it may be tried again; ERR_CORRUPT where dag-shim itself cannot be
 * executed.  NULL on failure.
 */
struct executor *exec_local_new(const struct project *, struct uv_loop_s *,
				const struct exec_reports *, struct err *);

/**
 * exec_local_fate(p, adopt, rec, err):
 * Look at an attempt's directory: does it live, how did it end.  Changes nothing.  ${rec} is
 * filled for FATE_EXITED; ${err} holds the words for FATE_VOID, FATE_LOST and FATE_UNSURE.
 */
enum exec_fate exec_local_fate(const struct project *, const struct exec_adopt *,
			       struct exit_record *, struct err *);

#endif
