/*
 * dag ls: what is in a repository, here or elsewhere.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/path.h"
#include "base/textwidth.h"
#include "cli/cli.h"
#include "cli/opts.h"
#include "cli/other.h"
#include "cli/verbs.h"
#include "store/dvc/yaml_doc.h"
#include "store/track/elsewhere.h"
#include "store/track/ls.h"

struct ls_opts {
	struct other_opts x;
	bool recursive, tree, dvc_only, json, size, hash;
	struct opt_uint level;
};

static const struct opt ls_opts[] = {
    {.name = "recursive",
     .letter = 'R',
     .kind = OPT_FLAG,
     .at = offsetof(struct ls_opts, recursive),
     .doc = "Also what is in directories, by its path."},
    {.name = "tree",
     .letter = 'T',
     .kind = OPT_FLAG,
     .at = offsetof(struct ls_opts, tree),
     .doc = "The same as a tree."},
    {.name = "level",
     .letter = 'L',
     .kind = OPT_UINT,
     .at = offsetof(struct ls_opts, level),
     .arg = "N",
     .min = 0,
     .max = LS_DEPTH_MAX,
     .doc = "With --recursive or --tree: not deeper than N directories."},
    {.name = "dvc-only",
     .kind = OPT_FLAG,
     .at = offsetof(struct ls_opts, dvc_only),
     .doc = "Only what is tracked by content."},
    {.name = "size",
     .kind = OPT_FLAG,
     .at = offsetof(struct ls_opts, size),
     .doc = "Show sizes."},
    {.name = "show-hash",
     .kind = OPT_FLAG,
     .at = offsetof(struct ls_opts, hash),
     .doc = "Show the hashes of tracked data."},
    {.name = "json",
     .kind = OPT_FLAG,
     .at = offsetof(struct ls_opts, json),
     .doc = "Print JSON, in the shape of 'dvc list --json'."},
    OTHER_OPTS(struct ls_opts, x),
    ARTIFACT_QUIET(struct ls_opts, x.common),
    {.name = NULL}};

struct ls {
	struct other x;
	const struct ls_opts *o;
	struct ls_options what;
	struct ls_list list;
};

/* ---- the work ---- */

static int
work(void *arg, struct meter *m, struct err *err)
{
	struct ls *k = arg;

	(void)m;
	if (elsewhere_open(&k->x.where, &k->x.e, err) != 0)
		return -1;
	return ls_list(&k->x.e, &k->what, k->x.arena, &k->list, err);
}

