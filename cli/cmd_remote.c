/*
 * dag remote: where tracked data is pushed to and pulled from.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/complete.h"
#include "cli/opts.h"
#include "cli/settings.h"
#include "cli/verbs.h"
#include "store/dvc/config_remote.h"
#include "store/project.h"
#include "store/track/track.h"

#define NAME_WIDTH 8 /* of a list, as DVC has it */

struct remote_opts {
	bool levels[CONFIG_LEVELS];
	bool make_default, force, unset, json, quiet;
};

static const struct opt remote_opts[] = {
    {.name = "default",
     .letter = 'd',
     .kind = OPT_FLAG,
     .at = offsetof(struct remote_opts, make_default),
     .doc = "With add: the new remote is the default."},
    {.name = "force",
     .letter = 'f',
     .kind = OPT_FLAG,
     .at = offsetof(struct remote_opts, force),
     .doc = "With add: replace a remote of that name, with all its options."},
    {.name = "unset",
     .letter = 'u',
     .kind = OPT_FLAG,
     .at = offsetof(struct remote_opts, unset),
     .doc = "With modify: take the option out; with default: let there be none."},
    SETTINGS_LEVELS(struct remote_opts, levels, "the default"),
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct remote_opts, json),
     .doc = "With list: write a JSON array."},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPT_FLAG,
     .at = offsetof(struct remote_opts, quiet),
     .doc = "Say nothing but what went wrong."},
    {.name = NULL}};

struct call {
	struct cli *c;
	const struct remote_opts *o;
	struct project project;
	struct track track;
	struct config *config;
	enum config_level level; /* CONFIG_LEVELS: none was named */
	char **words;		 /* behind the action */
	struct err err;
};

/* ---- actions: each returns 0 or -1 ---- */

/* The level to write to. */
static enum config_level
level_of(const struct call *k)
{
	return k->level == CONFIG_LEVELS ? CONFIG_REPO : k->level;
}

static int
put_remote(void *ctx, const char *name, const struct config_item *url, bool is_default)
{
	struct call *k = ctx;
	struct buf *b = &k->c->out;
	size_t n = strlen(name);

	buf_adds(b, name);
	do
		buf_addc(b, ' ');
	while (++n < NAME_WIDTH);
	config_put_url(b, url->value);
	buf_adds(b, is_default ? "      (default)\n" : "\n");
	return cli_flush_some(k->c);
}

struct list {
	struct json_writer w;
	struct buf url;
};

static int
put_json(void *ctx, const char *name, const struct config_item *url, bool is_default)
{
	struct list *l = ctx;

	buf_clear(&l->url);
	config_put_url(&l->url, url->value);
	if (buf_failed(&l->url))
		return -1;
	json_begin_object(&l->w);
	json_kv_str(&l->w, "name", name);
	json_kv_str(&l->w, "url", l->url.p);
	json_kv_bool(&l->w, "default", is_default);
	json_end(&l->w);
	return 0;
}

static int
act_list(struct call *k)
{
	struct list l;
	int rc;

	if (!k->o->json) {
		(void)config_remote_each(k->config, k->level, put_remote, k);
		return 0;
	}
	buf_init(&l.url, 0);
	json_init(&l.w, &k->c->out, 2);
	json_begin_array(&l.w);
	rc = config_remote_each(k->config, k->level, put_json, &l);
	json_end(&l.w);
	buf_addc(&k->c->out, '\n');
	buf_release(&l.url);
	return rc == 0 ? 0 : err_nomem(&k->err);
}

static int
act_add(struct call *k)
{
	int rc = config_remote_add(k->config, level_of(k), k->words[0], k->words[1],
				   k->o->force, k->o->make_default, &k->err);

	if (rc == 0 && k->o->make_default && !k->o->quiet)
		buf_addf(&k->c->out, "'%s' is the default remote now\n", k->words[0]);
	return rc;
}

static int
act_modify(struct call *k)
{
	return config_remote_modify(k->config, level_of(k), k->words[0], k->words[1],
				    k->o->unset ? NULL : k->words[2], &k->err);
}

static int
act_default(struct call *k)
{
	const struct config_item *it;

	if (k->words[0] != NULL || k->o->unset)
		return config_remote_default(k->config, level_of(k), k->words[0],
					     &k->err);
	it = config_item(k->config, "core", NULL, "remote");
	if (it != NULL)
		buf_addf(&k->c->out, "%s\n", it->value);
	else if (!k->o->quiet)
		cli_note(k->c, "no remote is the default: 'dag remote default NAME'");
	return 0;
}

static int
act_rename(struct call *k)
{
	return config_remote_rename(k->config, level_of(k), k->words[0], k->words[1],
				    &k->err);
}

static int
act_remove(struct call *k)
{
	return config_remote_remove(k->config, level_of(k), k->words[0], &k->err);
}

