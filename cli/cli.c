#include "cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fsio.h"
#include "base/log.h"
#include "base/num.h"
#include "base/suggest.h"
#include "cli/complete.h"
#include "cli/find.h"
#include "cli/opts.h"

#define WORDS_MAX 10000 /* words of a command line that are no options */

struct global {
	const char *dir;
	int color;
	bool help;
	bool version;
};

static const char *const color_names[] = {"auto", "always", "never", NULL};

static const struct opt global_opts[] = {
    {.name = "dir",
     .letter = 'C',
     .kind = OPT_STRING,
     .at = offsetof(struct global, dir),
     .arg = "DIR",
     .doc = "Take DIR as the project's root, whatever lies above it."},
    {.name = "color",
     .kind = OPT_CHOICE,
     .at = offsetof(struct global, color),
     .arg = "WHEN",
     .choices = color_names,
     .doc = "Colour the output: auto (on a terminal, and unless NO_COLOR is set), always "
	    "or never."},
    {.name = "help",
     .letter = 'h',
     .kind = OPT_FLAG,
     .at = offsetof(struct global, help),
     .doc = "Show the help of dag, or of the verb, and exit."},
    {.name = "version",
     .kind = OPT_FLAG,
     .at = offsetof(struct global, version),
     .doc = "Show the version and exit."},
    {.name = NULL}};

const struct opt *
cli_global_opts(void)
{
	return global_opts;
}

const struct verb *
verb_find(const char *name)
{
	const struct verb *const *table;
	size_t i, n;

	table = verb_table(&n);
	for (i = 0; i < n; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

static int
unknown_verb(struct cli *c, const char *name)
{
	const struct verb *const *table;
	const char *best;
	struct suggest s;
	size_t i, n;

	suggest_start(&s, name);
	table = verb_table(&n);
	for (i = 0; i < n; i++)
		suggest_try(&s, table[i]->name);
	best = suggest_best(&s);
	if (best != NULL)
		return cli_usage(c, "unknown verb '%s' (did you mean '%s'?)", name, best);
	if (find_is_file(name))
		return cli_usage(c, "unknown verb '%s'; to run that file: dag run %s",
				 name, name);
	return cli_usage(c, "unknown verb '%s'", name);
}

/* Take the global options over from where they were parsed to. */
static int
take_globals(struct cli *c, const struct global *g)
{
	if (g->dir != NULL && *g->dir == '\0')
		return cli_usage(c, "option '--dir' needs the name of a directory");
	c->dir = g->dir;
	c->color = g->color < 0 ? COLOR_AUTO : (enum color_when)g->color;
	return 0;
}

static int
check_words(struct cli *c)
{
	const struct verb *v = c->verb;

	if (c->nargs < v->min)
		return cli_usage(c, "'dag %s' needs %s", v->name, v->args);
	if (c->nargs > v->max && v->max == 0)
		return cli_usage(c, "'dag %s' takes options only, not '%s'", v->name,
				 c->args[0]);
	if (c->nargs > v->max)
		return cli_usage(c, "one word too many for 'dag %s': '%s'", v->name,
				 c->args[v->max]);
	return 0;
}

/* Parse what follows the verb, then let it work. */
static int
run_verb(struct cli *c, struct opts_target targets[2], char **argv)
{
	struct err err = {0};
	struct global *g = targets[0].values;
	int rc;

	opts_init(&targets[1]);
	c->args = argv;
	if (opts_parse_command(targets, 2, c->verb->command, argv, &c->nargs, &err) != 0)
		return cli_usage(c, "%s", err.msg);
	rc = take_globals(c, g);
	if (rc != 0)
		return rc;
	if (g->help) {
		help_verb(&c->out, c->verb);
		return EXIT_OK;
	}
	if (c->nargs > WORDS_MAX)
		return cli_usage(c, "more than %d words", WORDS_MAX);
	rc = check_words(c);
	if (rc != 0)
		return rc;
	return c->verb->run(c, targets[1].values);
}

static int
dispatch(struct cli *c, char **argv)
{
	static const struct opt none[] = {{.name = NULL}};
	struct global g = {0};
	struct opts_target targets[2] = {{global_opts, &g, 0}, {none, NULL, 0}};
	struct err err = {0};
	size_t at;
	int rc;

	opts_init(&targets[0]);
	if (opts_parse(targets, 1, false, argv, &at, &err) != 0)
		return cli_usage(c, "%s", err.msg);
	rc = take_globals(c, &g);
	if (rc != 0)
		return rc;
	if (g.version || (g.help && argv[at] == NULL)) {
		if (g.version)
			buf_adds(&c->out, "dag " DAG_VERSION "\n");
		else
			help_overview(&c->out);
		return EXIT_OK;
	}
	if (argv[at] == NULL)
		return cli_usage(c, "what shall be done? for example: dag run FILE");
	/* The shells ask with words that need not be right yet. */
	if (strcmp(argv[at], "__complete") == 0)
		return complete_run(c, argv + at + 1);
	c->verb = verb_find(argv[at]);
	if (c->verb == NULL)
		return unknown_verb(c, argv[at]);
	if (c->verb->opts != NULL)
		targets[1].table = c->verb->opts;
	targets[1].values = calloc(1, c->verb->size + 1);
	if (targets[1].values == NULL) {
		(void)err_nomem(&err);
		return cli_fail(c, &err);
	}
	rc = run_verb(c, targets, argv + at + 1);
	opts_release(&targets[1]);
	free(targets[1].values);
	return rc;
}

/*
 * A descriptor 0-2 that is closed would be given to the next file we open, and then be
 * written to by accident: put something there that refuses.
 */
static void
fill_std_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		(void)close(fd);
}

/* Who started us as a part of his work takes us along: his end, however it comes, is a SIGTERM. */
static bool
follow_parent(struct cli *c)
{
	const char *pid = getenv(CLI_WITH_PARENT);
	int64_t n;

	if (pid == NULL || num_i64(pid, &n) != 0)
		return true;
	(void)unsetenv(CLI_WITH_PARENT);
	c->with_parent = true;
	return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == n;
}

int
cli_main(int argc, char **argv)
{
	struct cli c = {0};
	struct err err;
	int rc;

	if (argc < 1)
		return EXIT_USAGE;
	fill_std_fds();
	/* A reader that goes away must not kill us in the middle of a run: EPIPE tells. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!follow_parent(&c))
		return EXIT_TERMINATED;
	log_init_from_env();
	buf_init(&c.out, 0);
	rc = dispatch(&c, argv + 1);
	(void)cli_flush(&c);
	if (c.out_errno != 0 && rc == EXIT_OK) {
		/* Who pipes us into head has seen enough, and needs no message. */
		(void)err_sys(&err, c.out_errno, "cannot write to standard output");
		if (c.out_errno != EPIPE)
			(void)cli_fail(&c, &err);
		rc = EXIT_DAG;
	}
	buf_release(&c.out);
	return rc;
}
