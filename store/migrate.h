#ifndef DAG_STORE_MIGRATE_H
#define DAG_STORE_MIGRATE_H
/*
 * The schema's versions.  Version n is what the first n migrations make; it stands in
 * PRAGMA user_version.
 */

struct db;
struct err;

struct migration {
	const char *name; /* "0001_init" */
	const char *sql;
};

extern const struct migration store_migrations[];
extern const int store_nmigrations;

/**
 * migrate_version(db, known, version, err):
 * Tell the schema's ${version} (0: an empty database).  Return 0; -1 with ERR_NEWER if it is
 * above ${known}, ERR_CORRUPT if it is no database of ours.
 */
int migrate_version(struct db *, int, int *, struct err *);

/**
 * migrate_run(db, list, n, err):
 * Bring the database to version ${n}, each step in a transaction of its own: interrupted at
 * any point, it is at a whole version.  The caller holds the gate.  Return 0 or -1.
 */
int migrate_run(struct db *, const struct migration *, int, struct err *);

#endif
