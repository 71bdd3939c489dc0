/*
 * Is what a task is about to read whole?  While an attempt writes, its path lock keeps others
 * away.  What it leaves when it does not end well is remembered in the database (meta_torn) until
 * an attempt that writes it ends well; here is where it is asked for, whoever made it: an upstream,
 * a task that this run has not selected, one of another DAG.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"
#include "scheduler/session_int.h"

struct reading {
	struct srun *r;
	const struct dag_task *t;  /* who reads */
	const struct dag_task *up; /* its upstream in this run that makes it, or NULL */
	const char *path;	   /* may be a glob */
};

/* A task whose rule lets it run because of a failure is there to see what that left. */
static bool
wants_failures(enum trigger_rule rule)
{
	switch (rule) {
	case TRIGGER_ALL_FAILED:
	case TRIGGER_ALL_DONE:
	case TRIGGER_ALL_DONE_MIN_ONE_SUCCESS:
	case TRIGGER_ONE_FAILED:
	case TRIGGER_ONE_DONE:
	case TRIGGER_NONE_SKIPPED:
	case TRIGGER_ALWAYS:
		return true;
	case TRIGGER_ALL_SUCCESS:
	case TRIGGER_ALL_SKIPPED:
	case TRIGGER_ONE_SUCCESS:
	case TRIGGER_NONE_FAILED:
	case TRIGGER_NONE_FAILED_MIN_ONE_SUCCESS:
	case TRIGGER_RULES:
		break;
	}
	return false;
}

/* Has somebody else written it since, or is nothing there?  By the time of the last change, which
 * unlike that of the last modification nobody can set. */
static bool
obsolete(const struct reading *x, const struct meta_torn *torn)
{
	const char *path = torn->path;
	struct stat st;

	if (x->path[0] != '/' && !path_has_glob(x->path) &&
	    strlen(x->path) > strlen(path))
		path = x->path; /* of a directory half written, this is what is read */
	if (fstatat(x->r->s->p->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || errno == ENOTDIR;
	return (int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000 >
	       torn->at_us;
}

static int
half(void *ctx, const struct meta_torn *torn, struct err *err)
{
	const struct reading *x = ctx;
	bool own = strcmp(torn->run, x->r->id) == 0;

	if (path_has_glob(x->path) && !path_glob_overlap(x->path, torn->path))
		return 0;
	if ((own && wants_failures(x->t->trigger)) || obsolete(x, torn))
		return 0;
	if (x->up != NULL && !own)
		return err_set(err, ERR_INVALID,
			       "`%s` may be half written: task %s of run %s has begun to "
			       "make it again and ended %s; 'dag retry %s --from %s' "
			       "makes it anew",
			       torn->path, torn->task, torn->run,
			       task_result_name(torn->result), x->r->id, x->up->name);
	return err_set(
	    err, ERR_INVALID,
	    "`%s` may be half written: task %s of run %s ended %s; 'dag retry %s' "
	    "makes it anew; if it is whole after all, touch it",
	    torn->path, torn->task, torn->run, task_result_name(torn->result), torn->run);
}

/* What an upstream makes is read, even where no input says so. */
static int
upstream_whole(struct reading *x, const struct dag_task *up, struct err *err)
{
	const struct render_paths *p = &x->r->rpaths[up->id];
	struct engine_task_view v;
	int rc = 0;
	size_t i;

	engine_task_view(x->r->s->engine, x->r->index, up->id, &v);
	if (v.selected && (v.state != TASK_DONE ||
			   (v.result != RESULT_SUCCESS && v.result != RESULT_CACHED)))
		return 0;
	x->up = v.selected ? up : NULL;
	for (i = 0; i < p->noutputs && rc == 0; i++) {
		x->path = p->outputs[i];
		rc = meta_torn(x->r->s->meta, x->path, half, x, err);
	}
	return rc;
}

/**
 * inputs_whole(r, t, err):
 * See that nothing which task ${t} of the run reads (its inputs, and what its upstreams make) was
 * left half written.  Return 0; -1 with the words, the producer and the way out.
 */
int
inputs_whole(struct srun *r, const struct dag_task *t, struct err *err)
{
	const struct render_paths *p = &r->rpaths[t->id];
	struct reading x = {.r = r, .t = t};
	size_t i;
	int rc = 0;

	for (i = 0; i < t->nup && rc == 0; i++)
		rc = upstream_whole(&x, &r->dag->tasks[t->up[i]], err);
	x.up = NULL;
	for (i = 0; i < p->ninputs && rc == 0; i++) {
		const char *base = lock_path(r->arena, p->inputs[i]);

		x.path = p->inputs[i];
		rc = base == NULL ? err_nomem(err)
				  : meta_torn(r->s->meta, base, half, &x, err);
	}
	return rc != 0 ? -1 : 0;
}
