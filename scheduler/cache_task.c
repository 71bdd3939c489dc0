#include "scheduler/cache_task.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/path.h"
#include "base/timefmt.h"
#include "base/yaml.h"
#include "scheduler/dag.h"
#include "scheduler/glob.h"
#include "scheduler/render.h"
#include "store/dvc/dvc_lock.h"
#include "store/pipeline/value.h"
#include "store/track/stage_glob.h"

/* The parts of `params`, while they are made. */
struct making {
	struct arena *a;
	const struct run_values *v;
	const struct dag_task *t;
	struct render_task task;
	struct map params; /* names of those it depends on */
	bool nomem;
};

/* ---- mappings ---- */

static int
by_key(const void *a, const void *b)
{
	const struct yaml_pair *x = a, *y = b;

	return strcmp(x->key->str, y->key->str);
}

static int
member(struct arena *a, struct yaml_node *map, const char *key, struct yaml_node *val)
{
	struct yaml_pair *p = &map->map.v[map->map.n];

	p->key = value_str(a, key, strlen(key), NULL);
	p->val = val;
	if (p->key == NULL || p->val == NULL)
		return -1;
	map->map.n++;
	return 0;
}

static int
text_member(struct arena *a, struct yaml_node *map, const char *key, const char *text)
{
	return member(a, map, key, value_str(a, text, strlen(text), NULL));
}

/* A mapping with room for ${n} members. */
static struct yaml_node *
room(struct arena *a, size_t n)
{
	struct yaml_node *map = value_map(a, n, NULL);

	if (map != NULL)
		map->map.n = 0;
	return map;
}

/* ---- params ---- */

static void
note_ref(void *ctx, const struct jinja_ref *ref)
{
	struct making *m = ctx;
	const char *name;

	if (ref->npath < 1 || strcmp(ref->path[0], "params") != 0)
		return;
	/* All of them, where which one is known only when it is rendered. */
	for (size_t i = 0; i < m->v->dag->nparams; i++) {
		name = m->v->dag->params[i].name;
		if ((ref->npath < 2 || strcmp(ref->path[1], name) == 0) &&
		    map_put(&m->params, name, NULL) < 0)
			m->nomem = true;
	}
}

static void
note_texts(struct making *m, const struct dag_text *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].tpl != NULL)
			jinja_refs(v[i].tpl, note_ref, m);
}

static int
find_params(struct making *m)
{
	const struct dag_task *t = m->t;

	for (size_t i = 0; i < t->nparams; i++)
		if (map_put(&m->params, t->params[i], NULL) < 0)
			return -1;
	note_texts(m, t->run, t->nrun);
	note_texts(m, t->inputs, t->ninputs);
	note_texts(m, t->outputs, t->noutputs);
	note_texts(m, t->code, t->ncode);
	note_texts(m, &t->workdir, 1);
	for (size_t i = 0; i < t->nenv; i++)
		note_texts(m, &t->env[i].val, t->env[i].kind == ENV_TEXT);
	return m->nomem ? -1 : 0;
}

/* A value as a lock has it: through its text, which says all of it. */
static struct yaml_node *
param_value(struct arena *a, struct jinja_val v)
{
	struct yaml_node *out = NULL;
	struct diag *d;
	struct buf b;
	char *text;

	if (v.kind == JINJA_STR)
		return value_str(a, v.s.p, v.s.n, NULL);
	buf_init(&b, 0);
	jinja_put_json(&b, v);
	text = buf_failed(&b) ? NULL : arena_strndup(a, b.p, b.n);
	d = text != NULL ? diag_new() : NULL;
	if (d != NULL &&
	    (yaml_parse(a, d, diag_file(d, "params", text, b.n), text, b.n, &out) != 0 ||
	     value_settle(a, out, NULL, 0) != 0))
		out = NULL;
	diag_free(d);
	buf_release(&b);
	return out;
}

static struct yaml_node *
params_map(struct making *m)
{
	struct yaml_node *map = room(m->a, m->params.n);
	size_t i, n = jinja_dict_len(m->v->params);
	const char *key;

	for (i = 0; map != NULL && i < n; i++) {
		struct jinja_val v = jinja_dict_val(m->v->params, i, &key);

		if (map_hasn(&m->params, key, strlen(key)) &&
		    member(m->a, map, key, param_value(m->a, v)) != 0)
			return NULL;
	}
	return map;
}

/* ---- env ---- */

/* What every attempt is told of its run (docs/task-protocol.md), as far as that is another for
 * another run whose task is the same: it counts where the command names it. */
static const char *const told[] = {"DAG_INTERVAL_END", "DAG_INTERVAL_START",
				   "DAG_LOGICAL_DATE", "DAG_NAME", "DAG_TASK"};
#define TOLD (sizeof(told) / sizeof(told[0]))

static const char *
told_value(const struct making *m, size_t i, char date[TIMEFMT_MAX])
{
	switch (i) {
	case 0:
		return time_rfc3339(date, m->v->interval_end_us);
	case 1:
		return time_rfc3339(date, m->v->interval_start_us);
	case 2:
		return time_rfc3339(date, m->v->logical_us);
	case 3:
		return m->v->dag->name;
	default:
		return m->t->name;
	}
}

