#ifndef DAG_STORE_DVC_RUN_CACHE_H
#define DAG_STORE_DVC_RUN_CACHE_H
/*
 * DVC's run cache: what `dvc repro` has run, one small file for each time, so that it need not
 * be run again.  Of its two names VALUE is the SHA-256 of what it says (as Python's JSON, without
 * sizes), KEY that of the same with nothing of the outputs but their paths.
 */
#include <stddef.h>

#include "store/objects/runs.h"

struct err;

/**
 * run_check(name, text, n, err):
 * Return 0 if the ${n} bytes ${text} are what ${name} says, or -1: ERR_CORRUPT tells in what they
 * are not; ERR_NOMEM.
 */
int run_check(const struct run_name *, const char *, size_t, struct err *);

#endif
