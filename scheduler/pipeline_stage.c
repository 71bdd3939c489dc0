/*
 * From a stage of dvc.yaml to a task: what it runs and how, where, with which paths.
 *
 * Commands run as DVC runs them: each line, or each of a list, by a shell of its own, until one
 * fails.  The shell is the user's, told to read none of its files.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/yaml.h"
#include "scheduler/dag_load.h"
#include "scheduler/dag_paths.h"
#include "scheduler/pipeline_dag.h"
#include "scheduler/pipeline_int.h"
#include "tasks/schema/schema.h"

#define SHELL_OPTIONS 2

struct pipeline_place
pipeline_place_here(const char *root)
{
	struct pipeline_place p = {.root = root, .shell = getenv("SHELL")};

	/* Of a dvc that runs this one, it is that one's. */
	if (getenv("DVC_ROOT") != NULL)
		p.root = NULL;
	return p;
}

/* ---- commands ---- */

struct shell {
	const char *path;
	const char *options[SHELL_OPTIONS];
	size_t n;
};

static struct shell
shell_of(const struct pipeline_place *place)
{
	struct shell s = {.path = "/bin/sh"};
	const char *name;

	if (place->shell != NULL && *place->shell != '\0')
		s.path = place->shell;
	name = path_basename(s.path);
	if (strcasecmp(name, "bash") == 0) {
		s.options[s.n++] = "--noprofile";
		s.options[s.n++] = "--norc";
	} else if (strcasecmp(name, "zsh") == 0) {
		s.options[s.n++] = "--no-rcs";
	} else if (strcasecmp(name, "fish") == 0) {
		s.options[s.n++] = "--no-config";
	}
	return s;
}

/* The length of what ends a line at ${p}, as Python's str.splitlines has it; 0: nothing does. */
static size_t
line_end(const unsigned char *p)
{
	if (p[0] == '\r')
		return p[1] == '\n' ? 2 : 1;
	if ((p[0] >= '\n' && p[0] <= '\f') || (p[0] >= 0x1c && p[0] <= 0x1e))
		return 1;
	if (p[0] == 0xc2 && p[1] == 0x85)
		return 2;
	if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		return 3;
	return 0;
}

/* The commands of the stage, in the arena; NULL if memory runs out. */
static const char **
commands(struct arena *a, const struct dvc_yaml_stage *s, size_t *n)
{
	const char *p, *from, **v;
	size_t end, most = 1;

	if (s->cmd_list) {
		*n = s->ncmd;
		return s->cmd;
	}
	for (p = s->cmd[0]; *p != '\0'; p++)
		most += line_end((const unsigned char *)p) != 0;
	v = arena_array(a, most + 1, sizeof(*v));
	*n = 0;
	for (p = from = s->cmd[0]; v != NULL && *from != '\0';) {
		end = line_end((const unsigned char *)p);
		if (end == 0 && *p != '\0') {
			p++;
			continue;
		}
		if ((v[(*n)++] = arena_strndup(a, from, (size_t)(p - from))) == NULL)
			return NULL;
		from = p += end;
	}
	return v;
}

static void
push_word(struct dag_task *t, const char *word)
{
	t->run[t->nrun++] = (struct dag_text){.src = word, .len = strlen(word)};
}

/* Several commands: a small program for /bin/sh, whose name is the shell's and whose arguments they
 * are. */
static const char *
one_by_one(struct arena *a, const struct shell *sh)
{
	return arena_printf(a, "for c do \"$0\"%s%s%s%s -c \"$c\" || exit; done",
			    sh->n > 0 ? " " : "", sh->n > 0 ? sh->options[0] : "",
			    sh->n > 1 ? " " : "", sh->n > 1 ? sh->options[1] : "");
}

static int
put_command(struct pipeline_make *m, const struct dvc_yaml_stage *s, struct dag_task *t)
{
	struct shell sh = shell_of(m->place);
	const char **v, *path, *loop;
	size_t n;

	v = commands(m->arena, s, &n);
	t->run = arena_array(m->arena, n + 5, sizeof(*t->run));
	path = arena_strdup(m->arena, sh.path);
	loop = one_by_one(m->arena, &sh);
	if (v == NULL || t->run == NULL || path == NULL || loop == NULL)
		return err_nomem(m->err);
	t->run_is_argv = true;
	if (n == 1) {
		push_word(t, path);
		for (size_t i = 0; i < sh.n; i++)
			push_word(t, sh.options[i]);
		push_word(t, "-c");
	} else {
		push_word(t, "/bin/sh");
		push_word(t, "-c");
		push_word(t, loop);
		push_word(t, path);
	}
	for (size_t i = 0; i < n; i++)
		push_word(t, v[i]);
	return 0;
}

