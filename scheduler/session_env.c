/*
 * What an attempt's program gets: its argv, its environment, its secrets.  The environment is
 * the owner's, without DAG_* and without variables that the DAG uses as secrets of other
 * tasks; then ours; then the DAG's and the task's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fsio.h"
#include "base/libexec.h"
#include "base/map.h"
#include "base/path.h"
#include "base/timefmt.h"
#include "scheduler/session_int.h"
#include "tasks/proto/attempt_dir.h"
#include "tasks/proto/mask.h"
#include "tasks/schema/schema.h"

#define SECRET_FILE_MAX ((size_t)64 << 10)

/* ---- secrets ---- */

/* Read a secret into the arena: from our environment or from a file (one last newline is not
 * part of it).  The message never holds any of it. */
static const char *
secret_read(const char *root, const char *env, const char *file, struct arena *a,
	    struct err *err)
{
	struct buf b, path;
	const char *val = env != NULL ? getenv(env) : NULL;
	char *s = NULL;

	if (env != NULL) {
		if (val == NULL) {
			err_set(err, ERR_NOTFOUND,
				"the secret ${env:%s} is not there: set %s in the "
				"environment",
				env, env);
			return NULL;
		}
		if (mask_check(val, strlen(val), err) != 0) {
			err_wrap(err, "the secret ${env:%s}", env);
			return NULL;
		}
		if ((s = arena_strdup(a, val)) == NULL)
			err_nomem(err);
		return s;
	}
	buf_init(&b, 0);
	buf_init(&path, 0);
	path_join(&path, root, file);
	if (fsio_read(AT_FDCWD, path.p, SECRET_FILE_MAX, &b, err) != 0) {
		err_wrap(err, "the secret ${file:%s}", file);
	} else {
		if (b.n > 0 && b.p[b.n - 1] == '\n')
			buf_truncate(&b, b.n - 1);
		if (memchr(b.p, '\0', b.n) != NULL)
			err_set(err, ERR_INVALID,
				"the secret ${file:%s} holds a NUL byte", file);
		else if (mask_check(b.p, b.n, err) != 0)
			err_wrap(err, "the secret ${file:%s}", file);
		else if ((s = arena_strndup(a, b.p, b.n)) == NULL)
			err_nomem(err);
	}
	explicit_bzero(b.p, b.n);
	buf_release(&b);
	buf_release(&path);
	return s;
}

static int
check_env(const struct dag_env *env, size_t n, const char *root, struct arena *a,
	  struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (env[i].kind != ENV_TEXT &&
		    secret_read(root, env[i].kind == ENV_FROM_ENV ? env[i].ref : NULL,
				env[i].ref, a, err) == NULL)
			return -1;
	return 0;
}

/**
 * env_secrets_check(g, selected, root, err):
 * See that every secret of the selected tasks can be read and masked, before anything
 * starts.  Return 0 or -1.
 */
int
env_secrets_check(const struct dag *g, const bool *selected, const char *root,
		  struct err *err)
{
	struct arena *a = arena_new(0);
	size_t i;
	int rc;

	if (a == NULL)
		return err_nomem(err);
	rc = check_env(g->env, g->nenv, root, a, err);
	for (i = 0; rc == 0 && i < g->ntasks; i++)
		if (selected == NULL || selected[i])
			rc = check_env(g->tasks[i].env, g->tasks[i].nenv, root, a, err);
	arena_free(a);
	return rc;
}

static int
add_secrets(struct srun *r, const struct dag_env *env, size_t n, struct arena *a,
	    struct shim_secret *out, size_t *nout, struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const char *s;

		if (env[i].kind == ENV_TEXT)
			continue;
		s = secret_read(r->s->p->root,
				env[i].kind == ENV_FROM_ENV ? env[i].ref : NULL,
				env[i].ref, a, err);
		if (s == NULL)
			return -1;
		out[(*nout)++] = (struct shim_secret){.p = s, .n = strlen(s)};
	}
	return 0;
}

static int
secrets_of(struct srun *r, const struct dag_task *t, struct arena *a,
	   struct shim_secret **out, size_t *n, struct err *err)
{
	struct shim_secret *v = arena_array(a, r->dag->nenv + t->nenv + 1, sizeof(*v));

	*n = 0;
	*out = v;
	if (v == NULL)
		return err_nomem(err);
	if (add_secrets(r, r->dag->env, r->dag->nenv, a, v, n, err) != 0)
		return -1;
	return add_secrets(r, t->env, t->nenv, a, v, n, err);
}

/**
 * env_mask(r, t, size, err):
 * The mask for what the task wrote outside its log (outputs), malloc'ed (free with
 * mask_free); NULL where the task has no secrets, or with ${err} set.
 */
struct mask *
env_mask(struct srun *r, const struct dag_task *t, size_t *size, struct err *err)
{
	struct arena *a = arena_new(0);
	struct shim_secret *v;
	struct mask *m = NULL;
	size_t n;

	if (a == NULL) {
		err_nomem(err);
		return NULL;
	}
	if (secrets_of(r, t, a, &v, &n, err) == 0 && n > 0)
		m = mask_new(v, n, size, err);
	arena_free(a);
	return m;
}

