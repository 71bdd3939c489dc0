/*
 * dag push: what is tracked goes to the remote.
 */
#include "cli/cli.h"
#include "cli/exchange.h"
#include "cli/verbs.h"

struct push_opts {
	struct exchange_opts x;
};

static const struct opt push_opts[] = {
    EXCHANGE_OPTS(struct push_opts, x),
    {.name = "verify",
     .kind = OPT_FLAG,
     .at = offsetof(struct push_opts, x.verify),
     .doc = "Read what the remote has already, and replace what is damaged there."},
    ARTIFACT_JOBS(struct push_opts, x.common),
    ARTIFACT_QUIET(struct push_opts, x.common),
    {.name = NULL}};

static int
push_verb(struct cli *c, const void *opts)
{
	const struct push_opts *o = opts;

	return exchange_verb(c, &o->x, true);
}

const struct verb verb_push = {
    .name = "push",
    .group = GROUP_DATA,
    .summary = "send tracked data to a remote",
    .args = "[TARGET...]",
    .max = (unsigned)-1,
    .doc =
	"Send what the pointers name (or each TARGET: a pointer file, a tracked path, a "
	"path in one) from the cache to the remote, as far as it is not there.\n"
	"\n"
	"All bytes are hashed on their way: what is damaged in the cache is named and "
	"does not arrive. The list of a directory goes last, once all of its files are "
	"known to be there; that a list lies on the remote is no proof that its files "
	"do, so a remote that an interrupted push left incomplete is repaired by the "
	"next one. Interrupted, the same command goes on.\n"
	"\n"
	"A task of a run does it with 'type: push' ('dag help type:push').",
    .examples = "dag push\tall that is tracked\n"
		"dag push -a -T\tand all that branches and tags name\n"
		"dag push --verify\tand check what is there",
    .opts = push_opts,
    .size = sizeof(struct push_opts),
    .run = push_verb,
};
