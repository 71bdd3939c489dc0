#include "store/exp/bring.h"

#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/dvc_file.h"
#include "store/track/collect.h"
#include "store/track/save.h"
#include "store/track/status.h"

struct changed {
	const struct workspace *ws;
	const struct track_list *l;
	struct arena *a;
	struct status_out *outs;
	struct track_out **of; /* the same in the list */
	size_t n;
	struct err *err;
};

static int
find(struct changed *c)
{
	c->outs = arena_array(c->a, c->l->n + 1, sizeof(*c->outs));
	c->of = arena_array(c->a, c->l->n + 1, sizeof(*c->of));
	if (c->outs == NULL || c->of == NULL)
		return err_nomem(c->err);
	for (size_t i = 0; i < c->l->n; i++) {
		struct track_out *o = &c->l->outs[i];

		if (o->stage != NULL || o->frozen || o->import || !o->cache ||
		    o->in->file == NULL)
			continue;
		c->of[c->n] = o;
		c->outs[c->n++] =
		    (struct status_out){.path = o->path, .id = o->id, .cache = true};
	}
	return c->n > 0 ? status_outs(c->ws, c->outs, c->n, c->err) : 0;
}

/* The entry of its file, which is the list's own. */
static struct dvc_out *
entry_of(const struct track_out *o)
{
	for (size_t i = 0; i < o->in->file->nouts; i++)
		if (&o->in->file->outs[i] == o->out)
			return &o->in->file->outs[i];
	return NULL;
}

static int
take(struct changed *c, struct save *s, size_t i)
{
	struct dvc_out *entry = entry_of(c->of[i]);
	struct saved saved = {0};
	int rc = save_path(s, c->outs[i].path, true, &saved, c->err);

	if (rc == 0 && entry != NULL)
		dvc_out_set_object(entry, &saved.id, (int64_t)saved.size,
				   saved.dir ? (int64_t)saved.nfiles : -1,
				   !saved.dir && saved.exec);
	saved_release(&saved);
	return rc;
}

static int
put(struct changed *c, const struct track_out *o, struct bring *out)
{
	struct bring_pointer *p = &out->v[out->n];
	struct buf b;
	int rc;

	for (size_t i = 0; i < out->n; i++)
		if (strcmp(out->v[i].path, o->in->path) == 0)
			return 0;
	buf_init(&b, 0);
	rc = dvc_file_dump(o->in->file, &b, c->err);
	if (rc == 0) {
		p->path = arena_strdup(c->a, o->in->path);
		p->text = arena_strndup(c->a, b.p, b.n);
		p->n = b.n;
		if (p->path == NULL || p->text == NULL)
			rc = err_nomem(c->err);
		else
			out->n++;
	}
	buf_release(&b);
	return rc;
}

int
bring_changed(const struct workspace *ws, const struct track_list *l, struct arena *a,
	      struct bring *out, struct err *err)
{
	struct changed c = {.ws = ws, .l = l, .a = a, .err = err};
	struct save *s = NULL;
	size_t some = 0;
	int rc = find(&c);

	*out = (struct bring){.v = NULL};
	for (size_t i = 0; rc == 0 && i < c.n; i++)
		some += c.outs[i].there && c.outs[i].changed;
	if (rc != 0 || some == 0)
		return rc;
	out->v = arena_array(a, some, sizeof(*out->v));
	rc = out->v != NULL ? save_begin(ws, &s, err) : err_nomem(err);
	for (size_t i = 0; rc == 0 && i < c.n; i++)
		if (c.outs[i].there && c.outs[i].changed)
			rc = take(&c, s, i);
	rc = save_end(s, rc == 0, rc == 0 ? err : NULL) == 0 && rc == 0 ? 0 : -1;
	for (size_t i = 0; rc == 0 && i < c.n; i++)
		if (c.outs[i].there && c.outs[i].changed)
			rc = put(&c, c.of[i], out);
	return rc;
}

int
bring_pointers(const struct bring *b, const char *root, struct err *err)
{
	struct buf path;
	int rc = 0;

	buf_init(&path, 0);
	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		buf_clear(&path);
		path_join(&path, root, b->v[i].path);
		rc = buf_failed(&path)
			 ? err_nomem(err)
			 : fsio_replace_lazily(AT_FDCWD, path.p, b->v[i].text, b->v[i].n,
					       0666, err);
	}
	buf_release(&path);
	return rc;
}
