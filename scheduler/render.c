#include "scheduler/render.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/num.h"
#include "base/path.h"
#include "base/timefmt.h"
#include "base/yaml.h"
#include "scheduler/render_int.h"
#include "scheduler/shell_hook.h"
#include "scheduler/show_value.h"
#include "tasks/schema/schema.h"

/*
 * Texts of a task, rendered, and what is made of them.  A failure leaves its place in the
 * struct render; the public functions put it before the message, render_check.c hands it to
 * the diagnostics.
 */

void
render_init(struct render *r, const struct run_values *v, const struct dag_task *t,
	    struct arena *a)
{
	memset(r, 0, sizeof(*r));
	r->v = v;
	r->t = t;
	r->a = a;
}

/* ---- texts ---- */

static const char *
kind_phrase(enum jinja_kind kind)
{
	return kind == JINJA_LIST ? "a list" : "a mapping";
}

/* Where no language has a rule of its own a value is text; what has no good text is refused,
 * as are filters of languages that are not spoken here. */
static int
text_emit(const struct render *r, const struct jinja_emit *e, struct buf *out,
	  struct err *err)
{
	enum jinja_kind k = e->val.kind;

	if (e->filter != NULL && strcmp(e->filter, "sh") == 0)
		return err_set(
		    err, ERR_INVALID,
		    "| sh is for the text of a shell; here the value is taken as "
		    "it is and needs no quotes");
	if (e->filter != NULL && strcmp(e->filter, "ident") == 0)
		return err_set(err, ERR_INVALID, "| ident is for SQL");
	if (k == JINJA_LIST || k == JINJA_DICT || k == JINJA_HOST)
		return err_set(err, ERR_INVALID,
			       "the value is %s, not a text; write it as one: "
			       "{{ ... | join(',') }} or {{ ... | tojson }}",
			       kind_phrase(k));
	if (k == JINJA_NONE && r->use == RENDER_PATH)
		return err_set(err, ERR_INVALID,
			       "the value is None, which is no part of a path; give it a "
			       "default: {{ ... | default('x', true) }}");
	jinja_put(out, e->val);
	return 0;
}

static int
emit(void *ctx, const struct jinja_emit *e, struct buf *out, struct err *err)
{
	struct render *r = ctx;

	return r->shell != NULL ? shell_hook_emit(r->shell, e, out, err)
				: text_emit(r, e, out, err);
}

static int
done(void *ctx, const struct buf *out, struct err *err)
{
	struct render *r = ctx;

	return r->shell != NULL ? shell_hook_done(r->shell, out, err) : 0;
}

static struct jinja_ctx
context(struct render *r)
{
	return (struct jinja_ctx){.arena = r->a,
				  .ctx = r,
				  .lookup = render_lookup,
				  .name = render_root,
				  .emit = emit,
				  .done = done,
				  .output_max = RENDER_TEXT_MAX};
}

static int
fail_at(struct render *r, const struct yaml_node *node, const char *key,
	struct jinja_where where)
{
	r->node = node;
	r->where = where;
	if (key != r->key_text)
		r->key = key;
	return -1;
}

/* Render a template into ${b}. */
static int
render_template(struct render *r, const struct dag_text *text, struct buf *b,
		struct jinja_where *where, struct err *err)
{
	struct jinja_ctx c = context(r);

	if (r->use == RENDER_SHELL) {
		if ((r->shell = shell_hook_new(r->a)) == NULL)
			return err_nomem(err);
		shell_hook_source(r->shell, text->src);
	}
	if (jinja_render(text->tpl, &c, b, where, err) != 0)
		return -1;
	if (memchr(b->p, '\0', b->n) != NULL)
		return err_set(err, ERR_INVALID, "the rendered text has a NUL byte");
	return 0;
}

int
render_text(struct render *r, const struct dag_text *text, const char *key,
	    enum render_use use, const char **out, struct err *err)
{
	/* Values of `env` are rendered inside of other texts. */
	struct shell_hook *shell = r->shell;
	enum render_use outer = r->use;
	struct jinja_where where = {0, text->len};
	struct buf b;
	int rc;

	if (text->tpl == NULL) {
		*out = text->src;
		return 0;
	}
	buf_init(&b, RENDER_TEXT_MAX);
	r->use = use;
	r->shell = NULL;
	rc = render_template(r, text, &b, &where, err);
	r->use = outer;
	r->shell = shell;
	if (rc == 0 && (*out = arena_strndup(r->a, b.p, b.n)) == NULL)
		rc = err_nomem(err);
	buf_release(&b);
	return rc == 0 ? 0 : fail_at(r, text->node, key, where);
}

