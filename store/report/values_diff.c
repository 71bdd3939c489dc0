#include "store/report/values_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/yaml.h"
#include "store/pipeline/value.h"
#include "store/pipeline/value_text.h"
#include "store/report/tracked_values.h"

/* ---- laying flat ---- */

struct flatten {
	struct arena *a;
	struct flat_values *out;
	struct buf key, text;
	struct err *err;
};

static int
put(struct flatten *f, const struct yaml_node *v)
{
	struct flat_value one = {.value = v};

	if (v->kind == YAML_SEQ) {
		buf_clear(&f->text);
		value_put_repr(v, &f->text);
		if (f->text.state == BUF_TOOBIG)
			return err_set(f->err, ERR_LIMIT,
				       "a list is too long to be shown");
		one.value = buf_failed(&f->text)
				? NULL
				: value_str(f->a, f->text.p, f->text.n, NULL);
	}
	one.key = arena_strndup(f->a, f->key.p, f->key.n);
	if (one.key == NULL || one.value == NULL || buf_failed(&f->key) ||
	    vec_push(&f->out->v, one) != 0)
		return err_nomem(f->err);
	return 0;
}

static int
lay(struct flatten *f, const struct yaml_node *v, unsigned depth)
{
	size_t n = f->key.n;
	int rc = 0;

	if (v->kind != YAML_MAP)
		return put(f, v);
	if (depth == FLAT_DEPTH_MAX)
		return err_set(f->err, ERR_LIMIT,
			       "values are nested more than %d levels deep",
			       FLAT_DEPTH_MAX);
	for (size_t i = 0; i < v->map.n && rc == 0; i++) {
		const struct yaml_node *k = v->map.v[i].key;

		if (depth != 0)
			buf_addc(&f->key, '.');
		value_put_plain(k, &f->key);
		rc = lay(f, v->map.v[i].val, depth + 1);
		buf_truncate(&f->key, n);
	}
	return rc;
}

int
flat_values(struct arena *a, const struct yaml_node *v, struct flat_values *out,
	    struct err *err)
{
	struct flatten f = {.a = a, .out = out, .err = err};
	int rc;

	buf_init(&f.key, 0);
	buf_init(&f.text, 0);
	rc = lay(&f, v, 0);
	buf_release(&f.text);
	buf_release(&f.key);
	return rc;
}

void
flat_values_release(struct flat_values *v)
{
	vec_release(&v->v);
}

static int
by_key(const void *a, const void *b)
{
	const struct flat_value *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* ---- comparing ---- */

struct compare {
	struct arena *a;
	bool all;
	struct values_diff *out;
	struct err *err;
};

static int
note(struct compare *c, const char *path, const char *key, const struct yaml_node *old,
     const struct yaml_node *new)
{
	struct value_change one = {.path = path, .key = key, .old = old, .new = new};
	struct yaml_node *d = NULL;

	/* A null is as good as nothing. */
	if (!c->all && ((old == NULL || old->kind == YAML_NULL) &&
			(new == NULL || new->kind == YAML_NULL)))
		return 0;
	if (old != NULL && new != NULL) {
		if (!c->all && value_equal(old, new))
			return 0;
		if (value_minus(c->a, new, old, &d) != 0)
			return err_nomem(c->err);
		one.diff = d;
	}
	return vec_push(&c->out->v, one) == 0 ? 0 : err_nomem(c->err);
}

/* The members of both sides, each sorted, side by side. */
static int
compare_flat(struct compare *c, const char *path, const struct flat_values *old,
	     const struct flat_values *new, const struct yaml_node *other)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < old->v.n || k < new->v.n)) {
		int r = i == old->v.n	? 1
			: k == new->v.n ? -1
					: strcmp(old->v.v[i].key, new->v.v[k].key);
		const struct flat_value *x = r <= 0 ? &old->v.v[i++] : NULL;
		const struct flat_value *y = r >= 0 ? &new->v.v[k++] : NULL;

		/* Where one side is no mapping, nothing can stand beside the members. */
		rc = note(c, path, x != NULL ? x->key : y->key,
			  x != NULL ? x->value : other, y != NULL ? y->value : other);
	}
	return rc;
}

static bool
is_map(const struct yaml_node *v)
{
	return v == NULL || v->kind == YAML_MAP;
}

static int
flat_side(struct compare *c, const struct yaml_node *v, struct flat_values *out)
{
	if (v == NULL || v->kind != YAML_MAP)
		return 0;
	if (flat_values(c->a, v, out, c->err) != 0)
		return -1;
	if (out->v.n > 1)
		qsort(out->v.v, out->v.n, sizeof(*out->v.v), by_key);
	return 0;
}

/* A list, or a scalar. */
static const struct yaml_node *
as_text(struct compare *c, const struct yaml_node *v)
{
	struct flat_values one = {0};
	const struct yaml_node *text = NULL;

	if (flat_values(c->a, v, &one, c->err) == 0)
		text = one.v.v[0].value;
	flat_values_release(&one);
	return text;
}

static int
compare_file(struct compare *c, const char *path, const struct yaml_node *old,
	     const struct yaml_node *new)
{
	static const char unable[] = "unable to parse";
	struct flat_values x = {0}, y = {0};
	const struct yaml_node *other = NULL;
	int rc = -1;

	if (!is_map(old) && !is_map(new)) {
		old = as_text(c, old);
		new = old != NULL ? as_text(c, new) : NULL;
		return new != NULL ? note(c, path, "", old, new) : -1;
	}
	if (!is_map(old) || !is_map(new)) {
		other = value_str(c->a, unable, sizeof unable - 1, NULL);
		if (other == NULL)
			return err_nomem(c->err);
	}
	if (flat_side(c, old, &x) == 0 && flat_side(c, new, &y) == 0)
		rc = compare_flat(c, path, &x, &y, other);
	flat_values_release(&x);
	flat_values_release(&y);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	const struct tracked_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The files of one side, sorted. */
static struct tracked_file *
sorted(struct arena *a, const struct tracked_values *v)
{
	struct tracked_file *f = arena_array(a, v->files.n + 1, sizeof *f);

	if (f == NULL)
		return NULL;
	if (v->files.n != 0)
		memcpy(f, v->files.v, v->files.n * sizeof *f);
	qsort(f, v->files.n, sizeof *f, by_path);
	return f;
}

int
values_diff(struct arena *a, const struct tracked_values *old,
	    const struct tracked_values *new, bool all, struct values_diff *out,
	    struct err *err)
{
	struct compare c = {.a = a, .all = all, .out = out, .err = err};
	struct tracked_file *x = sorted(a, old), *y = sorted(a, new);
	size_t i = 0, k = 0;
	int rc = x != NULL && y != NULL ? 0 : err_nomem(err);

	while (rc == 0 && (i < old->files.n || k < new->files.n)) {
		int r = i == old->files.n   ? 1
			: k == new->files.n ? -1
					    : strcmp(x[i].path, y[k].path);
		const struct tracked_file *f = r <= 0 ? &x[i++] : NULL;
		const struct tracked_file *g = r >= 0 ? &y[k++] : NULL;

		rc = compare_file(&c, f != NULL ? f->path : g->path,
				  f != NULL ? f->value : NULL,
				  g != NULL ? g->value : NULL);
	}
	return rc;
}

void
values_diff_release(struct values_diff *d)
{
	vec_release(&d->v);
}
