#include "cli/stage_list.h"

#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "cli/artifact.h"
#include "cli/cli.h"
#include "cli/stages.h"
#include "store/dvc/dvc_file.h"
#include "store/dvc/dvc_yaml.h"

#define ABOUT_MAX 80 /* characters of a description, as DVC has it */

/* A stage, or a .dvc file. */
struct row {
	const struct track_file *file;
	const struct dvc_yaml_stage *stage; /* NULL: a .dvc file */
};

struct listing {
	struct artifact a;
	const struct stage_list *o;
	VEC(struct row) rows;
};

/* ---- which ---- */

static int
push(struct listing *k, const struct track_file *f, const struct dvc_yaml_stage *s,
     struct err *err)
{
	struct row row = {f, s};

	for (size_t i = 0; k->o->n > 1 && i < k->rows.n; i++)
		if (k->rows.v[i].file == f && k->rows.v[i].stage == s)
			return 0;
	return vec_push(&k->rows, row) == 0 ? 0 : err_nomem(err);
}

/* All of a file, or those of a name or of a group.  Return how many there were, or -1. */
static int
push_file(struct listing *k, const struct track_file *f, const char *name,
	  struct err *err)
{
	int n = 0;

	if (f->file != NULL)
		return push(k, f, NULL, err) == 0 ? 1 : -1;
	for (size_t i = 0; f->yaml != NULL && i < f->yaml->nstages; i++) {
		const struct dvc_yaml_stage *s = &f->yaml->stages[i];

		if (name != NULL && strcmp(s->name, name) != 0 &&
		    (s->group == NULL || strcmp(s->group, name) != 0))
			continue;
		if (push(k, f, s, err) != 0)
			return -1;
		n++;
	}
	return n;
}

