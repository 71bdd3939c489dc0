/*
 * Paths of tasks: what may be an output, and the edges that follow from who reads what whom
 * makes.  Paths without templates are compared as they are; a path with templates only with
 * those of the same text (what they are when rendered is compared when a run is created).
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "scheduler/dag_load.h"
#include "scheduler/dag_paths.h"

struct paths {
	struct load *L;
	VEC(struct path_use) uses;
	struct map outputs; /* text of templated outputs -> struct path_use */
	struct buf normal;
};

static const struct dag_task *
task_of(const struct paths *p, const struct path_use *use)
{
	return &p->L->dag->tasks[use->task];
}

/* ---- what a path may be ---- */

/* What no path may be, template or not. */
static bool
check_any(struct load *L, const struct yaml_node *n)
{
	if (n->len == 0)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "a path cannot be empty");
	else if (n->len > PATH_BYTES_MAX)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the path has %zu bytes; at most %d", n->len, PATH_BYTES_MAX);
	else if (path_has_control(n->str))
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "a path cannot have line breaks or control characters");
	else if (*n->str == '~' && (n->str[1] == '/' || n->str[1] == '\0')) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "'~' is not your home here");
		diag_hint(L->d, "write the whole path");
	} else
		return true;
	return false;
}

/* Refuse an output that must not be deleted; ${path} is normalized. */
static bool
check_output(struct load *L, const struct yaml_node *n, const char *path)
{
	const char *tool = path_tool_dir(path);
	struct diag_pos pos = load_pos(L, n);

	if (*path == '/' || path_climbs(path)) {
		diag_add(L->d, DIAG_ERROR, pos,
			 "the output '%s' lies outside the project", n->str);
		diag_hint(
		    L->d,
		    "outputs are deleted before each attempt; make it inside, relative "
		    "to the project's root");
	} else if (strcmp(path, ".") == 0) {
		diag_add(L->d, DIAG_ERROR, pos, "the output '%s' is the project itself",
			 n->str);
		diag_hint(
		    L->d,
		    "outputs are deleted before each attempt; name a file or directory "
		    "in it");
	} else if (tool != NULL) {
		diag_add(L->d, DIAG_ERROR, pos,
			 "the output '%s' lies in %s, which is not yours", n->str, tool);
	} else if (L->root_rel != NULL && path_is_below(L->root_rel, path)) {
		diag_add(L->d, DIAG_ERROR, pos, "the output '%s' %s this DAG file",
			 n->str, strcmp(L->root_rel, path) == 0 ? "is" : "holds");
		diag_hint(
		    L->d,
		    "outputs are deleted before each attempt; choose another place");
	} else if (path_has_glob(path)) {
		diag_add(L->d, DIAG_ERROR, pos,
			 "an output names one file or directory, no glob");
		diag_hint(L->d, "name the directory that holds them");
	} else
		return true;
	return false;
}

/* Refuse a target of push or pull that can be none. */
static bool
check_target(struct load *L, const struct yaml_node *n, const char *path)
{
	struct diag_pos pos = load_pos(L, n);

	if (*path == '/' || path_climbs(path)) {
		diag_add(L->d, DIAG_ERROR, pos,
			 "the target '%s' lies outside the project", n->str);
		diag_hint(L->d, "targets are relative to the project's root");
	} else if (strcmp(path, ".") == 0) {
		diag_add(L->d, DIAG_ERROR, pos, "the target '%s' is the project itself",
			 n->str);
		diag_hint(L->d, "for all that is tracked leave `targets` out");
	} else if (path_tool_dir(path) != NULL) {
		diag_add(L->d, DIAG_ERROR, pos,
			 "the target '%s' lies in %s, where nothing is tracked", n->str,
			 path_tool_dir(path));
	} else if (path_has_glob(path)) {
		diag_add(L->d, DIAG_ERROR, pos, "a target names one path, no glob");
		diag_hint(L->d, "name the tracked directory that holds them");
	} else
		return true;
	return false;
}

