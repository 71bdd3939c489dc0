#include "cli/stream.h"

#include "base/json.h"
#include "cli/cli.h"
#include "scheduler/session.h"

enum field {
	F_V,
	F_EVENT,
	F_AT,
	F_RUN,
	F_DAG,
	F_FILE,
	F_LOGICAL_DATE,
	F_TASKS,
	F_RESUMED,
	F_RETRIED,
	F_TASK,
	F_MAP,
	F_STATE,
	F_RESULT,
	F_ALLOWED,
	F_ATTEMPT,
	F_TRIES,
	F_RETRIES,
	F_REASON,
	F_STARTED_AT,
	F_ENDED_AT,
	F_ELAPSED,
	F_NEXT_TRY_AT,
	F_DONE,
	F_TOTAL,
	F_RUN_RESULT,
	F_RUN_REASON,
	F_RUN_ELAPSED,
	F_LEVEL,
	F_MESSAGE,
	F_LOST,
	FIELDS
};

/* A type is a JSON type; "instant" is a string in RFC 3339, UTC; behind "?" null may stand. */
static const struct {
	const char *name, *type, *doc;
} fields[FIELDS] = {
    [F_V] =
	{"v", "integer",
	 "Version of this format, now 1. It is raised when a field changes its meaning "
	 "or goes; new fields and events do not raise it."},
    [F_EVENT] = {"event", "string", "Which event it is."},
    [F_AT] = {"at", "instant", "When it was written."},
    [F_RUN] = {"run", "string", "Id of the run."},
    [F_DAG] = {"dag", "string", "Name of the DAG."},
    [F_FILE] = {"file", "string",
		"Its file, relative to the project's root (absolute outside it)."},
    [F_LOGICAL_DATE] = {"logical_date", "instant", "The instant the run is about."},
    [F_TASKS] = {"tasks", "integer", "Number of its tasks."},
    [F_RESUMED] = {"resumed", "boolean", "Whether it was taken over, by dag resume."},
    [F_RETRIED] = {"retried", "boolean", "Whether it had ended, before dag retry."},
    [F_TASK] = {"task", "string", "Name of the task."},
    [F_MAP] = {"map", "integer",
	       "Its index where a task is made for each of many values; else -1."},
    [F_STATE] =
	{"state", "string",
	 "waiting, ready, preparing, starting, running, committing, up_for_retry or "
	 "done."},
    [F_RESULT] = {"result", "string?",
		  "Of a task that is done: success, cached, failed, lost, skipped, "
		  "upstream_failed or cancelled."},
    [F_ALLOWED] = {"allow_failure", "boolean",
		   "Whether the run may succeed although this task fails."},
    [F_ATTEMPT] = {"attempt", "integer", "Number of its latest attempt; 0: none yet."},
    [F_TRIES] = {"tries", "integer", "Attempts that count against its retries."},
    [F_RETRIES] = {"retries", "integer", "How often it may be tried again."},
    [F_REASON] = {"reason", "string", "Why it is as it is, for people; may be empty."},
    [F_STARTED_AT] = {"started_at", "instant?", "Start of the latest attempt."},
    [F_ENDED_AT] = {"ended_at", "instant?", "End of the latest attempt."},
    [F_ELAPSED] = {"elapsed_s", "number",
		   "Seconds that the latest attempt has taken so far."},
    [F_NEXT_TRY_AT] = {"next_try_at", "instant?",
		       "Of a task in up_for_retry: when it is tried again."},
    [F_DONE] = {"done", "number", "How much of its work is done, in a unit of its own."},
    [F_TOTAL] = {"total", "number?", "How much there is to do, where the task knows."},
    [F_RUN_RESULT] = {"result", "string", "success, failed or cancelled."},
    [F_RUN_REASON] = {"reason", "string", "Why, for people; may be empty."},
    [F_RUN_ELAPSED] = {"elapsed_s", "number", "Seconds since the run began."},
    [F_LEVEL] = {"level", "string",
		 "info, warning or signal (what a signal such as Ctrl-C leads to)."},
    [F_MESSAGE] = {"message", "string", "A sentence for people."},
    [F_LOST] = {"lost", "integer", "Number of lines."},
};

#define COMMON 3 /* fields that every event begins with: F_V, F_EVENT, F_AT */

#define FIELDS_MAX 16

