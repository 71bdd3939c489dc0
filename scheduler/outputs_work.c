/*
 * Before and after an attempt, in worker threads of the owner: inputs are looked for, declared
 * outputs removed before it starts, so that half a file is never taken for a result; after it
 * ended well they must be there and are made durable before the success is committed.  Both
 * can be repeated after a crash and give up when the attempt is stopped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/fsio.h"
#include "base/path.h"
#include "scheduler/cache_hold.h"
#include "scheduler/cache_job.h"
#include "scheduler/exec_spawn.h"
#include "scheduler/outputs_files.h"
#include "scheduler/session_int.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/mask.h"
#include "tasks/proto/outputs.h"

struct work {
	uv_work_t req;
	struct srun *r;
	struct attempt *a;
	const struct dag_task *t;
	struct cache_job *job; /* of one that does not run where nothing has changed */
	bool cached;
	struct mask *mask;
	size_t mask_size;
	struct err err;
	int rc;
	struct outputs outputs;
	struct meta_kv *kv;
	char **masked;
	struct meta_path *produced;
};

static void
work_free(struct work *w)
{
	size_t i;

	for (i = 0; w->masked != NULL && i < w->outputs.n; i++)
		free(w->masked[i]);
	free(w->masked);
	free(w->kv);
	free(w->produced);
	outputs_release(&w->outputs);
	cache_job_free(w->job);
	if (w->mask != NULL)
		mask_free(w->mask, w->mask_size);
	free(w);
}

static struct work *
work_new(struct srun *r, struct attempt *a, struct err *err)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		err_nomem(err);
		return NULL;
	}
	w->r = r;
	w->a = a;
	w->t = &r->dag->tasks[a->task];
	w->req.data = w;
	return w;
}

static struct engine_ref
ref_of(const struct work *w)
{
	return (struct engine_ref){
	    .run = w->r->index, .task = w->a->task, .number = w->a->number};
}

static int
queue(struct work *w, uv_work_cb work, uv_after_work_cb after, struct err *err)
{
	if (uv_queue_work(&w->r->s->loop, &w->req, work, after) != 0) {
		work_free(w);
		return err_set(err, ERR_SYS, "cannot hand work to a thread");
	}
	w->a->working = true;
	w->r->s->workers++;
	return 0;
}

static void
done_working(struct work *w)
{
	w->a->working = false;
	meter_phase(&w->a->meter, NULL); /* its text is the job's */
	w->r->s->workers--;
}

/* ---- prepare ---- */

/* What is new is to be durable. */
enum made { MADE_BEFORE, MADE_NOW, MADE_DURABLE };

/* What it has made, or would have made if it had been run, is there. */
static int
keep_produced(struct work *w, enum made made)
{
	const struct render_paths *p = &w->r->rpaths[w->t->id];
	size_t i;
	int rc = 0;

	free(w->produced);
	w->produced = calloc(p->noutputs + 1, sizeof(*w->produced));
	if (w->produced == NULL)
		return err_nomem(&w->err);
	for (i = 0; i < p->noutputs && rc == 0; i++) {
		struct meta_path *to = &w->produced[i];

		to->path = p->outputs[i];
		if (made == MADE_DURABLE)
			rc = output_durable(w->r->s->p, to->path, &w->a->stop, &to->write,
					    &w->err);
		else
			rc = (made == MADE_NOW ? output_soon : output_there)(
			    w->r->s->p, to->path, &to->write, &w->err);
		/* What was found unchanged without it. */
		if (rc != 0 && w->cached && w->r->how.allow_missing &&
		    w->err.code == ERR_FAILED) {
			err_clear(&w->err);
			rc = 0;
		}
	}
	return rc;
}

/* Its inputs must be there, unless it is known without them what has changed: then they must be
 * there where it is to ${run}. */
static int
look_for_inputs(struct work *w, bool run)
{
	const struct render_paths *p = &w->r->rpaths[w->t->id];
	const struct dag_stage *stage = w->t->stage;
	size_t i;

	if (w->t->frozen || (stage != NULL && stage->stage->frozen) ||
	    run != (w->r->how.allow_missing || w->r->how.pull))
		return 0;
	for (i = 0; i < p->ninputs; i++)
		if (input_present(w->r->s->p, p->inputs[i], &w->a->stop, &w->err) != 0)
			return -1;
	fault_point(INPUTS_THERE);
	return 0;
}

static bool
persists(const struct dag_task *t, size_t i)
{
	const struct dag_stage *stage = t->stage;

	if (stage == NULL)
		return t->persist;
	return i < stage->stage->nouts && stage->stage->outs[i].persist;
}