static int
by_path(const void *a, const void *b)
{
	const struct ls_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* ---- telling ---- */

static void
put_json(struct buf *b, const struct ls_list *l)
{
	char hex[OBJECT_HEX_MAX];

	buf_addc(b, '[');
	for (size_t i = 0; i < l->n; i++) {
		const struct ls_entry *e = &l->v[i];

		buf_addf(b, "%s{\"isout\": %s, \"isdir\": %s, \"isexec\": %s, \"size\": ",
			 i > 0 ? ", " : "", e->isout ? "true" : "false",
			 e->isdir ? "true" : "false", e->isexec ? "true" : "false");
		if (e->size >= 0)
			buf_addf(b, "%lld", (long long)e->size);
		else
			buf_adds(b, "null");
		if (object_id_is_set(&e->id))
			buf_addf(b, ", \"md5\": \"%s\", \"path\": ",
				 object_id_hex(&e->id, hex));
		else
			buf_adds(b, ", \"md5\": null, \"path\": ");
		yaml_json_text(b, e->path, strlen(e->path));
		buf_addc(b, '}');
	}
	buf_adds(b, "]\n");
}

/* As DVC has it: 812, 4.00k, 23.4M. */
static void
put_size(struct buf *b, const struct ls_entry *e)
{
	static const char units[] = "kMGTPEZY";
	double size = (double)e->size;
	int unit = -1;

	if (e->size < 0 || (e->size == 0 && e->isdir))
		return;
	if (e->size < 1024) {
		buf_addf(b, "%lld", (long long)e->size);
		return;
	}
	while (size >= 999.5 && units[unit + 1] != '\0') {
		size /= 1024;
		unit++;
	}
	buf_addf(b, "%.*f%c", size < 9.995 ? 2 : size < 99.95 ? 1 : 0, size, units[unit]);
}

/* The branches before a name: what is still to come at each depth above it. */
static void
put_branches(struct buf *b, const struct ls_list *l, size_t i)
{
	unsigned depth = l->v[i].depth;

	for (unsigned d = 1; d <= depth; d++) {
		size_t k = i + 1;

		while (k < l->n && l->v[k].depth > d)
			k++;
		if (d < depth)
			buf_adds(b, k < l->n && l->v[k].depth == d ? "│   " : "    ");
		else
			buf_adds(b, k < l->n && l->v[k].depth == d ? "├── " : "└── ");
	}
}

static size_t
size_width(const struct ls_list *l)
{
	size_t width = 0;
	struct buf b;

	buf_init(&b, 0);
	for (size_t i = 0; i < l->n; i++) {
		buf_clear(&b);
		put_size(&b, &l->v[i]);
		width = b.n > width ? b.n : width;
	}
	buf_release(&b);
	return width;
}

static void
put_lines(struct ls *k)
{
	const struct ls_list *l = &k->list;
	struct buf *b = &k->x.c->out, size;
	size_t width = k->o->size ? size_width(l) : 0, hashes = 1;
	char hex[OBJECT_HEX_MAX];

	buf_init(&size, 0);
	for (size_t i = 0; i < l->n; i++)
		if (object_id_is_set(&l->v[i].id) &&
		    strlen(object_id_hex(&l->v[i].id, hex)) > hashes)
			hashes = strlen(hex);
	for (size_t i = 0; i < l->n && cli_flush_some(k->x.c) == 0; i++) {
		const struct ls_entry *e = &l->v[i];

		if (k->o->size) {
			buf_clear(&size);
			put_size(&size, e);
			buf_addf(b, "%*s  ", (int)width, size.p);
		}
		if (k->o->hash)
			buf_addf(b, "%-*s  ", (int)hashes,
				 object_id_is_set(&e->id) ? object_id_hex(&e->id, hex)
							  : "-");
		if (k->o->tree)
			put_branches(b, l, i);
		e = &l->v[i];
		text_put(b, k->o->tree && e->depth > 0 ? e->name : e->path,
			 strlen(k->o->tree && e->depth > 0 ? e->name : e->path));
		buf_addc(b, '\n');
	}
	buf_release(&size);
}

static void
tell(struct ls *k)
{
	if (!k->o->tree && k->list.n > 1)
		qsort(k->list.v, k->list.n, sizeof(*k->list.v), by_path);
	if (k->o->tree && k->list.n > 0)
		k->list.v[0].name = k->list.v[0].path = k->what.path;
	if (k->o->json)
		put_json(&k->x.c->out, &k->list);
	else
		put_lines(k);
}

static int
ls_verb(struct cli *c, const void *opts)
{
	struct ls k = {.o = opts};
	struct err err = {0};
	int rc, code = EXIT_OK;

	if (k.o->tree && k.o->json)
		return cli_usage(c, "--tree and --json do not go together");
	rc = other_begin(&k.x, c, &k.o->x, &err);
	if (rc == 0)
		rc =
		    other_path(&k.x, c->nargs > 1 ? c->args[1] : ".", &k.what.path, &err);
	k.what.dvc_only = k.o->dvc_only;
	k.what.dirs = k.o->tree;
	k.what.depth = !k.o->recursive && !k.o->tree ? 1
		       : k.o->level.set		     ? (unsigned)k.o->level.v
						     : LS_DEPTH_MAX;
	if (rc == 0)
		rc = other_work(&k.x, work, &k, &err);
	if (rc == 0)
		tell(&k);
	else
		code = other_fail(&k.x, &err);
	other_end(&k.x);
	return code;
}

const struct verb verb_ls = {
    .name = "ls",
    .group = GROUP_DATA,
    .summary = "list what is in a repository, tracked data included",
    .args = "URL [PATH]",
    .min = 1,
    .max = 2,
    .doc =
	"List the files of the repository at URL, or what lies at PATH in it: those that "
	"git "
	"or its work tree has, and those that are tracked by content, whether their data "
	"is "
	"there or not. URL is a directory of this machine, which is listed as it lies "
	"there, "
	"or an address that git fetches from. Nothing of it is changed, and no data is "
	"fetched but the lists of directories that are asked for.",
    .examples =
	"dag ls .\tthis project\n"
	"dag ls -R --dvc-only https://example.com/team/data.git\tanother one's data\n"
	"dag ls --rev v1.0 --tree ../other data\ta directory of a revision",
    .opts = ls_opts,
    .size = sizeof(struct ls_opts),
    .run = ls_verb,
};
