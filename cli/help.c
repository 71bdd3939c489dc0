/*
 * Help pages, made from the tables of verbs and options.
 */
#include <assert.h>
#include <string.h>

#include "base/textwidth.h"
#include "cli/cli.h"
#include "cli/opts.h"

#define TEXT_INDENT 2
#define OPT_INDENT  24 /* column at which the text of an option starts */

static const char *const group_titles[GROUPS] = {
    [GROUP_START] = "Start here",	 [GROUP_WORK] = "Run pipelines",
    [GROUP_LOOK] = "See what happened",	 [GROUP_DATA] = "Data by content",
    [GROUP_REST] = "The program itself",
};

static void
blanks(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_addc(b, ' ');
}

/* One paragraph of n bytes, filled up to CLI_WIDTH. */
static void
wrap_paragraph(struct buf *b, const char *p, size_t n, size_t indent)
{
	size_t col = indent, len, width;
	bool first = true;

	while (n > 0) {
		len = 0;
		while (len < n && p[len] != ' ' && p[len] != '\n')
			len++;
		if (len > 0) {
			width = text_columns(p, len);
			if (!first && col + 1 + width > CLI_WIDTH) {
				buf_addc(b, '\n');
				blanks(b, indent);
				col = indent;
			} else if (!first) {
				buf_addc(b, ' ');
				col++;
			}
			buf_add(b, p, len);
			col += width;
			first = false;
		}
		p += len;
		n -= len;
		while (n > 0 && (*p == ' ' || *p == '\n')) {
			p++;
			n--;
		}
	}
	buf_addc(b, '\n');
}

/* The length of the block at p: up to an empty line, or one line that starts with a blank. */
static size_t
block_len(const char *p)
{
	const char *end;

	if (*p == ' ')
		return strcspn(p, "\n");
	for (end = p; *end != '\0'; end++)
		if (end[0] == '\n' && (end[1] == '\n' || end[1] == ' '))
			break;
	return (size_t)(end - p);
}

void
help_wrap(struct buf *b, const char *text, size_t indent)
{
	bool first = true;
	size_t n;

	while (*text != '\0') {
		if (*text == '\n') {
			buf_addc(b, '\n');
			text++;
			continue;
		}
		if (!first)
			blanks(b, indent);
		first = false;
		n = block_len(text);
		if (*text == ' ') {
			buf_add(b, text, n);
			buf_addc(b, '\n');
		} else {
			wrap_paragraph(b, text, n, indent);
		}
		text += n;
		if (*text == '\n')
			text++;
	}
}

/* "-p, --param K=V" */
static void
put_opt_name(struct buf *b, const struct opt *o)
{
	if (o->letter != 0)
		buf_addf(b, "-%c, ", o->letter);
	else
		buf_adds(b, "    ");
	buf_addf(b, "--%s", o->name);
	if (o->kind != OPT_FLAG)
		buf_addf(b, " %s", o->arg);
}

static void
put_opts(struct buf *b, const struct opt *o)
{
	size_t start, used;

	for (; o->name != NULL; o++) {
		if (o->doc == NULL)
			continue;
		start = b->n;
		blanks(b, TEXT_INDENT);
		put_opt_name(b, o);
		used = b->n - start;
		if (used + 2 > OPT_INDENT) {
			buf_addc(b, '\n');
			used = 0;
		}
		blanks(b, OPT_INDENT - used);
		help_wrap(b, o->doc, OPT_INDENT);
	}
}

static bool
has_opts(const struct verb *v)
{
	const struct opt *o;

	for (o = v->opts; o != NULL && o->name != NULL; o++)
		if (o->doc != NULL)
			return true;
	return false;
}

static void
put_usage(struct buf *b, const struct verb *v)
{
	buf_addf(b, "dag %s%s%s%s", v->name, has_opts(v) ? " [options]" : "",
		 *v->args != '\0' ? " " : "", v->args);
}

/* Lines "command<TAB>what it does". */
static void
put_examples(struct buf *b, const char *p)
{
	size_t cmd, line, start, used;

	while (*p != '\0') {
		line = strcspn(p, "\n");
		cmd = strcspn(p, "\t");
		start = b->n;
		blanks(b, TEXT_INDENT);
		buf_add(b, p, cmd);
		used = b->n - start;
		if (used + 2 > 36) {
			buf_addc(b, '\n');
			used = 0;
		}
		blanks(b, 36 - used);
		wrap_paragraph(b, p + cmd + 1, line - cmd - 1, 36);
		p += line;
		if (*p == '\n')
			p++;
	}
}

void
help_verb(struct buf *b, const struct verb *v)
{
	buf_adds(b, "usage: ");
	put_usage(b, v);
	buf_adds(b, "\n\n");
	blanks(b, TEXT_INDENT);
	help_wrap(b, v->doc, TEXT_INDENT);
	if (has_opts(v)) {
		buf_adds(b, "\nOptions:\n");
		put_opts(b, v->opts);
	}
	buf_adds(b, "\nOptions of every verb:\n");
	put_opts(b, cli_global_opts());
	if (v->examples != NULL) {
		buf_adds(b, "\nExamples:\n");
		put_examples(b, v->examples);
	}
}