/* All that stands below a directory. */
static int
push_below(struct listing *k, const char *dir, struct err *err)
{
	for (size_t i = 0; i < k->a.list.nfiles; i++) {
		const struct track_file *f = k->a.list.files[i];

		if (path_is_below(f->path, dir) && push_file(k, f, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static bool
is_dir(struct listing *k, const char *word)
{
	struct stat st;

	(void)k;
	return stat(word, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
push_word(struct listing *k, const char *word, struct err *err)
{
	const struct track_file *f;
	struct stage_word w;
	const char *dir;
	int n;

	if (k->o->recursive && is_dir(k, word)) {
		dir = artifact_path(&k->a, word, err);
		return dir != NULL ? push_below(k, dir, err) : -1;
	}
	if (stages_word(&k->a, word, &w, err) != 0)
		return -1;
	f = stages_file(&k->a, w.file);
	if (f == NULL)
		return stages_none(&k->a, &w, err);
	/* Its mistakes were passed over; now they are asked for. */
	if (f->file == NULL && f->yaml == NULL)
		return 1;
	n = push_file(k, f, w.name, err);
	return n == 0 && w.name != NULL ? stages_none(&k->a, &w, err) : n < 0 ? -1 : 0;
}

static int
push_all(struct listing *k, struct err *err)
{
	static const char *const here[] = {"dvc.yaml"};
	const char *const *words = k->o->n > 0 ? (const char *const *)k->o->words : here;
	size_t n = k->o->n > 0 ? k->o->n : 1;
	int r = 0;

	if (k->o->all)
		return push_below(k, ".", err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = push_word(k, words[i], err);
	return r;
}

static bool
is_mistake(const struct err *err)
{
	return err->code == ERR_INVALID || err->code == ERR_LIMIT ||
	       err->code == ERR_EXISTS;
}

/* Files with mistakes are passed over, unless one of them is asked for, or --fail. */
static int
work(void *arg, struct meter *m, struct err *err)
{
	struct listing *k = arg;
	int r;

	r = track_collect(&k->a.track, m, k->o->fail ? k->a.diag : NULL, &k->a.list, err);
	if (r != 0 && (k->o->fail || !is_mistake(err)))
		return -1;
	err_clear(err);
	r = push_all(k, err);
	if (r != 1)
		return r;
	track_list_free(&k->a.list);
	return track_collect(&k->a.track, m, k->a.diag, &k->a.list, err) != 0
		   ? -1
		   : err_set(err, ERR_STALE, "files changed meanwhile");
}

/* ---- what is said of them ---- */

static void
put_paths(struct buf *b, const struct dvc_yaml_stage *s, bool reports)
{
	const char *sep = reports ? "Reports " : "Outputs ";

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < s->nouts; k++) {
			const struct dvc_yaml_out *o = &s->outs[k];

			if ((size_t)o->kind != i || (o->kind != DVC_OUT) != reports)
				continue;
			buf_addf(b, "%s%s%s", b->n > 0 && *sep != ',' ? "; " : "", sep,
				 o->path);
			sep = ", ";
		}
}

static void
about_stage(struct buf *b, const struct dvc_yaml_stage *s)
{
	const char *sep = "Depends on ";

	put_paths(b, s, false);
	put_paths(b, s, true);
	for (size_t i = 0; s->nouts == 0 && i < s->ndeps; i++, sep = ", ")
		buf_addf(b, "%s%s", sep, s->deps[i].path);
	for (size_t i = 0; s->nouts == 0 && i < s->nparams; i++, sep = ", ")
		buf_addf(b, "%s%s", sep, s->params[i].file);
	if (b->n == 0)
		buf_adds(b, "No outputs or dependencies");
}

static void
about_file(struct buf *b, const struct dvc_file *f)
{
	for (size_t i = 0; i < f->nouts; i++)
		buf_addf(b, "%s%s", i == 0 ? "Outputs " : ", ", f->outs[i].path);
	for (size_t i = 0; f->nouts == 0 && i < f->ndeps; i++)
		buf_addf(b, "%s%s", i == 0 ? "Depends on " : ", ",
			 f->deps[i].path != NULL ? f->deps[i].path : "");
	if (b->n == 0)
		buf_adds(b, "No outputs or dependencies");
}

/* The first line of a description that has something in it, without the blanks around it. */
static void
put_line(struct buf *b, const char *desc)
{
	size_t n;

	while (desc != NULL && (n = strcspn(desc, "\n\r")) == 0 && *desc != '\0')
		desc++;
	if (desc == NULL)
		return;
	while (n > 0 && strchr(" \t", *desc) != NULL) {
		desc++;
		n--;
	}
	while (n > 0 && strchr(" \t", desc[n - 1]) != NULL)
		n--;
	buf_add(b, desc, n);
}

static const char *
desc_of(const struct row *r)
{
	const struct yaml_node *n;

	if (r->stage == NULL)
		return r->file->file->desc;
	n = yaml_get(r->stage->node, "desc");
	return n != NULL ? n->str : NULL;
}

/* At most ABOUT_MAX characters. */
static void
cut(struct buf *b)
{
	size_t at = 0, last = 0, n = 0;
	uint32_t c;
	int len;

	for (; at < b->n && n < ABOUT_MAX; at += (size_t)(len > 0 ? len : -len), n++) {
		last = at;
		len = utf8_decode(b->p + at, b->n - at, &c);
	}
	if (at == b->n)
		return;
	buf_truncate(b, last);
	buf_adds(b, "\xe2\x80\xa6");
}

static void
put_about(struct buf *b, const struct row *r)
{
	struct buf text;

	buf_init(&text, 0);
	put_line(&text, desc_of(r));
	if (text.n == 0 && r->stage != NULL)
		about_stage(&text, r->stage);
	else if (text.n == 0)
		about_file(&text, r->file->file);
	cut(&text);
	text_put(b, text.p, text.n);
	buf_release(&text);
}

/* A stage of the dvc.yaml here goes by its name alone. */
static void
put_name(const struct listing *k, const struct row *r, struct buf *b)
{
	size_t n = b->n;

	artifact_put_path(&k->a, r->file->path, b);
	if (r->stage == NULL)
		return;
	if (strcmp(b->p + n, "dvc.yaml") == 0)
		buf_truncate(b, n);
	else
		buf_addc(b, ':');
	text_put(b, r->stage->name, strlen(r->stage->name));
}

static void
put_rows(struct listing *k)
{
	struct buf *out = &k->a.c->out, name;
	size_t width = 0, n;

	buf_init(&name, 0);
	vec_foreach (&k->rows, struct row, r) {
		buf_clear(&name);
		put_name(k, r, &name);
		n = text_columns(name.p, name.n);
		width = n > width ? n : width;
	}
	vec_foreach (&k->rows, struct row, r) {
		buf_clear(&name);
		put_name(k, r, &name);
		buf_add(out, name.p, name.n);
		if (!k->o->name_only) {
			n = text_columns(name.p, name.n);
			buf_addf(out, "%*s", (int)(width + 2 - n), "");
			put_about(out, r);
		}
		buf_addc(out, '\n');
		if (cli_flush_some(k->a.c) != 0)
			break;
	}
	buf_release(&name);
}

int
stage_list(struct cli *c, const struct stage_list *o)
{
	struct listing k = {.o = o};
	struct err err = {0};
	int rc, code = EXIT_OK;

	rc = artifact_open(c, o->common, false, &k.a, &err);
	if (rc == 0)
		rc = artifact_again(&k.a, work, &k, &err);
	if (rc == 0)
		put_rows(&k);
	else
		code = artifact_fail(&k.a, &err);
	vec_release(&k.rows);
	artifact_close(&k.a);
	return code;
}