static const struct action {
	const char *name;
	const char *args; /* of its usage line */
	size_t min, max;  /* words behind it; with --unset one less */
	int (*run)(struct call *);
} actions[] = {
    {"list", "", 0, 0, act_list},
    {"add", " NAME URL", 2, 2, act_add},
    {"modify", " NAME OPTION VALUE", 3, 3, act_modify},
    {"default", " [NAME]", 0, 1, act_default},
    {"rename", " NAME NEW", 2, 2, act_rename},
    {"remove", " NAME", 1, 1, act_remove},
};

/* ---- the call ---- */

static int
find_action(struct call *k, const struct action **out)
{
	const char *word = k->c->nargs > 0 ? k->c->args[0] : "list";
	size_t n = k->c->nargs > 0 ? k->c->nargs - 1 : 0, i, less;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *a = &actions[i];

		if (strcmp(a->name, word) != 0)
			continue;
		less = k->o->unset && a->run == act_modify ? 1 : 0;
		if (n < a->min - less || n > a->max - less)
			return cli_usage(k->c, "it is: dag remote %s%s%s", word, a->args,
					 less > 0 ? " (without VALUE to --unset)" : "");
		if ((k->o->unset && a->run != act_modify && a->run != act_default) ||
		    ((k->o->make_default || k->o->force) && a->run != act_add) ||
		    (k->o->json && a->run != act_list))
			return cli_usage(
			    k->c, "that option has no meaning for 'dag remote %s'", word);
		k->words = k->c->nargs > 0 ? k->c->args + 1 : k->c->args;
		*out = a;
		return EXIT_OK;
	}
	return cli_usage(k->c,
			 "'%s' is nothing that remote can do: it is one of list, add, "
			 "modify, default, rename and remove",
			 word);
}

static int
open_settings(struct call *k, bool write)
{
	if (settings_open(k->c, write, &k->project, &k->track, &k->err) != 0)
		return -1;
	k->config = k->track.config;
	return 0;
}

static int
offer(void *ctx, const char *name, const struct config_item *url, bool is_default)
{
	(void)url;
	complete_add(ctx, name, is_default ? "the default" : NULL);
	return 0;
}

void
complete_remotes(struct complete *cp)
{
	struct call k = {.c = cp->c, .track = {.root_fd = -1, .lock = -1}};

	k.project.root_fd = k.project.state_fd = -1;
	if (open_settings(&k, false) == 0)
		(void)config_remote_each(k.config, CONFIG_LEVELS, offer, cp);
	track_close(&k.track);
	project_release(&k.project);
}

static int
work(struct call *k, const struct action *a)
{
	bool write = a->run != act_list &&
		     (a->run != act_default || k->words[0] != NULL || k->o->unset);

	bool made;

	if (open_settings(k, write) != 0)
		return -1;
	made = write && level_of(k) == CONFIG_REPO && settings_are_new(&k->track);
	if ((write && settings_begin(&k->track, level_of(k), &k->err) != 0) ||
	    a->run(k) != 0)
		return -1;
	if (made && !k->o->quiet)
		settings_tell(k->c, &k->track);
	return 0;
}

static int
remote_verb(struct cli *c, const void *opts)
{
	struct call k = {.c = c, .o = opts, .track = {.root_fd = -1, .lock = -1}};
	const struct action *a = NULL;
	int rc;

	k.project.root_fd = k.project.state_fd = -1;
	if ((rc = settings_level(c, k.o->levels, &k.level)) != EXIT_OK ||
	    (rc = find_action(&k, &a)) != EXIT_OK)
		return rc;
	if (work(&k, a) != 0)
		rc = cli_fail(c, &k.err);
	track_close(&k.track);
	project_release(&k.project);
	return rc;
}

const struct verb verb_remote = {
    .name = "remote",
    .group = GROUP_DATA,
    .summary = "say where data is pushed to and pulled from",
    .args = "[list|add|modify|default|rename|remove [REMOTE...]]",
    .max = 4,
    .doc = "  dag remote list                      all remotes\n"
	   "  dag remote add NAME URL              a new one; --default, --force\n"
	   "  dag remote modify NAME OPTION VALUE  set an option; --unset takes it out\n"
	   "  dag remote default [NAME]            the one meant when none is "
	   "named\n"
	   "  dag remote rename NAME NEW           another name\n"
	   "  dag remote remove NAME               it is forgotten; its data stays\n"
	   "\n"
	   "URL is a directory, which need not exist yet: a relative one is as seen from "
	   "here. It is written to the settings (.dvc/config, or .dag/config where there "
	   "is no DVC), which belong into git; --local, --global and --system are other "
	   "places. Options are those of DVC: url, jobs, verify and others.",
    .examples = "dag remote add -d store /mnt/nas/data\ta directory, the default\n"
		"dag remote modify store jobs 8\teight files at a time\n"
		"dag remote list\twhat there is",
    .opts = remote_opts,
    .size = sizeof(struct remote_opts),
    .run = remote_verb,
};
