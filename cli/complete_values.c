/*
 * Candidates out of the project: DAGs, runs, tasks, attempts, parameters.  What cannot be read
 * has none; nobody is told why.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/fsio.h"
#include "base/num.h"
#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/find.h"
#include "cli/place.h"
#include "cli/status.h"
#include "cli/table.h"
#include "store/project.h"

#define RUNS_MAX 50		   /* that are offered */
#define FILE_MAX ((size_t)1 << 20) /* larger ones take too long to read */

static const char *
verb_name(const struct complete *cp)
{
	return cp->verb != NULL ? cp->verb->name : "";
}

static bool
is_verb(const struct complete *cp, const char *name)
{
	return strcmp(verb_name(cp), name) == 0;
}

/* ---- DAGs ---- */

void
complete_dags(struct complete *cp)
{
	struct project p = {.root_fd = -1, .state_fd = -1};
	struct dag_files files = {0};
	struct err err = {0};
	size_t i;

	if (find_is_file(cp->cur) || project_find(NULL, cp->c->dir, false, &p, &err) != 0)
		return;
	(void)find_all(&p, &files, &err);
	for (i = 0; i < files.n; i++)
		complete_add(cp, files.v[i].name, files.v[i].rel);
	find_release(&files);
	project_release(&p);
}

/* ---- runs ---- */

/* Whether the verb has something to do with a run like that. */
static bool
is_of_use(const struct complete *cp, const char *status)
{
	if (is_verb(cp, "cancel"))
		return strcmp(status, "running") == 0 ||
		       strcmp(status, "interrupted") == 0;
	if (is_verb(cp, "resume"))
		return strcmp(status, "interrupted") == 0;
	return true;
}

/* "demo failed, 5m12s ago" */
static void
add_run(struct complete *cp, const struct meta_run *run, const char *value,
	const char *status)
{
	int64_t ago = clock_now().wall_us - run->created_us;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "%s %s, ", run->dag, status);
	num_put_duration(&b, ago > 0 ? ago : 0);
	buf_adds(&b, " ago");
	if (!buf_failed(&b))
		complete_add(cp, value, b.p);
	buf_release(&b);
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

void
complete_runs(struct complete *cp)
{
	struct meta_run_filter f = {.state = -1, .result = -1, .limit = RUNS_MAX};
	struct place pl;
	struct meta_run *runs;
	struct err err = {0};
	const char *status;
	bool first = true;
	size_t i, n;

	if (is_verb(cp, "cancel") || is_verb(cp, "resume"))
		f.state = RUN_RUNNING;
	if (place_open(cp->c, &pl, &err) == 0 && pl.meta != NULL &&
	    meta_runs(pl.meta, &f, pl.arena, &runs, &n, &err) == 0) {
		for (i = 0; i < n; i++) {
			status = status_of_run(pl.project, &runs[i]);
			if (!is_of_use(cp, status))
				continue;
			/* `last` is the latest of all, whatever its state. */
			if (first && f.state < 0)
				add_run(cp, &runs[i], "last", status);
			first = false;
			add_run(cp, &runs[i], text_short_id(runs[i].id), status);
			if (strlen(cp->cur) > 0 && begins(runs[i].id, cp->cur))
				add_run(cp, &runs[i], runs[i].id, status);
		}
	}
	place_close(&pl);
	/* A DAG's name is its latest run. */
	if (f.state < 0 && *cp->cur != '\0')
		complete_dags(cp);
}

/* ---- tasks ---- */

/* The file of the DAG that a word names, as a tree.  Mistakes in it are of no interest here. */
struct tree {
	struct arena *arena;
	struct diag *diag;
	struct buf text;
	struct yaml_node *root;
};

static char *
path_of(struct complete *cp, const char *word)
{
	struct project p = {.root_fd = -1, .state_fd = -1};
	struct err err = {0};
	char *path = NULL;

	if (find_is_file(word))
		return strdup(word);
	if (project_find(NULL, cp->c->dir, false, &p, &err) == 0)
		(void)find_named(&p, word, &path, &err);
	project_release(&p);
	return path;
}

static void
tree_open(struct complete *cp, struct tree *t)
{
	char *path = cp->nwords > 0 ? path_of(cp, cp->words[0]) : NULL;

	t->root = NULL;
	buf_init(&t->text, 0);
	t->arena = arena_new(0);
	t->diag = diag_new();
	if (path != NULL && t->arena != NULL && t->diag != NULL &&
	    fsio_read(AT_FDCWD, path, FILE_MAX, &t->text, NULL) == 0)
		(void)yaml_parse(t->arena, t->diag,
				 diag_file(t->diag, path, t->text.p, t->text.n),
				 t->text.p, t->text.n, &t->root);
	free(path);
}

static void
tree_close(struct tree *t)
{
	diag_free(t->diag);
	arena_free(t->arena);
	buf_release(&t->text);
}

/* Whether the verb's first word is a run. */
static bool
of_run(const struct complete *cp)
{
	return cp->verb != NULL && strstr(cp->verb->args, "RUN") != NULL;
}

static void
put_tasks_of_run(struct complete *cp)
{
	struct meta_run run;
	struct meta_task *tasks;
	struct err err = {0};
	struct place pl;
	size_t i, n;

	if (place_open(cp->c, &pl, &err) == 0 && cp->nwords > 0 &&
	    place_run(&pl, cp->words[0], &run, &err) == 0 &&
	    meta_tasks(pl.meta, run.id, pl.arena, &tasks, &n, &err) == 0)
		for (i = 0; i < n; i++)
			complete_add(cp, tasks[i].name,
				     status_of_task(tasks[i].state, tasks[i].result,
						    tasks[i].selected));
	place_close(&pl);
}