/* The same for a template, as far as its fixed beginning tells. */
static void
check_template_output(struct load *L, const struct yaml_node *n)
{
	size_t fixed = strcspn(n->str, "{"), slash = fixed;
	char *head;

	if (*n->str == '/') {
		(void)check_output(L, n, "/");
		return;
	}
	while (slash > 0 && n->str[slash - 1] != '/')
		slash--;
	if (slash == 0)
		return;
	head = arena_strndup(L->arena, n->str, slash - 1);
	if (head == NULL) {
		(void)load_nomem(L);
		return;
	}
	if (strcmp(head, "..") == 0 || strncmp(head, "../", 3) == 0 ||
	    path_tool_dir(head) != NULL || path_has_glob(head))
		(void)check_output(L, n, head);
}

/* ---- uses ---- */

/* What a task has to do with one of its paths. */
enum role { ROLE_INPUT, ROLE_OUTPUT, ROLE_SENT, ROLE_BROUGHT };

static enum role
target_role(const struct dag_task *t)
{
	return dag_brings(t) ? ROLE_BROUGHT : ROLE_SENT;
}

static int
add_plain(struct paths *p, const struct dag_task *t, const struct dag_text *text,
	  enum role role)
{
	struct path_use use = {.task = t->id,
			       .output = role == ROLE_OUTPUT || role == ROLE_BROUGHT,
			       .shared = role == ROLE_BROUGHT,
			       .tag = text->node};
	struct load *L = p->L;

	if (strchr(text->src, '.') == NULL && strstr(text->src, "//") == NULL &&
	    text->src[text->len - 1] != '/')
		use.path = text->src;
	else {
		buf_clear(&p->normal);
		path_normalize(&p->normal, text->src);
		if (buf_failed(&p->normal))
			return load_nomem(L);
		use.path = arena_strndup(L->arena, p->normal.p, p->normal.n);
		if (use.path == NULL)
			return load_nomem(L);
	}
	if (role == ROLE_OUTPUT && !check_output(L, text->node, use.path))
		return 0;
	if ((role == ROLE_SENT || role == ROLE_BROUGHT) &&
	    (!check_target(L, text->node, use.path) ||
	     (use.path = dag_target_data(L->arena, use.path)) == NULL))
		return use.path == NULL ? load_nomem(L) : 0;
	return vec_push(&p->uses, use) != 0 ? load_nomem(L) : 0;
}

static void
say_claimed_twice(struct paths *p, const struct path_use *first,
		  const struct path_use *again)
{
	struct load *L = p->L;
	const struct yaml_node *n = again->tag;

	if (first->task == again->task)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 strcmp(first->path, again->path) == 0
			     ? "the output '%s' is named twice"
			     : "the output '%s' lies in another output of the same task",
			 n->str);
	else if (strcmp(first->path, again->path) == 0)
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the output '%s' is made by task '%s' too", n->str,
			 task_of(p, first)->name);
	else
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the output '%s' lies in '%s', which task '%s' makes", n->str,
			 first->path, task_of(p, first)->name);
	diag_add(L->d, DIAG_NOTE, load_pos(L, first->tag), "the other one is here");
}

static void
say_own_input(struct paths *p, const struct path_use *input,
	      const struct path_use *output)
{
	struct load *L = p->L;
	const struct yaml_node *n = input->tag;

	diag_add(L->d, DIAG_ERROR, load_pos(L, n),
		 "task '%s' would delete its own input '%s' before each attempt",
		 task_of(p, input)->name, n->str);
	diag_hint(L->d, "if it changes the file in place, give the task persist: true");
	diag_add(L->d, DIAG_NOTE, load_pos(L, output->tag), "it is an output here");
}

static int
add_edge(struct paths *p, const struct path_use *output, const struct path_use *input)
{
	struct load_edge e = {output->task, input->task, EDGE_PATH, input->tag};
	struct load *L = p->L;

	if (output->task == input->task) {
		if (!task_of(p, input)->persist && !output->shared)
			say_own_input(p, input, output);
		return 0;
	}
	if (L->edges.n >= DAG_EDGES_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, input->tag),
			 "there are more than %d edges", DAG_EDGES_MAX);
		diag_hint(L->d, "let one task gather what many make");
		return 1;
	}
	return vec_push(&L->edges, e) != 0 ? load_nomem(L) : 0;
}

/* ---- templates: equal texts ---- */

