#include "store/track/task_lock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "store/project.h"
#include "store/track/track.h"

#define SUFFIX ".dag.lock"

static const char *const extensions[TASK_LOCK_DAGS] = {".yaml", ".yml"};

/* ---- names ---- */

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && strcmp(name + n - k, suffix) == 0;
}

bool
task_lock_is(const char *path)
{
	return ends_with(path_basename(path), SUFFIX);
}

bool
task_lock_dag_is(const char *path)
{
	for (size_t i = 0; i < TASK_LOCK_DAGS; i++)
		if (ends_with(path_basename(path), extensions[i]))
			return true;
	return false;
}

void
task_lock_dag(const char *lock, size_t i, struct buf *b)
{
	buf_add(b, lock, strlen(lock) - strlen(SUFFIX));
	buf_adds(b, extensions[i]);
}

void
task_lock_beside(const char *dag, struct buf *b)
{
	const char *base = path_basename(dag);

	buf_add(b, dag, (size_t)(base - dag) + path_stem_len(base));
	buf_adds(b, SUFFIX);
}

/* ---- whose they are ---- */

/* 1, 0, or -1 if memory ran out. */
static int
has(const struct track *t, const char *dir, size_t n, const char *name)
{
	struct buf b;
	int is;

	buf_init(&b, 0);
	buf_add(&b, dir, n);
	buf_adds(&b, n > 0 ? "/" : "");
	buf_adds(&b, name);
	is = buf_failed(&b) ? -1 : faccessat(t->root_fd, b.p, F_OK, 0) == 0;
	buf_release(&b);
	return is;
}

/* The length of the directory that ${dir}, of ${n} bytes, lies in. */
static size_t
up(const char *dir, size_t n)
{
	while (n > 0 && dir[n - 1] != '/')
		n--;
	return n > 0 ? n - 1 : 0;
}

/* The project's root as it was found, or given by -C, as seen from ours; NULL: it is above. */
static const char *
project_below(const struct track *t)
{
	const char *root = t->project != NULL ? t->project->root : NULL;
	size_t n = strlen(t->root);

	if (root == NULL || !path_is_below(root, t->root))
		return NULL;
	return root + n + (root[n] == '/');
}

/* Find the nearest directory that has a project's state, of which ${n} bytes of ${dir} are the
 * path.  1; 0: there is none in here; or -1. */
static int
find_state(const struct track *t, const char *dir, size_t *n)
{
	const char *project = project_below(t);
	int is;

	for (*n = strcmp(dir, ".") == 0 ? 0 : strlen(dir);; *n = up(dir, *n)) {
		if (project != NULL && strlen(project) == *n &&
		    memcmp(project, dir, *n) == 0)
			return 1;
		is = has(t, dir, *n, ".dag");
		if (is != 0 || *n == 0)
			return is;
	}
}

/* Whether a directory above the root has a project's state.  1, 0 or -1. */
static int
is_inside(const char *root)
{
	size_t n = strlen(root);
	struct stat st;
	struct buf b;
	int is = 0;

	buf_init(&b, 0);
	while (n > 0 && is == 0) {
		n = up(root, n);
		buf_clear(&b);
		buf_add(&b, root, n);
		buf_adds(&b, "/.dag");
		if (buf_failed(&b))
			is = -1;
		else
			is = stat(b.p, &st) == 0 && S_ISDIR(st.st_mode);
	}
	buf_release(&b);
	return is;
}

/* Whether data of the project in the first ${n} bytes of ${dir} is in another repository. */
static int
is_apart(const struct track *t, const char *dir, size_t n)
{
	int is = 0;

	for (size_t k = n; k > 0 && is == 0; k = up(dir, k)) {
		is = has(t, dir, k, ".dvc");
		if (is == 0)
			is = has(t, dir, k, ".dag/config");
	}
	/* Without settings each project keeps its own. */
	if (is == 0 && n > 0 && !t->dvc) {
		is = has(t, "", 0, ".dag/config");
		is = is < 0 ? -1 : !is;
	}
	return is;
}

