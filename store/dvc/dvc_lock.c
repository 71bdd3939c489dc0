#include "store/dvc/dvc_lock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/yaml.h"
#include "store/dvc/dvc_dump.h"
#include "store/dvc/dvc_read.h"
#include "store/dvc/yaml_doc.h"
#include "store/dvc/yaml_doc_int.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
take_cmd(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	if (v->kind != YAML_STR && v->kind != YAML_SEQ)
		dvc_read_say(r, v, "'cmd' must be a string or a list, not %s",
			     yaml_kind_name(v->kind));
	else
		((struct dvc_lock_stage *)into)->cmd = v;
}

static void
take_deps(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_lock_stage *s = into;

	dvc_read_entries(r, v, DVC_LOCK_DEPS, NULL, &s->deps, &s->ndeps);
}

static void
take_outs(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_lock_stage *s = into;

	dvc_read_entries(r, v, DVC_LOCK_OUTS, NULL, &s->outs, &s->nouts);
}

static void
take_params(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	if (v->kind != YAML_MAP) {
		dvc_read_say(r, v, "'params' must be a mapping, not %s",
			     yaml_kind_name(v->kind));
		return;
	}
	for (size_t i = 0; i < v->map.n; i++)
		if (v->map.v[i].val->kind != YAML_MAP) {
			dvc_read_say(r, v->map.v[i].val,
				     "the params of a file must be a mapping, not %s",
				     yaml_kind_name(v->map.v[i].val->kind));
			return;
		}
	((struct dvc_lock_stage *)into)->params = v;
}

static const struct dvc_key stage_keys[] = {
    {"cmd", DVC_BY, 0, take_cmd},
    {"deps", DVC_BY, 0, take_deps},
    {"params", DVC_BY, 0, take_params},
    {"outs", DVC_BY, 0, take_outs},
};

static void
take_stages(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	struct dvc_lock *lock = into;

	if (v->kind != YAML_MAP || v->map.n > DVC_LOCK_STAGE_MAX) {
		dvc_read_say(r, v, "'stages' must be a mapping of up to 100,000 names");
		return;
	}
	lock->stages = arena_array(r->a, v->map.n + 1, sizeof *lock->stages);
	if (lock->stages == NULL) {
		r->nomem = true;
		return;
	}
	lock->cap = v->map.n + 1;
	for (size_t i = 0; i < v->map.n; i++) {
		const struct yaml_node *key = v->map.v[i].key, *val = v->map.v[i].val;
		struct dvc_lock_stage *s = &lock->stages[lock->nstages];

		if (key->len == 0 || key->len > DVC_LOCK_NAME_MAX ||
		    strlen(key->str) != key->len) {
			dvc_read_say(r, key, "a stage's name must have 1 to 1,000 bytes");
			continue;
		}
		s->name = key->str;
		s->line = key->line;
		s->col = key->col;
		dvc_read_map(r, val, "a stage", stage_keys, COUNT(stage_keys), s);
		if (val->kind == YAML_MAP && yaml_get(val, "cmd") == NULL)
			dvc_read_say(r, key, "stage '%.100s' needs 'cmd'", s->name);
		lock->nstages++;
	}
}

static void
take_schema(struct dvc_read *r, const struct yaml_node *v, void *into)
{
	if (v->kind != YAML_STR || strcmp(v->str, "2.0") != 0)
		dvc_read_say(r, v, "'schema' must be '2.0': another is not known");
	else
		((struct dvc_lock *)into)->version = 2;
}

static const struct dvc_key lock_keys[] = {
    {"schema", DVC_BY, 0, take_schema},
    {"stages", DVC_BY, 0, take_stages},
    {"datasets", DVC_ANY, offsetof(struct dvc_lock, datasets), NULL},
};

/* DVC 1 had the stages at the top. */
static bool
is_version_1(const struct yaml_node *top)
{
	for (size_t i = 0; i < top->map.n; i++)
		if (yaml_get(top->map.v[i].val, "cmd") == NULL)
			return false;
	return true;
}

static void
take_lock(struct dvc_read *r, const struct yaml_node *top, void *into)
{
	struct dvc_lock *lock = into;

	lock->version = 2;
	if (top->kind == YAML_NULL)
		return;
	if (top->kind == YAML_MAP && top->map.n != 0 && is_version_1(top)) {
		lock->version = 1;
		take_stages(r, top, lock);
		return;
	}
	dvc_read_map(r, top, "dvc.lock", lock_keys, COUNT(lock_keys), lock);
	if (top->kind == YAML_MAP && top->map.n != 0 && yaml_get(top, "schema") == NULL)
		dvc_read_say(r, top, "dvc.lock needs 'schema'");
}

int
dvc_lock_parse(const char *name, const char *text, size_t len, struct diag *d,
	       struct dvc_lock **out, struct err *err)
{
	struct arena *a = arena_new(0);
	struct dvc_lock *lock = a != NULL ? arena_zalloc(a, sizeof *lock) : NULL;
	struct dvc_read r = {.a = a};
	struct dvc_source source;
	int rc;

