#ifndef DAG_BASE_FAULT_H
#define DAG_BASE_FAULT_H
/*
 * Places where a test lets a process die: by KILL, at once, as the power switch would.  Only a
 * build with test doors has them; elsewhere they are nothing.
 *
 *	DAG_FAULT=NAME:N	die when this process passes the point NAME for the Nth time
 *	DAG_FAULT=NAME:N:FILE	the Nth time of all processes that have this setting: each pass
 *				of the point appends a byte to FILE
 *	DAG_FAULT=trace:0:FILE	nobody dies; each pass of any point appends its name's line
 *
 * dag hands the setting to dag-shim, which has the same points by other means
 * (tasks/shim/fault.c).  Tests read the names from here: between two that follow each other
 * lies one effect that another process, or the next owner, can see.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULT_POINTS(X)                                                           \
	/* the state directory, the database, the locks */                        \
	X(STATE_MADE, "state-made")                                               \
	X(STATE_CHECKED, "state-checked")                                         \
	X(STATE_WHOLE, "state-whole")                                             \
	X(DB_MADE, "db-made")                                                     \
	X(MIGRATE, "migrate")                                                     \
	X(MIGRATED, "migrated")                                                   \
	X(OWNER_LOCKED, "owner-locked")                                           \
	X(BEGIN, "begin") /* gate and transaction are open */                     \
	X(COMMIT_BEFORE, "commit-before")                                         \
	X(COMMIT_AFTER, "commit-after") /* durable, nobody knows */               \
	X(CHECKPOINT_BEFORE, "checkpoint-before")                                 \
	X(CHECKPOINT_AFTER, "checkpoint-after")                                   \
	X(WAL_EXTENDED, "wal-extended")                                           \
	/* the owner: from a commit to the next attempt */                        \
	X(CREATED, "created") /* the run is durable, the engine has it not */     \
	X(TOLD, "told")	      /* the loop's thread hears of the commit */         \
	X(DUE, "due")	      /* a delay or a wait is over */                     \
	X(PREPARE, "prepare")                                                     \
	X(INPUTS_THERE, "inputs-there")                                           \
	X(OUTPUT_REMOVED, "output-removed")                                       \
	X(PREPARED, "prepared")                                                   \
	X(START, "start")                                                         \
	X(SPEC_MADE, "spec-made")                                                 \
	X(ALIVE_LOCKED, "alive-locked")                                           \
	X(SPAWNED, "spawned")                                                     \
	X(STARTED_TOLD, "started-told")                                           \
	/* dag-shim */                                                            \
	X(SHIM_BEGIN, "shim-begin")                                               \
	X(SHIM_UNNAMED, "shim-unnamed") /* before its file `shim` */              \
	X(SHIM_NAMED, "shim-named")                                               \
	X(SHIM_READY, "shim-ready")   /* there is room for the record */          \
	X(SHIM_CHILD, "shim-child")   /* in the child, before the marker */       \
	X(SHIM_MARKED, "shim-marked") /* in the child, `started` is there */      \
	X(SHIM_SPAWNED, "shim-spawned")                                           \
	X(SHIM_EXITED, "shim-exited")	    /* the main process has ended */      \
	X(SHIM_SWEPT, "shim-swept")	    /* and all that it left */            \
	X(SHIM_UNWRITTEN, "shim-unwritten") /* before the record's bytes */       \
	X(SHIM_WRITTEN, "shim-written")	    /* before its name */                 \
	X(SHIM_RENAMED, "shim-renamed")                                           \
	/* the owner: from an exit to its commit */                               \
	X(GONE, "gone")	  /* the shim's end was seen */                           \
	X(SWEPT, "swept") /* after a dead shim */                                 \
	X(OUTPUTS, "outputs")                                                     \
	X(OUTPUTS_READ, "outputs-read")                                           \
	X(OUTPUT_CHECKED, "output-checked")                                       \
	X(OUTPUT_SYNCED, "output-synced")                                         \
	X(LOOKED_AHEAD, "looked-ahead")                                           \
	X(DECIDED, "decided")                                                     \
	X(RESTORED, "restored")                                                   \
	X(RESULT_KEPT, "result-kept")                                             \
	X(LOCK_MADE, "lock-made")                                                 \
	X(LOCK_WRITTEN, "lock-written")                                           \
	X(OUTPUTS_DONE, "outputs-done")                                           \
	X(RUN_OVER, "run-over")                                                   \
	/* runs that change hands, and what others ask of an owner */             \
	X(SETTLE, "settle")                                                       \
	X(TAKE_READ, "take-read") /* the rows are read, the epoch is as it was */ \
	X(TAKE_EPOCH, "take-epoch")                                               \
	X(TAKE_ADOPTED, "take-adopted")                                           \
	X(RETRY_TAKEN, "retry-taken")                                             \
	X(COMMAND_ADDED, "command-added")	/* by who asks */                 \
	X(COMMAND_TAKEN, "command-taken")	/* by the owner */                \
	X(COMMAND_ANSWERED, "command-answered") /* known to who asked */          \
	/* gc */                                                                  \
	X(GC_LOCKED, "gc-locked")                                                 \
	X(GC_ROWS, "gc-rows") /* the directories are there */                     \
	X(GC_DIR, "gc-dir")   /* one of them is not */                            \
	X(GC_ORPHAN, "gc-orphan")

