#include "store/pipeline/params_file.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/yaml.h"
#include "store/dvc/yaml_doc_int.h"
#include "store/pipeline/toml.h"
#include "store/pipeline/value.h"

static bool
ends(const char *name, const char *with)
{
	size_t n = strlen(name), k = strlen(with);

	return n > k && strcmp(name + n - k, with) == 0;
}

static int
refuse(struct diag *d, const char *name, const char *text, size_t len, const char *why)
{
	int file = diag_file(d, name, text, len);

	if (file < 0)
		return -1;
	diag_add(d, DIAG_ERROR, (struct diag_pos){.file = file}, "%s", why);
	return 1;
}

/* ---- JSON ---- */

static struct yaml_node *from_json(struct arena *, json_t *);

static struct yaml_node *
number(struct arena *a, json_t *j)
{
	char text[YAML_FLOAT_MAX];
	struct yaml_node *n;

	if (json_is_integer(j))
		(void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT,
			       json_integer_value(j));
	else
		ydoc_float_repr(json_real_value(j), text);
	n = value_str(a, text, strlen(text), NULL);
	if (n == NULL)
		return NULL;
	n->style = YAML_STYLE_PLAIN;
	n->kind = json_is_integer(j) ? YAML_INT : YAML_FLOAT;
	if (json_is_integer(j))
		n->i = json_integer_value(j);
	else
		n->f = json_real_value(j);
	return n;
}

static struct yaml_node *
word(struct arena *a, json_t *j)
{
	const char *text = json_is_null(j) ? "" : json_is_true(j) ? "true" : "false";
	struct yaml_node *n = value_str(a, text, strlen(text), NULL);

	if (n == NULL)
		return NULL;
	n->style = YAML_STYLE_PLAIN;
	n->kind = json_is_null(j) ? YAML_NULL : YAML_BOOL;
	if (!json_is_null(j))
		n->b = json_is_true(j);
	return n;
}

static struct yaml_node *
collection(struct arena *a, json_t *j)
{
	struct yaml_node *n;
	const char *key;
	json_t *v;
	size_t i = 0;

	if (json_is_array(j)) {
		n = value_list(a, json_array_size(j), NULL);
		for (i = 0; n != NULL && i < json_array_size(j); i++)
			if ((n->seq.v[i] = from_json(a, json_array_get(j, i))) == NULL)
				return NULL;
		return n;
	}
	n = value_map(a, json_object_size(j), NULL);
	if (n == NULL)
		return NULL;
	json_object_foreach(j, key, v)
	{
		n->map.v[i].key = value_str(a, key, strlen(key), NULL);
		n->map.v[i].val = from_json(a, v);
		if (n->map.v[i].key == NULL || n->map.v[i].val == NULL)
			return NULL;
		i++;
	}
	return n;
}

static struct yaml_node *
from_json(struct arena *a, json_t *j)
{
	if (json_is_string(j))
		return value_str(a, json_string_value(j), json_string_length(j), NULL);
	if (json_is_number(j))
		return number(a, j);
	return json_is_array(j) || json_is_object(j) ? collection(a, j) : word(a, j);
}

static int
parse_json(struct arena *a, struct diag *d, const char *name, const char *text,
	   size_t len, struct yaml_node **out)
{
	struct err err = {0};
	json_t *j = json_parse(text, len, &err);

	if (j == NULL)
		return err.code == ERR_NOMEM ? -1 : refuse(d, name, text, len, err.msg);
	*out = from_json(a, j);
	json_decref(j);
	return *out != NULL ? 0 : -1;
}

/* ---- YAML ---- */

static int
parse_yaml(struct arena *a, struct diag *d, const char *name, const char *text,
	   size_t len, struct yaml_node **out)
{
	int file = diag_file(d, name, text, len);
	size_t before = diag_errors(d);

	if (file < 0)
		return -1;
	if (yaml_parse(a, d, file, text, len, out) != 0)
		return 1;
	if (value_settle(a, *out, d, file) != 0)
		return -1;
	if (diag_errors(d) != before)
		return 1;
	if ((*out)->kind == YAML_NULL)
		*out = value_map(a, 0, *out);
	return *out != NULL ? 0 : -1;
}

bool
params_is_python(const char *name)
{
	return ends(name, ".py");
}

int
params_parse(struct arena *a, struct diag *d, const char *name, const char *text,
	     size_t len, struct yaml_node **out)
{
	if (params_is_python(name))
		return refuse(
		    d, name, NULL, 0,
		    "params in Python are not read, since that would mean to run "
		    "it: keep them in a .yaml, .json or .toml file");
	if (ends(name, ".json"))
		return parse_json(a, d, name, text, len, out);
	if (ends(name, ".toml"))
		return toml_parse(a, d, name, text, len, out);
	return parse_yaml(a, d, name, text, len, out);
}
