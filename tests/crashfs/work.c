/*
 * The work: a script of one letter for each call, whose details come from a seed.
 *
 *	r	create a run
 *	i u e	an attempt begins, runs, ends; at random on some task of some run
 *	b	a hand-over: an attempt ends and the next begins, in one batch
 *	v	an event with a long text
 *	f	a run ends
 *	t s	a run is taken over; a batch of its former owner
 *	c d	a command is left; the owner has carried it out
 *	O	another process leaves a command: a connection of its own
 *	R E	a reader begins and holds what it sees; it ends
 *	K X	checkpoint; extend the log ahead of its use
 *	L	little room: transactions spill out of memory before their end, and a log that
 *		starts over is cut
 *	C	close and open again
 *	W w	the writer thread is started and commits the batches; it is stopped
 *	1	at the start: a database of the first schema, with rows, made by an older dag
 *	2	the same, and the older dag still has it open
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsio.h"
#include "store/migrate.h"
#include "store/project.h"
#include "work.h"

const char *const work_tasks[TASKS] = {"load", "clean", "train", "report", "mail"};

void
work_must(int rc, const struct err *err)
{
	if (rc != 0)
		die("the work failed: %s", err->msg);
}

unsigned
work_below(struct player *w, unsigned n)
{
	return rng_below(&w->rng, n);
}

void
work_remember(struct player *w)
{
	struct crash_states *s = w->states;
	char why[200];

	s->v = must_grow(s->v, (s->n + 1) * sizeof(*s->v));
	s->v[s->n++] = check_digest(w->m);
	if (w->m->db.h != NULL && !w->work->halves &&
	    check_invariants(w->m, why, sizeof(why)) != 0)
		die("%s, with nothing lost", why);
}

void
work_acknowledged(struct player *w)
{
	record_ack();
	work_remember(w);
}

struct played_run *
work_run(struct player *w)
{
	unsigned i, from;

	if (w->nruns == 0)
		return NULL;
	from = work_below(w, w->nruns);
	for (i = 0; i < w->nruns; i++)
		if (!w->runs[(from + i) % w->nruns].done)
			return &w->runs[(from + i) % w->nruns];
	return NULL;
}

const char *
work_text(struct player *w)
{
	size_t i, n = work_below(w, TEXT_MAX);

	for (i = 0; i < n; i++)
		w->text[i] = (char)('a' + work_below(w, 26));
	w->text[n] = '\0';
	return w->text;
}

/* ---- runs and commands ---- */

static void
create_run(struct player *w)
{
	struct meta_task_new tasks[TASKS];
	struct played_run *r = &w->runs[w->nruns];
	char hash[16];
	struct meta_run_new new = {.id = r->id,
				   .dag = "demo",
				   .kind = "manual",
				   .logical_us = w->now,
				   .partition = "",
				   .file = "dags/demo.yaml",
				   .def_hash = hash,
				   .params = "{}",
				   .options = "{}",
				   .created_us = w->now,
				   .tasks = tasks,
				   .ntasks = TASKS};
	struct err err = {0};
	unsigned i;

	if (w->nruns == RUNS_MAX)
		return;
	memset(r, 0, sizeof(*r));
	(void)snprintf(r->id, sizeof(r->id), "0193b7c4-%04x-7000-8000-%012llx", w->nruns,
		       (unsigned long long)rng_next(&w->rng) & 0xffffffffffff);
	(void)snprintf(hash, sizeof(hash), "h%u", work_below(w, 3));
	new.def_source = work_text(w);
	new.def_source_len = strlen(w->text);
	for (i = 0; i < TASKS; i++)
		tasks[i] = (struct meta_task_new){
		    .name = work_tasks[i], .map = -1, .selected = true};
	work_must(meta_run_create(w->m, &new, BOOT, &err), &err);
	r->epoch = 1;
	w->nruns++;
	work_acknowledged(w);
}

static void
take_run(struct player *w)
{
	struct played_run *r = work_run(w);
	struct err err = {0};

	if (r == NULL)
		return;
	work_must(meta_run_take(w->m, r->id, BOOT, &r->epoch, &err), &err);
	work_acknowledged(w);
}

static void
leave_command(struct player *w, bool other)
{
	struct played_run *r = work_run(w);
	struct meta *m = w->m;
	struct err err = {0};

	if (r == NULL)
		return;
	if (other)
		work_must(meta_open(w->p, META_WRITE, &m, &err), &err);
	work_must(meta_command_add(m, r->id, "cancel", "{}", &r->command, &err), &err);
	work_acknowledged(w);
	if (other)
		meta_close(m);
}

/* ---- connections ---- */

static void
open_meta(struct player *w)
{
	struct err err = {0};

	work_must(meta_open(w->p, META_WRITE, &w->m, &err), &err);
	if (w->work->normal)
		work_must(db_script(&w->m->db, "PRAGMA synchronous = NORMAL", &err),
			  &err);
}

static void
close_meta(struct player *w)
{
	meta_close(w->m);
	w->m = NULL;
}

static void
read_on(struct player *w, bool begin)
{
	struct err err = {0};

	if (begin && w->reader == NULL) {
		work_must(meta_open(w->p, META_READ, &w->reader, &err), &err);
		work_must(
		    db_script(&w->reader->db, "BEGIN; SELECT count(*) FROM run", &err),
		    &err);
	} else if (!begin && w->reader != NULL) {
		meta_close(w->reader);
		w->reader = NULL;
	}
}

static void
extend(struct player *w)
{
	struct err err = {0};

	work_must(gate_lock(&w->m->gate, &err), &err);
	db_extend_wal(&w->m->db, (int64_t)(1 + work_below(w, 4)) * 65536);
	gate_unlock(&w->m->gate);
}

