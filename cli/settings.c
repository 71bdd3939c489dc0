#include "cli/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "cli/cli.h"
#include "store/project.h"
#include "store/track/track.h"

int
settings_level(struct cli *c, const bool given[CONFIG_LEVELS], enum config_level *level)
{
	int n = 0;

	*level = CONFIG_LEVELS;
	for (int i = 0; i < CONFIG_LEVELS; i++) {
		if (!given[i])
			continue;
		*level = (enum config_level)i;
		n++;
	}
	return n <= 1 ? EXIT_OK
		      : cli_usage(c, "only one of --project, --local, --global and "
				     "--system");
}

int
settings_begin(const struct track *t, enum config_level level, struct err *err)
{
	return level == CONFIG_REPO || level == CONFIG_LOCAL ? track_begins(t, err) : 0;
}

bool
settings_are_new(const struct track *t)
{
	const char *path = config_path(t->config, CONFIG_REPO);

	return path != NULL && access(path, F_OK) != 0;
}

void
settings_tell(struct cli *c, const struct track *t)
{
	char *cwd = fsio_realpath(".", NULL);
	const char *rest;
	struct buf up;

	/* DVC's are entered by `dvc init`. */
	if (t->dvc || t->gitignore == NULL || cwd == NULL || settings_are_new(t)) {
		free(cwd);
		return;
	}
	buf_init(&up, 0);
	if (path_is_below(cwd, t->root)) {
		for (rest = cwd + strlen(t->root); *rest != '\0'; rest++)
			if (*rest != '/' && (rest[1] == '/' || rest[1] == '\0'))
				buf_adds(&up, "../");
	} else {
		buf_adds(&up, t->root);
		buf_addc(&up, '/');
	}
	if (!buf_failed(&up)) {
		buf_adds(&c->out, "to share this by git:  git add ");
		text_put(&c->out, up.p, up.n);
		buf_adds(&c->out, ".dag/config ");
		text_put(&c->out, up.p, up.n);
		buf_adds(&c->out, ".dag/.gitignore\n");
	}
	buf_release(&up);
	free(cwd);
}

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
