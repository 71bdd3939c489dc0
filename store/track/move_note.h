#ifndef DAG_STORE_TRACK_MOVE_NOTE_H
#define DAG_STORE_TRACK_MOVE_NOTE_H
/*
 * That a move is under way, in a file of the state directory: from where and to where, each with a
 * NUL behind it.  Who asks for the same again means the one that was killed, and not one into the
 * directory that is there now.
 */
#include <stdbool.h>

struct err;

#define MOVE_NOTE_FILE "moving"

/**
 * move_note_write(state_fd, name, from, to, err):
 * Note it, durably.  Return 0 or -1.
 */
int move_note_write(int, const char *, const char *, const char *, struct err *);

/**
 * move_note_is(state_fd, name, from, to):
 * Is just this noted?
 */
bool move_note_is(int, const char *, const char *, const char *);

/**
 * move_note_drop(state_fd, name):
 * It is done.
 */
void move_note_drop(int, const char *);

#endif
