#include "cli/stages.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/path.h"
#include "base/suggest.h"
#include "cli/artifact.h"
#include "store/dvc/dvc_yaml.h"

const char *
stages_here(struct artifact *a, struct err *err)
{
	const char *path;

	if (a->cwd == NULL) {
		(void)err_set(err, ERR_INVALID, "this directory is outside of '%s'",
			      a->track.root);
		return NULL;
	}
	path =
	    *a->cwd == '\0' ? "dvc.yaml" : arena_printf(a->arena, "%s/dvc.yaml", a->cwd);
	if (path == NULL)
		(void)err_nomem(err);
	return path;
}

static bool
is_file(const char *word)
{
	size_t n = strlen(word);

	return (n >= 4 && strcmp(word + n - 4, ".dvc") == 0) ||
	       strcmp(path_basename(word), "dvc.yaml") == 0;
}

/* The colon before the name of a stage: no directory follows it, and it is not part of what
 * foreach put behind an @. */
static const char *
find_colon(const char *word)
{
	const char *end = strchrnul(word, '@'), *colon;

	colon = memrchr(word, ':', (size_t)(end - word));
	if (colon == NULL || memchr(colon, '/', (size_t)(end - colon)) != NULL)
		return NULL;
	return colon;
}

int
stages_word(struct artifact *a, const char *word, struct stage_word *out, struct err *err)
{
	const char *colon = find_colon(word), *file;

	*out = (struct stage_word){0};
	if (colon == NULL && is_file(word)) {
		out->file = artifact_path(a, word, err);
		return out->file != NULL ? 0 : -1;
	}
	out->name = colon != NULL ? colon + 1 : word;
	if (*out->name == '\0')
		return err_set(err, ERR_INVALID, "'%s' names no stage", word);
	out->bare = colon == NULL;
	if (colon == NULL || colon == word) {
		out->file = stages_here(a, err);
		return out->file != NULL ? 0 : -1;
	}
	file = arena_strndup(a->arena, word, (size_t)(colon - word));
	if (file == NULL)
		return err_nomem(err);
	if (strcmp(path_basename(file), "dvc.lock") == 0)
		return err_set(err, ERR_INVALID, "stages are in dvc.yaml, not in '%s'",
			       file);
	out->file = artifact_path(a, file, err);
	return out->file != NULL ? 0 : -1;
}

const struct track_file *
stages_file(const struct artifact *a, const char *path)
{
	for (size_t i = 0; i < a->list.nfiles; i++)
		if (strcmp(a->list.files[i]->path, path) == 0)
			return a->list.files[i];
	return NULL;
}

bool
stages_has(const struct track_file *f, const char *name)
{
	for (size_t i = 0; f != NULL && f->yaml != NULL && i < f->yaml->nstages; i++) {
		const struct dvc_yaml_stage *s = &f->yaml->stages[i];

		if (strcmp(s->name, name) == 0 ||
		    (s->group != NULL && strcmp(s->group, name) == 0))
			return true;
	}
	return false;
}

int
stages_none(struct artifact *a, const struct stage_word *w, struct err *err)
{
	const struct track_file *f = stages_file(a, w->file);
	struct suggest s;

	if (f == NULL)
		return w->name == NULL || !w->bare
			   ? err_set(err, ERR_NOTFOUND, "'%s' does not exist", w->file)
			   : err_set(err, ERR_NOTFOUND,
				     "there is no stage '%s', as '%s' does not exist",
				     w->name, w->file);
	suggest_start(&s, w->name);
	for (size_t i = 0; f->yaml != NULL && i < f->yaml->nstages; i++)
		suggest_try(&s, f->yaml->stages[i].name);
	if (suggest_best(&s) != NULL)
		return err_set(err, ERR_NOTFOUND,
			       "there is no stage '%s' in '%s' (did you mean '%s'?)",
			       w->name, w->file, suggest_best(&s));
	return err_set(err, ERR_NOTFOUND, "there is no stage '%s' in '%s'", w->name,
		       w->file);
}
