#ifndef DAG_STORE_DVC_CONFIG_SCHEMA_H
#define DAG_STORE_DVC_CONFIG_SCHEMA_H
/* What options there are, and what they may be.  For config*.c. */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

enum config_type {
	CONFIG_TEXT,
	CONFIG_BOOL,
	CONFIG_COUNT, /* at least 1 */
	CONFIG_INT,
	CONFIG_SECONDS, /* a number, at least 0 */
	CONFIG_PATH,	/* a text that names a file or directory */
	CONFIG_LINKS,	/* reflink, hardlink, symlink, copy; may be a list */
	CONFIG_CHOICE
};

struct config_option {
	const char *key;
	enum config_type type;
	const char *choices; /* "a|b" */
	const char *of;	     /* options of remotes: schemes, "|s3|http|"; NULL: all */
};

/**
 * config_find_option(section, key, option, err):
 * Find an option of a section (of a remote: of any kind of remote).  Return 0 with it in
 * ${option}; NULL there where anything goes; -1 with ${err}, which suggests what may be meant.
 */
int config_find_option(const char *, const char *, const struct config_option **,
		       struct err *);

/**
 * config_check_value(option, value, list, err):
 * Check the text of a value, ${list}: it is one with commas.  Return 0, or -1 with ${err},
 * which shows no value.
 */
int config_check_value(const struct config_option *, const char *, bool, struct err *);

/**
 * config_check_scheme(option, scheme, err):
 * Check that remotes of this scheme ("" is a local path) have the option.  Return 0 or -1.
 */
int config_check_scheme(const struct config_option *, const char *, struct err *);

/**
 * config_is_scheme(scheme):
 * Return whether DVC knows remotes of this scheme.
 */
bool config_is_scheme(const char *);

/**
 * config_section_has_names(section):
 * Return whether the section is written with a name: ['remote "name"'].
 */
bool config_section_has_names(const char *);

/**
 * config_put_scheme(out, url):
 * Append the scheme by which DVC takes a url: lower case, nothing for a local path.
 */
void config_put_scheme(struct buf *, const char *);

#endif
