/*
 * settings DIR WHAT LEVEL ...: change the settings in DIR (".../.dvc") as the verbs of `dag` do,
 * for tests/dvc/settings.t, which lets DVC do the same.
 *
 *	set LEVEL SECTION KEY VALUE		add LEVEL NAME URL FORCE DEFAULT
 *	modify LEVEL NAME KEY VALUE		default LEVEL NAME
 *	rename LEVEL NAME TO			remove LEVEL NAME
 *	get LEVEL SECTION KEY			show the value that a level has
 *
 * LEVEL is a number from 0, the system's; a VALUE or NAME "-" is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/dvc/config_remote.h"

struct want {
	const char *section, *key;
};

static int
show(void *ctx, const struct config_item *it)
{
	const struct want *w = ctx;

	if (strcmp(it->section, w->section) == 0 && strcmp(it->key, w->key) == 0)
		(void)printf("%s\n", it->raw);
	return 0;
}

static const char *
or_none(const char *s)
{
	return strcmp(s, "-") == 0 ? NULL : s;
}

static int
act(struct config *c, char **v, enum config_level level, struct err *err)
{
	const char *what = v[2];
	struct want w = {v[4], v[5]};

	if (strcmp(what, "set") == 0)
		return config_set(c, level, v[4], NULL, v[5], or_none(v[6]), err);
	if (strcmp(what, "add") == 0)
		return config_remote_add(c, level, v[4], v[5], v[6][0] == '1',
					 v[7][0] == '1', err);
	if (strcmp(what, "modify") == 0)
		return config_remote_modify(c, level, v[4], v[5], or_none(v[6]), err);
	if (strcmp(what, "default") == 0)
		return config_remote_default(c, level, or_none(v[4]), err);
	if (strcmp(what, "rename") == 0)
		return config_remote_rename(c, level, v[4], v[5], err);
	if (strcmp(what, "remove") == 0)
		return config_remote_remove(c, level, v[4], err);
	if (strcmp(what, "get") == 0)
		return config_each(c, level, show, &w);
	return err_set(err, ERR_INVALID, "no such thing: %s", what);
}

int
main(int argc, char **argv)
{
	struct config_options o = {.dvc = true};
	char *v[9] = {NULL};
	struct err err = {0};
	struct config *c;
	int rc;

	for (int i = 0; i < argc && i < 8; i++)
		v[i] = argv[i];
	for (int i = argc; i < 8; i++)
		v[i] = argv[0] + strlen(argv[0]);
	if (argc < 4) {
		(void)fprintf(stderr, "settings DIR WHAT LEVEL ...\n");
		return 2;
	}
	o.dir = v[1];
	/* The verbs that change settings open even what is wrong. */
	o.unchecked = strcmp(v[2], "get") != 0;
	if (config_open(&o, &c, &err) != 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	rc = act(c, v, (enum config_level)(v[3][0] - '0'), &err);
	if (rc != 0)
		(void)fprintf(stderr, "%s\n", err.msg);
	config_close(c);
	return rc != 0;
}
