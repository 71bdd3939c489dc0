/*
 * dag config: settings shown and changed.
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/textwidth.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/opts.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "store/dvc/config.h"
#include "store/dvc/config_schema.h"
#include "store/project.h"
#include "store/track/track.h"

#define NAME_MAX_BYTES 1024

struct config_opts {
	bool levels[CONFIG_LEVELS];
	bool list, unset, show_origin, quiet;
};

static const struct opt config_opts[] = {
    {.name = "list",
     .letter = 'l',
     .kind = OPT_FLAG,
     .at = offsetof(struct config_opts, list),
     .doc = "Show all settings of all files; secrets are not shown."},
    {.name = "unset",
     .letter = 'u',
     .kind = OPT_FLAG,
     .at = offsetof(struct config_opts, unset),
     .doc = "Take the setting out."},
    {.name = "show-origin",
     .kind = OPT_FLAG,
     .at = offsetof(struct config_opts, show_origin),
     .doc = "Show the file that each setting stands in, too."},
    SETTINGS_LEVELS(struct config_opts, levels, "written to by default"),
    {.name = "quiet",
     .letter = 'q',
     .kind = OPT_FLAG,
     .at = offsetof(struct config_opts, quiet),
     .doc = "Say nothing but what was asked for and what went wrong."},
    {.name = NULL}};

struct call {
	struct cli *c;
	bool named; /* the sections with names are being listed */
	const struct config_opts *o;
	struct project project;
	struct track track;
	struct config *config;
	enum config_level level; /* CONFIG_LEVELS: none was named */
	char text[NAME_MAX_BYTES];
	const char *section, *name, *key; /* in text; name may be NULL */
	struct err err;
};

/* ---- names: section.key, remote.NAME.key, db.NAME.key ---- */

static int
split_name(struct call *k, const char *word)
{
	size_t n = strlen(word);
	char *dot, *p = k->text;

	if (n >= sizeof(k->text))
		return -1;
	for (size_t i = 0; i <= n; i++)
		k->text[i] = (char)tolower((unsigned char)word[i]);
	dot = strrchr(p, '.');
	if (dot == NULL || dot == p || dot[1] == '\0')
		return -1;
	*dot = '\0';
	k->key = dot + 1;
	k->section = p;
	dot = strchr(p, '.');
	if (dot != NULL) {
		*dot = '\0';
		k->name = dot + 1;
		if (*p == '\0' || *k->name == '\0')
			return -1;
	}
	return config_section_has_names(p) == (k->name != NULL) ? 0 : 1;
}

static int
find_name(struct call *k, const char *word)
{
	int r = split_name(k, word);

	if (r < 0)
		return cli_usage(
		    k->c,
		    "'%.200s' is no name of a setting, such as core.remote or "
		    "remote.NAME.url",
		    word);
	if (r > 0 && k->name == NULL)
		return cli_usage(k->c, "of which one? It is %s.NAME.%s", k->section,
				 k->key);
	if (r > 0)
		return cli_usage(k->c, "section '%s' has no names: it is %s.%s",
				 k->section, k->section, k->key);
	return EXIT_OK;
}

/* ---- what can be done: each returns 0 or -1 ---- */

static void
put_origin(struct call *k, enum config_level level)
{
	const char *path = config_path(k->config, level), *root = k->track.root;
	size_t n = root != NULL ? strlen(root) : 0;

	if (!k->o->show_origin || path == NULL)
		return;
	if (n > 0 && strncmp(path, root, n) == 0 && path[n] == '/')
		path += n + 1;
	text_put(&k->c->out, path, strlen(path));
	buf_addc(&k->c->out, '\t');
}

static void
put_value(struct buf *b, const struct config_item *it)
{
	if (strcmp(it->key, "url") == 0)
		config_put_url(b, it->value);
	else
		buf_adds(b, it->value);
	buf_addc(b, '\n');
}

static void
put_name(struct buf *b, const struct config_item *it)
{
	buf_addf(b, "%s%s%s.%s", it->section, it->name != NULL ? "." : "",
		 it->name != NULL ? it->name : "", it->key);
}

static int
put_item(void *ctx, const struct config_item *it)
{
	struct call *k = ctx;
	struct buf *b = &k->c->out;

	if ((it->name != NULL) != k->named)
		return 0;
	put_origin(k, it->level);
	put_name(b, it);
	buf_addc(b, '=');
	if (it->secret)
		buf_adds(b, "(not shown)\n");
	else
		put_value(b, it);
	return cli_flush_some(k->c);
}

static int
act_list(struct call *k)
{
	for (int i = 0; i < CONFIG_LEVELS; i++) {
		if (k->level != CONFIG_LEVELS && k->level != (enum config_level)i)
			continue;
		/* Remotes first, as DVC has it. */
		k->named = true;
		(void)config_each(k->config, (enum config_level)i, put_item, k);
		k->named = false;
		(void)config_each(k->config, (enum config_level)i, put_item, k);
	}
	return 0;
}

