#include "cli/ask.h"

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "cli/table.h"
#include "store/owner.h"
#include "store/wake.h"

#define POLL_NS	      (20 * 1000000L)
#define STOPPED_US    ((int64_t)1000000) /* an owner that is stopped is told of by then */
#define ANSWER_US     ((int64_t)10000000)
#define TELL_STOPPING ((int64_t)2000000) /* then it is told that it takes a while */
#define END_US	      ((int64_t)60000000)

static void
pause_a_bit(void)
{
	static const struct timespec t = {0, POLL_NS};

	(void)nanosleep(&t, NULL);
}

static int64_t
mono(void)
{
	return clock_now().mono_us;
}

/* A stopped owner: who it is, and how to wake it. */
static int
tell_stopped(struct cli *c, const struct meta_run *run, const struct owner_info *info)
{
	struct err err;

	(void)err_set(
	    &err, ERR_BUSY,
	    "pid %ld, which owns run %s of %s, is stopped (Ctrl-Z?); the request stays "
	    "and is done once it goes on: kill -CONT %ld",
	    (long)info->pid, text_short_id(run->id), run->dag, (long)info->pid);
	return cli_fail(c, &err);
}

static int
tell_silent(struct cli *c, const struct meta_run *run, const struct owner_info *info)
{
	struct err err;

	(void)err_set(
	    &err, ERR_BUSY,
	    "pid %ld, which owns run %s of %s, has not answered yet; the request stays",
	    (long)info->pid, text_short_id(run->id), run->dag);
	return cli_fail(c, &err);
}

static int
tell_gone(struct cli *c, const struct meta_run *run, const char *before)
{
	struct err err;

	(void)err_set(&err, ERR_BUSY,
		      "the owner of run %s of %s went away before %s: dag resume %s",
		      text_short_id(run->id), run->dag, before, text_short_id(run->id));
	return cli_fail(c, &err);
}

static int
tell_answer(struct cli *c, const struct meta_run *run, const struct meta_command *cmd)
{
	struct err err;

	fault_point(COMMAND_ANSWERED);
	if (cmd->answer != NULL && strncmp(cmd->answer, "refused", 7) == 0) {
		(void)err_set(&err, ERR_INVALID, "the owner of run %s of %s %s",
			      text_short_id(run->id), run->dag, cmd->answer);
		return cli_fail(c, &err);
	}
	cli_note(c, "run %s of %s: %s", text_short_id(run->id), run->dag,
		 cmd->answer != NULL ? cmd->answer : "done");
	return EXIT_OK;
}

/* Whether the run has ended meanwhile. */
static int
look_run(struct place *pl, const struct meta_run *run, bool *done,
	 enum run_result *result, struct err *err)
{
	struct arena *a = arena_new(0);
	struct meta_run now;
	int rc;

	if (a == NULL)
		return err_nomem(err);
	rc = meta_run_get(pl->meta, run->id, a, &now, err);
	*done = rc == 0 && now.state == RUN_DONE;
	*result = *done ? now.result : RUN_NONE;
	arena_free(a);
	return rc;
}

/* Look once: 1 answered or given up, with the exit code in *code; 0 go on waiting. */
static int
look_answer(struct cli *c, struct place *pl, const struct meta_run *run, int64_t id,
	    int64_t since, int *code)
{
	struct owner_info info = {0};
	struct meta_command cmd;
	struct err err = {0};
	struct arena *a = arena_new(0);
	enum run_result result;
	bool done = false;
	int rc;

	rc = a == NULL ? err_nomem(&err) : meta_command_get(pl->meta, id, a, &cmd, &err);
	if (rc != 0)
		*code = cli_fail(c, &err);
	else if (cmd.done)
		*code = tell_answer(c, run, &cmd);
	if (rc != 0 || cmd.done) {
		arena_free(a);
		return 1;
	}
	arena_free(a);
	if (owner_look(pl->project, run->id, &info, NULL) != 0)
		return 0;
	if (!info.held) {
		if (look_run(pl, run, &done, &result, &err) == 0 && done) {
			cli_note(c, "run %s of %s has ended", text_short_id(run->id),
				 run->dag);
			*code = EXIT_OK;
		} else {
			*code = tell_gone(c, run, "it answered");
		}
		return 1;
	}
	if (info.state == 'T' && since > STOPPED_US) {
		*code = tell_stopped(c, run, &info);
		return 1;
	}
	if (since > ANSWER_US) {
		*code = tell_silent(c, run, &info);
		return 1;
	}
	return 0;
}

int
ask_owner(struct cli *c, struct place *pl, const struct meta_run *run, const char *verb,
	  const char *args)
{
	int64_t id, began = mono();
	struct err err = {0};
	int code;

	if (meta_command_add(pl->meta, run->id, verb, args, &id, &err) != 0)
		return cli_fail(c, &err);
	fault_point(COMMAND_ADDED);
	wake_others(pl->project, NULL);
	while (look_answer(c, pl, run, id, mono() - began, &code) == 0)
		pause_a_bit();
	return code;
}

int
ask_wait_end(struct cli *c, struct place *pl, const struct meta_run *run, bool killed)
{
	int64_t began = mono(), version = -1, now;
	enum run_result result = RUN_NONE;
	struct owner_info info;
	struct err err = {0};
	bool told = false, gone, done;

	for (;;) {
		/* First the owner, then the rows: it goes when it has written its last. */
		gone = owner_look(pl->project, run->id, &info, NULL) == 0 && !info.held;
		now = meta_data_version(pl->meta);
		if (gone || now != version) {
			version = now;
			if (look_run(pl, run, &done, &result, &err) != 0)
				return cli_fail(c, &err);
			if (done)
				break;
			if (gone)
				return tell_gone(c, run, "the run had ended");
		}
		if (!told && mono() - began > TELL_STOPPING) {
			cli_note(c, "waiting for its tasks to end%s",
				 killed ? ""
					: " (their grace; 'dag cancel --kill' does not "
					  "wait)");
			told = true;
		}
		if (mono() - began > END_US) {
			cli_note(
			    c,
			    "run %s of %s is still stopping; 'dag runs %s' shows how it "
			    "stands",
			    text_short_id(run->id), run->dag, text_short_id(run->id));
			return EXIT_OK;
		}
		pause_a_bit();
	}
	buf_addf(&c->out, "run %s of %s has ended: %s\n", text_short_id(run->id),
		 run->dag, run_result_name(result));
	return EXIT_OK;
}
