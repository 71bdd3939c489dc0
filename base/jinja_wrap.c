/*
 * The filter `wordwrap`: each line of the text is cut into chunks (runs of blanks, words,
 * parts of words up to a hyphen) that are laid out in lines of at most a width.
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
	bool any; /* a line was written */
};

static bool
blank_at(const char *p, const char *end)
{
	size_t adv;

	return p < end && jinja_u8_space(jinja_u8_next(p, (size_t)(end - p), &adv));
}

static bool
letter_at(const char *p, const char *end)
{
	size_t adv;

	return p < end && jinja_u8_letter(jinja_u8_next(p, (size_t)(end - p), &adv));
}

/* Where the chunk that begins at ${p} ends.  A word may be cut behind a hyphen that stands
 * between letters: two before it, one after it. */
static const char *
chunk_end(const char *p, const char *end, bool hyphens)
{
	bool blank = blank_at(p, end);
	const char *at = p;
	size_t adv, letters = 0;

	while (at < end && blank_at(at, end) == blank) {
		uint32_t c = jinja_u8_next(at, (size_t)(end - at), &adv);

		at += adv;
		if (hyphens && c == '-' && letters >= 2 && letter_at(at, end))
			break;
		letters = jinja_u8_letter(c) ? letters + 1 : 0;
	}
	return at;
}

static void
put_line(struct wrap *w, const char *p, const char *end)
{
	if (w->any)
		buf_add(w->out, w->sep.s.p, w->sep.s.n);
	w->any = true;
	buf_add(w->out, p, (size_t)(end - p));
}

/* Lines of one paragraph; blanks at the ends of lines are dropped, but not its first ones. */
static void
wrap_paragraph(struct wrap *w, const char *p, const char *end)
{
	const char *line = p, *fill = p, *next; /* the line is [line, fill) */
	int64_t used = 0, len;
	const char *text = p; /* behind the last chunk of the line that is no blank */
	bool first = true;

	while (p < end && !buf_failed(w->out)) {
		next = chunk_end(p, end, w->break_hyphens);
		len = (int64_t)jinja_u8_len(p, (size_t)(next - p));
		if (used == 0 && blank_at(p, end) && !first) {
			line = fill = text = p = next;
			continue;
		}
		if (used + len <= w->width) {
			used += len;
			fill = p = next;
			if (!blank_at(p > line ? p - 1 : p, end))
				text = fill;
			continue;
		}
		if (len > w->width && w->break_words && (used < w->width || used == 0)) {
			size_t room = (size_t)(w->width - used);

			p += jinja_u8_skip(p, (size_t)(next - p), room);
			text = p;
		} else if (used == 0) {
			text = p = next;
		}
		if (text > line)
			put_line(w, line, text);
		line = fill = text = p;
		used = 0;
		first = false;
	}
	if (text > line)
		put_line(w, line, text);
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
		w.any = false;
		wrap_paragraph(&w, l->v[i].s.p, l->v[i].s.p + l->v[i].s.n);
	}
	return jinja_take_buf(run, &b, out);
}