int
task_lock_base(const struct track *t, const char *dir, struct buf *base, struct err *err)
{
	size_t n;
	int is = find_state(t, dir, &n);

	if (is == 0) {
		/* Of a project that lies above, or in the root for want of one. */
		is = t->dvc ? is_inside(t->root) : 1;
		is = is < 0 ? -1 : !is;
		n = 0;
	}
	if (is == 1) {
		is = is_apart(t, dir, n);
		is = is < 0 ? -1 : !is;
	}
	if (is == 1) {
		buf_add(base, n > 0 ? dir : ".", n > 0 ? n : 1);
		is = buf_failed(base) ? -1 : 1;
	}
	return is < 0 ? err_nomem(err) : is;
}

/* ---- what DAG files say ---- */

static bool
is_true(const struct yaml_node *task, const struct yaml_node *defaults, const char *key,
	bool unsaid)
{
	const struct yaml_node *v = yaml_get(task, key);

	if (v == NULL && defaults != NULL)
		v = yaml_get(defaults, key);
	return v != NULL && v->kind == YAML_BOOL ? v->b : unsaid;
}

static int
take_output(struct task_outline *o, const char *task, const struct yaml_node *v,
	    struct task_says *says)
{
	struct buf b;
	char *key;
	int rc = 0;

	if (v->kind != YAML_STR || strstr(v->str, "{{") != NULL ||
	    strstr(v->str, "{%") != NULL || v->str[0] == '/') {
		says->any = true;
		return 0;
	}
	buf_init(&b, 0);
	buf_addf(&b, "%s\n", task);
	path_normalize(&b, v->str);
	key = buf_failed(&b) ? NULL : arena_strndup(o->arena, b.p, b.n);
	if (key == NULL || map_put(&o->outs, key, o) < 0)
		rc = -1;
	buf_release(&b);
	return rc;
}

static int
take_task(struct task_outline *o, const struct yaml_node *name,
	  const struct yaml_node *task, const struct yaml_node *defaults)
{
	const struct yaml_node *outs = yaml_get(task, "outputs");
	struct task_says *says;
	int rc = 0;

	if (outs == NULL || !is_true(task, defaults, "cache", true))
		return 0;
	says = arena_zalloc(o->arena, sizeof(*says));
	if (says == NULL)
		return -1;
	says->persist = is_true(task, defaults, "persist", false);
	says->frozen = is_true(task, NULL, "frozen", false);
	if (outs->kind != YAML_SEQ)
		rc = take_output(o, name->str, outs, says);
	for (size_t i = 0; outs->kind == YAML_SEQ && i < outs->seq.n && rc == 0; i++)
		rc = take_output(o, name->str, outs->seq.v[i], says);
	if (rc == 0 && map_put(&o->tasks, name->str, says) < 0)
		rc = -1;
	return rc;
}

int
task_outline_read(struct task_outline *o, const char *text, size_t len)
{
	const char *kept = arena_strndup(o->arena, text, len);
	struct diag *d = diag_new();
	const struct yaml_node *tasks = NULL, *defaults = NULL;
	struct yaml_node *top = NULL;
	int rc = 0, file = d != NULL ? diag_file(d, "DAG", NULL, 0) : -1;

	if (kept == NULL || file < 0) {
		diag_free(d);
		return -1;
	}
	/* Its mistakes are for those who run it. */
	if (yaml_parse(o->arena, d, file, kept, len, &top) >= 0) {
		tasks = yaml_get(top, "tasks");
		defaults = yaml_get(top, "defaults");
	} else if (diag_nomem(d)) {
		rc = -1;
	}
	diag_free(d);
	if (rc != 0 || tasks == NULL || tasks->kind != YAML_MAP)
		return rc;
	o->known = true;
	for (size_t i = 0; i < tasks->map.n && rc == 0; i++)
		rc = take_task(o, tasks->map.v[i].key, tasks->map.v[i].val, defaults);
	return rc;
}

void
task_outline_release(struct task_outline *o)
{
	map_release(&o->tasks);
	map_release(&o->outs);
}

int
task_outline_find(const struct task_outline *o, const char *task, const char *path,
		  struct task_says *says, struct err *err)
{
	const struct task_says *found = map_get(&o->tasks, task);
	struct buf b;
	int rc;

	*says = (struct task_says){0};
	if (!o->known)
		return 1;
	if (found == NULL)
		return 0;
	*says = *found;
	if (found->any)
		return 1;
	buf_init(&b, 0);
	buf_addf(&b, "%s\n", task);
	path_normalize(&b, path);
	rc = buf_failed(&b) ? err_nomem(err) : map_hasn(&o->outs, b.p, b.n);
	buf_release(&b);
	return rc;
}