static int
clear_outputs(struct work *w)
{
	const struct render_paths *p = &w->r->rpaths[w->t->id];
	struct output_task task = {
	    .dag = w->r->dag->name, .name = w->t->name, .any = w->t->stage != NULL};
	size_t i;

	for (i = 0; i < p->noutputs; i++) {
		task.persist = persists(w->t, i);
		if (output_clear(w->r->s->p, &task, p->outputs[i], &w->a->stop,
				 &w->err) != 0)
			return -1;
	}
	return 0;
}

static void
prepare(uv_work_t *req)
{
	struct work *w = req->data;
	int known = 0;

	w->rc = look_for_inputs(w, false);
	if (w->rc == 0 && w->job != NULL)
		known = cache_job_decide(w->job, &w->err);
	if (w->rc == 0 && known < 0)
		w->rc = -1;
	w->cached = w->rc == 0 && known == 1;
	if (w->rc == 0 && !w->cached)
		w->rc = look_for_inputs(w, true);
	if (w->rc == 0)
		w->rc = w->cached ? keep_produced(w, w->job->restored ? MADE_DURABLE
								      : MADE_BEFORE)
				  : clear_outputs(w);
}

/* What is known of a result that was there already. */
static void
put_result(struct work *w, struct engine_event *ev)
{
	ev->produced = w->produced;
	ev->nproduced = w->r->rpaths[w->t->id].noutputs;
	if (w->job == NULL)
		return;
	ev->stage = &w->job->result;
}

static void
after_prepare(uv_work_t *req, int status)
{
	struct work *w = req->data;
	struct engine_event ev = {.kind = EV_PREPARED, .ref = ref_of(w)};

	(void)status;
	fault_point(PREPARED);
	done_working(w);
	ev.reason = w->rc == 0 && w->job != NULL ? w->job->reason : w->err.msg;
	if (__atomic_load_n(&w->a->stop, __ATOMIC_RELAXED))
		ev.prepared = PREPARED_CANCELLED;
	else if (w->rc != 0)
		ev.prepared = PREPARED_FAILED;
	else
		ev.prepared = w->cached ? PREPARED_CACHED : PREPARED_RUN;
	if (ev.prepared == PREPARED_CACHED) {
		put_result(w, &ev);
		ev.outputs = w->job->values;
		ev.noutputs = w->job->nvalues;
	} else if (ev.prepared == PREPARED_RUN && w->job != NULL &&
		   w->job->inputs != NULL) {
		/* Without memory they are looked at again when it has ended. */
		free(w->a->inputs);
		w->a->inputs = strdup(w->job->inputs);
	}
	if (ev.prepared == PREPARED_RUN && w->job != NULL) {
		w->a->hold = w->job->hold;
		w->job->hold = NULL;
	}
	if (ev.prepared != PREPARED_RUN)
		attempt_drop(w->r, w->a);
	(void)session_event(w->r->s, &ev);
	work_free(w);
}

static int
clear_for_result(void *arg, struct err *err)
{
	struct work *w = arg;

	if (clear_outputs(w) == 0)
		return 0;
	*err = w->err;
	return -1;
}

/* A worker's job, where the task has one.  What a checkout of DVC's would give up, a stage of
 * dvc.yaml gives up; a task of a DAG file never removes what its run would not. */
static int
make_job(struct work *w, struct err *err)
{
	w->a->meter = (struct meter){0};
	if (session_cache_job(w->r, w->a, &w->job, err) == 0) {
		if (w->job != NULL && w->t->stage == NULL) {
			w->job->ask.clear = clear_for_result;
			w->job->ask.clear_arg = w;
		}
		return 0;
	}
	work_free(w);
	return -1;
}

int
prepare_start(struct srun *r, struct attempt *a, struct err *err)
{
	struct work *w = work_new(r, a, err);

	if (w == NULL || make_job(w, err) != 0)
		return -1;
	return queue(w, prepare, after_prepare, err);
}

/* ---- commit ---- */

