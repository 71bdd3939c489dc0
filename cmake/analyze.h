/*
 * What the static analysers cannot see from one file: that these functions always fail.  Only
 * the preset `analyze` includes it, before all else.
 */
#ifndef DAG_ERR_C
#include "../base/err.h"
#define err_set(...)   ((err_set)(__VA_ARGS__), -1)
#define err_sys(...)   ((err_sys)(__VA_ARGS__), -1)
#define err_wrap(...)  ((err_wrap)(__VA_ARGS__), -1)
#define err_nomem(err) ((err_nomem)(err), -1)
#endif
