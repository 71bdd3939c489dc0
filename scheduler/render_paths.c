#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "scheduler/dag_paths.h"
#include "scheduler/render_int.h"
#include "scheduler/show_value.h"

#define SHOWN_WHOLE 200 /* bytes of a path that a message shows */

/*
 * Inputs and outputs of a task, rendered.  Plain ones were checked when the file was loaded;
 * a value must not lead a rendered one to where a plain one may not go, least of all an
 * output, which is deleted before each attempt.
 */

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

/* What is wrong with a path, and the way out. */
struct fault {
	const char *why, *way;
};

static const char deleted[] = "outputs are deleted before each attempt: make it another "
			      "file or directory inside the "
			      "project";

static const struct fault no_fault = {NULL, NULL};

static struct fault
wrong_output(const struct render *r, const char *path)
{
	if (*path == '/' || path_climbs(path))
		return (struct fault){"lies outside the project", deleted};
	if (strcmp(path, ".") == 0)
		return (struct fault){"is the project itself", deleted};
	if (path_tool_dir(path) != NULL)
		return (struct fault){"lies in a directory of git, dvc or dag", deleted};
	if (holds_file(path, r->v->dag->file))
		return (struct fault){"is or holds the DAG file", deleted};
	if (path_has_glob(path))
		return (struct fault){"has the characters of a glob",
				      "name the directory that holds them"};
	return no_fault;
}

/* What is wrong with the text as it was rendered, for inputs and outputs alike. */
static struct fault
wrong_path(const char *path)
{
	static const char give[] = "give the values in it other texts";

	if (*path == '\0')
		return (struct fault){
		    "is empty", "give the values in it a text, for instance a default"};
	if (strlen(path) > PATH_BYTES_MAX)
		return (struct fault){"has more than 4095 bytes", give};
	if (path_has_control(path))
		return (struct fault){"has line breaks or control characters", give};
	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
		return (struct fault){"begins with '~', which is not your home here",
				      "write the whole path"};
	return no_fault;
}

static struct fault
wrong_target(const char *path)
{
	static const char name[] = "name something that is tracked in the project";

	if (*path == '/' || path_climbs(path))
		return (struct fault){"lies outside the project", name};
	if (strcmp(path, ".") == 0)
		return (struct fault){"is the project itself", name};
	if (path_tool_dir(path) != NULL)
		return (struct fault){"lies in a directory of git, dvc or dag", name};
	if (path_has_glob(path))
		return (struct fault){"has the characters of a glob",
				      "name the tracked directory that holds them"};
	return no_fault;
}

static int
refuse_path(struct render *r, const struct dag_text *text, const char *key,
	    const char *path, struct fault f, struct err *err)
{
	struct buf shown;

	buf_init(&shown, 0);
	/* What would fill or break the line is shown in part, and harmlessly. */
	if (path_has_control(path) || strlen(path) > SHOWN_WHOLE)
		show_value(&shown, path, strlen(path));
	else
		buf_addf(&shown, "'%s'", path);
	if (buf_failed(&shown))
		(void)err_nomem(err);
	else
		(void)err_set(err, ERR_INVALID, "the path %s %s; %s", shown.p, f.why,
			      f.way);
	buf_release(&shown);
	r->node = text->node;
	r->key = key;
	r->where = (struct jinja_where){0, text->len};
	r->way = f.way;
	return -1;
}

/* What a path is for, and the key it stands under. */
enum path_kind { PATH_INPUT, PATH_OUTPUT, PATH_CODE, PATH_TARGET };
static const char *const kind_keys[] = {[PATH_INPUT] = "inputs",
					[PATH_OUTPUT] = "outputs",
					[PATH_CODE] = "code",
					[PATH_TARGET] = "targets"};

/* One path, normalized.  Outputs and targets that are templates are held against what they may
 * be (of plain ones the loader has said it, which knows better where the DAG file is). */
static int
one_path(struct render *r, const struct dag_text *text, enum path_kind kind,
	 const char **out, struct err *err)
{
	const char *key = kind_keys[kind], *path;
	struct fault f;

	if (render_text(r, text, key, RENDER_PATH, &path, err) != 0)
		return -1;
	f = wrong_path(path);
	if (f.why != NULL)
		return refuse_path(r, text, key, path, f, err);
	if ((*out = render_normalize(r, path)) == NULL)
		return err_nomem(err);
	if (kind == PATH_OUTPUT && text->tpl != NULL)
		f = wrong_output(r, *out);
	else if (kind == PATH_TARGET && text->tpl != NULL)
		f = wrong_target(*out);
	return f.why == NULL ? 0 : refuse_path(r, text, key, path, f, err);
}

static int
all_paths(struct render *r, const struct dag_text *texts, size_t n, enum path_kind kind,
	  const char ***out, size_t *nout, struct err *err)
{
	size_t i;

	if ((*out = arena_array(r->a, n + 1, sizeof(**out))) == NULL)
		return err_nomem(err);
	for (i = 0; i < n; i++)
		if (one_path(r, &texts[i], kind, &(*out)[i], err) != 0)
			return -1;
	*nout = n;
	return 0;
}

int
render_inputs_outputs(struct render *r, struct render_paths *out, struct err *err)
{
	if (all_paths(r, r->t->inputs, r->t->ninputs, PATH_INPUT, &out->inputs,
		      &out->ninputs, err) != 0 ||
	    all_paths(r, r->t->outputs, r->t->noutputs, PATH_OUTPUT, &out->outputs,
		      &out->noutputs, err) != 0 ||
	    all_paths(r, r->t->code, r->t->ncode, PATH_CODE, &out->code, &out->ncode,
		      err) != 0)
		return -1;
	return render_targets(r, &out->targets, &out->ntargets, err);
}

int
render_targets(struct render *r, const char ***out, size_t *n, struct err *err)
{
	return all_paths(r, r->t->targets, r->t->ntargets, PATH_TARGET, out, n, err);
}
