/*
 * dag init: a project with a first DAG; hooks for git.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsio.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/verbs.h"
#include "scheduler/dag.h"
#include "store/git.h"
#include "store/project.h"

struct init_opts {
	bool hooks;
};

static const struct opt init_opts[] = {
    {.name = "hooks",
     .kind = OPT_FLAG,
     .at = offsetof(struct init_opts, hooks),
     .doc = "Install git hooks: post-checkout calls 'dag checkout', pre-commit 'dag "
	    "status', pre-push 'dag push'. Hooks that are there and are not ours stay as "
	    "they are, and then none is installed. Without NAME no DAG is made."},
    {.name = NULL}};

/* Each @ is the name of the DAG.  Every key here works when the file is run as it is. */
static const char example[] =
    "# A first pipeline: it greets somebody, twice, and counts the words.\n"
    "#\n"
    "#   dag show @                    what needs what, as a drawing\n"
    "#   dag run @                     run it\n"
    "#   dag run @ -p name=Ada         with a parameter\n"
    "#   dag run @ --select +count     only a part of it\n"
    "#   dag runs last                     how it went; also: dag logs last, dag explain "
    "last\n"
    "#\n"
    "# 'dag help dag-file' lists every key, 'dag help templates' tells about {{ }}.\n"
    "dag: @\n"
    "description: Two greetings, counted\n"
    "\n"
    "# Parameters, to be changed on the command line.\n"
    "params:\n"
    "  name: {type: string, default: world, description: Who is greeted}\n"
    "  publish: {type: boolean, default: false, description: Copy the greeting to "
    "published/}\n"
    "\n"
    "tasks:\n"
    "  greet:\n"
    "    # A value reaches a command through the environment: any name is safe there.\n"
    "    env: {NAME: '{{ params.name }}'}\n"
    "    run: |\n"
    "      echo \"Hello, $NAME\" > out/greeting.txt\n"
    "    outputs: [out/greeting.txt]     # must exist afterwards, else the task has "
    "failed\n"
    "\n"
    "  farewell:\n"
    "    env: {NAME: '{{ params.name }}'}\n"
    "    run: |\n"
    "      echo \"Goodbye, $NAME\" > out/farewell.txt\n"
    "    outputs: [out/farewell.txt]\n"
    "    retries: 2                      # when it fails, try again, twice,\n"
    "    retry_delay: 5s                 # each time 5 seconds later\n"
    "\n"
    "  count:\n"
    "    # It reads what the others write, so it waits for both; no `needs` is "
    "necessary.\n"
    "    inputs: [out/greeting.txt, out/farewell.txt]\n"
    "    run: |\n"
    "      words=$(cat out/greeting.txt out/farewell.txt | wc -w)\n"
    "      echo \"words=$words\" >> \"$DAG_OUTPUT\"     # a value for other tasks\n"
    "\n"
    "  report:\n"
    "    needs: [count]                  # named here, because no file tells it\n"
    "    run: echo \"{{ outputs.count.words }} words were written\"\n"
    "\n"
    "  publish:\n"
    "    needs: [report]\n"
    "    when: params.publish            # else it is skipped, which is no failure\n"
    "    inputs: [out/greeting.txt]\n"
    "    outputs: [published/greeting.txt]\n"
    "    run: cp out/greeting.txt published/greeting.txt\n";

static bool
is_name(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		bool alpha = (s[i] >= 'a' && s[i] <= 'z') ||
			     (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_';

		if (!alpha && (i == 0 || !((s[i] >= '0' && s[i] <= '9') || s[i] == '-')))
			return false;
	}
	return i > 0 && i <= DAG_NAME_MAX;
}

static void
put_example(struct buf *b, const char *name)
{
	const char *p = example, *at;

	for (; (at = strchr(p, '@')) != NULL; p = at + 1) {
		buf_add(b, p, (size_t)(at - p));
		buf_adds(b, name);
	}
	buf_adds(b, p);
}

