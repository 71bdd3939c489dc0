#include "store/pipeline/params_file.h"

#include <string.h>

#include "base/diag.h"
#include "base/yaml.h"
#include "store/pipeline/json_value.h"
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

/* ---- YAML ---- */

static int
parse_yaml(struct arena *a, struct diag *d, const char *name, const char *text,
	   size_t len, bool dates, struct yaml_node **out)
{
	int file = diag_file(d, name, text, len);
	size_t before = diag_errors(d);

	if (file < 0)
		return -1;
	if (yaml_parse(a, d, file, text, len, out) != 0)
		return 1;
	if (value_settle(a, *out, dates ? NULL : d, file) != 0)
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

static int
parse(struct arena *a, struct diag *d, const char *name, const char *text, size_t len,
      bool dates, struct yaml_node **out)
{
	int r;

	if (params_is_python(name))
		r = refuse(d, name, NULL, 0,
			   "params in Python are not read, since that would mean to run "
			   "it: keep them in a .yaml, .json or .toml file");
	else if (ends(name, ".json"))
		r = json_value_parse(a, d, name, text, len, out);
	else if (ends(name, ".toml"))
		r = toml_parse(a, d, name, text, len, dates, out);
	else
		r = parse_yaml(a, d, name, text, len, dates, out);
	return r > 0 && diag_nomem(d) ? -1 : r;
}

int
params_parse(struct arena *a, struct diag *d, const char *name, const char *text,
	     size_t len, struct yaml_node **out)
{
	return parse(a, d, name, text, len, false, out);
}

int
params_parse_dates(struct arena *a, struct diag *d, const char *name, const char *text,
		   size_t len, struct yaml_node **out)
{
	return parse(a, d, name, text, len, true, out);
}