/* ---- names ---- */

static const char *
task_name(struct arena *a, const struct pipeline_stage *p)
{
	return strcmp(p->file, "dvc.yaml") == 0
		   ? p->stage.name
		   : arena_printf(a, "%s:%s", p->file, p->stage.name);
}

static int
put_env(struct pipeline_make *m, struct dag_task *t)
{
	const char *root = m->place->root;

	t->env = arena_array(m->arena, 2, sizeof(*t->env));
	if (t->env == NULL ||
	    (root != NULL && (root = arena_strdup(m->arena, root)) == NULL))
		return err_nomem(m->err);
	if (root != NULL)
		t->env[t->nenv++] = (struct dag_env){
		    .name = "DVC_ROOT", .val = {.src = root, .len = strlen(root)}};
	t->env[t->nenv++] = (struct dag_env){
	    .name = "DVC_STAGE", .val = {.src = t->name, .len = strlen(t->name)}};
	return 0;
}

/* ---- paths ---- */

/* The ${path} that is seen from ${dir}, seen from the root; "" of a URL; NULL without memory. */
static const char *
full_path(struct pipeline_make *m, const char *dir, const char *path)
{
	const char *root = m->place->root, *out = NULL, *p;
	size_t n = root != NULL ? strlen(root) : 0;
	struct buf joined, normal;

	if (strstr(path, "://") != NULL)
		return "";
	buf_init(&joined, 0);
	buf_init(&normal, 0);
	path_join(&joined, dir, path);
	if (!buf_failed(&joined))
		path_normalize(&normal, joined.p);
	if (!buf_failed(&joined) && !buf_failed(&normal)) {
		p = normal.p;
		if (n > 0 && strncmp(p, root, n) == 0 && p[n] == '/')
			p += n + 1;
		out = arena_strdup(m->arena, p);
	}
	buf_release(&normal);
	buf_release(&joined);
	if (out == NULL)
		(void)err_nomem(m->err);
	return out;
}

/* An input is a glob; a dependency is a name, whatever characters are in it. */
static const char *
plain_glob(struct arena *a, const char *path)
{
	const char *out = NULL;
	struct buf b;

	if (!path_has_glob(path))
		return path;
	buf_init(&b, 0);
	for (const char *p = path; *p != '\0'; p++) {
		if (strchr("*?[", *p) != NULL)
			buf_addf(&b, "[%c]", *p);
		else if (*p == '\\')
			buf_adds(&b, "\\\\");
		else
			buf_addc(&b, *p);
	}
	if (!buf_failed(&b))
		out = arena_strdup(a, b.p);
	buf_release(&b);
	return out;
}

static int
find_paths(struct pipeline_make *m, struct pipeline_stage *p)
{
	const struct dvc_yaml_stage *s = &p->stage;
	const char *dir = p->dag.dir, *path;

	p->ins = arena_array(m->arena, s->ndeps + s->nparams + 1, sizeof(*p->ins));
	p->outs = arena_array(m->arena, s->nouts + 1, sizeof(*p->outs));
	if (p->ins == NULL || p->outs == NULL)
		return err_nomem(m->err);
	for (size_t i = 0; i < s->ndeps + s->nparams; i++) {
		path = full_path(m, dir,
				 i < s->ndeps ? s->deps[i].path
					      : s->params[i - s->ndeps].file);
		if (path == NULL)
			return -1;
		if (*path != '\0')
			p->ins[p->nins++] = path;
	}
	for (size_t i = 0; i < s->nouts; i++) {
		if ((path = full_path(m, dir, s->outs[i].path)) == NULL)
			return -1;
		p->outs[i] = path_climbs(path) ? "" : path;
	}
	return 0;
}