/* ---- environment ---- */

/* Names that the DAG uses as secrets anywhere: a task gets them only by naming them. */
static int
secret_names(const struct dag *g, struct map *names)
{
	size_t i, k;

	for (i = 0; i <= g->ntasks; i++) {
		struct dag_env *env = i < g->ntasks ? g->tasks[i].env : g->env;
		size_t n = i < g->ntasks ? g->tasks[i].nenv : g->nenv;

		for (k = 0; k < n; k++)
			if (env[k].kind == ENV_FROM_ENV &&
			    map_put(names, env[k].ref, &env[k]) < 0)
				return -1;
	}
	return 0;
}

/* What of our environment every task of the run gets. */
static int
inherit(struct srun *r)
{
	struct map names = {0};
	size_t n = 0;
	char **e;

	while (environ[n] != NULL)
		n++;
	r->inherited = arena_array(r->arena, n + 1, sizeof(*r->inherited));
	if (r->inherited == NULL || secret_names(r->dag, &names) != 0) {
		r->inherited = NULL;
		map_release(&names);
		return -1;
	}
	for (e = environ, n = 0; *e != NULL; e++) {
		size_t len = strcspn(*e, "=");

		if (len > 0 && (*e)[len] == '=' && strncmp(*e, "DAG_", 4) != 0 &&
		    !map_hasn(&names, *e, len))
			r->inherited[n++] = *e;
	}
	map_release(&names);
	return 0;
}

/* name=value under its name; later ones win. */
static int
put(struct map *m, struct arena *a, const char *name, const char *val)
{
	char *entry = arena_printf(a, "%s=%s", name, val);

	if (entry == NULL)
		return -1;
	return map_putn(m, entry, strlen(name), entry) < 0 ? -1 : 0;
}

static int
put_inherited(struct map *m, struct srun *r)
{
	const char **e;

	if (r->inherited == NULL && inherit(r) != 0)
		return -1;
	for (e = r->inherited; *e != NULL; e++)
		if (map_putn(m, *e, strcspn(*e, "="), (void *)(uintptr_t)*e) < 0)
			return -1;
	return 0;
}

/* Trace of the run, span of the attempt: both are random enough as they are. */
static int
put_trace(struct map *m, struct arena *a, struct srun *r, const struct attempt *at)
{
	char span[17];
	size_t i, n = 0;

	for (i = strlen(at->id); i > 0 && n < 16; i--)
		if (at->id[i - 1] != '-')
			span[15 - n++] = at->id[i - 1];
	span[n] = '\0';
	return put(m, a, "TRACEPARENT", arena_printf(a, "00-%s-%s-01", r->trace, span));
}

static int
put_ours(struct map *m, struct arena *a, struct srun *r, const struct dag_task *t,
	 const struct attempt *at, const char *dir)
{
	char number[16], date[TIMEFMT_MAX], start[TIMEFMT_MAX], end[TIMEFMT_MAX];
	const char *output = arena_printf(a, "%s/" ATTEMPT_OUTPUTS, dir);
	const char *events = arena_printf(a, "%s/" ATTEMPT_EVENTS, dir);

	if (output == NULL || events == NULL)
		return -1;
	(void)snprintf(number, sizeof(number), "%u", at->number);
	if (put(m, a, "DAG_RUN_ID", r->id) != 0 ||
	    put(m, a, "DAG_NAME", r->dag->name) != 0 ||
	    put(m, a, "DAG_TASK", t->name) != 0 ||
	    put(m, a, "DAG_MAP_INDEX", "-1") != 0 ||
	    put(m, a, "DAG_ATTEMPT", number) != 0 ||
	    put(m, a, "DAG_ATTEMPT_ID", at->id) != 0 ||
	    put(m, a, "DAG_LOGICAL_DATE", time_rfc3339(date, r->values.logical_us)) !=
		0 ||
	    put(m, a, "DAG_INTERVAL_START",
		time_rfc3339(start, r->values.interval_start_us)) != 0 ||
	    put(m, a, "DAG_INTERVAL_END", time_rfc3339(end, r->values.interval_end_us)) !=
		0 ||
	    put(m, a, "DAG_OUTPUT", output) != 0 || put(m, a, "DAG_EVENTS", events) != 0)
		return -1;
	return put_trace(m, a, r, at);
}

static int
put_own(struct map *m, struct arena *a, struct srun *r, const struct render_task *t,
	struct err *err)
{
	size_t i;

	for (i = 0; i < t->nenv; i++) {
		const struct render_env *e = &t->env[i];
		const char *val = e->val;

		if (val == NULL)
			val = secret_read(r->s->p->root, e->secret_env, e->secret_file, a,
					  err);
		if (val == NULL)
			return -1;
		if (put(m, a, e->name, val) != 0)
			return err_nomem(err);
	}
	return 0;
}

/*
 * A file takes the place of -c (perl's and ruby's -e) and its text: of the words before the
 * text, drop that option, or its letter where it is the last of several (-ec).
 */