void
help_overview(struct buf *b)
{
	const struct verb *const *table;
	struct buf pages;
	size_t i, n;
	int g;

	buf_adds(
	    b, "usage: dag [-C DIR] [--color WHEN] VERB [options] [words]\n\n"
	       "  dag runs pipelines that are written in YAML: tasks with commands, what "
	       "each\n  needs, and what it reads and writes.\n");
	table = verb_table(&n);
	for (g = 0; g < GROUPS; g++) {
		buf_addf(b, "\n%s:\n", group_titles[g]);
		for (i = 0; i < n; i++)
			if (table[i]->group == (enum verb_group)g)
				buf_addf(b, "  %-11s %s\n", table[i]->name,
					 table[i]->summary);
	}
	buf_adds(b, "\nOptions of every verb:\n");
	put_opts(b, cli_global_opts());
	buf_init(&pages, 0);
	buf_adds(&pages,
		 "'dag help VERB' tells more about a verb, 'dag help TYPE' about a task "
		 "type. Other pages:");
	for (i = 0; help_topic_name(i) != NULL; i++)
		buf_addf(&pages, "%s %s", i > 0 ? "," : "", help_topic_name(i));
	buf_adds(&pages, ".");
	buf_addc(b, '\n');
	help_wrap(b, pages.p, 0);
	buf_release(&pages);
}

/* ---- Markdown ---- */

/* Text with lines that start with a blank as code blocks. */
void
help_md_text(struct buf *b, const char *text)
{
	bool code = false;
	size_t n;

	while (*text != '\0') {
		n = strcspn(text, "\n");
		if (*text == ' ' && !code)
			buf_adds(b, b->n > 1 && b->p[b->n - 2] != '\n' ? "\n```\n"
								       : "```\n");
		else if (*text != ' ' && code)
			buf_adds(b, "```\n");
		code = *text == ' ';
		buf_add(b, text + (code && text[1] == ' ' ? 2 : 0),
			n - (code && text[1] == ' ' ? 2 : 0));
		buf_addc(b, '\n');
		text += n;
		if (*text == '\n')
			text++;
	}
	if (code)
		buf_adds(b, "```\n");
}

static void
md_opts(struct buf *b, const struct opt *o)
{
	for (; o->name != NULL; o++) {
		if (o->doc == NULL)
			continue;
		buf_adds(b, "- `");
		if (o->letter != 0)
			buf_addf(b, "-%c%s%s`, `", o->letter,
				 o->kind == OPT_FLAG ? "" : " ",
				 o->kind == OPT_FLAG ? "" : o->arg);
		buf_addf(b, "--%s%s%s` — %s\n", o->name, o->kind == OPT_FLAG ? "" : " ",
			 o->kind == OPT_FLAG ? "" : o->arg, o->doc);
	}
}

static void
md_examples(struct buf *b, const char *p)
{
	size_t cmd, line;

	buf_adds(b, "\n```sh\n");
	while (*p != '\0') {
		line = strcspn(p, "\n");
		cmd = strcspn(p, "\t");
		buf_addf(b, "%-34.*s # %.*s\n", (int)cmd, p, (int)(line - cmd - 1),
			 p + cmd + 1);
		p += line;
		if (*p == '\n')
			p++;
	}
	buf_adds(b, "```\n");
}

static void
md_verb(struct buf *b, const struct verb *v)
{
	buf_addf(b, "\n## `dag %s`\n\n```\n", v->name);
	put_usage(b, v);
	buf_adds(b, "\n```\n\n");
	help_md_text(b, v->doc);
	if (has_opts(v)) {
		buf_addc(b, '\n');
		md_opts(b, v->opts);
	}
	if (v->examples != NULL)
		md_examples(b, v->examples);
}

void
help_markdown(struct buf *b)
{
	const struct verb *const *table;
	size_t i, n;

	buf_adds(
	    b, "# The command line\n\n"
	       "Made by `dag help --markdown` from the tables that also parse it; do not "
	       "edit.\n\n"
	       "Options may stand anywhere behind their verb: `--name=value`, `--name "
	       "value`, `-nvalue`;\n`--` ends them. Every verb takes:\n\n");
	md_opts(b, cli_global_opts());
	buf_adds(b, "\n| verb | |\n|---|---|\n");
	table = verb_table(&n);
	for (i = 0; i < n; i++)
		buf_addf(b, "| [`%s`](#dag-%s) | %s |\n", table[i]->name, table[i]->name,
			 table[i]->summary);
	for (i = 0; i < n; i++)
		md_verb(b, table[i]);
	help_topics_markdown(b);
}
