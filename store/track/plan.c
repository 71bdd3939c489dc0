#include "store/track/plan.h"

#include <string.h>

#include "base/err.h"
#include "base/vec.h"

/* The files of one side: a list, or the one that stands for the out. */
struct files {
	const struct tree_entry *v;
	size_t n;
};

struct making {
	struct plan *p;
	struct files have, want;
	const char *only;
	size_t only_len;
	bool relink;
	struct err *err;
};

static int
push(struct making *m, const struct tree_entry *want, const struct tree_entry *have)
{
	struct action a = {.want = want, .have = have};

	return vec_push(m->p, a) == 0 ? 0 : err_nomem(m->err);
}

static struct files
files_of(const struct plan_side *s, struct tree_entry *file)
{
	if (!s->there)
		return (struct files){NULL, 0};
	if (s->dir)
		return (struct files){s->tree->v, s->tree->n};
	*file = (struct tree_entry){.path = "", .size = TREE_SIZE_UNKNOWN};
	memcpy(file->md5, s->id.md5, sizeof(file->md5));
	return (struct files){file, 1};
}

/* Whether ${path} is ${dir} or lies below it; everything does below "". */
static bool
is_within(const char *path, size_t len, const char *dir, size_t dir_len)
{
	return dir_len == 0 || (len >= dir_len && memcmp(path, dir, dir_len) == 0 &&
				(len == dir_len || path[dir_len] == '/'));
}

static bool
is_asked_for(const struct making *m, const struct tree_entry *e)
{
	return m->only == NULL || is_within(e->path, e->len, m->only, m->only_len);
}

/* A file where a directory on the way to what is asked for must be. */
static bool
is_in_the_way(const struct making *m, const struct tree_entry *e)
{
	return m->only != NULL && is_within(m->only, m->only_len, e->path, e->len);
}

static int
compare(const struct tree_entry *a, const struct tree_entry *b)
{
	int r = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);

	return r != 0 ? r : (a->len > b->len) - (a->len < b->len);
}

/* The next pair of the two lists: one or both of its ends. */
static bool
next(const struct making *m, size_t *i, size_t *k, struct action *a)
{
	const struct tree_entry *have = *i < m->have.n ? &m->have.v[*i] : NULL;
	const struct tree_entry *want = *k < m->want.n ? &m->want.v[*k] : NULL;
	int order;

	if (have == NULL && want == NULL)
		return false;
	if (have == NULL)
		order = 1;
	else if (want == NULL)
		order = -1;
	else
		order = compare(have, want);
	*a = (struct action){.have = order <= 0 ? have : NULL,
			     .want = order >= 0 ? want : NULL};
	*i += order <= 0;
	*k += order >= 0;
	return true;
}

static int
find_removed(struct making *m)
{
	size_t i = 0, k = 0;
	struct action a;

	while (next(m, &i, &k, &a)) {
		if (a.want != NULL ||
		    (!is_asked_for(m, a.have) && !is_in_the_way(m, a.have)))
			continue;
		if (push(m, NULL, a.have) != 0)
			return -1;
		m->p->removed++;
	}
	return 0;
}

static int
find_put(struct making *m)
{
	bool one_hash = m->p->have_legacy == m->p->want_legacy;
	size_t i = 0, k = 0;
	struct action a;

	while (next(m, &i, &k, &a)) {
		if (a.want == NULL || !is_asked_for(m, a.want))
			continue;
		if (a.have == NULL) {
			m->p->made++;
		} else if (!one_hash ||
			   memcmp(a.have->md5, a.want->md5, sizeof(a.have->md5)) != 0) {
			m->p->replaced++;
		} else {
			if (!m->relink)
				continue;
			m->p->relinked++;
		}
		if (push(m, a.want, a.have) != 0)
			return -1;
	}
	return 0;
}

int
plan_make(const struct plan_side *have, const struct plan_side *want, const char *only,
	  bool relink, struct plan *p, struct err *err)
{
	struct making m = {.p = p, .only = only, .relink = relink, .err = err};

	*p =
	    (struct plan){.have_legacy = have->id.legacy, .want_legacy = want->id.legacy};
	m.have = files_of(have, &p->have_file);
	m.want = files_of(want, &p->want_file);
	m.only_len = only != NULL ? strlen(only) : 0;
	p->have_dir = have->there && have->dir;
	p->want_dir = want->there && want->dir;
	/* A file that becomes a directory, or the other way round, is another thing. */
	if (have->there && want->there && have->dir != want->dir)
		m.only = NULL;
	return find_removed(&m) == 0 ? find_put(&m) : -1;
}

void
plan_release(struct plan *p)
{
	vec_free(p->v);
	*p = (struct plan){0};
}

void
plan_id(const struct tree_entry *e, bool legacy, struct object_id *id)
{
	*id = (struct object_id){.legacy = legacy};
	memcpy(id->md5, e->md5, sizeof(id->md5));
}
