#ifndef DAG_STORE_DVC_CONFIG_H
#define DAG_STORE_DVC_CONFIG_H
/*
 * DVC's settings, from four files of which a later one shadows an earlier:
 *
 *	system	$DVC_SYSTEM_CONFIG_DIR/config, else $XDG_CONFIG_DIRS (/etc/xdg) dvc/config
 *	global	$DVC_GLOBAL_CONFIG_DIR/config, else $XDG_CONFIG_HOME (~/.config) dvc/config
 *	repo	.dvc/config
 *	local	.dvc/config.local, which git does not see
 *
 * Without DVC the same with `dag` for `dvc`, and without the two variables.  Names of sections,
 * remotes and options are lower case, whatever the files say.  What DVC does not know is
 * refused as it refuses it.  Paths (a remote's url, cache.dir ...) are as seen from the file
 * they stand in.  Values that are secrets are never part of a message.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct config;
struct err;

enum config_level {
	CONFIG_SYSTEM,
	CONFIG_GLOBAL,
	CONFIG_REPO,
	CONFIG_LOCAL,
	CONFIG_LEVELS
};

struct config_options {
	const char *dir; /* absolute, of the repository's files: ".../.dvc", ".../.dag";
			    NULL: outside of one */
	bool dvc;
	bool
	    unchecked; /* mistakes in what the options are set to are passed over, so that
			   they can be mended by config_set, which checks in any case */
};

/* One setting. */
struct config_item {
	const char *section; /* "core", "remote" ... */
	const char *name;    /* of a remote or a database; NULL: the section has none */
	const char *key;
	const char *value; /* as seen from the current directory; a list with ", " */
	const char *raw;   /* as it is written, quotes aside; %(name)s expanded */
	bool secret;
	enum config_level level;
	unsigned line;
};

/**
 * config_open(options, out, err):
 * Read the files that there are and check them.  Return 0, or -1: a mistake is ERR_INVALID with
 * "file:line: ".
 */
int config_open(const struct config_options *, struct config **, struct err *);

/**
 * config_close(c):
 * Free ${c} and what it handed out; NULL is allowed.
 */
void config_close(struct config *);

/**
 * config_path(c, level):
 * Return the file's path; NULL where the level has none.
 */
const char *config_path(const struct config *, enum config_level);

/**
 * config_item(c, section, name, key):
 * Return the setting that holds, or NULL.  ${name} is NULL but in sections that have one.
 */
const struct config_item *config_item(const struct config *, const char *, const char *,
				      const char *);

/**
 * config_str(c, section, key, def), config_bool, config_int:
 * Return the value of a setting without a name, or ${def}.
 */
const char *config_str(const struct config *, const char *, const char *, const char *);
bool config_bool(const struct config *, const char *, const char *, bool);
int64_t config_int(const struct config *, const char *, const char *, int64_t);

/**
 * config_each(c, level, fn, ctx):
 * Call ${fn} for each setting, of one level or (CONFIG_LEVELS) those that hold, in the order in
 * which DVC lists them, until it returns non-zero; return that, or 0.
 */
typedef int config_fn(void *, const struct config_item *);
int config_each(const struct config *, enum config_level, config_fn *, void *);

/**
 * config_set(c, level, section, name, key, value, err):
 * Write one setting into the file of ${level}, or with ${value} NULL take it out.  A path in
 * ${value} is as seen from the current directory, and is written as seen from the file.
 * Checked first with the levels below; what is refused leaves the file as it was.  Comments
 * and order stay.  Other settings in the file stay as they are written.  Return 0; -1 with
 * ${err} (ERR_NOTFOUND: it was not there).
 */
int config_set(struct config *, enum config_level, const char *, const char *,
	       const char *, const char *, struct err *);

/**
 * config_is_secret(key):
 * Return whether the values of this option are passwords and the like.
 */
bool config_is_secret(const char *);

/**
 * config_put_url(out, url):
 * Append ${url} with a password in it hidden.
 */
void config_put_url(struct buf *, const char *);

#endif
