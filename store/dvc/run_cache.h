#ifndef DAG_STORE_DVC_RUN_CACHE_H
#define DAG_STORE_DVC_RUN_CACHE_H
/*
 * DVC's run cache: what `dvc repro` has run, one small file for each time, so that it need not
 * be run again.  Of its two names VALUE is the SHA-256 of what it says (as Python's JSON, without
 * sizes), KEY that of the same with nothing of the outputs but their paths.
 */
#include <stddef.h>

#include "store/objects/runs.h"

struct buf;
struct dvc_lock_stage;
struct err;

/**
 * run_entry(stage, out, name, err):
 * Append the entry of ${stage}, as a file of the run cache holds it, to ${out}, and write the names
 * that file has to ${name} (NULL: nobody asks).  Return 0, or -1: memory, or what
 * yaml_doc_dump refuses.
 */
int run_entry(const struct dvc_lock_stage *, struct buf *, struct run_name *,
	      struct err *);

/**
 * run_key(stage, paths, n, key, err):
 * Write the KEY that runs of ${stage} have which make the ${n} ${paths}; the stage's own outs do
 * not count.  Return 0 or -1.
 */
int run_key(const struct dvc_lock_stage *, const char *const *, size_t, char *,
	    struct err *);

/**
 * run_check(name, text, n, err):
 * Return 0 if the ${n} bytes ${text} are what ${name} says, or -1: ERR_CORRUPT tells in what they
 * are not; ERR_NOMEM.
 */
int run_check(const struct run_name *, const char *, size_t, struct err *);

#endif