static bool
is_named(const struct making *m, const char *name)
{
	for (const char **p = m->task.argv; p != NULL && *p != NULL; p++)
		if (strstr(*p, name) != NULL)
			return true;
	return false;
}

static int
env_member(struct making *m, struct yaml_node *map, const char *name, const char *val)
{
	char hex[HASH_HEX_MAX];

	return hash_bytes(HASH_SHA256, val, strlen(val), hex) == 0
		   ? text_member(m->a, map, name, hex)
		   : -1;
}

static int
env_own(struct making *m, struct yaml_node *map, const struct render_env *e)
{
	const char *text = NULL;

	if (e->secret_env == NULL && e->secret_file == NULL)
		return env_member(m, map, e->name, e->val);
	text = e->secret_env != NULL ? arena_printf(m->a, "${env:%s}", e->secret_env)
				     : arena_printf(m->a, "${file:%s}", e->secret_file);
	return text != NULL ? text_member(m->a, map, e->name, text) : -1;
}

static struct yaml_node *
env_map(struct making *m)
{
	struct yaml_node *map = room(m->a, m->task.nenv + TOLD);
	char date[TIMEFMT_MAX];

	for (size_t i = 0; map != NULL && i < m->task.nenv; i++)
		if (env_own(m, map, &m->task.env[i]) != 0)
			return NULL;
	for (size_t i = 0; map != NULL && i < TOLD; i++)
		if (is_named(m, told[i]) &&
		    env_member(m, map, told[i], told_value(m, i, date)) != 0)
			return NULL;
	return map;
}

/* ---- the rest of it ---- */

/* Words as a shell would have to be told. */
static const char *
words(struct arena *a, const char *const *v, size_t n)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:@%+=,-";
	const char *out, *p;
	struct buf b;

	buf_init(&b, 0);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&b, ' ');
		if (*v[i] != '\0' && v[i][strspn(v[i], plain)] == '\0') {
			buf_adds(&b, v[i]);
			continue;
		}
		buf_addc(&b, '\'');
		for (p = v[i]; *p != '\0'; p++) {
			if (*p == '\'')
				buf_adds(&b, "'\\''");
			else
				buf_addc(&b, *p);
		}
		buf_addc(&b, '\'');
	}
	out = buf_failed(&b) ? NULL : arena_strndup(a, b.n > 0 ? b.p : "", b.n);
	buf_release(&b);
	return out;
}

static size_t
count(const char *const *v)
{
	size_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	return n;
}

static struct yaml_node *
task_map(struct making *m)
{
	struct yaml_node *map = room(m->a, 3);
	const char *shell = NULL;

	if (map == NULL)
		return NULL;
	if (m->t->run_is_argv && text_member(m->a, map, "run", "list") != 0)
		return NULL;
	if (!m->t->run_is_argv && m->t->shell != NULL) {
		const char *const *v = (const char *const *)m->t->shell;

		shell = words(m->a, v, count(v));
		if (shell == NULL || text_member(m->a, map, "shell", shell) != 0)
			return NULL;
	}
	if (strcmp(m->task.workdir, ".") != 0 &&
	    text_member(m->a, map, "workdir", m->task.workdir) != 0)
		return NULL;
	return map;
}

static int
make_extra(struct making *m, const struct yaml_node **out)
{
	static const char *const keys[] = {":env", ":params", ":task"};
	struct yaml_node *maps[3], *map = room(m->a, 3);

	maps[0] = env_map(m);
	maps[1] = find_params(m) == 0 ? params_map(m) : NULL;
	maps[2] = task_map(m);
	for (size_t i = 0; i < 3; i++) {
		if (map == NULL || maps[i] == NULL)
			return -1;
		if (maps[i]->map.n == 0)
			continue;
		qsort(maps[i]->map.v, maps[i]->map.n, sizeof(*maps[i]->map.v), by_key);
		if (member(m->a, map, keys[i], maps[i]) != 0)
			return -1;
	}
	*out = map->map.n > 0 ? map : NULL;
	return 0;
}

static int
make_cmd(struct making *m, struct dvc_yaml_stage *s)
{
	const char *const *argv = (const char *const *)m->task.argv;
	size_t n = count(argv);

	s->cmd = arena_array(m->a, 1, sizeof(*s->cmd));
	if (s->cmd == NULL)
		return -1;
	s->cmd[0] = m->t->run_is_argv || n == 0 ? words(m->a, argv, n) : argv[n - 1];
	s->ncmd = 1;
	return s->cmd[0] != NULL ? 0 : -1;
}

/* ---- paths ---- */

/* Of what is changed in place nobody can tell what it was when the next run asks. */
static bool
is_own(const struct dag_task *t, const struct render_paths *p, const char *path)
{
	for (size_t i = 0; t->persist && i < p->noutputs; i++)
		if (path_overlap(p->outputs[i], path))
			return true;
	return false;
}

