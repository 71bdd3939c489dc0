/*
 * Man pages, made from the tables of verbs and options like the help pages.
 */
#include <string.h>

#include "cli/cli.h"
#include "cli/opts.h"

#define LINE_MAX_BYTES 52 /* after which a line of the source ends at a blank */

/* Bytes of the last line. */
static size_t
line_bytes(const struct buf *b)
{
	size_t n = 0;

	while (n < b->n && b->p[b->n - 1 - n] != '\n')
		n++;
	return n;
}

/* Text in which every character stands for itself, also at the start of a line. */
static void
put_as_is(struct buf *b, const char *p, size_t n)
{
	static const struct {
		char c;
		const char *as;
	} special[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
		       {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
	size_t i, k;

	for (i = 0; i < n; i++) {
		if (p[i] == '.' && (b->n == 0 || b->p[b->n - 1] == '\n'))
			buf_adds(b, "\\&");
		for (k = 0; k < sizeof(special) / sizeof(special[0]); k++)
			if (special[k].c == p[i])
				break;
		if (k < sizeof(special) / sizeof(special[0]))
			buf_adds(b, special[k].as);
		else
			buf_addc(b, p[i]);
	}
}

/* The same, its lines broken where there is a blank. */
static void
put(struct buf *b, const char *p, size_t n)
{
	size_t len;

	for (; n > 0; p += len, n -= len) {
		for (len = 0; len < n && p[len] != ' '; len++)
			;
		put_as_is(b, p, len);
		if (len < n)
			buf_addc(b, line_bytes(b) > LINE_MAX_BYTES ? '\n' : p[len++]);
		if (len < n && p[len] == ' ')
			len++;
	}
}

static void
put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

/* The first line; a page of a verb has its name, the other is dag(1). */
static void
put_title(struct buf *b, const char *verb)
{
	const char *p;

	buf_adds(b, verb != NULL ? ".TH DAG\\-" : ".TH DAG");
	for (p = verb; p != NULL && *p != '\0'; p++)
		buf_addc(b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
	buf_addf(b, " 1 %s \"dag %s\" \"dag manual\"\n.ad l\n", DAG_DATE, DAG_VERSION);
}

static void
put_section(struct buf *b, const char *title)
{
	buf_addf(b, ".SH \"%s\"\n", title);
}

/* Bytes of the lines from p on that start with a blank. */
static size_t
code_len(const char *p)
{
	const char *start = p;

	while (*p == ' ') {
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return (size_t)(p - start);
}

/* Bytes of the paragraph at p. */
static size_t
paragraph_len(const char *p)
{
	const char *end;

	for (end = p; *end != '\0'; end++)
		if (end[0] == '\n' && (end[1] == '\n' || end[1] == ' '))
			break;
	return (size_t)(end - p);
}

static void
put_code(struct buf *b, const char *p, size_t n)
{
	size_t len;

	buf_adds(b, ".EX\n");
	for (; n > 0; p += len, n -= len) {
		len = strcspn(p, "\n") + 1;
		len = len < n ? len : n;
		put_as_is(b, p, p[len - 1] == '\n' ? len - 1 : len);
		buf_addc(b, '\n');
	}
	buf_adds(b, ".EE\n");
}

void
help_man_text(struct buf *b, const char *text)
{
	bool first = true;
	size_t n;

	while (*text != '\0') {
		if (*text == '\n') {
			text++;
			continue;
		}
		if (!first)
			buf_adds(b, ".PP\n");
		first = false;
		if (*text == ' ') {
			n = code_len(text);
			put_code(b, text, n);
		} else {
			n = paragraph_len(text);
			put(b, text, n);
			buf_addc(b, '\n');
		}
		text += n;
	}
}

static bool
has_opts(const struct opt *o)
{
	for (; o != NULL && o->name != NULL; o++)
		if (o->doc != NULL)
			return true;
	return false;
}

/* "-p NAME=VALUE, --param NAME=VALUE" */
static void
put_opt(struct buf *b, const struct opt *o)
{
	buf_adds(b, ".TP\n");
	if (o->letter != 0)
		buf_addf(b, "\\fB\\-%c\\fR, ", o->letter);
	buf_adds(b, "\\fB\\-\\-");
	put_text(b, o->name);
	buf_adds(b, "\\fR");
	if (o->kind != OPT_FLAG) {
		buf_adds(b, " \\fI");
		put_text(b, o->arg);
		buf_adds(b, "\\fR");
	}
	buf_addc(b, '\n');
	put_text(b, o->doc);
	buf_addc(b, '\n');
}

static void
put_opts(struct buf *b, const struct opt *o, const char *title)
{
	if (!has_opts(o))
		return;
	put_section(b, title);
	for (; o->name != NULL; o++)
		if (o->doc != NULL)
			put_opt(b, o);
}

static void
put_examples(struct buf *b, const char *p)
{
	size_t cmd, line;

	put_section(b, "EXAMPLES");
	while (*p != '\0') {
		line = strcspn(p, "\n");
		cmd = strcspn(p, "\t");
		buf_adds(b, ".TP\n\\fB");
		put(b, p, cmd);
		buf_adds(b, "\\fR\n");
		put(b, p + cmd + 1, line - cmd - 1);
		buf_addc(b, '\n');
		p += line;
		p += *p == '\n';
	}
}

static void
put_see_also(struct buf *b)
{
	put_section(b, "SEE ALSO");
	buf_adds(b, ".BR dag (1),\n.BR dag\\-file (5),\n.BR dag\\-templates (7),\n"
		    ".BR dag\\-protocol (7),\n.BR dag\\-progress (7)\n");
}

void
help_man_verb(struct buf *b, const struct verb *v)
{
	put_title(b, v->name);
	put_section(b, "NAME");
	buf_addf(b, "dag\\-%s \\- ", v->name);
	put_text(b, v->summary);
	buf_addc(b, '\n');
	put_section(b, "SYNOPSIS");
	buf_addf(b, "\\fBdag %s\\fR", v->name);
	if (has_opts(v->opts))
		buf_adds(b, " [\\fIoptions\\fR]");
	if (*v->args != '\0') {
		buf_addc(b, ' ');
		put_text(b, v->args);
	}
	buf_addc(b, '\n');
	put_section(b, "DESCRIPTION");
	help_man_text(b, v->doc);
	put_opts(b, v->opts, "OPTIONS");
	put_opts(b, cli_global_opts(), "OPTIONS OF EVERY VERB");
	if (v->examples != NULL)
		put_examples(b, v->examples);
	put_see_also(b);
}

void
help_man_overview(struct buf *b)
{
	const struct verb *const *table;
	size_t i, n;

	put_title(b, NULL);
	put_section(b, "NAME");
	buf_adds(b, "dag \\- run pipelines of tasks\n");
	put_section(b, "SYNOPSIS");
	buf_adds(b, "\\fBdag\\fR [\\fB\\-C\\fR \\fIDIR\\fR] [\\fB\\-\\-color\\fR "
		    "\\fIWHEN\\fR] \\fIVERB\\fR [\\fIoptions\\fR] [\\fIwords\\fR]\n");
	put_section(b, "DESCRIPTION");
	put_text(
	    b, "dag runs pipelines that are written in YAML: tasks with commands, what "
	       "each needs, and what it reads and writes. It records every step, so that "
	       "a run that was interrupted goes on where it was.");
	buf_adds(b, "\n.PP\n");
	put_text(
	    b,
	    "Options may stand anywhere behind their verb: --name=value, --name value, "
	    "-nvalue; -- ends them.");
	buf_addc(b, '\n');
	put_section(b, "VERBS");
	table = verb_table(&n);
	for (i = 0; i < n; i++) {
		buf_addf(b, ".TP\n.BR dag\\-%s (1)\n", table[i]->name);
		put_text(b, table[i]->summary);
		buf_addc(b, '\n');
	}
	put_opts(b, cli_global_opts(), "OPTIONS");
	help_topics_man(b);
	put_see_also(b);
}
