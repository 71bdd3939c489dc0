#ifndef DAG_CLI_ARTIFACT_BUSY_H
#define DAG_CLI_ARTIFACT_BUSY_H
/*
 * Paths of attempts that are at work although nobody keeps locks on them for others
 * (store/dvc/path_lock.h): their owner is gone, or is another one than that which started them.
 * The database knows them, and the lock of each attempt says whether it lives.
 */
struct artifact_busy;
struct err;
struct project;

/**
 * artifact_busy_claim(p, busy, path, err):
 * Fail with ERR_BUSY if an attempt of project ${p} that lives reads or writes the absolute
 * ${path}, above it or below it; not one that this process is a part of.  Which there are is
 * looked for once, and kept in *${busy}, NULL at first.  Where the database cannot be read there are
 * none.  Return 0 or -1.
 */
int artifact_busy_claim(const struct project *, struct artifact_busy **, const char *,
			struct err *);

/**
 * artifact_busy_free(busy):
 * NULL is allowed.
 */
void artifact_busy_free(struct artifact_busy *);

#endif