	*out = NULL;
	if (lock == NULL) {
		arena_free(a);
		return err_nomem(err);
	}
	lock->arena = a;
	rc = dvc_read_keep(&r, name, text, len, DVC_LOCK_MAX, &source, err);
	lock->name = source.name;
	lock->dir = source.dir;
	lock->text = source.text;
	if (rc == 0)
		rc = dvc_read_file(&r, lock->name, lock->text, len, d, err, take_lock,
				   lock);
	lock->len = len;
	if (rc != 0 && d == NULL)
		dvc_lock_free(lock);
	else
		*out = lock;
	return rc;
}

int
dvc_lock_read(int dirfd, const char *name, struct diag *d, struct dvc_lock **out,
	      struct err *err)
{
	struct buf text;
	int rc;

	*out = NULL;
	buf_init(&text, DVC_LOCK_MAX);
	rc = fsio_read(dirfd, name, DVC_LOCK_MAX, &text, err);
	if (rc == 0)
		rc = dvc_lock_parse(name, text.p, text.n, d, out, err);
	buf_release(&text);
	return rc;
}

void
dvc_lock_free(struct dvc_lock *lock)
{
	if (lock != NULL)
		arena_free(lock->arena);
}

struct dvc_lock_stage *
dvc_lock_find(const struct dvc_lock *lock, const char *name)
{
	for (size_t i = 0; i < lock->nstages; i++)
		if (strcmp(lock->stages[i].name, name) == 0)
			return &lock->stages[i];
	return NULL;
}

static void
take_entry(struct dvc_read *r, const struct yaml_node *top, void *into)
{
	dvc_read_map(r, top, "a stage", stage_keys, COUNT(stage_keys), into);
	if (top->kind == YAML_MAP && yaml_get(top, "cmd") == NULL)
		dvc_read_say(r, top, "a stage needs 'cmd'");
}

int
dvc_lock_entry_parse(struct arena *a, struct diag *d, const char *name, const char *dir,
		     const char *text, size_t len, struct dvc_lock_stage *out,
		     struct err *err)
{
	struct dvc_read r = {.a = a, .dir = dir};
	const char *kept;

	*out = (struct dvc_lock_stage){0};
	if (len > DVC_LOCK_MAX)
		return err_set(err, ERR_LIMIT, "the entry of %s holds more than 16 MiB",
			       name);
	kept = arena_strndup(a, text, len);
	out->name = arena_strdup(a, name);
	if (kept == NULL || out->name == NULL)
		return err_nomem(err);
	return dvc_read_file(&r, name, kept, len, d, err, take_entry, out);
}

/* Room for one more, in its place. */
static struct dvc_lock_stage *
insert(struct dvc_lock *lock, const char *before)
{
	const struct dvc_lock_stage *next =
	    before != NULL ? dvc_lock_find(lock, before) : NULL;
	size_t at = next != NULL ? (size_t)(next - lock->stages) : lock->nstages;
	struct dvc_lock_stage *v = lock->stages;

	if (lock->nstages == lock->cap) {
		v = arena_array(lock->arena, 2 * lock->cap + 8, sizeof *v);
		if (v == NULL)
			return NULL;
		if (lock->nstages != 0)
			memcpy(v, lock->stages, lock->nstages * sizeof *v);
		lock->cap = 2 * lock->cap + 8;
	}
	memmove(v + at + 1, v + at, (lock->nstages - at) * sizeof *v);
	lock->stages = v;
	lock->nstages++;
	return v + at;
}

