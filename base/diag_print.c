/*
 * Diagnostics for people: one line that names place and mistake, the source line, a caret.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag_impl.h"
#include "base/textwidth.h"
#include "base/utf8.h"

#define TAB	   8
#define GUTTER	   8	 /* columns of "   12 | " */
#define LINE_MAX   1000	 /* columns of a source line where nothing limits the width */
#define LINE_BYTES 65536 /* of a line that any number of messages may show */
#define LONG_BYTES ((size_t)32 << 20) /* of longer lines that are looked at in all */
#define WIDTH_MIN  20		      /* narrower terminals are treated as this wide */
#define INDENT	   4 /* of the second and later lines of a long message */
#define ELLIPSIS   "..."
#define ELLIPSIS_N 3

struct printer {
	struct diag *d;
	struct buf *out;
	bool color;
	unsigned width;	   /* 0: as wide as it gets */
	size_t long_bytes; /* of long lines that may still be looked at */
};

static const char *const severity_color[] = {[DIAG_ERROR] = "\033[1;31m",
					     [DIAG_WARNING] = "\033[1;33m",
					     [DIAG_NOTE] = "\033[1;36m"};
#define BOLD  "\033[1m"
#define FAINT "\033[2m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

static void
paint(struct printer *p, const char *code)
{
	if (p->color)
		buf_adds(p->out, code);
}

static void
blanks(struct buf *out, unsigned n)
{
	while (n-- > 0)
		buf_addc(out, ' ');
}

/* Note where the lines of f begin; 0 or -1. */
static int
index_lines(struct diag_source *f)
{
	VEC(size_t) lines = {0};
	const char *s = f->text, *end = f->text + f->len;
	size_t n;

	if (f->lines != NULL)
		return 0;
	if (vec_push(&lines, (size_t)0) != 0)
		return -1;
	while (s < end) {
		n = diag_line_break(s, (size_t)(end - s));
		s += n != 0 ? n : 1;
		if (n != 0 && vec_push(&lines, (size_t)(s - f->text)) != 0) {
			vec_release(&lines);
			return -1;
		}
	}
	f->lines = lines.v;
	f->nlines = lines.n;
	return 0;
}

/*
 * The text of a line without its break (and a byte order mark); NULL if there is none.  To
 * find the caret's column a line is walked from its start: of lines of megabytes only a few
 * are, or a thousand messages would take minutes.
 */