static const struct {
	const char *name, *doc;
	enum field fields[FIELDS_MAX]; /* ended by 0, which is F_V and common */
} events[STREAM_EVENTS] = {
    [STREAM_RUN_BEGAN] = {"run_began",
			  "A run is durable and about to work. Of a run that was resumed "
			  "or retried, a line "
			  "for each of its tasks follows, with how it stands.",
			  {F_RUN, F_DAG, F_FILE, F_LOGICAL_DATE, F_TASKS, F_RESUMED,
			   F_RETRIED}},
    [STREAM_TASK] =
	{"task",
	 "A task changed. Its end is written when it is durable; of the states "
	 "before, some may be left out. Tasks that are not selected have no "
	 "line, unless the run was resumed or retried.",
	 {F_RUN, F_TASK, F_MAP, F_STATE, F_RESULT, F_ALLOWED, F_ATTEMPT, F_TRIES,
	  F_RETRIES, F_REASON, F_STARTED_AT, F_ENDED_AT, F_ELAPSED, F_NEXT_TRY_AT}},
    [STREAM_PROGRESS] = {"progress",
			 "A task that runs has said how far it is (see $DAG_EVENTS in "
			 "the task protocol); "
			 "at most one line a second for each task.",
			 {F_RUN, F_TASK, F_MAP, F_ATTEMPT, F_DONE, F_TOTAL, F_ELAPSED}},
    [STREAM_RUN_ENDED] = {"run_ended",
			  "The run has ended, and that is durable.",
			  {F_RUN, F_DAG, F_RUN_RESULT, F_RUN_REASON, F_RUN_ELAPSED}},
    [STREAM_NOTICE] =
	{"notice",
	 "What people are told besides: an interrupted run, a database that "
	 "is waited for, what Ctrl-C does.",
	 {F_LEVEL, F_MESSAGE}},
    [STREAM_GAP] = {"gap",
		    "Lines are missing here: nobody read them, and 64 MiB were waiting "
		    "already. 'dag runs RUN --json' tells how things stand.",
		    {F_LOST}},
};

static void
put_common(struct json_writer *w, enum field f, const char *event,
	   const struct stream_facts *x)
{
	if (f == F_V)
		json_int(w, STREAM_VERSION);
	else if (f == F_EVENT)
		json_str(w, event);
	else
		json_time(w, x->at_us);
}

static void
put_seconds(struct json_writer *w, int64_t us)
{
	json_double(w, (double)us / 1e6);
}

/* A field of a run; return whether it is one. */
static bool
put_run_field(struct json_writer *w, enum field f, const struct session_run *r)
{
	if (f == F_RUN)
		json_str(w, r->id);
	else if (f == F_DAG)
		json_str(w, r->dag);
	else if (f == F_FILE)
		json_str(w, r->file);
	else if (f == F_LOGICAL_DATE)
		json_time(w, r->logical_us);
	else if (f == F_TASKS)
		json_int(w, (int64_t)r->ntasks);
	else if (f == F_RESUMED)
		json_bool(w, r->resumed);
	else if (f == F_RETRIED)
		json_bool(w, r->retried);
	else if (f == F_RUN_RESULT)
		json_str(w, run_result_name(r->result));
	else if (f == F_RUN_REASON)
		json_str(w, r->reason != NULL ? r->reason : "");
	else if (f == F_RUN_ELAPSED)
		put_seconds(w, r->elapsed_us);
	else
		return false;
	return true;
}

/* A field of a task; return whether it is one. */
static bool
put_task_field(struct json_writer *w, enum field f, const struct session_task *t)
{
	if (f == F_TASK)
		json_str(w, t->name);
	else if (f == F_MAP)
		json_int(w, t->map);
	else if (f == F_STATE)
		json_str(w, task_state_name(t->state));
	else if (f == F_RESULT)
		json_str(w, t->state == TASK_DONE ? task_result_name(t->result) : NULL);
	else if (f == F_ALLOWED)
		json_bool(w, t->allow_failure);
	else if (f == F_ATTEMPT)
		json_int(w, t->attempt);
	else if (f == F_TRIES)
		json_int(w, t->tries);
	else if (f == F_RETRIES)
		json_int(w, t->retries);
	else if (f == F_REASON)
		json_str(w, t->reason != NULL ? t->reason : "");
	else if (f == F_STARTED_AT)
		json_time(w, t->started_us);
	else if (f == F_ENDED_AT)
		json_time(w, t->ended_us);
	else if (f == F_ELAPSED)
		put_seconds(w, t->elapsed_us);
	else if (f == F_NEXT_TRY_AT)
		json_time(w, t->next_try_us);
	else if (f == F_DONE)
		json_double(w, t->done);
	else if (f == F_TOTAL && t->total > 0)
		json_double(w, t->total);
	else if (f == F_TOTAL)
		json_put_null(w);
	else
		return false;
	return true;
}