/* Of artifacts: no run passes them, so that they are tried by themselves. */
#define FAULT_ARTIFACT_POINTS(A)                                       \
	/* new objects */                                              \
	A(OBJECT_TEMP, "object-temp")	    /* a temporary, empty */   \
	A(OBJECT_WRITTEN, "object-written") /* it has all its bytes */ \
	A(OBJECTS_SYNCED, "objects-synced") /* and they are durable */ \
	A(OBJECT_NAMED, "object-named")	    /* one more is visible */  \
	A(OBJECTS_DURABLE, "objects-durable")                          \
	/* objects in the work tree */                                 \
	A(LINK_TEMP, "link-temp")	/* beside its place */         \
	A(LINK_WRITTEN, "link-written") /* it has all its bytes */     \
	A(LINKED, "linked")                                            \
	/* files that are replaced whole */                            \
	A(REPLACE_TEMP, "replace-temp")	      /* a temporary, empty */ \
	A(REPLACE_WRITTEN, "replace-written") /* and durable */        \
	/* what a pointer will name, what it is named in, and back */  \
	A(TRACK_SAVED, "track-saved")	  /* nothing names it yet */   \
	A(TRACK_IGNORED, "track-ignored") /* .gitignore is written */  \
	A(TRACK_POINTED, "track-pointed") /* and the pointer file */   \
	A(TRACK_MOVED, "track-moved")	  /* data, by itself */        \
	A(TRACK_DROPPED, "track-dropped") /* a pointer file is gone */ \
	A(CHECKOUT_TOLD, "checkout-told") /* where files will be */    \
	A(CHECKOUT_REMOVED, "checkout-removed")                        \
	A(CHECKOUT_DONE, "checkout-done") /* no temporary is left */   \
	/* gc of data */                                               \
	A(SWEEP_REMOVED, "sweep-removed")

enum fault_point {
#define FAULT_ENUM(id, name) FAULT_##id,
	FAULT_POINTS(FAULT_ENUM) FAULT_ARTIFACT_POINTS(FAULT_ENUM)
#undef FAULT_ENUM
};

#define FAULT_ENV "DAG_FAULT"

#ifdef DAG_TEST_DOORS

/**
 * fault_pass(point):
 * Pass a point: return, or die.
 */
void fault_pass(enum fault_point);

/**
 * fault_entry():
 * Return the setting as an entry of an environment, or NULL where there is none.
 */
char *fault_entry(void);

/**
 * fault_name(point):
 * Return the point's name.
 */
static inline const char *
fault_name(enum fault_point p)
{
	static const char *const names[] = {
#define FAULT_NAME(id, name) [FAULT_##id] = (name),
	    FAULT_POINTS(FAULT_NAME) FAULT_ARTIFACT_POINTS(FAULT_NAME)
#undef FAULT_NAME
	};

	return names[p];
}

struct fault_setting {
	bool all; /* every point leaves its name */
	bool one; /* it is about the point that was asked for */
	uint64_t n;
	const char *file; /* NULL: this process counts for itself */
};

/* Does the setting begin with "${word}:"? */
static inline bool
fault_is(const char *setting, const char *word)
{
	while (*word != '\0' && *setting == *word) {
		setting++;
		word++;
	}
	return *word == '\0' && *setting == ':';
}

/**
 * fault_match(setting, name):
 * Read the setting's text: what does it want of the point ${name}?  Calls nothing.
 */
static inline struct fault_setting
fault_match(const char *s, const char *name)
{
	struct fault_setting f = {.all = fault_is(s, "trace"), .one = fault_is(s, name)};

	while (*s != ':' && *s != '\0')
		s++;
	for (s += *s == ':'; *s >= '0' && *s <= '9'; s++)
		f.n = f.n * 10 + (uint64_t)(*s - '0');
	if (*s == ':')
		f.file = s + 1;
	return f;
}

#define fault_point(id) fault_pass(FAULT_##id)
#else
#define fault_point(id) ((void)0)
#define fault_entry()	((char *)NULL)
#endif

#endif