static void
little_room(struct player *w)
{
	struct err err = {0};

	work_must(db_script(&w->m->db,
			    "PRAGMA cache_size = 10; PRAGMA journal_size_limit = 20000",
			    &err),
		  &err);
}

static void
thread(struct player *w, bool start)
{
	struct err err = {0};

	if (start && w->writer == NULL) {
		work_must(meta_writer_start(w->p, batch_ended, w, &w->writer, &err),
			  &err);
	} else if (!start && w->writer != NULL) {
		meta_writer_stop(w->writer);
		w->writer = NULL;
	}
}

/* What an older dag left: schema 1, a run that is under way. */
static void
older_dag(struct player *w, bool leaves)
{
	static const char rows[] =
	    "BEGIN IMMEDIATE;"
	    "INSERT INTO definition VALUES ('old', 'tasks: {}', 1);"
	    "INSERT INTO run (id, tail, dag, kind, logical_us, interval_start_us, "
	    "interval_end_us, partition, file, def_hash, params, options, state, epoch, "
	    "boot_id, created_us) VALUES ('0193b7c4-9999-7000-8000-000000000000', "
	    "'000000000000', 'old', 'manual', 1, 1, 1, '', 'old.yaml', 'old', '{}', "
	    "'{}', "
	    "'running', 1, '" BOOT "', 1);"
	    "INSERT INTO task (run, name, map, ord, selected, state, attempt) "
	    "VALUES (1, 'load', -1, 0, 1, 'running', 1);"
	    "INSERT INTO attempt (run, task, map, number, id, epoch, boot_id, executor, "
	    "dir, state, created_us) VALUES (1, 'load', -1, 1, 'x', 1, '" BOOT "', "
	    "'local', 'x', 'running', 1);"
	    "INSERT INTO path_lock VALUES (1, 'old/data', 1);"
	    "INSERT INTO event (at_us, run, map, number, event) VALUES "
	    "(1, 1, -1, 0, 'running');"
	    "INSERT INTO event (at_us, run, task, map, number, event) VALUES "
	    "(1, 1, 'load', -1, 1, 'preparing'), (1, 1, 'load', -1, 1, 'running');"
	    "COMMIT";
	struct db *db = &w->older.db;
	char path[200];
	struct err err = {0};
	int fd =
	    openat(w->p->state_fd, "dag.db", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fsio_sync_dir(w->p->state_fd, ".", &err) != 0)
		die("cannot make the old database");
	close(fd);
	(void)snprintf(path, sizeof(path), "%s/dag.db", w->p->state);
	work_must(db_open(db, path, DB_WRITE, &err), &err);
	work_must(db_use_wal(db, &err), &err);
	work_must(migrate_run(db, store_migrations, 1, &err), &err);
	w->m = &w->older;
	work_remember(w); /* nothing is acknowledged, no row is there */
	work_must(db_script(db, rows, &err), &err);
	work_acknowledged(w);
	w->m = NULL;
	if (leaves)
		db_close(db);
}

/* ---- the script ---- */

static void
play(struct player *w, char c)
{
	switch (c) {
	case 'r':
		create_run(w);
		break;
	case 'i':
	case 'b':
		batch_begin(w, c == 'b');
		break;
	case 'u':
	case 'e':
		if (c == 'e')
			batch_end(w);
		else
			batch_update(w);
		break;
	case 'v':
		batch_event(w);
		break;
	case 'f':
		batch_end_run(w);
		break;
	case 't':
		take_run(w);
		break;
	case 's':
		batch_stale(w);
		break;
	case 'c':
	case 'O':
		leave_command(w, c == 'O');
		break;
	case 'd':
		batch_answer(w);
		break;
	case 'R':
	case 'E':
		read_on(w, c == 'R');
		break;
	case 'K':
		(void)db_checkpoint(&w->m->db, NULL);
		break;
	case 'X':
		extend(w);
		break;
	case 'L':
		little_room(w);
		break;
	case 'W':
	case 'w':
		thread(w, c == 'W');
		break;
	case 'C':
		close_meta(w);
		open_meta(w);
		break;
	default:
		die("unknown letter '%c' in a script", c);
	}
}

void
work_play(const struct crash_work *work, const struct project *p, struct crash_log *log,
	  struct crash_states *states)
{
	struct player w = {.work = work,
			   .p = p,
			   .states = states,
			   .rng = work->seed,
			   .now = INT64_C(1760000000000000),
			   .mutex = PTHREAD_MUTEX_INITIALIZER,
			   .cond = PTHREAD_COND_INITIALIZER};
	const char *script = work->script;

	memset(states, 0, sizeof(*states));
	/* The salts of the logs, so that a failure comes again. */
	(void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(work->seed | 1),
				   NULL);
	record_start(log, p->state_fd);
	if (*script == '1' || *script == '2')
		older_dag(&w, *script++ == '1');
	open_meta(&w);
	if (states->n == 0)
		work_remember(&w);
	work_acknowledged(&w);
	for (; *script != '\0'; script++)
		play(&w, *script);
	read_on(&w, false);
	thread(&w, false);
	if (w.older.db.h != NULL)
		db_close(&w.older.db);
	close_meta(&w);
	record_stop();
	if (log->acks + 1 != states->n)
		die("%zu acknowledged, %zu states", log->acks, states->n);
}

void
work_random(uint64_t seed, char *out, size_t n)
{
	static const char letters[] = "rriiiiiuuuueeebbbbbbbvvvvffttsccddOOREEKKKXCLWw";
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = i == 0 ? 'r' : letters[rng_below(&seed, sizeof(letters) - 1)];
	out[n] = '\0';
}
