/* The settings of the user's repository, for a trial of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/path.h"
#include "store/dvc/config.h"
#include "store/exp/trial.h"
#include "store/track/track.h"

#define SETTINGS_MAX ((size_t)16 << 20)
#define LOCAL_MODE   0600 /* there may be passwords in them */

/* One that git does not have, or not yet. */
static int
copy(const char *from, const char *to, const char *name, struct err *err)
{
	struct buf src, dst, text;
	int rc = 0;

	buf_init(&src, 0);
	buf_init(&dst, 0);
	buf_init(&text, SETTINGS_MAX);
	path_join(&src, from, name);
	path_join(&dst, to, name);
	if (buf_failed(&src) || buf_failed(&dst))
		rc = err_nomem(err);
	else if (access(dst.p, F_OK) != 0 && access(src.p, F_OK) == 0) {
		rc = fsio_read(AT_FDCWD, src.p, SETTINGS_MAX, &text, err);
		if (rc == 0)
			rc = fsio_replace_lazily(AT_FDCWD, dst.p, text.p, text.n,
						 LOCAL_MODE, err);
	}
	buf_release(&src);
	buf_release(&dst);
	buf_release(&text);
	return rc;
}

struct settle {
	struct config *to;
	struct err *err;
};

/* A path that is seen from where the settings were leads elsewhere from here. */
static int
settle_path(void *ctx, const struct config_item *it)
{
	struct settle *s = ctx;
	struct buf path;
	char *cwd;
	int rc;

	if (it->level != CONFIG_REPO && it->level != CONFIG_LOCAL)
		return 0;
	if (it->value == it->raw || strcmp(it->value, it->raw) == 0)
		return 0;
	buf_init(&path, 0);
	if (it->value[0] == '/') {
		buf_adds(&path, it->value);
	} else {
		cwd = fsio_realpath(".", s->err);
		if (cwd == NULL)
			return -1;
		path_join(&path, cwd, it->value);
		free(cwd);
	}
	rc = buf_failed(&path) ? err_nomem(s->err)
			       : config_set(s->to, CONFIG_LOCAL, it->section, it->name,
					    it->key, path.p, s->err);
	buf_release(&path);
	return rc;
}

static int
settle(const struct track *from, const char *dir, struct err *err)
{
	const struct config_options o = {.dir = dir, .dvc = from->dvc, .unchecked = true};
	struct settle s = {.err = err};
	int rc = config_open(&o, &s.to, err);

	if (rc == 0)
		rc = config_each(from->config, CONFIG_LEVELS, settle_path, &s);
	if (rc == 0)
		rc = config_set(s.to, CONFIG_LOCAL, "cache", NULL, "dir", from->cache_dir,
				err);
	config_close(s.to);
	return rc;
}

int
trial_settings(const struct track *from, const char *root, struct err *err)
{
	struct buf dir;
	int rc;

	buf_init(&dir, 0);
	path_join(&dir, root, from->dvc ? ".dvc" : ".dag");
	rc = buf_failed(&dir) ? err_nomem(err) : fsio_mkdirs(AT_FDCWD, dir.p, 0777, err);
	if (rc == 0)
		rc = copy(from->dir, dir.p, "config", err);
	if (rc == 0)
		rc = copy(from->dir, dir.p, "config.local", err);
	if (rc == 0)
		rc = settle(from, dir.p, err);
	buf_release(&dir);
	return rc == 0 ? 0 : err_wrap(err, "cannot make the settings of an experiment");
}
