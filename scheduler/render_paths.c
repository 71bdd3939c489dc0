#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "scheduler/dag_paths.h"
#include "scheduler/render_int.h"

/*
 * Inputs and outputs of a task, rendered.  Plain ones were checked when the file was loaded;
 * a value must not lead a rendered one to where a plain one may not go, least of all an
 * output, which is deleted before each attempt.
 */

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* Whether a component belongs to a tool. */
static bool
is_in_tool(const char *path)
{
	static const char *const names[] = {".git", ".dag", ".dvc"};
	size_t len, i;

	for (; *path != '\0'; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		for (i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (len == strlen(names[i]) && strncmp(path, names[i], len) == 0)
				return true;
	}
	return false;
}

/* Whether the output may be the DAG file or hold it.  How the user named the file does not
 * say where the root is, so every end of its path counts. */
static bool
holds_file(const char *path, const char *file)
{
	size_t n = strlen(path), len = strlen(file);

	if (strcmp(path, file) == 0 ||
	    (len > n && file[len - n - 1] == '/' && strcmp(file + len - n, path) == 0))
		return true;
	return *file != '/' && path_is_below(file, path);
}

static const char *
wrong_output(const struct render *r, const char *path)
{
	if (*path == '/' || path_climbs(path))
		return "lies outside the project";
	if (strcmp(path, ".") == 0)
		return "is the project itself";
	if (is_in_tool(path))
		return "lies in a directory of git, dvc or dag";
	if (holds_file(path, r->v->dag->file))
		return "is or holds the DAG file";
	if (path_has_glob(path))
		return "has the characters of a glob";
	return NULL;
}

static int
refuse_path(struct render *r, const struct dag_text *text, const char *key,
	    const char *path, const char *why, struct err *err)
{
	(void)err_set(err, ERR_INVALID, "the path '%s' %s", path, why);
	r->node = text->node;
	r->key = key;
	r->where = (struct jinja_where){0, text->len};
	return -1;
}

/* One path, normalized; ${output}: held against what an output may be, if it is a template
 * (of a plain one the loader knows better where the DAG file is). */
static int
one_path(struct render *r, const struct dag_text *text, bool output, const char **out,
	 struct err *err)
{
	const char *key = output ? "outputs" : "inputs", *path, *why = NULL;
	struct buf b;

	if (render_text(r, text, key, RENDER_PATH, &path, err) != 0)
		return -1;
	if (*path == '\0')
		return refuse_path(r, text, key, path, "is empty", err);
	if (strlen(path) > PATH_BYTES_MAX)
		return refuse_path(r, text, key, "...", "has more than 4095 bytes", err);
	if (has_control(path))
		return refuse_path(r, text, key, "...",
				   "has line breaks or control characters", err);
	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
		why = "begins with '~', which is not your home here";
	buf_init(&b, 0);
	path_normalize(&b, path);
	*out = buf_failed(&b) ? NULL : arena_strdup(r->a, b.p);
	buf_release(&b);
	if (*out == NULL)
		return err_nomem(err);
	if (why == NULL && output && text->tpl != NULL)
		why = wrong_output(r, *out);
	return why == NULL ? 0 : refuse_path(r, text, key, path, why, err);
}

static int
all_paths(struct render *r, const struct dag_text *texts, size_t n, bool output,
	  const char ***out, size_t *nout, struct err *err)
{
	size_t i;

	if ((*out = arena_array(r->a, n + 1, sizeof(**out))) == NULL)
		return err_nomem(err);
	for (i = 0; i < n; i++)
		if (one_path(r, &texts[i], output, &(*out)[i], err) != 0)
			return -1;
	*nout = n;
	return 0;
}

int
render_inputs_outputs(struct render *r, struct render_paths *out, struct err *err)
{
	if (all_paths(r, r->t->inputs, r->t->ninputs, false, &out->inputs, &out->ninputs,
		      err) != 0)
		return -1;
	return all_paths(r, r->t->outputs, r->t->noutputs, true, &out->outputs,
			 &out->noutputs, err);
}
