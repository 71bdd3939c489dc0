#ifndef DAG_CLI_CHANGES_H
#define DAG_CLI_CHANGES_H
/*
 * What differs between two snapshots of tracked data, shown as `diff` and `status --granular`
 * show it: for people, as Markdown, as JSON in the shapes of DVC.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct change;
struct changes;
struct json_writer;

struct changes_show {
	bool color;
	bool hashes;  /* with the hash of each */
	bool missing; /* also what is not in the cache */
};

/**
 * changes_put_diff(b, c, show):
 * Append groups of paths, and at the end how many files are in each; nothing where there is
 * nothing.
 */
void changes_put_diff(struct buf *, const struct changes *, const struct changes_show *);

/**
 * changes_put_markdown(b, c, show):
 * Append a table.
 */
void changes_put_markdown(struct buf *, const struct changes *,
			  const struct changes_show *);

/**
 * changes_json_diff(w, c, show):
 * Write the object of `diff --json`: {} where there is nothing.
 */
void changes_json_diff(struct json_writer *, const struct changes *,
		       const struct changes_show *);

/**
 * changes_json_kinds(w, c):
 * Write an object with a list of paths for each kind of change that there is, those that are
 * unchanged left out: what `status --granular --json` says of one pair.
 */
void changes_json_kinds(struct json_writer *, const struct changes *);

/**
 * changes_any(c):
 * Return whether there is a change, not counting what is unchanged.
 */
bool changes_any(const struct changes *);

/**
 * changes_json_path(w, path, dir):
 * Write a path, a directory with a slash, by its own bytes.
 */
void changes_json_path(struct json_writer *, const char *, bool);

/**
 * changes_put_list(b, c, ansi):
 * Append the lines "        modified: path", by kind, in that colour (NULL: none).
 */
void changes_put_list(struct buf *, const struct changes *, const char *);

/**
 * changes_put_path(b, path, dir):
 * Append a path as it is shown: harmless on a terminal, a directory with a slash.
 */
void changes_put_path(struct buf *, const char *, bool);

#endif
