/*
 * How runs and tasks look from outside.
 */
#include "scheduler/session_int.h"

size_t
session_run_count(const struct session *s)
{
	return s->runs.n;
}

void
session_run_view(const struct session *s, size_t i, struct session_run *out)
{
	const struct srun *r = s->runs.v[i];
	struct engine_run_view v;
	int64_t now = clock_now().mono_us;

	engine_run_view(s->engine, (uint32_t)i, &v);
	*out = (struct session_run){
	    .id = r->id,
	    .dag = r->dag->name,
	    .file = r->file,
	    .logical_us = r->logical_us,
	    .started_us = v.started_us,
	    .ended_us = v.ended_us,
	    .elapsed_us = (v.ended_mono != 0 ? v.ended_mono : now) - v.started_mono,
	    .state = v.state,
	    .result = v.result,
	    .reason = v.reason,
	    .ntasks = r->settle ? 0 : r->dag->ntasks,
	    .resumed = r->resumed,
	    .retried = r->retried};
}

void
session_task_view(const struct session *s, size_t i, size_t t, struct session_task *out)
{
	struct srun *r = s->runs.v[i];
	const struct dag_task *m = &r->dag->tasks[t];
	struct engine_task_view v;
	struct attempt *a = NULL;

	engine_task_view(s->engine, (uint32_t)i, (uint32_t)t, &v);
	if (v.live)
		a = attempt_find(r, (uint32_t)t, v.attempt);
	*out = (struct session_task){.name = m->name,
				     .map = -1,
				     .selected = v.selected,
				     .state = v.state,
				     .result = v.result,
				     .attempt = v.attempt,
				     .tries = v.tries,
				     .retries = m->retries,
				     .reason = v.reason,
				     .started_us = v.started_us,
				     .ended_us = v.live ? 0 : v.ended_us,
				     .next_try_us = v.next_try_us,
				     .allow_failure = m->allow_failure,
				     .up = m->up,
				     .nup = m->nup};
	if (v.started_mono != 0)
		out->elapsed_us =
		    (!v.live && v.ended_mono != 0 ? v.ended_mono : clock_now().mono_us) -
		    v.started_mono;
	else if (v.started_us != 0 && v.ended_us > v.started_us)
		out->elapsed_us = v.ended_us - v.started_us;
	if (a != NULL) {
		out->done = a->done;
		out->total = a->total;
	}
}
