#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jinja.h"
#include "base/json.h"
#include "base/num.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "scheduler/dag.h"
#include "scheduler/render.h"
#include "scheduler/show_value.h"

/*
 * The values of a run's params.  Each param takes the value of the strongest source that has
 * one (-p, then the file of params, then the default), read by the declared type and held
 * against the declaration.  The default was held against it when the file was loaded.
 */

#define VALUE_MAX ((size_t)1 << 20) /* bytes of one value, or of the file of params */
#define ITEMS_MAX 100000	    /* of an array */

struct resolution {
	const struct dag *g;
	struct arena *a;
	const struct param_arg *args;
	size_t nargs;
	json_t *file;			 /* or NULL */
	const struct param_file *source; /* what that was read from */
	const char *in_file; /* the name in it whose value is looked at, or NULL */
	bool at_name;	     /* and the mistake is the name itself */
	struct buf complaints;
	size_t ncomplaints;
};

/* ---- complaints ---- */

/* "values.yaml:3:7: " */
static void
put_place(struct resolution *r)
{
	const struct yaml_node *root = r->source->root, *n;
	size_t i;

	buf_adds(&r->complaints, r->source->name);
	for (i = 0; root != NULL && i < root->map.n; i++) {
		n = root->map.v[i].key;
		if (strcmp(n->str, r->in_file) != 0)
			continue;
		if (!r->at_name)
			n = root->map.v[i].val;
		buf_addf(&r->complaints, ":%u:%u", (unsigned)n->line, (unsigned)n->col);
		break;
	}
	buf_adds(&r->complaints, ": ");
}

__attribute__((format(printf, 2, 3))) static void
complain(struct resolution *r, const char *fmt, ...)
{
	va_list ap;

	if (r->ncomplaints++ > 0)
		buf_addc(&r->complaints, '\n');
	if (r->in_file != NULL && r->source->name != NULL)
		put_place(r);
	va_start(ap, fmt);
	buf_vaddf(&r->complaints, fmt, ap);
	va_end(ap);
}

/* As complain, with a value of unknown origin behind it. */
static void
complain_value(struct resolution *r, const struct dag_param *p, const char *what,
	       const char *text)
{
	complain(r, "param '%s' must be %s, not ", p->name, what);
	show_value(&r->complaints, text, strlen(text));
}

static void
complain_json(struct resolution *r, const struct dag_param *p, const char *what,
	      const json_t *j)
{
	char *text = json_dumps(j, JSON_ENCODE_ANY | JSON_COMPACT);

	complain_value(r, p, what, text != NULL ? text : "that");
	free(text);
}

static const char *
type_phrase(enum param_type type)
{
	static const char *const phrases[] = {
	    [PARAM_STRING] = "a string",    [PARAM_INTEGER] = "an integer",
	    [PARAM_NUMBER] = "a number",    [PARAM_BOOLEAN] = "true or false",
	    [PARAM_ARRAY] = "a JSON array",
	};

	return phrases[type];
}

static void
complain_unknown(struct resolution *r, const char *name)
{
	struct suggest near;
	const char *best;
	size_t i;

	suggest_start(&near, name);
	for (i = 0; i < r->g->nparams; i++)
		suggest_try(&near, r->g->params[i].name);
	best = suggest_best(&near);
	complain(r, "there is no param ");
	show_value(&r->complaints, name, strlen(name));
	buf_addf(&r->complaints, " in DAG '%s'", r->g->name);
	if (best != NULL)
		buf_addf(&r->complaints, "; did you mean '%s'?", best);
	else if (r->g->nparams == 0)
		buf_adds(&r->complaints, ", which declares none");
}

/* ---- reading values ---- */

static bool
is_utf8(const char *p, size_t n)
{
	uint32_t c;
	size_t i;
	int len;

	for (i = 0; i < n; i += (size_t)len)
		if ((len = utf8_decode(p + i, n - i, &c)) < 0)
			return false;
	return true;
}

static bool
json_fits(const json_t *j, enum param_type type)
{
	switch (type) {
	case PARAM_STRING:
		return json_is_string(j);
	case PARAM_INTEGER:
		return json_is_integer(j);
	case PARAM_NUMBER:
		return json_is_number(j);
	case PARAM_BOOLEAN:
		return json_is_boolean(j);
	case PARAM_ARRAY:
		return json_is_array(j);
	}
	return false;
}

