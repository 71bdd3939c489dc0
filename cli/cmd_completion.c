/*
 * dag completion: the script that teaches a shell to complete our command line.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/verbs.h"

static int
completion_run(struct cli *c, const void *opts)
{
	size_t i;

	(void)opts;
	for (i = 0; i < ncompletion_scripts; i++) {
		if (strcmp(completion_scripts[i].shell, c->args[0]) != 0)
			continue;
		buf_adds(&c->out, completion_scripts[i].text);
		return EXIT_OK;
	}
	return cli_usage(c, "there is completion for bash, zsh and fish, not for '%s'",
			 c->args[0]);
}

const struct verb verb_completion = {
    .name = "completion",
    .group = GROUP_REST,
    .summary = "print the script that completes dag in a shell",
    .args = "bash|zsh|fish",
    .min = 1,
    .max = 1,
    .doc = "Print the script that lets the Tab key complete verbs, options and their "
	   "values, "
	   "names and files of DAGs, runs (the newest first), tasks, attempts and "
	   "parameters. "
	   "'make install' puts it where the shells look for it; otherwise, once and for "
	   "all:\n"
	   "\n"
	   "  bash  dag completion bash >~/.local/share/bash-completion/completions/dag\n"
	   "  zsh   dag completion zsh >DIR/_dag      (DIR: one of $fpath)\n"
	   "  fish  dag completion fish >~/.config/fish/completions/dag.fish",
    .examples = ". <(dag completion bash)\tin this shell only\n",
    .run = completion_run,
};
