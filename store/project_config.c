#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/yaml.h"
#include "store/project_internal.h"

#define CONFIG_NAME "config.yaml"
#define CONFIG_MAX  ((size_t)64 << 10)

/* The keys of config.yaml; a misspelt one must not be taken for a missing one. */
static const char *const keys[] = {"state_dir"};

static struct diag_pos
position(int file, const struct yaml_node *n)
{
	return (struct diag_pos){
	    .file = file, .line = n->line, .col = n->col, .width = n->width};
}

static void
check_keys(struct diag *d, int file, const struct yaml_node *map)
{
	size_t i, k;

	for (i = 0; i < map->map.n; i++) {
		const struct yaml_node *key = map->map.v[i].key;
		struct suggest s;
		bool known = false;

		suggest_start(&s, key->str);
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			known = known || strcmp(key->str, keys[k]) == 0;
			suggest_try(&s, keys[k]);
		}
		if (known)
			continue;
		diag_add(d, DIAG_ERROR, position(file, key), "unknown key '%s'",
			 key->str);
		if (suggest_best(&s) != NULL)
			diag_hint(d, "did you mean '%s'?", suggest_best(&s));
	}
}

/* Take the settings from the tree; mistakes go to ${d}. */
static void
take(struct diag *d, int file, const struct yaml_node *top, const char *root,
     struct buf *state_dir)
{
	const struct yaml_node *n;

	if (top->kind == YAML_NULL)
		return;
	if (top->kind != YAML_MAP) {
		diag_add(d, DIAG_ERROR, position(file, top),
			 "settings must be a mapping, not %s", yaml_kind_name(top->kind));
		return;
	}
	check_keys(d, file, top);
	n = yaml_get(top, "state_dir");
	if (n == NULL)
		return;
	if (n->kind != YAML_STR || n->len == 0)
		diag_add(d, DIAG_ERROR, position(file, n),
			 "'state_dir' must be the path of a directory");
	else
		path_join(state_dir, root, n->str);
}

/* The first mistake as a sentence: "FILE:L:C: error: ...". */
static int
refuse(struct diag *d, struct err *err)
{
	struct buf text;
	int rc;

	buf_init(&text, 0);
	diag_print(d, &text, false, 0);
	buf_truncate(&text, strcspn(text.p, "\n"));
	rc = buf_failed(&text) ? err_nomem(err) : err_set(err, ERR_INVALID, "%s", text.p);
	buf_release(&text);
	return rc;
}

int
project_config_parse(const char *name, const char *text, size_t n, const char *root,
		     struct buf *state_dir, struct err *err)
{
	struct arena *a = arena_new(0);
	struct diag *d = diag_new();
	struct yaml_node *top;
	int file, rc = 0;

	file = d != NULL ? diag_file(d, name, text, n) : -1;
	if (a == NULL || file < 0) {
		rc = err_nomem(err);
	} else {
		if (yaml_parse(a, d, file, text, n, &top) >= 0)
			take(d, file, top, root, state_dir);
		if (diag_errors(d) != 0)
			rc = refuse(d, err);
		else if (buf_failed(state_dir))
			rc = err_nomem(err);
	}
	diag_free(d);
	arena_free(a);
	return rc;
}

int
project_config(const char *root, const char *dot, struct buf *state_dir, struct err *err)
{
	struct err local;
	struct buf name, text;
	int rc;

	buf_init(&name, 0);
	buf_init(&text, 0);
	path_join(&name, dot, CONFIG_NAME);
	if (buf_failed(&name))
		rc = err_nomem(err);
	else
		rc = fsio_read(AT_FDCWD, name.p, CONFIG_MAX, &text, &local);
	if (rc == 0)
		rc = project_config_parse(name.p, text.p, text.n, root, state_dir, err);
	else if (!buf_failed(&name) && local.code == ERR_NOTFOUND)
		rc = 0;
	else if (!buf_failed(&name) && err != NULL)
		*err = local;
	buf_release(&text);
	buf_release(&name);
	return rc;
}