/* Read a JSON value.  1 with *out, 0 complained, -1 no memory. */
static int
read_json(struct resolution *r, const struct dag_param *p, const json_t *j,
	  struct jinja_val *out)
{
	if (!json_fits(j, p->type)) {
		complain_json(r, p, type_phrase(p->type), j);
		return 0;
	}
	if (p->type == PARAM_ARRAY && json_array_size(j) > ITEMS_MAX) {
		complain(r, "param '%s' has %zu items; at most %d", p->name,
			 json_array_size(j), ITEMS_MAX);
		return 0;
	}
	return jinja_from_json(r->a, j, out) == 0 ? 1 : -1;
}

static int
read_array(struct resolution *r, const struct dag_param *p, const char *text,
	   struct jinja_val *out)
{
	struct err err;
	json_t *j = json_parse(text, strlen(text), &err);
	int rc = 0;

	if (j == NULL && err.code == ERR_NOMEM)
		return -1;
	if (j == NULL) {
		complain_value(r, p, "a JSON array such as [1,2]", text);
		buf_addf(&r->complaints, " (%s)", err.msg);
		return 0;
	}
	rc = read_json(r, p, j, out);
	json_decref(j);
	return rc;
}

/* Read the text of a -p.  1 with *out, 0 complained, -1 no memory. */
static int
read_text(struct resolution *r, const struct dag_param *p, const char *text,
	  struct jinja_val *out)
{
	const char *copy;
	int64_t i;
	double f;

