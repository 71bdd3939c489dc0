#include "store/objects/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/objects/objects_internal.h"

/* ---- which there are ---- */

struct listing {
	struct run_names *names;
	char prefix[3];
	struct run_name at;
	struct err *err;
};

static bool
is_hex(const char *name, size_t n)
{
	return strlen(name) == n && strspn(name, "0123456789abcdef") == n;
}

static int
take_value(void *arg, int dir, const char *name)
{
	struct listing *l = arg;

	(void)dir;
	if (!is_hex(name, RUN_NAME_MAX - 1))
		return 0;
	if (l->names->v.n == RUNS_MAX)
		return err_set(l->err, ERR_LIMIT,
			       "a run cache of more than %d files is not supported",
			       RUNS_MAX);
	memcpy(l->at.value, name, RUN_NAME_MAX);
	return vec_push(&l->names->v, l->at) == 0 ? 0 : err_nomem(l->err);
}

static int
take_key(void *arg, int dir, const char *name)
{
	struct listing *l = arg;

	if (!is_hex(name, RUN_NAME_MAX - 1) || strncmp(name, l->prefix, 2) != 0)
		return 0;
	memcpy(l->at.key, name, RUN_NAME_MAX);
	return objects_each_name(dir, name, take_value, l);
}

static int
take_prefix(void *arg, int dir, const char *name)
{
	struct listing *l = arg;

	if (!is_hex(name, 2))
		return 0;
	memcpy(l->prefix, name, sizeof(l->prefix));
	return objects_each_name(dir, name, take_key, l);
}

static int
by_name(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct run_name));
}

int
runs_list(struct objects *o, struct run_names *names, struct err *err)
{
	struct err why = {0};
	struct listing l = {.names = names, .err = &why};
	int base = objects_base(o, true, false), rc;

	if (base < 0)
		return errno == ENOENT
			   ? 0
			   : err_sys(err, errno, "cannot open '%s'", objects_dir(o));
	rc = objects_each_name(base, RUN_DIR, take_prefix, &l);
	if (rc != 0 && why.code == ERR_NONE)
		(void)err_sys(&why, errno, "cannot be read");
	if (names->v.n > 1)
		qsort(names->v.v, names->v.n, sizeof(*names->v.v), by_name);
	if (rc != 0 && err != NULL)
		*err = why;
	return rc == 0 ? 0 : err_wrap(err, "the run cache of '%s'", objects_dir(o));
}

/* ---- those of one key ---- */

struct aged {
	struct run_name name;
	struct timespec at;
};

struct aging {
	VEC(struct aged) v;
	const char *key;
	struct err *err;
};

static int
take_aged(void *arg, int dir, const char *name)
{
	struct aging *g = arg;
	struct aged a = {0};
	struct stat st;

	if (!is_hex(name, RUN_NAME_MAX - 1) || fstatat(dir, name, &st, 0) != 0)
		return 0;
	if (g->v.n == RUNS_MAX)
		return err_set(g->err, ERR_LIMIT,
			       "a run cache of more than %d files is not supported",
			       RUNS_MAX);
	memcpy(a.name.key, g->key, RUN_NAME_MAX);
	memcpy(a.name.value, name, RUN_NAME_MAX);
	a.at = st.st_mtim;
	return vec_push(&g->v, a) == 0 ? 0 : err_nomem(g->err);
}

static int
by_age(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->at.tv_sec != y->at.tv_sec)
		return x->at.tv_sec > y->at.tv_sec ? -1 : 1;
	if (x->at.tv_nsec != y->at.tv_nsec)
		return x->at.tv_nsec > y->at.tv_nsec ? -1 : 1;
	return memcmp(&x->name, &y->name, sizeof(x->name));
}

int
runs_of(struct objects *o, const char *key, struct run_names *names, struct err *err)
{
	struct err why = {0};
	struct aging g = {.key = key, .err = &why};
	int base = objects_base(o, true, false), rc;
	char path[RUN_PATH_MAX];

	if (base < 0)
		return errno == ENOENT
			   ? 0
			   : err_sys(err, errno, "cannot open '%s'", objects_dir(o));
	(void)snprintf(path, sizeof(path), RUN_DIR "/%.2s/%s", key, key);
	rc = objects_each_name(base, path, take_aged, &g);
	if (rc != 0 && why.code == ERR_NONE)
		(void)err_sys(&why, errno, "cannot be read");
	if (g.v.n > 1)
		qsort(g.v.v, g.v.n, sizeof(*g.v.v), by_age);
	for (size_t i = 0; rc == 0 && i < g.v.n; i++)
		if (vec_push(&names->v, g.v.v[i].name) != 0)
			rc = err_nomem(&why);
	vec_release(&g.v);
	if (rc != 0 && err != NULL)
		*err = why;
	return rc == 0 ? 0 : err_wrap(err, "the run cache of '%s'", objects_dir(o));
}

/* ---- one ---- */

void
runs_path(const struct run_name *name, char out[RUN_PATH_MAX])
{
	(void)snprintf(out, RUN_PATH_MAX, RUN_DIR "/%.2s/%s/%s", name->key, name->key,
		       name->value);
}

int
runs_read(struct objects *o, const struct run_name *name, struct buf *out,
	  struct err *err)
{
	int base = objects_base(o, true, false);
	char path[RUN_PATH_MAX];

	if (base < 0)
		return err_sys(err, errno, "cannot open '%s'", objects_dir(o));
	runs_path(name, path);
	if (fsio_read(base, path, RUN_FILE_MAX, out, err) == 0)
		return 0;
	return err_wrap(err, "in '%s'", objects_dir(o));
}

typedef int replace_fn(int, const char *, const void *, size_t, mode_t, struct err *);

static int
write_run(struct objects *o, const struct run_name *name, const void *p, size_t n,
	  replace_fn *replace, struct err *err)
{
	char path[RUN_PATH_MAX];
	struct buf full;
	int rc = objects_writable(o, err);

	if (rc != 0)
		return -1;
	runs_path(name, path);
	buf_init(&full, 0);
	buf_addf(&full, "%s/%s", objects_dir(o), path);
	if (buf_failed(&full)) {
		rc = err_nomem(err);
	} else {
		char *slash = strrchr(full.p, '/');

		*slash = '\0';
		if (objects_make_dirs(o, full.p, replace == fsio_replace) != 0)
			rc = err_sys(err, errno, "cannot make '%s'", full.p);
		*slash = '/';
	}
	if (rc == 0)
		rc = replace(AT_FDCWD, full.p, p, n, o->shared ? 0664 : 0666, err);
	buf_release(&full);
	return rc;
}

int
runs_write(struct objects *o, const struct run_name *name, const void *p, size_t n,
	   struct err *err)
{
	return write_run(o, name, p, n, fsio_replace, err);
}

int
runs_note(struct objects *o, const struct run_name *name, const void *p, size_t n,
	  struct err *err)
{
	return write_run(o, name, p, n,
			 n <= RUN_PAGE ? fsio_replace_lazily : fsio_replace_whole, err);
}