/* Refuse a whole text. */
static int
refuse(struct render *r, const struct dag_text *text, const char *key)
{
	return fail_at(r, text->node, key, (struct jinja_where){0, text->len});
}

/* ---- the environment ---- */

static struct env_value *
env_slot(struct render *r, const struct dag_env *e)
{
	const struct dag *g = r->v->dag;
	bool own = r->t->nenv > 0 && e >= r->t->env && e < r->t->env + r->t->nenv;

	if (r->env == NULL)
		r->env = arena_array(r->a, g->nenv + r->t->nenv + 1, sizeof(*r->env));
	if (r->env == NULL)
		return NULL;
	return &r->env[own ? g->nenv + (size_t)(e - r->t->env) : (size_t)(e - g->env)];
}

static int
check_env_size(struct render *r, const struct dag_env *e, const char *val,
	       struct err *err)
{
	size_t n = strlen(e->name) + strlen(val) + 2;

	if (n <= RENDER_ENV_MAX)
		return 0;
	(void)err_set(
	    err, ERR_LIMIT,
	    "the value of %s has %zu bytes; the kernel takes at most 128 KiB with "
	    "its name; put it into a file",
	    e->name, strlen(val));
	return refuse(r, &e->val, r->key);
}

/* The value of a variable that is no secret; rendered once, however often it is named. */
int
render_env_value(struct render *r, const struct dag_env *e, const char **out,
		 struct err *err)
{
	struct env_value *slot = env_slot(r, e);
	const struct dag_env *outer = r->in_env;
	int rc;

	if (slot == NULL)
		return err_nomem(err);
	if (slot->state == ENV_BUSY)
		return err_set(err, ERR_INVALID, "it refers to itself");
	if (slot->state == ENV_UNKNOWN) {
		if (r->env_depth == RENDER_ENV_DEPTH)
			return err_set(err, ERR_LIMIT,
				       "variables refer to each other over more than %d "
				       "steps",
				       RENDER_ENV_DEPTH);
		slot->state = ENV_BUSY;
		r->in_env = e;
		r->env_depth++;
		rc = render_text(r, &e->val, "env", RENDER_TEXT, &slot->val, err);
		r->env_depth--;
		r->in_env = outer;
		if (rc == 0)
			rc = check_env_size(r, e, slot->val, err);
		slot->state = rc == 0 ? ENV_KNOWN : ENV_UNKNOWN;
		if (rc != 0)
			return -1;
	}
	*out = slot->val;
	return 0;
}

static int
put_env(struct render *r, struct map *m, const struct dag_env *e, struct err *err)
{
	struct render_env *v = arena_zalloc(r->a, sizeof(*v));

	if (v == NULL)
		return err_nomem(err);
	v->name = e->name;
	if (e->kind == ENV_FROM_ENV)
		v->secret_env = e->ref;
	else if (e->kind == ENV_FROM_FILE)
		v->secret_file = e->ref;
	else if (render_env_value(r, e, &v->val, err) != 0) {
		(void)snprintf(r->key_text, sizeof(r->key_text), "env.%s", e->name);
		r->key = r->key_text;
		return -1;
	}
	return map_put(m, e->name, v) < 0 ? err_nomem(err) : 0;
}

/* Whether the task gives the variable another value. */
static bool
is_hidden(const struct dag_task *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->nenv; i++)
		if (strcmp(t->env[i].name, name) == 0)
			return true;
	return false;
}

int
render_environment(struct render *r, struct render_task *out, struct err *err)
{
	const struct dag *g = r->v->dag;
	struct map m = {0};
	size_t i;
	int rc = 0;

	for (i = 0; i < g->nenv && rc == 0; i++)
		if (!is_hidden(r->t, g->env[i].name))
			rc = put_env(r, &m, &g->env[i], err);
	for (i = 0; i < r->t->nenv && rc == 0; i++)
		rc = put_env(r, &m, &r->t->env[i], err);
	if (rc == 0) {
		out->env = arena_array(r->a, m.n + 1, sizeof(*out->env));
		if (out->env == NULL)
			rc = err_nomem(err);
	}
	if (rc == 0)
		map_foreach (&m, it)
			out->env[out->nenv++] = *(const struct render_env *)it->val;
	map_release(&m);
	return rc;
}

