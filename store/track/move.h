#ifndef DAG_STORE_TRACK_MOVE_H
#define DAG_STORE_TRACK_MOVE_H
/*
 * Tracked data under another name, with its pointer and its entry in .gitignore.
 *
 * Invariants
 * 1. The data is renamed in one piece; nothing that has the new name is overwritten.
 * 2. A pointer that is named after the data gets its new name before the data does, and the
 *    old one goes last: killed anywhere, one of them names the data wherever it is.
 * 3. What is under way is noted before anything is changed, and the same call goes on.
 */
#include <stdbool.h>

#include "store/track/add.h"

struct track_out;

struct move_item {
	const char *from, *to; /* relative to the root, normalized */
	int state_fd;	       /* where it is noted (move_note.h) */
	const char *note;      /* under this name; NULL: nowhere */
	bool again;	       /* it is noted: this call was killed before */

	/* What came of it; texts live in the arena. */
	const struct track_out *out;
	const char *file;     /* the pointer that names the data now */
	const char *old_file; /* the one that did, and is gone; NULL: it is the same */
	bool missing;	      /* there was no data to be renamed */
	bool ignored,
	    unignored; /* .gitignore of the new place, of the old one was written */
};

/**
 * move_path(ws, options, item, arena, err):
 * Rename what is tracked at item->from.  Of ${options} what tells of tracked paths and of git
 * counts.  What the pointer says of the content stays as it is.  Return 0; -1 with nothing
 * done where the name is not free (ERR_EXISTS) or cannot be tracked, or nothing is tracked
 * there (ERR_NOTFOUND).
 */
int move_path(const struct workspace *, const struct add_options *, struct move_item *,
	      struct arena *, struct err *);

#endif
