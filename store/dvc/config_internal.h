#ifndef DAG_STORE_DVC_CONFIG_INTERNAL_H
#define DAG_STORE_DVC_CONFIG_INTERNAL_H
/* For store/dvc/config*.c. */
#include <sys/types.h>

#include "base/map.h"
#include "base/vec.h"
#include "store/dvc/config.h"
#include "store/dvc/ini.h"

struct arena;

struct config_file {
	char *path;	 /* NULL: the level has none */
	struct ini *ini; /* NULL: there is no such file */
	mode_t mode;
};

struct config {
	bool dvc;
	bool unchecked;
	char *dir; /* of the repository's files, or NULL */
	int lock;  /* of the directory of the file that is being changed; -1: none */
	struct config_file files[CONFIG_LEVELS];
	struct arena *arena;
	VEC(struct config_item) all; /* of all levels, the weakest first */
	struct map index;	     /* "section\nname\nkey" -> item that holds */
};

/**
 * config_paths(c, err):
 * Find out where the files are.  Return 0 or -1.
 */
int config_paths(struct config *, struct err *);

/**
 * config_load(c, err):
 * Read all files anew and check them.  Return 0 or -1.
 */
int config_load(struct config *, struct err *);

/**
 * config_read_file(file, err):
 * Read one file.  Return 0 or -1.
 */
int config_read_file(struct config_file *, struct err *);

/**
 * config_merge(c, upto, err):
 * Make the settings of the levels up to ${upto} from the files, and check them.
 */
int config_merge(struct config *, enum config_level, struct err *);

/**
 * config_resolve(out, value, dir):
 * Append a path as seen from the directory ${dir} of the file: absolute, but a url is as it is.
 */
void config_resolve(struct buf *, const char *, const char *);

/**
 * config_relate(out, value, dir, err):
 * Append a path that is seen from the current directory as DVC writes it into a file in ${dir}.
 * Return 0 or -1.
 */
int config_relate(struct buf *, const char *, const char *, struct err *);

/**
 * config_section_name(ini, section, name, out, err):
 * Append how the section is written in ${ini}, or is to be.  Return 0 or -1.
 */
int config_section_name(const struct ini *, const char *, const char *, struct buf *,
			struct err *);

/**
 * config_split_name(text, section, n, name, len):
 * Take the name of a section apart: 'remote "x"' into "remote" and "x".  Return whether it is
 * of that form.
 */
bool config_split_name(const char *, const char **, size_t *, const char **, size_t *);

/**
 * config_write(c, level, err):
 * Write the file of a level after its ini was changed and checked.  Return 0 or -1.
 */
int config_write(struct config *, enum config_level, struct err *);

/**
 * config_set_option(c, level, section, name, key, value, err):
 * Set one option of the level's ini, or with ${value} NULL take it out; a path in it is as seen
 * from the current directory.  Return 0 or -1.
 */
int config_set_option(struct config *, enum config_level, const char *, const char *,
		      const char *, const char *, struct err *);

/**
 * config_edit_begin(c, level, err), config_edit_end(c, level, rc, err):
 * Around edits of the ini of ${level}: lock the directory of its file, which is made where there
 * is none, and read it anew; then, where the edits went well (${rc} 0), check the settings as they
 * would be, and write the file.  Whatever fails, the settings are read anew.  After a begin that
 * failed end is to be called, too.  Return 0 or -1.
 */
int config_edit_begin(struct config *, enum config_level, struct err *);
int config_edit_end(struct config *, enum config_level, int, struct err *);

#endif
