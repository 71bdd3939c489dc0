#ifndef DAG_STORE_TRACK_REMOVE_H
#define DAG_STORE_TRACK_REMOVE_H
/*
 * Data that is tracked no more.  First its files, then what names it; a pointer file goes last,
 * so that whoever is interrupted goes on with the same call.
 */
#include <stdbool.h>
#include <stddef.h>

struct checkout_report;
struct err;
struct gitignore;
struct problems;
struct track_out;
struct workspace;

/**
 * remove_data(ws, outs, n, force, report, err):
 * Remove the files of ${n} outs from the work tree: without ${force} only if the cache has the
 * content of all of them.  As checkout_outs: 0; 1 if files would be lost (report->unsaved), and
 * then none was removed; -1.
 */
int remove_data(const struct workspace *, const struct track_out *const *, size_t, bool,
		struct checkout_report *, struct err *);

/**
 * remove_links(ws, out, problems, err):
 * Put copies in the place of those files of ${out} that are links into the cache, so that they
 * live on by themselves.  Those that could not be copied are in ${problems}.  Return 0, or -1:
 * ERR_INVALID names what cannot be tracked in a directory, of which then nothing is done.
 */
int remove_links(const struct workspace *, const struct track_out *, struct problems *,
		 struct err *);

/**
 * remove_pointer(root_fd, file, outs, n, git, err):
 * Take the entries of ${n} outs out of .gitignore where ${git}, and remove the pointer ${file}
 * that has them, durably.  Return 0 or -1.
 */
int remove_pointer(int, const char *, const struct track_out *const *, size_t, bool,
		   struct err *);

#endif
