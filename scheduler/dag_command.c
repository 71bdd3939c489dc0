/*
 * What a task does: `run` and `shell` of type shell, `for` and `until` of type wait.
 */
#include <string.h>

#include "base/num.h"
#include "base/path.h"
#include "base/timefmt.h"
#include "scheduler/dag_load.h"

#define ARGV_MAX 10000 /* arguments of a `run` that is a list */

/* ---- run ---- */

static int
run_list(struct load *L, struct dag_task *t, const struct yaml_node *list)
{
	if (list->seq.n == 0 || list->seq.n > ARGV_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, list),
			 list->seq.n == 0 ? "`run` is an empty list"
					  : "`run` has more than %d arguments",
			 ARGV_MAX);
		if (list->seq.n == 0)
			diag_hint(L->d,
				  "write a program and its arguments: [echo, hello]");
		return 0;
	}
	t->run = arena_array(L->arena, list->seq.n, sizeof(*t->run));
	if (t->run == NULL)
		return load_nomem(L);
	for (size_t i = 0; i < list->seq.n; i++) {
		const struct yaml_node *n = list->seq.v[i];

		if (!load_is_scalar(n)) {
			diag_add(L->d, DIAG_ERROR, load_pos(L, n),
				 "an argument of `run` is a string, not %s",
				 yaml_kind_name(n->kind));
			if (load_is_null(n))
				diag_hint(L->d, "for an empty argument write \"\"");
			continue;
		}
		if (i == 0 && n->len == 0) {
			diag_add(L->d, DIAG_ERROR, load_pos(L, n),
				 "the program has no name");
			continue;
		}
		if (load_template(L, n, USE_TASK, t, &t->run[t->nrun++]) != 0)
			return -1;
	}
	t->run_is_argv = true;
	return 0;
}

int
load_run(struct load *L, struct dag_task *t, const struct key_spec *spec,
	 const struct yaml_pair *p)
{
	if (p->val->kind == YAML_SEQ)
		return run_list(L, t, p->val);
	if (!load_is_scalar(p->val)) {
		load_wrong_type(L, spec->name, schema_key_type_text(spec->type), p->val);
		if (p->val->kind == YAML_MAP)
			diag_hint(L->d, "quote the command, or put it below behind a |");
		return 0;
	}
	if (strspn(p->val->str, " \t\r\n") == p->val->len) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, p->val), "`run` has no command");
		diag_hint(L->d, "to do nothing, write true");
		return 0;
	}
	t->run = arena_array(L->arena, 1, sizeof(*t->run));
	if (t->run == NULL)
		return load_nomem(L);
	t->nrun = 1;
	return load_template(L, p->val, USE_TASK, t, &t->run[0]);
}

/* ---- shell ---- */

/* The words of a scalar, or the items of a list; NULL if there are none, said. */
static int
split_words(struct load *L, const struct yaml_node *n, const char ***out, size_t *count)
{
	const char *s = n->str;
	size_t words = 0, len;
	const char **v;

	v = arena_array(L->arena, n->len / 2 + 2, sizeof(*v));
	if (v == NULL)
		return load_nomem(L);
	for (s += strspn(s, " \t\r\n"); *s != '\0'; s += strspn(s, " \t\r\n")) {
		len = strcspn(s, " \t\r\n");
		v[words] = arena_strndup(L->arena, s, len);
		if (v[words++] == NULL)
			return load_nomem(L);
		s += len;
	}
	*out = v;
	*count = words;
	return 0;
}

static int
list_words(struct load *L, const struct yaml_node *n, const char ***out, size_t *count)
{
	const char **v = arena_array(L->arena, n->seq.n + 1, sizeof(*v));

	if (v == NULL)
		return load_nomem(L);
	for (size_t i = 0; i < n->seq.n; i++) {
		if (!load_is_scalar(n->seq.v[i]))
			load_wrong_type(L, "shell", "a list of strings", n->seq.v[i]);
		else
			v[(*count)++] = n->seq.v[i]->str;
	}
	*out = v;
	return 0;
}

/* Whether the program is a shell whose quoting the rule for values in `run` knows. */
static bool
is_posix_shell(const char *const *argv)
{
	static const char *const shells[] = {"sh", "bash", "dash", "ksh", "zsh"};
	const char *program = path_basename(argv[0]);

	if (strcmp(program, "env") == 0) {
		for (argv++;
		     *argv != NULL && (**argv == '-' || strchr(*argv, '=') != NULL);)
			argv++;
		program = *argv != NULL ? path_basename(*argv) : "";
	}
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shells[i], program) == 0)
			return true;
	return false;
}

