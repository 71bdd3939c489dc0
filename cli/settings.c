#include "cli/settings.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "cli/cli.h"
#include "store/project.h"
#include "store/track/track.h"

static const struct track closed = {.root_fd = -1, .lock = -1};

static int
open_track(struct cli *c, const struct project *p, struct track *t, struct err *err)
{
	struct track_options o = {.project = p, .unchecked = true};
	char *cwd = fsio_realpath(".", err);
	int rc;

	if (cwd == NULL)
		return -1;
	if (c->dir == NULL && path_is_below(cwd, p->root))
		o.where = cwd;
	rc = track_open(&o, t, err);
	free(cwd);
	return rc;
}

int
settings_open(struct cli *c, bool write, struct project *p, struct track *t,
	      struct err *err)
{
	*t = closed;
	*p = (struct project){.root_fd = -1, .state_fd = -1};
	if (project_find(NULL, c->dir, false, p, err) != 0 ||
	    open_track(c, p, t, err) != 0)
		return -1;
	if (!write || t->dvc || p->state_fd >= 0)
		return 0;
	/* Without DVC, the directory of the settings is made by who needs it. */
	track_close(t);
	*t = closed;
	project_release(p);
	if (project_find(NULL, c->dir, true, p, err) != 0)
		return -1;
	return open_track(c, p, t, err);
}