static const char *
line_text(struct printer *p, struct diag_source *f, uint32_t line, size_t *len)
{
	const char *s, *stop;

	if (f->text == NULL || line == 0 || index_lines(f) != 0 || line > f->nlines)
		return NULL;
	s = f->text + f->lines[line - 1];
	stop = f->text + (line < f->nlines ? f->lines[line] : f->len);
	if (line < f->nlines && stop > s)
		stop -= stop - s >= 2 && stop[-1] == '\n' && stop[-2] == '\r' ? 2 : 1;
	if (line == 1 && stop - s >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	*len = (size_t)(stop - s);
	if (*len <= LINE_BYTES)
		return s;
	if (*len > p->long_bytes)
		return NULL;
	p->long_bytes -= *len;
	return s;
}

/* One character of a source line as it is shown. */
struct glyph {
	const char *p;
	size_t n;      /* bytes in the source */
	unsigned from; /* first column, from 0, of the line shown whole */
	unsigned columns;
};

/* The next character, or false at the end; tabs reach to the next multiple of TAB. */
static bool
next_glyph(const char *s, size_t len, size_t *at, unsigned *column, struct glyph *g)
{
	uint32_t cp;
	int n;

	if (*at >= len)
		return false;
	n = utf8_decode(s + *at, len - *at, &cp);
	g->p = s + *at;
	g->n = (size_t)(n < 0 ? -n : n);
	g->from = *column;
	if (cp == '\t')
		g->columns = TAB - *column % TAB;
	else
		g->columns = n < 0 || text_harmful(cp) ? 1 : text_width(cp);
	*at += g->n;
	*column += g->columns;
	return true;
}

/* The columns that the caret underlines: [from, to), and the line's own width. */
struct span {
	unsigned from, to, whole;
};

static struct span
caret_span(const char *s, size_t len, const struct diag_pos *pos)
{
	struct span span = {0};
	struct glyph g;
	size_t at = 0;
	unsigned column = 0;
	uint64_t i, first = pos->col > 0 ? pos->col - 1 : 0,
		    last = first + (pos->width > 0 ? pos->width : 1);
	bool begun = false;

	for (i = 0; next_glyph(s, len, &at, &column, &g); i++) {
		if (i == first) {
			span.from = g.from;
			begun = true;
		}
		if (i >= first && i < last)
			span.to = column;
	}
	span.whole = column;
	if (!begun)
		span.from = column;
	if (span.to <= span.from)
		span.to = span.from + 1;
	return span;
}

/* Which columns of a line are shown: [from, to), with dots at a cut end. */
static struct span
window(const struct printer *p, const struct span *caret)
{
	struct span w = {0, caret->whole, 0};
	unsigned room, lead;

	room = p->width == 0 ? LINE_MAX : p->width - GUTTER;
	if (caret->whole <= room)
		return w;
	/* Keep the line's start where the caret can be seen with it; else centre the caret. */
	if (caret->to + ELLIPSIS_N > room) {
		lead = caret->to - caret->from < room / 2
			   ? (room - (caret->to - caret->from)) / 2
			   : ELLIPSIS_N + 1;
		w.from = caret->from > lead ? caret->from - lead : 0;
	}
	w.to = w.from + room;
	if (w.to >= caret->whole) {
		w.to = caret->whole;
		w.from = w.to > room ? w.to - room : 0;
		if (w.from > caret->from)
			w.from = caret->from;
	}
	return w;
}

static void
put_source(struct printer *p, const char *s, size_t len, const struct span *w,
	   const struct span *caret)
{
	unsigned from = w->from > 0 ? w->from + ELLIPSIS_N : 0, column = 0,
		 to = w->to < caret->whole ? w->to - ELLIPSIS_N : w->to, shown = from;
	struct glyph g;
	size_t at = 0;

	if (w->from > 0)
		buf_adds(p->out, ELLIPSIS);
	while (next_glyph(s, len, &at, &column, &g)) {
		if (g.from + g.columns > to)
			break;
		/* A combining mark goes with what it stands on. */
		if (from > 0 && g.from + g.columns <= from)
			continue;
		if (*g.p == '\t' || g.from < from) /* a tab, or a wide one cut in two */
			blanks(p->out,
			       g.from + g.columns - (g.from < from ? from : g.from));
		else
			text_put(p->out, g.p, g.n);
		shown = g.from + g.columns;
	}
	if (w->to < caret->whole) {
		blanks(p->out, to - shown);
		buf_adds(p->out, ELLIPSIS);
	}
}

/*
 * Append text word by word, from column `at`, breaking lines so that none is wider than the
 * terminal; later lines start with `lead` (`lead_n` columns).  A word that is wider than a
 * line stands as it is.
 */
static void
put_wrapped(struct printer *p, const char *text, unsigned at, const char *lead,
	    unsigned lead_n)
{
	const char *word = text, *end;
	unsigned columns;
	bool first = true;

	if (p->width == 0) {
		text_put(p->out, text, strlen(text));
		return;
	}
	while (*word != '\0') {
		end = word + strcspn(word, " ");
		columns = text_columns(word, (size_t)(end - word));
		if (first ? at > lead_n && at + columns > p->width
			  : at + 1 + columns > p->width) {
			buf_addc(p->out, '\n');
			buf_adds(p->out, lead);
			at = lead_n;
		} else if (!first) {
			buf_addc(p->out, ' ');
			at++;
		}
		text_put(p->out, word, (size_t)(end - word));
		at += columns;
		first = false;
		word = *end == ' ' ? end + 1 : end;
	}
}

static void
put_hint(struct printer *p, const char *hint, unsigned at, unsigned caret)
{
	unsigned columns = text_columns(hint, strlen(hint));

	if (p->width != 0 && at + 1 + columns > p->width) {
		buf_adds(p->out, "\n      | ");
		/* Below the caret if that is enough, else from the left. */
		at = caret + columns <= p->width ? caret : GUTTER;
		blanks(p->out, at - GUTTER);
	} else {
		buf_addc(p->out, ' ');
		at++;
	}
	put_wrapped(p, hint, at, "      | ", GUTTER);
}

static void
put_caret(struct printer *p, const struct span *w, const struct span *caret,
	  const char *hint)
{
	unsigned from = caret->from - w->from,
		 to = caret->to > w->to && caret->whole > w->to ? w->to : caret->to;

	to = to > caret->from ? to - w->from : from + 1;
	paint(p, FAINT);
	buf_adds(p->out, "      | ");
	paint(p, PLAIN);
	blanks(p->out, from);
	paint(p, GREEN);
	buf_addc(p->out, '^');
	for (unsigned i = from + 1; i < to; i++)
		buf_addc(p->out, '~');
	paint(p, PLAIN);
	if (hint != NULL)
		put_hint(p, hint, GUTTER + to, GUTTER + from);
	buf_addc(p->out, '\n');
}

static void
put_head(struct printer *p, const struct diag_source *f, const struct diag_message *m)
{
	const char *severity = diag_severity_name(m->severity);
	char place[32] = "";
	unsigned at;
	size_t start;

	paint(p, BOLD);
	start = p->out->n;
	if (f != NULL) {
		text_put(p->out, f->name, strlen(f->name));
		if (m->pos.line != 0)
			(void)snprintf(place, sizeof(place), ":%u:%u", m->pos.line,
				       m->pos.col);
		buf_adds(p->out, place);
		buf_adds(p->out, ": ");
	}
	at = buf_failed(p->out) ? 0 : text_columns(p->out->p + start, p->out->n - start);
	paint(p, PLAIN);
	paint(p, severity_color[m->severity]);
	buf_addf(p->out, "%s: ", severity);
	at += (unsigned)strlen(severity) + 2;
	paint(p, PLAIN);
	put_wrapped(p, m->text, at, "    ", INDENT);
	buf_addc(p->out, '\n');
}

static void
put_message(struct printer *p, const struct diag_message *m)
{
	struct diag_source *f = NULL;
	struct span caret, w;
	const char *s = NULL;
	size_t len = 0;

	if (m->pos.file >= 0 && (size_t)m->pos.file < p->d->files.n)
		f = &p->d->files.v[m->pos.file];
	put_head(p, f, m);
	if (f != NULL)
		s = line_text(p, f, m->pos.line, &len);
	if (s == NULL) {
		if (m->hint != NULL) {
			blanks(p->out, INDENT);
			put_wrapped(p, m->hint, INDENT, "    ", INDENT);
			buf_addc(p->out, '\n');
		}
		return;
	}
	caret = caret_span(s, len, &m->pos);
	w = window(p, &caret);
	paint(p, FAINT);
	buf_addf(p->out, "%5u | ", m->pos.line);
	paint(p, PLAIN);
	put_source(p, s, len, &w, &caret);
	buf_addc(p->out, '\n');
	put_caret(p, &w, &caret, m->hint);
}

void
diag_print(struct diag *d, struct buf *out, bool color, unsigned width)
{
	struct printer p = {d, out, color, width, LONG_BYTES};
	const struct diag_message **notes;
	struct diag_group *groups;
	size_t i, j, n, kept_errors = 0, more;

	if (width != 0 && width < WIDTH_MIN)
		p.width = WIDTH_MIN;
	if (diag_sorted(d, &notes, &groups, &n) != 0) {
		buf_adds(out, "error: out of memory\n");
		return;
	}
	for (i = 0; i < n; i++) {
		put_message(&p, groups[i].head);
		for (j = 0; j < groups[i].nnotes; j++)
			put_message(&p, groups[i].notes[j]);
	}
	vec_foreach (&d->messages, struct diag_message, m)
		kept_errors += m->severity == DIAG_ERROR;
	if ((more = d->errors - kept_errors) > 0)
		buf_addf(out, "and %zu more error%s, not shown\n", more,
			 more == 1 ? "" : "s");
	if (d->nomem)
		buf_adds(out, "error: out of memory\n");
	free(notes);
	free(groups);
}