static int
write_example(const struct project *p, const char *rel, const char *name, struct err *err)
{
	struct stat st;
	struct buf text;
	int rc;

	if (fstatat(p->root_fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(
		    err, ERR_EXISTS,
		    "'%s' exists already; 'dag init NAME' makes one of another name",
		    rel);
	if (errno != ENOENT && errno != ENOTDIR)
		return err_sys(err, errno, "cannot look at '%s'", rel);
	if (fsio_mkdirs(p->root_fd, "dags", 0777, err) != 0)
		return -1;
	buf_init(&text, 0);
	put_example(&text, name);
	rc = buf_failed(&text) ? err_nomem(err)
			       : fsio_replace(p->root_fd, rel, text.p, text.n, 0666, err);
	buf_release(&text);
	return rc;
}

/* ---- hooks ---- */

static int
install(struct cli *c, struct repo *r, struct err *err)
{
	static const char *const words[] = {[HOOK_MADE] = "made",
					    [HOOK_UPDATED] = "updated",
					    [HOOK_WAS_THERE] = "was there:"};
	struct repo_hook hooks[REPO_HOOKS];
	struct buf dir;
	size_t i;
	int rc;

	buf_init(&dir, 0);
	rc = repo_hooks(r, hooks, &dir, err);
	for (i = 0; rc == 0 && i < REPO_HOOKS; i++)
		buf_addf(&c->out, "%s %s/%s\n", words[hooks[i].state], dir.p,
			 hooks[i].name);
	buf_release(&dir);
	return rc;
}

static int
init_hooks(struct cli *c, const struct project *p, struct err *err)
{
	struct repo *r = NULL;
	int rc;

	if (repo_open(p->root, &r, err) != 0)
		return -1;
	if (r == NULL)
		return err_set(
		    err, ERR_NOTFOUND,
		    "'%s' is in no git repository, so there is nothing to hook "
		    "into: 'git init' makes one",
		    p->root);
	rc = install(c, r, err);
	repo_close(r);
	return rc;
}

static int
init_dag(struct cli *c, const struct project *p, const char *name, struct err *err)
{
	struct buf rel;
	int rc;

	buf_init(&rel, 0);
	buf_addf(&rel, "dags/%s.yaml", name);
	rc = write_example(p, rel.p, name, err);
	if (rc == 0) {
		buf_addf(&c->out, "made %s in %s\n\n", rel.p, p->root);
		buf_addf(&c->out,
			 "Try:\n"
			 "  dag show %s     what it would do\n"
			 "  dag run %s      do it\n",
			 name, name);
	}
	buf_release(&rel);
	return rc;
}

static int
init_run(struct cli *c, const void *opts)
{
	const struct init_opts *o = opts;
	const char *name = c->nargs > 0 ? c->args[0] : "hello";
	const char *dir = c->dir != NULL ? c->dir : ".";
	struct err err = {0};
	struct project p;
	int rc = 0;

	if (!is_name(name))
		return cli_usage(
		    c,
		    "'%s' cannot be the name of a DAG: letters, digits, _ and -, at "
		    "most %d, not starting with a digit or -",
		    name, DAG_NAME_MAX);
	if (project_find(NULL, dir, true, &p, &err) != 0)
		return cli_fail(c, &err);
	if (o->hooks)
		rc = init_hooks(c, &p, &err);
	if (rc == 0 && (!o->hooks || c->nargs > 0))
		rc = init_dag(c, &p, name, &err);
	project_release(&p);
	return rc == 0 ? EXIT_OK : cli_fail(c, &err);
}

const struct verb verb_init = {
    .name = "init",
    .group = GROUP_START,
    .summary = "make a project here, with a first DAG",
    .args = "[NAME]",
    .max = 1,
    .doc = "Make the current directory (or -C DIR) the root of a project, and "
	   "dags/NAME.yaml "
	   "(default: hello) a small DAG to start from. A file that is there is never "
	   "overwritten.\n"
	   "\n"
	   "'dag run FILE' works without it: a DAG file anywhere is enough.",
    .examples = "dag init\tdags/hello.yaml\n"
		"dag init nightly\tdags/nightly.yaml\n"
		"dag init --hooks\tdata follows git: checkout, status, push\n",
    .opts = init_opts,
    .size = sizeof(struct init_opts),
    .run = init_run,
};