	if (strlen(text) > VALUE_MAX) {
		complain(r, "param '%s' has %zu bytes; at most 1 MiB", p->name,
			 strlen(text));
		return 0;
	}
	if (p->type == PARAM_ARRAY)
		return read_array(r, p, text, out);
	if (p->type == PARAM_STRING) {
		if (!is_utf8(text, strlen(text))) {
			complain_value(r, p, "valid UTF-8", text);
			return 0;
		}
		if ((copy = arena_strdup(r->a, text)) == NULL)
			return -1;
		*out = jinja_str(copy);
	} else if (p->type == PARAM_BOOLEAN &&
		   (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
		*out = jinja_bool(*text == 't');
	} else if ((p->type == PARAM_INTEGER || p->type == PARAM_NUMBER) &&
		   num_i64(text, &i) == 0) {
		*out = jinja_int(i);
	} else if (p->type == PARAM_NUMBER && num_f64(text, &f) == 0) {
		*out = jinja_float(f);
	} else {
		complain_value(r, p, type_phrase(p->type), text);
		return 0;
	}
	return 1;
}

/* ---- holding values against the declaration ---- */

static double
number_of(struct jinja_val v)
{
	return v.kind == JINJA_INT ? (double)v.i : v.f;
}

static bool
equals_node(struct jinja_val v, const struct yaml_node *n)
{
	double x, y;

	if (v.kind == JINJA_STR)
		return n->kind == YAML_STR && n->len == v.s.n &&
		       memcmp(n->str, v.s.p, v.s.n) == 0;
	if (v.kind == JINJA_BOOL)
		return n->kind == YAML_BOOL && n->b == v.b;
	if (v.kind == JINJA_INT && n->kind == YAML_INT)
		return n->i == v.i;
	if (n->kind != YAML_INT && n->kind != YAML_FLOAT)
		return false;
	x = number_of(v);
	y = n->kind == YAML_INT ? (double)n->i : n->f;
	return !(x < y) && !(x > y);
}

static void
show_param(struct resolution *r, struct jinja_val v)
{
	struct buf text;

	buf_init(&text, 0);
	jinja_put(&text, v);
	show_value(&r->complaints, text.p, text.n);
	buf_release(&text);
}

static void
check_enum(struct resolution *r, const struct dag_param *p, struct jinja_val v)
{
	struct suggest near;
	const char *best;
	char *word;
	size_t i;

	for (i = 0; i < p->nenums; i++)
		if (equals_node(v, p->enums[i]))
			return;
	complain(r, "param '%s' must be one of ", p->name);
	for (i = 0; i < p->nenums && i < 8; i++)
		buf_addf(&r->complaints, "%s%s", i > 0 ? ", " : "", p->enums[i]->str);
	buf_adds(&r->complaints, i < p->nenums ? " ..., not " : ", not ");
	show_param(r, v);
	if (v.kind != JINJA_STR || (word = arena_strndup(r->a, v.s.p, v.s.n)) == NULL)
		return;
	suggest_start(&near, word);
	for (i = 0; i < p->nenums; i++)
		suggest_try(&near, p->enums[i]->str);
	if ((best = suggest_best(&near)) != NULL)
		buf_addf(&r->complaints, "; did you mean '%s'?", best);
}

static void
check_range(struct resolution *r, const struct dag_param *p, struct jinja_val v)
{
	const char *unit = "";
	double n = 0, bound;
	size_t i;

	if (v.kind == JINJA_STR) {
		unit = " character";
		for (i = 0; i < v.s.n; i++)
			n += ((unsigned char)v.s.p[i] & 0xc0) != 0x80;
	} else if (v.kind == JINJA_LIST) {
		unit = " item";
		n = (double)jinja_list_len(v.list);
	} else {
		n = number_of(v);
	}
	if ((p->has_min && n < p->min) || (p->has_max && n > p->max)) {
		bool low = p->has_min && n < p->min;

		bound = low ? p->min : p->max;
		complain(r, "param '%s' must %s at %s %.15g%s%s, not %.15g", p->name,
			 *unit == '\0' ? "be" : "have", low ? "least" : "most", bound,
			 unit, *unit == '\0' || (bound > 0 && bound < 2) ? "" : "s", n);
	}
}

/* 0, or -1 if memory runs out. */
static int
check_pattern(struct resolution *r, const struct dag_param *p, struct jinja_val v)
{
	struct buf whole;
	regex_t re;
	bool nomem;
	int rc;

	buf_init(&whole, 0);
	buf_addf(&whole, "^(%s)$", p->pattern);
	rc = buf_failed(&whole) ? REG_ESPACE
				: regcomp(&re, whole.p, REG_EXTENDED | REG_NOSUB);
	buf_release(&whole);
	if (rc != 0)
		return -1; /* its syntax was checked when the file was loaded */
	errno = 0;
	rc = regexec(&re, v.s.p, 0, NULL, 0);
	/* glibc does not tell it from a text that does not match. */
	nomem = rc != 0 && errno == ENOMEM;
	regfree(&re);
	if (nomem)
		return -1;
	if (rc != 0) {
		complain(r, "param '%s' must match %s, which ", p->name, p->pattern);
		show_param(r, v);
		buf_adds(&r->complaints, " does not");
	}
	return 0;
}

static int
check_value(struct resolution *r, const struct dag_param *p, struct jinja_val v)
{
	size_t before = r->ncomplaints;

	if (p->nenums > 0)
		check_enum(r, p, v);
	if (v.kind == JINJA_FLOAT && !isfinite(v.f))
		complain(r, "param '%s' must be finite", p->name);
	else if (v.kind != JINJA_BOOL)
		check_range(r, p, v);
	if (p->pattern != NULL && v.kind == JINJA_STR && r->ncomplaints == before)
		return check_pattern(r, p, v);
	return 0;
}

/* ---- the sources ---- */

static const char *
arg_of(const struct resolution *r, const char *name)
{
	size_t i;

	for (i = r->nargs; i-- > 0;)
		if (strcmp(r->args[i].name, name) == 0)
			return r->args[i].text;
	return NULL;
}

/* The value of one param.  1 with *out, 0 complained, -1 no memory. */
static int
resolve_one(struct resolution *r, const struct dag_param *p, struct jinja_val *out)
{
	const char *text = arg_of(r, p->name);
	const json_t *j = json_object_get(r->file, p->name);
	int rc;

	if (text != NULL) {
		rc = read_text(r, p, text, out);
	} else if (j != NULL && !(json_is_null(j) && p->def == NULL)) {
		r->in_file = p->name;
		rc = read_json(r, p, j, out);
	} else if (p->def != NULL) {
		return jinja_from_yaml(r->a, p->def, out) == 0 ? 1 : -1;
	} else if (p->required) {
		complain(r, "param '%s' is required: give it by -p %s=...", p->name,
			 p->name);
		return 0;
	} else {
		*out = jinja_none();
		return 1;
	}
	if (rc > 0 && check_value(r, p, *out) != 0)
		rc = -1;
	r->in_file = NULL;
	return rc;
}

static bool
is_declared(const struct dag *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->nparams; i++)
		if (strcmp(g->params[i].name, name) == 0)
			return true;
	return false;
}

