#ifndef DAG_TESTS_SIM_COVER_H
#define DAG_TESTS_SIM_COVER_H
/*
 * How often each cell of the engine's table of tasks (state x event) was asked for: in the run
 * of things, and by reports that the world made come too late on purpose.
 */
#include <stdbool.h>
#include <stdint.h>

#define COVER_STATES 16
#define COVER_EVENTS 16

struct cover {
	uint64_t hits[COVER_STATES][COVER_EVENTS];
	uint64_t late[COVER_STATES][COVER_EVENTS];
};

/**
 * cover_reset(), cover_get(out), cover_add(to, more):
 * Begin to count; what was counted; add up.
 */
void cover_reset(void);
void cover_get(struct cover *);
void cover_add(struct cover *, const struct cover *);

/**
 * cover_late(on):
 * What comes now comes too late on purpose.
 */
void cover_late(bool);

/**
 * cover_strange():
 * Return the name of a cell that the table does not know and that was asked for all the same,
 * though not too late; NULL if there is none.
 */
const char *cover_strange(void);

/**
 * cover_print(c):
 * Print the table.  Return 0; 1 if a legal cell was never asked for or a strange one was.
 */
int cover_print(const struct cover *);

#endif
