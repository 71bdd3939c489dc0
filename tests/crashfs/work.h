#ifndef TESTS_CRASHFS_WORK_H
#define TESTS_CRASHFS_WORK_H
/* What work.c (the script, runs, connections) and batch.c share. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crashfs.h"
#include "store/meta_internal.h"

#define RUNS_MAX  6
#define TASKS	  5
#define PATHS	  4
#define TEXT_MAX  9000
#define BATCH_MAX 12
#define BOOT	  "b00tb00t-0000-4000-8000-000000000000"

struct played_task {
	uint32_t number; /* of the latest attempt */
	bool lives;
};

struct played_run {
	char id[META_RUN_ID];
	int64_t epoch;
	int64_t command; /* that waits; 0: none */
	bool done;
	struct played_task tasks[TASKS];
};

struct player {
	const struct crash_work *work;
	const struct project *p;
	struct crash_states *states;
	struct meta *m;
	struct meta *reader;
	struct meta older; /* only its database */
	struct meta_writer *writer;
	uint64_t rng;
	int64_t now;
	unsigned nruns;
	struct played_run runs[RUNS_MAX];
	/* what one batch borrows */
	struct meta_op ops[BATCH_MAX];
	size_t nops;
	struct meta_path paths[BATCH_MAX][PATHS];
	struct meta_kv outputs[BATCH_MAX][2];
	char text[TEXT_MAX + 1];
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool ended; /* the writer's batch */
};

extern const char *const work_tasks[TASKS];

/* Die of an error; a number below ${n}. */
void work_must(int rc, const struct err *);
unsigned work_below(struct player *, unsigned n);

/* The last call was acknowledged: remember what the database holds now, and log it. */
void work_remember(struct player *);
void work_acknowledged(struct player *);

/* A text of random length; it lives until the next. */
const char *work_text(struct player *);

/* A run that has not ended, or NULL. */
struct played_run *work_run(struct player *);

/* The writer thread calls it. */
void batch_ended(void *);

/* One letter each. */
void batch_begin(struct player *, bool hand_over);
void batch_update(struct player *);
void batch_end(struct player *);
void batch_event(struct player *);
void batch_end_run(struct player *);
void batch_stale(struct player *);
void batch_answer(struct player *);

#endif
