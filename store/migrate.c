#include "store/migrate.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fault.h"
#include "store/db.h"

#define APPLICATION_ID 0x64616764 /* as 0001_init.sql says it: "dagd" */

static int
read_number(struct db *db, const char *sql, int64_t *out, struct err *err)
{
	struct query q;
	int rc;

	if (query_start(&q, db, sql, err) != 0)
		return -1;
	rc = query_step(&q, err);
	if (rc > 0)
		*out = query_get_int(&q);
	query_end(&q);
	return rc > 0 ? 0 : -1;
}

int
migrate_version(struct db *db, int known, int *version, struct err *err)
{
	int64_t have = 0, id = 0, tables = 0;

	if (read_number(db, "PRAGMA user_version", &have, err) != 0 ||
	    read_number(db, "PRAGMA application_id", &id, err) != 0)
		return -1;
	if (id != APPLICATION_ID &&
	    read_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err) != 0)
		return -1;
	if (id != APPLICATION_ID && (id != 0 || have != 0 || tables != 0))
		return err_set(
		    err, ERR_CORRUPT,
		    "'%s' is a SQLite database, but not one of dag: move it away",
		    db->path);
	if (have > known)
		return err_set(
		    err, ERR_NEWER,
		    "'%s' was written by a newer dag (its schema has version %lld, "
		    "this program knows %d): use that one",
		    db->path, (long long)have, known);
	*version = (int)have;
	return 0;
}

static int
apply(struct db *db, const struct migration *step, int version, struct err *err)
{
	char pragma[64];

	(void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", version);
	if (db_begin(db, err) != 0)
		return -1;
	if (db_script(db, step->sql, err) != 0 || db_script(db, pragma, err) != 0)
		goto fail;
	fault_point(MIGRATE);
	if (db_commit(db, err) != 0)
		goto fail;
	fault_point(MIGRATED);
	return 0;
fail:
	db_rollback(db);
	return err_wrap(err, "cannot bring the database to schema %s", step->name);
}

int
migrate_run(struct db *db, const struct migration *list, int n, struct err *err)
{
	int version;

	if (migrate_version(db, n, &version, err) != 0)
		return -1;
	for (; version < n; version++)
		if (apply(db, &list[version], version + 1, err) != 0)
			return -1;
	return 0;
}
