#ifndef DAG_STORE_GIT_SEEN_H
#define DAG_STORE_GIT_SEEN_H
/*
 * What was found last of a git repository (which commit is checked out, whether tracked files
 * have changes), so that libgit2, whose loading costs more than all else that a small run does,
 * is not needed as long as everything that the answer came from looks as it did: the files of
 * the git directory that it was read from, and either each tracked file as the index has it, or
 * the one file that had changed.
 *
 * A file looks the same if device, inode, size, mode, mtime and ctime are equal, and counts only
 * if it was left alone for SEEN_QUIET_NS when it was looked at, so that no change hides in a tick
 * of the file system's clock.  Whatever is not plain is not answered: work trees and submodules
 * (.git is a file), repositories of another user, included configuration, indexes of version 4,
 * split or sparse, files of an age not below that of the index.  It is a file `git-seen` in the
 * state directory, a cache that may be deleted at any time.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/git.h"

#define SEEN_FILE     "git-seen"
#define SEEN_QUIET_NS INT64_C(50000000)

struct git_seen {
	char commit[REPO_ID];
	bool dirty;
};

/**
 * git_seen_look(root, state_fd, max, stop, out):
 * Answer for the canonical directory ${root} from what was found last, if that holds still; an
 * index of more than ${max} bytes is not read.  ${stop} (may be NULL) set: give up.  Return 1
 * with ${out}; 0: somebody has to look.
 */
int git_seen_look(const char *, int, size_t, const atomic_bool *, struct git_seen *);

/* How things stood before somebody looked. */
struct git_seen_state;

/**
 * git_seen_begin(root, top, git_dir):
 * To be called before the look, with what repo_top and repo_git_dir say.  NULL: nothing can be
 * remembered of this repository.
 */
struct git_seen_state *git_seen_begin(const char *, const char *, const char *);

/**
 * git_seen_end(s, state_fd, found, change):
 * The look has found ${found} (NULL: it failed), where something had changed because of
 * ${change}: remember it, if it can be, and free ${s}.  A failure is nobody's business.
 */
void git_seen_end(struct git_seen_state *, int, const struct git_seen *,
		  const struct repo_change *);

#endif