static void
put_field(struct json_writer *w, enum field f, const struct stream_facts *x)
{
	json_key(w, fields[f].name);
	if ((x->run != NULL && put_run_field(w, f, x->run)) ||
	    (x->task != NULL && put_task_field(w, f, x->task)))
		return;
	if (f == F_LEVEL)
		json_str(w, x->level);
	else if (f == F_MESSAGE)
		json_str(w, x->message);
	else if (f == F_LOST)
		json_int(w, (int64_t)x->lost);
	else
		json_put_null(w);
}

void
stream_put(struct buf *b, enum stream_event event, const struct stream_facts *x)
{
	struct json_writer w;
	size_t i;

	json_init(&w, b, 0);
	json_begin_object(&w);
	for (i = 0; i < COMMON; i++) {
		json_key(&w, fields[i].name);
		put_common(&w, (enum field)i, events[event].name, x);
	}
	for (i = 0; i < FIELDS_MAX && events[event].fields[i] != F_V; i++)
		put_field(&w, events[event].fields[i], x);
	json_end(&w);
	buf_addc(b, '\n');
}

/* ---- what is told about it ---- */

void
stream_help(struct buf *b)
{
	struct buf text;
	size_t e, i;

	for (e = 0; e < STREAM_EVENTS; e++) {
		buf_init(&text, 0);
		for (i = 0; i < FIELDS_MAX && events[e].fields[i] != F_V; i++)
			buf_addf(&text, "%s%s", i > 0 ? ", " : "",
				 fields[events[e].fields[i]].name);
		buf_addf(b, "  %-10s ", events[e].name);
		help_wrap(b, text.p, 13);
		buf_release(&text);
	}
}

static void
md_field(struct buf *b, enum field f)
{
	const char *type = fields[f].type;
	size_t n = 0;

	while (type[n] != '\0' && type[n] != '?')
		n++;
	buf_addf(b, "| `%s` | %.*s%s | %s |\n", fields[f].name, (int)n, type,
		 type[n] == '?' ? " or null" : "", fields[f].doc);
}

void
stream_markdown(struct buf *b)
{
	size_t e, i;

	buf_adds(
	    b,
	    "# The progress stream\n\n"
	    "Made by `dag help --markdown progress` from the table that also writes it; "
	    "do "
	    "not edit.\n\n"
	    "`dag run --progress json` (`resume` and `retry` too) writes one JSON object "
	    "a "
	    "line, as things happen.\n\n"
	    "- The lines go to standard output, and nothing else does. With `--json` "
	    "they "
	    "go to standard error, and standard output has the run's end. Errors of "
	    "`dag` "
	    "itself (`dag: error: ...`) always go to standard error.\n"
	    "- What is not valid is refused before the first line: exit status 2, and no "
	    "stream.\n"
	    "- A reader may be slow: the run does not wait for it. It may go away: the "
	    "run "
	    "goes on to its end, and the exit status is the run's.\n"
	    "- Ends are written when they are durable. A stream that stops without "
	    "`run_ended` is that of a run that was let go; `dag runs` tells what became "
	    "of "
	    "it.\n"
	    "- Ignore events and fields that you do not know.\n\n"
	    "An instant is a string in RFC 3339, in UTC, with microseconds.\n\n"
	    "## Every event\n\n| field | type | meaning |\n|---|---|---|\n");
	for (i = 0; i < COMMON; i++)
		md_field(b, (enum field)i);
	for (e = 0; e < STREAM_EVENTS; e++) {
		buf_addf(b,
			 "\n## `%s`\n\n%s\n\n| field | type | meaning |\n|---|---|---|\n",
			 events[e].name, events[e].doc);
		for (i = 0; i < FIELDS_MAX && events[e].fields[i] != F_V; i++)
			md_field(b, events[e].fields[i]);
	}
}
