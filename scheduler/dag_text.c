/*
 * Strings that may be templates, and the bare expression of `when`.
 */
#include <string.h>

#include "scheduler/dag_load.h"

/* Whether Jinja sees anything but text. */
static bool
has_tags(const char *s)
{
	for (; (s = strchr(s, '{')) != NULL; s++)
		if (s[1] == '{' || s[1] == '%' || s[1] == '#')
			return true;
	return false;
}

static void
bad_template(struct load *L, const struct yaml_node *n, const struct jinja_error *e)
{
	diag_add(L->d, DIAG_ERROR, load_pos_in(L, n, e->offset, e->len), "%s", e->msg);
	if (e->hint[0] != '\0')
		diag_hint(L->d, "%s", e->hint);
}

int
load_template(struct load *L, const struct yaml_node *n, enum text_use use,
	      const struct dag_task *t, struct dag_text *out)
{
	struct jinja_error e = {0};
	struct jinja *tpl;

	*out = (struct dag_text){.src = n->str, .len = n->len, .node = n};
	if (!has_tags(n->str))
		return 0;
	if (n->len > JINJA_SRC_MAX) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the template has %zu bytes; at most %zu KiB", n->len,
			 JINJA_SRC_MAX >> 10);
		diag_hint(L->d, "put the text into a file of its own");
		return 0;
	}
	if (jinja_compile(L->arena, n->str, n->len, &tpl, &e) != 0) {
		bad_template(L, n, &e);
		return 0;
	}
	out->tpl = tpl;
	return load_check_refs(L, n, tpl, use, t);
}

/* ---- when ---- */

static bool
is_constant_word(const struct yaml_node *n)
{
	static const char *const words[] = {"true", "True", "false", "False", "none",
					    "None", "null", "yes",   "no",    NULL};
	const char *s = n->str;

	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return n->len > 0 && strspn(s, "0123456789.+-") == n->len;
}

/* One string literal and nothing else: it would always be true. */
static bool
is_string_literal(const char *s, size_t len)
{
	return len >= 2 && (*s == '\'' || *s == '"') && s[len - 1] == *s &&
	       memchr(s + 1, *s, len - 2) == NULL;
}

static void
trim(const char **s, size_t *len)
{
	while (*len > 0 && strchr(" \t\r\n", **s) != NULL) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && strchr(" \t\r\n", (*s)[*len - 1]) != NULL)
		(*len)--;
}

/* Whether the text can be an expression at all; said if not. */
static bool
check_expr_text(struct load *L, const struct key_spec *spec, const struct yaml_node *n)
{
	const char *s = n->str, *tag;
	size_t len = n->len;

	trim(&s, &len);
	if (n->kind != YAML_STR && n->kind != YAML_BOOL) {
		load_wrong_type(L, spec->name, "an expression", n);
		if (n->kind == YAML_INT)
			diag_hint(L->d, "write true or false, or compare: params.x == %s",
				  n->str);
		return false;
	}
	if (len == 0) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n), "`%s` has no expression",
			 spec->name);
		diag_hint(L->d, "remove the key, or write one: params.x > 0");
		return false;
	}
	if ((tag = strstr(n->str, "{{")) != NULL ||
	    (tag = strstr(n->str, "{%")) != NULL) {
		diag_add(L->d, DIAG_ERROR, load_pos_in(L, n, (size_t)(tag - n->str), 2),
			 "`%s` takes a bare expression, without %.2s", spec->name, tag);
		diag_hint(L->d, "write the expression alone: params.x > 0");
		return false;
	}
	if ((n->kind == YAML_STR && is_constant_word(n)) || is_string_literal(s, len)) {
		diag_add(L->d, DIAG_ERROR, load_pos(L, n),
			 "the condition is the text '%s', which is no condition", n->str);
		diag_hint(L->d,
			  "write true or false without quotes, or compare something");
		return false;
	}
	return true;
}

int
load_expr(struct load *L, const struct key_spec *spec, const struct yaml_node *n,
	  struct dag_task *t)
{
	struct jinja_error e = {0};
	struct jinja *expr;
	const char *src;

	if (!load_is_scalar(n)) {
		load_wrong_type(L, spec->name, "an expression", n);
		return 0;
	}
	if (!check_expr_text(L, spec, n))
		return 0;
	src = n->kind != YAML_BOOL ? n->str : n->b ? "true" : "false";
	if (jinja_compile_expr(L->arena, src, strlen(src), &expr, &e) != 0) {
		bad_template(L, n, &e);
		return 0;
	}
	t->when = expr;
	t->when_src = src;
	t->when_node = n;
	return load_check_refs(L, n, expr, USE_TASK, t);
}
