#include "cli/remove_stages.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "base/vec.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/stages.h"
#include "store/dvc/dvc_yaml.h"
#include "store/dvc/gitignore.h"
#include "store/track/edit_remove.h"

struct remove_stage {
	const struct track_file *file;
	const char *name;
};

static int
push(struct remove_stages *s, const struct track_file *f, const char *name,
     struct err *err)
{
	struct remove_stage one = {f, name};

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].file == f && strcmp(s->v[i].name, name) == 0)
			return 0;
	return vec_push(s, one) == 0 ? 0 : err_nomem(err);
}

int
remove_stages_word(struct artifact *a, const char *word, struct remove_stages *s,
		   struct err *err)
{
	const struct track_file *f;
	struct stage_word w;
	struct err why = {0};

	if (stages_word(a, word, &w, &why) != 0) {
		/* Outside of the repository there are no stages here. */
		if (why.code == ERR_INVALID && a->cwd == NULL)
			return 0;
		*err = why;
		return -1;
	}
	f = stages_file(a, w.file);
	if (w.name == NULL && f != NULL && f->yaml != NULL) {
		for (size_t i = 0; i < f->yaml->nstages; i++)
			if (push(s, f, f->yaml->stages[i].name, err) != 0)
				return -1;
		return 1;
	}
	if (w.name != NULL && stages_has(f, w.name))
		return push(s, f, w.name, err) == 0 ? 1 : -1;
	if (w.name == NULL || w.bare)
		return 0;
	return stages_none(a, &w, err);
}

static bool
is_of(const struct remove_stages *s, const struct track_out *o)
{
	for (size_t i = 0; o->stage != NULL && i < s->n; i++)
		if (s->v[i].file == o->in && strcmp(s->v[i].name, o->stage) == 0)
			return true;
	return false;
}

size_t
remove_stages_outs(const struct artifact *a, const struct remove_stages *s,
		   const struct track_out **outs)
{
	size_t n = 0;

	for (size_t i = 0; i < a->list.n; i++)
		if (is_of(s, &a->list.outs[i]))
			outs[n++] = &a->list.outs[i];
	return n;
}

/* The stages of one file together. */
static int
begin_file(struct artifact *a, struct remove_stages *s, const struct track_file *f,
	   struct err *err)
{
	struct edit_remove *r = &s->files[s->nfiles];
	int dir = (int)(path_basename(f->path) - f->path);
	const char **names = arena_array(a->arena, s->n + 1, sizeof(*names));

	r->root = a->track.root;
	r->root_fd = a->track.root_fd;
	r->yaml = f->path;
	r->lock = arena_printf(a->arena, "%.*sdvc.lock", dir, f->path);
	if (r->lock == NULL || names == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].file == f)
			names[r->n++] = s->v[i].name;
	r->names = names;
	s->nfiles++;
	return edit_remove_begin(r, err);
}

int
remove_stages_begin(struct artifact *a, struct remove_stages *s, struct err *err)
{
	s->files = arena_array(a->arena, s->n + 1, sizeof(*s->files));
	if (s->files == NULL)
		return err_nomem(err);
	for (size_t i = 0; i < s->n; i++) {
		size_t k = 0;

		while (k < i && s->v[k].file != s->v[i].file)
			k++;
		if (k == i && begin_file(a, s, s->v[i].file, err) != 0)
			return -1;
	}
	return 0;
}

int
remove_stages_end(struct artifact *a, struct remove_stages *s,
		  const struct track_out *const *outs, size_t n, struct err *err)
{
	for (size_t i = 0; a->track.gitignore != NULL && i < n; i++)
		if (outs[i]->cache && is_of(s, outs[i]) &&
		    gitignore_remove(a->track.root_fd, outs[i]->path, err) < 0)
			return -1;
	for (size_t i = 0; i < s->nfiles; i++)
		if (edit_remove_end(&s->files[i], err) != 0)
			return -1;
	return 0;
}

size_t
remove_stages_files(const struct remove_stages *s, const char **files)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nfiles; i++) {
		files[n++] = s->files[i].yaml;
		files[n++] = s->files[i].lock;
	}
	return n;
}

void
remove_stages_tell(struct artifact *a, const struct remove_stages *s)
{
	struct buf *b = &a->c->out;

	for (size_t i = 0; i < s->n; i++) {
		text_put(b, s->v[i].name, strlen(s->v[i].name));
		buf_adds(b, "  taken out of ");
		artifact_put_path(a, s->v[i].file->path, b);
		buf_addc(b, '\n');
	}
}

void
remove_stages_release(struct remove_stages *s)
{
	for (size_t i = 0; i < s->nfiles; i++)
		edit_remove_release(&s->files[i]);
	vec_release(s);
}
