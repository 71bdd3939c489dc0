#include "cli/runjson.h"

#include "base/arena.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "cli/status.h"

void
runjson_counts(struct json_writer *w, const struct meta_run *run)
{
	int r;

	json_key(w, "counts");
	json_begin_object(w);
	for (r = RESULT_SUCCESS; r < TASK_RESULTS; r++)
		json_kv_int(w, task_result_name((enum task_result)r), run->counts[r]);
	json_kv_int(w, "running", run->nrunning);
	json_kv_int(w, "tasks", run->ntasks);
	json_end(w);
}

static void
put_output(void *ctx, const char *task, int32_t map, const struct meta_kv *kv)
{
	struct json_writer *w = ctx;

	json_begin_object(w);
	json_kv_str(w, "task", task);
	json_kv_int(w, "map", map);
	json_kv_str(w, "key", kv->key);
	json_key(w, "value");
	json_strn(w, kv->val, kv->len);
	json_end(w);
}

static int
put_rows(struct place *pl, struct json_writer *w, const struct meta_run *run,
	 struct arena *a, struct err *err)
{
	struct meta_attempt *attempts;
	struct meta_task *tasks;
	size_t i, ntasks, nattempts;

	if (meta_tasks(pl->meta, run->id, a, &tasks, &ntasks, err) != 0 ||
	    meta_attempts(pl->meta, run->id, a, &attempts, &nattempts, err) != 0)
		return -1;
	json_key(w, "tasks");
	json_begin_array(w);
	for (i = 0; i < ntasks; i++)
		status_task_json(w, &tasks[i]);
	json_end(w);
	json_key(w, "attempts");
	json_begin_array(w);
	for (i = 0; i < nattempts; i++)
		status_attempt_json(w, &attempts[i]);
	json_end(w);
	json_key(w, "outputs");
	json_begin_array(w);
	if (meta_outputs(pl->meta, run->id, put_output, w, err) != 0)
		return -1;
	json_end(w);
	return 0;
}

int
runjson_put(struct cli *c, struct place *pl, struct json_writer *w, struct meta_run *run,
	    struct err *err)
{
	struct arena *a;
	int rc;

	if (meta_run_counts(pl->meta, run, err) != 0)
		return -1;
	a = arena_new(0);
	if (a == NULL)
		return err_nomem(err);
	json_begin_object(w);
	status_run_members(w, run, status_of_run(pl->project, run));
	runjson_counts(w, run);
	rc = put_rows(pl, w, run, a, err);
	json_end(w);
	arena_free(a);
	if (rc == 0 && cli_flush_some(c) != 0)
		rc = err_sys(err, c->out_errno, "cannot write to standard output");
	return rc;
}