static int
drop_text_option(const char **v, size_t *n, struct arena *a)
{
	const char *last = v[*n - 1];
	size_t len = strlen(last);

	if (strcmp(last, "-c") == 0 || strcmp(last, "-e") == 0) {
		--*n;
	} else if (len > 2 && last[0] == '-' && last[1] != '-' && last[len - 1] == 'c') {
		v[*n - 1] = arena_strndup(a, last, len - 1);
		return v[*n - 1] != NULL ? 0 : -1;
	}
	return 0;
}

/* A script too long for an argument runs from a file in the attempt's directory. */
static int
script_file(const struct render_task *t, bool is_argv, const char *dir, struct arena *a,
	    const char ***argv, struct err *err)
{
	size_t n = 0;
	const char **v, *path;

	while (t->argv[n] != NULL)
		n++;
	*argv = t->argv;
	if (is_argv || n < 2 || strlen(t->argv[n - 1]) <= ATTEMPT_SCRIPT_INLINE)
		return 0;
	v = arena_array(a, n + 1, sizeof(*v));
	path = arena_printf(a, "%s/" ATTEMPT_SCRIPT, dir);
	if (v == NULL || path == NULL)
		return err_nomem(err);
	if (fsio_mkdirs(AT_FDCWD, dir, 0700, err) != 0 ||
	    fsio_replace(AT_FDCWD, path, t->argv[n - 1], strlen(t->argv[n - 1]), 0600,
			 err) != 0)
		return -1;
	memcpy(v, t->argv, --n * sizeof(*v));
	if (drop_text_option(v, &n, a) != 0)
		return err_nomem(err);
	v[n++] = path;
	v[n] = NULL;
	*argv = v;
	return 0;
}

/*
 * A verb of ours: "dag" gives way to the path of this program and the project that it is for.
 * Of the DAG_ variables, which no task inherits, it gets those that say where the state is.
 */
static int
own_verb(struct srun *r, struct arena *a, struct map *env, const char ***argv,
	 struct err *err)
{
#ifdef DAG_TEST_DOORS
	static const char *const kept[] = {"DAG_STATE", "DAG_LIBEXEC"};
#else
	static const char *const kept[] = {"DAG_STATE"};
#endif
	struct session *s = r->s;
	size_t n = 0;
	const char **v;

	if (s->program == NULL && (s->program = libexec_program(err)) == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (getenv(kept[i]) != NULL && put(env, a, kept[i], getenv(kept[i])) != 0)
			return err_nomem(err);
	while ((*argv)[n] != NULL)
		n++;
	if ((v = arena_array(a, n + 3, sizeof(*v))) == NULL)
		return err_nomem(err);
	v[0] = s->program;
	v[1] = "-C";
	v[2] = s->p->root;
	memcpy(v + 3, *argv + 1, n * sizeof(*v));
	*argv = v;
	return 0;
}

static const char *const *
flatten(const struct map *m, struct arena *a)
{
	const char **v = arena_array(a, m->n + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return NULL;
	map_foreach (m, e)
		v[n++] = e->val;
	return v;
}

/**
 * env_build(r, t, at, task, a, spec, err):
 * Fill ${spec} for the attempt ${at} of ${t}, rendered as ${task}, in arena ${a}.  Return 0
 * or -1.
 */
int
env_build(struct srun *r, const struct dag_task *t, const struct attempt *at,
	  const struct render_task *task, struct arena *a, struct shim_spec *spec,
	  struct err *err)
{
	const struct project *p = r->s->p;
	const char *dir = arena_printf(a, "%s/%s", p->state, at->dir), **argv;
	struct shim_secret *secrets;
	struct map env = {0};
	struct buf cwd;
	size_t nsecrets;
	int rc = -1;

	if (dir == NULL)
		return err_nomem(err);
	buf_init(&cwd, 0);
	path_join(&cwd, p->root, task->workdir);
	if (put_inherited(&env, r) != 0 || put_ours(&env, a, r, t, at, dir) != 0)
		err_nomem(err);
	else if (put_own(&env, a, r, task, err) == 0 &&
		 script_file(task, t->run_is_argv || t->nrun == 0, dir, a, &argv, err) ==
		     0 &&
		 (t->type->kind != TASK_VERB || own_verb(r, a, &env, &argv, err) == 0) &&
		 secrets_of(r, t, a, &secrets, &nsecrets, err) == 0)
		rc = 0;
	if (rc == 0) {
		*spec = (struct shim_spec){
		    .argv = argv,
		    .envp = flatten(&env, a),
		    .cwd = buf_failed(&cwd) ? NULL : arena_strdup(a, cwd.p),
		    .attempt_id = at->id,
		    .timeout_us = t->timeout_us,
		    .grace_us = t->grace_us,
		    .log_limit = SHIM_LOG_DEFAULT,
		    .leave_children = t->leave_children,
		    .with_owner = r->s->cfg.with_owner,
		    .memory = t->memory,
		    .secrets = secrets,
		    .nsecrets = nsecrets};
		if (spec->envp == NULL || spec->cwd == NULL)
			rc = err_nomem(err);
	}
	map_release(&env);
	buf_release(&cwd);
	return rc;
}
