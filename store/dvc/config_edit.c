#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "store/dvc/config_internal.h"
#include "store/dvc/config_schema.h"

/* What lets git see the settings of a project without DVC. */
static const char gitignore_open[] = "*\n!/.gitignore\n!/config\n";

struct find {
	const char *section, *name;
	struct buf *out;
};

static int
find_written(void *ctx, const char *written, const char *key, const struct ini_value *v,
	     unsigned line)
{
	struct find *f = ctx;
	const char *section, *name;
	size_t n, len;

	(void)v;
	(void)line;
	if (key != NULL || !config_split_name(written, &section, &n, &name, &len) ||
	    strlen(f->section) != n || strncasecmp(f->section, section, n) != 0 ||
	    strlen(f->name) != len || strncasecmp(f->name, name, len) != 0)
		return 0;
	buf_adds(f->out, written);
	return 1;
}

int
config_section_name(const struct ini *ini, const char *section, const char *name,
		    struct buf *out, struct err *err)
{
	struct find f = {section, name, out};

	if (name == NULL)
		buf_adds(out, section);
	else if (ini_each(ini, find_written, &f) == 0)
		buf_addf(out, "%s \"%s\"", section, name);
	return buf_failed(out) ? err_nomem(err) : 0;
}

/* The directory of a level's file. */
static void
put_dir(const struct config *c, enum config_level level, struct buf *out)
{
	const char *path = c->files[level].path;

	buf_add(out, path, (size_t)(strrchr(path, '/') - path));
}

/* Without DVC the state directory hides all that is in it, until there are settings to share. */
static int
show_to_git(const struct config *c, struct err *err)
{
	struct buf path, text;
	int rc = 0;

	buf_init(&path, 0);
	buf_init(&text, 0);
	buf_addf(&path, "%s/.gitignore", c->dir);
	if (buf_failed(&path))
		rc = err_nomem(err);
	else if (fsio_read(AT_FDCWD, path.p, 4096, &text, NULL) != 0 ||
		 strcmp(text.p, "*\n") == 0)
		rc = fsio_replace(AT_FDCWD, path.p, gitignore_open,
				  sizeof(gitignore_open) - 1, 0666, err);
	buf_release(&text);
	buf_release(&path);
	return rc;
}

int
config_write(struct config *c, enum config_level level, struct err *err)
{
	const struct config_file *f = &c->files[level];
	struct buf text;
	int rc = 0;

	buf_init(&text, INI_MAX);
	ini_write(f->ini, &text);
	if (text.state == BUF_TOOBIG)
		rc = err_set(err, ERR_LIMIT, "'%s' would pass the limit of 256 KiB",
			     f->path);
	else if (buf_failed(&text))
		rc = err_nomem(err);
	if (rc == 0 && level == CONFIG_REPO && !c->dvc)
		rc = show_to_git(c, err);
	if (rc == 0)
		rc = fsio_replace(AT_FDCWD, f->path, text.p, text.n, f->mode, err);
	buf_release(&text);
	return rc;
}

/* Whoever writes a file of settings has its directory locked since he read it. */
static int
lock_level(struct config *c, enum config_level level, struct err *err)
{
	struct buf dir;
	int rc = -1;

	buf_init(&dir, 0);
	put_dir(c, level, &dir);
	if (buf_failed(&dir))
		(void)err_nomem(err);
	else if (fsio_mkdirs(AT_FDCWD, dir.p, 0777, err) == 0)
		rc = c->lock = fsio_lock_dir(AT_FDCWD, dir.p, err);
	buf_release(&dir);
	return rc < 0 ? -1 : 0;
}

static void
unlock(struct config *c)
{
	if (c->lock >= 0)
		(void)close(c->lock);
	c->lock = -1;
}

int
config_edit_begin(struct config *c, enum config_level level, struct err *err)
{
	if (c->files[level].path == NULL)
		return err_set(err, ERR_INVALID,
			       "there is no repository here to hold the setting: use "
			       "--global, or run dag in a project");
	if (lock_level(c, level, err) != 0)
		return -1;
	/* What somebody else has written since it was opened stays. */
	if (config_read_file(&c->files[level], err) != 0)
		return -1;
	if (c->files[level].ini != NULL)
		return ini_lower(c->files[level].ini, err);
	return ini_parse(c->files[level].path, "", 0, &c->files[level].ini, err);
}

int
config_edit_end(struct config *c, enum config_level level, int rc, struct err *err)
{
	bool unchecked = c->unchecked;

	c->unchecked = false;
	if (rc == 0)
		rc = config_merge(c, level, err);
	/* A stronger level may not go with it: then all would be refused from now on. */
	if (rc == 0 && !unchecked)
		rc = config_merge(c, CONFIG_LEVELS, err);
	c->unchecked = unchecked;
	if (rc == 0)
		rc = config_write(c, level, err);
	unlock(c);
	if (rc == 0)
		return config_load(c, err);
	/* What was refused is forgotten. */
	if (config_load(c, NULL) != 0)
		c->all.n = 0;
	return -1;
}

int
config_set_option(struct config *c, enum config_level level, const char *section,
		  const char *name, const char *key, const char *value, struct err *err)
{
	struct ini *ini = c->files[level].ini;
	const struct config_option *o;
	struct buf written, dir, path;
	int rc = -1;

	buf_init(&written, 0);
	buf_init(&dir, 0);
	buf_init(&path, 0);
	put_dir(c, level, &dir);
	if (config_find_option(section, key, &o, err) != 0 ||
	    config_section_name(ini, section, name, &written, err) != 0)
		goto out;
	if (value == NULL) {
		rc =
		    ini_unset(ini, written.p, key)
			? 0
			: err_set(err, ERR_NOTFOUND, "'%s' has no value for '%s.%s%s%s'",
				  c->files[level].path, section, name != NULL ? name : "",
				  name != NULL ? "." : "", key);
		goto out;
	}
	if (o != NULL && config_check_value(o, value, false, err) != 0)
		goto out;
	if (buf_failed(&dir)) {
		(void)err_nomem(err);
		goto out;
	}
	if (o != NULL && o->type == CONFIG_PATH) {
		if (config_relate(&path, value, dir.p, err) != 0)
			goto out;
		value = path.p;
	}
	rc = ini_set(ini, written.p, key, value, err);
out:
	buf_release(&path);
	buf_release(&dir);
	buf_release(&written);
	return rc;
}

int
config_set(struct config *c, enum config_level level, const char *section,
	   const char *name, const char *key, const char *value, struct err *err)
{
	int rc = config_edit_begin(c, level, err);

	if (rc == 0)
		rc = config_set_option(c, level, section, name, key, value, err);
	return config_edit_end(c, level, rc, err);
}
