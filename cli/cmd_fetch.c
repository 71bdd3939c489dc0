/*
 * dag fetch: what is tracked comes from the remote into the cache.
 */
#include "cli/cli.h"
#include "cli/exchange.h"
#include "cli/verbs.h"

struct fetch_opts {
	struct exchange_opts x;
};

static const struct opt fetch_opts[] = {
    EXCHANGE_OPTS(struct fetch_opts, x),
    {.name = "verify",
     .kind = OPT_FLAG,
     .at = offsetof(struct fetch_opts, x.verify),
     .doc = "Read what the cache has already, and replace what is damaged there."},
    ARTIFACT_JOBS(struct fetch_opts, x.common),
    ARTIFACT_QUIET(struct fetch_opts, x.common),
    {.name = NULL}};

static int
fetch_verb(struct cli *c, const void *opts)
{
	const struct fetch_opts *o = opts;

	return exchange_verb(c, &o->x, false);
}

const struct verb verb_fetch = {
    .name = "fetch",
    .group = GROUP_DATA,
    .summary = "get tracked data from a remote into the cache",
    .args = "[TARGET...]",
    .max = (unsigned)-1,
    .doc =
	"Get what the pointers name (or each TARGET: a pointer file, a tracked path, a "
	"path in one) from the remote into the cache, as far as it is not there. Files "
	"of the work tree are not touched: 'dag checkout' does that, or 'dag pull' "
	"both.\n"
	"\n"
	"All bytes are hashed on their way: what is damaged on the remote is named and "
	"never stored, and the remote's copy stays as it is. Interrupted, the same "
	"command goes on.",
    .examples = "dag fetch\tall that is tracked\n"
		"dag fetch data/raw -r backup\tone directory, from another remote\n"
		"dag fetch --verify\tand check what is there",
    .opts = fetch_opts,
    .size = sizeof(struct fetch_opts),
    .run = fetch_verb,
};