int
load_shell(struct load *L, struct dag_task *t, const struct key_spec *spec,
	   const struct yaml_pair *p)
{
	const struct yaml_node *n = p->val;
	const char **v = NULL, **with;
	size_t count = 0;

	if (!load_is_scalar(n) && n->kind != YAML_SEQ) {
		load_wrong_type(L, spec->name, schema_key_type_text(spec->type), n);
		return 0;
	}
	if ((n->kind == YAML_SEQ ? list_words(L, n, &v, &count)
				 : split_words(L, n, &v, &count)) != 0)
		return -1;
	if (count == 0 || count > 100) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "`shell` %s",
			 count == 0 ? "names no program" : "has more than 100 words");
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (strstr(v[i], "{{") != NULL) {
			diag_add(L->d, DIAG_ERROR, load_pos(L, n),
				 "`shell` is no template");
			return 0;
		}
	}
	t->shell_is_posix = is_posix_shell(v);
	/* `shell: bash` alone would take the text of `run` for the name of a script. */
	if (count == 1 && t->shell_is_posix) {
		with = arena_array(L->arena, 4, sizeof(*with));
		if (with == NULL)
			return load_nomem(L);
		with[0] = v[0];
		with[1] = "-e";
		with[2] = "-c";
		v = with;
	}
	t->shell = v;
	return 0;
}

void
load_check_command(struct load *L, const struct dag_task *t)
{
	const struct yaml_node *shell = yaml_get(t->node, "shell");

	if (t->nrun == 0 && yaml_get(t->node, "run") == NULL &&
	    yaml_get(t->node, "type") != NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, t->name_node),
			 "task '%s' has no `run`", t->name);
		diag_hint(L->d, "give it a command: run: ./program");
	}
	if (t->run_is_argv && shell != NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, shell),
			 "`shell` has no effect: `run` is a list, which no shell reads");
		diag_hint(L->d, "remove it, or write `run` as text");
	}
	if (!t->run_is_argv && t->nrun == 1 && t->run[0].tpl != NULL &&
	    !t->shell_is_posix) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, t->run[0].node),
			 "templates in `run` need a shell whose quoting is known, and %s "
			 "is none of "
			 "sh, bash, dash, ksh, zsh",
			 path_basename(t->shell[0]));
		diag_hint(
		    L->d,
		    "pass the value by env: {NAME: \"{{ ... }}\"}, or write `run` as a "
		    "list");
	}
}

/* ---- wait ---- */

static int
load_wait(struct load *L, struct dag_task *t, const struct key_spec *spec,
	  const struct yaml_node *n, struct dag_text *out)
{
	bool duration = strcmp(spec->name, "for") == 0;
	int64_t us;
	int rc;

	if (!load_is_scalar(n) || n->kind == YAML_BOOL) {
		load_wrong_type(L, spec->name, duration ? "a duration" : "an instant", n);
		return 0;
	}
	if (load_template(L, n, USE_TASK, t, out) != 0)
		return -1;
	if (out->tpl != NULL || strstr(n->str, "{{") != NULL)
		return 0; /* known, or refused, when it is rendered */
	if (duration) {
		rc = num_duration(n->str, &us);
		if (rc < 0)
			load_no_duration(L, n);
		else if (rc > 0)
			load_long_duration(L, spec, n, NUM_DURATION_MAX);
	} else if (time_parse(n->str, &us) != 0) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "'%s' is no instant", n->str);
		diag_hint(L->d, "write it as 2026-11-22T06:00:00Z");
	}
	return 0;
}

int
load_wait_for(struct load *L, struct dag_task *t, const struct key_spec *spec,
	      const struct yaml_pair *p)
{
	return load_wait(L, t, spec, p->val, &t->wait_for);
}

int
load_wait_until(struct load *L, struct dag_task *t, const struct key_spec *spec,
		const struct yaml_pair *p)
{
	return load_wait(L, t, spec, p->val, &t->wait_until);
}

void
load_check_wait(struct load *L, const struct dag_task *t)
{
	const struct yaml_node *length = yaml_get(t->node, "for"),
			       *until = yaml_get(t->node, "until");

	if (length != NULL && until != NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, until),
			 "a task of type wait has `for` or `until`, not both");
		diag_add(L->d, DIAG_NOTE, load_pos(L, length), "the other one is here");
	} else if (length == NULL && until == NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, t->name_node),
			 "task '%s' has neither `for` nor `until`", t->name);
		diag_hint(L->d, "write for: 5m, or until: 2026-11-22T06:00:00Z");
	}
}
