#ifndef DAG_CLI_PROGRESS_H
#define DAG_CLI_PROGRESS_H
/*
 * Watching a session: what happens as a live table, as plain lines, as JSON lines, or not at
 * all.  'dag help progress' has the JSON lines.
 */
#include <stdbool.h>

struct cli;
struct err;
struct progress;
struct session;
struct session_observer;

enum progress_mode { PROGRESS_LIVE, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

/* Its names, for option tables, NULL-terminated. */
extern const char *const progress_names[];

/**
 * progress_new(c, mode, fd, err):
 * Watch in way ${mode} (-1: live on a terminal that is not dumb, else plain) and write to
 * ${fd}.  live on what is no terminal is plain.  Return NULL with ${err} on failure.
 */
struct progress *progress_new(struct cli *, int, int, struct err *);

/**
 * progress_observer(p):
 * Return what to hand to session_open; it lives as long as ${p}.
 */
const struct session_observer *progress_observer(struct progress *);

/**
 * progress_attach(p, s):
 * The session that is watched: the live table asks it how things stand.
 */
void progress_attach(struct progress *, struct session *);

/**
 * progress_end(p):
 * Draw for the last time; before the session is closed.
 */
void progress_end(struct progress *);

/**
 * progress_free(p):
 * NULL allowed.
 */
void progress_free(struct progress *);

#endif
