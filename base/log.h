#ifndef DAG_BASE_LOG_H
#define DAG_BASE_LOG_H
/*
 * Debug and trace lines of the program itself (not of tasks) on stderr; off unless asked
 * for by DAG_LOG=debug|trace or log_set_level.  Only cli/ and the engine's rim log above
 * debug; libraries return errors.
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/**
 * log_set_level(level), log_init_from_env():
 * Print lines of ${level} and graver (default LOG_WARN), or what $DAG_LOG names.
 */
void log_set_level(enum log_level);
void log_init_from_env(void);

/**
 * log_at(level, fmt, ...):
 * Write one line "dag: warning: ..." (or debug: "dag: debug 12:00:00.123456 ...") in one
 * write(2).
 */
void log_at(enum log_level, const char *, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)

#endif
