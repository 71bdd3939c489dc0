/* What other processes want of a run's owner. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/meta_internal.h"

#define WAITING_MAX 1000 /* read at once; the rest is read when these are done */

#define COLUMNS                                                                   \
	"SELECT c.id, r.id, c.verb, c.args, c.at_us, c.by_pid, c.done, c.answer " \
	"FROM command c JOIN run r ON r.rid = c.run "

static int
insert(struct meta *m, const char *run, const char *verb, const char *args, int64_t *id,
       struct err *err)
{
	static const char sql[] = "INSERT INTO command (run, verb, args, at_us, by_pid) "
				  "VALUES (?, ?, ?, ?, ?) RETURNING id";
	struct query q;
	int64_t rid;
	int rc;

	if (meta_find_rid(m, run, &rid, err) != 0 ||
	    query_start(&q, &m->db, sql, err) != 0)
		return -1;
	query_put_int(&q, rid);
	query_put_text(&q, verb);
	query_put_text(&q, args);
	query_put_int(&q, clock_now().wall_us);
	query_put_int(&q, getpid());
	rc = query_step(&q, err);
	if (rc > 0)
		*id = query_get_int(&q);
	query_end(&q);
	return rc > 0 ? 0 : -1;
}

int
meta_command_add(struct meta *m, const char *run, const char *verb, const char *args,
		 int64_t *id, struct err *err)
{
	if (meta_begin(m, err) != 0)
		return -1;
	if (insert(m, run, verb, args, id, err) == 0)
		return meta_end(m, err);
	meta_abort(m);
	return -1;
}

static int
get_command(struct query *q, struct arena *a, void *out, struct err *err)
{
	struct meta_command *c = out;
	bool failed = false;

	c->id = query_get_int(q);
	(void)snprintf(c->run, sizeof(c->run), "%s", query_get_text(q, NULL));
	c->verb = query_get_dup(q, a, &failed);
	c->args = query_get_dup(q, a, &failed);
	c->at_us = query_get_int(q);
	c->by_pid = (pid_t)query_get_int(q);
	c->done = query_get_int(q) != 0;
	c->answer = query_get_dup(q, a, &failed);
	return failed ? err_nomem(err) : 0;
}

int
meta_commands(struct meta *m, const char *run, struct arena *a, struct meta_command **out,
	      size_t *n, struct err *err)
{
	struct query q;

	if (query_start(&q, &m->db,
			COLUMNS "WHERE r.id = ?1 AND c.done = 0 ORDER BY c.id LIMIT ?2",
			err) != 0)
		return -1;
	query_put_text(&q, run);
	query_put_int(&q, WAITING_MAX);
	return meta_get_rows(&q, a, sizeof(**out), get_command, out, n, err);
}

int
meta_command_get(struct meta *m, int64_t id, struct arena *a, struct meta_command *out,
		 struct err *err)
{
	struct query q;
	int rc;

	if (query_start(&q, &m->db, COLUMNS "WHERE c.id = ?", err) != 0)
		return -1;
	query_put_int(&q, id);
	rc = query_step(&q, err);
	if (rc > 0 && get_command(&q, a, out, err) != 0)
		rc = -1;
	query_end(&q);
	if (rc == 0)
		return err_set(err, ERR_NOTFOUND, "there is no command %lld",
			       (long long)id);
	return rc < 0 ? -1 : 0;
}