static const char *
text_under(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n != NULL && n->str != NULL ? n->str : "";
}

static void
put_tasks_of_dag(struct complete *cp)
{
	const struct yaml_node *tasks;
	struct tree t;
	size_t i;

	tree_open(cp, &t);
	tasks = yaml_get(t.root, "tasks");
	if (tasks != NULL && tasks->kind == YAML_MAP)
		for (i = 0; i < tasks->map.n; i++)
			complete_add(cp, tasks->map.v[i].key->str,
				     text_under(tasks->map.v[i].val, "description"));
	tree_close(&t);
}

void
complete_tasks(struct complete *cp)
{
	if (of_run(cp))
		put_tasks_of_run(cp);
	else
		put_tasks_of_dag(cp);
}

void
complete_attempts(struct complete *cp)
{
	struct meta_attempt *at;
	struct meta_run run;
	struct err err = {0};
	struct place pl;
	char number[16];
	size_t i, n;

	if (place_open(cp->c, &pl, &err) == 0 && cp->nwords > 1 &&
	    place_run(&pl, cp->words[0], &run, &err) == 0 &&
	    meta_attempts(pl.meta, run.id, pl.arena, &at, &n, &err) == 0) {
		for (i = 0; i < n; i++) {
			if (strcmp(at[i].task, cp->words[1]) != 0)
				continue;
			(void)snprintf(number, sizeof(number), "%u", at[i].number);
			complete_add(cp, number,
				     status_of_task(at[i].state, at[i].result, true));
		}
	}
	place_close(&pl);
}

/* Move the first ${n} bytes of what is to be completed to what is kept. */
static bool
keep(struct complete *cp, size_t n)
{
	struct buf b;
	char *text;

	buf_init(&b, 0);
	buf_adds(&b, cp->prefix != NULL ? cp->prefix : "");
	buf_add(&b, cp->cur, n);
	text = buf_steal(&b);
	buf_release(&b);
	if (text == NULL)
		return false;
	free(cp->prefix);
	cp->prefix = text;
	cp->cur += n;
	return true;
}

static void
put_tags(struct complete *cp)
{
	const struct yaml_node *tasks, *tags;
	char tag[128];
	struct tree t;
	size_t i, k;

	tree_open(cp, &t);
	tasks = yaml_get(t.root, "tasks");
	for (i = 0; tasks != NULL && tasks->kind == YAML_MAP && i < tasks->map.n; i++) {
		tags = yaml_get(tasks->map.v[i].val, "tags");
		if (tags == NULL || tags->kind != YAML_SEQ)
			continue;
		for (k = 0; k < tags->seq.n; k++) {
			if (tags->seq.v[k]->str == NULL)
				continue;
			(void)snprintf(tag, sizeof(tag), "tag:%s", tags->seq.v[k]->str);
			complete_add(cp, tag, tasks->map.v[i].key->str);
		}
	}
	tree_close(&t);
}

void
complete_selectors(struct complete *cp)
{
	size_t n = strlen(cp->cur);

	/* Behind the last of what joins selectors, "2+" and "@". */
	while (n > 0 && strchr(", &", cp->cur[n - 1]) == NULL)
		n--;
	n += strspn(cp->cur + n, "0123456789+@");
	if (n > 0 && !keep(cp, n))
		return;
	complete_tasks(cp);
	/* Tags are many lines for few who want them: once they are begun, or nothing else fits. */
	if (cp->n == 0 || *cp->cur == 't')
		put_tags(cp);
	if (cp->n > 0)
		buf_adds(&cp->c->out, ":nospace\n");
}

/* ---- parameters ---- */

static void
put_param_values(struct complete *cp, const struct yaml_node *param)
{
	const struct yaml_node *values = yaml_get(param, "enum"), *def;
	size_t i;

	def = param->kind == YAML_MAP ? yaml_get(param, "default") : param;
	for (i = 0; values != NULL && values->kind == YAML_SEQ && i < values->seq.n; i++)
		if (values->seq.v[i]->str != NULL)
			complete_add(cp, values->seq.v[i]->str, NULL);
	if (values != NULL)
		return;
	if (strcmp(text_under(param, "type"), "boolean") == 0 ||
	    (def != NULL && def->kind == YAML_BOOL)) {
		complete_add(cp, "true", NULL);
		complete_add(cp, "false", NULL);
	} else if (def != NULL && def->str != NULL) {
		complete_add(cp, def->str, "default");
	}
}

void
complete_params(struct complete *cp)
{
	size_t i, n = strcspn(cp->cur, "=");
	const struct yaml_node *params;
	struct yaml_pair *p;
	char name[256];
	struct tree t;

	tree_open(cp, &t);
	params = yaml_get(t.root, "params");
	for (i = 0; params != NULL && params->kind == YAML_MAP && i < params->map.n;
	     i++) {
		p = &params->map.v[i];
		if (cp->cur[n] == '\0') {
			(void)snprintf(name, sizeof(name), "%s=", p->key->str);
			complete_add(cp, name, text_under(p->val, "description"));
		} else if (strlen(p->key->str) == n &&
			   memcmp(p->key->str, cp->cur, n) == 0) {
			if (keep(cp, n + 1))
				put_param_values(cp, p->val);
			tree_close(&t);
			return;
		}
	}
	if (cp->n > 0)
		buf_adds(&cp->c->out, ":nospace\n");
	tree_close(&t);
}
