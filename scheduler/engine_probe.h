#ifndef DAG_SCHEDULER_ENGINE_PROBE_H
#define DAG_SCHEDULER_ENGINE_PROBE_H
/*
 * The simulator's doors into the engine.  They are open only in the objects that tests/sim
 * compiles for itself; in every other build they are constants and leave no code.
 *
 * MUTANT(name) is true while the planted defect of that name is switched on.  A simulator that
 * did not find one of them would not find such a mistake of ours either.
 *
 * ENGINE_SEEN(state, event) tells the simulator, by its engine_seen, that a cell of the table of
 * tasks was asked for.
 */
#ifdef DAG_SIM

/* Name of each defect, and what it breaks.  The order is that of their numbers, from 1. */
#define ENGINE_MUTANTS(X)                                                             \
	X(START_EARLY, "a task starts before the row of its attempt is durable")      \
	X(PREPARE_EARLY, "inputs are looked at before upstreams' success is durable") \
	X(DOUBLE_LAUNCH, "a second attempt is launched twice")                        \
	X(NUMBER_LEAK, "a blocked attempt uses up its number")                        \
	X(SLOT_LEAK, "a blocked attempt keeps its slot")                              \
	X(SLOT_EXTRA, "one task more than -j allows")                                 \
	X(MAX_ACTIVE, "max_active_tasks is not kept")                                 \
	X(MEMORY_IGNORED, "claims on memory are not counted")                         \
	X(MEMORY_LEAK, "an attempt that was blocked keeps its claim on memory")       \
	X(MEMORY_PASSED, "a claim is passed by one behind it that fits")              \
	X(PRIORITY, "the lower priority starts first")                                \
	X(RUN_PRIORITY, "among runs the first one wins, whatever the priority")       \
	X(FULL_IGNORED, "launches go on while the disk is full")                      \
	X(FULL_FOREVER, "launches do not go on when the disk has room again")         \
	X(PATH_UNASKED, "an attempt does not say which paths it uses")                \
	X(PATH_FORGOTTEN, "a blocked attempt is started")                             \
	X(BLOCKED_FOREVER, "who waits for a path is never woken")                     \
	X(FREED_UNTOLD, "an end that frees a path wakes nobody of the same owner")    \
	X(RETRY_LIMIT, "one try more than `retries` allows")                          \
	X(RETRY_ON, "every cause is retried, whatever retry_on says")                 \
	X(TIMEOUT_CAUSE, "a timeout counts as a signal")                              \
	X(BACKOFF_FLAT, "the delay does not grow by retry_backoff")                   \
	X(RETRY_UNSAVED, "the time of the next try is not stored")                    \
	X(RETRY_TIME_LOST, "a new owner tries again at once")                         \
	X(RETRY_CLOCK, "a clock that was set back prolongs the wait for a retry")     \
	X(TRIES_FORGOTTEN, "a new owner forgets the tries made so far")               \
	X(VOID_COUNTS, "a failed spawn uses up a retry")                              \
	X(VOID_AT_ONCE, "a failed spawn is tried again without its delay")            \
	X(LOST_IS_SUCCESS, "a lost attempt passes for a success")                     \
	X(UNCOMMITTED, "a success does not wait for its outputs")                     \
	X(OUTPUT_IGNORED, "absent outputs do not fail the task")                      \
	X(OUTPUTS_STALE, "templates see the outputs of the attempt before")           \
	X(LATE_REPORT, "a report of an older attempt is taken for the latest")        \
	X(SKIP_LOST, "a skip is not told to what follows")                            \
	X(DESELECTED, "upstreams that were not selected count")                       \
	X(RULE_ALL_SUCCESS, "all_success does not wait for all")                      \
	X(RULE_ALL_DONE, "all_done breaks at a failure, as none_failed does")         \
	X(RULE_ONE_DONE, "one_done takes upstream_failed for done")                   \
	X(RULE_MIN_ONE, "none_failed_min_one_success does without a success")         \
	X(RULE_NONE_SKIPPED, "none_skipped lets a skip pass")                         \
	X(RULE_ALL_FAILED, "all_failed is content with one")                          \
	X(RULE_CACHED, "a cached upstream is no success")                             \
	X(WHY_LOST, "why a task runs is not recorded")                                \
	X(KNOWN_LOST, "a result that needs no attempt is not recorded")               \
	X(ENTRY_LOST, "what a lock file shall say is not stored with the success")    \
	X(ALLOWED_BREAKS, "an allowed failure breaks what follows")                   \
	X(ALLOWED_FAILS, "an allowed failure fails the run")                          \
	X(LEAF_VERDICT, "a leaf that always runs whitens the run")                    \
	X(LOST_VERDICT, "a lost task does not fail its run")                          \
	X(CANCEL_VERDICT, "a cancelled run ends as its tasks did")                    \
	X(CANCEL_IGNORED, "a cancel between proposal and verdict is forgotten")       \
	X(CANCEL_WAIT, "a cancel does not end a `wait`")                              \
	X(CANCEL_UNSAVED, "a cancel is not stored")                                   \
	X(CANCEL_RACE, "a good end after a durable cancel is committed")              \
	X(KILL_MISSING, "the second cancel does not kill")                            \
	X(KILL_WORKER, "a kill does not reach the worker that commits outputs")       \
	X(DEADLINE, "the timeout of a run is not kept")                               \
	X(DEADLINE_VERDICT, "a run whose time is up ends cancelled, not failed")      \
	X(FAIL_FAST, "--fail-fast goes on")                                           \
	X(FAIL_FAST_RETRY, "--fail-fast lets a retry that is due later start")        \
	X(STALE_IGNORED, "a stale owner does not notice")                             \
	X(STALE_STEALS, "a stale owner takes the run back by raising its epoch")      \
	X(END_EARLY, "the end of a run is told before it is durable")                 \
	X(SETTLE_LAUNCHES, "a run that is only settled launches tasks")               \
	X(AGAIN_FOLLOWERS, "a retry forgets what follows")                            \
	X(AGAIN_CANCELLED, "a retry forgets what was cancelled")                      \
	X(AGAIN_BUDGET, "a retry gives no fresh budget of tries")                     \
	X(AGAIN_STOPPING, "a retried run still launches nothing")                     \
	X(AGAIN_DEADLINE, "a retried run keeps the deadline that it had")             \
	X(AGAIN_RECOUNT, "a retry counts the upstreams of before")                    \
	X(AGAIN_READY, "a retry under way lets start who only waited for its turn")   \
	X(TIMEOUT_FORGOTTEN, "a new owner takes a timeout for a cancel")              \
	X(CANCEL_FORGOTTEN, "a new owner takes a cancel for a timeout")               \
	X(WAIT_CLOCK, "a `wait: until` does not follow a clock that is set")          \
	X(WAIT_TAKEOVER, "a `wait` that was taken over never ends")                   \
	X(TIMER_LEFT, "a timer outlives what it was set for")

enum engine_mutant_id {
	MUTANT_NONE,
#define X(name, what) MUTANT_##name,
	ENGINE_MUTANTS(X)
#undef X
	    MUTANTS
};

extern unsigned engine_mutant;
void engine_seen(unsigned, unsigned);

#define MUTANT(name)		  (engine_mutant == MUTANT_##name)
#define ENGINE_SEEN(state, event) engine_seen((state), (event))

#else

#define MUTANT(name)		  false
#define ENGINE_SEEN(state, event) ((void)0)

#endif
#endif