/* What the engine locks, and looks for. */
static int
put_paths(struct pipeline_make *m, const struct pipeline_stage *p, struct dag_task *t)
{
	t->inputs = arena_array(m->arena, p->nins + 1, sizeof(*t->inputs));
	t->outputs = arena_array(m->arena, p->stage.nouts + 1, sizeof(*t->outputs));
	if (t->inputs == NULL || t->outputs == NULL)
		return err_nomem(m->err);
	for (size_t i = 0; i < p->nins; i++) {
		const char *glob = plain_glob(m->arena, p->ins[i]);

		if (glob == NULL)
			return err_nomem(m->err);
		t->inputs[t->ninputs++] =
		    (struct dag_text){.src = glob, .len = strlen(glob)};
	}
	for (size_t i = 0; i < p->stage.nouts; i++)
		if (*p->outs[i] != '\0')
			t->outputs[t->noutputs++] = (struct dag_text){
			    .src = p->outs[i], .len = strlen(p->outs[i])};
	return 0;
}

/* Where it works, and where its lock lies. */
static int
put_places(struct pipeline_make *m, struct pipeline_stage *p, struct dag_task *t)
{
	size_t dir = (size_t)(path_basename(p->file) - p->file);
	const char *in = arena_strndup(m->arena, p->file, dir);

	p->dag.stage = &p->stage;
	p->dag.name = p->stage.name;
	p->dag.pipeline = true;
	p->dag.lock = arena_printf(m->arena, "%.*sdvc.lock", (int)dir, p->file);
	if (in == NULL || p->dag.lock == NULL)
		return err_nomem(m->err);
	p->dag.dir = full_path(m, in, p->stage.wdir != NULL ? p->stage.wdir : ".");
	if (p->dag.dir == NULL)
		return -1;
	t->workdir = (struct dag_text){.src = p->dag.dir, .len = strlen(p->dag.dir)};
	return find_paths(m, p) != 0 ? -1 : put_paths(m, p, t);
}

/* ---- meta: {dag: ...} ---- */

/* What it says is told at the stage: where in it, the words tell. */
static int
put_policy(struct pipeline_make *m, size_t i, struct dag_task *t)
{
	const struct pipeline_stage *p = &m->stages[i];
	struct diag *d = m->d != NULL ? m->d : diag_new();
	struct load L = {.arena = m->arena, .d = d, .name = p->file, .dag = m->dag};
	const struct yaml_node *meta, *policy = NULL;
	struct yaml_node *top;
	size_t before;
	int rc = 0;

	if (d == NULL)
		return err_nomem(m->err);
	before = diag_errors(d);
	if (m->sources != NULL) {
		meta = yaml_get(m->sources[i].stage->node, "meta");
		policy = meta != NULL ? yaml_get(meta, "dag") : NULL;
		L.file = pipeline_pos(m, i, 1, 1).file;
		L.text = m->sources[i].yaml->text;
	} else if (yaml_parse(m->arena, d, diag_file(d, p->file, NULL, 0), p->policy,
			      strlen(p->policy), &top) == 0) {
		policy = top;
	}
	if (policy != NULL)
		rc = load_policy(&L, t, policy);
	if (rc == 0 && diag_nomem(d))
		rc = err_nomem(m->err);
	else if (rc == 0 && m->sources == NULL && diag_errors(d) != before)
		rc = err_set(m->err, ERR_CORRUPT, "the `meta` of stage '%s' is no good",
			     p->stage.name);
	else if (rc != 0)
		rc = err_nomem(m->err);
	map_release(&L.fields);
	if (d != m->d)
		diag_free(d);
	return rc;
}

/* ---- all ---- */

static int
make_task(struct pipeline_make *m, size_t i)
{
	struct pipeline_stage *p = &m->stages[i];
	struct dag_task *t = &m->dag->tasks[i];

	*t = dag_usual;
	t->id = (uint32_t)i;
	t->type = schema_type("shell");
	t->stage = &p->dag;
	t->name = task_name(m->arena, p);
	if (t->name == NULL)
		return err_nomem(m->err);
	for (size_t k = 0; k < p->stage.nouts; k++)
		t->persist = t->persist || p->stage.outs[k].persist;
	if (put_command(m, &p->stage, t) != 0 || put_env(m, t) != 0 ||
	    put_places(m, p, t) != 0)
		return -1;
	return p->policy != NULL ? put_policy(m, i, t) : 0;
}

int
pipeline_tasks(struct pipeline_make *m)
{
	for (size_t i = 0; i < m->dag->ntasks; i++)
		if (make_task(m, i) != 0)
			return -1;
	return 0;
}

const struct pipeline_stage *
pipeline_stage_of(const struct dag_task *t)
{
	return (const struct pipeline_stage *)t->stage;
}
