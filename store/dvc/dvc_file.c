#include "store/dvc/dvc_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/map.h"
#include "base/yaml.h"
#include "store/dvc/dvc_read.h"

#define AT(member) offsetof(struct dvc_file, member)

/* What the lists of a stage are, until its wdir is known. */
struct raw_stage {
	struct dvc_file f;
	const struct yaml_node *deps;
	const struct yaml_node *outs;
	const struct yaml_node *wdir;
	bool locked;
};

static void
take_wdir(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct raw_stage *raw = into;

	raw->wdir = v;
	if (v->kind == YAML_NULL)
		return;
	if (v->kind != YAML_STR || strlen(v->str) != v->len)
		dvc_read_say(r, v, "'wdir' must be the path of a directory");
	else
		raw->f.wdir = v->str;
}

static void
gone_cmd(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	(void)into;
	dvc_read_say(r, v, "'cmd' stands in dvc.yaml since DVC 1: a .dvc file has none");
}

static const struct dvc_key stage_keys[] = {
    {"desc", DVC_STR, AT(desc), NULL},
    {"md5", DVC_WORD, AT(md5), NULL},
    {"cmd", DVC_BY, 0, gone_cmd},
    {"wdir", DVC_BY, 0, take_wdir},
    {"frozen", DVC_BOOL, AT(frozen), NULL},
    {"locked", DVC_BOOL, offsetof(struct raw_stage, locked), NULL},
    {"deps", DVC_ANY, offsetof(struct raw_stage, deps), NULL},
    {"outs", DVC_ANY, offsetof(struct raw_stage, outs), NULL},
    {"always_changed", DVC_BOOL, AT(always_changed), NULL},
    {"meta", DVC_ANY, AT(meta), NULL},
};

/* Two outs of one path: one of them would win, and nobody could say which. */
static void
check_twice(struct dvc_read *r, const struct yaml_node *outs, struct dvc_file *f)
{
	struct map seen = {0};

	for (size_t i = 0; i < f->nouts; i++) {
		const char *full = f->outs[i].full;
		int rc;

		if (full == NULL)
			continue;
		rc = map_put(&seen, full, &f->outs[i]);
		if (rc < 0)
			r->nomem = true;
		else if (rc > 0)
			dvc_read_say(r, yaml_get(outs->seq.v[i], "path"),
				     "'%.200s' is tracked twice in this file", full);
	}
	map_release(&seen);
}

static void
take_stage(struct dvc_read *r, const struct yaml_node *top, void *into)
{
	struct dvc_file *f = into;
	struct raw_stage raw = {.f = *f};
	const char *full;
	int where;

	/* An empty file is an empty stage. */
	if (top->kind == YAML_NULL)
		return;
	dvc_read_map(r, top, "a .dvc file", stage_keys,
		     sizeof stage_keys / sizeof *stage_keys, &raw);
	*f = raw.f;
	f->frozen = f->frozen || raw.locked;
	if (f->wdir != NULL &&
	    dvc_read_where(r, raw.wdir, NULL, f->wdir, &full, &where) == 0) {
		if (where != DVC_IN_REPO)
			dvc_read_say(r, raw.wdir, "'wdir' leads out of the repository");
		else
			f->full_wdir = full;
	}
	if (raw.deps != NULL)
		dvc_read_entries(r, raw.deps, DVC_FILE_DEPS, f->wdir, &f->deps,
				 &f->ndeps);
	if (raw.outs != NULL) {
		dvc_read_entries(r, raw.outs, DVC_FILE_OUTS, f->wdir, &f->outs,
				 &f->nouts);
		check_twice(r, raw.outs, f);
	}
}

int
dvc_file_set_name(struct dvc_file *f, const char *name, struct err *err)
{
	const char *copy = arena_strdup(f->arena, name), *dir;

	dir = dvc_read_dir(f->arena, name);
	if (copy == NULL || dir == NULL)
		return err_nomem(err);
	f->name = copy;
	f->dir = f->full_wdir = dir;
	f->wdir = NULL;
	return 0;
}

struct dvc_file *
dvc_file_new(const char *name, struct err *err)
{
	struct arena *a = arena_new(0);
	struct dvc_file *f = a != NULL ? arena_zalloc(a, sizeof *f) : NULL;

	if (f != NULL)
		f->arena = a;
	if (f == NULL || dvc_file_set_name(f, name, err) != 0) {
		err_nomem(err);
		arena_free(a);
		return NULL;
	}
	return f;
}

void
dvc_file_free(struct dvc_file *f)
{
	if (f != NULL)
		arena_free(f->arena);
}

int
dvc_file_parse(const char *name, const char *text, size_t len, struct diag *d,
	       struct dvc_file **out, struct err *err)
{
	struct dvc_file *f = dvc_file_new(name, err);
	struct dvc_read r = {0};
	int rc = -1;

	*out = NULL;
	if (f == NULL)
		return -1;
	r.a = f->arena;
	r.dir = f->dir;
	if (len > DVC_FILE_MAX) {
		err_set(err, ERR_LIMIT, "%s holds more than 16 MiB", name);
	} else {
		f->text = arena_strndup(f->arena, text, len);
		f->len = len;
		rc = f->text != NULL
			 ? dvc_read_file(&r, f->name, f->text, len, d, err, take_stage, f)
			 : err_nomem(err);
	}
	/* The caller's diag shows lines of the text even where it is refused. */
	if (rc != 0 && d == NULL)
		dvc_file_free(f);
	else
		*out = f;
	return rc;
}

int
dvc_file_read(int dirfd, const char *name, struct diag *d, struct dvc_file **out,
	      struct err *err)
{
	struct buf text;
	int rc;

	*out = NULL;
	buf_init(&text, DVC_FILE_MAX);
	rc = fsio_read(dirfd, name, DVC_FILE_MAX, &text, err);
	if (rc == 0)
		rc = dvc_file_parse(name, text.p, text.n, d, out, err);
	buf_release(&text);
	return rc;
}