static int
make_paths(const struct dag_task *t, const struct render_paths *p, struct arena *a,
	   struct cache_task *out)
{
	struct dvc_yaml_stage *s = &out->stage;

	out->paths = arena_array(a, p->ninputs + p->ncode + 1, sizeof(*out->paths));
	s->outs = arena_array(a, p->noutputs + 1, sizeof(*s->outs));
	if (out->paths == NULL || s->outs == NULL)
		return -1;
	for (size_t i = 0; i < p->ninputs; i++)
		if (!is_own(t, p, p->inputs[i]))
			out->paths[out->npaths++] = p->inputs[i];
	for (size_t i = 0; i < p->ncode; i++)
		if (!is_own(t, p, p->code[i]))
			out->paths[out->npaths++] = p->code[i];
	for (size_t i = 0; i < p->noutputs; i++)
		s->outs[s->nouts++] = (struct dvc_yaml_out){.path = p->outputs[i],
							    .cache = true,
							    .persist = t->persist,
							    .push = true};
	return 0;
}

int
cache_task_make(const struct run_values *v, const struct dag_task *t,
		const struct render_paths *paths, struct arena *a, struct cache_task *out,
		struct err *err)
{
	struct making m = {.a = a, .v = v, .t = t};
	int rc;

	*out = (struct cache_task){.stage = {.name = t->name, .frozen = t->frozen}};
	if (render_task(v, t, a, &m.task, err) != 0)
		return -1;
	rc = make_cmd(&m, &out->stage) != 0 || make_paths(t, paths, a, out) != 0 ||
		     make_extra(&m, &out->extra) != 0
		 ? err_nomem(err)
		 : 0;
	map_release(&m.params);
	return rc;
}

/* ---- what is there ---- */

struct expanding {
	int root_fd;
	const bool *stop;
	struct arena *a;
	const struct dvc_lock_stage *locked;
	struct glob_paths all;
	struct map whole; /* globs that are one dependency */
};

static bool
is_locked(const struct dvc_lock_stage *locked, const char *path)
{
	for (size_t i = 0; locked != NULL && i < locked->ndeps; i++)
		if (locked->deps[i].path != NULL &&
		    strcmp(locked->deps[i].path, path) == 0)
			return true;
	return false;
}

/* Whether all that the glob stands for lies in a directory that is known by name: one that a link
 * leads to is looked at path by path. */
static bool
is_one(int root_fd, const char *pattern)
{
	size_t n = stage_glob_base(pattern);
	char base[PATH_MAX];
	int fd, sys;

	if (n == 0 || n >= sizeof(base))
		return false;
	memcpy(base, pattern, n);
	base[n] = '\0';
	fd = fsio_open_nolinks(root_fd, base, O_RDONLY | O_DIRECTORY);
	sys = errno;
	if (fd != -1)
		(void)close(fd);
	return fd != -1 || sys != ELOOP;
}

static int
expand_glob(struct expanding *x, const char *pattern, struct err *err)
{
	bool possible = is_one(x->root_fd, pattern),
	     many = possible && is_locked(x->locked, pattern);

	if (!many && glob_expand(x->root_fd, pattern, x->stop, x->a, &x->all,
				 possible ? &many : NULL, err) != 0)
		return -1;
	if (!many)
		return 0;
	return map_put(&x->whole, pattern, NULL) < 0 || vec_push(&x->all.v, pattern) != 0
		   ? err_nomem(err)
		   : 0;
}

static int
expand_all(struct expanding *x, const struct cache_task *t, struct err *err)
{
	for (size_t i = 0; i < t->npaths; i++) {
		if (path_has_glob(t->paths[i])) {
			if (expand_glob(x, t->paths[i], err) != 0)
				return -1;
		} else if (vec_push(&x->all.v, t->paths[i]) != 0) {
			return err_nomem(err);
		}
	}
	return 0;
}

int
cache_task_deps(int root_fd, const bool *stop, struct arena *a,
		const struct dvc_lock_stage *locked, struct cache_task *t,
		struct err *err)
{
	struct expanding x = {.root_fd = root_fd, .stop = stop, .a = a, .locked = locked};
	struct map seen = {0};
	int rc = expand_all(&x, t, err), was;

	t->stage.ndeps = 0;
	t->stage.deps = arena_array(a, x.all.v.n + 1, sizeof(*t->stage.deps));
	if (rc == 0 && t->stage.deps == NULL)
		rc = err_nomem(err);
	for (size_t i = 0; i < x.all.v.n && rc == 0; i++) {
		const char *path = x.all.v.v[i];

		was = map_put(&seen, path, NULL);
		if (was < 0)
			rc = err_nomem(err);
		else if (was == 0)
			t->stage.deps[t->stage.ndeps++] = (struct dvc_yaml_dep){
			    .path = path, .glob = map_hasn(&x.whole, path, strlen(path))};
	}
	map_release(&seen);
	map_release(&x.whole);
	vec_release(&x.all.v);
	return rc;
}
