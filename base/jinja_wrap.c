/*
 * The filter `wordwrap`: each line of the text is cut into chunks (runs of blanks, words,
 * parts of words behind a hyphen between letters, dashes) that are laid out in lines of at
 * most a width.  Chunks are those of Python's textwrap.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/jinja_run.h"

#include <string.h>

struct wrap {
	int64_t width;
	bool break_words, break_hyphens;
	struct jinja_val sep;
	struct buf *out;
	const char *end;  /* of the paragraph */
	const char *next; /* where the chunk being laid out ends, or NULL */
	uint32_t prev[3]; /* the characters before the next chunk, the last one first */
};

static uint32_t
char_at(const struct wrap *w, const char *p, size_t *adv)
{
	*adv = 0;
	return p < w->end ? jinja_u8_next(p, (size_t)(w->end - p), adv) : 0;
}

static bool
is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_letter(uint32_t c)
{
	return c == '_' || (c != 0 && jinja_u8_letter(c));
}

static bool
is_word(uint32_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

/* What a dash between words follows. */
static bool
before_dash(uint32_t c)
{
	return is_word(c) || (c != 0 && c < 0x80 && strchr("!\"'&.,?", (int)c) != NULL);
}

/* The end of the dashes at ${p}, if there are two or more and a word follows; else NULL. */
static const char *
dash_end(const struct wrap *w, const char *p)
{
	const char *at = p;
	size_t adv;

	while (at < w->end && *at == '-')
		at++;
	return at - p >= 2 && is_word(char_at(w, at, &adv)) ? at : NULL;
}

/* Whether the word may be cut behind the hyphen at ${p}: at least two letters, or one that
 * stands behind another hyphen, before it, and the like after it. */
static bool
hyphen_cuts(const struct wrap *w, const char *p)
{
	const uint32_t *prev = w->prev;
	size_t adv;
	uint32_t c;

	if (!is_letter(prev[0]) ||
	    !(is_letter(prev[1]) || (prev[1] == '-' && is_letter(prev[2]))))
		return false;
	p++;
	if (!is_letter(char_at(w, p, &adv)))
		return false;
	p += adv;
	c = char_at(w, p, &adv);
	return is_letter(c) || (c == '-' && is_letter(char_at(w, p + adv, &adv)));
}

static const char *
step(struct wrap *w, const char *p)
{
	size_t adv;
	uint32_t c = char_at(w, p, &adv);

	w->prev[2] = w->prev[1];
	w->prev[1] = w->prev[0];
	w->prev[0] = c;
	return p + adv;
}

/* Where the chunk that begins at ${p} ends. */
static const char *
chunk_end(struct wrap *w, const char *p)
{
	bool blank = is_blank((unsigned char)*p);
	const char *dash = NULL;
	bool first = true;

	if (w->break_hyphens && before_dash(w->prev[0]))
		dash = dash_end(w, p);
	while (p < w->end && is_blank((unsigned char)*p) == blank) {
		if (dash != NULL && p == dash)
			break;
		if (w->break_hyphens && !blank && !first && dash == NULL && *p == '-') {
			if (hyphen_cuts(w, p))
				return step(w, p);
			if (before_dash(w->prev[0]) && dash_end(w, p) != NULL)
				break;
		}
		p = step(w, p);
		first = false;
	}
	return p;
}

/* How much of a chunk that is too long goes into the ${room} left: up to its last hyphen
 * there, if something stands before that. */
static size_t
cut_of(const struct wrap *w, const char *p, size_t room)
{
	size_t n = (size_t)(w->next - p), cut = jinja_u8_skip(p, n, room);
	const char *hyphen;

	if (!w->break_hyphens)
		return cut;
	hyphen = memrchr(p, '-', cut);
	if (hyphen == NULL)
		return cut;
	for (n = 0; p + n < hyphen; n++)
		if (p[n] != '-')
			return (size_t)(hyphen - p) + 1;
	return cut;
}

/* Put chunks on a line from ${p} on.  Return where the next line begins; ${stop} is where
 * this one ends without the blanks behind it. */
static const char *
fill_line(struct wrap *w, const char *p, const char **stop)
{
	int64_t used = 0, len = 0;
	const char *last = p;
	size_t n;

	while (p < w->end) {
		if (w->next == NULL)
			w->next = chunk_end(w, p);
		/* No more of a long word is counted than a line holds. */
		n = jinja_u8_skip(p, (size_t)(w->next - p), (size_t)w->width + 1);
		len = (int64_t)jinja_u8_len(p, n);
		if (used + len > w->width)
			break;
		used += len;
		last = p;
		p = w->next;
		w->next = NULL;
	}
	if (p < w->end && len > w->width) {
		if (w->break_words && used < w->width) {
			last = p;
			p += cut_of(w, p, (size_t)(w->width - used));
		} else if (used == 0) {
			last = p;
			p = w->next;
		}
		if (p == w->next)
			w->next = NULL;
	}
	*stop = is_blank((unsigned char)*last) ? last : p;
	return p;
}

/* Lines of one paragraph; blanks at the ends of lines are dropped, but not its first ones. */
static void
wrap_paragraph(struct wrap *w, const char *p)
{
	const char *line, *stop;
	bool any = false;

	w->next = NULL;
	memset(w->prev, 0, sizeof(w->prev));
	while (p < w->end && !buf_failed(w->out)) {
		if (w->next == NULL)
			w->next = chunk_end(w, p);
		if (any && is_blank((unsigned char)*p)) {
			p = w->next;
			w->next = NULL;
			if (p == w->end)
				break;
		}
		line = p;
		p = fill_line(w, p, &stop);
		if (stop == line)
			continue;
		if (any)
			buf_add(w->out, w->sep.s.p, w->sep.s.n);
		buf_add(w->out, line, (size_t)(stop - line));
		any = true;
	}
}

int
jinja_wordwrap(struct jinja_run *run, const struct jinja_args *a, struct jinja_val *out)
{
	struct wrap w = {0};
	struct jinja_list *l;
	struct jinja_val s;
	struct buf b;
	size_t i;

	if (jinja_self_str(run, a, &s) != 0 ||
	    jinja_arg_int(run, a, 0, 79, &w.width) != 0 ||
	    jinja_arg_bool(run, a, 1, true, &w.break_words) != 0 ||
	    jinja_arg_bool(run, a, 3, true, &w.break_hyphens) != 0)
		return -1;
	w.sep = jinja_str("\n");
	if (jinja_given(a, 2) && a->v[2].kind != JINJA_NONE &&
	    jinja_arg_str(run, a, 2, "\n", &w.sep) != 0)
		return -1;
	if (w.width < 1)
		return jinja_fail(run, "a line has at least one character");
	if (jinja_split_lines(run, s, &l) != 0)
		return -1;
	jinja_buf(run, &b);
	w.out = &b;
	for (i = 0; i < l->n && !buf_failed(&b); i++) {
		if (i != 0)
			buf_add(&b, w.sep.s.p, w.sep.s.n);
		w.end = l->v[i].s.p + l->v[i].s.n;
		wrap_paragraph(&w, l->v[i].s.p);
	}
	return jinja_take_buf(run, &b, out);
}