/* ---- what runs ---- */

static int
shell_argv(struct render *r, struct render_task *out, struct err *err)
{
	static const char *const sh[] = {"/bin/sh", "-e", "-c", NULL};
	const char *const *prefix =
	    r->t->shell != NULL ? (const char *const *)r->t->shell : sh;
	const struct dag_text *text = &r->t->run[0];
	size_t n = 0;

	if (r->t->shell != NULL && !r->t->shell_is_posix && text->tpl != NULL &&
	    !jinja_is_plain(text->tpl)) {
		(void)err_set(
		    err, ERR_INVALID,
		    "templates in `run` need a shell whose quotes are known (sh "
		    "bash dash ksh zsh), not '%s'; pass values by `env`",
		    r->t->shell[0]);
		return refuse(r, text, "run");
	}
	while (prefix[n] != NULL)
		n++;
	if ((out->argv = arena_array(r->a, n + 2, sizeof(*out->argv))) == NULL)
		return err_nomem(err);
	memcpy(out->argv, prefix, n * sizeof(*out->argv));
	return render_text(r, text, "run", RENDER_SHELL, &out->argv[n], err);
}

static int
list_argv(struct render *r, struct render_task *out, struct err *err)
{
	size_t i;

	out->argv = arena_array(r->a, r->t->nrun + 1, sizeof(*out->argv));
	if (out->argv == NULL)
		return err_nomem(err);
	for (i = 0; i < r->t->nrun; i++) {
		const struct dag_text *text = &r->t->run[i];

		if (render_text(r, text, "run", RENDER_TEXT, &out->argv[i], err) != 0)
			return -1;
		if (strlen(out->argv[i]) >= RENDER_ENV_MAX) {
			(void)err_set(err, ERR_LIMIT,
				      "the argument has %zu bytes; the kernel takes less "
				      "than 128 KiB; put it into a file",
				      strlen(out->argv[i]));
			return refuse(r, text, "run");
		}
	}
	if (out->argv[0][0] == '\0') {
		(void)err_set(err, ERR_INVALID, "the program's name is empty");
		return refuse(r, &r->t->run[0], "run");
	}
	return 0;
}

int
render_run(struct render *r, struct render_task *out, struct err *err)
{
	if (r->t->type->kind == TASK_VERB)
		return render_verb(r, out, err);
	if (r->t->nrun == 0)
		return 0;
	return r->t->run_is_argv ? list_argv(r, out, err) : shell_argv(r, out, err);
}

/* ---- waiting ---- */

static int
wait_value(struct render *r, const struct dag_text *text, const char *key,
	   struct jinja_val *v, struct err *err)
{
	struct jinja_where where = {0, text->len};
	struct jinja_ctx c = context(r);

	if (text->tpl == NULL) {
		*v = jinja_strn(text->src, text->len);
		return 0;
	}
	r->use = RENDER_TEXT;
	if (jinja_eval(text->tpl, &c, v, &where, err) != 0)
		return fail_at(r, text->node, key, where);
	return 0;
}

/* "cannot wait for 'x': ..." */
static int
bad_wait(struct render *r, const struct dag_text *text, const char *key,
	 struct jinja_val v, const char *want, struct err *err)
{
	struct buf raw, shown;

	buf_init(&raw, 0);
	buf_init(&shown, 0);
	jinja_put(&raw, v);
	show_value(&shown, raw.p, raw.n);
	(void)err_set(err, ERR_INVALID, "cannot wait %s %s: write %s", key, shown.p,
		      want);
	buf_release(&raw);
	buf_release(&shown);
	return refuse(r, text, key);
}

int
render_wait(struct render *r, struct render_task *out, struct err *err)
{
	const struct dag_text *text = &r->t->wait_for;
	struct jinja_val v;
	struct buf b;
	int rc;

	out->wait_us = out->wait_until_us = -1;
	if (text->src != NULL) {
		if (wait_value(r, text, "for", &v, err) != 0)
			return -1;
		buf_init(&b, 0);
		jinja_put(&b, v);
		rc = num_duration(b.p, &out->wait_us);
		buf_release(&b);
		if (rc != 0)
			return bad_wait(r, text, "for", v,
					rc > 0 ? "a duration of at most 36500d"
					       : "a duration such as 90s or 1h30m",
					err);
	}
	text = &r->t->wait_until;
	if (text->src != NULL) {
		if (wait_value(r, text, "until", &v, err) != 0)
			return -1;
		if (v.kind == JINJA_TIME)
			out->wait_until_us = v.i;
		else if (v.kind != JINJA_STR ||
			 time_parse(v.s.p, &out->wait_until_us) != 0)
			return bad_wait(r, text, "until", v,
					"an instant such as 2026-11-22T02:00:00Z", err);
	}
	return 0;
}