int
dvc_lock_put(struct dvc_lock *lock, const char *name, const char *text,
	     const char *before, struct err *err)
{
	struct dvc_lock_stage *to = dvc_lock_find(lock, name), s;

	if (*name == '\0' || strlen(name) > DVC_LOCK_NAME_MAX)
		return err_set(err, ERR_LIMIT,
			       "a stage's name must have 1 to 1,000 bytes");
	if (to == NULL && lock->nstages >= DVC_LOCK_STAGE_MAX)
		return err_set(err, ERR_LIMIT, "%s cannot have more than 100,000 stages",
			       lock->name);
	if (dvc_lock_entry_parse(lock->arena, NULL, name, lock->dir, text, strlen(text),
				 &s, err) != 0)
		return -1;
	if (to == NULL && (to = insert(lock, before)) == NULL)
		return err_nomem(err);
	s.changed = true;
	*to = s;
	return 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct dvc_out *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static void
put_entries(struct yaml_doc *doc, struct yaml_val *stage, const char *key,
	    const struct dvc_out *outs, size_t n)
{
	const struct dvc_out **sorted = calloc(n + 1, sizeof *sorted);
	struct yaml_val *list = yaml_val_seq(doc);

	for (size_t i = 0; sorted != NULL && i < n; i++)
		sorted[i] = &outs[i];
	if (sorted != NULL)
		qsort(sorted, n, sizeof *sorted, by_path);
	for (size_t i = 0; i < n; i++)
		yaml_val_add(doc, list,
			     sorted != NULL ? dvc_dump_locked(doc, sorted[i]) : NULL);
	if (n != 0)
		yaml_val_put(doc, stage, key, list);
	free(sorted);
}

void
dvc_lock_put_entry(struct yaml_doc *doc, struct yaml_val *v,
		   const struct dvc_lock_stage *s)
{
	yaml_val_put(doc, v, "cmd", yaml_val_from(doc, s->cmd));
	put_entries(doc, v, "deps", s->deps, s->ndeps);
	if (s->params != NULL && s->params->map.n != 0)
		yaml_val_put(doc, v, "params",
			     s->settled ? yaml_val_settled(doc, s->params)
					: yaml_val_from(doc, s->params));
	put_entries(doc, v, "outs", s->outs, s->nouts);
}

/* The stages, of a file that is still empty, too. */
static struct yaml_val *
stages_of(struct yaml_doc *doc)
{
	struct yaml_val *root = yaml_doc_root(doc), *stages;

	if (yaml_val_count(root) == 0)
		yaml_val_put(doc, root, "schema", yaml_val_str(doc, "2.0"));
	stages = yaml_val_get(root, "stages");
	if (stages == NULL || stages->kind != YV_MAP) {
		stages = yaml_val_map(doc);
		yaml_val_put(doc, root, "stages", stages);
	}
	return stages;
}

/* In the place of what is there; a new one before that which follows it in the lock. */
static void
put_stage(struct yaml_doc *doc, struct yaml_val *stages, const struct dvc_lock *lock,
	  size_t i)
{
	const struct dvc_lock_stage *s = &lock->stages[i];
	bool new = yaml_val_get(stages, s->name) == NULL;
	struct yaml_val *v = yaml_val_map(doc);

	dvc_lock_put_entry(doc, v, s);
	yaml_val_put(doc, stages, s->name, v);
	/* Those behind it that are new are put after it. */
	for (size_t k = i + 1; new &&k < lock->nstages; k++)
		if (yaml_val_get(stages, lock->stages[k].name) != NULL) {
			yaml_val_last_before(stages, lock->stages[k].name);
			break;
		}
}

static bool
is_changed(const struct dvc_lock *lock)
{
	for (size_t i = 0; i < lock->nstages; i++)
		if (lock->stages[i].changed)
			return true;
	return false;
}

int
dvc_lock_dump(const struct dvc_lock *lock, struct buf *out, struct err *err)
{
	struct yaml_doc *doc;
	struct yaml_val *stages;
	int rc;

	if (lock->version != 2)
		return err_set(
		    err, ERR_INVALID,
		    "%s is of DVC 1: let DVC write it once before it is changed",
		    lock->name);
	if (yaml_doc_parse(lock->name, lock->text, lock->len, &doc, err) != 0)
		return -1;
	stages = is_changed(lock) ? stages_of(doc) : NULL;
	for (size_t i = 0; i < lock->nstages; i++)
		if (lock->stages[i].changed)
			put_stage(doc, stages, lock, i);
	rc = yaml_doc_dump(doc, out, err);
	yaml_doc_free(doc);
	return rc;
}

/*
 * Nothing is written that would not be read back as what it is to say.  Whether a path is
 * inside of the repository can only be told with dvc.yaml, so the paths themselves count.
 */
static bool
is_same(const struct dvc_lock *lock, const struct dvc_lock *back)
{
	if (lock->nstages != back->nstages)
		return false;
	for (size_t i = 0; i < lock->nstages; i++) {
		const struct dvc_lock_stage *s = &lock->stages[i];
		const struct dvc_lock_stage *b = &back->stages[i];

		if (strcmp(s->name, b->name) != 0 || s->ndeps != b->ndeps ||
		    s->nouts != b->nouts)
			return false;
	}
	return true;
}

static int
check_text(const struct dvc_lock *lock, const struct buf *text, struct err *err)
{
	struct dvc_lock *back = NULL;
	bool same = dvc_lock_parse(lock->name, text->p, text->n, NULL, &back, err) == 0 &&
		    is_same(lock, back);

	if (back != NULL && !same)
		err_set(err, ERR_INVALID,
			"%s is left alone: what was to be written would be read as "
			"something else",
			lock->name);
	dvc_lock_free(back);
	return same ? 0 : -1;
}

int
dvc_lock_write(const struct dvc_lock *lock, int dirfd, bool *changed, struct err *err)
{
	bool differs = false;
	struct buf text;
	struct stat st;
	int rc = 0;

	buf_init(&text, DVC_LOCK_MAX);
	if (is_changed(lock))
		rc = dvc_lock_dump(lock, &text, err);
	if (rc == 0 && is_changed(lock))
		differs = text.n != lock->len || memcmp(text.p, lock->text, text.n) != 0;
	if (differs)
		rc = check_text(lock, &text, err);
	if (differs && rc == 0) {
		mode_t mode =
		    fstatat(dirfd, lock->name, &st, 0) == 0 ? st.st_mode & 0777 : 0666;

		rc = fsio_replace(dirfd, lock->name, text.p, text.n, mode, err);
	}
	buf_release(&text);
	if (rc == 0 && changed != NULL)
		*changed = differs;
	return rc;
}
