/*
 * Reasons in words.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "store/track/stage_run.h"

#define HASH_SHOWN 8  /* digits of a hash */
#define TEXT_SHOWN 60 /* bytes of a value */

/* The first line of a text, not too much of it, in one piece for a terminal. */
static void
put_text(struct buf *b, const char *text)
{
	size_t n = strcspn(text, "\n"), at = 0;
	bool cut = (text[n] != '\0' && text[n + 1] != '\0') || n > TEXT_SHOWN;

	if (n > TEXT_SHOWN)
		n = TEXT_SHOWN;
	/* Not within a character. */
	while (n > 0 && text[n] != '\0' && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	for (; at < n; at++) {
		unsigned char c = (unsigned char)text[at];

		if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\x%02x", c);
		else
			buf_addc(b, text[at]);
	}
	if (cut)
		buf_adds(b, "...");
}

static void
put_count(struct buf *b, const char *what, int64_t was, int64_t is)
{
	if (was == is)
		buf_addf(b, "%lld %s%s", (long long)is, what, is == 1 ? "" : "s");
	else
		buf_addf(b, "%lld %s%s -> %lld", (long long)was, what,
			 was == 1 ? "" : "s", (long long)is);
}

static void
put_hash(struct buf *b, const char *before, const struct object_id *id)
{
	char hex[OBJECT_HEX_MAX];

	if (object_id_is_set(id))
		buf_addf(b, ", %s %.*s...", before, HASH_SHOWN, object_id_hex(id, hex));
}

/* How much there is, and what it is called. */
static void
put_content(struct buf *b, const struct stage_reason *r)
{
	const struct stage_side *was = &r->was, *is = &r->is;

	if (was->lines >= 0 && is->lines >= 0)
		put_count(b, "line", was->lines, is->lines);
	else if (was->nfiles >= 0 && is->nfiles >= 0)
		put_count(b, "file", was->nfiles, is->nfiles);
	else if (was->id.dir != is->id.dir && object_id_is_set(&was->id) &&
		 object_id_is_set(&is->id))
		buf_adds(b,
			 is->id.dir ? "a file -> a directory" : "a directory -> a file");
	else if (was->size >= 0 && is->size >= 0)
		put_count(b, "byte", was->size, is->size);
	else
		buf_adds(b, "another content");
	if (r->files != NULL)
		buf_addf(b, " (%s)", r->files);
	put_hash(b, "was", &was->id);
	put_hash(b, "is", &is->id);
}

static void
put_dep(struct buf *b, const struct stage_reason *r)
{
	if (r->dropped) {
		buf_addf(b, "'%s' is no longer an input", r->path);
	} else if (r->state == STAGE_DELETED) {
		buf_addf(b, "'%s' is missing", r->path);
	} else if (r->meanwhile) {
		buf_addf(b, "'%s' was changed while it ran", r->path);
	} else if (!object_id_is_set(&r->was.id)) {
		buf_addf(b, "'%s' is new", r->path);
	} else {
		buf_addf(b, "'%s' changed: ", r->path);
		put_content(b, r);
	}
}

/* Values: of params, and what a task has like them. */
static void
put_values(struct buf *b, const struct stage_reason *r)
{
	if (strcmp(r->path, ":env") == 0)
		return; /* they are hashes */
	if (r->state == STAGE_NEW && r->is.text != NULL) {
		buf_adds(b, ": ");
		put_text(b, r->is.text);
	} else if (r->was.text != NULL && r->is.text != NULL &&
		   strcmp(r->was.text, r->is.text) == 0) {
		buf_adds(b, ": ");
		put_text(b, r->is.text);
		buf_adds(b, " is of another type now");
	} else if (r->was.text != NULL && r->is.text != NULL) {
		buf_adds(b, ": ");
		put_text(b, r->was.text);
		buf_adds(b, " -> ");
		put_text(b, r->is.text);
	}
}

static void
put_param(struct buf *b, const struct stage_reason *r)
{
	static const char *const said[] = {"", "is new", "is gone", "changed"};

	if (r->key == NULL) {
		buf_addf(b,
			 r->state == STAGE_DELETED ? "'%s' is missing"
						   : "params of '%s' are new",
			 r->path);
		return;
	}
	if (strcmp(r->path, ":params") == 0)
		buf_addf(b, "param '%s' ", r->key);
	else if (strcmp(r->path, ":env") == 0)
		buf_addf(b, "variable '%s' ", r->key);
	else if (r->path[0] == ':')
		buf_addf(b, "'%s' of the %s ", r->key, r->path + 1);
	else
		buf_addf(b, "'%s' in '%s' ", r->key, r->path);
	buf_adds(b, said[r->state]);
	put_values(b, r);
}

static void
put_out(struct buf *b, const struct stage_reason *r)
{
	static const char *const said[] = {"", "is new: nothing is recorded of it",
					   "is missing", "is not what was made"};

	buf_addf(b, "output '%s' %s", r->path, said[r->state]);
}

/* The first line in which they differ. */
static void
put_command(struct buf *b, const struct stage_reason *r)
{
	const char *was = r->was.text, *is = r->is.text;

	buf_adds(b, "the command changed");
	if (was == NULL || is == NULL)
		return;
	for (;;) {
		size_t n = strcspn(was, "\n"), k = strcspn(is, "\n");

		if (n != k || memcmp(was, is, n) != 0 || was[n] == '\0' || is[k] == '\0')
			break;
		was += n + 1;
		is += k + 1;
	}
	buf_adds(b, ": was `");
	put_text(b, was);
	buf_adds(b, "`, is `");
	put_text(b, is);
	buf_addc(b, '`');
}

void
stage_reason_put(struct buf *b, const struct stage_reason *r)
{
	switch (r->kind) {
	case STAGE_NEVER_RAN:
		buf_adds(b, "no run of it is recorded");
		break;
	case STAGE_FORCED:
		buf_adds(b, "it is forced");
		break;
	case STAGE_ALWAYS:
		buf_adds(b, "it runs always");
		break;
	case STAGE_COMMAND:
		put_command(b, r);
		break;
	case STAGE_DEP:
		put_dep(b, r);
		break;
	case STAGE_PARAM:
		put_param(b, r);
		break;
	case STAGE_OUT:
		put_out(b, r);
		break;
	case STAGE_OUT_UNCACHED:
		buf_addf(b, "output '%s' is not in the cache", r->path);
		break;
	case STAGE_UNCACHEABLE:
		buf_addf(b,
			 "output '%s' stays between runs (persist): none is brought back",
			 r->path);
		break;
	}
}

const char *
stage_reason_kind_name(enum stage_reason_kind k)
{
	static const char *const names[] = {
	    [STAGE_NEVER_RAN] = "never_ran",
	    [STAGE_FORCED] = "forced",
	    [STAGE_ALWAYS] = "always",
	    [STAGE_COMMAND] = "command",
	    [STAGE_DEP] = "dep",
	    [STAGE_PARAM] = "param",
	    [STAGE_OUT] = "out",
	    [STAGE_OUT_UNCACHED] = "out_uncached",
	    [STAGE_UNCACHEABLE] = "uncacheable",
	};

	return names[k];
}