/* ---- paths ---- */

const char *
render_normalize(struct render *r, const char *path)
{
	const char *out = NULL;
	struct buf b;

	buf_init(&b, 0);
	path_normalize(&b, path);
	if (!buf_failed(&b))
		out = arena_strdup(r->a, b.p);
	buf_release(&b);
	return out;
}

int
render_workdir(struct render *r, struct render_task *out, struct err *err)
{
	const struct dag_text *text = &r->t->workdir;
	const char *path;

	out->workdir = ".";
	if (text->src == NULL)
		return 0;
	if (render_text(r, text, "workdir", RENDER_PATH, &path, err) != 0)
		return -1;
	if (*path == '\0') {
		(void)err_set(err, ERR_INVALID, "the path is empty");
		return refuse(r, text, "workdir");
	}
	out->workdir = render_normalize(r, path);
	return out->workdir != NULL ? 0 : err_nomem(err);
}

/* ---- conditions ---- */

/* Strings that people mean to be false and Jinja takes for true. */
static bool
looks_false(struct jinja_val v)
{
	static const char *const words[] = {"false", "0", "no", "off", "none", "null"};
	size_t i;

	for (i = 0; v.kind == JINJA_STR && i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(v.s.p, words[i]) == 0)
			return true;
	return false;
}

int
render_condition(struct render *r, bool *out, struct err *err)
{
	struct dag_text text = {.src = r->t->when_src, .node = r->t->when_node};
	struct jinja_ctx c = context(r);
	struct jinja_where where;
	struct jinja_val v;

	*out = true;
	if (r->t->when == NULL)
		return 0;
	text.len = text.src != NULL ? strlen(text.src) : 0;
	where = (struct jinja_where){0, text.len};
	r->use = RENDER_TEXT;
	if (jinja_eval(r->t->when, &c, &v, &where, err) != 0)
		return fail_at(r, text.node, "when", where);
	if (looks_false(v)) {
		(void)err_set(
		    err, ERR_INVALID,
		    "the condition is the text '%s', which counts as true; compare "
		    "it (x == 'true') or convert it (x | int)",
		    v.s.p);
		return refuse(r, &text, "when");
	}
	*out = jinja_truth(v);
	return 0;
}

/* ---- the public functions ---- */

/* Put the place of a failure before its message. */
static int
tell_where(const struct render *r, struct err *err)
{
	uint32_t line, col;

	if (err == NULL || err->code == ERR_NOMEM)
		return -1;
	if (r->node == NULL)
		return err_wrap(err, "task '%s'", r->t->name);
	yaml_where(r->v->dag->text, r->node, r->where.offset, &line, &col);
	return err_wrap(err, "%s:%u:%u: `%s` of task '%s'", r->v->dag->file,
			(unsigned)line, (unsigned)col, r->key, r->t->name);
}

int
render_paths(const struct run_values *v, const struct dag_task *t, struct arena *a,
	     struct render_paths *out, struct err *err)
{
	struct render r;

	render_init(&r, v, t, a);
	memset(out, 0, sizeof(*out));
	return render_inputs_outputs(&r, out, err) == 0 ? 0 : tell_where(&r, err);
}

int
render_when(const struct run_values *v, const struct dag_task *t, struct arena *a,
	    bool *out, struct err *err)
{
	struct render r;

	render_init(&r, v, t, a);
	return render_condition(&r, out, err) == 0 ? 0 : tell_where(&r, err);
}

int
render_task(const struct run_values *v, const struct dag_task *t, struct arena *a,
	    struct render_task *out, struct err *err)
{
	struct render r;

	render_init(&r, v, t, a);
	memset(out, 0, sizeof(*out));
	if (render_run(&r, out, err) != 0 || render_environment(&r, out, err) != 0 ||
	    render_workdir(&r, out, err) != 0 || render_wait(&r, out, err) != 0)
		return tell_where(&r, err);
	return 0;
}
