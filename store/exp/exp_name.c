/* What experiments can be called, and names for those that were given none. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/exp/exp.h"
#include "store/git_write.h"

#define TRIES 64 /* before a number is put behind */

static const char *const adjectives[] = {
    "agile",  "alert",	"ample",   "azure",  "basic",	"blithe", "bold",   "brave",
    "breezy", "bright", "brisk",   "broad",  "calm",	"candid", "civic",  "clear",
    "clever", "cosmic", "cozy",	   "crisp",  "curious", "daring", "deep",   "deft",
    "dense",  "direct", "eager",   "early",  "easy",	"exact",  "fair",   "fancy",
    "fast",   "fine",	"firm",	   "fleet",  "fluent",	"fond",	  "frank",  "free",
    "fresh",  "gentle", "giant",   "glad",   "global",	"golden", "grand",  "great",
    "green",  "happy",	"hardy",   "honest", "humble",	"ideal",  "jolly",  "keen",
    "kind",   "large",	"light",   "lively", "local",	"loyal",  "lucid",  "lunar",
    "major",  "mellow", "merry",   "mild",   "minor",	"modest", "mutual", "neat",
    "nimble", "noble",	"novel",   "open",   "placid",	"plain",  "polar",  "prime",
    "proud",  "quick",	"quiet",   "rapid",  "ready",	"robust", "round",  "royal",
    "sharp",  "silent", "silver",  "simple", "smooth",	"snug",	  "sober",  "solar",
    "solid",  "steady", "stellar", "subtle", "sunny",	"swift",  "tidy",   "vivid"};

static const char *const nouns[] = {
    "acorn",   "alder",	 "amber",   "anchor",  "apple",	 "arrow",   "aspen",   "atlas",
    "badger",  "barley", "basin",   "beacon",  "beaver", "birch",   "bison",   "breeze",
    "brook",   "canyon", "cedar",   "cherry",  "cliff",	 "clover",  "comet",   "copper",
    "coral",   "crane",	 "creek",   "crystal", "delta",	 "dune",    "eagle",   "ember",
    "falcon",  "fern",	 "finch",   "fjord",   "flint",	 "forest",  "fox",     "garnet",
    "geyser",  "ginger", "glacier", "grove",   "harbor", "hawk",    "hazel",   "heron",
    "hill",    "ibis",	 "island",  "ivy",     "jasper", "jetty",   "juniper", "kestrel",
    "kiwi",    "lagoon", "lake",    "larch",   "lark",	 "lemon",   "lilac",   "lily",
    "linden",  "lynx",	 "maple",   "marble",  "marsh",	 "meadow",  "mesa",    "meteor",
    "mint",    "moss",	 "nectar",  "oak",     "oasis",	 "olive",   "onyx",    "opal",
    "orbit",   "otter",	 "owl",	    "pebble",  "pine",	 "plum",    "pond",    "poplar",
    "quartz",  "raven",	 "reef",    "ridge",   "river",	 "robin",   "sage",    "salmon",
    "sequoia", "shore",	 "spruce",  "summit",  "swan",	 "thistle", "tundra",  "willow"};

static int
draw(size_t n, size_t *out, struct err *err)
{
	uint32_t lot;
	ssize_t got;

	do
		got = getrandom(&lot, sizeof(lot), 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(lot))
		return err_sys(err, errno, "cannot draw a name by lot");
	*out = lot % n;
	return 0;
}

int
exp_name_draw(bool (*taken)(void *, const char *), void *ctx, struct buf *b,
	      struct err *err)
{
	size_t from = b->n, a, n;

	for (size_t i = 0;; i++) {
		buf_truncate(b, from);
		if (draw(sizeof(adjectives) / sizeof(adjectives[0]), &a, err) != 0 ||
		    draw(sizeof(nouns) / sizeof(nouns[0]), &n, err) != 0)
			return -1;
		buf_addf(b, "%s-%s", adjectives[a], nouns[n]);
		if (i >= TRIES)
			buf_addf(b, "-%zu", i);
		if (buf_failed(b))
			return err_nomem(err);
		if (!taken(ctx, b->p + from))
			return 0;
	}
}

int
exp_name_check(const struct repo *r, const char *name, struct err *err)
{
	struct buf b;
	bool valid;

	if (strlen(name) > EXP_NAME_MAX)
		return err_set(err, ERR_LIMIT,
			       "the name '%.40s...' is longer than %d bytes", name,
			       EXP_NAME_MAX);
	buf_init(&b, 0);
	buf_adds(&b, EXP_REFS "00/00/");
	buf_adds(&b, name);
	valid = !buf_failed(&b) && name[0] != '\0' && name[0] != '-' &&
		strcmp(name, "HEAD") != 0 && strchr(name, '/') == NULL &&
		repo_ref_valid(r, b.p);
	buf_release(&b);
	if (valid)
		return 0;
	return err_set(
	    err, ERR_INVALID,
	    "no experiment can be called '%s': a name is what git takes as the "
	    "last part of a reference, without blanks and any of / ~ ^ : ? * [ "
	    "\\ .. @{, does not begin with '-' and is not HEAD",
	    name);
}
