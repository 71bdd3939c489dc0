#include "scheduler/exec_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "scheduler/exec_spawn.h"
#include "tasks/proto/shim_spec.h"

void
exec_cgroup_put(struct exec_cgroups *g, const struct shim_spec *spec, struct buf *out)
{
	/* With leave_children it would stay for good. */
	if (spec->memory <= 0 || spec->leave_children)
		return;
	if (!g->sought)
		cgroup_place_find(&g->place);
	g->sought = true;
	if (g->place.kind != SHIM_CGROUP_NONE)
		cgroup_path(&g->place, spec->attempt_id, out);
}

void
exec_cgroup_make(const struct exec_cgroups *g, const char *dir, const char *path,
		 int64_t memory)
{
	struct err err = {0};
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dirfd == -1)
		(void)err_sys(&err, errno, "cannot open '%s'", dir);
	/* Written down first, so that there is none that nobody knows of. */
	if (dirfd == -1 || cgroup_remember(dirfd, path, &err) != 0 ||
	    cgroup_make(&g->place, path, memory, &err) != 0)
		log_warn("an attempt's memory is watched without a cgroup: %s", err.msg);
	if (dirfd != -1)
		(void)close(dirfd);
}

void
exec_cgroup_forget(const struct project *p, const char *dir, const char *id)
{
	int dirfd = exec_open_dir(p, dir);

	if (dirfd == -1)
		return;
	cgroup_forget(dirfd, id);
	(void)close(dirfd);
}