/* The setting of one file. */
struct look {
	const struct call *k;
	const struct config_item *found;
};

static int
look_at(void *ctx, const struct config_item *it)
{
	struct look *l = ctx;

	if (strcmp(it->section, l->k->section) == 0 && strcmp(it->key, l->k->key) == 0 &&
	    (it->name == NULL ? l->k->name == NULL
			      : l->k->name != NULL && strcmp(it->name, l->k->name) == 0))
		l->found = it;
	return 0;
}

static int
act_get(struct call *k)
{
	struct look l = {.k = k};
	const struct config_option *o;

	if (config_find_option(k->section, k->key, &o, &k->err) != 0)
		return -1;
	(void)config_each(k->config, k->level, look_at, &l);
	if (l.found != NULL) {
		put_origin(k, l.found->level);
		buf_addf(&k->c->out, "%s\n", l.found->value);
		return 0;
	}
	if (k->level != CONFIG_LEVELS)
		return err_set(&k->err, ERR_NOTFOUND, "'%s' says nothing of it",
			       config_path(k->config, k->level));
	if (!k->o->quiet)
		cli_note(k->c, "it is not set");
	return 0;
}

static int
act_set(struct call *k)
{
	enum config_level level = k->level == CONFIG_LEVELS ? CONFIG_REPO : k->level;
	bool made = level == CONFIG_REPO && settings_are_new(&k->track);

	if (settings_begin(&k->track, level, &k->err) != 0 ||
	    config_set(k->config, level, k->section, k->name, k->key,
		       k->o->unset ? NULL : k->c->args[1], &k->err) != 0)
		return -1;
	if (!k->o->quiet && strcmp(k->section, "cache") == 0 &&
	    strcmp(k->key, "type") == 0)
		cli_note(k->c, "files that are there stay as they are: 'dag checkout "
			       "--relink' links them anew");
	if (made && !k->o->quiet)
		settings_tell(k->c, &k->track);
	return 0;
}

/* ---- the call ---- */

static int
check_call(struct call *k)
{
	size_t n = k->c->nargs;

	if (k->o->list)
		return n > 0 || k->o->unset
			   ? cli_usage(k->c, "--list takes no names and no --unset")
			   : EXIT_OK;
	if (n == 0)
		return cli_usage(k->c, "name a setting, or give --list");
	if (k->o->unset && n > 1)
		return cli_usage(k->c, "--unset takes no value");
	if (k->o->show_origin && (n > 1 || k->o->unset))
		return cli_usage(k->c, "--show-origin is for what is shown");
	return find_name(k, k->c->args[0]);
}

static int
config_verb(struct cli *c, const void *opts)
{
	struct call k = {.c = c, .o = opts};
	bool write;
	int rc, r;

	if ((rc = settings_level(c, k.o->levels, &k.level)) != EXIT_OK ||
	    (rc = check_call(&k)) != EXIT_OK)
		return rc;
	write = k.o->unset || c->nargs > 1;
	r = settings_open(c, write, &k.project, &k.track, &k.err);
	k.config = k.track.config;
	if (r == 0 && k.o->list)
		r = act_list(&k);
	else if (r == 0)
		r = write ? act_set(&k) : act_get(&k);
	if (r != 0)
		rc = cli_fail(c, &k.err);
	track_close(&k.track);
	project_release(&k.project);
	return rc;
}

static int
offer(void *ctx, const struct config_item *it)
{
	struct buf b;

	buf_init(&b, 0);
	put_name(&b, it);
	if (!buf_failed(&b))
		complete_add(ctx, b.p, it->secret ? NULL : it->value);
	buf_release(&b);
	return 0;
}

void
complete_settings(struct complete *cp)
{
	struct project p;
	struct track t;
	struct err err = {0};

	if (settings_open(cp->c, false, &p, &t, &err) == 0)
		(void)config_each(t.config, CONFIG_LEVELS, offer, cp);
	track_close(&t);
	project_release(&p);
}

const struct verb verb_config = {
    .name = "config",
    .group = GROUP_DATA,
    .summary = "show and change settings",
    .args = "[NAME [VALUE]]",
    .max = 2,
    .doc = "Show the setting NAME, or with VALUE set it. Names and values are those of "
	   "DVC: core.remote, cache.dir, cache.type, remote.NAME.url and others. They "
	   "stand in .dvc/config, or in .dag/config where there is no DVC, which belong "
	   "into git; --local, --global and --system are other files, of which the local "
	   "one is stronger and the others are weaker. What is unknown or wrong is "
	   "refused, and comments and order of the file stay.",
    .examples = "dag config cache.type hardlink,copy\thow files are linked\n"
		"dag config --list --show-origin\tall there is, and where\n"
		"dag config --unset --local core.remote\ttake it out",
    .opts = config_opts,
    .size = sizeof(struct config_opts),
    .run = config_verb,
};