/* Values leave the task's hands here: masked before anybody else sees them. */
static int
take_values(struct work *w)
{
	size_t i, n = w->outputs.n;

	w->kv = calloc(n + 1, sizeof(*w->kv));
	w->masked = calloc(n + 1, sizeof(*w->masked));
	if (w->kv == NULL || w->masked == NULL)
		return err_nomem(&w->err);
	for (i = 0; i < n; i++) {
		const struct output *o = &w->outputs.v[i];
		struct buf b;

		buf_init(&b, 0);
		/* A key stays as it is or is refused: masked keys would fall together. */
		mask_apply(w->mask, o->key, strlen(o->key), &b);
		if (!buf_failed(&b) && strcmp(b.p, o->key) != 0) {
			buf_release(&b);
			return err_set(&w->err, ERR_INVALID,
				       "outputs: a key holds a secret of the task");
		}
		buf_clear(&b);
		mask_apply(w->mask, o->value, o->len, &b);
		w->kv[i] = (struct meta_kv){.key = o->key, .len = b.n};
		w->kv[i].val = w->masked[i] = buf_steal(&b);
		buf_release(&b);
		if (w->masked[i] == NULL)
			return err_nomem(&w->err);
	}
	return 0;
}

/* What the task wrote stays in its directory, but not a secret in it. */
static int
mask_file(struct work *w, int dirfd)
{
	struct buf raw, masked;
	int rc = 0;

	buf_init(&raw, 0);
	buf_init(&masked, 0);
	if (faccessat(dirfd, ATTEMPT_OUTPUTS, F_OK, 0) == 0)
		rc = fsio_read(dirfd, ATTEMPT_OUTPUTS, OUTPUTS_FILE_MAX, &raw, &w->err);
	if (rc == 0) {
		mask_apply(w->mask, raw.p, raw.n, &masked);
		if (buf_failed(&masked))
			rc = err_nomem(&w->err);
		else if (masked.n != raw.n || memcmp(masked.p, raw.p, raw.n) != 0)
			rc = fsio_replace(dirfd, ATTEMPT_OUTPUTS, masked.p, masked.n,
					  0600, &w->err);
	}
	buf_release(&raw);
	buf_release(&masked);
	return rc;
}

static int
read_values(struct work *w)
{
	int dirfd = exec_open_dir(w->r->s->p, w->a->dir), rc;

	if (dirfd == -1)
		return err_sys(&w->err, errno, "cannot open the attempt's directory");
	rc = outputs_read(dirfd, &w->outputs, &w->err);
	if (w->mask != NULL && rc == 0)
		rc = mask_file(w, dirfd);
	/* Of an attempt that was taken over. */
	if (w->job != NULL && w->a->inputs == NULL)
		w->a->inputs = exec_get_inputs(dirfd);
	(void)close(dirfd);
	if (rc != 0)
		return -1;
	return take_values(w);
}

static void
commit(uv_work_t *req)
{
	struct work *w = req->data;

	if ((w->rc = read_values(w)) != 0)
		return;
	fault_point(OUTPUTS_READ);
	/* What goes into the cache is linked from there, and is a file anew. */
	w->rc = keep_produced(w, w->job == NULL ? MADE_DURABLE : MADE_NOW);
	if (w->rc == 0 && w->job != NULL)
		w->rc = cache_job_keep(w->job, w->a->inputs, &w->err);
	if (w->rc == 0 && w->job != NULL)
		w->rc = keep_produced(w, MADE_DURABLE);
	cache_hold_drop(w->a->hold);
	w->a->hold = NULL;
}

static void
after_commit(uv_work_t *req, int status)
{
	struct work *w = req->data;
	struct srun *r = w->r;
	struct engine_event ev = {.kind = EV_OUTPUTS, .ref = ref_of(w)};

	(void)status;
	fault_point(OUTPUTS_DONE);
	if (req->loop != NULL)
		done_working(w);
	ev.ok = w->rc == 0;
	ev.reason = w->err.msg;
	if (ev.ok) {
		ev.outputs = w->kv;
		ev.noutputs = w->outputs.n;
		put_result(w, &ev);
	}
	attempt_drop(r, w->a);
	(void)session_event(r->s, &ev);
	work_free(w);
}

int
commit_start(struct srun *r, struct attempt *a, struct err *err)
{
	struct work *w = work_new(r, a, err);

	if (w == NULL)
		return -1;
	w->mask = env_mask(r, w->t, &w->mask_size, &w->err);
	if (w->mask == NULL && w->err.code != ERR_NONE) {
		*err = w->err;
		work_free(w);
		return -1;
	}
	if (make_job(w, err) != 0)
		return -1;
	/* Without declared outputs there is nothing to make durable: no thread is needed to
	 * look for one small file. */
	if (r->rpaths[w->t->id].noutputs == 0 && w->job == NULL) {
		commit(&w->req);
		after_commit(&w->req, 0);
		return 0;
	}
	return queue(w, commit, after_commit, err);
}