static void
check_names(struct resolution *r)
{
	const char *key;
	json_t *val;
	size_t i;

	json_object_foreach(r->file, key, val)
	{
		r->in_file = key;
		r->at_name = true;
		if (!is_declared(r->g, key))
			complain_unknown(r, key);
	}
	r->in_file = NULL;
	r->at_name = false;
	for (i = 0; i < r->nargs; i++)
		if (!is_declared(r->g, r->args[i].name) &&
		    arg_of(r, r->args[i].name) == r->args[i].text)
			complain_unknown(r, r->args[i].name);
}

static int
read_file(struct resolution *r, const char *text, struct err *err)
{
	if (text == NULL)
		return 0;
	if (strlen(text) > VALUE_MAX)
		return err_set(err, ERR_LIMIT,
			       "the file of params has %zu bytes; at most 1 "
			       "MiB",
			       strlen(text));
	if ((r->file = json_parse(text, strlen(text), err)) == NULL)
		return err_wrap(err, "the file of params cannot be read");
	if (!json_is_object(r->file))
		return err_set(err, ERR_INVALID,
			       "the file of params must be a JSON object such as "
			       "{\"name\": \"value\"}");
	return 0;
}

/* Cut the complaints to what an error holds, at a line. */
static int
report(struct resolution *r, struct err *err)
{
	static const size_t room = sizeof(err->msg) - 40;
	size_t kept = 0, shown = 0, i;

	if (buf_failed(&r->complaints))
		return err_nomem(err);
	if (r->complaints.n < room)
		return err_set(err, ERR_INVALID, "%s", r->complaints.p);
	for (i = 0; i < room; i++)
		if (r->complaints.p[i] == '\n') {
			kept = i;
			shown++;
		}
	if (kept == 0)
		return err_set(err, ERR_INVALID, "%s", r->complaints.p);
	return err_set(err, ERR_INVALID, "%.*s\n... and %zu more", (int)kept,
		       r->complaints.p, r->ncomplaints - shown);
}

static int
resolve_all(struct resolution *r, struct jinja_dict **out, struct err *err)
{
	struct jinja_val v;
	size_t i;
	int rc;

	check_names(r);
	if ((*out = jinja_dict_new(r->a)) == NULL)
		return err_nomem(err);
	for (i = 0; i < r->g->nparams; i++) {
		rc = resolve_one(r, &r->g->params[i], &v);
		if (rc < 0 ||
		    (rc > 0 && jinja_dict_put(r->a, *out, r->g->params[i].name, v) != 0))
			return err_nomem(err);
	}
	return r->ncomplaints == 0 ? 0 : report(r, err);
}

int
params_resolve(const struct dag *g, struct arena *a, const struct param_arg *args,
	       size_t nargs, const char *file_json, struct jinja_dict **out,
	       struct err *err)
{
	const struct param_file file = {.json = file_json};

	return params_resolve_file(g, a, args, nargs, &file, out, err);
}

int
params_resolve_file(const struct dag *g, struct arena *a, const struct param_arg *args,
		    size_t nargs, const struct param_file *file, struct jinja_dict **out,
		    struct err *err)
{
	struct resolution r = {
	    .g = g, .a = a, .args = args, .nargs = nargs, .source = file};
	int rc;

	buf_init(&r.complaints, 0);
	rc = read_file(&r, file->json, err);
	if (rc != 0 && file->name != NULL)
		rc = err_wrap(err, "%s", file->name);
	if (rc == 0)
		rc = resolve_all(&r, out, err);
	json_decref(r.file);
	buf_release(&r.complaints);
	return rc;
}

void
params_json(const struct jinja_dict *values, struct buf *out)
{
	struct json_writer w;
	struct buf text;
	size_t i;

	json_init(&w, out, 0);
	json_begin_object(&w);
	for (i = 0; i < jinja_dict_len(values); i++) {
		const char *key;
		struct jinja_val v = jinja_dict_val(values, i, &key);

		buf_init(&text, 0);
		jinja_put_json(&text, v);
		json_key(&w, key);
		json_raw(&w, text.p, text.n);
		if (buf_failed(&text))
			out->state = text.state;
		buf_release(&text);
	}
	json_end(&w);
}