static int
claim_template(struct paths *p, const struct dag_task *t, const struct dag_text *text,
	       bool shared)
{
	struct path_use *use, *first = map_getn(&p->outputs, text->src, text->len);

	if (!shared)
		check_template_output(p->L, text->node);
	use = arena_zalloc(p->L->arena, sizeof(*use));
	if (use == NULL)
		return load_nomem(p->L);
	*use = (struct path_use){.path = text->src,
				 .task = t->id,
				 .output = true,
				 .shared = shared,
				 .tag = text->node};
	if (first != NULL && !first->shared && !shared) {
		say_claimed_twice(p, first, use);
		return 0;
	}
	if (first != NULL && shared)
		return 0;
	return map_putn(&p->outputs, text->src, text->len, use) < 0 ? load_nomem(p->L)
								    : 0;
}

static int
read_template(struct paths *p, const struct dag_task *t, const struct dag_text *text)
{
	const struct path_use *output = map_getn(&p->outputs, text->src, text->len),
			      input = {
				  .path = text->src, .task = t->id, .tag = text->node};

	return output == NULL ? 0 : add_edge(p, output, &input);
}

/* ---- all tasks ---- */

static int
add_outputs(struct paths *p, const struct dag_task *t)
{
	for (size_t i = 0; i < t->noutputs; i++) {
		const struct dag_text *text = &t->outputs[i];

		if (!check_any(p->L, text->node))
			continue;
		if ((text->tpl != NULL ? claim_template(p, t, text, false)
				       : add_plain(p, t, text, ROLE_OUTPUT)) != 0)
			return -1;
	}
	return 0;
}

/* What is pulled is there for who reads it; what is pushed may be made before. */
static int
add_targets(struct paths *p, const struct dag_task *t, enum role role)
{
	for (size_t i = 0; i < t->ntargets && target_role(t) == role; i++) {
		const struct dag_text *text = &t->targets[i];
		int rc;

		if (!check_any(p->L, text->node))
			continue;
		if (text->tpl == NULL)
			rc = add_plain(p, t, text, role);
		else if (role == ROLE_BROUGHT)
			rc = claim_template(p, t, text, true);
		else
			rc = read_template(p, t, text);
		if (rc != 0)
			return -1;
	}
	return 0;
}

static int
add_inputs(struct paths *p, const struct dag_task *t)
{
	for (size_t i = 0; i < t->ninputs; i++) {
		const struct dag_text *text = &t->inputs[i];

		if (!check_any(p->L, text->node))
			continue;
		if ((text->tpl != NULL ? read_template(p, t, text)
				       : add_plain(p, t, text, ROLE_INPUT)) != 0)
			return -1;
	}
	return 0;
}

static int
on_meet(void *ctx, const struct path_use *output, const struct path_use *input)
{
	return add_edge(ctx, output, input);
}

static int
on_clash(void *ctx, const struct path_use *a, const struct path_use *b)
{
	say_claimed_twice(ctx, a, b);
	return 0;
}

static int
sweep(struct paths *p)
{
	struct path_events events = {p, on_meet, on_clash};
	struct err err = {0};
	int rc = path_sweep(p->uses.v, p->uses.n, &events, &err);

	if (rc == 0 || p->L->nomem || rc > 0)
		return rc == 0 ? 0 : -1;
	if (err.code == ERR_NOMEM)
		return load_nomem(p->L);
	diag_add(p->L->d, DIAG_ERROR, load_file_pos(p->L), "%s", err.msg);
	diag_hint(p->L->d,
		  "begin globs with a fixed directory, or name directories instead");
	return -1;
}

int
load_path_edges(struct load *L)
{
	struct paths p = {.L = L};
	size_t i;
	int rc = 0;

	buf_init(&p.normal, 0);
	for (i = 0; i < L->dag->ntasks && rc == 0; i++)
		rc = add_outputs(&p, &L->dag->tasks[i]);
	for (i = 0; i < L->dag->ntasks && rc == 0; i++)
		rc = add_targets(&p, &L->dag->tasks[i], ROLE_BROUGHT);
	for (i = 0; i < L->dag->ntasks && rc == 0; i++)
		rc = add_inputs(&p, &L->dag->tasks[i]);
	for (i = 0; i < L->dag->ntasks && rc == 0; i++)
		rc = add_targets(&p, &L->dag->tasks[i], ROLE_SENT);
	if (rc == 0 && p.uses.n > 0)
		rc = sweep(&p);
	buf_release(&p.normal);
	vec_release(&p.uses);
	map_release(&p.outputs);
	return rc != 0 || L->nomem ? -1 : 0;
}
