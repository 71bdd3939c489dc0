/* What writers that were killed have left in a store. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fsio.h"
#include "store/objects/objects_internal.h"
#include "store/objects/runs.h"

struct sweep {
	bool (*is_temp)(const char *);
	int64_t before_s;
	size_t n;
};

static int
sweep_name(void *arg, int fd, const char *name)
{
	struct sweep *s = arg;
	struct stat st;

	if (!s->is_temp(name) || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || st.st_mtim.tv_sec >= s->before_s)
		return 0;
	if (fsio_unlink(fd, name) == 0)
		s->n++;
	else if (errno != ENOENT && errno != EACCES && errno != EPERM)
		return -1;
	return 0;
}

static int
sweep_objects(struct objects *o, const bool *where, struct sweep *s)
{
	char name[3];
	int r = 0;

	s->is_temp = temp_is_name;
	for (int legacy = 0; r == 0 && legacy <= 1; legacy++) {
		int base = objects_base(o, legacy != 0, false);

		if (base < 0)
			continue;
		r = objects_each_name(base, ".", sweep_name, s);
		for (unsigned i = 0; r == 0 && i < OBJECT_PREFIXES; i++) {
			if (where != NULL && !where[i])
				continue;
			objects_prefix_name(i, name);
			r = objects_each_name(base, name, sweep_name, s);
		}
	}
	return r;
}

/* ---- the run cache ---- */

static int
sweep_key(void *arg, int fd, const char *name)
{
	return name[0] != '.' ? objects_each_name(fd, name, sweep_name, arg) : 0;
}

static int
sweep_prefix(void *arg, int fd, const char *name)
{
	return name[0] != '.' ? objects_each_name(fd, name, sweep_key, arg) : 0;
}

static int
sweep_runs(struct objects *o, struct sweep *s)
{
	int base = objects_base(o, true, false);

	s->is_temp = fsio_is_temp;
	return base >= 0 ? objects_each_name(base, RUN_DIR, sweep_prefix, s) : 0;
}

/* ---- all of it ---- */

int
objects_sweep(struct objects *o, const bool *where, int64_t before_s, size_t *n,
	      struct err *err)
{
	struct sweep s = {.before_s = before_s};
	int r;

	if (objects_writable(o, err) != 0)
		return -1;
	r = sweep_objects(o, where, &s);
	if (r == 0 && where == NULL)
		r = sweep_runs(o, &s);
	if (n != NULL)
		*n = s.n;
	return r == 0
		   ? 0
		   : err_sys(err, errno, "cannot remove temporary files of '%s'", o->dir);
}
